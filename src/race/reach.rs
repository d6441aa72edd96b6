//! Which functions two requests can run at once.
//!
//! What is called by nobody in sight is called by a framework, by other crates, or by a test: it counts as reachable. What
//! only `main` leads to, straight and not by a task or an endless loop, runs once for each start of the program.

use rustc_hash::FxHashSet;

use crate::config::Config;
use crate::flow::CallGraph;
use crate::link::{FnId, Program};

/// The functions that can run more than once at the same time.
///
/// In: the calls that were followed, and all functions that run in production.
pub fn concurrent(program: &Program, calls: &CallGraph, functions: &[FnId], config: &Config) -> FxHashSet<FnId> {
    let called_by = |id: FnId| {
        let callers = calls.callers.get(&id).map_or(&[][..], Vec::as_slice);
        callers.iter().filter(move |(caller, ..)| *caller != id && !program.function(*caller).test)
    };
    let mut found: FxHashSet<FnId> = FxHashSet::default();
    let mut todo: Vec<FnId> = Vec::new();
    for id in functions {
        let starts = called_by(*id).next().is_none() && !is_main(program, *id);
        let handed_around = calls.values.contains(id);
        let served = called_by(*id).any(|(_, _, serving)| *serving);
        if starts || handed_around || served || config.is_entry_point(&program.path_of(*id)) {
            todo.push(*id);
        }
    }
    let mut callees: rustc_hash::FxHashMap<FnId, Vec<FnId>> = rustc_hash::FxHashMap::default();
    for (callee, callers) in &calls.callers {
        for (caller, ..) in callers {
            callees.entry(*caller).or_default().push(*callee);
        }
    }
    while let Some(id) = todo.pop() {
        if found.insert(id) {
            todo.extend(callees.get(&id).into_iter().flatten().copied());
        }
    }
    found
}

fn is_main(program: &Program, id: FnId) -> bool {
    let function = program.function(id);
    function.name == "main" && function.in_impl.is_none() && function.params.is_empty()
}
