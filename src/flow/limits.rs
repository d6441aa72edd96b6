//! How much is followed for one function. Limits count work and never time, so that two runs give up at the same places;
//! what is given up is said aloud.

use crate::flow::Evaluator;
use crate::flow::value::Value;
use crate::lower::tree::Name;
use crate::span::Range;

/// How many events one function's flow may hold, those of called functions included.
const EVENTS: usize = 2_000;
/// Through how many calls a statement is handed on to callers. Without it the cost of a chain of calls grows with the
/// square of its length.
pub(super) const FOLLOWED: usize = 12;
/// Through how many calls a read and a write may be reached from the function where they meet. It is less than
/// [`FOLLOWED`], so that what stands beside them is known.
pub(crate) const PAIRED: usize = 10;
/// How many effects of one kind callers see of a function that leads to no statement.
pub(super) const EFFECTS: usize = 4;
/// How deep calls are followed before a function is given up.
pub(super) const CALL_DEPTH: usize = 120;
/// How many calls of one run are evaluated in place, since their arguments are pieces of statements.
pub(super) const INLINED: usize = 20_000;
/// How many variables may be in scope at once; the values of further ones are not followed.
const VARIABLES: usize = 1_000;
/// How many parts of a struct, a tuple or an array are followed each by itself; of more only the whole is.
pub(super) const FIELDS: usize = 512;
/// How many bytes of closures and of functions evaluated in place are read again for one function, besides
/// [`AGAIN_EACH`] for each of its own.
const AGAIN: usize = 128 << 10;
const AGAIN_EACH: usize = 16;
/// How many terms and conditions of called functions are made anew for one function.
const PLACED: usize = 150_000;
/// When a run holds so many events, or so many terms and conditions, besides one for each so many bytes of source, a
/// function gets only what its own length earns.
const ALL_EVENTS: (usize, usize) = (1_000_000, 16);
const ALL_TERMS: (usize, usize) = (3_000_000, 1);

/// What may still be done for the function that is being evaluated.
pub(super) struct Allowance {
    /// How many events its flow may hold in all.
    pub(super) events: usize,
    /// Bytes of closures that may still be read again.
    again: usize,
    /// Terms and conditions that may still be made for calls.
    pub(super) placed: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { events: EVENTS, again: AGAIN, placed: PLACED }
    }
}

impl Allowance {
    /// For a function of so many bytes.
    fn of_length(length: usize, crowded: bool) -> Self {
        let again = AGAIN + AGAIN_EACH * length;
        if crowded {
            return Self { events: (length / 16).clamp(16, EVENTS), again, placed: 256 + length };
        }
        Self { again, ..Self::default() }
    }
}

impl Evaluator<'_> {
    pub(super) fn allowance(&self, length: usize) -> Allowance {
        Allowance::of_length(length, self.is_crowded())
    }

    fn is_crowded(&self) -> bool {
        let beyond = |held: usize, (base, each): (usize, usize)| held > base + self.source_bytes / each;
        beyond(self.held_events, ALL_EVENTS) || beyond(self.terms.len() + self.conds.len(), ALL_TERMS)
    }

    /// Takes back what was allowed to a function when the run was not yet crowded: callers wait for their callees, which
    /// have made so much since.
    pub(super) fn tighten(&mut self) {
        if self.is_crowded() {
            let length = self.program.function(self.frame.function).at.len();
            let crowded = Allowance::of_length(length, true);
            let allowance = &mut self.frame.allowance;
            allowance.events = allowance.events.min(crowded.events);
            allowance.placed = allowance.placed.min(crowded.placed);
        }
    }

    /// Whether code of this length may be read once more for the function that is being evaluated. What is called
    /// twice by what is called twice is read as often as there are ways to it.
    pub(super) fn may_read_again(&mut self, at: Range) -> bool {
        let fits = at.len() <= self.frame.allowance.again;
        if fits {
            self.frame.allowance.again -= at.len();
        } else {
            self.unknown.give_up("a function whose closures are called too often");
        }
        fits
    }

    /// Brings a variable into scope.
    pub(super) fn declare(&mut self, name: &Name, value: Value) {
        if self.frame.env.len() < VARIABLES {
            self.frame.env.push((name.clone(), value));
            return;
        }
        self.unknown.give_up("a function with too many variables");
        // An older variable of this name is hidden, and nobody knows by what.
        let unknown = self.fresh();
        if let Some((_, hidden)) = self.frame.env.iter_mut().rev().find(|(known, _)| known == name) {
            *hidden = unknown;
        }
    }
}
