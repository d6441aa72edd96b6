//! The next number, worked out in Rust: the greatest of those that were read and one more, given to a new row.
//!
//! Where the database looks for the greatest (`MAX(n)`) the read says so itself; here it is what is made of the rows that
//! shows it: the row that is first or last in an order, `max()` of a list, how many there are.

use crate::event::Access;
use crate::flow::term::{Part, Term, TermId};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency};
use crate::sql::statement::{Access as TableAccess, Action};

/// The column of a new row that gets the number after the greatest one that was read; none where no column does.
///
/// In: a read, by its access, and an INSERT into the same table.
pub fn column(scene: &Scene<'_, '_>, sequence: &Sequence, reads: &TableAccess) -> Option<Name> {
    let (read, write) = (scene.access(sequence.read)?, scene.access(sequence.write)?);
    let target = write.statement.target().filter(|target| target.action == Action::Insert)?;
    if reads.aggregate.is_some() || reads.table.name != target.table.name {
        return None;
    }
    let number = Number { scene, sequence, read, reads };
    let counted = |set: &&crate::sql::statement::Assignment| {
        let given = dependency::given_terms(scene, (write, target), &set.column);
        given.iter().any(|term| number.is_next(*term, &set.column))
    };
    target.sets.iter().find(counted).map(|set| set.column.clone())
}

struct Number<'s, 'a, 'p> {
    scene: &'s Scene<'a, 'p>,
    sequence: &'s Sequence,
    read: &'s Access,
    reads: &'s TableAccess,
}

impl Number<'_, '_, '_> {
    /// Whether a value is a sum of a constant and the greatest number of a column, as it is or in another form.
    fn is_next(&self, value: TermId, column: &Name) -> bool {
        let terms = &self.scene.ev.terms;
        let adds = |part: TermId| match terms.get(part) {
            Term::Computed(by, parts) if by == "+" => match **parts {
                [left, right] => {
                    self.is_step(right) && self.is_greatest(left, column)
                        || self.is_step(left) && self.is_greatest(right, column)
                }
                _ => false,
            },
            _ => false,
        };
        match terms.get(value) {
            Term::Either(parts) => parts.iter().any(|part| self.is_next(*part, column)),
            Term::Computed(by, parts) if is_form(by) => parts.iter().any(|part| self.is_next(*part, column)),
            _ => adds(value),
        }
    }

    fn is_step(&self, value: TermId) -> bool {
        matches!(self.scene.ev.terms.get(value), Term::Literal(text) if text.starts_with(|c: char| c.is_ascii_digit()))
    }

    fn is_greatest(&self, value: TermId, column: &Name) -> bool {
        let terms = &self.scene.ev.terms;
        match terms.get(value) {
            Term::Either(parts) => parts.iter().any(|part| self.is_greatest(*part, column)),
            Term::Computed(by, parts) => match (by.as_str(), &**parts) {
                ("max", [of]) => self.is_column(*of, column),
                ("len", _) => self.counts(value),
                (by, [of]) if is_form(by) => self.is_greatest(*of, column),
                _ => false,
            },
            // `ORDER BY number DESC LIMIT 1`, or the last of an ordered list.
            Term::Row(_) | Term::Field(..) => self.reads.ordered && self.is_column(value, column),
            _ => false,
        }
    }

    /// Whether a value is the column of the rows that were read, and nothing else.
    fn is_column(&self, value: TermId, column: &Name) -> bool {
        let origins = self.scene.origins(value);
        let own = |part: &Part| {
            let meant = self.scene.looks_at(&self.read.statement, part, false);
            matches!(meant, LooksAt::Column(name) if name == *column)
        };
        !origins.is_empty()
            && origins.iter().all(|origin| origin.event == self.sequence.read && !origin.computed && own(&origin.part))
    }

    /// Whether a value is how many rows were read.
    fn counts(&self, value: TermId) -> bool {
        let all = |part: &Part| {
            *part == Part::Length && self.scene.looks_at(&self.read.statement, part, false) == LooksAt::Aggregate
        };
        let origins = self.scene.origins(value);
        !origins.is_empty() && origins.iter().all(|origin| origin.event == self.sequence.read && all(&origin.part))
    }
}

/// Whether a call only gives a number in another form.
fn is_form(by: &str) -> bool {
    by.ends_with("try_from") || by.ends_with("to_i64") || by.ends_with("to_i32")
}
