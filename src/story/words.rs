//! Statements in the program's own words: its SQL where there is SQL, else SQL made from what the builder said.

use std::fmt::Write as _;

use crate::event::{Event, EventKind};
use crate::link::FnId;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::rules::claim::Claim;
use crate::sql::statement::{Access, Action, Compare, Operand, Predicate, Statement, Strength, Verb};

/// The table a claim is about: that of the write, or of the write that a lock is meant for.
pub fn table_of<'a>(scene: &Scene<'a, '_>, claim: &Claim, write: &'a Event) -> &'a str {
    let meant_for = claim.meant_for.and_then(|id| scene.event(id)).filter(|_| table(write).is_empty());
    table(meant_for.unwrap_or(write))
}

/// The table a statement is about: its target, or what it reads first.
pub fn table(event: &Event) -> &str {
    let Some(access) = event.access() else { return "" };
    if let Verb::LockTables(tables) = &access.statement.verb
        && let Some((name, _)) = tables.first()
    {
        return name;
    }
    access.statement.accesses.first().map_or("", |access| access.table.name.as_str())
}

/// A column by its name; none where only its number is known, or where the text of the statement is not constant there.
pub fn named(column: &str) -> Option<&str> {
    let known = !column.contains('?') && !column.chars().all(|c| c.is_ascii_digit());
    known.then_some(column)
}

/// A function as its callers would write it: `Order::cancel`, `reset`.
pub fn function(scene: &Scene<'_, '_>, id: FnId) -> String {
    let path = scene.ev.program.path_of(id);
    let mut names = path.rsplit("::");
    let own = names.next().unwrap_or_default().to_owned();
    match names.next().filter(|owner| owner.starts_with(|c: char| c.is_ascii_uppercase())) {
        Some(owner) => format!("{owner}::{own}"),
        None => own,
    }
}

/// What leaves the process, as it is called: a single word such as `send` by the function that it stands in.
pub fn effect(scene: &Scene<'_, '_>, event: &Event) -> String {
    let EventKind::Effect(effect) = &event.kind else { return "the effect".to_owned() };
    let says_little = effect.name.chars().all(char::is_alphanumeric);
    match event.calls.last().filter(|_| says_little) {
        Some(call) => function(scene, call.function),
        None => effect.name.clone(),
    }
}

/// Whether a claim is about a number that a new row gets, beside those that are there.
pub fn is_numbered(claim: &Claim, write: &Event) -> bool {
    let inserts = |target: &Access| target.action == Action::Insert && !target.writes_over();
    claim.sequence.relation == Relation::NewRowOfSet && write.target().is_some_and(inserts)
}

/// What is said of requests, of a function that no request leads to.
pub fn of_runs(text: &str) -> String {
    let said = [("two requests", "two runs"), ("second request", "second run"), ("once a request", "once a run")];
    said.into_iter().fold(text.to_owned(), |text, (of_requests, of_runs)| text.replace(of_requests, of_runs))
}

/// The statement on one line.
pub fn statement(event: &Event) -> String {
    match event.access() {
        Some(access) if !access.text.is_empty() => access.text.to_string(),
        Some(access) => rendered(&access.statement),
        None => String::new(),
    }
}

/// A statement as SQL; parts that have no words here are left out.
pub fn rendered(statement: &Statement) -> String {
    let Some(main) = statement.accesses.first() else { return verb(&statement.verb).to_owned() };
    let mut out = String::new();
    match main.action {
        Action::Read => {
            let columns: Vec<&str> = match statement.output.is_empty() {
                true => main.columns.iter().map(|name| name.as_str()).collect(),
                false => statement.output.iter().map(|output| output.name.as_str()).collect(),
            };
            let columns = if columns.is_empty() || columns.len() > 8 { "*".to_owned() } else { columns.join(", ") };
            let _ = write!(out, "SELECT {columns} FROM {}", main.table.name);
        }
        Action::Insert => {
            let columns: Vec<&str> = main.sets.iter().map(|set| set.column.as_str()).collect();
            let values: Vec<String> = main.sets.iter().map(|set| operand(&set.value)).collect();
            let _ =
                write!(out, "INSERT INTO {} ({}) VALUES ({})", main.table.name, columns.join(", "), values.join(", "));
        }
        Action::Update => {
            let sets: Vec<String> =
                main.sets.iter().map(|set| format!("{} = {}", set.column, operand(&set.value))).collect();
            let _ = write!(out, "UPDATE {} SET {}", main.table.name, sets.join(", "));
        }
        Action::Delete => {
            let _ = write!(out, "DELETE FROM {}", main.table.name);
        }
    }
    out.push_str(&condition(main));
    if let Some(lock) = &main.lock {
        let _ = write!(out, " FOR {}", strength(lock.strength));
    }
    out
}

fn condition(access: &Access) -> String {
    let parts: Vec<String> = access
        .filter
        .iter()
        .map(|part| if is_choice(part) { format!("({})", predicate(part)) } else { predicate(part) })
        .collect();
    if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
}

/// A condition as SQL.
pub fn predicate(predicate: &Predicate) -> String {
    let column = predicate.columns.first().map_or("", |name| name.as_str());
    match predicate.op {
        Compare::IsNull => format!("{column} IS NULL"),
        Compare::IsNotNull => format!("{column} IS NOT NULL"),
        Compare::Other => operand(&predicate.value),
        op => format!("{column} {} {}", symbol(op), operand(&predicate.value)),
    }
}

