//! Enums on their way to a column: a match that has a text or a number for each variant says no more than the variant.

use std::sync::Arc;

use crate::event::Access;
use crate::flow::Evaluator;
use crate::flow::switch::names;
use crate::flow::term::{ENCODED, Term, TermId};
use crate::flow::value::Value;
use crate::lower::tree::{Arm, ExprKind, Lit, Name};
use crate::sql::statement::Operand;

/// What stands for which variants; none for all that are left.
pub(super) type Encoding = Arc<[(Option<Vec<Name>>, Name)]>;

impl<'p> Evaluator<'p> {
    /// The value of a match on an argument whose arms are variants on one side and literals on the other: the argument, in
    /// another form. Any other value as it is.
    pub(super) fn encoded(&mut self, scrutinee: &Value, arms: &[Arm], value: Value) -> Value {
        if !self.depends_on_argument(scrutinee.term) || arms.len() < 2 {
            return value;
        }
        let pair = |arm: &Arm| {
            let code = match &*arm.body.kind {
                ExprKind::Lit(Lit::Str(text) | Lit::Int(text)) => Name::new(text),
                _ => return None,
            };
            let names = names(&arm.pat).filter(|_| arm.guard.is_none())?;
            let variants = names.iter().flatten().all(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
            variants.then_some((names, code))
        };
        let Some(pairs) = arms.iter().map(pair).collect::<Option<Encoding>>() else { return value };
        let known = self.encodings.iter().position(|known| *known == pairs);
        let place = known.unwrap_or_else(|| {
            self.encodings.push(pairs);
            self.encodings.len() - 1
        });
        let term = self.terms.computed(&format!("{ENCODED}{place}"), vec![scrutinee.term]);
        Value { term, guards: scrutinee.guards.clone(), ..value }
    }

    /// Whether a value is the same in each request, as a literal in the text is: also where it is bound, a variant's code
    /// among others.
    pub fn is_fixed(&self, access: &Access, operand: &Operand) -> bool {
        matches!(operand, Operand::Literal(_) | Operand::Null)
            || access.bound(operand).is_some_and(
                |term| matches!(self.terms.get(decoded(&self.terms, term)), Term::Literal(text) if text != "none"),
            )
    }

    /// The names of a value that is the same in each request: of a variant its own, and what stands for it in a column.
    pub fn constants(&self, access: &Access, operand: &Operand) -> Option<Vec<Name>> {
        if let Some(constant) = access.constant(&self.terms, operand) {
            return Some(vec![constant]);
        }
        let Term::Computed(by, parts) = self.terms.get(access.bound(operand)?) else { return None };
        let encoding = self.encodings.get(by.strip_prefix(ENCODED)?.parse::<usize>().ok()?)?;
        let Term::Literal(variant) = self.terms.get(parts[0]) else { return None };
        let own = variant.rsplit("::").next().unwrap_or(variant);
        let takes =
            |names: &Option<Vec<Name>>| names.as_ref().is_none_or(|names| names.iter().any(|name| *name == own));
        let (_, code) = encoding.iter().find(|(names, _)| takes(names))?;
        Some(vec![variant.clone(), code.clone()])
    }
}

/// A value before it was encoded.
pub fn decoded(terms: &crate::flow::term::Terms, term: TermId) -> TermId {
    match terms.get(term) {
        Term::Computed(by, parts) if by.starts_with(ENCODED) => parts[0],
        _ => term,
    }
}
