//! One function's events with what is asked of them again and again.

use std::cell::RefCell;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::client::HandleKind;
use crate::config::Config;
use crate::dialect::Isolation;
use crate::event::{Absence, Access, Blank, CondId, Conds, Event, EventId, EventKind, Flow, Lead, Path, Switch};
use crate::flow::Evaluator;
use crate::flow::term::{Origin, Part, Term, TermId};
use crate::lower::tree::Name;
use crate::protect::{self, Verdict};
use crate::race::index::{Index, Kind};
use crate::race::rivals::Rivals;
use crate::race::transaction::{self, Transaction};
use crate::race::{LooksAt, Sequence, dependency};
use crate::sql::schema::Schema;
use crate::sql::statement::{Access as TableAccess, Action, Aggregate, Operand, Output, Place, Statement};

/// The events of one function, indexed.
pub struct Scene<'a, 'p> {
    pub ev: &'a Evaluator<'p>,
    pub flow: &'a Flow,
    pub schema: &'a Schema,
    pub config: &'a Config,
    pub rivals: &'a Rivals,
    places: FxHashMap<EventId, usize>,
    used: FxHashSet<EventId>,
    switches: FxHashMap<u32, Vec<&'a Switch>>,
    absences: FxHashMap<EventId, Vec<&'a Absence>>,
    leads: FxHashMap<u32, Vec<&'a Lead>>,
    index: Index,
    memo: Memo,
}

/// What was worked out before: one sequence is asked for by several protections.
#[derive(Default)]
struct Memo {
    sequences: RefCell<FxHashMap<EventId, Arc<[Sequence]>>>,
    /// None while the verdict is being worked out.
    verdicts: RefCell<FxHashMap<(EventId, EventId), Option<Verdict>>>,
    conditions: RefCell<FxHashMap<Vec<CondId>, Conds>>,
    deciding: RefCell<FxHashMap<EventId, Arc<[EventId]>>>,
    transactions: RefCell<FxHashMap<EventId, Option<Transaction>>>,
    /// Locks inside the process under which the call that takes them does its work.
    serving: RefCell<FxHashMap<EventId, bool>>,
    /// Whether a condition only asks whether what was read is zero.
    zeros: RefCell<FxHashMap<(CondId, EventId), bool>>,
    /// Writes by whose outcome something is done or told.
    deciders: RefCell<FxHashMap<EventId, bool>>,
}

/// What is remembered under a key; asked where nothing is yet. While it is asked, others may be remembered.
fn once<K: Hash + Eq, V: Clone>(memo: &RefCell<FxHashMap<K, V>>, key: K, ask: impl FnOnce() -> V) -> V {
    if let Some(known) = memo.borrow().get(&key) {
        return known.clone();
    }
    let found = ask();
    memo.borrow_mut().insert(key, found.clone());
    found
}

impl<'a, 'p> Scene<'a, 'p> {
    pub fn new(
        ev: &'a Evaluator<'p>,
        flow: &'a Flow,
        schema: &'a Schema,
        config: &'a Config,
        rivals: &'a Rivals,
    ) -> Self {
        let places = flow.events.iter().enumerate().map(|(place, event)| (event.id, place)).collect();
        let index = Index::of(&flow.events);
        let mut switches: FxHashMap<u32, Vec<&Switch>> = FxHashMap::default();
        for switch in &flow.switches {
            switches.entry(switch.branch).or_default().push(switch);
        }
        let mut absences: FxHashMap<EventId, Vec<&Absence>> = FxHashMap::default();
        for absence in &flow.absences {
            for read in absence.reads.iter() {
                absences.entry(*read).or_default().push(absence);
            }
        }
        let mut leads: FxHashMap<u32, Vec<&Lead>> = FxHashMap::default();
        for lead in &flow.leads {
            leads.entry(lead.branch).or_default().push(lead);
        }
        let (used, memo) = (FxHashSet::default(), Memo::default());
        let mut scene = Self { ev, flow, schema, config, rivals, places, used, switches, absences, leads, index, memo };
        scene.used = scene.collect_used();
        scene
    }

