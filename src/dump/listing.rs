//! One function's events in a form that no longer tells which client sent them: what the scenarios compare.
//!
//! The first line names the engine. After it each statement is one numbered line: table, action, filter, what is set,
//! and where each value comes from; then in which transaction it runs and on which earlier statements it depends.
//! Columns that are only handed out, handles, how the last row of a keyed read is cut off, and that a row has to be there are left out, since
//! clients differ in them and mean the same.

use std::fmt::Write;

use rustc_hash::FxHashMap;

use crate::config::Config;
use crate::dump::{action, aggregate_name, compare, strength};
use crate::event::{Access, CondKind, Event, EventId, EventKind, Flow};
use crate::flow::Evaluator;
use crate::flow::term::{Part, Term, TermId};
use crate::link::Program;
use crate::race::rivals::Rivals;
use crate::race::scene::Scene;
use crate::race::transaction;
use crate::source::Workspace;
use crate::sql::schema::Schema;
use crate::sql::statement::{
    Access as TableAccess, Action, Assignment, Compare, ConflictAction, Operand, Predicate, Wait,
};

/// The listing of the first function called `name` that has statements; none when there is none.
pub fn of_function(workspace: &Workspace, config: &Config, name: &str) -> Option<String> {
    let (trees, _) = crate::analyse::lowered(workspace);
    let program = Program::build(workspace, trees);
    let mut evaluator = Evaluator::new(&program, workspace, config);
    let named = program.functions().filter(|id| program.function(*id).name == name);
    let flow = named.filter_map(|id| evaluator.flow(id)).find(|flow| !flow.events.is_empty())?;
    Some(listing(&evaluator, &flow))
}

/// A flow as text; the same for every client that tells the same story.
pub fn listing(ev: &Evaluator<'_>, flow: &Flow) -> String {
    let (schema, rivals) = (Schema::default(), Rivals::default());
    let scene = Scene::new(ev, flow, &schema, ev.config, &rivals);
    let mut told = Told { scene: &scene, numbers: FxHashMap::default(), transactions: Vec::new() };
    let mut out = String::new();
    if let Some(first) = flow.events.iter().find(|event| event.access().is_some()) {
        let _ = writeln!(out, "on {}", first.dialect.name());
    }
    for event in &flow.events {
        told.event(event, &mut out);
    }
    out
}

struct Told<'s, 'a, 'p> {
    scene: &'s Scene<'a, 'p>,
    /// The numbers of the statements so far.
    numbers: FxHashMap<EventId, usize>,
    transactions: Vec<TermId>,
}

