//! What the reader of diesel's calls needs of the evaluator.

use crate::client::HandleKind;
use crate::client::handles::Handle;
use crate::client::table::Gives;
use crate::event::Call;
use crate::flow::generic::Named;
use crate::flow::limits::{CALL_DEPTH, INLINED};
use crate::flow::term::{Term, TermId};
use crate::flow::value::{Query, Shape, Value};
use crate::flow::{Evaluator, State};
use crate::link::{FnId, ScopeId, Type};
use crate::lower::tree::{Expr, Name};
use crate::span::Range;

impl Evaluator<'_> {
    /// The scope that names are looked up from.
    pub(crate) fn scope(&self) -> ScopeId {
        self.frame.scope
    }

    /// The function whose text is read.
    pub(crate) fn function(&self) -> FnId {
        self.frame.function
    }

    /// A connection that was handed out by something no table knows.
    pub(crate) fn connection(&mut self) -> Value {
        let value = self.fresh();
        let client = crate::client::diesel::table::CLIENT.name;
        self.handles.insert(value.term, Handle { kind: HandleKind::Connection, dialect: None, client });
        value
    }

    /// Sends a statement to the first of the arguments.
    pub(crate) fn send_to(&mut self, query: &Query, args: &[Value], gives: Gives, at: Range) -> Option<Value> {
        let on: TermId = args.first()?.term;
        self.learn_use(&crate::client::diesel::table::CLIENT, on, None, args);
        Some(self.send(query, Some(on), gives, at))
    }

    /// Calls a function that was handed a piece of a statement, or a type that it waits for: its body is evaluated here,
    /// since what it does can be told only of a query, or a type, that is known. None where that is not the case, or the
    /// call is a recursion.
    pub(super) fn inlined(
        &mut self,
        id: FnId,
        args: &[Value],
        at: Range,
        guessed: bool,
        places: &[&Expr],
    ) -> Option<Value> {
        let query = args.iter().any(crate::client::diesel::holds_part);
        let told = query || self.sends_text(id, args) || self.is_told_types(id, args);
        if !told || self.depth >= CALL_DEPTH || self.inlined_calls >= INLINED {
            return None;
        }
        self.inlined_calls += 1;
        let program = self.program;
        let function = program.function(id);
        let body = function.body.as_ref()?;
        if matches!(self.states[id.index()], State::Running) || !self.may_read_again(body.at) {
            return None;
        }
        self.in_place.insert(id);
        let call = Call { function: id, span: self.span(at), guessed };
        let state = std::mem::replace(&mut self.states[id.index()], State::Running);
        self.depth += 1;
        let first = self.frame.events.len();
        let (file, scope) = (program.file_of(id), program.scope_of(id));
        let workspace = self.workspace;
        let text: &str = &workspace.file(file).text;
        let outer = (self.frame.function, self.frame.file, self.frame.scope, self.frame.text);
        let env = std::mem::take(&mut self.frame.env);
        (self.frame.function, self.frame.file, self.frame.scope, self.frame.text) = (id, file, scope, text);
        let value = self.body(|ev| {
            ev.bind_types(id, Some(args));
            let mut args = args.iter().cloned();
            if function.receiver.is_some() {
                let receiver = args.next().unwrap_or_else(|| ev.fresh());
                ev.frame.env.push((Name::new("self"), receiver));
            }
            for (param, ty) in function.params.iter().zip(program.params(id)) {
                let mut value = args.next().unwrap_or_else(|| ev.fresh());
                if value.ty.is_unknown() {
                    value.ty = ty;
                }
                let value = ev.declared(&param.ty, value);
                ev.learn_handle(&value);
                ev.bind(&param.pat, value);
            }
            let outer = ev.fix_parameters(function);
            let value = ev.expr(body);
            ev.frame.fixed = outer;
            value
        });
        let left = self.left_in_parameters(id, args);
        self.frame.env = env;
        (self.frame.function, self.frame.file, self.frame.scope, self.frame.text) = outer;
        for event in self.frame.events.iter_mut().skip(first) {
            event.calls = std::iter::once(call.clone()).chain(event.calls.iter().cloned()).collect();
        }
        self.depth -= 1;
        self.states[id.index()] = state;
        self.put_back(left, args, places);
        Some(value)
    }

    /// Whether a function sends SQL, a form or an active model that it is handed, and is handed some here. A function that
    /// hands on what it was handed itself is such a function too.
    fn sends_text(&mut self, id: FnId, args: &[Value]) -> bool {
        if !self.senders.contains(&id) {
            return false;
        }
        let told = |arg: &Value| match &arg.shape {
            Shape::Text(_) | Shape::OneOf(_) | Shape::Query(_) => true,
            Shape::Record(fields) => {
                matches!(self.program.peel(&arg.ty), Type::Def(..))
                    || fields.iter().any(|(_, value)| value.text().is_some())
                    || crate::client::sea_orm::lists_columns(arg)
            }
            _ => crate::client::sea_orm::is_known_active(arg),
        };
        if args.iter().any(told) {
            return true;
        }
        let handed_on = args.iter().any(|arg| self.was_handed_in(arg.term));
        if handed_on {
            self.senders.insert(self.frame.function);
        }
        false
    }

    /// A form, or a list of columns, that the function was handed: which of its fields are given, and so written, is known
    /// where it is called.
    pub(crate) fn told_by_caller(&mut self, form: &Value) {
        let mut of = form.term;
        while let Term::Field(outer, name) = self.terms.get(of)
            && name.bytes().all(|byte| byte.is_ascii_digit())
        {
            of = *outer;
        }
        if self.was_handed_in(of) {
            self.senders.insert(self.frame.function);
        }
    }

    /// Whether a value is one that the function was handed, as it was or with some of its fields changed.
    fn was_handed_in(&self, term: TermId) -> bool {
        match self.terms.get(term) {
            Term::Param(of, _) => *of == self.frame.function,
            Term::Computed(by, parts) if by == "with" => parts.first().is_some_and(|of| self.was_handed_in(*of)),
            Term::Either(parts) => parts.iter().any(|part| self.was_handed_in(*part)),
            _ => false,
        }
    }

    /// Calls a method that the program's own traits give to queries; none where there is no such method.
    pub(crate) fn extension(&mut self, recv: &Value, name: &str, args: &[Value], at: Range) -> Option<Value> {
        let program = self.program;
        let of_queries = |id: &FnId| {
            let on_type = program.impl_of(*id).map(|block| program.impl_subject(block));
            let extends = match on_type {
                Some((of_trait, ty)) => of_trait.is_some() && !matches!(ty, Type::Def(..)),
                None => program.trait_of(*id).is_some(),
            };
            extends && program.function(*id).receiver.is_some()
        };
        let found: Vec<FnId> = program.named_methods(name).iter().copied().filter(of_queries).collect();
        if found.is_empty() {
            return None;
        }
        let all: Vec<Value> = std::iter::once(recv).chain(args).cloned().collect();
        Some(self.call_functions(&found, all, at, &Named::default(), &[]))
    }
}
