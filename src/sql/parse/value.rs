//! Expressions to operands.

use sqlparser::ast::{
    self, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};

use super::reader::{Level, Reader, Source, name, path, tagged};
use super::{calls, render};
use crate::lower::tree::Name;
use crate::sql::lex::HOLE;
use crate::sql::statement::{Operand, Place};

impl Reader<'_> {
    /// The value of an expression, its columns tagged with their access.
    ///
    /// Calls are `name()` over their arguments, operators their sign over their operands; casts and brackets are dropped.
    pub fn value(&mut self, expr: &Expr, level: &Level) -> Operand {
        self.deeper(|reader| reader.value_at(expr, level)).unwrap_or(Operand::Unknown)
    }

    pub fn values<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>, level: &Level) -> Vec<Operand> {
        exprs.into_iter().map(|expr| self.value(expr, level)).collect()
    }

    fn value_at(&mut self, expr: &Expr, level: &Level) -> Operand {
        match plain(expr) {
            Expr::Identifier(ident) => self.column(std::slice::from_ref(ident), level),
            Expr::CompoundIdentifier(idents) => self.column(idents, level),
            Expr::Value(value) => literal(&value.value),
            Expr::TypedString(typed) => literal(&typed.value.value),
            Expr::Prefixed { value, .. }
            | Expr::Named { expr: value, .. }
            | Expr::Prior(value)
            | Expr::OuterJoin(value) => self.value(value, level),
            Expr::BinaryOp { left, op, right } => self.chain(left, op, right, level),
            Expr::UnaryOp { op, expr: inner } => match (op, self.value(inner, level)) {
                (UnaryOperator::Minus, Operand::Literal(text)) => Operand::Literal(format!("-{text}")),
                (UnaryOperator::Plus, value) => value,
                (UnaryOperator::Not, value) => call("not", vec![value]),
                (op, value) => call(&op.to_string(), vec![value]),
            },
            Expr::Function(function) => self.function(&function.name, &function.args, function.over.is_some(), level),
            Expr::Subquery(query) => self.subquery(query, self.place, level),
            Expr::Exists { subquery, negated } => {
                let place = match (self.place, negated) {
                    (Place::InWhere, false) => Place::Exists,
                    (Place::InWhere, true) => Place::NotExists,
                    (place, _) => place,
                };
                self.exists(subquery, place, level)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                let mut parts = self.values(operand.as_deref(), level);
                for when in conditions {
                    parts.push(self.value(&when.condition, level));
                    parts.push(self.value(&when.result, level));
                }
                parts.extend(self.values(else_result.as_deref(), level));
                call("case", parts)
            }
            Expr::Tuple(parts) => call("row", self.values(parts, level)),
            Expr::Array(array) => call("array", self.values(&array.elem, level)),
            Expr::IsNull(inner) => call("is null", vec![self.value(inner, level)]),
            Expr::IsNotNull(inner) => call("is not null", vec![self.value(inner, level)]),
            Expr::IsTrue(inner) => call("is true", vec![self.value(inner, level)]),
            Expr::IsNotTrue(inner) => call("is not true", vec![self.value(inner, level)]),
            Expr::IsFalse(inner) => call("is false", vec![self.value(inner, level)]),
            Expr::IsNotFalse(inner) => call("is not false", vec![self.value(inner, level)]),
            Expr::IsUnknown(inner) => call("is unknown", vec![self.value(inner, level)]),
            Expr::IsNotUnknown(inner) => call("is not unknown", vec![self.value(inner, level)]),
            Expr::IsDistinctFrom(a, b) => call("is distinct from", self.values([&**a, &**b], level)),
            Expr::IsNotDistinctFrom(a, b) => call("is not distinct from", self.values([&**a, &**b], level)),
            Expr::In { expr, target, negated, .. } => {
                let left = self.value(expr, level);
                let right = self.in_target(target, level);
                call(not("in", *negated), vec![left, right])
            }
            Expr::Between { expr, low, high, negated } => {
                call(not("between", *negated), self.values([&**expr, &**low, &**high], level))
            }
            Expr::Like { expr, pattern, negated, .. } | Expr::ILike { expr, pattern, negated, .. } => {
                call(not("like", *negated), self.values([&**expr, &**pattern], level))
            }
            Expr::SimilarTo { expr, pattern, negated, .. } | Expr::RLike { expr, pattern, negated, .. } => {
                call(not("similar to", *negated), self.values([&**expr, &**pattern], level))
            }
            Expr::AnyOp { left, right, .. } => call("any", self.values([&**left, &**right], level)),
            Expr::AllOp { left, right, .. } => call("all", self.values([&**left, &**right], level)),
            Expr::Interval(interval) => call("interval", vec![self.value(&interval.value, level)]),
            Expr::Extract { expr, .. } => call("extract()", vec![self.value(expr, level)]),
            Expr::Ceil { expr, .. } => call("ceil()", vec![self.value(expr, level)]),
            Expr::Floor { expr, .. } => call("floor()", vec![self.value(expr, level)]),
            Expr::Position { expr, r#in } => call("position()", self.values([&**expr, &**r#in], level)),
            Expr::Substring { expr, .. } => call("substring()", vec![self.value(expr, level)]),
            Expr::Trim { expr, .. } => call("trim()", vec![self.value(expr, level)]),
            Expr::AtTimeZone { timestamp, .. } => call("at time zone", vec![self.value(timestamp, level)]),
            Expr::CompoundFieldAccess { root, .. } => call("[]", vec![self.value(root, level)]),
            Expr::JsonAccess { value, .. } => call("->", vec![self.value(value, level)]),
            Expr::MatchAgainst { columns, .. } => {
                let columns = columns.iter().map(|column| self.column_path(&path(column), level)).collect();
                call("match", columns)
            }
            Expr::MemberOf(member) => call("member of", self.values([&*member.value, &*member.array], level)),
            Expr::Wildcard(_) => Operand::Literal("*".to_owned()),
            _ => Operand::Unknown,
        }
    }

    /// A left-deep chain of one operator is one call over all its operands, so that its length is no depth.
    fn chain(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, level: &Level) -> Operand {
        let mut operands = vec![right];
        let mut head = left;
        while let Expr::BinaryOp { left, op: inner, right } = head
            && inner == op
        {
            operands.push(right);
            head = left;
        }
        operands.push(head);
        operands.reverse();
        let parts = self.values(operands, level);
        call(&op.to_string().to_lowercase(), parts)
    }

    pub fn in_target(&mut self, target: &ast::InTarget, level: &Level) -> Operand {
        match target {
            // `= ANY($1)` and a hole in place of the list stand for themselves.
            ast::InTarget::List(list) => match list.as_slice() {
                [one] if matches!(plain(one), Expr::Identifier(i) if render::unmark(&i.value) == Some(Operand::Unknown)) => {
                    Operand::Unknown
                }
                list => call("list", self.values(list, level)),
            },
            ast::InTarget::Subquery(query) => self.subquery(query, self.place, level),
            ast::InTarget::Unnest(expr) => self.value(expr, level),
            ast::InTarget::Table { .. } => Operand::Unknown,
        }
    }

    /// A call: its arguments, and what the function means to us.
    pub fn function(
        &mut self,
        function: &ast::ObjectName,
        args: &FunctionArguments,
        window: bool,
        level: &Level,
    ) -> Operand {
        let name = path(function).pop().unwrap_or_default();
        if matches!(name.as_str(), "values" | "excluded")
            && let FunctionArguments::List(list) = args
            && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(column)))] = list.args.as_slice()
        {
            return Operand::Excluded(super::reader::name(column));
        }
        if !window && let Some(aggregate) = calls::aggregate(&name) {
            self.aggregate = self.aggregate.or(Some((self.level, aggregate)));
        }
        let parts = match args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(query) => vec![self.subquery(query, self.place, level)],
            FunctionArguments::List(list) => self.arguments(&list.args, level),
        };
        if let Some(lock) = calls::lock(&name, &parts) {
            self.calls.push((name.clone(), lock));
        }
        call(&format!("{name}()"), parts)
    }

    pub fn arguments(&mut self, args: &[FunctionArg], level: &Level) -> Vec<Operand> {
        let exprs = args.iter().filter_map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
            | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
            | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expr), .. } => Some(expr),
            _ => None,
        });
        self.values(exprs, level)
    }

    fn column(&mut self, idents: &[ast::Ident], level: &Level) -> Operand {
        if let [ident] = idents {
            if let Some(operand) = render::unmark(&ident.value) {
                self.bound.push(operand.clone());
                return operand;
            }
            if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") {
                return Operand::Default;
            }
        }
        let path: Vec<Name> = idents.iter().map(name).collect();
        self.column_path(&path, level)
    }

    pub fn column_path(&mut self, path: &[Name], level: &Level) -> Operand {
        let Some((column, qualifier)) = path.split_last() else { return Operand::Unknown };
        let Some(qualifier) = qualifier.last() else { return self.bare_column(column, level) };
        let mut scope = Some(level);
        while let Some(level) = scope {
            if level.excluded.contains(qualifier) {
                return Operand::Excluded(column.clone());
            }
            if let Some(source) = level.sources.iter().find(|source| source.name == *qualifier) {
                return self.column_from(source, column);
            }
            scope = level.outer;
        }
        tagged(None, Some(qualifier.clone()), column.clone())
    }

    fn column_from(&mut self, source: &Source, column: &Name) -> Operand {
        let owner = source.owner(column);
        if let Some(access) = owner.filter(|_| self.records) {
            self.column_used(access, column);
        }
        tagged(owner, Some(source.name.clone()), column.clone())
    }

    /// A column without a table belongs to the only table, or, with several, to the main one.
    fn bare_column(&mut self, column: &Name, level: &Level) -> Operand {
        let mut scope = Some(level);
        while let Some(level) = scope {
            // The name of a function in FROM is the row it gives.
            let computed = level.sources.iter().find(|s| s.access.is_none() && s.name == *column);
            let direct = computed.or(level.sources.iter().find(|s| s.direct)).or(level.sources.first());
            if let Some(source) = direct {
                return self.column_from(source, column);
            }
            scope = level.outer;
        }
        tagged(None, None, column.clone())
    }
}

