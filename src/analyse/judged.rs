//! Claims of all functions, and which of them are told: each pair of places once, in the function where its halves meet.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Evaluated;
use super::leader::only_leader;
use crate::client::HandleKind;
use crate::dialect::Dialect;
use crate::event::{Event, Flow};
use crate::finding::{Finding, Protected};
use crate::flow::Evaluator;
use crate::flow::limits::PAIRED;
use crate::flow::term::Term;
use crate::link::FnId;
use crate::protect::rival;
use crate::race::common;
use crate::race::reach::{Runs, Task};
use crate::race::rivals::Rivals;
use crate::race::scene::Scene;
use crate::rules::claim::Claim;
use crate::rules::{double_fire, table_lock, unsafe_claim};
use crate::span::Span;
use crate::sql::statement::Action;
use crate::story;

/// A pair of places, in the function where the two halves meet.
type Pair = (Span, Span, FnId);

#[derive(Default)]
pub(super) struct Judged {
    /// Claims with the place of their flow.
    claims: Vec<(usize, Claim, Pair)>,
    /// Pairs whose verdict is left to the callers, by where the write stands.
    deferred: FxHashMap<Span, FxHashSet<Pair>>,
    /// What others than a task that there is once do to tables.
    beside: FxHashMap<Task, Rivals>,
    pub(super) safe: Vec<Protected>,
}

impl Judged {
    /// Judges all flows; of two that call each other the callee comes first.
    pub(super) fn of(of: &Evaluated<'_, '_>) -> Self {
        let ev = of.ev;
        let mut judged = Self::default();
        for (place, flow) in of.flows.iter().enumerate() {
            if !flow.events.is_empty() && !ev.program.function(flow.function).test {
                judged.judge(of, place, flow);
            }
        }
        judged.safe.sort();
        judged.safe.dedup();
        judged
    }

    fn judge(&mut self, of: &Evaluated<'_, '_>, place: usize, flow: &Flow) {
        let ev = of.ev;
        let scene = of.scene(flow);
        let left_to_us = |read: &Event, write: &Event| {
            self.deferred.get(&write.span).is_some_and(|pairs| pairs.contains(&pair(flow, read, write)))
        };
        let near = |event: &Event| event.calls.len() <= PAIRED;
        let wanted = |read: &Event, write: &Event| {
            near(read)
                && near(write)
                && (common(read, write) == 0 || left_to_us(read, write))
                && of.production.contains(&read.function)
                && of.production.contains(&write.function)
        };
        let found = crate::rules::judge(&scene, &wanted);
        let called = ev.calls.callers.get(&flow.function).is_some_and(|callers| {
            callers.iter().any(|site| !ev.program.function(site.caller).test && site.caller != flow.function)
        });
        for claim in found.claims {
            let (Some(read), Some(write)) = (scene.event(claim.sequence.read), scene.event(claim.sequence.write))
            else {
                continue;
            };
            let meant_for = claim.meant_for.and_then(|id| scene.event(id)).unwrap_or(write);
            let pair = pair(flow, read, meant_for);
            // On a handle that was handed in, the callers know whether a transaction is open.
            if called && (given(ev, flow, read) || given(ev, flow, write)) {
                self.deferred.entry(meant_for.span).or_default().insert(pair);
            } else if self.meets_another(of, &scene, &claim) {
                self.claims.push((place, claim, pair));
            }
        }
        let safe = found.safe.iter();
        self.safe.extend(safe.filter_map(|(sequence, by)| story::protection::protected(&scene, sequence, by)));
    }

