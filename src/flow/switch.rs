//! Branches that a constant decides: a helper that is told by an argument which of its statements to send.

use std::sync::Arc;

use crate::event::{Call, Flow, Path, Switch};
use crate::flow::Evaluator;
use crate::flow::generic::type_name;
use crate::flow::mapping::Mapping;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::link::FnId;
use crate::lower::tree::{Arm, BinOp, Expr, ExprKind, Lit, Name, Pat, TyPath, TypeKind};
use crate::span::Span;

/// The arms of a branch that are not taken at one call.
pub(super) struct Closed {
    branch: u32,
    arms: u64,
    /// The call of which one function is left.
    settled: Option<Span>,
}

impl Closed {
    /// Whether an event stands in such an arm.
    pub(super) fn bars(&self, path: &Path) -> bool {
        path.0.iter().any(|(branch, arms)| *branch == self.branch && arms & !self.arms == 0)
    }

    /// Notes that the call that this is about is no guess any more.
    pub(super) fn settle(&self, calls: &mut Arc<[Call]>) {
        let Some(settled) = self.settled else { return };
        let guess = |call: &Call| call.guessed && call.span == settled;
        if calls.iter().any(guess) {
            let sure = calls.iter().map(|call| Call { guessed: call.guessed && !guess(call), ..call.clone() });
            *calls = sure.collect();
        }
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
            self.frame.switches.push(Switch { branch, on: on.term, arms: arms.into(), call: None });
        }
    }

    /// The same for an `if` on a bool.
    pub(super) fn note_flag(&mut self, branch: u32, on: &Value) {
        if self.depends_on_argument(on.term) {
            let arms: Arc<[Option<Vec<Name>>]> = [Some(vec![Name::new("true")]), Some(vec![Name::new("false")])].into();
            self.frame.switches.push(Switch { branch, on: on.term, arms, call: None });
        }
    }

    /// The same for an `if` that compares an argument with a variant of an enum: `kind != Kind::Short`.
    pub(super) fn note_compared(&mut self, branch: u32, cond: &Expr, tested: &Value) {
        let ExprKind::Binary(op @ (BinOp::Eq | BinOp::Ne), left, right) = &*cond.kind else { return };
        let Term::Computed(_, parts) = self.terms.get(tested.term) else { return };
        let Some(on) = parts.iter().copied().find(|part| self.depends_on_argument(*part)) else { return };
        let named = |side: &Expr| match &*side.kind {
            ExprKind::Path(path) => self.variant_named(path),
            _ => None,
        };
        let Some((of, name)) = named(right).or_else(|| named(left)) else { return };
        let TypeKind::Enum(variants) = &self.program.type_def(of).kind else { return };
        let others = variants.iter().map(|variant| variant.name.clone()).filter(|other| *other != name).collect();
        let (equal, differs) = (Some(vec![name]), Some(others));
        let arms = if *op == BinOp::Eq { [equal, differs] } else { [differs, equal] };
        self.frame.switches.push(Switch { branch, on, arms: arms.into(), call: None });
    }

    /// The same for an `if let` that asks an argument for something.
    pub(super) fn note_asked(&mut self, branch: u32, pat: &Pat, tested: &Value) {
        if let Term::Exists(of) = self.terms.get(tested.term)
            && self.depends_on_argument(*of)
            && let Some(Some(asked)) = of_option(pat)
            && asked.iter().any(|name| name == SOMETHING)
        {
            let arms = [Some(asked), Some(vec![Name::new(NONE)])].into();
            self.frame.switches.push(Switch { branch, on: *of, arms, call: None });
        }
    }

    /// The same for a method that several types may have: which of them the receiver is does not change from call to
    /// call.
    ///
    /// In: the call; the type parameter that the functions are those of, where they are; what the method is called on.
    pub(super) fn note_dispatch(
        &mut self,
        branch: u32,
        call: Span,
        functions: &[FnId],
        of: Option<TermId>,
        receiver: Option<&Value>,
    ) {
        let receiver = receiver.filter(|_| self.program.function(functions[0]).receiver.is_some());
        let Some(on) = of.or(receiver.map(|receiver| receiver.term)) else { return };
        if !self.depends_on_argument(on) {
            return;
        }
        let arms = self.types_of_candidates(functions);
        self.frame.switches.push(Switch { branch, on, arms: arms.into(), call: Some(call) });
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
            let given = self.map_term_value(switch.on, map);
            let on = given.term;
            let of_type = || {
                let name = type_name(&self.program.peel(&given.ty))?;
                chosen(&switch.arms, &name).filter(|_| !self.terms.is_one_of_several(on))
            };
            let of_literal = match self.terms.get(on) {
                Term::Literal(name) => chosen(&switch.arms, name),
                _ => None,
            };
            // `Status::Done(note)`, whatever the note is.
            let of_variant = || {
                let mut made = given.variants.as_ref()?.names();
                made.try_fold(0, |all, name| Some(all | chosen(&switch.arms, name)?)).filter(|all| *all != 0)
            };
            if let Some(chosen) = of_literal.or_else(of_variant).or_else(of_type) {
                let all = (1u64 << switch.arms.len()) - 1;
                let settled = switch.call.filter(|_| chosen.is_power_of_two());
                closed.push(Closed { branch: switch.branch, arms: all & !chosen, settled });
                continue;
            }
            match self.terms.get(on) {
                // Who hands in an open transaction hands in something.
                Term::Transaction(_) => {
                    if let Some(chosen) = chosen(&switch.arms, &Name::new(SOMETHING)) {
                        let all = (1u64 << switch.arms.len()) - 1;
                        let settled = switch.call.filter(|_| chosen.is_power_of_two());
                        closed.push(Closed { branch: switch.branch, arms: all & !chosen, settled });
                    }
                }
                // A column by now, of the row that was handed in.
                _ if self.depends_on_argument(on) || self.depends_on_argument(switch.on) && self.is_column(on) => {
                    let branch = self.map_branch(switch.branch, map);
                    self.frame.switches.push(Switch { branch, on, ..switch.clone() });
                }
                _ => {}
            }
        }
        closed
    }
}

/// The arms for a name. A name that no arm has may be anything else: a constant, a variant under another name.
fn chosen(arms: &[Option<Vec<Name>>], name: &Name) -> Option<u64> {
    let takes = |arm: &Option<Vec<Name>>| arm.as_ref().is_some_and(|names| names.contains(name));
    let taken = arms.iter().enumerate().filter(|(_, arm)| takes(arm)).fold(0, |taken, (at, _)| taken | 1 << at);
    (taken != 0).then_some(taken)
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
