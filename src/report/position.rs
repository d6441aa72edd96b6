//! Byte offsets to lines and columns, for what is shown to people and tools.
//!
//! Lines end with LF (CR LF is one end); lines and columns count from 1; a byte order mark has no column. A span that
//! does not lie in its file, or cuts through a character, is moved to the nearest place that does.

use std::cell::OnceCell;

use crate::source::Workspace;
use crate::span::{FileId, Span};

/// The files of a workspace, with their lines found when they are first asked for.
pub struct Places<'a> {
    workspace: &'a Workspace,
    starts: Vec<OnceCell<Vec<usize>>>,
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
        Self { workspace, starts: workspace.files.iter().map(|_| OnceCell::new()).collect() }
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
        self.starts(file).len()
    }

    /// The offset and the text of a line, counted from 1, without its end and without a byte order mark.
    pub fn line(&self, file: FileId, number: usize) -> (usize, &'a str) {
        let text = self.text(file);
        let starts = self.starts(file);
        let Some(&start) = starts.get(number.saturating_sub(1)) else {
            return (text.len(), "");
        };
        let end = starts.get(number).copied().unwrap_or(text.len());
        let line = text.get(start..end).unwrap_or("");
        let line = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        match line.strip_prefix('\u{feff}') {
            Some(rest) if start == 0 => ('\u{feff}'.len_utf8(), rest),
            _ => (start, line),
        }
    }

    fn point(&self, file: FileId, offset: usize) -> Point {
        let text = self.text(file);
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts(file).partition_point(|&start| start <= offset).max(1);
        let (start, _) = self.line(file, line);
        let before = text.get(start..offset).unwrap_or("");
        Point {
            line,
            column: before.chars().count() + 1,
            utf16: before.chars().map(char::len_utf16).sum::<usize>() + 1,
            offset,
        }
    }

    fn starts(&self, file: FileId) -> &[usize] {
        let Some(cell) = self.starts.get(file.0 as usize) else { return &[0] };
        cell.get_or_init(|| {
            let text = self.text(file);
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
        })
    }
}
