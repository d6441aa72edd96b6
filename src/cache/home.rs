//! Where the cache is when nobody says: in the directory that the system has for such files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::source::Place;

const NAME: &str = "racelint";

/// The user's cache directory, by the variables that name it; `None` when they do not.
///
/// XDG Base Directory Specification 0.8: `$XDG_CACHE_HOME` when it is absolute, else `$HOME/.cache`. On macOS
/// `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.
pub fn directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
    };
    Some(own?.join(NAME))
}

/// Whether a directory, which need not be there yet, lies in what is looked at, or in the repository that holds it.
pub fn is_within(dir: &Path, place: &Place) -> bool {
    let Some(dir) = canonical(dir) else { return true };
    place.given.iter().any(|given| dir.starts_with(&given.path) || dir.starts_with(&given.boundary))
}

fn canonical(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find_map(|above| {
        let rest = dir.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn variables_name_the_directory() {
        let with = |set: &[(&str, &str)]| {
            directory(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        assert_eq!(with(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]), Some("/c/racelint".into()));
        assert_eq!(with(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]), Some("/h/.cache/racelint".into()));
        assert_eq!(with(&[("XDG_CACHE_HOME", ""), ("HOME", "")]), None);
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn a_directory_in_the_tree_is_told_from_one_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir_all(tree.join(".git")).unwrap();
        std::fs::create_dir(tree.join("src")).unwrap();
        let place = source::place(&[tree.join("src")]).unwrap();
        assert!(is_within(&tree.join("src/cache/racelint"), &place) && is_within(&tree.join(".cache"), &place));
        assert!(!is_within(&dir.path().join("cache/racelint"), &place));
    }
}
