//! `racelint baseline`, and the file as `check --baseline` reads it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{self, Reading};
use super::check::Shown;
use super::found::{Found, Needs};
use super::progress::Bar;
use super::{Failure, check, commands};
use crate::baseline::{Baseline, Entry};
use crate::config::{Config, Level};
use crate::finding::Severity;
use crate::notice::{Notice, NoticeKind};
use crate::progress::Progress;
use crate::report::summary::count;
use crate::source::{self, Workspace};

/// In bytes; some 50,000 findings.
const SIZE_LIMIT: u64 = 16 << 20;

/// A baseline, and where it stands.
pub struct Listed {
    baseline: Baseline,
    /// Canonical.
    dir: PathBuf,
    shown: String,
}

/// Writes today's findings, and says what that changes.
pub fn run(arguments: &args::Baseline) -> Result<u8, Failure> {
    let progress = Arc::new(Progress::default());
    let bar = Bar::start(progress.clone(), false);
    let mut found = Found::at(&arguments.reading, Needs::Places)?;
    let outcome = found.outcome(&progress);
    let read = found.read;
    let shown = read.shown(outcome.findings, outcome.notices, outcome.hidden.len());
    drop(bar);
    let path = &arguments.output;
    let dir = directory(path)?;
    let before = match path.exists() {
        true => Some(open(path)?.baseline),
        false => None,
    };
    let baseline = Baseline::of(&shown.findings, &read.workspace, &dir);
    check::to_file(path, baseline.render().as_bytes())?;
    let mut said = format!("wrote {}: {}", source::shown(path), count(baseline.findings.len(), "finding"));
    if let Some(before) = before {
        let more = |a: &Baseline, b: &Baseline| a.findings.iter().filter(|entry| !b.lists(entry)).count();
        said += &format!(", {} new, {} gone", more(&baseline, &before), more(&before, &baseline));
    }
    commands::print(format!("{}\n", crate::report::escape::line(&said)).as_bytes())
}

/// Reads the file that the user named.
pub fn open(path: &Path) -> Result<Listed, Failure> {
    let shown = source::shown(path);
    let canonical = path.canonicalize().map_err(|cause| Failure(format!("{shown}: {}", source::cause_of(&cause))))?;
    let text = source::text(&canonical, SIZE_LIMIT).map_err(|refused| Failure(format!("{shown}: {refused}")))?;
    let baseline = Baseline::parse(&text).map_err(|error| Failure(format!("{shown}:{error}")))?;
    let dir = canonical.parent().unwrap_or(&canonical).to_owned();
    Ok(Listed { baseline, dir, shown })
}

impl Listed {
    /// Leaves out the findings that are listed, counts them, and tells those that are listed and gone.
    ///
    /// `all` are the fingerprints of every finding of the run, those included that are not shown for another reason.
    pub fn apply(&self, shown: &mut Shown, all: &[String], workspace: &Workspace, config: &Config, reading: &Reading) {
        let applied = self.baseline.apply(std::mem::take(&mut shown.findings));
        shown.findings = applied.new;
        shown.baseline = applied.known;
        let looked_at = LookedAt::new(workspace, reading);
        let gone = self.baseline.gone(all).into_iter();
        let gone = gone.filter(|entry| config.level(&entry.rule, Severity::Error) != Level::Off);
        let gone = gone.filter(|entry| looked_at.has(&self.dir.join(&entry.path)));
        shown.notices.extend(gone.map(|entry| self.told(entry)));
    }

    fn told(&self, entry: &Entry) -> Notice {
        let Entry { rule, path, function, table, .. } = entry;
        let text =
            format!("{rule} on {table} in {function} ({path}) is gone; `racelint baseline` takes it off the list");
        Notice { path: self.shown.clone(), span: None, kind: NoticeKind::Suppression, text }
    }
}

/// Which files a run can speak of: those that it read, and those that would have been and are no more.
struct LookedAt<'w> {
    workspace: &'w Workspace,
    given: Vec<PathBuf>,
}

impl<'w> LookedAt<'w> {
    fn new(workspace: &'w Workspace, reading: &Reading) -> Self {
        let given = reading.paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
        Self { workspace, given }
    }

    fn has(&self, file: &Path) -> bool {
        let Ok(shown) = file.strip_prefix(&self.workspace.root).map(source::shown) else { return false };
        let read = self.workspace.files.iter().any(|read| read.path == shown);
        let skipped = self.workspace.notices.iter().any(|notice| notice.kind.is_skip() && notice.path == shown);
        let missing = || !file.exists() && self.given.iter().any(|given| file.starts_with(given));
        !skipped && (read || missing())
    }
}

fn directory(path: &Path) -> Result<PathBuf, Failure> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    dir.canonicalize().map_err(|cause| Failure(format!("{}: {}", source::shown(dir), source::cause_of(&cause))))
}
