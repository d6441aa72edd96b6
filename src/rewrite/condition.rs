//! Conditions in Rust to conditions in SQL on the row that was read.
//!
//! The tree says how a condition is built, its term says where its parts come from; both are followed side by side, and
//! what only one of them knows is not said at all.

use super::sql::Sql;
use super::way::{Tested, Way};
use super::words::{Words, literal};
use crate::event::EventId;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::{BinOp, Expr, ExprKind, Lit, MacroBody, Name, Pat, UnOp};
use crate::sql::statement::Output;

/// How deep a condition is followed.
const DEPTH: usize = 24;

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It holds whenever the row is there.
    Always,
    /// It holds for the row when this does.
    Sql(Sql),
}

/// Says conditions and values in terms of one read's columns.
#[derive(Clone, Copy)]
pub struct Speaker<'a, 'p> {
    pub words: Words<'a, 'p>,
    pub read: EventId,
    pub output: &'a [Output],
}

impl Speaker<'_, '_> {
    /// The condition that holds on the way to the write; none when SQL has no words for it.
    pub fn condition(&self, way: Way<'_>, term: TermId) -> Option<Said> {
        match way.tested {
            Tested::Expr(expr) => self.expr(expr, term, way.held, 0),
            Tested::Pattern(pat) => self.pattern(pat, term, way.held),
        }
    }

