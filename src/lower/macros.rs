//! Macros called where an expression or a statement may stand.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::Stmt as SynStmt;
use syn::parse::Parser;

use super::bodies::{self, Argument, SelectArm, Value};
use super::tree::{Block, Expr, ExprKind, MacroArg, MacroBody, MacroCall, Name, Pat, StructLit, Ty, TyPath};
use super::{Lowering, name, nesting, path_names};
use crate::span::Range;

impl Lowering {
    pub fn macro_expr(&mut self, call: &syn::Macro) -> Expr {
        let delimiters = call.delimiter.span();
        let at = self.join(self.path_range(None, &call.path), self.at(delimiters.close()));
        let tokens = self.inner_range(delimiters);
        let body = self.macro_body(call, tokens, at);
        let kind = ExprKind::Macro(Box::new(MacroCall { path: path_names(&call.path), body, tokens }));
        self.made(kind, at, at)
    }

    /// The bytes between two delimiters.
    pub fn inner_range(&self, delimiters: &proc_macro2::extra::DelimSpan) -> Range {
        Range::new(self.at(delimiters.open()).end, self.at(delimiters.close()).start)
    }

    fn macro_body(&mut self, call: &syn::Macro, tokens: Range, at: Range) -> MacroBody {
        let called = call.path.segments.last().map(|last| name(&last.ident)).unwrap_or_default();
        let body = &call.tokens;
        if !self.may_parse(body, tokens) || QUOTES.contains(&called.as_str()) {
            return MacroBody::Tokens(Vec::new());
        }
        if let Some(expanded) = self.expanded_body(call, at) {
            return expanded;
        }
        if let Some(known) = self.known_body(&called, body) {
            return known;
        }
        if let Ok(stmts) = bodies::backends.parse2(body.clone())
            && !stmts.is_empty()
        {
            return MacroBody::Block(self.macro_stmts(&stmts, tokens));
        }
        if let Ok(arguments) = bodies::arguments.parse2(body.clone()) {
            return MacroBody::Args(self.macro_args(&arguments));
        }
        if let Ok(stmts) = syn::Block::parse_within.parse2(body.clone()) {
            return self.stmts_or_items(&stmts, tokens);
        }
        let mut found = Vec::new();
        self.pieces(body.clone(), &mut found);
        MacroBody::Tokens(found)
    }

    /// Whether a macro's tokens are within the limits, and the file's allowance for parsing tokens again is not used up.
    pub fn may_parse(&mut self, body: &TokenStream, at: Range) -> bool {
        if let Err(deep) = nesting::check(body) {
            let at = self.at(deep.at);
            self.tree.unknowns.push((at, deep.what.to_owned()));
            return false;
        }
        let length = (at.end - at.start) as usize;
        let Some(left) = self.fuel.checked_sub(length) else {
            self.tree.unknowns.push((at, "macros nested too often".to_owned()));
            return false;
        };
        self.fuel = left;
        true
    }

    fn known_body(&mut self, called: &str, body: &TokenStream) -> Option<MacroBody> {
        match called {
            "matches" | "assert_matches" | "debug_assert_matches" => {
                let found = bodies::matches.parse2(body.clone()).ok()?;
                let (value, pat) = (self.expr(&found.value), self.pat(&found.pat));
                let guard = found.guard.as_ref().map(|guard| self.expr(guard));
                Some(MacroBody::Matches(value, pat, guard))
            }
            "select" | "select_biased" => {
                let arms = bodies::select.parse2(body.clone()).ok()?;
                Some(MacroBody::Select(arms.iter().map(|arm| self.select_arm(arm)).collect()))
            }
            "vec" => {
                let (value, count) = bodies::repeated.parse2(body.clone()).ok()?;
                let values = self.exprs([&value, &count]);
                Some(MacroBody::Args(values.into_iter().map(|value| MacroArg { name: None, value }).collect()))
            }
            _ => None,
        }
    }

