//! Which kind of row a statement finds, where constants tell: a token of this sort, a mark of that one.

use crate::event::{Access, CondId, Event, EventId, Flow};
use crate::flow::Evaluator;
use crate::flow::encode::decoded;
use crate::flow::random::is_drawn;
use crate::flow::switch::SOMETHING;
use crate::flow::term::{Term, TermId, Terms};
use crate::lower::tree::Name;
use crate::race::{side, upsert};
use crate::sql::schema::Schema;
use crate::sql::statement::{Access as TableAccess, Action, Compare, Operand, Predicate};

/// Columns, each with the constants of which the found row holds one in it.
pub type Kind = Vec<(Name, Vec<Name>)>;

/// What a part of a statement compares with constants.
pub fn asked_for(terms: &Terms, access: &Access, own: &TableAccess) -> Kind {
    let constant = |predicate: &Predicate| {
        let [column] = predicate.columns.as_slice() else { return None };
        let values = match predicate.op {
            Compare::Eq => vec![access.constant(terms, &predicate.value)?],
            Compare::In => listed(terms, access, &predicate.value)?,
            _ => return None,
        };
        Some((column.clone(), values))
    };
    own.filter.iter().filter_map(constant).collect()
}

/// The constants of a list.
fn listed(terms: &Terms, access: &Access, list: &Operand) -> Option<Vec<Name>> {
    if let Operand::Expr { parts, .. } = list {
        return parts.iter().map(|part| access.constant(terms, part)).collect();
    }
    let Term::Computed(by, parts) = terms.get(access.bound(list)?) else { return None };
    let constant = |part: &TermId| if let Term::Literal(text) = terms.get(*part) { Some(text.clone()) } else { None };
    if by == "tuple" { parts.iter().map(constant).collect() } else { None }
}

/// What the row holds that a write finds: by its own conditions, by those of the read that gave its key, or by the one key
/// that an upsert can meet it by.
pub fn written<'e>(
    (terms, schema): (&Terms, &Schema),
    access: &Access,
    target: &TableAccess,
    read: impl Fn(EventId) -> Option<&'e Access>,
) -> Kind {
    if target.action == Action::Insert {
        return met((terms, schema), access, target, &read);
    }
    let mut kind = asked_for(terms, access, target);
    for term in target.filter.iter().filter_map(|predicate| access.bound(&predicate.value)) {
        kind.extend(found_by(terms, term, target, &read));
    }
    kind
}

/// What the row holds that a write finds, by what its function has tested before: the state that it goes on from.
pub fn tested(ev: &Evaluator<'_>, flow: &Flow, event: &Event, target: &TableAccess) -> Kind {
    let Some(access) = event.access() else { return Kind::new() };
    let found = Found { ev, flow, access, target };
    let mut kind = Kind::new();
    let mut conds: Vec<CondId> = event.deps.to_vec();
    let answered = side::answered(ev, event);
    conds.extend(answered.iter().copied().filter(|cond| !event.deps.contains(cond)));
    for cond in &conds {
        if let Some(holds) = side::outcome_where(ev, *cond, event, || answered.contains(cond)) {
            found.said(ev.cond(*cond).term, holds, 0, &mut kind);
        }
    }
    for (branch, taken) in event.path.0.iter().copied().chain(side::not_refused(ev, &answered)) {
        for switch in flow.switches.iter().filter(|switch| switch.branch == branch) {
            let arms = switch.arms.iter().enumerate().filter(|(arm, _)| taken & (1 << (*arm).min(63)) != 0);
            let named: Option<Vec<&Vec<Name>>> = arms.map(|(_, names)| names.as_ref()).collect();
            if let (Some(column), Some(names)) = (found.column(switch.on), named)
                && names.iter().all(|names| !names.iter().any(|name| name == SOMETHING))
            {
                kind.push((column, names.into_iter().flatten().cloned().collect()));
            }
        }
    }
    kind
}

/// How deep a condition is taken apart.
const DEPTH: usize = 16;

/// The row that a write finds.
struct Found<'f, 'p> {
    ev: &'f Evaluator<'p>,
    flow: &'f Flow,
    access: &'f Access,
    target: &'f TableAccess,
}

impl Found<'_, '_> {
    /// Notes which constants a test leaves that comes out so.
    fn said(&self, term: TermId, holds: bool, depth: usize, kind: &mut Kind) {
        if let Some(column) = self.column(term) {
            kind.push((column, vec![Name::new(if holds { "true" } else { "false" })]));
            return;
        }
        let terms = &self.ev.terms;
        let Term::Computed(by, parts) = terms.get(term) else { return };
        match (by.as_str(), &**parts) {
            _ if depth > DEPTH => {}
            ("!", [part]) => self.said(*part, !holds, depth + 1, kind),
            ("&&", parts) if holds => parts.iter().for_each(|part| self.said(*part, true, depth + 1, kind)),
            ("||", parts) if !holds => parts.iter().for_each(|part| self.said(*part, false, depth + 1, kind)),
            ("==" | "!=", [left, right]) if holds == (by == "==") => {
                for (one, other) in [(left, right), (right, left)] {
                    if let (Some(column), Term::Literal(text)) = (self.column(*one), terms.get(*other)) {
                        kind.push((column, vec![text.clone()]));
                    }
                }
            }
            _ => {}
        }
    }

