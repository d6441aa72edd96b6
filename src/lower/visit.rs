//! Every expression of a body, wherever it stands.

use super::tree::{Block, Expr, ExprKind, MacroBody, Stmt};

/// Calls `see` with an expression and every one inside it, closures and macros included, each before those inside it.
pub fn each_expr(written: &Expr, see: &mut dyn FnMut(&Expr)) {
    see(written);
    let mut inner: Vec<&Expr> = Vec::new();
    let mut blocks: Vec<&Block> = Vec::new();
    match &*written.kind {
        ExprKind::Lit(_) | ExprKind::Path(_) | ExprKind::Continue | ExprKind::Unknown(_) => {}
        ExprKind::Field(base, _) => inner.push(base),
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) | ExprKind::Assign(a, _, b) => inner.extend([a, b]),
        ExprKind::Call(func, args) => {
            inner.push(func);
            inner.extend(args);
        }
        ExprKind::Method(call) => {
            inner.push(&call.recv);
            inner.extend(&call.args);
        }
        ExprKind::Macro(call) => match &call.body {
            MacroBody::Args(args) => inner.extend(args.iter().map(|arg| &arg.value)),
            MacroBody::Matches(value, _, guard) => {
                inner.push(value);
                inner.extend(guard);
            }
            MacroBody::Select(arms) => {
                for (_, future, handler) in arms {
                    inner.push(future);
                    inner.extend(handler);
                }
            }
            MacroBody::Block(block) => blocks.push(block),
            MacroBody::Items => {}
            MacroBody::Tokens(found) => inner.extend(found),
        },
        ExprKind::Struct(lit) => {
            inner.extend(lit.fields.iter().map(|(_, value)| value));
            inner.extend(&lit.rest);
        }
        ExprKind::Tuple(elems) | ExprKind::Array(elems) => inner.extend(elems),
        ExprKind::Unary(_, a)
        | ExprKind::Let(_, a)
        | ExprKind::Await(a)
        | ExprKind::Try(a)
        | ExprKind::Ref(a)
        | ExprKind::Cast(a, _) => inner.push(a),
        ExprKind::Block(block) | ExprKind::Async(block) | ExprKind::Loop(block) => blocks.push(block),
        ExprKind::If(cond, then, otherwise) => {
            inner.extend([cond, then]);
            inner.extend(otherwise);
        }
        ExprKind::Match(value, arms) => {
            inner.push(value);
            for arm in arms {
                inner.extend(&arm.guard);
                inner.push(&arm.body);
            }
        }
        ExprKind::While(cond, block) | ExprKind::For(_, cond, block) => {
            inner.push(cond);
            blocks.push(block);
        }
        ExprKind::Closure(closure) => inner.push(&closure.body),
        ExprKind::Range(a, b) => {
            inner.extend(a);
            inner.extend(b);
        }
        ExprKind::Return(a) | ExprKind::Break(a) => inner.extend(a),
    }
    inner.into_iter().for_each(|each| each_expr(each, see));
    for stmt in blocks.into_iter().flat_map(|block| &block.stmts) {
        match stmt {
            Stmt::Let { value, otherwise, .. } => value.iter().chain(otherwise).for_each(|each| each_expr(each, see)),
            Stmt::Expr(value) => each_expr(value, see),
        }
    }
}
