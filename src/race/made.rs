//! Values that there is one of: what is done through `&mut` of such a value is done one after the other, whoever calls it.
//!
//! Source: The Rust Reference, "Pointer types": a mutable reference is the only way to its value for as long as it lives.
//! An `async fn` keeps it until it is done; what another function gives back as a future may go on without it.

use crate::flow::graph::{CallGraph, CallSite};
use crate::link::{FnId, ImplId, Program, TraitRef, Type, TypeId};
use crate::lower::tree::{Function, Ty};

/// Derives that make no value.
const MAKES_NONE: [&str; 15] = [
    "Actor",
    "Debug",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
    "Serialize",
    "Display",
    "Error",
    "Deref",
    "DerefMut",
    "AsRef",
    "Zeroize",
    "ZeroizeOnDrop",
];

/// Traits of other crates whose methods one job calls for each implementation, one after the other and in one process only,
/// by the crate and their name.
///
/// Source: documentation of obix, `OutboxEventHandler`: "handles the events of one outbox listener job".
const ONE_JOB: [(&str, &str); 1] = [("obix", "OutboxEventHandler")];

/// How many constructors of a type call each other.
const DEEP: usize = 6;

/// The type of the value that a function of a trait has to itself for as long as it runs, and whether it uses the value up, so
/// that it runs once for each: an actor's handler of messages; a task that is started, `fn start(self: Box<Self>)`. None for
/// a type whose values are copied, or made by a derive.
pub(super) fn held_alone(program: &Program, id: FnId) -> Option<(TypeId, bool)> {
    let function = program.function(id);
    let of_trait = program.impl_of(id).is_some_and(|block| program.impl_subject(block).0.is_some());
    let known = |ty: TypeId| program.derives(ty).iter().all(|name| MAKES_NONE.contains(name));
    let once = is_used_up(function);
    let alone = (once || function.changes_self && function.is_async) && of_trait;
    own_type(program, id).filter(|ty| alone && known(*ty)).map(|ty| (ty, once))
}

/// The impl that a function stands in, where one job calls what stands there.
pub(super) fn of_one_job(program: &Program, id: FnId) -> Option<ImplId> {
    let block = program.impl_of(id)?;
    let (Some(TraitRef::External(path)), _) = program.impl_subject(block) else { return None };
    let (krate, name) = (path.first()?, path.last()?);
    ONE_JOB.iter().any(|(own, of_trait)| krate == own && name == of_trait).then_some(block)
}

/// Where the values of a type are made, outside of its own functions; none where nobody knows all of these places.
///
/// In: the calls of a function in production.
pub(super) fn places(
    program: &Program,
    calls: &CallGraph,
    ty: TypeId,
    called_by: &dyn Fn(FnId) -> Vec<CallSite>,
) -> Option<Vec<CallSite>> {
    let mut found = Vec::new();
    let literals = calls.made.get(&ty)?;
    let mut open: Vec<(CallSite, usize)> = literals.iter().map(|site| (*site, 0)).collect();
    while let Some((site, depth)) = open.pop() {
        let caller = program.function(site.caller);
        if caller.test || takes_itself(caller) && own_type(program, site.caller) == Some(ty) {
            continue;
        }
        if own_type(program, site.caller) != Some(ty) {
            found.push(site);
            continue;
        }
        let sites = called_by(site.caller);
        if sites.is_empty() || depth >= DEEP || calls.values.contains(&site.caller) {
            return None;
        }
        open.extend(sites.into_iter().map(|site| (site, depth + 1)));
    }
    (!found.is_empty()).then_some(found)
}

/// The type in whose impl a function stands.
fn own_type(program: &Program, id: FnId) -> Option<TypeId> {
    match program.self_type(id)? {
        Type::Def(ty, _) => Some(ty),
        _ => None,
    }
}

/// `fn with(self, …) -> Self`: one value goes in, and one comes out.
fn takes_itself(function: &Function) -> bool {
    matches!(&function.receiver, Some(ty) if !matches!(ty, Ty::Ref(_)))
}

/// `fn start(self)`, `fn start(self: Box<Self>)`: the value is gone with the call. What is counted may be there still.
fn is_used_up(function: &Function) -> bool {
    let Some(Ty::Path(path)) = &function.receiver else { return false };
    path.segments.last().is_some_and(|last| matches!(last.name.as_str(), "Self" | "Box"))
}
