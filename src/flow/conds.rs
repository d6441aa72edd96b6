//! The conditions of all functions, with what is asked of each when a function is called.

use crate::event::{Cond, CondId};
use crate::flow::Evaluator;
use crate::flow::names::Marks;
use crate::flow::term::Params;

/// What a condition and those that it holds are made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Made {
    /// It hangs on a parameter.
    pub(super) of_params: bool,
    /// It looks at what a statement gave.
    pub(super) of_rows: bool,
    /// Whose names stand in it.
    pub(super) marks: Marks,
}

impl Evaluator<'_> {
    pub(super) fn new_cond(&mut self, cond: Cond) -> CondId {
        let mut made = Made {
            of_params: self.terms.params(cond.term) != Params::default(),
            of_rows: !self.terms.origins(cond.term).is_empty(),
            marks: self.terms.marks(cond.term),
        };
        if let Some(decides) = cond.decides {
            made.marks = made.marks.with(Marks::of(self.terms.names.of_branch(decides.branch)));
        }
        for inner in cond.inner.iter() {
            let inner = self.made(*inner);
            made.of_params |= inner.of_params;
            made.of_rows |= inner.of_rows;
            made.marks = made.marks.with(inner.marks);
        }
        CondId(self.conds.push((cond, made)))
    }

    pub(super) fn made(&self, id: CondId) -> Made {
        self.conds.get(id.0).1
    }
}
