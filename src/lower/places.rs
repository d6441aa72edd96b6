//! Where tokens stand, in bytes of the text.
//!
//! proc-macro2 counts characters. It finds the line of a token at once; for bytes it remembers in a tree each place that
//! was asked for, which took a twentieth of the time of a run. In a line that is all ASCII a column is a byte.

use proc_macro2::{LineColumn, Span};

use crate::span::Range;

/// The lines of the code of one file.
pub(super) struct Places {
    /// Bytes before the code, which spans do not count.
    offset: usize,
    /// Where each line begins in the code, in bytes; none where characters of several bytes stand in it.
    lines: Vec<Option<usize>>,
}

impl Places {
    /// In: the code, and how many bytes of the file stand before it.
    pub(super) fn new(code: &str, offset: usize) -> Self {
        let mut lines = Vec::with_capacity(code.len() / 32);
        let mut start = 0;
        for line in code.split_inclusive('\n') {
            lines.push(line.is_ascii().then_some(start));
            start += line.len();
        }
        Self { offset, lines }
    }

    /// The bytes of a token of the code.
    pub(super) fn of(&self, span: Span) -> Range {
        match (self.byte(span.start()), self.byte(span.end())) {
            (Some(start), Some(end)) => Range::new((start + self.offset) as u32, (end + self.offset) as u32),
            _ => shifted(span, self.offset),
        }
    }

    fn byte(&self, at: LineColumn) -> Option<usize> {
        let start = (*self.lines.get(at.line.checked_sub(1)?)?)?;
        Some(start + at.column)
    }
}

/// The bytes of a token, where so many stand before the code.
pub(super) fn shifted(span: Span, offset: usize) -> Range {
    let bytes = span.byte_range();
    Range::new((bytes.start + offset) as u32, (bytes.end + offset) as u32)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proc_macro2::{TokenStream, TokenTree};

    use super::*;

    fn all(tokens: TokenStream, spans: &mut Vec<Span>) {
        for token in tokens {
            spans.push(token.span());
            if let TokenTree::Group(group) = token {
                spans.extend([group.span_open(), group.span_close()]);
                all(group.stream(), spans);
            }
        }
    }

    #[test]
    fn a_place_by_its_line_is_the_place_in_bytes() {
        for code in [
            "fn f() { g(1, \"a\") }",
            "fn f() {\r\n    /* ü */ g(\"ü\", 1);\r\n\n    h(r\"a\nb\")\n}\n",
            "\n\n// ä\nfn ä() -> u8 { 'ß' as u8 }",
            "/// über\n/** zwei\nZeilen */ mod m {}",
        ] {
            let mut spans = vec![Span::call_site()];
            all(TokenStream::from_str(code).expect("code"), &mut spans);
            let places = Places::new(code, 3);
            for span in spans {
                assert_eq!(places.of(span), shifted(span, 3), "{code}");
            }
        }
    }
}
