//! racelint finds check-then-act races on database rows.

pub mod config;
pub mod dialect;
pub mod finding;
pub mod link;
pub mod lower;
pub mod notice;
pub mod report;
pub mod rules;
pub mod source;
pub mod span;
pub mod sql;
