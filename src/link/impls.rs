//! Impl blocks: which types they are for, and what they declare.

use rustc_hash::FxHashMap;

use super::generics::Env;
use super::program::{ConstId, Declared, FnId, ImplId, Program, TraitId, TypeId, self_name};
use super::types::{Bound, TraitRef, Type};
use crate::lower::tree::{Generic, Name, Ty};

/// How deep arguments of types are compared, and blanket impls lead from one to the next.
const DEPTH: u32 = 8;

#[derive(Debug)]
pub(super) struct Impl {
    pub declared: Declared,
    pub of_trait: Option<TraitRef>,
    pub self_ty: Type,
    pub functions: Vec<FnId>,
}

#[derive(Debug, Default)]
pub(super) struct Impls {
    pub list: Vec<Impl>,
    /// Impls by the kind of type they are for, in the order of the sources.
    by_head: FxHashMap<Head, Vec<ImplId>>,
    /// The same, of those that have a function or a constant of this name, be it the trait's default.
    by_name: FxHashMap<(Head, Name), Vec<ImplId>>,
    in_block: FxHashMap<(ImplId, Name), Vec<FnId>>,
    consts: FxHashMap<(ImplId, Name), Vec<ConstId>>,
    of_trait: FxHashMap<TraitId, Vec<ImplId>>,
    /// The same, by the kind of type they are for.
    of_trait_for: FxHashMap<(TraitId, Head), Vec<ImplId>>,
    declared: FxHashMap<(TraitId, Name), Vec<FnId>>,
    implemented: FxHashMap<(TraitId, Name), Vec<FnId>>,
    methods: FxHashMap<Name, Vec<FnId>>,
    trait_consts: FxHashMap<(TraitId, Name), Vec<ConstId>>,
    supertraits: Vec<Vec<TraitId>>,
}

/// The outermost part of a type, by which its impls are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Head {
    Type(TypeId),
    /// The last name of a type of another crate: the same type is reached by several paths.
    External(Name),
    /// `dyn Trait`.
    Object,
    /// `impl<T: Bound> Trait for T`.
    Blanket,
    Tuple,
    Slice,
    Fn,
    Unit,
    Unknown,
}

impl Impl {
    pub fn new(declared: Declared) -> Self {
        Self { declared, of_trait: None, self_ty: Type::Unknown, functions: Vec::new() }
    }
}

impl Impls {
    pub fn trait_const(&mut self, of: TraitId, name: &Name, id: ConstId) {
        self.trait_consts.entry((of, name.clone())).or_default().push(id);
    }
}

impl Program {
    /// The impl blocks of a type, inherent ones and those of traits, in the order of the sources.
    pub fn impls_of(&self, id: TypeId) -> &[ImplId] {
        self.with_head(&Head::Type(id))
    }

    /// The impl blocks of a trait.
    pub fn impls_of_trait(&self, id: TraitId) -> &[ImplId] {
        self.impls.of_trait.get(&id).map_or(&[], Vec::as_slice)
    }

    /// All methods and associated functions of a name that have a body, whatever they belong to.
    pub fn named_methods(&self, name: &str) -> &[FnId] {
        self.impls.methods.get(name).map_or(&[], Vec::as_slice)
    }

    /// The types, known by their bounds, that an impl for all of them gives a method or an associated function of a name.
    pub fn blanket_types(&self, name: &str) -> impl Iterator<Item = &Type> {
        let blocks = self.blanket_impls_with(&Name::new(name)).iter();
        blocks.map(|block| &self.impls.list[block.0 as usize].self_ty)
    }

    /// What a trait asks of a type that has it, traits of other crates only, nearest first.
    pub fn asked_of(&self, id: TraitId) -> Type {
        let mut asked = Vec::new();
        for of in self.supertraits(id) {
            let env = Env { self_ty: Some(self.trait_type(of)), ..Env::bare(self.trait_scope(of)) };
            if let Type::Trait(bounds) = self.convert_bounds(&env, &self.trait_def(of).bounds) {
                asked.extend(bounds.iter().filter(|bound| matches!(bound.of, TraitRef::External(_))).cloned());
            }
        }
        Type::Trait(asked.into())
    }

