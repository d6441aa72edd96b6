//! The words of a client table.

use crate::client::HandleKind;
use crate::dialect::{Dialect, Isolation};
use crate::sql::statement::BeginMode;

/// A type that is a handle: its last path segment, under any of the client's crates.
#[derive(Clone, Copy, Debug)]
pub struct TypeRow {
    pub name: &'static str,
    pub kind: HandleKind,
    pub dialect: Option<Dialect>,
}

/// One call and what it does.
#[derive(Clone, Copy, Debug)]
pub struct CallRow {
    pub on: On,
    pub name: &'static str,
    pub does: Does,
}

/// What a call is made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A function or associated function, by the end of its path: `query`, `QueryBuilder::new`.
    Path,
    Macro,
    /// A statement under construction that belongs to no connection yet.
    Query,
    /// A statement prepared on a connection.
    Prepared,
    /// The SQL text itself: `"SELECT …".with(params)`.
    Text,
    /// What a statement gave.
    Outcome,
    /// Any handle.
    Handle,
    Pool,
    /// A connection or a transaction.
    Connection,
    Transaction,
    /// A transaction's options.
    Options,
}

/// The place of a value in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    Receiver,
    At(usize),
}

/// What is done to the transaction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    Begin,
    Commit,
    Rollback,
}

/// How the values of the placeholders are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Params {
    /// By earlier `bind` calls, or not at all.
    Bound,
    /// One argument: a slice, an array, a tuple, a `params!` macro.
    List(usize),
    /// One argument: a list of pairs of a value and its type.
    Pairs(usize),
    /// All arguments from the n-th on.
    From(usize),
    /// The same, and lists among them give their elements.
    Rest(usize),
}

/// What a statement's result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// One row; none is an error.
    Row,
    /// One row or none.
    MaybeRow,
    Rows,
    /// Whether there is a row.
    Exists,
    /// How many rows changed.
    Count,
    /// Nothing that tells of rows.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Starts a statement from SQL text.
    Query {
        sql: usize,
        params: Params,
    },
    /// Starts a statement from a file named by a literal, below the package's directory.
    QueryFile {
        path: usize,
        params: Params,
    },
    /// Keeps SQL text for code that sends it elsewhere, and is not followed there.
    Kept {
        sql: usize,
    },
    /// Turns the text it is called on into a statement.
    With {
        params: Params,
    },
    /// Binds a value to the next placeholder.
    Bind {
        value: usize,
    },
    /// The same to the statement that a variable holds, which changes.
    BindInPlace {
        value: usize,
    },
    /// Binds a value to the placeholder named by a literal.
    BindNamed {
        name: usize,
        value: usize,
    },
    /// Appends SQL text.
    Push {
        sql: usize,
    },
    /// Appends a placeholder and binds it.
    PushBind {
        value: usize,
    },
    /// Appends a list of values for each row of a list, by a closure that puts one row's values into it.
    PushRows {
        rows: usize,
        row: usize,
        /// What stands around the values.
        around: (&'static str, &'static str),
    },
    /// What is appended from now on through what this gives has a text in between.
    Separated {
        by: usize,
    },
    /// Appends without that text in between.
    PushBeside {
        sql: usize,
    },
    PushBindBeside {
        value: usize,
    },
    /// Sends a statement: from the receiver or an argument, or from SQL text in an argument.
    Run {
        on: Arg,
        statement: Arg,
        params: Params,
        gives: Gives,
    },
    /// Begins a transaction.
    Begin {
        from: Arg,
        isolation: Option<Isolation>,
        mode: BeginMode,
        options: Option<usize>,
    },
    /// Runs a closure inside a transaction that commits when it returns Ok.
    Within {
        from: Arg,
        closure: usize,
        isolation: Option<Isolation>,
        mode: BeginMode,
        options: Option<usize>,
    },
    /// Takes a connection out of a pool.
    Acquire,
    /// Begins, commits or rolls back on the connection that is the first argument, as the statement of that name would.
    Steers(Steer),
    Commit,
    Rollback,
    /// Sets the level in a builder of transactions.
    SetLevel {
        level: Option<Isolation>,
        arg: Option<usize>,
    },
    SetMode {
        mode: BeginMode,
    },
    /// The mode of transactions that are begun on the receiver from now on, named by an argument.
    BeginsWith {
        mode: usize,
    },
    /// A transaction's options, on the connection it will begin on where that is known already.
    Options {
        from: Option<Arg>,
    },
    /// Opens a connection or a pool; `paired` with the task that drives it, as a tuple.
    Open {
        kind: HandleKind,
        paired: bool,
    },
    /// How many rows the last statement on the receiver changed.
    LastCount,
    /// How many rows the statement changed whose result this is.
    Counted,
    /// That there is no row is no error any more.
    Optional,
    /// Gives what it is called on.
    Same,
    /// Gives its argument.
    Argument(usize),
    /// Names a lock of the database by an argument: `PgAdvisoryLock::new("mill")`.
    NamedLock {
        key: usize,
    },
    /// Takes the named lock that it is called on, on the connection in an argument; the guard that it gives holds it. With
    /// `tries` it gives the guard only where nobody else has the lock.
    TakeLock {
        on: usize,
        tries: bool,
    },
    /// Gives a lock back whose guard it is called on.
    GiveBack,
    /// A closure is run with a connection of the receiver: `interact(|conn| …)`.
    Lend {
        closure: usize,
    },
    /// The same, and nobody else in the process has the connection meanwhile.
    LendAlone {
        closure: usize,
    },
}
