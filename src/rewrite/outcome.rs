//! How many rows a write changed, in the words of the client at hand.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::quote;

use super::Case;
use crate::finding::{Rewrite, RewriteKind};

/// A call of more lines is not repeated.
const LINES: usize = 10;

/// The clients that count in their own way, with what gives the count.
pub fn client(case: Case<'_, '_>) -> &'static str {
    let handle = case.write.on.and_then(|on| case.scene.ev.handle(on)).map(|handle| handle.client);
    if let Some(client) = handle {
        return client;
    }
    let krate = case.scene.ev.program.krate_of(case.write.function);
    let krate = krate.and_then(|krate| case.scene.ev.workspace.crates.get(krate));
    ["sea-orm", "diesel", "sqlx", "rusqlite", "tokio-postgres", "mysql_async"]
        .into_iter()
        .find(|name| krate.is_some_and(|krate| krate.depends_on(name)))
        .unwrap_or("sqlx")
}

/// What to look at, as a phrase: `rows_affected()`.
pub fn word(case: Case<'_, '_>) -> &'static str {
    let client = client(case);
    if !case.writes.statement.output.is_empty() {
        return "whether a row is returned";
    }
    match client {
        "sqlx" => "`rows_affected()` of the result",
        "sea-orm" | "sea_orm" => "`rows_affected` of the result",
        "diesel" | "rusqlite" => "the usize that `execute` returns",
        "mysql" | "mysql_async" => "`affected_rows()` of the connection",
        _ => "the u64 that `execute` returns",
    }
}

/// The write with a look at its outcome, in Rust.
pub fn rewrite(case: Case<'_, '_>) -> Rewrite {
    let client = client(case);
    let refusal = refusal(case, client);
    let returns = !case.writes.statement.output.is_empty();
    let (bound, code) = match client {
        _ if returns => ("row", quote! { let Some(row) = row else { #refusal; }; }),
        "sqlx" => ("result", quote! { if result.rows_affected() == 0 { #refusal; } }),
        "sea-orm" | "sea_orm" => ("result", quote! { if result.rows_affected == 0 { #refusal; } }),
        "mysql" | "mysql_async" => ("", quote! { if conn.affected_rows() == 0 { #refusal; } }),
        _ => ("changed", quote! { if changed == 0 { #refusal; } }),
    };
    let sent = if bound.is_empty() { None } else { sent(case) };
    let text = match sent {
        Some(sent) => format!("let {bound} = {sent};\n{}", laid_out(code)),
        None => laid_out(code),
    };
    let how = if bound.is_empty() { "after the write" } else { "bind what the write gives, and" };
    Rewrite {
        kind: RewriteKind::CheckOutcome,
        title: "let zero changed rows be a refusal".to_owned(),
        language: "rust",
        text,
        note: format!("{how} look at {}; inside a transaction the early return rolls it back", word(case)),
    }
}

/// How the function can refuse.
fn refusal(case: Case<'_, '_>, client: &str) -> TokenStream {
    let table = case.target().map_or("", |target| target.table.name.as_str());
    let text = format!("no row of {table} was changed");
    let krate = case.scene.ev.program.krate_of(case.write.function);
    let krate = krate.and_then(|krate| case.scene.ev.workspace.crates.get(krate));
    if krate.is_some_and(|krate| krate.depends_on("anyhow")) {
        return quote! { anyhow::bail!(#text) };
    }
    match client {
        "sqlx" => quote! { return Err(sqlx::Error::RowNotFound.into()) },
        "sea-orm" | "sea_orm" => quote! { return Err(sea_orm::DbErr::RecordNotUpdated.into()) },
        "diesel" => quote! { return Err(diesel::result::Error::NotFound.into()) },
        "rusqlite" => quote! { return Err(rusqlite::Error::QueryReturnedNoRows.into()) },
        _ => quote! { return Err(#text.into()) },
    }
}

/// The call that sends the write, with what stands behind it up to its `?`; none when it is long, or holds comments.
fn sent(case: Case<'_, '_>) -> Option<String> {
    let file = case.scene.ev.workspace.files.get(case.write.span.file.0 as usize)?;
    if !case.writes.text.is_empty() && sends_for_others(case, &file.text) {
        return None;
    }
    let call = case.write.span.at.of(&file.text);
    let rest = file.text.get(case.write.span.at.end as usize..)?;
    let gap: String = rest.chars().take_while(|c| c.is_whitespace()).collect();
    let tail = [".await?", "?"].into_iter().find(|tail| rest.trim_start().starts_with(tail))?;
    let text = format!("{call}{gap}{tail}");
    if text.lines().count() > LINES || text.contains("//") || syn::parse_str::<syn::Expr>(&text).is_err() {
        return None;
    }
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = rest.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut out = first.to_owned();
    for line in rest.lines() {
        out.push_str("\n    ");
        out.push_str(line.get(least..).unwrap_or(""));
    }
    Some(out)
}

/// Whether the function that sends the write was handed its text: it sends all kinds of statements.
fn sends_for_others(case: Case<'_, '_>, text: &str) -> bool {
    let table = case.target().map_or("", |target| target.table.name.as_str());
    let body = case.scene.ev.program.function(case.write.function).at.of(text).to_lowercase();
    !case.write.calls.is_empty() && !body.contains(&table.to_lowercase())
}

/// Tokens as a person would write them, one statement on a line.
fn laid_out(code: TokenStream) -> String {
    let mut out = String::new();
    write_tokens(code, 0, &mut out);
    out.trim_end().to_owned()
}

fn write_tokens(code: TokenStream, indent: usize, out: &mut String) {
    let mut glued = true;
    let start_of_line = |out: &str| out.is_empty() || out.ends_with('\n');
    for token in code {
        if start_of_line(out) {
            out.push_str(&"    ".repeat(indent));
            glued = true;
        }
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                out.push_str(" {\n");
                write_tokens(group.stream(), indent + 1, out);
                if !start_of_line(out) {
                    out.push('\n');
                }
                out.push_str(&"    ".repeat(indent));
                out.push('}');
                glued = false;
            }
            TokenTree::Group(group) => {
                out.push('(');
                let mut inner = String::new();
                write_tokens(group.stream(), 0, &mut inner);
                out.push_str(inner.trim());
                out.push(')');
                glued = false;
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                '.' => {
                    out.push('.');
                    glued = true;
                }
                ';' => out.push_str(";\n"),
                sign => {
                    if !glued && !matches!(sign, ':' | '!') {
                        out.push(' ');
                    }
                    out.push(sign);
                    glued = punct.spacing() == Spacing::Joint || sign == ':';
                }
            },
            word => {
                if !glued {
                    out.push(' ');
                }
                out.push_str(&word.to_string());
                glued = false;
            }
        }
    }
}
