//! In which transaction an event runs, if any, and at which level.

use crate::client::HandleKind;
use crate::dialect::{Dialect, Isolation};
use crate::event::{Event, EventId, EventKind};
use crate::flow::term::{LENT, Term, TermId, is_record};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::sql::statement::{BeginMode, IsolationScope, Verb};

/// An open transaction at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The outermost transaction's handle, or the connection on which `BEGIN` was sent.
    pub handle: TermId,
    /// Where it began, when that is in sight.
    pub begin: Option<EventId>,
    /// The innermost savepoint's handle, when it differs.
    pub inner: TermId,
    pub level: Isolation,
    /// The level was asked for, not assumed.
    pub level_set: bool,
    pub mode: BeginMode,
}

impl Transaction {
    pub fn is_same(&self, other: &Self) -> bool {
        self.handle == other.handle && self.begin == other.begin
    }
}

/// The transaction an event runs in; none in autocommit.
pub fn of(scene: &Scene<'_, '_>, event: &Event) -> Option<Transaction> {
    scene.transaction(event)
}

/// The transaction an event runs in, or may run in: of an executor that some other crate made nobody knows whether it is
/// in one. What is sent to it goes one way.
pub fn maybe(scene: &Scene<'_, '_>, event: &Event) -> Option<Transaction> {
    of(scene, event).or_else(|| {
        let on = event.on?;
        let known = scene.ev.handle(on).is_some_and(|handle| handle.kind != HandleKind::Executor);
        let handle = lender(scene, on);
        let said = handle != on && scene.ev.handle(handle).is_some_and(|handle| handle.kind != HandleKind::Executor);
        (!known && !said).then(|| Transaction {
            handle,
            begin: None,
            inner: handle,
            level: scene.session_level(event).unwrap_or_else(|| event.dialect.default_isolation()),
            level_set: false,
            mode: BeginMode::Plain,
        })
    })
}

/// Whether two events run, or may run, in one transaction.
pub fn is_one(scene: &Scene<'_, '_>, one: &Event, other: &Event) -> bool {
    maybe(scene, one).zip(maybe(scene, other)).is_some_and(|(one, other)| one.is_same(&other))
}

/// What an executor was taken from: `op.as_executor()` is `op`.
fn lender(scene: &Scene<'_, '_>, on: TermId) -> TermId {
    match scene.ev.terms.get(on) {
        Term::Computed(by, parts) if parts.len() == 1 || by == LENT => lender(scene, parts[0]),
        _ => on,
    }
}

pub(super) fn find(scene: &Scene<'_, '_>, event: &Event) -> Option<Transaction> {
    let on = event.on?;
    let default = scene.session_level(event).unwrap_or_else(|| event.dialect.default_isolation());
    if let Term::Transaction(_) = scene.ev.terms.get(on) {
        return Some(begun(scene, on, default, event.dialect));
    }
    if let Some(weakest) = one_of_several(scene, on, default, event.dialect) {
        return Some(weakest);
    }
    if let Some(open) = by_statement(scene, event, on) {
        return Some(open_since(scene, open, on, default, event.dialect));
    }
    if !scene.is_pool(on)
        && let Some(tx) = on_same_connection(scene, event, on)
    {
        return Some(begun(scene, tx, default, event.dialect));
    }
    if let Some(tx) = holds_one(scene, on) {
        return Some(begun(scene, tx, default, event.dialect));
    }
    let kind = scene.ev.handle(on).map(|handle| handle.kind);
    (kind == Some(HandleKind::Transaction)).then(|| {
        let set = level_by_statement(scene, on, None, event.dialect);
        Transaction {
            handle: on,
            begin: None,
            inner: on,
            level: set.unwrap_or(default),
            level_set: set.is_some(),
            mode: BeginMode::Plain,
        }
    })
}

/// What was begun in one way or in another, told by the one that protects least.
fn one_of_several(scene: &Scene<'_, '_>, on: TermId, default: Isolation, dialect: Dialect) -> Option<Transaction> {
    let Term::Either(parts) = scene.ev.terms.get(on) else { return None };
    let mut begun_ways = Vec::new();
    for part in parts.iter() {
        match scene.ev.terms.get(*part) {
            Term::Transaction(_) => begun_ways.push(begun(scene, *part, default, dialect)),
            // There was none in that way.
            Term::Literal(_) => {}
            _ => return None,
        }
    }
    let locks = |mode| matches!(mode, BeginMode::Immediate | BeginMode::Exclusive);
    let weakest = begun_ways.into_iter().min_by_key(|way| (way.level, locks(way.mode)))?;
    Some(Transaction { handle: on, inner: on, ..weakest })
}

