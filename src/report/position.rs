//! Spans to places, for what is shown to people and tools.
//!
//! Lines and columns are those of [`LineIndex`]. A span that does not lie in its file, or cuts through a character, is
//! moved to the nearest place that does.

use std::cell::OnceCell;

use crate::source::Workspace;
use crate::source::lines::LineIndex;
use crate::span::{FileId, Span};

/// The files of a workspace, with their lines found when they are first asked for.
pub struct Places<'a> {
    workspace: &'a Workspace,
    lines: Vec<OnceCell<LineIndex<'a>>>,
}

/// Where a span stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Relative to the root, with `/`; not escaped.
    pub path: &'a str,
    pub start: Point,
    /// Just behind the last character.
    pub end: Point,
}

/// One position in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// From 1.
    pub line: usize,
    /// In characters (Unicode scalar values), from 1.
    pub column: usize,
    /// In UTF-16 code units, from 1.
    pub utf16: usize,
    /// In bytes of the file on disk, from 0.
    pub offset: usize,
}

impl<'a> Places<'a> {
    pub fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, lines: workspace.files.iter().map(|_| OnceCell::new()).collect() }
    }

    pub fn place(&self, span: Span) -> Place<'a> {
        let start = self.point(span.file, span.at.start as usize);
        let end = self.point(span.file, (span.at.end as usize).max(start.offset));
        Place { path: self.path(span.file), start, end }
    }

    /// The part of a span that stands on its first line.
    pub fn first_line(&self, span: Span) -> Place<'a> {
        let place = self.place(span);
        if place.start.line == place.end.line {
            return place;
        }
        let (from, line) = self.line(span.file, place.start.line);
        let end = self.point(span.file, (from + line.len()).max(place.start.offset));
        Place { end, ..place }
    }

    /// The path of a file, or `?` for an index that is none.
    pub fn path(&self, file: FileId) -> &'a str {
        self.workspace.files.get(file.0 as usize).map_or("?", |source| source.path.as_str())
    }

    pub fn text(&self, file: FileId) -> &'a str {
        self.workspace.files.get(file.0 as usize).map_or("", |source| &*source.text)
    }

    pub fn line_count(&self, file: FileId) -> usize {
        self.lines(file).map_or(1, |lines| lines.count() as usize)
    }

    /// The offset and the text of a line, counted from 1, without its end and without a byte order mark.
    pub fn line(&self, file: FileId, number: usize) -> (usize, &'a str) {
        let Some(lines) = self.lines(file) else { return (0, "") };
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        (lines.start(number) as usize, lines.text(number))
    }

    fn point(&self, file: FileId, offset: usize) -> Point {
        let text = self.text(file);
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let Some(lines) = self.lines(file) else { return Point { line: 1, column: 1, utf16: 1, offset: 0 } };
        let position = lines.position(u32::try_from(offset).unwrap_or(u32::MAX));
        Point { line: position.line as usize, column: position.chars as usize, utf16: position.utf16 as usize, offset }
    }

    fn lines(&self, file: FileId) -> Option<&LineIndex<'a>> {
        let cell = self.lines.get(file.0 as usize)?;
        Some(cell.get_or_init(|| LineIndex::new(self.text(file))))
    }
}
