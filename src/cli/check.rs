//! `racelint check`: read, analyse, keep, report.

use std::io::{self, IsTerminal};
use std::path::Path;

use rustc_hash::FxHashSet;

use super::args::{Check, Color, Destination};
use super::terminal::Terminal;
use super::{CLEAN, FAILED, FINDINGS, Failure, POOL_STACK, output};
use crate::analyse::{self, Statistics};
use crate::config::near::nearest;
use crate::config::{self, Config};
use crate::finding::{Finding, Protected, Severity};
use crate::gather;
use crate::notice::{Notice, NoticeKind};
use crate::report::{self, Counts, Format, Report, escape, summary};
use crate::silence;
use crate::source::{self, Workspace};

/// Runs one check; the exit status, or why there was none.
pub fn run(check: &Check) -> Result<u8, Failure> {
    let config = configuration(check)?;
    start_threads(check.threads)?;
    let workspace = read(check, &config)?;
    let analysis = analyse::analyse(&workspace, &config);

    let unread: FxHashSet<String> = analysis.notices.iter().map(|notice| notice.path.clone()).collect();
    let silenced = silence::by_comments(analysis.findings, &workspace, &rules(), &unread);
    let mut kept = config.keep(silenced.findings, &workspace);
    kept.findings = gather::by_helper(kept.findings);
    let notices = all_notices(&workspace, [analysis.notices, silenced.notices, kept.notices].concat());
    let counts = Counts {
        skipped: skipped(&notices),
        low: analysis.counts.low + kept.low,
        suppressed: silenced.suppressed + kept.suppressed,
        ..analysis.counts
    };
    let report = Report { workspace: &workspace, findings: &kept.findings, notices: &notices, counts };
    write(check, &report, &analysis.safe)?;
    if check.statistics {
        output::to_stderr(&statistics(&analysis.statistics, check.verbose));
    }
    Ok(status(check, &kept.findings, counts.skipped))
}

/// The configuration that applies to a path, before the command line has its say.
pub fn found(paths: &[std::path::PathBuf]) -> Result<Config, Failure> {
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

fn configuration(check: &Check) -> Result<Config, Failure> {
    let mut config = match &check.config {
        _ if check.isolated => Config::default(),
        Some(path) => config::read(path, &rules()).map_err(|error| Failure(error.to_string()))?,
        None => found(&check.paths)?,
    };
    let known = rules();
    if let Some(unknown) = check.select.iter().chain(&check.ignore).find(|rule| !known.contains(&rule.as_str())) {
        return Err(no_such_rule(unknown));
    }
    config.selected.clone_from(&check.select);
    config.ignored.clone_from(&check.ignore);
    config.dialect = check.dialect.or(config.dialect);
    config.isolation = check.isolation.or(config.isolation);
    config.min_confidence = check.min_confidence.or(config.min_confidence);
    Ok(config)
}

/// Parallel work runs on the global pool, whose threads get a stack that deep trees fit in.
fn start_threads(threads: Option<u16>) -> Result<(), Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).stack_size(POOL_STACK);
    pool.build_global().map_err(|error| Failure(format!("no threads could be started: {error}")))
}

fn read(check: &Check, config: &Config) -> Result<Workspace, Failure> {
    let options = source::Options {
        max_file_size: check.size_limit(),
        selection: config.selection(),
        schema: config.schema.clone(),
    };
    source::read(&check.paths, &options).map_err(|error| Failure(error.to_string()))
}

fn all_notices(workspace: &Workspace, more: Vec<Notice>) -> Vec<Notice> {
    let mut notices = workspace.notices.clone();
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

fn write(check: &Check, report: &Report<'_>, safe: &[Protected]) -> Result<(), Failure> {
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
        output::to_stderr(&told(check, report));
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

fn to_file(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    output::to_file(file, bytes)
        .map_err(|cause| Failure(format!("{}: {}", source::shown(file), source::cause_of(&cause))))
}

/// What people should know when all reports are for machines: what was left out, and how much was found.
fn told(check: &Check, report: &Report<'_>) -> String {
    let shown = report.notices.iter().filter(|notice| notice.kind.is_skip() || !check.quiet);
    let mut text: String = shown
        .map(|notice| format!("racelint: warning: {}: {}\n", escape::line(&notice.path), escape::line(&notice.text)))
        .collect();
    if !check.quiet {
        text += &format!("racelint: {}\n", summary::line(report.findings.len(), &report.counts));
    }
    escape::log(&text)
}

fn statistics(statistics: &Statistics, verbose: bool) -> String {
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
