//! The `macro_rules!` definitions of a file that other files may call.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use rustc_hash::{FxHashMap, FxHashSet};

use super::nesting::{self, BRACKETS};
use super::tree::Name;
use super::{SIZE, code_start};

/// What one file tells other files of its package about macros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros {
    pub definitions: Vec<MacroDefinition>,
    /// Modules whose macros are in scope outside of them: those declared under `#[macro_use]`.
    pub opened: Vec<Name>,
    /// Modules that stand under a `cfg`, and its condition.
    pub conditional: Vec<(Name, String)>,
}

/// A definition outside of any function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroDefinition {
    pub name: Name,
    /// The rules, as text.
    pub rules: String,
    /// It says itself that others may call it, by `#[macro_export]` or by a `use` of it in its file.
    pub exported: bool,
    /// The condition of the `cfg` that it stands under.
    pub condition: Option<String>,
}

/// Definitions by their name.
pub type ByName = FxHashMap<Name, MacroDefinition>;

/// The macros of other files that one file may call.
#[derive(Clone, Debug, Default)]
pub struct Callable<'m> {
    /// Of its own package.
    pub own: Option<&'m ByName>,
    /// Of other packages, by the name that the file calls the package by.
    pub others: Vec<(Name, &'m ByName)>,
    /// The features that are on where nobody asks for others.
    pub features: &'m [Name],
}

impl<'m> Callable<'m> {
    /// Those that a file of this text can come to call: the names before `!` and before `as`, and what their own rules
    /// call in turn. With the package of each; none for the file's own.
    pub(super) fn by(&self, text: &'m str) -> Vec<(Option<&Name>, &'m MacroDefinition)> {
        let mut found = Vec::new();
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        let mut todo = vec![text];
        while let Some(text) = todo.pop() {
            for name in called(text) {
                if !seen.insert(name) {
                    continue;
                }
                let own = self.own.and_then(|own| own.get(name)).map(|definition| (None, definition));
                let others = self.others.iter().filter_map(|(krate, of)| Some((Some(krate), of.get(name)?)));
                for (krate, definition) in own.into_iter().chain(others) {
                    todo.push(&definition.rules);
                    found.push((krate, definition));
                }
            }
        }
        found
    }
}

/// The words before `!` and before `as`.
fn called(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.match_indices('!').chain(text.match_indices(" as ")).map(|(at, _)| at);
    let word = |end: usize| {
        let before = text[..end].trim_end();
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        &before[start..]
    };
    ends.map(word).filter(|word| !word.is_empty())
}

/// The definitions in a file's text; none when it is not Rust or beyond the limits of [`super::lower`].
///
/// Call it on a thread that has [`super::STACK`], and not while that thread is inside [`super::lower`].
pub fn macros_of(text: &str) -> Macros {
    match text.contains("macro_rules!") || text.contains("macro_use") {
        true => declared_in(text),
        false => Macros::default(),
    }
}

/// The same, and which modules a file declares under which condition, also where it says nothing of macros.
pub fn declared_in(text: &str) -> Macros {
    let mut found = Macros::default();
    if text.len() > SIZE {
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
                    self.conditional.extend(condition(&attributes).map(|cfg| (Name::from(name.to_string()), cfg)));
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
                    self.define(&name.to_string(), rules, &attributes, code);
                    attributes.clear();
                    rest = after;
                }
                (TokenTree::Punct(mark), _) if mark.as_char() == ';' => attributes.clear(),
                (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => attributes.clear(),
                _ => {}
            }
        }
    }

    fn define(&mut self, name: &str, rules: &Group, attributes: &[Group], code: &str) {
        let within = rules.span_open().byte_range().end..rules.span_close().byte_range().start;
        let Some(text) = code.get(within) else { return };
        let exported = has(attributes, "macro_export")
            || [";", " as", ","].iter().any(|end| code.contains(&format!("use {name}{end}")));
        let (name, rules) = (Name::new(name), text.to_owned());
        self.definitions.push(MacroDefinition { name, rules, exported, condition: condition(attributes) });
    }
}

fn has(attributes: &[Group], name: &str) -> bool {
    attributes.iter().any(
        |attribute| matches!(attribute.stream().into_iter().next(), Some(TokenTree::Ident(first)) if first == name),
    )
}

/// What stands in the brackets of the first `cfg`.
fn condition(attributes: &[Group]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let mut tokens = attribute.stream().into_iter();
        match (tokens.next(), tokens.next()) {
            (Some(TokenTree::Ident(word)), Some(TokenTree::Group(inside))) if word == "cfg" => {
                Some(inside.stream().to_string())
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::called;

    #[test]
    fn the_words_before_a_mark_may_be_called() {
        let text = "use a::finder as f; !x; caf\u{e9}!{} rows ! [] a != b";
        let found: Vec<&str> = called(text).collect();
        assert_eq!(found, ["caf\u{e9}", "rows", "a", "finder"]);
    }
}
