//! `racelint check`: read, analyse, keep, report.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::args::{Check, Color, Destination, Reading};
use super::found::{Found, Needs};
use super::progress::Bar;
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FINDINGS, Failure, POOL_STACK, baseline, output, stdin};
use crate::analyse::Statistics;
use crate::config::near::nearest;
use crate::config::{self, Config};
use crate::finding::{Finding, Protected, Severity};
use crate::gather;
use crate::notice::{Notice, NoticeKind};
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::report::{self, Counts, Format, Report, escape, summary};
use crate::since::{self, Past};
use crate::source::{self, Workspace};
use crate::span::FileId;

/// Runs one check; the exit status, or why there was none.
pub fn run(check: &Check) -> Result<u8, Failure> {
    let started = Instant::now();
    let listed = check.baseline.as_deref().map(baseline::open).transpose()?;
    let progress = Arc::new(Progress::default());
    let bar = Bar::start(progress.clone(), check.quiet);
    let needs = if check.since.is_some() { Needs::Everything } else { Needs::Places };
    let mut found = match &check.stdin_filename {
        Some(file) => Found::anew(stdin::read(file, &check.reading)?),
        None => Found::at(&check.reading, needs)?,
    };
    let past = check.since.as_deref().map(|name| found.read.past(name)).transpose()?;
    let Outcome { findings, hidden, notices, counts, statistics, safe } = found.outcome(&progress);
    let read = &found.read;
    let all = || findings.iter().map(|finding| finding.fingerprint.clone()).chain(hidden.iter().cloned()).collect();
    let all: Vec<String> = listed.as_ref().map_or_else(Vec::new, |_| all());
    let mut shown = read.shown(findings, notices, hidden.len());
    if let Some(past) = past {
        let before = || {
            let Outcome { findings, notices, hidden, .. } = found.outcome_of_past(&past.workspace, &progress);
            let earlier = Read { workspace: past.workspace.clone(), ..read.clone() };
            earlier.shown(findings, notices, hidden.len()).findings
        };
        let selected = past.select(std::mem::take(&mut shown.findings), &read.workspace, &before);
        shown.findings = selected.findings;
        shown.untouched = selected.untouched;
    }
    drop(bar);
    if let Some(listed) = listed {
        listed.apply(&mut shown, &all, &read.workspace, &read.config, &check.reading);
    }
    if let Some(file) = read.only {
        shown.keep_only(file, &read.workspace);
    }
    shown.findings = gather::by_helper(shown.findings);
    let notices = all_notices(&read.workspace, shown.notices, read.only.is_some());
    let counts = Counts {
        skipped: skipped(&notices),
        low: counts.low + shown.low,
        suppressed: shown.suppressed,
        baseline: shown.baseline,
        untouched: shown.untouched,
        ..counts
    };
    let report = Report { workspace: &read.workspace, findings: &shown.findings, notices: &notices, counts };
    write(check, &report, &safe, started)?;
    if check.statistics {
        output::to_stderr(&told_of(&statistics, check.verbose));
    }
    Ok(status(check, &shown.findings, counts.skipped))
}

/// All that one run analyses.
#[derive(Clone)]
pub struct Read {
    pub workspace: Workspace,
    pub config: Config,
    /// How the disk was read.
    pub options: source::Options,
    /// The one file that is asked about.
    pub only: Option<FileId>,
    pub paths: Vec<PathBuf>,
}

/// What is shown of one analysis, and how much is not.
#[derive(Default)]
pub struct Shown {
    pub findings: Vec<Finding>,
    /// Without those of the workspace.
    pub notices: Vec<Notice>,
    pub low: usize,
    pub suppressed: usize,
    pub baseline: usize,
    pub untouched: usize,
}

