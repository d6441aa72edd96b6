//! Types as written to [`Type`]: names resolved, aliases expanded, generics and `Self` replaced.

use std::cell::Cell;

use rustc_hash::FxHashMap;

use super::generics::Env;
use super::program::{Def, Fields, FnId, Program, TraitId, TypeId};
use super::scopes::ScopeId;
use super::types::{Bound, TraitRef, Type};
use crate::lower::tree::{Field, Name, Segment, Ty, TyPath, TypeKind};

/// How deep types may stand inside of types, aliases and associated types included.
const DEPTH: u32 = 48;
/// How many types one conversion may make.
const STEPS: u32 = 4_000;
/// Types of libraries, sea-orm's, that only are called as if they were a `Result`.
const NO_RESULTS: [&str; 2] = ["InsertResult", "TryInsertResult"];
/// Bounds that tell nothing about methods.
const MARKERS: [&str; 7] = ["Send", "Sync", "Sized", "Unpin", "Copy", "UnwindSafe", "RefUnwindSafe"];

impl Program {
    /// The type that is written as `ty` in `from`, inside of the function `owner` where that is known: its generic
    /// parameters become their bounds, `Self` becomes the type of the impl or trait.
    pub fn ty(&self, from: ScopeId, owner: Option<FnId>, ty: &Ty) -> Type {
        let Some(owner) = owner else { return self.convert(&Env::bare(from), ty) };
        let env = self.env_of(owner);
        if env.scope == from {
            return self.convert(&env, ty);
        }
        self.convert(&Env { scope: from, ..(*env).clone() }, ty)
    }

    /// The type of `Self` in a method: that of the impl; in a trait's own methods the trait. None in free functions.
    pub fn self_type(&self, id: FnId) -> Option<Type> {
        match self.impl_of(id) {
            Some(block) => Some(self.impls.list[block.0 as usize].self_ty.clone()),
            None => self.trait_of(id).map(|of| self.trait_type(of)),
        }
    }

    /// The types of a function's parameters, without `self`.
    pub fn params(&self, id: FnId) -> Vec<Type> {
        let env = self.env_of(id);
        self.function(id).params.iter().map(|param| self.convert(&env, &param.ty)).collect()
    }

    /// The type that a function is written to return: of an async function the output, not the future. `self_ty` is
    /// what the method is called on, `args` the values of the function's own generic parameters; both may be unknown.
    pub fn returns(&self, id: FnId, self_ty: Option<&Type>, args: &[Type]) -> Type {
        let function = self.function(id);
        if self_ty.is_none() && args.is_empty() {
            return self.convert(&self.env_of(id), &function.ret);
        }
        self.convert(&self.call_env(id, self_ty, args), &function.ret)
    }

    /// The fields of a struct as declared, generic parameters as their bounds; none for enums and aliases.
    pub fn fields(&self, id: TypeId) -> Fields {
        let known = &self.fields[id.0 as usize];
        if let Some(fields) = known.get() {
            return fields.clone();
        }
        let fields: Fields = match &self.type_def(id).kind {
            TypeKind::Struct(fields) => self.typed_fields(id, &[], fields).into(),
            TypeKind::Enum(_) | TypeKind::Alias(_) => [].into(),
        };
        known.get_or_init(|| fields).clone()
    }

    /// How many fields a struct has; none for enums and aliases.
    pub fn field_count(&self, id: TypeId) -> usize {
        if let TypeKind::Struct(fields) = &self.type_def(id).kind { fields.len() } else { 0 }
    }

    /// The fields of an enum's variant as declared; none when it has no such variant.
    pub fn variant_fields(&self, id: TypeId, variant: &str) -> Vec<(Name, Type)> {
        self.variant_fields_of(&Type::Def(id, [].into()), variant)
    }

    /// The fields of a variant of an enum whose arguments are known.
    pub fn variant_fields_of(&self, ty: &Type, variant: &str) -> Vec<(Name, Type)> {
        let Type::Def(id, args) = ty else { return Vec::new() };
        let TypeKind::Enum(variants) = &self.type_def(*id).kind else { return Vec::new() };
        let Some(variant) = variants.iter().find(|known| known.name == variant) else { return Vec::new() };
        self.typed_fields(*id, args, &variant.fields)
    }

