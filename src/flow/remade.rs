//! What a method of which nothing is known makes of a value, where it is called for that alone: `badge.advance(&answer);`.

use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Shape, Value};
use crate::link::Type;
use crate::lower::tree::{Expr, ExprKind, MethodCall, Name, Pat, UnOp};
use crate::span::Range;

impl<'p> Evaluator<'p> {
    /// Notes the call that a statement consists of: nobody looks at what it gives.
    pub(super) fn note_statement(&mut self, expr: &Expr) {
        self.frame.for_itself = matches!(&*expr.kind, ExprKind::Method(_)).then_some(expr.at);
    }

    /// Notes whether a variable may be changed, as its declaration says.
    pub(super) fn note_changeable(&mut self, name: &Name, changeable: bool) {
        if changeable {
            self.frame.changeable.insert(name.clone());
        } else {
            self.frame.changeable.remove(name);
        }
    }

    /// Puts another value in the place of a part of a row that such a call is made on: one that is made of the old one and of
    /// what the call is given.
    pub(super) fn remade(&mut self, recv: &Value, call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
        let made = self.frame.for_itself == Some(at)
            && self.is_changeable(&call.recv)
            && self.is_part_of_row(recv)
            && self.handle(recv.term).is_none();
        if !made {
            return None;
        }
        let parts = std::iter::once(recv.term).chain(args.iter().map(|arg| arg.term)).collect();
        let value = Value { term: self.terms.computed(&call.name, parts), shape: Shape::Plain, ..recv.clone() };
        self.store(&call.recv, value);
        Some(Value::new(self.terms.literal("()"), Type::Unit))
    }

    /// Whether a value is a part of one row, and not the row itself.
    fn is_part_of_row(&self, value: &Value) -> bool {
        let origins = self.terms.origins(value.term);
        let of_row = origins.first().is_some_and(|first| origins.iter().all(|origin| origin.event == first.event));
        let whole = matches!(value.shape, Shape::Record(_)) || matches!(self.terms.get(value.term), Term::Row(_));
        of_row && !whole
    }

    /// Whether a place is a variable, or a field of one, that may be changed: it is declared so, or was lent for that.
    fn is_changeable(&self, place: &Expr) -> bool {
        match &*place.kind {
            ExprKind::Path(path) => {
                let [segment] = path.segments.as_slice() else { return false };
                let borrowed = self.frame.env.iter().rev().find(|(name, _)| *name == segment.name);
                borrowed.is_some_and(|(_, value)| value.part_of.is_some())
                    || self.frame.changeable.contains(&segment.name)
                    || self.is_lent_to_be_changed(&segment.name)
            }
            ExprKind::Field(of, _) | ExprKind::Unary(UnOp::Deref, of) => self.is_changeable(of),
            _ => false,
        }
    }

    /// Whether a variable is a parameter of this function that is lent to be changed.
    pub(super) fn is_lent_to_be_changed(&self, variable: &Name) -> bool {
        let function = self.program.function(self.frame.function);
        let is = |pat: &Pat| matches!(pat, Pat::Bind(name, None, _) if name == variable);
        function.params.iter().any(|param| param.lent && is(&param.pat))
    }
}
