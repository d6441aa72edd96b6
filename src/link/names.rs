//! Paths to definitions: scopes, `use` lines, globs, the names of other crates, and the prelude.

use rustc_hash::{FxHashMap, FxHashSet};

use super::program::{Def, Program, TypeId};
use super::scopes::{Glob, ScopeId};
use super::types::Type;
use crate::lower::tree::{Name, Ty, TypeKind};

/// How many look-ups one question may take; beyond it the answer is what was found so far.
const STEPS: u32 = 2_000;
/// How deep `use` lines may lead from one to the next.
const DEPTH: u32 = 48;
/// How long a path into another crate may grow by `use` lines.
const PATH: usize = 32;
/// How often globs that came to nothing are tried again, after others came to something.
const ROUNDS: usize = 4;

/// Names that need no `use` (std, "The Rust Prelude", edition 2024), with the module they are from.
const PRELUDE: [(&str, &str, &[&str]); 18] = [
    ("option", "Option", &["Some", "None"]),
    ("result", "Result", &["Ok", "Err"]),
    ("vec", "Vec", &[]),
    ("string", "String", &[]),
    ("boxed", "Box", &[]),
    ("borrow", "ToOwned", &[]),
    ("string", "ToString", &[]),
    ("clone", "Clone", &[]),
    ("default", "Default", &[]),
    ("convert", "From", &[]),
    ("convert", "Into", &[]),
    ("convert", "AsRef", &[]),
    ("convert", "TryFrom", &[]),
    ("convert", "TryInto", &[]),
    ("iter", "Iterator", &[]),
    ("iter", "IntoIterator", &[]),
    ("future", "Future", &[]),
    ("future", "IntoFuture", &[]),
];

impl Program {
    /// What `path`, written in `from`, may name: in all namespaces, and several where several fit.
    /// `Self` and generic parameters are not known here; see [`Program::path`].
    pub fn resolve(&self, from: ScopeId, path: &[Name]) -> Vec<Def> {
        let mut query = Query::default();
        let found = self.walk(from, path, false, &mut query);
        if !found.is_empty() {
            return found;
        }
        prelude(path).map(Def::External).into_iter().collect()
    }

    /// The external paths whose globs stand in a scope or around a body: where a name that nothing else declares may
    /// come from.
    pub fn external_globs(&self, scope: ScopeId) -> Vec<Vec<Name>> {
        let mut paths = Vec::new();
        let mut pending = self.lexical(scope);
        let mut seen: FxHashSet<ScopeId> = pending.iter().copied().collect();
        pending.reverse();
        while let Some(scope) = pending.pop() {
            for target in self.scopes.get(scope).globs.iter().flat_map(|glob| &glob.targets) {
                match target {
                    Def::External(path) if !paths.contains(path) => paths.push(path.clone()),
                    Def::Module(module) if seen.insert(*module) => pending.push(*module),
                    _ => {}
                }
            }
        }
        paths
    }

    /// Looks up the paths of all globs. A glob may need what another one brings, so that there are rounds.
    pub(super) fn link_globs(&mut self) {
        self.scopes.note_names();
        let ids = self.scopes.ids();
        let mut open: Vec<(ScopeId, usize)> =
            ids.flat_map(|scope| (0..self.scopes.get(scope).globs.len()).map(move |glob| (scope, glob))).collect();
        for _ in 0..ROUNDS {
            let before = open.len();
            open.retain(|(scope, glob)| {
                let path = self.scopes.get(*scope).globs[*glob].path.clone();
                let mut targets = self.walk(*scope, &path, true, &mut Query::default());
                targets.retain(|target| matches!(target, Def::Module(_) | Def::Type(_) | Def::External(_)));
                let found = !targets.is_empty();
                self.scopes.get_mut(*scope).globs[*glob].targets = targets;
                !found
            });
            if open.is_empty() || open.len() == before {
                break;
            }
        }
    }

