//! The fuzz targets on a few hundred mutated pages: what `fuzz/run` does for as long as one likes, within seconds and
//! the same every time. With `RACELINT_FUZZ_SECONDS=600` each target goes on for that long, where there is no libFuzzer.

#[path = "../fuzz/src/harmless.rs"]
mod harmless;
#[path = "../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::panic;
use std::path::Path;
use std::time::{Duration, Instant};

use racelint::cache::entry::{self, Head};
use racelint::cache::remembered::Remembered;
use racelint::config::Config;
use racelint::outcome::Outcome;
use racelint::source::disk::{Answer, Heard};
use racelint::source::stamp::{Digest, Moment, Stamp};
use racelint::{analyse, source};

/// In bytes, as for the fuzzer.
const LIMIT: usize = 16 << 10;

#[test]
fn rust_text() {
    run(targets::rust, 400, &blocks("rust"));
}

#[test]
fn sql_text() {
    let statements: Vec<String> =
        blocks("rust").iter().flat_map(|text| text.split('"').skip(1).step_by(2)).map(str::to_owned).collect();
    run(targets::sql, 600, &statements);
}

#[test]
fn migrations() {
    run(targets::migrations, 200, &blocks("sql"));
}

#[test]
fn configuration() {
    run(targets::config, 300, &blocks("toml"));
}

#[test]
fn whole_projects() {
    let pieces = blocks("rust");
    let projects: Vec<String> = pieces
        .iter()
        .zip(pieces.iter().skip(1))
        .map(|(one, other)| format!("mod store;\n{one}\0{other}\0{SCHEMA}"))
        .collect();
    run(targets::workspace, 60, &projects);
}

#[test]
fn entries_of_the_cache() {
    let manifest = "[package]\nname = 'a'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n";
    let now = Moment::now();
    let stamp = Stamp::at(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a stamp");
    let digest = Digest::of(b"");
    let head = Head { key: digest, found_out: now, begun: now, program: stamp, program_digest: digest };
    let heard =
        Heard { answers: vec![("/x/src/lib.rs".to_owned(), Answer::Content(stamp, digest))], ..Heard::default() };
    let seeds = blocks("rust").into_iter().step_by(9).flat_map(|text| {
        let files = [("Cargo.toml", manifest.to_owned()), ("src/lib.rs", text)];
        let workspace = source::memory(files.map(|(path, text)| (path.to_owned(), text)).to_vec());
        let outcome = Outcome::of(analyse(&workspace, &Config::default()), &workspace);
        let outcome = Remembered::encode(&workspace, &outcome).expect("bytes");
        let whole = entry::encode(&head, &heard, &outcome);
        [whole[52..].to_vec(), whole, outcome]
    });
    run(targets::cache, 3000, &seeds.filter(|seed| seed.len() < LIMIT).collect::<Vec<_>>());
}

const SCHEMA: &str = "CREATE TABLE t (id bigint PRIMARY KEY, n int NOT NULL, UNIQUE (n));";

/// Runs a target on so many mutations of the seeds, each some steps away from the one it came from.
fn run(target: fn(&[u8]), times: u64, seeds: &[impl AsRef<[u8]>]) {
    assert!(!seeds.is_empty());
    let cut = |seed: &[u8]| seed[..seed.len().min(LIMIT)].to_vec();
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| cut(seed.as_ref())).collect();
    let seconds = std::env::var("RACELINT_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    let work = move || {
        let begun = Instant::now();
        let more = |round: &u64| *round < times || begun.elapsed() < Duration::from_secs(seconds);
        for round in (0..).take_while(more) {
            let started = Instant::now();
            let seed = usize::try_from(round.wrapping_mul(0x9e37_79b9) % seeds.len() as u64).expect("an index");
            let mut data = seeds[seed].clone();
            for step in 0..=round % 3 {
                data = mutate::mutated(&data, round * 3 + step, LIMIT);
            }
            if let Err(panic) = panic::catch_unwind(|| target(&data)) {
                eprintln!("round {round} of seed {seed}:\n{}", String::from_utf8_lossy(&data));
                panic::resume_unwind(panic);
            }
            if seconds > 0 && started.elapsed() > Duration::from_secs(20) {
                panic!(
                    "round {round} of seed {seed} took {:?}:\n{}",
                    started.elapsed(),
                    String::from_utf8_lossy(&data)
                );
            }
        }
    };
    // What runs in parallel below stays on these threads, which have the stack of the program's own.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2).stack_size(targets::STACK).build().expect("threads");
    threads.install(work);
}

/// The fenced blocks of a language in all pages, and the fixtures' files of that kind.
fn blocks(language: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut pages: Vec<_> =
        fs::read_dir(root.join("rules")).expect("pages").map(|entry| entry.expect("a page").path()).collect();
    pages.sort();
    for page in pages {
        let text = fs::read_to_string(page).expect("UTF-8");
        let mut rest = text.as_str();
        while let Some(start) = rest.find(&format!("\n```{language}")) {
            let block = &rest[start + 1..];
            let (Some(line), Some(end)) = (block.find('\n'), block.find("\n```")) else { break };
            found.push(block[line + 1..end.max(line) + 1].to_owned());
            rest = &block[end + 4..];
        }
    }
    if found.is_empty() {
        found.push(CONFIG.to_owned());
    }
    found
}

const CONFIG: &str = "dialect = \"postgres\"\nexclude = [\"gen/**\"]\nentry_points = [\"crate::jobs::*\"]\n\
    [rules]\nlost-update = \"warning\"\n[[allow]]\nrule = \"lost-update\"\npath = \"src/**\"\nreason = \"x\"\n";
