//! Colours and line characters of the terminal, or their plain forms.

use super::Options;
use crate::finding::{Role, Severity};

/// How this run draws.
#[derive(Clone, Copy)]
pub struct Paint {
    color: bool,
    unicode: bool,
}

#[derive(Clone, Copy)]
pub enum Ink {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Magenta,
    Cyan,
}

impl Paint {
    pub fn new(options: &Options<'_>) -> Self {
        Self { color: options.color, unicode: options.unicode }
    }

    /// The text in an ink, or as it is when colours are off. The width on the screen does not change.
    pub fn ink(self, ink: Ink, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_string();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Red => "31",
            Ink::Green => "32",
            Ink::Yellow => "33",
            Ink::Magenta => "35",
            Ink::Cyan => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    pub fn bar(self) -> &'static str {
        if self.unicode { "│" } else { "|" }
    }

    pub fn rule(self) -> &'static str {
        if self.unicode { "─" } else { "-" }
    }

    /// Where a rule meets a bar from above.
    pub fn tee(self) -> &'static str {
        if self.unicode { "┬" } else { "+" }
    }

    pub fn corner(self) -> &'static str {
        if self.unicode { "╭" } else { "+" }
    }

    pub fn foot(self) -> &'static str {
        if self.unicode { "╰" } else { "+" }
    }

    pub fn foot_tee(self) -> &'static str {
        if self.unicode { "┴" } else { "+" }
    }

    pub fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    pub fn cut(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    pub fn graphical_theme(self) -> miette::GraphicalTheme {
        match (self.color, self.unicode) {
            (true, true) => miette::GraphicalTheme::unicode(),
            (false, true) => miette::GraphicalTheme::unicode_nocolor(),
            (true, false) => miette::GraphicalTheme::ascii(),
            (false, false) => miette::GraphicalTheme::none(),
        }
    }
}

/// What is read is cyan, what decides on it yellow, what changes the row red.
pub fn role_ink(role: Role) -> Ink {
    match role {
        Role::Read => Ink::Cyan,
        Role::Check => Ink::Yellow,
        Role::Write | Role::Effect => Ink::Red,
        Role::Lock | Role::Transaction | Role::Constraint => Ink::Magenta,
    }
}

pub fn severity_ink(severity: Severity) -> Ink {
    match severity {
        Severity::Error => Ink::Red,
        Severity::Warning => Ink::Yellow,
        Severity::Note => Ink::Cyan,
    }
}
