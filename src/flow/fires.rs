//! Which row of a client's table a call fires, and on what evidence.

use crate::client::handles::Handle;
use crate::client::table::{Arg, CallRow, Does, On, Params};
use crate::client::{Client, HandleKind, has_call};
use crate::flow::value::{Piece, Shape, Value};
use crate::flow::{Evaluator, statement};
use crate::link::{TraitRef, Type};
use crate::lower::tree::Name;

impl<'p> Evaluator<'p> {
    pub(super) fn row_for_path(&self, full: &[Name], on: On) -> Option<(&'static Client, &'static CallRow)> {
        let first = full.first()?.as_str();
        full.last().filter(|last| has_call(last))?;
        for client in self.clients.iter() {
            let named = client.krates.contains(&first);
            let row = client.calls.iter().find(|row| row.on == on && ends_with(full, row.name));
            let Some(row) = row else { continue };
            if named {
                return Some((client, row));
            }
            // A bare name may have come by a glob or, for macros, by `#[macro_use]`.
            let steps = row.name.matches("::").count() + 1;
            if full.len() == steps && self.globs_from(client) {
                return Some((client, row));
            }
        }
        None
    }

    fn globs_from(&self, client: &Client) -> bool {
        let globs = self.program.external_globs(self.frame.scope);
        globs.iter().any(|glob| glob.first().is_some_and(|krate| client.krates.contains(&krate.as_str())))
    }

    /// Whether the package whose code is evaluated may name the client.
    pub(super) fn depends_on(&self, client: &Client) -> bool {
        match self.program.krate_of(self.frame.function) {
            Some(krate) => client.krates.iter().any(|name| self.workspace.crates[krate].depends_on(name)),
            None => true,
        }
    }

    pub(super) fn row(&self, on: On, name: &str, args: &[Value]) -> Option<(&'static Client, &'static CallRow)> {
        if !has_call(name) {
            return None;
        }
        let (used, others): (Vec<&Client>, Vec<&Client>) =
            self.clients.iter().copied().partition(|client| self.depends_on(client));
        used.into_iter().chain(others).find_map(|client| {
            let row = client.calls.iter().find(|row| row.on == on && row.name == name && fits(row, args))?;
            Some((client, row))
        })
    }

