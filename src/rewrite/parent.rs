//! What all requests share, locked before the rows below it are counted; or a level at which the engine notices.

use super::atomic::finished;
use super::sql::{Rendered, Sql};
use super::{Case, row_lock, words};
use crate::dialect::{Dialect, Isolation};
use crate::event::Event;
use crate::finding::{Rewrite, RewriteKind};
use crate::flow::term::Term;
use crate::lower::tree::Name;
use crate::race::transaction;
use crate::sql::statement::{Access as TableAccess, Action, Compare, Operand, Predicate};

/// The lock of the parent row, when the schema tells which that is.
pub fn lock(case: Case<'_, '_>) -> Option<Rewrite> {
    if case.dialect == Dialect::Sqlite {
        return Some(row_lock::immediate());
    }
    // A key that only the write has is shared by nobody, unless it is the key of the row that was checked.
    let checked = |parent: &Name| case.source().is_some_and(|source| source.table.name == *parent);
    let (parent, rendered) =
        of_event(case, case.read).or_else(|| of_event(case, case.write).filter(|(parent, _)| checked(parent)))?;
    let late = match case.dialect {
        Dialect::MySql => "; let it be the transaction's first read, or the snapshot is older than the lock",
        _ => "",
    };
    let note = format!(
        "run it first, in a statement of its own, on the transaction of the write: requests for one row of {parent} wait \
         for each other, and the next statement sees what the last one left{late}"
    );
    let rendered = with_fresh_snapshot(case, rendered);
    Some(finished(RewriteKind::RowLock, format!("lock the row of {parent} before the check"), rendered, &note))
}

/// On PostgreSQL the statement after the lock sees the newest rows at READ COMMITTED only (manual, 13.2.1 and 13.2.2).
fn with_fresh_snapshot(case: Case<'_, '_>, rendered: Rendered) -> Rendered {
    let level = transaction::of(case.scene, case.write).map(|open| open.level).or(case.scene.config.isolation);
    let stale = case.dialect == Dialect::Postgres && level.is_some_and(|level| level > Isolation::ReadCommitted);
    if !stale {
        return rendered;
    }
    Rendered { text: format!("SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n{}", rendered.text), ..rendered }
}

/// The parent's table, and the SELECT that locks the parent of the rows a statement asks for or inserts.
pub fn of_event(case: Case<'_, '_>, event: &Event) -> Option<(Name, Rendered)> {
    let access = event.access()?;
    // A statement that reads and writes is held to what it reads.
    let own_reads = event.id == case.write.id && case.read.id == case.write.id;
    for part in access.statement.accesses.iter().skip(usize::from(own_reads)) {
        for (column, value) in asked(part) {
            let Some((parent, key)) = itself(case, part, column).or_else(|| parent_of(case, &part.table.name, column))
            else {
                continue;
            };
            let words = words::Words {
                scene: case.scene,
                access,
                table: &part.table.name,
                dialect: case.dialect,
                qualified: false,
            };
            let Some(value) = words.operand(value, None) else { continue };
            let mut condition = Sql::text(words.name(&key));
            condition.push(" = ").append(value);
            let rendered = row_lock::select(case, &words.name(&key), &parent, vec![condition], false, "");
            return Some((parent, rendered));
        }
    }
    None
}

/// The columns that a statement holds to a value, or gives one.
fn asked(part: &TableAccess) -> impl Iterator<Item = (&Name, &Operand)> {
    let held = part.filter.iter().filter(|predicate| predicate.op == Compare::Eq && predicate.columns.len() == 1);
    let given = part.sets.iter().filter(|_| part.action == Action::Insert).map(|set| (&set.column, &set.value));
    held.map(|predicate: &Predicate| (&predicate.columns[0], &predicate.value))
        .chain(given)
        .filter(|(_, value)| matches!(value, Operand::Placeholder(_) | Operand::Named(_)))
}

/// The row that is read by its key beside the rows that are counted is what all requests share.
fn itself(case: Case<'_, '_>, part: &TableAccess, column: &Name) -> Option<(Name, Name)> {
    let key = case.scene.schema.table(&part.table.name).map(|def| def.primary_key.as_slice());
    let beside = case.target().is_some_and(|target| target.table.name != part.table.name);
    let read = part.action == Action::Read && beside;
    (read && key == Some(std::slice::from_ref(column))).then(|| (part.table.name.clone(), column.clone()))
}

