//! sqlx, 0.6 to 0.9.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;
use crate::sql::statement::BeginMode;

pub const CLIENT: Client = Client {
    name: "sqlx",
    krates: &["sqlx", "sqlx_core", "sqlx_postgres", "sqlx_mysql", "sqlx_sqlite"],
    checked: "0.8.6",
    interactive: true,
    leads: &[],
    types: TYPES,
    calls: CALLS,
    statements: &[],
    locks: &["PgAdvisoryLock"],
    dialect: None,
};

const fn ty(name: &'static str, kind: HandleKind, dialect: Option<Dialect>) -> TypeRow {
    TypeRow { name, kind, dialect }
}

const TYPES: &[TypeRow] = &[
    ty("PgPool", HandleKind::Pool, Some(Dialect::Postgres)),
    ty("MySqlPool", HandleKind::Pool, Some(Dialect::MySql)),
    ty("SqlitePool", HandleKind::Pool, Some(Dialect::Sqlite)),
    ty("AnyPool", HandleKind::Pool, None),
    ty("MssqlPool", HandleKind::Pool, Some(Dialect::MsSql)),
    ty("Pool", HandleKind::Pool, None),
    ty("PgConnection", HandleKind::Connection, Some(Dialect::Postgres)),
    ty("MySqlConnection", HandleKind::Connection, Some(Dialect::MySql)),
    ty("SqliteConnection", HandleKind::Connection, Some(Dialect::Sqlite)),
    ty("AnyConnection", HandleKind::Connection, None),
    ty("PoolConnection", HandleKind::Connection, None),
    ty("Transaction", HandleKind::Transaction, None),
    ty("PgTransaction", HandleKind::Transaction, Some(Dialect::Postgres)),
    ty("MySqlTransaction", HandleKind::Transaction, Some(Dialect::MySql)),
    ty("SqliteTransaction", HandleKind::Transaction, Some(Dialect::Sqlite)),
    ty("Executor", HandleKind::Executor, None),
    ty("PgExecutor", HandleKind::Executor, Some(Dialect::Postgres)),
    ty("MySqlExecutor", HandleKind::Executor, Some(Dialect::MySql)),
    ty("SqliteExecutor", HandleKind::Executor, Some(Dialect::Sqlite)),
    ty("Acquire", HandleKind::Executor, None),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

const fn text(sql: usize) -> Does {
    Does::Query { sql, params: Params::Bound }
}

/// `query.fetch_one(executor)`
const fn send(name: &'static str, gives: Gives) -> CallRow {
    call(On::Query, name, Does::Run { on: Arg::At(0), statement: Arg::Receiver, params: Params::Bound, gives })
}

/// `executor.fetch_one(query)`
const fn taken(name: &'static str, gives: Gives) -> CallRow {
    call(On::Handle, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params: Params::Bound, gives })
}

const BEGIN: Does = Does::Begin { from: Arg::Receiver, isolation: None, mode: BeginMode::Plain, options: None };

