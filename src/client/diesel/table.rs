//! diesel 1.4 to 2.3, diesel-async 0.4 to 0.6, async-bb8-diesel, deadpool-diesel: handles, and the calls that carry SQL or a closure.
//!
//! Source: docs.rs/diesel, traits `Connection`, `TransactionManager` and `RunQueryDsl`, structs `TransactionBuilder` and `SqlQuery`;
//! docs.rs/diesel-async, trait `AsyncConnection`; docs.rs/async-bb8-diesel, traits `AsyncRunQueryDsl` and `AsyncConnection`.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, Steer, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::{Dialect, Isolation};
use crate::sql::statement::BeginMode;

pub const CLIENT: Client = Client {
    name: "diesel",
    krates: &["diesel", "diesel_async", "async_bb8_diesel", "deadpool_diesel"],
    checked: "2.3.0",
    interactive: true,
    leads: &[],
    types: TYPES,
    calls: CALLS,
    statements: &[],
    locks: &[],
    dialect: None,
};

const fn ty(name: &'static str, kind: HandleKind, dialect: Option<Dialect>) -> TypeRow {
    TypeRow { name, kind, dialect }
}

const TYPES: &[TypeRow] = &[
    ty("PgConnection", HandleKind::Connection, Some(Dialect::Postgres)),
    ty("MysqlConnection", HandleKind::Connection, Some(Dialect::MySql)),
    ty("SqliteConnection", HandleKind::Connection, Some(Dialect::Sqlite)),
    ty("AsyncPgConnection", HandleKind::Connection, Some(Dialect::Postgres)),
    ty("AsyncMysqlConnection", HandleKind::Connection, Some(Dialect::MySql)),
    ty("SyncConnectionWrapper", HandleKind::Connection, None),
    ty("AsyncConnectionWrapper", HandleKind::Connection, None),
    ty("PooledConnection", HandleKind::Connection, None),
    ty("Object", HandleKind::Connection, None),
    ty("Connection", HandleKind::Connection, None),
    ty("LoadConnection", HandleKind::Connection, None),
    ty("BoxableConnection", HandleKind::Connection, None),
    ty("AsyncConnection", HandleKind::Connection, None),
    ty("AsyncConnectionCore", HandleKind::Connection, None),
    ty("ConnectionManager", HandleKind::Pool, None),
    ty("AsyncDieselConnectionManager", HandleKind::Pool, None),
    ty("Manager", HandleKind::Pool, None),
    ty("Pool", HandleKind::Pool, None),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

/// `sql_query("…").load(conn)`
const fn send(name: &'static str, gives: Gives) -> CallRow {
    call(On::Query, name, Does::Run { on: Arg::At(0), statement: Arg::Receiver, params: Params::Bound, gives })
}

/// `conn.batch_execute("…")`
const fn taken(name: &'static str, gives: Gives) -> CallRow {
    call(On::Handle, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params: Params::Bound, gives })
}

const fn within(on: On, name: &'static str, mode: BeginMode) -> CallRow {
    call(on, name, Does::Within { from: Arg::Receiver, closure: 0, isolation: None, mode, options: None })
}

const fn level(name: &'static str, level: Isolation) -> CallRow {
    call(On::Options, name, Does::SetLevel { level: Some(level), arg: None })
}

const CALLS: &[CallRow] = &[
    call(On::Path, "sql_query", Does::Query { sql: 0, params: Params::Bound }),
    call(On::Path, "begin_transaction", Does::Steers(Steer::Begin)),
    call(On::Path, "commit_transaction", Does::Steers(Steer::Commit)),
    call(On::Path, "rollback_transaction", Does::Steers(Steer::Rollback)),
    call(On::Query, "bind", Does::Bind { value: 0 }),
    call(On::Query, "sql", Does::Push { sql: 0 }),
    call(On::Query, "into_boxed", Does::Same),
    send("get_result", Gives::Row),
    send("get_results", Gives::Rows),
    send("load", Gives::Rows),
    send("load_iter", Gives::Rows),
    send("load_stream", Gives::Rows),
    send("execute", Gives::Count),
    send("get_result_async", Gives::Row),
    send("get_results_async", Gives::Rows),
    send("load_async", Gives::Rows),
    send("execute_async", Gives::Count),
    taken("batch_execute", Gives::Nothing),
    taken("batch_execute_async", Gives::Nothing),
    taken("execute", Gives::Count),
    within(On::Handle, "transaction", BeginMode::Plain),
    within(On::Handle, "transaction_async", BeginMode::Plain),
    within(On::Handle, "transaction_async_with_retry", BeginMode::Plain),
    within(On::Handle, "test_transaction", BeginMode::Plain),
    within(On::Handle, "immediate_transaction", BeginMode::Immediate),
    within(On::Handle, "exclusive_transaction", BeginMode::Exclusive),
    call(On::Handle, "build_transaction", Does::Options { from: Some(Arg::Receiver) }),
    within(On::Options, "run", BeginMode::Plain),
    level("serializable", Isolation::Serializable),
    level("repeatable_read", Isolation::RepeatableRead),
    level("read_committed", Isolation::ReadCommitted),
    call(On::Options, "read_write", Does::Same),
    call(On::Options, "read_only", Does::Same),
    call(On::Options, "deferrable", Does::Same),
    call(On::Options, "not_deferrable", Does::Same),
    call(On::Outcome, "optional", Does::Optional),
    call(On::Pool, "get", Does::Acquire),
    call(On::Pool, "get_timeout", Does::Acquire),
    call(On::Pool, "get_owned", Does::Acquire),
    call(On::Pool, "dedicated_connection", Does::Acquire),
    call(On::Pool, "try_get", Does::Acquire),
    call(On::Handle, "interact", Does::Lend { closure: 0 }),
    call(On::Connection, "as_mut", Does::Same),
    call(On::Connection, "deref_mut", Does::Same),
];
