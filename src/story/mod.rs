//! Claims to findings: the places, the words, and the interleaving of two requests.

mod besides;
mod interleaving;
pub mod protection;
pub mod reason;
mod undone;
pub mod words;

use std::hash::Hasher;

use rustc_hash::FxHashMap;

use crate::event::{Cond, CondId, CondKind, Event, Flow};
use crate::finding::{CallSite, Finding, Label, Role, Severity, Trace};
use crate::flow::Evaluator;
use crate::protect::WhyNot;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, common, here, side};
use crate::rules::claim::Claim;
use crate::rules::{self, lost_update, table_lock, unchecked_outcome};
use crate::span::Span;

/// Tells a claim as a finding; none when one of its events is gone.
pub fn tell(scene: &Scene<'_, '_>, claim: &Claim) -> Option<Finding> {
    let read = scene.event(claim.sequence.read)?;
    let write = scene.event(claim.sequence.write)?;
    let meant_for = claim.meant_for.and_then(|id| scene.event(id));
    // A lock that is too wide is so wherever it is taken from: it is told where it stands.
    let depth = match claim.rule {
        table_lock::ID => write.calls.len(),
        _ => common(read, meant_for.unwrap_or(write)),
    };
    let holder = holder(scene.flow, read, depth);
    let (labels, traces) = labels(scene, claim, read, write, depth);
    let at = here(write, depth);
    let table = words::table_of(scene, claim, write).to_owned();
    let page = rules::page(claim.rule);
    let function = scene.ev.program.path_of(holder);
    let rewrites = crate::rewrite::rewrites(scene, claim);
    let own_task = scene.rivals.writers.reach().is_own_task(holder);
    let said = |text: String| if own_task { words::of_runs(&text) } else { text };
    Some(Finding {
        rule: claim.rule,
        severity: page.map_or(Severity::Warning, |page| page.severity),
        confidence: claim.confidence,
        message: said(reason::message(scene, claim, read, write)),
        why: said(reason::why(scene, claim, write)),
        at,
        labels,
        story: interleaving::steps(scene, claim, read, write),
        rewrites,
        fingerprint: fingerprint(claim.rule, &function, read, write),
        function,
        table,
        judged_for: reason::judged_for(scene, write),
        traces,
        callers: caller(scene.ev, scene.flow, claim).into_iter().collect(),
    })
}

const UNPROTECTED: &str = "this lock does not protect it";

/// The call through which another function reaches a claim's sequence, when its two halves meet further below.
pub fn caller(ev: &Evaluator<'_>, flow: &Flow, claim: &Claim) -> Option<CallSite> {
    let find = |id| flow.events.iter().find(|event| event.id == id);
    let (read, write) = (find(claim.sequence.read)?, find(claim.sequence.write)?);
    let meant_for = claim.meant_for.and_then(find).unwrap_or(write);
    if common(read, meant_for) == 0 {
        return None;
    }
    let call = write.calls.first()?;
    Some(CallSite { function: ev.program.path_of(flow.function), span: call.span })
}

/// Gives equal fingerprints an ordinal, in the order of the findings.
pub fn number(findings: &mut [Finding]) {
    let mut seen: FxHashMap<String, usize> = FxHashMap::default();
    for finding in findings {
        let count = seen.entry(finding.fingerprint.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.fingerprint = format!("{}-{count}", finding.fingerprint);
        }
    }
}

pub(crate) fn holder(flow: &Flow, read: &Event, depth: usize) -> crate::link::FnId {
    if depth == 0 { flow.function } else { read.calls[depth - 1].function }
}

fn labels(scene: &Scene<'_, '_>, claim: &Claim, read: &Event, write: &Event, depth: usize) -> (Vec<Label>, Vec<Trace>) {
    let mut found: Vec<(Label, Vec<CallSite>)> = Vec::new();
    let calls = |event: &Event| -> Vec<CallSite> {
        event
            .calls
            .iter()
            .skip(depth)
            .map(|call| CallSite { function: scene.ev.program.path_of(call.function), span: call.span })
            .collect()
    };
    let mut add = |role, span, text: String, calls: Vec<CallSite>| {
        if found.iter().all(|(label, _)| label.span != span || label.role != role) {
            found.push((Label { role, span, text }, calls));
        }
    };
    let alone = read.id == write.id;
    if !alone {
        add(Role::Read, read.span, reason::reads(scene, read, &claim.sequence), calls(read));
    }
    if let Some(check) =
        deciding_check(scene, claim, write).filter(|_| claim.counterpart.is_none() || claim.rule != lost_update::ID)
    {
        add(Role::Check, check.0, check.1, Vec::new());
    }
    for lock in claim.tried.iter().filter_map(|why| why.lost_lock()) {
        if lock != read.id
            && let Some(event) = scene.event(lock)
        {
            add(Role::Lock, event.span, UNPROTECTED.to_owned(), calls(event));
            break;
        }
    }
    for also in &claim.also {
        if let (Some(read), Some((span, text))) = (scene.event(also.sequence.read), deciding_check(scene, also, write))
        {
            add(Role::Read, read.span, format!("also {}", reason::reads(scene, read, &also.sequence)), calls(read));
            add(Role::Check, span, format!("also {text}, which is not held either"), Vec::new());
        }
    }
    if claim.tried.iter().all(|why| why.lost_lock().is_none())
        && let Some(guard) = claim.tried.iter().find_map(WhyNot::lost_guard)
    {
        add(Role::Lock, guard, UNPROTECTED.to_owned(), Vec::new());
    }
    if let Some(effect) = claim.effect.and_then(|id| scene.event(id)) {
        add(Role::Effect, effect.span, "this leaves the process and cannot be taken back".to_owned(), calls(effect));
    }
    let role = if claim.rule == table_lock::ID { Role::Lock } else { Role::Write };
    add(role, write.span, reason::writes(scene, claim, write), calls(write));
    let at = here(write, depth);
    if at != write.span {
        add(Role::Write, at, "this call leads to the write".to_owned(), Vec::new());
    }
    if let Some(other) = &claim.counterpart {
        let table = words::table_of(scene, claim, write);
        add(Role::Write, other.writer.place, format!("writes {table}.{} meanwhile", other.column), Vec::new());
    }
    let traces = found
        .iter()
        .enumerate()
        .filter(|(_, (_, calls))| !calls.is_empty())
        .map(|(label, (_, calls))| Trace { label, calls: calls.clone() })
        .collect();
    (found.into_iter().map(|(label, _)| label).collect(), traces)
}

