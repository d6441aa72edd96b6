//! What the terminal can show: colours, links, drawing characters and columns.

use super::args::Color;

/// The columns when standard output is no terminal, so that the bytes do not depend on one.
const DEFAULT_WIDTH: usize = 100;

/// Nothing readable fits in less, and longer lines are hard to follow.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=140;

/// What standard output is, and what the environment says of it.
pub struct Terminal<'a> {
    pub is_terminal: bool,
    /// The value of an environment variable; empty when it is not set.
    pub variable: &'a dyn Fn(&str) -> String,
}

impl Terminal<'_> {
    /// Whether to colour; the flag wins over `NO_COLOR`, and that over `FORCE_COLOR` and `CLICOLOR_FORCE`.
    ///
    /// <https://no-color.org> and <https://bixense.com/clicolors>: a variable counts when it is not empty, a forcing one
    /// when it is not `0` either.
    pub fn color(&self, flag: Color) -> bool {
        let set = |name| !(self.variable)(name).is_empty();
        let forced = |name| set(name) && (self.variable)(name) != "0";
        match flag {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto if forced("FORCE_COLOR") || forced("CLICOLOR_FORCE") => true,
            Color::Auto => self.is_terminal && (self.variable)("TERM") != "dumb",
        }
    }

    /// Whether to write OSC 8 links: on terminals that are known to take them, and not in a workflow's log.
    pub fn links(&self) -> bool {
        let value = |name| (self.variable)(name);
        if !self.is_terminal || !value("CI").is_empty() || value("TERM") == "dumb" {
            return false;
        }
        let program = value("TERM_PROGRAM");
        ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby"].contains(&program.as_str())
            || ["WT_SESSION", "KONSOLE_VERSION", "KITTY_WINDOW_ID"].iter().any(|name| !value(name).is_empty())
            || value("VTE_VERSION").parse().is_ok_and(|version: u32| version >= 5000)
    }

    /// Whether to draw with characters outside of ASCII: always where the bytes must not depend on the locale, else
    /// unless the locale names another encoding.
    pub fn unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .map(|name| (self.variable)(name))
            .find(|value| !value.is_empty());
        let Some(locale) = locale.filter(|_| self.is_terminal) else { return true };
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    }

    /// The columns to fill.
    pub fn width(&self) -> usize {
        if !self.is_terminal {
            return DEFAULT_WIDTH;
        }
        let width = terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
        width.clamp(*WIDTHS.start(), *WIDTHS.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(is_terminal: bool, variables: &[(&str, &str)], ask: impl Fn(&Terminal<'_>) -> T) -> T {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map_or_else(String::new, |(_, value)| (*value).to_owned())
        };
        ask(&Terminal { is_terminal, variable: &variable })
    }

    #[test]
    fn colours_follow_flag_then_variables_then_terminal() {
        for (is_terminal, variables, flag, expected) in [
            (true, &[][..], Color::Auto, true),
            (false, &[][..], Color::Auto, false),
            (true, &[("NO_COLOR", "1")][..], Color::Auto, false),
            (true, &[("NO_COLOR", "")][..], Color::Auto, true),
            (true, &[("NO_COLOR", "1")][..], Color::Always, true),
            (false, &[("FORCE_COLOR", "1")][..], Color::Auto, true),
            (false, &[("FORCE_COLOR", "0")][..], Color::Auto, false),
            (false, &[("CLICOLOR_FORCE", "1")][..], Color::Auto, true),
            (false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")][..], Color::Auto, false),
            (false, &[("FORCE_COLOR", "1")][..], Color::Never, false),
            (true, &[("TERM", "dumb")][..], Color::Auto, false),
        ] {
            assert_eq!(with(is_terminal, variables, |terminal| terminal.color(flag)), expected, "{variables:?}");
        }
    }

    #[test]
    fn links_and_drawing_need_a_terminal_that_can() {
        let kitty = [("KITTY_WINDOW_ID", "1")];
        assert!(
            with(true, &kitty, |terminal: &Terminal<'_>| terminal.links())
                && !with(false, &kitty, |terminal: &Terminal<'_>| terminal.links())
        );
        assert!(!with(true, &[("KITTY_WINDOW_ID", "1"), ("CI", "true")], |terminal: &Terminal<'_>| terminal.links()));
        assert!(
            !with(true, &[("LANG", "C")], |terminal: &Terminal<'_>| terminal.unicode())
                && with(false, &[("LANG", "C")], |terminal: &Terminal<'_>| terminal.unicode())
        );
        assert!(with(true, &[("LC_ALL", ""), ("LANG", "de_DE.UTF-8")], |terminal: &Terminal<'_>| terminal.unicode()));
        assert_eq!(with(false, &[], |terminal: &Terminal<'_>| terminal.width()), DEFAULT_WIDTH);
    }
}
