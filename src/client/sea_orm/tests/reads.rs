//! Reads.

use super::{case, same};

#[test]
fn by_primary_key() {
    let sql = ["SELECT * FROM accounts WHERE id = $1"];
    let binds = same("id: i64", "account::Entity::find_by_id(id).one(db).await?; Ok(())", &sql);
    assert_eq!(binds, [["id"]]);
    same("id: i64", "Accounts::find_by_id(id).one(db).await?; Ok(())", &sql);
    same("id: i64", "prelude::Accounts::find_by_id(id).one(db).await?; Ok(())", &sql);
    same("id: i64", "use account::Entity as A; A::find_by_id(id).one(db).await?; Ok(())", &sql);
    same("id: i64", "<account::Entity as EntityTrait>::find_by_id(id).one(db).await?; Ok(())", &sql);
}

#[test]
fn by_composite_key() {
    let body = "Bookings::find_by_id((id, seat)).one(db).await?; Ok(())";
    let binds = same("id: i64, seat: i64", body, &["SELECT * FROM shop.bookings WHERE account_id = $1 AND seat = $2"]);
    assert_eq!(binds, [["id", "seat"]]);
}

#[test]
fn filters() {
    let body = r#"
        Accounts::find()
            .filter(account::Column::Balance.gte(n))
            .filter(account::Column::Email.ne("x").and(account::Column::OpenedAt.is_null()))
            .order_by_asc(account::Column::Id)
            .limit(10)
            .all(db).await?; Ok(())"#;
    let sql = "SELECT * FROM accounts WHERE amount >= $1 AND email <> 'x' AND opened_at IS NULL ORDER BY id LIMIT 10";
    let binds = same("n: i64", body, &[sql]);
    assert_eq!(binds, [["n"]]);
}

#[test]
fn conditions() {
    let body = r#"
        let any = Condition::any().add(account::Column::Balance.lt(n)).add(account::Column::Email.like("a%"));
        Accounts::find()
            .filter(Condition::all().add(any).add_option(None).add(account::Column::Id.is_in([1, 2])))
            .all(db).await?; Ok(())"#;
    let sql = "SELECT * FROM accounts WHERE (amount < $1 OR email LIKE 'a%') AND id IN ('1', '2')";
    same("n: i64", body, &[sql]);
}

#[test]
fn first_of_many_has_a_limit() {
    let body = r#"Bookings::find().filter(booking::Column::State.eq("free")).one(db).await?; Ok(())"#;
    same("", body, &["SELECT * FROM shop.bookings WHERE state = 'free' LIMIT 1"]);
    let body = "Accounts::find().filter(account::Column::Email.eq(mail)).one(db).await?; Ok(())";
    same("mail: String", body, &["SELECT * FROM accounts WHERE email = $1"]);
}

#[test]
fn counts_and_sums() {
    let body = "Bookings::find().filter(booking::Column::AccountId.eq(id)).count(db).await?; Ok(())";
    same("id: i64", body, &["SELECT COUNT(*) FROM shop.bookings WHERE account_id = $1"]);
    let body = r#"Accounts::find().select_only().column_as(account::Column::Balance.sum(), "n").into_tuple::<i64>().one(db).await?; Ok(())"#;
    same("", body, &["SELECT SUM(amount) FROM accounts"]);
}

#[test]
fn locks() {
    let plain = "SELECT * FROM accounts WHERE id = $1";
    for (call, lock) in [
        ("lock_exclusive()", "FOR UPDATE"),
        ("lock_shared()", "FOR SHARE"),
        ("lock(LockType::NoKeyUpdate)", "FOR NO KEY UPDATE"),
        ("lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)", "FOR UPDATE SKIP LOCKED"),
    ] {
        let body = format!("Accounts::find_by_id(id).{call}.one(db).await?; Ok(())");
        same("id: i64", &body, &[&format!("{plain} {lock}")]);
    }
}

