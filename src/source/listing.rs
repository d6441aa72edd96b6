//! What a directory holds, as far as a walk cares: both for the walk itself and for asking later whether it is the same.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::stamp::{Digest, Kind};
use super::walk::Language;

/// One directory's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Of the names and kinds of entries that can matter to a walk.
    pub digest: Digest,
    /// How many there are, those included that cannot.
    pub entries: u64,
}

/// The directories that one walk has entered; it meets entries in the order of their names.
pub(super) struct Listings {
    /// From the top down to where the walk is; `None` when nobody will ask.
    open: Option<Vec<(PathBuf, Listing)>>,
    done: Vec<(PathBuf, Listed)>,
}

#[derive(Default)]
struct Listing {
    hasher: blake3::Hasher,
    entries: u64,
}

impl Listings {
    pub(super) fn new(kept: bool) -> Self {
        Self { open: kept.then(Vec::new), done: Vec::new() }
    }

    /// Takes note of an entry of the directory entered last, or of one above it.
    pub(super) fn entry(&mut self, path: &Path, depth: usize, kind: fs::FileType) {
        self.leave(depth);
        if let Some((_, listing)) = self.open.as_mut().and_then(|open| open.last_mut()) {
            listing.add(path.file_name().unwrap_or_default(), Kind::of_type(kind));
        }
    }

    /// Goes down into the directory that was met last.
    pub(super) fn enter(&mut self, path: &Path, depth: usize) {
        self.leave(depth);
        if let Some(open) = &mut self.open {
            open.push((path.to_owned(), Listing::default()));
        }
    }

    pub(super) fn finished(mut self) -> Vec<(PathBuf, Listed)> {
        self.leave(0);
        self.done
    }

    fn leave(&mut self, depth: usize) {
        let Some(open) = &mut self.open else { return };
        while open.len() > depth {
            let Some((path, listing)) = open.pop() else { return };
            self.done.push((path, listing.listed()));
        }
    }
}

impl Listing {
    fn add(&mut self, name: &OsStr, kind: Kind) {
        self.entries += 1;
        if !matters(name, kind) {
            return;
        }
        let name = name.as_encoded_bytes();
        self.hasher.update(&(name.len() as u64).to_le_bytes());
        self.hasher.update(name);
        self.hasher.update(&[kind as u8]);
    }

    fn listed(&self) -> Listed {
        Listed { digest: Digest(*self.hasher.finalize().as_bytes()), entries: self.entries }
    }
}

/// Lists a directory as a walk would.
pub fn list(dir: &Path) -> io::Result<Listed> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        found.push((entry.file_name(), Kind::of_type(entry.file_type()?)));
    }
    found.sort();
    let mut listing = Listing::default();
    found.iter().for_each(|(name, kind)| listing.add(name, *kind));
    Ok(listing.listed())
}

/// Hidden entries are left out by their name, whatever they are; where one is looked for it is asked for by name.
fn matters(name: &OsStr, kind: Kind) -> bool {
    let hidden = name.as_encoded_bytes().starts_with(b".");
    !hidden
        && (kind != Kind::File && kind != Kind::Special
            || name == "Cargo.toml"
            || Language::of(Path::new(name)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_walk_passes_over_is_counted_alone() {
        let dir = tempfile::tempdir().unwrap();
        let listed = || list(dir.path()).unwrap();
        let empty = listed();
        for name in ["notes.txt", ".hidden.rs", ".gitignore"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!((listed().digest, listed().entries), (empty.digest, 3));
        let mut seen = vec![empty.digest];
        for name in ["a.rs", "b.SQL", "Cargo.toml"] {
            fs::write(dir.path().join(name), "").unwrap();
            assert!(!seen.contains(&listed().digest), "{name}");
            seen.push(listed().digest);
        }
        fs::create_dir(dir.path().join("src")).unwrap();
        assert!(!seen.contains(&listed().digest));
        fs::remove_file(dir.path().join("a.rs")).unwrap();
        fs::create_dir(dir.path().join("a.rs")).unwrap();
        assert!(!seen.contains(&listed().digest));
    }
}
