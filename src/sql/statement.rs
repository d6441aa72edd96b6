//! A statement in our own words: which rows it reads and writes, under what condition, with which lock.
//!
//! SQL text and query builders both end here; nothing after this file knows sqlparser, and little asks for the dialect.

use serde::Serialize;

use crate::dialect::Isolation;
use crate::lower::tree::Name;

/// One statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    pub verb: Verb,
    /// The tables it touches. The target of a write comes first; sub-queries follow in the order of the text.
    pub accesses: Vec<Access>,
    /// The columns of the result, in order: the select list, or RETURNING. Empty when it gives only a count.
    pub output: Vec<Output>,
    /// What parts of the text were not understood. The rest holds.
    pub gaps: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Verb {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Begin {
        isolation: Option<Isolation>,
        mode: BeginMode,
    },
    Commit,
    Rollback,
    Savepoint(Name),
    RollbackTo(Name),
    Release(Name),
    SetIsolation {
        level: Isolation,
        scope: IsolationScope,
    },
    /// PostgreSQL `LOCK TABLE`, MySQL `LOCK TABLES`: tables with their mode.
    LockTables(Vec<(Name, TableLock)>),
    /// MySQL `UNLOCK TABLES`.
    UnlockTables,
    /// CREATE, ALTER, DROP, TRUNCATE …
    Schema,
    /// SHOW, EXPLAIN, PRAGMA, SET of something else, NOTIFY …
    Other,
}

/// SQLite's BEGIN modes; `Plain` elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum BeginMode {
    Plain,
    Deferred,
    Immediate,
    Exclusive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum IsolationScope {
    /// `SET TRANSACTION …`: the running transaction on PostgreSQL, the next one on MySQL.
    Transaction,
    /// `SET SESSION …`, `SET SESSION CHARACTERISTICS …`, `SET default_transaction_isolation …`.
    Session,
}

/// The mode of a table lock, by what it blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TableLock {
    /// ACCESS SHARE, ROW SHARE, ROW EXCLUSIVE: writers go on.
    BlocksNoWriter,
    /// SHARE, MySQL READ: writers wait, but two holders coexist, so that both read before either writes.
    BlocksWritersShared,
    /// SHARE UPDATE EXCLUSIVE: conflicts with itself, plain writers go on.
    BlocksItself,
    /// SHARE ROW EXCLUSIVE, EXCLUSIVE: one holder, writers wait, readers go on.
    BlocksWriters,
    /// ACCESS EXCLUSIVE, MySQL WRITE, TABLOCKX: everybody waits.
    BlocksAll,
}

/// What a statement does with the rows of one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Access {
    pub table: Table,
    pub action: Action,
    pub place: Place,
    /// The conjuncts of WHERE, JOIN … ON and HAVING that speak of this table.
    pub filter: Vec<Predicate>,
    /// Columns of this table the statement hands out or computes with; `*` for all.
    pub columns: Vec<Name>,
    /// What an UPDATE sets, or an INSERT's row gives.
    pub sets: Vec<Assignment>,
    pub lock: Option<RowLock>,
    pub aggregate: Option<Aggregate>,
    /// LIMIT, FETCH FIRST or TOP, with a number where it is one.
    pub limit: Option<Limit>,
    pub ordered: bool,
    pub conflict: Option<Conflict>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Table {
    pub schema: Option<Name>,
    /// Lower case unless quoted.
    pub name: Name,
    /// The alias used in the text, for messages.
    pub alias: Option<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Action {
    Read,
    Insert,
    Update,
    Delete,
}

/// Where in the statement the table stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Place {
    /// The target of a write, or the FROM of a top-level SELECT.
    Main,
    /// Joined to the main table (JOIN, UPDATE … FROM, DELETE … USING).
    Join,
    /// In a WITH clause.
    Cte,
    /// In a derived table: `FROM (SELECT …) t`.
    Derived,
    /// A scalar sub-query in SET or VALUES.
    InSet,
    /// A scalar or IN sub-query in a condition of the statement.
    InWhere,
    /// `EXISTS (…)` in a condition.
    Exists,
    /// `NOT EXISTS (…)` in a condition.
    NotExists,
    /// The SELECT that feeds an INSERT, or the source of a MERGE.
    Source,
    /// A scalar sub-query in a select list.
    InSelect,
}

/// `column op value`, or a condition over several columns that is not of that form (`op` is `Other`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predicate {
    /// The columns of this access's table the condition names.
    pub columns: Vec<Name>,
    pub op: Compare,
    pub value: Operand,
    /// The column is compared in one case: `lower(name) = …`.
    pub folded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
    IsNull,
    IsNotNull,
    Like,
    Other,
}

impl Compare {
    /// What an operator of Rust compares by; SQLite knows them as well.
    pub fn of_operator(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Eq,
            "!=" => Self::Ne,
            "<" => Self::Lt,
            "<=" => Self::Le,
            ">" => Self::Gt,
            ">=" => Self::Ge,
            _ => return None,
        })
    }
}

