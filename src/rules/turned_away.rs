//! Whether a check refuses anybody: who finds the row as another request has left it, and goes on or is answered all the same,
//! loses nothing by coming second.

use crate::event::{Answer, CondId, CondKind};
use crate::flow::term::{Origin, Term, TermId, is_record};
use crate::lower::tree::Name;
use crate::protect::idempotent::acts_more_than;
use crate::race::{LooksAt, dependency, side};
use crate::rules::claim::Facts;
use crate::sql::statement::Assignment;

/// Whether nobody is told by any check that he came too late: no arm beside the way to the write gives an error, all ways
/// give a result of the same kind, and nothing else is done on the strength of it. Where that is not known, somebody is. That
/// there is a row whose content is asked for decides nothing.
pub fn is_nobody(facts: &Facts<'_, '_>) -> bool {
    let content = facts.sequence.checks_content();
    let mut checks = facts.sequence.checks.iter().filter(|check| !content || check.looks_at != LooksAt::Existence);
    checks.all(|check| check.cond.is_some_and(|cond| lets_on(facts, cond)))
        && !tells_apart(facts)
        && !acts_more_than(facts.scene, facts.sequence, true, |event| facts.is_put_once(event))
}

/// Whether a test only chooses between the way to the write and others that go on as well, or a value that is tested then.
pub fn lets_on(facts: &Facts<'_, '_>, cond: CondId) -> bool {
    let cond = facts.scene.ev.cond(cond);
    let Some(decides) = cond.decides.filter(|_| cond.kind == CondKind::Test) else { return false };
    match facts.write.path.arms_of(decides.branch) {
        Some(along) => decides.refused & !along == 0,
        None => (decides.left | decides.refused) == 0,
    }
}

/// Whether a result says how it went: it holds what the checks looked at, as it was read, or a word of its own, such as `true`,
/// `None`, a variant. Where the ways are known on which it is given, who is turned aside by a check must be given what the
/// others are, or what the row holds by then.
fn tells_apart(facts: &Facts<'_, '_>) -> bool {
    let flow = facts.scene.flow;
    let given = |turned_aside: bool| -> Vec<TermId> {
        let says = |term: &TermId| word(facts, *term).is_none_or(|word| !says_nothing(facts, word));
        let of_side = flow.answers.iter().filter(|answer| is_turned_aside(facts, answer) == Some(turned_aside));
        of_side.map(|answer| answer.term).filter(says).collect()
    };
    let (aside, along) = (given(true), given(false));
    if aside.is_empty() {
        return is_told_apart(facts, flow.returns.term) || tells_what_was_asked(facts, flow.returns.term);
    }
    let differs = |aside: &TermId| along.iter().any(|along| !says_the_same(facts, *aside, *along));
    aside.iter().chain(&along).any(|term| is_told_apart(facts, *term))
        || along.iter().any(|term| tells_what_was_asked(facts, *term))
        || aside.iter().any(differs)
}

/// Whether a way out is one that a check chooses instead of the way to the write; none for one that leaves before.
fn is_turned_aside(facts: &Facts<'_, '_>, answer: &Answer) -> Option<bool> {
    let asked = facts.sequence.checks.iter().filter_map(|check| facts.scene.ev.cond(check.cond?).decides);
    let mut passed = asked.filter_map(|decides| {
        Some(answer.way.arms_of(decides.branch)? & facts.write.path.arms_of(decides.branch)? == 0)
    });
    passed.next().map(|first| first || passed.any(|aside| aside))
}

/// Whether a result holds what the checks looked at, as it was read.
fn tells_what_was_asked(facts: &Facts<'_, '_>, returned: TermId) -> bool {
    let (scene, Some(read)) = (facts.scene, facts.read.access()) else { return true };
    let told = |origin: &Origin| {
        let looked_at = scene.looks_at(&read.statement, &origin.part, origin.computed);
        origin.event == facts.read.id && facts.sequence.checks.iter().any(|check| check.looks_at == looked_at)
    };
    scene.origins(returned).iter().any(told)
}

/// Whether one of several values that are given on one way is a word.
fn is_told_apart(facts: &Facts<'_, '_>, returned: TermId) -> bool {
    match facts.scene.ev.terms.get(returned) {
        Term::Either(parts) => {
            parts.iter().any(|part| word(facts, *part).is_some_and(|word| !says_nothing(facts, word)))
        }
        _ => false,
    }
}

/// Whether who is turned aside is told what who writes is told, or what the row holds once that is written.
fn says_the_same(facts: &Facts<'_, '_>, aside: TermId, along: TermId) -> bool {
    let terms = &facts.scene.ev.terms;
    if let (Term::Computed(one, aside), Term::Computed(other, along)) = (terms.get(aside), terms.get(along))
        && one == other
        && is_record(one)
        && aside.len() == along.len()
    {
        return aside.iter().zip(along).all(|(aside, along)| says_the_same(facts, *aside, *along));
    }
    match (word(facts, aside), word(facts, along)) {
        (None, None) => true,
        (Some(one), Some(other)) => one == other,
        (Some(_), None) => false,
        (None, Some(word)) => is_held_by_then(facts, aside, word),
    }
}

/// Whether a value is a column as it was read, to which the write gives this constant.
fn is_held_by_then(facts: &Facts<'_, '_>, value: TermId, constant: &Name) -> bool {
    let (scene, Some(read), Some(write)) = (facts.scene, facts.read.access(), facts.write.access()) else {
        return false;
    };
    let origins = scene.origins(value);
    let [origin] = &*origins else { return false };
    let LooksAt::Column(column) = scene.looks_at(&read.statement, &origin.part, origin.computed) else { return false };
    let is_it = |set: &Assignment| {
        scene.ev.constants(write, &set.value).is_some_and(|given| given.iter().any(|name| side::same(name, constant)))
    };
    let mut given = dependency::written(facts.target).filter(|set| set.column == column).peekable();
    facts.is_read(origin.event) && !origin.computed && given.peek().is_some() && given.all(is_it)
}

/// The word that is given, where it is nothing else.
fn word<'a>(facts: &Facts<'a, '_>, term: TermId) -> Option<&'a Name> {
    match facts.scene.ev.terms.get(term) {
        Term::Literal(word) => Some(word),
        _ => None,
    }
}

/// Whether a word says nothing of how it went. Where there is none because there was no row, that is what was so before.
fn says_nothing(facts: &Facts<'_, '_>, word: &Name) -> bool {
    match word.as_str() {
        "()" | "error" => true,
        "none" => facts.scene.flow.returns.absent.reads().contains(&facts.read.id),
        _ => false,
    }
}
