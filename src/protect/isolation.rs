//! The isolation table: engine × level × shape.
//!
//! Sources: PostgreSQL manual 13.2 "Transaction Isolation" (REPEATABLE READ: first updater wins; SERIALIZABLE: predicate
//! locks); MySQL manual 15.7.2.1 "Transaction Isolation Levels" (a plain SELECT at REPEATABLE READ is a consistent read,
//! at SERIALIZABLE a locking one); SQLite "Isolation in SQLite" and "Write-Ahead Logging" (SQLITE_BUSY_SNAPSHOT); the
//! Hermitage tests of Martin Kleppmann. Each entry was also run on PostgreSQL 15, MariaDB 10.11 and SQLite 3.40.

use crate::dialect::{Dialect, Isolation};
use crate::protect::{Protection, Shape, WhyNot};
use crate::race::Sequence;
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::transaction::{self, Transaction};
use crate::sql::statement::BeginMode;

/// Whether a level of an engine keeps a sequence of a shape safe when read and write are in one transaction.
pub fn holds(dialect: Dialect, level: Isolation, shape: Shape) -> bool {
    use Isolation::{ReadCommitted, ReadUncommitted, RepeatableRead, Serializable, Snapshot};
    match (dialect, level, shape) {
        // One writer; the write of a stale reader fails with SQLITE_BUSY_SNAPSHOT. Whatever the level is called.
        (Dialect::Sqlite, _, _) => true,
        // 40001 for the second writer.
        (Dialect::Postgres | Dialect::Cockroach, RepeatableRead | Snapshot, Shape::SameRow) => true,
        (Dialect::Postgres | Dialect::Cockroach, RepeatableRead | Snapshot, Shape::OtherRow | Shape::Phantom) => false,
        (Dialect::Postgres | Dialect::Cockroach | Dialect::MySql | Dialect::MsSql, Serializable, _) => true,
        // The snapshot is read, the newest row is written: a lost update.
        (Dialect::MySql, RepeatableRead | Snapshot, _) => false,
        (Dialect::MsSql, RepeatableRead, Shape::SameRow | Shape::OtherRow) => true,
        (Dialect::MsSql, Snapshot, Shape::SameRow) => true,
        (Dialect::MsSql, RepeatableRead | Snapshot, _) => false,
        (_, ReadUncommitted | ReadCommitted, _) => false,
    }
}

/// Whether an insert fails on a row that the read did not see, though its clause passes over rows that are there, or writes
/// over them: both see one snapshot, and 40001 is raised for a row that lies outside of it.
///
/// Source: PostgreSQL manual 13.2.1 (an insertion does not proceed "due to the outcome of another transaction whose effects
/// are not visible to the INSERT snapshot" only in Read Committed mode); DO NOTHING and DO UPDATE were run on PostgreSQL 15
/// at each level, with the other row committed before the insert and during it.
pub(super) fn refuses_unseen(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(read), Some(write)) = (scene.event(sequence.read), scene.event(sequence.write)) else { return false };
    let (reader, writer) = (transaction::of(scene, read), transaction::of(scene, write));
    let one = reader.zip(writer).filter(|(reader, writer)| reader.is_same(writer));
    let of_snapshot =
        |level| matches!(level, Isolation::RepeatableRead | Isolation::Snapshot | Isolation::Serializable);
    write.dialect == Dialect::Postgres && one.is_some_and(|(_, writer)| of_snapshot(writer.level))
}

pub(super) fn protects(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    shape: Shape,
    tried: &mut Vec<WhyNot>,
) -> Option<Protection> {
    let (read, write) = (scene.event(sequence.read)?, scene.event(sequence.write)?);
    let (Some(reader), Some(writer)) = (transaction::of(scene, read), transaction::of(scene, write)) else {
        match transaction::of(scene, write) {
            None if transaction::maybe(scene, write).is_some() => tried.push(WhyNot::NoneInSight),
            None => tried.push(WhyNot::Autocommit),
            Some(writer) if is_read_under(scene, sequence, &writer) => return Some(Protection::SingleWriter),
            Some(writer) => read_beside(scene, sequence, &writer, tried),
        }
        return None;
    };
    if !reader.is_same(&writer) {
        return None;
    }
    if !holds(write.dialect, writer.level, shape) {
        tried.push(WhyNot::WeakIsolation(writer.level));
        return None;
    }
    Some(if write.dialect == Dialect::Sqlite { Protection::SingleWriter } else { Protection::Isolation(writer.level) })
}

/// SQLite: the transaction that writes took the write lock before the read, which goes another way and sees what was committed
/// last. Nobody else writes until it ends.
///
/// Source: SQLite, "File Locking And Concurrency" and "BEGIN TRANSACTION" (IMMEDIATE starts a write at once, without waiting
/// for a write statement; one writer at a time in each journal mode).
fn is_read_under(scene: &Scene<'_, '_>, sequence: &Sequence, writer: &Transaction) -> bool {
    let of_sqlite = |id| scene.event(id).is_some_and(|event| event.dialect == Dialect::Sqlite);
    let immediate = matches!(writer.mode, BeginMode::Immediate | BeginMode::Exclusive);
    let begun = writer.begin.is_some_and(|begin| scene.place(begin) < scene.place(sequence.read));
    let read_alone = scene.event(sequence.read).is_some_and(|read| transaction::maybe(scene, read).is_none());
    immediate && begun && read_alone && of_sqlite(sequence.read) && of_sqlite(sequence.write)
}

/// The write runs in a transaction, and the deciding read does not.
fn read_beside(scene: &Scene<'_, '_>, sequence: &Sequence, writer: &Transaction, tried: &mut Vec<WhyNot>) {
    let Some(begin) = writer.begin else { return };
    if scene.place(begin) < scene.place(sequence.read) {
        tried.push(WhyNot::ReadBeside(begin));
    } else if matches!(writer.mode, BeginMode::Immediate | BeginMode::Exclusive) {
        // The write lock is there, taken too late.
        tried.push(WhyNot::LockAfterRead(begin));
    }
}

/// SQLite: the write lock is held from before the read, by BEGIN IMMEDIATE or by an earlier write in the transaction.
pub(super) fn holds_write_lock(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    let read = scene.event(sequence.read)?;
    let write = scene.event(sequence.write)?;
    let (reader, writer) = (transaction::of(scene, read)?, transaction::of(scene, write)?);
    if read.dialect != Dialect::Sqlite || !reader.is_same(&writer) {
        return None;
    }
    let immediate = matches!(reader.mode, BeginMode::Immediate | BeginMode::Exclusive);
    let wrote = scene
        .before_of(Kind::Write, read.id)
        .any(|event| transaction::of(scene, event).is_some_and(|tx| tx.is_same(&reader)));
    (immediate || wrote).then_some(Protection::SingleWriter)
}
