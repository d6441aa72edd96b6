//! Which engines a package can be built for: from `.env`, sqlx.toml, diesel.toml, and the drivers it depends on.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::disk::Disk;
use super::manifest::{Manifest, identifier};
use super::place::upward;
use super::{Crate, Dependency, FileKind, SourceFile};
use crate::dialect::Dialect;
use crate::lower::tree::Name;

/// These files are data; what is longer (in bytes) is none of them.
const SIZE_LIMIT: u64 = 1 << 16;

/// The samples are what a fresh checkout has, since `.env` itself is rarely committed.
const ENVIRONMENT_FILES: [&str; 3] = [".env", ".env.example", ".env.sample"];

/// Drivers that speak to one engine only.
const DRIVERS: &[(&str, Dialect)] = &[
    ("tokio_postgres", Dialect::Postgres),
    ("postgres", Dialect::Postgres),
    ("deadpool_postgres", Dialect::Postgres),
    ("bb8_postgres", Dialect::Postgres),
    ("r2d2_postgres", Dialect::Postgres),
    ("mobc_postgres", Dialect::Postgres),
    ("sqlx_postgres", Dialect::Postgres),
    ("mysql", Dialect::MySql),
    ("mysql_async", Dialect::MySql),
    ("r2d2_mysql", Dialect::MySql),
    ("sqlx_mysql", Dialect::MySql),
    ("rusqlite", Dialect::Sqlite),
    ("tokio_rusqlite", Dialect::Sqlite),
    ("async_sqlite", Dialect::Sqlite),
    ("r2d2_sqlite", Dialect::Sqlite),
    ("deadpool_sqlite", Dialect::Sqlite),
    ("libsql", Dialect::Sqlite),
    ("sqlx_sqlite", Dialect::Sqlite),
    ("tiberius", Dialect::MsSql),
    ("bb8_tiberius", Dialect::MsSql),
];

/// Libraries whose features choose the engine.
const BY_FEATURE: &[&str] = &[
    "sqlx",
    "sqlx_core",
    "diesel",
    "diesel_async",
    "diesel_migrations",
    "deadpool_diesel",
    "sea_orm",
    "sea_orm_migration",
    "sea_query",
    "sea_query_binder",
    "sea_query_sqlx",
    "rocket_db_pools",
    "rocket_sync_db_pools",
];

/// The engines of a package: one that a URL names first, then those it is built for where nobody asks for other features.
pub(super) fn dialects(package: &Manifest, dependencies: &[Dependency], boundary: &Path, disk: &Disk) -> Vec<Dialect> {
    let mut found = Vec::from_iter(by_url(&package.dir, boundary, disk));
    let mut add = |more: Vec<Dialect>| {
        more.into_iter().for_each(|dialect| {
            if !found.contains(&dialect) {
                found.push(dialect)
            }
        });
    };
    let depended = by_dependencies(package, dependencies);
    if depended.is_empty() {
        add(by_diesel_file(&package.dir, boundary, disk).into_iter().collect());
    }
    add(depended);
    found
}

/// The engine whose scheme a database URL starts with. Nothing else of the URL is looked at.
pub(super) fn of_url(url: &str) -> Option<Dialect> {
    let scheme = url.split_once(':')?.0.to_ascii_lowercase();
    match scheme.as_str() {
        "postgres" | "postgresql" => Some(Dialect::Postgres),
        "cockroach" | "cockroachdb" => Some(Dialect::Cockroach),
        "mysql" | "mariadb" => Some(Dialect::MySql),
        "sqlite" | "file" => Some(Dialect::Sqlite),
        "mssql" | "sqlserver" => Some(Dialect::MsSql),
        _ => None,
    }
}

