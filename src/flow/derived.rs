//! Statements that a derive macro of the workspace writes: its tokens are made at compile time, and nothing of them is read.
//!
//! What such a macro gives a type is called all the same. That is counted, so that nobody takes the silence for an answer.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::client::{self, Client};
use crate::flow::Evaluator;
use crate::flow::value::Value;
use crate::link::{Def, Type, TypeId};
use crate::lower::tree::{Name, TyPath};
use crate::source::{SourceFile, Workspace};
use crate::span::FileId;

/// Why a call is counted among what was not understood.
const WHY: &str = "a derive macro of the workspace writes the statement";

/// What stands before the name of a derive macro where it is defined (The Rust Reference, "Derive macros").
const DEFINED: &str = "proc_macro_derive(";

/// The derive macros of the workspace whose package speaks of SQL or of a database client, with the file that defines them.
pub(super) fn speaking(workspace: &Workspace, clients: &[&'static Client]) -> BTreeMap<Name, (FileId, usize)> {
    let mut found = BTreeMap::new();
    let defining = workspace.files.iter().filter(|file| file.krate.is_some() && file.text.contains(DEFINED));
    let defining: Vec<&SourceFile> = defining.collect();
    let Some(search) = (!defining.is_empty()).then(|| client::search(clients)).flatten() else { return found };
    let of: FxHashSet<_> = defining.iter().map(|file| file.krate).collect();
    let speaks = |file: &&SourceFile| of.contains(&file.krate) && search.is_match(&*file.text);
    let speaking: FxHashSet<_> = workspace.files.iter().filter(speaks).map(|file| file.krate).collect();
    for file in defining.into_iter().filter(|file| speaking.contains(&file.krate)) {
        for rest in file.text.split(DEFINED).skip(1) {
            let name: String = rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.entry(Name::new(name)).or_insert((file.id, 0));
        }
    }
    found
}

impl<'p> Evaluator<'p> {
    /// Notes a call that nobody declares, on a value of a type with such a derive, where it is handed a connection.
    pub(super) fn note_derived(&mut self, ty: &Type, args: &[Value]) {
        if let Type::Def(id, _) = self.program.peel(ty) {
            self.note_derived_of(id, args);
        }
    }

    /// The same of `Type::name(…)`.
    pub(super) fn note_derived_path(&mut self, path: &TyPath, args: &[Value]) {
        let [of @ .., _] = path.segments.as_slice() else { return };
        if self.unknown.derived.is_empty() || of.is_empty() {
            return;
        }
        let names: Vec<Name> = of.iter().map(|segment| segment.name.clone()).collect();
        if let Some(Def::Type(id)) = self.program.resolve(self.frame.scope, &names).first() {
            self.note_derived_of(*id, args);
        }
    }

    fn note_derived_of(&mut self, id: TypeId, args: &[Value]) {
        if self.unknown.derived.is_empty() || !args.iter().any(|arg| self.handle(arg.term).is_some()) {
            return;
        }
        let derives = self.program.derives(id);
        let speaks = |name: &&&str| self.unknown.derived.contains_key(**name);
        let Some(name) = derives.iter().find(speaks).map(|name| Name::new(*name)) else { return };
        self.unknown_statement(WHY);
        if let Some((_, calls)) = self.unknown.derived.get_mut(&name) {
            *calls += 1;
        }
    }
}
