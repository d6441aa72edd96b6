//! Expressions: columns, values, conditions, assignments.

use std::sync::Arc;

use crate::client::diesel::Part;
use crate::client::diesel::select::Select;
use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Shape, Value};
use crate::lower::tree::Name;
use crate::sql::statement::{Aggregate, Compare};

/// An expression. An assignment is an equality whose left side is the column.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A column, of the table or alias named.
    Column {
        table: Name,
        column: Name,
    },
    /// A value of the program, which is sent as a bind.
    Value(Box<Value>),
    Literal(String),
    Null,
    /// `EXCLUDED.column`
    Excluded(Name),
    Compare(Arc<Expr>, Compare, Arc<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Arc<Expr>),
    /// A call or an operator over its parts, named as SQL text would name it: `lower()`, `+`.
    Call(String, Vec<Expr>),
    /// A piece of SQL text: the columns it names.
    Sql {
        text: String,
        columns: Vec<Name>,
        aggregate: Option<Aggregate>,
        binds: Vec<Expr>,
    },
    Exists(Arc<Select>),
    Subquery(Arc<Select>),
    Unknown,
}

/// How deep expressions are followed. Deeper ones are unknown.
const DEPTH: usize = 40;

impl Expr {
    /// What a value is inside of an expression: the expression it holds, or a bind.
    pub(crate) fn of(ev: &Evaluator<'_>, value: &Value) -> Self {
        match Part::of(value) {
            Some(Part::Expr(expr)) => return expr.clone(),
            Some(Part::Select(select)) => return Self::Subquery(select.clone()),
            Some(Part::Table(_) | Part::Item(_) | Part::Write(_)) => return Self::Unknown,
            None => {}
        }
        if let Shape::OneOf(values) = &value.shape
            && values.iter().any(|value| Part::of(value).is_some())
        {
            return Self::Call("case".to_owned(), values.iter().map(|value| Self::of(ev, value)).collect());
        }
        match ev.terms.get(value.term) {
            Term::Literal(text) if text == "none" && !matches!(value.shape, Shape::Text(_)) => Self::Null,
            // A constant is sent as a bind, but stands in the statement as it would in SQL text.
            Term::Literal(text) if is_constant(text) => Self::Literal(text.to_string()),
            _ => Self::Value(Box::new(value.clone())),
        }
    }

    pub fn column(table: &str, column: &str) -> Self {
        Self::Column { table: Name::new(table), column: Name::new(column) }
    }

    pub fn compare(self, op: Compare, right: Self) -> Self {
        // `eq(any(list))` is a test for membership.
        let (op, right) = match (op, right) {
            (Compare::Eq, Self::Call(text, mut parts)) if text == "any()" && parts.len() == 1 => {
                (Compare::In, parts.remove(0))
            }
            (Compare::Ne, Self::Call(text, mut parts)) if text == "all()" && parts.len() == 1 => {
                (Compare::NotIn, parts.remove(0))
            }
            other => other,
        };
        Self::Compare(Arc::new(self), op, Arc::new(right))
    }

    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut parts) => {
                parts.push(other);
                Self::All(parts)
            }
            first => Self::All(vec![first, other]),
        }
    }

    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut parts) => {
                parts.push(other);
                Self::Any(parts)
            }
            first => Self::Any(vec![first, other]),
        }
    }

    /// The same with each value in it replaced.
    pub fn with_values(&self, replace: &mut dyn FnMut(&Value) -> Value) -> Self {
        self.mapped(replace, 0)
    }

    fn mapped(&self, replace: &mut dyn FnMut(&Value) -> Value, depth: usize) -> Self {
        if depth > DEPTH {
            return Self::Unknown;
        }
        let mut all = |parts: &[Self]| parts.iter().map(|part| part.mapped(replace, depth + 1)).collect::<Vec<_>>();
        match self {
            Self::Column { .. } | Self::Literal(_) | Self::Null | Self::Excluded(_) | Self::Unknown => self.clone(),
            Self::Value(value) => {
                let value = replace(value);
                match Part::of(&value) {
                    // What the callee was handed may be an expression itself.
                    Some(Part::Expr(expr)) => expr.clone(),
                    Some(Part::Select(select)) => Self::Subquery(select.clone()),
                    _ => Self::Value(Box::new(value)),
                }
            }
            Self::Compare(left, op, right) => {
                let left = Arc::new(left.mapped(replace, depth + 1));
                Self::Compare(left, *op, Arc::new(right.mapped(replace, depth + 1)))
            }
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            Self::Not(inner) => Self::Not(Arc::new(inner.mapped(replace, depth + 1))),
            Self::Call(text, parts) => Self::Call(text.clone(), all(parts)),
            Self::Sql { text, columns, aggregate, binds } => {
                Self::Sql { text: text.clone(), columns: columns.clone(), aggregate: *aggregate, binds: all(binds) }
            }
            Self::Exists(select) => Self::Exists(Arc::new(select.with_values(replace))),
            Self::Subquery(select) => Self::Subquery(Arc::new(select.with_values(replace))),
        }
    }
}

