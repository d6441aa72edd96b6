//! A later look that decides: what was read first only chose the message, and a locked read or a guarded write that
//! stands between has the last word.

use crate::event::{Event, EventKind};
use crate::flow::term::Part;
use crate::protect::{Protection, Verdict};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency};
use crate::sql::statement::{Action, Verb};

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    if !sequence.values.iter().all(|value| !value.computed) {
        return None;
    }
    let write = scene.event(sequence.write)?;
    later_read(scene, sequence, write).or_else(|| earlier_write(scene, sequence, write))
}

/// The same row is read again, under a lock or otherwise safely, and its columns decide.
fn later_read(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> Option<Protection> {
    let first = scene.access(sequence.read)?.statement.accesses.get(sequence.read_access)?;
    let wanted = sequence.checked_columns();
    let others = scene.sequences(write);
    for other in others.iter() {
        let later = scene.place(other.read) > scene.place(sequence.read);
        let Some(access) = scene.access(other.read).and_then(|access| access.statement.accesses.get(other.read_access))
        else {
            continue;
        };
        if !later || other.read == sequence.read || access.table.name != first.table.name || other.checks.is_empty() {
            continue;
        }
        let seen = other.checked_columns();
        let whole = other.checks.iter().any(|check| check.looks_at == LooksAt::Row);
        let covers = whole || wanted.iter().all(|column| seen.contains(column));
        let same_kind = !sequence.checks_aggregate() || other.checks_aggregate();
        let existence = !dependency::only_existence(other) || dependency::only_existence(sequence);
        if covers && same_kind && existence && matches!(scene.verdict(other), Verdict::Safe(_)) {
            return Some(Protection::Rechecked(other.read));
        }
    }
    None
}

/// An earlier write, itself protected against the same read, decides whether this one happens.
fn earlier_write(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> Option<Protection> {
    let mut deciding = Vec::new();
    for cond in scene.conditions(&write.deps).iter().copied() {
        for origin in scene.origins(scene.ev.cond(cond).term).iter() {
            let counts =
                matches!(origin.part, Part::Count | Part::Row | Part::Existence | Part::Column(_) | Part::Length);
            if counts && scene.place(origin.event) > scene.place(sequence.read) {
                deciding.push(origin.event);
            }
        }
    }
    deciding.sort_unstable();
    deciding.dedup();
    let by_error = scene.between_of(Kind::Write, sequence.read, sequence.write).filter(|event| {
        event
            .access()
            .and_then(|access| access.statement.target())
            .is_some_and(|target| target.action == Action::Insert)
            && matches!(event.kind, EventKind::Access(_))
    });
    let candidates: Vec<_> = deciding.into_iter().chain(by_error.map(|event| event.id)).collect();
    for id in candidates {
        let Some(event) = scene.event(id) else { continue };
        let Some(access) = event.access() else { continue };
        if access.statement.verb == Verb::Select || access.statement.target().is_none() || id == sequence.write {
            continue;
        }
        let Some(earlier) = scene.sequences(event).iter().find(|other| other.read == sequence.read).cloned() else {
            continue;
        };
        // A condition that looks at columns is only covered by a write that was safe on them.
        let rows = matches!(
            earlier.relation,
            crate::race::rows::Relation::SameRow
                | crate::race::rows::Relation::LikelySameRow
                | crate::race::rows::Relation::NewRowOfSet
        );
        if !rows || earlier.checks.is_empty() {
            continue;
        }
        if let Verdict::Safe(
            Protection::Guard
            | Protection::CompareAndSet
            | Protection::UniqueKey(_)
            | Protection::UniqueKeyInTransaction(_),
        ) = scene.verdict(&earlier)
        {
            return Some(Protection::Rechecked(id));
        }
    }
    None
}
