//! Sequences to verdicts: what protects, and why what stands there does not.
//!
//! Each protection is a file of its own; [`judge`] asks them in an order that goes from what the engine guarantees to what
//! the program as a whole happens not to do. `Safe` always names its protection: it is never a default.

pub mod advisory;
mod bounds;
mod claim;
pub mod constraint;
mod digest;
mod fence;
pub mod guard;
pub mod idempotent;
pub mod isolation;
mod letters;
pub mod lock;
pub mod meant;
pub mod merges;
mod next_key;
mod own;
pub mod process;
mod put_again;
pub mod recheck;
pub mod rival;
mod uncovered;

use crate::dialect::Isolation;
use crate::event::EventId;
use crate::lower::tree::Name;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency};
use crate::span::Span;
use crate::sql::statement::{Action, Strength};

/// The verdict on one sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Safe(Protection),
    Racy { tried: Vec<WhyNot> },
}

/// What keeps a second request out, or makes the write notice.
#[derive(Clone, Debug, PartialEq)]
pub enum Protection {
    /// The isolation level of the transaction that holds both.
    Isolation(Isolation),
    /// SQLite: both in one transaction, which has one writer.
    SingleWriter,
    /// The read itself locks the row.
    RowLock(EventId),
    /// A row that every path locks first: a parent, an owner, the row itself.
    EarlierLock(EventId),
    AdvisoryLock(EventId),
    TableLock(EventId),
    /// The write's condition repeats what was checked, and its outcome is looked at.
    Guard,
    /// The write's condition holds the value, version or status that was read.
    CompareAndSet,
    /// The statement that read the row took it.
    Claimed,
    /// A unique key refuses the second row.
    UniqueKey(Vec<Name>),
    /// A unique key refuses a second row later in the same transaction, and all is rolled back.
    UniqueKeyInTransaction(EventId),
    Check(String),
    ForeignKey,
    /// A later locked or guarded look decides.
    Rechecked(EventId),
    /// An earlier write, itself protected, takes the row out of what is looked for.
    MovedOn(EventId),
    /// The key that was asked for was made by this request.
    OwnRow,
    /// No statement of the program changes what was checked.
    NoRival,
    /// What was read decides nothing that a second request could spoil.
    Idempotent,
    /// One guard of an in-process lock is held over both.
    InProcess,
}

/// A protection that stands there, or might, and does not hold.
#[derive(Clone, Debug, PartialEq)]
pub enum WhyNot {
    Autocommit,
    /// Nobody knows what the statements are sent to, so that it may be a transaction.
    NoneInSight,
    WeakIsolation(Isolation),
    /// A lock sent in autocommit ends with its statement.
    LockInAutocommit(EventId),
    LockTooWeak(EventId, Strength),
    LockAfterRead(EventId),
    /// The transaction that held the lock ended before the write.
    LockEnded(EventId),
    /// The lock was taken in a savepoint that was rolled back.
    LockRolledBack(EventId),
    /// The locking read went to another connection than the transaction.
    LockElsewhere(EventId),
    /// FOR UPDATE locks rows that exist; the new one is not there yet.
    LockOnAbsentRow(EventId),
    /// The snapshot is older than the lock.
    LockKeepsSnapshot(EventId),
    /// Locked and counted in one statement.
    LockInCountingStatement(EventId),
    LockElsewhereRow(EventId),
    TryLockIgnored(EventId),
    /// The lock is held by whichever connection the pool gave for it.
    LockOfPool(EventId),
    /// A named lock that two requests can hold at once.
    LockShared(EventId),
    LockReleasedEarly(EventId),
    TableLockTooWeak(EventId),
    /// Others take the row again while its holder works on, and the write does not say whose claim it belongs to.
    ClaimRunsOut,
    HalfGuard(Vec<Name>),
    /// The write still finds the row that another request has taken.
    StillFits,
    OutcomeUnread,
    /// The guard bounds the column, but the value written was computed from an old read.
    GuardOnAbsoluteValue,
    NoUniqueKey(Vec<Name>),
    /// Two columns are asked for in both orders, and a key takes the other order for another row.
    OneOrder(Vec<Name>),
    /// A column is asked for without regard to case, and the key takes another spelling for another row.
    OneCase(Vec<Name>),
    ConflictOverwrites,
    /// The lock is of one process only.
    OneProcess,
    /// The guard of the lock that is taken there was dropped before the write.
    GuardDropped(Span),
    /// Each request makes the lock that is taken there anew.
    LockPerRequest(Span),
    /// A transaction is open, and the deciding read goes past it.
    ReadBeside(EventId),
}

