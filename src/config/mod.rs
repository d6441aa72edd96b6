//! racelint.toml: what the user knows and the code does not say.
//!
//! A configuration comes with the tree that is analysed. So it can only name rules, files inside the project, functions
//! and numbers: nothing that racelint would write to, run, or read elsewhere.

mod keep;
pub mod keys;
pub mod near;
mod parse;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use ignore::gitignore::Gitignore;
use ignore::overrides::{Override, OverrideBuilder};

use crate::dialect::{Dialect, Isolation};
use crate::finding::{Confidence, Severity};
use crate::source::{self, Place};

pub use keep::Kept;
pub use parse::parse;

/// In bytes.
const SIZE_LIMIT: u64 = 1 << 20;

/// What one run is told, from the configuration file and then from the command line.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file it was read from, as it is shown; `None` without one.
    pub path: Option<String>,
    /// The directory that globs and schema files are relative to. Absolute.
    pub dir: PathBuf,
    pub dialect: Option<Dialect>,
    /// The level of transactions that set none.
    pub isolation: Option<Isolation>,
    /// Absolute; whether they lie inside the project is seen when they are read.
    pub schema: Vec<PathBuf>,
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// Whether one process alone runs the program, so that a mutex in memory protects its rows.
    pub single_process: bool,
    /// Patterns of paths, such as `crate::jobs::*::run`.
    pub entry_points: Vec<String>,
    /// Columns that name the one user who touches the row.
    pub owner_columns: Vec<String>,
    pub min_confidence: Option<Confidence>,
    /// The level of rules that are not in `rules`.
    pub unlisted: Option<Level>,
    pub rules: BTreeMap<String, Level>,
    /// Patterns of functions that reach outside of the process.
    pub effects: Vec<String>,
    pub clients: Vec<Client>,
    pub allows: Vec<Allow>,
    /// From the command line: only these rules, when there are any, even those that are off.
    pub selected: Vec<String>,
    /// From the command line: not these rules.
    pub ignored: Vec<String>,
}

/// Whether, and how gravely, a rule is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Off,
    At(Severity),
}

/// `[[client]]`: a database wrapper of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub name: String,
    /// The crate that defines it, with `_`; `None` for any of the workspace.
    pub krate: Option<String>,
    pub calls: Vec<Call>,
}

/// `[[client.call]]`. At least one of `sql` and `kind` is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    pub method: String,
    /// The type it is called on.
    pub on: Option<String>,
    /// The index of the argument that is the SQL text, without self.
    pub sql: Option<u8>,
    pub kind: Option<CallKind>,
    pub table: Option<String>,
    pub gives: Option<Gives>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    Read,
    Write,
    Begin,
    Commit,
    Rollback,
    Effect,
}

/// What a call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    Row,
    /// A row that may be missing.
    Option,
    Rows,
    Value,
    /// How many rows changed.
    Count,
    Nothing,
}

/// `[[allow]]`: findings that are accepted.
#[derive(Clone, Debug)]
pub struct Allow {
    /// `None` for every rule.
    pub rule: Option<String>,
    /// The glob as written; `None` for every file.
    pub path: Option<String>,
    pub reason: String,
    /// The line (from 1) in the configuration.
    pub line: u32,
    files: Gitignore,
}

/// What is wrong with a configuration, in the order in which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// As it is shown.
    pub path: String,
    /// Never empty.
    pub faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line and column in characters, both from 1; `None` when the file itself could not be read.
    pub at: Option<(u32, u32)>,
    /// One sentence, lower case, no full stop.
    pub text: String,
}

impl Config {
    /// Whether `[effects]` names a function: its path, or the end of it, with `*` for any text.
    pub fn is_effect(&self, path: &str) -> bool {
        self.effects.iter().any(|pattern| matches_path(pattern, path))
    }

    /// Whether `entry_points` names a function, in the same way.
    pub fn is_entry_point(&self, path: &str) -> bool {
        self.entry_points.iter().any(|pattern| matches_path(pattern, path))
    }

    /// How a rule is reported whose page says `own`.
    pub fn level(&self, rule: &str, own: Severity) -> Level {
        let named = |rules: &[String]| rules.iter().any(|name| name == rule);
        if named(&self.ignored) || !self.selected.is_empty() && !named(&self.selected) {
            return Level::Off;
        }
        let level = self.rules.get(rule).copied().or(self.unlisted).unwrap_or(Level::At(own));
        if level == Level::Off && named(&self.selected) { Level::At(own) } else { level }
    }

