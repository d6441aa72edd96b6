//! What calls of the clients mean, told by the dump of small functions.

mod support;

use std::path::Path;

use racelint::config::{self, Config};
use racelint::dump;
use racelint::span::FileId;
use support::memory;

fn dumped(code: &str, packages: &[&str]) -> String {
    dumped_with(code, packages, &Config::default())
}

fn dumped_with(code: &str, packages: &[&str], config: &Config) -> String {
    let workspace = memory::package(&[("src/lib.rs", code)], packages);
    dump::file(&workspace, config, FileId(0))
}

/// The events of the only function, without their numbers.
fn events(dump: &str) -> Vec<&str> {
    let lines = dump.lines().skip(1).take_while(|line| !line.starts_with("  c") && !line.starts_with("  returns"));
    lines.map(|line| line.trim_start().split_once(' ').map_or(line, |(_, event)| event)).collect()
}

#[test]
fn one_guard_is_one_connection_and_two_guards_are_two() {
    let dump = dumped(
        r#"
        use rusqlite::Connection;
        use std::sync::Mutex;
        pub fn f(db: &Mutex<Connection>, id: i64) {
            {
                let conn = db.lock().unwrap();
                conn.execute("UPDATE a SET x = 1 WHERE id = ?1", [id]).unwrap();
                conn.execute("UPDATE b SET x = 1 WHERE id = ?1", [id]).unwrap();
            }
            db.lock().unwrap().execute("UPDATE c SET x = 1 WHERE id = ?1", [id]).unwrap();
        }
        "#,
        &["rusqlite"],
    );
    assert!(dump.contains("update a[id = param id] set x = '1' on connection(?)  holding param db"), "{dump}");
    let workspace = memory::package(
        &[(
            "src/lib.rs",
            r#"
            use rusqlite::Connection;
            use std::sync::Mutex;
            pub fn f(db: &Mutex<Connection>, id: i64) {
                let first = db.lock().unwrap();
                let n: i64 = first.query_row("SELECT x FROM a WHERE id = ?1", [id], |r| r.get(0)).unwrap();
                drop(first);
                let second = db.lock().unwrap();
                second.execute("UPDATE a SET x = ?1 WHERE id = ?2", (n + 1, id)).unwrap();
            }
            pub fn g(db: &Mutex<Connection>, id: i64) {
                let conn = db.lock().unwrap();
                let n: i64 = conn.query_row("SELECT x FROM a WHERE id = ?1", [id], |r| r.get(0)).unwrap();
                conn.execute("UPDATE a SET x = ?1 WHERE id = ?2", (n + 1, id)).unwrap();
            }
            "#,
        )],
        &["rusqlite"],
    );
    let analysis = racelint::analyse(&workspace, &Config::default());
    let found: Vec<_> = analysis.findings.iter().map(|finding| finding.function.as_str()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("f"), "{found:?}");
}

#[test]
fn hiqlite_sends_from_its_client() {
    let dump = dumped(
        r#"
        use hiqlite::{Client, macros::params};
        pub async fn f(client: &Client, id: String) -> anyhow::Result<()> {
            let row: Row = client.query_as_one("SELECT id, n FROM a WHERE id = $1", params!(&id)).await?;
            client.execute("UPDATE a SET n = $1 WHERE id = $2", params!(row.n + 1, id)).await?;
            Ok(())
        }
        "#,
        &["hiqlite"],
    );
    let expected = [
        "read a[id = param id] {id, n} on pool(param client)",
        "update a[id = param id] set n = (row e1.n + 1) on pool(param client)",
    ];
    assert_eq!(events(&dump), expected, "{dump}");
}

#[test]
fn a_closure_on_the_connections_thread_has_it_alone() {
    let code = r#"
        use tokio_rusqlite::Connection;
        pub async fn f(db: &Connection, id: i64) {
            db.call(move |conn| {
                let n: i64 = conn.query_row("SELECT x FROM a WHERE id = ?1", [id], |r| r.get(0))?;
                conn.execute("UPDATE a SET x = ?1 WHERE id = ?2", (n + 1, id))?;
                Ok(())
            })
            .await
            .unwrap();
        }
    "#;
    let workspace = memory::package(&[("src/lib.rs", code)], &["tokio_rusqlite", "rusqlite"]);
    let dump = dump::file(&workspace, &Config::default(), FileId(0));
    assert!(dump.contains("holding param db"), "{dump}");
    assert!(racelint::analyse(&workspace, &Config::default()).findings.is_empty());
}

