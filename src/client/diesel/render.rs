//! Drafts to statements: the same words that SQL text gives, with a placeholder for each value.

mod predicate;

use crate::client::diesel::expr::Expr;
use crate::client::diesel::select::{Item, Select, Source};
use crate::client::diesel::write::{OnConflictDo, Write};
use crate::flow::value::Value;
use crate::lower::tree::Name;
use crate::sql::parse::{aggregate, lock_call};
use crate::sql::statement::{
    Access, Action, Aggregate, Assignment, Compare, Conflict, ConflictAction, Operand, Output, Place, Statement, Table,
    Verb,
};

/// A SELECT, and the values of its placeholders in their order.
pub(super) fn select(select: &Select) -> (Statement, Vec<Value>) {
    let mut render = Render::default();
    let rows = render.select(select, Place::Main, None);
    render.finish(Verb::Select, rows.output)
}

/// A write, and the values of its placeholders in their order.
pub(super) fn write(write: &Write) -> (Statement, Vec<Value>) {
    let mut render = Render::default();
    let target = render.access(&write.table, write.action, Place::Main);
    let level = Level { sources: vec![(write.table.key().clone(), target)], outer: None };
    let verb = match write.action {
        Action::Insert => Verb::Insert,
        Action::Update => Verb::Update,
        Action::Delete => Verb::Delete,
        Action::Read => Verb::Select,
    };
    let sets = match &write.source {
        Some(source) => render.inserted_rows(source, write),
        None => render.assignments(&write.sets, if write.action == Action::Insert { None } else { Some(&level) }),
    };
    if let Some(access) = render.accesses.get_mut(target) {
        access.sets = sets;
    }
    render.conflict(write, &level, target);
    for condition in &write.filter {
        render.filter(condition, &level, Some(target));
    }
    let output = match &write.returning {
        Some(items) => render.outputs(items, &level).0,
        None => Vec::new(),
    };
    render.finish(verb, output)
}

/// A column that is not settled carries the number of its access behind this character instead of a table, since the
/// same column is "this table's" for one access and "that table's" for another.
const TAG: char = '\u{1}';

/// How deep queries and expressions are followed. What lies deeper is unknown.
const DEPTH: usize = 40;

#[derive(Default)]
struct Render {
    accesses: Vec<Access>,
    binds: Vec<Value>,
    /// Where sub-queries of the expression that is being read stand.
    place: Option<Place>,
    /// Whether columns that are read now are handed out or computed with.
    records: bool,
    depth: usize,
}

/// The tables of one FROM clause, by the names that columns are qualified with.
struct Level<'a> {
    sources: Vec<(Name, usize)>,
    outer: Option<&'a Level<'a>>,
}

impl Level<'_> {
    fn has(&self, access: usize) -> bool {
        self.sources.iter().any(|(_, known)| *known == access)
    }

    fn main(&self) -> Option<usize> {
        self.sources.first().map(|(_, access)| *access)
    }
}

#[derive(Default)]
struct Rows {
    output: Vec<Output>,
    values: Vec<Operand>,
}

impl Render {
    fn access(&mut self, source: &Source, action: Action, place: Place) -> usize {
        let table = Table { schema: source.schema.clone(), name: source.name.clone(), alias: source.alias.clone() };
        self.accesses.push(Access {
            table,
            action,
            place,
            filter: Vec::new(),
            columns: Vec::new(),
            sets: Vec::new(),
            lock: None,
            aggregate: None,
            limit: None,
            ordered: false,
            conflict: None,
        });
        self.accesses.len() - 1
    }

    fn select(&mut self, select: &Select, place: Place, outer: Option<&Level<'_>>) -> Rows {
        if self.depth >= DEPTH {
            return Rows::default();
        }
        self.depth += 1;
        let mut level = Level { sources: Vec::new(), outer };
        for source in &select.from {
            let joined = !level.sources.is_empty() && place == Place::Main;
            let access = self.access(source, Action::Read, if joined { Place::Join } else { place });
            level.sources.push((source.key().clone(), access));
        }
        for condition in &select.on {
            self.filter(condition, &level, level.sources.last().map(|(_, access)| *access));
        }
        let (output, values) = match &select.output {
            Some(items) => self.outputs(items, &level),
            None => {
                let (output, value) = self.all_columns(&level.sources);
                (vec![output], vec![value])
            }
        };
        let here: Vec<usize> = level.sources.iter().map(|(_, access)| *access).collect();
        let nested = |item: &Item| matches!(item, Item::Expr(Expr::Exists(_) | Expr::Subquery(_)));
        let own = select.output.as_ref().is_some_and(|items| items.iter().any(|item| !nested(item)));
        let computed = output.iter().find_map(|output| output.aggregate).filter(|_| own);
        for &number in &here {
            let Some(access) = self.accesses.get_mut(number) else { continue };
            access.aggregate = computed;
            access.limit = select.limit;
            access.ordered |= select.ordered;
            access.lock = select.lock.clone();
        }
        for condition in &select.filter {
            self.filter(condition, &level, level.main());
        }
        self.depth -= 1;
        Rows { output, values }
    }

