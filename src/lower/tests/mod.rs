//! Small sources and the trees they make.

mod cfg;
mod expansion;
mod exprs;
mod items;
mod limits;
mod macros;
mod patterns;
mod ranges;
mod shape;

use super::tree::{Expr, ExprKind, FileTree, Function};
use super::{STACK, lower};
use crate::span::FileId;

/// The tree of a source that must be accepted.
fn tree(source: &str) -> FileTree {
    match lower(FileId(0), source) {
        Ok(lowered) => lowered.tree,
        Err(refused) => panic!("{refused:?} in {source}"),
    }
}

/// The body of the first function of a source, as text.
fn body(source: &str) -> String {
    let tree = tree(source);
    tree.functions.first().and_then(|function| function.body.as_ref()).map(shape::expr).unwrap_or_default()
}

/// One expression, as text.
fn expr(source: &str) -> String {
    shape::expr(&parsed(source))
}

fn parsed(source: &str) -> Expr {
    super::expression(source).unwrap_or_else(|| panic!("no expression: {source}"))
}

fn function<'a>(tree: &'a FileTree, name: &str) -> &'a Function {
    tree.functions.iter().find(|function| function.name == name).unwrap_or_else(|| panic!("no function {name}"))
}

/// Runs with the stack that `lower` asks for.
fn on_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run);
    thread.and_then(|thread| thread.join().map_err(|_| std::io::Error::other("panicked"))).unwrap()
}

/// Trees of all files are held at once, and most of their nodes are names and literals.
#[test]
fn a_node_stays_small() {
    assert!(size_of::<ExprKind>() <= 56, "{}", size_of::<ExprKind>());
}
