//! Conditions, branches and joins: what control depends on.

use crate::event::{Answer, Comparison, Cond, CondId, CondKind, Conds, Decided, Event, Path};
use crate::flow::absent::{Absent, absent_arm, is_let, lacking_arm, lacking_arms};
use crate::flow::merge::same_text;
use crate::flow::term::{Term, TermId, is_call};
use crate::flow::value::{Value, Wrap};
use crate::flow::{Evaluator, Exit, decode, refusal};
use crate::link::Type;
use crate::lower::tree::{self, Expr, Name, Pat};
use crate::span::Range;
use crate::sql::statement::{Access, Compare, Predicate, Verb};

/// The state before a branch, to which each arm returns.
pub(super) struct Fork {
    env: Vec<(Name, Value)>,
    deps: usize,
    path: Path,
    guards: usize,
    branch: u32,
    /// It only refuses what cannot be decoded.
    decodes: bool,
}

impl Fork {
    pub(super) fn decoding(mut self, decodes: bool) -> Self {
        self.decodes = decodes;
        self
    }

    pub(super) fn branch(&self) -> u32 {
        self.branch
    }
}

/// A value that a function or a closure returns.
pub(super) struct Return {
    value: Value,
    /// What decided that it returns here.
    deps: Conds,
    way: Path,
}

/// How one arm ended.
pub(super) struct Arm {
    value: Value,
    env: Vec<(Name, Value)>,
    /// What the way on depends on besides the arm's own condition.
    deps: Vec<(CondId, Exit)>,
    left: Option<Exit>,
    /// All that it gives is an error.
    refuses: bool,
    /// The one kind of error that it gives.
    error: Option<TermId>,
    bit: u64,
    /// The condition that chose the arm.
    conds: Vec<CondId>,
}

impl<'p> Evaluator<'p> {
    /// Makes a condition of a tested value; none when nothing of it can come from a database.
    pub(super) fn condition(&mut self, tested: &Value, kind: CondKind, at: Range) -> Option<CondId> {
        self.condition_of(None, tested, kind, at)
    }

    /// The same for the condition of a branch.
    fn condition_of(&mut self, decides: Option<Decided>, tested: &Value, kind: CondKind, at: Range) -> Option<CondId> {
        if tested.guards.is_empty() && !self.terms.matters(tested.term) {
            return None;
        }
        let mut compares = Vec::new();
        self.comparisons(tested.term, 0, &mut compares);
        let id = self.new_cond(Cond {
            term: tested.term,
            inner: tested.guards.clone(),
            compares: compares.into(),
            span: self.span(at),
            function: self.frame.function,
            kind,
            decides,
        });
        self.frame.conds.push(id);
        Some(id)
    }

    fn comparisons(&self, term: TermId, depth: usize, found: &mut Vec<Comparison>) {
        let Term::Computed(by, parts) = self.terms.get(term) else { return };
        let Some(op) = Compare::of_operator(by) else {
            if depth < 16 {
                for part in parts {
                    self.comparisons(*part, depth + 1, found);
                }
            }
            return;
        };
        if let [left, right] = **parts {
            found.push(Comparison { left, op, right });
        }
    }

    pub(super) fn fork(&mut self) -> Fork {
        let branch = self.terms.names.branch();
        Fork {
            env: self.frame.env.clone(),
            deps: self.frame.deps.len(),
            path: self.frame.path.clone(),
            guards: self.frame.guards.len(),
            branch,
            decodes: false,
        }
    }

    /// Runs one arm from the state at the fork.
    pub(super) fn arm(
        &mut self,
        fork: &Fork,
        index: usize,
        conds: &[CondId],
        body: impl FnOnce(&mut Self) -> Value,
    ) -> Arm {
        let bit = 1u64 << index.min(63);
        self.frame.env = fork.env.clone();
        self.frame.deps.truncate(fork.deps);
        self.frame.path = fork.path.enter(fork.branch, bit);
        self.frame.deps.extend(conds.iter().map(|cond| (*cond, Exit::Loop)));
        let returned = self.frame.returns.len();
        let value = body(self);
        let value = self.knowing(value);
        let returns = self.frame.returns.get(returned..).unwrap_or_default();
        let given = || returns.iter().map(|one| &one.value).chain(self.frame.left.is_none().then_some(&value));
        let refuses = given().next().is_some() && given().all(|one| self.is_error(one));
        let error =
            given().next().and_then(|one| one.error).filter(|error| given().all(|one| one.error == Some(*error)));
        self.frame.guards.truncate(fork.guards);
        let deps = self.frame.deps.drain(fork.deps..).skip(conds.len()).collect();
        Arm {
            value,
            env: std::mem::take(&mut self.frame.env),
            deps,
            left: self.frame.left.take(),
            refuses,
            error,
            bit,
            conds: conds.to_vec(),
        }
    }

