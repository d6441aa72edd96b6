//! The level that a program opens its connections with: a hook of the pool that sets it, or an option of the connection.
//!
//! Such a level is set once, far from the transactions that run at it, so it holds for a whole package.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::client::HandleKind;
use crate::dialect::Isolation;
use crate::event::{Event, EventKind, Flow};
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId};
use crate::link::FnId;
use crate::sql::statement::{IsolationScope, Verb};

/// The levels of sessions, by package.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    of: FxHashMap<usize, Isolation>,
    /// The one level that all packages agree on.
    everywhere: Option<Isolation>,
}

impl Sessions {
    /// The level of the connections a package uses: what it sets itself, or what the program sets in one place for all.
    pub fn of(&self, package: Option<usize>) -> Option<Isolation> {
        package.and_then(|package| self.of.get(&package)).copied().or(self.everywhere)
    }
}

/// Collects the levels that connections are opened with. Where two hooks of a package disagree, none is known.
pub fn sessions(ev: &Evaluator<'_>, flows: &[Arc<Flow>], production: &FxHashSet<FnId>) -> Sessions {
    let hooks = flows.iter().flat_map(|flow| {
        flow.events.iter().filter_map(move |event| Some((flow.function, set_by_hook(ev, flow, event)?)))
    });
    let mut found: FxHashMap<usize, Vec<Isolation>> = FxHashMap::default();
    for (function, level) in hooks.chain(ev.session_levels.iter().copied()) {
        if let Some(package) = ev.program.krate_of(function).filter(|_| production.contains(&function)) {
            found.entry(package).or_default().push(level);
        }
    }
    let agreed = |levels: &[Isolation]| levels.first().copied().filter(|first| levels.iter().all(|one| one == first));
    let all: Vec<Isolation> = found.values().flatten().copied().collect();
    let of = found.iter().filter_map(|(package, levels)| Some((*package, agreed(levels)?))).collect();
    Sessions { of, everywhere: agreed(&all) }
}

/// The level that an event sets for a whole session, on a connection that nothing else is done with here: it was lent by
/// the pool, which goes on with it.
fn set_by_hook(ev: &Evaluator<'_>, flow: &Flow, event: &Event) -> Option<Isolation> {
    let Verb::SetIsolation { level, scope: IsolationScope::Session } = event.access()?.statement.verb else {
        return None;
    };
    let on = event.on?;
    (event.calls.is_empty() && is_lent(ev, flow, on) && !works_on(flow, on)).then_some(level)
}

fn is_lent(ev: &Evaluator<'_>, flow: &Flow, on: TermId) -> bool {
    let kind = ev.handle(on).map(|handle| handle.kind);
    if matches!(kind, Some(HandleKind::Pool | HandleKind::Transaction)) {
        return false;
    }
    match ev.terms.get(on) {
        // A function that the program does not call itself is called by the pool.
        Term::Param(of, _) if *of == flow.function => {
            !ev.calls.callers.contains_key(of) || ev.calls.values.contains(of)
        }
        // A connection that was opened or taken out here.
        Term::Fresh(_) => kind != Some(HandleKind::Connection),
        Term::Transaction(_) => false,
        _ => true,
    }
}

/// Whether anything else than settings is sent to a connection.
fn works_on(flow: &Flow, on: TermId) -> bool {
    flow.events.iter().any(|event| match &event.kind {
        EventKind::Access(access) => {
            event.on == Some(on) && !matches!(access.statement.verb, Verb::SetIsolation { .. })
        }
        EventKind::Begin { from, .. } => *from == Some(on),
        _ => false,
    })
}
