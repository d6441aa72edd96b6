//! Claims: the statement that finds a row also moves it out of what it looks for, so that the next request finds another.

use crate::dialect::Dialect;
use crate::event::Access;
use crate::flow::term::{Part, TermId};
use crate::lower::tree::Name;
use crate::protect::{Protection, WhyNot};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence};
use crate::sql::statement::{Access as TableAccess, Action, Compare, Place};

/// The row was taken by the statement that read it.
///
/// A claim that may run out is taken again by others while its holder works on; then what the holder writes must say
/// which claim it belongs to.
pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let read = scene.event(sequence.read)?;
    let access = read.access()?;
    let (found, taken) = claim(access, sequence.read_access)?;
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
