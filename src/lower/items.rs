//! Items: what a module holds.

use proc_macro2::Span;
use syn::{Fields, Item, UseTree};

use super::tree::{Const, Field, ImplDef, ModuleDecl, Name, TraitDef, Ty, TypeDef, TypeKind, Use, Variant};
use super::{DEPTH, Lowering, attrs, is_public, name, start_of_visibility};
use crate::span::Range;

impl Lowering {
    pub fn items(&mut self, written: &[Item]) {
        for item in written {
            self.item(item);
        }
    }

    pub fn item(&mut self, written: &Item) {
        if self.depth >= DEPTH {
            self.tree.unknowns.push((Range::default(), "nested too deeply".to_owned()));
            return;
        }
        self.depth += 1;
        self.item_within(written);
        self.depth -= 1;
    }

    fn item_within(&mut self, written: &Item) {
        match written {
            Item::Use(line) => self.use_line(line),
            Item::Fn(function) => self.free_function(function),
            Item::Struct(def) => self.struct_def(def),
            Item::Union(def) => {
                let end = def.fields.brace_token.span.close();
                let at = self.def_range(&def.vis, def.union_token.span, end);
                let fields = self.fields(&Fields::Named(def.fields.clone()));
                self.type_def(&def.ident, &def.generics, &def.attrs, TypeKind::Struct(fields), at);
            }
            Item::Enum(def) => self.enum_def(def),
            Item::Type(def) => {
                let at = self.def_range(&def.vis, def.type_token.span, def.semi_token.spans[0]);
                let kind = TypeKind::Alias(self.ty(&def.ty));
                self.type_def(&def.ident, &def.generics, &def.attrs, kind, at);
            }
            Item::Trait(def) => self.trait_def(def),
            Item::Impl(block) => self.impl_block(block),
            Item::Const(def) => {
                let at = self.def_range(&def.vis, def.const_token.span, def.semi_token.spans[0]);
                self.constant(&def.ident, &def.ty, Some(&def.expr), at, None);
            }
            Item::Static(def) => {
                let at = self.def_range(&def.vis, def.static_token.span, def.semi_token.spans[0]);
                self.constant(&def.ident, &def.ty, Some(&def.expr), at, None);
            }
            Item::Mod(module) => self.module(module),
            Item::Macro(call) => self.item_macro(call),
            Item::Verbatim(tokens) => {
                let first = tokens.clone().into_iter().next();
                let at = first.map_or_else(Range::default, |token| self.at(token.span()));
                self.tree.unknowns.push((at, "unstable item".to_owned()));
            }
            // `extern crate` names no path that a `use` could not, foreign functions reach no database, and a trait
            // alias has no functions.
            _ => {}
        }
    }

    /// Takes what these attributes say about tests; returns what held before, to be put back.
    fn enter(&mut self, attributes: &[syn::Attribute]) -> bool {
        let outer = self.test;
        self.test = outer || attrs::are_test(attributes);
        outer
    }

    fn def_range(&self, visibility: &syn::Visibility, word: Span, end: Span) -> Range {
        self.between(start_of_visibility(visibility).unwrap_or(word), end)
    }

    fn use_line(&mut self, line: &syn::ItemUse) {
        let mut path = Vec::new();
        if line.leading_colon.is_some() {
            path.push(Name::default());
        }
        self.use_tree(&line.tree, &mut path, is_public(&line.vis));
    }

