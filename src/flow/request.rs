//! What an HTTP request does, by its method and by the address that it is sent to.

use crate::event::{EffectKind, Event, EventKind};
use crate::flow::term::{Term, TermId, Terms};

/// How deep an address is taken apart, and how many calls build a request.
const DEPTH: usize = 24;

/// Words of an address at whose end something is asked for: who somebody is, whether something is right.
const ASKING: [&str; 9] =
    ["login", "signin", "authenticate", "verify", "siteverify", "validate", "introspect", "search", "lookup"];

/// Whether an event is a request that can be sent twice as well as once: it deletes, which leaves nothing for a second one
/// to do (RFC 9110, 9.2.2), or its address says that it only asks.
pub fn is_harmless_twice(terms: &Terms, event: &Event) -> bool {
    let EventKind::Effect(effect) = &event.kind else { return false };
    let harmless = |request: &TermId| {
        method_and_address(terms, *request).is_some_and(|(method, address)| {
            method == "delete" || method != "get" && address.is_some_and(|address| asks(terms, address, 0))
        })
    };
    effect.kind == EffectKind::Http && !effect.named.is_empty() && effect.named.iter().all(harmless)
}

/// The method that a request was begun with, and its address.
fn method_and_address(terms: &Terms, request: TermId) -> Option<(&str, Option<TermId>)> {
    let mut term = request;
    for _ in 0..DEPTH {
        let Term::Computed(by, parts) = terms.get(term) else { return None };
        let free = by.contains("::");
        match by.rsplit("::").next().unwrap_or(by) {
            method @ ("get" | "head" | "post" | "put" | "patch" | "delete" | "request") => {
                let at = usize::from(!free) + usize::from(method == "request");
                return Some((method, parts.get(at).copied()));
            }
            _ => term = *parts.first()?,
        }
    }
    None
}

fn asks(terms: &Terms, address: TermId, depth: usize) -> bool {
    if depth > DEPTH {
        return false;
    }
    match terms.get(address) {
        Term::Literal(text) => asks_by_address(text),
        Term::Either(parts) => parts.iter().all(|part| asks(terms, *part, depth + 1)),
        Term::Computed(by, parts) if by == "format" => match (terms.get(parts[0]), parts.last()) {
            (Term::Literal(text), Some(last)) if text.ends_with('}') => asks(terms, *last, depth + 1),
            (Term::Literal(text), _) => asks_by_address(text),
            _ => false,
        },
        Term::Computed(by, parts) => {
            let part = if by == "join" { parts.last() } else { parts.first() };
            part.is_some_and(|part| asks(terms, *part, depth + 1))
        }
        _ => false,
    }
}

/// Whether the last step of an address names a question: `auth/login`, `v1/listfunds`.
fn asks_by_address(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let step = path.rsplit(['/', '}']).next().unwrap_or_default().to_lowercase();
    let lists = |verb: &str| {
        let rest = step.strip_prefix(verb).unwrap_or_default();
        rest.len() > 3 && !rest.starts_with("ing") && !rest.starts_with("ener")
    };
    ASKING.contains(&step.as_str()) || lists("list") || lists("get")
}

#[cfg(test)]
mod tests {
    use super::asks_by_address;

    #[test]
    fn an_address_that_ends_in_a_question_asks() {
        for asking in ["{}/auth/login", "https://guard.example/siteverify?v=2", "{}/v1/listfunds/", "getBalance"] {
            assert!(asks_by_address(asking), "{asking}");
        }
        for acting in ["{}/listings", "{}/lists", "{}/orders/{}/ship", "checkout", "{}/listeners", "budget", ""] {
            assert!(!asks_by_address(acting), "{acting}");
        }
    }
}
