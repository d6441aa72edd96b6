//! Client tables at work: which row a call fires, and what it does.

use std::sync::Arc;

use crate::analyse::tables::Schemas;
use crate::client::handles::Handle;
use crate::client::table::{Arg, Does, Gives, On, Params, Steer};
use crate::client::{Client, HandleKind, TxOptions};
use crate::dialect::Dialect;
use crate::event::{Event, EventKind, Guard};
use crate::flow::Evaluator;
use crate::flow::fires::looks_like_sql;
use crate::flow::kept::changes_in_place;
use crate::flow::term::Term;
use crate::flow::value::{Piece, Query, QueryBody, Shape, Text, Value};
use crate::link::{Def, Type};
use crate::lower::tree::{MacroBody, MacroCall, MethodCall, Name, Ty, TyPath};
use crate::span::Range;
use crate::sql::statement::BeginMode;

impl<'p> Evaluator<'p> {
    /// `sqlx::query("…")`, `QueryBuilder::new("…")`, and the functions of query builders.
    pub(super) fn client_path(&mut self, path: &TyPath, args: &[Value], at: Range) -> Option<Value> {
        if let Some(value) = self.own_path(path, args, at).or_else(|| self.builder_call(path, args, at)) {
            return Some(value);
        }
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        let defs = self.program.path(self.frame.scope, Some(self.frame.function), path);
        let full = match defs.first() {
            Some(Def::External(full)) => full.clone(),
            Some(_) => return None,
            // `<C as Connection>::TransactionManager::begin_transaction(conn)`
            None if path.qself.is_some() => match self.program.resolve(self.frame.scope, &names).into_iter().next() {
                Some(Def::External(full)) => full,
                _ => names,
            },
            None => names,
        };
        let (client, row) = self.row_for_path(&full, On::Path)?;
        let ty = self.row_type(path);
        self.apply(client, row.does, None, args, at, ty)
    }

    /// `query!("…", x)` and its kin.
    pub(super) fn client_macro(&mut self, call: &MacroCall, at: Range) -> Option<Value> {
        let MacroBody::Args(args) = &call.body else { return None };
        let full = match self.program.resolve(self.frame.scope, &call.path).into_iter().next() {
            Some(Def::External(full)) => full,
            Some(_) => return None,
            None => call.path.clone(),
        };
        let (client, row) = self.row_for_path(&full, On::Macro)?;
        let typed = match &row.does {
            Does::Query { sql, .. } => *sql > 0,
            Does::QueryFile { path, .. } => *path > 0,
            _ => false,
        };
        let ty = match args.first().map(|arg| &*arg.value.kind) {
            Some(crate::lower::tree::ExprKind::Path(path)) if typed => {
                self.program.ty(self.frame.scope, Some(self.frame.function), &Ty::Path(path.clone()))
            }
            _ => Type::Unknown,
        };
        let values: Vec<Value> = args
            .iter()
            .enumerate()
            .map(|(i, arg)| if typed && i == 0 { self.fresh() } else { self.expr(&arg.value) })
            .collect();
        self.apply(client, row.does, None, &values, at, ty)
    }

    /// The row type of `query_as::<_, Account>(…)`.
    fn row_type(&self, path: &TyPath) -> Type {
        let last = path.segments.last().and_then(|segment| segment.args.last());
        match last {
            Some(ty) => self.program.ty(self.frame.scope, Some(self.frame.function), ty),
            None => Type::Unknown,
        }
    }

