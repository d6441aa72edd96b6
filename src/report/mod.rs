//! Findings to bytes: one file per format. Reports decide nothing; they are given what is shown.
//!
//! Everything that comes from the analysed project (source lines, SQL, names of functions and files) passes through
//! [`escape`] on its way out, with one function for each kind of sink: a pull request must not be able to move the
//! cursor, to start a workflow command, or to break out of a table.

pub mod escape;
pub mod position;

mod concise;
mod github;
mod gitlab;
mod json;
mod junit;
mod line_hash;
mod markdown;
mod paint;
pub mod safe;
mod sarif;
mod snippet;
mod story;
pub mod summary;
mod text;

use std::io::{self, Write};
use std::str::FromStr;

use crate::finding::{Finding, Protected};
use crate::notice::Notice;
use crate::rules::Page;
use crate::source::Workspace;

/// All that a format may show.
pub struct Report<'a> {
    pub workspace: &'a Workspace,
    /// Sorted by file, offset and rule.
    pub findings: &'a [Finding],
    /// Sorted.
    pub notices: &'a [Notice],
    pub counts: Counts,
}

/// What the last line counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    pub files: usize,
    pub skipped: usize,
    pub functions: usize,
    pub statements: usize,
    /// Statements and calls that were not understood.
    pub unknown: usize,
    /// Findings left out for their low confidence.
    pub low: usize,
    /// Findings silenced by a comment or the configuration.
    pub suppressed: usize,
    /// Findings that the baseline lists.
    pub baseline: usize,
    /// Findings that the changes since a commit neither touch nor bring about.
    pub untouched: usize,
}

/// How the findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people at a terminal: snippets, the interleaving, the rewrite.
    Text,
    /// One line a finding.
    Concise,
    /// One versioned document; its schema is `schemas/output.schema.json`.
    Json,
    /// The same findings and notices, one JSON object a line.
    JsonLines,
    /// SARIF 2.1.0, as GitHub code scanning reads it.
    Sarif,
    /// Workflow commands that become annotations of a pull request.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit XML, for build servers.
    Junit,
    /// A summary for `$GITHUB_STEP_SUMMARY`.
    Markdown,
}

/// What a format may need besides the report. Formats for machines look at `category`, `pages` and `safe` only.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Whether ANSI colours are written.
    pub color: bool,
    /// Whether boxes and arrows may be drawn with characters outside of ASCII.
    pub unicode: bool,
    /// The terminal's width in columns.
    pub width: usize,
    /// Whether paths become OSC 8 hyperlinks.
    pub links: bool,
    /// How long the run took, for people who wait; never in what is compared or kept.
    pub took: Option<std::time::Duration>,
    /// What tells several SARIF uploads of one commit apart, such as `backend`.
    pub category: Option<String>,
    /// No summary, and only those notices that name something left out.
    pub quiet: bool,
    /// Also what helps to understand racelint itself: fingerprints, every caller.
    pub verbose: bool,
    /// Every rule that has a page, in the order of `racelint rules`.
    pub pages: &'a [Page],
    /// What was judged safe, for the text and JSON formats, when it was asked for.
    pub safe: Option<&'a [Protected]>,
}

/// Writes the report in one format. Fails only when `out` fails.
pub fn write(format: Format, report: &Report<'_>, options: &Options<'_>, out: &mut dyn Write) -> io::Result<()> {
    let bytes = match format {
        Format::Text => text::render(report, options),
        Format::Concise => concise::render(report, options),
        Format::Json => json::render(report, options),
        Format::JsonLines => json::render_lines(report, options),
        Format::Sarif => sarif::render(report, options),
        Format::Github => github::render(report, options),
        Format::Gitlab => gitlab::render(report),
        Format::Junit => junit::render(report),
        Format::Markdown => markdown::render(report),
    };
    out.write_all(bytes.as_bytes())
}

impl Format {
    /// All formats, in the order that help texts list them.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Concise,
        Self::Json,
        Self::JsonLines,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Markdown,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::JsonLines => "json-lines",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
            format!("unknown format, expected one of {}", known.join(", "))
        })
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Default for Options<'_> {
    /// What is written to a pipe: no colours, no links, ASCII, 100 columns.
    fn default() -> Self {
        Self {
            color: false,
            unicode: false,
            width: 100,
            links: false,
            took: None,
            category: None,
            quiet: false,
            verbose: false,
            pages: crate::rules::pages(),
            safe: None,
        }
    }
}
