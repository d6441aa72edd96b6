//! The walk: a directory to the source files and manifests below it, without following a link.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use ignore::overrides::Override;
use walkdir::{DirEntry, WalkDir};

use super::disk::Disk;
use super::ignored::Ignored;
use super::open;
use super::place::{Given, Place};
use crate::notice::{Notice, NoticeKind};

/// Directories deeper than this below a given path are left out.
pub(super) const MAX_DEPTH: usize = 256;

/// Entries that one run looks at, ignored ones included.
pub(super) const MAX_ENTRIES: usize = 200_000;

/// Rust or SQL, by the name's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Sql,
}

impl Language {
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "rs" => Some(Self::Rust),
            ending if ending.eq_ignore_ascii_case("sql") => Some(Self::Sql),
            _ => None,
        }
    }
}

/// What the walks of one run found, each once and sorted.
pub(super) struct Walk<'a> {
    place: &'a Place,
    disk: &'a Disk,
    /// The configuration's `include` and `exclude`.
    selection: Option<&'a Override>,
    max_entries: usize,
    entries: usize,
    pub(super) sources: BTreeMap<PathBuf, Language>,
    pub(super) manifests: BTreeSet<PathBuf>,
    pub(super) notices: Vec<Notice>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(place: &'a Place, disk: &'a Disk, selection: Option<&'a Override>) -> Self {
        Self {
            place,
            disk,
            selection,
            max_entries: MAX_ENTRIES,
            entries: 0,
            sources: BTreeMap::new(),
            manifests: BTreeSet::new(),
            notices: Vec::new(),
        }
    }

    /// Walks all that is below a given directory. Its own name may be hidden or ignored, since it was asked for.
    pub(super) fn below(&mut self, given: &Given) {
        self.walk(&given.path, &given.boundary, None);
    }

    /// Adds the `.sql` files below `dir`, which lies above what was asked for and whose migrations say what its tables are.
    pub(super) fn schema_below(&mut self, dir: &Path, boundary: &Path) {
        self.walk(dir, boundary, Some(Language::Sql));
    }

    fn walk(&mut self, top: &Path, boundary: &Path, only: Option<Language>) {
        let mut ignored = Ignored::new(self.disk);
        let mut listings = self.disk.listings();
        let above: Vec<_> = super::place::upward(top, boundary).skip(1).collect();
        above.into_iter().rev().for_each(|dir| ignored.enter(dir));

        let mut entries = WalkDir::new(top).follow_links(false).max_depth(MAX_DEPTH).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            if self.entries >= self.max_entries {
                let text = format!("only the first {} entries are looked at; the rest is left out", self.max_entries);
                self.notice(top, NoticeKind::Limit, text);
                self.disk.doubt();
                break;
            }
            self.entries += 1;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.unreadable(top, &error);
                    continue;
                }
            };
            let is_dir = entry.file_type().is_dir();
            listings.entry(entry.path(), entry.depth(), entry.file_type());
            if self.is_left_out(&entry, &mut ignored) {
                if is_dir {
                    entries.skip_current_dir();
                }
                continue;
            }
            if is_dir {
                if entry.depth() == MAX_DEPTH {
                    let text = format!("left out, because it is {MAX_DEPTH} directories deep");
                    self.notice(entry.path(), NoticeKind::Limit, text);
                } else {
                    listings.enter(entry.path(), entry.depth());
                }
                ignored.enter(entry.path());
                continue;
            }
            self.file(&entry, boundary, only);
        }
        self.disk.walked(listings, self.max_entries - self.entries);
        for (path, text) in ignored.faults {
            self.notice(&path, NoticeKind::Config, text);
        }
    }

    fn is_left_out(&self, entry: &DirEntry, ignored: &mut Ignored) -> bool {
        let is_dir = entry.file_type().is_dir();
        if entry.depth() == 0 {
            return false;
        }
        let name = entry.file_name();
        let path = entry.path();
        if name.as_encoded_bytes().starts_with(b".") || is_dir && name == "node_modules" {
            return true;
        }
        if is_dir && name == "target" && self.is_build_output(path) {
            return true;
        }
        if self.selection.is_some_and(|selection| selection.matched(path, is_dir).is_ignore()) {
            return true;
        }
        ignored.leaves_out(path, is_dir)
    }

    /// A module may be named `target` as well; Cargo's directory stands beside a manifest or says what it is.
    fn is_build_output(&self, path: &Path) -> bool {
        self.disk.is_file(&path.with_file_name("Cargo.toml")) || self.disk.is_file(&path.join("CACHEDIR.TAG"))
    }

    fn file(&mut self, entry: &DirEntry, boundary: &Path, only: Option<Language>) {
        let path = entry.path();
        let is_manifest = entry.file_name() == "Cargo.toml" && only.is_none();
        let language = Language::of(path).filter(|language| only.is_none_or(|only| only == *language));
        if entry.path_is_symlink() {
            self.link(path, boundary, language.is_some() || is_manifest);
            return;
        }
        if language.is_none() && !is_manifest {
            return;
        }
        if !entry.file_type().is_file() {
            let text = open::Refused::NotRegular("a FIFO, device or socket").to_string();
            self.notice(path, NoticeKind::Unreadable, text);
            return;
        }
        if let Some(language) = language {
            self.sources.insert(path.to_owned(), language);
        } else {
            self.manifests.insert(path.to_owned());
        }
    }

    /// A link is never followed. Where it leads inside the boundary, the file is read where it stands.
    fn link(&mut self, path: &Path, boundary: &Path, is_source: bool) {
        let target = match self.disk.canonicalize(path) {
            Ok(target) => target,
            Err(error) if is_source || is_circle(&error) => {
                let text = format!("a symbolic link that leads nowhere: {}", open::cause_of(&error));
                return self.notice(path, NoticeKind::Unreadable, text);
            }
            Err(_) => return,
        };
        if !target.starts_with(boundary) {
            if is_source || self.disk.is_dir(&target) {
                let text = "a symbolic link that leads out of the project and is not followed".to_owned();
                self.notice(path, NoticeKind::OutsideRoot, text);
            }
        } else if path.starts_with(&target) {
            let text = "a symbolic link to a directory that holds it, which is not followed".to_owned();
            self.notice(path, NoticeKind::Link, text);
        }
    }

    fn unreadable(&mut self, top: &Path, error: &walkdir::Error) {
        self.disk.doubt();
        let cause = error.io_error().map_or_else(|| "a circle of links".to_owned(), open::cause_of);
        self.notice(error.path().unwrap_or(top), NoticeKind::Unreadable, format!("could not be read: {cause}"));
    }

    pub(super) fn notice(&mut self, path: &Path, kind: NoticeKind, text: String) {
        let shown = self.place.shown(path);
        let path = if shown.is_empty() { ".".to_owned() } else { shown };
        self.notices.push(Notice { path, span: None, kind, text });
    }
}

fn is_circle(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory)
}
