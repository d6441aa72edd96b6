//! Functions to [`Flow`]s: an abstract interpreter over bodies.
//!
//! Each function is evaluated once, with its parameters as symbols; where it is called, its flow is put in place with
//! the arguments for the parameters ([`instantiate`]). Branches are evaluated one after the other and joined, never
//! multiplied, so that the cost is linear in the source; what exceeds a stated limit is given up aloud.

mod absent;
mod arena;
mod asking;
mod begin;
mod branch;
mod builder;
mod by_type;
mod call;
pub mod clock;
mod combinator;
mod conds;
mod construct;
mod decode;
mod derived;
mod diesel;
pub mod distant;
pub(crate) mod effect;
pub mod encode;
mod engine;
mod entries;
mod expr;
mod extension;
mod extractor;
mod facts;
mod fires;
pub(crate) mod foreign;
mod forget;
pub(crate) mod generic;
pub mod graph;
mod guard;
mod in_place;
mod instantiate;
mod kept;
mod known;
mod lent;
pub(crate) mod limits;
pub(crate) mod macros;
mod mapping;
mod mention;
mod merge;
mod named_lock;
pub(crate) mod names;
mod outcome;
mod own;
mod pattern;
mod place;
mod pointer;
mod pooled;
mod pushed;
pub mod random;
mod refusal;
mod remade;
mod repeat;
pub mod request;
mod send;
mod session;
pub mod stand_in;
mod statement;
pub(crate) mod switch;
mod taken;
mod task;
pub mod term;
mod text;
pub mod value;
pub mod variant;

pub(crate) use known::is_mutator;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analyse::tables::Schemas;
use crate::client::handles::{self, Handle};
use crate::client::own::OwnCall;
use crate::client::{Client, clients};
use crate::config::Config;
use crate::dialect::Dialect;
use crate::event::{Absence, Blank, Cond, CondId, Event, EventId, EventKind, Flow, Guard, Lead, Path, Switch};
use crate::flow::arena::Arena;
use crate::flow::conds::Made;
use crate::flow::graph::{CallGraph, Task};
use crate::flow::limits::{Allowance, CALL_DEPTH};
use crate::flow::names::Owners;
use crate::flow::term::{TermId, Terms};
use crate::flow::value::Value;
use crate::link::{ConstId, FnId, Program, ScopeId, Type, TypeId};
use crate::lower::tree::Name;
use crate::source::Workspace;
use crate::span::{FileId, Range, Span};
use crate::sql::parse::Parsed;
use crate::sql::statement::BeginMode;

