//! A whole table is locked where a row would do.

use crate::event::{Event, EventKind};
use crate::finding::Confidence;
use crate::race::scene::Scene;
use crate::sql::statement::{Action, Compare, LockAct, Operand, TableLock, Verb};

pub const ID: &str = "table-lock";

/// What a statement locks that is too much, as a clause.
pub fn claims(scene: &Scene<'_, '_>, event: &Event) -> Option<(Confidence, &'static str)> {
    let access = event.access()?;
    let statement = &access.statement;
    if let Verb::LockTables(tables) = &statement.verb {
        let blocks =
            tables.iter().any(|(_, mode)| !matches!(mode, TableLock::BlocksNoWriter | TableLock::BlocksItself));
        return (blocks && keyed_write_follows(scene, event))
            .then_some((Confidence::High, "every writer of the table waits, whatever row it wants"));
    }
    let locked = statement.accesses.iter().find(|access| access.lock.is_some());
    if let Some(locked) = locked
        && statement.verb == Verb::Select
        && locked.filter.is_empty()
        && locked.limit.is_none()
        && keyed_write_follows(scene, event)
    {
        return Some((Confidence::Medium, "without a condition FOR UPDATE locks every row of the table"));
    }
    let constant = statement.lock_calls().any(|call| {
        matches!(call.act, LockAct::Take)
            && !call.key.is_empty()
            && call.key.iter().all(|key| is_constant(scene, access, key))
    });
    (constant && keyed_write_follows(scene, event))
        .then_some((Confidence::Medium, "the lock's key is a constant: all requests wait for one another"))
}

fn is_constant(scene: &Scene<'_, '_>, access: &crate::event::Access, key: &Operand) -> bool {
    match key {
        Operand::Literal(_) => true,
        Operand::Expr { parts, .. } => parts.iter().all(|part| is_constant(scene, access, part)),
        _ => scene
            .term_of(access, key)
            .is_some_and(|term| matches!(scene.ev.terms.get(term), crate::flow::term::Term::Literal(_))),
    }
}

/// A write of single rows, by key, that the lock is meant for.
fn keyed_write_follows(scene: &Scene<'_, '_>, event: &Event) -> bool {
    scene.after(event.id).any(|later| {
        let EventKind::Access(access) = &later.kind else { return false };
        access.statement.target().is_some_and(|target| {
            let by_key = target.filter.iter().any(|p| {
                matches!(p.op, Compare::Eq | Compare::In) && !matches!(p.value, Operand::Literal(_) | Operand::Null)
            });
            by_key || target.action == Action::Insert
        })
    })
}
