//! What a function leaves in what it was lent where it may refuse: whoever goes on after `?` sees what is there where it did
//! not.

use crate::flow::value::Value;
use crate::flow::{Evaluator, Exit};
use crate::lower::tree::{Expr, ExprKind, Function, Stmt};
use crate::span::Range;

impl Evaluator<'_> {
    /// An error that is the value of a function's branch leaves the function, as `return` does.
    pub(super) fn refused(&mut self, value: Value, at: Range) -> Value {
        if self.frame.left.is_none() && self.frame.refusals.contains(&at) && self.is_error(&value) {
            self.leave_with(value);
            self.frame.left = Some(Exit::Function);
            return self.fresh();
        }
        value
    }

    /// The variables as they are where a function that is lent something answers.
    pub(super) fn note_answer(&mut self, value: &Value) {
        if self.frame.lends && !self.is_error(value) {
            self.frame.answered = Some(self.frame.env.clone());
        }
    }
}

/// Whether a function may change what it is lent.
pub(super) fn lends(function: &Function) -> bool {
    function.changes_self || function.params.iter().any(|param| param.lent)
}

/// Where branches that end a function's body give an error.
pub(super) fn refusals(body: &Expr) -> Vec<Range> {
    let mut found = Vec::new();
    ends(body, false, &mut found);
    found
}

fn ends(expr: &Expr, branched: bool, found: &mut Vec<Range>) {
    match &*expr.kind {
        ExprKind::Block(block) if block.has_value => {
            if let Some(Stmt::Expr(last)) = block.stmts.last() {
                ends(last, branched, found);
            }
        }
        ExprKind::If(_, then, Some(otherwise)) => [then, otherwise].into_iter().for_each(|arm| ends(arm, true, found)),
        ExprKind::Match(_, arms) => arms.iter().for_each(|arm| ends(&arm.body, true, found)),
        ExprKind::Call(callee, _) if branched => {
            let named = |expr: &Expr| matches!(&*expr.kind, ExprKind::Path(path) if path.segments.last().is_some_and(|last| last.name == "Err"));
            found.extend(named(callee).then_some(expr.at));
        }
        _ => {}
    }
}