/// The condition that decides, best one first: one that looks at a column that is spoken of, in the text that is nearest to
/// the write.
fn deciding_check(scene: &Scene<'_, '_>, claim: &Claim, write: &Event) -> Option<(Span, String)> {
    let (best, cond) = best_check(scene, claim, write)?;
    let text = match &best.looks_at {
        LooksAt::Existence => "decides by whether there was a row".to_owned(),
        LooksAt::Column(column) if words::named(column).is_some() => {
            format!("decides by the {column} that was read")
        }
        LooksAt::Aggregate if reason::counts(scene, &claim.sequence) => {
            "decides by the number that was read".to_owned()
        }
        _ => "decides by what was read".to_owned(),
    };
    Some((cond.span, text))
}

/// The check that says most, with its condition.
fn best_check<'c>(scene: &'c Scene<'_, '_>, claim: &'c Claim, write: &Event) -> Option<(&'c Check, &'c Cond)> {
    // Where another statement spoils a check, that check is the one that is spoken of.
    let spoiled = claim.counterpart.as_ref().map(|other| &other.column);
    let spoiled = spoiled.filter(|column| claim.sequence.checked_columns().contains(column));
    let told = match spoiled {
        Some(column) => vec![column.as_str()],
        None => reason::told_columns(scene, claim, write),
    };
    let unsaid = |check: &Check| match &check.looks_at {
        LooksAt::Column(column) => !told.contains(&column.as_str()),
        _ => false,
    };
    let conditions = claim.sequence.checks.iter().filter_map(|check| Some((check, scene.ev.cond(check.cond?))));
    let tests = |cond: &Cond| matches!(cond.kind, CondKind::Test | CondKind::Must);
    // In a helper that neither leads to the write nor holds the sequence.
    let aside = |cond: &Cond| {
        cond.function != scene.flow.function && write.calls.iter().all(|call| call.function != cond.function)
    };
    // What is lost is lost whatever was there to be read.
    let told = conditions.filter(|(check, cond)| match claim.rule {
        lost_update::ID => tests(cond) && asks_for_what_changes(claim, check),
        unchecked_outcome::ID => check.looks_at == LooksAt::Existence || !cond.compares.is_empty(),
        _ => true,
    });
    let (check, cond) = told.min_by_key(|(check, cond)| {
        (
            check.looks_at == LooksAt::Existence,
            asserts(scene, cond),
            unsaid(check),
            !tests(cond),
            aside(cond),
            std::cmp::Reverse(check.cond),
        )
    })?;
    // Who goes on where a helper gave nothing decides by that, not by what the helper asked.
    let gave_nothing = |dep: &CondId| {
        let outer = scene.ev.cond(*dep);
        let known = || scene.conditions(std::slice::from_ref(dep));
        let leads = !aside(outer) && side::lacks(outer, write) == Some(true);
        (leads && check.cond.is_some_and(|inner| inner != *dep && known().contains(&inner))).then_some(outer)
    };
    let outer = if aside(cond) { write.deps.iter().rev().find_map(gave_nothing) } else { None };
    Some((check, outer.unwrap_or(cond)))
}

/// Whether a check may be on what a write makes a new value of; what is only put back says nothing beside that.
fn asks_for_what_changes(claim: &Claim, check: &Check) -> bool {
    let LooksAt::Column(column) = &check.looks_at else { return true };
    let mut changed = claim.sequence.values.iter().filter(|value| !value.is_handed_back()).peekable();
    changed.peek().is_none()
        || changed.any(|value| value.column == *column || value.from == check.looks_at)
        || claim.sequence.values.iter().all(|value| value.column != *column)
}

/// Whether a condition says that it always holds: `unwrap`, `expect`.
fn asserts(scene: &Scene<'_, '_>, cond: &Cond) -> bool {
    let text = scene.ev.text_of(cond.span);
    cond.kind == CondKind::Presence && (text.ends_with(".unwrap()") || text.ends_with(')') && text.contains(".expect("))
}

/// Stable under moved lines and reformatting: the rule, the function, and what the statements say.
fn fingerprint(rule: &str, function: &str, read: &Event, write: &Event) -> String {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    for part in [rule, function, &words::statement(read), &words::statement(write)] {
        hasher.write(part.as_bytes());
        hasher.write(&[0xff]);
    }
    format!("{:016x}", hasher.finish())
}

/// FNV-1a, which gives the same number on every machine and with every compiler.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
