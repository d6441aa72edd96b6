//! Branches in a body that is evaluated in place, on a parameter whose value is known there: only what is taken is evaluated.
//!
//! A call that is put in place afterwards closes such arms then ([`switch`](super::switch)).

use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::Value;
use crate::lower::tree::{Arm, Expr, ExprKind, Function, Pat, UnOp};

impl<'p> Evaluator<'p> {
    /// Notes that the variables so far are the parameters of the body that is evaluated from here on; gives what was noted
    /// before.
    pub(super) fn fix_parameters(&mut self, function: &Function) -> usize {
        let may_change = |pat: &Pat| matches!(pat, Pat::Bind(_, _, binding) if binding.changeable);
        let fixed = !function.params.iter().any(|param| may_change(&param.pat));
        let count = if fixed { self.frame.env.len() } else { 0 };
        std::mem::replace(&mut self.frame.fixed, count)
    }

    /// The arms of a match that may be taken, where some cannot.
    pub(super) fn arms_left(&self, of: &Expr, on: &Value, arms: &[Arm]) -> Option<Vec<Arm>> {
        if !self.is_handed(of) {
            return None;
        }
        let pats: Vec<&Pat> = arms.iter().map(|arm| &arm.pat).collect();
        let switch = self.switch(0, on.term, &pats, arms.iter().any(|arm| arm.guard.is_some()))?;
        let taken = self.chosen_by_name(&switch, on)?;
        let left: Vec<Arm> =
            arms.iter().enumerate().filter(|(place, _)| taken >> place & 1 == 1).map(|(_, arm)| arm.clone()).collect();
        (!left.is_empty() && left.len() < arms.len()).then_some(left)
    }

    /// Which way an `if` goes that asks for nothing but such a parameter.
    pub(super) fn way_left(&self, cond: &Expr, tested: &Value) -> Option<bool> {
        let known = match self.terms.get(tested.term) {
            Term::Literal(text) => text.parse().ok(),
            _ => None,
        };
        known.filter(|_| self.is_handed(cond))
    }

    fn is_handed(&self, of: &Expr) -> bool {
        match &*of.kind {
            ExprKind::Path(path) => {
                let [segment] = path.segments.as_slice() else { return false };
                let place = self.frame.env.iter().rposition(|(name, _)| *name == segment.name);
                place.is_some_and(|place| place < self.frame.fixed)
            }
            ExprKind::Ref(inner) | ExprKind::Unary(UnOp::Deref, inner) => self.is_handed(inner),
            _ => false,
        }
    }
}
