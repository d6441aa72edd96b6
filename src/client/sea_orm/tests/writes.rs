//! Writes and transactions.

use super::{case, same};

const READ: &str = "SELECT * FROM accounts WHERE id = $1";
const FOUND: &str = "let found = Accounts::find_by_id(id).one(db).await?.unwrap();";

#[test]
fn update_writes_what_was_set() {
    for change in [
        "let mut active: account::ActiveModel = found.into(); active.balance = Set(rest); active.update(db).await?;",
        "let mut active = found.into_active_model(); active.balance = ActiveValue::Set(rest); active.update(db).await?;",
        "let active = account::ActiveModel { balance: Set(rest), ..found.into() }; active.update(db).await?;",
        "account::ActiveModel { id: Unchanged(found.id), balance: Set(rest), ..Default::default() }.update(db).await?;",
        "let mut active = account::ActiveModel::from(found); active.balance = Set(rest); active.save(db).await?;",
    ] {
        let body = format!("{FOUND} let rest = found.balance - n; {change} Ok(())");
        let binds =
            same("id: i64, n: i64", &body, &[READ, "UPDATE accounts SET amount = $1 WHERE id = $2 RETURNING *"]);
        assert_eq!(binds[1], ["row.balance - n", "row.id"], "{change}");
    }
}

#[test]
fn what_a_conversion_gives_is_not_known() {
    let body = "account::ActiveModel { email: Set(mail), ..unknown::make(n).into() }.insert(db).await?; Ok(())";
    let insert = "INSERT INTO accounts (id, amount, opened_at, email) VALUES ($1, $2, $3, $4) RETURNING *";
    same("n: i64, mail: String", body, &[insert]);
    let body = "account::ActiveModel { email: Set(mail), ..Default::default() }.insert(db).await?; Ok(())";
    same("n: i64, mail: String", body, &["INSERT INTO accounts (email) VALUES ($1) RETURNING *"]);
}

#[test]
fn branches_set_more() {
    let body = format!(
        "{FOUND} let mut active = found.into_active_model();
         if let Some(mail) = mail {{ active.email = Set(mail); }}
         if n > 0 {{ active.balance = Set(n); }}
         active.update(db).await?; Ok(())"
    );
    same(
        "id: i64, n: i64, mail: Option<String>",
        &body,
        &[READ, "UPDATE accounts SET email = $1, amount = $2 WHERE id = $3 RETURNING *"],
    );
}

#[test]
fn insert_writes_unchanged_columns_too() {
    let body =
        "account::ActiveModel { email: Set(mail), balance: Set(0), ..Default::default() }.insert(db).await?; Ok(())";
    let sql = "INSERT INTO accounts (email, amount) VALUES ($1, 0) RETURNING *";
    let binds = same("mail: String", body, &[sql]);
    assert_eq!(binds, [["mail"]]);
    let body = format!(
        "{FOUND} let mut active = found.into_active_model(); active.balance = Set(1); active.insert(db).await?; Ok(())"
    );
    let sql = "INSERT INTO accounts (id, email, opened_at, amount) VALUES ($1, $2, $3, 1) RETURNING *";
    same("id: i64", &body, &[READ, sql]);
}

#[test]
fn save_without_a_key_inserts() {
    let body = "account::ActiveModel { email: Set(mail), ..Default::default() }.save(db).await?; Ok(())";
    same("mail: String", body, &["INSERT INTO accounts (email) VALUES ($1) RETURNING *"]);
}

#[test]
fn update_many() {
    let body = r#"
        let done = Accounts::update_many()
            .col_expr(account::Column::Balance, Expr::col(account::Column::Balance).sub(n))
            .filter(account::Column::Id.eq(id)).filter(account::Column::Balance.gte(n))
            .exec(db).await?;
        if done.rows_affected == 0 { return Err(DbErr::Custom("poor".into())); }
        Ok(())"#;
    let sql = "UPDATE accounts SET amount = accounts.amount - $1 WHERE id = $2 AND amount >= $3";
    let binds = same("id: i64, n: i64", body, &[sql]);
    assert_eq!(binds, [["n", "id", "n"]]);
    let body = r#"
        Bookings::update_many()
            .set(booking::ActiveModel { state: Set("taken".to_owned()), ..Default::default() })
            .filter(booking::Column::Seat.eq(id)).exec(db).await?; Ok(())"#;
    same("id: i64", body, &["UPDATE shop.bookings SET state = 'taken' WHERE seat = $1"]);
}

#[test]
fn update_one_with_a_guard() {
    let body = "
        let active = account::ActiveModel { id: Set(id), balance: Set(n), ..Default::default() };
        Accounts::update(active).filter(account::Column::Balance.lt(n)).exec(db).await?; Ok(())";
    same("id: i64, n: i64", body, &["UPDATE accounts SET amount = $1 WHERE id = $2 AND amount < $3 RETURNING *"]);
}

