//! Conditions that say no more of a row than what it was asked for by.

use crate::event::{CondId, EventId};
use crate::flow::term::{Term, TermId};
use crate::race::dependency;
use crate::race::scene::Scene;
use crate::sql::statement::Compare;

/// Whether a condition only compares columns of a row with the values that it was asked for by: they are what they are.
pub(super) fn is_what_was_asked_for(scene: &Scene<'_, '_>, id: CondId, read: EventId) -> bool {
    let cond = scene.ev.cond(id);
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == read);
    let mut compares =
        cond.compares.iter().filter(|compare| of_read(compare.left) || of_read(compare.right)).peekable();
    compares.peek().is_some()
        && dependency::only_compares(scene, cond.term, read)
        && compares.all(|compare| {
            let (left, right) = (ways(scene, compare.left), ways(scene, compare.right));
            matches!(compare.op, Compare::Eq | Compare::Ne)
                && left.iter().chain(&right).all(|way| scene.plain(*way) == scene.plain(left[0]))
        })
}

/// A value, or each of those that it is one of.
fn ways(scene: &Scene<'_, '_>, term: TermId) -> Vec<TermId> {
    match scene.ev.terms.get(term) {
        Term::Either(parts) if !parts.is_empty() => parts.to_vec(),
        _ => vec![term],
    }
}
