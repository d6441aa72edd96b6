//! The texts of a file that make tables: what a program sends itself when it starts, instead of keeping migrations.

use std::str::FromStr;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use proc_macro2::{Group, TokenStream, TokenTree};

use super::nesting::{self, BRACKETS};
use super::{SIZE, attrs, code_start};

/// The string literals in a file's text that make or change tables, in order, those of tests left out; none when it is
/// not Rust or beyond the limits of [`super::lower`].
///
/// Call it on a thread that has [`super::STACK`], and not while that thread is inside [`super::lower`].
pub fn ddl_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.len() > SIZE || !makes_tables(text) {
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

/// Whether a text may hold a statement about tables.
fn makes_tables(text: &str) -> bool {
    static STATEMENTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let words = ["create table", "create unique index", "alter table"];
        AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
    });
    STATEMENTS.as_ref().is_none_or(|statements| statements.is_match(text))
}

fn collect(tokens: TokenStream, depth: u32, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    // What an attribute of a test stands before.
    let mut test = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.peek() {
                    test |= is_test(attribute);
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == ';' => test = false,
            TokenTree::Group(group) => {
                if !test && depth < BRACKETS {
                    collect(group.stream(), depth + 1, found);
                }
                test &= group.delimiter() != proc_macro2::Delimiter::Brace;
            }
            TokenTree::Literal(literal) if !test => {
                if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                    found.extend(Some(text.value()).filter(|text| makes_tables(text)));
                }
            }
            _ => {}
        }
    }
}

fn is_test(attribute: &Group) -> bool {
    let written = TokenTree::Group(attribute.clone());
    let parsed = syn::parse::Parser::parse2(syn::Attribute::parse_outer, quote::quote!(# #written));
    parsed.is_ok_and(|attributes| attrs::are_test(&attributes))
}

#[cfg(test)]
mod tests {
    use super::ddl_of;

    #[test]
    fn texts_that_make_tables_are_found() {
        let source = r##"
            const SCHEMA: &str = "CREATE TABLE votes (id INTEGER PRIMARY KEY)";
            fn open(db: &Connection) {
                db.execute_batch(r#"create table polls (id INTEGER);"#);
                db.execute("INSERT INTO polls (id) VALUES (1)", []);
                db.execute("CREATE UNIQUE INDEX one ON votes (id)", []);
            }
            #[cfg(test)]
            mod tests {
                fn made() { db.execute_batch("CREATE TABLE mocks (id INTEGER)"); }
            }
            #[tokio::test]
            async fn works() { db.execute_batch("CREATE TABLE mocks (id INTEGER)"); }
            static LATER: &str = "ALTER TABLE votes ADD COLUMN member TEXT";
        "##;
        let firsts: Vec<String> =
            ddl_of(source).iter().map(|text| text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(firsts, ["CREATE TABLE votes", "create table polls", "CREATE UNIQUE INDEX", "ALTER TABLE votes"]);
        assert!(ddl_of("not { rust: \"CREATE TABLE\"").is_empty());
    }
}
