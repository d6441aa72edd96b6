//! The program: all trees of a workspace, and the tables that names are looked up in.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::generics::Env;
use super::impls::{Impl, Impls};
use super::modules::{Modules, modules};
use super::scopes::{Glob, Import, ScopeId, Scopes};
use super::types::{Joined, TraitRef, Type};
use crate::lower::tree::{Attr, Const, FileTree, Function, ImplDef, Lowered, Name, TraitDef, Ty, TypeDef, TypeKind};
use crate::source::Workspace;
use crate::span::FileId;

/// All that is declared in a workspace. Built once, then only asked.
#[derive(Debug)]
pub struct Program {
    pub(super) trees: Vec<Lowered>,
    pub(super) krates: Vec<Option<usize>>,
    pub(super) scopes: Scopes,
    pub(super) functions: Vec<Declared>,
    pub(super) types: Vec<Declared>,
    pub(super) traits: Vec<Declared>,
    pub(super) consts: Vec<Declared>,
    /// The first impl and the first trait of each tree: what `in_impl` and `in_trait` count from.
    starts: Vec<(u32, u32)>,
    pub(super) impls: Impls,
    /// What code of each crate may begin a path with, besides what it declares.
    pub(super) extern_names: Vec<FxHashMap<Name, Def>>,
    pub(super) envs: Vec<OnceLock<Arc<Env>>>,
    /// The fields of each struct, once somebody asked.
    pub(super) fields: Vec<OnceLock<Fields>>,
}

/// The fields of a struct with their types.
pub type Fields = Arc<[(Name, Type)]>;

/// A function with or without a body, also a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FnId(pub(super) u32);

impl FnId {
    /// No function: where nothing is being looked at.
    pub const NONE: Self = Self(u32::MAX);

    /// Its place in the order of [`Program::functions`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A struct, enum, union or alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraitId(pub(super) u32);

/// A `const` or `static`, also an associated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConstId(pub(super) u32);

impl ConstId {
    /// Its place in the order of [`Program::consts`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An `impl` block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImplId(pub(super) u32);

/// What a path may name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Def {
    Fn(FnId),
    Type(TypeId),
    Variant(TypeId, Name),
    Const(ConstId),
    Trait(TraitId),
    Module(ScopeId),
    /// Something of another crate: the path as `use` lines lead to it, the crate under its package's name.
    External(Vec<Name>),
}

impl Def {
    /// The function that it is.
    pub fn function(&self) -> Option<FnId> {
        if let Self::Fn(id) = self { Some(*id) } else { None }
    }
}

/// Where a declaration stands: the tree, its index in the tree's list, and the scope around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared {
    pub tree: u32,
    pub index: u32,
    pub scope: ScopeId,
}

impl Program {
    /// Links the trees of a workspace. Trees of files that the workspace does not list are a crate of their own.
    pub fn build(workspace: &Workspace, mut trees: Vec<Lowered>) -> Self {
        trees.sort_by_key(|lowered| lowered.file);
        for lowered in &mut trees {
            if let Some(file) = workspace.files.get(lowered.file.0 as usize) {
                crate::client::generated(&mut lowered.tree, &file.text);
            }
        }
        let Modules { scopes, file_scope, libraries, test } = modules(workspace, &trees);
        for (lowered, _) in trees.iter_mut().zip(test).filter(|(_, test)| *test) {
            lowered.tree.functions.iter_mut().for_each(|function| function.test = true);
            lowered.tree.impls.iter_mut().for_each(|block| block.test = true);
        }
        let krates = trees
            .iter()
            .map(|lowered| workspace.files.get(lowered.file.0 as usize)?.krate)
            .map(|krate| krate.filter(|krate| *krate < workspace.crates.len()))
            .collect();
        let mut program = Self {
            trees: Vec::new(),
            krates,
            scopes,
            functions: Vec::new(),
            types: Vec::new(),
            traits: Vec::new(),
            consts: Vec::new(),
            starts: Vec::new(),
            impls: Impls::default(),
            extern_names: extern_names(workspace, &libraries),
            envs: Vec::new(),
            fields: Vec::new(),
        };
        for (index, lowered) in trees.iter().enumerate() {
            program.declare(index as u32, &lowered.tree, file_scope[index]);
        }
        program.trees = trees;
        program.envs.resize_with(program.functions.len(), OnceLock::new);
        program.fields.resize_with(program.types.len(), OnceLock::new);
        program.link_globs();
        program.link_impls();
        program
    }

