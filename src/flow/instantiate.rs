//! A function's flow put in place of a call: arguments for parameters, fresh events, fresh unknowns.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::dialect::Dialect;
use crate::event::{Access, Call, Effect, Event, EventId, EventKind, Flow, Guard};
use crate::flow::absent::Absent;
use crate::flow::limits::FOLLOWED;
use crate::flow::mapping::Mapping;
use crate::flow::mention::Wanted;
use crate::flow::names::{Marks, Owners};
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::flow::{Evaluator, branch};
use crate::lower::tree::Expr;
use crate::span::Range;

impl<'p> Evaluator<'p> {
    /// Puts a flow in place of a call and gives the call's value.
    pub(super) fn instantiate(
        &mut self,
        flow: &Flow,
        args: &[Value],
        at: Range,
        guessed: bool,
        places: &[&Expr],
    ) -> Value {
        self.tighten();
        let anew = self.frame.held.common(&flow.held);
        let mut map = Mapping {
            function: flow.function,
            args,
            distant: flow.distant.as_ref(),
            marks: self.changing(flow, &anew),
            anew,
            events: FxHashMap::default(),
            closed: Vec::new(),
            barred: FxHashSet::default(),
            conds: FxHashMap::default(),
            outer: self.frame.deps.iter().map(|(cond, _)| *cond).collect(),
            branches: FxHashMap::default(),
            turn: self.terms.next_turn(),
            unknown: FxHashMap::default(),
            results: FxHashMap::default(),
            of_results: None,
            guards: Vec::new(),
            too_much: false,
            parts: Vec::new(),
        };
        let before = (self.frame.events.len(), self.frame.conds.len());
        self.frame.reaches_rows |= flow.reaches_rows;
        self.frame.held.add(&flow.held);
        let fits = before.0 + flow.events.len() <= self.frame.allowance.events;
        if !fits {
            self.unknown.give_up("a function with too many statements below it");
        }
        if fits {
            self.place_events(flow, at, guessed, &mut map);
        }
        if fits && !flow.open.is_empty() {
            let events: FxHashSet<EventId> = flow.events.iter().map(|event| event.id).collect();
            let open = flow.open.iter().filter(|(read, write)| events.contains(read) && events.contains(write));
            self.frame.open.extend(open.map(|(read, write)| (map.event(*read), map.event(*write))));
        }
        let value = self.map_value(&flow.returns, &mut map, 0);
        let left = self.map_left(&flow.left, places, &mut map);
        if map.too_much {
            self.unknown.give_up("a function with too much below it");
            self.frame.events.truncate(before.0);
            self.frame.conds.truncate(before.1);
            let term = self.terms.computed("call", args.iter().map(|arg| arg.term).collect());
            return Value::new(term, flow.returns.ty.clone());
        }
        let asked = flow.events.iter().any(|event| event.access().is_some());
        let handed = args.iter().any(|arg| !self.terms.origins(arg.term).is_empty());
        let mut value = value;
        if !asked && !handed && !value.absent.is_given() && value.absent.chosen().is_none() {
            value.absent = Absent::Never;
        }
        let held = std::mem::take(&mut map.guards);
        let kept = self.terms.mentioned(&[value.term], held.iter().map(|guard| guard.guard));
        self.frame.guards.extend(held.into_iter().filter(|guard| kept.contains(&guard.guard)));
        self.put_back(left, args, places);
        value
    }

    /// Whose names change when a flow is put in place: those that the caller holds as well, guards of locks, which are
    /// told by what the caller hands in, and what function values give that are called.
    fn changing(&self, flow: &Flow, anew: &Owners) -> Marks {
        let changed = flow.events.iter().flat_map(|event| {
            let of = match &event.kind {
                EventKind::CallParam { result, .. } => Some(*result),
                EventKind::Locked(guard) => Some(guard.guard),
                _ => None,
            };
            of.into_iter().chain(event.guards.iter().map(|guard| guard.guard))
        });
        changed.fold(anew.marks(), |marks, term| marks.with(self.terms.marks(term)))
    }

    fn place_events(&mut self, flow: &Flow, at: Range, guessed: bool, map: &mut Mapping<'_>) {
        let call = Call { function: flow.function, span: self.span(at), guessed };
        // Ids first, since terms of earlier events may be about later ones in loops.
        for event in &flow.events {
            if map.anew.has(self.terms.names.of_event(event.id.0)) {
                map.events.insert(event.id, EventId(self.terms.names.event()));
            }
        }
        let closed = self.closed_arms(flow, map);
        if !closed.is_empty() {
            let barred = |event: &&Event| closed.iter().any(|arms| arms.bars(&event.path));
            map.barred = flow.events.iter().filter(barred).map(|event| event.id).collect();
            for event in &map.barred {
                for given in [Term::Row(*event), Term::Count(*event), Term::Transaction(*event)] {
                    let given = self.terms.intern(given);
                    map.marks = map.marks.with(self.terms.marks(given));
                }
            }
            // What was mapped before that was known may have stood for them.
            map.turn = self.terms.next_turn();
            map.closed = closed;
        }
        let looked_at = flow.looked_at.iter().map(|event| map.event(*event));
        self.frame.looked_at.extend(looked_at);
        let mapped = self.map_conds(&flow.conds, map);
        self.frame.conds.extend(mapped);
        self.place_absences(&flow.absences, map);
        self.place_blanks(&flow.blanks, map);
        self.place_leads(&flow.leads, map);
        let mut too_far = false;
        for event in &flow.events {
            if map.too_much {
                return;
            }
            if is_too_far_below(event) {
                too_far |= event.access().is_some();
                continue;
            }
            if map.barred.contains(&event.id) {
                continue;
            }
            if let EventKind::CallParam { callee, args, result } = &event.kind {
                self.place_param_call(event, *callee, args, *result, at, map);
                continue;
            }
            let Some(mut placed) = self.map_event(event, &call, map) else { continue };
            map.closed.iter().for_each(|arms| arms.settle(&mut placed.calls));
            self.frame.events.push(placed);
        }
        if too_far {
            self.unknown.give_up("a statement too many calls below");
        }
    }

