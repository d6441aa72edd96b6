//! What an earlier run found out, for as long as nothing has changed that it depends on.
//!
//! An [`entry`] holds the [`key`] of its run (what was asked for), every answer that the disk gave
//! ([`crate::source::disk`]), and the [`Outcome`]. A later run with the same key puts the same questions again: most are
//! answered by a stat, and what a stat cannot tell is read and compared by its digest ([`ask`]). So a file that was
//! looked for and not found, or a directory that got another entry, counts like a file that was changed. When all answers
//! are the same, the outcome is, and only the files that it points into are read, for their lines.
//!
//! Nothing here is an error of a run. An entry that is cut off, foreign or of another racelint is as good as none, entries
//! are written beside and renamed, and the directory may be deleted at any time. The analysed tree cannot name the
//! directory, and what lies in the tree is only ever compared.

pub mod ask;
pub mod entry;
pub mod home;
pub mod key;
pub mod remembered;
pub mod words;

mod program;
mod store;

use std::path::PathBuf;

use rayon::prelude::*;

use self::entry::Head;
use self::program::Program;
use self::remembered::Remembered;
use self::store::Store;
use crate::config::Config;
use crate::notice::NoticeKind;
use crate::outcome::Outcome;
use crate::source::disk::Heard;
use crate::source::stamp::{Digest, Moment};
use crate::source::{HARD_LIMIT, Options, Place, Workspace};
use crate::span::FileId;

/// The cache as one run sees it.
pub struct Cache {
    store: Store,
    key: Digest,
    program: Program,
    root: PathBuf,
    /// Before this run looked at any file.
    begun: Moment,
}

impl Cache {
    /// `None` where there can be none: the directory cannot be made, or the running program is not known. `config` is
    /// what the analysis is given.
    pub fn open(dir: PathBuf, place: &Place, options: &Options, config: &Config) -> Option<Self> {
        let begun = Moment::now();
        let program = Program::running()?;
        let key = key::key(&program.name(), place, options, config);
        Some(Self { store: Store::open(dir, key)?, key, program, root: place.root.clone(), begun })
    }

    /// The outcome of an earlier run that would be this one's as well. Of the workspace only those files have a text that
    /// the outcome points into, and there are no packages.
    pub fn recall(&self) -> Option<(Workspace, Outcome)> {
        let bytes = self.store.read()?;
        let (head, heard, rest) = entry::decode(&bytes, self.key).ok()?;
        let program = self.program.is_the_same(&head, self.begun)?;
        let asked = ask::again(&heard, head.begun, self.begun)?;
        let (mut workspace, outcome) = Remembered::decode(rest)?.restored(&self.root);
        let files = remembered::files(&outcome);
        let text = |id: &FileId| asked.heard.text(&self.root, &workspace.file(*id).path, HARD_LIMIT);
        let texts: Vec<String> = files.par_iter().map(text).collect::<Option<_>>()?;
        for (id, text) in files.into_iter().zip(texts) {
            workspace.files[id.0 as usize].text = text.into();
        }
        if asked.is_worth_keeping || program.is_worth_keeping {
            let head = Head { begun: self.begun, program: program.stamp, ..head };
            self.store.write(&entry::encode(&head, &asked.heard, rest));
        }
        Some((workspace, outcome))
    }

    /// The same for a run that has read all files already: what it heard has to be what the earlier one heard.
    pub fn recall_for(&self, heard: &Heard) -> Option<Outcome> {
        self.recall_at(&self.store, self.key, heard)
    }

    /// The outcome for files that are not on the disk, such as those of an earlier commit.
    pub fn recall_past(&self, past: &Workspace) -> Option<Outcome> {
        let key = key::of_texts(self.key, past);
        self.recall_at(&self.store.beside(key), key, &Heard::default())
    }

    /// Keeps an outcome, unless it depends on something that cannot be asked for again.
    pub fn keep(&self, heard: &Heard, workspace: &Workspace, outcome: &Outcome) {
        self.keep_at(&self.store, self.key, heard, workspace, outcome);
    }

    pub fn keep_past(&self, past: &Workspace, outcome: &Outcome) {
        let key = key::of_texts(self.key, past);
        self.keep_at(&self.store.beside(key), key, &Heard::default(), past, outcome);
    }

    fn recall_at(&self, store: &Store, key: Digest, heard: &Heard) -> Option<Outcome> {
        let bytes = store.read()?;
        let (head, earlier, rest) = entry::decode(&bytes, key).ok()?;
        self.program.is_the_same(&head, self.begun)?;
        if heard.unsure || !earlier.says_the_same(heard) {
            return None;
        }
        Some(Remembered::decode(rest)?.outcome)
    }

    fn keep_at(&self, store: &Store, key: Digest, heard: &Heard, workspace: &Workspace, outcome: &Outcome) {
        let failed = outcome.notices.iter().any(|notice| notice.kind == NoticeKind::Internal);
        if failed || heard.unsure {
            return;
        }
        let Some(program_digest) = self.program.digest() else { return };
        let (begun, program) = (self.begun, self.program.stamp);
        let head = Head { key, found_out: begun, begun, program, program_digest };
        let Some(rest) = Remembered::encode(workspace, outcome) else { return };
        store.write(&entry::encode(&head, heard, &rest));
    }
}
