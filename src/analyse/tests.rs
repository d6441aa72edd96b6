//! Workspaces of several packages.

use super::*;
use crate::finding::Confidence;

#[test]
fn each_package_finds_its_tables_where_databases_of_two_engines_share_a_workspace() {
    let manifest = |name: &str, engine: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n[dependencies]\nsqlx = {{ version = \"0.8\", features = [\"{engine}\"] }}\n"
        )
    };
    let code = r#"
        pub async fn enqueue(pool: &sqlx::PgPool, room: i64) -> sqlx::Result<()> {
            let waiting: Option<i64> =
                sqlx::query_scalar("SELECT id FROM tours WHERE room = $1").bind(room).fetch_optional(pool).await?;
            if waiting.is_none() {
                sqlx::query("INSERT INTO tours (room) VALUES ($1)").bind(room).execute(pool).await?;
            }
            Ok(())
        }
    "#;
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"desk\", \"guide\"]\n".to_owned()),
        ("desk/Cargo.toml", manifest("desk", "sqlite")),
        ("desk/migrations/sqlite/1_keys.sql", "CREATE TABLE keys (id INTEGER PRIMARY KEY);".to_owned()),
        ("desk/src/lib.rs", String::new()),
        ("guide/Cargo.toml", manifest("guide", "postgres")),
        (
            "guide/migrations_pg/1_tours.sql",
            "CREATE TABLE tours (id BIGSERIAL PRIMARY KEY, room BIGINT NOT NULL);".to_owned(),
        ),
        ("guide/src/lib.rs", code.to_owned()),
    ];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
    let found = analyse(&crate::source::memory(files), &Config::default()).findings;
    let told: Vec<_> = found.iter().map(|finding| (finding.rule, finding.confidence)).collect();
    assert_eq!(told, [("check-then-insert", Confidence::High)]);
}

#[test]
fn the_connection_that_a_function_is_handed_says_which_engine_it_is() {
    let manifest = "[package]\nname = \"farm\"\nversion = \"1.0.0\"\n[dependencies]\n\
                    diesel = { version = \"2\", features = [\"sqlite\"] }\nmysql_async = \"0.34\"\n";
    let code = r#"
        use diesel::prelude::*;
        diesel::table! { jars (shelf) { shelf -> Text, jam -> BigInt, } }
        pub fn add(c: &mut SqliteConnection, shelf: &str, spoons: i64) -> QueryResult<()> {
            let jar = jars::table.filter(jars::shelf.eq(shelf));
            let jam = jar.select(jars::jam).first::<i64>(c)?;
            diesel::update(jar).set(jars::jam.eq(jam + spoons)).execute(c)?;
            Ok(())
        }
    "#;
    let files = [("Cargo.toml", manifest), ("src/lib.rs", code)];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let found = analyse(&crate::source::memory(files), &Config::default()).findings;
    let told: Vec<_> = found.iter().map(|finding| finding.judged_for.as_str()).collect();
    assert!(matches!(told.as_slice(), [one] if one.starts_with("SQLite")), "{told:?}");
}

