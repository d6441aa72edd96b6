//! Rivals: a check can only be spoiled by a statement that changes what was checked.

use crate::protect::Protection;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency};
use crate::sql::statement::Action;

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    let read = scene.access(sequence.read)?.statement.accesses.get(sequence.read_access)?;
    let target = scene.access(sequence.write)?.statement.target()?;
    let table = &read.table.name;
    let rivals = scene.rivals;
    // Of several rows the newest is another one when one more is inserted.
    let newest = read.ordered && sequence.relation == Relation::NewRowOfSet && target.action == Action::Insert;
    let changes = |part: &LooksAt| match part {
        LooksAt::Existence => match (sequence.relation, target.action) {
            (Relation::NewRowOfSet, Action::Insert) => true,
            // Two can hold a row that only one has deleted; whether that matters is for the rule to say.
            (Relation::SameRow | Relation::LikelySameRow, Action::Delete) => true,
            // A row that is gone is updated by nobody.
            (Relation::SameRow | Relation::LikelySameRow, _) => false,
            _ => rivals.deleted.contains(table) || rivals.inserted.contains(table),
        },
        LooksAt::Column(column) => {
            newest
                || rivals.updated_somehow.contains(table)
                || rivals.updated.get(table).is_some_and(|columns| columns.contains(column))
        }
        LooksAt::Aggregate => {
            rivals.inserted.contains(table) || rivals.updated.contains_key(table) || rivals.deleted.contains(table)
        }
        LooksAt::Row => {
            rivals.updated.contains_key(table)
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
