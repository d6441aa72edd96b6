//! Locks inside the process: a mutex, a semaphore of one, the one connection behind a mutex.

use crate::dialect::Dialect;
use crate::event::{Event, EventKind, Guard};
use crate::flow::term::{Term, TermId};
use crate::protect::{Protection, WhyNot};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::{Sequence, common};

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let (read, write) = (scene.event(sequence.read)?, scene.event(sequence.write)?);
    let of_process = |guard: &&Guard| guard.taken_by(&scene.ev.terms).is_none();
    let mut exclusive = read.guards.iter().filter(|guard| !guard.shared).filter(of_process);
    let held = exclusive.find(|guard| write.guards.iter().any(|other| other.guard == guard.guard));
    if let Some(guard) = held {
        if made_here(scene, guard.lock) {
            // One that a caller of both holds around them was made for something else.
            if common(read, write) == 0 {
                tried.push(WhyNot::LockPerRequest(guard.span));
            }
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
    // What the called function that reads takes and gives back by itself is for what it does itself.
    let here = common(read, write);
    let is_its_own = |event: &Event| read.calls.get(here).is_some_and(|call| event.calls.get(here) == Some(call));
    // What is over with the call that took it is nothing to who called.
    let around = |event: &Event| read.calls.starts_with(&event.calls) || write.calls.starts_with(&event.calls);
    let kept = |guard: &Guard| read.guards.iter().any(|held| held.guard == guard.guard);
    let taken: Vec<&Guard> = scene
        .before_of(Kind::Mutex, read.id)
        .filter(|event| !is_its_own(event) && !serves_a_helper(scene, event, write))
        .filter_map(|event| match &event.kind {
            EventKind::Locked(guard) if !guard.shared && (around(event) || kept(guard)) => Some(guard),
            _ => None,
        })
        .collect();
    let again = |guard: &Guard| write.guards.iter().any(|other| other.lock == guard.lock);
    // A lock around a value of the process that is given back before the row is read was meant for that value.
    let in_vain = |guard: &&&Guard| match kept(guard) {
        true => again(guard) || write.guards.is_empty(),
        false => guard.empty && read.on != Some(guard.guard),
    };
    tried.extend(taken.iter().find(in_vain).map(|guard| WhyNot::GuardDropped(guard.span)));
    None
}

/// Whether a lock is taken and given back inside a called function that does its own work under it, a cache that fills
/// itself: it was never meant for a write that comes after that call.
fn serves_a_helper(scene: &Scene<'_, '_>, locked: &Event, write: &Event) -> bool {
    let [call, ..] = &*locked.calls else { return false };
    write.calls.first() != Some(call) && scene.guards_its_call(locked)
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
