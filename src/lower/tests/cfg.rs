//! Statements that not every build has.

use super::{body, tree};
use crate::lower::tree::{ExprKind, Stmt};

#[test]
fn what_follows_a_return_of_one_build_stays_alive() {
    let source = "fn f() { #[cfg(feature = \"kv\")] { return kv(); } sql(); rest() }";
    assert_eq!(body(source), "{if cfg! tokens [] {return kv();}; sql(); rest()}");
}

#[test]
fn twins_are_the_arms_of_one_branch() {
    let twins = "{if cfg! tokens [] {return kv();} else {sql();};}";
    for source in [
        "fn f() { #[cfg(feature = \"kv\")] { return kv(); } #[cfg(not(feature = \"kv\"))] { sql(); } ; }",
        "fn f() { #[cfg(not(all(a, b)))] { return kv(); } #[cfg(all(a, b))] { sql(); }; }",
    ] {
        assert_eq!(body(source), twins, "{source}");
    }
    let source = "fn f() { #[cfg(a)] one(); #[cfg(not(a))] two!(); last() }";
    assert_eq!(body(source), "{if cfg! tokens [] {one();} else {two!();}; last()}");
    let source = "fn f() { #[cfg(a)] x = 1; #[cfg(b)] y.z().await?; }";
    assert_eq!(body(source), "{if cfg! tokens [] {(set x 1);}; if cfg! tokens [] {y.z().await?;};}");
}

#[test]
fn the_value_of_a_block_is_that_of_any_build() {
    let source = "fn f() -> u8 { #[cfg(a)] { 1 } #[cfg(b)] { 2 } #[cfg(c)] { 3 } }";
    assert_eq!(body(source), "{if cfg! tokens [] {1} else if cfg! tokens [] {2} else {3}}");
    let source = "fn f() -> u8 { #[cfg(a)] return 1; #[cfg(b)] { 2 } }";
    assert_eq!(body(source), "{if cfg! tokens [] {return 1;}; {2}}", "the last is no branch: nothing else is left");
}

#[test]
fn variables_of_twins_have_either_value() {
    let source = "fn f() { #[cfg(a)] let row = one(); #[cfg(not(a))] let row: Row = two(); use_it(row) }";
    assert_eq!(body(source), "{let row = if cfg! tokens [] {one()} else {two()}; use_it(row)}");
    let source = "fn f() { #[cfg(a)] let q = q.a(); #[cfg(b)] let q = q.b(); q }";
    assert_eq!(body(source), "{let q = q.a(); let q = q.b(); q}", "both may be built");
    let source = "fn f() { #[cfg(a)] let x = 1; #[cfg(not(a))] let y = 2; }";
    assert_eq!(body(source), "{let x = 1; let y = 2;}");
}

#[test]
fn what_only_tests_have_is_left_out() {
    let source = "fn f() { #[cfg(test)] { return; } #[cfg(test)] let x = 1; #[cfg(not(test))] go(); }";
    assert_eq!(body(source), "{if cfg! tokens [] {go();};}");
    assert_eq!(body("#[test] fn f() { #[cfg(test)] go(); }"), "{if cfg! tokens [] {go();};}");
}

#[test]
fn ranges_hold_what_is_inside() {
    let source = "fn f() { #[cfg(a)] let row = one(); #[cfg(not(a))] let row = two(); }";
    let tree = tree(source);
    let Some(ExprKind::Block(block)) = tree.functions[0].body.as_ref().map(|body| &*body.kind) else { panic!() };
    let [Stmt::Let { value: Some(value), at, .. }] = block.stmts.as_slice() else { panic!("{block:?}") };
    assert_eq!(at.of(source), "#[cfg(a)] let row = one(); #[cfg(not(a))] let row = two();");
    let ExprKind::If(condition, _, Some(other)) = &*value.kind else { panic!("{value:?}") };
    assert_eq!((condition.at.of(source), other.at.of(source)), ("#[cfg(a)]", "two()"));
    assert!(at.contains(value.at) && value.at.contains(condition.at) && value.at.contains(other.at));
}

#[test]
fn many_conditions_are_no_deep_tree() {
    let arms = "#[cfg(a)] { 1 } ".repeat(3000);
    let tree = tree(&format!("fn f() -> u8 {{ {arms} }}"));
    let Some(ExprKind::Block(block)) = tree.functions[0].body.as_ref().map(|body| &*body.kind) else { panic!() };
    assert!(block.stmts.len() > 2900);
}
