//! The second waist: a finding as data, ready for any report. No syntax, no SQL parser, no colours.

use serde::{Deserialize, Serialize};

use crate::cache::words;
use crate::span::Span;

/// A word of ours, of which there are few. When a finding is read back it is looked up among them.
pub type Word = &'static str;

/// A race, as it is told to the user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id, such as `lost-update`.
    #[serde(deserialize_with = "words::rule")]
    pub rule: Word,
    pub severity: Severity,
    pub confidence: Confidence,
    /// One sentence, lower case, no full stop: what two requests can do.
    pub message: String,
    /// Why what stands there does not protect; one sentence of the same form.
    pub why: String,
    /// The primary place: the act, in the function that holds the sequence. Shown on its first line only.
    pub at: Span,
    /// Read, check, write and what else matters, in reading order. The primary place is among them.
    pub labels: Vec<Label>,
    /// What two requests do to each other, step by step.
    pub story: Interleaving,
    /// The smallest protection first.
    pub rewrites: Vec<Rewrite>,
    /// The function that holds the sequence: `crate::module::Type::name`.
    pub function: String,
    /// The table the race is on.
    pub table: String,
    /// The engine and level it was judged for, such as `PostgreSQL, READ COMMITTED`.
    pub judged_for: String,
    /// From the function that holds the sequence to each label's place, where that is in another function.
    pub traces: Vec<Trace>,
    /// Other callers through which the same sequence is reached, as `crate::module::name`, with the call's place.
    pub callers: Vec<CallSite>,
    /// Stable under moved lines and reformatting: from the rule, the function's path and the statements' text.
    /// Sixteen hexadecimal digits, with `-n` for the n-th equal one from the second on.
    pub fingerprint: String,
}

/// A sequence that does not race, and what keeps it from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Protected {
    pub write: Span,
    pub read: Span,
    /// The function that holds the sequence: `crate::module::Type::name`.
    pub function: String,
    /// The table that is written.
    pub table: String,
    /// What protects; one sentence, lower case, no full stop.
    pub by: String,
    /// Where that stands, when it is a statement of its own.
    pub at: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// How sure racelint is. `Low` is shown only when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// A place with its part in the story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub role: Role,
    pub span: Span,
    /// Lower case, no full stop: `reads coupons.used without a lock`.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Read,
    Check,
    Write,
    Lock,
    /// Something that leaves the process: payment, mail, HTTP, message.
    Effect,
    /// Where a transaction begins or ends, when that matters.
    Transaction,
    /// A constraint in a migration.
    Constraint,
}

/// The calls that lead from the holding function to one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The label's index in [`Finding::labels`].
    pub label: usize,
    pub calls: Vec<CallSite>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSite {
    /// The function that is called (in a trace), or that calls (in `callers`).
    pub function: String,
    pub span: Span,
}

/// Two requests, step by step, in the order that breaks them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interleaving {
    pub steps: Vec<StoryStep>,
    /// What is wrong in the end: `both redeem the coupon`.
    pub outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryStep {
    pub who: Who,
    /// The statement or check in the program's own words, on one line, possibly long.
    pub text: String,
    /// What the step sees or leaves, such as `used = 0`.
    pub state: Option<String>,
    /// The place, when the step stands in the source.
    pub span: Option<Span>,
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Who {
    A,
    B,
}

/// A way to write it that does not race.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    pub kind: RewriteKind,
    /// What it does, as an imperative: `claim the coupon in the UPDATE itself`.
    pub title: String,
    /// `sql` or `rust`.
    #[serde(deserialize_with = "words::language")]
    pub language: Word,
    pub text: String,
    /// What else to do: what zero rows mean, which errors to retry.
    pub note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewriteKind {
    /// Condition and change in one statement.
    AtomicStatement,
    /// Lock the row before it is read.
    RowLock,
    /// A unique key, and a conflict clause or a handled error.
    UniqueKey,
    /// Look at how many rows changed.
    CheckOutcome,
    /// Run the statements on the open transaction, or open one.
    OneTransaction,
    /// Claim first, then do what cannot be undone.
    ClaimFirst,
    /// A stronger isolation level, with a retry.
    Isolation,
}
