//! A value is read, a new one is computed in Rust and written back.

use crate::finding::Confidence;
use crate::protect::constraint::meets_another;
use crate::race::LooksAt;
use crate::race::rows::Relation;
use crate::rules::claim::Facts;
use crate::sql::statement::ConflictAction;

pub const ID: &str = "lost-update";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.sequence.values.is_empty() || !facts.stale_values() || !reaches_existing(facts) {
        return None;
    }
    let conflict = facts.target.conflict.as_ref().map(|conflict| &conflict.action);
    let fresh_row = facts.inserts() && matches!(conflict, None | Some(ConflictAction::Nothing));
    if fresh_row {
        let computed = facts.sequence.values.iter().any(|value| value.computed && value.from != LooksAt::Existence);
        let next_number =
            facts.sequence.relation == Relation::NewRowOfSet && computed && facts.reads.aggregate.is_some();
        return next_number.then_some(Confidence::Medium);
    }
    let of_row = facts.same_row() || facts.sequence.relation == Relation::NewRowOfSet;
    if !of_row {
        return None;
    }
    if facts.sequence.values.iter().all(|value| value.answered && !value.is_own()) {
        // What the outside said is new, and stands in a column of its own.
        return None;
    }
    let own_column = facts.sequence.values.iter().any(|value| match &value.from {
        LooksAt::Column(column) => *column == value.column,
        LooksAt::Row | LooksAt::Aggregate => true,
        LooksAt::Existence => false,
    });
    let computed = facts.sequence.values.iter().any(|value| value.computed && value.from != LooksAt::Existence);
    if !facts.computed_from_row() {
        return Some(Confidence::Medium.min(facts.confidence()));
    }
    match (own_column, computed) {
        (true, _) => Some(facts.confidence()),
        (false, true) => Some(Confidence::Medium),
        // One column is copied to another.
        (false, false) => Some(Confidence::Low),
    }
}

/// Whether a value reaches the row that was read: an upsert writes over it only what its conflict clause names.
fn reaches_existing(facts: &Facts<'_, '_>) -> bool {
    match facts.target.conflict.as_ref().map(|conflict| &conflict.action) {
        Some(ConflictAction::Update { sets, .. }) => {
            !meets_another(facts.scene, facts.sequence)
                && facts.sequence.values.iter().any(|value| sets.iter().any(|set| set.column == value.column))
        }
        Some(ConflictAction::Nothing | ConflictAction::Replace) | None => true,
    }
}
