//! Calls of macros that the package, or another package of the workspace, defines with `macro_rules!`, replaced by what
//! the definition makes of them.
//!
//! Finders and inserters are often made by such a macro. Only what is simple is expanded: the common fragments and
//! repetitions, without hygiene. Tokens of the call keep their place in the call, tokens of the definition theirs,
//! unless it is in another file: then they have that of the call.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use rustc_hash::FxHashMap;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};

use super::functions::Home;
use super::rules::{self, Matcher, Piece, Repeat, Rule};
use super::tree::{MacroBody, Name};
use super::{Callable, Lowering, name, nesting};
use crate::span::Range;

/// Macros by name; a later definition hides an earlier one. None where the rules are not of the kind that is expanded.
#[derive(Default)]
pub struct Definitions {
    own: FxHashMap<Name, Definition>,
    /// Those of other packages.
    others: FxHashMap<(Name, Name), Definition>,
}

/// The macro that a call means: its name, and for one of another package that package's.
enum Meant {
    Own(Name),
    Other(Name, Name),
}

enum Definition {
    Own(Option<Vec<Rule>>),
    /// Rules as text, which are read when the macro is called.
    Unread(String),
    Foreign(Option<Vec<Rule>>),
}

impl Definitions {
    /// The macros of other files that code can come to call.
    pub fn foreign(callable: &Callable<'_>, code: &str) -> Self {
        let mut all = Self::default();
        for (krate, definition) in callable.by(code) {
            let unread = Definition::Unread(definition.rules.clone());
            match krate {
                None => all.own.insert(definition.name.clone(), unread),
                Some(krate) => all.others.insert((krate.clone(), definition.name.clone()), unread),
            };
        }
        all
    }

    /// Whether the file itself has defined a macro of that name by now.
    pub fn is_here(&self, name: &Name) -> bool {
        matches!(self.own.get(name), Some(Definition::Own(_)))
    }

    /// The rules of a macro, and whether they are another file's.
    fn rules(&mut self, meant: &Meant) -> Option<(&[Rule], bool)> {
        let definition = match meant {
            Meant::Own(name) => self.own.get_mut(name)?,
            Meant::Other(krate, name) => self.others.get_mut(&(krate.clone(), name.clone()))?,
        };
        if let Definition::Unread(text) = definition {
            *definition = Definition::Foreign(TokenStream::from_str(text).ok().and_then(rules::rules));
        }
        match definition {
            Definition::Own(rules) => Some((rules.as_deref()?, false)),
            Definition::Foreign(rules) => Some((rules.as_deref()?, true)),
            Definition::Unread(_) => None,
        }
    }
}

/// How many expansions may stand inside each other: a macro that calls itself stops here.
const DEPTH: u32 = 8;

/// The most tokens that one call may become.
const TOKENS: usize = 16 << 10;

/// What a token costs of the file's allowance for parsing macros.
const COST: usize = 4;

impl Lowering {
    /// Keeps a definition for later calls, where its rules are of the kind that is expanded.
    pub fn define(&mut self, defined: &Name, body: &TokenStream) {
        self.definitions.own.insert(defined.clone(), Definition::Own(rules::rules(body.clone())));
    }

    pub fn expanded_body(&mut self, call: &syn::Macro, at: Range) -> Option<MacroBody> {
        let tokens = self.expansion(call)?;
        let stmts = syn::Block::parse_within.parse2(tokens).ok()?;
        Some(self.inside_expansion(at, |lowering| lowering.stmts_or_items(&stmts, at)))
    }

    /// Files what a call becomes where items may stand; says whether it was expanded.
    pub fn expanded_items(&mut self, call: &syn::Macro, at: Range) -> bool {
        let Some(tokens) = self.expansion(call) else { return false };
        let Ok(file) = syn::parse2::<syn::File>(tokens) else { return false };
        self.inside_expansion(at, |lowering| lowering.items(&file.items));
        true
    }

    /// The same for members of a trait or impl.
    pub fn expanded_members(&mut self, call: &syn::Macro, home: Home, at: Range) -> bool {
        let Some(tokens) = self.expansion(call) else { return false };
        self.inside_expansion(at, |lowering| lowering.members(tokens, home))
    }

    fn inside_expansion<T>(&mut self, at: Range, walk: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.expanding;
        self.expanding = outer.or(Some(at));
        self.expansions += 1;
        let walked = walk(self);
        self.expansions -= 1;
        self.expanding = outer;
        walked
    }

