//! sea-orm's handles, transactions and calls that carry SQL text (sea-orm docs, "Transaction" and "Raw SQL").

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::sql::statement::BeginMode;

/// The packages whose names are sea-orm's or sea-query's.
pub const KRATES: &[&str] = &["sea_orm", "sea_query", "sea_orm_migration"];

pub const CLIENT: Client = Client {
    name: "sea-orm",
    krates: KRATES,
    checked: "1.1.10",
    interactive: true,
    leads: &[],
    types: TYPES,
    calls: CALLS,
    statements: &[],
    locks: &[],
    dialect: None,
};

const fn ty(name: &'static str, kind: HandleKind) -> TypeRow {
    TypeRow { name, kind, dialect: None }
}

const TYPES: &[TypeRow] = &[
    ty("DatabaseConnection", HandleKind::Pool),
    ty("DbConn", HandleKind::Pool),
    ty("DatabaseTransaction", HandleKind::Transaction),
    ty("DatabaseExecutor", HandleKind::Executor),
    ty("ConnectionTrait", HandleKind::Executor),
    ty("TransactionTrait", HandleKind::Executor),
    ty("StreamTrait", HandleKind::Executor),
    ty("SchemaManager", HandleKind::Executor),
    ty("SchemaManagerConnection", HandleKind::Executor),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

/// `db.execute(statement)`
const fn sent(name: &'static str, gives: Gives) -> CallRow {
    call(On::Handle, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params: Params::Bound, gives })
}

/// `Entity::find().from_raw_sql(statement).one(db)`
const fn read(name: &'static str, gives: Gives) -> CallRow {
    call(On::Query, name, Does::Run { on: Arg::At(0), statement: Arg::Receiver, params: Params::Bound, gives })
}

const fn begin(options: Option<usize>) -> Does {
    Does::Begin { from: Arg::Receiver, isolation: None, mode: BeginMode::Plain, options }
}

const fn within(options: Option<usize>) -> Does {
    Does::Within { from: Arg::Receiver, closure: 0, isolation: None, mode: BeginMode::Plain, options }
}

const CALLS: &[CallRow] = &[
    call(On::Path, "Statement::from_sql_and_values", Does::Query { sql: 1, params: Params::List(2) }),
    call(On::Path, "Statement::from_string", Does::Query { sql: 1, params: Params::Bound }),
    sent("execute", Gives::Count),
    sent("execute_raw", Gives::Count),
    sent("execute_unprepared", Gives::Count),
    sent("query_one", Gives::MaybeRow),
    sent("query_one_raw", Gives::MaybeRow),
    sent("query_all", Gives::Rows),
    sent("query_all_raw", Gives::Rows),
    sent("stream", Gives::Rows),
    sent("stream_raw", Gives::Rows),
    read("one", Gives::MaybeRow),
    read("all", Gives::Rows),
    read("stream", Gives::Rows),
    call(On::Query, "into_json", Does::Same),
    call(On::Handle, "begin", begin(None)),
    call(On::Handle, "begin_with_config", begin(Some(0))),
    call(On::Handle, "begin_with_options", begin(Some(0))),
    call(On::Handle, "transaction", within(None)),
    call(On::Handle, "transaction_with_config", within(Some(1))),
    call(On::Handle, "get_connection", Does::Same),
    call(On::Transaction, "commit", Does::Commit),
    call(On::Transaction, "rollback", Does::Rollback),
];
