//! Decoding: what a column holds becomes a value of the program, or cannot. That says nothing of what may be done with the
//! row; it is refused only where the program and its data disagree.

use crate::flow::value::Value;
use crate::flow::{Evaluator, macros};
use crate::link::{FnId, TraitRef};
use crate::lower::tree::{Arm, Block, Expr, ExprKind, Lit, Pat, Stmt};

/// Traits of std and of the common libraries whose functions turn one form of a value into another.
const TRAITS: &[&str] = &[
    "FromStr",
    "TryFrom",
    "TryInto",
    "FromRow",
    "Decode",
    "FromSql",
    "Deserialize",
    "Visitor",
    "TryGetable",
    "FromQueryResult",
];

/// Whether a method gives what it is called on in another form, or an error when it has none.
pub(super) fn is_conversion(name: &str) -> bool {
    matches!(name, "parse" | "try_into")
}

impl<'p> Evaluator<'p> {
    /// The result of a function that decodes: its error says nothing of rows.
    pub(super) fn decoded(&self, id: FnId, value: Value) -> Value {
        let decodes = self.program.impl_of(id).is_some_and(|block| match self.program.impl_subject(block).0 {
            Some(TraitRef::External(path)) => path.last().is_some_and(|name| TRAITS.contains(&name.as_str())),
            _ => false,
        });
        if decodes { value.in_result() } else { value }
    }
}

/// Whether a match turns constants into values: each of several gives one, and what is none of them is refused.
pub(super) fn is_decoding(arms: &[Arm]) -> bool {
    let Some((rest, known)) = arms.split_last() else { return false };
    known.len() > 1
        && known.iter().all(|arm| arm.guard.is_none() && is_constant(&arm.pat) && is_value(&arm.body))
        && rest.guard.is_none()
        && matches!(rest.pat, Pat::Wild | Pat::Bind(_, None, _))
        && refuses(&rest.body)
}

fn is_constant(pat: &Pat) -> bool {
    match pat {
        Pat::Lit(lit) => matches!(&*lit.kind, ExprKind::Lit(Lit::Str(_) | Lit::Int(_))),
        Pat::Or(all) => all.iter().all(is_constant),
        Pat::Ref(inner) => is_constant(inner),
        _ => false,
    }
}

/// Whether an arm's body is a value and does nothing.
fn is_value(body: &Expr) -> bool {
    match &*body.kind {
        ExprKind::Path(_) | ExprKind::Lit(_) => true,
        ExprKind::Call(callee, args) => {
            matches!(&*callee.kind, ExprKind::Path(_)) && !refuses(body) && args.iter().all(is_value)
        }
        ExprKind::Tuple(parts) => parts.iter().all(is_value),
        ExprKind::Struct(lit) => lit.rest.is_none() && lit.fields.iter().all(|(_, value)| is_value(value)),
        _ => false,
    }
}

/// Whether an arm's body ends with an error.
fn refuses(body: &Expr) -> bool {
    match &*body.kind {
        ExprKind::Call(callee, _) => {
            matches!(&*callee.kind, ExprKind::Path(path) if path.segments.last().is_some_and(|last| last.name == "Err"))
        }
        ExprKind::Macro(call) => call.path.last().is_some_and(|last| macros::leaves(last)),
        ExprKind::Return(Some(value)) => refuses(value),
        ExprKind::Try(value) => refuses(value),
        ExprKind::Block(block) => block_refuses(block),
        _ => false,
    }
}

fn block_refuses(block: &Block) -> bool {
    match block.stmts.last() {
        Some(Stmt::Expr(last)) => refuses(last),
        _ => false,
    }
}