/// CockroachDB is spoken to with PostgreSQL's drivers and in its language: what the manifests take for PostgreSQL is
/// CockroachDB where the tables of the workspace stand below a directory of that name, and no others may be PostgreSQL's.
pub(super) fn by_tables(crates: &mut [Crate], files: &[SourceFile]) {
    const NAMES: [&str; 3] = ["cockroach", "cockroachdb", "crdb"];
    const OTHERS: [&str; 8] = ["mysql", "mariadb", "sqlite", "mssql", "clickhouse", "tests", "test", "fixtures"];
    let mut found = false;
    for file in files.iter().filter(|file| file.kind == FileKind::Sql) {
        let (directory, _) = file.path.rsplit_once('/').unwrap_or_default();
        let directory = directory.to_lowercase();
        let below = |names: &[&str]| directory.split(|c: char| !c.is_alphanumeric()).any(|word| names.contains(&word));
        let text = file.text.to_ascii_lowercase();
        if below(&OTHERS) || !text.contains("create table") {
            continue;
        }
        // The tables of MySQL and ClickHouse may name their engine.
        if !below(&NAMES) && !text.contains("engine =") && !text.contains("engine=") {
            return;
        }
        found |= below(&NAMES);
    }
    let named = crates.iter_mut().flat_map(|krate| &mut krate.dialects).filter(|_| found);
    named.filter(|dialect| **dialect == Dialect::Postgres).for_each(|dialect| *dialect = Dialect::Cockroach);
}

fn by_url(dir: &Path, boundary: &Path, disk: &Disk) -> Option<Dialect> {
    let variable = upward(dir, boundary).find_map(|dir| url_variable(&dir.join("sqlx.toml"), disk));
    let variable = variable.as_deref().unwrap_or("DATABASE_URL");
    upward(dir, boundary).find_map(|dir| {
        ENVIRONMENT_FILES.iter().find_map(|name| {
            let text = disk.text(&dir.join(name), SIZE_LIMIT).ok()?;
            text.lines().filter_map(|line| value_of(line, variable)).find_map(of_url)
        })
    })
}

/// `common.database-url-var` of sqlx.toml: the variable that holds the URL.
fn url_variable(path: &Path, disk: &Disk) -> Option<String> {
    let table = disk.text(path, SIZE_LIMIT).ok()?.parse::<Table>().ok()?;
    Some(table.get("common")?.get("database-url-var")?.as_str()?.to_owned())
}

/// The value on a line `NAME=value` or `export NAME="value"`.
fn value_of<'t>(line: &'t str, variable: &str) -> Option<&'t str> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    (name.trim() == variable).then(|| value.trim().trim_start_matches(['"', '\'']))
}

/// What the drivers and their features say, those that are on by default first.
pub(super) fn by_dependencies(package: &Manifest, dependencies: &[Dependency]) -> Vec<Dialect> {
    let drivers = dependencies.iter().filter_map(|dependency| Some((dependency, of_driver(&dependency.package)?)));
    let (optional, drivers): (Vec<_>, Vec<_>) = drivers.partition(|(dependency, _)| dependency.optional);
    let listed = dependencies.iter().filter(|dependency| chooses(dependency));
    let listed = listed.flat_map(|dependency| &dependency.features).filter_map(|feature| of_feature(feature));
    let mut first: BTreeSet<Dialect> = drivers.into_iter().map(|(_, dialect)| dialect).chain(listed).collect();
    first.extend(of_features(package, dependencies, "default"));
    let mut others: BTreeSet<Dialect> = optional.into_iter().map(|(_, dialect)| dialect).collect();
    // What names no engine, or SQLite alone, which lets one writer in at a time, may be built for others as well.
    if first.iter().all(|dialect| *dialect == Dialect::Sqlite) {
        others.extend(package.own_features().flat_map(|feature| of_features(package, dependencies, feature)));
    }
    let others = others.difference(&first).copied().collect::<Vec<_>>();
    first.into_iter().chain(others).collect()
}

/// The features of a package that choose an engine, each with the engine that it chooses.
pub(super) fn choosing_features(package: &Manifest, dependencies: &[Dependency]) -> Vec<(Name, Dialect)> {
    let all = package.own_features().filter(|feature| *feature != "default");
    all.filter_map(|feature| {
        let chosen = of_features(package, dependencies, feature);
        (chosen.len() == 1).then(|| Some((feature.into(), *chosen.first()?))).flatten()
    })
    .collect()
}

