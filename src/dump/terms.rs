//! Terms in words.

use rustc_hash::FxHashMap;

use crate::client::HandleKind;
use crate::event::{CondId, EventId, Flow};
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId, is_struct};
use crate::lower::tree::Pat;

/// How deep a term is told.
const DEPTH: usize = 6;

/// The names one function's terms, events and conditions are told by.
pub(super) struct Shown<'a, 'p> {
    ev: &'a Evaluator<'p>,
    events: FxHashMap<EventId, usize>,
    conds: FxHashMap<CondId, usize>,
}

impl<'a, 'p> Shown<'a, 'p> {
    pub(super) fn new(ev: &'a Evaluator<'p>, flow: &Flow) -> Self {
        let events = flow.events.iter().enumerate().map(|(place, event)| (event.id, place + 1)).collect();
        let mut conds = FxHashMap::default();
        for cond in &flow.conds {
            let next = conds.len() + 1;
            conds.entry(*cond).or_insert(next);
        }
        Self { ev, events, conds }
    }

    /// `c1`; none for a condition of another function.
    pub(super) fn cond(&self, id: CondId) -> Option<String> {
        self.conds.get(&id).map(|place| format!("c{place}"))
    }

    pub(super) fn handle(&self, id: TermId) -> String {
        let kind = match self.ev.handle(id).map(|handle| handle.kind) {
            Some(HandleKind::Pool) => "pool",
            Some(HandleKind::Connection) => "connection",
            Some(HandleKind::Transaction) => return self.term(id),
            Some(HandleKind::Executor) | None => "handle",
        };
        format!("{kind}({})", self.term(id))
    }

    pub(super) fn term(&self, id: TermId) -> String {
        self.at_depth(id, 0)
    }

    fn at_depth(&self, id: TermId, depth: usize) -> String {
        if depth > DEPTH {
            return "…".to_owned();
        }
        match self.ev.terms.get(id) {
            Term::Fresh(_) => "?".to_owned(),
            Term::Param(function, index) => self.parameter(*function, *index),
            Term::Literal(text) => text.to_string(),
            Term::Row(event) => format!("row e{}", self.place(*event)),
            Term::Count(event) => format!("count e{}", self.place(*event)),
            Term::Transaction(event) => format!("tx{}", self.place(*event)),
            Term::Field(of, name) => format!("{}.{name}", self.at_depth(*of, depth + 1)),
            Term::Exists(of) => format!("there({})", self.at_depth(*of, depth + 1)),
            Term::Computed(by, parts) => match &**parts {
                [left, right] if by.bytes().all(|b| b.is_ascii_punctuation()) => {
                    format!("({} {by} {})", self.at_depth(*left, depth + 1), self.at_depth(*right, depth + 1))
                }
                parts if is_struct(by) => format!("struct({})", self.list(parts, depth)),
                parts => format!("{by}({})", self.list(parts, depth)),
            },
            Term::Either(parts) => {
                let parts: Vec<String> = parts.iter().take(8).map(|part| self.at_depth(*part, depth + 1)).collect();
                format!("({})", parts.join(" or "))
            }
        }
    }

    fn list(&self, parts: &[TermId], depth: usize) -> String {
        let parts: Vec<String> = parts.iter().take(8).map(|part| self.at_depth(*part, depth + 1)).collect();
        parts.join(", ")
    }

    fn place(&self, event: EventId) -> String {
        self.events.get(&event).map_or_else(|| "?".to_owned(), ToString::to_string)
    }

    fn parameter(&self, function: crate::link::FnId, index: u16) -> String {
        let function = self.ev.program.function(function);
        let mut index = usize::from(index);
        if function.receiver.is_some() {
            let Some(after_self) = index.checked_sub(1) else { return "self".to_owned() };
            index = after_self;
        }
        match function.params.get(index).map(|param| &param.pat) {
            Some(Pat::Bind(name, ..)) => format!("param {name}"),
            _ => format!("param {index}"),
        }
    }
}