#[test]
fn columns_reach_what_is_made_of_them() {
    let dump = dumped(
        r#"
        use tokio_postgres::Client;
        pub async fn f(client: &Client, id: i64) -> anyhow::Result<()> {
            let row = client.query_one("SELECT a, b, c, d FROM t WHERE id = $1", &[&id]).await?;
            let (a, b): (i64, i64) = (row.get("a"), row.try_get(1)?);
            client.execute("UPDATE t SET a = $1, b = $2 WHERE id = $3", &[&(a + 1), &b, &id]).await?;
            Ok(())
        }
        "#,
        &["tokio_postgres"],
    );
    assert!(dump.contains("set a = (row e1.a + 1), b = row e1.1 on"), "{dump}");
    let dump = dumped(
        r#"
        use mysql::prelude::*;
        use mysql::{Conn, Row, from_row, params};
        pub fn f(conn: &mut Conn, id: i64) -> mysql::Result<()> {
            let rows: Vec<Row> = conn.exec("SELECT a, b FROM t WHERE id = :id", params! { id })?;
            for row in rows {
                let (a, b): (i64, i64) = from_row(row);
                conn.exec_drop("UPDATE t SET a = ?, b = ? WHERE id = ?", (a, b, id))?;
            }
            let mut last: Row = conn.exec_first("SELECT a FROM t WHERE id = :id", params! { "id" => id })?.unwrap();
            let a: i64 = last.take("a").unwrap();
            conn.exec_drop("UPDATE t SET a = ?", (a,))
        }
        "#,
        &["mysql"],
    );
    assert!(dump.contains("read t[id = param id]"), "{dump}");
    assert!(dump.contains("set a = row e1.0, b = row e1.1"), "{dump}");
    assert!(dump.contains("set a = row e3"), "{dump}");
}

#[test]
fn counts_are_those_of_the_last_statement() {
    for (code, package) in [
        (
            r#"
            use rusqlite::Connection;
            pub fn f(conn: &Connection, id: i64) -> u64 {
                conn.execute("UPDATE a SET x = 1 WHERE id = ?1", [id]).unwrap();
                conn.execute("UPDATE b SET x = 1 WHERE id = ?1", [id]).unwrap();
                conn.changes()
            }
            "#,
            "rusqlite",
        ),
        (
            r#"
            use mysql::prelude::Queryable;
            pub fn f(conn: &mut mysql::Conn, id: i64) -> u64 {
                conn.exec_drop("UPDATE a SET x = 1 WHERE id = ?", (id,)).unwrap();
                conn.exec_drop("UPDATE b SET x = 1 WHERE id = ?", (id,)).unwrap();
                conn.affected_rows()
            }
            "#,
            "mysql",
        ),
    ] {
        let dump = dumped(code, &[package]);
        assert!(dump.contains("returns count e2\n"), "{dump}");
    }
}

#[test]
fn transactions_begin_as_they_were_asked_to() {
    let cases = [
        (
            "fn f(c: &mut rusqlite::Connection) { let tx = c.transaction().unwrap(); tx.commit().unwrap(); }",
            "begin deferred",
        ),
        (
            "fn f(c: &mut rusqlite::Connection) { \
             let tx = c.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap(); tx.commit().unwrap(); }",
            "begin immediate",
        ),
        (
            "fn f(c: &mut rusqlite::Connection) { \
             let tx = rusqlite::Transaction::new(c, rusqlite::TransactionBehavior::Exclusive).unwrap(); tx.commit().unwrap(); }",
            "begin exclusive",
        ),
        (
            "fn f(c: &mut rusqlite::Connection) { \
             c.set_transaction_behavior(rusqlite::TransactionBehavior::Immediate); \
             let tx = c.transaction().unwrap(); tx.commit().unwrap(); }",
            "begin immediate",
        ),
        (
            "async fn f(c: &mut tokio_postgres::Client) { let tx = c.build_transaction().read_only(false) \
             .isolation_level(tokio_postgres::IsolationLevel::Serializable).start().await.unwrap(); \
             tx.commit().await.unwrap(); }",
            "begin SERIALIZABLE",
        ),
        (
            "use mysql::{TxOpts, IsolationLevel}; fn f(c: &mut mysql::PooledConn) { \
             let o = TxOpts::default().set_isolation_level(Some(IsolationLevel::ReadCommitted)); \
             let tx = c.start_transaction(o).unwrap(); tx.commit().unwrap(); }",
            "begin READ COMMITTED",
        ),
    ];
    for (code, expected) in cases {
        let dump = dumped(code, &["rusqlite", "tokio_postgres", "mysql"]);
        let events = events(&dump);
        assert!(events.first().is_some_and(|event| event.starts_with(expected)), "{expected}: {dump}");
        assert!(events.iter().any(|event| event.starts_with("commit")), "{dump}");
    }
}

