//! rusqlite 0.29 to 0.37, with r2d2_sqlite, deadpool-sqlite, tokio-rusqlite and async-sqlite.
//!
//! `transaction()` and `unchecked_transaction()` begin DEFERRED unless the connection was told otherwise.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;
use crate::sql::statement::BeginMode;

pub const CLIENT: Client = Client {
    name: "rusqlite",
    krates: &["rusqlite", "r2d2_sqlite", "deadpool_sqlite", "tokio_rusqlite", "async_sqlite"],
    checked: "rusqlite 0.37.0, tokio-rusqlite 0.6.0, deadpool-sqlite 0.12.1, async-sqlite 0.5.3",
    interactive: true,
    leads: &[],
    types: TYPES,
    calls: CALLS,
    statements: &[],
    locks: &[],
    dialect: Some(Dialect::Sqlite),
};

const fn ty(name: &'static str, kind: HandleKind) -> TypeRow {
    TypeRow { name, kind, dialect: None }
}

const TYPES: &[TypeRow] = &[
    ty("Connection", HandleKind::Connection),
    ty("Client", HandleKind::Connection),
    ty("Object", HandleKind::Connection),
    ty("Transaction", HandleKind::Transaction),
    ty("Savepoint", HandleKind::Transaction),
    ty("Pool", HandleKind::Pool),
    ty("SqliteConnectionManager", HandleKind::Pool),
    ty("Manager", HandleKind::Pool),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

/// `conn.query_row(sql, params, |row| …)`
const fn send(name: &'static str, params: Params, gives: Gives) -> CallRow {
    call(On::Connection, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params, gives })
}

/// `stmt.query_row(params, |row| …)`
const fn prepared(name: &'static str, gives: Gives) -> CallRow {
    let params = Params::List(0);
    call(On::Prepared, name, Does::Run { on: Arg::Receiver, statement: Arg::Receiver, params, gives })
}

const fn begin(from: Arg, mode: BeginMode, options: Option<usize>) -> Does {
    Does::Begin { from, isolation: None, mode, options }
}

const DEFERRED: Does = begin(Arg::Receiver, BeginMode::Deferred, None);
const PREPARE: Does = Does::Query { sql: 0, params: Params::Bound };
const OPEN: Does = Does::Open { kind: HandleKind::Connection, paired: false };
const LEND: Does = Does::Lend { closure: 0 };
/// All calls run on one thread with the one connection, so that none comes between.
const ALONE: Does = Does::LendAlone { closure: 0 };

const CALLS: &[CallRow] = &[
    call(On::Path, "Connection::open", OPEN),
    call(On::Path, "Connection::open_in_memory", OPEN),
    call(On::Path, "Connection::open_with_flags", OPEN),
    call(On::Path, "Transaction::new", begin(Arg::At(0), BeginMode::Deferred, Some(1))),
    call(On::Path, "Transaction::new_unchecked", begin(Arg::At(0), BeginMode::Deferred, Some(1))),
    call(On::Path, "Savepoint::new", begin(Arg::At(0), BeginMode::Plain, None)),
    call(On::Path, "params_from_iter", Does::Argument(0)),
    send("query_row", Params::List(1), Gives::Row),
    send("query_one", Params::List(1), Gives::Row),
    send("query_row_and_then", Params::List(1), Gives::Row),
    send("execute", Params::List(1), Gives::Count),
    send("execute_batch", Params::Bound, Gives::Nothing),
    call(On::Connection, "prepare", PREPARE),
    call(On::Connection, "prepare_cached", PREPARE),
    call(On::Connection, "prepare_with_flags", PREPARE),
    prepared("query_row", Gives::Row),
    prepared("query_one", Gives::Row),
    prepared("query_map", Gives::Rows),
    prepared("query_and_then", Gives::Rows),
    prepared("query", Gives::Rows),
    prepared("exists", Gives::Exists),
    prepared("execute", Gives::Count),
    prepared("insert", Gives::Count),
    call(On::Outcome, "optional", Does::Optional),
    call(On::Connection, "changes", Does::LastCount),
    call(On::Connection, "transaction", DEFERRED),
    call(On::Connection, "unchecked_transaction", DEFERRED),
    call(On::Connection, "transaction_with_behavior", begin(Arg::Receiver, BeginMode::Deferred, Some(0))),
    call(On::Connection, "savepoint", begin(Arg::Receiver, BeginMode::Plain, None)),
    call(On::Connection, "savepoint_with_name", begin(Arg::Receiver, BeginMode::Plain, None)),
    call(On::Connection, "set_transaction_behavior", Does::BeginsWith { mode: 0 }),
    call(On::Transaction, "commit", Does::Commit),
    call(On::Transaction, "rollback", Does::Rollback),
    call(On::Transaction, "finish", Does::Rollback),
    call(On::Pool, "get", Does::Acquire),
    call(On::Pool, "get_timeout", Does::Acquire),
    call(On::Pool, "try_get", Does::Acquire),
    call(On::Connection, "interact", LEND),
    call(On::Connection, "call", ALONE),
    call(On::Connection, "call_raw", ALONE),
    call(On::Connection, "call_unwrap", ALONE),
    call(On::Pool, "conn", LEND),
    call(On::Pool, "conn_mut", LEND),
    call(On::Connection, "conn", ALONE),
    call(On::Connection, "conn_mut", ALONE),
];
