//! Which way a condition was answered on the way to the write, told from the source's tree.

use crate::event::{Cond, Event};
use crate::flow::macros;
use crate::lower::tree::{Block, Expr, ExprKind, MacroBody, Pat, Stmt};
use crate::race::scene::Scene;
use crate::span::Range;

/// How deep bodies are searched.
const DEPTH: usize = 200;

/// A condition with the answer that leads to the write.
#[derive(Clone, Copy, Debug)]
pub struct Way<'t> {
    pub tested: Tested<'t>,
    /// Whether it held.
    pub held: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Tested<'t> {
    Expr(&'t Expr),
    /// An arm of a `match`, or `let … else`.
    Pattern(&'t Pat),
}

/// Finds the condition in its function's body; none when the way on cannot be told.
pub fn find<'t>(scene: &Scene<'_, 't>, cond: &Cond, write: &Event) -> Option<Way<'t>> {
    let program: &'t crate::link::Program = scene.ev.program;
    let body = program.function(cond.function).body.as_ref()?;
    let search = Search { at: cond.span.at, write: place_in(scene, cond, write) };
    search.expr(body, 0)
}

/// Where the write happens, seen from the function that holds the condition.
fn place_in(scene: &Scene<'_, '_>, cond: &Cond, write: &Event) -> Option<Range> {
    if cond.function == scene.flow.function {
        return Some(write.calls.first().map_or(write.span.at, |call| call.span.at));
    }
    let held = write.calls.iter().position(|call| call.function == cond.function)?;
    Some(write.calls.get(held + 1).map_or(write.span.at, |call| call.span.at))
}

struct Search {
    at: Range,
    /// None when the function has returned before the write.
    write: Option<Range>,
}

impl Search {
    fn holds(&self, at: Range) -> bool {
        self.write.is_some_and(|write| at.start <= write.start && write.end <= at.end)
    }

    /// Whether the write is out of reach after an arm. Where the function has returned before the write, only an error
    /// surely kept the caller from going on.
    fn leaves(&self, arm: &Expr) -> bool {
        leaves(arm, self.write.is_none(), 0)
    }

    fn expr<'t>(&self, expr: &'t Expr, depth: usize) -> Option<Way<'t>> {
        if depth > DEPTH || !(expr.at.start <= self.at.start && self.at.end <= expr.at.end) {
            return None;
        }
        let depth = depth + 1;
        match &*expr.kind {
            ExprKind::If(cond, then, otherwise) if cond.at == self.at => {
                let inside = |arm: &Expr| self.holds(arm.at);
                let (in_other, other_leaves) = match otherwise {
                    Some(otherwise) => (inside(otherwise), self.leaves(otherwise)),
                    None => (false, false),
                };
                let held = inside(then) || !in_other && !self.leaves(then);
                if held && !inside(then) && !other_leaves {
                    return None;
                }
                Some(Way { tested: Tested::Expr(cond), held })
            }
            ExprKind::Match(of, arms) if of.at == self.at => {
                let arm = arms.iter().find(|arm| self.holds(arm.body.at)).or_else(|| {
                    let mut stays = arms.iter().filter(|arm| !self.leaves(&arm.body));
                    let only = stays.next()?;
                    stays.next().is_none().then_some(only)
                })?;
                Some(Way { tested: Tested::Pattern(&arm.pat), held: true })
            }
            ExprKind::Macro(call) => {
                let name = call.path.last().map(|name| name.as_str()).unwrap_or_default();
                let asserts = matches!(name, "ensure" | "assert" | "debug_assert" | "require");
                if let (true, true, MacroBody::Args(args)) = (asserts, expr.at == self.at, &call.body) {
                    return Some(Way { tested: Tested::Expr(&args.first()?.value), held: true });
                }
                match &call.body {
                    MacroBody::Args(args) => args.iter().find_map(|arg| self.expr(&arg.value, depth)),
                    MacroBody::Matches(of, _, guard) => {
                        self.expr(of, depth).or_else(|| guard.as_ref().and_then(|guard| self.expr(guard, depth)))
                    }
                    MacroBody::Select(arms) => arms.iter().find_map(|(_, of, handler)| {
                        self.expr(of, depth).or_else(|| handler.as_ref().and_then(|handler| self.expr(handler, depth)))
                    }),
                    MacroBody::Block(block) => self.block(block, depth),
                    MacroBody::Items => None,
                    MacroBody::Tokens(exprs) => exprs.iter().find_map(|expr| self.expr(expr, depth)),
                }
            }
            ExprKind::While(cond, _) if cond.at == self.at => Some(Way { tested: Tested::Expr(cond), held: true }),
            _ => {
                let mut found = None;
                inside(expr, &mut |part| {
                    let way = match part {
                        Part::Expr(expr) => self.expr(expr, depth),
                        Part::Block(block) => self.block(block, depth),
                    };
                    if found.is_none() {
                        found = way;
                    }
                });
                found
            }
        }
    }

    fn block<'t>(&self, block: &'t Block, depth: usize) -> Option<Way<'t>> {
        block.stmts.iter().find_map(|stmt| match stmt {
            Stmt::Let { pat, otherwise: Some(_), at, .. } if *at == self.at => {
                Some(Way { tested: Tested::Pattern(pat), held: true })
            }
            Stmt::Let { value, otherwise, .. } => value
                .as_ref()
                .and_then(|value| self.expr(value, depth))
                .or_else(|| otherwise.as_ref().and_then(|otherwise| self.expr(otherwise, depth))),
            Stmt::Expr(expr) => self.expr(expr, depth),
        })
    }
}

