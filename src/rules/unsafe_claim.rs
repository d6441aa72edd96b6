//! A job or item is picked by a SELECT, then marked as taken.

use crate::finding::Confidence;
use crate::protect::WhyNot;
use crate::race::Sequence;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::rules::claim::Facts;
use crate::sql::statement::{Action, Compare, Predicate};

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

/// Whether the rows are asked for by a value that a request brings, and are not what a worker comes across.
pub fn is_asked_for(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let Some(read) = scene.access(sequence.read) else { return false };
    let Some(reads) = read.statement.accesses.get(sequence.read_access) else { return false };
    let brought = |predicate: &Predicate| {
        let asked = scene.terms_in(read, &predicate.value);
        asked.iter().any(|term| scene.ev.terms.matters(*term))
    };
    reads.filter.iter().any(|predicate| predicate.op == Compare::Eq && brought(predicate))
}

/// Whether the row was deleted before this write, and only one worker could do that: what comes after is the taker's own.
fn taken_before(facts: &Facts<'_, '_>) -> bool {
    facts.decided_before(facts.write.id).any(|(write, sequence, _)| {
        write.does(Action::Delete) && matches!(sequence.relation, Relation::SameRow | Relation::LikelySameRow)
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
