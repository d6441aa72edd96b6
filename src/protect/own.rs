//! Rows of one request: it made the key that it asks for, so that no second one asks for the same.

use crate::event::{Access, EventId};
use crate::flow::random::is_drawn;
use crate::flow::term::{Part, Term, TermId};
use crate::protect::Protection;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence};
use crate::sql::statement::{Action, Compare, ConflictAction};

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    let target = scene.access(sequence.write)?.statement.target()?;
    let new = target.action == Action::Insert && sequence.relation == Relation::NewRowOfSet;
    if !new && sequence.relation != Relation::SameRow {
        return None;
    }
    let read = scene.access(sequence.read)?;
    let own = read.statement.accesses.get(sequence.read_access)?.filter.iter().any(|predicate| {
        predicate.op == Compare::Eq
            && predicate.columns.len() == 1
            && scene.terms_in(read, &predicate.value).iter().any(|term| made_here(scene, sequence.read, *term))
    });
    own.then_some(Protection::OwnRow)
}

/// Whether this request made a value before it asked with it: it was drawn, or the database gave it to a row that was
/// inserted here.
fn made_here(scene: &Scene<'_, '_>, read: EventId, term: TermId) -> bool {
    let made = |part: &TermId| made_here(scene, read, *part);
    let terms = &scene.ev.terms;
    if is_drawn(terms, term) {
        return true;
    }
    match terms.get(term) {
        Term::Row(event) => inserted(scene, read, *event, &Part::Row),
        Term::Field(of, name) => match terms.get(*of) {
            Term::Row(event) => inserted(scene, read, *event, &Part::Column(name.clone())),
            _ => made(of),
        },
        // `result.last_insert_rowid()`
        Term::Computed(by, parts) if by.starts_with("last_insert") => {
            matches!(parts.first().map(|part| terms.get(*part)), Some(Term::Count(event)) if new_row(scene, read, *event).is_some())
        }
        // Encoded, or put beside constants.
        Term::Computed(_, parts) => {
            parts.iter().any(made) && parts.iter().all(|part| made(part) || !terms.matters(*part))
        }
        Term::Either(parts) => parts.iter().all(made),
        _ => false,
    }
}

/// Whether a part of what an INSERT gave back is a column that the database filled in.
fn inserted(scene: &Scene<'_, '_>, read: EventId, insert: EventId, part: &Part) -> bool {
    let Some(access) = new_row(scene, read, insert) else { return false };
    let LooksAt::Column(column) = scene.looks_at(&access.statement, part, false) else { return false };
    access.statement.target().is_some_and(|target| {
        !target.sets.is_empty() && target.sets.iter().all(|set| set.column != column && set.column != "?")
    })
}

/// An INSERT before the read that gives back no row that was there already.
fn new_row<'a>(scene: &Scene<'a, '_>, read: EventId, insert: EventId) -> Option<&'a Access> {
    let access = scene.access(insert)?;
    let target = access.statement.target()?;
    let kept = target.conflict.as_ref().is_none_or(|conflict| conflict.action == ConflictAction::Nothing);
    (target.action == Action::Insert && kept && scene.place(insert) < scene.place(read)).then_some(access)
}