    /// Whether a trait's methods may be called in `from`: it is declared, imported or brought by a glob there.
    pub(super) fn in_scope(&self, from: ScopeId, wanted: &Def, name: &Name) -> bool {
        let mut query = Query::default();
        self.lexical(from).into_iter().any(|scope| {
            let here = self.scopes.get(scope);
            if self.here(scope, name, true, &mut query).contains(wanted) {
                return true;
            }
            let globs = here.globs.iter().flat_map(|glob| &glob.targets);
            let renamed = |scope: ScopeId, query: &mut Query| {
                let imports = self.scopes.get(scope).imports.values().flatten();
                let mut candidates = imports.filter(|import| import.path.last() == Some(name));
                candidates.any(|import| self.walk(scope, &import.path, true, query).contains(wanted))
            };
            renamed(scope, &mut query)
                || globs.clone().any(|target| matches!(target, Def::Module(module) if renamed(*module, &mut query)))
        })
    }

    /// The scopes whose names are known in `from`, the innermost first.
    fn lexical(&self, from: ScopeId) -> Vec<ScopeId> {
        let mut scopes = vec![from];
        let mut scope = from;
        while let (true, Some(parent)) = (self.scopes.get(scope).lexical, self.scopes.get(scope).parent) {
            scopes.push(parent);
            scope = parent;
        }
        scopes
    }

