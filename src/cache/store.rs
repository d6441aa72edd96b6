//! The files of the cache: one for each kind of run, written whole or not at all, and never too many.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::entry::SIZE_LIMIT;
use crate::source;
use crate::source::stamp::Digest;

/// Entries above these are taken out, the oldest first.
const MAX_ENTRIES: usize = 64;
const MAX_BYTES: u64 = 256 << 20;

/// What is still being written after this long was left behind by a run that ended.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

const ENTRY: &str = "run";
const UNFINISHED: &str = "part";

/// <https://bford.info/cachedir>: programs that save or search directories pass it over.
const TAG: (&str, &str) = (
    "CACHEDIR.TAG",
    "Signature: 8a477f597d28d172789f06886806bc55\n# What racelint found out; it may be deleted at any time.\n",
);

pub struct Store {
    dir: PathBuf,
    entry: PathBuf,
}

impl Store {
    /// Makes the directory when it is not there.
    pub fn open(dir: PathBuf, key: Digest) -> Option<Self> {
        make(&dir).ok()?;
        Some(Self::at(dir, key))
    }

    /// The place of another entry.
    pub fn beside(&self, key: Digest) -> Self {
        Self::at(self.dir.clone(), key)
    }

    fn at(dir: PathBuf, key: Digest) -> Self {
        let name: String = key.0.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let entry = dir.join(name).with_extension(ENTRY);
        Self { dir, entry }
    }

    /// The bytes of the entry, unless they are too many.
    pub fn read(&self) -> Option<Vec<u8>> {
        source::bytes(&self.entry, SIZE_LIMIT).ok()
    }

    /// Puts an entry in the place of the one that is there, if it can be done.
    pub fn write(&self, bytes: &[u8]) {
        if bytes.len() as u64 > SIZE_LIMIT {
            return;
        }
        let since = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos());
        let beside = self.entry.with_extension(format!("{}-{since}.{UNFINISHED}", std::process::id()));
        let written = new(&beside, bytes).and_then(|()| fs::rename(&beside, &self.entry));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        let _ = new(&self.dir.join(TAG.0), TAG.1.as_bytes());
        // Whatever cannot be taken out stays.
        let _ = self.prune(SystemTime::now());
    }

    fn prune(&self, now: SystemTime) -> io::Result<()> {
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.dir)? {
            let file = file?;
            let (path, metadata) = (file.path(), file.metadata()?);
            let modified = metadata.modified()?;
            let has_ending = |ending| is_ours(&path) && path.extension().is_some_and(|found| found == ending);
            if has_ending(UNFINISHED) && now.duration_since(modified).is_ok_and(|age| age > LEFT_BEHIND) {
                fs::remove_file(&path)?;
            } else if has_ending(ENTRY) {
                entries.push((modified, metadata.len(), path));
            }
        }
        entries.sort();
        let mut bytes = 0;
        for (index, (_, size, path)) in entries.iter().rev().enumerate() {
            bytes += size;
            if index >= MAX_ENTRIES || bytes > MAX_BYTES {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Entries quote the sources, which are the user's own.
fn make(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Writes a file that is not there yet, and follows no link. It is not forced to the disk: a digest tells what is whole.
fn new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes)
}

/// Whether a file was named here: nobody else's is taken out, whatever directory was given.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    name.split('.').next().is_some_and(|stem| stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_newest_entries_stay_and_what_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("a/b");
        fs::create_dir_all(&cache).unwrap();
        fs::write(cache.join("notes.run"), "").unwrap();
        for number in 0..MAX_ENTRIES + 3 {
            let store = Store::open(cache.clone(), key(number)).unwrap();
            store.write(&[1]);
            let file = OpenOptions::new().write(true).open(&store.entry).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64)).unwrap();
        }
        let store = Store::open(cache.clone(), key(0)).unwrap();
        assert_eq!(store.read(), None);
        store.write(&[2, 3]);
        assert_eq!(store.read(), Some(vec![2, 3]));
        let names = names(&cache);
        assert_eq!(names.len(), MAX_ENTRIES + 2, "{names:?}");
        assert!(names.contains(&"notes.run".to_owned()) && names.contains(&TAG.0.to_owned()));
    }

    #[test]
    fn what_a_killed_run_left_behind_goes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().to_owned(), key(0)).unwrap();
        let beside = store.entry.with_extension("1-2.part");
        fs::write(&beside, "").unwrap();
        store.write(&[1]);
        assert!(beside.exists());
        store.prune(SystemTime::now() + LEFT_BEHIND * 2).unwrap();
        assert!(!beside.exists() && store.read().is_some());
    }

    #[test]
    fn a_place_that_takes_no_files_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Store::open(file.join("cache"), key(0)).is_none());
        let store = Store::open(dir.path().join("cache"), key(0)).unwrap();
        fs::remove_dir(dir.path().join("cache")).unwrap();
        store.write(&[1]);
        assert_eq!(store.read(), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_an_entry_is_neither_read_nor_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        fs::write(&target, "old").unwrap();
        let store = Store::open(dir.path().join("cache"), key(0)).unwrap();
        std::os::unix::fs::symlink(&target, &store.entry).unwrap();
        assert_eq!(store.read(), None);
        store.write(&[1]);
        assert_eq!((fs::read(&target).unwrap(), store.read()), (b"old".to_vec(), Some(vec![1])));
    }
}
