//! Findings as JSON for other tools, versioned; the schema is `schemas/output.schema.json`.
//!
//! `json` is one document: `version` (1; raised when a member changes its meaning or goes away, not when one is added),
//! `tool`, `findings`, `notices`, `counts`. `json-lines` is the same as one object a line, told apart by `type`:
//! a `run` first, then each `finding` and `notice`, and the `counts` last. With `--explain-safe` there is also `safe`: the
//! sequences that do not race, each with what protects it.
//!
//! A place has `path` (relative to the root, `/` between its parts), `line`, `column`, `endLine`, `endColumn` (from 1,
//! columns in characters, the end just behind the last one) and `offset`, `endOffset` (bytes of the file on disk, from 0).

use serde::Serialize;

use super::position::Places;
use super::{Counts, Options, Report, escape};
use crate::finding::{CallSite, Confidence, Finding, Interleaving, Protected, Rewrite, Role, Severity, Who};
use crate::notice::{Notice, NoticeKind};
use crate::span::Span;

const VERSION: u32 = 1;
const TOOL: ToolView = ToolView { name: "racelint", version: env!("CARGO_PKG_VERSION") };

/// The findings as one document, ended by a line end.
pub fn render(report: &Report<'_>, options: &Options<'_>) -> String {
    let places = Places::new(report.workspace);
    let document = DocumentView {
        version: VERSION,
        tool: TOOL,
        findings: report.findings.iter().map(|finding| finding_view(finding, &places)).collect(),
        notices: report.notices.iter().map(|notice| notice_view(notice, &places)).collect(),
        safe: options.safe.map(|safe| safe.iter().map(|safe| safe_view(safe, &places)).collect()),
        counts: &report.counts,
    };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    escape::json(&text) + "\n"
}

/// The findings as one object a line.
pub fn render_lines(report: &Report<'_>, options: &Options<'_>) -> String {
    let places = Places::new(report.workspace);
    let mut out = String::new();
    let mut push = |line: LineView<'_>| {
        out.push_str(&escape::json(&serde_json::to_string(&line).unwrap_or_default()));
        out.push('\n');
    };
    push(LineView::Run { version: VERSION, tool: TOOL });
    for finding in report.findings {
        push(LineView::Finding(Box::new(finding_view(finding, &places))));
    }
    for notice in report.notices {
        push(LineView::Notice(notice_view(notice, &places)));
    }
    for safe in options.safe.unwrap_or_default() {
        push(LineView::Safe(safe_view(safe, &places)));
    }
    push(LineView::Counts(&report.counts));
    out
}

#[derive(Serialize)]
struct DocumentView<'a> {
    version: u32,
    tool: ToolView,
    findings: Vec<FindingView<'a>>,
    notices: Vec<NoticeView<'a>>,
    /// Only with `--explain-safe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    safe: Option<Vec<SafeView<'a>>>,
    counts: &'a Counts,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum LineView<'a> {
    Run { version: u32, tool: ToolView },
    Finding(Box<FindingView<'a>>),
    Notice(NoticeView<'a>),
    Safe(SafeView<'a>),
    Counts(&'a Counts),
}

#[derive(Clone, Copy, Serialize)]
struct ToolView {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingView<'a> {
    rule: &'a str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    why: &'a str,
    judged_for: &'a str,
    function: &'a str,
    table: &'a str,
    fingerprint: &'a str,
    at: PlaceView<'a>,
    labels: Vec<LabelView<'a>>,
    story: StoryView<'a>,
    rewrites: &'a [Rewrite],
    traces: Vec<TraceView<'a>>,
    callers: Vec<CallView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlaceView<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    offset: usize,
    end_offset: usize,
}

#[derive(Serialize)]
struct LabelView<'a> {
    role: Role,
    text: &'a str,
    place: PlaceView<'a>,
}

#[derive(Serialize)]
struct StoryView<'a> {
    steps: Vec<StepView<'a>>,
    outcome: &'a str,
}

#[derive(Serialize)]
struct StepView<'a> {
    who: Who,
    role: Role,
    text: &'a str,
    state: Option<&'a str>,
    place: Option<PlaceView<'a>>,
}

#[derive(Serialize)]
struct TraceView<'a> {
    label: usize,
    calls: Vec<CallView<'a>>,
}

#[derive(Serialize)]
struct CallView<'a> {
    function: &'a str,
    place: PlaceView<'a>,
}

#[derive(Serialize)]
struct NoticeView<'a> {
    kind: NoticeKind,
    path: &'a str,
    text: &'a str,
    place: Option<PlaceView<'a>>,
}

#[derive(Serialize)]
struct SafeView<'a> {
    function: &'a str,
    table: &'a str,
    by: &'a str,
    read: PlaceView<'a>,
    write: PlaceView<'a>,
    place: Option<PlaceView<'a>>,
}

fn finding_view<'a>(finding: &'a Finding, places: &Places<'a>) -> FindingView<'a> {
    FindingView {
        rule: finding.rule,
        severity: finding.severity,
        confidence: finding.confidence,
        message: &finding.message,
        why: &finding.why,
        judged_for: &finding.judged_for,
        function: &finding.function,
        table: &finding.table,
        fingerprint: &finding.fingerprint,
        at: place_view(finding.at, places),
        labels: finding
            .labels
            .iter()
            .map(|label| LabelView { role: label.role, text: &label.text, place: place_view(label.span, places) })
            .collect(),
        story: story_view(&finding.story, places),
        rewrites: &finding.rewrites,
        traces: finding
            .traces
            .iter()
            .map(|trace| TraceView { label: trace.label, calls: call_views(&trace.calls, places) })
            .collect(),
        callers: call_views(&finding.callers, places),
    }
}

fn story_view<'a>(story: &'a Interleaving, places: &Places<'a>) -> StoryView<'a> {
    let steps = story
        .steps
        .iter()
        .map(|step| StepView {
            who: step.who,
            role: step.role,
            text: &step.text,
            state: step.state.as_deref(),
            place: step.span.map(|span| place_view(span, places)),
        })
        .collect();
    StoryView { steps, outcome: &story.outcome }
}

fn call_views<'a>(calls: &'a [CallSite], places: &Places<'a>) -> Vec<CallView<'a>> {
    calls.iter().map(|call| CallView { function: &call.function, place: place_view(call.span, places) }).collect()
}

fn notice_view<'a>(notice: &'a Notice, places: &Places<'a>) -> NoticeView<'a> {
    NoticeView {
        kind: notice.kind,
        path: &notice.path,
        text: &notice.text,
        place: notice.span.map(|span| place_view(span, places)).filter(|place| place.path == notice.path),
    }
}

fn safe_view<'a>(safe: &'a Protected, places: &Places<'a>) -> SafeView<'a> {
    SafeView {
        function: &safe.function,
        table: &safe.table,
        by: &safe.by,
        read: place_view(safe.read, places),
        write: place_view(safe.write, places),
        place: safe.at.map(|at| place_view(at, places)),
    }
}

fn place_view<'a>(span: Span, places: &Places<'a>) -> PlaceView<'a> {
    let place = places.place(span);
    PlaceView {
        path: place.path,
        line: place.start.line,
        column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
        offset: place.start.offset,
        end_offset: place.end.offset,
    }
}
