//! Terms, conditions and values of a called function in the words of its caller: arguments for parameters, and names that
//! both hold made anew.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Comparison, Cond, CondId, Decided, EventId, Guard, Path};
use crate::flow::distant::Distant;
use crate::flow::mention::Wanted;
use crate::flow::names::{Marks, Owners};
use crate::flow::switch::Closed;
use crate::flow::term::{AGAIN, LENT, Params, Term, TermId};
use crate::flow::value::{ClosureValue, Piece, Query, QueryBody, Shape, Text, Value, Wrap};
use crate::flow::{Evaluator, branch};
use crate::link::FnId;
use crate::lower::tree::Name;

/// What the callee's ids become at one call.
pub(super) struct Mapping<'a> {
    pub(super) function: FnId,
    pub(super) args: &'a [Value],
    pub(super) distant: Option<&'a Distant>,
    /// The owners of names that the caller holds as well: theirs are made anew.
    pub(super) anew: Owners,
    /// What has none of these and no parameter stays what it is.
    pub(super) marks: Marks,
    pub(super) events: FxHashMap<EventId, EventId>,
    /// The arms that it does not take.
    pub(super) closed: Vec<Closed>,
    /// Those that this call does not come to.
    pub(super) barred: FxHashSet<EventId>,
    /// None for those that can look at no row here, since no argument may hold one.
    pub(super) conds: FxHashMap<CondId, Option<CondId>>,
    /// The conditions that decide whether the call happens.
    pub(super) outer: Vec<CondId>,
    pub(super) branches: FxHashMap<u32, u32>,
    /// Which mapping it is: what terms have become stands beside them.
    pub(super) turn: u32,
    /// What stands for unknown values: the same each time that it is asked for.
    pub(super) unknown: FxHashMap<TermId, TermId>,
    /// Results of function values that were called here.
    pub(super) results: FxHashMap<TermId, Value>,
    /// The same, to be looked for.
    pub(super) of_results: Option<Wanted>,
    /// Guards of locks that the callee takes; only those in its result outlive it.
    pub(super) guards: Vec<Guard>,
    /// More would have to be made than is allowed: the call is given up.
    pub(super) too_much: bool,
    /// The parts of the terms that are being mapped, those of the innermost last.
    pub(super) parts: Vec<TermId>,
}

/// How deep shapes are followed.
const DEPTH: usize = 12;

impl Mapping<'_> {
    pub(super) fn event(&self, id: EventId) -> EventId {
        self.events.get(&id).copied().unwrap_or(id)
    }
}

impl<'p> Evaluator<'p> {
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

    pub(super) fn map_conds(&mut self, conds: &[CondId], map: &mut Mapping<'_>) -> Vec<CondId> {
        conds.iter().filter_map(|cond| self.map_cond(*cond, map)).collect()
    }

