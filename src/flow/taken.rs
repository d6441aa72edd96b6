//! What is taken out of a list, a map or an option that stands in a column: what is left there is not what was read.

use crate::event::CondKind;
use crate::flow::Evaluator;
use crate::flow::known::is_mutator;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::link::Type;
use crate::lower::tree::MethodCall;
use crate::span::Range;

/// Whether a method of std takes something out of what it is called on, by its name.
pub(super) fn takes_away(name: &str) -> bool {
    matches!(
        name,
        "remove"
            | "swap_remove"
            | "shift_remove"
            | "remove_entry"
            | "retain"
            | "retain_mut"
            | "pop"
            | "pop_front"
            | "pop_back"
            | "pop_first"
            | "pop_last"
            | "truncate"
            | "drain"
            | "split_off"
    )
}

impl<'p> Evaluator<'p> {
    /// `rows.remove(0)`: the row at a place.
    pub(super) fn takes_one_of_a_list(&self, name: &str, args: &[Value]) -> bool {
        let [place] = args else { return false };
        let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        matches!(name, "remove" | "swap_remove")
            && matches!(self.terms.get(place.term), Term::Literal(text) if number(text))
    }

    /// A method that is none of the workspace's and none of a client's.
    pub(super) fn known_method(&mut self, recv: Value, call: &MethodCall, args: Vec<Value>, at: Range) -> Value {
        if !takes_away(&call.name) {
            return self.method_of_std(recv, call, args, at);
        }
        let (before, asked) = (recv.clone(), args.clone());
        let taken = self.method_of_std(recv, call, args, at);
        self.leave_rest(call, before, &taken, &asked, at);
        taken
    }

    /// Puts back into its place what a method left of a value. In: the call, the value before it, what the call gave, and what
    /// it was asked with.
    ///
    /// Of rows, and of anything that comes from no statement, it stays what it was: fewer of them, each as it is.
    pub(super) fn leave_rest(&mut self, call: &MethodCall, before: Value, taken: &Value, asked: &[Value], at: Range) {
        if self.is_in_column(before.term) {
            let parts = std::iter::once(before.term).chain(asked.iter().map(|arg| arg.term)).collect();
            let term = self.terms.computed(&call.name, parts);
            let left = Value { term, ..before }.guarded(&taken.guards);
            self.store(&call.recv, left);
        } else if call.name.starts_with("retain") && !taken.guards.is_empty() {
            self.store(&call.recv, before.guarded(&taken.guards));
        } else if let ("remove", [found]) = (call.name.as_str(), asked)
            && let Some(left) = self.without(&before, found, at)
        {
            self.store(&call.recv, left);
        }
    }

    /// A set without what was found in rows: of what it holds, whether it stands in a row decides what is left.
    ///
    /// In: the set, and the rows or one of them. Out: none where it is the set that comes from rows, or nothing does.
    pub(super) fn without(&mut self, set: &Value, found: &Value, at: Range) -> Option<Value> {
        if !is_keyed(set) || self.terms.origins(found.term).is_empty() || !self.terms.origins(set.term).is_empty() {
            return None;
        }
        let held = self.terms.computed("contains", vec![found.term, set.term]);
        let asked = Value::new(self.terms.computed("!", vec![held]), Type::Unknown).guarded(&found.guards);
        let cond = self.condition(&asked, CondKind::Test, at);
        Some(set.clone().guarded(cond.as_slice()))
    }

    /// Whether a value is a list, a map or a text that one column of a row holds, as it was or with something put into it or
    /// taken out.
    pub(super) fn is_in_column(&self, term: TermId) -> bool {
        let mut base = term;
        while let Term::Computed(by, parts) = self.terms.get(base)
            && (takes_away(by) || by == "put" || is_mutator(by))
            && let Some(first) = parts.first()
        {
            base = *first;
        }
        matches!(self.terms.get(base), Term::Field(..)) && self.is_document(base)
    }
}

/// Whether a value is a set or a map of std or of indexmap, by its type.
pub(super) fn is_keyed(value: &Value) -> bool {
    const TYPES: [&str; 6] = ["HashSet", "BTreeSet", "IndexSet", "HashMap", "BTreeMap", "IndexMap"];
    value.ty.external_name().is_some_and(|name| TYPES.contains(&name))
}