    /// The trees the program was built from, by file.
    pub fn trees(&self) -> &[Lowered] {
        &self.trees
    }

    /// All functions, those without a body too, by file and offset.
    pub fn functions(&self) -> impl Iterator<Item = FnId> + use<> {
        (0..self.functions.len() as u32).map(FnId)
    }

    pub fn function(&self, id: FnId) -> &Function {
        let Declared { tree, index, .. } = self.functions[id.0 as usize];
        &self.trees[tree as usize].tree.functions[index as usize]
    }

    pub fn file_of(&self, id: FnId) -> FileId {
        self.trees[self.functions[id.0 as usize].tree as usize].file
    }

    /// The index in [`Workspace::crates`]; none for files that belong to no manifest.
    pub fn krate_of(&self, id: FnId) -> Option<usize> {
        self.krates[self.functions[id.0 as usize].tree as usize]
    }

    /// `crate::module::Type::name`, with the name of the crate. Methods of trait impls are written the same.
    pub fn path_of(&self, id: FnId) -> String {
        let Declared { scope, .. } = self.functions[id.0 as usize];
        let function = self.function(id);
        let owner = match (self.impl_of(id), self.trait_of(id)) {
            (Some(block), _) => self_name(&self.impl_def(block).self_ty),
            (None, Some(of)) => Some(&self.trait_def(of).name),
            (None, None) => None,
        };
        let mut names = self.scopes.path(scope);
        names.extend(owner.cloned());
        names.push(function.name.clone());
        Joined(&names).to_string()
    }

    /// The scope that a function is declared in: what its signature and its body look names up from. A block of the
    /// body that has items of its own is one step further, see [`Program::child_scope`].
    pub fn scope_of(&self, id: FnId) -> ScopeId {
        self.functions[id.0 as usize].scope
    }

    /// The scope of a block that has items of its own, by the block's `scope`; `scope` again where it has none.
    pub fn child_scope(&self, scope: ScopeId, name: &Name) -> ScopeId {
        self.scopes.get(scope).bodies.get(name).copied().unwrap_or(scope)
    }

    /// The impl block that a method stands in.
    pub fn impl_of(&self, id: FnId) -> Option<ImplId> {
        let Declared { tree, .. } = self.functions[id.0 as usize];
        self.impl_in(tree, self.function(id).in_impl)
    }

    /// The trait that a method is declared in.
    pub fn trait_of(&self, id: FnId) -> Option<TraitId> {
        let Declared { tree, .. } = self.functions[id.0 as usize];
        let trait_id = TraitId(self.starts[tree as usize].1.checked_add(self.function(id).in_trait?)?);
        (self.traits.get(trait_id.0 as usize)?.tree == tree).then_some(trait_id)
    }

    /// Structs, enums and aliases, by file.
    pub fn types(&self) -> impl Iterator<Item = TypeId> + use<> {
        (0..self.types.len() as u32).map(TypeId)
    }

    pub fn type_def(&self, id: TypeId) -> &TypeDef {
        let Declared { tree, index, .. } = self.types[id.0 as usize];
        &self.trees[tree as usize].tree.types[index as usize]
    }

    pub fn type_scope(&self, id: TypeId) -> ScopeId {
        self.types[id.0 as usize].scope
    }

    pub fn type_file(&self, id: TypeId) -> FileId {
        self.trees[self.types[id.0 as usize].tree as usize].file
    }

    /// `crate::module::Name`, with the name of the crate.
    pub fn type_path(&self, id: TypeId) -> String {
        let mut names = self.scopes.path(self.type_scope(id));
        names.push(self.type_def(id).name.clone());
        Joined(&names).to_string()
    }

    /// The last names of the traits that a type derives.
    pub fn derives(&self, id: TypeId) -> Vec<&str> {
        let derives = self.attrs(id, "derive");
        let paths = derives.flat_map(|attr| attr.tokens.split(','));
        paths.filter_map(|path| path.rsplit("::").next()).map(str::trim).filter(|name| !name.is_empty()).collect()
    }

    /// A type's attributes whose path ends in `name`, such as `diesel` in `#[diesel(table_name = posts)]`.
    pub fn attrs(&self, id: TypeId, name: &str) -> impl Iterator<Item = &Attr> {
        named(&self.type_def(id).attrs, name)
    }

