//! Rows that are read a second time under another name: by a key of theirs, or by the key that they were read by before.

use crate::event::{Access, EventId};
use crate::flow::term::{Part, TermId};
use crate::lower::tree::Name;
use crate::race::LooksAt;
use crate::race::scene::Scene;
use crate::sql::statement::Access as TableAccess;

/// Whether a later read finds the row that an earlier one found: a unique key of theirs is asked for, by what stands in the
/// earlier row or by what that was asked for itself.
pub(super) fn is_same_row(scene: &Scene<'_, '_>, earlier: EventId, later: EventId) -> bool {
    let Some((first, second)) = one_table(scene, earlier).zip(one_table(scene, later)) else { return false };
    let Some(table) = scene.schema.table(&second.1.table.name) else { return false };
    let names = |column: &Name| {
        let Some(asked) = second.1.equals(column) else { return false };
        let is_column =
            |part: &Part| scene.looks_at(&first.0.statement, part, false) == LooksAt::Column(column.clone());
        let of_row = |term: &TermId| {
            let origins = scene.origins(*term);
            matches!(&*origins, [origin] if origin.event == earlier && !origin.computed && is_column(&origin.part))
        };
        let terms = scene.terms_in(second.0, asked);
        let asked_before = || {
            let before = first.1.equals(column);
            before.is_some_and(|before| scene.same_value((first.0, before), (second.0, asked)) == Some(true))
        };
        !terms.is_empty() && (terms.iter().all(of_row) || asked_before())
    };
    // Who locks it means to look again.
    earlier != later
        && second.1.lock.is_none()
        && first.1.table.name == second.1.table.name
        && table.keys().any(|key| !key.is_empty() && key.iter().all(names))
}

/// The only table that a statement reads.
fn one_table<'s>(scene: &'s Scene<'_, '_>, read: EventId) -> Option<(&'s Access, &'s TableAccess)> {
    let access = scene.access(read)?;
    match access.statement.accesses.as_slice() {
        [only] => Some((access, only)),
        _ => None,
    }
}
