//! Unique keys that hold a number which was computed as the next one: two that compute the same are not both let in.

use crate::event::Access;
use crate::flow::term::TermId;
use crate::lower::tree::Name;
use crate::protect::constraint::asks_for;
use crate::race::scene::Scene;
use crate::race::{Sequence, dependency};
use crate::sql::schema::TableDef;
use crate::sql::statement::{Access as TableAccess, Aggregate, Compare};

/// A number computed as the next one, into a column that a unique key holds: the second request fails.
pub(super) fn computed(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
    table: &TableDef,
) -> Option<Vec<Name>> {
    let event = scene.flow.events.iter().find(|event| event.access().is_some_and(|a| std::ptr::eq(a, read.0)))?;
    let computed: Vec<&Name> = write
        .1
        .sets
        .iter()
        .filter(|set| {
            scene
                .terms_in(write.0, &set.value)
                .iter()
                .any(|term| scene.origins(*term).iter().any(|origin| origin.event == event.id && origin.computed))
        })
        .map(|set| &set.column)
        .collect();
    table
        .keys()
        .find(|key| {
            key.iter().any(|column| computed.contains(&column))
                && key.iter().all(|column| write.1.sets.iter().any(|set| set.column == *column))
        })
        .map(<[Name]>::to_vec)
}

/// The unique key that refuses a second row with the number after the last one, where the last one was compared with what
/// the caller expects, and the number is made of that: a version in a stream of events.
pub(super) fn after_the_last(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    write: (&Access, &TableAccess),
) -> Option<Vec<Name>> {
    let read = scene.access(sequence.read)?;
    let reads = read.statement.accesses.get(sequence.read_access)?;
    if reads.aggregate != Some(Aggregate::Extreme) || write.1.conflict.is_some() {
        return None;
    }
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == sequence.read);
    let compares =
        sequence.checks.iter().filter_map(|check| check.cond).flat_map(|cond| scene.ev.cond(cond).compares.iter());
    let expected: Vec<TermId> = compares
        .filter(|compare| {
            matches!(compare.op, Compare::Eq | Compare::Ne) && of_read(compare.left) != of_read(compare.right)
        })
        .map(|compare| if of_read(compare.left) { compare.right } else { compare.left })
        .filter(|term| !scene.ev.terms.is_constant(*term))
        .collect();
    let asked = |column: &Name| asks_for(&read.statement, reads, column);
    let next = |column: &Name| {
        let given = dependency::given_terms(scene, write, column);
        given.iter().any(|term| expected.iter().any(|expected| scene.ev.terms.mentions(*term, *expected)))
    };
    let given = |column: &Name| write.1.sets.iter().any(|set| set.column == *column);
    let table = scene.schema.table(&write.1.table.name)?;
    let fits = |key: &&[Name]| {
        key.iter().any(next) && key.iter().all(|column| given(column) && (asked(column) || next(column)))
    };
    table.keys().find(fits).map(<[Name]>::to_vec)
}
