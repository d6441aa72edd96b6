//! What a statement gives of other rows beside a row: `(SELECT max(paid_at) FROM dues …) AS last_paid_at`, a column of a table
//! that is joined.

use crate::event::Event;
use crate::flow::term::Part;
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence};
use crate::sql::statement::{Output, Statement};

/// Takes away the checks that ask for nothing of the row that is read and written, only for what another table holds, where
/// something of the row decides or is written as well: they say nothing of it.
///
/// In: a sequence of which it is known how its rows lie to each other.
pub(super) fn drop_checks(scene: &Scene<'_, '_>, sequence: &mut Sequence) {
    let (Some(read), Some(table)) = (scene.access(sequence.read), scene.table_of(sequence)) else { return };
    let (statement, target) = (&*read.statement, scene.event(sequence.write).and_then(Event::target));
    if target.is_none_or(|target| target.table.name != *table)
        || statement.output.iter().all(|output| elsewhere(output, table).is_none())
    {
        return;
    }
    let away = |check: &Check| is_elsewhere(scene, sequence, (statement, table), check);
    let kept: Vec<Check> = sequence.checks.iter().filter(|check| !away(check)).cloned().collect();
    if kept.iter().any(|check| check.looks_at != LooksAt::Existence) || !sequence.values.is_empty() {
        sequence.checks = kept;
    }
}

/// The other table that a column of a result is made of.
fn elsewhere<'s>(output: &'s Output, table: &Name) -> Option<&'s Name> {
    output.rows_of.as_ref().or(output.of.as_ref()).filter(|of| *of != table)
}

/// Whether all that a check asks for is made of another table.
fn is_elsewhere(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    (statement, table): (&Statement, &Name),
    check: &Check,
) -> bool {
    let Some(cond) = check.cond else { return false };
    let origins = scene.origins(scene.ev.cond(cond).term);
    let mut asked = origins
        .iter()
        .filter(|origin| origin.event == sequence.read)
        .filter(|origin| scene.looks_at(statement, &origin.part, false) == check.looks_at)
        .peekable();
    let of_another = |part: &Part| match part {
        Part::Column(name) => statement.output_at(name).is_some_and(|output| elsewhere(output, table).is_some()),
        _ => false,
    };
    asked.peek().is_some() && asked.all(|origin| of_another(&origin.part))
}
