//! Which entries of a walk `.gitignore`, `.ignore` and `.git/info/exclude` leave out.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::disk::Disk;
use super::open;

/// An ignore file is data from the tree: what is longer (in bytes, or lines) is left out.
const SIZE_LIMIT: u64 = 1 << 20;
const LINE_LIMIT: usize = 10_000;

/// The rules of one directory and of those above it, the deepest last.
///
/// Later rules win, and in one directory `.ignore` wins over `.gitignore`, as in ripgrep.
pub(super) struct Ignored<'d> {
    disk: &'d Disk,
    levels: Vec<(PathBuf, Vec<Gitignore>)>,
    /// What could not be read or understood: the file and why.
    pub(super) faults: Vec<(PathBuf, String)>,
}

impl<'d> Ignored<'d> {
    pub(super) fn new(disk: &'d Disk) -> Self {
        Self { disk, levels: Vec::new(), faults: Vec::new() }
    }

    /// Adds the rules that stand in `dir`, after those of directories that do not hold it are dropped.
    pub(super) fn enter(&mut self, dir: &Path) {
        self.leave(dir);
        let mut rules = Vec::new();
        for name in [".ignore", ".gitignore", ".git/info/exclude"] {
            rules.extend(self.rules(dir, &dir.join(name)));
        }
        if !rules.is_empty() {
            self.levels.push((dir.to_owned(), rules));
        }
    }

    /// Whether an entry, whose directory was entered last or lies below it, is left out.
    pub(super) fn leaves_out(&mut self, path: &Path, is_dir: bool) -> bool {
        self.leave(path);
        let rules = self.levels.iter().rev().flat_map(|(_, rules)| rules);
        let decided = rules.map(|rules| rules.matched(path, is_dir)).find(|matched| !matched.is_none());
        decided.is_some_and(|matched| matched.is_ignore())
    }

    fn leave(&mut self, path: &Path) {
        while self.levels.last().is_some_and(|(dir, _)| !path.starts_with(dir)) {
            self.levels.pop();
        }
    }

    fn rules(&mut self, dir: &Path, file: &Path) -> Option<Gitignore> {
        let text = match self.disk.bytes(file, SIZE_LIMIT) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(refused) if refused.is_not_found() || is_in_no_directory(&refused) => return None,
            Err(refused) => {
                self.faults.push((file.to_owned(), refused.to_string()));
                return None;
            }
        };
        let mut builder = GitignoreBuilder::new(dir);
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if index == LINE_LIMIT {
                self.faults.push((file.to_owned(), format!("only its first {LINE_LIMIT} lines are read")));
                break;
            }
            if let Err(error) = builder.add_line(None, line) {
                self.faults.push((file.to_owned(), format!("line {} is not a pattern: {error}", index + 1)));
            }
        }
        builder.build().inspect_err(|error| self.faults.push((file.to_owned(), error.to_string()))).ok()
    }
}

/// `.git` is a file in a linked worktree.
fn is_in_no_directory(refused: &open::Refused) -> bool {
    matches!(refused, open::Refused::Io(cause) if cause.kind() == std::io::ErrorKind::NotADirectory)
}
