//! `--stdin-filename`: what an editor asks for.

use std::io::Write;
use std::process::Stdio;

use crate::{RACE, command, package, told, write};

fn typed(dir: &std::path::Path, file: &str, text: &str) -> (i32, String, String) {
    let arguments = ["check", "--format", "concise", "--stdin-filename", file, "-"];
    let mut command = command(dir, &arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    told(&child.wait_with_output().unwrap())
}

#[test]
fn the_text_of_the_editor_is_judged_in_its_place() {
    let dir = package();
    write(dir.path(), "src/store.rs", RACE);
    let (status, out, err) = typed(dir.path(), "src/store.rs", "pub fn nothing() {}\n");
    assert_eq!(status, 0, "{out}{err}");
    let (status, out, _) = typed(dir.path(), "src/store.rs", &format!("\n{RACE}"));
    assert_eq!((status, out.matches("[check-then-update]").count()), (1, 1), "{out}");
    assert!(out.contains("src/store.rs:5:"), "{out}");
    // One that is not saved yet, and one that another package's directory is the current one for.
    let (_, out, _) = typed(dir.path(), "src/new.rs", RACE);
    assert!(out.contains("src/new.rs:4:"), "{out}");
    let (_, out, _) = typed(&dir.path().join("src"), "new.rs", RACE);
    assert!(out.contains("new.rs:4:"), "{out}");
    let (_, out, _) = typed(dir.path(), "src/store.rs", "fn (");
    assert!(out.contains("notice[syntax]"), "{out}");
    for (wrong, why) in [("src/none/a.rs", "no such file"), ("a.txt", "neither a Rust nor an SQL file")] {
        let (status, _, err) = typed(dir.path(), wrong, RACE);
        assert!(status == 2 && err.contains(why), "{err}");
    }
}
