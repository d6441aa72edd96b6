//! What pull requests, editors and workflows meet: the baseline, `--since`, `--stdin-filename`, the action.

mod baseline;
mod readme;
mod since;
mod stdin;
mod workflows;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub const MANIFEST: &str =
    "[package]\nname = 'shop'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n";

/// One race, whose write stands in line 4.
pub const RACE: &str = "use sqlx::PgPool;
pub async fn book(pool: &PgPool, seat: i64, who: i64) -> anyhow::Result<()> {
    let holder: Option<i64> = sqlx::query_scalar(\"SELECT holder FROM seats WHERE id = $1\").bind(seat).fetch_one(pool).await?;
    if holder.is_none() { sqlx::query(\"UPDATE seats SET holder = $2 WHERE id = $1\").bind(seat).bind(who).execute(pool).await?; }
    Ok(())
}
";

/// The same race in a function of another name.
pub fn race(name: &str) -> String {
    RACE.replace("fn book", &format!("fn {name}"))
}

/// A package with a race in `src/lib.rs`.
pub fn package() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "Cargo.toml", MANIFEST);
    write(dir.path(), "src/lib.rs", RACE);
    dir
}

pub fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_racelint"));
    command.current_dir(dir).args(arguments).env_clear().stdin(Stdio::null());
    command
}

pub fn run(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    told(&command(dir, arguments).output().unwrap())
}

pub fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Runs a check in one line a finding.
pub fn check(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(dir, &[&["check", "--format", "concise"], arguments].concat())
}
