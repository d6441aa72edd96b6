//! The write is guarded, and nobody looks at how many rows it changed.

use crate::event::{CondId, CondKind, EffectKind, Event, EventKind};
use crate::finding::Confidence;
use crate::flow::term::{Origin, Part};
use crate::lower::tree::Name;
use crate::protect::{Protection, Verdict, WhyNot};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, alternatives, common, dependency, twice};
use crate::rules::claim::Facts;
use crate::rules::stale_guard::NEAR;
use crate::sql::statement::{Access as TableAccess, Action, Assignment, Compare, ConflictAction, Operand, Predicate};

pub const ID: &str = "unchecked-outcome";

/// Whether a guard stands there, and only its outcome is missing.
pub fn claims(tried: &[WhyNot]) -> bool {
    tried.contains(&WhyNot::OutcomeUnread)
}

/// Whether a row is only deleted: whoever comes second finds it gone, as it was meant to be, and nothing is given for it on
/// the condition that it was there. By what it was named when it was deleted is nothing that was in it.
pub fn only_removes(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let conds: Vec<_> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let for_it = |event: &Event| {
        alternatives::one_run_passes(scene, event, facts.write)
            && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
    };
    let gives = |event: &Event| match &event.kind {
        EventKind::Access(access) => access.statement.target().is_some_and(|target| {
            target.action == Action::Insert || target.sets.iter().any(|set| set.value.is_relative())
        }),
        EventKind::Effect(_) | EventKind::CallParam { .. } => true,
        _ => false,
    };
    let named = named_by(facts, Compare::Eq);
    let of_read = |origin: &&Origin| origin.event == facts.read.id;
    let told = scene.origins(scene.flow.returns.term).iter().filter(of_read).any(|origin| {
        origin.part != Part::Existence && !named.iter().any(|by| by.event == origin.event && by.part == origin.part)
    });
    facts.target.action == Action::Delete
        && !told
        && !scene.after(facts.write.id).any(|event| gives(event) && for_it(event))
}

/// What of other rows the row or the rows are named by.
fn named_by(facts: &Facts<'_, '_>, op: Compare) -> Vec<Origin> {
    let named = facts.target.filter.iter().filter(|predicate| predicate.op == op);
    let terms =
        named.filter_map(|predicate| facts.write.access().map(|write| facts.scene.terms_in(write, &predicate.value)));
    terms.flatten().flat_map(|term| facts.scene.origins(term).to_vec()).collect()
}

/// Whether a mark of two values is only set, and nothing else is done: whoever comes second finds it set, as it was meant to
/// be. A state of more values may have become a third one; but who goes over the rows, and takes from one what stood there if
/// it still does, has nothing to do where it is gone.
pub fn only_marks(facts: &Facts<'_, '_>) -> bool {
    let (scene, target) = (facts.scene, facts.target);
    let moved = |predicate: &&Predicate| dependency::written(target).any(|set| predicate.columns.contains(&set.column));
    let of_two = |predicate: &Predicate| match (&predicate.op, &predicate.value) {
        (Compare::IsNull | Compare::IsNotNull, _) => true,
        (Compare::Eq | Compare::Ne, Operand::Literal(text)) => matches!(text.as_str(), "true" | "false"),
        _ => false,
    };
    // Of many rows those are marked that still are to be: who asks for a list of them counts on none.
    let several =
        facts.sequence.key_from_row && facts.target.filter.iter().any(|predicate| predicate.op == Compare::In);
    let left_out = |predicate: &Predicate| {
        let constant = facts.write.access().and_then(|write| scene.ev.constants(write, &predicate.value));
        several && predicate.op == Compare::Eq && constant.is_some()
    };
    // What is counted on from what the guard asks for is the same each time.
    let fixed = |set: &Assignment| {
        let asked = |predicate: &&Predicate| predicate.columns == [set.column.clone()] && left_out(predicate);
        facts.gives_fixed(set) || target.filter.iter().any(|predicate| asked(&predicate)) && is_counted_on(facts, set)
    };
    let each = |check: &Check| check.cond.is_some_and(|cond| scene.ev.cond(cond).kind == CondKind::Each);
    let goes_over = facts.sequence.key_from_row && facts.sequence.checks.iter().any(each);
    let taken_off = |predicate: &Predicate| {
        let mut given = dependency::written(target).filter(|set| predicate.columns == [set.column.clone()]);
        let asked = facts.write.access().map(|write| scene.terms_in(write, &predicate.value)).unwrap_or_default();
        let of_column = |origin: &Origin| {
            let read = facts.read.access().map(|read| scene.looks_at(&read.statement, &origin.part, origin.computed));
            origin.event == facts.read.id
                && matches!(read, Some(LooksAt::Column(column)) if predicate.columns == [column.clone()])
        };
        goes_over
            && predicate.op == Compare::Eq
            && given.all(|set| set.value == Operand::Null)
            && asked.iter().any(|term| scene.origins(*term).iter().any(of_column))
    };
    let mut guards = target.filter.iter().filter(moved).peekable();
    let named = if several { named_by(facts, Compare::In) } else { Vec::new() };
    let is_name = |origin: &Origin| named.iter().any(|by| by.event == origin.event && by.part == origin.part);
    let of_read = |origin: &Origin| origin.event == facts.read.id && origin.part != Part::Existence && !is_name(origin);
    target.action == Action::Update
        && dependency::written(target).all(fixed)
        && guards.peek().is_some()
        && guards.all(|guard| of_two(guard) || taken_off(guard) || left_out(guard))
        && !scene.origins(scene.flow.returns.term).iter().any(of_read)
        && !scene.flow.events.iter().any(|event| {
            event.acts() && event.id != facts.write.id && alternatives::one_run_passes(scene, event, facts.write)
        })
}

