//! Who may go because others stay: a row is taken out of a set on the strength of the other rows in it.
//!
//! Two requests that each take out another row have no row in common, so that no level below SERIALIZABLE sees a conflict
//! (write skew; PostgreSQL manual 13.2.3, and the doctors on call of Cahill and others, "Serializable Isolation for Snapshot
//! Databases", 2008).

use crate::event::Access;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::race::rows::{Relation, asked_by_key};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency};
use crate::sql::statement::{Access as TableAccess, Action, Compare, Limit, Predicate};

/// Says of a sequence that it goes by how many rows of a set there are, where it asks for others than the one that it takes
/// out of the set.
pub(super) fn count(scene: &Scene<'_, '_>, sequence: &mut Sequence) {
    let (Some(read), Some(write)) = (scene.access(sequence.read), scene.access(sequence.write)) else { return };
    let Some(reads) = read.statement.accesses.get(sequence.read_access) else { return };
    let Some(target) = write.statement.target() else { return };
    let of_one_table = reads.action == Action::Read && reads.table.name == target.table.name;
    if !of_one_table
        || sequence.key_from_row
        || sequence.relation == Relation::NewRowOfSet
        || reads.limit == Some(Limit::One)
        || asked_by_key(scene, reads)
        || !asked_by_key(scene, target)
        || !takes_out((scene, sequence), (read, reads), (write, target))
    {
        return;
    }
    let others = leaves_out((scene, sequence), (read, reads), (write, target));
    if others {
        let there = sequence.checks.iter_mut().filter(|check| check.looks_at == LooksAt::Existence);
        there.for_each(|check| check.looks_at = LooksAt::Aggregate);
    }
    let counted = || reads.aggregate.is_none() && sequence.checks_aggregate() && names_brought(scene, (write, target));
    if others || counted() {
        sequence.relation = Relation::RowOfSet;
    }
}

/// Whether a write takes its row out of those that are asked for: it deletes it, or gives another state to a column that
/// is asked for a state, in the WHERE or by a condition in Rust.
fn takes_out(
    (scene, sequence): (&Scene<'_, '_>, &Sequence),
    (read, reads): (&Access, &TableAccess),
    (write, target): (&Access, &TableAccess),
) -> bool {
    let checked = sequence.checked_columns();
    let chooses = |column: &Name| {
        let by_state = |predicate: &Predicate| {
            predicate.columns.contains(column) && predicate.is_of_state(scene.ev.is_fixed(read, &predicate.value))
        };
        checked.contains(&column) || reads.filter.iter().any(by_state)
    };
    match target.action {
        Action::Delete => true,
        Action::Update => {
            dependency::written(target).any(|set| scene.ev.is_fixed(write, &set.value) && chooses(&set.column))
        }
        Action::Insert | Action::Read => false,
    }
}

/// Whether a write names its row by what its function was handed.
fn names_brought(scene: &Scene<'_, '_>, (write, target): (&Access, &TableAccess)) -> bool {
    let named = target.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
    let mut named = named.flat_map(|predicate| scene.terms_in(write, &predicate.value)).peekable();
    let is_brought = |mut term: TermId| {
        while let Term::Field(of, _) = scene.ev.terms.get(term) {
            term = *of;
        }
        matches!(scene.ev.terms.get(term), Term::Param(..))
    };
    named.peek().is_some() && named.all(is_brought)
}

/// Whether the row that is written is left out of those that are looked at: `id <> $1`, `row.id != id`.
fn leaves_out(
    (scene, sequence): (&Scene<'_, '_>, &Sequence),
    (read, reads): (&Access, &TableAccess),
    (write, target): (&Access, &TableAccess),
) -> bool {
    let key_of = |column: &Name| {
        let table = scene.schema.table(&target.table.name);
        let own = table.is_some_and(|table| table.keys().any(|key| key.contains(column)));
        target.equals(column).filter(|_| own)
    };
    let in_text = reads.filter.iter().any(|predicate| {
        let [column] = predicate.columns.as_slice() else { return false };
        predicate.op == Compare::Ne
            && key_of(column).is_some_and(|key| scene.same_value((read, &predicate.value), (write, key)) == Some(true))
    });
    let column_of = |term: TermId| {
        scene.origins(term).iter().filter(|origin| origin.event == sequence.read && !origin.computed).find_map(
            |origin| match scene.looks_at(&read.statement, &origin.part, false) {
                LooksAt::Column(column) => Some(column),
                _ => None,
            },
        )
    };
    let differs = |left: TermId, right: TermId| {
        let named = column_of(left).and_then(|column| key_of(&column).map(|key| scene.terms_in(write, key)));
        named.is_some_and(|named| named.contains(&right))
    };
    let in_rust = |term: TermId| {
        let mut found = false;
        scene.ev.terms.walk(term, &mut |part| {
            if let Term::Computed(by, parts) = scene.ev.terms.get(part)
                && let [left, right] = **parts
            {
                found |= by == "!=" && (differs(left, right) || differs(right, left));
            }
        });
        found
    };
    let Some(event) = scene.event(sequence.write) else { return false };
    in_text || scene.conditions(&event.deps).iter().any(|cond| in_rust(scene.ev.cond(*cond).term))
}
