//! Keys that are made of what was looked for: a digest of a name, a text that is put together of two columns. Who looks for the
//! same makes the same key.

use crate::event::Access;
use crate::flow::clock::is_of_clock;
use crate::flow::random::is_by_chance;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::sql::schema::TableDef;
use crate::sql::statement::{Access as TableAccess, Compare};

/// How deep a value is taken apart.
const DEPTH: usize = 24;

/// What makes the same of the same, by the last part of its name. Not `hash`, which salts a password.
const SAME: [&str; 25] = [
    "new_v3",
    "new_v5",
    "digest",
    "finalize",
    "finalize_fixed",
    "finish",
    "compute",
    "update",
    "chain_update",
    "new",
    "default",
    "encode",
    "encode_hex",
    "encode_string",
    "to_hex",
    "hex",
    "format",
    "concat",
    "join",
    "tuple",
    "to_lowercase",
    "to_ascii_lowercase",
    "trim",
    "replace",
    "+",
];

/// The unique key whose columns hold nothing but what a read asked for, or what is made of that and of constants alone.
///
/// In: the read and the statement that gives the new row its values. A key that holds only what was asked for as it is, is
/// found by its columns.
pub(super) fn key(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
    table: &TableDef,
) -> Option<Vec<Name>> {
    let sought = read.1.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
    let sought: Vec<TermId> =
        sought.filter_map(|predicate| read.0.bound(&predicate.value)).map(|it| scene.plain(it)).collect();
    if sought.is_empty() {
        return None;
    }
    let given = |column: &Name| {
        let set = write.1.sets.iter().find(|set| set.column == *column)?;
        write.0.bound(&set.value)
    };
    let made = |column: &Name| given(column).is_some_and(|term| Made { scene, sought: &sought }.is_of_sought(term));
    let derived = |column: &Name| given(column).is_some_and(|term| !sought.contains(&scene.plain(term)));
    table.keys().find(|key| key.iter().any(derived) && key.iter().all(made)).map(<[Name]>::to_vec)
}

struct Made<'s, 'a, 'p> {
    scene: &'s Scene<'a, 'p>,
    sought: &'s [TermId],
}

impl Made<'_, '_, '_> {
    fn is_of_sought(&self, term: TermId) -> bool {
        let terms = &self.scene.ev.terms;
        let holds = terms.any(term, |_| true, |part| self.sought.contains(&self.scene.plain(part)));
        holds && !is_by_chance(terms, term) && !is_of_clock(terms, term) && self.is_only(term, DEPTH)
    }

    fn is_only(&self, term: TermId, depth: usize) -> bool {
        let terms = &self.scene.ev.terms;
        let Some(depth) = depth.checked_sub(1) else { return false };
        if terms.is_constant(term) || self.sought.contains(&self.scene.plain(term)) {
            return true;
        }
        match terms.get(term) {
            Term::Literal(_) => true,
            Term::Computed(by, parts) => {
                let last = by.rsplit("::").next().unwrap_or(by);
                let same = SAME.contains(&last) || by.starts_with("blake3::");
                same && parts.iter().all(|part| self.is_only(*part, depth))
            }
            Term::Either(parts) => parts.iter().all(|part| self.is_only(*part, depth)),
            Term::Field(of, _) => self.is_only(*of, depth),
            _ => false,
        }
    }
}
