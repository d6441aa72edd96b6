//! The tables as they are after all migrations: what is unique, checked, and referenced.

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::lower::tree::Name;
use crate::sql::statement::{Action, Assignment, Statement};
use crate::sql::view::View;

/// All tables known, by name (lower case unless quoted).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Schema {
    pub tables: FxHashMap<Name, TableDef>,
    /// Views that show rows of one table as they are.
    #[serde(skip_serializing_if = "FxHashMap::is_empty")]
    pub views: FxHashMap<Name, View>,
    /// What the functions of triggers give the row that they are called for.
    #[serde(skip)]
    pub routines: FxHashMap<Name, Vec<Assignment>>,
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
    /// What runs for each row that an UPDATE changes, as far as it gives that row a new version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// Known from code alone, such as diesel's `table!`: whether other columns are unique is not said there.
    pub keys_unsaid: bool,
    /// A statement makes it: one that is only changed is made elsewhere.
    #[serde(skip)]
    pub created: bool,
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
    pub on_delete: OnDelete,
}

/// A trigger that gives a changed row values that it did not have before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trigger {
    pub name: Name,
    /// It only runs where one of these is given a value; for each UPDATE where none stands here.
    pub of: Vec<Name>,
    /// The function that it calls.
    pub runs: Option<Name>,
    pub sets: Vec<Assignment>,
}

/// What a foreign key does when the row that it refers to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum OnDelete {
    /// NO ACTION and RESTRICT, and where nothing is said.
    Refuses,
    /// CASCADE.
    Deletes,
    /// SET NULL and SET DEFAULT.
    Releases,
    /// Known from code that does not say it.
    Unsaid,
}

impl Schema {
    /// Adds what code says of a table to what migrations say of it.
    pub fn add(&mut self, name: Name, def: TableDef) {
        let Some(known) = self.tables.get_mut(&name) else {
            self.tables.insert(name, def);
            return;
        };
        if known.primary_key.is_empty() {
            known.primary_key = def.primary_key;
        }
        if known.columns.is_empty() {
            known.columns = def.columns;
        }
        for unique in def.uniques {
            if known.uniques.iter().all(|other| other.columns != unique.columns) {
                known.uniques.push(unique);
            }
        }
        for key in def.foreign_keys {
            if known.foreign_keys.iter().all(|other| other.columns != key.columns) {
                known.foreign_keys.push(key);
            }
        }
    }

    /// Takes over the tables that are not known yet.
    pub fn complete(&mut self, other: Self) {
        for (name, def) in other.tables {
            self.tables.entry(name).or_insert(def);
        }
        for (name, view) in other.views {
            self.views.entry(name).or_insert(view);
        }
    }

    /// The names of the tables and views that it makes.
    pub fn made(&self) -> impl Iterator<Item = &Name> {
        let tables = self.tables.iter().filter(|(_, def)| def.created).map(|(name, _)| name);
        tables.chain(self.views.keys())
    }

    /// Means by a name what another schema makes under it, a table or a view.
    pub fn take(&mut self, name: &Name, other: &Self) {
        if let Some(view) = other.views.get(name) {
            self.tables.remove(name);
            self.views.insert(name.clone(), view.clone());
        } else if let Some(table) = other.tables.get(name) {
            self.views.remove(name);
            self.tables.insert(name.clone(), table.clone());
        }
    }

    /// Names the columns of an INSERT that lists none: it gives all of its table's, in their order.
    pub fn name_columns(&self, statement: &mut Statement) {
        for access in statement.accesses.iter_mut().filter(|access| access.action == Action::Insert) {
            let Some(table) = self.table(&access.table.name) else { continue };
            if access.sets.len() == table.columns.len() && access.sets.iter().all(|set| set.column == "?") {
                for (set, column) in access.sets.iter_mut().zip(&table.columns) {
                    set.column = column.name.clone();
                }
            }
        }
    }

    pub fn table(&self, name: &str) -> Option<&TableDef> {
        self.tables.get(name)
    }
}

impl TableDef {
    /// The new value that a trigger gives a column where an UPDATE gives some others theirs.
    pub fn raised<'s, I>(&self, column: &str, given: impl Fn() -> I) -> Option<&Assignment>
    where
        I: Iterator<Item = &'s Assignment>,
    {
        let runs = |trigger: &&Trigger| {
            trigger.of.is_empty() || given().any(|set| set.column == "?" || trigger.of.contains(&set.column))
        };
        self.triggers.iter().filter(runs).flat_map(|trigger| &trigger.sets).find(|set| set.column == column)
    }

    /// All keys that allow a value once: the primary key and the full (not partial) unique ones.
    pub fn keys(&self) -> impl Iterator<Item = &[Name]> {
        std::iter::once(self.primary_key.as_slice())
            .filter(|key| !key.is_empty())
            .chain(self.uniques.iter().filter(|u| u.partial.is_none()).map(|u| u.columns.as_slice()))
    }

    /// The same with those of partial indexes.
    pub fn all_keys(&self) -> impl Iterator<Item = &[Name]> {
        std::iter::once(self.primary_key.as_slice())
            .filter(|key| !key.is_empty())
            .chain(self.uniques.iter().map(|unique| unique.columns.as_slice()))
    }
}
