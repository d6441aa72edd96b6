//! What is done to a row whichever way is taken: the check does not decide about it.

use crate::event::{CondId, Event};
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt};
use crate::rules::claim::Facts;

/// Whether who is turned away from the write by what was read sends the very same statement before he goes, so that the row
/// ends in the same way. Whether there was a row does not matter: there is none to be written then.
pub fn is_done(facts: &Facts<'_, '_>) -> bool {
    let mut content = facts.sequence.checks.iter().filter(|check| check.looks_at != LooksAt::Existence).peekable();
    content.peek().is_some() && content.all(|check| is_done_by_others(facts, check))
}

/// The same for one check: each arm beside the way to the write holds the same write.
fn is_done_by_others(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let scene = facts.scene;
    let Some(decides) = check.cond.and_then(|cond| scene.ev.cond(cond).decides) else { return false };
    let gone = decides.left | decides.refused;
    let others = match facts.write.path.arms_of(decides.branch) {
        Some(along) if decides.is_if => 0b11 & !along,
        Some(along) => gone & !along,
        None => gone,
    };
    let conds = scene.conditions(&facts.write.deps);
    let in_arm = |arm: u64| {
        scene.flow.events.iter().any(|event| {
            event.path.arms_of(decides.branch) == Some(arm)
                && is_same(event, facts.write)
                && is_certain(scene, event, decides.branch, &conds)
        })
    };
    others != 0 && (0..64).map(|place| 1u64 << place).filter(|arm| others & arm != 0).all(in_arm)
}

/// Whether two events send one statement with the same values.
fn is_same(one: &Event, other: &Event) -> bool {
    let (Some(a), Some(b)) = (one.access(), other.access()) else { return false };
    one.id != other.id && a.statement == b.statement && a.binds == b.binds && a.named == b.named && one.on == other.on
}

/// Whether an event happens in any case in its arm of a branch: further in there it only stands on the way on from tests that
/// the write depends on as well. Branches are numbered from the outermost on.
fn is_certain(scene: &Scene<'_, '_>, event: &Event, branch: u32, conds: &[CondId]) -> bool {
    let passed = |other: u32, arms: u64| {
        let mut decided = conds.iter().filter_map(|cond| scene.ev.cond(*cond).decides);
        decided.any(|decides| decides.branch == other && (decides.left | decides.refused) & arms == 0)
    };
    event.path.0.iter().all(|(other, arms)| *other <= branch || passed(*other, *arms))
}
