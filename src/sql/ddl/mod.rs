//! Statements that make and change tables, read off their tokens.
//!
//! The engines differ more here than anywhere, and a migration must not be lost over a storage option nobody asked for.
//! So this reader knows the words that decide what is unique, checked and referenced, and steps over all others.

mod alter;
mod table;
mod trigger;

use super::lex::{self, Kind, Token};
use super::schema::{Schema, TableDef, Unique};
use super::view::View;
use crate::dialect::Dialect;
use crate::lower::tree::Name;

/// Where a statement stands.
#[derive(Clone, Copy)]
struct Context<'a> {
    text: &'a str,
    dialect: Dialect,
}

/// Brings the schema up to date with a text of statements. Gives the statements about tables it could not read.
pub(super) fn apply(schema: &mut Schema, text: &str, dialect: Dialect) -> Vec<String> {
    let lexed = lex::lex(text, dialect);
    let context = Context { text, dialect };
    let mut missed: Vec<String> = lexed.unterminated.map(str::to_owned).into_iter().collect();
    for tokens in lex::split(&lexed.tokens) {
        match tokens {
            // PostgreSQL's DO runs a block, in which a table may be made on a condition.
            [first, rest @ ..] if first.is("do") => {
                for body in rest.iter().filter(|t| t.kind == Kind::Str) {
                    missed.extend(block(schema, &body.text, dialect));
                }
            }
            tokens => missed.extend(context.statement(schema, tokens)),
        }
    }
    missed
}

fn block(schema: &mut Schema, text: &str, dialect: Dialect) -> Vec<String> {
    let lexed = lex::lex(text, dialect);
    let context = Context { text, dialect };
    let pieces = lexed.tokens.split(|token| token.punct(";"));
    let starts = |piece: &[Token]| piece.iter().position(|t| t.is_any(&["create", "alter"]));
    pieces.filter_map(|piece| context.statement(schema, piece.get(starts(piece)?..)?)).collect()
}

impl Context<'_> {
    /// The source text of some tokens.
    fn shown(&self, tokens: &[Token]) -> String {
        let range = tokens.first().map_or(0, |t| t.start)..tokens.last().map_or(0, |t| t.end);
        self.text.get(range).unwrap_or_default().to_owned()
    }

    /// Applies one statement. Some when it is about a table and was not understood.
    fn statement(&self, schema: &mut Schema, tokens: &[Token]) -> Option<String> {
        let mut cursor = Cursor { tokens, at: 0 };
        let understood = if cursor.eat("create") {
            self.create(schema, &mut cursor)
        } else if cursor.eat("alter") {
            self.alter(schema, &mut cursor)
        } else if cursor.eat("drop") {
            drop_objects(schema, &mut cursor)
        } else if cursor.eat("rename") && cursor.eat("table") {
            rename_tables(schema, &mut cursor)
        } else {
            Some(())
        };
        match understood {
            Some(()) => None,
            None => Some(format!("not understood: {}", self.shown(tokens).chars().take(120).collect::<String>())),
        }
    }

    fn create(&self, schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
        let mut unique = false;
        while let Some(token) = cursor.peek() {
            if token.is("unique") {
                unique = true;
            } else if !token.is_any(&[
                "or",
                "replace",
                "global",
                "local",
                "temp",
                "temporary",
                "unlogged",
                "virtual",
                "clustered",
                "nonclustered",
                "constraint",
            ]) {
                break;
            }
            cursor.at += 1;
        }
        if cursor.eat("table") {
            return self.create_table(schema, cursor);
        }
        if cursor.eat("view") {
            self.create_view(schema, cursor);
            return Some(());
        }
        if cursor.eat("index") {
            return if unique { self.create_index(schema, cursor) } else { Some(()) };
        }
        // What a trigger is for is its own affair: one that is not understood raises nothing.
        if cursor.eat("trigger") {
            self.create_trigger(schema, cursor);
        } else if cursor.eat("function") {
            self.create_function(schema, cursor);
        }
        Some(())
    }

    /// `CREATE VIEW [IF NOT EXISTS] name [WITH (…)] AS SELECT …`. One that names its columns anew is not followed.
    fn create_view(&self, schema: &mut Schema, cursor: &mut Cursor) {
        cursor.if_exists();
        let Some(name) = cursor.name() else { return };
        schema.views.remove(&name);
        let renamed = cursor.peek().is_some_and(|token| token.punct("("));
        let rest = cursor.rest();
        let Some(query) = rest.iter().position(|token| token.is("as")).map(|at| &rest[at + 1..]) else { return };
        if !renamed
            && !schema.tables.contains_key(&name)
            && let Some(view) = View::of(&self.shown(query), self.dialect)
        {
            schema.views.insert(name, view);
        }
    }

    /// `CREATE UNIQUE INDEX [CONCURRENTLY] [IF NOT EXISTS] [name] ON table [USING …] (…) [WHERE …]`.
    fn create_index(&self, schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
        cursor.eat("concurrently");
        cursor.if_exists();
        let name = if cursor.peek()?.is("on") { None } else { Some(cursor.name()?) };
        if !cursor.eat("on") {
            return None;
        }
        cursor.eat("only");
        let table = cursor.name()?;
        if cursor.eat("using") {
            cursor.at += 1;
        }
        let list = cursor.brackets()?;
        let rest = cursor.rest();
        let partial = rest.iter().position(|t| t.is("where")).map(|at| self.shown(&rest[at + 1..]));
        let table_def = schema.tables.entry(table).or_default();
        table_def.uniques.retain(|known| known.name.is_none() || known.name != name);
        table_def.uniques.push(unique(name, list, partial));
        Some(())
    }
}

