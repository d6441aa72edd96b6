//! Annotations of a pull request, as workflow commands on standard output.
//!
//! A step shows no more than ten annotations, so the gravest come first. The place is repeated in the message, since
//! a command's properties never reach the log.

use super::position::{Place, Places};
use super::{Options, Report, escape, summary};
use crate::finding::{Finding, Severity};

pub fn render(report: &Report<'_>, options: &Options<'_>) -> String {
    let places = Places::new(report.workspace);
    let mut out = String::new();
    for finding in summary::gravest_first(report.findings) {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = places.first_line(finding.at);
        let title = format!("racelint: {}", finding.rule);
        out.push_str(&line(command, &title, &place, &message(finding, &place, &places)));
    }
    for notice in report.notices.iter().filter(|notice| notice.kind.is_skip()) {
        let title = escape::command_property(&format!("racelint: {}", summary::notice_kind(notice.kind)));
        let place = summary::notice_place(&places, notice);
        let text = escape::command_data(&format!("{place}: {}", notice.text));
        let file = escape::command_property(&notice.path);
        out.push_str(&format!("::warning title={title},file={file}::{text}\n"));
    }
    if !options.quiet {
        out.push_str(&summary::line(report.findings.len(), &report.counts));
        out.push('\n');
    }
    out
}

fn line(command: &str, title: &str, place: &Place<'_>, message: &str) -> String {
    format!(
        "::{command} title={},file={},line={},endLine={},col={},endColumn={}::{message}\n",
        escape::command_property(title),
        escape::command_property(place.path),
        place.start.line,
        place.end.line,
        place.start.column,
        place.end.column,
    )
}

/// The message and the other places, one a line, escaped.
fn message(finding: &Finding, place: &Place<'_>, places: &Places<'_>) -> String {
    let at = |place: &Place<'_>| format!("{}:{}:{}", place.path, place.start.line, place.start.column);
    let mut lines = vec![format!("{}: {} {}", at(place), finding.rule, finding.message)];
    for label in finding.labels.iter().take(10) {
        let place = places.place(label.span);
        lines.push(format!("{} at {}: {}", summary::role(label.role), at(&place), label.text));
    }
    lines.push(format!("why: {}", finding.why));
    if let Some(rewrite) = finding.rewrites.first() {
        lines.push(format!("help: {}", rewrite.title));
    }
    lines.iter().map(|line| escape::command_data(line)).collect::<Vec<_>>().join("%0A")
}
