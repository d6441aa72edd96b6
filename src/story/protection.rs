//! What protects a sequence, in words.

use crate::dialect::Dialect;
use crate::event::{Event, EventId};
use crate::finding::Protected;
use crate::protect::Protection;
use crate::race::scene::Scene;
use crate::race::{Sequence, common};
use crate::span::Span;
use crate::story::{holder, words};

/// A sequence that was judged safe, as it is told; none when one of its events is gone.
pub fn protected(scene: &Scene<'_, '_>, sequence: &Sequence, protection: &Protection) -> Option<Protected> {
    let (read, write) = (scene.event(sequence.read)?, scene.event(sequence.write)?);
    let holder = holder(scene.flow, read, common(read, write));
    Some(Protected {
        write: write.span,
        read: read.span,
        function: scene.ev.program.path_of(holder),
        table: words::table(write).to_owned(),
        by: sentence(scene, protection, write),
        at: place(scene, protection),
    })
}

/// What protects; one sentence, lower case, no full stop.
pub fn sentence(scene: &Scene<'_, '_>, protection: &Protection, write: &Event) -> String {
    match protection {
        Protection::Isolation(level) => format!(
            "{} at {} lets only one of two transactions that read and write the same rows commit",
            write.dialect.name(),
            level.name()
        ),
        Protection::SingleWriter if write.dialect == Dialect::Sqlite => {
            "SQLite lets one transaction write at a time, and read and write stand in one".to_owned()
        }
        Protection::SingleWriter => "one transaction writes at a time, and read and write stand in one".to_owned(),
        Protection::RowLock(at) => match strength(scene, *at) {
            Some(strength) => {
                format!("the read locks its rows with FOR {strength}, and the lock holds until the commit")
            }
            None => "the read locks its rows, and the lock holds until the commit".to_owned(),
        },
        Protection::EarlierLock(at) => match table(scene, *at) {
            Some(table) => format!("a row of {table} is locked before the read, so that requests come one by one"),
            None => "a row is locked before the read, so that requests come one by one".to_owned(),
        },
        Protection::AdvisoryLock(_) => "an advisory lock is held from before the read until after the write".to_owned(),
        Protection::TableLock(_) => "the table is locked before the read, and nobody else writes it".to_owned(),
        Protection::Guard => "the write repeats the check in its own WHERE, and its outcome is looked at".to_owned(),
        Protection::CompareAndSet => {
            "the write changes the row only while it still holds what was read, and its outcome is looked at".to_owned()
        }
        Protection::Claimed => {
            "the statement that finds the row also takes it, so that the next request finds another".to_owned()
        }
        Protection::UniqueKey(columns) => {
            format!("a unique key on ({}) refuses the second row", columns.join(", "))
        }
        Protection::UniqueKeyInTransaction(_) => {
            "a unique key refuses a second row later in the same transaction, and all of it is rolled back".to_owned()
        }
        Protection::Check(name) if name.is_empty() => {
            "a CHECK of the table refuses what the second request would leave".to_owned()
        }
        Protection::Check(name) => format!("the CHECK {name} refuses what the second request would leave"),
        Protection::ForeignKey => "a foreign key refuses the write once the row that was read is gone".to_owned(),
        Protection::Rechecked(_) => "a later statement looks again, with a lock or a guard, and decides".to_owned(),
        Protection::MovedOn(_) => {
            "an earlier write, itself protected, marks the row so that the next request does not find it or is turned away"
                .to_owned()
        }
        Protection::OwnRow => "no second request asks for this key: it was made here".to_owned(),
        Protection::NoRival => "no statement of the program changes what decides".to_owned(),
        Protection::Idempotent => {
            "nothing is lost when two requests do it: what was read decides nothing that the other \
                                   one spoils"
                .to_owned()
        }
        Protection::InProcess => "one lock inside the process is held from the read to the write".to_owned(),
    }
}

/// Where the protection stands, when that is a statement of its own.
fn place(scene: &Scene<'_, '_>, protection: &Protection) -> Option<Span> {
    let event = match protection {
        Protection::RowLock(at)
        | Protection::EarlierLock(at)
        | Protection::AdvisoryLock(at)
        | Protection::TableLock(at)
        | Protection::UniqueKeyInTransaction(at)
        | Protection::Rechecked(at)
        | Protection::MovedOn(at) => *at,
        _ => return None,
    };
    scene.event(event).map(|event| event.span)
}

fn strength(scene: &Scene<'_, '_>, at: EventId) -> Option<&'static str> {
    let access = scene.access(at)?;
    let lock = access.statement.accesses.iter().find_map(|access| access.lock.as_ref())?;
    Some(words::strength(lock.strength))
}

fn table<'s>(scene: &Scene<'s, '_>, at: EventId) -> Option<&'s str> {
    scene.event(at).map(words::table).filter(|table| !table.is_empty())
}
