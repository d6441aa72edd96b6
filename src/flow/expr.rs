//! Expressions and statements.

use std::sync::Arc;

use crate::event::{CondKind, Conds, Event};
use crate::flow::absent::says_none;
use crate::flow::limits::FIELDS;
use crate::flow::term::{Term, TermId};
use crate::flow::text::Growing;
use crate::flow::value::{ClosureValue, Shape, Text, Value, Wrap};
use crate::flow::{Evaluator, Exit, branch};
use crate::link::Type;
use crate::lower::tree::{BinOp, Block, Expr, ExprKind, Lit, Name, Pat, Stmt, StructLit, UnOp};
use crate::span::Range;

impl<'p> Evaluator<'p> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        match &*expr.kind {
            ExprKind::Lit(lit) => self.literal(lit),
            ExprKind::Path(path) => self.path(path, expr.at),
            ExprKind::Field(of, name) => {
                let of = self.expr(of);
                self.field(&of, name)
            }
            ExprKind::Index(of, index) => {
                let of = self.expr(of);
                let index = self.expr(index);
                self.index(of, &index)
            }
            ExprKind::Call(callee, args) => {
                let value = self.call(callee, args, expr.at);
                self.refused(value, expr.at)
            }
            ExprKind::Method(call) => self.method(call, expr.at),
            ExprKind::Macro(call) => self.macro_call(call, expr.at),
            ExprKind::Struct(lit) => self.struct_literal(lit, expr.at),
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => self.record(parts),
            ExprKind::Unary(op, of) => self.unary(*op, of),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, expr.at),
            ExprKind::Assign(place, op, value) => self.assign(place, *op, value),
            ExprKind::Block(block) => self.block(block),
            ExprKind::Async(block) => self.body(|ev| ev.block(block)),
            ExprKind::If(cond, then, otherwise) => self.branch_if(cond, then, otherwise.as_ref()),
            ExprKind::Let(pat, value) => {
                let bound = self.expr(value);
                let tested = self.tested(pat, &bound);
                self.bind_from(pat, bound, value);
                tested
            }
            ExprKind::Match(of, arms) => self.branch_match(of, arms),
            ExprKind::While(cond, block) => self.loop_while(cond, block),
            ExprKind::For(pat, over, block) => self.loop_for(pat, over, block),
            ExprKind::Loop(block) => self.loop_forever(block),
            ExprKind::Closure(closure) => {
                let value = ClosureValue {
                    code: closure.clone(),
                    env: self.frame.env.clone(),
                    function: self.frame.function,
                    scope: self.frame.scope,
                };
                self.fresh().shaped(Shape::Closure(Arc::new(value)))
            }
            ExprKind::Ref(of) => self.expr(of),
            ExprKind::Await(of) => {
                let outer = self.frame.awaited.replace(of.at);
                let value = self.expr(of);
                self.frame.awaited = outer;
                self.answered(of, value)
            }
            ExprKind::Try(of) => {
                let outer = self.frame.taken_apart.replace(expr.at.start);
                let mut value = self.expr(of);
                self.frame.taken_apart = outer;
                if self.frame.left.is_none() {
                    self.require(&value, expr.at);
                }
                if value.wrap != Wrap::Answer {
                    value.guards = Conds::default();
                }
                self.unwrapped(value)
            }
            ExprKind::Cast(of, ty) => {
                let value = self.expr(of);
                let ty = self.program.ty(self.frame.scope, Some(self.frame.function), ty);
                value.typed(ty)
            }
            ExprKind::Range(from, to) => {
                let parts: Vec<_> = [from, to].into_iter().flatten().map(|part| self.expr(part).term).collect();
                Value::new(self.terms.computed("..", parts), Type::Unknown)
            }
            ExprKind::Return(value) => {
                let value = match value {
                    Some(value) => self.expr(value),
                    None => Value::new(self.terms.literal("()"), Type::Unit),
                };
                if self.frame.left.is_none() {
                    self.leave_with(value);
                    self.frame.left = Some(Exit::Function);
                }
                self.fresh()
            }
            ExprKind::Break(value) => {
                let value = value.as_ref().map(|value| self.expr(value));
                if self.frame.left.is_none() {
                    self.leave_loop(value);
                    self.frame.left = Some(Exit::Loop);
                }
                self.fresh()
            }
            ExprKind::Continue => {
                if self.frame.left.is_none() {
                    self.ends_round();
                }
                self.frame.left = self.frame.left.or(Some(Exit::Loop));
                self.fresh()
            }
            ExprKind::Unknown(_) => {
                self.may_leave_loops();
                self.fresh()
            }
        }
    }

    fn literal(&mut self, lit: &Lit) -> Value {
        match lit {
            Lit::Str(text) => {
                self.note_options(text);
                let short: String = text.chars().take(200).collect();
                let term = self.terms.literal(&short);
                Value::new(term, Type::Unknown).shaped(Shape::Text(Arc::new(Text::constant(text.as_str()))))
            }
            Lit::Int(text) | Lit::Float(text) => Value::new(self.terms.literal(text), Type::Unknown),
            Lit::Bool(value) => Value::new(self.terms.literal(if *value { "true" } else { "false" }), Type::Unknown),
            Lit::Other => self.fresh(),
        }
    }

    /// A part of a value: what a struct literal gave, or else a field of its term.
    pub(crate) fn field(&mut self, of: &Value, name: &str) -> Value {
        if let Some(part) = of.part(name) {
            return part.clone();
        }
        if let Some(value) = self.builder_field(of, name) {
            return value;
        }
        if let (Shape::Record(_), Term::Computed(by, parts)) = (&of.shape, self.terms.get(of.term))
            && by == "with"
        {
            // Other fields were changed.
            let before = Value { term: parts[0], shape: Shape::Plain, ..of.clone() };
            return self.field(&before, name);
        }
        let ty = self.program.field(&of.ty, name).unwrap_or(Type::Unknown);
        let numbered = name.bytes().all(|b| b.is_ascii_digit());
        // `id.0` of a newtype is the id itself.
        let newtype = numbered && name == "0" && self.is_newtype(&of.ty);
        let term = if newtype { of.term } else { self.field_term(of.term, name) };
        let value = Value { guards: of.guards.clone(), ..Value::new(term, ty) };
        self.learn_handle(&value);
        value
    }

    /// The field of a value of which nothing but its term is known.
    pub(super) fn field_term(&mut self, of: TermId, name: &str) -> TermId {
        match self.terms.get(of) {
            Term::Either(parts) if parts.len() <= 8 => {
                let parts = parts.clone();
                let fields: Vec<_> = parts.iter().map(|part| self.terms.field(*part, Name::new(name))).collect();
                self.terms.either(fields)
            }
            Term::Exists(inner) => self.terms.field(*inner, Name::new(name)),
            // `row.id` of a row that has no other column.
            Term::Field(row, place) if place == "0" && self.is_only_column(*row, name) => {
                self.terms.field(*row, Name::new(name))
            }
            _ => self.terms.field(of, Name::new(name)),
        }
    }

    /// Whether the one column of a row has this name.
    fn is_only_column(&self, row: TermId, name: &str) -> bool {
        let Term::Row(event) = self.terms.get(row) else { return false };
        self.emitted(*event)
            .and_then(Event::access)
            .is_some_and(|access| matches!(access.statement.output.as_slice(), [one] if one.name == name))
    }

    fn is_newtype(&self, ty: &Type) -> bool {
        match ty {
            Type::Def(id, _) => self.program.field_count(*id) == 1 && self.program.fields(*id)[0].0 == "0",
            _ => false,
        }
    }

    fn index(&mut self, of: Value, index: &Value) -> Value {
        if let Some(name) = index.text().and_then(|text| text.whole()) {
            return self.field(&of, &name);
        }
        let ty = self.program.element(&of.ty);
        of.typed(ty)
    }

    fn struct_literal(&mut self, lit: &StructLit, at: Range) -> Value {
        let mut parts: Vec<(Name, Value)> =
            lit.fields.iter().map(|(name, value)| (name.clone(), self.expr(value))).collect();
        let rest = lit.rest.as_ref().map(|rest| self.expr(rest));
        let ty = self.named_type(&lit.path);
        let site = self.site(at, false);
        self.calls.made(&ty, site);
        if !matches!(ty, Type::Def(..)) {
            parts.iter().for_each(|(_, value)| self.given_away(std::slice::from_ref(value)));
        }
        let given = parts.iter().map(|(name, value)| (name, value.term));
        let term = self.terms.record(given, rest.as_ref().map(|rest| rest.term));
        if let Some(rest) = &rest {
            if let Shape::Record(known) = &rest.shape {
                for (name, value) in known.iter() {
                    if parts.iter().all(|(n, _)| n != name) {
                        parts.push((name.clone(), value.clone()));
                    }
                }
            } else if let Type::Def(id, _) = &ty {
                for (name, field_ty) in self.program.fields(*id).iter().take(FIELDS) {
                    if parts.iter().all(|(n, _)| n != name) {
                        let value = self.field(rest, name).typed(field_ty.clone());
                        parts.push((name.clone(), value));
                    }
                }
            }
        }
        let value = Value::new(term, ty).shaped(Shape::Record(Arc::new(parts)));
        let value = self.as_variant(&lit.path, value);
        self.built_struct(lit, rest.as_ref(), value)
    }

    pub(super) fn record(&mut self, parts: &[Expr]) -> Value {
        let values: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
        self.note_setting(&values);
        self.tuple_of(values)
    }

    pub(crate) fn tuple_of(&mut self, values: Vec<Value>) -> Value {
        if values.is_empty() {
            return Value::new(self.terms.literal("()"), Type::Unit);
        }
        let term = self.terms.computed("tuple", values.iter().map(|value| value.term).collect());
        let ty = Type::tuple(values.iter().map(|value| value.ty.clone()).collect());
        let guards: Vec<_> = values.iter().flat_map(|value| value.guards.iter().copied()).collect();
        let parts = values.into_iter().enumerate().map(|(i, value)| (Name::new(i.to_string()), value)).collect();
        let mut value = Value::new(term, ty).shaped(Shape::Record(Arc::new(parts)));
        value.guards = branch::union(&[], &guards);
        value
    }

    fn unary(&mut self, op: UnOp, of: &Expr) -> Value {
        let value = self.expr(of);
        match op {
            UnOp::Deref => value,
            UnOp::Not => {
                let term = self.terms.computed("!", vec![value.term]);
                let absent = value.absent.clone().negated();
                Value { term, shape: Shape::Plain, absent, ..value }
            }
            UnOp::Neg => {
                let term = self.terms.computed("-", vec![value.term]);
                Value { term, shape: Shape::Plain, ..value }
            }
        }
    }

    fn binary(&mut self, op: BinOp, left: &Expr, right: &Expr, at: Range) -> Value {
        let left_value = self.expr(left);
        if matches!(op, BinOp::And | BinOp::Or) {
            return self.short_circuit(op, left_value, (left, right), at);
        }
        let right_value = self.expr(right);
        if let Some(value) = self.builder_operator(op_name(op), &left_value, &right_value) {
            return value;
        }
        if op == BinOp::Sub
            && let Some(left) = self.without(&left_value, &right_value, at)
        {
            return left;
        }
        self.operate(op_name(op), left_value, right_value)
    }

    pub(super) fn operate(&mut self, by: &str, left: Value, right: Value) -> Value {
        let term = self.terms.computed(by, vec![left.term, right.term]);
        let mut value = Value::new(term, Type::Unknown);
        value.guards = branch::union(&left.guards, &right.guards);
        // What a text is put behind is one as well.
        let begun = || right.text().map(|_| Growing::behind(left.term));
        if by == "+"
            && let Some(mut text) = Growing::of(&left).or_else(begun)
        {
            text.push(&right);
            value.shape = text.shape(term);
        }
        value
    }

    /// `a && b` and `a || b`: what stands in `b` happens only by what `a` was.
    fn short_circuit(&mut self, op: BinOp, left: Value, asked: (&Expr, &Expr), at: Range) -> Value {
        let cond = self.condition(&left, CondKind::Test, at);
        let depth = self.frame.deps.len();
        self.frame.deps.extend(cond.map(|cond| (cond, Exit::Loop)));
        let right = self.expr(asked.1);
        self.frame.deps.truncate(depth);
        let parts = vec![self.as_part(asked.0, left.term), self.as_part(asked.1, right.term)];
        let term = self.terms.computed(op_name(op), parts);
        let mut value = Value::new(term, Type::Unknown);
        value.guards = branch::union(&left.guards, &right.guards);
        value
    }

    /// What a part of a condition says: of two that ask whether something is there, one says that it is, and one that it is
    /// not.
    fn as_part(&mut self, asked: &Expr, term: TermId) -> TermId {
        let is_there = |term: TermId| matches!(self.terms.get(term), Term::Exists(_));
        match &*asked.kind {
            ExprKind::Unary(UnOp::Not, of) if says_none(of) == Some(true) => match self.terms.get(term) {
                Term::Computed(by, parts) if by == "!" && parts.len() == 1 && is_there(parts[0]) => parts[0],
                _ => term,
            },
            _ if says_none(asked) == Some(true) && is_there(term) => self.terms.computed("!", vec![term]),
            _ => term,
        }
    }

    fn assign(&mut self, place: &Expr, op: Option<BinOp>, value: &Expr) -> Value {
        let mut value = self.expr(value);
        if let Some(op) = op {
            let old = self.expr(place);
            value = self.operate(op_name(op), old, value);
        }
        self.store(place, value);
        Value::new(self.terms.literal("()"), Type::Unit)
    }

    pub(super) fn block(&mut self, block: &Block) -> Value {
        let scope = self.frame.scope;
        if let Some(name) = &block.scope {
            self.frame.scope = self.program.child_scope(scope, name);
        }
        let variables = self.frame.env.len();
        let mut last = Value::new(self.terms.literal("()"), Type::Unit);
        for (i, stmt) in block.stmts.iter().enumerate() {
            if self.frame.left.is_some() {
                break;
            }
            let locks = self.frame.guards.len();
            match stmt {
                Stmt::Let { pat, ty, value, otherwise, at } => {
                    self.let_stmt(pat, ty.as_ref(), value.as_ref(), otherwise.as_ref(), *at);
                    self.end_temporaries(locks);
                }
                Stmt::Expr(expr) => {
                    let given = block.has_value && i + 1 == block.stmts.len();
                    if !given {
                        self.note_statement(expr);
                    }
                    let value = self.expr(expr);
                    if given {
                        last = value;
                    }
                    self.end_temporaries(locks);
                }
            }
        }
        self.end_variables(variables);
        self.frame.env.truncate(variables);
        self.frame.scope = scope;
        last
    }

    fn let_stmt(
        &mut self,
        pat: &Pat,
        ty: Option<&crate::lower::tree::Ty>,
        value: Option<&Expr>,
        otherwise: Option<&Expr>,
        at: Range,
    ) {
        let mut bound = match value {
            Some(value) => self.expr(value),
            None => self.fresh(),
        };
        if let Some(ty) = ty {
            let known = self.program.ty(self.frame.scope, Some(self.frame.function), ty);
            if !matches!(known, Type::Unknown) {
                bound.ty = known;
            }
            bound = self.declared(ty, bound);
            self.learn_handle(&bound);
        }
        if self.frame.left.is_some() {
            return;
        }
        if let Some(otherwise) = otherwise {
            let tested = self.tested(pat, &bound);
            let cond = self.condition(&tested, CondKind::Presence, at);
            let conds: Vec<_> = cond.into_iter().collect();
            let fork = self.fork();
            self.note_absence(fork.branch(), 0b10, &tested.absent);
            self.note_leads(fork.branch(), &tested, &[(pat, false), (&Pat::Wild, false)]);
            let way_on = self.arm(&fork, 0, &conds, |ev| ev.fresh());
            let way_out = self.arm(&fork, 1, &conds, |ev| ev.expr(otherwise));
            self.join(fork, vec![way_on, way_out]);
            bound.guards = Conds::default();
        }
        match value {
            Some(value) => self.bind_from(pat, bound, value),
            None => self.bind(pat, bound),
        }
    }

    /// A closure's, an async block's or a macro's body: `return` leaves it, not the function around it.
    pub(super) fn body(&mut self, run: impl FnOnce(&mut Self) -> Value) -> Value {
        let base = self.frame.returns.len();
        let events = self.frame.events.len();
        let deps = self.frame.deps.len();
        let outer = self.frame.left.take();
        let value = run(self);
        if self.frame.left.take().is_none() {
            self.leave_since(value, deps);
        }
        let result = self.joined_return(base, events, Type::Unknown);
        self.frame.deps.truncate(deps);
        self.frame.left = outer;
        result
    }

    /// Each element with its place: the place says nothing of what is in a row, only how many there are.
    pub(super) fn numbered(&mut self, list: Value) -> Value {
        let rows = matches!(self.terms.get(list.term), Term::Row(_));
        let place = if rows { self.terms.computed("len", vec![list.term]) } else { self.terms.fresh() };
        let place = Value::new(place, Type::Unknown);
        let element = self.element(&list);
        let pair = self.tuple_of(vec![place, element]);
        list.shaped(Shape::Record(Arc::new(vec![(Name::new("each"), pair)])))
    }

    /// What a loop or a closure over a value's elements is handed.
    pub(super) fn element(&mut self, of: &Value) -> Value {
        let ty = self.program.element(&of.ty);
        let shape = match &of.shape {
            Shape::Record(parts) if parts.len() == 1 => parts[0].1.shape.clone(),
            _ => Shape::Plain,
        };
        Value::new(of.term, ty).shaped(shape)
    }
}

fn op_name(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::Div => "/",
        BinOp::Rem => "%",
        BinOp::And => "&&",
        BinOp::Or => "||",
        BinOp::Bit => "|",
        BinOp::Eq => "==",
        BinOp::Ne => "!=",
        BinOp::Lt => "<",
        BinOp::Le => "<=",
        BinOp::Gt => ">",
        BinOp::Ge => ">=",
    }
}
