//! What stands for the generic parameters of a function or impl: their bounds, or what a call tells.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::convert::is_fn_trait;
use super::program::{FnId, ImplId, Program, TraitId, self_name};
use super::scopes::ScopeId;
use super::types::{TraitRef, Type};
use crate::lower::tree::{Generic, Name, Ty};

/// How often bounds are converted again, so that a bound that mentions another parameter knows that one's bounds.
const ROUNDS: usize = 3;
/// How deep a written type is compared with a known one.
const DEPTH: u32 = 16;

/// What names mean inside a signature.
#[derive(Clone, Debug)]
pub(super) struct Env {
    pub scope: ScopeId,
    pub self_ty: Option<Type>,
    pub block: Option<ImplId>,
    pub generics: FxHashMap<Name, Type>,
}

impl Env {
    pub fn bare(scope: ScopeId) -> Self {
        Self { scope, self_ty: None, block: None, generics: FxHashMap::default() }
    }

    /// Gives each declared parameter what is known of it, and its bounds otherwise.
    pub fn declare<'a>(
        &mut self,
        program: &Program,
        declared: impl Iterator<Item = &'a Generic> + Clone,
        known: &FxHashMap<Name, Type>,
    ) {
        for generic in declared.clone() {
            let ty = known.get(&generic.name).cloned().unwrap_or_else(|| Type::Trait([].into()));
            self.generics.insert(generic.name.clone(), ty.bounded());
        }
        let open: Vec<&Generic> =
            declared.filter(|generic| !known.contains_key(&generic.name) && !generic.bounds.is_empty()).collect();
        let rounds = if open.is_empty() { 0 } else { ROUNDS };
        for _ in 0..rounds {
            let values: Vec<Type> =
                open.iter().map(|generic| program.convert_bounds(self, &generic.bounds).bounded()).collect();
            self.generics.extend(open.iter().map(|generic| generic.name.clone()).zip(values));
        }
    }
}

impl Program {
    /// The values of a function's own generic parameters, in the order in which they are declared, as far as the
    /// arguments of a call tell. `arguments` are those without `self`; [`Type::Unknown`] where nothing is known.
    pub fn infer(&self, id: FnId, self_ty: Option<&Type>, arguments: &[Type]) -> Vec<Type> {
        let function = self.function(id);
        if function.generics.is_empty() {
            return Vec::new();
        }
        let mut unifier = Unifier::new(self, function.generics.iter());
        if let (Some(block), Some(self_ty)) = (self.impl_of(id), self_ty) {
            unifier.known = self.impl_generics(block, self_ty);
        }
        for (param, argument) in function.params.iter().zip(arguments) {
            unifier.unify(&param.ty, argument, 0);
        }
        let values = function.generics.iter().map(|generic| unifier.known.get(&generic.name).cloned());
        values.map(Option::unwrap_or_default).collect()
    }

    /// The type parameters of a function that have a trait of the workspace, with their bounds: its own, those of the impl
    /// that it stands in, and `Self` in a trait's own methods.
    pub fn type_bounds(&self, id: FnId) -> Vec<(Name, Type)> {
        let (function, block, of) = (self.function(id), self.impl_of(id), self.trait_of(id));
        let outer = block.map_or(&[][..], |block| &self.impl_def(block).generics);
        if function.generics.is_empty() && outer.is_empty() && of.is_none() {
            return Vec::new();
        }
        let env = self.env_of(id);
        let local = |ty: &&Type| {
            let Type::Trait(bounds) = ty else { return false };
            bounds.iter().any(|bound| matches!(bound.of, TraitRef::Local(_)))
        };
        let declared = function.generics.iter().chain(outer);
        let bounded = declared
            .filter_map(|generic| Some((generic.name.clone(), env.generics.get(&generic.name).filter(local)?.clone())));
        let this = of.filter(|_| block.is_none()).map(|of| (Name::new("Self"), self.trait_type(of)));
        bounded.chain(this).collect()
    }

    /// Their names.
    pub fn type_parameters(&self, id: FnId) -> Vec<Name> {
        self.type_bounds(id).into_iter().map(|(name, _)| name).collect()
    }

