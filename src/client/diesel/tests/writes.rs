//! Writes.

use super::{binds, says};

fn writes(write: &str, sql: &str) {
    let uses = "use crate::schema::*;";
    let given = "conn: &mut PgConnection, a: i64, b: i64, row: Account, seat: Seat, rows: Vec<Account>";
    says(&format!("{uses} fn f({given}) {{ {write}; }}"), sql);
}

#[test]
fn updates() {
    writes(
        "diesel::update(accounts::table.find(a)).set(accounts::balance.eq(accounts::balance - b)).execute(conn)",
        "UPDATE accounts SET balance = balance - $1 WHERE id = $2",
    );
    writes(
        "diesel::update(accounts::table.filter(accounts::id.eq(a)).filter(accounts::balance.ge(b)))
             .set((accounts::balance.eq(b), accounts::note.eq(None::<String>))).execute(conn)",
        "UPDATE accounts SET balance = $1, note = NULL WHERE id = $2 AND balance >= $3",
    );
    writes(
        "diesel::update(accounts::table).filter(accounts::id.eq(a)).set(accounts::note.eq(\"x\")).execute(conn)",
        "UPDATE accounts SET note = 'x' WHERE id = $1",
    );
    writes(
        "diesel::update(accounts::table.find(a)).set(accounts::balance.eq(b)).returning(accounts::version).get_result::<i64>(conn)",
        "UPDATE accounts SET balance = $1 WHERE id = $2 RETURNING version",
    );
    writes(
        "diesel::update(accounts::table.find(a)).set(accounts::balance.eq(b)).get_result::<Account>(conn)",
        "UPDATE accounts SET balance = $1 WHERE id = $2 RETURNING *",
    );
}

#[test]
fn a_row_writes_every_column() {
    let all = "UPDATE accounts SET owner_id = $1, balance = $2, note = $3, version = $4 WHERE id = $5";
    writes("diesel::update(accounts::table.find(row.id)).set(&row).execute(conn)", all);
    writes("diesel::update(&row).set(&row).execute(conn)", all);
    writes("row.save_changes::<Account>(conn)", &format!("{all} RETURNING *"));
    writes(
        "diesel::update(&seat).set(seats::taken_by.eq(a)).execute(conn)",
        "UPDATE seats SET taken_by = $1 WHERE show_id = $2 AND number = $3",
    );
    says(
        "impl Account { fn f(&self, conn: &mut PgConnection) { diesel::update(self).set(self).execute(conn); } }",
        all,
    );
}

#[test]
fn a_form_writes_what_it_holds() {
    writes(
        "diesel::update(accounts::table.find(a)).set(AccountForm { balance: Some(b), version: None }).execute(conn)",
        "UPDATE accounts SET balance = $1 WHERE id = $2",
    );
    writes(
        "diesel::update(accounts::table.find(a)).set(&AccountForm { balance: Some(b), ..Default::default() }).execute(conn)",
        "UPDATE accounts SET balance = $1 WHERE id = $2",
    );
}

#[test]
fn what_was_read_is_what_is_written() {
    assert_eq!(
        binds(
            "use crate::schema::*;
             fn f(conn: &mut PgConnection, a: i64) {
                 let mut row: Account = accounts::table.find(a).first(conn).unwrap();
                 row.balance -= 1;
                 diesel::update(&row).set(&row).execute(conn);
             }"
        ),
        "p1; row.owner_id, -(row.balance, 1), row.note, row.version, row.id"
    );
}

