//! What the house promises about itself: walls between the folders, file lengths, pages that match rules, prose that
//! names what exists.

use std::fs;
use std::path::{Path, PathBuf};

use racelint::rules;

/// A file above this is split by idea.
const LINES: usize = 600;

/// A crate, and the places below `src/` that may name it.
const WALLS: [(&str, &[&str]); 4] = [
    ("syn", &["src/lower/", "src/client/", "src/rewrite/"]),
    ("quote", &["src/lower/", "src/client/", "src/rewrite/"]),
    ("sqlparser", &["src/sql/parse"]),
    ("git2", &["src/since/git.rs"]),
];

/// Macros that stand for work that is not done, or for a look while debugging.
const UNDONE: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

/// Names of things that only exist where racelint was written.
const ELSEWHERE: [&str; 2] = [concat!("yard", "stick"), concat!("shar", "ed/")];

struct Text {
    /// Relative to the package, with `/`.
    path: String,
    text: String,
}

#[test]
fn no_source_file_is_too_long() {
    let long = sources().into_iter().map(|file| (file.text.lines().count(), file.path)).filter(|(n, _)| *n > LINES);
    assert_none(long.map(|(n, path)| format!("{path} has {n} lines, {LINES} are allowed")));
}

#[test]
fn parsers_stay_behind_their_walls() {
    let mut breaches = Vec::new();
    for file in sources() {
        for (krate, homes) in WALLS {
            if homes.iter().any(|home| file.path.starts_with(home)) {
                continue;
            }
            let lines = file.text.lines().enumerate().filter(|(_, line)| names_crate(code_of(line), krate));
            breaches.extend(lines.map(|(n, _)| format!("{}:{} names {krate}", file.path, n + 1)));
        }
    }
    assert_none(breaches);
}

#[test]
fn nothing_is_left_undone() {
    // Unit tests hold Rust as text, and that may say anything.
    let shipped =
        sources().into_iter().filter(|file| !file.path.contains("/tests/") && !file.path.ends_with("/tests.rs"));
    let found = shipped.flat_map(|file| {
        let lines = file.text.lines().enumerate();
        let undone = lines.filter(|(_, line)| UNDONE.iter().any(|name| code_of(line).contains(name)));
        undone.map(|(n, line)| format!("{}:{}: {}", file.path, n + 1, line.trim())).collect::<Vec<_>>()
    });
    assert_none(found);
}

#[test]
fn nothing_speaks_of_another_place() {
    let root = root();
    let mut texts = sources();
    texts.extend(below("rules", "md"));
    texts.extend(below("docs", "md"));
    texts.extend(below("tests", "rs").into_iter().filter(|file| file.path != "tests/tidy.rs"));
    for name in ["README.md", "Cargo.toml", "action.yml", ".pre-commit-hooks.yaml"] {
        texts.extend(fs::read_to_string(root.join(name)).ok().map(|text| Text { path: name.to_owned(), text }));
    }
    let found = texts.into_iter().flat_map(|file| {
        let lines = file.text.lines().enumerate();
        let foreign = lines.filter(|(_, line)| ELSEWHERE.iter().any(|word| line.contains(word)));
        foreign.map(|(n, line)| format!("{}:{}: {}", file.path, n + 1, line.trim())).collect::<Vec<_>>()
    });
    assert_none(found);
}

#[test]
fn pages_rules_and_registry_are_the_same_list() {
    let root = root();
    let mut faults = Vec::new();
    for file in below("rules", "md") {
        let id = file.path.trim_start_matches("rules/").trim_end_matches(".md");
        if rules::page(id).is_none() {
            faults.push(format!("{} is not in the registry", file.path));
        }
    }
    for page in rules::pages() {
        let file = format!("src/rules/{}.rs", page.id.replace('-', "_"));
        if !root.join(&file).is_file() {
            faults.push(format!("{} has no {file}", page.id));
        }
        if !root.join(format!("rules/{}.md", page.id)).is_file() {
            faults.push(format!("{} has no page of its name", page.id));
        }
    }
    assert_none(faults);
}

#[test]
fn prose_names_only_files_that_exist() {
    let root = root();
    let mut texts = below("rules", "md");
    texts.extend(below("docs", "md"));
    texts.extend(fs::read_to_string(root.join("README.md")).ok().map(|text| Text { path: "README.md".into(), text }));
    let mut lines: Vec<(String, String)> = Vec::new();
    for file in texts {
        lines.extend(prose_of(&file.text).map(|(n, line)| (format!("{}:{n}", file.path), line.to_owned())));
    }
    for file in sources() {
        let comments = file.text.lines().enumerate().filter_map(|(n, line)| Some((n + 1, comment_of(line)?)));
        lines.extend(comments.map(|(n, line)| (format!("{}:{n}", file.path), line.to_owned())));
    }
    let missing = lines.iter().flat_map(|(place, line)| {
        let paths = paths_in(line).filter(|path| !root.join(path).exists());
        paths.map(move |path| format!("{place} names {path}, which is not there"))
    });
    assert_none(missing);
}

fn assert_none(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<_> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Text> {
    below("src", "rs")
}

/// Every file below `dir` with the extension, sorted by path.
fn below(dir: &str, extension: &str) -> Vec<Text> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(dir)];
    while let Some(dir) = waiting.pop() {
        let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        for path in entries.map(|entry| entry.expect("an entry that can be read").path()) {
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(Text { text: fs::read_to_string(&path).expect("UTF-8"), path: relative(&path) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn relative(path: &Path) -> String {
    let parts: PathBuf = path.strip_prefix(root()).expect("below the package").to_owned();
    parts.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The line without a comment at its end. A `//` in a string cuts it too, which costs nothing here.
fn code_of(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

fn comment_of(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("//")
}

/// Whether the code has `krate::`, `krate!` or `use krate`, and not as the end of a longer name or as a module of ours.
fn names_crate(code: &str, krate: &str) -> bool {
    code.match_indices(krate).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + krate.len()..];
        let whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':' && c != '"');
        whole
            && (after.starts_with("::")
                || after.starts_with('!')
                || code.trim_start().starts_with(&format!("use {krate}")))
    })
}

/// The lines of a page outside of front matter and fenced blocks, numbered from 1.
fn prose_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(n, line)| {
        if line.starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((n + 1, line))
    })
}

/// What looks like a path into this package.
fn paths_in(line: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_alphanumeric() || "_-./*<{".contains(c);
    let words = line.split(move |c| !is_path(c)).map(|word| word.trim_end_matches('.'));
    words.filter(|word| {
        let ours = ["src/", "rules/", "tests/", "fixtures/", ".ci/"].iter().any(|dir| word.starts_with(dir));
        let file = [".rs", ".md", ".toml", ".sql"].iter().any(|end| word.ends_with(end));
        ours && file && !word.contains(['*', '<', '{'])
    })
}

#[test]
fn the_helpers_tell_names_apart() {
    assert!(names_crate("use syn::Expr;", "syn") && names_crate("let x: syn::Expr = y;", "syn"));
    assert!(names_crate("quote! { a }", "quote"));
    assert!(!names_crate("use crate::syn::X;", "syn") && !names_crate("let r#async = tsyn::x();", "syn"));
    assert_eq!(paths_in("see `src/rules/mod.rs`, and src/*.rs.").collect::<Vec<_>>(), ["src/rules/mod.rs"]);
}
