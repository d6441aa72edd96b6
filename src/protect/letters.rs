//! Upper and lower case: what is asked for without regard to it, and what a unique key over the column takes for two.

use crate::dialect::Dialect;
use crate::event::Access;
use crate::flow::term::{Term, TermId, Terms};
use crate::lower::tree::Name;
use crate::protect::constraint::asks_for;
use crate::race::scene::Scene;
use crate::sql::schema::TableDef;
use crate::sql::statement::{Access as TableAccess, Operand};

/// `lower(name) = lower($1)`, and `$1` is inserted as it is: whether a key over `name` lets "Ada" in beside "ada".
///
/// SQL Server and MySQL compare without regard to case where nothing else is said (MySQL reference manual, 12.3.2; SQL
/// Server, "Collation and Unicode support"), PostgreSQL's `citext` and SQLite's NOCASE always.
pub(super) fn open(
    scene: &Scene<'_, '_>,
    table: &TableDef,
    key: &[Name],
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> bool {
    if table.uniques.iter().any(|unique| unique.expression && unique.columns == key) {
        return false;
    }
    let brings_two = key.iter().any(|column| {
        let blind = |ty: &str| ty.contains("citext") || ty.contains("collate");
        let said = table.columns.iter().any(|def| def.name == *column && !blind(&def.ty));
        let mut asked = read.1.filter.iter().filter(|predicate| predicate.columns.contains(column)).peekable();
        let folded = asked.peek().is_some() && asked.all(|predicate| predicate.folded);
        let mut values = read.1.filter.iter().filter(|predicate| predicate.columns.contains(column));
        let compared = values.find_map(|predicate| read.0.bound(&predicate.value));
        let mut given = write.1.sets.iter().filter(|set| set.column == *column);
        let as_it_is = |value: &Operand| {
            write.0.bound(value).is_some_and(|term| Some(term) != compared && is_as_brought(&scene.ev.terms, term))
        };
        said && folded && given.any(|set| as_it_is(&set.value))
    });
    let sent = || scene.flow.events.iter().find(|event| event.access().is_some_and(|own| std::ptr::eq(own, write.0)));
    brings_two && sent().is_some_and(|event| !matches!(event.dialect, Dialect::MySql | Dialect::MsSql))
}

/// The unique key that would refuse the second row if it were spelt as the first one.
pub(super) fn key_of_one_case(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> Option<Vec<Name>> {
    let table = scene.schema.table(&write.1.table.name)?;
    let given = |column: &Name| write.1.sets.iter().any(|set| set.column == *column);
    let has = |column: &Name| asks_for(&read.0.statement, read.1, column) && given(column);
    let fits = |key: &&[Name]| key.iter().all(has) && open(scene, table, key, read, write);
    table.keys().find(fits).map(<[Name]>::to_vec)
}

/// Whether a value is a parameter or a field of one: nothing has been made of it, such as another case.
fn is_as_brought(terms: &Terms, term: TermId) -> bool {
    match terms.get(term) {
        Term::Param(..) => true,
        Term::Field(of, _) => is_as_brought(terms, *of),
        Term::Either(parts) => parts.iter().any(|part| is_as_brought(terms, *part)),
        _ => false,
    }
}
