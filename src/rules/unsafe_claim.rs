//! A job or item is picked by a SELECT, then marked as taken.

use crate::finding::Confidence;
use crate::protect::{Protection, Verdict, WhyNot};
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::rules::claim::Facts;
use crate::sql::statement::Action;

pub const ID: &str = "unsafe-claim";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.inserts() || !facts.same_row() {
        return None;
    }
    if facts.tried.contains(&WhyNot::ClaimRunsOut) {
        return Some(Confidence::Medium.min(facts.confidence()));
    }
    if !facts.picks() || taken_before(facts) {
        return None;
    }
    if facts.target.action == Action::Delete {
        let used = used_beyond_key(facts);
        return used.then_some(Confidence::Medium);
    }
    Some(facts.confidence())
}

/// Whether the row was deleted before this write, and only one worker could do that: what comes after is the taker's own.
fn taken_before(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    scene.between_of(Kind::Write, facts.read.id, facts.write.id).any(|event| {
        let target = event.access().and_then(|access| access.statement.target());
        target.is_some_and(|target| target.action == Action::Delete)
            && scene.sequences(event).iter().any(|other| {
                let same = matches!(other.relation, Relation::SameRow | Relation::LikelySameRow);
                let held =
                    |protection: &Protection| !matches!(protection, Protection::Idempotent | Protection::NoRival);
                same && other.read == facts.read.id
                    && matches!(scene.verdict(other), Verdict::Safe(protection) if held(&protection))
            })
    })
}

/// Whether anything is done with the picked row besides deleting it: deleting twice harms nobody.
fn used_beyond_key(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let from_read = |term| scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    from_read(scene.flow.returns.term)
        || scene.after(facts.read.id).any(|event| match &event.kind {
            crate::event::EventKind::Access(access) => {
                event.id != facts.write.id
                    && access.statement.writes()
                    && access.binds.iter().any(|term| from_read(*term))
            }
            crate::event::EventKind::Effect(_) => true,
            _ => false,
        })
}
