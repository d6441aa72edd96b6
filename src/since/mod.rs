//! `--since REF`: findings that the changes since a commit touch, or bring about.
//!
//! A change touches a finding when a changed line holds one of its places: the read, the check, the write, a call that
//! leads there. What is not touched can still be new: a UNIQUE was dropped, a lock was taken out of a helper, a second
//! writer came. So the files as they were are analysed as well, and what was no finding then is reported too.

pub mod changed;
mod git;
mod renamed;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::finding::Finding;
use crate::source::Workspace;
use crate::span::Span;

pub use changed::Changed;
pub use git::read;

/// How the files of a workspace were at an earlier commit.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The commit as it was asked for.
    pub name: String,
    /// Parallel to the workspace's files.
    pub changes: Vec<Changed>,
    /// With the same crates; manifests are not compared.
    pub workspace: Workspace,
}

/// What is left of a run's findings.
#[derive(Debug, Default)]
pub struct Selected {
    /// In the order in which they came.
    pub findings: Vec<Finding>,
    pub untouched: usize,
}

impl Past {
    /// Whether every file is as it was.
    pub fn is_present(&self, now: &Workspace) -> bool {
        self.changes.iter().all(Changed::is_none) && self.workspace.files.len() == now.files.len()
    }

    /// Leaves out findings that the changes neither touch nor bring about. `before` gives the findings of the files as
    /// they were; it is asked only when that can tell something.
    pub fn select(&self, findings: Vec<Finding>, now: &Workspace, before: &dyn Fn() -> Vec<Finding>) -> Selected {
        let touched: Vec<bool> = findings.iter().map(|finding| self.touches(finding)).collect();
        let all = touched.iter().all(|touched| *touched);
        let mut caused = BTreeSet::new();
        if !all && !self.is_present(now) {
            caused = self.caused(&findings, &touched, now, &before());
        }
        let mut selected = Selected::default();
        for (index, mut finding) in findings.into_iter().enumerate() {
            if caused.contains(&index) {
                let older =
                    format!("its own lines are older than {}, and what changed elsewhere brings it about", self.name);
                finding.why = if finding.why.is_empty() { older } else { format!("{}; {older}", finding.why) };
            } else if !touched[index] {
                selected.untouched += 1;
                continue;
            }
            selected.findings.push(finding);
        }
        selected
    }

    fn touches(&self, finding: &Finding) -> bool {
        let changed = |span: Span| self.changes.get(span.file.0 as usize).is_some_and(|changed| changed.meets(span.at));
        places(finding).any(changed)
    }

    /// The indices of findings that are not touched, and were none before.
    fn caused(&self, findings: &[Finding], touched: &[bool], now: &Workspace, before: &[Finding]) -> BTreeSet<usize> {
        let mut known: FxHashMap<&str, usize> = FxHashMap::default();
        before.iter().for_each(|finding| *known.entry(stem(finding)).or_default() += 1);
        let mut fresh = BTreeSet::new();
        for (index, finding) in findings.iter().enumerate().filter(|(index, _)| !touched[*index]) {
            match known.get_mut(stem(finding)) {
                Some(left) if *left > 0 => *left -= 1,
                _ => drop(fresh.insert(index)),
            }
        }
        // What was taken to another module or got another name is the same finding as long as its places say the same.
        let mut moved: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for finding in before {
            if let Some(left) = known.get_mut(stem(finding)).filter(|left| **left > 0) {
                *left -= 1;
                *moved.entry(words(finding, &self.workspace)).or_default() += 1;
            }
        }
        fresh.retain(|index| match moved.get_mut(&words(&findings[*index], now)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        });
        fresh
    }
}

/// Everywhere a finding's sequence stands.
fn places(finding: &Finding) -> impl Iterator<Item = Span> {
    let labels = finding.labels.iter().map(|label| label.span);
    let calls = finding.traces.iter().flat_map(|trace| trace.calls.iter().map(|call| call.span));
    let steps = finding.story.steps.iter().filter_map(|step| step.span);
    std::iter::once(finding.at).chain(labels).chain(calls).chain(steps)
}

/// The fingerprint without what tells equal ones apart, since that number depends on the others.
fn stem(finding: &Finding) -> &str {
    finding.fingerprint.split('-').next().unwrap_or(&finding.fingerprint)
}

/// What a finding says apart from where it stands.
fn words(finding: &Finding, workspace: &Workspace) -> Vec<String> {
    let text = |span: Span| {
        let text = span.at.of(&workspace.file(span.file).text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let own = [finding.rule.to_owned(), finding.table.clone()];
    own.into_iter().chain(finding.labels.iter().map(|label| text(label.span))).collect()
}

#[cfg(test)]
mod tests;
