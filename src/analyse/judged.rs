//! Claims of all functions, and which of them are told: each pair of places once, in the function where its halves meet.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Evaluated;
use crate::dialect::Dialect;
use crate::finding::{CallSite, Finding, Protected};
use crate::link::FnId;
use crate::race::scene::Scene;
use crate::rules::claim::Claim;
use crate::rules::table_lock;
use crate::span::Span;
use crate::story;

/// A pair of places, in the function where the two halves meet.
pub(super) type Pair = (Span, Span, FnId);

/// The same with where that function comes to each half: it may come to one pair in several ways, each for another reason.
pub(super) type Meeting = (Pair, [Span; 2]);

/// What all flows come to.
#[derive(Default)]
pub(super) struct Judged {
    /// Claims with the place of their flow, in the order of the flows.
    pub(super) claims: Vec<(usize, Claim, Meeting)>,
    pub(super) safe: Vec<Protected>,
}

impl Judged {
    /// The rule that each pair of places is told under: the one that it falls under for most callers.
    fn told_as(&self) -> FxHashMap<Meeting, &'static str> {
        let mut counted: FxHashMap<Meeting, Vec<(&'static str, usize)>> = FxHashMap::default();
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
        let mut by_pair: FxHashMap<(Meeting, &'static str), usize> = FxHashMap::default();
        // One call may lead to several implementations of a trait, or to a statement for each engine: it is told once.
        let mut by_place: FxHashSet<(bool, Span, String)> = FxHashSet::default();
        let mut by_text: FxHashMap<String, Option<Dialect>> = FxHashMap::default();
        // What is read once and written in several places for the same reason.
        let mut by_read: FxHashMap<(Pair, Span, &'static str, String), usize> = FxHashMap::default();
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
            let read = (pair.0, pair.1[0], claim.rule, finding.message.clone());
            if let Some(known) = by_read.get(&read) {
                findings[*known].callers.push(CallSite { function: finding.function, span: finding.at });
                continue;
            }
            let about_lock = claim.rule == table_lock::ID;
            if by_place.insert((about_lock, finding.at, finding.table.clone())) {
                by_pair.insert((*pair, claim.rule), findings.len());
                by_read.insert(read, findings.len());
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
