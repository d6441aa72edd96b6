//! Types of other crates that rows are read into, and that are handed a connection: what they send with it is written where
//! nobody reads it.
//!
//! Such calls are counted, so that nobody takes the silence for an answer.

use std::collections::BTreeSet;

use crate::flow::Evaluator;
use crate::flow::value::Value;
use crate::link::Type;
use crate::lower::tree::{Name, Ty, TyPath};
use crate::span::{Range, Span};

/// Why a call is counted among what was not understood.
const WHY: &str = "a type of another crate sends the statement";

/// What is known of one type.
#[derive(Clone, Debug, Default)]
pub struct Foreign {
    /// Some statement is read into it.
    is_row: bool,
    /// Where something of it is called with a connection.
    calls: BTreeSet<Span>,
}

impl Foreign {
    /// Where rows of it are handed a connection.
    pub fn calls(&self) -> impl Iterator<Item = Span> {
        self.calls.iter().copied().filter(|_| self.is_row)
    }
}

impl Evaluator<'_> {
    /// Notes what a statement's rows are read into.
    pub(super) fn note_row_of(&mut self, row: &Type) {
        if let Some(name) = self.of_another_crate(row) {
            self.unknown.foreign.entry(name).or_default().is_row = true;
        }
    }

    /// Notes a call that nobody declares, on a value of such a type, where it is handed a connection.
    pub(super) fn note_foreign(&mut self, ty: &Type, args: &[Value], at: Range) {
        if !self.is_handed_one(args) {
            return;
        }
        if let Some(name) = self.of_another_crate(ty) {
            let span = self.span(at);
            self.unknown.foreign.entry(name).or_default().calls.insert(span);
        }
    }

    /// The same of `Type::name(…)`.
    pub(super) fn note_foreign_path(&mut self, path: &TyPath, args: &[Value], at: Range) {
        let [of @ .., _] = path.segments.as_slice() else { return };
        if of.is_empty() || path.qself.is_some() || !self.is_handed_one(args) {
            return;
        }
        let of = Ty::Path(TyPath { segments: of.to_vec(), ..path.clone() });
        let ty = self.program.ty(self.frame.scope, Some(self.frame.function), &of);
        self.note_foreign(&ty, args, at);
    }

    fn is_handed_one(&self, args: &[Value]) -> bool {
        args.iter().any(|arg| self.handle(arg.term).is_some())
    }

    /// The name of a type that neither the program nor a database client nor std declares.
    fn of_another_crate(&self, ty: &Type) -> Option<Name> {
        let Type::External(path, _) = self.program.peel(ty) else { return None };
        let first = path.first()?.as_str();
        let known = matches!(first, "std" | "core" | "alloc")
            || self.clients.iter().any(|client| client.krates.contains(&first));
        // What came by a glob is known by its last name alone.
        path.last().filter(|_| !known).cloned()
    }

    /// Counts the calls among the statements that were not understood.
    pub(crate) fn count_foreign(&mut self) {
        let calls = self.unknown.foreign.values().map(|of| of.calls().count()).sum::<usize>();
        for _ in 0..calls {
            self.unknown_statement(WHY);
        }
    }
}
