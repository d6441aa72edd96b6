//! That there is no row yet, not asked in a condition but written into the new one: who finds none marks his as the first.

use crate::event::{Access, EventId};
use crate::flow::term::{Origin, Part, Term, TermId};
use crate::lower::tree::Name;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, Written};
use crate::sql::statement::{Access as TableAccess, Action, Assignment, Compare};

/// Makes a check of each value of a new row that only tells whether one like it was found. In: a sequence of which it is known
/// how its rows lie to each other.
pub(super) fn is_check(scene: &Scene<'_, '_>, sequence: &mut Sequence) {
    let Some(write) = scene.access(sequence.write) else { return };
    let Some(target) = write.statement.target() else { return };
    if sequence.relation != Relation::NewRowOfSet || target.action != Action::Insert {
        return;
    }
    let told = |value: &Written| {
        let mut given = target.sets.iter().filter(|set| set.column == value.column);
        given.any(|set| is_told(scene, sequence.read, (write, set)))
    };
    let values = sequence.values.len();
    let kept: Vec<Written> = sequence.values.iter().filter(|value| !told(value)).cloned().collect();
    sequence.values = kept;
    let check = Check { cond: None, looks_at: LooksAt::Existence };
    if sequence.values.len() < values && !sequence.checks.contains(&check) {
        sequence.checks.push(check);
    }
}

/// Whether a row is inserted with a mark that says whether one like it was found.
pub fn is_mark(sequence: &Sequence) -> bool {
    let told = |check: &Check| check.cond.is_none() && check.looks_at == LooksAt::Existence;
    sequence.relation == Relation::NewRowOfSet && sequence.checks.iter().any(told)
}

/// The columns that get the mark.
pub fn marks(scene: &Scene<'_, '_>, sequence: &Sequence) -> Vec<Name> {
    let write = scene.access(sequence.write);
    let target = write.and_then(|write| write.statement.target());
    let Some((write, target)) = write.zip(target) else { return Vec::new() };
    let told = target.sets.iter().filter(|set| is_told(scene, sequence.read, (write, set)));
    told.map(|set| set.column.clone()).collect()
}

/// Whether a new row may be one of those that were asked for, by what was found: it gets the mark by which they were looked
/// for where there was none.
pub(super) fn fits(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    (read, rows): (&Access, &TableAccess),
    (write, target): (&Access, &TableAccess),
) -> bool {
    let mut marked = false;
    let each = rows.filter.iter().all(|predicate| {
        let [column] = predicate.columns.as_slice() else { return false };
        let Some(set) = target.sets.iter().find(|set| set.column == *column) else { return false };
        let told = is_told(scene, sequence.read, (write, set));
        marked |= told;
        told || predicate.op == Compare::Eq
            && scene.same_value((read, &predicate.value), (write, &set.value)) == Some(true)
    });
    target.action == Action::Insert && each && marked
}

/// Whether a value only tells whether a read found a row.
fn is_told(scene: &Scene<'_, '_>, read: EventId, (write, set): (&Access, &Assignment)) -> bool {
    let given = scene.terms_in(write, &set.value);
    !given.is_empty() && given.iter().all(|term| asks(scene, read, *term))
}

fn asks(scene: &Scene<'_, '_>, read: EventId, term: TermId) -> bool {
    let Some(statement) = scene.access(read).map(|access| &access.statement) else { return false };
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == read);
    let zero =
        |term: TermId| matches!(scene.ev.terms.get(term), Term::Literal(text) if matches!(text.as_str(), "0" | "1"));
    // A number of rows, or of those in a list.
    let counts = |origin: &Origin| {
        origin.event == read
            && origin.part != Part::Count
            && scene.looks_at(statement, &origin.part, true) == LooksAt::Existence
    };
    match scene.ev.terms.get(term) {
        Term::Computed(by, parts) => match (by.as_str(), &**parts) {
            ("!", [of]) => asks(scene, read, *of),
            ("&&" | "||", parts) => parts.iter().any(|part| asks(scene, read, *part)),
            ("==" | "!=" | "<" | "<=" | ">" | ">=", [left, right]) => [(*left, *right), (*right, *left)]
                .into_iter()
                .any(|(number, bound)| zero(bound) && of_read(number) && scene.origins(number).iter().all(counts)),
            _ => false,
        },
        // A row, or a list of them, as they are or made into records.
        Term::Exists(of) => !matches!(scene.ev.terms.get(*of), Term::Field(..)) && of_read(*of),
        // `SELECT EXISTS(…)`
        Term::Row(_) | Term::Field(..) => {
            let origins = scene.origins(term);
            let told = |origin: &Origin| {
                origin.event == read
                    && matches!(origin.part, Part::Row | Part::Column(_))
                    && scene.looks_at(statement, &origin.part, false) == LooksAt::Existence
            };
            !origins.is_empty() && origins.iter().all(told)
        }
        _ => false,
    }
}
