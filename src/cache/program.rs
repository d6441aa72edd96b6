//! The program that runs: another one may find out something else, also when it has the same version.

use std::fs;
use std::path::PathBuf;

use super::entry::Head;
use crate::source;
use crate::source::stamp::{Digest, Moment, Stamp};

/// In bytes; a build with all debug information is some hundred megabytes.
const SIZE_LIMIT: u64 = 2 << 30;

pub struct Program {
    path: PathBuf,
    /// Taken when the run began.
    pub stamp: Stamp,
}

/// What an entry should say of the program from now on.
pub struct Same {
    pub stamp: Stamp,
    pub is_worth_keeping: bool,
}

impl Program {
    /// `None` when the system does not say, or the file was replaced meanwhile.
    pub fn running() -> Option<Self> {
        let path = std::env::current_exe().and_then(fs::canonicalize).ok()?;
        let stamp = Stamp::at(&path)?;
        Some(Self { path, stamp })
    }

    /// The file's name, without what stands above it.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whether the entry was written by this program; the file is read when its stamp does not tell.
    pub fn is_the_same(&self, head: &Head, now: Moment) -> Option<Same> {
        let believed = self.stamp == head.program && self.stamp.is_settled(head.begun);
        let same = believed || self.digest()? == head.program_digest;
        let is_worth_keeping = !believed && (self.stamp != head.program || self.stamp.is_settled(now));
        same.then_some(Same { stamp: self.stamp, is_worth_keeping })
    }

    /// `None` when the file is not the one that began to run.
    pub fn digest(&self) -> Option<Digest> {
        let bytes = source::bytes(&self.path, SIZE_LIMIT).ok()?;
        (Stamp::at(&self.path) == Some(self.stamp)).then(|| Digest::of(&bytes))
    }
}
