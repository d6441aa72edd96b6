//! Which findings are shown, and how gravely.

use super::{Config, Level};
use crate::finding::{Confidence, Finding};
use crate::notice::{Notice, NoticeKind};
use crate::source::Workspace;

/// What is left of a run's findings.
#[derive(Debug, Default)]
pub struct Kept {
    /// In the order in which they came.
    pub findings: Vec<Finding>,
    /// How many were left out for their low confidence.
    pub low: usize,
    /// How many an `[[allow]]` accepted.
    pub suppressed: usize,
    /// The entries of `[[allow]]` that accepted nothing.
    pub notices: Vec<Notice>,
}

impl Config {
    /// What the analysis may know: all but what is looked at here and in `level`, so that one analysis serves any choice
    /// of rules.
    pub fn without_choices(&self) -> Self {
        Self {
            path: None,
            min_confidence: None,
            unlisted: None,
            rules: Default::default(),
            allows: Vec::new(),
            selected: Vec::new(),
            ignored: Vec::new(),
            ..self.clone()
        }
    }

    /// Leaves out findings of rules that are off, accepted ones and unsure ones, and gives the others their severity.
    pub fn keep(&self, findings: Vec<Finding>, workspace: &Workspace) -> Kept {
        let mut kept = Kept::default();
        let mut used = vec![false; self.allows.len()];
        let least = self.min_confidence.unwrap_or(Confidence::Medium);
        for mut finding in findings {
            let Level::At(severity) = self.level(finding.rule, finding.severity) else { continue };
            finding.severity = severity;
            let path = &workspace.file(finding.at.file).path;
            if let Some(index) = self.allowed(finding.rule, &workspace.root, path) {
                used[index] = true;
                kept.suppressed += 1;
            } else if finding.confidence < least {
                kept.low += 1;
            } else {
                kept.findings.push(finding);
            }
        }
        let unused = self.allows.iter().zip(used).filter(|(_, used)| !used);
        kept.notices = unused.map(|(allow, _)| self.unused(allow.line)).collect();
        kept
    }

    fn unused(&self, line: u32) -> Notice {
        let path = self.path.clone().unwrap_or_default();
        let text = format!("the allow in line {line} hides nothing");
        Notice { path, span: None, kind: NoticeKind::Suppression, text }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::finding::{Interleaving, Severity};
    use crate::source::{FileKind, SourceFile, Target};
    use crate::span::{FileId, Range};

    fn finding(rule: &'static str, confidence: Confidence) -> Finding {
        Finding {
            rule,
            severity: Severity::Error,
            confidence,
            message: String::new(),
            why: String::new(),
            at: Range::default().in_file(FileId(0)),
            labels: Vec::new(),
            story: Interleaving::default(),
            rewrites: Vec::new(),
            function: String::new(),
            table: String::new(),
            judged_for: String::new(),
            traces: Vec::new(),
            callers: Vec::new(),
            fingerprint: String::new(),
        }
    }

    fn kept(config: &str, change: impl Fn(&mut Config)) -> Kept {
        let file = SourceFile {
            id: FileId(0),
            path: "src/a.rs".to_owned(),
            text: Arc::from(""),
            kind: FileKind::Rust(Target::Main),
            krate: None,
        };
        let workspace = Workspace { root: "/x".into(), files: vec![file], ..Workspace::default() };
        let mut config =
            super::super::parse(config, "racelint.toml", Path::new("/x"), &["lost-update", "stale-guard"]).unwrap();
        change(&mut config);
        let findings = vec![
            finding("lost-update", Confidence::High),
            finding("stale-guard", Confidence::Medium),
            finding("stale-guard", Confidence::Low),
        ];
        config.keep(findings, &workspace)
    }

    fn rules(kept: &Kept) -> Vec<(&str, Severity)> {
        kept.findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
    }

    #[test]
    fn unsure_ones_are_counted() {
        let all = kept("", |_| {});
        assert_eq!(rules(&all), [("lost-update", Severity::Error), ("stale-guard", Severity::Error)]);
        assert_eq!((all.low, all.suppressed), (1, 0));
        assert_eq!(kept("min_confidence = 'low'", |_| {}).findings.len(), 3);
        assert_eq!(kept("min_confidence = 'high'", |_| {}).low, 2);
    }

    #[test]
    fn levels_and_selection_decide() {
        let noted = kept("unlisted = 'off'\nrules.lost-update = 'note'", |_| {});
        assert_eq!(rules(&noted), [("lost-update", Severity::Note)]);
        let selected = kept("rules.stale-guard = 'off'", |config| config.selected = vec!["stale-guard".into()]);
        assert_eq!(rules(&selected), [("stale-guard", Severity::Error)]);
        let ignored = kept("", |config| config.ignored = vec!["stale-guard".into()]);
        assert_eq!(rules(&ignored), [("lost-update", Severity::Error)]);
    }

    #[test]
    fn accepted_ones_are_counted_and_idle_entries_told() {
        let allow = |text: &str| format!("[[allow]]\n{text}\nreason = 'x'\n");
        let some = kept(&(allow("rule = 'lost-update'") + &allow("path = 'tests/**'")), |_| {});
        assert_eq!(rules(&some), [("stale-guard", Severity::Error)]);
        assert_eq!((some.suppressed, some.low, some.notices.len()), (1, 1, 1));
        assert_eq!(some.notices[0].text, "the allow in line 4 hides nothing");
    }
}
