//! Where query builders take part: names, calls and methods that are theirs.

use crate::client::diesel;
use crate::flow::Evaluator;
use crate::flow::value::Value;
use crate::lower::tree::{MacroCall, MethodCall, TyPath};
use crate::span::Range;

impl<'p> Evaluator<'p> {
    /// A name that a builder gives a meaning: a table, a column, an entity.
    pub(super) fn builder_name(&mut self, path: &TyPath) -> Option<Value> {
        diesel::name(self, path)
    }

    /// A function of a builder: `diesel::update(target)`.
    pub(super) fn builder_call(&mut self, path: &TyPath, args: &[Value], at: Range) -> Option<Value> {
        let _ = at;
        diesel::call(self, path, args)
    }

    /// A method of a builder's value: `.filter(…)`, `.first(conn)`.
    pub(super) fn builder_method(
        &mut self,
        recv: &Value,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        diesel::method(self, recv, call, args, at)
    }

    /// A macro that gives a builder's value.
    pub(super) fn builder_macro(&mut self, call: &MacroCall) -> Option<Value> {
        diesel::alias(self, call)
    }

    /// An operator between two values of which one is a builder's.
    pub(super) fn builder_operator(&mut self, by: &str, left: &Value, right: &Value) -> Option<Value> {
        diesel::operator(self, by, left, right)
    }
}