/// Evaluates functions on demand and keeps their flows.
pub struct Evaluator<'p> {
    pub program: &'p Program,
    pub workspace: &'p Workspace,
    pub config: &'p Config,
    /// The tables, where they are known before the program is evaluated.
    pub schemas: Option<&'p Schemas>,
    pub clients: Arc<[&'static Client]>,
    /// The calls of in-house wrappers, from the configuration.
    own: Arc<[OwnCall]>,
    /// Some package uses sea-orm or sea-query.
    sea_orm: bool,
    /// The tables of diesel's macros.
    pub(crate) diesel: Arc<crate::client::diesel::Tables>,
    pub terms: Terms,
    /// With the branches on the way to each that callers may decide.
    conds: Arena<(Cond, Made, Option<Path>)>,
    /// Functions that send SQL they are handed.
    senders: FxHashSet<FnId>,
    /// Functions whose calls only the types of their arguments tell.
    by_type: FxHashSet<FnId>,
    /// Functions whose bodies were evaluated in place of a call.
    pub in_place: FxHashSet<FnId>,
    /// Functions that are called by name with what an extractor makes.
    called_by_name: FxHashSet<FnId>,
    /// Files that hold what tests are written with.
    pub(crate) test_support: FxHashSet<FileId>,
    /// Functions that hand something to a channel of this process, or call one that does.
    tells_inside: FxHashSet<FnId>,
    /// How many calls were evaluated in place so far.
    inlined_calls: usize,
    /// How long all files are together.
    source_bytes: usize,
    /// How many events the finished flows hold.
    held_events: usize,
    states: Vec<State>,
    /// In the order in which they were finished: callees before their callers.
    finished: Vec<Arc<Flow>>,
    /// By the text, the engine, and which tables the package knows.
    parsed: FxHashMap<(Arc<str>, Dialect, usize), Arc<Parsed>>,
    handles: FxHashMap<TermId, Handle>,
    /// Which structs are handles, by themselves and inside of a wrapper.
    struct_handles: FxHashMap<(Type, bool), Option<Handle>>,
    /// How transactions begin on a connection that was told so.
    begin_modes: FxHashMap<TermId, BeginMode>,
    locks: FxHashMap<TermId, Guard>,
    constants: FxHashMap<ConstId, Value>,
    /// What says who sends the request.
    askers: FxHashSet<TermId>,
    /// What stands for the variants of enums, by the number in the name of an encoded value.
    encodings: Vec<encode::Encoding>,
    /// The bytes of each file, for messages and for tables in macros.
    texts: Vec<Arc<str>>,
    /// The engines of the handles that variants of enums hold, where those of one enum are of several.
    engines: FxHashMap<(TypeId, Name), Dialect>,
    /// Builders that are being filled by a closure, innermost last.
    building: Vec<Value>,
    depth: usize,
    frame: Frame<'p>,
    pub calls: CallGraph,
    /// Levels that options of connections name, with the function that names them.
    pub session_levels: Vec<(FnId, crate::dialect::Isolation)>,
    pub unknown: Unknowns,
}

/// What was not understood, counted by reason.
#[derive(Clone, Debug, Default)]
pub struct Unknowns {
    pub statements: BTreeMap<String, usize>,
    pub statements_seen: usize,
    pub given_up: BTreeMap<String, usize>,
    /// Derive macros of the workspace that write statements, by name: where they are defined, and how often that is called.
    pub derived: BTreeMap<Name, (FileId, usize)>,
    /// Types of other crates that rows are read into, or that are handed a connection.
    pub foreign: BTreeMap<Name, foreign::Foreign>,
}

enum State {
    NotYet,
    Running,
    Done(Arc<Flow>),
}

/// How the rest of a body is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// `break` and `continue`: the loop's body.
    Loop,
    /// `return`, `?`, a panic: the function or closure.
    Function,
}

/// The function that is being evaluated.
struct Frame<'p> {
    function: FnId,
    file: FileId,
    scope: ScopeId,
    dialect: Option<Dialect>,
    env: Vec<(Name, Value)>,
    events: Vec<Event>,
    conds: Vec<CondId>,
    deps: Vec<(CondId, Exit)>,
    path: Path,
    left: Option<Exit>,
    /// Where the calls begin whose result the next `?` takes apart.
    taken_apart: Option<u32>,
    /// The call that is waited for where it stands.
    awaited: Option<Range>,
    /// The call that is a statement by itself.
    for_itself: Option<Range>,
    /// The variables that are declared to be changed.
    changeable: FxHashSet<Name>,
    returns: Vec<branch::Return>,
    /// It may change what it is lent.
    lends: bool,
    /// Where the branches that end it give an error.
    refusals: Vec<Range>,
    /// Its variables where it last gave no error, if it is lent something.
    answered: Option<Vec<(Name, Value)>>,
    guards: Vec<Guard>,
    repeated: usize,
    /// The loops around what is evaluated, innermost last.
    rounds: Vec<repeat::Round>,
    /// How many of the variables are parameters of a body that is evaluated in place, and stay what they were handed as.
    fixed: usize,
    /// How many loops are around what is evaluated.
    loops: usize,
    /// Closures around it that are handed elements.
    spread: usize,
    /// Closures around it that something unknown was handed.
    handed: usize,
    /// The task around it, and how many loops are around that.
    task: Option<(Task, usize)>,
    /// The branch of a `select!` or `join!` around it, within that task.
    branch: Option<Span>,
    /// Inside `loop`, `while` or a task of its own: what a service goes on doing.
    serving: usize,
    /// It was asked whether this process leads those that share the database.
    led: bool,
    open: Vec<(EventId, EventId)>,
    switches: Vec<Switch>,
    absences: Vec<Absence>,
    blanks: Vec<Blank>,
    leads: Vec<Lead>,
    text: &'p str,
    allowance: Allowance,
    /// A function that was called can lead to a statement.
    reaches_rows: bool,
    /// The statements of called functions whose outcome is looked at there.
    looked_at: Vec<EventId>,
    /// Whose names stand in it.
    held: Owners,
}

