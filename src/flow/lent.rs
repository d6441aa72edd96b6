//! Handles that are known by a trait alone, and the connections that they lend.

use crate::client::HandleKind;
use crate::client::handles::{self, Handle};
use crate::flow::Evaluator;
use crate::flow::term::{LENT, Term, TermId};
use crate::flow::value::Value;
use crate::link::{TraitRef, Type};

/// How many structs are looked into that stand in each other.
pub(super) const STRUCTS: usize = 6;

impl<'p> Evaluator<'p> {
    /// The connection that a handle lends: `pool.acquire()`. What a transaction or a connection lends is itself, so that of
    /// a handle that is known by a trait alone, `impl Acquire`, it is told where the function is called.
    ///
    /// Source: sqlx, `impl Acquire for &mut PgConnection`, `for &mut Transaction` and `for &Pool`.
    pub(super) fn lend_out(&mut self, recv: &Value) -> Option<Value> {
        let handle = self.handle(recv.term)?;
        let value = self.fresh();
        if handle.kind == HandleKind::Executor && matches!(recv.ty, Type::Trait(_)) {
            let lent = self.terms.computed(LENT, vec![recv.term, value.term]);
            self.handles.insert(lent, handle);
            return Some(Value { term: lent, ..value });
        }
        self.handles.insert(value.term, Handle { kind: HandleKind::Connection, ..handle });
        Some(value)
    }

    /// What a lent connection is as soon as it is known what lends it.
    pub(super) fn lent_by(&mut self, lent: TermId) -> TermId {
        let Term::Computed(_, parts) = self.terms.get(lent) else { return lent };
        let [lender, own] = **parts else { return lent };
        let Some(handle) = self.handle(lender) else { return lent };
        match handle.kind {
            HandleKind::Transaction | HandleKind::Connection => lender,
            HandleKind::Pool => {
                self.handles.insert(own, Handle { kind: HandleKind::Connection, ..handle });
                own
            }
            HandleKind::Executor => {
                self.handles.insert(lent, handle);
                lent
            }
        }
    }

    /// The handle that a type is of which no more is known than a trait of the program, by what that trait asks for:
    /// `trait Store<'c>: Acquire<'c>`.
    pub(super) fn handle_of_trait(&self, ty: &Type) -> Option<Handle> {
        let Type::Trait(bounds) = ty else { return None };
        bounds.iter().find_map(|bound| match &bound.of {
            TraitRef::Local(of) => handles::handle_of(&self.program.asked_of(*of), &self.clients),
            TraitRef::External(_) => None,
        })
    }

    /// The handle that a struct of the program is, by what it implements or by the one thing that it holds. A transaction that
    /// it holds is one, whatever the struct lends of it. `depth` is how many structs of a struct are looked into.
    pub(super) fn handle_of_struct(&mut self, ty: &Type, depth: usize) -> Option<Handle> {
        let depth = depth.checked_sub(1)?;
        // rocket's `Connection<Db>`: one connection of the pool that `Db` holds.
        if let Type::External(path, args) = ty
            && path.last().is_some_and(|name| name == "Connection")
            && let [pool @ Type::Def(..)] = &**args
        {
            let pool = self.handle_of_struct(pool, depth)?;
            let kind = if pool.kind == HandleKind::Pool { HandleKind::Connection } else { pool.kind };
            return Some(Handle { kind, ..pool });
        }
        let of = self.program.peel(ty);
        let Type::Def(id, _) = of else { return None };
        let bare = matches!(ty, Type::Def(..));
        let key = (of, bare);
        if let Some(known) = self.struct_handles.get(&key) {
            return *known;
        }
        let mut found = handles::handle_by_impl(self.program, id, &self.clients);
        if bare && self.program.field_count(id) == 1 {
            let inside = self.program.fields(id)[0].0.clone();
            let inside = self.program.field(&key.0, &inside).unwrap_or_default();
            let mut held = handles::handle_of(&inside, &self.clients);
            // `Shared<Transaction>`: what it is of says what it holds.
            if held.is_none() && matches!(&inside, Type::Def(_, args) if !args.is_empty()) {
                held = self.handle_of_struct(&inside, depth);
            }
            let is_transaction = held.is_some_and(|handle| handle.kind == HandleKind::Transaction);
            found = if is_transaction { held } else { found.or(held) };
        }
        self.struct_handles.insert(key, found);
        found
    }

    /// Whether a value is a transaction, or stands in a struct that is one.
    pub(super) fn is_in_transaction(&self, mut value: TermId) -> bool {
        loop {
            if let Some(handle) = self.handle(value) {
                return handle.kind == HandleKind::Transaction;
            }
            let Term::Field(of, _) = self.terms.get(value) else { return false };
            value = *of;
        }
    }

    /// The handle that is the one thing in a struct of the program: what is sent to the struct goes there, and what its
    /// methods send to that field goes to the same.
    pub(super) fn handle_inside(&mut self, of: &Value) -> Option<Value> {
        let Type::Def(id, _) = of.ty else { return None };
        if self.program.field_count(id) != 1 {
            return None;
        }
        let name = self.program.fields(id)[0].0.clone();
        let inside = self.field(of, &name);
        self.learn_handle(&inside);
        self.handle(inside.term).is_some().then_some(inside)
    }

    /// The type of a handle that a client's call gave, where a trait of the program adds the method that is called to one
    /// type of such handles, or to whatever has a trait of such handles. A transaction stands for the connection that it
    /// runs on.
    pub(super) fn type_of_handle(&self, recv: &Value, name: &str) -> Option<Type> {
        let handle = self.handle(recv.term).filter(|_| recv.ty.is_unknown())?;
        let fits = |kind: HandleKind| {
            let connection = matches!(kind, HandleKind::Connection | HandleKind::Executor);
            kind == handle.kind || handle.kind == HandleKind::Transaction && connection
        };
        let named = self.program.named_methods(name).iter();
        let mut types = named.filter_map(|id| self.program.self_type(*id)).filter(|ty| {
            let of = matches!(ty, Type::External(..)).then(|| handles::handle_of(ty, &self.clients)).flatten();
            // A name that came by a glob is that of the first client that has it.
            let bare = matches!(ty, Type::External(path, _) if path.len() == 1);
            of.is_some_and(|of| (bare || of.client == handle.client) && fits(of.kind))
        });
        if let Some(first) = types.next() {
            return types.all(|other| other == first).then_some(first);
        }
        let mut blanket = self.program.blanket_types(name).filter(|ty| {
            handles::handle_of(ty, &self.clients)
                .is_some_and(|of| of.client == handle.client && of.kind == HandleKind::Executor)
        });
        let first = blanket.next().filter(|_| blanket.next().is_none()).cloned();
        let known = || self.program.is_blanket_method(name).then(|| handles::type_of(&handle, &self.clients)).flatten();
        first.or_else(known)
    }
}
