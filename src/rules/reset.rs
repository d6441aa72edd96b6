//! A number is read, goes on to be used, and is set back to where it began: what was added since is gone.

use crate::event::Event;
use crate::flow::term::{Origin, Part};
use crate::lower::tree::Name;
use crate::race::index::Kind;
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, Written, transaction};
use crate::rules::claim::Facts;
use crate::rules::loss::Counterpart;
use crate::rules::lost_update;
use crate::sql::statement::{Access as TableAccess, Action, Aggregate, Assignment, Compare, Verb};

/// In: an UPDATE. Out: the read before it of a column that it sets back, as one sequence, and who else adds to the column.
pub fn claims(scene: &Scene<'_, '_>, write: &Event) -> Option<(Sequence, Counterpart)> {
    let target = write.target().filter(|target| target.action == Action::Update)?;
    let columns: Vec<&Name> = target.sets.iter().map(|set| &set.column).collect();
    let columns: Vec<&Name> = columns.into_iter().filter(|column| sets_back(scene, write, column)).collect();
    if columns.is_empty() {
        return None;
    }
    let fits = |own: &TableAccess| matches!(own.aggregate, None | Some(Aggregate::Sum));
    let (read, read_access) = lost_update::read_whole(scene, write, Action::Update, fits)?;
    if scene.sequences(write).iter().any(|known| known.read == read.id) {
        return None;
    }
    let reads = read.access()?.statement.accesses.get(read_access)?;
    let by_key = rows::asked_by_key(scene, reads);
    columns.into_iter().filter(|column| is_used(scene, read, reads, column)).find_map(|column| {
        let from = LooksAt::Column(column.clone());
        let relation = if by_key { Relation::SameRow } else { Relation::RowOfSet };
        let values = vec![Written { column: column.clone(), from, computed: true, answered: false }];
        let sequence = Sequence { values, ..Sequence::of(read.id, write.id, read_access, relation) };
        let facts = Facts::of(scene, &sequence, &[])?;
        let other = facts.adding_writer(column, &facts.own_functions())?;
        Some((sequence, other))
    })
}

/// In: a DELETE of all rows that one value names. Out: the read of them before it, where what they say goes into rows of
/// another table: one that is added in between is deleted unread.
pub fn carried(scene: &Scene<'_, '_>, write: &Event) -> Option<Sequence> {
    let target = write.target()?;
    let (read, read_access) = lost_update::read_whole(scene, write, Action::Delete, |own| own.aggregate.is_none())?;
    let reads = read.access()?.statement.accesses.get(read_access)?;
    let listed = read.access()?.statement.verb == Verb::Select
        && reads.lock.is_none()
        && !reads.filter.is_empty()
        && reads.filter.iter().all(|predicate| predicate.op == Compare::Eq)
        && !rows::asked_by_key(scene, reads)
        && scene.rivals.inserted.contains(&target.table.name);
    let of_row = |origin: &Origin| origin.event == read.id && matches!(origin.part, Part::Column(_) | Part::Row);
    let takes_over = |event: &Event| {
        let (Some(access), Some(into)) = (event.access(), event.target()) else { return false };
        let from_row = |set: &Assignment| {
            scene.terms_in(access, &set.value).iter().any(|term| scene.origins(*term).iter().any(of_row))
        };
        into.action == Action::Insert
            && event.repeated
            && into.table.name != target.table.name
            && into.sets.iter().filter(|set| from_row(set)).count() > 1
    };
    let moved = || {
        scene.between_of(Kind::Write, read.id, write.id).any(takes_over)
            || scene.after_of(Kind::Write, write.id).any(takes_over)
    };
    (listed && !scene.outcome_used(write.id) && moved())
        .then(|| Sequence::of(read.id, write.id, read_access, Relation::RowOfSet))
}

/// In: a DELETE. Out: the statement before it that copies the same rows elsewhere, as one sequence, and who else changes one
/// of them in between: that is deleted with the old row, and not in the copy.
pub fn copied(scene: &Scene<'_, '_>, write: &Event) -> Option<(Sequence, Counterpart)> {
    let (copy, read_access) = lost_update::read_whole(scene, write, Action::Delete, |own| own.aggregate.is_none())?;
    let into = copy.target().filter(|target| target.action == Action::Insert)?;
    // A connection that was handed in may be in a transaction that nobody sees.
    let known = transaction::of(scene, write).is_some() || write.on.is_some_and(|on| scene.is_pool(on));
    if !known {
        return None;
    }
    into.sets.iter().find_map(|set| {
        let column = &set.column;
        let values = vec![Written { column: column.clone(), from: LooksAt::Row, computed: true, answered: false }];
        let sequence = Sequence { values, ..Sequence::of(copy.id, write.id, read_access, Relation::RowOfSet) };
        let facts = Facts::of(scene, &sequence, &[])?;
        let other = facts.adding_writer(column, &facts.own_functions())?;
        Some((sequence, other))
    })
}

/// Whether a write makes a column zero or empty.
pub fn sets_back(scene: &Scene<'_, '_>, write: &Event, column: &Name) -> bool {
    let Some(access) = write.access() else { return false };
    let mut sets = write.target().into_iter().flat_map(|target| &target.sets).filter(|set| set.column == *column);
    let begins = |text: &Name| matches!(text.trim_matches('\''), "0" | "0.0" | "0.00" | "[]" | "{}");
    sets.any(|set| access.constant(&scene.ev.terms, &set.value).is_some_and(|constant| begins(&constant)))
}

/// Whether what a column held goes into another row, or back to who asked.
fn is_used(scene: &Scene<'_, '_>, read: &Event, reads: &TableAccess, column: &Name) -> bool {
    let Some(statement) = read.access().map(|access| &*access.statement) else { return false };
    let of_column = |part: &Part| match scene.looks_at(statement, part, false) {
        LooksAt::Column(name) => name == *column,
        LooksAt::Aggregate => reads.columns.contains(column) || reads.aggregate == Some(Aggregate::Sum),
        _ => false,
    };
    let from_read = |term| scene.origins(term).iter().any(|origin| origin.event == read.id && of_column(&origin.part));
    let handed_back = from_read(scene.flow.returns.term);
    let written = |event: &Event| event.access().is_some_and(|access| access.binds.iter().any(|term| from_read(*term)));
    handed_back || scene.after_of(Kind::Write, read.id).any(written)
}
