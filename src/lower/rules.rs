//! The rules of a `macro_rules!` definition: what a call must look like, and what stands in its place.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree, token_stream};

use super::nesting::BRACKETS;
use super::tree::Name;

pub struct Rule {
    pub pattern: Vec<Matcher>,
    pub template: Vec<Piece>,
}

pub enum Matcher {
    /// A token that must stand there.
    Token(TokenTree),
    Bracket(Delimiter, Vec<Matcher>),
    /// `$name:kind`.
    Fragment(Name, String),
    Repeat(Repeat<Matcher>),
}

pub enum Piece {
    Token(TokenTree),
    Bracket(Delimiter, Span, Vec<Piece>),
    /// `$name`.
    Variable(Name),
    Repeat(Repeat<Piece>),
}

/// `$( … ) separator *`.
pub struct Repeat<T> {
    pub inner: Vec<T>,
    pub separator: Option<TokenTree>,
    /// `?` takes at most one.
    pub at_most_one: bool,
    pub at_least_one: bool,
}

/// The rules of a definition's body; none when it uses what is not known here.
pub fn rules(body: TokenStream) -> Option<Vec<Rule>> {
    let mut tokens = body.into_iter().peekable();
    let mut rules = Vec::new();
    while let Some(token) = tokens.next() {
        let TokenTree::Group(pattern) = token else { return None };
        take_mark(&mut tokens, '=')?;
        take_mark(&mut tokens, '>')?;
        let TokenTree::Group(template) = tokens.next()? else { return None };
        rules.push(Rule { pattern: matchers(pattern.stream(), 0)?, template: pieces(template.stream(), 0)? });
        if is_mark(tokens.peek(), ';') {
            tokens.next();
        }
    }
    Some(rules)
}

/// The names that matchers bind, those inside repetitions included.
pub fn bound_names(matchers: &[Matcher], names: &mut Vec<Name>) {
    for matcher in matchers {
        match matcher {
            Matcher::Token(_) => {}
            Matcher::Fragment(name, _) => names.push(name.clone()),
            Matcher::Bracket(_, inner) => bound_names(inner, names),
            Matcher::Repeat(repeat) => bound_names(&repeat.inner, names),
        }
    }
}

type Tokens = Peekable<token_stream::IntoIter>;

fn matchers(tokens: TokenStream, depth: u32) -> Option<Vec<Matcher>> {
    let mut tokens = tokens.into_iter().peekable();
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        found.push(match token {
            TokenTree::Group(group) if depth < BRACKETS => {
                Matcher::Bracket(group.delimiter(), matchers(group.stream(), depth + 1)?)
            }
            TokenTree::Group(_) => return None,
            TokenTree::Punct(mark) if mark.as_char() == '$' => match tokens.next()? {
                TokenTree::Group(group) if depth < BRACKETS => {
                    let inner = matchers(group.stream(), depth + 1)?;
                    Matcher::Repeat(repeat(inner, &mut tokens)?)
                }
                TokenTree::Ident(name) => {
                    take_mark(&mut tokens, ':')?;
                    let TokenTree::Ident(kind) = tokens.next()? else { return None };
                    Matcher::Fragment(Name::from(name.to_string()), kind.to_string())
                }
                _ => return None,
            },
            token => Matcher::Token(token),
        });
    }
    Some(found)
}

fn pieces(tokens: TokenStream, depth: u32) -> Option<Vec<Piece>> {
    let mut tokens = tokens.into_iter().peekable();
    let mut found = Vec::new();
    while let Some(token) = tokens.next() {
        found.push(match token {
            TokenTree::Group(group) if depth < BRACKETS => {
                Piece::Bracket(group.delimiter(), group.span(), pieces(group.stream(), depth + 1)?)
            }
            TokenTree::Group(_) => return None,
            TokenTree::Punct(mark) if mark.as_char() == '$' => match tokens.next()? {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && depth < BRACKETS => {
                    let inner = pieces(group.stream(), depth + 1)?;
                    Piece::Repeat(repeat(inner, &mut tokens)?)
                }
                TokenTree::Ident(name) if name == "crate" => {
                    Piece::Token(TokenTree::Ident(Ident::new("crate", name.span())))
                }
                TokenTree::Ident(name) => Piece::Variable(Name::from(name.to_string())),
                _ => return None,
            },
            token => Piece::Token(token),
        });
    }
    Some(found)
}

/// What follows the brackets of a repetition: an operator, or a separator and an operator.
fn repeat<T>(inner: Vec<T>, tokens: &mut Tokens) -> Option<Repeat<T>> {
    let first = tokens.next()?;
    let (separator, operator) = match operator(&first) {
        Some(operator) => (None, operator),
        None => (Some(first), operator(&tokens.next()?)?),
    };
    Some(Repeat { inner, separator, at_most_one: operator == '?', at_least_one: operator == '+' })
}

fn operator(token: &TokenTree) -> Option<char> {
    let TokenTree::Punct(mark) = token else { return None };
    matches!(mark.as_char(), '*' | '+' | '?').then(|| mark.as_char())
}

fn take_mark(tokens: &mut Tokens, expected: char) -> Option<()> {
    is_mark(tokens.next().as_ref(), expected).then_some(())
}

fn is_mark(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == expected)
}
