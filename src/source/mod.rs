//! Disk to [`Workspace`]: which files there are, which crates they belong to, and what those depend on.

pub mod allow;
pub mod disk;
mod engine;
pub mod extent;
mod ignored;
pub mod lines;
pub mod listing;
mod manifest;
mod memory;
mod open;
mod overlay;
mod package;
mod place;
mod read;
pub mod stamp;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::lower::tree::Name;
use crate::notice::Notice;
use crate::span::FileId;

pub use memory::memory;
pub use open::{Refused, bytes, cause_of, text};
pub use overlay::overlay;
pub use place::{Given, Place, place, shown};
pub use read::{Error, HARD_LIMIT, Options, SIZE_LIMIT, attentively, read};

/// Everything the analysis may know. After it is read nothing touches disk, environment or clock.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The directory that paths are shown relative to.
    pub root: PathBuf,
    /// The directories that were asked for, relative to the root, with `/`; empty for the root itself.
    pub asked: Vec<String>,
    /// Sorted by path bytes; a [`FileId`] is an index here.
    pub files: Vec<SourceFile>,
    pub crates: Vec<Crate>,
    pub notices: Vec<Notice>,
}

#[derive(Clone, Debug)]
pub struct SourceFile {
    pub id: FileId,
    /// Relative to the root, with `/`; never leads out of it. Bytes that are not UTF-8 are percent-encoded.
    pub path: String,
    pub text: Arc<str>,
    pub kind: FileKind,
    /// The index in [`Workspace::crates`] of the package whose directory holds the file.
    pub krate: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Rust that runs in production.
    Rust(Target),
    /// A `.sql` file, migration or query.
    Sql,
}

/// Which target of its package a Rust file belongs to, from its path and the manifest's `[[bin]]`, `[[test]]` …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// `src/`: the library and the binaries.
    Main,
    Test,
    Example,
    Bench,
    BuildScript,
}

/// One package of the workspace.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Crate {
    /// The name as other crates write it, `-` as `_`.
    pub name: Name,
    /// Relative to the root, with `/`; empty for the root itself.
    pub dir: String,
    pub dependencies: Vec<Dependency>,
    pub has_lib: bool,
    pub has_bin: bool,
    /// The first file of the library where the manifest names it (`[lib] path`), as written: relative to `dir`.
    pub library: Option<String>,
    /// Those of the programs that the manifest names (`[[bin]] path`), as written.
    pub programs: Vec<String>,
    /// What the manifest's features, `.env`, sqlx.toml and diesel.toml say of the engine, in this order of weight:
    /// a URL first, then features, those of a build where nobody asks for others before the rest; and where the tables
    /// stand. Several when several are enabled; empty when nothing is known.
    pub dialects: Vec<Dialect>,
    /// Its own features that choose an engine.
    pub choosing: Vec<(Name, Dialect)>,
    /// Its own features that are on where nobody asks for others.
    pub features: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// The name as code writes it (after a rename), `-` as `_`.
    pub name: Name,
    /// The package's own name, `-` as `_`; of one that was read too, the name of its library.
    pub package: Name,
    /// Those of `[workspace.dependencies]` included when inherited.
    pub features: Vec<String>,
    /// `[dev-dependencies]` and `[build-dependencies]` are not listed.
    pub optional: bool,
}

/// Whether a file is read at all, by its name.
pub fn is_source(path: &std::path::Path) -> bool {
    walk::Language::of(path).is_some()
}

impl Workspace {
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// A path from the innermost directory on that was asked for: what that one is called says nothing of what is in it.
    pub fn below<'a>(&self, path: &'a str) -> &'a str {
        let within = |asked: &String| {
            path.strip_prefix(asked.as_str())
                .filter(|rest| asked.is_empty() || rest.is_empty() || rest.starts_with('/'))
        };
        let rests = self.asked.iter().filter_map(within);
        rests.min_by_key(|rest| rest.len()).unwrap_or(path).trim_start_matches('/')
    }

    /// The file that another one names by a path: from its own directory on, or first from its package's.
    pub fn beside(&self, here: &SourceFile, path: &str, beside: bool) -> Option<&SourceFile> {
        let krate = here.krate.map_or("", |krate| self.crates[krate].dir.as_str());
        let dir = here.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let bases = if beside { [dir, krate] } else { [krate, dir] };
        bases.iter().find_map(|base| {
            let full = normal(base, path)?;
            let file = self.files.binary_search_by(|file| file.path.as_bytes().cmp(full.as_bytes())).ok()?;
            Some(&self.files[file])
        })
    }

    /// Whether a program of the workspace is built of a package: its own, or that of a package that needs it. One that only
    /// shows how something is used, or measures it, is none.
    pub fn runs(&self, krate: usize) -> bool {
        const SHOWING: [&str; 5] = ["examples", "benches", "fuzz", "tests", "testing"];
        let shows = |own: &Crate| self.below(&own.dir).split('/').any(|part| SHOWING.contains(&part));
        let mut found = vec![false; self.crates.len()];
        let mut todo = vec![krate];
        while let Some(place) = todo.pop() {
            if std::mem::replace(&mut found[place], true) {
                continue;
            }
            let name = &self.crates[place].name;
            if self.crates[place].has_bin && !shows(&self.crates[place]) {
                return true;
            }
            todo.extend((0..self.crates.len()).filter(|other| self.crates[*other].depends_on(name)));
        }
        false
    }
}

impl Crate {
    /// Whether code of this package may name `krate`.
    pub fn depends_on(&self, krate: &str) -> bool {
        self.dependencies.iter().any(|dependency| dependency.package == krate)
    }
}

/// `path` below `base`, without `.` and `..`; none when it leads out.
fn normal(base: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
