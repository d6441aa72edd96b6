//! What only one process does of those that share a database: the one that leads them.

use super::Evaluated;
use crate::link::FnId;

/// How many calls up the question is looked for.
const UP: usize = 6;

/// Whether a function is only called where its process has asked before if it leads the others.
pub(super) fn only_leader(of: &Evaluated<'_, '_>, function: FnId, up: usize) -> bool {
    let mut callers = of.ev.calls.calls_of(of.ev.program, function).peekable();
    up <= UP && callers.peek().is_some() && callers.all(|site| site.led || only_leader(of, site.caller, up + 1))
}
