//! The Cargo.toml a block stands in when its page gives none.

/// A database library, by the word that the option `manifest=` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Sqlx,
    Diesel,
    DieselAsync,
    SeaOrm,
    Rusqlite,
    TokioPostgres,
    Mysql,
    /// A cluster of its own, beside sqlx.
    Hiqlite,
}

impl Client {
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "sqlx" => Self::Sqlx,
            "diesel" => Self::Diesel,
            "diesel-async" => Self::DieselAsync,
            "sea-orm" => Self::SeaOrm,
            "rusqlite" => Self::Rusqlite,
            "tokio-postgres" => Self::TokioPostgres,
            "mysql" => Self::Mysql,
            "hiqlite" => Self::Hiqlite,
            _ => return None,
        })
    }
}

/// A manifest for `client`, with the driver for the dialect that the configuration names, or PostgreSQL.
pub fn text(client: Client, config: &str) -> String {
    let engine =
        ["mysql", "sqlite"].into_iter().find(|name| config.contains(&format!("\"{name}\""))).unwrap_or("postgres");
    let sqlx = format!("sqlx = {{ version = \"0.8\", features = [\"runtime-tokio\", \"{engine}\"] }}");
    let database = match client {
        Client::Sqlx => sqlx,
        Client::Hiqlite => format!("{sqlx}\nhiqlite = \"0.11\""),
        Client::Diesel => format!("diesel = {{ version = \"2.2\", features = [\"{engine}\", \"r2d2\"] }}"),
        Client::DieselAsync => format!(
            "diesel = {{ version = \"2.2\", features = [\"{engine}\"] }}\ndiesel-async = {{ version = \"0.5\", features = [\"{engine}\"] }}"
        ),
        Client::SeaOrm => {
            format!("sea-orm = {{ version = \"1.1\", features = [\"sqlx-{engine}\", \"runtime-tokio-rustls\"] }}")
        }
        Client::Rusqlite => "rusqlite = { version = \"0.32\", features = [\"bundled\"] }".to_owned(),
        Client::TokioPostgres => "tokio-postgres = \"0.7\"\ndeadpool-postgres = \"0.14\"".to_owned(),
        Client::Mysql => "mysql = \"25\"".to_owned(),
    };
    format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{database}\n{}",
        "actix = \"0.13\"\nanyhow = \"1\"\nasync-trait = \"0.1\"\naws-sdk-s3 = \"1\"\naxum = \"0.8\"\nhyper = { version = \"1\", features = [\"full\"] }\nlettre = \"0.11\"\nobject_store = \"0.12\"\nobix = \"0.2\"\nreqwest = { version = \"0.12\", features = [\"blocking\", \"json\"] }\nserde_json = \"1\"\ntokio = { version = \"1\", features = [\"full\"] }\ntracing = \"0.1\"\n"
    )
}
