//! What the evaluator knows of an expression's value: its origin, its type, and its shape where that matters.

use std::sync::Arc;

use crate::event::{CondId, Conds, Path};
use crate::flow::absent::Absent;
use crate::flow::limits::FIELDS;
use crate::flow::place::Borrowed;
use crate::flow::term::TermId;
use crate::flow::variant::Variants;
use crate::link::{FnId, Type};
use crate::lower::tree::{Closure, Name};
use crate::sql::statement::Statement;

#[derive(Clone, Debug)]
pub struct Value {
    pub term: TermId,
    pub ty: Type,
    pub shape: Shape,
    /// Conditions that decided which value it is.
    pub guards: Conds,
    /// Of a result: the conditions that decided whether there is a value or an error, where they are known apart from
    /// those that decided which value it is.
    pub refused: Option<Conds>,
    pub wrap: Wrap,
    /// What is known where it is none.
    pub absent: Absent,
    /// Of a variable: what it was borrowed from to be changed.
    pub(crate) part_of: Option<Arc<Borrowed>>,
    /// What is known of the ways to it, where it is a variant of an enum.
    pub variants: Option<Arc<Variants>>,
    /// Of one of several values with shapes of their own: the way that leads to it, where that is known.
    pub(crate) way: Option<Path>,
    /// Of an error that is given: its kind, by its name.
    pub(crate) error: Option<TermId>,
    /// How many shapes stand inside each other.
    pub(crate) nested: u16,
}

/// A shape that is nested deeper is not followed, so that walks over shapes may recurse, dropping them too.
const NESTED: u16 = 100;

/// What is still around a statement's result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrap {
    #[default]
    Bare,
    /// A result whose error says nothing of rows: the next `?` asks whether the database answered, not what.
    Answer,
    /// A result that some ways through a function give, and others refuse.
    Fallible,
    /// A result whose error may say that there is no row.
    Found,
}

#[derive(Clone, Debug, Default)]
pub enum Shape {
    #[default]
    Plain,
    /// A text that is constant but for its holes.
    Text(Arc<Text>),
    /// A statement that is being put together, not yet sent.
    Query(Arc<Query>),
    /// Named parts: a struct literal, a tuple (`0`, `1` …), an array.
    Record(Arc<Vec<(Name, Value)>>),
    /// A closure with the variables it closes over.
    Closure(Arc<ClosureValue>),
    /// Functions by name, and the associated function of a type.
    Function(Arc<[FnId]>),
    /// A transaction's options: the level asked for.
    Options(crate::client::TxOptions),
    /// A name of a query builder: a table, a column, an entity.
    Builder(Arc<crate::client::Builder>),
    /// One of several values with shapes of their own: a text put together in two branches.
    OneOf(Arc<[Value]>),
}

impl Shape {
    fn nested(&self) -> u16 {
        let of = |value: &Value| if matches!(value.shape, Shape::Plain) { 0 } else { value.nested };
        let deepest = match self {
            Self::Record(parts) => parts.iter().map(|(_, part)| of(part)).max(),
            Self::Closure(closure) => closure.env.iter().map(|(_, value)| of(value)).max(),
            Self::Query(query) => query.binds.iter().chain(query.named.iter().map(|(_, bind)| bind)).map(of).max(),
            Self::OneOf(values) => values.iter().map(of).max(),
            Self::Plain | Self::Text(_) | Self::Function(_) | Self::Options(_) | Self::Builder(_) => return 0,
        };
        deepest.unwrap_or(0) + 1
    }
}

/// A string: constant pieces and holes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    pub parts: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Constant(String),
    Hole(TermId),
}

/// A statement with the values bound so far.
#[derive(Clone, Debug)]
pub struct Query {
    pub body: QueryBody,
    pub binds: Vec<Value>,
    pub named: Vec<(Name, Value)>,
    /// The connection it was prepared on.
    pub on: Option<TermId>,
    /// The type a row is read into, where the call names it.
    pub ty: Type,
}

impl Query {
    /// A text to which nothing is bound yet.
    pub fn of_text(text: Arc<Text>) -> Self {
        Self { body: QueryBody::Text(text), binds: Vec::new(), named: Vec::new(), on: None, ty: Type::Unknown }
    }
}

#[derive(Clone, Debug)]
pub enum QueryBody {
    Text(Arc<Text>),
    /// From a builder: its placeholders are the binds.
    Statement(Arc<Statement>),
}

/// A closure with what it closes over.
#[derive(Clone, Debug)]
pub struct ClosureValue {
    pub code: Arc<Closure>,
    pub env: Vec<(Name, Value)>,
    /// The function whose text holds it.
    pub function: FnId,
    pub scope: crate::link::ScopeId,
}

/// What stands in a text for a part that is not known.
pub const HOLE: char = '\u{fffc}';

impl Text {
    pub fn constant(text: impl Into<String>) -> Self {
        Self { parts: vec![Piece::Constant(text.into())] }
    }

    /// The text with U+FFFC for each hole, at most `limit` bytes; none when it is longer.
    pub fn render(&self, limit: usize) -> Option<String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Piece::Constant(text) => out.push_str(text),
                Piece::Hole(_) => out.push(HOLE),
            }
            if out.len() > limit {
                return None;
            }
        }
        Some(out)
    }

    /// The text, when it has no hole.
    pub fn whole(&self) -> Option<String> {
        self.parts.iter().all(|part| matches!(part, Piece::Constant(_))).then(|| self.render(usize::MAX)).flatten()
    }
}

impl Value {
    /// Whether it can be called: a closure, a function, or something handed in that is bounded by `Fn` and the like.
    pub fn is_callable(&self) -> bool {
        matches!(self.shape, Shape::Closure(_) | Shape::Function(_)) || matches!(self.ty, Type::Fn(..))
    }

    pub fn new(term: TermId, ty: Type) -> Self {
        let (shape, guards, absent) = (Shape::Plain, Conds::default(), Absent::Unknown);
        let (refused, part_of, variants, way, error, wrap) = (None, None, None, None, None, Wrap::Bare);
        Self { term, ty, shape, guards, refused, wrap, absent, part_of, variants, way, error, nested: 0 }
    }

    pub fn shaped(mut self, shape: Shape) -> Self {
        self.reshape(shape);
        self
    }

    pub fn reshape(&mut self, shape: Shape) {
        let wide = matches!(&shape, Shape::Record(parts) if parts.len() > FIELDS);
        self.nested = if wide { 0 } else { shape.nested() };
        self.shape = if wide || self.nested > NESTED { Shape::Plain } else { shape };
    }

    /// The same, chosen by more conditions.
    pub fn guarded(mut self, guards: &[CondId]) -> Self {
        if !guards.is_empty() {
            self.guards = crate::flow::branch::union(&self.guards, guards);
        }
        self
    }

    /// The same inside a result.
    pub fn in_result(mut self) -> Self {
        self.wrap = Wrap::Answer;
        self.refused = Some(Conds::default());
        self
    }

    pub fn typed(mut self, ty: Type) -> Self {
        self.ty = ty;
        self
    }

    /// The named part, where the shape knows it.
    pub fn part(&self, name: &str) -> Option<&Value> {
        match &self.shape {
            Shape::Record(parts) => parts.iter().find(|(n, _)| n == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn query(&self) -> Option<&Arc<Query>> {
        match &self.shape {
            Shape::Query(query) => Some(query),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&Arc<Text>> {
        match &self.shape {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }
}