    fn map_cond(&mut self, id: CondId, map: &mut Mapping<'_>) -> Option<CondId> {
        // In an arm that is not taken here nobody asks.
        if !map.closed.is_empty() && self.way_to(id).is_some_and(|way| map.closed.iter().any(|arms| arms.bars(way))) {
            return None;
        }
        if let Some(instead) = map.distant.and_then(|distant| distant.instead.get(&id)) {
            return self.map_cond(*instead, map);
        }
        let made = self.made(id);
        if !made.of_params && !made.marks.meets(map.marks) {
            return made.of_rows.then_some(id);
        }
        if let Some(mapped) = map.conds.get(&id) {
            return *mapped;
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
        inner.extend(self.choices_of(cond.term, map));
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
        let way = match self.way_to(id).cloned() {
            Some(way) => self.map_path(&way, map),
            None => self.frame.path.clone(),
        };
        let way = self.open_to_callers(&way);
        let mapped = self.new_cond_below(cond, made.calls.saturating_add(1), way);
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
            || !self.choices_of(cond.term, map).is_empty()
            || self.terms.params(cond.term).any(map.args.len(), of_arg)
    }

    /// What decided which one of several constants an argument is, where a value of the callee is worked out of it: whoever
    /// asks for the one asks for the other.
    pub(super) fn choices_of(&self, term: TermId, map: &Mapping<'_>) -> Vec<CondId> {
        let params = self.terms.params(term);
        if params == Params::default() {
            return Vec::new();
        }
        let chosen = |arg: &&Value| !arg.guards.is_empty() && self.terms.is_constant(arg.term);
        let args = map.args.iter().enumerate();
        let meant = args.filter(|(place, _)| params.any(map.args.len(), |member| member == *place));
        meant.map(|(_, arg)| arg).filter(chosen).flat_map(|arg| arg.guards.iter().copied()).collect()
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
        if let Some(mapped) = self.terms.mapped(id, map.turn).or_else(|| map.unknown.get(&id).copied()) {
            return mapped;
        }
        if !self.may_place(map) {
            return id;
        }
        let mapped = match self.terms.get(id) {
            Term::Literal(_) => id,
            Term::Param(function, index) if *function == map.function => {
                map.args.get(usize::from(*index)).map_or_else(|| self.terms.fresh(), |arg| arg.term)
            }
            Term::Param(..) => id,
            Term::Fresh(unknown) => match map.results.get(&id) {
                Some(value) => value.term,
                None if !map.anew.has(self.terms.names.of_unknown(*unknown)) && !self.locks.contains_key(&id) => id,
                None => self.map_unknown(id, map),
            },
            // What it would have given adds nothing to what other ways give.
            Term::Row(event) | Term::Count(event) | Term::Transaction(event) if map.barred.contains(event) => {
                self.terms.computed(AGAIN, Vec::new())
            }
            Term::Row(event) => {
                let event = map.event(*event);
                self.terms.intern(Term::Row(event))
            }
            Term::Count(event) => {
                let event = map.event(*event);
                self.terms.intern(Term::Count(event))
            }
            Term::Transaction(event) => {
                let event = map.event(*event);
                let mapped = self.terms.intern(Term::Transaction(event));
                self.inherit_handle(id, mapped);
                mapped
            }
            Term::Field(of, name) => {
                let (of, name) = (*of, name.clone());
                if self.is_plain_field(of, &name, map) {
                    let of = self.map_term(of, map);
                    self.field_term(of, &name)
                } else {
                    let value = self.map_term_value(of, map);
                    self.field(&value, &name).term
                }
            }
            Term::Exists(of) => {
                let of = self.map_term(*of, map);
                self.terms.exists(of)
            }
            Term::Computed(by, _) => {
                let by = by.clone();
                let first = self.map_parts(id, map);
                let mapped = self.terms.computed_of(&map.parts[first..], &by, || by.clone());
                map.parts.truncate(first);
                if by == LENT { self.lent_by(mapped) } else { mapped }
            }
            Term::Either(_) => {
                let first = self.map_parts(id, map);
                self.terms.either(map.parts.drain(first..))
            }
        };
        match self.terms.get(id) {
            // A result that is not there yet must be looked up again.
            Term::Fresh(_) if map.results.contains_key(&id) => {}
            Term::Fresh(_) | Term::Param(..) => {
                map.unknown.insert(id, mapped);
            }
            _ => self.terms.remember_mapped(id, map.turn, mapped),
        }
        mapped
    }

    /// Whether nothing but its term is known of what a field is taken from, so that the field is known by its name.
    fn is_plain_field(&self, mut of: TermId, name: &Name, map: &Mapping<'_>) -> bool {
        // The only field of a newtype is the value itself.
        let by_name = |name: &str| !name.starts_with(|first: char| first.is_ascii_digit());
        if self.sea_orm || !by_name(name) {
            return false;
        }
        loop {
            match self.terms.get(of) {
                Term::Field(inner, name) if by_name(name) => of = *inner,
                Term::Field(..) => return false,
                Term::Param(function, index) if *function == map.function => {
                    return map.args.get(usize::from(*index)).is_some_and(|arg| matches!(arg.shape, Shape::Plain));
                }
                Term::Fresh(_) => return !map.results.contains_key(&of),
                _ => return true,
            }
        }
    }

    /// Something of which the callee knew nothing is something else in each call; a guard stands for another one. Behind the
    /// lock of a transaction is the transaction: the parts of a request hand it to each other.
    fn map_unknown(&mut self, id: TermId, map: &mut Mapping<'_>) -> TermId {
        let known = self.locks.get(&id).cloned();
        let lock = known.as_ref().map(|known| self.map_term(known.lock, map));
        if let Some(lock) = lock.filter(|lock| self.is_in_transaction(*lock)) {
            return lock;
        }
        let fresh = self.terms.fresh();
        if let Some((known, lock)) = known.zip(lock) {
            let taken = Guard { guard: fresh, lock, ..known };
            self.locks.insert(fresh, taken.clone());
            map.guards.push(taken);
        }
        self.inherit_handle(id, fresh);
        fresh
    }

    /// Maps what a term is made of; gives the place from where on they stand among the mapping's parts.
    fn map_parts(&mut self, id: TermId, map: &mut Mapping<'_>) -> usize {
        let first = map.parts.len();
        for place in 0..self.terms.parts(id).len() {
            let part = self.terms.parts(id)[place];
            let mapped = self.map_term(part, map);
            map.parts.push(mapped);
        }
        first
    }

    /// Like `map_term`, with the shape of the argument where the term is one, or a part of one.
    pub(super) fn map_term_value(&mut self, id: TermId, map: &mut Mapping<'_>) -> Value {
        match self.terms.get(id) {
            Term::Param(function, index) if *function == map.function => match map.args.get(usize::from(*index)) {
                Some(arg) => arg.clone(),
                None => self.fresh(),
            },
            Term::Field(of, name) => {
                let (of, name) = (*of, name.clone());
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
        mapped.way = value.way.as_ref().map(|way| self.map_path(way, map));
        if let Some(variants) = &value.variants {
            mapped.variants = Some(self.map_variants(variants, map));
        }
        mapped.refused = match (&value.refused, &mapped.refused) {
            (Some(refused), _) => Some(branch::union(&self.map_conds(refused, map), &[])),
            (None, inner) if value.guards.is_empty() => inner.clone(),
            (None, _) => None,
        };
        mapped.guards = branch::union(&mapped.guards, &self.map_conds(&value.guards, map));
        if !direct && depth == 0 {
            mapped.guards = branch::union(&mapped.guards, &self.choices_of(value.term, map));
        }
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
