//! What calls of a database library mean, and nothing else: no rule and no protection is known here.
//!
//! Clients whose calls carry SQL are tables ([`table`]): one file each, data only. Query builders need code: one file
//! each, which turns a chain of calls into the same [`crate::sql::statement::Statement`] that SQL text gives.
//!
//! A row fires on evidence, not on a name: the crate is a dependency, and the receiver's type, the use path, or SQL that
//! parses says that a database is meant.

pub mod diesel;
pub mod handles;
pub mod hiqlite;
pub mod libsql;
pub mod mysql;
pub mod own;
pub mod postgres;
pub mod rusqlite;
pub mod sea_orm;
pub mod sqlx;
pub mod table;
pub mod tiberius;

use std::sync::{Arc, LazyLock};

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;

use crate::dialect::{Dialect, Isolation};
use crate::flow::term::{TermId, Terms};
use crate::flow::value::Value;
use crate::lower::tree::{FileTree, Name};
use crate::sql::statement::BeginMode;

/// What kind of handle a statement is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum HandleKind {
    /// Hands out another connection for each statement.
    Pool,
    /// One connection, in autocommit unless a transaction was begun on it.
    Connection,
    /// An open transaction.
    Transaction,
    /// Anything a statement can be sent to: `impl Executor`.
    Executor,
}

/// A transaction's options, as builder calls collect them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxOptions {
    /// The connection it will begin on, where the builder has one.
    pub from: Option<TermId>,
    pub isolation: Option<Isolation>,
    pub mode: BeginMode,
}

/// A name or a piece of a query builder that is not a statement yet.
#[derive(Clone, Debug)]
pub enum Builder {
    /// A table: diesel's `accounts::table`, sea-orm's `account::Entity`.
    Table(Name),
    /// A column, with its table.
    Column { table: Name, column: Name },
    /// sea-orm's and sea-query's values.
    SeaOrm(Box<sea_orm::SeaOrm>),
    /// A piece of one of diesel's statements.
    Diesel(diesel::Part),
}

impl Builder {
    /// One builder for several that branches gave; none for what stays several.
    ///
    /// In: the values; what the branch asks to be there.
    pub fn merge(values: &[&Self], asked: &[TermId], terms: &mut Terms) -> Option<Self> {
        let all: Option<Vec<&sea_orm::SeaOrm>> = values
            .iter()
            .map(|value| match value {
                Self::SeaOrm(sea) => Some(&**sea),
                _ => None,
            })
            .collect();
        sea_orm::SeaOrm::merge(&all?, asked, terms).map(Self::from)
    }

    /// The same with each value replaced, where whole values are kept.
    pub fn with_values(&self, replace: &mut dyn FnMut(&Value) -> Value) -> Self {
        match self {
            Self::Diesel(part) => Self::Diesel(part.with_values(replace)),
            other => other.clone(),
        }
    }

    /// The same with each term replaced.
    pub fn with_terms(self, replace: &mut dyn FnMut(TermId) -> TermId) -> Self {
        match self {
            Self::SeaOrm(sea) => Self::from(sea.with_terms(replace)),
            Self::Table(_) | Self::Column { .. } | Self::Diesel(_) => self,
        }
    }
}

impl From<sea_orm::SeaOrm> for Builder {
    fn from(sea: sea_orm::SeaOrm) -> Self {
        Self::SeaOrm(Box::new(sea))
    }
}

/// One client: its crates, its types, and what its calls do.
pub struct Client {
    pub name: &'static str,
    /// The packages that show that a program uses it, with `_` for `-`.
    pub krates: &'static [&'static str],
    /// The version the table was checked against.
    pub checked: &'static str,
    /// A transaction stays open between statements; without, all of its statements are sent at once.
    pub interactive: bool,
    /// Calls that ask whether this process leads those that share the database; one of them does.
    pub leads: &'static [&'static str],
    pub types: &'static [table::TypeRow],
    pub calls: &'static [table::CallRow],
    /// Types whose values are statements, and traits of what can be sent as one.
    pub statements: &'static [&'static str],
    /// Types whose values are named locks of the database.
    pub locks: &'static [&'static str],
    pub dialect: Option<Dialect>,
}

/// Adds to a file's tree the items that clients' macros generate there, so that paths lead to them. `text` is the file's.
pub fn generated(tree: &mut FileTree, text: &str) {
    diesel::schema::expand(tree, text);
}

/// Whether a name is that of a client's library, whichever path leads to it. Engines are modules of libraries as well.
pub fn is_library(name: &str) -> bool {
    !matches!(name, "mysql" | "postgres") && CLIENTS.iter().any(|client| client.krates.contains(&name))
}

/// All clients whose calls carry SQL, in the order their rows are tried.
const CLIENTS: [&Client; 9] = [
    &mysql::CLIENT,
    &sqlx::CLIENT,
    &postgres::CLIENT,
    &rusqlite::CLIENT,
    &libsql::CLIENT,
    &tiberius::CLIENT,
    &sea_orm::table::CLIENT,
    &diesel::table::CLIENT,
    &hiqlite::CLIENT,
];

/// Whether some client has a call whose path ends in this name. Most names of a program are no client's, and its tables
/// need not be read for them.
pub fn has_call(name: &str) -> bool {
    static NAMES: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| {
        let rows = CLIENTS.iter().flat_map(|client| client.calls);
        rows.map(|row| row.name.rsplit("::").next().unwrap_or(row.name)).collect()
    });
    NAMES.contains(name)
}

/// All clients, to be shared.
pub fn clients() -> Arc<[&'static Client]> {
    Arc::from(CLIENTS)
}

/// What a file that sends a write holds, whatever its package's manifest says: without writes nothing races.
const WRITES: [&str; 5] = ["INSERT INTO", "UPDATE ", "DELETE FROM", "insert into", "delete from"];

/// Finds what speaks of a database in a text: the name of a client's crate, or a write.
pub fn search(clients: &[&'static Client]) -> Option<AhoCorasick> {
    let names = clients.iter().flat_map(|client| client.krates.iter().copied());
    AhoCorasick::new(WRITES.into_iter().chain(names)).ok()
}
