//! Statements that are kept for a while: builders that are changed in place, and statements that another function runs.

use std::sync::Arc;

use crate::client::Client;
use crate::client::table::{CallRow, Does, On};
use crate::flow::Evaluator;
use crate::flow::pushed::SEPARATED;
use crate::flow::value::{Shape, Value};
use crate::link::Type;

impl<'p> Evaluator<'p> {
    /// A builder that is changed in place: every variable that held it holds the changed one.
    pub(super) fn store_receiver(&mut self, old: &Value, new: &Value) {
        let Some(before) = old.query() else { return };
        let held = self.frame.env.iter_mut().map(|(_, value)| value).chain(&mut self.building);
        for value in held {
            if value.query().is_some_and(|query| Arc::ptr_eq(query, before)) {
                let ty = value.ty.clone();
                *value = new.clone().typed(ty);
            }
        }
    }

    /// The same of a statement that is one of several, by what was decided before.
    pub(super) fn store_each(&mut self, old: &[Value], new: &Value) {
        let same = |one: &Value, other: &Value| match (one.query(), other.query()) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        for (_, value) in &mut self.frame.env {
            if let Shape::OneOf(held) = &value.shape
                && held.len() == old.len()
                && held.iter().zip(old).all(|(one, other)| same(one, other))
            {
                *value = new.clone();
            }
        }
    }

    /// A statement of a client's own type that the function was handed, and runs or adds to: what it says is known where it
    /// is called.
    pub(super) fn note_sent_query(&mut self, recv: &Value, name: &str, args: &[Value]) {
        let Type::External(path, _) = &recv.ty else { return };
        let (Some(krate), Some(last)) = (path.first(), path.last()) else { return };
        let takes_part = |(client, row): (&'static Client, &'static CallRow)| {
            let takes_part = matches!(row.does, Does::Run { .. } | Does::Separated { .. } | Does::Same);
            client.krates.contains(&krate.as_str()) && (takes_part || changes_in_place(row.does))
        };
        let is_builder = last.starts_with("Query") || last == SEPARATED[1];
        if is_builder && self.row(On::Query, name, args).is_some_and(takes_part) {
            self.told_by_caller(recv);
        }
    }

    /// Puts a builder that a called function has added to where the one was that it was handed; false where it was handed
    /// none.
    pub(super) fn store_builder(&mut self, old: &Value, new: &Value) -> bool {
        match &old.shape {
            Shape::Query(_) => self.store_receiver(old, new),
            Shape::OneOf(held) if held.iter().any(|one| one.query().is_some()) => self.store_each(held, new),
            _ => return false,
        }
        true
    }
}

/// Whether a call changes the builder that it is made on, and is made for that.
pub(super) fn changes_in_place(does: Does) -> bool {
    matches!(
        does,
        Does::Push { .. }
            | Does::PushBind { .. }
            | Does::PushBeside { .. }
            | Does::PushBindBeside { .. }
            | Does::PushRows { .. }
            | Does::BindInPlace { .. }
    )
}
