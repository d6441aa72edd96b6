//! Which kind of row a statement finds, where constants tell: a token of this sort, a mark of that one.

use crate::event::{Access, EventId};
use crate::flow::term::{Term, Terms};
use crate::lower::tree::Name;
use crate::race::{side, upsert};
use crate::sql::schema::Schema;
use crate::sql::statement::{Access as TableAccess, Action, Compare, Predicate};

/// Columns with the constants that the found row holds in them.
pub type Kind = Vec<(Name, Name)>;

/// What a part of a statement compares with constants.
pub fn asked_for(terms: &Terms, access: &Access, own: &TableAccess) -> Kind {
    let constant = |predicate: &Predicate| {
        let [column] = predicate.columns.as_slice() else { return None };
        let value = access.constant(terms, &predicate.value).filter(|_| predicate.op == Compare::Eq)?;
        Some((column.clone(), value))
    };
    own.filter.iter().filter_map(constant).collect()
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
    given.filter_map(|set| Some((set.column.clone(), access.constant(terms, &set.value)?))).collect()
}

/// Whether no row is of both kinds.
pub fn differ(one: &[(Name, Name)], other: &[(Name, Name)]) -> bool {
    one.iter().any(|(column, value)| other.iter().any(|(known, given)| known == column && !side::same(value, given)))
}
