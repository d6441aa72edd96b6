//! A [`Workspace`] from text that is in memory: what tests and editors have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::package::{Targets, name_libraries};
use super::walk::Language;
use super::{Crate, FileKind, SourceFile, Workspace, engine, shown};
use crate::notice::{Notice, NoticeKind};
use crate::span::FileId;

/// Builds a workspace of paths, relative to its root and with `/`, and their texts. The disk is not looked at.
///
/// A Cargo.toml among the files says what the packages depend on, as on disk; `.env` and the like are not read. Of two
/// files of one path the later one stays. What is neither Rust nor SQL is left out. A manifest that does not parse is
/// among the notices.
pub fn memory(files: Vec<(String, String)>) -> Workspace {
    let texts: BTreeMap<String, String> = files.into_iter().collect();
    let mut notices = Vec::new();
    let manifests = manifests(&texts, &mut notices);
    let mut crates = Vec::new();
    let mut packages: BTreeMap<&Path, (usize, Targets)> = BTreeMap::new();
    for (dir, manifest) in manifests.iter().filter(|(_, manifest)| manifest.is_package()) {
        let Some(krate) = package(manifest, &manifests, &texts) else { continue };
        packages.insert(dir, (crates.len(), Targets::of_manifest(manifest)));
        crates.push(krate);
    }
    name_libraries(&mut crates, manifests.values());
    let mut found = Vec::new();
    for (path, text) in texts {
        let Some(language) = Language::of(Path::new(&path)) else { continue };
        let package = Path::new(&path).ancestors().skip(1).find_map(|dir| packages.get(dir));
        let kind = match language {
            Language::Sql => FileKind::Sql,
            Language::Rust => FileKind::Rust(match package {
                Some((_, targets)) => targets.of(Path::new(&path)),
                None => super::package::by_directory(Path::new(&path)),
            }),
        };
        let krate = package.map(|(index, _)| *index);
        found.push(SourceFile { id: FileId(0), path, text: text.into(), kind, krate });
    }
    (0..).zip(&mut found).for_each(|(id, file)| file.id = FileId(id));
    engine::by_tables(&mut crates, &found);
    Workspace { files: found, crates, notices, ..Workspace::default() }
}

fn manifests(texts: &BTreeMap<String, String>, notices: &mut Vec<Notice>) -> BTreeMap<PathBuf, Manifest> {
    let mut found = BTreeMap::new();
    for (path, text) in texts {
        let path = Path::new(path);
        if path.file_name().is_none_or(|name| name != "Cargo.toml") {
            continue;
        }
        let dir = path.parent().unwrap_or(Path::new(""));
        match Manifest::parse(dir, text) {
            Ok(manifest) => drop(found.insert(dir.to_owned(), manifest)),
            Err(text) => notices.push(Notice { path: shown(path), span: None, kind: NoticeKind::Syntax, text }),
        }
    }
    found
}

fn package(manifest: &Manifest, all: &BTreeMap<PathBuf, Manifest>, texts: &BTreeMap<String, String>) -> Option<Crate> {
    let dir = &manifest.dir;
    let workspace = dir.ancestors().filter_map(|dir| all.get(dir)).find(|manifest| manifest.is_workspace());
    let dependencies = manifest.dependencies(workspace);
    let dialects = engine::by_dependencies(manifest, &dependencies);
    let has = |path: &str| texts.contains_key(&shown(&dir.join(path)));
    Some(Crate {
        name: manifest.crate_name()?,
        dir: shown(dir),
        has_lib: manifest.has("lib") || has("src/lib.rs"),
        has_bin: manifest.has("bin") || has("src/main.rs"),
        library: manifest.library_path().map(str::to_owned),
        programs: manifest.target_paths("bin").map(str::to_owned).collect(),
        dialects,
        choosing: engine::choosing_features(manifest, &dependencies),
        dependencies,
        features: manifest.default_features(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::source::Target;

    fn files(files: &[(&str, &str)]) -> Workspace {
        memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn packages_targets_and_engines_are_as_on_disk() {
        let workspace = files(&[
            ("Cargo.toml", "[workspace.dependencies]\nsqlx = { version = '0.8', features = ['mysql'] }"),
            ("shop/Cargo.toml", "[package]\nname = 'my-shop'\n[dependencies]\nsqlx.workspace = true"),
            ("shop/src/lib.rs", ""),
            ("shop/tests/it.rs", ""),
            ("shop/migrations/1.sql", ""),
            ("shop/readme.md", ""),
            ("loose.rs", ""),
        ]);
        let paths: Vec<_> = workspace.files.iter().map(|file| (file.path.as_str(), file.kind, file.krate)).collect();
        assert_eq!(
            paths,
            [
                ("loose.rs", FileKind::Rust(Target::Main), None),
                ("shop/migrations/1.sql", FileKind::Sql, Some(0)),
                ("shop/src/lib.rs", FileKind::Rust(Target::Main), Some(0)),
                ("shop/tests/it.rs", FileKind::Rust(Target::Test), Some(0)),
            ]
        );
        let shop = &workspace.crates[0];
        assert_eq!((shop.name.as_str(), shop.dir.as_str()), ("my_shop", "shop"));
        assert!(shop.has_lib && !shop.has_bin && shop.depends_on("sqlx"));
        assert_eq!(shop.dialects, [Dialect::MySql]);
        assert!(workspace.files.iter().enumerate().all(|(index, file)| file.id.0 as usize == index));
    }

    #[test]
    fn a_manifest_that_does_not_parse_is_a_notice() {
        let workspace = files(&[("Cargo.toml", "[package"), ("src/lib.rs", "")]);
        assert_eq!(workspace.notices.len(), 1);
        assert_eq!(workspace.notices[0].path, "Cargo.toml");
        assert_eq!(workspace.files.len(), 1);
    }
}
