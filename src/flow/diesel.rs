//! What the reader of diesel's calls needs of the evaluator.

use crate::client::HandleKind;
use crate::client::handles::Handle;
use crate::client::table::Gives;
use crate::flow::Evaluator;
use crate::flow::term::TermId;
use crate::flow::value::{Query, Value};
use crate::link::{FnId, ScopeId};
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

    /// Runs `each` on one of several values, each in an arm of its own.
    pub(crate) fn in_arms(
        &mut self,
        values: &[Value],
        mut each: impl FnMut(&mut Self, &Value) -> Option<Value>,
    ) -> Value {
        let fork = self.fork();
        let mut arms = Vec::new();
        for (i, value) in values.iter().enumerate() {
            let arm = self.arm(&fork, i, &[], |ev| match each(ev, value) {
                Some(value) => value,
                None => value.clone(),
            });
            arms.push(arm);
        }
        self.join(fork, arms)
    }
}