    /// Statements whose outcome something looks at: a condition, a later statement, or the caller.
    fn collect_used(&self) -> FxHashSet<EventId> {
        let mut used: FxHashSet<EventId> = self.flow.looked_at.iter().copied().collect();
        let mut note = |term: TermId| {
            for origin in self.ev.terms.origins(term).iter() {
                used.insert(origin.event);
            }
        };
        if !self.is_success(self.flow.returns.term) {
            note(self.flow.returns.term);
        }
        for event in &self.flow.events {
            if let EventKind::Access(access) = &event.kind {
                access.binds.iter().for_each(|term| note(*term));
                access.named.iter().for_each(|(_, term)| note(*term));
            }
        }
        used
    }

    /// Whether a value only tells that a write did not fail.
    fn is_success(&self, term: TermId) -> bool {
        matches!(self.ev.terms.asked_to_be_there(term), Some(Term::Count(_)))
    }

    /// Whether a value only tells that a row was there that had to be.
    pub fn is_required_row(&self, term: TermId) -> bool {
        let Some(Term::Row(event)) = self.ev.terms.asked_to_be_there(term) else { return false };
        self.access(*event).is_some_and(|access| access.row_required)
    }

    pub fn event(&self, id: EventId) -> Option<&'a Event> {
        self.places.get(&id).map(|place| &self.flow.events[*place])
    }

    /// What a branch tests, where names or types decide it.
    pub fn switches(&self, branch: u32) -> &[&'a Switch] {
        self.switches.get(&branch).map_or(&[], Vec::as_slice)
    }

    /// Whether who comes to an event may have passed another one, as far as it matters which ways lead to the arms that it
    /// stands in.
    pub fn is_led_past(&self, event: &Event, other: &Path) -> bool {
        event.path.0.iter().all(|(branch, taken)| {
            let leads = self.leads.get(branch).map_or(&[][..], Vec::as_slice);
            let mut here = leads.iter().filter(|lead| taken & !lead.arms == 0);
            here.all(|lead| lead.ways.iter().any(|way| way.meets(other)))
        })
    }

    /// Whether whoever comes to an event has found no row by a read.
    pub fn found_nothing(&self, read: EventId, event: &Event) -> bool {
        self.absences.get(&read).is_some_and(|all| all.iter().any(|absence| absence.holds_on(&event.path)))
    }

    /// Whether whoever comes to an event has found a row by a read, or something in its stead.
    pub fn found_something(&self, read: EventId, event: &Event) -> bool {
        self.absences.get(&read).is_some_and(|all| all.iter().any(|absence| absence.is_refuted_on(&event.path)))
    }

    /// Whether whoever comes to an event has found that a value is none.
    pub fn is_blank(&self, of: TermId, event: &Event) -> bool {
        let none = |blank: &Blank| event.path.arms_of(blank.branch).is_some_and(|arms| arms & !blank.arms == 0);
        self.flow.blanks.iter().any(|blank| blank.is_of(&self.ev.terms, of) && none(blank))
    }

    pub fn place(&self, id: EventId) -> usize {
        self.places.get(&id).copied().unwrap_or(usize::MAX)
    }

    /// The table that a sequence reads.
    pub fn table_of(&self, sequence: &Sequence) -> Option<&'a Name> {
        self.access(sequence.read)?.statement.accesses.get(sequence.read_access).map(|read| &read.table.name)
    }

    pub fn access(&self, id: EventId) -> Option<&'a Access> {
        self.event(id).and_then(Event::access)
    }

    /// The events before one, on a path with it.
    pub fn before(&self, id: EventId) -> impl Iterator<Item = &'a Event> + use<'a, '_, 'p> {
        let place = self.place(id).min(self.flow.events.len());
        let path = self.event(id).map(|event| event.path.clone()).unwrap_or_default();
        self.flow.events[..place].iter().filter(move |event| event.path.meets(&path))
    }

    /// The events of one kind before one, on a path with it.
    pub fn before_of(&self, kind: Kind, id: EventId) -> impl Iterator<Item = &'a Event> + use<'a, '_, 'p> {
        self.among(self.index.between(kind, 0, self.place(id)), [id, id])
    }

    /// The events of one kind between two, on a path with both.
    pub fn between_of(
        &self,
        kind: Kind,
        from: EventId,
        to: EventId,
    ) -> impl Iterator<Item = &'a Event> + use<'a, '_, 'p> {
        self.among(self.index.between(kind, self.place(from).saturating_add(1), self.place(to)), [from, to])
    }

    /// The events of one kind after one, on a path with it.
    pub fn after_of(&self, kind: Kind, id: EventId) -> impl Iterator<Item = &'a Event> + use<'a, '_, 'p> {
        self.among(self.index.between(kind, self.place(id).saturating_add(1), usize::MAX), [id, id])
    }

    /// The events at these places that are on a path with both of two.
    fn among<'s>(
        &'s self,
        places: &'s [usize],
        with: [EventId; 2],
    ) -> impl Iterator<Item = &'a Event> + use<'a, 's, 'p> {
        let [one, other] = with.map(|id| self.event(id).map(|event| event.path.clone()).unwrap_or_default());
        let events = &self.flow.events;
        places.iter().map(|at| &events[*at]).filter(move |event| event.path.meets(&one) && event.path.meets(&other))
    }

    /// The events between two, on a path with both.
    pub fn between(&self, from: EventId, to: EventId) -> impl Iterator<Item = &'a Event> + use<'a, '_, 'p> {
        let start = self.place(from);
        let path = self.event(from).map(|event| event.path.clone()).unwrap_or_default();
        self.before(to).filter(move |event| self.place(event.id) > start && event.path.meets(&path))
    }

    /// The events after one, on a path with it.
    pub fn after(&self, id: EventId) -> impl Iterator<Item = &'a Event> + use<'a, '_, 'p> {
        let place = self.place(id).saturating_add(1).min(self.flow.events.len());
        let path = self.event(id).map(|event| event.path.clone()).unwrap_or_default();
        self.flow.events[place..].iter().filter(move |event| event.path.meets(&path))
    }

    /// Whether anything looks at how many rows a write changed, or at what it returned.
    pub fn outcome_used(&self, id: EventId) -> bool {
        // A lock function always gives a row; what it says must be looked at.
        let required = self.access(id).is_some_and(|access| {
            access.row_required && access.statement.writes() && !access.statement.output.is_empty()
        });
        required || self.used.contains(&id)
    }

    /// Whether anything looks at the value a statement gave.
    pub fn result_used(&self, id: EventId) -> bool {
        self.used.contains(&id)
    }

    /// What is known of whether a condition only asks whether what was read is zero; asked once.
    pub(super) fn known_zero(&self, of: (CondId, EventId), ask: impl FnOnce() -> bool) -> bool {
        once(&self.memo.zeros, of, ask)
    }

    /// Whether something is done, or told, by what a write gave; what is only written to a log is neither.
    pub fn outcome_decides(&self, write: EventId) -> bool {
        once(&self.memo.deciders, write, || self.is_decided_by(write))
    }

    fn is_decided_by(&self, write: EventId) -> bool {
        let of_write = |term: TermId| self.origins(term).iter().any(|origin| origin.event == write);
        let on_it = |conds: &[CondId]| {
            self.conditions(conds)
                .iter()
                .map(|cond| self.ev.cond(*cond).term)
                .any(|term| of_write(term) && !matches!(self.ev.terms.asked_to_be_there(term), Some(Term::Count(_))))
        };
        let returned = &self.flow.returns;
        self.outcome_used(write)
            && (self.access(write).is_some_and(|access| access.row_required)
                || of_write(returned.term)
                || on_it(&returned.guards)
                || self.flow.events.iter().any(|event| {
                    let mut bound = event.access().into_iter().flat_map(|access| access.binds.iter());
                    event.id != write && (on_it(&event.deps) || bound.any(|term| of_write(*term)))
                }))
    }

    /// The sequences that end in a write.
    pub fn sequences(&self, write: &Event) -> Arc<[Sequence]> {
        once(&self.memo.sequences, write.id, || dependency::sequences(self, write).into())
    }

    /// The verdict on one of those sequences. One that is asked for while it is being worked out counts as racy: it
    /// cannot protect itself.
    pub fn verdict(&self, sequence: &Sequence) -> Verdict {
        let key = (sequence.read, sequence.write);
        if let Some(known) = self.memo.verdicts.borrow().get(&key) {
            return known.clone().unwrap_or(Verdict::Racy { tried: Vec::new() });
        }
        self.memo.verdicts.borrow_mut().insert(key, None);
        let verdict = protect::judge(self, sequence);
        self.memo.verdicts.borrow_mut().insert(key, Some(verdict.clone()));
        verdict
    }

    /// The transaction an event runs in.
    pub fn transaction(&self, event: &Event) -> Option<Transaction> {
        once(&self.memo.transactions, event.id, || transaction::find(self, event))
    }

    /// The level of transactions that ask for none, where the configuration or the program says it.
    pub fn session_level(&self, event: &Event) -> Option<Isolation> {
        let package = || self.ev.program.krate_of(event.function);
        self.config.isolation.or_else(|| self.rivals.sessions.of(package()))
    }

    /// Whether a lock inside the process is held over a statement, or something that leaves the process, of the very call
    /// that takes it.
    pub fn guards_its_call(&self, locked: &Event) -> bool {
        let ([call, ..], EventKind::Locked(guard)) = (&*locked.calls, &locked.kind) else { return false };
        let serves = |event: &Event| {
            matches!(event.kind, EventKind::Access(_) | EventKind::Effect(_))
                && event.calls.first() == Some(call)
                && event.guards.iter().any(|held| held.guard == guard.guard)
        };
        once(&self.memo.serving, locked.id, || self.after(locked.id).any(serves))
    }

    /// Which results of statements a value is made of.
    pub fn origins(&self, term: TermId) -> Arc<[Origin]> {
        self.ev.terms.origins(term)
    }

    /// All conditions an event depends on, those that decided tested values included, sorted.
    pub fn conditions(&self, deps: &[CondId]) -> Conds {
        if let Some(known) = self.memo.conditions.borrow().get(deps) {
            return known.clone();
        }
        let found: Conds = self.closure(deps).into();
        self.memo.conditions.borrow_mut().insert(deps.to_vec(), found.clone());
        found
    }

    /// The statements on whose results it depends whether an event happens, in their order.
    pub fn deciding(&self, event: &Event) -> Arc<[EventId]> {
        if let Some(known) = self.memo.deciding.borrow().get(&event.id) {
            return known.clone();
        }
        let mut all: Vec<EventId> = Vec::new();
        for cond in self.conditions(&event.deps).iter() {
            all.extend(self.origins(self.ev.cond(*cond).term).iter().map(|origin| origin.event));
        }
        all.sort_unstable_by_key(|id| (self.place(*id), *id));
        all.dedup();
        let found: Arc<[EventId]> = all.into();
        self.memo.deciding.borrow_mut().insert(event.id, found.clone());
        found
    }

    fn closure(&self, deps: &[CondId]) -> Vec<CondId> {
        let mut all: Vec<CondId> = Vec::new();
        let mut todo: Vec<CondId> = deps.to_vec();
        let mut seen = FxHashSet::default();
        while let Some(id) = todo.pop() {
            if seen.insert(id) && all.len() < 512 {
                all.push(id);
                todo.extend(self.ev.cond(id).inner.iter().copied());
            }
        }
        all.sort_unstable();
        all
    }

    /// All bound values inside an operand.
    pub fn terms_in(&self, access: &Access, operand: &Operand) -> Vec<TermId> {
        let mut found = Vec::new();
        operand.walk(&mut |part| found.extend(access.bound(part)));
        found
    }

    /// Whether two operands of two statements are surely the same value.
    pub fn same_value(&self, a: (&Access, &Operand), b: (&Access, &Operand)) -> Option<bool> {
        let (a, b) = ((a.0, joined(a.0, a.1)), (b.0, joined(b.0, b.1)));
        match (a.1, b.1) {
            (Operand::Literal(x), Operand::Literal(y)) => Some(x == y),
            (Operand::Null, Operand::Null) => Some(true),
            // `theme = 'dark'`, and "dark" bound.
            (Operand::Literal(text), _) => self.is_bound_constant(b, text),
            (_, Operand::Literal(text)) => self.is_bound_constant(a, text),
            _ => {
                let (x, y) = (a.0.bound(a.1)?, b.0.bound(b.1)?);
                if x == y {
                    return Some(true);
                }
                let either =
                    |x: TermId, y: TermId| matches!(self.ev.terms.get(x), Term::Either(parts) if parts.contains(&y));
                if either(x, y) || either(y, x) {
                    return Some(true);
                }
                Some(self.plain(x) == self.plain(y))
            }
        }
    }

    /// Whether a value that is bound is this constant, where that is sure.
    fn is_bound_constant(&self, (access, operand): (&Access, &Operand), text: &str) -> Option<bool> {
        let bound = access.bound(operand)?;
        matches!(self.ev.terms.get(bound), Term::Literal(held) if held == text).then_some(true)
    }

    /// A value without the wrappers that do not change which row it names, and a column by which a row was asked for as the
    /// value that it was asked for with.
    pub fn plain(&self, term: TermId) -> TermId {
        let mut plain = term;
        for _ in 0..16 {
            let within = match self.ev.terms.get(plain) {
                Term::Computed(by, parts) if parts.len() == 1 && is_conversion(by) => Some(parts[0]),
                Term::Field(of, name) => match self.ev.terms.get(*of) {
                    Term::Row(event) => self.asked_with(*event, &Part::Column(name.clone())),
                    _ => None,
                },
                Term::Row(event) => self.asked_with(*event, &Part::Row),
                _ => None,
            };
            let Some(within) = within else { break };
            plain = within;
        }
        plain
    }

    /// The value that a part of a row was asked for with: `row.id` of `WHERE id = $1`.
    fn asked_with(&self, read: EventId, part: &Part) -> Option<TermId> {
        let access = self.access(read)?;
        // What is asked for in a condition only narrows the search.
        let narrows = |own: &&TableAccess| !matches!(own.place, Place::InWhere | Place::Exists | Place::NotExists);
        let mut given = access.statement.accesses.iter().filter(narrows);
        let only = given.next().filter(|_| given.next().is_none())?;
        let LooksAt::Column(column) = self.looks_at(&access.statement, part, false) else { return None };
        access.bound(only.equals(&column)?)
    }

    /// What a part of a read's result is, in terms of its table.
    pub fn looks_at(&self, statement: &Statement, part: &Part, compared_with_zero: bool) -> LooksAt {
        let whole = |aggregate: Option<Aggregate>| match aggregate {
            Some(Aggregate::Exists) => Some(LooksAt::Existence),
            // Of a key there is one row or none.
            Some(Aggregate::Count) if compared_with_zero || self.is_one_row(statement) => Some(LooksAt::Existence),
            Some(_) => Some(LooksAt::Aggregate),
            None => None,
        };
        // What is gathered beside the columns of each group makes no number of the rows.
        let gathered = |output: &Output| {
            output.aggregate == Some(Aggregate::Other) && statement.accesses.iter().all(|one| one.aggregate.is_none())
        };
        // What is asked of other rows beside a row's own columns makes no number of it.
        let beside = statement.output.iter().any(|output| output.aggregate.is_none() && !output.from.is_empty());
        let aggregated = statement.accesses.first().and_then(|access| access.aggregate).filter(|_| !beside);
        match part {
            Part::Existence => match aggregated {
                // An aggregate always gives a row; whether its value is there says whether there are rows.
                Some(Aggregate::Extreme | Aggregate::Sum | Aggregate::Other) => LooksAt::Aggregate,
                _ => LooksAt::Existence,
            },
            // Of one row it is the length of something in it.
            Part::Length if self.is_one_row(statement) => LooksAt::Row,
            Part::Length => {
                if compared_with_zero {
                    LooksAt::Existence
                } else {
                    LooksAt::Aggregate
                }
            }
            Part::Count => LooksAt::Existence,
            Part::Row => match statement.output.as_slice() {
                [only] => whole(only.aggregate).unwrap_or_else(|| match only.from.as_slice() {
                    [column] if column != "*" => LooksAt::Column(column.clone()),
                    [] if only.name == "1" || only.name.is_empty() => LooksAt::Existence,
                    _ => LooksAt::Row,
                }),
                _ => whole(aggregated).unwrap_or(LooksAt::Row),
            },
            Part::Column(name) => {
                if let Some(column) = name.parse().ok().and_then(|at| self.column_at(statement, at)) {
                    return LooksAt::Column(column.clone());
                }
                match statement.output_at(name) {
                    Some(output) if gathered(output) => LooksAt::Column(output.name.clone()),
                    Some(output) => whole(output.aggregate).unwrap_or_else(|| match output.from.first() {
                        Some(column) if column != "*" => LooksAt::Column(column.clone()),
                        _ if output.name == "*" => LooksAt::Row,
                        _ => LooksAt::Column(output.name.clone()),
                    }),
                    None => match statement.output.as_slice() {
                        [only] if only.aggregate.is_some() => whole(only.aggregate).unwrap_or(LooksAt::Row),
                        _ => LooksAt::Column(name.clone()),
                    },
                }
            }
        }
    }

    /// `SELECT *`: the column at a place of the one table that is read. The first place may be one in a list of rows.
    fn column_at(&self, statement: &Statement, at: usize) -> Option<&'a Name> {
        let ([access], [output]) = (statement.accesses.as_slice(), statement.output.as_slice()) else { return None };
        let table = self.schema.table(&access.table.name).filter(|_| output.name == "*")?;
        table.columns.get(at).filter(|_| at > 0).map(|column| &column.name)
    }

    /// Whether a statement asks for one row by a key of its table.
    fn is_one_row(&self, statement: &Statement) -> bool {
        let [access] = statement.accesses.as_slice() else { return false };
        let table = self.schema.table(&access.table.name);
        table.is_some_and(|table| table.keys().any(|key| key.iter().all(|column| access.equals(column).is_some())))
    }

    pub fn is_pool(&self, term: TermId) -> bool {
        self.ev.handle(term).is_some_and(|handle| handle.kind == HandleKind::Pool)
    }

    /// The read accesses of a statement on a table.
    pub fn reads_of<'s>(statement: &'s Statement, table: &str) -> impl Iterator<Item = (usize, &'s TableAccess)> {
        statement
            .accesses
            .iter()
            .enumerate()
            .filter(move |(_, access)| access.action == Action::Read && access.table.name == table)
    }
}

/// The value that a column of another table of the statement is held to: `m.pier_id = p.id` where `p.id = $1`.
fn joined<'s>(access: &'s Access, operand: &'s Operand) -> &'s Operand {
    let Operand::Column { table: Some(table), column } = operand else { return operand };
    let other = access.statement.accesses.iter().find(|other| other.table.name == *table);
    other
        .and_then(|other| other.equals(column))
        .filter(|value| !matches!(value, Operand::Column { .. }))
        .unwrap_or(operand)
}

fn is_conversion(by: &str) -> bool {
    let last = by.rsplit("::").next().unwrap_or(by);
    matches!(
        last,
        "from"
            | "new"
            | "into"
            | "parse"
            | "parse_str"
            | "from_str"
            | "try_from"
            | "as_i64"
            | "from_u128"
            | "as_uuid"
            | "value"
            | "inner"
            | "from_i32"
            | "from_i64"
            | "as_inner"
            | "as_bytes"
            | "to_i64"
            | "get_id"
            | "id"
    )
}
