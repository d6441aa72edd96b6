//! Flows to sequences: which write depends on which read, along one path, and whether it is the same row.
//!
//! Nothing here knows what protects a sequence (`protect`) or how it is called (`rules`).

pub mod alternatives;
pub mod amount;
mod asked;
mod beside;
pub mod children;
pub mod counted;
pub mod cycle;
pub mod dependency;
pub mod first;
mod found_again;
pub mod index;
pub mod journal;
pub mod kind;
mod made;
pub mod met;
pub mod next;
mod others;
pub mod packages;
pub mod passed;
pub mod reach;
mod record;
pub mod rivals;
pub mod rows;
pub mod scene;
pub mod session;
pub mod side;
mod sized;
pub mod sought;
pub mod transaction;
pub mod twice;
pub mod uncalled;
pub mod upsert;
pub mod writers;
mod zero;

use crate::event::{CondId, Event, EventId};
use crate::lower::tree::Name;
use crate::span::Span;

/// How many calls lead to both events.
pub fn common(one: &Event, other: &Event) -> usize {
    if one.id == other.id {
        return one.calls.len();
    }
    one.calls.iter().zip(other.calls.iter()).take_while(|(a, b)| a == b).count()
}

/// Where an event happens, seen from the function that so many calls lead to: itself, or the call that leads on.
pub fn here(event: &Event, depth: usize) -> Span {
    event.calls.get(depth).map_or(event.span, |call| call.span)
}

/// A read, a write that depends on it, and how.
#[derive(Clone, Debug)]
pub struct Sequence {
    pub read: EventId,
    pub write: EventId,
    /// The place of the read's access in its statement.
    pub read_access: usize,
    pub relation: rows::Relation,
    /// What the conditions look at, and which conditions they are.
    pub checks: Vec<Check>,
    /// Written columns whose value comes from the read.
    pub values: Vec<Written>,
    /// The write's key comes from the row that was read.
    pub key_from_row: bool,
}

impl Sequence {
    /// A read, by the place of its access, and a write that nothing is known to hang on yet.
    pub fn of(read: EventId, write: EventId, read_access: usize, relation: rows::Relation) -> Self {
        let (checks, values) = (Vec::new(), Vec::new());
        Self { read, write, read_access, relation, checks, values, key_from_row: false }
    }
}

/// A condition between read and write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// None for a condition that stands in the read's own WHERE, when no test in Rust depends on it.
    pub cond: Option<CondId>,
    pub looks_at: LooksAt,
}

/// What a condition or a computed value uses of a read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LooksAt {
    /// Whether there is a row.
    Existence,
    /// One column.
    Column(Name),
    /// A count, sum or extreme over several rows.
    Aggregate,
    /// The row, nobody knows which part.
    Row,
}

/// A written column and what of the read its value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub column: Name,
    pub from: LooksAt,
    /// The value was computed, not only handed on.
    pub computed: bool,
    /// It is what the outside said when it was asked with the value.
    pub answered: bool,
}

impl Written {
    /// Whether the column gets back what was read from it: the whole row is saved, and this part of it is as before.
    pub fn is_handed_back(&self) -> bool {
        !self.computed && self.is_own()
    }

    /// Whether it comes from what the column held.
    pub fn is_own(&self) -> bool {
        matches!(&self.from, LooksAt::Column(from) if *from == self.column)
    }
}

impl Sequence {
    /// Whether a value is made of another column that the write puts there as well: what follows from a row is saved with it.
    pub fn follows(&self, value: &Written) -> bool {
        let LooksAt::Column(from) = &value.from else { return false };
        let saved = |other: &Written| other.column == *from && other.is_own();
        value.computed && !value.is_own() && self.values.iter().any(saved)
    }

    /// The columns of the read that decide, or enter a written value.
    pub fn columns(&self) -> Vec<&Name> {
        let checked = self.checks.iter().map(|check| &check.looks_at);
        let written = self.values.iter().map(|value| &value.from);
        let mut all: Vec<&Name> = checked
            .chain(written)
            .filter_map(|part| if let LooksAt::Column(name) = part { Some(name) } else { None })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The columns that the conditions look at.
    pub fn checked_columns(&self) -> Vec<&Name> {
        let mut all: Vec<&Name> = self
            .checks
            .iter()
            .filter_map(|check| if let LooksAt::Column(name) = &check.looks_at { Some(name) } else { None })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether a condition looks at more than whether a row is there.
    pub fn checks_content(&self) -> bool {
        self.checks.iter().any(|check| check.looks_at != LooksAt::Existence)
    }

    /// The conditions that a second request can find otherwise: where one looks at more than whether a row is there, that it
    /// is there only says whose row it is.
    pub fn deciding(&self) -> Vec<CondId> {
        let content = self.checks_content();
        let decides = |check: &&Check| !content || check.looks_at != LooksAt::Existence;
        self.checks.iter().filter(decides).filter_map(|check| check.cond).collect()
    }

    pub fn checks_aggregate(&self) -> bool {
        self.checks.iter().any(|check| check.looks_at == LooksAt::Aggregate)
    }
}
