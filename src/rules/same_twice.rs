//! Doing it twice is doing it once: two requests that read the same row and both write it leave what one would have left, and
//! nobody is told that he came too late. What is left to tell is what others do in between.

use crate::event::Event;
use crate::finding::Confidence;
use crate::flow::clock::is_of_clock;
use crate::flow::term::{ANSWER, Origin, Term, TermId, is_call, is_record};
use crate::lower::tree::Name;
use crate::race::{LooksAt, Written, dependency};
use crate::rules::claim::Facts;
use crate::rules::loss::Counterpart;
use crate::rules::turned_away;
use crate::sql::statement::{Action, Compare, ConflictAction};

/// Whether an UPDATE gives its row the same in both of two runs, and neither run is refused by what was checked, whoever comes
/// first: no answer, no other write and nothing that leaves the process hangs on it. What is made of what the column held is lost
/// where others write there, and is no such value.
pub fn is_one(facts: &Facts<'_, '_>) -> bool {
    let of_columns = |looks_at: &LooksAt| matches!(looks_at, LooksAt::Column(_) | LooksAt::Existence);
    facts.target.action == Action::Update
        && facts.sequence.checks.iter().all(|check| of_columns(&check.looks_at))
        && !facts.sequence.values.iter().any(Written::is_own)
        && facts.writes_the_same()
        && turned_away::is_nobody(facts)
}

/// The statement of another kind whose own value is gone once such a write comes after it: one that changes what was checked
/// before others. What the write asks for in its own WHERE it does not write over.
pub fn rival(facts: &Facts<'_, '_>) -> Option<Counterpart> {
    let own = facts.own_functions();
    let asked_again = |column: &Name| facts.target.filter.iter().any(|predicate| predicate.columns.contains(column));
    let given = dependency::written(facts.target).map(|set| &set.column);
    let given = given.filter(|column| !facts.keeps(column) && !asked_again(column));
    let checked = facts.sequence.checked_columns();
    let undone = given.filter_map(|column| facts.undone_writer(column, &own));
    undone.min_by_key(|other| (!checked.contains(&&other.column), other.writer.breadth))
}

/// How sure it is that a rival does harm: of a column that nobody asked for in between it may have been said by chance.
pub fn confidence(facts: &Facts<'_, '_>, rival: &Counterpart) -> Confidence {
    let asked =
        facts.sequence.checked_columns().contains(&&rival.column) && dependency::sets(facts.write, &rival.column);
    if asked { facts.confidence() } else { Confidence::Medium.min(facts.confidence()) }
}

impl Facts<'_, '_> {
    /// Whether two runs write the same: constants, the time, what was read or is made of that alone, and what names the row or
    /// a service outside says about it.
    pub fn writes_the_same(&self) -> bool {
        let Some(access) = self.write.access() else { return false };
        // A new row is not the row that both have found.
        let of_row = |term| self.target.action == Action::Update && self.is_of_row(term);
        let alike = |term| self.is_made_of_read(term) || of_row(term);
        dependency::written(self.target)
            .all(|set| !set.value.is_relative() && self.scene.terms_in(access, &set.value).into_iter().all(alike))
    }

    /// Whether a statement puts a row there that the second of two runs finds there: all of it is the same in both, a row that is
    /// there stays as it is, and nobody looks at who put it there.
    pub fn is_put_once(&self, event: &Event) -> bool {
        let Some((access, target)) = event.access().and_then(|access| Some((access, access.statement.target()?)))
        else {
            return false;
        };
        let stays = || target.conflict.as_ref().is_some_and(|conflict| conflict.action == ConflictAction::Nothing);
        let alike = |term| self.scene.ev.terms.is_constant(term) || self.is_of_row(term);
        target.action == Action::Insert
            && stays()
            && !self.scene.outcome_used(event.id)
            && target.sets.iter().all(|set| self.scene.terms_in(access, &set.value).into_iter().all(alike))
    }

    fn is_made_of_read(&self, term: TermId) -> bool {
        let terms = &self.scene.ev.terms;
        let of_read = || {
            let origins = terms.origins(term);
            !origins.is_empty() && origins.iter().all(|origin| self.is_read(origin.event))
        };
        terms.is_constant(term)
            || is_of_clock(terms, term) && !terms.matters(term)
            || of_read() && !self.is_joined(term) && !terms.brings(term, |event| self.is_read(event))
    }

    /// Whether a value is what the row was asked for by, or an answer from outside to nothing else.
    fn is_of_row(&self, term: TermId) -> bool {
        let terms = &self.scene.ev.terms;
        match terms.get(term) {
            _ if self.is_asked_by(term) => true,
            Term::Computed(by, parts) if by == ANSWER => parts.iter().all(|part| self.asks_of_row(*part)),
            Term::Computed(by, parts) => {
                let known = |part: &TermId| terms.is_constant(*part) || self.is_of_row(*part);
                (is_call(by) || is_record(by))
                    && parts.iter().all(known)
                    && parts.iter().any(|part| self.is_of_row(*part))
            }
            Term::Field(of, _) => self.is_of_row(*of),
            Term::Either(parts) => parts.iter().all(|part| terms.is_constant(*part) || self.is_of_row(*part)),
            _ => false,
        }
    }

    /// Whether who asks outside with a value asks the same as another one who found the row.
    fn asks_of_row(&self, term: TermId) -> bool {
        let terms = &self.scene.ev.terms;
        let of_read = |origin: &Origin| self.is_read(origin.event);
        match terms.get(term) {
            _ if terms.is_constant(term) || self.is_asked_by(term) => true,
            Term::Row(_) | Term::Field(..) if !terms.origins(term).is_empty() => {
                terms.origins(term).iter().all(of_read)
            }
            Term::Computed(by, parts) => {
                // Whom it is asked of: a client that the service holds.
                let asked = usize::from(is_call(by) && !by.contains("::") && parts.len() > 1 && self.is_held(parts[0]));
                parts[asked..].iter().all(|part| self.asks_of_row(*part)) && !parts.is_empty()
            }
            Term::Field(of, _) | Term::Exists(of) => self.asks_of_row(*of),
            Term::Either(parts) => parts.iter().all(|part| self.asks_of_row(*part)),
            _ => false,
        }
    }

    /// Whether a value is a part of what was handed in, as a whole.
    fn is_held(&self, term: TermId) -> bool {
        match self.scene.ev.terms.get(term) {
            Term::Field(of, _) => self.is_held(*of),
            Term::Param(..) => true,
            _ => false,
        }
    }

    /// Whether a value is one that the row was asked for by: whoever found it asked for the same.
    fn is_asked_by(&self, term: TermId) -> bool {
        let Some(read) = self.read.access() else { return false };
        let term = self.scene.plain(term);
        let named = self.reads.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
        let mut asked = named.flat_map(|predicate| self.scene.terms_in(read, &predicate.value));
        !self.scene.ev.terms.is_constant(term) && asked.any(|asked| self.scene.plain(asked) == term)
    }

    /// Whether the write gives a column what a service outside answered.
    pub fn gives_answer(&self, column: &Name) -> bool {
        let Some(access) = self.write.access() else { return false };
        let given = dependency::written(self.target).filter(|set| set.column == *column);
        let mut given = given.flat_map(|set| self.scene.terms_in(access, &set.value)).peekable();
        given.peek().is_some() && given.all(|term| self.scene.ev.terms.is_answer(term))
    }
}
