//! Whether a check refuses anybody: who finds the row as another request has left it, and goes on or is answered all the same,
//! loses nothing by coming second.

use crate::event::{CondId, CondKind};
use crate::flow::term::{Origin, Term, TermId, Terms};
use crate::protect::idempotent::acts_besides;
use crate::rules::claim::Facts;

/// Whether nobody is told by any check that he came too late: no arm beside the way to the write gives an error, all ways
/// give a result of the same kind, and nothing else is done on the strength of it. Where that is not known, somebody is.
pub fn is_nobody(facts: &Facts<'_, '_>) -> bool {
    let mut checks = facts.sequence.checks.iter().map(|check| check.cond);
    checks.all(|cond| cond.is_some_and(|cond| lets_on(facts, cond)))
        && !tells_apart(&facts.scene.ev.terms, facts.scene.flow.returns.term)
        && !tells_what_was_asked(facts)
        && !acts_besides(facts.scene, facts.sequence, true)
}

/// Whether a test only chooses between the way to the write and others that go on as well.
pub fn lets_on(facts: &Facts<'_, '_>, cond: CondId) -> bool {
    let cond = facts.scene.ev.cond(cond);
    let Some(decides) = cond.decides.filter(|_| cond.kind == CondKind::Test) else { return false };
    let along = facts.write.path.arms_of(decides.branch);
    along.is_some_and(|along| decides.refused & !along == 0)
}

/// Whether the result holds what the checks looked at, as it was read.
fn tells_what_was_asked(facts: &Facts<'_, '_>) -> bool {
    let (scene, Some(read)) = (facts.scene, facts.read.access()) else { return true };
    let told = |origin: &Origin| {
        let looked_at = scene.looks_at(&read.statement, &origin.part, origin.computed);
        origin.event == facts.read.id && facts.sequence.checks.iter().any(|check| check.looks_at == looked_at)
    };
    scene.origins(scene.flow.returns.term).iter().any(told)
}

/// Whether a result says by a word of its own how it went: `true`, `None`, a variant.
fn tells_apart(terms: &Terms, returned: TermId) -> bool {
    match terms.get(returned) {
        Term::Either(parts) => parts.iter().any(|part| match terms.get(*part) {
            Term::Literal(word) => !matches!(word.as_str(), "()" | "error"),
            _ => false,
        }),
        _ => false,
    }
}
