//! A SELECT under construction.

use std::sync::Arc;

use crate::client::diesel::expr::Expr;
use crate::flow::value::Value;
use crate::link::Type;
use crate::lower::tree::Name;
use crate::sql::statement::{Limit, RowLock, Strength, Wait};

/// A table in FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub schema: Option<Name>,
    pub name: Name,
    pub alias: Option<Name>,
}

/// One entry of a select list.
#[derive(Clone, Debug)]
pub enum Item {
    Expr(Expr),
    /// All columns of the table or alias named.
    All(Name),
    /// The columns of a model: field by field, the column it is read from.
    Model {
        table: Name,
        fields: Vec<(Name, Name)>,
        ty: Type,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Select {
    pub from: Vec<Source>,
    /// The conditions of JOIN … ON.
    pub on: Vec<Arc<Expr>>,
    /// The conjuncts of WHERE and HAVING.
    pub filter: Vec<Arc<Expr>>,
    /// What is selected; none for all columns.
    pub output: Option<Vec<Item>>,
    pub limit: Option<Limit>,
    pub ordered: bool,
    pub lock: Option<RowLock>,
    /// The whole primary key was given by `find`: one row at most.
    pub keyed: bool,
}

impl Source {
    /// The name that columns are qualified with.
    pub fn key(&self) -> &Name {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

impl Item {
    fn with_values(&self, replace: &mut dyn FnMut(&Value) -> Value) -> Self {
        match self {
            Self::Expr(expr) => Self::Expr(expr.with_values(replace)),
            Self::All(_) | Self::Model { .. } => self.clone(),
        }
    }
}

impl Select {
    pub fn of(source: Source) -> Self {
        Self { from: vec![source], ..Self::default() }
    }

    /// Adds a condition to WHERE.
    pub fn narrowed(mut self, condition: Expr) -> Self {
        match condition {
            Expr::All(parts) => self.filter.extend(parts.into_iter().map(Arc::new)),
            condition => self.filter.push(Arc::new(condition)),
        }
        self
    }

    /// `or_filter`: what was asked so far, or the condition.
    pub fn widened(mut self, condition: Expr) -> Self {
        let known: Vec<Expr> = self.filter.drain(..).map(|part| (*part).clone()).collect();
        if known.is_empty() {
            return self.narrowed(condition);
        }
        let known = match <[Expr; 1]>::try_from(known) {
            Ok([one]) => one,
            Err(several) => Expr::All(several),
        };
        self.keyed = false;
        self.filter.push(Arc::new(known.or(condition)));
        self
    }

    pub fn locked(mut self, strength: Strength) -> Self {
        self.lock = Some(RowLock { strength, of: Vec::new(), wait: Wait::Block });
        self
    }

    pub fn waiting(mut self, wait: Wait) -> Self {
        if let Some(lock) = &mut self.lock {
            lock.wait = wait;
        }
        self
    }

    /// The same with each value in it replaced.
    pub fn with_values(&self, replace: &mut dyn FnMut(&Value) -> Value) -> Self {
        let mut all =
            |parts: &[Arc<Expr>]| -> Vec<_> { parts.iter().map(|part| Arc::new(part.with_values(replace))).collect() };
        let (on, filter) = (all(&self.on), all(&self.filter));
        Self {
            on,
            filter,
            output: self.output.as_ref().map(|items| items.iter().map(|item| item.with_values(replace)).collect()),
            ..self.clone()
        }
    }
}

/// Variants of one query that differ in their filters only become the query with the filters they share, where there
/// are too many of them to be told apart. Which rows the others leave out is not known.
pub(super) fn collapsed(variants: Vec<Arc<Select>>) -> Vec<Arc<Select>> {
    let unknown = Arc::new(Expr::Unknown);
    let mut kept: Vec<Select> = Vec::new();
    for variant in variants {
        let alike = |known: &&mut Select| {
            known.lock == variant.lock && known.from == variant.from && known.limit == variant.limit
        };
        match kept.iter_mut().find(alike) {
            Some(known) => {
                let asked = known.filter.len().max(variant.filter.len());
                known.filter.retain(|part| variant.filter.iter().any(|other| Arc::ptr_eq(part, other)));
                if known.filter.len() < asked {
                    known.filter.push(unknown.clone());
                }
                known.keyed &= variant.keyed;
                known.ordered |= variant.ordered;
            }
            None => kept.push((*variant).clone()),
        }
    }
    kept.into_iter().map(Arc::new).collect()
}
