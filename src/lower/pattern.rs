//! Patterns.

use proc_macro2::{TokenStream, TokenTree};
use syn::Pat as SynPat;

use super::tree::{Binding, Name, Pat, Segment, Ty, TyPath};
use super::{DEPTH, Lowering, name};
use crate::span::Range;

impl Lowering {
    pub fn pat(&mut self, written: &SynPat) -> Pat {
        if self.depth >= DEPTH {
            return Pat::Other;
        }
        self.depth += 1;
        let lowered = self.pat_within(written);
        self.depth -= 1;
        lowered
    }

    /// A pattern and the type that is written with it, as closures and `let` have it.
    pub fn typed_pat(&mut self, written: &SynPat) -> (Pat, Option<Ty>) {
        match written {
            SynPat::Type(typed) => (self.pat(&typed.pat), Some(self.ty(&typed.ty))),
            other => (self.pat(other), None),
        }
    }

    fn pat_within(&mut self, written: &SynPat) -> Pat {
        match written {
            SynPat::Wild(_) => Pat::Wild,
            SynPat::Rest(_) => Pat::Rest,
            SynPat::Ident(bound) => self.binding(bound),
            SynPat::Tuple(tuple) => Pat::Tuple(self.pats(&tuple.elems)),
            SynPat::TupleStruct(call) => {
                Pat::TupleStruct(self.ty_path(call.qself.as_ref(), &call.path), self.pats(&call.elems))
            }
            SynPat::Struct(fields) => self.struct_pat(fields),
            SynPat::Path(path) => Pat::Path(self.ty_path(path.qself.as_ref(), &path.path)),
            SynPat::Lit(lit) => Pat::Lit(self.expr(&syn::Expr::Lit(lit.clone()))),
            SynPat::Const(block) => Pat::Lit(self.expr(&syn::Expr::Const(block.clone()))),
            SynPat::Range(range) => Pat::Range(self.range_pat(range)),
            SynPat::Or(or) => Pat::Or(or.cases.iter().map(|case| self.pat(case)).collect()),
            SynPat::Slice(slice) => Pat::Slice(self.pats(&slice.elems)),
            SynPat::Reference(reference) => Pat::Ref(Box::new(self.pat(&reference.pat))),
            SynPat::Paren(paren) => self.pat(&paren.pat),
            SynPat::Guard(guarded) => self.pat(&guarded.pat),
            SynPat::Type(typed) => self.pat(&typed.pat),
            SynPat::Verbatim(tokens) => self.box_pat(tokens.clone()),
            _ => Pat::Other,
        }
    }

    fn pats(&mut self, written: &syn::punctuated::Punctuated<SynPat, syn::Token![,]>) -> Vec<Pat> {
        written.iter().map(|elem| self.pat(elem)).collect()
    }

    fn binding(&mut self, bound: &syn::PatIdent) -> Pat {
        let plain = bound.by_ref.is_none() && bound.mutability.is_none() && bound.subpat.is_none();
        let bound_name = name(&bound.ident);
        // By convention a variable begins in lower case, so this is a unit variant or a constant.
        if plain && bound_name.chars().next().is_some_and(char::is_uppercase) {
            return Pat::Path(single(bound_name));
        }
        let sub = bound.subpat.as_ref().map(|(_, sub)| Box::new(self.pat(sub)));
        let binding = Binding { at: self.at(bound.ident.span()), changeable: bound.mutability.is_some() };
        Pat::Bind(bound_name, sub, binding)
    }

    fn struct_pat(&mut self, written: &syn::PatStruct) -> Pat {
        let path = self.ty_path(written.qself.as_ref(), &written.path);
        let mut fields = Vec::new();
        for field in &written.fields {
            fields.push((self.member(&field.member).0, self.pat(&field.pat)));
        }
        Pat::Struct(path, fields)
    }

    fn range_pat(&mut self, range: &syn::PatRange) -> Range {
        let limits = match &range.limits {
            syn::RangeLimits::HalfOpen(dots) => self.join(self.at(dots.spans[0]), self.at(dots.spans[1])),
            syn::RangeLimits::Closed(dots) => self.join(self.at(dots.spans[0]), self.at(dots.spans[2])),
        };
        let start = range.start.as_ref().map_or(limits, |start| self.expr(start).at);
        let end = range.end.as_ref().map_or(limits, |end| self.expr(end).at);
        self.join(start, end)
    }

    /// `box pat`, which syn keeps as tokens.
    fn box_pat(&mut self, tokens: TokenStream) -> Pat {
        let mut tokens = tokens.into_iter();
        match tokens.next() {
            Some(TokenTree::Ident(keyword)) if keyword == "box" => {}
            _ => return Pat::Other,
        }
        match syn::parse::Parser::parse2(SynPat::parse_single, tokens.collect()) {
            Ok(inner) => self.pat(&inner),
            Err(_) => Pat::Other,
        }
    }
}

/// A path of one name.
pub fn single(name: Name) -> TyPath {
    TyPath { qself: None, segments: vec![Segment { name, args: Vec::new(), bindings: Vec::new() }] }
}