    /// What the type that a function belongs to and the types of its arguments, without `self`, tell of its type
    /// parameters.
    pub fn type_values(&self, id: FnId, self_ty: Option<&Type>, arguments: &[Type]) -> Vec<(Name, Type)> {
        let own = self.function(id).generics.iter().map(|generic| generic.name.clone());
        let mut values: Vec<(Name, Type)> = own.zip(self.infer(id, self_ty, arguments)).collect();
        let Some(self_ty) = self_ty else { return values };
        match self.impl_of(id) {
            Some(block) => values.extend(self.impl_generics(block, self_ty)),
            None => values.push((Name::new("Self"), self_ty.clone())),
        }
        values
    }

    /// The names inside a function as its declaration tells.
    pub(super) fn env_of(&self, id: FnId) -> Arc<Env> {
        self.envs[id.0 as usize].get_or_init(|| Arc::new(self.call_env(id, None, &[]))).clone()
    }

    /// The names inside a function at one call.
    pub(super) fn call_env(&self, id: FnId, self_ty: Option<&Type>, args: &[Type]) -> Env {
        let function = self.function(id);
        let mut known: FxHashMap<Name, Type> = FxHashMap::default();
        let mut env = Env::bare(self.scope_of(id));
        if let Some(block) = self.impl_of(id) {
            let outer = match self_ty {
                Some(self_ty) => self.block_env(block, &self.impl_generics(block, self_ty)),
                None => self.impl_env(block),
            };
            env = Env { scope: env.scope, ..outer };
        } else if let Some(of) = self.trait_of(id) {
            env.self_ty = Some(self_ty.cloned().unwrap_or_else(|| self.trait_type(of)));
            let of_trait = self_ty.map(|self_ty| self.trait_generics(of, self_ty)).unwrap_or_default();
            env.declare(self, self.trait_def(of).generics.iter(), &of_trait);
        }
        let named = function.generics.iter().zip(args).filter(|(_, ty)| !ty.is_unknown());
        known.extend(named.map(|(generic, ty)| (generic.name.clone(), ty.clone())));
        env.declare(self, function.generics.iter(), &known);
        env
    }

    /// What a type's impl of a trait gives the parameters of that trait, where it has one: `T` of `impl<T> Context<T> for
    /// Result<T, Error>`.
    fn trait_generics(&self, of: TraitId, self_ty: &Type) -> FxHashMap<Name, Type> {
        let declared = &self.trait_def(of).generics;
        if declared.is_empty() || matches!(self_ty, Type::Unknown | Type::Trait(_)) {
            return FxHashMap::default();
        }
        let mut fitting = self.impls_of_for(of, self_ty).filter(|block| self.impl_fits(*block, self_ty));
        let Some(block) = fitting.next().filter(|_| fitting.next().is_none()) else { return FxHashMap::default() };
        let Some(Ty::Path(written)) = &self.impl_def(block).of_trait else { return FxHashMap::default() };
        let env = self.block_env(block, &self.impl_generics(block, self_ty));
        let args = written.segments.last().map_or(&[][..], |segment| &segment.args);
        let given = declared.iter().zip(args).map(|(generic, arg)| (generic.name.clone(), self.convert(&env, arg)));
        given.filter(|(_, ty)| !ty.is_unknown()).collect()
    }

    /// The names inside an impl block.
    pub(super) fn impl_env(&self, block: ImplId) -> Env {
        let mut env = Env::bare(self.impls.list[block.0 as usize].declared.scope);
        env.block = Some(block);
        env.declare(self, self.impl_def(block).generics.iter(), &FxHashMap::default());
        env.self_ty = Some(self.impls.list[block.0 as usize].self_ty.clone());
        env
    }

    /// The names inside an impl block whose parameters are known in part.
    pub(super) fn block_env(&self, block: ImplId, known: &FxHashMap<Name, Type>) -> Env {
        if known.is_empty() {
            return self.impl_env(block);
        }
        let mut env = Env::bare(self.impls.list[block.0 as usize].declared.scope);
        env.block = Some(block);
        env.declare(self, self.impl_def(block).generics.iter(), known);
        env.self_ty = Some(self.convert(&env, &self.impl_def(block).self_ty));
        env
    }

    /// What a type tells about the parameters of an impl block for it.
    pub(super) fn impl_generics(&self, block: ImplId, self_ty: &Type) -> FxHashMap<Name, Type> {
        let written = self.impl_def(block);
        if written.generics.is_empty() {
            return FxHashMap::default();
        }
        let mut unifier = Unifier::new(self, written.generics.iter());
        unifier.unify(&written.self_ty, self_ty, 0);
        unifier.known
    }
}

