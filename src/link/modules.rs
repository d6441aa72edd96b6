//! Files to modules: the roots of every package, `mod` lines, `#[path]`, `include!`, and directories for the rest.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::scopes::{ScopeId, Scopes};
use crate::lower::tree::{Lowered, ModuleDecl, Name};
use crate::source::{Crate, Workspace};

/// Which scope every file's items are in.
#[derive(Debug, Default)]
pub(super) struct Modules {
    pub scopes: Scopes,
    /// By the index of the tree.
    pub file_scope: Vec<ScopeId>,
    /// The root of each crate's library.
    pub libraries: Vec<Option<ScopeId>>,
    /// Whether a file is reached by a module for tests only, by the index of the tree.
    pub test: Vec<bool>,
}

pub(super) fn modules(workspace: &Workspace, trees: &[Lowered]) -> Modules {
    let mut walk = Walk::new(workspace, trees);
    let mut packages: Vec<Option<usize>> = (0..workspace.crates.len()).map(Some).collect();
    packages.push(None);
    for package in packages {
        walk.package(package);
    }
    // Every file was given a scope by its package; the root stands in for a file of a crate that does not exist.
    let mut fallback = None;
    let mut file_scope = Vec::with_capacity(trees.len());
    for attached in &walk.attached {
        file_scope.push(match attached {
            Some(scope) => *scope,
            None => *fallback.get_or_insert_with(|| walk.scopes.root(Name::new("crate"), None)),
        });
    }
    Modules { scopes: walk.scopes, file_scope, libraries: walk.libraries, test: walk.test }
}

/// What a root is the root of, in the order in which roots claim files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RootKind {
    Library,
    Main,
    Other,
}

struct Root {
    kind: RootKind,
    /// The directory that modules of the root lie in.
    dir: String,
    scope: ScopeId,
}

/// A file that was given a scope and whose `mod` lines are still to be followed.
struct Pending {
    tree: usize,
    scope: ScopeId,
    /// Where the files of its modules are looked for.
    dir: String,
    /// Below `#[cfg(test)]`.
    test: bool,
}

struct Walk<'a> {
    workspace: &'a Workspace,
    trees: &'a [Lowered],
    by_path: FxHashMap<&'a str, usize>,
    scopes: Scopes,
    attached: Vec<Option<ScopeId>>,
    libraries: Vec<Option<ScopeId>>,
    test: Vec<bool>,
}

impl<'a> Walk<'a> {
    fn new(workspace: &'a Workspace, trees: &'a [Lowered]) -> Self {
        let by_path = trees.iter().enumerate().map(|(tree, lowered)| (path(workspace, lowered), tree)).collect();
        Self {
            workspace,
            trees,
            by_path,
            scopes: Scopes::default(),
            attached: vec![None; trees.len()],
            libraries: vec![None; workspace.crates.len()],
            test: vec![false; trees.len()],
        }
    }

    fn package(&mut self, package: Option<usize>) {
        let files: Vec<usize> = (0..self.trees.len()).filter(|tree| self.package_of(*tree) == package).collect();
        if files.is_empty() {
            return;
        }
        let (name, dir) = match package.and_then(|package| self.workspace.crates.get(package)) {
            Some(krate) => (krate.name.clone(), krate.dir.as_str()),
            None => (Name::new("crate"), ""),
        };
        let mut roots = Vec::new();
        for (kind, tree) in self.root_files(&files, dir) {
            if self.attached[tree].is_some() {
                continue;
            }
            let scope = self.scopes.root(name.clone(), package);
            if let (RootKind::Library, Some(package)) = (kind, package) {
                self.libraries[package].get_or_insert(scope);
            }
            let dir = parent(path(self.workspace, &self.trees[tree])).to_owned();
            roots.push(Root { kind, dir: dir.clone(), scope });
            self.follow(Pending { tree, scope, dir, test: false });
        }
        self.unreached(&files, roots, name, package, dir);
    }

    fn package_of(&self, tree: usize) -> Option<usize> {
        let file = self.workspace.files.get(self.trees[tree].file.0 as usize)?;
        file.krate.filter(|krate| *krate < self.workspace.crates.len())
    }

