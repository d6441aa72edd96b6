//! The tables as they are after all migrations: what is unique, checked, and referenced.

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::lower::tree::Name;

/// All tables known, by name (lower case unless quoted).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Schema {
    pub tables: FxHashMap<Name, TableDef>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TableDef {
    pub columns: Vec<ColumnDef>,
    pub primary_key: Vec<Name>,
    /// UNIQUE constraints and unique indexes, the primary key not among them.
    pub uniques: Vec<Unique>,
    pub checks: Vec<Check>,
    pub foreign_keys: Vec<ForeignKey>,
    /// PostgreSQL EXCLUDE constraints: the columns they span.
    pub excludes: Vec<Vec<Name>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnDef {
    pub name: Name,
    /// The type as written, lower case.
    pub ty: String,
    pub nullable: bool,
    /// A sequence, serial, identity or AUTO_INCREMENT fills it.
    pub generated: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unique {
    /// The constraint's or index's name, where it has one.
    pub name: Option<Name>,
    pub columns: Vec<Name>,
    /// Some part is an expression such as `lower(email)`; its columns are in `columns` all the same.
    pub expression: bool,
    /// The WHERE of a partial index, as text.
    pub partial: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    pub name: Option<Name>,
    pub columns: Vec<Name>,
    /// The condition as text.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForeignKey {
    pub columns: Vec<Name>,
    pub table: Name,
    /// Empty when the statement names none: the primary key is meant.
    pub references: Vec<Name>,
}

impl Schema {
    pub fn table(&self, name: &str) -> Option<&TableDef> {
        self.tables.get(name)
    }
}

impl TableDef {
    /// All keys that allow a value once: the primary key and the full (not partial) unique ones.
    pub fn keys(&self) -> impl Iterator<Item = &[Name]> {
        std::iter::once(self.primary_key.as_slice())
            .filter(|key| !key.is_empty())
            .chain(self.uniques.iter().filter(|u| u.partial.is_none()).map(|u| u.columns.as_slice()))
    }
}
