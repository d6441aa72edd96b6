//! Cargo.toml as data: names, dependencies and targets. Cargo itself is never asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Dependency;
use super::disk::Disk;
use super::place::MANIFEST_LIMIT;
use crate::lower::tree::Name;
use crate::notice::NoticeKind;

/// One Cargo.toml that could be parsed.
pub(super) struct Manifest {
    pub(super) dir: PathBuf,
    table: Table,
}

impl Manifest {
    /// Reads `dir`'s Cargo.toml; `None` when there is none, and why when it cannot be read.
    pub(super) fn read(dir: &Path, disk: &Disk) -> Result<Option<Self>, (NoticeKind, String)> {
        let text = match disk.text(&dir.join("Cargo.toml"), MANIFEST_LIMIT) {
            Ok(text) => text,
            Err(refused) if refused.is_not_found() => return Ok(None),
            Err(refused) => return Err((refused.kind(), refused.to_string())),
        };
        Self::parse(dir, &text).map(Some).map_err(|cause| (NoticeKind::Syntax, cause))
    }

    pub(super) fn parse(dir: &Path, text: &str) -> Result<Self, String> {
        let table = text.trim_start_matches('\u{feff}').parse::<Table>().map_err(|error| {
            let offset = error.span().map_or(0, |span| u32::try_from(span.start).unwrap_or(0));
            let line = super::lines::LineIndex::new(text).line(offset);
            format!("not a manifest, line {line}: {}", error.message().lines().next().unwrap_or(""))
        })?;
        Ok(Self { dir: dir.to_owned(), table })
    }

    pub(super) fn is_package(&self) -> bool {
        self.package("name").is_some()
    }

    pub(super) fn is_workspace(&self) -> bool {
        self.table.contains_key("workspace")
    }

    /// A string of `[package]`.
    pub(super) fn package(&self, key: &str) -> Option<&str> {
        self.table.get("package")?.get(key)?.as_str()
    }

    /// The package's name as other crates write it: `[lib] name`, else `[package] name` with `_`.
    pub(super) fn crate_name(&self) -> Option<Name> {
        let library = self.table.get("lib").and_then(|lib| lib.get("name")).and_then(Value::as_str);
        Some(identifier(library.or_else(|| self.package("name"))?))
    }

    /// `[package] name` with `_`, as the manifests of other packages name it.
    pub(super) fn package_name(&self) -> Option<Name> {
        self.package("name").map(identifier)
    }

    /// Whether the manifest itself has a `[lib]`, or a `[[bin]]`.
    pub(super) fn has(&self, target: &str) -> bool {
        self.table.contains_key(target)
    }

    /// The `path` of each `[[bin]]`, `[[test]]`, `[[example]]` or `[[bench]]`.
    pub(super) fn target_paths(&self, target: &str) -> impl Iterator<Item = &str> {
        let targets = self.table.get(target).and_then(Value::as_array).into_iter().flatten();
        targets.filter_map(|target| target.get("path")?.as_str())
    }

    /// The `path` of `[lib]`.
    pub(super) fn library_path(&self) -> Option<&str> {
        self.table.get("lib")?.get("path")?.as_str()
    }

    /// Whether `[package] build = false`.
    pub(super) fn has_no_build_script(&self) -> bool {
        self.table.get("package").and_then(|package| package.get("build")).and_then(Value::as_bool) == Some(false)
    }

    /// `[dependencies]` and every `[target.….dependencies]`, sorted by name, inherited ones filled in from `workspace`.
    pub(super) fn dependencies(&self, workspace: Option<&Manifest>) -> Vec<Dependency> {
        let targets = self.table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let tables = std::iter::once(self.table.get("dependencies"))
            .chain(targets.map(|target| target.get("dependencies")))
            .flatten()
            .filter_map(Value::as_table);
        let mut found = BTreeMap::<Name, Dependency>::new();
        for (name, value) in tables.flatten() {
            let dependency = dependency(name, value, workspace);
            match found.get_mut(&dependency.name) {
                None => {
                    found.insert(dependency.name.clone(), dependency);
                }
                Some(known) => {
                    let more = dependency.features.into_iter().filter(|feature| !known.features.contains(feature));
                    let more: Vec<_> = more.collect();
                    known.features.extend(more);
                    known.optional &= dependency.optional;
                }
            }
        }
        found.into_values().collect()
    }

    /// The package's own features that `default` reaches.
    pub(super) fn default_features(&self) -> Vec<Name> {
        self.reached("default").own.into_iter().map(Name::new).collect()
    }

    /// The names of the package's own features.
    pub(super) fn own_features(&self) -> impl Iterator<Item = &str> {
        self.table.get("features").and_then(Value::as_table).into_iter().flat_map(Table::keys).map(String::as_str)
    }

