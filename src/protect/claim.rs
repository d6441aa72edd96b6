//! Claims: the statement that finds a row also moves it out of what it looks for, so that the next request finds another.

use crate::dialect::Dialect;
use crate::event::{Access, CondId, Event, EventId};
use crate::flow::term::{Part, Term, TermId};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::protect::{Protection, WhyNot};
use crate::race::index::Kind;
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency, side};
use crate::sql::statement::{Access as TableAccess, Action, Compare, Place};

/// The row was taken by the statement that read it.
///
/// A claim that may run out is taken again by others while its holder works on; then what the holder writes must say
/// which claim it belongs to.
pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let read = scene.event(sequence.read)?;
    let access = read.access()?;
    let Some((found, taken)) = claim(access, sequence.read_access) else {
        return taken_before(scene, sequence, read).then_some(Protection::Claimed);
    };
    let locks = |other: &TableAccess| other.lock.is_some() && other.table.name == found.table.name;
    let once = access.statement.accesses.iter().any(locks)
        || read.dialect == Dialect::Sqlite
        || taken.action == Action::Delete;
    if !once {
        return None;
    }
    if runs_out(found, taken) && !names_its_claim(scene, sequence, taken) {
        tried.push(WhyNot::ClaimRunsOut);
        return None;
    }
    Some(Protection::Claimed)
}

/// Whether the request has taken the row before it reads it, by an UPDATE that one of two gets through, and holds it still:
/// no other statement moves the row back to where it was taken from, or gives the written columns a value.
fn taken_before(scene: &Scene<'_, '_>, sequence: &Sequence, read: &Event) -> bool {
    let (Some(access), Some(write)) = (read.access(), scene.event(sequence.write)) else { return false };
    let Some((reads, target)) = access.statement.accesses.get(sequence.read_access).zip(write.target()) else {
        return false;
    };
    let table = &reads.table.name;
    if sequence.relation != Relation::SameRow || scene.rivals.updated_somehow.contains(table) {
        return false;
    }
    let own: Vec<FnId> = write.calls.iter().map(|call| call.function).chain([scene.flow.function]).collect();
    let others = |column: &Name| {
        let others = scene.rivals.writers.others((table, column), scene.flow.function, &own);
        others.filter(|writer| !writer.inserts).collect::<Vec<_>>()
    };
    let holds = |state: &Name, from: &[Name]| {
        let back =
            |constants: &Option<Vec<Name>>| constants.as_ref().is_none_or(|all| all.iter().any(|it| from.contains(it)));
        let written = dependency::written(target).map(|set| &set.column).filter(|column| *column != state);
        !sequence.checked_columns().contains(&state)
            && !others(state).iter().any(|writer| back(&writer.constants))
            && written.into_iter().all(|column| others(column).is_empty())
    };
    scene.before_of(Kind::Write, read.id).filter(|event| got_through(scene, event.id, read)).any(|event| {
        let Some((by, taken)) = event.access().zip(event.target()) else { return false };
        taken.action == Action::Update
            && taken.table.name == *table
            && rows::compare_keys(scene, (access, reads), (by, taken)) == (true, false)
            && states_left(scene, by, taken).iter().any(|(state, from)| holds(state, from))
    })
}

