//! What one task does, one time after the other: there is no second run of it, so that a finding is about a statement of
//! another function, and names it.

use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{LooksAt, side};
use crate::rules::claim::{Claim, Facts};
use crate::rules::loss::Counterpart;
use crate::rules::{check_then_update, lost_update};

/// Who comes between a read and a write that only one task sends.
pub enum Rival {
    Named(Counterpart),
    /// Somebody may; nobody knows which statement.
    Unknown,
    Nobody,
}

/// In: a claim about a function that has no second run. Out: the statement of another one that changes what the claim goes
/// by.
pub fn rival(scene: &Scene<'_, '_>, claim: &Claim) -> Rival {
    if let Some(known) = &claim.counterpart {
        return Rival::Named(known.clone());
    }
    if ![check_then_update::ID, lost_update::ID].contains(&claim.rule) {
        return Rival::Unknown;
    }
    let Some(facts) = Facts::of(scene, &claim.sequence, &claim.tried).filter(Facts::same_row) else {
        return Rival::Unknown;
    };
    let (table, own) = (&facts.reads.table.name, facts.own_functions());
    let checked = facts.sequence.checks.iter().filter(|check| !facts.permits(check)).map(|check| &check.looks_at);
    let written = facts.sequence.values.iter().map(|value| &value.from);
    let mut asked = checked.clone().chain(written.clone());
    // Of a row as a whole nobody knows what is asked. Who saves a row as he found it gives no column a value of its own.
    let known = |part: &LooksAt| matches!(part, LooksAt::Column(_) | LooksAt::Existence);
    let spoils = |column: &Name| {
        if side::asks_by_itself(scene, facts.sequence, column) {
            return facts.spoiler(column, &own);
        }
        facts.other_writer(column, &own)
    };
    let column = |part: &'_ LooksAt| if let LooksAt::Column(column) = part { Some(column.clone()) } else { None };
    let spoiled = checked.filter_map(column).filter_map(|column| spoils(&column));
    let undone = written.filter_map(column).filter_map(|column| facts.other_writer(&column, &own));
    match spoiled.chain(undone).min_by_key(|other| other.writer.breadth) {
        Some(other) => Rival::Named(other),
        None if asked.all(known) && !scene.rivals.updated_somehow.contains(table) => Rival::Nobody,
        None => Rival::Unknown,
    }
}
