//! Every question that the reading of a workspace puts to the disk and, where it is asked for, every answer.
//!
//! The answers decide what is read: while each of them is the same, so is the workspace.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::listing::{self, Listings};
use super::open::{self, Refused};
use super::read::HARD_LIMIT;
use super::stamp::{Digest, Kind, Stamp};

/// The disk as one reading of a workspace meets it.
#[derive(Default)]
pub struct Disk {
    heard: Option<Mutex<Heard>>,
}

/// What one reading heard from the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// By path, sorted, each once.
    pub answers: Vec<(String, Answer)>,
    /// How many more entries the walks would have looked at.
    pub room: u64,
    /// How often a directory was walked at most.
    pub walks: u64,
    /// An answer that a later run cannot ask for again, such as a file that this user may not read.
    pub unsure: bool,
}

/// What the disk said of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Answer {
    /// The bytes of a regular file.
    Content(Stamp, Digest),
    /// A regular file that is longer than the limit, in bytes.
    Longer(u64),
    /// What stands there, a link not followed.
    Is(Kind),
    /// What stands there, or where a link leads.
    LeadsTo(Kind),
    /// The canonical path, or why there is none.
    Canonical(Digest),
    /// The entries of a directory that a walk may care for, and how many there are in all.
    Listing(Stamp, Digest, u64),
}

impl Disk {
    /// One that keeps the answers.
    pub fn attentive() -> Self {
        Self { heard: Some(Mutex::default()) }
    }

    /// The answers; `None` where they were not kept.
    pub fn heard(self) -> Option<Heard> {
        let mut heard = self.heard?.into_inner().ok()?;
        heard.answers.sort_unstable();
        heard.answers.dedup();
        Some(heard)
    }

    pub(super) fn bytes(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Refused> {
        let read = open::read(path, limit);
        if self.heard.is_some() {
            match Answer::of_read(&read) {
                Some(answer) => self.note(path, answer),
                None => self.doubt(),
            }
        }
        read.map(|(bytes, _)| bytes)
    }

    pub(super) fn text(&self, path: &Path, limit: u64) -> Result<String, Refused> {
        open::decoded(self.bytes(path, limit)?)
    }

    /// Whether a link or the path itself leads to a regular file.
    pub(super) fn is_file(&self, path: &Path) -> bool {
        self.leads_to(path) == Some(Kind::File)
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.leads_to(path) == Some(Kind::Directory)
    }

    /// Whether the path is a directory itself, and no link to one.
    pub(super) fn is_own_dir(&self, path: &Path) -> bool {
        let kind = Kind::of(&fs::symlink_metadata(path));
        self.note_kind(path, kind, Answer::Is);
        kind == Some(Kind::Directory)
    }

    pub(super) fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let found = fs::canonicalize(path);
        self.note(path, Answer::of_canonical(&found));
        found
    }

    /// Takes note of what a walk listed.
    pub(super) fn walked(&self, listings: Listings, room: usize) {
        let Some(mut heard) = self.heard.as_ref().and_then(|heard| heard.lock().ok()) else { return };
        heard.room = if heard.walks == 0 { room as u64 } else { heard.room.min(room as u64) };
        heard.walks += 1;
        drop(heard);
        for (path, listed) in listings.finished() {
            match Stamp::at(&path) {
                Some(stamp) => self.note(&path, Answer::Listing(stamp, listed.digest, listed.entries)),
                None => self.doubt(),
            }
        }
    }

    /// Says that something was met which a later run cannot ask for again.
    pub(super) fn doubt(&self) {
        if let Some(mut heard) = self.heard.as_ref().and_then(|heard| heard.lock().ok()) {
            heard.unsure = true;
        }
    }

    /// A walk's list of directories, when it is kept.
    pub(super) fn listings(&self) -> Listings {
        Listings::new(self.heard.is_some())
    }

    fn leads_to(&self, path: &Path) -> Option<Kind> {
        let kind = Kind::of(&fs::metadata(path));
        self.note_kind(path, kind, Answer::LeadsTo);
        kind
    }

    fn note_kind(&self, path: &Path, kind: Option<Kind>, answer: fn(Kind) -> Answer) {
        match kind {
            Some(kind) => self.note(path, answer(kind)),
            None => self.doubt(),
        }
    }