#[test]
fn conflicts() {
    let row = "let row = account::ActiveModel { email: Set(mail), balance: Set(n), ..Default::default() };";
    let head = "INSERT INTO accounts (email, amount) VALUES ($1, $2) ON CONFLICT (email)";
    for (conflict, clause) in [
        ("do_nothing()", "DO NOTHING"),
        ("update_columns([account::Column::Balance])", "DO UPDATE SET amount = excluded.amount"),
        (
            "value(account::Column::Balance, Expr::col((Accounts, account::Column::Balance)).add(1))",
            "DO UPDATE SET amount = accounts.amount + 1",
        ),
    ] {
        let body = format!(
            "{row} Accounts::insert(row).on_conflict(OnConflict::column(account::Column::Email).{conflict}.to_owned())
             .exec_without_returning(db).await?; Ok(())"
        );
        same("mail: String, n: i64", &body, &[&format!("{head} {clause}")]);
    }
}

#[test]
fn many_rows() {
    let body = "
        let rows = names.into_iter().map(|name| account::ActiveModel { email: Set(name), ..Default::default() });
        Accounts::insert_many(rows).exec_without_returning(db).await?; Ok(())";
    same("names: Vec<String>", body, &["INSERT INTO accounts (email) VALUES ($1)"]);
}

#[test]
fn deletes() {
    let body = format!("{FOUND} found.delete(db).await?; Ok(())");
    let binds = same("id: i64", &body, &[READ, "DELETE FROM accounts WHERE id = $1"]);
    assert_eq!(binds[1], ["row.id"]);
    same("id: i64", "Accounts::delete_by_id(id).exec(db).await?; Ok(())", &["DELETE FROM accounts WHERE id = $1"]);
    let body = "Bookings::delete_many().filter(booking::Column::AccountId.eq(id)).exec(db).await?; Ok(())";
    same("id: i64", body, &["DELETE FROM shop.bookings WHERE account_id = $1"]);
}

#[test]
fn sea_query_writes() {
    let body = r#"
        let update = Query::update().table(Jobs::Table).value(Jobs::TakenBy, n).and_where(Expr::col(Jobs::Id).eq(id)).to_owned();
        db.execute(db.get_database_backend().build(&update)).await?;
        let insert = Query::insert().into_table(Jobs::Table).columns([Jobs::Id, Jobs::State]).values_panic([id.into(), "new".into()]).to_owned();
        db.execute(insert.build(PostgresQueryBuilder)).await?;
        Ok(())"#;
    same(
        "id: i64, n: i64",
        body,
        &["UPDATE jobs SET worker = $1 WHERE id = $2", "INSERT INTO jobs (id, state) VALUES ($1, 'new')"],
    );
}

#[test]
fn transactions() {
    let body = format!(
        "let db = db.begin_with_config(Some(IsolationLevel::Serializable), None).await?; let db = &db; {FOUND} db.commit().await?; Ok(())"
    );
    assert_eq!(case("id: i64", &body).steering, ["begin Some(Serializable)", "commit"]);
    let body = "
        db.transaction::<_, (), DbErr>(|txn| Box::pin(async move {
            Accounts::find_by_id(id).lock_exclusive().one(txn).await?;
            Ok(())
        })).await?; Ok(())";
    let found = case("id: i64", body);
    assert_eq!(found.steering, ["begin None", "commit"]);
    assert_eq!(found.statements.len(), 1);
}

#[test]
fn conversions_of_the_program() {
    let body = "
        struct Visitor { mail: String }
        impl From<Visitor> for account::ActiveModel {
            fn from(visitor: Visitor) -> Self { Self { email: Set(visitor.mail), ..Default::default() } }
        }
        account::ActiveModel::from(Visitor { mail }).insert(db).await?; Ok(())";
    let binds = same("mail: String", body, &["INSERT INTO accounts (email) VALUES ($1) RETURNING *"]);
    assert_eq!(binds, [["mail"]]);
}

#[test]
fn wrappers_of_a_connection_are_handles() {
    let body = "
        struct Db(DatabaseConnection);
        impl ConnectionTrait for Db {
            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> { self.0.execute_unprepared(sql).await }
        }
        async fn clear(db: &Db) { db.execute_unprepared(\"DELETE FROM jobs\").await; }
        clear(&Db(db.clone())).await; Ok(())";
    same("", body, &["DELETE FROM jobs"]);
}

#[test]
fn helpers_keep_what_was_set() {
    let body = "
        async fn store<C: ConnectionTrait>(db: &C, active: account::ActiveModel) -> Result<(), DbErr> {
            active.insert(db).await?; Ok(())
        }
        store(db, account::ActiveModel { id: Set(id), email: Set(mail), balance: Set(0), opened_at: Set(None) }).await?; Ok(())";
    let binds = same(
        "id: i64, mail: String",
        body,
        &["INSERT INTO accounts (id, email, amount, opened_at) VALUES ($1, $2, 0, NULL) RETURNING *"],
    );
    assert_eq!(binds, [["id", "mail"]]);
}
