//! Loops: what they go round over, and what they end with.

use crate::client::sea_orm::lists_columns;
use crate::event::{CondId, CondKind, EventId};
use crate::flow::absent::is_let;
use crate::flow::branch::Return;
use crate::flow::term::{Term, TermId};
use crate::flow::value::{Shape, Value};
use crate::flow::{Evaluator, Exit, branch};
use crate::link::Type;
use crate::lower::tree::{Block, Expr, Name, Pat};

/// A loop that is gone round in, and how it is left so far.
#[derive(Default)]
pub(super) struct Round {
    /// How many conditions control depended on before.
    deps: usize,
    /// What the variables held before.
    before: Vec<TermId>,
    /// The values of `break`.
    values: Vec<Return>,
    /// It may end without a value.
    ends: bool,
    /// The conditions under which `break` ends it without one.
    ended_by: Vec<CondId>,
    /// What the variables held where `break` or `continue` ended a round.
    ended_with: Vec<Vec<(Name, Value)>>,
}

/// How many columns of a list that is written out are taken one by one.
const WRITTEN_OUT: usize = 12;

/// How many ends of one round are told apart.
const ENDS: usize = 8;

impl<'p> Evaluator<'p> {
    pub(super) fn loop_while(&mut self, cond: &Expr, block: &Block) -> Value {
        let mut asked = None;
        let value = self.serve(|ev| {
            let variables = ev.frame.env.len();
            let sent = ev.frame.events.len();
            let tested = ev.expr(cond);
            let test = ev.condition(&tested, CondKind::Test, cond.at);
            asked = test.filter(|_| ev.frame.events.len() > sent);
            ev.frame.deps.extend(test.map(|cond| (cond, Exit::Loop)));
            ev.ends_by(test.filter(|_| !is_let(cond)));
            ev.block(block);
            ev.frame.env.truncate(variables);
        });
        // What comes behind it goes on since the database said so at last; behind `while let` since there is no more.
        self.frame.deps.extend(asked.filter(|_| !is_let(cond)).map(|cond| (cond, Exit::Loop)));
        value
    }

    pub(super) fn loop_for(&mut self, pat: &Pat, over: &Expr, block: &Block) -> Value {
        let over_value = self.expr(over);
        if self.frame.left.is_some() {
            return over_value;
        }
        self.rounds(|ev| {
            let mut tested = over_value.clone();
            tested.term = ev.terms.exists(over_value.term);
            if let Some(cond) = ev.condition(&tested, CondKind::Each, over.at) {
                ev.frame.deps.push((cond, Exit::Loop));
            }
            let elements = match &over_value.shape {
                // What is done to a statement with each of these columns is done with all of them.
                Shape::Record(parts) if parts.len() <= WRITTEN_OUT && lists_columns(&over_value) => {
                    parts.iter().map(|(_, part)| part.clone()).collect()
                }
                _ => vec![ev.element(&over_value)],
            };
            for element in elements {
                let variables = ev.frame.env.len();
                ev.bind_from(pat, element, over);
                ev.block(block);
                ev.frame.env.truncate(variables);
            }
        })
        .0
    }

    /// `loop`: its value is that of the `break` that ends it. Where none does, only `return` leaves it.
    pub(super) fn loop_forever(&mut self, block: &Block) -> Value {
        let returns = self.frame.returns.len();
        self.frame.serving += 1;
        let (value, round) = self.rounds(|ev| {
            ev.block(block);
        });
        self.frame.serving -= 1;
        if round.ends || self.frame.left.is_some() {
            return value;
        }
        if round.values.is_empty() {
            if self.frame.returns.len() > returns {
                self.frame.left = Some(Exit::Function);
            }
            return value;
        }
        self.joined(round.values, Type::Unknown)
    }

    /// `break`. Nobody knows which of several loops a label names.
    pub(super) fn leave_loop(&mut self, value: Option<Value>) {
        let Some(mut round) = self.frame.rounds.pop() else { return };
        self.may_leave_loops();
        match value {
            Some(value) => round.values.push(self.returned_since(value, round.deps)),
            None => {
                round.ends = true;
                round.ended_by.extend(self.frame.deps.iter().skip(round.deps).map(|(cond, _)| *cond));
            }
        }
        self.frame.rounds.push(round);
        self.ends_round();
    }

