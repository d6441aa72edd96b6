//! Branches that a constant decides: a helper that is told by an argument which of its statements to send.

use std::sync::Arc;

use crate::event::{Call, Flow, Lead, Path, Switch};
use crate::flow::Evaluator;
use crate::flow::absent::takes_all;
use crate::flow::generic::type_name;
use crate::flow::mapping::Mapping;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::link::{FnId, TypeId};
use crate::lower::tree::{Arm, BinOp, Expr, ExprKind, Lit, Name, Pat, TyPath, TypeKind};
use crate::span::Span;

/// How many arms of a branch are told apart.
const ARMS: usize = 60;

/// The arms of a branch that are not taken at one call.
pub(super) struct Closed {
    branch: u32,
    arms: u64,
    /// The call of which one function is left.
    settled: Option<Span>,
}

impl Closed {
    fn behind(lead: &Lead) -> Self {
        Self { branch: lead.branch, arms: lead.arms, settled: None }
    }

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
    /// Remembers a match of which the names of its patterns decide: on an argument, on a column, or on a tuple of such.
    pub(super) fn note_switch(&mut self, branch: u32, on: &Value, arms: &[Arm]) {
        let guarded = arms.iter().any(|arm| arm.guard.is_some());
        if self.may_decide(on.term) {
            let pats: Vec<&Pat> = arms.iter().map(|arm| &arm.pat).collect();
            self.note_arms(branch, on.term, &pats, guarded);
            return;
        }
        let parts = |pat: &Pat| if let Pat::Tuple(parts) = pat { parts.len() } else { 0 };
        let width = arms.iter().map(|arm| parts(&arm.pat)).max().unwrap_or(0);
        for place in 0..width {
            let part = self.field(on, &place.to_string()).term;
            if self.may_decide(part) {
                let pats: Vec<&Pat> = arms.iter().map(|arm| part_of(&arm.pat, place)).collect();
                self.note_arms(branch, part, &pats, true);
            }
        }
    }

    fn may_decide(&self, term: TermId) -> bool {
        self.depends_on_argument(term) || self.is_column(term)
    }

    /// The same of one value and the patterns for it.
    fn note_arms(&mut self, branch: u32, on: TermId, pats: &[&Pat], passed_over: bool) {
        self.frame.switches.extend(self.switch(branch, on, pats, passed_over));
    }

    /// A branch by the names of its patterns; none where these do not decide.
    pub(super) fn switch(&self, branch: u32, on: TermId, pats: &[&Pat], passed_over: bool) -> Option<Switch> {
        let passed_over = passed_over || pats.iter().any(|pat| asks_inside(pat));
        let known = |pat: &&Pat| match names(pat).or_else(|| of_option(pat)) {
            None if passed_over => Some(None),
            known => known,
        };
        let arms = pats.iter().map(known).collect::<Option<Vec<_>>>().filter(|arms| arms.len() <= ARMS)?;
        let mut of = None;
        let all_of_one = pats.iter().all(|pat| self.is_of_one_enum(pat, &mut of));
        let switch = Switch { of: of.filter(|_| all_of_one), passed_over, ..Switch::on(branch, on, arms) };
        (!passed_over || switch.of.is_some() || is_of_two(&switch)).then_some(switch)
    }

    /// Whether all that a pattern names are variants of one enum, the same as those of patterns before.
    fn is_of_one_enum(&self, pat: &Pat, of: &mut Option<TypeId>) -> bool {
        match pat {
            Pat::Wild | Pat::Bind(_, None, _) => true,
            Pat::Ref(inner) => self.is_of_one_enum(inner, of),
            Pat::Or(all) => all.iter().all(|pat| self.is_of_one_enum(pat, of)),
            Pat::Path(path) | Pat::TupleStruct(path, _) | Pat::Struct(path, _) => {
                self.variant_named(path).is_some_and(|(own, _)| *of.get_or_insert(own) == own)
            }
            _ => false,
        }
    }

    /// The same for an `if` on a bool.
    pub(super) fn note_flag(&mut self, branch: u32, on: &Value) {
        if self.depends_on_argument(on.term) {
            let arms = vec![Some(vec![Name::new("true")]), Some(vec![Name::new("false")])];
            self.frame.switches.push(Switch::on(branch, on.term, arms));
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
        let arms = if *op == BinOp::Eq { vec![equal, differs] } else { vec![differs, equal] };
        self.frame.switches.push(Switch::on(branch, on, arms));
    }

    /// The same for an `if` that asks whether an argument is there: `if let Some(x) = wanted`, `wanted.is_none()`.
    pub(super) fn note_asked(&mut self, branch: u32, cond: &Expr, tested: &Value) {
        let Term::Exists(of) = *self.terms.get(tested.term) else { return };
        if !self.depends_on_argument(of) {
            return;
        }
        let something = match &*cond.kind {
            ExprKind::Let(pat, _) if asks_inside(pat) => return,
            ExprKind::Let(pat, _) => {
                of_option(pat).is_some_and(|asked| asked.is_some_and(|names| names[0] == SOMETHING))
            }
            ExprKind::Method(call) if call.name == "is_some" => true,
            ExprKind::Method(call) if call.name == "is_none" => false,
            _ => return,
        };
        let (there, none) = (Some(vec![Name::new(SOMETHING)]), Some(vec![Name::new(NONE)]));
        let arms = if something { vec![there, none] } else { vec![none, there] };
        self.frame.switches.push(Switch::on(branch, of, arms));
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
        self.frame.switches.push(Switch { call: Some(call), ..Switch::on(branch, on, arms) });
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
            if let Some(chosen) = self.chosen(switch, &given) {
                let all = (1u64 << switch.arms.len()) - 1;
                let settled = switch.call.filter(|_| chosen.is_power_of_two());
                closed.push(Closed { branch: switch.branch, arms: all & !chosen, settled });
                continue;
            }
            if let Some([given, none]) = given.absent.chosen() {
                let arms = |name: &str| taken_by(switch, &Name::new(name), None);
                if let (Some(there), Some(not)) = (arms(SOMETHING), arms(NONE))
                    && there & not == 0
                {
                    let (given, none) = (given.clone(), none.clone());
                    let branch = self.map_branch(switch.branch, map);
                    let leads = [(there, given), (not, none)].map(|(arms, ways)| Lead { branch, arms, ways });
                    self.frame.leads.extend(leads);
                }
                continue;
            }
            // A column by now, of the row that was handed in.
            if self.depends_on_argument(on) || self.depends_on_argument(switch.on) && self.is_column(on) {
                let branch = self.map_branch(switch.branch, map);
                self.frame.switches.push(Switch { branch, on, ..switch.clone() });
            }
        }
        // To what lies behind such an arm alone nobody comes.
        let barred = |lead: &&Lead| lead.ways.iter().all(|way| closed.iter().any(|arms: &Closed| arms.bars(way)));
        let behind: Vec<Closed> = flow.leads.iter().filter(barred).map(Closed::behind).collect();
        closed.extend(behind);
        closed
    }

