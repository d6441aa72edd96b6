//! Guarded writes: the condition stands in the write's own WHERE, on the target's own columns, and somebody looks at how
//! many rows it changed.

use crate::event::{Access, EventId};
use crate::flow::random::is_drawn;
use crate::flow::term::TermId;
use crate::lower::tree::Name;
use crate::protect::{Protection, WhyNot, put_again, recheck};
use crate::race::scene::Scene;
use crate::race::side;
use crate::race::{LooksAt, Sequence, dependency};
use crate::sql::statement::{Access as TableAccess, Action, Compare, ConflictAction, Operand, Predicate};

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let access = scene.access(sequence.write)?;
    let target = access.statement.target()?;
    let guards = guards(scene, sequence, access, target);
    if guards.is_empty() {
        return deleted_once(scene, sequence, target);
    }
    let same_table = scene
        .access(sequence.read)
        .and_then(|read| read.statement.accesses.get(sequence.read_access))
        .is_some_and(|read| read.table.name == target.table.name);
    if !same_table {
        return None;
    }
    if let Some(protection) = compares_and_sets(scene, sequence, access, target, &guards) {
        return with_outcome(scene, sequence, protection, tried);
    }
    let fixed = |part: &LooksAt| matches!(part, LooksAt::Column(column) if !can_change(scene, target, column));
    let stale = sequence.values.iter().any(|value| !relative(target, &value.column) && !fixed(&value.from));
    if stale {
        tried.push(WhyNot::GuardOnAbsoluteValue);
        return None;
    }
    if sequence.checks_aggregate() {
        return None;
    }
    let columns: Vec<&Name> = guards.iter().flat_map(|guard| &guard.columns).collect();
    let missing: Vec<Name> =
        sequence.checked_columns().into_iter().filter(|column| !columns.contains(column)).cloned().collect();
    let missing: Vec<Name> = missing.into_iter().filter(|column| can_change(scene, target, column)).collect();
    if !missing.is_empty() {
        tried.push(WhyNot::HalfGuard(missing));
        return None;
    }
    if lets_the_second_in(scene, sequence, (access, target), &guards) {
        tried.push(WhyNot::StillFits);
        return None;
    }
    with_outcome(scene, sequence, Protection::Guard, tried)
}

fn with_outcome(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    protection: Protection,
    tried: &mut Vec<WhyNot>,
) -> Option<Protection> {
    if scene.outcome_used(sequence.write) || put_again::refuses(scene, sequence) {
        return Some(protection);
    }
    tried.push(WhyNot::OutcomeUnread);
    None
}

/// Whether the row is still one of those that the condition finds when the write has moved it to a state that the check turns
/// away: `state <> 'done'` where an open job is taken.
fn lets_the_second_in(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    (access, target): (&Access, &TableAccess),
    guards: &[&Predicate],
) -> bool {
    dependency::written(target).any(|set| {
        let Some(held) = recheck::held(scene, access, &set.value) else { return false };
        let mut on_it = guards.iter().filter(|guard| guard.columns.as_slice() == std::slice::from_ref(&set.column));
        let mut guarded = on_it.clone().peekable();
        guarded.peek().is_some()
            && side::keeps_out(scene, sequence, &set.column, &held)
            && on_it.all(|guard| side::finds(scene, access, guard, &held) == Some(true))
    })
}

/// A column that some statement of the program changes.
fn can_change(scene: &Scene<'_, '_>, target: &TableAccess, column: &Name) -> bool {
    let table = &target.table.name;
    scene.rivals.updated_somehow.contains(table)
        || scene.rivals.updated.get(table).is_some_and(|columns| columns.contains(column))
}

/// The predicates of a write that are more than the key of its row.
fn guards<'t>(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    write: &Access,
    target: &'t TableAccess,
) -> Vec<&'t Predicate> {
    let mut found: Vec<&Predicate> = target
        .filter
        .iter()
        .filter(|predicate| !is_key(scene, sequence, write, target, predicate))
        .filter(|predicate| !matches!(predicate.value, Operand::Subquery(_) | Operand::Unknown))
        .collect();
    if let Some(conflict) = &target.conflict
        && let ConflictAction::Update { filter, .. } = &conflict.action
    {
        found.extend(filter.iter());
    }
    found
}

/// Whether a predicate only finds the row: its key, or what the read was also asked for.
fn is_key(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    write: &Access,
    target: &TableAccess,
    predicate: &Predicate,
) -> bool {
    let [column] = predicate.columns.as_slice() else { return false };
    if !matches!(predicate.op, Compare::Eq | Compare::In) {
        return false;
    }
    let table = scene.schema.table(&target.table.name);
    if dependency::moved(scene, (write, target), column).is_some() {
        return false;
    }
    if table.is_some_and(|table| table.primary_key.contains(column)) {
        return true;
    }
    if matches!(predicate.value, Operand::Literal(_) | Operand::Null) {
        return false;
    }
    // What nobody changes finds the row the second time as well.
    if !can_change(scene, target, column) {
        return true;
    }
    if sequence.checked_columns().contains(&column) {
        return false;
    }
    let Some(read) = scene.access(sequence.read) else { return false };
    let Some(table) = read.statement.accesses.get(sequence.read_access) else { return false };
    table.equals(column).is_some_and(|value| scene.same_value((read, value), (write, &predicate.value)) == Some(true))
}

