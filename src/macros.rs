//! Which `macro_rules!` of other files a file of a package may call.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::built::Built;
use crate::lower::tree::Name;
use crate::lower::{ByName, Callable, MacroDefinition, Macros, macros_of};
use crate::source::{Crate, SourceFile, Workspace};
use crate::span::FileId;

/// The macros of all packages.
pub struct PackageMacros {
    /// By package; a name is there once.
    callable: FxHashMap<usize, ByName>,
    /// Those of them that other packages may call.
    exported: FxHashMap<usize, ByName>,
    /// For each package the packages of the workspace that it depends on, by the name it calls them; its own library is
    /// among them, as its binaries call it.
    reachable: Vec<Vec<(Name, usize)>>,
    /// The features that are on in each package where nobody asks for others.
    features: Vec<Vec<Name>>,
    /// Files in whose stead another one is built.
    stand_back: FxHashSet<FileId>,
}

/// One definition, and whether it stands in the crate's root.
struct Found<'f> {
    definition: MacroDefinition,
    root: bool,
    file: &'f SourceFile,
}

impl PackageMacros {
    /// Collects what the files define, in parallel.
    pub fn read(workspace: &Workspace, files: &[&SourceFile]) -> Self {
        let found: Vec<(usize, &str, &SourceFile, Macros)> =
            files.par_iter().filter_map(|file| macros_in(workspace, file)).collect();
        let opened: FxHashSet<(usize, &Name)> =
            found.iter().flat_map(|(krate, _, _, macros)| macros.opened.iter().map(|name| (*krate, name))).collect();
        let mut by_name: FxHashMap<(usize, Name), Vec<Found<'_>>> = FxHashMap::default();
        for (krate, path, file, macros) in &found {
            let root = matches!(*path, "src/lib.rs" | "src/main.rs");
            let in_scope = root || opened.contains(&(*krate, &module(path)));
            for definition in macros.definitions.iter().filter(|definition| in_scope || definition.exported) {
                let all = by_name.entry((*krate, definition.name.clone())).or_default();
                all.push(Found { definition: definition.clone(), root, file });
            }
        }
        let mut callable: FxHashMap<usize, ByName> = FxHashMap::default();
        let mut stand_back = FxHashSet::default();
        let built = Built::of(workspace);
        for ((krate, name), all) in by_name {
            let one = the_one(all, &built, &mut stand_back);
            callable.entry(krate).or_default().extend(one.map(|definition| (name, definition)));
        }
        let dirs: FxHashSet<String> =
            stand_back.iter().map(|above| modules_below(&workspace.file(*above).path)).collect();
        let below = |file: &&&SourceFile| file.path.match_indices('/').any(|(at, _)| dirs.contains(&file.path[..=at]));
        let below: Vec<FileId> = files.iter().filter(below).map(|file| file.id).collect();
        stand_back.extend(below);
        let exported = callable.iter().map(|(krate, all)| {
            let marked = all.iter().filter(|(_, definition)| definition.exported);
            (*krate, marked.map(|(name, definition)| (name.clone(), definition.clone())).collect::<ByName>())
        });
        Self {
            exported: exported.filter(|(_, all)| !all.is_empty()).collect(),
            reachable: reachable(workspace),
            features: workspace.crates.iter().map(|krate| krate.features.clone()).collect(),
            callable,
            stand_back,
        }
    }

    /// Whether another file is built in the stead of this one where nobody asks for other features.
    pub fn stands_back(&self, file: &SourceFile) -> bool {
        self.stand_back.contains(&file.id)
    }

    /// What a file may call; its own definitions may be among it.
    pub fn of(&self, file: &SourceFile) -> Callable<'_> {
        let Some(krate) = file.krate else { return Callable::default() };
        let others = self.reachable.get(krate).into_iter().flatten();
        Callable {
            own: self.callable.get(&krate),
            others: others.filter_map(|(name, of)| Some((name.clone(), self.exported.get(of)?))).collect(),
            features: self.features.get(krate).map_or(&[], Vec::as_slice),
        }
    }
}

fn reachable(workspace: &Workspace) -> Vec<Vec<(Name, usize)>> {
    let mut members: FxHashMap<&Name, usize> = FxHashMap::default();
    for (place, krate) in workspace.crates.iter().enumerate() {
        members.entry(&krate.name).or_insert(place);
    }
    let of = |(place, krate): (usize, &Crate)| {
        let dependencies = krate.dependencies.iter();
        let mut found: Vec<(Name, usize)> =
            dependencies.filter_map(|it| Some((it.name.clone(), *members.get(&it.package)?))).collect();
        found.push((krate.name.clone(), place));
        found
    };
    workspace.crates.iter().enumerate().map(of).collect()
}

