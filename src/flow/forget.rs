//! What of a function's events its callers need not know.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{EffectKind, EventKind};
use crate::flow::limits::EFFECTS;
use crate::flow::term::TermId;
use crate::flow::value::Value;
use crate::flow::{Evaluator, Frame};

impl Evaluator<'_> {
    /// Drops the locks that nothing was done under and that no caller can hold: those of called functions, and all of a
    /// function that touches no row.
    pub(super) fn forget_locks(&self, frame: &mut Frame<'_>, returns: &Value) {
        let touches_rows = frame.events.iter().any(|event| event.access().is_some());
        let mut held: FxHashSet<TermId> = FxHashSet::default();
        let mut taken: Vec<TermId> = Vec::new();
        for event in &frame.events {
            match &event.kind {
                EventKind::Locked(guard) => taken.push(guard.guard),
                _ => held.extend(event.guards.iter().map(|guard| guard.guard)),
            }
        }
        let given = self.terms.mentioned(&[returns.term], taken);
        frame.events.retain(|event| match &event.kind {
            EventKind::Locked(guard) => {
                touches_rows && (event.calls.is_empty() || held.contains(&guard.guard)) || given.contains(&guard.guard)
            }
            _ => true,
        });
    }

    /// Drops further effects of one kind of a function that leads to no statement: what its callers ask is whether
    /// something leaves the process there.
    pub(super) fn forget_effects(frame: &mut Frame<'_>) {
        let mut seen: FxHashMap<(EffectKind, bool), usize> = FxHashMap::default();
        frame.events.retain(|event| {
            let EventKind::Effect(effect) = &event.kind else { return true };
            let times = seen.entry((effect.kind, effect.certain)).or_default();
            *times += 1;
            *times <= EFFECTS
        });
    }
}