    fn expansion(&mut self, call: &syn::Macro) -> Option<TokenStream> {
        let called = name(&call.path.segments.last()?.ident);
        if self.expansions >= DEPTH {
            return None;
        }
        let meant = self.meant(&call.path, called)?;
        let (rules, foreign) = self.definitions.rules(&meant)?;
        let (rule, bound) = rules.iter().find_map(|rule| {
            let bind = |input: ParseStream<'_>| {
                let mut bound = Bindings::default();
                matched(&rule.pattern, input, &mut bound)?;
                Ok(bound)
            };
            Some((rule, bind.parse2(call.tokens.clone()).ok()?))
        })?;
        let mut left = TOKENS.min(self.fuel / COST);
        let allowed = left;
        let bound = bound.iter().collect();
        let place = foreign.then(|| whole_call(call));
        let krate = if let Meant::Other(krate, _) = &meant { Some(krate) } else { None };
        let expansion = Template { bound, place, krate }.transcribed(&rule.template, &mut left);
        self.fuel -= (allowed - left) * COST;
        let expansion: TokenStream = expansion?.into_iter().collect();
        nesting::check(&expansion).ok()?;
        Some(expansion)
    }

    /// Which macro a call may mean, by its path and by what the file imports under its name; none for paths into modules
    /// of other packages.
    fn meant(&self, path: &syn::Path, called: Name) -> Option<Meant> {
        let own = |first: &str| matches!(first, "crate" | "self" | "super");
        let first = name(&path.segments.first()?.ident);
        match path.segments.len() {
            1 => {
                let imported = self.tree.uses.iter().find(|line| {
                    line.name == called && line.path.len() > 1 && line.path.first().is_some_and(|first| !own(first))
                });
                let Some(line) = imported.filter(|_| !self.definitions.is_here(&called)) else {
                    return Some(Meant::Own(called));
                };
                let [krate, last] = line.path.as_slice() else { return None };
                Some(Meant::Other(krate.clone(), last.clone()))
            }
            _ if own(&first) => Some(Meant::Own(called)),
            2 => Some(Meant::Other(first, called)),
            _ => None,
        }
    }
}

/// The span from a call's path to its closing bracket.
fn whole_call(call: &syn::Macro) -> Span {
    let close = call.delimiter.span().close();
    let first = call.path.segments.first().map_or(close, |first| first.ident.span());
    first.join(close).unwrap_or(close)
}

/// What a fragment stands for, or one of that for each round of a repetition.
enum Bound {
    One(Vec<TokenTree>),
    Many(Vec<Bound>),
}

type Bindings = FxHashMap<Name, Bound>;

fn matched(pattern: &[Matcher], input: ParseStream<'_>, bound: &mut Bindings) -> syn::Result<()> {
    for matcher in pattern {
        match matcher {
            Matcher::Token(expected) => {
                let found: TokenTree = input.parse()?;
                if found.to_string() != expected.to_string() {
                    return Err(input.error("another token"));
                }
            }
            Matcher::Bracket(delimiter, inner) => {
                let TokenTree::Group(group) = input.parse()? else { return Err(input.error("no bracket")) };
                if group.delimiter() != *delimiter {
                    return Err(input.error("another bracket"));
                }
                let within = |input: ParseStream<'_>| matched(inner, input, bound);
                within.parse2(group.stream())?;
            }
            Matcher::Fragment(name, kind) => {
                let tokens = fragment(kind, input)?;
                bound.insert(name.clone(), Bound::One(tokens));
            }
            Matcher::Repeat(repeat) => rounds(repeat, input, bound)?,
        }
    }
    Ok(())
}

fn rounds(repeat: &Repeat<Matcher>, input: ParseStream<'_>, bound: &mut Bindings) -> syn::Result<()> {
    let mut names = Vec::new();
    rules::bound_names(&repeat.inner, &mut names);
    let mut collected: Vec<(Name, Vec<Bound>)> = names.into_iter().map(|name| (name, Vec::new())).collect();
    let mut count = 0;
    let most = if repeat.at_most_one { 1 } else { usize::MAX };
    while !input.is_empty() && count < most {
        let ahead = input.fork();
        if let Some(separator) = repeat.separator.as_ref().filter(|_| count > 0) {
            let found: TokenTree = ahead.parse()?;
            if found.to_string() != separator.to_string() {
                break;
            }
        }
        let mut round = Bindings::default();
        // A round that takes nothing would be taken for ever.
        if matched(&repeat.inner, &ahead, &mut round).is_err() || ahead.cursor() == input.cursor() {
            break;
        }
        input.advance_to(&ahead);
        for (name, each) in &mut collected {
            each.extend(round.remove(name));
        }
        count += 1;
    }
    if repeat.at_least_one && count == 0 {
        return Err(input.error("no round of the repetition"));
    }
    bound.extend(collected.into_iter().map(|(name, each)| (name, Bound::Many(each))));
    Ok(())
}

