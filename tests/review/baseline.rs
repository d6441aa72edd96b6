//! `racelint baseline` and `check --baseline`.

use std::fs;

use crate::{RACE, check, package, race, run, write};

const FILE: &str = "racelint-baseline.json";

#[test]
fn what_was_there_is_not_reported_and_what_is_new_is() {
    let dir = package();
    let (status, out, err) = run(dir.path(), &["baseline"]);
    assert_eq!((status, out.as_str()), (0, "wrote racelint-baseline.json: 1 finding\n"), "{err}");
    let (status, out, _) = check(dir.path(), &["--baseline", FILE]);
    assert!(status == 0 && out.contains("1 in the baseline") && !out.contains("notice"), "{out}");

    write(dir.path(), "src/lib.rs", &(RACE.to_owned() + &race("book_again")));
    let (status, out, _) = check(dir.path(), &["--baseline", FILE]);
    assert_eq!((status, out.matches("[check-then-update]").count()), (1, 1), "{out}");
    assert!(out.contains("src/lib.rs:10:"), "{out}");
    let (_, out, _) = run(dir.path(), &["baseline"]);
    assert_eq!(out, "wrote racelint-baseline.json: 2 findings, 1 new, 0 gone\n");
}

#[test]
fn moved_lines_and_formatting_change_nothing() {
    let dir = package();
    run(dir.path(), &["baseline"]);
    let listed = fs::read_to_string(dir.path().join(FILE)).unwrap();
    let formatted = RACE
        .replace(").bind", ")\n        .bind")
        .replace("{ sqlx", "{\n        sqlx")
        .replace("; }", ";\n    }")
        .replace("let holder: Option<i64> = ", "let holder: Option<i64> =\n        ")
        .replace("SELECT holder FROM seats WHERE", "SELECT holder\n           FROM seats\n           WHERE");
    write(dir.path(), "src/lib.rs", &format!("//! Seats.\n\n/// Books.\nfn other() {{}}\n{formatted}"));
    let (status, out, _) = check(dir.path(), &["--baseline", FILE]);
    assert!(status == 0 && out.contains("1 in the baseline"), "{out}");
    run(dir.path(), &["baseline"]);
    assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), listed);
}

#[test]
fn what_is_gone_is_told_where_the_run_looked() {
    let dir = package();
    write(dir.path(), "src/more.rs", &race("more"));
    write(dir.path(), "src/gone.rs", &race("gone"));
    run(dir.path(), &["baseline", "-o", "list.json"]);
    write(dir.path(), "src/lib.rs", "pub fn book() {}\n");
    fs::remove_file(dir.path().join("src/gone.rs")).unwrap();
    let (status, out, _) = check(dir.path(), &["--baseline", "list.json"]);
    assert_eq!(status, 0, "{out}");
    let gone: Vec<&str> = out.lines().filter(|line| line.contains("is gone")).collect();
    assert!(gone.len() == 2 && gone[1].contains("gone (src/gone.rs)"), "{out}");
    assert!(gone[0].starts_with("list.json: notice[suppression] check-then-update on seats in shop::book"), "{out}");
    // A run that looked at one file, or for another rule, says nothing of the others.
    for part in [&["src/more.rs"][..], &["--ignore", "check-then-update"]] {
        let (_, out, _) = check(dir.path(), &[&["--baseline", "list.json"], part].concat());
        assert!(!out.contains("is gone"), "{out}");
    }
    assert_eq!(run(dir.path(), &["baseline", "-o", "list.json"]).1, "wrote list.json: 1 finding, 0 new, 2 gone\n");
}

#[test]
fn the_file_keeps_to_its_schema_and_errors_have_a_place() {
    let dir = package();
    run(dir.path(), &["baseline"]);
    let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
    let schema = include_str!("../../schemas/baseline.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(validator.is_valid(&written), "{text}");
    assert_eq!(written["findings"][0]["path"], "src/lib.rs");

    for (from, to, told) in [
        ("\"version\": 1", "\"version\": 7", "racelint-baseline.json:2:14: version 7 is not known"),
        ("\"rule\"", "\"rul\"", "unknown field `rul`"),
        ("\n", "\n<<<<<<< HEAD\n", "racelint-baseline.json:2:1: "),
    ] {
        write(dir.path(), FILE, &text.replacen(from, to, 1));
        let (status, _, err) = check(dir.path(), &["--baseline", FILE]);
        assert!(status == 2 && err.contains(told), "{err}");
    }
    let (status, _, err) = check(dir.path(), &["--baseline", "none.json"]);
    assert_eq!((status, err.as_str()), (2, "racelint: error: none.json: no such file or directory\n"));
}
