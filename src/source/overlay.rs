//! A [`Workspace`] in which some files have another text: an editor's, or that of an earlier commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::walk::Language;
use super::{Crate, FileKind, SourceFile, Workspace, package};
use crate::span::FileId;

/// Puts texts in place of those that were read. The disk is not looked at.
///
/// `None` takes a file out; a path that is not there yet is added when it is Rust or SQL, to the package whose
/// directory holds it. What was said of these files is said no more.
pub fn overlay(workspace: &Workspace, texts: &BTreeMap<String, Option<Arc<str>>>) -> Workspace {
    let mut files: Vec<SourceFile> = Vec::with_capacity(workspace.files.len());
    for file in &workspace.files {
        match texts.get(&file.path) {
            None => files.push(file.clone()),
            Some(Some(text)) => files.push(SourceFile { text: text.clone(), ..file.clone() }),
            Some(None) => {}
        }
    }
    let is_there = |path: &str| workspace.files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok();
    for (path, text) in texts.iter().filter(|(path, _)| !is_there(path)) {
        files.extend(text.clone().and_then(|text| added(path, text, &workspace.crates)));
    }
    files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    (0..).zip(&mut files).for_each(|(id, file)| file.id = FileId(id));
    let notices = workspace.notices.iter().filter(|notice| !texts.contains_key(&notice.path));
    let notices = notices.map(|notice| crate::notice::Notice { span: None, ..notice.clone() }).collect();
    let (root, asked) = (workspace.root.clone(), workspace.asked.clone());
    Workspace { root, asked, files, crates: workspace.crates.clone(), notices }
}

fn added(path: &str, text: Arc<str>, crates: &[Crate]) -> Option<SourceFile> {
    let language = Language::of(Path::new(path))?;
    let holds = |krate: &Crate| Path::new(path).starts_with(&krate.dir);
    let holding = crates.iter().enumerate().filter(|(_, krate)| holds(krate));
    let nearest = holding.max_by_key(|(_, krate)| krate.dir.len());
    let below = nearest.and_then(|(_, krate)| Path::new(path).strip_prefix(&krate.dir).ok());
    let kind = match language {
        Language::Sql => FileKind::Sql,
        Language::Rust => FileKind::Rust(package::by_directory(below.unwrap_or(Path::new(path)))),
    };
    let krate = nearest.map(|(index, _)| index);
    Some(SourceFile { id: FileId(0), path: path.to_owned(), text, kind, krate })
}

#[cfg(test)]
mod tests {
    use super::super::{Target, memory};
    use super::*;

    #[test]
    fn files_are_replaced_added_and_taken_out() {
        let files = [("Cargo.toml", "[package]\nname = 'a'"), ("src/a.rs", "old"), ("src/b.rs", ""), ("z.sql", "")];
        let workspace = memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
        let texts = [
            ("src/a.rs", Some("new")),
            ("src/b.rs", None),
            ("src/gone.rs", None),
            ("tests/x.rs", Some("")),
            ("a.txt", Some("")),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text.map(Arc::from))).into_iter().collect();
        let other = overlay(&workspace, &texts);
        let seen: Vec<_> = other.files.iter().map(|file| (file.path.as_str(), &*file.text, file.kind)).collect();
        let (main, test) = (FileKind::Rust(Target::Main), FileKind::Rust(Target::Test));
        assert_eq!(seen, [("src/a.rs", "new", main), ("tests/x.rs", "", test), ("z.sql", "", FileKind::Sql)]);
        assert!(other.files.iter().enumerate().all(|(index, file)| file.id.0 as usize == index));
        assert_eq!(other.files[1].krate, Some(0));
    }
}
