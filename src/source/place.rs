//! The paths that were asked for, the directory they are shown relative to, and how far up facts may be looked for.

use std::fs;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_encode_byte;

use super::open::{self, Refused};
use super::read::Error;

/// How many directories above a path are looked at.
const MAX_PARENTS: usize = 64;

/// A manifest is data, and no sensible one is longer (in bytes).
pub(super) const MANIFEST_LIMIT: u64 = 1 << 20;

/// What one run looks at.
#[derive(Clone, Debug)]
pub struct Place {
    /// Shown paths are relative to it: the current directory when all given paths lie in it, else the nearest directory
    /// that holds all of them and a Cargo.toml or a repository, else the nearest that holds all of them. Canonical.
    pub root: PathBuf,
    pub given: Vec<Given>,
}

/// One PATH of the command line.
#[derive(Clone, Debug)]
pub struct Given {
    /// Canonical.
    pub path: PathBuf,
    pub is_file: bool,
    /// The repository, or without one the Cargo workspace, that holds the path. Nothing outside of it is read for this
    /// path. Canonical.
    pub boundary: PathBuf,
}

impl Given {
    /// The path itself, or the directory that holds the file.
    pub fn dir(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if self.is_file => parent,
            _ => &self.path,
        }
    }

    /// The directory of the Cargo workspace that holds the path, or of its package when there is none.
    pub fn home(&self) -> Option<&Path> {
        let workspace = self.upward().find(|dir| is_workspace(&dir.join("Cargo.toml")));
        workspace.or_else(|| self.upward().find(|dir| dir.join("Cargo.toml").is_file()))
    }

    /// The directories from the path's own up to the boundary.
    pub fn upward(&self) -> impl Iterator<Item = &Path> {
        upward(self.dir(), &self.boundary)
    }
}

impl Place {
    /// The boundary of the deepest given path that holds `path`, or whose boundary does.
    pub(super) fn boundary(&self, path: &Path) -> &Path {
        let by_path = self.given.iter().filter(|given| path.starts_with(&given.path));
        let nearest = by_path.max_by_key(|given| given.path.as_os_str().len());
        let by_boundary = || self.given.iter().find(|given| path.starts_with(&given.boundary));
        nearest.or_else(by_boundary).map_or(&self.root, |given| &given.boundary)
    }

    /// A path as users see it: relative to the root with `/`, or as it is where it lies elsewhere.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).map_or_else(|_| shown(path), shown)
    }
}

/// Looks the paths up; fails with the first that is not there or cannot be opened.
pub fn place(paths: &[PathBuf]) -> Result<Place, Error> {
    let current = std::env::current_dir().and_then(fs::canonicalize).map_err(Error::CurrentDirectory)?;
    let given = paths.iter().map(|path| look_up(path)).collect::<Result<Vec<_>, _>>()?;
    let root = if given.iter().all(|given| given.dir().starts_with(&current)) { current } else { common(&given) };
    Ok(Place { root, given })
}

/// A relative path with `/`; bytes that are not UTF-8 become `%` and two hexadecimal digits.
pub fn shown(path: &Path) -> String {
    let absolute = path.has_root();
    let names = path.components().filter_map(|component| match component {
        Component::RootDir | Component::CurDir => None,
        Component::Prefix(prefix) => Some(encoded(prefix.as_os_str().as_encoded_bytes())),
        Component::ParentDir => Some("..".to_owned()),
        Component::Normal(name) => Some(encoded(name.as_encoded_bytes())),
    });
    let names = names.collect::<Vec<_>>().join("/");
    if absolute && !cfg!(windows) { format!("/{names}") } else { names }
}

/// `dir` and the directories above it, up to and with `boundary`.
pub(super) fn upward<'a>(dir: &'a Path, boundary: &'a Path) -> impl Iterator<Item = &'a Path> {
    dir.ancestors().take(MAX_PARENTS).take_while(move |above| above.starts_with(boundary))
}

fn encoded(name: &[u8]) -> String {
    name.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|&byte| percent_encode_byte(byte)));
        text
    })
}

