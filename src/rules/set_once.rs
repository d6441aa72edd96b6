//! A mark that is set once: who finds it unset sets it, who finds it set is answered the same. Two requests that both set it
//! leave what one would have left.

use crate::event::{CondId, Event};
use crate::flow::term::{Origin, Part, Term, TermId, Terms};
use crate::lower::tree::Name;
use crate::race::{LooksAt, dependency};
use crate::rules::claim::Facts;
use crate::sql::statement::Action;

/// Whether all that is written is the same in each run, nothing else hangs on whether it was there already, no other statement
/// writes what the check turns away, and all else that is asked of the row stays as it is.
pub fn is_one(facts: &Facts<'_, '_>) -> bool {
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let Some(write) = facts.write.access() else { return false };
    let marks = facts.target.action == Action::Update
        && facts.same_row()
        && facts.sequence.values.is_empty()
        && (!facts.sequence.key_from_row || facts.reads_by_key())
        && dependency::written(facts.target).all(|set| write.constant(&scene.ev.terms, &set.value).is_some());
    if !marks {
        return false;
    }
    let moved = |column: &Name| dependency::sets(facts.write, column);
    let stays = facts.sequence.checks.iter().all(|check| match &check.looks_at {
        LooksAt::Existence => true,
        LooksAt::Column(column) => moved(column) || !scene.rivals.changes(table, column),
        LooksAt::Aggregate | LooksAt::Row => false,
    });
    let asked = facts
        .sequence
        .checks
        .iter()
        .filter(|check| matches!(&check.looks_at, LooksAt::Column(column) if moved(column)));
    let Some(conds) = asked.map(|check| check.cond).collect::<Option<Vec<CondId>>>() else { return false };
    let own = facts.own_functions();
    stays
        && !conds.is_empty()
        && dependency::written(facts.target).all(|set| facts.others_write_the_same(set, &own))
        && !hangs_besides(facts, &conds)
}

/// Whether anything else is done on these conditions, or whoever called is told which way they went.
fn hangs_besides(facts: &Facts<'_, '_>, conds: &[CondId]) -> bool {
    let scene = facts.scene;
    let hangs = |deps: &[CondId]| scene.conditions(deps).iter().any(|cond| conds.contains(cond));
    let acts = |event: &Event| event.acts() && event.id != facts.write.id && hangs(&event.deps);
    let returned = &scene.flow.returns;
    // Who is refused is told so; of several answers each tells something.
    let decides = match &returned.refused {
        Some(refused) if answers(&scene.ev.terms, returned.term) <= 1 => refused,
        _ => &returned.guards,
    };
    let old = |origin: &Origin| {
        let written = match &origin.part {
            Part::Column(column) => dependency::sets(facts.write, column),
            Part::Existence | Part::Count | Part::Length => true,
            Part::Row => false,
        };
        written && origin.event == facts.read.id
    };
    hangs(decides) || scene.origins(returned.term).iter().any(old) || scene.flow.events.iter().any(acts)
}

/// How many values may be answered, errors left out.
fn answers(terms: &Terms, term: TermId) -> usize {
    match terms.get(term) {
        Term::Either(parts) => parts.iter().map(|part| answers(terms, *part)).sum(),
        Term::Literal(text) if text == "error" => 0,
        _ => 1,
    }
}