    /// Goes on after the arms: variables are joined, and what follows depends on the conditions of arms that left.
    pub(super) fn join(&mut self, fork: Fork, arms: Vec<Arm>) -> Value {
        let left = arms.iter().filter_map(|arm| arm.left).max();
        let mut conds: Vec<CondId> = arms.iter().flat_map(|arm| arm.conds.iter().copied()).collect();
        conds.sort_unstable();
        conds.dedup();
        let gone = arms.iter().filter(|arm| arm.left == Some(Exit::Function)).fold(0, |bits, arm| bits | arm.bit);
        let refused = arms.iter().filter(|arm| arm.refuses).fold(0, |bits, arm| bits | arm.bit);
        let error = refusal::one_error(arms.iter().filter(|arm| arm.refuses).map(|arm| arm.error));
        for cond in &conds {
            if let Some(decides) = self.conds.get_mut(cond.0).0.decides.as_mut().filter(|it| it.branch == fork.branch) {
                (decides.left, decides.refused, decides.error) = (gone, refused, error);
            }
        }
        let live: Vec<&Arm> = arms.iter().filter(|arm| arm.left.is_none()).collect();
        let ways: Vec<Path> = live.iter().map(|arm| fork.path.enter(fork.branch, arm.bit)).collect();
        if live.is_empty() {
            self.frame.env = fork.env;
            self.frame.path = fork.path;
            self.frame.left = left.or(Some(Exit::Function));
            return self.fresh();
        }
        self.frame.path = match left {
            Some(_) => fork.path.enter(fork.branch, live.iter().fold(0, |bits, arm| bits | arm.bit)),
            None => fork.path.clone(),
        };
        if let Some(exit) = left
            && !fork.decodes
        {
            self.frame.deps.extend(conds.iter().map(|cond| (*cond, exit)));
        }
        for arm in &live {
            for dep in &arm.deps {
                if !self.frame.deps.contains(dep) {
                    self.frame.deps.push(*dep);
                }
            }
        }
        // A single arm that goes on decides nothing by itself: its condition is among what control depends on.
        let deciding: &[CondId] = if live.len() > 1 { &conds } else { &[] };
        let mut env = Vec::with_capacity(fork.env.len());
        for (place, (name, before)) in fork.env.iter().enumerate() {
            let values: Vec<&Value> = live.iter().filter_map(|arm| arm.env.get(place).map(|(_, v)| v)).collect();
            let unchanged = values.iter().all(|value| value.term == before.term && same_text(value, before));
            let value = if unchanged && values.len() == live.len() {
                values.first().map_or_else(|| before.clone(), |value| (*value).clone())
            } else {
                self.merge_ways(&values, &ways, deciding)
            };
            env.push((name.clone(), value));
        }
        self.frame.env = env;
        let values: Vec<&Value> = live.iter().map(|arm| &arm.value).collect();
        let mut value = self.merge_ways(&values, &ways, deciding);
        if fork.decodes {
            value.refused = self.refusals(&values, &[]);
        }
        value
    }