    /// The rows of another query, column by column.
    fn inserted_rows(&mut self, source: &Select, write: &Write) -> Vec<Assignment> {
        let before = (self.place, self.records);
        (self.place, self.records) = (Some(Place::InSelect), true);
        let rows = self.select(source, Place::Source, None);
        (self.place, self.records) = before;
        let names = write.sets.iter().map(|(column, _)| Some(column.clone())).chain(std::iter::repeat(None));
        let unnamed = || Name::new("?");
        rows.values
            .into_iter()
            .zip(names)
            .map(|(value, column)| Assignment { column: column.unwrap_or_else(unnamed), value })
            .collect()
    }

    fn assignments(&mut self, sets: &[(Name, Expr)], level: Option<&Level<'_>>) -> Vec<Assignment> {
        let before = (self.place, self.records);
        (self.place, self.records) = (Some(Place::InSet), true);
        let none = Level { sources: Vec::new(), outer: None };
        let level = level.unwrap_or(&none);
        let done = sets
            .iter()
            .map(|(column, value)| Assignment { column: column.clone(), value: self.operand(value, level) })
            .collect();
        (self.place, self.records) = before;
        done
    }

    fn conflict(&mut self, write: &Write, level: &Level<'_>, target: usize) {
        let Some(conflict) = &write.conflict else { return };
        let action = match &conflict.action {
            OnConflictDo::Open | OnConflictDo::Nothing => ConflictAction::Nothing,
            OnConflictDo::Replace => ConflictAction::Replace,
            OnConflictDo::Update { sets, filter } => {
                let sets = self.assignments(sets, Some(level));
                // Conditions are gathered on the target, then moved to the clause they belong to.
                let held = self.accesses.get_mut(target).map(|access| std::mem::take(&mut access.filter));
                for condition in filter {
                    self.filter(condition, level, Some(target));
                }
                let own = self
                    .accesses
                    .get_mut(target)
                    .map(|access| std::mem::replace(&mut access.filter, held.unwrap_or_default()));
                ConflictAction::Update { sets, filter: own.unwrap_or_default() }
            }
        };
        if let Some(access) = self.accesses.get_mut(target) {
            access.conflict = Some(Conflict { target: conflict.target.clone(), action });
        }
    }

