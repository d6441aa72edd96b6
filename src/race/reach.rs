//! Which functions two requests can run at once.
//!
//! What is called by nobody in sight is called by a framework, by other crates, or by a test: it counts as reachable. What
//! only `main` leads to, straight and not by a task or an endless loop, runs once for each start of the program. What only
//! one task or loop leads to, which is started once, goes on beside everything else, but not beside itself; neither does
//! what others call with `&mut` of a value that there is one of, or with the value itself.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::flow::Evaluator;
use crate::flow::graph::{CallGraph, CallSite};
use crate::link::{FnId, ImplId, Program};
use crate::race::made;
use crate::span::Span;

/// Attributes that leave a function what it is: any other may be a framework's, which calls it.
pub(super) const PLAIN: [&str; 14] = [
    "allow",
    "expect",
    "warn",
    "deny",
    "cfg",
    "cfg_attr",
    "doc",
    "inline",
    "cold",
    "must_use",
    "deprecated",
    "instrument",
    "async_recursion",
    "track_caller",
];

/// Beside what a function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Before everything else: when the program starts.
    First,
    /// In one task, one after the other.
    Alone(Task),
    /// Beside itself.
    Many,
}

/// A task that there is once in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// A loop that `main` itself goes round in.
    Main(FnId),
    /// A job of which there is one in all processes that share the database, by what it runs.
    Job(ImplId),
    /// Started by this call, or all that is done through the value that is made here.
    Started(Span),
}

/// How the functions of a program run, those that are never called left out.
#[derive(Default)]
pub struct Reach {
    runs: FxHashMap<FnId, State>,
}

/// A function that has a value to itself.
struct HeldAlone {
    function: FnId,
    /// It uses the value up.
    once: bool,
    /// Where such values are made.
    places: Vec<CallSite>,
    /// Who calls it: of a value that may be made often they know more.
    callers: Vec<CallSite>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    runs: Runs,
    /// Called in a loop, so that a task it starts may be one of many.
    again: bool,
    /// It goes on for as long as the program does: a request's handler, a round of a service.
    serving: bool,
    /// In a closure that something unknown was handed, which may call it as often as it likes.
    handed: bool,
    /// The branch of a `select!` or `join!` in which the program itself comes to it.
    branch: Branch,
    /// The program it belongs to, of those that the workspace has; [`FnId::NONE`] where nobody knows.
    main: FnId,
}

/// A branch that takes turns with others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    None,
    One(Span),
    Several,
}