/// Whether a column is counted on from what it held by a constant.
fn is_counted_on(facts: &Facts<'_, '_>, set: &Assignment) -> bool {
    let (Operand::Expr { parts, .. }, Some(access)) = (&set.value, facts.write.access()) else { return false };
    let own = |part: &Operand| matches!(part, Operand::Column { column, .. } if *column == set.column);
    parts.iter().all(|part| own(part) || facts.scene.ev.constants(access, part).is_some())
}

/// Whether the guard only spares a write that would give the row what it holds: `SET level = $2 … AND level <> $2`. Whoever
/// changes no row finds it as it was meant to be. With a constant it is a state that one request takes the row out of.
pub fn only_spares(facts: &Facts<'_, '_>) -> bool {
    let Some(access) = facts.write.access() else { return false };
    let spares = |predicate: &Predicate| {
        let given = dependency::written(facts.target).find(|set| predicate.columns == [set.column.clone()]);
        given.map(|set| {
            let asked = access.bound(&predicate.value);
            let brought = facts.scene.ev.constants(access, &set.value).is_none();
            predicate.op == Compare::Ne && brought && asked.is_some() && asked == access.bound(&set.value)
        })
    };
    let mut guards = facts.target.filter.iter().filter_map(spares).peekable();
    guards.peek().is_some() && guards.all(|spares| spares)
}

/// A guarded change of an amount that no read leads to, and whose outcome nobody looks at.
///
/// In: a write that no sequence ends in. `SET left = left - 1 WHERE id = $1 AND left > 0`: the caller goes on as if it
/// had taken one.
pub fn alone(scene: &Scene<'_, '_>, write: &crate::event::Event) -> Option<Confidence> {
    let target = write.target()?;
    if scene.outcome_used(write.id) {
        return None;
    }
    let acted = || if claims_by_itself(scene, write) { acted_on(scene, write) } else { None };
    let takes = target.action == Action::Update && takes_amount(scene, write, target) && names_one_row(scene, target);
    if takes { Some(Confidence::High) } else { acted() }
}

/// `SET left = left - 1 WHERE id = $1 AND left > 0`. Of a table that nobody knows all rows may be meant that stand behind
/// another one, `SET place = place - 1 WHERE shelf = $1 AND place > $2`: what is brought is no amount there that is taken.
fn takes_amount(scene: &Scene<'_, '_>, write: &Event, target: &TableAccess) -> bool {
    let Some(access) = write.access() else { return false };
    let known = scene.schema.table(&target.table.name).is_some();
    let is_taken = |limit: &Predicate, set: &Assignment| {
        let taken = scene.terms_in(access, &set.value);
        known || scene.terms_in(access, &limit.value).iter().all(|term| taken.contains(term))
    };
    let takes = |predicate: &Predicate| {
        matches!(predicate.op, Compare::Ge | Compare::Gt | Compare::Le | Compare::Lt)
            && predicate.columns.iter().any(|column| {
                target.sets.iter().any(|set| {
                    set.column == *column
                        && set.value.is_relative()
                        && subtracts_or_adds(&set.value)
                        && is_taken(predicate, set)
                })
            })
    };
    names_a_row(target) && target.filter.iter().any(takes)
}

fn names_a_row(target: &TableAccess) -> bool {
    target
        .filter
        .iter()
        .any(|predicate| predicate.op == Compare::Eq && !matches!(predicate.value, Operand::Literal(_) | Operand::Null))
}

