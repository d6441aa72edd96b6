//! Conditions that say no more of a row than what it was asked for by.

use crate::event::{Comparison, CondId, EventId};
use crate::flow::term::{Term, TermId};
use crate::race::scene::Scene;
use crate::race::{LooksAt, dependency};
use crate::sql::statement::Compare;

/// Whether a condition only compares columns of a row with the values that it was asked for by: they are what they are.
pub(super) fn is_what_was_asked_for(scene: &Scene<'_, '_>, id: CondId, read: EventId) -> bool {
    let cond = scene.ev.cond(id);
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == read);
    let mut compares =
        cond.compares.iter().filter(|compare| of_read(compare.left) || of_read(compare.right)).peekable();
    compares.peek().is_some()
        && dependency::only_compares(scene, cond.term, read)
        && compares.all(|compare| is_asked_again(scene, compare))
}

/// Whether a column is compared with the value that its row was asked for by.
fn is_asked_again(scene: &Scene<'_, '_>, compare: &Comparison) -> bool {
    let (left, right) = (ways(scene, compare.left), ways(scene, compare.right));
    matches!(compare.op, Compare::Eq | Compare::Ne)
        && left.iter().chain(&right).all(|way| scene.plain(*way) == scene.plain(left[0]))
}

/// Whether a comparison comes out the same for all who have found the row: of what it was asked for by, or of a column that no
/// statement changes.
pub(super) fn is_settled(scene: &Scene<'_, '_>, compare: &Comparison, read: EventId) -> bool {
    let stays = |term: TermId| {
        let Some(statement) = scene.access(read).map(|read| &read.statement) else { return false };
        let origins = scene.origins(term);
        let [origin] = &*origins else { return false };
        let table = statement.accesses.first().map(|first| &first.table.name);
        let column = scene.looks_at(statement, &origin.part, origin.computed);
        origin.event == read
            && matches!((column, table), (LooksAt::Column(column), Some(table)) if !scene.rivals.changes(table, &column))
    };
    is_asked_again(scene, compare) || stays(compare.left) || stays(compare.right)
}

/// A value, or each of those that it is one of.
fn ways(scene: &Scene<'_, '_>, term: TermId) -> Vec<TermId> {
    match scene.ev.terms.get(term) {
        Term::Either(parts) if !parts.is_empty() => parts.to_vec(),
        _ => vec![term],
    }
}
