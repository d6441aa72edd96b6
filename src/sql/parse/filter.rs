//! Conditions to predicates: WHERE, JOIN … ON and HAVING are cut at AND, and each part goes to the table it speaks of.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::reader::{Level, Reader, columns_of, outside, tag};
use super::value::{call, plain};
use crate::lower::tree::Name;
use crate::sql::statement::{Compare, Operand, Place, Predicate};

impl Reader<'_> {
    /// Reads a condition of this level. Parts that name no table of it go to the access `fallback`.
    pub fn filter(&mut self, expr: &Expr, level: &Level, fallback: Option<usize>) {
        let before = (self.place, self.records, self.aggregate.take());
        (self.place, self.records) = (Place::InWhere, false);
        for part in conjuncts(expr) {
            self.deeper(|reader| reader.condition(part, false, level, fallback));
        }
        (self.place, self.records, self.aggregate) = before;
    }

    fn condition(&mut self, expr: &Expr, negated: bool, level: &Level, fallback: Option<usize>) {
        match plain(expr) {
            Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr: inner } => {
                self.deeper(|reader| reader.condition(inner, !negated, level, fallback));
            }
            Expr::BinaryOp { left, op: BinaryOperator::And, right } if !negated => {
                for part in conjuncts(left).into_iter().chain(conjuncts(right)) {
                    self.deeper(|reader| reader.condition(part, false, level, fallback));
                }
            }
            Expr::BinaryOp { left, op, right } => match (plain(left), plain(right)) {
                (Expr::Tuple(a), Expr::Tuple(b)) if a.len() == b.len() && *op == BinaryOperator::Eq && !negated => {
                    for (a, b) in a.iter().zip(b) {
                        let (a, b) = (self.value(a, level), self.value(b, level));
                        self.comparison(a, Compare::Eq, b, level, fallback);
                    }
                }
                _ => match compare(op) {
                    Some(op) => self.compared(left, negate(op, negated), right, level, fallback),
                    None => self.other(expr, negated, level, fallback),
                },
            },
            Expr::IsNull(inner) => {
                self.unary(inner, if negated { Compare::IsNotNull } else { Compare::IsNull }, level, fallback)
            }
            Expr::IsNotNull(inner) => {
                self.unary(inner, if negated { Compare::IsNull } else { Compare::IsNotNull }, level, fallback);
            }
            Expr::IsTrue(inner) => self.truth(inner, !negated, level, fallback),
            Expr::IsFalse(inner) => self.truth(inner, negated, level, fallback),
            Expr::IsNotDistinctFrom(a, b) => self.compared(a, negate(Compare::Eq, negated), b, level, fallback),
            Expr::IsDistinctFrom(a, b) => self.compared(a, negate(Compare::Ne, negated), b, level, fallback),
            Expr::Between { expr, negated: not, low, high } if *not == negated => {
                self.compared(expr, Compare::Ge, low, level, fallback);
                self.compared(expr, Compare::Le, high, level, fallback);
            }
            Expr::In { expr: left, target, negated: not, .. } => {
                let op = if *not == negated { Compare::In } else { Compare::NotIn };
                let left = self.value(left, level);
                let right = self.in_target(target, level);
                self.comparison(left, op, right, level, fallback);
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                self.compared(left, if negated { Compare::NotIn } else { Compare::In }, right, level, fallback);
            }
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } if !negated => {
                self.compared(left, Compare::NotIn, right, level, fallback);
            }
            Expr::Like { negated: not, expr: left, pattern, .. }
            | Expr::ILike { negated: not, expr: left, pattern, .. }
                if *not == negated =>
            {
                self.compared(left, Compare::Like, pattern, level, fallback);
            }
            Expr::Exists { subquery, negated: not } => {
                let place = if *not == negated { Place::Exists } else { Place::NotExists };
                let value = self.exists(subquery, place, level);
                self.give(Vec::new(), Compare::Other, value, fallback);
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.truth(expr, !negated, level, fallback),
            Expr::Value(_) => {}
            _ => self.other(expr, negated, level, fallback),
        }
    }

    fn compared(&mut self, left: &Expr, op: Compare, right: &Expr, level: &Level, fallback: Option<usize>) {
        let (left, right) = (self.value(left, level), self.value(right, level));
        self.comparison(left, op, right, level, fallback);
    }

    /// `left op right`, told to each table that has a column in it.
    pub fn comparison(&mut self, left: Operand, op: Compare, right: Operand, level: &Level, fallback: Option<usize>) {
        let tables = tables(&[&left, &right], level);
        if tables.is_empty() {
            return self.told_to_none(left, op, right, fallback);
        }
        for &access in &tables {
            // A condition over a query's result and another table does not narrow what the query reads.
            if tables.len() > 1 && !level.direct(access) {
                continue;
            }
            let (ours, theirs) = (columns_of(&left, access), columns_of(&right, access));
            let said = op;
            let (mine, op, value) = if ours.is_empty() { (&right, flip(op), &left) } else { (&left, op, &right) };
            let mut columns = if ours.is_empty() { theirs.clone() } else { ours };
            columns.extend(theirs.into_iter().filter(|_| !std::ptr::eq(mine, &right)));
            columns.dedup();
            let exact = is_column(mine) || matches!(op, Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge);
            let (op, value) = match op {
                op if exact && op != Compare::Other => (op, value.clone()),
                _ => (Compare::Other, call(sign(said), vec![left.clone(), right.clone()])),
            };
            self.give_folded(columns, op, value, (Some(access), is_folded(mine)));
        }
    }

    fn told_to_none(&mut self, left: Operand, op: Compare, right: Operand, fallback: Option<usize>) {
        let unknown = || vec!["?".into()];
        let (op, value) = match (left, right) {
            // A column's name that is not constant.
            (Operand::Unknown, right) => return self.give(unknown(), op, right, fallback),
            (left, Operand::Unknown) => return self.give(unknown(), flip(op), left, fallback),
            (left, Operand::Subquery(mut parts)) => {
                parts.push(left);
                (op, Operand::Subquery(parts))
            }
            (Operand::Subquery(mut parts), right) => {
                parts.push(right);
                (flip(op), Operand::Subquery(parts))
            }
            (left, right) => (Compare::Other, call(sign(op), vec![left, right])),
        };
        self.give(Vec::new(), op, value, fallback);
    }

    fn unary(&mut self, expr: &Expr, op: Compare, level: &Level, fallback: Option<usize>) {
        let value = self.value(expr, level);
        match &value {
            Operand::Column { table, column } => {
                let access = tag(table.as_ref()).filter(|access| level.has(*access));
                let columns = access.map(|_| column.clone()).into_iter().collect();
                self.give(columns, op, Operand::Null, access.or(fallback));
            }
            _ => self.spread(call(sign(op), vec![value]), level, fallback),
        }
    }

    /// A condition that is a boolean value itself.
    fn truth(&mut self, expr: &Expr, truth: bool, level: &Level, fallback: Option<usize>) {
        match self.value(expr, level) {
            Operand::Column { table, column } => {
                let access = tag(table.as_ref()).filter(|access| level.has(*access));
                let columns = access.map(|_| column).into_iter().collect();
                self.give(columns, Compare::Eq, Operand::Literal(truth.to_string()), access.or(fallback));
            }
            Operand::Unknown => self.give(vec!["?".into()], Compare::Other, Operand::Unknown, fallback),
            value if truth => self.spread(value, level, fallback),
            value => self.spread(call("not", vec![value]), level, fallback),
        }
    }

    fn other(&mut self, expr: &Expr, negated: bool, level: &Level, fallback: Option<usize>) {
        let value = self.value(expr, level);
        self.spread(if negated { call("not", vec![value]) } else { value }, level, fallback);
    }

    /// A condition of no simple form, told to each table that has a column in it.
    fn spread(&mut self, value: Operand, level: &Level, fallback: Option<usize>) {
        let tables = tables(&[&value], level);
        if tables.is_empty() {
            return self.give(Vec::new(), Compare::Other, value, fallback);
        }
        for access in tables {
            self.give(columns_of(&value, access), Compare::Other, value.clone(), Some(access));
        }
    }

    fn give(&mut self, columns: Vec<Name>, op: Compare, value: Operand, access: Option<usize>) {
        self.give_folded(columns, op, value, (access, false));
    }

    fn give_folded(
        &mut self,
        columns: Vec<Name>,
        op: Compare,
        value: Operand,
        (access, folded): (Option<usize>, bool),
    ) {
        if let Some(access) = access.and_then(|access| self.accesses.get_mut(access)) {
            access.filter.push(Predicate { columns, op, value, folded });
        }
    }
}

