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
use crate::flow::facts::{Facts, Has};
pub use crate::flow::facts::{Origin, Params, Part};
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

/// A term that is looked for, or that is about to be made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum View<'a> {
    Fresh(u32),
    Param(FnId, u16),
    Literal(&'a str),
    Row(EventId),
    Count(EventId),
    Transaction(EventId),
    Field(TermId, &'a Name),
    Exists(TermId),
    Computed(&'a str, &'a [TermId]),
    Either(&'a [TermId]),
}

impl Term {
    fn view(&self) -> View<'_> {
        match self {
            Self::Fresh(unknown) => View::Fresh(*unknown),
            Self::Param(function, place) => View::Param(*function, *place),
            Self::Literal(text) => View::Literal(text),
            Self::Row(event) => View::Row(*event),
            Self::Count(event) => View::Count(*event),
            Self::Transaction(event) => View::Transaction(*event),
            Self::Field(of, name) => View::Field(*of, name),
            Self::Exists(of) => View::Exists(*of),
            Self::Computed(by, parts) => View::Computed(by, parts),
            Self::Either(parts) => View::Either(parts),
        }
    }
}

/// The arena of all terms.
#[derive(Default)]
pub struct Terms {
    terms: Arena<(Term, Facts)>,
    pub(super) none: Arc<[Origin]>,
    /// By the hash of the term, which is kept beside it; those that are not like any other are left out.
    ids: HashTable<(TermId, u32)>,
    /// Those that were asked for last, by their hash: most are asked for again soon, and the table is too large to be near.
    recent: Vec<(TermId, u32)>,
    /// What stands for terms beyond [`DEPTH`].
    shortened: FxHashMap<Term, TermId>,
    pub(super) names: Names,
    /// How many mappings there were.
    pub(super) turn: u32,
}

/// The name of what an unknown call gave that was waited for.
pub const ANSWER: &str = "answer";

/// The name of what a call in a cycle gave.
pub const AGAIN: &str = "again";

/// The name of a connection that is lent by a handle of unknown kind, made of that and of an unknown of its own.
pub const LENT: &str = "lent by";

/// What the name of an encoded variant begins with; a number follows.
pub const ENCODED: &str = "encoded as ";

/// How many steps a value is followed from where it came; what goes through more of them is only known to come from
/// there. Walks over terms may recurse.
const DEPTH: u16 = 96;

/// How many parts a value may have; further ones are not seen.
const PARTS: usize = 32;

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

/// The place of a field among the parts of a record that was put together of all its fields.
pub fn field_place(by: &str, name: &str) -> Option<usize> {
    match by.split_once(',').filter(|_| is_struct(by)) {
        Some((_, names)) => names.split(',').position(|known| known == name),
        None => name.parse().ok().filter(|_| is_record(by)),
    }
}

/// Of the hash's words the lower one is mixed best and the upper one in part: both are wanted.
fn short_hash(view: &View<'_>) -> u32 {
    let long = FxBuildHasher.hash_one(view);
    (long ^ (long >> 32)) as u32
}

/// How many terms are kept near.
const RECENT: usize = 1 << 15;

/// The table looks at the lowest bits of a hash and at the highest.
fn spread(short: u32) -> u64 {
    u64::from(short) | u64::from(short) << 32
}

/// Terms that a walk has come past: most values are made of few.
#[derive(Default)]
struct Seen {
    few: Vec<TermId>,
    more: FxHashSet<TermId>,
}

impl Seen {
    const FEW: usize = 16;

    /// Whether it is the first time.
    fn insert(&mut self, id: TermId) -> bool {
        if self.few.contains(&id) {
            return false;
        }
        if self.few.len() < Self::FEW {
            self.few.push(id);
            return true;
        }
        self.more.insert(id)
    }
}

impl Terms {
    pub fn get(&self, id: TermId) -> &Term {
        &self.terms.get(id.0).0
    }

    pub(super) fn facts(&self, id: TermId) -> &Facts {
        &self.terms.get(id.0).1
    }

    pub(super) fn facts_mut(&mut self, id: TermId) -> &mut Facts {
        &mut self.terms.get_mut(id.0).1
    }

    pub fn len(&self) -> usize {
        self.terms.len()
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn intern(&mut self, term: Term) -> TermId {
        match self.known(&term.view()) {
            Ok(known) => known,
            Err(short) => self.add(term, short),
        }
    }

    /// The term that looks like this, or the hash of what is to be made.
    fn known(&mut self, view: &View<'_>) -> Result<TermId, u32> {
        let short = short_hash(view);
        let same = |known: &(TermId, u32)| known.1 == short && self.terms.get(known.0.0).0.view() == *view;
        let place = short as usize % RECENT;
        if let Some(recent) = self.recent.get(place)
            && same(recent)
        {
            return Ok(recent.0);
        }
        let known = self.ids.find(spread(short), same).copied().ok_or(short)?;
        if self.recent.is_empty() {
            self.recent.resize(RECENT, (TermId(0), 0));
        }
        self.recent[place] = known;
        Ok(known.0)
    }

    /// A term that there is none like yet, with its hash.
    fn add(&mut self, term: Term, short: u32) -> TermId {
        let facts = self.facts_of(&term.view());
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
        if let Some(recent) = self.recent.get_mut(short as usize % RECENT) {
            *recent = (id, short);
        }
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
        let facts = self.facts_of(&term.view());
        self.push(term, facts)
    }

    /// A number that is written out, without its type: `1` of `1_u64`.
    pub fn number(&self, term: TermId) -> Option<&str> {
        match self.get(term) {
            Term::Literal(text) if text.starts_with(|first: char| first.is_ascii_digit()) => {
                text.split(['u', 'i', 'f']).next().map(|digits| digits.trim_end_matches('_'))
            }
            _ => None,
        }
    }

    pub fn literal(&mut self, text: &str) -> TermId {
        match self.known(&View::Literal(text)) {
            Ok(known) => known,
            Err(short) => self.add(Term::Literal(Name::new(text)), short),
        }
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

    pub fn computed(&mut self, by: &str, parts: Vec<TermId>) -> TermId {
        self.computed_of(&parts, by, || Name::new(by))
    }

    /// The same, with a name that is made where there is no such term yet.
    pub(super) fn computed_of(&mut self, parts: &[TermId], by: &str, name: impl FnOnce() -> Name) -> TermId {
        let parts = parts.get(..PARTS).unwrap_or(parts);
        if let Some(whole) = self.taken_back(by, parts) {
            return whole;
        }
        match self.known(&View::Computed(by, parts)) {
            Ok(known) => known,
            Err(short) => self.add(Term::Computed(name(), parts.into()), short),
        }
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
        all.truncate(PARTS);
        match all.as_slice() {
            [one] => *one,
            [] => self.fresh(),
            several => match self.known(&View::Either(several)) {
                Ok(known) => known,
                Err(short) => self.add(Term::Either(all.into()), short),
            },
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
        self.any(
            id,
            |_| true,
            |part| {
                visit(part);
                false
            },
        );
    }

    /// Whether something holds of a term or of what it is made of. What is not entered is not asked, nor what is inside.
    pub fn any(&self, id: TermId, enter: impl Fn(TermId) -> bool, mut holds: impl FnMut(TermId) -> bool) -> bool {
        let mut todo = vec![id];
        let mut seen = Seen::default();
        while let Some(id) = todo.pop() {
            if enter(id) && seen.insert(id) {
                if holds(id) {
                    return true;
                }
                todo.extend(self.parts(id));
            }
        }
        false
    }

    /// Whether something that nothing is known of stands in a value.
    pub fn holds_unknown(&self, id: TermId) -> bool {
        self.facts(id).has.any(Has::FRESH)
    }

    /// Whether a value is one of several, or a part of one, so that its type may be that of another.
    pub fn is_one_of_several(&self, id: TermId) -> bool {
        self.any(id, |_| true, |part| matches!(self.get(part), Term::Either(_)))
    }
}
