//! SQL under construction: text with values in it, which get their placeholders when the text is finished.

use crate::dialect::Dialect;
use crate::event::Access;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::{Name, Pat};
use crate::race::scene::Scene;

/// A piece of SQL whose values have no numbers yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Value(Value),
}

/// A bound value.
#[derive(Clone, Debug)]
pub struct Value {
    pub term: Option<TermId>,
    /// The place of the placeholder that it is bound to in the program's statement.
    pub bound: Option<usize>,
    /// The name the program's SQL gives it: `:name`.
    pub named: Option<Name>,
    /// What the user calls it, when its term says too little.
    pub called: Option<String>,
}

/// What is bound is one value wherever it is bound; one of which nothing else is known is told by its place.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        let known = self.term.is_some() || self.named.is_some() || self.called.is_some();
        (self.term, &self.named, &self.called) == (other.term, &other.named, &other.called)
            && (known || self.bound == other.bound)
    }
}

/// How the program writes its placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `$1`
    Dollar,
    /// `?`, counted by place.
    Question,
    /// `?1`
    NumberedQuestion,
    /// `@P1`
    At,
}

/// A finished text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// What the placeholders stand for: `$1 is amount, $2 is code`. Empty without placeholders.
    pub legend: String,
    /// How many values are bound.
    pub values: usize,
}

impl Sql {
    pub fn text(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into())] }
    }

    pub fn value(value: Value) -> Self {
        Self { pieces: vec![Piece::Value(value)] }
    }

    pub fn term(term: TermId) -> Self {
        Self::value(Value { term: Some(term), bound: None, named: None, called: None })
    }

    /// What is bound at a place of the program's statement.
    pub fn kept(place: usize) -> Self {
        Self::value(Value { term: None, bound: Some(place), named: None, called: None })
    }

    pub fn called(name: impl Into<String>) -> Self {
        Self::value(Value { term: None, bound: None, named: None, called: Some(name.into()) })
    }

    pub fn push(&mut self, text: &str) -> &mut Self {
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            last.push_str(text);
        } else {
            self.pieces.push(Piece::Text(text.to_owned()));
        }
        self
    }

    pub fn append(&mut self, other: Self) -> &mut Self {
        for piece in other.pieces {
            match piece {
                Piece::Text(text) => drop(self.push(&text)),
                value => self.pieces.push(value),
            }
        }
        self
    }

    /// The pieces with `between` between them.
    pub fn join(parts: Vec<Self>, between: &str) -> Self {
        let mut all = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                all.push(between);
            }
            all.append(part);
        }
        all
    }

    pub fn in_brackets(self) -> Self {
        let mut all = Self::text("(");
        all.append(self).push(")");
        all
    }

    /// The text with its placeholders, numbered in the order of the text; equal values share a number where the style
    /// has numbers.
    pub fn render(&self, scene: &Scene<'_, '_>, style: Style) -> Rendered {
        let mut text = String::new();
        let mut values: Vec<&Value> = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value(Value { named: Some(name), .. }) => {
                    text.push(':');
                    text.push_str(name);
                }
                Piece::Value(value) => {
                    let known = values.iter().position(|other| *other == value);
                    let number = match known {
                        Some(known) if style != Style::Question => known,
                        _ => {
                            values.push(value);
                            values.len() - 1
                        }
                    };
                    text.push_str(&style.placeholder(number));
                }
            }
        }
        Rendered { text, legend: legend(scene, style, &values), values: values.len() }
    }
}

impl Style {
    /// The style of a program's statement; of its engine where the text has no placeholder.
    pub fn of(access: &Access, dialect: Dialect) -> Self {
        if access.text.contains("$1") {
            return Self::Dollar;
        }
        if access.text.contains("?1") {
            return Self::NumberedQuestion;
        }
        match dialect {
            Dialect::Postgres | Dialect::Cockroach => Self::Dollar,
            Dialect::MySql | Dialect::Sqlite => Self::Question,
            Dialect::MsSql => Self::At,
        }
    }

    fn placeholder(self, number: usize) -> String {
        match self {
            Self::Dollar => format!("${}", number + 1),
            Self::Question => "?".to_owned(),
            Self::NumberedQuestion => format!("?{}", number + 1),
            Self::At => format!("@P{}", number + 1),
        }
    }
}

