//! Places: what is stored in a variable or in a part of one, by the function that has it or by one that it is lent to.

use std::sync::Arc;

use crate::client::{HandleKind, handles};
use crate::event::Left;
use crate::flow::Evaluator;
use crate::flow::known::is_mutator;
use crate::flow::limits::FIELDS;
use crate::flow::mapping::Mapping;
use crate::flow::taken::is_keyed;
use crate::flow::term::{Origin, Params, Part, Term, TermId};
use crate::flow::value::{Shape, Value};
use crate::link::{FnId, Type};
use crate::lower::tree::{Expr, ExprKind, MethodCall, Name, Pat, UnOp};
use crate::span::Range;

/// What a variable was borrowed from: `let doc = &mut row.doc`, `if let Some(fields) = doc.as_object_mut()`.
#[derive(Clone, Debug)]
pub(crate) struct Borrowed {
    place: Expr,
    /// All that is in the place, not one of its parts.
    whole: bool,
}

/// How deep the parts of an argument are followed.
const PARTS: usize = 4;

/// How many values a function may leave in its arguments.
const LEFT: usize = 32;

impl<'p> Evaluator<'p> {
    /// Puts a value into a variable, or into a part of one.
    pub(crate) fn store(&mut self, place: &Expr, value: Value) {
        match &*place.kind {
            ExprKind::Path(path) if path.segments.len() == 1 => {
                let name = &path.segments[0].name;
                let Some(at) = self.frame.env.iter().rposition(|(n, _)| n == name) else { return };
                let (_, old) = &mut self.frame.env[at];
                let ty = if matches!(value.ty, Type::Unknown) { old.ty.clone() } else { value.ty.clone() };
                let part_of = old.part_of.take();
                *old = Value { part_of: part_of.clone(), ..value.typed(ty) };
                if let Some(borrowed) = part_of {
                    let value = Value { part_of: None, ..self.frame.env[at].1.clone() };
                    self.store_through(&borrowed, value, at);
                }
            }
            ExprKind::Field(of, name) => {
                let whole = self.expr(of);
                let changed = self.with_field(whole, name, value);
                self.store(of, changed);
            }
            ExprKind::Unary(UnOp::Deref, of) if self.is_guard(of) => {
                let guard = self.expr(of);
                let changed = self.with_part(guard, &value);
                self.store(of, changed);
            }
            ExprKind::Unary(UnOp::Deref, of) | ExprKind::Ref(of) => self.store(of, value),
            ExprKind::Index(of, _) => {
                let whole = self.expr(of);
                let changed = self.with_part(whole, &value);
                self.store(of, changed);
            }
            ExprKind::Method(call) if call.args.is_empty() => self.store(&call.recv, value),
            ExprKind::Method(call) if is_part(&call.name) => {
                if let Some((root, _)) = borrowed_of(&call.recv) {
                    let whole = self.expr(root);
                    if is_entry(place) && is_keyed(&whole) && self.is_of_columns(value.term) {
                        let changed = self.with_part(whole, &value);
                        return self.store(root, changed);
                    }
                    self.store_part(root, whole, &value);
                }
            }
            ExprKind::Tuple(places) => {
                for (i, place) in places.iter().enumerate() {
                    let part = self.field(&value, &i.to_string());
                    self.store(place, part);
                }
            }
            _ => {}
        }
    }

    /// Whether a variable or a field holds the guard of a lock: what is put behind it leaves it locked.
    fn is_guard(&mut self, place: &Expr) -> bool {
        is_plain(place) && {
            let held = self.expr(place).term;
            self.frame.guards.iter().any(|guard| guard.guard == held)
        }
    }

    /// A variable that was borrowed from another one is changed, and that with it. The other one is older.
    fn store_through(&mut self, borrowed: &Borrowed, value: Value, at: usize) {
        let younger = self.frame.env.split_off(at);
        if borrowed.whole {
            self.store(&borrowed.place, value);
        } else {
            let whole = self.expr(&borrowed.place);
            self.store_part(&borrowed.place, whole, &value);
        }
        self.frame.env.extend(younger);
    }

