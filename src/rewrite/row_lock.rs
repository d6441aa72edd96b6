//! The row is locked by the read, and the lock is kept until the write is committed.
//!
//! SQLite has no row locks: its transaction takes the write lock at its beginning (SQLite manual, "BEGIN IMMEDIATE").

use super::atomic::finished;
use super::sql::{Rendered, Sql};
use super::tokens::Text;
use super::{Case, parent, unique_key, words};
use crate::dialect::Dialect;
use crate::event::{Event, EventKind};
use crate::finding::{Rewrite, RewriteKind};
use crate::protect::WhyNot;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::transaction;
use crate::sql::statement::{Access as TableAccess, Action, Aggregate, Compare, Operand, Place, Predicate, Verb, Wait};

/// The read with FOR UPDATE; none when what it gives is no row that can be locked.
pub fn rewrite(case: Case<'_, '_>) -> Option<Rewrite> {
    if case.dialect == Dialect::Sqlite {
        return Some(immediate());
    }
    if locks_nothing(case) {
        return None;
    }
    let locked = locked(case, case.read, "")?;
    Some(finished(RewriteKind::RowLock, format!("lock the {} row when it is read", table(case)), locked, &note(case)))
}

/// Whether the row that two requests fight for is not there yet, so that the read has nothing to lock.
fn locks_nothing(case: Case<'_, '_>) -> bool {
    let phantom = matches!(case.claim.sequence.relation, Relation::NewRowOfSet | Relation::RowOfSet);
    phantom && case.inserts() || case.claim.sequence.checks_aggregate()
}

/// The read that picks, passing over rows that others have locked.
pub fn skipping(case: Case<'_, '_>) -> Option<Rewrite> {
    if matches!(case.dialect, Dialect::Sqlite | Dialect::MsSql) {
        return None;
    }
    let locked = locked(case, case.read, " SKIP LOCKED")?;
    let title = "lock the row when it is picked, and pass over locked ones".to_owned();
    Some(finished(RewriteKind::RowLock, title, locked, &note(case)))
}

/// The lock as it would hold, with what is wrong with the one that stands there.
pub fn repaired(case: Case<'_, '_>) -> Option<Rewrite> {
    let (kind, title, then) = case.claim.tried.iter().find_map(advice).unwrap_or((
        RewriteKind::OneTransaction,
        "lock the row in the transaction that writes it",
        "read, check and write on one transaction",
    ));
    if case.dialect == Dialect::Sqlite {
        return Some(immediate());
    }
    if locks_nothing(case) {
        return None;
    }
    let locked = locked(case, case.read, "")?;
    Some(finished(kind, title.to_owned(), locked, then))
}

fn advice(why: &WhyNot) -> Option<(RewriteKind, &'static str, &'static str)> {
    use RewriteKind::{OneTransaction, RowLock};
    Some(match why {
        WhyNot::LockInAutocommit(_) => (
            OneTransaction,
            "move the locking read into the transaction of the write",
            "begin a transaction, run the read, the check and the write on it, and commit after the write",
        ),
        WhyNot::LockTooWeak(..) => (
            RowLock,
            "take the stronger lock",
            "two requests cannot hold FOR UPDATE on one row at once; keep it in the transaction of the write",
        ),
        WhyNot::LockAfterRead(_) => (
            RowLock,
            "take the lock with the read that decides",
            "what was read before the lock is old: decide by what the locking read gives",
        ),
        WhyNot::LockEnded(_) | WhyNot::LockReleasedEarly(_) => (
            OneTransaction,
            "keep the lock until the write is committed",
            "run the write on the transaction that holds the lock, and commit after it",
        ),
        WhyNot::LockRolledBack(_) => (
            RowLock,
            "take the lock outside of the savepoint",
            "rolling a savepoint back releases what was locked inside: lock on the transaction itself",
        ),
        WhyNot::LockElsewhere(_) | WhyNot::ReadBeside(_) => (
            OneTransaction,
            "run the locking read on the open transaction",
            "give the read the transaction's handle instead of the pool, so that its lock lives until the commit",
        ),
        WhyNot::LockKeepsSnapshot(_) => (
            RowLock,
            "read under the lock, with the locking read itself",
            "a locking read gives the newest row; a plain SELECT after it is as old as the transaction's snapshot",
        ),
        WhyNot::LockElsewhereRow(_) => {
            (RowLock, "lock the row that decides", "run it before the check, on the transaction of the write")
        }
        WhyNot::TryLockIgnored(_) => (
            RowLock,
            "lock the row, and wait for it",
            "or look at whether the lock was got, and refuse when it was not",
        ),
        WhyNot::TableLockTooWeak(_) => (
            RowLock,
            "lock the row instead of the table",
            "the row lock keeps other writers of this row out; run it before the check, on the transaction of the write",
        ),
        WhyNot::GuardDropped(_) | WhyNot::LockPerRequest(_) | WhyNot::OneProcess => (
            OneTransaction,
            "lock the row in the database",
            "begin a transaction, run the read, the check and the write on it, and commit after the write",
        ),
        _ => return None,
    })
}

