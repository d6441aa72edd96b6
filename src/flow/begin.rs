//! Transactions that calls begin: their handle, level and mode.

use crate::client::handles::Handle;
use crate::client::{Client, HandleKind};
use crate::dialect::{Dialect, Isolation};
use crate::event::EventKind;
use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Shape, Value};
use crate::link::Type;
use crate::span::Range;
use crate::sql::statement::{BeginMode, Verb};

impl<'p> Evaluator<'p> {
    /// Begins a transaction and gives its handle.
    pub(super) fn begin(
        &mut self,
        client: &'static Client,
        from: &Value,
        isolation: Option<Isolation>,
        mode: BeginMode,
        options: Option<&Value>,
        at: Range,
    ) -> Value {
        let mode = self.begin_modes.get(&from.term).copied().unwrap_or(mode);
        let (mut isolation, mut mode) = (isolation, mode);
        let mut from_term = Some(from.term);
        for value in [Some(from), options].into_iter().flatten() {
            if let Shape::Options(options) = &value.shape {
                isolation = options.isolation.or(isolation);
                if options.mode != BeginMode::Plain {
                    mode = options.mode;
                }
                if value.term == from.term {
                    from_term = options.from;
                }
            }
        }
        if let Some(options) = options {
            if let Some(text) = options.text().and_then(|text| text.whole()) {
                let dialect = self.frame.dialect.unwrap_or(Dialect::Postgres);
                let parsed = self.parse(&text, dialect);
                for statement in &parsed.statements {
                    if let Verb::Begin { isolation: level, mode: kind } = &statement.verb {
                        isolation = level.or(isolation);
                        mode = *kind;
                    }
                }
            }
            isolation = isolation.or_else(|| self.level_in(options));
            mode = self.mode_in(options).unwrap_or(mode);
        }
        let dialect = from_term.and_then(|from| self.handle(from)).and_then(|handle| handle.dialect);
        let dialect = dialect.or(client.dialect).or(self.frame.dialect);
        let event = self.emit(EventKind::Begin { from: from_term, isolation, mode }, from_term, at);
        let term = self.terms.intern(Term::Transaction(event));
        if let Some(last) = self.frame.events.last_mut().filter(|last| last.id == event) {
            last.on = Some(term);
        }
        self.handles.insert(term, Handle { kind: HandleKind::Transaction, dialect, client: client.name });
        Value::new(term, Type::Unknown)
    }

    /// The level a value names: `IsolationLevel::Serializable`, `"serializable"`.
    pub(super) fn level_in(&self, value: &Value) -> Option<Isolation> {
        let name = self.last_name(value)?;
        let name: String = name.chars().filter(|c| c.is_ascii_alphabetic()).collect::<String>().to_ascii_lowercase();
        Some(match name.as_str() {
            "serializable" => Isolation::Serializable,
            "repeatableread" => Isolation::RepeatableRead,
            "readcommitted" => Isolation::ReadCommitted,
            "readuncommitted" => Isolation::ReadUncommitted,
            "snapshot" => Isolation::Snapshot,
            _ => return None,
        })
    }

    pub(super) fn mode_in(&self, value: &Value) -> Option<BeginMode> {
        Some(match self.last_name(value)?.to_ascii_lowercase().as_str() {
            "immediate" => BeginMode::Immediate,
            "exclusive" => BeginMode::Exclusive,
            "deferred" => BeginMode::Deferred,
            _ => return None,
        })
    }

    fn last_name(&self, value: &Value) -> Option<String> {
        let Term::Literal(text) = self.terms.get(value.term) else { return None };
        text.rsplit("::").next().map(str::to_owned)
    }
}
