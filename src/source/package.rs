//! Manifests to packages: which one a file belongs to, and which of its targets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::engine;
use super::manifest::Manifest;
use super::place::{Place, shown, upward};
use super::{Crate, Target};
use crate::lower::tree::Name;
use crate::notice::Notice;

/// The packages of one run, by directory.
#[derive(Default)]
pub(super) struct Packages {
    pub(super) crates: Vec<Crate>,
    /// Parallel to `crates`.
    targets: Vec<Targets>,
    by_dir: BTreeMap<PathBuf, usize>,
    pub(super) notices: Vec<Notice>,
}

/// Where the targets of one package are.
pub(super) struct Targets {
    dir: PathBuf,
    /// Paths below `dir`, of files and of directories.
    explicit: Vec<(PathBuf, Target)>,
    build_script: Option<PathBuf>,
}

impl Packages {
    /// Reads the manifests of `dirs` and of the directories above them up to the boundary.
    pub(super) fn read<'d>(dirs: impl Iterator<Item = &'d Path>, place: &Place, disk: &Disk) -> Self {
        let mut packages = Self::default();
        let mut manifests = BTreeMap::new();
        for dir in dirs {
            for dir in upward(dir, place.boundary(dir)) {
                if manifests.contains_key(dir) {
                    break;
                }
                let manifest = Manifest::read(dir, disk).unwrap_or_else(|(kind, text)| {
                    let path = place.shown(&dir.join("Cargo.toml"));
                    packages.notices.push(Notice { path, span: None, kind, text });
                    None
                });
                manifests.insert(dir.to_owned(), manifest);
            }
        }
        let found: BTreeMap<_, _> =
            manifests.into_iter().filter_map(|(dir, manifest)| Some((dir, manifest?))).collect();
        for manifest in found.values().filter(|manifest| manifest.is_package()) {
            packages.add(manifest, &found, place, disk);
        }
        name_libraries(&mut packages.crates, found.values());
        packages
    }

    /// The package whose directory is the nearest above the file.
    pub(super) fn of(&self, file: &Path) -> Option<usize> {
        file.ancestors().skip(1).find_map(|dir| self.by_dir.get(dir).copied())
    }

    /// Which target a Rust file belongs to; without a package by the first directory below `top`.
    pub(super) fn target(&self, file: &Path, krate: Option<usize>, top: &Path) -> Target {
        match krate.and_then(|krate| self.targets.get(krate)) {
            Some(targets) => targets.of(file),
            None => file.strip_prefix(top).map_or(Target::Main, by_directory),
        }
    }

    fn add(&mut self, manifest: &Manifest, all: &BTreeMap<PathBuf, Manifest>, place: &Place, disk: &Disk) {
        let dir = &manifest.dir;
        let boundary = place.boundary(dir);
        let above = upward(dir, boundary).filter_map(|dir| all.get(dir));
        let workspace = above.into_iter().find(|manifest| manifest.is_workspace());
        let dependencies = manifest.dependencies(workspace);
        let relative = dir.strip_prefix(&place.root).unwrap_or(Path::new(""));
        let Some(name) = manifest.crate_name() else { return };
        self.by_dir.insert(dir.clone(), self.crates.len());
        self.crates.push(Crate {
            name,
            dir: shown(relative),
            has_lib: manifest.has("lib") || disk.is_file(&dir.join("src/lib.rs")),
            has_bin: manifest.has("bin") || disk.is_file(&dir.join("src/main.rs")) || disk.is_dir(&dir.join("src/bin")),
            library: manifest.library_path().map(str::to_owned),
            programs: manifest.target_paths("bin").map(str::to_owned).collect(),
            dialects: engine::dialects(manifest, &dependencies, boundary, disk),
            choosing: engine::choosing_features(manifest, &dependencies),
            dependencies,
            features: manifest.default_features(),
        });
        self.targets.push(Targets::of_manifest(manifest));
    }

    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }
}

