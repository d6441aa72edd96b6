//! Methods: of tables, columns, queries, and of what may be one of several queries.

use std::sync::Arc;

use crate::client::diesel::expr::{self, Expr};
use crate::client::diesel::model;
use crate::client::diesel::select::{Item, Select, Source, collapsed};
use crate::client::diesel::write::Write;
use crate::client::diesel::{Part, change, run};
use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Shape, Value};
use crate::lower::tree::{MethodCall, Name};
use crate::span::Range;
use crate::sql::statement::{Action, Compare, Limit, Strength, Wait};

/// How many variants of a query are told apart.
const VARIANTS: usize = 4;

/// A method that diesel gives a meaning; none for everybody else's.
pub(crate) fn method(
    ev: &mut Evaluator<'_>,
    recv: &Value,
    call: &MethodCall,
    args: &[Value],
    at: Range,
) -> Option<Value> {
    if let Some(part) = Part::of(recv) {
        let value = match part.clone() {
            Part::Table(source) => on_select(ev, Select::of(source.clone()), Some(&source), call, args, at),
            Part::Select(select) => on_select(ev, (*select).clone(), None, call, args, at),
            Part::Write(write) => change::method(ev, &write, call, args, at),
            Part::Item(item) => match call.name.as_str() {
                "nullable" | "clone" => Some(ev.part(Part::Item(item))),
                _ => None,
            },
            Part::Expr(expr) => expr::method(ev, &expr, &call.name, args).map(|expr| ev.part(Part::Expr(expr))),
        };
        return value.or_else(|| ev.extension(recv, &call.name, args, at));
    }
    if let Shape::OneOf(values) = &recv.shape {
        return on_each(ev, values, call, args, at);
    }
    run::other(ev, recv, call, args, at)
}

/// Whether a value is a part of a statement, or holds one.
pub(crate) fn holds_part(value: &Value) -> bool {
    match &value.shape {
        Shape::OneOf(values) => values.iter().any(|value| Part::of(value).is_some()),
        Shape::Record(parts) => parts.iter().take(32).any(|(_, part)| Part::of(part).is_some()),
        _ => Part::of(value).is_some(),
    }
}

/// The query a value is.
pub(super) fn select_of(value: &Value) -> Option<Arc<Select>> {
    match Part::of(value)? {
        Part::Select(select) => Some(select.clone()),
        Part::Table(source) => Some(Arc::new(Select::of(source.clone()))),
        _ => None,
    }
}

/// The entries of a select list: one expression, or a tuple of them.
pub(super) fn items(ev: &Evaluator<'_>, output: &Value) -> Vec<Item> {
    match (Part::of(output), &output.shape) {
        (Some(Part::Item(item)), _) => vec![item.clone()],
        (Some(Part::Table(source)), _) => vec![Item::All(source.key().clone())],
        (None, Shape::Record(parts)) => parts.iter().take(256).flat_map(|(_, part)| items(ev, part)).collect(),
        _ => vec![Item::Expr(Expr::of(ev, output))],
    }
}

/// The condition that a table's primary key is the one given: one value, or a tuple.
pub(super) fn key_condition(ev: &mut Evaluator<'_>, source: &Source, key: &Value) -> Expr {
    let columns = ev.diesel.primary_key(&source.name);
    let mut parts = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let value = if columns.len() == 1 { key.clone() } else { ev.field(key, &at.to_string()) };
        parts.push(Expr::column(source.key(), column).compare(Compare::Eq, Expr::of(ev, &value)));
    }
    match <[Expr; 1]>::try_from(parts) {
        Ok([one]) => one,
        Err(several) => Expr::All(several),
    }
}

/// A query that was put together in branches: the call is made on each of its variants.
fn on_each(ev: &mut Evaluator<'_>, values: &[Value], call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
    let mut flat = Vec::new();
    flatten(values, 0, &mut flat);
    if flat.iter().all(|value| Part::of(value).is_none()) {
        return None;
    }
    let selects: Vec<Arc<Select>> = flat.iter().filter_map(select_of).collect();
    if selects.len() > VARIANTS && selects.len() == flat.len() {
        flat = collapsed(selects).into_iter().map(|select| ev.part(Part::Select(select))).collect();
    }
    flat.truncate(VARIANTS);
    if let [one] = flat.as_slice() {
        return method(ev, one, call, args, at);
    }
    if run::gives(&call.name).is_none() {
        let mut changed: Vec<Value> = Vec::new();
        for value in &flat {
            let made = method(ev, value, call, args, at);
            changed.extend(made.map(|made| Value { way: value.way.clone(), ..made }));
        }
        return (!changed.is_empty()).then(|| ev.one_of(changed));
    }
    Some(ev.each_on_its_way(&flat, |ev, value| method(ev, value, call, args, at).unwrap_or_else(|| value.clone())))
}

fn flatten(values: &[Value], depth: usize, flat: &mut Vec<Value>) {
    for value in values {
        match &value.shape {
            Shape::OneOf(inner) if depth < 8 => flatten(inner, depth + 1, flat),
            _ if flat.len() < 64 => flat.push(value.clone()),
            _ => return,
        }
    }
}