impl<'p> Evaluator<'p> {
    pub fn new(program: &'p Program, workspace: &'p Workspace, config: &'p Config) -> Self {
        let count = program.functions().count();
        Self {
            program,
            workspace,
            config,
            schemas: None,
            clients: clients(),
            own: crate::client::own::calls(config).into(),
            sea_orm: crate::client::sea_orm::used(workspace),
            diesel: Arc::new(crate::client::diesel::Tables::read(program, workspace)),
            terms: Terms::default(),
            conds: Arena::default(),
            senders: FxHashSet::default(),
            by_type: FxHashSet::default(),
            in_place: FxHashSet::default(),
            called_by_name: FxHashSet::default(),
            test_support: stand_in::files(workspace),
            tells_inside: FxHashSet::default(),
            inlined_calls: 0,
            source_bytes: workspace.files.iter().map(|file| file.text.len()).sum(),
            held_events: 0,
            states: (0..count).map(|_| State::NotYet).collect(),
            finished: Vec::new(),
            engines: engine::of_variants(program, &clients()),
            building: Vec::new(),
            parsed: FxHashMap::default(),
            handles: FxHashMap::default(),
            struct_handles: FxHashMap::default(),
            begin_modes: FxHashMap::default(),
            locks: FxHashMap::default(),
            constants: FxHashMap::default(),
            askers: FxHashSet::default(),
            encodings: Vec::new(),
            texts: workspace.files.iter().map(|file| file.text.clone()).collect(),
            depth: 0,
            frame: Frame::idle(),
            calls: CallGraph::default(),
            session_levels: Vec::new(),
            unknown: Unknowns { derived: derived::speaking(workspace, &clients()), ..Unknowns::default() },
        }
    }

    /// Tells which functions run in production: what they call by name is handed what a framework makes.
    pub fn runs(&mut self, production: &[FnId]) {
        self.called_by_name = extractor::called_by_name(self.program, production);
    }

    /// All flows so far, callees before their callers.
    pub fn finished(&self) -> &[Arc<Flow>] {
        &self.finished
    }

    /// The flow of a function that was evaluated.
    pub fn evaluated(&self, id: FnId) -> Option<&Arc<Flow>> {
        match &self.states[id.index()] {
            State::Done(flow) => Some(flow),
            State::NotYet | State::Running => None,
        }
    }

    /// All that was made for the run and holds nothing of the program.
    pub(crate) fn into_pieces(self) -> impl Send + use<> {
        (self.terms, self.conds, self.finished, self.states)
    }

    pub fn cond(&self, id: CondId) -> &Cond {
        &self.conds.get(id.0).0
    }

    /// What a handle's type said of it.
    pub fn handle(&self, term: TermId) -> Option<Handle> {
        self.handles.get(&term).copied()
    }

    /// The source text of a place.
    pub fn text_of(&self, span: Span) -> &str {
        self.texts.get(span.file.0 as usize).map_or("", |text| span.at.of(text))
    }

    /// Whether a function is being evaluated, so that a call of it is one in a cycle.
    fn is_running(&self, id: FnId) -> bool {
        matches!(self.states[id.index()], State::Running)
    }

