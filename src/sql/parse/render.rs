//! Tokens to text that sqlparser takes, whatever the dialect.
//!
//! Placeholders and holes become names, which stand anywhere a value or a table can. Locking clauses become
//! `FOR UPDATE OF mark`, so that sqlparser hangs them on the query they belong to and each mark leads back to the clause.

use crate::lower::tree::Name;
use crate::sql::lex::{self, HOLE, Kind, Token};
use crate::sql::statement::{Limit, Operand, RowLock, Strength, Wait};

const PARAM: &str = "racelint_p";
const NAMED: &str = "racelint_n_";
const GAP: &str = "racelint_hole";
const LOCK: &str = "racelint_l";

/// A statement's tokens after the clauses that sqlparser refuses have been taken out.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    tokens: Vec<Token>,
    /// The locking clauses, by the number in their mark.
    pub locks: Vec<RowLock>,
    /// The ORDER BY and LIMIT of an UPDATE or DELETE.
    pub ordered: bool,
    pub limit: Option<Limit>,
    /// Some clause of the text is not constant.
    pub holes: usize,
}

/// What a name stands for that was written in place of something else.
pub(super) fn unmark(name: &str) -> Option<Operand> {
    if name == GAP {
        return Some(Operand::Unknown);
    }
    if let Some(number) = name.strip_prefix(PARAM)
        && let Ok(number) = number.parse()
    {
        return Some(Operand::Placeholder(number));
    }
    name.strip_prefix(NAMED).map(|name| Operand::Named(name.into()))
}

/// A name with `?` for its parts that are not constant.
pub(super) fn restore(name: &str) -> Name {
    if name.contains(GAP) { name.replace(GAP, "?").into() } else { name.into() }
}

/// The number of the locking clause a mark stands for.
pub(super) fn lock_mark(name: &str) -> Option<usize> {
    name.strip_prefix(LOCK)?.parse().ok()
}

/// Takes out what sqlparser refuses, and settles what each hole stands for.
pub(super) fn prepare(tokens: &[Token]) -> Prepared {
    let mut out = Prepared::default();
    let tokens = out.cut_tail(tokens);
    let mut depth = 0usize;
    // The bracket depth of the SET list that is open.
    let mut setting = None;
    // A SELECT without FROM and WHERE is open.
    let mut bare_select = false;
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        if token.punct("(") {
            depth += 1;
        } else if token.punct(")") {
            depth = depth.saturating_sub(1);
        } else if token.is("set") || (token.is("update") && i > 0 && tokens[i - 1].is("key")) {
            setting = Some(depth);
        } else if token.is_any(&["where", "from", "returning"]) && setting == Some(depth) {
            setting = None;
        }
        if depth == 0 {
            bare_select = (bare_select || token.is("select")) && !token.is_any(&["from", "where", "values"]);
            if bare_select && token.is("on") && tokens.get(i + 1).is_some_and(|t| t.is_any(&["conflict", "duplicate"]))
            {
                // sqlparser takes the ON for an alias.
                out.tokens.extend([word("WHERE"), word("TRUE")]);
            }
        }
        i = if let Some(next) = out.lock(&tokens, i) {
            next
        } else if let Some(next) = out.conflict_target(&tokens, i) {
            next
        } else if let Some(next) = out.dropped(&tokens, i).or_else(|| out.respelled(&tokens, i)) {
            next
        } else if token.kind == Kind::Hole {
            out.hole(&tokens, i, setting == Some(depth))
        } else {
            out.tokens.push(token.clone());
            i + 1
        };
    }
    out
}

