//! Values that are drawn: another one each time, and no two requests draw the same.

use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId, Terms};
use crate::flow::value::Value;
use crate::link::Type;

/// The name of what was drawn from so many values that nobody draws it again.
const DRAWN: &str = "drawn";

/// What a buffer is filled with.
const FILLED: &str = "random";

/// The name of what was drawn from so few values that somebody may draw it again.
const PICKED: &str = "picked";

/// How many letters or digits it takes, so that nobody draws the same ones again.
const LONG: usize = 10;

impl<'p> Evaluator<'p> {
    /// What a method call draws, or leaves of what was drawn: a code of six digits is one that somebody may draw again.
    pub(super) fn drawn_from(&mut self, recv: &Value, name: &str, args: &[Value]) -> Option<Value> {
        if let ("take", [count]) = (name, args)
            && let Term::Literal(count) = self.terms.get(count.term)
            && count.parse().is_ok_and(|count: usize| count < LONG)
            && is_drawn(&self.terms, recv.term)
        {
            let term = self.terms.computed(PICKED, vec![recv.term]);
            return Some(Value { term, ..recv.clone() });
        }
        self.drawn("", name)
    }

    /// What a call puts into the bytes that are lent to it, where it is one of a library of random numbers.
    pub(super) fn drawn_into(&mut self, name: &str) -> Option<Value> {
        let fills = matches!(name, "fill_bytes" | "try_fill_bytes" | "fill" | "try_fill" | "getrandom" | "rand_bytes");
        if fills { self.drawn("", FILLED) } else { None }
    }

    /// What a call of a library of random numbers or identifiers gives; none for other calls.
    pub(super) fn drawn(&mut self, owner: &str, name: &str) -> Option<Value> {
        let draw = draws(owner, name)?;
        let fresh = self.terms.fresh();
        let term = match draw {
            Draw::Once => self.terms.computed(DRAWN, vec![fresh]),
            Draw::Anew => self.terms.computed(PICKED, vec![fresh]),
        };
        Some(Value::new(term, Type::Unknown))
    }
}

/// Whether a value is, or is made with, something that was drawn once and for all.
pub fn is_drawn(terms: &Terms, id: TermId) -> bool {
    match terms.get(id) {
        Term::Computed(by, _) if by == DRAWN => true,
        Term::Computed(by, _) if by == PICKED => false,
        Term::Computed(_, parts) => parts.iter().any(|part| is_drawn(terms, *part)),
        Term::Field(of, _) => is_drawn(terms, *of),
        Term::Either(parts) => parts.iter().all(|part| is_drawn(terms, *part)),
        _ => false,
    }
}

/// Whether chance has a hand in a value, whichever way the program took to it.
pub fn is_by_chance(terms: &Terms, id: TermId) -> bool {
    match terms.get(id) {
        Term::Computed(by, _) if by == DRAWN || by == PICKED => true,
        Term::Computed(_, parts) => parts.iter().any(|part| is_by_chance(terms, *part)),
        Term::Field(of, _) => is_by_chance(terms, *of),
        Term::Either(parts) => parts.iter().all(|part| is_by_chance(terms, *part)),
        _ => false,
    }
}

enum Draw {
    /// From so many values that it is nobody else's.
    Once,
    /// From a few.
    Anew,
}

/// Source: the `Rng`, `RngCore`, `SampleString` and `SecureRandom` traits of `rand` and `ring`, `uuid::Uuid`, `ulid::Ulid`,
/// `cryptr::utils`.
fn draws(owner: &str, name: &str) -> Option<Draw> {
    Some(match (owner, name) {
        (
            _,
            "new_v4" | "now_v6" | "now_v7" | "nanoid" | "random_from_rng" | "random" | "gen" | "next_u64"
            | "sample_iter" | "random_iter" | "sample_string",
        )
        | ("Ulid" | "Ksuid" | "ObjectId", "new")
        | (_, "secure_random" | "secure_random_vec" | "secure_random_alnum") => Draw::Once,
        (
            _,
            "next_u32" | "sample" | "gen_range" | "gen_bool" | "random_range" | "random_bool" | "random_ratio"
            | "gen_ratio",
        ) => Draw::Anew,
        _ => return None,
    })
}
