//! Statements without rows: transactions, savepoints, isolation levels, table locks.
//!
//! They are read off the tokens, since every engine has its own spelling and none has a grammar worth a parser.

use super::lex::{Kind, Token};
use super::statement::{
    BeginMode, IsolationScope, LockAct, LockCall, LockScope, Operand, Output, Statement, TableLock, Verb,
};
use crate::dialect::{Dialect, Isolation};
use crate::lower::tree::Name;

/// Reads a statement that touches no rows. None when it is not one of them.
pub(super) fn control(tokens: &[Token], dialect: Dialect) -> Option<Statement> {
    let (first, rest) = tokens.split_first()?;
    if first.kind != Kind::Word {
        return None;
    }
    let verb = match first.text.to_ascii_lowercase().as_str() {
        "begin" => begin(rest)?,
        "start" if rest.first()?.is("transaction") => begin(&rest[1..])?,
        "commit" | "end" => {
            only(rest, &["work", "transaction", "tran", "and", "no", "chain"]).then_some(Verb::Commit)?
        }
        "rollback" | "abort" => rollback(rest)?,
        "savepoint" => Verb::Savepoint(single_name(rest)?),
        "save" if rest.first()?.is_any(&["transaction", "tran"]) => Verb::Savepoint(single_name(&rest[1..])?),
        "release" => Verb::Release(single_name(after(rest, "savepoint"))?),
        "set" => set(rest)?,
        "lock" => lock_tables(rest, dialect)?,
        "unlock" if rest.first()?.is_any(&["tables", "table"]) => Verb::UnlockTables,
        "create" | "alter" | "drop" | "truncate" | "comment" | "grant" | "revoke" | "reindex" | "rename" => {
            schema(rest)?
        }
        // PostgreSQL's DO runs a block in a string, MySQL's an expression.
        "do" if rest.first().is_some_and(|t| t.kind != Kind::Str && !t.is("language")) => return None,
        "exec" | "execute" if rest.first().is_some_and(|t| t.name().starts_with("sp_")) => return app_lock(rest),
        word if OTHER.contains(&word) => Verb::Other,
        _ => return None,
    };
    Some(bare(verb))
}

const OTHER: [&str; 31] = [
    "analyze",
    "attach",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "copy",
    "deallocate",
    "declare",
    "desc",
    "describe",
    "detach",
    "discard",
    "do",
    "exec",
    "execute",
    "explain",
    "kill",
    "listen",
    "load",
    "notify",
    "optimize",
    "pragma",
    "prepare",
    "refresh",
    "reset",
    "show",
    "unlisten",
    "use",
    "vacuum",
    "flush",
];

/// A statement that is its verb and nothing else.
fn bare(verb: Verb) -> Statement {
    Statement { verb, accesses: Vec::new(), output: Vec::new(), gaps: Vec::new() }
}

fn only(tokens: &[Token], words: &[&str]) -> bool {
    tokens.iter().all(|token| token.is_any(words) || token.kind == Kind::Hole)
}

fn after<'a>(tokens: &'a [Token], word: &str) -> &'a [Token] {
    match tokens.split_first() {
        Some((first, rest)) if first.is(word) => rest,
        _ => tokens,
    }
}

fn single_name(tokens: &[Token]) -> Option<Name> {
    match tokens {
        [token] if matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Hole) => Some(token.name().into()),
        _ => None,
    }
}

fn begin(tokens: &[Token]) -> Option<Verb> {
    let tokens = match tokens.split_first() {
        Some((first, rest)) if first.is_any(&["work", "transaction", "tran"]) => rest,
        _ => tokens,
    };
    let (mode, tokens) = match tokens.split_first() {
        Some((first, rest)) if first.is("deferred") => (BeginMode::Deferred, rest),
        Some((first, rest)) if first.is("immediate") => (BeginMode::Immediate, rest),
        Some((first, rest)) if first.is("exclusive") => (BeginMode::Exclusive, rest),
        _ => (BeginMode::Plain, tokens),
    };
    let words =
        ["transaction", "isolation", "level", "read", "write", "only", "committed", "uncommitted", "repeatable"];
    let more = ["serializable", "snapshot", "not", "deferrable", "with", "consistent", "priority", "high", "low", "as"];
    let known = |t: &Token| t.is_any(&words) || t.is_any(&more) || t.punct(",") || t.kind == Kind::Hole;
    tokens.iter().all(known).then(|| Verb::Begin { isolation: level(tokens), mode })
}

