//! Statements under `#[cfg(…)]`, as branches: no build has all of them, and each build has some of them.
//!
//! Which features are on is not known here, so every statement stays: under a condition `cfg!(…)` of its own, twins such
//! as `cfg(x)` and `cfg(not(x))` as `if` and `else`. What is built for tests only is left out of code that is no test.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Expr as SynExpr, Meta, Pat as SynPat, Stmt as SynStmt};

use super::tree::{Block, Expr, ExprKind, MacroBody, MacroCall, Name, Stmt};
use super::{Lowering, attrs, name};

/// How many arms one branch may have: each stands inside the one before.
const ARMS: usize = 16;

/// The condition of one statement.
pub struct Cfg {
    condition: String,
    attribute: Attribute,
}

impl Cfg {
    /// The condition that a statement stands under; none when it has none. Of several the first counts.
    pub fn of(written: &SynStmt) -> Option<Self> {
        let attribute = attributes(written).iter().find(|attribute| attribute.path().is_ident("cfg"))?;
        let Meta::List(list) = &attribute.meta else { return None };
        Some(Self { condition: attrs::spaced(list.tokens.clone()), attribute: attribute.clone() })
    }

    fn is_opposite(&self, other: &Self) -> bool {
        let denied = |cfg: &Self| denied(cfg).map(attrs::spaced);
        denied(self).as_ref() == Some(&other.condition) || denied(other).as_ref() == Some(&self.condition)
    }
}

impl Lowering {
    /// Files the statement under a condition that `written` begins with, and says how many statements that were.
    pub fn conditional(&mut self, written: &[SynStmt], block: &mut Block) -> Option<usize> {
        let first = written.first()?;
        let cfg = Cfg::of(first)?;
        if !self.test && attrs::are_test(attributes(first)) {
            return Some(1);
        }
        let run = arms(written, &cfg);
        match first {
            SynStmt::Item(_) => None,
            SynStmt::Local(_) => {
                let [SynStmt::Local(one), SynStmt::Local(twin)] = run else { return None };
                block.stmts.push(self.local_twins(one, twin, &cfg));
                Some(run.len())
            }
            // The only value that the block can have is there in every build.
            SynStmt::Expr(..) | SynStmt::Macro(_) if run.len() == 1 && written.len() == 1 && has_value(first) => None,
            SynStmt::Expr(..) | SynStmt::Macro(_) => {
                let branch = self.branch_of(run)?;
                block.stmts.push(Stmt::Expr(branch));
                Some(run.len())
            }
        }
    }

    /// `let x = if cfg!(…) { one } else { twin };`
    fn local_twins(&mut self, one: &syn::Local, twin: &syn::Local, cfg: &Cfg) -> Stmt {
        let lowered = self.local(one);
        let Stmt::Let { pat, ty, value: Some(value), otherwise, at } = lowered else { return lowered };
        let Stmt::Let { value: Some(other), at: end, .. } = self.local(twin) else {
            return Stmt::Let { pat, ty, value: Some(value), otherwise, at };
        };
        let condition = self.condition(cfg);
        let (from, to) = (condition.at, other.at);
        let value = self.made(ExprKind::If(condition, as_block(value), Some(as_block(other))), from, to);
        Stmt::Let { pat, ty, value: Some(value), otherwise, at: self.join(from, end) }
    }

    /// One statement as `if`; of several the last is the `else` of all before.
    fn branch_of(&mut self, run: &[SynStmt]) -> Option<Expr> {
        let mut arms = Vec::new();
        self.depth += 1;
        for written in run {
            let value = match written {
                SynStmt::Expr(expr, _) => self.expr(expr),
                SynStmt::Macro(call) => self.macro_expr(&call.mac),
                SynStmt::Local(_) | SynStmt::Item(_) => continue,
            };
            let at = value.at;
            let is_block = matches!(*value.kind, ExprKind::Block(_));
            let stmts = Block { stmts: Vec::new(), has_value: has_value(written), scope: None, at };
            let then = match is_block {
                true => value,
                false => {
                    self.made(ExprKind::Block(Box::new(Block { stmts: vec![Stmt::Expr(value)], ..stmts })), at, at)
                }
            };
            arms.extend(Cfg::of(written).map(|cfg| (cfg, then)));
        }
        self.depth -= 1;
        let mut otherwise = match arms.len() {
            0 | 1 => None,
            _ => arms.pop().map(|(_, last)| last),
        };
        while let Some((cfg, then)) = arms.pop() {
            let condition = self.condition(&cfg);
            let (from, to) = (condition.at, otherwise.as_ref().map_or(then.at, |otherwise| otherwise.at));
            otherwise = Some(self.made(ExprKind::If(condition, then, otherwise), from, to));
        }
        otherwise
    }

    /// `cfg!(…)`, of which nothing is known.
    fn condition(&self, cfg: &Cfg) -> Expr {
        let brackets = cfg.attribute.bracket_token.span;
        let at = self.between(cfg.attribute.pound_token.spans[0], brackets.close());
        let tokens = self.inner_range(&brackets);
        let call = MacroCall { path: vec![Name::new_static("cfg")], body: MacroBody::Tokens(Vec::new()), tokens };
        self.made(ExprKind::Macro(Box::new(call)), at, at)
    }
}

