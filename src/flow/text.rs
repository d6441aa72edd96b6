//! Texts that are put together of pieces: where a piece is one of several, each of them gives a text of its own.

use std::sync::Arc;

use crate::flow::term::TermId;
use crate::flow::value::{Piece, Shape, Text, Value};
use crate::link::Type;

/// How many texts one may become.
const WAYS: usize = 6;

/// The longest text that is followed; longer ones are not understood.
pub(super) const TEXT: usize = 64 << 10;

/// A text that is being put together.
pub(super) struct Growing {
    ways: Vec<Way>,
}

#[derive(Clone, Default)]
struct Way {
    /// Which of several each value is on this way.
    chosen: Vec<(TermId, usize)>,
    text: Text,
}

impl Growing {
    pub fn new() -> Self {
        Self { ways: vec![Way::default()] }
    }

    /// A text that begins with what the function was handed: who calls it knows how.
    pub fn behind(begun: TermId) -> Self {
        let text = Text { parts: vec![Piece::Hole(begun)] };
        Self { ways: vec![Way { chosen: Vec::new(), text }] }
    }

    /// A text that was put together before; none for what is no text.
    pub fn of(value: &Value) -> Option<Self> {
        let begun = |(i, text): (usize, &Arc<Text>)| Way { chosen: vec![(value.term, i)], text: (**text).clone() };
        Some(Self { ways: texts(value)?.into_iter().enumerate().map(begun).collect() })
    }

    pub fn constant(&mut self, text: &str) {
        for way in &mut self.ways {
            way.text.parts.push(Piece::Constant(text.to_owned()));
        }
    }

    /// Puts a value behind the text; what is not constant is a hole.
    pub fn push(&mut self, value: &Value) {
        let texts = texts(value).unwrap_or_default();
        let several = texts.len() > 1;
        if several && self.ways.len() * texts.len() > WAYS && !self.ways.iter().all(|way| way.choice(value).is_some()) {
            self.ways.iter_mut().for_each(|way| way.text = joined(&way.text, None, value.term));
            return;
        }
        let grown = |way: Way| -> Vec<Way> {
            let joined = |text: Option<&Arc<Text>>| joined(&way.text, text.map(|text| &**text), value.term);
            match way.choice(value) {
                Some(i) if several => vec![Way { text: joined(texts.get(i).copied()), ..way }],
                _ if several => {
                    let with = |(i, text)| {
                        let mut chosen = way.chosen.clone();
                        chosen.push((value.term, i));
                        Way { chosen, text: joined(Some(text)) }
                    };
                    texts.iter().copied().enumerate().map(with).collect()
                }
                _ => vec![Way { text: joined(texts.first().copied()), ..way }],
            }
        };
        self.ways = std::mem::take(&mut self.ways).into_iter().flat_map(grown).collect();
    }

    /// What a value of this text is.
    pub fn shape(self, term: TermId) -> Shape {
        let mut texts: Vec<Text> = Vec::new();
        for way in self.ways {
            if !texts.contains(&way.text) {
                texts.push(way.text);
            }
        }
        if texts.len() == 1 {
            return Shape::Text(Arc::new(texts.remove(0)));
        }
        let value = |text| Value::new(term, Type::Unknown).shaped(Shape::Text(Arc::new(text)));
        Shape::OneOf(texts.into_iter().map(value).collect())
    }
}

impl Way {
    fn choice(&self, value: &Value) -> Option<usize> {
        self.chosen.iter().find(|(term, _)| *term == value.term).map(|(_, i)| *i)
    }
}

/// The texts that a value may be; none where one of them is not known.
fn texts(value: &Value) -> Option<Vec<&Arc<Text>>> {
    match &value.shape {
        Shape::Text(text) => Some(vec![text]),
        Shape::OneOf(values) => values.iter().map(Value::text).collect(),
        _ => None,
    }
}

/// `left` with `right` behind it; what is not constant is a hole.
pub(super) fn joined_text(left: &Text, right: &Value) -> Text {
    joined(left, right.text().map(|text| &**text), right.term)
}

fn joined(left: &Text, right: Option<&Text>, term: TermId) -> Text {
    let mut parts = left.parts.clone();
    match right {
        Some(text) if left.parts.len() + text.parts.len() < 256 => parts.extend(text.parts.iter().cloned()),
        _ => parts.push(Piece::Hole(term)),
    }
    let size: usize = parts.iter().map(|part| if let Piece::Constant(text) = part { text.len() } else { 3 }).sum();
    if size > TEXT {
        return Text { parts: vec![Piece::Hole(term)] };
    }
    Text { parts }
}