/// The engines that a feature of a package leads to.
fn of_features(package: &Manifest, dependencies: &[Dependency], feature: &str) -> BTreeSet<Dialect> {
    let reached = package.reached(feature);
    let of_part = |(name, feature): (Name, String)| {
        let named = dependencies.iter().find(|dependency| dependency.name == name)?;
        if chooses(named) { of_feature(&feature) } else { of_driver(&named.package) }
    };
    let optional = dependencies.iter().filter(|dependency| dependency.optional);
    let switched_on = optional.filter(|dependency| reached.own.iter().any(|own| identifier(own) == dependency.name));
    let drivers = switched_on.filter_map(|dependency| of_driver(&dependency.package));
    drivers.chain(reached.of_others.into_iter().filter_map(of_part)).collect()
}

fn of_driver(package: &str) -> Option<Dialect> {
    DRIVERS.iter().find(|(name, _)| package == *name).map(|&(_, dialect)| dialect)
}

fn chooses(dependency: &Dependency) -> bool {
    BY_FEATURE.contains(&dependency.package.as_str())
}

/// sqlx `postgres`, sea-orm `sqlx-mysql`, sea-query `backend-sqlite`, diesel `postgres_backend`, rocket_db_pools
/// `sqlx_sqlite`.
fn of_feature(feature: &str) -> Option<Dialect> {
    const BEFORE: [&str; 5] = ["sqlx-", "backend-", "sqlx_", "deadpool_", "diesel_"];
    let feature = BEFORE.iter().find_map(|before| feature.strip_prefix(before)).unwrap_or(feature);
    [("postgres", Dialect::Postgres), ("mysql", Dialect::MySql), ("sqlite", Dialect::Sqlite)]
        .into_iter()
        .find_map(|(name, dialect)| feature.starts_with(name).then_some(dialect))
}

