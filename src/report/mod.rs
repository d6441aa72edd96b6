//! Findings to bytes: one file per format. Reports decide nothing; they are given what is shown.

use crate::finding::Finding;
use crate::notice::Notice;
use crate::source::Workspace;

/// All that a format may show.
pub struct Report<'a> {
    pub workspace: &'a Workspace,
    /// Sorted by file, offset and rule.
    pub findings: &'a [Finding],
    /// Sorted.
    pub notices: &'a [Notice],
    pub counts: Counts,
}

/// What the last line counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub files: usize,
    pub skipped: usize,
    pub functions: usize,
    pub statements: usize,
    /// Statements and calls that were not understood.
    pub unknown: usize,
    /// Findings left out for their low confidence.
    pub low: usize,
    /// Findings silenced by a comment or the configuration.
    pub suppressed: usize,
}
