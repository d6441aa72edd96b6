//! Where branches meet: the values that the ways gave become one.

use std::sync::Arc;

use crate::client::Builder;
use crate::event::{CondId, Conds, Path};
use crate::flow::Evaluator;
use crate::flow::branch::union;
use crate::flow::term::{Term, TermId};
use crate::flow::value::{ClosureValue, QueryBody, Shape, Text, Value, Wrap};
use crate::link::Type;
use crate::lower::tree::Name;

impl Evaluator<'_> {
    /// What a closure has put into the variables of the function that it stands in, which may or may not have happened:
    /// `rows.for_each(|row| list.push(row))`.
    pub(super) fn changed_by(&mut self, closure: &ClosureValue, inner: &[(Name, Value)]) {
        if closure.function != self.frame.function {
            return;
        }
        for (place, ((name, before), (bound, after))) in closure.env.iter().zip(inner).enumerate() {
            let Some((known, now)) = self.frame.env.get(place) else { return };
            if after.term == before.term || now.term != before.term || name != known || name != bound {
                continue;
            }
            let merged = self.merge(&[&now.clone(), after], &[]);
            self.frame.env[place].1 = merged;
        }
    }

    /// One of several values, chosen by conditions.
    pub(super) fn merge(&mut self, values: &[&Value], conds: &[CondId]) -> Value {
        self.merge_ways(values, &[], conds)
    }

    /// The same where each is the value at the end of a way of its own.
    pub(super) fn merge_ways(&mut self, values: &[&Value], ways: &[Path], conds: &[CondId]) -> Value {
        if let [one] = values {
            let mut value = (*one).clone();
            value.guards = union(&value.guards, conds);
            return value;
        }
        // Where each way gives the same, none was chosen.
        let alike = values.windows(2).all(|pair| pair[0].term == pair[1].term);
        let conds = if alike { &[] } else { conds };
        let term = self.terms.either(values.iter().map(|value| value.term));
        let ty = values.iter().map(|value| &value.ty).find(|ty| !matches!(ty, Type::Unknown | Type::Never));
        let mut value = Value::new(term, ty.cloned().unwrap_or(Type::Unknown));
        let mut guards = conds.to_vec();
        for one in values {
            guards.extend(one.guards.iter().copied());
        }
        value.guards = union(&[], &guards);
        value.wrap = merged_wrap(values);
        value.refused = self.refusals(values, conds);
        value.absent = self.merged_absent(values, ways);
        value.variants = self.merged_variants(values, ways);
        let shape = match self.merged_builder(values, conds) {
            Some(builder) => Shape::Builder(Arc::new(builder)),
            None => self.merged_record(values, ways, conds).unwrap_or_else(|| merge_shapes(values, ways)),
        };
        value.reshape(shape);
        value
    }

    /// One of several structs, field by field: each field is what it is on one of the ways. A value that nobody took apart
    /// has its fields too.
    fn merged_record(&mut self, values: &[&Value], ways: &[Path], conds: &[CondId]) -> Option<Shape> {
        let there = |value: &&Value| !self.is_error(value) && !matches!(self.terms.get(value.term), Term::Literal(_));
        let places: Vec<usize> = (0..values.len()).filter(|place| there(&values[*place])).collect();
        let ways: Vec<Path> = places.iter().filter_map(|place| ways.get(*place).cloned()).collect();
        let all: Vec<&Value> = places.iter().map(|place| values[*place]).collect();
        let mut names: Vec<Name> = Vec::new();
        let mut listed = false;
        for value in &all {
            match &value.shape {
                Shape::Record(fields) => {
                    listed |= numbered(fields);
                    let new = fields.iter().map(|(name, _)| name).filter(|name| !names.contains(name));
                    names.extend(new.cloned().collect::<Vec<_>>());
                }
                Shape::Plain if self.terms.matters(value.term) => {}
                _ => return None,
            }
        }
        let has_all = |value: &&Value| names.iter().all(|name| value.part(name).is_some());
        let unlike = listed && !all.iter().all(has_all);
        if all.len() < 2 || names.is_empty() || unlike || names.iter().any(|name| name == "each") {
            return None;
        }
        let merged = names.into_iter().map(|name| {
            let parts: Vec<Value> = all.iter().map(|value| self.field(value, &name)).collect();
            let same = parts.iter().all(|part| part.term == parts[0].term);
            let is_constant = |part: &Value| matches!(self.terms.get(part.term), Term::Literal(_));
            let constant = parts.iter().all(is_constant);
            let first_for_all =
                listed && !parts.iter().all(|part| is_constant(part) || self.terms.is_of_params(part.term));
            let parts: Vec<&Value> = parts.iter().collect();
            // Of constants the conditions say which; of a tuple the first stands for all, but for a constant's
            // among what is worked out of what was handed in.
            let part = match (same || first_for_all, constant) {
                (true, _) => parts[0].clone(),
                (false, true) => self.merge_ways(&parts, &ways, conds),
                (false, false) => self.merge_ways(&parts, &ways, &[]),
            };
            self.learn_handle(&part);
            (name, part)
        });
        let merged = merged.collect();
        Some(Shape::Record(Arc::new(merged)))
    }

    /// What decides whether one of several results is an error: what decided it of each, and what chose among them where
    /// one is an error in any case.
    pub(super) fn refusals(&self, values: &[&Value], conds: &[CondId]) -> Option<Conds> {
        let mut found: Vec<CondId> = Vec::new();
        for value in values {
            match &value.refused {
                Some(refused) if value.wrap == Wrap::Answer => found.extend(refused.iter().copied()),
                _ if self.is_error(value) => found.extend(conds.iter().copied()),
                _ => return None,
            }
        }
        Some(union(&[], &found))
    }

    pub(super) fn is_error(&self, value: &Value) -> bool {
        matches!(self.terms.get(value.term), Term::Literal(text) if &**text == "error")
    }

    /// Builders that become one where branches meet.
    fn merged_builder(&mut self, values: &[&Value], conds: &[CondId]) -> Option<Builder> {
        let builder = |value: &&Value| match &value.shape {
            Shape::Builder(builder) => Some(Some(builder.clone())),
            Shape::Plain => None,
            _ => Some(None),
        };
        let all: Option<Vec<Arc<Builder>>> = values.iter().filter_map(builder).collect();
        let all = all.filter(|all| all.len() > 1)?;
        let refs: Vec<&Builder> = all.iter().map(|builder| &**builder).collect();
        let asked = |cond: &CondId| match self.terms.get(self.cond(*cond).term) {
            Term::Exists(of) => Some(*of),
            _ => None,
        };
        let asked: Vec<TermId> = conds.iter().filter_map(asked).collect();
        Builder::merge(&refs, &asked, &mut self.terms)
    }
}