    fn expr(&self, expr: &Expr, term: TermId, held: bool, depth: usize) -> Option<Said> {
        if depth > DEPTH {
            return None;
        }
        let depth = depth + 1;
        let parts = match self.get(term) {
            Term::Computed(_, parts) => &**parts,
            _ => &[],
        };
        match (&*expr.kind, self.operator(term), parts) {
            (ExprKind::Unary(UnOp::Not, inner), "!", [of]) => self.expr(inner, *of, !held, depth),
            (ExprKind::Ref(inner) | ExprKind::Await(inner) | ExprKind::Unary(UnOp::Deref, inner), ..) => {
                self.expr(inner, term, held, depth)
            }
            (ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b), "&&" | "||", [left, right]) => {
                let said = vec![self.expr(a, *left, held, depth)?, self.expr(b, *right, held, depth)?];
                both(said, (*op == BinOp::And) == held)
            }
            (ExprKind::Binary(op, a, b), by, [left, right]) if compares(*op) == Some(by) => {
                let (left, right) = (self.side(Some(a), *left)?, self.side(Some(b), *right)?);
                Some(self.comparison(left, by, right, held))
            }
            (ExprKind::Method(call), ..)
                if matches!(call.name.as_str(), "is_some" | "is_none") && matches!(self.get(term), Term::Exists(_)) =>
            {
                let Term::Exists(of) = self.get(term) else { return None };
                self.presence(*of, held == (call.name == "is_some"))
            }
            (ExprKind::Let(pat, _), ..) => self.pattern(pat, term, held),
            (ExprKind::Macro(call), ..) => match &call.body {
                MacroBody::Matches(_, pat, None) => self.pattern(pat, term, held),
                _ => None,
            },
            (ExprKind::Path(_) | ExprKind::Field(..) | ExprKind::Call(..) | ExprKind::Method(_), ..) => {
                self.exact(term, held, 0)
            }
            _ => None,
        }
    }

    /// A value whose term alone says what it is: comparisons, their negations, flags.
    fn exact(&self, term: TermId, held: bool, depth: usize) -> Option<Said> {
        if depth > DEPTH {
            return None;
        }
        if let Some(column) = self.column(term) {
            let value = if held { "true" } else { "false" };
            let mut said = Sql::text(self.words.name(&column));
            said.push(" = ").push(value);
            return Some(Said::Sql(said));
        }
        let Term::Computed(by, parts) = self.get(term) else { return None };
        match (by.as_str(), &**parts) {
            ("!", [of]) => self.exact(*of, !held, depth + 1),
            ("==" | "!=" | "<" | "<=" | ">" | ">=", [left, right]) => {
                let (left, right) = (self.side(None, *left)?, self.side(None, *right)?);
                Some(self.comparison(left, by, right, held))
            }
            _ => None,
        }
    }

    fn pattern(&self, pat: &Pat, term: TermId, held: bool) -> Option<Said> {
        match (pat, self.get(term)) {
            (Pat::TupleStruct(path, inner), Term::Exists(of)) if binds_all(inner) => {
                let name = path.segments.last()?.name.as_str();
                (name == "Some").then(|| self.presence(*of, held))?
            }
            (Pat::Path(path), Term::Exists(of)) => {
                let name = path.segments.last()?.name.as_str();
                (name == "None").then(|| self.presence(*of, !held))?
            }
            (Pat::Bind(name, None, _), Term::Exists(of)) if name == "None" => self.presence(*of, !held),
            (Pat::Lit(lit), Term::Computed(by, parts)) if by == "==" => {
                let [left, right] = **parts else { return None };
                Some(self.comparison(self.side(None, left)?, "==", self.side(Some(lit), right)?, held))
            }
            (Pat::Path(path), Term::Computed(by, parts)) if by == "==" => {
                let [left, _] = **parts else { return None };
                let names: Vec<&str> = path.segments.iter().map(|segment| segment.name.as_str()).collect();
                let variant = Side { sql: Sql::called(names.join("::")), column: None };
                Some(self.comparison(self.side(None, left)?, "==", variant, held))
            }
            _ => None,
        }
    }

    /// A row or a column that is there or not.
    fn presence(&self, of: TermId, there: bool) -> Option<Said> {
        if let Some(column) = self.column(of).filter(|_| matches!(self.get(of), Term::Field(..))) {
            let mut said = Sql::text(self.words.name(&column));
            said.push(if there { " IS NOT NULL" } else { " IS NULL" });
            return Some(Said::Sql(said));
        }
        (there && matches!(self.get(of), Term::Row(event) if *event == self.read)).then_some(Said::Always)
    }

    fn comparison(&self, left: Side, by: &str, right: Side, held: bool) -> Said {
        let op = match (by, held) {
            ("==", true) | ("!=", false) => "=",
            ("==", false) | ("!=", true) => "<>",
            ("<", true) | (">=", false) => "<",
            ("<", false) | (">=", true) => ">=",
            ("<=", true) | (">", false) => "<=",
            _ => ">",
        };
        // The column stands on the left, as in WHERE clauses.
        let turned = right.column.is_some() && left.column.is_none();
        let (first, op, second) = match turned {
            true => (right.sql, mirrored(op), left.sql),
            false => (left.sql, op, right.sql),
        };
        let mut said = first;
        said.push(" ").push(op).push(" ").append(second);
        Said::Sql(said)
    }

    /// One side of a comparison.
    fn side(&self, expr: Option<&Expr>, term: TermId) -> Option<Side> {
        let column = self.column(term);
        if column.is_none()
            && let Some(expr) = expr
        {
            match &*plain(expr).kind {
                ExprKind::Lit(Lit::Str(text)) => {
                    return Some(Side { sql: Sql::text(literal(text, true)), column: None });
                }
                ExprKind::Path(path) if path.segments.len() > 1 && !self.is_number(term) => {
                    let names: Vec<&str> = path.segments.iter().map(|segment| segment.name.as_str()).collect();
                    return Some(Side { sql: Sql::called(names.join("::")), column: None });
                }
                _ => {}
            }
        }
        Some(Side { sql: self.value(term, 0)?, column })
    }

    fn is_number(&self, term: TermId) -> bool {
        matches!(self.get(term), Term::Literal(text) if number(text).is_some())
    }

    /// A value in terms of the row's columns: a column, a literal, arithmetic over both, or a bound value that does not
    /// come from the read.
    pub fn value(&self, term: TermId, depth: usize) -> Option<Sql> {
        if depth > DEPTH {
            return None;
        }
        if let Some(column) = self.column(term) {
            return Some(Sql::text(self.words.name(&column)));
        }
        if let Term::Literal(text) = self.get(term) {
            if let Some(number) = number(text) {
                return Some(Sql::text(number));
            }
            let variant = text.contains("::") || text.chars().next().is_none_or(|c| c.is_ascii_uppercase());
            return Some(match text.as_str() {
                "true" | "false" => Sql::text(text.as_str()),
                _ if variant || text.contains('#') => Sql::called(text.as_str()),
                text => Sql::text(literal(text, true)),
            });
        }
        if !self.is_read(term) {
            return Some(Sql::term(term));
        }
        let Term::Computed(by, parts) = self.get(term) else { return None };
        match (by.as_str(), &**parts) {
            (op @ ("+" | "-" | "*"), [left, right]) if self.counts(*left) && self.counts(*right) => {
                let (left_sql, right_sql) = (self.value(*left, depth + 1)?, self.value(*right, depth + 1)?);
                let nested = |term: TermId, sql: Sql| if self.arithmetic(term) { sql.in_brackets() } else { sql };
                // A chain of sums from the left needs no brackets.
                let mut all = match (op, self.operator(*left)) {
                    ("+" | "-", "+" | "-" | "*") => left_sql,
                    _ => nested(*left, left_sql),
                };
                all.push(" ").push(op).push(" ").append(nested(*right, right_sql));
                Some(all)
            }
            _ => None,
        }
    }

    /// Whether a part of a sum is a number, as far as the schema tells: a time and a duration are added in other words.
    fn counts(&self, term: TermId) -> bool {
        let Some(column) = self.column(term) else { return true };
        let table = self.words.scene.schema.table(self.words.table);
        let def = table.and_then(|table| table.columns.iter().find(|def| def.name == column));
        def.is_none_or(|def| !["time", "date", "interval"].iter().any(|word| def.ty.contains(word)))
    }

    fn arithmetic(&self, term: TermId) -> bool {
        self.is_read(term) && matches!(self.operator(term), "+" | "-" | "*")
    }

    /// Whether a value comes from the read.
    pub fn is_read(&self, term: TermId) -> bool {
        self.words.scene.ev.terms.origins(term).iter().any(|origin| origin.event == self.read)
    }

    /// The column of the read that a value is.
    pub fn column(&self, term: TermId) -> Option<Name> {
        let by_output = |output: &Output| match output.from.as_slice() {
            [column] if column != "*" && output.aggregate.is_none() => Some(column.clone()),
            _ => None,
        };
        match self.get(term) {
            Term::Row(event) if *event == self.read => match self.output {
                [only] => by_output(only),
                _ => None,
            },
            Term::Field(of, name) => {
                let row = match self.get(*of) {
                    // A required row of one column stands for the column; its field is the column too.
                    Term::Field(row, first) if first == "0" && self.output.len() == 1 => *row,
                    _ => *of,
                };
                if !matches!(self.get(row), Term::Row(event) if *event == self.read) {
                    return None;
                }
                if let Ok(at) = name.parse::<usize>() {
                    return by_output(self.output.get(at)?);
                }
                match self.output.iter().find(|output| output.name == *name) {
                    Some(output) => by_output(output),
                    None => self.output.iter().any(|output| output.name == "*").then(|| name.clone()),
                }
            }
            _ => None,
        }
    }

    fn get(&self, term: TermId) -> &Term {
        self.words.scene.ev.terms.get(term)
    }

    fn operator(&self, term: TermId) -> &str {
        match self.get(term) {
            Term::Computed(by, _) => by.as_str(),
            _ => "",
        }
    }
}

