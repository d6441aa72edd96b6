//! Which functions a method call may reach.

use super::{app, function, krate, linked, methods, param, resolve, shown, shown_def};
use crate::link::{Program, Via};
use crate::lower::tree::{Segment, TyPath};

fn none() -> (Vec<String>, Via) {
    (Vec::new(), Via::Inherent)
}

/// What a path of plain names may be in the body of the function `from`.
fn path(program: &Program, from: &str, path: &str) -> Vec<String> {
    let segment = |name: &str| Segment { name: name.into(), args: Vec::new(), bindings: Vec::new() };
    let path = TyPath { qself: None, segments: path.split("::").map(segment).collect() };
    let from = function(program, from);
    program.path(program.scope_of(from), Some(from), &path).iter().map(|def| shown_def(program, def)).collect()
}

#[test]
fn inherent_methods_come_before_those_of_traits() {
    let program = app(&[
        (
            "src/lib.rs",
            "mod more; pub struct Repo; impl Repo { fn find(&self) {} } trait Find { fn find(&self);
             fn count(&self) {} fn gone(&self); } impl Find for Repo { fn find(&self) {} fn gone(&self) {} }
             struct Other; fn probe(x: &Repo) {} fn other(x: &Other) {}",
        ),
        ("src/more.rs", "impl crate::Repo { pub fn save(&self) {} }"),
    ]);
    assert_eq!(methods(&program, "app::probe", "find"), (vec!["app::Repo::find".into()], Via::Inherent));
    assert_eq!(methods(&program, "app::probe", "save"), (vec!["app::more::Repo::save".into()], Via::Inherent));
    assert_eq!(methods(&program, "app::probe", "count"), (vec!["app::Find::count".into()], Via::TraitImpl));
    assert_eq!(methods(&program, "app::probe", "missing"), none());
    assert_eq!(methods(&program, "app::other", "find"), none());
    assert_eq!(methods(&program, "app::other", "count"), none());
}

#[test]
fn impls_for_other_arguments_do_not_fit() {
    let program = app(&[(
        "src/lib.rs",
        "struct Repo<T>(T); struct Pg; struct My; impl Repo<Pg> { fn a(&self) {} fn both(&self) {} }
         impl Repo<My> { fn both(&self) {} } fn pg(x: Repo<Pg>) {} fn my(x: Repo<My>) {}
         fn any<T>(x: Repo<T>) {}",
    )]);
    assert_eq!(methods(&program, "app::pg", "both").0.len(), 1);
    assert_eq!(methods(&program, "app::pg", "a").0.len(), 1);
    assert_eq!(methods(&program, "app::my", "a"), none());
    assert_eq!(methods(&program, "app::any", "both").0.len(), 2);
}

#[test]
fn traits_that_are_implemented_for_each_others_objects_end() {
    let program = app(&[(
        "src/lib.rs",
        "trait A { fn a(&self); } trait B { fn b(&self); } trait C {} impl A for dyn B { fn a(&self) {} }
         impl B for dyn A { fn b(&self) {} } fn probe(x: &dyn B) {} fn other(x: &dyn C) {}",
    )]);
    assert_eq!(methods(&program, "app::probe", "a").0.len(), 1);
    assert_eq!(methods(&program, "app::other", "a"), none());
}

#[test]
fn the_trait_in_scope_tells_two_methods_of_one_name_apart() {
    let program = app(&[(
        "src/lib.rs",
        "mod t { pub trait A { fn go(&self); } pub trait B { fn go(&self); } pub struct S;
         impl A for S { fn go(&self) {} } impl B for S { fn go(&self) {} } fn both(x: S) {} }
         mod u { use super::t::{A, S}; fn one(x: S) {} } mod v { use super::t::{B as _, S}; fn two(x: S) {} }",
    )]);
    assert_eq!(methods(&program, "app::t::both", "go").0.len(), 2);
    assert_eq!(methods(&program, "app::u::one", "go").0.len(), 1);
    assert_eq!(methods(&program, "app::v::two", "go").0.len(), 1);
}