/// What the placeholders of a new statement stand for. Those that have no name are told by their places in the program's own.
fn legend(scene: &Scene<'_, '_>, style: Style, values: &[&Value]) -> String {
    let named: Vec<Option<String>> = values.iter().map(|value| name_of_value(scene, value)).collect();
    if style == Style::Question {
        return in_order(values, &named);
    }
    let stays = |at: &usize| named[*at].is_none() && values[*at].bound == Some(*at);
    let same: Vec<usize> = (0..values.len()).filter(stays).collect();
    let mut parts: Vec<String> = Vec::new();
    match same.as_slice() {
        [] => {}
        [only] => parts.push(format!("{} is bound as now", style.placeholder(*only))),
        [first, .., last] if last - first + 1 == same.len() && same.len() > 2 => {
            parts.push(format!("{} to {} are bound as now", style.placeholder(*first), style.placeholder(*last)));
        }
        [all @ .., last] => {
            let all: Vec<String> = all.iter().map(|at| style.placeholder(*at)).collect();
            parts.push(format!("{} and {} are bound as now", all.join(", "), style.placeholder(*last)));
        }
    }
    let others = (0..values.len()).filter(|at| !same.contains(at)).map(|at| {
        let name = match (&named[at], values[at].bound) {
            (Some(name), _) => name.clone(),
            (None, Some(bound)) => format!("what {} is now", style.placeholder(bound)),
            (None, None) => UNNAMED.to_owned(),
        };
        format!("{} is {name}", style.placeholder(at))
    });
    parts.extend(others);
    parts.join(", ")
}

/// The same where placeholders are counted by their place: `bind the first 2 values as now, then the id that was read`.
fn in_order(values: &[&Value], named: &[Option<String>]) -> String {
    let kept = (0..values.len()).take_while(|at| named[*at].is_none() && values[*at].bound == Some(*at)).count();
    let first = match kept {
        0 => None,
        1 => Some("the first value as now".to_owned()),
        more => Some(format!("the first {more} values as now")),
    };
    let others = (kept..values.len()).map(|at| match (&named[at], values[at].bound) {
        (Some(name), _) => name.clone(),
        (None, Some(bound)) => format!("what the `?` number {} is now", bound + 1),
        (None, None) => UNNAMED.to_owned(),
    });
    let all: Vec<String> = first.into_iter().chain(others).collect();
    match all.as_slice() {
        [] => String::new(),
        [only] => format!("bind {only}"),
        all => format!("bind {}, in this order", all.join(", ")),
    }
}

/// A value of which nothing is known.
const UNNAMED: &str = "the value that is bound now";

fn name_of_value(scene: &Scene<'_, '_>, value: &Value) -> Option<String> {
    value.called.clone().or_else(|| value.term.and_then(|term| name_of(scene, term, 0)))
}

/// What the program calls a value, as far as its term tells.
pub fn name_of(scene: &Scene<'_, '_>, term: TermId, depth: usize) -> Option<String> {
    if depth > 8 {
        return None;
    }
    match scene.ev.terms.get(term) {
        Term::Param(function, index) => {
            let function = scene.ev.program.function(*function);
            let mut index = usize::from(*index);
            if function.receiver.is_some() {
                if index == 0 {
                    return Some("self".to_owned());
                }
                index -= 1;
            }
            match &function.params.get(index)?.pat {
                Pat::Bind(name, ..) => Some(name.to_string()),
                Pat::TupleStruct(_, parts) => match parts.as_slice() {
                    [Pat::Bind(name, ..)] => Some(name.to_string()),
                    _ => None,
                },
                _ => None,
            }
        }
        Term::Field(of, name) if name.chars().all(|c| c.is_ascii_digit()) => {
            name_of(scene, *of, depth + 1).or_else(|| match scene.ev.terms.get(*of) {
                Term::Row(event) => column_read(scene, *event, name.parse().ok()?),
                _ => None,
            })
        }
        Term::Field(of, name) => match (scene.ev.terms.get(*of), name_of(scene, *of, depth + 1)) {
            (Term::Row(_) | Term::Field(..), Some(of)) if of.starts_with("the ") => {
                Some(format!("the {name} that was read"))
            }
            (_, Some(of)) => Some(format!("{of}.{name}")),
            (_, None) => (!scene.origins(term).is_empty()).then(|| format!("the {name} that was read")),
        },
        Term::Row(event) => column_read(scene, *event, 0),
        Term::Literal(text) if !text.is_empty() && !text.contains('#') && text.len() < 40 => {
            let plain = text.parse::<f64>().is_ok() || text.contains("::") || text == "true" || text == "false";
            Some(if plain { text.to_string() } else { format!("{:?}", text.as_str()) })
        }
        Term::Computed(by, parts) if matches!(by.as_str(), "+" | "-" | "*" | "/") => match **parts {
            [left, right] => {
                let (left, right) = (name_of(scene, left, depth + 1)?, name_of(scene, right, depth + 1)?);
                Some(format!("{left} {by} {right}"))
            }
            _ => None,
        },
        Term::Computed(by, parts) if converts(by) => match **parts {
            [only] => name_of(scene, only, depth + 1),
            _ => None,
        },
        _ => None,
    }
}

/// Whether what a call gives is called like what it was given.
fn converts(by: &str) -> bool {
    let last = by.rsplit("::").next().unwrap_or(by);
    matches!(
        last,
        "clone" | "into" | "from" | "to_string" | "to_owned" | "to_vec" | "as_str" | "as_ref" | "as_deref" | "as_bytes"
    )
}

fn column_read(scene: &Scene<'_, '_>, event: crate::event::EventId, at: usize) -> Option<String> {
    let output = scene.access(event)?.statement.output.get(at)?;
    Some(format!("the {} that was read", output.name))
}