    /// The flow of a function; none while it is being evaluated (a cycle), and none when calls are nested too deeply.
    pub fn flow(&mut self, id: FnId) -> Option<Arc<Flow>> {
        match &self.states[id.index()] {
            State::Done(flow) => return Some(flow.clone()),
            State::Running => {
                self.unknown.give_up("a call in a cycle");
                return None;
            }
            State::NotYet => {}
        }
        if self.depth >= CALL_DEPTH {
            self.unknown.give_up("calls nested too deeply");
            return None;
        }
        self.states[id.index()] = State::Running;
        self.depth += 1;
        let flow = Arc::new(self.evaluate(id));
        self.depth -= 1;
        self.held_events += flow.events.len();
        self.finished.push(flow.clone());
        self.states[id.index()] = State::Done(flow.clone());
        Some(flow)
    }

    fn evaluate(&mut self, id: FnId) -> Flow {
        let program = self.program;
        let function = program.function(id);
        let file = program.file_of(id);
        let dialect = self.config.dialect.or_else(|| self.dialect_of(id));
        let workspace = self.workspace;
        let (before, owner) = self.terms.names.next_owner();
        let frame = Frame {
            function: id,
            file,
            scope: program.scope_of(id),
            dialect,
            text: &workspace.file(file).text,
            allowance: self.allowance(function.at.len()),
            held: Owners::of(owner),
            ..Frame::idle()
        };
        let outer = std::mem::replace(&mut self.frame, frame);
        self.bind_parameters(id);
        if let Some(body) = &function.body {
            if refusal::lends(function) {
                self.frame.lends = true;
                self.frame.refusals = refusal::refusals(body);
            }
            let value = self.expr(body);
            if self.frame.left.is_none() {
                self.leave_with(value);
            }
        }
        if self.ends_refusing()
            && let Some(env) = self.frame.answered.take()
        {
            self.frame.env = env;
        }
        let answers = self.answers();
        let returns = self.joined_return(0, 0, program.returns(id, program.self_type(id).as_ref(), &[]));
        let left = self.left_in_parameters(id, &[]);
        let mut frame = std::mem::replace(&mut self.frame, outer);
        self.terms.names.back_to(before);
        self.forget_locks(&mut frame, &returns);
        let reaches_rows = frame.reaches_rows || frame.events.iter().any(|event| event.access().is_some());
        if !reaches_rows {
            Self::forget_effects(&mut frame);
        }
        let mut conds = self.telling(&frame, &returns);
        let decided: FxHashSet<u32> =
            conds.iter().filter_map(|cond| self.cond(*cond).decides).map(|decides| decides.branch).collect();
        let distant = self.gather_distant(&mut conds);
        let looked_at = self.looked_at(&frame);
        let Frame { events, open, mut switches, mut absences, blanks, mut leads, held, .. } = frame;
        let passed: FxHashSet<u32> =
            events.iter().flat_map(|event| event.path.0.iter()).map(|(branch, _)| *branch).collect();
        absences.retain(|absence| passed.contains(&absence.branch));
        leads.retain(|lead| passed.contains(&lead.branch));
        let ways =
            leads.iter().flat_map(|lead| lead.ways.iter()).chain(conds.iter().filter_map(|cond| self.way_to(*cond)));
        let leading: FxHashSet<u32> = ways.flat_map(|way| way.0.iter()).map(|(branch, _)| *branch).collect();
        // Nobody asks of the others which arm was taken.
        let asked = |branch: &u32| passed.contains(branch) || decided.contains(branch) || leading.contains(branch);
        switches.retain(|switch| asked(&switch.branch));
        let blanks = self.told_blanks(blanks, &events);
        Flow {
            function: id,
            reaches_rows,
            events,
            conds,
            distant,
            looked_at,
            returns,
            answers: if reaches_rows { answers } else { Vec::new() },
            left,
            open,
            switches,
            absences,
            blanks,
            leads,
            held,
        }
    }