/// Whether whoever comes to an event has asked whether an UPDATE found its row, and it did.
fn got_through(scene: &Scene<'_, '_>, update: EventId, event: &Event) -> bool {
    let terms = &scene.ev.terms;
    let counted = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == update);
    let found = |cond: &CondId| {
        let (mut asked, mut holds) = (scene.ev.cond(*cond).term, side::outcome(scene.ev, *cond, event));
        while let Term::Computed(by, parts) = terms.get(asked)
            && let ("!", [part]) = (by.as_str(), &**parts)
        {
            (asked, holds) = (*part, holds.map(|holds| !holds));
        }
        match terms.get(asked) {
            Term::Exists(of) => *terms.get(*of) == Term::Row(update) && scene.found_something(update, event),
            Term::Computed(by, parts) => match (by.as_str(), &**parts, holds) {
                (by, [count, number], Some(holds)) if counted(*count) => match (by, terms.number(*number)) {
                    ("==" | ">=", Some("1")) | (">" | "!=", Some("0")) => holds,
                    ("!=" | "<", Some("1")) | ("==" | "<=", Some("0")) => !holds,
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    };
    scene.conditions(&event.deps).iter().any(found)
}

/// The columns by whose constant an UPDATE finds its row, and to which it gives another one.
fn states_left(scene: &Scene<'_, '_>, access: &Access, taken: &TableAccess) -> Vec<(Name, Vec<Name>)> {
    let left = taken.filter.iter().filter(|guard| guard.op == Compare::Eq).filter_map(|guard| {
        let [state] = guard.columns.as_slice() else { return None };
        let set = dependency::moved(scene, (access, taken), state)?;
        let (from, to) = (scene.ev.constants(access, &guard.value)?, scene.ev.constants(access, &set.value)?);
        (!from.iter().any(|name| to.contains(name))).then(|| (state.clone(), from))
    });
    left.collect()
}

/// Whether a statement takes the rows that one of its parts finds.
pub(super) fn is_claim(access: &Access, read_access: usize) -> bool {
    claim(access, read_access).is_some()
}

/// The part of a statement that finds rows, and the part that takes them. What the statement writes beside the row it
/// takes belongs to that row.
fn claim(access: &Access, read_access: usize) -> Option<(&TableAccess, &TableAccess)> {
    let own = access.statement.accesses.get(read_access)?;
    let others = access.statement.accesses.iter().filter(|_| own.action != Action::Read);
    std::iter::once(own).chain(others).find_map(|one| claim_of(access, &one.table.name))
}

fn claim_of<'a>(access: &'a Access, table: &Name) -> Option<(&'a TableAccess, &'a TableAccess)> {
    let of_table = || access.statement.accesses.iter().filter(|other| other.table.name == *table);
    let taken = of_table().find(|other| matches!(other.action, Action::Update | Action::Delete))?;
    let found = of_table().find(|other| {
        let moved = || other.filter.iter().flat_map(|predicate| &predicate.columns).any(|column| sets(taken, column));
        other.action == Action::Read
            && matches!(other.place, Place::Cte | Place::InWhere | Place::Derived | Place::Join)
            && (taken.action == Action::Delete || moved())
    })?;
    Some((found, taken))
}

fn sets(access: &TableAccess, column: &str) -> bool {
    access.sets.iter().any(|set| set.column.as_str() == column)
}

/// Whether rows that were taken before are found again later: one of several conditions, of which some are on the
/// columns that taking sets.
fn runs_out(found: &TableAccess, taken: &TableAccess) -> bool {
    found.filter.iter().any(|predicate| {
        predicate.op == Compare::Other
            && predicate.columns.len() > 1
            && predicate.columns.iter().any(|column| sets(taken, column))
    })
}

/// Whether the write finds its row only while the claim is still this one: by a number, a token or a time that taking
/// the row has set.
fn names_its_claim(scene: &Scene<'_, '_>, sequence: &Sequence, taken: &TableAccess) -> bool {
    let (Some(read), Some(access)) = (scene.access(sequence.read), scene.access(sequence.write)) else { return false };
    let Some(target) = access.statement.target() else { return false };
    let set_by_claim = |part: &Part| match scene.looks_at(&read.statement, part, false) {
        LooksAt::Column(column) => sets(taken, &column),
        _ => false,
    };
    let given_out = |term: &TermId| {
        let origins = scene.origins(*term);
        origins.iter().any(|origin| origin.event == sequence.read && !origin.computed && set_by_claim(&origin.part))
    };
    target
        .filter
        .iter()
        .any(|predicate| predicate.op == Compare::Eq && scene.terms_in(access, &predicate.value).iter().any(given_out))
}
