//! Attributes as text, and which of them mean a test.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

use super::path_names;
use super::tree::Attr;

/// All attributes but doc comments. Those under a `cfg_attr` count, unless it is for tests only.
pub fn attrs(attributes: &[Attribute]) -> Vec<Attr> {
    let mut all = Vec::new();
    for attribute in attributes {
        collect(&attribute.meta, 0, &mut all);
    }
    all
}

/// Whether code under these attributes is built for tests only.
pub fn are_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => names_test(list.tokens.clone(), 0),
        meta => meta.path().segments.last().is_some_and(|last| TESTS.iter().any(|test| last.ident == test)),
    })
}

/// What stands in the brackets of the first `cfg`.
pub fn condition(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => Some(list.tokens.to_string()),
        _ => None,
    })
}

/// The value of `#[path = "…"]`.
pub fn path_value(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
        pair.path.is_ident("path").then(|| text.value())
    })
}

/// Tokens as text with single spaces between them; marks that belong together stay together.
pub fn spaced(tokens: TokenStream) -> String {
    let mut text = String::new();
    spaced_into(tokens, 0, &mut text);
    text
}

/// `test` of the language, tokio, sqlx, actix and others by the last name of their path; the other names are macros of
/// rstest, test-case, quickcheck and wasm-bindgen.
const TESTS: [&str; 6] = ["test", "bench", "rstest", "test_case", "quickcheck", "wasm_bindgen_test"];

/// Deeper conditions than this are not looked into.
const DEPTH: u32 = 32;

fn collect(meta: &Meta, depth: u32, all: &mut Vec<Attr>) {
    if meta.path().is_ident("doc") {
        return;
    }
    let tokens = match meta {
        Meta::Path(_) => String::new(),
        Meta::List(list) if list.path.is_ident("cfg_attr") && depth < DEPTH => {
            let parts = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone());
            let mut parts = parts.unwrap_or_default().into_iter();
            if parts.next().is_some_and(|condition| !names_test(condition.to_token_stream(), 0)) {
                parts.for_each(|part| collect(&part, depth + 1, all));
            }
            return;
        }
        Meta::List(list) => spaced(list.tokens.clone()),
        Meta::NameValue(pair) => spaced(pair.value.to_token_stream()),
    };
    all.push(Attr { path: path_names(meta.path()), tokens });
}

/// Whether a condition holds only if `test` does: `test`, or a feature named after it, and `any` and `all` with one of
/// them, but not below a `not`.
fn names_test(condition: TokenStream, depth: u32) -> bool {
    if depth > DEPTH {
        return false;
    }
    let mut word = String::new();
    for token in condition {
        match token {
            TokenTree::Ident(name) => {
                word = name.to_string();
                if word == "test" {
                    return true;
                }
            }
            TokenTree::Group(group) if word != "not" && names_test(group.stream(), depth + 1) => return true,
            TokenTree::Literal(value) if word == "feature" && is_for_tests(&value.to_string()) => return true,
            TokenTree::Punct(mark) if mark.as_char() == ',' => word.clear(),
            _ => {}
        }
    }
    false
}

fn spaced_into(tokens: TokenStream, depth: u32, text: &mut String) {
    let mut glued = true;
    for token in tokens {
        if !std::mem::replace(&mut glued, false) {
            text.push(' ');
        }
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("( ", " )"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::Bracket => ("[ ", " ]"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                if depth < super::nesting::BRACKETS {
                    spaced_into(group.stream(), depth + 1, text);
                }
                text.push_str(close);
            }
            TokenTree::Punct(mark) => {
                text.push(mark.as_char());
                glued = mark.spacing() == Spacing::Joint;
            }
            other => text.push_str(&other.to_string()),
        }
    }
}

/// `"test"`, `"test-utils"`: a feature that brings in what tests are written with.
fn is_for_tests(feature: &str) -> bool {
    let name = feature.trim_matches('"').replace('-', "_");
    matches!(name.as_str(), "test" | "tests" | "testing") || name.starts_with("test_")
}
