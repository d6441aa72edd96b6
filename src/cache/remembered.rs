//! An outcome and the workspace it speaks of, as they are kept.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::baseline::Fingerprint;
use crate::finding::Finding;
use crate::notice::Notice;
use crate::outcome::Outcome;
use crate::source::{FileKind, SourceFile, Workspace};
use crate::span::{FileId, Span};

/// What is read back.
#[derive(Deserialize)]
pub struct Remembered {
    /// In the order of their ids, without their texts.
    files: Vec<(String, FileKind)>,
    /// Of the workspace.
    notices: Vec<Notice>,
    pub outcome: Outcome,
}

/// The same as it is written.
#[derive(Serialize)]
struct ToRemember<'a> {
    files: Vec<(&'a str, FileKind)>,
    notices: &'a [Notice],
    outcome: &'a Outcome,
}

impl Remembered {
    pub fn encode(workspace: &Workspace, outcome: &Outcome) -> Option<Vec<u8>> {
        let files = workspace.files.iter().map(|file| (file.path.as_str(), file.kind)).collect();
        postcard::to_allocvec(&ToRemember { files, notices: &workspace.notices, outcome }).ok()
    }

    /// `None` for bytes that are none, or whose places lie in no file.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (remembered, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        (rest.is_empty() && remembered.is_sound()).then_some(remembered)
    }

    /// The workspace without texts and packages, and the outcome.
    pub fn restored(self, root: &Path) -> (Workspace, Outcome) {
        let text: Arc<str> = Arc::from("");
        let files = (0..).zip(self.files).map(|(id, (path, kind))| SourceFile {
            id: FileId(id),
            path,
            text: text.clone(),
            kind,
            krate: None,
        });
        let files = files.collect();
        (Workspace { root: root.to_owned(), files, notices: self.notices, ..Workspace::default() }, self.outcome)
    }

    /// What reports rely on without looking.
    fn is_sound(&self) -> bool {
        let Outcome { findings, hidden, .. } = &self.outcome;
        let is_placed = |span: &Span| (span.file.0 as usize) < self.files.len() && span.at.start <= span.at.end;
        let mut of_workspace = self.notices.iter().filter_map(|notice| notice.span.as_ref());
        let is_traced = |finding: &Finding| finding.traces.iter().all(|trace| trace.label < finding.labels.len());
        let mut fingerprints = findings.iter().map(|finding| &finding.fingerprint).chain(hidden);
        spans(&self.outcome).all(is_placed)
            && of_workspace.all(is_placed)
            && findings.iter().all(is_traced)
            && fingerprints.all(|fingerprint| Fingerprint::is_one(fingerprint))
    }
}

/// The files that an outcome points into.
pub fn files(outcome: &Outcome) -> Vec<FileId> {
    spans(outcome).map(|span| span.file).collect::<BTreeSet<_>>().into_iter().collect()
}

fn spans(outcome: &Outcome) -> impl Iterator<Item = &Span> {
    let noticed = outcome.notices.iter().filter_map(|notice| notice.span.as_ref());
    let safe = outcome.safe.iter().flat_map(|safe| [&safe.write, &safe.read].into_iter().chain(&safe.at));
    outcome.findings.iter().flat_map(places).chain(noticed).chain(safe)
}

fn places(finding: &Finding) -> impl Iterator<Item = &Span> {
    let Finding { at, labels, story, traces, callers, .. } = finding;
    let calls = traces.iter().flat_map(|trace| &trace.calls).chain(callers).map(|call| &call.span);
    let steps = story.steps.iter().filter_map(|step| step.span.as_ref());
    std::iter::once(at).chain(labels.iter().map(|label| &label.span)).chain(steps).chain(calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse;
    use crate::config::Config;
    use crate::report::{self, Counts, Format, Options, Report};
    use crate::source;

    const CODE: &str = "use sqlx::PgPool;
pub async fn book(pool: &PgPool, seat: i64, who: i64) -> anyhow::Result<()> {
    let holder: Option<i64> = sqlx::query_scalar(\"SELECT holder FROM seats WHERE id = $1\").bind(seat).fetch_one(pool).await?;
    if holder.is_none() { sqlx::query(\"UPDATE seats SET holder = $2 WHERE id = $1\").bind(seat).bind(who).execute(pool).await?; }
    Ok(())
}
// racelint: allow(lost-update) nothing
";

    fn workspace() -> Workspace {
        let files = [
            (
                "Cargo.toml",
                "[package]\nname = 'a'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }",
            ),
            ("b/Cargo.toml", "[package"),
            ("src/lib.rs", CODE),
            ("src/wrong.rs", "fn ("),
        ];
        source::memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec())
    }

    fn outcome(workspace: &Workspace) -> Outcome {
        Outcome::of(analyse(workspace, &Config::default()), workspace)
    }

    fn rendered(workspace: &Workspace, outcome: &Outcome) -> Vec<Vec<u8>> {
        let notices = [&workspace.notices[..], &outcome.notices].concat();
        let counts = Counts { suppressed: outcome.hidden.len(), ..outcome.counts };
        let report = Report { workspace, findings: &outcome.findings, notices: &notices, counts };
        let options = Options { verbose: true, safe: Some(&outcome.safe), ..Options::default() };
        let written = |format| {
            let mut out = Vec::new();
            report::write(format, &report, &options, &mut out).unwrap();
            out
        };
        Format::ALL.map(written).to_vec()
    }

    #[test]
    fn every_report_is_the_same() {
        let workspace = workspace();
        let outcome = outcome(&workspace);
        assert!(outcome.findings.len() == 1 && outcome.notices.len() == 2 && workspace.notices.len() == 1);
        let bytes = Remembered::encode(&workspace, &outcome).unwrap();
        let (mut restored, again) = Remembered::decode(&bytes).unwrap().restored(&workspace.root);
        assert!(restored.files.iter().all(|file| file.text.is_empty()));
        for id in files(&again) {
            restored.files[id.0 as usize].text = workspace.file(id).text.clone();
        }
        assert_eq!(rendered(&restored, &again), rendered(&workspace, &outcome));
        assert_eq!(again.statistics, outcome.statistics);
        assert_eq!(Remembered::encode(&restored, &again).unwrap(), bytes);
    }

    #[test]
    fn what_points_nowhere_is_refused() {
        let workspace = workspace();
        let good = outcome(&workspace);
        let is_refused = |change: &dyn Fn(&mut Outcome)| {
            let mut outcome = good.clone();
            change(&mut outcome);
            Remembered::decode(&Remembered::encode(&workspace, &outcome).unwrap()).is_none()
        };
        assert!(!is_refused(&|_| {}));
        assert!(is_refused(&|outcome| outcome.findings[0].at.file = FileId(9)));
        assert!(is_refused(&|outcome| outcome.findings[0].at.at.start = u32::MAX));
        assert!(is_refused(&|outcome| outcome.findings[0].labels.last_mut().unwrap().span.file = FileId(u32::MAX)));
        assert!(is_refused(&|outcome| outcome.findings[0].rule = "no-such-rule"));
        assert!(is_refused(&|outcome| outcome.findings[0].fingerprint = "\u{17}".repeat(16)));
        assert!(is_refused(&|outcome| outcome.hidden.push("x".to_owned())));
        assert!(is_refused(&|outcome| outcome.findings[0].rewrites[0].language = "perl"));
        let bytes = Remembered::encode(&workspace, &good).unwrap();
        assert!(Remembered::decode(&[&bytes[..], b"x"].concat()).is_none());
        assert!((0..bytes.len()).all(|length| Remembered::decode(&bytes[..length]).is_none()));
    }
}
