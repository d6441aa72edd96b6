//! Parameters that a web framework makes from the request: they were read where their type's extractor reads them.
//!
//! Only the framework extracts. A function that the program itself calls is handed the value, and one that takes a
//! reference is called by nobody else.

use rustc_hash::FxHashSet;

use crate::event::Conds;
use crate::flow::Evaluator;
use crate::flow::generic::Named;
use crate::flow::value::Value;
use crate::link::{Def, FnId, Program, Type};
use crate::lower::tree::{ExprKind, Name, Param, Ty};
use crate::lower::visit::each_expr;

const EXTRACTORS: [&str; 2] = ["from_request_parts", "from_request"];

impl Evaluator<'_> {
    /// What a parameter's extractor gives; none where the parameter is handed over by a caller.
    pub(super) fn extracted(&mut self, ty: &Type, param: &Param) -> Option<Value> {
        if matches!(param.ty, Ty::Ref(_)) {
            return None;
        }
        let id = extractor(self.program, ty)?;
        if id == self.frame.function || self.called_by_name.contains(&self.frame.function) {
            return None;
        }
        let args: Vec<Value> = self.program.params(id).into_iter().map(|ty| self.fresh().typed(ty)).collect();
        let value = self.call_one(id, args, param.at, false, &Named::default(), &[]);
        Some(Value { guards: Conds::default(), ..self.unwrapped(value) }.typed(ty.clone()))
    }
}

/// The function that makes a value of a type from a request.
fn extractor(program: &Program, ty: &Type) -> Option<FnId> {
    let Type::Def(..) = ty else { return None };
    let functions = EXTRACTORS.iter().flat_map(|name| program.associated(ty, name));
    let id = functions.filter_map(|def| def.function()).next()?;
    program.function(id).body.is_some().then_some(id)
}

/// The functions that take what an extractor makes and that production code calls by name.
///
/// In: the functions that run in production. Methods count as called by every call of their name with as many arguments.
pub(super) fn called_by_name(program: &Program, production: &[FnId]) -> FxHashSet<FnId> {
    let takes = |id: &FnId| {
        let function = program.function(*id);
        let types = program.params(*id).into_iter();
        function
            .params
            .iter()
            .zip(types)
            .any(|(param, ty)| !matches!(param.ty, Ty::Ref(_)) && extractor(program, &ty).is_some())
    };
    if !program.functions().any(|id| EXTRACTORS.contains(&program.function(id).name.as_str())) {
        return FxHashSet::default();
    }
    let taking: FxHashSet<FnId> = production.iter().copied().filter(takes).collect();
    if taking.is_empty() {
        return taking;
    }
    let names: FxHashSet<&Name> = taking.iter().map(|id| &program.function(*id).name).collect();
    let mut called = FxHashSet::default();
    let mut methods: FxHashSet<(Name, usize)> = FxHashSet::default();
    for caller in production {
        let Some(body) = &program.function(*caller).body else { continue };
        each_expr(body, &mut |expr| match &*expr.kind {
            ExprKind::Call(callee, _) => {
                let ExprKind::Path(path) = &*callee.kind else { return };
                if path.qself.is_none() && path.segments.last().is_some_and(|last| names.contains(&last.name)) {
                    let found = program.path(program.scope_of(*caller), Some(*caller), path);
                    called.extend(found.iter().filter_map(Def::function));
                }
            }
            ExprKind::Method(call) if names.contains(&call.name) => {
                methods.insert((call.name.clone(), call.args.len()));
            }
            _ => {}
        });
    }
    let by_method = |id: &FnId| {
        let function = program.function(*id);
        function.receiver.is_some() && methods.contains(&(function.name.clone(), function.params.len()))
    };
    taking.into_iter().filter(|id| called.contains(id) || by_method(id)).collect()
}
