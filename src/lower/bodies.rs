//! What may stand between a macro's delimiters, as parsers: arguments, `select!` arms, `matches!`, per-backend arms.

use proc_macro2::extra::DelimSpan;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::token::{Brace, Bracket};
use syn::{Block, Expr, Ident, LitStr, Pat, PathArguments, Result, Stmt, Token, Type};

use super::name;

/// An argument with its name, where it has one.
pub struct Argument {
    pub name: Option<String>,
    pub value: Value,
}

pub enum Value {
    Expr(Expr),
    Type(Type),
    /// `{ "key": value }`, which is no expression.
    Object(Vec<Argument>, DelimSpan),
    /// `[…]` with an object in it.
    List(Vec<Argument>, DelimSpan),
}

/// `matches!(value, pat if guard)`; what an `assert_matches!` says on failure is passed over.
pub struct Matches {
    pub value: Expr,
    pub pat: Pat,
    pub guard: Option<Expr>,
}

/// One arm of `select!`; without a pattern it is `else =>`, `complete =>` or `default =>`.
pub struct SelectArm {
    pub binds: Option<(Pat, Expr)>,
    pub guard: Option<Expr>,
    pub handler: Expr,
}

/// Comma-separated arguments to the end of the input.
pub fn arguments(input: ParseStream<'_>) -> Result<Vec<Argument>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        found.push(argument(input, found.is_empty())?);
        if input.is_empty() {
            break;
        }
        input.parse::<Token![,]>()?;
    }
    Ok(found)
}

/// `x; n` to the end of the input.
pub fn repeated(input: ParseStream<'_>) -> Result<(Expr, Expr)> {
    let value = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok((value, input.parse()?))
}

pub fn matches(input: ParseStream<'_>) -> Result<Matches> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    let pat = input.call(Pat::parse_multi_with_leading_vert)?;
    let guard = match input.parse::<Option<Token![if]>>()? {
        Some(_) => Some(input.parse()?),
        None => None,
    };
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
        arguments(input)?;
    }
    Ok(Matches { value, pat, guard })
}

/// The arms of `tokio::select!` and `futures::select!`.
pub fn select(input: ParseStream<'_>) -> Result<Vec<SelectArm>> {
    if input.peek(Ident) && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    let mut arms = Vec::new();
    while !input.is_empty() {
        let (mut binds, mut guard) = (None, None);
        if input.peek(Ident::peek_any) && input.peek2(Token![=>]) {
            input.call(Ident::parse_any)?;
        } else {
            let pat = input.call(Pat::parse_multi_with_leading_vert)?;
            input.parse::<Token![=]>()?;
            binds = Some((pat, input.parse()?));
            if input.peek(Token![,]) && input.peek2(Token![if]) {
                input.parse::<Token![,]>()?;
                input.parse::<Token![if]>()?;
                guard = Some(input.parse()?);
            }
        }
        input.parse::<Token![=>]>()?;
        let handler = input.call(Expr::parse_with_earlier_boundary_rule)?;
        input.parse::<Option<Token![,]>>()?;
        arms.push(SelectArm { binds, guard, handler });
    }
    Ok(arms)
}

/// `conn: { … }`, `conn: sqlite, mysql { … }`, `sqlite { … }` and `sqlite => { … }`, one or more: the statements of all.
pub fn backends(input: ParseStream<'_>) -> Result<Vec<Stmt>> {
    let mut stmts = Vec::new();
    while !input.is_empty() {
        backend_header(input)?;
        let body;
        syn::braced!(body in input);
        stmts.extend(body.call(Block::parse_within)?);
        input.parse::<Option<Token![,]>>()?;
        input.parse::<Option<Token![;]>>()?;
    }
    Ok(stmts)
}

fn backend_header(input: ParseStream<'_>) -> Result<()> {
    let first: Ident = input.parse()?;
    if input.parse::<Option<Token![=>]>>()?.is_some() {
        return Ok(());
    }
    if is_colon(input) {
        input.parse::<Token![:]>()?;
        while !input.peek(Brace) {
            input.parse::<Ident>()?;
            input.parse::<Option<Token![,]>>()?;
        }
        return Ok(());
    }
    // `Point { x }` is a value, `sqlite { x }` is a block under a label.
    if input.peek(Brace) && !name(&first).starts_with(char::is_uppercase) {
        return Ok(());
    }
    Err(input.error("no block under a label"))
}