/// Compares types as written with types as known, and keeps what that tells about parameters.
struct Unifier<'a> {
    program: &'a Program,
    declared: FxHashMap<&'a Name, &'a [Ty]>,
    known: FxHashMap<Name, Type>,
}

impl<'a> Unifier<'a> {
    fn new(program: &'a Program, generics: impl Iterator<Item = &'a Generic>) -> Self {
        let declared = generics.map(|generic| (&generic.name, generic.bounds.as_slice())).collect();
        Self { program, declared, known: FxHashMap::default() }
    }

    fn unify(&mut self, written: &'a Ty, actual: &Type, depth: u32) {
        if depth > DEPTH || actual.is_unknown() {
            return;
        }
        match (written, actual) {
            (Ty::Ref(inner), _) => self.unify(inner, actual, depth + 1),
            (Ty::Tuple(written), Type::Tuple(actual)) => self.unify_all(written, actual, depth),
            (Ty::Slice(inner), Type::Slice(element)) => self.unify(inner, element, depth + 1),
            (Ty::Slice(inner), Type::External(..)) => {
                let element = self.program.element(actual);
                self.unify(inner, &element, depth + 1);
            }
            (Ty::Fn(params, ret), Type::Fn(actual, result)) => {
                self.unify_all(params, actual, depth);
                self.unify(ret, result, depth + 1);
            }
            (Ty::Impl(bounds) | Ty::Dyn(bounds), _) => {
                for bound in bounds {
                    self.unify_bound(bound, actual, depth + 1);
                }
            }
            (Ty::Path(path), _) => {
                let [segment] = path.segments.as_slice() else {
                    return self.unify_args(written, actual, depth);
                };
                match self.declared.get(&segment.name) {
                    Some(bounds) if path.qself.is_none() => self.bind(&segment.name, bounds, actual, depth),
                    _ => self.unify_args(written, actual, depth),
                }
            }
            _ => {}
        }
    }

    fn unify_all(&mut self, written: &'a [Ty], actual: &[Type], depth: u32) {
        for (written, actual) in written.iter().zip(actual) {
            self.unify(written, actual, depth + 1);
        }
    }

    fn unify_args(&mut self, written: &'a Ty, actual: &Type, depth: u32) {
        let Ty::Path(path) = written else { return };
        let Some(segment) = path.segments.last() else { return };
        let same = match actual {
            Type::Def(id, _) => self_name(written) == Some(&self.program.type_def(*id).name),
            Type::External(path, _) => path.last() == Some(&segment.name),
            _ => false,
        };
        if same {
            self.unify_all(&segment.args, actual.args(), depth);
        }
    }

    fn bind(&mut self, name: &Name, bounds: &'a [Ty], actual: &Type, depth: u32) {
        if self.known.contains_key(name) {
            return;
        }
        self.known.insert(name.clone(), actual.clone().bounded());
        for bound in bounds {
            self.unify_bound(bound, actual, depth + 1);
        }
    }

    /// What a type tells about the parameters in one of its bounds, such as `R` in `FnOnce(&mut C) -> R`.
    fn unify_bound(&mut self, bound: &'a Ty, actual: &Type, depth: u32) {
        let Ty::Path(path) = bound else { return self.unify(bound, actual, depth) };
        let Some(segment) = path.segments.last() else { return };
        let binding = |name: &str| segment.bindings.iter().find(|(bound, _)| bound == name).map(|(_, ty)| ty);
        if is_fn_trait(&segment.name) {
            let Type::Fn(params, result) = actual else { return };
            match segment.args.as_slice() {
                [Ty::Tuple(written)] => self.unify_all(written, params, depth),
                written => self.unify_all(written, params, depth),
            }
            if let Some(output) = binding("Output") {
                self.unify(output, result, depth + 1);
            }
            return;
        }
        if let Some(output) = binding("Output") {
            let inside = self.program.future_output(actual).unwrap_or_else(|| actual.clone());
            self.unify(output, &inside, depth + 1);
        }
        if let Some(item) = binding("Item") {
            let element = self.program.element(actual);
            self.unify(item, &element, depth + 1);
        }
    }
}
