//! The command line, defined once: parsing, help, completions and environment variables come from here.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::dialect::{Dialect, Isolation};
use crate::finding::{Confidence, Severity};
use crate::report::Format;
use crate::source::{HARD_LIMIT, SIZE_LIMIT};

const EXIT_STATUS: &str = "\
Exit status:
  0  nothing found
  1  findings of the --fail-on severity or above
  2  could not run: a bad argument, path or configuration; with --strict also a file that was left out";

/// Finds check-then-act races on database rows in Rust programs.
///
/// `racelint PATH` is short for `racelint check PATH`, and `racelint` for `racelint check .`
#[derive(Debug, Parser)]
#[command(name = "racelint", version, after_help = EXIT_STATUS)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look for races; the default
    Check(Box<Check>),
    /// Write today's findings into a file, so that `check --baseline` reports only new ones
    Baseline(Box<Baseline>),
    /// Print the page of a rule: what goes wrong, racy and safe code, the rewrite
    Explain {
        /// The rule's id, such as lost-update
        rule: String,
    },
    /// List the rules
    Rules {
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Say how the statements on a line were judged, and why
    Why {
        /// A file and a line in it, as reports write them
        #[arg(value_name = "FILE:LINE")]
        place: String,
    },
    /// Print how a file was understood: what each function does to rows; as JSON the file's package and comments
    Dump {
        file: PathBuf,
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Write a commented racelint.toml into the current directory
    Init {
        /// Print it instead
        #[arg(long)]
        print: bool,
    },
    /// Check the configuration that applies and say where it stands, or print its schema
    Config {
        /// Print the JSON schema of racelint.toml
        #[arg(long)]
        schema: bool,
        #[arg(value_name = "PATH", default_value = ".", conflicts_with = "schema")]
        path: PathBuf,
    },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page, in roff
    Man,
}

/// What one run of the analysis is told.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = EXIT_STATUS)]
pub struct Check {
    /// text, concise, json, json-lines, sarif, github, gitlab, junit or markdown; `FORMAT=FILE` writes to a file; repeatable
    #[arg(
        long,
        short,
        env = "RACELINT_FORMAT",
        value_name = "FORMAT[=FILE]",
        value_delimiter = ',',
        help_heading = "Output"
    )]
    pub format: Vec<Destination>,
    /// Write what would go to standard output into a file
    #[arg(long, short, env = "RACELINT_OUTPUT", value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// When to use colours
    #[arg(long, env = "RACELINT_COLOR", value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Color,
    /// Print findings only
    #[arg(long, short, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Print more about each finding
    #[arg(long, short, help_heading = "Output")]
    pub verbose: bool,
    /// List what was judged safe, and by which protection (text and JSON)
    #[arg(long, help_heading = "Output")]
    pub explain_safe: bool,
    /// Count what was not understood, by reason
    #[arg(long, help_heading = "Output")]
    pub statistics: bool,
    /// Tell several SARIF uploads of one commit apart
    #[arg(long, env = "RACELINT_CATEGORY", value_name = "NAME", help_heading = "Output")]
    pub category: Option<String>,

    /// Exit with 0 whatever was found
    #[arg(long, env = "RACELINT_EXIT_ZERO", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Verdict")]
    pub exit_zero: bool,
    /// The lowest severity that makes the exit status 1
    #[arg(long, env = "RACELINT_FAIL_ON", value_parser = severity, default_value = "note", value_name = "SEVERITY", help_heading = "Verdict")]
    pub fail_on: Option<Severity>,
    /// Exit with 2 when a file was left out
    #[arg(long, env = "RACELINT_STRICT", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Verdict")]
    pub strict: bool,
    /// Report only what this file of `racelint baseline` does not list
    #[arg(long, env = "RACELINT_BASELINE", value_name = "FILE", help_heading = "Verdict")]
    pub baseline: Option<PathBuf>,
    /// Report only what the changes since this commit, branch or tag touch or bring about
    #[arg(long, env = "RACELINT_SINCE", value_name = "REF", help_heading = "Verdict")]
    pub since: Option<String>,

    /// Read one file's text from standard input, for editors; reports only what stands in it
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub stdin_filename: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