    /// Whether what a claim is about can happen while its function runs: another run of it, or a statement of another
    /// function that changes what it goes by. A worker may have copies in other processes, which take their work from the
    /// same server.
    fn meets_another(&mut self, of: &Evaluated<'_, '_>, scene: &Scene<'_, '_>, claim: &Claim) -> bool {
        let reach = of.rivals.writers.reach();
        let task = match reach.serving(scene.flow.function) {
            None | Some(Runs::First) => return false,
            Some(Runs::Many) => return true,
            Some(Runs::Alone(task)) => task,
        };
        let shared = scene.event(claim.sequence.write).is_some_and(|write| write.dialect != Dialect::Sqlite);
        let deletes = scene.access(claim.sequence.write).and_then(|access| access.statement.target());
        let deletes = deletes.is_some_and(|target| target.action == Action::Delete);
        if matches!(claim.rule, unsafe_claim::ID | double_fire::ID) {
            return shared && !deletes && !only_leader(of, scene.flow.function, 0);
        }
        let others = self.beside.entry(task).or_insert_with(|| Rivals::of(of.flows, &reach.beside(task)));
        claim.rule == table_lock::ID || rival::others_spoil(scene, &claim.sequence, others)
    }

    /// The rule that each pair of places is told under: the one that it falls under for most callers.
    fn told_as(&self) -> FxHashMap<Pair, &'static str> {
        let mut counted: FxHashMap<Pair, Vec<(&'static str, usize)>> = FxHashMap::default();
        for (_, claim, pair) in self.claims.iter().filter(|(_, claim, _)| claim.rule != table_lock::ID) {
            let rules = counted.entry(*pair).or_default();
            match rules.iter_mut().find(|(rule, _)| *rule == claim.rule) {
                Some((_, count)) => *count += 1,
                None => rules.push((claim.rule, 1)),
            }
        }
        let most = |rules: Vec<(&'static str, usize)>| {
            rules.into_iter().rev().max_by_key(|(_, count)| *count).map_or("", |(rule, _)| rule)
        };
        counted.into_iter().map(|(pair, rules)| (pair, most(rules))).collect()
    }

    /// The claims as findings: one for each pair of places, sorted.
    pub(super) fn told(&self, of: &Evaluated<'_, '_>) -> Vec<Finding> {
        let mut by_pair: FxHashMap<(Pair, &'static str), usize> = FxHashMap::default();
        // One call may lead to several implementations of a trait, or to a statement for each engine: it is told once.
        let mut by_place: FxHashSet<(bool, Span, String)> = FxHashSet::default();
        let mut by_text: FxHashMap<String, Option<Dialect>> = FxHashMap::default();
        let mut findings: Vec<Finding> = Vec::new();
        let told_as = self.told_as();
        let (first, others): (Vec<_>, Vec<_>) = self
            .claims
            .iter()
            .partition(|(_, claim, pair)| claim.rule == table_lock::ID || told_as[pair] == claim.rule);
        // Claims of one flow follow each other.
        let mut last: Option<(usize, Scene<'_, '_>)> = None;
        for (place, claim, pair) in first {
            let flow = &of.flows[*place];
            if let Some(known) = by_pair.get(&(*pair, claim.rule)) {
                let caller = story::caller(of.ev, flow, claim);
                findings[*known].callers.extend(caller);
                continue;
            }
            let (_, scene) = match last.take().filter(|(known, _)| known == place) {
                Some(known) => last.insert(known),
                None => last.insert((*place, of.scene(flow))),
            };
            let Some(finding) = story::tell(scene, claim) else { continue };
            // The same two statements, sent to one engine or to another.
            let engine = scene.event(claim.sequence.write).map(|write| write.dialect);
            if *by_text.entry(finding.fingerprint.clone()).or_insert(engine) != engine {
                continue;
            }
            let about_lock = claim.rule == table_lock::ID;
            if by_place.insert((about_lock, finding.at, finding.table.clone())) {
                by_pair.insert((*pair, claim.rule), findings.len());
                findings.push(finding);
            }
        }
        for (place, claim, pair) in others {
            if let Some(known) = by_pair.get(&(*pair, told_as[pair])) {
                findings[*known].callers.extend(story::caller(of.ev, &of.flows[*place], claim));
            }
        }
        findings.sort_by(|a, b| (a.at, a.rule, &a.fingerprint).cmp(&(b.at, b.rule, &b.fingerprint)));
        story::number(&mut findings);
        findings
    }
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
