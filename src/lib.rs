//! racelint finds check-then-act races on database rows.

pub mod analyse;
pub mod cli;
pub mod client;
pub mod config;
pub mod dialect;
pub mod event;
pub mod finding;
pub mod flow;
pub mod link;
pub mod lower;
pub mod notice;
pub mod protect;
pub mod race;
pub mod report;
pub mod rewrite;
pub mod rules;
pub mod source;
pub mod span;
pub mod sql;
pub mod story;

pub use analyse::{Analysis, analyse};
