//! Which row an upsert may meet: by a key that was drawn here it meets nobody's.

use crate::event::Access;
use crate::flow::random::is_drawn;
use crate::flow::term::Terms;
use crate::lower::tree::Name;
use crate::sql::schema::{Schema, TableDef};
use crate::sql::statement::{Access as TableAccess, ConflictTarget, Operand};

/// The keys that an insert with a conflict clause can meet another row by; none where the schema does not tell them.
pub fn met_keys<'a>(schema: &'a Schema, target: &'a TableAccess) -> Vec<&'a [Name]> {
    let table = schema.table(&target.table.name);
    match target.conflict.as_ref().map(|conflict| &conflict.target) {
        None => Vec::new(),
        Some(ConflictTarget::Columns(key)) => vec![key.as_slice()],
        Some(ConflictTarget::Constraint(name)) => {
            let uniques = table.into_iter().flat_map(|table| &table.uniques);
            uniques
                .filter(|unique| unique.name.as_ref() == Some(name))
                .map(|unique| unique.columns.as_slice())
                .collect()
        }
        Some(ConflictTarget::Any) => {
            let given = |column: &Name| target.sets.iter().any(|set| set.column == *column);
            table.into_iter().flat_map(TableDef::all_keys).filter(|key| key.iter().all(given)).collect()
        }
    }
}

/// Whether each key that an upsert can meet a row by holds what is made here.
///
/// In: what tells of a value whether it is made here, such as [`is_drawn`].
pub fn makes_row(schema: &Schema, target: &TableAccess, made: impl Fn(&Operand) -> bool) -> bool {
    let keys = met_keys(schema, target);
    let made = |column: &Name| target.sets.iter().any(|set| set.column == *column && made(&set.value));
    !keys.is_empty() && keys.iter().all(|key| key.iter().any(made))
}

/// Whether a value that a statement is given was drawn.
pub fn is_drawn_here(terms: &Terms, access: &Access, value: &Operand) -> bool {
    access.bound(value).is_some_and(|term| is_drawn(terms, term))
}
