//! Programs that are as long, as deep or as branched as they are asked to be.

use std::fmt::Write;

use racelint::source::{Workspace, memory};

/// What grows.
#[derive(Clone, Copy, Debug)]
pub enum Axis {
    /// Lines that reach no database, in functions of a fixed size.
    Lines,
    /// Functions that each read, check and write.
    Functions,
    /// How many calls lie between the read and the function where a request comes in.
    Depth,
    /// Branches with a statement, one after the other in one function.
    Branches,
    /// Calls of one function that reads, checks and writes.
    Callers,
}

pub const AXES: [Axis; 5] = [Axis::Lines, Axis::Functions, Axis::Depth, Axis::Branches, Axis::Callers];

/// The files of a program that is `times` as large as the smallest one.
pub fn files(axis: Axis, times: usize) -> Vec<(String, String)> {
    let modules = match axis {
        Axis::Lines => {
            (0..4 * times).map(|module| (0..50).map(|n| plain(&format!("f{module}_{n}"))).collect()).collect()
        }
        Axis::Functions => {
            (0..2 * times).map(|module| (0..25).map(|n| pay(&format!("f{module}_{n}"))).collect()).collect()
        }
        Axis::Depth => vec![chain(25 * times)],
        Axis::Branches => vec![branches(25 * times)],
        Axis::Callers => vec![callers(50 * times)],
    };
    let names: String = (0..modules.len()).map(|n| format!("pub mod m{n};\n")).collect();
    let modules = modules
        .into_iter()
        .enumerate()
        .map(|(n, text): (usize, String)| (format!("src/m{n}.rs"), USE.to_owned() + &text));
    let fixed =
        [("Cargo.toml", MANIFEST), ("migrations/1.sql", SCHEMA)].map(|(path, text)| (path.to_owned(), text.to_owned()));
    modules.chain(fixed).chain([("src/lib.rs".to_owned(), names)]).collect()
}

pub fn workspace(axis: Axis, times: usize) -> Workspace {
    memory(files(axis, times))
}

const USE: &str = "use sqlx::PgPool;\n\n";
const MANIFEST: &str =
    "[package]\nname = 'shop'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n";
const SCHEMA: &str = "CREATE TABLE purses (id bigint PRIMARY KEY, balance bigint NOT NULL);\n";
const HEAD: &str = "(pool: &PgPool, id: i64, price: i64) -> Result<(), sqlx::Error>";
const READ: &str = "let balance: i64 = sqlx::query_scalar(\"SELECT balance FROM purses WHERE id = $1\").bind(id).fetch_one(pool).await?;";
const WRITE: &str = "sqlx::query(\"UPDATE purses SET balance = $1 WHERE id = $2\").bind(balance - price).bind(id).execute(pool).await?;";

fn plain(name: &str) -> String {
    format!(
        "/// What {name} adds up.\npub fn {name}(parts: &[Part], limit: usize) -> Option<usize> {{\n    \
         let mut sum = 0;\n    for part in parts.iter().filter(|part| part.is_kept()) {{\n        \
         let size = part.size().checked_mul(part.count())?;\n        \
         if size > limit {{\n            return None;\n        }}\n        sum += size;\n    }}\n    Some(sum)\n}}\n\n"
    )
}

fn pay(name: &str) -> String {
    format!(
        "pub async fn {name}{HEAD} {{\n    {READ}\n    if balance >= price {{\n        {WRITE}\n    }}\n    Ok(())\n}}\n\n"
    )
}

fn chain(depth: usize) -> String {
    let mut out = pay("f0");
    for n in 1..depth {
        let _ = write!(
            out,
            "pub async fn f{n}{HEAD} {{\n    if price > {n} {{\n        f{}(pool, id, price).await?;\n    }}\n    Ok(())\n}}\n\n",
            n - 1
        );
    }
    out
}

fn branches(count: usize) -> String {
    let branch = |n| {
        format!(
            "    if price > {n} {{\n        {READ}\n        if balance >= price {{\n            {WRITE}\n        }}\n    }}\n"
        )
    };
    let body: String = (0..count).map(branch).collect();
    format!("pub async fn f{HEAD} {{\n{body}    Ok(())\n}}\n")
}

fn callers(count: usize) -> String {
    let caller = |n| format!("pub async fn f{n}{HEAD} {{\n    pay(pool, id, price + {n}).await\n}}\n\n");
    pay("pay") + &(0..count).map(caller).collect::<String>()
}
