//! The same row? Two accesses are of one row when their keys are the same value, not when they share a table.

use crate::event::{Access, EventId};
use crate::flow::term::{Part, Term, TermId};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, children, dependency, first, next, side, sought, upsert};
use crate::sql::statement::{
    Access as TableAccess, Action, Aggregate, Assignment, Compare, Limit, Operand, Place, Predicate,
};

/// How the row that is written relates to what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The same row, by the same key values or by a key taken from the row.
    SameRow,
    /// The same row as far as can be seen: one table, a key that is not contradicted.
    LikelySameRow,
    /// A new row in the set that was read: the read asked for rows with the values that are inserted.
    NewRowOfSet,
    /// One row of a set that was read.
    RowOfSet,
    /// Another row or table that holds the key of the row that was read.
    Linked,
    /// Another row or table.
    Other,
}

/// Fills in the relation, and which of the read's tables it is to.
pub(super) fn relate(scene: &Scene<'_, '_>, sequence: &mut Sequence) {
    let (Some(read), Some(write)) = (scene.access(sequence.read), scene.access(sequence.write)) else { return };
    let Some(target) = write.statement.target() else { return };
    let mut best = (Relation::Other, 0);
    let same_table = read
        .statement
        .accesses
        .iter()
        .enumerate()
        .filter(|(_, access)| access.table.name == target.table.name && access.table.name != "?");
    for (place, access) in same_table {
        let relation = match same_table_relation(scene, (read, access), (write, target), sequence.key_from_row) {
            Relation::Other if puts_back(scene, sequence, access, (write, target)) => Relation::NewRowOfSet,
            Relation::Other if access.filter.is_empty() && next::column(scene, sequence, access).is_some() => {
                Relation::NewRowOfSet
            }
            Relation::Other if first::fits(scene, sequence, (read, access), (write, target)) => Relation::NewRowOfSet,
            Relation::Other if is_none_at_all(scene, sequence, access, target) => Relation::NewRowOfSet,
            Relation::NewRowOfSet if is_there_already(scene, sequence, access, (write, target)) => {
                if access.aggregate.is_some() { Relation::RowOfSet } else { Relation::Other }
            }
            relation => relation,
        };
        if rank(relation) > rank(best.0) {
            best = (relation, place);
        }
    }
    if rank(best.0) <= rank(Relation::Linked) {
        let main = main_access(read);
        if is_linked(scene, sequence, (read, &read.statement.accesses[main..]), (write, target))
            && rank(best.0) < rank(Relation::Linked)
        {
            best = (Relation::Linked, main);
        } else if best.0 == Relation::Other {
            best.1 = main;
        }
    }
    if target.action == Action::Delete
        && let Some(place) = children::place(scene, sequence, best.1)
    {
        // Whether it belongs to the row that is deleted is what matters, be it a row of the same table.
        best = (if rank(best.0) > rank(Relation::Linked) { Relation::Linked } else { best.0 }, place);
    }
    (sequence.relation, sequence.read_access) = best;
}

fn main_access(read: &Access) -> usize {
    read.statement.accesses.iter().position(|access| access.action == Action::Read).unwrap_or(0)
}

fn rank(relation: Relation) -> u8 {
    match relation {
        Relation::SameRow => 5,
        Relation::NewRowOfSet => 4,
        Relation::RowOfSet => 3,
        Relation::LikelySameRow => 2,
        Relation::Linked => 1,
        Relation::Other => 0,
    }
}

fn same_table_relation(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
    key_from_row: bool,
) -> Relation {
    let set = is_set(scene, read.1) && !asks_for_one(scene, read, write);
    if write.1.action == Action::Insert {
        return new_row(scene, read, write, set);
    }
    if key_from_row {
        return if set && read.1.aggregate.is_some() { Relation::RowOfSet } else { Relation::SameRow };
    }
    let (agree, contradict) = compare_keys(scene, read, write);
    if !agree && write.1.action == Action::Update && moves_into(scene, read, write).is_some() {
        return Relation::NewRowOfSet;
    }
    if contradict {
        return if set { Relation::RowOfSet } else { Relation::Other };
    }
    if set && read.1.aggregate.is_some() {
        return Relation::RowOfSet;
    }
    if agree {
        return Relation::SameRow;
    }
    let free = |access: &TableAccess| !access.filter.iter().any(|predicate| predicate.op == Compare::Eq);
    if free(read.1) && free(write.1) && !spares_one(scene, write.1) {
        return if set { Relation::RowOfSet } else { Relation::LikelySameRow };
    }
    if set { Relation::RowOfSet } else { Relation::Other }
}