#[test]
fn joins() {
    let joined =
        "SELECT * FROM shop.bookings LEFT JOIN accounts ON bookings.account_id = accounts.id WHERE state = 'x'";
    let body =
        r#"Bookings::find().filter(booking::Column::State.eq("x")).find_also_related(Accounts).all(db).await?; Ok(())"#;
    same("", body, &[joined]);
    let inner =
        "SELECT * FROM shop.bookings JOIN accounts ON bookings.account_id = accounts.id WHERE accounts.amount > $1";
    let body = "Bookings::find().join(JoinType::InnerJoin, booking::Relation::Account.def()).filter(account::Column::Balance.gt(n)).all(db).await?; Ok(())";
    same("n: i64", body, &[inner]);
}

#[test]
fn related_rows() {
    let body =
        "let a = Accounts::find_by_id(id).one(db).await?.unwrap(); a.find_related(Bookings).all(db).await?; Ok(())";
    let sql = ["SELECT * FROM accounts WHERE id = $1", "SELECT * FROM shop.bookings WHERE account_id = $1"];
    let binds = same("id: i64", body, &sql);
    assert_eq!(binds[1], ["row.id"]);
}

#[test]
fn queries_finished_elsewhere() {
    let body = "
        fn rich(query: Select<account::Entity>, n: i64) -> Select<account::Entity> { query.filter(account::Column::Balance.gt(n)) }
        account::Entity::open().lock_exclusive().all(db).await?;
        Ok(())";
    same("", body, &["SELECT * FROM accounts WHERE opened_at IS NOT NULL FOR UPDATE"]);
}

#[test]
fn queries_built_in_branches() {
    let body = "
        let mut query = Accounts::find();
        if n > 3 { query = query.filter(account::Column::Balance.gt(n)); }
        query.all(db).await?; Ok(())";
    same("n: i64", body, &["SELECT * FROM accounts WHERE amount > $1", "SELECT * FROM accounts"]);
}

#[test]
fn raw_statements() {
    let body = r#"db.query_one(Statement::from_sql_and_values(DbBackend::Postgres, "SELECT amount FROM accounts WHERE id = $1", [id.into()])).await?; Ok(())"#;
    let binds = same("id: i64", body, &["SELECT amount FROM accounts WHERE id = $1"]);
    assert_eq!(binds, [["id"]]);
    let body = r#"Accounts::find().from_raw_sql(Statement::from_string(DbBackend::Postgres, "SELECT * FROM accounts")).all(db).await?; Ok(())"#;
    same("", body, &["SELECT * FROM accounts"]);
}

#[test]
fn sea_query_select_is_changed_in_place() {
    let body = r#"
        let mut query = Query::select();
        query.column(Jobs::Id).from(Jobs::Table).and_where(Expr::col(Jobs::State).eq("queued"));
        query.limit(1).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        db.query_one(db.get_database_backend().build(&query)).await?; Ok(())"#;
    same("", body, &["SELECT id FROM jobs WHERE state = 'queued' LIMIT 1 FOR UPDATE SKIP LOCKED"]);
}

#[test]
fn the_statement_inside_is_changed_in_place() {
    let body = "
        let mut select = Bookings::find()
            .filter(all![booking::Column::State.eq(state), any![booking::Column::Seat.is_null(), booking::Column::Seat.lt(n)]])
            .order_by_asc(booking::Column::Seat).limit(1);
        QuerySelect::query(&mut select).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        select.one(db).await?; Ok(())";
    let sql = "SELECT * FROM shop.bookings WHERE state = $1 AND (seat IS NULL OR seat < $2)
        ORDER BY seat LIMIT 1 FOR UPDATE SKIP LOCKED";
    same("state: String, n: i64", body, &[sql]);
}

#[test]
fn pages() {
    let body = "let pages = Accounts::find().order_by_asc(account::Column::Id).paginate(db, 20); pages.fetch_page(0).await?; pages.num_items().await?; Ok(())";
    same("", body, &["SELECT * FROM accounts ORDER BY id LIMIT 20", "SELECT COUNT(*) FROM accounts"]);
}

#[test]
fn look_alikes_are_silent() {
    let body = r#"
        let map = std::collections::HashMap::from([(1, 2)]);
        map.get(&1);
        let list = vec![1, 2, 3];
        list.iter().filter(|n| **n > 1).find(|n| **n > 2);
        list.iter().all(|n| *n > 0);
        list.iter().count();
        let set = Settings::find().one(&map);
        Ok(())"#;
    assert!(case("", body).statements.is_empty());
}
