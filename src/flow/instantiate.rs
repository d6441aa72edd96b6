//! A function's flow put in place of a call: arguments for parameters, fresh events, fresh unknowns.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::dialect::Dialect;
use crate::event::{
    Access, Call, Comparison, Cond, CondId, Decided, Effect, Event, EventId, EventKind, Flow, Guard, Path,
};
use crate::flow::absent::Absent;
use crate::flow::distant::Distant;
use crate::flow::limits::FOLLOWED;
use crate::flow::mention::Wanted;
use crate::flow::names::{Marks, Owners};
use crate::flow::term::{Params, Term, TermId};
use crate::flow::value::{ClosureValue, Piece, Query, QueryBody, Shape, Text, Value, Wrap};
use crate::flow::{Evaluator, branch};
use crate::link::FnId;
use crate::lower::tree::Expr;
use crate::span::Range;

/// What the callee's ids become at one call.
pub(super) struct Mapping<'a> {
    function: FnId,
    args: &'a [Value],
    distant: Option<&'a Distant>,
    /// The owners of names that the caller holds as well: theirs are made anew.
    anew: Owners,
    /// What has none of these and no parameter stays what it is.
    marks: Marks,
    events: FxHashMap<EventId, EventId>,
    /// None for those that can look at no row here, since no argument may hold one.
    conds: FxHashMap<CondId, Option<CondId>>,
    /// The conditions that decide whether the call happens.
    outer: Vec<CondId>,
    branches: FxHashMap<u32, u32>,
    terms: FxHashMap<TermId, TermId>,
    /// Results of function values that were called here.
    results: FxHashMap<TermId, Value>,
    /// The same, to be looked for.
    of_results: Option<Wanted>,
    /// Guards of locks that the callee takes; only those in its result outlive it.
    guards: Vec<Guard>,
    /// More would have to be made than is allowed: the call is given up.
    too_much: bool,
}

/// How deep shapes are followed.
const DEPTH: usize = 12;

