//! A row is read, a condition on it is tested in Rust, the same row is updated or deleted.

use crate::finding::Confidence;
use crate::race::{LooksAt, dependency};
use crate::rules::claim::Facts;
use crate::sql::statement::Action;

pub const ID: &str = "check-then-update";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if !facts.same_row() || facts.inserts() {
        return None;
    }
    let content = facts.sequence.checks_content();
    if content && (facts.target.action != Action::Delete || facts.checks_what_changes()) {
        return Some(checked_and_written(facts));
    }
    if consumed(facts) {
        return Some(Confidence::Medium);
    }
    content.then_some(Confidence::Low)
}

/// A check of a column that the write itself moves is spoiled by the next request; of another column only by another
/// kind of request.
fn checked_and_written(facts: &Facts<'_, '_>) -> Confidence {
    let own = facts.confidence();
    if facts.target.action == Action::Delete || facts.stale_values() {
        return own;
    }
    let moved = |part: &LooksAt| match part {
        LooksAt::Column(column) => dependency::written(facts.target).any(|set| set.column == *column),
        LooksAt::Row | LooksAt::Aggregate => true,
        LooksAt::Existence => false,
    };
    if facts.sequence.checks.iter().any(|check| moved(&check.looks_at)) { own } else { Confidence::Low }
}

/// A one-time row: it is read, deleted, and what it said goes on to be used.
fn consumed(facts: &Facts<'_, '_>) -> bool {
    if facts.target.action != Action::Delete || facts.sequence.checks.is_empty() {
        return false;
    }
    let scene = facts.scene;
    let column_used = |term| {
        scene.origins(term).iter().any(|origin| {
            origin.event == facts.read.id
                && matches!(origin.part, crate::flow::term::Part::Column(_) | crate::flow::term::Part::Row)
        })
    };
    let single = facts.read.access().is_some_and(|access| access.statement.output.len() == 1);
    let returned = single && column_used(scene.flow.returns.term);
    let written = scene.after(facts.write.id).any(|event| {
        let Some(access) = event.access() else { return false };
        // What the row said goes into a new row, or onto an amount.
        let adds = access.statement.target().is_some_and(|target| {
            target.action == Action::Insert || target.sets.iter().any(|set| set.value.is_relative())
        });
        adds && access.binds.iter().any(|term| column_used(*term))
    });
    !facts.sequence.key_from_row && (returned || written)
}
