//! The calls that send a statement, and what they give.

use std::sync::Arc;

use crate::client::diesel::expr::Expr;
use crate::client::diesel::model::{self, For};
use crate::client::diesel::select::{Item, Select};
use crate::client::diesel::write::Write;
use crate::client::diesel::{Part, query, render, table};
use crate::client::table::{Arg, Does, Gives};
use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Query, QueryBody, Shape, Text, Value};
use crate::link::Type;
use crate::lower::tree::{MethodCall, Name};
use crate::span::Range;
use crate::sql::statement::{Action, BeginMode, Limit, Statement};

/// What the result of a call that sends a statement is.
///
/// Source: docs.rs/diesel, trait `RunQueryDsl`: `first` and `get_result` fail with `NotFound` where there is no row.
pub(super) fn gives(name: &str) -> Option<Gives> {
    Some(match plain(name) {
        "first" | "get_result" => Gives::Row,
        "load" | "get_results" | "load_iter" | "load_stream" | "internal_load" => Gives::Rows,
        "execute" => Gives::Count,
        _ => return None,
    })
}

/// A call's name in diesel's own words: async-bb8-diesel has them with `_async` behind.
pub(super) fn plain(name: &str) -> &str {
    name.strip_suffix("_async").unwrap_or(name)
}

pub(super) fn select(
    ev: &mut Evaluator<'_>,
    mut select: Select,
    call: &MethodCall,
    args: &[Value],
    at: Range,
) -> Option<Value> {
    let gives = gives(&call.name)?;
    if plain(&call.name) == "first" && !select.keyed {
        select.limit = select.limit.or(Some(Limit::One));
    }
    if let Some(value) = text_only(ev, &select, call, args, at) {
        return Some(value);
    }
    let (mut statement, binds) = render::select(&select);
    let row = row_type(ev, call, select.output.as_deref());
    named_by_position(ev, &mut statement, &row, select.output.as_deref());
    let value = send(ev, statement, binds, &row, args, gives, at)?;
    if gives != Gives::Row {
        return Some(value);
    }
    Some(parts(ev, value, &row, &select))
}

/// `select(sql::<Bool>("EXISTS (SELECT …)"))`: a query without tables of its own is what its text says.
fn text_only(ev: &mut Evaluator<'_>, select: &Select, call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
    let (true, Some([Item::Expr(Expr::Sql { text, binds, .. })])) = (select.from.is_empty(), select.output.as_deref())
    else {
        return None;
    };
    let binds = binds.iter().map(|bind| match bind {
        Expr::Value(value) => (**value).clone(),
        Expr::Literal(text) => Value::new(ev.terms.literal(text), Type::Unknown),
        _ => Value::new(ev.terms.fresh(), Type::Unknown),
    });
    let query = Query {
        binds: binds.collect(),
        body: QueryBody::Text(Arc::new(Text::constant(format!("SELECT {text}")))),
        named: Vec::new(),
        on: None,
        ty: row_type(ev, call, None),
    };
    ev.send_to(&query, args, gives(&call.name)?, at)
}

pub(super) fn write(
    ev: &mut Evaluator<'_>,
    mut write: Write,
    call: &MethodCall,
    args: &[Value],
    at: Range,
) -> Option<Value> {
    let gives = gives(&call.name)?;
    if gives != Gives::Count && write.returning.is_none() {
        write.returning = Some(vec![Item::All(write.table.key().clone())]);
    }
    let (statement, binds) = render::write(&write);
    let row = row_type(ev, call, write.returning.as_deref());
    let several = write.returning.as_deref().is_some_and(|items| items.len() > 1);
    let value = send(ev, statement, binds, &row, args, gives, at)?;
    if gives != Gives::Row || !several {
        return Some(value);
    }
    let shown = Select { output: write.returning.clone(), ..Select::default() };
    Some(parts(ev, value, &row, &shown))
}

fn send(
    ev: &mut Evaluator<'_>,
    statement: Statement,
    mut binds: Vec<Value>,
    row: &Type,
    args: &[Value],
    gives: Gives,
    at: Range,
) -> Option<Value> {
    binds.truncate(4096);
    let query =
        Query { body: QueryBody::Statement(Arc::new(statement)), binds, named: Vec::new(), on: None, ty: row.clone() };
    ev.send_to(&query, args, gives, at)
}

/// The type a row is read into: as the call says, or as the model that is selected.
fn row_type(ev: &Evaluator<'_>, call: &MethodCall, output: Option<&[Item]>) -> Type {
    let written = call.generics.first().map(|ty| ev.program.ty(ev.scope(), Some(ev.function()), ty));
    match (written, output) {
        (Some(ty), _) if !ty.is_unknown() => ty,
        (_, Some([Item::Model { ty, .. }])) => ty.clone(),
        _ => Type::Unknown,
    }
}

/// Columns are read by position: where the row's struct names one otherwise, the struct's name is the one in use.
fn named_by_position(ev: &Evaluator<'_>, statement: &mut Statement, row: &Type, output: Option<&[Item]>) {
    let Type::Def(id, _) = ev.program.peel(row) else { return };
    let positional = output.is_some_and(|items| items.iter().all(|item| matches!(item, Item::Expr(_))));
    let fields = ev.program.fields(id);
    if positional && fields.len() == statement.output.len() && fields.len() > 1 {
        for (output, (field, _)) in statement.output.iter_mut().zip(fields.iter()) {
            output.name.clone_from(field);
        }
    }
}

