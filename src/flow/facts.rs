//! What is known of a term from what it is made of, worked out once, when it is made.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::event::EventId;
use crate::flow::names::Marks;
use crate::flow::term::{ANSWER, ENCODED, Term, TermId, Terms, View, is_measure, is_record, is_struct};
use crate::lower::tree::Name;

/// What is worked out of a term when it is made.
pub(super) struct Facts {
    pub(super) origins: Arc<[Origin]>,
    /// The parameters inside of it.
    pub(super) params: Params,
    pub(super) has: Has,
    /// Whose names stand in it.
    pub(super) marks: Marks,
    /// How many terms stand inside each other.
    pub(super) depth: u16,
    /// What it became in the latest mapping that asked.
    pub(super) mapped: Mapped,
}

/// What a term has become, and the turn of the mapping in which it has.
#[derive(Clone, Copy, Default)]
pub(super) struct Mapped {
    turn: u32,
    to: u32,
}

/// What stands inside a term, itself included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Has(pub(super) u8);

impl Has {
    pub(super) const FRESH: Self = Self(1);
    pub(super) const TRANSACTION: Self = Self(2);
    /// An order is asked for, or a sum or difference.
    pub(super) const MEASURE: Self = Self(4);
    /// A struct that was put together of its fields.
    pub(super) const RECORD: Self = Self(8);

    pub(super) fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
}

/// A set of parameters of one function, by their places; what is from the 32nd on is one member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params(u32);

impl Params {
    fn one(place: u16) -> Self {
        Self(1 << place.min(31))
    }

    /// The members of both.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all members are those of the other one as well.
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether `holds` is true of the place of a member.
    pub fn any(self, count: usize, mut holds: impl FnMut(usize) -> bool) -> bool {
        self.0 != 0 && (0..count).any(|place| self.0 & (1 << place.min(31)) != 0 && holds(place))
    }
}

/// One use of a statement's result inside a term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub event: EventId,
    pub part: Part,
    /// The value went through arithmetic or a call on its way.
    pub computed: bool,
    /// It is what the outside answered when it was asked with the value.
    pub answered: bool,
}

/// Which part of a result a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// One column, by the name or the position the program uses.
    Column(Name),
    /// The row as a whole, or a single-column result.
    Row,
    /// Whether there was a row.
    Existence,
    /// How many rows were changed.
    Count,
    /// How many rows were read.
    Length,
}

/// How many results of statements one value is followed to; further ones are not seen.
const ORIGINS: usize = 128;

impl Terms {
    /// The turn of a mapping that is about to begin.
    pub(super) fn next_turn(&mut self) -> u32 {
        self.turn += 1;
        self.turn
    }

    /// What a term became in this mapping, unless nobody has asked or another mapping has since.
    pub(super) fn mapped(&self, id: TermId, turn: u32) -> Option<TermId> {
        let mapped = self.facts(id).mapped;
        (mapped.turn == turn).then_some(TermId(mapped.to))
    }

    pub(super) fn remember_mapped(&mut self, id: TermId, turn: u32, to: TermId) {
        self.facts_mut(id).mapped = Mapped { turn, to: to.0 };
    }

    /// Whether rows were made into records, as they are: several columns of one statement.
    fn is_mapped_row(&self, id: TermId) -> bool {
        let Term::Computed(by, parts) = self.get(id) else { return false };
        let plain = |part: &&TermId| match self.get(**part) {
            Term::Field(of, _) => matches!(self.get(*of), Term::Row(_)),
            _ => false,
        };
        let told = parts.iter().filter(|part| !self.origins(**part).is_empty());
        is_record(by) && told.clone().count() > 1 && told.clone().all(|part| plain(&part))
    }

    fn is_record(&self, id: TermId) -> bool {
        match self.get(id) {
            Term::Computed(by, _) => is_record(by),
            Term::Either(parts) => {
                parts.iter().any(|part| matches!(self.get(*part), Term::Computed(..)) && self.is_record(*part))
            }
            _ => false,
        }
    }

