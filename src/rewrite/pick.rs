//! Picking and marking in one statement, with the lock where the picking is.
//!
//! SKIP LOCKED: PostgreSQL 9.5, MySQL 8.0.1, CockroachDB 22.2. SQLite has one writer and needs no lock in the sub-query.

use super::Case;
use super::atomic::finished;
use super::outcome;
use super::sql::Sql;
use super::tokens::Text;
use crate::dialect::Dialect;
use crate::finding::{Rewrite, RewriteKind};
use crate::flow::term::Part;
use crate::lower::tree::Name;
use crate::sql::statement::{Action, Compare, Limit, Place};

/// `UPDATE t SET … WHERE id = (SELECT id … LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING …`; none on MySQL, which cannot
/// read the table it updates, and has no RETURNING.
pub fn rewrite(case: Case<'_, '_>) -> Option<Rewrite> {
    if matches!(case.dialect, Dialect::MySql | Dialect::MsSql) {
        return None;
    }
    let (source, target) = (case.source()?, case.target()?);
    let alone = case.reads.statement.accesses.len() == 1 && case.writes.statement.accesses.len() == 1;
    if !alone || source.aggregate.is_some() || source.table.name != target.table.name {
        return None;
    }
    let from_read = |term| {
        case.scene
            .ev
            .terms
            .origins(term)
            .iter()
            .find(|origin| origin.event == case.read.id && origin.part != Part::Existence)
            .cloned()
    };
    let of_row = |predicate: &&crate::sql::statement::Predicate| {
        let terms = case.scene.terms_in(case.writes, &predicate.value);
        matches!(predicate.op, Compare::Eq | Compare::In) && terms.into_iter().any(|term| from_read(term).is_some())
    };
    let key: &Name = target.filter.iter().find(of_row)?.columns.first()?;
    let words = case.words(case.writes, target);
    let mut sets = Vec::new();
    for set in &target.sets {
        if case.scene.terms_in(case.writes, &set.value).into_iter().any(|term| from_read(term).is_some()) {
            return None;
        }
        let mut said = Sql::text(words.name(&set.column));
        said.push(" = ").append(words.operand(&set.value, Some(&set.column))?);
        sets.push(said);
    }
    let table = words.name(&target.table.name);
    let mut all = match target.action {
        Action::Delete => Sql::text(format!("DELETE FROM {table}")),
        Action::Update => {
            let mut all = Sql::text(format!("UPDATE {table} SET "));
            all.append(Sql::join(sets, ", "));
            all
        }
        _ => return None,
    };
    let many = source.limit == Some(Limit::Many);
    all.push(&format!(" WHERE {} {} (", words.name(key), if many { "IN" } else { "=" }));
    all.append(picking(case, key)?).push(")");
    let returned: Vec<String> = case
        .reads
        .statement
        .output
        .iter()
        .filter_map(|output| match output.from.as_slice() {
            [column] if column != "*" => Some(words.name(column)),
            _ => None,
        })
        .collect();
    let returned = if returned.is_empty() { "*".to_owned() } else { returned.join(", ") };
    all.push(&format!(" RETURNING {returned}"));
    let note = "no row returned means that there is nothing to take; a worker that dies leaves its row marked, so give the \
                mark a time";
    let title = format!("pick and mark the {} row in one statement", target.table.name);
    Some(finished(RewriteKind::AtomicStatement, title, all.render(case.scene, case.style()), note))
}

/// The read as a sub-query that gives the key and locks the row.
fn picking(case: Case<'_, '_>, key: &Name) -> Option<Sql> {
    let source = case.source()?;
    let words = case.words(case.reads, source);
    let mut all = Sql::text(format!("SELECT {}", words.name(key)));
    match Text::of(case.reads, case.dialect) {
        Some(text) => {
            if text.has(&["group", "distinct", "union", "intersect", "except", "with"]) {
                return None;
            }
            let from = text.outside(|token| token.is("from"))?;
            all.push(" ").append(text.sql(from, text.before_lock(), &words)?);
        }
        None if source.ordered => return None,
        None => {
            all.push(&format!(" FROM {}", words.name(&source.table.name)));
            let conditions =
                source.filter.iter().map(|predicate| words.predicate(predicate)).collect::<Option<Vec<Sql>>>()?;
            if !conditions.is_empty() {
                all.push(" WHERE ").append(Sql::join(conditions, " AND "));
            }
            if source.limit.is_some() {
                all.push(" LIMIT 1");
            }
        }
    }
    if source.limit.is_none() {
        all.push(" LIMIT 1");
    }
    if case.dialect != Dialect::Sqlite {
        all.push(" FOR UPDATE SKIP LOCKED");
    }
    Some(all)
}

/// A statement that picks in a sub-query, with the lock inside of it.
pub fn locked_within(case: Case<'_, '_>) -> Option<Rewrite> {
    if matches!(case.dialect, Dialect::Sqlite | Dialect::MsSql) {
        return None;
    }
    let target = case.target()?;
    let read = case.writes.statement.accesses.iter().skip(1).find(|access| access.table.name == target.table.name)?;
    if read.aggregate.is_some() || !matches!(read.place, Place::InWhere | Place::Derived | Place::Cte) {
        return None;
    }
    let picks = read.limit.is_some();
    let clause = if picks { "FOR UPDATE SKIP LOCKED" } else { "FOR UPDATE" };
    let text = Text::of(case.writes, case.dialect)?.in_first_subquery(clause)?;
    let note = format!(
        "{}; no row changed means that there was none to take ({})",
        if picks { "the row is locked where it is picked" } else { "what is read is locked, and is the newest" },
        outcome::word(case)
    );
    Some(Rewrite {
        kind: RewriteKind::RowLock,
        title: format!("lock the row where the statement {} it", if picks { "picks" } else { "reads" }),
        language: "sql",
        text,
        note,
    })
}
