//! Calls: which function is meant, and what becomes of its arguments.

use std::sync::Arc;

use crate::event::{Conds, Event, EventId, EventKind};
use crate::flow::absent::Absent;
use crate::flow::generic::Named;
use crate::flow::graph::CallSite;
use crate::flow::term::{AGAIN, ANSWER, Term};
use crate::flow::value::{ClosureValue, Shape, Value, Wrap};
use crate::flow::{Evaluator, Exit, pointer, stand_in};
use crate::link::{ConstId, Def, FnId, Type, Via};
use crate::lower::tree::{Expr, ExprKind, MethodCall, Name, TyPath};
use crate::source::{FileKind, Target};
use crate::span::Range;

/// How many functions a dynamic call may mean before it is given up.
const CANDIDATES: usize = 6;

impl<'p> Evaluator<'p> {
    /// A name used as a value: a variable, a constant, a function, a unit struct.
    pub(super) fn path(&mut self, path: &TyPath, at: Range) -> Value {
        if path.qself.is_none()
            && let [segment] = path.segments.as_slice()
        {
            if let Some(value) = self.lookup(&segment.name) {
                return Value { part_of: None, ..value.clone() };
            }
            if segment.name == "None" {
                return Value::new(self.terms.literal("none"), Type::Unknown);
            }
        }
        if let Some(value) = self.builder_name(path) {
            return value;
        }
        let defs = self.program.path(self.frame.scope, Some(self.frame.function), path);
        let functions: Vec<FnId> = defs.iter().filter_map(Def::function).collect();
        if !functions.is_empty() {
            self.calls.values.extend(functions.iter().copied());
            return self.fresh().shaped(Shape::Function(functions.into()));
        }
        match defs.first() {
            Some(Def::Const(id)) => self.constant(*id),
            Some(Def::Variant(id, name)) => {
                let ty = Type::Def(*id, [].into());
                let value = Value::new(self.terms.literal(name), ty);
                self.as_variant(path, value)
            }
            Some(Def::Type(id)) => {
                let ty = Type::Def(*id, [].into());
                let site = self.site(at, false);
                self.calls.made(&ty, site);
                let name = self.program.type_path(*id);
                Value::new(self.terms.literal(&name), ty)
            }
            _ => {
                let text: Vec<&str> = path.segments.iter().map(|segment| segment.name.as_str()).collect();
                let ty = match defs.first() {
                    Some(Def::External(path)) => Type::External(path.clone().into(), [].into()),
                    _ => Type::Unknown,
                };
                let term = self.terms.literal(&text.join("::"));
                Value::new(term, ty)
            }
        }
    }

    /// A constant's value, evaluated once in its own scope.
    fn constant(&mut self, id: ConstId) -> Value {
        if let Some(value) = self.constants.get(&id) {
            return value.clone();
        }
        let ty = self.program.const_type(id);
        let name = self.program.const_def(id).name.clone();
        let unknown = Value::new(self.terms.literal(&format!("{name}#{}", id.index())), ty.clone());
        if self.depth >= crate::flow::limits::CALL_DEPTH {
            self.unknown.give_up("constants nested too deeply");
            return unknown;
        }
        // A cycle of constants ends here.
        self.constants.insert(id, unknown.clone());
        let program = self.program;
        let Some(value) = &program.const_def(id).value else { return unknown };
        let workspace = self.workspace;
        let file = program.const_file(id);
        let frame = crate::flow::Frame {
            function: self.frame.function,
            file,
            scope: program.const_scope(id),
            text: &workspace.file(file).text,
            ..crate::flow::Frame::idle()
        };
        let outer = std::mem::replace(&mut self.frame, frame);
        self.depth += 1;
        let mut value = self.expr(value);
        self.depth -= 1;
        self.frame = outer;
        if !matches!(value.shape, Shape::Text(_)) && !matches!(self.terms.get(value.term), Term::Literal(_)) {
            value.term = unknown.term;
        }
        if matches!(value.ty, Type::Unknown) {
            value.ty = ty;
        }
        self.constants.insert(id, value.clone());
        value
    }

    pub(super) fn named_type(&self, path: &TyPath) -> Type {
        let defs = self.program.path(self.frame.scope, Some(self.frame.function), path);
        match defs.first() {
            Some(Def::Type(id) | Def::Variant(id, _)) => {
                let ty = crate::lower::tree::Ty::Path(path.clone());
                match self.program.ty(self.frame.scope, Some(self.frame.function), &ty) {
                    Type::Unknown => Type::Def(*id, [].into()),
                    known => known,
                }
            }
            Some(Def::External(path)) => Type::External(path.clone().into(), [].into()),
            _ if path.segments.len() == 1 && path.segments[0].name == "Self" => {
                self.program.self_type(self.frame.function).unwrap_or(Type::Unknown)
            }
            _ => Type::Unknown,
        }
    }

