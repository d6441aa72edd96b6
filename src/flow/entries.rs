//! What is known of lists and maps by what was put into them: one element stands for all.

use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;

impl Evaluator<'_> {
    /// Whether a map is known by what was put into it under which key.
    pub(super) fn is_of_entries(&self, map: TermId) -> bool {
        let entry = |part: &TermId| matches!(self.terms.get(*part), Term::Computed(by, parts) if by == "tuple" && parts.len() == 2);
        match self.terms.get(map) {
            Term::Either(parts) => parts.iter().any(entry),
            _ => entry(&map),
        }
    }

    /// A list with one more element, which stands for those that were there. What is behind a guard stays behind it.
    pub(super) fn with_element(&mut self, mut list: Value, element: &Value) -> Value {
        list.reshape(element.shape.clone());
        list.term = match self.terms.get(list.term) {
            Term::Fresh(_) | Term::Literal(_) if !self.locks.contains_key(&list.term) => element.term,
            _ => self.terms.either([list.term, element.term]),
        };
        list
    }
}

/// Which part of a map's entries a method of std gives.
pub(super) fn part_of_entries(name: &str) -> Option<&'static str> {
    match name {
        "keys" | "into_keys" => Some("0"),
        "values" | "values_mut" | "into_values" => Some("1"),
        _ => None,
    }
}
