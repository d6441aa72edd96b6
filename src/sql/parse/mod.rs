//! SQL text to statements, by way of sqlparser; the only folder that names it.
//!
//! A text goes through five hands: the lexer, which also holds the limits; `control`, for statements without rows;
//! `render`, which writes the tokens anew so that sqlparser takes them in any dialect; sqlparser; and the reader in
//! `select`, `write`, `filter` and `value`, which turns its tree into our words. What sqlparser refuses all the same is
//! read leniently, with a gap on record.

mod calls;
#[cfg(test)]
mod corpus;
mod filter;
mod lenient;
mod reader;
mod render;
mod select;
mod value;
mod write;

use sqlparser::ast;
use sqlparser::dialect as engine;
use sqlparser::parser::Parser;

pub(crate) use calls::{aggregate, lock as lock_call};

use super::control;
use super::lex::{self, Lexed, Token};
use super::statement::Statement;
use crate::dialect::Dialect;

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The statements in the order of the text.
    pub statements: Vec<Statement>,
    /// The pieces that are not SQL, or not SQL that is understood.
    pub unknown: Vec<Unknown>,
}

/// A piece of text that gave no statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// The piece, cut off after 200 characters.
    pub text: String,
    /// Why, in a few words.
    pub why: String,
}

/// A text longer than this is refused; in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// A text of more tokens is refused.
pub const MAX_TOKENS: usize = 10_000;
/// A text with brackets nested deeper is refused.
pub const MAX_DEPTH: usize = 40;
/// A text with more operators in one flat chain is refused, since the tree of such a chain is as deep as it is long.
pub const MAX_CHAIN: usize = 2_000;

/// How deep sqlparser may recurse. Its smallest frames are some kilobytes, so this fits a thread of 2 MiB.
const RECURSION: usize = 50;

/// Reads a text of one or several statements. U+FFFC in it stands for a piece that is not constant.
///
/// Never fails and never panics: what is not understood is in `unknown`, what is understood in part has `gaps`.
pub fn parse(text: &str, dialect: Dialect) -> Parsed {
    let mut parsed = Parsed::default();
    if text.len() > MAX_BYTES {
        parsed.unknown.push(Unknown::new(text, format!("the text is longer than {MAX_BYTES} bytes")));
        return parsed;
    }
    let lexed = lex::lex(text, dialect);
    if let Some(why) = refusal(&lexed) {
        parsed.unknown.push(Unknown::new(text, why));
        return parsed;
    }
    for tokens in lex::split(&lexed.tokens) {
        match statement(tokens, dialect) {
            Ok(statements) => parsed.statements.extend(statements),
            Err(why) => {
                let range = tokens.first().map_or(0, |t| t.start)..tokens.last().map_or(0, |t| t.end);
                parsed.unknown.push(Unknown::new(text.get(range).unwrap_or_default(), why));
            }
        }
    }
    parsed
}

impl Unknown {
    fn new(text: &str, why: String) -> Self {
        Self { text: text.chars().take(200).collect(), why }
    }
}

/// Why a text is not even tried, if it is not.
fn refusal(lexed: &Lexed) -> Option<String> {
    if let Some(why) = lexed.unterminated {
        return Some(why.to_owned());
    }
    if lexed.tokens.len() > MAX_TOKENS {
        return Some(format!("the text has more than {MAX_TOKENS} tokens"));
    }
    // One count of operators for each open bracket; a comma ends a chain.
    let mut chains = vec![0usize];
    for token in &lexed.tokens {
        match token.text.as_str() {
            "(" | "[" if token.kind == lex::Kind::Punct => chains.push(0),
            ")" | "]" if token.kind == lex::Kind::Punct && chains.len() > 1 => drop(chains.pop()),
            _ if token.is("case") => chains.push(0),
            _ if token.is("end") && chains.len() > 1 => drop(chains.pop()),
            _ => {
                let chain = chains.last_mut()?;
                *chain = if token.punct(",") { 0 } else { *chain + usize::from(links(token)) };
                if *chain > MAX_CHAIN {
                    return Some(format!("more than {MAX_CHAIN} operators in one chain"));
                }
            }
        }
        if chains.len() > MAX_DEPTH {
            return Some(format!("nested deeper than {MAX_DEPTH} levels"));
        }
    }
    None
}

/// Whether a token makes the tree of an expression one level deeper.
fn links(token: &Token) -> bool {
    (token.kind == lex::Kind::Punct && !token.punct(".") && !token.punct(";"))
        || token.is_any(&[
            "and",
            "or",
            "not",
            "is",
            "like",
            "in",
            "between",
            "union",
            "except",
            "intersect",
            "collate",
            "at",
            "join",
        ])
}

fn statement(tokens: &[Token], dialect: Dialect) -> Result<Vec<Statement>, String> {
    if let Some(statement) = control::control(tokens, dialect) {
        return Ok(vec![statement]);
    }
    let prepared = render::prepare(tokens);
    let mut why = String::from("not a statement of SQL");
    for text in tries(&prepared, dialect) {
        match sqlparser_statement(text.0.as_ref(), &text.1) {
            Ok(tree) => {
                if let Some(statements) = reader::read(&tree, &prepared) {
                    return Ok(statements);
                }
                break;
            }
            Err(error) => why = error,
        }
    }
    lenient::lenient(&prepared).map(|statement| vec![statement]).ok_or(why)
}

/// The dialects to try in order: the one given, then one that takes most of everything.
fn tries(prepared: &render::Prepared, dialect: Dialect) -> Vec<(Box<dyn engine::Dialect>, String)> {
    let own: Box<dyn engine::Dialect> = match dialect {
        Dialect::Postgres | Dialect::Cockroach => Box::new(engine::PostgreSqlDialect {}),
        Dialect::MySql => Box::new(engine::MySqlDialect {}),
        Dialect::Sqlite => Box::new(engine::SQLiteDialect {}),
        Dialect::MsSql => Box::new(engine::MsSqlDialect {}),
    };
    let quote = if dialect == Dialect::MySql { '`' } else { '"' };
    let escape = dialect == Dialect::MySql;
    let mut out = vec![
        (own, prepared.text(quote, escape)),
        (Box::new(engine::GenericDialect {}) as Box<dyn engine::Dialect>, prepared.text('"', false)),
    ];
    match dialect {
        Dialect::Postgres | Dialect::Cockroach => {}
        _ => out.push((Box::new(engine::PostgreSqlDialect {}), prepared.text('"', false))),
    }
    if dialect != Dialect::MySql {
        out.push((Box::new(engine::MySqlDialect {}), prepared.text('`', true)));
    }
    out
}

fn sqlparser_statement(dialect: &dyn engine::Dialect, text: &str) -> Result<ast::Statement, String> {
    let parser = Parser::new(dialect).with_recursion_limit(RECURSION).try_with_sql(text);
    let statements = parser.and_then(|mut parser| parser.parse_statements()).map_err(|error| error.to_string())?;
    match <[_; 1]>::try_from(statements) {
        Ok([statement]) => Ok(statement),
        Err(_) => Err("not one statement".to_owned()),
    }
}
