//! How far a statement or an item reaches, by brackets and `;` alone: the text need not be Rust that parses.

use super::allow::{block, token};

/// Statements whose end is a `;` whatever blocks stand in them.
const ENDED_BY_SEMICOLON: [&str; 8] = ["let", "return", "break", "const", "static", "use", "type", "continue"];

/// The byte behind the statement, match arm or item whose first token, or first attribute, starts at the byte `start`.
///
/// It ends with a `;`, with a block that nothing goes on from, with the `,` behind a match arm, or where the bracket
/// around it closes.
pub fn extent(text: &str, start: usize) -> usize {
    let mut at = start;
    let mut depth = 0_usize;
    let mut is_arm = false;
    let semicolon = ENDED_BY_SEMICOLON.contains(&word(text, start));
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let gap = gap(rest);
        if gap > 0 {
            at += gap;
            continue;
        }
        let end = at + token(rest, before(text, at));
        match rest.as_bytes()[0] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return at,
            b'}' if depth == 1 && !semicolon && !goes_on(&text[end..]) => return end,
            b')' | b']' | b'}' => depth -= 1,
            b';' if depth == 0 => return end,
            b'=' if depth == 0 && rest.starts_with("=>") => is_arm = true,
            b',' if depth == 0 && is_arm => return end,
            _ => {}
        }
        at = end;
    }
    text.len()
}

/// Whether what follows a block belongs to the same statement.
fn goes_on(rest: &str) -> bool {
    let mut at = 0;
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        match gap(left) {
            0 => return left.starts_with(['.', '?', ';', ',', ')', ']', '=']) || word(left, 0) == "else",
            gap => at += gap,
        }
    }
    false
}

/// The length of the comment or the white space that `rest` starts with.
fn gap(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find(['\n', '\r']).unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block(rest).0;
    }
    rest.len() - rest.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}').len()
}

fn word(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let end = rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len());
    &rest[..end]
}

fn before(text: &str, at: usize) -> u8 {
    at.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied().unwrap_or(b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'t>(text: &'t str, first: &str) -> &'t str {
        let start = text.find(first).unwrap();
        &text[start..extent(text, start)]
    }

    #[test]
    fn statements_end_where_they_end() {
        let text = "fn f() { let a = if b { 1 } else { \"};\".len() }; go(a); match a { 1 => x(1, 2), _ => { y(';'); } } z() }";
        assert_eq!(of(text, "let"), "let a = if b { 1 } else { \"};\".len() };");
        assert_eq!(of(text, "go"), "go(a);");
        assert_eq!(of(text, "1 =>"), "1 => x(1, 2),");
        assert_eq!(of(text, "_ =>"), "_ => { y(';'); }");
        assert_eq!(of(text, "match"), "match a { 1 => x(1, 2), _ => { y(';'); } }");
        assert_eq!(of(text, "z"), "z() ");
    }

    #[test]
    fn items_end_with_their_block() {
        let text =
            "#[a(b)]\npub fn f<A, B>(x: [u8; 3]) -> C { x; /* } */ } fn g() {}\nif a {}\n// }\nelse { h() }.i(); j()";
        assert_eq!(of(text, "#[a"), "#[a(b)]\npub fn f<A, B>(x: [u8; 3]) -> C { x; /* } */ }");
        assert_eq!(of(text, "fn g"), "fn g() {}");
        assert_eq!(of(text, "if"), "if a {}\n// }\nelse { h() }.i();");
    }

    #[test]
    fn what_is_not_closed_reaches_to_the_end() {
        for text in ["", "a(", "\"", "é", "/* ", "} }", "'"] {
            assert!(extent(text, 0) <= text.len(), "{text}");
        }
        assert_eq!(extent("a", 9), 1);
    }
}
