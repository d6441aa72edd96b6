//! Rows that belong to another one: it is deleted since there are none, and whoever adds one in between is not asked.

use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{Sequence, side};
use crate::sql::schema::OnDelete;
use crate::sql::statement::{Access as TableAccess, Action, Compare, Operand, Predicate};

/// What becomes of a row that is added between the look and the DELETE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is deleted with the row that it belongs to.
    Deleted,
    /// It stays, and what it belongs to is gone.
    Left,
}

/// What the DELETE of a sequence does to a row that its read has not seen yet; none where the database refuses, where it is
/// not known what the rows belong to, and where nobody adds any.
pub fn added_meanwhile(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Added> {
    let (read, write) = (scene.access(sequence.read)?, scene.event(sequence.write)?);
    let reads = read.statement.accesses.get(sequence.read_access)?;
    let access = write.access()?;
    let target = access.statement.target().filter(|target| target.action == Action::Delete)?;
    if target.table.name == reads.table.name
        || !scene.rivals.inserted.contains(&reads.table.name)
        || !side::finds_none(scene, sequence, write)
    {
        return None;
    }
    let table = scene.schema.table(&reads.table.name)?;
    let same = |one: &Predicate, other: &Predicate| {
        let bound = |operand: &Operand| matches!(operand, Operand::Placeholder(_) | Operand::Named(_));
        bound(&one.value)
            && bound(&other.value)
            && scene.same_value((read, &one.value), (access, &other.value)) == Some(true)
    };
    let links = named(reads).flat_map(|(column, one)| {
        named(target).filter(move |(_, other)| same(one, other)).map(move |(key, _)| (column, key))
    });
    let becomes = |(column, key): (&Name, &Name)| {
        let mut refers = table.foreign_keys.iter().filter(|own| own.columns.contains(column)).peekable();
        if refers.peek().is_none() {
            let whole = scene.schema.table(&target.table.name).is_some_and(|own| own.primary_key == [key.clone()]);
            let known = !table.keys_unsaid && table.columns.iter().any(|own| own.name == *column);
            return (whole && known).then_some(Added::Left);
        }
        let own = refers.find(|own| own.table == target.table.name)?;
        match own.on_delete {
            OnDelete::Deletes => Some(Added::Deleted),
            OnDelete::Releases => Some(Added::Left),
            OnDelete::Refuses | OnDelete::Unsaid => None,
        }
    };
    links.into_iter().find_map(becomes)
}

/// The columns that an access compares with a value.
fn named(access: &TableAccess) -> impl Iterator<Item = (&Name, &Predicate)> {
    access.filter.iter().filter_map(|predicate| match (predicate.op, predicate.columns.as_slice()) {
        (Compare::Eq, [column]) => Some((column, predicate)),
        _ => None,
    })
}
