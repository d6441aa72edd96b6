//! Who gives a column a value of its own: not what was read from it, and not what is made of that alone.
//!
//! A row that is saved whole gives most columns back what they held. Of two such writes neither is lost through the other;
//! what is lost is what a third statement wrote in between.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analyse::tables::Schemas;
use crate::event::{Access, Event, EventId, Flow};
use crate::flow::Evaluator;
use crate::flow::limits::PAIRED;
use crate::flow::random::is_drawn;
use crate::flow::term::{Params, Term, TermId, Terms};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::race::kind::{self, Kind};
use crate::race::passed::Passed;
use crate::race::reach::{Reach, Runs};
use crate::race::upsert;
use crate::span::Span;
use crate::sql::schema::Schema;
use crate::sql::statement::{Access as TableAccess, Action, Assignment, ConflictAction, ConflictTarget, Operand};

/// How many writers of one column are kept.
const KEPT: usize = 24;

/// A statement that sets no more columns says by itself what it is for.
pub const NARROW: usize = 3;

/// What puts a text together of its parts.
const FORMAT: &str = "format";

/// What puts words into the place of others in a text; of a value in a place it puts another one there.
const REPLACE: &str = "replace";

/// How deep a value is looked into.
const DEPTH: usize = 40;

/// A statement that gives a column a value of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The calls that lead to it from the function where the value is known, and the statement itself, each with the
    /// function that it stands in.
    way: Arc<[(Span, FnId)]>,
    pub text: Arc<str>,
    /// How many columns it sets: a statement for this one says more than a row that is saved whole.
    columns: usize,
    /// It puts a row there where there is none.
    inserts: bool,
    /// The names of the value, where it is the same in each request.
    pub constants: Option<Vec<Name>>,
    /// The value is the time.
    now: bool,
    /// The value is what a service outside answered.
    answered: bool,
    /// The row is surely another one than that of who asks.
    appoints: bool,
    /// What the row is known to hold that it finds.
    kind: Arc<Kind>,
    /// What the value was asked before.
    passed: Option<Arc<Passed>>,
    /// The columns to which it gives a constant in a row that is there, or what it has drawn: no names are of the latter.
    moves: Arc<Kind>,
    runs: Option<Runs>,
}

/// A writer as it is told to those who do not come through its functions.
#[derive(Clone, Debug)]
pub struct Told {
    /// The last place on its way that is not on theirs.
    pub place: Span,
    /// The function that holds the place.
    pub function: FnId,
    pub text: Arc<str>,
    pub constants: Option<Vec<Name>>,
    /// It puts a row there where there is none.
    pub inserts: bool,
    /// The value is the time.
    pub now: bool,
    /// The value is what a service outside answered.
    pub answered: bool,
    /// The row is surely another one than that of who asks: one request does it to another one's.
    pub appoints: bool,
    /// What the row is known to hold that it finds.
    pub kind: Arc<Kind>,
    /// What the value was asked before.
    pub passed: Option<Arc<Passed>>,
    /// The columns to which it gives a constant in a row that is there, or what it has drawn: no names are of the latter.
    pub moves: Arc<Kind>,
    /// How many columns are set, and how many calls lead there.
    pub breadth: (usize, usize),
}

/// The writers of all columns, and how the functions run that hold them.
#[derive(Default)]
pub struct Writers {
    by_column: FxHashMap<(Name, Name), Vec<Writer>>,
    /// Columns that somebody gives back what the row was found by.
    given_back: FxHashSet<(Name, Name)>,
    /// Columns of rows that somebody puts there anew, under a key that nobody else has.
    made: FxHashSet<(Name, Name)>,
    reach: Reach,
}

/// What is asked of the events of one function.
struct Asked<'e, 'p> {
    ev: &'e Evaluator<'p>,
    schema: &'e Schema,
    flow: &'e Flow,
    function: FnId,
    runs: Runs,
    /// The function has callers, who know what was handed in.
    called: bool,
    /// The inserts before whose rows are not yet anybody else's.
    made: FxHashSet<EventId>,
    reads: FxHashMap<EventId, &'e Access>,
}

