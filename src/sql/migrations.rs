//! The schema as it is after all migrations.
//!
//! Which files are migrations, and in which order they run, is known from their paths: sqlx and refinery number their
//! files, diesel its directories, Rails-like tools have `db/migrate`. Without any, a file that makes tables will do.

use std::cmp::Ordering;

use super::ddl;
use super::schema::Schema;
use crate::dialect::Dialect;

/// Works out the tables that a program makes with texts in its own code, each with the path of the file that it takes
/// it from, if any: first those that make tables, then those that only change them. What is no statement is passed over,
/// and so are files for another engine where there are some for this one.
pub fn of_code(texts: &[(Option<&str>, &str)], dialect: Dialect) -> Schema {
    let (first, then): (Vec<&(Option<&str>, &str)>, Vec<_>) =
        texts.iter().partition(|text| text.1.to_lowercase().contains("create table"));
    let names = |text: &(Option<&str>, &str)| text.0.and_then(|path| names(path, dialect));
    let ours = texts.iter().any(|text| names(text) == Some(true));
    let mut schema = Schema::default();
    for text in first.into_iter().chain(then) {
        if text.1.len() <= MAX_BYTES && !(ours && names(text) == Some(false)) {
            apply(&mut schema, text.1, dialect);
        }
    }
    schema
}

/// Whether some of the files are migrations that make tables.
pub fn any<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
    files.into_iter().any(|(path, text)| is_migration(path) && makes_tables(text))
}

/// A file longer than this is left out; in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Works out the schema from all SQL files of a project, given as path and text.
///
/// Gives it with the statements about tables that were not understood, by the number of their file.
pub fn schema(files: &[(&str, &str)], dialect: Dialect) -> (Schema, Vec<(usize, String)>) {
    let mut schema = Schema::default();
    let mut missed = Vec::new();
    for file in chosen(files, dialect) {
        let (_, text) = files[file];
        if text.len() > MAX_BYTES {
            missed.push((file, format!("the file is longer than {MAX_BYTES} bytes")));
            continue;
        }
        missed.extend(apply(&mut schema, &upward(text), dialect).into_iter().map(|why| (file, why)));
    }
    (schema, missed)
}

/// Brings the schema up to date with statements, such as those that stand in a program. Gives what was not understood.
pub fn apply(schema: &mut Schema, text: &str, dialect: Dialect) -> Vec<String> {
    ddl::apply(schema, text, dialect)
}

/// The files that make up the schema, in the order they run.
fn chosen(files: &[(&str, &str)], dialect: Dialect) -> Vec<usize> {
    let makes_tables = |&i: &usize| makes_tables(files[i].1);
    let mut all: Vec<usize> = (0..files.len()).filter(|&i| !is_undo(files[i].0)).collect();
    // A tool's own tests make tables of the names that all tests use: they are not those of the program beside it.
    if all.iter().any(|&i| !is_of_test(files[i].0) && makes_tables(&i)) {
        all.retain(|&i| !is_of_test(files[i].0));
    }
    let mut chosen: Vec<usize> = all.iter().copied().filter(|&i| is_migration(files[i].0)).collect();
    if !chosen.iter().any(makes_tables) {
        chosen = all.into_iter().filter(|i| chosen.contains(i) || makes_tables(i)).collect();
    }
    if chosen.iter().any(|&i| names(files[i].0, dialect) == Some(true)) {
        chosen.retain(|&i| names(files[i].0, dialect) != Some(false));
    }
    chosen.sort_by(|&a, &b| by_path(files[a].0, files[b].0));
    chosen
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', '\\']).filter(|part| !part.is_empty())
}

fn file_name(path: &str) -> String {
    parts(path).last().unwrap_or_default().to_lowercase()
}

fn is_undo(path: &str) -> bool {
    let name = file_name(path);
    let undo = name
        .strip_prefix('u')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains("__"));
    name == "down.sql" || name.ends_with(".down.sql") || name.ends_with("_down.sql") || undo
}

/// Whether a file is a migration by its path: it is numbered, stands below a directory of migrations, or has a way up.
pub fn is_migration(path: &str) -> bool {
    let name = file_name(path);
    let in_directory = is_step(path);
    let digits = |name: &str| name.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = match digits(&name) {
        0 => name.strip_prefix('v').is_some_and(|rest| digits(rest) > 0 && rest.contains("__")),
        length => name[length..].starts_with(['_', '-', '.']),
    };
    in_directory || numbered || name == "up.sql" || name.ends_with(".up.sql")
}

/// Whether a file stands below a directory of tests, examples or benches.
fn is_of_test(path: &str) -> bool {
    let mut directories: Vec<&str> = parts(path).collect();
    directories.pop();
    directories.iter().any(|directory| {
        ["tests", "test", "testdata", "fixtures", "examples", "benches"]
            .iter()
            .any(|name| directory.eq_ignore_ascii_case(name))
    })
}

