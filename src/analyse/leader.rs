//! What only one process does of those that share a database: the one that leads them.

use super::Evaluated;
use crate::event::{Event, Flow};
use crate::flow::term::Term;
use crate::link::FnId;
use crate::race::scene::Scene;

/// How many calls up a function the question is looked for.
const UP: usize = 6;

/// Whether a function is only called where its process was asked before if it leads the others.
pub(super) fn only_leader(of: &Evaluated<'_, '_>, function: FnId, up: usize) -> bool {
    let callers = of.ev.calls.callers.get(&function).map_or(&[][..], Vec::as_slice);
    let mut callers =
        callers.iter().filter(|site| site.caller != function && !of.ev.program.function(site.caller).test).peekable();
    if up > UP || callers.peek().is_none() {
        return false;
    }
    callers.all(|site| {
        let flow = of.flows.iter().find(|flow| flow.function == site.caller);
        flow.is_some_and(|flow| asks_before(of, flow, function)) || only_leader(of, site.caller, up + 1)
    })
}

/// Whether everything that a function does through another hangs on the question.
fn asks_before(of: &Evaluated<'_, '_>, flow: &Flow, callee: FnId) -> bool {
    let scene = of.scene(flow);
    let mut events = flow.events.iter().filter(|event| event.calls.first().is_some_and(|call| call.function == callee));
    let mut any = false;
    events.all(|event| {
        any = true;
        hangs_on_it(&scene, event)
    }) && any
}

fn hangs_on_it(scene: &Scene<'_, '_>, event: &Event) -> bool {
    let terms = &scene.ev.terms;
    let leads = || scene.ev.clients.iter().flat_map(|client| client.leads);
    scene.conditions(&event.deps).iter().any(|cond| {
        let mut asks = false;
        terms.walk(scene.ev.cond(*cond).term, &mut |part| {
            asks |= matches!(terms.get(part), Term::Computed(by, _) if leads().any(|call| by == call));
        });
        asks
    })
}
