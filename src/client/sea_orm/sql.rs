//! Pieces of SQL with bound values, and whole statements put together from them.

use crate::flow::term::TermId;
use crate::lower::tree::Name;

/// A piece of SQL: text with values in between.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fragment(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Bind(TermId),
}

/// `OnConflict` as it is put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conflict {
    pub columns: Vec<Name>,
    pub constraint: Option<Name>,
    /// None until `do_nothing` or an update says what happens.
    pub sets: Option<Vec<(Name, Fragment)>>,
    pub nothing: bool,
    pub filter: Vec<Fragment>,
}

/// How many parts a fragment may have; what goes beyond makes it unknown.
const PARTS: usize = 2_000;

impl Fragment {
    pub fn text(text: impl Into<String>) -> Self {
        Self(vec![Part::Text(text.into())])
    }

    pub fn bind(term: TermId) -> Self {
        Self(vec![Part::Bind(term)])
    }

    pub fn column(table: Option<&str>, column: &str) -> Self {
        match table {
            Some(table) => Self::text(format!("{}.{}", quoted(table), quoted(column))),
            None => Self::text(quoted(column)),
        }
    }

    /// `left op right`, in parentheses.
    pub fn binary(self, op: &str, right: Self) -> Self {
        Self::text("(").with(self).then(&format!(" {op} ")).with(right).then(")")
    }

    /// `name(parts, …)`.
    pub fn call(name: &str, parts: impl IntoIterator<Item = Self>) -> Self {
        Self::text(format!("{name}(")).with(Self::list(parts, ", ")).then(")")
    }

    pub fn list(parts: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut out = Self::default();
        for (n, part) in parts.into_iter().enumerate() {
            if n > 0 {
                out = out.then(between);
            }
            out = out.with(part);
        }
        out
    }

    pub fn then(mut self, text: &str) -> Self {
        match self.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.0.push(Part::Text(text.to_owned())),
        }
        self
    }

    pub fn with(mut self, more: Self) -> Self {
        for part in more.0 {
            match part {
                Part::Text(text) => self = self.then(&text),
                part if self.0.len() < PARTS => self.0.push(part),
                Part::Bind(_) => self = self.then("NULL"),
            }
        }
        self
    }

    /// `C = v` and `C IS NULL` as one comparison, where the one is sent if there is a v and the other if there is none.
    ///
    /// In: both, in any order; whether the branch that they come from asks if a value is there.
    pub fn null_safe(one: &Self, other: &Self, asks: impl Fn(TermId) -> bool) -> Option<Self> {
        let column = |null: &Self| Some(null.constant()?.strip_prefix('(')?.strip_suffix(" IS NULL)")?.to_owned());
        let (equal, column) = match (column(one), column(other)) {
            (None, Some(column)) => (one, column),
            (Some(column), None) => (other, column),
            _ => return None,
        };
        match equal.0.as_slice() {
            [Part::Text(before), Part::Bind(value), Part::Text(after)]
                if *before == format!("({column} = ") && after == ")" && asks(*value) =>
            {
                Some(Self::text(column).binary("IS NOT DISTINCT FROM", Self::bind(*value)))
            }
            _ => None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The constant text; none when it binds a value.
    pub fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub fn replace(&mut self, replace: &mut dyn FnMut(TermId) -> TermId) {
        for part in &mut self.0 {
            if let Part::Bind(term) = part {
                *term = replace(*term);
            }
        }
    }

    /// The text with `$1`, `$2` … for the values, and the values. What `constant` knows the text of stands in it as a
    /// literal, so that it is the same statement whether a program binds `"queued"` or writes `'queued'`.
    pub fn numbered(&self, constant: impl Fn(TermId) -> Option<String>) -> (String, Vec<TermId>) {
        let (mut text, mut binds) = (String::new(), Vec::new());
        for part in &self.0 {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Bind(term) => match constant(*term) {
                    Some(literal) => text.push_str(&literal),
                    None => {
                        binds.push(*term);
                        text.push_str(&format!("${}", binds.len()));
                    }
                },
            }
        }
        (text, binds)
    }
}

impl Conflict {
    pub fn replace(&mut self, replace: &mut dyn FnMut(TermId) -> TermId) {
        self.sets.iter_mut().flatten().for_each(|(_, value)| value.replace(replace));
        self.filter.iter_mut().for_each(|part| part.replace(replace));
    }

    /// ` ON CONFLICT …`; `DO NOTHING` where the program has not said what happens.
    pub fn clause(&self) -> Fragment {
        let mut out = Fragment::text(" ON CONFLICT");
        if let Some(constraint) = &self.constraint {
            out = out.then(&format!(" ON CONSTRAINT {}", quoted(constraint)));
        } else if !self.columns.is_empty() {
            let columns: Vec<String> = self.columns.iter().map(|column| quoted(column)).collect();
            out = out.then(&format!(" ({})", columns.join(", ")));
        }
        match &self.sets {
            Some(sets) if !self.nothing && !sets.is_empty() => {
                out.then(" DO UPDATE SET ").with(assignments(sets)).with(clause(" WHERE ", &self.filter, " AND "))
            }
            _ => out.then(" DO NOTHING"),
        }
    }
}

/// `"column" = value, …`.
pub fn assignments(sets: &[(Name, Fragment)]) -> Fragment {
    let one = |(column, value): &(Name, Fragment)| Fragment::column(None, column).then(" = ").with(value.clone());
    Fragment::list(sets.iter().map(one), ", ")
}

/// The parts behind a keyword; nothing when there are none.
pub fn clause(keyword: &str, parts: &[Fragment], between: &str) -> Fragment {
    if parts.is_empty() {
        return Fragment::default();
    }
    Fragment::text(keyword).with(Fragment::list(parts.iter().cloned(), between))
}

/// A name in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
