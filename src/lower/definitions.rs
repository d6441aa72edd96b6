//! The `macro_rules!` definitions of a file that other files may call.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::nesting::{self, BRACKETS};
use super::tree::Name;
use super::{SIZE, code_start};

/// What one file tells other files of its package about macros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros {
    pub definitions: Vec<MacroDefinition>,
    /// Modules whose macros are in scope outside of them: those declared under `#[macro_use]`.
    pub opened: Vec<Name>,
}

/// A definition outside of any function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroDefinition {
    pub name: Name,
    /// The rules, as text.
    pub rules: String,
    /// It says itself that others may call it, by `#[macro_export]` or by a `use` of it in its file.
    pub exported: bool,
}

/// The macros of other files that one file may call.
#[derive(Clone, Debug, Default)]
pub struct Callable<'m> {
    /// Of its own package.
    pub own: &'m [MacroDefinition],
    /// Of other packages, by the name that the file calls the package by.
    pub others: Vec<(Name, &'m [MacroDefinition])>,
}

/// The definitions in a file's text; none when it is not Rust or beyond the limits of [`super::lower`].
///
/// Call it on a thread that has [`super::STACK`], and not while that thread is inside [`super::lower`].
pub fn macros_of(text: &str) -> Macros {
    let mut found = Macros::default();
    if text.len() > SIZE || !(text.contains("macro_rules!") || text.contains("macro_use")) {
        return found;
    }
    let code = text.get(code_start(text)..).unwrap_or("");
    if let Ok(tokens) = TokenStream::from_str(code)
        && nesting::check(&tokens).is_ok()
    {
        found.read(tokens, code, 0);
    }
    proc_macro2::extra::invalidate_current_thread_spans();
    found
}

impl Macros {
    /// Reads the items of one module.
    fn read(&mut self, tokens: TokenStream, code: &str, depth: u32) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut attributes: Vec<Group> = Vec::new();
        let mut rest = tokens.as_slice();
        while let [first, after @ ..] = rest {
            rest = after;
            match (first, after) {
                (TokenTree::Punct(mark), [TokenTree::Group(attribute), after @ ..]) if mark.as_char() == '#' => {
                    attributes.push(attribute.clone());
                    rest = after;
                }
                (TokenTree::Ident(word), [TokenTree::Ident(name), after @ ..]) if word == "mod" => {
                    if has(&attributes, "macro_use") {
                        self.opened.push(Name::from(name.to_string()));
                    }
                    if let [TokenTree::Group(inner), ..] = after
                        && depth < BRACKETS
                    {
                        self.read(inner.stream(), code, depth + 1);
                    }
                }
                (
                    TokenTree::Ident(word),
                    [TokenTree::Punct(_), TokenTree::Ident(name), TokenTree::Group(rules), after @ ..],
                ) if word == "macro_rules" => {
                    self.define(&name.to_string(), rules, has(&attributes, "macro_export"), code);
                    attributes.clear();
                    rest = after;
                }
                (TokenTree::Punct(mark), _) if mark.as_char() == ';' => attributes.clear(),
                (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => attributes.clear(),
                _ => {}
            }
        }
    }

    fn define(&mut self, name: &str, rules: &Group, marked: bool, code: &str) {
        let within = rules.span_open().byte_range().end..rules.span_close().byte_range().start;
        let Some(text) = code.get(within) else { return };
        let exported = marked || [";", " as", ","].iter().any(|end| code.contains(&format!("use {name}{end}")));
        self.definitions.push(MacroDefinition { name: Name::new(name), rules: text.to_owned(), exported });
    }
}

fn has(attributes: &[Group], name: &str) -> bool {
    attributes.iter().any(
        |attribute| matches!(attribute.stream().into_iter().next(), Some(TokenTree::Ident(first)) if first == name),
    )
}
