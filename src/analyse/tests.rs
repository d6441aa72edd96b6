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