fn argument(input: ParseStream<'_>, first: bool) -> Result<Argument> {
    skip_sigil(input)?;
    if let Some(ty) = first.then(|| generic_type(input)).flatten() {
        return Ok(Argument { name: None, value: Value::Type(ty) });
    }
    let assigns = input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
    if input.peek(Ident::peek_any) && assigns {
        let key = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        skip_sigil(input)?;
        return named(name(&key).to_string(), input);
    }
    let labels = input.peek2(Token![:]) && !input.peek2(Token![::]);
    if input.peek(Ident::peek_any) && labels {
        let key = input.call(Ident::parse_any)?;
        input.parse::<Token![:]>()?;
        return named(name(&key).to_string(), input);
    }
    if input.peek(LitStr) && labels {
        let key: LitStr = input.parse()?;
        input.parse::<Token![:]>()?;
        return named(key.value(), input);
    }
    let key = value(input)?;
    if input.parse::<Option<Token![=>]>>()?.is_some() {
        return named(text_of_key(&key), input);
    }
    if is_colon(input) {
        input.parse::<Token![:]>()?;
        return named(text_of_key(&key), input);
    }
    Ok(Argument { name: None, value: key })
}

fn named(name: String, input: ParseStream<'_>) -> Result<Argument> {
    Ok(Argument { name: Some(name), value: value(input)? })
}

/// `?x` and `%x` say how tracing prints a field.
fn skip_sigil(input: ParseStream<'_>) -> Result<()> {
    input.parse::<Option<Token![?]>>()?;
    input.parse::<Option<Token![%]>>()?;
    Ok(())
}

fn value(input: ParseStream<'_>) -> Result<Value> {
    let refused = match whole::<Expr>(input) {
        Ok(expr) => return Ok(Value::Expr(expr)),
        Err(refused) => refused,
    };
    if input.peek(Brace) {
        let body;
        let span = syn::braced!(body in input).span;
        let entries = arguments(&body)?;
        return match entries.iter().all(|entry| entry.name.is_some()) {
            true => Ok(Value::Object(entries, span)),
            false => Err(refused),
        };
    }
    if input.peek(Bracket) {
        let body;
        let span = syn::bracketed!(body in input).span;
        return Ok(Value::List(arguments(&body)?, span));
    }
    match whole::<Type>(input) {
        Ok(ty) => Ok(Value::Type(ty)),
        Err(_) => Err(refused),
    }
}

/// Something that ends where an argument or a key ends; the input stays where it is when it does not.
fn whole<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    let ahead = input.fork();
    let found = ahead.parse()?;
    if !(ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(Token![=>]) || is_colon(&ahead)) {
        return Err(ahead.error("expected `,`"));
    }
    input.advance_to(&ahead);
    Ok(found)
}

/// `Vec<u8>` or `a::B<C, D>` as the first argument, which would also read as comparisons.
fn generic_type(input: ParseStream<'_>) -> Option<Type> {
    let ahead = input.fork();
    let ty: Type = ahead.parse().ok()?;
    let Type::Path(path) = &ty else { return None };
    let PathArguments::AngleBracketed(angle) = &path.path.segments.last()?.arguments else { return None };
    // With `::` it is an expression as well: a function with a turbofish.
    if angle.colon2_token.is_some() || !(ahead.is_empty() || ahead.peek(Token![,])) {
        return None;
    }
    input.advance_to(&ahead);
    Some(ty)
}

fn is_colon(input: ParseStream<'_>) -> bool {
    input.peek(Token![:]) && !input.peek(Token![::])
}

fn text_of_key(key: &Value) -> String {
    let mut expr = match key {
        Value::Expr(expr) => expr,
        Value::Type(ty) => return super::attrs::spaced(quote::ToTokens::to_token_stream(ty)),
        Value::Object(..) | Value::List(..) => return String::new(),
    };
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    if let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = expr {
        return text.value();
    }
    let lone = match expr {
        Expr::Path(path) => path.path.get_ident().map(|ident| name(ident).to_string()),
        _ => None,
    };
    lone.unwrap_or_else(|| super::attrs::spaced(quote::ToTokens::to_token_stream(expr)))
}