#[test]
fn a_row_is_not_read_from_one_database_and_written_to_another() {
    let manifest = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\n[dependencies]\n\
                    sqlx = { version = \"0.8\", features = [\"sqlite\", \"postgres\"] }\n";
    let code = r#"
        use sqlx::{PgPool, Result, SqlitePool};
        pub struct Store { lite: SqlitePool, large: PgPool }
        fn small() -> bool { std::env::var("SMALL").is_ok() }
        impl Store {
            async fn used(&self, code: &str) -> Result<i64> {
                if small() {
                    return sqlx::query_scalar("SELECT used FROM coupons WHERE code = $1").bind(code).fetch_one(&self.lite).await;
                }
                sqlx::query_scalar("SELECT used FROM coupons WHERE code = $1").bind(code).fetch_one(&self.large).await
            }
            async fn save(&self, code: &str, used: i64) -> Result<()> {
                if small() {
                    sqlx::query("UPDATE coupons SET used = $1 WHERE code = $2").bind(used).bind(code).execute(&self.lite).await?;
                } else {
                    sqlx::query("UPDATE coupons SET used = $1 WHERE code = $2").bind(used).bind(code).execute(&self.large).await?;
                }
                Ok(())
            }
            pub async fn redeem(&self, code: &str) -> Result<()> {
                let used = self.used(code).await?;
                self.save(code, used + 1).await
            }
        }
    "#;
    let files = [("Cargo.toml", manifest), ("src/lib.rs", code)];
    let workspace = crate::source::memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
    let found = analyse(&workspace, &Config::default()).findings;
    assert!(!found.is_empty());
    for finding in found {
        let lines = finding.labels.iter().map(|label| {
            let text = &workspace.file(label.span.file).text;
            let end = text[label.span.at.end as usize..]
                .find(';')
                .map_or(text.len(), |more| label.span.at.end as usize + more);
            &text[label.span.at.start as usize..end]
        });
        let pools: std::collections::BTreeSet<_> =
            lines.flat_map(|line| ["self.lite", "self.large"].into_iter().filter(|pool| line.contains(pool))).collect();
        assert_eq!(pools.len(), 1, "{}: {pools:?}", finding.judged_for);
    }
}

fn found_in(files: &[(&str, &str)]) -> Analysis {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    analyse(&crate::source::memory(files.collect()), &Config::default())
}

#[test]
fn a_package_is_known_by_the_name_of_its_library() {
    let wallets = r#"
        #[derive(sqlx::FromRow)]
        pub struct Wallet { pub id: i64, pub coins: i64 }
        impl Wallet {
            pub async fn find(pool: &sqlx::PgPool, id: i64) -> sqlx::Result<Self> {
                sqlx::query_as("SELECT id, coins FROM wallets WHERE id = $1").bind(id).fetch_one(pool).await
            }
            pub async fn keep(&self, pool: &sqlx::PgPool, coins: i64) -> sqlx::Result<()> {
                sqlx::query("UPDATE wallets SET coins = $1 WHERE id = $2").bind(coins).bind(self.id).execute(pool).await?;
                Ok(())
            }
        }
    "#;
    let spend = r#"
        use ledger::Wallet;
        pub async fn spend(pool: &sqlx::PgPool, id: i64, price: i64) -> sqlx::Result<bool> {
            let wallet = Wallet::find(pool, id).await?;
            if wallet.coins < price { return Ok(false); }
            wallet.keep(pool, wallet.coins - price).await?;
            Ok(true)
        }
    "#;
    let sqlx = "sqlx = { version = \"0.8\", features = [\"postgres\"] }\n";
    let wallets_manifest = format!("[package]\nname = \"wallets\"\n[lib]\nname = \"ledger\"\n[dependencies]\n{sqlx}");
    for (dependency, code) in [
        ("wallets = { path = \"../wallets\" }", spend.to_owned()),
        ("purse = { package = \"wallets\", path = \"../wallets\" }", spend.replace("ledger", "purse")),
    ] {
        let desk_manifest = format!("[package]\nname = \"desk\"\n[dependencies]\n{sqlx}{dependency}\n");
        let found = found_in(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"desk\", \"wallets\"]\n"),
            ("desk/Cargo.toml", &desk_manifest),
            ("desk/src/lib.rs", &code),
            ("wallets/Cargo.toml", &wallets_manifest),
            ("wallets/src/lib.rs", wallets),
        ]);
        assert_eq!(found.findings.len(), 1, "{dependency}");
    }
}

