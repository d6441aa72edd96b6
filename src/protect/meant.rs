//! The key that the code has in mind where it looks at rows before it inserts one: what it asks for in SQL, and what of the
//! rows it compares afterwards with what it inserts.

use crate::event::Access;
use crate::flow::term::{ANSWER, Origin, Term, TermId, Terms};
use crate::lower::tree::Name;
use crate::protect::constraint::asks_for;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, Written, dependency, upsert};
use crate::sql::schema::TableDef;
use crate::sql::statement::{Access as TableAccess, Aggregate, Operand};

/// What says whether a value is among those of a list, a set or a map.
const LOOKS_UP: [&str; 5] = ["contains", "contains_key", "remove", "take", "get"];

/// The columns that a key needs beside those that the read asks for, so that it refuses what the program would have refused
/// and nothing else; none where that cannot be told, as of a sum, a limit or a state.
pub fn beside(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Vec<Name>> {
    let (read, write) = (scene.access(sequence.read)?, scene.access(sequence.write)?);
    let (reads, target) = (read.statement.accesses.get(sequence.read_access)?, write.statement.target()?);
    if sequence.checks_aggregate() {
        return None;
    }
    let compared = Compared::of(scene, sequence);
    let mut columns: Vec<Name> = Vec::new();
    for check in &sequence.checks {
        match &check.looks_at {
            LooksAt::Existence => {}
            LooksAt::Column(column)
                if asks_for(&read.statement, reads, column) || only_there(scene, check, column, read, target) => {}
            LooksAt::Column(column) if compared.with_given(column, (write, target)) => columns.push(column.clone()),
            LooksAt::Column(_) | LooksAt::Row | LooksAt::Aggregate => return None,
        }
    }
    for value in sequence.values.iter().filter(|value| value.computed) {
        if !is_next(value, read) {
            return None;
        }
        columns.push(value.column.clone());
    }
    columns.sort();
    columns.dedup();
    Some(columns)
}

/// Whether an upsert leaves alone what another request puts there: each key by which it may meet a row holds a value that
/// the program has not looked for.
pub(super) fn meets_no_rival(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(read), Some(write)) = (scene.access(sequence.read), scene.access(sequence.write)) else { return false };
    let Some(reads) = read.statement.accesses.get(sequence.read_access) else { return false };
    let Some(target) = write.statement.target() else { return false };
    let compared = Compared::of(scene, sequence);
    let own = |origin: &Origin| origin.event == sequence.read;
    let of_its_own = |column: &Name| {
        let given = dependency::given_terms(scene, (write, target), column);
        let brought = |term: &TermId| !scene.ev.terms.is_constant(*term) && !scene.origins(*term).iter().any(own);
        let asked = reads.filter.iter().any(|predicate| predicate.columns.contains(column));
        !asked && !given.is_empty() && given.iter().all(brought) && !compared.with_given(column, (write, target))
    };
    let keys = upsert::met_keys(scene.schema, target);
    !keys.is_empty() && keys.iter().all(|key| key.iter().any(of_its_own))
}

/// Whether a number goes on from the highest one.
fn is_next(value: &Written, read: &Access) -> bool {
    let highest = read.statement.output.iter().any(|output| {
        output.aggregate == Some(Aggregate::Extreme) && output.from.as_slice() == std::slice::from_ref(&value.column)
    });
    value.is_own() || highest
}

/// Whether a condition on a column that every row fills only asks if there was a row.
fn only_there(scene: &Scene<'_, '_>, check: &Check, column: &Name, read: &Access, target: &TableAccess) -> bool {
    let Some(cond) = check.cond else { return true };
    let filled = scene.schema.table(&target.table.name).is_some_and(|table| {
        table.columns.iter().any(|def| def.name == *column && !def.nullable) || table.primary_key.contains(column)
    });
    let exists = matches!(scene.ev.terms.get(scene.ev.cond(cond).term), Term::Exists(_));
    exists && (filled || read.statement.output.len() == 1)
}

/// What stands at the same places of two values of several parts, the first of which may be the key of a map's entries.
fn part_by_part(terms: &Terms, one: TermId, other: TermId) -> impl Iterator<Item = (TermId, TermId)> {
    let parts = |mut term: TermId| {
        while let Term::Computed(by, parts) = terms.get(term)
            && let [within] = **parts
            && by == ANSWER
        {
            term = within;
        }
        match terms.get(term) {
            Term::Computed(by, parts) if by == "tuple" && parts.len() > 1 => Some(parts.clone()),
            _ => None,
        }
    };
    let (sought, mut listed) = (parts(other), parts(one));
    let key = |entry: &[TermId]| parts(entry[0]).filter(|_| entry.len() == 2);
    if let Some(key) = listed.as_deref().and_then(key) {
        listed = Some(key);
    }
    let same = listed.zip(sought).filter(|(one, other)| one.len() == other.len());
    same.into_iter().flat_map(|(one, other)| one.iter().copied().zip(other.iter().copied()).collect::<Vec<_>>())
}