    /// The first attribute whose path ends in `name`.
    pub fn attr(&self, id: TypeId, name: &str) -> Option<&Attr> {
        self.attrs(id, name).next()
    }

    pub fn traits(&self) -> impl Iterator<Item = TraitId> + use<> {
        (0..self.traits.len() as u32).map(TraitId)
    }

    pub fn trait_def(&self, id: TraitId) -> &TraitDef {
        let Declared { tree, index, .. } = self.traits[id.0 as usize];
        &self.trees[tree as usize].tree.traits[index as usize]
    }

    pub(super) fn trait_scope(&self, id: TraitId) -> ScopeId {
        self.traits[id.0 as usize].scope
    }

    /// `crate::module::Name`, with the name of the crate.
    pub fn trait_path(&self, id: TraitId) -> String {
        let mut names = self.scopes.path(self.traits[id.0 as usize].scope);
        names.push(self.trait_def(id).name.clone());
        Joined(&names).to_string()
    }

    pub fn consts(&self) -> impl Iterator<Item = ConstId> + use<> {
        (0..self.consts.len() as u32).map(ConstId)
    }

    pub fn const_def(&self, id: ConstId) -> &Const {
        let Declared { tree, index, .. } = self.consts[id.0 as usize];
        &self.trees[tree as usize].tree.consts[index as usize]
    }

    /// The scope that a constant's type and value are looked up from.
    pub fn const_scope(&self, id: ConstId) -> ScopeId {
        self.consts[id.0 as usize].scope
    }

    pub fn const_file(&self, id: ConstId) -> FileId {
        self.trees[self.consts[id.0 as usize].tree as usize].file
    }

    pub fn const_type(&self, id: ConstId) -> Type {
        let Declared { tree, scope, .. } = self.consts[id.0 as usize];
        let block = self.impl_in(tree, self.const_def(id).in_impl);
        let env = block.map_or_else(|| Env::bare(scope), |block| self.impl_env(block));
        self.convert(&env, &self.const_def(id).ty)
    }