/// The isolation level that stands after `LEVEL`.
fn level(tokens: &[Token]) -> Option<Isolation> {
    let at = tokens.iter().position(|token| token.is("level"))?;
    named_level(&tokens[at + 1..])
}

fn named_level(tokens: &[Token]) -> Option<Isolation> {
    let words: Vec<String> = tokens.iter().take(2).map(|token| token.name().to_lowercase()).collect();
    let text = words.join(" ").replace(['-', '_'], " ");
    let levels = [
        ("read uncommitted", Isolation::ReadUncommitted),
        ("read committed", Isolation::ReadCommitted),
        ("repeatable read", Isolation::RepeatableRead),
        ("serializable", Isolation::Serializable),
        ("snapshot", Isolation::Snapshot),
    ];
    levels.into_iter().find(|(name, _)| text.starts_with(name)).map(|(_, level)| level)
}

fn rollback(tokens: &[Token]) -> Option<Verb> {
    let tokens = match tokens.split_first() {
        Some((first, rest)) if first.is_any(&["work", "transaction", "tran"]) => rest,
        _ => tokens,
    };
    let Some((first, rest)) = tokens.split_first() else { return Some(Verb::Rollback) };
    if first.is("to") {
        return Some(Verb::RollbackTo(single_name(after(rest, "savepoint"))?));
    }
    only(tokens, &["and", "no", "chain"]).then_some(Verb::Rollback)
}

/// `SET TRANSACTION …`, `SET SESSION CHARACTERISTICS AS TRANSACTION …`, and the variables that mean the same:
/// PostgreSQL's `default_transaction_isolation` and `transaction_isolation`, MySQL's `tx_isolation`.
fn set(tokens: &[Token]) -> Option<Verb> {
    let first = tokens.first()?;
    let session = tokens.iter().any(|t| t.is_any(&["session", "global", "characteristics"]));
    let head = tokens.iter().take(4).position(|t| t.is("transaction"));
    if let (Some(at), Some(level)) = (head, level(tokens)) {
        let scope = if session && at > 0 { IsolationScope::Session } else { IsolationScope::Transaction };
        return Some(Verb::SetIsolation { level, scope });
    }
    let variable = tokens.iter().position(|t| {
        let name = t.name().to_lowercase();
        ["default_transaction_isolation", "transaction_isolation", "tx_isolation"].contains(&name.as_str())
    });
    if let Some(at) = variable
        && let Some(level) = tokens.get(at + 2..).and_then(named_level)
    {
        // On PostgreSQL `transaction_isolation` is the running transaction's; on MySQL the session's, unless `@@` is bare.
        let transaction = !session && tokens[at].is("transaction_isolation");
        let scope = if transaction { IsolationScope::Transaction } else { IsolationScope::Session };
        return Some(Verb::SetIsolation { level, scope });
    }
    let settles = tokens.iter().any(|t| t.punct("=") || t.punct(":=") || t.is("to"));
    let known = first.is_any(&[
        "local",
        "session",
        "names",
        "role",
        "constraints",
        "time",
        "character",
        "transaction",
        "global",
    ]);
    (settles || known || (tokens.len() == 2 && tokens[1].is_any(&["on", "off"]))).then_some(Verb::Other)
}

fn lock_tables(tokens: &[Token], dialect: Dialect) -> Option<Verb> {
    let mysql = dialect == Dialect::MySql || tokens.first()?.is("tables");
    let tokens = match tokens.split_first() {
        Some((first, rest)) if first.is_any(&["table", "tables"]) => rest,
        _ => tokens,
    };
    if mysql && !tokens.iter().any(|t| t.is("mode")) {
        return Some(Verb::LockTables(super::lex::parts(tokens).into_iter().filter_map(mysql_lock).collect()));
    }
    let at = tokens.iter().position(|t| t.is("in"));
    let mode = match at {
        Some(at) => {
            let words: Vec<String> = tokens[at + 1..].iter().map(Token::name).collect();
            table_lock(&words.join(" "))?
        }
        // LOCK TABLE without a mode is ACCESS EXCLUSIVE (PostgreSQL manual, "LOCK").
        None => TableLock::BlocksAll,
    };
    let tables = &tokens[..at.unwrap_or_else(|| tokens.iter().position(|t| t.is("nowait")).unwrap_or(tokens.len()))];
    let named = |part: &[Token]| match part {
        [only, name] | [only, name, _] if only.is("only") => Some(name.name()),
        [name] => Some(name.name()),
        [.., dot, name] if dot.punct(".") => Some(name.name()),
        _ => None,
    };
    let locks: Option<Vec<_>> =
        super::lex::parts(tables).into_iter().map(|part| Some((Name::from(named(part)?), mode))).collect();
    locks.filter(|locks| !locks.is_empty()).map(Verb::LockTables)
}

