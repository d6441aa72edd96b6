//! The rules of a run: each page as GitHub shows it beside an alert.

use serde_json::{Value, json};

use super::level;
use crate::finding::{Finding, Severity};
use crate::report::{escape, summary};
use crate::rules::Page;

/// The characters that GitHub keeps of a rule's descriptions.
const DESCRIPTION: usize = 1_024;
/// The tags that GitHub keeps of a rule.
const TAGS: usize = 10;

/// The rules in the order of their indices: those with a page first, then others that were found.
pub struct Rules<'a> {
    pages: &'a [Page],
    others: Vec<&'a Finding>,
}

impl<'a> Rules<'a> {
    pub fn new(pages: &'a [Page], findings: &[&'a Finding]) -> Self {
        let mut others: Vec<&Finding> = Vec::new();
        for finding in findings {
            let known = pages.iter().any(|page| page.id == finding.rule)
                || others.iter().any(|other| other.rule == finding.rule);
            if !known {
                others.push(finding);
            }
        }
        Self { pages, others }
    }

    /// The index of a rule that has a page or a finding.
    pub fn index(&self, rule: &str) -> usize {
        let page = self.pages.iter().position(|page| page.id == rule);
        let other = || self.others.iter().position(|other| other.rule == rule).map(|at| self.pages.len() + at);
        page.or_else(other).unwrap_or(self.pages.len())
    }

    pub fn to_json(&self) -> Vec<Value> {
        let pages = self.pages.iter().map(paged);
        pages.chain(self.others.iter().map(|finding| unpaged(finding))).collect()
    }
}

/// The project's page in the web, when the manifest names one.
pub fn home() -> Option<&'static str> {
    [env!("CARGO_PKG_HOMEPAGE"), env!("CARGO_PKG_REPOSITORY")].into_iter().find(|uri| !uri.is_empty())
}

fn paged(page: &Page) -> Value {
    let mut tags = vec!["security".to_string(), "concurrency".to_string(), "database".to_string()];
    tags.extend(page.cwe.iter().map(|number| format!("external/cwe/cwe-{number:03}")));
    tags.truncate(TAGS);
    let summary = summary::clip(page.summary, DESCRIPTION - 2, "…");
    let mut rule = json!({
        "id": page.id,
        "name": pascal(page.id),
        "shortDescription": { "text": sentence(&summary) },
        "fullDescription": { "text": sentence(&full_description(page).unwrap_or(summary)) },
        "help": { "text": page.body, "markdown": page.body },
        "defaultConfiguration": { "level": level(page.severity) },
        "properties": {
            "tags": tags,
            "precision": page.precision.name(),
            "problem.severity": problem_severity(page.severity),
            "security-severity": page.security_severity,
        },
    });
    if let Some(home) = home() {
        rule["helpUri"] = json!(format!("{home}/blob/main/rules/{}.md", page.id));
    }
    rule
}

/// A rule that has no page: what its first finding says.
fn unpaged(finding: &Finding) -> Value {
    let text = sentence(&summary::clip(&escape::line(&finding.message), DESCRIPTION - 2, "…"));
    json!({
        "id": finding.rule,
        "name": pascal(finding.rule),
        "shortDescription": { "text": text },
        "fullDescription": { "text": text },
        "help": { "text": text },
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": {
            "tags": ["security", "concurrency", "database"],
            "precision": "medium",
            "problem.severity": problem_severity(finding.severity),
        },
    })
}

/// The first paragraph of the page that is prose, on one line.
fn full_description(page: &Page) -> Option<String> {
    let prose = |paragraph: &&str| !paragraph.starts_with(['#', '`', '|', '-', '*']) && !paragraph.is_empty();
    let paragraph = page.body.split("\n\n").map(str::trim).find(prose)?;
    Some(summary::clip(&escape::line(paragraph), DESCRIPTION - 2, "…"))
}

/// GitHub's third word is not SARIF's.
fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "recommendation",
    }
}

/// `lost-update` as `LostUpdate`.
fn pascal(id: &str) -> String {
    id.split('-')
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        })
        .collect()
}

/// With a capital and a full stop, as SARIF's descriptions are written.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let rest = chars.as_str().trim_end_matches('.');
    format!("{}{rest}.", first.to_uppercase())
}