    /// Something is put into a part of a variable that has no name. Of a document that a row holds that makes a new one; a
    /// list or a map that the program keeps is not followed part by part, but for what is put under a key of a map.
    fn store_part(&mut self, place: &Expr, whole: Value, part: &Value) {
        if self.is_document(whole.term) {
            let changed = self.with_part(whole, part);
            self.store(place, changed);
        }
    }

    /// Whether what comes of rows in a value are columns as they were read, such as keys.
    fn is_of_columns(&self, term: TermId) -> bool {
        let origins = self.terms.origins(term);
        let column = |origin: &Origin| !origin.computed && matches!(origin.part, Part::Column(_));
        !origins.is_empty() && origins.iter().all(column)
    }

    /// Whether a value is what one column holds, decoded or not, with what was put into it since.
    pub(super) fn is_document(&self, term: TermId) -> bool {
        let mut base = term;
        while let Term::Computed(by, parts) = self.terms.get(base)
            && (by == "put" || is_mutator(by))
            && let Some(first) = parts.first()
        {
            base = *first;
        }
        let origins = self.terms.origins(base);
        origins.first().is_some_and(|first| {
            origins.iter().all(|origin| origin.event == first.event)
                && !self.terms.brings(base, |event| event == first.event)
        })
    }

    /// `map.entry(key).or_insert(value)`
    pub(super) fn filled_place(&mut self, recv: Value, call: &MethodCall, args: &[Value], at: Range) -> Value {
        self.run_closures(args, at);
        let root = borrowed_of(&call.recv).map(|(root, _)| root);
        if let Some(root) = root {
            let whole = self.expr(root);
            if self.is_document(whole.term) {
                let parts = std::iter::once(whole.term).chain([recv.term]).chain(args.iter().map(|arg| arg.term));
                let term = self.terms.computed("put", parts.collect());
                self.store(root, Value { term, ..whole });
            }
        }
        recv
    }

