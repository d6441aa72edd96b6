//! The names that `DeriveEntityModel` makes beside a `Model`, found by the paths and `use` lines that lead to them.

use super::entity::{Entity, is_model};
use crate::link::{Def, Program, ScopeId, TypeId};
use crate::lower::tree::{Name, Ty, TypeKind};

/// Which of an entity's names is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Entity,
    Column,
    ActiveModel,
    PrimaryKey,
    Relation,
    Model,
}

/// How far `use` lines and globs are followed.
const DEPTH: usize = 10;
/// How many scopes one question may look at.
const STEPS: usize = 400;

impl Made {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Entity" => Self::Entity,
            "Column" => Self::Column,
            "ActiveModel" => Self::ActiveModel,
            "PrimaryKey" => Self::PrimaryKey,
            "Relation" => Self::Relation,
            "Model" => Self::Model,
            _ => return None,
        })
    }
}

/// The entity's name a path begins with, by its `Model`, and how many names of the path it takes.
pub fn leading(program: &Program, from: ScopeId, path: &[Name]) -> Option<(TypeId, Made, usize)> {
    let mut search = Search { program, steps: 0 };
    (1..=path.len().min(12)).find_map(|used| {
        let (model, made) = search.path(from, &path[..used], 0)?;
        Some((model, made, used))
    })
}

/// The entity's name that a whole path is.
pub fn exact(program: &Program, from: ScopeId, path: &[Name]) -> Option<(TypeId, Made)> {
    Search { program, steps: 0 }.path(from, path, 0)
}

/// The whole path of a column whose bare name a `use` line or a glob brings: `use tag::Column::Ring`, `use tag::Column::*`.
pub fn column_brought(program: &Program, from: ScopeId, name: &Name) -> Option<Vec<Name>> {
    let of_columns = |scope: ScopeId, path: &[Name]| match exact(program, scope, path)? {
        (model, Made::Column) => Entity::of(program, model),
        _ => None,
    };
    program.around(from).into_iter().find_map(|scope| {
        let named = || {
            let mut paths = program.use_paths(scope, name);
            paths
                .find(|path| path.split_last().is_some_and(|(_, of)| of_columns(scope, of).is_some()))
                .map(<[_]>::to_vec)
        };
        let of_glob = || {
            let has = |path: &&[Name]| of_columns(scope, path).is_some_and(|entity| entity.has_variant(name));
            program.glob_paths(scope).find(has).map(|path| path.iter().chain([name]).cloned().collect())
        };
        named().or_else(of_glob)
    })
}

struct Search<'p> {
    program: &'p Program,
    steps: usize,
}

impl Search<'_> {
    fn path(&mut self, from: ScopeId, path: &[Name], depth: usize) -> Option<(TypeId, Made)> {
        if depth > DEPTH {
            return None;
        }
        let (last, prefix) = path.split_last()?;
        if prefix.is_empty() {
            return self.program.around(from).into_iter().find_map(|scope| self.within(scope, last, depth));
        }
        let modules = self.program.resolve(from, prefix);
        modules.into_iter().find_map(|def| match def {
            Def::Module(module) => self.within(module, last, depth),
            _ => None,
        })
    }

    /// A name of one scope: made there, or brought by a `use` line, an alias or a glob.
    fn within(&mut self, scope: ScopeId, name: &Name, depth: usize) -> Option<(TypeId, Made)> {
        self.steps += 1;
        if depth > DEPTH || self.steps > STEPS {
            return None;
        }
        let program = self.program;
        if let Some(made) = Made::named(name)
            && let Some(model) = program.types_in(scope, "Model").find(|id| is_model(program, *id))
        {
            return Some((model, made));
        }
        for path in program.use_paths(scope, name) {
            if let Some(found) = self.path(scope, path, depth + 1) {
                return Some(found);
            }
        }
        for alias in program.types_in(scope, name) {
            if let TypeKind::Alias(Ty::Path(path)) = &program.type_def(alias).kind {
                let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
                if let Some(found) = self.path(scope, &names, depth + 1) {
                    return Some(found);
                }
            }
        }
        // A glob brings what the module makes or hands on; a bare `Model` elsewhere is nothing of ours.
        let globs: Vec<ScopeId> = program.glob_modules(scope).filter(|module| *module != scope).collect();
        globs.into_iter().find_map(|module| self.within(module, name, depth + 1))
    }
}
