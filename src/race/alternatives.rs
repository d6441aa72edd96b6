//! Alternatives that are chosen once for a program: the engine it runs on, the implementation that stands behind a trait.

use crate::event::{Event, Switch};
use crate::link::{TraitId, TraitRef, Type};
use crate::race::scene::Scene;

/// Whether one run can pass both: not different arms of one branch, nor of two branches that test the same, nor an arm for
/// one variant and what only leads to another, nor the implementations for two engines.
pub fn one_run_passes(scene: &Scene<'_, '_>, one: &Event, other: &Event) -> bool {
    one.path.meets(&other.path)
        && one_engine(scene, one, other)
        && one_implementation(scene, one, other)
        && agree(scene, one, other)
        && scene.is_led_past(one, &other.path)
        && scene.is_led_past(other, &one.path)
}

/// Whether both can be sent to one database: not where their handles say that they are of two engines. Where several
/// functions could be meant, those for one engine are not called with those for another.
fn one_engine(scene: &Scene<'_, '_>, one: &Event, other: &Event) -> bool {
    let said = |event: &Event| scene.ev.handle(event.on?)?.dialect;
    if let (Some(here), Some(there)) = (said(one), said(other))
        && here != there
    {
        return false;
    }
    let guessed = |event: &Event| event.calls.iter().any(|call| call.guessed);
    one.dialect == other.dialect || !guessed(one) || !guessed(other)
}

/// Whether both are reached through one implementation of each trait whose methods could be several: what stands behind a
/// trait is chosen once. An implementation that hands on to another one counts by its own name.
fn one_implementation(scene: &Scene<'_, '_>, one: &Event, other: &Event) -> bool {
    let program = scene.ev.program;
    let chosen = |event: &Event| -> Vec<(TraitId, &Type)> {
        let mut found: Vec<(TraitId, &Type)> = Vec::new();
        for call in event.calls.iter().filter(|call| call.guessed) {
            let Some(block) = program.impl_of(call.function) else { continue };
            let (Some(TraitRef::Local(of)), subject) = program.impl_subject(block) else { continue };
            if found.iter().all(|(id, _)| id != of) {
                found.push((*of, subject));
            }
        }
        found
    };
    let here = chosen(one);
    here.is_empty()
        || chosen(other).iter().all(|(id, subject)| here.iter().all(|(other, own)| other != id || own == subject))
}

fn agree(scene: &Scene<'_, '_>, one: &Event, other: &Event) -> bool {
    let tested = |event: &Event| -> Vec<(&Switch, u64)> {
        let of = |&(branch, arms): &(u32, u64)| scene.switches(branch).iter().map(move |switch| (*switch, arms));
        event.path.0.iter().flat_map(of).collect()
    };
    let here = tested(one);
    if here.is_empty() {
        return true;
    }
    let there = tested(other);
    here.iter().all(|(a, arms)| {
        there.iter().all(|(b, others)| a.on != b.on || a.branch == b.branch || overlap((a, *arms), (b, *others)))
    })
}

/// Whether some value takes one of these arms in the one branch, and one of those in the other.
fn overlap(one: (&Switch, u64), other: (&Switch, u64)) -> bool {
    let taken = |(switch, arms): (&Switch, u64)| -> Vec<usize> {
        (0..switch.arms.len()).filter(|arm| arms & (1 << (*arm).min(63)) != 0).collect()
    };
    let there = taken(other);
    taken(one).into_iter().any(|a| {
        there.iter().any(|b| match (&one.0.arms[a], &other.0.arms[*b]) {
            (Some(names), Some(others)) => names.iter().any(|name| others.contains(name)),
            _ => true,
        })
    })
}
