//! Suppressions: `// racelint: allow(rule) reason` comments, found by a lexer of comments and strings alone.
//!
//! The text need not be Rust that parses: a string, raw string or character that is not closed runs to the end.

use serde::Serialize;

use crate::lower::tree::Name;
use crate::notice::{Notice, NoticeKind};
use crate::span::{FileId, Range};

const MARK: &str = "racelint:";

/// One suppression as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allow {
    /// The ids between the parentheses, in order, known or not.
    pub rules: Vec<Name>,
    /// Why it is allowed, on one line; empty when none is given.
    pub reason: String,
    /// The whole comment.
    pub at: Range,
    /// The line (from 1) on which the comment starts.
    pub line: u32,
    pub covers: Covers,
    /// What is wrong with it, one sentence, lower case, no full stop. Such a comment hides nothing.
    pub fault: Option<&'static str>,
}

/// What a suppression is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covers {
    /// `//!` or `/*!`.
    File,
    /// The line (from 1) that it ends, behind code.
    Line(u32),
    /// The statement or item whose first token, or first attribute, starts at this byte.
    Next(u32),
    /// No code follows.
    Nothing,
}

impl Allow {
    /// Whether the comment can hide a finding of `rule`.
    pub fn names(&self, rule: &str) -> bool {
        self.fault.is_none() && self.rules.iter().any(|name| name == rule)
    }

    /// What to tell the user of a comment that is written wrongly.
    pub fn notice(&self, file: FileId, path: &str) -> Option<Notice> {
        let text = self.fault?.to_owned();
        Some(Notice { path: path.to_owned(), span: Some(self.at.in_file(file)), kind: NoticeKind::Suppression, text })
    }
}

/// All suppressions of a Rust file, in source order.
pub fn allows(text: &str) -> Vec<Allow> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let mut lexer = Lexer { text, at: 0, line: 1, code_on_line: false, waiting: 0, found: Vec::new() };
    lexer.run();
    lexer.found
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    /// Whether a token of code stands before `at` on its line.
    code_on_line: bool,
    /// How many of the last of `found` wait for the next token of code.
    waiting: usize,
    found: Vec<Allow>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with("//") {
                let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
                self.comment(length, 2, 0);
            } else if rest.starts_with("/*") {
                let (length, closed) = block(rest);
                self.comment(length, 2, if closed { 2 } else { 0 });
            } else if let Some(space) = rest.chars().next().filter(|&char| char.is_whitespace() || char == '\u{feff}') {
                self.skip(space.len_utf8());
            } else {
                self.code(token(rest, self.before()));
            }
        }
    }

    fn code(&mut self, length: usize) {
        let start = offset(self.at);
        let waiting = self.found.len() - self.waiting;
        self.found[waiting..].iter_mut().for_each(|allow| allow.covers = Covers::Next(start));
        self.waiting = 0;
        self.skip(length);
        self.code_on_line = true;
    }

    fn comment(&mut self, length: usize, open: usize, close: usize) {
        let comment = self.text.get(self.at..self.at + length).unwrap_or("");
        let body = comment.get(open..comment.len() - close).unwrap_or("");
        let inner = body.starts_with('!');
        let body = body.trim_start_matches(['!', '/', '*']).trim_start();
        if let Some(said) = body.strip_prefix(MARK) {
            let mut allow = parse(said.trim());
            allow.at = Range::new(offset(self.at), offset(self.at + length));
            allow.line = self.line;
            if inner {
                allow.covers = Covers::File;
            } else if self.code_on_line {
                allow.covers = Covers::Line(self.line);
            } else {
                self.waiting += 1;
            }
            if allow.covers != Covers::Nothing && self.waiting > 0 {
                // Those that wait stand last, so that they are found by their number.
                let place = self.found.len() - self.waiting;
                self.found.insert(place, allow);
            } else {
                self.found.push(allow);
            }
        }
        self.skip(length);
    }

    /// Steps over `length` bytes and counts the lines in them.
    fn skip(&mut self, length: usize) {
        let end = (self.at + length).min(self.text.len());
        let bytes = self.text.as_bytes();
        for at in self.at..end {
            let ends_line = bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            if ends_line {
                self.line = self.line.saturating_add(1);
                self.code_on_line = false;
            }
        }
        self.at = end;
    }

    /// The byte before `at`, by which a raw string's prefix is told from the end of a name.
    fn before(&self) -> u8 {
        self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at)).copied().unwrap_or(b' ')
    }
}

/// The length of the block comment that `rest` starts with, nested ones included, and whether it is closed.
pub(super) fn block(rest: &str) -> (usize, bool) {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (2, 1_usize);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (at, depth) = (at + 2, depth + 1),
            Some(b"*/") => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return (at, true);
        }
    }
    (rest.len(), false)
}