    /// What a feature of the package switches on.
    pub(super) fn reached<'m>(&'m self, feature: &'m str) -> Reached<'m> {
        let mut reached = Reached::default();
        let Some(features) = self.table.get("features").and_then(Value::as_table) else { return reached };
        let mut waiting = vec![feature];
        while let Some(feature) = waiting.pop() {
            if !reached.own.insert(feature) {
                continue;
            }
            let named = features.get(feature).and_then(Value::as_array).into_iter().flatten();
            for value in named.filter_map(Value::as_str) {
                waiting.push(value.trim_start_matches("dep:"));
                if let Some((name, feature)) = value.split_once('/') {
                    reached.of_others.push((identifier(name.trim_end_matches('?')), feature.to_owned()));
                }
            }
        }
        reached
    }
}

/// What is on because a feature is.
#[derive(Default)]
pub(super) struct Reached<'m> {
    /// The package's own features and optional dependencies, as written.
    pub(super) own: BTreeSet<&'m str>,
    /// Features of dependencies, as (dependency, feature).
    pub(super) of_others: Vec<(Name, String)>,
}

/// A package's name as code writes it.
pub(super) fn identifier(name: &str) -> Name {
    if name.contains('-') { name.replace('-', "_").into() } else { name.into() }
}

fn dependency(name: &str, value: &Value, workspace: Option<&Manifest>) -> Dependency {
    let inherited = value.get("workspace").and_then(Value::as_bool).unwrap_or(false);
    let shared = workspace
        .filter(|_| inherited)
        .and_then(|workspace| workspace.table.get("workspace")?.get("dependencies")?.get(name));
    let package = [Some(value), shared].into_iter().flatten().find_map(|value| value.get("package")?.as_str());
    let mut features = Vec::new();
    for value in [shared, Some(value)].into_iter().flatten() {
        let listed = value.get("features").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for feature in listed {
            if !features.iter().any(|known| known == feature) {
                features.push(feature.to_owned());
            }
        }
    }
    Dependency {
        name: identifier(name),
        package: identifier(package.unwrap_or(name)),
        features,
        optional: value.get("optional").and_then(Value::as_bool).unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse(Path::new("/x"), text).unwrap()
    }

    #[test]
    fn dependencies_are_renamed_inherited_and_merged() {
        let workspace = manifest(
            "[workspace.dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n\
             db = { package = 'tokio-postgres', version = '0.7' }",
        );
        let package = manifest(
            "[package]\nname = 'my-shop'\n[dependencies]\nsqlx = { workspace = true, features = ['uuid', 'postgres'] }\n\
             db.workspace = true\nserde = '1'\n[target.'cfg(unix)'.dependencies]\n\
             sqlx = { version = '0.8', features = ['mysql'] }\nold-mysql = { package = 'mysql', version = '1', optional = true }\n\
             [dev-dependencies]\nrusqlite = '0.30'",
        );
        let found = package.dependencies(Some(&workspace));
        let names: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.package.as_str())).collect();
        assert_eq!(names, [("db", "tokio_postgres"), ("old_mysql", "mysql"), ("serde", "serde"), ("sqlx", "sqlx")]);
        assert_eq!(found[3].features, ["postgres", "uuid", "mysql"]);
        assert!(found[1].optional && !found[3].optional);
        assert_eq!(package.crate_name().unwrap(), "my_shop");
    }

    #[test]
    fn features_reach_dependencies() {
        let package = manifest(
            "[features]\ndefault = ['pg']\npg = ['diesel/postgres', 'base']\nbase = ['default', 'dep:x']\n\
             lite = ['diesel?/sqlite']",
        );
        assert_eq!(package.reached("default").of_others, [("diesel".into(), "postgres".to_owned())]);
        assert_eq!(package.reached("lite").of_others, [("diesel".into(), "sqlite".to_owned())]);
        assert_eq!(Vec::from_iter(package.own_features()), ["base", "default", "lite", "pg"]);
        assert_eq!(package.default_features(), ["base", "default", "diesel/postgres", "pg", "x"]);
    }

    #[test]
    fn what_is_no_toml_is_named_by_its_line() {
        let error = Manifest::parse(Path::new("/x"), "[package]\nname = \n").err().unwrap();
        assert!(error.starts_with("not a manifest, line 2"), "{error}");
    }

    #[test]
    fn odd_shapes_are_no_error() {
        let odd = manifest("dependencies = 1\ntarget = []\nfeatures = 'x'\nbin = 3\npackage = { name = 7 }\nlib = 1");
        assert!(odd.dependencies(None).is_empty() && odd.own_features().next().is_none() && !odd.is_package());
        assert_eq!(odd.target_paths("bin").count(), 0);
    }
}