impl Asked<'_, '_> {
    /// What an UPDATE gives the rows that it finds, as far as it is a constant, or drawn for each of them.
    fn moved(&self, access: &Access, target: &TableAccess) -> Kind {
        let sets = target.sets.iter().filter(|_| target.action == Action::Update);
        let given = sets.filter_map(|set| {
            let drawn = || access.bound(&set.value).filter(|term| is_drawn(&self.ev.terms, *term)).map(|_| Vec::new());
            Some((set.column.clone(), self.ev.constants(access, &set.value).or_else(drawn)?))
        });
        given.collect()
    }

    /// Whether a row is found by values that say nothing of who asks, as far as this function's callers do not know better.
    fn is_of_another(&self, access: &Access, target: &TableAccess) -> bool {
        let terms = &self.ev.terms;
        let brought = |term: TermId| {
            let known = !self.called || terms.params(term) == Params::default();
            known && !self.ev.says_who_asks(term)
        };
        let found_by = |term: &TermId| match terms.get(*term) {
            Term::Field(of, _) => match terms.get(*of) {
                Term::Row(event) => self.reads.get(event).copied(),
                _ => None,
            },
            _ => None,
        };
        let of_filters = |access: &Access, of: &TableAccess| -> Vec<TermId> {
            of.filter.iter().filter_map(|predicate| access.bound(&predicate.value)).collect()
        };
        let keys = of_filters(access, target);
        !keys.is_empty()
            && keys.iter().all(|key| {
                let read = found_by(key);
                let asked = read.map(|read| read.statement.accesses.iter().flat_map(|of| of_filters(read, of)));
                brought(*key) && asked.into_iter().flatten().all(brought)
            })
    }
}

/// The calls that lead to a statement, by where it stands and which column it gives a value of its own.
type Known = FxHashMap<(Span, Name), Vec<Box<[Span]>>>;

