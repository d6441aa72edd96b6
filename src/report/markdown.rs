//! A summary in GitHub's Markdown, for `$GITHUB_STEP_SUMMARY`: a table, and each finding to unfold below it.

use super::position::Places;
use super::{Report, escape, summary};
use crate::finding::{Finding, Interleaving, Who};

/// A step's summary may hold 1 MiB; this many findings in full stay well below.
const DETAILS: usize = 50;
const ROWS: usize = 500;
const TEXT: usize = 200;

pub fn render(report: &Report<'_>) -> String {
    let places = Places::new(report.workspace);
    let findings = summary::gravest_first(report.findings);
    let mut out = String::from("## racelint\n\n");
    out.push_str(&format!("{}\n", escape::markdown(&summary::line(findings.len(), &report.counts))));
    if !findings.is_empty() {
        out.push_str("\n| severity | rule | where | what two requests can do |\n| --- | --- | --- | --- |\n");
        for finding in findings.iter().take(ROWS) {
            out.push_str(&row(finding, &places));
        }
        left_out(&mut out, findings.len(), ROWS, "are not in the table");
    }
    for finding in findings.iter().take(DETAILS) {
        details(&mut out, finding, &places);
    }
    left_out(&mut out, findings.len(), DETAILS, "are not shown in full");
    if !report.notices.is_empty() {
        out.push_str("\n### Not analysed, or worth a look\n\n");
        for notice in report.notices.iter().take(ROWS) {
            let place = escape::markdown(&summary::notice_place(&places, notice));
            let kind = escape::markdown(summary::notice_kind(notice.kind));
            out.push_str(&format!("- {place}: {kind}: {}\n", escape::markdown(&notice.text)));
        }
        left_out(&mut out, report.notices.len(), ROWS, "are not listed");
    }
    escape::log(&out)
}

fn left_out(out: &mut String, all: usize, shown: usize, how: &str) {
    if all > shown {
        out.push_str(&format!("\n{} more {how}\n", all - shown));
    }
}

fn row(finding: &Finding, places: &Places<'_>) -> String {
    let place = places.place(finding.at);
    format!(
        "| {} | {} | {}\\:{} | {} |\n",
        summary::severity(finding.severity),
        escape::markdown(finding.rule),
        escape::markdown(place.path),
        place.start.line,
        cell(&finding.message),
    )
}

fn details(out: &mut String, finding: &Finding, places: &Places<'_>) {
    let place = places.place(finding.at);
    out.push_str(&format!(
        "\n<details>\n<summary>{} at {}:{}</summary>\n\n{}\n\n",
        escape::html(finding.rule),
        escape::html(place.path),
        place.start.line,
        escape::markdown(&finding.message),
    ));
    for label in finding.labels.iter().take(10) {
        let place = places.place(label.span);
        out.push_str(&format!(
            "- {} at {}\\:{}: {}\n",
            summary::role(label.role),
            escape::markdown(place.path),
            place.start.line,
            escape::markdown(&label.text),
        ));
    }
    story(out, &finding.story);
    out.push_str(&format!("\n**Why:** {}\n", escape::markdown(&finding.why)));
    for (index, rewrite) in finding.rewrites.iter().enumerate() {
        let word = if index == 0 { "Help" } else { "Or" };
        out.push_str(&format!("\n**{word}:** {}\n\n", escape::markdown(&rewrite.title)));
        out.push_str(&escape::markdown_block(rewrite.language, &rewrite.text));
        out.push_str(&format!("\n{}\n", escape::markdown(&rewrite.note)));
    }
    out.push_str("\n</details>\n");
}

fn story(out: &mut String, story: &Interleaving) {
    if story.steps.is_empty() {
        return;
    }
    out.push_str("\n| | request A | request B |\n| --- | --- | --- |\n");
    for (index, step) in story.steps.iter().take(40).enumerate() {
        let mut text = cell(&step.text);
        if let Some(state) = &step.state {
            text.push_str(&format!("<br>→ {}", cell(state)));
        }
        let (a, b) = if step.who == Who::A { (text.as_str(), "") } else { ("", text.as_str()) };
        out.push_str(&format!("| {} | {a} | {b} |\n", index + 1));
    }
    out.push_str(&format!("\n→ {}\n", escape::markdown(&story.outcome)));
}

fn cell(text: &str) -> String {
    escape::markdown(&summary::clip(text, TEXT, "…"))
}
