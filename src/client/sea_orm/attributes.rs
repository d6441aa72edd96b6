//! The keys of `#[sea_orm(…)]`, read from an attribute's tokens.

use crate::lower::tree::Attr;

/// The keys and values of all `#[sea_orm(…)]` among a list of attributes; a bare key has an empty value, and the quotes
/// of a literal are gone.
pub fn keys(attrs: &[Attr]) -> Vec<(String, String)> {
    let ours = attrs.iter().filter(|attr| attr.path.last().is_some_and(|name| name == "sea_orm"));
    ours.flat_map(|attr| split(&attr.tokens)).collect()
}

/// The value of a key.
pub fn value<'a>(keys: &'a [(String, String)], key: &str) -> Option<&'a str> {
    keys.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// `a, b = "c", d = false` at its commas, which do not count inside quotes and brackets. Behind a text in quotes a comma may
/// be left out, as it may for sea-orm's relations.
fn split(tokens: &str) -> Vec<(String, String)> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    for c in tokens.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        let closes = c == '"' && !escaped && !quoted;
        escaped = c == '\\' && !escaped;
        part.push(c);
        if closes && depth == 0 {
            parts.push(std::mem::take(&mut part));
        }
    }
    parts.push(part);
    parts.iter().filter(|part| !part.trim().is_empty()).map(|part| pair(part)).collect()
}

fn pair(part: &str) -> (String, String) {
    // `to: "…"` is taken for `to = "…"`.
    let by_colon = || part.split_once(':').filter(|(_, value)| value.trim().starts_with('"'));
    let Some((key, value)) = part.split_once('=').or_else(by_colon) else {
        return (part.trim().to_owned(), String::new());
    };
    let value = value.trim();
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (key.trim().to_owned(), bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_may_be_left_out_behind_a_text() {
        let pairs =
            |text: &str| split(text).into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        let whole = ["belongs_to=super::inn::Entity", "from=Column::InnId", "to=super::inn::Column::Id", "nullable="];
        for text in [
            r#"belongs_to = "super::inn::Entity", from = "Column::InnId", to = "super::inn::Column::Id", nullable"#,
            r#"belongs_to = "super::inn::Entity" from = "Column::InnId" to: "super::inn::Column::Id" nullable"#,
        ] {
            assert_eq!(pairs(text), whole);
        }
        assert_eq!(
            pairs(r#"rename_all = "a\"b", keys(from = "x", to = "y")"#),
            [r#"rename_all=a\"b"#, r#"keys(from="x", to = "y")"#]
        );
    }
}
