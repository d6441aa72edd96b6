//! A value is read, a new one is computed in Rust and written back.

use crate::event::{Access, Event};
use crate::finding::Confidence;
use crate::lower::tree::Name;
use crate::protect::constraint::meets_another;
use crate::race::index::Kind;
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, Written, dependency, next};
use crate::rules::claim::Facts;
use crate::rules::loss::Loss;
use crate::sql::statement::{Access as TableAccess, Action, Assignment, ConflictAction};

pub const ID: &str = "lost-update";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.sequence.values.is_empty() || !facts.stale_values() || !reaches_existing(facts) {
        return None;
    }
    let conflict = facts.target.conflict.as_ref().map(|conflict| &conflict.action);
    let fresh_row = facts.inserts() && matches!(conflict, None | Some(ConflictAction::Nothing));
    if fresh_row {
        let computed = facts.sequence.values.iter().any(|value| value.computed && value.from != LooksAt::Existence);
        let next_number =
            facts.sequence.relation == Relation::NewRowOfSet && computed && facts.reads.aggregate.is_some();
        if next_number {
            return Some(Confidence::Medium);
        }
        let counted = facts.sequence.relation == Relation::NewRowOfSet
            && next::column(facts.scene, facts.sequence, facts.reads).is_some();
        // Without its definition nobody knows whether a unique key refuses the second row.
        let known = facts.scene.schema.table(&facts.target.table.name).is_some_and(|table| !table.keys_unsaid);
        return counted.then_some(if known { Confidence::Medium } else { Confidence::Low });
    }
    if moves_to_others(facts) {
        return None;
    }
    let of_row = facts.same_row() || facts.sequence.relation == Relation::NewRowOfSet;
    if !of_row {
        return None;
    }
    // An upsert leaves a row that is there its key.
    let mut reaching = facts.sequence.values.iter().filter(|value| reaches(facts, value));
    if reaching.all(|value| value.answered && !value.is_own()) {
        // What the outside said is new, and stands in a column of its own.
        return None;
    }
    if matches!(facts.loss(), Loss::Nobody) {
        // Two runs write the same, and no other statement gives these columns a value of its own.
        return Some(Confidence::Low);
    }
    let own_column = facts.sequence.values.iter().any(|value| match &value.from {
        LooksAt::Column(column) => *column == value.column,
        LooksAt::Row | LooksAt::Aggregate => true,
        LooksAt::Existence => false,
    });
    let computed = facts.sequence.values.iter().any(|value| value.computed && value.from != LooksAt::Existence);
    if !facts.computed_from_row() {
        return Some(Confidence::Medium.min(facts.confidence()));
    }
    match (own_column, computed) {
        (true, _) => Some(facts.confidence()),
        (false, true) => Some(Confidence::Medium),
        // One column is copied to another.
        (false, false) => Some(Confidence::Low),
    }
}

/// Whether a row is moved among those that were read, so that it is none of them and what it held is not what was read. The
/// one number that was read, of all or of the last one, may be the one it goes by.
fn moves_to_others(facts: &Facts<'_, '_>) -> bool {
    let one = |read: &Access| matches!(read.statement.output.as_slice(), [one] if !one.from.is_empty());
    let number = || facts.reads.aggregate.is_some() || facts.read.access().is_some_and(one);
    facts.sequence.relation == Relation::NewRowOfSet && facts.target.action == Action::Update && !number()
}

/// All rows of a set are read, deleted, and put back changed: one that is added in between is deleted with them.
///
/// In: a DELETE. Out: the read before it and what is put back after it, as one sequence.
pub fn emptied(scene: &Scene<'_, '_>, write: &Event) -> Option<Sequence> {
    let target = write.target()?;
    let (read, read_access) = read_whole(scene, write, Action::Delete, |access| access.aggregate.is_none())?;
    // To one row that is named by its key none is added, and what nobody changes is put back as it is.
    let reads = read.access()?.statement.accesses.get(read_access)?;
    let one = rows::asked_by_key(scene, reads);
    let stays = |column: &Name| one && !scene.rivals.changes(&reads.table.name, column);
    let deleted = write.access()?;
    let put_back = |event: &Event| {
        let access = event.access()?;
        let inserted = access.statement.target().filter(|inserted| inserted.table.name == target.table.name)?;
        // What the rows were deleted by says which they are, and is no part of what stood in them.
        let names = |set: &Assignment| {
            let key = target.equals(&set.column);
            key.is_some_and(|key| scene.same_value((deleted, key), (access, &set.value)) == Some(true))
        };
        let from_read = |set: &&Assignment| {
            let origins = dependency::given(scene, (access, inserted), &set.column);
            origins.iter().any(|origin| origin.event == read.id) && !names(set)
        };
        let sets = inserted.sets.iter().filter(from_read).map(|set| set.column.clone());
        let columns: Vec<Name> = sets.filter(|column| inserted.action == Action::Insert && !stays(column)).collect();
        (!columns.is_empty()).then_some(columns)
    };
    let columns = scene.after_of(Kind::Write, write.id).find_map(put_back)?;
    let value = |column| Written { column, from: LooksAt::Row, computed: true, answered: false };
    Some(Sequence {
        values: columns.into_iter().map(value).collect(),
        ..Sequence::of(read.id, write.id, read_access, Relation::RowOfSet)
    })
}

/// The last read of all the rows that a DELETE deletes, or an UPDATE changes.
pub fn read_whole<'a>(
    scene: &Scene<'a, '_>,
    write: &Event,
    action: Action,
    fits: impl Fn(&TableAccess) -> bool,
) -> Option<(&'a Event, usize)> {
    let deleted = write.access()?;
    let target = deleted.statement.target().filter(|target| target.action == action)?;
    let reads = scene.before(write.id).filter_map(|event| {
        let access = event.access()?;
        let alike = |own: &&TableAccess| {
            let keys = rows::compare_keys(scene, (access, own), (deleted, target));
            own.table.name == target.table.name
                && own.action == Action::Read
                && own.limit.is_none()
                && fits(own)
                && own.filter.len() == target.filter.len()
                && (own.filter.is_empty() || keys == (true, false))
        };
        let read_access = access.statement.accesses.iter().position(|own| alike(&own))?;
        Some((event, read_access))
    });
    reads.last()
}

/// Whether a value reaches the row that was read: an upsert writes over it only what its conflict clause names.
fn reaches_existing(facts: &Facts<'_, '_>) -> bool {
    let conflict = facts.target.conflict.as_ref().map(|conflict| &conflict.action);
    let elsewhere =
        || matches!(conflict, Some(ConflictAction::Update { .. })) && meets_another(facts.scene, facts.sequence);
    !elsewhere() && facts.sequence.values.iter().any(|value| reaches(facts, value))
}

fn reaches(facts: &Facts<'_, '_>, value: &Written) -> bool {
    match facts.target.conflict.as_ref().map(|conflict| &conflict.action) {
        Some(ConflictAction::Update { sets, .. }) => sets.iter().any(|set| set.column == value.column),
        Some(ConflictAction::Nothing | ConflictAction::Replace) | None => true,
    }
}
