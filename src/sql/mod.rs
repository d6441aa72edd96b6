//! SQL text to [`statement::Statement`], migrations to [`schema::Schema`].

pub mod schema;
pub mod statement;