    fn outputs(&mut self, items: &[Item], level: &Level<'_>) -> (Vec<Output>, Vec<Operand>) {
        let before = (self.place, self.records);
        if self.place != Some(Place::InSet) {
            self.place = Some(Place::InSelect);
        }
        self.records = true;
        let mut out = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Item::Expr(expr) => {
                    let value = self.operand(expr, level);
                    out.0.push(output(expr, &value));
                    out.1.push(value);
                }
                Item::All(table) => {
                    let found: Vec<_> = level.sources.iter().filter(|(key, _)| key == table).cloned().collect();
                    let (output, value) = self.all_columns(&found);
                    out.0.push(output);
                    out.1.push(value);
                }
                Item::Model { table, fields, .. } => self.model(table, fields, items.len() == 1, level, &mut out),
            }
        }
        (self.place, self.records) = before;
        out
    }

    /// A model alone gives a column for each of its fields; one of several entries is one entry.
    fn model(
        &mut self,
        table: &Name,
        fields: &[(Name, Name)],
        alone: bool,
        level: &Level<'_>,
        out: &mut (Vec<Output>, Vec<Operand>),
    ) {
        let columns = fields.iter().map(|(_, column)| Expr::Column { table: table.clone(), column: column.clone() });
        let values: Vec<Operand> = columns.map(|column| self.operand(&column, level)).collect();
        if !alone {
            let from = fields.iter().map(|(_, column)| column.clone()).collect();
            out.0.push(Output::of(Name::new("*"), from));
            out.1.push(Operand::Expr { text: "row".to_owned(), parts: values });
            return;
        }
        for ((field, column), value) in fields.iter().zip(values) {
            out.0.push(Output::of(field.clone(), vec![column.clone()]));
            out.1.push(value);
        }
    }

    fn all_columns(&mut self, sources: &[(Name, usize)]) -> (Output, Operand) {
        let star = Name::new("*");
        for (_, access) in sources {
            self.column_used(*access, &star);
        }
        let value = tagged(sources.first().map(|(_, access)| *access), star.clone());
        (Output::of(star.clone(), vec![star]), value)
    }

    fn column_used(&mut self, access: usize, column: &Name) {
        if let Some(access) = self.accesses.get_mut(access)
            && !access.columns.contains(column)
        {
            access.columns.push(column.clone());
        }
    }

    /// An expression as a value, its columns tagged with their access.
    fn operand(&mut self, expr: &Expr, level: &Level<'_>) -> Operand {
        if self.depth >= DEPTH {
            return Operand::Unknown;
        }
        self.depth += 1;
        let value = self.operand_at(expr, level);
        self.depth -= 1;
        value
    }

    fn operand_at(&mut self, expr: &Expr, level: &Level<'_>) -> Operand {
        match expr {
            Expr::Column { table, column } => self.column(table, column, level),
            Expr::Value(value) => {
                self.binds.push((**value).clone());
                Operand::Placeholder(self.binds.len() - 1)
            }
            Expr::Literal(text) => Operand::Literal(text.clone()),
            Expr::Null => Operand::Null,
            Expr::Excluded(column) => Operand::Excluded(column.clone()),
            Expr::Compare(left, op, right) => {
                let mut parts = vec![self.operand(left, level)];
                if !matches!(op, Compare::IsNull | Compare::IsNotNull) {
                    parts.push(self.operand(right, level));
                }
                call(sign(*op), parts)
            }
            Expr::All(parts) => call("and", self.operands(parts, level)),
            Expr::Any(parts) => call("or", self.operands(parts, level)),
            Expr::Not(inner) => call("not", vec![self.operand(inner, level)]),
            Expr::Call(text, parts) => call(text, self.operands(parts, level)),
            Expr::Sql { text, columns, binds, .. } => {
                let mut parts: Vec<Operand> =
                    columns.iter().map(|column| tagged(level.main(), column.clone())).collect();
                parts.extend(self.operands(binds, level));
                call(text, parts)
            }
            Expr::Exists(select) => {
                let place = match self.place {
                    Some(Place::InWhere) => Place::Exists,
                    place => place.unwrap_or(Place::InSelect),
                };
                self.exists(select, place, level)
            }
            Expr::Subquery(select) => self.subquery(select, self.place.unwrap_or(Place::InWhere), level),
            Expr::Unknown => Operand::Unknown,
        }
    }

    fn operands(&mut self, parts: &[Expr], level: &Level<'_>) -> Vec<Operand> {
        parts.iter().map(|part| self.operand(part, level)).collect()
    }

    fn column(&mut self, table: &Name, column: &Name, level: &Level<'_>) -> Operand {
        let mut scope = Some(level);
        while let Some(level) = scope {
            if let Some((_, access)) = level.sources.iter().find(|(key, _)| key == table) {
                if self.records {
                    self.column_used(*access, column);
                }
                return tagged(Some(*access), column.clone());
            }
            scope = level.outer;
        }
        Operand::Column { table: Some(table.clone()), column: column.clone() }
    }

    fn subquery(&mut self, select: &Select, place: Place, level: &Level<'_>) -> Operand {
        let before = (self.place, self.records);
        let from = self.accesses.len();
        let rows = self.select(select, place, Some(level));
        (self.place, self.records) = before;
        let mut parts = rows.values;
        for predicate in self.accesses.iter().skip(from).flat_map(|access| &access.filter) {
            predicate.value.walk(&mut |part| {
                if matches!(part, Operand::Placeholder(_) | Operand::Named(_) | Operand::Column { .. }) {
                    parts.push(part.clone());
                }
            });
        }
        Operand::Subquery(parts)
    }

    fn exists(&mut self, select: &Select, place: Place, level: &Level<'_>) -> Operand {
        let from = self.accesses.len();
        let value = self.subquery(select, place, level);
        for access in self.accesses.iter_mut().skip(from).filter(|access| access.place == place) {
            access.aggregate = Some(Aggregate::Exists);
        }
        value
    }

    fn finish(mut self, verb: Verb, mut output: Vec<Output>) -> (Statement, Vec<Value>) {
        let names: Vec<Name> = self.accesses.iter().map(|access| access.table.name.clone()).collect();
        for (own, access) in self.accesses.iter_mut().enumerate() {
            let mut values: Vec<&mut Operand> = access.filter.iter_mut().map(|part| &mut part.value).collect();
            values.extend(access.sets.iter_mut().map(|set| &mut set.value));
            if let Some(ConflictAction::Update { sets, filter }) = access.conflict.as_mut().map(|c| &mut c.action) {
                values.extend(sets.iter_mut().map(|set| &mut set.value));
                values.extend(filter.iter_mut().map(|part| &mut part.value));
            }
            values.into_iter().for_each(|value| settle(value, Some(own), &names));
        }
        for lock in output.iter_mut().filter_map(|output| output.lock.as_mut()) {
            lock.key.iter_mut().for_each(|key| settle(key, None, &names));
        }
        self.accesses.sort_by_key(|access| access.place != Place::Main);
        (Statement { verb, accesses: self.accesses, output, gaps: Vec::new() }, self.binds)
    }
}

