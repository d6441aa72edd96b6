//! A statement's text that is put together piece by piece (sqlx's `QueryBuilder`).
//!
//! Source: documentation of sqlx 0.8, `QueryBuilder` and `Separated`.

use std::sync::Arc;

use crate::dialect::Dialect;
use crate::flow::Evaluator;
use crate::flow::text::joined_text;
use crate::flow::value::{Piece, QueryBody, Shape, Text, Value};
use crate::link::Type;
use crate::span::Range;

/// The type of what has a text in between; the text is its last name.
pub(super) const SEPARATED: [&str; 2] = ["sqlx", "Separated"];

/// What stands where the first piece comes, before which there is nothing in between.
const FIRST: &str = "";

impl<'p> Evaluator<'p> {
    /// Appends SQL text, with what stands in between before it.
    pub(super) fn pushed(&mut self, recv: &Value, sql: &Value, between: bool) -> Option<Value> {
        self.appended(recv, between, |text, _| *text = joined_text(text, sql))
    }

    /// Appends a placeholder and binds a value to it.
    pub(super) fn pushed_bind(&mut self, recv: &Value, bound: &Value, between: bool) -> Option<Value> {
        let dollar = self.frame.dialect.is_none_or(Dialect::is_postgres_like);
        self.appended(recv, between, |text, binds| {
            binds.push(bound.clone());
            let place = if dollar { format!("${}", binds.len()) } else { "?".to_owned() };
            text.parts.push(Piece::Constant(format!(" {place} ")));
        })
    }

    /// Appends the values of the rows of a list; one row stands for all.
    pub(super) fn pushed_rows(
        &mut self,
        recv: &Value,
        rows: &Value,
        row: &Value,
        (before, after): (&str, &str),
        at: Range,
    ) -> Option<Value> {
        let constant = |text: &str| Piece::Constant(text.to_owned());
        let opened = self.appended(recv, false, |text, _| text.parts.extend([constant(before), constant(FIRST)]))?;
        let element = match &rows.shape {
            // A list that is written out, of one row.
            Shape::Record(parts) if parts.len() == 1 => parts[0].1.clone(),
            _ => self.element(rows),
        };
        self.building.push(opened.clone());
        self.frame.spread += 1;
        self.call_value(row, vec![opened.clone().typed(separated_by(", ")), element], at);
        self.frame.spread -= 1;
        let filled = self.building.pop()?;
        let closed = self.appended(&filled, false, |text, _| text.parts.push(constant(after)))?.guarded(&rows.guards);
        // The closure had variables of its own.
        self.store_receiver(&opened, &closed);
        Some(closed)
    }

    /// The same builder with a text in between from now on.
    pub(super) fn separated(&mut self, recv: &Value, by: &Value) -> Option<Value> {
        let text = by.text().and_then(|text| text.whole());
        let opened = self.appended(recv, false, |text, _| text.parts.push(Piece::Constant(FIRST.to_owned())))?;
        Some(match text {
            Some(text) => opened.typed(separated_by(&text)),
            None => opened,
        })
    }

    fn appended(
        &mut self,
        recv: &Value,
        between: bool,
        append: impl FnOnce(&mut Text, &mut Vec<Value>),
    ) -> Option<Value> {
        let separator = match &recv.ty {
            Type::External(path, _) if between && path.len() == 3 && path[1] == SEPARATED[1] => {
                Some(path[2].to_string())
            }
            _ => None,
        };
        let value = self.changed(recv, |query| {
            let QueryBody::Text(text) = &mut query.body else { return };
            let mut longer = (**text).clone();
            let first = matches!(longer.parts.last(), Some(Piece::Constant(text)) if text == FIRST);
            if let Some(separator) = separator.filter(|_| !first) {
                longer.parts.push(Piece::Constant(separator));
            }
            append(&mut longer, &mut query.binds);
            *text = Arc::new(longer);
        })?;
        self.store_receiver(recv, &value);
        Some(value)
    }
}

fn separated_by(text: &str) -> Type {
    Type::external([SEPARATED[0], SEPARATED[1], text], &[])
}
