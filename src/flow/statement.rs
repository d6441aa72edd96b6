//! Statements that are sent: text to events.

use std::sync::Arc;

use crate::client::table::Gives;
use crate::dialect::Dialect;
use crate::event::{Access, CondId, Conds, EventId, EventKind};
use crate::flow::term::{Term, TermId};
use crate::flow::value::{HOLE, Piece, Query, QueryBody, Value, Wrap};
use crate::flow::{Evaluator, branch};
use crate::link::Type;
use crate::lower::tree::{Name, TypeKind};
use crate::span::Range;
use crate::sql::schema::Schema;
use crate::sql::statement::{Statement, Verb};

/// The longest statement text that is kept for messages, in chars.
const SHOWN: usize = 400;

impl<'p> Evaluator<'p> {
    /// The tables as the package knows them whose function is evaluated; none before they are known.
    pub(super) fn schema(&self) -> Option<&'p Schema> {
        Some(self.schemas?.of(self.program.krate_of(self.frame.function)))
    }

    /// A builder's statement with the tables that its views show.
    fn of_tables(&self, statement: &Arc<Statement>) -> Arc<Statement> {
        let Some(schema) = self.schema().filter(|schema| schema.has_view_in(statement)) else {
            return statement.clone();
        };
        let mut of_tables = (**statement).clone();
        schema.see_through_views(&mut of_tables);
        Arc::new(of_tables)
    }

    /// What is sent of a value: a type of which there is one value is that one, whoever brings it. What was read is known by
    /// its row.
    fn bound(&mut self, value: &Value) -> TermId {
        let Type::Def(of, _) = &value.ty else { return value.term };
        if !self.terms.origins(value.term).is_empty() {
            return value.term;
        }
        let program = self.program;
        match &program.type_def(*of).kind {
            TypeKind::Enum(variants) => match variants.as_slice() {
                [only] if only.fields.is_empty() => self.terms.literal(&only.name),
                _ => value.term,
            },
            _ => value.term,
        }
    }

    /// Sends a query to a handle and gives what comes back.
    pub(super) fn send(&mut self, query: &Query, on: Option<TermId>, gives: Gives, at: Range) -> Value {
        let binds: Arc<[TermId]> = query.binds.iter().map(|value| self.bound(value)).collect();
        let named: Arc<[(Name, TermId)]> =
            query.named.iter().map(|(name, value)| (name.clone(), self.bound(value))).collect();
        let guards: Vec<_> = query
            .binds
            .iter()
            .chain(query.named.iter().map(|(_, v)| v))
            .flat_map(|v| v.guards.iter().copied())
            .collect();
        let dialect = on
            .and_then(|on| self.handle(on))
            .and_then(|handle| handle.dialect)
            .or(self.frame.dialect)
            .unwrap_or(Dialect::Postgres);
        let dialect = self.config.dialect.unwrap_or(dialect);
        self.unknown.statements_seen += 1;
        self.note_row_of(&query.ty);
        let (statements, text): (Vec<Arc<Statement>>, Arc<str>) = match &query.body {
            QueryBody::Statement(statement) => (vec![self.of_tables(statement)], Arc::from("")),
            QueryBody::Text(text) => {
                let source = text;
                let Some(text) = text.render(crate::flow::text::TEXT) else {
                    self.unknown_statement("the text is longer than 64 KiB");
                    return self.unknown_result(&binds);
                };
                if self.is_handed_in(source) {
                    return self.unknown_result(&binds);
                }
                if text.chars().all(|c| c == HOLE || c.is_whitespace()) {
                    self.unknown_statement("the text is not constant");
                    return self.unknown_result(&binds);
                }
                let parsed = self.parse(&text, dialect);
                for unknown in &parsed.unknown {
                    self.unknown_statement(&unknown.why);
                }
                let shown: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
                (parsed.statements.iter().cloned().map(Arc::new).collect(), Arc::from(shown))
            }
        };
        let guards = branch::union(&[], &guards);
        let decides = |cond: &CondId| self.frame.deps.iter().any(|(dep, _)| dep == cond);
        let chosen_by: Conds = guards.iter().copied().filter(|cond| !decides(cond)).collect();
        let mut last = None;
        for statement in statements {
            let access = Access {
                statement: statement.clone(),
                binds: binds.clone(),
                named: named.clone(),
                chosen_by: chosen_by.clone(),
                row_required: gives == Gives::Row,
                text: text.clone(),
            };
            // A bound value that was chosen by a condition makes the statement depend on it.
            let depth = self.frame.deps.len();
            self.frame.deps.extend(guards.iter().map(|cond| (*cond, crate::flow::Exit::Loop)));
            let id = self.emit_statement(access, on, at);
            self.frame.deps.truncate(depth);
            if let Some(id) = id {
                last = Some((id, statement));
            }
        }
        let Some((id, statement)) = last else { return self.unknown_result(&binds) };
        self.result(id, &statement, gives, &query.ty)
    }

    fn emit_statement(&mut self, access: Access, on: Option<TermId>, at: Range) -> Option<EventId> {
        let kind = match &access.statement.verb {
            Verb::Begin { isolation, mode } => EventKind::Begin { from: on, isolation: *isolation, mode: *mode },
            Verb::Commit => EventKind::Commit,
            Verb::Rollback => EventKind::Rollback,
            Verb::Schema | Verb::Other => return None,
            _ => {
                let id = self.emit(EventKind::Access(access), on, at);
                return Some(id);
            }
        };
        self.emit(kind, on, at);
        None
    }

    fn result(&mut self, id: EventId, statement: &Statement, gives: Gives, row: &Type) -> Value {
        let rows = statement.verb == Verb::Select || !statement.output.is_empty();
        match gives {
            Gives::Row if rows => {
                Value { wrap: Wrap::Found, ..Value::new(self.terms.intern(Term::Row(id)), row.clone()) }
            }
            Gives::MaybeRow if rows => Value::new(self.terms.intern(Term::Row(id)), row.clone()).in_result(),
            Gives::Rows if rows => {
                let list = match row {
                    Type::Unknown => Type::Unknown,
                    row => Type::external(["std", "vec", "Vec"], std::slice::from_ref(row)),
                };
                Value::new(self.terms.intern(Term::Row(id)), list).in_result()
            }
            _ => Value::new(self.terms.intern(Term::Count(id)), Type::Unknown).in_result(),
        }
    }

    fn unknown_result(&mut self, binds: &[TermId]) -> Value {
        let fresh = self.terms.fresh();
        let mut parts = vec![fresh];
        parts.extend(binds.iter().take(8));
        Value::new(self.terms.computed("sql", parts), Type::Unknown)
    }

    /// Whether a text begins with what the function was handed, or with a field of that: the call that hands it in says what
    /// is sent.
    fn is_handed_in(&mut self, text: &crate::flow::value::Text) -> bool {
        let Some(Piece::Hole(mut term)) = text.parts.first().cloned() else { return false };
        while let Term::Field(of, _) = self.terms.get(term) {
            term = *of;
        }
        let function = self.frame.function;
        let handed_in = matches!(self.terms.get(term), Term::Param(of, _) if *of == function);
        if handed_in {
            self.senders.insert(function);
        }
        handed_in
    }

    pub(crate) fn unknown_statement(&mut self, why: &str) {
        *self.unknown.statements.entry(why.to_owned()).or_default() += 1;
    }
}

/// Whether a text begins like a statement that reads, writes, locks, or steers a transaction.
pub(super) fn starts_as_sql(text: &str) -> bool {
    const VERBS: [&str; 18] = [
        "select",
        "insert",
        "update",
        "delete",
        "with",
        "merge",
        "replace",
        "begin",
        "start transaction",
        "commit",
        "rollback",
        "lock",
        "unlock",
        "savepoint",
        "release",
        "set transaction",
        "set session",
        "set default_transaction_isolation",
    ];
    let text = text.trim_start();
    VERBS.iter().any(|verb| {
        text.get(..verb.len()).is_some_and(|head| head.eq_ignore_ascii_case(verb))
            && text[verb.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}