    /// The arms that are taken of a branch with what is handed in; none where nobody knows.
    fn chosen(&self, switch: &Switch, given: &Value) -> Option<u64> {
        let of_type = || {
            let name = type_name(&self.program.peel(&given.ty))?;
            taken_by(switch, &name, None).filter(|_| !self.terms.is_one_of_several(given.term))
        };
        self.chosen_by_name(switch, given).or_else(of_type)
    }

    /// The same by what is handed in, whatever its type is.
    pub(super) fn chosen_by_name(&self, switch: &Switch, given: &Value) -> Option<u64> {
        let named = |name: &Name, of: Option<TypeId>| taken_by(switch, name, of);
        // What was put into `Some`, and an open transaction, is something.
        if given.absent.is_given() || matches!(self.terms.get(given.term), Term::Transaction(_)) {
            let something = named(&Name::new(SOMETHING), None);
            if something.is_some() {
                return something;
            }
        }
        let of = given.variants.as_ref().map(|variants| variants.of());
        let of_literal = || match self.terms.get(given.term) {
            Term::Literal(name) => named(name, of),
            _ => None,
        };
        // `Status::Done(note)`, whatever the note is.
        let of_variant = || {
            let mut made = given.variants.as_ref()?.names();
            made.try_fold(0, |all, name| Some(all | named(name, of)?)).filter(|all| *all != 0)
        };
        of_literal().or_else(of_variant)
    }
}

/// The arms for a name. A name that no arm has may be anything else, a constant or a variant under another name, unless it is
/// one of the same enum, or one of two.
fn taken_by(switch: &Switch, name: &Name, of: Option<TypeId>) -> Option<u64> {
    let known = switch.arms.iter().flatten().any(|names| names.contains(name));
    let certain = of.is_some() && of == switch.of || of_two(name).is_some_and(|of| is_named_of(switch, of));
    let taken = if certain || known && !switch.passed_over { switch.arms_for(|own| own == name) } else { 0 };
    (taken != 0).then_some(taken)
}

/// The two names that what has one of them can have: those of a bool, those of an option.
fn of_two(name: &str) -> Option<[&'static str; 2]> {
    [["true", "false"], [SOMETHING, NONE]].into_iter().find(|two| two.contains(&name))
}

fn is_named_of(switch: &Switch, two: [&str; 2]) -> bool {
    let mut names = switch.arms.iter().flatten().flatten().peekable();
    names.peek().is_some() && names.all(|name| two.contains(&name.as_str()))
}

/// Whether all names of a branch are those of a bool, or those of an option.
fn is_of_two(switch: &Switch) -> bool {
    let first = switch.arms.iter().flatten().flatten().next();
    first.and_then(|name| of_two(name)).is_some_and(|two| is_named_of(switch, two))
}

/// The part of a pattern that is for one place of a tuple; all of it where it is something else.
fn part_of(pat: &Pat, place: usize) -> &Pat {
    match pat {
        Pat::Tuple(parts) if !parts.iter().any(|part| matches!(part, Pat::Rest)) => {
            parts.get(place).unwrap_or(&Pat::Wild)
        }
        Pat::Ref(inner) => part_of(inner, place),
        _ => &Pat::Wild,
    }
}

/// Whether a pattern asks for more than a name: for what is in the variant.
fn asks_inside(pat: &Pat) -> bool {
    match pat {
        Pat::TupleStruct(_, inner) => !inner.iter().all(takes_all),
        Pat::Struct(_, fields) => !fields.iter().all(|(_, pat)| takes_all(pat)),
        Pat::Ref(inner) => asks_inside(inner),
        Pat::Or(all) => all.iter().any(asks_inside),
        _ => false,
    }
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
        Pat::TupleStruct(path, _) if path.segments.last()?.name == "Some" => Some(Some(vec![Name::new(SOMETHING)])),
        Pat::Path(path) if path.segments.last()?.name == "None" => Some(Some(vec![Name::new(NONE)])),
        Pat::Ref(inner) => of_option(inner),
        _ => None,
    }
}

/// A variant's name. `Some` and `Ok` say nothing of a constant.
fn last(path: &TyPath) -> Option<Name> {
    let name = &path.segments.last()?.name;
    (!matches!(name.as_str(), "Some" | "None" | "Ok" | "Err")).then(|| name.clone())
}
