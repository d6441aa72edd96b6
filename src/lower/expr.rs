//! Expressions.

use std::sync::Arc;

use proc_macro2::Span;
use syn::Expr as SynExpr;
use syn::spanned::Spanned;

use super::pattern::single;
use super::tree::{
    Arm, BinOp, Binding, Closure, Expr, ExprKind, Lit, MethodCall, Name, Pat, Segment, StructLit, Ty, TyPath, UnOp,
};
use super::{DEPTH, Lowering, name};
use crate::span::Range;

impl Lowering {
    pub fn expr(&mut self, written: &SynExpr) -> Expr {
        self.outer(written).0
    }

    pub fn exprs<'a>(&mut self, written: impl IntoIterator<Item = &'a SynExpr>) -> Vec<Expr> {
        written.into_iter().map(|each| self.expr(each)).collect()
    }

    /// The expression, and its range with the parentheses round it: what a longer expression begins or ends with.
    fn outer(&mut self, written: &SynExpr) -> (Expr, Range) {
        if self.depth >= DEPTH {
            let at = self.first_token(written);
            return (self.unknown(at, "nested too deeply"), at);
        }
        self.depth += 1;
        let lowered = match written {
            SynExpr::Paren(paren) => {
                let at = self.at(paren.paren_token.span.join());
                (self.expr(&paren.expr), at)
            }
            SynExpr::Group(group) => self.outer(&group.expr),
            other => {
                let lowered = self.operation(other);
                let at = lowered.at;
                (lowered, at)
            }
        };
        self.depth -= 1;
        lowered
    }

    /// Operators and postfix forms; the others follow in [`Self::control`] and [`Self::primary`], each small because a
    /// debug build gives every arm of a match its own room on the stack.
    fn operation(&mut self, written: &SynExpr) -> Expr {
        match written {
            SynExpr::Binary(binary) => self.binary(binary),
            SynExpr::Assign(assign) => {
                let ((place, from), (value, to)) = (self.outer(&assign.left), self.outer(&assign.right));
                self.made(ExprKind::Assign(place, None, value), from, to)
            }
            SynExpr::Unary(unary) => self.unary(unary),
            SynExpr::Reference(reference) => {
                self.prefixed(reference.and_token.spans[0], &reference.expr, ExprKind::Ref)
            }
            SynExpr::RawAddr(raw) => self.prefixed(raw.and_token.spans[0], &raw.expr, ExprKind::Ref),
            SynExpr::Try(tried) => self.postfixed(&tried.expr, tried.question_token.spans[0], ExprKind::Try),
            SynExpr::Await(awaited) => self.postfixed(&awaited.base, awaited.await_token.span, ExprKind::Await),
            SynExpr::Field(field) => self.field(field),
            SynExpr::Index(index) => {
                let (base, from) = self.outer(&index.expr);
                let key = self.expr(&index.index);
                let to = self.at(index.bracket_token.span.close());
                self.made(ExprKind::Index(base, key), from, to)
            }
            SynExpr::Call(call) => {
                let (func, from) = self.outer(&call.func);
                let args = self.exprs(&call.args);
                let to = self.at(call.paren_token.span.close());
                self.made(ExprKind::Call(func, args), from, to)
            }
            SynExpr::MethodCall(call) => self.method(call),
            SynExpr::Cast(cast) => {
                let (value, from) = self.outer(&cast.expr);
                let ty = self.ty(&cast.ty);
                let to = self.at(cast.ty.span());
                self.made(ExprKind::Cast(value, Box::new(ty)), from, to)
            }
            SynExpr::Range(range) => self.range_expr(range),
            other => self.control(other),
        }
    }

    fn control(&mut self, written: &SynExpr) -> Expr {
        match written {
            SynExpr::If(branch) => self.branch(branch),
            SynExpr::Let(binding) => {
                let pat = self.pat(&binding.pat);
                let (value, to) = self.outer(&binding.expr);
                let from = self.at(binding.let_token.span);
                self.made(ExprKind::Let(Box::new(pat), value), from, to)
            }
            SynExpr::Match(switch) => self.switch(switch),
            SynExpr::While(repeat) => {
                let cond = self.expr(&repeat.cond);
                let body = self.block(&repeat.body);
                self.made_from(repeat.while_token.span, body.at, ExprKind::While(cond, Box::new(body)))
            }
            SynExpr::ForLoop(repeat) => {
                let (pat, over) = (self.pat(&repeat.pat), self.expr(&repeat.expr));
                let body = self.block(&repeat.body);
                self.made_from(repeat.for_token.span, body.at, ExprKind::For(Box::new(pat), over, Box::new(body)))
            }
            SynExpr::Loop(repeat) => {
                let body = self.block(&repeat.body);
                self.made_from(repeat.loop_token.span, body.at, ExprKind::Loop(Box::new(body)))
            }
            SynExpr::Closure(closure) => self.closure(closure),
            SynExpr::Return(leave) => self.leave(leave.return_token.span, leave.expr.as_deref(), ExprKind::Return),
            SynExpr::Break(leave) => self.leave(leave.break_token.span, leave.expr.as_deref(), ExprKind::Break),
            SynExpr::Continue(leave) => {
                let at = self.at(leave.continue_token.span);
                self.made(ExprKind::Continue, at, at)
            }
            SynExpr::Yield(given) => {
                let word = self.at(given.yield_token.span);
                let func = self.made(ExprKind::Path(single(Name::new_static("yield"))), word, word);
                self.leave(given.yield_token.span, given.expr.as_deref(), |value| {
                    ExprKind::Call(func, value.into_iter().collect())
                })
            }
            other => self.braced(other),
        }
    }

    fn braced(&mut self, written: &SynExpr) -> Expr {
        let (word, block) = match written {
            SynExpr::Async(future) => {
                let block = self.block(&future.block);
                return self.made_from(future.async_token.span, block.at, ExprKind::Async(Box::new(block)));
            }
            SynExpr::Block(plain) => (None, &plain.block),
            SynExpr::Unsafe(block) => (Some(block.unsafe_token.span), &block.block),
            SynExpr::Const(block) => (Some(block.const_token.span), &block.block),
            SynExpr::TryBlock(block) => (Some(block.try_token.span), &block.block),
            other => return self.primary(other),
        };
        let block = self.block(block);
        let to = block.at;
        let from = word.map_or(to, |word| self.at(word));
        self.made(ExprKind::Block(Box::new(block)), from, to)
    }

    fn primary(&mut self, written: &SynExpr) -> Expr {
        match written {
            SynExpr::Lit(lit) => {
                let at = self.at(lit.lit.span());
                self.made(ExprKind::Lit(literal(&lit.lit)), at, at)
            }
            SynExpr::Path(path) => {
                let at = self.path_range(path.qself.as_ref(), &path.path);
                let kind = ExprKind::Path(self.ty_path(path.qself.as_ref(), &path.path));
                self.made(kind, at, at)
            }
            SynExpr::Macro(call) => self.macro_expr(&call.mac),
            SynExpr::Struct(fields) => self.struct_expr(fields),
            SynExpr::Tuple(tuple) => {
                let kind = ExprKind::Tuple(self.exprs(&tuple.elems));
                let at = self.at(tuple.paren_token.span.join());
                self.made(kind, at, at)
            }
            SynExpr::Array(array) => {
                let kind = ExprKind::Array(self.exprs(&array.elems));
                let at = self.at(array.bracket_token.span.join());
                self.made(kind, at, at)
            }
            SynExpr::Repeat(repeat) => {
                let kind = ExprKind::Array(vec![self.expr(&repeat.expr)]);
                let at = self.at(repeat.bracket_token.span.join());
                self.made(kind, at, at)
            }
            SynExpr::Infer(blank) => {
                let at = self.at(blank.underscore_token.spans[0]);
                self.made(ExprKind::Path(single(Name::new_static("_"))), at, at)
            }
            other => {
                let at = self.first_token(other);
                self.unknown(at, "unstable syntax")
            }
        }
    }

    pub fn made(&self, kind: ExprKind, from: Range, to: Range) -> Expr {
        Expr { kind: Box::new(kind), at: self.join(from, to) }
    }

    /// An expression that begins with a token.
    fn made_from(&self, word: Span, to: Range, kind: ExprKind) -> Expr {
        self.made(kind, self.at(word), to)
    }

    fn prefixed(&mut self, mark: Span, operand: &SynExpr, kind: fn(Expr) -> ExprKind) -> Expr {
        let (operand, to) = self.outer(operand);
        self.made_from(mark, to, kind(operand))
    }

    fn postfixed(&mut self, operand: &SynExpr, mark: Span, kind: fn(Expr) -> ExprKind) -> Expr {
        let (operand, from) = self.outer(operand);
        let to = self.at(mark);
        self.made(kind(operand), from, to)
    }

    fn leave(&mut self, word: Span, value: Option<&SynExpr>, kind: impl FnOnce(Option<Expr>) -> ExprKind) -> Expr {
        let value = value.map(|value| self.outer(value));
        let to = value.as_ref().map_or_else(|| self.at(word), |(_, to)| *to);
        self.made_from(word, to, kind(value.map(|(value, _)| value)))
    }

    fn unary(&mut self, unary: &syn::ExprUnary) -> Expr {
        let (op, mark) = match &unary.op {
            syn::UnOp::Not(mark) => (UnOp::Not, mark.spans[0]),
            syn::UnOp::Neg(mark) => (UnOp::Neg, mark.spans[0]),
            syn::UnOp::Deref(mark) => (UnOp::Deref, mark.spans[0]),
            other => {
                let at = self.at(other.span());
                return self.unknown(at, "unstable operator");
            }
        };
        let (operand, to) = self.outer(&unary.expr);
        self.made_from(mark, to, ExprKind::Unary(op, operand))
    }

    fn binary(&mut self, binary: &syn::ExprBinary) -> Expr {
        let ((left, from), (right, to)) = (self.outer(&binary.left), self.outer(&binary.right));
        let kind = match operator(&binary.op) {
            Some((op, false)) => ExprKind::Binary(op, left, right),
            Some((op, true)) => ExprKind::Assign(left, Some(op), right),
            None => return self.unknown(from.to(to), "unstable operator"),
        };
        self.made(kind, from, to)
    }

    fn field(&mut self, field: &syn::ExprField) -> Expr {
        let (base, from) = self.outer(&field.base);
        let (member, to) = self.member(&field.member);
        self.made(ExprKind::Field(base, member), from, to)
    }

    pub fn member(&self, member: &syn::Member) -> (Name, Range) {
        match member {
            syn::Member::Named(ident) => (name(ident), self.at(ident.span())),
            syn::Member::Unnamed(index) => (Name::from(index.index.to_string()), self.at(index.span)),
        }
    }

    fn method(&mut self, call: &syn::ExprMethodCall) -> Expr {
        let (recv, from) = self.outer(&call.receiver);
        let generics = self.turbofish(call.turbofish.as_ref());
        let args = self.exprs(&call.args).into_iter().map(called_on_it).collect();
        let name_at = self.at(call.method.span());
        let to = self.at(call.paren_token.span.close());
        let method = MethodCall { recv, name: name(&call.method), name_at, generics, args };
        self.made(ExprKind::Method(Box::new(method)), from, to)
    }

    fn range_expr(&mut self, range: &syn::ExprRange) -> Expr {
        let (first, last) = match &range.limits {
            syn::RangeLimits::HalfOpen(dots) => (dots.spans[0], dots.spans[1]),
            syn::RangeLimits::Closed(dots) => (dots.spans[0], dots.spans[2]),
        };
        let start = range.start.as_deref().map(|start| self.outer(start));
        let end = range.end.as_deref().map(|end| self.outer(end));
        let from = start.as_ref().map_or_else(|| self.at(first), |(_, at)| *at);
        let to = end.as_ref().map_or_else(|| self.at(last), |(_, at)| *at);
        self.made(ExprKind::Range(start.map(|(start, _)| start), end.map(|(end, _)| end)), from, to)
    }

    fn branch(&mut self, branch: &syn::ExprIf) -> Expr {
        let cond = self.expr(&branch.cond);
        let then = self.block(&branch.then_branch);
        let then_at = then.at;
        let then = self.made(ExprKind::Block(Box::new(then)), then_at, then_at);
        let otherwise = branch.else_branch.as_ref().map(|(_, otherwise)| self.expr(otherwise));
        let to = otherwise.as_ref().map_or(then_at, |otherwise| otherwise.at);
        self.made_from(branch.if_token.span, to, ExprKind::If(cond, then, otherwise))
    }

    fn switch(&mut self, switch: &syn::ExprMatch) -> Expr {
        let value = self.expr(&switch.expr);
        let mut arms = Vec::new();
        for arm in &switch.arms {
            let pat = self.pat(&arm.pat);
            let guard = match &arm.pat {
                syn::Pat::Guard(guarded) => Some(self.expr(&guarded.guard)),
                _ => None,
            };
            arms.push(Arm { pat, guard, body: self.expr(&arm.body) });
        }
        let to = self.at(switch.brace_token.span.close());
        self.made_from(switch.match_token.span, to, ExprKind::Match(value, arms))
    }

    fn closure(&mut self, closure: &syn::ExprClosure) -> Expr {
        let mut params = Vec::new();
        for input in &closure.inputs {
            let (pat, ty) = self.typed_pat(input);
            params.push((pat, ty.unwrap_or(Ty::Infer)));
        }
        let (body, to) = self.outer(&closure.body);
        let first = match (&closure.constness, &closure.asyncness, &closure.capture) {
            (Some(word), _, _) => word.span,
            (_, Some(word), _) => word.span,
            (_, _, Some(word)) => word.span,
            _ => closure.inputs_begin.spans[0],
        };
        let is_async = closure.asyncness.is_some();
        self.made_from(first, to, ExprKind::Closure(Arc::new(Closure { params, is_async, body })))
    }

    fn struct_expr(&mut self, written: &syn::ExprStruct) -> Expr {
        let from = self.path_range(written.qself.as_ref(), &written.path);
        let path = self.ty_path(written.qself.as_ref(), &written.path);
        let mut fields = Vec::new();
        for field in &written.fields {
            fields.push((self.member(&field.member).0, self.expr(&field.expr)));
        }
        let rest = written.rest.as_deref().map(|rest| self.expr(rest));
        let to = self.at(written.brace_token.span.close());
        self.made(ExprKind::Struct(Box::new(StructLit { path, fields, rest })), from, to)
    }

    pub fn path_range(&self, qself: Option<&syn::QSelf>, path: &syn::Path) -> Range {
        let first = match (qself, &path.leading_colon, path.segments.first()) {
            (Some(qself), _, _) => self.at(qself.lt_token.spans[0]),
            (None, Some(colons), _) => self.at(colons.spans[0]),
            (None, None, Some(segment)) => self.at(segment.ident.span()),
            (None, None, None) => Range::default(),
        };
        let Some(last) = path.segments.last() else { return first };
        let last = match &last.arguments {
            syn::PathArguments::None => self.at(last.ident.span()),
            syn::PathArguments::AngleBracketed(angle) => self.at(angle.gt_token.spans[0]),
            syn::PathArguments::Parenthesized(call) => self.at(call.paren_token.span.close()),
        };
        self.join(first, last)
    }

    /// Where an expression begins that is not lowered.
    fn first_token(&self, written: &SynExpr) -> Range {
        let first = quote::ToTokens::to_token_stream(written).into_iter().next();
        first.map_or_else(Range::default, |token| self.at(token.span()))
    }
}