/// For a statement that races by itself: its row is locked by a statement before it.
pub fn before_statement(case: Case<'_, '_>) -> Option<Rewrite> {
    if case.dialect == Dialect::Sqlite {
        return Some(immediate());
    }
    let rendered = locked_target(case, case.write)?;
    let note = "run it first, on the transaction of the statement: after the wait the statement sees what the other \
                request has committed";
    Some(finished(RewriteKind::RowLock, format!("lock the {} row first", table(case)), rendered, note))
}

/// For a lock on a table: the lock of the row that is written under it.
pub fn instead_of_table(case: Case<'_, '_>) -> Option<Rewrite> {
    let later: Vec<&Event> = case.scene.after(case.write.id).filter(|event| event.access().is_some()).collect();
    let note = "run it instead of the table's lock, on the same transaction: others wait for this row only";
    let title = |table: &str| format!("lock the row of {table} instead");
    for event in &later {
        let Some(access) = event.access() else { continue };
        let Some(main) = access.statement.accesses.first() else { continue };
        let row = access.statement.verb == Verb::Select && main.aggregate.is_none() && keyed(main);
        let inserted = |other: &&Event| {
            let target = other.target();
            target.is_some_and(|target| target.action == Action::Insert && target.table.name == main.table.name)
        };
        let looks = main.aggregate.is_none_or(|aggregate| aggregate == Aggregate::Exists) && keyed(main);
        if access.statement.verb == Verb::Select && looks && later.iter().any(inserted) {
            // The row that is asked for is not there, and cannot be locked.
            return unique_key::instead_of_lock(case, main);
        }
        if row && let Some(locked) = locked(case, event, "") {
            return Some(finished(RewriteKind::RowLock, title(&main.table.name), locked, note));
        }
        if main.aggregate.is_some()
            && let Some((parent, rendered)) = parent::of_event(case, event)
        {
            return Some(finished(RewriteKind::RowLock, title(&parent), rendered, note));
        }
        if matches!(main.action, Action::Update | Action::Delete)
            && let Some(rendered) = locked_target(case, event)
        {
            return Some(finished(RewriteKind::RowLock, title(&main.table.name), rendered, note));
        }
    }
    later.into_iter().find_map(|event| parent::advisory_of(case, event))
}

/// SQLite's write lock from the beginning.
pub fn immediate() -> Rewrite {
    Rewrite {
        kind: RewriteKind::RowLock,
        title: "take SQLite's write lock before the read".to_owned(),
        language: "sql",
        text: "BEGIN IMMEDIATE".to_owned(),
        note:
            "begin so instead of DEFERRED, and run read, check and write on that transaction: SQLITE_BUSY comes at the \
               beginning, where waiting helps"
                .to_owned(),
    }
}

/// A SELECT that locks what it reads; its placeholders are the ones it has now.
pub fn locked(case: Case<'_, '_>, event: &Event, wait: &str) -> Option<Rendered> {
    let access = event.access()?;
    let main = access.statement.accesses.first()?;
    let grouped = access.statement.accesses.iter().any(|part| part.aggregate.is_some());
    if access.statement.verb != Verb::Select || grouped || main.action != Action::Read || main.table.name == "?" {
        return None;
    }
    if case.dialect != Dialect::MsSql
        && let Some(text) = Text::of(access, case.dialect)
    {
        if text.has(&["group", "distinct", "union", "intersect", "except", "with"]) {
            return None;
        }
        // PostgreSQL refuses to lock the side of an outer join that may be missing.
        let joined = access.statement.accesses.iter().any(|part| part.place == Place::Join)
            && text.has(&["left", "right", "full"]);
        let of = match (&main.table.alias, joined) {
            (_, false) => String::new(),
            (Some(alias), true) => format!(" OF {}", words::quoted(alias, case.dialect)),
            (None, true) => format!(" OF {}", words::quoted(&main.table.name, case.dialect)),
        };
        let head = text.slice(0, text.before_lock());
        let skips = main.lock.as_ref().is_some_and(|lock| lock.wait == Wait::SkipLocked);
        let wait = if skips { " SKIP LOCKED" } else { wait };
        return Some(Rendered { text: format!("{head} FOR UPDATE{of}{wait}"), legend: String::new(), values: 0 });
    }
    if access.statement.accesses.len() != 1 || main.ordered {
        return None;
    }
    let columns: Vec<String> = access
        .statement
        .output
        .iter()
        .filter_map(|output| match output.from.as_slice() {
            [column] if column != "*" => Some(words::quoted(column, case.dialect)),
            _ => None,
        })
        .collect();
    let complete = columns.len() == access.statement.output.len() && !columns.is_empty();
    let columns = if complete { columns.join(", ") } else { "*".to_owned() };
    let words = words::Words {
        scene: case.scene,
        access: event.access()?,
        table: &main.table.name,
        dialect: case.dialect,
        qualified: false,
    };
    let conditions = main.filter.iter().map(|predicate| words.predicate(predicate)).collect::<Option<Vec<Sql>>>()?;
    Some(select(case, &columns, &main.table.name, conditions, main.limit.is_some(), wait))
}

