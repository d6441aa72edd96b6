//! Whether who changes what was checked looks back at what is written on the strength of it.
//!
//! A request that checks one row and writes another goes wrong with one that changes the checked row only where the two stand
//! in a circle: each comes before the other in some conflict. One that closes an account and never looks at transfers stands
//! after the transfer, and nobody can tell that it did not.
//!
//! Source: Fekete, Liskov, O'Neil, O'Neil, Shasha, "Making Snapshot Isolation Serializable", ACM TODS 30 (2005), section 3.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, Flow};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::race::dependency;
use crate::race::scene::Scene;
use crate::span::Span;
use crate::sql::statement::Action;

/// The functions that change columns, and the statements that read tables.
#[derive(Default)]
pub struct Cycles {
    changing: FxHashMap<(Name, Name), Vec<Arc<Flow>>>,
    /// The statements that read each table.
    reading: FxHashMap<Name, FxHashSet<Span>>,
}

impl Cycles {
    /// In: the flows of all functions, and those functions that run in production.
    pub fn of(flows: &[Arc<Flow>], production: &FxHashSet<FnId>) -> Self {
        let mut changing: FxHashMap<(Name, Name), Vec<Arc<Flow>>> = FxHashMap::default();
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
                    if !known.last().is_some_and(|last| Arc::ptr_eq(last, flow)) {
                        known.push(flow.clone());
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
        let unknown = !read || scene.rivals.updated_somehow.contains(table);
        let flows = self.changing.get(&(table.clone(), column.clone())).map_or(&[][..], Vec::as_slice);
        unknown
            || flows.iter().any(|flow| {
                let changes = |event: &&Event| dependency::sets_in(event, (table, column));
                flow.events.iter().filter(changes).any(|change| {
                    flow.events.iter().any(|other| {
                        change.path.meets(&other.path)
                            && (other.span == write.span || conflicts(other, &target.table.name))
                    })
                })
            })
    }
}

/// Whether a statement reads a table, or changes rows of it that are there.
fn conflicts(event: &Event, table: &Name) -> bool {
    let Some(access) = event.access() else { return false };
    access.statement.accesses.iter().filter(|own| own.table.name == *table).any(|own| match own.action {
        Action::Read | Action::Update | Action::Delete => true,
        Action::Insert => own.writes_over(),
    })
}
