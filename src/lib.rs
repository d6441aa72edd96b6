//! racelint finds check-then-act races on database rows.

pub mod client;
pub mod config;
pub mod dialect;
pub mod event;
pub mod finding;
pub mod flow;
pub mod link;
pub mod lower;
pub mod notice;
pub mod report;
pub mod rules;
pub mod source;
pub mod span;
pub mod sql;