    /// Pattern, future, handler. A precondition (`, if ready`) stands round the handler, which runs only under it.
    fn select_arm(&mut self, arm: &SelectArm) -> (Pat, Expr, Option<Expr>) {
        let (pat, future) = match &arm.binds {
            Some((pat, future)) => (self.pat(pat), Some(self.expr(future))),
            None => (Pat::Wild, None),
        };
        let guard = arm.guard.as_ref().map(|guard| self.expr(guard));
        let handler = self.expr(&arm.handler);
        let at = handler.at;
        let future = future.unwrap_or_else(|| Expr {
            kind: Box::new(ExprKind::Tuple(Vec::new())),
            at: Range::new(at.start, at.start),
        });
        let handler = match guard {
            Some(guard) => self.made(ExprKind::If(guard, handler, None), at, at),
            None => handler,
        };
        (pat, future, Some(handler))
    }

    fn macro_args(&mut self, arguments: &[Argument]) -> Vec<MacroArg> {
        let mut lowered = Vec::new();
        for argument in arguments {
            let value = self.macro_value(&argument.value);
            lowered.push(MacroArg { name: argument.name.as_ref().map(Name::new), value });
        }
        lowered
    }

    fn macro_value(&mut self, value: &Value) -> Expr {
        match value {
            Value::Expr(expr) => self.expr(expr),
            Value::Type(ty) => {
                let at = self.at(syn::spanned::Spanned::span(ty));
                match self.ty(ty) {
                    Ty::Path(path) => self.made(ExprKind::Path(path), at, at),
                    _ => self.unknown(at, "type as a macro argument"),
                }
            }
            Value::Object(entries, span) => {
                let at = self.at(span.join());
                let entries = self.macro_args(entries);
                let fields = entries.into_iter().map(|entry| (entry.name.unwrap_or_default(), entry.value)).collect();
                let path = TyPath { qself: None, segments: Vec::new() };
                self.made(ExprKind::Struct(Box::new(StructLit { path, fields, rest: None })), at, at)
            }
            Value::List(elems, span) => {
                let at = self.at(span.join());
                let elems = self.macro_args(elems).into_iter().map(|elem| elem.value).collect();
                self.made(ExprKind::Array(elems), at, at)
            }
        }
    }

    pub fn stmts_or_items(&mut self, stmts: &[SynStmt], at: Range) -> MacroBody {
        if stmts.is_empty() || !stmts.iter().all(|stmt| matches!(stmt, SynStmt::Item(_))) {
            return MacroBody::Block(self.macro_stmts(stmts, at));
        }
        self.below_the_function(|lowering| {
            for stmt in stmts {
                if let SynStmt::Item(item) = stmt {
                    lowering.item(item);
                }
            }
        });
        MacroBody::Items
    }

    /// Items among the statements are filed under the block the macro stands in.
    fn macro_stmts(&mut self, stmts: &[SynStmt], at: Range) -> Block {
        self.stmts(stmts, at)
    }

    /// The expressions among tokens that are no known grammar: the pieces between separators that parse, and of those
    /// that do not, what is inside their brackets.
    fn pieces(&mut self, tokens: TokenStream, found: &mut Vec<Expr>) {
        let mut piece = Vec::new();
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let TokenTree::Punct(mark) = &token else {
                piece.push(token);
                continue;
            };
            let arrow = mark.as_char() == '=' && mark.spacing() == Spacing::Joint && is_mark(tokens.peek(), '>');
            if arrow {
                tokens.next();
            }
            if arrow || matches!(mark.as_char(), ',' | ';') {
                self.piece(std::mem::take(&mut piece), found);
            } else {
                piece.push(token);
            }
        }
        self.piece(piece, found);
    }

    fn piece(&mut self, piece: Vec<TokenTree>, found: &mut Vec<Expr>) {
        let Some((first, last)) = piece.first().zip(piece.last()) else { return };
        let at = self.between(first.span(), last.span());
        let Some(left) = self.fuel.checked_sub((at.end - at.start) as usize) else { return };
        self.fuel = left;
        let stream: TokenStream = piece.iter().cloned().collect();
        if let Ok(expr) = syn::parse2::<syn::Expr>(stream.clone()) {
            found.push(self.expr(&expr));
            return;
        }
        for token in piece {
            if let TokenTree::Group(group) = token {
                self.pieces(group.stream(), found);
            }
        }
    }
}

/// Their tokens are the code of another program.
const QUOTES: [&str; 5] = ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned", "stringify"];

fn is_mark(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == expected)
}
