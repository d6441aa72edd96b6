//! Attributes as text, and which of them mean a test.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

use super::path_names;
use super::tree::Attr;

/// All attributes but doc comments.
pub fn attrs(attributes: &[Attribute]) -> Vec<Attr> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| !attribute.path().is_ident("doc")) {
        match conditional(attribute) {
            Some(held) => all.extend(held.iter().map(attr)),
            None => all.push(attr(&attribute.meta)),
        }
    }
    all
}

/// What `#[cfg_attr(condition, …)]` holds: which features are on is not known, so that all may be.
fn conditional(attribute: &Attribute) -> Option<Vec<Meta>> {
    let Meta::List(list) = &attribute.meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let metas = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    let mut metas = metas.into_iter();
    let condition = metas.next()?;
    let held = if names_test(condition.to_token_stream(), 0) { Vec::new() } else { metas.collect() };
    Some(held)
}

/// Whether code under these attributes is built for tests only.
pub fn are_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => names_test(list.tokens.clone(), 0),
        meta => meta.path().segments.last().is_some_and(|last| TESTS.iter().any(|test| last.ident == test)),
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

fn attr(meta: &Meta) -> Attr {
    let tokens = match meta {
        Meta::Path(_) => String::new(),
        Meta::List(list) => spaced(list.tokens.clone()),
        Meta::NameValue(pair) => spaced(pair.value.to_token_stream()),
    };
    Attr { path: path_names(meta.path()), tokens }
}

/// Whether a condition holds only if `test` does: `test`, and `any` and `all` with it, but not below a `not`.
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
