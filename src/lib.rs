//! racelint finds check-then-act races on database rows.
//!
//! Every arrow is a function from plain data to plain data, and the folders are the arrows, in order:
//!
//! - [`source`]: disk to [`source::Workspace`]: which files, which crates, what they depend on.
//! - [`lower`]: one file's Rust to a [`lower::tree`], syn left behind. [`sql`]: SQL text to [`sql::statement::Statement`],
//!   migrations to [`sql::schema::Schema`].
//! - [`link`]: trees to [`link::Program`]: what a name, a type or a method call may mean, without a compiler.
//! - [`client`]: what calls of a database library mean, as tables and builders. [`flow`]: bodies to [`event::Flow`], an
//!   abstract interpreter that puts a function's events in place where it is called.
//! - [`event`]: the first waist: events, conditions, handles. No syntax, no SQL parser, no rule.
//! - [`race`]: flows to sequences: which write depends on which read, and whether it is the same row.
//! - [`protect`]: sequences to verdicts: what protects, and why what stands there does not.
//! - [`rules`]: verdicts to claims. [`story`] and [`rewrite`]: claims to [`finding`]s, the second waist.
//! - [`silence`]: findings without those that a comment accepts. [`since`]: without those that no change touches.
//!   [`baseline`]: without those that were there before. [`gather`]: what one helper has in common as one finding.
//!   [`report`]: findings to bytes. [`cli`]: arguments in, exit code out.
//! - [`outcome`]: what a run found out before anyone says what is shown of it, and [`cache`]: the same of an earlier run.
//!
//! Invariants:
//!
//! 1. Between the workspace and the outcome nothing touches disk, environment or clock. What is not understood is counted,
//!    aloud.
//! 2. `syn` only in `lower`, `client` and `rewrite`; `sqlparser` only in `sql::parse`; `git2` only in `since::git`.
//! 3. No rule sees syntax. No protection knows a rule. No client knows a race.
//! 4. `Safe` names its protection and is never the default of a match arm.
//! 5. One sequence, at most one finding. Output is sorted; two runs are byte-equal whatever the thread count.
//! 6. Nothing of the analysed project is executed.
//! 7. Cost grows linearly in the source: no path is enumerated, branches are joined.

pub mod analyse;
pub mod baseline;
mod built;
pub mod cache;
pub mod cli;
pub mod client;
pub mod config;
pub mod dialect;
pub mod dump;
pub mod event;
pub mod finding;
pub mod flow;
pub mod gather;
pub mod link;
pub mod lower;
pub mod macros;
pub mod notice;
pub mod outcome;
pub mod progress;
pub mod protect;
pub mod race;
pub mod report;
pub mod rewrite;
pub mod rules;
pub mod silence;
pub mod since;
pub mod source;
pub mod span;
pub mod sql;
pub mod story;
pub mod why;

pub use analyse::{Analysis, analyse};