    pub(super) fn args(&mut self, args: &[Expr]) -> Vec<Value> {
        args.iter().map(|arg| self.expr(arg)).collect()
    }

    /// `callee(args)`.
    pub(super) fn call(&mut self, callee: &Expr, args: &[Expr], at: Range) -> Value {
        let ExprKind::Path(path) = &*callee.kind else {
            let function = self.expr(callee);
            let args = self.args(args);
            return self.call_value(&function, args, at);
        };
        if path.qself.is_none()
            && let [segment] = path.segments.as_slice()
        {
            if let Some(value) = self.lookup(&segment.name).cloned() {
                let args = self.args(args);
                return self.call_value(&value, args, at);
            }
            if let Some(value) = self.well_known_constructor(&segment.name, args) {
                return value;
            }
        }
        if let Some(result) = self.outcome(path)
            && let Some(value) = self.well_known_constructor(result, args)
        {
            return value;
        }
        let values = match path.segments.last() {
            Some(last) => self.handed(&last.name, args, at),
            None => self.args(args),
        };
        if self.frame.left.is_some() {
            return self.fresh();
        }
        if let Some(value) = self.client_path(path, &values, at) {
            self.given_away(&values);
            return value;
        }
        let defs = self.program.path(self.frame.scope, Some(self.frame.function), path);
        let functions: Vec<FnId> = defs.iter().filter_map(Def::function).collect();
        if !functions.is_empty() {
            let named = self.named_in(path);
            let places: Vec<&Expr> = args.iter().collect();
            return self.call_functions(&functions, values, at, &named, &places);
        }
        if let Some(value) = self.generated_builder(path, &values).or_else(|| self.generated_default(path, &values)) {
            return value;
        }
        match defs.first() {
            Some(Def::Type(id)) => {
                let ty = Type::Def(*id, [].into());
                let site = self.site(at, false);
                self.calls.made(&ty, site);
                return self.constructed(ty, values);
            }
            Some(Def::Variant(id, _)) => {
                let value = self.constructed(Type::Def(*id, [].into()), values);
                return self.as_variant(path, value);
            }
            _ => {}
        }
        // `Trait::method(receiver, …)` and `Type::method(…)` of types nobody declares here.
        let names: Vec<Name> = match defs.first() {
            Some(Def::External(full)) => full.clone(),
            _ => path.segments.iter().map(|segment| segment.name.clone()).collect(),
        };
        if !pointer::wraps(&names) {
            self.given_away(&values);
        }
        self.note_derived_path(path, &values);
        self.note_foreign_path(path, &values, at);
        let by = names.last().map_or("call", Name::as_str);
        let lent = self.lent((by, None), args, &values);
        let value = self.external_call(&names, values, at);
        self.change(lent);
        value
    }

    fn well_known_constructor(&mut self, name: &str, args: &[Expr]) -> Option<Value> {
        match (name, args) {
            ("Ok", [inner]) => {
                let value = self.expr(inner);
                Some(self.answer(value))
            }
            ("Some", [inner]) => Some(Value { absent: Absent::Given, ..self.expr(inner) }),
            ("Box", [inner]) => Some(self.expr(inner)),
            ("Err", [inner]) => {
                let error = self.kind_of_error(inner);
                let inner = self.expr(inner);
                let term = self.terms.literal("error");
                Some(Value { guards: inner.guards, error, ..Value::new(term, Type::Unknown) })
            }
            _ => None,
        }
    }

    /// `Ok(query.fetch_one(pool).await?)`: the row that had to be there, in a result that is still an error where it is not.
    fn answer(&self, value: Value) -> Value {
        let row = match self.terms.get(value.term) {
            Term::Field(row, name) if name == "0" && self.single_column(*row) => *row,
            _ => value.term,
        };
        let required =
            |read: EventId| self.emitted(read).and_then(Event::access).is_some_and(|access| access.row_required);
        match self.terms.get(row) {
            Term::Row(read) if matches!(value.shape, Shape::Plain) && required(*read) => {
                Value { term: row, wrap: Wrap::Found, ..value }
            }
            _ => match self.row_of(&value).filter(|read| required(*read) || self.is_needed(*read)) {
                Some(read) => Value { wrap: Wrap::Found, absent: Absent::Without([read].into()), ..value },
                None => value.in_result(),
            },
        }
    }

