//! Whether something was found, asked of a record that was made of a row: be it handed on as it was, be it the part that
//! another record keeps it in.

use crate::event::EventId;
use crate::flow::term::{Origin, Part, Term, TermId, field_place, is_call, is_record};
use crate::lower::tree::Name;
use crate::race::scene::Scene;

/// How many steps a value is followed.
const DEPTH: usize = 8;

/// The statement whose row is there where a condition finds that a record is: it was made of that row, and what was put
/// into it of other statements decides nothing.
pub fn asked_for(scene: &Scene<'_, '_>, asked: TermId) -> Option<EventId> {
    let Term::Exists(of) = scene.ev.terms.get(asked) else { return None };
    let mut parts: Vec<Kept> = Vec::new();
    one_of(scene, *of, 0, &mut parts)?;
    let mut found = None;
    for part in parts {
        let read = made_of(scene, &part)?;
        if found.is_some_and(|known| known != read) {
            return None;
        }
        found = Some(read);
    }
    found
}

/// A value that a condition may be about.
struct Kept {
    of: TermId,
    /// It is some field of what a call made of it: of a record that was decoded.
    decoded: bool,
}

/// The values that something is one of, but for constants: a field of one of several is that field of one of them, and what
/// is kept of no statement's result is none. None where one of them is not known by itself.
fn one_of(scene: &Scene<'_, '_>, term: TermId, depth: usize, found: &mut Vec<Kept>) -> Option<()> {
    let terms = &scene.ev.terms;
    match terms.get(term) {
        _ if scene.origins(term).is_empty() => Some(()),
        _ if depth > DEPTH => None,
        Term::Either(parts) => parts.iter().try_for_each(|part| one_of(scene, *part, depth + 1, found)),
        Term::Field(of, name) if is_of_several(scene, *of) => {
            let mut outer = Vec::new();
            one_of(scene, *of, depth + 1, &mut outer)?;
            outer.into_iter().try_for_each(|part| {
                if part.decoded || matches!(terms.get(part.of), Term::Computed(by, _) if is_call(by)) {
                    found.push(Kept { decoded: true, ..part });
                    return Some(());
                }
                one_of(scene, field_of(scene, part.of, name)?, depth + 1, found)
            })
        }
        _ => {
            found.push(Kept { of: term, decoded: false });
            Some(())
        }
    }
}

/// Whether a value is one of several, or a field of such a one.
fn is_of_several(scene: &Scene<'_, '_>, mut term: TermId) -> bool {
    while let Term::Field(of, _) = scene.ev.terms.get(term) {
        term = *of;
    }
    matches!(scene.ev.terms.get(term), Term::Either(_))
}

/// What a record keeps in one of its fields.
fn field_of(scene: &Scene<'_, '_>, record: TermId, name: &Name) -> Option<TermId> {
    let Term::Computed(by, parts) = scene.ev.terms.get(record) else { return None };
    parts.get(field_place(by, name)?).copied()
}

/// The statement that gave the row which a record was made of.
fn made_of(scene: &Scene<'_, '_>, part: &Kept) -> Option<EventId> {
    let mut record = part.of;
    while let Term::Computed(by, parts) = scene.ev.terms.get(record)
        && by == "with"
    {
        record = parts[0];
    }
    match scene.ev.terms.get(record) {
        Term::Row(event) if record != part.of => Some(*event),
        Term::Computed(by, _) if is_record(by) || part.decoded => {
            let origins = scene.origins(record);
            let read = origins.iter().map(|origin| origin.event).min_by_key(|event| scene.place(*event))?;
            let column = |origin: &&Origin| origin.event == read && matches!(origin.part, Part::Column(_));
            origins.iter().filter(column).nth(1).map(|_| read)
        }
        _ => None,
    }
}
