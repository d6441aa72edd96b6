//! SQL text to [`statement::Statement`], migrations to [`schema::Schema`].

mod control;
mod lex;
pub mod parse;
pub mod schema;
pub mod statement;
