//! Row locks and table locks: which hold from the deciding read to the write's commit.
//!
//! Sources: PostgreSQL manual 13.3 "Explicit Locking"; MySQL manual 15.7.2.4 "Locking Reads" and 15.7.3 "Locks Set by
//! Different SQL Statements". Each case was also run on PostgreSQL 15 and MariaDB 10.11.

use crate::dialect::{Dialect, Isolation};
use crate::event::{Access, CondId, CondKind, Event, EventId, EventKind};
use crate::flow::term::{Part, Term, TermId};
use crate::lower::tree::Name;
use crate::protect::{Protection, Shape, Verdict, WhyNot, advisory, claim};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::transaction::{self, Transaction};
use crate::race::{LooksAt, Sequence, rows};
use crate::sql::statement::{
    Access as TableAccess, Action, Compare, Operand, Place, RowLock, Strength, TableLock, Verb, Wait,
};

pub(super) fn protects(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    shape: Shape,
    tried: &mut Vec<WhyNot>,
) -> Option<Protection> {
    own_lock(scene, sequence, shape, tried)
        .or_else(|| earlier_lock(scene, sequence, shape, tried))
        .or_else(|| advisory::protects(scene, sequence, shape, tried))
        .or_else(|| table_lock(scene, sequence, tried))
}

/// Whether a locking read lets others hold the same lock.
pub(super) fn is_shared(scene: &Scene<'_, '_>, at: EventId) -> bool {
    scene
        .access(at)
        .and_then(|access| access.statement.accesses.iter().find_map(|a| a.lock.as_ref()))
        .is_some_and(|lock| lock.strength <= Strength::Share)
}

fn lock_of(read: &Access, place: usize) -> Option<&RowLock> {
    read.statement.accesses.get(place)?.lock.as_ref()
}

/// The read locks what it reads.
fn own_lock(scene: &Scene<'_, '_>, sequence: &Sequence, shape: Shape, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let read = scene.event(sequence.read)?;
    let write = scene.event(sequence.write)?;
    let access = read.access()?;
    // The lock of a claim is for its own statement.
    let mut lost = |why: WhyNot| {
        tried.extend((!claim::is_claim(access, sequence.read_access)).then_some(why));
        None
    };
    let Some(lock) = lock_of(access, sequence.read_access) else {
        // Another table of the statement is locked, not the one that decides.
        if access.statement.accesses.iter().all(|access| access.lock.is_none()) {
            return None;
        }
        let aggregate = access.statement.accesses.get(sequence.read_access).is_some_and(|a| a.place == Place::InSelect);
        return lost(if aggregate {
            WhyNot::LockInCountingStatement(read.id)
        } else {
            WhyNot::LockElsewhereRow(read.id)
        });
    };
    let counts_in_statement = sequence.checks_aggregate()
        || access.statement.output.iter().any(|output| output.aggregate.is_some()) && shape == Shape::Phantom;
    let Some(reader) = transaction::maybe(scene, read) else {
        let elsewhere = transaction::maybe(scene, write).is_some();
        return lost(if elsewhere { WhyNot::LockElsewhere(read.id) } else { WhyNot::LockInAutocommit(read.id) });
    };
    let writer = transaction::maybe(scene, write);
    if !writer.is_some_and(|writer| writer.is_same(&reader)) {
        return lost(if writer.is_some() { WhyNot::LockElsewhere(read.id) } else { WhyNot::LockEnded(read.id) });
    }
    if rolled_back(scene, &reader, sequence) {
        tried.push(WhyNot::LockRolledBack(read.id));
        return None;
    }
    if lock.strength == Strength::KeyShare {
        tried.push(WhyNot::LockTooWeak(read.id, lock.strength));
        return None;
    }
    match shape {
        Shape::SameRow | Shape::OtherRow => Some(Protection::RowLock(read.id)),
        Shape::Phantom => {
            let gaps = read.dialect == Dialect::MySql && reader.level >= Isolation::RepeatableRead;
            if gaps {
                return Some(Protection::RowLock(read.id));
            }
            // Locked rows cannot change, and a write of one of them adds none.
            let inserts = write.does(Action::Insert);
            let has_subquery = access.statement.accesses.iter().any(|a| a.place == Place::InSelect);
            if !inserts && !has_subquery && sequence.relation == rows::Relation::RowOfSet {
                return Some(Protection::RowLock(read.id));
            }
            tried.push(if has_subquery && counts_in_statement {
                WhyNot::LockInCountingStatement(read.id)
            } else {
                WhyNot::LockOnAbsentRow(read.id)
            });
            None
        }
    }
}