impl Writers {
    /// In: the flows of all functions, callees before their callers, and those functions that run in production.
    pub fn of(
        (ev, schemas): (&Evaluator<'_>, &Schemas),
        flows: &[Arc<Flow>],
        production: &FxHashSet<FnId>,
        (uncalled, reach): (&FxHashSet<FnId>, Reach),
    ) -> Self {
        let mut writers = Self { reach, ..Self::default() };
        let mut known = Known::default();
        let runs = |flow: &&Arc<Flow>| production.contains(&flow.function) && !uncalled.contains(&flow.function);
        for flow in flows.iter().filter(runs) {
            let Some(runs) = writers.reach.serving(flow.function).filter(|runs| *runs != Runs::First) else { continue };
            let called = ev.calls.calls_of(ev.program, flow.function).next().is_some();
            let made = flow.events.iter().filter(|event| event.does(Action::Insert));
            let made = made.map(|event| event.id).collect();
            let reads = flow.events.iter().filter_map(|event| Some((event.id, event.access()?))).collect();
            let schema = schemas.of(ev.program.krate_of(flow.function));
            let asked = Asked { ev, schema, flow, function: flow.function, runs, called, made, reads };
            let near = flow.events.iter().filter(|event| event.calls.len() <= PAIRED);
            for event in near.filter(|event| production.contains(&event.function)) {
                writers.add(&asked, event, &mut known);
            }
        }
        for all in writers.by_column.values_mut() {
            all.sort_by_key(|writer| (writer.columns, writer.way.len(), writer.way[0].0));
        }
        writers
    }

    fn add(&mut self, asked: &Asked<'_, '_>, event: &Event, known: &mut Known) {
        let Some(access) = event.access() else { return };
        let Some(target) = access.statement.target() else { return };
        let own = Own { ev: asked.ev, terms: &asked.ev.terms, access, called: asked.called };
        let of_new_row = |term: &TermId| {
            let inserted = asked.ev.terms.origins(*term).iter().any(|origin| asked.made.contains(&origin.event));
            inserted || is_drawn(&asked.ev.terms, *term)
        };
        let keys = target.filter.iter().filter_map(|predicate| access.bound(&predicate.value));
        if keys.into_iter().any(|term| of_new_row(&term)) {
            return;
        }
        let places: Vec<Span> = event.calls.iter().map(|call| call.span).chain([event.span]).collect();
        let mut way: Option<Arc<[(Span, FnId)]>> = None;
        let (mut kind, mut moves): (Option<Arc<Kind>>, Option<Arc<Kind>>) = (None, None);
        for set in rewritten(target).filter(|set| set.column != "?") {
            let (table, column) = (&target.table.name, &set.column);
            let known = known.entry((event.span, column.clone())).or_default();
            // A callee has said so already.
            let said = known.iter().any(|way| places.ends_with(way));
            let told_by_callers = asked.called && own.is_named_by_callers(asked.schema, target);
            let makes = own.makes_row(asked.schema, target);
            if upsert::makes_row(asked.schema, target, |value| upsert::is_drawn_here(own.terms, access, value)) {
                self.made.insert((table.clone(), column.clone()));
            }
            if said || makes || told_by_callers || !own.gives_own(target, column, &set.value) {
                continue;
            }
            let read = |id: EventId| asked.reads.get(&id).copied();
            let kind = kind.get_or_insert_with(|| {
                let mut kind = kind::written((&asked.ev.terms, asked.schema), access, target, read);
                if target.action == Action::Update {
                    kind.extend(kind::tested(asked.ev, asked.flow, event, target));
                }
                Arc::new(kind)
            });
            let held = kind.iter().find(|(name, _)| name == column).map(|(_, values)| values);
            let value = match &set.value {
                Operand::Excluded(from) => target.set(from).map_or(&set.value, |inserted| &inserted.value),
                value => value,
            };
            let stays = || kind::given(&asked.ev.terms, access, value, &read);
            if held.is_some_and(|held| held.len() == 1 && stays().as_ref() == Some(held)) {
                self.given_back.insert((table.clone(), column.clone()));
                continue;
            }
            known.push(places.as_slice().into());
            let writers = self.by_column.entry((table.clone(), column.clone())).or_default();
            if writers.len() >= KEPT {
                continue;
            }
            let way = way.get_or_insert_with(|| {
                let holders = [asked.function].into_iter().chain(event.calls.iter().map(|call| call.function));
                places.iter().copied().zip(holders).collect()
            });
            writers.push(Writer {
                way: way.clone(),
                text: crate::story::words::statement(event).into(),
                columns: target.sets.len(),
                inserts: target.action == Action::Insert,
                constants: asked.ev.constants(access, &set.value),
                now: access.is_now(&asked.ev.terms, &set.value),
                answered: access.bound(value).is_some_and(|term| asked.ev.terms.is_answer(term)),
                appoints: asked.is_of_another(access, target),
                kind: kind.clone(),
                passed: Passed::of(asked.ev, event, access, value).map(Arc::new),
                moves: moves.get_or_insert_with(|| Arc::new(asked.moved(access, target))).clone(),
                runs: Some(asked.runs),
            });
        }
    }

    /// The statements that give a column another value while a function runs, those that the function itself comes to left
    /// out; the most telling first.
    ///
    /// In: the function, and the functions that its own write stands in.
    pub fn others<'w>(
        &'w self,
        (table, column): (&str, &Name),
        function: FnId,
        own: &'w [FnId],
    ) -> impl Iterator<Item = Told> + use<'w> {
        let runs = self.reach.serving(function);
        let all = self.by_column.get(&(Name::new(table), column.clone())).map_or(&[][..], Vec::as_slice);
        all.iter().filter_map(move |writer| {
            let same_task = matches!(runs, Some(Runs::Alone(_))) && writer.runs == runs;
            let apart = writer.way.iter().take_while(|(_, holder)| !own.contains(holder));
            let apart: Vec<&(Span, FnId)> = apart.collect();
            // Who saves a whole row was told by its caller what to save.
            let saves = apart.len() == writer.way.len() && writer.columns > NARROW;
            let named = if saves { apart.len().saturating_sub(2) } else { apart.len().saturating_sub(1) };
            let (place, holder) = apart.get(named).filter(|_| !same_task)?;
            let through = own.first().is_some_and(|first| writer.way.iter().any(|(_, holder)| holder == first));
            (!through).then(|| Told {
                place: *place,
                function: *holder,
                text: writer.text.clone(),
                constants: writer.constants.clone(),
                inserts: writer.inserts,
                now: writer.now,
                answered: writer.answered,
                appoints: writer.appoints,
                kind: writer.kind.clone(),
                passed: writer.passed.clone(),
                moves: writer.moves.clone(),
                breadth: (writer.columns, writer.way.len()),
            })
        })
    }

    /// What the values were asked that one statement gives a column, by whoever knows them; none where one of them may not
    /// have been asked, or nobody is known to give one.
    pub fn tests_of(&self, (table, column): (&str, &Name), at: Span) -> Option<Vec<Arc<Passed>>> {
        let all = self.by_column.get(&(Name::new(table), column.clone()))?;
        let mut own = all.iter().filter(|writer| writer.way.last().is_some_and(|(place, _)| *place == at)).peekable();
        own.peek().filter(|_| all.len() < KEPT)?;
        own.map(|writer| writer.passed.clone()).collect()
    }

    /// Whether any statement is known to give a column a value of its own.
    pub fn know(&self, table: &str, column: &Name) -> bool {
        self.by_column.contains_key(&(Name::new(table), column.clone()))
    }

    /// Whether nothing is known of who changes a column: neither that somebody does, nor that somebody gives it back what
    /// the row was found by, or only puts new rows there.
    pub fn say_nothing(&self, table: &str, column: &Name) -> bool {
        let named = (Name::new(table), column.clone());
        !self.know(table, column) && !self.given_back.contains(&named) && !self.made.contains(&named)
    }

    /// The tables in which some statement is known to give a row that is there a value of its own.
    pub fn tables(&self) -> impl Iterator<Item = &Name> {
        self.by_column.keys().map(|(table, _)| table)
    }

    /// How the program's functions run.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }
}