/// Whether a write asks for its row by all of a key, as far as the keys of its table are known: of many rows there may just be
/// none by now that the condition fits, such as those below a place in a list.
fn names_one_row(scene: &Scene<'_, '_>, target: &TableAccess) -> bool {
    let asked = |key: &[Name]| key.iter().all(|column| target.equals(column).is_some());
    scene.schema.table(&target.table.name).is_none_or(|table| table.keys_unsaid || table.all_keys().any(asked))
}

/// Whether a write lets only one of two requests through: it takes one row out of the state that it asks for, or puts down
/// a row that says no more than its key, where a second one is passed over.
fn claims_by_itself(scene: &Scene<'_, '_>, write: &Event) -> bool {
    let Some(access) = write.access() else { return false };
    let Some(target) = access.statement.target() else { return false };
    match target.action {
        Action::Update => {
            let fixed = |value: &Operand| matches!(value, Operand::Literal(_)) || scene.ev.is_fixed(access, value);
            let moves = |predicate: &Predicate| {
                let [column] = predicate.columns.as_slice() else { return false };
                let given = dependency::moved(scene, (access, target), column);
                given.is_some_and(|set| match predicate.op {
                    Compare::Eq => fixed(&predicate.value) && fixed(&set.value),
                    Compare::IsNull => !matches!(set.value, Operand::Null),
                    _ => false,
                })
            };
            names_a_row(target) && target.filter.iter().any(moves)
        }
        Action::Insert => {
            let passes = target.conflict.as_ref().is_some_and(|conflict| conflict.action == ConflictAction::Nothing);
            let table = scene.schema.table(&target.table.name);
            let brought =
                |set: &Assignment| !matches!(set.value, Operand::Literal(_) | Operand::Null | Operand::Default);
            let given: Vec<&Name> = target.sets.iter().filter(|set| brought(set)).map(|set| &set.column).collect();
            let is_all = |key: &[Name]| {
                given.iter().all(|column| key.contains(column)) && key.iter().all(|column| given.contains(&column))
            };
            passes && !given.is_empty() && table.is_some_and(|table| table.keys().any(is_all))
        }
        Action::Delete | Action::Read => false,
    }
}

/// What leaves the process after a write, on the same conditions and whatever the write did; nothing where a lock or a level
/// has settled before who comes to it.
fn acted_on(scene: &Scene<'_, '_>, write: &Event) -> Option<Confidence> {
    let depth = write.calls.len().saturating_sub(NEAR);
    let needed = scene.conditions(&write.deps);
    let looks_again = |cond: &CondId| {
        let origins = scene.origins(scene.ev.cond(*cond).term);
        origins.iter().any(|origin| scene.place(origin.event) > scene.place(write.id))
    };
    let effect = scene.after_of(Kind::Effect, write.id).find_map(|event| {
        let EventKind::Effect(effect) = &event.kind else { return None };
        let conds = scene.conditions(&event.deps);
        let acts = match effect.kind {
            EffectKind::File => false,
            EffectKind::Http => !twice::is_harmless(scene, write, write, event),
            EffectKind::Message => true,
            EffectKind::Payment | EffectKind::Mail | EffectKind::Other => true,
        };
        let along = common(write, event) >= depth
            && alternatives::one_run_passes(scene, event, write)
            && needed.iter().all(|cond| conds.contains(cond))
            && !conds.iter().any(looks_again);
        (acts && along).then_some(effect)
    })?;
    let settled = |sequence: &Sequence| {
        let held = scene.verdict(sequence);
        matches!(held, Verdict::Safe(by) if !matches!(by, Protection::Idempotent | Protection::NoRival))
    };
    if scene.sequences(write).iter().any(settled) {
        return None;
    }
    Some(if effect.certain { Confidence::High } else { Confidence::Medium })
}

/// The column that a write asks for and gives another value, where the row is named by nothing else: whoever comes second
/// does not find it any more.
pub fn moved_guard<'e>(scene: &Scene<'_, '_>, write: &'e Event) -> Option<&'e Name> {
    let access = write.access()?;
    let target = access.statement.target().filter(|target| target.action == Action::Update)?;
    let [guard] = target.filter.as_slice() else { return None };
    let [column] = guard.columns.as_slice() else { return None };
    let named = guard.op == Compare::Eq && matches!(guard.value, Operand::Placeholder(_) | Operand::Named(_));
    (named && dependency::moved(scene, (access, target), column).is_some()).then_some(column)
}

fn subtracts_or_adds(value: &Operand) -> bool {
    matches!(value, Operand::Expr { text, .. } if text.contains(['+', '-']))
}
