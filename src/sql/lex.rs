//! SQL text to tokens, the way the engines cut it: strings, quoted names, comments, dollar quotes, placeholders, holes.
//!
//! Everything that looks at SQL before or instead of sqlparser looks at these tokens, so that a keyword inside a string
//! or a comment is never taken for a clause. The reader is a loop over bytes without recursion.

use crate::dialect::Dialect;

/// The character that stands for a piece of text that is not constant.
pub(crate) const HOLE: char = '\u{FFFC}';

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub kind: Kind,
    /// Names and strings without their quotes, operators and numbers as written.
    pub text: String,
    /// Where it begins and ends in the text, in bytes.
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Quoted,
    Str,
    Num,
    /// The n-th bound value, from 0.
    Param(usize),
    /// `:name`, `@name`, `$name`.
    Named,
    Hole,
    Punct,
}

/// The tokens of a text, and what was wrong with it: an unterminated string or comment reaches to the end.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    pub tokens: Vec<Token>,
    pub unterminated: Option<&'static str>,
}

impl Token {
    /// Whether it is this keyword, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub fn punct(&self, text: &str) -> bool {
        self.kind == Kind::Punct && self.text == text
    }

    /// Whether it can be a name.
    pub fn is_name(&self) -> bool {
        match self.kind {
            Kind::Word => !is_reserved(&self.text),
            Kind::Quoted | Kind::Hole => true,
            _ => false,
        }
    }

    /// The name it is: lower case unless quoted, `?` for what is not constant.
    pub fn name(&self) -> String {
        match self.kind {
            Kind::Hole => "?".to_owned(),
            Kind::Word => self.text.to_lowercase().replace(HOLE, "?"),
            _ => self.text.replace(HOLE, "?"),
        }
    }

    /// Whether a value or a name can end here, so that an operator or a clause comes next.
    pub fn ends_operand(&self) -> bool {
        match self.kind {
            Kind::Word => !is_reserved(&self.text),
            Kind::Punct => matches!(self.text.as_str(), ")" | "]"),
            _ => true,
        }
    }
}

/// Words after which a value or a name has to come, so that they are never an operand themselves.
const RESERVED: [&str; 76] = [
    "all",
    "and",
    "any",
    "as",
    "between",
    "by",
    "case",
    "check",
    "collate",
    "conflict",
    "constraint",
    "create",
    "cross",
    "delete",
    "distinct",
    "do",
    "drop",
    "duplicate",
    "else",
    "escape",
    "except",
    "exists",
    "fetch",
    "for",
    "foreign",
    "from",
    "full",
    "group",
    "having",
    "ilike",
    "in",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "merge",
    "natural",
    "not",
    "of",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "primary",
    "references",
    "regexp",
    "replace",
    "returning",
    "right",
    "rlike",
    "savepoint",
    "select",
    "set",
    "similar",
    "some",
    "table",
    "then",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "when",
    "where",
    "with",
];

/// Whether a word is reserved in every dialect racelint reads.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// Cuts a text into tokens. Never fails; white space and comments are gone.
pub(crate) fn lex(text: &str, dialect: Dialect) -> Lexed {
    let mut lexer = Lexer { text, at: 0, dialect, out: Lexed::default(), params: 0 };
    while lexer.step() {}
    lexer.out
}

/// Splits tokens into statements at the semicolons, which are dropped; the body of a trigger stays in one piece.
pub(crate) fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut blocks = 0usize;
    for (i, token) in tokens.iter().enumerate() {
        let routine = || {
            let head = &tokens[from..tokens.len().min(from + 8)];
            head[0].is("create") && head.iter().any(|t| t.is_any(&["trigger", "procedure", "function"]))
        };
        if token.is_any(&["begin", "case"]) && i > from && (blocks > 0 || routine()) {
            blocks += 1;
        } else if token.is("end") {
            blocks = blocks.saturating_sub(1);
        } else if token.punct(";") && blocks == 0 {
            if i > from {
                out.push(&tokens[from..i]);
            }
            from = i + 1;
        }
    }
    if from < tokens.len() {
        out.push(&tokens[from..]);
    }
    out
}