/// `print_schema.import_types` of diesel.toml names the engine's own types, such as `diesel::pg::sql_types::*`.
fn by_diesel_file(dir: &Path, boundary: &Path, disk: &Disk) -> BTreeSet<Dialect> {
    let read = |dir: &Path| disk.text(&dir.join("diesel.toml"), SIZE_LIMIT).ok()?.parse::<Table>().ok();
    let Some(table) = upward(dir, boundary).find_map(read) else { return BTreeSet::new() };
    let types = table.get("print_schema").and_then(|schema| schema.get("import_types")).and_then(Value::as_array);
    let types = types.into_iter().flatten().filter_map(Value::as_str);
    let engines =
        [("diesel::pg", Dialect::Postgres), ("diesel::mysql", Dialect::MySql), ("diesel::sqlite", Dialect::Sqlite)];
    types
        .flat_map(|path| engines.iter().filter(move |(prefix, _)| path.starts_with(prefix)))
        .map(|&(_, dialect)| dialect)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn of(manifest: &str, files: &[(&str, &str)]) -> Vec<Dialect> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let package = Manifest::parse(dir.path(), manifest).unwrap();
        let dependencies = package.dependencies(None);
        dialects(&package, &dependencies, dir.path(), &Disk::default())
    }

    #[test]
    fn features_and_drivers_name_engines() {
        use Dialect::*;
        for (manifest, expected) in [
            ("dependencies.sqlx.features = ['postgres', 'uuid']", vec![Postgres]),
            ("dependencies.sqlx.features = ['sqlite', 'postgres']", vec![Postgres, Sqlite]),
            ("dependencies.orm = { package = 'sea-orm', features = ['sqlx-mysql'] }", vec![MySql]),
            ("dependencies.diesel.features = ['postgres_backend']", vec![Postgres]),
            ("dependencies.rusqlite = '0.30'", vec![Sqlite]),
            ("dependencies.tiberius = '0.12'", vec![MsSql]),
            ("dependencies.other.features = ['postgres']", vec![]),
            (
                "dependencies.diesel = '2'\n[features]\npg = ['diesel/postgres']\nlite = ['diesel/sqlite']",
                vec![Postgres, Sqlite],
            ),
            (
                "dependencies.diesel = '2'\n[features]\ndefault = ['pg']\npg = ['diesel/postgres']\nlite = ['diesel/sqlite']",
                vec![Postgres],
            ),
            (
                "dependencies.diesel = '2'\n[features]\ndefault = ['lite']\npg = ['diesel/postgres']\nlite = ['diesel/sqlite']",
                vec![Sqlite, Postgres],
            ),
            (
                "[dependencies]\nrusqlite = { version = '0.30', optional = true }\ntokio-postgres = { version = '0.7', \
                 optional = true }\n[features]\ndefault = ['lite']\npg = ['dep:tokio-postgres']\nlite = ['dep:rusqlite']",
                vec![Sqlite, Postgres],
            ),
        ] {
            assert_eq!(of(manifest, &[]), expected, "{manifest}");
        }
    }

    #[test]
    fn features_choose_engines() {
        let manifest = "[dependencies]\ndiesel = '2'\nrusqlite = { version = '0.30', optional = true }\n[features]\n\
                        default = ['pg']\npg = ['diesel/postgres', 'kv']\nkv = []\nlite = ['rusqlite']\n\
                        all = ['pg', 'lite']";
        let package = Manifest::parse(Path::new("/x"), manifest).unwrap();
        let found = choosing_features(&package, &package.dependencies(None));
        assert_eq!(found, [("lite".into(), Dialect::Sqlite), ("pg".into(), Dialect::Postgres)]);
    }

    #[test]
    fn a_url_goes_first() {
        let both = "dependencies.sqlx.features = ['sqlite', 'postgres']";
        assert_eq!(
            of(both, &[(".env", "A=b\nexport DATABASE_URL=\"sqlite:x.db\"")]),
            [Dialect::Sqlite, Dialect::Postgres]
        );
        assert_eq!(of(both, &[(".env", "# DATABASE_URL=sqlite:x")]), [Dialect::Postgres, Dialect::Sqlite]);
        assert_eq!(of("", &[(".env.example", "DATABASE_URL=mysql://u:p@h/d")]), [Dialect::MySql]);
        let renamed = [
            ("sqlx.toml", "[common]\ndatabase-url-var = 'SHOP_URL'"),
            (".env", "DATABASE_URL=mysql:\nSHOP_URL=postgres:"),
        ];
        assert_eq!(of("", &renamed), [Dialect::Postgres]);
    }

    #[test]
    fn tables_below_a_directory_of_its_name_are_those_of_cockroach() {
        let of = |paths: &[&str]| {
            let text = |path: &&str| {
                if path.contains("metrics") {
                    "CREATE TABLE a (b Int8) ENGINE = MergeTree"
                } else {
                    "CREATE TABLE a (b INT)"
                }
            };
            let file = |path: &&str| (path.to_string(), text(path).to_owned());
            let manifest = "[package]\nname = 'a'\n[dependencies]\ndiesel = { version = '2', features = ['postgres'] }";
            let files = paths.iter().map(file).chain([("Cargo.toml".to_owned(), manifest.to_owned())]);
            crate::source::memory(files.collect()).crates[0].dialects.clone()
        };
        assert_eq!(of(&["schema/crdb/init.sql", "metrics/init.sql"]), [Dialect::Cockroach]);
        assert_eq!(of(&["schema/crdb/init.sql", "tests/a.sql"]), [Dialect::Cockroach]);
        assert_eq!(of(&["schema/crdb/init.sql", "schema/postgres/init.sql"]), [Dialect::Postgres]);
        assert_eq!(of(&["schema/init.sql"]), [Dialect::Postgres]);
    }

    #[test]
    fn diesel_types_name_an_engine() {
        let file =
            [("diesel.toml", "[print_schema]\nimport_types = ['diesel::sql_types::*', 'diesel::pg::sql_types::*']")];
        assert_eq!(of("dependencies.diesel = '2'", &file), [Dialect::Postgres]);
    }
}