/// The transaction that stands in a struct, the only handle there, of which a part is what is sent to.
fn holds_one(scene: &Scene<'_, '_>, on: TermId) -> Option<TermId> {
    let terms = &scene.ev.terms;
    let held = match terms.get(on) {
        Term::Field(..) => true,
        Term::Computed(by, _) => is_record(by),
        _ => false,
    };
    if !held {
        return None;
    }
    let (mut found, mut others) = (None, false);
    terms.walk(on, &mut |part| match terms.get(part) {
        Term::Transaction(_) => others |= found.replace(part).is_some(),
        Term::Field(..) | Term::Literal(_) => {}
        Term::Computed(by, _) => others |= !is_record(by),
        _ => others |= scene.ev.handle(part).is_some(),
    });
    found.filter(|_| !others)
}

fn begun(scene: &Scene<'_, '_>, inner: TermId, default: Isolation, dialect: Dialect) -> Transaction {
    let mut handle = inner;
    let mut found =
        Transaction { handle, begin: None, inner, level: default, level_set: false, mode: BeginMode::Plain };
    for _ in 0..16 {
        let Term::Transaction(id) = scene.ev.terms.get(handle) else { break };
        let Some(Event { kind: EventKind::Begin { from, isolation, mode }, .. }) = scene.event(*id) else { break };
        found.handle = handle;
        found.begin = Some(*id);
        found.mode = *mode;
        let set = isolation
            .or_else(|| level_by_statement(scene, handle, Some(*id), dialect))
            .or_else(|| from.and_then(|from| level_before(scene, from, *id, dialect)));
        if let Some(level) = set {
            found.level = level;
            found.level_set = true;
        }
        match from {
            Some(outer) if is_transaction(scene, *outer) => {
                handle = *outer;
                found.handle = handle;
                found.begin = None;
            }
            _ => break,
        }
    }
    found
}

fn is_transaction(scene: &Scene<'_, '_>, term: TermId) -> bool {
    matches!(scene.ev.terms.get(term), Term::Transaction(_))
        || scene.ev.handle(term).is_some_and(|handle| handle.kind == HandleKind::Transaction)
}

/// The `BEGIN` that was sent as SQL on this very connection and has not ended yet.
fn by_statement<'a>(scene: &Scene<'a, '_>, event: &Event, on: TermId) -> Option<&'a Event> {
    let mut open = None;
    for earlier in scene.before_of(Kind::Step, event.id).filter(|earlier| earlier.on == Some(on)) {
        match &earlier.kind {
            EventKind::Begin { from: Some(from), .. } if *from == on => open = Some(earlier),
            EventKind::Commit | EventKind::Rollback => open = None,
            _ => {}
        }
    }
    open
}

fn open_since(scene: &Scene<'_, '_>, begin: &Event, on: TermId, default: Isolation, dialect: Dialect) -> Transaction {
    let EventKind::Begin { isolation, mode, .. } = &begin.kind else {
        return Transaction {
            handle: on,
            begin: None,
            inner: on,
            level: default,
            level_set: false,
            mode: BeginMode::Plain,
        };
    };
    let set = isolation
        .or_else(|| level_by_statement(scene, on, Some(begin.id), dialect))
        .or_else(|| level_before(scene, on, begin.id, dialect));
    Transaction {
        handle: on,
        begin: Some(begin.id),
        inner: on,
        level: set.unwrap_or(default),
        level_set: set.is_some(),
        mode: *mode,
    }
}

/// A transaction object that was begun on this connection and is still open: what is sent to the connection itself runs
/// inside it.
fn on_same_connection(scene: &Scene<'_, '_>, event: &Event, on: TermId) -> Option<TermId> {
    let mut open = None;
    for earlier in scene.before_of(Kind::Step, event.id) {
        match &earlier.kind {
            EventKind::Begin { from: Some(from), .. } if *from == on && earlier.on != Some(on) => open = earlier.on,
            EventKind::Commit | EventKind::Rollback if earlier.on == open => open = None,
            _ => {}
        }
    }
    open
}

/// `SET TRANSACTION ISOLATION LEVEL …` as a statement of the transaction.
fn level_by_statement(
    scene: &Scene<'_, '_>,
    on: TermId,
    since: Option<EventId>,
    dialect: Dialect,
) -> Option<Isolation> {
    if dialect == Dialect::MySql {
        // There it is an error, or meant for the next one.
        return None;
    }
    let from = since.map_or(0, |begin| scene.place(begin));
    scene.flow.events.get(from..)?.iter().filter(|event| event.on == Some(on)).find_map(|event| {
        match &event.access()?.statement.verb {
            Verb::SetIsolation { level, .. } => Some(*level),
            _ => None,
        }
    })
}

/// A level set on the connection before the transaction began on it.
fn level_before(scene: &Scene<'_, '_>, connection: TermId, begin: EventId, dialect: Dialect) -> Option<Isolation> {
    let mut level = None;
    for earlier in scene.before_of(Kind::Lock, begin).filter(|event| event.on == Some(connection)) {
        let Some(access) = earlier.access() else { continue };
        if let Verb::SetIsolation { level: set, scope } = &access.statement.verb {
            let holds = *scope == IsolationScope::Session || dialect == Dialect::MySql;
            if holds && !scene.is_pool(connection) {
                level = Some(*set);
            }
        }
    }
    level
}