/// The length of a string, a character, a name, or one character of anything else.
pub(super) fn token(rest: &str, before: u8) -> usize {
    let bytes = rest.as_bytes();
    let in_name = before.is_ascii_alphanumeric() || before == b'_';
    let prefix = bytes.iter().take(2).take_while(|byte| matches!(byte, b'b' | b'c' | b'r')).count();
    let raw = prefix > 0 && bytes[prefix - 1] == b'r' && !in_name;
    if raw {
        let hashes = bytes[prefix..].iter().take_while(|&&byte| byte == b'#').count();
        if bytes.get(prefix + hashes) == Some(&b'"') {
            let open = prefix + hashes + 1;
            let close = format!("\"{}", "#".repeat(hashes));
            return rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len());
        }
    }
    match bytes[0] {
        b'"' => quoted(bytes, b'"'),
        b'\'' => character(rest),
        byte if byte.is_ascii_alphabetic() || byte == b'_' => {
            // A prefix of a string is its own token; the string follows.
            bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
        }
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// The length of a literal with escapes, from its opening quote; all that is left when it is not closed.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length of a character literal, or of a lifetime's quote alone.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => quoted(rest.as_bytes(), b'\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// What stands behind the mark.
fn parse(said: &str) -> Allow {
    let mut allow = Allow {
        rules: Vec::new(),
        reason: String::new(),
        at: Range::default(),
        line: 0,
        covers: Covers::Nothing,
        fault: None,
    };
    let Some((list, reason)) =
        said.strip_prefix("allow").and_then(|rest| rest.trim_start().strip_prefix('(')?.split_once(')'))
    else {
        allow.fault = Some("a racelint comment is written `racelint: allow(rule) reason`");
        return allow;
    };
    allow.rules = list.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(Name::from).collect();
    allow.reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    allow.reason = allow.reason.trim_start_matches([':', '-', '–', '—']).trim().to_owned();
    if allow.rules.is_empty() {
        allow.fault = Some("this allow comment names no rule and hides nothing");
    } else if allow.reason.is_empty() {
        allow.fault = Some("this allow comment gives no reason and hides nothing");
    }
    allow
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Allow {
        let mut found = allows(text);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn above_a_statement_it_covers_the_next_token() {
        let text = "fn f() {\n    // racelint: allow(lost-update, stale-guard) one writer\n    // more\n    go();\n}";
        let allow = only(text);
        assert_eq!(allow.rules, ["lost-update", "stale-guard"]);
        assert_eq!((allow.reason.as_str(), allow.line, allow.fault), ("one writer", 2, None));
        assert_eq!(allow.covers, Covers::Next(offset(text.find("go()").unwrap())));
        assert!(allow.names("lost-update") && !allow.names("lost"));
        assert!(allow.at.of(text).ends_with("one writer"));
    }

    #[test]
    fn behind_code_it_covers_the_line() {
        let allow = only("fn f() {\r\n    go(\"//\"); // racelint: allow(lost-update): runs once\r\n}");
        assert_eq!((allow.covers, allow.reason.as_str()), (Covers::Line(2), "runs once"));
    }

    #[test]
    fn an_inner_comment_covers_the_file() {
        assert_eq!(only("//! racelint: allow(lost-update) a demo\nfn f() {}").covers, Covers::File);
        assert_eq!(only("/*! racelint: allow(lost-update) a demo */").covers, Covers::File);
    }

    #[test]
    fn a_block_comment_is_one_too() {
        let allow = only("/* racelint: allow(lost-update)\n   one\n   writer */ go();");
        assert_eq!((allow.reason.as_str(), allow.covers), ("one writer", Covers::Next(52)));
    }

    #[test]
    fn in_strings_and_nested_comments_it_is_none() {
        let mark = "// racelint: allow(lost-update) no";
        for text in [
            format!("let a = \"{mark}\";"),
            format!("let a = \"\\\"{mark}\";"),
            format!("let a = r#\"\" {mark}\"#;"),
            format!("let a = br\"{mark}\";"),
            format!("/* /* */ {mark} */"),
            format!("/// `{mark}`\nfn f() {{}}"),
            format!("let a = \"{mark}"),
        ] {
            assert_eq!(allows(&text), [], "{text}");
        }
    }

    #[test]
    fn quotes_of_characters_and_lifetimes_open_no_string() {
        for code in
            ["let a = '\"';", "let a = '\\'';", "fn f<'a>(b: &'a str) {}", "let r#type = 1;", "let á = 'ä';", "'"]
        {
            let allow = only(&format!("{code}\n// racelint: allow(lost-update) yes\ngo();"));
            assert_eq!(allow.line, 2, "{code}");
        }
    }

    #[test]
    fn what_is_written_wrongly_hides_nothing() {
        for (comment, fault) in [
            ("// racelint: allow(lost-update)", "gives no reason"),
            ("// racelint: allow() why", "names no rule"),
            ("// racelint: ignore(lost-update) why", "is written"),
            ("// racelint: allow lost-update why", "is written"),
            ("// racelint: allow(lost-update why", "is written"),
        ] {
            let allow = only(comment);
            assert!(allow.fault.is_some_and(|said| said.contains(fault)), "{comment}: {allow:?}");
            assert!(!allow.names("lost-update"));
            let notice = allow.notice(FileId(0), "src/a.rs").unwrap();
            assert_eq!((notice.kind, notice.path.as_str()), (NoticeKind::Suppression, "src/a.rs"));
        }
    }

    #[test]
    fn several_wait_for_the_same_token() {
        let text = "// racelint: allow(a) x\n//! racelint: allow(c) z\n// racelint: allow(b) y\ngo();";
        let found = allows(text);
        let next = Covers::Next(offset(text.find("go").unwrap()));
        let covered: Vec<_> = found.iter().map(|allow| (allow.rules[0].as_str(), allow.covers)).collect();
        assert_eq!(covered, [("c", Covers::File), ("a", next), ("b", next)]);
    }

    #[test]
    fn without_code_behind_it_covers_nothing() {
        assert_eq!(only("// racelint: allow(lost-update) why").covers, Covers::Nothing);
    }
}
