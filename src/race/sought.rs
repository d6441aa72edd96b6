//! What rows were asked for by, and what a new one holds in the same column: can it be one of them?

use crate::event::Access;
use crate::flow::term::{Term, TermId};
use crate::race::Sequence;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::sql::schema::TableDef;
use crate::sql::statement::{Access as TableAccess, Assignment, Compare, Operand, Predicate};

/// Whether rows were asked for by a constant that a caller may bring for the new one as well: where it does not, it says so. In
/// a key each constant names another row.
pub(super) fn may_be_brought(
    scene: &Scene<'_, '_>,
    table: Option<&TableDef>,
    (read, asked): (&Access, &Predicate),
    (write, given): (&Access, &Assignment),
) -> bool {
    let brought = || write.bound(&given.value).is_some_and(|term| scene.ev.terms.is_of_params(term));
    let of_key = || table.is_some_and(|table| table.keys().any(|key| key.contains(&given.column)));
    matches!(asked.value, Operand::Literal(_)) || scene.ev.is_fixed(read, &asked.value) && brought() && !of_key()
}

/// Whether only the callers say that a new row is one of those that were asked for: they bring what was asked for by a
/// constant.
pub fn hangs_on_callers(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(read), Some(write)) = (scene.access(sequence.read), scene.access(sequence.write)) else { return false };
    let Some(target) = write.statement.target().filter(|_| sequence.relation == Relation::NewRowOfSet) else {
        return false;
    };
    let filter = read.statement.accesses.get(sequence.read_access).map_or(&[][..], |own| own.filter.as_slice());
    filter.iter().filter(|asked| asked.op == Compare::Eq && scene.ev.is_fixed(read, &asked.value)).any(|asked| {
        let mut given = target.sets.iter().filter(|set| asked.columns.as_slice() == std::slice::from_ref(&set.column));
        given.any(|set| write.bound(&set.value).is_some_and(|term| scene.ev.terms.is_of_params(term)))
    })
}

/// Whether rows were asked for that hold nothing in a column in which the new one holds a constant, or the key of a row.
pub(super) fn holds_what_they_lack(scene: &Scene<'_, '_>, read: &TableAccess, write: (&Access, &TableAccess)) -> bool {
    let key = |term: TermId| {
        let Term::Field(of, column) = scene.ev.terms.get(term) else { return false };
        let Term::Row(found) = scene.ev.terms.get(*of) else { return false };
        let found = scene.access(*found).and_then(|access| access.statement.accesses.first());
        let table = found.and_then(|found| scene.schema.table(&found.table.name));
        table.is_some_and(|table| table.primary_key.contains(column))
    };
    let something = |set: &Assignment| {
        let fixed = scene.ev.is_fixed(write.0, &set.value) && set.value != Operand::Null;
        fixed || write.0.bound(&set.value).is_some_and(key)
    };
    let lacked = read.filter.iter().filter(|predicate| predicate.op == Compare::IsNull && predicate.columns.len() == 1);
    lacked
        .into_iter()
        .any(|predicate| write.1.sets.iter().any(|set| set.column == predicate.columns[0] && something(set)))
}
