//! tiberius 0.12, for SQL Server. Transactions are SQL: `BEGIN TRAN`.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;

pub const CLIENT: Client = Client {
    name: "tiberius",
    krates: &["tiberius", "bb8_tiberius", "deadpool_tiberius"],
    checked: "0.12.3",
    interactive: true,
    leads: &[],
    types: TYPES,
    calls: CALLS,
    statements: &[],
    locks: &[],
    dialect: Some(Dialect::MsSql),
};

const fn ty(name: &'static str, kind: HandleKind) -> TypeRow {
    TypeRow { name, kind, dialect: None }
}

const TYPES: &[TypeRow] = &[
    ty("Client", HandleKind::Connection),
    ty("Object", HandleKind::Connection),
    ty("Pool", HandleKind::Pool),
    ty("ConnectionManager", HandleKind::Pool),
    ty("TiberiusConnectionManager", HandleKind::Pool),
];

const fn call(on: On, name: &'static str, does: Does) -> CallRow {
    CallRow { on, name, does }
}

const fn send(name: &'static str, params: Params, gives: Gives) -> CallRow {
    call(On::Connection, name, Does::Run { on: Arg::Receiver, statement: Arg::At(0), params, gives })
}

/// `Query::new(sql).query(&mut client)`
const fn taken(name: &'static str, gives: Gives) -> CallRow {
    call(On::Query, name, Does::Run { on: Arg::At(0), statement: Arg::Receiver, params: Params::Bound, gives })
}

const CALLS: &[CallRow] = &[
    call(On::Path, "Client::connect", Does::Open { kind: HandleKind::Connection, paired: false }),
    call(On::Path, "Query::new", Does::Query { sql: 0, params: Params::Bound }),
    call(On::Query, "bind", Does::BindInPlace { value: 0 }),
    taken("query", Gives::Rows),
    taken("execute", Gives::Count),
    send("query", Params::List(1), Gives::Rows),
    send("execute", Params::List(1), Gives::Count),
    send("simple_query", Params::Bound, Gives::Rows),
    call(On::Outcome, "into_row", Does::Same),
    call(On::Outcome, "into_first_result", Does::Same),
    call(On::Outcome, "into_results", Does::Same),
    call(On::Outcome, "into_row_stream", Does::Same),
    call(On::Outcome, "total", Does::Same),
    call(On::Pool, "get", Does::Acquire),
];
