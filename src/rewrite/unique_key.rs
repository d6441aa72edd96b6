//! A unique key refuses the second row, and the INSERT itself finds out.

use super::Case;
use super::atomic::finished;
use super::condition::Speaker;
use super::outcome;
use super::sql::Sql;
use super::words::{Words, quoted};
use crate::dialect::Dialect;
use crate::finding::{Rewrite, RewriteKind};
use crate::lower::tree::Name;
use crate::protect::{WhyNot, meant};
use crate::race::first;
use crate::sql::statement::{
    Access as TableAccess, Action, Assignment, Compare, ConflictAction, Operand, Place, Predicate, Verb,
};

/// What makes a row unique among those that were asked for.
struct Key {
    columns: Vec<Name>,
    /// The state that was asked for besides, as SQL: `status = 'open'`.
    state: Vec<String>,
    /// The schema has it.
    known: bool,
}

/// The key that the code has in mind, as an index; none when the schema has one, or none can be told.
pub fn index(case: Case<'_, '_>) -> Option<Rewrite> {
    if let Some(columns) = in_one_order(case) {
        return index_of_pair(case, columns);
    }
    if let Some(columns) = in_one_case(case) {
        return index_without_case(case, columns);
    }
    let Some(key) = key(case) else { return index_of_state(case) };
    if key.known || !key.state.is_empty() && matches!(case.dialect, Dialect::MySql) {
        return None;
    }
    let target = case.target()?;
    let note =
        "in a migration, after what stands there twice already is cleared up; from then on the second INSERT fails \
                or meets its conflict clause"
            .to_owned();
    Some(Rewrite {
        kind: RewriteKind::UniqueKey,
        title: format!("let a unique key on {} refuse the second row", key.columns.join(", ")),
        language: "sql",
        text: create(case, &target.table.name, &key.columns, &key.state),
        note,
    })
}

/// The two columns that are asked for in both orders.
fn in_one_order<'a>(case: Case<'a, '_>) -> Option<&'a [Name]> {
    case.claim.tried.iter().find_map(|why| match why {
        WhyNot::OneOrder(columns) => Some(columns.as_slice()),
        _ => None,
    })
}

/// The columns of the key that takes another spelling for another row.
fn in_one_case<'a>(case: Case<'a, '_>) -> Option<&'a [Name]> {
    case.claim.tried.iter().find_map(|why| match why {
        WhyNot::OneCase(columns) => Some(columns.as_slice()),
        _ => None,
    })
}

/// The index over what is asked for: the columns without regard to case.
fn index_without_case(case: Case<'_, '_>, columns: &[Name]) -> Option<Rewrite> {
    let (target, source) = (case.target()?, case.source()?);
    let folded = |column: &Name| source.filter.iter().any(|asked| asked.folded && asked.columns.contains(column));
    let parts = columns.iter().map(|column| {
        let named = quoted(column, case.dialect);
        if folded(column) { format!("lower({named})") } else { named }
    });
    let parts: Vec<String> = parts.collect();
    let name = index_name(&format!("{}_{}_any_case", target.table.name, columns.join("_")));
    Some(Rewrite {
        kind: RewriteKind::UniqueKey,
        title: format!("let a unique key on {}, in whatever case, refuse the second row", columns.join(", ")),
        language: "sql",
        text: format!(
            "CREATE UNIQUE INDEX {name} ON {} ({})",
            quoted(&target.table.name, case.dialect),
            parts.join(", ")
        ),
        note: "in a migration, after what stands there twice already is cleared up; from then on the second INSERT \
               fails in whatever case it is spelt"
            .to_owned(),
    })
}