    /// Pairs of packages, sorted: one that declares a trait, another that implements it.
    pub fn implemented_across_packages(&self) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for id in self.traits() {
            let declared = self.krates[self.traits[id.0 as usize].tree as usize];
            for block in self.impls_of_trait(id) {
                let by = self.krates[self.impls.list[block.0 as usize].declared.tree as usize];
                pairs.extend(declared.zip(by).filter(|(declared, by)| declared != by));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    pub fn impl_def(&self, id: ImplId) -> &ImplDef {
        let Declared { tree, index, .. } = self.impls.list[id.0 as usize].declared;
        &self.trees[tree as usize].tree.impls[index as usize]
    }

    /// The methods and associated functions of an impl block, in source order.
    pub fn impl_functions(&self, id: ImplId) -> &[FnId] {
        &self.impls.list[id.0 as usize].functions
    }

    /// The trait of an impl block, and the type it is for.
    pub fn impl_subject(&self, id: ImplId) -> (Option<&TraitRef>, &Type) {
        let Impl { of_trait, self_ty, .. } = &self.impls.list[id.0 as usize];
        (of_trait.as_ref(), self_ty)
    }

    pub(super) fn impl_in(&self, tree: u32, in_impl: Option<u32>) -> Option<ImplId> {
        let id = ImplId(self.starts[tree as usize].0.checked_add(in_impl?)?);
        (self.impls.list.get(id.0 as usize)?.declared.tree == tree).then_some(id)
    }

    /// Files the items of one tree under their scopes.
    fn declare(&mut self, tree: u32, items: &FileTree, file: ScopeId) {
        let first_trait = self.traits.len() as u32;
        self.starts.push((self.impls.list.len() as u32, first_trait));
        for line in &items.uses {
            let scope = self.scopes.at(file, &line.scope);
            let scope = self.scopes.get_mut(scope);
            if line.glob {
                scope.globs.push(Glob { path: line.path.clone(), public: line.public, targets: Vec::new() });
                continue;
            }
            let import = Import { path: line.path.clone(), public: line.public };
            scope.imports.entry(line.name.clone()).or_default().push(import);
        }
        for (index, block) in items.impls.iter().enumerate() {
            let scope = self.scopes.at(file, &block.scope);
            self.impls.list.push(Impl::new(Declared { tree, index: index as u32, scope }));
        }
        for (index, def) in items.traits.iter().enumerate() {
            let id = TraitId(self.traits.len() as u32);
            let declared = self.name(tree, index, file, &def.scope, Some((&def.name, Def::Trait(id))));
            self.traits.push(declared);
        }
        for (index, def) in items.types.iter().enumerate() {
            let id = TypeId(self.types.len() as u32);
            let declared = self.name(tree, index, file, &def.scope, Some((&def.name, Def::Type(id))));
            self.types.push(declared);
        }
        for (index, def) in items.consts.iter().enumerate() {
            let id = ConstId(self.consts.len() as u32);
            let of_trait = trait_around(items, def);
            let free = def.in_impl.is_none() && of_trait.is_none();
            let declared = self.name(tree, index, file, &def.scope, free.then_some((&def.name, Def::Const(id))));
            self.consts.push(declared);
            if let Some(of) = of_trait.and_then(|of| first_trait.checked_add(of)) {
                self.impls.trait_const(TraitId(of), &def.name, id);
            }
        }
        let mut order: Vec<usize> = (0..items.functions.len()).collect();
        order.sort_by_key(|index| items.functions[*index].at);
        for index in order {
            let def = &items.functions[index];
            let id = FnId(self.functions.len() as u32);
            let free = def.in_impl.is_none() && def.in_trait.is_none();
            let declared = self.name(tree, index, file, &def.scope, free.then_some((&def.name, Def::Fn(id))));
            self.functions.push(declared);
        }
    }

    fn name(&mut self, tree: u32, index: usize, file: ScopeId, path: &[Name], named: Option<(&Name, Def)>) -> Declared {
        let scope = self.scopes.at(file, path);
        if let Some((name, def)) = named {
            self.scopes.get_mut(scope).names.entry(name.clone()).or_default().push(def);
        }
        Declared { tree, index: index as u32, scope }
    }

    /// Whether a type is an alias; what it stands for.
    pub(super) fn alias(&self, id: TypeId) -> Option<&Ty> {
        let TypeKind::Alias(ty) = &self.type_def(id).kind else { return None };
        Some(ty)
    }
}

/// The trait that a constant stands in. Traits are in source order, so that it is the last one that begins before it.
fn trait_around(items: &FileTree, def: &Const) -> Option<u32> {
    let after = items.traits.partition_point(|of| of.at.start <= def.at.start);
    let index = after.checked_sub(1)?;
    let of = items.traits.get(index)?;
    (of.at.contains(def.at) && of.at != def.at && of.scope == def.scope).then_some(index as u32)
}

/// The attributes whose path ends in `name`.
pub(super) fn named<'a>(attrs: &'a [Attr], name: &str) -> impl Iterator<Item = &'a Attr> {
    attrs.iter().filter(move |attr| attr.path.last().is_some_and(|last| last == name))
}

/// The last name of a type as written: `Repo` of `&mut db::Repo<T>`.
pub(super) fn self_name(mut ty: &Ty) -> Option<&Name> {
    loop {
        match ty {
            Ty::Ref(inner) | Ty::Slice(inner) => ty = inner,
            Ty::Dyn(bounds) | Ty::Impl(bounds) => ty = bounds.first()?,
            Ty::Path(path) => return path.segments.last().map(|segment| &segment.name),
            Ty::Tuple(_) | Ty::Fn(..) | Ty::Infer | Ty::Never | Ty::Other => return None,
        }
    }
}

fn extern_names(workspace: &Workspace, libraries: &[Option<ScopeId>]) -> Vec<FxHashMap<Name, Def>> {
    let mut members: FxHashMap<&Name, ScopeId> = FxHashMap::default();
    for (krate, library) in workspace.crates.iter().zip(libraries) {
        if let Some(library) = library {
            members.entry(&krate.name).or_insert(*library);
        }
    }
    let names = |(krate, library): (&crate::source::Crate, &Option<ScopeId>)| {
        let mut names = FxHashMap::default();
        for dependency in &krate.dependencies {
            let def = match members.get(&dependency.package) {
                Some(library) => Def::Module(*library),
                None => Def::External(vec![dependency.package.clone()]),
            };
            names.insert(dependency.name.clone(), def);
        }
        if let Some(library) = library {
            names.entry(krate.name.clone()).or_insert(Def::Module(*library));
        }
        names
    };
    workspace.crates.iter().zip(libraries).map(names).collect()
}
