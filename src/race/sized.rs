//! A number that only says how large something is made: what is taken out of it was put there by others.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::event::{CondId, CondKind, EventId};
use crate::flow::term::{Origin, Part, Term, TermId, is_call};
use crate::race::scene::Scene;
use crate::sql::statement::{Aggregate, Statement};

/// How many parts of a value are looked at; what is made of more may hold the number as it is.
const PARTS: usize = 400;

/// Whether a condition only asks for what is in an object that a number of rows went into when it was made: `for entry in
/// Cache::of_size(count).iter()`, and what is done by what is in the entry. What is asked of the object itself may be
/// what it makes of the number.
pub(super) fn only_sizes(scene: &Scene<'_, '_>, id: CondId, statement: &Statement, origin: &Origin) -> bool {
    let cond = scene.ev.cond(id);
    let number = Number::of(scene, origin.event);
    let goes_through = |of: TermId| cond.kind == CondKind::Each && number.made(of);
    counts(statement, origin)
        && match scene.ev.terms.get(cond.term) {
            Term::Exists(of) => goes_through(*of) || number.only_in_objects(*of),
            _ => number.only_in_objects(cond.term),
        }
}

/// The same of a value: it is a part of such an object.
pub(super) fn is_taken_out(scene: &Scene<'_, '_>, value: TermId, statement: &Statement, origin: &Origin) -> bool {
    counts(statement, origin) && Number::of(scene, origin.event).only_in_objects(value)
}

/// Whether what comes from a statement is how many rows there are.
fn counts(statement: &Statement, origin: &Origin) -> bool {
    let only_number = || {
        statement.output.len() <= 1
            && statement.accesses.iter().all(|access| access.aggregate == Some(Aggregate::Count))
    };
    origin.part == Part::Length || only_number()
}

/// How many rows a statement found.
struct Number<'s, 'a, 'p> {
    scene: &'s Scene<'a, 'p>,
    read: EventId,
    /// What was found out of parts: whether each is such an object, and whether it has the number only in such.
    known: RefCell<FxHashMap<(TermId, bool), bool>>,
}

impl<'s, 'a, 'p> Number<'s, 'a, 'p> {
    fn of(scene: &'s Scene<'a, 'p>, read: EventId) -> Self {
        Self { scene, read, known: RefCell::default() }
    }

    fn once(&self, value: TermId, made: bool, find: impl FnOnce() -> bool) -> bool {
        if let Some(known) = self.known.borrow().get(&(value, made)) {
            return *known;
        }
        if self.known.borrow().len() >= PARTS {
            return false;
        }
        let found = find();
        self.known.borrow_mut().insert((value, made), found);
        found
    }

    fn is_in(&self, value: TermId) -> bool {
        self.scene.origins(value).iter().any(|origin| origin.event == self.read)
    }

    /// Whether a value has nothing of the number but parts of objects that were made with it.
    fn only_in_objects(&self, value: TermId) -> bool {
        !self.is_in(value) || self.once(value, false, || self.parts_are_in_objects(value))
    }

    fn parts_are_in_objects(&self, value: TermId) -> bool {
        match self.scene.ev.terms.get(value) {
            Term::Field(of, _) => self.made(*of) || self.only_in_objects(*of),
            Term::Computed(by, parts) if by == "get" => {
                parts.iter().all(|part| self.made(*part) || self.only_in_objects(*part))
            }
            Term::Exists(of) => self.only_in_objects(*of),
            Term::Either(parts) | Term::Computed(_, parts) => parts.iter().all(|part| self.only_in_objects(*part)),
            _ => false,
        }
    }

    /// Whether a value is an object that a type's function, which nobody knows, made with the number, or that a builder
    /// made which was told the number before: not what one call answers that is asked with it, nor the number itself in
    /// another form.
    fn made(&self, value: TermId) -> bool {
        self.once(value, true, || self.is_made(value))
    }

    fn is_made(&self, value: TermId) -> bool {
        match self.scene.ev.terms.get(value) {
            Term::Either(parts) => parts.iter().all(|part| !self.is_in(*part) || self.made(*part)),
            Term::Computed(by, parts) if is_call(by) => match by.rsplit_once("::") {
                Some((owner, name)) => is_type(owner) && !name.contains("from"),
                None => parts.first().is_some_and(|recv| self.is_told(*recv)) && !self.is_asked(parts),
            },
            _ => false,
        }
    }

    /// Whether a value is what an unknown method gave that was handed the number, or what others after it gave.
    fn is_told(&self, value: TermId) -> bool {
        match self.scene.ev.terms.get(value) {
            Term::Computed(by, parts) if is_call(by) && !by.contains("::") => {
                // A builder is made here; what was handed in answers.
                let by_builder = parts.first().is_some_and(|recv| !self.scene.ev.terms.matters(*recv));
                self.is_asked(parts) && by_builder || self.made(value)
            }
            _ => self.made(value),
        }
    }

    /// Whether a method is handed the number.
    fn is_asked(&self, parts: &[TermId]) -> bool {
        parts.iter().skip(1).any(|arg| self.is_in(*arg))
    }
}

/// Whether a path ends in the name of a type.
fn is_type(path: &str) -> bool {
    path.rsplit("::").next().is_some_and(|last| last.starts_with(char::is_uppercase))
}
