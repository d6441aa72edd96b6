//! What is suggested for the races of the rules' pages: every sure finding has a rewrite, and every rewrite is SQL or Rust.
//!
//! `RACELINT_PAGES=lock` takes the pages whose path holds `lock`; `RACELINT_PAGES_REPORT=1` prints every rewrite.

mod support;

use std::fs;
use std::path::Path;

use racelint::dialect::Dialect;
use racelint::finding::{Confidence, Finding, Rewrite};
use racelint::rules;
use racelint::source;
use racelint::sql::parse::parse;
use support::engine;
use support::page::{self, Case};

const ENGINES: [Dialect; 5] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite, Dialect::Cockroach, Dialect::MsSql];

#[test]
fn every_race_of_the_pages_has_a_rewrite_that_parses() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for case in cases() {
        for finding in findings(&case) {
            let place = format!("{}:{}: {}", case.page, case.line(), finding.message);
            seen += 1;
            report(&place, &finding);
            if finding.rewrites.is_empty() && finding.confidence == Confidence::High {
                faults.push(format!("{place}: no rewrite"));
            }
            if finding.rewrites.len() > 3 {
                faults.push(format!("{place}: more than three rewrites"));
            }
            faults.extend(
                finding
                    .rewrites
                    .iter()
                    .filter_map(|rewrite| fault(&finding, rewrite))
                    .map(|fault| format!("{place}: {fault}")),
            );
        }
    }
    assert!(seen > 0, "no page has a race");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The cases with a racy block.
fn cases() -> Vec<Case> {
    let filter = std::env::var("RACELINT_PAGES").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = rules::pages().iter().map(|page| format!("rules/{}.md", page.id)).filter(|path| path.contains(&filter));
    let cases = paths.flat_map(|path| {
        let text = fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        page::read(&path, &text).cases
    });
    cases.filter(|case| case.blocks.iter().any(|block| block.kind.is_reported())).collect()
}

fn findings(case: &Case) -> Vec<Finding> {
    let config = engine::configuration(&case.config).unwrap_or_else(|error| panic!("{}: {error}", case.page));
    let workspace = source::memory(case.files());
    let analysis = racelint::analyse(&workspace, &config);
    analysis.findings.into_iter().filter(|finding| finding.confidence >= Confidence::Medium).collect()
}

fn report(place: &str, finding: &Finding) {
    if std::env::var_os("RACELINT_PAGES_REPORT").is_none() {
        return;
    }
    println!("\n{place} [{} · {}]", finding.rule, finding.judged_for);
    for rewrite in &finding.rewrites {
        println!("  {:?}: {}\n      {}\n      ({})", rewrite.kind, rewrite.title, rewrite.text, rewrite.note);
    }
}

fn fault(finding: &Finding, rewrite: &Rewrite) -> Option<String> {
    let lower = |text: &str| text.chars().next().is_some_and(|c| !c.is_uppercase());
    if !lower(&rewrite.title) || rewrite.title.ends_with('.') || rewrite.note.ends_with('.') {
        return Some(format!("`{}` is no clause of the house's form", rewrite.title));
    }
    let fine = match rewrite.language {
        "sql" => {
            let engine = ENGINES.into_iter().find(|engine| finding.judged_for.starts_with(engine.name()));
            // What stays as the program has it.
            let text = rewrite.text.replace("…, ", "").replace("(…) VALUES (…)", "(id) VALUES (0)");
            let parsed = parse(&text, engine.unwrap_or(Dialect::Postgres));
            parsed.unknown.is_empty() && parsed.statements.iter().all(|statement| statement.gaps.is_empty())
        }
        "rust" => syn::parse_str::<syn::Block>(&format!("{{ {} }}", rewrite.text)).is_ok(),
        _ => false,
    };
    (!fine || rewrite.text.contains('\u{fffc}')).then(|| format!("`{}` does not parse", rewrite.text))
}
