//! Paths to a [`Workspace`].

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::overrides::Override;
use rayon::prelude::*;

use super::disk::Disk;
use super::open::{self, Refused};
use super::package::Packages;
use super::place::{Place, place, upward};
use super::walk::{Language, Walk};
use super::{FileKind, SourceFile, Workspace};
use crate::notice::Notice;
use crate::span::FileId;

/// The largest file that is read when nothing else is said, in bytes. A tree takes some 300 bytes for each of them.
pub const SIZE_LIMIT: u64 = 1 << 20;

/// The largest size that may be asked for, in bytes.
pub const HARD_LIMIT: u64 = 4 << 20;

/// How the disk is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// In bytes; what is above [`HARD_LIMIT`] counts as that.
    pub max_file_size: u64,
    /// The configuration's `include` and `exclude`. Files that are given by name are read all the same.
    pub selection: Option<Override>,
    /// SQL files that are read besides those found, absolute; those outside of the boundary are refused.
    pub schema: Vec<PathBuf>,
}

/// Why nothing could be read at all.
#[derive(Debug)]
pub enum Error {
    /// A path that was asked for, as it was written.
    Path {
        path: PathBuf,
        cause: Refused,
    },
    /// A file that was asked for by name, and is neither Rust nor SQL.
    NotSource {
        path: PathBuf,
    },
    CurrentDirectory(io::Error),
}

impl Default for Options {
    fn default() -> Self {
        Self { max_file_size: SIZE_LIMIT, selection: None, schema: Vec::new() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, cause: Refused::Io(cause) } => {
                write!(out, "{}: {}", super::shown(path), open::cause_of(cause))
            }
            Self::Path { path, cause } => write!(out, "{}: {cause}", super::shown(path)),
            Self::NotSource { path } => write!(out, "{}: neither a Rust nor an SQL file", super::shown(path)),
            Self::CurrentDirectory(cause) => {
                write!(out, "the current directory cannot be read: {}", open::cause_of(cause))
            }
        }
    }
}

impl std::error::Error for Error {}

/// Reads every Rust and SQL file below `paths`, and what Cargo.toml says of the packages that hold them.
///
/// Files are read once however often they are reached, and stand sorted by the bytes of their shown paths. What could
/// not be read is among the notices. Fails only when a given path is not there, cannot be opened, or is no source file.
pub fn read(paths: &[PathBuf], options: &Options) -> Result<Workspace, Error> {
    attentively(&place(paths)?, paths, options, &Disk::default())
}

