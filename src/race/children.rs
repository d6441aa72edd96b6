//! Rows that belong to another one: it is deleted since there are none, and whoever adds one in between is not asked.

use crate::event::{Access, CondId, Event, EventId};
use crate::flow::term::{Part, Term, TermId, Terms};
use crate::lower::tree::Name;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, side};
use crate::sql::schema::OnDelete;
use crate::sql::statement::{Access as TableAccess, Action, Compare, Operand, Place};

/// How deep conditions are looked into.
const DEPTH: usize = 8;

/// What becomes of a row that is added between the look and the DELETE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is deleted with the row that it belongs to.
    Deleted,
    /// It stays, and what it belongs to is gone.
    Left,
}

/// What the DELETE of a sequence does to a row that its read has not seen yet; none where the database refuses, where it is
/// not known what the rows belong to, and where nobody adds any.
pub fn added_meanwhile(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Added> {
    let (read, write) = (scene.access(sequence.read)?, scene.event(sequence.write)?);
    let reads = read.statement.accesses.get(sequence.read_access)?;
    let access = write.access()?;
    let target = access.statement.target().filter(|target| target.action == Action::Delete)?;
    if reads.action != Action::Read
        || !scene.rivals.inserted.contains(&reads.table.name)
        || !side::finds_none(scene, sequence, write) && !beside_none(scene, sequence, write)
    {
        return None;
    }
    let table = scene.schema.table(&reads.table.name)?;
    let becomes = |(column, key): (&Name, Name)| {
        // Among rows of one table a row refers to another one by another column than that one's own key.
        if target.table.name == reads.table.name && *column == key {
            return None;
        }
        let mut refers = table.foreign_keys.iter().filter(|own| own.columns.contains(column)).peekable();
        if refers.peek().is_none() {
            let whole = scene.schema.table(&target.table.name).is_some_and(|own| own.primary_key == [key.clone()]);
            let known = !table.keys_unsaid && table.columns.iter().any(|own| own.name == *column);
            return (whole && known).then_some(Added::Left);
        }
        let own = refers.find(|own| own.table == target.table.name)?;
        match own.on_delete {
            OnDelete::Deletes => Some(Added::Deleted),
            OnDelete::Releases => Some(Added::Left),
            OnDelete::Refuses | OnDelete::Unsaid => None,
        }
    };
    links(scene, (read, reads), (access, target)).into_iter().find_map(becomes)
}

/// Which of a read's tables holds the rows that belong to the row that is deleted, where one does: this one, or another.
pub(super) fn place(scene: &Scene<'_, '_>, sequence: &Sequence, first: usize) -> Option<usize> {
    let tables = scene.access(sequence.read)?.statement.accesses.len();
    let belongs =
        |place: &usize| added_meanwhile(scene, &Sequence { read_access: *place, ..sequence.clone() }).is_some();
    std::iter::once(first).chain((0..tables).filter(|place| *place != first)).find(belongs)
}

/// By which column rows that are asked for name the row that is deleted, and by which of its columns: both are compared with
/// one value, or they are asked for by that column of the row itself.
fn links<'a>(
    scene: &Scene<'_, '_>,
    (read, reads): (&Access, &'a TableAccess),
    (access, target): (&Access, &TableAccess),
) -> Vec<(&'a Name, Name)> {
    let same = |one: &Operand, other: &Operand| {
        let bound = |operand: &Operand| matches!(operand, Operand::Placeholder(_) | Operand::Named(_));
        bound(one) && bound(other) && scene.same_value((read, one), (access, other)) == Some(true)
    };
    let keys = named(target);
    let mut found = Vec::new();
    for (column, value) in named(reads) {
        let fitting = keys.iter().filter(|(_, other)| same(value, other));
        found.extend(fitting.map(|(key, _)| (column, (*key).clone())));
        found.extend(column_of(scene, (read, reads, value), (access, target)).map(|key| (column, key)));
    }
    found
}

/// The column of the row that is deleted which a value is that rows are asked for by: `s.id` of `JOIN s ON s.id = v.s_id`,
/// `(SELECT id FROM s WHERE …)`, or what another statement has read of it.
fn column_of(
    scene: &Scene<'_, '_>,
    (read, reads, value): (&Access, &TableAccess, &Operand),
    deleted: (&Access, &TableAccess),
) -> Option<Name> {
    let beside = |own: &&TableAccess| own.table.name == deleted.1.table.name && !std::ptr::eq(*own, reads);
    let mut others = read.statement.accesses.iter().filter(beside);
    match value {
        Operand::Column { table: Some(of), column } if *of == deleted.1.table.name => {
            others.any(|own| are_one(scene, (read, own), deleted)).then(|| column.clone())
        }
        Operand::Subquery(_) => {
            let asked = others.find(|own| own.place == Place::InWhere && are_one(scene, (read, own), deleted))?;
            if let [column] = asked.columns.as_slice() { Some(column.clone()) } else { None }
        }
        _ => {
            let (found, own, column) = read_of(scene, read.bound(value)?)?;
            let one = own.table.name == deleted.1.table.name && are_one(scene, (found, own), deleted);
            one.then_some(column)
        }
    }
}

/// The statement that a value is a column of the one table of, and that column.
fn read_of<'a>(scene: &Scene<'a, '_>, value: TermId) -> Option<(&'a Access, &'a TableAccess, Name)> {
    let (event, part) = match scene.ev.terms.get(value) {
        Term::Field(of, name) => match scene.ev.terms.get(*of) {
            Term::Row(event) => (*event, Part::Column(name.clone())),
            _ => return None,
        },
        Term::Row(event) => (*event, Part::Row),
        _ => return None,
    };
    let found = scene.access(event)?;
    let [own] = found.statement.accesses.as_slice() else { return None };
    match scene.looks_at(&found.statement, &part, false) {
        LooksAt::Column(column) => Some((found, own, column)),
        _ => None,
    }
}

