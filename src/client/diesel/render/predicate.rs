//! Conditions to predicates: each part goes to the table it speaks of.

use super::{DEPTH, Level, Render, call, column_of, sign, tag};
use crate::client::diesel::expr::Expr;
use crate::lower::tree::Name;
use crate::sql::statement::{Compare, Operand, Place, Predicate};

impl Render {
    /// Reads a condition; parts that name no table of the level go to the access `fallback`.
    pub(super) fn filter(&mut self, expr: &Expr, level: &Level<'_>, fallback: Option<usize>) {
        let before = (self.place, self.records);
        (self.place, self.records) = (Some(Place::InWhere), false);
        self.condition(expr, false, level, fallback);
        (self.place, self.records) = before;
    }

    fn condition(&mut self, expr: &Expr, negated: bool, level: &Level<'_>, fallback: Option<usize>) {
        if self.depth >= DEPTH {
            return;
        }
        self.depth += 1;
        match expr {
            Expr::Not(inner) => self.condition(inner, !negated, level, fallback),
            Expr::All(parts) if !negated => {
                for part in parts {
                    self.condition(part, false, level, fallback);
                }
            }
            Expr::Compare(left, op, _) if matches!(op, Compare::IsNull | Compare::IsNotNull) => {
                let value = self.operand(left, level);
                let op = negate(*op, negated);
                match column_of(&value, level) {
                    Some((access, column)) => self.give(vec![column], op, Operand::Null, Some(access)),
                    None => self.spread(call(sign(op), vec![value]), level, fallback),
                }
            }
            Expr::Compare(left, op, right) if !negated || !matches!(op, Compare::Like | Compare::Other) => {
                let (left, right) = (self.operand(left, level), self.operand(right, level));
                self.comparison(left, negate(*op, negated), right, level, fallback);
            }
            Expr::Exists(select) => {
                let place = if negated { Place::NotExists } else { Place::Exists };
                let value = self.exists(select, place, level);
                self.give(Vec::new(), Compare::Other, value, fallback);
            }
            Expr::Column { .. } => {
                let value = self.operand(expr, level);
                match column_of(&value, level) {
                    Some((access, column)) => {
                        let truth = Operand::Literal((!negated).to_string());
                        self.give(vec![column], Compare::Eq, truth, Some(access));
                    }
                    None => self.spread(value, level, fallback),
                }
            }
            Expr::Unknown | Expr::Value(_) => {
                self.give(vec![Name::new("?")], Compare::Other, Operand::Unknown, fallback);
            }
            Expr::Literal(_) => {}
            _ => {
                let value = self.operand(expr, level);
                self.spread(if negated { call("not", vec![value]) } else { value }, level, fallback);
            }
        }
        self.depth -= 1;
    }

    /// `left op right`, told to each table that has a column in it.
    fn comparison(&mut self, left: Operand, op: Compare, right: Operand, level: &Level<'_>, fallback: Option<usize>) {
        let tables = tables(&[&left, &right], level);
        if tables.is_empty() {
            return self.give(Vec::new(), Compare::Other, call(sign(op), vec![left, right]), fallback);
        }
        for access in tables {
            let (ours, theirs) = (columns_in(&left, access), columns_in(&right, access));
            let from_right = ours.is_empty();
            let (mine, op, value) = if from_right { (&right, flip(op), &left) } else { (&left, op, &right) };
            let mut columns = if from_right { theirs.clone() } else { ours };
            if !from_right {
                columns.extend(theirs);
            }
            columns.dedup();
            let ordered = matches!(op, Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge);
            let exact = (is_column(mine) || ordered) && op != Compare::Other;
            let (op, value) = match exact {
                true => (op, value.clone()),
                false => (Compare::Other, call(sign(op), vec![mine.clone(), value.clone()])),
            };
            self.give(columns, op, value, Some(access));
        }
    }

    /// A condition of no simple form, told to each table that has a column in it.
    fn spread(&mut self, value: Operand, level: &Level<'_>, fallback: Option<usize>) {
        let tables = tables(&[&value], level);
        if tables.is_empty() {
            return self.give(Vec::new(), Compare::Other, value, fallback);
        }
        for access in tables {
            self.give(columns_in(&value, access), Compare::Other, value.clone(), Some(access));
        }
    }

    fn give(&mut self, columns: Vec<Name>, op: Compare, value: Operand, access: Option<usize>) {
        if let Some(access) = access.and_then(|access| self.accesses.get_mut(access)) {
            access.filter.push(Predicate { columns, op, value, folded: false });
        }
    }
}

/// The columns of one access that an operand names.
fn columns_in(operand: &Operand, access: usize) -> Vec<Name> {
    let mut out: Vec<Name> = Vec::new();
    operand.walk(&mut |part| {
        if let Operand::Column { table, column } = part
            && tag(table.as_ref()) == Some(access)
            && !out.contains(column)
        {
            out.push(column.clone());
        }
    });
    out
}

/// The tables of this level that have a column in one of the operands, in order.
fn tables(operands: &[&Operand], level: &Level<'_>) -> Vec<usize> {
    let mut out = Vec::new();
    for operand in operands {
        operand.walk(&mut |part| {
            if let Some((access, _)) = column_of(part, level)
                && !out.contains(&access)
            {
                out.push(access);
            }
        });
    }
    out
}

/// A column as it is, or in the same case as every other.
fn is_column(operand: &Operand) -> bool {
    matches!(operand.in_any_case(), Operand::Column { .. })
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
        Compare::In => Compare::NotIn,
        Compare::NotIn => Compare::In,
        Compare::IsNull => Compare::IsNotNull,
        Compare::IsNotNull => Compare::IsNull,
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