/// Whether what follows an expression is never reached: it returns, breaks, fails, or ends in an error; with `failing`,
/// only the last two.
fn leaves(expr: &Expr, failing: bool, depth: usize) -> bool {
    if depth > DEPTH {
        return false;
    }
    let depth = depth + 1;
    match &*expr.kind {
        ExprKind::Return(Some(value)) if failing => leaves(value, failing, depth),
        ExprKind::Return(None) | ExprKind::Break(_) | ExprKind::Continue if failing => false,
        ExprKind::Return(_) | ExprKind::Break(_) | ExprKind::Continue => true,
        ExprKind::Macro(call) => call.path.last().is_some_and(|name| macros::leaves(name)),
        // The value of a block that is the function's own.
        ExprKind::Call(function, _) => {
            matches!(&*function.kind, ExprKind::Path(path) if path.segments.last().is_some_and(|s| s.name == "Err"))
        }
        ExprKind::Try(inner) => leaves(inner, failing, depth),
        ExprKind::Block(block) => block.stmts.iter().any(|stmt| match stmt {
            Stmt::Expr(expr) => leaves(expr, failing, depth),
            Stmt::Let { .. } => false,
        }),
        ExprKind::If(_, then, Some(otherwise)) => leaves(then, failing, depth) && leaves(otherwise, failing, depth),
        ExprKind::Match(_, arms) => !arms.is_empty() && arms.iter().all(|arm| leaves(&arm.body, failing, depth)),
        _ => false,
    }
}

enum Part<'t> {
    Expr(&'t Expr),
    Block(&'t Block),
}

/// The parts of an expression, one level down.
fn inside<'t>(expr: &'t Expr, visit: &mut dyn FnMut(Part<'t>)) {
    let mut all = |exprs: &[&'t Expr]| exprs.iter().for_each(|expr| visit(Part::Expr(expr)));
    match &*expr.kind {
        ExprKind::Field(of, _)
        | ExprKind::Unary(_, of)
        | ExprKind::Let(_, of)
        | ExprKind::Await(of)
        | ExprKind::Try(of)
        | ExprKind::Ref(of)
        | ExprKind::Cast(of, _) => all(&[of]),
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) | ExprKind::Assign(a, _, b) => all(&[a, b]),
        ExprKind::Call(function, args) => {
            all(&[function]);
            args.iter().for_each(|arg| visit(Part::Expr(arg)));
        }
        ExprKind::Method(call) => {
            all(&[&call.recv]);
            call.args.iter().for_each(|arg| visit(Part::Expr(arg)));
        }
        ExprKind::Struct(lit) => lit.fields.iter().for_each(|(_, value)| visit(Part::Expr(value))),
        ExprKind::Tuple(parts) | ExprKind::Array(parts) => parts.iter().for_each(|part| visit(Part::Expr(part))),
        ExprKind::Block(block) | ExprKind::Async(block) | ExprKind::Loop(block) => visit(Part::Block(block)),
        ExprKind::If(cond, then, otherwise) => {
            all(&[cond, then]);
            otherwise.iter().for_each(|otherwise| visit(Part::Expr(otherwise)));
        }
        ExprKind::Match(of, arms) => {
            all(&[of]);
            for arm in arms {
                arm.guard.iter().for_each(|guard| visit(Part::Expr(guard)));
                visit(Part::Expr(&arm.body));
            }
        }
        ExprKind::While(cond, block) | ExprKind::For(_, cond, block) => {
            all(&[cond]);
            visit(Part::Block(block));
        }
        ExprKind::Closure(closure) => all(&[&closure.body]),
        ExprKind::Return(of) | ExprKind::Break(of) => of.iter().for_each(|of| visit(Part::Expr(of))),
        _ => {}
    }
}
