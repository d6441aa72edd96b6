//! Two texts of one file: what of the later one is not in the earlier one.

use super::git;
use crate::span::Range;

/// The parts of a file that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Changed {
    #[default]
    Nothing,
    /// The file was not there.
    All,
    /// Whole lines that are new or written otherwise; an empty range is where lines were taken out. Ascending.
    Parts(Vec<Range>),
}

impl Changed {
    /// Compares two texts. White space within a line counts for nothing, so that another indentation touches nothing.
    pub fn between(old: &[u8], new: &str) -> Self {
        let starts: Vec<usize> = std::iter::once(0)
            .chain(new.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1))
            .collect();
        let at = |line: usize| starts.get(line).copied().unwrap_or(new.len());
        let range = |from: usize, to: usize| {
            let bound = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
            Range::new(bound(from), bound(to))
        };
        let hunks = git::hunks(old, new.as_bytes());
        let parts: Vec<Range> = hunks.into_iter().map(|(first, count)| range(at(first), at(first + count))).collect();
        if parts.is_empty() { Self::Nothing } else { Self::Parts(parts) }
    }

    pub fn is_none(&self) -> bool {
        *self == Self::Nothing
    }

    /// Whether a place lies in what changed, or around lines that were taken out.
    pub fn meets(&self, place: Range) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Parts(parts) => {
                parts.iter().any(|part| place.start < part.end.max(part.start) && part.start < place.end)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &str, new: &str) -> Vec<String> {
        match Changed::between(old.as_bytes(), new) {
            Changed::Nothing => Vec::new(),
            Changed::All => vec!["all".to_owned()],
            Changed::Parts(parts) => parts.iter().map(|part| format!("{}:{}", part.start, part.of(new))).collect(),
        }
    }

    #[test]
    fn changed_lines_are_whole() {
        assert!(changed("a\nb\n", "a\nb\n").is_empty());
        assert_eq!(changed("a\nb\nc\n", "a\nx\nc\n"), ["2:x\n"]);
        assert_eq!(changed("a\nc", "a\nb1\nb2\nc"), ["2:b1\nb2\n"]);
        assert_eq!(changed("", "a"), ["0:a"]);
        assert_eq!(changed("a\nb\nc\nd\n", "x\nb\nc\ny\n"), ["0:x\n", "6:y\n"]);
        assert_eq!(changed("a\n\u{0}\nc\n", "a\n\u{0}\nd\n"), ["4:d\n"]);
    }

    #[test]
    fn white_space_is_no_change() {
        assert!(changed("a(b);\nc\n", "a(b);\r\n    c\r\n").is_empty());
    }

    #[test]
    fn what_was_taken_out_meets_what_is_around_it() {
        assert_eq!(changed("a\nb\nc\n", "a\nc\n"), ["2:"]);
        let without = Changed::between(b"f(\n  lock,\n  x)\ng()\n", "f(\n  x)\ng()\n");
        assert!(without.meets(Range::new(0, 7)) && !without.meets(Range::new(8, 11)));
        assert!(!Changed::Nothing.meets(Range::new(0, 9)) && Changed::All.meets(Range::new(3, 4)));
    }
}
