//! Locks inside the process: a mutex, a semaphore of one, the one connection behind a mutex.

use crate::dialect::Dialect;
use crate::event::EventKind;
use crate::flow::term::{Term, TermId};
use crate::protect::{Protection, WhyNot};
use crate::race::Sequence;
use crate::race::scene::Scene;

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let (read, write) = (scene.event(sequence.read)?, scene.event(sequence.write)?);
    let held = read.guards.iter().find(|guard| !guard.shared && write.guards.iter().any(|g| g.guard == guard.guard));
    if let Some(guard) = held {
        if made_here(scene, guard.lock) {
            tried.push(WhyNot::LockPerRequest);
            return None;
        }
        // The connection itself is behind the lock: there is no other way to the rows, for a database in the process.
        let own_connection = read.on == Some(guard.guard) && read.dialect == Dialect::Sqlite;
        if own_connection || scene.config.single_process {
            return Some(Protection::InProcess);
        }
        tried.push(WhyNot::OneProcess);
        return None;
    }
    // The connection itself is taken anew for each statement: it was never meant to protect more than that.
    if read.guards.iter().any(|guard| read.on == Some(guard.guard)) {
        return None;
    }
    let dropped = read.guards.iter().any(|guard| !guard.shared && write.guards.iter().any(|g| g.lock == guard.lock));
    let never_kept = scene.before(read.id).any(|event| {
        let EventKind::Locked(guard) = &event.kind else { return false };
        !guard.shared && read.on != Some(guard.guard) && read.guards.iter().all(|held| held.guard != guard.guard)
    });
    if dropped || never_kept || (!read.guards.is_empty() && write.guards.is_empty()) {
        tried.push(WhyNot::GuardDropped);
    }
    None
}

/// Whether a lock is none that two requests share: not handed in, not a field, not a static.
fn made_here(scene: &Scene<'_, '_>, lock: TermId) -> bool {
    let mut shared = false;
    scene.ev.terms.walk(lock, &mut |term| {
        shared |= match scene.ev.terms.get(term) {
            Term::Param(..) | Term::Row(_) => true,
            // Constants are told apart by their number.
            Term::Literal(text) => text.contains('#'),
            _ => false,
        };
    });
    !shared
}
