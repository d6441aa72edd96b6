//! Named locks, of a number or a text: which are taken for the row, and hold from the deciding read to the write's commit.
//!
//! Sources: PostgreSQL manual 9.28.10 "Advisory Lock Functions"; MySQL manual 14.14 "Locking Functions". Each case was also run
//! on PostgreSQL 15 and MariaDB 10.11.

use crate::dialect::{Dialect, Isolation};
use crate::event::{Access, Event, EventKind};
use crate::flow::term::{Params, Term, TermId};
use crate::protect::lock::{is_passed_by, serves_another};
use crate::protect::{Protection, Shape, WhyNot};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::transaction::{self, Transaction};
use crate::race::{Sequence, common};
use crate::sql::statement::{LockAct, LockCall, LockScope};

/// A named lock that all requests for the row take first.
pub(super) fn protects(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    shape: Shape,
    tried: &mut Vec<WhyNot>,
) -> Option<Protection> {
    let read = scene.event(sequence.read)?;
    let write = scene.event(sequence.write)?;
    for event in scene.before_of(Kind::Lock, write.id) {
        let Some(access) = event.access() else { continue };
        let calls = || access.statement.lock_calls().filter(|call| matches!(call.act, LockAct::Take | LockAct::Try));
        let Some(call) = calls().find(|call| !call.shared).or_else(|| calls().next()) else { continue };
        if is_of_another_call(scene, event, read, write) {
            continue;
        }
        let before = scene.place(event.id) < scene.place(read.id);
        if !before {
            // One that is gone before the write has no part in it.
            let lasts = || call.scope != LockScope::Transaction || transaction::is_one(scene, event, write);
            tried.extend((lasts() && !serves_another(scene, write, event)).then_some(WhyNot::LockAfterRead(event.id)));
            continue;
        }
        if is_passed_by(scene, event, write) {
            continue;
        }
        if !names_the_row(scene, access, call, sequence) {
            tried.extend((!serves_another(scene, write, event)).then_some(WhyNot::LockElsewhereRow(event.id)));
            continue;
        }
        if call.shared {
            tried.push(WhyNot::LockShared(event.id));
            continue;
        }
        let decides = || event.repeated || scene.deciding(write).contains(&event.id);
        if call.act == LockAct::Try && !(scene.result_used(event.id) && decides()) {
            tried.push(WhyNot::TryLockIgnored(event.id));
            continue;
        }
        let writer = transaction::maybe(scene, write);
        let holder = transaction::maybe(scene, event);
        if call.scope == LockScope::Transaction {
            let Some(holder) = holder else {
                tried.push(WhyNot::LockInAutocommit(event.id));
                continue;
            };
            if !writer.is_some_and(|writer| writer.is_same(&holder)) {
                tried.push(WhyNot::LockEnded(event.id));
                continue;
            }
            if event.dialect == Dialect::Postgres
                && holder.level == Isolation::RepeatableRead
                && shape != Shape::SameRow
            {
                tried.push(WhyNot::LockKeepsSnapshot(event.id));
                continue;
            }
        } else {
            if event.on.is_some_and(|on| scene.is_pool(on)) && holder.is_none() {
                tried.push(WhyNot::LockOfPool(event.id));
                continue;
            }
            let released = scene.between_of(Kind::Lock, event.id, write.id).any(releases);
            // A lock that is released before the transaction commits lets the next one read the old row.
            let early = writer.is_some_and(|writer| {
                let begun_before = writer.begin.is_none_or(|begin| scene.place(begin) < scene.place(event.id))
                    || holder.is_some_and(|holder| holder.is_same(&writer));
                begun_before && released_before_commit(scene, write, &writer)
            }) || writer.is_some() && released_before_commit(scene, write, &writer?);
            if released || early || !guard_lasts(scene, event, write, writer.as_ref()) {
                tried.push(WhyNot::LockReleasedEarly(event.id));
                continue;
            }
        }
        return Some(Protection::AdvisoryLock(event.id));
    }
    None
}