impl Reach {
    /// In: the calls that were followed, all functions that run in production, and those of them that are there for tests.
    pub fn of(ev: &Evaluator<'_>, functions: &[FnId], for_tests: &FxHashSet<FnId>) -> Self {
        let (workspace, program, calls, config) = (ev.workspace, ev.program, &ev.calls, ev.config);
        let sees = |caller: FnId, id: FnId| match (program.krate_of(caller), program.krate_of(id)) {
            (Some(from), Some(to)) => {
                let (from, to) = (&workspace.crates[from], &workspace.crates[to]);
                from.dir == to.dir || from.dependencies.iter().any(|dependency| dependency.package == to.name)
            }
            _ => true,
        };
        let pointed: FxHashMap<FnId, Vec<CallSite>> = functions
            .iter()
            .map(|id| (*id, calls.pointed_at(program, *id)))
            .filter(|(_, sites)| !sites.is_empty())
            .collect();
        let by_pointer = |id: FnId| {
            let sites = pointed.get(&id).map_or(&[][..], Vec::as_slice);
            sites.iter().filter(move |site| sees(site.caller, id) || sees(id, site.caller))
        };
        let called_by = |id: FnId| {
            let callers = calls.callers.get(&id).map_or(&[][..], Vec::as_slice);
            let likely = likely_callers(program, calls, id).iter().filter(move |site| sees(site.caller, id));
            let all = callers.iter().chain(likely).chain(by_pointer(id));
            let own = move |site: &&CallSite| site.caller == id || for_tests.contains(&site.caller);
            all.filter(move |site| !own(site) && !program.function(site.caller).test)
        };
        let mut reach = Self::default();
        let mut todo: Vec<FnId> = Vec::new();
        let mut one_after_the_other: Vec<HeldAlone> = Vec::new();
        let mut calls_of: FxHashMap<FnId, Vec<(FnId, CallSite)>> = FxHashMap::default();
        for id in functions.iter().filter(|id| !for_tests.contains(id)) {
            let called = called_by(*id).next().is_some();
            let main = is_main(program, *id);
            let handed_around = calls.values.contains(id) && by_pointer(*id).next().is_none();
            if let Some((ty, once)) = made::held_alone(program, *id)
                && (once || !called)
                && !handed_around
                && !config.is_entry_point(&program.path_of(*id))
                && let Some(places) = made::places(program, calls, ty, &|id| called_by(id).copied().collect())
            {
                let places = places.into_iter().map(|site| calls.settled(site)).collect();
                let callers = called_by(*id).map(|site| calls.settled(*site)).collect();
                one_after_the_other.push(HeldAlone { function: *id, once, places, callers });
            } else if let Some(job) = made::of_one_job(program, *id).filter(|_| !called && !handed_around) {
                reach.join(
                    *id,
                    State { runs: Runs::Alone(Task::Job(job)), main: FnId::NONE, ..State::many(*id) },
                    &mut todo,
                );
            } else if !called && !main || handed_around || config.is_entry_point(&program.path_of(*id)) {
                reach.join(*id, State::many(*id), &mut todo);
            } else if main {
                reach.join(
                    *id,
                    State {
                        runs: Runs::First,
                        again: false,
                        serving: false,
                        handed: false,
                        branch: Branch::None,
                        main: *id,
                    },
                    &mut todo,
                );
            }
            // Who has the value that is used up has been asked where it was made.
            let used_up = one_after_the_other.last().is_some_and(|alone| alone.function == *id);
            for site in called_by(*id).filter(|_| !used_up) {
                calls_of.entry(site.caller).or_default().push((*id, calls.settled(*site)));
            }
        }
        reach.spread(&calls_of, &mut todo);
        reach.hand_over(&one_after_the_other, &calls_of, &mut todo);
        // Nobody who calls them is called, or only they call each other.
        for id in functions {
            let out_of_use = for_tests.contains(id) || reach.runs.contains_key(id);
            if !out_of_use && called_by(*id).any(|site| site.serving) {
                reach.join(*id, State::many(*id), &mut todo);
            }
        }
        reach.spread(&calls_of, &mut todo);
        for HeldAlone { function: id, callers, .. } in &one_after_the_other {
            if !reach.runs.contains_key(id) && callers.is_empty() {
                reach.join(*id, State::many(*id), &mut todo);
            } else if !reach.runs.contains_key(id) {
                reach.called(*id, callers, &mut todo);
            }
        }
        reach.spread(&calls_of, &mut todo);
        reach.hand_over(&one_after_the_other, &calls_of, &mut todo);
        // What has no type may be called by anybody who calls a method of that name.
        for id in functions {
            let many = |site: &CallSite| reach.runs(site.caller) == Some(Runs::Many) && sees(site.caller, *id);
            let by_nobody_else = one_after_the_other.iter().any(|alone| alone.function == *id);
            if matches!(reach.runs(*id), Some(Runs::Alone(_)))
                && !by_nobody_else
                && namesakes(program, calls, *id).iter().any(many)
            {
                reach.join(*id, State::many(*id), &mut todo);
            }
        }
        reach.spread(&calls_of, &mut todo);
        reach.hand_over(&one_after_the_other, &calls_of, &mut todo);
        reach.judge_for_themselves(ev, for_tests);
        reach
    }

