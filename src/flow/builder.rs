//! Where query builders take part: names, calls and methods that are theirs.

use crate::flow::Evaluator;
use crate::flow::value::Value;
use crate::lower::tree::{MethodCall, TyPath};
use crate::span::Range;

impl<'p> Evaluator<'p> {
    /// A name that a builder gives a meaning: a table, a column, an entity.
    pub(super) fn builder_name(&mut self, path: &TyPath) -> Option<Value> {
        let _ = path;
        None
    }

    /// A function of a builder: `diesel::update(target)`.
    pub(super) fn builder_call(&mut self, path: &TyPath, args: &[Value], at: Range) -> Option<Value> {
        let _ = (path, args, at);
        None
    }

    /// A method of a builder's value: `.filter(…)`, `.first(conn)`.
    pub(super) fn builder_method(
        &mut self,
        recv: &Value,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        let _ = (recv, call, args, at);
        None
    }
}
