//! Conditions that stand several calls below: callers are told of many of them in one.
//!
//! What a function gives back depends on every early return below it, and most of these look at arguments that hold no
//! row. Made anew at each call, one by one, they would be most of the work; a caller far above asks no more of them than
//! which of its arguments they look at. Where a function still depends on more conditions than a caller can be told of, one of
//! those far below that look at the same parts of the same rows stands for all of them.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Cond, CondId, CondKind, Conds, EventId};
use crate::flow::Evaluator;
use crate::flow::branch::union;
use crate::flow::effect::computes_with_key;
use crate::flow::term::{Params, Part, Term, TermId};

/// Through how many calls a condition on parameters alone is told by itself.
const BY_ITSELF: u8 = 2;
/// How many may be told by themselves however far below they stand: it costs nothing to keep a few.
const FEW: usize = 8;
/// Of how many conditions a caller is told one by one, those on rows far below among them.
const MANY: usize = 300;
/// Through how many calls any is told by itself even then.
const NEAR: u8 = 3;

/// Conditions that callers are told of in one, and what stands for each: it looks at the same.
#[derive(Clone, Debug, Default)]
pub struct Distant {
    pub(super) instead: FxHashMap<CondId, CondId>,
}

impl Evaluator<'_> {
    /// Takes the distant ones out of the conditions that callers are told of, and puts fewer in their place.
    pub(super) fn gather_distant(&mut self, conds: &mut Vec<CondId>) -> Option<Distant> {
        let mut found = Distant::default();
        let of_params = |id: &CondId| {
            let made = self.made(*id);
            made.of_params && !made.of_rows && made.calls >= BY_ITSELF
        };
        let those: Vec<CondId> = conds.iter().copied().filter(of_params).collect();
        if those.len() > FEW {
            self.told_in_one(&those, &mut found);
        }
        if conds.len() > MANY {
            self.unknown.give_up("a function with too many conditions below it");
            for those in self.of_same_parts(conds) {
                self.told_by_one(&those, &mut found);
            }
        }
        if found.instead.is_empty() {
            return None;
        }
        let mut told = FxHashSet::default();
        conds.retain_mut(|id| {
            let Some(instead) = found.instead.get(id) else { return true };
            *id = *instead;
            told.insert(*instead)
        });
        Some(found)
    }

    /// Makes one condition that stands for several: it looks at all that they look at.
    fn told_in_one(&mut self, those: &[CondId], found: &mut Distant) {
        let shown = self.cond(self.telling_most(those)).clone();
        let term = self.parts_of_parameters(those);
        let cond = Cond { term, inner: Conds::default(), compares: [].into(), decides: None, ..shown };
        let in_one = self.new_cond_below(cond, BY_ITSELF, None);
        found.instead.extend(those.iter().map(|id| (*id, in_one)));
    }

    /// Lets one of several conditions that look at the same stand for all of them; what decided any of them decides it.
    fn told_by_one(&mut self, those: &[CondId], found: &mut Distant) {
        let one = self.telling_most(those);
        let inner: Vec<CondId> = those.iter().flat_map(|id| self.cond(*id).inner.iter().copied()).collect();
        let cond = Cond { inner: union(&[], &inner), ..self.cond(one).clone() };
        let one = self.new_cond_below(cond, self.made(one).calls, None);
        found.instead.extend(those.iter().map(|id| (*id, one)));
    }

    /// Conditions far below that look at the same parts of what the same statements gave, two or more together.
    fn of_same_parts(&self, conds: &[CondId]) -> Vec<Vec<CondId>> {
        let mut groups: BTreeMap<Vec<(EventId, Part)>, Vec<CondId>> = BTreeMap::new();
        for id in conds {
            let origins = self.terms.origins(self.cond(*id).term);
            if self.made(*id).calls < NEAR || origins.is_empty() {
                continue;
            }
            let mut parts: Vec<(EventId, Part)> =
                origins.iter().map(|origin| (origin.event, origin.part.clone())).collect();
            parts.dedup();
            groups.entry(parts).or_default().push(*id);
        }
        groups.into_values().filter(|those| those.len() > 1).collect()
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
