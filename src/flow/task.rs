//! What runs beside the function that hands it over: tasks, and handlers that a framework calls.

use crate::flow::Evaluator;
use crate::flow::graph::Task;
use crate::flow::value::{ClosureValue, Shape, Value, Wrap};
use crate::lower::tree::{Expr, ExprKind, Stmt};
use crate::span::Range;

impl<'p> Evaluator<'p> {
    /// The arguments of a call, which may run them beside the caller.
    pub(super) fn handed(&mut self, name: &str, args: &[Expr], at: Range) -> Vec<Value> {
        if starts_task(name) || hands_over(name, args) {
            return self.in_task(at, |ev| ev.args(args));
        }
        if waits_for_all(name) && args.len() > 1 {
            return self.at_once(&args.iter().collect::<Vec<_>>(), false);
        }
        self.args(args)
    }

    /// Evaluates what runs in a task of its own, which is started here.
    pub(super) fn in_task<R>(&mut self, at: Range, run: impl FnOnce(&mut Self) -> R) -> R {
        let looped = self.frame.loops > self.loops_around() || self.frame.spread > 0;
        let many = looped || self.frame.task.is_some_and(|(task, _)| task.many);
        self.beside(Task { at: self.span(at), many }, run)
    }

    /// Evaluates a handler: what gives a future, and is handed to something that nobody waits for, is called again and
    /// again, for many at once.
    pub(super) fn in_handler<R>(&mut self, at: Range, run: impl FnOnce(&mut Self) -> R) -> R {
        self.frame.serving += 1;
        let result = self.beside(Task { at: self.span(at), many: true }, run);
        self.frame.serving -= 1;
        result
    }

    fn beside<R>(&mut self, task: Task, run: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.frame.task.replace((task, self.frame.loops));
        let branch = self.frame.branch.take();
        let result = run(self);
        self.frame.task = outer;
        self.frame.branch = branch;
        result
    }

    /// Evaluates what is waited for at once by one macro or function: `join!(a(), b())`. Where several of these branches can
    /// lead to a statement they take turns: while one waits for its answer, another one goes on.
    ///
    /// In: the futures, and whether a branch is dropped as soon as another one is done, as `select!` does: such a one only
    /// meets another for as long as both go round.
    pub(super) fn at_once(&mut self, futures: &[&Expr], dropped: bool) -> Vec<Value> {
        let mut turns = Vec::new();
        let mut values = Vec::with_capacity(futures.len());
        for future in futures {
            let at = self.span(future.at);
            let outer = self.frame.branch.replace(at);
            let reached = std::mem::take(&mut self.frame.reaches_rows);
            let before = self.frame.events.len();
            values.push(self.expr(future));
            let mut sent = self.frame.events[before.min(self.frame.events.len())..]
                .iter()
                .filter(|event| event.access().is_some());
            let goes_on = if dropped {
                sent.any(|event| event.repeated)
            } else {
                self.frame.reaches_rows || sent.next().is_some()
            };
            self.frame.reaches_rows |= reached;
            self.frame.branch = outer;
            turns.extend(goes_on.then_some(at));
        }
        if turns.len() > 1 {
            self.calls.turns.extend(turns);
        }
        values
    }

    /// How many loops stand around the task that is evaluated.
    pub(super) fn loops_around(&self) -> usize {
        self.frame.task.map_or(0, |(_, loops)| loops)
    }

    /// Whether a closure that is given to `and_then` or `then` is a step of a route: it gives a future, and nobody waits here
    /// for what comes of it (warp's `Filter`).
    pub(super) fn is_step_of_route(&self, name: &str, function: &Value, recv: &Value, at: Range) -> bool {
        let Shape::Closure(closure) = &function.shape else { return false };
        let waited = self.frame.awaited.is_some_and(|all| all.start <= at.start && at.end <= all.end);
        matches!(name, "and_then" | "then")
            && recv.ty.is_unknown()
            && recv.wrap == Wrap::Bare
            && !waited
            && gives_future(closure)
    }

    /// Closures given to something unknown, or handed on to it, are taken to be run once, handlers again and again.
    pub(super) fn run_closures(&mut self, args: &[Value], at: Range) {
        self.frame.handed += 1;
        for arg in args {
            match &arg.shape {
                Shape::Closure(closure) if self.frame.awaited != Some(at) && gives_future(closure) => {
                    self.in_handler(at, |ev| ev.call_value(arg, Vec::new(), at));
                }
                Shape::Closure(_) => drop(self.call_value(arg, Vec::new(), at)),
                // What it does is told by who hands it in.
                Shape::Plain if arg.is_callable() => drop(self.call_value(arg, Vec::new(), at)),
                _ => {}
            }
        }
        self.frame.handed -= 1;
    }
}

/// Whether what a closure gives has yet to be waited for.
fn gives_future(closure: &ClosureValue) -> bool {
    let mut last = &closure.code.body;
    while let ExprKind::Block(block) = &*last.kind
        && let Some(Stmt::Expr(expr)) = block.stmts.last().filter(|_| block.has_value)
    {
        last = expr;
    }
    closure.code.is_async || matches!(&*last.kind, ExprKind::Async(_))
}

/// Whether a call is named after what starts a task or a thread.
pub(super) fn starts_task(name: &str) -> bool {
    name.contains("spawn")
}

/// Whether a macro or a function of futures or tokio is named so that polls what it is given by turns.
pub(super) fn waits_for_all(name: &str) -> bool {
    const NAMES: [&str; 10] =
        ["join", "join3", "join4", "join5", "try_join", "try_join3", "try_join4", "try_join5", "try_select", "race"];
    NAMES.contains(&name)
}

/// Whether a call is handed a future that it may run beside the caller; not where it is known to wait for it.
fn hands_over(name: &str, args: &[Expr]) -> bool {
    let waits = matches!(name, "block_on" | "pin" | "timeout" | "timeout_at" | "scope" | "run_until");
    !waits && args.iter().any(|arg| matches!(&*arg.kind, ExprKind::Async(_)))
}
