//! A walk over a body's expressions.

use crate::lower::tree::{Block, Expr, ExprKind, MacroBody, Stmt};

/// How deep expressions are followed; deeper ones are machine-made.
const DEPTH: usize = 400;

/// Calls `see` on an expression and, while it says so, on those inside of it, in the order of the text.
pub fn visit<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr) -> bool) {
    at(expr, 0, see);
}

fn at<'e>(expr: &'e Expr, depth: usize, see: &mut dyn FnMut(&'e Expr) -> bool) {
    if depth > DEPTH || !see(expr) {
        return;
    }
    let mut down = |inner: &'e Expr| at(inner, depth + 1, see);
    match &*expr.kind {
        ExprKind::Field(of, _)
        | ExprKind::Unary(_, of)
        | ExprKind::Await(of)
        | ExprKind::Try(of)
        | ExprKind::Ref(of)
        | ExprKind::Cast(of, _)
        | ExprKind::Let(_, of) => down(of),
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) | ExprKind::Assign(a, _, b) => {
            down(a);
            down(b);
        }
        ExprKind::Call(callee, args) => {
            down(callee);
            args.iter().for_each(down);
        }
        ExprKind::Method(call) => {
            down(&call.recv);
            call.args.iter().for_each(down);
        }
        ExprKind::Macro(call) => match &call.body {
            MacroBody::Args(args) => args.iter().for_each(|arg| down(&arg.value)),
            MacroBody::Matches(of, _, guard) => std::iter::once(of).chain(guard).for_each(down),
            MacroBody::Select(arms) => {
                arms.iter().for_each(|(_, future, then)| std::iter::once(future).chain(then).for_each(&mut down))
            }
            MacroBody::Block(inner) => block(inner, &mut down),
            MacroBody::Tokens(parts) => parts.iter().for_each(down),
            MacroBody::Items => {}
        },
        ExprKind::Struct(lit) => lit.fields.iter().map(|(_, value)| value).chain(&lit.rest).for_each(down),
        ExprKind::Tuple(parts) | ExprKind::Array(parts) => parts.iter().for_each(down),
        ExprKind::Block(inner) | ExprKind::Async(inner) | ExprKind::Loop(inner) => block(inner, &mut down),
        ExprKind::If(test, then, otherwise) => [test, then].into_iter().chain(otherwise).for_each(down),
        ExprKind::Match(of, arms) => {
            down(of);
            arms.iter().for_each(|arm| arm.guard.iter().chain([&arm.body]).for_each(&mut down));
        }
        ExprKind::While(of, inner) | ExprKind::For(_, of, inner) => {
            down(of);
            block(inner, &mut down);
        }
        ExprKind::Closure(closure) => down(&closure.body),
        ExprKind::Range(from, to) => from.iter().chain(to).for_each(down),
        ExprKind::Return(value) | ExprKind::Break(value) => value.iter().for_each(down),
        ExprKind::Lit(_) | ExprKind::Path(_) | ExprKind::Continue | ExprKind::Unknown(_) => {}
    }
}

fn block<'e>(block: &'e Block, down: &mut dyn FnMut(&'e Expr)) {
    for stmt in &block.stmts {
        match stmt {
            Stmt::Let { value, otherwise, .. } => value.iter().chain(otherwise).for_each(&mut *down),
            Stmt::Expr(expr) => down(expr),
        }
    }
}