/// A row of several entries: each by its position.
fn parts(ev: &mut Evaluator<'_>, row: Value, ty: &Type, select: &Select) -> Value {
    if !matches!(ty, Type::Unknown | Type::Tuple(_)) || !matches!(ev.terms.get(row.term), Term::Row(_)) {
        return row;
    }
    let items: Vec<Item> = match &select.output {
        Some(items) => items.clone(),
        None => match (select.from.as_slice(), ty) {
            ([_], Type::Unknown) | ([], _) => return row,
            ([table], _) => {
                let Some(def) = ev.diesel.table(&table.name) else { return row };
                let columns = def.columns.iter().map(|column| Expr::column(table.key(), &column.name));
                columns.map(Item::Expr).collect()
            }
            (tables, _) => tables.iter().map(|table| Item::All(table.key().clone())).collect(),
        },
    };
    if items.len() < 2 {
        return row;
    }
    let types = match ty {
        Type::Tuple(types) => types.to_vec(),
        _ => Vec::new(),
    };
    let mut known = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let position = Name::new(at.to_string());
        let mut part = match item {
            Item::Expr(Expr::Column { column, .. }) => ev.field(&row, column),
            Item::Expr(_) => ev.field(&row, &position),
            Item::All(_) => Value { ty: Type::Unknown, ..row.clone() },
            Item::Model { ty, .. } => Value { ty: ty.clone(), ..row.clone() },
        };
        part.shape = Shape::Plain;
        if let Some(ty) = types.get(at)
            && part.ty.is_unknown()
        {
            part.ty = ty.clone();
        }
        known.push((position, part));
    }
    row.shaped(Shape::Record(Arc::new(known)))
}

/// Methods on values that are no part of a statement: `optional`, `save_changes`, transactions of in-house handles.
pub(super) fn other(
    ev: &mut Evaluator<'_>,
    recv: &Value,
    call: &MethodCall,
    args: &[Value],
    at: Range,
) -> Option<Value> {
    match (plain(&call.name), args) {
        ("scope_boxed", []) => Some(recv.clone()),
        ("into_sql" | "as_sql", []) if !ev.diesel.is_empty() => {
            let expr = Expr::of(ev, recv);
            Some(ev.part(Part::Expr(expr)))
        }
        ("insert_into", [target]) => query::inserted(ev, recv, target),
        ("save_changes", [_]) => save_changes(ev, recv, call, args, at),
        ("load" | "get_result" | "get_results", [on]) => typed_text(ev, recv, call, on, at),
        ("transaction" | "immediate_transaction" | "exclusive_transaction" | "test_transaction", [closure]) => {
            transaction(ev, recv, call, closure, at)
        }
        ("run", [closure]) => lent(ev, recv, closure, at),
        _ => None,
    }
}

/// `form.save_changes::<Account>(conn)`: UPDATE of the row with the struct's key, and RETURNING or a SELECT.
fn save_changes(ev: &mut Evaluator<'_>, row: &Value, call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
    let model = model::of(ev, &row.ty)?;
    let filter = model.same_row(ev, row).into_iter().map(Arc::new).collect();
    let sets = model.assignments(ev, row, For::Update);
    let returning = Some(vec![Item::All(model.table.key().clone())]);
    let update = Write { filter, sets, returning, ..Write::of(Action::Update, model.table) };
    let (statement, binds) = render::write(&update);
    let row = row_type(ev, call, None);
    send(ev, statement, binds, &row, args, Gives::Row, at)
}

/// `sql_query("…").get_result::<Balance>(conn)`: the type of the row is known here only.
fn typed_text(ev: &mut Evaluator<'_>, recv: &Value, call: &MethodCall, on: &Value, at: Range) -> Option<Value> {
    let query = recv.query()?;
    if call.generics.is_empty() {
        return None;
    }
    let row = row_type(ev, call, None);
    let query = Query { ty: row, ..(**query).clone() };
    ev.send_to(&query, std::slice::from_ref(on), gives(&call.name)?, at)
}

/// A transaction on a handle that no table knows, such as a struct around a connection: the program uses diesel, and
/// nobody in it declares the method.
fn transaction(ev: &mut Evaluator<'_>, recv: &Value, call: &MethodCall, closure: &Value, at: Range) -> Option<Value> {
    let runs = matches!(closure.shape, Shape::Closure(_) | Shape::Function(_));
    if ev.diesel.is_empty() || !runs || ev.handle(recv.term).is_some_and(|handle| !handle.client.is_empty()) {
        return None;
    }
    if !ev.program.methods(ev.scope(), &recv.ty, &call.name).functions.is_empty() {
        return None;
    }
    let mode = match plain(&call.name) {
        "immediate_transaction" => BeginMode::Immediate,
        "exclusive_transaction" => BeginMode::Exclusive,
        _ => BeginMode::Plain,
    };
    let does = Does::Within { from: Arg::Receiver, closure: 0, isolation: None, mode, options: None };
    ev.apply(&table::CLIENT, does, Some(recv), std::slice::from_ref(closure), at, Type::Unknown)
}

/// `db.run(|conn| …)` of a struct that rocket's `#[database]` made.
fn lent(ev: &mut Evaluator<'_>, recv: &Value, closure: &Value, at: Range) -> Option<Value> {
    let Type::Def(id, _) = ev.program.peel(&recv.ty) else { return None };
    ev.program.attr(id, "database")?;
    if !matches!(closure.shape, Shape::Closure(_) | Shape::Function(_)) {
        return None;
    }
    let conn = ev.connection();
    Some(ev.call_value(closure, vec![conn], at))
}
