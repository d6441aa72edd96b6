//! A number is added to, then read back and used as one's own: two requests that have both added read the same one.

use crate::event::Event;
use crate::finding::Confidence;
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency, rows, transaction};
use crate::rules::claim::Facts;
use crate::sql::statement::{Action, ConflictAction};

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    let column = column(facts.scene, facts.sequence)?;
    let (table, target) = (facts.scene.schema.table(&facts.target.table.name), &facts.sequence.values);
    // A key over the number refuses the second row.
    let given = |name: &Name| target.iter().any(|value| value.column == *name && is_from(&value.from, &column));
    let unique = table.is_some_and(|table| table.keys().any(|key| key.iter().any(given)));
    (facts.inserts() && !unique).then_some(Confidence::Medium)
}

/// The column of the row that was read which this request itself has added to before, in a statement that is committed by
/// then, and that goes into a new row.
pub fn column(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Name> {
    let (read, write) = (scene.event(sequence.read)?, scene.event(sequence.write)?);
    let access = read.access()?;
    let reads = access.statement.accesses.get(sequence.read_access).filter(|reads| reads.aggregate.is_none())?;
    if !write.does(Action::Insert) || reads.lock.is_some() {
        return None;
    }
    let added = |event: &Event, column: &Name| {
        let (Some(before), Some(target)) = (event.access(), event.target()) else { return false };
        let own_row = match target.action {
            Action::Update => rows::compare_keys(scene, (access, reads), (before, target)) == (true, false),
            Action::Insert => rows::adds_to(scene, (access, reads), (before, target)),
            Action::Delete | Action::Read => false,
        };
        target.table.name == reads.table.name
            && own_row
            && met(target).any(|set| set.column == *column && set.value.is_relative())
            && !transaction::is_one(scene, event, read)
    };
    sequence.values.iter().find_map(|value| match &value.from {
        LooksAt::Column(column) if scene.before(read.id).any(|event| added(event, column)) => Some(column.clone()),
        _ => None,
    })
}

/// What a write gives a row that is there.
fn met(target: &crate::sql::statement::Access) -> impl Iterator<Item = &crate::sql::statement::Assignment> {
    let upserted = target.conflict.as_ref().and_then(|conflict| match &conflict.action {
        ConflictAction::Update { sets, .. } => Some(sets.iter()),
        _ => None,
    });
    let updated = (target.action == Action::Update).then(|| dependency::written(target));
    upserted.into_iter().flatten().chain(updated.into_iter().flatten())
}

fn is_from(from: &LooksAt, column: &Name) -> bool {
    matches!(from, LooksAt::Column(name) if name == column)
}
