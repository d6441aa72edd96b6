//! What an HTTP request does, by its method and by the address that it is sent to.

use rustc_hash::FxHashSet;

use crate::event::{EffectKind, Event, EventKind};
use crate::flow::random::is_by_chance;
use crate::flow::term::{Term, TermId, Terms};

/// How deep an address is taken apart, and how many calls build a request.
const DEPTH: usize = 24;

/// In how many ways one request may be built.
const WAYS: usize = 32;

/// Words of an address at whose end something is asked for: who somebody is, whether something is right.
const ASKING: [&str; 9] =
    ["login", "signin", "authenticate", "verify", "siteverify", "validate", "introspect", "search", "lookup"];

/// The header by which a request is known again.
const KEY: &str = "idempotency-key";

/// What comes of a request, by how it is built.
struct Request<'t> {
    /// In lower case.
    method: &'t str,
    address: Option<TermId>,
    /// What is sent along.
    content: Vec<TermId>,
}

/// Whether an event is a request that can be sent twice as well as once: it asks, it deletes, which leaves nothing for a
/// second one to do, or it puts something there that is the same both times (RFC 9110, 9.2.1 and 9.2.2).
///
/// In: what the two who send it have in common besides the address: the values by which they asked for the same row.
pub fn is_harmless_twice(terms: &Terms, event: &Event, common: &[TermId]) -> bool {
    let EventKind::Effect(effect) = &event.kind else { return false };
    let harmless = |sent: &TermId| {
        Request::all(terms, *sent, &|request| match request.method {
            "delete" | "get" | "head" => true,
            "put" | "patch" if request.says_the_same(terms, common) => true,
            _ => request.address.is_some_and(|address| asks(terms, address, 0)),
        })
    };
    effect.kind == EffectKind::Http && !effect.named.is_empty() && effect.named.iter().all(harmless)
}

/// Whether all that is sent along is the same for all who have this in common and send it to the same address.
pub fn says_the_same(terms: &Terms, event: &Event, common: &[TermId]) -> bool {
    let EventKind::Effect(effect) = &event.kind else { return false };
    let same = |sent: &TermId| Request::all(terms, *sent, &|request| request.says_the_same(terms, common));
    !effect.named.is_empty() && effect.named.iter().all(same)
}

/// The keys that requests carry by which whoever gets one twice answers the second one as the first, without doing anything;
/// none where one of them may be sent without.
///
/// Source: draft-ietf-httpapi-idempotency-key-header, section 2.
pub fn deduplicated_by(terms: &Terms, event: &Event) -> Option<Vec<TermId>> {
    let EventKind::Effect(effect) = &event.kind else { return None };
    let keys: Option<Vec<TermId>> = effect.named.iter().map(|sent| key_of(terms, *sent)).collect();
    keys.filter(|keys| effect.kind == EffectKind::Http && !keys.is_empty())
}

/// The key in a header of a request: `client.post(url).header("Idempotency-Key", key)`.
fn key_of(terms: &Terms, sent: TermId) -> Option<TermId> {
    let mut open = vec![sent];
    for _ in 0..DEPTH {
        match terms.get(open.pop()?) {
            Term::Computed(by, parts) => {
                let named = |part: &TermId| matches!(terms.get(*part), Term::Literal(text) if text.trim_matches('"').eq_ignore_ascii_case(KEY));
                if let [_, name, value] = &**parts
                    && by == "header"
                    && named(name)
                {
                    return Some(*value);
                }
                open.extend(parts.first());
            }
            // It is put there where there is one.
            Term::Either(parts) => open.extend(parts.iter()),
            _ => {}
        }
    }
    None
}

impl<'t> Request<'t> {
    /// Whether all requests that a value may be, by the way on which it was built, are known and such.
    fn all(terms: &'t Terms, sent: TermId, such: &dyn Fn(&Self) -> bool) -> bool {
        let mut open = vec![Begun { of: sent, named: None, address: None, content: Vec::new() }];
        let mut known = 0;
        while let Some(begun) = open.pop() {
            known += 1;
            match begun.followed(terms) {
                _ if known > WAYS => return false,
                Followed::Built(request) if such(&request) => {}
                Followed::Several(ways) => open.extend(ways),
                Followed::Built(_) | Followed::Unknown => return false,
            }
        }
        true
    }

