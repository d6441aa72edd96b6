//! sea-orm 0.12 to 1.x, and sea-query: chains of calls to statements.
//!
//! Each call of a chain gives a [`SeaOrm`] value that remembers what was asked so far. When the chain is sent, it is
//! written out as SQL with numbered placeholders ([`sql`]) and read by the same parser as any other text, so that a
//! builder and a text that mean the same are the same statement.
//!
//! - [`entity`]: what `DeriveEntityModel` says of a table, and [`names`], which names it makes.
//! - [`calls`], [`expression`], [`chain`], [`active`], [`active_calls`]: functions and methods, by what they are called on.
//! - [`table`]: handles, transactions and calls that carry SQL text.
//! - [`schema`], [`migration`]: entities and sea-query migrations as tables.

pub mod active;
mod active_calls;
mod attributes;
mod calls;
mod chain;
mod entity;
mod expression;
mod migration;
mod names;
mod schema;
mod select;
mod send;
mod sql;
pub mod table;
mod visit;

use crate::flow::term::{TermId, Terms};
use crate::flow::value::{Shape, Value};
use crate::link::TypeId;
use crate::lower::tree::Name;
use crate::source::Workspace;

pub use active::{Active, State};
pub use chain::Chain;
pub use schema::tables;
pub use sql::{Conflict, Fragment};

/// A value of sea-orm's or sea-query's builders.
#[derive(Clone, Debug, PartialEq)]
pub enum SeaOrm {
    /// `account::Entity`, by its `Model`.
    Entity(TypeId),
    /// `account::Column::Balance`.
    Column {
        table: Name,
        column: Name,
    },
    /// A name of sea-query: `Accounts::Balance` of a `DeriveIden` enum, `Alias::new("balance")`.
    Iden {
        name: Name,
        table: bool,
    },
    /// `account::Relation::Booking`.
    Relation {
        entity: TypeId,
        variant: Name,
    },
    /// An expression or a condition that is one.
    Expr(Fragment),
    /// `Condition::all()` or `any()` with what was added.
    Condition {
        any: bool,
        negated: bool,
        parts: Vec<Fragment>,
    },
    /// `Set(x)`, `Unchanged(x)`, `NotSet`; the value's own term is x.
    State(State),
    Active(Active),
    Conflict(Conflict),
    Chain(Chain),
    /// `.paginate(db, n)`.
    Pages {
        chain: Chain,
        on: TermId,
    },
}

impl SeaOrm {
    /// The same with each term replaced.
    pub fn with_terms(mut self, replace: &mut dyn FnMut(TermId) -> TermId) -> Self {
        match &mut self {
            Self::Entity(_) | Self::Column { .. } | Self::Iden { .. } | Self::Relation { .. } | Self::State(_) => {}
            Self::Expr(expr) => expr.replace(replace),
            Self::Condition { parts, .. } => parts.iter_mut().for_each(|part| part.replace(replace)),
            Self::Active(active) => active.replace(replace),
            Self::Conflict(conflict) => conflict.replace(replace),
            Self::Chain(chain) => chain.replace(replace),
            Self::Pages { chain, on } => {
                chain.replace(replace);
                *on = replace(*on);
            }
        }
        self
    }

    /// One value for several that branches gave: active models become one with every column that any of them sets.
    /// None for what cannot be one.
    ///
    /// In: the values; what the branch asks to be there.
    pub fn merge(values: &[&Self], asked: &[TermId], terms: &mut Terms) -> Option<Self> {
        if let [Self::Expr(one), Self::Expr(other)] = values {
            return Fragment::null_safe(one, other, |value| asked.contains(&value)).map(Self::Expr);
        }
        let (Self::Active(first), rest) = values.split_first()? else { return None };
        let mut merged = first.clone();
        for value in rest {
            let Self::Active(active) = value else { return None };
            merged = merged.merge(active, terms)?;
        }
        Some(Self::Active(merged))
    }
}

/// Whether a value is an active model of which it is known what is set.
pub fn is_known_active(value: &Value) -> bool {
    matches!(expression::sea(value), Some(SeaOrm::Active(active)) if !active.is_open())
}

/// Whether a value is a list that is written out, of columns and what goes with them.
pub fn lists_columns(value: &Value) -> bool {
    let is_column = |value: &Value| matches!(expression::sea(value), Some(SeaOrm::Column { .. } | SeaOrm::Iden { .. }));
    let names_one = |value: &Value| match &value.shape {
        Shape::Record(parts) => parts.first().is_some_and(|(_, first)| is_column(first)),
        _ => is_column(value),
    };
    match &value.shape {
        Shape::Record(parts) => {
            let listed = |name: &Name| name.bytes().all(|byte| byte.is_ascii_digit());
            !parts.is_empty() && parts.iter().all(|(name, part)| listed(name) && names_one(part))
        }
        _ => false,
    }
}

/// Whether some package of the workspace can hold calls of sea-orm or sea-query.
pub fn used(workspace: &Workspace) -> bool {
    let crates = &workspace.crates;
    crates.is_empty() || crates.iter().any(|krate| table::KRATES.iter().any(|name| krate.depends_on(name)))
}

#[cfg(test)]
mod tests;
