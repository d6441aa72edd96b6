//! Locks inside the process: what takes one, and how long its guard is held.

use crate::event::{EventKind, Guard};
use crate::flow::Evaluator;
use crate::flow::known::is_mutator;
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
            // Without a type only `lock()` is a lock.
            None if recv.ty.is_unknown() && name == "lock" => ("Mutex".to_owned(), Type::Unknown),
            None => return None,
        };
        let shared = name == "read" && kind == "RwLock";
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

    /// Guards that were taken in a statement and are bound to no variable end with it.
    pub(super) fn end_temporaries(&mut self, from: usize) {
        if self.frame.guards.len() <= from {
            return;
        }
        let mut at = 0;
        let env: Vec<_> = self.frame.env.iter().map(|(_, value)| value.clone()).collect();
        let held = |guard: TermId, terms: &Terms| env.iter().any(|value| keeps(terms, value, guard));
        let terms = &self.terms;
        self.frame.guards.retain(|guard| {
            at += 1;
            at <= from || held(guard.guard, terms)
        });
    }

    /// Guards bound to variables that go out of scope are released.
    pub(super) fn end_variables(&mut self, keep: usize) {
        if self.frame.guards.is_empty() {
            return;
        }
        let gone: Vec<_> = self.frame.env.iter().skip(keep).map(|(_, value)| value.term).collect();
        let kept: Vec<_> = self.frame.env.iter().take(keep).map(|(_, value)| value.term).collect();
        let terms = &self.terms;
        self.frame.guards.retain(|guard| {
            kept.contains(&guard.guard)
                || !gone.iter().any(|term| *term == guard.guard || terms.mentions(*term, guard.guard))
        });
    }
}

/// Whether a value is a guard, or has one among its parts; what was read through a guard does not keep it.
fn keeps(terms: &Terms, value: &Value, guard: TermId) -> bool {
    let among = |parts: &[(Name, Value)]| parts.iter().any(|(_, part)| keeps(terms, part, guard));
    holds(terms, value.term, guard)
        || matches!(&value.shape, Shape::Record(parts) if terms.mentions(value.term, guard) && among(parts))
}

/// Whether a value is a guard, or one that was changed through since it was taken.
fn holds(terms: &Terms, value: TermId, guard: TermId) -> bool {
    if value <= guard {
        return value == guard;
    }
    match terms.get(value) {
        Term::Either(parts) => parts.iter().any(|part| holds(terms, *part, guard)),
        Term::Computed(by, parts) if is_mutator(by) || matches!(by.as_str(), "with" | "put") => {
            parts.first().is_some_and(|part| holds(terms, *part, guard))
        }
        _ => false,
    }
}