    fn root_files(&self, files: &[usize], dir: &str) -> Vec<(RootKind, usize)> {
        let relative = |tree: &usize| below(path(self.workspace, &self.trees[*tree]), dir).unwrap_or_default();
        let root_kind = |tree: &usize| {
            let krate = self.package_of(*tree).map(|package| &self.workspace.crates[package]);
            root_kind(relative(tree), krate)
        };
        // One file of a package that was asked for alone has the path that it has among the others.
        let is_module = |tree: &usize| {
            let own = relative(tree);
            self.package_of(*tree).is_some() && own.starts_with("src/") && root_kind(tree).is_none()
        };
        if let [only] = files
            && !is_module(only)
        {
            let kind = match path(self.workspace, &self.trees[*only]).ends_with("lib.rs") {
                true => RootKind::Library,
                false => RootKind::Main,
            };
            return vec![(kind, *only)];
        }
        let mut roots: Vec<(RootKind, usize)> =
            files.iter().filter_map(|tree| Some((root_kind(tree)?, *tree))).collect();
        if !roots.iter().any(|(kind, _)| *kind < RootKind::Other) {
            // Files without a manifest: the name of the file still tells.
            roots.extend(files.iter().filter_map(|tree| match relative(tree).rsplit('/').next()? {
                "lib.rs" => Some((RootKind::Library, *tree)),
                "main.rs" => Some((RootKind::Main, *tree)),
                _ => None,
            }));
        }
        roots.sort_by_key(|(kind, tree)| (*kind, relative(tree).matches('/').count(), relative(tree)));
        roots
    }

    /// Gives a file its scope, and all files that its `mod` lines lead to.
    fn follow(&mut self, first: Pending) {
        self.attached[first.tree] = Some(first.scope);
        let mut pending = VecDeque::from([first]);
        while let Some(Pending { tree, scope, dir, test }) = pending.pop_front() {
            self.test[tree] = test;
            let trees = self.trees;
            let own = path(self.workspace, &trees[tree]);
            let mut declared: Vec<&ModuleDecl> = trees[tree].tree.modules.iter().collect();
            declared.sort_by_key(|module| (module.file, module.scope.len()));
            let mut dirs = FxHashMap::default();
            for module in declared {
                let outer = self.scopes.at(scope, &module.scope);
                let beside = dirs.get(&outer).cloned().unwrap_or_else(|| dir.clone());
                if !module.file {
                    let inner = self.scopes.inline(outer, &module.name);
                    let step = module.path.as_deref().unwrap_or(&module.name);
                    dirs.insert(inner, join(&beside, step).unwrap_or_default());
                    continue;
                }
                let Some((found, dir)) = self.module_file(module, own, &beside) else { continue };
                if let Some(known) = self.attached[found] {
                    self.test[found] &= test || module.test;
                    self.scopes.alias(outer, &module.name, known);
                    continue;
                }
                let scope = self.scopes.module(outer, &module.name);
                self.attached[found] = Some(scope);
                pending.push_back(Pending { tree: found, scope, dir, test: test || module.test });
            }
            for (found, scope) in self.included(tree, scope, own) {
                self.attached[found] = Some(scope);
                pending.push_back(Pending { tree: found, scope, dir: dir.clone(), test });
            }
        }
    }

    /// The tree of `mod name;`, and the directory of that module's own modules.
    fn module_file(&self, module: &ModuleDecl, own: &str, beside: &str) -> Option<(usize, String)> {
        if let Some(written) = &module.path {
            // Relative to the file's directory; inside of inline modules, to theirs (Reference, "The path attribute").
            let base = if module.scope.is_empty() { parent(own) } else { beside };
            let target = join(base, written)?;
            let found = *self.by_path.get(target.as_str())?;
            return Some((found, parent(&target).to_owned()));
        }
        let dir = join(beside, &module.name)?;
        let found = self
            .by_path
            .get(format!("{dir}.rs").as_str())
            .or_else(|| self.by_path.get(format!("{dir}/mod.rs").as_str()))?;
        Some((*found, dir))
    }

    /// `include!("file.rs")`: the file's items are those of the module.
    fn included(&mut self, tree: usize, scope: ScopeId, own: &str) -> Vec<(usize, ScopeId)> {
        let trees = self.trees;
        let Lowered { file, tree } = &trees[tree];
        let mut included = Vec::new();
        for call in tree.macros.iter().filter(|call| call.path.last().is_some_and(|name| name == "include")) {
            let Some(source) = self.workspace.files.get(file.0 as usize) else { continue };
            let text = call.tokens.of(&source.text).trim();
            let Some(written) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { continue };
            let Some(target) = join(parent(own), written) else { continue };
            let Some(found) = self.by_path.get(target.as_str()) else { continue };
            if self.attached[*found].is_none() && !included.iter().any(|(known, _)| known == found) {
                included.push((*found, self.scopes.at(scope, &call.scope)));
            }
        }
        included
    }

