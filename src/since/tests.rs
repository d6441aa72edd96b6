use super::*;
use crate::config::Config;
use crate::source::memory;

const MANIFEST: &str =
    "[package]\nname = 'shop'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n";
const TABLE: &str = "CREATE TABLE seats (id bigint PRIMARY KEY, email text, holder bigint);\n";
const UNIQUE: &str = "CREATE UNIQUE INDEX seats_email ON seats (email);\n";
const DROPPED: &str = "DROP INDEX seats_email;\n";

const BOOK: &str = "use sqlx::PgPool;
pub async fn book(pool: &PgPool, seat: i64, who: i64) -> anyhow::Result<()> {
    let holder = crate::store::holder(pool, seat).await?;
    if holder.is_none() {
        crate::store::hold(pool, seat, who).await?;
    }
    tracing::info!(seat);
    Ok(())
}
";
const STORE: &str = "use sqlx::PgPool;
pub async fn holder(pool: &PgPool, seat: i64) -> anyhow::Result<Option<i64>> {
    Ok(sqlx::query_scalar(\"SELECT holder FROM seats WHERE id = $1\").bind(seat).fetch_one(pool).await?)
}
pub async fn hold(pool: &PgPool, seat: i64, who: i64) -> anyhow::Result<()> {
    sqlx::query(\"UPDATE seats SET holder = $2 WHERE id = $1\").bind(seat).bind(who).execute(pool).await?;
    Ok(())
}
";
const ADD: &str = "use sqlx::PgPool;
pub async fn add(pool: &PgPool, email: &str) -> anyhow::Result<()> {
    let there: Option<i64> = sqlx::query_scalar(\"SELECT id FROM seats WHERE email = $1\").bind(email).fetch_optional(pool).await?;
    if there.is_none() {
        sqlx::query(\"INSERT INTO seats (email) VALUES ($1)\").bind(email).execute(pool).await?;
    }
    Ok(())
}
";

type Files<'a> = Vec<(&'a str, String)>;

fn files() -> Files<'static> {
    let lib = "pub mod book;\npub mod store;\npub mod add;\n";
    let files = [
        ("Cargo.toml", MANIFEST),
        ("migrations/1_seats.sql", TABLE),
        ("migrations/2_email.sql", UNIQUE),
        ("src/lib.rs", lib),
        ("src/book.rs", BOOK),
        ("src/store.rs", STORE),
        ("src/add.rs", ADD),
    ];
    files.map(|(path, text)| (path, text.to_owned())).to_vec()
}

fn workspace(files: &Files<'_>) -> Workspace {
    memory(files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect())
}

fn findings(workspace: &Workspace) -> Vec<Finding> {
    crate::analyse(workspace, &Config::default()).findings
}

/// The rules of what is told when `old` became `new`, with the number of what is not told.
fn since(old: &Files<'_>, new: &Files<'_>) -> (Vec<String>, usize) {
    let (then, now) = (workspace(old), workspace(new));
    let changed = |file: &crate::source::SourceFile| match then.files.iter().find(|old| old.path == file.path) {
        Some(old) => Changed::between(old.text.as_bytes(), &file.text),
        None => Changed::All,
    };
    let past = Past { name: "main".to_owned(), changes: now.files.iter().map(changed).collect(), workspace: then };
    let selected = past.select(findings(&now), &now, &|| findings(&past.workspace));
    let told = selected.findings.iter().map(|finding| {
        let older = finding.why.contains("older than main");
        format!("{}{}", finding.rule, if older { " elsewhere" } else { "" })
    });
    (told.collect(), selected.untouched)
}

fn with(path: &str, from: &str, to: &str) -> Files<'static> {
    let mut files = files();
    let (_, text) = files.iter_mut().find(|(known, _)| *known == path).expect("a file of that path");
    assert!(text.contains(from), "{from}");
    *text = text.replacen(from, to, 1);
    files
}

fn rules(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn without_a_change_nothing_is_told() {
    assert_eq!(since(&files(), &files()), (Vec::new(), 1));
}

#[test]
fn a_change_of_the_read_in_a_callee_is_told() {
    let new = with("src/store.rs", "SELECT holder FROM", "SELECT  holder\n  FROM public.");
    assert_eq!(since(&files(), &new).0, rules(&["check-then-update"]));
    let check = with("src/book.rs", "holder.is_none()", "holder.is_none() || who == 1");
    assert_eq!(since(&files(), &check).0, rules(&["check-then-update"]));
}

#[test]
fn a_change_beside_the_sequence_is_not_told() {
    let new = with("src/book.rs", "tracing::info!(seat);", "tracing::info!(seat, who);");
    assert_eq!(since(&files(), &new), (Vec::new(), 1));
    let moved = with("src/book.rs", "pub async fn book", "\n\n/// Books.\npub async fn book");
    assert_eq!(since(&files(), &moved), (Vec::new(), 1));
}

#[test]
fn a_dropped_key_makes_old_code_racy() {
    let mut new = files();
    new.push(("migrations/3_drop.sql", DROPPED.to_owned()));
    assert_eq!(since(&files(), &new), (rules(&["check-then-insert elsewhere"]), 1));
    assert_eq!(since(&new, &new), (Vec::new(), 2));
    let mut more = files();
    more.push(("migrations/3_more.sql", "ALTER TABLE seats ADD COLUMN note text;\n".to_owned()));
    assert_eq!(since(&files(), &more), (Vec::new(), 1));
}

#[test]
fn a_lock_that_was_taken_out_of_a_helper_is_told() {
    let locked = BOOK
        .replace(
            "    let holder",
            "    let mut tx = pool.begin().await?;\n    crate::store::lock(&mut tx, seat).await?;\n    let holder",
        )
        .replace("(pool, seat", "(&mut tx, seat")
        .replace("    tracing", "    tx.commit().await?;\n    tracing");
    let store = STORE.replace("pool: &PgPool", "tx: &mut sqlx::PgConnection").replace("(pool)", "(&mut *tx)")
        + "pub async fn lock(tx: &mut sqlx::PgConnection, seat: i64) -> anyhow::Result<()> {\n    sqlx::query(\"SELECT id FROM seats WHERE id = $1 FOR UPDATE\").bind(seat).fetch_one(&mut *tx).await?;\n    Ok(())\n}\n";
    let mut old = files();
    old[4].1 = locked;
    old[5].1 = store;
    let mut new = old.clone();
    new[5].1 = new[5].1.replace(" FOR UPDATE", "");
    assert_eq!(since(&old, &old).1, 0);
    assert_eq!(since(&old, &new), (rules(&["check-then-update elsewhere"]), 0));
}

#[test]
fn a_function_with_another_name_is_the_same() {
    let mut new = with("src/lib.rs", "pub mod book;", "pub mod desk { pub mod book; }");
    new[4].0 = "src/desk/book.rs";
    let (then, now) = (workspace(&files()), workspace(&new));
    let past = Past { name: "main".to_owned(), changes: vec![Changed::Nothing; now.files.len()], workspace: then };
    let selected = past.select(findings(&now), &now, &|| findings(&past.workspace));
    assert_eq!((selected.findings.len(), selected.untouched), (0, 1));
}

#[test]
fn the_second_of_two_equal_ones_is_counted() {
    let twice = BOOK.replace("    Ok(())", "    if crate::store::holder(pool, seat).await?.is_none() {\n        crate::store::hold(pool, seat, who).await?;\n    }\n    Ok(())");
    let mut new = files();
    new[4].1 = twice;
    let (told, untouched) = since(&files(), &new);
    assert!(told.iter().all(|rule| rule == "check-then-update"), "{told:?}");
    assert_eq!(untouched, 1);
}