fn look_up(path: &Path) -> Result<Given, Error> {
    let fail = |cause: Refused| Error::Path { path: path.to_owned(), cause };
    let canonical = fs::canonicalize(path).map_err(|cause| fail(Refused::Io(cause)))?;
    let metadata = fs::symlink_metadata(&canonical).map_err(|cause| fail(Refused::Io(cause)))?;
    if !metadata.is_dir() {
        if let Some(what) = open::irregular(&metadata) {
            return Err(fail(Refused::NotRegular(what)));
        }
        let dir = canonical.parent().unwrap_or(&canonical);
        return Ok(Given { boundary: boundary(dir), is_file: true, path: canonical });
    }
    fs::read_dir(&canonical).map_err(|cause| fail(Refused::Io(cause)))?;
    Ok(Given { boundary: boundary(&canonical), is_file: false, path: canonical })
}

/// The nearest directory with `.git`; else the nearest with a Cargo.toml that has `[workspace]`; else the nearest with a
/// Cargo.toml; else `dir`.
fn boundary(dir: &Path) -> PathBuf {
    let above = || dir.ancestors().take(MAX_PARENTS);
    let repository = above().find(|dir| fs::symlink_metadata(dir.join(".git")).is_ok());
    let workspace = || above().find(|dir| is_workspace(&dir.join("Cargo.toml")));
    let package = || above().find(|dir| dir.join("Cargo.toml").is_file());
    repository.or_else(workspace).or_else(package).unwrap_or(dir).to_owned()
}

fn is_workspace(manifest: &Path) -> bool {
    open::text(manifest, MANIFEST_LIMIT)
        .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("[workspace")))
}

fn common(given: &[Given]) -> PathBuf {
    let Some(first) = given.first() else { return PathBuf::new() };
    let holds_all = |dir: &&Path| given.iter().all(|given| given.path.starts_with(dir));
    let nearest = first.dir().ancestors().find(holds_all).unwrap_or(first.dir());
    let marked = |dir: &&Path| dir.join("Cargo.toml").is_file() || fs::symlink_metadata(dir.join(".git")).is_ok();
    let boundaries = given.iter().filter(|given| nearest.starts_with(&given.boundary));
    let limit = boundaries.map(|given| given.boundary.as_path()).max_by_key(|dir| dir.as_os_str().len());
    upward(nearest, limit.unwrap_or(nearest)).find(marked).unwrap_or(nearest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_paths_have_slashes() {
        assert_eq!(shown(Path::new("./a/b c%.rs")), "a/b c%.rs");
        assert_eq!(shown(Path::new("")), "");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf_8_are_encoded() {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"a\xff\xc3\xa4.rs");
        assert_eq!(shown(Path::new(name)), "a%FFä.rs");
        assert_eq!(shown(Path::new("/a/b")), "/a/b");
    }

    #[test]
    fn the_boundary_is_the_repository() {
        let dir = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir_all(top.join("crates/a/src")).unwrap();
        fs::write(top.join("Cargo.toml"), "[workspace]").unwrap();
        fs::write(top.join("crates/a/Cargo.toml"), "[package]\nname = 'a'").unwrap();
        assert_eq!(boundary(&top.join("crates/a/src")), top);
        fs::create_dir(top.join("crates/.git")).unwrap();
        assert_eq!(boundary(&top.join("crates/a/src")), top.join("crates"));
    }

    #[test]
    fn paths_outside_the_current_directory_have_a_root_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir_all(top.join("a/src")).unwrap();
        fs::create_dir_all(top.join("a/tests")).unwrap();
        assert_eq!(place(&[top.join("a/src")]).unwrap().root, top.join("a/src"));
        fs::write(top.join("a/Cargo.toml"), "[package]\nname = 'a'").unwrap();
        assert_eq!(place(&[top.join("a/src")]).unwrap().root, top.join("a"));
        let both = place(&[top.join("a/src"), top.join("a/tests")]).unwrap();
        assert_eq!(both.root, top.join("a"));
        assert_eq!(both.shown(&top.join("a/src/x.rs")), "src/x.rs");
    }
}