    /// A method of a statement, a handle, or a builder.
    pub(super) fn client_method(
        &mut self,
        recv: &Value,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        if let Some(value) = self.own_method(recv, call, args, at).or_else(|| self.builder_method(recv, call, args, at))
        {
            return Some(value);
        }
        if let Shape::OneOf(values) = &recv.shape
            && values.iter().any(|value| value.query().is_some())
        {
            let changed = self.on_each(values, call, args, at);
            if self.row(On::Query, &call.name, args).is_some_and(|(_, row)| changes_in_place(row.does)) {
                self.store_each(values, &changed);
            }
            return Some(changed);
        }
        let name = call.name.as_str();
        let typed = self.lock_by_type(recv);
        let recv = typed.as_ref().unwrap_or(recv);
        match &recv.shape {
            Shape::Query(query) => {
                let on = if query.on.is_some() { On::Prepared } else { On::Query };
                let (client, row) = self.row(on, name, args)?;
                return self.apply(client, row.does, Some(recv), args, at, Type::Unknown);
            }
            Shape::Text(_) if looks_like_sql(recv) => {
                let (client, row) = self.row(On::Text, name, args)?;
                return self
                    .depends_on(client)
                    .then(|| self.apply(client, row.does, Some(recv), args, at, Type::Unknown))?;
            }
            Shape::Options(_) => {
                let (client, row) = self.row(On::Options, name, args)?;
                return self.apply(client, row.does, Some(recv), args, at, Type::Unknown);
            }
            _ => {}
        }
        if let Some(handle) = self.handle(recv.term) {
            // A newtype around a handle has methods of its own.
            let newtype = matches!(recv.ty, Type::Def(..));
            if newtype && !self.program.methods(self.frame.scope, &recv.ty, name).functions.is_empty() {
                return None;
            }
            let (client, row) = self.row_for_handle(handle, name, args)?;
            let inside = self.handle_inside(recv);
            return self.apply(client, row.does, Some(inside.as_ref().unwrap_or(recv)), args, at, Type::Unknown);
        }
        if let Some((client, row)) = self.row(On::Outcome, name, args)
            && !self.terms.origins(recv.term).is_empty()
        {
            return self.apply(client, row.does, Some(recv), args, at, Type::Unknown);
        }
        self.note_sent_query(recv, name, args);
        let (client, row) = self.row_by_evidence(recv, name, args)?;
        self.apply(client, row.does, Some(recv), args, at, Type::Unknown)
    }

    pub(crate) fn on_each(&mut self, values: &Arc<[Value]>, call: &MethodCall, args: &[Value], at: Range) -> Value {
        self.each_on_its_way(values, |ev, value| {
            ev.client_method(value, call, args, at).unwrap_or_else(|| value.clone())
        })
    }

    /// Does something with each of several values, on the way that leads to it: one that the way which was gone on since
    /// excludes is left out.
    pub(crate) fn each_on_its_way(
        &mut self,
        values: &[Value],
        mut with: impl FnMut(&mut Self, &Value) -> Value,
    ) -> Value {
        let here = self.frame.path.clone();
        let fits = |value: &&Value| value.way.as_ref().is_none_or(|way| way.meets(&here));
        let mut all: Vec<&Value> = values.iter().filter(fits).collect();
        if all.is_empty() {
            all.extend(values.iter());
        }
        let fork = self.fork();
        let mut arms = Vec::with_capacity(all.len());
        for (i, value) in all.iter().enumerate() {
            arms.push(self.arm(&fork, i, &[], |ev| {
                if let Some(way) = value.way.as_ref().and_then(|way| ev.frame.path.within(way)) {
                    ev.frame.path = way;
                }
                with(ev, value)
            }));
        }
        let mut joined = self.join(fork, arms);
        // What came of them is one of as many, and lies at the end of the same ways.
        if let Shape::OneOf(made) = &joined.shape
            && made.len() == all.len()
        {
            let same = made.iter().zip(&all).map(|(made, value)| Value { way: value.way.clone(), ..made.clone() });
            joined.shape = Shape::OneOf(same.collect());
        }
        joined
    }