/// The savepoint in which the read locked was rolled back before the write.
fn rolled_back(scene: &Scene<'_, '_>, reader: &Transaction, sequence: &Sequence) -> bool {
    let by_handle = reader.inner != reader.handle
        && scene
            .between_of(Kind::Step, sequence.read, sequence.write)
            .any(|event| matches!(event.kind, EventKind::Rollback) && event.on == Some(reader.inner));
    let by_name = scene.between_of(Kind::Lock, sequence.read, sequence.write).find_map(|event| {
        match &event.access()?.statement.verb {
            Verb::RollbackTo(name) => Some(name.clone()),
            _ => None,
        }
    });
    let since = by_name.is_some_and(|name| {
        scene
            .before_of(Kind::Lock, sequence.read)
            .any(|event| event.access().is_some_and(|access| access.statement.verb == Verb::Savepoint(name.clone())))
    });
    by_handle || since
}

/// A row that was locked, or written, before the deciding read in the same transaction.
fn earlier_lock(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    shape: Shape,
    tried: &mut Vec<WhyNot>,
) -> Option<Protection> {
    let read = scene.event(sequence.read)?;
    let write = scene.event(sequence.write)?;
    let writer = transaction::maybe(scene, write)?;
    let deciding = read.access()?;
    let mut found = None;
    for event in scene.before_of(Kind::Holder, write.id) {
        if event.id == read.id {
            continue;
        }
        let Some(access) = event.access() else { continue };
        let Some((locked, strength)) = locking(access) else { continue };
        let relation = lock_relation(scene, sequence, (event, access, locked), (deciding, write));
        let Some(relation) = relation else {
            // A row that is locked and read for what stands in it was locked for its own sake.
            let meant = || !scene.result_used(event.id) && scene.place(event.id) < scene.place(read.id);
            if strength.is_some()
                && (is_of_its_tables(sequence, locked, (deciding, write)) || meant())
                && !serves_another(scene, write, event)
            {
                found = found.or(Some(WhyNot::LockElsewhereRow(event.id)));
            }
            continue;
        };
        let holder = transaction::maybe(scene, event);
        // FOR KEY SHARE keeps a row there for a foreign key, and nobody away.
        let keeps_away = strength.is_some_and(|strength| strength > Strength::KeyShare);
        let Some(holder) = holder else {
            if keeps_away {
                tried.push(WhyNot::LockInAutocommit(event.id));
            }
            continue;
        };
        if !holder.is_same(&writer) {
            if keeps_away {
                tried.push(WhyNot::LockEnded(event.id));
            }
            continue;
        }
        let before = scene.place(event.id) < scene.place(read.id);
        if !before {
            if strength.is_some() && relation == Locked::ReadRow && !serves_another(scene, write, event) {
                tried.push(WhyNot::LockAfterRead(event.id));
            }
            continue;
        }
        if is_passed_by(scene, event, write) {
            continue;
        }
        // An UPDATE or DELETE that finds no row locks none.
        let gaps = event.dialect == Dialect::MySql && writer.level >= Isolation::RepeatableRead;
        let may_miss = strength.is_none() && shape == Shape::Phantom && relation == Locked::ReadRow && !gaps;
        if may_miss && !is_met(scene, event, write) {
            continue;
        }
        match holds(scene, event, &writer, strength, shape, relation, read) {
            Ok(()) => return Some(Protection::EarlierLock(event.id)),
            Err(why) => tried.push(why),
        }
    }
    if let Some(why) = found
        && tried.iter().all(|why| why.lost_lock().is_none())
        && transaction::of(scene, read).is_some()
    {
        tried.push(why);
    }
    None
}