/// The same for paths that were looked up as `place`, with a disk that may keep what it is asked.
pub fn attentively(place: &Place, paths: &[PathBuf], options: &Options, disk: &Disk) -> Result<Workspace, Error> {
    let mut walk = Walk::new(place, disk, options.selection.as_ref());
    let mut dirs = BTreeSet::new();
    for (given, written) in place.given.iter().zip(paths) {
        dirs.insert(given.dir().to_owned());
        if !given.is_file {
            walk.below(given);
            continue;
        }
        let Some(language) = Language::of(&given.path) else {
            return Err(Error::NotSource { path: written.clone() });
        };
        walk.sources.insert(given.path.clone(), language);
    }
    migrations_above(place, &mut walk, disk);
    schema(place, options, &mut walk, disk);

    dirs.extend(walk.manifests.iter().filter_map(|manifest| manifest.parent()).map(Path::to_owned));
    let mut packages = Packages::read(dirs.iter().map(PathBuf::as_path), place, disk);
    let mut notices = std::mem::take(&mut walk.notices);
    notices.append(&mut packages.take_notices());

    let limit = options.max_file_size.min(HARD_LIMIT);
    let read: Vec<_> = walk.sources.par_iter().map(|(path, _)| disk.text(path, limit)).collect();
    let mut files = Vec::new();
    for ((path, language), text) in walk.sources.iter().zip(read) {
        match text {
            Ok(text) => files.push(file(path, *language, text, &packages, place)),
            Err(refused) => {
                let (path, kind, text) = (place.shown(path), refused.kind(), refused.to_string());
                notices.push(Notice { path, span: None, kind, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    (0..).zip(&mut files).for_each(|(id, file)| file.id = FileId(id));
    notices.sort();
    notices.dedup();
    let mut crates = packages.crates;
    super::engine::by_tables(&mut crates, &files);
    let asked = place.given.iter().filter(|given| !given.is_file && given.path.starts_with(&place.root));
    let asked = asked.map(|given| place.shown(&given.path)).collect();
    Ok(Workspace { root: place.root.clone(), asked, files, crates, notices })
}

fn file(path: &Path, language: Language, text: String, packages: &Packages, place: &Place) -> SourceFile {
    let krate = packages.of(path);
    let given = place.given.iter().map(|given| given.dir()).find(|dir| path.starts_with(dir));
    let kind = match language {
        Language::Sql => FileKind::Sql,
        Language::Rust => FileKind::Rust(packages.target(path, krate, given.unwrap_or(&place.root))),
    };
    SourceFile { id: FileId(0), path: place.shown(path), text: Arc::from(text), kind, krate }
}

/// A given path inside a package is judged by the package's tables, whose `migrations` may stand above it.
fn migrations_above(place: &Place, walk: &mut Walk<'_>, disk: &Disk) {
    let mut seen = BTreeSet::new();
    for given in &place.given {
        let above = upward(given.dir(), &given.boundary).skip(usize::from(!given.is_file));
        for dir in above.filter(|dir| dir.starts_with(&place.root) && disk.is_file(&dir.join("Cargo.toml"))) {
            let migrations = dir.join("migrations");
            if disk.is_own_dir(&migrations) && seen.insert(migrations.clone()) {
                walk.schema_below(&migrations, &given.boundary);
            }
        }
    }
}

/// The configuration comes from the tree, so that it may name only what lies inside of it.
fn schema(place: &Place, options: &Options, walk: &mut Walk<'_>, disk: &Disk) {
    for path in &options.schema {
        let canonical = match disk.canonicalize(path) {
            Ok(canonical) => canonical,
            Err(cause) => {
                let refused = Refused::Io(cause);
                walk.notice(path, refused.kind(), format!("the schema file {refused}"));
                continue;
            }
        };
        if !canonical.starts_with(place.boundary(path)) || !canonical.starts_with(&place.root) {
            let text = "the schema file lies outside of the project and is not read".to_owned();
            walk.notice(path, crate::notice::NoticeKind::OutsideRoot, text);
            continue;
        }
        walk.sources.insert(canonical, Language::Sql);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::notice::NoticeKind;
    use crate::source::Target;

    /// A temporary tree; a name that ends with `/` is a directory.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if path.to_string_lossy().ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::write(path, text).unwrap();
            }
        }
        dir
    }

    fn all(dir: &Path) -> Workspace {
        read(&[dir.to_owned()], &Options::default()).unwrap()
    }

    fn paths(workspace: &Workspace) -> Vec<&str> {
        workspace.files.iter().map(|file| file.path.as_str()).collect()
    }

    fn notices(workspace: &Workspace) -> Vec<(&str, NoticeKind)> {
        workspace.notices.iter().map(|notice| (notice.path.as_str(), notice.kind)).collect()
    }

    #[test]
    fn ignored_hidden_and_built_files_are_left_out() {
        let dir = tree(&[
            ("Cargo.toml", "[package]\nname = 'a'"),
            (".git/info/exclude", "secret.rs"),
            (".gitignore", "/gen\n*.tmp.rs"),
            ("src/lib.rs", ""),
            ("src/secret.rs", ""),
            ("src/x.tmp.rs", ""),
            ("src/keep/.gitignore", "!*.tmp.rs"),
            ("src/keep/y.tmp.rs", ""),
            ("src/.hidden.rs", ""),
            ("gen/z.rs", ""),
            ("target/debug/build.rs", ""),
            ("src/target/mod.rs", ""),
            ("node_modules/n.rs", ""),
            ("vendor/v.rs", ""),
            ("migrations/1.sql", ""),
            ("tests/t.rs", ""),
        ]);
        let found = all(dir.path());
        assert_eq!(
            paths(&found),
            ["migrations/1.sql", "src/keep/y.tmp.rs", "src/lib.rs", "src/target/mod.rs", "tests/t.rs", "vendor/v.rs"]
        );
        assert_eq!(notices(&found), []);
        assert_eq!(found.files[4].kind, FileKind::Rust(Target::Test));
        assert!(found.files.iter().zip(0..).all(|(file, id)| file.id == FileId(id) && file.krate == Some(0)));
    }

    #[test]
    fn a_directory_that_was_asked_for_holds_no_tests_by_its_name() {
        let dir = tree(&[("inn-e2e/Cargo.toml", "[package]\nname = 'inn'"), ("inn-e2e/src/lib.rs", ""), ("a.rs", "")]);
        let support = |paths: &[&str]| {
            let given: Vec<_> = paths.iter().map(|path| dir.path().join(path)).collect();
            let found = read(&given, &Options::default()).unwrap();
            crate::flow::stand_in::files(&found).len()
        };
        assert_eq!([support(&["inn-e2e"]), support(&["inn-e2e", "a.rs"]), support(&["inn-e2e", "."])], [0, 0, 0]);
        assert_eq!([support(&["."]), support(&["inn-e2e/src/lib.rs", "."])], [1, 1]);
    }

    #[test]
    fn what_is_asked_for_by_name_is_read_once_though_ignored() {
        let dir = tree(&[(".git/", ""), (".gitignore", "/gen"), ("gen/z.rs", ""), ("a.rs", ""), (".b.rs", "")]);
        let given = ["", "gen", "gen/z.rs", "a.rs", ".b.rs"].map(|path| dir.path().join(path));
        assert_eq!(paths(&read(&given, &Options::default()).unwrap()), [".b.rs", "a.rs", "gen/z.rs"]);
    }

    #[test]
    fn packages_know_their_engine_and_their_files() {
        let dir = tree(&[
            (
                "Cargo.toml",
                "[workspace]\n[workspace.dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }",
            ),
            (".git/", ""),
            (".env", "DATABASE_URL=mysql://root:secret@localhost/shop"),
            ("shop/Cargo.toml", "[package]\nname = 'the-shop'\n[dependencies]\nsqlx.workspace = true"),
            ("shop/src/main.rs", ""),
            ("shop/migrations/1.sql", ""),
            ("tool/Cargo.toml", "[package"),
            ("tool/src/lib.rs", ""),
        ]);
        let found = all(dir.path());
        assert_eq!(found.crates.len(), 1);
        let shop = &found.crates[0];
        assert_eq!(
            (shop.name.as_str(), shop.dir.as_str(), shop.has_lib, shop.has_bin),
            ("the_shop", "shop", false, true)
        );
        assert_eq!(shop.dialects, [crate::dialect::Dialect::MySql, crate::dialect::Dialect::Postgres]);
        assert!(shop.depends_on("sqlx"));
        assert_eq!(found.files.iter().map(|file| file.krate).collect::<Vec<_>>(), [Some(0), Some(0), None]);
        assert_eq!(notices(&found), [("tool/Cargo.toml", NoticeKind::Syntax)]);
        assert!(!format!("{found:?}").contains("secret"));

        // Below the package, its manifest and migrations still count.
        let both = [dir.path().join("shop/src"), dir.path().join("tool")];
        let found = read(&both, &Options::default()).unwrap();
        assert_eq!(paths(&found), ["shop/migrations/1.sql", "shop/src/main.rs", "tool/src/lib.rs"]);
        assert_eq!(found.files[1].krate, Some(0));
    }

    #[test]
    fn files_are_read_up_to_the_limit() {
        let dir = tree(&[("a.rs", "123456"), ("b.rs", "12345"), ("c.rs", "")]);
        let options = Options { max_file_size: 5, ..Options::default() };
        let found = read(&[dir.path().to_owned()], &options).unwrap();
        assert_eq!(paths(&found), ["b.rs", "c.rs"]);
        assert_eq!(notices(&found), [("a.rs", NoticeKind::Limit)]);
    }

    #[test]
    fn what_is_not_utf_8_is_a_notice() {
        let dir = tree(&[("a.rs", "")]);
        fs::write(dir.path().join("b.rs"), b"\xfe\xff\0a").unwrap();
        fs::write(dir.path().join("c.sql"), b"\xe4").unwrap();
        let found = all(dir.path());
        assert_eq!(paths(&found), ["a.rs"]);
        assert_eq!(notices(&found), [("b.rs", NoticeKind::NotUtf8), ("c.sql", NoticeKind::NotUtf8)]);
        assert!(found.notices[0].text.contains("UTF-16"));
    }

    #[test]
    fn deep_directories_end_at_the_limit() {
        let dir = tree(&[]);
        let deep = |depth: usize| (0..depth).fold(dir.path().to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(deep(crate::source::walk::MAX_DEPTH)).unwrap();
        fs::write(deep(crate::source::walk::MAX_DEPTH - 1).join("in.rs"), "").unwrap();
        fs::write(deep(crate::source::walk::MAX_DEPTH).join("out.rs"), "").unwrap();
        let found = all(dir.path());
        assert_eq!(found.files.len(), 1);
        assert!(found.files[0].path.ends_with("in.rs"));
        assert_eq!(found.notices.len(), 1);
        assert_eq!(found.notices[0].kind, NoticeKind::Limit);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let outside = tree(&[("x.rs", "")]);
        let dir = tree(&[(".git/", ""), ("src/a.rs", "")]);
        let link = |to: &Path, at: &str| symlink(to, dir.path().join(at)).unwrap();
        link(outside.path(), "out");
        link(&outside.path().join("x.rs"), "out.rs");
        link(Path::new("src"), "inside");
        link(Path::new("."), "again");
        link(Path::new("two"), "one");
        link(Path::new("one"), "two");
        link(Path::new("nowhere"), "gone.rs");
        link(Path::new("nowhere"), "gone.txt");
        let found = all(dir.path());
        assert_eq!(paths(&found), ["src/a.rs"]);
        assert_eq!(
            notices(&found),
            [
                ("again", NoticeKind::Link),
                ("gone.rs", NoticeKind::Unreadable),
                ("one", NoticeKind::Unreadable),
                ("out", NoticeKind::OutsideRoot),
                ("out.rs", NoticeKind::OutsideRoot),
                ("two", NoticeKind::Unreadable),
            ]
        );
    }

    #[test]
    fn schema_files_of_the_configuration_stay_inside() {
        let outside = tree(&[("x.sql", "")]);
        let dir = tree(&[(".git/", ""), ("a.rs", ""), (".db/schema.sql", "")]);
        let schema = [".db/schema.sql", "none.sql"].map(|path| dir.path().join(path));
        let schema = schema.into_iter().chain([outside.path().join("x.sql")]).collect();
        let found = read(&[dir.path().to_owned()], &Options { schema, ..Options::default() }).unwrap();
        assert_eq!(paths(&found), [".db/schema.sql", "a.rs"]);
        let kinds: Vec<_> = found.notices.iter().map(|notice| notice.kind).collect();
        assert_eq!(kinds.len(), 2);
        assert!(kinds.contains(&NoticeKind::OutsideRoot) && kinds.contains(&NoticeKind::Unreadable));
    }

    #[test]
    fn paths_that_cannot_be_read_are_errors() {
        let dir = tree(&[("notes.txt", "")]);
        let error = |path: &str| read(&[dir.path().join(path)], &Options::default()).unwrap_err().to_string();
        assert!(error("none").ends_with("none: no such file or directory"), "{}", error("none"));
        assert!(error("notes.txt").ends_with("notes.txt: neither a Rust nor an SQL file"));
    }
}