fn fragment(kind: &str, input: ParseStream<'_>) -> syn::Result<Vec<TokenTree>> {
    let ahead = input.fork();
    match kind {
        "ident" => drop(ahead.call(syn::Ident::parse_any)?),
        "tt" if ahead.peek(syn::Lifetime) => drop(ahead.parse::<syn::Lifetime>()?),
        "tt" => drop(ahead.parse::<TokenTree>()?),
        "literal" => {
            ahead.parse::<Option<syn::Token![-]>>()?;
            ahead.parse::<syn::Lit>()?;
        }
        "expr" | "expr_2021" => return expr_fragment(input),
        "pat" => drop(ahead.call(syn::Pat::parse_multi_with_leading_vert)?),
        "pat_param" => drop(ahead.call(syn::Pat::parse_single)?),
        "ty" => skip::<syn::Type>(&ahead)?,
        "path" => skip::<syn::Path>(&ahead)?,
        "block" => skip::<syn::Block>(&ahead)?,
        "stmt" => skip::<syn::Stmt>(&ahead)?,
        "item" => skip::<syn::Item>(&ahead)?,
        "vis" => skip::<syn::Visibility>(&ahead)?,
        "meta" => skip::<syn::Meta>(&ahead)?,
        "lifetime" => skip::<syn::Lifetime>(&ahead)?,
        _ => return Err(input.error("unknown fragment")),
    }
    taken(input, &ahead)
}

/// An expression stays one where it is put in: brackets that nobody sees keep `a + b` together beside a `*`.
fn expr_fragment(input: ParseStream<'_>) -> syn::Result<Vec<TokenTree>> {
    let ahead = input.fork();
    skip::<syn::Expr>(&ahead)?;
    let tokens = taken(input, &ahead)?;
    let [first, .., last] = tokens.as_slice() else { return Ok(tokens) };
    let span = first.span().join(last.span()).unwrap_or_else(|| first.span());
    let mut group = Group::new(Delimiter::None, tokens.into_iter().collect());
    group.set_span(span);
    Ok(vec![TokenTree::Group(group)])
}

fn skip<T: Parse>(ahead: ParseStream<'_>) -> syn::Result<()> {
    ahead.parse::<T>().map(drop)
}

/// The tokens up to where `ahead` has read.
fn taken(input: ParseStream<'_>, ahead: ParseStream<'_>) -> syn::Result<Vec<TokenTree>> {
    let mut tokens = Vec::new();
    while input.cursor() != ahead.cursor() && !input.is_empty() {
        tokens.push(input.parse()?);
    }
    Ok(tokens)
}

/// What a template is filled with.
#[derive(Clone)]
struct Template<'b> {
    bound: FxHashMap<&'b Name, &'b Bound>,
    /// The place of the template's own tokens, where they have none in this file.
    place: Option<Span>,
    /// What `$crate` means, in another package than the one that is called so.
    krate: Option<&'b Name>,
}

impl Template<'_> {
    /// The template with its variables put in; none where it does not fit what was bound, or when `left` is used up.
    fn transcribed(&self, template: &[Piece], left: &mut usize) -> Option<Vec<TokenTree>> {
        let mut tokens = Vec::new();
        for piece in template {
            let start = tokens.len();
            match piece {
                Piece::Token(token) => tokens.push(self.placed(token)),
                Piece::Bracket(delimiter, span, inner) => {
                    let inner = self.transcribed(inner, left)?;
                    let mut group = Group::new(*delimiter, inner.into_iter().collect());
                    group.set_span(self.place.unwrap_or(*span));
                    tokens.push(TokenTree::Group(group));
                }
                Piece::Variable(name) => match self.bound.get(name)? {
                    Bound::One(found) => tokens.extend(found.iter().cloned()),
                    Bound::Many(_) => return None,
                },
                Piece::Repeat(repeat) => {
                    self.repeated(repeat, left, &mut tokens)?;
                    continue;
                }
            }
            *left = left.checked_sub(tokens.len() - start)?;
        }
        Some(tokens)
    }

    fn repeated(&self, repeat: &Repeat<Piece>, left: &mut usize, tokens: &mut Vec<TokenTree>) -> Option<()> {
        let mut names = Vec::new();
        used_names(&repeat.inner, &mut names);
        let rounds = names.iter().filter_map(|name| match self.bound.get(name)? {
            Bound::Many(each) => Some(each.len()),
            Bound::One(_) => None,
        });
        for round in 0..rounds.max()? {
            let mut inner = self.clone();
            for name in &names {
                if let Some((name, Bound::Many(each))) = self.bound.get_key_value(name) {
                    inner.bound.insert(name, each.get(round)?);
                }
            }
            if let Some(separator) = repeat.separator.as_ref().filter(|_| round > 0) {
                *left = left.checked_sub(1)?;
                tokens.push(self.placed(separator));
            }
            *left = left.checked_sub(1)?;
            tokens.extend(inner.transcribed(&repeat.inner, left)?);
        }
        Some(())
    }

    fn placed(&self, token: &TokenTree) -> TokenTree {
        let mut token = token.clone();
        if let (Some(krate), TokenTree::Ident(written)) = (self.krate, &token)
            && written == "crate"
        {
            token = TokenTree::Ident(Ident::new(krate, written.span()));
        }
        if let Some(place) = self.place {
            token.set_span(place);
        }
        token
    }
}

fn used_names<'a>(template: &'a [Piece], names: &mut Vec<&'a Name>) {
    for piece in template {
        match piece {
            Piece::Token(_) => {}
            Piece::Variable(name) => names.push(name),
            Piece::Bracket(_, _, inner) => used_names(inner, names),
            Piece::Repeat(repeat) => used_names(&repeat.inner, names),
        }
    }
}
