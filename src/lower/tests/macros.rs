//! Macro bodies that are code.

use super::{body, expr, function, shape, tree};

#[test]
fn arguments() {
    assert_eq!(expr("format!(\"{} {x}\", a, y = b,)"), "format!(\"{} {x}\", a, y = b)");
    assert_eq!(expr("bail!()"), "bail!()");
    assert_eq!(expr("tokio::try_join!(a.load(), b)?"), "tokio::try_join!(a.load(), b)?");
    assert_eq!(expr("ensure!(a > b, |x, y| x)"), "ensure!((Gt a b), |x: _, y: _| x)");
    assert_eq!(expr("assert!(a < b, c > d)"), "assert!((Lt a b), (Gt c d))");
    assert_eq!(expr("m!(type = a, b == c, d => e)"), "m!(type = a, (Eq b c), d = e)");
    assert_eq!(expr("info!(?err, %id, n = ?x, target: \"t\", \"m\")"), "info!(err, id, n = x, target = \"t\", \"m\")");
}

#[test]
fn a_leading_type() {
    assert_eq!(expr("sqlx::query_as!(Coupon, \"S\", id)"), "sqlx::query_as!(Coupon, \"S\", id)");
    assert_eq!(expr("query_as!(Vec<u8>, \"S\")"), "query_as!(Vec<u8>, \"S\")");
    assert_eq!(expr("query_as!(a::Map<K, V>, \"S\")"), "query_as!(a::Map<K, V>, \"S\")");
    assert_eq!(expr("size!([u8])"), "size!([u8])");
}

#[test]
fn keys_and_values() {
    assert_eq!(expr("params!{\"id\" => id, \"n\" => n + 1}"), "params!(id = id, n = (Add n 1))");
    assert_eq!(expr("named_params!{\":id\": id}"), "named_params!(:id = id)");
    assert_eq!(expr("m!{id: a, (k): b, Some(x) => c}"), "m!(id = a, k = b, Some ( x ) = c)");
    assert_eq!(
        expr("json!({\"a\": x.y(), \"b\": [1, {\"c\": f()}], \"d\": {\"e\": null}, key: 1})"),
        "json!( {a: x.y(), b: [1,  {c: f()}], d:  {e: null}, key: 1})"
    );
    assert_eq!(expr("json!([1, x])"), "json!([1, x])");
    assert_eq!(expr("vec![0; n]"), "vec!(0, n)");
    assert_eq!(expr("vec![a, b]"), "vec!(a, b)");
}

#[test]
fn matches() {
    assert_eq!(expr("matches!(x.get(), Some(A | B) if y)"), "matches!(x.get() is Some(=A | =B) if y)");
    assert_eq!(expr("matches!(x, A | B,)"), "matches!(x is =A | =B)");
    assert_eq!(expr("assert_matches!(x, Ok(_), \"m {}\", y)"), "assert_matches!(x is Ok(_))");
}

#[test]
fn select() {
    assert_eq!(
        expr(
            "tokio::select! { biased; Some(x) = rx.recv(), if open => { f(x).await } _ = done => return, else => g() }"
        ),
        "tokio::select! select {Some(x) = rx.recv() => if open {f(x).await}, _ = done => return, _ = () => g()}"
    );
    assert_eq!(
        expr("select! { a = b => c, complete => break, default => {} }"),
        "select! select {a = b => c, _ = () => break, _ = () => {}}"
    );
}

#[test]
fn backends() {
    assert_eq!(expr("db_run! { conn: { f(conn); g() } }"), "db_run! {f(conn); g()}");
    assert_eq!(expr("db_run! { conn: sqlite, mysql { a(); } postgresql { b() } }"), "db_run! {a(); b()}");
    assert_eq!(expr("per! { sqlite => { a() }, postgres => { b() } }"), "per! {a(); b()}");
    assert_eq!(expr("per! { sqlite { a()?; } postgres { b()?; } }"), "per! {a()?; b()?}".replace("()?}", "()?;}"));
    assert_eq!(expr("m!(Point { x })"), "m!(Point {x: x})");
}

#[test]
fn statements() {
    assert_eq!(
        expr("try_stream! { let a = f().await?; for x in a { yield x; } }"),
        "try_stream! {let a = f().await?; for x in a {yield(x);}}"
    );
    assert_eq!(body("fn f() { m! { use a::b; b(); } }"), "{m! {[f] b();}}");
}

#[test]
fn items_where_a_statement_may_stand() {
    let source = "fn f() { m! { struct A; fn g() {} } }";
    assert_eq!(body(source), "{[f] m! items}");
    assert_eq!(function(&tree(source), "g").scope, ["f"]);
}

#[test]
fn other_tokens_give_the_expressions_among_them() {
    assert_eq!(expr("m!(a.b(), -> c; [=> d(1)] {x y, z(2)})"), "m! tokens [a.b(), d(1), z(2)]");
    assert_eq!(expr("quote!(a.b())"), "quote! tokens []");
}

#[test]
fn nested_macros() {
    assert_eq!(expr("Ok(json!({\"a\": format!(\"{}\", x?)}))"), "Ok(json!( {a: format!(\"{}\", x?)}))");
}

#[test]
fn macros_as_items() {
    let source = "mod m { table! { users (id) { id -> Integer, } } model! { struct A { x: u8 } fn g() {} } }
        cfg_if! { if #[cfg(unix)] { fn a() {} } else { mod o { fn b() {} } } }
        thread_local!(static X: u8 = 1);
        lazy_static! { static ref Y: u8 = f(); }";
    let tree = tree(source);
    let macros: Vec<_> = tree.macros.iter().map(|call| call.path.join("::")).collect();
    assert_eq!(macros, ["table", "model", "cfg_if", "thread_local", "lazy_static"]);
    assert_eq!(tree.macros[0].tokens.of(source).trim(), "users (id) { id -> Integer, }");
    assert!(tree.macros[0].at.of(source).starts_with("table!") && tree.macros[0].at.of(source).ends_with("}"));
    assert_eq!(tree.types[0].scope, ["m"]);
    let filed: Vec<_> = tree.functions.iter().map(|f| format!("{}::{}", f.scope.join("::"), f.name)).collect();
    assert_eq!(filed, ["m::g", "::a", "o::b"]);
}

#[test]
fn members_from_macros() {
    let tree = tree("impl A { members! { fn x(&self) {} type T = u8; } } trait B { members! { fn y(&self); } }");
    assert_eq!(function(&tree, "x").in_impl, Some(0));
    assert_eq!(tree.impls[0].types.len(), 1);
    assert_eq!(function(&tree, "y").in_trait, Some(0));
}

#[test]
fn ranges_inside_macro_tokens() {
    let source = "fn f() { sqlx::query!(\"S\u{e9}\", pool.get(1)); json!({\"k\": [x.y(), {\"l\": z}]}); }";
    let tree = tree(source);
    let mut seen = Vec::new();
    super::ranges::each_expr(&tree, &mut |written| {
        seen.push(format!("{} <- {}", shape::expr(written), written.at.of(source)))
    });
    for expected in
        ["\"S\u{e9}\" <- \"S\u{e9}\"", "pool.get(1) <- pool.get(1)", "x.y() <- x.y()", " {l: z} <- {\"l\": z}"]
    {
        assert!(seen.iter().any(|line| line == expected), "{expected} in {seen:#?}");
    }
}