/// Whether two accesses of a table name the same row: by the same key, or the one by all that the other asks for, be it in
/// the statement that gave the other's key.
fn are_one(scene: &Scene<'_, '_>, one: (&Access, &TableAccess), deleted: (&Access, &TableAccess)) -> bool {
    let agree = |other: (&Access, &TableAccess)| {
        let same = |column: &Name| {
            let values = one.1.equals(column).zip(other.1.equals(column));
            values.is_some_and(|(a, b)| scene.same_value((one.0, a), (other.0, b)) == Some(true))
        };
        let table = scene.schema.table(&one.1.table.name);
        let mut asked = other.1.filter.iter().filter(|predicate| predicate.op == Compare::Eq).peekable();
        table.is_some_and(|table| table.keys().any(|key| key.iter().all(same)))
            || asked.peek().is_some() && asked.all(|predicate| predicate.columns.iter().all(same))
    };
    let given = || {
        let values = deleted.1.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
        values.filter_map(|predicate| read_of(scene, deleted.0.bound(&predicate.value)?)).collect::<Vec<_>>()
    };
    agree(deleted)
        || given().into_iter().any(|(found, own, _)| own.table.name == one.1.table.name && agree((found, own)))
}

/// The sequence of a DELETE and a statement that found no rows of another table beside the row that it read: their list, or
/// whether there are any, is a column of the result.
pub fn beside(scene: &Scene<'_, '_>, write: &Event) -> Option<Sequence> {
    let target = write.target().filter(|target| target.action == Action::Delete)?;
    let mut reads = scene.before(write.id).filter_map(|event| Some((event.id, event.access()?)));
    reads.find_map(|(read, access)| {
        let of_target = |own: &TableAccess| own.table.name == target.table.name;
        let asked = access.statement.output.iter().filter_map(|output| output.rows_of.as_ref());
        let mut places = asked.filter_map(|table| {
            let own = |own: &TableAccess| own.table.name == *table && own.action == Action::Read && !of_target(own);
            access.statement.accesses.iter().position(own)
        });
        places.find_map(|place| {
            let asks = |cond: &CondId| asks_beside(scene, (read, access), place, scene.ev.cond(*cond).term);
            let all = scene.conditions(&write.deps);
            let conds = all.iter().copied().filter(asks);
            let checks: Vec<Check> =
                conds.map(|cond| Check { cond: Some(cond), looks_at: LooksAt::Existence }).collect();
            let found = Sequence { checks, ..Sequence::of(read, write.id, place, Relation::Other) };
            added_meanwhile(scene, &found).map(|_| found)
        })
    })
}