/// The parts of a condition between its ANDs. A chain of them is as deep as it is long, so this is a loop.
fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    let mut out = Vec::new();
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([&**right, &**left]),
            Expr::Nested(inner) => open.push(inner),
            expr => out.push(expr),
        }
    }
    out
}

/// The tables of this level that have a column in one of the operands, in order.
fn tables(operands: &[&Operand], level: &Level) -> Vec<usize> {
    let mut out = Vec::new();
    for operand in operands {
        outside(operand, &mut |table, _| {
            if let Some(access) = tag(table)
                && level.has(access)
                && !out.contains(&access)
            {
                out.push(access);
            }
        });
    }
    out
}

/// A column as it is, or in the same case as every other: `lower(email)` holds one value for one row's sake.
fn is_column(operand: &Operand) -> bool {
    matches!(operand.in_any_case(), Operand::Column { .. })
}

fn is_folded(operand: &Operand) -> bool {
    !matches!(operand, Operand::Column { .. }) && is_column(operand)
}

fn compare(op: &BinaryOperator) -> Option<Compare> {
    Some(match op {
        BinaryOperator::Eq | BinaryOperator::Spaceship => Compare::Eq,
        BinaryOperator::NotEq => Compare::Ne,
        BinaryOperator::Lt => Compare::Lt,
        BinaryOperator::LtEq => Compare::Le,
        BinaryOperator::Gt => Compare::Gt,
        BinaryOperator::GtEq => Compare::Ge,
        // SQLite's `a IS ?` compares, with NULL for a value.
        BinaryOperator::Custom(op) if op.eq_ignore_ascii_case("is") => Compare::Eq,
        BinaryOperator::Custom(op) if op.eq_ignore_ascii_case("is not") => Compare::Ne,
        _ => return None,
    })
}

fn negate(op: Compare, negated: bool) -> Compare {
    if !negated {
        return op;
    }
    match op {
        Compare::Eq => Compare::Ne,
        Compare::Ne => Compare::Eq,
        Compare::Lt => Compare::Ge,
        Compare::Le => Compare::Gt,
        Compare::Gt => Compare::Le,
        Compare::Ge => Compare::Lt,
        op => op,
    }
}

/// The comparison as seen from its right side.
fn flip(op: Compare) -> Compare {
    match op {
        Compare::Lt => Compare::Gt,
        Compare::Le => Compare::Ge,
        Compare::Gt => Compare::Lt,
        Compare::Ge => Compare::Le,
        Compare::Eq | Compare::Ne => op,
        _ => Compare::Other,
    }
}

fn sign(op: Compare) -> &'static str {
    match op {
        Compare::Eq => "=",
        Compare::Ne => "<>",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
        Compare::In => "in",
        Compare::NotIn => "not in",
        Compare::IsNull => "is null",
        Compare::IsNotNull => "is not null",
        Compare::Like => "like",
        Compare::Other => "?",
    }
}