#[test]
fn a_client_of_which_no_statement_was_seen_is_told() {
    let manifest = "[package]\nname = \"desk\"\n[dependencies]\nsqlx = \"0.8\"\n";
    let silent = "pub fn run(query: house::Query) { query.go() }";
    let told = found_in(&[("Cargo.toml", manifest), ("src/lib.rs", silent)]).notices;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].kind, told[0].path.as_str()), (NoticeKind::Unseen, "Cargo.toml"));
    assert!(told[0].text.starts_with("sqlx is a dependency, and no statement was found"), "{}", told[0].text);
    let speaking = "pub async fn run(pool: &sqlx::PgPool) { sqlx::query(\"DELETE FROM desks\").execute(pool).await; }";
    assert!(found_in(&[("Cargo.toml", manifest), ("src/lib.rs", speaking)]).notices.is_empty());
    let without = "[package]\nname = \"desk\"\n";
    assert!(found_in(&[("Cargo.toml", without), ("src/lib.rs", silent)]).notices.is_empty());
}

#[test]
fn what_a_row_type_of_another_crate_sends_is_told_not_to_be_read() {
    let manifest = "[package]\nname = \"port\"\n[dependencies]\nsqlx = \"0.8\"\nquay-core = \"1\"\n";
    let code = r#"
        use quay_core::prelude::*;
        use sqlx::SqlitePool;
        pub async fn take(pool: &SqlitePool, id: i64) -> sqlx::Result<()> {
            let mut berth = sqlx::query_as::<_, Berth>("SELECT * FROM berths WHERE id = ?1").bind(id).fetch_one(pool).await?;
            berth.taken = true;
            berth.update(pool).await?;
            let other = Berth::by_id(pool, id + 1).await?;
            other.paint("white");
            Ok(())
        }
    "#;
    let found = found_in(&[("Cargo.toml", manifest), ("src/lib.rs", code)]);
    let told: Vec<&str> = found.notices.iter().map(|notice| notice.text.as_str()).collect();
    let text = "rows are read into Berth, which another crate declares; it is called with a connection 2 times, and what \
                that sends is not read";
    assert_eq!((told, found.counts.unknown), (vec![text], 2));
    let own = code.replace("pub async fn take", "pub struct Berth { taken: bool }\n pub async fn take");
    assert!(found_in(&[("Cargo.toml", manifest), ("src/lib.rs", &own)]).notices.is_empty());
}

#[test]
fn what_is_lost_of_a_row_that_is_saved_whole_is_what_others_write() {
    let manifest = "[package]\nname = \"club\"\nversion = \"1.0.0\"\n[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n";
    let table = "CREATE TABLE members (id BIGINT PRIMARY KEY, mail TEXT NOT NULL, mail_hash TEXT, logins BIGINT NOT NULL, misses BIGINT NOT NULL);";
    let code = r#"
        use sqlx::{FromRow, PgPool, Result};
        #[derive(FromRow)]
        pub struct Member { id: i64, mail: String, logins: i64, misses: i64 }
        async fn find(pool: &PgPool, id: i64) -> Result<Member> {
            sqlx::query_as("SELECT id, mail, logins, misses FROM members WHERE id = $1").bind(id).fetch_one(pool).await
        }
        async fn save(pool: &PgPool, member: &Member) -> Result<()> {
            let hash = hashed(&member.mail);
            sqlx::query("UPDATE members SET mail = $2, mail_hash = $3, logins = $4, misses = $5 WHERE id = $1")
                .bind(member.id).bind(&member.mail).bind(hash).bind(member.logins).bind(member.misses)
                .execute(pool).await?;
            Ok(())
        }
        pub async fn rename(pool: &PgPool, id: i64, mail: String) -> Result<()> {
            let mut member = find(pool, id).await?;
            member.mail = mail;
            save(pool, &member).await
        }
        pub async fn enter(pool: &PgPool, id: i64) -> Result<()> {
            let mut member = find(pool, id).await?;
            member.logins += 1;
            save(pool, &member).await
        }
        pub async fn miss(pool: &PgPool, id: i64) -> Result<()> {
            sqlx::query("UPDATE members SET misses = misses + 1 WHERE id = $1").bind(id).execute(pool).await?;
            Ok(())
        }
        pub async fn note(pool: &PgPool, id: i64) -> Result<()> {
            sqlx::query("UPDATE members SET logins = logins + 1 WHERE id = $1").bind(id).execute(pool).await?;
            Ok(())
        }
    "#;
    let files = [("Cargo.toml", manifest), ("migrations/1.sql", table), ("src/lib.rs", code)];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let found = analyse(&crate::source::memory(files), &Config::default()).findings;
    let told: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    let saved = "columns of the members row are saved as they were read, and what note writes to logins, or others write to \
                 misses, in between is undone";
    let computed = "two requests can compute members.logins from the same old row, and one of the two updates is lost";
    assert_eq!(told, [saved, computed]);
}

