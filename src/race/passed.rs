//! What a value was asked before it was written: who lets in only what the check lets through does not spoil the check.

use crate::event::{Access, CondId, Event};
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency, side};
use crate::sql::statement::Operand;

/// How deep a condition is taken apart.
const DEPTH: usize = 24;

/// A value that is written, and the tests of it on the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    value: TermId,
    /// What was tested, and how that came out.
    tests: Vec<(TermId, bool)>,
}

impl Passed {
    /// The tests of what a statement gives a column; none where there are none, or where the value is no bound one.
    pub fn of(ev: &Evaluator<'_>, event: &Event, access: &Access, value: &Operand) -> Option<Self> {
        let value = access.bound(value).filter(|term| ev.terms.matters(*term))?;
        let answered = side::answered(ev, event);
        let beside = answered.iter().filter(|cond| !event.deps.contains(cond));
        let of_value = |cond: &&CondId| ev.terms.mentions(ev.cond(**cond).term, value);
        let outcome = |cond: &CondId| {
            let holds = side::outcome_where(ev, *cond, event, || answered.contains(cond))?;
            Some((ev.cond(*cond).term, holds))
        };
        let tests: Vec<(TermId, bool)> = event.deps.iter().chain(beside).filter(of_value).filter_map(outcome).collect();
        (!tests.is_empty()).then_some(Self { value, tests })
    }

    /// Whether the value has passed each test that a sequence puts to a column of the row it reads. A record that holds the
    /// column among others, and is tested as a whole, is none.
    pub fn answers(&self, scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name) -> bool {
        let Some(write) = scene.event(sequence.write) else { return false };
        let on_it = sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Column(column.clone()));
        let mut asked = on_it.filter(|check| side::asks_itself(scene, sequence, check, column)).peekable();
        let alike =
            |asked: TermId, tested: TermId| Alike { scene, sequence, column, value: self.value }.is(asked, tested, 0);
        asked.peek().is_some()
            && asked.all(|check| {
                let Some(id) = check.cond else { return false };
                let Some(holds) = side::outcome(scene.ev, id, write) else { return false };
                self.tests.iter().any(|(test, out)| *out == holds && alike(scene.ev.cond(id).term, *test))
            })
    }
}

/// A column of the row that a sequence reads, and the value that stands for it in another test.
struct Alike<'t, 'a, 'p> {
    scene: &'t Scene<'a, 'p>,
    sequence: &'t Sequence,
    column: &'t Name,
    value: TermId,
}

impl Alike<'_, '_, '_> {
    /// Whether two tests are the same in each request, but for the column in one of them and the value in the other.
    fn is(&self, asked: TermId, tested: TermId, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        if side::is_column(self.scene, self.sequence, self.column, asked) {
            return tested == self.value;
        }
        let each = |one: &[TermId], other: &[TermId]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| self.is(*one, *other, depth + 1))
        };
        let terms = &self.scene.ev.terms;
        match (terms.get(asked), terms.get(tested)) {
            (Term::Computed(by, parts), Term::Computed(other, others)) => by == other && each(parts, others),
            (Term::Either(parts), Term::Either(others)) => each(parts, others),
            (Term::Exists(of), Term::Exists(other)) => each(&[*of], &[*other]),
            (Term::Field(of, name), Term::Field(other, known)) => name == known && each(&[*of], &[*other]),
            // What a request brings is another thing in the next one.
            _ => asked == tested && terms.is_constant(asked),
        }
    }
}

/// Whether each run gives a column only what its own check lets through, so that none of them spoils it for another: the new
/// value passes the test that is put to the old one, here or in whoever calls.
pub fn by_itself(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name) -> bool {
    let Some(event) = scene.event(sequence.write) else { return false };
    let (Some(access), Some(target)) = (event.access(), event.target()) else { return false };
    let mut given = dependency::written(target).filter(|set| set.column == *column).peekable();
    let here = |value: &Operand| {
        Passed::of(scene.ev, event, access, value).is_some_and(|passed| passed.answers(scene, sequence, column))
    };
    given.peek().is_some()
        && (given.all(|set| here(&set.value))
            || scene
                .rivals
                .writers
                .tests_of((&target.table.name, column), event.span)
                .is_some_and(|all| all.iter().all(|passed| passed.answers(scene, sequence, column))))
}
