//! GitLab's code quality report: an array of issues, each with a fingerprint that stays when lines move.

use serde::Serialize;

use super::position::Places;
use super::{Report, escape};
use crate::finding::{Finding, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

pub fn render(report: &Report<'_>) -> String {
    let places = Places::new(report.workspace);
    let issues: Vec<_> = report.findings.iter().map(|finding| issue(finding, &places)).collect();
    escape::json(&serde_json::to_string_pretty(&issues).unwrap_or_default()) + "\n"
}

fn issue<'a>(finding: &'a Finding, places: &Places<'a>) -> Issue<'a> {
    let place = places.place(finding.at);
    Issue {
        description: escape::line(&format!("{}: {}", finding.message, finding.why)),
        check_name: finding.rule,
        fingerprint: &finding.fingerprint,
        severity: match finding.severity {
            Severity::Error => "critical",
            Severity::Warning => "major",
            Severity::Note => "info",
        },
        location: Location { path: place.path, lines: Lines { begin: place.start.line } },
    }
}
