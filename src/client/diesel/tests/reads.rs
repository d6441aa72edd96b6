//! Queries.

use super::{binds, listing, says};

fn reads(query: &str, sql: &str) {
    let uses = "use crate::schema::*;";
    says(&format!("{uses} fn f(conn: &mut PgConnection, a: i64, b: i64) {{ {query}; }}"), sql);
}

#[test]
fn a_key_is_looked_up() {
    reads("accounts::table.find(a).get_result::<Account>(conn)", "SELECT * FROM accounts WHERE id = $1");
    reads("accounts::table.find(a).first::<Account>(conn)", "SELECT * FROM accounts WHERE id = $1");
    reads("seats::table.find((a, b)).first::<Seat>(conn)", "SELECT * FROM seats WHERE show_id = $1 AND number = $2");
}

#[test]
fn tables_and_columns_have_many_names() {
    let sql = "SELECT * FROM accounts WHERE balance > $1";
    for code in [
        "fn f(conn: &mut PgConnection, a: i64) { use crate::schema::accounts::dsl::*; accounts.filter(balance.gt(a)).load::<Account>(conn); }",
        "use crate::schema::accounts; fn f(conn: &mut PgConnection, a: i64) { accounts::table.filter(accounts::balance.gt(a)).load::<Account>(conn); }",
        "use crate::schema::accounts::{self, dsl}; fn f(conn: &mut PgConnection, a: i64) { dsl::accounts.filter(dsl::balance.gt(a)).load::<Account>(conn); }",
        "fn f(conn: &mut PgConnection, a: i64) { use crate::schema::accounts; use crate::schema::accounts::dsl::*; accounts.filter(balance.gt(a)).load::<Account>(conn); }",
        "use crate::schema::*; fn f(conn: &mut PgConnection, a: i64) { use self::accounts::dsl::*; accounts.filter(balance.gt(a)).load::<Account>(conn); }",
        "fn f(conn: &mut PgConnection, a: i64) { schema::accounts::table.filter(schema::accounts::columns::balance.gt(a)).load::<Account>(conn); }",
        "use crate::schema::accounts::dsl as acc; fn f(conn: &mut PgConnection, a: i64) { acc::accounts.filter(acc::balance.gt(a)).load::<Account>(conn); }",
        "use crate::schema::accounts as renamed; fn f(conn: &mut PgConnection, a: i64) { renamed::dsl::accounts.filter(renamed::balance.gt(a)).load::<Account>(conn); }",
    ] {
        says(code, sql);
    }
    reads("owners::table.filter(owners::type_.eq(\"x\")).load(conn)", "SELECT * FROM pg.owners WHERE \"type\" = 'x'");
}

#[test]
fn a_derived_query_reads_its_model() {
    let asks = |model: &str, query: &str| {
        format!(
            "use crate::schema::{{accounts, owners}}; #[derive(HasQuery)] {model} pub struct Holding {{ pub id: i64, pub balance: i64 }}
             fn f(conn: &mut PgConnection, a: i64) {{ {query}; }}"
        )
    };
    says(
        &asks("#[diesel(table_name = accounts)]", "Holding::query().filter(accounts::owner_id.eq(a)).load(conn)"),
        "SELECT id, balance FROM accounts WHERE owner_id = $1",
    );
    let joined =
        "#[diesel(base_query = accounts::table.inner_join(owners::table.on(accounts::owner_id.eq(owners::id))))]";
    let told = listing(&asks(joined, "Holding::query().filter(owners::id.eq(a)).load(conn)"));
    assert_eq!(told, "Select accounts, owners");
}

#[test]
fn a_join_with_what_nobody_knows_still_reads_the_rest() {
    reads(
        "accounts::table.left_join(elsewhere::table_of(a)).filter(accounts::owner_id.eq(b)).load(conn)",
        "SELECT * FROM accounts WHERE owner_id = $1",
    );
}

#[test]
fn conditions() {
    reads(
        "accounts::table.filter(accounts::owner_id.eq(a).and(accounts::balance.ge(b))).filter(accounts::note.is_null()).load(conn)",
        "SELECT * FROM accounts WHERE owner_id = $1 AND balance >= $2 AND note IS NULL",
    );
    reads(
        "accounts::table.filter(accounts::owner_id.eq(a).or(accounts::balance.lt(b))).load(conn)",
        "SELECT * FROM accounts WHERE owner_id = $1 OR balance < $2",
    );
    reads(
        "accounts::table.filter(accounts::owner_id.eq(a)).or_filter(accounts::balance.lt(b)).load(conn)",
        "SELECT * FROM accounts WHERE owner_id = $1 OR balance < $2",
    );
    reads(
        "accounts::table.filter(diesel::dsl::not(accounts::owner_id.eq(a))).load(conn)",
        "SELECT * FROM accounts WHERE owner_id <> $1",
    );
    reads(
        "accounts::table.filter(accounts::owner_id.eq_any(vec![a, b])).load(conn)",
        "SELECT * FROM accounts WHERE owner_id = ANY($1)",
    );
    reads(
        "accounts::table.filter(accounts::balance.between(a, b)).load(conn)",
        "SELECT * FROM accounts WHERE balance BETWEEN $1 AND $2",
    );
    reads(
        "accounts::table.filter(accounts::note.like(\"x%\")).load(conn)",
        "SELECT * FROM accounts WHERE note LIKE 'x%'",
    );
    reads(
        "accounts::table.filter(accounts::balance.gt(accounts::version + 1)).load(conn)",
        "SELECT * FROM accounts WHERE balance > version + 1",
    );
}

