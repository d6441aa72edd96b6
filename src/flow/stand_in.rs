//! What tests are written with, by its name: a module `test_utils`, a crate `shop-test-support`, a `MockStore`.

use rustc_hash::FxHashSet;

use crate::link::{FnId, Program, Type};
use crate::source::Workspace;
use crate::span::FileId;

/// What a type is called that stands in for another one.
const STAND_INS: [&str; 4] = ["Mock", "Fake", "Stub", "Dummy"];

/// Whether a file holds what tests are written with.
pub fn is_test_support(path: &str) -> bool {
    const KINDS: [&str; 6] = ["utils", "util", "helpers", "helper", "support", "fixtures"];
    let names = path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part).replace('-', "_"));
    let support = |name: String| {
        let end_to_end = name.split('_').any(|word| word == "e2e");
        let stand_in = matches!(name.as_str(), "mock" | "mocks" | "stub" | "stubs" | "integration_tests");
        end_to_end
            || stand_in
            || KINDS.iter().any(|kind| {
                let stem = name.strip_suffix(kind).and_then(|stem| stem.strip_suffix('_').or(Some(stem)));
                stem.is_some_and(|stem| stem == "test" || stem == "tests" || stem.ends_with("_test"))
            })
    };
    names.into_iter().any(support)
}

/// The files that hold it.
pub fn files(workspace: &Workspace) -> FxHashSet<FileId> {
    let found = workspace.files.iter().filter(|file| is_test_support(workspace.below(&file.path)));
    found.map(|file| file.id).collect()
}

/// Whether a function is of a type that stands in for another one, or in a file that holds what tests are written with.
pub fn is_one(program: &Program, test_support: &FxHashSet<FileId>, id: FnId) -> bool {
    let named = |name: &str| {
        let rest = |of: &&str| name.strip_prefix(*of).filter(|rest| rest.starts_with(char::is_uppercase)).is_some();
        STAND_INS.iter().any(|of| rest(of) || name.ends_with(*of))
    };
    let of_stand_in = || match program.self_type(id) {
        Some(Type::Def(of, _)) => named(&program.type_def(of).name),
        _ => false,
    };
    test_support.contains(&program.file_of(id)) || of_stand_in()
}
