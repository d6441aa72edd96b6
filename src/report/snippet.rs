//! The labelled source of a finding, cut into excerpts that miette can draw without harm.
//!
//! miette orders labels by offset and draws whole lines; it panics beyond column 65,535 and passes control characters
//! through. So it never sees a file: it is given excerpts in reading order, laid end to end in one virtual text, with
//! lines clipped to a window round their labels and every unsafe character already made visible.

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::position::Places;
use super::{escape, story, summary};
use crate::finding::{Finding, Label, Role};
use crate::span::FileId;

/// No more labels than this are drawn for a finding.
const LABELS: usize = 10;
/// Labels in one file stand in one excerpt when no more lines than this are between them.
const GAP: usize = 3;
/// Lines of a label's own statement that are shown below its first one.
const STATEMENT: usize = 5;
/// No more lines than this stand in one excerpt.
const LINES: usize = 20;
/// No more characters than this stand in one label's text.
const TEXT: usize = 200;
/// The columns of line number, bar and arrow before a label's text.
const GUTTER: usize = 12;

/// The excerpts of one finding, as miette reads them.
#[derive(Debug)]
pub struct Excerpts {
    excerpts: Vec<Excerpt>,
    /// In virtual order, which is the order that miette draws them in.
    pub labels: Vec<Drawn>,
}

/// What excerpts are fitted into.
pub struct Frame<'a> {
    /// The columns of the terminal.
    pub width: usize,
    /// The characters of a line that are shown.
    pub clip: usize,
    /// Stands for what is cut off.
    pub cut: &'a str,
    /// The heading for a path, safe for a terminal.
    pub name: &'a dyn Fn(&str) -> String,
}

/// A label in the virtual text.
#[derive(Debug)]
pub struct Drawn {
    pub role: Role,
    pub span: LabeledSpan,
}

/// Lines of one file, clipped and made safe.
#[derive(Debug)]
struct Excerpt {
    name: String,
    /// Where the excerpt begins in the virtual text.
    base: usize,
    text: String,
    first_line: usize,
    line_count: usize,
    spots: Vec<Spot>,
}

/// Where a label begins, in the virtual text and in the file.
#[derive(Debug)]
struct Spot {
    offset: usize,
    line: usize,
    column: usize,
}

/// A run of labels, consecutive in reading order, that one excerpt shows.
struct Group<'a> {
    file: FileId,
    first_line: usize,
    last_line: usize,
    labels: Vec<&'a Label>,
}

impl Excerpts {
    pub fn new(finding: &Finding, places: &Places<'_>, frame: &Frame<'_>) -> Self {
        let mut excerpts = Vec::new();
        let mut labels = Vec::new();
        let mut base = 0;
        for group in groups(finding, places) {
            let excerpt = excerpt(&group, finding, places, base, frame, &mut labels);
            // One byte between two excerpts, so that an empty label at the end of one is not at the start of the next.
            base = excerpt.base + excerpt.text.len() + 1;
            excerpts.push(excerpt);
        }
        labels.sort_by_key(|label: &Drawn| label.span.offset());
        Self { excerpts, labels }
    }
}

impl SourceCode for Excerpts {
    /// The whole excerpt that holds the span. A span that reaches over two of them is refused, so that miette draws
    /// them apart. Without context lines miette asks where a label stands, and is told the place in the file.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        _context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let excerpt = self
            .excerpts
            .iter()
            .find(|excerpt| excerpt.base <= span.offset() && end <= excerpt.base + excerpt.text.len())
            .ok_or(MietteError::OutOfBounds)?;
        let mut line = excerpt.first_line;
        let mut column = 1;
        if context_lines_before == 0
            && let Some(spot) = excerpt.spots.iter().find(|spot| spot.offset == span.offset())
        {
            (line, column) = (spot.line, spot.column);
        }
        Ok(Box::new(MietteSpanContents::new_named(
            excerpt.name.clone(),
            excerpt.text.as_bytes(),
            SourceSpan::new(excerpt.base.into(), excerpt.text.len()),
            line - 1,
            column - 1,
            excerpt.line_count,
        )))
    }
}

fn groups<'a>(finding: &'a Finding, places: &Places<'_>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for label in chosen(&finding.labels, finding) {
        let place = places.place(label.span);
        let first = place.start.line;
        let last = place.end.line.min(first + STATEMENT);
        if let Some(group) = groups.last_mut()
            && group.file == label.span.file
            && first <= group.last_line + GAP + 1
            && group.first_line <= last + GAP + 1
            && group.last_line.max(last) - group.first_line.min(first) < LINES - 2
        {
            group.first_line = group.first_line.min(first);
            group.last_line = group.last_line.max(last);
            group.labels.push(label);
            continue;
        }
        groups.push(Group { file: label.span.file, first_line: first, last_line: last, labels: vec![label] });
    }
    groups
}