/// A result that every way gives asks nothing of the conditions that chose the way.
fn merged_wrap(values: &[&Value]) -> Wrap {
    let first = values.iter().map(|value| value.wrap).find(|wrap| *wrap != Wrap::Bare).unwrap_or_default();
    let always = values.iter().all(|value| value.wrap == Wrap::Answer);
    if first == Wrap::Answer && !always { Wrap::Fallible } else { first }
}

/// Whether the parts of a record are those of a tuple or an array.
fn numbered(fields: &[(Name, Value)]) -> bool {
    fields.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn merge_shapes(values: &[&Value], ways: &[Path]) -> Shape {
    let shaped: Vec<(usize, &Value)> =
        values.iter().copied().enumerate().filter(|(_, value)| !matches!(value.shape, Shape::Plain)).collect();
    match shaped.as_slice() {
        [] => Shape::Plain,
        [(_, one)] => one.shape.clone(),
        [(_, first), rest @ ..] => {
            if rest.iter().all(|(_, value)| value.term == first.term && same_text(value, first)) {
                return first.shape.clone();
            }
            if shaped.iter().all(|(_, value)| matches!(value.shape, Shape::Record(_))) {
                return first.shape.clone();
            }
            let each = shaped.iter().flat_map(|(place, value)| {
                let all = match &value.shape {
                    Shape::OneOf(values) => values.to_vec(),
                    _ => vec![(*value).clone()],
                };
                all.into_iter().map(|one| at_end_of(one, ways.get(*place)))
            });
            Shape::OneOf(each.take(8).collect())
        }
    }
}

/// One of several values, at the end of a way that goes on from its own.
fn at_end_of(value: Value, way: Option<&Path>) -> Value {
    let way = match (&value.way, way) {
        (Some(own), Some(outer)) => own.within(outer).or_else(|| Some(own.clone())),
        (own, outer) => own.clone().or_else(|| outer.cloned()),
    };
    Value { way, ..value }
}

/// Whether two values do not differ by the text that they are, or send.
pub(super) fn same_text(one: &Value, other: &Value) -> bool {
    if let (Shape::OneOf(one), Shape::OneOf(other)) = (&one.shape, &other.shape) {
        return one.len() == other.len() && one.iter().zip(&**other).all(|(one, other)| same_text(one, other));
    }
    match (text_of(one), text_of(other)) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
        (one, other) => one.is_none() && other.is_none(),
    }
}

fn text_of(value: &Value) -> Option<&Arc<Text>> {
    match &value.shape {
        Shape::Text(text) => Some(text),
        Shape::Query(query) => match &query.body {
            QueryBody::Text(text) => Some(text),
            QueryBody::Statement(_) => None,
        },
        _ => None,
    }
}
