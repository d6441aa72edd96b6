//! `--stdin-filename`: one file's text as an editor has it, among the files on disk that it belongs to.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use super::args::Reading;
use super::check::{self, Read};
use crate::source::{self, HARD_LIMIT};

/// Reads the Cargo workspace around a file, which need not be on disk yet, with the text of standard input in its place.
pub fn read(file: &Path, reading: &Reading) -> Result<Read, Failure> {
    let shown = source::shown(file);
    let failure = |text: String| Failure(format!("{shown}: {text}"));
    if !source::is_source(file) {
        return Err(failure("neither a Rust nor an SQL file".to_owned()));
    }
    let text = text(reading.size_limit()).map_err(|text| Failure(format!("standard input: {text}")))?;
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = dir.canonicalize().map_err(|cause| failure(source::cause_of(&cause)))?;
    let place = source::place(std::slice::from_ref(&dir)).map_err(|error| Failure(error.to_string()))?;
    let home = place.given.iter().find_map(|given| given.home()).unwrap_or(&dir);
    let paths: Vec<PathBuf> = vec![home.to_owned()];
    let config = check::configuration(reading, std::slice::from_ref(&dir))?;
    check::start_threads(reading.threads)?;
    let options = check::options(reading, &config);
    let workspace = source::read(&paths, &options).map_err(|error| Failure(error.to_string()))?;
    let path = dir.join(file.file_name().unwrap_or_default());
    let path = path.strip_prefix(&workspace.root).map_or_else(|_| source::shown(&path), source::shown);
    let workspace = source::overlay(&workspace, &BTreeMap::from([(path.clone(), Some(Arc::from(text)))]));
    let only = workspace.files.iter().find(|file| file.path == path).map(|file| file.id);
    Ok(Read { workspace, config, options, only, paths })
}

fn text(limit: u64) -> Result<String, String> {
    let limit = limit.min(HARD_LIMIT);
    let mut bytes = Vec::new();
    io::stdin().lock().take(limit + 1).read_to_end(&mut bytes).map_err(|cause| source::cause_of(&cause))?;
    if bytes.len() as u64 > limit {
        return Err(format!("more than {limit} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}
