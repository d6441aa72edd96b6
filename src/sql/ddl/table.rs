//! CREATE TABLE: columns, and constraints beside or behind them.

use super::{Context, Cursor, column_names, given_name, unique};
use crate::dialect::Dialect;
use crate::lower::tree::Name;
use crate::sql::lex::{self, Kind, Token};
use crate::sql::parse;
use crate::sql::schema::{Check, ColumnDef, ForeignKey, OnDelete, Schema, TableDef};

/// Words that end a column's type.
const AFTER_TYPE: [&str; 19] = [
    "primary",
    "unique",
    "not",
    "null",
    "default",
    "references",
    "check",
    "constraint",
    "generated",
    "auto_increment",
    "autoincrement",
    "identity",
    "collate",
    "comment",
    "on",
    "as",
    "first",
    "after",
    "using",
];

impl Context<'_> {
    pub(super) fn create_table(&self, schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
        let if_not_exists = cursor.if_exists();
        let name = cursor.name()?;
        if if_not_exists && schema.tables.contains_key(&name) {
            return Some(());
        }
        let mut table = TableDef::default();
        if cursor.eat_all(&["partition", "of"]) || cursor.eat("like") {
            // A partition has its parent's columns and keys.
            table = schema.tables.get(&cursor.name()?).cloned().unwrap_or_default();
        } else if cursor.eat("using") {
            // SQLite's virtual tables list their columns as the module's arguments.
            cursor.name()?;
            for part in lex::parts(cursor.brackets().unwrap_or_default()) {
                if let [column] | [column, ..] = part
                    && column.is_name()
                    && !part.iter().any(|t| t.punct("="))
                {
                    table.columns.push(column_def(column.name().into(), String::new()));
                }
            }
        }
        if let Some(items) = cursor.brackets() {
            for item in lex::parts(items) {
                self.table_item(schema, &mut table, &name, item);
            }
        }
        if cursor.eat("inherits") {
            for parent in column_names(cursor.brackets().unwrap_or_default()) {
                let columns = schema.tables.get(&parent).map(|parent| parent.columns.clone()).unwrap_or_default();
                table.columns.splice(0..0, columns);
            }
        }
        if let Some(query) =
            cursor.rest().iter().position(|t| t.is_any(&["select", "with"])).filter(|_| table.columns.is_empty())
        {
            let text = self.shown(&cursor.rest()[query..]);
            let columns = parse::parse(&text, self.dialect).statements.into_iter().flat_map(|s| s.output);
            table.columns = columns.map(|output| column_def(output.name, String::new())).collect();
        }
        let known: Vec<Name> = table.columns.iter().map(|column| column.name.clone()).collect();
        table.checks.iter_mut().for_each(|check| check.columns.retain(|column| known.contains(column)));
        self.row_id(&mut table);
        table.created = true;
        schema.tables.insert(name, table);
        Some(())
    }

    /// SQLite: a single INTEGER primary key is the row id (SQLite documentation, "Rowid tables").
    fn row_id(&self, table: &mut TableDef) {
        if self.dialect != Dialect::Sqlite {
            return;
        }
        if let [key] = table.primary_key.as_slice()
            && let Some(column) = table.columns.iter_mut().find(|column| column.name == *key)
        {
            column.generated |= column.ty == "integer";
        }
    }

    fn table_item(&self, schema: &Schema, table: &mut TableDef, name: &Name, item: &[Token]) {
        let mut cursor = Cursor { tokens: item, at: 0 };
        if self.constraint(table, name, &mut cursor).is_some() {
            // SQLite takes the comma between two constraints as optional.
            while !cursor.rest().is_empty() && self.constraint(table, name, &mut cursor).is_some() {}
            return;
        }
        if cursor.eat("like") {
            if let Some(source) = cursor.name().and_then(|source| schema.tables.get(&source)) {
                table.columns.extend(source.columns.iter().cloned());
                if cursor.rest().iter().any(|t| t.is_any(&["all", "indexes"])) {
                    table.primary_key = source.primary_key.clone();
                    table.uniques.extend(source.uniques.iter().cloned());
                }
            }
            return;
        }
        self.column(table, name, &mut cursor);
    }

    /// A constraint of the table. None, with the cursor where it was, when a column stands here.
    pub(super) fn constraint(&self, table: &mut TableDef, of: &Name, cursor: &mut Cursor) -> Option<()> {
        let start = *cursor;
        let mut name = None;
        if cursor.eat("constraint")
            && !cursor.peek().is_some_and(|t| t.is_any(&["primary", "unique", "check", "foreign", "exclude"]))
        {
            name = cursor.name();
        }
        let found = self.constraint_body(table, of, name, cursor);
        if found.is_none() {
            *cursor = start;
        }
        found
    }

    fn constraint_body(&self, table: &mut TableDef, of: &Name, name: Option<Name>, cursor: &mut Cursor) -> Option<()> {
        if cursor.eat_all(&["primary", "key"]) {
            if cursor.eat_all(&["using", "index"]) {
                let index = cursor.name()?;
                if let Some(at) = table.uniques.iter().position(|unique| unique.name.as_ref() == Some(&index)) {
                    table.primary_key = table.uniques.remove(at).columns;
                }
                return Some(());
            }
            let list = bracketed(cursor)?;
            table.primary_key = column_names(list);
            let key = table.primary_key.clone();
            table.columns.iter_mut().filter(|c| key.contains(&c.name)).for_each(|c| c.nullable = false);
        } else if cursor.eat("unique") {
            if cursor.eat_all(&["using", "index"]) {
                let index = cursor.name()?;
                let known = table.uniques.iter_mut().find(|unique| unique.name.as_ref() == Some(&index))?;
                known.name = name.or(Some(index));
                return Some(());
            }
            cursor.eat_any(&["key", "index"]);
            let own = if cursor.peek()?.punct("(") || cursor.peek()?.is("nulls") { None } else { cursor.name() };
            let mut found = unique(name.or(own), bracketed(cursor)?, None);
            if found.name.is_none() {
                found.name = given_name(self.dialect, of, &found.columns, "key");
            }
            table.uniques.retain(|known| known.name.is_none() || known.name != found.name);
            table.uniques.push(found);
        } else if cursor.eat("check") {
            let condition = cursor.brackets()?;
            table.checks.push(self.check(name, of, condition));
        } else if cursor.eat_all(&["foreign", "key"]) {
            if !cursor.peek()?.punct("(") {
                cursor.name();
            }
            let columns = column_names(cursor.brackets()?);
            cursor.eat("references").then_some(())?;
            let (to, references) = referenced(cursor)?;
            let on_delete = on_delete(cursor);
            table.foreign_keys.push(ForeignKey { columns, table: to, references, on_delete });
        } else if cursor.eat("exclude") {
            if cursor.eat("using") {
                cursor.name()?;
            }
            table.excludes.push(column_names(cursor.brackets()?));
        } else if let Some(list) = plain_index(cursor) {
            cursor.at = list;
        } else {
            return None;
        }
        Some(())
    }

    /// A column with its type and constraints. Gives its name; a column of that name is replaced.
    pub(super) fn column(&self, table: &mut TableDef, of: &Name, cursor: &mut Cursor) -> Option<Name> {
        let name = cursor.name()?;
        let from = cursor.at;
        while cursor.peek().is_some_and(|t| !t.is_any(&AFTER_TYPE)) {
            if cursor.brackets().is_none() {
                cursor.at += 1;
            }
        }
        let ty = type_text(&cursor.tokens[from..cursor.at]);
        let mut column = column_def(name.clone(), ty);
        let serial = ["serial", "bigserial", "smallserial", "serial8", "serial4"].contains(&column.ty.as_str());
        column.generated = serial;
        column.nullable = !serial;
        let one = || vec![name.clone()];
        let mut constraint = None;
        while let Some(token) = cursor.peek() {
            if cursor.eat("constraint") {
                constraint = cursor.name();
                continue;
            }
            if cursor.eat_all(&["not", "null"]) {
                column.nullable = false;
            } else if cursor.eat_all(&["primary", "key"]) {
                table.primary_key = one();
                column.nullable = false;
            } else if cursor.eat("unique") {
                let mut found = unique(constraint.take(), std::slice::from_ref(&cursor.tokens[0]), None);
                found.columns = one();
                found.name = found.name.or_else(|| given_name(self.dialect, of, &found.columns, "key"));
                table.uniques.push(found);
            } else if cursor.eat("check") {
                let Some(condition) = cursor.brackets() else { continue };
                table.checks.push(self.check(constraint.take(), of, condition));
            } else if cursor.eat("references") {
                let Some((to, references)) = referenced(cursor) else { continue };
                let (columns, on_delete) = (one(), on_delete(cursor));
                table.foreign_keys.push(ForeignKey { columns, table: to, references, on_delete });
            } else if cursor.eat("default") {
                column.generated |= cursor.peek().is_some_and(|t| t.is_any(&["nextval", "unique_rowid"]));
                if cursor.brackets().is_none() {
                    cursor.at += 1;
                }
            } else if cursor.eat("collate") {
                let named = cursor.name().unwrap_or_default();
                column.ty = format!("{} collate {}", column.ty, named.to_lowercase());
            } else if cursor.eat("generated") {
                column.generated |= cursor.rest().iter().take(4).any(|t| t.is("identity"));
            } else if token.is_any(&["auto_increment", "autoincrement", "identity"]) {
                column.generated = true;
                cursor.at += 1;
            } else if cursor.brackets().is_none() {
                cursor.at += 1;
            }
        }
        match table.columns.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = column,
            None => table.columns.push(column),
        }
        Some(name)
    }

    fn check(&self, name: Option<Name>, of: &Name, condition: &[Token]) -> Check {
        let mut columns: Vec<Name> = Vec::new();
        for (i, token) in condition.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| &condition[i]);
            let typed = before.is_some_and(|t| t.punct("::") || t.is("as"));
            let called = condition.get(i + 1).is_some_and(|t| t.punct("("));
            let name = Name::from(token.name());
            if token.is_name()
                && !typed
                && !called
                && !token.is_any(&["null", "true", "false", "end"])
                && !columns.contains(&name)
            {
                columns.push(name);
            }
        }
        let given = || given_name(self.dialect, of, columns.get(..1).unwrap_or_default(), "check");
        Check { name: name.or_else(given), columns, text: self.shown(condition) }
    }
}