/// A value in a statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Operand {
    /// The n-th bound value, from 0: `$1`, `?`, `?1`.
    Placeholder(usize),
    /// `:name`, `@name`.
    Named(Name),
    /// A literal's text without quotes; booleans as `true` and `false`.
    Literal(String),
    Null,
    Default,
    /// A column: of the table named, or of this access's own table when `table` is none.
    Column {
        table: Option<Name>,
        column: Name,
    },
    /// `EXCLUDED.column`, `VALUES(column)`, `NEW.column`.
    Excluded(Name),
    /// A call or an operator over its parts; `now()` has none.
    Expr {
        text: String,
        parts: Vec<Operand>,
    },
    /// A sub-query; its tables are among the statement's accesses.
    Subquery(Vec<Operand>),
    /// A piece of text that is not constant.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assignment {
    pub column: Name,
    pub value: Operand,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowLock {
    pub strength: Strength,
    /// `FOR UPDATE OF a, b`; empty for all tables of the FROM clause.
    pub of: Vec<Name>,
    pub wait: Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Strength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Wait {
    Block,
    NoWait,
    SkipLocked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Aggregate {
    Count,
    Sum,
    /// max, min
    Extreme,
    /// `SELECT EXISTS (…)`, `SELECT 1 … LIMIT 1`
    Exists,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Limit {
    One,
    Many,
}

/// ON CONFLICT, ON DUPLICATE KEY UPDATE, INSERT IGNORE, INSERT OR …, REPLACE.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    pub target: ConflictTarget,
    pub action: ConflictAction,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ConflictTarget {
    Columns(Vec<Name>),
    Constraint(Name),
    Any,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ConflictAction {
    Nothing,
    Update {
        sets: Vec<Assignment>,
        filter: Vec<Predicate>,
    },
    /// REPLACE INTO, INSERT OR REPLACE: the old row goes, every column is written.
    Replace,
}

/// One column of a result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Output {
    /// The alias, or the column's own name; `*` for all columns of a table.
    pub name: Name,
    /// The columns it is computed from.
    pub from: Vec<Name>,
    /// A lock function called here: `SELECT pg_advisory_xact_lock($1)`.
    pub lock: Option<LockCall>,
    pub aggregate: Option<Aggregate>,
    /// The table whose rows a sub-query gives that it is made of, beside those of FROM: `ARRAY(SELECT …)`, `(SELECT count(*) …)`.
    pub rows_of: Option<Name>,
    /// The one table of several in FROM whose columns it is made of.
    #[serde(skip)]
    pub of: Option<Name>,
}

impl Output {
    /// What is made of columns, with no lock, no aggregate and no sub-query in it.
    pub fn of(name: Name, from: Vec<Name>) -> Self {
        Self { name, from, lock: None, aggregate: None, rows_of: None, of: None }
    }
}

/// A call of a lock function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LockCall {
    pub scope: LockScope,
    pub act: LockAct,
    pub shared: bool,
    pub key: Vec<Operand>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum LockScope {
    /// `pg_advisory_xact_lock`: until the transaction ends; in autocommit until the statement ends.
    Transaction,
    /// `pg_advisory_lock`, `GET_LOCK`: until it is released, or the session ends.
    Session,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum LockAct {
    /// Waits until it has the lock.
    Take,
    /// Answers whether it got the lock: `pg_try_…`, and GET_LOCK with its time-out.
    Try,
    Release,
    ReleaseAll,
}

impl Statement {
    /// The target of a write.
    pub fn target(&self) -> Option<&Access> {
        self.accesses.first().filter(|access| access.action != Action::Read)
    }

    /// The output of a name, or at a place that is said as a number.
    pub fn output_at(&self, name: &str) -> Option<&Output> {
        match name.parse::<usize>() {
            Ok(at) => self.output.get(at),
            Err(_) => self.output.iter().find(|output| output.name == name),
        }
    }

    /// Whether the statement changes rows.
    pub fn writes(&self) -> bool {
        self.accesses.iter().any(|access| access.action != Action::Read)
    }

    /// The lock functions it calls.
    pub fn lock_calls(&self) -> impl Iterator<Item = &LockCall> {
        self.output.iter().filter_map(|output| output.lock.as_ref())
    }
}

impl Access {
    /// The value an equality of the filter holds `column` to.
    pub fn equals(&self, column: &str) -> Option<&Operand> {
        self.filter
            .iter()
            .find(|p| p.op == Compare::Eq && p.columns.len() == 1 && p.columns[0] == column)
            .map(|p| &p.value)
    }

    /// What a column is given, of which an upsert may speak as `EXCLUDED.column`.
    pub fn set(&self, column: &str) -> Option<&Assignment> {
        self.sets.iter().find(|set| set.column == column)
    }

    /// Whether an insert changes the row that it meets: `ON CONFLICT DO UPDATE`, `REPLACE`.
    pub fn writes_over(&self) -> bool {
        let conflict = self.conflict.as_ref().map(|conflict| &conflict.action);
        matches!(conflict, Some(ConflictAction::Update { .. } | ConflictAction::Replace))
    }
}

impl Predicate {
    /// Whether it asks for a state that a row is in, and not by the value that names the row: one that is not `fixed`.
    pub fn is_of_state(&self, fixed: bool) -> bool {
        let names = self.op == Compare::Eq && !fixed;
        !names && !self.value.is_of_another_table() && !matches!(self.op, Compare::In | Compare::Like)
    }
}

impl Operand {
    /// `booking.room = room.id`: a column of another table, which names no row by itself.
    pub fn is_of_another_table(&self) -> bool {
        matches!(self, Self::Column { table: Some(_), .. })
    }

    /// What is written in small or in capital letters, `lower(email)`; anything else is itself.
    pub fn in_any_case(&self) -> &Self {
        match self {
            Self::Expr { text, parts } if matches!(text.as_str(), "lower()" | "upper()") && parts.len() == 1 => {
                &parts[0]
            }
            _ => self,
        }
    }

    /// Calls `visit` on this operand and everything in it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Operand)) {
        visit(self);
        if let Self::Expr { parts, .. } | Self::Subquery(parts) = self {
            for part in parts {
                part.walk(visit);
            }
        }
    }

    /// Whether it names a column of the row that is written, so that the database computes it on the newest version.
    pub fn is_relative(&self) -> bool {
        let mut found = false;
        self.walk(&mut |operand| found |= matches!(operand, Operand::Column { table: None, .. }));
        found && !matches!(self, Self::Subquery(_))
    }
}
