//! Values as terms: what is known of where a value comes from, without knowing the value.
//!
//! Terms are hash-consed in one arena, so that equal terms have equal ids and comparing two values is comparing two
//! numbers. A term never holds syntax.

use rustc_hash::FxHashMap;

use crate::event::EventId;
use crate::link::FnId;
use crate::lower::tree::Name;

/// The index of a term in [`Terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(pub u32);

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
    terms: Vec<Term>,
    ids: FxHashMap<Term, TermId>,
    fresh: u32,
}

/// One use of a statement's result inside a term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub event: EventId,
    pub part: Part,
    /// The value went through arithmetic or a call on its way.
    pub computed: bool,
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

/// How deep a term is followed; deeper origins are not seen. Terms of this depth stem from generated code.
const DEPTH: usize = 64;

impl Terms {
    pub fn get(&self, id: TermId) -> &Term {
        &self.terms[id.0 as usize]
    }

    pub fn intern(&mut self, term: Term) -> TermId {
        if let Some(&id) = self.ids.get(&term) {
            return id;
        }
        let id = TermId(self.terms.len() as u32);
        self.terms.push(term.clone());
        self.ids.insert(term, id);
        id
    }

    pub fn fresh(&mut self) -> TermId {
        self.fresh += 1;
        self.intern(Term::Fresh(self.fresh))
    }

    pub fn literal(&mut self, text: &str) -> TermId {
        self.intern(Term::Literal(Name::new(text)))
    }

    pub fn field(&mut self, of: TermId, name: Name) -> TermId {
        self.intern(Term::Field(of, name))
    }

    pub fn exists(&mut self, of: TermId) -> TermId {
        if let Term::Exists(_) = self.get(of) {
            return of;
        }
        self.intern(Term::Exists(of))
    }

    pub fn computed(&mut self, by: &str, mut parts: Vec<TermId>) -> TermId {
        parts.truncate(32);
        self.intern(Term::Computed(Name::new(by), parts.into()))
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
        all.sort_unstable();
        all.dedup();
        all.truncate(32);
        match all.as_slice() {
            [one] => *one,
            [] => self.fresh(),
            _ => self.intern(Term::Either(all.into())),
        }
    }

    /// All results of statements that the value is made of, sorted, each once.
    pub fn origins(&self, id: TermId) -> Vec<Origin> {
        let mut found = Vec::new();
        self.collect(id, false, 0, &mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether `id` is, or is one of, or is computed from `part`.
    pub fn mentions(&self, id: TermId, part: TermId) -> bool {
        let mut found = false;
        self.walk(id, 0, &mut |term| found |= term == part);
        found
    }

    /// Calls `visit` on a term and everything it is made of.
    pub fn walk(&self, id: TermId, depth: usize, visit: &mut dyn FnMut(TermId)) {
        visit(id);
        if depth > DEPTH {
            return;
        }
        match self.get(id) {
            Term::Field(of, _) | Term::Exists(of) => self.walk(*of, depth + 1, visit),
            Term::Computed(_, parts) | Term::Either(parts) => {
                for part in parts {
                    self.walk(*part, depth + 1, visit);
                }
            }
            _ => {}
        }
    }

    fn is_record(&self, id: TermId) -> bool {
        match self.get(id) {
            Term::Computed(by, _) => matches!(by.as_str(), "struct" | "tuple"),
            Term::Either(parts) => parts.iter().any(|part| self.is_record(*part)),
            _ => false,
        }
    }

    fn collect(&self, id: TermId, computed: bool, depth: usize, found: &mut Vec<Origin>) {
        if depth > DEPTH || found.len() > 256 {
            return;
        }
        let mut add = |event: EventId, part: Part| found.push(Origin { event, part, computed });
        match self.get(id) {
            Term::Row(event) => add(*event, Part::Row),
            Term::Count(event) => add(*event, Part::Count),
            Term::Field(of, name) => match self.get(*of) {
                Term::Row(event) => add(*event, Part::Column(name.clone())),
                Term::Either(rows) => {
                    for row in rows {
                        match self.get(*row) {
                            Term::Row(event) => {
                                found.push(Origin { event: *event, part: Part::Column(name.clone()), computed })
                            }
                            _ => self.collect(*row, computed, depth + 1, found),
                        }
                    }
                }
                _ => self.collect(*of, computed, depth + 1, found),
            },
            Term::Exists(of) => {
                // A struct made of a row's columns is there when the row is; a column by itself may be null.
                let column = matches!(self.get(*of), Term::Field(..));
                let mut inner = Vec::new();
                self.collect(*of, computed, depth + 1, &mut inner);
                for origin in inner {
                    let whole = match origin.part {
                        Part::Row => true,
                        Part::Column(_) => !column && self.is_record(*of),
                        _ => false,
                    };
                    found.push(if whole { Origin { part: Part::Existence, computed, ..origin } } else { origin });
                }
            }
            Term::Computed(by, parts) => {
                let mut inner = Vec::new();
                for part in parts {
                    self.collect(*part, true, depth + 1, &mut inner);
                }
                let length = by == "len";
                // Putting values side by side computes nothing.
                let kept = matches!(by.as_str(), "struct" | "tuple" | "with");
                for origin in inner {
                    let part = if length && origin.part == Part::Row { Part::Length } else { origin.part };
                    found.push(Origin { part, computed: !kept || computed, ..origin });
                }
            }
            Term::Either(parts) => {
                for part in parts {
                    self.collect(*part, computed, depth + 1, found);
                }
            }
            Term::Fresh(_) | Term::Param(..) | Term::Literal(_) | Term::Transaction(_) => {}
        }
    }
}
