//! What was judged safe and by what, one block a sequence, for `--explain-safe`.

use super::position::Places;
use super::{escape, summary};
use crate::finding::Protected;
use crate::span::Span;

/// The sequences as text; each place as `path:line:column`.
pub fn render(safe: &[Protected], places: &Places<'_>) -> String {
    let mut out = format!("{} judged safe\n", summary::count(safe.len(), "sequence"));
    for sequence in safe {
        let at = sequence.at.map_or_else(String::new, |at| format!(" ({})", place(places, at)));
        out.push_str(&format!(
            "{}: the write to {} after the read at {}\n  in {}\n  safe: {}{at}\n",
            place(places, sequence.write),
            escape::line(&sequence.table),
            place(places, sequence.read),
            escape::line(&sequence.function),
            escape::line(&sequence.by),
        ));
    }
    out
}

/// `path:line:column` of a span's start; on one line and safe for a log.
pub fn place(places: &Places<'_>, span: Span) -> String {
    let place = places.place(span);
    format!("{}:{}:{}", escape::line(place.path), place.start.line, place.start.column)
}
