//! racelint finds check-then-act races on database rows.

pub mod analyse;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod finding;
pub mod lower;
pub mod notice;
pub mod report;
pub mod rules;
pub mod source;
pub mod span;
pub mod sql;
