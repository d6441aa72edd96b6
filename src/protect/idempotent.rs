//! Writes that may happen twice: a flag is set to what it should be in any case, and nothing else hangs on who set it.

use crate::event::{CondId, Event};
use crate::protect::Protection;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, alternatives, dependency, twice};
use crate::sql::statement::{Action, Operand};

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    let target = scene.access(sequence.write)?.statement.target()?;
    if target.action != Action::Update || !sequence.values.is_empty() || sequence.relation != Relation::SameRow {
        return None;
    }
    let constant = dependency::written(target).all(|set| matches!(set.value, Operand::Literal(_) | Operand::Null));
    let own = sequence.checks.iter().all(|check| match &check.looks_at {
        LooksAt::Column(column) => dependency::written(target).any(|set| set.column == *column),
        LooksAt::Existence => true,
        LooksAt::Aggregate | LooksAt::Row => false,
    });
    if !constant || !own || reads_more_than_key(scene, sequence) {
        return None;
    }
    let conds: Vec<_> = sequence.checks.iter().map(|check| check.cond).collect::<Option<_>>()?;
    let hangs = |deps: &[CondId]| scene.conditions(deps).iter().any(|cond| conds.contains(cond));
    let returned = &scene.flow.returns;
    let told =
        hangs(&returned.guards) || scene.origins(returned.term).iter().any(|origin| origin.event == sequence.read);
    (!acts_besides(scene, sequence, false) && !told).then_some(Protection::Idempotent)
}

/// Whether something else is done on the conditions of a sequence: another write, or what leaves the process. With `along`
/// only by a run that comes to the write.
pub fn acts_besides(scene: &Scene<'_, '_>, sequence: &Sequence, along: bool) -> bool {
    acts_more_than(scene, sequence, along, |_| false)
}

/// The same where some acts do no harm.
pub fn acts_more_than(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    along: bool,
    harmless: impl Fn(&Event) -> bool,
) -> bool {
    let (Some(read), Some(write)) = (scene.event(sequence.read), scene.event(sequence.write)) else { return true };
    let meets = |event: &Event| !along || alternatives::one_run_passes(scene, event, write);
    let conds = sequence.deciding();
    scene.flow.events.iter().any(|event| {
        event.acts()
            && event.id != sequence.write
            && !puts_the_same(event, write)
            && !twice::is_harmless(scene, read, write, event)
            && meets(event)
            && !harmless(event)
            && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
    })
}

/// Whether two statements put a row of one table where it belongs, there or not: two ways of the same.
fn puts_the_same(event: &Event, write: &Event) -> bool {
    let (Some(one), Some(other)) = (event.target(), write.target()) else { return false };
    one.writes_over() && other.writes_over() && one.table.name == other.table.name
}

/// A row that was picked, not asked for by its key, and of which more than the key was read: something is done with it.
fn reads_more_than_key(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let output = scene.access(sequence.read).map_or(0, |read| read.statement.output.len());
    let whole = scene.access(sequence.read).is_some_and(|read| read.statement.output.iter().any(|o| o.name == "*"));
    sequence.key_from_row && (output > 1 || whole)
}
