//! What is refused, and that what is not refused fits the stack.

use proptest::prelude::*;

use super::super::nesting::{BRACKETS, DIGITS, LINKS};
use super::super::{Refused, SIZE, lower};
use super::{on_stack, tree};
use crate::notice::NoticeKind;
use crate::span::FileId;

fn refusal(source: &str) -> Option<Refused> {
    lower(FileId(0), source).err()
}

/// Whether a source is refused for a limit. One that is no Rust may be told so.
fn beyond(source: String) -> bool {
    on_stack(move || refusal(&source)).is_some_and(|refused| refused.kind == NoticeKind::Limit)
}

/// The same for a source that is Rust.
fn limit(source: String) -> bool {
    let refused = on_stack(move || refusal(&source));
    match refused {
        Some(Refused { kind: NoticeKind::Limit, .. }) => true,
        Some(refused) => panic!("{refused:?}"),
        None => false,
    }
}

#[test]
fn syntax_errors_say_where() {
    let refused = refusal("fn f() {}\n\nfn g( {}\n").unwrap();
    assert_eq!((refused.kind, refused.line), (NoticeKind::Syntax, 3));
    let refused = refusal("\u{feff}#!/bin/x\r\nfn f() {\r\n  let = 1;\r\n}").unwrap();
    assert_eq!((refused.kind, refused.line), (NoticeKind::Syntax, 3));
    assert_eq!(refused.at.map(|at| (at.start, at.end)), Some((29, 30)));
    for source in ["fn", "struct X", "fn f() {", "\"", "'", "fn f() { a b }", "}", "#!/x\n\u{feff}fn", "use a::{b"] {
        let refused = refusal(source).unwrap_or_else(|| panic!("{source}"));
        assert_eq!(refused.kind, NoticeKind::Syntax);
        assert!(!refused.text.is_empty() && !refused.text.ends_with('.'), "{}", refused.text);
        assert!(refused.text.chars().next().is_some_and(|first| !first.is_uppercase()), "{}", refused.text);
        assert!(refused.at.is_some_and(|at| at.end as usize <= source.len()), "{refused:?} in {source}");
    }
}

#[test]
fn the_end_of_the_file_is_on_its_last_line() {
    assert_eq!(refusal("fn f() {}\nfn").map(|refused| refused.line), Some(2));
}

#[test]
fn large_files_are_refused() {
    let source = format!("//{}\n", " ".repeat(SIZE));
    let refused = refusal(&source).unwrap();
    assert_eq!((refused.kind, refused.line, refused.at), (NoticeKind::Limit, 1, None));
    assert!(tree(source.get(..SIZE).unwrap()).functions.is_empty());
}

#[test]
fn endless_numbers_are_refused() {
    let number = |digits: usize| format!("const N: u128 = {};", "7".repeat(digits));
    assert!(!limit(number(DIGITS)));
    assert!(limit(number(DIGITS + 1)));
    assert!(limit(format!("fn f() {{ g({}.5e3) }}", "1".repeat(900_000))));
    assert!(!limit(format!("const S: &str = \"{}\";", "7".repeat(DIGITS + 1))));
}

/// `open` and `close` round a core, `count` times, inside a function.
fn nested(open: &str, core: &str, close: &str, count: usize) -> String {
    format!("fn f() {{ x = {}{core}{}; }}", open.repeat(count), close.repeat(count))
}

#[test]
fn brackets_up_to_the_limit_fit_the_stack() {
    let shapes = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("f(", "1", ")"),
        ("a.b(", "1", ")"),
        ("if a {", "1", "} else { 2 }"),
        ("match a { _ => ", "1", "}"),
        ("match 1 { (", "1", ") => 1 }"),
        ("m!(", "1", ")"),
        ("m!{ let a = ", "1", "; }"),
        ("async {", "1", "}"),
        ("|| {", "1", "}"),
        ("{ fn f() {", "", "} }"),
        ("{ impl A { fn f() {", "", "} } }"),
        ("{ mod m {", "", "} }"),
        ("S { x: ", "1", "}"),
        ("json!([{ \"a\": ", "1", "}])"),
        ("loop { let Some(a) = ", "1", "else { return }; }"),
        ("f(|x| async move { g(x).await?.h(", "1", ") })"),
    ];
    for (open, core, close) in shapes {
        let each =
            open.chars().filter(|c| "([{".contains(*c)).count() - open.chars().filter(|c| ")]}".contains(*c)).count();
        // The body of the function is a bracket as well.
        let most = (BRACKETS as usize - 2) / each;
        assert!(!beyond(nested(open, core, close, most - 1)), "{open}");
        assert!(limit(nested(open, core, close, most + 3)), "{open}");
    }
}

