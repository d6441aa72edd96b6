//! The first rewrite of small programs, on three engines.

use crate::config::Config;
use crate::finding::Finding;
use crate::source;

const SCHEMA: &str = "
CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL, state TEXT NOT NULL, closed BOOLEAN NOT NULL,
    owner TEXT, meta TEXT NOT NULL, holds BIGINT NOT NULL);
CREATE TABLE jobs (id BIGINT PRIMARY KEY, state TEXT NOT NULL, payload TEXT NOT NULL);
CREATE TABLE rooms (id BIGINT PRIMARY KEY, places BIGINT NOT NULL);
CREATE TABLE guests (id BIGINT PRIMARY KEY, room_id BIGINT NOT NULL REFERENCES rooms (id), name TEXT NOT NULL);
";

/// An engine with its manifest's feature, its pool, and the sign of its placeholders.
struct Engine {
    feature: &'static str,
    pool: &'static str,
    numbered: bool,
}

const POSTGRES: Engine = Engine { feature: "postgres", pool: "PgPool", numbered: true };
const MYSQL: Engine = Engine { feature: "mysql", pool: "MySqlPool", numbered: false };
const SQLITE: Engine = Engine { feature: "sqlite", pool: "SqlitePool", numbered: false };

/// The findings of one function's body; `$n` in it becomes `?` where the engine wants that.
fn findings(engine: &Engine, params: &str, body: &str) -> Vec<Finding> {
    let mut body = body.to_owned();
    if !engine.numbered {
        (1..=4).for_each(|n| body = body.replace(&format!("${n}"), "?"));
    }
    let manifest = format!(
        "[package]\nname = 'bank'\n[dependencies]\nanyhow = '1'\nreqwest = '0.12'\nsqlx = {{ version = '0.8', features = ['{}'] }}",
        engine.feature
    );
    let code = format!(
        "use anyhow::{{Result, bail, ensure}};\nuse sqlx::{pool};\n\
         pub async fn act(pool: &{pool}, {params}) -> Result<()> {{\n{body}\nOk(())\n}}\n",
        pool = engine.pool
    );
    let files = [("Cargo.toml", manifest), ("migrations/1.sql", SCHEMA.to_owned()), ("src/lib.rs", code)];
    let workspace = source::memory(files.map(|(path, text)| (path.to_owned(), text)).to_vec());
    assert!(workspace.notices.is_empty(), "{:?}", workspace.notices);
    crate::analyse(&workspace, &Config::default()).findings
}

/// The text of the first rewrite of the first finding.
fn first(engine: &Engine, params: &str, body: &str) -> String {
    let found = findings(engine, params, body);
    let finding = found.first().unwrap_or_else(|| panic!("nothing found in {body}"));
    finding.rewrites.first().unwrap_or_else(|| panic!("no rewrite for {}", finding.rule)).text.clone()
}