/// What a statement gives the columns of a row that is there.
fn rewritten(target: &TableAccess) -> impl Iterator<Item = &Assignment> {
    let conflict = target.conflict.as_ref().map(|conflict| &conflict.action);
    let upserted = match conflict {
        Some(ConflictAction::Update { sets, .. }) => sets.as_slice(),
        _ => &[],
    };
    let replaces = matches!(conflict, Some(ConflictAction::Replace));
    let own = if target.action == Action::Update || replaces { target.sets.as_slice() } else { &[] };
    own.iter().chain(upserted)
}

/// The values that a statement gives.
struct Own<'a, 'p> {
    ev: &'a Evaluator<'p>,
    terms: &'a Terms,
    access: &'a Access,
    /// The function has callers, who know what was handed in.
    called: bool,
}

impl Own<'_, '_> {
    fn gives_own(&self, target: &TableAccess, column: &Name, value: &Operand) -> bool {
        match value {
            Operand::Excluded(from) => target.set(from).is_none_or(|set| {
                !matches!(set.value, Operand::Excluded(_)) && self.gives_own(target, column, &set.value)
            }),
            Operand::Placeholder(_) | Operand::Named(_) => match self.access.bound(value) {
                Some(term) => self.is_own(term, column),
                None => false,
            },
            Operand::Column { column: from, .. } => from != column,
            _ => true,
        }
    }

    /// Whether a value does not come from the column, or has something put to what comes from there.
    fn is_own(&self, term: TermId, column: &str) -> bool {
        if self.called && self.terms.params(term) != Params::default() {
            return false;
        }
        match self.terms.get(term) {
            Term::Either(parts) if parts.iter().all(|part| self.terms.is_constant(*part)) => !self.is_encoded(column),
            // What was found or else fetched is nothing that the program gives of its own.
            Term::Either(parts) if parts.iter().any(|part| comes_from(self.terms, *part, column)) => {
                let given = |part: &TermId| {
                    let brought = self.terms.params(*part) != Params::default();
                    brought || self.terms.is_constant(*part) || comes_from(self.terms, *part, column)
                };
                parts.iter().any(|part| self.is_own(*part, column) && given(part))
            }
            Term::Either(parts) => parts.iter().any(|part| self.is_own(*part, column)),
            _ => {
                !comes_from(self.terms, term, column) || {
                    joins_something(self.terms, term, |part| comes_from(self.terms, part, column))
                }
            }
        }
    }

    /// Whether constants were chosen by what the column held, or by what the callers know: an enum on its way back.
    fn is_encoded(&self, column: &str) -> bool {
        self.access.chosen_by.iter().any(|cond| {
            let asked = self.ev.cond(*cond).term;
            self.called && self.terms.params(asked) != Params::default() || comes_from(self.terms, asked, column)
        })
    }

    /// Whether only the callers know by which key a row is put there, and so whether it may be one that is there.
    fn is_named_by_callers(&self, schema: &Schema, target: &TableAccess) -> bool {
        let handed_in = |term: TermId| self.terms.params(term) != Params::default();
        target.action == Action::Insert
            && upsert::makes_row(schema, target, |value| self.access.bound(value).is_some_and(handed_in))
    }