/// A SELECT of the row that a write changes, which locks it.
fn locked_target(case: Case<'_, '_>, event: &Event) -> Option<Rendered> {
    let access = event.access()?;
    let target = access.statement.target()?;
    let words =
        words::Words { scene: case.scene, access, table: &target.table.name, dialect: case.dialect, qualified: false };
    let conditions: Vec<Sql> = target
        .filter
        .iter()
        .filter(|predicate| !matches!(predicate.value, Operand::Subquery(_) | Operand::Column { .. }))
        .filter_map(|predicate| words.predicate(predicate))
        .collect();
    if conditions.is_empty() || target.table.name == "?" {
        return None;
    }
    let names_row = |predicate: &&Predicate| {
        names_row(predicate) && !matches!(predicate.value, Operand::Column { .. } | Operand::Subquery(_))
    };
    let column = target.filter.iter().find(names_row).and_then(|predicate| predicate.columns.first())?;
    let column = words.name(column);
    Some(select(case, &column, &target.table.name, conditions, false, ""))
}

pub fn select(
    case: Case<'_, '_>,
    columns: &str,
    table: &str,
    conditions: Vec<Sql>,
    limited: bool,
    wait: &str,
) -> Rendered {
    let table = words::quoted(table, case.dialect);
    let hint = if case.dialect == Dialect::MsSql { " WITH (UPDLOCK, ROWLOCK)" } else { "" };
    let mut all = Sql::text(format!("SELECT {columns} FROM {table}{hint}"));
    if !conditions.is_empty() {
        all.push(" WHERE ").append(Sql::join(conditions, " AND "));
    }
    if limited && case.dialect != Dialect::MsSql {
        all.push(" LIMIT 1");
    }
    if case.dialect != Dialect::MsSql {
        all.push(" FOR UPDATE").push(wait);
    }
    all.render(case.scene, case.style())
}

fn keyed(access: &TableAccess) -> bool {
    access.filter.iter().any(names_row)
}

fn names_row(predicate: &Predicate) -> bool {
    matches!(predicate.op, Compare::Eq | Compare::In) && !matches!(predicate.value, Operand::Literal(_) | Operand::Null)
}

fn table<'a>(case: Case<'a, '_>) -> &'a str {
    case.source().or(case.target()).map_or("", |access| access.table.name.as_str())
}

fn note(case: Case<'_, '_>) -> String {
    let in_one = in_one_transaction(case.scene, case.read, case.write);
    let how = if in_one {
        "the transaction is there already: only the read has to lock"
    } else {
        "begin a transaction, run this, the check and the write on it, and commit after the write"
    };
    let only_checked = matches!(case.claim.sequence.relation, Relation::Linked | Relation::Other);
    match case.dialect {
        Dialect::MsSql => how.to_owned(),
        _ if only_checked => format!("{how}; FOR SHARE is enough, since the row is only looked at"),
        Dialect::Postgres | Dialect::Cockroach => {
            format!(
                "{how}; FOR NO KEY UPDATE is enough where no key changes, and lets rows that refer to it be inserted"
            )
        }
        _ => how.to_owned(),
    }
}

fn in_one_transaction(scene: &Scene<'_, '_>, read: &Event, write: &Event) -> bool {
    let ended =
        scene.between(read.id, write.id).any(|event| matches!(event.kind, EventKind::Commit | EventKind::Rollback));
    let (Some(one), Some(other)) = (transaction::of(scene, read), transaction::of(scene, write)) else { return false };
    one.is_same(&other) && !ended
}
