//! Condition and change in one statement, on the row's newest version.

use super::condition::{Said, Speaker};
use super::sql::{Rendered, Sql};
use super::{Case, outcome, way};
use crate::dialect::Dialect;
use crate::event::CondId;
use crate::finding::{Rewrite, RewriteKind};
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::race::rows::Relation;
use crate::race::{LooksAt, Written};
use crate::sql::statement::{Access as TableAccess, Action, Assignment, Compare, Operand};

/// A statement with more values than this is no longer read by anybody.
const VALUES: usize = 12;

/// The most columns that are compared with what was read.
const COMPARED: usize = 3;

/// The write with the check in its WHERE and the new value computed by the database; none when one of the two cannot be
/// said in SQL.
pub fn rewrite(case: Case<'_, '_>) -> Option<Rewrite> {
    let row = Row::of(case)?;
    let guards = row.guards()?;
    let sets = row.sets()?;
    let relative = row.changed().any(|set| row.is_stale(set));
    let narrowed = row.changed().count() < row.target.sets.len();
    if guards.is_empty() && !relative && !narrowed && row.target.action == Action::Update {
        return None;
    }
    let checked = !guards.is_empty() || row.target.filter.iter().any(|predicate| predicate.op != Compare::Eq);
    let rendered = row.statement(sets, guards, row.keys()?)?;
    let title = match (row.target.action, checked) {
        (Action::Delete, _) => "let the DELETE itself find out whether the row is still there".to_owned(),
        (_, true) if !relative || row.guards().is_some_and(|guards| !guards.is_empty()) => {
            "check and change in one statement".to_owned()
        }
        _ if !relative => "write only the columns that change".to_owned(),
        _ => format!("let the database compute {}", row.stale_columns()),
    };
    let refusal = match row.target.action {
        Action::Delete => "no row means that somebody else had it: refuse there".to_owned(),
        _ if checked && goes_another_way(case) => format!(
            "no row changed means that the check does not hold any more, or that there is no such row: read again there, \
             and go the other way ({})",
            outcome::word(case)
        ),
        _ if checked => format!(
            "no row changed means that the check does not hold any more, or that there is no such row: refuse there ({})",
            outcome::word(case)
        ),
        _ => format!("no row changed means that there is no such row ({})", outcome::word(case)),
    };
    Some(finished(RewriteKind::AtomicStatement, title, rendered, &refusal))
}

/// Whether who is turned away by a check writes the table in another way, and is refused nothing.
fn goes_another_way(case: Case<'_, '_>) -> bool {
    let (scene, target) = (case.scene, case.target());
    let conds = case.claim.sequence.checks.iter().filter_map(|check| Some(scene.ev.cond(check.cond?)));
    let branches = conds.filter_map(|cond| cond.decides).filter(|decides| decides.is_if && decides.left == 0);
    let mut branches = branches.map(|decides| decides.branch);
    branches.any(|branch| {
        let Some(own) = case.write.path.arms_of(branch) else { return false };
        scene.flow.events.iter().any(|event| {
            let other = event.path.arms_of(branch).is_some_and(|arms| arms & own == 0);
            other
                && event.target().map(|written| &written.table.name) == target.map(|target| &target.table.name)
                && event.calls.len() == case.write.calls.len()
        })
    })
}

/// The write of the columns alone that a request changes, where the rest of the row is only handed back; none where a new
/// value cannot be said.
pub fn changed_only(case: Case<'_, '_>) -> Option<Rewrite> {
    let row = Row::of(case)?;
    // What follows from a column that stays, stays.
    let follows = |set: &&Assignment| {
        let sequence = &case.claim.sequence;
        sequence.values.iter().any(|value| {
            let stays = |from: &Name| sequence.values.iter().any(|own| own.column == *from && own.is_handed_back());
            let from = matches!(&value.from, LooksAt::Column(from) if stays(from));
            value.column == set.column && sequence.follows(value) && from
        })
    };
    let mut changed = row.target.sets.iter().filter(|set| !follows(set) && !row.stays(set)).peekable();
    changed.peek()?;
    if row.target.action != Action::Update || !row.target.sets.iter().any(|set| row.stays(set)) {
        return None;
    }
    let sets = changed.map(|set| row.patched(set)).collect::<Option<Vec<Sql>>>()?;
    let rendered = row.statement(sets, Vec::new(), row.own_keys()?)?;
    let note = "what others write to the rest of the row stays";
    Some(finished(RewriteKind::AtomicStatement, "write only the columns that change".to_owned(), rendered, note))
}