#[test]
fn a_row_of_unknown_type_writes_every_column() {
    writes(
        "diesel::update(accounts::table.find(a)).set(AccountDb::to_db(&row)).execute(conn)",
        "UPDATE accounts SET owner_id = $1, balance = $2, note = $3, version = $4 WHERE id = $5",
    );
    says(
        "use crate::schema::*;
         fn store(conn: &mut PgConnection, row: impl AsChangeset) { diesel::update(counters::table.find(\"x\")).set(row).execute(conn); }
         fn f(conn: &mut PgConnection, a: i64) { store(conn, counters::n.eq(a)); }",
        "UPDATE counters SET n = $1 WHERE name = 'x'",
    );
}

#[test]
fn a_form_that_is_handed_over_writes_what_is_given() {
    says(
        "use crate::schema::*;
         fn change(conn: &mut PgConnection, id: i64, form: &AccountForm) {
             diesel::update(accounts::table.find(id)).set(form).execute(conn);
         }
         fn f(conn: &mut PgConnection, a: i64, b: i64) {
             let form = AccountForm { balance: Some(b), ..Default::default() };
             change(conn, a, &form);
         }",
        "UPDATE accounts SET balance = $1 WHERE id = $2",
    );
}

#[test]
fn deletes() {
    writes("diesel::delete(accounts::table.find(a)).execute(conn)", "DELETE FROM accounts WHERE id = $1");
    writes("diesel::delete(&row).execute(conn)", "DELETE FROM accounts WHERE id = $1");
}

#[test]
fn inserts() {
    let two = "INSERT INTO accounts (owner_id, note) VALUES ($1, 'x')";
    writes(
        "diesel::insert_into(accounts::table).values((accounts::owner_id.eq(a), accounts::note.eq(\"x\"))).execute(conn)",
        two,
    );
    writes(
        "diesel::insert_into(accounts::table).values(&NewAccount { owner_id: a, remark: \"x\" }).execute(conn)",
        two,
    );
    writes("NewAccount { owner_id: a, remark: \"x\" }.insert_into(accounts::table).execute(conn)", two);
    writes(
        "diesel::insert_into(accounts::table).values(vec![NewAccount { owner_id: a, remark: \"x\" }]).execute(conn)",
        two,
    );
    writes(
        "diesel::insert_into(accounts::table).values(accounts::owner_id.eq(a)).get_result::<Account>(conn)",
        "INSERT INTO accounts (owner_id) VALUES ($1) RETURNING *",
    );
    writes(
        "diesel::insert_into(accounts::table).values(&rows).execute(conn)",
        "INSERT INTO accounts (id, owner_id, balance, note, version) VALUES ($1, $2, $3, $4, $5)",
    );
}

#[test]
fn conflicts() {
    writes(
        "diesel::insert_into(counters::table).values(counters::n.eq(a)).on_conflict(counters::name).do_nothing().execute(conn)",
        "INSERT INTO counters (n) VALUES ($1) ON CONFLICT (name) DO NOTHING",
    );
    writes(
        "diesel::insert_into(counters::table).values(counters::n.eq(a)).on_conflict_do_nothing().execute(conn)",
        "INSERT INTO counters (n) VALUES ($1) ON CONFLICT DO NOTHING",
    );
    writes(
        "diesel::insert_into(counters::table).values((counters::name.eq(\"x\"), counters::n.eq(1))).on_conflict(counters::name)
             .do_update().set(counters::n.eq(counters::n + 1)).filter(counters::n.lt(b)).execute(conn)",
        "INSERT INTO counters (name, n) VALUES ('x', 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1 WHERE counters.n < $1",
    );
    writes(
        "diesel::insert_into(seats::table).values(seats::taken_by.eq(a)).on_conflict((seats::show_id, seats::number))
             .do_update().set(seats::taken_by.eq(diesel::upsert::excluded(seats::taken_by))).execute(conn)",
        "INSERT INTO seats (taken_by) VALUES ($1) ON CONFLICT (show_id, number) DO UPDATE SET taken_by = excluded.taken_by",
    );
    writes(
        "diesel::insert_into(counters::table).values(counters::n.eq(a))
             .on_conflict(diesel::upsert::on_constraint(\"one\")).do_nothing().execute(conn)",
        "INSERT INTO counters (n) VALUES ($1) ON CONFLICT ON CONSTRAINT one DO NOTHING",
    );
    writes(
        "diesel::replace_into(counters::table).values((counters::name.eq(\"x\"), counters::n.eq(a))).execute(conn)",
        "REPLACE INTO counters (name, n) VALUES ('x', $1)",
    );
    writes(
        "diesel::insert_or_ignore_into(counters::table).values(counters::n.eq(a)).execute(conn)",
        "INSERT OR IGNORE INTO counters (n) VALUES ($1)",
    );
}

#[test]
fn sql_text() {
    writes(
        "diesel::sql_query(\"UPDATE accounts SET balance = balance - $1 WHERE id = $2\").bind::<BigInt, _>(a).bind::<BigInt, _>(b).execute(conn)",
        "UPDATE accounts SET balance = balance - $1 WHERE id = $2",
    );
    writes(
        "diesel::sql_query(\"SELECT balance FROM accounts WHERE id = $1\").bind::<BigInt, _>(a).get_result::<Account>(conn)",
        "SELECT balance FROM accounts WHERE id = $1",
    );
    writes("conn.batch_execute(\"DELETE FROM accounts\")", "DELETE FROM accounts");
}