/// Whether a lock's key is a constant, or made of a value that finds the rows of the sequence.
fn names_the_row(scene: &Scene<'_, '_>, access: &Access, call: &LockCall, sequence: &Sequence) -> bool {
    let keys: Vec<_> = call
        .key
        .iter()
        .flat_map(|key| scene.terms_in(access, key))
        .filter(|term| !matches!(scene.ev.terms.get(*term), Term::Literal(_)))
        .collect();
    if keys.is_empty() {
        return true;
    }
    let terms = &scene.ev.terms;
    let asked_by: Vec<TermId> = [sequence.read, sequence.write]
        .into_iter()
        .filter_map(|id| scene.access(id))
        .flat_map(|other| {
            let filter = other.statement.accesses.iter().flat_map(|access| &access.filter);
            filter.flat_map(|predicate| scene.terms_in(other, &predicate.value)).collect::<Vec<_>>()
        })
        .collect();
    let within = |key: &TermId| asked_by.iter().any(|term| terms.mentions(*key, *term) || terms.mentions(*term, *key));
    // Both the key and what is asked for may be worked out of one value that was handed in.
    let handed_in = |all: &[TermId]| all.iter().fold(Params::default(), |known, term| known.with(terms.params(*term)));
    let worked_out = || handed_in(&keys) != Params::default() && handed_in(&keys).is_within(handed_in(&asked_by));
    // A key of which nothing is known may be any.
    keys.iter().any(within) || worked_out() || keys.iter().all(|key| matches!(terms.get(*key), Term::Fresh(_)))
}

/// Whether a call that neither reads nor writes what this is about takes the lock and gives it back: it is meant for what
/// that call does, such as what is done once before a connection is handed out.
pub fn is_of_another_call(scene: &Scene<'_, '_>, lock: &Event, read: &Event, write: &Event) -> bool {
    let holder = transaction::maybe(scene, lock);
    let ends = |event: &&Event| match event.kind {
        EventKind::Commit | EventKind::Rollback => {
            holder.as_ref().is_some_and(|holder| event.on == Some(holder.handle))
        }
        _ => releases(event),
    };
    let Some(end) = scene.after(lock.id).find(ends) else { return false };
    let around = common(lock, end);
    // What was handed in to be done under the lock stands in no call of its own.
    let outside = |event: &Event| {
        let under = scene.place(lock.id)..scene.place(end.id);
        common(lock, event) < around && !under.contains(&scene.place(event.id))
    };
    outside(read) && outside(write)
}

/// Whether the guard of a lock, where it has one, is held at an event.
pub fn is_held_at(scene: &Scene<'_, '_>, lock: &Event, event: &Event) -> bool {
    let own = |event: &Event| event.guards.iter().any(|guard| guard.taken_by(&scene.ev.terms) == Some(lock.id));
    !own(lock) || own(event)
}

/// The same at a write and at the commit of its transaction.
fn guard_lasts(scene: &Scene<'_, '_>, lock: &Event, write: &Event, writer: Option<&Transaction>) -> bool {
    let commits = |event: &&Event| {
        matches!(event.kind, EventKind::Commit) && writer.is_some_and(|writer| event.on == Some(writer.handle))
    };
    let held = |event: &Event| is_held_at(scene, lock, event);
    held(write) && scene.after(write.id).find(commits).is_none_or(held)
}

fn releases(event: &Event) -> bool {
    event.access().is_some_and(|access| {
        access.statement.lock_calls().any(|call| matches!(call.act, LockAct::Release | LockAct::ReleaseAll))
    })
}

fn released_before_commit(scene: &Scene<'_, '_>, write: &Event, tx: &Transaction) -> bool {
    for event in scene.after(write.id) {
        if matches!(event.kind, EventKind::Commit) && event.on == Some(tx.handle) {
            return false;
        }
        if releases(event) {
            return true;
        }
    }
    false
}
