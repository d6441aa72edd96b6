//! Triggers that give a row a new version each time it is changed.
//!
//! Source: PostgreSQL manual, "CREATE TRIGGER" and "Trigger Functions"; SQLite, "CREATE TRIGGER"; MySQL manual, "Trigger Syntax
//! and Examples". Only what runs for each UPDATE is kept: what stands behind an IF may not run.

use super::{Context, Cursor};
use crate::lower::tree::Name;
use crate::sql::lex::{self, Kind, Token};
use crate::sql::schema::{Schema, Trigger};
use crate::sql::statement::{Assignment, Operand};

/// Calls that give another value each time.
const DRAWS: [&str; 6] = ["nextval", "gen_random_uuid", "uuid_generate_v4", "uuid", "uuidv7", "randomblob"];

/// Words with which a statement begins that runs others only sometimes, or ends the routine.
const LEADS_ELSEWHERE: [&str; 8] = ["if", "case", "loop", "while", "for", "foreach", "return", "begin"];

impl Context<'_> {
    /// `CREATE TRIGGER [IF NOT EXISTS] name BEFORE | AFTER UPDATE [OF a, b] ON table … [WHEN …] body`
    pub(super) fn create_trigger(&self, schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
        cursor.if_exists();
        let name = cursor.name()?;
        let rest = cursor.rest();
        let on = rest.iter().position(|token| token.is("on"))?;
        let (events, rest) = rest.split_at(on);
        let mut after = Cursor { tokens: &rest[1..], at: 0 };
        let table = after.name()?;
        let rest = after.rest();
        let def = schema.tables.get_mut(&table)?;
        def.triggers.retain(|known| known.name != name);
        let at = events.iter().position(|token| token.is("update"))?;
        let of: Vec<Name> = match events.get(at + 1..) {
            Some([of, columns @ ..]) if of.is("of") => {
                let columns = columns.split(|token| token.is("or")).next().unwrap_or_default();
                columns.iter().filter(|token| token.is_name()).map(|token| token.name().into()).collect()
            }
            _ => Vec::new(),
        };
        let (head, runs, sets) = if let Some(at) = rest.iter().position(|token| token.is("execute")) {
            let mut called = Cursor { tokens: &rest[at + 1..], at: 0 };
            called.eat_any(&["function", "procedure"]);
            let function = called.name()?;
            let sets = schema.routines.get(&function).cloned().unwrap_or_default();
            (&rest[..at], Some(function), sets)
        } else {
            let begins = |token: &Token| token.is_any(&["begin", "set", "update"]);
            let at = rest.iter().position(begins)?;
            (&rest[..at], None, raised(&rest[at..], Some(&table)))
        };
        let whole = head.windows(2).any(|pair| pair[0].is("each") && pair[1].is("statement"));
        if whole || !head.iter().position(|token| token.is("when")).is_none_or(|at| is_of_change(&head[at + 1..])) {
            return Some(());
        }
        if runs.is_some() || !sets.is_empty() {
            def.triggers.push(Trigger { name, of, runs, sets });
        }
        Some(())
    }

    /// `CREATE [OR REPLACE] FUNCTION name() RETURNS trigger AS $$ … $$`: what it gives the row that it is called for.
    pub(super) fn create_function(&self, schema: &mut Schema, cursor: &mut Cursor) {
        let Some(name) = cursor.name() else { return };
        let rest = cursor.rest();
        let trigger = rest.windows(2).any(|pair| pair[0].is("returns") && pair[1].is("trigger"));
        let Some(body) = rest.iter().find(|token| token.kind == Kind::Str).filter(|_| trigger) else { return };
        let lexed = lex::lex(&body.text, self.dialect);
        let begin = lexed.tokens.iter().position(|token| token.is("begin")).unwrap_or(0);
        let sets = raised(&lexed.tokens[begin..], None);
        for trigger in schema.tables.values_mut().flat_map(|table| &mut table.triggers) {
            if trigger.runs.as_ref() == Some(&name) {
                trigger.sets.clone_from(&sets);
            }
        }
        schema.routines.insert(name, sets);
    }
}

/// `DROP TRIGGER [IF EXISTS] name [ON table]`
pub(super) fn drop_trigger(schema: &mut Schema, cursor: &mut Cursor) -> Option<()> {
    cursor.if_exists();
    let name = cursor.name()?;
    let of = if cursor.eat("on") { cursor.name() } else { None };
    for (_, table) in schema.tables.iter_mut().filter(|(table, _)| of.as_ref().is_none_or(|of| of == *table)) {
        table.triggers.retain(|trigger| trigger.name != name);
    }
    Some(())
}

