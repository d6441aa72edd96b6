//! Items, scopes, attributes.

use super::super::tree::{Attr, FileTree, Generic, TypeKind};
use super::{function, shape, tree};

fn uses(tree: &FileTree) -> Vec<String> {
    let shown = tree.uses.iter().map(|line| {
        let glob = if line.glob { "::*" } else { "" };
        let public = if line.public { "pub " } else { "" };
        format!("{}{public}{}{glob} as {}", prefix(&line.scope), line.path.join("::"), line.name)
    });
    shown.collect()
}

fn prefix(scope: &[super::super::tree::Name]) -> String {
    if scope.is_empty() { String::new() } else { format!("[{}] ", scope.join("::")) }
}

fn generics(generics: &[Generic]) -> Vec<String> {
    generics.iter().map(|generic| format!("{}: {}", generic.name, shape::tys(&generic.bounds))).collect()
}

#[test]
fn use_trees_give_one_line_a_leaf() {
    let tree =
        tree("use a::{self, b as c, d::*, e::{f, g as _}}; pub(crate) use ::x::y; use self::z; use a::{self as q};");
    assert_eq!(
        uses(&tree),
        [
            "a as a",
            "a::b as c",
            "a::d::* as ",
            "a::e::f as f",
            "a::e::g as _",
            "pub ::x::y as y",
            "self::z as z",
            "a as q"
        ]
    );
}

#[test]
fn functions_with_all_they_have() {
    let tree = tree(
        "/// doc
        #[tracing::instrument(skip(pool), name = \"x\")]
        #[must_use]
        pub async fn redeem<'a, E: Executor<'a> + Send, const N: usize>(mut pool: E, (a, b): (u8, u8)) -> Result<(), E>
        where E: Clone, Vec<E>: Sized, 'a: 'static { Ok(()) }
        fn bare();",
    );
    let redeem = function(&tree, "redeem");
    assert!(redeem.is_async && redeem.public && !redeem.test && redeem.receiver.is_none());
    assert_eq!(generics(&redeem.generics), ["E: Executor, Send, Clone"]);
    assert_eq!(shape::ty(&redeem.ret), "Result<(), E>");
    assert_eq!(redeem.params.iter().map(|param| shape::pat(&param.pat)).collect::<Vec<_>>(), ["pool", "(a, b)"]);
    let attrs: Vec<_> = redeem.attrs.iter().map(|attr| (attr.path.join("::"), attr.tokens.as_str())).collect();
    let expected = [("tracing::instrument".to_owned(), "skip ( pool ) , name = \"x\""), ("must_use".to_owned(), "")];
    assert_eq!(attrs, expected);
    assert_eq!(tree.unknowns.len(), 1, "a function without a body is no item");
}

#[test]
fn impls_and_their_members() {
    let tree = tree(
        "impl<T> Store for Pg<T> where T: Send {
            type Row = Coupon; const TABLE: &'static str = \"coupons\";
            fn find(&self, id: i64) -> Self::Row { todo!() }
            async fn save(&mut self) {} fn take(self) {} fn boxed(self: Box<Self>) {} fn new() -> Self { x }
        }
        unsafe impl Send for X {}",
    );
    let [store, send] = tree.impls.as_slice() else { panic!("{:?}", tree.impls) };
    assert_eq!(store.of_trait.as_ref().map(shape::ty).as_deref(), Some("Store"));
    assert_eq!(shape::ty(&store.self_ty), "Pg<T>");
    assert_eq!(generics(&store.generics), ["T: Send"]);
    assert_eq!(
        store.types.iter().map(|(name, ty)| format!("{name}={}", shape::ty(ty))).collect::<Vec<_>>(),
        ["Row=Coupon"]
    );
    assert_eq!(shape::ty(&send.self_ty), "X");
    let receivers: Vec<_> =
        tree.functions.iter().map(|f| f.receiver.as_ref().map(shape::ty).unwrap_or_default()).collect();
    assert_eq!(receivers, ["&Self", "&Self", "Self", "Box<Self>", ""]);
    assert!(tree.functions.iter().all(|f| f.in_impl == Some(0) && f.in_trait.is_none()));
    assert_eq!(function(&tree, "find").params.len(), 1);
    let table = &tree.consts[0];
    assert_eq!((table.in_impl, table.name.as_str()), (Some(0), "TABLE"));
    assert_eq!(table.value.as_ref().map(shape::expr).as_deref(), Some("\"coupons\""));
}