    pub(crate) fn apply(
        &mut self,
        client: &'static Client,
        does: Does,
        recv: Option<&Value>,
        args: &[Value],
        at: Range,
        ty: Type,
    ) -> Option<Value> {
        match does {
            Does::Query { sql, params } => {
                let arg = args.get(sql)?;
                let on = recv.map(|recv| recv.term);
                let (binds, named) = gather(params, args);
                let make = |value: &Value| -> Option<Value> {
                    if value.query().is_some() {
                        return Some(value.clone());
                    }
                    let text = value.text()?.clone();
                    let query = Query {
                        body: QueryBody::Text(text),
                        binds: binds.clone(),
                        named: named.clone(),
                        on,
                        ty: ty.clone(),
                    };
                    let value = Value { way: value.way.clone(), ..Value::new(value.term, Type::Unknown) };
                    Some(value.shaped(Shape::Query(Arc::new(query))))
                };
                if let Shape::OneOf(values) = &arg.shape {
                    let all: Vec<Value> = values.iter().filter_map(make).collect();
                    return Some(Value::new(arg.term, Type::Unknown).shaped(Shape::OneOf(all.into())));
                }
                Some(match make(arg) {
                    Some(value) => value,
                    None => {
                        let text = Arc::new(Text { parts: vec![Piece::Hole(arg.term)] });
                        let query = Query { body: QueryBody::Text(text), binds, named, on, ty };
                        Value::new(arg.term, Type::Unknown).shaped(Shape::Query(Arc::new(query)))
                    }
                })
            }
            Does::QueryFile { path, params } => {
                let path = args.get(path)?.text()?.whole()?;
                let (binds, named) = gather(params, args);
                let text = match self.file_text(&path, false) {
                    Some(text) => Text::constant(text),
                    None => Text { parts: vec![Piece::Hole(self.terms.fresh())] },
                };
                let query = Query { body: QueryBody::Text(Arc::new(text)), binds, named, on: None, ty };
                Some(self.fresh().shaped(Shape::Query(Arc::new(query))))
            }
            Does::With { params } => {
                let recv = recv?;
                let (binds, named) = gather(params, args);
                let query = Query { body: QueryBody::Text(recv.text()?.clone()), binds, named, on: None, ty };
                Some(Value::new(recv.term, Type::Unknown).shaped(Shape::Query(Arc::new(query))))
            }
            Does::Bind { value } => {
                let value = args.get(value)?.clone();
                self.changed(recv?, |query| query.binds.push(value))
            }
            Does::BindInPlace { value } => {
                let value = args.get(value)?.clone();
                let value = self.changed(recv?, |query| query.binds.push(value))?;
                self.store_receiver(recv?, &value);
                Some(value)
            }
            Does::BindNamed { name, value } => {
                let value = args.get(value)?.clone();
                let name = args.get(name)?.text()?.whole()?;
                self.changed(recv?, |query| query.named.push((bare(&name), value)))
            }
            Does::Push { sql } => self.pushed(recv?, args.get(sql)?, true),
            Does::PushBeside { sql } => self.pushed(recv?, args.get(sql)?, false),
            Does::PushBind { value } => self.pushed_bind(recv?, args.get(value)?, true),
            Does::PushBindBeside { value } => self.pushed_bind(recv?, args.get(value)?, false),
            Does::PushRows { rows, row, around } => {
                self.pushed_rows(recv?, args.get(rows)?, args.get(row)?, around, at)
            }
            Does::Separated { by } => self.separated(recv?, args.get(by)?),
            Does::Run { on, statement, params, gives } => {
                self.run(client, recv, args, (on, statement, params, gives), at)
            }
            Does::Begin { from, isolation, mode, options } => {
                let from = self.place(from, recv, args)?;
                let options = options.and_then(|i| args.get(i)).cloned();
                let tx = self.begin(client, &from, isolation, mode, options.as_ref(), at);
                Some(tx)
            }
            Does::Within { from, closure, isolation, mode, options } => {
                let from = self.place(from, recv, args)?;
                let closure = args.get(closure)?.clone();
                let options = options.and_then(|i| args.get(i)).cloned();
                let mut tx = self.begin(client, &from, isolation, mode, options.as_ref(), at);
                let term = tx.term;
                // A connection whose type came by a glob, as from diesel's prelude, is handed on as what it is.
                if tx.ty.is_unknown() && matches!(&from.ty, Type::External(path, _) if path.len() == 1) {
                    tx.ty = from.ty.clone();
                }
                let value = self.call_value(&closure, vec![tx], at);
                self.emit(EventKind::Commit, Some(term), at);
                Some(value)
            }
            Does::Acquire => self.lend_out(recv?),
            Does::NamedLock { key } => Some(self.named_lock(args.get(key)?)),
            Does::TakeLock { on, tries } => self.take_named_lock(client, recv?, args.get(on)?, tries, at),
            Does::GiveBack => Some(self.drop_value(recv?, at)),
            Does::Open { kind, paired } => {
                let value = self.fresh();
                self.handles.insert(value.term, Handle { kind, dialect: client.dialect, client: client.name });
                if !paired {
                    return Some(value);
                }
                let driver = self.fresh();
                Some(self.tuple_of(vec![value, driver]))
            }
            Does::Lend { closure } => self.lend(recv?, args.get(closure)?, at),
            Does::LendAlone { closure } => self.lend_alone(recv?, args.get(closure)?, at),
            Does::BeginsWith { mode } => {
                let mode = self.mode_in(args.get(mode)?)?;
                self.begin_modes.insert(recv?.term, mode);
                Some(Value::new(self.terms.literal("()"), Type::Unit))
            }
            Does::LastCount => {
                let on = recv?.term;
                let last =
                    self.frame.events.iter().rev().find(|event| event.on == Some(on) && event.access().is_some());
                let term = match last.map(|event| event.id) {
                    Some(id) => self.terms.intern(Term::Count(id)),
                    None => self.terms.computed("changes", vec![on]),
                };
                Some(Value::new(term, Type::Unknown))
            }
            Does::Counted => {
                let (Term::Row(event) | Term::Count(event)) = self.terms.get(recv?.term) else { return None };
                let count = Term::Count(*event);
                Some(Value::new(self.terms.intern(count), Type::Unknown))
            }
            Does::Optional => {
                self.row_may_be_missing(recv?);
                Some(recv?.clone().in_result())
            }
            Does::Commit | Does::Rollback => {
                let kind = if does == Does::Commit { EventKind::Commit } else { EventKind::Rollback };
                self.emit(kind, Some(recv?.term), at);
                Some(Value::new(self.terms.literal("()"), Type::Unit))
            }
            Does::Steers(steer) => {
                let on = Some(args.first()?.term);
                let kind = match steer {
                    Steer::Begin => EventKind::Begin { from: on, isolation: None, mode: BeginMode::Plain },
                    Steer::Commit => EventKind::Commit,
                    Steer::Rollback => EventKind::Rollback,
                };
                self.emit(kind, on, at);
                Some(Value::new(self.terms.literal("()"), Type::Unit))
            }
            Does::Options { from } => {
                let from = from.and_then(|from| self.place(from, recv, args)).map(|from| from.term);
                let options = TxOptions { from, isolation: None, mode: BeginMode::Plain };
                Some(self.fresh().shaped(Shape::Options(options)))
            }
            Does::SetLevel { level, arg } => {
                let Shape::Options(options) = &recv?.shape else { return None };
                let level = level.or_else(|| arg.and_then(|i| args.get(i)).and_then(|arg| self.level_in(arg)));
                let options = TxOptions { isolation: level.or(options.isolation), ..options.clone() };
                Some(recv?.clone().shaped(Shape::Options(options)))
            }
            Does::SetMode { mode } => {
                let Shape::Options(options) = &recv?.shape else { return None };
                Some(recv?.clone().shaped(Shape::Options(TxOptions { mode, ..options.clone() })))
            }
            Does::Same => recv.cloned(),
            Does::Argument(i) => args.get(i).cloned(),
            Does::Kept { sql } => {
                args.get(sql).filter(|text| looks_like_sql(text))?;
                self.unknown.statements_seen += 1;
                self.unknown_statement("a statement in generated code");
                Some(self.fresh())
            }
        }
    }