/// Whether some run comes to the write and not to a lock before it: who takes it decides by what the write does not hang on.
pub(super) fn is_passed_by(scene: &Scene<'_, '_>, lock: &Event, write: &Event) -> bool {
    let known = scene.conditions(&write.deps);
    let locked = lock.access().and_then(locking).map(|(locked, _)| &locked.table.name);
    // Where there is no such row, there is nothing to lock either.
    let asks_for_it = |term: TermId| {
        let Some(Term::Row(read)) = scene.ev.terms.asked_to_be_there(term) else { return false };
        let read = scene.access(*read).map(|read| &*read.statement);
        read.is_some_and(|read| read.accesses.iter().any(|one| Some(&one.table.name) == locked))
    };
    let apart = |cond: &CondId| {
        let decided = scene.ev.cond(*cond);
        if asks_for_it(decided.term) {
            return false;
        }
        let Some(by) = decided.decides.filter(|_| decided.kind == CondKind::Test && !known.contains(cond)) else {
            return false;
        };
        let led = |event: &Event| event.path.arms_of(by.branch);
        led(lock).is_some_and(|arms| led(write).is_none_or(|taken| taken & !arms != 0))
    };
    scene.conditions(&lock.deps).iter().any(apart)
}

/// Whether a lock does its work for another read that decides the same write, such as a count that is taken under it.
pub(super) fn serves_another(scene: &Scene<'_, '_>, write: &Event, lock: &Event) -> bool {
    scene.sequences(write).iter().any(|other| {
        scene.place(other.read) > scene.place(lock.id)
            && match scene.verdict(other) {
                Verdict::Safe(Protection::EarlierLock(by) | Protection::AdvisoryLock(by)) => by == lock.id,
                _ => false,
            }
    })
}

/// Whether a lock is on the table that is read, or on the one that is written.
fn is_of_its_tables(sequence: &Sequence, locked: &TableAccess, (deciding, write): (&Access, &Event)) -> bool {
    let read = deciding.statement.accesses.get(sequence.read_access);
    let target = write.target();
    [read, target].into_iter().flatten().any(|own| own.table.name == locked.table.name)
}

/// What an earlier lock is on, seen from the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Locked {
    /// The row that the deciding read reads.
    ReadRow,
    /// A row whose key the deciding read filters by: its parent, its owner.
    Parent,
    /// The row that is written.
    WrittenRow,
}

/// The row a statement locks, with the strength where a SELECT asks for it; none for the lock every UPDATE takes.
fn locking(access: &Access) -> Option<(&TableAccess, Option<Strength>)> {
    let statement = &access.statement;
    if let Some(locked) = statement.accesses.iter().find(|access| access.lock.is_some()) {
        return locked.lock.as_ref().map(|lock| (locked, Some(lock.strength)));
    }
    let target = statement.target()?;
    let inserts = target.action == Action::Insert && target.conflict.is_none();
    (!inserts).then_some((target, None))
}

fn lock_relation(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    (event, access, locked): (&Event, &Access, &TableAccess),
    (deciding, write): (&Access, &Event),
) -> Option<Locked> {
    let read = deciding.statement.accesses.get(sequence.read_access)?;
    let same = |other: &Access, table: &TableAccess| {
        if table.table.name != locked.table.name {
            return false;
        }
        let (agree, contradict) = rows::compare_keys(scene, (other, table), (access, locked));
        let asked = |column: &Name, value: &Operand| {
            table.equals(column).is_some_and(|known| scene.same_value((other, known), (access, value)) != Some(false))
        };
        agree && !contradict && is_fixed(scene, (access, locked), asked)
    };
    if same(deciding, read) {
        return Some(Locked::ReadRow);
    }
    let target = write.target()?;
    if same(write.access()?, target) && target.action != Action::Insert && sequence.relation == rows::Relation::SameRow
    {
        return Some(Locked::WrittenRow);
    }
    // The lock's key value finds the rows that decide.
    let values = |value: &Operand| {
        let mut terms = scene.terms_in(access, value);
        terms.retain(|term| !matches!(scene.ev.terms.get(*term), Term::Literal(_)));
        terms
    };
    let equal = locked.filter.iter().filter(|p| p.op == Compare::Eq);
    let keys: Vec<TermId> = equal.flat_map(|p| values(&p.value)).collect();
    let from_locked = |term: TermId| {
        let named = |part: &Part| !is_of_many(scene, (access, locked), part);
        scene.origins(term).iter().any(|origin| origin.event == event.id && !origin.computed && named(&origin.part))
    };
    // What the rows are joined with decides as well which of them are read.
    let filters = deciding.statement.accesses.iter().flat_map(|access| &access.filter);
    let asked: Vec<TermId> = filters.flat_map(|p| scene.terms_in(deciding, &p.value)).collect();
    // Who asks for the lock of another table's row means to keep others away by it.
    let meant = locked.lock.is_some() && locked.table.name != read.table.name;
    let among = |_: &Name, value: &Operand| values(value).iter().any(|term| asked.contains(term));
    let by_key = asked.iter().any(|term| from_locked(*term))
        || asked.iter().any(|term| keys.contains(term)) && (meant || is_fixed(scene, (access, locked), among));
    if by_key && locked.table.name != read.table.name {
        return Some(Locked::Parent);
    }
    // A lock on another row of the table under the same key column, such as all children of one parent.
    (by_key && locked.table.name == read.table.name).then_some(Locked::ReadRow)
}