/// Whether a file, SQL or Rust, stands below a directory of migrations, or is the module that holds them all.
pub fn is_step(path: &str) -> bool {
    let mut directories: Vec<String> = parts(path).map(str::to_lowercase).collect();
    let module = directories.pop();
    module.is_some_and(|module| module == "migrations.rs")
        || directories.iter().any(|directory| {
            directory
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| ["migrations", "migration", "migrate"].contains(&word))
        })
}

/// Whether a path names the dialect, or another one.
fn names(path: &str, dialect: Dialect) -> Option<bool> {
    let engines = [
        (Dialect::Postgres, ["postgres", "postgresql", "pg", "psql"]),
        (Dialect::MySql, ["mysql", "mariadb", "maria", "mysql8"]),
        (Dialect::Sqlite, ["sqlite", "sqlite3", "libsql", "lite"]),
        (Dialect::MsSql, ["mssql", "sqlserver", "tsql", "tiberius"]),
        (Dialect::Cockroach, ["cockroach", "cockroachdb", "crdb", "roach"]),
    ];
    let path = path.to_lowercase();
    let words = || path.split(|c: char| !c.is_ascii_alphanumeric());
    let found: Vec<Dialect> = engines
        .into_iter()
        .filter(|(_, names)| words().any(|word| names.contains(&word)))
        .map(|(engine, _)| engine)
        .collect();
    let ours = |engine: &Dialect| *engine == dialect || (dialect == Dialect::Cockroach && *engine == Dialect::Postgres);
    (!found.is_empty()).then(|| found.iter().any(ours))
}

fn makes_tables(text: &str) -> bool {
    let lower = text.get(..text.len().min(MAX_BYTES)).unwrap_or_default().to_ascii_lowercase();
    let mut words = lower.split_whitespace();
    let mut made = false;
    while let Some(word) = words.next() {
        made |= word == "create" && words.clone().take(3).any(|next| next.trim_end_matches('(') == "table");
    }
    made
}

/// Part by part, numbers as numbers: `V2__a.sql` before `V10__b.sql`.
fn by_path(a: &str, b: &str) -> Ordering {
    let (mut ours, mut theirs) = (parts(a), parts(b));
    loop {
        match (ours.next(), theirs.next()) {
            (Some(a), Some(b)) => match natural(a, b) {
                Ordering::Equal => {}
                order => return order,
            },
            (None, None) => return a.cmp(b),
            (ours, theirs) => return ours.is_some().cmp(&theirs.is_some()),
        }
    }
}

fn natural(mut a: &str, mut b: &str) -> Ordering {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    loop {
        let (x, y) = (digits(a), digits(b));
        if x > 0 && y > 0 {
            let (left, right) = (a[..x].trim_start_matches('0'), b[..y].trim_start_matches('0'));
            let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[x..], &b[y..]);
            continue;
        }
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else { return a.len().cmp(&b.len()) };
        if x != y {
            return x.cmp(&y);
        }
        (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
    }
}

/// The text without the parts that goose, dbmate and sql-migrate run to undo it.
fn upward(text: &str) -> String {
    let mut up = true;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if let Some(comment) = line.trim_start().strip_prefix("--") {
            let words = comment.trim().to_lowercase();
            let mark = |name: &str| {
                ["migrate:", "+goose ", "+migrate ", "!"]
                    .iter()
                    .any(|tool| words.strip_prefix(tool).is_some_and(|rest| rest.starts_with(name)))
            };
            up = (up || mark("up")) && !mark("down");
        }
        if up {
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let (schema, missed) = schema(files, Dialect::Sqlite);
        assert!(missed.is_empty(), "{missed:?}");
        let table = schema.table("members").expect("a table");
        table.keys().map(|key| key.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn a_step_stands_below_a_directory_or_in_the_module_of_all() {
        for path in ["db/migrations/0001.sql", "migration/src/m1_users.rs", "src/sql/migrations.rs"] {
            assert!(is_step(path), "{path}");
        }
        for path in ["src/migration.rs", "src/migrations_page.rs", "src/users.rs"] {
            assert!(!is_step(path), "{path}");
        }
    }

    #[test]
    fn the_tables_of_a_tests_directory_do_not_hide_those_of_the_program() {
        let own = (
            "app/db/migrations/0001_members.up.sql",
            "CREATE TABLE IF NOT EXISTS members (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);",
        );
        let test = ("app/crates/check/tests/migrations-1/1_create.sql", "CREATE TABLE members (id INT, email TEXT);");
        assert_eq!(keys(&[test, own]), [["id"], ["email"]]);
        assert_eq!(keys(&[test]), Vec::<Vec<String>>::new(), "where there is nothing else, it is what there is");
    }
}
