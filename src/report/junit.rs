//! JUnit XML for build servers: each finding is a failed case, each skipped file a skipped one.

use super::position::Places;
use super::{Report, escape, summary};

pub fn render(report: &Report<'_>) -> String {
    let places = Places::new(report.workspace);
    let skipped: Vec<_> = report.notices.iter().filter(|notice| notice.kind.is_skip()).collect();
    // A suite without cases reads as a broken one; so a clean run is one case that passed.
    let clean = report.findings.is_empty() && skipped.is_empty();
    let cases = report.findings.len() + skipped.len() + usize::from(clean);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{cases}\" failures=\"{}\" errors=\"0\"", report.findings.len());
    out.push_str(&format!("<testsuites name=\"racelint\" {counts}>\n"));
    out.push_str(&format!("  <testsuite name=\"racelint\" {counts} skipped=\"{}\">\n", skipped.len()));
    for finding in report.findings {
        let place = places.place(finding.at);
        let at = format!("{}:{}:{}", place.path, place.start.line, place.start.column);
        let mut body = format!("{at}\n{}\n", finding.why);
        for label in finding.labels.iter().take(10) {
            let place = places.place(label.span);
            let role = summary::role(label.role);
            body.push_str(&format!("{role} at {}:{}: {}\n", place.path, place.start.line, label.text));
        }
        out.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"{} at {}\" file=\"{}\" line=\"{}\">\n",
            escape::xml(&finding.function),
            escape::xml(finding.rule),
            escape::xml(&at),
            escape::xml(place.path),
            place.start.line,
        ));
        out.push_str(&format!(
            "      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
            escape::xml(finding.rule),
            escape::xml(&finding.message),
            escape::xml(&body),
        ));
    }
    for notice in skipped {
        let name = escape::xml(&summary::notice_place(&places, notice));
        let text = escape::xml(&format!("{}: {}", summary::notice_kind(notice.kind), notice.text));
        out.push_str(&format!("    <testcase classname=\"racelint\" name=\"{name}\">\n"));
        out.push_str(&format!("      <skipped message=\"{text}\"/>\n    </testcase>\n"));
    }
    if clean {
        out.push_str("    <testcase classname=\"racelint\" name=\"no races found\"/>\n");
    }
    let line = escape::xml(&summary::line(report.findings.len(), &report.counts));
    out.push_str(&format!("    <system-out>{line}</system-out>\n  </testsuite>\n</testsuites>\n"));
    escape::log(&out)
}