    fn bind_parameters(&mut self, id: FnId) {
        let program = self.program;
        let function = program.function(id);
        let mut index = 0;
        if function.receiver.is_some() {
            let term = self.terms.intern(term::Term::Param(id, 0));
            let ty = program.self_type(id).unwrap_or(Type::Unknown);
            let value = Value::new(term, ty);
            let written = program.impl_of(id).map(|block| &program.impl_def(block).self_ty);
            let value = match written {
                Some(written) => self.declared(written, value),
                None => value,
            };
            self.learn_handle(&value);
            self.frame.env.push((Name::new("self"), value));
            index = 1;
        }
        for (param, ty) in function.params.iter().zip(program.params(id)) {
            let term = self.terms.intern(term::Term::Param(id, index));
            index = u16::saturating_add(index, 1);
            let extracted = self.extracted(&ty, param);
            let given = extracted.is_some();
            let value = extracted.unwrap_or_else(|| Value::new(term, ty));
            self.note_who_asks(&value, given);
            let value = self.declared(&param.ty, value);
            self.learn_handle(&value);
            self.bind(&param.pat, value);
        }
        self.bind_types(id, None);
        // What an extractor locked for itself it gave back.
        self.end_temporaries(0);
    }

    /// Remembers what a value's type says of the handle it is.
    pub(crate) fn learn_handle(&mut self, value: &Value) {
        if self.is_handle_already(value.term, |ev| handles::handle_of(&value.ty, &ev.clients)?.dialect) {
            return;
        }
        let named = handles::handle_of(&value.ty, &self.clients);
        let known = named
            .or_else(|| self.handle_of_struct(&value.ty, lent::STRUCTS))
            .or_else(|| self.handle_of_trait(&value.ty));
        let Some(handle) = known else { return };
        self.handles.insert(value.term, handle);
    }

    fn span(&self, at: Range) -> Span {
        at.in_file(self.frame.file)
    }

    fn lookup(&self, name: &str) -> Option<&Value> {
        self.frame.env.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    pub(crate) fn fresh(&mut self) -> Value {
        Value::new(self.terms.fresh(), Type::Unknown)
    }

    /// An event of the function that is evaluated, or of one that it called.
    fn emitted(&self, id: EventId) -> Option<&Event> {
        self.frame.events.iter().rev().find(|event| event.id == id)
    }

    fn emit(&mut self, kind: EventKind, on: Option<TermId>, at: Range) -> EventId {
        let id = EventId(self.terms.names.event());
        if self.frame.events.len() >= self.frame.allowance.events {
            self.unknown.give_up("a function with too many statements");
            return id;
        }
        let dialect = on.and_then(|term| self.handles.get(&term)).and_then(|handle| handle.dialect);
        let event = Event {
            id,
            kind,
            span: self.span(at),
            function: self.frame.function,
            calls: Arc::from([]),
            on,
            dialect: self.config.dialect.or(Dialect::behind(dialect, self.frame.dialect)).unwrap_or(Dialect::Postgres),
            path: self.frame.path.clone(),
            deps: self.frame.deps.iter().map(|(cond, _)| *cond).collect(),
            guards: Arc::from(self.frame.guards.as_slice()),
            repeated: self.frame.repeated > 0,
            refused: false,
        };
        self.frame.events.push(event);
        id
    }
}

impl Frame<'_> {
    fn idle() -> Self {
        Self {
            function: FnId::NONE,
            file: FileId(0),
            scope: ScopeId::NONE,
            dialect: None,
            env: Vec::new(),
            events: Vec::new(),
            conds: Vec::new(),
            deps: Vec::new(),
            path: Path::default(),
            left: None,
            taken_apart: None,
            awaited: None,
            for_itself: None,
            changeable: FxHashSet::default(),
            returns: Vec::new(),
            lends: false,
            refusals: Vec::new(),
            answered: None,
            guards: Vec::new(),
            repeated: 0,
            rounds: Vec::new(),
            fixed: 0,
            loops: 0,
            spread: 0,
            handed: 0,
            task: None,
            branch: None,
            serving: 0,
            led: false,
            open: Vec::new(),
            switches: Vec::new(),
            absences: Vec::new(),
            blanks: Vec::new(),
            leads: Vec::new(),
            text: "",
            allowance: Allowance::default(),
            reaches_rows: false,
            looked_at: Vec::new(),
            held: Owners::ALL,
        }
    }
}

impl Unknowns {
    fn give_up(&mut self, why: &str) {
        *self.given_up.entry(why.to_owned()).or_default() += 1;
    }
}
