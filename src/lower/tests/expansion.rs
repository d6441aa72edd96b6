//! Calls of macros that the file defines itself.

use super::{body, function, shape, tree};

#[test]
fn items_made_by_a_local_macro() {
    let source = "macro_rules! finder {
            ($name:ident, $row:ty, $sql:literal) => {
                pub async fn $name(conn: &mut Conn, id: i64) -> Result<$row> { query($sql).bind(id).one(conn).await }
            };
        }
        finder!(find_coupon, Option<Coupon>, \"SELECT 1\");
        finder!(find_seat, Seat, \"SELECT 2\");";
    let tree = tree(source);
    let names: Vec<_> = tree.functions.iter().map(|f| (f.name.as_str(), f.name_at.of(source))).collect();
    assert_eq!(names, [("find_coupon", "find_coupon"), ("find_seat", "find_seat")]);
    let coupon = function(&tree, "find_coupon");
    assert_eq!(shape::ty(&coupon.ret), "Result<Option<Coupon>>");
    let body = coupon.body.as_ref().map(shape::expr);
    assert_eq!(body.as_deref(), Some("{query(\"SELECT 1\").bind(id).one(conn).await}"));
    assert_eq!(tree.macros.len(), 2, "definitions are no calls");
}

#[test]
fn repetitions() {
    let tree = tree(
        "macro_rules! model {
            ($(#[$m:meta])* $v:vis struct $t:ident { $($f:ident : $ty:ty),* $(,)? }) => {
                $(#[$m])* $v struct $t { $($f: $ty),* }
                impl $t { $(pub fn $f(&self) -> &$ty { &self.$f })* }
            };
        }
        model! { #[derive(Debug)] pub struct Row { id: i64, left: Option<i32>, } }
        macro_rules! grid { ($($row:ident : [$($cell:expr),*]);+) => { $(fn $row() { $(f($cell);)* })+ } }
        grid! { a: [1, 2 + 3]; b: [] }",
    );
    assert_eq!(tree.types[0].attrs[0].tokens, "Debug");
    assert_eq!(function(&tree, "left").in_impl, Some(0));
    assert_eq!(function(&tree, "a").body.as_ref().map(shape::expr).as_deref(), Some("{f(1); f((Add 2 3));}"));
    assert_eq!(function(&tree, "b").body.as_ref().map(shape::expr).as_deref(), Some("{}"));
}

#[test]
fn rules_are_tried_in_order() {
    let source = "macro_rules! m { () => { none() }; (one $x:expr) => { $x * 2 }; ($($x:tt)*) => { f($($x)*) }; }
        fn f() { m!(); m!(one a + b); m![c, d]; }";
    assert_eq!(body(source), "{m! {none()}; m! {(Mul (Add a b) 2)}; m! {f(c, d)};}");
}

#[test]
fn statements_and_items_in_a_body() {
    let source = "fn f() { macro_rules! get { ($x:ident) => { let row = $x.read()?; $x.write(row)?; } } get!(conn); }";
    assert_eq!(body(source), "{get! {let row = conn.read()?; conn.write(row)?;};}");
    let source = "macro_rules! g { ($x:ident) => { fn $x() {} } } fn f() { g! { inner } }";
    assert_eq!(body(source), "{[f] g! items}");
    assert_eq!(function(&tree(source), "inner").scope, ["f"]);
}

#[test]
fn members() {
    let tree = tree(
        "macro_rules! get { ($($x:ident)*) => { $(fn $x(&self) {})* } } impl A { get!(a b); } trait T { get!(c); }",
    );
    assert_eq!(function(&tree, "b").in_impl, Some(0));
    assert_eq!(function(&tree, "c").in_trait, Some(0));
}

#[test]
fn a_mixed_range_is_the_call() {
    let source = "macro_rules! add { ($x:expr) => { $x + template() } } fn f() { add!(call()); }";
    let tree = tree(source);
    let mut seen = Vec::new();
    super::ranges::each_expr(&tree, &mut |written| seen.push(written.at.of(source).to_owned()));
    assert!(seen.iter().any(|text| text == "call()") && seen.iter().any(|text| text == "template()"), "{seen:?}");
    // The macro and the sum in it.
    assert_eq!(seen.iter().filter(|text| *text == "add!(call())").count(), 2, "{seen:?}");
}

#[test]
fn what_is_not_simple_is_read_as_arguments() {
    let cases = [
        "macro_rules! m { ($x:unknown) => { f($x) } }",
        "macro_rules! m { ($x:expr) => { ${count($x)} } }",
        "macro_rules! m { ($x:expr; $y:expr) => { f($x) } }",
        "macro_rules! m { ($x:expr) => { f($y) } }",
        "macro_rules! m { ($x:expr) => { f( $($x)* ) } }",
        "macro_rules! m { ($x:expr) => { ) } }".trim_end_matches(" ) } }"),
        "macro_rules! m { ($x:expr) => { + } }",
    ];
    for definition in cases {
        let source = format!("{definition} fn f() {{ m!(a); }}");
        let Ok(lowered) = super::lower(super::FileId(0), &source) else { continue };
        let shown = lowered.tree.functions[0].body.as_ref().map(shape::expr);
        assert_eq!(shown.as_deref(), Some("{m!(a);}"), "{source}");
    }
}

#[test]
fn endless_and_huge_expansions_stop() {
    let endless = "macro_rules! m { ($($x:tt)*) => { m!($($x)* $($x)*) } } fn f() { m!(a); }";
    assert!(body(endless).starts_with("{m! {m! {m! {"));
    let mut huge = String::from("macro_rules! m { ($($x:tt)*) => { f($($x)* $($x)* $($x)* $($x)*); } } fn f() { m!(");
    huge.push_str(&"a,".repeat(20_000));
    huge.push_str("); }");
    assert!(body(&huge).starts_with("{m!(a, a,"));
}