/// A name without the quotes and dots of what it is made of.
fn index_name(of: &str) -> String {
    of.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The index that takes two columns for a pair without an order.
fn index_of_pair(case: Case<'_, '_>, columns: &[Name]) -> Option<Rewrite> {
    let (target, [one, other]) = (case.target()?, columns) else { return None };
    let (smaller, greater) = match case.dialect {
        Dialect::Sqlite => ("MIN", "MAX"),
        Dialect::Postgres | Dialect::Cockroach | Dialect::MySql => ("LEAST", "GREATEST"),
        Dialect::MsSql => return None,
    };
    let (a, b) = (quoted(one, case.dialect), quoted(other, case.dialect));
    let part = |name: &str| match case.dialect {
        Dialect::MySql => format!("({name}({a}, {b}))"),
        _ => format!("{name}({a}, {b})"),
    };
    let name = index_name(&format!("{}_{one}_{other}_pair", target.table.name));
    Some(Rewrite {
        kind: RewriteKind::UniqueKey,
        title: format!("let a unique key on {one} and {other}, whichever comes first, refuse the second row"),
        language: "sql",
        text: format!(
            "CREATE UNIQUE INDEX {name} ON {} ({}, {})",
            quoted(&target.table.name, case.dialect),
            part(smaller),
            part(greater)
        ),
        note: "in a migration, after what stands there twice already is cleared up; from then on the second INSERT \
               fails, also with the two the other way round"
            .to_owned(),
    })
}

/// The index that lets one row at most be in a state, where nothing else was asked for.
fn index_of_state(case: Case<'_, '_>) -> Option<Rewrite> {
    let (target, source) = (case.target()?, case.source()?);
    let indexed = matches!(case.dialect, Dialect::Postgres | Dialect::Cockroach | Dialect::Sqlite);
    let [predicate] = source.filter.as_slice() else { return None };
    let predicate = &in_words(case, predicate);
    let [column] = predicate.columns.as_slice() else { return None };
    let of_state = match predicate.op {
        Compare::IsNull => true,
        Compare::Eq => matches!(predicate.value, Operand::Literal(_)),
        _ => false,
    };
    let latest = source.ordered && source.limit.is_some();
    let alone = source.table.name == target.table.name && case.read.id != case.write.id;
    let tells_all = meant::beside(case.scene, &case.claim.sequence).is_some_and(|beside| beside.is_empty());
    if !tells_all || !indexed || !of_state || latest || !alone || case.claim.sequence.checks_aggregate() {
        return None;
    }
    let state = said(case, source, predicate)?;
    let name: String =
        format!("{}_{column}_key", target.table.name).chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    Some(Rewrite {
        kind: RewriteKind::UniqueKey,
        title: format!("let a unique index refuse a second row with {state}"),
        language: "sql",
        text: format!(
            "CREATE UNIQUE INDEX {name} ON {} (({state})) WHERE {state}",
            quoted(&target.table.name, case.dialect)
        ),
        note:
            "in a migration, after what stands there twice already is cleared up; from then on the second INSERT fails"
                .to_owned(),
    })
}

/// For a table that is locked while a row is looked for and inserted: the key that does without the lock.
pub fn instead_of_lock(case: Case<'_, '_>, read: &TableAccess) -> Option<Rewrite> {
    let asked = read.filter.iter().filter(|predicate| predicate.op == Compare::Eq && predicate.columns.len() == 1);
    let columns: Vec<Name> = asked.map(|predicate| predicate.columns[0].clone()).collect();
    (!columns.is_empty()).then(|| Rewrite {
        kind: RewriteKind::UniqueKey,
        title: format!("let a unique key on {} refuse the second row instead", columns.join(", ")),
        language: "sql",
        text: create(case, &read.table.name, &columns, &[]),
        note: "in a migration; with it the INSERT fails for the second request, and nobody has to wait".to_owned(),
    })
}

fn create(case: Case<'_, '_>, table: &str, columns: &[Name], state: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quoted(column, case.dialect)).collect();
    let plain: String =
        format!("{table}_{}_key", columns.join("_")).chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut text = format!("CREATE UNIQUE INDEX {plain} ON {} ({})", quoted(table, case.dialect), names.join(", "));
    if !state.is_empty() {
        text.push_str(&format!(" WHERE {}", state.join(" AND ")));
    }
    text
}

