//! A statement that is being put together: what was asked so far, and how it is written out.

use crate::client::sea_orm::sql::{Conflict, Fragment, assignments, clause, quoted};
use crate::flow::term::TermId;
use crate::link::{Type, TypeId};
use crate::lower::tree::Name;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Select,
    Insert,
    Update,
    Delete,
}

/// What a SELECT is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    Rows,
    One,
    Count,
    Exists,
}

/// A statement under construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub kind: Kind,
    /// The entity it began with; none for sea-query's own statements.
    pub model: Option<TypeId>,
    /// What a row is read into.
    pub row: Type,
    pub schema: Option<Name>,
    pub table: Name,
    pub joins: Vec<Fragment>,
    pub filters: Vec<Fragment>,
    /// The filters hold the whole primary key, or a unique column, to a value: there is one row at most.
    pub pinned: bool,
    /// None for all columns.
    pub columns: Option<Vec<Fragment>>,
    pub groups: Vec<Fragment>,
    pub having: Vec<Fragment>,
    pub orders: Vec<Fragment>,
    pub limit: Option<Fragment>,
    pub lock: Option<String>,
    /// What an UPDATE sets or an INSERT gives.
    pub sets: Vec<(Name, Fragment)>,
    pub conflict: Option<Conflict>,
    pub returning: Vec<Fragment>,
    /// Made of one active model: the row must be there.
    pub single: bool,
    /// An insert that only tries: that there was a conflict is an answer, and no error.
    pub tries: bool,
    /// sea-query's statements are changed in place.
    pub in_place: bool,
}

impl Chain {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            model: None,
            row: Type::Unknown,
            schema: None,
            table: "?".into(),
            joins: Vec::new(),
            filters: Vec::new(),
            pinned: false,
            columns: None,
            groups: Vec::new(),
            having: Vec::new(),
            orders: Vec::new(),
            limit: None,
            lock: None,
            sets: Vec::new(),
            conflict: None,
            returning: Vec::new(),
            single: false,
            tries: false,
            in_place: false,
        }
    }

    pub fn replace(&mut self, replace: &mut dyn FnMut(TermId) -> TermId) {
        let lists = [
            &mut self.joins,
            &mut self.filters,
            &mut self.groups,
            &mut self.having,
            &mut self.orders,
            &mut self.returning,
        ];
        lists.into_iter().flatten().for_each(|part| part.replace(replace));
        self.columns.iter_mut().flatten().for_each(|part| part.replace(replace));
        self.limit.iter_mut().for_each(|part| part.replace(replace));
        self.sets.iter_mut().for_each(|(_, value)| value.replace(replace));
        self.conflict.iter_mut().for_each(|conflict| conflict.replace(replace));
    }

    /// The statement as SQL.
    pub fn sql(&self, want: Want) -> Fragment {
        match self.kind {
            Kind::Select => self.select(want),
            Kind::Insert => self.insert(),
            Kind::Update => {
                let head = Fragment::text(format!("UPDATE {} SET ", self.target()));
                head.with(assignments(&self.sets)).with(self.condition()).with(self.returned())
            }
            Kind::Delete => {
                let head = Fragment::text(format!("DELETE FROM {}", self.target()));
                head.with(self.condition()).with(self.returned())
            }
        }
    }

    fn select(&self, want: Want) -> Fragment {
        let list = match (want, &self.columns) {
            (Want::Count, _) => Fragment::text("COUNT(*)"),
            (Want::Exists, _) => Fragment::text("1"),
            (_, Some(columns)) if !columns.is_empty() => Fragment::list(columns.iter().cloned(), ", "),
            _ => Fragment::text("*"),
        };
        let mut out = Fragment::text("SELECT ").with(list).then(&format!(" FROM {}", self.target()));
        out = out.with(clause(" ", &self.joins, " ")).with(self.condition());
        if want == Want::Count {
            return out;
        }
        if want == Want::Exists {
            return Fragment::text("SELECT EXISTS (").with(out).then(")");
        }
        out = out.with(clause(" GROUP BY ", &self.groups, ", ")).with(clause(" HAVING ", &self.having, " AND "));
        out = out.with(clause(" ORDER BY ", &self.orders, ", "));
        out = match &self.limit {
            _ if want == Want::One && !self.pinned && self.joins.is_empty() && !self.aggregated() => {
                out.then(" LIMIT 1")
            }
            Some(limit) => out.then(" LIMIT ").with(limit.clone()),
            None => out,
        };
        match &self.lock {
            Some(lock) => out.then(&format!(" FOR {lock}")),
            None => out,
        }
    }

    /// One row for all, whatever `one` adds.
    fn aggregated(&self) -> bool {
        const CALLS: [&str; 5] = ["COUNT(", "SUM(", "MAX(", "MIN(", "AVG("];
        let called = |column: &Fragment| {
            let (text, _) = column.numbered(|_| None);
            CALLS.iter().any(|call| text.trim_start_matches('(').starts_with(call))
        };
        self.groups.is_empty() && self.columns.iter().flatten().any(called)
    }

    fn insert(&self) -> Fragment {
        let mut out = Fragment::text(format!("INSERT INTO {}", self.target()));
        if self.sets.is_empty() {
            out = out.then(" DEFAULT VALUES");
        } else {
            let columns: Vec<String> = self.sets.iter().map(|(column, _)| quoted(column)).collect();
            out = out.then(&format!(" ({}) VALUES (", columns.join(", ")));
            out = out.with(Fragment::list(self.sets.iter().map(|(_, value)| value.clone()), ", ")).then(")");
        }
        match &self.conflict {
            Some(conflict) => out.with(conflict.clause()).with(self.returned()),
            None => out.with(self.returned()),
        }
    }

    fn target(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.table)),
            None => quoted(&self.table),
        }
    }

    fn condition(&self) -> Fragment {
        clause(" WHERE ", &self.filters, " AND ")
    }

    fn returned(&self) -> Fragment {
        clause(" RETURNING ", &self.returning, ", ")
    }
}