    /// A tuple struct or variant: with one field it is what it wraps.
    fn constructed(&mut self, ty: Type, mut values: Vec<Value>) -> Value {
        if values.len() == 1 {
            let inner = values.remove(0);
            let (term, guards) = (inner.term, inner.guards.clone());
            let mut value = Value::new(term, ty).shaped(Shape::Record(Arc::new(vec![(Name::new("0"), inner)])));
            value.guards = guards;
            return value;
        }
        self.tuple_of(values).typed(ty)
    }

    /// Calls a function of the workspace; with several candidates each is put in place, in branches of its own.
    ///
    /// In: the arguments, and the expressions that they are the values of, where these may be changed by the call.
    pub(crate) fn call_functions(
        &mut self,
        functions: &[FnId],
        args: Vec<Value>,
        at: Range,
        named: &Named,
        places: &[&Expr],
    ) -> Value {
        let called = functions;
        let functions: Vec<FnId> = {
            let with_body: Vec<FnId> =
                functions.iter().copied().filter(|id| self.program.function(*id).body.is_some()).collect();
            if with_body.len() > 1 {
                let real: Vec<FnId> = with_body.iter().copied().filter(|id| !self.only_tests(*id)).collect();
                if real.is_empty() { with_body } else { real }
            } else {
                with_body
            }
        };
        let functions = self.of_known_type(&functions, named.of_parameter).unwrap_or(functions);
        match functions.as_slice() {
            [] => {
                self.given_away(&args);
                self.run_closures(&args, at);
                // A trait's method that others implement: nobody knows what it does.
                let program = self.program;
                self.calls.bodiless.extend(called.iter().map(|id| program.function(*id).name.clone()));
                let name = called.first().map_or("call", |id| program.function(*id).name.as_str());
                let term = self.terms.computed(name, args.iter().map(|arg| arg.term).collect());
                Value::new(term, Type::Unknown)
            }
            [one] => self.call_one(*one, args, at, false, named, places),
            several if several.len() <= CANDIDATES => {
                let fork = self.fork();
                let call = self.span(at);
                self.note_dispatch(fork.branch(), call, several, named.of_parameter, args.first());
                let mut arms = Vec::new();
                for (i, function) in several.iter().enumerate() {
                    let args = args.clone();
                    arms.push(self.arm(&fork, i, &[], |ev| ev.call_one(*function, args, at, true, named, places)));
                }
                self.join(fork, arms)
            }
            many => {
                // They are called from here, whatever they do.
                let site = self.site(at, true);
                many.iter().for_each(|id| self.calls.called(*id, site));
                self.unknown.give_up("a call with too many candidates");
                let term = self.terms.computed("call", args.iter().map(|arg| arg.term).collect());
                Value::new(term, Type::Unknown)
            }
        }
    }

    pub(super) fn site(&self, at: Range, guessed: bool) -> CallSite {
        let task = self.frame.task.map(|(task, _)| task);
        let serving = self.frame.serving > 0;
        let (looped, spread) = (self.frame.loops > self.loops_around(), self.frame.spread > 0);
        let (caller, span, led) = (self.frame.function, self.span(at), self.frame.led);
        let handed = self.frame.handed > 0;
        // A task goes on when the lock is given back under which it was started.
        let held = task.is_none() && self.frame.guards.iter().any(|guard| !guard.shared);
        let branch = self.frame.branch;
        CallSite { caller, span, serving, looped, spread, task, branch, guessed, handed, led, held }
    }

    /// A stand-in that only tests, examples or benches know.
    fn only_tests(&self, id: FnId) -> bool {
        let file = self.workspace.file(self.program.file_of(id));
        self.program.function(id).test
            || !matches!(file.kind, FileKind::Rust(Target::Main))
            || stand_in::is_one(self.program, &self.test_support, id)
    }

