//! The pages of the rules, compiled in: what `explain` prints, what SARIF carries as help, what the tests run.

use std::sync::LazyLock;

use serde::Serialize;

use crate::dialect::Dialect;
use crate::finding::Severity;

/// One rule as its page describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The rule's id, which is also the page's file name without `.md`.
    pub id: &'static str,
    /// The severity unless the configuration says otherwise.
    pub severity: Severity,
    pub precision: Precision,
    /// A number from 0.1 to 10 as GitHub code scanning reads it: above 9 critical, from 7 high, from 4 medium.
    pub security_severity: &'static str,
    /// The first version of racelint that had the rule.
    pub since: &'static str,
    /// The engines on which the shape races.
    pub dialects: Vec<Dialect>,
    /// Numbers of the Common Weakness Enumeration.
    pub cwe: Vec<u32>,
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// Markdown, without the front matter.
    pub body: &'static str,
}

/// How often a finding of the rule is right, in the words of SARIF's `precision` property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    VeryHigh,
    High,
    Medium,
    Low,
}

impl Precision {
    /// The word as SARIF writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::VeryHigh => "very-high",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// All pages, in the order in which rules are listed.
pub fn pages() -> &'static [Page] {
    static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| TEXTS.iter().filter_map(|text| parse(text)).collect());
    &PAGES
}

/// The page of one rule, by its id.
pub fn page(id: &str) -> Option<&'static Page> {
    pages().iter().find(|page| page.id == id)
}

const TEXTS: [&str; 10] = [
    include_str!("../../rules/check-then-update.md"),
    include_str!("../../rules/lost-update.md"),
    include_str!("../../rules/check-then-insert.md"),
    include_str!("../../rules/stale-guard.md"),
    include_str!("../../rules/unsafe-claim.md"),
    include_str!("../../rules/double-fire.md"),
    include_str!("../../rules/lock-lost.md"),
    include_str!("../../rules/racy-statement.md"),
    include_str!("../../rules/unchecked-outcome.md"),
    include_str!("../../rules/table-lock.md"),
];

/// Reads the front matter: `key: value` lines between two lines of three dashes. All keys are required.
fn parse(text: &'static str) -> Option<Page> {
    let (front, body) = split_front_matter(text)?;
    let value = |key: &str| {
        front.lines().find_map(|line| line.split_once(": ").filter(|(k, _)| *k == key)).map(|kv| kv.1.trim())
    };
    Some(Page {
        id: value("id")?,
        severity: severity(value("severity")?)?,
        precision: precision(value("precision")?)?,
        security_severity: value("security-severity")?,
        since: value("since")?,
        dialects: value("dialects")?.split(", ").map(dialect).collect::<Option<_>>()?,
        cwe: value("cwe")?.split(", ").map(|number| number.parse().ok()).collect::<Option<_>>()?,
        summary: value("summary")?,
        body,
    })
}

fn split_front_matter(text: &'static str) -> Option<(&'static str, &'static str)> {
    let text = text.strip_prefix("---")?;
    let (front, body) = text.split_once("\n---")?;
    Some((front, body.trim_start()))
}

fn severity(word: &str) -> Option<Severity> {
    Some(match word {
        "note" => Severity::Note,
        "warning" => Severity::Warning,
        "error" => Severity::Error,
        _ => return None,
    })
}

fn precision(word: &str) -> Option<Precision> {
    [Precision::VeryHigh, Precision::High, Precision::Medium, Precision::Low].into_iter().find(|p| p.name() == word)
}

fn dialect(word: &str) -> Option<Dialect> {
    Some(match word {
        "postgres" => Dialect::Postgres,
        "mysql" => Dialect::MySql,
        "sqlite" => Dialect::Sqlite,
        "cockroach" => Dialect::Cockroach,
        "mssql" => Dialect::MsSql,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_whole_front_matter() {
        for text in TEXTS {
            assert!(parse(text).is_some(), "front matter of a page does not parse: {:?}", text.lines().nth(1));
        }
    }

    #[test]
    fn pages_are_found_by_id_and_listed_in_order() {
        let ids: Vec<_> = pages().iter().map(|page| page.id).collect();
        assert_eq!(ids[0], "check-then-update");
        assert_eq!(ids[9], "table-lock");
        for id in ids {
            assert_eq!(page(id).map(|page| page.id), Some(id));
        }
        assert_eq!(page("no-such-rule"), None);
    }

    #[test]
    fn summaries_are_one_line_that_fits_a_terminal() {
        for page in pages() {
            assert!(page.summary.len() <= 110, "{}: {}", page.id, page.summary);
            assert!(!page.summary.ends_with('.'), "{}", page.id);
        }
    }

    #[test]
    fn security_severity_is_a_number_github_accepts() {
        for page in pages() {
            let number: f32 = page.security_severity.parse().expect(page.id);
            assert!((0.1..=10.0).contains(&number), "{}", page.id);
        }
    }
}
