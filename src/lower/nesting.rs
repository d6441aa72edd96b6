//! How deep a tree the tokens will make, measured before syn builds it.
//!
//! syn descends once for each bracket and once for each operator, prefix, closure or generic in a row, and dropping the
//! tree descends once more for each call of a method chain. A stack that overflows ends the process, whatever is caught,
//! so tokens beyond the limits are refused. The lexer of proc-macro2 keeps its own stack and takes any depth; the walk
//! here does too.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree, token_stream};
use smol_str::ToSmolStr;

/// How many brackets may stand inside each other.
pub const BRACKETS: u32 = 128;

/// How many links may follow each other, those of the brackets inside included, between two separators.
///
/// A link is an operator, a prefix, a `.`, a `?`, a bracket, or a keyword that begins an expression (`if`, `return`).
pub const LINKS: u32 = 1_000;

/// How many bytes a number may take: syn's time to read its digits grows with their square.
pub const DIGITS: usize = 4_000;

/// Which limit was passed, and where.
#[derive(Debug)]
pub struct TooDeep {
    pub what: &'static str,
    pub at: Span,
}

/// Holds tokens that are about to be parsed against [`BRACKETS`] and [`LINKS`].
///
/// Macro bodies are opaque to the parser, so in them only brackets are counted; whoever parses a body asks again.
pub fn check(tokens: &TokenStream) -> Result<(), TooDeep> {
    let mut open = vec![Level::new(tokens.clone(), Span::call_site(), false)];
    while let Some(level) = open.last_mut() {
        let (at, inner) = match level.tokens.next() {
            Some(token) if !level.opaque && is_endless_number(&token) => {
                return Err(TooDeep { what: "a number of more than 4,000 digits", at: token.span() });
            }
            Some(token) => (token.span(), level.take(token)),
            None => {
                level.end_segment();
                let (at, depth) = (level.at, level.deepest + 1);
                open.pop();
                let Some(outer) = open.last_mut().filter(|outer| !outer.opaque) else { continue };
                outer.inside = outer.inside.max(depth);
                (at, None)
            }
        };
        if open.last().is_some_and(|level| level.links + level.inside > LINKS) {
            return Err(TooDeep { what: "more than 1,000 operators or calls in a row", at });
        }
        open.extend(inner);
        if open.len() > BRACKETS as usize + 1 {
            return Err(TooDeep { what: "more than 128 brackets inside each other", at });
        }
    }
    Ok(())
}

fn is_endless_number(token: &TokenTree) -> bool {
    let TokenTree::Literal(literal) = token else { return false };
    let (from, to) = (literal.span().start(), literal.span().end());
    let length = to.column.saturating_sub(from.column);
    from.line == to.line && length > DIGITS && literal.to_string().starts_with(|first: char| first.is_ascii_digit())
}

/// One bracket's tokens, and what was counted of the segment that is being read.
struct Level {
    tokens: token_stream::IntoIter,
    at: Span,
    opaque: bool,
    before: Before,
    /// The deepest segment that has ended.
    deepest: u32,
    /// Links of the current segment.
    links: u32,
    /// The deepest bracket inside the current segment.
    inside: u32,
    /// `<` that may still be open: a comma in generics ends no segment.
    angles: u32,
    /// Between the two `|` of a closure's parameters, where a comma ends no segment either.
    params: bool,
    /// Links before the latest `if`: an `else` hangs there and not at the end of the first branch.
    before_if: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Before {
    Start,
    /// A name, a literal, or a bracket that closed.
    Operand,
    Keyword,
    Else,
    Brace,
    Hash,
    HashBang,
    /// A name and `!`, and perhaps another name: what opens next is a macro's body.
    Bang,
    Quote,
    /// A punctuation mark, and whether the next one may make one operator with it.
    Mark(char, bool),
}

impl Level {
    fn new(tokens: TokenStream, at: Span, opaque: bool) -> Self {
        Self {
            tokens: tokens.into_iter(),
            at,
            opaque,
            before: Before::Start,
            deepest: 0,
            links: 0,
            inside: 0,
            angles: 0,
            params: false,
            before_if: 0,
        }
    }

    fn end_segment(&mut self) {
        self.deepest = self.deepest.max(self.links + self.inside);
        self.links = 0;
        self.inside = 0;
        self.angles = 0;
        self.params = false;
        self.before_if = 0;
    }

