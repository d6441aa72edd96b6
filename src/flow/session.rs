//! Levels that options of a connection and statements of its set-up give to every session.

use crate::dialect::{Dialect, Isolation};
use crate::flow::Evaluator;
use crate::flow::value::{Shape, Value};
use crate::sql::statement::{IsolationScope, Verb};

/// The settings that hold the level of a session's transactions.
const SETTINGS: [&str; 3] = ["default_transaction_isolation", "transaction_isolation", "tx_isolation"];

impl<'p> Evaluator<'p> {
    /// `("default_transaction_isolation", "serializable")`: a setting with its value.
    pub(super) fn note_setting(&mut self, parts: &[Value]) {
        let [name, level] = parts else { return };
        let names = name.text().and_then(|text| text.whole()).is_some_and(|text| SETTINGS.contains(&text.as_str()));
        if let Some(level) = self.level_in(level).filter(|_| names) {
            self.session_levels.push((self.frame.function, level));
        }
    }

    /// `-c default_transaction_isolation=serializable`, in a connection's options or its address.
    pub(super) fn note_options(&mut self, text: &str) {
        if let Some(level) = level_of_options(text) {
            self.session_levels.push((self.frame.function, level));
        }
    }

    /// A list of statements that a client is to send on each new connection.
    pub(super) fn note_set_up(&mut self, args: &[Value]) {
        let dialect = self.frame.dialect.unwrap_or(Dialect::Postgres);
        for arg in args {
            let Shape::Record(parts) = &arg.shape else { continue };
            for (_, part) in parts.iter() {
                let Some(text) = part.text().and_then(|text| text.whole()) else { continue };
                if !begins_with(&text, "set ") {
                    continue;
                }
                for statement in &self.parse(&text, dialect).statements {
                    if let Verb::SetIsolation { level, scope: IsolationScope::Session } = statement.verb {
                        self.session_levels.push((self.frame.function, level));
                    }
                }
            }
        }
    }
}

fn begins_with(text: &str, word: &str) -> bool {
    text.trim_start().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn level_of_options(text: &str) -> Option<Isolation> {
    const LEVELS: [(&str, Isolation); 4] = [
        ("serializable", Isolation::Serializable),
        ("repeatableread", Isolation::RepeatableRead),
        ("readcommitted", Isolation::ReadCommitted),
        ("readuncommitted", Isolation::ReadUncommitted),
    ];
    // A statement says for itself whom it is meant for.
    if ["set ", "select ", "alter ", "show "].iter().any(|verb| begins_with(text, verb)) {
        return None;
    }
    let (_, rest) = text.split_once(SETTINGS[0])?;
    let rest = rest.trim_start();
    let value = rest.strip_prefix('=').or_else(|| rest.strip_prefix("%3D")).or_else(|| rest.strip_prefix("%3d"))?;
    let word: String =
        value.to_ascii_lowercase().replace("%5c", "").chars().take(24).filter(|c| c.is_ascii_alphabetic()).collect();
    LEVELS.into_iter().find(|(name, _)| word.starts_with(name)).map(|(_, level)| level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_options() {
        let level = level_of_options;
        assert_eq!(level("-c default_transaction_isolation=serializable"), Some(Isolation::Serializable));
        let address = "postgres://h/db?options=-c%20default_transaction_isolation%3Drepeatable%5C%20read&x=1";
        assert_eq!(level(address), Some(Isolation::RepeatableRead));
        assert_eq!(level("SET default_transaction_isolation = 'serializable'"), None);
        assert_eq!(level("default_transaction_isolation"), None);
    }
}