/// What is looked at, and how it is read.
#[derive(Args, Clone, Debug, Default)]
pub struct Reading {
    /// Files and directories to read
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Leave out findings that are less sure: low, medium or high [default: medium]
    #[arg(long, env = "RACELINT_MIN_CONFIDENCE", value_parser = confidence, value_name = "CONFIDENCE", help_heading = "Verdict")]
    pub min_confidence: Option<Confidence>,
    /// Only these rules, separated by commas
    #[arg(long, env = "RACELINT_SELECT", value_name = "RULES", value_delimiter = ',', help_heading = "Verdict")]
    pub select: Vec<String>,
    /// Not these rules, separated by commas
    #[arg(long, env = "RACELINT_IGNORE", value_name = "RULES", value_delimiter = ',', help_heading = "Verdict")]
    pub ignore: Vec<String>,

    /// Read this configuration and no other
    #[arg(long, env = "RACELINT_CONFIG", value_name = "FILE", help_heading = "Reading")]
    pub config: Option<PathBuf>,
    /// Read no configuration, as for a pull request from a stranger
    #[arg(long, env = "RACELINT_ISOLATED", value_parser = clap::builder::FalseyValueParser::new(), conflicts_with = "config", help_heading = "Reading")]
    pub isolated: bool,
    /// postgres, mysql, sqlite, cockroach or mssql [default: from Cargo.toml, .env and the code]
    #[arg(long, env = "RACELINT_DIALECT", value_parser = dialect, value_name = "DIALECT", help_heading = "Reading")]
    pub dialect: Option<Dialect>,
    /// The isolation level of transactions that set none, such as read-committed [default: the engine's]
    #[arg(long, env = "RACELINT_ISOLATION", value_parser = isolation, value_name = "LEVEL", help_heading = "Reading")]
    pub isolation: Option<Isolation>,
    /// How many threads work [default: one for each processor]
    #[arg(long, short = 'j', env = "RACELINT_THREADS", value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N", help_heading = "Reading")]
    pub threads: Option<u16>,
    /// Leave out larger files: bytes, or with K or M; at most 4M [default: 1M]
    #[arg(long, env = "RACELINT_MAX_FILE_SIZE", value_parser = size, value_name = "SIZE", help_heading = "Reading")]
    pub max_file_size: Option<u64>,
    /// Where to remember what was found out, for as long as nothing changes [default: the user's cache directory]
    #[arg(long, env = "RACELINT_CACHE_DIR", value_name = "DIR", help_heading = "Reading")]
    pub cache_dir: Option<PathBuf>,
    /// Neither remember what was found out nor use what an earlier run did
    #[arg(long, env = "RACELINT_NO_CACHE", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Reading")]
    pub no_cache: bool,
}

/// What `racelint baseline` is told.
#[derive(Args, Clone, Debug, Default)]
pub struct Baseline {
    /// The file to write
    #[arg(
        long,
        short,
        env = "RACELINT_BASELINE",
        value_name = "FILE",
        default_value = "racelint-baseline.json",
        help_heading = "Output"
    )]
    pub output: PathBuf,
    #[command(flatten)]
    pub reading: Reading,
}

/// `FORMAT` or `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub format: Format,
    /// Standard output without one.
    pub file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    #[default]
    Text,
    Json,
}