    /// A struct with another value in one of its fields.
    fn with_field(&mut self, mut whole: Value, name: &Name, value: Value) -> Value {
        if let Some(changed) = self.stored_field(&whole, name, &value) {
            return changed;
        }
        let mut parts = match &whole.shape {
            Shape::Record(parts) => (**parts).clone(),
            _ => self.all_fields(&whole),
        };
        whole.term = self.terms.computed("with", vec![whole.term, value.term]);
        match parts.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value,
            None => parts.push((name.clone(), value)),
        }
        if self.is_all_new(&whole, &parts) {
            whole.term = self.terms.record(parts.iter().map(|(name, part)| (name, part.term)), None);
        }
        whole.reshape(Shape::Record(Arc::new(parts)));
        whole
    }

    /// Whether each field of a struct has been given another value, so that nothing of what it was is left.
    fn is_all_new(&self, whole: &Value, parts: &[(Name, Value)]) -> bool {
        let Type::Def(id, _) = self.program.peel(&whole.ty) else { return false };
        let mut before = whole.term;
        while let Term::Computed(by, terms) = self.terms.get(before)
            && by == "with"
        {
            before = terms[0];
        }
        before != whole.term
            && self.program.field_count(id) == parts.len()
            && parts.iter().all(|(_, part)| !self.terms.mentions(part.term, before))
    }

    /// A value with something else in a part of it that has no name.
    fn with_part(&mut self, mut whole: Value, part: &Value) -> Value {
        whole.term = self.terms.computed("put", vec![whole.term, part.term]);
        whole
    }

    /// The fields of a struct, each as a field of its term, so that one of them can be replaced.
    fn all_fields(&mut self, of: &Value) -> Vec<(Name, Value)> {
        let inner = self.program.peel(&of.ty);
        let Type::Def(id, _) = &inner else { return Vec::new() };
        let fields = self.program.fields(*id);
        if fields.len() > FIELDS {
            return Vec::new();
        }
        fields.iter().map(|(name, ty)| (name.clone(), self.field(of, name).typed(ty.clone()))).collect()
    }

    /// The type of what is in a result of this type.
    pub(super) fn inside_result(&self, ty: &mut Type) {
        if let Type::External(_, args) = &*ty
            && ty.external_name() == Some("Result")
            && let Some(inside) = args.first()
        {
            *ty = inside.clone();
        }
    }

    /// Brings a pattern's variables into scope, which are borrowed from a place where the expression says so.
    pub(super) fn bind_from(&mut self, pat: &Pat, value: Value, from: &Expr) {
        let before = self.frame.env.len();
        self.bind(pat, value);
        if self.frame.env.len() == before {
            return;
        }
        let lends = |expr: &Expr| expr.at.of(self.frame.text).starts_with("&mut ");
        let mut of = from;
        let mut changes = lends(of);
        let Some((place, mut whole)) = borrowed_of(from) else { return };
        while let ExprKind::Ref(inner) | ExprKind::Try(inner) = &*of.kind {
            changes |= lends(of);
            of = inner;
        }
        while let ExprKind::Method(call) = &*of.kind {
            changes |= call.name.ends_with("_mut") || is_part(&call.name);
            of = &call.recv;
        }
        if !changes {
            return;
        }
        whole &= is_all_of_it(pat);
        let borrowed = Arc::new(Borrowed { place: place.clone(), whole });
        for (_, value) in self.frame.env.iter_mut().skip(before) {
            value.part_of = Some(borrowed.clone());
        }
    }

    /// What is in the parameters that are lent to be changed, where that is not what was handed in.
    ///
    /// In: the arguments, where the body was evaluated in place of a call.
    pub(super) fn left_in_parameters(&mut self, id: FnId, args: &[Value]) -> Vec<Left> {
        let function = self.program.function(id);
        let this = function.receiver.iter().map(|_| (Some(Name::new("self")), function.changes_self));
        let others = function.params.iter().map(|param| match &param.pat {
            Pat::Bind(name, None, _) => (Some(name.clone()), param.lent),
            _ => (None, false),
        });
        let mut left = Vec::new();
        // What a builder was told is known where the body is evaluated for one call.
        let called = !args.is_empty();
        for (argument, (name, lent)) in this.chain(others).enumerate() {
            let Some(name) = name.filter(|_| lent) else { continue };
            let Ok(argument) = u16::try_from(argument) else { break };
            let Some((_, value)) = self.frame.env.iter().find(|(known, _)| *known == name) else { continue };
            let value = Value { part_of: None, ..value.clone() };
            if !called && matches!(value.shape, Shape::Builder(_)) {
                continue;
            }
            let before = match args.get(usize::from(argument)) {
                Some(arg) => arg.term,
                None => self.terms.intern(Term::Param(id, argument)),
            };
            if called {
                let added_to = args.get(usize::from(argument)).is_some_and(|arg| is_added_to(arg, &value));
                if (value.term != before || added_to) && !self.is_connection(&value) {
                    left.push(Left { argument, path: Vec::new(), value });
                }
                continue;
            }
            self.collect_left(argument, &mut Vec::new(), value, before, &mut left);
        }
        if left.len() > LEFT { Vec::new() } else { left }
    }

    fn collect_left(
        &mut self,
        argument: u16,
        path: &mut Vec<Name>,
        value: Value,
        before: TermId,
        left: &mut Vec<Left>,
    ) {
        if value.term == before || left.len() > LEFT || self.is_connection(&value) {
            return;
        }
        let made_of_old = matches!(self.terms.get(value.term), Term::Computed(by, _) if by == "with")
            || matches!(self.terms.get(value.term), Term::Either(_));
        if let Shape::Record(parts) = &value.shape
            && made_of_old
            && path.len() < PARTS
            && matches!(self.program.peel(&value.ty), Type::Def(..))
        {
            for (name, part) in parts.iter() {
                let old = self.terms.field(before, name.clone());
                path.push(name.clone());
                self.collect_left(argument, path, part.clone(), old, left);
                path.pop();
            }
            return;
        }
        left.push(Left { argument, path: path.clone(), value });
    }

    /// A pool or connection is the one it was, whatever was done to it.
    fn is_connection(&self, value: &Value) -> bool {
        let handle = self.handle(value.term).or_else(|| handles::handle_of(&value.ty, &self.clients));
        handle.is_some_and(|handle| handle.kind != HandleKind::Transaction)
    }

    /// What a called function leaves in the arguments, in terms of the caller.
    pub(super) fn map_left(&mut self, left: &[Left], places: &[&Expr], map: &mut Mapping<'_>) -> Vec<Left> {
        let placed = left.iter().filter(|left| places.get(usize::from(left.argument)).is_some());
        let mapped = placed.map(|left| Left { value: self.map_value(&left.value, map, 0), ..left.clone() });
        mapped.collect()
    }

    /// Puts what a called function left in its arguments where these are.
    pub(super) fn put_back(&mut self, left: Vec<Left>, args: &[Value], places: &[&Expr]) {
        let mut at = 0;
        while let Some(Left { argument, .. }) = left.get(at) {
            let argument = *argument;
            let (Some(arg), Some(place)) = (args.get(usize::from(argument)), places.get(usize::from(argument))) else {
                at += 1;
                continue;
            };
            let mut whole = arg.clone();
            while let Some(one) = left.get(at).filter(|one| one.argument == argument) {
                whole = self.with_path(whole, &one.path, one.value.clone());
                at += 1;
            }
            if self.is_connection(arg) || self.store_builder(arg, &whole) {
                continue;
            }
            let Some((root, all)) = borrowed_of(place) else { continue };
            if all {
                self.store(root, whole);
            } else {
                let holder = self.expr(root);
                self.store_part(root, holder, &whole);
            }
        }
    }

    fn with_path(&mut self, whole: Value, path: &[Name], value: Value) -> Value {
        let [first, rest @ ..] = path else {
            return Value { ty: if value.ty.is_unknown() { whole.ty } else { value.ty.clone() }, ..value };
        };
        let inner = self.field(&whole, first);
        let changed = self.with_path(inner, rest, value);
        self.with_field(whole, first, changed)
    }

    /// What is lent to a function that nobody knows, with what it holds afterwards: variables that hold a constant, and texts
    /// that were lent to this function to be written to.
    ///
    /// In: the function's name, and what it is called on.
    pub(super) fn lent<'e>(
        &mut self,
        (by, on): (&str, Option<TermId>),
        exprs: &'e [Expr],
        values: &[Value],
    ) -> Vec<(&'e Expr, Value)> {
        let mut lent = Vec::new();
        for (expr, value) in exprs.iter().zip(values) {
            if self.handle(value.term).is_some() {
                continue;
            }
            if let ExprKind::Ref(place) = &*expr.kind
                && expr.at.of(self.frame.text).starts_with("&mut ")
                && self.is_constant_value(value)
            {
                // It holds anything, such as random bytes.
                let held = self.drawn_into(by).unwrap_or_else(|| self.fresh());
                lent.push((place, held));
            } else if self.is_lent_text(expr, value) {
                let given = on.into_iter().chain(values.iter().map(|value| value.term));
                let parts = [self.terms.fresh()].into_iter().chain(given).collect();
                lent.push((expr, Value { term: self.terms.computed(by, parts), shape: Shape::Plain, ..value.clone() }));
            }
        }
        lent
    }

    fn is_constant_value(&self, value: &Value) -> bool {
        let mut only = true;
        self.terms.walk(value.term, &mut |term| {
            only &= matches!(self.terms.get(term), Term::Literal(_) | Term::Computed(..));
        });
        only && !matches!(value.shape, Shape::Closure(_) | Shape::Function(_))
    }

    /// Whether an argument is a parameter of this function that is a text or bytes, and is there to be written to.
    fn is_lent_text(&self, expr: &Expr, value: &Value) -> bool {
        let ExprKind::Path(path) = &*expr.kind else { return false };
        let [segment] = path.segments.as_slice() else { return false };
        let is_text = match &value.ty {
            Type::Slice(_) => true,
            ty => matches!(ty.external_name(), Some("String" | "Vec" | "BytesMut")),
        };
        is_text && self.terms.params(value.term) != Params::default() && self.is_lent_to_be_changed(&segment.name)
    }

    /// Puts into what was lent what it holds now.
    pub(super) fn change(&mut self, lent: Vec<(&Expr, Value)>) {
        for (place, value) in lent {
            self.store(place, value);
        }
    }
}

