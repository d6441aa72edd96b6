//! Whether what leaves the process may do so twice.

use crate::event::{EffectKind, Event, EventKind};
use crate::flow::clock::is_of_clock;
use crate::flow::effect::{asks_by_name, sets_by_name, takes_away_by_name};
use crate::flow::random::is_by_chance;
use crate::flow::request::{deduplicated_by, is_harmless_twice, says_the_same};
use crate::flow::term::{Params, TermId};
use crate::race::common;
use crate::race::scene::Scene;

/// Whether a request that is sent a second time leaves all as it is: by how it is built, or by the name of the function that
/// sends it, below the one that reads and writes.
///
/// In: the read of the row that both who send it have, the write, and what leaves the process.
pub fn is_harmless(scene: &Scene<'_, '_>, read: &Event, write: &Event, event: &Event) -> bool {
    let is_request = matches!(&event.kind, EventKind::Effect(effect) if effect.kind == EffectKind::Http);
    if !is_request {
        return false;
    }
    let terms = &scene.ev.terms;
    let asked: Vec<TermId> = read.access().map_or(Vec::new(), |access| {
        access.binds.iter().copied().chain(access.named.iter().map(|(_, term)| *term)).collect()
    });
    let by_name = |name: &str| {
        asks_by_name(name) || takes_away_by_name(name) || sets_by_name(name) && says_the_same(terms, event, &asked)
    };
    is_known_again(scene, read, event, &asked)
        || is_harmless_twice(terms, event, &asked)
        || senders(scene, read, write, event).any(by_name)
}

/// Whether a request carries a key that is the same for all who read the same row: it is made of that row, and of what it was
/// asked for by.
fn is_known_again(scene: &Scene<'_, '_>, read: &Event, event: &Event, asked: &[TermId]) -> bool {
    let terms = &scene.ev.terms;
    let of_row = |key: TermId| {
        let origins = scene.origins(key);
        let handed_in = terms.params(key) != Params::default();
        let known = || asked.iter().any(|term| terms.mentions(key, *term));
        origins.iter().all(|origin| origin.event == read.id && !origin.answered)
            && (if handed_in { known() } else { !origins.is_empty() })
            && !is_by_chance(terms, key)
            && !is_of_clock(terms, key)
    };
    deduplicated_by(terms, event).is_some_and(|keys| keys.into_iter().all(of_row))
}

/// The names of the functions through which something leaves the process, below the one that reads and writes.
pub fn senders<'s>(
    scene: &'s Scene<'_, '_>,
    read: &Event,
    write: &Event,
    event: &'s Event,
) -> impl Iterator<Item = &'s str> + use<'s> {
    let depth = common(event, read).max(common(event, write));
    let program = scene.ev.program;
    event.calls.iter().skip(depth).map(|call| program.function(call.function).name.as_str())
}
