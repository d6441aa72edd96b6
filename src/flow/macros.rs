//! Macros in expressions.

use std::sync::Arc;

use crate::event::CondKind;
use crate::flow::text::Growing;
use crate::flow::value::{Shape, Text, Value};
use crate::flow::{Evaluator, Exit, branch, task};
use crate::link::{Def, Type};
use crate::lower::tree::{Expr, ExprKind, Lit, MacroArg, MacroBody, MacroCall, Name, UnOp};
use crate::span::Range;

impl<'p> Evaluator<'p> {
    pub(super) fn macro_call(&mut self, call: &MacroCall, at: Range) -> Value {
        if let Some(value) = self.builder_macro(call) {
            return value;
        }
        if let Some(value) = self.client_macro(call, at) {
            return value;
        }
        let name = call.path.last().map(Name::as_str).unwrap_or_default();
        match &call.body {
            MacroBody::Args(args) if name == "params" && self.names_its_values(call) => self.named_values(args),
            MacroBody::Args(args) => self.macro_args(name, args, at),
            MacroBody::Matches(of, pat, guard) => {
                let value = self.expr(of);
                let mut tested = self.tested(pat, &value);
                if let Some(guard) = guard {
                    let variables = self.frame.env.len();
                    self.bind(pat, value);
                    let guard = self.expr(guard);
                    self.frame.env.truncate(variables);
                    tested.term = self.terms.computed("&&", vec![tested.term, guard.term]);
                    tested.guards = branch::union(&tested.guards, &guard.guards);
                }
                if name.contains("assert") {
                    self.must(&tested, at);
                }
                tested
            }
            MacroBody::Select(arms) => {
                let futures: Vec<&Expr> = arms.iter().map(|(_, future, _)| future).collect();
                let values = self.at_once(&futures, true);
                let fork = self.fork();
                let mut ended = Vec::new();
                for (i, ((pat, _, handler), value)) in arms.iter().zip(values).enumerate() {
                    ended.push(self.arm(&fork, i, &[], |ev| {
                        let variables = ev.frame.env.len();
                        ev.bind(pat, value);
                        let value = match handler {
                            Some(handler) => ev.expr(handler),
                            None => ev.fresh(),
                        };
                        ev.frame.env.truncate(variables);
                        value
                    }));
                }
                if ended.is_empty() { self.fresh() } else { self.join(fork, ended) }
            }
            MacroBody::Block(block) => self.block(block),
            MacroBody::Items => self.fresh(),
            MacroBody::Tokens(exprs) => {
                self.may_leave_loops();
                let values: Vec<Value> = exprs.iter().map(|expr| self.expr(expr)).collect();
                self.given_away(&values);
                let term = self.terms.computed(name, values.iter().map(|value| value.term).collect());
                Value::new(term, Type::Unknown)
            }
        }
    }

    /// In mysql's `params! { id, "other" => x }` a variable gives its value under its own name.
    fn names_its_values(&self, call: &MacroCall) -> bool {
        let defs = self.program.resolve(self.frame.scope, &call.path);
        let Some(Def::External(full)) = defs.first() else { return false };
        full.first().is_some_and(|krate| crate::client::mysql::CLIENT.krates.contains(&krate.as_str()))
    }

    fn named_values(&mut self, args: &[MacroArg]) -> Value {
        let mut parts = Vec::new();
        for (i, arg) in args.iter().enumerate() {
            let own = match &*arg.value.kind {
                ExprKind::Path(path) => path.segments.last().map(|segment| segment.name.clone()),
                _ => None,
            };
            let name = arg.name.clone().or(own).unwrap_or_else(|| Name::new(i.to_string()));
            parts.push((name, self.expr(&arg.value)));
        }
        let term = self.terms.computed("tuple", parts.iter().map(|(_, value)| value.term).collect());
        Value::new(term, Type::Unknown).shaped(Shape::Record(Arc::new(parts)))
    }

    /// `write!(sql, "…", …)`: a text grows by what is written into it, which does not fail. None for what is no text.
    fn written_behind(&mut self, name: &str, args: &[MacroArg]) -> Option<Value> {
        let [into, written @ ..] = args else { return None };
        let is_place = |of: &Expr| matches!(&*of.kind, ExprKind::Path(_) | ExprKind::Field(..));
        let place = match &*into.value.kind {
            ExprKind::Ref(of) | ExprKind::Unary(UnOp::Deref, of) => of,
            _ => &into.value,
        };
        if !is_place(place) {
            return None;
        }
        let old = self.expr(place);
        let begun = Growing::of(&old);
        if begun.is_none() && self.program.peel(&old.ty).external_name() != Some("String") {
            return None;
        }
        let new = self.format("format", written);
        let term = match &begun {
            Some(_) => old.term,
            None => self.terms.computed("push_str", vec![old.term, new.term]),
        };
        let mut text = begun.unwrap_or_else(|| Growing::behind(old.term));
        text.push(&new);
        if name == "writeln" {
            text.constant("\n");
        }
        let shape = text.shape(term);
        self.store(place, Value { term, ..old }.shaped(shape));
        Some(Value::new(self.terms.literal("()"), Type::Unit))
    }

