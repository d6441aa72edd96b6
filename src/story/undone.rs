//! What another statement writes, and a write that goes by an old read puts back.

use crate::gather::{BETWEEN, UNDONE};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::writers::NARROW;
use crate::race::{LooksAt, Written};
use crate::rules::claim::{Claim, Facts};
use crate::rules::loss::Counterpart;
use crate::rules::reset;
use crate::sql::statement::Action;
use crate::story::reason::enumerated;
use crate::story::words;

/// How many columns are named beside the one that is told.
const TOLD_AS_WELL: usize = 3;

/// What another statement writes is undone, or overtaken, by one that goes by what it read before.
pub(super) fn undone(scene: &Scene<'_, '_>, claim: &Claim, other: &Counterpart, table: &str) -> String {
    let (column, who) = (&other.column, words::function(scene, other.writer.function));
    let of_column = |value: &&Written| matches!(&value.from, LooksAt::Column(from) if from == column);
    let values: Vec<&Written> = claim.sequence.values.iter().filter(of_column).collect();
    if scene.event(claim.sequence.write).is_some_and(|write| reset::sets_back(scene, write, column)) {
        return format!("{table}.{column} is set back after it was read{UNDONE}{who} writes to it{BETWEEN}");
    }
    if scene.event(claim.sequence.write).is_some_and(|write| write.does(Action::Delete)) {
        return format!("rows of {table} are copied and then deleted{UNDONE}{who} writes to {column}{BETWEEN}");
    }
    let handed_back = claim.sequence.values.iter().filter(|value| value.is_handed_back()).count();
    match values.iter().find(|value| value.is_handed_back()).or(values.first()) {
        Some(value) if value.is_handed_back() && handed_back > 1 => {
            let more = undone_as_well(scene, claim, other);
            format!(
                "columns of the {table} row are saved as they were read{UNDONE}{who} writes to {column}{more}{BETWEEN}"
            )
        }
        Some(value) if value.is_handed_back() => {
            format!("{table}.{column} is saved as it was read{UNDONE}{who} writes to it{BETWEEN}")
        }
        Some(value) if value.is_own() => {
            format!("the new {table}.{column} is made of the one that was read{UNDONE}{who} writes to it{BETWEEN}")
        }
        Some(value) => format!(
            "the new {table}.{} is made of the {column} that was read, which {who} can change in between",
            value.column
        ),
        None => format!("{who} can change {table}.{column} between the read and the write"),
    }
}

/// The other columns that are saved as they were read, and that statements are there for.
fn undone_as_well(scene: &Scene<'_, '_>, claim: &Claim, told: &Counterpart) -> String {
    let Some(facts) = Facts::of(scene, &claim.sequence, &claim.tried) else { return String::new() };
    let own = facts.own_functions();
    let meant = |column: &Name| {
        let other = facts.other_writer(column, &own);
        other.filter(|other| other.writer.breadth.0 <= NARROW).map(|other| other.writer.breadth)
    };
    let handed_back = claim.sequence.values.iter().filter(|value| value.is_handed_back());
    let others = handed_back.filter(|value| value.column != told.column);
    let mut columns: Vec<_> = others.filter_map(|value| Some((meant(&value.column)?, &value.column))).collect();
    columns.sort_unstable();
    columns.dedup();
    columns.truncate(TOLD_AS_WELL);
    if columns.is_empty() {
        return String::new();
    }
    format!(", or others write to {},", enumerated(columns.into_iter().map(|(_, column)| column.as_str()).collect()))
}
