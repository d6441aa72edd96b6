//! A row that is put there again under the key that it was moved away from.

use crate::event::{Event, Path};
use crate::protect::constraint::{covering_key, is_another, is_drawn_anew};
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::{Sequence, dependency};
use crate::sql::statement::Action;

/// Whether of two requests that wanted the same row the one that changed none is refused all the same, or refuses the other:
/// both go on to insert a row under the unique key by which it was found, and from which the one that changed it has moved it.
pub(super) fn refuses(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(write), Some(read)) = (scene.event(sequence.write), scene.access(sequence.read)) else { return false };
    let (Some(update), Some(target)) = (write.access(), write.target()) else { return false };
    let Some(reads) = read.statement.accesses.get(sequence.read_access) else { return false };
    let put_again = |event: &Event| {
        let (Some(access), Some(inserted)) = (event.access(), event.target()) else { return false };
        inserted.action == Action::Insert
            && inserted.table.name == target.table.name
            && inserted.conflict.is_none()
            && covering_key(scene, (read, reads), (access, inserted)).is_some_and(|key| {
                key.iter().any(|column| dependency::moved(scene, (update, target), column).is_some())
                    && !is_drawn_anew(scene, access, inserted, &key)
                    && !is_another(scene, (read, reads), (access, inserted), &key)
            })
    };
    target.action == Action::Update
        && scene.after_of(Kind::Write, write.id).any(|event| all_come_to(&event.path, &write.path) && put_again(event))
}

/// Whether everybody on one way comes to what stands on another one, but for those who leave with an error.
fn all_come_to(event: &Path, from: &Path) -> bool {
    event.0.iter().all(|(branch, arms)| from.arms_of(*branch).is_some_and(|taken| taken & !arms == 0))
}