/// Whether what another statement asks for fixes which rows a lock is on, so that whoever asks for the same waits for the
/// same lock: it has all values by which the lock finds its rows, or those of a key. `DELETE … WHERE shop = $1 AND name = $2`
/// keeps nobody away who looks for a place of that shop under another name.
fn is_fixed(
    scene: &Scene<'_, '_>,
    (access, locked): (&Access, &TableAccess),
    shares: impl Fn(&Name, &Operand) -> bool,
) -> bool {
    let constant = |value: &Operand| access.constant(&scene.ev.terms, value).is_some();
    let shared = |column: &Name| {
        locked
            .equals(column)
            .is_some_and(|value| constant(value) || value.is_of_another_table() || shares(column, value))
    };
    let mut equal = locked.filter.iter().filter(|p| p.op == Compare::Eq && p.columns.len() == 1);
    let table = scene.schema.table(&locked.table.name);
    equal.all(|p| shared(&p.columns[0])) || table.is_some_and(|table| table.keys().any(|key| key.iter().all(shared)))
}

/// Whether several rows of a locked table may name the same row by a part of what was read with the lock, so that who locks
/// another of them goes on: a column of the table that is no key, or one of what it is joined with and what nobody locks.
fn is_of_many(scene: &Scene<'_, '_>, (access, locked): (&Access, &TableAccess), part: &Part) -> bool {
    let LooksAt::Column(column) = scene.looks_at(&access.statement, part, false) else { return false };
    let of = |one: &TableAccess| {
        let table = scene.schema.table(&one.table.name)?;
        table.columns.iter().any(|def| def.name == column).then_some(table)
    };
    match of(locked).filter(|_| locked.columns.is_empty() || names(locked, &column)) {
        Some(table) => {
            !table.keys_unsaid
                && !table.all_keys().any(|key| key == std::slice::from_ref(&column))
                && locked.equals(&column).is_none_or(Operand::is_of_another_table)
        }
        None => {
            let free = |one: &&TableAccess| one.lock.is_none() && one.action == Action::Read;
            access.statement.accesses.iter().filter(free).any(|one| of(one).is_some() && names(one, &column))
        }
    }
}

/// Whether a statement hands out a column of a table.
fn names(access: &TableAccess, column: &Name) -> bool {
    access.columns.iter().any(|known| known == column || known == "*")
}

fn holds(
    scene: &Scene<'_, '_>,
    lock: &Event,
    tx: &Transaction,
    strength: Option<Strength>,
    shape: Shape,
    relation: Locked,
    read: &Event,
) -> Result<(), WhyNot> {
    if strength == Some(Strength::KeyShare) {
        return Err(WhyNot::LockTooWeak(lock.id, Strength::KeyShare));
    }
    let as_mutex = relation == Locked::Parent || shape == Shape::Phantom;
    if strength == Some(Strength::Share) && as_mutex {
        return Err(WhyNot::LockTooWeak(lock.id, Strength::Share));
    }
    let rows_only = shape == Shape::Phantom && relation == Locked::ReadRow;
    let gaps = lock.dialect == Dialect::MySql && tx.level >= Isolation::RepeatableRead;
    if rows_only && strength.is_some() && !gaps {
        return Err(WhyNot::LockOnAbsentRow(lock.id));
    }
    if relation == Locked::ReadRow && shape == Shape::SameRow {
        // The read after the lock sees the newest row at READ COMMITTED; a snapshot may be older.
        return fresh_after(scene, lock, tx, strength, read);
    }
    fresh_after(scene, lock, tx, strength, read)
}