    fn macro_args(&mut self, name: &str, args: &[MacroArg], at: Range) -> Value {
        match name {
            "format" | "concat" | "format_args" | "formatcp" | "concatcp" | "const_format" => {
                return self.format(name, args);
            }
            "include_str" => return self.included(args),
            _ if leaves(name) => {
                for arg in args {
                    self.expr(&arg.value);
                }
                let error = Value::new(self.terms.literal("error"), Type::Unknown);
                if self.frame.left.is_none() {
                    self.leave_with(error);
                }
                return self.diverge();
            }
            "ensure" | "assert" | "debug_assert" | "ensure_eq" | "require" => {
                if let Some(first) = args.first() {
                    let tested = self.expr(&first.value);
                    self.must(&tested, at);
                }
                return Value::new(self.terms.literal("()"), Type::Unit);
            }
            "assert_eq" | "assert_ne" => {
                if let [left, right, ..] = args {
                    let left = self.expr(&left.value);
                    let right = self.expr(&right.value);
                    let tested = self.operate(if name == "assert_eq" { "==" } else { "!=" }, left, right);
                    self.must(&tested, at);
                }
                return Value::new(self.terms.literal("()"), Type::Unit);
            }
            "write" | "writeln" if args.len() > 1 => {
                if let Some(value) = self.written_behind(name, args) {
                    return value;
                }
            }
            // The future itself, where it cannot move.
            "pin" => {
                if let [only] = args {
                    return self.expr(&only.value);
                }
            }
            "try" | "try_outcome" => {
                if let Some(first) = args.first() {
                    let value = self.expr(&first.value);
                    self.require(&value, at);
                    return if name == "try" { value } else { self.unwrapped(value) };
                }
            }
            _ => {}
        }
        let values: Vec<(Option<Name>, Value)> = if task::waits_for_all(name) {
            let futures: Vec<&Expr> = args.iter().map(|arg| &arg.value).collect();
            let values = self.at_once(&futures, false);
            args.iter().map(|arg| arg.name.clone()).zip(values).collect()
        } else {
            args.iter().map(|arg| (arg.name.clone(), self.expr(&arg.value))).collect()
        };
        if matches!(name, "join" | "try_join" | "vec" | "params" | "named_params" | "array" | "tuple") {
            if name == "try_join" {
                for (_, value) in &values {
                    self.require(value, at);
                }
            }
            let named = values.iter().any(|(name, _)| name.is_some());
            if !named {
                return self.tuple_of(values.into_iter().map(|(_, value)| value).collect());
            }
            let term = self.terms.computed(name, values.iter().map(|(_, value)| value.term).collect());
            let parts = values
                .into_iter()
                .enumerate()
                .map(|(i, (name, value))| (name.unwrap_or_else(|| Name::new(i.to_string())), value))
                .collect();
            return Value::new(term, Type::Unknown).shaped(Shape::Record(Arc::new(parts)));
        }
        values.iter().for_each(|(_, value)| self.given_away(std::slice::from_ref(value)));
        let guards: Vec<_> = values.iter().flat_map(|(_, value)| value.guards.iter().copied()).collect();
        let term = self.terms.computed(name, values.iter().map(|(_, value)| value.term).collect());
        let mut value = Value::new(term, Type::Unknown);
        value.guards = branch::union(&[], &guards);
        value
    }

    /// What follows happens only if this held.
    fn must(&mut self, tested: &Value, at: Range) {
        if let Some(cond) = self.condition(tested, CondKind::Must, at) {
            self.frame.deps.push((cond, Exit::Function));
        }
    }

    fn included(&mut self, args: &[MacroArg]) -> Value {
        let path = args.first().map(|arg| self.expr(&arg.value)).and_then(|value| value.text().and_then(|t| t.whole()));
        match path.and_then(|path| self.file_text(&path, true)) {
            Some(text) => {
                let value = self.fresh();
                value.shaped(Shape::Text(Arc::new(Text::constant(text))))
            }
            None => self.fresh(),
        }
    }

