//! Whether values are made of others. Values grow large, so what is asked of many of them is asked in one.

use rustc_hash::FxHashSet;

use crate::flow::names::Marks;
use crate::flow::term::{TermId, Terms};

/// Terms that are looked for in others.
pub struct Wanted {
    terms: FxHashSet<TermId>,
    first: Option<TermId>,
    /// Whose names stand in them, where each of them has some: what holds one of them has its names.
    marks: Option<Marks>,
    /// Terms in which none of them was found.
    without: FxHashSet<TermId>,
}

impl Wanted {
    pub fn new(terms: &Terms, wanted: impl IntoIterator<Item = TermId>) -> Self {
        let wanted: FxHashSet<TermId> = wanted.into_iter().collect();
        let named = wanted.iter().all(|term| terms.marks(*term) != Marks::default());
        let marks = named.then(|| wanted.iter().fold(Marks::default(), |all, term| all.with(terms.marks(*term))));
        Self { first: wanted.iter().min().copied(), terms: wanted, marks, without: FxHashSet::default() }
    }

    pub fn has(&self, term: TermId) -> bool {
        self.terms.contains(&term)
    }

    /// Those that are among some terms, or that these are computed from.
    pub fn among(&mut self, terms: &Terms, of: &[TermId]) -> FxHashSet<TermId> {
        let mut found = FxHashSet::default();
        let mut todo = of.to_vec();
        let mut seen = FxHashSet::default();
        while let Some(id) = todo.pop() {
            if !self.may_hold(terms, id) || !seen.insert(id) {
                continue;
            }
            if self.has(id) {
                found.insert(id);
                if found.len() == self.terms.len() {
                    break;
                }
            }
            todo.extend(terms.parts(id));
        }
        if found.is_empty() {
            self.without.extend(seen);
        }
        found
    }

    fn may_hold(&self, terms: &Terms, id: TermId) -> bool {
        // A term is interned after all it is made of.
        self.first.is_some_and(|first| id >= first)
            && self.marks.is_none_or(|marks| terms.marks(id).meets(marks))
            && !self.without.contains(&id)
    }
}

impl Terms {
    /// Whether `id` is, or is one of, or is computed from `part`.
    pub fn mentions(&self, id: TermId, part: TermId) -> bool {
        !self.mentioned(&[id], [part]).is_empty()
    }

    /// Those of some terms that are among others, or that these are computed from.
    pub fn mentioned(&self, of: &[TermId], wanted: impl IntoIterator<Item = TermId>) -> FxHashSet<TermId> {
        Wanted::new(self, wanted).among(self, of)
    }
}
