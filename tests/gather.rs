//! One helper that saves whole rows is told once, with all the places that call it.

use racelint::config::Config;
use racelint::finding::Finding;
use racelint::{gather, source};

const CODE: &str = r#"
use sqlx::PgPool;

#[derive(sqlx::FromRow)]
pub struct Guest {
    id: i64,
    name: String,
    room: String,
    phone: String,
    note: String,
}

impl Guest {
    async fn find(pool: &PgPool, id: i64) -> sqlx::Result<Self> {
        sqlx::query_as("SELECT id, name, room, phone, note FROM guests WHERE id = $1").bind(id).fetch_one(pool).await
    }

    async fn save(&self, pool: &PgPool) -> sqlx::Result<()> {
        sqlx::query("UPDATE guests SET name = $2, room = $3, phone = $4, note = $5 WHERE id = $1")
            .bind(self.id)
            .bind(&self.name)
            .bind(&self.room)
            .bind(&self.phone)
            .bind(&self.note)
            .execute(pool)
            .await?;
        Ok(())
    }
}

pub async fn rename(pool: &PgPool, id: i64, name: &str) -> sqlx::Result<()> {
    let mut guest = Guest::find(pool, id).await?;
    guest.name = name.to_owned();
    guest.save(pool).await
}

pub async fn move_to(pool: &PgPool, id: i64, room: &str) -> sqlx::Result<()> {
    let mut guest = Guest::find(pool, id).await?;
    guest.room = room.to_owned();
    guest.save(pool).await
}

pub async fn touch(pool: &PgPool, id: i64) -> sqlx::Result<()> {
    let guest = Guest::find(pool, id).await?;
    guest.save(pool).await
}
"#;

fn findings(code: &str) -> Vec<Finding> {
    let manifest =
        "[package]\nname = \"inn\"\n\n[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n";
    let schema = "CREATE TABLE guests (id BIGINT PRIMARY KEY, name TEXT, room TEXT, phone TEXT, note TEXT);";
    let files = [("Cargo.toml", manifest), ("migrations/1.sql", schema), ("src/lib.rs", code)];
    let workspace = source::memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
    racelint::analyse(&workspace, &Config::default()).findings
}

/// The one finding that so many become, with the functions that it is told in as well.
fn gathered(code: &str, places: usize) -> (String, Vec<String>) {
    let found = findings(code);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(found.len(), places, "{messages:?}");
    let told = gather::by_helper(found);
    let [finding] = told.as_slice() else { panic!("{} findings", told.len()) };
    (finding.message.clone(), finding.callers.iter().map(|call| call.function.clone()).collect())
}

#[test]
fn callers_of_one_helper_are_one_finding() {
    let (told, callers) = gathered(CODE, 3);
    let message = "columns of the guests row are saved as they were read, here and in 2 other places, \
                   and what others write in between is undone; here what move_to writes to room";
    assert_eq!(told, message);
    assert_eq!(callers, ["inn::move_to", "inn::touch"]);
}

const CHECKED: &str = r#"
use sqlx::PgPool;

async fn room(pool: &PgPool, id: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT room FROM guests WHERE id = $1").bind(id).fetch_one(pool).await
}

async fn lodge(pool: &PgPool, id: i64, room: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE guests SET room = $2 WHERE id = $1").bind(id).bind(room).execute(pool).await?;
    Ok(())
}

pub async fn arrive(pool: &PgPool, id: i64, wish: &str) -> sqlx::Result<()> {
    if room(pool, id).await?.is_none() {
        lodge(pool, id, wish).await?;
    }
    Ok(())
}

pub async fn assign(pool: &PgPool, id: i64, free: &str) -> sqlx::Result<()> {
    if room(pool, id).await?.is_none() {
        lodge(pool, id, free).await?;
    }
    Ok(())
}
"#;

#[test]
fn checks_of_what_one_helper_reads_before_another_writes_are_one_finding() {
    let (told, callers) = gathered(CHECKED, 2);
    assert!(told.ends_with(", here and in 1 other place"), "{told}");
    assert_eq!(callers, ["inn::assign"]);
}

const SENT_BY_ONE: &str = r#"
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgPool, Postgres};

async fn room(pool: &PgPool, id: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT room FROM guests WHERE id = $1").bind(id).fetch_one(pool).await
}

async fn run(pool: &PgPool, query: Query<'_, Postgres, PgArguments>) -> sqlx::Result<()> {
    query.execute(pool).await?;
    Ok(())
}

pub async fn arrive(pool: &PgPool, id: i64, wish: &str) -> sqlx::Result<()> {
    if room(pool, id).await?.is_none() {
        run(pool, sqlx::query("UPDATE guests SET room = $2 WHERE id = $1").bind(id).bind(wish)).await?;
    }
    Ok(())
}

pub async fn arrive_late(pool: &PgPool, id: i64, wish: &str) -> sqlx::Result<()> {
    if room(pool, id).await?.is_none() {
        run(pool, sqlx::query("UPDATE guests SET room = $2, note = 'late' WHERE id = $1").bind(id).bind(wish)).await?;
    }
    Ok(())
}
"#;

#[test]
fn what_one_helper_sends_for_others_is_a_finding_for_each_statement() {
    let found = findings(SENT_BY_ONE);
    let places = |told: &[Finding]| told.iter().map(|finding| finding.function.clone()).collect::<Vec<_>>();
    let prints = |told: &[Finding]| told.iter().map(|finding| finding.fingerprint.clone()).collect::<Vec<_>>();
    assert_eq!(places(&found), ["inn::arrive", "inn::arrive_late"]);
    let told = gather::by_helper(found.clone());
    assert_eq!((places(&told), prints(&told)), (places(&found), prints(&found)));
    let (_, callers) = gathered(&SENT_BY_ONE.replace(", note = 'late'", ""), 2);
    assert_eq!(callers, ["inn::arrive_late"]);
}

const ONE_LOCK: &str = r#"
use sqlx::PgPool;
use tokio::sync::{Mutex, MutexGuard};

static WRITER: Mutex<()> = Mutex::const_new(());

async fn turn() -> MutexGuard<'static, ()> {
    WRITER.lock().await
}

pub async fn rename(pool: &PgPool, id: i64, name: &str) -> sqlx::Result<()> {
    let _turn = turn().await;
    sqlx::query("UPDATE guests SET name = $2 WHERE id = $1").bind(id).bind(name).execute(pool).await?;
    Ok(())
}

pub async fn sweep(pool: &PgPool, room: &str) -> sqlx::Result<()> {
    let _turn = turn().await;
    sqlx::query("UPDATE rooms SET clean = true WHERE name = $1").bind(room).execute(pool).await?;
    Ok(())
}
"#;

#[test]
fn the_tables_of_one_lock_are_one_finding() {
    let (told, callers) = gathered(ONE_LOCK, 2);
    assert_eq!(told, "the lock on 2 tables makes requests wait that want other rows");
    assert_eq!(callers.len(), 1);
}