    /// Runs a closure with the receiver's connection.
    fn lend(&mut self, recv: &Value, closure: &Value, at: Range) -> Option<Value> {
        let handle = self.handle(recv.term)?;
        let mut connection = Value::new(recv.term, Type::Unknown);
        if handle.kind == HandleKind::Pool {
            connection = self.fresh();
            self.handles.insert(connection.term, Handle { kind: HandleKind::Connection, ..handle });
        }
        closure.is_callable().then(|| self.call_value(closure, vec![connection], at))
    }

    /// The same, with the connection behind a lock that is held until the closure returns.
    fn lend_alone(&mut self, recv: &Value, closure: &Value, at: Range) -> Option<Value> {
        let handle = self.handle(recv.term)?;
        if !closure.is_callable() {
            return None;
        }
        let connection = self.fresh();
        self.handles.insert(connection.term, Handle { kind: HandleKind::Connection, ..handle });
        let span = self.span(at);
        let held = self.frame.guards.len();
        self.frame.guards.push(Guard { guard: connection.term, lock: recv.term, span, shared: false, empty: false });
        let value = self.call_value(closure, vec![connection], at);
        self.frame.guards.truncate(held);
        Some(value)
    }

    /// `optional()`: the statement that gave the row may give none.
    pub(super) fn row_may_be_missing(&mut self, row: &Value) {
        let from: Vec<_> = self.terms.origins(row.term).iter().map(|origin| origin.event).collect();
        let last = self.frame.events.iter_mut().rev().find(|event| from.contains(&event.id));
        if let Some(EventKind::Access(access)) = last.map(|event| &mut event.kind) {
            access.row_required = false;
        }
    }

