//! Between check and write something leaves the process: payment, mail, HTTP, message.

use crate::event::{CondKind, EffectKind, Event, EventId, EventKind};
use crate::finding::Confidence;
use crate::flow::effect::asks_by_name;
use crate::flow::random::is_drawn;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::protect::Protection;
use crate::race::index::Kind;
use crate::race::transaction;
use crate::race::{Check, LooksAt, common, dependency, side, twice};
use crate::rules::claim::Facts;
use crate::rules::one_time;
use crate::rules::stale_guard::NEAR;
use crate::span::Span;
use crate::sql::statement::{Action, Strength};

pub const ID: &str = "double-fire";

/// The effect between the check and the write that claims, when nothing keeps a second request from it.
pub fn effect(facts: &Facts<'_, '_>) -> Option<(EventId, Confidence)> {
    if facts.keeps_what_it_inserted() || !facts.same_row() && !facts.inserts() || facts.asks_by_chance() {
        return None;
    }
    if !claims_what_was_checked(facts) || facts.write.calls.len() > common(facts.read, facts.write) + 2 * NEAR {
        return None;
    }
    let scene = facts.scene;
    // A new row changes nothing of what stands in the one row that was asked for, only that there is none.
    let absence = facts.inserts() && facts.target.conflict.is_none() && facts.reads_by_key();
    let makes = facts.inserts() && !facts.saves_again();
    let uses_up = is_used_up(facts);
    // What the effect hangs on must be what the write makes untrue for the next request.
    let spoiled = |check: &Check| match &check.looks_at {
        // Who needs a row and puts it back leaves it to the next request.
        LooksAt::Existence if uses_up => true,
        LooksAt::Existence => {
            let needed = || check.cond.is_some_and(|cond| scene.ev.cond(cond).kind == CondKind::Presence);
            takes_up(facts) || makes && !needed()
        }
        LooksAt::Column(column) => {
            !absence && (is_made_another(facts, column) || stays_another(facts, column) && (makes || takes_up(facts)))
        }
        LooksAt::Row | LooksAt::Aggregate => !absence,
    };
    let checks: Vec<&Check> = facts.sequence.checks.iter().filter(|check| spoiled(check)).collect();
    let conds: Vec<_> = checks.iter().filter_map(|check| check.cond).collect();
    // A file is a part of the program's own state unless the row guards its name, and is not written over as the file is.
    let guards_a_file = facts.inserts()
        && !facts.target.writes_over()
        && checks.iter().any(|check| check.looks_at == LooksAt::Existence);
    let between = scene.between_of(Kind::Effect, facts.read.id, facts.write.id).find(|event| {
        let EventKind::Effect(effect) = &event.kind else { return false };
        let acts = match effect.kind {
            EffectKind::File => guards_a_file && is_named_by_row(facts, &effect.named),
            EffectKind::Http => !twice::is_harmless(scene, facts.read, facts.write, event),
            EffectKind::Message => effect.certain || is_near(facts, event) && !only_asks(facts, event),
            _ => true,
        };
        let acts = if uses_up { one_time::is_for_the_row(facts, event) } else { acts };
        acts && !held_meanwhile(facts, &checks, event)
            && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
            && !claimed_before(facts, event.id)
            && !only_notes_failure(facts, event)
    })?;
    let EventKind::Effect(effect) = &between.kind else { return None };
    let confidence = if effect.certain { facts.confidence() } else { Confidence::Medium.min(facts.confidence()) };
    Some((between.id, confidence))
}

/// Whether the write leaves something in a column that its check may turn away.
fn stays_another(facts: &Facts<'_, '_>, column: &Name) -> bool {
    !facts.keeps(column) && !facts.lets_through(column)
}

/// Whether the write itself puts it there. Of a value that is only known when it is there, a test that is not understood
/// may say what it said before.
fn is_made_another(facts: &Facts<'_, '_>, column: &Name) -> bool {
    dependency::sets(facts.write, column) && stays_another(facts, column) && !facts.may_pass_again(column)
}

/// Whether the write makes the check fail for the next request: it moves a checked column, inserts the row whose absence
/// was checked, deletes the row, or takes it out of what it was picked from.
fn claims_what_was_checked(facts: &Facts<'_, '_>) -> bool {
    let moved = || facts.sequence.checked_columns().into_iter().any(|column| is_made_another(facts, column));
    match facts.target.action {
        Action::Insert => {
            facts.sequence.relation == crate::race::rows::Relation::NewRowOfSet
                && !facts.sequence.checks_aggregate()
                && (!facts.saves_again() || moved())
        }
        Action::Delete => takes_up(facts) || is_used_up(facts),
        _ => moved() || facts.picks(),
    }
}