impl WhyNot {
    /// The lock that does not hold, when that is the reason.
    pub fn lost_lock(&self) -> Option<EventId> {
        match self {
            Self::LockInAutocommit(at)
            | Self::LockTooWeak(at, _)
            | Self::LockAfterRead(at)
            | Self::LockEnded(at)
            | Self::LockRolledBack(at)
            | Self::LockElsewhere(at)
            | Self::LockOnAbsentRow(at)
            | Self::LockKeepsSnapshot(at)
            | Self::LockInCountingStatement(at)
            | Self::LockElsewhereRow(at)
            | Self::TryLockIgnored(at)
            | Self::LockOfPool(at)
            | Self::LockShared(at)
            | Self::LockReleasedEarly(at)
            | Self::ReadBeside(at)
            | Self::TableLockTooWeak(at) => Some(*at),
            _ => None,
        }
    }

    /// Where the lock inside the process is taken that does not hold, when that is the reason.
    pub fn lost_guard(&self) -> Option<Span> {
        match self {
            Self::GuardDropped(at) | Self::LockPerRequest(at) => Some(*at),
            _ => None,
        }
    }
}

/// What kind of conflict two requests have: engines protect some and not others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Both read and write one row.
    SameRow,
    /// One row is checked, another is written.
    OtherRow,
    /// Absence, a count or a sum is checked: the conflict is a row that is not there yet.
    Phantom,
}

/// Judges one sequence.
pub fn judge(scene: &Scene<'_, '_>, sequence: &Sequence) -> Verdict {
    let mut tried = Vec::new();
    let shape = shape(scene, sequence);
    let by_engine = isolation::protects(scene, sequence, shape, &mut tried)
        .or_else(|| lock::protects(scene, sequence, shape, &mut tried))
        .or_else(|| claim::protects(scene, sequence, &mut tried));
    if let Some(protection) = by_engine {
        return Verdict::Safe(protection);
    }
    let by_write = own::protects(scene, sequence)
        .or_else(|| merges::protects(scene, sequence))
        .or_else(|| guard::protects(scene, sequence, &mut tried))
        .or_else(|| constraint::protects(scene, sequence, &mut tried))
        .or_else(|| fence::protects(scene, sequence))
        .or_else(|| recheck::protects(scene, sequence))
        .or_else(|| rival::protects(scene, sequence))
        .or_else(|| idempotent::protects(scene, sequence))
        .or_else(|| process::protects(scene, sequence, &mut tried));
    match by_write {
        Some(protection) => Verdict::Safe(protection),
        None => Verdict::Racy { tried },
    }
}

/// Judges what only the engine keeps a second request from, such as a row that is counted after it was inserted.
pub fn by_engine(scene: &Scene<'_, '_>, sequence: &Sequence, shape: Shape) -> Verdict {
    let mut tried = Vec::new();
    let found = isolation::protects(scene, sequence, shape, &mut tried)
        .or_else(|| lock::protects(scene, sequence, shape, &mut tried));
    match found {
        Some(protection) => Verdict::Safe(protection),
        None => Verdict::Racy { tried },
    }
}

/// Judges only what keeps a second request out while this one works: locks and SQLite's single writer. Guards, keys and
/// isolation levels notice too late for what has left the process.
pub fn excludes(scene: &Scene<'_, '_>, sequence: &Sequence) -> Verdict {
    let mut tried = Vec::new();
    let shape = shape(scene, sequence);
    let found = lock::protects(scene, sequence, shape, &mut tried)
        .filter(|protection| !matches!(protection, Protection::RowLock(at) if lock::is_shared(scene, *at)))
        .or_else(|| claim::protects(scene, sequence, &mut tried))
        .or_else(|| process::protects(scene, sequence, &mut tried))
        .or_else(|| isolation::holds_write_lock(scene, sequence));
    match found {
        Some(protection) => Verdict::Safe(protection),
        None => Verdict::Racy { tried },
    }
}

/// The kind of conflict, from the relation of the rows and what was looked at.
pub fn shape(scene: &Scene<'_, '_>, sequence: &Sequence) -> Shape {
    let inserts = scene
        .access(sequence.write)
        .and_then(|access| access.statement.target())
        .is_some_and(|target| target.action == Action::Insert && target.conflict.is_none());
    match sequence.relation {
        Relation::SameRow | Relation::LikelySameRow => Shape::SameRow,
        Relation::NewRowOfSet if !inserts && !dependency::only_existence(sequence) => Shape::SameRow,
        Relation::NewRowOfSet => Shape::Phantom,
        Relation::RowOfSet => Shape::Phantom,
        Relation::Linked | Relation::Other => {
            let phantom = sequence.checks.iter().any(|check| check.looks_at == LooksAt::Aggregate);
            if phantom { Shape::Phantom } else { Shape::OtherRow }
        }
    }
}
