//! Macros called where an item, or a member of a trait or impl, may stand.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{ImplItem, Item, Token, TraitItem};

use super::functions::Home;
use super::tree::ItemMacro;
use super::{Lowering, attrs, features, name, path_names};
use crate::span::Range;

impl Lowering {
    pub fn item_macro(&mut self, call: &syn::ItemMacro) {
        let at = self.join(self.path_range(None, &call.mac.path), self.at(call.mac.delimiter.span().close()));
        if let Some(defined) = &call.ident {
            let defined = name(defined);
            let condition = attrs::condition(&call.attrs);
            let built = condition.is_none_or(|condition| features::holds(&condition, &self.features) != Some(false));
            if built || !self.definitions.is_here(&defined) {
                self.define(&defined, &call.mac.tokens);
            }
            return;
        }
        let tokens = self.inner_range(call.mac.delimiter.span());
        let scope = self.scope.clone();
        self.tree.macros.push(ItemMacro { scope, path: path_names(&call.mac.path), tokens, at });
        if !self.may_parse(&call.mac.tokens, tokens) {
            return;
        }
        if !self.expanded_items(&call.mac, at) {
            self.items_among(call.mac.tokens.clone(), tokens);
        }
    }

    pub fn member_macro(&mut self, call: &syn::Macro, home: Home) {
        let tokens = self.inner_range(call.delimiter.span());
        let at = self.join(self.path_range(None, &call.path), self.at(call.delimiter.span().close()));
        if !self.may_parse(&call.tokens, tokens) || self.expanded_members(call, home, at) {
            return;
        }
        self.members(call.tokens.clone(), home);
    }

    /// Files tokens that are members throughout; says whether they were.
    pub fn members(&mut self, tokens: TokenStream, home: Home) -> bool {
        match home {
            Home::Impl(index) => {
                let Ok(members) = all_of::<ImplItem>.parse2(tokens) else { return false };
                members.iter().for_each(|member| self.impl_member(member, index));
            }
            Home::Trait(index) => {
                let Ok(members) = all_of::<TraitItem>.parse2(tokens) else { return false };
                members.iter().for_each(|member| self.trait_member(member, index, true));
            }
            Home::Module => return false,
        }
        true
    }

    /// Files the items that stand among a macro's tokens, at any level of braces: `cfg_if!` has them in arms.
    pub fn items_among(&mut self, tokens: TokenStream, at: Range) {
        let Ok((items, others)) = items_and_others.parse2(tokens) else { return };
        self.items(&items);
        for inner in others {
            let Some(left) = self.fuel.checked_sub((at.end - at.start) as usize / 4) else { return };
            self.fuel = left;
            self.items_among(inner, at);
        }
    }
}

fn all_of<T: syn::parse::Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        found.push(input.parse()?);
    }
    Ok(found)
}

/// The items at the top level, and the braces between them.
fn items_and_others(input: ParseStream<'_>) -> syn::Result<(Vec<Item>, Vec<TokenStream>)> {
    let (mut items, mut braces) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        if begins_item(input) {
            let ahead = input.fork();
            match ahead.parse::<Item>() {
                Ok(item) if !matches!(item, Item::Verbatim(_)) => {
                    input.advance_to(&ahead);
                    items.push(item);
                    continue;
                }
                _ => {}
            }
        }
        match input.parse::<TokenTree>()? {
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => {
                braces.push(group.stream())
            }
            _ => {}
        }
    }
    Ok((items, braces))
}

fn begins_item(input: ParseStream<'_>) -> bool {
    input.peek(Token![#])
        || input.peek(Token![pub])
        || input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![struct])
        || input.peek(Token![enum])
        || input.peek(Token![impl])
        || input.peek(Token![trait])
        || input.peek(Token![mod])
        || input.peek(Token![use])
        || input.peek(Token![type])
        || input.peek(Token![const])
        || input.peek(Token![static])
}
