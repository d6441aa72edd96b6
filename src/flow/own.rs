//! Calls of in-house wrappers that the configuration names.

use std::sync::Arc;

use crate::client::own::{OwnCall, OwnDoes};
use crate::client::table::Does;
use crate::client::{Client, HandleKind};
use crate::event::{Effect, EffectKind, EventKind};
use crate::flow::Evaluator;
use crate::flow::fires::is_statement;
use crate::flow::value::{Query, QueryBody, Shape, Value};
use crate::link::{Def, TraitRef, Type};
use crate::lower::tree::{MethodCall, Name, TyPath};
use crate::span::Range;
use crate::sql::statement::{Access, Action, Assignment, Compare, Operand, Place, Predicate, Statement, Table, Verb};

/// The client of all configured calls: it has no rows of its own.
static OWN: Client = Client {
    name: "configured",
    krates: &[],
    checked: "",
    interactive: true,
    leads: &[],
    types: &[],
    calls: &[],
    statements: &[],
    locks: &[],
    dialect: None,
};

impl<'p> Evaluator<'p> {
    /// `ledger_db::load_account(&tx, id)`
    pub(super) fn own_path(&mut self, path: &TyPath, args: &[Value], at: Range) -> Option<Value> {
        if self.own.is_empty() {
            return None;
        }
        let called = path.segments.last()?.name.clone();
        let owner = path.segments.iter().rev().nth(1).map(|segment| segment.name.clone());
        let own = self.own.clone();
        let call = own.iter().find(|call| {
            call.method == *called
                && call.on.as_ref().is_none_or(|on| owner.as_ref().is_some_and(|owner| owner == on.as_str()))
                && self.is_from(call, path)
        })?;
        // The handle of a function is its first argument.
        let (first, rest) = args.split_first()?;
        match &call.does {
            OwnDoes::Row(Does::Run { .. }) => {
                let handle = args.iter().find(|arg| !is_statement(arg)).unwrap_or(first).clone();
                self.own_call(call, Some(&handle), args, at)
            }
            _ => self.own_call(call, Some(first), rest, at),
        }
    }

    /// `db.fetch("SELECT …", id)`
    pub(super) fn own_method(&mut self, recv: &Value, call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
        if self.own.is_empty() {
            return None;
        }
        let own = self.own.clone();
        let found = own.iter().find(|row| row.method == *call.name && self.is_called_on(row, recv, args))?;
        self.own_call(found, Some(recv), args, at)
    }

    fn is_from(&self, call: &OwnCall, path: &TyPath) -> bool {
        let Some(krate) = &call.krate else { return true };
        let defs = self.program.path(self.frame.scope, Some(self.frame.function), path);
        defs.first().is_some_and(|def| match def {
            Def::External(full) => full.first().is_some_and(|first| first == krate.as_str()),
            Def::Fn(id) => in_crate(&self.program.path_of(*id), krate),
            _ => false,
        })
    }

    /// The receiver has the type that is named, or its transaction is one that such a call began; without a type the
    /// crate must be its own, or SQL must be handed over.
    fn is_called_on(&self, call: &OwnCall, recv: &Value, args: &[Value]) -> bool {
        let known = self.handle(recv.term).filter(|handle| handle.client == OWN.name);
        if let Some(handle) = known {
            return handle.kind == HandleKind::Transaction || self.has_type(call, &recv.ty);
        }
        if self.has_type(call, &recv.ty) {
            return true;
        }
        let sends = matches!(&call.does, OwnDoes::Row(Does::Run { statement: crate::client::table::Arg::At(i), .. })
            if args.get(*i).is_some_and(is_statement));
        recv.ty.is_unknown() && sends
    }

    fn has_type(&self, call: &OwnCall, ty: &Type) -> bool {
        let named = |path: &str| {
            let last = path.rsplit("::").next().unwrap_or(path);
            call.krate.as_ref().is_none_or(|krate| in_crate(path, krate))
                && call.on.as_ref().is_none_or(|on| on == last)
                && (call.krate.is_some() || call.on.is_some())
        };
        match self.program.peel(ty) {
            Type::Def(id, _) => named(&self.program.type_path(id)),
            Type::External(path, _) => named(&joined(&path)),
            Type::Trait(bounds) => bounds.iter().any(|bound| match &bound.of {
                TraitRef::Local(id) => named(&self.program.trait_path(*id)),
                TraitRef::External(path) => named(&joined(path)),
            }),
            _ => false,
        }
    }

    fn own_call(&mut self, call: &OwnCall, recv: Option<&Value>, args: &[Value], at: Range) -> Option<Value> {
        match &call.does {
            OwnDoes::Row(does) => self.apply(&OWN, *does, recv, args, at, Type::Unknown),
            OwnDoes::Touch { table, action, gives } => {
                let query = touch(table, *action, args);
                let on = recv.map(|recv| recv.term);
                Some(self.send(&query, on, *gives, at))
            }
            OwnDoes::Effect => {
                let effect =
                    Effect { name: call.method.clone(), kind: EffectKind::Other, certain: true, named: Arc::from([]) };
                self.emit(EventKind::Effect(effect), None, at);
                let term = self.terms.computed(&call.method, args.iter().map(|arg| arg.term).collect());
                Some(Value::new(term, Type::Unknown))
            }
        }
    }
}

/// A statement on the row that the first argument names; the others are what a write writes, to columns nobody knows.
fn touch(table: &str, action: Action, args: &[Value]) -> Query {
    let column = Name::new("?");
    let predicate =
        Predicate { columns: vec![column.clone()], op: Compare::Eq, value: Operand::Placeholder(0), folded: false };
    let written = (1..args.len()).map(|at| Assignment { column: column.clone(), value: Operand::Placeholder(at) });
    let writes = action != Action::Read;
    let access = Access {
        table: Table { schema: None, name: Name::new(table), alias: None },
        action,
        place: Place::Main,
        filter: if args.is_empty() { Vec::new() } else { vec![predicate] },
        columns: if writes { Vec::new() } else { vec![Name::new("*")] },
        sets: if writes { written.collect() } else { Vec::new() },
        lock: None,
        aggregate: None,
        limit: None,
        ordered: false,
        conflict: None,
    };
    let verb = if writes { Verb::Update } else { Verb::Select };
    let statement = Statement { verb, accesses: vec![access], output: Vec::new(), gaps: Vec::new() };
    Query {
        body: QueryBody::Statement(Arc::new(statement)),
        binds: args.iter().filter(|arg| !matches!(arg.shape, Shape::Closure(_))).cloned().collect(),
        named: Vec::new(),
        on: None,
        ty: Type::Unknown,
    }
}

fn in_crate(path: &str, krate: &str) -> bool {
    path.split("::").next() == Some(krate)
}

fn joined(path: &[Name]) -> String {
    path.iter().map(Name::as_str).collect::<Vec<_>>().join("::")
}