fn literal(lit: &syn::Lit) -> Lit {
    match lit {
        syn::Lit::Str(text) => Lit::Str(text.value()),
        syn::Lit::Char(one) => Lit::Str(one.value().to_string()),
        syn::Lit::Int(number) => Lit::Int(number.base10_digits().to_owned()),
        syn::Lit::Float(number) => Lit::Float(number.base10_digits().to_owned()),
        syn::Lit::Bool(truth) => Lit::Bool(truth.value()),
        _ => Lit::Other,
    }
}

/// The operator, and whether it assigns.
fn operator(op: &syn::BinOp) -> Option<(BinOp, bool)> {
    use syn::BinOp as Syn;
    Some(match op {
        Syn::Add(_) => (BinOp::Add, false),
        Syn::Sub(_) => (BinOp::Sub, false),
        Syn::Mul(_) => (BinOp::Mul, false),
        Syn::Div(_) => (BinOp::Div, false),
        Syn::Rem(_) => (BinOp::Rem, false),
        Syn::And(_) => (BinOp::And, false),
        Syn::Or(_) => (BinOp::Or, false),
        Syn::Eq(_) => (BinOp::Eq, false),
        Syn::Ne(_) => (BinOp::Ne, false),
        Syn::Lt(_) => (BinOp::Lt, false),
        Syn::Le(_) => (BinOp::Le, false),
        Syn::Gt(_) => (BinOp::Gt, false),
        Syn::Ge(_) => (BinOp::Ge, false),
        Syn::BitXor(_) | Syn::BitAnd(_) | Syn::BitOr(_) | Syn::Shl(_) | Syn::Shr(_) => (BinOp::Bit, false),
        Syn::AddAssign(_) => (BinOp::Add, true),
        Syn::SubAssign(_) => (BinOp::Sub, true),
        Syn::MulAssign(_) => (BinOp::Mul, true),
        Syn::DivAssign(_) => (BinOp::Div, true),
        Syn::RemAssign(_) => (BinOp::Rem, true),
        Syn::BitXorAssign(_) | Syn::BitAndAssign(_) | Syn::BitOrAssign(_) | Syn::ShlAssign(_) | Syn::ShrAssign(_) => {
            (BinOp::Bit, true)
        }
        _ => return None,
    })
}