impl Prepared {
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The text for a dialect that quotes names with `quote`, and where a backslash in a string escapes.
    pub fn text(&self, quote: char, escapes: bool) -> String {
        let mut text = String::new();
        for (i, token) in self.tokens.iter().enumerate() {
            let glued = i > 0 && self.tokens[i - 1].end == token.start;
            if i > 0 && !(glued && token.kind == Kind::Punct && self.tokens[i - 1].kind != Kind::Punct) {
                text.push(' ');
            }
            match token.kind {
                Kind::Word => text.push_str(&token.text.replace(HOLE, GAP)),
                Kind::Quoted => {
                    let name: String = token.text.replace(HOLE, GAP).chars().filter(|c| *c != quote).collect();
                    text.push(quote);
                    text.push_str(if name.is_empty() { GAP } else { &name });
                    text.push(quote);
                }
                Kind::Str => {
                    text.push('\'');
                    for c in token.text.chars() {
                        if c == '\'' || (c == '\\' && escapes) {
                            text.push(c);
                        }
                        text.push(c);
                    }
                    text.push('\'');
                }
                Kind::Param(number) => text.push_str(&format!("{PARAM}{number}")),
                Kind::Named => {
                    text.push_str(NAMED);
                    text.extend(token.text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }));
                }
                Kind::Hole => text.push_str(GAP),
                Kind::Num | Kind::Punct => text.push_str(&token.text),
            }
        }
        text
    }

    /// Cuts ORDER BY and LIMIT off an UPDATE or DELETE, where MySQL and SQLite have them and sqlparser mostly not.
    fn cut_tail(&mut self, tokens: &[Token]) -> Vec<Token> {
        let mut depth = 0usize;
        let top: Vec<usize> = (0..tokens.len())
            .filter(|&i| {
                depth += usize::from(tokens[i].punct("("));
                depth -= usize::from(tokens[i].punct(")") && depth > 0);
                depth == 0
            })
            .collect();
        let verb = top
            .iter()
            .copied()
            .find(|&i| tokens[i].is_any(&["update", "delete", "insert", "select", "replace", "merge"]));
        let Some(verb) = verb.filter(|&i| tokens[i].is_any(&["update", "delete"])) else { return tokens.to_vec() };
        let opens = |&i: &usize| {
            i > verb
                && (tokens[i].is("limit")
                    || (tokens[i].is("order") && tokens.get(i + 1).is_some_and(|next| next.is("by"))))
        };
        let Some(from) = top.iter().copied().find(opens) else { return tokens.to_vec() };
        let to = top.iter().copied().find(|&i| i > from && tokens[i].is("returning")).unwrap_or(tokens.len());
        self.ordered = tokens[from].is("order");
        if let Some(at) = (from..to).find(|&i| tokens[i].is("limit")) {
            let one = tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Num && t.text == "1");
            self.limit = Some(if one { Limit::One } else { Limit::Many });
        }
        let mut out = tokens[..from].to_vec();
        out.extend_from_slice(&tokens[to..]);
        out
    }

    /// `FOR UPDATE` in all strengths, and `LOCK IN SHARE MODE`.
    fn lock(&mut self, tokens: &[Token], at: usize) -> Option<usize> {
        let follows = |at: usize, words: &[&str]| {
            words.iter().enumerate().all(|(n, word)| tokens.get(at + n).is_some_and(|t| t.is(word)))
        };
        if follows(at, &["lock", "in", "share", "mode"]) {
            let lock = RowLock { strength: Strength::Share, of: Vec::new(), wait: Wait::Block };
            return Some(self.lock_until(lock, at + 4));
        }
        let strengths: [(&[&str], Strength); 4] = [
            (&["for", "update"], Strength::Update),
            (&["for", "no", "key", "update"], Strength::NoKeyUpdate),
            (&["for", "share"], Strength::Share),
            (&["for", "key", "share"], Strength::KeyShare),
        ];
        let (words, strength) = strengths.into_iter().find(|(words, _)| follows(at, words))?;
        let mut i = at + words.len();
        let mut of = Vec::new();
        if follows(i, &["of"]) {
            i += 1;
            while let Some(token) = tokens.get(i).filter(|t| t.is_name()) {
                of.push(Name::from(token.name()));
                i += 1;
                if tokens.get(i).is_some_and(|t| t.punct(".")) {
                    of.pop();
                } else if !tokens.get(i).is_some_and(|t| t.punct(",")) {
                    break;
                }
                i += 1;
            }
        }
        let mut wait = Wait::Block;
        if follows(i, &["nowait"]) {
            (wait, i) = (Wait::NoWait, i + 1);
        } else if follows(i, &["skip", "locked"]) {
            (wait, i) = (Wait::SkipLocked, i + 2);
        } else if follows(i, &["wait"]) {
            i += 2;
        }
        Some(self.lock_until(RowLock { strength, of, wait }, i))
    }

    fn lock_until(&mut self, lock: RowLock, next: usize) -> usize {
        let mark = format!("{LOCK}{}", self.locks.len());
        self.tokens.extend(["FOR", "UPDATE", "OF", &mark].map(word));
        self.locks.push(lock);
        next
    }

    /// `ON CONFLICT (lower(email), (a || b))`: only the columns stay.
    fn conflict_target(&mut self, tokens: &[Token], at: usize) -> Option<usize> {
        let opens = tokens[at].punct("(") && at >= 2 && tokens[at - 1].is("conflict") && tokens[at - 2].is("on");
        if !opens {
            return None;
        }
        let close = lex::after_close(tokens, at);
        let list = tokens.get(at + 1..close.saturating_sub(1)).unwrap_or_default();
        let mut columns = Vec::new();
        for part in lex::parts(list) {
            columns.extend(lex::columns(part));
        }
        self.tokens.push(punct("("));
        for (n, column) in columns.into_iter().enumerate() {
            if n > 0 {
                self.tokens.push(punct(","));
            }
            self.tokens.push(column);
        }
        self.tokens.push(punct(")"));
        Some(close)
    }

    /// Words that change nothing we look at and that sqlparser does not take everywhere.
    fn dropped(&mut self, tokens: &[Token], at: usize) -> Option<usize> {
        let next = |n: usize, word: &str| tokens.get(at + n).is_some_and(|t| t.is(word));
        if tokens[at].is("for") && tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Hole) {
            self.holes += 1;
            return Some(at + 2);
        }
        if next(0, "on") && next(1, "conflict") && tokens.get(at + 2).is_some_and(|t| t.kind == Kind::Hole) {
            self.holes += 1;
            return Some(at + 3);
        }
        if next(0, "top") && at == 1 && tokens[0].is_any(&["update", "delete", "insert"]) {
            let end = if tokens.get(at + 1)?.punct("(") { lex::after_close(tokens, at + 1) } else { at + 2 };
            let one = tokens[at..end.min(tokens.len())].iter().any(|t| t.kind == Kind::Num && t.text == "1");
            self.limit = Some(if one { Limit::One } else { Limit::Many });
            return Some(end);
        }
        if tokens[at].is("only") && at > 0 && tokens[at - 1].is_any(&["from", "update", "join"]) {
            return Some(at + 1);
        }
        if next(0, "as") && next(1, "of") && next(2, "system") && next(3, "time") {
            let end = (at + 4..tokens.len()).find(|&i| {
                tokens[i].is_any(&["where", "order", "limit", "group", "for", "join"]) || tokens[i].punct(")")
            });
            return Some(end.unwrap_or(tokens.len()));
        }
        let materialized = next(0, "materialized") || (next(0, "not") && next(1, "materialized"));
        if materialized && at > 0 && tokens[at - 1].is("as") {
            return Some(at + if next(0, "not") { 2 } else { 1 });
        }
        None
    }

    /// Words that another dialect has another word for.
    fn respelled(&mut self, tokens: &[Token], at: usize) -> Option<usize> {
        let token = &tokens[at];
        let follows_operand = self.tokens.last().is_some_and(Token::ends_operand);
        let words: &[&str] = if at == 0 && token.is_any(&["perform", "do"]) {
            &["SELECT"]
        } else if at == 0 && token.is("table") {
            &["SELECT", "*", "FROM"]
        } else if follows_operand && token.is("isnull") && !tokens.get(at + 1).is_some_and(|t| t.punct("(")) {
            &["IS", "NULL"]
        } else if follows_operand && token.is("notnull") {
            &["IS", "NOT", "NULL"]
        } else if follows_operand && token.is("glob") {
            &["MATCH"]
        } else if token.kind != Kind::Word
            && at > 1
            && tokens[at - 2].is("fetch")
            && tokens[at - 1].is_any(&["first", "next"])
        {
            // sqlparser takes a number only; more than one row is all that is known of another value.
            &[if token.text == "1" { "1" } else { "2" }]
        } else {
            return self.hints(tokens, at);
        };
        self.tokens.extend(words.iter().map(|text| word(text)));
        Some(at + 1)
    }

    /// SQL Server's `MERGE t WITH (HOLDLOCK) AS s`: sqlparser has the hints after the alias.
    fn hints(&mut self, tokens: &[Token], at: usize) -> Option<usize> {
        let hints = tokens[at].is("with") && at > 0 && tokens[at - 1].is_name() && tokens.get(at + 1)?.punct("(");
        let close = if hints { lex::after_close(tokens, at + 1) } else { return None };
        let alias = tokens.get(close).filter(|t| t.is("as")).and(tokens.get(close + 1)).filter(|t| t.is_name())?;
        self.tokens.extend([word("AS"), alias.clone()]);
        self.tokens.extend_from_slice(&tokens[at..close]);
        Some(close + 2)
    }

    /// A hole is a name or a value where one has to come, an assignment in SET, and elsewhere a clause, which goes.
    fn hole(&mut self, tokens: &[Token], at: usize, setting: bool) -> usize {
        let previous = self.tokens.last();
        let before = previous.is_some_and(|t| {
            t.ends_operand()
                || t.is_any(&["nothing"])
                || (t.punct("*")
                    && self.tokens.iter().rev().nth(1).is_some_and(|t| t.is("select") || t.punct(",") || t.punct(".")))
        });
        let next = tokens.get(at + 1);
        if before {
            let operand = next.is_some_and(|t| matches!(t.kind, Kind::Param(_) | Kind::Named | Kind::Num | Kind::Str));
            if operand {
                // Between two values it is an operator, of which nothing is known.
                self.tokens.push(punct("||"));
            } else {
                self.holes += 1;
            }
            return at + 1;
        }
        let assignment = setting && !next.is_some_and(|t| t.punct("=") || t.punct(".") || t.punct("("));
        let opens_set = previous.is_some_and(|t| t.is("set") || t.punct(","));
        if previous.is_none() {
            self.holes += 1;
        } else if previous.is_some_and(|t| t.is("values")) {
            self.tokens.extend([punct("("), word(GAP), punct(")")]);
        } else if assignment && opens_set {
            self.tokens.extend([word(GAP), punct("="), word(GAP)]);
        } else {
            self.tokens.push(word(GAP));
        }
        at + 1
    }
}

fn word(text: &str) -> Token {
    Token { kind: Kind::Word, text: text.to_owned(), start: usize::MAX, end: 0 }
}

fn punct(text: &str) -> Token {
    Token { kind: Kind::Punct, text: text.to_owned(), start: usize::MAX, end: 0 }
}
