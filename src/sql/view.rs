//! Views that show rows of one table as they are: whoever reads or writes such a view reads or writes the table.
//!
//! Source: PostgreSQL manual, CREATE VIEW, "Updatable Views"; MySQL manual 27.5.3.

use serde::Serialize;

use crate::dialect::Dialect;
use crate::lower::tree::Name;
use crate::sql::parse::parse;
use crate::sql::schema::Schema;
use crate::sql::statement::{
    Access, Action, Assignment, ConflictAction, Operand, Output, Place, Predicate, Statement, Verb,
};

/// Through how many views a table is looked for.
const LEVELS: usize = 4;

/// What a view shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    pub table: Name,
    /// Which rows of the table.
    pub filter: Vec<Predicate>,
}

impl View {
    /// The view of a SELECT; none where it joins, counts or computes, or calls a column by another name.
    pub(super) fn of(query: &str, dialect: Dialect) -> Option<Self> {
        let parsed = parse(query, dialect);
        let [statement] = parsed.statements.as_slice() else { return None };
        let [access] = statement.accesses.as_slice() else { return None };
        let as_it_is = |output: &Output| {
            output.from.as_slice() == [output.name.clone()]
                && output.aggregate.is_none()
                && output.lock.is_none()
                && output.rows_of.is_none()
        };
        let plain = statement.verb == Verb::Select
            && statement.gaps.is_empty()
            && parsed.unknown.is_empty()
            && access.action == Action::Read
            && access.place == Place::Main
            && access.aggregate.is_none()
            && access.limit.is_none()
            && statement.output.iter().all(as_it_is);
        plain.then(|| Self { table: access.table.name.clone(), filter: access.filter.clone() })
    }
}

impl Schema {
    /// Whether a statement names a view.
    pub fn has_view_in(&self, statement: &Statement) -> bool {
        !self.views.is_empty() && statement.accesses.iter().any(|access| self.views.contains_key(&access.table.name))
    }

    /// Puts the tables into a statement that its views show; what is changed through a view is only what that shows. Which
    /// rows are read is left at those that the statement asks for: what a view hides, such as rows that are marked as deleted,
    /// is no state by which they are picked.
    pub fn see_through_views(&self, statement: &mut Statement) {
        for _ in 0..LEVELS {
            if !self.has_view_in(statement) {
                return;
            }
            for access in &mut statement.accesses {
                self.see_through(access);
            }
            let outputs = statement.output.iter_mut();
            outputs.flat_map(|output| [&mut output.rows_of, &mut output.of]).flatten().for_each(|of| self.shown_by(of));
        }
    }

    fn see_through(&self, access: &mut Access) {
        let operands = access.filter.iter_mut().map(|predicate| &mut predicate.value);
        let operands = operands.chain(access.sets.iter_mut().map(|set| &mut set.value));
        operands.for_each(|operand| self.see_through_operand(operand));
        if let Some(ConflictAction::Update { sets, filter }) =
            access.conflict.as_mut().map(|conflict| &mut conflict.action)
        {
            sets.iter_mut().for_each(|Assignment { value, .. }| self.see_through_operand(value));
            filter.iter_mut().for_each(|Predicate { value, .. }| self.see_through_operand(value));
        }
        if let Some(view) = self.views.get(&access.table.name) {
            if matches!(access.action, Action::Update | Action::Delete) {
                access.filter.extend(view.filter.iter().cloned());
            }
            access.table.name = view.table.clone();
        }
    }

    fn see_through_operand(&self, operand: &mut Operand) {
        match operand {
            Operand::Column { table: Some(table), .. } => self.shown_by(table),
            Operand::Expr { parts, .. } | Operand::Subquery(parts) => {
                parts.iter_mut().for_each(|part| self.see_through_operand(part));
            }
            _ => {}
        }
    }

    fn shown_by(&self, name: &mut Name) {
        if let Some(view) = self.views.get(name) {
            *name = view.table.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(query: &str) -> Option<View> {
        View::of(query, Dialect::Postgres)
    }

    #[test]
    fn only_rows_as_they_are_are_followed() {
        assert_eq!(view("SELECT * FROM all_clips WHERE gone IS NULL").unwrap().table, "all_clips");
        assert_eq!(view("SELECT id, state FROM all_clips").unwrap().filter, []);
        assert_eq!(view("SELECT id, title AS name FROM all_clips"), None);
        assert_eq!(view("SELECT count(*) AS n FROM all_clips"), None);
        assert_eq!(view("SELECT c.id FROM all_clips c JOIN albums a ON a.id = c.album"), None);
    }
}