/// The package of a file, its path below the package, and its macros where it has any.
fn macros_in<'f>(workspace: &Workspace, file: &'f SourceFile) -> Option<(usize, &'f str, &'f SourceFile, Macros)> {
    let krate = file.krate?;
    let macros = std::panic::catch_unwind(|| macros_of(&file.text)).unwrap_or_default();
    let dir = &workspace.crates.get(krate)?.dir;
    let inside = file.path.strip_prefix(dir.as_str()).unwrap_or(&file.path).trim_start_matches('/');
    (macros != Macros::default()).then_some((krate, inside, file, macros))
}

/// Of several of one name the one that is for others; none where that is not clear. Only `cfg` lets several be there, one for
/// each database as a rule: that one is meant which is built with the default features, and where they decide nothing the
/// first by the name of its file, so that all are of one kind. The files of the others stand back.
fn the_one(mut all: Vec<Found<'_>>, built: &Built<'_>, stand_back: &mut FxHashSet<FileId>) -> Option<MacroDefinition> {
    if all.len() < 2 {
        return all.pop().map(|found| found.definition);
    }
    all.retain(|found| found.definition.exported || found.root);
    let said = |found: &Found<'_>| built.part(found.file, found.definition.condition.as_deref());
    let chosen = all.iter().enumerate().min_by_key(|(_, found)| match said(found) {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    });
    let chosen = chosen.map(|(place, _)| place)?;
    let decided = all.len() < 2 || all.iter().any(|found| said(found).is_some());
    let chosen = all.swap_remove(chosen);
    let others = all.iter().map(|found| found.file).filter(|file| file.id != chosen.file.id);
    stand_back.extend(others.filter(|file| built.file(file) == Some(false)).map(|file| file.id));
    (decided || chosen.definition.exported).then_some(chosen.definition)
}

/// The name of the module that a file holds.
fn module(path: &str) -> Name {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    Name::new(path.rsplit('/').next().unwrap_or(path))
}

/// Where the modules of a file stand.
fn modules_below(path: &str) -> String {
    let module = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
    format!("{module}/")
}

#[cfg(test)]
mod tests {
    use crate::analyse::lowered;
    use crate::lower::tree::Lowered;
    use crate::source::{Workspace, memory};

    fn functions(files: &[(&str, &str)]) -> Vec<String> {
        let manifest = ("Cargo.toml", "[package]\nname = 'a'\nversion = '0.1.0'\nedition = '2024'");
        let files = [manifest].into_iter().chain(files.iter().copied());
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let workspace: Workspace = memory(files.collect());
        let (trees, notices) = lowered(&workspace);
        assert!(notices.is_empty(), "{notices:?}");
        let shown = |lowered: &Lowered| {
            let text = &workspace.file(lowered.file).text;
            let functions = lowered.tree.functions.iter();
            functions.map(|f| format!("{}: {}", f.name, f.at.of(text))).collect::<Vec<_>>()
        };
        trees.iter().flat_map(shown).collect()
    }

    const FINDER: &str = "macro_rules! finder { ($name:ident) => { fn $name() { sql(\"SELECT 1\") } } }";

    #[test]
    fn macros_of_the_root_and_of_opened_modules_are_called_elsewhere() {
        let call = ("src/seats.rs", "// seats\nfinder!(find_seat);");
        let root = format!("{FINDER} mod seats;");
        assert_eq!(functions(&[("src/lib.rs", &root), call]), ["find_seat: finder!(find_seat)"]);
        let opened = ("src/lib.rs", "#[macro_use]\nmod macros;\nmod seats;");
        assert_eq!(functions(&[opened, ("src/macros.rs", FINDER), call]), ["find_seat: finder!(find_seat)"]);
        let exported = format!("#[macro_export] {FINDER}");
        assert_eq!(functions(&[("src/util.rs", &exported), call]), ["find_seat: finder!(find_seat)"]);
        let used = format!("{FINDER} pub(crate) use finder;");
        assert_eq!(functions(&[("src/util.rs", &used), call]), ["find_seat: finder!(find_seat)"]);
    }

    #[test]
    fn macros_that_cannot_be_meant_are_not_expanded() {
        let call = ("src/seats.rs", "finder!(find_seat);");
        assert!(functions(&[("src/util.rs", FINDER), call]).is_empty(), "not in scope");
        let root = ("src/lib.rs", FINDER);
        assert!(functions(&[root, ("src/seats.rs", "other::finder!(find_seat);")]).is_empty());
        assert!(functions(&[root, ("src/seats.rs", "use other::finder; finder!(find_seat);")]).is_empty());
    }

