//! Rows that are counted after one was added.

use crate::event::{CondKind, Event, EventKind};
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, transaction};
use crate::sql::statement::{Action, Aggregate};

/// A row that is inserted first and counted afterwards: neither of two transactions sees the other's row before it commits.
///
/// Source: PostgreSQL manual 13.2.1, and run on PostgreSQL 15 in all interleavings.
pub fn afterwards(scene: &Scene<'_, '_>, write: &Event) -> Option<Sequence> {
    let inserted = write.access()?;
    let target = inserted.statement.target()?;
    if target.action != Action::Insert {
        return None;
    }
    let open = transaction::of(scene, write)?;
    let later = scene.after(write.id).take_while(|event| !matches!(event.kind, EventKind::Commit));
    later.into_iter().find_map(|event| {
        let read = event.access()?;
        transaction::of(scene, event).filter(|within| within.is_same(&open))?;
        let read_access = read.statement.accesses.iter().position(|access| {
            matches!(access.aggregate, Some(Aggregate::Count | Aggregate::Sum))
                && rows::adds_to(scene, (read, access), (inserted, target))
        })?;
        let cond = scene
            .flow
            .conds
            .iter()
            .copied()
            .filter(|cond| scene.ev.cond(*cond).kind == CondKind::Test)
            .find(|cond| scene.origins(scene.ev.cond(*cond).term).iter().any(|origin| origin.event == event.id))?;
        Some(Sequence {
            checks: vec![Check { cond: Some(cond), looks_at: LooksAt::Aggregate }],
            ..Sequence::of(event.id, write.id, read_access, Relation::NewRowOfSet)
        })
    })
}
