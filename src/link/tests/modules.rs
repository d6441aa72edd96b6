//! Which module a file is.

use super::{app, function, krate, linked, resolve};
use crate::link::Program;
use crate::source::Crate;

fn paths(program: &Program) -> Vec<String> {
    program.functions().map(|id| program.path_of(id)).collect()
}

#[test]
fn files_are_modules_by_their_mod_lines() {
    let program = app(&[
        ("src/main.rs", "mod db; mod web; #[path = \"odd/place.rs\"] mod placed; mod inner { mod deep; }"),
        ("src/db/mod.rs", "mod users; pub fn open() {}"),
        ("src/db/users.rs", "pub fn find() {}"),
        ("src/web.rs", "mod routes;"),
        ("src/web/routes.rs", "pub fn get() {}"),
        ("src/odd/place.rs", "mod near; pub fn here() {}"),
        ("src/odd/near.rs", "pub fn there() {}"),
        ("src/inner/deep.rs", "pub fn down() {}"),
    ]);
    for path in
        ["db::open", "db::users::find", "web::routes::get", "placed::here", "placed::near::there", "inner::deep::down"]
    {
        function(&program, &format!("app::{path}"));
    }
    assert_eq!(resolve(&program, "app::db::users::find", "super::open"), ["fn app::db::open"]);
    assert!(resolve(&program, "app::db::users::find", "super::users::open").is_empty());
}

#[test]
fn functions_come_by_file_and_offset() {
    let program = app(&[
        ("src/lib.rs", "mod b; mod a; fn last() { fn inner() {} } struct S; impl S { fn method(&self) {} }"),
        ("src/a.rs", "fn two() {} fn three() {}"),
        ("src/b.rs", "fn four() {}"),
    ]);
    let expected = ["app::a::two", "app::a::three", "app::b::four", "app::last", "app::last::inner", "app::S::method"];
    assert_eq!(paths(&program), expected);
}

#[test]
fn a_file_below_a_test_module_is_built_for_tests_only() {
    let program = app(&[
        ("src/lib.rs", "#[cfg(test)] mod fixtures; mod store; #[cfg(test)] mod tests { mod deep; }"),
        ("src/fixtures.rs", "pub mod rows; pub fn fill() {}"),
        ("src/fixtures/rows.rs", "pub struct Row; impl Row { pub fn put() {} }"),
        ("src/tests/deep.rs", "fn checks() {}"),
        ("src/store.rs", "#[cfg(not(test))] mod real; pub fn put() {}"),
        ("src/store/real.rs", "pub fn get() {}"),
    ]);
    let test: Vec<(String, bool)> =
        program.functions().map(|id| (program.path_of(id), program.function(id).test)).collect();
    let expected = [
        ("app::fixtures::fill", true),
        ("app::fixtures::rows::Row::put", true),
        ("app::store::put", false),
        ("app::store::real::get", false),
        ("app::tests::deep::checks", true),
    ];
    let mut test: Vec<(&str, bool)> = test.iter().map(|(path, test)| (path.as_str(), *test)).collect();
    test.sort_unstable();
    assert_eq!(test, expected);
}

#[test]
fn a_file_without_a_mod_line_is_placed_by_its_directory() {
    let program = app(&[
        ("src/lib.rs", "pub mod known;"),
        ("src/known.rs", "pub fn here() {}"),
        ("src/known/hidden.rs", "fn below() { crate::known::here() }"),
        ("src/far/away/mod.rs", "fn out() {}"),
    ]);
    assert_eq!(resolve(&program, "app::known::hidden::below", "super::here"), ["fn app::known::here"]);
    assert_eq!(resolve(&program, "app::far::away::out", "crate::known::here"), ["fn app::known::here"]);
}

#[test]
fn targets_of_a_package_have_roots_of_their_own() {
    let program = app(&[
        ("src/lib.rs", "pub fn shared() {} pub mod db;"),
        ("src/db.rs", "pub fn find() {}"),
        ("src/main.rs", "fn main() {} fn local() {}"),
        ("src/bin/worker.rs", "fn work() {}"),
        ("src/bin/tool/main.rs", "mod part; fn tool() {}"),
        ("src/bin/tool/part.rs", "fn part() {}"),
        ("tests/flow.rs", "mod common; fn flow() {}"),
        ("tests/common/mod.rs", "pub fn setup() {}"),
    ]);
    assert_eq!(resolve(&program, "app::main", "app::shared"), ["fn app::shared"]);
    assert_eq!(resolve(&program, "app::main", "crate::local"), ["fn app::local"]);
    assert!(resolve(&program, "app::main", "crate::shared").is_empty());
    assert!(resolve(&program, "app::shared", "crate::local").is_empty());
    assert_eq!(resolve(&program, "app::work", "app::db::find"), ["fn app::db::find"]);
    assert_eq!(resolve(&program, "app::part::part", "super::tool"), ["fn app::tool"]);
    assert_eq!(resolve(&program, "app::flow", "common::setup"), ["fn app::common::setup"]);
}

