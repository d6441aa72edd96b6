//! The race is inside one statement: a sub-query decides, and only the target's own row is looked at again.
//!
//! Source: PostgreSQL manual 13.2.1: after a wait UPDATE and DELETE evaluate their condition again on the new version of
//! the row; sub-queries keep their first answer. InnoDB reads the sub-queries of a writing statement with locks at
//! REPEATABLE READ (manual 15.7.3), not at READ COMMITTED. SQLite has one writer. At PostgreSQL's REPEATABLE READ the second
//! of two that change one row fails (manual 13.2.2).

use crate::dialect::{Dialect, Isolation};
use crate::event::Event;
use crate::finding::Confidence;
use crate::lower::tree::Name;
use crate::protect::constraint;
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::transaction;
use crate::sql::statement::{
    Access as TableAccess, Action, Aggregate, Assignment, Compare, Operand, Place, Predicate, Statement, Verb,
};

pub const ID: &str = "racy-statement";

/// What is wrong with a number that is counted and kept.
pub const RECOUNTED: &str = "the one that waits for the other keeps what it has counted before, and writes it last";

/// What is wrong with a statement by itself, as a clause.
pub fn claims(scene: &Scene<'_, '_>, write: &Event) -> Option<(Confidence, &'static str)> {
    let access = write.access()?;
    let statement = &*access.statement;
    let target = statement.target()?;
    let level = transaction::of(scene, write)
        .map(|tx| tx.level)
        .unwrap_or_else(|| scene.session_level(write).unwrap_or_else(|| write.dialect.default_isolation()));
    if serial(write.dialect, level) || locked_before(scene, write, statement) {
        return None;
    }
    let reads: Vec<&TableAccess> =
        statement.accesses.iter().skip(1).filter(|read| read.action == Action::Read).collect();
    // MERGE reads its own target.
    if reads.is_empty() && statement.verb != Verb::Merge {
        return None;
    }
    let own: Vec<&&TableAccess> = reads.iter().filter(|read| read.table.name == target.table.name).collect();
    let recounted = || recounted(scene, target, &reads);
    match target.action {
        Action::Insert => insert(scene, access, target, &own).or_else(recounted),
        Action::Update => update(target, &own, one_fails(write.dialect, level)).or_else(recounted),
        // A row cannot be deleted twice.
        Action::Delete | Action::Read => None,
    }
}

/// Whether the engine lets no second writer between the statement's reads and its write.
fn serial(dialect: Dialect, level: Isolation) -> bool {
    match dialect {
        Dialect::Sqlite => true,
        Dialect::MySql => level >= Isolation::RepeatableRead,
        Dialect::Postgres | Dialect::Cockroach | Dialect::MsSql => level == Isolation::Serializable,
    }
}

/// Whether of two that change one row the second fails (PostgreSQL manual, 13.2.2).
fn one_fails(dialect: Dialect, level: Isolation) -> bool {
    matches!(dialect, Dialect::Postgres | Dialect::Cockroach) && level >= Isolation::RepeatableRead
}

/// An advisory, table or parent lock taken earlier in the same transaction.
fn locked_before(scene: &Scene<'_, '_>, write: &Event, statement: &Statement) -> bool {
    let Some(tx) = transaction::of(scene, write) else { return false };
    let mut holders = scene.before_of(Kind::Holder, write.id).chain(scene.before_of(Kind::Lock, write.id));
    holders.any(|event| {
        let Some(access) = event.access() else { return false };
        let locks = access.statement.accesses.iter().any(|a| a.lock.is_some())
            || access.statement.lock_calls().next().is_some()
            || matches!(&access.statement.verb, Verb::LockTables(_))
            || access.statement.target().is_some_and(|target| {
                target.action == Action::Update && statement.accesses.iter().any(|a| a.table.name == target.table.name)
            });
        locks && transaction::of(scene, event).is_some_and(|other| other.is_same(&tx))
    })
}

fn insert(
    scene: &Scene<'_, '_>,
    access: &crate::event::Access,
    target: &TableAccess,
    own: &[&&TableAccess],
) -> Option<(Confidence, &'static str)> {
    let known = scene.schema.table(&target.table.name).is_some();
    let confidence = if known { Confidence::High } else { Confidence::Low };
    if access.statement.verb == Verb::Merge {
        let given = |column: &crate::lower::tree::Name| {
            target.sets.iter().any(|set| set.column == *column)
                || target.filter.iter().any(|p| p.columns.contains(column))
        };
        let covered =
            scene.schema.table(&target.table.name).is_some_and(|table| table.keys().any(|key| key.iter().all(given)));
        return (!covered).then_some((
            confidence,
            "MERGE looks for the row and inserts it, and no unique key refuses the second one",
        ));
    }
    for read in own {
        let covered = || {
            constraint::covering_key(scene, (access, read), (access, target)).is_some()
                || scene.schema.table(&target.table.name).is_some_and(|table| {
                    table.keys().any(|key| {
                        !key.is_empty()
                            && key.iter().all(|column| read.filter.iter().any(|p| p.columns.contains(column)))
                    })
                })
        };
        match read.place {
            Place::NotExists if !covered() => {
                return Some((confidence, "both look for the row before either has inserted it"));
            }
            Place::InWhere | Place::Source if counts(read) => {
                return Some((Confidence::High, "both count before either has inserted"));
            }
            Place::InSet | Place::Source | Place::InSelect
                if read.aggregate == Some(Aggregate::Extreme) && !numbered(scene, target) =>
            {
                return Some((confidence, "both compute the same next number"));
            }
            _ => {}
        }
    }
    None
}