    /// What nothing but tests leads to yet makes nobody else's code run in many requests, and is judged for what it is, unless
    /// what it leads to runs in production anyway.
    fn judge_for_themselves(&mut self, ev: &Evaluator<'_>, for_tests: &FxHashSet<FnId>) {
        let reaching = ev.finished().iter().filter(|flow| flow.reaches_rows).map(|flow| flow.function);
        let (open, rest): (Vec<FnId>, Vec<FnId>) = reaching.partition(|id| for_tests.contains(id));
        let mut callers: FxHashMap<FnId, Vec<FnId>> = FxHashMap::default();
        let mut shared: Vec<FnId> = rest.into_iter().filter(|id| self.runs.contains_key(id)).collect();
        for id in shared.iter().chain(&open) {
            for site in ev.calls.calls_of(ev.program, *id).filter(|site| for_tests.contains(&site.caller)) {
                callers.entry(*id).or_default().push(site.caller);
            }
        }
        let mut sharing: FxHashSet<FnId> = FxHashSet::default();
        while let Some(id) = shared.pop() {
            shared.extend(callers.get(&id).into_iter().flatten().filter(|caller| sharing.insert(**caller)));
        }
        for id in open {
            let support = ev.test_support.contains(&ev.program.file_of(id));
            if !support && !sharing.contains(&id) {
                self.runs.entry(id).or_insert_with(|| State::many(id));
            }
        }
    }

    /// Lets those run that have a value to themselves, as often as there is one of it, until nothing new is known of where
    /// it is made.
    ///
    /// In: the functions, and where the values of their types are made.
    fn hand_over(
        &mut self,
        alone: &[HeldAlone],
        calls_of: &FxHashMap<FnId, Vec<(FnId, CallSite)>>,
        todo: &mut Vec<FnId>,
    ) {
        loop {
            let before = self.runs.clone();
            for HeldAlone { function, once, places, callers } in alone {
                for place in places {
                    if let Some(maker) = self.runs.get(&place.caller) {
                        let made = maker.handing_over(*function, *once, place);
                        if made.runs == Runs::Many && !callers.is_empty() {
                            self.called(*function, callers, todo);
                            continue;
                        }
                        self.join(*function, made, todo);
                    }
                }
            }
            self.spread(calls_of, todo);
            if self.runs == before {
                return;
            }
        }
    }

    /// Lets a function run as those who call it do.
    fn called(&mut self, id: FnId, callers: &[CallSite], todo: &mut Vec<FnId>) {
        for site in callers {
            if let Some(caller) = self.runs.get(&site.caller).copied() {
                self.join(id, caller.passed_on(site), todo);
            }
        }
    }

    /// What is known of callers, to those they call.
    fn spread(&mut self, calls_of: &FxHashMap<FnId, Vec<(FnId, CallSite)>>, todo: &mut Vec<FnId>) {
        while let Some(id) = todo.pop() {
            let caller = self.runs[&id];
            for (callee, site) in calls_of.get(&id).into_iter().flatten() {
                self.join(*callee, caller.passed_on(site), todo);
            }
        }
    }

    fn join(&mut self, id: FnId, state: State, todo: &mut Vec<FnId>) {
        let known = self.runs.get(&id).copied();
        let joined = known.map_or(state, |known| known.joined(state));
        if known != Some(joined) {
            self.runs.insert(id, joined);
            todo.push(id);
        }
    }

    /// How a function that goes on serving runs; none for one that is done when the program has started.
    pub fn serving(&self, id: FnId) -> Option<Runs> {
        self.runs.get(&id).filter(|state| state.serving).map(|state| state.runs)
    }

    /// Whether only the program itself runs a function: when it starts, or in a task or a loop of its own.
    pub fn is_own_task(&self, id: FnId) -> bool {
        matches!(self.runs(id), Some(Runs::First | Runs::Alone(_)))
    }

    fn runs(&self, id: FnId) -> Option<Runs> {
        self.runs.get(&id).map(|state| state.runs)
    }

    /// The functions whose statements may be sent while a task runs, those of the task itself left out.
    pub fn beside(&self, task: Task) -> FxHashSet<FnId> {
        let others = self.runs.iter().filter(|(_, state)| state.runs != Runs::Alone(task) && state.runs != Runs::First);
        others.map(|(id, _)| *id).collect()
    }
}

impl State {
    fn many(id: FnId) -> Self {
        Self { runs: Runs::Many, again: true, serving: true, handed: true, branch: Branch::None, main: id }
    }