    pub(super) fn branch_if(&mut self, cond: &Expr, then: &Expr, otherwise: Option<&Expr>) -> Value {
        let variables = self.frame.env.len();
        let deps = self.frame.deps.len();
        let tested = self.expr(cond);
        if self.frame.left.is_some() {
            return tested;
        }
        match (self.way_left(cond, &tested), otherwise) {
            (Some(true), _) => return self.expr(then),
            (Some(false), Some(otherwise)) => return self.expr(otherwise),
            (Some(false), None) => return Value::new(self.terms.literal("()"), Type::Unit),
            (None, _) => {}
        }
        let bound: Vec<(Name, Value)> = self.frame.env.drain(variables.min(self.frame.env.len())..).collect();
        let fork = self.fork();
        let decides = Decided { is_if: !is_let(cond), ..Decided::of(fork.branch(), lacking_arm(cond)) };
        let conds: Vec<_> = self.condition_of(Some(decides), &tested, CondKind::Test, cond.at).into_iter().collect();
        self.note_flag(fork.branch(), &tested);
        self.note_compared(fork.branch(), cond, &tested);
        let absent = absent_arm(cond, &tested.absent);
        self.note_absence(fork.branch(), absent, &tested.absent);
        self.note_blank(fork.branch(), absent, &tested);
        if let tree::ExprKind::Let(pat, _) = &*cond.kind {
            self.note_leads(fork.branch(), &tested, &[(&**pat, false), (&Pat::Wild, false)]);
        }
        self.note_asked(fork.branch(), cond, &tested);
        let (dialect, engines) = (self.frame.dialect, self.engines_of_arms(cond));
        self.frame.dialect = engines[0].or(dialect);
        let yes = self.arm(&fork, 0, &conds, |ev| {
            ev.frame.env.extend(bound);
            let value = ev.expr(then);
            ev.frame.env.truncate(variables);
            value
        });
        self.frame.dialect = engines[1].or(dialect);
        let no = self.arm(&fork, 1, &conds, |ev| match otherwise {
            Some(otherwise) => ev.expr(otherwise),
            None => Value::new(ev.terms.literal("()"), Type::Unit),
        });
        self.frame.dialect = dialect;
        let left = [yes.left.is_some(), no.left.is_some()];
        let value = self.join(fork, vec![yes, no]);
        debug_assert!(self.frame.deps.len() >= deps);
        if left[0] != left[1]
            && let (Some((arm, kinds)), [decides]) = (self.kinds_asked(cond), conds.as_slice())
            && !left[arm]
        {
            self.hang_on_rest(*decides, &kinds);
        }
        value
    }

    pub(super) fn branch_match(&mut self, of: &Expr, arms: &[tree::Arm]) -> Value {
        let scrutinee = self.expr(of);
        if self.frame.left.is_some() || arms.is_empty() {
            return scrutinee;
        }
        match self.arms_left(of, &scrutinee, arms) {
            Some(left) => self.branch_arms(of, scrutinee, &left),
            None => self.branch_arms(of, scrutinee, arms),
        }
    }

    fn branch_arms(&mut self, of: &Expr, scrutinee: Value, arms: &[tree::Arm]) -> Value {
        // One condition for the whole match: any arm is chosen by what all patterns look at.
        let tests: Vec<Value> = arms.iter().map(|arm| self.tested(&arm.pat, &scrutinee)).collect();
        let parts: Vec<_> = tests
            .iter()
            .map(|test| test.term)
            .filter(|term| !matches!(self.terms.get(*term), Term::Literal(_)))
            .collect();
        let mut tested = scrutinee.clone();
        tested.term = match parts.as_slice() {
            // `Ok` and `Err` of a result ask for nothing that is in it.
            [] if matches!(scrutinee.wrap, Wrap::Answer | Wrap::Fallible) => {
                tested = self.success(&scrutinee);
                tested.term
            }
            [] => scrutinee.term,
            [one] => *one,
            _ => {
                let mut parts = parts;
                parts.sort_unstable();
                parts.dedup();
                if parts.len() == 1 { parts[0] } else { self.terms.computed("match", parts) }
            }
        };
        let alike = self.taken_alike(arms);
        tested.guards = self.not_refused_with(&tested.guards, &alike);
        let irrefutable = arms.len() == 1;
        let decodes = decode::is_decoding(arms);
        let fork = self.fork().decoding(decodes);
        let decides = Decided::of(fork.branch(), lacking_arms(arms));
        let cond = if irrefutable { None } else { self.condition_of(Some(decides), &tested, CondKind::Test, of.at) };
        self.note_switch(fork.branch(), &scrutinee, arms);
        self.note_absent_arms(fork.branch(), &scrutinee, arms);
        let asked: Vec<(&Pat, bool)> = arms.iter().map(|arm| (&arm.pat, arm.guard.is_some())).collect();
        self.note_leads(fork.branch(), &scrutinee, &asked);
        let mut ended = Vec::with_capacity(arms.len());
        // An arm is also taken because the guards of earlier ones did not hold.
        let mut guards: Vec<CondId> = Vec::new();
        let dialect = self.frame.dialect;
        for (i, arm) in arms.iter().enumerate() {
            let value = scrutinee.clone();
            self.frame.dialect = self.engine_of_pattern(&arm.pat).or(dialect);
            let undecided = decodes && i + 1 == arms.len();
            let conds: Vec<_> = cond.into_iter().filter(|_| !undecided).chain(guards.iter().copied()).collect();
            let mut ended_here = self.arm(&fork, i, &conds, |ev| {
                let variables = ev.frame.env.len();
                ev.bind_from(&arm.pat, value, of);
                if let Some(guard) = &arm.guard {
                    let tested = ev.expr(guard);
                    let cond = ev.condition(&tested, CondKind::Test, guard.at);
                    guards.extend(cond);
                    ev.frame.deps.extend(cond.map(|cond| (cond, Exit::Loop)));
                }
                let value = ev.expr(&arm.body);
                ev.frame.env.truncate(variables);
                value
            });
            let asked = &guards[conds.len() - usize::from(cond.is_some() && !undecided)..];
            ended_here.deps.retain(|(cond, _)| !asked.contains(cond));
            ended_here.conds.extend(asked);
            ended.push(ended_here);
        }
        self.frame.dialect = dialect;
        let left: Vec<bool> = ended.iter().map(|arm| arm.left.is_some()).collect();
        let value = self.join(fork, ended);
        if let Some(cond) = cond {
            let passed = self.passed_alike(arms, &left);
            self.hang_on_rest(cond, &passed);
        }
        self.encoded(&scrutinee, arms, value)
    }