#[test]
fn the_manifest_names_the_first_file_of_a_target() {
    let books = Crate { library: Some("./src/mod.rs".to_owned()), ..krate("books", "books", &[]) };
    let shop = Crate { programs: vec!["src/server/run.rs".to_owned()], ..krate("shop", "shop", &["books"]) };
    let program = linked(
        &[books, shop],
        &[
            ("books/src/mod.rs", "pub mod shelf; pub fn open() {}"),
            ("books/src/shelf.rs", "pub fn find() { super::open() }"),
            ("shop/src/server/run.rs", "mod till; use books::shelf; fn main() {}"),
            ("shop/src/server/till.rs", "pub fn pay() {}"),
        ],
    );
    assert_eq!(resolve(&program, "books::shelf::find", "super::open"), ["fn books::open"]);
    assert_eq!(resolve(&program, "shop::main", "shelf::find"), ["fn books::shelf::find"]);
    assert_eq!(resolve(&program, "shop::main", "till::pay"), ["fn shop::till::pay"]);
}

#[test]
fn members_of_a_workspace_see_the_libraries_they_depend_on() {
    let crates = [
        krate("core_db", "crates/db", &[]),
        krate("api", "crates/api", &["store=core_db"]),
        krate("cli", "crates/cli", &[]),
    ];
    let files = [
        ("crates/db/src/lib.rs", "pub fn open() {} pub struct Repo; impl Repo { pub fn find(&self) {} }"),
        ("crates/api/src/main.rs", "use store::Repo; fn main() {}"),
        ("crates/cli/src/main.rs", "use store::Repo; fn start() {}"),
    ];
    let program = linked(&crates, &files);
    assert_eq!(resolve(&program, "api::main", "store::open"), ["fn core_db::open"]);
    assert_eq!(resolve(&program, "api::main", "Repo::find"), ["fn core_db::Repo::find"]);
    assert!(resolve(&program, "cli::start", "store::open").is_empty());
    assert!(resolve(&program, "cli::start", "Repo::find").is_empty());
}

#[test]
fn files_without_a_manifest_are_one_crate() {
    let program = linked(
        &[],
        &[("handlers.rs", "use crate::db::find; use sqlx::PgPool; fn run() {}"), ("db.rs", "pub fn find() {}")],
    );
    assert_eq!(resolve(&program, "crate::handlers::run", "find"), ["fn crate::db::find"]);
    assert_eq!(resolve(&program, "crate::handlers::run", "PgPool"), ["sqlx::PgPool"]);
    assert!(resolve(&program, "crate::db::find", "PgPool").is_empty());

    let single = linked(&[], &[("case.rs", "mod part { pub fn a() {} } fn run() {}")]);
    assert_eq!(resolve(&single, "crate::run", "crate::part::a"), ["fn crate::part::a"]);
}

#[test]
fn twins_behind_cfg_are_all_found() {
    let program = app(&[
        ("src/main.rs", "#[cfg(unix)] mod imp; #[cfg(windows)] #[path = \"other.rs\"] mod imp; fn main() {}"),
        ("src/imp.rs", "pub fn go() {}"),
        ("src/other.rs", "pub fn go() {}"),
    ]);
    assert_eq!(resolve(&program, "app::main", "imp::go").len(), 2);
}

#[test]
fn an_included_file_is_part_of_the_module() {
    let program = app(&[
        ("src/main.rs", "mod a; fn main() {}"),
        ("src/a.rs", "include!(\"parts/b.rs\"); fn here() {}"),
        ("src/parts/b.rs", "pub fn there() {}"),
    ]);
    assert_eq!(resolve(&program, "app::a::here", "there"), ["fn app::a::there"]);
    assert!(resolve(&program, "app::main", "there").is_empty());
}

#[test]
fn one_file_may_be_a_module_of_two_targets() {
    let program = app(&[
        ("src/lib.rs", "pub mod db; fn in_lib() {}"),
        ("src/main.rs", "mod db; fn main() {}"),
        ("src/db.rs", "pub fn find() {}"),
    ]);
    assert_eq!(resolve(&program, "app::main", "db::find"), ["fn app::db::find"]);
    assert_eq!(resolve(&program, "app::in_lib", "db::find"), ["fn app::db::find"]);
}

#[test]
fn modules_come_in_by_globs_as_well() {
    let program = app(&[
        ("src/lib.rs", "pub mod store; pub use store::*;"),
        ("src/store.rs", "pub mod boats; pub mod user; pub use boats::*;"),
        ("src/store/boats.rs", "pub enum Ask { Open } pub fn open() {}"),
        ("src/store/user.rs", "use crate::boats::Ask; fn take() { crate::boats::open() }"),
    ]);
    assert_eq!(resolve(&program, "app::store::user::take", "crate::boats::open"), ["fn app::store::boats::open"]);
    assert_eq!(resolve(&program, "app::store::user::take", "Ask"), ["type app::store::boats::Ask"]);
    assert_eq!(resolve(&program, "app::store::user::take", "Ask::Open"), ["variant app::store::boats::Ask::Open"]);
}
