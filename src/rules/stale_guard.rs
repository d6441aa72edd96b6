//! One row, a count or a sum is checked, and another row or table is written.

use crate::event::EventKind;
use crate::finding::Confidence;
use crate::race::rows::Relation;
use crate::race::{LooksAt, dependency};
use crate::rules::claim::Facts;
use crate::sql::statement::Action;

pub const ID: &str = "stale-guard";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.sequence.checks.is_empty() {
        return None;
    }
    match facts.sequence.relation {
        Relation::NewRowOfSet | Relation::RowOfSet if facts.sequence.checks_aggregate() => Some(facts.confidence()),
        Relation::Linked | Relation::Other => other_row(facts),
        _ => None,
    }
}

fn other_row(facts: &Facts<'_, '_>) -> Option<Confidence> {
    let linked = facts.sequence.relation == Relation::Linked;
    if dependency::only_existence(facts.sequence) {
        // Absence is checked here, and made untrue further on: what stands between happens twice.
        return claimed_later(facts).then_some(Confidence::Medium);
    }
    if !facts.sequence.checks_content() {
        return None;
    }
    let said = facts.sequence.checks.iter().all(|check| check.looks_at != LooksAt::Row);
    let narrow = facts.sequence.checked_columns().len() <= 2;
    let sure = linked
        && facts.checks_what_changes()
        && said
        && narrow
        && (facts.sequence.checks_aggregate() || is_parent(facts));
    Some(if sure { Confidence::Medium.min(facts.confidence()) } else { Confidence::Low })
}

/// Whether the written row belongs to the row that was checked: by a foreign key, or by a column that is named after it.
fn is_parent(facts: &Facts<'_, '_>) -> bool {
    let table = &facts.reads.table.name;
    let target = &facts.target.table.name;
    let by_key =
        facts.scene.schema.table(target).is_some_and(|def| def.foreign_keys.iter().any(|key| key.table == *table));
    let singular = table
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .unwrap_or_else(|| table.strip_suffix('s').unwrap_or(table).to_owned());
    by_key
        || facts
            .target
            .sets
            .iter()
            .any(|set| set.column.strip_prefix(singular.as_str()).is_some_and(|rest| rest.starts_with('_')))
}

/// Whether this function, on the same condition, inserts the row whose absence it checked.
fn claimed_later(facts: &Facts<'_, '_>) -> bool {
    let conds: Vec<_> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let scene = facts.scene;
    scene.after(facts.read.id).any(|event| {
        let EventKind::Access(access) = &event.kind else { return false };
        let inserts = access
            .statement
            .target()
            .is_some_and(|target| target.action == Action::Insert && target.table.name == facts.reads.table.name);
        inserts && event.id != facts.write.id && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
    })
}
