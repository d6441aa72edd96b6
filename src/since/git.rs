//! Commits to texts, through a library: no command is run, no hook, no filter, and nothing is written or fetched.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{Commit, DiffOptions, ErrorCode, ObjectType, Oid, Patch, Repository, TreeWalkMode, TreeWalkResult};

use super::renamed::renamed;
use super::{Changed, Past};
use crate::source::{self, HARD_LIMIT, Options, Place, SourceFile, Workspace};

const IS_SHALLOW: &str =
    "this clone is shallow: fetch its history (`git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout)";

/// Why the files of a commit cannot be had: one sentence, lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Reads the files of a workspace as they were where `name` and HEAD parted, which is what a pull request is compared
/// with.
pub fn read(place: &Place, workspace: &Workspace, options: &Options, name: &str) -> Result<Past, Error> {
    let repository = Opened::at(place)?;
    let tree = repository.entries(&repository.base(name)?)?;
    let mut texts: BTreeMap<String, Option<Arc<str>>> = BTreeMap::new();
    let mut changes = Vec::with_capacity(workspace.files.len());
    let mut added = Vec::new();
    for (index, file) in workspace.files.iter().enumerate() {
        let Some(path) = repository.path_of(workspace, &file.path) else {
            changes.push(Changed::Nothing);
            continue;
        };
        let changed = match tree.files.get(&path) {
            Some(id) => repository.compared(*id, file, &mut texts)?,
            None if tree.modules.iter().any(|module| path.starts_with(module)) => Changed::Nothing,
            None => {
                added.push(index);
                Changed::All
            }
        };
        changes.push(changed);
    }
    let mut gone: Vec<(String, String)> = Vec::new();
    for (path, id) in tree.files.iter().filter(|(path, _)| !repository.root.join(path).exists()) {
        if let Some(text) = repository.text(*id)?.and_then(|text| String::from_utf8(text).ok()) {
            gone.push((path.clone(), text));
        }
    }
    let new_texts: Vec<&str> = added.iter().map(|index| &*workspace.files[*index].text).collect();
    let old_texts: Vec<&str> = gone.iter().map(|(_, text)| text.as_str()).collect();
    for (new, old) in renamed(&new_texts, &old_texts) {
        changes[added[new]] = Changed::between(old_texts[old].as_bytes(), new_texts[new]);
    }
    texts.extend(added.iter().map(|index| (workspace.files[*index].path.clone(), None)));
    for (path, text) in gone {
        let path = repository.root.join(path);
        let selected = options.selection.as_ref().is_none_or(|only| !only.matched(&path, false).is_ignore());
        if selected && place.given.iter().any(|given| !given.is_file && path.starts_with(&given.path)) {
            texts.insert(place.shown(&path), Some(Arc::from(text)));
        }
    }
    Ok(Past { name: name.to_owned(), changes, workspace: source::overlay(workspace, &texts) })
}

/// Where the lines stand in `new` that differ from `old`: the first one's index and how many there are; of lines that were
/// only taken out, the index of the one behind them and none.
pub(super) fn hunks(old: &[u8], new: &[u8]) -> Vec<(usize, usize)> {
    let mut options = DiffOptions::new();
    options.context_lines(0).interhunk_lines(0).ignore_whitespace(true).force_text(true).indent_heuristic(true);
    let Ok(patch) = Patch::from_buffers(old, None, new, None, Some(&mut options)) else {
        return vec![(0, usize::MAX / 2)];
    };
    let hunk = |index| {
        let (hunk, _) = patch.hunk(index).ok()?;
        let (start, lines) = (hunk.new_start() as usize, hunk.new_lines() as usize);
        // A hunk without new lines names the line before it.
        Some(if lines == 0 { (start, 0) } else { (start.saturating_sub(1), lines) })
    };
    (0..patch.num_hunks()).filter_map(hunk).collect()
}

struct Opened {
    repository: Repository,
    /// Canonical.
    root: PathBuf,
}

/// The Rust and SQL files of one commit, and what stands in other repositories, by path from the repository's root.
#[derive(Default)]
struct Entries {
    files: BTreeMap<String, Oid>,
    modules: Vec<String>,
}

