//! The pages of the rules as a test suite: every fenced block is a case, and racelint must answer as its kind says.
//!
//! `RACELINT_PAGES=lock` runs the pages whose path holds `lock`; `RACELINT_PAGES_REPORT=1` prints a table of all pages
//! and one line for each failure.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use racelint::rules;
use support::engine;
use support::judge::{self, What};
use support::page::{self, Case, Kind, PageCases};

const SECTIONS: [&str; 5] = ["What goes wrong", "Race", "Safe", "Rewrite", "Known misses"];

struct PageFile {
    id: String,
    cases: PageCases,
}

#[test]
fn every_block_is_judged_as_its_kind_says() {
    let mut table = String::new();
    let mut failures = Vec::new();
    for file in page_files() {
        let (passed, mut failed) = judge_page(&file);
        let _ = writeln!(table, "{:20} {passed:4} passed {:4} failed", file.id, file.cases.cases.len() - passed);
        failures.append(&mut failed);
    }
    if std::env::var_os("RACELINT_PAGES_REPORT").is_some() {
        println!("{table}\n{}", failures.join("\n"));
    }
    assert!(failures.is_empty(), "{} wrong answers\n{}\n{table}", failures.len(), failures.join("\n"));
}

#[test]
fn every_page_keeps_to_the_format() {
    let faults: Vec<String> = page_files().iter().flat_map(format_faults).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The pages in the registry's order, filtered by `RACELINT_PAGES`.
fn page_files() -> Vec<PageFile> {
    let filter = std::env::var("RACELINT_PAGES").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    rules::pages()
        .iter()
        .map(|page| (page.id, format!("rules/{}.md", page.id)))
        .filter(|(_, path)| path.contains(&filter))
        .map(|(id, path)| {
            let text = fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            PageFile { id: id.to_owned(), cases: page::read(&path, &text) }
        })
        .collect()
}

/// How many cases passed, and one line for each wrong answer.
fn judge_page(file: &PageFile) -> (usize, Vec<String>) {
    let mut passed = 0;
    let mut failures = Vec::new();
    for case in &file.cases.cases {
        let faults = judge_case(case, &file.id);
        passed += usize::from(faults.is_empty());
        failures.extend(faults);
    }
    (passed, failures)
}

fn judge_case(case: &Case, rule: &str) -> Vec<String> {
    let place = |line: usize, kind: &str| format!("{}:{line}: [{kind}] {}", case.page, case.heading);
    let found = match engine::ask(case.files(), &case.config) {
        Ok(answer) => answer.found,
        Err(error) => return vec![format!("{}: could not run: {error}", place(case.line(), "any"))],
    };
    let mut faults = Vec::new();
    for block in &case.blocks {
        let kind = format!("{:?}", block.kind).to_lowercase();
        let fault = judge::judge(block, Some(rule), &found);
        faults.extend(fault.map(|fault| format!("{}: {fault}", place(block.line, &kind))));
    }
    let outside = found.iter().filter(|finding| !case.blocks.iter().any(|block| block.path == finding.path));
    faults.extend(
        outside.map(|finding| format!("{}: finding outside of the case: {finding:?}", place(case.line(), "any"))),
    );
    faults
}

fn format_faults(file: &PageFile) -> Vec<String> {
    let mut faults = file.cases.faults.clone();
    let path = format!("rules/{}.md", file.id);
    if file.cases.sections != SECTIONS {
        faults.push(format!("{path}: sections are {:?}, not {SECTIONS:?}", file.cases.sections));
    }
    let blocks: Vec<_> = file.cases.cases.iter().flat_map(|case| &case.blocks).collect();
    for kind in [Kind::Race, Kind::Safe, Kind::Before, Kind::After] {
        if !blocks.iter().any(|block| block.kind == kind) {
            faults.push(format!("{path}: no {} block", format!("{kind:?}").to_lowercase()));
        }
    }
    for pair in blocks.windows(2) {
        let [first, second] = pair else { continue };
        if (first.kind == Kind::Before) != (second.kind == Kind::After) {
            faults.push(format!("{path}:{}: a before block is followed by its after block", first.line));
        }
    }
    for case in &file.cases.cases {
        faults.extend(case_faults(case, &file.id));
    }
    if !has_single_token_twin(&file.cases.cases) {
        faults.push(format!("{path}: no safe block differs from a race in a single token"));
    }
    faults
}

/// Faults of the marks, and Rust that does not parse.
fn case_faults(case: &Case, rule: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if let Err(error) = engine::configuration(&case.config) {
        faults.push(format!("{}:{}: {error}", case.page, case.line()));
    }
    let mut races = 0;
    for block in &case.blocks {
        let mut fault = |what: String| faults.push(format!("{}:{}: {what}", case.page, block.line));
        if let Err(error) = syn::parse_file(&block.text) {
            let at = error.span().start();
            fault(format!("not Rust: {error} at line {} of the block", at.line));
        }
        match judge::marks(&block.text, Some(rule)) {
            Err(wrong) => fault(wrong),
            Ok(marks) => {
                races += marks.iter().filter(|mark| matches!(mark.what, What::Race(_))).count();
                if block.kind.is_quiet() && !marks.is_empty() {
                    fault("a safe block has no marks".to_owned());
                }
            }
        }
    }
    let needs_race = case.blocks.iter().any(|block| block.kind.is_reported() || block.kind == Kind::Missed);
    if needs_race && races == 0 {
        faults.push(format!("{}:{}: nothing is marked as a race", case.page, case.line()));
    }
    faults
}

fn has_single_token_twin(cases: &[Case]) -> bool {
    let single = |case: &&Case| case.blocks.len() == 1;
    let tokens = |case: &Case| tokens(&case.blocks[0].text);
    let racy = cases.iter().filter(single).filter(|case| case.blocks[0].kind.is_reported()).map(tokens);
    let safe: Vec<_> = cases.iter().filter(single).filter(|case| case.blocks[0].kind.is_quiet()).map(tokens).collect();
    racy.into_iter().any(|race| safe.iter().any(|other| differ_in_one(&race, other)))
}

/// Words and single punctuation characters; marks are left out.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let code = line.split_once("//~").map_or(line, |(code, _)| code);
        let mut word = String::new();
        for c in code.chars() {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            tokens.extend((!c.is_whitespace()).then(|| c.to_string()));
        }
        tokens.extend((!word.is_empty()).then_some(word));
    }
    tokens
}

/// Whether one token was replaced, added or taken away.
fn differ_in_one(a: &[String], b: &[String]) -> bool {
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let rest = a.len().min(b.len()) - front;
    let back = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(x, y)| x == y).count();
    let (left_a, left_b) = (a.len() - front - back, b.len() - front - back);
    a != b && left_a <= 1 && left_b <= 1
}

#[test]
fn a_single_token_apart_is_told_from_more() {
    let of = |text: &str| tokens(text);
    assert!(differ_in_one(&of("a FOR SHARE //~ race"), &of("a FOR UPDATE")));
    assert!(differ_in_one(&of("f(x)"), &of("f(&x)")));
    assert!(!differ_in_one(&of("f(x)"), &of("f(x)")));
    assert!(!differ_in_one(&of("f(x, y)"), &of("f(y, z)")));
}
