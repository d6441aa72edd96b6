//! Which functions a method call or `Type::name` may reach.

use super::program::{Def, FnId, ImplId, Program, TraitId, TypeId};
use super::scopes::ScopeId;
use super::types::{TraitRef, Type};
use crate::lower::tree::{Name, TypeKind};

/// How many wrappers and `Deref` targets a method is looked for behind.
const LEVELS: usize = 16;

/// The functions a method call may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// In the order of the sources. Empty when the method is not one of the workspace; also when a trait declares it
    /// and nothing implements it.
    pub functions: Vec<FnId>,
    pub via: Via,
    /// The type that has the method, after wrappers and `Deref`.
    pub receiver: Type,
}

/// How a method was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Via {
    /// In an impl block of the type itself; several functions are twins behind `cfg` or impls for other arguments.
    #[default]
    Inherent,
    /// In an impl of a trait for the type, or in the trait as its default.
    TraitImpl,
    /// By a trait alone (`dyn`, `impl`, a bound): the functions are those of all its impls, and the default.
    Dynamic,
}

impl Program {
    /// The functions that `value.name()` may run in `from`, for a value of this type. Inherent methods come before
    /// those of traits, the type before what it wraps (Rust Reference, "Method-call expressions"); what a wrapper of
    /// another crate holds is looked at last, since not every step of the way to it is known.
    pub fn methods(&self, from: ScopeId, ty: &Type, name: &str) -> Candidates {
        let name = Name::new(name);
        let mut levels = vec![ty.clone()];
        for _ in 0..LEVELS {
            let Some(level) = levels.last() else { break };
            if let Some((functions, via)) = self.at_level(from, level, &name) {
                return Candidates { functions, via, receiver: level.clone() };
            }
            let Some(inside) = self.inside_for(level, &name) else { break };
            levels.push(inside);
        }
        if self.blanket_impls_with(&name).is_empty() {
            return Candidates::default();
        }
        let found = levels.iter().map(|level| self.blanket(from, level, &name));
        found.into_iter().find(|found| !found.functions.is_empty()).unwrap_or_default()
    }

    /// Whether every type with some trait may have a method of this name.
    pub fn is_blanket_method(&self, name: &str) -> bool {
        !self.blanket_impls_with(&Name::new(name)).is_empty()
    }

    /// What `Type::name` may be: a variant, an associated function or constant; for `Self` in a trait and for generic
    /// parameters, those of all impls.
    pub fn associated(&self, ty: &Type, name: &str) -> Vec<Def> {
        let name = Name::new(name);
        if let Type::Trait(bounds) = ty {
            let local = bounds.iter().filter_map(|bound| match bound.of {
                TraitRef::Local(of) => Some(of),
                TraitRef::External(_) => None,
            });
            let local: Vec<TraitId> = local.collect();
            let declaring = local.iter().filter_map(|of| self.declaring(*of, &name));
            let functions = distinct(declaring.flat_map(|of| self.trait_method(of, &name)).collect());
            let consts = local.iter().flat_map(|of| self.trait_consts(*of, &name));
            let declared: Vec<Def> = functions.into_iter().map(Def::Fn).chain(consts.map(Def::Const)).collect();
            return if declared.is_empty() { self.blanket_associated(ty, &name) } else { declared };
        }
        if let Type::Def(id, _) = ty
            && let Some(variant) = self.variant_of(*id, &name)
        {
            return vec![variant];
        }
        let fitting: Vec<ImplId> =
            self.impls_with(ty, &name).iter().copied().filter(|block| self.impl_fits(*block, ty)).collect();
        let is_inherent = |block: &&ImplId| self.impl_subject(**block).0.is_none();
        let inherent: Vec<Def> =
            fitting.iter().filter(is_inherent).flat_map(|block| self.declared_in(*block, &name)).collect();
        if !inherent.is_empty() {
            return inherent;
        }
        let of_traits = fitting.iter().filter(|block| !is_inherent(block));
        let found: Vec<Def> = of_traits.flat_map(|block| self.declared_in(*block, &name)).collect();
        if !found.is_empty() || ty.is_unknown() {
            return found;
        }
        self.blanket_associated(ty, &name)
    }

    /// What a type has of a name by `impl<T: Bound> Trait for T`.
    fn blanket_associated(&self, ty: &Type, name: &Name) -> Vec<Def> {
        let blanket = self.blanket_impls_with(name).iter().filter(|block| self.satisfies(**block, ty, 0));
        blanket.flat_map(|block| self.declared_in(*block, name)).collect()
    }

