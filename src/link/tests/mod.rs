//! Small workspaces, written as text, and the questions that are asked about them.

mod methods;
mod modules;
mod names;
mod own;
mod robust;
mod types;

use std::fmt::Write as _;

use super::{Def, FnId, Program, TraitRef, Type, Via};
use crate::lower::lower;
use crate::lower::tree::Name;
use crate::source::{Crate, Dependency, FileKind, SourceFile, Target, Workspace};
use crate::span::FileId;

/// One package named `app` that depends on a few crates.
fn app(files: &[(&str, &str)]) -> Program {
    linked(&[krate("app", "", &["sqlx", "diesel", "axum", "tokio", "futures", "once_cell", "derive_more"])], files)
}

fn krate(name: &str, dir: &str, dependencies: &[&str]) -> Crate {
    let dependency = |written: &&str| {
        let (name, package) = written.split_once('=').unwrap_or((written, written));
        Dependency { name: name.into(), package: package.into(), features: Vec::new(), optional: false }
    };
    Crate {
        name: name.into(),
        dir: dir.to_owned(),
        dependencies: dependencies.iter().map(dependency).collect(),
        ..Crate::default()
    }
}

fn linked(crates: &[Crate], files: &[(&str, &str)]) -> Program {
    let mut files = files.to_vec();
    files.sort_unstable();
    let mut workspace = Workspace { crates: crates.to_vec(), ..Workspace::default() };
    let mut trees = Vec::new();
    for (index, (path, text)) in files.iter().enumerate() {
        let id = FileId(index as u32);
        let home = |krate: &&Crate| krate.dir.is_empty() || path.starts_with(&format!("{}/", krate.dir));
        let krate = crates.iter().filter(home).max_by_key(|krate| krate.dir.len());
        workspace.files.push(SourceFile {
            id,
            path: (*path).to_owned(),
            text: (*text).into(),
            kind: FileKind::Rust(Target::Main),
            krate: krate.and_then(|krate| crates.iter().position(|known| known.dir == krate.dir)),
        });
        trees.push(lower(id, text).unwrap_or_else(|refused| panic!("{path}: {refused:?}")));
    }
    Program::build(&workspace, trees)
}

fn function(program: &Program, path: &str) -> FnId {
    let mut found = program.functions().filter(|id| program.path_of(*id) == path);
    let all: Vec<String> = program.functions().map(|id| program.path_of(id)).collect();
    found.next().unwrap_or_else(|| panic!("{path} is none of {all:?}"))
}

/// What a path names at the function `from`.
fn resolve(program: &Program, from: &str, path: &str) -> Vec<String> {
    let names: Vec<Name> = path.split("::").map(Name::new).collect();
    let found = program.resolve(program.scope_of(function(program, from)), &names);
    found.iter().map(|def| shown_def(program, def)).collect()
}

/// The type of the first parameter of the function `of`.
fn param(program: &Program, of: &str) -> Type {
    program.params(function(program, of)).into_iter().next().expect("the function has a parameter")
}

/// What `name` called on the first parameter of the function `from` may be.
fn methods(program: &Program, from: &str, name: &str) -> (Vec<String>, Via) {
    let scope = program.scope_of(function(program, from));
    let found = program.methods(scope, &param(program, from), name);
    (found.functions.iter().map(|id| program.path_of(*id)).collect(), found.via)
}

fn shown_def(program: &Program, def: &Def) -> String {
    match def {
        Def::Fn(id) => format!("fn {}", program.path_of(*id)),
        Def::Type(id) => format!("type {}", program.type_path(*id)),
        Def::Variant(id, name) => format!("variant {}::{name}", program.type_path(*id)),
        Def::Const(id) => format!("const {}", program.const_def(*id).name),
        Def::Trait(id) => format!("trait {}", program.trait_path(*id)),
        Def::Module(_) => "module".to_owned(),
        Def::External(path) => path.join("::"),
    }
}

fn shown(program: &Program, ty: &Type) -> String {
    let list = |types: &[Type]| types.iter().map(|ty| shown(program, ty)).collect::<Vec<_>>().join(", ");
    let with_args = |name: String, args: &[Type]| match args {
        [] => name,
        args => format!("{name}<{}>", list(args)),
    };
    match ty {
        Type::Def(id, args) => with_args(program.type_path(*id), args),
        Type::External(path, args) => with_args(path.join("::"), args),
        Type::Tuple(types) => format!("({})", list(types)),
        Type::Slice(element) => format!("[{}]", shown(program, element)),
        Type::Fn(params, ret) => format!("fn({}) -> {}", list(params), shown(program, ret)),
        Type::Unit => "()".to_owned(),
        Type::Never => "!".to_owned(),
        Type::Unknown => "_".to_owned(),
        Type::Trait(bounds) => {
            let mut text = "impl".to_owned();
            for bound in bounds.iter() {
                let name = match &bound.of {
                    TraitRef::Local(id) => program.trait_path(*id),
                    TraitRef::External(path) => path.join("::"),
                };
                let _ = write!(text, " {}", with_args(name, &bound.args));
                for (name, ty) in bound.bindings.iter() {
                    let _ = write!(text, " [{name} = {}]", shown(program, ty));
                }
            }
            text
        }
    }
}