/// Whether a literal's text is its value, and not the name of something whose value is not known.
fn is_constant(text: &str) -> bool {
    !matches!(text, "()" | "error" | "never") && !text.contains('#')
}

/// A method of an expression: `balance.ge(amount)`, `a.and(b)`; none when expressions have no such method.
pub(super) fn method(ev: &mut Evaluator<'_>, expr: &Expr, name: &str, args: &[Value]) -> Option<Expr> {
    let arg = |at: usize| args.get(at).map(|value| Expr::of(ev, value));
    let left = expr.clone();
    let compare = |op: Compare| Some(left.clone().compare(op, arg(0)?));
    match name {
        "eq" | "is_not_distinct_from" => compare(Compare::Eq),
        "ne" | "is_distinct_from" => compare(Compare::Ne),
        "gt" => compare(Compare::Gt),
        "ge" => compare(Compare::Ge),
        "lt" => compare(Compare::Lt),
        "le" => compare(Compare::Le),
        "eq_any" => compare(Compare::In),
        "ne_all" => compare(Compare::NotIn),
        "like" | "ilike" => compare(Compare::Like),
        "not_like" | "not_ilike" => Some(Expr::Not(Arc::new(compare(Compare::Like)?))),
        "is_null" => Some(left.compare(Compare::IsNull, Expr::Null)),
        "is_not_null" => Some(left.compare(Compare::IsNotNull, Expr::Null)),
        "between" => {
            let (low, high) = (arg(0)?, arg(1)?);
            Some(left.clone().compare(Compare::Ge, low).and(left.compare(Compare::Le, high)))
        }
        "not_between" => {
            let (low, high) = (arg(0)?, arg(1)?);
            Some(left.clone().compare(Compare::Lt, low).or(left.compare(Compare::Gt, high)))
        }
        "and" => Some(left.and(arg(0)?)),
        "or" => Some(left.or(arg(0)?)),
        "asc" | "desc" | "nullable" | "assume_not_null" | "nulls_first" | "nulls_last" | "collate" | "into_sql"
        | "clone" | "at_time_zone" | "cast" | "fallback_cast" | "aliased" | "as_sql" | "as_ref" | "into"
        | "to_owned" | "over" => Some(left),
        "is_contained_by" | "contains" | "overlaps_with" | "has_key" | "has_any_key" | "similar_to" | "escape"
        | "retrieve_as_text" | "retrieve_as_object" | "concat" | "matches" | "range_intersect" => {
            let symbol = if name == "concat" { "||".to_owned() } else { format!("{name}()") };
            Some(Expr::Call(symbol, std::iter::once(left).chain((0..args.len()).filter_map(arg)).collect()))
        }
        "add" | "sub" | "mul" | "div" if args.len() == 1 => {
            let sign = match name {
                "add" => "+",
                "sub" => "-",
                "mul" => "*",
                _ => "/",
            };
            Some(Expr::Call(sign.to_owned(), vec![left, arg(0)?]))
        }
        // `case_when(cond, value).when(cond, value).otherwise(value)`, `sql("…").bind::<T, _>(x).sql("…")`
        "when" | "otherwise" | "aggregate_filter" | "aggregate_order" => {
            let Expr::Call(text, mut parts) = left else { return Some(left) };
            parts.extend((0..args.len()).filter_map(arg));
            Some(Expr::Call(text, parts))
        }
        "bind" => {
            let Expr::Sql { text, columns, aggregate, mut binds } = left else { return None };
            binds.push(arg(0)?);
            Some(Expr::Sql { text: text + "?", columns, aggregate, binds })
        }
        "sql" => {
            let more = args.first()?.text()?.whole()?;
            let Expr::Sql { text, aggregate, binds, .. } = left else { return None };
            let Expr::Sql { text, columns, aggregate: found, .. } = sql_piece(&(text + &more)) else { return None };
            Some(Expr::Sql { text, columns, aggregate: aggregate.or(found), binds })
        }
        _ => None,
    }
}

/// A piece of SQL text that stands where an expression may.
pub(super) fn sql_piece(text: &str) -> Expr {
    let parsed = crate::sql::parse::parse(&format!("SELECT {text} FROM t"), crate::dialect::Dialect::Postgres);
    let output = parsed.statements.first().map(|statement| statement.output.as_slice()).unwrap_or_default();
    let columns = output.iter().flat_map(|output| output.from.iter().cloned()).collect();
    let aggregate = output.iter().find_map(|output| output.aggregate);
    Expr::Sql { text: text.trim().to_owned(), columns, aggregate, binds: Vec::new() }
}
