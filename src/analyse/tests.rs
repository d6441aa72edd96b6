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
