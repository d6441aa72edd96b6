//! Where query builders take part: names, calls and methods that are theirs.

use std::sync::Arc;

use crate::client::sea_orm::Fragment;
use crate::client::table::Gives;
use crate::client::{Builder, diesel};
use crate::dialect::Dialect;
use crate::event::CondId;
use crate::flow::term::Term;
use crate::flow::value::{Query, QueryBody, Shape, Text, Value};
use crate::flow::{Evaluator, Exit, branch};
use crate::link::{FnId, ScopeId, Type};
use crate::lower::tree::{MacroBody, MacroCall, MethodCall, StructLit, Ty, TyPath};
use crate::span::Range;

impl<'p> Evaluator<'p> {
    /// A name that a builder gives a meaning: a table, a column, an entity.
    pub(super) fn builder_name(&mut self, path: &TyPath) -> Option<Value> {
        self.sea_orm.then(|| self.sea_name(path)).flatten().or_else(|| diesel::name(self, path))
    }

    /// A function of a builder: `diesel::update(target)`.
    pub(super) fn builder_call(&mut self, path: &TyPath, args: &[Value], at: Range) -> Option<Value> {
        self.sea_orm.then(|| self.sea_call(path, args, at)).flatten().or_else(|| diesel::call(self, path, args))
    }

    /// A macro of a builder: sea-orm's `all![…]`, diesel's `alias!(…)`.
    pub(super) fn builder_macro(&mut self, call: &MacroCall) -> Option<Value> {
        self.sea_macro(call).or_else(|| diesel::alias(self, call))
    }

    /// An operator between two values of which one is a builder's.
    pub(super) fn builder_operator(&mut self, by: &str, left: &Value, right: &Value) -> Option<Value> {
        diesel::operator(self, by, left, right)
    }

    fn sea_macro(&mut self, call: &MacroCall) -> Option<Value> {
        let MacroBody::Args(args) = &call.body else { return None };
        if !self.sea_orm || !self.sea_is_condition(&call.path) {
            return None;
        }
        let values: Vec<Value> = args.iter().map(|arg| self.expr(&arg.value)).collect();
        Some(self.sea_condition_macro(&call.path, &values))
    }

    /// A method of a builder's value: `.filter(…)`, `.first(conn)`.
    pub(super) fn builder_method(
        &mut self,
        recv: &Value,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        self.sea_orm
            .then(|| self.sea_method(recv, call, args, at))
            .flatten()
            .or_else(|| diesel::method(self, recv, call, args, at))
    }

    /// A field of a builder's value: a column of an active model.
    pub(super) fn builder_field(&mut self, of: &Value, name: &str) -> Option<Value> {
        self.sea_orm.then(|| self.sea_field(of, name)).flatten()
    }

    /// A struct literal that a client gives a meaning, such as sea-orm's `ActiveModel { … }`. `rest` is what stands
    /// behind `..`.
    pub(super) fn built_struct(&mut self, lit: &StructLit, rest: Option<&Value>, value: Value) -> Value {
        let built = self.sea_orm.then(|| self.sea_struct(lit, rest, &value)).flatten();
        built.unwrap_or(value)
    }

    /// A value with a field assigned, where a client gives that a meaning.
    pub(super) fn stored_field(&mut self, whole: &Value, name: &str, value: &Value) -> Option<Value> {
        self.sea_orm.then(|| self.sea_stored(whole, name, value)).flatten()
    }

    /// A value whose type is written down, where only a client knows that type.
    pub(super) fn declared(&mut self, ty: &Ty, value: Value) -> Value {
        let known = self.sea_orm.then(|| self.sea_declared(ty, &value)).flatten();
        known.unwrap_or(value)
    }

    /// The scope and the function that are being read.
    pub(crate) fn here(&self) -> (ScopeId, Option<FnId>) {
        (self.frame.scope, Some(self.frame.function).filter(|id| *id != FnId::NONE))
    }

    /// A builder's value, made by a call of `parts`.
    pub(crate) fn built(&mut self, by: &str, parts: &[&Value], builder: Builder) -> Value {
        let term = self.terms.computed(by, parts.iter().map(|part| part.term).collect());
        let mut value = Value::new(term, Type::Unknown).shaped(Shape::Builder(Arc::new(builder)));
        for part in parts {
            value = value.guarded(&part.guards);
        }
        value
    }

    /// A value as it is, or as `change` makes it, where only the program's run tells which.
    pub(crate) fn perhaps(&mut self, value: &Value, change: impl FnOnce(&mut Self) -> Value) -> Value {
        let fork = self.fork();
        let changed = self.arm(&fork, 0, &[], change);
        let same = self.arm(&fork, 1, &[], |_| value.clone());
        self.join(fork, vec![changed, same])
    }

    /// A builder's SQL as a statement that can be sent; none when it is no statement.
    pub(crate) fn sql_query(&mut self, sql: &Fragment, row: Type, guards: &[CondId]) -> Option<Query> {
        let terms = &self.terms;
        let (text, binds) = sql.numbered(|term| match terms.get(term) {
            Term::Literal(text) => literal(text),
            _ => None,
        });
        // Builders are written out with the quotes and placeholders of PostgreSQL, whatever the engine is.
        let parsed = self.parse(&text, Dialect::Postgres);
        let binds = binds.into_iter().map(|term| Value::new(term, Type::Unknown).guarded(guards)).collect();
        let body = match parsed.statements.as_slice() {
            [statement] => QueryBody::Statement(Arc::new(statement.clone())),
            _ => QueryBody::Text(Arc::new(Text::constant(text))),
        };
        Some(Query { body, binds, named: Vec::new(), on: None, ty: row })
    }

    /// Sends a builder's statement, which depends on what decided how it was put together.
    pub(crate) fn send_built(
        &mut self,
        query: &Query,
        guards: &[CondId],
        on: Option<&Value>,
        gives: Gives,
        at: Range,
    ) -> Value {
        if let Some(on) = on {
            self.learn_handle(on);
            self.learn_use(&crate::client::sea_orm::table::CLIENT, on.term, None, std::slice::from_ref(on));
        }
        let depth = self.frame.deps.len();
        self.frame.deps.extend(branch::union(&[], guards).iter().map(|cond| (*cond, Exit::Loop)));
        let value = self.send(query, on.map(|on| on.term), gives, at);
        self.frame.deps.truncate(depth);
        value
    }
}

/// A constant as SQL; none for names whose value is not known and for what is no value.
fn literal(text: &str) -> Option<String> {
    match text {
        "none" => Some("NULL".to_owned()),
        "()" | "error" | "never" => None,
        text if text.contains('#') => None,
        text => Some(format!("'{}'", text.replace('\'', "''"))),
    }
}
