//! One function for each stage. Each takes any bytes, and panics when racelint breaks a promise.

use std::path::Path;

use racelint::cache::entry;
use racelint::cache::remembered::{Remembered, files};
use racelint::config::{self, Config};
use racelint::dialect::Dialect;
use racelint::finding::Protected;
use racelint::lower;
use racelint::report::{Format, Options, Report};
use racelint::source::stamp::Digest;
use racelint::source::{self, Workspace};
use racelint::span::{FileId, Range, Span};
use racelint::{analyse, rules, silence, sql};

use crate::harmless::assert_harmless;

/// The stack that racelint gives the threads it works on, in bytes.
pub const STACK: usize = 64 << 20;

/// Rust text to a tree. Every place in it lies in the text.
pub fn rust(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match lower::lower(FileId(0), &text) {
        Ok(lowered) => {
            let tree = &lowered.tree;
            tree.functions.iter().for_each(|function| assert_inside(function.at, &text));
            tree.unknowns.iter().for_each(|(at, _)| assert_inside(*at, &text));
        }
        Err(refused) => {
            if let Some(at) = refused.at {
                assert_inside(at, &text);
            }
            assert!(refused.line >= 1 && refused.line <= 1 + text.matches('\n').count());
        }
    }
    lower::expression(&text);
}

/// SQL text to statements, for every engine.
pub fn sql(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for dialect in DIALECTS {
        let parsed = sql::parse::parse(&text, dialect);
        assert!(parsed.unknown.iter().all(|unknown| unknown.text.chars().count() <= 200));
    }
}

/// Migrations to a schema: NUL bytes part the files, the first line of each is its path.
pub fn migrations(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let files: Vec<(&str, &str)> =
        text.split('\0').map(|file| file.split_once('\n').unwrap_or(("1.sql", file))).collect();
    for dialect in DIALECTS {
        let (_, missed) = sql::migrations::schema(&files, dialect);
        assert!(missed.iter().all(|(file, _)| *file < files.len()));
    }
}

/// A racelint.toml and a Cargo.toml of the same text.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match configuration(&text) {
        Ok(config) => {
            config.selection();
        }
        Err(error) => drop(error.to_string()),
    }
    let files = [("Cargo.toml", &*text), ("src/lib.rs", ""), ("a/Cargo.toml", MEMBER), ("a/src/main.rs", "")];
    source::memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
}

/// A whole project through to every format: NUL bytes part what [`FILES`] names.
pub fn workspace(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parts: Vec<&str> = text.split('\0').collect();
    let mut files: Vec<(String, String)> =
        FILES.iter().zip(&parts).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    files.push(("Cargo.toml".to_owned(), MANIFEST.to_owned()));
    let config = parts.get(FILES.len()).and_then(|text| configuration(text).ok()).unwrap_or_default();
    let workspace = source::memory(files);
    let analysis = analyse(&workspace, &config);
    for finding in &analysis.findings {
        assert_placed(finding.at, &workspace);
        finding.labels.iter().for_each(|label| assert_placed(label.span, &workspace));
        finding.story.steps.iter().filter_map(|step| step.span).for_each(|span| assert_placed(span, &workspace));
        let calls = finding.traces.iter().flat_map(|trace| &trace.calls).chain(&finding.callers);
        calls.for_each(|call| assert_placed(call.span, &workspace));
    }
    let unread = analysis.notices.iter().map(|notice| notice.path.clone()).collect();
    let ids: Vec<&str> = rules::pages().iter().map(|page| page.id).collect();
    let silenced = silence::by_comments(analysis.findings, &workspace, &ids, &unread);
    let kept = config.keep(silenced.findings, &workspace);
    let notices = [workspace.notices.clone(), analysis.notices, silenced.notices, kept.notices].concat();
    let report = Report { workspace: &workspace, findings: &kept.findings, notices: &notices, counts: analysis.counts };
    assert_reported(&report, &analysis.safe);
}

/// An entry of the cache, as it may lie on disk; its body, as if a digest had been made for it; and an outcome.
pub fn cache(data: &[u8]) {
    let key = |body: &[u8]| Digest(body.first_chunk().copied().unwrap_or_default());
    // Mark, format, length and digest take 52 bytes.
    let _ = entry::decode(data, key(data.get(52..).unwrap_or_default()));
    if let Ok((head, heard, rest)) = entry::decode(&entry::sealed(data), key(data)) {
        let again = entry::encode(&head, &heard, rest);
        assert_eq!(entry::decode(&again, head.key), Ok((head, heard, rest)));
        outcome(rest);
    }
    outcome(data);
}

/// An outcome that is accepted can be shown, whatever it says.
fn outcome(bytes: &[u8]) {
    let Some(remembered) = Remembered::decode(bytes) else { return };
    let (mut workspace, outcome) = remembered.restored(Path::new("/x"));
    for id in files(&outcome) {
        workspace.files[id.0 as usize].text = "\u{feff}fn f() {\r\n\tg(\"\u{1b}ä\");\n}".into();
    }
    let notices = [workspace.notices.clone(), outcome.notices].concat();
    let report =
        Report { workspace: &workspace, findings: &outcome.findings, notices: &notices, counts: outcome.counts };
    assert_reported(&report, &outcome.safe);
}

const DIALECTS: [Dialect; 5] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite, Dialect::MsSql, Dialect::Cockroach];

const FILES: [&str; 3] = ["src/lib.rs", "src/store.rs", "migrations/1.sql"];

const MANIFEST: &str = "[package]\nname = 'shop'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n\
    diesel = '2'\nsea-orm = '1'\nrusqlite = '0.32'\ntokio-postgres = '0.7'\nmysql_async = '0.34'\nredis = '0.27'\nreqwest = '0.12'\n";

const MEMBER: &str = "[package]\nname = 'a'\nversion.workspace = true\n[dependencies]\nsqlx.workspace = true\n";

fn configuration(text: &str) -> Result<Config, config::Error> {
    let ids: Vec<&str> = rules::pages().iter().map(|page| page.id).collect();
    config::parse(text, "racelint.toml", Path::new(""), &ids)
}

fn assert_reported(report: &Report<'_>, safe: &[Protected]) {
    for format in Format::ALL {
        let options = Options { unicode: true, width: 40, verbose: true, safe: Some(safe), ..Options::default() };
        let mut out = Vec::new();
        racelint::report::write(format, report, &options, &mut out).expect("memory takes what is written");
        let text = String::from_utf8(out).expect("reports are UTF-8");
        assert_harmless(format, &text);
        assert_valid(format, &text);
    }
}

fn assert_placed(span: Span, workspace: &Workspace) {
    let file = workspace.files.get(span.file.0 as usize).expect("a file of the workspace");
    assert_inside(span.at, &file.text);
}

fn assert_inside(at: Range, text: &str) {
    assert!(text.get(at.start as usize..at.end as usize).is_some(), "{at:?} is no place in {} bytes", text.len());
}

fn assert_valid(format: Format, out: &str) {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("valid JSON");
    match format {
        Format::Json | Format::Gitlab => drop(json(out)),
        Format::JsonLines => out.lines().for_each(|line| drop(json(line))),
        Format::Sarif => {
            let results = &json(out)["runs"][0]["results"];
            assert!(results.is_array());
        }
        Format::Text | Format::Concise | Format::Github | Format::Junit | Format::Markdown => {}
    }
}
