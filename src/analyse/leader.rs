//! What only one process does of those that share a database: the one that leads them.

use super::Evaluated;
use crate::flow::graph::CallSite;
use crate::link::FnId;

/// How many calls up the question is looked for.
const UP: usize = 6;

/// Whether a function is only called where its process has asked before if it leads the others.
pub(super) fn only_leader(of: &Evaluated<'_, '_>, function: FnId, up: usize) -> bool {
    let callers = of.ev.calls.callers.get(&function).map_or(&[][..], Vec::as_slice);
    let test = |site: &&CallSite| site.caller == function || of.ev.program.function(site.caller).test;
    let mut callers = callers.iter().filter(|site| !test(site)).peekable();
    if up > UP || callers.peek().is_none() {
        return false;
    }
    callers.all(|site| asks_before(of, site) || only_leader(of, site.caller, up + 1))
}

/// Whether the question stands before a call in the function that makes it. What is asked of no row is no condition of an
/// event, so that the text is looked at.
fn asks_before(of: &Evaluated<'_, '_>, site: &CallSite) -> bool {
    let text = &of.ev.workspace.file(site.span.file).text;
    let from = of.ev.program.function(site.caller).at.start as usize;
    let before = text.get(from..site.span.at.start as usize).unwrap_or_default();
    let mut leads = of.ev.clients.iter().flat_map(|client| client.leads);
    leads.any(|call| before.contains(&format!(".{call}(")))
}
