//! Who calls whom, as far as calls were followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::Flow;
use crate::link::{FnId, Program, Type, TypeId};
use crate::lower::tree::Name;
use crate::span::Span;

#[derive(Default)]
pub struct CallGraph {
    /// Callee → the calls of it.
    pub callers: FxHashMap<FnId, Vec<CallSite>>,
    /// Functions whose name is handed around as a value: handlers, jobs.
    pub values: FxHashSet<FnId>,
    /// Those of them that another crate is handed.
    pub given_away: FxHashSet<FnId>,
    /// Calls of functions that a place of the program holds.
    pub pointed: Vec<Pointed>,
    /// Functions of traits, by name, that are called where nobody knows which implementation is meant.
    pub bodiless: FxHashSet<Name>,
    /// Where a struct's values are made, by its type.
    pub made: FxHashMap<TypeId, Vec<CallSite>>,
    /// The branches of a `select!` or `join!` that take turns: where one waits, another one of the same goes on.
    pub turns: FxHashSet<Span>,
    /// Method calls on values of which nobody knows the type, by name and how many arguments.
    pub unresolved: FxHashMap<(Name, usize), Vec<CallSite>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    pub caller: FnId,
    pub span: Span,
    /// It stands in `loop`, `while` or a task of its own.
    pub serving: bool,
    /// It stands in a loop, of the task where it stands in one.
    pub looped: bool,
    /// It stands in a closure that is handed elements, perhaps all at a time.
    pub spread: bool,
    /// The task it stands in, where its function starts that.
    pub task: Option<Task>,
    /// The branch of a `select!` or `join!` it stands in, within that task.
    pub branch: Option<Span>,
    /// Several functions could be meant.
    pub guessed: bool,
    /// It stands in a closure that something unknown was handed, which may call it again.
    pub handed: bool,
    /// Its function asked before whether this process leads those that share the database.
    pub led: bool,
    /// A lock that lets in one after the other is held around it.
    pub held: bool,
}

/// A call of what a place holds: `(self.handler)(job)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointed {
    pub args: Vec<Type>,
    pub site: CallSite,
}

/// What runs beside whoever started it: `tokio::spawn(async { … })`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The call that starts it.
    pub at: Span,
    /// It is started in a loop.
    pub many: bool,
}

/// The calls that can lead to a statement, by what is known of the function that is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Calls {
    pub resolved: usize,
    /// One of a few functions.
    pub several: usize,
    /// On a value of unknown type, by the name of a method that leads to a statement.
    pub unknown: usize,
    /// How often each of those names is called.
    pub unknown_names: BTreeMap<Name, usize>,
}

impl CallGraph {
    pub(super) fn called(&mut self, callee: FnId, site: CallSite) {
        note(self.callers.entry(callee).or_default(), site);
    }

    pub(super) fn made(&mut self, ty: &Type, site: CallSite) {
        if let Type::Def(id, _) = ty {
            note(self.made.entry(*id).or_default(), site);
        }
    }

    pub(super) fn unresolved(&mut self, name: &Name, args: usize, site: CallSite) {
        note(self.unresolved.entry((name.clone(), args)).or_default(), site);
    }

    /// A call without the branch that it stands in where that takes turns with no other.
    pub fn settled(&self, site: CallSite) -> CallSite {
        CallSite { branch: site.branch.filter(|branch| self.turns.contains(branch)), ..site }
    }

    pub(super) fn pointed(&mut self, call: Pointed) {
        if self.pointed.last() != Some(&call) {
            self.pointed.push(call);
        }
    }

    /// The calls of places that can hold a function whose name is a value; none where others than the program may call it.
    pub fn pointed_at(&self, program: &Program, id: FnId) -> Vec<CallSite> {
        if !self.values.contains(&id) || self.given_away.contains(&id) {
            return Vec::new();
        }
        let params = program.params(id);
        let own = usize::from(program.function(id).receiver.is_some());
        // What a conversion gives is not always known.
        let fits = |call: &&Pointed| {
            let apart = || call.args[own..].iter().zip(&params).filter(|(arg, param)| !may_be(arg, param)).count();
            call.args.len() == params.len() + own && 2 * apart() <= params.len()
        };
        self.pointed.iter().filter(fits).map(|call| call.site).collect()
    }