/// By foreign key; else by name, when a table of that name has one key column.
fn parent_of(case: Case<'_, '_>, table: &str, column: &Name) -> Option<(Name, Name)> {
    let schema = case.scene.schema;
    let key_of = |parent: &Name| match schema.table(parent).map(|def| def.primary_key.as_slice()) {
        Some([key]) => Some(key.clone()),
        _ => None,
    };
    let keys = schema.table(table).map(|def| def.foreign_keys.as_slice()).unwrap_or_default();
    if let Some(foreign) = keys.iter().find(|key| key.columns.len() == 1 && key.columns[0] == *column) {
        let key = foreign.references.first().cloned().or_else(|| key_of(&foreign.table))?;
        return Some((foreign.table.clone(), key));
    }
    let stem = column.strip_suffix("_id")?;
    let plural = stem.strip_suffix('y').map_or_else(|| format!("{stem}s"), |stem| format!("{stem}ies"));
    [stem.to_owned(), plural, format!("{stem}es")].into_iter().find_map(|name| {
        let name = Name::new(name);
        key_of(&name).map(|key| (name, key))
    })
}

/// PostgreSQL's advisory lock on the value that all requests share.
pub fn advisory(case: Case<'_, '_>) -> Option<Rewrite> {
    advisory_of(case, case.read)
}

pub fn advisory_of(case: Case<'_, '_>, event: &Event) -> Option<Rewrite> {
    if case.dialect != Dialect::Postgres {
        return None;
    }
    let access = event.access()?;
    let (part, column, value) = access
        .statement
        .accesses
        .iter()
        .filter(|part| part.action == Action::Read)
        .find_map(|part| asked(part).next().map(|(column, value)| (part, column, value)))?;
    let words =
        words::Words { scene: case.scene, access, table: &part.table.name, dialect: case.dialect, qualified: false };
    let whole = |ty: &str| {
        let ty = ty.to_ascii_lowercase();
        ["int", "integer", "smallint", "bigint", "int2", "int4", "int8"].contains(&ty.as_str())
            || ty.ends_with("serial")
    };
    let number = case
        .scene
        .schema
        .table(&part.table.name)
        .is_some_and(|table| table.columns.iter().any(|def| def.name == *column && whole(&def.ty)));
    // The same for all: a name of its own says it.
    let shared = access.bound(value).and_then(|term| match case.scene.ev.terms.get(term) {
        Term::Literal(text) if text.parse::<i64>().is_err() => Some(text.clone()),
        _ => None,
    });
    let mut all = Sql::text("SELECT pg_advisory_xact_lock(");
    match shared {
        Some(text) => {
            let name = format!("{} {column} {text}", part.table.name).replace('\'', "''");
            all.push(&format!("hashtextextended('{name}', 0))"));
        }
        None if number => {
            all.append(words.operand(value, None)?).push(")");
        }
        None => {
            all.push("hashtextextended(").append(words.operand(value, None)?).push("::text, 0))");
        }
    }
    let note = "run it first, in a statement of its own, on the transaction of the write; every writer has to take it";
    let title = format!("take an advisory lock on {column} before the check");
    let rendered = with_fresh_snapshot(case, all.render(case.scene, case.style()));
    Some(finished(RewriteKind::RowLock, title, rendered, note))
}

/// The level at which the engine lets only one of the two commit.
pub fn isolation(case: &Case<'_, '_>) -> Rewrite {
    if case.dialect == Dialect::Sqlite {
        return row_lock::immediate();
    }
    let (place, error) = match case.dialect {
        Dialect::MySql => ("before the transaction begins, on its connection", "error 1213 (40001)"),
        Dialect::MsSql => ("before the transaction begins, on its connection", "error 1205"),
        _ => ("as the transaction's first statement", "error 40001"),
    };
    Rewrite {
        kind: RewriteKind::Isolation,
        title: "run read, check and write in one SERIALIZABLE transaction".to_owned(),
        language: "sql",
        text: "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE".to_owned(),
        note: format!("{place}; one of two such requests gets {error}: run its whole transaction again"),
    }
}