    /// The bodies that a call of a trait's method may run: those of all impls, and the default.
    pub fn trait_method(&self, id: TraitId, name: &str) -> Vec<FnId> {
        let name = Name::new(name);
        let mut found = self.default_method(id, &name);
        found.extend(self.impls.implemented.get(&(id, name)).into_iter().flatten());
        found.sort_unstable();
        found
    }

    pub(super) fn link_impls(&mut self) {
        for index in 0..self.impls.list.len() {
            let id = ImplId(index as u32);
            let scope = self.impls.list[index].declared.scope;
            let written = self.impl_def(id);
            let of_trait = written.of_trait.as_ref().and_then(|of| self.trait_ref(scope, of));
            let self_ty = self.convert(&self.impl_env(id), &written.self_ty);
            let local = if let Some(TraitRef::Local(of)) = of_trait { Some(of) } else { None };
            let block = &mut self.impls.list[index];
            block.of_trait = of_trait;
            block.self_ty = self_ty;
            let head = self.head_of(id);
            if let Some(of) = local {
                self.impls.of_trait.entry(of).or_default().push(id);
                self.impls.of_trait_for.entry((of, head.clone())).or_default().push(id);
            }
            self.impls.by_head.entry(head).or_default().push(id);
        }
        for id in self.functions() {
            self.link_function(id);
        }
        self.link_names();
        let supertraits = self.traits().map(|id| {
            let scope = self.traits[id.0 as usize].scope;
            let bounds = self.trait_def(id).bounds.iter();
            let local = |of| match of {
                TraitRef::Local(of) => Some(of),
                TraitRef::External(_) => None,
            };
            bounds.filter_map(|bound| self.trait_ref(scope, bound).and_then(local)).collect()
        });
        self.impls.supertraits = supertraits.collect();
        self.envs.iter_mut().for_each(|env| *env = std::sync::OnceLock::new());
    }

    fn link_names(&mut self) {
        let mut consts: FxHashMap<ImplId, Vec<Name>> = FxHashMap::default();
        for id in self.consts() {
            let name = self.const_def(id).name.clone();
            let Some(block) = self.impl_in(self.consts[id.0 as usize].tree, self.const_def(id).in_impl) else {
                continue;
            };
            self.impls.consts.entry((block, name.clone())).or_default().push(id);
            consts.entry(block).or_default().push(name);
        }
        let mut defaults: FxHashMap<TraitId, Vec<Name>> = FxHashMap::default();
        for (of, name) in self.impls.trait_consts.keys() {
            defaults.entry(*of).or_default().push(name.clone());
        }
        for id in self.functions() {
            if let Some(of) = self.trait_of(id).filter(|_| self.impl_of(id).is_none()) {
                defaults.entry(of).or_default().push(self.function(id).name.clone());
            }
        }
        for index in 0..self.impls.list.len() {
            let id = ImplId(index as u32);
            let block = &self.impls.list[index];
            let head = self.head_of(id);
            let own = block.functions.iter().map(|function| self.function(*function).name.clone());
            let inherited = match block.of_trait {
                Some(TraitRef::Local(of)) => defaults.get(&of).map_or(&[][..], Vec::as_slice),
                _ => &[],
            };
            let names: Vec<Name> =
                own.chain(consts.remove(&id).into_iter().flatten()).chain(inherited.iter().cloned()).collect();
            for name in names {
                let blocks = self.impls.by_name.entry((head.clone(), name)).or_default();
                if blocks.last() != Some(&id) {
                    blocks.push(id);
                }
            }
        }
    }

    fn head_of(&self, block: ImplId) -> Head {
        if self.is_blanket(block) { Head::Blanket } else { head(&self.impls.list[block.0 as usize].self_ty) }
    }

    fn link_function(&mut self, id: FnId) {
        let function = self.function(id);
        let name = function.name.clone();
        let has_body = function.body.is_some();
        if let Some(block) = self.impl_of(id) {
            let linked = &mut self.impls.list[block.0 as usize];
            linked.functions.push(id);
            if let Some(TraitRef::Local(of)) = linked.of_trait {
                self.impls.implemented.entry((of, name.clone())).or_default().push(id);
            }
            self.impls.in_block.entry((block, name.clone())).or_default().push(id);
        } else if let Some(of) = self.trait_of(id) {
            self.impls.declared.entry((of, name.clone())).or_default().push(id);
        } else {
            return;
        }
        if has_body {
            self.impls.methods.entry(name).or_default().push(id);
        }
    }

