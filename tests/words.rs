//! What a finding says of the columns that were looked at.

use racelint::config::Config;
use racelint::finding::{Finding, Role};
use racelint::source;

const SCHEMA: &str = "CREATE TABLE moorings (id BIGINT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL);
                      CREATE TABLE pennants (mooring BIGINT NOT NULL, name TEXT NOT NULL UNIQUE);
                      CREATE TABLE stays (mooring BIGINT, day DATE, boat TEXT NOT NULL, PRIMARY KEY (mooring, day, boat));";

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
        "[package]\nname = \"harbour\"\n\n[dependencies]\nsqlx = {{ version = \"0.8\", features = [\"{engine}\"] }}\nreqwest = \"0.12\"\n"
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

const ENUM: &str = r#"
use sqlx::PgPool;

#[derive(Clone, Copy, PartialEq)]
pub enum State {
    Open,
    Sent,
    Stopped,
}

impl State {
    fn code(self) -> i16 {
        match self {
            State::Open => 0,
            State::Sent => 1,
            State::Stopped => 2,
        }
    }
}

#[derive(sqlx::FromRow)]
pub struct Mooring {
    id: i64,
    until: State,
}

pub async fn stop(pool: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE moorings SET until = $2 WHERE id = $1").bind(id).bind(State::Stopped.code()).execute(pool).await?;
    Ok(())
}

pub async fn send(pool: &PgPool, id: i64) -> sqlx::Result<()> {
    let mooring: Mooring = sqlx::query_as("SELECT id, until FROM moorings WHERE id = $1").bind(id).fetch_one(pool).await?;
    if mooring.until == State::Stopped {
        return Ok(());
    }
    sqlx::query("UPDATE moorings SET until = $2 WHERE id = $1").bind(id).bind(State::Sent.code()).execute(pool).await?;
    Ok(())
}
"#;

#[test]
fn what_turns_a_check_away_is_told_by_the_statement_that_writes_it() {
    let finding = only_finding(ENUM);
    let message = "stop can change until of the moorings row after the check, and what it wrote is written over";
    assert_eq!(finding.message, message);
}

#[test]
fn where_another_statement_spoils_a_check_that_check_is_told() {
    let code = r#"
use anyhow::{Result, bail};
use sqlx::PgPool;

pub async fn leave(pool: &PgPool, id: i64, name: &str) -> Result<()> {
    let (owner, until): (String, i64) =
        sqlx::query_as("SELECT owner, until FROM moorings WHERE id = $1").bind(id).fetch_one(pool).await?;
    if until > 0 {
        bail!("not yet");
    }
    if owner == "harbour" {
        bail!("stays");
    }
    sqlx::query("DELETE FROM moorings WHERE id = $1 AND owner <> 'harbour'").bind(id).execute(pool).await?;
    Ok(())
}

pub async fn prolong(pool: &PgPool, id: i64, until: i64) -> Result<()> {
    sqlx::query("UPDATE moorings SET until = $2 WHERE id = $1").bind(id).bind(until).execute(pool).await?;
    Ok(())
}

pub async fn sell(pool: &PgPool, id: i64, owner: &str) -> Result<()> {
    sqlx::query("UPDATE moorings SET owner = $2 WHERE id = $1").bind(id).bind(owner).execute(pool).await?;
    Ok(())
}
"#;
    let finding = only_finding(code);
    let message = "prolong can change until of the moorings row after the check, and it is deleted all the same";
    assert_eq!(finding.message, message);
    let mut checks = finding.labels.iter().filter(|label| label.role == Role::Check).map(|label| label.text.as_str());
    assert_eq!(checks.next(), Some("decides by the until that was read"));
}

#[test]
fn what_is_done_beside_the_write_is_told_with_it() {
    let code = r#"
use anyhow::{Result, bail};
use sqlx::PgPool;

pub async fn leave(pool: &PgPool, id: i64, name: &str) -> Result<()> {
    let until: i64 = sqlx::query_scalar("SELECT until FROM moorings WHERE id = $1").bind(id).fetch_one(pool).await?;
    if until == 0 {
        bail!("left");
    }
    sqlx::query("UPDATE moorings SET until = 0 WHERE id = $1").bind(id).execute(pool).await?;
    sqlx::query("UPDATE log SET last = $1 WHERE mooring = $2").bind(name).bind(id).execute(pool).await?;
    Ok(())
}
"#;
    let finding = only_finding(code);
    let message = "two requests can both find until of the same moorings row acceptable, and both write it, \
                   and each gives log values of its own";
    assert_eq!(finding.message, message);
    let note = &finding.rewrites[0].note;
    assert!(note.ends_with("$1 is id"), "{note}");
}

