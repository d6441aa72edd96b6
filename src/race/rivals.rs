//! What the program as a whole does to its tables: who else writes what one function has checked.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, Flow};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::race::cycle::Cycles;
use crate::race::session::Sessions;
use crate::race::writers::Writers;
use crate::sql::statement::{Access, Action, Assignment, Compare, ConflictAction, Operand, Predicate, Statement, Verb};

/// How many statements must agree on which rows of a table there are, and how many of them all: two of three.
const READS: usize = 3;
const OF_ALL: (usize, usize) = (2, 3);

/// The writes of the program, and how its connections are opened.
#[derive(Default)]
pub struct Rivals {
    /// Columns that some UPDATE or upsert of the program sets, by table.
    pub updated: FxHashMap<Name, FxHashSet<Name>>,
    /// Tables with an UPDATE whose columns are not known.
    pub updated_somehow: FxHashSet<Name>,
    /// Columns that one UPDATE or upsert of the program sets together, by table.
    together: FxHashMap<Name, Vec<FxHashSet<Name>>>,
    /// Tables with an UPDATE or a MERGE, upserts left out.
    pub edited: FxHashSet<Name>,
    pub inserted: FxHashSet<Name>,
    pub deleted: FxHashSet<Name>,
    /// Columns by whose value some statement of the program finds rows, by table.
    pub asked: FxHashMap<Name, FxHashSet<Name>>,
    /// Columns by which some statement of the program chooses rows, in whatever way, by table.
    pub chosen: FxHashMap<Name, FxHashSet<Name>>,
    /// By table how many statements read it, and how many of them choose its rows by a column's fixed value or absence.
    read: FxHashMap<Name, (usize, FxHashMap<Name, usize>)>,
    /// Tables in which is only noted down what was done.
    pub journals: FxHashSet<Name>,
    /// The levels that its connections are opened with.
    pub sessions: Sessions,
    /// Who gives which column a value of its own.
    pub writers: Writers,
    /// Who changes which column, and what else.
    pub cycles: Cycles,
}

impl Rivals {
    /// What every statement does that runs in production, sent straight or through a wrapper.
    pub fn of(flows: &[Arc<Flow>], production: &FxHashSet<FnId>) -> Self {
        let mut rivals = Self::default();
        let mut seen: FxHashSet<*const Statement> = FxHashSet::default();
        let sent = flows
            .iter()
            .filter(|flow| production.contains(&flow.function))
            .flat_map(|flow| flow.events.iter())
            .filter(|event| production.contains(&event.function));
        for access in sent.filter_map(Event::access) {
            if !seen.insert(Arc::as_ptr(&access.statement)) {
                continue;
            }
            for own in &access.statement.accesses {
                let by_value = own.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
                let columns = by_value.flat_map(|predicate| predicate.columns.iter().cloned());
                rivals.asked.entry(own.table.name.clone()).or_default().extend(columns);
                let chosen = own.filter.iter().flat_map(|predicate| predicate.columns.iter().cloned());
                rivals.chosen.entry(own.table.name.clone()).or_default().extend(chosen);
            }
            for read in access.statement.accesses.iter().filter(|access| access.action == Action::Read) {
                let (times, chosen_by) = rivals.read.entry(read.table.name.clone()).or_default();
                *times += 1;
                for column in fixed_columns(read) {
                    *chosen_by.entry(column).or_default() += 1;
                }
            }
            for target in access.statement.accesses.iter().filter(|access| access.action != Action::Read) {
                let table = target.table.name.clone();
                match target.action {
                    Action::Insert => {
                        rivals.inserted.insert(table.clone());
                        let conflict = target.conflict.as_ref().map(|conflict| &conflict.action);
                        if let Some(ConflictAction::Update { sets, .. }) = conflict {
                            // A row that is there keeps what the INSERT names and the conflict clause does not.
                            rivals.note_update(table, sets);
                        } else if let Some(ConflictAction::Replace) = conflict {
                            rivals.updated_somehow.insert(table);
                        }
                    }
                    Action::Update => {
                        rivals.edited.insert(table.clone());
                        if target.sets.is_empty()
                            || target.sets.iter().any(|set| set.column == "?")
                            || access.statement.verb == Verb::Merge
                        {
                            rivals.updated_somehow.insert(table.clone());
                        }
                        rivals.note_update(table, &target.sets);
                    }
                    Action::Delete => {
                        rivals.deleted.insert(table);
                    }
                    Action::Read => {}
                }
            }
        }
        rivals
    }

    fn note_update(&mut self, table: Name, sets: &[Assignment]) {
        let columns: FxHashSet<Name> = sets.iter().map(|set| set.column.clone()).collect();
        self.updated.entry(table.clone()).or_default().extend(columns.iter().cloned());
        let known = self.together.entry(table).or_default();
        if !known.contains(&columns) {
            known.push(columns);
        }
    }

    /// Whether who gives a column of rows that are there another value always gives one to another of these as well.
    pub fn moves_with(&self, table: &str, column: &str, others: &[&Name]) -> bool {
        let known = self.together.get(table).map_or(&[][..], Vec::as_slice);
        !self.updated_somehow.contains(table)
            && known
                .iter()
                .filter(|columns| columns.contains(column))
                .all(|columns| others.iter().any(|other| columns.contains(*other)))
    }

    /// Whether a row is not there for the program once a column has another value: its reads leave it out then, but for
    /// those that look at what is gone as well.
    pub fn tells_presence(&self, table: &str, column: &str) -> bool {
        let (leave_out, of) = OF_ALL;
        self.read.get(table).is_some_and(|(times, chosen_by)| {
            chosen_by.get(column).is_some_and(|chosen| *chosen >= READS && chosen * of >= times * leave_out)
        })
    }

    /// Whether some statement of the program changes a table.
    pub fn touch(&self, table: &str) -> bool {
        self.inserted.contains(table)
            || self.deleted.contains(table)
            || self.updated.contains_key(table)
            || self.updated_somehow.contains(table)
    }

    /// Whether some statement of the program gives a column of rows that are there another value.
    pub fn changes(&self, table: &str, column: &str) -> bool {
        self.updated_somehow.contains(table) || self.updated.get(table).is_some_and(|columns| columns.contains(column))
    }
}

/// The columns that a read compares with a constant, or asks to be absent.
fn fixed_columns(read: &Access) -> FxHashSet<Name> {
    let fixed = |predicate: &&Predicate| match predicate.op {
        Compare::Eq | Compare::Ne => matches!(predicate.value, Operand::Literal(_)),
        Compare::IsNull => true,
        _ => false,
    };
    let alone = read.filter.iter().filter(|predicate| predicate.columns.len() == 1).filter(fixed);
    alone.map(|predicate| predicate.columns[0].clone()).collect()
}
