//! The action, the hook and the workflows of the documentation: held against the published schemas, and run as far as
//! that goes without GitHub.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{package, run};

const DOCUMENTS: [&str; 2] = ["README.md", "docs/ci.md"];

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn assert_valid(schema: &str, value: &Value, name: &str) {
    let schema: Value = serde_json::from_str(&text(schema)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{name}: {}", faults.join("\n"));
}

/// The fenced blocks of the documents that are whole files: their path, and their text.
fn blocks() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for document in DOCUMENTS {
        let text = text(document);
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once("```yaml path=") {
            let (path, after) = after.split_once('\n').expect("a line end behind a fence");
            let (block, after) = after.split_once("\n```").expect("a closed block");
            found.push((path.to_owned(), block.to_owned()));
            rest = after;
        }
    }
    found
}

#[test]
fn workflows_keep_to_the_schema() {
    let blocks = blocks();
    let workflows: Vec<_> = blocks.iter().filter(|(path, _)| path.starts_with(".github/workflows/")).collect();
    assert!(workflows.len() >= 3, "{blocks:?}");
    for (path, block) in workflows {
        let workflow = yaml(block);
        assert_valid("tests/data/github-workflow.json", &workflow, path);
        for step in workflow["jobs"].as_object().unwrap().values().flat_map(|job| job["steps"].as_array().unwrap()) {
            if step["uses"].as_str().is_some_and(|uses| uses.starts_with("OWNER/racelint@")) {
                let inputs = yaml(&text("action.yml"))["inputs"].as_object().unwrap().clone();
                let given = step["with"].as_object().into_iter().flat_map(|with| with.keys());
                given.for_each(|input| assert!(inputs.contains_key(input), "{path}: the action has no input {input}"));
            }
        }
    }
    let broken = yaml("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - use: x\n");
    let caught = std::panic::catch_unwind(|| assert_valid("tests/data/github-workflow.json", &broken, "broken"));
    assert!(caught.is_err(), "the schema lets everything through");
}

#[test]
fn the_action_keeps_to_the_schema_and_uses_what_it_declares() {
    let source = text("action.yml");
    let action = yaml(&source);
    assert_valid("tests/data/github-action.json", &action, "action.yml");
    let declared: BTreeSet<&str> = action["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
    let words = source.split("inputs.").skip(1);
    let used: BTreeSet<&str> =
        words.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap()).collect();
    assert_eq!(declared, used);
    // What comes from outside reaches a script as a variable only, never as a part of its text.
    for step in action["runs"]["steps"].as_array().unwrap() {
        let script = step["run"].as_str().unwrap_or("");
        assert!(!script.contains("${{"), "{script}");
    }
}

/// The action's own script, with the binary where the action would have installed it.
#[cfg(unix)]
#[test]
fn the_action_runs() {
    let action = yaml(&text("action.yml"));
    let steps = action["runs"]["steps"].as_array().unwrap();
    let script = steps.iter().find(|step| step["id"] == "check").unwrap()["run"].as_str().unwrap();
    let (dir, temporary) = (package(), tempfile::tempdir().unwrap());
    let bin = temporary.path().join("racelint/bin");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_racelint"), bin.join("racelint")).unwrap();
    let (output, summary) = (temporary.path().join("output"), temporary.path().join("summary"));
    fs::write(&summary, "").unwrap();
    for (fail_on, status) in [("note", 1), ("never", 0)] {
        fs::write(&output, "").unwrap();
        let done = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(dir.path())
            .envs([("PATHS", "src"), ("SINCE", ""), ("BASELINE", ""), ("MIN_CONFIDENCE", "high"), ("CATEGORY", "a b")])
            .envs([("FAIL_ON", fail_on), ("SARIF_FILE", "race.sarif")])
            .env("RUNNER_TEMP", temporary.path())
            .env("RACELINT_NO_CACHE", "1")
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output();
        let Ok(done) = done else { return eprintln!("no bash here: the script is not tried") };
        assert!(done.status.success(), "{done:?}");
        assert!(String::from_utf8_lossy(&done.stdout).starts_with("::error "), "{done:?}");
        assert_eq!(fs::read_to_string(&output).unwrap(), format!("status={status}\n"));
        assert!(fs::read_to_string(&summary).unwrap().contains("check-then-update"));
        let sarif: Value = serde_json::from_slice(&fs::read(dir.path().join("race.sarif")).unwrap()).unwrap();
        assert_eq!(sarif["runs"][0]["automationDetails"]["id"], "racelint/a%20b/");
    }
}

#[test]
fn the_hook_is_one_that_pre_commit_knows_and_can_run() {
    let hooks = yaml(&text(".pre-commit-hooks.yaml"));
    let hook = &hooks[0];
    assert_eq!(hook["language"], "rust");
    let entry: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
    let dir = package();
    git2::Repository::init(dir.path()).unwrap();
    let (status, _, err) = run(dir.path(), &entry[1..]);
    assert!(
        status == 2 && err.contains("there is no commit"),
        "the flags are known, and there is no commit yet: {err}"
    );
    let (_, config) = blocks().into_iter().find(|(path, _)| path == ".pre-commit-config.yaml").unwrap();
    assert_eq!(yaml(&config)["repos"][0]["hooks"][0]["id"], hook["id"]);
}

#[test]
fn every_flag_and_variable_that_is_named_is_there() {
    let dir = package();
    let help = ["check", "baseline", "explain", "rules", "init", "config", "why", "dump", "completions", "man"]
        .map(|command| run(dir.path(), &[command, "--help"]).1)
        .concat();
    for document in DOCUMENTS.into_iter().chain(["action.yml", ".pre-commit-hooks.yaml"]) {
        let text = text(document);
        for line in text.lines().filter(|line| !line.contains("cargo ") && !line.contains("git ")) {
            let is_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            let words = line.split(|c: char| !is_word(c));
            let named =
                words.filter(|word| word.starts_with("--") && !word.ends_with('-') || word.starts_with("RACELINT_"));
            named.for_each(|word| assert!(help.contains(word), "{document} names {word}, which is not there"));
        }
    }
    let variables: BTreeSet<&str> =
        help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next()).collect();
    let documented = text("docs/ci.md");
    for variable in variables {
        assert!(documented.contains(variable), "docs/ci.md does not name {variable}");
    }
}
