//! A package that is nowhere on disk.

use racelint::lower::tree::Name;
use racelint::source::{Crate, Dependency, FileKind, SourceFile, Target, Workspace};
use racelint::span::FileId;

/// A package `story` that depends on `packages`, from its files in the order of their paths.
pub fn package(files: &[(&str, &str)], packages: &[&str]) -> Workspace {
    let dependency = |name: &&str| Dependency {
        name: Name::new(*name),
        package: Name::new(*name),
        features: Vec::new(),
        optional: false,
    };
    let file = |(id, (path, text)): (usize, &(&str, &str))| SourceFile {
        id: FileId(id as u32),
        path: (*path).to_owned(),
        text: (*text).into(),
        kind: if path.ends_with(".sql") { FileKind::Sql } else { FileKind::Rust(Target::Main) },
        krate: Some(0),
    };
    let krate = Crate {
        name: Name::new("story"),
        dependencies: packages.iter().map(dependency).collect(),
        has_lib: true,
        ..Crate::default()
    };
    Workspace { files: files.iter().enumerate().map(file).collect(), crates: vec![krate], ..Workspace::default() }
}
