//! The commands besides `check`. Each prints, and exits with 0 when it could.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use serde_json::json;

use super::args::{Arguments, ListFormat};
use super::check::{found, no_such_rule, rules as ids};
use super::{CLEAN, Failure, output};
use crate::config::{Config, keys};
use crate::dump;
use crate::report::escape;
use crate::rules::{page, pages};
use crate::source::allow::allows;
use crate::source::{self, Options, Workspace};
use crate::span::FileId;

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

/// Prints what the functions of one file do to rows; as JSON its package and comments.
pub fn dump(file: &Path, format: ListFormat) -> Result<u8, Failure> {
    let (workspace, config, id) = around(file)?;
    if format == ListFormat::Text {
        let text = dump::file(&workspace, &config, id);
        let text = text.lines().map(|line| escape::line(line) + "\n").collect::<String>();
        return print(escape::log(&text).as_bytes());
    }
    let read = workspace.file(id);
    print_json(&json!({
        "path": read.path,
        "kind": read.kind,
        "crate": read.krate.and_then(|index| workspace.crates.get(index)),
        "allows": allows(&read.text),
    }))
}

/// One file with the workspace it belongs to, so that what it names elsewhere is known.
pub fn around(file: &Path) -> Result<(Workspace, Config, FileId), Failure> {
    let failure = |error: source::Error| Failure(error.to_string());
    let canonical = file
        .canonicalize()
        .map_err(|cause| Failure(format!("{}: {}", source::shown(file), source::cause_of(&cause))))?;
    let paths = [file.to_owned()];
    let place = source::place(&paths).map_err(failure)?;
    let config = found(&paths)?;
    let options = Options { selection: config.selection(), schema: config.schema.clone(), ..Options::default() };
    let home = place.given.iter().find_map(|given| given.home());
    let paths: Vec<PathBuf> = home.map(Path::to_owned).into_iter().chain(paths).collect();
    let workspace = source::read(&paths, &options).map_err(failure)?;
    let found = workspace.files.iter().find(|read| workspace.root.join(&read.path) == canonical);
    if let Some(id) = found.map(|read| read.id) {
        return Ok((workspace, config, id));
    }
    let shown = canonical.strip_prefix(&workspace.root).map_or_else(|_| source::shown(file), source::shown);
    let why = workspace.notices.iter().filter(|notice| notice.path == shown);
    let why: Vec<String> = why.map(|notice| format!("{}: {}", notice.path, notice.text)).collect();
    Err(Failure(if why.is_empty() { format!("{shown}: not read") } else { why.join("\n") }))
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

/// Prints the manual page from the one definition of the command line.
pub fn man() -> Result<u8, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut page)
        .map_err(|cause| Failure(format!("the manual page: {}", source::cause_of(&cause))))?;
    print(&page)
}

fn print_json(value: &serde_json::Value) -> Result<u8, Failure> {
    print(format!("{}\n", crate::report::escape::json(&format!("{value:#}"))).as_bytes())
}

pub fn print(bytes: &[u8]) -> Result<u8, Failure> {
    output::to_stdout(bytes).map_err(|cause| Failure(format!("standard output: {}", source::cause_of(&cause))))?;
    Ok(CLEAN)
}
