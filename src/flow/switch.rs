//! Branches that a constant decides: a helper that is told by an argument which of its statements to send.

use std::sync::Arc;

use crate::event::{Flow, Path, Switch};
use crate::flow::Evaluator;
use crate::flow::instantiate::Mapping;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::link::{FnId, Type};
use crate::lower::tree::{Arm, Expr, ExprKind, Lit, Name, Pat, TyPath};

/// The arms of a branch that are not taken at one call.
pub(super) struct Closed {
    branch: u32,
    arms: u64,
}

impl Closed {
    /// Whether an event stands in such an arm.
    pub(super) fn bars(&self, path: &Path) -> bool {
        path.0.iter().any(|(branch, arms)| *branch == self.branch && arms & !self.arms == 0)
    }
}

impl<'p> Evaluator<'p> {
    /// Remembers a match of which the names of its patterns decide: on an argument, or on a column.
    pub(super) fn note_switch(&mut self, branch: u32, on: &Value, arms: &[Arm]) {
        if !self.depends_on_argument(on.term) && !self.is_column(on.term) || arms.len() > 60 {
            return;
        }
        let known =
            |arm: &Arm| if arm.guard.is_some() { None } else { names(&arm.pat).or_else(|| of_option(&arm.pat)) };
        let named: Option<Vec<Option<Vec<Name>>>> = arms.iter().map(known).collect();
        if let Some(arms) = named {
            self.frame.switches.push(Switch { branch, on: on.term, arms: arms.into() });
        }
    }

    /// The same for an `if` on a bool.
    pub(super) fn note_flag(&mut self, branch: u32, on: &Value) {
        if self.depends_on_argument(on.term) {
            let arms: Arc<[Option<Vec<Name>>]> = [Some(vec![Name::new("true")]), Some(vec![Name::new("false")])].into();
            self.frame.switches.push(Switch { branch, on: on.term, arms });
        }
    }

    /// The same for an `if let` that asks an argument for something.
    pub(super) fn note_asked(&mut self, branch: u32, pat: &Pat, tested: &Value) {
        if let Term::Exists(of) = self.terms.get(tested.term)
            && self.depends_on_argument(*of)
            && let Some(Some(asked)) = of_option(pat)
            && asked.iter().any(|name| name == SOMETHING)
        {
            let arms = [Some(asked), Some(vec![Name::new(NONE)])].into();
            self.frame.switches.push(Switch { branch, on: *of, arms });
        }
    }

    /// The same for a method that several types may have: which of them the receiver is does not change from call to
    /// call.
    pub(super) fn note_dispatch(&mut self, branch: u32, functions: &[FnId], receiver: Option<&Value>) {
        let Some(on) = receiver.map(|receiver| receiver.term) else { return };
        if self.program.function(functions[0]).receiver.is_none() || !self.depends_on_argument(on) {
            return;
        }
        let arms: Vec<Option<Vec<Name>>> = functions
            .iter()
            .map(|function| match self.program.self_type(*function) {
                Some(Type::Def(id, _)) => Some(vec![Name::new(format!("{id:?}"))]),
                _ => None,
            })
            .collect();
        self.frame.switches.push(Switch { branch, on, arms: arms.into() });
    }

    /// Whether a value is a column of a row.
    fn is_column(&self, term: TermId) -> bool {
        matches!(self.terms.get(term), Term::Field(of, _) if matches!(self.terms.get(*of), Term::Row(_)))
    }

    pub(super) fn depends_on_argument(&self, term: TermId) -> bool {
        match self.terms.get(term) {
            Term::Param(..) => true,
            Term::Field(of, _) => self.depends_on_argument(*of),
            _ => false,
        }
    }

    /// The arms that the arguments of a call close; what they leave open, the caller's own arguments may.
    pub(super) fn closed_arms(&mut self, flow: &Flow, map: &mut Mapping<'_>) -> Vec<Closed> {
        let mut closed = Vec::new();
        for switch in &flow.switches {
            let on = self.map_term(switch.on, map);
            match self.terms.get(on) {
                Term::Literal(name) => {
                    if let Some(chosen) = chosen(&switch.arms, name) {
                        let all = (1u64 << switch.arms.len()) - 1;
                        closed.push(Closed { branch: switch.branch, arms: all & !(1 << chosen) });
                    }
                }
                // Who hands in an open transaction hands in something.
                Term::Transaction(_) => {
                    if let Some(chosen) = chosen(&switch.arms, &Name::new(SOMETHING)) {
                        let all = (1u64 << switch.arms.len()) - 1;
                        closed.push(Closed { branch: switch.branch, arms: all & !(1 << chosen) });
                    }
                }
                // A column by now, of the row that was handed in.
                _ if self.depends_on_argument(on) || self.depends_on_argument(switch.on) && self.is_column(on) => {
                    let branch = self.map_branch(switch.branch, map);
                    self.frame.switches.push(Switch { branch, on, arms: switch.arms.clone() });
                }
                _ => {}
            }
        }
        closed
    }
}

/// The arm for a name. A name that no arm has may be anything else: a constant, a variant under another name.
fn chosen(arms: &[Option<Vec<Name>>], name: &Name) -> Option<usize> {
    let known = arms.iter().flatten().flatten().any(|one| one == name);
    let takes = |arm: &Option<Vec<Name>>| arm.as_ref().is_none_or(|names| names.contains(name));
    known.then(|| arms.iter().position(takes)).flatten()
}

/// The names a pattern is for: `Some(None)` when it takes all, none when it tests something else.
pub(super) fn names(pat: &Pat) -> Option<Option<Vec<Name>>> {
    match pat {
        Pat::Wild | Pat::Bind(_, None, _) => Some(None),
        Pat::Path(path) => Some(Some(vec![last(path)?])),
        Pat::TupleStruct(path, _) | Pat::Struct(path, _) => Some(Some(vec![last(path)?])),
        Pat::Lit(Expr { kind, .. }) => match &**kind {
            ExprKind::Lit(Lit::Bool(value)) => Some(Some(vec![Name::new(if *value { "true" } else { "false" })])),
            _ => None,
        },
        Pat::Ref(inner) => names(inner),
        Pat::Or(all) => {
            let mut found = Vec::new();
            for one in all {
                found.extend(names(one)??);
            }
            Some(Some(found))
        }
        _ => None,
    }
}

/// What `None` is called, and what an option is called that holds something, whatever that is.
const NONE: &str = "none";
pub(crate) const SOMETHING: &str = "Some(_)";

/// The same of a pattern for an option.
fn of_option(pat: &Pat) -> Option<Option<Vec<Name>>> {
    match pat {
        Pat::TupleStruct(path, inner) if path.segments.last()?.name == "Some" => {
            let any = inner.iter().all(|pat| matches!(pat, Pat::Wild | Pat::Bind(_, None, _)));
            any.then(|| Some(vec![Name::new(SOMETHING)]))
        }
        Pat::Path(path) if path.segments.last()?.name == "None" => Some(Some(vec![Name::new(NONE)])),
        _ => None,
    }
}

/// A variant's name. `Some` and `Ok` say nothing of a constant.
fn last(path: &TyPath) -> Option<Name> {
    let name = &path.segments.last()?.name;
    (!matches!(name.as_str(), "Some" | "None" | "Ok" | "Err")).then(|| name.clone())
}
