//! The reader of sqlparser's tree: what it keeps while it walks, and how its findings become a statement.

use sqlparser::ast;

use super::render::{self, Prepared};
use crate::lower::tree::Name;
use crate::sql::statement::{
    Access, Action, Aggregate, ConflictAction, LockCall, Operand, Output, Place, Statement, Table, TableLock, Verb,
};

/// A column that is not resolved for good carries the number of its access behind this character instead of a table.
/// When all is read, the number becomes "this very table" or the table's name, as seen from where the value stands.
const TAG: char = '\u{1}';

/// How deep the reader's own walks go. What lies deeper is unknown.
pub(super) const DEPTH: usize = 60;

pub(super) struct Reader<'a> {
    pub prepared: &'a Prepared,
    pub accesses: Vec<Access>,
    pub gaps: Vec<String>,
    /// The WITH clauses in force, innermost last.
    pub ctes: Vec<Cte>,
    /// Calls of lock functions, in the order of the text.
    pub calls: Vec<(Name, LockCall)>,
    pub table_locks: Vec<(Name, TableLock)>,
    /// The first aggregate of the expression that is being read, and the query level it belongs to.
    pub aggregate: Option<(usize, Aggregate)>,
    /// The table of the last sub-query of the expression that is being read.
    pub asked: Option<Name>,
    /// The bound values that were met so far, with those of the names of a WITH clause where one is used.
    pub bound: Vec<Operand>,
    /// The place of sub-queries in the expression that is being read.
    pub place: Place,
    /// Whether columns that are read now are handed out or computed with.
    pub records: bool,
    pub depth: usize,
    /// How many queries are open.
    pub level: usize,
}

/// One name of a WITH clause.
#[derive(Clone)]
pub(super) struct Cte {
    pub name: Name,
    pub access: Option<usize>,
    /// The columns it hands on from that access as they are; `*` for all.
    pub passed: Vec<Name>,
    /// The bound values that it is made with.
    pub bound: Vec<Operand>,
}

/// The tables of one FROM clause.
#[derive(Default)]
pub(super) struct Level<'p> {
    pub sources: Vec<Source>,
    pub outer: Option<&'p Level<'p>>,
    /// Names of the row that would be inserted: `excluded`, MySQL's row alias.
    pub excluded: Vec<Name>,
}

/// One entry of a FROM clause.
#[derive(Clone)]
pub(super) struct Source {
    /// The name columns are qualified with.
    pub name: Name,
    /// The table it reads, where that is one.
    pub access: Option<usize>,
    /// Whether the table itself stands here, and not a query over it.
    pub direct: bool,
    /// Of a query: the columns it hands on from its table as they are; `*` for all.
    pub passed: Vec<Name>,
}

impl Source {
    /// A table that stands in FROM itself.
    pub fn table(name: Name, access: usize) -> Self {
        Self { name, access: Some(access), direct: true, passed: Vec::new() }
    }

    /// The access a column of this source belongs to.
    pub fn owner(&self, column: &Name) -> Option<usize> {
        let known = self.direct || self.passed.iter().any(|passed| passed == column || passed == "*");
        self.access.filter(|_| known)
    }
}

/// Turns a tree into statements: the statement, after the table locks its hints ask for. None when it is of no kind
/// that is read here.
pub(super) fn read(tree: &ast::Statement, prepared: &Prepared) -> Option<Vec<Statement>> {
    let mut reader = Reader {
        prepared,
        accesses: Vec::new(),
        gaps: Vec::new(),
        ctes: Vec::new(),
        calls: Vec::new(),
        table_locks: Vec::new(),
        aggregate: None,
        asked: None,
        bound: Vec::new(),
        place: Place::InWhere,
        records: false,
        depth: 0,
        level: 0,
    };
    let (verb, output) = reader.statement(tree, Place::Main)?;
    if prepared.holes > 0 {
        reader.gaps.push("a clause of the text is not constant".to_owned());
    }
    Some(reader.finish(verb, output))
}

impl Level<'_> {
    /// The tables that stand in this very FROM clause.
    pub fn accesses(&self) -> impl Iterator<Item = usize> + '_ {
        self.sources.iter().filter_map(|source| source.access)
    }

    pub fn has(&self, access: usize) -> bool {
        self.accesses().any(|a| a == access)
    }

    /// Whether the table itself stands here, so that a condition of this level narrows its rows.
    pub fn direct(&self, access: usize) -> bool {
        self.sources.iter().any(|source| source.access == Some(access) && source.direct)
    }
}

