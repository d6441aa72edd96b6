//! Writes that take what is higher or lower of what is there and what is brought: in whichever order two requests come, the
//! row ends up the same.

use crate::event::Access;
use crate::lower::tree::Name;
use crate::protect::Protection;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, Written};
use crate::sql::statement::{
    Access as TableAccess, Action, Assignment, Compare, ConflictAction, ConflictTarget, Operand,
};

/// What gives the higher or the lower of its arguments, of every engine; MIN and MAX of several values are SQLite's.
const CHOOSES: [&str; 4] = ["greatest()", "least()", "max()", "min()"];

/// Whether a write gives a column that was looked at the higher or the lower of what the row holds by then and what is
/// brought, and writes nothing else that was read. Of an upsert its conflict clause does.
pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    let target = scene.access(sequence.write)?.statement.target()?;
    let sets = given(target)?;
    let merged = |column: &Name| {
        sets.iter().any(|set| set.column == *column && is_merged(set, &target.table.name))
            || only_moves_on(scene, sequence, column)
    };
    let checked = sequence.checks.iter().all(|check| match &check.looks_at {
        LooksAt::Existence => true,
        LooksAt::Column(column) => merged(column),
        LooksAt::Row | LooksAt::Aggregate => false,
    });
    let all = !sets.is_empty() && sets.iter().all(|set| merged(&set.column));
    let brought = sequence.values.iter().all(|value| only_moves_on(scene, sequence, &value.column));
    let hangs = !sequence.checks.is_empty() || !sequence.values.is_empty();
    (all && checked && brought && hangs).then_some(Protection::Idempotent)
}

/// Whether a column is a mark that only goes one way: the write finds the row only while the column holds no more, or no
/// less, than what it gives it, which is not counted on from what it held.
pub fn only_moves_on(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name) -> bool {
    let Some(access) = scene.access(sequence.write) else { return false };
    let Some(target) = access.statement.target().filter(|target| target.action == Action::Update) else { return false };
    let counted = |value: &Written| value.column == *column && value.is_own() && value.computed;
    let mut given = target.sets.iter().filter(|set| set.column == *column).peekable();
    given.peek().is_some()
        && given.all(|set| is_bound(scene, (access, target), set))
        && !sequence.values.iter().any(counted)
}

/// Whether a statement gives a column what its own WHERE compares it with, by an order.
fn is_bound(scene: &Scene<'_, '_>, (access, target): (&Access, &TableAccess), set: &Assignment) -> bool {
    target.filter.iter().any(|predicate| {
        matches!(predicate.op, Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge)
            && predicate.columns.as_slice() == std::slice::from_ref(&set.column)
            && scene.same_value((access, &predicate.value), (access, &set.value)) == Some(true)
    })
}

/// What a write gives to a row that is there.
fn given(target: &TableAccess) -> Option<&[Assignment]> {
    match (target.action, target.conflict.as_ref()) {
        (Action::Update, _) => Some(&target.sets),
        (Action::Insert, Some(conflict)) => match (&conflict.target, &conflict.action) {
            (ConflictTarget::Columns(_) | ConflictTarget::Constraint(_), ConflictAction::Update { sets, .. }) => {
                Some(sets)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_merged(set: &Assignment, table: &Name) -> bool {
    let Operand::Expr { text, parts } = &set.value else { return false };
    let own = |part: &Operand| match part {
        Operand::Column { table: of, column } => *column == set.column && of.as_ref().is_none_or(|of| of == table),
        _ => false,
    };
    let (held, brought): (Vec<&Operand>, Vec<&Operand>) = parts.iter().partition(|part| own(part));
    let plain = |part: &&Operand| !part.is_relative() && !matches!(part, Operand::Subquery(_) | Operand::Unknown);
    CHOOSES.contains(&text.as_str()) && held.len() == 1 && !brought.is_empty() && brought.iter().all(plain)
}
