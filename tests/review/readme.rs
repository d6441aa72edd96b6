//! The README says what is true: its output is that of the binary, its commands run.

use std::fs;
use std::path::Path;

use crate::{package, run, write};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_output_is_real() {
    let (status, out, err) = run(Path::new(env!("CARGO_MANIFEST_DIR")), &["check", "fixtures/apps/ticket-office"]);
    assert_eq!(status, 1, "{err}");
    let block = &blocks(&readme(), "text")[0];
    assert!(out.contains(block.as_str()), "README.md shows:\n{block}\n\nand racelint prints:\n{out}");
}

#[test]
fn the_commands_run() {
    let dir = package();
    fs::rename(dir.path().join("src/lib.rs"), dir.path().join("src/orders.rs")).unwrap();
    write(dir.path(), "src/lib.rs", &format!("pub mod orders;{}", "\n".repeat(50)));
    let orders = fs::read_to_string(dir.path().join("src/orders.rs")).unwrap();
    write(dir.path(), "src/orders.rs", &format!("{}{orders}", "\n".repeat(40)));
    let mut ran = 0;
    for line in blocks(&readme(), "sh").iter().flat_map(|block| block.lines()) {
        let Some(arguments) = line.split(" #").next().and_then(|line| line.strip_prefix("racelint ")) else {
            assert!(line.starts_with("cargo "), "{line}");
            continue;
        };
        let (status, _, err) = run(dir.path(), &arguments.split_whitespace().collect::<Vec<_>>());
        assert!(status == 0 || status == 1 && arguments.starts_with("check"), "{line}: {status} {err}");
        ran += 1;
    }
    assert!(ran >= 10 && dir.path().join("racelint.sarif").is_file() && dir.path().join("racelint.toml").is_file());
    let configuration = &blocks(&readme(), "toml")[0];
    write(dir.path(), "racelint.toml", configuration);
    let (status, _, err) = run(dir.path(), &["config"]);
    assert_eq!(status, 0, "{err}");
}
