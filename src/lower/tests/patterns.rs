//! Patterns and types.

use super::super::tree::Pat;
use super::{function, parsed, shape, tree};

fn pat(source: &str) -> String {
    let written = parsed(&format!("match x {{ {source} => {{}} }}"));
    let shape = shape::expr(&written);
    shape.strip_prefix("match x {").and_then(|rest| rest.strip_suffix(" => {}}")).unwrap_or(&shape).to_owned()
}

#[test]
fn bindings() {
    assert_eq!(pat("Some(ref mut x)"), "Some(x)");
    assert_eq!(pat("x @ 1..=5"), "x @ range");
    assert_eq!(pat("mut x"), "x");
    assert_eq!(pat("box x"), "x");
    assert_eq!(pat("box Some(x)"), "Some(x)");
    assert_eq!(pat("r#type"), "type");
}

#[test]
fn upper_case_names_are_no_bindings() {
    assert_eq!(pat("None"), "=None");
    assert_eq!(pat("MAX"), "=MAX");
    assert_eq!(pat("Status::Open"), "=Status::Open");
    assert_eq!(pat("ref X"), "X");
}

#[test]
fn compound_patterns() {
    assert_eq!(pat("(a, .., b)"), "(a, .., b)");
    assert_eq!(pat("Coupon { id, left: Some(n), .. }"), "Coupon {id: id, left: Some(n)}");
    assert_eq!(pat("[first, rest @ ..]"), "[first, rest @ ..]");
    assert_eq!(pat("&(a, _)"), "&(a, _)");
    assert_eq!(pat("Ok(A | B | C(1 | 2))"), "Ok(=A | =B | C(1 | 2))");
    assert_eq!(pat("| A | B"), "=A | =B");
    assert_eq!(pat("\"x\""), "\"x\"");
    assert_eq!(pat("-1"), "-1");
    assert_eq!(pat("'a'..='z'"), "range");
    assert_eq!(pat("..=5"), "range");
    assert_eq!(pat("m!(x)"), "other");
    assert_eq!(pat("const { 1 }"), "{1}");
}

#[test]
fn a_range_and_a_name_know_their_place() {
    let source = "fn f() { let Some(left @ 1..=50) = x; }";
    let tree = tree(source);
    let mut seen = Vec::new();
    let Some(body) = &function(&tree, "f").body else { panic!("no body") };
    let super::super::tree::ExprKind::Block(block) = &*body.kind else { panic!("no block") };
    if let Some(super::super::tree::Stmt::Let { pat: Pat::TupleStruct(_, elems), .. }) = block.stmts.first()
        && let Some(Pat::Bind(name, Some(sub), at)) = elems.first()
        && let Pat::Range(range) = &**sub
    {
        seen = vec![name.as_str(), at.at.of(source), range.of(source)];
    }
    assert_eq!(seen, ["left", "left", "1..=50"]);
}

#[test]
fn types() {
    let source = "fn f(
        a: &'a mut Vec<Option<Coupon>>, b: [u8; 4], c: &[Row], d: (A, B), e: impl Into<String> + 'static,
        f: Box<dyn Store + Send>, g: fn(A) -> B, h: *const u8, i: HashMap<K, V, 3>, j: <T as Tr>::Row,
        k: impl for<'c> FnOnce(&'c mut Conn) -> R, l: m!(x), m: !, n: _, o: Foo<{ 1 }>,
    ) -> impl Future<Output = Result<(), E>> + '_ {}";
    let tree = tree(source);
    let function = function(&tree, "f");
    let seen: Vec<_> = function.params.iter().map(|param| shape::ty(&param.ty)).collect();
    assert_eq!(
        seen,
        [
            "&Vec<Option<Coupon>>",
            "[u8]",
            "&[Row]",
            "(A, B)",
            "impl Into<String>",
            "Box<dyn Store>".replace("Store", "Store + Send").as_str(),
            "fn(A) -> B",
            "other",
            "HashMap<K, V>",
            "<T>Tr::Row",
            "impl FnOnce<&Conn, Output = R>",
            "other",
            "!",
            "_",
            "Foo",
        ]
    );
    assert_eq!(shape::ty(&function.ret), "impl Future<Output = Result<(), E>>");
}
