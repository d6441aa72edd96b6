//! Values as terms: what is known of where a value comes from, without knowing the value.
//!
//! Terms are hash-consed in one arena, so that equal terms have equal ids and comparing two values is comparing two
//! numbers. A term never holds syntax.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::event::EventId;
use crate::flow::arena::Arena;
use crate::flow::names::{Marks, Names};
use crate::link::FnId;
use crate::lower::tree::Name;

/// The index of a term in [`Terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(pub u32);

/// What puts the fields of a struct together; their names may follow, each after a comma: `struct,id,name`.
const STRUCT: &str = "struct";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// Something nothing is known of; each is different from every other.
    Fresh(u32),
    /// The n-th parameter of a function; `self` counts.
    Param(FnId, u16),
    /// A literal or a constant, as text.
    Literal(Name),
    /// The row or rows that a statement gave. A single-column result is its row.
    Row(EventId),
    /// How many rows a statement changed.
    Count(EventId),
    /// The transaction that began at an event.
    Transaction(EventId),
    /// A field, column or element of a value.
    Field(TermId, Name),
    /// Whether a value is there: an option that is some, a row that was found, a list that is not empty.
    Exists(TermId),
    /// Computed by an operator or a call, named, from its parts.
    Computed(Name, Box<[TermId]>),
    /// One of several, by the way the program took.
    Either(Box<[TermId]>),
}

/// The arena of all terms.
#[derive(Default)]
pub struct Terms {
    terms: Arena<(Term, Facts)>,
    none: Arc<[Origin]>,
    /// By the hash of the term, which is kept beside it; those that are not like any other are left out.
    ids: HashTable<(TermId, u32)>,
    /// What stands for terms beyond [`DEPTH`].
    shortened: FxHashMap<Term, TermId>,
    pub(super) names: Names,
}

/// What is worked out of a term when it is made.
struct Facts {
    origins: Arc<[Origin]>,
    /// The parameters inside of it.
    params: Params,
    has: Has,
    /// Whose names stand in it.
    marks: Marks,
    /// How many terms stand inside each other.
    depth: u16,
}

/// What stands inside a term, itself included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Has(u8);

impl Has {
    const FRESH: Self = Self(1);
    const TRANSACTION: Self = Self(2);
    /// An order is asked for, or a sum or difference.
    const MEASURE: Self = Self(4);