    fn place(&mut self, arg: Arg, recv: Option<&Value>, args: &[Value]) -> Option<Value> {
        match arg {
            Arg::Receiver => recv.cloned(),
            Arg::At(i) => args.get(i).cloned(),
        }
    }

    pub(super) fn changed(&mut self, recv: &Value, change: impl FnOnce(&mut Query)) -> Option<Value> {
        let mut query = (**recv.query()?).clone();
        change(&mut query);
        Some(recv.clone().shaped(Shape::Query(Arc::new(query))))
    }

    /// Sends a statement.
    fn run(
        &mut self,
        client: &'static Client,
        recv: Option<&Value>,
        args: &[Value],
        (on, statement, params, gives): (Arg, Arg, Params, Gives),
        at: Range,
    ) -> Option<Value> {
        let on = match on {
            Arg::Receiver => recv?.query().map_or(Some(recv?.term), |query| query.on),
            Arg::At(i) => args.get(i).map(|arg| arg.term),
        };
        let statement = self.place(statement, recv, args)?;
        if let Some(on) = on {
            self.learn_use(client, on, recv, args);
        }
        let mut query = match &statement.shape {
            Shape::Plain if self.is_text_parameter(&statement) => {
                Query::of_text(Text { parts: vec![Piece::Hole(statement.term)] }.into())
            }
            Shape::Query(query) => (**query).clone(),
            Shape::Text(text) => Query::of_text(text.clone()),
            Shape::OneOf(values) => {
                let values = values.clone();
                return Some(self.each_on_its_way(&values, |ev, value| {
                    let query = match &value.shape {
                        Shape::Query(query) => (**query).clone(),
                        Shape::Text(text) => Query::of_text(text.clone()),
                        _ => return ev.fresh(),
                    };
                    ev.sent(query, params, args, on, gives, at)
                }));
            }
            _ => return None,
        };
        query.binds.truncate(4096);
        Some(self.sent(query, params, args, on, gives, at))
    }

    fn sent(
        &mut self,
        mut query: Query,
        params: Params,
        args: &[Value],
        on: Option<crate::flow::term::TermId>,
        gives: Gives,
        at: Range,
    ) -> Value {
        let (binds, named) = gather(params, args);
        query.binds.extend(binds);
        query.named.extend(named);
        let value = self.send(&query, on, gives, at);
        // A closure that maps each row: `query_row(sql, params, |row| …)`.
        let mapper = args.iter().rev().find(|arg| matches!(arg.shape, Shape::Closure(_) | Shape::Function(_)));
        let Some(mapper) = mapper.cloned() else { return value };
        let row = self.element(&value);
        let mapped = self.call_value(&mapper, handed(&mapper, args, row), at);
        let whole = matches!(mapped.shape, Shape::Record(_)) || self.single_column(value.term);
        Value { term: if whole { value.term } else { mapped.term }, wrap: value.wrap, refused: None, ..mapped }
    }

