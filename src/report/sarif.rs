//! SARIF 2.1.0 (OASIS standard), written for GitHub code scanning: one run, every rule with its page as help, results
//! that show read, check and write step by step.
//!
//! GitHub reads `locations[0]` and `codeFlows[0].threadFlows[0]` only, shows related places only when the message links
//! them, takes the message's first sentence as the title, and knows an alert again by `primaryLocationLineHash` alone.
//! A file over its limits is refused or cut without a word (GitHub's documentation, "SARIF support for code
//! scanning"), so the report is cut here, the gravest findings first, and says so in a notification.

mod flow;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::line_hash::line_hashes;
use super::position::{Place, Places};
use super::{Options, Report, escape, summary};
use crate::finding::{Finding, Severity};
use crate::notice::{Notice, NoticeKind};
use crate::span::FileId;

/// The results that GitHub keeps of a run.
const RESULTS: usize = 5_000;
/// The locations that GitHub keeps of a result.
const LOCATIONS: usize = 100;
/// Beyond this a notification is not for people any more.
const NOTIFICATIONS: usize = 1_000;
/// How many of the other places the message links to; all of them are among the related ones.
const ALSO: usize = 5;
const BASE: &str = "%SRCROOT%";

pub fn render(report: &Report<'_>, options: &Options<'_>) -> String {
    let run = Run::new(report, options);
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run.to_json()],
    });
    escape::json(&serde_json::to_string_pretty(&document).unwrap_or_default()) + "\n"
}

/// What the places of one run are written with.
struct Run<'a> {
    report: &'a Report<'a>,
    options: &'a Options<'a>,
    places: Places<'a>,
    /// Sorted; an artifact's index is its place in the list.
    artifacts: Vec<&'a str>,
    hashes: BTreeMap<FileId, Vec<String>>,
    /// The gravest ones when there are too many, all in their own order otherwise.
    findings: Vec<&'a Finding>,
}

impl<'a> Run<'a> {
    fn new(report: &'a Report<'a>, options: &'a Options<'a>) -> Self {
        let places = Places::new(report.workspace);
        let findings = if report.findings.len() > RESULTS {
            summary::gravest_first(report.findings).into_iter().take(RESULTS).collect()
        } else {
            report.findings.iter().collect::<Vec<_>>()
        };
        let mut paths: BTreeSet<&str> = report.notices.iter().map(|notice| notice.path.as_str()).collect();
        let mut hashes = BTreeMap::new();
        for finding in &findings {
            let primary = finding.at.file;
            hashes.entry(primary).or_insert_with(|| line_hashes(places.text(primary)));
            let steps = finding.story.steps.iter().filter_map(|step| step.span);
            let calls = finding.traces.iter().flat_map(|trace| trace.calls.iter().map(|call| call.span));
            let spans = finding.labels.iter().map(|label| label.span).chain(steps).chain(calls).chain([finding.at]);
            paths.extend(spans.map(|span| places.path(span.file)));
        }
        Self { report, options, places, artifacts: paths.into_iter().collect(), hashes, findings }
    }

