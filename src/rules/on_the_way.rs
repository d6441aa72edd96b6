//! What else one run writes to the row, before the write that is judged or after it.

use crate::event::{CondId, Decided, Event};
use crate::flow::term::Term;
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::{Check, LooksAt, common, dependency};
use crate::rules::claim::Facts;
use crate::sql::statement::Action;

/// Whether a column of the row that was read is written on the way to the write, wherever that leads on from the read.
pub fn is_written_before(facts: &Facts<'_, '_>, column: &Name) -> bool {
    let scene = facts.scene;
    let passed = |branch: u32| [facts.read, facts.write].iter().any(|event| event.path.arms_of(branch).is_some());
    // Who is refused by the check comes to neither.
    let conds = facts.sequence.checks.iter().filter_map(|check| check.cond);
    let decided: Vec<u32> = conds.filter_map(|cond| scene.ev.cond(cond).decides).map(|by| by.branch).collect();
    // Nor does who is turned away elsewhere, up to that other write.
    let refused = |event: &Event, branch: u32, arms: u64| {
        decides(facts, event, branch)
            .any(|(_, by)| by.refused != 0 && by.refused & arms == 0 && (by.is_if || by.lacking == by.refused))
    };
    scene.between_of(Kind::Write, facts.read.id, facts.write.id).any(|event| {
        dependency::sets_in(event, (&facts.reads.table.name, column))
            && event
                .path
                .0
                .iter()
                .all(|(branch, arms)| passed(*branch) || decided.contains(branch) || refused(event, *branch, *arms))
            && is_of_row(facts, event)
    })
}

/// Whether a check belongs to a helper that writes the column itself, before this write: it was asked for that one.
pub fn is_a_helpers_own(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let (LooksAt::Column(column), Some(asked)) = (&check.looks_at, check.cond) else { return false };
    let scene = facts.scene;
    let depth = common(facts.read, facts.write);
    let Some(helper) = facts.read.calls.get(..=depth) else { return false };
    let of_helper = |function: FnId| facts.read.calls[depth..].iter().any(|call| call.function == function);
    // Or to a function that the helper asks.
    let asks = |cond: &CondId| {
        let cond = scene.ev.cond(*cond);
        of_helper(cond.function) && cond.inner.contains(&asked)
    };
    (of_helper(scene.ev.cond(asked).function) || scene.flow.conds.iter().any(asks))
        && scene.between_of(Kind::Write, facts.read.id, facts.write.id).any(|event| {
            event.calls.get(..=depth) == Some(helper) && dependency::sets_in(event, (&facts.reads.table.name, column))
        })
}

/// Whether the row is deleted later on the same way, where it is still there: nothing lasts of what was written to it.
pub fn is_deleted_after(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let there = |cond: CondId| matches!(scene.ev.terms.get(scene.ev.cond(cond).term), Term::Exists(of) if matches!(scene.ev.terms.get(*of), Term::Row(_)));
    facts.target.action == Action::Update
        && scene.after_of(Kind::Write, facts.write.id).any(|event| {
            event.does(Action::Delete)
                && event.path.0.iter().all(|(branch, arms)| {
                    facts.write.path.arms_of(*branch).is_some_and(|own| own & !arms == 0)
                        || decides(facts, event, *branch).any(|(cond, _)| there(cond))
                })
                && is_of_row(facts, event)
        })
}

/// Whether a write is one of the row that was read.
fn is_of_row(facts: &Facts<'_, '_>, event: &Event) -> bool {
    facts.scene.sequences(event).iter().any(|own| own.read == facts.read.id && own.relation == Relation::SameRow)
}

/// The conditions that decide a branch in which an event stands.
fn decides<'s>(
    facts: &'s Facts<'_, '_>,
    event: &'s Event,
    branch: u32,
) -> impl Iterator<Item = (CondId, Decided)> + use<'s> {
    let ev = facts.scene.ev;
    let conds = facts.scene.conditions(&event.deps).to_vec();
    conds.into_iter().filter_map(move |cond| Some((cond, ev.cond(cond).decides.filter(|by| by.branch == branch)?)))
}
