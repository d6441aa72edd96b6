//! Columns, expressions and conditions: what their methods make.

use crate::client::Builder;
use crate::client::sea_orm::SeaOrm;
use crate::client::sea_orm::chain::Want;
use crate::client::sea_orm::sql::Fragment;
use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Shape, Value};
use crate::lower::tree::Name;

impl Evaluator<'_> {
    /// A value as it stands in a statement: a column, an expression, a sub-query, or a bound value.
    pub(super) fn sea_fragment(&self, value: &Value) -> Fragment {
        match sea(value) {
            Some(SeaOrm::Column { table, column }) => Fragment::column(Some(table), column),
            Some(SeaOrm::Iden { name, .. }) if name == "*" => Fragment::text("*"),
            Some(SeaOrm::Iden { name, .. }) => Fragment::column(None, name),
            Some(SeaOrm::Expr(expr)) => expr.clone(),
            Some(SeaOrm::Condition { any, negated, parts }) => condition(*any, *negated, parts),
            Some(SeaOrm::Chain(chain)) => Fragment::text("(").with(chain.sql(Want::Rows)).then(")"),
            _ => self.sea_qualified(value).unwrap_or_else(|| Fragment::bind(value.term)),
        }
    }

    /// `(Accounts::Table, Accounts::Balance)`, `(account::Entity, account::Column::Balance)`.
    fn sea_qualified(&self, value: &Value) -> Option<Fragment> {
        let Shape::Record(parts) = &value.shape else { return None };
        let [(_, table), (_, column)] = parts.as_slice() else { return None };
        let (table, column) = (self.sea_table(table)?.1, self.sea_column(column)?);
        Some(Fragment::column(Some(&table), &column))
    }

    /// The schema and name of the table that a value names.
    pub(super) fn sea_table(&self, value: &Value) -> Option<(Option<Name>, Name)> {
        match sea(value)? {
            SeaOrm::Entity(model) => {
                let entity = super::entity::Entity::of(self.program, *model)?;
                Some((entity.schema, entity.table))
            }
            SeaOrm::Iden { name, .. } => Some((None, name.clone())),
            _ => None,
        }
    }

    /// The column that a value names: an entity's, one of sea-query, the second of a pair, a literal.
    pub(super) fn sea_column(&self, value: &Value) -> Option<Name> {
        match (sea(value), &value.shape) {
            (Some(SeaOrm::Column { column, .. }), _) => Some(column.clone()),
            (Some(SeaOrm::Iden { name, .. }), _) => Some(name.clone()),
            (None, Shape::Record(parts)) => parts.last().and_then(|(_, last)| self.sea_column(last)),
            (None, Shape::Text(text)) => text.whole().map(Name::new),
            _ => None,
        }
    }

    /// The columns that a list of names, or one name, means.
    pub(super) fn sea_columns(&self, value: &Value) -> Vec<Name> {
        match &value.shape {
            Shape::Record(parts) => parts.iter().filter_map(|(_, part)| self.sea_column(part)).collect(),
            _ => self.sea_column(value).into_iter().collect(),
        }
    }

    /// A method of a column or an expression.
    pub(super) fn sea_expression(&self, recv: &Value, name: &str, args: &[Value]) -> Option<SeaOrm> {
        let left = self.sea_fragment(recv);
        let arg = |n: usize| args.get(n).map(|arg| self.sea_fragment(arg));
        let expr = match name {
            "eq" | "equals" | "is" => left.binary("=", arg(0)?),
            "ne" | "not_equals" | "is_not" => left.binary("<>", arg(0)?),
            "gt" | "greater_than" => left.binary(">", arg(0)?),
            "gte" | "greater_or_equal" => left.binary(">=", arg(0)?),
            "lt" | "less_than" => left.binary("<", arg(0)?),
            "lte" | "less_or_equal" => left.binary("<=", arg(0)?),
            "add" => left.binary("+", arg(0)?),
            "sub" => left.binary("-", arg(0)?),
            "mul" => left.binary("*", arg(0)?),
            "div" => left.binary("/", arg(0)?),
            "modulo" => left.binary("%", arg(0)?),
            "concat" | "concatenate" => left.binary("||", arg(0)?),
            "and" => left.binary("AND", arg(0)?),
            "or" => left.binary("OR", arg(0)?),
            "not" if args.is_empty() => Fragment::text("(NOT ").with(left).then(")"),
            "is_null" => Fragment::text("(").with(left).then(" IS NULL)"),
            "is_not_null" => Fragment::text("(").with(left).then(" IS NOT NULL)"),
            "is_in" | "is_in_subquery" | "in_subquery" => self.sea_in(left, "IN", "= ANY", args.first()?),
            "is_not_in" | "not_in_subquery" => self.sea_in(left, "NOT IN", "<> ALL", args.first()?),
            "like" | "contains" | "starts_with" | "ends_with" | "ilike" => left.binary("LIKE", arg(0)?),
            "not_like" | "not_ilike" => left.binary("NOT LIKE", arg(0)?),
            "between" => left.binary("BETWEEN", arg(0)?.then(" AND ").with(arg(1)?)),
            "not_between" => left.binary("NOT BETWEEN", arg(0)?.then(" AND ").with(arg(1)?)),
            "count" => Fragment::call("COUNT", [left]),
            "count_distinct" => Fragment::text("COUNT(DISTINCT ").with(left).then(")"),
            "sum" => Fragment::call("SUM", [left]),
            "max" => Fragment::call("MAX", [left]),
            "min" => Fragment::call("MIN", [left]),
            "avg" => Fragment::call("AVG", [left]),
            "if_null" => Fragment::call("COALESCE", [left, arg(0)?]),
            "arg" => self.sea_argument(left, args.first()?)?,
            "case" | "finally" => self.sea_case(left, name, args)?,
            "cast_as" | "cast_as_quoted" | "as_enum" | "save_as" | "into_expr" | "into_simple_expr"
            | "into_condition" | "into_column_ref" | "to_owned" | "clone" | "into" | "as_column_ref" | "into_iden"
            | "asc" | "desc" => {
                return sea(recv).cloned();
            }
            _ => return None,
        };
        Some(SeaOrm::Expr(expr))
    }

    /// A method of `Condition`.
    pub(super) fn sea_condition(&self, recv: &SeaOrm, name: &str, args: &[Value]) -> Option<SeaOrm> {
        let SeaOrm::Condition { any, negated, parts } = recv else { return None };
        let mut parts = parts.clone();
        match name {
            "add" => parts.push(self.sea_fragment(args.first()?)),
            "add_option" if !self.sea_absent(args.first()?) => parts.push(self.sea_fragment(args.first()?)),
            "not" => return Some(SeaOrm::Condition { any: *any, negated: !negated, parts }),
            "add_option" | "to_owned" | "clone" | "into" | "into_condition" => {}
            _ => return None,
        }
        Some(SeaOrm::Condition { any: *any, negated: *negated, parts })
    }

    /// Whether a value is the literal `None`.
    pub(super) fn sea_absent(&self, value: &Value) -> bool {
        matches!(self.terms.get(value.term), Term::Literal(text) if text == "none")
    }

    fn sea_in(&self, left: Fragment, list: &str, one: &str, arg: &Value) -> Fragment {
        match (&arg.shape, sea(arg)) {
            (_, Some(SeaOrm::Chain(_))) => left.binary(list, self.sea_fragment(arg)),
            (Shape::Record(parts), None) if !parts.is_empty() => {
                let values = parts.iter().map(|(_, part)| self.sea_fragment(part));
                left.binary(list, Fragment::text("(").with(Fragment::list(values, ", ")).then(")"))
            }
            _ => left.binary(one, Fragment::text("(").with(self.sea_fragment(arg)).then(")")),
        }
    }

    /// `Func::cust(name).arg(x)`: one more argument before the closing parenthesis.
    fn sea_argument(&self, call: Fragment, arg: &Value) -> Option<Fragment> {
        let (text, binds) = call.numbered(|_| None);
        let open = text.strip_suffix(')').filter(|_| binds.is_empty())?;
        let between = if open.ends_with('(') { "" } else { ", " };
        Some(Fragment::text(open).then(between).with(self.sea_fragment(arg)).then(")"))
    }

    /// `Expr::case(condition, value).case(…).finally(value)`.
    fn sea_case(&self, head: Fragment, name: &str, args: &[Value]) -> Option<Fragment> {
        let arg = |n: usize| args.get(n).map(|arg| self.sea_fragment(arg));
        match name {
            "finally" => Some(head.then(" ELSE ").with(arg(0)?).then(" END")),
            _ => Some(head.then(" WHEN ").with(arg(0)?).then(" THEN ").with(arg(1)?)),
        }
    }
}

/// The builder that a value is.
pub(super) fn sea(value: &Value) -> Option<&SeaOrm> {
    match &value.shape {
        Shape::Builder(builder) => match &**builder {
            Builder::SeaOrm(sea) => Some(&**sea),
            _ => None,
        },
        _ => None,
    }
}

fn condition(any: bool, negated: bool, parts: &[Fragment]) -> Fragment {
    let joined = match parts {
        [] => return Fragment::text("TRUE"),
        parts => Fragment::list(parts.iter().cloned(), if any { " OR " } else { " AND " }),
    };
    Fragment::text(if negated { "(NOT (" } else { "(" }).with(joined).then(if negated { "))" } else { ")" })
}
