//! tokio-postgres and postgres 0.7 and 0.19, with the pools deadpool-postgres, bb8-postgres and r2d2_postgres.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;
use crate::sql::statement::BeginMode;

pub const CLIENT: Client = Client {
    name: "postgres",
    krates: &[
        "tokio_postgres",
        "postgres",
        "deadpool_postgres",
        "bb8_postgres",
        "r2d2_postgres",
        "mobc_postgres",
        "cornucopia_async",
        "cornucopia_sync",
    ],
    checked: "tokio-postgres 0.7.15, postgres 0.19.11, deadpool-postgres 0.14.1",
    interactive: true,
    leads: &[],
    types: TYPES,
    calls: CALLS,
    statements: &["Statement", "ToStatement"],
    locks: &[],
    dialect: Some(Dialect::Postgres),
};

const fn ty(name: &'static str, kind: HandleKind) -> TypeRow {
    TypeRow { name, kind, dialect: None }
}

const TYPES: &[TypeRow] = &[
    ty("Client", HandleKind::Connection),
    ty("Object", HandleKind::Connection),
    ty("ClientWrapper", HandleKind::Connection),
    ty("Transaction", HandleKind::Transaction),
    ty("GenericClient", HandleKind::Executor),
    ty("Pool", HandleKind::Pool),
    ty("PostgresConnectionManager", HandleKind::Pool),
    ty("PgConnectionManager", HandleKind::Pool),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

/// `client.query(sql or statement, &[&a, &b])`
const fn send(name: &'static str, params: Params, gives: Gives) -> CallRow {
    call(On::Handle, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params, gives })
}

const fn prepare(name: &'static str) -> CallRow {
    call(On::Handle, name, Does::Query { sql: 0, params: Params::Bound })
}

const BEGIN: Does = Does::Begin { from: Arg::Receiver, isolation: None, mode: BeginMode::Plain, options: None };

const CALLS: &[CallRow] = &[
    call(On::Path, "tokio_postgres::connect", Does::Open { kind: HandleKind::Connection, paired: true }),
    call(On::Path, "Client::connect", Does::Open { kind: HandleKind::Connection, paired: false }),
    send("query", Params::List(1), Gives::Rows),
    send("query_one", Params::List(1), Gives::Row),
    send("query_opt", Params::List(1), Gives::MaybeRow),
    send("query_raw", Params::List(1), Gives::Rows),
    send("query_typed", Params::Pairs(1), Gives::Rows),
    send("query_typed_one", Params::Pairs(1), Gives::Row),
    send("query_typed_opt", Params::Pairs(1), Gives::MaybeRow),
    send("query_typed_raw", Params::Pairs(1), Gives::Rows),
    send("query_scalar_one", Params::List(1), Gives::Row),
    send("query_scalar_opt", Params::List(1), Gives::MaybeRow),
    send("query_scalar", Params::List(1), Gives::Rows),
    send("execute", Params::List(1), Gives::Count),
    send("execute_raw", Params::List(1), Gives::Count),
    send("execute_typed", Params::Pairs(1), Gives::Count),
    send("simple_query", Params::Bound, Gives::Rows),
    send("simple_query_raw", Params::Bound, Gives::Rows),
    send("batch_execute", Params::Bound, Gives::Nothing),
    send("copy_in", Params::Bound, Gives::Nothing),
    send("copy_out", Params::Bound, Gives::Rows),
    // What cornucopia generates: `PursesStmt(cornucopia_async::private::Stmt::new("SELECT …"))`.
    call(On::Path, "Stmt::new", Does::Kept { sql: 0 }),
    prepare("prepare"),
    prepare("prepare_cached"),
    prepare("prepare_typed"),
    prepare("prepare_typed_cached"),
    call(On::Connection, "transaction", BEGIN),
    call(On::Connection, "savepoint", BEGIN),
    call(On::Connection, "build_transaction", Does::Options { from: Some(Arg::Receiver) }),
    call(On::Options, "isolation_level", Does::SetLevel { level: None, arg: Some(0) }),
    call(On::Options, "read_only", Does::Same),
    call(On::Options, "deferrable", Does::Same),
    call(On::Options, "start", BEGIN),
    call(On::Transaction, "commit", Does::Commit),
    call(On::Transaction, "rollback", Does::Rollback),
    call(On::Pool, "get", Does::Acquire),
    call(On::Pool, "get_owned", Does::Acquire),
    call(On::Pool, "get_timeout", Does::Acquire),
    call(On::Pool, "try_get", Does::Acquire),
    call(On::Pool, "timeout_get", Does::Acquire),
    call(On::Pool, "dedicated_connection", Does::Acquire),
];
