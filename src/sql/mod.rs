//! SQL text to [`statement::Statement`], migrations to [`schema::Schema`].

mod control;
mod ddl;
pub(crate) mod lex;
pub mod migrations;
pub mod parse;
pub mod schema;
pub mod statement;
pub mod view;
