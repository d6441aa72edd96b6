//! Transactions, pools, and handles.

use super::listing;

const STEP: &str =
    "diesel::update(crate::schema::accounts::table.find(1)).set(crate::schema::accounts::balance.eq(2)).execute(c)";

fn told(head: &str, body: &str) -> String {
    listing(&format!("{head} {{ {} }}", body.replace("STEP", STEP)))
}

#[test]
fn closures_run_inside() {
    let plain = "Begin None Plain; Update accounts; Commit";
    let sync = "fn f(conn: &mut PgConnection)";
    assert_eq!(told(sync, "conn.transaction(|c| { STEP?; Ok(()) })"), plain);
    assert_eq!(told(sync, "conn.transaction::<_, Error, _>(|c| STEP)"), plain);
    assert_eq!(
        told(
            "async fn f(conn: &mut diesel_async::AsyncPgConnection)",
            "conn.transaction(|c| async move { STEP.await?; Ok(()) }.scope_boxed()).await"
        ),
        plain
    );
    assert_eq!(
        told(
            "async fn f(conn: &mut diesel_async::AsyncPgConnection)",
            "conn.transaction(|c| Box::pin(async move { STEP.await })).await"
        ),
        plain
    );
    assert_eq!(
        told("async fn f(conn: &mut diesel_async::AsyncPgConnection)", "conn.transaction(async |c| STEP.await).await"),
        plain
    );
    assert_eq!(
        told(
            "async fn f(conn: &mut diesel_async::AsyncPgConnection)",
            "conn.transaction_async_with_retry(|c| async move { STEP.await }, || async { true }).await"
        ),
        plain
    );
    assert_eq!(told(sync, "conn.immediate_transaction(|c| STEP)"), "Begin None Immediate; Update accounts; Commit");
    assert_eq!(told(sync, "conn.exclusive_transaction(|c| STEP)"), "Begin None Exclusive; Update accounts; Commit");
    assert_eq!(
        told(sync, "conn.build_transaction().serializable().read_write().run(|c| STEP)"),
        "Begin Some(Serializable) Plain; Update accounts; Commit"
    );
    assert_eq!(
        told(sync, "conn.build_transaction().repeatable_read().run(|c| STEP)"),
        "Begin Some(RepeatableRead) Plain; Update accounts; Commit"
    );
}

#[test]
fn connections_come_from_many_places() {
    let plain = "Begin None Plain; Update accounts; Commit";
    let within = "conn.transaction(|c| STEP)";
    for (head, body) in [
        (
            "fn f(pool: &diesel::r2d2::Pool<diesel::r2d2::ConnectionManager<PgConnection>>)",
            format!("let conn = &mut pool.get().unwrap(); {within}"),
        ),
        (
            "fn f(pool: &r2d2::Pool<diesel::r2d2::ConnectionManager<PgConnection>>)",
            format!("let mut conn = pool.get()?; {within}"),
        ),
        ("fn f(conn: &mut impl Connection)", within.to_owned()),
        ("fn f(conn: std::sync::Mutex<PgConnection>)", format!("let conn = &mut *conn.lock().unwrap(); {within}")),
        ("struct DbConn(PgConnection); fn f(conn: &DbConn)", within.to_owned()),
        (
            "fn f(conn: deadpool_diesel::postgres::Object)",
            "conn.interact(|conn| conn.transaction(|c| STEP)).await".to_owned(),
        ),
        (
            "#[database(\"pg\")] struct Db(PgConnection); fn f(db: Db)",
            "db.run(|conn| conn.transaction(|c| STEP)).await".to_owned(),
        ),
    ] {
        assert_eq!(told(head, &body).trim_start_matches("Locked; "), plain, "{head}");
    }
}

#[test]
fn macros_for_several_engines() {
    assert_eq!(
        told("fn f(conn: &mut DbConn)", "per_backend! { conn: { let c = conn; STEP.map_res() } }"),
        "Update accounts"
    );
}

#[test]
fn a_transaction_by_its_manager() {
    for manager in
        ["diesel::connection::AnsiTransactionManager", "<PgConnection as diesel::Connection>::TransactionManager"]
    {
        assert_eq!(
            told(
                "fn f(c: &mut PgConnection)",
                &format!("{manager}::begin_transaction(c)?; STEP; {manager}::commit_transaction(c)")
            ),
            "Begin None Plain; Update accounts; Commit",
            "{manager}"
        );
    }
}

#[test]
fn a_transaction_in_sql() {
    assert_eq!(
        told("fn f(c: &mut PgConnection)", "c.batch_execute(\"BEGIN IMMEDIATE\")?; STEP; c.batch_execute(\"COMMIT\")"),
        "Begin None Immediate; Update accounts; Commit"
    );
}