    fn says_the_same(&self, terms: &Terms, common: &[TermId]) -> bool {
        let known = handed_in(terms, self.address.iter().chain(common));
        let told = handed_in(terms, self.content.iter());
        told.iter().all(|term| known.contains(term)) && !self.content.iter().any(|part| is_by_chance(terms, *part))
    }
}

/// A request, as far as it was followed back from where it is sent.
#[derive(Clone)]
struct Begun<'t> {
    of: TermId,
    named: Option<&'t str>,
    address: Option<TermId>,
    content: Vec<TermId>,
}

/// What was found where a request was followed back.
enum Followed<'t> {
    Built(Request<'t>),
    /// It was built in one way or another: `if let Some(key) = key { request.header(…) } else { request }`.
    Several(Vec<Begun<'t>>),
    Unknown,
}

impl<'t> Begun<'t> {
    fn followed(mut self, terms: &'t Terms) -> Followed<'t> {
        for _ in 0..DEPTH {
            let (by, parts) = match terms.get(self.of) {
                Term::Computed(by, parts) => (by, parts),
                Term::Either(ways) => {
                    return Followed::Several(ways.iter().map(|way| Self { of: *way, ..self.clone() }).collect());
                }
                _ => break,
            };
            let free = by.contains("::");
            let first = usize::from(!free);
            match by.rsplit("::").next().unwrap_or(by) {
                method @ ("get" | "head" | "post" | "put" | "patch" | "delete") => {
                    let (address, content) = (parts.get(first).copied(), self.content);
                    return Followed::Built(Request { method, address, content });
                }
                "request" | "new" if parts.len() > first + 1 => {
                    let method = method_of(terms, parts[first]).unwrap_or("request");
                    let (address, content) = (parts.get(first + 1).copied(), self.content);
                    return Followed::Built(Request { method, address, content });
                }
                "method" => self.named = parts.get(first).and_then(|method| method_of(terms, *method)),
                "uri" => self.address = parts.get(first).copied(),
                "json" | "body" | "form" | "multipart" | "query" | "send_json" | "send_body" | "send_form"
                | "send_string" | "send_bytes" | "send" => self.content.extend(parts.iter().skip(1)),
                _ => {}
            }
            match parts.first() {
                Some(part) => self.of = *part,
                None => break,
            }
        }
        // A request of the `http` crate gets what its address names where nothing else is said.
        match self.named.or_else(|| self.address.and(Some("get"))) {
            Some(method) => Followed::Built(Request { method, address: self.address, content: self.content }),
            None => Followed::Unknown,
        }
    }
}

/// A method by the constant that names it: `Method::PUT`, `"PUT"`.
fn method_of(terms: &Terms, term: TermId) -> Option<&'static str> {
    let Term::Literal(text) = terms.get(term) else { return None };
    let name = text.trim_matches('"').rsplit("::").next().unwrap_or_default();
    ["get", "head", "post", "put", "patch", "delete"].into_iter().find(|method| name.eq_ignore_ascii_case(method))
}

/// The parameters in values, and the fields of them as far as they are named.
fn handed_in<'t>(terms: &Terms, values: impl Iterator<Item = &'t TermId>) -> FxHashSet<TermId> {
    let mut found = FxHashSet::default();
    let mut seen = FxHashSet::default();
    let mut open: Vec<TermId> = values.copied().collect();
    while let Some(term) = open.pop() {
        if !seen.insert(term) {
            continue;
        }
        let mut root = term;
        while let Term::Field(of, _) = terms.get(root) {
            root = *of;
        }
        match terms.get(root) {
            Term::Param(..) => {
                found.insert(term);
            }
            Term::Computed(_, parts) | Term::Either(parts) => open.extend(parts.iter()),
            Term::Exists(of) => open.push(*of),
            _ => {}
        }
    }
    found
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