    /// The column of the row that a value is: of the record that the write takes its key from, or of the row that was read by
    /// that key.
    fn column(&self, term: TermId) -> Option<Name> {
        let terms = &self.ev.terms;
        let Term::Field(of, column) = terms.get(decoded(terms, term)) else { return None };
        let mut keys = self.target.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
        let found = keys.any(|predicate| {
            let Some(key) = self.access.bound(&predicate.value) else { return false };
            let of_record = matches!(terms.get(key), Term::Field(record, _) if record == of);
            of_record || matches!(terms.get(*of), Term::Row(read) if self.is_read_by(*read, predicate, key))
        });
        found.then(|| column.clone())
    }

    fn is_read_by(&self, read: EventId, asked: &Predicate, key: TermId) -> bool {
        let event = self.flow.events.iter().find(|event| event.id == read);
        let Some(read) = event.and_then(Event::access) else { return false };
        let [own] = read.statement.accesses.as_slice() else { return false };
        let same = |predicate: &Predicate| {
            predicate.op == Compare::Eq
                && predicate.columns == asked.columns
                && read.bound(&predicate.value) == Some(key)
        };
        own.table.name == self.target.table.name && own.filter.iter().any(same)
    }
}

/// What the row holds that an upsert meets, whichever of its keys it is met by.
fn met<'e>(
    (terms, schema): (&Terms, &Schema),
    access: &Access,
    target: &TableAccess,
    read: &impl Fn(EventId) -> Option<&'e Access>,
) -> Kind {
    let drawn = |column: &Name| {
        let mut given = target.sets.iter().filter(|set| set.column == *column);
        given.any(|set| upsert::is_drawn_here(terms, access, &set.value))
    };
    let mut keys = upsert::met_keys(schema, target);
    keys.retain(|key| !key.iter().any(drawn));
    let by_key = |key: &[Name]| {
        let mut kind = Kind::new();
        for set in target.sets.iter().filter(|set| key.contains(&set.column)) {
            let values = given(terms, access, &set.value, read);
            kind.extend(values.map(|values| (set.column.clone(), values)));
            kind.extend(access.bound(&set.value).into_iter().flat_map(|term| found_by(terms, term, target, read)));
        }
        kind
    };
    let mut kinds = keys.into_iter().map(by_key);
    let first = kinds.next().unwrap_or_default();
    kinds.fold(first, |known, other| {
        let both = |(column, values): (Name, Vec<Name>)| {
            let of_other = other.iter().find(|(name, _)| *name == column)?;
            Some((column, values.into_iter().chain(of_other.1.iter().cloned()).collect()))
        };
        known.into_iter().filter_map(both).collect()
    })
}

/// The constants of which a statement gives a column one: written there, or what the row was found by that gave the value.
pub fn given<'e>(
    terms: &Terms,
    access: &Access,
    value: &Operand,
    read: &impl Fn(EventId) -> Option<&'e Access>,
) -> Option<Vec<Name>> {
    if let Some(constant) = access.constant(terms, value) {
        return Some(vec![constant]);
    }
    let mut all = Vec::new();
    for part in alternatives(terms, access.bound(value)?) {
        let found = match terms.get(part) {
            Term::Literal(text) => vec![text.clone()],
            Term::Field(of, column) => {
                let (found, own) = only_read(terms, *of, read)?;
                asked_for(terms, found, own).into_iter().find(|(name, _)| name == column)?.1
            }
            _ => return None,
        };
        all.extend(found);
    }
    all.dedup();
    Some(all)
}

/// What the row was found by that gave a key; none where the key may be that of several. A key that is made here is nobody's.
fn found_by<'e>(
    terms: &Terms,
    key: TermId,
    target: &TableAccess,
    read: &impl Fn(EventId) -> Option<&'e Access>,
) -> Kind {
    let mut held = alternatives(terms, key).into_iter().filter(|part| !is_drawn(terms, *part));
    let (Some(one), None) = (held.next(), held.next()) else { return Kind::new() };
    let Term::Field(of, _) = terms.get(one) else { return Kind::new() };
    match only_read(terms, *of, read) {
        Some((found, own)) if own.table.name == target.table.name => asked_for(terms, found, own),
        _ => Kind::new(),
    }
}

/// The read that gave a row, and the only table that it reads.
fn only_read<'e>(
    terms: &Terms,
    row: TermId,
    read: &impl Fn(EventId) -> Option<&'e Access>,
) -> Option<(&'e Access, &'e TableAccess)> {
    let Term::Row(event) = terms.get(row) else { return None };
    let found = read(*event)?;
    let [own] = found.statement.accesses.as_slice() else { return None };
    Some((found, own))
}

/// What a value may be: it, or each of those it is one of.
fn alternatives(terms: &Terms, term: TermId) -> Vec<TermId> {
    match terms.get(term) {
        Term::Either(parts) => parts.to_vec(),
        _ => vec![term],
    }
}

/// Whether no row is of both kinds.
pub fn differ(one: &[(Name, Vec<Name>)], other: &[(Name, Vec<Name>)]) -> bool {
    let apart = |values: &[Name], given: &[Name]| {
        values.iter().all(|value| given.iter().all(|given| !side::same(value, given)))
    };
    one.iter().any(|(column, values)| other.iter().any(|(known, given)| known == column && apart(values, given)))
}