/// Whether the write takes the row out of those that are to be seen to: it is picked by its state, or it is one of all the
/// rows that there are and is deleted when it was seen to.
fn takes_up(facts: &Facts<'_, '_>) -> bool {
    let each = |check: &Check| check.cond.is_some_and(|cond| facts.scene.ev.cond(cond).kind == CondKind::Each);
    facts.picks()
        || facts.target.action == Action::Delete
            && facts.reads.filter.is_empty()
            && facts.reads.aggregate.is_none()
            && facts.sequence.key_from_row
            && facts.sequence.checks.iter().any(each)
}

/// Whether a row that was asked for is deleted when what it said was done.
fn is_used_up(facts: &Facts<'_, '_>) -> bool {
    facts.target.action == Action::Delete
        && facts.reads.aggregate.is_none()
        && !facts.sequence.key_from_row
        && !takes_up(facts)
}

/// Whether the effect hangs on what stands in a row that the read locked, and that is held until after the write: a row
/// that is there keeps its content from a second request, whatever new rows come beside it.
fn held_meanwhile(facts: &Facts<'_, '_>, checks: &[&Check], effect: &Event) -> bool {
    let locks = facts.reads.lock.as_ref().is_some_and(|lock| lock.strength > Strength::Share);
    let needed = facts.scene.conditions(&effect.deps);
    let of_content = checks.iter().any(|check| {
        matches!(check.looks_at, LooksAt::Column(_) | LooksAt::Row)
            && check.cond.is_some_and(|cond| needed.contains(&cond))
    });
    locks && of_content && transaction::is_one(facts.scene, facts.read, facts.write)
}

/// Whether the write happens only where something outside gave an error, or a function that calls it did: what was called
/// for is not done by then.
fn only_notes_failure(facts: &Facts<'_, '_>, effect: &Event) -> bool {
    let scene = facts.scene;
    let needed = scene.conditions(&effect.deps);
    let places = || effect.calls.iter().map(|call| call.span).chain([effect.span]);
    let called_in = |tested: Span| places().any(|at| at.file == tested.file && tested.at.contains(at.at));
    scene.conditions(&facts.write.deps).iter().filter(|cond| !needed.contains(cond)).any(|cond| {
        let cond = scene.ev.cond(*cond);
        let asked = match scene.ev.terms.get(cond.term) {
            Term::Exists(of) => *of,
            _ => cond.term,
        };
        (scene.ev.terms.is_answer(asked) || called_in(cond.span)) && side::lacks(cond, facts.write) == Some(true)
    })
}

/// Whether what the row is asked for by, or holds, names the file. What is drawn anew in each request names one of its own.
fn is_named_by_row(facts: &Facts<'_, '_>, named: &[TermId]) -> bool {
    let terms = &facts.scene.ev.terms;
    let bound = [facts.read, facts.write]
        .into_iter()
        .filter_map(Event::access)
        .flat_map(|access| access.binds.iter().copied().chain(access.named.iter().map(|(_, term)| *term)));
    let mut telling = bound.filter(|term| !matches!(terms.get(*term), Term::Literal(_)));
    let own = |name: &TermId| is_drawn(terms, *name);
    named.is_empty()
        || !named.iter().any(own) && telling.any(|term| named.iter().any(|name| terms.mentions(*name, term)))
}

/// Whether an effect that only its name tells stands where the sequence stands: far below it, a name says little.
fn is_near(facts: &Facts<'_, '_>, effect: &Event) -> bool {
    let depth = common(facts.read, facts.write).min(common(effect, facts.read)).min(common(effect, facts.write));
    effect.calls.len() <= depth + NEAR
}

/// Whether the request is sent below a function that only asks for something, by its name.
fn only_asks(facts: &Facts<'_, '_>, effect: &Event) -> bool {
    twice::senders(facts.scene, facts.read, facts.write, effect).any(asks_by_name)
}

/// Whether a guarded write before the effect already decided who goes on. A level decides only at the commit.
fn claimed_before(facts: &Facts<'_, '_>, effect: EventId) -> bool {
    facts.decided_before(effect, |_| true).any(|(_, protection)| !matches!(protection, Protection::Isolation(_)))
}
