//! The corpus: statements of real programs and what is read from them, in a short written form.
//!
//! A block of a corpus file is a statement, a line `=> …` for each statement or unknown piece that comes out, and a
//! blank line. `## dialect` holds until the next one. `{}` in a statement stands for a hole.

use super::parse;
use crate::dialect::Dialect;
use crate::sql::statement::*;

#[test]
fn reads() {
    hold(include_str!("reads.txt"));
}

#[test]
fn writes() {
    hold(include_str!("writes.txt"));
}

#[test]
fn locks() {
    hold(include_str!("locks.txt"));
}

#[test]
fn holes() {
    hold(include_str!("holes.txt"));
}

/// Compares every block, and prints the file as it would have to be when some differ.
fn hold(corpus: &str) {
    let mut dialect = Dialect::Postgres;
    let (mut now, mut wrong) = (String::new(), String::new());
    for block in corpus.trim_end().split("\n\n") {
        let mut sql = String::new();
        for line in block.lines() {
            match line.strip_prefix("## ") {
                Some(name) => {
                    dialect = serde_json::from_value(name.into()).expect("a dialect's name");
                    now.push_str(line);
                    now.push('\n');
                }
                None if line.starts_with("=> ") => {}
                None => {
                    sql.push_str(line);
                    sql.push('\n');
                }
            }
        }
        let parsed = parse(&sql.replace("{}", "\u{FFFC}"), dialect);
        let mut lines: Vec<String> = parsed.statements.iter().map(statement).collect();
        lines.extend(parsed.unknown.iter().map(|unknown| format!("unknown: {}", unknown.why)));
        let lines: Vec<String> = lines.into_iter().map(|line| format!("=> {line}")).collect();
        let expected: Vec<&str> = block.lines().filter(|line| line.starts_with("=> ")).collect();
        if expected != lines {
            wrong.push_str(&format!("{sql}  expected {}\n  got      {}\n", expected.join("\n"), lines.join("\n")));
        }
        now.push_str(&format!("{sql}{}\n\n", lines.join("\n")));
    }
    if let Ok(path) = std::env::var("RACELINT_CORPUS_OUT") {
        std::fs::write(path, &now).expect("a place to write to");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn statement(statement: &Statement) -> String {
    let verb = match &statement.verb {
        Verb::Begin { isolation, mode } => format!(
            "begin{}{}",
            if *mode == BeginMode::Plain { String::new() } else { format!(" {mode:?}").to_lowercase() },
            isolation.map(|level| format!(" {}", level.name().to_lowercase())).unwrap_or_default()
        ),
        Verb::SetIsolation { level, scope } => format!("isolation {} {scope:?}", level.name()).to_lowercase(),
        Verb::LockTables(tables) => {
            let tables: Vec<String> = tables.iter().map(|(name, lock)| format!("{name} {lock:?}")).collect();
            format!("lock {}", tables.join(", "))
        }
        Verb::Savepoint(name) => format!("savepoint {name}"),
        Verb::RollbackTo(name) => format!("rollback to {name}"),
        Verb::Release(name) => format!("release {name}"),
        verb => format!("{verb:?}").to_lowercase(),
    };
    let mut out = verb;
    for one in &statement.accesses {
        out.push_str("; ");
        out.push_str(&access(one));
    }
    let output: Vec<String> = statement.output.iter().map(self::output).collect();
    if !output.is_empty() {
        out.push_str(&format!("; -> {}", output.join(", ")));
    }
    for gap in &statement.gaps {
        out.push_str(&format!("; gap: {gap}"));
    }
    out
}

fn access(access: &Access) -> String {
    let mut out = format!("{:?} ", access.action).to_lowercase();
    if let Some(schema) = &access.table.schema {
        out.push_str(&format!("{schema}."));
    }
    out.push_str(&access.table.name);
    if let Some(alias) = &access.table.alias {
        out.push_str(&format!(" as {alias}"));
    }
    if access.place != Place::Main {
        out.push_str(&format!(" @{:?}", access.place).to_lowercase());
    }
    if !access.filter.is_empty() {
        out.push_str(&format!(" [{}]", predicates(&access.filter)));
    }
    if !access.columns.is_empty() {
        out.push_str(&format!(" ({})", access.columns.join(" ")));
    }
    if !access.sets.is_empty() {
        out.push_str(&format!(" set {{{}}}", assignments(&access.sets)));
    }
    if let Some(lock) = &access.lock {
        out.push_str(&format!(" lock {:?}", lock.strength).to_lowercase());
        match lock.wait {
            Wait::Block => {}
            Wait::NoWait => out.push_str(" nowait"),
            Wait::SkipLocked => out.push_str(" skip"),
        }
        if !lock.of.is_empty() {
            out.push_str(&format!(" of {}", lock.of.join(" ")));
        }
    }
    if let Some(aggregate) = access.aggregate {
        out.push_str(&format!(" {aggregate:?}").to_lowercase());
    }
    if let Some(limit) = access.limit {
        out.push_str(&format!(" limit {limit:?}").to_lowercase());
    }
    if access.ordered {
        out.push_str(" ordered");
    }
    if let Some(conflict) = &access.conflict {
        let target = match &conflict.target {
            ConflictTarget::Columns(columns) => format!("({})", columns.join(" ")),
            ConflictTarget::Constraint(name) => name.to_string(),
            ConflictTarget::Any => "any".to_owned(),
        };
        let action = match &conflict.action {
            ConflictAction::Nothing => "nothing".to_owned(),
            ConflictAction::Replace => "replace".to_owned(),
            ConflictAction::Update { sets, filter } => {
                let filter = if filter.is_empty() { String::new() } else { format!(" [{}]", predicates(filter)) };
                format!("update {{{}}}{filter}", assignments(sets))
            }
        };
        out.push_str(&format!(" conflict {target} {action}"));
    }
    out
}

fn predicates(filter: &[Predicate]) -> String {
    let shown = |p: &Predicate| match (p.op, p.columns.join("+")) {
        (Compare::Other, columns) => format!("{columns}: {}", operand(&p.value)),
        (Compare::IsNull, columns) => format!("{columns} null"),
        (Compare::IsNotNull, columns) => format!("{columns} notnull"),
        (op, columns) => format!("{columns} {} {}", sign(op), operand(&p.value)),
    };
    filter.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn sign(op: Compare) -> &'static str {
    match op {
        Compare::Eq => "=",
        Compare::Ne => "<>",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
        Compare::In => "in",
        Compare::NotIn => "notin",
        Compare::Like => "like",
        _ => "?",
    }
}

fn assignments(sets: &[Assignment]) -> String {
    sets.iter().map(|set| format!("{}={}", set.column, operand(&set.value))).collect::<Vec<_>>().join(", ")
}

fn operand(operand: &Operand) -> String {
    let all = |parts: &[Operand]| parts.iter().map(self::operand).collect::<Vec<_>>().join(" ");
    match operand {
        Operand::Placeholder(n) => format!("${n}"),
        Operand::Named(name) => format!(":{name}"),
        Operand::Literal(text) => format!("'{text}'"),
        Operand::Null => "null".to_owned(),
        Operand::Default => "default".to_owned(),
        Operand::Column { table: None, column } => column.to_string(),
        Operand::Column { table: Some(table), column } => format!("{table}.{column}"),
        Operand::Excluded(column) => format!("excluded.{column}"),
        Operand::Expr { text, parts } if parts.is_empty() => text.clone(),
        Operand::Expr { text, parts } => format!("({text} {})", all(parts)),
        Operand::Subquery(parts) => format!("<{}>", all(parts)),
        Operand::Unknown => "?".to_owned(),
    }
}

fn output(output: &Output) -> String {
    let mut out = output.name.to_string();
    if output.from.len() != 1 || output.from.first() != Some(&output.name) {
        out.push_str(&format!("({})", output.from.join(" ")));
    }
    if let Some(aggregate) = output.aggregate {
        out.push_str(&format!(" {aggregate:?}").to_lowercase());
    }
    if let Some(lock) = &output.lock {
        let key: Vec<String> = lock.key.iter().map(operand).collect();
        let shared = if lock.shared { " shared" } else { "" };
        let call = format!(" {:?} {:?}{shared}", lock.act, lock.scope).to_lowercase();
        out.push_str(&format!("{call} [{}]", key.join(" ")));
    }
    out
}
