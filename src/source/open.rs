//! The only place that opens files: regular ones, no links, never more bytes than a limit.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use crate::notice::NoticeKind;

/// Why a file was not read.
#[derive(Debug)]
pub enum Refused {
    /// A symbolic link, directory, FIFO, device or socket.
    NotRegular(&'static str),
    /// Sizes in bytes.
    TooLarge {
        size: u64,
        limit: u64,
    },
    /// The byte at which the text stops being UTF-8.
    NotUtf8 {
        at: usize,
        utf16: bool,
    },
    /// Another file took its place between the look and the open.
    Changed,
    Io(io::Error),
}

impl Refused {
    pub fn kind(&self) -> NoticeKind {
        match self {
            Self::NotRegular(_) | Self::Changed | Self::Io(_) => NoticeKind::Unreadable,
            Self::TooLarge { .. } => NoticeKind::Limit,
            Self::NotUtf8 { .. } => NoticeKind::NotUtf8,
        }
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(cause) if cause.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRegular(what) => write!(out, "not read, because it is {what} and not a regular file"),
            Self::TooLarge { size, limit } => {
                write!(out, "not read, because its {size} bytes are more than the limit of {limit} (--max-file-size)")
            }
            Self::NotUtf8 { utf16: true, .. } => write!(out, "not read, because it is UTF-16 and not UTF-8"),
            Self::NotUtf8 { at, .. } => write!(out, "not read, because it is not UTF-8 (byte {at})"),
            Self::Changed => write!(out, "not read, because it changed while it was opened"),
            Self::Io(cause) => write!(out, "could not be read: {}", cause_of(cause)),
        }
    }
}

/// The bytes of a regular file of at most `limit` bytes.
///
/// The size is asked before a byte is read, and the read is bounded as well, since a file can grow meanwhile. A link as
/// the last component is refused; the caller's path has been made canonical or comes from a walk that follows none.
pub fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Refused> {
    read(path, limit).map(|(bytes, _)| bytes)
}

/// The bytes of [`bytes`], and what the file system said of the file before they were read.
pub(super) fn read(path: &Path, limit: u64) -> Result<(Vec<u8>, Metadata), Refused> {
    let seen = fs::symlink_metadata(path).map_err(Refused::Io)?;
    if let Some(what) = irregular(&seen) {
        return Err(Refused::NotRegular(what));
    }
    if seen.len() > limit {
        return Err(Refused::TooLarge { size: seen.len(), limit });
    }
    let file = File::open(path).map_err(Refused::Io)?;
    let opened = file.metadata().map_err(Refused::Io)?;
    if !same(&seen, &opened) {
        return Err(Refused::Changed);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(seen.len()).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Refused::Io)?;
    match bytes.len() as u64 {
        size if size > limit => Err(Refused::TooLarge { size, limit }),
        _ => Ok((bytes, opened)),
    }
}

/// The text of a regular file of at most `limit` bytes, byte order mark and line ends as they are on disk.
pub fn text(path: &Path, limit: u64) -> Result<String, Refused> {
    decoded(bytes(path, limit)?)
}

pub(super) fn decoded(bytes: Vec<u8>) -> Result<String, Refused> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    String::from_utf8(bytes).map_err(|error| Refused::NotUtf8 { at: error.utf8_error().valid_up_to(), utf16 })
}

/// What a thing is when it is no regular file.
pub fn irregular(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a directory");
    }
    if kind.is_symlink() {
        return Some("a symbolic link");
    }
    Some("a FIFO, device or socket")
}

/// An error of the system in its own words, without the number that Rust adds.
pub fn cause_of(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or("").trim();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(unix)]
fn same(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    seen.dev() == opened.dev() && seen.ino() == opened.ino() && opened.is_file()
}

#[cfg(not(unix))]
fn same(_: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.rs");
        fs::write(&path, "12345").unwrap();
        assert_eq!(bytes(&path, 5).unwrap(), b"12345");
        assert!(matches!(bytes(&path, 4), Err(Refused::TooLarge { size: 5, limit: 4 })));
    }

    #[test]
    fn only_utf_8_is_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.rs");
        fs::write(&path, b"ab\xffcd").unwrap();
        assert!(matches!(text(&path, 10), Err(Refused::NotUtf8 { at: 2, utf16: false })));
        fs::write(&path, b"\xff\xfea\0").unwrap();
        assert!(matches!(text(&path, 10), Err(Refused::NotUtf8 { utf16: true, .. })));
        fs::write(&path, "\u{feff}fn").unwrap();
        assert_eq!(text(&path, 10).unwrap(), "\u{feff}fn");
    }

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(bytes(dir.path(), 10), Err(Refused::NotRegular("a directory"))));
        assert!(bytes(&dir.path().join("none"), 10).unwrap_err().is_not_found());
    }
}
