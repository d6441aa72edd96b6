//! The tables of a program: what its migrations, its own texts and its entities make. Programs of one workspace that have
//! nothing to do with each other may have a table of the same name each.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::config::Config;
use crate::dialect::Dialect;
use crate::flow::stand_in::is_test_support;
use crate::link::Program;
use crate::lower::tree::Name;
use crate::lower::{self, Ddl};
use crate::notice::{Notice, NoticeKind};
use crate::source::{FileKind, SourceFile, Target, Workspace};
use crate::sql::migrations;
use crate::sql::schema::{Schema, TableDef};

/// The tables as each package knows them.
#[derive(Debug)]
pub struct Schemas {
    /// All tables of the workspace, as one database.
    pub whole: Schema,
    /// What some packages know otherwise.
    others: Vec<Schema>,
    /// Which of the others a package knows, by its place in [`Workspace::crates`]; the whole where none stands here.
    known: FxHashMap<usize, usize>,
}

impl Schemas {
    /// Which of all schemas a package knows: the same number for packages that know the same.
    pub fn number(&self, package: Option<usize>) -> usize {
        package.and_then(|package| self.known.get(&package)).map_or(0, |other| other + 1)
    }

    pub fn of(&self, package: Option<usize>) -> &Schema {
        self.number(package).checked_sub(1).map_or(&self.whole, |other| &self.others[other])
    }
}

/// Reads what makes the tables: migrations in SQL, texts in code, and what diesel's `table!` and sea-orm's entities say.
pub(super) fn read(workspace: &Workspace, program: &Program, config: &Config, notices: &mut Vec<Notice>) -> Schemas {
    let sources = Sources::of(workspace, config);
    let (whole, faults) = sources.schema(|_| true);
    for (path, text) in faults {
        notices.push(Notice { path, span: None, kind: NoticeKind::Syntax, text });
    }
    let mut schemas = sources.apart(workspace, whole);
    for (name, def) in tables_of_code(program, workspace) {
        for schema in schemas.others.iter_mut().chain([&mut schemas.whole]) {
            schema.add(name.clone(), def.clone());
        }
    }
    schemas
}

/// What diesel's `table!` and sea-orm's entities and migrations say, beside the migrations in SQL.
fn tables_of_code(program: &Program, workspace: &Workspace) -> Vec<(Name, TableDef)> {
    let diesel = crate::client::diesel::schema::tables(program, workspace).into_iter();
    let mut found: Vec<_> = diesel.map(|(name, def)| (name, TableDef { keys_unsaid: true, ..def })).collect();
    if crate::client::sea_orm::used(workspace) {
        found.extend(crate::client::sea_orm::tables(program));
    }
    found
}

/// Who makes a table: a package, or a file that stands in none.
type Maker = Option<usize>;

/// A text that the program sends, and the path of the file that it takes it from.
struct Step<'w> {
    by: Maker,
    text: Cow<'w, str>,
    file: Option<&'w str>,
}

/// Everything that makes tables, with who it belongs to.
struct Sources<'w> {
    files: Vec<&'w SourceFile>,
    steps: Vec<Step<'w>>,
    /// The engine of most, and the others.
    engines: Vec<Dialect>,
}

impl<'w> Sources<'w> {
    fn of(workspace: &'w Workspace, config: &Config) -> Self {
        let first =
            config.dialect.or_else(|| workspace.crates.iter().find_map(|krate| krate.dialects.first().copied()));
        let first = first.unwrap_or(Dialect::Postgres);
        // Packages of one workspace may have databases of different engines.
        let others: BTreeSet<Dialect> = workspace.crates.iter().flat_map(|it| it.dialects.iter().copied()).collect();
        let others = others.into_iter().filter(|other| *other != first && config.dialect.is_none());
        let steps = steps_of_code(workspace);
        let taken: BTreeSet<&str> = steps.iter().filter_map(|step| step.file).collect();
        let own = |file: &&SourceFile| file.kind == FileKind::Sql && !taken.contains(file.path.as_str());
        Self {
            files: workspace.files.iter().filter(own).collect(),
            steps,
            engines: std::iter::once(first).chain(others).collect(),
        }
    }

    /// The tables that some of the makers make, with the path of each file that was not understood, and why.
    fn schema(&self, of: impl Fn(Maker) -> bool) -> (Schema, Vec<(String, String)>) {
        let files: Vec<&SourceFile> = self.files.iter().copied().filter(|file| of(file.krate)).collect();
        let sql: Vec<(&str, &str)> = files.iter().map(|file| (file.path.as_str(), &*file.text)).collect();
        let steps = self.steps.iter().filter(|step| of(step.by));
        let steps: Vec<(Option<&str>, &str)> = steps.map(|step| (step.file, &*step.text)).collect();
        let (mut schema, mut faults) = (Schema::default(), Vec::new());
        // Beside a file that the program takes in, one that nobody names is a draft of it unless it is a migration.
        if steps.iter().any(|(file, _)| file.is_some()) && !migrations::any(sql.iter().copied()) {
            self.of_code(&mut schema, &steps);
        }
        for (place, engine) in self.engines.iter().enumerate() {
            let (made, missed) = migrations::schema(&sql, *engine);
            schema.complete(made);
            if place == 0 {
                faults = missed.into_iter().map(|(file, why)| (files[file].path.clone(), why)).collect();
            }
        }
        self.of_code(&mut schema, &steps);
        (schema, faults)
    }

    fn of_code(&self, schema: &mut Schema, steps: &[(Option<&str>, &str)]) {
        for engine in &self.engines {
            schema.complete(migrations::of_code(steps, *engine));
        }
    }