#[test]
fn what_is_selected() {
    reads(
        "accounts::table.find(a).select((accounts::balance, accounts::version)).first::<(i64, i64)>(conn)",
        "SELECT balance, version FROM accounts WHERE id = $1",
    );
    reads(
        "accounts::table.find(a).select(Account::as_select()).first(conn)",
        "SELECT id, owner_id, balance, note, version FROM accounts WHERE id = $1",
    );
    reads(
        "Purse::query().filter(accounts::owner_id.eq(a)).for_update().load(conn)",
        "SELECT id, balance FROM accounts WHERE owner_id = $1 FOR UPDATE",
    );
    reads(
        "accounts::table.filter(accounts::owner_id.eq(a)).count().get_result::<i64>(conn)",
        "SELECT count(*) FROM accounts WHERE owner_id = $1",
    );
    reads(
        "accounts::table.select(diesel::dsl::max(accounts::version)).first::<Option<i64>>(conn)",
        "SELECT max(version) FROM accounts LIMIT 1",
    );
    reads(
        "accounts::table.select(diesel::dsl::count_star()).first::<i64>(conn)",
        "SELECT count(*) FROM accounts LIMIT 1",
    );
    reads(
        "diesel::select(diesel::dsl::exists(accounts::table.filter(accounts::owner_id.eq(a)))).get_result::<bool>(conn)",
        "SELECT EXISTS (SELECT * FROM accounts WHERE owner_id = $1)",
    );
}

