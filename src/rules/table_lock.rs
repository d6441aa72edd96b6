//! A whole table is locked where a row would do.

use crate::dialect::Dialect;
use crate::event::{Access, Event, EventKind, Guard};
use crate::finding::Confidence;
use crate::flow::term::Term;
use crate::protect::advisory;
use crate::race::scene::Scene;
use crate::sql::statement::{Access as TableAccess, Action, Aggregate, Compare, LockAct, Operand, TableLock, Verb};

pub const ID: &str = "table-lock";

/// The end of what is said of such a lock.
pub const WAITING: &str = " makes requests wait that want other rows";

/// What is said of a lock on a table, or on several.
pub fn message(tables: &str) -> String {
    format!("the lock on {tables}{WAITING}")
}

/// What is locked that is too much, as a clause, and the write that the lock is meant for.
pub fn claims<'a>(scene: &Scene<'a, '_>, event: &Event) -> Option<(Confidence, &'static str, &'a Event)> {
    let (confidence, note) = match &event.kind {
        EventKind::Access(access) => by_statement(scene, access)?,
        EventKind::Locked(guard) => return in_process(scene, event, guard),
        _ => return None,
    };
    let held = |later: &&Event| writes_by_key(later) && advisory::is_held_at(scene, event, later);
    let meant_for = scene.after(event.id).find(held)?;
    if scene.after(event.id).any(is_about_all_rows) || advisory::is_of_another_call(scene, event, meant_for, meant_for)
    {
        return None;
    }
    Some((confidence, note, meant_for))
}

fn by_statement(scene: &Scene<'_, '_>, access: &Access) -> Option<(Confidence, &'static str)> {
    let statement = &access.statement;
    if let Verb::LockTables(tables) = &statement.verb {
        let blocks =
            tables.iter().any(|(_, mode)| !matches!(mode, TableLock::BlocksNoWriter | TableLock::BlocksItself));
        return blocks.then_some((Confidence::High, "every writer of the table waits, whatever row it wants"));
    }
    let locked = statement.accesses.iter().find(|access| access.lock.is_some());
    if let Some(locked) = locked
        && statement.verb == Verb::Select
        && locked.filter.is_empty()
        && locked.limit.is_none()
    {
        return Some((Confidence::Medium, "without a condition FOR UPDATE locks every row of the table"));
    }
    let constant = statement.lock_calls().any(|call| {
        matches!(call.act, LockAct::Take)
            && !call.shared
            && !call.key.is_empty()
            && call.key.iter().all(|key| is_constant(scene, access, key))
    });
    constant.then_some((Confidence::Medium, "the lock's key is a constant: all requests wait for one another"))
}

/// One mutex of the whole process, held over a write of one row.
fn in_process<'a>(
    scene: &Scene<'a, '_>,
    event: &Event,
    guard: &Guard,
) -> Option<(Confidence, &'static str, &'a Event)> {
    // A static or a field holds one lock for all; what is looked up by a key, or made here, is another thing.
    let one_for_all = matches!(scene.ev.terms.get(guard.lock), Term::Literal(text) if text.contains('#'));
    if guard.shared || !one_for_all {
        return None;
    }
    // A lock that only some ways take, as for an engine that lets one write at a time, is none where it is not taken.
    let only_there = |later: &Event| event.path.0.iter().all(|(branch, _)| later.path.arms_of(*branch).is_some());
    let held = |later: &&Event| {
        let by_key = later.target().is_some_and(has_key);
        by_key
            && only_there(later)
            && later.dialect != Dialect::Sqlite
            && later.on != Some(guard.guard)
            && later.guards.iter().any(|other| other.guard == guard.guard)
    };
    let meant_for = scene.after(event.id).find(held)?;
    Some((Confidence::Medium, "one lock for all rows: every request waits for every other", meant_for))
}

fn is_constant(scene: &Scene<'_, '_>, access: &Access, key: &Operand) -> bool {
    match key {
        Operand::Literal(_) => true,
        Operand::Expr { parts, .. } => parts.iter().all(|part| is_constant(scene, access, part)),
        _ => access.bound(key).is_some_and(|term| matches!(scene.ev.terms.get(term), Term::Literal(_))),
    }
}

/// What no row's lock would protect: every row is looked at, as where a graph must stay free of cycles, or every row is
/// written.
fn is_about_all_rows(event: &Event) -> bool {
    let whole = |access: &TableAccess| match access.action {
        Action::Read => {
            let number = matches!(access.aggregate, None | Some(Aggregate::Count | Aggregate::Exists));
            number && access.limit.is_none() && access.lock.is_none()
        }
        Action::Update => true,
        _ => false,
    };
    let statement = event.access().map(|access| &access.statement);
    statement.is_some_and(|statement| {
        matches!(statement.verb, Verb::Select | Verb::Update)
            && statement.accesses.len() == 1
            && statement.accesses.iter().any(|access| access.filter.is_empty() && whole(access))
    })
}

/// A write of single rows, by key.
fn writes_by_key(event: &Event) -> bool {
    let target = event.target();
    target.is_some_and(|target| has_key(target) || target.action == Action::Insert)
}

fn has_key(target: &TableAccess) -> bool {
    target.filter.iter().any(|predicate| {
        matches!(predicate.op, Compare::Eq | Compare::In)
            && !matches!(predicate.value, Operand::Literal(_) | Operand::Null)
    })
}
