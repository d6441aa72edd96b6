//! rocket's outcome of a request guard: a result under other names.

use crate::flow::Evaluator;
use crate::link::Def;
use crate::lower::tree::{Name, TyPath};

impl<'p> Evaluator<'p> {
    /// `Ok` or `Err`, whichever a variant of rocket's `Outcome` stands for; none for other paths.
    ///
    /// Source: `rocket::outcome::Outcome`, 0.4 (`Failure`) and 0.5 (`Error`).
    pub(super) fn outcome(&self, path: &TyPath) -> Option<&'static str> {
        let [.., of, variant] = path.segments.as_slice() else { return None };
        let result = match variant.name.as_str() {
            "Success" => "Ok",
            "Error" | "Failure" | "Forward" => "Err",
            _ => return None,
        };
        if path.qself.is_some() || of.name != "Outcome" {
            return None;
        }
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        let defs = self.program.resolve(self.frame.scope, &names);
        let rocket =
            |def: &Def| matches!(def, Def::External(full) if full.first().is_some_and(|krate| krate == "rocket"));
        defs.iter().any(rocket).then_some(result)
    }
}
