//! INSERT, UPDATE, DELETE and MERGE.

use sqlparser::ast::{
    self, AssignmentTarget, Expr, FromTable, MergeAction, MergeInsertKind, MergeUpdateKind, OnConflictAction, OnInsert,
    OutputClause, SelectItem, SetExpr, SqliteOnConflict, TableFactor, TableObject, TableWithJoins, UpdateTableFromKind,
};

use super::reader::{Level, Reader, Source, name, path, table};
use super::value::plain;
use crate::lower::tree::Name;
use crate::sql::statement::{
    Action, Assignment, Conflict, ConflictAction, ConflictTarget, Operand, Output, Place, Table,
};

impl Reader<'_> {
    pub fn insert(&mut self, insert: &ast::Insert, place: Place) -> Vec<Output> {
        let alias = insert.table_alias.as_ref().map(|alias| name(&alias.alias));
        let into = match &insert.table {
            TableObject::TableName(object) => table(object, alias),
            TableObject::TableQuery(_) | TableObject::TableFunction(_) => {
                Table { schema: None, name: "?".into(), alias }
            }
        };
        let shown = into.alias.clone().unwrap_or_else(|| into.name.clone());
        let target = self.access(into, Action::Insert, place);
        let columns: Vec<Name> = insert.columns.iter().filter_map(|column| path(column).pop()).collect();
        let values = insert.source.as_deref().map(|source| self.source(source, target)).unwrap_or_default();
        let mut sets = paired(&columns, values);
        let mut level = Level::default();
        for assignment in &insert.assignments {
            sets.extend(self.assignment(assignment, &level));
        }
        if let Some(access) = self.accesses.get_mut(target) {
            access.sets = sets;
        }
        level.sources.push(Source::table(shown, target));
        level.excluded.push("excluded".into());
        level.excluded.extend(insert.insert_alias.as_ref().and_then(|alias| path(&alias.row_alias).pop()));
        let conflict = self.conflict(insert, &level, target);
        if let Some(access) = self.accesses.get_mut(target) {
            access.conflict = conflict;
        }
        self.returned(insert.returning.as_deref(), insert.output.as_ref(), &level)
    }

    /// The rows that are inserted: the values of the first, since all have one shape.
    fn source(&mut self, source: &ast::Query, target: usize) -> Vec<Operand> {
        let before = (self.place, self.records);
        (self.place, self.records) = (Place::InSet, true);
        let values = match &*source.body {
            SetExpr::Select(select) if source.with.is_none() && select.from.is_empty() => {
                self.select(select, Place::Source, None, Some(target)).values
            }
            SetExpr::Values(values) => {
                let level = Level::default();
                values.rows.first().map(|row| self.values(&row.content, &level)).unwrap_or_default()
            }
            _ => {
                self.place = Place::InSelect;
                self.query(source, Place::Source, None).values
            }
        };
        (self.place, self.records) = before;
        values
    }

    fn conflict(&mut self, insert: &ast::Insert, level: &Level, target: usize) -> Option<Conflict> {
        let any = |action| Some(Conflict { target: ConflictTarget::Any, action });
        match (&insert.or, &insert.on) {
            (Some(SqliteOnConflict::Replace), _) => return any(ConflictAction::Replace),
            (Some(SqliteOnConflict::Ignore), _) => return any(ConflictAction::Nothing),
            _ if insert.replace_into => return any(ConflictAction::Replace),
            (_, Some(OnInsert::DuplicateKeyUpdate(assignments))) => {
                let sets = self.assignments(assignments, level);
                return any(ConflictAction::Update { sets, filter: Vec::new() });
            }
            (_, Some(OnInsert::OnConflict(on))) => {
                let on_target = match &on.conflict_target {
                    Some(ast::ConflictTarget::Columns { columns, .. }) => {
                        ConflictTarget::Columns(columns.iter().map(name).collect())
                    }
                    Some(ast::ConflictTarget::OnConstraint(constraint)) => {
                        ConflictTarget::Constraint(path(constraint).pop().unwrap_or_default())
                    }
                    None => ConflictTarget::Any,
                };
                let action = match &on.action {
                    OnConflictAction::DoNothing => ConflictAction::Nothing,
                    OnConflictAction::DoUpdate(update) => {
                        let sets = self.assignments(&update.assignments, level);
                        // The condition is gathered on the target, then moved to the clause it belongs to.
                        let held =
                            self.accesses.get_mut(target).map(|a| std::mem::take(&mut a.filter)).unwrap_or_default();
                        if let Some(condition) = &update.selection {
                            self.filter(condition, level, Some(target));
                        }
                        let filter = self.accesses.get_mut(target).map(|a| std::mem::replace(&mut a.filter, held));
                        ConflictAction::Update { sets, filter: filter.unwrap_or_default() }
                    }
                };
                return Some(Conflict { target: on_target, action });
            }
            _ => {}
        }
        if insert.ignore { any(ConflictAction::Nothing) } else { None }
    }

    pub fn update(&mut self, update: &ast::Update, place: Place) -> Vec<Output> {
        let from = match &update.from {
            Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => from.as_slice(),
            None => &[],
        };
        let mut level = Level::default();
        let target = self.target(std::slice::from_ref(&update.table), from, Action::Update, place, &mut level);
        for assignment in &update.assignments {
            let written = self.routed(assignment, &level, target);
            let sets = self.assignment(assignment, &level);
            if let Some(access) = self.accesses.get_mut(written) {
                access.action = Action::Update;
                access.sets.extend(sets);
            }
        }
        if let Some(condition) = &update.selection {
            self.filter(condition, &level, Some(target));
        }
        self.tail(target, place);
        self.returned(update.returning.as_deref(), update.output.as_ref(), &level)
    }

    pub fn delete(&mut self, delete: &ast::Delete, place: Place) -> Vec<Output> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let mut level = Level::default();
        let using = delete.using.as_deref().unwrap_or_default();
        let target = self.target(from, using, Action::Delete, place, &mut level);
        // `DELETE a, b FROM a JOIN b …` names what goes; otherwise the first table does.
        let named: Vec<Name> = delete.tables.iter().filter_map(|table| path(table).pop()).collect();
        for source in level.sources.iter().filter(|source| source.direct && named.contains(&source.name)) {
            if let Some(access) = source.access.and_then(|access| self.accesses.get_mut(access)) {
                access.action = Action::Delete;
            }
        }
        if !named.is_empty()
            && !level.sources.iter().any(|s| s.access == Some(target) && named.contains(&s.name))
            && let Some(access) = self.accesses.get_mut(target)
        {
            access.action = Action::Read;
        }
        if let Some(condition) = &delete.selection {
            self.filter(condition, &level, Some(target));
        }
        self.tail(target, place);
        self.returned(delete.returning.as_deref(), delete.output.as_ref(), &level)
    }

    pub fn merge(&mut self, merge: &ast::Merge, place: Place) -> Vec<Output> {
        let mut level = Level::default();
        self.factor(&merge.table, place, &mut level);
        let Some(target) = level.sources.first().and_then(|source| source.access) else { return Vec::new() };
        self.factor(&merge.source, Place::Source, &mut level);
        self.filter(&merge.on, &level, Some(target));
        let found = self.accesses.get(target).map(|access| access.filter.clone()).unwrap_or_default();
        let into = self.accesses.get(target).map(|access| access.table.clone());
        let mut first = Some(target);
        for clause in &merge.clauses {
            let (action, sets) = match &clause.action {
                MergeAction::Update(update) => (
                    Action::Update,
                    match &update.kind {
                        MergeUpdateKind::Set(assignments) => self.assignments(assignments, &level),
                        MergeUpdateKind::Wildcard => Vec::new(),
                    },
                ),
                MergeAction::Insert(insert) => {
                    let columns: Vec<Name> = insert.columns.iter().filter_map(|column| path(column).pop()).collect();
                    let values = match &insert.kind {
                        MergeInsertKind::Values(values) => {
                            values.rows.first().map(|row| self.values(&row.content, &level)).unwrap_or_default()
                        }
                        _ => Vec::new(),
                    };
                    (Action::Insert, paired(&columns, values))
                }
                MergeAction::Delete { .. } => (Action::Delete, Vec::new()),
                MergeAction::DoNothing { .. } => continue,
            };
            let number = match (first.take(), &into) {
                (Some(first), _) => first,
                (None, Some(table)) => self.access(table.clone(), action, place),
                (None, None) => continue,
            };
            if let Some(access) = self.accesses.get_mut(number) {
                (access.action, access.sets) = (action, sets);
                access.filter = if action == Action::Insert { Vec::new() } else { found.clone() };
            }
            if let Some(condition) = clause.predicate.as_ref().filter(|_| action != Action::Insert && number == target)
            {
                self.filter(condition, &level, Some(number));
            }
        }
        self.returned(None, merge.output.as_ref(), &level)
    }

    /// The table that is written, and the tables joined to it, read into the level.
    fn target(
        &mut self,
        tables: &[TableWithJoins],
        more: &[TableWithJoins],
        action: Action,
        place: Place,
        level: &mut Level,
    ) -> usize {
        // SQL Server: `UPDATE u SET … FROM users u` names the target by its alias in FROM.
        let aliased = match tables {
            [TableWithJoins { relation: TableFactor::Table { name: object, alias: None, .. }, joins }]
                if joins.is_empty() =>
            {
                path(object).pop().filter(|target| more.iter().any(|tables| shows(tables, target)))
            }
            _ => None,
        };
        if let Some(target) = aliased {
            self.from(more, place, level, false);
            let found = level.sources.iter().find(|source| source.name == target).and_then(|source| source.access);
            if let Some(found) = found {
                for source in level.sources.iter().filter_map(|source| source.access) {
                    if let Some(access) = self.accesses.get_mut(source) {
                        access.place = if source == found { place } else { Place::Join };
                    }
                }
                self.accesses[found].action = action;
                level.sources.sort_by_key(|source| source.access != Some(found));
                return found;
            }
        }
        self.from(tables, place, level, false);
        let target = level.sources.first().and_then(|source| source.access);
        let target = target.unwrap_or_else(|| {
            let table = Table { schema: None, name: "?".into(), alias: None };
            self.access(table, action, place)
        });
        if let Some(access) = self.accesses.get_mut(target) {
            access.action = action;
        }
        self.from(more, if place == Place::Main { Place::Join } else { place }, level, true);
        target
    }

    /// The table an assignment writes: MySQL's UPDATE of several tables qualifies the column.
    fn routed(&mut self, assignment: &ast::Assignment, level: &Level, target: usize) -> usize {
        let AssignmentTarget::ColumnName(column) = &assignment.target else { return target };
        let path = path(column);
        let Some(qualifier) = path.len().checked_sub(2).and_then(|at| path.get(at)) else { return target };
        let source = level.sources.iter().find(|source| source.direct && source.name == *qualifier);
        source.and_then(|source| source.access).unwrap_or(target)
    }

    fn tail(&mut self, target: usize, place: Place) {
        if place != Place::Main {
            return;
        }
        if let Some(access) = self.accesses.get_mut(target) {
            access.ordered |= self.prepared.ordered;
            access.limit = access.limit.or(self.prepared.limit);
        }
    }

    fn assignments(&mut self, assignments: &[ast::Assignment], level: &Level) -> Vec<Assignment> {
        assignments.iter().flat_map(|assignment| self.assignment(assignment, level)).collect()
    }

    fn assignment(&mut self, assignment: &ast::Assignment, level: &Level) -> Vec<Assignment> {
        let before = (self.place, self.records, self.aggregate.take());
        (self.place, self.records) = (Place::InSet, true);
        let columns: Vec<Name> = match &assignment.target {
            AssignmentTarget::ColumnName(column) => path(column).pop().into_iter().collect(),
            AssignmentTarget::Tuple(columns) => columns.iter().filter_map(|column| path(column).pop()).collect(),
        };
        let values = match plain(&assignment.value) {
            Expr::Tuple(values) if columns.len() == values.len() => self.values(values, level),
            // `ROW(a, b)` is a row as well.
            value => vec![self.value(value, level)],
        };
        let values = match values.as_slice() {
            [Operand::Expr { text, parts }] if text == "row()" && parts.len() == columns.len() => parts.clone(),
            _ => values,
        };
        (self.place, self.records, self.aggregate) = before;
        let shared = values.first().cloned();
        let single = values.len() != columns.len();
        columns
            .into_iter()
            .enumerate()
            .map(|(n, column)| {
                let value = if single { shared.clone() } else { values.get(n).cloned() };
                Assignment { column, value: value.unwrap_or(Operand::Unknown) }
            })
            .collect()
    }

    fn returned(
        &mut self,
        returning: Option<&[SelectItem]>,
        output: Option<&OutputClause>,
        level: &Level,
    ) -> Vec<Output> {
        let items = returning.or(output.map(|output| match output {
            OutputClause::Output { select_items, .. } | OutputClause::Returning { select_items, .. } => {
                select_items.as_slice()
            }
        }));
        let Some(items) = items else { return Vec::new() };
        // RETURNING speaks of the target; SQL Server and PostgreSQL 18 name its old and new row.
        let mut named = Level { sources: level.sources.clone(), ..Level::default() };
        if let Some(first) = level.sources.first() {
            for row in ["inserted", "deleted", "old", "new"] {
                named.sources.push(Source { name: row.into(), ..first.clone() });
            }
        }
        let star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_));
        if items.iter().any(star) {
            named.sources.truncate(1);
        }
        self.outputs(items, &named).0
    }
}

/// The columns of a row with their values; `?` for columns that the text does not name.
fn paired(columns: &[Name], values: Vec<Operand>) -> Vec<Assignment> {
    if columns.len() > 1 && values.as_slice() == [Operand::Unknown] {
        let unknown = |column: &Name| Assignment { column: column.clone(), value: Operand::Unknown };
        return columns.iter().map(unknown).collect();
    }
    let names = columns.iter().cloned().map(Some).chain(std::iter::repeat(None));
    values
        .into_iter()
        .zip(names)
        .map(|(value, column)| Assignment { column: column.unwrap_or_else(|| "?".into()), value })
        .collect()
}

fn shows(tables: &TableWithJoins, target: &Name) -> bool {
    let factors = std::iter::once(&tables.relation).chain(tables.joins.iter().map(|join| &join.relation));
    factors.into_iter().any(|factor| match factor {
        TableFactor::Table { name: object, alias, .. } => match alias {
            Some(alias) => name(&alias.name) == *target,
            None => path(object).pop().as_ref() == Some(target),
        },
        _ => false,
    })
}
