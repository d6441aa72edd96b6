//! The database engine a program talks to, and the isolation levels it knows.

use serde::{Deserialize, Serialize};

/// The SQL dialect, and with it the engine whose locking decides a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    Postgres,
    MySql,
    Sqlite,
    Cockroach,
    MsSql,
}

/// An isolation level as the SQL standard and the engines name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    /// SQL Server's SNAPSHOT.
    Snapshot,
    Serializable,
}

impl Dialect {
    /// The level of a transaction that sets none.
    ///
    /// PostgreSQL and SQL Server: READ COMMITTED; InnoDB: REPEATABLE READ; SQLite has one writer and is serializable;
    /// CockroachDB: SERIALIZABLE (each engine's manual, "transaction isolation").
    pub fn default_isolation(self) -> Isolation {
        match self {
            Self::Postgres | Self::MsSql => Isolation::ReadCommitted,
            Self::MySql => Isolation::RepeatableRead,
            Self::Sqlite | Self::Cockroach => Isolation::Serializable,
        }
    }

    /// The engine behind a handle: what its type says, but for a type of PostgreSQL's driver where the package's engine
    /// only speaks that language.
    pub fn behind(handle: Option<Self>, package: Option<Self>) -> Option<Self> {
        match (handle, package) {
            (Some(Self::Postgres), Some(Self::Cockroach)) => package,
            _ => handle.or(package),
        }
    }

    /// The engine's name as its makers write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::Sqlite => "SQLite",
            Self::Cockroach => "CockroachDB",
            Self::MsSql => "SQL Server",
        }
    }

    /// Whether the engine speaks PostgreSQL's language.
    pub fn is_postgres_like(self) -> bool {
        matches!(self, Self::Postgres | Self::Cockroach)
    }
}

impl Isolation {
    /// The level as SQL spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "READ UNCOMMITTED",
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Snapshot => "SNAPSHOT",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}
