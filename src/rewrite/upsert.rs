//! An upsert that writes over a row only as long as that is the one that was read.
//!
//! Source: the WHERE behind DO UPDATE, PostgreSQL manual "INSERT", SQLite's "UPSERT". MySQL has none.

use super::atomic::{self, ROW_STAYS, Row, STAYS, finished};
use super::sql::{Rendered, Sql};
use super::tokens::Text;
use super::{Case, outcome};
use crate::dialect::Dialect;
use crate::finding::{Rewrite, RewriteKind};
use crate::lower::tree::Name;
use crate::sql::lex::Kind;
use crate::sql::statement::{Assignment, ConflictAction, ConflictTarget, Operand};

/// What an upsert does to a row that is there; none for other statements.
fn overwrites<'a>(case: Case<'a, '_>) -> Option<&'a [Assignment]> {
    match &case.target()?.conflict.as_ref()?.action {
        ConflictAction::Update { sets, filter } if filter.is_empty() => Some(sets),
        _ => None,
    }
}

/// The key that an upsert finds a row by, where the read has asked for the row of that key, or given it.
fn key_of_read<'a>(case: Case<'a, '_>) -> Option<&'a [Name]> {
    let (source, target) = (case.source()?, case.target()?);
    let ConflictTarget::Columns(key) = &target.conflict.as_ref()?.target else { return None };
    let known = |column: &Name| source.equals(column).is_some() || is_from_row(case, column);
    (!key.is_empty() && key.iter().all(known)).then_some(key)
}

fn is_from_row(case: Case<'_, '_>, column: &Name) -> bool {
    let mut given = case.target().into_iter().flat_map(|target| &target.sets).filter(|set| set.column == *column);
    given.any(|set| case.is_stale(&set.value))
}

/// Whether the row was there when it was read: it had to be, or the upsert takes its key from it.
fn is_there(case: Case<'_, '_>) -> bool {
    case.reads.row_required || key_of_read(case).is_some_and(|key| key.iter().all(|column| is_from_row(case, column)))
}

/// The upsert under the condition that the columns it was decided by, or made of, are still what was read.
pub fn unchanged(case: Case<'_, '_>) -> Option<Rewrite> {
    let target = case.target()?;
    overwrites(case)?;
    // Another row was read than the one that may be there: an earlier one of the same thing.
    key_of_read(case)?;
    if matches!(case.dialect, Dialect::MySql | Dialect::MsSql) || case.writes.statement.accesses.len() != 1 {
        return None;
    }
    let columns = atomic::compared(case, target)?;
    let text = Text::of(case.writes, case.dialect).filter(|text| !text.has(&["where"]))?;
    if text.tokens.iter().any(|token| token.kind == Kind::Named) {
        return None;
    }
    let words = case.words(case.writes, target);
    let table = words.name(&target.table.name);
    let end = text.outside(|token| token.is("returning")).unwrap_or(text.tokens.len());
    let mut all = text.as_it_is(0, end)?;
    let required = is_there(case);
    let old = columns.iter().map(|column| {
        let op = if required && !atomic::is_nullable(case, target, column) { "=" } else { atomic::same_as(case) };
        let none = if required { "" } else { ", NULL where there was no row" };
        let mut said = Sql::text(format!("{table}.{} {op} ", words.name(column)));
        said.append(Sql::called(format!("the {column} that was read{none}")));
        said
    });
    all.push(" WHERE ").append(Sql::join(old.collect(), " AND "));
    if end < text.tokens.len() {
        all.push(" ").append(text.as_it_is(end, text.tokens.len())?);
    }
    let verb = if columns.len() == 1 { "is" } else { "are" };
    let title = format!("write over the row only if {} {verb} still what was read", columns.join(" and "));
    let note =
        format!("no row changed means that another request was first: read again, or refuse ({})", outcome::word(case));
    Some(finished(RewriteKind::AtomicStatement, title, all.render(case.scene, case.style()), &note))
}

/// An UPDATE of the columns alone that a request changes, where the row is known to be there.
pub fn changed_only(case: Case<'_, '_>) -> Option<Rewrite> {
    let sets = overwrites(case)?;
    let target = case.target()?;
    let key = key_of_read(case).filter(|_| is_there(case))?;
    let row = Row::upserted(case)?;
    let given = |set: &Assignment| match &set.value {
        Operand::Excluded(from) => target.set(from).cloned(),
        _ => Some(set.clone()),
    };
    let sets = sets.iter().map(given).collect::<Option<Vec<Assignment>>>()?;
    let (same, changed): (Vec<&Assignment>, Vec<&Assignment>) = sets.iter().partition(|set| row.stays(set));
    if same.is_empty() || changed.is_empty() {
        return None;
    }
    let words = case.words(case.writes, target);
    let keys = key.iter().map(|column| {
        let given = target.set(column)?;
        let mut said = Sql::text(format!("{} = ", words.name(column)));
        said.append(words.operand(&given.value, Some(column))?);
        Some(said)
    });
    let keys = keys.collect::<Option<Vec<Sql>>>()?;
    let changed = changed.into_iter().map(|set| row.patched(set)).collect::<Option<Vec<Sql>>>()?;
    let rendered = row.statement(changed, Vec::new(), keys)?;
    let note = "what others write to the rest of the row stays, and a row that was deleted meanwhile stays away";
    Some(finished(RewriteKind::AtomicStatement, "write only the columns that change".to_owned(), rendered, note))
}

/// The upsert as it is, under a version that each write moves on.
pub fn versioned(case: Case<'_, '_>) -> Option<Rewrite> {
    overwrites(case)?;
    let target = case.target()?;
    let key = key_of_read(case)?;
    if matches!(case.dialect, Dialect::MySql | Dialect::MsSql) {
        return None;
    }
    let version = atomic::free_version(case, target)?;
    let words = case.words(case.writes, target);
    let name = words.name(&target.table.name);
    let key: Vec<String> = key.iter().map(|column| words.name(column)).collect();
    let mut all = Sql::text(format!(
        "INSERT INTO {name} {ROW_STAYS} ON CONFLICT ({}) DO UPDATE SET {STAYS}{version} = {name}.{version} + 1 \
         WHERE {name}.{version} = ",
        key.join(", ")
    ));
    all.append(Sql::called("the version that was read".to_owned()));
    let rendered = all.render(case.scene, case.style());
    let text = format!("ALTER TABLE {name} ADD COLUMN {version} BIGINT NOT NULL DEFAULT 0;\n{}", rendered.text);
    Some(atomic::under_version(case, Rendered { text, ..rendered }))
}