/// The INSERT with the conflict clause that fits the key.
pub fn rewrite(case: Case<'_, '_>) -> Option<Rewrite> {
    let target = case.target()?;
    if target.action != Action::Insert || target.sets.is_empty() || target.table.name == "?" {
        return None;
    }
    if in_one_order(case).or_else(|| in_one_case(case)).is_some() {
        return None;
    }
    let key = key(case)?;
    let words = case.words(case.writes, target);
    let columns: Vec<String> = target.sets.iter().map(|set| words.name(&set.column)).collect();
    let updates = updates(case, target)?;
    let values = target.sets.iter().map(|set| {
        // What was computed from the old row is not what a new row begins with.
        let computed = !updates.is_empty() && case.is_stale(&set.value);
        let first = || Some(Sql::called(format!("the first {}", set.column)));
        if computed { first() } else { words.operand(&set.value, Some(&set.column)) }
    });
    let values = values.collect::<Option<Vec<Sql>>>()?;
    let ignore = if case.dialect == Dialect::MySql && updates.is_empty() { "IGNORE " } else { "" };
    let table = words.name(&target.table.name);
    let mut all = Sql::text(format!("INSERT {ignore}INTO {table} ({}) VALUES (", columns.join(", ")));
    all.append(Sql::join(values, ", ")).push(")");
    let names: Vec<String> = key.columns.iter().map(|column| words.name(column)).collect();
    let arbiter = if key.state.is_empty() { format!(" ({})", names.join(", ")) } else { String::new() };
    let upserts = !updates.is_empty();
    match (case.dialect, upserts) {
        (Dialect::MsSql, _) => return None,
        (Dialect::MySql, false) => {}
        (Dialect::MySql, true) => {
            all.push(" ON DUPLICATE KEY UPDATE ").append(Sql::join(updates, ", "));
        }
        (_, false) => {
            all.push(&format!(" ON CONFLICT{arbiter} DO NOTHING"));
        }
        (_, true) if key.state.is_empty() => {
            all.push(&format!(" ON CONFLICT{arbiter} DO UPDATE SET ")).append(Sql::join(updates, ", "));
        }
        _ => return None,
    }
    let own: Vec<String> = case
        .writes
        .statement
        .output
        .iter()
        .filter_map(|output| match output.from.as_slice() {
            [column] if column != "*" => Some(words.name(column)),
            _ => None,
        })
        .collect();
    if !own.is_empty() && case.dialect != Dialect::MySql {
        all.push(&format!(" RETURNING {}", own.join(", ")));
    }
    let rendered = all.render(case.scene, case.style());
    let needs = if key.known { String::new() } else { format!("needs the unique key on {}; ", key.columns.join(", ")) };
    let (title, note) = match upserts {
        true => {
            ("insert or update in one statement".to_owned(), format!("{needs}whichever comes second changes the row"))
        }
        false => (
            "let the INSERT itself find out".to_owned(),
            format!("{needs}no row inserted means that it was there already: refuse there ({})", outcome::word(case)),
        ),
    };
    Some(finished(RewriteKind::UniqueKey, title, rendered, &note))
}

/// For a number that is one more than the highest: the key that makes the second of two equal numbers fail.
pub fn numbered(case: Case<'_, '_>) -> Option<Rewrite> {
    let target = case.target()?;
    let scope = target.sets.iter().filter(|set| {
        let held = case.writes.statement.accesses.iter().skip(1).any(|read| read.equals(&set.column).is_some());
        held && matches!(set.value, Operand::Placeholder(_) | Operand::Named(_))
    });
    let number = target.sets.iter().find(|set| {
        matches!(set.value, Operand::Subquery(_))
            || matches!(&set.value, Operand::Expr { parts, .. } if parts.iter().any(|part| {
                matches!(part, Operand::Subquery(_) | Operand::Expr { .. })
            }))
    })?;
    let columns: Vec<Name> = scope.map(|set| set.column.clone()).chain([number.column.clone()]).collect();
    Some(Rewrite {
        kind: RewriteKind::UniqueKey,
        title: format!("let a unique key refuse the second {}", number.column),
        language: "sql",
        text: create(case, &target.table.name, &columns, &[]),
        note:
            "the second of two equal numbers fails: run its statement again; a sequence gives numbers without a wait, \
               with gaps"
                .to_owned(),
    })
}

/// The assignments of an upsert: those of the UPDATE that found no row, or of the conflict clause that stands there, with
/// the row's own columns where a value was computed from the old row.
fn updates(case: Case<'_, '_>, target: &TableAccess) -> Option<Vec<Sql>> {
    if case.reads.statement.verb == Verb::Update && case.read.id != case.write.id {
        let source = case.reads.statement.target()?;
        let words = qualified(case.words(case.reads, source));
        return source
            .sets
            .iter()
            .map(|set| {
                let mut said = Sql::text(words.name(&set.column));
                said.push(" = ").append(words.operand(&set.value, Some(&set.column))?);
                Some(said)
            })
            .collect();
    }
    let replaced: Vec<Assignment>;
    let sets = match target.conflict.as_ref().map(|conflict| &conflict.action) {
        Some(ConflictAction::Update { sets, .. }) => sets,
        Some(ConflictAction::Replace) => {
            let key = key(case)?;
            replaced = target.sets.iter().filter(|set| !key.columns.contains(&set.column)).cloned().collect();
            &replaced
        }
        _ => return Some(Vec::new()),
    };
    let refused = case.claim.tried.contains(&WhyNot::ConflictOverwrites) && case.claim.sequence.values.is_empty();
    if refused {
        return Some(Vec::new());
    }
    let words = qualified(case.words(case.writes, target));
    let speaker = Speaker { words, read: case.read.id, output: &case.reads.statement.output };
    sets.iter()
        .map(|set| {
            let given = match &set.value {
                Operand::Excluded(column) => &target.sets.iter().find(|set| set.column == *column)?.value,
                value => value,
            };
            let term = case.writes.bound(given);
            let value = match term.filter(|term| speaker.is_read(*term)) {
                Some(term) => speaker.value(term, 0)?,
                None => words.operand(&set.value, Some(&set.column))?,
            };
            let mut said = Sql::text(words.name(&set.column));
            said.push(" = ").append(value);
            Some(said)
        })
        .collect()
}

