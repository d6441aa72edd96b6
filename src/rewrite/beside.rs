//! What has to be said beside a rewrite: another engine that is sent the same, and what leaves the process meanwhile.

use super::{Case, needs_transaction};
use crate::dialect::Dialect;
use crate::event::{EffectKind, Event, EventKind};
use crate::finding::{Rewrite, RewriteKind};
use crate::race::alternatives;
use crate::race::index::Kind;
use crate::rules::double_fire;
use crate::story::words;

/// Puts what holds in any case before what holds on one engine only, or keeps others waiting for a call to the outside; and
/// says so.
pub fn said(case: Case<'_, '_>, found: &mut Vec<Rewrite>) {
    if case.dialect != Dialect::Sqlite && goes_to_sqlite(case) {
        if found.iter().any(|rewrite| !needs_transaction(rewrite.kind)) {
            found.retain(|rewrite| !needs_transaction(rewrite.kind));
        }
        for rewrite in found.iter_mut().filter(|rewrite| needs_transaction(rewrite.kind)) {
            rewrite.note = format!(
                "on {} only: SQLite is sent the same statements, and does not know this; there the transaction has to begin \
                 with BEGIN IMMEDIATE; {}",
                case.dialect.name(),
                rewrite.note
            );
        }
    }
    let Some(name) = called_between(case) else { return };
    found.sort_by_key(|rewrite| needs_transaction(rewrite.kind));
    for rewrite in found {
        let more = match rewrite.kind {
            kind if needs_transaction(kind) && case.dialect == Dialect::Sqlite => {
                format!("{name} is called while it is open, and nobody else writes until that has answered")
            }
            kind if needs_transaction(kind) => {
                format!("{name} is called while it is open, and others wait until that has answered")
            }
            // Where somebody is refused.
            RewriteKind::AtomicStatement if case.claim.rule != double_fire::ID && rewrite.note.contains("refuse") => {
                format!("{name} is called before it, also for whoever is refused: claim the row first, and call then")
            }
            _ => continue,
        };
        rewrite.note = format!("{}; {more}", rewrite.note);
    }
}

/// Whether SQLite is sent what is read or written here as well: by a handle for either engine, or by a statement of the
/// same text beside it.
fn goes_to_sqlite(case: Case<'_, '_>) -> bool {
    let ev = case.scene.ev;
    let of_either = |event: &Event| {
        let told = event.on.and_then(|on| ev.handle(on)).and_then(|handle| handle.dialect);
        let krate = ev.program.krate_of(event.function).and_then(|krate| ev.workspace.crates.get(krate));
        // A package that leaves it to another one which engine it is.
        let anywhere = || ev.workspace.crates.iter().any(|krate| krate.dialects.contains(&Dialect::Sqlite));
        told.is_none()
            && krate.is_some_and(|krate| match krate.dialects.as_slice() {
                [] => anywhere(),
                dialects => dialects.contains(&Dialect::Sqlite),
            })
    };
    let twin = |event: &Event| {
        let same = |other: &Event| {
            other.dialect == Dialect::Sqlite
                && other.access().zip(event.access()).is_some_and(|(one, two)| one.text == two.text)
                && !event.access().is_none_or(|access| access.text.is_empty())
                && !alternatives::one_run_passes(case.scene, other, event)
        };
        case.scene.flow.events.iter().any(same)
    };
    ev.config.dialect.is_none() && [case.read, case.write].into_iter().any(|event| of_either(event) || twin(event))
}

/// What is called outside between the read and the write on every way that leads from the one to the other.
fn called_between(case: Case<'_, '_>) -> Option<String> {
    let passed = |branch: u32| [case.read, case.write].iter().any(|event| event.path.arms_of(branch).is_some());
    let mut effects = case.scene.between_of(Kind::Effect, case.read.id, case.write.id);
    let called = effects.find(|event| {
        let EventKind::Effect(effect) = &event.kind else { return false };
        effect.certain
            && effect.kind != EffectKind::File
            && event.path.0.iter().all(|(branch, _)| passed(*branch))
            && alternatives::one_run_passes(case.scene, event, case.write)
    })?;
    Some(words::effect(case.scene, called))
}