#[test]
fn traits_with_and_without_bodies() {
    let tree = tree(
        "#[async_trait] pub trait Store<K>: Send + Sync + 'static { type Row: Clone; const N: u8 = 1; \
         async fn find(&self, k: K) -> Option<Self::Row>; fn name(&self) -> String { \"x\".into() } }",
    );
    let store = &tree.traits[0];
    assert_eq!((store.name.as_str(), shape::tys(&store.bounds).as_str()), ("Store", "Send, Sync"));
    assert_eq!(generics(&store.generics), ["K: "]);
    assert_eq!(store.attrs[0].path, ["async_trait"]);
    let find = function(&tree, "find");
    assert!(find.in_trait == Some(0) && find.body.is_none() && find.is_async && find.public);
    assert!(function(&tree, "name").body.is_some());
    assert_eq!(tree.consts.len(), 1);
}

#[test]
fn types_fields_and_variants() {
    let tree = tree(
        "#[derive(Debug, Queryable)] #[diesel(table_name = crate::schema::users)]
        pub struct User<T: Clone> { pub id: i64, #[serde(rename = \"n\")] name: Option<T> }
        struct Id(pub i64, u8); struct Unit; type Res<T> = Result<T, E>; union U { a: u8 }
        enum Status { #[default] Open, Closed(i64), Held { by: String } }",
    );
    let names: Vec<_> = tree.types.iter().map(|def| def.name.as_str()).collect();
    assert_eq!(names, ["User", "Id", "Unit", "Res", "U", "Status"]);
    let user = &tree.types[0];
    let texts: Vec<_> = user.attrs.iter().map(|attr| attr.tokens.as_str()).collect();
    assert_eq!(texts, ["Debug , Queryable", "table_name = crate :: schema :: users"]);
    let shown: Vec<_> = tree.types.iter().map(|def| kind(&def.kind)).collect();
    assert_eq!(
        shown,
        [
            "id: i64, name: Option<T>",
            "0: i64, 1: u8",
            "",
            "= Result<T, E>",
            "a: u8",
            "Open() Closed(0: i64) Held(by: String)"
        ]
    );
    let TypeKind::Struct(fields) = &user.kind else { panic!("no struct") };
    assert_eq!(fields[1].attrs[0].tokens, "rename = \"n\"");
    let TypeKind::Enum(variants) = &tree.types[5].kind else { panic!("no enum") };
    assert_eq!(variants[0].attrs[0].path, ["default"]);
}

fn kind(kind: &TypeKind) -> String {
    let fields = |fields: &[super::super::tree::Field]| {
        fields.iter().map(|field| format!("{}: {}", field.name, shape::ty(&field.ty))).collect::<Vec<_>>().join(", ")
    };
    match kind {
        TypeKind::Struct(all) => fields(all),
        TypeKind::Alias(ty) => format!("= {}", shape::ty(ty)),
        TypeKind::Enum(variants) => {
            let shown = variants.iter().map(|variant| format!("{}({})", variant.name, fields(&variant.fields)));
            shown.collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn modules_and_scopes() {
    let tree = tree(
        "mod a; #[path = \"other.rs\"] pub mod b; mod c { use x::y; mod d { fn deep() {} static S: u8 = 1; } \
         #[cfg(test)] mod e; impl X {} trait T {} struct V; m! {} }",
    );
    let modules: Vec<_> = tree
        .modules
        .iter()
        .map(|m| format!("{}{} {} {} {}", prefix(&m.scope), m.name, m.path.as_deref().unwrap_or("-"), m.file, m.test))
        .collect();
    assert_eq!(
        modules,
        ["a - true false", "b other.rs true false", "c - false false", "[c] d - false false", "[c] e - true true"]
    );
    assert_eq!(function(&tree, "deep").scope, ["c", "d"]);
    assert_eq!(tree.consts[0].scope, ["c", "d"]);
    assert_eq!(uses(&tree), ["[c] x::y as y"]);
    for scope in [&tree.impls[0].scope, &tree.traits[0].scope, &tree.types[0].scope, &tree.macros[0].scope] {
        assert_eq!(scope, &["c"]);
    }
}

#[test]
fn items_in_bodies_are_filed_below_the_function() {
    let tree = tree(
        "mod m { fn outer() { use a::b; struct Row; fn inner() { if x { use c::d; } } inner() } }
        impl A { fn find() { use a::A; } } impl B { fn find() { { use a::B; } } fn none() {} }
        trait T { fn find() { use a::T; } }
        const C: u8 = { use a::C; 1 };",
    );
    assert_eq!(
        uses(&tree),
        [
            "[m::outer] a::b as b",
            "[m::outer::inner] c::d as d",
            "[find#0] a::A as A",
            "[find#1] a::B as B",
            "[find#t0] a::T as T",
            "[C] a::C as C"
        ]
    );
    assert_eq!(tree.types[0].scope, ["m", "outer"]);
    assert_eq!(function(&tree, "inner").scope, ["m", "outer"]);
    let bodies: Vec<_> = tree.functions.iter().filter_map(|f| f.body.as_ref()).map(shape::expr).collect();
    assert_eq!(
        bodies,
        ["{[outer] inner()}", "{if x {[inner] }}", "{[find#0] }", "{{[find#1] }}", "{}", "{[find#t0] }"]
    );
}

#[test]
fn attributes_under_a_condition_count() {
    let tree = tree(
        "#[cfg_attr(feature = \"db\", derive(AsChangeset), diesel(table_name = sites))]
         #[cfg_attr(test, derive(Arbitrary))] #[cfg_attr(all(unix, not(test)), cfg_attr(feature = \"db\", repr(C)))]
         struct Form { #[cfg_attr(feature = \"db\", diesel(column_name = title))] name: String }",
    );
    let shown = |attrs: &[Attr]| -> Vec<String> {
        attrs.iter().map(|attr| format!("{} {}", attr.path.join("::"), attr.tokens)).collect()
    };
    assert_eq!(shown(&tree.types[0].attrs), ["derive AsChangeset", "diesel table_name = sites", "repr C"]);
    let TypeKind::Struct(fields) = &tree.types[0].kind else { panic!("a struct") };
    assert_eq!(shown(&fields[0].attrs), ["diesel column_name = title"]);
}

#[test]
fn tests_are_known() {
    let cases = [
        ("#[test] fn f() {}", true),
        ("#[tokio::test(flavor = \"x\")] async fn f() {}", true),
        ("#[sqlx::test] async fn f() {}", true),
        ("#[rstest] fn f() {}", true),
        ("#[cfg(test)] fn f() {}", true),
        ("#[cfg(any(test, feature = \"x\"))] fn f() {}", true),
        ("#[cfg(all(feature = \"x\", test))] mod m { fn f() {} }", true),
        ("#[cfg(feature = \"test\")] mod m { fn f() {} }", true),
        ("#[cfg(feature = \"test-utils\")] fn f() {}", true),
        ("#[cfg(not(feature = \"test\"))] fn f() {}", false),
        ("#[cfg(feature = \"testimonials\")] fn f() {}", false),
        ("#[cfg(test)] impl X { fn f() {} }", true),
        ("#[cfg(test)] trait X { fn f() {} }", true),
        ("#![cfg(test)] fn f() {}", true),
        ("#[cfg(test)] fn g() { fn f() {} }", true),
        ("#[cfg(not(test))] fn f() {}", false),
        ("#[cfg(all(not(test), unix))] fn f() {}", false),
        ("#[cfg(test)] mod m {} fn f() {}", false),
        ("#[tested] fn f() {}", false),
    ];
    for (source, expected) in cases {
        assert_eq!(function(&tree(source), "f").test, expected, "{source}");
    }
    assert!(tree("#[cfg(test)] mod m { impl X {} }").impls[0].test);
}
