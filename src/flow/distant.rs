//! Conditions on parameters that stand several calls below: callers are told of them in one.
//!
//! What a function gives back depends on every early return below it, and most of these look at arguments that hold no
//! row. Made anew at each call, one by one, they would be most of the work; a caller far above asks no more of them than
//! which of its arguments they look at.

use rustc_hash::FxHashSet;

use crate::event::{Cond, CondId, CondKind};
use crate::flow::Evaluator;
use crate::flow::effect::computes_with_key;
use crate::flow::term::{Params, Term, TermId};

/// Through how many calls a condition on parameters alone is told by itself.
const BY_ITSELF: u8 = 2;
/// How many may be told by themselves however far below they stand: it costs nothing to keep a few.
const FEW: usize = 8;

/// Conditions that callers are told of in one.
#[derive(Clone, Debug)]
pub struct Distant {
    pub(super) those: FxHashSet<CondId>,
    /// What stands for them: it looks at the same parts of the parameters.
    pub(super) in_one: CondId,
}

impl Evaluator<'_> {
    /// Takes the distant ones out of the conditions that callers are told of, and puts one in their place.
    pub(super) fn gather_distant(&mut self, conds: &mut Vec<CondId>) -> Option<Distant> {
        let distant = |id: &CondId| {
            let made = self.made(*id);
            made.of_params && !made.of_rows && made.calls >= BY_ITSELF
        };
        let those: Vec<CondId> = conds.iter().copied().filter(distant).collect();
        if those.len() <= FEW {
            return None;
        }
        let shown = self.cond(self.telling_most(&those)).clone();
        let term = self.parts_of_parameters(&those);
        let cond = Cond { term, inner: Vec::new().into(), compares: [].into(), decides: None, ..shown };
        let in_one = self.new_cond_below(cond, BY_ITSELF);
        let those: FxHashSet<CondId> = those.into_iter().collect();
        let first = conds.iter().position(|id| those.contains(id)).unwrap_or_default();
        conds[first] = in_one;
        conds.retain(|id| !those.contains(id));
        Some(Distant { those, in_one })
    }

    /// Of several conditions the one that says most: a test, of a part of a parameter where there is one.
    fn telling_most(&self, those: &[CondId]) -> CondId {
        let says = |id: &CondId| {
            let cond = self.cond(*id);
            let mut of_part = false;
            self.terms.walk(cond.term, &mut |term| of_part |= matches!(self.terms.get(term), Term::Field(..)));
            (matches!(cond.kind, CondKind::Test | CondKind::Must), of_part)
        };
        // The first of those that say the same.
        those.iter().copied().rev().max_by_key(says).unwrap_or(those[0])
    }

    /// The parts of parameters that conditions look at.
    fn parts_of_parameters(&mut self, conds: &[CondId]) -> TermId {
        let mut todo: Vec<TermId> = conds.iter().map(|id| self.cond(*id).term).collect();
        let mut seen = FxHashSet::default();
        let mut parts = Vec::new();
        while let Some(id) = todo.pop() {
            if self.terms.params(id) == Params::default() || !seen.insert(id) {
                continue;
            }
            match self.terms.get(id) {
                // What was opened with a key says nothing of the key.
                Term::Computed(by, of) if computes_with_key(by) && of.len() > 1 => parts.push(id),
                Term::Computed(_, of) | Term::Either(of) => todo.extend(of.iter().copied()),
                Term::Exists(of) => todo.push(*of),
                Term::Field(..) | Term::Param(..) => parts.push(id),
                _ => {}
            }
        }
        parts.sort_unstable();
        self.terms.computed("checks", parts)
    }
}