    /// Remembers what the variables hold where a round is ended before its end, and what decided that it is.
    pub(super) fn ends_round(&mut self) {
        let Some(mut round) = self.frame.rounds.pop() else { return };
        if round.ended_with.len() < ENDS {
            let conds: Vec<CondId> = self.frame.deps.iter().skip(round.deps).map(|(cond, _)| *cond).collect();
            let mut env = self.frame.env.clone();
            env.truncate(round.before.len());
            for ((_, value), before) in env.iter_mut().zip(&round.before) {
                if value.term != *before {
                    value.guards = branch::union(&value.guards, &conds);
                }
            }
            round.ended_with.push(env);
        }
        self.frame.rounds.push(round);
    }

    /// Notes what decides that the innermost loop ends.
    fn ends_by(&mut self, conds: impl IntoIterator<Item = CondId>) {
        if let Some(round) = self.frame.rounds.last_mut() {
            round.ended_by.extend(conds);
        }
    }

    /// `while taken.contains(&place) { place += 1 }`: how far a variable was counted is what the loop's end decided. What was
    /// computed from rows says so itself.
    fn counted(&mut self, before: &[TermId], round: &Round) {
        if round.ended_by.is_empty() {
            return;
        }
        for (place, old) in before.iter().enumerate() {
            let Some((_, value)) = self.frame.env.get_mut(place) else { return };
            if value.term != *old && self.terms.origins(value.term).is_empty() {
                value.guards = branch::union(&value.guards, &round.ended_by);
            }
        }
    }

    /// What is not understood may hold a `break`.
    pub(super) fn may_leave_loops(&mut self) {
        for round in &mut self.frame.rounds {
            round.ends = true;
        }
    }

    /// A loop that a worker or a service goes round in.
    fn serve(&mut self, body: impl FnOnce(&mut Self)) -> Value {
        self.frame.serving += 1;
        let value = self.rounds(body).0;
        self.frame.serving -= 1;
        value
    }

    /// Whether a condition on which a loop's body leaves the function is one of each round, and not of how its rows are
    /// decoded: a test, or the absence of what the round looked for.
    fn refuses(&self, cond: CondId, from: usize) -> bool {
        let sent = |event: EventId| self.frame.events[from..].iter().any(|own| own.id == event);
        let cond = self.cond(cond);
        match cond.kind {
            CondKind::Test | CondKind::Must => true,
            CondKind::Each => false,
            CondKind::Presence => match self.terms.get(cond.term) {
                Term::Exists(of) => matches!(self.terms.get(*of), Term::Row(read) if sent(*read)),
                _ => cond.inner.iter().any(|inner| {
                    let inner = self.cond(*inner);
                    matches!(inner.kind, CondKind::Test | CondKind::Must)
                        && self.terms.origins(inner.term).iter().any(|origin| sent(origin.event))
                }),
            },
        }
    }

    /// A loop's body, once. What it assigns may or may not have happened afterwards.
    fn rounds(&mut self, body: impl FnOnce(&mut Self)) -> (Value, Round) {
        let fork = self.fork();
        let (deps, events) = (self.frame.deps.len(), self.frame.events.len());
        let before: Vec<TermId> = self.frame.env.iter().map(|(_, value)| value.term).collect();
        self.frame.rounds.push(Round { deps, before: before.clone(), ..Round::default() });
        self.frame.repeated += 1;
        self.frame.loops += 1;
        let once = self.arm(&fork, 0, &[], |ev| {
            body(ev);
            let inside = ev.frame.deps.split_off(deps);
            let refuse = inside.into_iter().filter(|(cond, exit)| *exit == Exit::Function && ev.refuses(*cond, events));
            let refuse: Vec<_> = refuse.collect();
            ev.frame.deps.extend(refuse);
            if ev.frame.left == Some(Exit::Loop) {
                ev.frame.left = None;
            }
            Value::new(ev.terms.literal("()"), Type::Unit)
        });
        self.frame.repeated -= 1;
        self.frame.loops -= 1;
        let mut round = self.frame.rounds.pop().unwrap_or_default();
        let nothing = |ev: &mut Self| Value::new(ev.terms.literal("()"), Type::Unit);
        let mut ends = vec![once, self.arm(&fork, 1, &[], nothing)];
        for env in round.ended_with.drain(..) {
            let moved = env.iter().zip(&before).any(|((_, value), before)| value.term != *before);
            if moved {
                let ended = |ev: &mut Self| {
                    ev.frame.env = env;
                    nothing(ev)
                };
                let end = self.arm(&fork, ends.len(), &[], ended);
                ends.push(end);
            }
        }
        let value = self.join(fork, ends);
        self.counted(&before, &round);
        (value, round)
    }
}