    #[test]
    fn of_exported_macros_for_each_database_the_first_is_called() {
        let calls = ("src/seats.rs", "finder!(find_seat);");
        let of =
            |what: &str| format!("#[macro_export] macro_rules! finder {{ ($name:ident) => {{ fn {what}() {{}} }} }}");
        let (one, other) = (of("by_postgres"), of("by_sqlite"));
        let both = [("src/sqlite.rs", &*other), ("src/postgres.rs", &*one), calls];
        assert_eq!(functions(&both).len(), 1);
        assert!(functions(&both)[0].starts_with("by_postgres"), "{:?}", functions(&both));
    }

    #[test]
    fn of_drivers_that_exclude_each_other_the_one_of_the_default_features_is_read() {
        let manifest = "[package]\nname = 'a'\nversion = '0.1.0'\n[features]\ndefault = ['lite']\nlite = []\npg = []\n";
        let calls = ("src/seats.rs", "finder!(find_seat);");
        let of = |what: &str, cfg: &str| {
            let body = format!("fn {what}() {{}}");
            format!("fn connect() {{}} {cfg}#[macro_export] macro_rules! finder {{ ($name:ident) => {{ {body} }} }}")
        };
        let shown = |files: &[(&str, &str)]| {
            let all: Vec<(&str, &str)> = files.iter().copied().chain([calls, ("Cargo.toml", manifest)]).collect();
            functions(&all)
        };
        let root = "mod seats; mod store;";
        let store = "#[cfg(feature = \"lite\")] pub mod sqlite; #[cfg(feature = \"pg\")] pub mod postgres;";
        let files = [
            ("src/lib.rs", root),
            ("src/store/mod.rs", store),
            ("src/store/postgres.rs", &of("by_postgres", "")),
            ("src/store/sqlite.rs", &of("by_sqlite", "")),
        ];
        let found = shown(&files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("by_sqlite")), "{found:?}");
        let one_file = format!(
            "{} {}",
            of("by_sqlite", "#[cfg(feature = \"lite\")] "),
            of("by_postgres", "#[cfg(feature = \"pg\")] ").replace("connect", "close")
        );
        let found = shown(&[("src/lib.rs", "mod seats; mod store;"), ("src/store.rs", &one_file)]);
        assert!(found.iter().any(|one| one.starts_with("by_sqlite")), "{found:?}");
        let undecided = "#[cfg(feature = \"my\")] pub mod mysql; #[cfg(feature = \"pg\")] pub mod postgres;";
        let files = [
            ("src/lib.rs", root),
            ("src/store/mod.rs", undecided),
            ("src/store/postgres.rs", &of("by_postgres", "")),
            ("src/store/mysql.rs", &of("by_mysql", "")),
        ];
        let found = shown(&files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("by_mysql")), "{found:?}");
    }

    #[test]
    fn exported_macros_of_other_packages_are_called_by_their_names() {
        let exported = format!(
            "#[macro_export] {FINDER} #[macro_export] macro_rules! both {{ ($a:ident) => {{ $crate::finder!($a); }} }}"
        );
        let shown = |call: &str| {
            let library = ("store/Cargo.toml", "[package]\nname = 'seat-store'\nversion = '0.1.0'\n");
            let shop = "[package]\nname = 'shop'\nversion = '0.1.0'\n[dependencies]\nseat-store.path = '../store'\n";
            let files =
                [library, ("store/src/lib.rs", &*exported), ("shop/Cargo.toml", shop), ("shop/src/lib.rs", call)];
            functions(&files)
        };
        assert_eq!(shown("use seat_store::finder; finder!(find_seat);"), ["find_seat: finder!(find_seat)"]);
        assert_eq!(shown("seat_store::finder!(find_seat);"), ["find_seat: seat_store::finder!(find_seat)"]);
        assert_eq!(shown("use seat_store::both; both!(find_seat);"), ["find_seat: both!(find_seat)"]);
        assert!(shown("finder!(find_seat);").is_empty(), "not imported");
        assert!(shown("use other::finder; finder!(find_seat);").is_empty());
        assert!(shown("use seat_store::shelf::finder; finder!(find_seat);").is_empty(), "it stands in the root");
    }

    #[test]
    fn a_binary_calls_its_library() {
        let exported = format!("#[macro_export] {FINDER}");
        let main = ("src/main.rs", "use a::finder; finder!(find_seat);");
        assert_eq!(functions(&[("src/lib.rs", &exported), main]), ["find_seat: finder!(find_seat)"]);
    }

    #[test]
    fn own_definitions_win() {
        let own = "macro_rules! finder { ($name:ident) => { fn $name() {} } } finder!(find_seat);";
        assert_eq!(functions(&[("src/lib.rs", FINDER), ("src/seats.rs", own)]), ["find_seat: fn $name() {}"]);
    }
}
