//! What a second request does again on the strength of the same check, beside the write that a finding is about.

use std::cmp::Reverse;

use crate::event::{CondId, CondKind, Event, EventKind};
use crate::flow::clock::is_of_clock;
use crate::flow::effect::asks_by_name;
use crate::flow::term::{Params, Term, TermId};
use crate::gather::{AS_WELL, EACH_OWN};
use crate::race::scene::Scene;
use crate::race::{alternatives, common, dependency, twice};
use crate::rules::claim::Claim;
use crate::story::words;

/// The end of a message that says so: the act that differs most from request to request. Empty where there is none.
pub fn said(scene: &Scene<'_, '_>, claim: &Claim, write: &Event) -> String {
    let conds = claim.sequence.deciding();
    let hangs = |event: &Event| scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond));
    let known = scene.conditions(&write.deps);
    let always = |event: &Event| {
        let own_test = |cond: &CondId| scene.ev.cond(*cond).kind == CondKind::Test && !known.contains(cond);
        !scene.conditions(&event.deps).iter().any(own_test)
    };
    let read = scene.event(claim.sequence.read).unwrap_or(write);
    let acts = scene.flow.events.iter().filter(|event| {
        event.acts()
            && !twice::is_harmless(scene, read, write, event)
            && words::table(event) != words::table(write)
            && alternatives::one_run_passes(scene, event, write)
            && hangs(event)
            && always(event)
    });
    let told = acts.filter_map(|event| match &event.kind {
        EventKind::Access(_) if words::named(words::table(event)).is_none_or(str::is_empty) => None,
        EventKind::Access(_) => Some((if gives_own(scene, event) { 0 } else { 1 }, event)),
        EventKind::Effect(effect) if effect.certain && !only_asks(scene, event) => Some((2, event)),
        _ => None,
    });
    // What comes last is what the others led to.
    let Some((rank, event)) = told.min_by_key(|(rank, event)| (*rank, Reverse(scene.place(event.id)))) else {
        return String::new();
    };
    match rank {
        0 => format!(", and each gives {}{EACH_OWN}", words::table(event)),
        1 => format!(", and {}{AS_WELL}", words::table(event)),
        _ => {
            let nearest = event.calls.get(common(event, write)).map(|call| words::function(scene, call.function));
            format!(", and both call {}{AS_WELL}", nearest.unwrap_or_else(|| words::effect(scene, event)))
        }
    }
}

/// Whether what leaves the process stands below a function that only asks for something, by its name.
fn only_asks(scene: &Scene<'_, '_>, event: &Event) -> bool {
    event.calls.iter().any(|call| asks_by_name(&scene.ev.program.function(call.function).name))
}

/// Whether a statement writes something that the request brought, or made for itself alone.
fn gives_own(scene: &Scene<'_, '_>, event: &Event) -> bool {
    let Some(access) = event.access() else { return false };
    let Some(target) = access.statement.target() else { return false };
    let terms = &scene.ev.terms;
    let own = |term: TermId| {
        let made = || terms.origins(term).is_empty() && !matches!(terms.get(term), Term::Either(_));
        !terms.is_constant(term) && !is_of_clock(terms, term) && (terms.params(term) != Params::default() || made())
    };
    dependency::written(target).any(|set| scene.terms_in(access, &set.value).into_iter().any(own))
}