/// Whether a statement that is put together says something else than before.
fn is_added_to(before: &Value, now: &Value) -> bool {
    match (&before.shape, &now.shape) {
        (Shape::Query(before), Shape::Query(now)) => !Arc::ptr_eq(before, now),
        (Shape::OneOf(before), Shape::OneOf(now)) => !Arc::ptr_eq(before, now),
        (Shape::Query(_), Shape::OneOf(_)) | (Shape::OneOf(_), Shape::Query(_)) => true,
        _ => false,
    }
}

/// The variable or field that an expression leads to, and whether to all of it or to a part without a name.
fn borrowed_of(expr: &Expr) -> Option<(&Expr, bool)> {
    match &*expr.kind {
        ExprKind::Path(path) if path.segments.len() == 1 && path.qself.is_none() => Some((expr, true)),
        ExprKind::Field(of, _) => match borrowed_of(of)? {
            (_, true) if is_plain(of) => Some((expr, true)),
            (root, _) => Some((root, false)),
        },
        ExprKind::Ref(of) | ExprKind::Unary(UnOp::Deref, of) | ExprKind::Try(of) => borrowed_of(of),
        ExprKind::Index(of, _) => borrowed_of(of).map(|(root, _)| (root, false)),
        ExprKind::Method(call) if is_itself(&call.name) => borrowed_of(&call.recv),
        ExprKind::Method(call) if is_part(&call.name) || is_sifted(expr) => {
            borrowed_of(&call.recv).map(|(root, _)| (root, false))
        }
        _ => None,
    }
}

