//! syn to [`tree`]: one file's Rust text to plain data.
//!
//! Nothing of syn or proc-macro2 leaves this folder. Spans of proc-macro2 are indices into a table of the current thread,
//! so a file is parsed, lowered and forgotten inside one call of [`lower`], and what comes out has byte ranges instead.
//!
//! Where the tree has a choice, it is made like this:
//! - A path's leading `::` is dropped, except in [`tree::Use`].
//! - `Fn(A) -> B` as a bound is the segment `Fn` with `A` as arguments and `Output = B` as binding.
//! - Parentheses belong to no expression, but a call on a parenthesized receiver begins at the parenthesis.
//! - `yield x` is a call of a function named `yield`; `try { … }` is a block.
//! - A JSON object inside a macro is a struct literal without a path.

mod attrs;
mod blocks;
mod bodies;
mod cfg;
mod definitions;
mod expand;
mod expr;
pub mod features;
mod functions;
mod item_macros;
mod items;
mod macros;
pub mod nesting;
mod pattern;
mod places;
mod rules;
#[cfg(test)]
mod tests;
mod texts;
pub mod tree;
mod types;
pub mod visit;

use std::str::FromStr;

use proc_macro2::{Span, TokenStream};
use smol_str::ToSmolStr;
use syn::Token;

use crate::notice::NoticeKind;
use crate::source::HARD_LIMIT;
use crate::span::{FileId, Range};
use places::{Places, shifted};
use tree::{Expr, ExprKind, FileTree, Lowered, Name, Scope};

pub use definitions::{ByName, Callable, MacroDefinition, Macros, declared_in, macros_of};
pub use texts::{Ddl, ddl_of, makes_tables};

/// The stack that [`lower`] and [`expression`] need, in bytes. Within the limits of [`nesting`] they never need more, in
/// a debug build either; on a smaller stack a hostile file ends the process.
pub const STACK: usize = 64 << 20;

/// The largest file that is lowered, in bytes: the largest that may be asked for. syn takes some three hundred bytes of
/// memory for each byte of source.
pub const SIZE: usize = HARD_LIMIT as usize;

/// Expressions, types and patterns deeper than this are [`ExprKind::Unknown`], so that walks over the tree may recurse.
const DEPTH: u32 = 400;

/// A file that was not lowered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// [`NoticeKind::Limit`] or [`NoticeKind::Syntax`].
    pub kind: NoticeKind,
    pub at: Option<Range>,
    /// Counted from 1.
    pub line: usize,
    /// Lower case, no full stop.
    pub text: String,
}

/// Reads one file's text. Ranges in the result are bytes of `text`, byte order mark and shebang included.
///
/// Fails for text that is not Rust, larger than [`SIZE`], or deeper than [`nesting`] allows. Call it on a thread that has
/// [`STACK`].
pub fn lower(file: FileId, text: &str) -> Result<Lowered, Refused> {
    lower_with(file, text, &Callable::default())
}

/// The same, with the macros of other files that this one may call. Its own definitions win, and what a foreign one
/// makes has the range of the call.
pub fn lower_with(file: FileId, text: &str, foreign: &Callable<'_>) -> Result<Lowered, Refused> {
    if text.len() > SIZE {
        let text = format!("the file has {} bytes, more than {SIZE}", text.len());
        return Err(Refused { kind: NoticeKind::Limit, at: None, line: 1, text });
    }
    let lowered = parse_and_lower(file, text, foreign);
    // Every span is out of use here; without this the thread keeps each file's text.
    proc_macro2::extra::invalidate_current_thread_spans();
    lowered
}

/// Reads one expression; none when it is not one, or when it is beyond the limits of [`lower`]. Ranges are bytes of `text`.
///
/// Call it on a thread that has [`STACK`], and not while that thread is inside [`lower`].
pub fn expression(text: &str) -> Option<Expr> {
    if text.len() > SIZE || text.starts_with(BOM) {
        return None;
    }
    let lowered = TokenStream::from_str(text).ok().and_then(|tokens| {
        nesting::check(&tokens).ok()?;
        let parsed = syn::parse2::<syn::Expr>(tokens).ok()?;
        Some(Lowering::new(text, 0).expr(&parsed))
    });
    proc_macro2::extra::invalidate_current_thread_spans();
    lowered
}

const BOM: char = '\u{feff}';