impl Mapping<'_> {
    pub(super) fn event(&self, id: EventId) -> EventId {
        self.events.get(&id).copied().unwrap_or(id)
    }
}

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
            conds: FxHashMap::default(),
            outer: self.frame.deps.iter().map(|(cond, _)| *cond).collect(),
            branches: FxHashMap::default(),
            terms: FxHashMap::default(),
            results: FxHashMap::default(),
            of_results: None,
            guards: Vec::new(),
            too_much: false,
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
        if !asked && !handed {
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
        let looked_at = flow.looked_at.iter().map(|event| map.event(*event));
        self.frame.looked_at.extend(looked_at);
        let mapped = self.map_conds(&flow.conds, map);
        self.frame.conds.extend(mapped);
        self.place_absences(&flow.absences, map);
        self.place_blanks(&flow.blanks, map);
        self.place_leads(&flow.leads, map);
        let closed = self.closed_arms(flow, map);
        let mut too_far = false;
        for event in &flow.events {
            if map.too_much {
                return;
            }
            if is_too_far_below(event) {
                too_far |= event.access().is_some();
                continue;
            }
            if closed.iter().any(|arms| arms.bars(&event.path)) {
                continue;
            }
            if let EventKind::CallParam { callee, args, result } = &event.kind {
                self.place_param_call(event, *callee, args, *result, at, map);
                continue;
            }
            let mut placed = self.map_event(event, &call, map);
            closed.iter().for_each(|arms| arms.settle(&mut placed.calls));
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
        let mapped: Vec<Guard> = event.guards.iter().map(|guard| self.map_guard(guard, map)).collect();
        self.frame.guards.extend(mapped);
        let value = self.call_value(&function, args, at);
        self.frame.guards.truncate(guards);
        self.frame.path = path;
        self.frame.deps.truncate(deps);
        map.results.insert(result, value);
        map.of_results = Some(Wanted::new(&self.terms, map.results.keys().copied()));
    }

    fn map_event(&mut self, event: &Event, call: &Call, map: &mut Mapping<'_>) -> Event {
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
            EventKind::Locked(guard) => EventKind::Locked(self.map_guard(guard, map)),
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
            guards.push(self.map_guard(guard, map));
        }
        Event {
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
        }
    }

    fn map_guard(&mut self, guard: &Guard, map: &mut Mapping<'_>) -> Guard {
        Guard {
            guard: self.map_term(guard.guard, map),
            lock: self.map_term(guard.lock, map),
            span: guard.span,
            shared: guard.shared,
            empty: guard.empty,
        }
    }

    /// What was known of a handle in the callee holds for the argument, unless more is known of that.
    fn inherit_handle(&mut self, from: TermId, to: TermId) {
        if from == to {
            return;
        }
        if let Some(mode) = self.begin_modes.get(&from).copied() {
            self.begin_modes.entry(to).or_insert(mode);
        }
        if self.handles.contains_key(&to) {
            return;
        }
        if let Some(handle) = self.handles.get(&from).copied() {
            self.handles.insert(to, handle);
        }
    }

    pub(super) fn map_path(&mut self, path: &Path, map: &mut Mapping<'_>) -> Path {
        let mut all: Vec<(u32, u64)> = self.frame.path.0.to_vec();
        for (branch, arms) in path.0.iter() {
            all.push((self.map_branch(*branch, map), *arms));
        }
        Path::of(all)
    }

    pub(super) fn map_branch(&mut self, branch: u32, map: &mut Mapping<'_>) -> u32 {
        if !map.anew.has(self.terms.names.of_branch(branch)) {
            return branch;
        }
        *map.branches.entry(branch).or_insert_with(|| self.terms.names.branch())
    }

    fn map_conds(&mut self, conds: &[CondId], map: &mut Mapping<'_>) -> Vec<CondId> {
        conds.iter().filter_map(|cond| self.map_cond(*cond, map)).collect()
    }

    fn map_cond(&mut self, id: CondId, map: &mut Mapping<'_>) -> Option<CondId> {
        let made = self.made(id);
        if !made.of_params && !made.marks.meets(map.marks) {
            return made.of_rows.then_some(id);
        }
        if let Some(mapped) = map.conds.get(&id) {
            return *mapped;
        }
        if let Some(distant) = map.distant
            && distant.those.contains(&id)
        {
            return self.map_cond(distant.in_one, map);
        }
        // A condition cannot contain itself, but a malformed one must not loop.
        map.conds.insert(id, None);
        if !self.may_place(map) {
            return None;
        }
        let cond = self.cond(id).clone();
        let mut inner = self.map_conds(&cond.inner, map);
        if inner.is_empty() && !self.may_look_at_rows(&cond, map) {
            return None;
        }
        let term = self.map_term(cond.term, map);
        if self.mentions_result(cond.term, map) {
            inner.extend(map.results.values().flat_map(|value| value.guards.iter().copied()));
        }
        if inner.is_empty() && !self.terms.matters(term) {
            return None;
        }
        let compares: Vec<Comparison> = cond
            .compares
            .iter()
            .map(|c| Comparison { left: self.map_term(c.left, map), op: c.op, right: self.map_term(c.right, map) })
            .collect();
        let inner = branch::union(&inner, &[]);
        let decides = cond.decides.map(|decides| Decided { branch: self.map_branch(decides.branch, map), ..decides });
        let cond = Cond { term, inner, compares: compares.into(), decides, ..cond };
        let mapped = self.new_cond_below(cond, made.calls.saturating_add(1));
        map.conds.insert(id, Some(mapped));
        Some(mapped)
    }

    /// Whether a condition, put in place, can look at a row, now or where the caller is called.
    fn may_look_at_rows(&self, cond: &Cond, map: &Mapping<'_>) -> bool {
        let of_arg = |place: usize| {
            let arg = &map.args[place];
            !matches!(arg.shape, Shape::Plain) || self.terms.matters(arg.term)
        };
        !map.results.is_empty()
            || !self.terms.origins(cond.term).is_empty()
            || self.terms.params(cond.term).any(map.args.len(), of_arg)
    }

    /// Whether one more term or condition may be made for this call.
    fn may_place(&mut self, map: &mut Mapping<'_>) -> bool {
        match self.frame.allowance.placed.checked_sub(1) {
            Some(left) => self.frame.allowance.placed = left,
            None => map.too_much = true,
        }
        !map.too_much
    }

    fn mentions_result(&self, term: TermId, map: &mut Mapping<'_>) -> bool {
        map.of_results.as_mut().is_some_and(|results| !results.among(&self.terms, &[term]).is_empty())
    }

    pub(super) fn map_term(&mut self, id: TermId, map: &mut Mapping<'_>) -> TermId {
        if self.terms.params(id) == Params::default() && !self.terms.marks(id).meets(map.marks) {
            return id;
        }
        if let Some(mapped) = map.terms.get(&id) {
            return *mapped;
        }
        if !self.may_place(map) {
            return id;
        }
        let mapped = match self.terms.get(id).clone() {
            Term::Literal(_) => id,
            Term::Param(function, index) if function == map.function => {
                map.args.get(index as usize).map_or_else(|| self.terms.fresh(), |arg| arg.term)
            }
            Term::Param(..) => id,
            Term::Fresh(unknown) => match map.results.get(&id) {
                Some(value) => value.term,
                None if !map.anew.has(self.terms.names.of_unknown(unknown)) && !self.locks.contains_key(&id) => id,
                None => {
                    let fresh = self.terms.fresh();
                    if let Some(known) = self.locks.get(&id).cloned() {
                        let taken = Guard { guard: fresh, lock: self.map_term(known.lock, map), ..known };
                        self.locks.insert(fresh, taken.clone());
                        map.guards.push(taken);
                    }
                    self.inherit_handle(id, fresh);
                    fresh
                }
            },
            Term::Row(event) => self.terms.intern(Term::Row(map.event(event))),
            Term::Count(event) => self.terms.intern(Term::Count(map.event(event))),
            Term::Transaction(event) => {
                let mapped = self.terms.intern(Term::Transaction(map.event(event)));
                self.inherit_handle(id, mapped);
                mapped
            }
            Term::Field(of, name) => {
                let value = self.map_term_value(of, map);
                match value.part(&name) {
                    Some(part) => part.term,
                    None => self.field(&value, &name).term,
                }
            }
            Term::Exists(of) => {
                let of = self.map_term(of, map);
                self.terms.exists(of)
            }
            Term::Computed(by, parts) => {
                let parts = parts.iter().map(|part| self.map_term(*part, map)).collect();
                self.terms.computed(&by, parts)
            }
            Term::Either(parts) => {
                let parts: Vec<TermId> = parts.iter().map(|part| self.map_term(*part, map)).collect();
                self.terms.either(parts)
            }
        };
        // A result that is not there yet must be looked up again.
        let pending = matches!(self.terms.get(id), Term::Fresh(_)) && map.results.contains_key(&id);
        if !pending {
            map.terms.insert(id, mapped);
        }
        mapped
    }

    /// Like `map_term`, with the shape of the argument where the term is one, or a part of one.
    pub(super) fn map_term_value(&mut self, id: TermId, map: &mut Mapping<'_>) -> Value {
        match self.terms.get(id).clone() {
            Term::Param(function, index) if function == map.function => match map.args.get(index as usize) {
                Some(arg) => arg.clone(),
                None => self.fresh(),
            },
            Term::Field(of, name) => {
                let value = self.map_term_value(of, map);
                self.field(&value, &name)
            }
            Term::Fresh(_) if map.results.contains_key(&id) => map.results[&id].clone(),
            _ => {
                let term = self.map_term(id, map);
                Value::new(term, crate::link::Type::Unknown)
            }
        }
    }

    pub(super) fn map_value(&mut self, value: &Value, map: &mut Mapping<'_>, depth: usize) -> Value {
        let direct = matches!(self.terms.get(value.term), Term::Param(..) | Term::Field(..) | Term::Fresh(_));
        let mut mapped = if direct && matches!(value.shape, Shape::Plain) {
            let inner = self.map_term_value(value.term, map);
            let ty = if inner.ty.is_unknown() { value.ty.clone() } else { inner.ty.clone() };
            let wrap = if value.wrap == Wrap::Bare { inner.wrap } else { value.wrap };
            Value { ty, wrap, ..inner }
        } else {
            Value { wrap: value.wrap, ..Value::new(self.map_term(value.term, map), value.ty.clone()) }
        };
        match self.map_absent(&value.absent, map) {
            known if !known.is_unknown() => mapped.absent = known,
            _ => {}
        }
        if let Some(variants) = &value.variants {
            mapped.variants = Some(self.map_variants(variants, map));
        }
        mapped.refused = match (&value.refused, &mapped.refused) {
            (Some(refused), _) => Some(branch::union(&self.map_conds(refused, map), &[])),
            (None, inner) if value.guards.is_empty() => inner.clone(),
            (None, _) => None,
        };
        mapped.guards = branch::union(&mapped.guards, &self.map_conds(&value.guards, map));
        // `Ok(None)`: that there is nothing is an answer, which `?` hands on.
        let none = |part: &TermId| matches!(self.terms.get(*part), Term::Literal(text) if text == "none");
        if value.wrap == Wrap::Answer
            && matches!(self.terms.get(value.term), Term::Either(parts) if parts.iter().any(none))
        {
            mapped.wrap = Wrap::Answer;
        }
        if depth < DEPTH && !matches!(value.shape, Shape::Plain) {
            let shape = self.map_shape(&value.shape, map, depth + 1);
            mapped.reshape(shape);
        }
        mapped
    }

    fn map_shape(&mut self, shape: &Shape, map: &mut Mapping<'_>, depth: usize) -> Shape {
        match shape {
            Shape::Plain => Shape::Plain,
            Shape::Text(text) => {
                if text.whole().is_some() {
                    return shape.clone();
                }
                Shape::Text(Arc::new(self.map_text(text, map)))
            }
            Shape::Query(query) => {
                if let Some(values) = self.handed_several(query, map, depth) {
                    return Shape::OneOf(values.into());
                }
                let body = match &query.body {
                    QueryBody::Text(text) => QueryBody::Text(Arc::new(self.map_text(text, map))),
                    QueryBody::Statement(statement) => QueryBody::Statement(statement.clone()),
                };
                let binds = query.binds.iter().map(|bind| self.map_value(bind, map, depth)).collect();
                let named =
                    query.named.iter().map(|(name, bind)| (name.clone(), self.map_value(bind, map, depth))).collect();
                let on = query.on.map(|on| self.map_term(on, map));
                Shape::Query(Arc::new(Query { body, binds, named, on, ty: query.ty.clone() }))
            }
            Shape::Record(parts) => {
                let parts = parts.iter().map(|(name, part)| (name.clone(), self.map_value(part, map, depth))).collect();
                Shape::Record(Arc::new(parts))
            }
            Shape::Closure(closure) => {
                let env =
                    closure.env.iter().map(|(name, value)| (name.clone(), self.map_value(value, map, depth))).collect();
                Shape::Closure(Arc::new(ClosureValue { env, ..(**closure).clone() }))
            }
            Shape::OneOf(values) => {
                Shape::OneOf(values.iter().map(|value| self.map_value(value, map, depth)).collect())
            }
            Shape::Options(options) => {
                let from = options.from.map(|from| self.map_term(from, map));
                Shape::Options(crate::client::TxOptions { from, ..options.clone() })
            }
            Shape::Builder(builder) => Shape::Builder(Arc::new(self.map_builder(builder, map))),
            Shape::Function(_) => shape.clone(),
        }
    }

    /// A statement whose text was handed in, at a call that hands in one of several.
    fn handed_several(&mut self, query: &Query, map: &mut Mapping<'_>, depth: usize) -> Option<Vec<Value>> {
        let QueryBody::Text(text) = &query.body else { return None };
        let [Piece::Hole(hole)] = text.parts.as_slice() else { return None };
        let Shape::OneOf(texts) = self.map_term_value(*hole, map).shape else { return None };
        let mut all = Vec::new();
        for text in texts.iter() {
            let body = QueryBody::Text(text.text()?.clone());
            let one = Shape::Query(Arc::new(Query { body, ..query.clone() }));
            let shape = self.map_shape(&one, map, depth);
            all.push(Value::new(text.term, query.ty.clone()).shaped(shape));
        }
        Some(all)
    }

    fn map_builder(&mut self, builder: &crate::client::Builder, map: &mut Mapping<'_>) -> crate::client::Builder {
        let builder = builder.with_values(&mut |value| self.map_value(value, map, DEPTH / 2));
        builder.with_terms(&mut |term| self.map_term(term, map))
    }

    fn map_text(&mut self, text: &Text, map: &mut Mapping<'_>) -> Text {
        let mut parts = Vec::new();
        for part in &text.parts {
            match part {
                Piece::Constant(_) => parts.push(part.clone()),
                Piece::Hole(term) => {
                    let value = self.map_term_value(*term, map);
                    match value.text() {
                        Some(text) if parts.len() + text.parts.len() < 256 => parts.extend(text.parts.iter().cloned()),
                        _ => parts.push(Piece::Hole(value.term)),
                    }
                }
            }
        }
        Text { parts }
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
