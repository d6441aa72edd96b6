//! What racelint is measured against: `baseline stat|read|lex|parse DIRECTORY [THREADS]`, each with all that stands before.
//!
//! `stat` walks and asks for sizes, `read` reads, `lex` makes tokens, `parse` makes syn's tree of every Rust file. The
//! files are those that racelint would read: not hidden, not ignored.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Mutex;

use ignore::{WalkBuilder, WalkState};
use proc_macro2::TokenStream;
use racelint::lower::nesting;
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What racelint reads by default, in bytes.
const LIMIT: u64 = racelint::source::SIZE_LIMIT;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(mode), Some(root)) = (arguments.next(), arguments.next()) else {
        eprintln!("baseline stat|read|lex|parse DIRECTORY [THREADS]");
        std::process::exit(2);
    };
    let threads = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(0);
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(64 << 20).build_global().expect("threads");

    let (paths, bytes) = walk(&root, threads);
    let done: usize = match mode.as_str() {
        "stat" => paths.len(),
        "read" => paths.par_iter().filter(|path| fs::read_to_string(path).is_ok()).count(),
        "lex" => paths.par_iter().filter(|path| with_tokens(path, |tokens| drop(tokens))).count(),
        "parse" => paths
            .par_iter()
            .filter(|path| {
                with_tokens(path, |tokens| {
                    if nesting::check(&tokens).is_ok() {
                        drop(syn::parse2::<syn::File>(tokens))
                    }
                })
            })
            .count(),
        _ => panic!("stat, read, lex or parse"),
    };
    println!("{bytes} bytes in {} files, {done} done", paths.len());
}

/// Rust and SQL files with what they weigh; for parsing only the Rust of them matters.
fn walk(root: &str, threads: usize) -> (Vec<PathBuf>, u64) {
    let found = Mutex::new((Vec::new(), 0));
    WalkBuilder::new(root).follow_links(false).require_git(false).threads(threads).build_parallel().run(|| {
        Box::new(|entry| {
            let Ok(entry) = entry else { return WalkState::Continue };
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            let is_source = entry.path().extension().is_some_and(|ending| ending == "rs" || ending == "sql");
            if is_file && is_source {
                let size = entry.metadata().map_or(0, |data| data.len());
                if size <= LIMIT {
                    let mut found = found.lock().expect("no thread panics");
                    found.0.push(entry.into_path());
                    found.1 += size;
                }
            }
            WalkState::Continue
        })
    });
    found.into_inner().expect("no thread panics")
}

fn with_tokens(path: &PathBuf, then: impl Fn(TokenStream)) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return false };
    if path.extension().is_some_and(|ending| ending != "rs") {
        return true;
    }
    let read = TokenStream::from_str(&text).map(then).is_ok();
    proc_macro2::extra::invalidate_current_thread_spans();
    read
}
