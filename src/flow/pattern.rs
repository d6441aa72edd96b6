//! Patterns: what they bind, and what they test.

use crate::event::{Conds, Event};
use crate::flow::Evaluator;
use crate::flow::absent::{self, Absent};
use crate::flow::term::{Origin, Part};
use crate::flow::value::{Shape, Value, Wrap};
use crate::link::Type;
use crate::lower::tree::{Name, Pat, TyPath};

impl<'p> Evaluator<'p> {
    /// Brings a pattern's variables into scope.
    pub(super) fn bind(&mut self, pat: &Pat, value: Value) {
        match pat {
            Pat::Bind(name, sub, binding) => {
                self.note_changeable(name, binding.changeable);
                self.declare(name, value.clone());
                if let Some(sub) = sub {
                    self.bind(sub, value);
                }
            }
            Pat::Ref(inner) => self.bind(inner, value),
            Pat::Tuple(parts) => {
                let count = parts.len();
                let after = parts.iter().position(|part| matches!(part, Pat::Rest));
                for (i, part) in parts.iter().enumerate() {
                    if after.is_some_and(|rest| i >= rest) && !matches!(value.shape, Shape::Record(_)) {
                        let unknown = self.computed_from("part", &value);
                        self.bind(part, unknown);
                        continue;
                    }
                    let at = match (&value.shape, after) {
                        (Shape::Record(all), Some(rest)) if i > rest => all.len().saturating_sub(count - i),
                        _ => i,
                    };
                    let inner = self.field(&value, &at.to_string());
                    self.bind(part, inner);
                }
            }
            Pat::TupleStruct(path, parts) => self.bind_tuple_struct(path, parts, value),
            Pat::Struct(_, fields) => {
                for (name, sub) in fields {
                    let inner = self.field(&value, name);
                    self.bind(sub, inner);
                }
            }
            Pat::Or(all) => {
                // All alternatives bind the same names.
                if let Some(first) = all.iter().find(|pat| binds(pat)).or(all.first()) {
                    self.bind(first, value);
                }
            }
            Pat::Slice(parts) => {
                for part in parts {
                    let inner = self.element(&value);
                    self.bind(part, inner);
                }
            }
            Pat::Wild | Pat::Path(_) | Pat::Lit(_) | Pat::Range(_) | Pat::Rest | Pat::Other => {}
        }
    }

    fn bind_tuple_struct(&mut self, path: &TyPath, parts: &[Pat], value: Value) {
        let name = self.outcome(path).unwrap_or_else(|| last(path));
        match (name, parts) {
            ("Some" | "Ok", [inner]) => {
                let mut value = if name == "Ok" { self.unwrapped(value) } else { value };
                if name == "Some" {
                    value.absent = Absent::Unknown;
                    value.term = self.terms.without(value.term, "none");
                }
                value.guards = Conds::default();
                value.wrap = Wrap::Bare;
                self.bind(inner, value);
            }
            ("Err", [inner]) => {
                let error = self.error_of(&value);
                self.bind(inner, error);
            }
            (_, [inner]) => {
                // A newtype, or a variant with one field: the field stands for the whole.
                let own = self.program.field(&value.ty, "0");
                let ty = own.unwrap_or_else(|| self.variant_field(path, 0));
                let part = match value.part("0") {
                    Some(part) => part.clone(),
                    None => Value { ty, shape: Shape::Plain, ..value },
                };
                self.bind(inner, part);
            }
            (_, parts) => {
                for (i, part) in parts.iter().enumerate() {
                    if matches!(part, Pat::Rest) {
                        break;
                    }
                    let ty = self.variant_field(path, i);
                    let mut inner = self.field(&value, &i.to_string());
                    if matches!(inner.ty, Type::Unknown) {
                        inner.ty = ty;
                    }
                    self.bind(part, inner);
                }
            }
        }
    }

    /// The error of a result. That of one which says nothing of rows was decided by what refused; what would have been in
    /// it is not known there.
    fn error_of(&mut self, result: &Value) -> Value {
        let decided = match (result.wrap, &result.refused) {
            (Wrap::Answer | Wrap::Fallible, Some(refused)) => refused.clone(),
            (Wrap::Answer, None) => Conds::default(),
            _ => return self.computed_from("error", result),
        };
        // Of a write it says which constraint refused.
        let written = |origin: &Origin| {
            let sent = self.emitted(origin.event).and_then(Event::access);
            origin.part == Part::Count || sent.is_none_or(|access| access.statement.writes())
        };
        if self.terms.origins(result.term).iter().any(written) {
            return self.computed_from("error", result);
        }
        Value { guards: decided, ..self.fresh() }
    }

