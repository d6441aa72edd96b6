//! The baseline: findings that were there when racelint came, so that a run reports only what is new.
//!
//! The file is JSON; its schema is `schemas/baseline.schema.json`:
//!
//! ```json
//! {
//!   "version": 1,
//!   "findings": [
//!     { "fingerprint": "0123456789abcdef", "rule": "lost-update", "path": "orders.rs", "function": "crate::orders::f", "table": "seats" }
//!   ]
//! }
//! ```
//!
//! Only the fingerprint is compared: lines may move and code be reformatted. The rest is for people who read the file's
//! changes. Paths are relative to the file's own directory.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::report::escape;
use crate::source::{self, Workspace};

/// Raised when a member changes its meaning or goes away.
const VERSION: u32 = 1;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: Version,
    /// Sorted by path, rule, function and fingerprint, each fingerprint once.
    pub findings: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub path: String,
    pub rule: String,
    pub function: String,
    pub table: String,
    pub fingerprint: Fingerprint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32")]
struct Version(u32);

/// As [`Finding::fingerprint`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint(String);

/// What a baseline leaves of a run's findings.
#[derive(Debug, Default)]
pub struct Applied {
    /// In the order in which they came.
    pub new: Vec<Finding>,
    /// How many the baseline lists.
    pub known: usize,
}

impl Default for Version {
    fn default() -> Self {
        Self(VERSION)
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        match version {
            VERSION => Ok(Self(version)),
            other => Err(format!("version {other} is not known to this racelint, which reads version {VERSION}")),
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if Self::is_one(&text) { Ok(Self(text)) } else { Err(format!("`{text}` is no fingerprint")) }
    }
}

impl Fingerprint {
    pub fn is_one(text: &str) -> bool {
        let (digits, ordinal) = text.split_once('-').map_or((text, None), |(a, b)| (a, Some(b)));
        let hex = digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let counted = ordinal.is_none_or(|number| number.parse::<usize>().is_ok_and(|number| number > 1));
        hex && counted
    }
}

impl Baseline {
    /// Lists findings, with paths relative to `dir`, which is absolute.
    pub fn of(findings: &[Finding], workspace: &Workspace, dir: &Path) -> Self {
        let entry = |finding: &Finding| {
            let path = workspace.root.join(&workspace.file(finding.at.file).path);
            Entry {
                path: source::shown(path.strip_prefix(dir).unwrap_or(&path)),
                rule: finding.rule.to_owned(),
                function: finding.function.clone(),
                table: finding.table.clone(),
                fingerprint: Fingerprint(finding.fingerprint.clone()),
            }
        };
        let findings: BTreeSet<Entry> = findings.iter().map(entry).collect();
        Self { version: Version::default(), findings: findings.into_iter().collect() }
    }

    /// Reads the file's text; fails with line, column and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let said = error.to_string();
            let end = format!(" at line {} column {}", error.line(), error.column());
            format!("{}:{}: {}", error.line(), error.column(), said.strip_suffix(&end).unwrap_or(&said))
        })
    }

    /// The text of the file, one entry a line, so that a change of one finding is a change of one line.
    pub fn render(&self) -> String {
        let line = |entry: &Entry| format!("    {}", serde_json::to_string(entry).unwrap_or_default());
        let lines = self.findings.iter().map(line).collect::<Vec<_>>().join(",\n");
        let findings = if lines.is_empty() { "[]".to_owned() } else { format!("[\n{lines}\n  ]") };
        escape::json(&format!("{{\n  \"version\": {VERSION},\n  \"findings\": {findings}\n}}\n"))
    }

    /// Leaves out the findings that are listed.
    pub fn apply(&self, findings: Vec<Finding>) -> Applied {
        let listed: BTreeSet<&str> = self.findings.iter().map(|entry| entry.fingerprint.0.as_str()).collect();
        let mut applied = Applied::default();
        for finding in findings {
            match listed.contains(finding.fingerprint.as_str()) {
                true => applied.known += 1,
                false => applied.new.push(finding),
            }
        }
        applied
    }

    pub fn lists(&self, entry: &Entry) -> bool {
        self.findings.iter().any(|listed| listed.fingerprint == entry.fingerprint)
    }

    /// The entries that none of these fingerprints is of: what was mended, or is written otherwise now.
    pub fn gone(&self, fingerprints: &[String]) -> Vec<&Entry> {
        let there: BTreeSet<&str> = fingerprints.iter().map(String::as_str).collect();
        self.findings.iter().filter(|entry| !there.contains(entry.fingerprint.0.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, fingerprint: &str) -> Entry {
        Entry {
            path: path.to_owned(),
            rule: "lost-update".to_owned(),
            function: "crate::\u{202e}f".to_owned(),
            table: "t".to_owned(),
            fingerprint: Fingerprint(fingerprint.to_owned()),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let findings = vec![entry("a.rs", "0123456789abcdef"), entry("b.rs", "0123456789abcdef-2")];
        for findings in [Vec::new(), findings] {
            let baseline = Baseline { version: Version::default(), findings };
            let text = baseline.render();
            assert!(!text.contains('\u{202e}') && text.ends_with("}\n"), "{text}");
            assert_eq!(Baseline::parse(&text).unwrap(), baseline);
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let whole =
            Baseline { version: Version::default(), findings: vec![entry("a.rs", "0123456789abcdef")] }.render();
        for (from, to, told) in [
            (
                "\"version\": 1",
                "\"version\": 2",
                "2:14: version 2 is not known to this racelint, which reads version 1",
            ),
            ("\"findings\"", "\"findngs\"", "3:11: unknown field `findngs`"),
            ("0123456789abcdef", "0123456789abcdeX", "`0123456789abcdeX` is no fingerprint"),
            ("]", "", "6:1: expected `,` or `]`"),
            ("\"rule\":\"lost-update\",", "", "missing field `rule`"),
        ] {
            let said = Baseline::parse(&whole.replacen(from, to, 1)).unwrap_err();
            assert!(said.contains(told), "{said}");
        }
    }
}
