//! Queries: their tables, their locks, what they hand out.

use sqlparser::ast::{
    self, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableFactor, TableWithJoins, TopQuantity,
};

use super::reader::{Cte, Level, Reader, Source, name, outside, path, table, tag, tagged};
use super::render;
use super::value::plain;
use crate::lower::tree::Name;
use crate::sql::statement::{
    Action, Aggregate, Compare, Limit, Operand, Output, Place, RowLock, Strength, TableLock, Verb, Wait,
};

/// What a query hands to the one around it.
#[derive(Default)]
pub(super) struct Rows {
    /// The tables of its FROM clause.
    pub accesses: Vec<usize>,
    pub output: Vec<Output>,
    /// The values of its select list.
    pub values: Vec<Operand>,
    pub verb: Option<Verb>,
}

impl Reader<'_> {
    /// A statement that touches rows: its verb, and the columns of its result.
    pub fn statement(&mut self, tree: &ast::Statement, place: Place) -> Option<(Verb, Vec<Output>)> {
        match tree {
            ast::Statement::Query(query) => {
                let rows = self.query(query, place, None);
                let nothing = rows.output.is_empty() && rows.accesses.is_empty() && self.accesses.is_empty();
                // A lone SELECT passes the parser; it says nothing.
                if nothing && rows.values.is_empty() {
                    return None;
                }
                Some((rows.verb.unwrap_or(Verb::Select), rows.output))
            }
            ast::Statement::Insert(insert) => Some((Verb::Insert, self.insert(insert, place))),
            ast::Statement::Update(update) => Some((Verb::Update, self.update(update, place))),
            ast::Statement::Delete(delete) => Some((Verb::Delete, self.delete(delete, place))),
            ast::Statement::Merge(merge) => Some((Verb::Merge, self.merge(merge, place))),
            _ => None,
        }
    }

    /// A query in some place. `outer` holds the tables around it, for correlated columns.
    pub fn query(&mut self, query: &Query, place: Place, outer: Option<&Level>) -> Rows {
        self.deeper(|reader| reader.query_at(query, place, outer)).unwrap_or_default()
    }

    fn query_at(&mut self, query: &Query, place: Place, outer: Option<&Level>) -> Rows {
        let known = self.ctes.len();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.cte(cte, outer);
        }
        self.level += 1;
        let from = self.accesses.len();
        let rows = self.body(&query.body, place, outer);
        self.level -= 1;
        self.ctes.truncate(known);
        let here = rows.accesses.clone();
        let limit = query.fetch.as_ref().map(|fetch| one(fetch.quantity.as_ref(), true));
        let limit = limit.or(query.limit_clause.as_ref().and_then(|clause| match clause {
            LimitClause::LimitOffset { limit, .. } => limit.as_ref().map(|limit| one(Some(limit), false)),
            LimitClause::OffsetCommaLimit { limit, .. } => Some(one(Some(limit), false)),
        }));
        for &access in &here {
            let Some(access) = self.accesses.get_mut(access).filter(|a| a.action == Action::Read) else { continue };
            access.limit = limit.or(access.limit);
            access.ordered |= query.order_by.is_some();
        }
        for clause in &query.locks {
            let mark = clause.of.as_ref().and_then(|of| path(of).pop()).and_then(|mark| render::lock_mark(&mark));
            if let Some(lock) = mark.and_then(|mark| self.prepared.locks.get(mark)).cloned() {
                self.lock(&lock, &here, from);
            }
        }
        rows
    }

    /// A locking clause reaches the tables of its FROM clause, and through a derived table those under it.
    fn lock(&mut self, lock: &RowLock, here: &[usize], from: usize) {
        for (number, access) in self.accesses.iter_mut().enumerate() {
            let reached = here.contains(&number) || (number >= from && access.place == Place::Derived);
            let of = |name: &Name| Some(name) == access.table.alias.as_ref() || *name == access.table.name;
            let read = access.action == Action::Read && access.place != Place::Cte;
            let cte = here.contains(&number) && number >= from;
            if reached && (read || cte) && (lock.of.is_empty() || lock.of.iter().any(of)) {
                access.lock = Some(lock.clone());
            }
        }
    }

    fn cte(&mut self, cte: &ast::Cte, outer: Option<&Level>) {
        let cte_name = name(&cte.alias.name);
        // A recursive part names the table that is being made; there is no access behind it.
        self.ctes.push(Cte { name: cte_name, access: None, passed: Vec::new(), bound: Vec::new() });
        let at = self.ctes.len() - 1;
        let (from, met) = (self.accesses.len(), self.bound.len());
        let rows = self.query(&cte.query, Place::Cte, outer);
        let written = (from..self.accesses.len()).find(|&access| self.accesses[access].action != Action::Read);
        if let Some(cte) = self.ctes.get_mut(at) {
            cte.access = written.or(rows.accesses.first().copied());
            cte.passed = passed(&rows.output);
            cte.bound = self.bound.split_off(met);
            // What is written says nothing of the rows that come of it.
            cte.bound.retain(|_| written.is_none());
        }
    }

    fn body(&mut self, body: &SetExpr, place: Place, outer: Option<&Level>) -> Rows {
        // UNION is left-deep, so its arms are gathered in a loop.
        let mut arms = Vec::new();
        let mut head = body;
        while let SetExpr::SetOperation { left, right, .. } = head {
            arms.push(&**right);
            head = left;
        }
        let mut rows = self.arm(head, place, outer);
        for arm in arms.into_iter().rev() {
            let more = self.deeper(|reader| reader.body(arm, place, outer)).unwrap_or_default();
            rows.accesses.extend(more.accesses);
        }
        rows
    }

    fn arm(&mut self, body: &SetExpr, place: Place, outer: Option<&Level>) -> Rows {
        match body {
            SetExpr::Select(select) => self.select(select, place, outer, None),
            SetExpr::Query(query) => self.query(query, place, outer),
            SetExpr::Values(values) => {
                let level = Level { outer, ..Level::default() };
                let values = values.rows.first().map(|row| self.values(&row.content, &level)).unwrap_or_default();
                Rows { values, ..Rows::default() }
            }
            SetExpr::Table(named) => {
                let name = named.table_name.as_ref().map_or_else(|| "?".into(), name);
                let access = self.access(plain_table(name), Action::Read, place);
                self.column_used(access, &"*".into());
                Rows { accesses: vec![access], ..Rows::default() }
            }
            SetExpr::Insert(tree) | SetExpr::Update(tree) | SetExpr::Delete(tree) | SetExpr::Merge(tree) => {
                match self.deeper(|reader| reader.statement(tree, place)).flatten() {
                    Some((verb, output)) => Rows { output, verb: Some(verb), ..Rows::default() },
                    None => Rows::default(),
                }
            }
            SetExpr::SetOperation { .. } => self.body(body, place, outer),
        }
    }

    /// `fallback` takes the conditions of a SELECT that has no table, such as the source of an INSERT.
    pub fn select(&mut self, select: &Select, place: Place, outer: Option<&Level>, fallback: Option<usize>) -> Rows {
        let mut level = Level { outer, ..Level::default() };
        self.from(&select.from, place, &mut level, false);
        let here: Vec<usize> = level.sources.iter().flat_map(|source| source.access).collect();
        let main = here.first().copied().or(fallback);
        let mut rows = Rows { accesses: here.clone(), ..Rows::default() };
        (rows.output, rows.values) = self.outputs(&select.projection, &level);
        let sole = rows
            .output
            .iter()
            .zip(&rows.values)
            .all(|(_, value)| matches!(value, Operand::Literal(text) if text != "*"));
        let own = rows.output.iter().zip(&select.projection).filter(|(_, item)| !is_subquery(item));
        let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
        // What is gathered beside the columns of each group makes no number of the rows.
        let gathers = |aggregate: &Aggregate| grouped && *aggregate == Aggregate::Other;
        let mut aggregate = own.into_iter().filter_map(|(output, _)| output.aggregate).find(|found| !gathers(found));
        if aggregate.is_none() && sole && !rows.output.is_empty() && !here.is_empty() {
            aggregate = Some(Aggregate::Exists);
        }
        let top = select.top.as_ref().map(|top| match &top.quantity {
            Some(TopQuantity::Constant(1)) => Limit::One,
            Some(TopQuantity::Expr(expr)) => one(Some(expr), false),
            _ => Limit::Many,
        });
        for &access in &here {
            let Some(access) = self.accesses.get_mut(access).filter(|a| a.action == Action::Read) else { continue };
            access.aggregate = access.aggregate.or(aggregate);
            access.limit = access.limit.or(top);
        }
        for condition in select.selection.iter().chain(&select.having).chain(&select.qualify) {
            self.filter(condition, &level, main);
        }
        rows
    }

    /// Reads a FROM clause into the level: the first table in `place`, the others as joined.
    pub fn from(&mut self, from: &[TableWithJoins], place: Place, level: &mut Level, joined: bool) {
        for (n, tables) in from.iter().enumerate() {
            let joined = joined || n > 0;
            self.factor(&tables.relation, if joined { join_place(place) } else { place }, level);
            for join in &tables.joins {
                self.join(join, place, level);
            }
        }
    }

    fn join(&mut self, join: &Join, place: Place, level: &mut Level) {
        let before = level.sources.len();
        self.factor(&join.relation, join_place(place), level);
        let constraint = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::StraightJoin(constraint) => constraint,
            _ => return,
        };
        let new = level.sources.get(before).and_then(|source| source.access);
        match constraint {
            JoinConstraint::On(expr) => self.filter(expr, level, new.or(level.sources.first().and_then(|s| s.access))),
            JoinConstraint::Using(columns) | JoinConstraint::UsingAlias(columns, _) => {
                let first = level.sources.first().and_then(|source| source.access);
                for column in columns.iter().filter_map(|column| path(column).pop()) {
                    let (left, right) = (tagged(first, None, column.clone()), tagged(new, None, column));
                    self.comparison(left, Compare::Eq, right, level, new);
                }
            }
            _ => {}
        }
    }

    pub fn factor(&mut self, factor: &TableFactor, place: Place, level: &mut Level) {
        self.deeper(|reader| reader.factor_at(factor, place, level));
    }

    fn factor_at(&mut self, factor: &TableFactor, place: Place, level: &mut Level) {
        match factor {
            TableFactor::Table { name: object, alias, args: None, with_hints, .. } => {
                self.table(object, alias.as_ref(), with_hints, place, level);
            }
            TableFactor::Table { name: object, alias, args: Some(args), .. } => {
                let args = ast::FunctionArguments::List(ast::FunctionArgumentList {
                    duplicate_treatment: None,
                    args: args.args.clone(),
                    clauses: Vec::new(),
                });
                self.function(object, &args, true, level);
                level.sources.extend(computed(alias.as_ref(), path(object).pop()));
            }
            TableFactor::Function { args, alias, name: object, .. } => {
                self.arguments(args, level);
                level.sources.extend(computed(alias.as_ref(), path(object).pop()));
            }
            TableFactor::Derived { subquery, alias, lateral, .. } => {
                let outer = if *lateral { Some(&*level) } else { level.outer };
                let inner = if place == Place::Main || place == Place::Join { Place::Derived } else { place };
                let rows = self.query(subquery, inner, outer);
                let access = rows.accesses.first().copied();
                let name = alias.as_ref().map(|alias| name(&alias.name)).unwrap_or_default();
                level.sources.push(Source { name, access, direct: false, passed: passed(&rows.output) });
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.factor(&table_with_joins.relation, place, level);
                for join in &table_with_joins.joins {
                    self.join(join, place, level);
                }
            }
            TableFactor::TableFunction { alias, expr } => {
                self.value(expr, level);
                level.sources.extend(computed(alias.as_ref(), None));
            }
            TableFactor::UNNEST { alias, array_exprs, .. } => {
                self.values(array_exprs, level);
                level.sources.extend(computed(alias.as_ref(), Some("unnest".into())));
            }
            TableFactor::JsonTable { alias, .. }
            | TableFactor::OpenJsonTable { alias, .. }
            | TableFactor::XmlTable { alias, .. } => {
                level.sources.extend(computed(alias.as_ref(), None));
            }
            TableFactor::Pivot { table, .. } | TableFactor::Unpivot { table, .. } => self.factor(table, place, level),
            _ => self.gaps.push("a kind of FROM that is not read".to_owned()),
        }
    }

    fn table(
        &mut self,
        object: &ast::ObjectName,
        alias: Option<&ast::TableAlias>,
        hints: &[Expr],
        place: Place,
        level: &mut Level,
    ) {
        let alias = alias.map(|alias| name(&alias.name));
        let table = table(object, alias.clone());
        let known = self.ctes.iter().rev().find(|cte| table.schema.is_none() && cte.name == table.name);
        let shown = alias.unwrap_or_else(|| table.name.clone());
        if let Some(cte) = known.cloned() {
            self.used_in(cte.access, place);
            self.bound.extend(cte.bound);
            level.sources.push(Source { name: shown, access: cte.access, direct: false, passed: cte.passed });
            return;
        }
        let table_name = table.name.clone();
        let access = self.access(table, Action::Read, place);
        self.hints(hints, access, &table_name);
        level.sources.push(Source::table(shown, access));
    }

    /// What a WITH clause reads decides where its name stands: whether there is a row, how many there are.
    fn used_in(&mut self, access: Option<usize>, place: Place) {
        let Some(access) = access.and_then(|access| self.accesses.get_mut(access)) else { return };
        let decides = match place {
            Place::Exists | Place::NotExists => true,
            Place::Source | Place::InWhere => access.aggregate.is_some(),
            _ => false,
        };
        if decides && access.action == Action::Read && access.place == Place::Cte {
            access.place = place;
        }
    }

    /// SQL Server's table hints (Transact-SQL reference, "Table hints").
    fn hints(&mut self, hints: &[Expr], access: usize, table: &Name) {
        let hints: Vec<String> = hints
            .iter()
            .filter_map(|hint| match hint {
                Expr::Identifier(ident) => Some(ident.value.to_ascii_lowercase()),
                _ => None,
            })
            .collect();
        let has = |hint: &str| hints.iter().any(|known| known == hint);
        let strength = if has("updlock") || has("xlock") {
            Strength::Update
        } else if has("holdlock") || has("serializable") || has("repeatableread") {
            Strength::Share
        } else {
            Strength::KeyShare
        };
        let wait = match (has("readpast"), has("nowait")) {
            (true, _) => Wait::SkipLocked,
            (_, true) => Wait::NoWait,
            _ => Wait::Block,
        };
        if strength != Strength::KeyShare
            && let Some(access) = self.accesses.get_mut(access)
        {
            access.lock = Some(RowLock { strength, of: Vec::new(), wait });
        }
        if has("tablockx") || (has("tablock") && has("xlock")) {
            self.table_locks.push((table.clone(), TableLock::BlocksAll));
        } else if has("tablock") {
            self.table_locks.push((table.clone(), TableLock::BlocksWritersShared));
        }
    }

    /// A sub-query as a value: its tables become accesses in `place`.
    pub fn subquery(&mut self, query: &Query, place: Place, level: &Level) -> Operand {
        let (records, held) = (self.records, self.aggregate);
        let (from, met) = (self.accesses.len(), self.bound.len());
        let rows = self.query(query, place, Some(level));
        (self.records, self.place) = (records, self.place);
        self.asked = rows.accesses.first().and_then(|access| self.accesses.get(*access)).map(|a| a.table.name.clone());
        self.aggregate = held.or(rows.output.first().and_then(|output| output.aggregate).map(|a| (self.level, a)));
        let mut parts = rows.values;
        for predicate in self.accesses.iter().skip(from).flat_map(|access| &access.filter) {
            predicate.value.walk(&mut |part| {
                if matches!(part, Operand::Placeholder(_) | Operand::Named(_) | Operand::Column { .. }) {
                    parts.push(part.clone());
                }
            });
        }
        let bound =
            self.bound.iter().skip(met).filter(|value| matches!(value, Operand::Placeholder(_) | Operand::Named(_)));
        let beside: Vec<Operand> = bound.filter(|value| !parts.contains(value)).cloned().collect();
        parts.extend(beside);
        Operand::Subquery(parts)
    }

    pub fn exists(&mut self, query: &Query, place: Place, level: &Level) -> Operand {
        let from = self.accesses.len();
        let value = self.subquery(query, place, level);
        for access in self.accesses.iter_mut().skip(from).filter(|access| access.place == place) {
            access.aggregate = Some(Aggregate::Exists);
        }
        self.aggregate = Some((self.level, Aggregate::Exists));
        value
    }

    /// A select list or RETURNING: its columns, and their values.
    pub fn outputs(&mut self, items: &[SelectItem], level: &Level) -> (Vec<Output>, Vec<Operand>) {
        let before = (self.place, self.records);
        if self.place != Place::InSet {
            self.place = Place::InSelect;
        }
        self.records = true;
        let out = items.iter().map(|item| self.output(item, level)).unzip();
        (self.place, self.records) = before;
        out
    }

    fn output(&mut self, item: &SelectItem, level: &Level) -> (Output, Operand) {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias)),
            SelectItem::ExprWithAliases { expr, aliases } => (expr, aliases.first()),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), _) => {
                let of = path(of).pop().unwrap_or_default();
                let access = level.sources.iter().find(|source| source.name == of).and_then(|source| source.access);
                return self.all_columns(access.into_iter().collect(), Some(of));
            }
            _ => return self.all_columns(level.accesses().collect(), level.sources.first().map(|s| s.name.clone())),
        };
        let calls = self.calls.len();
        let (outer, asked) = (self.aggregate.take(), self.asked.take());
        let value = self.value(expr, level);
        let aggregate = std::mem::replace(&mut self.aggregate, outer).map(|(_, aggregate)| aggregate);
        let rows_of = std::mem::replace(&mut self.asked, asked).filter(|_| level.accesses().next().is_some());
        let mut from: Vec<Name> = Vec::new();
        value.walk(&mut |part| {
            if let Operand::Column { column, .. } = part
                && !from.contains(column)
            {
                from.push(column.clone());
            }
        });
        let name = match alias {
            Some(alias) => override_free(alias),
            None => output_name(expr, &value),
        };
        let lock = self.calls.get(calls).map(|(_, lock)| lock.clone());
        let of = self.sole_table(&value, level);
        (Output { name, from, lock, aggregate, rows_of, of }, value)
    }

    /// The table that all columns of a value are of, where there are several to choose from.
    fn sole_table(&self, value: &Operand, level: &Level) -> Option<Name> {
        let mut several = level.accesses();
        let one = several.next()?;
        several.find(|other| *other != one)?;
        let mut found: Vec<Option<usize>> = Vec::new();
        outside(value, &mut |table, _| found.push(tag(table)));
        let first = (*found.first()?)?;
        let access = self.accesses.get(first).filter(|_| found.iter().all(|other| *other == Some(first)))?;
        Some(access.table.name.clone())
    }

    fn all_columns(&mut self, accesses: Vec<usize>, of: Option<Name>) -> (Output, Operand) {
        let star: Name = "*".into();
        for &access in &accesses {
            self.column_used(access, &star);
        }
        let value = tagged(accesses.first().copied(), of, star.clone());
        (Output::of(star.clone(), vec![star]), value)
    }
}

