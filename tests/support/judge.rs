//! Holds what was found against the marks of a case.
//!
//! A mark is a trailing comment: `//~ race` where a finding of the page's rule has its primary line, `//~ race(rule)`
//! where another rule's has, `//~ read` and `//~ check` where a label of that role lies. `//~ missed(rule)` is a race that is
//! not found today, for files that are no blocks of a page. One comment may hold several.

use racelint::finding::Role;

use super::engine::Found;
use super::page::{Block, Kind};

/// A mark, by its line in the block's text, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub line: usize,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Race(String),
    Missed(String),
    Label(&'static str),
}

/// The marks of a text. `rule` is meant by a bare `race`; without it a bare `race` is a fault.
pub fn marks(text: &str, rule: Option<&str>) -> Result<Vec<Mark>, String> {
    let mut marks = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some((_, words)) = line.split_once("//~") else { continue };
        for word in words.split_whitespace() {
            let what = mark(word, rule).ok_or_else(|| format!("line {}: unknown mark `{word}`", index + 1))?;
            marks.push(Mark { line: index + 1, what });
        }
    }
    Ok(marks)
}

fn mark(word: &str, rule: Option<&str>) -> Option<What> {
    match word {
        "read" => Some(What::Label("read")),
        "check" => Some(What::Label("check")),
        "race" => rule.map(|rule| What::Race(rule.to_owned())),
        _ => {
            let (name, other) = word.strip_suffix(')')?.split_once('(')?;
            let rule = racelint::rules::page(other)?.id.to_owned();
            match name {
                "race" => Some(What::Race(rule)),
                "missed" => Some(What::Missed(rule)),
                _ => None,
            }
        }
    }
}

/// What is wrong with the answer for one file, in one sentence; `None` when the answer is the expected one. Lines are those
/// of the page, or of the file when the block is one.
pub fn judge(block: &Block, rule: Option<&str>, found: &[Found]) -> Option<String> {
    let faults = faults(block, rule, found);
    (!faults.is_empty()).then(|| faults.join("; "))
}

fn faults(block: &Block, rule: Option<&str>, found: &[Found]) -> Vec<String> {
    let marks = match marks(&block.text, rule) {
        Ok(marks) => marks,
        Err(fault) => return vec![fault],
    };
    let here: Vec<&Found> = found.iter().filter(|finding| finding.path == block.path).collect();
    match block.kind {
        Kind::Race | Kind::Before => reported(block, &marks, &here, found),
        Kind::Safe | Kind::After => {
            here.iter().map(|finding| format!("safe, but got {}", told(block, finding))).collect()
        }
        Kind::Missed => missed(block, &marks, &here),
        Kind::Noisy if here.is_empty() => vec!["no longer reported: make it a safe block".to_owned()],
        Kind::Noisy => reported(block, &marks, &here, found),
    }
}

fn reported(block: &Block, marks: &[Mark], here: &[&Found], all: &[Found]) -> Vec<String> {
    let mut faults = Vec::new();
    for mark in marks {
        match &mark.what {
            What::Race(rule) if here.iter().any(|finding| finding.line == mark.line && finding.rule == *rule) => {}
            What::Race(rule) => faults.push(format!(
                "line {}: expected {rule}, got {}",
                block.line_of(mark.line),
                nearest(block, mark.line, here)
            )),
            What::Missed(rule) if here.iter().any(|finding| finding.line == mark.line && finding.rule == *rule) => {
                faults.push(format!("line {}: no longer missed: mark it as race({rule})", block.line_of(mark.line)));
            }
            What::Missed(_) => {}
            What::Label(role) if has_label(all, &block.path, mark.line, role) => {}
            What::Label(role) => faults.push(format!("line {}: no {role} label here", block.line_of(mark.line))),
        }
    }
    for finding in here {
        let marked = marks.iter().any(|m| {
            m.line == finding.line && matches!(&m.what, What::Race(rule) | What::Missed(rule) if *rule == finding.rule)
        });
        if !marked {
            faults.push(format!("not marked: {}", told(block, finding)));
        }
    }
    faults
}

fn missed(block: &Block, marks: &[Mark], here: &[&Found]) -> Vec<String> {
    let is_marked = |finding: &Found| {
        marks.iter().any(|m| m.line == finding.line && matches!(&m.what, What::Race(rule) if *rule == finding.rule))
    };
    here.iter()
        .map(|finding| match is_marked(finding) {
            true => format!("no longer missed: make it a race block ({})", told(block, finding)),
            false => format!("a missed block reports nothing, but got {}", told(block, finding)),
        })
        .collect()
}

fn has_label(found: &[Found], path: &str, line: usize, role: &str) -> bool {
    let role = if role == "read" { Role::Read } else { Role::Check };
    let mut labels = found.iter().flat_map(|finding| &finding.labels);
    labels.any(|label| label.role == role && label.path == path && (label.first..=label.last).contains(&line))
}

fn nearest(block: &Block, line: usize, here: &[&Found]) -> String {
    match here.iter().min_by_key(|finding| finding.line.abs_diff(line)) {
        Some(finding) => told(block, finding),
        None => "nothing".to_owned(),
    }
}

fn told(block: &Block, finding: &Found) -> String {
    format!("{} at line {}: {} ({})", finding.rule, block.line_of(finding.line), finding.message, finding.why)
}