fn counts(read: &TableAccess) -> bool {
    matches!(read.aggregate, Some(Aggregate::Count | Aggregate::Sum))
}

/// A unique key over a column that the statement computes refuses the second one.
fn numbered(scene: &Scene<'_, '_>, target: &TableAccess) -> bool {
    scene.schema.table(&target.table.name).is_some_and(|table| {
        table.keys().any(|key| {
            key.iter().any(|column| {
                target.sets.iter().any(|set| {
                    set.column == *column && matches!(set.value, Operand::Subquery(_) | Operand::Expr { .. })
                })
            })
        })
    })
}

fn update(target: &TableAccess, own: &[&&TableAccess], one_fails: bool) -> Option<(Confidence, &'static str)> {
    let picks = |read| !one_fails && picks(read, target) && !repeated(read, target) && !moves_on(target);
    for read in own {
        if locks(read) {
            continue;
        }
        match read.place {
            Place::InSet => {
                return Some((Confidence::High, "the sub-query in SET keeps its first answer after a wait"));
            }
            Place::Derived | Place::Cte | Place::Join => {
                // Joined back by key, and values taken from the old version.
                let takes = target.sets.iter().any(|set| {
                    let mut other = false;
                    set.value.walk(&mut |operand| other |= operand.is_of_another_table());
                    other
                });
                if takes || picks(read) {
                    return Some((Confidence::High, "what it joins was read before the wait, and is not read again"));
                }
            }
            Place::InWhere | Place::Exists | Place::NotExists => {
                if picks(read) {
                    return Some((
                        Confidence::High,
                        "two of them pick the same row, and the second does not look at its state again",
                    ));
                }
                let compares =
                    target.filter.iter().any(|predicate| {
                        matches!(predicate.value, Operand::Subquery(_)) && predicate.columns.is_empty()
                    }) || counts(read) && read.limit.is_none();
                if compares && moves(read, target) {
                    return Some((
                        Confidence::High,
                        "the sub-query in the condition keeps its first answer after a wait",
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

/// A number of other rows that a row is given to keep: of two statements the one that waits has counted before the other's
/// rows were there, and writes last.
fn recounted(
    scene: &Scene<'_, '_>,
    target: &TableAccess,
    reads: &[&TableAccess],
) -> Option<(Confidence, &'static str)> {
    let by_value = |predicate: &Predicate| {
        predicate.op == Compare::Eq && matches!(predicate.value, Operand::Placeholder(_) | Operand::Named(_))
    };
    // Of two that take a row out of one state only the first one writes.
    let leaves = |predicate: &Predicate| {
        let named = |set: &Assignment| predicate.columns == [set.column.clone()];
        predicate.op == Compare::Eq && !predicate.value.is_relative() && target.sets.iter().any(named)
    };
    // One row; who counts anew for all does so from time to time, and is right by then.
    let one = match target.action {
        Action::Update => target.filter.iter().any(by_value) && !target.filter.iter().any(leaves),
        _ => true,
    };
    let kept = |read: &TableAccess| match target.action {
        Action::Update => read.place == Place::InSet,
        _ => matches!(read.place, Place::Source | Place::InSelect | Place::InSet) && target.writes_over(),
    };
    let rivals = scene.rivals;
    let changes = |table: &Name| rivals.inserted.contains(table) || rivals.deleted.contains(table);
    let counted = reads.iter().any(|read| {
        counts(read)
            && kept(read)
            && !locks(read)
            && read.filter.iter().any(|predicate| predicate.op == Compare::Eq)
            && read.table.name != target.table.name
            && changes(&read.table.name)
    });
    (one && counted).then_some((Confidence::Medium, RECOUNTED))
}

fn locks(read: &TableAccess) -> bool {
    read.lock.is_some()
}

/// The sub-query picks a row by a state that the update moves it out of.
fn picks(read: &TableAccess, target: &TableAccess) -> bool {
    (read.limit.is_some() || read.aggregate == Some(Aggregate::Extreme)) && moves(read, target)
}

fn moves(read: &TableAccess, target: &TableAccess) -> bool {
    let named = read.filter.iter().flat_map(|predicate| predicate.columns.iter()).chain(&read.columns);
    named.into_iter().any(|column| target.sets.iter().any(|set| set.column == *column))
}

/// The state stands in the outer condition too, where it is looked at again.
fn repeated(read: &TableAccess, target: &TableAccess) -> bool {
    let states: Vec<_> = read
        .filter
        .iter()
        .flat_map(|predicate| predicate.columns.iter())
        .filter(|column| target.sets.iter().any(|set| set.column == **column))
        .collect();
    !states.is_empty()
        && states.iter().all(|column| {
            target.filter.iter().any(|predicate| {
                predicate.columns.contains(column)
                    && !matches!(predicate.value, Operand::Subquery(_))
                    && predicate.op != Compare::Other
                    || predicate.columns.contains(column) && !matches!(predicate.value, Operand::Subquery(_))
            })
        })
}

/// Whether the update only finds rows in one state and leaves them in another: of two that picked one row, the second
/// finds it moved on.
fn moves_on(target: &TableAccess) -> bool {
    target.filter.iter().any(|predicate| {
        let [column] = predicate.columns.as_slice() else { return false };
        let Operand::Literal(before) = &predicate.value else { return false };
        predicate.op == Compare::Eq
            && target
                .sets
                .iter()
                .any(|set| set.column == *column && matches!(&set.value, Operand::Literal(after) if after != before))
    })
}
