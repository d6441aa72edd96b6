//! Rivals: a check can only be spoiled by a statement that changes what was checked.

use crate::dialect::Dialect;
use crate::event::{Effect, EventKind};
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::protect::Protection;
use crate::race::rivals::Rivals;
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency};
use crate::sql::statement::{Access as TableAccess, Action, Aggregate, Compare, Limit, Predicate};

/// Whether statements of others change what a sequence goes by, where the sequence itself never runs twice at a time.
pub fn others_spoil(scene: &Scene<'_, '_>, sequence: &Sequence, others: &Rivals) -> bool {
    let Some(access) = scene.access(sequence.read) else { return true };
    if sequence.read == sequence.write {
        return access.statement.accesses.iter().any(|access| others.touch(&access.table.name));
    }
    let Some(read) = access.statement.accesses.get(sequence.read_access) else { return true };
    let table = &read.table.name;
    let target = scene.access(sequence.write).and_then(|access| access.statement.target());
    let overwrites = target.is_some_and(TableAccess::writes_over);
    let changes = |part: &LooksAt| match part {
        // Who inserts such a row as well, and asks before, does so in the same function; what is written over is lost
        // whether it was asked for or not.
        LooksAt::Existence if sequence.relation == Relation::NewRowOfSet && overwrites => {
            others.inserted.contains(table)
        }
        LooksAt::Existence | LooksAt::Aggregate if sequence.relation == Relation::NewRowOfSet => false,
        LooksAt::Existence => others.deleted.contains(table),
        LooksAt::Column(column) => others.changes(table, column) && may_meet_it(scene, others, (table, column)),
        LooksAt::Aggregate | LooksAt::Row => others.touch(table),
    };
    let parts =
        sequence.checks.iter().map(|check| &check.looks_at).chain(sequence.values.iter().map(|value| &value.from));
    let mut parts = parts.peekable();
    if parts.peek().is_none() { others.touch(table) } else { parts.any(changes) }
}

/// Whether one of the statements that change a column may find the row that was read: not where each of them only puts new
/// rows there, under keys of their own.
fn may_meet_it(scene: &Scene<'_, '_>, others: &Rivals, (table, column): (&Name, &Name)) -> bool {
    let writers = &scene.rivals.writers;
    let met = || writers.others((table, column), scene.flow.function, &[]).next().is_some();
    others.updated_somehow.contains(table) || writers.say_nothing(table, column) || met()
}

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    if in_another_file(scene, sequence) {
        return Some(Protection::NoRival);
    }
    let read = scene.access(sequence.read)?.statement.accesses.get(sequence.read_access)?;
    let target = scene.access(sequence.write)?.statement.target()?;
    let table = &read.table.name;
    let rivals = scene.rivals;
    // Of several rows the newest is another one when one more is inserted.
    let newest = read.ordered && sequence.relation == Relation::NewRowOfSet && target.action == Action::Insert;
    // Among several rows one more may be the one that was looked for.
    let among = sequence.relation == Relation::NewRowOfSet
        && target.action == Action::Insert
        && read.limit != Some(Limit::One)
        && !rows::asked_by_key(scene, read);
    let changes = |part: &LooksAt| match part {
        LooksAt::Existence => match (sequence.relation, target.action) {
            (Relation::NewRowOfSet, Action::Insert | Action::Update) => true,
            // Two can hold a row that only one has deleted; whether that matters is for the rule to say.
            (Relation::SameRow | Relation::LikelySameRow, Action::Delete) => true,
            // A row that is gone is updated by nobody.
            (Relation::SameRow | Relation::LikelySameRow, _) => false,
            _ => rivals.deleted.contains(table) || rivals.inserted.contains(table),
        },
        LooksAt::Column(column) => {
            newest
                || among
                || rivals.updated_somehow.contains(table)
                || rivals.updated.get(table).is_some_and(|columns| columns.contains(column))
        }
        // Rows that were asked for by their keys become fewer, and never others.
        LooksAt::Aggregate if counts_known_rows(scene, read) && sequence.relation != Relation::NewRowOfSet => {
            let chosen_by = |column: &Name| read.filter.iter().any(|predicate| predicate.columns.contains(column));
            rivals.deleted.contains(table)
                || rivals.updated_somehow.contains(table)
                || rivals.updated.get(table).is_some_and(|columns| columns.iter().any(chosen_by))
        }
        LooksAt::Aggregate => {
            rivals.inserted.contains(table) || rivals.updated.contains_key(table) || rivals.deleted.contains(table)
        }
        LooksAt::Row => {
            newest
                || among
                || rivals.updated.contains_key(table)
                || rivals.updated_somehow.contains(table)
                || rivals.deleted.contains(table)
        }
    };
    // A written value that was read from the row is stale when the row's column is written by anyone: by this write
    // itself for the next request.
    let stale = sequence.values.iter().any(|value| match &value.from {
        LooksAt::Column(_) | LooksAt::Aggregate | LooksAt::Row => changes(&value.from),
        LooksAt::Existence => false,
    });
    let checked = sequence.checks.iter().any(|check| changes(&check.looks_at));
    if dependency::only_existence(sequence) && !checked {
        return Some(Protection::Idempotent);
    }
    (!stale && !checked && !sequence.key_from_row).then_some(Protection::NoRival)
}

/// Whether a read only tells how many of some rows there are, each named by its key.
fn counts_known_rows(scene: &Scene<'_, '_>, read: &TableAccess) -> bool {
    let Some(table) = scene.schema.table(&read.table.name) else { return false };
    let [key] = table.primary_key.as_slice() else { return false };
    let names = |predicate: &Predicate| {
        matches!(predicate.op, Compare::Eq | Compare::In) && predicate.columns.as_slice() == std::slice::from_ref(key)
    };
    matches!(read.aggregate, None | Some(Aggregate::Count | Aggregate::Exists)) && read.filter.iter().any(names)
}

/// Whether the database that was read is moved away before the write, which goes to another that is opened for it.
fn in_another_file(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(read), Some(write)) = (scene.event(sequence.read), scene.event(sequence.write)) else { return false };
    let opened = |on: Option<TermId>| {
        let mut term = on?;
        while let Term::Field(of, _) = scene.ev.terms.get(term) {
            term = *of;
        }
        matches!(scene.ev.terms.get(term), Term::Computed(..) | Term::Fresh(_)).then_some(term)
    };
    let (Some(from), Some(to)) = (opened(read.on), opened(write.on)) else { return false };
    let moves = |effect: &Effect| effect.name.ends_with("rename") || effect.name.ends_with("remove_file");
    read.dialect == Dialect::Sqlite
        && from != to
        && scene
            .between(read.id, write.id)
            .any(|event| matches!(&event.kind, EventKind::Effect(effect) if moves(effect)))
}
