//! Places where names are declared: modules, and bodies of functions that hold items.

use rustc_hash::{FxHashMap, FxHashSet};

use super::program::Def;
use crate::lower::tree::Name;

/// A module, or the part of a function's body that has items or `use` lines of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub(super) u32);

impl ScopeId {
    /// No scope: where nothing is being looked at.
    pub const NONE: Self = Self(u32::MAX);
}

#[derive(Debug)]
pub(super) struct Scope {
    pub name: Name,
    /// The module around a module, or the scope around a body. None for a root.
    pub parent: Option<ScopeId>,
    pub root: ScopeId,
    /// A body: names that it does not know are looked up in its parent.
    pub lexical: bool,
    pub krate: Option<usize>,
    /// All modules below, those in files too. Several under one name when `cfg` picks one.
    pub modules: FxHashMap<Name, Vec<ScopeId>>,
    pub inline: FxHashMap<Name, ScopeId>,
    pub bodies: FxHashMap<Name, ScopeId>,
    /// Functions, types, constants and traits that are declared here.
    pub names: FxHashMap<Name, Vec<Def>>,
    /// `use` lines by the name they give; `_` for those without one.
    pub imports: FxHashMap<Name, Vec<Import>>,
    pub globs: Vec<Glob>,
}

#[derive(Debug)]
pub(super) struct Import {
    pub path: Vec<Name>,
    pub public: bool,
}

#[derive(Debug)]
pub(super) struct Glob {
    pub path: Vec<Name>,
    pub public: bool,
    /// Modules, enums and external paths whose names the glob brings.
    pub targets: Vec<Def>,
}

#[derive(Debug)]
pub(super) struct Scopes {
    list: Vec<Scope>,
    /// What [`ScopeId::NONE`] is: a root that knows no name.
    nowhere: Scope,
    /// Names that some scope has.
    names: FxHashSet<Name>,
}

impl Default for Scopes {
    fn default() -> Self {
        let nowhere = Scope::new(Name::default(), None, ScopeId::NONE, false, None);
        Self { list: Vec::new(), nowhere, names: FxHashSet::default() }
    }
}

impl Scope {
    fn new(name: Name, parent: Option<ScopeId>, root: ScopeId, lexical: bool, krate: Option<usize>) -> Self {
        Self {
            name,
            parent,
            root,
            lexical,
            krate,
            modules: FxHashMap::default(),
            inline: FxHashMap::default(),
            bodies: FxHashMap::default(),
            names: FxHashMap::default(),
            imports: FxHashMap::default(),
            globs: Vec::new(),
        }
    }
}

impl Scopes {
    pub fn get(&self, id: ScopeId) -> &Scope {
        self.list.get(id.0 as usize).unwrap_or(&self.nowhere)
    }

    pub fn get_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.list[id.0 as usize]
    }

    pub fn ids(&self) -> impl Iterator<Item = ScopeId> + use<> {
        (0..self.list.len() as u32).map(ScopeId)
    }

    pub fn root(&mut self, name: Name, krate: Option<usize>) -> ScopeId {
        let id = ScopeId(self.list.len() as u32);
        self.push(name, None, id, false, krate)
    }

    /// Takes note of all names, when everything is declared.
    pub fn note_names(&mut self) {
        let of = |scope: &Scope| -> Vec<Name> {
            scope.names.keys().chain(scope.modules.keys()).chain(scope.imports.keys()).cloned().collect()
        };
        self.names = self.list.iter().flat_map(of).collect();
    }

    /// Whether some scope has a name: a glob of a module brings no other.
    pub fn have(&self, name: &Name) -> bool {
        self.names.contains(name)
    }

    /// A new module below `parent`, beside those that have the same name already.
    pub fn module(&mut self, parent: ScopeId, name: &Name) -> ScopeId {
        let id = self.below(parent, name, false);
        self.get_mut(parent).modules.entry(name.clone()).or_default().push(id);
        id
    }

    /// Makes a module known below a second parent.
    pub fn alias(&mut self, parent: ScopeId, name: &Name, module: ScopeId) {
        let known = self.get_mut(parent).modules.entry(name.clone()).or_default();
        if !known.contains(&module) {
            known.push(module);
        }
    }

    pub fn inline(&mut self, parent: ScopeId, name: &Name) -> ScopeId {
        if let Some(id) = self.get(parent).inline.get(name) {
            return *id;
        }
        let id = self.module(parent, name);
        self.get_mut(parent).inline.insert(name.clone(), id);
        id
    }

    /// The scope at `path` below a file's module. Names that are no inline module are bodies.
    pub fn at(&mut self, from: ScopeId, path: &[Name]) -> ScopeId {
        path.iter().fold(from, |scope, name| {
            let here = self.get(scope);
            if let Some(id) = here.inline.get(name).or_else(|| here.bodies.get(name)) {
                return *id;
            }
            let id = self.below(scope, name, true);
            self.get_mut(scope).bodies.insert(name.clone(), id);
            id
        })
    }

    /// The module that a scope is, or that is around it.
    pub fn module_of(&self, mut scope: ScopeId) -> ScopeId {
        while let Scope { lexical: true, parent: Some(parent), .. } = self.get(scope) {
            scope = *parent;
        }
        scope
    }

    /// Whether `scope` is `outer` or lies inside of it.
    pub fn within(&self, scope: ScopeId, outer: ScopeId) -> bool {
        std::iter::successors(Some(scope), |scope| self.get(*scope).parent).any(|scope| scope == outer)
    }

    /// The names from the root to `scope`, the root's included. What is in the body of a method is below the method's
    /// name, without the `#` that tells methods of one name apart.
    pub fn path(&self, scope: ScopeId) -> Vec<Name> {
        let mut names: Vec<Name> = std::iter::successors(Some(scope), |scope| self.get(*scope).parent)
            .map(|scope| self.get(scope).name.split('#').next().map(Name::new).unwrap_or_default())
            .collect();
        names.reverse();
        names
    }

    fn below(&mut self, parent: ScopeId, name: &Name, lexical: bool) -> ScopeId {
        let Scope { root, krate, .. } = *self.get(parent);
        self.push(name.clone(), Some(parent), root, lexical, krate)
    }

    fn push(
        &mut self,
        name: Name,
        parent: Option<ScopeId>,
        root: ScopeId,
        lexical: bool,
        krate: Option<usize>,
    ) -> ScopeId {
        let id = ScopeId(self.list.len() as u32);
        self.list.push(Scope::new(name, parent, root, lexical, krate));
        id
    }
}
