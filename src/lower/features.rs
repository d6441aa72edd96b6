//! Which code under `#[cfg(feature = "…")]` is built where nobody asks for other features than the default ones.

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use super::tree::Name;

/// Deeper conditions than this are not looked into.
const DEPTH: u32 = 32;

/// Whether a condition holds where these features are on and no others; none where it asks for something else.
pub fn holds(condition: &str, on: &[Name]) -> Option<bool> {
    one(TokenStream::from_str(condition).ok()?, on, 0)
}

fn one(condition: TokenStream, on: &[Name], depth: u32) -> Option<bool> {
    if depth > DEPTH {
        return None;
    }
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(word), TokenTree::Punct(_), TokenTree::Literal(named)] if word == "feature" => {
            let named = named.to_string();
            Some(on.iter().any(|feature| *feature == named.trim_matches('"')))
        }
        [TokenTree::Ident(word), TokenTree::Group(inner)] => {
            let mut parts = parts(inner.stream()).map(|part| one(part, on, depth + 1));
            match word.to_string().as_str() {
                "not" => parts.next()?.map(|held| !held),
                // An attribute as a whole.
                "all" | "cfg" => joined(parts, false),
                "any" => joined(parts, true),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What `decides` in one of the parts holds for all; the opposite where none is unknown.
fn joined(parts: impl Iterator<Item = Option<bool>>, decides: bool) -> Option<bool> {
    let mut known = true;
    for part in parts {
        match part {
            Some(held) if held == decides => return Some(decides),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decides)
}

fn parts(list: TokenStream) -> impl Iterator<Item = TokenStream> {
    let mut all = vec![Vec::new()];
    for token in list {
        match (&token, all.last_mut()) {
            (TokenTree::Punct(mark), _) if mark.as_char() == ',' => all.push(Vec::new()),
            (_, Some(last)) => last.push(token),
            _ => {}
        }
    }
    all.into_iter().filter(|part| !part.is_empty()).map(|part| part.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn conditions_hold_by_the_features_that_are_on() {
        let on = ["lite".into(), "cache".into()];
        for (condition, held) in [
            ("feature = \"lite\"", Some(true)),
            ("feature = \"pg\"", Some(false)),
            ("not(feature = \"pg\")", Some(true)),
            ("all(feature = \"lite\", unix)", None),
            ("all(feature = \"pg\", unix)", Some(false)),
            ("any(feature = \"lite\", unix)", Some(true)),
            ("any(feature = \"pg\", feature = \"my\")", Some(false)),
            ("test", None),
        ] {
            assert_eq!(holds(condition, &on), held, "{condition}");
        }
    }
}
