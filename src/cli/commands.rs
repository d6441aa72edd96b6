//! The commands besides `check`. Each prints, and exits with 0 when it could.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use serde_json::json;

use super::args::{Arguments, ListFormat};
use super::check::{found, no_such_rule, rules as ids};
use super::{CLEAN, Failure, output};
use crate::config::keys;
use crate::dump;
use crate::rules::{page, pages};
use crate::source::allow::allows;
use crate::source::{self, Options};

const FILE: &str = "racelint.toml";

/// Prints the page of a rule as it is written, in Markdown.
pub fn explain(rule: &str) -> Result<u8, Failure> {
    let page = page(rule).ok_or_else(|| no_such_rule(rule))?;
    print(page.body.as_bytes())
}

/// Lists the rules in their order.
pub fn rules(format: ListFormat) -> Result<u8, Failure> {
    if format == ListFormat::Json {
        return print_json(&json!(pages()));
    }
    let width = ids().iter().map(|id| id.len()).max().unwrap_or(0);
    let lines = pages().iter().map(|page| format!("{:width$}  {}\n", page.id, page.summary));
    print(lines.collect::<String>().as_bytes())
}

/// Prints what is known of one file: its package as JSON, then what its functions do to rows.
pub fn dump(file: &Path) -> Result<u8, Failure> {
    let workspace =
        source::read(&[file.to_owned()], &Options::default()).map_err(|error| Failure(error.to_string()))?;
    let canonical = file.canonicalize().map_err(|cause| Failure(source::cause_of(&cause)))?;
    let read = workspace.files.iter().find(|read| workspace.root.join(&read.path) == canonical);
    let Some(read) = read else {
        let why = workspace.notices.iter().map(|notice| format!("{}: {}", notice.path, notice.text));
        return Err(Failure(why.collect::<Vec<_>>().join("\n")));
    };
    let config = found(&[file.to_owned()])?;
    let about = json!({
        "path": read.path,
        "kind": read.kind,
        "crate": read.krate.and_then(|index| workspace.crates.get(index)),
        "allows": allows(&read.text),
    });
    let about = serde_json::to_string_pretty(&about).unwrap_or_default();
    print(format!("{about}\n\n{}", dump::file(&workspace, &config, read.id)).as_bytes())
}

/// Writes, or prints, a commented configuration with what the project shows.
pub fn init(only_print: bool) -> Result<u8, Failure> {
    let workspace =
        source::read(&[PathBuf::from(".")], &Options::default()).map_err(|error| Failure(error.to_string()))?;
    let mut dialects: Vec<_> = workspace.crates.iter().flat_map(|krate| krate.dialects.iter().copied()).collect();
    dialects.sort_unstable();
    dialects.dedup();
    let set = match dialects[..] {
        [only] => vec![("dialect", json!(only).to_string())],
        _ => Vec::new(),
    };
    let text = keys::template(&set);
    if only_print {
        return print(text.as_bytes());
    }
    output::write_new(Path::new(FILE), text.as_bytes())
        .map_err(|cause| Failure(format!("{FILE}: {}", source::cause_of(&cause))))?;
    print(format!("wrote {FILE}\n").as_bytes())
}

/// Prints the JSON schema of racelint.toml.
pub fn schema() -> Result<u8, Failure> {
    print_json(&keys::schema(&ids()))
}

/// Says which configuration applies to a path, after it was read.
pub fn config(path: &Path) -> Result<u8, Failure> {
    let config = found(&[path.to_owned()])?;
    let place = config.path.unwrap_or_else(|| "no configuration".to_owned());
    print(format!("{}\n", crate::report::escape::line(&place)).as_bytes())
}

/// Prints completions from the one definition of the command line.
pub fn completions(shell: clap_complete::Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "racelint", &mut script);
    print(&script)
}

fn print_json(value: &serde_json::Value) -> Result<u8, Failure> {
    print(format!("{}\n", crate::report::escape::json(&format!("{value:#}"))).as_bytes())
}

fn print(bytes: &[u8]) -> Result<u8, Failure> {
    output::to_stdout(bytes).map_err(|cause| Failure(format!("standard output: {}", source::cause_of(&cause))))?;
    Ok(CLEAN)
}