/// The write as it is, under a version that each write moves on. What it sets stays as it is: `…`.
pub fn versioned(case: Case<'_, '_>) -> Option<Rewrite> {
    let row = Row::of(case)?;
    let words = case.words(case.writes, row.target);
    if row.target.action != Action::Update {
        return None;
    }
    let version = free_version(case, row.target)?;
    let name = words.name(&row.target.table.name);
    let mut guard = Sql::text(format!("{version} = "));
    guard.append(Sql::called("the version that was read".to_owned()));
    let next = Sql::text(format!("{STAYS}{version} = {version} + 1"));
    let rendered = row.statement(vec![next], vec![guard], row.own_keys()?)?;
    let text = format!("ALTER TABLE {name} ADD COLUMN {version} BIGINT NOT NULL DEFAULT 0;\n{}", rendered.text);
    Some(under_version(case, Rendered { text, ..rendered }))
}

/// What stands for the assignments of the program that stay as they are.
pub const STAYS: &str = "…, ";
/// What stands for the row that an upsert of the program inserts.
pub const ROW_STAYS: &str = "(…) VALUES (…)";

/// A name for a version that no column of the table has; none where its columns are not known.
pub fn free_version(case: Case<'_, '_>, target: &TableAccess) -> Option<&'static str> {
    let table = case.scene.schema.table(&target.table.name)?;
    let free = |name: &&str| table.columns.iter().all(|def| def.name != *name);
    ["version", "row_version"].into_iter().find(|name| !table.columns.is_empty() && free(name))
}

pub fn under_version(case: Case<'_, '_>, rendered: Rendered) -> Rewrite {
    let note = format!(
        "each statement that writes these rows moves the version on; no row changed means that another request was first: \
         read again, or refuse ({})",
        outcome::word(case)
    );
    let title = "write only if the row is still the one that was read".to_owned();
    finished(RewriteKind::AtomicStatement, title, rendered, &note)
}

/// The write as it is, under the condition that the columns it was decided by are still what was read.
pub fn compare_and_set(case: Case<'_, '_>) -> Option<Rewrite> {
    let row = Row::of(case)?;
    if row.target.action != Action::Update || row.guards().is_some() && row.sets().is_some() {
        return None;
    }
    let columns = compared(case, row.target)?;
    let words = case.words(case.writes, row.target);
    let sets = row.target.sets.iter().map(|set| {
        let mut said = Sql::text(words.name(&set.column));
        said.push(" = ").append(words.operand(&set.value, Some(&set.column))?);
        Some(said)
    });
    let sets = sets.collect::<Option<Vec<Sql>>>()?;
    let old = columns.iter().map(|column| {
        let op = if is_nullable(case, row.target, column) { same_as(case) } else { "=" };
        let mut said = Sql::text(words.name(column));
        said.push(" ").push(op).push(" ").append(Sql::called(format!("the {column} that was read")));
        said
    });
    let rendered = row.statement(sets, old.collect(), row.own_keys()?)?;
    let verb = if columns.len() == 1 { "is" } else { "are" };
    let title = format!("write only if {} {verb} still what was read", columns.join(" and "));
    let note =
        format!("no row changed means that another request was first: read again, or refuse ({})", outcome::word(case));
    Some(finished(RewriteKind::AtomicStatement, title, rendered, &note))
}

/// The columns by which a write is decided, or of which its values are made, as far as a statement changes them; none where
/// they are not known, too many, or cannot be compared.
pub fn compared(case: Case<'_, '_>, target: &TableAccess) -> Option<Vec<Name>> {
    let mut columns: Vec<Name> = Vec::new();
    let (checks, values) = (&case.claim.sequence.checks, &case.claim.sequence.values);
    for part in checks.iter().map(|check| &check.looks_at).chain(values.iter().map(|value| &value.from)) {
        match part {
            LooksAt::Column(column) if !column.chars().all(|c| c.is_ascii_digit()) => columns.push(column.clone()),
            LooksAt::Existence => {}
            _ => return None,
        }
    }
    // What no statement changes is still what was read.
    columns.retain(|column| case.scene.rivals.changes(&target.table.name, column));
    columns.sort_unstable();
    columns.dedup();
    let fit = !columns.is_empty() && columns.len() <= COMPARED;
    (fit && !columns.iter().any(|column| is_incomparable(case, target, column))).then_some(columns)
}