/// An expression without what does not change which value it is: brackets, casts, collations.
pub(super) fn plain(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Nested(inner)
            | Expr::Cast { expr: inner, .. }
            | Expr::Convert { expr: inner, .. }
            | Expr::Collate { expr: inner, .. } => inner,
            Expr::Tuple(parts) if parts.len() == 1 => &parts[0],
            _ => return expr,
        }
    }
}

/// The sign of an operator that may stand behind a NOT.
fn not(sign: &'static str, negated: bool) -> &'static str {
    match (sign, negated) {
        ("between", true) => "not between",
        ("like", true) => "not like",
        ("similar to", true) => "not similar to",
        ("in", true) => "not in",
        (sign, _) => sign,
    }
}

pub(super) fn call(text: &str, parts: Vec<Operand>) -> Operand {
    Operand::Expr { text: text.to_owned(), parts }
}

fn literal(value: &Value) -> Operand {
    match value {
        Value::Null => Operand::Null,
        Value::Boolean(value) => Operand::Literal(value.to_string()),
        Value::Placeholder(_) => Operand::Unknown,
        Value::Number(text, _) => Operand::Literal(text.clone()),
        value => match value.clone().into_string() {
            Some(text) if text.contains(HOLE) => Operand::Unknown,
            Some(text) => Operand::Literal(text),
            None => Operand::Literal(value.to_string()),
        },
    }
}