/// Whether a condition only leaves out changes that change nothing, or those that gave the column a value themselves.
fn is_of_change(condition: &[Token]) -> bool {
    let words: Vec<String> = condition.iter().filter(|t| !t.punct("(") && !t.punct(")")).map(Token::name).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["old", ".", "*", "is", "distinct", "from", "new", ".", "*"]
        | ["new", ".", "*", "is", "distinct", "from", "old", ".", "*"] => true,
        [one, ".", column, "=" | "is", other, ".", same] => {
            column == same && matches!((*one, *other), ("new", "old") | ("old", "new"))
        }
        _ => false,
    }
}

/// What the statements of a body give the row that it runs for, as long as each of them runs.
///
/// In: the body from BEGIN on, or the one statement that it is; the table of the row, where it is known.
fn raised(body: &[Token], table: Option<&Name>) -> Vec<Assignment> {
    let body = match body {
        [begin, rest @ ..] if begin.is("begin") => rest,
        body => body,
    };
    let mut found = Vec::new();
    for piece in body.split(|token| token.punct(";")) {
        let Some(first) = piece.first() else { continue };
        if first.is_any(&LEADS_ELSEWHERE) {
            break;
        }
        if first.is("update") {
            found.extend(of_update(piece, table));
        } else {
            let given = if first.is("set") { &piece[1..] } else { piece };
            found.extend(lex::parts(given).into_iter().filter_map(|part| match part {
                [new, dot, rest @ ..] if new.is("new") && dot.punct(".") => assigned(rest),
                _ => None,
            }));
        }
    }
    found
}

/// `UPDATE table SET version = version + 1 WHERE id = NEW.id`
fn of_update(piece: &[Token], table: Option<&Name>) -> Vec<Assignment> {
    let mut cursor = Cursor { tokens: piece, at: 1 };
    let named = cursor.name();
    let (Some(set), Some(filter)) =
        (piece.iter().position(|token| token.is("set")), piece.iter().position(|token| token.is("where")))
    else {
        return Vec::new();
    };
    let same_row = piece[filter + 1..].split(|token| token.is("and")).all(|part| {
        let names: Vec<String> = part.iter().filter(|token| token.is_name()).map(Token::name).collect();
        let bound = names.iter().any(|name| matches!(name.as_str(), "new" | "old"));
        let mut columns =
            names.iter().filter(|name| !matches!(name.as_str(), "new" | "old") && named.as_deref() != Some(name));
        bound && part.iter().any(|token| token.punct("=")) && columns.next() == columns.next()
    });
    let own = table.is_none() || named.as_ref() == table;
    if !own || !same_row || filter < set {
        return Vec::new();
    }
    lex::parts(&piece[set + 1..filter]).into_iter().filter_map(assigned).collect()
}

/// `version = OLD.version + 1`, `version := nextval('versions')`: a value that the column did not have before.
fn assigned(part: &[Token]) -> Option<Assignment> {
    let [column, equals, value @ ..] = part else { return None };
    if !column.is_name() || !(equals.punct("=") || equals.punct(":=")) {
        return None;
    }
    let column: Name = column.name().into();
    let own = |tokens: &[Token]| match tokens {
        [name] => name.name() == column.as_str(),
        [of, dot, name] => of.is_name() && dot.punct(".") && name.name() == column.as_str(),
        _ => false,
    };
    let counts = match value {
        [rest @ .., plus, step] if plus.punct("+") && step.kind == Kind::Num => step.text != "0" && own(rest),
        [step, plus, rest @ ..] if plus.punct("+") && step.kind == Kind::Num => step.text != "0" && own(rest),
        _ => false,
    };
    let value = if counts {
        let own = Operand::Column { table: None, column: column.clone() };
        Operand::Expr { text: "+".to_owned(), parts: vec![own, Operand::Literal("1".to_owned())] }
    } else {
        let draws = |token: &&Token| DRAWS.contains(&token.name().as_str());
        let call = value.iter().find(draws)?;
        Operand::Expr { text: format!("{}()", call.name()), parts: Vec::new() }
    };
    Some(Assignment { column, value })
}
