//! Input that nobody would write by hand.

use std::fmt::Write as _;

use super::{app, function, krate, linked, param, resolve};
use crate::link::{Program, ScopeId, Type};
use crate::lower::tree::{FileTree, Lowered, Name};
use crate::source::Workspace;
use crate::span::FileId;

fn assert_shared<T: Send + Sync>() {}

#[test]
fn a_program_can_be_asked_from_several_threads() {
    assert_shared::<Program>();
    assert_shared::<Type>();
}

#[test]
fn nothing_is_a_program_too() {
    assert_eq!(Program::build(&Workspace::default(), Vec::new()).functions().count(), 0);
    let nowhere = ScopeId::NONE;
    let program = app(&[("src/lib.rs", "fn find() {}")]);
    assert!(program.resolve(nowhere, &[Name::new("find")]).is_empty());
    assert!(program.methods(nowhere, &Type::Unknown, "find").functions.is_empty());
    assert_eq!(program.child_scope(nowhere, &Name::new("find")), nowhere);
    let stray = Lowered { file: FileId(7), tree: FileTree::default() };
    assert_eq!(Program::build(&Workspace::default(), vec![stray]).functions().count(), 0);
}

#[test]
fn aliases_in_a_circle_and_aliases_that_double_end() {
    let mut text = "type A = B; type B = A; type P0<T> = (T, T); fn circle(x: A) { A::new(); }".to_owned();
    for level in 1..60 {
        let _ = write!(text, " type P{level}<T> = P{0}<P{0}<T>>;", level - 1);
    }
    text.push_str(
        " fn double(x: P59<i32>) {} fn bounds<A: Into<B>, B: Into<A>>(x: A) {} struct D;
         impl std::ops::Deref for D { type Target = D; } fn deref(x: D) {}",
    );
    let program = app(&[("src/lib.rs", &text)]);
    assert_eq!(param(&program, "app::circle"), Type::Unknown);
    assert!(resolve(&program, "app::circle", "A::new").is_empty());
    let _ = param(&program, "app::double");
    let _ = param(&program, "app::bounds");
    let scope = program.scope_of(function(&program, "app::deref"));
    assert!(program.methods(scope, &param(&program, "app::deref"), "none").functions.is_empty());
    assert_eq!(program.field(&param(&program, "app::deref"), "none"), None);
}

#[test]
fn many_globs_cost_little() {
    let mut text = String::new();
    for module in 0..400 {
        let _ = write!(
            text,
            "pub mod m{module} {{ pub use super::m{}::*; pub use super::*; pub struct S{module}; }}
             pub use m{module}::*; ",
            (module + 1) % 400
        );
    }
    text.push_str("fn probe() {}");
    let program = app(&[("src/lib.rs", &text)]);
    assert_eq!(resolve(&program, "app::probe", "S399"), ["type app::m399::S399"]);
    assert!(resolve(&program, "app::probe", "Nowhere").is_empty());
}

#[test]
fn the_same_sources_give_the_same_answers() {
    let files = [
        ("a/src/lib.rs", "pub trait T { fn go(&self); } pub mod x; pub mod y;"),
        ("a/src/x.rs", "pub struct X; impl crate::T for X { fn go(&self) {} }"),
        ("a/src/y.rs", "pub struct Y; impl crate::T for Y { fn go(&self) {} } fn probe(x: &dyn crate::T) {}"),
    ];
    let answer = || {
        let program = linked(&[krate("a", "a", &[])], &files);
        let all: Vec<String> = program.functions().map(|id| program.path_of(id)).collect();
        (all, super::methods(&program, "a::y::probe", "go").0)
    };
    let (all, found) = answer();
    assert_eq!(found, ["a::x::X::go", "a::y::Y::go"]);
    assert_eq!(answer(), (all, found));
}