fn table_lock(mode: &str) -> Option<TableLock> {
    let mode = mode.split(" mode").next().unwrap_or_default();
    Some(match mode {
        "access share" | "row share" | "row exclusive" => TableLock::BlocksNoWriter,
        "share" => TableLock::BlocksWritersShared,
        "share update exclusive" => TableLock::BlocksItself,
        "share row exclusive" | "exclusive" => TableLock::BlocksWriters,
        "access exclusive" => TableLock::BlocksAll,
        _ => return None,
    })
}

/// `name [AS alias] READ | WRITE`.
fn mysql_lock(part: &[Token]) -> Option<(Name, TableLock)> {
    let write = part.iter().any(|t| t.is("write"));
    let mode = if write { TableLock::BlocksAll } else { TableLock::BlocksWritersShared };
    let qualified = part.get(1).is_some_and(|t| t.punct("."));
    part.get(if qualified { 2 } else { 0 }).map(|token| (token.name().into(), mode))
}

fn schema(tokens: &[Token]) -> Option<Verb> {
    const OBJECTS: [&str; 34] = [
        "table",
        "index",
        "unique",
        "view",
        "materialized",
        "sequence",
        "type",
        "function",
        "procedure",
        "trigger",
        "schema",
        "database",
        "extension",
        "role",
        "user",
        "policy",
        "domain",
        "temp",
        "temporary",
        "virtual",
        "or",
        "on",
        "all",
        "select",
        "insert",
        "usage",
        "if",
        "event",
        "rule",
        "publication",
        "fulltext",
        "concurrently",
        "global",
        "system",
    ];
    let first = tokens.first()?;
    (first.is_any(&OBJECTS) || tokens.len() == 1 || first.kind == Kind::Hole).then_some(Verb::Schema)
}

/// SQL Server's application locks: `EXEC sp_getapplock @Resource = 'x', @LockMode = 'Exclusive', @LockOwner = 'Session'`.
fn app_lock(tokens: &[Token]) -> Option<Statement> {
    let name = tokens.first()?.name();
    let act = match name.as_str() {
        "sp_getapplock" => LockAct::Take,
        "sp_releaseapplock" => LockAct::Release,
        _ => return Some(bare(Verb::Other)),
    };
    let setting = |wanted: &str| {
        super::lex::parts(&tokens[1..]).into_iter().find_map(|part| match part {
            [key, equals, value] if equals.punct("=") && key.text.eq_ignore_ascii_case(wanted) => Some(value.clone()),
            _ => None,
        })
    };
    let says = |wanted: &str, text: &str| setting(wanted).is_some_and(|t| t.text.eq_ignore_ascii_case(text));
    let key = setting("Resource").or_else(|| tokens.get(1).filter(|t| t.kind != Kind::Named).cloned());
    let lock = LockCall {
        // The owner is the transaction unless told (Transact-SQL reference, sp_getapplock).
        scope: if says("LockOwner", "Session") { LockScope::Session } else { LockScope::Transaction },
        act: if act == LockAct::Take && setting("LockTimeout").is_some() { LockAct::Try } else { act },
        shared: says("LockMode", "Shared"),
        key: key.iter().map(operand).collect(),
    };
    let mut statement = bare(Verb::Other);
    statement.output.push(Output { lock: Some(lock), ..Output::of(name.into(), Vec::new()) });
    Some(statement)
}

/// A single token as a value.
pub(super) fn operand(token: &Token) -> Operand {
    match token.kind {
        Kind::Param(n) => Operand::Placeholder(n),
        Kind::Named => Operand::Named(token.text.as_str().into()),
        Kind::Str | Kind::Num if !token.text.contains(super::lex::HOLE) => Operand::Literal(token.text.clone()),
        Kind::Word if token.is("null") => Operand::Null,
        Kind::Word if token.is("default") => Operand::Default,
        Kind::Word if token.is_any(&["true", "false"]) => Operand::Literal(token.text.to_ascii_lowercase()),
        Kind::Word | Kind::Quoted => Operand::Column { table: None, column: token.name().into() },
        _ => Operand::Unknown,
    }
}