fn parse_and_lower(file: FileId, text: &str, foreign: &Callable<'_>) -> Result<Lowered, Refused> {
    let offset = code_start(text);
    let code = text.get(offset..).unwrap_or("");
    let place = |span: Span| shifted(span, offset);
    let tokens =
        TokenStream::from_str(code).map_err(|error| refused_syntax(text, place(error.span()), "unexpected token"))?;
    nesting::check(&tokens).map_err(|deep| {
        let at = place(deep.at);
        Refused { kind: NoticeKind::Limit, at: Some(at), line: line_of(text, at), text: deep.what.to_owned() }
    })?;
    let parsed = syn::parse2::<syn::File>(tokens).map_err(|error| {
        let message = error.to_string();
        // The end of the text has no token to point to.
        let at = match place(error.span()) {
            at if at.start == at.end => Range::new(text.len() as u32, text.len() as u32),
            at => at,
        };
        refused_syntax(text, at, &message)
    })?;
    let mut lowering = Lowering::new(code, offset);
    lowering.test = attrs::are_test(&parsed.attrs);
    lowering.definitions = expand::Definitions::foreign(foreign, code);
    lowering.features = foreign.features.to_vec();
    lowering.items(&parsed.items);
    Ok(Lowered { file, tree: lowering.tree })
}

/// How many bytes stand before the code: byte order marks, and a shebang, which ends before its line feed.
fn code_start(text: &str) -> usize {
    let code = text.trim_start_matches(BOM);
    let start = text.len() - code.len();
    let Some(line) = code.strip_prefix("#!") else { return start };
    // `#![attribute]` is no shebang, also with blanks or a comment in between.
    let after = line.trim_start();
    if after.starts_with('[') || after.starts_with("//") || after.starts_with("/*") {
        return start;
    }
    start + code.find('\n').unwrap_or(code.len())
}

fn refused_syntax(text: &str, at: Range, message: &str) -> Refused {
    let mut letters = message.trim_end_matches('.').chars();
    let message = letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default();
    Refused { kind: NoticeKind::Syntax, at: Some(at), line: line_of(text, at), text: message }
}

fn line_of(text: &str, at: Range) -> usize {
    1 + text.bytes().take(at.start as usize).filter(|&byte| byte == b'\n').count()
}

/// What is known while a file is walked.
struct Lowering {
    tree: FileTree,
    places: Places,
    scope: Scope,
    /// The segment under which items of the body that is being walked are filed.
    body: Option<Name>,
    /// A macro filed items in the block that is being walked.
    filed_here: bool,
    /// Under `#[cfg(test)]`.
    test: bool,
    depth: u32,
    /// Bytes of macro bodies that may still be parsed; nested macros are parsed once for each level they stand in.
    fuel: usize,
    definitions: expand::Definitions,
    /// The features that are on where nobody asks for others.
    features: Vec<Name>,
    /// The call whose expansion is being walked.
    expanding: Option<Range>,
    /// How many expansions the walk is inside of.
    expansions: u32,
}

impl Lowering {
    /// In: the code, and how many bytes of the file stand before it.
    fn new(code: &str, offset: usize) -> Self {
        Self {
            tree: FileTree::default(),
            places: Places::new(code, offset),
            scope: Vec::new(),
            body: None,
            filed_here: false,
            test: false,
            depth: 0,
            fuel: 16 * (offset + code.len()) + (256 << 10),
            definitions: expand::Definitions::default(),
            features: Vec::new(),
            expanding: None,
            expansions: 0,
        }
    }

    fn at(&self, span: Span) -> Range {
        self.places.of(span)
    }

    /// The range from one place to another. In an expansion the two may be in the call and in the definition, and then
    /// the call is meant.
    fn join(&self, from: Range, to: Range) -> Range {
        match self.expanding {
            Some(call) if call.contains(from) != call.contains(to) || from == call || to == call => call,
            _ => from.to(to),
        }
    }

    fn unknown(&mut self, at: Range, reason: &str) -> Expr {
        self.tree.unknowns.push((at, reason.to_owned()));
        Expr { kind: Box::new(ExprKind::Unknown(reason.to_owned())), at }
    }
}

/// An identifier without `r#`.
fn name(ident: &syn::Ident) -> Name {
    let text = ident.to_smolstr();
    match text.strip_prefix("r#") {
        Some(plain) => Name::new(plain),
        None => text,
    }
}

/// The names of a path, without arguments and without a leading `::`.
fn path_names(path: &syn::Path) -> Vec<Name> {
    path.segments.iter().map(|segment| name(&segment.ident)).collect()
}

fn is_public(visibility: &syn::Visibility) -> bool {
    !matches!(visibility, syn::Visibility::Inherited)
}

fn start_of_visibility(visibility: &syn::Visibility) -> Option<Span> {
    let (syn::Visibility::Public(pub_token) | syn::Visibility::Restricted(syn::VisRestricted { pub_token, .. })) =
        visibility
    else {
        return None;
    };
    let pub_token: &Token![pub] = pub_token;
    Some(pub_token.span)
}
