//! Every function's flow judged, side by side where none leads to another.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::judged::{Judged, Meeting, Pair};
use super::leader::only_leader;
use super::{Evaluated, callers};
use crate::client::HandleKind;
use crate::dialect::Dialect;
use crate::event::{Event, Flow};
use crate::finding::Protected;
use crate::flow::Evaluator;
use crate::flow::limits::PAIRED;
use crate::flow::term::Term;
use crate::link::FnId;
use crate::protect::rival;
use crate::race::reach::{Reach, Runs, Task};
use crate::race::rivals::Rivals;
use crate::race::scene::Scene;
use crate::race::{common, dependency, here, sought};
use crate::rules::claim::Claim;
use crate::rules::{alone, check_then_insert, double_fire, table_lock, unsafe_claim};
use crate::span::Span;
use crate::sql::statement::Action;
use crate::story;

/// What is needed to judge a flow beside the flow itself.
struct Judging<'j, 'e, 'p> {
    of: &'j Evaluated<'e, 'p>,
    /// Pairs whose verdict is left to the callers, by where the write stands.
    deferred: FxHashMap<Span, FxHashSet<Pair>>,
    /// The places of the statements of functions whose bodies are evaluated in place of calls, as they are by themselves.
    by_themselves: FxHashMap<FnId, FxHashSet<Span>>,
    /// Functions to which all ways lead under a lock: the callers know what it is worth.
    under_lock: FxHashSet<FnId>,
    /// What others than a task that there is once do to tables.
    beside: Mutex<FxHashMap<Task, Arc<Rivals>>>,
}

/// What one flow comes to.
#[derive(Default)]
struct OfFlow {
    claims: Vec<(Claim, Meeting)>,
    deferred: Vec<Pair>,
    safe: Vec<Protected>,
}

impl Judged {
    /// Judges all flows, those that do not lead to each other side by side; a callee comes before its callers.
    pub(super) fn of(of: &Evaluated<'_, '_>) -> Self {
        let mut judging = Judging::new(of);
        let mut judged = Self::default();
        for round in rounds(of) {
            let found: Vec<OfFlow> = round.par_iter().map(|place| judging.judge(&of.flows[*place])).collect();
            for (place, found) in round.into_iter().zip(found) {
                judged.claims.extend(found.claims.into_iter().map(|(claim, pair)| (place, claim, pair)));
                judged.safe.extend(found.safe);
                for pair in found.deferred {
                    judging.deferred.entry(pair.1).or_default().insert(pair);
                }
            }
        }
        judged.claims.sort_by_key(|(place, ..)| *place);
        judged.safe.sort();
        judged.safe.dedup();
        judged
    }
}

/// The functions that are only called, straight or by one another, while a lock is held that lets in one after the other.
fn under_lock(of: &Evaluated<'_, '_>) -> FxHashSet<FnId> {
    let (ev, program) = (of.ev, of.ev.program);
    let called = |id: &&FnId| ev.calls.calls_of(program, **id).next().is_some();
    let open = of.roots.iter().filter(called).filter(|id| is_called_here_only(ev, **id)).copied();
    ev.calls.closed(program, open, |site| site.held)
}

/// Whether nobody calls a function but those who are in sight.
pub(super) fn is_called_here_only(ev: &Evaluator<'_>, id: FnId) -> bool {
    let program = ev.program;
    let linked = program.function(id).public && program.krate_of(id).is_none_or(|krate| !ev.workspace.runs(krate));
    !linked && !ev.calls.values.contains(&id) && !ev.config.is_entry_point(&program.path_of(id))
}

/// The places of the flows to judge, in rounds: what a flow's events come from was judged in an earlier one. Of two that
/// call each other the one that was finished first does not wait.
fn rounds(of: &Evaluated<'_, '_>) -> Vec<Vec<usize>> {
    let places: FxHashMap<FnId, usize> =
        of.flows.iter().enumerate().map(|(place, flow)| (flow.function, place)).collect();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut round_of = vec![0; of.flows.len()];
    for (place, flow) in of.flows.iter().enumerate() {
        let called = flow.events.iter().flat_map(|event| event.calls.iter()).map(|call| places.get(&call.function));
        let before = called.flatten().filter(|callee| **callee < place).map(|callee| round_of[*callee] + 1);
        round_of[place] = before.max().unwrap_or(0);
        if !flow.events.is_empty() && !of.ev.program.function(flow.function).test {
            rounds.resize_with(rounds.len().max(round_of[place] + 1), Vec::new);
            rounds[round_of[place]].push(place);
        }
    }
    rounds
}

impl<'j, 'e, 'p> Judging<'j, 'e, 'p> {
    fn new(of: &'j Evaluated<'e, 'p>) -> Self {
        let in_place = of.flows.iter().filter(|flow| of.ev.in_place.contains(&flow.function));
        let spans = |flow: &Arc<Flow>| flow.events.iter().map(|event| event.span).collect();
        let by_themselves = in_place.map(|flow| (flow.function, spans(flow))).collect();
        let (deferred, beside) = (FxHashMap::default(), Mutex::default());
        Self { of, deferred, by_themselves, under_lock: under_lock(of), beside }
    }

    /// Whether two statements of one called function are seen together here and not yet there: what its body does hangs on
    /// what it is handed.
    fn are_new_here(&self, read: &Event, write: &Event) -> bool {
        let Some(call) = read.calls.first() else { return false };
        let known = self.by_themselves.get(&call.function);
        known.is_some_and(|spans| !spans.contains(&read.span) || !spans.contains(&write.span))
    }

