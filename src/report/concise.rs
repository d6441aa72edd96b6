//! One line a finding: `path:line:column: severity[rule] message`.

use super::position::Places;
use super::{Options, Report, escape, summary};

pub fn render(report: &Report<'_>, options: &Options<'_>) -> String {
    let places = Places::new(report.workspace);
    let mut out = String::new();
    for finding in report.findings {
        let place = places.place(finding.at);
        out.push_str(&format!(
            "{}:{}:{}: {}[{}] {}\n",
            escape::line(place.path),
            place.start.line,
            place.start.column,
            summary::severity(finding.severity),
            finding.rule,
            escape::line(&finding.message),
        ));
    }
    for notice in report.notices.iter().filter(|notice| !options.quiet || notice.kind.is_skip()) {
        let place = summary::notice_place(&places, notice);
        let kind = summary::notice_kind(notice.kind);
        out.push_str(&format!("{place}: notice[{kind}] {}\n", escape::line(&notice.text)));
    }
    if !options.quiet {
        out.push_str(&summary::timed(report.findings.len(), &report.counts, options.took));
        out.push('\n');
    }
    escape::log(&out)
}