/// The operator for which NULL is the same as NULL.
pub fn same_as(case: Case<'_, '_>) -> &'static str {
    // SQLite knows the standard's operator since 3.39; a statement may be sent to another engine as well.
    let only_sqlite = || {
        let said = case.scene.ev.workspace.crates.iter().flat_map(|krate| &krate.dialects);
        said.into_iter().all(|dialect| *dialect == Dialect::Sqlite)
    };
    match case.dialect {
        Dialect::MySql => "<=>",
        Dialect::Sqlite if only_sqlite() => "IS",
        Dialect::Sqlite | Dialect::Postgres | Dialect::Cockroach | Dialect::MsSql => "IS NOT DISTINCT FROM",
    }
}

/// PostgreSQL's `json` has no equality.
fn is_incomparable(case: Case<'_, '_>, target: &TableAccess, column: &Name) -> bool {
    case.dialect.is_postgres_like()
        && case.scene.schema.table(&target.table.name).is_some_and(|table| {
            let of_type = |ty: &str| matches!(ty, "json" | "xml" | "point");
            table.columns.iter().any(|def| def.name == *column && of_type(def.ty.as_str()))
        })
}

pub fn is_nullable(case: Case<'_, '_>, target: &TableAccess, column: &Name) -> bool {
    let table = case.scene.schema.table(&target.table.name);
    let def = table.and_then(|table| table.columns.iter().find(|def| def.name == *column).map(|def| (table, def)));
    def.is_none_or(|(table, def)| def.nullable && !table.primary_key.contains(column))
}

pub fn finished(kind: RewriteKind, title: String, rendered: Rendered, note: &str) -> Rewrite {
    let note = match rendered.legend.as_str() {
        "" => note.to_owned(),
        legend => format!("{note}; {legend}"),
    };
    Rewrite { kind, title, language: "sql", text: rendered.text, note }
}

/// A row that is read by one statement and written by another.
pub struct Row<'a, 'p> {
    case: Case<'a, 'p>,
    source: &'a TableAccess,
    pub target: &'a TableAccess,
    speaker: Speaker<'a, 'p>,
}

impl<'a, 'p> Row<'a, 'p> {
    /// None when the two are not surely one row, or other tables take part.
    pub fn of(case: Case<'a, 'p>) -> Option<Self> {
        matches!(case.target()?.action, Action::Update | Action::Delete).then(|| Self::written(case))?
    }

    /// The same where an upsert writes over the row.
    pub fn upserted(case: Case<'a, 'p>) -> Option<Self> {
        (case.target()?.action == Action::Insert).then(|| Self::written(case))?
    }

    fn written(case: Case<'a, 'p>) -> Option<Self> {
        let (source, target) = (case.source()?, case.target()?);
        let same = match case.claim.sequence.relation {
            Relation::SameRow | Relation::LikelySameRow => true,
            // An upsert may put it there as well.
            Relation::NewRowOfSet => target.action == Action::Insert,
            _ => false,
        };
        let single = case.writes.statement.accesses.len() == 1 && case.reads.statement.accesses.len() == 1;
        if !same || !single || source.aggregate.is_some() || case.read.id == case.write.id {
            return None;
        }
        let words = case.words(case.writes, target);
        let speaker = Speaker { words, read: case.read.id, output: &case.reads.statement.output };
        Some(Self { case, source, target, speaker })
    }

    /// The checks between read and write as conditions on the row; none when one of them cannot be said.
    pub fn guards(&self) -> Option<Vec<Sql>> {
        let mut conds: Vec<CondId> = Vec::new();
        for check in &self.case.claim.sequence.checks {
            match check.cond {
                Some(cond) if check.looks_at != LooksAt::Existence => conds.push(cond),
                // What stands in the read's own WHERE is repeated with its keys.
                _ => {}
            }
        }
        conds.sort_unstable();
        conds.dedup();
        let mut said = Vec::new();
        for id in conds {
            let cond = self.case.scene.ev.cond(id);
            if self.only_found(cond.term) {
                continue;
            }
            let way = way::find(self.case.scene, cond, self.case.write)?;
            match self.speaker.condition(way, cond.term)? {
                Said::Always => {}
                Said::Sql(sql) if said.contains(&sql) => {}
                Said::Sql(sql) => said.push(sql),
            }
        }
        Some(said)
    }

