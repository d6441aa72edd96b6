//! Which functions two requests can run at once.
//!
//! What is called by nobody in sight is called by a framework, by other crates, or by a test: it counts as reachable. What
//! only `main` leads to, straight and not by a task or an endless loop, runs once for each start of the program.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::Config;
use crate::flow::graph::{CallGraph, CallSite};
use crate::link::{FnId, Program};
use crate::source::Workspace;

/// Attributes that leave a function what it is: any other may be a framework's, which calls it.
const PLAIN: [&str; 14] = [
    "allow",
    "expect",
    "warn",
    "deny",
    "cfg",
    "cfg_attr",
    "doc",
    "inline",
    "cold",
    "must_use",
    "deprecated",
    "instrument",
    "async_recursion",
    "track_caller",
];

/// The functions that can run more than once at the same time.
///
/// In: the calls that were followed, and all functions that run in production.
pub fn concurrent(
    workspace: &Workspace,
    program: &Program,
    calls: &CallGraph,
    functions: &[FnId],
    config: &Config,
) -> FxHashSet<FnId> {
    let sees = |caller: FnId, id: FnId| match (program.krate_of(caller), program.krate_of(id)) {
        (Some(from), Some(to)) => {
            let (from, to) = (&workspace.crates[from], &workspace.crates[to]);
            from.dir == to.dir || from.dependencies.iter().any(|dependency| dependency.package == to.name)
        }
        _ => true,
    };
    let called_by = |id: FnId| {
        let callers = calls.callers.get(&id).map_or(&[][..], Vec::as_slice);
        let likely = likely_callers(program, calls, id).iter().filter(move |site| sees(site.caller, id));
        callers.iter().chain(likely).filter(move |site| site.caller != id && !program.function(site.caller).test)
    };
    let mut found: FxHashSet<FnId> = FxHashSet::default();
    let mut todo: Vec<FnId> = Vec::new();
    let mut callees: FxHashMap<FnId, Vec<FnId>> = FxHashMap::default();
    for id in functions {
        let starts = called_by(*id).next().is_none() && !is_main(program, *id);
        let handed_around = calls.values.contains(id);
        let served = called_by(*id).any(|site| site.serving);
        if starts || handed_around || served || config.is_entry_point(&program.path_of(*id)) {
            todo.push(*id);
        }
        for site in called_by(*id) {
            callees.entry(site.caller).or_default().push(*id);
        }
    }
    while let Some(id) = todo.pop() {
        if found.insert(id) {
            todo.extend(callees.get(&id).into_iter().flatten().copied());
        }
    }
    found
}

/// Calls of this method's name, with as many arguments, on values of an unknown type, where no call of it was followed.
///
/// `Cli::parse().run()`: what a derive macro declares has no type, and `run` is called all the same. A trait's method and
/// one with a framework's attribute may be called from outside, whoever else has a method of that name.
fn likely_callers<'c>(program: &Program, calls: &'c CallGraph, id: FnId) -> &'c [CallSite] {
    let function = program.function(id);
    let own = function.receiver.is_some()
        && function.in_trait.is_none()
        && program.impl_of(id).is_some_and(|block| program.impl_subject(block).0.is_none())
        && function.attrs.iter().all(|attr| attr.path.last().is_some_and(|name| PLAIN.contains(&name.as_str())));
    if !own || calls.callers.contains_key(&id) {
        return &[];
    }
    calls.unresolved.get(&(function.name.clone(), function.params.len())).map_or(&[], Vec::as_slice)
}

fn is_main(program: &Program, id: FnId) -> bool {
    let function = program.function(id);
    function.name == "main" && function.in_impl.is_none() && function.params.is_empty()
}
