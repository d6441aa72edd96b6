//! Who sends the request: what a web framework's extractor says of it, and no path, query or body.

use crate::event::EventId;
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId};
use crate::flow::value::{Shape, Value};
use crate::link::Type;
use crate::lower::tree::Name;

impl Evaluator<'_> {
    /// Remembers a parameter that says who asks: what an extractor of the program itself gives, which is no wrapper around
    /// whatever is sent, or what a middleware has left with the request.
    pub(super) fn note_who_asks(&mut self, value: &Value, extracted: bool) {
        let own = extracted && matches!(&value.ty, Type::Def(_, args) if args.is_empty());
        if own || matches!(&value.ty, Type::External(path, _) if is_left_with_request(path)) {
            self.askers.insert(value.term);
            if let Shape::Record(parts) = &value.shape {
                let told = parts.iter().map(|(_, part)| part.term);
                self.askers.extend(told.filter(|term| !matches!(self.terms.get(*term), Term::Literal(_))));
            }
        }
    }

    /// Whether what says who asks is a row that a statement gave.
    pub fn gives_row_of_asker(&self, read: EventId) -> bool {
        self.askers.iter().any(|term| *self.terms.get(*term) == Term::Row(read))
    }

    /// Whether a value is what says who asks, or a part of it.
    pub fn says_who_asks(&self, mut term: TermId) -> bool {
        loop {
            if self.askers.contains(&term) {
                return true;
            }
            match self.terms.get(term) {
                Term::Field(of, _) => term = *of,
                _ => return false,
            }
        }
    }
}

fn is_left_with_request(path: &[Name]) -> bool {
    let steps: Vec<&str> = path.iter().map(Name::as_str).collect();
    matches!(
        steps.as_slice(),
        ["axum", .., "Extension"]
            | ["actix_web", .., "ReqData"]
            | ["actix_identity", .., "Identity"]
            | ["poem", .., "Data"]
    )
}