    /// What each package knows, where several make a table or a view of the same name.
    ///
    /// A package means its own, then that of those that it depends on, then of those that depend on it, then that of a
    /// directory of migrations beside them all, then that of the ones that stand nearest to it.
    fn apart(&self, workspace: &Workspace, whole: Schema) -> Schemas {
        let mut schemas = Schemas { whole, others: Vec::new(), known: FxHashMap::default() };
        let makers: BTreeSet<Maker> =
            self.files.iter().map(|file| file.krate).chain(self.steps.iter().map(|step| step.by)).collect();
        if makers.len() < 2 {
            return schemas;
        }
        let mut of_makers: BTreeMap<Vec<Maker>, Schema> =
            makers.into_iter().map(|maker| (vec![maker], self.schema(|by| by == maker).0)).collect();
        let mut made: BTreeMap<Name, Vec<Maker>> = BTreeMap::new();
        for (maker, schema) in &of_makers {
            for name in schema.made() {
                made.entry(name.clone()).or_default().extend(maker);
            }
        }
        made.retain(|_, makers| makers.len() > 1);
        if made.is_empty() {
            return schemas;
        }
        let near = Nearness::of(workspace);
        // Packages that mean the same makers share what they know.
        let mut groups: BTreeMap<Vec<(&Name, Vec<Maker>)>, Vec<usize>> = BTreeMap::new();
        for package in 0..workspace.crates.len() {
            let meant = made.iter().map(|(name, makers)| (name, makers, near.nearest(package, makers)));
            let meant = meant.filter(|(_, makers, nearest)| nearest.len() < makers.len());
            groups.entry(meant.map(|(name, _, nearest)| (name, nearest)).collect()).or_default().push(package);
        }
        for (meant, packages) in groups.into_iter().filter(|(meant, _)| !meant.is_empty()) {
            let mut schema = schemas.whole.clone();
            for (name, makers) in meant {
                let made = of_makers.entry(makers).or_insert_with_key(|of| self.schema(|by| of.contains(&by)).0);
                schema.take(name, made);
            }
            schemas.known.extend(packages.into_iter().map(|package| (package, schemas.others.len())));
            schemas.others.push(schema);
        }
        schemas
    }
}

/// The texts in the code of the program that make tables, in the order of the files, and among them the SQL files that
/// it takes in there. A numbered file stays one of the migrations: its number says when it is run.
fn steps_of_code(workspace: &Workspace) -> Vec<Step<'_>> {
    let main = |file: &&SourceFile| {
        matches!(file.kind, FileKind::Rust(Target::Main)) && !is_test_support(workspace.below(&file.path))
    };
    let files: Vec<&SourceFile> = workspace.files.iter().filter(main).collect();
    let steps = files.par_iter().map(|file| {
        let steps = std::panic::catch_unwind(|| lower::ddl_of(&file.text)).unwrap_or_default();
        let steps = steps.into_iter().filter_map(|ddl| match ddl {
            Ddl::Text(text) => Some(Step { by: file.krate, text: text.into(), file: None }),
            Ddl::Taken(path) => {
                let taken = workspace.beside(file, &path, true)?;
                let step = taken.kind == FileKind::Sql
                    && lower::makes_tables(&taken.text)
                    && !migrations::is_migration(&taken.path);
                step.then(|| Step { by: file.krate, text: (&*taken.text).into(), file: Some(&taken.path) })
            }
        });
        steps.collect::<Vec<_>>()
    });
    steps.collect::<Vec<_>>().into_iter().flatten().collect()
}

/// What packages have to do with each other.
struct Nearness<'w> {
    workspace: &'w Workspace,
    /// For each package those that it depends on, at whatever distance.
    below: Vec<BTreeSet<usize>>,
}

impl<'w> Nearness<'w> {
    fn of(workspace: &'w Workspace) -> Self {
        let places: FxHashMap<&Name, usize> =
            workspace.crates.iter().enumerate().map(|(place, krate)| (&krate.name, place)).collect();
        let direct: Vec<Vec<usize>> = workspace
            .crates
            .iter()
            .map(|krate| krate.dependencies.iter().filter_map(|it| places.get(&it.package).copied()).collect())
            .collect();
        let below = (0..direct.len())
            .map(|from| {
                let (mut found, mut todo) = (BTreeSet::new(), vec![from]);
                while let Some(place) = todo.pop() {
                    todo.extend(direct[place].iter().filter(|other| found.insert(**other)));
                }
                found
            })
            .collect();
        Self { workspace, below }
    }

    fn nearest(&self, package: usize, makers: &[Maker]) -> Vec<Maker> {
        let least = makers.iter().map(|maker| self.distance(package, *maker)).min();
        makers.iter().copied().filter(|maker| Some(self.distance(package, *maker)) == least).collect()
    }

    /// How far a maker of tables is from a package: less is nearer.
    fn distance(&self, package: usize, maker: Maker) -> usize {
        const APART: usize = 1000;
        match maker {
            Some(maker) if maker == package => 0,
            Some(maker) if self.below[package].contains(&maker) => 1,
            Some(maker) if self.below[maker].contains(&package) => 2,
            // A directory of migrations beside the packages is for all.
            None => 3,
            Some(maker) => APART.saturating_sub(self.shared(package, maker)),
        }
    }

    /// How many directories two packages share.
    fn shared(&self, one: usize, other: usize) -> usize {
        let parts = |place: usize| self.workspace.crates[place].dir.split('/').filter(|part| !part.is_empty());
        parts(one).zip(parts(other)).take_while(|(one, other)| one == other).count()
    }
}