impl Reader<'_> {
    /// Adds an access and gives its number.
    pub fn access(&mut self, table: Table, action: Action, place: Place) -> usize {
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

    pub fn column_used(&mut self, access: usize, column: &Name) {
        if let Some(access) = self.accesses.get_mut(access)
            && !access.columns.contains(column)
        {
            access.columns.push(column.clone());
        }
    }

    /// Runs `walk` one level deeper, or gives None at the limit.
    pub fn deeper<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= DEPTH {
            let gap = "nested too deep";
            if self.gaps.iter().all(|known| known != gap) {
                self.gaps.push(gap.to_owned());
            }
            return None;
        }
        self.depth += 1;
        let out = walk(self);
        self.depth -= 1;
        Some(out)
    }

    fn finish(mut self, verb: Verb, mut output: Vec<Output>) -> Vec<Statement> {
        let names: Vec<Name> = self.accesses.iter().map(|access| access.table.name.clone()).collect();
        for (own, access) in self.accesses.iter_mut().enumerate() {
            access.filter.iter_mut().for_each(|p| settle(&mut p.value, Some(own), &names));
            access.sets.iter_mut().for_each(|set| settle(&mut set.value, Some(own), &names));
            if let Some(ConflictAction::Update { sets, filter }) = access.conflict.as_mut().map(|c| &mut c.action) {
                sets.iter_mut().for_each(|set| settle(&mut set.value, Some(own), &names));
                filter.iter_mut().for_each(|p| settle(&mut p.value, Some(own), &names));
            }
        }
        // What the select list calls is in its outputs already; the rest is called in some inner place.
        for (name, call) in self.calls {
            if output.iter().all(|o| o.lock.as_ref() != Some(&call)) {
                output.push(Output { lock: Some(call), ..Output::of(name, Vec::new()) });
            }
        }
        for lock in output.iter_mut().filter_map(|o| o.lock.as_mut()) {
            lock.key.iter_mut().for_each(|key| settle(key, None, &names));
        }
        let write = matches!(verb, Verb::Select) && self.accesses.iter().any(|a| a.action != Action::Read);
        self.accesses.sort_by_key(|access| match write {
            true => access.action == Action::Read,
            false => access.place != Place::Main,
        });
        let mut statements = Vec::new();
        if !self.table_locks.is_empty() {
            let verb = Verb::LockTables(self.table_locks);
            statements.push(Statement { verb, accesses: Vec::new(), output: Vec::new(), gaps: Vec::new() });
        }
        statements.push(Statement { verb, accesses: self.accesses, output, gaps: self.gaps });
        statements
    }
}

/// A column of the access with this number, or of the table of this name.
pub(super) fn tagged(access: Option<usize>, qualifier: Option<Name>, column: Name) -> Operand {
    let table = access.map(|access| format!("{TAG}{access}").into()).or(qualifier);
    Operand::Column { table, column }
}

/// The access a column was tagged with.
pub(super) fn tag(table: Option<&Name>) -> Option<usize> {
    table?.strip_prefix(TAG)?.parse().ok()
}

/// The columns of one access that an operand names.
pub(super) fn columns_of(operand: &Operand, access: usize) -> Vec<Name> {
    let mut out: Vec<Name> = Vec::new();
    outside(operand, &mut |table, column| {
        if tag(table) == Some(access) && !out.contains(column) {
            out.push(column.clone());
        }
    });
    out
}

/// Visits the columns of an operand that stand outside of sub-queries.
pub(super) fn outside<'o>(operand: &'o Operand, visit: &mut dyn FnMut(Option<&'o Name>, &'o Name)) {
    match operand {
        Operand::Column { table, column } => visit(table.as_ref(), column),
        Operand::Expr { parts, .. } => parts.iter().for_each(|part| outside(part, visit)),
        _ => {}
    }
}

/// Replaces tags by names, as seen from the access `own`.
fn settle(operand: &mut Operand, own: Option<usize>, names: &[Name]) {
    match operand {
        Operand::Column { table, .. } => {
            let Some(access) = tag(table.as_ref()) else { return };
            *table = if Some(access) == own { None } else { names.get(access).cloned() };
        }
        Operand::Expr { parts, .. } => parts.iter_mut().for_each(|part| settle(part, own, names)),
        // A sub-query may read another row of the very table, so its columns always name theirs.
        Operand::Subquery(parts) => parts.iter_mut().for_each(|part| settle(part, None, names)),
        _ => {}
    }
}

/// A name as the schema knows it: lower case unless quoted, `?` for what is not constant.
pub(super) fn name(ident: &ast::Ident) -> Name {
    match ident.quote_style {
        Some(_) => render::restore(&ident.value),
        None => render::restore(&ident.value.to_lowercase()),
    }
}

/// The names of a path such as `schema.table`.
pub(super) fn path(name_parts: &ast::ObjectName) -> Vec<Name> {
    name_parts.0.iter().filter_map(|part| part.as_ident()).map(name).collect()
}

/// A table's name with its schema.
pub(super) fn table(object: &ast::ObjectName, alias: Option<Name>) -> Table {
    let mut path = path(object);
    let name = path.pop().unwrap_or_else(|| "?".into());
    Table { schema: path.pop(), name, alias }
}