    /// The calls of a function by others than itself, those in tests left out.
    pub fn calls_of(&self, program: &Program, id: FnId) -> impl Iterator<Item = &CallSite> {
        let callers = self.callers.get(&id).map_or(&[][..], Vec::as_slice);
        callers.iter().filter(move |site| site.caller != id && !program.function(site.caller).test)
    }

    /// The smallest set of these functions of which every call passes, or stands in a function of the set: those that nobody
    /// calls are in it.
    pub fn closed(
        &self,
        program: &Program,
        open: impl IntoIterator<Item = FnId>,
        passes: impl Fn(&CallSite) -> bool,
    ) -> FxHashSet<FnId> {
        let mut awaited: FxHashMap<FnId, usize> = FxHashMap::default();
        let mut below: FxHashMap<FnId, Vec<FnId>> = FxHashMap::default();
        let mut todo: Vec<FnId> = Vec::new();
        for id in open {
            let mut from = 0;
            for site in self.calls_of(program, id).filter(|site| !passes(site)) {
                below.entry(site.caller).or_default().push(id);
                from += 1;
            }
            match from {
                0 => todo.push(id),
                _ => _ = awaited.insert(id, from),
            }
        }
        let mut found: FxHashSet<FnId> = FxHashSet::default();
        while let Some(id) = todo.pop() {
            found.insert(id);
            for callee in below.get(&id).into_iter().flatten() {
                let Some(from) = awaited.get_mut(callee) else { continue };
                *from -= 1;
                if *from == 0 {
                    todo.push(*callee);
                }
            }
        }
        found
    }

    /// Counts the calls below which a statement is sent, each place once; those in tests are left out.
    pub fn towards_rows(&self, program: &Program, flows: &[Arc<Flow>]) -> Calls {
        let reaching: FxHashSet<FnId> =
            flows.iter().filter(|flow| flow.reaches_rows).map(|flow| flow.function).collect();
        let mut sure: FxHashMap<Span, bool> = FxHashMap::default();
        for site in reaching.iter().flat_map(|id| self.callers.get(id)).flatten() {
            if !program.function(site.caller).test {
                *sure.entry(site.span).or_default() |= !site.guessed;
            }
        }
        let resolved = sure.values().filter(|sure| **sure).count();
        let (mut unknown, mut unknown_names) = (0, BTreeMap::new());
        for ((name, args), sites) in &self.unresolved {
            let fits = |id: &FnId| reaching.contains(id) && program.function(*id).params.len() == *args;
            if program.named_methods(name).iter().any(fits) {
                let untested = sites.iter().filter(|site| !program.function(site.caller).test).map(|site| site.span);
                let spans: FxHashSet<Span> = untested.filter(|span| !sure.contains_key(span)).collect();
                unknown += spans.len();
                if !spans.is_empty() {
                    *unknown_names.entry(name.clone()).or_default() += spans.len();
                }
            }
        }
        Calls { resolved, several: sure.len() - resolved, unknown, unknown_names }
    }
}

/// Whether a value of one type may be handed in where the other is asked for, their arguments left out.
fn may_be(arg: &Type, param: &Type) -> bool {
    match (arg, param) {
        (Type::Unknown | Type::Trait(_), _) | (_, Type::Unknown | Type::Trait(_)) => true,
        (Type::Def(one, _), Type::Def(other, _)) => one == other,
        // A text and a list are lent as a part of themselves.
        (Type::External(..), Type::External(..)) => {
            arg.external_name() == param.external_name() || param.external_name() == Some("str")
        }
        (Type::External(..), Type::Slice(_)) => true,
        (Type::Tuple(one), Type::Tuple(other)) => one.len() == other.len(),
        _ => std::mem::discriminant(arg) == std::mem::discriminant(param),
    }
}

/// A function is evaluated once, so that the same call comes twice only in a row.
fn note(sites: &mut Vec<CallSite>, site: CallSite) {
    if sites.last() != Some(&site) {
        sites.push(site);
    }
}
