//! Values that are drawn: another one each time, and no two requests draw the same.

use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId, Terms};
use crate::flow::value::Value;
use crate::link::Type;

/// The name of what was drawn from so many values that nobody draws it again.
const DRAWN: &str = "drawn";

/// The name of what was drawn from so few values that somebody may draw it again.
const PICKED: &str = "picked";

impl<'p> Evaluator<'p> {
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

/// Source: the `Rng`, `RngCore` and `SecureRandom` traits of `rand` and `ring`, `uuid::Uuid`, `ulid::Ulid`, `cryptr::utils`.
fn draws(owner: &str, name: &str) -> Option<Draw> {
    Some(match (owner, name) {
        (_, "new_v4" | "now_v6" | "now_v7" | "nanoid" | "random_from_rng" | "random" | "gen" | "next_u64")
        | ("Ulid" | "Ksuid" | "ObjectId", "new")
        | (_, "secure_random" | "secure_random_vec" | "secure_random_alnum") => Draw::Once,
        (_, "next_u32" | "gen_range" | "gen_bool" | "random_range" | "random_bool" | "random_ratio" | "gen_ratio") => {
            Draw::Anew
        }
        _ => return None,
    })
}