impl Reading {
    /// The size from which on files are left out, in bytes.
    pub fn size_limit(&self) -> u64 {
        self.max_file_size.unwrap_or(SIZE_LIMIT)
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("no file behind the `=`".to_owned()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        Ok(Self { format: format.parse()?, file })
    }
}

/// The arguments with `check` put in where no command stands.
pub fn with_command(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    if arguments.is_empty() {
        arguments.push("racelint".into());
    }
    let is_command = |word: &OsStr| {
        const OWN: [&str; 5] = ["help", "-h", "--help", "-V", "--version"];
        let word = word.to_str().unwrap_or("");
        OWN.contains(&word) || <Arguments as clap::CommandFactory>::command().find_subcommand(word).is_some()
    };
    if !arguments.get(1).is_some_and(|word| is_command(word)) {
        arguments.insert(1, "check".into());
    }
    arguments
}

/// Bytes, with an optional K or M, which count 1024 and its square.
fn size(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let number = lower.trim_end_matches("ib").trim_end_matches('b');
    let (number, factor) = match number.strip_suffix('k') {
        Some(number) => (number, 1 << 10),
        None => number.strip_suffix('m').map_or((number, 1), |number| (number, 1 << 20)),
    };
    let bytes = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    match bytes {
        Some(bytes) if bytes > 0 && bytes <= HARD_LIMIT => Ok(bytes),
        Some(_) => Err(format!("a size is from 1 to {HARD_LIMIT} bytes")),
        None => Err("a size is a number of bytes, such as 2097152 or 2M".to_owned()),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    word(text, &[("note", Severity::Note), ("warning", Severity::Warning), ("error", Severity::Error)])
}

fn confidence(text: &str) -> Result<Confidence, String> {
    word(text, &[("low", Confidence::Low), ("medium", Confidence::Medium), ("high", Confidence::High)])
}

fn dialect(text: &str) -> Result<Dialect, String> {
    word(
        text,
        &[
            ("postgres", Dialect::Postgres),
            ("mysql", Dialect::MySql),
            ("sqlite", Dialect::Sqlite),
            ("cockroach", Dialect::Cockroach),
            ("mssql", Dialect::MsSql),
        ],
    )
}

fn isolation(text: &str) -> Result<Isolation, String> {
    word(
        text,
        &[
            ("read-uncommitted", Isolation::ReadUncommitted),
            ("read-committed", Isolation::ReadCommitted),
            ("repeatable-read", Isolation::RepeatableRead),
            ("snapshot", Isolation::Snapshot),
            ("serializable", Isolation::Serializable),
        ],
    )
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    words
        .iter()
        .find(|(word, _)| *word == text)
        .map(|&(_, meaning)| meaning)
        .ok_or_else(|| format!("expected one of {}", known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str]) -> Check {
        let arguments = std::iter::once("racelint").chain(arguments.iter().copied()).map(OsString::from);
        match Arguments::try_parse_from(with_command(arguments)).unwrap().command {
            Command::Check(check) => *check,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn check_is_the_default() {
        assert_eq!(check(&[]).reading.paths, [PathBuf::from(".")]);
        assert_eq!(check(&["src", "-q"]).reading.paths, [PathBuf::from("src")]);
        assert_eq!(check(&["check", "a", "b"]).reading.paths.len(), 2);
        assert!(check(&["--strict", "a"]).strict);
    }

    #[test]
    fn formats_may_have_files() {
        let formats = check(&["--format", "sarif=a=b.sarif", "-f", "github,concise"]).format;
        assert_eq!(formats[0], Destination { format: Format::Sarif, file: Some("a=b.sarif".into()) });
        assert_eq!(formats.len(), 3);
        assert!("json=".parse::<Destination>().is_err() && "yaml".parse::<Destination>().is_err());
    }

    #[test]
    fn sizes_have_units_and_a_bound() {
        let sizes = ["1", "512K", "2MiB", "4m", "4194304"].map(|text| size(text).unwrap());
        assert_eq!(sizes, [1, 512 << 10, 2 << 20, 4 << 20, 4 << 20]);
        assert!(
            ["", "0", "4194305", "5M", "-1", "1G", "99999999999999999999", "18446744073709551615M"]
                .iter()
                .all(|text| size(text).is_err())
        );
    }
}
