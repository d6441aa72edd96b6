//! Functions, and the members of traits and impls.

use syn::{FnArg, ImplItem, ReceiverKind, Signature, TraitItem};

use super::pattern::single;
use super::tree::{Function, Name, Param, Ty};
use super::{Lowering, attrs, is_public, name, start_of_visibility};
use crate::span::Range;

/// Where a function stands.
#[derive(Clone, Copy, PartialEq)]
pub enum Home {
    Module,
    Impl(u32),
    Trait(u32),
}

/// A function as syn has it, wherever it stands.
struct Written<'a> {
    attrs: &'a [syn::Attribute],
    sig: &'a Signature,
    body: Option<&'a syn::Block>,
    public: bool,
    at: Range,
    home: Home,
}

fn is_lent(this: &ReceiverKind) -> bool {
    matches!(this, ReceiverKind::Reference(_, _, Some(_)))
}

impl Lowering {
    pub fn free_function(&mut self, function: &syn::ItemFn) {
        let at = self.function_range(&function.vis, &function.sig, function.block.brace_token.span.close());
        self.function(Written {
            attrs: &function.attrs,
            sig: &function.sig,
            body: Some(&function.block),
            public: is_public(&function.vis),
            at,
            home: Home::Module,
        });
    }

    pub fn impl_member(&mut self, member: &ImplItem, index: u32) {
        match member {
            ImplItem::Fn(function) => {
                let at = self.function_range(&function.vis, &function.sig, function.block.brace_token.span.close());
                self.function(Written {
                    attrs: &function.attrs,
                    sig: &function.sig,
                    body: Some(&function.block),
                    public: is_public(&function.vis),
                    at,
                    home: Home::Impl(index),
                });
            }
            ImplItem::Type(assoc) => {
                let ty = self.ty(&assoc.ty);
                if let Some(def) = self.tree.impls.get_mut(index as usize) {
                    def.types.push((name(&assoc.ident), ty));
                }
            }
            ImplItem::Const(def) => {
                let first = start_of_visibility(&def.vis).unwrap_or(def.const_token.span);
                let at = self.between(first, def.semi_token.spans[0]);
                self.constant(&def.ident, &def.ty, Some(&def.expr), at, Some(index));
            }
            ImplItem::Macro(call) => self.member_macro(&call.mac, Home::Impl(index)),
            _ => {}
        }
    }

    pub fn trait_member(&mut self, member: &TraitItem, index: u32, public: bool) {
        match member {
            TraitItem::Fn(function) => {
                let end = match (&function.default, &function.semi_token) {
                    (Some(block), _) => block.brace_token.span.close(),
                    (None, Some(semi)) => semi.spans[0],
                    (None, None) => function.sig.paren_token.span.close(),
                };
                let at = self.function_range(&syn::Visibility::Inherited, &function.sig, end);
                self.function(Written {
                    attrs: &function.attrs,
                    sig: &function.sig,
                    body: function.default.as_ref(),
                    public,
                    at,
                    home: Home::Trait(index),
                });
            }
            TraitItem::Const(def) => {
                let at = self.between(def.const_token.span, def.semi_token.spans[0]);
                self.constant(&def.ident, &def.ty, def.default.as_ref().map(|(_, value)| value), at, None);
            }
            TraitItem::Macro(call) => self.member_macro(&call.mac, Home::Trait(index)),
            _ => {}
        }
    }

    fn function_range(&self, visibility: &syn::Visibility, sig: &Signature, end: proc_macro2::Span) -> Range {
        let safety = match &sig.safety {
            syn::Safety::Safe(word) => Some(word.span),
            syn::Safety::Unsafe(word) => Some(word.span),
            syn::Safety::Default => None,
        };
        let first = start_of_visibility(visibility)
            .or(sig.constness.as_ref().map(|word| word.span))
            .or(sig.asyncness.as_ref().map(|word| word.span))
            .or(safety)
            .or(sig.abi.as_ref().map(|abi| abi.extern_token.span))
            .unwrap_or(sig.fn_token.span);
        self.between(first, end)
    }

    fn function(&mut self, written: Written<'_>) {
        let sig = written.sig;
        let name = name(&sig.ident);
        let (in_impl, in_trait, segment) = match written.home {
            Home::Module => (None, None, name.clone()),
            Home::Impl(index) => (Some(index), None, Name::from(format!("{name}#{index}"))),
            Home::Trait(index) => (None, Some(index), Name::from(format!("{name}#t{index}"))),
        };
        let test = self.test || attrs::are_test(written.attrs);
        let (receiver, params) = self.inputs(sig);
        // The function stands before the items of its body in the list, so its place is taken first.
        let place = self.tree.functions.len();
        let function = Function {
            scope: self.scope.clone(),
            name,
            in_impl,
            in_trait,
            generics: self.generics(&sig.generics),
            params,
            receiver,
            changes_self: matches!(sig.inputs.first(), Some(FnArg::Receiver(this)) if is_lent(&this.kind)),
            ret: self.return_ty(&sig.output),
            is_async: sig.asyncness.is_some(),
            public: written.public,
            attrs: attrs::attrs(written.attrs),
            test,
            body: None,
            name_at: self.at(sig.ident.span()),
            at: written.at,
        };
        self.tree.functions.push(function);
        let outer_test = std::mem::replace(&mut self.test, test);
        let outer_body = self.body.replace(segment);
        let body = written.body.map(|block| self.block_expr(block));
        self.body = outer_body;
        self.test = outer_test;
        if let Some(function) = self.tree.functions.get_mut(place) {
            function.body = body;
        }
    }

    fn inputs(&mut self, sig: &Signature) -> (Option<Ty>, Vec<Param>) {
        let mut receiver = None;
        let mut params = Vec::new();
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(written) => {
                    let this = Ty::Path(single(Name::new_static("Self")));
                    receiver = Some(match &written.kind {
                        ReceiverKind::Reference(..) => Ty::Ref(Box::new(this)),
                        ReceiverKind::Typed(_, ty) => self.ty(ty),
                        _ => this,
                    });
                }
                FnArg::Typed(param) => {
                    let (pat, ty) = (self.pat(&param.pat), self.ty(&param.ty));
                    let at = self.at(syn::spanned::Spanned::span(param));
                    let lent = matches!(&*param.ty, syn::Type::Reference(ty) if ty.mutability.is_some());
                    params.push(Param { pat, ty, lent, at });
                }
            }
        }
        (receiver, params)
    }
}
