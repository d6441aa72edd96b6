//! What the file system says of a file beside its content, and how the content is told apart.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Two changes within this may leave the same time; FAT keeps even seconds, the coarsest of those in use.
const GRAIN: i64 = 3;

/// A moment, as seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment(i64, u32);

/// What changes when a file or directory does, as far as a file system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    modified: Moment,
    /// When the content or what is known of it changed, which no program can set back; where there is no such time,
    /// when it was made.
    changed: Moment,
    inode: u64,
}

/// BLAKE3 of some bytes: what has the same digest is the same, also when someone wishes it were not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    Absent,
    File,
    Directory,
    Link,
    /// A FIFO, device or socket.
    Special,
}

impl Moment {
    pub fn now() -> Self {
        Self::of(SystemTime::now())
    }

    pub fn of(time: SystemTime) -> Self {
        let seconds = |whole: u64| i64::try_from(whole).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(seconds(after.as_secs()), after.subsec_nanos()),
            // Counted down to the second, which is fine enough for a time before 1970.
            Err(before) => Self(-seconds(before.duration().as_secs()) - 1, 0),
        }
    }
}

impl Stamp {
    /// `None` where the file system keeps no times.
    pub fn of(metadata: &Metadata) -> Option<Self> {
        let modified = Moment::of(metadata.modified().ok()?);
        let (changed, inode) = beside(metadata);
        Some(Self { size: metadata.len(), modified, changed: changed.unwrap_or(modified), inode })
    }

    /// The stamp of what stands at a path, a link not followed.
    pub fn at(path: &Path) -> Option<Self> {
        Self::of(&fs::symlink_metadata(path).ok()?)
    }

    /// Whether a change after `moment` must show: not when the last one was so near that its time would be the same.
    pub fn is_settled(&self, moment: Moment) -> bool {
        self.modified.max(self.changed).0.saturating_add(GRAIN) < moment.0
    }
}

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Absent, Self::File, Self::Directory, Self::Link, Self::Special];

    /// `None` when the file system does not say.
    pub(super) fn of(found: &io::Result<Metadata>) -> Option<Self> {
        match found {
            Ok(metadata) => Some(Self::of_type(metadata.file_type())),
            Err(cause) => Self::is_absent(cause).then_some(Self::Absent),
        }
    }

    pub(super) fn of_type(kind: fs::FileType) -> Self {
        match kind {
            kind if kind.is_file() => Self::File,
            kind if kind.is_dir() => Self::Directory,
            kind if kind.is_symlink() => Self::Link,
            _ => Self::Special,
        }
    }

    /// Whether an error says that nothing stands at the path, or that a file stands where a directory would have to.
    pub(super) fn is_absent(cause: &io::Error) -> bool {
        matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    }

    /// In the words of a notice, when it is nothing that is read.
    pub(super) fn what(self) -> Option<&'static str> {
        match self {
            Self::Absent | Self::File => None,
            Self::Directory => Some("a directory"),
            Self::Link => Some("a symbolic link"),
            Self::Special => Some("a FIFO, device or socket"),
        }
    }
}

#[cfg(unix)]
fn beside(metadata: &Metadata) -> (Option<Moment>, u64) {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
    (Some(Moment(metadata.ctime(), nanoseconds)), metadata.ino())
}

#[cfg(not(unix))]
fn beside(metadata: &Metadata) -> (Option<Moment>, u64) {
    (metadata.created().ok().map(Moment::of), 0)
}
