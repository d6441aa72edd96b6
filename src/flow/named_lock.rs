//! Named locks of the database that a value of a client stands for, and their guards.

use std::sync::Arc;

use crate::client::Client;
use crate::client::table::Gives;
use crate::event::Guard;
use crate::flow::Evaluator;
use crate::flow::value::{Query, QueryBody, Shape, Text, Value};
use crate::link::Type;
use crate::span::Range;

/// What sqlx sends for such a lock (`PgAdvisoryLock::acquire`, `PgAdvisoryLock::try_acquire`, 0.8).
const TAKE: &str = "SELECT pg_advisory_lock($1)";
const TRY: &str = "SELECT pg_try_advisory_lock($1)";

impl<'p> Evaluator<'p> {
    /// `PgAdvisoryLock::new("mill")`: the statement that will take it.
    pub(super) fn named_lock(&mut self, key: &Value) -> Value {
        let value = self.fresh();
        value.shaped(Shape::Query(Arc::new(taking(TAKE, key.clone()))))
    }

    /// A lock of which only the type is known: a parameter, a field, a static. What it is named by is not.
    pub(super) fn lock_by_type(&mut self, recv: &Value) -> Option<Value> {
        let Type::External(path, _) = &recv.ty else { return None };
        let [krate, .., name] = &**path else { return None };
        let client = self.clients.iter().find(|client| client.krates.contains(&krate.as_str()))?;
        let plain = matches!(recv.shape, Shape::Plain) && client.locks.contains(&name.as_str());
        let key = self.fresh();
        plain.then(|| recv.clone().shaped(Shape::Query(Arc::new(taking(TAKE, key)))))
    }

    /// Sends what takes a lock, and gives its guard. Where another has it a call that tries gives no guard: what follows is
    /// decided by what the statement gave.
    pub(super) fn take_named_lock(
        &mut self,
        client: &'static Client,
        lock: &Value,
        on: &Value,
        tries: bool,
        at: Range,
    ) -> Option<Value> {
        let key = lock.query()?.binds.first()?.clone();
        self.learn_use(client, on.term, None, std::slice::from_ref(on));
        let sent = self.send(&taking(if tries { TRY } else { TAKE }, key), Some(on.term), Gives::Row, at);
        let guard = self.terms.fresh();
        let taken = Guard { guard, lock: sent.term, span: self.span(at), shared: false, empty: true };
        self.locks.insert(guard, taken.clone());
        self.frame.guards.push(taken);
        let held = self.frame.guards.as_slice().into();
        if let Some(last) = self.frame.events.last_mut() {
            last.guards = held;
        }
        let term = if tries { self.terms.either([guard, sent.term]) } else { guard };
        // What is sent to the guard goes to the connection behind it.
        if let Some(handle) = self.handle(on.term) {
            self.handles.insert(guard, handle);
            self.handles.insert(term, handle);
        }
        Some(Value::new(term, Type::Unknown).in_result())
    }
}

fn taking(text: &str, key: Value) -> Query {
    let body = QueryBody::Text(Arc::new(Text::constant(text.to_owned())));
    Query { body, binds: vec![key], named: Vec::new(), on: None, ty: Type::Unknown }
}