fn column_def(name: Name, ty: String) -> ColumnDef {
    ColumnDef { name, ty, nullable: true, generated: false }
}

/// `table [(columns)]` after REFERENCES.
fn referenced(cursor: &mut Cursor) -> Option<(Name, Vec<Name>)> {
    let table = cursor.name()?;
    let columns = cursor.brackets().map(column_names).unwrap_or_default();
    Some((table, columns))
}

/// What is said behind a reference of what becomes of it: `ON UPDATE CASCADE ON DELETE SET NULL`.
fn on_delete(cursor: &Cursor) -> OnDelete {
    let own = cursor.rest().split(|token| token.punct(",")).next().unwrap_or_default();
    let said = own.windows(3).find(|three| three[0].is("on") && three[1].is("delete"));
    match said {
        Some([.., act]) if act.is("cascade") => OnDelete::Deletes,
        Some([.., act]) if act.is("set") => OnDelete::Releases,
        _ => OnDelete::Refuses,
    }
}

/// The list of a key, behind words such as `NULLS NOT DISTINCT` or `USING BTREE`.
fn bracketed<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [Token]> {
    while cursor.eat_any(&["nulls", "not", "distinct", "using", "btree", "hash", "clustered", "nonclustered"]) {}
    cursor.brackets()
}

/// MySQL's `KEY name (columns)`, which is unique in nothing. Gives where it ends.
///
/// A column may be called `key` as well: then a type follows, whose brackets hold a number.
fn plain_index(cursor: &Cursor) -> Option<usize> {
    let mut cursor = *cursor;
    if cursor.eat_any(&["fulltext", "spatial"]) {
        cursor.eat_any(&["key", "index"]);
    } else if !cursor.eat_any(&["key", "index"]) {
        return None;
    }
    if !cursor.peek()?.punct("(") {
        cursor.name()?;
    }
    let list = bracketed(&mut cursor)?;
    list.first().is_some_and(|t| t.kind != Kind::Num && t.kind != Kind::Str).then_some(cursor.tokens.len())
}

fn type_text(tokens: &[Token]) -> String {
    let mut text = String::new();
    for (i, token) in tokens.iter().enumerate() {
        let words = i > 0 && token.kind != Kind::Punct && !tokens[i - 1].punct("(") && !tokens[i - 1].punct(".");
        if words {
            text.push(' ');
        }
        text.push_str(&token.text.to_lowercase());
    }
    text
}
