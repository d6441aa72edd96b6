//! A fence: what was read belongs to a row with a version, and the transaction that writes goes on only while that version is
//! what it was, and moves it on. Of two who read the same only one gets through.

use crate::event::{Access, CondId, Event, EventId, EventKind};
use crate::flow::term::TermId;
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::protect::{Protection, Verdict, recheck};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::transaction::{self, Transaction};
use crate::race::{LooksAt, Sequence, dependency, rows, side};
use crate::sql::statement::{Access as TableAccess, Action, Compare, Strength};

/// Whether a locked look at the version, or a guarded write of it, stands between two requests that read the same. Who else
/// gives the written columns a value, and does not come this way, must not be there.
pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    let write = scene.event(sequence.write)?;
    let target = write.target()?;
    let fence = Fence { scene, sequence, write, within: transaction::of(scene, write)? };
    let kept = || !dependency::written(target).any(|set| fence.is_written_beside(&target.table.name, &set.column));
    let mut between = scene.between_of(Kind::Holder, sequence.read, write.id);
    let found = between.find(|event| fence.is_locked_look(event) || fence.is_guarded(event));
    let found = found.or_else(|| scene.after_of(Kind::Write, write.id).find(|event| fence.is_guarded_after(event)));
    found.filter(|_| kept()).map(|event| Protection::Rechecked(event.id))
}

/// A write, and the transaction that it stands in.
struct Fence<'f, 'a, 'p> {
    scene: &'f Scene<'a, 'p>,
    sequence: &'f Sequence,
    write: &'f Event,
    within: Transaction,
}

impl Fence<'_, '_, '_> {
    fn is_inside(&self, event: &Event) -> bool {
        transaction::of(self.scene, event).is_some_and(|other| other.is_same(&self.within))
    }

    /// Whether a row is locked, the write hangs on its version being the one that was read before, and that is moved on.
    fn is_locked_look(&self, event: &Event) -> bool {
        let Some(access) = event.access().filter(|_| self.is_inside(event)) else { return false };
        let locks = |own: &&TableAccess| own.lock.as_ref().is_some_and(|lock| lock.strength > Strength::Share);
        let Some(locked) = access.statement.accesses.iter().find(locks) else { return false };
        let conds = self.scene.conditions(&self.write.deps);
        let mut versions = conds.iter().filter_map(|cond| self.version(*cond, event.id));
        versions.any(|version| self.is_moved((access, locked), &version))
    }

    /// The column of which a condition asks that a second look finds in it what the first has found.
    fn version(&self, id: CondId, again: EventId) -> Option<Name> {
        let equal = |op: Compare| matches!(op, Compare::Eq | Compare::Ne);
        let pair = |one: TermId, other: TermId| {
            let version = self.column(one, self.sequence.read)?;
            (self.column(other, again).as_ref() == Some(&version)).then_some(version)
        };
        let compares = self.scene.ev.cond(id).compares.iter().filter(|compare| equal(compare.op));
        let mut found = compares.filter_map(|it| pair(it.left, it.right).or_else(|| pair(it.right, it.left)));
        found.next().filter(|_| side::needs_equal(self.scene, self.sequence, id))
    }

    /// The column of a read that a value is.
    fn column(&self, term: TermId, of: EventId) -> Option<Name> {
        let statement = &self.scene.access(of)?.statement;
        let origins = self.scene.origins(term);
        let [origin] = &*origins else { return None };
        match self.scene.looks_at(statement, &origin.part, false) {
            LooksAt::Column(column) if origin.event == of && !origin.computed => Some(column),
            _ => None,
        }
    }

    /// Whether the version of a locked row is given another value in the same transaction.
    fn is_moved(&self, lock: (&Access, &TableAccess), version: &Name) -> bool {
        let moves = |access: &Access| {
            access.statement.target().is_some_and(|row| {
                row.action == Action::Update
                    && row.table.name == lock.1.table.name
                    && dependency::moved(self.scene, (access, row), version).is_some()
                    && rows::compare_keys(self.scene, lock, (access, row)) == (true, false)
            })
        };
        let moved = |event: &Event| event.access().is_some_and(moves) && self.is_inside(event) && self.is_passed(event);
        let (read, write) = (self.sequence.read, self.write.id);
        self.scene.between_of(Kind::Write, read, write).any(moved) || self.scene.after_of(Kind::Write, write).any(moved)
    }

    /// Whether whoever comes to the write comes past an event as well, but who is led elsewhere by what was read.
    fn is_passed(&self, event: &Event) -> bool {
        recheck::is_never_missed(self.scene, self.sequence, event, self.write)
    }

    /// Whether a row is written only while it holds the version that was read, which it moves on, and the write hangs on that.
    fn is_guarded(&self, event: &Event) -> bool {
        self.is_swapped(event) && self.scene.deciding(self.write).contains(&event.id)
    }

    /// The same further on, where the commit hangs on it.
    fn is_guarded_after(&self, event: &Event) -> bool {
        let commits = |commit: &&Event| matches!(commit.kind, EventKind::Commit) && self.is_inside(commit);
        let mut commits = self.scene.after(event.id).filter(commits).peekable();
        self.is_swapped(event)
            && commits.peek().is_some()
            && commits.all(|commit| self.scene.deciding(commit).contains(&event.id))
    }

    fn is_swapped(&self, event: &Event) -> bool {
        let own = |other: &&Sequence| other.read == self.sequence.read;
        event.id != self.write.id
            && event.does(Action::Update)
            && self.is_inside(event)
            && self.is_passed(event)
            && self
                .scene
                .sequences(event)
                .iter()
                .find(own)
                .is_some_and(|other| matches!(self.scene.verdict(other), Verdict::Safe(Protection::CompareAndSet)))
    }

    /// Whether another statement gives a column of rows that are there a value, and is not led to by these functions.
    fn is_written_beside(&self, table: &Name, column: &Name) -> bool {
        let own: Vec<FnId> =
            self.write.calls.iter().map(|call| call.function).chain([self.scene.flow.function]).collect();
        let mut others = self.scene.rivals.writers.others((table, column), self.scene.flow.function, &own);
        others.any(|other| !other.inserts)
    }
}
