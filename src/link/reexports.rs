//! The raw `use` lines of a scope, for names that macros make: no declaration stands behind them, so that
//! [`Program::resolve`] has no answer, but a client knows which module would hold them.

use super::program::{Def, ImplId, Program, TypeId};
use super::scopes::ScopeId;
use crate::lower::tree::Name;

impl Program {
    /// The scope itself and the scopes around a body, the innermost first: where a bare name is looked up.
    pub fn around(&self, from: ScopeId) -> Vec<ScopeId> {
        let mut scopes = vec![from];
        let mut scope = from;
        while let (true, Some(parent)) = (self.scopes.get(scope).lexical, self.scopes.get(scope).parent) {
            scopes.push(parent);
            scope = parent;
        }
        scopes
    }

    /// The paths of the `use` lines that give `name` in this very scope, as written.
    pub fn use_paths(&self, scope: ScopeId, name: &str) -> impl Iterator<Item = &[Name]> {
        self.scopes.get(scope).imports.get(name).into_iter().flatten().map(|import| import.path.as_slice())
    }

    /// The paths of the globs that stand in this very scope, as written, without the `*`.
    pub fn glob_paths(&self, scope: ScopeId) -> impl Iterator<Item = &[Name]> {
        self.scopes.get(scope).globs.iter().map(|glob| glob.path.as_slice())
    }

    /// The modules of the workspace whose names a glob brings into this very scope.
    pub fn glob_modules(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        self.scopes.get(scope).globs.iter().flat_map(|glob| &glob.targets).filter_map(|target| match target {
            Def::Module(module) => Some(*module),
            _ => None,
        })
    }

    /// The types of a name that are declared in this very scope.
    pub fn types_in(&self, scope: ScopeId, name: &str) -> impl Iterator<Item = TypeId> + '_ {
        self.scopes.get(scope).names.get(name).into_iter().flatten().filter_map(|def| match def {
            Def::Type(id) => Some(*id),
            _ => None,
        })
    }

    /// The impl blocks that stand in this very scope, in source order.
    pub fn impls_in(&self, scope: ScopeId) -> impl Iterator<Item = ImplId> + '_ {
        let list = self.impls.list.iter().enumerate();
        list.filter(move |(_, block)| block.declared.scope == scope).map(|(index, _)| ImplId(index as u32))
    }
}
