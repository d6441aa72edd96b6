//! Types as written, and what is inside of them.

use super::{app, function, param, shown, shown_def};
use crate::link::{Def, Program, Type};
use crate::lower::tree::{ExprKind, Stmt};

fn first(program: &Program, of: &str) -> String {
    shown(program, &param(program, of))
}

fn named(program: &Program, path: &str) -> Type {
    let id = program.types().find(|id| program.type_path(*id) == path).expect("the type exists");
    Type::Def(id, [].into())
}

#[test]
fn aliases_generics_and_self() {
    let program = app(&[(
        "src/lib.rs",
        "use sqlx::{PgPool as Db, Postgres}; use std::{sync::Arc, future::Future};
         type Res<T, E = Error> = std::result::Result<T, E>; type Shared = Arc<Repo<Db>>;
         type Conn<'a> = sqlx::Transaction<'a, Postgres>;
         struct Repo<P> { pool: P } trait Store { fn get(&self) -> i32; fn twice(self, other: Self) {} }
         impl<P: Store> Repo<P> { fn m(&self, a: P, b: Self) -> Self {} }
         fn a(x: Res<Vec<u8>>) {} fn b(x: &mut Shared) {} fn c(x: &mut Conn<'_>) {}
         fn d<S: Store + Send>(x: S) {} fn e(x: &dyn Store) {}
         fn f<F, Fut>(x: F) where F: FnOnce(&mut Db) -> Fut, Fut: Future<Output = i32> {}
         fn g(x: fn(i32) -> Db) {} fn h(x: [Db; 3]) {} fn i(x: ()) {}
         fn j(x: Missing<Db>) {} fn k(x: _) {}",
    )]);
    let cases = [
        ("a", "std::result::Result<std::vec::Vec<u8>, impl>"),
        ("b", "std::sync::Arc<app::Repo<sqlx::PgPool>>"),
        ("c", "sqlx::Transaction<sqlx::Postgres>"),
        ("d", "impl app::Store"),
        ("e", "impl app::Store"),
        ("f", "fn(sqlx::PgPool) -> impl std::future::Future [Output = i32]"),
        ("g", "fn(i32) -> sqlx::PgPool"),
        ("h", "[sqlx::PgPool]"),
        ("i", "()"),
        ("j", "Missing<sqlx::PgPool>"),
        ("k", "_"),
        ("Repo::m", "impl app::Store"),
        ("Store::twice", "impl app::Store"),
    ];
    for (path, expected) in cases {
        assert_eq!(first(&program, &format!("app::{path}")), expected, "{path}");
    }
    let m = function(&program, "app::Repo::m");
    assert_eq!(shown(&program, &program.self_type(m).expect("a method")), "app::Repo<impl app::Store>");
    assert_eq!(program.self_type(function(&program, "app::a")), None);
}

#[test]
fn returns_takes_what_the_call_knows() {
    let program = app(&[(
        "src/lib.rs",
        "use sqlx::PgPool; struct Row; struct Repo<T> { inner: T }
         impl<T> Repo<T> { fn get(&self) -> Option<T> {} fn me(&self) -> Self {} }
         fn make<T, U>(a: Vec<T>, b: U) -> (T, U) {}
         fn run<F, R>(f: F) -> Result<R, ()> where F: FnOnce(&PgPool) -> R {}
         trait Load { fn load() -> Self; fn id(&self) -> Self { } }
         fn repo(x: Repo<Row>) {} fn rows(x: Vec<Row>) {} fn called(x: fn(PgPool) -> Row) {}",
    )]);
    let repo = param(&program, "app::repo");
    let returns = |path: &str, self_ty: Option<&Type>, args: &[Type]| {
        shown(&program, &program.returns(function(&program, path), self_ty, args))
    };
    assert_eq!(returns("app::Repo::get", Some(&repo), &[]), "std::option::Option<app::Row>");
    assert_eq!(returns("app::Repo::get", None, &[]), "std::option::Option<impl>");
    assert_eq!(returns("app::Repo::me", Some(&repo), &[]), "app::Repo<app::Row>");
    assert_eq!(returns("app::Load::id", Some(&repo), &[]), "app::Repo<app::Row>");

    let make = program.infer(function(&program, "app::make"), None, &[param(&program, "app::rows"), Type::Unit]);
    assert_eq!(returns("app::make", None, &make), "(app::Row, ())");
    assert_eq!(returns("app::make", None, &[]), "(impl, impl)");
    let run = program.infer(function(&program, "app::run"), None, &[param(&program, "app::called")]);
    assert_eq!(returns("app::run", None, &run), "std::result::Result<app::Row, ()>");
}

#[test]
fn associated_types() {
    let program = app(&[(
        "src/lib.rs",
        "trait Backend { type Conn; fn open(&self) -> Self::Conn; } struct Pg; struct PgConn; struct Other;
         impl Backend for Pg { type Conn = PgConn; fn open(&self) -> Self::Conn {} }
         fn a(x: <Pg as Backend>::Conn) {} fn b<B: Backend<Conn = PgConn>>(x: B::Conn) {}
         fn c(x: <Other as Backend>::Conn) {}",
    )]);
    assert_eq!(first(&program, "app::a"), "app::PgConn");
    assert_eq!(first(&program, "app::b"), "app::PgConn");
    assert_eq!(first(&program, "app::c"), "_");
    let open = function(&program, "app::Pg::open");
    assert_eq!(shown(&program, &program.returns(open, None, &[])), "app::PgConn");
}

#[test]
fn fields_of_structs_tuples_and_what_wraps_them() {
    let program = app(&[(
        "src/lib.rs",
        "use axum::extract::State; use std::sync::{Arc, Mutex}; use derive_more::Deref; use tokio::sync::MutexGuard;
         struct Db; struct App { db: Db, pair: (Db, i32) } struct Outer { app: App }
         impl std::ops::Deref for Outer { type Target = App; } #[derive(Clone, Deref)] struct Thin(Arc<App>);
         struct Opaque(Arc<App>);
         enum Event { Moved { to: Db }, Gone(i32) }
         fn a(x: State<Arc<App>>) {} fn b(x: &Outer) {} fn c(x: Thin) {} fn d(x: Opaque) {}
         fn e(x: MutexGuard<'_, App>) {} fn f(x: Vec<App>) {} fn g(x: (App, Db)) {}",
    )]);
    for (path, field, expected) in [
        ("a", "db", Some("app::Db")),
        ("a", "pair", Some("(app::Db, i32)")),
        ("a", "0", Some("std::sync::Arc<app::App>")),
        ("a", "none", None),
        ("b", "db", Some("app::Db")),
        ("b", "app", Some("app::App")),
        ("c", "db", Some("app::Db")),
        ("d", "db", None),
        ("d", "0", Some("std::sync::Arc<app::App>")),
        ("e", "db", Some("app::Db")),
        ("f", "db", None),
        ("g", "1", Some("app::Db")),
        ("g", "2", None),
    ] {
        let found = program.field(&param(&program, &format!("app::{path}")), field);
        assert_eq!(found.map(|ty| shown(&program, &ty)).as_deref(), expected, "{path}.{field}");
    }
    let Type::Def(event, _) = named(&program, "app::Event") else { panic!("an enum") };
    let to = program.variant_fields(event, "Moved");
    assert_eq!(
        to.iter().map(|(name, ty)| format!("{name}: {}", shown(&program, ty))).collect::<Vec<_>>(),
        ["to: app::Db"]
    );
    assert!(program.variant_fields(event, "Other").is_empty());
    let Type::Def(thin, _) = named(&program, "app::Thin") else { panic!("a struct") };
    assert_eq!(program.derives(thin), ["Clone", "Deref"]);
}

#[test]
fn peel_and_element() {
    let program = app(&[(
        "src/lib.rs",
        "use std::{collections::HashMap, sync::Arc, pin::Pin, future::Future}; use axum::Json;
         use futures::{future::BoxFuture, Stream, stream::BoxStream};
         use tokio::sync::RwLockReadGuard; struct Row; struct Rows; impl Iterator for Rows { type Item = Row; }
         fn a(x: Result<Option<Box<Row>>, ()>) {}
         fn b(x: Pin<Box<dyn Future<Output = Result<Row, ()>> + Send>>) {} fn c(x: BoxFuture<'_, Row>) {}
         fn d(x: RwLockReadGuard<'_, Row>) {}
         fn e(x: Json<Vec<Row>>) {} fn f(x: HashMap<i64, Row>) {} fn g(x: impl Stream<Item = Row>) {}
         fn h(x: Rows) {} fn i(x: &[Row]) {} fn j(x: sqlx::Pool<sqlx::Postgres>) {}
         fn k(x: BoxStream<'_, Row>) {} fn l(x: Row) {} fn m(x: Arc<Vec<Row>>) {}",
    )]);
    for (path, peeled, element) in [
        ("a", "app::Row", "std::boxed::Box<app::Row>"),
        ("b", "app::Row", "_"),
        ("c", "app::Row", "_"),
        ("d", "app::Row", "_"),
        ("e", "std::vec::Vec<app::Row>", "app::Row"),
        ("f", "std::collections::HashMap<i64, app::Row>", "(i64, app::Row)"),
        ("g", "impl futures::Stream [Item = app::Row]", "app::Row"),
        ("h", "app::Rows", "app::Row"),
        ("i", "[app::Row]", "app::Row"),
        ("j", "sqlx::Pool<sqlx::Postgres>", "_"),
        ("k", "futures::stream::BoxStream<app::Row>", "app::Row"),
        ("l", "app::Row", "_"),
        ("m", "std::vec::Vec<app::Row>", "app::Row"),
    ] {
        let ty = param(&program, &format!("app::{path}"));
        assert_eq!(shown(&program, &program.peel(&ty)), peeled, "{path}");
        assert_eq!(shown(&program, &program.element(&ty)), element, "{path}");
    }
}

/// What the paths in the statements of a body name.
fn paths_in(program: &Program, of: &str) -> Vec<Vec<String>> {
    let id = function(program, of);
    let body = program.function(id).body.as_ref().expect("a body");
    let ExprKind::Block(block) = &*body.kind else { panic!("a body is a block") };
    let named = block.stmts.iter().filter_map(|stmt| match stmt {
        Stmt::Expr(expr) => match &*expr.kind {
            ExprKind::Path(path) => Some(program.path(program.scope_of(id), Some(id), path)),
            _ => None,
        },
        Stmt::Let { .. } => None,
    });
    named.map(|defs| defs.iter().map(|def: &Def| shown_def(program, def)).collect()).collect()
}

#[test]
fn paths_in_bodies_know_self_generics_and_traits() {
    let program = app(&[(
        "src/lib.rs",
        "trait Load { const TABLE: &'static str; fn load() {} fn all() { Self::load; Self::TABLE; } } struct A;
         struct B; struct Repo<T>(T); struct Pg; struct My;
         impl Load for A { const TABLE: &'static str = \"a\"; fn load() {} }
         impl Load for B { const TABLE: &'static str = \"b\"; }
         impl A { const LIMIT: i32 = 1;
         fn new() { Self::new; Self::LIMIT; Self::TABLE; Self::load; Self; Self::missing; } }
         impl Repo<Pg> { fn open() {} } impl Repo<My> { fn open() {} }
         fn probe<T: Load>() { T::load; <A as Load>::load; <B as Load>::load; <A>::new; Load::load;
         Repo::<Pg>::open; Repo::open; TABLE; }",
    )]);
    let load = |names: &[&str]| names.iter().map(|name| format!("fn app::{name}::load")).collect::<Vec<_>>();
    assert_eq!(paths_in(&program, "app::Load::all")[0], load(&["Load", "A"]));
    assert_eq!(paths_in(&program, "app::Load::all")[1].len(), 3);
    let new: Vec<Vec<String>> = paths_in(&program, "app::A::new");
    assert_eq!(new[..5].concat(), ["fn app::A::new", "const LIMIT", "const TABLE", "fn app::A::load", "type app::A"]);
    assert!(new[5].is_empty());
    let probe = paths_in(&program, "app::probe");
    assert_eq!(probe[0], load(&["Load", "A"]));
    assert_eq!(probe[1], load(&["A"]));
    assert_eq!(probe[2], load(&["Load"]));
    assert_eq!(probe[3], ["fn app::A::new"]);
    assert_eq!(probe[4], load(&["Load", "A"]));
    assert_eq!(probe[5], ["fn app::Repo::open"]);
    assert_eq!(probe[6].len(), 2);
    assert!(probe[7].is_empty());
}

#[test]
fn a_default_method_knows_what_its_trait_is_for() {
    let program = app(&[(
        "src/lib.rs",
        "trait Says<T, E>: Sized { fn says(self) -> Result<T, E>; fn aloud(self) -> Result<T, u8> { todo!() } }
         impl<T, E> Says<T, E> for Result<T, E> { fn says(self) -> Result<T, E> { self } }
         impl<T> Says<T, u8> for Option<T> { fn says(self) -> Result<T, u8> { Err(0) } }
         fn a(x: Result<i32, u8>) {} fn b(x: Option<i64>) {} fn c(x: i64) {}",
    )]);
    let aloud = function(&program, "app::Says::aloud");
    let given = |of: &str| shown(&program, &program.returns(aloud, Some(&param(&program, &format!("app::{of}"))), &[]));
    assert_eq!(given("a"), "std::result::Result<i32, u8>");
    assert_eq!(given("b"), "std::result::Result<i64, u8>");
    assert_eq!(given("c"), "std::result::Result<impl, u8>");
}