/// Code names a package by its library, which a manifest may call otherwise: so do its dependents from here on.
pub(super) fn name_libraries<'m>(crates: &mut [Crate], manifests: impl Iterator<Item = &'m Manifest>) {
    let renamed: BTreeMap<Name, Name> = manifests
        .filter_map(|manifest| Some((manifest.package_name()?, manifest.crate_name()?)))
        .filter(|(package, library)| package != library)
        .collect();
    for dependency in crates.iter_mut().flat_map(|krate| &mut krate.dependencies) {
        let Some(library) = renamed.get(&dependency.package) else { continue };
        if dependency.name == dependency.package {
            dependency.name = library.clone();
        }
        dependency.package = library.clone();
    }
}

impl Targets {
    pub(super) fn of_manifest(manifest: &Manifest) -> Self {
        let dir = manifest.dir.clone();
        let kinds =
            [("test", Target::Test), ("example", Target::Example), ("bench", Target::Bench), ("bin", Target::Main)];
        let mut explicit = Vec::new();
        for (key, target) in kinds {
            for path in manifest.target_paths(key).map(PathBuf::from) {
                // The modules of a target with a directory of its own stand beside its main.rs or mod.rs.
                let of_its_own = path.file_name().is_some_and(|name| name == "main.rs" || name == "mod.rs");
                let own = of_its_own.then(|| path.parent()).flatten();
                if let Some(own) = own.filter(|own| !own.as_os_str().is_empty() && *own != Path::new("src")) {
                    explicit.push((own.to_owned(), target));
                }
                explicit.push((path, target));
            }
        }
        let build_script =
            (!manifest.has_no_build_script()).then(|| manifest.package("build").unwrap_or("build.rs").into());
        Self { dir, explicit, build_script }
    }

    pub(super) fn of(&self, file: &Path) -> Target {
        let Ok(relative) = file.strip_prefix(&self.dir) else { return Target::Main };
        if self.build_script.as_deref() == Some(relative) {
            return Target::BuildScript;
        }
        let explicit = self.explicit.iter().filter(|(path, _)| relative.starts_with(path));
        let nearest = explicit.max_by_key(|(path, _)| path.as_os_str().len());
        nearest.map_or_else(|| by_directory(relative), |&(_, target)| target)
    }
}

/// Cargo's own layout: <https://doc.rust-lang.org/cargo/guide/project-layout.html>.
pub(super) fn by_directory(relative: &Path) -> Target {
    let mut names = relative.iter();
    match names.next().and_then(|name| name.to_str()) {
        Some("tests") => Target::Test,
        Some("examples") => Target::Example,
        Some("benches") => Target::Bench,
        Some("build.rs") if names.next().is_none() => Target::BuildScript,
        _ => Target::Main,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_follow_the_manifest_then_the_layout() {
        let text = "[package]\nname = 'a'\nbuild = 'make.rs'\n[[test]]\nname = 't'\npath = 'src/check.rs'\n\
                    [[test]]\nname = 'it'\npath = 'it/main.rs'\n[[test]]\nname = 'in'\npath = 'src/checks/mod.rs'\n[[bin]]\nname = 'b'\npath = 'examples/b.rs'";
        let targets = Targets::of_manifest(&Manifest::parse(Path::new("/a"), text).unwrap());
        for (path, target) in [
            ("/a/src/lib.rs", Target::Main),
            ("/a/src/tests/x.rs", Target::Main),
            ("/a/tests/x/y.rs", Target::Test),
            ("/a/examples/x.rs", Target::Example),
            ("/a/examples/b.rs", Target::Main),
            ("/a/benches/x.rs", Target::Bench),
            ("/a/make.rs", Target::BuildScript),
            ("/a/src/check.rs", Target::Test),
            ("/a/it/helper.rs", Target::Test),
            ("/a/src/checks/shop.rs", Target::Test),
            ("/elsewhere/x.rs", Target::Main),
        ] {
            assert_eq!(targets.of(Path::new(path)), target, "{path}");
        }
    }
}
