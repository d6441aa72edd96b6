//! A stamp that a row gets each time somebody is given it to work at, and that whoever comes back with the work has to show.

use crate::flow::term::{Params, TermId};
use crate::lower::tree::Name;
use crate::race::{LooksAt, dependency, side};
use crate::rules::claim::Facts;

/// Whether only the one who was given the row comes to the write: what was brought has to be the time at which that was done,
/// and the write says the same of the row whenever it is sent. Two that pass are one who comes twice.
///
/// A version that is bumped, or a time of the last change, is moved by the write itself.
pub fn is_one(facts: &Facts<'_, '_>) -> bool {
    let (scene, terms) = (facts.scene, &facts.scene.ev.terms);
    let Some(read) = facts.read.access() else { return false };
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    let brought = |term: TermId| !of_read(term) && terms.params(term) != Params::default();
    let column = |term: TermId| {
        let origins = scene.origins(term);
        let own = origins.iter().find(|origin| origin.event == facts.read.id)?;
        match scene.looks_at(&read.statement, &own.part, false) {
            LooksAt::Column(column) => Some(column),
            _ => None,
        }
    };
    let conds = facts.sequence.checks.iter().filter_map(|check| check.cond);
    let shown = conds.filter(|cond| side::needs_equal(scene, facts.sequence, *cond)).flat_map(|cond| {
        scene.ev.cond(cond).compares.iter().filter_map(|compare| {
            match (brought(compare.left), brought(compare.right)) {
                (true, false) => column(compare.right),
                (false, true) => column(compare.left),
                _ => None,
            }
        })
    });
    dependency::written(facts.target).all(|set| facts.gives_fixed(set))
        && shown.into_iter().any(|column| is_stamp(facts, &column))
}

/// Whether a column only gets the time, and from others than whoever has this write done.
fn is_stamp(facts: &Facts<'_, '_>, column: &Name) -> bool {
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let own = facts.own_functions();
    let mut others = scene.rivals.writers.others((table, column), scene.flow.function, &own).peekable();
    !scene.rivals.updated_somehow.contains(table)
        && !scene.flow.events.iter().any(|event| dependency::sets_in(event, (table, column)))
        && others.peek().is_some()
        && others.all(|writer| writer.now)
}
