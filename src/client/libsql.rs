//! libsql and turso, the SQLite forks with an asynchronous interface.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;
use crate::sql::statement::BeginMode;

pub const CLIENT: Client = Client {
    name: "libsql",
    krates: &["libsql", "turso"],
    checked: "libsql 0.9.24, turso 0.3.2",
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
    ty("Database", HandleKind::Pool),
    ty("Connection", HandleKind::Connection),
    ty("Transaction", HandleKind::Transaction),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

const fn send(name: &'static str, params: Params, gives: Gives) -> CallRow {
    call(On::Connection, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params, gives })
}

const fn prepared(name: &'static str, gives: Gives) -> CallRow {
    let params = Params::List(0);
    call(On::Prepared, name, Does::Run { on: Arg::Receiver, statement: Arg::Receiver, params, gives })
}

const fn begin(options: Option<usize>) -> Does {
    Does::Begin { from: Arg::Receiver, isolation: None, mode: BeginMode::Deferred, options }
}

const CALLS: &[CallRow] = &[
    call(On::Pool, "connect", Does::Acquire),
    send("query", Params::List(1), Gives::Rows),
    send("execute", Params::List(1), Gives::Count),
    send("execute_batch", Params::Bound, Gives::Nothing),
    send("execute_transactional_batch", Params::Bound, Gives::Nothing),
    call(On::Connection, "prepare", Does::Query { sql: 0, params: Params::Bound }),
    prepared("query_row", Gives::Row),
    prepared("query", Gives::Rows),
    prepared("execute", Gives::Count),
    call(On::Connection, "changes", Does::LastCount),
    call(On::Connection, "transaction", begin(None)),
    call(On::Connection, "unchecked_transaction", begin(None)),
    call(On::Connection, "transaction_with_behavior", begin(Some(0))),
    call(On::Transaction, "commit", Does::Commit),
    call(On::Transaction, "rollback", Does::Rollback),
    call(On::Transaction, "finish", Does::Rollback),
];
