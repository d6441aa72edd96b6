//! Functions whose name is a value: kept by the program, which calls them itself, or given to somebody else.

use crate::flow::Evaluator;
use crate::flow::graph::Pointed;
use crate::flow::value::{Shape, Value};
use crate::link::Type;
use crate::lower::tree::MethodCall;
use crate::span::Range;

/// How deep in what is handed over a function is looked for.
const DEPTH: usize = 3;

impl<'p> Evaluator<'p> {
    /// What is handed to another crate may be called by anybody: a router's handlers.
    pub(super) fn given_away(&mut self, values: &[Value]) {
        for value in values {
            self.give_away(value, DEPTH);
        }
    }

    fn give_away(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match &value.shape {
            Shape::Function(functions) => self.calls.given_away.extend(functions.iter().copied()),
            Shape::Record(parts) => parts.iter().for_each(|(_, part)| self.give_away(part, depth)),
            Shape::OneOf(values) => values.iter().for_each(|value| self.give_away(value, depth)),
            _ => {}
        }
    }

    /// What a function of the program takes as a function it calls itself, or keeps where it is called from; who takes
    /// anything else takes it for others.
    pub(super) fn handed_to(&mut self, params: &[Type], args: &[Value]) {
        let apart = args.len().saturating_sub(params.len());
        for (param, arg) in params.iter().zip(&args[apart..]) {
            if !matches!(param, Type::Fn(..)) {
                self.give_away(arg, DEPTH);
            }
        }
    }

    /// A call of a function that a place of the program holds.
    pub(super) fn called_by_pointer(&mut self, args: &[Value], at: Range) {
        let site = self.site(at, true);
        let args = args.iter().map(|arg| arg.ty.clone()).collect();
        self.calls.pointed(Pointed { args, site });
    }
}

/// Whether a method puts what it is handed into a collection.
pub(super) fn keeps(recv: &Value, call: &MethodCall) -> bool {
    let collection = matches!(recv.ty.external_name(), Some("HashMap" | "BTreeMap" | "Vec" | "VecDeque" | "FxHashMap"));
    collection && matches!(call.name.as_str(), "insert" | "push" | "push_back" | "push_front")
}

/// Whether a call only wraps what it is handed.
pub(super) fn wraps(names: &[crate::lower::tree::Name]) -> bool {
    match names {
        [.., owner, new] => matches!(owner.as_str(), "Box" | "Arc" | "Rc") && *new == "new",
        _ => false,
    }
}