/// Whether a column of a result is a sub-query's, whose aggregate is not one of the query around it.
fn is_subquery(item: &SelectItem) -> bool {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            matches!(plain(expr), Expr::Subquery(_) | Expr::Exists { .. })
        }
        _ => false,
    }
}

/// The columns of a result that are a column of its table under their own name; `*` for all.
fn passed(output: &[Output]) -> Vec<Name> {
    output
        .iter()
        .filter(|o| o.aggregate.is_none() && o.from.as_slice() == [o.name.clone()])
        .map(|o| o.name.clone())
        .collect()
}

/// sqlx writes types into aliases: `id as "id!"`, `count(*) as "n!: i64"`. The name is what stands before them.
fn override_free(alias: &ast::Ident) -> Name {
    let text = if alias.quote_style.is_some() { alias.value.clone() } else { alias.value.to_lowercase() };
    let end = text.find(['!', '?', ':']).filter(|&at| at > 0).unwrap_or(text.len());
    render::restore(text[..end].trim())
}

/// The name an engine gives a column without an alias (PostgreSQL manual, 7.3.2 "Column labels").
fn output_name(expr: &Expr, value: &Operand) -> Name {
    match (plain(expr), value) {
        (Expr::CompoundIdentifier(idents), _) => idents.last().map(name).unwrap_or_default(),
        (Expr::Identifier(_), Operand::Column { column, .. } | Operand::Excluded(column)) => column.clone(),
        (Expr::Identifier(_), Operand::Unknown) => "?".into(),
        (Expr::Function(function), _) => path(&function.name).pop().unwrap_or_default(),
        (Expr::Exists { .. }, _) => "exists".into(),
        (Expr::Case { .. }, _) => "case".into(),
        _ => "?column?".into(),
    }
}

/// A table without a schema and an alias.
fn plain_table(name: Name) -> crate::sql::statement::Table {
    crate::sql::statement::Table { schema: None, name, alias: None }
}

/// An entry of FROM that is computed and has no rows of its own.
fn computed(alias: Option<&ast::TableAlias>, function: Option<Name>) -> Option<Source> {
    let name = alias.map(|alias| name(&alias.name)).or(function)?;
    Some(Source { name, access: None, direct: false, passed: Vec::new() })
}

/// Tables joined to a query's first are joined wherever the query stands, but a sub-query's tables keep its place.
fn join_place(place: Place) -> Place {
    if place == Place::Main { Place::Join } else { place }
}

fn one(quantity: Option<&Expr>, absent: bool) -> Limit {
    let text = match quantity.map(plain) {
        Some(Expr::Value(value)) => value.to_string(),
        None if absent => return Limit::One,
        _ => return Limit::Many,
    };
    if text == "1" { Limit::One } else { Limit::Many }
}