/// The index after the bracket that closes the one at `open`; the end when none does.
pub(crate) fn after_close(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        if token.punct("(") {
            depth += 1;
        } else if token.punct(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return i + 1;
            }
        }
    }
    tokens.len()
}

/// The parts of a list between the commas that stand outside of brackets.
pub(crate) fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let mut out = Vec::new();
    let (mut depth, mut from) = (0usize, 0);
    for (i, token) in tokens.iter().enumerate() {
        if token.punct("(") {
            depth += 1;
        } else if token.punct(")") {
            depth = depth.saturating_sub(1);
        } else if token.punct(",") && depth == 0 {
            out.push(&tokens[from..i]);
            from = i + 1;
        }
    }
    if from < tokens.len() {
        out.push(&tokens[from..]);
    }
    out
}

/// The column names in one part of an index or of a conflict target: `email`, `lower(email)`, `name COLLATE "C" DESC`.
pub(crate) fn columns(part: &[Token]) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut depth = 0usize;
    for (i, token) in part.iter().enumerate() {
        if token.punct("(") {
            depth += 1;
        } else if token.punct(")") {
            depth = depth.saturating_sub(1);
        }
        let before = i.checked_sub(1).map(|i| &part[i]);
        let typed = before.is_some_and(|t| t.punct("::") || t.is_any(&["collate", "as"]));
        let called = part.get(i + 1).is_some_and(|t| t.punct("("));
        let column = token.is_name() && !token.is_any(&["null", "true", "false", "end", "asc", "desc", "nulls"]);
        // Outside of brackets only the first word is a column; an operator class, an order may follow.
        if column && !typed && !called && (depth > 0 || i == 0) && out.iter().all(|t| t.name() != token.name()) {
            out.push(token.clone());
        }
    }
    // `name(10)`: MySQL's prefix length.
    if out.is_empty() && part.len() == 4 && part[0].is_name() && part[2].kind == Kind::Num {
        out.push(part[0].clone());
    }
    out
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    out: Lexed,
    params: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return false };
        if c.is_whitespace() {
            self.at += c.len_utf8();
            return true;
        }
        if rest.starts_with("--") || (c == '#' && self.dialect == Dialect::MySql) {
            self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
            return true;
        }
        if rest.starts_with("/*") {
            self.comment();
            return true;
        }
        match c {
            '\'' => self.string(0, self.dialect == Dialect::MySql),
            '"' => self.quoted('"'),
            '`' => self.quoted('`'),
            '[' if self.opens_name() => self.quoted(']'),
            '$' => self.dollar(),
            '?' => self.question(),
            ':' | '@' => self.named(c),
            '{' => self.template(),
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) && !self.after_name() => self.number(),
            HOLE => self.word(),
            c if c == '_' || c.is_alphabetic() || (c == '#' && self.dialect == Dialect::MsSql) => self.word(),
            _ => self.punct(),
        }
        true
    }

    fn push(&mut self, kind: Kind, text: impl Into<String>, end: usize) {
        self.out.tokens.push(Token { kind, text: text.into(), start: self.at, end });
        self.at = end;
    }

    fn after_operand(&self) -> bool {
        self.out.tokens.last().is_some_and(Token::ends_operand)
    }

    fn after_name(&self) -> bool {
        self.out.tokens.last().is_some_and(|t| t.end == self.at && matches!(t.kind, Kind::Word | Kind::Quoted))
    }

    /// PostgreSQL subscripts an operand with `[`; elsewhere it quotes a name.
    fn opens_name(&self) -> bool {
        matches!(self.dialect, Dialect::MsSql | Dialect::Sqlite)
            || (self.dialect == Dialect::MySql && !self.after_operand())
    }

    /// PostgreSQL's block comments nest.
    fn comment(&mut self) {
        let bytes = self.text.as_bytes();
        let nests = self.dialect.is_postgres_like();
        let (mut i, mut depth) = (self.at + 2, 1usize);
        while depth > 0 {
            match bytes.get(i..i + 2) {
                Some(b"*/") => (i, depth) = (i + 2, depth - 1),
                Some(b"/*") if nests => (i, depth) = (i + 2, depth + 1),
                Some(_) => i += 1,
                None => {
                    self.out.unterminated = Some("a comment is not closed");
                    i = bytes.len();
                    break;
                }
            }
        }
        self.at = i;
    }

    /// A string that opens `prefix` bytes ahead: `E'…'`, `N'…'`, `X'…'`.
    fn string(&mut self, prefix: usize, backslash: bool) {
        let (text, end) = self.quoted_text(self.at + prefix, '\'', backslash);
        self.push(Kind::Str, text, end);
    }

    fn quoted(&mut self, close: char) {
        let string = close == '"' && self.dialect == Dialect::MySql;
        let (text, end) = self.quoted_text(self.at, close, string);
        // MySQL takes "…" for a string, except where an alias has to be.
        let alias = self.out.tokens.last().is_some_and(|t| t.is("as"));
        self.push(if string && !alias { Kind::Str } else { Kind::Quoted }, text, end);
    }

    fn quoted_text(&mut self, open: usize, close: char, backslash: bool) -> (String, usize) {
        let mut text = String::new();
        let mut chars = self.text.get(open + 1..).unwrap_or_default().char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            if c == close {
                if chars.peek().is_some_and(|(_, next)| *next == close) {
                    chars.next();
                    text.push(close);
                    continue;
                }
                return (text, open + 1 + i + c.len_utf8());
            }
            if c == '\\' && backslash {
                text.extend(chars.next().map(|(_, escaped)| escaped));
                continue;
            }
            text.push(c);
        }
        self.out.unterminated = Some("a string or a quoted name is not closed");
        (text, self.text.len())
    }

    /// `$1`, `$name`, or a string between `$tag$` and `$tag$`.
    fn dollar(&mut self) {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let index: usize = rest[..digits].parse().unwrap_or(usize::MAX);
            return self.push(
                Kind::Param(index.saturating_sub(1)),
                &self.text[self.at..][..1 + digits],
                self.at + 1 + digits,
            );
        }
        let word = rest.find(|c: char| !(c == '_' || c == HOLE || c.is_alphanumeric())).unwrap_or(rest.len());
        if rest[word..].starts_with('$') && !rest[..word].contains(HOLE) {
            let open = self.at + word + 2;
            let tag = &self.text[self.at..open];
            let body = &self.text[open..];
            let Some(length) = body.find(tag) else {
                self.out.unterminated = Some("a dollar-quoted string is not closed");
                return self.push(Kind::Str, body, self.text.len());
            };
            return self.push(Kind::Str, &body[..length], open + length + tag.len());
        }
        if rest.starts_with(HOLE) {
            return self.push(Kind::Hole, "", self.at + 1 + HOLE.len_utf8());
        }
        if self.qualifies(1 + word) {
            return self.push(Kind::Hole, "", self.at + 1 + word);
        }
        match word {
            0 if rest.starts_with('{') => {
                self.at += 1;
                self.template();
            }
            0 => self.punct(),
            _ => self.push(Kind::Named, &rest[..word], self.at + 1 + word),
        }
    }

    /// `?`, `?1`; PostgreSQL's JSON operators `?`, `?|` and `?&` stand after an operand.
    fn question(&mut self) {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        if self.dialect.is_postgres_like() && self.after_operand() {
            return self.punct();
        }
        if rest.starts_with(HOLE) {
            return self.push(Kind::Hole, "", self.at + 1 + HOLE.len_utf8());
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let index = match rest[..digits].parse::<usize>() {
            Ok(number) => number.saturating_sub(1),
            Err(_) => self.params,
        };
        // SQLite: a `?` without a number takes the number after the largest one so far.
        self.params = self.params.max(index.saturating_add(1));
        self.push(Kind::Param(index), &self.text[self.at..][..1 + digits], self.at + 1 + digits);
    }

    fn named(&mut self, sign: char) {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let word = word_length(rest);
        if self.qualifies(1 + word) {
            return self.push(Kind::Hole, "", self.at + 1 + word);
        }
        let glued = self.out.tokens.last().is_some_and(|t| t.end == self.at && (t.ends_operand() || t.punct("@")));
        if word == 0 || glued || (sign == ':' && self.after_operand()) {
            return self.punct();
        }
        let kind = if rest.starts_with(HOLE) { Kind::Hole } else { Kind::Named };
        self.push(kind, &rest[..word], self.at + 1 + word);
    }

    /// Whether the next `length` bytes stand for a schema or a table: `:schema.jobs`. What is bound has no parts.
    fn qualifies(&self, length: usize) -> bool {
        let free = self.out.tokens.last().is_none_or(|t| t.end < self.at || t.punct("(") || t.punct(","));
        let name = self.rest().get(length..).and_then(|rest| rest.strip_prefix('.'));
        let named = |c: char| matches!(c, '_' | '"' | '`' | '[' | HOLE) || c.is_alphabetic();
        length > 1 && free && name.is_some_and(|name| name.starts_with(named))
    }

    /// `{name}` and `{{name}}`: a template's piece, which the program fills in before it sends the text.
    fn template(&mut self) {
        let rest = self.rest();
        let doubled = rest.starts_with("{{");
        let (open, close) = if doubled { ("{{", "}}") } else { ("{", "}") };
        let name = rest[open.len()..].find(close).map(|end| &rest[open.len()..open.len() + end]);
        match name.filter(|name| !name.trim().is_empty() && word_length(name.trim()) == name.trim().len()) {
            Some(name) => self.push(Kind::Hole, "", self.at + 2 * open.len() + name.len()),
            None => self.punct(),
        }
    }

    fn number(&mut self) {
        let bytes = self.rest().as_bytes();
        let mut length = 0;
        while let Some(b) = bytes.get(length) {
            let sign = matches!(b, b'+' | b'-')
                && matches!(bytes.get(length.wrapping_sub(1)), Some(b'e' | b'E'))
                && !bytes.starts_with(b"0x");
            if !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_') || sign) {
                break;
            }
            length += 1;
        }
        self.push(Kind::Num, self.rest()[..length].to_owned(), self.at + length);
    }

    fn word(&mut self) {
        let rest = self.rest();
        let length = match rest.starts_with('#') {
            true => 1 + word_length(&rest[1..]),
            false => word_length(rest),
        };
        let word = &rest[..length];
        if length == 0 {
            return self.punct();
        }
        let next = rest[length..].chars().next();
        if next == Some('\'')
            && ["e", "n", "x", "b", "r", "_utf8", "_utf8mb4"].iter().any(|p| p.eq_ignore_ascii_case(word))
        {
            let escapes = word.eq_ignore_ascii_case("e") || self.dialect == Dialect::MySql;
            return self.string(length, escapes);
        }
        if word.chars().all(|c| c == HOLE) {
            return self.push(Kind::Hole, "", self.at + length);
        }
        // `WHERE{clause}`: the keyword ends where the hole begins.
        let head = word.find(HOLE).filter(|&at| at > 0 && ends_clause(&word[..at])).unwrap_or(length);
        self.push(Kind::Word, word[..head].to_owned(), self.at + head);
    }

    fn punct(&mut self) {
        const LONG: [&str; 40] = [
            "!~~*", "->>", "#>>", "<=>", "!~*", "!~~", "~~*", "@@@", "<->", "<#>", "-|-", "@-@", "||/", "::", "->",
            "#>", "#-", "@>", "<@", "<=", ">=", "<>", "!=", "||", "&&", "==", "@@", "@?", "?|", "?&", ":=", "!~", "~*",
            "~~", "<<", ">>", "&<", "^@", "|/", "=>",
        ];
        let rest = self.rest();
        let text = LONG.iter().find(|op| rest.starts_with(**op)).map(|op| op.len());
        let length = text.unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
        let text = self.rest().get(..length).unwrap_or_default().to_owned();
        self.push(Kind::Punct, text, self.at + length);
    }
}

fn ends_clause(word: &str) -> bool {
    is_reserved(word) || ["asc", "desc", "locked", "nowait", "share"].iter().any(|w| w.eq_ignore_ascii_case(word))
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(c == '_' || c == '$' || c == HOLE || c.is_alphanumeric())).unwrap_or(text.len())
}
