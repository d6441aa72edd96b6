//! In-house wrappers: the table that `[[client]]` of racelint.toml gives.
//!
//! A wrapper whose source is in the workspace needs no table, its functions are read. A table is for one that comes as a
//! crate, or hides its SQL where racelint cannot follow:
//!
//! ```toml
//! [[client]]
//! name = "ledger-db"
//! crate = "ledger_db"
//!
//! [[client.call]]
//! method = "fetch"        # db.fetch("SELECT …", &[&id]) gives a row that may be missing
//! on = "Db"
//! sql = 0
//! gives = "option"
//!
//! [[client.call]]
//! method = "begin"        # let tx = db.begin()
//! on = "Db"
//! kind = "begin"
//!
//! [[client.call]]
//! method = "load_account" # ledger_db::load_account(&tx, id)
//! kind = "read"
//! table = "accounts"
//! gives = "row"
//! ```
//!
//! A call with `sql` sends the argument with that index, and the arguments after it are its parameters. A call with
//! `kind = "read"` or `"write"` touches the row of `table` that its arguments name.

use crate::client::table::{Arg, Does, Gives, Params};
use crate::config::{self, CallKind, Config};
use crate::sql::statement::{Action, BeginMode};

/// One call of a wrapper.
#[derive(Clone, Debug)]
pub struct OwnCall {
    /// The package that defines it, with `_`; none for any.
    pub krate: Option<String>,
    /// The last name of its path.
    pub method: String,
    /// The last name of the type it is called on.
    pub on: Option<String>,
    pub does: OwnDoes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnDoes {
    /// What a row of a client's table does.
    Row(Does),
    /// Touches the row of a table that the arguments name.
    Touch { table: String, action: Action, gives: Gives },
    /// Reaches outside of the process.
    Effect,
}

/// The calls a configuration names, in its order. Calls that say too little, such as a read without a table, are left
/// out.
pub fn calls(config: &Config) -> Vec<OwnCall> {
    let all = config.clients.iter().flat_map(|client| client.calls.iter().map(move |call| (client, call)));
    all.filter_map(|(client, call)| {
        let does = does(call)?;
        Some(OwnCall { krate: client.krate.clone(), method: call.method.clone(), on: call.on.clone(), does })
    })
    .collect()
}

fn does(call: &config::Call) -> Option<OwnDoes> {
    if let Some(sql) = call.sql.map(usize::from) {
        let gives = gives(call.gives, Gives::Rows);
        let run = Does::Run { on: Arg::Receiver, statement: Arg::At(sql), params: Params::Rest(sql + 1), gives };
        return Some(OwnDoes::Row(run));
    }
    let touch = |action, otherwise| {
        let table = call.table.clone()?.to_lowercase();
        Some(OwnDoes::Touch { table, action, gives: gives(call.gives, otherwise) })
    };
    match call.kind? {
        CallKind::Read => touch(Action::Read, Gives::MaybeRow),
        CallKind::Write => touch(Action::Update, Gives::Count),
        CallKind::Begin => Some(OwnDoes::Row(Does::Begin {
            from: Arg::Receiver,
            isolation: None,
            mode: BeginMode::Plain,
            options: None,
        })),
        CallKind::Commit => Some(OwnDoes::Row(Does::Commit)),
        CallKind::Rollback => Some(OwnDoes::Row(Does::Rollback)),
        CallKind::Effect => Some(OwnDoes::Effect),
    }
}

fn gives(gives: Option<config::Gives>, otherwise: Gives) -> Gives {
    match gives {
        Some(config::Gives::Row | config::Gives::Value) => Gives::Row,
        Some(config::Gives::Option) => Gives::MaybeRow,
        Some(config::Gives::Rows) => Gives::Rows,
        Some(config::Gives::Count) => Gives::Count,
        Some(config::Gives::Nothing) => Gives::Nothing,
        None => otherwise,
    }
}