fn on_select(
    ev: &mut Evaluator<'_>,
    mut select: Select,
    table: Option<&Source>,
    call: &MethodCall,
    args: &[Value],
    at: Range,
) -> Option<Value> {
    let name = call.name.as_str();
    let select = match (name, args) {
        ("find", [key]) => {
            let source = select.from.first()?.clone();
            let condition = key_condition(ev, &source, key);
            Select { keyed: true, ..select.narrowed(condition) }
        }
        ("filter" | "having" | "where_", [condition]) => select.narrowed(Expr::of(ev, condition)),
        ("or_filter", [condition]) => select.widened(Expr::of(ev, condition)),
        ("select", [output]) => Select { output: Some(items(ev, output)), ..select },
        ("count", []) => {
            let count = Item::Expr(Expr::Call("count()".to_owned(), Vec::new()));
            Select { output: Some(vec![count]), ..select }
        }
        ("inner_join" | "left_join" | "left_outer_join" | "join", [other]) => joined(ev, select, other),
        ("on", [condition]) => {
            let on = Select::default().narrowed(Expr::of(ev, condition)).filter;
            select.on.extend(on);
            select
        }
        ("order" | "order_by" | "then_order_by", [_]) => Select { ordered: true, ..select },
        ("limit", [count]) => {
            let one = matches!(ev.terms.get(count.term), Term::Literal(text) if text == "1");
            Select { limit: Some(if one { Limit::One } else { Limit::Many }), ..select }
        }
        ("for_update", []) => select.locked(Strength::Update),
        ("for_no_key_update", []) => select.locked(Strength::NoKeyUpdate),
        ("for_share", []) => select.locked(Strength::Share),
        ("for_key_share", []) => select.locked(Strength::KeyShare),
        ("skip_locked", []) => select.waiting(Wait::SkipLocked),
        ("no_wait", []) => select.waiting(Wait::NoWait),
        (
            "into_boxed" | "as_query" | "nullable" | "distinct" | "clone" | "assume_not_null" | "as_ref" | "into"
            | "by_ref" | "borrow" | "no_select",
            [],
        )
        | ("offset" | "distinct_on" | "group_by" | "union" | "union_all" | "except" | "intersect", [_]) => select,
        ("single_value", []) => return Some(ev.part(Part::Expr(Expr::Subquery(Arc::new(select))))),
        ("insert_into", [target]) => {
            let Some(Part::Table(target)) = Part::of(target) else { return None };
            let write = Write { source: Some(Arc::new(select)), ..Write::of(Action::Insert, target.clone()) };
            return Some(ev.part(Part::Write(Arc::new(write))));
        }
        ("field", [column]) => {
            let Some(Part::Expr(Expr::Column { column, .. })) = Part::of(column) else { return None };
            let expr = Expr::column(table?.key(), column);
            return Some(ev.part(Part::Expr(expr)));
        }
        ("fields", [columns]) => {
            let key = table?.key().clone();
            let columns = items(ev, columns).into_iter().filter_map(|item| match item {
                Item::Expr(Expr::Column { column, .. }) => Some(Expr::Column { table: key.clone(), column }),
                _ => None,
            });
            let values: Vec<Value> = columns.collect::<Vec<_>>().into_iter().map(|e| ev.part(Part::Expr(e))).collect();
            return Some(ev.tuple_of(values));
        }
        (name, [_, ..]) if run::gives(name).is_some() => return run::select(ev, select, call, args, at),
        _ => return None,
    };
    Some(ev.part(Part::Select(Arc::new(select))))
}

/// `users.inner_join(posts)`: by the condition given, or as `joinable!` says.
fn joined(ev: &Evaluator<'_>, mut select: Select, other: &Value) -> Select {
    let others: Vec<Value> = match (Part::of(other), &other.shape) {
        (None, Shape::Record(parts)) => parts.iter().map(|(_, part)| part.clone()).collect(),
        _ => vec![other.clone()],
    };
    // What is joined may be another crate's: the tables that are known are read all the same.
    for other in others.iter().filter_map(select_of) {
        if other.on.is_empty() {
            let first = other.from.first();
            select.on.extend(first.and_then(|first| join_condition(ev, &select.from, first)).map(Arc::new));
        }
        select.on.extend(other.on.iter().cloned());
        select.filter.extend(other.filter.iter().cloned());
        select.from.extend(other.from.iter().cloned());
    }
    select
}

fn join_condition(ev: &Evaluator<'_>, from: &[Source], other: &Source) -> Option<Expr> {
    from.iter().find_map(|known| {
        let (child, parent, column) = ev.diesel.join(&known.name, &other.name)?;
        let key = ev.diesel.primary_key(&parent).into_iter().next()?;
        let key_of = |name: &Name| if known.name == *name { known.key().clone() } else { other.key().clone() };
        let left = Expr::Column { table: key_of(&child), column };
        Some(left.compare(Compare::Eq, Expr::Column { table: key_of(&parent), column: key }))
    })
}

/// `form.insert_into(users::table)`: the other way round.
pub(super) fn inserted(ev: &mut Evaluator<'_>, row: &Value, target: &Value) -> Option<Value> {
    let Some(Part::Table(source)) = Part::of(target) else { return None };
    let sets = change::assignments(ev, row, source, model::For::Insert);
    let write = Write { sets, ..Write::of(Action::Insert, source.clone()) };
    Some(ev.part(Part::Write(Arc::new(write))))
}
