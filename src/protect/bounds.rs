//! The side on which a CHECK bounds a column: `left >= 0` refuses to take too much, and lets any number more in.

use crate::dialect::Dialect;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{Sequence, dependency};
use crate::sql::parse::parse;
use crate::sql::schema::Check;
use crate::sql::statement::{Access as TableAccess, Compare, Operand};

/// The sides that a CHECK closes.
#[derive(Clone, Copy, Default)]
struct Sides {
    below: bool,
    above: bool,
}

/// Whether a CHECK refuses what a write computes of a column where it goes past what was checked. Where a side is not known
/// the CHECK is taken for the one that is meant.
pub(super) fn meets(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    (target, column): (&TableAccess, &Name),
    check: &Check,
) -> bool {
    let closed = closed(target, column, check);
    let mut written = dependency::written(target).filter(|set| set.column == *column);
    written.all(|set| match &set.value {
        Operand::Expr { text, parts } if text == "-" => parts.len() != 2 || closed.is_none_or(|closed| closed.below),
        Operand::Expr { text, parts } if text == "+" && parts.len() == 2 => {
            let counts = parts.iter().any(|part| matches!(part, Operand::Literal(number) if !number.starts_with('-')));
            closed.is_none_or(|closed| closed.above || !counts && !is_limited(scene, sequence))
        }
        // Whatever else is made of it, such as `coalesce(?, left)`, need be no step from what is there.
        Operand::Expr { .. } => false,
        _ => true,
    })
}

/// The sides of a column that a CHECK closes; none where it says something else of it.
fn closed(target: &TableAccess, column: &Name, check: &Check) -> Option<Sides> {
    let parsed = parse(&format!("SELECT 1 FROM {} WHERE {}", target.table.name, check.text), Dialect::Postgres);
    let held = parsed.statements.first()?.accesses.first()?;
    let mut sides = Sides::default();
    for predicate in held.filter.iter().filter(|predicate| predicate.columns.contains(column)) {
        match (predicate.columns.as_slice(), predicate.op) {
            ([_], Compare::Ge | Compare::Gt) => sides.below = true,
            ([_], Compare::Le | Compare::Lt) => sides.above = true,
            _ => return None,
        }
    }
    (sides.below || sides.above).then_some(sides)
}

/// Whether a condition compares what was read, as it is, with something else than nothing: a limit that it must not reach.
fn is_limited(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let terms = &scene.ev.terms;
    let as_read = |term: TermId| {
        let mut origins = scene.origins(term).to_vec().into_iter();
        !matches!(terms.get(term), Term::Computed(..)) && origins.any(|origin| origin.event == sequence.read)
    };
    let zero = |term: TermId| matches!(terms.get(term), Term::Literal(text) if text.trim_end_matches(|c: char| c.is_alphabetic() || c == '_').parse() == Ok(0.0));
    let mut compares =
        sequence.checks.iter().filter_map(|check| check.cond).flat_map(|cond| scene.ev.cond(cond).compares.iter());
    compares.any(|compare| {
        let ordered = matches!(compare.op, Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge);
        ordered && (as_read(compare.left) && !zero(compare.right) || as_read(compare.right) && !zero(compare.left))
    })
}
