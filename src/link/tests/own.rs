//! racelint's own sources, which are known to compile: every path of theirs names something.

use std::fs;
use std::path::Path;
use std::thread;

use super::{krate, linked};
use crate::link::Def;
use crate::lower::STACK;
use crate::lower::tree::Name;

fn sources(dir: &Path, below: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("the directory is there") {
        let path = entry.expect("the entry can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("the name is UTF-8");
        let shown = format!("{below}/{name}");
        if path.is_dir() {
            sources(&path, &shown, found);
        } else if name.ends_with(".rs") {
            found.push((shown, fs::read_to_string(&path).expect("the file can be read")));
        }
    }
}

fn every_use_line_leads_somewhere() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "src", &mut found);
    let files: Vec<(&str, &str)> = found.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let program = linked(&[krate("racelint", "", &[])], &files);
    let mut asked = 0;
    for scope in program.scopes.ids() {
        let here = program.scopes.get(scope);
        let imports = here.imports.values().flatten().map(|import| &import.path);
        for path in imports.chain(here.globs.iter().map(|glob| &glob.path)) {
            let inside = path.first().is_some_and(|first| matches!(first.as_str(), "crate" | "self" | "super"));
            if inside {
                asked += 1;
                let module = program.scopes.path(scope);
                assert!(!program.resolve(scope, path).is_empty(), "{path:?} in {module:?}");
                let mut wrong = path.clone();
                wrong.push(Name::new("no_such_name"));
                let found = program.resolve(scope, &wrong);
                assert!(found.iter().all(|def| matches!(def, Def::External(_))), "{wrong:?} in {module:?}");
            }
        }
    }
    assert!(asked > 100, "only {asked} use lines were found");
}

#[test]
fn own_sources_resolve() {
    let asked = thread::Builder::new().stack_size(STACK).spawn(every_use_line_leads_somewhere);
    asked.expect("the thread starts").join().expect("every path names something");
}
