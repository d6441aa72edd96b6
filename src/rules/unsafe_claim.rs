//! A job or item is picked by a SELECT, then marked as taken.

use crate::finding::Confidence;
use crate::protect::WhyNot;
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
    if !facts.picks() {
        return None;
    }
    if facts.target.action == Action::Delete {
        let used = used_beyond_key(facts);
        return used.then_some(Confidence::Medium);
    }
    Some(facts.confidence())
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
