//! What a path names.

use super::{app, function, krate, linked, param, resolve, shown};
use crate::lower::tree::{ExprKind, Name};

#[test]
fn use_lines_rename_nest_and_pass_on() {
    let program = app(&[
        ("src/lib.rs", "mod db; mod web; pub use db::{users::{self as people, find as lookup}, Repo}; fn root() {}"),
        ("src/db.rs", "pub mod users; pub use self::users::User; pub struct Repo; impl Repo { pub fn new() {} }"),
        ("src/db/users.rs", "pub struct User; pub fn find() {} fn private() {}"),
        ("src/web.rs", "use super::*; use crate::db::User as Person; fn handler() {}"),
    ]);
    let cases = [
        ("lookup", vec!["fn app::db::users::find"]),
        ("people::find", vec!["fn app::db::users::find"]),
        ("Repo", vec!["type app::db::Repo"]),
        ("Repo::new", vec!["fn app::db::Repo::new"]),
        ("Person", vec!["type app::db::users::User"]),
        ("root", vec!["fn app::root"]),
        ("self::handler", vec!["fn app::web::handler"]),
        ("User", vec![]),
        ("find", vec![]),
        ("Repo::old", vec![]),
        ("crate::web::nothing", vec![]),
    ];
    for (path, expected) in cases {
        assert_eq!(resolve(&program, "app::web::handler", path), expected, "{path}");
    }
}

#[test]
fn a_glob_does_not_pass_on_what_is_private() {
    let program = app(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "use crate::c::Hidden; pub use crate::c::Shown; pub struct Own;"),
        ("src/b.rs", "use crate::a::*; fn probe() {}"),
        ("src/c.rs", "pub struct Hidden; pub struct Shown;"),
    ]);
    assert_eq!(resolve(&program, "app::b::probe", "Shown"), ["type app::c::Shown"]);
    assert_eq!(resolve(&program, "app::b::probe", "Own"), ["type app::a::Own"]);
    assert!(resolve(&program, "app::b::probe", "Hidden").is_empty());
}

#[test]
fn what_is_declared_here_comes_before_globs() {
    let program =
        app(&[("src/lib.rs", "mod a { pub fn find() {} pub fn other() {} } use a::*; fn find() {} fn probe() {}")]);
    assert_eq!(resolve(&program, "app::probe", "find"), ["fn app::find"]);
    assert_eq!(resolve(&program, "app::probe", "other"), ["fn app::a::other"]);
}

#[test]
fn circles_of_use_lines_end() {
    let program = app(&[(
        "src/lib.rs",
        "mod a { pub use crate::b::*; pub use crate::b::Ring; pub struct A; } mod b { pub use crate::a::*;
         pub use crate::a::Ring; pub struct B; } use a::*; fn probe() {}",
    )]);
    assert_eq!(resolve(&program, "app::probe", "A"), ["type app::a::A"]);
    assert_eq!(resolve(&program, "app::probe", "B"), ["type app::b::B"]);
    assert!(resolve(&program, "app::probe", "Ring").is_empty());
    assert!(resolve(&program, "app::probe", "Other").is_empty());
}

#[test]
fn variants_by_path_alias_and_glob() {
    let program = app(&[(
        "src/lib.rs",
        "mod m { pub enum Status { Open, Closed } pub type State = Status; } use m::{State, Status::{self, *}};
         fn probe() {}",
    )]);
    for path in ["Open", "Status::Open", "State::Open"] {
        assert_eq!(resolve(&program, "app::probe", path), ["variant app::m::Status::Open"], "{path}");
    }
    assert!(resolve(&program, "app::probe", "Status::Gone").is_empty());
}

#[test]
fn other_crates_keep_the_path_that_use_lines_lead_to() {
    let program = linked(
        &[krate("app", "", &["sqlx", "db=diesel"])],
        &[(
            "src/lib.rs",
            "use sqlx::{self, PgPool as Pool, postgres::PgRow}; use db::prelude::*;
             use std::collections::HashMap; pub mod inner { pub use db::PgConnection; } fn probe() {}",
        )],
    );
    let cases = [
        ("Pool", vec!["sqlx::PgPool"]),
        ("PgRow", vec!["sqlx::postgres::PgRow"]),
        ("sqlx::query", vec!["sqlx::query"]),
        ("db::insert_into", vec!["diesel::insert_into"]),
        ("inner::PgConnection", vec!["diesel::PgConnection"]),
        ("HashMap::new", vec!["std::collections::HashMap::new"]),
        ("Option", vec!["std::option::Option"]),
        ("Some", vec!["std::option::Option::Some"]),
        ("::sqlx::query", vec!["sqlx::query"]),
        ("diesel::insert_into", vec![]),
        ("RunQueryDsl", vec![]),
        ("rusqlite::Connection", vec![]),
    ];
    for (path, expected) in cases {
        assert_eq!(resolve(&program, "app::probe", path), expected, "{path}");
    }
    let scope = program.scope_of(function(&program, "app::probe"));
    assert_eq!(program.external_globs(scope), [["diesel", "prelude"].map(Name::new).to_vec()]);
}

#[test]
fn an_own_module_comes_before_a_crate_of_its_name() {
    let program = app(&[("src/lib.rs", "mod sqlx { pub fn query() {} } fn probe() {} mod m { fn inside() {} }")]);
    assert_eq!(resolve(&program, "app::probe", "sqlx::query"), ["fn app::sqlx::query"]);
    assert_eq!(resolve(&program, "app::m::inside", "sqlx::query"), ["sqlx::query"]);
    assert_eq!(resolve(&program, "app::probe", "::sqlx::query"), ["sqlx::query"]);
}

#[test]
fn bodies_see_what_is_around_them_and_modules_do_not() {
    let program = app(&[(
        "src/lib.rs",
        "fn outer() { use m::deep as dug; fn helper() {} const LIMIT: i32 = 1; } fn beside() {}
         mod m { pub fn deep() {} }
         struct S; impl S { fn method(&self) { fn helper() {} } }",
    )]);
    let scope = program.scope_of(function(&program, "app::outer"));
    let outer = program.function(function(&program, "app::outer"));
    let ExprKind::Block(block) = &*outer.body.as_ref().expect("a body").kind else { panic!("a body is a block") };
    let inside = program.child_scope(scope, block.scope.as_ref().expect("the block has items"));
    assert_ne!(inside, scope);
    for (name, found) in [("helper", 1), ("dug", 1), ("LIMIT", 1), ("beside", 1), ("deep", 0)] {
        assert_eq!(program.resolve(inside, &[Name::new(name)]).len(), found, "{name}");
    }
    assert_eq!(program.child_scope(scope, &Name::new("none")), scope);
    assert_eq!(resolve(&program, "app::outer::helper", "beside"), ["fn app::beside"]);
    assert!(resolve(&program, "app::outer", "helper").is_empty());
    assert!(resolve(&program, "app::m::deep", "beside").is_empty());
    function(&program, "app::method::helper");
}

#[test]
fn names_that_only_a_foreign_glob_can_bring_keep_their_name_as_a_type() {
    let program = app(&[("src/lib.rs", "use diesel::prelude::*; fn probe(conn: &mut PgConnection) {}")]);
    assert_eq!(shown(&program, &param(&program, "app::probe")), "PgConnection");
}