/// Whether a condition has to do with a column of a result that is made of the rows of one of the statement's sub-queries.
fn asks_beside(scene: &Scene<'_, '_>, read: (EventId, &Access), place: usize, term: TermId) -> bool {
    scene.ev.terms.any(term, |_| true, |part| is_beside(scene, read, place, part))
}

fn is_beside(scene: &Scene<'_, '_>, (read, access): (EventId, &Access), place: usize, term: TermId) -> bool {
    let Term::Field(of, name) = scene.ev.terms.get(term) else { return false };
    let output = access.statement.output_at(name);
    let table = access.statement.accesses.get(place).map(|own| &own.table.name);
    *scene.ev.terms.get(*of) == Term::Row(read) && output.is_some_and(|output| output.rows_of.as_ref() == table)
}

/// Whether some of those who come to a write have found that there are no rows in a sub-query of what they read.
fn beside_none(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> bool {
    let Some(access) = scene.access(sequence.read) else { return false };
    let own = |term: TermId| is_beside(scene, (sequence.read, access), sequence.read_access, term);
    sequence.checks.iter().filter_map(|check| check.cond).any(|cond| {
        side::outcome(scene.ev, cond, write)
            .is_some_and(|holds| is_none(scene, scene.ev.cond(cond).term, holds, &own, 0))
    })
}

/// Whether a test that comes out so says that a value is an empty list, zero or false; for some who come so far, where the
/// others have a choice of the request to thank for it: `if !all && !row.parts.is_empty() { return … }`.
fn is_none(scene: &Scene<'_, '_>, term: TermId, holds: bool, own: &dyn Fn(TermId) -> bool, depth: usize) -> bool {
    let terms = &scene.ev.terms;
    let value = |term: TermId| match terms.get(term) {
        Term::Computed(by, parts) if by == "len" && parts.len() == 1 => own(parts[0]),
        _ => own(term),
    };
    let within = |part: &TermId, holds: bool| is_none(scene, *part, holds, own, depth + 1);
    let chosen = |part: &TermId| scene.origins(*part).is_empty();
    match terms.get(term) {
        _ if depth > DEPTH => false,
        Term::Exists(of) => !holds && own(*of),
        Term::Field(..) => !holds && own(term),
        Term::Computed(by, parts) => match (by.as_str(), &**parts) {
            ("!", [part]) => within(part, !holds),
            ("&&", parts) if holds => parts.iter().any(|part| within(part, true)),
            ("&&", parts) => {
                parts.iter().any(|part| within(part, false) && parts.iter().filter(|other| *other != part).all(chosen))
            }
            ("||", parts) if !holds => parts.iter().any(|part| within(part, false)),
            ("==" | "<=", [left, right]) if is_zero(terms, *right) => holds && value(*left),
            ("!=" | ">", [left, right]) if is_zero(terms, *right) => !holds && value(*left),
            _ => false,
        },
        _ => false,
    }
}

fn is_zero(terms: &Terms, term: TermId) -> bool {
    matches!(terms.get(term), Term::Literal(text) if text == "0")
}

/// The columns that an access compares with a value, be it in one way of an OR.
fn named(access: &TableAccess) -> Vec<(&Name, &Operand)> {
    let mut found = Vec::new();
    for predicate in &access.filter {
        match (predicate.op, predicate.columns.as_slice(), &predicate.value) {
            (Compare::Eq, [column], value) => found.push((column, value)),
            (Compare::Other, _, Operand::Expr { text, parts }) if text == "or" => {
                found.extend(parts.iter().filter_map(compared));
            }
            _ => {}
        }
    }
    found
}

/// `column = value`.
fn compared(way: &Operand) -> Option<(&Name, &Operand)> {
    let Operand::Expr { text, parts } = way else { return None };
    match (text.as_str(), parts.as_slice()) {
        ("=", [Operand::Column { table: None, column }, value] | [value, Operand::Column { table: None, column }]) => {
            Some((column, value))
        }
        _ => None,
    }
}