impl Read {
    /// What the configuration leaves of an outcome; a comment accepts as many findings as are hidden.
    pub fn shown(&self, findings: Vec<Finding>, notices: Vec<Notice>, hidden: usize) -> Shown {
        let kept = self.config.keep(findings, &self.workspace);
        Shown {
            findings: kept.findings,
            notices: [notices, kept.notices].concat(),
            low: kept.low,
            suppressed: hidden + kept.suppressed,
            ..Shown::default()
        }
    }

    fn past(&self, name: &str) -> Result<Past, Failure> {
        let place = source::place(&self.paths).map_err(|error| Failure(error.to_string()))?;
        since::read(&place, &self.workspace, &self.options, name).map_err(|error| Failure(format!("--since: {error}")))
    }
}

impl Shown {
    /// Leaves out what does not stand in one file.
    fn keep_only(&mut self, file: FileId, workspace: &Workspace) {
        let stands =
            |finding: &Finding| finding.at.file == file || finding.labels.iter().any(|label| label.span.file == file);
        self.findings.retain(stands);
        let path = &workspace.file(file).path;
        self.notices.retain(|notice| notice.path == *path);
    }
}

/// The configuration that applies to a path, before the command line has its say.
pub fn found(paths: &[PathBuf]) -> Result<Config, Failure> {
    let place = source::place(paths).map_err(|error| Failure(error.to_string()))?;
    config::find(&place, &rules()).map_err(|error| Failure(error.to_string()))
}

/// The ids of all rules.
pub fn rules() -> Vec<&'static str> {
    crate::rules::pages().iter().map(|page| page.id).collect()
}

/// What to say of a rule that does not exist.
pub fn no_such_rule(rule: &str) -> Failure {
    let near = nearest(rule, rules()).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    Failure(format!("there is no rule `{rule}`{near}; `racelint rules` lists them"))
}

pub fn configuration(reading: &Reading, paths: &[PathBuf]) -> Result<Config, Failure> {
    let mut config = match &reading.config {
        _ if reading.isolated => Config::default(),
        Some(path) => config::read(path, &rules()).map_err(|error| Failure(error.to_string()))?,
        None => found(paths)?,
    };
    let known = rules();
    if let Some(unknown) = reading.select.iter().chain(&reading.ignore).find(|rule| !known.contains(&rule.as_str())) {
        return Err(no_such_rule(unknown));
    }
    config.selected.clone_from(&reading.select);
    config.ignored.clone_from(&reading.ignore);
    config.dialect = reading.dialect.or(config.dialect);
    config.isolation = reading.isolation.or(config.isolation);
    config.min_confidence = reading.min_confidence.or(config.min_confidence);
    Ok(config)
}

pub fn options(reading: &Reading, config: &Config) -> source::Options {
    source::Options {
        max_file_size: reading.size_limit(),
        selection: config.selection(),
        schema: config.schema.clone(),
    }
}

/// Parallel work runs on the global pool, whose threads get a stack that deep trees fit in.
pub fn start_threads(threads: Option<u16>) -> Result<(), Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).stack_size(POOL_STACK);
    pool.build_global().map_err(|error| Failure(format!("no threads could be started: {error}")))
}

fn all_notices(workspace: &Workspace, more: Vec<Notice>, one_file: bool) -> Vec<Notice> {
    let mut notices = if one_file { Vec::new() } else { workspace.notices.clone() };
    notices.extend(more);
    if workspace.files.is_empty() {
        let text = "no Rust or SQL file was found".to_owned();
        notices.push(Notice { path: ".".to_owned(), span: None, kind: NoticeKind::Config, text });
    }
    notices.sort();
    notices.dedup();
    notices
}

/// How many files or directories were left out, or not in full.
fn skipped(notices: &[Notice]) -> usize {
    let mut paths: Vec<_> = notices.iter().filter(|notice| notice.kind.is_skip()).map(|notice| &notice.path).collect();
    paths.dedup();
    paths.len()
}