    /// Asks only whether the row was found.
    fn only_found(&self, term: TermId) -> bool {
        let origins = self.case.scene.ev.terms.origins(term);
        origins
            .iter()
            .filter(|origin| origin.event == self.case.read.id)
            .all(|origin| origin.part == crate::flow::term::Part::Existence)
    }

    /// What the write sets, with values from the read computed by the database.
    pub fn sets(&self) -> Option<Vec<Sql>> {
        let set = |set: &Assignment| {
            let mut said = Sql::text(self.speaker.words.name(&set.column));
            said.push(" = ").append(self.new_value(set)?);
            Some(said)
        };
        self.changed().map(set).collect()
    }

    /// What the write sets, without the columns that only get back what was read from them.
    fn changed(&self) -> impl Iterator<Item = &'a Assignment> {
        let values = &self.case.claim.sequence.values;
        self.target.sets.iter().filter(move |set| {
            let mut own = values.iter().filter(|value| value.column == set.column).peekable();
            own.peek().is_none() || own.any(|value| !value.is_handed_back())
        })
    }

    fn new_value(&self, set: &Assignment) -> Option<Sql> {
        let words = self.speaker.words;
        if !self.is_stale(set) {
            return words.operand(&set.value, Some(&set.column));
        }
        let term = self.case.writes.bound(&set.value)?;
        self.speaker.value(term, 0)
    }

    /// Whether a column gets back what was read from it, and nothing else.
    pub fn stays(&self, set: &Assignment) -> bool {
        let terms = &self.case.scene.ev.terms;
        // What a cache held of the row is handed back as well.
        let named = |term: &TermId| matches!(terms.get(*term), Term::Field(_, name) if *name == set.column);
        let chosen = |term| matches!(terms.get(term), Term::Either(parts) if !parts.iter().all(named));
        let values = &self.case.claim.sequence.values;
        !self.case.writes.bound(&set.value).is_some_and(chosen)
            && values.iter().any(|value| value.column == set.column && value.is_handed_back())
    }

    /// The new value, or the one that is there where a request brings none.
    pub fn patched(&self, set: &Assignment) -> Option<Sql> {
        let words = self.speaker.words;
        let column = words.name(&set.column);
        let mut said = Sql::text(format!("{column} = "));
        if let Some(value) = self.new_value(set) {
            said.append(value);
            return Some(said);
        }
        let term = self.case.writes.bound(&set.value)?;
        let Term::Either(parts) = self.case.scene.ev.terms.get(term) else { return None };
        let mut new = parts.iter().filter(|part| self.speaker.is_read(**part));
        let kept = |part: &TermId| {
            let written =
                Written { column: set.column.clone(), from: self.from(*part)?, computed: false, answered: false };
            written.is_handed_back().then_some(())
        };
        let only = new.next()?;
        if new.next().is_some() || kept(only).is_none() {
            return None;
        }
        let new = Sql::called(format!("the new {}, or NULL where it stays", set.column));
        said.push("COALESCE(").append(new).push(&format!(", {column})"));
        Some(said)
    }

    /// The column of the read that a value is.
    fn from(&self, term: TermId) -> Option<LooksAt> {
        let scene = self.case.scene;
        let [origin] = &*scene.ev.terms.origins(term) else { return None };
        (!origin.computed).then(|| scene.looks_at(&self.case.reads.statement, &origin.part, false))
    }

    /// Whether the value set is as old as the read.
    fn is_stale(&self, set: &Assignment) -> bool {
        self.case.scene.terms_in(self.case.writes, &set.value).iter().any(|term| self.speaker.is_read(*term))
    }

    fn stale_columns(&self) -> String {
        let columns: Vec<&str> =
            self.changed().filter(|set| self.is_stale(set)).map(|set| set.column.as_str()).collect();
        columns.join(" and ")
    }

    /// What finds the row: the write's key, or the read's where the write's comes from the row.
    pub fn keys(&self) -> Option<Vec<Sql>> {
        let (scene, write) = (self.case.scene, self.case.writes);
        let words = self.speaker.words;
        let mut keys: Vec<Sql> = Vec::new();
        let mut from_row = false;
        for predicate in &self.target.filter {
            if scene.terms_in(write, &predicate.value).iter().any(|term| self.speaker.is_read(*term)) {
                from_row = true;
                continue;
            }
            keys.push(words.predicate(predicate)?);
        }
        if from_row && (self.source.limit.is_some() || self.source.ordered || self.source.filter.is_empty()) {
            return None;
        }
        let reads = self.case.words(self.case.reads, self.source);
        // A column that the write changes does not name its row.
        let moved = |column: &Name| self.target.sets.iter().any(|set| set.column == *column);
        if from_row && self.source.filter.iter().any(|predicate| predicate.columns.iter().any(moved)) {
            return None;
        }
        for predicate in &self.source.filter {
            let said = reads.predicate(predicate)?;
            if !keys.contains(&said) {
                keys.push(said);
            }
        }
        (!keys.is_empty()).then_some(keys)
    }

    /// What the write finds its row by, where the row has been read before.
    fn own_keys(&self) -> Option<Vec<Sql>> {
        let words = self.speaker.words;
        let keys =
            self.target.filter.iter().map(|predicate| words.predicate(predicate)).collect::<Option<Vec<Sql>>>()?;
        (!keys.is_empty()).then_some(keys)
    }

    /// The write with these assignments, under these keys and conditions.
    pub fn statement(&self, sets: Vec<Sql>, guards: Vec<Sql>, keys: Vec<Sql>) -> Option<Rendered> {
        let table = self.speaker.words.name(&self.target.table.name);
        let mut all = match self.target.action {
            Action::Delete => Sql::text(format!("DELETE FROM {table}")),
            _ if sets.is_empty() => return None,
            _ => {
                let mut all = Sql::text(format!("UPDATE {table} SET "));
                all.append(Sql::join(sets, ", "));
                all
            }
        };
        let mut conditions = keys;
        for guard in guards {
            if !conditions.contains(&guard) {
                conditions.push(guard);
            }
        }
        all.push(" WHERE ").append(Sql::join(conditions, " AND "));
        if let Some(returning) = self.returning() {
            all.push(&returning);
        }
        let rendered = all.render(self.case.scene, self.case.style());
        (rendered.values <= VALUES).then_some(rendered)
    }

    fn returning(&self) -> Option<String> {
        if matches!(self.case.dialect, Dialect::MySql | Dialect::MsSql) {
            return None;
        }
        let own = &self.case.writes.statement.output;
        let output = match (self.target.action, own.is_empty()) {
            (_, false) => own,
            (Action::Delete, true) => &self.case.reads.statement.output,
            _ => return None,
        };
        let columns: Vec<String> = output
            .iter()
            .filter(|output| output.aggregate.is_none() && output.lock.is_none())
            .filter_map(|output| match output.from.as_slice() {
                [column] if column == "*" => Some("*".to_owned()),
                [column] => Some(self.speaker.words.name(column)),
                [] if output.name == "*" => Some("*".to_owned()),
                _ => None,
            })
            .collect();
        (!columns.is_empty()).then(|| format!(" RETURNING {}", columns.join(", ")))
    }
}