struct Side {
    sql: Sql,
    column: Option<Name>,
}

/// Both conditions, or one of them.
fn both(said: Vec<Said>, all: bool) -> Option<Said> {
    let mut parts = Vec::new();
    for one in said {
        match one {
            Said::Sql(sql) => parts.push(sql),
            Said::Always if all => {}
            Said::Always => return Some(Said::Always),
        }
    }
    match (parts.len(), all) {
        (0, _) => Some(Said::Always),
        (1, _) => parts.pop().map(Said::Sql),
        (_, true) => Some(Said::Sql(Sql::join(parts, " AND "))),
        (_, false) => Some(Said::Sql(Sql::join(parts, " OR ").in_brackets())),
    }
}

fn compares(op: BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::Eq => "==",
        BinOp::Ne => "!=",
        BinOp::Lt => "<",
        BinOp::Le => "<=",
        BinOp::Gt => ">",
        BinOp::Ge => ">=",
        _ => return None,
    })
}

fn mirrored(op: &str) -> &str {
    match op {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

fn binds_all(parts: &[Pat]) -> bool {
    parts.iter().all(|part| matches!(part, Pat::Wild | Pat::Rest | Pat::Bind(_, None, _)))
}

fn plain(expr: &Expr) -> &Expr {
    match &*expr.kind {
        ExprKind::Ref(inner) | ExprKind::Unary(UnOp::Deref, inner) => inner,
        _ => expr,
    }
}

/// A number without Rust's suffix and underscores.
pub fn number(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let suffix = ["i64", "u64", "i32", "u32", "i16", "u16", "usize", "isize", "f64", "f32", "i8", "u8"];
    let digits = suffix.iter().find_map(|suffix| digits.strip_suffix(suffix)).unwrap_or(&digits);
    (digits.starts_with(|c: char| c.is_ascii_digit() || c == '-') && digits.parse::<f64>().is_ok())
        .then(|| digits.to_owned())
}
