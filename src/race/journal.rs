//! Tables in which is only noted down what was done: rows come in and stay as they are, and nothing is decided by them.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Access, CondId, CondKind, EventId, Flow};
use crate::flow::Evaluator;
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::race::rivals::Rivals;
use crate::sql::schema::Schema;
use crate::sql::statement::Action;

/// The tables that are journals.
///
/// In: what the program as a whole does to its tables, and the flows of its functions.
pub fn journals(
    (ev, schema): (&Evaluator<'_>, &Schema),
    flows: &[Arc<Flow>],
    production: &FxHashSet<FnId>,
    rivals: &Rivals,
) -> FxHashSet<Name> {
    // An upsert that may meet a row that is there is told among the writers.
    let changed: FxHashSet<&Name> = rivals.edited.iter().chain(rivals.writers.tables()).collect();
    let parents: FxHashSet<&Name> =
        schema.tables.values().flat_map(|def| &def.foreign_keys).map(|key| &key.table).collect();
    let only_grows = |table: &&Name| !changed.contains(*table) && !parents.contains(*table);
    let mut noted: FxHashSet<Name> = rivals.inserted.iter().filter(only_grows).cloned().collect();
    for flow in flows.iter().filter(|flow| production.contains(&flow.function)) {
        if noted.is_empty() {
            break;
        }
        for table in deciding(ev, flow) {
            noted.remove(table);
        }
    }
    noted
}

/// The tables by whose rows a function decides what it does, or goes through one by one.
fn deciding<'f>(ev: &Evaluator<'_>, flow: &'f Flow) -> impl Iterator<Item = &'f Name> {
    let reads: FxHashMap<EventId, &Access> =
        flow.events.iter().filter_map(|event| Some((event.id, event.access()?))).collect();
    let acting = flow.events.iter().filter(|event| event.acts());
    let mut todo: Vec<CondId> = acting.flat_map(|event| event.deps.iter().copied()).collect();
    let mut conds = FxHashSet::default();
    let mut decide: FxHashSet<EventId> = FxHashSet::default();
    while let Some(id) = todo.pop() {
        if !conds.insert(id) {
            continue;
        }
        let cond = ev.cond(id);
        todo.extend(cond.inner.iter().copied());
        // `fetch(…)?` asks whether it went well.
        if cond.kind != CondKind::Presence {
            decide.extend(ev.terms.origins(cond.term).iter().map(|origin| origin.event));
        }
    }
    let deciding = decide.into_iter().filter_map(move |event| reads.get(&event).copied());
    let accesses = deciding.flat_map(|access| &access.statement.accesses);
    accesses.filter(|access| access.action == Action::Read).map(|access| &access.table.name)
}
