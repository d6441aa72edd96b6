//! Methods that run a closure on what a value holds: `map`, `and_then`, `filter`, `any`.

use crate::event::CondKind;
use crate::flow::absent::Absent;
use crate::flow::term::{Term, TermId};
use crate::flow::value::{Shape, Value, Wrap};
use crate::flow::{Evaluator, Exit, branch};
use crate::link::Type;
use crate::span::Range;

impl Evaluator<'_> {
    /// What a method of an option, a result or a list gives that is handed a closure.
    pub(super) fn combinator(&mut self, recv: &Value, name: &str, args: &[Value], at: Range) -> Option<Value> {
        let closure = args.iter().rev().find(|arg| matches!(arg.shape, Shape::Closure(_) | Shape::Function(_)))?;
        let mut tested = recv.clone();
        tested.term = self.terms.exists(recv.term);
        let collection = matches!(recv.ty.external_name(), Some("Vec" | "Iter" | "IntoIter" | "HashMap" | "BTreeMap"));
        let kind = if collection { CondKind::Each } else { CondKind::Presence };
        let cond = self.condition(&tested, kind, at);
        let depth = self.frame.deps.len();
        self.frame.deps.extend(cond.map(|cond| (cond, Exit::Loop)));
        let on_error = matches!(name, "or_else" | "unwrap_or_else" | "ok_or_else" | "map_err" | "with_context");
        let element = if on_error { self.computed_from("error", recv) } else { self.element(recv) };
        let element = if on_error || !element.ty.is_unknown() {
            element
        } else {
            Value { ty: self.program.peel(&recv.ty), ..element }
        };
        let handed = match name {
            "fold" | "try_fold" => vec![args.first().cloned().unwrap_or_else(|| self.fresh()), element],
            _ => vec![element],
        };
        let repeated = usize::from(name.contains("for_each"));
        self.frame.repeated += repeated;
        self.frame.spread += 1;
        let result = if self.is_step_of_route(name, closure, recv, at) {
            self.in_handler(at, |ev| ev.call_value(closure, handed, at))
        } else {
            self.call_value(closure, handed, at)
        };
        self.frame.spread -= 1;
        self.frame.repeated -= repeated;
        self.frame.deps.truncate(depth);
        let conds: Vec<_> = cond.into_iter().collect();
        Some(match name {
            "filter" | "find" | "take_while" | "skip_while" | "retain" | "try_filter" | "partition" => {
                // What is left depends on what the closure said.
                let deciding = self.condition(&result, CondKind::Test, at);
                let mut value = recv.clone();
                value.absent = Absent::Unknown;
                if collection && name == "filter" && self.is_in_column(recv.term) {
                    value.term = self.terms.computed(name, vec![recv.term, result.term]);
                }
                let guards: Vec<_> = value.guards.iter().copied().chain(deciding).collect();
                value.guards = branch::union(&guards, &result.guards);
                value
            }
            "ok_or_else" | "map_err" | "with_context" | "inspect" | "sort_by_key" | "max_by_key" | "min_by_key" => {
                recv.clone()
            }
            "unwrap_or_else" | "or_else" => {
                let merged = self.merge(&[recv, &result], &conds);
                match (&recv.shape, &result.shape) {
                    (Shape::Record(_), Shape::Record(_)) => merged,
                    _ => Value { shape: recv.shape.clone(), ..merged },
                }
            }
            "is_some_and" | "is_ok_and" | "is_none_or" | "any" | "all" | "position" => {
                let term = self.terms.computed("any", vec![tested.term, result.term]);
                let mut value = Value::new(term, Type::Unknown);
                value.guards = branch::union(&recv.guards, &result.guards);
                value
            }
            "map_or" | "map_or_else" => {
                let other = args.first().cloned().unwrap_or_else(|| self.fresh());
                let other = if matches!(other.shape, Shape::Closure(_)) && args.len() > 1 {
                    self.call_value(&other, Vec::new(), at)
                } else {
                    other
                };
                self.merge(&[&result, &other], &conds)
            }
            "map" if recv.wrap == Wrap::Answer => {
                // Of a result: what it holds is made of what was there, and it is an error when that was one.
                let guards = branch::union(&result.guards, &recv.guards);
                Value { guards, wrap: recv.wrap, refused: recv.refused.clone(), ..result }
            }
            // A list is turned into another, of as many.
            "map" if kind == CondKind::Each => Value { guards: branch::union(&result.guards, &recv.guards), ..result },
            _ => {
                let mut value = result;
                if name == "map" {
                    value.absent = self.absent(recv);
                }
                value.guards = branch::union(&value.guards, &recv.guards);
                // A part of what an option holds is there when that was, and says so itself.
                let option = recv.wrap == Wrap::Bare && recv.ty.external_name() == Some("Option");
                if !(name == "map" && option && self.is_part_of(value.term, recv.term)) {
                    value.guards = branch::union(&value.guards, &conds);
                }
                value
            }
        })
    }

    /// Whether a value is another one, or a field of it.
    fn is_part_of(&self, mut value: TermId, whole: TermId) -> bool {
        while value != whole
            && let Term::Field(of, _) = self.terms.get(value)
        {
            value = *of;
        }
        value == whole
    }
}