#[test]
fn exactly_at_the_limit() {
    assert!(!limit(nested("(", "1", ")", BRACKETS as usize - 1)));
    assert!(limit(nested("(", "1", ")", BRACKETS as usize)));
    // `x = 1` has one link, and the body of the function another three: its two brackets and itself.
    let sum = |count: usize| format!("const X: u8 = 1{};", " + 1".repeat(count));
    let used = 3;
    assert!(!limit(sum(LINKS as usize - used)));
    assert!(limit(sum(LINKS as usize - used + 1)));
}

#[test]
fn chains_up_to_the_limit_fit_the_stack() {
    let shapes = [
        ("", "1", " + 1"),
        ("", "a", ".b()"),
        ("", "a", ".b"),
        ("", "a", "?"),
        ("", "a", "()"),
        ("", "a", "[0]"),
        ("", "a", " as u8"),
        ("!", "a", ""),
        ("-", "a", ""),
        ("&", "a", ""),
        ("&&", "a", ""),
        ("*", "a", ""),
        ("|| ", "a", ""),
        ("|a, b| ", "a", ""),
        ("return ", "a", ""),
        ("a = ", "a", ""),
        ("a as A<", "a", ">"),
        ("a as A<B, ", "a", ">"),
        ("a as fn() -> ", "a", ""),
        ("a as &", "a", ""),
        ("if a {} else ", "if a {}", ""),
        ("if ", "a", " {}"),
        ("match ", "a", " {}"),
        ("..", "a", ""),
    ];
    for (open, core, close) in shapes {
        // `as` begins a type only once.
        let (first, open) = match open.strip_prefix("a as ") {
            Some(rest) => ("a as ", rest),
            None => ("", open),
        };
        let build =
            |count: usize| format!("fn f() {{ x = {first}{}{core}{}; }}", open.repeat(count), close.repeat(count));
        assert!(!beyond(build(180)), "{open}{close}");
        assert!(beyond(build(LINKS as usize + 1)), "{open}{close}");
        for count in [300, 480, 600, 900, 990] {
            let source = build(count);
            on_stack(move || refusal(&source));
        }
    }
}

#[test]
fn chains_inside_brackets_add_up() {
    let block = |links: usize| nested(&format!("{}(", "!".repeat(links)), "1", ")", 100);
    assert!(!limit(block(5)));
    assert!(limit(block(20)));
    // The depth counts from either end of a chain.
    let tail = |links: usize| nested("(", "x", &format!("){}", ".b".repeat(links)), 100);
    assert!(!limit(tail(5)));
    assert!(limit(tail(20)));
}

#[test]
fn long_code_is_no_chain() {
    let lines = |line: &str| format!("fn f() {{ {} }}", line.repeat(2_000));
    for line in
        ["a.b(c)?;", "if a > 1 { b() }", "m!(a.b);", "#[allow(x)] let a = 1;", "match a { -1 => {} &b => {} _ => c }"]
    {
        assert!(!limit(lines(line)), "{line}");
    }
    for item in ["/// doc\n", "//! doc\n", "#[a]\n"] {
        assert!(!limit(format!("{}fn f() {{}}", item.repeat(3_000))));
    }
    for item in
        ["fn f<T: A<B>>(a: &T) -> B<C> {}\n", "struct A;\n", "impl A for B {}\n", "use a::b::c;\n", "m! { a b c }\n"]
    {
        assert!(!limit(item.repeat(3_000)), "{item}");
    }
    assert!(!limit(format!("const X: &[u8] = &[{}];", "A | B, !c, ".repeat(3_000))));
    assert!(!limit(format!("fn f() {{ match a {{ {} }} }}", "A | B => -1, &C => {} ".repeat(2_000))));
    assert!(!limit(format!("fn f() {{ html! {{ {} }} }}", "<a b=\"c\">{d}</a>".repeat(2_000))));
}

#[test]
fn long_macro_bodies_are_not_parsed_but_counted() {
    let source = format!("fn f() {{ m!({}); }}", "!".repeat(5_000) + "a");
    let unknowns = on_stack(move || tree(&source).unknowns);
    assert_eq!(
        unknowns.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>(),
        ["more than 1,000 operators or calls in a row"]
    );
}

#[test]
fn deep_trees_end_in_unknown() {
    let source = format!("fn f() {{ a{}; }}", ".b()".repeat(480));
    let unknowns = on_stack(move || tree(&source).unknowns);
    assert_eq!(unknowns.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>(), ["nested too deeply"]);
}