#[test]
fn order_limit_and_locks() {
    reads(
        "accounts::table.order(accounts::id.asc()).limit(1).for_update().skip_locked().first::<Account>(conn)",
        "SELECT * FROM accounts ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    );
    reads(
        "accounts::table.find(a).for_no_key_update().no_wait().first::<Account>(conn)",
        "SELECT * FROM accounts WHERE id = $1 FOR NO KEY UPDATE NOWAIT",
    );
    reads(
        "accounts::table.find(a).for_key_share().first::<Account>(conn)",
        "SELECT * FROM accounts WHERE id = $1 FOR KEY SHARE",
    );
    reads(
        "accounts::table.into_boxed().limit(20).offset(3).for_share().load::<Account>(conn)",
        "SELECT * FROM accounts LIMIT 20 FOR SHARE",
    );
}

#[test]
fn joins_and_sub_queries() {
    reads(
        "accounts::table.inner_join(owners::table).filter(owners::type_.eq(\"x\")).load::<(Account, Owner)>(conn)",
        "SELECT * FROM accounts JOIN pg.owners ON accounts.owner_id = owners.id WHERE owners.\"type\" = 'x'",
    );
    reads(
        "accounts::table.left_join(counters::table.on(counters::n.eq(accounts::version))).select(accounts::id).load::<i64>(conn)",
        "SELECT accounts.id FROM accounts LEFT JOIN counters ON counters.n = accounts.version",
    );
    reads(
        "accounts::table.filter(accounts::owner_id.eq_any(owners::table.select(owners::id))).load::<Account>(conn)",
        "SELECT * FROM accounts WHERE owner_id IN (SELECT id FROM pg.owners)",
    );
}

#[test]
fn associations() {
    says(
        "fn f(conn: &mut PgConnection, owner: Owner) { OwnedAccount::belonging_to(&owner).load::<OwnedAccount>(conn); }",
        "SELECT * FROM accounts WHERE owner_id = $1",
    );
}

#[test]
fn a_missing_row_is_an_error_unless_it_is_optional() {
    let told = |call: &str| {
        listing(&format!(
            "use crate::schema::*; fn f(conn: &mut PgConnection, a: i64) {{ accounts::table.find(a).{call}; }}"
        ))
    };
    assert_eq!(told("first::<Account>(conn)?"), "Select accounts!");
    assert_eq!(told("first::<Account>(conn).optional()?"), "Select accounts");
    assert_eq!(told("load::<Account>(conn)?"), "Select accounts");
}

#[test]
fn columns_of_a_row_keep_their_names() {
    let update = "diesel::update(accounts::table.find(a)).set(accounts::balance.eq(seen)).execute(conn);";
    let told = |read: &str| {
        binds(&format!("use crate::schema::*; fn f(conn: &mut PgConnection, a: i64) {{ {read} {update} }}"))
    };
    let pair = "accounts::table.find(a).select((accounts::version, accounts::balance)).first(conn)";
    assert_eq!(told(&format!("let (_, seen): (i64, i64) = {pair}.unwrap();")), "p1; row.balance, p1");
    assert_eq!(told(&format!("let seen = {pair}.unwrap().0;")), "p1; row.version, p1");
    assert_eq!(
        told("let seen = accounts::table.find(a).first::<(i64, i64, i64)>(conn).unwrap().2;"),
        "p1; row.balance, p1"
    );
    assert_eq!(
        told(
            "let both: (Account, Owner) = accounts::table.inner_join(owners::table).first(conn).unwrap(); let seen = both.0.balance;"
        ),
        "; row.balance, p1"
    );
}

#[test]
fn queries_are_handed_around() {
    says(
        "use crate::schema::accounts;
         fn rich(min: i64) -> accounts::BoxedQuery<'static, diesel::pg::Pg> { accounts::table.filter(accounts::balance.ge(min)).into_boxed() }
         fn f(conn: &mut PgConnection, a: i64, b: i64) { rich(a).filter(accounts::owner_id.eq(b)).load::<Account>(conn); }",
        "SELECT * FROM accounts WHERE balance >= $1 AND owner_id = $2",
    );
    assert_eq!(
        binds(
            "use crate::schema::accounts;
             fn rich(min: i64) -> _ { accounts::table.filter(accounts::balance.ge(min)) }
             fn f(conn: &mut PgConnection, a: i64, b: i64) { rich(b).load::<Account>(conn); }"
        ),
        "p2"
    );
}

#[test]
fn extension_methods_go_on_with_a_query() {
    for head in [
        "impl<T> Rich for T where T: QueryDsl",
        "impl Rich for accounts::BoxedQuery<'_, diesel::pg::Pg>",
        "impl Rich for accounts::table",
    ] {
        says(
            &format!(
                "use crate::schema::accounts;
                 trait Rich {{ fn rich(self, min: i64) -> Self; }}
                 {head} {{ fn rich(self, min: i64) -> Self {{ self.filter(accounts::balance.ge(min)) }} }}
                 fn f(conn: &mut PgConnection, a: i64) {{ accounts::table.into_boxed().rich(a).load::<Account>(conn); }}"
            ),
            "SELECT * FROM accounts WHERE balance >= $1",
        );
    }
}

#[test]
fn functions_may_finish_any_query() {
    let code = "use crate::schema::accounts;
         fn one<Q: LoadQuery>(conn: &mut PgConnection, query: Q) -> Account { query.for_update().first(conn).unwrap() }
         fn f(conn: &mut PgConnection, a: i64) { one(conn, accounts::table.find(a)); }";
    says(code, "SELECT * FROM accounts WHERE id = $1 FOR UPDATE");
    assert_eq!(binds(code), "p1");
}

#[test]
fn conditions_are_handed_around() {
    says(
        "use crate::schema::accounts;
         type Mine = diesel::dsl::Eq<accounts::owner_id, i64>;
         fn mine(owner: i64) -> Mine { accounts::owner_id.eq(owner) }
         impl Account { fn all() -> diesel::dsl::Select<accounts::table, _> { accounts::table.select(Account::as_select()) } }
         fn f(conn: &mut PgConnection, a: i64) { Account::all().filter(mine(a)).load(conn); }",
        "SELECT id, owner_id, balance, note, version FROM accounts WHERE owner_id = $1",
    );
}

#[test]
fn a_table_may_stand_twice() {
    reads(
        "let other = diesel::alias!(accounts as other); accounts::table
             .inner_join(other.on(other.field(accounts::owner_id).eq(accounts::id))).select(accounts::id).load::<i64>(conn)",
        "SELECT accounts.id FROM accounts JOIN accounts AS other ON other.owner_id = accounts.id",
    );
}

#[test]
fn branches_give_variants() {
    assert_eq!(
        listing(
            "use crate::schema::accounts;
             fn f(conn: &mut PgConnection, a: i64, lock: bool) {
                 let query = if lock { accounts::table.find(a).into_boxed() } else { accounts::table.into_boxed() };
                 query.load::<Account>(conn);
             }"
        ),
        "Select accounts; Select accounts"
    );
}

#[test]
fn many_optional_filters_do_not_multiply() {
    let filters: String =
        (0..12).map(|_| "if let Some(n) = wanted { query = query.filter(accounts::balance.eq(n)); } ").collect();
    let told = listing(&format!(
        "use crate::schema::accounts;
         fn f(conn: &mut PgConnection, wanted: Option<i64>) {{
             let mut query = accounts::table.into_boxed(); {filters} query.load::<Account>(conn);
         }}"
    ));
    assert!(told.matches("Select").count() <= 4, "{told}");
}

#[test]
fn look_alikes_stay_silent() {
    assert_eq!(
        listing(
            "use std::collections::HashMap;
             fn f(conn: &mut PgConnection, map: HashMap<i64, i64>, list: Vec<i64>, config: Config) {
                 map.get(&1); list.first(); list.iter().filter(|n| **n > 1).find(|n| **n == 2); list.iter().count();
                 config.load(conn); list.iter().max(); config.execute(conn); config.find(1).first(conn);
             }"
        ),
        ""
    );
}
