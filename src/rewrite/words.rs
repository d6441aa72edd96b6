//! Tables, columns, values and conditions of a statement as SQL under construction.

use super::sql::{Sql, Value};
use crate::dialect::Dialect;
use crate::event::Access;
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::sql::statement::{Compare, Operand, Predicate};
use crate::story::words::{after_its_part, is_choice, symbol};

/// Words that must be quoted to be a table or a column.
const RESERVED: [&str; 24] = [
    "user",
    "order",
    "group",
    "table",
    "select",
    "from",
    "where",
    "check",
    "default",
    "references",
    "primary",
    "key",
    "limit",
    "offset",
    "values",
    "column",
    "index",
    "end",
    "case",
    "to",
    "grant",
    "all",
    "and",
    "or",
];

/// Turns the parts of one statement into SQL.
#[derive(Clone, Copy)]
pub struct Words<'a, 'p> {
    pub scene: &'a Scene<'a, 'p>,
    pub access: &'a Access,
    pub table: &'a str,
    pub dialect: Dialect,
    /// Columns of the row itself are written `table.column`: where `EXCLUDED` is in scope too.
    pub qualified: bool,
}

impl Words<'_, '_> {
    pub fn name(&self, name: &str) -> String {
        quoted(name, self.dialect)
    }

    /// A value; none when the statement's words are not known in full.
    pub fn operand(&self, operand: &Operand, column: Option<&Name>) -> Option<Sql> {
        Some(match operand {
            Operand::Placeholder(place) => {
                Sql::value(Value { term: self.access.bound(operand), bound: Some(*place), named: None, called: None })
            }
            Operand::Named(name) => Sql::value(Value {
                term: self.access.bound(operand),
                bound: None,
                named: Some(name.clone()),
                called: None,
            }),
            Operand::Literal(text) => Sql::text(self.literal(text, column)),
            Operand::Null => Sql::text("NULL"),
            Operand::Default => Sql::text("DEFAULT"),
            Operand::Column { table: None, column } if self.qualified => {
                Sql::text(format!("{}.{}", self.name(self.table), self.name(column)))
            }
            Operand::Column { table: None, column } => Sql::text(self.name(column)),
            Operand::Column { table: Some(table), column } if table == self.table => Sql::text(self.name(column)),
            Operand::Excluded(column) if self.dialect == Dialect::MySql => {
                Sql::text(format!("VALUES({})", self.name(column)))
            }
            Operand::Excluded(column) => Sql::text(format!("EXCLUDED.{}", self.name(column))),
            Operand::Expr { text, parts } => return self.expression(text, parts, column),
            Operand::Column { .. } | Operand::Subquery(_) | Operand::Unknown => return None,
        })
    }

    fn expression(&self, text: &str, parts: &[Operand], column: Option<&Name>) -> Option<Sql> {
        let said: Vec<Sql> = parts.iter().map(|part| self.operand(part, column)).collect::<Option<_>>()?;
        let nested = |part: &Operand| matches!(part, Operand::Expr { text, .. } if !text.ends_with("()"));
        let bracketed = || {
            said.iter()
                .zip(parts)
                .map(|(said, part)| if nested(part) { said.clone().in_brackets() } else { said.clone() })
        };
        if let Some(function) = text.strip_suffix("()") {
            let mut call = Sql::text(match (function, parts.is_empty()) {
                ("current_timestamp" | "current_date" | "current_time" | "localtime" | "localtimestamp", true) => {
                    return Some(Sql::text(function.to_uppercase()));
                }
                _ => function.to_owned(),
            });
            call.append(Sql::join(said, ", ").in_brackets());
            return Some(call);
        }
        if let (Some(operator), 1) = (after_its_part(text), said.len()) {
            let mut whole = Sql::join(bracketed().collect(), "");
            whole.push(" ").push(operator);
            return Some(whole);
        }
        match (text, said.len()) {
            ("list", _) => Some(Sql::join(said, ", ").in_brackets()),
            ("not", 1) => {
                let mut whole = Sql::text("NOT ");
                whole.append(Sql::join(said, "").in_brackets());
                Some(whole)
            }
            ("and" | "or" | "is distinct from" | "is not distinct from", 2..) => {
                Some(Sql::join(bracketed().collect(), &format!(" {} ", text.to_uppercase())))
            }
            ("+" | "-" | "*" | "/" | "%" | "||" | "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" | "&" | "|", 2..) => {
                Some(Sql::join(bracketed().collect(), &format!(" {text} ")))
            }
            _ => None,
        }
    }

    /// A literal: by the column's type where that is known, else by its look.
    fn literal(&self, text: &str, column: Option<&Name>) -> String {
        let ty = column
            .and_then(|column| {
                let table = self.scene.schema.table(self.table)?;
                table.columns.iter().find(|def| def.name == *column).map(|def| def.ty.as_str())
            })
            .unwrap_or_default();
        let textual = ["text", "char", "enum"].iter().any(|word| ty.contains(word));
        literal(text, textual)
    }

    /// A condition as SQL; none when it speaks of other tables, or its words are not known in full.
    pub fn predicate(&self, predicate: &Predicate) -> Option<Sql> {
        if predicate.op == Compare::Other {
            let said = self.operand(&predicate.value, None)?;
            return Some(if is_choice(predicate) { said.in_brackets() } else { said });
        }
        let [column] = predicate.columns.as_slice() else { return None };
        let mut said = Sql::text(self.name(column));
        match predicate.op {
            Compare::IsNull | Compare::IsNotNull => {
                said.push(" ").push(symbol(predicate.op));
            }
            Compare::In | Compare::NotIn => {
                let list = matches!(&predicate.value, Operand::Expr { text, .. } if text == "list");
                if list {
                    said.push(" ").push(symbol(predicate.op)).push(" ");
                    said.append(self.operand(&predicate.value, Some(column))?);
                } else if self.dialect.is_postgres_like() && predicate.op == Compare::In {
                    said.push(" = ANY(").append(self.operand(&predicate.value, Some(column))?).push(")");
                } else {
                    return None;
                }
            }
            op => {
                let value = self.operand(&predicate.value, Some(column))?;
                said.push(" ").push(symbol(op)).push(" ").append(value);
            }
        }
        Some(said)
    }
}

/// A literal of SQL.
pub fn literal(text: &str, textual: bool) -> String {
    let plain = text.parse::<f64>().is_ok() || text == "true" || text == "false";
    if plain && !textual { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// A name, quoted where it must be.
pub fn quoted(name: &str, dialect: Dialect) -> String {
    let plain = name.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    match dialect {
        _ if plain => name.to_owned(),
        Dialect::MySql => format!("`{}`", name.replace('`', "``")),
        Dialect::MsSql => format!("[{}]", name.replace(']', "]]")),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}