/// One column of the result, named as engines name columns without an alias (PostgreSQL manual, 7.3.2).
fn output(expr: &Expr, value: &Operand) -> Output {
    let mut from: Vec<Name> = Vec::new();
    value.walk(&mut |part| {
        if let Operand::Column { column, .. } = part
            && !from.contains(column)
        {
            from.push(column.clone());
        }
    });
    let (name, lock) = match (expr, value) {
        (Expr::Column { column, .. } | Expr::Excluded(column), _) => (column.clone(), None),
        (Expr::Exists(_), _) => (Name::new("exists"), None),
        (Expr::Call(text, _), Operand::Expr { parts, .. }) => match text.strip_suffix("()") {
            Some(function) => (Name::new(function), lock_call(function, parts)),
            None if text == "case" => (Name::new("case"), None),
            None => (Name::new("?column?"), None),
        },
        _ => (Name::new("?column?"), None),
    };
    Output { lock, aggregate: aggregate_in(expr, 0), ..Output::of(name, from) }
}

/// The first aggregate of an expression.
fn aggregate_in(expr: &Expr, depth: usize) -> Option<Aggregate> {
    if depth > DEPTH {
        return None;
    }
    match expr {
        Expr::Exists(_) => Some(Aggregate::Exists),
        Expr::Sql { aggregate, .. } => *aggregate,
        Expr::Call(text, parts) => text
            .strip_suffix("()")
            .and_then(aggregate)
            .or_else(|| parts.iter().find_map(|part| aggregate_in(part, depth + 1))),
        Expr::Compare(left, _, right) => aggregate_in(left, depth + 1).or_else(|| aggregate_in(right, depth + 1)),
        Expr::Not(inner) => aggregate_in(inner, depth + 1),
        Expr::Subquery(select) => select.output.iter().flatten().find_map(|item| match item {
            Item::Expr(expr) => aggregate_in(expr, depth + 1),
            _ => None,
        }),
        _ => None,
    }
}

fn tagged(access: Option<usize>, column: Name) -> Operand {
    Operand::Column { table: access.map(|access| Name::new(format!("{TAG}{access}"))), column }
}

fn tag(table: Option<&Name>) -> Option<usize> {
    table?.strip_prefix(TAG)?.parse().ok()
}

fn column_of(value: &Operand, level: &Level<'_>) -> Option<(usize, Name)> {
    let Operand::Column { table, column } = value else { return None };
    let access = tag(table.as_ref()).filter(|access| level.has(*access))?;
    Some((access, column.clone()))
}

/// Replaces tags by names, as seen from the access `own`.
fn settle(operand: &mut Operand, own: Option<usize>, names: &[Name]) {
    match operand {
        Operand::Column { table, .. } => {
            let Some(access) = tag(table.as_ref()) else { return };
            *table = if Some(access) == own { None } else { names.get(access).cloned() };
        }
        Operand::Expr { parts, .. } | Operand::Subquery(parts) => {
            parts.iter_mut().for_each(|part| settle(part, own, names));
        }
        _ => {}
    }
}

fn call(text: &str, parts: Vec<Operand>) -> Operand {
    Operand::Expr { text: text.to_owned(), parts }
}

fn sign(op: Compare) -> &'static str {
    match op {
        Compare::Eq => "=",
        Compare::Ne => "<>",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
        Compare::In => "in",
        Compare::NotIn => "not in",
        Compare::IsNull => "is null",
        Compare::IsNotNull => "is not null",
        Compare::Like => "like",
        Compare::Other => "?",
    }
}
