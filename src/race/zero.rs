//! Numbers of which all that is asked is whether there are any.

use crate::event::{CondId, EventId};
use crate::flow::term::{Term, TermId};
use crate::race::scene::Scene;
use crate::sql::statement::Compare;

/// Two values, and how they are compared.
type Compared = (TermId, Compare, TermId);

/// Whether a condition only asks whether a count is zero, be it in what a truth was made of that it tests: `is_admin == true`
/// where that is `count > 0`.
pub(super) fn compares_with_zero(scene: &Scene<'_, '_>, cond: CondId, read: EventId) -> bool {
    scene.known_zero((cond, read), || is_only_compared_with_zero(scene, cond, read))
}

fn is_only_compared_with_zero(scene: &Scene<'_, '_>, cond: CondId, read: EventId) -> bool {
    let cond = scene.ev.cond(cond);
    let about = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == read);
    let mut all = innermost(scene, cond.term, &about);
    if all.is_empty() {
        all.extend(cond.compares.iter().map(|compare| (compare.left, compare.op, compare.right)));
        all.retain(|(left, _, right)| about(*left) || about(*right));
    }
    !all.is_empty() && all.iter().all(|compared| is_with_zero(scene, *compared))
}

/// The comparisons of what was read in a test, but for those of what others of them gave.
fn innermost(scene: &Scene<'_, '_>, test: TermId, about: &dyn Fn(TermId) -> bool) -> Vec<Compared> {
    let terms = &scene.ev.terms;
    let compared = |term: TermId| {
        let Term::Computed(by, parts) = terms.get(term) else { return None };
        let [left, right] = **parts else { return None };
        Compare::of_operator(by).filter(|_| about(left) || about(right)).map(|op| (left, op, right))
    };
    let mut all = Vec::new();
    // What nothing of the read is in has no part that is about it.
    terms.any(test, about, |term| {
        all.extend(compared(term));
        false
    });
    let within = |side: TermId| terms.any(side, about, |part| compared(part).is_some());
    all.retain(|(left, _, right)| !within(*left) && !within(*right));
    all
}

fn is_with_zero(scene: &Scene<'_, '_>, (left, op, right): Compared) -> bool {
    let terms = &scene.ev.terms;
    // `held - wanted == 0` asks how many there are.
    let is_sum = |term: TermId| matches!(terms.get(term), Term::Computed(by, _) if matches!(by.as_str(), "+" | "-" | "*" | "/" | "%"));
    if is_sum(left) || is_sum(right) {
        return false;
    }
    match (terms.number(left), terms.number(right)) {
        (Some("0"), _) | (_, Some("0")) => true,
        (_, Some("1")) => matches!(op, Compare::Lt | Compare::Ge),
        (Some("1"), _) => matches!(op, Compare::Gt | Compare::Le),
        _ => false,
    }
}