#[test]
fn nested_macros_end_when_the_allowance_is_used_up() {
    let mut source = String::from("fn f() { ");
    source.push_str(&"m!(".repeat(120));
    source.push_str(&"a b, ".repeat(50_000));
    source.push_str(&")".repeat(120));
    source.push_str("; }");
    let unknowns = on_stack(move || tree(&source).unknowns);
    assert!(unknowns.iter().any(|(_, why)| why == "macros nested too often"));
}

#[test]
fn hostile_nesting_is_refused_and_not_died_of() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{", "}"), ("m!(", ")"), ("A<", ">"), ("!", ""), ("|a, b|", ""), ("/*", "*/")]
    {
        let source = format!("fn f() {{ {}{} }}", open.repeat(100_000), close.repeat(100_000));
        on_stack(move || refusal(&source));
    }
    let attribute = format!("#[a = {}1] fn f() {{}}", "!".repeat(100_000));
    assert!(limit(attribute));
}

const SNIPPET: &str = "use a::{b as c, d::*};\n#[cfg(test)] impl<T: X> Y for Z<T> where T: W { async fn f(&self, Some(x): Option<u8>) -> R<(), E> {\n\
    let Ok(a) = q!(\"S\u{e9}\", x) else { return Err(m! { conn: { y } }) };\nif let Some(z) = a && z > 1 { yield z; } else if !b { 'l: loop { break 'l } }\n\
    match a { 1..=2 | N => {}, x @ _ if y => json!({\"k\": [1, {\"l\": z?}]}), }\n\
    select! { biased; v = f(), if g => {} else => {} } |a, b| async move { S { a, ..b } } } }\n\
    macro_rules! r { ($($x:ident : $y:ty),* $(,)?) => { $(fn $x() -> $y { m!($x) })* } } r! { a: u8, b: Vec<u8> }";

#[test]
fn the_snippet_is_accepted() {
    let tree = tree(SNIPPET);
    assert_eq!(tree.functions.len(), 3);
    assert!(tree.unknowns.is_empty(), "{:?}", tree.unknowns);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        on_stack(move || drop(lower(FileId(0), &text)));
    }

    #[test]
    fn no_soup_of_tokens_panics(words in proptest::collection::vec(prop::sample::select(WORDS), 0..60)) {
        let text = words.join(" ");
        let inside = format!("fn f() {{ {text} }}");
        let called = format!("fn f() {{ m!{{ {text} }} }} m!{{ {text} }} macro_rules! r {{ {text} }}");
        on_stack(move || for text in [text, inside, called] {
            drop(lower(FileId(0), &text));
        });
    }

    #[test]
    fn no_mutation_panics(at in 0..SNIPPET.len(), remove in 0..40usize, put in prop::sample::select(WORDS)) {
        let start = (0..=at).rev().find(|at| SNIPPET.is_char_boundary(*at)).unwrap_or(0);
        let end = (at + remove..=SNIPPET.len()).find(|at| SNIPPET.is_char_boundary(*at)).unwrap_or(SNIPPET.len());
        let text = format!("{}{put}{}", &SNIPPET[..start], &SNIPPET[end..]);
        on_stack(move || drop(lower(FileId(0), &text)));
    }
}

const WORDS: &[&str] = &[
    "fn",
    "f",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ",",
    ";",
    ":",
    "::",
    "=",
    "=>",
    "->",
    "$",
    "$x",
    "$(",
    "#",
    "!",
    "?",
    "%",
    "|",
    "||",
    "&",
    "&&",
    "*",
    "..",
    "..=",
    ".",
    "+",
    "'a",
    "'a'",
    "\"s\"",
    "r#\"",
    "b\"",
    "c\"x\"",
    "1",
    "1.0",
    "0x",
    "if",
    "else",
    "match",
    "let",
    "async",
    "move",
    "await",
    "impl",
    "struct",
    "trait",
    "mod",
    "use",
    "macro_rules!",
    "m!",
    "select!",
    "matches!",
    "json!",
    "vec!",
    "biased",
    "r#type",
    "_",
    "\u{e9}",
    "\u{1f600}",
    "/*",
    "*/",
    "//",
    "///x\n",
    "\n",
    "\r\n",
    "\u{feff}",
    "box",
    "dyn",
    "where",
    "for",
    "in",
    "return",
    "yield",
    "const",
    "unsafe",
    "union",
    "@",
    "ref",
    "mut",
    "pub",
    "Some(x)",
    "{}",
];