/// A read of one row of `accounts`, a check, and a write.
fn checked(columns: &str, check: &str, set: &str, binds: &str) -> String {
    format!(
        "let row = sqlx::query!(\"SELECT {columns} FROM accounts WHERE id = $1\", id).fetch_one(pool).await?;
         {check}
         sqlx::query!(\"UPDATE accounts SET {set} WHERE id = $1\", id{binds}).execute(pool).await?;"
    )
}

#[test]
fn what_another_engine_or_a_call_makes_of_a_rewrite_is_said() {
    let check = "if row.balance < n || name.len() > 3 { bail!(\"no\"); }";
    let body = checked("balance", check, "balance = $2", ", row.balance.pow(2)");
    let params = "id: i64, n: i64, name: String";
    let one = findings(&POSTGRES, params, &body);
    assert!(one[0].rewrites[0].text.ends_with("FOR UPDATE"), "{:?}", one[0].rewrites);
    let either = Engine { feature: "any', 'postgres', 'sqlite", pool: "AnyPool", numbered: true };
    let both = findings(&either, params, &body);
    let [set] = both[0].rewrites.as_slice() else { panic!("{:?}", both[0].rewrites) };
    assert!(set.text.contains("WHERE id = $2 AND balance = $3"), "{}", set.text);

    let post = "reqwest::Client::new().post(\"https://a.example\").send().await?;";
    let check = format!("{post}\nif row.balance < n {{ bail!(\"no\"); }}");
    let called = checked("balance", &check, "balance = balance - $2", ", n");
    let [set, lock] = &findings(&POSTGRES, params, &called)[0].rewrites[..] else { panic!("not two") };
    assert!(set.note.contains("is called before it"), "{}", set.note);
    assert!(lock.text.ends_with("FOR UPDATE"), "{}", lock.text);
    assert!(lock.note.contains("is called while it is open"), "{}", lock.note);
}

#[test]
fn an_advisory_lock_is_taken_on_a_number() {
    let body = "let busy: i64 = sqlx::query_scalar(\"SELECT count(*) FROM jobs WHERE payload = $1\").bind(&name).fetch_one(pool).await?;
         if busy > 9 { bail!(\"full\"); }
         sqlx::query(\"INSERT INTO jobs (id, state, payload) VALUES ($1, 'new', $2)\").bind(id).bind(&name).execute(pool).await?;";
    let lock = first(&POSTGRES, "id: i64, name: String", body);
    assert_eq!(lock, "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))");
    let constant = body.replace("WHERE payload = $1\").bind(&name)", "WHERE payload = $1\").bind(\"rush\")");
    let constant = constant.replace(".bind(id).bind(&name)", ".bind(id).bind(\"rush\")");
    let lock = first(&POSTGRES, "id: i64, name: String", &constant);
    assert_eq!(lock, "SELECT pg_advisory_xact_lock(hashtextextended('jobs payload rush', 0))");
}

#[test]
fn a_check_becomes_a_condition_of_the_update() {
    let cases = [
        (
            "balance",
            "if row.balance < n { bail!(\"no\"); }",
            "balance = balance - $2",
            ", n",
            "UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND balance >= $1",
        ),
        (
            "balance",
            "if row.balance < n { bail!(\"no\"); }",
            "balance = $2",
            ", row.balance - n",
            "UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND balance >= $1",
        ),
        (
            "balance, holds",
            "ensure!(row.balance - row.holds >= n, \"no\");",
            "balance = balance - $2",
            ", n",
            "UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND balance - holds >= $1",
        ),
        (
            "state",
            "if row.state != \"pending\" { bail!(\"no\"); }",
            "state = 'paid'",
            "",
            "UPDATE accounts SET state = 'paid' WHERE id = $1 AND state = 'pending'",
        ),
        (
            "closed",
            "if row.closed { bail!(\"closed\"); }",
            "closed = true",
            "",
            "UPDATE accounts SET closed = true WHERE id = $1 AND closed = false",
        ),
        (
            "owner",
            "if row.owner.is_some() { bail!(\"taken\"); }",
            "owner = $2",
            ", name",
            "UPDATE accounts SET owner = $1 WHERE id = $2 AND owner IS NULL",
        ),
        (
            "owner",
            "if let Some(owner) = &row.owner { bail!(\"taken by {owner}\"); }",
            "owner = $2",
            ", name",
            "UPDATE accounts SET owner = $1 WHERE id = $2 AND owner IS NULL",
        ),
        (
            "closed, balance",
            "if row.closed || row.balance < n { bail!(\"no\"); }",
            "balance = balance - $2",
            ", n",
            "UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND closed = false AND balance >= $1",
        ),
        (
            "closed, balance",
            "ensure!(!row.closed && n <= row.balance, \"no\");",
            "balance = balance - $2",
            ", n",
            "UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND closed = false AND balance >= $1",
        ),
        (
            "state",
            "match row.state.as_str() { \"open\" => {} _ => bail!(\"no\") }",
            "state = 'done'",
            "",
            "UPDATE accounts SET state = 'done' WHERE id = $1 AND state = 'open'",
        ),
    ];
    for (columns, check, set, binds, wanted) in cases {
        let body = checked(columns, check, set, binds);
        assert_eq!(first(&POSTGRES, "id: i64, n: i64, name: &str", &body), wanted, "{check}");
    }
}

#[test]
fn a_check_that_surrounds_the_write_keeps_its_sign() {
    let body = "let left: i64 = sqlx::query_scalar!(\"SELECT balance FROM accounts WHERE id = $1\", id).fetch_one(pool).await?;
        if left >= n {
            sqlx::query!(\"UPDATE accounts SET balance = $2 WHERE id = $1\", id, left - n).execute(pool).await?;
        } else {
            bail!(\"no\");
        }";
    let wanted = "UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND balance >= $1";
    assert_eq!(first(&POSTGRES, "id: i64, n: i64", body), wanted);
}

#[test]
fn a_choice_among_conditions_keeps_its_brackets() {
    let body = checked("balance", "if row.balance < n { bail!(\"no\"); }", "balance = balance - $2", ", n")
        .replace("WHERE id = $1\", id, n", "WHERE id = $1 AND (owner IS NULL OR state = 'open')\", id, n");
    let wanted = "UPDATE accounts SET balance = balance - $1 \
                  WHERE id = $2 AND ((owner IS NULL) OR (state = 'open')) AND balance >= $1";
    assert_eq!(first(&POSTGRES, "id: i64, n: i64", &body), wanted);
}

#[test]
fn placeholders_are_the_programs_own() {
    let body = checked("balance", "if row.balance < n { bail!(\"no\"); }", "balance = $2", ", row.balance - n");
    let body = body.replace("$2 WHERE id = $1\", id, row.balance - n", "$1 WHERE id = $2\", row.balance - n, id");
    let found = findings(&MYSQL, "id: i64, n: i64", &body);
    let rewrite = &found[0].rewrites[0];
    assert_eq!(rewrite.text, "UPDATE accounts SET balance = balance - ? WHERE id = ? AND balance >= ?");
    assert!(rewrite.note.ends_with("bind n, id, n, in this order"), "{}", rewrite.note);
    assert!(rewrite.note.contains("rows_affected()"), "{}", rewrite.note);
    let found = findings(&POSTGRES, "id: i64, n: i64", &body);
    assert!(found[0].rewrites[0].note.ends_with("$1 is n, $2 is id"), "{}", found[0].rewrites[0].note);
}

#[test]
fn what_sql_has_no_words_for_is_compared_with_what_was_read() {
    let body = checked("meta", "if !allowed(&row.meta) { bail!(\"no\"); }", "meta = $2", ", name")
        + "\nfn allowed(meta: &str) -> bool { meta.starts_with(\"a\") }";
    let found = findings(&POSTGRES, "id: i64, name: &str", &body);
    let texts: Vec<&str> = found[0].rewrites.iter().map(|rewrite| rewrite.text.as_str()).collect();
    let lock = "SELECT meta FROM accounts WHERE id = $1 FOR UPDATE";
    assert_eq!(texts, [lock, "UPDATE accounts SET meta = $1 WHERE id = $2 AND meta = $3"]);
}

#[test]
fn the_row_lock_is_the_second_way() {
    let body = checked("balance", "if row.balance < n { bail!(\"no\"); }", "balance = balance - $2", ", n");
    let body = body.replace("$2 WHERE id = $1\", id, n", "$1 WHERE id = $2\", n, id");
    let second = |engine| findings(engine, "id: i64, n: i64", &body)[0].rewrites[1].text.clone();
    assert_eq!(second(&POSTGRES), "SELECT balance FROM accounts WHERE id = $1 FOR UPDATE");
    assert_eq!(second(&MYSQL), "SELECT balance FROM accounts WHERE id = ? FOR UPDATE");
    assert_eq!(second(&SQLITE), "BEGIN IMMEDIATE");
}

#[test]
fn a_missing_row_gets_a_key_and_a_conflict_clause() {
    let body =
        "let known = sqlx::query!(\"SELECT id FROM accounts WHERE owner = $1\", name).fetch_optional(pool).await?;
        if known.is_some() { bail!(\"known\"); }
        sqlx::query!(\"INSERT INTO accounts (owner, meta) VALUES ($1, $2)\", name, meta).execute(pool).await?;";
    let texts = |engine| -> Vec<String> {
        let found = findings(engine, "name: &str, meta: &str", body);
        found[0].rewrites.iter().map(|rewrite| rewrite.text.clone()).collect()
    };
    let index = "CREATE UNIQUE INDEX accounts_owner_key ON accounts (owner)";
    let insert = "INSERT INTO accounts (owner, meta) VALUES ($1, $2) ON CONFLICT (owner) DO NOTHING";
    assert_eq!(texts(&POSTGRES), [index, insert]);
    assert_eq!(texts(&MYSQL), [index, "INSERT IGNORE INTO accounts (owner, meta) VALUES (?, ?)"]);
    assert_eq!(texts(&SQLITE)[1], "INSERT INTO accounts (owner, meta) VALUES (?, ?) ON CONFLICT (owner) DO NOTHING");
}

#[test]
fn a_key_holds_what_is_compared_in_the_program() {
    let body = "let names: Vec<String> = sqlx::query_scalar(\"SELECT name FROM guests WHERE room_id = $1\").bind(room_id).fetch_all(pool).await?;
        if names.contains(&name) { bail!(\"taken\"); }
        sqlx::query(\"INSERT INTO guests (room_id, name) VALUES ($1, $2)\").bind(room_id).bind(name).execute(pool).await?;";
    let index = "CREATE UNIQUE INDEX guests_room_id_name_key ON guests (room_id, name)";
    assert_eq!(first(&POSTGRES, "room_id: i64, name: String", body), index);
}

#[test]
fn rows_that_are_added_up_get_no_key() {
    let body = "let names: Vec<String> = sqlx::query_scalar(\"SELECT name FROM guests WHERE room_id = $1\").bind(room_id).fetch_all(pool).await?;
        let mut letters = 0;
        for name in &names { letters += name.len(); }
        if letters > 100 { bail!(\"full\"); }
        sqlx::query(\"INSERT INTO guests (room_id, name) VALUES ($1, $2)\").bind(room_id).bind(name).execute(pool).await?;";
    let found = findings(&POSTGRES, "room_id: i64, name: String", body);
    let texts: Vec<&str> = found.iter().flat_map(|it| &it.rewrites).map(|rewrite| rewrite.text.as_str()).collect();
    assert_eq!(texts.first(), Some(&"SELECT id FROM rooms WHERE id = $1 FOR UPDATE"));
    assert!(texts.iter().all(|text| !text.contains("UNIQUE")), "{texts:?}");
}

#[test]
fn a_count_locks_the_parent() {
    let body = "let taken: i64 = sqlx::query_scalar(\"SELECT count(*) FROM guests WHERE room_id = $1\").bind(room_id).fetch_one(pool).await?;
        if taken >= places { bail!(\"full\"); }
        sqlx::query(\"INSERT INTO guests (room_id, name) VALUES ($1, $2)\").bind(room_id).bind(name).execute(pool).await?;";
    let params = "room_id: i64, places: i64, name: &str";
    assert_eq!(first(&POSTGRES, params, body), "SELECT id FROM rooms WHERE id = $1 FOR UPDATE");
    assert_eq!(first(&MYSQL, params, body), "SELECT id FROM rooms WHERE id = ? FOR UPDATE");
    assert_eq!(first(&SQLITE, params, body), "BEGIN IMMEDIATE");
}

#[test]
fn picking_and_marking_is_one_statement() {
    let body = "let Some(job) = sqlx::query!(\"SELECT id, payload FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1\").fetch_optional(pool).await? else { return Ok(()) };
        sqlx::query!(\"UPDATE jobs SET state = 'taken' WHERE id = $1\", job.id).execute(pool).await?;
        sqlx::query!(\"INSERT INTO guests (room_id, name) VALUES (1, $1)\", job.payload).execute(pool).await?;";
    let picked = "UPDATE jobs SET state = 'taken' WHERE id = (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 \
                  FOR UPDATE SKIP LOCKED) RETURNING id, payload";
    assert_eq!(first(&POSTGRES, "_n: i64", body), picked);
    assert_eq!(first(&SQLITE, "_n: i64", body), picked.replace(" FOR UPDATE SKIP LOCKED", ""));
    let locked = "SELECT id, payload FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
    assert_eq!(first(&MYSQL, "_n: i64", body), locked);
}

#[test]
fn an_effect_comes_after_the_claim() {
    let body = "let row = sqlx::query!(\"SELECT state FROM accounts WHERE id = $1\", id).fetch_one(pool).await?;
        ensure!(row.state == \"open\", \"no\");
        http.post(\"https://cards.example/charges\").json(&id).send().await?;
        sqlx::query!(\"UPDATE accounts SET state = 'paid' WHERE id = $1\", id).execute(pool).await?;";
    let wanted = "UPDATE accounts SET state = 'claimed' WHERE id = $1 AND state = 'open'";
    assert_eq!(first(&POSTGRES, "http: &reqwest::Client, id: i64", body), wanted);
}

#[test]
fn an_outcome_is_looked_at_in_the_clients_words() {
    let body = "sqlx::query!(\"UPDATE accounts SET balance = balance - 1 WHERE id = $1 AND balance > 0\", id)
            .execute(pool)
            .await?;";
    let found = findings(&POSTGRES, "id: i64", body);
    let rewrite = &found[0].rewrites[0];
    assert_eq!(rewrite.language, "rust");
    assert!(rewrite.text.starts_with("let result = sqlx::query!("), "{}", rewrite.text);
    let refusal = "if result.rows_affected() == 0 {\n    anyhow::bail!(\"no row of accounts was changed\");\n}";
    assert!(rewrite.text.ends_with(refusal), "{}", rewrite.text);
}

#[test]
fn a_lock_on_a_table_becomes_one_on_a_row() {
    let body = "let mut tx = pool.begin().await?;
        sqlx::query(\"LOCK TABLE accounts IN EXCLUSIVE MODE\").execute(&mut *tx).await?;
        let left: i64 = sqlx::query_scalar(\"SELECT balance FROM accounts WHERE id = $1\").bind(id).fetch_one(&mut *tx).await?;
        if left < n { bail!(\"no\"); }
        sqlx::query(\"UPDATE accounts SET balance = $2 WHERE id = $1\").bind(id).bind(left - n).execute(&mut *tx).await?;
        tx.commit().await?;";
    let wanted = "SELECT balance FROM accounts WHERE id = $1 FOR UPDATE";
    assert_eq!(first(&POSTGRES, "id: i64, n: i64", body), wanted);
}

#[test]
fn a_row_that_is_saved_whole_is_written_in_what_changes() {
    let body = "let row = sqlx::query!(\"SELECT state, owner, meta, holds FROM accounts WHERE id = $1\", id).fetch_one(pool).await?;
        let state = state.unwrap_or(row.state);
        sqlx::query!(\"UPDATE accounts SET state = $2, owner = $3, meta = $4, holds = $5 WHERE id = $1\",
            id, state, row.owner, row.meta, row.holds).execute(pool).await?;";
    let wanted = "UPDATE accounts SET state = COALESCE($1, state) WHERE id = $2";
    assert_eq!(first(&POSTGRES, "id: i64, state: Option<String>", body), wanted);
}

#[test]
fn a_version_is_the_way_where_no_transaction_is_held() {
    let manifest = "[package]\nname = 'bank'\n[dependencies]\nhiqlite = '0.7'";
    let code = "
        #[derive(serde::Deserialize)]
        pub struct Account { id: i64, balance: i64, state: String, owner: String, meta: String, holds: i64 }
        impl Account {
            async fn save(&self, db: &hiqlite::Client) -> Result<(), hiqlite::Error> {
                db.execute(
                    \"UPDATE accounts SET balance = $1, state = $2, owner = $3, meta = $4, holds = $5 WHERE id = $6\",
                    hiqlite::params!(self.balance, self.state.clone(), self.owner.clone(), self.meta.clone(), self.holds, self.id),
                ).await?;
                Ok(())
            }
        }
        pub async fn weigh(db: &hiqlite::Client, id: i64, by: Weight) -> Result<(), hiqlite::Error> {
            let mut account: Account =
                db.query_as_one(\"SELECT * FROM accounts WHERE id = $1\", hiqlite::params!(id)).await?;
            account.meta = by.weighed(account.meta, account.state.clone(), account.owner.clone(), account.holds);
            account.save(db).await
        }
    ";
    let files = [("Cargo.toml", manifest), ("migrations/1.sql", SCHEMA), ("src/lib.rs", code)];
    let workspace = source::memory(files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
    let found = crate::analyse(&workspace, &Config::default()).findings;
    let texts: Vec<&str> = found[0].rewrites.iter().map(|rewrite| rewrite.text.as_str()).collect();
    let wanted = "ALTER TABLE accounts ADD COLUMN version BIGINT NOT NULL DEFAULT 0;\n\
                  UPDATE accounts SET …, version = version + 1 WHERE id = $1 AND version = $2";
    assert_eq!(texts, [wanted], "{}", found[0].message);
}

#[test]
fn an_upsert_writes_over_no_other_row_than_the_one_that_was_read() {
    let upsert = "INSERT INTO accounts (id, state) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET state = $2";
    let body = format!(
        "let known: Option<String> =
            sqlx::query_scalar(\"SELECT state FROM accounts WHERE id = $1\").bind(id).fetch_optional(pool).await?;
         if known.as_deref() == Some(\"closed\") {{ bail!(\"no\"); }}
         sqlx::query(\"{upsert}\").bind(id).bind(state).execute(pool).await?;"
    );
    let found = findings(&POSTGRES, "id: i64, state: String", &body);
    let [rewrite, ..] = found[0].rewrites.as_slice() else { panic!("no rewrite for {}", found[0].message) };
    assert_eq!(rewrite.text, format!("{upsert} WHERE accounts.state IS NOT DISTINCT FROM $3"));
    assert!(rewrite.note.ends_with("$3 is the state that was read, NULL where there was no row"), "{}", rewrite.note);

    // MySQL has no such condition.
    let upsert = "INSERT INTO accounts (id, state) VALUES (?, ?) ON DUPLICATE KEY UPDATE state = VALUES(state)";
    let body = body
        .replace("INSERT INTO accounts (id, state) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET state = $2", upsert);
    for finding in findings(&MYSQL, "id: i64, state: String", &body) {
        assert!(
            finding.rewrites.iter().all(|rewrite| !rewrite.text.contains("accounts.state")),
            "{:?}",
            finding.rewrites
        );
    }
}

#[test]
fn of_a_row_that_an_upsert_saves_whole_only_what_changes_is_written() {
    let body = "let row = sqlx::query!(\"SELECT state, owner, meta, holds FROM accounts WHERE id = $1\", id).fetch_one(pool).await?;
        sqlx::query!(\"INSERT INTO accounts (id, state, owner, meta, holds) VALUES ($1, $2, $3, $4, 0)
            ON CONFLICT (id) DO UPDATE SET state = $2, owner = $3, meta = $4\",
            id, state, row.owner, row.meta).execute(pool).await?;";
    assert_eq!(first(&POSTGRES, "id: i64, state: String", body), "UPDATE accounts SET state = $1 WHERE id = $2");
}

#[test]
fn who_goes_another_way_is_not_refused() {
    let body = "let row = sqlx::query!(\"SELECT holds FROM accounts WHERE id = $1\", id).fetch_one(pool).await?;
        if row.holds <= 1 {
            sqlx::query!(\"DELETE FROM accounts WHERE id = $1\", id).execute(pool).await?;
        } else {
            sqlx::query!(\"UPDATE accounts SET holds = $2 WHERE id = $1\", id, row.holds - 1).execute(pool).await?;
        }";
    let found = findings(&POSTGRES, "id: i64", body);
    let rewrites: Vec<_> = found.iter().flat_map(|finding| &finding.rewrites).collect();
    let one = rewrites.iter().find(|rewrite| rewrite.text.contains("holds > 1"));
    let one = one.unwrap_or_else(|| panic!("{rewrites:?}"));
    assert_eq!(one.text, "UPDATE accounts SET holds = holds - 1 WHERE id = $1 AND holds > 1");
    assert!(one.note.contains("read again there, and go the other way"), "{}", one.note);
}

#[test]
fn rows_that_a_cache_may_hold_have_the_key_of_those_that_were_read() {
    let body = "#[derive(sqlx::FromRow)]
        struct Guest { id: i64, room_id: i64, name: String }
        let known: Option<Vec<Guest>> = cache.get(\"guests\").await?;
        let guests = match known {
            Some(guests) => guests,
            None => sqlx::query_as::<_, Guest>(\"SELECT * FROM guests\").fetch_all(pool).await?,
        };
        for guest in guests {
            if guest.name == name { bail!(\"no\"); }
        }
        sqlx::query(\"INSERT INTO guests (id, room_id, name) VALUES ($1, $2, $3)\")
            .bind(id).bind(room_id).bind(name).execute(pool).await?;";
    let params = "cache: &shelf::Cache, id: i64, room_id: i64, name: String";
    assert_eq!(first(&POSTGRES, params, body), "CREATE UNIQUE INDEX guests_name_key ON guests (name)");
}