fn write(check: &Check, report: &Report<'_>, safe: &[Protected], started: Instant) -> Result<(), Failure> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let terminal = Terminal { is_terminal: io::stdout().is_terminal(), variable: &variable };
    let in_file = report::Options {
        color: check.color == Color::Always,
        unicode: true,
        category: check.category.clone(),
        quiet: check.quiet,
        verbose: check.verbose,
        safe: check.explain_safe.then_some(safe),
        ..report::Options::default()
    };
    let on_screen = report::Options {
        color: terminal.color(check.color),
        unicode: terminal.unicode(),
        width: terminal.width(),
        links: terminal.links(),
        took: terminal.is_terminal.then(|| started.elapsed()),
        ..in_file.clone()
    };
    let default = [Destination { format: Format::Text, file: None }];
    let destinations = if check.format.is_empty() { &default[..] } else { &check.format };

    let mut screen = Vec::new();
    let options = if check.output.is_some() { &in_file } else { &on_screen };
    for destination in destinations {
        match &destination.file {
            None => render(destination.format, report, options, &mut screen)?,
            Some(file) => {
                let mut bytes = Vec::new();
                render(destination.format, report, &in_file, &mut bytes)?;
                to_file(file, &bytes)?;
            }
        }
    }
    let is_told = |destination: &Destination| {
        destination.file.is_none() && matches!(destination.format, Format::Text | Format::Concise)
    };
    if check.output.is_some() || !destinations.iter().any(is_told) {
        output::to_stderr(&told(check, report, started));
    }
    match &check.output {
        Some(file) => to_file(file, &screen),
        None => output::to_stdout(&screen)
            .map_err(|cause| Failure(format!("standard output: {}", source::cause_of(&cause)))),
    }
}

fn render(
    format: Format,
    report: &Report<'_>,
    options: &report::Options<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    report::write(format, report, options, out).map_err(|cause| Failure(format!("{format}: {cause}")))
}

pub fn to_file(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    output::to_file(file, bytes)
        .map_err(|cause| Failure(format!("{}: {}", source::shown(file), source::cause_of(&cause))))
}

/// What people should know when all reports are for machines: what was left out, and how much was found.
fn told(check: &Check, report: &Report<'_>, started: Instant) -> String {
    let shown = report.notices.iter().filter(|notice| notice.kind.is_skip() || !check.quiet);
    let mut text: String = shown
        .map(|notice| format!("racelint: warning: {}: {}\n", escape::line(&notice.path), escape::line(&notice.text)))
        .collect();
    if !check.quiet {
        text +=
            &format!("racelint: {}\n", summary::timed(report.findings.len(), &report.counts, Some(started.elapsed())));
    }
    escape::log(&text)
}

fn told_of(statistics: &Statistics, verbose: bool) -> String {
    let mut reasons: Vec<_> = statistics.unknown.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let calls = &statistics.calls;
    let all = calls.resolved + calls.several + calls.unknown;
    let mut text = format!(
        "calls that lead to a statement: {all}, of which {} resolved, {} to one of several functions, {} on a value of unknown type\n",
        calls.resolved, calls.several, calls.unknown
    );
    if verbose {
        let names = calls.unknown_names.iter().map(|(name, count)| format!("{count:>7}  .{}()\n", escape::line(name)));
        text.extend(names);
    }
    if reasons.is_empty() {
        return escape::log(&(text + "everything was understood\n"));
    }
    let lines = reasons.iter().map(|(reason, count)| format!("{count:>7}  {}\n", escape::line(reason)));
    escape::log(&[text, "not understood:\n".to_owned()].into_iter().chain(lines).collect::<String>())
}

fn status(check: &Check, findings: &[Finding], skipped: usize) -> u8 {
    if check.strict && skipped > 0 {
        return FAILED;
    }
    let grave = check.fail_on.unwrap_or(Severity::Note);
    if !check.exit_zero && findings.iter().any(|finding| finding.severity >= grave) { FINDINGS } else { CLEAN }
}
