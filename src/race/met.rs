//! What a check asks for, put there by another statement: whoever has asked before is not wrong for that.

use crate::event::{CondId, Event};
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, side};
use crate::sql::statement::Compare;

/// How deep a condition is taken apart.
const DEPTH: usize = 16;

/// Whether a constant in a column can only help whoever comes to the write: all that its checks ask of the column is that
/// this stands in it, or that something else does not.
///
/// In: the names of the constant.
pub fn is_asked_for(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name, given: &[Name]) -> bool {
    let Some(write) = scene.event(sequence.write) else { return false };
    let asked = Asked { scene, sequence, column, given };
    let mut on_it = sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Column(column.clone())).peekable();
    on_it.peek().is_some()
        && on_it.all(|check| match check.cond {
            Some(cond) if !side::is_of_filter(scene, sequence, check, column) => asked.in_cond(cond, write),
            _ => asked.in_filter(write),
        })
}

struct Asked<'c, 'a, 'p> {
    scene: &'c Scene<'a, 'p>,
    sequence: &'c Sequence,
    column: &'c Name,
    given: &'c [Name],
}

impl Asked<'_, '_, '_> {
    fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|given| side::same(given, name))
    }

    fn in_cond(&self, cond: CondId, write: &Event) -> bool {
        let holds = side::outcome(self.scene.ev, cond, write);
        holds.is_some_and(|holds| self.helps(self.scene.ev.cond(cond).term, holds, 0))
    }

    /// The same of the conditions in the WHERE of the read, where a row was found.
    fn in_filter(&self, write: &Event) -> bool {
        let read = self.scene.access(self.sequence.read);
        let own = read.and_then(|read| Some((read, read.statement.accesses.get(self.sequence.read_access)?)));
        let Some((read, own)) = own.filter(|_| !self.scene.found_nothing(self.sequence.read, write)) else {
            return false;
        };
        let mut on_it = own.filter.iter().filter(|predicate| predicate.columns.contains(self.column)).peekable();
        on_it.peek().is_some()
            && on_it.all(|predicate| {
                let asked = read.constant(&self.scene.ev.terms, &predicate.value);
                predicate.columns.len() == 1
                    && predicate.op == Compare::Eq
                    && asked.is_some_and(|asked| self.is_given(&asked))
            })
    }

    /// Whether a test comes out so, if it did before, when the constant stands in the column. Its other parts are not
    /// touched by that.
    fn helps(&self, term: TermId, holds: bool, depth: usize) -> bool {
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        let is_it = |term: TermId| side::is_column(scene, self.sequence, self.column, term);
        if is_it(term) {
            return self.is_given(if holds { "true" } else { "false" });
        }
        let told = |origin: &crate::flow::term::Origin| origin.event == self.sequence.read;
        if !scene.origins(term).iter().any(told) {
            return true;
        }
        match terms.get(term) {
            _ if depth > DEPTH => false,
            // Whether there is a row is another matter.
            Term::Exists(of) => matches!(terms.get(*of), Term::Row(_)),
            Term::Field(of, name) => matches!(terms.get(*of), Term::Row(_)) && name != self.column,
            Term::Computed(by, parts) => match (by.as_str(), &**parts) {
                ("!", [part]) => self.helps(*part, !holds, depth + 1),
                ("&&" | "||" | "any" | "all", parts) => parts.iter().all(|part| self.helps(*part, holds, depth + 1)),
                ("==" | "!=", [left, right]) if is_it(*left) || is_it(*right) => {
                    let with = if is_it(*left) { right } else { left };
                    let Term::Literal(with) = terms.get(*with) else { return false };
                    self.is_given(with) == (holds == (by == "=="))
                }
                ("==" | "!=" | "<" | "<=" | ">" | ">=", [left, right]) => {
                    [left, right].into_iter().all(|side| self.helps(*side, holds, depth + 1))
                }
                _ => false,
            },
            _ => false,
        }
    }
}