    /// What a path in an expression or pattern may name: like [`Program::resolve`], and `Self::name`, `T::name`,
    /// `<T as Trait>::name` and `Type::<A>::name` as well.
    pub fn path(&self, from: ScopeId, owner: Option<FnId>, path: &TyPath) -> Vec<Def> {
        let Some((last, outer)) = path.segments.split_last() else { return Vec::new() };
        if let Some(base) = &path.qself {
            let base = self.ty(from, owner, base);
            let names: Vec<Name> = outer.iter().map(|segment| segment.name.clone()).collect();
            let of = self.resolve(from, &names).into_iter().find_map(|def| match def {
                Def::Trait(id) => Some(id),
                _ => None,
            });
            return match of {
                Some(of) => self.trait_method_for(of, &base, &last.name).into_iter().map(Def::Fn).collect(),
                None => self.associated(&base, &last.name),
            };
        }
        let first = outer.first().unwrap_or(last);
        let bound = first.name == "Self" || owner.is_some_and(|id| self.env_of(id).generics.contains_key(&first.name));
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        let found = if bound { Vec::new() } else { self.resolve(from, &names) };
        let settled = !found.iter().all(|def| matches!(def, Def::External(_)));
        let turbofish = outer.last().is_some_and(|segment| !segment.args.is_empty());
        if settled && !turbofish {
            return found;
        }
        if outer.is_empty() {
            let ty = if bound { self.ty(from, owner, &Ty::Path(path.clone())) } else { Type::Unknown };
            return match ty {
                Type::Def(id, _) => vec![Def::Type(id)],
                _ => found,
            };
        }
        let base = Ty::Path(TyPath { qself: None, segments: outer.to_vec() });
        let associated = self.associated(&self.ty(from, owner, &base), &last.name);
        if associated.is_empty() { found } else { associated }
    }

    pub(super) fn convert(&self, env: &Env, ty: &Ty) -> Type {
        Converter { program: self, steps: &Cell::new(0) }.ty(env, ty, 0)
    }

    pub(super) fn convert_bounds(&self, env: &Env, bounds: &[Ty]) -> Type {
        Converter { program: self, steps: &Cell::new(0) }.bounds(env, bounds, 0)
    }

    /// A trait by its path, as an impl names it.
    pub(super) fn trait_ref(&self, from: ScopeId, of: &Ty) -> Option<TraitRef> {
        let Ty::Path(path) = of else { return None };
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        let found = self.resolve(from, &names);
        let local = found.iter().find_map(|def| match def {
            Def::Trait(id) => Some(TraitRef::Local(*id)),
            _ => None,
        });
        local
            .or_else(|| {
                found.into_iter().find_map(|def| match def {
                    Def::External(path) => Some(TraitRef::External(path.into())),
                    _ => None,
                })
            })
            .or_else(|| (names.len() == 1).then(|| TraitRef::External(names.into())))
    }

    pub(super) fn trait_type(&self, of: TraitId) -> Type {
        Type::Trait([Bound { of: TraitRef::Local(of), args: [].into(), bindings: [].into() }].into())
    }

    pub(super) fn typed_fields(&self, id: TypeId, args: &[Type], fields: &[Field]) -> Vec<(Name, Type)> {
        let env = self.type_env(id, args);
        fields.iter().map(|field| (field.name.clone(), self.convert(&env, &field.ty))).collect()
    }

    pub(super) fn type_env(&self, id: TypeId, args: &[Type]) -> Env {
        let def = self.type_def(id);
        let mut env = Env::bare(self.type_scope(id));
        let known: FxHashMap<Name, Type> =
            def.generics.iter().zip(args).map(|(generic, ty)| (generic.name.clone(), ty.clone())).collect();
        env.declare(self, def.generics.iter(), &known);
        if self.alias(id).is_none() {
            env.self_ty = Some(Type::Def(id, args.into()));
        }
        env
    }

