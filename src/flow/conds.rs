//! The conditions of all functions, with what is asked of each when a function is called.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Cond, CondId, CondKind, EventId, Path};
use crate::flow::names::Marks;
use crate::flow::term::{Params, Term, TermId};
use crate::flow::value::Value;
use crate::flow::{Evaluator, Frame};

/// What a condition and those that it holds are made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Made {
    /// It hangs on a parameter.
    pub(super) of_params: bool,
    /// It looks at what a statement gave.
    pub(super) of_rows: bool,
    /// Whose names stand in it.
    pub(super) marks: Marks,
    /// Through how many calls it came.
    pub(super) calls: u8,
}

impl Evaluator<'_> {
    pub(super) fn new_cond(&mut self, cond: Cond) -> CondId {
        let way = self.open_to_callers(&self.frame.path);
        self.new_cond_below(cond, 0, way)
    }

    /// Of the way to a condition the branches that a caller may decide; none where there are no such.
    pub(super) fn open_to_callers(&self, way: &Path) -> Option<Path> {
        let switches = &self.frame.switches;
        let decided = |branch: u32| switches.iter().any(|switch| switch.branch == branch);
        let open: Vec<(u32, u64)> = way.0.iter().copied().filter(|(branch, _)| decided(*branch)).collect();
        (!open.is_empty()).then(|| Path::of(open))
    }

    /// The branches on the way to a condition that a caller may decide.
    pub(super) fn way_to(&self, id: CondId) -> Option<&Path> {
        self.conds.get(id.0).2.as_ref()
    }

    /// A condition of a function so many calls below, in arms that a caller may pass over.
    pub(super) fn new_cond_below(&mut self, cond: Cond, calls: u8, way: Option<Path>) -> CondId {
        let mut made = Made {
            calls,
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
        if let Some(way) = &way {
            let of_branch = |branch: &u32| Marks::of(self.terms.names.of_branch(*branch));
            made.marks = way.0.iter().fold(made.marks, |marks, (branch, _)| marks.with(of_branch(branch)));
        }
        CondId(self.conds.push((cond, made, way)))
    }

    pub(super) fn made(&self, id: CondId) -> Made {
        self.conds.get(id.0).1
    }

    /// The conditions that a caller may have to know of: those that events or the result depend on.
    pub(super) fn telling(&self, frame: &Frame<'_>, returns: &Value) -> Vec<CondId> {
        let mut kept: FxHashSet<CondId> = FxHashSet::default();
        let mut todo: Vec<CondId> = returns.guards.to_vec();
        todo.extend(returns.refused.iter().flat_map(|refused| refused.iter().copied()));
        todo.extend(frame.events.iter().flat_map(|event| event.deps.iter().copied()));
        while let Some(cond) = todo.pop() {
            if kept.insert(cond) {
                todo.extend(self.cond(cond).inner.iter().copied());
            }
        }
        let mut conds: Vec<CondId> = frame.conds.iter().copied().filter(|cond| kept.contains(cond)).collect();
        conds.dedup();
        conds
    }

    /// The statements whose outcome some condition looks at.
    pub(super) fn looked_at(&self, frame: &Frame<'_>) -> Vec<EventId> {
        let sent: FxHashMap<EventId, bool> = frame
            .events
            .iter()
            .filter_map(|event| event.access().map(|access| (event.id, access.row_required)))
            .collect();
        let mut all: Vec<EventId> = frame.looked_at.clone();
        for cond in frame.conds.iter().map(|cond| self.cond(*cond)) {
            if cond.kind != CondKind::Presence || !self.only_asks_for_success(cond.term, &sent) {
                all.extend(self.terms.origins(cond.term).iter().map(|origin| origin.event));
            }
        }
        all.sort_unstable();
        all.dedup();
        all.retain(|event| sent.contains_key(event));
        all
    }

    /// Whether a value only tells that a write did not fail, or that a row was there that had to be: `execute(…)?` asks
    /// whether it failed, not how many rows it changed.
    fn only_asks_for_success(&self, term: TermId, row_required: &FxHashMap<EventId, bool>) -> bool {
        match self.terms.asked_to_be_there(term) {
            Some(Term::Count(_)) => true,
            Some(Term::Row(event)) => row_required.get(event).is_some_and(|required| *required),
            _ => false,
        }
    }
}