    pub(super) fn row_for_handle(
        &self,
        handle: Handle,
        name: &str,
        args: &[Value],
    ) -> Option<(&'static Client, &'static CallRow)> {
        if !has_call(name) {
            return None;
        }
        let fitting = |client: &&'static Client| {
            let row = client
                .calls
                .iter()
                .find(|row| row.name == name && handles(row.on, handle.kind) && self.carries(row, args))?;
            Some((*client, row))
        };
        let own = self.clients.iter().filter(|client| client.name == handle.client).find_map(fitting);
        own.or_else(|| self.clients.iter().find_map(fitting))
    }

    /// Whether a call that takes SQL was given a statement.
    fn carries(&self, row: &CallRow, args: &[Value]) -> bool {
        match row.does {
            Does::Run { statement: Arg::At(i), .. } => {
                args.get(i).is_some_and(|arg| is_statement(arg) || self.is_text_parameter(arg)) && fits(row, args)
            }
            // The text of a statement that is prepared on a handle may come from the caller.
            Does::Query { sql, .. } => args.get(sql).is_some(),
            _ => fits(row, args),
        }
    }

    /// A text or a prepared statement that the function was handed: what it says is known where the function is called.
    pub(super) fn is_text_parameter(&self, value: &Value) -> bool {
        let handed_in = matches!(self.terms.get(value.term), crate::flow::term::Term::Param(..));
        let text = match &value.ty {
            Type::External(path, _) => {
                matches!(path.last().map(|name| name.as_str()), Some("str" | "String" | "Cow"))
                    || self.names_a_statement(path)
            }
            Type::Trait(bounds) => bounds.iter().any(|bound| {
                let text = matches!(bound.external_name(), Some("AsRef" | "Into"))
                    && bound.args.iter().any(|arg| matches!(arg.external_name(), Some("str" | "String" | "Cow")));
                text || matches!(&bound.of, TraitRef::External(path) if self.names_a_statement(path))
            }),
            _ => false,
        };
        handed_in && text
    }

    fn names_a_statement(&self, path: &[Name]) -> bool {
        let [krate, .., name] = path else { return false };
        let mut named = self.clients.iter().filter(|client| client.krates.contains(&krate.as_str()));
        named.any(|client| client.statements.contains(&name.as_str()))
    }

    /// A receiver of unknown type is a handle when it is given SQL, or begins a transaction in a program that has a
    /// client whose handles do.
    pub(super) fn row_by_evidence(
        &self,
        recv: &Value,
        name: &str,
        args: &[Value],
    ) -> Option<(&'static Client, &'static CallRow)> {
        if !has_call(name) || !matches!(recv.ty, Type::Unknown | Type::Trait(_) | Type::External(..)) {
            return None;
        }
        let known_elsewhere = matches!(&recv.ty, Type::External(path, _) if path.len() > 1);
        let begins = !known_elsewhere && self.program.methods(self.frame.scope, &recv.ty, name).functions.is_empty();
        self.clients.iter().filter(|client| self.depends_on(client)).find_map(|client| {
            let row = client.calls.iter().find(|row| {
                let evident = || match row.does {
                    Does::Run { statement: Arg::At(i), params, .. } => {
                        args.get(i).is_some_and(looks_like_sql) && takes(params, i, args.len())
                    }
                    Does::Query { sql, .. } => args.get(sql).is_some_and(looks_like_sql),
                    Does::Begin { options: None, .. } => begins && args.is_empty(),
                    Does::Begin { options: Some(i), .. } => begins && args.len() == i + 1,
                    Does::Options { .. } => begins && args.is_empty(),
                    _ => false,
                };
                row.name == name && matches!(row.on, On::Handle | On::Connection | On::Pool) && evident()
            })?;
            Some((*client, row))
        })
    }
}

fn ends_with(full: &[Name], row: &str) -> bool {
    let mut at = full.len();
    for step in row.rsplit("::") {
        if at == 0 || full[at - 1] != step {
            return false;
        }
        at -= 1;
    }
    true
}

fn handles(on: On, kind: HandleKind) -> bool {
    match on {
        On::Handle => true,
        On::Pool => matches!(kind, HandleKind::Pool | HandleKind::Executor),
        On::Connection => !matches!(kind, HandleKind::Pool),
        On::Transaction => matches!(kind, HandleKind::Transaction | HandleKind::Executor),
        On::Path | On::Macro | On::Query | On::Prepared | On::Text | On::Outcome | On::Options => false,
    }
}

fn fits(row: &CallRow, args: &[Value]) -> bool {
    match row.does {
        Does::Within { closure, .. } | Does::Lend { closure } | Does::LendAlone { closure } => {
            args.get(closure).is_some()
        }
        Does::Run { statement: Arg::At(i), .. } => args.get(i).is_some(),
        // What a closure maps is no connection.
        Does::Run { on: Arg::At(i), .. } => args.get(i).is_some_and(|on| !on.is_callable()),
        _ => true,
    }
}

/// Whether a call with so many arguments can give its parameters in this way, the statement being the `at`-th.
fn takes(params: Params, at: usize, count: usize) -> bool {
    match params {
        Params::Bound => count > at,
        Params::List(i) | Params::Pairs(i) => count > i,
        Params::From(_) | Params::Rest(_) => true,
    }
}

pub(super) fn is_statement(value: &Value) -> bool {
    match &value.shape {
        Shape::Query(_) | Shape::Text(_) => true,
        Shape::OneOf(values) => values.iter().any(is_statement),
        _ => false,
    }
}

pub(super) fn looks_like_sql(value: &Value) -> bool {
    match &value.shape {
        Shape::Query(_) => true,
        Shape::OneOf(values) => values.iter().any(looks_like_sql),
        Shape::Text(text) => match text.parts.first() {
            Some(Piece::Constant(text)) => statement::starts_as_sql(text),
            _ => false,
        },
        _ => false,
    }
}
