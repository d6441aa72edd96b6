//! The report for people: the three places in the source, what two requests do, why nothing stops them, what does.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, LabeledSpan, SourceCode};

use super::paint::{Ink, Paint, role_ink, severity_ink};
use super::position::Places;
use super::snippet::{Excerpts, Frame};
use super::{Options, Report, escape, story, summary};
use crate::finding::{CallSite, Confidence, Finding, Rewrite, Severity};
use crate::notice::Notice;

/// Lines of prose are not wider than this, however wide the terminal is.
const PROSE: usize = 100;
/// Callers that are named without `-v`.
const CALLERS: usize = 3;

pub fn render(report: &Report<'_>, options: &Options<'_>) -> String {
    let page = Sheet {
        report,
        options,
        paint: Paint::new(options),
        width: options.width.clamp(40, 200),
        places: Places::new(report.workspace),
    };
    let mut out = String::new();
    for finding in report.findings {
        page.finding(&mut out, finding);
        out.push('\n');
    }
    let mut any_notice = false;
    for notice in report.notices.iter().filter(|notice| !options.quiet || notice.kind.is_skip()) {
        page.notice(&mut out, notice);
        any_notice = true;
    }
    if let Some(safe) = options.safe {
        out.push_str(&super::safe::render(safe, &page.places));
        any_notice = true;
    }
    if !options.quiet {
        if any_notice {
            out.push('\n');
        }
        page.close(&mut out);
    }
    escape::log(&out)
}

/// What one report is drawn with.
struct Sheet<'a> {
    report: &'a Report<'a>,
    options: &'a Options<'a>,
    paint: Paint,
    width: usize,
    places: Places<'a>,
}