    pub(super) fn call_one(
        &mut self,
        id: FnId,
        args: Vec<Value>,
        at: Range,
        guessed: bool,
        named: &Named,
        places: &[&Expr],
    ) -> Value {
        let site = self.site(at, guessed);
        self.calls.called(id, site);
        for arg in &args {
            self.learn_handle(arg);
        }
        if args.iter().any(|arg| !matches!(arg.shape, Shape::Plain)) {
            self.handed_to(&self.program.params(id), &args);
        }
        let self_ty = self.program.function(id).receiver.as_ref().and(args.first()).map(|arg| arg.ty.clone());
        let ty = self.program.returns(id, self_ty.as_ref(), &named.types);
        let flow = self.flow(id);
        let handed = args.len();
        let mut args = args;
        args.extend(self.type_arguments(id, &args, named));
        if let Some(value) = self.inlined(id, &args, at, guessed, places) {
            return value;
        }
        let Some(flow) = flow else {
            let by = if self.is_running(id) { AGAIN } else { "call" };
            let term = self.terms.computed(by, args[..handed].iter().map(|arg| arg.term).collect());
            let value = Value::new(term, ty);
            // A function that calls itself refuses what it refuses anyway.
            return if value.ty.external_name() == Some("Result") { value.in_result() } else { value };
        };
        let value = self.instantiate(&flow, &args, at, guessed, places);
        let mut value = self.decoded(id, value);
        if !ty.is_unknown() && (value.ty.is_unknown() || matches!(value.ty, Type::Trait(_)) || !named.types.is_empty())
        {
            value.ty = ty;
        }
        self.learn_handle(&value);
        // A lock around a connection to the outside is none around rows.
        if flow.events.iter().all(|event| matches!(event.kind, EventKind::Locked(_))) {
            self.named_effect(id, at);
            if self.tells_inside.contains(&id) {
                self.tells_inside.insert(self.frame.function);
            }
        }
        value
    }

    /// Calls what a value holds: a closure, a function's name, or something handed in as a parameter.
    pub(crate) fn call_value(&mut self, function: &Value, args: Vec<Value>, at: Range) -> Value {
        match &function.shape {
            Shape::Closure(closure) => {
                let closure = closure.clone();
                self.run_closure(&closure, args)
            }
            Shape::Function(functions) => {
                let functions = functions.clone();
                self.call_functions(&functions, args, at, &Named::default(), &[])
            }
            _ if matches!(self.terms.get(function.term), Term::Param(..) | Term::Field(..)) => {
                let result = self.terms.fresh();
                let ty = match &function.ty {
                    Type::Fn(_, ret) => (**ret).clone(),
                    _ => Type::Unknown,
                };
                self.called_by_pointer(&args, at);
                let kind = EventKind::CallParam { callee: function.term, args: args.into(), result };
                self.emit(kind, None, at);
                Value::new(result, ty)
            }
            _ => {
                self.called_by_pointer(&args, at);
                self.run_closures(&args, at);
                let mut parts = vec![function.term];
                parts.extend(args.iter().map(|arg| arg.term));
                Value::new(self.terms.computed("call", parts), Type::Unknown)
            }
        }
    }

    /// Runs a closure's body here, with the variables it closed over.
    pub(super) fn run_closure(&mut self, closure: &Arc<ClosureValue>, args: Vec<Value>) -> Value {
        if self.depth >= crate::flow::limits::CALL_DEPTH {
            self.unknown.give_up("calls nested too deeply");
            return self.fresh();
        }
        if !self.may_read_again(closure.code.body.at) {
            return self.fresh();
        }
        self.depth += 1;
        let workspace = self.workspace;
        let code = closure.code.clone();
        let file = self.program.file_of(closure.function);
        let outer = (self.frame.function, self.frame.file, self.frame.scope, self.frame.text);
        let env = std::mem::replace(&mut self.frame.env, closure.env.clone());
        self.frame.function = closure.function;
        self.frame.file = file;
        self.frame.scope = closure.scope;
        self.frame.text = &workspace.file(file).text;
        let value = self.body(|ev| {
            let mut args = args.into_iter();
            for (pat, ty) in &code.params {
                let mut value = args.next().unwrap_or_else(|| ev.fresh());
                let known = ev.program.ty(ev.frame.scope, Some(ev.frame.function), ty);
                if value.ty.is_unknown() && !known.is_unknown() {
                    value.ty = known;
                    ev.learn_handle(&value);
                }
                ev.bind(pat, value);
            }
            ev.expr(&code.body)
        });
        let inner = std::mem::replace(&mut self.frame.env, env);
        (self.frame.function, self.frame.file, self.frame.scope, self.frame.text) = outer;
        self.depth -= 1;
        self.changed_by(closure, &inner);
        value
    }