const CALLS: &[CallRow] = &[
    call(On::Path, "query", text(0)),
    call(On::Path, "query_as", text(0)),
    call(On::Path, "query_scalar", text(0)),
    call(On::Path, "query_with", Does::Query { sql: 0, params: Params::List(1) }),
    call(On::Path, "query_as_with", Does::Query { sql: 0, params: Params::List(1) }),
    call(On::Path, "query_scalar_with", Does::Query { sql: 0, params: Params::List(1) }),
    call(On::Path, "raw_sql", text(0)),
    call(On::Path, "QueryBuilder::new", text(0)),
    call(On::Path, "QueryBuilder::with_arguments", Does::Query { sql: 0, params: Params::List(1) }),
    call(On::Path, "AssertSqlSafe", Does::Argument(0)),
    call(
        On::Path,
        "Transaction::begin",
        Does::Begin { from: Arg::At(0), isolation: None, mode: BeginMode::Plain, options: None },
    ),
    call(On::Macro, "query", Does::Query { sql: 0, params: Params::From(1) }),
    call(On::Macro, "query_unchecked", Does::Query { sql: 0, params: Params::From(1) }),
    call(On::Macro, "query_scalar", Does::Query { sql: 0, params: Params::From(1) }),
    call(On::Macro, "query_scalar_unchecked", Does::Query { sql: 0, params: Params::From(1) }),
    call(On::Macro, "query_as", Does::Query { sql: 1, params: Params::From(2) }),
    call(On::Macro, "query_as_unchecked", Does::Query { sql: 1, params: Params::From(2) }),
    call(On::Macro, "query_file", Does::QueryFile { path: 0, params: Params::From(1) }),
    call(On::Macro, "query_file_unchecked", Does::QueryFile { path: 0, params: Params::From(1) }),
    call(On::Macro, "query_file_scalar", Does::QueryFile { path: 0, params: Params::From(1) }),
    call(On::Macro, "query_file_scalar_unchecked", Does::QueryFile { path: 0, params: Params::From(1) }),
    call(On::Macro, "query_file_as", Does::QueryFile { path: 1, params: Params::From(2) }),
    call(On::Macro, "query_file_as_unchecked", Does::QueryFile { path: 1, params: Params::From(2) }),
    call(On::Query, "bind", Does::Bind { value: 0 }),
    call(On::Query, "try_bind", Does::Bind { value: 0 }),
    call(On::Query, "push", Does::Push { sql: 0 }),
    call(On::Query, "push_bind", Does::PushBind { value: 0 }),
    call(On::Query, "push_unseparated", Does::PushBeside { sql: 0 }),
    call(On::Query, "push_bind_unseparated", Does::PushBindBeside { value: 0 }),
    call(On::Query, "push_values", Does::PushRows { rows: 0, row: 1, around: ("VALUES (", ")") }),
    call(On::Query, "push_tuples", Does::PushRows { rows: 0, row: 1, around: ("((", "))") }),
    call(On::Query, "build", Does::Same),
    call(On::Query, "build_query_as", Does::Same),
    call(On::Query, "build_query_scalar", Does::Same),
    call(On::Query, "persistent", Does::Same),
    call(On::Query, "separated", Does::Separated { by: 0 }),
    call(On::Query, "map", Does::Same),
    call(On::Query, "try_map", Does::Same),
    send("fetch_one", Gives::Row),
    send("fetch_optional", Gives::MaybeRow),
    send("fetch_all", Gives::Rows),
    send("fetch", Gives::Rows),
    send("fetch_many", Gives::Rows),
    send("execute", Gives::Count),
    send("execute_many", Gives::Count),
    taken("fetch_one", Gives::Row),
    taken("fetch_optional", Gives::MaybeRow),
    taken("fetch_all", Gives::Rows),
    taken("fetch", Gives::Rows),
    taken("fetch_many", Gives::Rows),
    taken("execute", Gives::Count),
    taken("execute_many", Gives::Count),
    call(On::Handle, "begin", BEGIN),
    call(On::Handle, "try_begin", BEGIN),
    call(
        On::Handle,
        "begin_with",
        Does::Begin { from: Arg::Receiver, isolation: None, mode: BeginMode::Plain, options: Some(0) },
    ),
    call(
        On::Handle,
        "transaction",
        Does::Within { from: Arg::Receiver, closure: 0, isolation: None, mode: BeginMode::Plain, options: None },
    ),
    call(On::Path, "PgAdvisoryLock::new", Does::NamedLock { key: 0 }),
    call(On::Path, "PgAdvisoryLock::with_key", Does::NamedLock { key: 0 }),
    call(On::Query, "acquire", Does::TakeLock { on: 0, tries: false }),
    call(On::Query, "try_acquire", Does::TakeLock { on: 0, tries: true }),
    call(On::Connection, "release_now", Does::GiveBack),
    call(On::Pool, "acquire", Does::Acquire),
    call(On::Pool, "try_acquire", Does::Acquire),
    call(On::Connection, "acquire", Does::Same),
    call(On::Connection, "detach", Does::Same),
    call(On::Connection, "leak", Does::Same),
    call(On::Connection, "as_mut", Does::Same),
    call(On::Transaction, "commit", Does::Commit),
    call(On::Transaction, "rollback", Does::Rollback),
];