    /// The index in `allows` of the first entry that accepts a finding of `rule` in the file shown as `path`, below `root`.
    pub fn allowed(&self, rule: &str, root: &Path, path: &str) -> Option<usize> {
        self.allows.iter().position(|allow| {
            allow.rule.as_deref().is_none_or(|name| name == rule)
                && (allow.path.is_none() || allow.covers(&root.join(path)))
        })
    }

    /// `include` and `exclude` as the walk takes them.
    pub fn selection(&self) -> Option<Override> {
        if self.include.is_empty() && self.exclude.is_empty() {
            return None;
        }
        let mut builder = OverrideBuilder::new(&self.dir);
        let globs = self.include.iter().cloned().chain(self.exclude.iter().map(|glob| format!("!{glob}")));
        for glob in globs {
            // Every glob was compiled once when the file was read.
            builder.add(&glob).ok()?;
        }
        builder.build().ok()
    }
}

impl Allow {
    fn covers(&self, file: &Path) -> bool {
        file.starts_with(self.files.path()) && self.files.matched_path_or_any_parents(file, false).is_ignore()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            match fault.at {
                Some((line, column)) => write!(out, "{}:{line}:{column}: {}", self.path, fault.text)?,
                None => write!(out, "{}: {}", self.path, fault.text)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Reads a file that the user named. `rules` are the ids that exist.
pub fn read(path: &Path, rules: &[&str]) -> Result<Config, Error> {
    let shown = source::shown(path);
    let fail = |text| Error { path: shown.clone(), faults: vec![Fault { at: None, text }] };
    let canonical = path.canonicalize().map_err(|cause| fail(source::cause_of(&cause)))?;
    let text = source::text(&canonical, SIZE_LIMIT).map_err(|refused| fail(refused.to_string()))?;
    let dir = canonical.parent().unwrap_or(&canonical);
    if canonical.file_name().is_some_and(|name| name == "Cargo.toml") {
        return Ok(parse::manifest(&text, &shown, dir, rules)?.unwrap_or_default());
    }
    parse(&text, &shown, dir, rules)
}

/// The nearest configuration above what is looked at and within its repository; the default when there is none.
///
/// In one directory racelint.toml wins over .racelint.toml, and that over `[workspace.metadata.racelint]` and
/// `[package.metadata.racelint]` of Cargo.toml.
pub fn find(place: &Place, rules: &[&str]) -> Result<Config, Error> {
    let common = |dir: &&Path| place.given.iter().all(|given| given.path.starts_with(dir));
    let Some(first) = place.given.first() else { return Ok(Config::default()) };
    for dir in first.upward().filter(common) {
        for name in ["racelint.toml", ".racelint.toml", "Cargo.toml"] {
            let path = dir.join(name);
            let shown = place.shown(&path);
            let text = match source::text(&path, SIZE_LIMIT) {
                Ok(text) => text,
                Err(refused) if refused.is_not_found() || name == "Cargo.toml" => continue,
                Err(refused) => {
                    return Err(Error { path: shown, faults: vec![Fault { at: None, text: refused.to_string() }] });
                }
            };
            let config = match name {
                "Cargo.toml" => parse::manifest(&text, &shown, dir, rules)?,
                _ => Some(parse(&text, &shown, dir, rules)?),
            };
            if let Some(config) = config {
                return Ok(config);
            }
        }
    }
    Ok(Config { dir: place.root.clone(), ..Config::default() })
}

/// Whether `pattern`, in which `*` stands for any text, fits `path` or the names at its end.
fn matches_path(pattern: &str, path: &str) -> bool {
    let fits = |text: &str| {
        let mut pieces = pattern.split('*');
        let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
        let mut open = false;
        for piece in pieces {
            open = true;
            if piece.is_empty() {
                continue;
            }
            let Some(at) = rest.find(piece) else { return false };
            rest = &rest[at + piece.len()..];
            open = false;
        }
        rest.is_empty() || open
    };
    fits(path) || path.match_indices("::").any(|(at, _)| fits(&path[at + 2..]))
}
