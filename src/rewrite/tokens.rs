//! The program's own SQL text, changed in one place.

use super::sql::{Sql, Value};
use super::words::Words;
use crate::dialect::Dialect;
use crate::event::Access;
use crate::lower::tree::Name;
use crate::sql::lex::{self, Kind, Token};
use crate::sql::parse;
use crate::sql::statement::Operand;

/// A statement's text with its tokens.
pub struct Text<'a> {
    text: &'a str,
    pub tokens: Vec<Token>,
}

impl<'a> Text<'a> {
    /// None when the text is not there, was cut off, has holes, or holds more than this statement.
    pub fn of(access: &'a Access, dialect: Dialect) -> Option<Self> {
        let text = access.text.trim().trim_end_matches(';').trim_end();
        let parsed = parse::parse(text, dialect);
        let [statement] = parsed.statements.as_slice() else { return None };
        if *statement != *access.statement || !parsed.unknown.is_empty() {
            return None;
        }
        let tokens = lex::lex(text, dialect).tokens;
        (!tokens.is_empty() && tokens.iter().all(|token| token.kind != Kind::Hole)).then_some(Self { text, tokens })
    }

    /// How deep in brackets a token stands.
    fn depth(&self, at: usize) -> i32 {
        self.tokens[..at]
            .iter()
            .map(|token| {
                if token.punct("(") {
                    1
                } else if token.punct(")") {
                    -1
                } else {
                    0
                }
            })
            .sum()
    }

    /// The first token outside of brackets that `wanted` takes.
    pub fn outside(&self, wanted: impl Fn(&Token) -> bool) -> Option<usize> {
        (0..self.tokens.len()).find(|at| wanted(&self.tokens[*at]) && self.depth(*at) == 0)
    }

    /// Where a locking clause at the end begins, or the end.
    pub fn before_lock(&self) -> usize {
        let follows = |at: usize, words: &[&str]| self.tokens.get(at + 1).is_some_and(|next| next.is_any(words));
        (0..self.tokens.len())
            .find(|at| {
                let token = &self.tokens[*at];
                let lock = token.is("for") && follows(*at, &["update", "share", "no", "key"])
                    || token.is("lock") && follows(*at, &["in"]);
                lock && self.depth(*at) == 0
            })
            .unwrap_or(self.tokens.len())
    }

    /// The text from one token up to another.
    pub fn slice(&self, from: usize, to: usize) -> &'a str {
        let (Some(first), Some(last)) = (self.tokens.get(from), to.checked_sub(1).and_then(|to| self.tokens.get(to)))
        else {
            return "";
        };
        self.text.get(first.start..last.end).unwrap_or("")
    }

    /// The same with its values as values, so that they can be numbered anew.
    pub fn sql(&self, from: usize, to: usize, words: &Words<'_, '_>) -> Option<Sql> {
        let mut all = Sql::default();
        let mut at = self.tokens.get(from)?.start;
        for token in self.tokens.get(from..to)? {
            all.push(self.text.get(at..token.start)?);
            match token.kind {
                Kind::Param(number) => {
                    let operand = Operand::Placeholder(number);
                    let term = words.access.bound(&operand);
                    all.append(Sql::value(Value { term, bound: None, named: None, called: None }));
                }
                Kind::Named => {
                    let name = Name::new(token.text.trim_start_matches([':', '@', '$']));
                    all.append(words.operand(&Operand::Named(name), None)?);
                }
                _ => drop(all.push(self.text.get(token.start..token.end)?)),
            }
            at = token.end;
        }
        Some(all)
    }

    /// The same with its values at the places that they have now.
    pub fn as_it_is(&self, from: usize, to: usize) -> Option<Sql> {
        let mut all = Sql::default();
        let mut at = self.tokens.get(from)?.start;
        for token in self.tokens.get(from..to)? {
            all.push(self.text.get(at..token.start)?);
            match token.kind {
                Kind::Param(number) => drop(all.append(Sql::kept(number))),
                _ => drop(all.push(self.text.get(token.start..token.end)?)),
            }
            at = token.end;
        }
        Some(all)
    }

    /// The text with `clause` before the bracket that closes the first sub-query that holds no other.
    pub fn in_first_subquery(&self, clause: &str) -> Option<String> {
        let opens =
            |at: usize| self.tokens[at].punct("(") && self.tokens.get(at + 1).is_some_and(|token| token.is("select"));
        let close = |open: usize| {
            let inside = self.depth(open) + 1;
            (open + 1..self.tokens.len()).find(|at| self.tokens[*at].punct(")") && self.depth(*at) == inside)
        };
        let innermost = |open: &usize| close(*open).is_some_and(|close| !(open + 1..close).any(opens));
        let open = (0..self.tokens.len()).filter(|at| opens(*at)).find(innermost)?;
        let at = self.tokens[close(open)?].start;
        Some(format!("{} {clause}{}", self.text.get(..at)?.trim_end(), self.text.get(at..)?))
    }

    pub fn has(&self, words: &[&str]) -> bool {
        self.outside(|token| token.is_any(words)).is_some()
    }
}