    fn use_tree(&mut self, tree: &UseTree, path: &mut Vec<Name>, public: bool) {
        let depth = path.len();
        let (known_as, glob) = match tree {
            UseTree::Path(step) => {
                path.push(name(&step.ident));
                self.use_tree(&step.tree, path, public);
                path.truncate(depth);
                return;
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, path, public);
                }
                return;
            }
            UseTree::Name(leaf) => {
                let leaf = name(&leaf.ident);
                // `a::{self}` is `a`.
                if leaf == "self" && depth > 0 {
                    (path.last().cloned().unwrap_or_default(), false)
                } else {
                    path.push(leaf.clone());
                    (leaf, false)
                }
            }
            UseTree::Rename(leaf) => {
                if leaf.ident != "self" || depth == 0 {
                    path.push(name(&leaf.ident));
                }
                (name(&leaf.rename), false)
            }
            UseTree::Glob(_) => (Name::default(), true),
        };
        let scope = self.scope.clone();
        self.tree.uses.push(Use { scope, path: path.clone(), name: known_as, glob, public });
        path.truncate(depth);
    }

    fn struct_def(&mut self, def: &syn::ItemStruct) {
        let end = match (&def.fields, &def.semi_token) {
            (_, Some(semi)) => semi.spans[0],
            (Fields::Named(named), _) => named.brace_token.span.close(),
            _ => def.ident.span(),
        };
        let at = self.def_range(&def.vis, def.struct_token.span, end);
        let fields = self.fields(&def.fields);
        self.type_def(&def.ident, &def.generics, &def.attrs, TypeKind::Struct(fields), at);
    }

    fn enum_def(&mut self, def: &syn::ItemEnum) {
        let at = self.def_range(&def.vis, def.enum_token.span, def.brace_token.span.close());
        let mut variants = Vec::new();
        for variant in &def.variants {
            let fields = self.fields(&variant.fields);
            variants.push(Variant { name: name(&variant.ident), fields, attrs: attrs::attrs(&variant.attrs) });
        }
        self.type_def(&def.ident, &def.generics, &def.attrs, TypeKind::Enum(variants), at);
    }

    fn type_def(
        &mut self,
        ident: &syn::Ident,
        generics: &syn::Generics,
        attributes: &[syn::Attribute],
        kind: TypeKind,
        at: Range,
    ) {
        let generics = self.generics(generics);
        let scope = self.scope.clone();
        let attrs = attrs::attrs(attributes);
        self.tree.types.push(TypeDef { scope, name: name(ident), generics, attrs, kind, at });
    }

    fn fields(&mut self, fields: &Fields) -> Vec<Field> {
        let mut lowered = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            let name = field.ident.as_ref().map_or_else(|| Name::from(index.to_string()), name);
            lowered.push(Field { name, ty: self.ty(&field.ty), attrs: attrs::attrs(&field.attrs) });
        }
        lowered
    }

    fn trait_def(&mut self, def: &syn::ItemTrait) {
        let word = def.unsafety.as_ref().map_or(def.trait_token.span, |word| word.span);
        let at = self.def_range(&def.vis, word, def.brace_token.span.close());
        let index = self.tree.traits.len() as u32;
        let generics = self.generics(&def.generics);
        let mut bounds = self.bounds(&def.supertraits);
        bounds.extend(self.bounds_of_self(&def.generics));
        let (scope, attrs) = (self.scope.clone(), attrs::attrs(&def.attrs));
        let types = def.items.iter().filter_map(|member| match member {
            syn::TraitItem::Type(ty) => Some((name(&ty.ident), self.bounds(&ty.bounds))),
            _ => None,
        });
        let types = types.collect();
        self.tree.traits.push(TraitDef { scope, name: name(&def.ident), generics, bounds, types, attrs, at });
        let test = self.enter(&def.attrs);
        for member in &def.items {
            self.trait_member(member, index, is_public(&def.vis));
        }
        self.test = test;
    }

    fn impl_block(&mut self, block: &syn::ItemImpl) {
        let word = block.unsafety.as_ref().map_or(block.impl_token.span, |word| word.span);
        let at = self.between(word, block.brace_token.span.close());
        let test = self.enter(&block.attrs);
        let index = self.tree.impls.len() as u32;
        let def = ImplDef {
            scope: self.scope.clone(),
            generics: self.generics(&block.generics),
            of_trait: block.trait_.as_ref().map(|(path, _)| Ty::Path(self.ty_path(None, path))),
            self_ty: self.ty(&block.self_ty),
            types: Vec::new(),
            attrs: attrs::attrs(&block.attrs),
            test: self.test,
            at,
        };
        self.tree.impls.push(def);
        for member in &block.items {
            self.impl_member(member, index);
        }
        self.test = test;
    }

    pub fn constant(
        &mut self,
        ident: &syn::Ident,
        ty: &syn::Type,
        value: Option<&syn::Expr>,
        at: Range,
        in_impl: Option<u32>,
    ) {
        let name = name(ident);
        let ty = self.ty(ty);
        let body = self.body.replace(name.clone());
        let filed_here = self.filed_here;
        let value = value.map(|value| self.expr(value));
        self.body = body;
        self.filed_here = filed_here;
        let scope = self.scope.clone();
        self.tree.consts.push(Const { scope, in_impl, name, ty, value, at });
    }

    fn module(&mut self, module: &syn::ItemMod) {
        let test = self.enter(&module.attrs);
        let name = name(&module.ident);
        self.tree.modules.push(ModuleDecl {
            scope: self.scope.clone(),
            name: name.clone(),
            path: attrs::path_value(&module.attrs),
            file: module.content.is_none(),
            test: self.test,
        });
        if let Some((_, items)) = &module.content {
            self.scope.push(name);
            self.items(items);
            self.scope.pop();
        }
        self.test = test;
    }
}
