//! Functions whose calls only the types of their arguments tell: `model.delete(db)` where `M: ModelTrait`. Where such a
//! function is called with a type that is known, its body is evaluated for that type.
//!
//! The implementors of a trait of the program are put in place as branches, of which a caller keeps its own
//! ([`switch`](super::switch)). Of a library's trait that derive macros implement, nothing is put in place, so that there would
//! be nothing to keep.

use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::Value;
use crate::link::{FnId, TraitRef, Type};

impl Evaluator<'_> {
    /// Notes that the function that is evaluated calls what only the type tells of something that it was handed, of which no
    /// more is known than a trait of this name, which is a library's.
    pub(crate) fn waits_for_type_with(&mut self, value: &Value, traits: &[&str]) {
        let Type::Trait(bounds) = self.program.peel(&value.ty) else { return };
        let known = bounds.iter().any(|bound| match &bound.of {
            TraitRef::External(path) => path.last().is_some_and(|last| traits.contains(&last.as_str())),
            TraitRef::Local(_) => false,
        });
        if known && self.depends_on_argument(value.term) {
            self.by_type.insert(self.frame.function);
        }
    }

    /// Whether a function waits for the types of its arguments, and is told one here. One that hands on what it was handed
    /// itself waits as well.
    ///
    /// In: its arguments, and behind them its type arguments.
    pub(super) fn is_told_types(&mut self, id: FnId, args: &[Value]) -> bool {
        if !self.by_type.contains(&id) {
            return false;
        }
        let program = self.program;
        let function = program.function(id);
        let own = usize::from(function.receiver.is_some());
        let (values, types) = args.split_at(args.len().min(own + function.params.len()));
        let open = |ty: &Type| matches!(program.peel(ty), Type::Trait(_));
        let declared = program.params(id);
        let of_trait = declared.iter().zip(values.iter().skip(own)).filter(|(ty, _)| open(ty)).map(|(_, arg)| arg);
        let receiver = values.iter().take(own).filter(|_| program.self_type(id).is_none_or(|ty| open(&ty)));
        let waiting: Vec<&Value> = receiver.chain(of_trait).collect();
        let told =
            |arg: &Value| matches!(program.peel(&arg.ty), Type::Def(..)) && !self.terms.is_one_of_several(arg.term);
        let named = |ty: &Value| matches!(self.terms.get(ty.term), Term::Literal(_));
        if types.iter().any(named) || waiting.iter().any(|arg| told(arg)) {
            return true;
        }
        if types.iter().chain(waiting).any(|arg| self.depends_on_argument(arg.term)) {
            self.by_type.insert(self.frame.function);
        }
        false
    }
}