#[test]
fn a_method_that_nobody_calls_writes_nothing() {
    let manifest = "[package]\nname = \"board\"\nversion = \"1.0.0\"\n[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n";
    let table = "CREATE TABLE notices (id BIGINT PRIMARY KEY, member_id BIGINT NOT NULL, seen BOOLEAN NOT NULL);";
    let code = r#"
        use std::sync::Arc;

        use async_trait::async_trait;
        use axum::extract::{Path, State};
        use sqlx::{FromRow, PgPool};

        #[derive(FromRow)]
        pub struct Notice {
            id: i64,
            member_id: i64,
            seen: bool,
        }

        #[async_trait]
        pub trait Notices: Send + Sync {
            async fn find(&self, id: i64) -> sqlx::Result<Notice>;
            async fn see(&self, notice: &Notice) -> sqlx::Result<()>;
            async fn save(&self, notice: &Notice) -> sqlx::Result<()>;
        }

        pub struct PgNotices {
            pool: PgPool,
        }

        #[async_trait]
        impl Notices for PgNotices {
            async fn find(&self, id: i64) -> sqlx::Result<Notice> {
                sqlx::query_as("SELECT id, member_id, seen FROM notices WHERE id = $1").bind(id).fetch_one(&self.pool).await
            }

            async fn see(&self, notice: &Notice) -> sqlx::Result<()> {
                sqlx::query("UPDATE notices SET seen = true WHERE id = $1").bind(notice.id).execute(&self.pool).await?;
                Ok(())
            }

            async fn save(&self, notice: &Notice) -> sqlx::Result<()> {
                sqlx::query("UPDATE notices SET seen = $2 WHERE id = $1").bind(notice.id).bind(notice.seen).execute(&self.pool).await?;
                Ok(())
            }
        }

        async fn see(State(notices): State<Arc<dyn Notices>>, Path(id): Path<i64>) -> Result<(), String> {
            let notice = notices.find(id).await.map_err(|error| error.to_string())?;
            if notice.seen {
                return Ok(());
            }
            notices.see(&notice).await.map_err(|error| error.to_string())
        }

        #[tokio::main]
        async fn main() {
            let pool = PgPool::connect("postgres://localhost/site").await.unwrap();
            let notices: Arc<dyn Notices> = Arc::new(PgNotices { pool });
            let app = axum::Router::new().route("/notices/{id}", axum::routing::post(see)).with_state(notices);
            axum::serve(listener().await, app).await.unwrap();
        }
    "#;
    let files = [("Cargo.toml", manifest), ("migrations/1.sql", table), ("src/main.rs", code)];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let found = analyse(&crate::source::memory(files), &Config::default()).findings;
    let told: Vec<&str> = found.iter().filter(|one| one.confidence > Confidence::Low).map(|one| one.rule).collect();
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn a_part_of_a_struct_with_a_transaction_is_in_it_and_of_others_nobody_knows() {
    let manifest = "[package]\nname = \"stalls\"\nversion = \"1.0.0\"\n[dependencies]\n\
                    sqlx = { version = \"0.8\", features = [\"postgres\"] }\n";
    let stalls = r#"
        pub struct Stalls<C> { conn: C }
        impl<C: AsMut<sqlx::PgConnection>> Stalls<C> {
            async fn melons(&mut self, id: i64) -> sqlx::Result<i64> {
                sqlx::query_scalar("SELECT melons FROM stalls WHERE id = $1").bind(id).fetch_one(self.conn.as_mut()).await
            }
            async fn sell(&mut self, id: i64) -> sqlx::Result<()> {
                sqlx::query("UPDATE stalls SET melons = melons - 1 WHERE id = $1").bind(id).execute(self.conn.as_mut()).await?;
                Ok(())
            }
        }
    "#;
    let buy = |head: &str| {
        format!(
            "{stalls} pub async fn buy<C: AsMut<sqlx::PgConnection>>({head} if stalls.melons(id).await? > 0 {{ stalls.sell(id).await?; }} Ok(()) }}"
        )
    };
    let begun =
        "pool: &sqlx::PgPool, id: i64) -> sqlx::Result<()> { let mut stalls = Stalls { conn: pool.begin().await? };";
    let handed = "stalls: &mut Stalls<C>, id: i64) -> sqlx::Result<()> {";
    for (head, expected) in [(begun, "PostgreSQL, READ COMMITTED"), (handed, "PostgreSQL, no transaction in sight")] {
        let files = [("Cargo.toml", manifest.to_owned()), ("src/lib.rs", buy(head))];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
        let found = analyse(&crate::source::memory(files), &Config::default()).findings;
        let told: Vec<&str> = found.iter().map(|finding| finding.judged_for.as_str()).collect();
        assert_eq!(told, [expected], "{head}");
    }
}

#[test]
fn programs_that_have_nothing_to_do_with_each_other_have_tables_of_the_same_name() {
    let manifest = |name: &str, beside: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n[dependencies]\n{beside}\nsqlx = {{ version = \"0.8\", features = [\"postgres\"] }}\n"
        )
    };
    let code = r#"
        pub async fn strike(pool: &sqlx::PgPool, year: i32) -> sqlx::Result<()> {
            let known: Option<i64> =
                sqlx::query_scalar("SELECT id FROM coins WHERE year = $1").bind(year).fetch_optional(pool).await?;
            if known.is_none() {
                sqlx::query("INSERT INTO coins (year) VALUES ($1)").bind(year).execute(pool).await?;
            }
            Ok(())
        }
    "#;
    let told = |code_in: &str| {
        let mut files = vec![
            ("Cargo.toml".to_owned(), "[workspace]\nmembers = [\"mint\", \"mint-tables\", \"till\"]\n".to_owned()),
            ("mint/Cargo.toml".to_owned(), manifest("mint", "mint-tables = { path = \"../mint-tables\" }")),
            ("mint-tables/Cargo.toml".to_owned(), manifest("mint-tables", "")),
            ("mint-tables/src/lib.rs".to_owned(), String::new()),
            (
                "mint-tables/migrations/1.sql".to_owned(),
                "CREATE TABLE coins (id BIGSERIAL PRIMARY KEY, year INT NOT NULL UNIQUE);".to_owned(),
            ),
            ("till/Cargo.toml".to_owned(), manifest("till", "")),
            (
                "till/migrations/1.sql".to_owned(),
                "CREATE TABLE coins (id BIGSERIAL PRIMARY KEY, year INT NOT NULL);".to_owned(),
            ),
        ];
        for package in ["mint", "till"] {
            let text = if package == code_in { code } else { "" };
            files.push((format!("{package}/src/lib.rs"), text.to_owned()));
        }
        let found = analyse(&crate::source::memory(files), &Config::default()).findings;
        found.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(told("till"), ["check-then-insert"]);
    assert!(told("mint").is_empty());
}

#[test]
fn what_is_built_for_an_engine_is_judged_for_it() {
    let manifest = |default: &str| {
        format!(
            "[package]\nname = \"shop\"\nversion = \"1.0.0\"\n[dependencies]\nsqlx = {{ version = \"0.8\" }}\n[features]\n\
             default = [{default}]\nlarge = [\"sqlx/postgres\"]\nsmall = [\"sqlx/sqlite\"]\n"
        )
    };
    let body = r#"
            let mut tx = db.begin().await?;
            let used: i64 = sqlx::query_scalar("SELECT used FROM coupons WHERE code = $1").bind(code).fetch_one(&mut *tx).await?;
            sqlx::query("UPDATE coupons SET used = $1 WHERE code = $2").bind(used + 1).bind(code).execute(&mut *tx).await?;
            tx.commit().await
    "#;
    let function =
        |body: &str| format!("pub async fn redeem(db: &sqlx::Pool<Db>, code: &str) -> sqlx::Result<()> {{ {body} }}");
    let told = |default: &str, code: &str| {
        found_in(&[("Cargo.toml", &manifest(default)), ("src/lib.rs", code)]).findings.len()
    };
    let plain = function(body);
    assert_eq!([told("\"large\"", &plain), told("\"small\"", &plain), told("", &plain)], [1, 0, 1]);
    let only_large = format!("#[cfg(feature = \"large\")] {plain}");
    let only_small = format!("#[cfg(feature = \"small\")] {plain}");
    assert_eq!([told("\"small\"", &only_large), told("\"large\"", &only_small)], [1, 0]);
    let chosen = function(&format!("if cfg!(feature = \"small\") {{ {body} }} else {{ Ok(()) }}"));
    let not_chosen = function(&format!("if cfg!(not(feature = \"small\")) {{ {body} }} else {{ Ok(()) }}"));
    assert_eq!([told("\"large\"", &chosen), told("\"small\"", &chosen)], [0, 0]);
    assert_eq!([told("\"large\"", &not_chosen), told("\"small\"", &not_chosen)], [1, 1]);
    let statement =
        function(&format!("#[cfg(feature = \"small\")] {{ {body} }} #[cfg(not(feature = \"small\"))] Ok(())"));
    assert_eq!([told("\"large\"", &statement), told("\"small\"", &statement)], [0, 0]);
    let other = function(&format!("if cfg!(feature = \"loud\") {{ {body} }} else {{ Ok(()) }}"));
    assert_eq!([told("\"large\"", &other), told("\"small\"", &other)], [1, 0]);
}

#[test]
fn a_sql_file_that_the_program_takes_in_is_one_of_its_steps() {
    let manifest = "[package]\nname = \"lab\"\nversion = \"1.0.0\"\n[dependencies]\nrusqlite = \"0.32\"\n";
    let tables = "CREATE TABLE dials (id INTEGER PRIMARY KEY, name TEXT, reading TEXT);";
    let code = r#"
        use rusqlite::{Connection, OptionalExtension, Result};
        const TABLES: &str = include_str!("./schema.sql");
        pub fn prepare(conn: &Connection) -> Result<()> {
            conn.execute_batch(TABLES)?;
            conn.execute_batch(
                "CREATE TABLE new_dials (id INTEGER PRIMARY KEY, name TEXT UNIQUE, reading TEXT NOT NULL);
                 INSERT OR IGNORE INTO new_dials SELECT id, name, reading FROM dials;
                 DROP TABLE dials;
                 ALTER TABLE new_dials RENAME TO dials;",
            )
        }
        pub fn first(conn: &Connection, name: &str) -> Result<()> {
            let known: Option<String> =
                conn.query_row("SELECT reading FROM dials WHERE name = ?1", [name], |row| row.get(0)).optional()?;
            if known.is_none() {
                conn.execute("INSERT INTO dials (name, reading) VALUES (?1, 'zero')", [name])?;
            }
            Ok(())
        }
    "#;
    let rules = |code: &str| {
        let found = found_in(&[("Cargo.toml", manifest), ("src/lib.rs", code), ("src/schema.sql", tables)]);
        found.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert!(rules(code).is_empty());
    assert_eq!(rules(&code.replace("TEXT UNIQUE", "TEXT")), ["check-then-insert"]);
}
