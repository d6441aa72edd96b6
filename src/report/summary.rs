//! Words that several formats share: names, counts, the last line.

use std::time::Duration;

use super::position::Places;
use super::{Counts, escape};
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::notice::{Notice, NoticeKind};

/// The last line of a run: `2 findings in 14 files (0 skipped), 31 functions, 57 statements, 3 not understood`.
///
/// The number of findings never stands without the number of files and of those that were skipped.
pub fn line(findings: usize, counts: &Counts) -> String {
    let mut line = format!(
        "{} in {} ({} skipped), {}, {}, {} not understood",
        count(findings, "finding"),
        count(counts.files, "file"),
        counts.skipped,
        count(counts.functions, "function"),
        count(counts.statements, "statement"),
        counts.unknown,
    );
    if counts.low > 0 {
        line.push_str(&format!(", {} of low confidence not shown", counts.low));
    }
    if counts.suppressed > 0 {
        line.push_str(&format!(", {} suppressed", counts.suppressed));
    }
    if counts.baseline > 0 {
        line.push_str(&format!(", {} in the baseline", counts.baseline));
    }
    if counts.untouched > 0 {
        line.push_str(&format!(", {} not touched by the changes", counts.untouched));
    }
    line
}

/// The last line for someone who waited for it.
pub fn timed(findings: usize, counts: &Counts, took: Option<Duration>) -> String {
    let took = took.map_or_else(String::new, |took| format!(", {:.1} s", took.as_secs_f64()));
    line(findings, counts) + &took
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

pub fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

pub fn role(role: Role) -> &'static str {
    match role {
        Role::Read => "read",
        Role::Check => "check",
        Role::Write => "write",
        Role::Lock => "lock",
        Role::Effect => "effect",
        Role::Transaction => "transaction",
        Role::Constraint => "constraint",
    }
}

pub fn notice_kind(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Unreadable => "unreadable",
        NoticeKind::NotUtf8 => "not-utf8",
        NoticeKind::Limit => "limit",
        NoticeKind::Syntax => "syntax",
        NoticeKind::OutsideRoot => "outside-root",
        NoticeKind::Link => "link",
        NoticeKind::Suppression => "suppression",
        NoticeKind::Config => "config",
        NoticeKind::Unseen => "unseen",
        NoticeKind::Internal => "internal",
    }
}

/// What a kind of notice is about, as one sentence.
pub fn notice_meaning(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Unreadable => "a file could not be opened or read",
        NoticeKind::NotUtf8 => "a file is not UTF-8",
        NoticeKind::Limit => "a file is larger, deeper or longer than a stated limit",
        NoticeKind::Syntax => "a file or statement is not what its parser accepts",
        NoticeKind::Link => "a link was not followed",
        NoticeKind::OutsideRoot => "a path leads out of the root and was not followed",
        NoticeKind::Suppression => "a suppression hides nothing or gives no reason",
        NoticeKind::Config => "a configuration value has no effect",
        NoticeKind::Unseen => "statements are sent in a way that is not known: by a client, or by what a macro writes",
        NoticeKind::Internal => "a defect of racelint itself",
    }
}

/// `path:line:column`, or the path alone; on one line and safe for a log.
pub fn notice_place(places: &Places<'_>, notice: &Notice) -> String {
    let path = escape::line(&notice.path);
    let Some(span) = notice.span.filter(|span| places.path(span.file) == notice.path) else {
        return path;
    };
    let start = places.place(span).start;
    format!("{path}:{}:{}", start.line, start.column)
}

/// Errors first, then by confidence; among equals the given order stays.
pub fn gravest_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.confidence)));
    sorted
}

/// The text cut to a number of characters, with `cut` in place of the rest.
pub fn clip(text: &str, limit: usize, cut: &str) -> String {
    if text.chars().count() <= limit {
        return text.to_string();
    }
    let kept: String = text.chars().take(limit).collect();
    format!("{}{cut}", kept.trim_end())
}