    /// What decides whether a result is a value or an error.
    pub(super) fn success(&mut self, value: &Value) -> Value {
        let mut tested = value.clone();
        if let Some(refused) = &value.refused {
            tested.guards = refused.clone();
        } else if value.wrap == Wrap::Answer {
            // It is there whichever way was chosen, unless something on the way had to be.
            tested.guards = self.needed(&value.guards);
        }
        tested.term = self.terms.literal("ok");
        tested
    }

    /// The conditions that something had to be there or hold, without those that only chose.
    fn needed(&self, guards: &[CondId]) -> Conds {
        guards.iter().copied().filter(|cond| self.cond(*cond).kind != CondKind::Test).collect()
    }

    /// What remains of a body when a value was needed and is not there: the way on depends on its presence.
    pub(super) fn require(&mut self, value: &Value, at: Range) {
        let mut tested = value.clone();
        if value.wrap == Wrap::Found && self.is_found_by_state(value.term) {
            // The row is there because what its SELECT asks for held.
            tested.term = self.terms.exists(value.term);
        } else if value.wrap != Wrap::Bare {
            tested = self.success(value);
            if tested.guards.is_empty() {
                return;
            }
        } else if !value.guards.is_empty() || self.terms.matters(value.term) {
            tested.term = self.terms.exists(value.term);
            if matches!(self.terms.get(value.term), Term::Computed(by, _) if is_call(by)) {
                // Whether an unknown call succeeds is not what its arguments were chosen by.
                tested.guards = self.needed(&value.guards);
            }
        }
        if let Some(cond) = self.condition(&tested, CondKind::Presence, at) {
            self.frame.deps.push((cond, Exit::Function));
        }
    }

    /// Whether a required row is looked for by more than what names it. A count is there whatever is counted.
    fn is_found_by_state(&self, row: TermId) -> bool {
        let Term::Row(read) = self.terms.get(row) else { return false };
        let sent = self.emitted(*read).and_then(Event::access);
        let Some(sent) = sent.filter(|sent| sent.statement.verb == Verb::Select) else { return false };
        let asks = |predicate: &Predicate| predicate.is_of_state(self.is_fixed(sent, &predicate.value));
        let of_state = |access: &Access| access.aggregate.is_none() && access.filter.iter().any(asks);
        sent.statement.accesses.iter().any(of_state)
    }

    /// What is inside of a statement's result. A required row of one column is that column from here on, so that
    /// asking whether it is there asks whether it is null.
    pub(super) fn unwrapped(&mut self, mut value: Value) -> Value {
        if value.wrap == Wrap::Found && self.single_column(value.term) {
            value.term = self.terms.field(value.term, Name::new("0"));
        }
        self.taken_out(&mut value);
        value.term = self.terms.without(value.term, "error");
        if value.wrap == Wrap::Bare && value.ty.external_name() == Some("Option") {
            value.term = self.terms.without(value.term, "none");
        }
        self.inside_result(&mut value.ty);
        value.wrap = Wrap::Bare;
        value.refused = None;
        value
    }

    /// Notes a value the function returns, and what decided that it returns here.
    pub(super) fn leave_with(&mut self, value: Value) {
        self.note_answer(&value);
        self.leave_since(value, 0);
    }

    /// The same for a closure, which began when control depended on so many conditions.
    pub(super) fn leave_since(&mut self, value: Value, deps: usize) {
        let returned = self.returned_since(value, deps);
        self.frame.returns.push(returned);
    }

