//! hiqlite, SQLite replicated by Raft. Writes of all clients run one after the other; reads stand outside of them.

use crate::client::table::{Arg, CallRow, Does, Gives, On, Params, TypeRow};
use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;

pub const CLIENT: Client = Client {
    name: "hiqlite",
    krates: &["hiqlite"],
    checked: "0.11.0",
    interactive: false,
    leads: &["is_leader_cache", "is_leader_db"],
    types: &[TypeRow { name: "Client", kind: HandleKind::Pool, dialect: None }],
    calls: CALLS,
    statements: &[],
    locks: &[],
    dialect: Some(Dialect::Sqlite),
};

const fn send(name: &'static str, params: Params, gives: Gives) -> CallRow {
    let does = Does::Run { on: Arg::Receiver, statement: Arg::At(0), params, gives };
    CallRow { on: On::Handle, name, does }
}

const CALLS: &[CallRow] = &[
    send("execute", Params::List(1), Gives::Count),
    send("execute_returning", Params::List(1), Gives::Rows),
    send("execute_returning_map", Params::List(1), Gives::Rows),
    send("execute_returning_map_one", Params::List(1), Gives::Row),
    send("execute_returning_one", Params::List(1), Gives::Row),
    send("query_as", Params::List(1), Gives::Rows),
    send("query_as_one", Params::List(1), Gives::Row),
    send("query_as_optional", Params::List(1), Gives::MaybeRow),
    send("query_map", Params::List(1), Gives::Rows),
    send("query_map_one", Params::List(1), Gives::Row),
    send("query_map_optional", Params::List(1), Gives::MaybeRow),
    send("query_raw", Params::List(1), Gives::Rows),
    send("query_raw_one", Params::List(1), Gives::Row),
    send("batch", Params::Bound, Gives::Nothing),
];
