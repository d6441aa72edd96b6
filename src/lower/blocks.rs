//! Blocks and statements.

use proc_macro2::Span;
use syn::Stmt as SynStmt;

use super::Lowering;
use super::tree::{Block, Expr, ExprKind, Name, Stmt};
use crate::span::Range;

impl Lowering {
    pub fn block(&mut self, written: &syn::Block) -> Block {
        let at = self.at(written.brace_token.span.join());
        self.stmts(&written.stmts, at)
    }

    /// Statements as a block; items among them are filed below the function they stand in.
    pub fn stmts(&mut self, written: &[SynStmt], at: Range) -> Block {
        let outer_filed = std::mem::replace(&mut self.filed_here, false);
        let mut block = Block { at, ..Block::default() };
        let mut rest = written;
        while let Some((stmt, after)) = rest.split_first() {
            if let Some(taken) = self.conditional(rest, &mut block) {
                rest = rest.get(taken..).unwrap_or_default();
                continue;
            }
            rest = after;
            match stmt {
                SynStmt::Local(local) => block.stmts.push(self.local(local)),
                // A local macro's definition is no item that could be named.
                SynStmt::Item(item @ syn::Item::Macro(definition)) if definition.ident.is_some() => self.item(item),
                SynStmt::Item(item) => self.below_the_function(|lowering| lowering.item(item)),
                // An empty statement: a semicolon alone.
                SynStmt::Expr(syn::Expr::Verbatim(tokens), _) if tokens.is_empty() => {}
                SynStmt::Expr(expr, _) => block.stmts.push(Stmt::Expr(self.expr(expr))),
                SynStmt::Macro(call) => block.stmts.push(Stmt::Expr(self.macro_expr(&call.mac))),
            }
        }
        block.has_value = match written.last() {
            Some(SynStmt::Expr(_, semi)) => semi.is_none(),
            Some(SynStmt::Macro(call)) => call.semi_token.is_none(),
            _ => false,
        };
        if self.filed_here {
            block.scope = Some(self.segment_of_body());
        }
        self.filed_here = outer_filed;
        block
    }

    /// Runs `file` with the scope that items inside the current body have, and marks the block.
    pub fn below_the_function(&mut self, file: impl FnOnce(&mut Self)) {
        self.filed_here = true;
        let segment = self.segment_of_body();
        let body = self.body.take();
        self.scope.push(segment);
        file(self);
        self.scope.pop();
        self.body = body;
        self.filed_here = true;
    }

    fn segment_of_body(&self) -> Name {
        self.body.clone().unwrap_or_else(|| Name::new_static("_"))
    }

    pub fn local(&mut self, local: &syn::Local) -> Stmt {
        let (pat, ty) = self.typed_pat(&local.pat);
        let value = local.init.as_ref().map(|init| self.expr(&init.expr));
        let otherwise = local.init.as_ref().and_then(|init| init.diverge.as_ref()).map(|(_, block)| self.expr(block));
        let at = self.between(local.let_token.span, local.semi_token.spans[0]);
        Stmt::Let { pat, ty, value, otherwise, at }
    }

    pub fn between(&self, from: Span, to: Span) -> Range {
        self.join(self.at(from), self.at(to))
    }

    /// A block as an expression.
    pub fn block_expr(&mut self, written: &syn::Block) -> Expr {
        let block = self.block(written);
        let at = block.at;
        self.made(ExprKind::Block(Box::new(block)), at, at)
    }
}