pub fn symbol(op: Compare) -> &'static str {
    match op {
        Compare::Eq => "=",
        Compare::Ne => "<>",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
        Compare::In => "IN",
        Compare::NotIn => "NOT IN",
        Compare::Like => "LIKE",
        Compare::IsNull => "IS NULL",
        Compare::IsNotNull => "IS NOT NULL",
        Compare::Other => "",
    }
}

/// A value as SQL.
pub fn operand(value: &Operand) -> String {
    match value {
        Operand::Placeholder(n) => format!("${}", n + 1),
        Operand::Named(name) => format!(":{name}"),
        Operand::Literal(text) if text.parse::<f64>().is_ok() || text == "true" || text == "false" => text.clone(),
        Operand::Literal(text) => format!("'{}'", text.replace('\'', "''")),
        Operand::Null => "NULL".to_owned(),
        Operand::Default => "DEFAULT".to_owned(),
        Operand::Column { table: Some(table), column } => format!("{table}.{column}"),
        Operand::Column { table: None, column } => column.to_string(),
        Operand::Excluded(column) => format!("EXCLUDED.{column}"),
        Operand::Expr { text, parts } => expression(text, parts),
        Operand::Subquery(_) => "(SELECT …)".to_owned(),
        Operand::Unknown => "…".to_owned(),
    }
}

/// Whether a condition must stand in brackets beside others.
pub fn is_choice(predicate: &Predicate) -> bool {
    predicate.op == Compare::Other
        && matches!(&predicate.value, Operand::Expr { text, parts } if text == "or" && parts.len() > 1)
}

/// A call or an operator with its parts; a text that holds them already.
fn expression(text: &str, parts: &[Operand]) -> String {
    let nested = |part: &Operand| matches!(part, Operand::Expr { text, .. } if matches!(text.as_str(), "and" | "or"));
    let said: Vec<String> =
        parts.iter().map(|part| if nested(part) { format!("({})", operand(part)) } else { operand(part) }).collect();
    if let (Some(operator), [one]) = (after_its_part(text), said.as_slice()) {
        return format!("{one} {operator}");
    }
    if let ("in" | "not in" | "like" | "not like", [left, right]) = (text, said.as_slice()) {
        return format!("{left} {} {right}", text.to_uppercase());
    }
    let stands_alone = parts.is_empty() || text.contains(char::is_whitespace) && !text.ends_with("()");
    let word = matches!(text, "and" | "or" | "not");
    let joins = word || !text.contains(|c: char| c.is_alphanumeric());
    let operator = || if word { text.to_uppercase() } else { text.to_owned() };
    match text.strip_suffix("()") {
        _ if stands_alone => text.to_owned(),
        Some(name) => format!("{name}({})", said.join(", ")),
        None if text == "list" => format!("({})", said.join(", ")),
        None if joins && said.len() > 1 => said.join(&format!(" {} ", operator())),
        None if joins => format!("{} {}", operator(), said.join(" ")),
        None => format!("{text}({})", said.join(", ")),
    }
}

/// An operator that stands behind what it asks about.
pub fn after_its_part(text: &str) -> Option<&'static str> {
    Some(match text {
        "is null" => "IS NULL",
        "is not null" => "IS NOT NULL",
        "is true" => "IS TRUE",
        "is not true" => "IS NOT TRUE",
        "is false" => "IS FALSE",
        "is not false" => "IS NOT FALSE",
        _ => return None,
    })
}

pub fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::KeyShare => "KEY SHARE",
        Strength::Share => "SHARE",
        Strength::NoKeyUpdate => "NO KEY UPDATE",
        Strength::Update => "UPDATE",
    }
}

fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::LockTables(_) => "LOCK TABLE",
        Verb::UnlockTables => "UNLOCK TABLES",
        Verb::SetIsolation { .. } => "SET TRANSACTION",
        Verb::Savepoint(_) => "SAVEPOINT",
        Verb::RollbackTo(_) => "ROLLBACK TO",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::tree::Name;

    #[test]
    fn operators_stand_where_sql_has_them() {
        let column = |name: &str| Operand::Column { table: None, column: Name::new(name) };
        let made = |text: &str, parts: Vec<Operand>| Operand::Expr { text: text.to_owned(), parts };
        let none = made("is null", vec![column("ends_at")]);
        let later = made(">", vec![column("ends_at"), made("now()", Vec::new())]);
        let list = made("list", vec![Operand::Literal("1".to_owned()), Operand::Placeholder(0)]);
        for (value, wanted) in [
            (made("or", vec![none.clone(), later.clone()]), "ends_at IS NULL OR ends_at > now()"),
            (
                made("and", vec![made("or", vec![none.clone(), later]), column("open")]),
                "(ends_at IS NULL OR ends_at > now()) AND open",
            ),
            (made("not", vec![none]), "NOT ends_at IS NULL"),
            (made("not in", vec![column("id"), list]), "id NOT IN (1, $1)"),
            (made("coalesce()", vec![column("n"), Operand::Null]), "coalesce(n, NULL)"),
            (made("-", vec![column("n"), Operand::Placeholder(1)]), "n - $2"),
        ] {
            assert_eq!(operand(&value), wanted);
        }
    }
}
