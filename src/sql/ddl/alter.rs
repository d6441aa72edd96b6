//! ALTER TABLE.

use super::{Context, Cursor, forget_column, rename_column, rename_table};
use crate::lower::tree::Name;
use crate::sql::lex;
use crate::sql::schema::{Schema, TableDef};

impl Context<'_> {
    pub(super) fn alter(&self, schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
        if cursor.eat("index") {
            cursor.if_exists();
            let from = cursor.name()?;
            if cursor.eat_all(&["rename", "to"]) {
                let to = cursor.name()?;
                schema.tables.values_mut().for_each(|table| rename_key(table, &from, &to));
            }
            return Some(());
        }
        if !cursor.eat("table") {
            return Some(());
        }
        cursor.if_exists();
        cursor.eat("only");
        let table = cursor.name()?;
        let mut understood = Some(());
        for action in lex::parts(cursor.rest()) {
            let mut cursor = Cursor { tokens: action, at: 0 };
            if cursor.eat_all(&["rename", "to"]) || cursor.eat_all(&["rename", "as"]) {
                rename_table(schema, &table, cursor.name()?);
                continue;
            }
            let known = schema.tables.entry(table.clone()).or_default();
            understood = understood.and(self.action(known, &table, &mut cursor));
        }
        understood
    }

    fn action(&self, table: &mut TableDef, of: &Name, cursor: &mut Cursor) -> Option<()> {
        if cursor.eat("add") {
            return self.add(table, of, cursor);
        }
        if cursor.eat("drop") {
            return drop_part(table, cursor);
        }
        if cursor.eat("rename") {
            let key = cursor.eat_any(&["constraint", "index", "key"]);
            cursor.eat("column");
            let from = cursor.name()?;
            cursor.eat("to");
            let to = cursor.name()?;
            match key {
                true => rename_key(table, &from, &to),
                false => rename_column(table, &from, &to),
            }
            return Some(());
        }
        if cursor.eat("alter") {
            cursor.eat("column");
            return alter_column(table, cursor);
        }
        if cursor.eat("modify") {
            cursor.eat("column");
            return self.column(table, of, cursor).map(drop);
        }
        if cursor.eat("change") {
            cursor.eat("column");
            let from = cursor.name()?;
            let to = Cursor { ..*cursor }.name()?;
            rename_column(table, &from, &to);
            return self.column(table, of, cursor).map(drop);
        }
        // Owners, storage, triggers, row security: nothing that is unique, checked or referenced.
        Some(())
    }

    fn add(&self, table: &mut TableDef, of: &Name, cursor: &mut Cursor) -> Option<()> {
        if self.constraint(table, of, cursor).is_some() {
            return Some(());
        }
        if cursor.peek()?.is("constraint") {
            return None;
        }
        cursor.eat("column");
        let absent = cursor.if_exists();
        if let Some(list) = cursor.brackets() {
            for part in lex::parts(list) {
                self.column(table, of, &mut Cursor { tokens: part, at: 0 })?;
            }
            return Some(());
        }
        let name = Cursor { ..*cursor }.name()?;
        if absent && table.columns.iter().any(|column| column.name == name) {
            return Some(());
        }
        self.column(table, of, cursor).map(drop)
    }
}

fn drop_part(table: &mut TableDef, cursor: &mut Cursor) -> Option<()> {
    if cursor.eat_all(&["primary", "key"]) {
        table.primary_key.clear();
        return Some(());
    }
    let key = cursor.eat_any(&["constraint", "index", "key", "check"]) || cursor.eat_all(&["foreign", "key"]);
    if !key {
        cursor.eat("column");
    }
    cursor.if_exists();
    let name = cursor.name()?;
    if !key {
        forget_column(table, &name);
        return Some(());
    }
    table.uniques.retain(|unique| unique.name.as_ref() != Some(&name));
    table.checks.retain(|check| check.name.as_ref() != Some(&name));
    if name.ends_with("_pkey") {
        table.primary_key.clear();
    }
    Some(())
}

fn alter_column(table: &mut TableDef, cursor: &mut Cursor) -> Option<()> {
    let name = cursor.name()?;
    let Some(column) = table.columns.iter_mut().find(|column| column.name == name) else { return Some(()) };
    if cursor.eat_all(&["set", "not", "null"]) {
        column.nullable = false;
    } else if cursor.eat_all(&["drop", "not", "null"]) {
        column.nullable = true;
    } else if cursor.eat_all(&["drop", "identity"]) {
        column.generated = false;
    } else if cursor.eat_all(&["drop", "default"]) {
        column.generated &= cursor.rest().iter().any(|t| t.is("identity"));
    } else if cursor.eat_all(&["set", "default"]) {
        column.generated = cursor.peek().is_some_and(|t| t.is("nextval"));
    } else if cursor.eat_all(&["add", "generated"]) {
        column.generated = true;
    } else if cursor.eat("type") || cursor.eat_all(&["set", "data", "type"]) {
        column.ty = cursor
            .rest()
            .iter()
            .take_while(|t| !t.is_any(&["using", "collate"]))
            .map(|t| t.name())
            .collect::<Vec<_>>()
            .join(" ");
    }
    Some(())
}

/// Renames a key or a check.
fn rename_key(table: &mut TableDef, from: &Name, to: &Name) {
    let names = table.uniques.iter_mut().map(|unique| &mut unique.name);
    for name in names.chain(table.checks.iter_mut().map(|check| &mut check.name)) {
        if name.as_ref() == Some(from) {
            *name = Some(to.clone());
        }
    }
}