    /// Whether an upsert names its row by a key that is made here: no other request has that row.
    fn makes_row(&self, schema: &Schema, target: &TableAccess) -> bool {
        let named = matches!(target.conflict.as_ref().map(|c| &c.target), Some(ConflictTarget::Columns(_)));
        upsert::makes_row(schema, target, |value| {
            let term = self.access.bound(value);
            let new = |term: TermId| {
                self.terms.params(term) == Params::default()
                    && self.terms.origins(term).is_empty()
                    && !self.terms.is_constant(term)
            };
            term.is_some_and(|term| is_drawn(self.terms, term) || named && new(term))
        })
    }
}

/// Whether something is, as far as can be seen, a row that the program holds: one that was read, or kept in a cache.
fn is_held(terms: &Terms, term: TermId) -> bool {
    terms.params(term) == Params::default()
}

/// Whether a field of this name of what was read stands in a value.
fn comes_from(terms: &Terms, term: TermId, column: &str) -> bool {
    let is_it = |part| matches!(terms.get(part), Term::Field(of, name) if name == column && is_held(terms, *of));
    terms.any(term, |_| true, is_it)
}

/// Whether something is put to a part of a value of which `own` is true.
pub fn joins_something(terms: &Terms, term: TermId, own: impl Fn(TermId) -> bool) -> bool {
    let mut found = false;
    terms.walk(term, &mut |part| {
        if let Term::Computed(by, parts) = terms.get(part)
            && joins(by)
        {
            let own: Vec<bool> = parts.iter().map(|part| own(*part)).collect();
            found |= own.contains(&true) && puts_to(terms, by, parts, &own);
        }
    });
    found
}

/// Whether a value is what a column of this name held, or made of that alone: encoded, sealed, turned into another type. Of one
/// read the row may be that column.
pub fn is_kept(terms: &Terms, term: TermId, column: &str, row: Option<EventId>) -> bool {
    kept(terms, term, (column, row), 0)
}

fn kept(terms: &Terms, term: TermId, column: (&str, Option<EventId>), depth: usize) -> bool {
    if depth > DEPTH {
        return false;
    }
    match terms.get(term) {
        Term::Row(event) => column.1 == Some(*event),
        Term::Field(of, name) if name == column.0 => is_held(terms, *of),
        Term::Field(of, _) | Term::Exists(of) => kept(terms, *of, column, depth + 1),
        Term::Either(parts) => {
            // What is decoded may be none where there was nothing.
            let none = |part: &TermId| matches!(terms.get(*part), Term::Literal(text) if text == "none");
            let mut decoded = parts.iter().filter(|part| !none(part)).peekable();
            let always = parts.iter().any(none);
            decoded.peek().is_some()
                && decoded.all(|part| {
                    (!always || matches!(terms.get(*part), Term::Computed(..))) && kept(terms, *part, column, depth + 1)
                })
        }
        Term::Computed(by, parts) => {
            let own: Vec<bool> = parts.iter().map(|part| kept(terms, *part, column, depth + 1)).collect();
            let mut others = parts.iter().zip(&own).filter(|(_, own)| !**own);
            own.contains(&true) && !puts_to(terms, by, parts, &own) && others.all(|(part, _)| !terms.matters(*part))
        }
        _ => false,
    }
}

/// Whether an operation puts something to what comes from a column, as those of its parts do that are its `own`. A text that
/// is put together of such parts alone says what the column said, and one in which the same words take the place of the same
/// others each time is made of it alone.
fn puts_to(terms: &Terms, by: &str, parts: &[TermId], own: &[bool]) -> bool {
    let others = || parts.iter().zip(own).any(|(part, own)| !own && terms.matters(*part));
    let split = || own.iter().filter(|own| **own).count() > 1;
    match by {
        FORMAT => parts.len() > 1 && (!split() || others()),
        REPLACE if parts.len() == 3 => others(),
        _ => joins(by) && parts.len() > 1,
    }
}

/// Whether an operation puts something to what was there: a sum, a text, a list.
pub fn joins(by: &str) -> bool {
    matches!(by, "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>" | "put" | FORMAT)
        || crate::flow::is_mutator(by)
}