/// The old value, a version, or a status that the write itself moves on stands in its condition: of two requests that
/// read the same row only one can still find it.
fn compares_and_sets(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    access: &Access,
    target: &TableAccess,
    guards: &[&Predicate],
) -> Option<Protection> {
    let moved = |column: &Name| dependency::moved(scene, (access, target), column);
    let from_read = |operand: &Operand| {
        scene
            .terms_in(access, operand)
            .iter()
            .any(|term| scene.origins(*term).iter().any(|origin| origin.event == sequence.read && !origin.computed))
    };
    for guard in guards {
        let [column] = guard.columns.as_slice() else { continue };
        let equal = matches!(guard.op, Compare::Eq | Compare::IsNull | Compare::In);
        if !equal {
            continue;
        }
        if guard.op == Compare::Eq && from_read(&guard.value) {
            let covers = sequence.values.iter().all(|value| value.from == LooksAt::Column(column.clone()));
            if moved(column).is_some() || covers && !sequence.values.is_empty() {
                return Some(Protection::CompareAndSet);
            }
            continue;
        }
        if guard.op == Compare::Eq && replaces_what_it_was_found_by(scene, sequence, access, target, guard) {
            return Some(Protection::CompareAndSet);
        }
        // A version given by the caller, and raised by this write.
        if let Some(set) = moved(column) {
            let terms = &scene.ev.terms;
            let (before, after) = (access.constant(terms, &guard.value), access.constant(terms, &set.value));
            let same = match (&before, &after) {
                (Some(before), Some(after)) => before == after,
                _ => guard.value == set.value,
            };
            let relative = set.value.is_relative();
            let renewed = || is_drawn_anew(scene, (access, target), guard) && keeps_with(scene, sequence, column);
            if !same && (relative || before.is_some() || guard.value == Operand::Null || renewed()) {
                return Some(Protection::CompareAndSet);
            }
        }
    }
    None
}

/// Whether the row was read by a value that the write asks for too and replaces: a token that is renewed when it is used.
fn replaces_what_it_was_found_by(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    access: &Access,
    target: &TableAccess,
    guard: &Predicate,
) -> bool {
    let Some(read) = scene.access(sequence.read) else { return false };
    let found_by = read.statement.accesses.get(sequence.read_access).and_then(|found| found.equals(&guard.columns[0]));
    let bound = |operand: &Operand| !scene.terms_in(access, operand).is_empty();
    let Some(set) = dependency::written(target).find(|set| set.column == guard.columns[0]) else { return false };
    bound(&guard.value)
        && bound(&set.value)
        && found_by.is_some_and(|value| scene.same_value((read, value), (access, &guard.value)) == Some(true))
        && scene.same_value((access, &guard.value), (access, &set.value)) == Some(false)
}

/// Whether a write asks for a value that was handed in, and draws another one in its place: nobody draws the old one again, so
/// that the row held it as long as the request has known it, and only one of two that bring it finds it.
fn is_drawn_anew(scene: &Scene<'_, '_>, (access, target): (&Access, &TableAccess), guard: &Predicate) -> bool {
    let [column] = guard.columns.as_slice() else { return false };
    let given = dependency::written(target).find(|set| set.column == *column);
    let drawn = |term: &TermId| is_drawn(&scene.ev.terms, *term);
    let (asked, given) = (access.bound(&guard.value), given.and_then(|set| access.bound(&set.value)));
    guard.op == Compare::Eq
        && target.action == Action::Update
        && asked.is_some_and(|asked| !scene.ev.terms.is_constant(asked) && !drawn(&asked))
        && given.is_some_and(|given| drawn(&given))
}

/// Whether an UPDATE replaces what the read was asked by, and what some row has to itself, by another value that is drawn: of two
/// requests that read the same, one finds it still there.
pub fn gives_up_what_was_asked_by(scene: &Scene<'_, '_>, sequence: &Sequence, write: EventId) -> bool {
    let (Some(access), Some(read)) = (scene.access(write), scene.access(sequence.read)) else { return false };
    let (Some(target), Some(found)) = (access.statement.target(), read.statement.accesses.get(sequence.read_access))
    else {
        return false;
    };
    let asked_by = |value: &Operand| {
        let mut asked = found.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
        asked.any(|predicate| scene.same_value((read, &predicate.value), (access, value)) == Some(true))
    };
    target.filter.iter().any(|guard| is_drawn_anew(scene, (access, target), guard) && asked_by(&guard.value))
}

/// Whether what is written was made of nothing that others change without giving this column another value as well.
fn keeps_with(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name) -> bool {
    let Some(read) = scene.access(sequence.read).and_then(|it| it.statement.accesses.get(sequence.read_access)) else {
        return false;
    };
    sequence.values.iter().all(|value| match &value.from {
        LooksAt::Column(from) => from == column || scene.rivals.moves_with(&read.table.name, from, &[column]),
        _ => false,
    })
}

fn relative(target: &TableAccess, column: &Name) -> bool {
    dependency::written(target).any(|set| set.column == *column && set.value.is_relative())
}

/// A row can be deleted once; whoever looks at the count knows who did it.
fn deleted_once(scene: &Scene<'_, '_>, sequence: &Sequence, target: &TableAccess) -> Option<Protection> {
    let same =
        matches!(sequence.relation, crate::race::rows::Relation::SameRow | crate::race::rows::Relation::LikelySameRow);
    // Of what stood in it the count says nothing, and who only logs it goes on.
    let stays = |column: &&Name| !can_change(scene, target, column);
    let looked_at = match sequence.checks_content() {
        true => scene.outcome_decides(sequence.write) && sequence.checked_columns().iter().all(stays),
        false => scene.outcome_used(sequence.write),
    };
    (target.action == Action::Delete && same && looked_at).then_some(Protection::Guard)
}
