//! Expressions and statements.

use super::{body, expr, tree};

#[test]
fn calls_keep_their_turbofish() {
    assert_eq!(expr("sqlx::query_as::<_, Coupon>(\"x\")"), "sqlx::query_as<_, Coupon>(\"x\")");
    assert_eq!(expr("rows.load::<Row>(conn)"), "rows.load<Row>(conn)");
    assert_eq!(expr("<T as Store>::find(&id)"), "<T>Store::find(&id)");
    assert_eq!(expr("::std::mem::take(x)"), "std::mem::take(x)");
}

#[test]
fn chains_await_and_try() {
    assert_eq!(expr("pool.begin().await?.commit()"), "pool.begin().await?.commit()");
    assert_eq!(expr("(a + b).c[0].1"), "(Add a b).c[0].1");
}

#[test]
fn parentheses_vanish_and_operators_are_classed() {
    assert_eq!(expr("((a)) & b ^ c << 1"), "(Bit (Bit a b) (Bit c 1))");
    assert_eq!(expr("a && b || !c"), "(Or (And a b) !c)");
    assert_eq!(expr("a -= 1"), "(setSub a 1)");
    assert_eq!(expr("a |= 1"), "(setBit a 1)");
    assert_eq!(expr("*a = -1"), "(set *a -1)");
    assert_eq!(expr("a as i64 <= 2u8 as i64"), "(Le (a as i64) (2 as i64))");
    assert_eq!(expr("a != b"), "(Ne a b)");
}

#[test]
fn literals() {
    assert_eq!(expr(r##"r#"a "b""#"##), "\"a \\\"b\\\"\"");
    assert_eq!(expr("\"a\\nb\\\n   c\""), "\"a\\nbc\"");
    assert_eq!(expr("1_000i64"), "1000");
    assert_eq!(expr("1.5f32"), "1.5");
    assert_eq!(expr("(true, 'x', b\"x\", c\"x\", b'x')"), "(true, \"x\", lit, lit, lit)");
}

#[test]
fn branches_and_let_chains() {
    assert_eq!(expr("if let Some(x) = a && x > 0 { b }"), "if (And let Some(x) = a (Gt x 0)) {b}");
    assert_eq!(
        expr("if a { 1 } else if let Ok(b) = c { 2 } else { 3 }"),
        "if a {1} else if let Ok(b) = c {2} else {3}"
    );
    assert_eq!(
        expr("match a { Some(x) if x > 1 => b, None | Some(0) => {} _ => return }"),
        "match a {Some(x) if (Gt x 1) => b, =None | Some(0) => {}, _ => return}"
    );
    assert_eq!(expr("match a { x if let Some(y) = x => y, _ => 0 }"), "match a {x if let Some(y) = x => y, _ => 0}");
}

#[test]
fn loops_and_labels() {
    assert_eq!(expr("'a: loop { break 'a 1; }"), "loop {break 1;}");
    assert_eq!(expr("'a: while x { continue 'a }"), "while x {continue}");
    assert_eq!(expr("for (i, x) in 0..=n { f(x); }"), "for (i, x) in (0..n) {f(x);}");
    assert_eq!(expr("'a: { break 'a; }"), "{break;}");
}

#[test]
fn async_and_closures() {
    assert_eq!(expr("async move { f().await }"), "async {f().await}");
    assert_eq!(expr("async move |x: &mut Conn| x.get().await"), "async |x: &Conn| x.get().await");
    assert_eq!(expr("move |(a, b), _| -> u8 { a }"), "|(a, b): _, _: _| {a}");
    assert_eq!(expr("unsafe { a }"), "{a}");
    assert_eq!(expr("try { a? }"), "{a?}");
    assert_eq!(expr("const { 1 }"), "{1}");
    assert_eq!(expr("|| yield x"), "|| yield(x)");
}

#[test]
fn structs_arrays_ranges() {
    assert_eq!(expr("Coupon { id, left: a - 1, ..old }"), "Coupon {id: id, left: (Sub a 1), ..old}");
    assert_eq!(expr("Pair { 0: a }"), "Pair {0: a}");
    assert_eq!(expr("[a, b]"), "[a, b]");
    assert_eq!(expr("[0u8; 16]"), "[0]");
    assert_eq!(expr("&x[1..]"), "&x[(1..)]");
    assert_eq!(expr("&raw const x"), "&x");
    assert_eq!(expr("(a, _) = b"), "(set (a, _) b)");
}

#[test]
fn raw_identifiers_lose_their_mark() {
    assert_eq!(expr("r#type.r#match(r#fn)"), "type.match(fn)");
}

#[test]
fn statements() {
    assert_eq!(
        body("fn f() { let Some(x) = y else { return Err(1) }; let z: u8; ; g(); x }"),
        "{let Some(x) = y else {return Err(1)}; let z: u8; g(); x}"
    );
    assert_eq!(body("fn f() { g(); }"), "{g();}");
    assert_eq!(body("fn f() { if a { 1 } else { 2 } }"), "{if a {1} else {2}}");
    assert_eq!(body("fn f() { #[cfg(x)] g(); #[allow(y)] let a = 1; }"), "{if cfg! tokens [] {g();}; let a = 1;}");
}

#[test]
fn what_has_no_words_is_counted() {
    let tree = tree("fn f() { builtin # offset_of(A, b); }");
    assert_eq!(tree.unknowns.len(), 1, "{:?}", tree.unknowns);
}

#[test]
fn text_that_is_no_expression_gives_none() {
    for text in ["", "let", "a b", "(", "\u{feff}a", "fn f() {}", "'"] {
        assert!(crate::lower::expression(text).is_none(), "{text}");
    }
}
