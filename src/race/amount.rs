//! Whether a test asks that something that was read is there in sufficient number, or not too often.

use crate::event::{CondId, Event};
use crate::flow::term::{Term, TermId};
use crate::race::scene::Scene;
use crate::race::{Sequence, side};

/// How deep a test is taken apart.
const DEPTH: usize = 16;

/// What whoever comes to a write has asked of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// As many, or more.
    AtLeast,
    /// As many, or fewer.
    AtMost,
}

/// What a condition asks of the number that a sequence read, where it asks for nothing else.
pub fn asked(scene: &Scene<'_, '_>, sequence: &Sequence, cond: CondId, write: &Event) -> Option<Asked> {
    let holds = side::outcome(scene.ev, cond, write)?;
    of_test(scene, sequence, scene.ev.cond(cond).term, holds, 0)
}

fn of_test(scene: &Scene<'_, '_>, sequence: &Sequence, test: TermId, holds: bool, depth: usize) -> Option<Asked> {
    let Term::Computed(by, parts) = scene.ev.terms.get(test) else { return None };
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == sequence.read);
    match (by.as_str(), &**parts) {
        _ if depth > DEPTH => None,
        ("!", [part]) => of_test(scene, sequence, *part, !holds, depth + 1),
        // Each part holds, or none does.
        ("&&" | "||", parts) if holds == (by == "&&") => {
            let mut on_it = parts.iter().filter(|part| of_read(**part));
            let first = of_test(scene, sequence, **on_it.next().as_ref()?, holds, depth + 1)?;
            on_it.all(|part| of_test(scene, sequence, *part, holds, depth + 1) == Some(first)).then_some(first)
        }
        (">" | ">=" | "<" | "<=", [left, right]) if of_read(*left) != of_read(*right) => {
            let more = matches!(by.as_str(), ">" | ">=") == of_read(*left);
            Some(if more == holds { Asked::AtLeast } else { Asked::AtMost })
        }
        _ => None,
    }
}