impl Sheet<'_> {
    fn finding(&self, out: &mut String, finding: &Finding) {
        self.snippets(out, finding);
        let drawn = story::render(&finding.story, self.width, self.paint);
        if !drawn.is_empty() {
            out.push('\n');
            out.push_str(&drawn);
        }
        out.push('\n');
        let why = escape::line(&finding.why);
        let why =
            if finding.judged_for.is_empty() { why } else { format!("{why} ({})", escape::line(&finding.judged_for)) };
        self.section(out, Ink::Yellow, "why", &why);
        for (index, rewrite) in finding.rewrites.iter().enumerate() {
            self.rewrite(out, if index == 0 { "help" } else { "or" }, rewrite);
        }
        self.ways(out, finding);
        if self.options.verbose {
            self.section(out, Ink::Dim, "id", &finding.fingerprint);
        }
    }

    /// The head and the labelled source, drawn by miette.
    fn snippets(&self, out: &mut String, finding: &Finding) {
        // Lines as rustfmt leaves them are shown whole, unless the terminal is narrower than they are.
        let clip = if self.width < 100 { self.width.saturating_sub(8) } else { self.width.min(300) };
        let name = |path: &str| self.link(path);
        let frame = Frame { width: self.width, clip, cut: self.paint.cut(), name: &name };
        let excerpts = Excerpts::new(finding, &self.places, &frame);
        let mut theme = self.paint.graphical_theme();
        // miette goes through its highlights in the order of the labels; so each label has its role's colour.
        let inks = [theme.styles.advice, theme.styles.warning, theme.styles.error];
        let plain = theme.styles.highlights[0];
        let styles = excerpts.labels.iter().map(|label| match role_ink(label.role) {
            Ink::Cyan => inks[0],
            Ink::Yellow => inks[1],
            Ink::Red => inks[2],
            _ => plain,
        });
        theme.styles.highlights = styles.chain([plain]).collect();
        let told = Told {
            message: escape::line(&finding.message),
            code: code(finding),
            severity: match finding.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
                Severity::Note => miette::Severity::Advice,
            },
            excerpts,
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(self.width)
            .with_context_lines(1)
            .with_urls(false)
            .without_syntax_highlighting();
        let mut drawn = String::new();
        if handler.render_report(&mut drawn, &told).is_err() {
            drawn = format!("{}\n\n  {}\n", told.code, told.message);
        }
        for line in drawn.trim_end_matches('\n').lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }

    fn rewrite(&self, out: &mut String, word: &str, rewrite: &Rewrite) {
        out.push('\n');
        self.section(out, Ink::Cyan, word, &escape::line(&rewrite.title));
        let indent = " ".repeat(indent(word));
        let bar = self.paint.ink(Ink::Cyan, self.paint.bar());
        for line in escape::block(&rewrite.text).trim_matches('\n').lines() {
            out.push_str(&format!("{indent}{bar} {}\n", self.paint.ink(Ink::Green, line.trim_end())));
        }
        let note = escape::line(&rewrite.note);
        for line in story::wrap(&note, self.prose() - indent.len()) {
            out.push_str(&format!("{indent}{line}\n"));
        }
    }

    /// The calls that lead to places in other functions, and who else gets here.
    fn ways(&self, out: &mut String, finding: &Finding) {
        let mut lines = Vec::new();
        for trace in &finding.traces {
            let Some(label) = finding.labels.get(trace.label) else { continue };
            let calls: Vec<_> = trace.calls.iter().map(|call| self.call(call)).collect();
            if !calls.is_empty() {
                let way = calls.join(&format!(" {} ", self.paint.arrow()));
                lines.push(format!("{} through {way}", summary::role(label.role)));
            }
        }
        let shown = if self.options.verbose { finding.callers.len() } else { finding.callers.len().min(CALLERS) };
        lines.extend(finding.callers[..shown].iter().map(|call| format!("also reached from {}", self.call(call))));
        if shown < finding.callers.len() {
            lines.push(format!("and from {}", summary::count(finding.callers.len() - shown, "other place")));
        }
        if lines.is_empty() {
            return;
        }
        out.push('\n');
        self.section(out, Ink::Magenta, "in", &escape::line(&finding.function));
        let indent = " ".repeat(indent("in"));
        for line in lines {
            for (row, line) in story::wrap(&line, self.prose() - indent.len() - 2).iter().enumerate() {
                let hang = if row == 0 { "" } else { "  " };
                out.push_str(&format!("{indent}{hang}{line}\n"));
            }
        }
    }

    /// `crate::module::name (path:line)`.
    fn call(&self, call: &CallSite) -> String {
        let place = self.places.place(call.span);
        format!("{} ({}:{})", escape::line(&call.function), escape::line(place.path), place.start.line)
    }

    fn notice(&self, out: &mut String, notice: &Notice) {
        let (ink, word) = if notice.kind.is_skip() { (Ink::Yellow, "warning") } else { (Ink::Cyan, "notice") };
        let place = summary::notice_place(&self.places, notice);
        let word = self.paint.ink(ink, &format!("{word}[{}]", summary::notice_kind(notice.kind)));
        out.push_str(&format!("{word} {}: {}\n", self.paint.ink(Ink::Bold, &place), escape::line(&notice.text)));
    }

    fn close(&self, out: &mut String) {
        let mut rules: Vec<_> = self.report.findings.iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            let command = self.paint.ink(Ink::Bold, &format!("racelint explain {rule}"));
            out.push_str(&format!("more about {rule}: {command}\n"));
        }
        let line = summary::timed(self.report.findings.len(), &self.report.counts, self.options.took);
        let worst = self.report.findings.iter().map(|finding| finding.severity).max();
        out.push_str(&self.paint.ink(worst.map_or(Ink::Green, severity_ink), &line));
        out.push('\n');
    }

    /// `word: text`, wrapped, with the following lines indented below the text.
    fn section(&self, out: &mut String, ink: Ink, word: &str, text: &str) {
        let indent = indent(word);
        for (row, line) in story::wrap(text, self.prose() - indent).iter().enumerate() {
            if row == 0 {
                out.push_str(&format!("  {} {line}\n", self.paint.ink(ink, &format!("{word}:"))));
            } else {
                out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
            }
        }
    }

    fn prose(&self) -> usize {
        self.width.min(PROSE)
    }

    /// A path as a heading: a hyperlink to the file where the terminal shows such, and safe in any case.
    fn link(&self, path: &str) -> String {
        let shown = escape::line(path);
        let root = &self.report.workspace.root;
        let Some(root) = root.to_str().filter(|_| self.options.links && root.is_absolute()) else {
            return shown;
        };
        let target = escape::uri(&format!("{}/{path}", root.trim_end_matches('/')));
        format!("\u{1b}]8;;file://{target}\u{1b}\\{shown}\u{1b}]8;;\u{1b}\\")
    }
}

/// The columns before a section's text.
fn indent(word: &str) -> usize {
    word.len() + 4
}

/// `error[lost-update]`, with the confidence when it is not high.
fn code(finding: &Finding) -> String {
    let code = format!("{}[{}]", summary::severity(finding.severity), finding.rule);
    match finding.confidence {
        Confidence::High => code,
        other => format!("{code} ({} confidence)", summary::confidence(other)),
    }
}

/// A finding as miette knows it.
#[derive(Debug)]
struct Told {
    message: String,
    code: String,
    severity: miette::Severity,
    excerpts: Excerpts,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Told {}

impl Diagnostic for Told {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpts)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpts.labels.iter().map(|label| label.span.clone())))
    }
}
