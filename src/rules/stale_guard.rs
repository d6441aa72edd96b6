//! One row, a count or a sum is checked, and another row or table is written.

use crate::event::EventKind;
use crate::finding::Confidence;
use crate::race::rows::Relation;
use crate::race::{LooksAt, dependency};
use crate::rules::claim::Facts;
use crate::sql::statement::Action;

pub const ID: &str = "stale-guard";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.sequence.checks.is_empty() {
        return None;
    }
    match facts.sequence.relation {
        Relation::NewRowOfSet | Relation::RowOfSet if facts.sequence.checks_aggregate() => Some(facts.confidence()),
        Relation::Linked | Relation::Other => other_row(facts),
        _ => None,
    }
}

fn other_row(facts: &Facts<'_, '_>) -> Option<Confidence> {
    let linked = facts.sequence.relation == Relation::Linked;
    if dependency::only_existence(facts.sequence) {
        // Absence is checked here, and made untrue further on: what stands between happens twice.
        return claimed_later(facts).then_some(Confidence::Medium);
    }
    if !facts.sequence.checks_content() {
        return None;
    }
    let state = facts.sequence.checks.iter().any(|check| match &check.looks_at {
        LooksAt::Aggregate => true,
        LooksAt::Column(_) => linked,
        _ => false,
    });
    Some(match (linked, state) {
        (true, true) => Confidence::Medium.min(facts.confidence()),
        _ => Confidence::Low,
    })
}

/// Whether this function, on the same condition, inserts the row whose absence it checked.
fn claimed_later(facts: &Facts<'_, '_>) -> bool {
    let conds: Vec<_> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let scene = facts.scene;
    scene.after(facts.read.id).any(|event| {
        let EventKind::Access(access) = &event.kind else { return false };
        let inserts = access
            .statement
            .target()
            .is_some_and(|target| target.action == Action::Insert && target.table.name == facts.reads.table.name);
        inserts && event.id != facts.write.id && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
    })
}