    fn to_json(&self) -> Value {
        let rules = rules::Rules::new(self.options.pages, &self.findings);
        let results: Vec<_> = self.findings.iter().map(|finding| self.result(finding, &rules)).collect();
        let mut driver = json!({
            "name": "racelint",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.to_json(),
            "notifications": notification_rules(),
        });
        if let Some(home) = rules::home() {
            driver["informationUri"] = json!(home);
        }
        let mut run = json!({
            "tool": { "driver": driver },
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": { BASE: { "description": { "text": "the root of the analysed project" } } },
            "artifacts": self.artifacts.iter().map(|path| self.artifact(path)).collect::<Vec<_>>(),
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": self.notifications(),
            }],
            "results": results,
        });
        if let Some(category) = &self.options.category {
            // What stands before the last slash is the category.
            run["automationDetails"] = json!({ "id": format!("racelint/{}/", escape::uri(category)) });
        } else {
            run["automationDetails"] = json!({ "id": "racelint/" });
        }
        run
    }

    fn result(&self, finding: &Finding, rules: &rules::Rules<'_>) -> Value {
        let place = self.places.first_line(finding.at);
        let mut related = Vec::new();
        let mut links = Vec::new();
        // GitHub counts the primary location as one of the result's.
        for label in finding.labels.iter().filter(|label| label.span != finding.at).take(LOCATIONS - 1) {
            let id = related.len() + 1;
            links.push(format!("[{}]({id})", summary::role(label.role)));
            let mut location = self.location(&self.places.place(label.span), &label.text);
            location["id"] = json!(id);
            related.push(location);
        }
        let mut also = Vec::new();
        for call in finding.callers.iter().take((LOCATIONS - 1).saturating_sub(related.len())) {
            let id = related.len() + 1;
            let name = call.function.rsplit("::").next().unwrap_or_default();
            also.push(format!("[{}]({id})", escape::sarif(name)));
            let mut location =
                self.location(&self.places.place(call.span), &format!("also reached from {}", call.function));
            location["id"] = json!(id);
            related.push(location);
        }
        let mut text = format!("{}. ", escape::sarif(&finding.message));
        if !links.is_empty() {
            text.push_str(&format!("See {}. ", enumerate(&links)));
        }
        if !also.is_empty() {
            let shown = &also[..also.len().min(ALSO)];
            text.push_str(&format!("Also reached from {}. ", enumerate(shown)));
        }
        text.push_str(&format!("Not protected: {}.", escape::sarif(&finding.why)));
        if let Some(rewrite) = finding.rewrites.first() {
            text.push_str(&format!(" Remedy: {}.", escape::sarif(&rewrite.title)));
        }
        let act = finding.labels.iter().find(|label| label.span == finding.at);
        let mut fingerprints = json!({ "racelint/v1": finding.fingerprint });
        let hash = self.hashes.get(&finding.at.file).and_then(|hashes| hashes.get(place.start.line - 1));
        if let Some(hash) = hash {
            fingerprints["primaryLocationLineHash"] = json!(hash);
        }
        let mut location = self.location(&place, act.map_or(finding.message.as_str(), |label| label.text.as_str()));
        location["logicalLocations"] = json!([{ "fullyQualifiedName": finding.function, "kind": "function" }]);
        json!({
            "ruleId": finding.rule,
            "ruleIndex": rules.index(finding.rule),
            "level": level(finding.severity),
            "message": { "text": text },
            "locations": [location],
            "relatedLocations": related,
            "codeFlows": [{
                "message": { "text": escape::sarif(&finding.story.outcome) },
                "threadFlows": [{ "locations": flow::locations(self, finding) }],
            }],
            "partialFingerprints": fingerprints,
            "properties": {
                "confidence": summary::confidence(finding.confidence),
                "table": finding.table,
                "judgedFor": finding.judged_for,
            },
        })
    }

    fn location(&self, place: &Place<'_>, message: &str) -> Value {
        json!({
            "physicalLocation": {
                "artifactLocation": self.artifact_location(place.path),
                "region": {
                    "startLine": place.start.line,
                    "startColumn": place.start.utf16,
                    "endLine": place.end.line,
                    "endColumn": place.end.utf16,
                },
            },
            "message": { "text": escape::sarif(message) },
        })
    }

    fn artifact(&self, path: &str) -> Value {
        let mut artifact = json!({ "location": { "uri": escape::uri(path), "uriBaseId": BASE } });
        let language = match path.rsplit_once('.') {
            Some((_, "rs")) => "rust",
            Some((_, "sql")) => "sql",
            _ => return artifact,
        };
        artifact["sourceLanguage"] = json!(language);
        artifact
    }

    fn artifact_location(&self, path: &str) -> Value {
        let mut location = json!({ "uri": escape::uri(path), "uriBaseId": BASE });
        if let Ok(index) = self.artifacts.binary_search(&path) {
            location["index"] = json!(index);
        }
        location
    }

    fn notifications(&self) -> Vec<Value> {
        let notices = self.report.notices;
        let mut all: Vec<_> = notices.iter().take(NOTIFICATIONS).map(|notice| self.notification(notice)).collect();
        if notices.len() > NOTIFICATIONS {
            let rest = notices.len() - NOTIFICATIONS;
            all.push(limit(&format!("{} left out of this file", summary::count(rest, "more notice"))));
        }
        if self.report.findings.len() > self.findings.len() {
            let rest = self.report.findings.len() - self.findings.len();
            all.push(limit(&format!(
                "{} left out of this file, the gravest are in it",
                summary::count(rest, "finding")
            )));
        }
        let long = self
            .findings
            .iter()
            .filter(|finding| finding.labels.len() > LOCATIONS || flow::length(finding) > flow::STEPS);
        let long = long.count();
        if long > 0 {
            all.push(limit(&format!("{} cut to the places and steps that are shown", summary::count(long, "finding"))));
        }
        all
    }

    fn notification(&self, notice: &Notice) -> Value {
        let mut physical = json!({ "artifactLocation": self.artifact_location(&notice.path) });
        let span = notice.span.filter(|span| self.places.path(span.file) == notice.path);
        if let Some(span) = span {
            let place = self.places.first_line(span);
            physical["region"] = json!({
                "startLine": place.start.line,
                "startColumn": place.start.utf16,
                "endLine": place.end.line,
                "endColumn": place.end.utf16,
            });
        }
        let level = match notice.kind {
            NoticeKind::Internal => "error",
            kind if kind.is_skip() => "warning",
            _ => "note",
        };
        json!({
            "descriptor": { "id": summary::notice_kind(notice.kind) },
            "level": level,
            "message": { "text": escape::sarif(&notice.text) },
            "locations": [{ "physicalLocation": physical }],
        })
    }
}

fn limit(text: &str) -> Value {
    json!({
        "descriptor": { "id": summary::notice_kind(NoticeKind::Limit) },
        "level": "warning",
        "message": { "text": text },
    })
}

fn notification_rules() -> Vec<Value> {
    let kinds = [
        NoticeKind::Unreadable,
        NoticeKind::NotUtf8,
        NoticeKind::Limit,
        NoticeKind::Syntax,
        NoticeKind::OutsideRoot,
        NoticeKind::Suppression,
        NoticeKind::Config,
        NoticeKind::Unseen,
        NoticeKind::Internal,
    ];
    kinds
        .iter()
        .map(|&kind| {
            let text = rules::sentence(summary::notice_meaning(kind));
            json!({
                "id": summary::notice_kind(kind),
                "shortDescription": { "text": text },
                "fullDescription": { "text": text },
                "help": { "text": text },
            })
        })
        .collect()
}

fn level(severity: Severity) -> &'static str {
    summary::severity(severity)
}

/// `a`, `a and b`, `a, b and c`.
fn enumerate(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}