    /// What is known of a term from what is known of its parts.
    pub(super) fn facts_of(&self, term: &View<'_>) -> Facts {
        let of_event = |event: EventId| Marks::of(self.names.of_event(event.0));
        let one = |event: EventId, part: Part| Facts {
            origins: Arc::from([Origin { event, part, computed: false, answered: false }]),
            params: Params::default(),
            has: Has::default(),
            marks: of_event(event),
            depth: 0,
            mapped: Mapped::default(),
        };
        let none = |params: Params, has: Has, marks: Marks| {
            let origins = self.none.clone();
            Facts { origins, params, has, marks, depth: 0, mapped: Mapped::default() }
        };
        match *term {
            View::Row(event) => one(event, Part::Row),
            View::Count(event) => one(event, Part::Count),
            View::Param(_, place) => none(Params::one(place), Has::default(), Marks::default()),
            View::Literal(_) => none(Params::default(), Has::default(), Marks::default()),
            View::Fresh(unknown) => none(Params::default(), Has::FRESH, Marks::of(self.names.of_unknown(unknown))),
            View::Transaction(event) => none(Params::default(), Has::TRANSACTION, of_event(event)),
            View::Field(of, name) => {
                let rows: &[TermId] = match self.get(of) {
                    Term::Either(parts) => parts,
                    _ => &[of],
                };
                let facts = self.joined(rows, |row, origin| match self.get(row) {
                    Term::Row(_) => Origin { part: Part::Column(name.clone()), ..origin.clone() },
                    _ => origin.clone(),
                });
                named_field(facts, name)
            }
            View::Exists(of) => {
                // A struct made of a row's columns is there when the row is; a column by itself may be null.
                let column = matches!(self.get(of), Term::Field(..));
                let record = self.is_record(of);
                self.joined(&[of], |_, origin| match origin.part {
                    Part::Row => Origin { part: Part::Existence, ..origin.clone() },
                    Part::Column(_) if !column && record => {
                        Origin { part: Part::Existence, computed: false, ..origin.clone() }
                    }
                    _ => origin.clone(),
                })
            }
            View::Computed(by, parts) => {
                let length = by == "len";
                let of_records = length && parts.first().is_some_and(|list| self.is_mapped_row(*list));
                let answer = by == ANSWER;
                // Putting values side by side computes nothing, nor does another form of one.
                let kept = is_record(by) || by == "with" || by.starts_with(ENCODED);
                let measures = is_measure(by);
                let mut facts = self.joined(parts, |_, origin| {
                    let part = match origin.part {
                        Part::Row if length => Part::Length,
                        Part::Column(_) if of_records => Part::Length,
                        _ => origin.part.clone(),
                    };
                    let computed = !kept || origin.computed;
                    Origin { part, computed, answered: answer || origin.answered, ..origin.clone() }
                });
                facts.has.0 |= if measures { Has::MEASURE.0 } else { 0 };
                facts.has.0 |= if is_struct(by) { Has::RECORD.0 } else { 0 };
                facts
            }
            View::Either(parts) => self.joined(parts, |_, origin| origin.clone()),
        }
    }

    /// The facts of several parts in one, where each origin of each part is changed so.
    fn joined(&self, parts: &[TermId], change: impl Fn(TermId, &Origin) -> Origin) -> Facts {
        let mut joined = Facts {
            origins: self.none.clone(),
            params: Params::default(),
            has: Has::default(),
            marks: Marks::default(),
            depth: 0,
            mapped: Mapped::default(),
        };
        // Of most values one part alone comes from a statement, or all come from one, and nothing has to be copied.
        let mut shared: Option<&Arc<[Origin]>> = None;
        let mut as_they_were = true;
        for part in parts {
            let facts = self.facts(*part);
            joined.params = joined.params.with(facts.params);
            joined.has.0 |= facts.has.0;
            joined.marks = joined.marks.with(facts.marks);
            joined.depth = joined.depth.max(facts.depth + 1);
            if as_they_were && !facts.origins.is_empty() {
                as_they_were = shared.is_none_or(|shared| Arc::ptr_eq(shared, &facts.origins))
                    && facts.origins.iter().all(|origin| change(*part, origin) == *origin);
                shared = Some(&facts.origins);
            }
        }
        match shared {
            None => {}
            Some(shared) if as_they_were => joined.origins = shared.clone(),
            Some(_) => joined.origins = self.changed(parts, change),
        }
        joined
    }

    /// All origins of some parts, changed, sorted, each once.
    fn changed(&self, parts: &[TermId], change: impl Fn(TermId, &Origin) -> Origin) -> Arc<[Origin]> {
        let mut all: Vec<Origin> = Vec::new();
        for part in parts {
            let mut more: Vec<Origin> = self.facts(*part).origins.iter().map(|origin| change(*part, origin)).collect();
            // They were sorted, and most changes leave them so.
            if !more.is_sorted() {
                more.sort_unstable();
            }
            more.dedup();
            all = merged(all, more);
        }
        let known = parts.iter().map(|part| &self.facts(*part).origins).find(|known| ***known == *all);
        known.cloned().unwrap_or_else(|| all.into())
    }
}

/// The first members of two sorted sets.
fn merged(all: Vec<Origin>, more: Vec<Origin>) -> Vec<Origin> {
    if all.is_empty() || more.is_empty() || all == more {
        return if all.is_empty() { more } else { all };
    }
    let mut both = Vec::with_capacity((all.len() + more.len()).min(ORIGINS));
    let (mut all, mut more) = (all.into_iter().peekable(), more.into_iter().peekable());
    while both.len() < ORIGINS {
        let order = match (all.peek(), more.peek()) {
            (Some(one), Some(other)) => one.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let next = if order == Ordering::Greater { more.next() } else { all.next() };
        if order == Ordering::Equal {
            more.next();
        }
        both.extend(next);
    }
    both
}

/// Of a field that is taken out of something in which a struct stands that was put together of a row's columns, one by one:
/// where one of the columns has the name of the field, the field is of that column and of none of the others.
fn named_field(facts: Facts, name: &Name) -> Facts {
    let is_it = |origin: &Origin| matches!(&origin.part, Part::Column(column) if column == name);
    if !facts.has.any(Has::RECORD) || !facts.origins.iter().any(is_it) {
        return facts;
    }
    let named = |event: EventId| facts.origins.iter().any(|origin| origin.event == event && is_it(origin));
    let beside = |origin: &Origin| matches!(origin.part, Part::Column(_)) && !is_it(origin) && named(origin.event);
    if !facts.origins.iter().any(beside) {
        return facts;
    }
    let kept: Arc<[Origin]> = facts.origins.iter().filter(|origin| !beside(origin)).cloned().collect();
    Facts { origins: kept, ..facts }
}
