//! Two requests, step by step, in the order that breaks them.

use crate::event::{Access, Cond, Event};
use crate::finding::{Interleaving, Role, StoryStep, Who};
use crate::flow::term::Term;
use crate::flow::value::HOLE;
use crate::protect::{WhyNot, meant};
use crate::race::children::{self, Added};
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Written, dependency, side};
use crate::rules::claim::Claim;
use crate::rules::loss::Counterpart;
use crate::rules::{
    check_then_insert, check_then_update, double_fire, lost_update, own_number, racy_statement, reset, stale_guard,
    table_lock, unchecked_outcome,
};
use crate::span::Span;
use crate::sql::statement::Action;
use crate::story::words;

/// The longest condition that is shown, in chars.
const SHOWN: usize = 120;

pub fn steps(scene: &Scene<'_, '_>, claim: &Claim, read: &Event, write: &Event) -> Interleaving {
    let table = words::table_of(scene, claim, write);
    if read.id == write.id {
        return alone(scene, claim, write, table);
    }
    if let Some(other) = &claim.counterpart {
        return with_another(scene, claim, other, read, write);
    }
    if claim.rule == stale_guard::ID
        && let Some(added) = children::added_meanwhile(scene, &claim.sequence)
    {
        return with_child(claim, added, read, write);
    }
    let mut steps = Vec::new();
    let read_text = words::statement(read);
    let write_text = words::statement(write);
    let best = super::best_check(scene, claim, write);
    let in_where =
        || claim.sequence.checks.iter().filter(|check| check.cond.is_none()).max_by_key(|check| &check.looks_at);
    let missing = best.is_some_and(|(_, cond)| side::lacks(cond, write) == Some(true));
    let seen = match best {
        Some((check, cond)) if missing => missed(scene, check, cond),
        Some((check, _)) => seen(check),
        None => in_where().and_then(seen),
    };
    for who in [Who::A, Who::B] {
        let state = if who == Who::A { seen.clone() } else { seen.as_ref().map(|_| "the same".to_owned()) };
        steps.push(StoryStep { who, text: read_text.clone(), state, span: Some(read.span), role: Role::Read });
    }
    if let Some((_, cond)) = best {
        let text = condition(scene, cond);
        for who in [Who::A, Who::B] {
            let state = Some(if missing { "goes on without" } else { "goes on" }.to_owned());
            steps.push(StoryStep { who, text: text.clone(), state, span: Some(cond.span), role: Role::Check });
        }
    }
    if let Some(effect) = claim.effect.and_then(|id| scene.event(id)) {
        let name = words::effect(scene, effect);
        for who in [Who::A, Who::B] {
            let state = Some(if who == Who::A { "done" } else { "done again" }.to_owned());
            steps.push(StoryStep { who, text: name.clone(), state, span: Some(effect.span), role: Role::Effect });
        }
    }
    for who in [Who::A, Who::B] {
        let state = (who == Who::B && claim.rule == unchecked_outcome::ID).then(|| "changes no row".to_owned());
        steps.push(StoryStep { who, text: write_text.clone(), state, span: Some(write.span), role: Role::Write });
    }
    let outcome = match own_number::column(scene, &claim.sequence) {
        Some(column) if claim.rule == lost_update::ID => format!("both have the same {column}"),
        _ => outcome(scene, claim, write, table),
    };
    Interleaving { steps, outcome }
}

/// One step, with what has come of it.
fn step(who: Who, text: String, state: &str, span: impl Into<Option<Span>>, role: Role) -> StoryStep {
    let text = text.replace(HOLE, "…");
    StoryStep { who, text, state: Some(state.to_owned()), span: span.into(), role }
}

/// Another statement comes between the read and the write.
fn with_another(
    scene: &Scene<'_, '_>,
    claim: &Claim,
    other: &Counterpart,
    read: &Event,
    write: &Event,
) -> Interleaving {
    if claim.rule == check_then_insert::ID {
        return with_another_row(scene, claim, other, read, write);
    }
    let column = &other.column;
    let own = claim.sequence.values.iter().find(|value| value.column == *column);
    let made = |value: &&Written| value.from == LooksAt::Column(column.clone());
    let after = match (own, claim.sequence.values.iter().find(made)) {
        (Some(value), _) if value.is_handed_back() => format!("{column} is again what A had read"),
        _ if reset::sets_back(scene, write, column) => format!("{column} begins anew"),
        (_, Some(_)) => format!("made of the old {column}"),
        _ => "all the same".to_owned(),
    };
    let mut steps = vec![step(Who::A, words::statement(read), &format!("the old {column}"), read.span, Role::Read)];
    if claim.rule == check_then_update::ID
        && let Some((_, cond)) = super::best_check(scene, claim, write)
    {
        steps.push(step(Who::A, condition(scene, cond), "goes on", cond.span, Role::Check));
    }
    steps.push(step(
        Who::B,
        other.writer.text.to_string(),
        &format!("{column} is new"),
        other.writer.place,
        Role::Write,
    ));
    steps.push(step(Who::A, words::statement(write), &after, write.span, Role::Write));
    let table = words::table_of(scene, claim, write);
    let deletes = write.does(Action::Delete);
    let outcome = match deletes {
        true => format!("the row is deleted, whatever {column} has become"),
        false if own.is_none() && !dependency::sets(write, column) => {
            format!("the row is written, whatever {column} has become")
        }
        false => format!("what B wrote to {table}.{column} is lost"),
    };
    Interleaving { steps, outcome }
}

