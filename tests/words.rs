//! What a finding says of the columns that were looked at.

use racelint::config::Config;
use racelint::finding::{Finding, Role};
use racelint::source;

const SCHEMA: &str = "CREATE TABLE moorings (id BIGINT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL);";

const ROW: &str = r#"
use sqlx::PgPool;

#[derive(sqlx::FromRow)]
pub struct Mooring {
    id: i64,
    owner: String,
    until: i64,
}

pub async fn prolong(pool: &PgPool, id: i64, until: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE moorings SET until = $2 WHERE id = $1").bind(id).bind(until).execute(pool).await?;
    Ok(())
}
"#;

fn only_finding(code: &str) -> Finding {
    only_finding_on("postgres", code)
}

fn only_finding_on(engine: &str, code: &str) -> Finding {
    let manifest = format!(
        "[package]\nname = \"harbour\"\n\n[dependencies]\nsqlx = {{ version = \"0.8\", features = [\"{engine}\"] }}\n"
    );
    let files = [("Cargo.toml", manifest.as_str()), ("migrations/1.sql", SCHEMA), ("src/lib.rs", code)];
    let workspace = source::memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
    let mut found = racelint::analyse(&workspace, &Config::default()).findings;
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(found.len(), 1, "{messages:?}");
    found.remove(0)
}

fn check(finding: &Finding) -> &str {
    let label = finding.labels.iter().find(|label| label.role == Role::Check);
    label.map_or("", |label| label.text.as_str())
}

#[test]
fn a_column_that_something_changes_is_told_and_no_other() {
    let code = format!(
        r#"{ROW}
pub async fn clear(pool: &PgPool, id: i64, now: i64) -> sqlx::Result<()> {{
    let mooring: Mooring = sqlx::query_as("SELECT * FROM moorings WHERE id = $1").bind(id).fetch_one(pool).await?;
    if mooring.until > now {{
        return Ok(());
    }}
    if mooring.owner.starts_with("harbour") || mooring.id < 10 {{
        return Ok(());
    }}
    sqlx::query("DELETE FROM moorings WHERE id = $1").bind(id).execute(pool).await?;
    Ok(())
}}
"#
    );
    let finding = only_finding(&code);
    assert!(finding.message.starts_with("prolong can change until of the moorings row"), "{}", finding.message);
    assert_eq!(check(&finding), "decides by the until that was read");
}

#[test]
fn what_is_put_there_under_a_key_that_was_drawn_writes_over_nothing() {
    let code = r#"
use sqlx::MySqlPool;
use uuid::Uuid;

pub async fn moor(pool: &MySqlPool, owner: &str, until: i64) -> sqlx::Result<()> {
    let known = sqlx::query("SELECT 1 FROM moorings WHERE owner = ?").bind(owner).fetch_optional(pool).await?;
    if known.is_some() {
        return Ok(());
    }
    let id = Uuid::new_v4().as_u128() as i64;
    sqlx::query("REPLACE INTO moorings (id, owner, until) VALUES (?, ?, ?)")
        .bind(id)
        .bind(owner)
        .bind(until)
        .execute(pool)
        .await?;
    Ok(())
}
"#;
    let finding = only_finding_on("mysql", code);
    assert_eq!(finding.message, "two requests can both find no row in moorings, and both insert one");
}
