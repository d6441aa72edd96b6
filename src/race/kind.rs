//! Which kind of row a statement finds, where constants tell: a token of this sort, a mark of that one.

use crate::event::{Access, EventId};
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
        return met(terms, schema, access, target);
    }
    let mut kind = asked_for(terms, access, target);
    for term in target.filter.iter().filter_map(|predicate| access.bound(&predicate.value)) {
        let Term::Field(of, _) = terms.get(term) else { continue };
        let Term::Row(event) = terms.get(*of) else { continue };
        if let Some(found) = read(*event)
            && let [own] = found.statement.accesses.as_slice()
            && own.table.name == target.table.name
        {
            kind.extend(asked_for(terms, found, own));
        }
    }
    kind
}

fn met(terms: &Terms, schema: &Schema, access: &Access, target: &TableAccess) -> Kind {
    let drawn = |column: &Name| {
        let mut given = target.sets.iter().filter(|set| set.column == *column);
        given.any(|set| upsert::is_drawn_here(terms, access, &set.value))
    };
    let mut keys = upsert::met_keys(schema, target);
    keys.retain(|key| !key.iter().any(drawn));
    let [key] = keys.as_slice() else { return Kind::new() };
    let given = target.sets.iter().filter(|set| key.contains(&set.column));
    given.filter_map(|set| Some((set.column.clone(), vec![access.constant(terms, &set.value)?]))).collect()
}

/// Whether no row is of both kinds.
pub fn differ(one: &[(Name, Vec<Name>)], other: &[(Name, Vec<Name>)]) -> bool {
    let apart = |values: &[Name], given: &[Name]| {
        values.iter().all(|value| given.iter().all(|given| !side::same(value, given)))
    };
    one.iter().any(|(column, values)| other.iter().any(|(known, given)| known == column && apart(values, given)))
}
