//! What the callers of a function know of the values that they hand to it: that they have drawn the key by which it looks for
//! rows, have taken the row that is there, or have read what it writes beside it.

use std::collections::BTreeSet;

use super::Evaluated;
use super::judging::is_called_here_only;
use crate::event::{Access, Event, EventId, Flow};
use crate::flow::random::is_by_chance;
use crate::flow::term::TermId;
use crate::link::FnId;
use crate::protect::{Verdict, constraint};
use crate::race::Sequence;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::rules::claim::Claim;
use crate::rules::{check_then_insert, check_then_update, lock_lost, lost_update};
use crate::sql::statement::Action;

/// How many calls up the callers are asked.
const UP: usize = 3;

/// Whether what a claim says of a function does not happen, since each of its callers sees to that.
pub(super) fn keep_out(of: &Evaluated<'_, '_>, scene: &Scene<'_, '_>, claim: &Claim) -> bool {
    let rules = [check_then_insert::ID, check_then_update::ID, lost_update::ID, lock_lost::ID];
    let (Some(read), Some(write)) = (scene.event(claim.sequence.read), scene.event(claim.sequence.write)) else {
        return false;
    };
    rules.contains(&claim.rule)
        && claim.effect.is_none()
        && know_more(of, scene, &claim.sequence, (read, write))
        && all_are_safe(of, scene.flow, (read, write), 0)
}

/// Whether a write is safe in each function that calls another one which reads and writes, or in each that calls that.
fn all_are_safe(of: &Evaluated<'_, '_>, callee: &Flow, (read, write): (&Event, &Event), up: usize) -> bool {
    let ev = of.ev;
    let callers: BTreeSet<FnId> = ev.calls.calls_of(ev.program, callee.function).map(|site| site.caller).collect();
    let safe = |caller: &FnId| {
        let Some(flow) = ev.evaluated(*caller) else { return false };
        let scene = of.scene(flow);
        let mut writes = flow.events.iter().filter(|event| is_of(event, write, callee)).peekable();
        writes.peek().is_some()
            && writes.all(|write| {
                let same_call = |event: &&Event| event.calls.first() == write.calls.first();
                let mut reads = flow.events.iter().filter(|event| is_of(event, read, callee)).filter(same_call);
                let Some(read) = reads.next_back() else { return false };
                let own: Vec<Sequence> =
                    scene.sequences(write).iter().filter(|one| one.read == read.id).cloned().collect();
                let here = !own.is_empty() && own.iter().all(|one| matches!(scene.verdict(one), Verdict::Safe(_)));
                here || all_are_safe(of, flow, (read, write), up + 1)
            })
    };
    up < UP && !callers.is_empty() && is_called_here_only(ev, callee.function) && callers.iter().all(safe)
}

/// Whether some caller may know more than the function itself of a row that is inserted where none was found, or of one that
/// is changed.
fn know_more(
    of: &Evaluated<'_, '_>,
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    (read, write): (&Event, &Event),
) -> bool {
    let new = sequence.relation == Relation::NewRowOfSet && write.does(Action::Insert);
    let same = sequence.relation == Relation::SameRow && write.does(Action::Update);
    if !new && !same {
        return false;
    }
    let (ev, own) = (of.ev, scene.flow.function);
    let beside = new && constraint::differing(scene, sequence).is_some();
    let mut callers = ev.calls.calls_of(ev.program, own).filter_map(|site| ev.evaluated(site.caller));
    callers.any(|flow| {
        let asked = || flow.events.iter().filter(|event| is_of(event, read, scene.flow));
        let given = || flow.events.iter().filter(|event| is_of(event, write, scene.flow));
        let made = |event: &Event| {
            let mut handed = handed(scene, read, event).into_iter();
            handed.any(|term| is_by_chance(&ev.terms, term))
        };
        let read_there = |event: &Event| {
            let mut handed = handed(scene, write, event).into_iter();
            handed.any(|term| !ev.terms.origins(term).is_empty())
        };
        let table = scene.table_of(sequence);
        let taken = |event: &Event| {
            let conds = event.deps.iter().map(|cond| ev.cond(*cond).term);
            let asked: Vec<EventId> =
                conds.flat_map(|term| ev.terms.origins(term).to_vec()).map(|origin| origin.event).collect();
            let mut asked = flow.events.iter().filter(|other| asked.contains(&other.id));
            asked.any(|other| other.does(Action::Update) && other.target().map(|target| &target.table.name) == table)
        };
        asked().any(made) || beside && given().any(read_there) || same && asked().any(taken)
    })
}

/// Whether an event is one of a called function, in the flow of its caller.
fn is_of(event: &Event, own: &Event, callee: &Flow) -> bool {
    event.span == own.span
        && event.calls.len() == own.calls.len() + 1
        && event.calls.first().is_some_and(|call| call.function == callee.function)
}

/// What stands in the caller for the values that a statement has of its function's caller alone.
fn handed(scene: &Scene<'_, '_>, own: &Event, event: &Event) -> Vec<TermId> {
    let terms = |access: &Access| -> Vec<TermId> {
        access.binds.iter().chain(access.named.iter().map(|(_, term)| term)).copied().collect()
    };
    let (Some(own), Some(there)) = (own.access(), event.access()) else { return Vec::new() };
    let pairs = terms(own).into_iter().zip(terms(there));
    pairs.filter(|(own, _)| scene.ev.terms.is_of_params(*own)).map(|(_, there)| there).collect()
}