/// Whether a read only asks for the presence of one row: by a key, or, where no key is known, by all that the write names its
/// row by.
fn asks_for_one(scene: &Scene<'_, '_>, read: (&Access, &TableAccess), write: (&Access, &TableAccess)) -> bool {
    if !matches!(read.1.aggregate, Some(Aggregate::Exists | Aggregate::Count)) || write.1.action == Action::Insert {
        return false;
    }
    match scene.schema.table(&read.1.table.name) {
        Some(_) => names_one(scene, read, JOINED),
        None => {
            let named = |access: &TableAccess| -> Vec<Name> {
                let by_value = |p: &&Predicate| p.op == Compare::Eq && !matches!(p.value, Operand::Literal(_));
                access.filter.iter().filter(by_value).flat_map(|predicate| predicate.columns.clone()).collect()
            };
            let (asked, written) = (named(read.1), named(write.1));
            !written.is_empty()
                && asked.iter().all(|column| written.contains(column))
                && written.iter().all(|column| asked.contains(column))
                && compare_keys(scene, read, write) == (true, false)
        }
    }
}

/// Through how many joins a key is followed.
const JOINED: usize = 4;

/// Whether a read asks for one row of a table by its key, where what it joins with names one as well.
fn names_one(scene: &Scene<'_, '_>, (access, own): (&Access, &TableAccess), depth: usize) -> bool {
    let Some(table) = scene.schema.table(&own.table.name) else { return false };
    let given = |column: &Name| match own.equals(column) {
        Some(Operand::Column { table: Some(of), .. }) => {
            let mut joined = access.statement.accesses.iter().filter(|other| other.table.name == *of);
            depth > 0 && joined.any(|other| names_one(scene, (access, other), depth - 1))
        }
        value => value.is_some(),
    };
    table.keys().any(|key| key.iter().all(given)) || own.filter.iter().any(|asked| names_by_either(scene, own, asked))
}

/// Whether a read asks for one row by a key of its table, or by one key or another.
pub fn asked_by_key(scene: &Scene<'_, '_>, read: &TableAccess) -> bool {
    let Some(table) = scene.schema.table(&read.table.name) else { return false };
    table.keys().any(|key| key.iter().all(|column| read.equals(column).is_some()))
        || read.filter.iter().any(|predicate| names_by_either(scene, read, predicate))
}

/// `id = $1 OR tag = $1`: whether a condition is a choice of keys, each compared with a value.
pub fn names_by_either(scene: &Scene<'_, '_>, read: &TableAccess, predicate: &Predicate) -> bool {
    let Some(table) = scene.schema.table(&read.table.name) else { return false };
    let by_key = |column: &Name| {
        let given = |other: &Name| other == column || read.equals(other).is_some();
        table.all_keys().any(|key| key.contains(column) && key.iter().all(given))
    };
    predicate.columns.len() > 1 && predicate.columns.iter().all(by_key) && is_choice_of_values(&predicate.value)
}

/// `$1 IS NULL OR state = $1`, `owner = $1 OR $1 IS NULL AND owner IS NULL`: whether a condition only compares a column with a
/// value that may be left out, and is no state that a row is in.
pub fn is_asked_by_value(predicate: &Predicate) -> bool {
    let is_value = |part: &Operand| matches!(part, Operand::Placeholder(_) | Operand::Named(_));
    let left_out = |part: &Operand| matches!(part, Operand::Expr { text, parts } if text == "is null" && parts.iter().all(is_value));
    let asks = |part: &Operand| {
        let both = |parts: &[Operand]| parts.iter().any(left_out);
        left_out(part)
            || is_choice_of_values(part)
            || matches!(part, Operand::Expr { text, parts } if text == "and" && both(parts))
    };
    matches!(&predicate.value, Operand::Expr { text, parts } if text == "or" && parts.iter().all(asks))
}