    /// `recv.name(args)`.
    pub(super) fn method(&mut self, call: &MethodCall, at: Range) -> Value {
        let mut recv = self.expr(&call.recv);
        if self.frame.left.is_some() {
            return recv;
        }
        let args = self.handed(&call.name, &call.args, at);
        if self.frame.left.is_some() {
            return self.fresh();
        }
        self.learn_handle(&recv);
        self.frame.led |= self.asks_who_leads(&recv, &call.name);
        if let Some(value) = self.client_method(&recv, call, &args, at) {
            self.given_away(&args);
            return value;
        }
        if let Some(ty) = self.type_of_handle(&recv, &call.name) {
            recv.ty = ty;
        }
        let mut candidates = self.program.methods(self.frame.scope, &recv.ty, &call.name);
        if candidates.functions.is_empty() && matches!(self.terms.get(recv.term), Term::Row(_)) {
            // What was found in a list of rows goes by the list's type.
            candidates = match self.program.element(&recv.ty) {
                element @ Type::Def(..) => self.program.methods(self.frame.scope, &element, &call.name),
                _ => candidates,
            };
        }
        if candidates.via == Via::TraitImpl
            && let Some(value) = self.with_another_error(&recv, call, &args, at)
        {
            return value;
        }
        if !candidates.functions.is_empty() && !self.hides(&recv, call) {
            let named = self.named_by(&call.generics, &recv);
            let mut all = vec![recv];
            all[0].ty = if candidates.via == Via::Dynamic { all[0].ty.clone() } else { candidates.receiver.clone() };
            all.extend(args);
            let functions = candidates.functions;
            let with_self = functions.iter().all(|id| self.program.function(*id).receiver.is_some());
            let mut places = vec![&call.recv];
            places.extend(&call.args);
            if !with_self {
                all.remove(0);
                places.remove(0);
            }
            return self.call_functions(&functions, all, at, &named, &places);
        }
        if !pointer::keeps(&recv, call) {
            self.given_away(&args);
        }
        if let Some(value) = self.added_method(&recv, call, &args, at) {
            return value;
        }
        if let Some(inside) = self.dereferenced(&recv, at)
            && let Some(value) = self.client_method(&inside, call, &args, at)
        {
            return value;
        }
        if let Shape::Record(_) = &recv.shape
            && let Some(part) = recv.part(&call.name)
            && args.is_empty()
        {
            return part.clone();
        }
        self.note_derived(&recv.ty, &args);
        self.note_foreign(&recv.ty, &args, at);
        if recv.ty.is_unknown() {
            let site = self.site(at, false);
            self.calls.unresolved(&call.name, args.len(), site);
        }
        if let Some(connection) = self.out_of_pool(&recv, &call.name) {
            return connection;
        }
        let lent = self.lent((&call.name, Some(recv.term)), &call.args, &args);
        let value = self.known_method(recv, call, args, at);
        self.change(lent);
        value
    }

    /// Whether a client is asked if this process leads those that share its database.
    fn asks_who_leads(&self, recv: &Value, name: &str) -> bool {
        let told = |client: &str| self.handle(recv.term).is_some_and(|handle| handle.client == client);
        self.clients.iter().any(|client| client.leads.contains(&name) && told(client.name))
    }

    /// What a type of the program stands for by `Deref`: the pool inside a store.
    fn dereferenced(&mut self, recv: &Value, at: Range) -> Option<Value> {
        let Type::Def(..) = recv.ty else { return None };
        let found = self.program.methods(self.frame.scope, &recv.ty, "deref");
        let [deref] = *found.functions.as_slice() else { return None };
        if found.receiver != recv.ty {
            return None;
        }
        let value = self.call_one(deref, vec![recv.clone()], at, false, &Named::default(), &[]);
        self.learn_handle(&value);
        self.handle(value.term).is_some().then_some(value)
    }

    /// What a waited for call gave that nothing is known of: a remote service, a cache or a queue answered. It was asked
    /// with its arguments, and what it says is not what they were.
    pub(super) fn answered(&mut self, call: &Expr, value: Value) -> Value {
        let Term::Computed(by, _) = self.terms.get(value.term) else { return value };
        let unknown = match &*call.kind {
            ExprKind::Method(call) => *by == call.name,
            ExprKind::Call(callee, _) => match &*callee.kind {
                // Futures that are waited for together give what each of them gives.
                ExprKind::Path(path) => path
                    .segments
                    .last()
                    .is_some_and(|last| by.ends_with(last.name.as_str()) && !last.name.contains("join")),
                _ => false,
            },
            _ => false,
        };
        if !unknown {
            return value;
        }
        Value { term: self.terms.computed(ANSWER, vec![value.term]), guards: Conds::default(), ..value }
    }

    /// A name that std gives to every option and result is not the workspace's unless the type says so.
    fn hides(&self, recv: &Value, call: &MethodCall) -> bool {
        let wrapped = matches!(recv.ty.external_name(), Some("Option" | "Result"));
        wrapped && crate::flow::known::is_combinator(&call.name)
    }

    /// A panic ends the function.
    pub(super) fn diverge(&mut self) -> Value {
        self.frame.left = self.frame.left.or(Some(Exit::Function));
        Value::new(self.terms.literal("never"), Type::Never)
    }
}
