//! Ranges are bytes of the text as it was given.

use super::super::tree::{Expr, ExprKind, FileTree, Stmt};
use super::super::visit::each_expr as walk;
use super::{function, shape, tree};

/// Calls `see` for every expression of a tree's functions and constants.
pub fn each_expr(tree: &FileTree, see: &mut dyn FnMut(&Expr)) {
    for body in tree.functions.iter().filter_map(|function| function.body.as_ref()) {
        walk(body, see);
    }
    for value in tree.consts.iter().filter_map(|constant| constant.value.as_ref()) {
        walk(value, see);
    }
}

const SOURCE: &str = "// \u{1f512} wide\npub(crate) async fn f(a: &str, mut b: u8) {\n    let x: i64 = (a + \"\u{e9}\u{4e2d}\").len() as i64;\n    \
    if !ok(&x)? { return Err(\"\u{1f600}\"); }\n    pool.run::<T>(|c| c.x, ..y).await; a::b::<C>(1)[2..=3]; S { x: 1 }; &mut (z); loop { break w } match q { _ => 1 };\n}\n\
    const K: u8 = -1;";

const TEXTS: [&str; 23] = [
    "a + \"\u{e9}\u{4e2d}\"",
    "(a + \"\u{e9}\u{4e2d}\").len()",
    "(a + \"\u{e9}\u{4e2d}\").len() as i64",
    "\"\u{e9}\u{4e2d}\"",
    "!ok(&x)?",
    "ok(&x)?",
    "&x",
    "return Err(\"\u{1f600}\")",
    "\"\u{1f600}\"",
    "if !ok(&x)? { return Err(\"\u{1f600}\"); }",
    "pool.run::<T>(|c| c.x, ..y).await",
    "pool.run::<T>(|c| c.x, ..y)",
    "|c| c.x",
    "..y",
    "a::b::<C>",
    "a::b::<C>(1)[2..=3]",
    "2..=3",
    "S { x: 1 }",
    "&mut (z)",
    "loop { break w }",
    "break w",
    "match q { _ => 1 }",
    "-1",
];

fn check(source: &str, line_end: &str) {
    let tree = tree(source);
    let mut seen = Vec::new();
    each_expr(&tree, &mut |written| seen.push(written.at.of(source).to_owned()));
    for text in TEXTS {
        assert!(seen.iter().any(|each| each == text), "{text} in {seen:#?}");
    }
    let function = function(&tree, "f");
    assert_eq!(function.name_at.of(source), "f");
    assert!(function.at.of(source).starts_with("pub(crate) async fn f("));
    assert!(function.at.of(source).ends_with(&format!("{line_end}}}")));
    let params: Vec<_> = function.params.iter().map(|param| param.at.of(source)).collect();
    assert_eq!(params, ["a: &str", "mut b: u8"]);
    assert_eq!(tree.consts[0].at.of(source), "const K: u8 = -1;");
    let Some(ExprKind::Block(block)) = function.body.as_ref().map(|body| &*body.kind) else { panic!("no block") };
    assert!(block.at.of(source).starts_with('{') && block.at.of(source).ends_with('}'));
    let Some(Stmt::Let { at, .. }) = block.stmts.first() else { panic!("no let") };
    assert_eq!(at.of(source), "let x: i64 = (a + \"\u{e9}\u{4e2d}\").len() as i64;");
}

#[test]
fn plain_and_wide() {
    check(SOURCE, "\n");
}

#[test]
fn carriage_returns_count() {
    check(&SOURCE.replace('\n', "\r\n"), "\r\n");
}

#[test]
fn marks_and_shebangs_count() {
    for before in [
        "\u{feff}",
        "#!/usr/bin/env x\n",
        "\u{feff}#!/usr/bin/env \u{e9}\r\n",
        "\u{feff}\u{feff}",
        "#![allow(x)]\n",
        "#! [allow(x)]\n",
    ] {
        check(&format!("{before}{SOURCE}"), "\n");
        check(&format!("{before}{}", SOURCE.replace('\n', "\r\n")), "\r\n");
    }
}

#[test]
fn a_shebang_alone_is_an_empty_file() {
    assert!(tree("#!/bin/sh").functions.is_empty());
    assert!(tree("\u{feff}").functions.is_empty());
    assert!(tree("").functions.is_empty());
}

#[test]
fn types_traits_impls_and_macros_know_their_place() {
    let source = "#[a] pub struct A { x: u8 } struct B(u8); /// d\n enum C { D } trait E { fn f(); } impl E for A { fn f() {} } type G = u8; unsafe trait H {}";
    let tree = tree(source);
    let mut seen: Vec<_> = tree.types.iter().map(|def| def.at.of(source)).collect();
    seen.extend(tree.traits.iter().map(|def| def.at.of(source)));
    seen.extend(tree.impls.iter().map(|def| def.at.of(source)));
    seen.extend(tree.functions.iter().map(|def| def.at.of(source)));
    assert_eq!(
        seen,
        [
            "pub struct A { x: u8 }",
            "struct B(u8);",
            "enum C { D }",
            "type G = u8;",
            "trait E { fn f(); }",
            "unsafe trait H {}",
            "impl E for A { fn f() {} }",
            "fn f();",
            "fn f() {}"
        ]
    );
}

#[test]
fn files_on_one_thread_do_not_shift_each_other() {
    for _ in 0..3 {
        check(SOURCE, "\n");
        assert_eq!(super::parsed("a.b(c)").at.of("a.b(c)"), "a.b(c)");
        assert!(super::lower(super::FileId(0), "fn (").is_err());
    }
    assert_eq!(shape::expr(&super::parsed("1")), "1");
}