    /// `<Type as Trait>::name`: the impl's function or the default; all of them when the type does not tell.
    pub fn trait_method_for(&self, of: TraitId, ty: &Type, name: &str) -> Vec<FnId> {
        let named = Name::new(name);
        let blocks = self.impls_of_trait(of).iter();
        let fitting =
            blocks.filter(|block| !matches!(ty, Type::Unknown | Type::Trait(_)) && self.impl_fits(**block, ty));
        let found: Vec<FnId> = fitting.flat_map(|block| self.functions_in(*block, &named)).collect();
        if found.is_empty() { self.trait_method(of, name) } else { distinct(found) }
    }

    /// The methods that a type has by itself, without what it wraps.
    fn at_level(&self, from: ScopeId, ty: &Type, name: &Name) -> Option<(Vec<FnId>, Via)> {
        let mut inherent = Vec::new();
        let mut of_traits = Vec::new();
        for block in self.impls_with(ty, name) {
            let functions = self.functions_in(*block, name);
            if functions.is_empty() || !self.impl_fits(*block, ty) {
                continue;
            }
            match self.impl_subject(*block).0 {
                None => inherent.extend(functions),
                Some(of) => of_traits.push((of.clone(), functions)),
            }
        }
        if !inherent.is_empty() {
            return Some((distinct(inherent), Via::Inherent));
        }
        if let Type::Trait(bounds) = ty {
            let declaring = bounds.iter().filter_map(|bound| match bound.of {
                TraitRef::Local(of) => self.declaring(of, name),
                TraitRef::External(_) => None,
            });
            let declaring: Vec<TraitId> = declaring.collect();
            if !declaring.is_empty() {
                let functions = declaring.iter().flat_map(|of| self.trait_method(*of, name)).collect();
                return Some((distinct(functions), Via::Dynamic));
            }
        }
        // A method of the type's own crate may have the same name; so may another trait's.
        let several = of_traits.iter().any(|(of, _)| *of != of_traits[0].0);
        if several || !matches!(ty, Type::Def(..)) {
            let in_scope: Vec<bool> = of_traits.iter().map(|(of, _)| self.trait_in_scope(from, of)).collect();
            if !matches!(ty, Type::Def(..)) || in_scope.contains(&true) {
                let mut in_scope = in_scope.into_iter();
                of_traits.retain(|_| in_scope.next().unwrap_or_default());
            }
        }
        let functions: Vec<FnId> = of_traits.into_iter().flat_map(|(_, functions)| functions).collect();
        (!functions.is_empty()).then(|| (distinct(functions), Via::TraitImpl))
    }

    /// `impl<T: Bound> Trait for T`: only where the trait is in scope and the type has the bounds.
    fn blanket(&self, from: ScopeId, ty: &Type, name: &Name) -> Candidates {
        let blocks = self.blanket_impls_with(name);
        let receiver = self.peel(ty);
        let mut functions = Vec::new();
        for block in blocks {
            let found = self.functions_in(*block, name);
            if found.is_empty() || !self.satisfies(*block, &receiver, 0) {
                continue;
            }
            if self.impl_subject(*block).0.is_some_and(|of| self.trait_in_scope(from, of)) {
                functions.extend(found);
            }
        }
        if functions.is_empty() {
            return Candidates::default();
        }
        Candidates { functions: distinct(functions), via: Via::TraitImpl, receiver }
    }

    fn trait_in_scope(&self, from: ScopeId, of: &TraitRef) -> bool {
        match of {
            TraitRef::Local(of) => self.in_scope(from, &Def::Trait(*of), &self.trait_def(*of).name),
            TraitRef::External(_) => true,
        }
    }

    /// An impl's functions of a name; the trait's default where the impl has none.
    fn functions_in(&self, block: ImplId, name: &Name) -> Vec<FnId> {
        let own = self.impl_methods(block, name);
        match self.impl_subject(block).0 {
            Some(TraitRef::Local(of)) if own.is_empty() => self.default_method(*of, name),
            _ => own.to_vec(),
        }
    }

    fn declared_in(&self, block: ImplId, name: &Name) -> Vec<Def> {
        let functions = self.functions_in(block, name).into_iter().map(Def::Fn);
        let own = self.impl_consts(block, name);
        let consts = match self.impl_subject(block).0 {
            Some(TraitRef::Local(of)) if own.is_empty() => self.default_const(*of, name),
            _ => own.to_vec(),
        };
        functions.chain(consts.into_iter().map(Def::Const)).collect()
    }

    fn variant_of(&self, id: TypeId, name: &Name) -> Option<Def> {
        let TypeKind::Enum(variants) = &self.type_def(id).kind else { return None };
        variants.iter().any(|variant| variant.name == *name).then(|| Def::Variant(id, name.clone()))
    }
}

fn distinct(mut functions: Vec<FnId>) -> Vec<FnId> {
    functions.sort_unstable();
    functions.dedup();
    functions
}
