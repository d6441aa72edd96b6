//! mysql 24 to 26 and mysql_async 0.32 to 0.36. A transaction's level comes from its options; none is the server's.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;
use crate::sql::statement::BeginMode;

pub const CLIENT: Client = Client {
    name: "mysql",
    krates: &["mysql", "mysql_async", "r2d2_mysql", "mysql_common"],
    checked: "mysql 26.0.1, mysql_async 0.36.1",
    interactive: true,
    leads: &[],
    types: TYPES,
    calls: CALLS,
    statements: &["Statement", "AsStatement"],
    locks: &[],
    dialect: Some(Dialect::MySql),
};

const fn ty(name: &'static str, kind: HandleKind) -> TypeRow {
    TypeRow { name, kind, dialect: None }
}

const TYPES: &[TypeRow] = &[
    ty("Conn", HandleKind::Connection),
    ty("PooledConn", HandleKind::Connection),
    ty("Transaction", HandleKind::Transaction),
    ty("Queryable", HandleKind::Executor),
    ty("ToConnection", HandleKind::Executor),
    ty("Pool", HandleKind::Pool),
    ty("MySqlConnectionManager", HandleKind::Pool),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

/// `conn.exec_first(sql or statement, params)` and `conn.query_first(sql)`
const fn send(name: &'static str, params: Params, gives: Gives) -> CallRow {
    call(On::Handle, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params, gives })
}

/// `"…".with(params).first(conn)`
const fn taken(on: On, name: &'static str, gives: Gives) -> CallRow {
    call(on, name, Does::Run { on: Arg::At(0), statement: Arg::Receiver, params: Params::Bound, gives })
}

const fn options(name: &'static str) -> CallRow {
    call(On::Path, name, Does::Options { from: None })
}

const LIST: Params = Params::List(1);
const NONE: Params = Params::Bound;
const OPEN: Does = Does::Open { kind: HandleKind::Connection, paired: false };
const POOL: Does = Does::Open { kind: HandleKind::Pool, paired: false };

const CALLS: &[CallRow] = &[
    call(On::Path, "Conn::new", OPEN),
    call(On::Path, "Conn::from_url", OPEN),
    call(On::Path, "Pool::new", POOL),
    call(On::Path, "Pool::from_url", POOL),
    call(On::Path, "from_row", Does::Argument(0)),
    call(On::Path, "from_row_opt", Does::Argument(0)),
    call(On::Path, "from_value", Does::Argument(0)),
    call(On::Path, "from_value_opt", Does::Argument(0)),
    send("exec", LIST, Gives::Rows),
    send("exec_opt", LIST, Gives::Rows),
    send("exec_map", LIST, Gives::Rows),
    send("exec_map_opt", LIST, Gives::Rows),
    send("exec_fold", LIST, Gives::Rows),
    send("exec_fold_opt", LIST, Gives::Rows),
    send("exec_iter", LIST, Gives::Rows),
    send("exec_stream", LIST, Gives::Rows),
    send("exec_first", LIST, Gives::MaybeRow),
    send("exec_first_opt", LIST, Gives::MaybeRow),
    send("exec_drop", LIST, Gives::Nothing),
    send("exec_batch", LIST, Gives::Nothing),
    send("query", NONE, Gives::Rows),
    send("query_opt", NONE, Gives::Rows),
    send("query_map", NONE, Gives::Rows),
    send("query_map_opt", NONE, Gives::Rows),
    send("query_fold", NONE, Gives::Rows),
    send("query_fold_opt", NONE, Gives::Rows),
    send("query_iter", NONE, Gives::Rows),
    send("query_stream", NONE, Gives::Rows),
    send("query_first", NONE, Gives::MaybeRow),
    send("query_first_opt", NONE, Gives::MaybeRow),
    send("query_drop", NONE, Gives::Nothing),
    call(On::Handle, "prep", Does::Query { sql: 0, params: Params::Bound }),
    call(On::Text, "with", Does::With { params: Params::List(0) }),
    taken(On::Query, "first", Gives::MaybeRow),
    taken(On::Query, "run", Gives::Rows),
    taken(On::Query, "fetch", Gives::Rows),
    taken(On::Query, "map", Gives::Rows),
    taken(On::Query, "fold", Gives::Rows),
    taken(On::Query, "ignore", Gives::Nothing),
    taken(On::Query, "batch", Gives::Nothing),
    taken(On::Text, "first", Gives::MaybeRow),
    taken(On::Text, "run", Gives::Rows),
    taken(On::Text, "fetch", Gives::Rows),
    taken(On::Text, "map", Gives::Rows),
    taken(On::Text, "ignore", Gives::Nothing),
    call(On::Handle, "affected_rows", Does::LastCount),
    call(On::Outcome, "affected_rows", Does::Counted),
    call(
        On::Handle,
        "start_transaction",
        Does::Begin { from: Arg::Receiver, isolation: None, mode: BeginMode::Plain, options: Some(0) },
    ),
    options("TxOpts::default"),
    options("TxOpts::new"),
    options("TransactionOptions::default"),
    options("TransactionOptions::new"),
    call(On::Options, "set_isolation_level", Does::SetLevel { level: None, arg: Some(0) }),
    call(On::Options, "with_isolation_level", Does::SetLevel { level: None, arg: Some(0) }),
    call(On::Options, "set_access_mode", Does::Same),
    call(On::Options, "set_readonly", Does::Same),
    call(On::Options, "set_with_consistent_snapshot", Does::Same),
    call(On::Options, "with_readonly", Does::Same),
    call(On::Options, "with_consistent_snapshot", Does::Same),
    call(On::Transaction, "commit", Does::Commit),
    call(On::Transaction, "rollback", Does::Rollback),
    call(On::Pool, "get_conn", Does::Acquire),
    call(On::Pool, "try_get_conn", Does::Acquire),
    call(On::Pool, "get", Does::Acquire),
];
