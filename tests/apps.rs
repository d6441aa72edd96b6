//! Whole small crates, in the layers that real ones have. They are read, never built.
//!
//! Every finding is marked in the source where it stands (`//~ race(rule)`), and so is every race that is not found today
//! (`//~ missed(rule)`). `RACELINT_APPS=parking` runs the apps whose name holds `parking`.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::engine;
use support::judge::{self, What};
use support::page::{Block, Kind};

#[test]
fn every_finding_is_marked_where_it_stands() {
    let mut faults = Vec::new();
    for app in apps() {
        let files = files_of(&app);
        let name = app.strip_prefix(root()).unwrap_or(&app).display();
        let answer = match engine::ask(files.clone(), "") {
            Ok(answer) => answer,
            Err(error) => {
                faults.push(format!("{name}: could not run: {error}"));
                continue;
            }
        };
        if answer.unknown > 0 {
            faults.push(format!("{name}: {} statements were not understood", answer.unknown));
        }
        for block in blocks(&files) {
            let fault = judge::judge(&block, None, &answer.found);
            faults.extend(fault.map(|fault| format!("{name}/{}: {fault}", block.path)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_app_has_races_and_files_without_any() {
    for app in apps() {
        let blocks = blocks(&files_of(&app));
        let races = |block: &Block| {
            let marks = judge::marks(&block.text, None).unwrap_or_else(|fault| panic!("{}: {fault}", block.path));
            marks.iter().filter(|mark| matches!(mark.what, What::Race(_) | What::Missed(_))).count()
        };
        assert!(blocks.iter().map(races).sum::<usize>() >= 4, "{}", app.display());
        assert!(blocks.iter().any(|block| races(block) == 0), "{}", app.display());
        for block in &blocks {
            assert!(syn::parse_file(&block.text).is_ok(), "{}/{} is not Rust", app.display(), block.path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn apps() -> Vec<PathBuf> {
    let filter = std::env::var("RACELINT_APPS").unwrap_or_default();
    let entries = fs::read_dir(root().join("fixtures/apps")).expect("fixtures/apps is there");
    let mut apps: Vec<_> = entries.map(|entry| entry.expect("an entry that can be read").path()).collect();
    apps.retain(|path| path.join("Cargo.toml").is_file() && path.to_string_lossy().contains(&filter));
    apps.sort();
    apps
}

/// Every file of the app, by its path below it.
fn files_of(app: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut waiting = vec![app.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).expect("a directory of the app") {
            let path = entry.expect("an entry that can be read").path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let below = path.strip_prefix(app).expect("below the app");
            let below = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
            files.push((below, fs::read_to_string(&path).expect("UTF-8")));
        }
    }
    files.sort();
    files
}

fn blocks(files: &[(String, String)]) -> Vec<Block> {
    let rust = files.iter().filter(|(path, _)| path.ends_with(".rs"));
    rust.map(|(path, text)| Block { kind: Kind::Race, path: path.clone(), line: 1, text: text.clone() }).collect()
}