/// What the conditions of a sequence compare: a program may look itself through the rows that it read for one like the one it
/// inserts, `known.contains(row)`, `rows.iter().any(|row| row.name == name)`.
pub(super) struct Compared<'a, 'p> {
    scene: &'a Scene<'a, 'p>,
    sequence: &'a Sequence,
    /// Both sides, and whether a list is looked through as a whole.
    pairs: Vec<(bool, TermId, TermId)>,
}

impl<'a, 'p> Compared<'a, 'p> {
    pub(super) fn of(scene: &'a Scene<'a, 'p>, sequence: &'a Sequence) -> Self {
        let terms = &scene.ev.terms;
        let mut pairs = Vec::new();
        for cond in sequence.checks.iter().filter_map(|check| Some(scene.ev.cond(check.cond?).term)) {
            terms.walk(cond, &mut |term| match terms.get(term) {
                Term::Computed(by, parts) if parts.len() == 2 && (by == "==" || LOOKS_UP.contains(&by.as_str())) => {
                    pairs.push((by != "==", parts[0], parts[1]));
                    pairs.extend(part_by_part(terms, parts[0], parts[1]).map(|(one, other)| (false, one, other)));
                }
                _ => {}
            });
        }
        Self { scene, sequence, pairs }
    }

    /// Whether a column of the rows is compared with what the write gives it.
    pub(super) fn with_given(&self, column: &Name, write: (&Access, &TableAccess)) -> bool {
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == self.sequence.read);
        // A row of one column is that column.
        let output = scene.access(self.sequence.read).map(|read| read.statement.output.as_slice());
        let only = matches!(output, Some([only]) if only.from.as_slice() == std::slice::from_ref(column));
        let whole_row = |term: TermId| *terms.get(term) == Term::Row(self.sequence.read);
        let named = |term: TermId| match terms.get(term) {
            Term::Field(of, name) => name == column || only && name == "0" && whole_row(*of),
            _ => only && whole_row(term),
        };
        // A row may come out of a cache as well.
        let column_of = |term: TermId| match terms.get(term) {
            Term::Either(parts) => parts.iter().all(|part| named(*part)),
            _ => named(term),
        };
        let given = dependency::given_terms(scene, write, column);
        self.pairs.iter().any(|(whole, one, other)| {
            [(*one, *other), (*other, *one)].into_iter().any(|(row, value)| {
                let alike = column_of(row) && given.contains(&value);
                let within = *whole && given.iter().any(|given| terms.mentions(*given, value));
                of_read(row) && !of_read(value) && (alike || within)
            })
        }) || given.iter().any(|given| self.is_found_by_name(*given, column))
    }

    /// Whether a column is given the key of a row that was found by its name, and the rows that were read are joined to such
    /// a row, whose name was compared with that: `tags.name` of `JOIN tags ON tags.id = notes.tag_id`.
    fn is_found_by_name(&self, given: TermId, column: &Name) -> bool {
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        let Term::Field(row, key) = terms.get(given) else { return false };
        let Term::Row(found) = terms.get(*row) else { return false };
        let (Some(finds), Some(read)) = (scene.access(*found), scene.access(self.sequence.read)) else { return false };
        let [named] = finds.statement.accesses.as_slice() else { return false };
        let Some(reads) = read.statement.accesses.get(self.sequence.read_access) else { return false };
        let is_key = |table: &TableDef, column: &Name| table.keys().any(|key| key == std::slice::from_ref(column));
        let Some(table) = scene.schema.table(&named.table.name).filter(|table| is_key(table, key)) else {
            return false;
        };
        let joined = |other: &TableAccess| {
            let leads = |from: (&TableAccess, &Name), to: (&TableAccess, &Name)| {
                matches!(from.0.equals(from.1), Some(Operand::Column { table: Some(of), column })
                    if column == to.1 && [Some(&to.0.table.name), to.0.table.alias.as_ref()].contains(&Some(of)))
            };
            other.table.name == named.table.name
                && (leads((reads, column), (other, key)) || leads((other, key), (reads, column)))
        };
        let by_name = |name: &Name, value: TermId| {
            let asked = named.equals(name).and_then(|asked| finds.bound(asked));
            is_key(table, name) && asked.is_some_and(|asked| scene.plain(asked) == scene.plain(value))
        };
        let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == self.sequence.read);
        read.statement.accesses.iter().any(joined)
            && self.pairs.iter().any(|(whole, one, other)| {
                let either_way = [(*one, *other), (*other, *one)];
                !whole
                    && either_way.into_iter().any(|(row, value)| match terms.get(row) {
                        Term::Field(_, name) => of_read(row) && !of_read(value) && by_name(name, value),
                        _ => false,
                    })
            })
    }
}