    fn place_param_call(
        &mut self,
        event: &Event,
        callee: TermId,
        args: &Arc<[Value]>,
        result: TermId,
        at: Range,
        map: &mut Mapping<'_>,
    ) {
        let args: Vec<Value> = args.iter().map(|arg| self.map_value(arg, map, 0)).collect();
        let function = self.map_term_value(callee, map);
        let deps = self.frame.deps.len();
        let path = self.frame.path.clone();
        let mapped = self.map_conds(&event.deps, map);
        self.frame.deps.extend(mapped.into_iter().map(|cond| (cond, crate::flow::Exit::Function)));
        self.frame.path = self.map_path(&event.path, map);
        let guards = self.frame.guards.len();
        let mapped: Vec<Guard> = event.guards.iter().filter_map(|guard| self.map_guard(guard, map)).collect();
        self.frame.guards.extend(mapped);
        let value = self.call_value(&function, args, at);
        self.frame.guards.truncate(guards);
        self.frame.path = path;
        self.frame.deps.truncate(deps);
        map.results.insert(result, value);
        // What was mapped before it was there took it for something unknown.
        if map.unknown.remove(&result).is_some() {
            map.turn = self.terms.next_turn();
        }
        map.of_results = Some(Wanted::new(&self.terms, map.results.keys().copied()));
    }

    /// None of a lock that is none here.
    fn map_event(&mut self, event: &Event, call: &Call, map: &mut Mapping<'_>) -> Option<Event> {
        let id = map.event(event.id);
        let kind = match &event.kind {
            EventKind::Access(access) => EventKind::Access(Access {
                binds: access.binds.iter().map(|term| self.map_term(*term, map)).collect(),
                named: access.named.iter().map(|(name, term)| (name.clone(), self.map_term(*term, map))).collect(),
                chosen_by: self.map_conds(&access.chosen_by, map).into(),
                ..access.clone()
            }),
            EventKind::Begin { from, isolation, mode } => {
                let from = from.map(|from| self.map_term(from, map));
                EventKind::Begin { from, isolation: *isolation, mode: *mode }
            }
            EventKind::Locked(guard) => EventKind::Locked(self.map_guard(guard, map)?),
            EventKind::Effect(effect) => {
                let named = effect.named.iter().map(|term| self.map_term(*term, map)).collect();
                EventKind::Effect(Effect { named, ..effect.clone() })
            }
            other => other.clone(),
        };
        let on = event.on.map(|on| {
            let mapped = self.map_term(on, map);
            self.inherit_handle(on, mapped);
            mapped
        });
        let told = on.and_then(|on| self.handle(on)).and_then(|handle| handle.dialect);
        let dialect = Dialect::behind(told, Some(event.dialect)).unwrap_or(event.dialect);
        let deps = self.map_conds(&event.deps, map);
        let mut guards: Vec<Guard> = self.frame.guards.clone();
        for guard in event.guards.iter() {
            guards.extend(self.map_guard(guard, map));
        }
        Some(Event {
            id,
            kind,
            span: event.span,
            function: event.function,
            calls: std::iter::once(call.clone()).chain(event.calls.iter().cloned()).collect(),
            on,
            dialect: self.config.dialect.unwrap_or(dialect),
            path: self.map_path(&event.path, map),
            deps: branch::union(&map.outer, &deps),
            guards: guards.into(),
            repeated: event.repeated || self.frame.repeated > 0,
            refused: event.refused,
        })
    }

    /// A guard as the caller sees it; none of what is a transaction there.
    fn map_guard(&mut self, guard: &Guard, map: &mut Mapping<'_>) -> Option<Guard> {
        let (of, lock) = (self.map_term(guard.guard, map), self.map_term(guard.lock, map));
        (of != lock).then(|| Guard { guard: of, lock, ..guard.clone() })
    }

    /// What was known of a handle in the callee holds for the argument, unless more is known of that.
    pub(super) fn inherit_handle(&mut self, from: TermId, to: TermId) {
        if from == to {
            return;
        }
        if let Some(mode) = self.begin_modes.get(&from).copied() {
            self.begin_modes.entry(to).or_insert(mode);
        }
        let Some(handle) = self.handles.get(&from).copied() else { return };
        if !self.is_handle_already(to, |_| handle.dialect) {
            self.handles.insert(to, handle);
        }
    }
}

/// Whether an event is below so many calls that it is not handed on to one more caller.
fn is_too_far_below(event: &Event) -> bool {
    let far = match event.kind {
        EventKind::Access(_) | EventKind::Effect(_) | EventKind::CallParam { .. } => FOLLOWED,
        // What protects a statement is seen wherever that is.
        EventKind::Begin { .. } | EventKind::Commit | EventKind::Rollback | EventKind::Locked(_) => 2 * FOLLOWED,
    };
    event.calls.len() >= far
}