/// Whether a write only comes after a statement that has found its row: it hangs on what that one gave.
fn is_met(scene: &Scene<'_, '_>, lock: &Event, write: &Event) -> bool {
    let on_it = |cond: &CondId| scene.origins(scene.ev.cond(*cond).term).iter().any(|origin| origin.event == lock.id);
    lock.access().is_some_and(|access| access.row_required) || scene.conditions(&write.deps).iter().any(on_it)
}

/// Whether a plain read after the lock sees what was committed while the lock was waited for.
fn fresh_after(
    scene: &Scene<'_, '_>,
    lock: &Event,
    tx: &Transaction,
    strength: Option<Strength>,
    read: &Event,
) -> Result<(), WhyNot> {
    if tx.level < Isolation::RepeatableRead {
        return Ok(());
    }
    match lock.dialect {
        // The snapshot is taken when the locking statement starts, before it waits; a real write fails with 40001.
        Dialect::Postgres if strength.is_some() && tx.level == Isolation::RepeatableRead => {
            Err(WhyNot::LockKeepsSnapshot(lock.id))
        }
        // FOR UPDATE opens no read view, but an earlier plain SELECT did.
        Dialect::MySql if tx.level == Isolation::RepeatableRead => {
            let locks = read.access().is_some_and(|a| a.statement.accesses.iter().any(|a| a.lock.is_some()));
            if locks || !plain_read_before(scene, lock, tx) { Ok(()) } else { Err(WhyNot::LockKeepsSnapshot(lock.id)) }
        }
        _ => Ok(()),
    }
}

fn plain_read_before(scene: &Scene<'_, '_>, lock: &Event, tx: &Transaction) -> bool {
    scene.before(lock.id).any(|event| {
        let plain = event.access().is_some_and(|access| {
            access.statement.verb == Verb::Select
                && !access.statement.accesses.is_empty()
                && access.statement.accesses.iter().all(|access| access.lock.is_none())
        });
        plain && transaction::maybe(scene, event).is_some_and(|other| other.is_same(tx))
    })
}

/// `LOCK TABLE` before the read.
fn table_lock(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let read = scene.event(sequence.read)?;
    let write = scene.event(sequence.write)?;
    let deciding = read.access()?.statement.accesses.get(sequence.read_access)?;
    let written = write.target()?;
    for event in scene.before_of(Kind::Lock, write.id) {
        let Some(access) = event.access() else { continue };
        let Verb::LockTables(tables) = &access.statement.verb else { continue };
        let Some((_, mode)) = tables
            .iter()
            .find(|(name, _)| *name == deciding.table.name)
            .or_else(|| tables.iter().find(|(name, _)| *name == written.table.name))
        else {
            continue;
        };
        if scene.place(event.id) > scene.place(read.id) {
            tried.push(WhyNot::LockAfterRead(event.id));
            continue;
        }
        if event.dialect == Dialect::MySql {
            // START TRANSACTION silently unlocks.
            let unlocked = scene.between(event.id, write.id).any(|e| {
                matches!(e.kind, EventKind::Begin { .. })
                    || e.access().is_some_and(|access| access.statement.verb == Verb::UnlockTables)
            });
            if unlocked {
                tried.push(WhyNot::LockReleasedEarly(event.id));
                continue;
            }
        } else {
            let (holder, writer) = (transaction::maybe(scene, event), transaction::maybe(scene, write));
            let Some(holder) = holder else {
                tried.push(WhyNot::LockInAutocommit(event.id));
                continue;
            };
            if !writer.is_some_and(|writer| writer.is_same(&holder)) {
                tried.push(WhyNot::LockEnded(event.id));
                continue;
            }
        }
        match mode {
            TableLock::BlocksNoWriter => tried.push(WhyNot::TableLockTooWeak(event.id)),
            // Two holders read, then both wait to write: one fails with a deadlock. Safe, by error.
            TableLock::BlocksWritersShared
            | TableLock::BlocksItself
            | TableLock::BlocksWriters
            | TableLock::BlocksAll => {
                return Some(Protection::TableLock(event.id));
            }
        }
    }
    None
}

/// Whether a locking read passes over rows that others hold.
pub fn skips_locked(access: &Access) -> bool {
    access
        .statement
        .accesses
        .iter()
        .any(|access| access.lock.as_ref().is_some_and(|lock| lock.wait == Wait::SkipLocked))
}