/// An OR of comparisons of a column, in letters of one case or as it is, with a value that the text does not hold, or with one
/// of several.
fn is_choice_of_values(condition: &Operand) -> bool {
    let Operand::Expr { text, parts } = condition else { return false };
    match (text.as_str(), parts.as_slice()) {
        ("or", parts) => parts.iter().all(is_choice_of_values),
        ("=" | "any", [one, other]) => {
            let value = |part| matches!(part, &Operand::Placeholder(_) | &Operand::Named(_));
            let column = |part| matches!(part, &Operand::Column { .. });
            let (one, other) = (one.in_any_case(), other.in_any_case());
            column(one) && value(other) || value(one) && column(other)
        }
        _ => false,
    }
}

/// Whether a read gives several rows, or a value over several.
fn is_set(scene: &Scene<'_, '_>, read: &TableAccess) -> bool {
    if read.aggregate.is_some() {
        return true;
    }
    !asked_by_key(scene, read) && read.limit != Some(Limit::One) && !read.filter.iter().any(|p| p.op == Compare::Eq)
}

/// Whether the equalities of two accesses agree on a column, and whether they contradict each other on one.
pub fn compare_keys(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> (bool, bool) {
    let (mut agree, mut contradict) = (false, false);
    for predicate in read.1.filter.iter().filter(|p| matches!(p.op, Compare::Eq | Compare::In) && p.columns.len() == 1)
    {
        if excludes(scene, (read.0, predicate), write) {
            contradict = true;
            continue;
        }
        let Some(other) = write.1.equals(&predicate.columns[0]) else { continue };
        match scene.same_value((read.0, &predicate.value), (write.0, other)) {
            Some(true) => {
                // A status both name is no key.
                let named =
                    [&predicate.value, other].iter().any(|own| matches!(own, Operand::Literal(_) | Operand::Null));
                agree |= !named || is_key_by_itself(scene, read.1, &predicate.columns[0]);
            }
            Some(false)
                if predicate.op == Compare::In && lists(scene, (read.0, &predicate.value), (write.0, other)) =>
            {
                agree = true;
            }
            Some(false) => contradict |= !matches!(predicate.value, Operand::Literal(_)),
            None => {}
        }
    }
    (agree, contradict)
}

/// `WHERE id <> $1`, where the row of `$1` was read: whether a write is about all rows but that one.
fn excludes(scene: &Scene<'_, '_>, read: (&Access, &Predicate), write: (&Access, &TableAccess)) -> bool {
    let others = |predicate: &&Predicate| predicate.op == Compare::Ne && predicate.columns == read.1.columns;
    let same = |other: &Predicate| scene.same_value((read.0, &read.1.value), (write.0, &other.value)) == Some(true);
    read.1.op == Compare::Eq && write.1.filter.iter().filter(others).any(same)
}

/// Whether a write leaves out the row of one key, which nothing says is not the one that was read.
fn spares_one(scene: &Scene<'_, '_>, write: &TableAccess) -> bool {
    write.filter.iter().any(|predicate| {
        let by_value = !matches!(predicate.value, Operand::Literal(_) | Operand::Null);
        predicate.op == Compare::Ne
            && by_value
            && matches!(predicate.columns.as_slice(), [column] if is_key_by_itself(scene, write, column))
    })
}

/// `id IN ($1, $2)`, `id = ANY($1)` with a list that is written out: whether a value is one of those listed.
fn lists(scene: &Scene<'_, '_>, listed: (&Access, &Operand), value: (&Access, &Operand)) -> bool {
    let Some(one) = value.0.bound(value.1).map(|term| scene.plain(term)) else { return false };
    scene.terms_in(listed.0, listed.1).into_iter().any(|term| match scene.ev.terms.get(term) {
        Term::Computed(by, parts) if by == "tuple" => parts.iter().any(|part| scene.plain(*part) == one),
        _ => false,
    })
}

/// `WHERE id = 1`: whether a column names one row of its table, whatever it is compared with.
fn is_key_by_itself(scene: &Scene<'_, '_>, read: &TableAccess, column: &Name) -> bool {
    let table = scene.schema.table(&read.table.name);
    table.is_some_and(|table| table.keys().any(|key| key == std::slice::from_ref(column)))
}

/// Whether a table is joined by its own key to what other rows of the query name: none of those names a row that is new.
fn is_named_by_the_rest(scene: &Scene<'_, '_>, read: &TableAccess) -> bool {
    let by_key = |predicate: &Predicate| {
        let [column] = predicate.columns.as_slice() else { return false };
        predicate.op == Compare::Eq && predicate.value.is_of_another_table() && is_key_by_itself(scene, read, column)
    };
    read.place == Place::Join && read.filter.iter().any(by_key)
}

fn new_row(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
    set: bool,
) -> Relation {
    if is_named_by_the_rest(scene, read.1) || sought::holds_what_they_lack(scene, read.1, write) {
        return Relation::Other;
    }
    let table = scene.schema.table(&read.1.table.name);
    let own_key =
        |column: &Name| table.is_some_and(|table| table.primary_key.as_slice() == std::slice::from_ref(column));
    // Rows that are counted by what they are joined with: a new one of such a parent is counted as well.
    let counts =
        matches!(read.1.aggregate, Some(Aggregate::Count)) && matches!(read.1.place, Place::Main | Place::Join);
    let by_value =
        |p: &&Predicate| p.op == Compare::Eq && p.columns.len() == 1 && !(counts && p.value.is_of_another_table());
    let equalities: Vec<_> = read.1.filter.iter().filter(by_value).collect();
    let mut agree = false;
    for predicate in &equalities {
        let Some(value) = write.1.sets.iter().find(|set| set.column == predicate.columns[0]) else {
            if own_key(&predicate.columns[0]) && !write.1.sets.is_empty() {
                // The row that was asked for is there under its key; the new one gets another.
                return Relation::Other;
            }
            continue;
        };
        if are_two_constants(scene, (read.0, &predicate.value), (write.0, &value.value)) {
            return Relation::Other;
        }
        match scene.same_value((read.0, &predicate.value), (write.0, &value.value)) {
            Some(true) => agree = true,
            _ if contains_value(scene, (read.0, &predicate.value), (write.0, &value.value)) => agree = true,
            Some(false) if !sought::may_be_brought(scene, table, (read.0, predicate), (write.0, value)) => {
                return Relation::Other;
            }
            _ => {}
        }
    }
    let mentions = read.1.filter.iter().any(|predicate| {
        predicate.op != Compare::Eq
            && write.1.sets.iter().any(|set| {
                predicate.columns.contains(&set.column)
                    && contains_value(scene, (read.0, &predicate.value), (write.0, &set.value))
            })
    });
    if agree || mentions {
        return Relation::NewRowOfSet;
    }
    // Rows that are listed by their keys are others than one with a key of its own.
    let brings = |column: &Name| write.1.sets.is_empty() || write.1.sets.iter().any(|set| set.column == *column);
    let listed = |p: &Predicate| {
        let [column] = p.columns.as_slice() else { return false };
        let named = !matches!(p.value, Operand::Subquery(_)) && !scene.terms_in(read.0, &p.value).is_empty();
        p.op == Compare::In && (named || own_key(column) && !brings(column))
    };
    let others = read.1.filter.iter().any(listed);
    if equalities.is_empty() && set && !others { Relation::NewRowOfSet } else { Relation::Other }
}

/// Whether a row is inserted where any row was asked for, and the table had none.
fn is_none_at_all(scene: &Scene<'_, '_>, sequence: &Sequence, read: &TableAccess, target: &TableAccess) -> bool {
    target.action == Action::Insert
        && read.place == Place::Main
        && read.filter.is_empty()
        && read.aggregate.is_none()
        && read.limit == Some(Limit::One)
        && scene.event(sequence.write).is_some_and(|write| scene.found_nothing(sequence.read, write))
}

/// Whether two values are constants, written in one language, and not the same one.
fn are_two_constants(scene: &Scene<'_, '_>, one: (&Access, &Operand), other: (&Access, &Operand)) -> bool {
    let truth = |text: &str| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    let differ = |one: &str, other: &str| match (truth(one), truth(other)) {
        (Some(one), Some(other)) => one != other,
        _ => !side::same(one, other),
    };
    let constant = |(access, value): (&Access, &Operand)| {
        access.constant(&scene.ev.terms, value).filter(|_| !matches!(value, Operand::Null))
    };
    let Some((first, second)) = constant(one).zip(constant(other)) else { return false };
    let in_text = |value: &Operand| matches!(value, Operand::Literal(_));
    // A variant's name says nothing of its number.
    let is_name = |text: &Name| text.contains(|c: char| c.is_alphabetic());
    (in_text(one.1) == in_text(other.1) || is_name(&first) && is_name(&second)) && differ(&first, &second)
}

/// Whether an upsert names its row by the key that was read with it: what was found is put back.
fn puts_back(scene: &Scene<'_, '_>, sequence: &Sequence, read: &TableAccess, write: (&Access, &TableAccess)) -> bool {
    let table = scene.schema.table(&read.table.name);
    let met = upsert::met_keys(scene.schema, write.1);
    let mut keys = table.into_iter().flat_map(|table| table.keys()).chain(met);
    let statement = scene.access(sequence.read).map(|access| &*access.statement);
    let of_column = |part: &Part, column: &str| {
        let column_of = |statement| match scene.looks_at(statement, part, false) {
            LooksAt::Column(name) => name == column,
            _ => false,
        };
        statement.is_some_and(column_of)
    };
    let own = |column: &str| {
        dependency::given(scene, write, column)
            .iter()
            .any(|origin| origin.event == sequence.read && !origin.computed && of_column(&origin.part, column))
    };
    write.1.action == Action::Insert
        && write.1.conflict.is_some()
        && read.aggregate.is_none()
        && keys.any(|key| !key.is_empty() && key.iter().all(|column| own(column)))
}

/// Whether an upsert names its row by the key of one that another statement has found, so that it is no new one in the set
/// that was read.
fn is_there_already(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    read: &TableAccess,
    write: (&Access, &TableAccess),
) -> bool {
    let found = |column: &Name| {
        let terms = dependency::given_terms(scene, write, column);
        !terms.is_empty()
            && terms
                .iter()
                .all(|term| is_found_by(scene, *term, (&read.table.name, column), &|other| other != sequence.read))
    };
    let by_value = |column: &Name| matches!(read.equals(column), Some(Operand::Placeholder(_) | Operand::Named(_)));
    let table = scene.schema.table(&read.table.name);
    let one = table.is_some_and(|table| table.keys().any(|key| key.iter().all(by_value)));
    let keys = upsert::met_keys(scene.schema, write.1);
    (!one || dependency::only_existence(sequence)) && keys.iter().any(|key| !key.is_empty() && key.iter().all(found))
}

/// Whether a value is a column of a row of a table that some statement has read, whichever way it came here.
pub fn is_found(scene: &Scene<'_, '_>, term: TermId, (table, column): (&Name, &Name)) -> bool {
    is_found_by(scene, term, (table, column), &|_| true)
}

fn is_found_by(
    scene: &Scene<'_, '_>,
    term: TermId,
    (table, column): (&Name, &Name),
    by: &dyn Fn(EventId) -> bool,
) -> bool {
    match scene.ev.terms.get(term) {
        Term::Either(parts) => parts.iter().all(|part| is_found_by(scene, *part, (table, column), by)),
        Term::Field(of, name) => {
            let Term::Row(read) = scene.ev.terms.get(*of) else { return false };
            let reads = |access: &Access| {
                access.statement.accesses.iter().any(|one| one.action == Action::Read && one.table.name == *table)
            };
            name == column && by(*read) && scene.access(*read).is_some_and(reads)
        }
        _ => false,
    }
}

/// Whether a write adds a row to the set that a read reads.
pub fn adds_to(scene: &Scene<'_, '_>, read: (&Access, &TableAccess), write: (&Access, &TableAccess)) -> bool {
    read.1.table.name == write.1.table.name
        && write.1.action == Action::Insert
        && new_row(scene, read, write, is_set(scene, read.1)) == Relation::NewRowOfSet
}

/// The column that an UPDATE gives the value by which the read asked for rows: the row that it writes becomes one of them.
pub fn moves_into(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> Option<Name> {
    let is_value = |value: &Operand| matches!(value, Operand::Placeholder(_) | Operand::Named(_));
    let named = |value: &Operand| is_value(value.in_any_case());
    let varies = |value: &Operand| {
        let asked = scene.terms_in(read.0, value);
        asked.iter().any(|term| !scene.ev.terms.is_constant(*term))
    };
    let by_value = |p: &&Predicate| p.op == Compare::Eq && p.columns.len() == 1 && named(&p.value) && varies(&p.value);
    let asked = read.1.filter.iter().filter(by_value);
    let given = asked.filter(|predicate| {
        let mut sets = write.1.sets.iter().filter(|set| set.column == predicate.columns[0]);
        sets.any(|set| {
            let (asked, given) = ((read.0, &predicate.value), (write.0, &set.value));
            scene.same_value(asked, given) == Some(true) || is_in_another_case(scene, asked, given)
        })
    });
    given.map(|predicate| predicate.columns[0].clone()).next()
}

/// `lower($1)` and `$1` speak of one value, and so do a name and what the program made of it to ask for it.
fn contains_value(scene: &Scene<'_, '_>, a: (&Access, &Operand), b: (&Access, &Operand)) -> bool {
    let left = scene.terms_in(a.0, a.1);
    let right = scene.terms_in(b.0, b.1);
    let brought = |term: &&TermId| !matches!(scene.ev.terms.get(**term), Term::Literal(_));
    let among = |term: &TermId| {
        right.iter().any(|given| matches!(scene.ev.terms.get(*given), Term::Either(parts) if parts.contains(term)))
    };
    left.iter()
        .filter(brought)
        .any(|term| right.contains(term) || right.contains(&only_part(scene, *term)) || among(term))
        || is_in_another_case(scene, a, b)
}

/// Whether two values are one text that is brought, each in the case that its statement wants: `lower(name)` and
/// `name.to_lowercase()`.
fn is_in_another_case(scene: &Scene<'_, '_>, a: (&Access, &Operand), b: (&Access, &Operand)) -> bool {
    let terms = &scene.ev.terms;
    let spelled = |mut term: TermId| {
        while let Term::Computed(by, parts) = terms.get(term)
            && matches!(
                by.as_str(),
                "to_lowercase" | "to_uppercase" | "to_ascii_lowercase" | "to_ascii_uppercase" | "trim"
            )
            && parts.len() == 1
        {
            term = parts[0];
        }
        term
    };
    let (left, right) = (scene.terms_in(a.0, a.1), scene.terms_in(b.0, b.1));
    let ([one], [other]) = (left.as_slice(), right.as_slice()) else { return false };
    let (one, other) = (spelled(*one), spelled(*other));
    one == other && !terms.is_constant(one)
}

/// Whether a column gets another value than the one by which the rows were asked for, each brought by the request: no other
/// form of the same.
pub fn asks_otherwise(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    (write, set): (&Access, &Assignment),
) -> bool {
    let varies =
        |access: &Access, value: &Operand| access.bound(value).is_some_and(|term| !scene.ev.terms.is_constant(term));
    read.1.equals(&set.column).is_some_and(|asked| {
        let (asked, given) = ((read.0, asked), (write, &set.value));
        varies(asked.0, asked.1)
            && varies(given.0, given.1)
            && scene.same_value(asked, given) == Some(false)
            && !contains_value(scene, asked, given)
            && !contains_value(scene, given, asked)
    })
}

/// What a call made another form of, where it had nothing else but constants: `name.to_lowercase()`, `format!("%{name}%")`.
fn only_part(scene: &Scene<'_, '_>, term: TermId) -> TermId {
    let terms = &scene.ev.terms;
    let mut inner = term;
    while let Term::Computed(_, parts) = terms.get(inner) {
        let mut varying = parts.iter().filter(|part| !terms.is_constant(**part));
        let (Some(one), None) = (varying.next(), varying.next()) else { break };
        inner = *one;
    }
    inner
}

/// Whether the written row holds, or is found by, a value that also found the row that was read, or that came from it.
fn is_linked(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    read: (&Access, &[TableAccess]),
    write: (&Access, &TableAccess),
) -> bool {
    let mut keys = Vec::new();
    for access in read.1.iter().filter(|access| access.action == Action::Read) {
        for predicate in &access.filter {
            keys.extend(scene.terms_in(read.0, &predicate.value));
        }
    }
    keys.retain(|term| !matches!(scene.ev.terms.get(*term), Term::Literal(_)));
    let sets = write.1.sets.iter().map(|set| &set.value);
    let filters = write.1.filter.iter().map(|predicate| &predicate.value);
    sets.chain(filters).any(|operand| {
        scene.terms_in(write.0, operand).iter().any(|term| {
            keys.contains(term)
                || scene
                    .ev
                    .terms
                    .origins(*term)
                    .iter()
                    .any(|origin| origin.event == sequence.read && !origin.computed && origin.part != Part::Existence)
        })
    })
}