/// Another statement puts the row there between the read and the write, which writes over it.
fn with_another_row(
    scene: &Scene<'_, '_>,
    claim: &Claim,
    other: &Counterpart,
    read: &Event,
    write: &Event,
) -> Interleaving {
    let best = super::best_check(scene, claim, write);
    let seen = best.and_then(|(check, _)| seen(check)).unwrap_or_else(|| "none".to_owned());
    let mut steps = vec![step(Who::A, words::statement(read), &seen, read.span, Role::Read)];
    if let Some((_, cond)) = best {
        steps.push(step(Who::A, condition(scene, cond), "goes on", cond.span, Role::Check));
    }
    let (text, place) = (other.writer.text.to_string(), other.writer.place);
    steps.push(step(Who::B, text, "there is one", place, Role::Write));
    steps.push(step(Who::A, words::statement(write), "all the same", write.span, Role::Write));
    let table = words::table_of(scene, claim, write);
    Interleaving { steps, outcome: format!("what B put into {table} is written over") }
}

/// A row is added that belongs to one which is deleted since it had none.
fn with_child(claim: &Claim, added: Added, read: &Event, write: &Event) -> Interleaving {
    let of =
        |access: &Access| access.statement.accesses.get(claim.sequence.read_access).map(|own| own.table.name.clone());
    let child = read.access().and_then(of).unwrap_or_default();
    let steps = vec![
        step(Who::A, words::statement(read), "none", read.span, Role::Read),
        step(Who::B, format!("INSERT INTO {child}"), "there is one", None, Role::Write),
        step(Who::A, words::statement(write), "all the same", write.span, Role::Write),
    ];
    let outcome = match added {
        Added::Deleted => format!("what B put into {child} is deleted"),
        Added::Left => format!("what B put into {child} belongs to nothing"),
    };
    Interleaving { steps, outcome }
}

/// A condition on one line.
fn condition(scene: &Scene<'_, '_>, cond: &Cond) -> String {
    let text = scene.ev.text_of(cond.span).split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(SHOWN).collect()
}

fn alone(scene: &Scene<'_, '_>, claim: &Claim, write: &Event, table: &str) -> Interleaving {
    let text = match write.access() {
        Some(_) => words::statement(write),
        None => scene.ev.text_of(write.span).split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let role = if claim.rule == table_lock::ID { Role::Lock } else { Role::Write };
    let state = |who| match (claim.rule, who) {
        (table_lock::ID, Who::B) => Some("waits, whatever row it wants".to_owned()),
        (racy_statement::ID, _) => Some("its sub-query reads the old rows".to_owned()),
        (unchecked_outcome::ID, Who::B) => Some("changes no row".to_owned()),
        _ => None,
    };
    let steps = [Who::A, Who::B]
        .into_iter()
        .map(|who| StoryStep { who, text: text.clone(), state: state(who), span: Some(write.span), role })
        .collect();
    Interleaving { steps, outcome: outcome(scene, claim, write, table) }
}

/// What is seen of a read where the program goes on without it.
fn missed(scene: &Scene<'_, '_>, check: &Check, cond: &Cond) -> Option<String> {
    let LooksAt::Column(column) = &check.looks_at else { return None };
    let column = words::named(column)?;
    Some(match scene.ev.terms.get(cond.term) {
        Term::Exists(_) => format!("{column} is not set"),
        _ => format!("no {column} that can be used"),
    })
}

/// What is seen of a read: that of which the condition is shown.
fn seen(shown: &Check) -> Option<String> {
    match &shown.looks_at {
        LooksAt::Column(column) => words::named(column).map(|column| format!("{column} is still fine")),
        LooksAt::Aggregate => Some("the number is still fine".to_owned()),
        LooksAt::Existence | LooksAt::Row => None,
    }
}

fn outcome(scene: &Scene<'_, '_>, claim: &Claim, write: &Event, table: &str) -> String {
    let action = write.target().map(|target| target.action);
    match (claim.rule, action) {
        (table_lock::ID, _) => format!("everybody who writes {table} waits for everybody else"),
        (double_fire::ID, _) => "it happened twice".to_owned(),
        (racy_statement::ID, _) if claim.note == Some(racy_statement::RECOUNTED) => {
            "the older number is written last, and stays".to_owned()
        }
        (lost_update::ID, Some(Action::Insert)) if words::is_numbered(claim, write) => {
            "both rows have the same number".to_owned()
        }
        (lost_update::ID, _) => "the second write is based on the old value, and the first one is lost".to_owned(),
        (unchecked_outcome::ID, _) => "both report success, one of them changed nothing".to_owned(),
        (_, Some(Action::Insert)) if claim.tried.contains(&WhyNot::ConflictOverwrites) => {
            "the second one writes over what the first one put there".to_owned()
        }
        (stale_guard::ID, Some(Action::Insert)) => "both went on, each as if it were alone".to_owned(),
        (_, Some(Action::Insert)) if meant::beside(scene, &claim.sequence).is_some() => {
            format!("{table} holds two rows where one was meant")
        }
        (_, Some(Action::Delete)) => "both had the row".to_owned(),
        _ => "both went on, each as if it were alone".to_owned(),
    }
}