    /// `T::name`, by the impls for the type that have an associated type of this name.
    pub(super) fn associated_type(&self, base: &Type, of: Option<&Name>, name: &str) -> Option<Type> {
        Converter { program: self, steps: &Cell::new(0) }.associated_type(base, of, name, 0)
    }
}

/// Whether a bound of this name says how something is called.
pub(super) fn is_fn_trait(name: &str) -> bool {
    matches!(name, "Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce")
}

struct Converter<'a> {
    program: &'a Program,
    steps: &'a Cell<u32>,
}

impl Converter<'_> {
    fn ty(&self, env: &Env, ty: &Ty, depth: u32) -> Type {
        if depth > DEPTH || self.steps.get() >= STEPS {
            return Type::Unknown;
        }
        self.steps.set(self.steps.get() + 1);
        let all = |types: &[Ty]| types.iter().map(|ty| self.ty(env, ty, depth + 1)).collect::<Vec<_>>();
        match ty {
            Ty::Path(path) => self.path(env, path, depth),
            Ty::Ref(inner) => self.ty(env, inner, depth + 1),
            Ty::Tuple(types) if types.is_empty() => Type::Unit,
            Ty::Tuple(types) => Type::Tuple(all(types).into()),
            Ty::Slice(inner) => Type::Slice(self.ty(env, inner, depth + 1).into()),
            Ty::Impl(bounds) | Ty::Dyn(bounds) => self.bounds(env, bounds, depth),
            Ty::Fn(params, ret) => Type::Fn(all(params).into(), self.ty(env, ret, depth + 1).into()),
            Ty::Never => Type::Never,
            Ty::Infer | Ty::Other => Type::Unknown,
        }
    }

    fn path(&self, env: &Env, path: &TyPath, depth: u32) -> Type {
        let Some((last, outer)) = path.segments.split_last() else { return Type::Unknown };
        if let Some(base) = &path.qself {
            let base = self.ty(env, base, depth + 1);
            return self.projection(env, &base, outer.last().map(|segment| &segment.name), &last.name, depth);
        }
        let first = outer.first().unwrap_or(last);
        let known = match first.name.as_str() {
            "Self" => env.self_ty.as_ref(),
            _ => env.generics.get(&first.name),
        };
        if let Some(known) = known {
            return match path.segments.as_slice() {
                [_] => known.clone(),
                [_, name] => self.projection(env, known, None, &name.name, depth),
                _ => Type::Unknown,
            };
        }
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        let found = self.program.resolve(env.scope, &names);
        if let Some(id) = found.iter().find_map(|def| match def {
            Def::Type(id) | Def::Variant(id, _) => Some(*id),
            _ => None,
        }) {
            return self.def(env, id, &last.args, depth);
        }
        for def in found {
            match def {
                Def::Trait(_) => return self.bounds(env, &[Ty::Path(path.clone())], depth),
                Def::External(path) => return self.external(env, path, &last.args, depth),
                _ => {}
            }
        }
        if outer.is_empty() {
            return self.external(env, names, &last.args, depth);
        }
        let base = self.ty(env, &Ty::Path(TyPath { qself: None, segments: outer.to_vec() }), depth + 1);
        self.projection(env, &base, None, &last.name, depth)
    }

    fn external(&self, env: &Env, mut path: Vec<Name>, args: &[Ty], depth: u32) -> Type {
        // `QueryResult<Post>`: libraries call a `Result` with their own error so.
        if let ([_], Some(last)) = (args, path.last_mut())
            && last.ends_with("Result")
            && !NO_RESULTS.contains(&last.as_str())
        {
            *last = Name::new("Result");
        }
        Type::External(path.into(), args.iter().map(|arg| self.ty(env, arg, depth + 1)).collect())
    }

    fn def(&self, env: &Env, id: TypeId, args: &[Ty], depth: u32) -> Type {
        let args: Vec<Type> = args.iter().map(|arg| self.ty(env, arg, depth + 1)).collect();
        let Some(written) = self.program.alias(id) else { return Type::Def(id, args.into()) };
        let inner = Env { self_ty: None, ..self.program.type_env(id, &args) };
        self.ty(&inner, written, depth + 1).bounded()
    }

    fn bounds(&self, env: &Env, bounds: &[Ty], depth: u32) -> Type {
        let mut known = Vec::new();
        for bound in bounds {
            let Ty::Path(path) = bound else {
                match self.ty(env, bound, depth + 1) {
                    called @ Type::Fn(..) => return called,
                    _ => continue,
                }
            };
            let Some(segment) = path.segments.last() else { continue };
            if is_fn_trait(&segment.name) {
                return self.called(env, segment, depth);
            }
            let marker = MARKERS.contains(&segment.name.as_str());
            let Some(of) = self.program.trait_ref(env.scope, bound) else { continue };
            if marker && matches!(of, TraitRef::External(_)) {
                continue;
            }
            let args = segment.args.iter().map(|arg| self.ty(env, arg, depth + 1)).collect();
            let bindings = segment.bindings.iter();
            let bindings = bindings.map(|(name, ty)| (name.clone(), self.ty(env, ty, depth + 1))).collect();
            known.push(Bound { of, args, bindings });
        }
        Type::Trait(known.into())
    }

    fn called(&self, env: &Env, segment: &Segment, depth: u32) -> Type {
        let params = match segment.args.as_slice() {
            [Ty::Tuple(params)] => params,
            params => params,
        };
        let output = segment.bindings.iter().find(|(name, _)| name == "Output");
        let output = output.map_or(Type::Unit, |(_, ty)| self.ty(env, ty, depth + 1));
        Type::Fn(params.iter().map(|param| self.ty(env, param, depth + 1)).collect(), output.into())
    }

    /// `T::Name` inside of an impl or function.
    fn projection(&self, env: &Env, base: &Type, of: Option<&Name>, name: &Name, depth: u32) -> Type {
        if let Some(block) = env.block.filter(|_| env.self_ty.as_ref() == Some(base)) {
            let types = &self.program.impl_def(block).types;
            if let Some((_, ty)) = types.iter().find(|(known, _)| known == name) {
                return self.ty(env, ty, depth + 1);
            }
        }
        self.associated_type(base, of, name, depth).unwrap_or_default()
    }

    fn associated_type(&self, base: &Type, of: Option<&Name>, name: &str, depth: u32) -> Option<Type> {
        if depth > DEPTH || self.steps.get() >= STEPS {
            return None;
        }
        self.steps.set(self.steps.get() + 1);
        if let Type::Trait(bounds) = base {
            let bound = bounds.iter().find_map(|bound| bound.binding(name).cloned());
            return bound.or_else(|| self.declared_type(bounds, name, depth));
        }
        let program = self.program;
        program.impls_for(base).find_map(|block| {
            let written = program.impl_def(block);
            let (_, ty) = written.types.iter().find(|(known, _)| known == name)?;
            let wanted = of.is_none_or(|of| written.of_trait.as_ref().and_then(super::program::self_name) == Some(of));
            if !wanted || !program.impl_fits(block, base) {
                return None;
            }
            let inner = program.block_env(block, &program.impl_generics(block, base));
            Some(self.ty(&inner, ty, depth + 1))
        })
    }

    /// What a trait says of its associated type, for a type of which no more than the trait is known; where it names
    /// traits of the workspace, whose methods are known.
    fn declared_type(&self, bounds: &[Bound], name: &str, depth: u32) -> Option<Type> {
        let program = self.program;
        let local = bounds.iter().filter_map(|bound| match bound.of {
            TraitRef::Local(of) => Some(of),
            TraitRef::External(_) => None,
        });
        local.flat_map(|of| program.supertraits(of)).find_map(|of| {
            let (_, bounds) = program.trait_def(of).types.iter().find(|(known, _)| known == name)?;
            let env = Env { self_ty: Some(program.trait_type(of)), ..Env::bare(program.trait_scope(of)) };
            let said = self.bounds(&env, bounds, depth + 1).bounded();
            let Type::Trait(known) = &said else { return None };
            known.iter().any(|bound| matches!(bound.of, TraitRef::Local(_))).then_some(said)
        })
    }
}
