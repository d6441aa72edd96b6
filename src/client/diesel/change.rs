//! INSERT, UPDATE and DELETE: targets, sets, conflicts.

use std::sync::Arc;

use crate::client::diesel::expr::Expr;
use crate::client::diesel::model::{self, For};
use crate::client::diesel::select::{Select, Source};
use crate::client::diesel::write::{OnConflict, OnConflictDo, Write};
use crate::client::diesel::{Part, query, run};
use crate::flow::Evaluator;
use crate::flow::value::{Shape, Value};
use crate::lower::tree::{MethodCall, Name};
use crate::span::Range;
use crate::sql::statement::{Action, Compare, ConflictTarget};

/// How deep tuples of assignments are followed.
const NESTED: usize = 8;

/// `diesel::update(target)`: a table, a query that finds the rows, or a row.
pub(super) fn target(ev: &mut Evaluator<'_>, target: &Value, action: Action) -> Option<Write> {
    match Part::of(target) {
        Some(Part::Table(source)) => return Some(Write::of(action, source.clone())),
        Some(Part::Select(select)) => {
            let source = select.from.first()?.clone();
            return Some(Write { filter: select.filter.clone(), ..Write::of(action, source) });
        }
        Some(_) => return None,
        None => {}
    }
    if let Shape::OneOf(values) = &target.shape {
        let values = values.clone();
        return values.iter().find_map(|value| self::target(ev, value, action));
    }
    let model = model::of(ev, &target.ty)?;
    let filter = model.same_row(ev, target).into_iter().map(Arc::new).collect();
    Some(Write { filter, ..Write::of(action, model.table) })
}

/// A method of a write under construction.
pub(super) fn method(
    ev: &mut Evaluator<'_>,
    write: &Write,
    call: &MethodCall,
    args: &[Value],
    at: Range,
) -> Option<Value> {
    let mut write = write.clone();
    match (call.name.as_str(), args) {
        ("set", [value]) => {
            let sets = assignments(ev, value, &write.table, For::Update);
            match &mut write.conflict {
                Some(OnConflict { action: OnConflictDo::Update { sets: known, .. }, .. }) => known.extend(sets),
                _ => write.sets.extend(sets),
            }
        }
        ("values", [value]) => match query::select_of(value) {
            Some(source) => write.source = Some(source),
            None => write.sets = assignments(ev, value, &write.table, For::Insert),
        },
        ("default_values" | "into_boxed" | "clone", []) => {}
        ("into_columns", [columns]) => {
            let columns = columns_in(columns);
            write.sets = columns.into_iter().map(|column| (column, Expr::Unknown)).collect();
        }
        ("filter" | "filter_target", [condition]) => {
            let condition = Expr::of(ev, condition);
            let narrowed = Select::default().narrowed(condition).filter;
            match &mut write.conflict {
                Some(OnConflict { action: OnConflictDo::Update { filter, .. }, .. }) => filter.extend(narrowed),
                _ => write.filter.extend(narrowed),
            }
        }
        ("or_filter", [condition]) => {
            let known = Select { filter: std::mem::take(&mut write.filter), ..Select::default() };
            write.filter = known.widened(Expr::of(ev, condition)).filter;
        }
        ("find", [key]) => {
            let condition = query::key_condition(ev, &write.table, key);
            write.filter.extend(Select::default().narrowed(condition).filter);
        }
        ("on_conflict", [target]) => {
            write.conflict = Some(OnConflict { target: conflict_target(target), action: OnConflictDo::Open });
        }
        ("on_conflict_do_nothing", []) => {
            write.conflict = Some(OnConflict { target: ConflictTarget::Any, action: OnConflictDo::Nothing });
        }
        ("do_nothing", []) => write.conflict.as_mut()?.action = OnConflictDo::Nothing,
        ("do_update", []) => {
            write.conflict.as_mut()?.action = OnConflictDo::Update { sets: Vec::new(), filter: Vec::new() };
        }
        ("returning", [output]) => write.returning = Some(query::items(ev, output)),
        (name, [_, ..]) if run::gives(name).is_some() => return run::write(ev, write, call, args, at),
        _ => return None,
    }
    Some(ev.part(Part::Write(Arc::new(write))))
}

/// What `.set(…)` and `.values(…)` write: one assignment, a tuple or list of them, a struct, or a list of structs. A
/// value of which nothing is known is a row of the table.
pub(super) fn assignments(ev: &mut Evaluator<'_>, value: &Value, table: &Source, purpose: For) -> Vec<(Name, Expr)> {
    let mut sets = Vec::new();
    collect(ev, value, purpose, 0, &mut sets);
    if !sets.is_empty() {
        return sets;
    }
    let tables = ev.diesel.clone();
    let Some(def) = tables.table(&table.name) else { return vec![(Name::new("?"), Expr::of(ev, value))] };
    for column in &def.columns {
        if purpose == For::Insert || !def.primary_key.contains(&column.name) {
            let part = ev.field(value, &column.name);
            sets.push((column.name.clone(), Expr::of(ev, &part)));
        }
    }
    sets
}

fn collect(ev: &mut Evaluator<'_>, value: &Value, purpose: For, depth: usize, sets: &mut Vec<(Name, Expr)>) {
    if depth > NESTED {
        return;
    }
    let mut add = |column: &Name, value: Expr| {
        // Rows of a list have the same columns; the first stands for all.
        if sets.iter().all(|(known, _)| known != column) {
            sets.push((column.clone(), value));
        }
    };
    match Part::of(value) {
        Some(Part::Expr(Expr::Compare(left, Compare::Eq, right))) => {
            if let Expr::Column { column, .. } = &**left {
                add(column, (**right).clone());
            }
            return;
        }
        Some(_) => return,
        None => {}
    }
    if let Some(model) = model::of(ev, &value.ty) {
        let row = first_row(value);
        for (column, value) in model.assignments(ev, row, purpose) {
            if sets.iter().all(|(known, _)| *known != column) {
                sets.push((column, value));
            }
        }
        return;
    }
    let (Shape::Record(_) | Shape::OneOf(_)) = &value.shape else { return };
    let parts: Vec<Value> = match &value.shape {
        Shape::Record(parts) => parts.iter().map(|(_, part)| part.clone()).collect(),
        Shape::OneOf(values) => values.to_vec(),
        _ => Vec::new(),
    };
    for part in &parts {
        collect(ev, part, purpose, depth + 1, sets);
    }
}

/// The struct itself, or the first of a list of them.
fn first_row(value: &Value) -> &Value {
    match &value.shape {
        Shape::Record(parts) => match parts.first() {
            Some((name, first)) if name == "0" && matches!(first.shape, Shape::Record(_)) => first,
            _ => value,
        },
        _ => value,
    }
}

fn conflict_target(value: &Value) -> ConflictTarget {
    let columns = columns_in(value);
    if !columns.is_empty() {
        return ConflictTarget::Columns(columns);
    }
    match Part::of(value) {
        Some(Part::Expr(Expr::Call(name, parts))) if name == "on_constraint()" => match parts.as_slice() {
            [Expr::Literal(name)] => ConflictTarget::Constraint(Name::new(name)),
            _ => ConflictTarget::Any,
        },
        _ => ConflictTarget::Any,
    }
}

/// The columns that a column or a tuple of columns names.
fn columns_in(value: &Value) -> Vec<Name> {
    match (Part::of(value), &value.shape) {
        (Some(Part::Expr(Expr::Column { column, .. })), _) => vec![column.clone()],
        (None, Shape::Record(parts)) => parts.iter().flat_map(|(_, part)| columns_in(part)).collect(),
        _ => Vec::new(),
    }
}
