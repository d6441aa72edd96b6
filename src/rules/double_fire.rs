//! Between check and write something leaves the process: payment, mail, HTTP, message.

use crate::event::{EventId, EventKind};
use crate::finding::Confidence;
use crate::protect::{Protection, Verdict, judge};
use crate::race::scene::Scene;
use crate::race::{Sequence, dependency};
use crate::rules::claim::Facts;

pub const ID: &str = "double-fire";

/// The effect between the check and the write that claims, when nothing keeps a second request from it.
pub fn effect(facts: &Facts<'_, '_>) -> Option<(EventId, Confidence)> {
    if !facts.same_row() && !facts.inserts() {
        return None;
    }
    if !facts.sequence.checks_content() && !facts.inserts() && !facts.picks() {
        return None;
    }
    let scene = facts.scene;
    let conds: Vec<_> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let between = scene.between(facts.read.id, facts.write.id).find(|event| {
        matches!(event.kind, EventKind::Effect(_))
            && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
            && !claimed_before(scene, facts.sequence, event.id)
    })?;
    let EventKind::Effect(effect) = &between.kind else { return None };
    let confidence = if effect.certain { facts.confidence() } else { Confidence::Medium.min(facts.confidence()) };
    Some((between.id, confidence))
}

/// Whether a guarded write before the effect already decided who goes on.
fn claimed_before(scene: &Scene<'_, '_>, sequence: &Sequence, effect: EventId) -> bool {
    scene.between(sequence.read, effect).any(|event| {
        let writes = event.access().is_some_and(|access| access.statement.writes());
        writes
            && dependency::sequences(scene, event)
                .iter()
                .filter(|other| other.read == sequence.read)
                .any(|other| matches!(judge(scene, other), Verdict::Safe(protection) if !matches!(protection, Protection::Isolation(_) | Protection::Idempotent | Protection::NoRival)))
    })
}