    /// Files that no `mod` line leads to: their path below the root's directory is their module's path.
    fn unreached(&mut self, files: &[usize], mut roots: Vec<Root>, name: Name, package: Option<usize>, dir: &str) {
        let mut left: Vec<usize> = files.iter().copied().filter(|tree| self.attached[*tree].is_none()).collect();
        left.sort_by_key(|tree| {
            let names = module_names(path(self.workspace, &self.trees[*tree]));
            (names.len(), *tree)
        });
        for tree in left {
            if self.attached[tree].is_some() {
                continue;
            }
            let own = path(self.workspace, &self.trees[tree]);
            let root = roots
                .iter()
                .filter(|root| root.kind < RootKind::Other && below(own, &root.dir).is_some())
                .min_by_key(|root| (usize::MAX - root.dir.len(), root.kind));
            let (root, root_dir) = match root {
                Some(root) => (root.scope, root.dir.clone()),
                None => {
                    let source = join(dir, "src").unwrap_or_default();
                    let dir = if below(own, &source).is_some() { source } else { dir.to_owned() };
                    let scope = self.scopes.root(name.clone(), package);
                    roots.push(Root { kind: RootKind::Main, dir: dir.clone(), scope });
                    (scope, dir)
                }
            };
            let names = module_names(below(own, &root_dir).unwrap_or(own));
            let scope = self.place(root, &names);
            let dir = if own.ends_with("/mod.rs") { parent(own) } else { own.strip_suffix(".rs").unwrap_or(own) };
            self.follow(Pending { tree, scope, dir: dir.to_owned(), test: false });
        }
    }

    /// A new module at `names` below `root`; the modules on the way are those that exist.
    fn place(&mut self, root: ScopeId, names: &[Name]) -> ScopeId {
        let Some((last, outer)) = names.split_last() else { return root };
        let mut scope = root;
        for name in outer {
            let known = self.scopes.get(scope).modules.get(name).and_then(|known| known.first().copied());
            scope = known.unwrap_or_else(|| self.scopes.module(scope, name));
        }
        self.scopes.module(scope, last)
    }
}

/// The roots that the manifest names (The Cargo Book, "Cargo Targets"), and those that Cargo finds by itself ("Package
/// layout").
fn root_kind(relative: &str, krate: Option<&Crate>) -> Option<RootKind> {
    let is_named = |written: &String| join("", written).as_deref() == Some(relative);
    let library = krate.and_then(|krate| krate.library.as_ref());
    if library.is_some_and(is_named) {
        return Some(RootKind::Library);
    }
    if krate.is_some_and(|krate| krate.programs.iter().any(is_named)) {
        return Some(RootKind::Main);
    }
    let names: Vec<&str> = relative.split('/').collect();
    match names.as_slice() {
        ["src", "lib.rs"] if library.is_none() => Some(RootKind::Library),
        ["src", "main.rs"] => Some(RootKind::Main),
        ["src", "bin", _] | ["src", "bin", _, "main.rs"] | ["build.rs"] => Some(RootKind::Other),
        ["tests" | "examples" | "benches", _] | ["tests" | "examples" | "benches", _, "main.rs"] => {
            Some(RootKind::Other)
        }
        _ => None,
    }
}

fn path<'a>(workspace: &'a Workspace, lowered: &Lowered) -> &'a str {
    workspace.files.get(lowered.file.0 as usize).map_or("", |file| file.path.as_str())
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// `path` relative to `dir`, when it lies there.
fn below<'a>(path: &'a str, dir: &str) -> Option<&'a str> {
    if dir.is_empty() {
        return Some(path);
    }
    path.strip_prefix(dir)?.strip_prefix('/')
}

/// None when the path would lead out of the workspace.
fn join(dir: &str, step: &str) -> Option<String> {
    let mut names: Vec<&str> = dir.split('/').filter(|name| !name.is_empty()).collect();
    for name in step.split(['/', '\\']) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

fn module_names(relative: &str) -> Vec<Name> {
    let stem = relative.strip_suffix(".rs").unwrap_or(relative);
    let mut names: Vec<Name> = stem.split('/').map(Name::new).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}
