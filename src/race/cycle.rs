//! Whether who changes what was checked looks back at what is written on the strength of it.
//!
//! A request that checks one row and writes another goes wrong with one that changes the checked row only where the two stand
//! in a circle: each comes before the other in some conflict. One that closes an account and never looks at transfers stands
//! after the transfer, and nobody can tell that it did not.
//!
//! Source: Fekete, Liskov, O'Neil, O'Neil, Shasha, "Making Snapshot Isolation Serializable", ACM TODS 30 (2005), section 3.

use std::sync::{Arc, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, Flow};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::race::dependency;
use crate::race::scene::Scene;
use crate::span::Span;
use crate::sql::statement::{Access as TableAccess, Action};

/// The functions that change columns, and the statements that read tables.
#[derive(Default)]
pub struct Cycles {
    changing: FxHashMap<(Name, Name), Changing>,
    /// The statements that read each table.
    reading: FxHashMap<Name, FxHashSet<Span>>,
}

/// The functions that change one column.
#[derive(Default)]
struct Changing {
    flows: Vec<Arc<Flow>>,
    /// Worked out when it is first asked for.
    beside: OnceLock<Beside>,
}

/// What runs together with a change.
#[derive(Default)]
struct Beside {
    statements: FxHashSet<Span>,
    /// The tables that are read, and those of which rows are changed that are there.
    tables: FxHashSet<Name>,
}

impl Cycles {
    /// In: the flows of all functions, and those functions that run in production.
    pub fn of(flows: &[Arc<Flow>], production: &FxHashSet<FnId>) -> Self {
        let mut changing: FxHashMap<(Name, Name), Changing> = FxHashMap::default();
        let mut reading: FxHashMap<Name, FxHashSet<Span>> = FxHashMap::default();
        for flow in flows.iter().filter(|flow| production.contains(&flow.function)) {
            for event in &flow.events {
                let accesses = event.access().map_or(&[][..], |access| &access.statement.accesses);
                for read in accesses.iter().filter(|own| own.action == Action::Read) {
                    reading.entry(read.table.name.clone()).or_default().insert(event.span);
                }
            }
            for target in flow.events.iter().filter_map(Event::target) {
                for set in dependency::written(target).filter(|_| target.action != Action::Delete) {
                    let known = changing.entry((target.table.name.clone(), set.column.clone())).or_default();
                    if !known.flows.last().is_some_and(|last| Arc::ptr_eq(last, flow)) {
                        known.flows.push(flow.clone());
                    }
                }
            }
        }
        Self { changing, reading }
    }

    /// Whether some function that gives a column another value also reads the table of a write, changes or deletes rows of
    /// it, or comes to that write itself.
    pub fn meet(&self, scene: &Scene<'_, '_>, (table, column): (&Name, &Name), write: &Event) -> bool {
        let Some(target) = write.target() else { return true };
        // Where nobody else in sight reads what is written, those who do are out of sight, and may change the column as well.
        let is_own = |span: &Span| scene.flow.events.iter().any(|event| event.span == *span);
        let read = self.reading.get(&target.table.name).is_some_and(|spans| !spans.iter().all(is_own));
        if !read || scene.rivals.updated_somehow.contains(table) {
            return true;
        }
        self.changing.get(&(table.clone(), column.clone())).is_some_and(|changing| {
            let beside = changing.beside.get_or_init(|| Beside::changes_of((table, column), &changing.flows));
            beside.statements.contains(&write.span) || beside.tables.contains(&target.table.name)
        })
    }
}

impl Beside {
    fn changes_of((table, column): (&Name, &Name), flows: &[Arc<Flow>]) -> Self {
        let mut beside = Self::default();
        for flow in flows {
            let changes = flow.events.iter().filter(|event| dependency::sets_in(event, (table, column)));
            let changes: Vec<&Event> = changes.collect();
            for event in &flow.events {
                if changes.iter().any(|change| change.path.meets(&event.path)) {
                    beside.statements.insert(event.span);
                    beside.tables.extend(conflicting(event).cloned());
                }
            }
        }
        beside
    }
}

/// The tables that a statement reads, or of which it changes rows that are there.
fn conflicting(event: &Event) -> impl Iterator<Item = &Name> {
    let accesses = event.access().map_or(&[][..], |access| &access.statement.accesses);
    let conflicts = |own: &&TableAccess| own.action != Action::Insert || own.writes_over();
    accesses.iter().filter(conflicts).map(|own| &own.table.name)
}