fn drop_objects(schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
    if cursor.eat("table") {
        cursor.if_exists();
        for part in lex::parts(cursor.rest()) {
            let name = Cursor { tokens: part, at: 0 }.name()?;
            schema.tables.remove(&name);
        }
    } else if cursor.eat("view") {
        cursor.if_exists();
        for part in lex::parts(cursor.rest()) {
            let name = Cursor { tokens: part, at: 0 }.name()?;
            schema.views.remove(&name);
        }
    } else if cursor.eat("trigger") {
        trigger::drop_trigger(schema, cursor);
    } else if cursor.eat("index") {
        cursor.eat("concurrently");
        cursor.if_exists();
        for part in lex::parts(cursor.rest()) {
            let name = Cursor { tokens: part, at: 0 }.name()?;
            for table in schema.tables.values_mut() {
                table.uniques.retain(|unique| unique.name.as_ref() != Some(&name));
            }
        }
    }
    Some(())
}

fn rename_tables(schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
    for part in lex::parts(cursor.rest()) {
        let mut cursor = Cursor { tokens: part, at: 0 };
        let from = cursor.name()?;
        cursor.eat("to");
        rename_table(schema, &from, cursor.name()?);
    }
    Some(())
}

/// Renames a table, in the foreign keys of others as well.
fn rename_table(schema: &mut Schema, from: &Name, to: Name) {
    let Some(table) = schema.tables.remove(from) else { return };
    for key in schema.tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
        if key.table == *from {
            key.table = to.clone();
        }
    }
    schema.views.remove(&to);
    for view in schema.views.values_mut().filter(|view| view.table == *from) {
        view.table = to.clone();
    }
    schema.tables.insert(to, table);
}

fn unique(name: Option<Name>, list: &[Token], partial: Option<String>) -> Unique {
    let parts = lex::parts(list);
    let columns = column_names(list);
    // `lower(email)` and `(a || b)` are expressions; `name(10)` and `name DESC` are not.
    let expression = parts.iter().any(|part| match part {
        // `name COLLATE NOCASE` takes two cases for one value.
        part if part.iter().any(|token| token.is("collate")) => true,
        [name, open, length, ..] if name.is_name() && open.punct("(") => length.kind != Kind::Num,
        [first, ..] => !first.is_name(),
        [] => false,
    });
    Unique { name, columns, expression, partial }
}

fn column_names(list: &[Token]) -> Vec<Name> {
    lex::parts(list).into_iter().flat_map(lex::columns).map(|token| token.name().into()).collect()
}

/// A place in a statement's tokens.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// Steps over a word if it is next.
    fn eat(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(found);
        found
    }

    fn eat_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.eat(word))
    }

    fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(n, word)| self.tokens.get(self.at + n).is_some_and(|t| t.is(word)));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// `IF EXISTS`, `IF NOT EXISTS`.
    fn if_exists(&mut self) -> bool {
        self.eat_all(&["if", "not", "exists"]) || self.eat_all(&["if", "exists"])
    }

    /// A name, without the schema before it. Some columns bear the name of a keyword.
    fn name(&mut self) -> Option<Name> {
        loop {
            let token = self.peek().filter(|t| matches!(t.kind, Kind::Word | Kind::Quoted | Kind::Hole | Kind::Str))?;
            self.at += 1;
            if !self.peek().is_some_and(|t| t.punct(".")) {
                return Some(token.name().into());
            }
            self.at += 1;
        }
    }

    /// What stands between the brackets that open here.
    fn brackets(&mut self) -> Option<&'a [Token]> {
        self.peek().filter(|t| t.punct("("))?;
        let close = lex::after_close(self.tokens, self.at);
        let inner = self.tokens.get(self.at + 1..close.saturating_sub(1)).unwrap_or_default();
        self.at = close;
        Some(inner)
    }
}

/// The names PostgreSQL and MySQL give a key that has none (PostgreSQL: `table_column_key`; MySQL: the first column).
fn given_name(dialect: Dialect, table: &str, columns: &[Name], suffix: &str) -> Option<Name> {
    match dialect {
        Dialect::Postgres | Dialect::Cockroach => {
            let middle: String = columns.iter().map(|column| format!("_{column}")).collect();
            Some(format!("{table}{middle}_{suffix}").into())
        }
        Dialect::MySql if suffix == "key" => columns.first().cloned(),
        _ => None,
    }
}

/// Removes what names a column that is gone.
fn forget_column(table: &mut TableDef, column: &Name) {
    let without = |columns: &[Name]| !columns.contains(column);
    table.columns.retain(|known| known.name != *column);
    table.uniques.retain(|unique| without(&unique.columns));
    table.checks.retain(|check| without(&check.columns));
    table.foreign_keys.retain(|key| without(&key.columns));
    table.excludes.retain(|columns| without(columns));
    if table.primary_key.contains(column) {
        table.primary_key.clear();
    }
}

fn rename_column(table: &mut TableDef, from: &Name, to: &Name) {
    let lists = table.uniques.iter_mut().map(|unique| &mut unique.columns);
    let lists = lists.chain(table.checks.iter_mut().map(|check| &mut check.columns));
    let lists = lists.chain(table.foreign_keys.iter_mut().map(|key| &mut key.columns));
    let lists = lists.chain(&mut table.excludes).chain(std::iter::once(&mut table.primary_key));
    for name in lists.flatten().chain(table.columns.iter_mut().map(|column| &mut column.name)) {
        if name == from {
            *name = to.clone();
        }
    }
}