/// The statements that are arms of one branch: two that exclude each other, or all that could be the block's value.
fn arms<'s>(written: &'s [SynStmt], first: &Cfg) -> &'s [SynStmt] {
    let Some((one, twin)) = written.first().zip(written.get(1)) else { return written };
    let opposite = Cfg::of(twin).is_some_and(|twin| first.is_opposite(&twin));
    match (one, twin) {
        (SynStmt::Local(one), SynStmt::Local(twin)) if opposite && bind_alike(one, twin) => return &written[..2],
        (SynStmt::Local(_) | SynStmt::Item(_), _) | (_, SynStmt::Local(_) | SynStmt::Item(_)) => {}
        _ if opposite => return &written[..2],
        _ if written.len() <= ARMS && written.iter().all(|each| has_value(each) && Cfg::of(each).is_some()) => {
            return written;
        }
        _ => {}
    }
    &written[..1]
}

fn has_value(written: &SynStmt) -> bool {
    match written {
        SynStmt::Expr(_, semi) => semi.is_none(),
        SynStmt::Macro(call) => call.semi_token.is_none(),
        SynStmt::Local(_) | SynStmt::Item(_) => false,
    }
}

/// Whether both give a value to one variable of the same name.
fn bind_alike(one: &syn::Local, twin: &syn::Local) -> bool {
    let plain = |local: &syn::Local| local.init.as_ref().is_some_and(|init| init.diverge.is_none());
    let bound = variable(&one.pat);
    plain(one) && plain(twin) && bound.is_some() && bound == variable(&twin.pat)
}

fn variable(pat: &SynPat) -> Option<Name> {
    match pat {
        SynPat::Ident(ident) if ident.subpat.is_none() => Some(name(&ident.ident)),
        SynPat::Type(typed) => match &*typed.pat {
            SynPat::Ident(ident) if ident.subpat.is_none() => Some(name(&ident.ident)),
            _ => None,
        },
        _ => None,
    }
}

fn as_block(value: Expr) -> Expr {
    if matches!(*value.kind, ExprKind::Block(_)) {
        return value;
    }
    let at = value.at;
    let block = Block { stmts: vec![Stmt::Expr(value)], has_value: true, scope: None, at };
    Expr { kind: Box::new(ExprKind::Block(Box::new(block))), at }
}

/// What stands inside `not(…)`, where the condition is that.
fn denied(cfg: &Cfg) -> Option<TokenStream> {
    let Meta::List(list) = &cfg.attribute.meta else { return None };
    let mut tokens = list.tokens.clone().into_iter();
    let (Some(TokenTree::Ident(word)), Some(TokenTree::Group(inner)), None) =
        (tokens.next(), tokens.next(), tokens.next())
    else {
        return None;
    };
    (word == "not").then(|| inner.stream())
}

/// The attributes before a statement. On an operator syn keeps them with its first operand.
fn attributes(written: &SynStmt) -> &[Attribute] {
    match written {
        SynStmt::Local(local) => &local.attrs,
        SynStmt::Macro(call) => &call.attrs,
        SynStmt::Item(_) => &[],
        SynStmt::Expr(expr, _) => attributes_of(expr),
    }
}

fn attributes_of(mut expr: &SynExpr) -> &[Attribute] {
    loop {
        expr = match expr {
            SynExpr::Assign(assign) => &assign.left,
            SynExpr::Binary(binary) => &binary.left,
            SynExpr::Cast(cast) => &cast.expr,
            other => break plain_attributes(other),
        };
    }
}

fn plain_attributes(expr: &SynExpr) -> &[Attribute] {
    match expr {
        SynExpr::Async(of) => &of.attrs,
        SynExpr::Await(of) => &of.attrs,
        SynExpr::Block(of) => &of.attrs,
        SynExpr::Break(of) => &of.attrs,
        SynExpr::Call(of) => &of.attrs,
        SynExpr::Closure(of) => &of.attrs,
        SynExpr::Continue(of) => &of.attrs,
        SynExpr::Field(of) => &of.attrs,
        SynExpr::ForLoop(of) => &of.attrs,
        SynExpr::If(of) => &of.attrs,
        SynExpr::Lit(of) => &of.attrs,
        SynExpr::Loop(of) => &of.attrs,
        SynExpr::Macro(of) => &of.attrs,
        SynExpr::Match(of) => &of.attrs,
        SynExpr::MethodCall(of) => &of.attrs,
        SynExpr::Paren(of) => &of.attrs,
        SynExpr::Path(of) => &of.attrs,
        SynExpr::Reference(of) => &of.attrs,
        SynExpr::Return(of) => &of.attrs,
        SynExpr::Struct(of) => &of.attrs,
        SynExpr::Try(of) => &of.attrs,
        SynExpr::Tuple(of) => &of.attrs,
        SynExpr::Unary(of) => &of.attrs,
        SynExpr::Unsafe(of) => &of.attrs,
        SynExpr::While(of) => &of.attrs,
        _ => &[],
    }
}