    fn note(&self, path: &Path, answer: Answer) {
        let Some(mut heard) = self.heard.as_ref().and_then(|heard| heard.lock().ok()) else { return };
        match path.to_str() {
            Some(path) => heard.answers.push((path.to_owned(), answer)),
            None => heard.unsure = true,
        }
    }
}

impl Heard {
    /// Whether another reading heard the same, whatever the stamps are.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let same = |((path, one), (other_path, other)): (&(String, Answer), &(String, Answer))| {
            path == other_path && one.says_the_same(*other)
        };
        self.answers.len() == other.answers.len() && self.answers.iter().zip(&other.answers).all(same)
    }

    /// The text of a file that is shown as `path` below `root`, read anew; `None` when it is not what was read.
    pub fn text(&self, root: &Path, path: &str, limit: u64) -> Option<String> {
        let path =
            path.split('/').fold(root.to_owned(), |path, name| path.join(if name.is_empty() { "/" } else { name }));
        let name = path.to_str()?;
        let first = self.answers.partition_point(|(known, _)| known.as_str() < name);
        let of_file = self.answers[first..].iter().take_while(|(known, _)| known == name);
        let answer = of_file.map(|(_, answer)| *answer).find(|answer| matches!(answer, Answer::Content(..)))?;
        let read = open::read(&path, limit);
        let same = Answer::of_read(&read).is_some_and(|now| now.says_the_same(answer));
        open::decoded(read.ok().filter(|_| same)?.0).ok()
    }
}

impl Answer {
    /// Puts the question anew that was answered so; `None` when the disk gives no clear answer.
    pub fn again(self, path: &Path) -> Option<Self> {
        match self {
            Self::Content(..) => Self::of_read(&open::read(path, HARD_LIMIT)),
            Self::Longer(size) => Self::of_read(&open::read(path, size.saturating_sub(1))),
            Self::Is(_) => Kind::of(&fs::symlink_metadata(path)).map(Self::Is),
            Self::LeadsTo(_) => Kind::of(&fs::metadata(path)).map(Self::LeadsTo),
            Self::Canonical(_) => Some(Self::of_canonical(&fs::canonicalize(path))),
            Self::Listing(..) => {
                let stamp = Stamp::at(path)?;
                let listed = listing::list(path).ok()?;
                Some(Self::Listing(stamp, listed.digest, listed.entries))
            }
        }
    }

    /// Whether two answers to one question leave the workspace the same.
    pub fn says_the_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Content(_, one), Self::Content(_, other)) => one == other,
            (Self::Listing(_, one, _), Self::Listing(_, other, _)) => one == other,
            (one, other) => one == other,
        }
    }

    pub fn stamp(&self) -> Option<&Stamp> {
        match self {
            Self::Content(stamp, _) | Self::Listing(stamp, ..) => Some(stamp),
            Self::Longer(_) | Self::Is(_) | Self::LeadsTo(_) | Self::Canonical(_) => None,
        }
    }

    #[cfg(test)]
    pub fn with_another_digest(self) -> Self {
        let other = Digest::of(b"other");
        match self {
            Self::Content(stamp, _) => Self::Content(stamp, other),
            Self::Listing(stamp, _, entries) => Self::Listing(stamp, other, entries),
            answer => answer,
        }
    }

    /// What a read says of the disk; `None` when another time it may say something else of the same thing.
    fn of_read(read: &Result<(Vec<u8>, fs::Metadata), Refused>) -> Option<Self> {
        match read {
            Ok((bytes, metadata)) => Some(Self::Content(Stamp::of(metadata)?, Digest::of(bytes))),
            Err(Refused::TooLarge { size, .. }) => Some(Self::Longer(*size)),
            Err(Refused::NotRegular(what)) => {
                Kind::ALL.into_iter().find(|kind| kind.what() == Some(*what)).map(Self::Is)
            }
            Err(Refused::Io(cause)) if Kind::is_absent(cause) => Some(Self::Is(Kind::Absent)),
            Err(Refused::Changed | Refused::Io(_) | Refused::NotUtf8 { .. }) => None,
        }
    }

    fn of_canonical(found: &io::Result<PathBuf>) -> Self {
        Self::Canonical(match found {
            Ok(path) => Digest::of(&[b"to ", path.as_os_str().as_encoded_bytes()].concat()),
            Err(cause) => Digest::of(format!("none: {cause}").as_bytes()),
        })
    }
}
