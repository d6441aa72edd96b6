//! Findings that a `// racelint: allow(rule) reason` comment accepts, and comments that accept none.

use rustc_hash::FxHashSet;

use crate::config::near::nearest;
use crate::finding::Finding;
use crate::notice::{Notice, NoticeKind};
use crate::source::allow::{Allow, Covers, allows};
use crate::source::extent::extent;
use crate::source::lines::LineIndex;
use crate::source::{FileKind, SourceFile, Workspace};
use crate::span::{FileId, Span};

/// What is left of a run's findings.
#[derive(Debug, Default)]
pub struct Silenced {
    /// In the order in which they came.
    pub findings: Vec<Finding>,
    /// The fingerprints of those that a comment accepts.
    pub hidden: Vec<String>,
    /// Comments that are written wrongly, name no rule, or hide nothing.
    pub notices: Vec<Notice>,
}

/// Leaves out findings that a comment accepts.
///
/// A comment accepts a finding of its rule when it covers the reported place or any labelled one: the read, the check,
/// the write, the call. `rules` are the ids that exist. `skipped` are paths that were not analysed, whose comments are
/// not said to hide nothing.
pub fn by_comments(
    findings: Vec<Finding>,
    workspace: &Workspace,
    rules: &[&str],
    skipped: &FxHashSet<String>,
) -> Silenced {
    let mut comments: Vec<Comment<'_>> = workspace
        .files
        .iter()
        .filter(|file| matches!(file.kind, FileKind::Rust(_)))
        .flat_map(|file| allows(&file.text).into_iter().map(move |allow| Comment::new(file, allow)))
        .collect();
    let mut silenced = Silenced::default();
    if comments.is_empty() {
        silenced.findings = findings;
        return silenced;
    }
    for finding in findings {
        let mut hidden = false;
        for comment in comments.iter_mut().filter(|comment| comment.hides(&finding)) {
            comment.used = true;
            hidden = true;
        }
        if hidden {
            silenced.hidden.push(finding.fingerprint);
        } else {
            silenced.findings.push(finding);
        }
    }
    for comment in &comments {
        silenced.notices.extend(comment.notices(rules, skipped.contains(&comment.file.path)));
    }
    silenced
}

struct Comment<'w> {
    file: &'w SourceFile,
    allow: Allow,
    reach: Reach,
    used: bool,
}

/// The bytes that a comment covers.
struct Reach {
    file: FileId,
    start: usize,
    end: usize,
}

impl<'w> Comment<'w> {
    fn new(file: &'w SourceFile, allow: Allow) -> Self {
        let (start, end) = match allow.covers {
            Covers::File => (0, file.text.len()),
            Covers::Next(start) => (start as usize, extent(&file.text, start as usize)),
            Covers::Line(line) => {
                let lines = LineIndex::new(&file.text);
                (lines.start(line) as usize, lines.start(line.saturating_add(1)) as usize)
            }
            Covers::Nothing => (0, 0),
        };
        Self { file, allow, reach: Reach { file: file.id, start, end }, used: false }
    }

    fn hides(&self, finding: &Finding) -> bool {
        let mut places = finding.labels.iter().map(|label| label.span).chain([finding.at]);
        self.allow.names(finding.rule) && places.any(|place| self.covers(place))
    }

    /// A comment above covers what begins below it; one at a line's end covers all that stands on the line, the end of
    /// a long statement too.
    fn covers(&self, place: Span) -> bool {
        let (start, end) = (place.at.start as usize, place.at.end as usize);
        let meets = match self.allow.covers {
            Covers::Line(_) => start < self.reach.end && end > self.reach.start,
            _ => self.reach.start <= start && start < self.reach.end,
        };
        place.file == self.reach.file && meets
    }

    fn notices(&self, rules: &[&str], skipped: bool) -> Vec<Notice> {
        if let Some(notice) = self.allow.notice(self.file.id, &self.file.path) {
            return vec![notice];
        }
        let unknown = self.allow.rules.iter().filter(|rule| !rules.contains(&rule.as_str()));
        let mut texts: Vec<String> = unknown
            .map(|rule| {
                let near = nearest(rule, rules.iter().copied());
                let near = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
                format!("there is no rule `{rule}`{near}")
            })
            .collect();
        if texts.is_empty() && !self.used && !skipped {
            texts.push("this allow comment hides nothing".to_owned());
        }
        let span = Some(self.allow.at.in_file(self.file.id));
        let kind = NoticeKind::Suppression;
        texts.into_iter().map(|text| Notice { path: self.file.path.clone(), span, kind, text }).collect()
    }
}