    fn any(self, of: Self) -> bool {
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

/// The name of what an unknown call gave that was waited for.
pub const ANSWER: &str = "answer";

/// The name of what a call in a cycle gave.
pub const AGAIN: &str = "again";

/// What the name of an encoded variant begins with; a number follows.
pub const ENCODED: &str = "encoded as ";

/// How many results of statements one value is followed to; further ones are not seen.
const ORIGINS: usize = 128;

/// How many steps a value is followed from where it came; what goes through more of them is only known to come from
/// there. Walks over terms may recurse.
const DEPTH: u16 = 1_000;

/// Whether a computed value is named after a function or method, not after an operator or a form of the language.
pub fn is_call(by: &str) -> bool {
    const FORMS: [&str; 13] =
        ["tuple", "with", "len", "any", "match", "error", "part", "in", "put", "sql", "call", "get", AGAIN];
    by.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !FORMS.contains(&by)
        && !is_struct(by)
        && !by.starts_with(ENCODED)
}

/// Whether an operation asks for an order, or makes a sum or a difference.
pub fn is_measure(by: &str) -> bool {
    matches!(by, "<" | "<=" | ">" | ">=" | "+" | "-")
}

/// Whether a computed value is a struct that was put together.
pub fn is_struct(by: &str) -> bool {
    by.strip_prefix(STRUCT).is_some_and(|names| names.is_empty() || names.starts_with(','))
}

/// Whether a computed value is a struct or a tuple, whose parts stand in it as they were.
pub fn is_record(by: &str) -> bool {
    by == "tuple" || is_struct(by)
}

/// The table wants all bits of a hash.
fn spread(short: u32) -> u64 {
    u64::from(short).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Terms {
    pub fn get(&self, id: TermId) -> &Term {
        &self.terms.get(id.0).0
    }

    fn facts(&self, id: TermId) -> &Facts {
        &self.terms.get(id.0).1
    }

    pub fn len(&self) -> usize {
        self.terms.len()
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn intern(&mut self, term: Term) -> TermId {
        let short = (FxBuildHasher.hash_one(&term) >> 32) as u32;
        let same = |known: &(TermId, u32)| known.1 == short && *self.get(known.0) == term;
        if let Some((id, _)) = self.ids.find(spread(short), same) {
            return *id;
        }
        let facts = self.facts_of(&term);
        if facts.depth > DEPTH {
            if let Some(known) = self.shortened.get(&term) {
                return *known;
            }
            let instead = self.made_of(&facts.origins);
            self.shortened.insert(term, instead);
            return instead;
        }
        let id = self.push(term, facts);
        self.ids.insert_unique(spread(short), (id, short), |(_, short)| spread(*short));
        id
    }

    fn push(&mut self, term: Term, facts: Facts) -> TermId {
        TermId(self.terms.push((term, facts)))
    }

    /// Something computed from results of statements, nobody knows how.
    fn made_of(&mut self, origins: &[Origin]) -> TermId {
        let rows: Vec<TermId> = origins.iter().map(|origin| self.intern(Term::Row(origin.event))).collect();
        if rows.is_empty() { self.fresh() } else { self.computed("…", rows) }
    }

    pub fn fresh(&mut self) -> TermId {
        let term = Term::Fresh(self.names.unknown());
        let facts = self.facts_of(&term);
        self.push(term, facts)
    }

    pub fn literal(&mut self, text: &str) -> TermId {
        self.intern(Term::Literal(Name::new(text)))
    }

    /// A field or element of a value: of a struct or a tuple that was put together, what was put there.
    pub fn field(&mut self, of: TermId, name: Name) -> TermId {
        match self.get(of) {
            Term::Computed(by, parts) if is_record(by) => {
                let names = by.split_once(',').map(|(_, names)| names.split(','));
                let place = match &names {
                    Some(names) => names.clone().position(|known| known == &*name),
                    None => name.parse().ok(),
                };
                let rest = names.and_then(|names| parts.get(names.count()));
                match (place.and_then(|place| parts.get(place)), rest) {
                    (Some(part), _) => *part,
                    (None, Some(rest)) => self.field(*rest, name),
                    (None, None) => self.intern(Term::Field(of, name)),
                }
            }
            _ => self.intern(Term::Field(of, name)),
        }
    }

    /// A struct that is put together of its fields, by their names; what `rest` has of the others.
    pub fn record<'a>(&mut self, fields: impl Iterator<Item = (&'a Name, TermId)>, rest: Option<TermId>) -> TermId {
        let (mut by, mut parts) = (STRUCT.to_owned(), Vec::new());
        for (name, part) in fields {
            by.push(',');
            by.push_str(name);
            parts.push(part);
        }
        parts.extend(rest);
        self.computed(&by, parts)
    }

    pub fn exists(&mut self, of: TermId) -> TermId {
        match self.get(of) {
            Term::Exists(_) => of,
            // `(left > 0).then_some(x)` is there where the condition holds.
            Term::Computed(by, parts) if matches!(by.as_str(), "then_some" | "then") && parts.len() == 2 => parts[0],
            _ => {
                let of = self.certain(of);
                self.intern(Term::Exists(of))
            }
        }
    }

    /// The same as far as it may be missing. A struct that was put together of what several statements gave is there if what
    /// the first of them gave was: who found nothing there went another way.
    fn certain(&mut self, of: TermId) -> TermId {
        match self.get(of) {
            Term::Either(parts) => {
                let parts = parts.clone();
                let parts: Vec<TermId> = parts.iter().map(|part| self.first_of(*part).unwrap_or(*part)).collect();
                self.either(parts)
            }
            _ => self.first_of(of).unwrap_or(of),
        }
    }

    /// Of a struct that several statements gave parts of, what the first of them gave.
    fn first_of(&mut self, of: TermId) -> Option<TermId> {
        let Term::Computed(by, _) = self.get(of) else { return None };
        if !is_struct(by) {
            return None;
        }
        let origins = self.origins(of);
        let mut events = origins.iter().filter(|origin| origin.part != Part::Count).map(|origin| origin.event);
        let first = events.clone().min()?;
        events.any(|event| event != first).then(|| self.intern(Term::Row(first)))
    }

    pub fn computed(&mut self, by: &str, mut parts: Vec<TermId>) -> TermId {
        parts.truncate(32);
        if let Some(whole) = self.taken_back(by, &parts) {
            return whole;
        }
        self.intern(Term::Computed(Name::new(by), parts.into()))
    }

    /// What is left of `x + 1 - 1`, or of `x - 1 + 1`.
    fn taken_back(&self, by: &str, parts: &[TermId]) -> Option<TermId> {
        let ([sum, back], "+" | "-") = (parts, by) else { return None };
        let Term::Computed(inner, inner_parts) = self.get(*sum) else { return None };
        let undoes = matches!((inner.as_str(), by), ("+", "-") | ("-", "+"));
        let [whole, put] = **inner_parts else { return None };
        (undoes && put == *back && matches!(self.get(put), Term::Literal(_))).then_some(whole)
    }

    /// One of `of`; the same when all are the same.
    pub fn either(&mut self, of: impl IntoIterator<Item = TermId>) -> TermId {
        let mut all: Vec<TermId> = Vec::new();
        for id in of {
            match self.get(id) {
                Term::Either(inner) => all.extend(inner.iter().copied()),
                _ => all.push(id),
            }
        }
        // What adds nothing stands only for itself.
        let missing = all.iter().filter(|id| self.is_missing(**id)).count();
        if (1..all.len()).contains(&missing) {
            all.retain(|id| !self.is_missing(*id));
        }
        all.sort_unstable();
        all.dedup();
        all.truncate(32);
        match all.as_slice() {
            [one] => *one,
            [] => self.fresh(),
            _ => self.intern(Term::Either(all.into())),
        }
    }

    /// Whether a value adds nothing to others that it may be instead: what a function gives that calls itself is what it gives
    /// without that; a field that a struct does not have was looked for in another variant than the one that was put together,
    /// so that nobody comes there.
    fn is_missing(&self, id: TermId) -> bool {
        if matches!(self.get(id), Term::Computed(by, _) if by == AGAIN) {
            return true;
        }
        let Term::Field(of, name) = self.get(id) else { return false };
        let lacks = |by: &Name, parts: &[TermId]| {
            let names = by.split_once(',').map(|(_, names)| names.split(',')).filter(|_| is_struct(by));
            names.is_some_and(|mut names| names.clone().count() == parts.len() && names.all(|known| known != &**name))
        };
        self.is_missing(*of) || matches!(self.get(*of), Term::Computed(by, parts) if lacks(by, parts))
    }

    /// What a value asks to be there; none for a value that asks something else.
    pub fn asked_to_be_there(&self, id: TermId) -> Option<&Term> {
        if let Term::Exists(of) = self.get(id) { Some(self.get(*of)) } else { None }
    }

    /// One of several values, a literal of this name not among them.
    pub fn without(&mut self, id: TermId, literal: &str) -> TermId {
        let Term::Either(parts) = self.get(id) else { return id };
        let named = |part: &TermId| matches!(self.get(*part), Term::Literal(text) if text == literal);
        let kept: Vec<TermId> = parts.iter().copied().filter(|part| !named(part)).collect();
        if kept.is_empty() || kept.len() == parts.len() { id } else { self.either(kept) }
    }

    /// All results of statements that the value is made of, sorted, each once; at most [`ORIGINS`].
    pub fn origins(&self, id: TermId) -> Arc<[Origin]> {
        self.facts(id).origins.clone()
    }

    /// Whether a value holds a statement's result, or a parameter, which may become one.
    pub fn matters(&self, id: TermId) -> bool {
        let Facts { origins, params, .. } = self.facts(id);
        !origins.is_empty() || *params != Params::default()
    }

    /// The parameters inside of a value.
    pub fn params(&self, id: TermId) -> Params {
        self.facts(id).params
    }

    /// Whether a value is worked out of what was handed in, of no statement's result and of nothing unknown.
    pub fn is_of_params(&self, id: TermId) -> bool {
        let Facts { origins, params, has, .. } = self.facts(id);
        *params != Params::default() && origins.is_empty() && !has.any(Has::FRESH)
    }

    /// Whose names stand in a value.
    pub(super) fn marks(&self, id: TermId) -> Marks {
        self.facts(id).marks
    }

    /// Whether a value is the same at each call of the function that it is a value of.
    pub fn is_constant(&self, id: TermId) -> bool {
        let facts = self.facts(id);
        !self.matters(id) && !facts.has.any(Has(Has::FRESH.0 | Has::TRANSACTION.0))
    }

    /// Whether a value is made with something that was handed in or that nothing is known of, or with a row of another
    /// statement than those that are `own`.
    pub fn brings(&self, id: TermId, own: impl Fn(EventId) -> bool) -> bool {
        let Facts { origins, params, has, .. } = self.facts(id);
        let other = |origin: &Origin| origin.part != Part::Count && !own(origin.event);
        *params != Params::default() || has.any(Has::FRESH) || origins.iter().any(other)
    }

    /// Whether a value holds an order that is asked for, a sum or a difference.
    pub fn measures(&self, id: TermId) -> bool {
        self.facts(id).has.any(Has::MEASURE)
    }

    /// Whether a value is what was answered outside, or a part of it.
    pub fn is_answer(&self, id: TermId) -> bool {
        match self.get(id) {
            Term::Computed(by, parts) => {
                by == ANSWER || !parts.is_empty() && parts.iter().all(|part| self.is_answer(*part))
            }
            Term::Field(of, _) => self.is_answer(*of),
            _ => false,
        }
    }

    /// What a term is made of.
    pub(super) fn parts(&self, id: TermId) -> &[TermId] {
        match self.get(id) {
            Term::Field(of, _) | Term::Exists(of) => std::slice::from_ref(of),
            Term::Computed(_, parts) | Term::Either(parts) => parts,
            _ => &[],
        }
    }

    /// Calls `visit` on a term and everything it is made of, each once.
    pub fn walk(&self, id: TermId, visit: &mut dyn FnMut(TermId)) {
        let mut todo = vec![id];
        let mut seen = FxHashSet::default();
        while let Some(id) = todo.pop() {
            if seen.insert(id) {
                visit(id);
                todo.extend(self.parts(id));
            }
        }
    }

    /// Whether a value is one of several, or a part of one, so that its type may be that of another.
    pub fn is_one_of_several(&self, id: TermId) -> bool {
        let mut several = false;
        self.walk(id, &mut |part| several |= matches!(self.get(part), Term::Either(_)));
        several
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
    fn facts_of(&self, term: &Term) -> Facts {
        let of_event = |event: EventId| Marks::of(self.names.of_event(event.0));
        let one = |event: EventId, part: Part| Facts {
            origins: Arc::from([Origin { event, part, computed: false, answered: false }]),
            params: Params::default(),
            has: Has::default(),
            marks: of_event(event),
            depth: 0,
        };
        let none = |params: Params, has: Has, marks: Marks| {
            let origins = self.none.clone();
            Facts { origins, params, has, marks, depth: 0 }
        };
        match term {
            Term::Row(event) => one(*event, Part::Row),
            Term::Count(event) => one(*event, Part::Count),
            Term::Param(_, place) => none(Params::one(*place), Has::default(), Marks::default()),
            Term::Literal(_) => none(Params::default(), Has::default(), Marks::default()),
            Term::Fresh(unknown) => none(Params::default(), Has::FRESH, Marks::of(self.names.of_unknown(*unknown))),
            Term::Transaction(event) => none(Params::default(), Has::TRANSACTION, of_event(*event)),
            Term::Field(of, name) => {
                let rows: &[TermId] = match self.get(*of) {
                    Term::Either(parts) => parts,
                    _ => std::slice::from_ref(of),
                };
                self.joined(rows, |row, origin| match self.get(row) {
                    Term::Row(_) => Origin { part: Part::Column(name.clone()), ..origin.clone() },
                    _ => origin.clone(),
                })
            }
            Term::Exists(of) => {
                // A struct made of a row's columns is there when the row is; a column by itself may be null.
                let column = matches!(self.get(*of), Term::Field(..));
                let record = self.is_record(*of);
                self.joined(std::slice::from_ref(of), |_, origin| match origin.part {
                    Part::Row => Origin { part: Part::Existence, ..origin.clone() },
                    Part::Column(_) if !column && record => {
                        Origin { part: Part::Existence, computed: false, ..origin.clone() }
                    }
                    _ => origin.clone(),
                })
            }
            Term::Computed(by, parts) => {
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
                facts
            }
            Term::Either(parts) => self.joined(parts, |_, origin| origin.clone()),
        }
    }

    fn joined(&self, parts: &[TermId], change: impl Fn(TermId, &Origin) -> Origin) -> Facts {
        let mut all: Vec<Origin> = Vec::new();
        let mut params = Params::default();
        let mut has = Has::default();
        let mut marks = Marks::default();
        let mut depth = 0;
        for part in parts {
            let facts = self.facts(*part);
            params = params.with(facts.params);
            has.0 |= facts.has.0;
            marks = marks.with(facts.marks);
            depth = depth.max(facts.depth + 1);
            all.extend(facts.origins.iter().map(|origin| change(*part, origin)));
        }
        all.sort_unstable();
        all.dedup();
        all.truncate(ORIGINS);
        let known = parts.iter().map(|part| &self.facts(*part).origins).find(|known| ***known == *all);
        let origins = match known {
            _ if all.is_empty() => self.none.clone(),
            Some(known) => known.clone(),
            None => all.into(),
        };
        Facts { origins, params, has, marks, depth }
    }
}