    /// Counts a token; a bracket comes back as the level to read next.
    fn take(&mut self, token: TokenTree) -> Option<Level> {
        if self.opaque {
            let TokenTree::Group(group) = token else { return None };
            return Some(Level::new(group.stream(), group.span(), true));
        }
        if self.before == Before::Brace && begins_anew(&token) {
            self.end_segment();
        }
        match token {
            TokenTree::Group(group) => return Some(self.take_bracket(&group)),
            TokenTree::Literal(_) => self.before = Before::Operand,
            TokenTree::Ident(name) => self.take_name(&name.to_smolstr()),
            TokenTree::Punct(mark) => self.take_mark(mark.as_char(), mark.spacing() == Spacing::Joint),
        }
        None
    }

    fn take_bracket(&mut self, group: &Group) -> Level {
        let delimiter = group.delimiter();
        let attribute = matches!(self.before, Before::Hash | Before::HashBang) && delimiter == Delimiter::Bracket;
        let body = self.before == Before::Bang;
        // Doc comments are attributes by now: a hundred lines of them are no chain.
        if !attribute {
            self.links += 1;
        }
        self.before = match delimiter {
            _ if attribute => Before::Start,
            Delimiter::Brace => Before::Brace,
            _ => Before::Operand,
        };
        Level::new(group.stream(), group.span(), body)
    }

    fn take_name(&mut self, name: &str) {
        let after_else = self.before == Before::Else;
        self.before = match name {
            _ if self.before == Before::Quote => Before::Start,
            _ if self.before == Before::Bang => Before::Bang,
            "else" => {
                self.deepest = self.deepest.max(self.links + self.inside);
                self.before_if += 1;
                self.links = self.before_if;
                Before::Else
            }
            "if" if after_else => Before::Keyword,
            "if" => {
                self.before_if = self.links;
                self.links += 1;
                Before::Keyword
            }
            "match" | "while" | "for" | "in" | "return" | "break" | "yield" | "let" | "as" | "dyn" | "impl" | "fn"
            | "box" | "loop" | "move" | "async" | "unsafe" | "const" | "static" | "mut" | "ref" | "where" => {
                self.links += 1;
                Before::Keyword
            }
            _ => Before::Operand,
        };
    }

    fn take_mark(&mut self, mark: char, joint: bool) {
        let glued_to = match self.before {
            Before::Mark(previous, true) => Some(previous),
            _ => None,
        };
        let operand = matches!(self.before, Before::Operand | Before::Brace);
        let second = match glued_to {
            Some(previous) => {
                matches!((previous, mark), (':', ':') | ('.', '.') | ('|', '|') | ('-' | '=', '>') | (_, '='))
            }
            None => false,
        };
        self.before = match (mark, self.before) {
            ('#', _) => Before::Hash,
            ('!', Before::Hash) => Before::HashBang,
            ('!', Before::Operand) if !joint => Before::Bang,
            ('\'', _) => Before::Quote,
            ('|', _) if self.params => Before::Mark(mark, false),
            _ => Before::Mark(mark, joint && !second),
        };
        match mark {
            ';' => self.end_segment(),
            ',' if self.params => {}
            ',' => self.take_comma(),
            // `=>` parts a pattern from a body that does not stand in it.
            '>' if glued_to == Some('=') => {
                self.end_segment();
                self.links = 1;
            }
            '>' if self.angles > 0 && !second => self.angles -= 1,
            '<' => {
                self.angles += 1;
                self.links += 1;
            }
            '=' if glued_to == Some('<') => self.angles = self.angles.saturating_sub(1),
            '|' if self.params => self.params = false,
            _ if second || self.before == Before::HashBang => {}
            '|' => {
                self.links += 1;
                self.params = !operand;
            }
            '#' | '\'' | '$' => {}
            _ => self.links += 1,
        }
    }

    fn take_comma(&mut self) {
        let (angles, inside) = (self.angles, self.inside);
        self.end_segment();
        if angles > 0 {
            self.links = angles;
            self.inside = inside;
            self.angles = angles;
        }
    }
}

/// Whether a token after `}` belongs to the next statement, arm or item rather than to the same expression.
fn begins_anew(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(name) => name != "else" && name != "as",
        TokenTree::Literal(_) => true,
        TokenTree::Punct(mark) => matches!(mark.as_char(), '#' | '\''),
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
    }
}
