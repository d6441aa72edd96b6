//! Active models: each column with its state (sea-orm docs, "ActiveModel").

use crate::client::sea_orm::entity::Entity;
use crate::client::sea_orm::sql::Fragment;
use crate::flow::term::{TermId, Terms};
use crate::link::TypeId;
use crate::lower::tree::Name;

/// What an `ActiveValue` says of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Not written by an insert or an update.
    NotSet,
    /// Written by an insert, not by an update.
    Unchanged,
    /// Not known, since the model was handed in from outside.
    Maybe,
    /// Written.
    Set,
}

/// An active model: the columns that are not `NotSet`.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    pub model: TypeId,
    pub columns: Vec<(Name, State, TermId)>,
    /// Those of the columns that are `NotSet` on some of the ways that lead here.
    sometimes: Vec<Name>,
}

impl Active {
    pub fn empty(model: TypeId) -> Self {
        Self { model, columns: Vec::new(), sometimes: Vec::new() }
    }

    /// The value of a column that is not `NotSet`.
    pub fn column(&self, name: &str) -> Option<(State, TermId)> {
        self.columns.iter().find(|(known, ..)| known == name).map(|(_, state, term)| (*state, *term))
    }

    pub fn put(&mut self, column: Name, state: State, term: TermId) {
        self.columns.retain(|(known, ..)| *known != column);
        self.sometimes.retain(|known| *known != column);
        if state != State::NotSet {
            self.columns.push((column, state, term));
        }
    }

    /// Notes of a column that it has its value on some ways only.
    pub fn sometimes(&mut self, column: Name) {
        if self.column(&column).is_some() && !self.sometimes.contains(&column) {
            self.sometimes.push(column);
        }
    }

    /// The same model on the ways on which a part of its primary key is not set, so that `save` inserts; none where there
    /// are no such ways. Beside it what the key is on the others.
    pub fn without_key(&self, entity: &Entity) -> Option<(Self, Vec<TermId>)> {
        let mut without = self.clone();
        let open: Vec<&Name> =
            entity.primary().map(|key| &key.name).filter(|key| self.sometimes.contains(key)).collect();
        let held = open.iter().filter_map(|key| self.column(key)).map(|(_, term)| term).collect();
        open.iter().for_each(|key| without.columns.retain(|(known, ..)| known != *key));
        (!open.is_empty()).then_some((without, held))
    }

    /// Every column counts as changed: `reset_all`.
    pub fn set_all(&mut self) {
        for (_, state, _) in &mut self.columns {
            *state = State::Set;
        }
    }

    /// Whether the whole primary key is known, so that `save` updates.
    pub fn has_key(&self, entity: &Entity) -> bool {
        entity.primary().count() > 0 && entity.primary().all(|key| self.column(&key.name).is_some())
    }

    /// Whether what is written is told only by who made the model.
    pub fn is_open(&self) -> bool {
        self.columns.iter().any(|(_, state, _)| *state == State::Maybe)
    }

    /// What an insert writes: all columns but those that are `NotSet`.
    pub fn inserted(&self) -> Vec<(Name, Fragment)> {
        self.columns.iter().map(|(column, _, term)| (column.clone(), Fragment::bind(*term))).collect()
    }

    /// What an update writes: the columns that were set, the primary key not among them.
    pub fn updated(&self, entity: &Entity) -> Vec<(Name, Fragment)> {
        let key = |column: &Name| entity.primary().any(|key| key.name == *column);
        let written = self.columns.iter().filter(|(column, state, _)| *state >= State::Maybe && !key(column));
        written.map(|(column, _, term)| (column.clone(), Fragment::bind(*term))).collect()
    }

    pub fn replace(&mut self, replace: &mut dyn FnMut(TermId) -> TermId) {
        for (_, _, term) in &mut self.columns {
            *term = replace(*term);
        }
    }

    /// One model for two that branches gave; none when they are of two entities.
    pub fn merge(&self, other: &Self, terms: &mut Terms) -> Option<Self> {
        if self.model != other.model {
            return None;
        }
        let mut merged = self.clone();
        let lacks = |of: &Self, column: &Name| of.column(column).is_none() || of.sometimes.contains(column);
        let mut all = self.columns.iter().chain(&other.columns).map(|(column, ..)| column);
        merged.sometimes = all.by_ref().filter(|column| lacks(self, column) || lacks(other, column)).cloned().collect();
        for (column, state, term) in &other.columns {
            let Some(own) = merged.columns.iter_mut().find(|(known, ..)| known == column) else {
                merged.columns.push((column.clone(), *state, *term));
                continue;
            };
            own.2 = match own.1.cmp(state) {
                std::cmp::Ordering::Equal => terms.either([own.2, *term]),
                std::cmp::Ordering::Less => *term,
                std::cmp::Ordering::Greater => own.2,
            };
            own.1 = own.1.max(*state);
        }
        Some(merged)
    }
}