    fn variant_field(&self, path: &TyPath, index: usize) -> Type {
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        for def in self.program.resolve(self.frame.scope, &names) {
            let field = match def {
                crate::link::Def::Variant(id, name) => self.program.variant_fields(id, &name).get(index).cloned(),
                crate::link::Def::Type(id) => self.program.fields(id).get(index).cloned(),
                _ => continue,
            };
            if let Some((_, ty)) = field {
                return ty;
            }
        }
        Type::Unknown
    }

    pub(super) fn computed_from(&mut self, by: &str, value: &Value) -> Value {
        Value::new(self.terms.computed(by, vec![value.term]), Type::Unknown)
    }

    /// What a refutable pattern asks of a value; a literal `true` when it always matches.
    pub(super) fn tested(&mut self, pat: &Pat, value: &Value) -> Value {
        let mut parts = Vec::new();
        self.collect_tests(pat, value, &mut parts);
        let term = match parts.as_slice() {
            [] => self.terms.literal("true"),
            [one] => *one,
            _ => self.terms.computed("&&", parts),
        };
        let guards = value.guards.clone();
        let absent = if absent::asks_presence(pat) { self.absent(value) } else { Absent::Unknown };
        let variants = value.variants.clone();
        Value { guards, absent, variants, ..Value::new(term, Type::Unknown) }
    }

    fn collect_tests(&mut self, pat: &Pat, value: &Value, parts: &mut Vec<crate::flow::term::TermId>) {
        match pat {
            Pat::TupleStruct(path, inner) => {
                let name = self.outcome(path).unwrap_or_else(|| last(path));
                if matches!(name, "Some" | "Ok" | "Err") {
                    // Of a result, `Ok` says that the database answered.
                    let answered = matches!(value.wrap, Wrap::Answer | Wrap::Fallible) && name != "Some";
                    if !answered {
                        parts.push(self.presence(value, "is_some"));
                    }
                    let value = &Value { wrap: Wrap::Bare, ..value.clone() };
                    if name != "Err" {
                        for sub in inner {
                            self.collect_tests(sub, value, parts);
                        }
                    }
                    return;
                }
                if !self.is_struct(path) {
                    self.compare_with(value, path, parts);
                }
                for (i, sub) in inner.iter().enumerate() {
                    let part = if inner.len() == 1 { value.clone() } else { self.field(value, &i.to_string()) };
                    self.collect_tests(sub, &part, parts);
                }
            }
            Pat::Path(path) => {
                if last(path) == "None" {
                    parts.push(self.terms.exists(value.term));
                } else {
                    self.compare_with(value, path, parts);
                }
            }
            Pat::Struct(path, fields) => {
                if !self.is_struct(path) {
                    self.compare_with(value, path, parts);
                }
                for (name, sub) in fields {
                    let part = self.field(value, name);
                    self.collect_tests(sub, &part, parts);
                }
            }
            Pat::Lit(lit) => {
                let right = self.expr(lit);
                parts.push(self.terms.computed("==", vec![value.term, right.term]));
            }
            Pat::Range(_) => parts.push(self.terms.computed("in", vec![value.term])),
            Pat::Tuple(inner) => {
                for (i, sub) in inner.iter().enumerate() {
                    let part = self.field(value, &i.to_string());
                    self.collect_tests(sub, &part, parts);
                }
            }
            Pat::Or(all) => {
                for sub in all {
                    self.collect_tests(sub, value, parts);
                }
            }
            Pat::Slice(inner) => {
                parts.push(self.terms.exists(value.term));
                for sub in inner {
                    self.collect_tests(sub, value, parts);
                }
            }
            Pat::Ref(inner) => self.collect_tests(inner, value, parts),
            Pat::Bind(_, Some(sub), _) => self.collect_tests(sub, value, parts),
            Pat::Bind(..) | Pat::Wild | Pat::Rest | Pat::Other => {}
        }
    }

    fn compare_with(&mut self, value: &Value, path: &TyPath, parts: &mut Vec<crate::flow::term::TermId>) {
        let name = last(path).to_owned();
        let right = self.terms.literal(&name);
        parts.push(self.terms.computed("==", vec![value.term, right]));
    }

    fn is_struct(&self, path: &TyPath) -> bool {
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        self.program.resolve(self.frame.scope, &names).iter().any(|def| matches!(def, crate::link::Def::Type(_)))
    }
}

fn last(path: &TyPath) -> &str {
    path.segments.last().map(|segment| segment.name.as_str()).unwrap_or_default()
}

fn binds(pat: &Pat) -> bool {
    match pat {
        Pat::Bind(..) => true,
        Pat::Tuple(parts) | Pat::TupleStruct(_, parts) | Pat::Or(parts) | Pat::Slice(parts) => parts.iter().any(binds),
        Pat::Struct(_, fields) => fields.iter().any(|(_, pat)| binds(pat)),
        Pat::Ref(inner) => binds(inner),
        _ => false,
    }
}