impl Row<'_, '_> {
    /// The value of an assignment, when it is known before anything between read and write has answered.
    pub fn known_before(&self, case: Case<'_, '_>, set: &Assignment) -> Option<Sql> {
        let terms = case.scene.terms_in(case.writes, &set.value);
        let given = terms.iter().all(|term| {
            matches!(
                case.scene.ev.terms.get(*term),
                crate::flow::term::Term::Param(..) | crate::flow::term::Term::Literal(_)
            )
        });
        if given { self.speaker.words.operand(&set.value, Some(&set.column)) } else { None }
    }

    /// The conditions under which the write has not happened yet: a flag that it sets is not set.
    pub fn undone(&self) -> Vec<Sql> {
        let words = self.speaker.words;
        let not_yet = |set: &Assignment| {
            let column = words.name(&set.column);
            match &set.value {
                // A flag that is a number.
                Operand::Literal(text)
                    if text == "1" && self.case.claim.sequence.checked_columns().contains(&&set.column) =>
                {
                    Some(Sql::text(format!("{column} = 0")))
                }
                Operand::Literal(text) if text == "true" => Some(Sql::text(format!("{column} = false"))),
                Operand::Literal(text) if text.parse::<f64>().is_err() && text != "false" => {
                    let mut said = Sql::text(format!("{column} <> "));
                    said.append(words.operand(&set.value, Some(&set.column))?);
                    said.push(&format!(" AND {column} <> 'claimed'"));
                    Some(said)
                }
                Operand::Expr { .. } if !set.value.is_relative() => Some(Sql::text(format!("{column} IS NULL"))),
                _ => None,
            }
        };
        self.target.sets.iter().find_map(not_yet).into_iter().collect()
    }
}