    /// How the callee runs.
    fn passed_on(self, site: &CallSite) -> Self {
        let again = self.again || site.looped || site.spread;
        let serving = self.serving || site.serving;
        let handed = self.handed || site.handed;
        let runs = match (self.runs, site.task) {
            (Runs::Many, _) => Runs::Many,
            (_, Some(task)) if task.many || self.again => Runs::Many,
            (_, Some(task)) => {
                let runs = Runs::Alone(Task::Started(site.branch.unwrap_or(task.at)));
                return Self { runs, again: site.looped, serving, handed, branch: Branch::None, ..self };
            }
            (Runs::Alone(_), None) if site.spread => Runs::Many,
            (Runs::First, None) => return self.at_start(site).with(again, serving, handed),
            (Runs::Alone(task), None) => Runs::Alone(site.branch.map_or(task, Task::Started)),
        };
        Self { runs, again, serving, handed, ..self }
    }

    fn with(self, again: bool, serving: bool, handed: bool) -> Self {
        Self { again, serving, handed, ..self }
    }

    /// What `main` leads to, and a branch that it waits for together with others: what goes round in there takes turns with
    /// them.
    fn at_start(self, site: &CallSite) -> Self {
        let branch = site.branch.map_or(self.branch, Branch::One);
        let runs = match branch {
            _ if !site.serving => Runs::First,
            Branch::None => Runs::Alone(Task::Main(self.main)),
            Branch::One(at) => Runs::Alone(Task::Started(at)),
            Branch::Several => Runs::Many,
        };
        Self { runs, branch, ..self }
    }

    /// How a function runs that is called with a value, one time after the other or once, where this one made it.
    fn handing_over(self, id: FnId, once: bool, place: &CallSite) -> Self {
        let made = self.passed_on(place);
        if made.runs == Runs::Many || made.again || made.handed {
            return Self::many(id);
        }
        Self { runs: Runs::Alone(Task::Started(place.span)), again: !once, serving: true, ..made }
    }

    fn joined(self, other: Self) -> Self {
        let runs = match (self.runs, other.runs) {
            (one, two) if one == two => one,
            (Runs::First, runs) | (runs, Runs::First) => runs,
            // Two programs have a database each.
            (Runs::Alone(one), Runs::Alone(_))
                if self.main != other.main && ![self.main, other.main].contains(&FnId::NONE) =>
            {
                Runs::Alone(one)
            }
            _ => Runs::Many,
        };
        let (again, serving) = (self.again || other.again, self.serving || other.serving);
        let branch = match (self.branch, other.branch) {
            (one, two) if one == two => one,
            (Branch::None, one) | (one, Branch::None) => one,
            _ => Branch::Several,
        };
        Self { runs, again, serving, handed: self.handed || other.handed, branch, main: self.main }
    }
}

/// Calls of this method's name, with as many arguments, on values of an unknown type, where no call of it was followed.
///
/// `Cli::parse().run()`: what a derive macro declares has no type, and `run` is called all the same. A trait's method and
/// one with a framework's attribute may be called from outside, whoever else has a method of that name.
fn likely_callers<'c>(program: &Program, calls: &'c CallGraph, id: FnId) -> &'c [CallSite] {
    let function = program.function(id);
    let own = function.receiver.is_some()
        && function.in_trait.is_none()
        && program.impl_of(id).is_some_and(|block| program.impl_subject(block).0.is_none())
        && function.attrs.iter().all(|attr| attr.path.last().is_some_and(|name| PLAIN.contains(&name.as_str())));
    if !own || calls.callers.contains_key(&id) {
        return &[];
    }
    calls.unresolved.get(&(function.name.clone(), function.params.len())).map_or(&[], Vec::as_slice)
}

/// The calls of a method's name, with as many arguments, on values of an unknown type.
fn namesakes<'c>(program: &Program, calls: &'c CallGraph, id: FnId) -> &'c [CallSite] {
    let function = program.function(id);
    let sites = || calls.unresolved.get(&(function.name.clone(), function.params.len()));
    function.receiver.as_ref().and_then(|_| sites()).map_or(&[], Vec::as_slice)
}

pub(super) fn is_main(program: &Program, id: FnId) -> bool {
    let function = program.function(id);
    function.name == "main" && function.in_impl.is_none() && function.params.is_empty()
}