    /// The impls that may be for a type, by its outermost part only; blanket impls left out.
    pub(super) fn impls_for(&self, ty: &Type) -> impl Iterator<Item = ImplId> + '_ {
        self.with_head(&head(ty)).iter().copied()
    }

    /// The impls of a trait that may be for a type, by its outermost part only; blanket impls left out.
    pub(super) fn impls_of_for(&self, of: TraitId, ty: &Type) -> impl Iterator<Item = ImplId> + '_ {
        self.impls.of_trait_for.get(&(of, head(ty))).into_iter().flatten().copied()
    }

    /// The impls that may be for a type and have a function or a constant of this name; blanket impls left out.
    pub(super) fn impls_with(&self, ty: &Type, name: &Name) -> &[ImplId] {
        self.impls.by_name.get(&(head(ty), name.clone())).map_or(&[], Vec::as_slice)
    }

    /// The blanket impls that have a function or a constant of this name.
    pub(super) fn blanket_impls_with(&self, name: &Name) -> &[ImplId] {
        self.impls.by_name.get(&(Head::Blanket, name.clone())).map_or(&[], Vec::as_slice)
    }

    pub(super) fn impl_methods(&self, block: ImplId, name: &Name) -> &[FnId] {
        self.impls.in_block.get(&(block, name.clone())).map_or(&[], Vec::as_slice)
    }

    pub(super) fn impl_consts(&self, block: ImplId, name: &Name) -> &[ConstId] {
        self.impls.consts.get(&(block, name.clone())).map_or(&[], Vec::as_slice)
    }

    /// The values that a trait's constant may have: the default, and those of all impls.
    pub(super) fn trait_consts(&self, id: TraitId, name: &Name) -> Vec<ConstId> {
        let blocks = self.impls_of_trait(id).iter();
        let mut found: Vec<ConstId> = blocks.flat_map(|block| self.impl_consts(*block, name)).copied().collect();
        found.extend(self.default_const(id, name));
        found.sort_unstable();
        found
    }

    /// The value that a trait gives its constant.
    pub(super) fn default_const(&self, id: TraitId, name: &Name) -> Vec<ConstId> {
        self.impls.trait_consts.get(&(id, name.clone())).cloned().unwrap_or_default()
    }

    /// The default body of a trait's method.
    pub(super) fn default_method(&self, id: TraitId, name: &Name) -> Vec<FnId> {
        let declared = self.impls.declared.get(&(id, name.clone())).into_iter().flatten().copied();
        declared.filter(|declared| self.function(*declared).body.is_some()).collect()
    }

    /// The trait itself or the supertrait that declares a method.
    pub(super) fn declaring(&self, id: TraitId, name: &Name) -> Option<TraitId> {
        self.supertraits(id).into_iter().find(|of| self.impls.declared.contains_key(&(*of, name.clone())))
    }

    /// Whether an impl block can be for this very type.
    pub(super) fn impl_fits(&self, block: ImplId, ty: &Type) -> bool {
        self.compatible(&self.impls.list[block.0 as usize].self_ty, ty, 0)
    }

    /// Whether a type has a trait of the workspace, as far as impls tell.
    pub(super) fn implements(&self, ty: &Type, of: TraitId, depth: u32) -> bool {
        if let Type::Trait(bounds) = ty
            && self.bounds_say(bounds, of)
        {
            return true;
        }
        let of_trait_for = |head: Head| self.impls.of_trait_for.get(&(of, head)).map_or(&[][..], Vec::as_slice);
        of_trait_for(head(ty)).iter().any(|block| self.impl_fits(*block, ty))
            || depth < DEPTH && of_trait_for(Head::Blanket).iter().any(|block| self.satisfies(*block, ty, depth + 1))
    }

    /// Whether one of the bounds is a trait, or one below it.
    fn bounds_say(&self, bounds: &[Bound], of: TraitId) -> bool {
        bounds.iter().any(|bound| match bound.of {
            TraitRef::Local(id) => self.supertraits(id).contains(&of),
            TraitRef::External(_) => false,
        })
    }

    /// Whether a type satisfies the bounds of a blanket impl. Bounds by traits of other crates are believed of types
    /// of other crates, and of types of the workspace that implement or derive the trait.
    pub(super) fn satisfies(&self, block: ImplId, ty: &Type, depth: u32) -> bool {
        let Type::Trait(bounds) = &self.impls.list[block.0 as usize].self_ty else { return false };
        !ty.is_unknown()
            && bounds.iter().all(|bound| match &bound.of {
                TraitRef::Local(of) => self.implements(ty, *of, depth),
                TraitRef::External(path) => match (ty, path.last()) {
                    (Type::Def(id, _), Some(name)) => {
                        self.derives(*id).contains(&name.as_str()) || self.has_impl(*id, name)
                    }
                    _ => true,
                },
            })
    }

    /// A trait and all that it asks for, nearest first.
    pub(super) fn supertraits(&self, id: TraitId) -> Vec<TraitId> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(id) = found.get(next).copied() {
            next += 1;
            for above in self.impls.supertraits.get(id.0 as usize).into_iter().flatten() {
                if !found.contains(above) {
                    found.push(*above);
                }
            }
        }
        found
    }

    fn has_impl(&self, id: TypeId, name: &Name) -> bool {
        let named = |block: &ImplId| self.impl_def(*block).of_trait.as_ref().and_then(self_name) == Some(name);
        self.impls_of(id).iter().any(named)
    }

    fn is_blanket(&self, block: ImplId) -> bool {
        let written = self.impl_def(block);
        is_parameter(&written.self_ty, &written.generics)
    }

    /// Whether two types may be one, as far as both are known.
    fn compatible(&self, declared: &Type, actual: &Type, depth: u32) -> bool {
        if depth > DEPTH {
            return true;
        }
        let all = |declared: &[Type], actual: &[Type]| {
            declared.iter().zip(actual).all(|(declared, actual)| self.compatible(declared, actual, depth + 1))
        };
        match (declared, actual) {
            (Type::Unknown, _) | (_, Type::Unknown) => true,
            // Whether an impl gives the one trait to the other is not asked: impls for each other's objects go in circles.
            (Type::Trait(declared), Type::Trait(actual)) => declared.iter().all(|bound| match bound.of {
                TraitRef::Local(of) => actual.is_empty() || self.bounds_say(actual, of),
                TraitRef::External(_) => true,
            }),
            (Type::Trait(_), _) | (_, Type::Trait(_)) => depth > 0,
            (Type::Def(declared, args), Type::Def(actual, known)) => declared == actual && all(args, known),
            (Type::External(declared, args), Type::External(actual, known)) => {
                same_external(declared, actual) && all(args, known)
            }
            (Type::Tuple(declared), Type::Tuple(actual)) => declared.len() == actual.len() && all(declared, actual),
            (Type::Slice(declared), Type::Slice(actual)) => self.compatible(declared, actual, depth + 1),
            (Type::Fn(..), Type::Fn(..)) | (Type::Unit, Type::Unit) | (Type::Never, Type::Never) => true,
            _ => false,
        }
    }

    fn with_head(&self, head: &Head) -> &[ImplId] {
        self.impls.by_head.get(head).map_or(&[], Vec::as_slice)
    }
}

/// Paths into one crate that end in one name are one type; a path of one name may be from anywhere.
fn same_external(left: &[Name], right: &[Name]) -> bool {
    left.last() == right.last() && (left.len() == 1 || right.len() == 1 || left.first() == right.first())
}

fn head(ty: &Type) -> Head {
    match ty {
        Type::Def(id, _) => Head::Type(*id),
        Type::External(path, _) => path.last().map_or(Head::Unknown, |name| Head::External(name.clone())),
        Type::Trait(_) => Head::Object,
        Type::Tuple(_) => Head::Tuple,
        Type::Slice(_) => Head::Slice,
        Type::Fn(..) => Head::Fn,
        Type::Unit => Head::Unit,
        Type::Never | Type::Unknown => Head::Unknown,
    }
}

fn is_parameter(mut ty: &Ty, generics: &[Generic]) -> bool {
    while let Ty::Ref(inner) = ty {
        ty = inner;
    }
    let Ty::Path(path) = ty else { return false };
    let [segment] = path.segments.as_slice() else { return false };
    path.qself.is_none() && generics.iter().any(|generic| generic.name == segment.name)
}
