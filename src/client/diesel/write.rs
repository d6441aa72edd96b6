//! An INSERT, UPDATE or DELETE under construction.

use std::sync::Arc;

use crate::client::diesel::expr::Expr;
use crate::client::diesel::select::{Item, Select, Source};
use crate::flow::value::Value;
use crate::lower::tree::Name;
use crate::sql::statement::{Action, ConflictTarget};

#[derive(Clone, Debug)]
pub struct Write {
    pub action: Action,
    pub table: Source,
    /// The conjuncts of WHERE.
    pub filter: Vec<Arc<Expr>>,
    /// What an UPDATE sets, or an INSERT's row gives; `?` where the column is not known.
    pub sets: Vec<(Name, Expr)>,
    /// The query whose rows are inserted.
    pub source: Option<Arc<Select>>,
    pub conflict: Option<OnConflict>,
    pub returning: Option<Vec<Item>>,
}

/// ON CONFLICT under construction.
#[derive(Clone, Debug)]
pub struct OnConflict {
    pub target: ConflictTarget,
    pub action: OnConflictDo,
}

#[derive(Clone, Debug)]
pub enum OnConflictDo {
    /// `do_nothing` or `do_update` is still to come.
    Open,
    Nothing,
    Replace,
    Update {
        sets: Vec<(Name, Expr)>,
        filter: Vec<Arc<Expr>>,
    },
}

impl Write {
    pub fn of(action: Action, table: Source) -> Self {
        Self { action, table, filter: Vec::new(), sets: Vec::new(), source: None, conflict: None, returning: None }
    }

    /// The same with each value in it replaced.
    pub fn with_values(&self, replace: &mut dyn FnMut(&Value) -> Value) -> Self {
        let conflict = self.conflict.as_ref().map(|conflict| OnConflict {
            target: conflict.target.clone(),
            action: match &conflict.action {
                OnConflictDo::Update { sets, filter } => {
                    OnConflictDo::Update { sets: assigned(sets, replace), filter: conditions(filter, replace) }
                }
                other => other.clone(),
            },
        });
        Self {
            filter: conditions(&self.filter, replace),
            sets: assigned(&self.sets, replace),
            source: self.source.as_ref().map(|source| Arc::new(source.with_values(replace))),
            conflict,
            ..self.clone()
        }
    }
}

fn assigned(sets: &[(Name, Expr)], replace: &mut dyn FnMut(&Value) -> Value) -> Vec<(Name, Expr)> {
    sets.iter().map(|(column, value)| (column.clone(), value.with_values(replace))).collect()
}

fn conditions(parts: &[Arc<Expr>], replace: &mut dyn FnMut(&Value) -> Value) -> Vec<Arc<Expr>> {
    parts.iter().map(|part| Arc::new(part.with_values(replace))).collect()
}