    fn walk(&self, from: ScopeId, path: &[Name], import: bool, query: &mut Query) -> Vec<Def> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let (mut found, rest) = match first.as_str() {
            "" => {
                let Some((first, rest)) = rest.split_first() else { return Vec::new() };
                (self.extern_name(from, first, true), rest)
            }
            "crate" | "$crate" => (vec![Def::Module(self.scopes.get(from).root)], rest),
            "self" => (vec![Def::Module(self.scopes.module_of(from))], rest),
            "super" => {
                let module = self.scopes.module_of(from);
                (self.scopes.get(module).parent.map(Def::Module).into_iter().collect(), rest)
            }
            _ => (self.first(from, first, import, !rest.is_empty(), query), rest),
        };
        for name in rest {
            let mut next = Vec::new();
            for def in &found {
                merge(&mut next, self.step(def, name, query));
            }
            found = next;
        }
        found
    }

    /// The first name of a path: from the scope outwards, then other crates.
    fn first(&self, from: ScopeId, name: &Name, import: bool, more: bool, query: &mut Query) -> Vec<Def> {
        for scope in self.lexical(from) {
            let mut found = self.here(scope, name, true, query);
            if more {
                found.retain(|def| !matches!(def, Def::Fn(_) | Def::Const(_)));
            }
            if !found.is_empty() {
                return found;
            }
        }
        let found = self.extern_name(from, name, import || more);
        if !found.is_empty() || !import {
            return found;
        }
        // Before edition 2018 the paths of `use` lines began at the root.
        self.here(self.scopes.get(from).root, name, true, query)
    }

    /// A crate's name. Files without a manifest have no list of dependencies: there any name can be a crate's where
    /// only a crate's makes sense.
    fn extern_name(&self, from: ScopeId, name: &Name, crate_expected: bool) -> Vec<Def> {
        if matches!(name.as_str(), "std" | "core" | "alloc") {
            return vec![Def::External(vec![name.clone()])];
        }
        match self.scopes.get(from).krate.and_then(|krate| self.extern_names.get(krate)) {
            Some(names) => names.get(name).cloned().into_iter().collect(),
            None if crate_expected && name.starts_with(|first: char| first.is_lowercase()) => {
                vec![Def::External(vec![name.clone()])]
            }
            None => Vec::new(),
        }
    }

    /// A name in one scope. `private` names of `use` lines are seen from inside only.
    fn here(&self, scope: ScopeId, name: &Name, private: bool, query: &mut Query) -> Vec<Def> {
        let place = self.scopes.get(scope);
        let mut found = place.names.get(name).cloned().unwrap_or_default();
        found.extend(place.modules.get(name).into_iter().flatten().map(|module| Def::Module(*module)));
        // Most names lead no further.
        if !place.imports.contains_key(name) && (!found.is_empty() || place.globs.is_empty()) {
            return found;
        }
        let key = (scope, name.clone(), private);
        if let Some(found) = query.done.get(&key) {
            return found.clone();
        }
        if query.steps >= STEPS || query.active.len() as u32 >= DEPTH || !query.active.insert(key.clone()) {
            return Vec::new();
        }
        query.steps += 1;
        for import in place.imports.get(name).into_iter().flatten().filter(|import| private || import.public) {
            merge(&mut found, self.walk(scope, &import.path, true, query));
        }
        if found.is_empty() {
            for Glob { targets, .. } in place.globs.iter().filter(|glob| private || glob.public) {
                for target in targets {
                    merge(&mut found, self.through_glob(scope, target, name, query));
                }
            }
        }
        query.active.remove(&key);
        query.done.insert(key, found.clone());
        found
    }

    fn through_glob(&self, scope: ScopeId, target: &Def, name: &Name, query: &mut Query) -> Vec<Def> {
        match target {
            Def::Module(module) if *module != scope && self.scopes.have(name) => {
                self.here(*module, name, self.scopes.within(scope, *module), query)
            }
            Def::Type(id) => self.variant(*id, name).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn step(&self, def: &Def, name: &Name, query: &mut Query) -> Vec<Def> {
        match def {
            Def::Module(module) => match name.as_str() {
                "super" => self.scopes.get(*module).parent.map(Def::Module).into_iter().collect(),
                "self" => vec![def.clone()],
                _ => self.here(*module, name, true, query),
            },
            // `rocket_db_pools::sqlx`: a library that another one hands on.
            Def::External(path) if path.len() == 1 && crate::client::is_library(name) => {
                vec![Def::External(vec![name.clone()])]
            }
            Def::External(path) if path.len() < PATH => {
                let mut path = path.clone();
                if name != "self" {
                    path.push(name.clone());
                }
                vec![Def::External(path)]
            }
            Def::Type(_) if name == "self" => vec![def.clone()],
            Def::Type(id) => match self.alias(*id) {
                Some(written) => self.step_alias(*id, written, name, query),
                None => match self.variant(*id, name) {
                    Some(variant) => vec![variant],
                    None => self.associated(&Type::Def(*id, [].into()), name),
                },
            },
            Def::Trait(id) => self.associated(&self.trait_type(*id), name),
            Def::External(_) | Def::Fn(_) | Def::Variant(..) | Def::Const(_) => Vec::new(),
        }
    }

    fn step_alias(&self, id: TypeId, written: &Ty, name: &Name, query: &mut Query) -> Vec<Def> {
        let Ty::Path(path) = written else { return Vec::new() };
        if path.qself.is_some() || query.steps >= STEPS || query.depth >= DEPTH {
            return Vec::new();
        }
        query.steps += 1;
        query.depth += 1;
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        let mut found = Vec::new();
        let mut aimed = self.walk(self.type_scope(id), &names, false, query);
        if aimed.is_empty() {
            aimed.extend(prelude(&names).map(Def::External));
        }
        for def in aimed {
            merge(&mut found, self.step(&def, name, query));
        }
        query.depth -= 1;
        found
    }

    fn variant(&self, id: TypeId, name: &Name) -> Option<Def> {
        let TypeKind::Enum(variants) = &self.type_def(id).kind else { return None };
        variants.iter().any(|variant| variant.name == *name).then(|| Def::Variant(id, name.clone()))
    }
}

/// What one question has seen; guards against `use` lines that lead in a circle.
#[derive(Default)]
struct Query {
    active: FxHashSet<(ScopeId, Name, bool)>,
    done: FxHashMap<(ScopeId, Name, bool), Vec<Def>>,
    steps: u32,
    depth: u32,
}

/// The full path of a path that begins with a name of the prelude.
pub(super) fn prelude(path: &[Name]) -> Option<Vec<Name>> {
    let (first, rest) = path.split_first()?;
    let (module, owner, _) =
        PRELUDE.iter().find(|(_, owner, variants)| first == owner || variants.contains(&first.as_str()))?;
    let mut full: Vec<Name> = ["std", module, owner].into_iter().map(Name::new).collect();
    if first != owner {
        full.push(first.clone());
    }
    full.extend(rest.iter().cloned());
    Some(full)
}

fn merge(found: &mut Vec<Def>, more: Vec<Def>) {
    for def in more {
        if !found.contains(&def) {
            found.push(def);
        }
    }
}