fn qualified<'a, 'p>(words: Words<'a, 'p>) -> Words<'a, 'p> {
    Words { qualified: words.dialect != Dialect::MySql, ..words }
}

/// The key: the columns that the read asked for and the INSERT gives, and those that were compared in the program.
fn key(case: Case<'_, '_>) -> Option<Key> {
    let target = case.target()?;
    if case.claim.sequence.checks_aggregate() || first::is_mark(&case.claim.sequence) {
        // A key says "at most one", not "at most n", and one more row is right where it has not the mark.
        return None;
    }
    let source = match case.read.id == case.write.id {
        true => case.writes.statement.accesses.iter().skip(1).find(|read| read.place == Place::NotExists)?,
        false => case.source()?,
    };
    let given = |column: &Name| target.sets.is_empty() || target.sets.iter().any(|set| set.column == *column);
    let mut columns: Vec<Name> = Vec::new();
    let mut state = Vec::new();
    for predicate in source.filter.iter().map(|predicate| in_words(case, predicate)) {
        let [column] = predicate.columns.as_slice() else { continue };
        match (&predicate.op, &predicate.value) {
            (Compare::Eq, Operand::Literal(_) | Operand::Null) | (Compare::IsNull | Compare::IsNotNull, _) => {
                state.extend(said(case, source, &predicate));
            }
            (Compare::Eq, _) if given(column) && !columns.contains(column) => columns.push(column.clone()),
            _ => {}
        }
    }
    let beside = meant::beside(case.scene, &case.claim.sequence);
    for column in beside.iter().flatten().filter(|column| given(column)) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    if columns.is_empty() || source.ordered && source.limit.is_some() && beside.as_ref().is_none_or(Vec::is_empty) {
        // The latest of several was asked for.
        return None;
    }
    let known = case.scene.schema.table(&target.table.name).is_some_and(|table| {
        table.keys().any(|key| key.len() == columns.len() && key.iter().all(|column| columns.contains(column)))
    });
    // Where a wider key tells rows apart, several of them share what was asked for.
    let wider = case.scene.schema.table(&target.table.name).is_some_and(|table| {
        table.keys().any(|key| key.len() > columns.len() && columns.iter().all(|column| key.contains(column)))
    });
    // What was asked of the rows in the program is no part of what was asked for in SQL.
    if (wider || beside.is_none()) && !known {
        return None;
    }
    Some(Key { columns, state: if known { Vec::new() } else { state }, known })
}

/// What is asked of a column, with a truth value or a number that is bound in each request as it would stand in the text.
fn in_words(case: Case<'_, '_>, predicate: &Predicate) -> Predicate {
    let plain = |text: &Name| matches!(text.as_str(), "true" | "false") || text.bytes().all(|b| b.is_ascii_digit());
    let bound = !matches!(predicate.value, Operand::Literal(_) | Operand::Null);
    let access = if case.read.id == case.write.id { case.writes } else { case.reads };
    match access.constant(&case.scene.ev.terms, &predicate.value).filter(|text| bound && plain(text)) {
        Some(text) => Predicate { value: Operand::Literal(text.to_string()), ..predicate.clone() },
        None => predicate.clone(),
    }
}

fn said(case: Case<'_, '_>, source: &TableAccess, predicate: &Predicate) -> Option<String> {
    let access = if case.read.id == case.write.id { case.writes } else { case.reads };
    let words = Words { scene: case.scene, access, table: &source.table.name, dialect: case.dialect, qualified: false };
    words.predicate(predicate).map(|sql| sql.render(case.scene, case.style()).text)
}