#[test]
fn a_call_is_told_by_the_function_that_sends_it_and_with_the_key_that_comes_too_late() {
    let code = r#"
use anyhow::{Result, bail};
use sqlx::PgPool;

async fn announce(client: &reqwest::Client, owner: &str) -> Result<()> {
    client.post("https://harbour.example/news").body(owner.to_owned()).send().await?;
    Ok(())
}

pub async fn moor(pool: &PgPool, client: &reqwest::Client, id: i64, owner: &str) -> Result<()> {
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM moorings WHERE id = $1").bind(id).fetch_optional(pool).await?;
    if known.is_some() {
        bail!("taken");
    }
    announce(client, owner).await?;
    sqlx::query("INSERT INTO moorings (id, owner, until) VALUES ($1, $2, 0)").bind(id).bind(owner).execute(pool).await?;
    Ok(())
}
"#;
    let finding = only_finding(code);
    let message = "two requests can both find no row in moorings and both call announce, \
                   before the unique key on (id) refuses one of them";
    assert_eq!(finding.message, message);
}

#[test]
fn the_key_that_refuses_a_row_further_on_is_told() {
    let code = r#"
use anyhow::{Result, bail};
use sqlx::PgPool;

pub async fn moor(pool: &PgPool, owner: &str, name: &str) -> Result<()> {
    let flown: Option<i64> = sqlx::query_scalar("SELECT mooring FROM pennants WHERE name = $1").bind(name).fetch_optional(pool).await?;
    if flown.is_some() {
        bail!("flown by another");
    }
    let id: i64 = sqlx::query_scalar("INSERT INTO moorings (owner, until) VALUES ($1, 0) RETURNING id").bind(owner).fetch_one(pool).await?;
    sqlx::query("INSERT INTO pennants (mooring, name) VALUES ($1, $2)").bind(id).bind(name).execute(pool).await?;
    Ok(())
}
"#;
    let message = "two requests can both find no row in pennants, and both write moorings before they insert one there, \
                   where the unique key on (name) lets in only one of them";
    assert_eq!(only_finding(code).message, message);
}

#[test]
fn what_must_differ_for_a_second_row_is_told() {
    let code = r#"
use anyhow::{Result, bail};
use sqlx::PgPool;

pub async fn stay(pool: &PgPool, mooring: i64, day: chrono::NaiveDate, boat: &str) -> Result<()> {
    let sql = "SELECT boat FROM stays WHERE mooring = $1 AND day = $2";
    let known: Option<String> = sqlx::query_scalar(sql).bind(mooring).bind(day).fetch_optional(pool).await?;
    if known.is_some() {
        bail!("taken");
    }
    sqlx::query("INSERT INTO stays (mooring, day, boat) VALUES ($1, $2, $3)").bind(mooring).bind(day).bind(boat).execute(pool).await?;
    Ok(())
}
"#;
    let message = "two requests can both find no row in stays, and both insert one, where boat differs";
    assert_eq!(only_finding(code).message, message);
}

#[test]
fn who_else_puts_the_row_there_is_told() {
    let code = r#"
use anyhow::{Result, bail};
use sqlx::PgPool;

pub async fn moor(pool: &PgPool, id: i64, owner: &str) -> Result<()> {
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM moorings WHERE id = $1").bind(id).fetch_optional(pool).await?;
    if known.is_some() {
        bail!("taken");
    }
    sqlx::query("INSERT INTO moorings (id, owner, until) VALUES ($1, $2, 0) ON CONFLICT (id) DO UPDATE SET owner = $2")
        .bind(id)
        .bind(owner)
        .execute(pool)
        .await?;
    Ok(())
}

pub async fn assign(pool: &PgPool, id: i64, owner: &str) -> Result<()> {
    sqlx::query("INSERT INTO moorings (id, owner, until) VALUES ($1, $2, 9) ON CONFLICT (id) DO UPDATE SET owner = $2, until = 9")
        .bind(id)
        .bind(owner)
        .execute(pool)
        .await?;
    Ok(())
}
"#;
    let message = "two requests can both find no row in moorings, and the second one writes over what the first one, \
                   or assign, put there";
    assert_eq!(only_finding(code).message, message);
}
