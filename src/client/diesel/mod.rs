//! diesel and diesel-async: chains of calls to the statements they send.
//!
//! - `schema`: the modules that `table!` generates, and the tables it describes.
//! - `table`: handles, transactions, and the calls that carry SQL text.
//! - `expr`, `select`, `write`: what the program puts together, as data.
//! - `names`, `query`, `change`, `model`: which call makes which of them.
//! - `render`: the finished draft to a [`Statement`](crate::sql::statement::Statement) and the values of its placeholders.
//! - `run`: the calls that send it.
//!
//! A call counts only on a value that came from a table, a column, or a function of diesel's, so that `first`, `filter`
//! and `load` of other libraries stay what they are.

mod change;
mod expr;
mod model;
mod names;
mod query;
mod render;
mod run;
pub mod schema;
mod select;
pub mod table;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use crate::flow::value::{Shape, Value};
use crate::lower::tree::Name;

pub use expr::Expr;
pub(crate) use names::{alias, call, name, operator};
pub(crate) use query::{holds_part, method};
pub use schema::{Tables, tables};
pub use select::{Item, Select, Source};
pub use write::Write;

/// A piece of a statement under construction.
#[derive(Clone, Debug)]
pub enum Part {
    Table(Source),
    Expr(Expr),
    /// What a select list or RETURNING holds: all columns of a table, or those of a model.
    Item(Item),
    Select(Arc<Select>),
    Write(Arc<Write>),
}

impl Part {
    /// The part a value is, if it is one.
    pub(crate) fn of(value: &Value) -> Option<&Self> {
        let Shape::Builder(builder) = &value.shape else { return None };
        match &**builder {
            super::Builder::Diesel(part) => Some(part),
            _ => None,
        }
    }

    /// The same with each value in it replaced.
    pub fn with_values(&self, replace: &mut dyn FnMut(&Value) -> Value) -> Self {
        match self {
            Self::Table(_) | Self::Item(_) => self.clone(),
            Self::Expr(expr) => Self::Expr(expr.with_values(replace)),
            Self::Select(select) => Self::Select(Arc::new(select.with_values(replace))),
            Self::Write(write) => Self::Write(Arc::new(write.with_values(replace))),
        }
    }

    fn shape(self) -> Shape {
        Shape::Builder(Arc::new(super::Builder::Diesel(self)))
    }
}

impl Source {
    pub(crate) fn table(schema: Option<Name>, name: Name) -> Self {
        Self { schema, name, alias: None }
    }
}