#[test]
fn extension_traits_for_foreign_types_need_the_trait_in_scope() {
    let program = app(&[(
        "src/lib.rs",
        "mod ext { use sqlx::{Postgres, Transaction, PgConnection}; pub trait Ext { fn lock(&mut self);
         fn twice(&mut self) {} } impl<'a> Ext for Transaction<'a, Postgres> { fn lock(&mut self) {} }
         impl Ext for PgConnection { fn lock(&mut self) {} } }
         mod yes { use crate::ext::Ext; use sqlx::*; fn tx(x: &mut sqlx::Transaction<'_, sqlx::Postgres>) {}
         fn conn(x: &mut sqlx::postgres::PgConnection) {} fn pool(x: sqlx::PgPool) {}
         fn my(x: &mut sqlx::Transaction<'_, sqlx::MySql>) {} }
         mod no { fn tx(x: &mut sqlx::Transaction<'_, sqlx::Postgres>) {} }",
    )]);
    assert_eq!(methods(&program, "app::yes::tx", "lock"), (vec!["app::ext::Transaction::lock".into()], Via::TraitImpl));
    assert_eq!(
        methods(&program, "app::yes::conn", "lock"),
        (vec!["app::ext::PgConnection::lock".into()], Via::TraitImpl)
    );
    assert_eq!(methods(&program, "app::yes::tx", "twice").0, ["app::ext::Ext::twice"]);
    assert_eq!(methods(&program, "app::yes::pool", "lock"), none());
    assert_eq!(methods(&program, "app::yes::my", "lock"), none());
    assert_eq!(methods(&program, "app::no::tx", "lock"), none());
}

#[test]
fn blanket_impls_need_their_bounds() {
    let program = app(&[(
        "src/lib.rs",
        "mod q { pub trait Executor {} pub trait Ext { fn find(&self); }
         impl<T: Executor> Ext for T { fn find(&self) {} } pub struct Yes; impl Executor for Yes {}
         pub struct No; }
         use q::*; fn yes(x: std::sync::Arc<Yes>) {} fn no(x: No) {} fn bound(x: &impl Executor) {}
         fn unbound<T>(x: T) {}
         mod away { fn yes(x: crate::q::Yes) {} }
         mod sea { pub trait Find { fn one(&self); } impl<C: sqlx::Executor> Find for C { fn one(&self) {} }
         fn pool(x: &sqlx::PgPool) {} fn own(x: crate::q::No) {} fn bound<C: sqlx::Executor>(x: &C) {} }",
    )]);
    assert_eq!(methods(&program, "app::yes", "find").0, ["app::q::T::find"]);
    assert_eq!(methods(&program, "app::bound", "find").0, ["app::q::T::find"]);
    assert_eq!(methods(&program, "app::no", "find"), none());
    assert_eq!(methods(&program, "app::unbound", "find"), none());
    assert_eq!(methods(&program, "app::away::yes", "find"), none());
    assert_eq!(methods(&program, "app::sea::pool", "one").0, ["app::sea::C::one"]);
    assert_eq!(methods(&program, "app::sea::bound", "one").0, ["app::sea::C::one"]);
    assert_eq!(methods(&program, "app::sea::own", "one"), none());
}

#[test]
fn extension_traits_are_had_by_whatever_has_their_bounds() {
    let program = app(&[(
        "src/lib.rs",
        "pub trait Store { type Tx: Tx; fn read(&self); } pub trait Tx { fn begin() {} }
         pub trait Ops where Self: Store { fn find(&self) { self.read() } fn count() {} } impl<T> Ops for T where T: Store {}
         pub struct Pg; impl Store for Pg { type Tx = PgTx; fn read(&self) {} } pub struct PgTx; impl Tx for PgTx {}
         fn bound<C: Store>(x: &C) {} fn ops(x: &impl Ops) {} fn known(x: Pg) {} fn none<C>(x: C) {}",
    )]);
    assert_eq!(methods(&program, "app::bound", "find").0, ["app::Ops::find"]);
    assert_eq!(methods(&program, "app::ops", "read").0, ["app::Pg::read"]);
    assert_eq!(methods(&program, "app::none", "find"), none());
    assert_eq!(path(&program, "app::bound", "C::count"), ["fn app::Ops::count"]);
    assert!(path(&program, "app::none", "C::count").is_empty());
    assert_eq!(path(&program, "app::known", "Pg::count"), ["fn app::Ops::count"]);
    assert_eq!(path(&program, "app::bound", "C::Tx::begin"), ["fn app::Tx::begin"]);
}

#[test]
fn deref_and_wrappers_lead_to_what_is_inside() {
    let program = app(&[(
        "src/lib.rs",
        "use std::sync::{Arc, Mutex}; use axum::extract::State; use derive_more::Deref;
         use tokio::sync::OwnedMutexGuard; use once_cell::sync::Lazy; use futures::future::BoxFuture;
         struct Db; impl Db { fn find(&self) {} fn lock(&self) {} fn clone(&self) {} fn map(&self) {} }
         struct Outer; impl std::ops::Deref for Outer { type Target = Arc<Db>; }
         #[derive(Deref)] struct Thin(Db); struct Opaque(Db);
         fn a(x: &Arc<Db>) {} fn b(x: State<Arc<Db>>) {} fn c(x: Outer) {} fn d(x: Thin) {}
         fn e(x: OwnedMutexGuard<Db>) {} fn f(x: Lazy<Mutex<Db>>) {} fn g(x: Result<Db, ()>) {}
         fn h(x: BoxFuture<'_, Option<Db>>) {} fn i(x: impl std::future::Future<Output = Db>) {}
         fn own(x: axum::foreign::Wrapper<Db>) {}
         fn no_a(x: Opaque) {} fn no_b(x: Vec<Db>) {} fn no_c(x: std::collections::HashMap<i32, Db>) {}
         fn no_d(x: axum::Either<i32, Db>) {}",
    )]);
    for path in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "own"] {
        assert_eq!(methods(&program, &format!("app::{path}"), "find").0, ["app::Db::find"], "{path}");
    }
    for path in ["no_a", "no_b", "no_c", "no_d"] {
        assert_eq!(methods(&program, &format!("app::{path}"), "find"), none(), "{path}");
    }
    assert_eq!(methods(&program, "app::f", "lock"), none());
    assert_eq!(methods(&program, "app::a", "clone"), none());
    assert_eq!(methods(&program, "app::i", "map"), none());
    assert_eq!(methods(&program, "app::a", "lock").0, ["app::Db::lock"]);
    let scope = program.scope_of(super::function(&program, "app::c"));
    let found = program.methods(scope, &param(&program, "app::c"), "find");
    assert_eq!(shown(&program, &found.receiver), "app::Db");
}

#[test]
fn trait_objects_and_bounds_reach_all_impls() {
    let program = app(&[(
        "src/lib.rs",
        "use std::sync::Arc; trait Base { fn ping(&self); } trait Store: Base { fn get(&self);
         fn all(&self) {} } trait Alien { fn get(&self); } struct A; struct B; struct C;
         impl Base for A { fn ping(&self) {} } impl Store for A { fn get(&self) {} }
         impl Store for B { fn get(&self) {} fn all(&self) {} } impl Alien for C { fn get(&self) {} }
         struct App { store: Arc<dyn Store> } fn a(x: Arc<dyn Store + Send + Sync>) {} fn b(x: &impl Store) {}
         fn c<S>(x: S) where S: Store {} fn d(x: Box<dyn Alien>) {} fn e(x: &dyn Unknown) {}
         trait Empty { fn nobody(&self); } fn f(x: &dyn Empty) {} impl dyn Store { fn direct(&self) {} }",
    )]);
    for path in ["a", "b", "c"] {
        let path = format!("app::{path}");
        assert_eq!(methods(&program, &path, "get"), (vec!["app::A::get".into(), "app::B::get".into()], Via::Dynamic));
        assert_eq!(methods(&program, &path, "all").0, ["app::Store::all", "app::B::all"]);
        assert_eq!(methods(&program, &path, "ping"), (vec!["app::A::ping".into()], Via::Dynamic));
    }
    assert_eq!(methods(&program, "app::d", "get"), (vec!["app::C::get".into()], Via::Dynamic));
    assert_eq!(methods(&program, "app::e", "get"), none());
    assert_eq!(methods(&program, "app::f", "nobody"), (vec![], Via::Dynamic));
    assert_eq!(methods(&program, "app::a", "direct"), (vec!["app::Store::direct".into()], Via::Inherent));
    assert_eq!(methods(&program, "app::d", "direct"), none());
    assert_eq!(resolve(&program, "app::a", "Store::get"), ["fn app::A::get", "fn app::B::get"]);
}

#[test]
fn methods_are_found_across_crates() {
    let crates = [krate("db", "db", &[]), krate("api", "api", &["db"])];
    let program = linked(
        &crates,
        &[
            (
                "db/src/lib.rs",
                "pub struct Repo; impl Repo { pub fn find(&self) {} } pub trait Store { fn get(&self); }",
            ),
            (
                "api/src/main.rs",
                "use db::{Repo, Store}; struct Mem; impl Store for Mem { fn get(&self) {} }
                 fn probe(x: &Repo) {} fn object(x: &dyn db::Store) {}",
            ),
        ],
    );
    assert_eq!(methods(&program, "api::probe", "find").0, ["db::Repo::find"]);
    assert_eq!(methods(&program, "api::object", "get").0, ["api::Mem::get"]);
}