    pub(super) fn single_column(&self, term: crate::flow::term::TermId) -> bool {
        let Term::Row(event) = self.terms.get(term) else { return false };
        self.emitted(*event)
            .and_then(Event::access)
            .is_some_and(|access| matches!(access.statement.output.as_slice(), [one] if one.name != "*"))
    }

    /// What a statement is sent to is a handle from now on.
    pub(super) fn learn_use(
        &mut self,
        client: &'static Client,
        on: crate::flow::term::TermId,
        recv: Option<&Value>,
        args: &[Value],
    ) {
        let known = recv.into_iter().chain(args).find(|value| value.term == on);
        let found = |ev: &Self| known.and_then(|value| crate::client::handles::handle_of(&value.ty, &ev.clients));
        if self.is_handle_already(on, |ev| found(ev)?.dialect) {
            return;
        }
        let found = found(self);
        let unknown = Handle { kind: HandleKind::Executor, dialect: client.dialect, client: client.name };
        self.handles.insert(on, found.unwrap_or(unknown));
    }

    /// Parses a text, each one once for those who know the same tables: a view stands for its table in it, and an INSERT
    /// without a list names its columns.
    pub(super) fn parse(&mut self, text: &str, dialect: Dialect) -> Arc<crate::sql::parse::Parsed> {
        let known = |schemas: &Schemas| schemas.number(self.program.krate_of(self.frame.function));
        let key = (Arc::from(text), dialect, self.schemas.map_or(0, known));
        if let Some(parsed) = self.parsed.get(&key) {
            return parsed.clone();
        }
        let mut parsed = crate::sql::parse::parse(text, dialect);
        if let Some(schema) = self.schema() {
            for statement in &mut parsed.statements {
                schema.see_through_views(statement);
                schema.name_columns(statement);
            }
        }
        let parsed = Arc::new(parsed);
        self.parsed.insert(key, parsed.clone());
        parsed
    }
}

/// What a closure over rows is handed: the row, and before it what a fold starts with.
fn handed(mapper: &Value, args: &[Value], row: Value) -> Vec<Value> {
    let folds = matches!(&mapper.shape, Shape::Closure(closure) if closure.code.params.len() == 2);
    match args {
        [.., start, _] if folds => vec![start.clone(), row],
        _ => vec![row],
    }
}

type Bound = (Vec<Value>, Vec<(Name, Value)>);

/// The values for the placeholders, from a call's arguments.
fn gather(params: Params, args: &[Value]) -> Bound {
    let mut bound = (Vec::new(), Vec::new());
    match params {
        Params::Bound => {}
        Params::Pairs(i) => {
            let Some(Shape::Record(pairs)) = args.get(i).map(|list| &list.shape) else { return bound };
            bound.0.extend(pairs.iter().map(|(_, pair)| pair.part("0").unwrap_or(pair).clone()));
        }
        Params::Rest(first) => args.iter().skip(first).for_each(|arg| gather_list(arg, &mut bound)),
        Params::From(first) => bound.0.extend(args.iter().skip(first).cloned()),
        Params::List(i) => {
            if let Some(list) = args.get(i) {
                gather_list(list, &mut bound);
            }
        }
    }
    bound
}

fn gather_list(list: &Value, bound: &mut Bound) {
    let Shape::Record(parts) = &list.shape else {
        if !matches!(list.ty, Type::Unit) && !matches!(list.shape, Shape::Closure(_)) {
            bound.0.push(list.clone());
        }
        return;
    };
    for (name, value) in parts.iter() {
        if !name.bytes().all(|b| b.is_ascii_digit()) {
            bound.1.push((bare(name), value.clone()));
            continue;
        }
        // `(":id", &id)`
        if let Shape::Record(pair) = &value.shape
            && let [(_, key), (_, inner)] = pair.as_slice()
            && let Some(key) = key.text().and_then(|text| text.whole())
            && key.starts_with([':', '@', '$'])
        {
            bound.1.push((bare(&key), inner.clone()));
            continue;
        }
        bound.0.push(value.clone());
    }
}

fn bare(name: &str) -> Name {
    Name::new(name.trim_matches('"').trim_start_matches([':', '@', '$']))
}