/// The first labels, and the primary one in any case.
fn chosen<'a>(labels: &'a [Label], finding: &Finding) -> Vec<&'a Label> {
    let mut chosen: Vec<_> = labels.iter().take(LABELS).collect();
    if let Some(primary) = labels.iter().skip(LABELS).find(|label| label.span == finding.at) {
        chosen.pop();
        chosen.push(primary);
    }
    chosen
}

fn excerpt(
    group: &Group<'_>,
    finding: &Finding,
    places: &Places<'_>,
    base: usize,
    frame: &Frame<'_>,
    labels: &mut Vec<Drawn>,
) -> Excerpt {
    let is_blank = |line: usize| places.line(group.file, line).1.trim().is_empty();
    let mut first_line = group.first_line.saturating_sub(1).max(1);
    if first_line < group.first_line && is_blank(first_line) {
        first_line = group.first_line;
    }
    let mut last_line = (group.last_line + 1).min(places.line_count(group.file));
    while last_line > group.last_line && is_blank(last_line) {
        last_line -= 1;
    }

    let mut text = String::new();
    let mut spots = Vec::new();
    for number in first_line..=last_line {
        let (offset, line) = places.line(group.file, number);
        let here: Vec<_> = group
            .labels
            .iter()
            .map(|label| (*label, places.first_line(label.span)))
            .filter(|(_, place)| place.start.line == number)
            .collect();
        let start = here.iter().map(|(_, place)| place.start.column - 1).min().unwrap_or(0);
        let window = Window::new(offset, line, start, frame);
        for (label, place) in here {
            let from = base + text.len() + window.shown_offset(place.start.offset);
            let to = base + text.len() + window.shown_offset(place.end.offset);
            let words = summary::clip(&escape::line(&label.text), TEXT, frame.cut);
            // miette hangs the text below the middle of the label.
            let middle = (from + to) / 2 - base - text.len();
            let room = frame.width.saturating_sub(middle + GUTTER).clamp(24, 70);
            let words = story::balanced(&words, room).join("\n");
            let span = SourceSpan::new(from.into(), to - from);
            let span = if label.span == finding.at {
                LabeledSpan::new_primary_with_span(Some(words), span)
            } else {
                LabeledSpan::new_with_span(Some(words), span)
            };
            spots.push(Spot { offset: from, line: number, column: place.start.column });
            labels.push(Drawn { role: label.role, span });
        }
        text.push_str(&window.text);
        if number < last_line {
            text.push('\n');
        }
    }
    let line_count = last_line + 1 - first_line;
    Excerpt { name: (frame.name)(places.path(group.file)), base, text, first_line, line_count, spots }
}

/// The part of a line that is shown.
struct Window {
    text: String,
    /// Offsets in the file of the characters shown, with their offsets in `text`; the end included.
    offsets: Vec<(usize, usize)>,
}

impl Window {
    /// A window of `clip` characters that begins a little before the character `start`, or at the line's start when
    /// that leaves the character well inside.
    fn new(offset: usize, line: &str, start: usize, frame: &Frame<'_>) -> Self {
        let (width, cut) = (frame.clip, frame.cut);
        let lead = width / 4;
        let first = if start + lead < width { 0 } else { start - lead };
        let mut text = String::new();
        let mut offsets = Vec::new();
        if first > 0 {
            text.push_str(cut);
        }
        let mut rest = line.char_indices().skip(first);
        for (at, c) in rest.by_ref().take(width) {
            offsets.push((offset + at, text.len()));
            match c {
                '\t' => text.push('\t'),
                c => escape::push_visible(&mut text, c),
            }
        }
        let (end, more) = rest.next().map_or((line.len(), false), |(at, _)| (at, true));
        offsets.push((offset + end, text.len()));
        if more {
            text.push_str(cut);
        }
        Self { text, offsets }
    }

    /// Where a byte of the file is in the window; the nearest edge when it is outside.
    fn shown_offset(&self, offset: usize) -> usize {
        let after = self.offsets.partition_point(|&(source, _)| source < offset);
        let nearest = self.offsets.get(after).or(self.offsets.last());
        nearest.map_or(0, |&(_, shown)| shown)
    }
}
