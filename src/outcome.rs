//! What one run found out, before the configuration, a baseline or a commit says what is shown of it.

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::analyse::{Analysis, Statistics};
use crate::finding::{Finding, Protected};
use crate::notice::Notice;
use crate::report::Counts;
use crate::rules;
use crate::silence;
use crate::source::Workspace;

/// With the workspace, all that any report needs. It depends on the files and on what the analysis is told alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Those that no comment accepts, sorted by file, offset and rule.
    pub findings: Vec<Finding>,
    /// The fingerprints of those that one accepts.
    pub hidden: Vec<String>,
    /// Without those of the workspace.
    pub notices: Vec<Notice>,
    pub counts: Counts,
    pub statistics: Statistics,
    pub safe: Vec<Protected>,
}

impl Outcome {
    /// What an analysis of a workspace leaves when the comments in it have had their say.
    pub fn of(analysis: Analysis, workspace: &Workspace) -> Self {
        let Analysis { findings, mut notices, counts, statistics, safe } = analysis;
        let unread: FxHashSet<String> = notices.iter().map(|notice| notice.path.clone()).collect();
        let ids: Vec<&str> = rules::pages().iter().map(|page| page.id).collect();
        let silenced = silence::by_comments(findings, workspace, &ids, &unread);
        notices.extend(silenced.notices);
        Self { findings: silenced.findings, hidden: silenced.hidden, notices, counts, statistics, safe }
    }
}