impl Opened {
    fn at(place: &Place) -> Result<Self, Error> {
        let Some(first) = place.given.first() else { return Err(Error("there is nothing to compare".to_owned())) };
        let root = &first.boundary;
        if place.given.iter().any(|given| given.boundary != *root) {
            return Err(Error("the paths lie in several repositories, and --since compares within one".to_owned()));
        }
        let shown = source::shown(root);
        let repository = Repository::open(root).map_err(|error| match error.code() {
            ErrorCode::NotFound => Error(format!("{shown} is not in a git repository, which --since needs")),
            ErrorCode::Owner => Error(format!(
                "{shown} belongs to another user; `git config --global --add safe.directory {shown}` says that it is trusted"
            )),
            _ => Error(format!("{shown} cannot be opened as a git repository: {}", error.message())),
        })?;
        Ok(Self { repository, root: root.clone() })
    }

    /// The commit at which `name` and HEAD parted.
    fn base(&self, name: &str) -> Result<Commit<'_>, Error> {
        let shallow = self.repository.is_shallow();
        let hint = |text: String| Error(if shallow { format!("{text}; {IS_SHALLOW}") } else { text });
        let object = self.repository.revparse_single(name).map_err(|error| match error.code() {
            ErrorCode::NotFound | ErrorCode::InvalidSpec => hint(format!("there is no commit, branch or tag `{name}`")),
            _ => hint(format!("`{name}`: {}", error.message())),
        })?;
        let then = object.peel_to_commit().map_err(|_| Error(format!("`{name}` is no commit")))?;
        let head = self.repository.head().and_then(|head| head.peel_to_commit());
        let head = head.map_err(|_| Error("the repository has no commit to compare with yet".to_owned()))?;
        let base = self.repository.merge_base(then.id(), head.id()).map_err(|error| match error.code() {
            ErrorCode::NotFound => hint(format!("`{name}` and HEAD have no commit in common")),
            _ => hint(format!("`{name}`: {}", error.message())),
        })?;
        self.repository.find_commit(base).map_err(|error| hint(format!("`{name}`: {}", error.message())))
    }

    fn entries(&self, commit: &Commit<'_>) -> Result<Entries, Error> {
        let broken = |error: git2::Error| Error(format!("commit {} cannot be read: {}", commit.id(), error.message()));
        let mut entries = Entries::default();
        let tree = commit.tree().map_err(broken)?;
        tree.walk(TreeWalkMode::PreOrder, |dir, entry| {
            let Ok(name) = entry.name() else { return TreeWalkResult::Ok };
            let path = format!("{dir}{name}");
            let is_link = entry.filemode() == 0o120_000;
            match entry.kind() {
                Some(ObjectType::Commit) => entries.modules.push(path + "/"),
                Some(ObjectType::Blob) if !is_link && source::is_source(Path::new(name)) => {
                    entries.files.insert(path, entry.id());
                }
                _ => {}
            }
            TreeWalkResult::Ok
        })
        .map_err(broken)?;
        Ok(entries)
    }

    /// The path from the repository's root of a file that is shown as `path`.
    fn path_of(&self, workspace: &Workspace, path: &str) -> Option<String> {
        let path = workspace.root.join(path);
        path.strip_prefix(&self.root).ok().map(source::shown)
    }

    /// How a file differs from its blob, whose text is put into `texts` when it does.
    fn compared(
        &self,
        id: Oid,
        file: &SourceFile,
        texts: &mut BTreeMap<String, Option<Arc<str>>>,
    ) -> Result<Changed, Error> {
        if Oid::hash_object(ObjectType::Blob, file.text.as_bytes()).is_ok_and(|own| own == id) {
            return Ok(Changed::Nothing);
        }
        let Some(old) = self.text(id)? else { return Ok(Changed::All) };
        let changed = Changed::between(&old, &file.text);
        texts.insert(file.path.clone(), String::from_utf8(old).ok().map(Arc::from));
        Ok(changed)
    }

    /// The bytes of a blob; none when it is larger than a file may be.
    fn text(&self, id: Oid) -> Result<Option<Vec<u8>>, Error> {
        let broken = |error: git2::Error| {
            let missing = error.code() == ErrorCode::NotFound;
            let hint = if missing { "; a partial clone lacks it: fetch it first" } else { "" };
            Error(format!("object {id} cannot be read: {}{hint}", error.message()))
        };
        let (size, _) = self.repository.odb().and_then(|odb| odb.read_header(id)).map_err(broken)?;
        if size as u64 > HARD_LIMIT {
            return Ok(None);
        }
        let blob = self.repository.find_blob(id).map_err(broken)?;
        Ok(Some(blob.content().to_vec()))
    }
}