#[test]
fn what_only_looks_like_a_client_is_silent() {
    let dump = dumped(
        r#"
        use std::collections::HashMap;
        pub struct Cache { map: HashMap<String, i64> }
        impl Cache {
            pub fn f(&mut self, key: &str, redis: &mut redis::Connection, log: &Log) -> i64 {
                let n = self.map.get(key).copied().unwrap_or(0);
                let _: i64 = redis.get("select").unwrap();
                let first = self.map.iter().find(|(_, v)| **v > 1).map(|(k, _)| k.clone());
                log.execute("nothing of a statement", &[]);
                log.query("update available", &[]);
                self.map.insert(first.unwrap_or_default(), n + 1);
                n
            }
        }
        "#,
        &["tokio_postgres", "rusqlite", "mysql"],
    );
    assert_eq!(dump, "");
}

#[test]
fn a_wrapper_is_read_by_its_own_table() {
    let config = config::parse(
        r#"
        [[client]]
        name = "ledger"
        crate = "ledger_db"
        [[client.call]]
        method = "fetch"
        on = "Db"
        sql = 0
        gives = "option"
        [[client.call]]
        method = "begin"
        on = "Db"
        kind = "begin"
        [[client.call]]
        method = "finish"
        kind = "commit"
        [[client.call]]
        method = "load_account"
        kind = "read"
        table = "accounts"
        [[client.call]]
        method = "store_account"
        kind = "write"
        table = "accounts"
        "#,
        "racelint.toml",
        Path::new("/"),
        &[],
    )
    .unwrap();
    let code = r#"
        use ledger_db::Db;
        pub fn f(db: &Db, id: i64) {
            let tx = db.begin();
            let found = tx.fetch("SELECT x FROM a WHERE id = $1 FOR UPDATE", id);
            let account = ledger_db::load_account(&tx, id);
            if account.is_some() {
                ledger_db::store_account(&tx, id, found);
            }
            tx.finish();
        }
    "#;
    let dump = dumped_with(code, &["ledger_db"], &config);
    let events = events(&dump);
    assert_eq!(
        events,
        [
            "begin on handle(param db)",
            "read a[id = param id] {x} for update on tx1  in tx1(default level)",
            "read accounts[? = param id] {*} on tx1  in tx1(default level)",
            "update accounts[? = param id] set ? = row e2 on tx1  in tx1(default level)  if c1",
            "commit on tx1",
        ],
        "{dump}"
    );
    assert_eq!(dumped(code, &["ledger_db"]), "");
}

#[test]
fn a_library_that_another_one_hands_on_is_itself() {
    let dump = dumped(
        r#"
        use rocket_db_pools::{sqlx, Connection, Database};
        #[derive(Database)]
        #[database("shop")]
        pub struct Db(pub sqlx::SqlitePool);
        pub async fn f(id: i64, mut db: Connection<Db>) {
            sqlx::query!("UPDATE a SET x = 1 WHERE id = ?", id).execute(&mut *db).await.ok();
        }
        "#,
        &["rocket_db_pools"],
    );
    assert!(dump.contains("update a[id = param id] set x = '1' on connection(param db)"), "{dump}");
}

#[test]
fn async_bb8_diesel_sends_with_a_name_behind() {
    let dump = dumped(
        r#"
        use async_bb8_diesel::{AsyncConnection, AsyncRunQueryDsl, ConnectionManager};
        use diesel::prelude::*;
        diesel::table! { a (id) { id -> BigInt, x -> BigInt, } }
        pub async fn f(pool: &bb8::Pool<ConnectionManager<PgConnection>>, id: i64) -> anyhow::Result<()> {
            let x: i64 = a::table.find(id).select(a::x).get_result_async(&*pool.get().await?).await?;
            diesel::update(a::table.find(id)).set(a::x.eq(x + 1)).execute_async(&*pool.get().await?).await?;
            Ok(())
        }
        "#,
        &["diesel", "async_bb8_diesel"],
    );
    let events = events(&dump);
    assert!(events.iter().any(|event| event.starts_with("read a[id = param id]")), "{dump}");
    assert!(events.iter().any(|event| event.starts_with("update a[id = param id] set x = ")), "{dump}");
}
