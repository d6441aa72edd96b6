//! Locks inside the process: a mutex, a semaphore of one, the one connection behind a mutex.

use crate::dialect::Dialect;
use crate::protect::{Protection, WhyNot};
use crate::race::Sequence;
use crate::race::scene::Scene;

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let (read, write) = (scene.event(sequence.read)?, scene.event(sequence.write)?);
    let held = read.guards.iter().find(|guard| !guard.shared && write.guards.iter().any(|g| g.guard == guard.guard));
    if let Some(guard) = held {
        // The connection itself is behind the lock: there is no other way to the rows, for a database in the process.
        let own_connection = read.on == Some(guard.guard) && read.dialect == Dialect::Sqlite;
        if own_connection || scene.config.single_process {
            return Some(Protection::InProcess);
        }
        tried.push(WhyNot::OneProcess);
        return None;
    }
    let dropped = read.guards.iter().any(|guard| !guard.shared && write.guards.iter().any(|g| g.lock == guard.lock));
    if dropped || (!read.guards.is_empty() && write.guards.is_empty()) {
        tried.push(WhyNot::GuardDropped);
    }
    None
}