    /// Whether the last way out gives an error.
    pub(super) fn ends_refusing(&self) -> bool {
        self.frame.returns.last().is_some_and(|last| self.is_error(&last.value))
    }

    pub(super) fn returned_since(&self, value: Value, deps: usize) -> Return {
        let deps = self.frame.deps[deps..].iter().map(|(cond, _)| *cond).collect();
        Return { value: self.knowing(value), deps, way: self.frame.path.clone() }
    }

    /// What is given on each way out, where there are several.
    pub(super) fn answers(&self) -> Vec<Answer> {
        let returns = self.frame.returns.iter();
        let all = returns.map(|one| Answer { way: one.way.clone(), term: one.value.term });
        if self.frame.returns.len() > 1 { all.collect() } else { Vec::new() }
    }

    /// The joined result of all returns since `base`, of a body whose events begin at `events`.
    pub(super) fn joined_return(&mut self, base: usize, events: usize, ty: Type) -> Value {
        let returns: Vec<Return> = self.frame.returns.drain(base..).collect();
        self.note_refused(&returns, events);
        self.joined(returns, ty)
    }

    /// Marks the writes after which a body gives nothing but errors.
    fn note_refused(&mut self, returns: &[Return], events: usize) {
        let (errors, others): (Vec<&Return>, Vec<&Return>) = returns.iter().partition(|one| self.is_error(&one.value));
        if errors.is_empty() {
            return;
        }
        let of_body = self.frame.events.get_mut(events..).unwrap_or_default();
        for event in of_body.iter_mut().filter(|event| event.access().is_some_and(|access| access.statement.writes())) {
            let met = |all: &[&Return]| all.iter().any(|one| one.way.meets(&event.path));
            event.refused |= met(&errors) && !met(&others);
        }
    }

    /// One of several values that something is left with.
    pub(super) fn joined(&mut self, returns: Vec<Return>, ty: Type) -> Value {
        let values: Vec<&Value> = returns.iter().map(|one| &one.value).collect();
        if values.is_empty() {
            return Value::new(self.terms.literal("()"), ty);
        }
        let alike = returns.len() > 1 && values.iter().all(|value| value.term == values[0].term);
        let conds: Vec<CondId> = if alike {
            // Whichever way it returns, it says the same.
            Vec::new()
        } else if returns.len() > 1 {
            returns.iter().flat_map(|one| one.deps.iter().copied()).collect()
        } else {
            // One way out, but `?` on the way may have left with an error.
            returns[0].deps.to_vec()
        };
        let ways: Vec<Path> = returns.iter().map(|one| one.way.clone()).collect();
        let mut value = self.merge_ways(&values, &ways, &union(&[], &conds));
        value.refused = self.returned_refusals(&returns);
        // `?` on the way may have left with none.
        if value.absent.is_given() && ty.external_name() != Some("Result") {
            value.absent = Absent::Never;
        }
        // Where one of the results may be there or not, `?` asks for that.
        if values.iter().any(|one| one.wrap == Wrap::Bare && !self.is_error(one)) {
            value.wrap = Wrap::Bare;
        }
        if !matches!(ty, Type::Unknown) || matches!(value.ty, Type::Unknown) {
            value.ty = ty;
        }
        value
    }

    /// What decides whether a function gives a value or an error: not an early `return Ok(…)`, since the caller's `?`
    /// goes on after that as after any other; where it is the only one, it does.
    fn returned_refusals(&self, returns: &[Return]) -> Option<Conds> {
        let mut found: Vec<CondId> = Vec::new();
        let one_way = returns.iter().filter(|one| !self.is_error(&one.value)).count() == 1;
        for Return { value, deps, .. } in returns {
            if self.is_error(value) {
                found.extend(deps.iter().copied());
                continue;
            }
            found.extend(value.refused.as_ref().filter(|_| value.wrap == Wrap::Answer)?.iter().copied());
            let refuses =
                |cond: &CondId| one_way || matches!(self.cond(*cond).kind, CondKind::Presence | CondKind::Must);
            found.extend(deps.iter().copied().filter(refuses));
        }
        Some(union(&[], &found))
    }
}

/// Both, sorted, each once, at most 64.
pub(super) fn union(a: &[CondId], b: &[CondId]) -> Conds {
    let mut all: Vec<CondId> = a.iter().chain(b).copied().collect();
    all.sort_unstable();
    all.dedup();
    all.truncate(64);
    Conds::from(all)
}