impl Told<'_, '_, '_> {
    fn event(&mut self, event: &Event, out: &mut String) {
        match &event.kind {
            EventKind::Access(access) => {
                let number = self.numbers.len() + 1;
                self.numbers.insert(event.id, number);
                let _ = writeln!(out, "{number} {}", self.statement(event, access));
            }
            EventKind::Begin { isolation, .. } => {
                let level = isolation.map_or("default level", |level| level.name());
                let begun = event.on.map(|on| self.transaction(on)).unwrap_or_default();
                let _ = writeln!(out, "begin {begun} at {level}");
            }
            EventKind::Commit => {
                let ended = event.on.map(|on| self.transaction(on)).unwrap_or_default();
                let _ = writeln!(out, "commit {ended}");
            }
            EventKind::Effect(effect) => {
                let _ = writeln!(out, "effect {}", effect.name);
            }
            // A transaction that is dropped is rolled back too, without an event.
            EventKind::Rollback | EventKind::CallParam { .. } | EventKind::Locked(_) => {}
        }
    }

    fn transaction(&mut self, handle: TermId) -> String {
        let at = self.transactions.iter().position(|known| *known == handle).unwrap_or_else(|| {
            self.transactions.push(handle);
            self.transactions.len() - 1
        });
        format!("tx{}", at + 1)
    }

    fn statement(&mut self, event: &Event, access: &Access) -> String {
        let tables: Vec<String> = access.statement.accesses.iter().map(|table| self.table(access, table)).collect();
        let mut out = if tables.is_empty() { "no table".to_owned() } else { tables.join(" with ") };
        if let Some(tx) = transaction::of(self.scene, event) {
            let _ = write!(out, ", in {}", self.transaction(tx.handle));
        }
        let deciding = self.deciding(event);
        if !deciding.is_empty() {
            let _ = write!(out, ", if {}", numbers(&deciding));
        }
        if event.repeated {
            out.push_str(", repeated");
        }
        if let Some(target) = access.statement.target()
            && (target.conflict.is_some() || self.is_guarded(access, target))
        {
            let used = self.scene.outcome_used(event.id);
            out.push_str(if used { ", outcome used" } else { ", outcome ignored" });
        }
        out
    }

    /// Whether a write's condition asks for more than a key: only then is its outcome a question.
    fn is_guarded(&self, access: &Access, target: &TableAccess) -> bool {
        let state = |filter: &Predicate| filter.op != Compare::Eq || self.value(access, &filter.value) == "constant";
        target.action != Action::Insert && target.filter.iter().any(state)
    }

    /// The statements whose results decide whether an event happens.
    fn deciding(&self, event: &Event) -> Vec<usize> {
        let mut found = Vec::new();
        for cond in self.scene.conditions(&event.deps).iter().copied() {
            let cond = self.scene.ev.cond(cond);
            for origin in self.scene.ev.terms.origins(cond.term).iter() {
                // That a write did not fail is no decision; that a row is there is one that every client spells in its
                // own way, some of them in the call.
                let only_there = cond.kind == CondKind::Presence
                    && matches!(origin.part, Part::Count | Part::Existence)
                    && matches!(self.scene.ev.terms.get(cond.term), Term::Exists(_));
                if !only_there {
                    found.extend(self.numbers.get(&origin.event).copied());
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn table(&self, access: &Access, table: &TableAccess) -> String {
        let mut out = format!("{} {}", action(table.action), table.table.name);
        let mut filters: Vec<String> = table.filter.iter().map(|filter| self.filter(access, filter)).collect();
        filters.sort();
        filters.dedup();
        if !filters.is_empty() {
            let _ = write!(out, " where {}", filters.join(" and "));
        }
        if !table.sets.is_empty() {
            let _ = write!(out, " set {}", self.sets(access, &table.sets));
        }
        if let Some(aggregate) = table.aggregate {
            let _ = write!(out, " {}", aggregate_name(aggregate));
        }
        if table.ordered && table.limit.is_some() {
            out.push_str(" the first of several");
        }
        if let Some(lock) = &table.lock {
            let _ = write!(out, " {}", strength(lock.strength));
            out.push_str(match lock.wait {
                Wait::Block => "",
                Wait::NoWait => " nowait",
                Wait::SkipLocked => " skip locked",
            });
        }
        match table.conflict.as_ref().map(|conflict| &conflict.action) {
            None => {}
            Some(ConflictAction::Nothing) => out.push_str(" on conflict nothing"),
            Some(ConflictAction::Replace) => out.push_str(" on conflict replace"),
            Some(ConflictAction::Update { sets, .. }) => {
                let _ = write!(out, " on conflict set {}", self.sets(access, sets));
            }
        }
        out
    }

    fn sets(&self, access: &Access, sets: &[Assignment]) -> String {
        let mut all: Vec<String> =
            sets.iter().map(|set| format!("{} = {}", set.column, self.value(access, &set.value))).collect();
        all.sort();
        all.join(", ")
    }

    fn filter(&self, access: &Access, filter: &Predicate) -> String {
        let columns: Vec<&str> = filter.columns.iter().map(|column| column.as_str()).collect();
        let columns = columns.join(", ");
        match filter.op {
            Compare::IsNull | Compare::IsNotNull => format!("{columns} {}", compare(filter.op)),
            op => format!("{columns} {} {}", compare(op), self.value(access, &filter.value)),
        }
    }

    /// Where a value comes from.
    fn value(&self, access: &Access, operand: &Operand) -> String {
        if operand.is_relative() {
            let column = matches!(operand, Operand::Column { .. });
            return if column { "column" } else { "relative" }.to_owned();
        }
        match operand {
            Operand::Literal(_) | Operand::Null | Operand::Default | Operand::Expr { .. } => "constant".to_owned(),
            Operand::Column { .. } => "joined".to_owned(),
            Operand::Excluded(_) => "excluded".to_owned(),
            Operand::Subquery(_) => "sub-query".to_owned(),
            Operand::Unknown => "unknown".to_owned(),
            Operand::Placeholder(_) | Operand::Named(_) => match access.bound(operand) {
                Some(term) => self.origin(term),
                None => "unbound".to_owned(),
            },
        }
    }

    fn origin(&self, term: TermId) -> String {
        let terms = &self.scene.ev.terms;
        let origins = terms.origins(term);
        let mut from: Vec<usize> =
            origins.iter().filter_map(|origin| self.numbers.get(&origin.event).copied()).collect();
        from.sort_unstable();
        from.dedup();
        if !from.is_empty() {
            let computed = if origins.iter().any(|origin| origin.computed) { "computed " } else { "" };
            return format!("{computed}from {}", numbers(&from));
        }
        let (mut parameter, mut fresh) = (false, false);
        terms.walk(term, &mut |part| match terms.get(part) {
            Term::Param(..) => parameter = true,
            Term::Fresh(_) => fresh = true,
            _ => {}
        });
        match (parameter, fresh) {
            (true, _) => "parameter",
            (false, true) => "new",
            (false, false) => "constant",
        }
        .to_owned()
    }
}

fn numbers(all: &[usize]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