/// `Into::into` as `|it| it.into()`: a conversion of std that is handed over by its name.
fn called_on_it(arg: Expr) -> Expr {
    const TRAITS: [&str; 8] = ["AsRef", "Borrow", "Clone", "Deref", "Into", "ToOwned", "ToString", "TryInto"];
    let ExprKind::Path(path) = &*arg.kind else { return arg };
    let (None, [of, name]) = (&path.qself, path.segments.as_slice()) else { return arg };
    if !TRAITS.contains(&of.name.as_str()) || !name.args.is_empty() {
        return arg;
    }
    let (at, it) = (arg.at, Name::new("it"));
    let segment = Segment { name: it.clone(), args: Vec::new(), bindings: Vec::new() };
    let recv = Expr { kind: Box::new(ExprKind::Path(TyPath { qself: None, segments: vec![segment] })), at };
    let call = MethodCall { recv, name: name.name.clone(), name_at: at, generics: Vec::new(), args: Vec::new() };
    let body = Expr { kind: Box::new(ExprKind::Method(Box::new(call))), at };
    let params = vec![(Pat::Bind(it, None, Binding { at, changeable: false }), Ty::Infer)];
    Expr { kind: Box::new(ExprKind::Closure(Arc::new(Closure { params, is_async: false, body }))), at }
}
