//! Locks inside the process: what takes one, and how long its guard is held.

use rustc_hash::FxHashSet;

use crate::client::HandleKind;
use crate::client::handles::{self, is_of_pool};
use crate::event::{EventKind, Guard};
use crate::flow::Evaluator;
use crate::flow::known::is_mutator;
use crate::flow::mention::Wanted;
use crate::flow::term::{Term, TermId, Terms};
use crate::flow::value::{Shape, Value};
use crate::link::Type;
use crate::lower::tree::Name;
use crate::span::Range;

impl<'p> Evaluator<'p> {
    /// `mutex.lock()`, `rwlock.write()`, `semaphore.acquire()`: a guard, held while the value it is bound to lives.
    pub(super) fn in_process_lock(&mut self, recv: &Value, name: &str, at: Range) -> Option<Value> {
        let mut wrapper = recv.ty.clone();
        let mut found = None;
        for _ in 0..6 {
            let Type::External(path, args) = &wrapper else { break };
            let last = path.last().map(Name::as_str).unwrap_or_default();
            if matches!(last, "Mutex" | "RwLock" | "FairMutex" | "ReentrantMutex" | "Semaphore") {
                found = Some((last.to_owned(), args.first().cloned().unwrap_or(Type::Unknown)));
                break;
            }
            let Some(inner) = args.first().cloned() else { break };
            wrapper = inner;
        }
        let (kind, inner) = match found {
            Some(found) => found,
            // Without a type only `lock()` is a lock, and what nothing else has: `lock_owned()`, `write_owned()`.
            None if !recv.ty.is_unknown() => return None,
            None => match name {
                "lock" | "lock_owned" => ("Mutex".to_owned(), Type::Unknown),
                "write_owned" | "read_owned" => ("RwLock".to_owned(), Type::Unknown),
                _ => return None,
            },
        };
        if kind == "Semaphore" && !self.lets_in_one(recv.term) {
            return None;
        }
        let held = || handles::handle_of(&inner, &self.clients);
        if is_of_pool(&inner) || held().is_some_and(|handle| handle.kind == HandleKind::Transaction) {
            // No other request has the connection behind it: the parts of one hand it to each other.
            let value = Value { ty: inner, ..recv.clone() };
            self.learn_handle(&value);
            return Some(value);
        }
        let shared = matches!(name, "read" | "read_owned") && kind == "RwLock";
        let guard = self.terms.fresh();
        let span = self.span(at);
        let empty = kind == "Semaphore" || matches!(inner, Type::Unit);
        let taken = Guard { guard, lock: recv.term, span, shared, empty };
        self.locks.insert(guard, taken.clone());
        self.emit(EventKind::Locked(taken.clone()), None, at);
        self.frame.guards.push(taken);
        let ty = if matches!(inner, Type::Unit) { Type::Unknown } else { inner };
        let value = Value::new(guard, ty);
        self.learn_handle(&value);
        Some(value)
    }

    /// Whether a semaphore was made with one permit: with more of them two are let in.
    fn lets_in_one(&self, semaphore: TermId) -> bool {
        let one = |part: &TermId| matches!(self.terms.get(*part), Term::Literal(text) if text == "1");
        matches!(self.terms.get(semaphore), Term::Computed(by, parts) if by.contains("Semaphore") && parts.iter().all(one))
    }

    /// Guards that were taken in a statement and are bound to no variable end with it.
    pub(super) fn end_temporaries(&mut self, from: usize) {
        if self.frame.guards.len() <= from {
            return;
        }
        let wanted = Wanted::new(&self.terms, self.frame.guards[from..].iter().map(|guard| guard.guard));
        let mut held = Held { terms: &self.terms, wanted, found: FxHashSet::default() };
        self.frame.env.iter().for_each(|(_, value)| held.look_into(value));
        let found = held.found;
        let mut at = 0;
        self.frame.guards.retain(|guard| {
            at += 1;
            at <= from || found.contains(&guard.guard)
        });
    }

    /// Guards bound to variables that go out of scope are released.
    pub(super) fn end_variables(&mut self, keep: usize) {
        if self.frame.guards.is_empty() {
            return;
        }
        let gone: Vec<_> = self.frame.env.iter().skip(keep).map(|(_, value)| value.term).collect();
        let kept: Vec<_> = self.frame.env.iter().take(keep).map(|(_, value)| value.term).collect();
        let gone = self.terms.mentioned(&gone, self.frame.guards.iter().map(|guard| guard.guard));
        self.frame.guards.retain(|guard| kept.contains(&guard.guard) || !gone.contains(&guard.guard));
    }
}

/// Whether a method may take a lock, by its name.
pub(super) fn takes_lock(name: &str) -> bool {
    name.starts_with("lock")
        || matches!(name, "write" | "read" | "write_owned" | "read_owned" | "acquire" | "try_lock" | "acquire_owned")
}

/// The guards that values are, or have among their parts; what was read through a guard does not keep it.
struct Held<'a> {
    terms: &'a Terms,
    wanted: Wanted,
    found: FxHashSet<TermId>,
}

impl Held<'_> {
    fn look_into(&mut self, value: &Value) {
        self.look_at(value.term);
        if let Shape::Record(parts) = &value.shape {
            let inside = self.wanted.among(self.terms, &[value.term]);
            if inside.iter().any(|guard| !self.found.contains(guard)) {
                parts.iter().for_each(|(_, part)| self.look_into(part));
            }
        }
    }

    /// A value may be a guard, or one that was changed through since it was taken.
    fn look_at(&mut self, value: TermId) {
        let mut todo = vec![value];
        let mut seen = FxHashSet::default();
        while let Some(id) = todo.pop() {
            if self.wanted.has(id) {
                self.found.insert(id);
                continue;
            }
            if !seen.insert(id) {
                continue;
            }
            match self.terms.get(id) {
                Term::Either(parts) => todo.extend(parts.iter().copied()),
                Term::Computed(by, parts) if is_mutator(by) || matches!(by.as_str(), "with" | "put") => {
                    todo.extend(parts.first());
                }
                _ => {}
            }
        }
    }
}
