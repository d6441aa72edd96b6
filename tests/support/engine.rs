//! The one place where the tests ask racelint: files in, findings out, in lines.

use std::path::Path;

use racelint::config::{self, Config};
use racelint::finding::{Confidence, Finding, Role};
use racelint::rules;
use racelint::source::lines::LineIndex;
use racelint::source::{self, Workspace};
use racelint::span::Span;

/// What racelint says of a workspace.
#[derive(Debug)]
pub struct Answer {
    /// What is shown by default: findings of high and medium confidence.
    pub found: Vec<Found>,
    /// How many statements and calls were not understood.
    pub unknown: usize,
}

/// A finding, with lines instead of byte ranges.
#[derive(Debug)]
pub struct Found {
    pub rule: String,
    pub path: String,
    /// From 1.
    pub line: usize,
    pub message: String,
    pub why: String,
    pub labels: Vec<FoundLabel>,
}

#[derive(Debug)]
pub struct FoundLabel {
    pub role: Role,
    pub path: String,
    pub first: usize,
    pub last: usize,
}

/// Analyses a workspace given as text. `config` is the text of a racelint.toml.
pub fn ask(files: Vec<(String, String)>, config: &str) -> Result<Answer, String> {
    let config = configuration(config)?;
    let workspace = source::memory(files);
    if let Some(notice) = workspace.notices.first() {
        return Err(format!("{}: {}", notice.path, notice.text));
    }
    let analysis = racelint::analyse(&workspace, &config);
    let shown = analysis.findings.iter().filter(|finding| finding.confidence >= Confidence::Medium);
    let found = shown.map(|finding| in_lines(&workspace, finding)).collect();
    Ok(Answer { found, unknown: analysis.counts.unknown })
}

/// Reads a racelint.toml.
pub fn configuration(text: &str) -> Result<Config, String> {
    let ids: Vec<&str> = rules::pages().iter().map(|page| page.id).collect();
    config::parse(text, "racelint.toml", Path::new(""), &ids).map_err(|error| error.to_string())
}

fn in_lines(workspace: &Workspace, finding: &Finding) -> Found {
    let (path, line, _) = place(workspace, finding.at);
    let labels = finding.labels.iter().map(|label| {
        let (path, first, last) = place(workspace, label.span);
        FoundLabel { role: label.role, path, first, last }
    });
    Found {
        rule: finding.rule.to_owned(),
        path,
        line,
        message: finding.message.clone(),
        why: finding.why.clone(),
        labels: labels.collect(),
    }
}

/// The path, and the first and last line.
fn place(workspace: &Workspace, span: Span) -> (String, usize, usize) {
    let file = workspace.file(span.file);
    let index = LineIndex::new(&file.text);
    let last = span.at.end.saturating_sub(1).max(span.at.start);
    (file.path.clone(), index.line(span.at.start) as usize, index.line(last) as usize)
}
