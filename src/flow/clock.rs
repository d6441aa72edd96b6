//! The clock: it goes on between a check and a write, whoever writes.

use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId, Terms};
use crate::flow::value::Value;
use crate::link::Type;

/// The name of what a clock says.
const CLOCK: &str = "clock";

impl<'p> Evaluator<'p> {
    /// What a clock of std or of the common libraries says, each time something else; none for other calls.
    pub(super) fn clock(&mut self, name: &str) -> Option<Value> {
        // `Utc::now()`, `SystemTime::now()`, `OffsetDateTime::now_utc()`, `Zoned::now()`
        if !matches!(name, "now" | "now_utc" | "now_local") {
            return None;
        }
        let fresh = self.terms.fresh();
        let term = self.terms.computed(CLOCK, vec![fresh]);
        Some(Value::new(term, Type::Unknown))
    }
}

/// Whether a value is made with what a clock said.
pub fn is_of_clock(terms: &Terms, id: TermId) -> bool {
    // What it said is not known.
    let enter = |part| terms.holds_unknown(part);
    terms.any(id, enter, |part| matches!(terms.get(part), Term::Computed(by, _) if by == CLOCK))
}
