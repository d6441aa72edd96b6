//! A flow's events by what they can do, so that a question about one pair does not go through all of them.

use crate::event::{Event, EventKind};
use crate::sql::statement::Verb;

/// Which events are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Transactions begin, commit and roll back.
    Step,
    /// Statements that ask for a lock, give one back, set a savepoint or a level.
    Lock,
    /// Statements that change rows.
    Write,
    /// Statements after which rows are locked: those that ask for it, and those that change rows.
    Holder,
    /// Locks inside the process.
    Mutex,
    /// What leaves the process.
    Effect,
}

/// The places of the events of each kind, in order.
#[derive(Default)]
pub(super) struct Index {
    steps: Vec<usize>,
    locks: Vec<usize>,
    writes: Vec<usize>,
    holders: Vec<usize>,
    mutexes: Vec<usize>,
    effects: Vec<usize>,
}

impl Index {
    pub fn of(events: &[Event]) -> Self {
        let mut index = Self::default();
        for (place, event) in events.iter().enumerate() {
            match &event.kind {
                EventKind::Begin { .. } | EventKind::Commit | EventKind::Rollback => index.steps.push(place),
                EventKind::Locked(_) => index.mutexes.push(place),
                EventKind::Effect(_) => index.effects.push(place),
                EventKind::CallParam { .. } => {}
                EventKind::Access(access) => {
                    let statement = &access.statement;
                    let verb = matches!(
                        statement.verb,
                        Verb::LockTables(_)
                            | Verb::UnlockTables
                            | Verb::Savepoint(_)
                            | Verb::RollbackTo(_)
                            | Verb::SetIsolation { .. }
                    );
                    let asks = statement.accesses.iter().any(|access| access.lock.is_some());
                    if verb || asks || statement.lock_calls().next().is_some() {
                        index.locks.push(place);
                    }
                    if asks || statement.writes() {
                        index.holders.push(place);
                    }
                    if statement.writes() {
                        index.writes.push(place);
                    }
                }
            }
        }
        index
    }

    /// The places of one kind from `from` to before `to`.
    pub fn between(&self, kind: Kind, from: usize, to: usize) -> &[usize] {
        let places: &[usize] = match kind {
            Kind::Step => &self.steps,
            Kind::Lock => &self.locks,
            Kind::Write => &self.writes,
            Kind::Holder => &self.holders,
            Kind::Mutex => &self.mutexes,
            Kind::Effect => &self.effects,
        };
        let start = places.partition_point(|at| *at < from);
        let end = places.partition_point(|at| *at < to);
        places.get(start..end).unwrap_or_default()
    }
}
