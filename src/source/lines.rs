//! Byte offsets to lines and columns, in every unit that a report may need.

use unicode_width::UnicodeWidthChar;

/// The columns between two tab stops, where a column is a width on the screen.
pub const TAB: u32 = 4;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Where each line of one text starts.
///
/// A line ends with LF, CRLF or a lone CR. A byte order mark belongs to line 1 and has no column.
#[derive(Clone, Debug)]
pub struct LineIndex<'t> {
    text: &'t str,
    /// Ascending; never empty. The first is 0, or 3 after a byte order mark.
    starts: Vec<usize>,
}

/// A place as people and tools write it. Everything counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    /// In Unicode scalar values.
    pub chars: u32,
    /// In UTF-16 code units, as SARIF's `utf16CodeUnits` and the language server protocol count.
    pub utf16: u32,
    /// In bytes of UTF-8.
    pub bytes: u32,
    /// In cells of a terminal; a tab reaches to the next multiple of [`TAB`].
    pub width: u32,
}

impl<'t> LineIndex<'t> {
    pub fn new(text: &'t str) -> Self {
        let first = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(at, &byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(first).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// How many lines there are; an empty text has one, and so has the rest after a final line end.
    pub fn count(&self) -> u32 {
        count(self.starts.len())
    }

    /// The position of a byte. One inside a character counts as the character's first, one behind the end as the end.
    pub fn position(&self, offset: u32) -> Position {
        let offset = boundary(self.text, offset as usize);
        let line = self.starts.partition_point(|&start| start <= offset).max(1) - 1;
        let before = self.text.get(self.starts[line]..offset).unwrap_or("");
        Position {
            line: count(line) + 1,
            chars: count(before.chars().count()) + 1,
            utf16: count(before.chars().map(char::len_utf16).sum()) + 1,
            bytes: count(before.len()) + 1,
            width: width(before) + 1,
        }
    }

    /// The line (from 1) that holds a byte.
    pub fn line(&self, offset: u32) -> u32 {
        let offset = offset as usize;
        count(self.starts.partition_point(|&start| start <= offset).max(1))
    }

    /// The text of a line (from 1) without its end and without a byte order mark; empty for a line that is not there.
    pub fn text(&self, line: u32) -> &'t str {
        let (start, end) = self.bounds(line);
        self.text.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n'])
    }

    /// The byte at which a line (from 1) starts; the text's length for a line that is not there.
    pub fn start(&self, line: u32) -> u32 {
        count(self.bounds(line).0)
    }

    fn bounds(&self, line: u32) -> (usize, usize) {
        let at = |line: usize| self.starts.get(line).copied().unwrap_or(self.text.len());
        let Some(index) = (line as usize).checked_sub(1) else { return (self.text.len(), self.text.len()) };
        (at(index), at(index + 1))
    }
}

/// The cells that `text` fills on a terminal when it starts a line.
pub fn width(text: &str) -> u32 {
    text.chars().fold(0, |column, char| match char {
        '\t' => column + TAB - column % TAB,
        _ => column + count(char.width().unwrap_or(0)),
    })
}

/// The last character boundary at or before a byte.
fn boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// No text is longer than a file may be, which is far below `u32::MAX`; saturating keeps it total.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str, offset: u32) -> (u32, u32, u32, u32, u32) {
        let Position { line, chars, utf16, bytes, width } = LineIndex::new(text).position(offset);
        (line, chars, utf16, bytes, width)
    }

    #[test]
    fn an_empty_text_is_one_line() {
        let lines = LineIndex::new("");
        assert_eq!(lines.count(), 1);
        assert_eq!(columns("", 0), (1, 1, 1, 1, 1));
        assert_eq!((lines.text(0), lines.text(1), lines.text(2)), ("", "", ""));
    }

    #[test]
    fn all_three_line_ends_count() {
        let lines = LineIndex::new("a\nb\r\nc\rd");
        assert_eq!(lines.count(), 4);
        assert_eq!([1, 2, 3, 4, 5].map(|line| lines.text(line)), ["a", "b", "c", "d", ""]);
        assert_eq!([0, 2, 5, 7].map(|offset| lines.position(offset).line), [1, 2, 3, 4]);
        assert_eq!([1, 2, 3, 4, 5].map(|line| lines.start(line)), [0, 2, 5, 7, 8]);
    }

    #[test]
    fn the_line_end_belongs_to_its_line() {
        assert_eq!(columns("ab\r\ncd", 3), (1, 4, 4, 4, 3));
        assert_eq!(LineIndex::new("ab\r\ncd").line(3), 1);
        assert_eq!(LineIndex::new("ab\r\ncd").line(4), 2);
    }

    #[test]
    fn a_byte_order_mark_has_no_column() {
        let text = "\u{feff}let x\nlet y";
        assert_eq!(columns(text, 0), (1, 1, 1, 1, 1));
        assert_eq!(columns(text, 3), (1, 1, 1, 1, 1));
        assert_eq!(columns(text, 7), (1, 5, 5, 5, 5));
        assert_eq!(columns(text, 9), (2, 1, 1, 1, 1));
        assert_eq!(LineIndex::new(text).text(1), "let x");
    }

    #[test]
    fn wide_and_combining_characters_differ_by_unit() {
        // An astral character: one scalar value, two UTF-16 units, four bytes, two cells.
        assert_eq!(columns("😀x", 4), (1, 2, 3, 5, 3));
        assert_eq!(columns("名x", 3), (1, 2, 2, 4, 3));
        // A combining accent takes no cell of its own.
        assert_eq!(columns("e\u{301}x", 3), (1, 3, 3, 4, 2));
    }

    #[test]
    fn tabs_reach_the_next_stop() {
        assert_eq!(columns("\tx", 1).4, 5);
        assert_eq!(columns("ab\tx", 3).4, 5);
        assert_eq!(columns("abcd\tx", 5).4, 9);
    }

    #[test]
    fn offsets_are_clamped() {
        assert_eq!(columns("a😀", 3), columns("a😀", 1));
        assert_eq!(columns("ab\ncd", 4_000_000), (2, 3, 3, 3, 3));
    }
}