    fn judge(&self, flow: &Flow) -> OfFlow {
        let (of, ev) = (self.of, self.of.ev);
        let scene = of.scene(flow);
        let left_to_us = |read: &Event, write: &Event| {
            self.deferred.get(&write.span).is_some_and(|pairs| pairs.contains(&pair(flow, read, write)))
        };
        let near = |event: &Event| event.calls.len() <= PAIRED;
        let wanted = |read: &Event, write: &Event| {
            near(read)
                && near(write)
                && (common(read, write) == 0 || left_to_us(read, write) || self.are_new_here(read, write))
                && of.production.contains(&read.function)
                && of.production.contains(&write.function)
        };
        let found = crate::rules::judge(&scene, &wanted);
        let called = ev.calls.calls_of(ev.program, flow.function).next().is_some();
        let mut judged = OfFlow::default();
        for mut claim in found.claims {
            let (Some(read), Some(write)) = (scene.event(claim.sequence.read), scene.event(claim.sequence.write))
            else {
                continue;
            };
            let meant_for = claim.meant_for.and_then(|id| scene.event(id)).unwrap_or(write);
            let pair = pair(flow, read, meant_for);
            // On a handle that was handed in, the callers know whether a transaction is open.
            // Nor do they know less of a lock that is held around all calls.
            let brought = || sought::hangs_on_callers(&scene, &claim.sequence);
            let handed_in = called && (given(ev, flow, read) || given(ev, flow, write) || brought());
            if handed_in || self.under_lock.contains(&flow.function) {
                judged.deferred.push(pair);
                // What is told with it is told with it there.
                let also = claim.also.iter().filter_map(|also| scene.event(also.sequence.read));
                judged.deferred.extend(also.map(|read| self::pair(flow, read, meant_for)));
            } else if self.meets_another(&scene, &claim) && !callers::keep_out(of, &scene, &claim) {
                let depth = common(read, meant_for);
                let alone = matches!(self.reach().serving(flow.function), Some(Runs::Alone(_)));
                if alone && claim.counterpart.is_none() {
                    claim.counterpart = check_then_insert::counterpart(&scene, &claim);
                }
                if alone && let alone::Rival::Named(rival) = alone::rival(&scene, &claim) {
                    claim.counterpart = Some(rival);
                }
                judged.claims.push((claim, (pair, [here(read, depth), here(meant_for, depth)])));
            }
        }
        let safe = found.safe.iter();
        judged.safe.extend(safe.filter_map(|(sequence, by)| story::protection::protected(&scene, sequence, by)));
        judged
    }

    /// Whether what a claim is about can happen while its function runs: another run of it, or a statement of another
    /// function that changes what it goes by. A worker may have copies in other processes, which take their work from the
    /// same server.
    fn meets_another(&self, scene: &Scene<'_, '_>, claim: &Claim) -> bool {
        let task = match self.reach().serving(scene.flow.function) {
            None | Some(Runs::First) => return false,
            Some(Runs::Many) => return true,
            Some(Runs::Alone(task)) => task,
        };
        let write = scene.event(claim.sequence.write);
        let shared = write.is_some_and(|write| write.dialect != Dialect::Sqlite);
        let deletes = write.is_some_and(|write| write.does(Action::Delete));
        if matches!(claim.rule, unsafe_claim::ID | double_fire::ID) && !matches!(task, Task::Job(_)) {
            let fires = claim.rule == double_fire::ID;
            return shared && (fires || !deletes) && !only_leader(self.of, scene.flow.function, 0);
        }
        // Who only found no row is spoiled by a statement that puts that one there.
        let unspoiled = || {
            claim.rule == check_then_insert::ID
                && dependency::only_existence(&claim.sequence)
                && check_then_insert::counterpart(scene, claim).is_none()
        };
        let nobody = || matches!(alone::rival(scene, claim), alone::Rival::Nobody);
        claim.rule == table_lock::ID
            || rival::others_spoil(scene, &claim.sequence, &self.beside(task)) && !unspoiled() && !nobody()
    }

    fn reach(&self) -> &Reach {
        self.of.rivals.writers.reach()
    }

    /// What all others than one task do.
    fn beside(&self, task: Task) -> Arc<Rivals> {
        let mut known = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let rivals = || Arc::new(Rivals::of(self.of.flows, &self.reach().beside(task)));
        known.entry(task).or_insert_with(rivals).clone()
    }
}

/// Why a claim is not told, though its shape is that of a race: how its function runs; one sentence of the same form.
pub(crate) fn left_out(of: &Evaluated<'_, '_>, scene: &Scene<'_, '_>, claim: &Claim) -> Option<&'static str> {
    let judging = Judging::new(of);
    if judging.meets_another(scene, claim) {
        return None;
    }
    Some(match judging.reach().serving(scene.flow.function) {
        None => "nothing that serves requests leads to it",
        Some(Runs::First) => "it runs once, before anything is served",
        Some(Runs::Alone(_)) => {
            "one task runs it, one time after the other, and no other statement spoils what it goes by"
        }
        Some(Runs::Many) => return None,
    })
}

/// Whether a statement runs on a handle that the function was given.
pub(crate) fn given(ev: &Evaluator<'_>, flow: &Flow, event: &Event) -> bool {
    let Some(on) = event.on else { return false };
    if ev.handle(on).is_some_and(|handle| handle.kind == HandleKind::Pool) {
        return false;
    }
    let mut found = false;
    ev.terms.walk(on, &mut |term| {
        found |= matches!(ev.terms.get(term), Term::Param(id, _) if *id == flow.function);
    });
    found
}

fn pair(flow: &Flow, read: &Event, write: &Event) -> Pair {
    (read.span, write.span, story::holder(flow, read, common(read, write)))
}
