//! The texts of a file that make tables: what a program sends itself when it starts, instead of keeping migrations.

use std::str::FromStr;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use proc_macro2::{Group, TokenStream, TokenTree};

use super::nesting::{self, BRACKETS};
use super::{SIZE, attrs, code_start};

/// What a file sends to make or change tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ddl {
    Text(String),
    /// The path in `include_str!("…")`, as it is written: what that file holds is not looked at.
    Taken(String),
}

/// The string literals in a file's text that make or change tables, and the SQL files that it takes in, in order, those
/// of tests left out; none when it is not Rust or beyond the limits of [`super::lower`].
///
/// Call it on a thread that has [`super::STACK`], and not while that thread is inside [`super::lower`].
pub fn ddl_of(text: &str) -> Vec<Ddl> {
    let mut found = Vec::new();
    if text.len() > SIZE || !(makes_tables(text) || text.contains(TAKES)) {
        return found;
    }
    if let Ok(tokens) = TokenStream::from_str(text.get(code_start(text)..).unwrap_or(""))
        && nesting::check(&tokens).is_ok()
    {
        collect(tokens, 0, &mut found);
    }
    proc_macro2::extra::invalidate_current_thread_spans();
    found
}

/// The macro that stands for a file's text.
const TAKES: &str = "include_str";

/// Whether a text may hold a statement about tables.
pub fn makes_tables(text: &str) -> bool {
    static STATEMENTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let words = [
            "create table",
            "create unique index",
            "alter table",
            "create trigger",
            "create function",
            "replace function",
        ];
        AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
    });
    STATEMENTS.as_ref().is_none_or(|statements| statements.is_match(text))
}

fn collect(tokens: TokenStream, depth: u32, found: &mut Vec<Ddl>) {
    let mut tokens = tokens.into_iter().peekable();
    // What an attribute of a test stands before.
    let mut test = false;
    // Whether the brackets that follow name a file.
    let mut takes = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.peek() {
                    test |= is_test(attribute);
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == ';' => test = false,
            TokenTree::Ident(name) => takes = name == TAKES,
            TokenTree::Group(group) => {
                if std::mem::take(&mut takes) && !test {
                    found.extend(taken(&group));
                } else if !test && depth < BRACKETS {
                    collect(group.stream(), depth + 1, found);
                }
                test &= group.delimiter() != proc_macro2::Delimiter::Brace;
            }
            TokenTree::Literal(literal) if !test => {
                if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                    found.extend(Some(text.value()).filter(|text| makes_tables(text)).map(Ddl::Text));
                }
            }
            _ => {}
        }
    }
}

/// The file that `include_str!(…)` takes in, where its brackets hold a path and it is SQL by its name.
fn taken(brackets: &Group) -> Option<Ddl> {
    let mut tokens = brackets.stream().into_iter();
    let (Some(TokenTree::Literal(literal)), None) = (tokens.next(), tokens.next()) else { return None };
    let syn::Lit::Str(path) = syn::Lit::new(literal) else { return None };
    Some(path.value()).filter(|path| path.ends_with(".sql")).map(Ddl::Taken)
}

fn is_test(attribute: &Group) -> bool {
    let written = TokenTree::Group(attribute.clone());
    let parsed = syn::parse::Parser::parse2(syn::Attribute::parse_outer, quote::quote!(# #written));
    parsed.is_ok_and(|attributes| attrs::are_test(&attributes))
}

#[cfg(test)]
mod tests {
    use super::{Ddl, ddl_of};

    #[test]
    fn texts_that_make_tables_are_found() {
        let source = r##"
            const SCHEMA: &str = "CREATE TABLE votes (id INTEGER PRIMARY KEY)";
            fn open(db: &Connection) {
                db.execute_batch(r#"create table polls (id INTEGER);"#);
                db.execute("INSERT INTO polls (id) VALUES (1)", []);
                db.execute("CREATE UNIQUE INDEX one ON votes (id)", []);
                db.execute_batch(include_str!("bars.sql"));
                let page = include_str!("bars.html");
            }
            #[cfg(test)]
            mod tests {
                fn made() { db.execute_batch(include_str!("mocks.sql")); }
            }
            #[tokio::test]
            async fn works() { db.execute_batch("CREATE TABLE mocks (id INTEGER)"); }
            static LATER: &str = "ALTER TABLE votes ADD COLUMN member TEXT";
        "##;
        let first = |ddl: &Ddl| match ddl {
            Ddl::Text(text) => text.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
            Ddl::Taken(path) => path.clone(),
        };
        let firsts: Vec<String> = ddl_of(source).iter().map(first).collect();
        let expected =
            ["CREATE TABLE votes", "create table polls", "CREATE UNIQUE INDEX", "bars.sql", "ALTER TABLE votes"];
        assert_eq!(firsts, expected);
        assert!(ddl_of("not { rust: \"CREATE TABLE\"").is_empty());
    }
}
