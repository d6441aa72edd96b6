//! A mark that is set once: who finds it unset sets it, who finds it set is answered the same. Two requests that both set it
//! leave what one would have left.

use crate::event::{CondId, CondKind, Event};
use crate::flow::term::{Part, Term, TermId, Terms};
use crate::lower::tree::Name;
use crate::race::{LooksAt, dependency, twice};
use crate::rules::claim::Facts;
use crate::sql::statement::{Action, Assignment};

/// Whether all that is written is the same in each run, nothing else hangs on whether it was there already, no other statement
/// writes what the check turns away, and all else that is asked of the row stays as it is.
pub fn is_one(facts: &Facts<'_, '_>) -> bool {
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let Some(write) = facts.write.access() else { return false };
    let own = facts.own_functions();
    // What is saved along with it is as it was for everybody.
    let kept = |column: &Name| facts.hands_back(column) && facts.other_writer(column, &own).is_none();
    let fits = |set: &Assignment| {
        write.constant(&scene.ev.terms, &set.value).is_some()
            || write.is_now(&scene.ev.terms, &set.value)
            || kept(&set.column)
    };
    let marks = facts.target.action == Action::Update
        && facts.same_row()
        && facts.sequence.values.iter().all(|value| value.is_handed_back())
        && (!facts.sequence.key_from_row || facts.reads_by_key())
        && dependency::written(facts.target).all(fits);
    if !marks {
        return false;
    }
    let moved = |column: &Name| dependency::sets(facts.write, column) && !facts.hands_back(column);
    let stays = facts.sequence.checks.iter().all(|check| match &check.looks_at {
        LooksAt::Existence => true,
        LooksAt::Column(column) => moved(column) || kept(column) || !scene.rivals.changes(table, column),
        LooksAt::Aggregate | LooksAt::Row => false,
    });
    let asked = facts
        .sequence
        .checks
        .iter()
        .filter(|check| matches!(&check.looks_at, LooksAt::Column(column) if moved(column)));
    let Some(conds) = asked.map(|check| check.cond).collect::<Option<Vec<CondId>>>() else { return false };
    let checked = facts.sequence.checked_columns();
    let noted = |set: &Assignment| write.is_now(&scene.ev.terms, &set.value) && !checked.contains(&&set.column);
    let alike = |set: &Assignment| kept(&set.column) || noted(set) || facts.others_write_the_same(set, &own);
    stays && !conds.is_empty() && dependency::written(facts.target).all(alike) && !hangs_besides(facts, &conds)
}

/// Whether anything else is done on these conditions, or whoever called is told which way they went.
fn hangs_besides(facts: &Facts<'_, '_>, conds: &[CondId]) -> bool {
    let scene = facts.scene;
    let hangs = |deps: &[CondId]| scene.conditions(deps).iter().any(|cond| conds.contains(cond));
    let acts = |event: &Event| {
        event.acts()
            && event.id != facts.write.id
            && hangs(&event.deps)
            && !twice::is_harmless(scene, facts.read, facts.write, event)
    };
    let returned = &scene.flow.returns;
    // Who is refused is told so; of several answers each tells something.
    let mut row = false;
    let alike = answers(facts, returned.term, &mut row) <= 1;
    let chosen: Vec<CondId>;
    let decides: &[CondId] = match &returned.refused {
        Some(refused) if alike => refused,
        None if alike && row && !may_refuse(&scene.ev.terms, returned.term) => {
            let needed = returned.guards.iter().copied().filter(|cond| scene.ev.cond(*cond).kind != CondKind::Test);
            chosen = needed.collect();
            &chosen
        }
        _ => &returned.guards,
    };
    let Some(read) = facts.read.access() else { return true };
    let origins = scene.origins(returned.term);
    let of_read = origins.iter().filter(|origin| origin.event == facts.read.id);
    let parts: Vec<(LooksAt, bool)> = of_read
        .map(|origin| match origin.part {
            Part::Existence | Part::Count | Part::Length => (LooksAt::Existence, true),
            _ => (scene.looks_at(&read.statement, &origin.part, false), origin.computed),
        })
        .collect();
    let columns = parts.iter().filter(|(part, computed)| matches!(part, LooksAt::Column(_)) && !computed).count();
    let whole = columns > 1 || parts.contains(&(LooksAt::Row, false));
    let old = |(part, computed): &(LooksAt, bool)| match part {
        // In the row it says what is so by now for whoever finds the mark.
        LooksAt::Column(column) => {
            dependency::sets(facts.write, column) && !(whole && !computed && facts.shuts_out(column))
        }
        LooksAt::Existence | LooksAt::Aggregate => true,
        LooksAt::Row => false,
    };
    hangs(decides) || parts.iter().any(old) || scene.flow.events.iter().any(acts)
}

/// Whether an error may be answered.
fn may_refuse(terms: &Terms, term: TermId) -> bool {
    match terms.get(term) {
        Term::Either(parts) => parts.iter().any(|part| may_refuse(terms, *part)),
        Term::Literal(text) => text == "error",
        _ => false,
    }
}

/// How many values may be answered, errors left out; the row as it was read, and as the write gives it back, is one.
fn answers(facts: &Facts<'_, '_>, term: TermId, row: &mut bool) -> usize {
    let terms = &facts.scene.ev.terms;
    match terms.get(term) {
        Term::Either(parts) => parts.iter().map(|part| answers(facts, *part, row)).sum(),
        Term::Literal(text) if text == "error" => 0,
        Term::Row(event) if *event == facts.read.id || *event == facts.write.id => {
            usize::from(!std::mem::replace(row, true))
        }
        // The mark was put into it here as well.
        Term::Computed(by, parts) if by == "with" && parts[1..].iter().all(|part| terms.is_constant(*part)) => {
            answers(facts, parts[0], row)
        }
        _ => 1,
    }
}