/// Some of the parts that an iterator gives to be changed: `rows.iter_mut().filter(…)`.
fn is_sifted(expr: &Expr) -> bool {
    let ExprKind::Method(call) = &*expr.kind else { return false };
    let sifts = matches!(call.name.as_str(), "filter" | "rev" | "skip" | "take" | "enumerate");
    sifts && matches!(&*call.recv.kind, ExprKind::Method(of) if of.name.ends_with("_mut") || is_sifted(&call.recv))
}

/// A variable, or a field of a field of one.
fn is_plain(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Path(_) => true,
        ExprKind::Field(of, _) => is_plain(of),
        _ => false,
    }
}

/// Whether a pattern's variable is all that it is matched with.
fn is_all_of_it(pat: &Pat) -> bool {
    match pat {
        Pat::Bind(_, None, _) => true,
        Pat::Ref(inner) => is_all_of_it(inner),
        Pat::TupleStruct(path, parts) => {
            let name = path.segments.last().map(|segment| segment.name.as_str());
            matches!(name, Some("Some" | "Ok")) && parts.len() == 1 && is_all_of_it(&parts[0])
        }
        _ => false,
    }
}

/// `map.entry(key).or_default()`: what a map holds under a key.
fn is_entry(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Method(call) => call.name == "entry" || is_part(&call.name) && is_entry(&call.recv),
        _ => false,
    }
}

/// Methods that give what they are called on, to be changed.
fn is_itself(name: &str) -> bool {
    matches!(
        name,
        "as_mut"
            | "as_deref_mut"
            | "deref_mut"
            | "borrow_mut"
            | "as_object_mut"
            | "as_array_mut"
            | "unwrap"
            | "expect"
            | "ok_or"
            | "ok_or_else"
            | "context"
            | "with_context"
    )
}

/// Methods that give a part of what they are called on, to be changed.
fn is_part(name: &str) -> bool {
    matches!(
        name,
        "entry"
            | "or_insert"
            | "or_insert_with"
            | "or_default"
            | "and_modify"
            | "get_mut"
            | "get_or_insert"
            | "get_or_insert_with"
            | "pointer_mut"
            | "iter_mut"
            | "values_mut"
            | "first_mut"
            | "last_mut"
    )
}