    /// The text of a file of the workspace, named from this file's directory or from the package's.
    pub(super) fn file_text(&self, path: &str, beside: bool) -> Option<String> {
        let here = self.workspace.file(self.frame.file);
        self.workspace.beside(here, path, beside).map(|file| file.text.to_string())
    }

    /// `format!("… {} {name}", args)`: constant where its pieces are.
    fn format(&mut self, name: &str, args: &[MacroArg]) -> Value {
        let values: Vec<(Option<Name>, Value)> =
            args.iter().map(|arg| (arg.name.clone(), self.expr(&arg.value))).collect();
        let terms: Vec<_> = values.iter().map(|(_, value)| value.term).collect();
        if name.starts_with("concat") {
            let mut text = Growing::new();
            for (_, value) in &values {
                text.push(&self.as_text(value));
            }
            let term = self.terms.computed(name, terms);
            return Value::new(term, Type::Unknown).shaped(text.shape(term));
        }
        let template = args.first().and_then(|arg| match &*arg.value.kind {
            ExprKind::Lit(Lit::Str(text)) => Some(text.clone()),
            _ => values.first().and_then(|(_, value)| value.text()).and_then(|text| text.whole()),
        });
        let Some(template) = template else {
            let term = self.terms.computed(name, terms);
            return Value::new(term, Type::Unknown);
        };
        let mut text = Growing::new();
        let mut next = 1;
        let mut used = Vec::new();
        for piece in template_pieces(&template) {
            match piece {
                Template::Text(constant) => text.constant(&constant),
                Template::Hole(name) => {
                    let value = match name.as_str() {
                        "" => {
                            next += 1;
                            values.get(next - 1).map(|(_, value)| value.clone())
                        }
                        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits
                            .parse::<usize>()
                            .ok()
                            .and_then(|i| values.get(i.saturating_add(1)))
                            .map(|(_, value)| value.clone()),
                        name => values
                            .iter()
                            .find(|(n, _)| n.as_deref() == Some(name))
                            .map(|(_, value)| value.clone())
                            .or_else(|| self.lookup(name).cloned())
                            .or_else(|| self.constant_named(name)),
                    };
                    let value = value.unwrap_or_else(|| self.fresh());
                    used.push(value.term);
                    text.push(&self.as_text(&value));
                }
            }
        }
        let mut parts = vec![terms.first().copied().unwrap_or_else(|| self.terms.fresh())];
        parts.extend(used);
        let term = self.terms.computed("format", parts);
        Value::new(term, Type::Unknown).shaped(text.shape(term))
    }

    fn constant_named(&mut self, name: &str) -> Option<Value> {
        let path = crate::lower::tree::TyPath {
            qself: None,
            segments: vec![crate::lower::tree::Segment {
                name: Name::new(name),
                args: Vec::new(),
                bindings: Vec::new(),
            }],
        };
        // It is a constant that is named so, never a struct.
        let value = self.path(&path, crate::span::Range::default());
        Some(value)
    }

    /// A number or bool as the text it prints.
    fn as_text(&self, value: &Value) -> Value {
        if value.text().is_some() {
            return value.clone();
        }
        match self.terms.get(value.term) {
            crate::flow::term::Term::Literal(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
                let text = Text::constant(text.as_str());
                value.clone().shaped(Shape::Text(Arc::new(text)))
            }
            _ => value.clone(),
        }
    }
}

/// Whether a macro of this name leaves the function with an error or a panic.
pub(crate) fn leaves(name: &str) -> bool {
    matches!(name, "bail" | "panic" | "unreachable" | "todo" | "unimplemented" | "yeet" | "raise" | "abort")
}

enum Template {
    Text(String),
    Hole(String),
}

/// Cuts a format string at its holes.
fn template_pieces(template: &str) -> Vec<Template> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.peek() == Some(&'{') => {
                chars.next();
                text.push('{');
            }
            '}' if chars.peek() == Some(&'}') => {
                chars.next();
                text.push('}');
            }
            '{' => {
                let mut name = String::new();
                let mut spec = false;
                for c in chars.by_ref() {
                    match c {
                        '}' => break,
                        ':' => spec = true,
                        c if !spec => name.push(c),
                        _ => {}
                    }
                }
                if !text.is_empty() {
                    pieces.push(Template::Text(std::mem::take(&mut text)));
                }
                pieces.push(Template::Hole(name.trim().to_owned()));
            }
            c => text.push(c),
        }
        if pieces.len() > 256 {
            break;
        }
    }
    if !text.is_empty() {
        pieces.push(Template::Text(text));
    }
    pieces
}
