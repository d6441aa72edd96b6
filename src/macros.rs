//! Which `macro_rules!` of other files a file of a package may call.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::lower::tree::Name;
use crate::lower::{ByName, Callable, MacroDefinition, Macros, macros_of};
use crate::source::{Crate, SourceFile, Workspace};

/// The macros of all packages.
pub struct PackageMacros {
    /// By package; a name is there once.
    callable: FxHashMap<usize, ByName>,
    /// Those of them that other packages may call.
    exported: FxHashMap<usize, ByName>,
    /// For each package the packages of the workspace that it depends on, by the name it calls them; its own library is
    /// among them, as its binaries call it.
    reachable: Vec<Vec<(Name, usize)>>,
}

/// One definition, and whether it stands in the crate's root.
type Found = (MacroDefinition, bool);

impl PackageMacros {
    /// Collects what the files define, in parallel.
    pub fn read(workspace: &Workspace, files: &[&SourceFile]) -> Self {
        let found: Vec<(usize, &str, Macros)> =
            files.par_iter().filter_map(|file| macros_in(workspace, file)).collect();
        let opened: FxHashSet<(usize, &Name)> =
            found.iter().flat_map(|(krate, _, macros)| macros.opened.iter().map(|name| (*krate, name))).collect();
        let mut by_name: FxHashMap<(usize, Name), Vec<Found>> = FxHashMap::default();
        for (krate, path, macros) in &found {
            let root = matches!(*path, "src/lib.rs" | "src/main.rs");
            let in_scope = root || opened.contains(&(*krate, &module(path)));
            for definition in macros.definitions.iter().filter(|definition| in_scope || definition.exported) {
                let all = by_name.entry((*krate, definition.name.clone())).or_default();
                all.push((definition.clone(), root));
            }
        }
        let mut callable: FxHashMap<usize, ByName> = FxHashMap::default();
        for ((krate, name), all) in by_name {
            callable.entry(krate).or_default().extend(the_one(all).map(|definition| (name, definition)));
        }
        let exported = callable.iter().map(|(krate, all)| {
            let marked = all.iter().filter(|(_, definition)| definition.exported);
            (*krate, marked.map(|(name, definition)| (name.clone(), definition.clone())).collect::<ByName>())
        });
        Self {
            exported: exported.filter(|(_, all)| !all.is_empty()).collect(),
            reachable: reachable(workspace),
            callable,
        }
    }

    /// What a file may call; its own definitions may be among it.
    pub fn of(&self, file: &SourceFile) -> Callable<'_> {
        let Some(krate) = file.krate else { return Callable::default() };
        let others = self.reachable.get(krate).into_iter().flatten();
        Callable {
            own: self.callable.get(&krate),
            others: others.filter_map(|(name, of)| Some((name.clone(), self.exported.get(of)?))).collect(),
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
fn macros_in<'f>(workspace: &Workspace, file: &'f SourceFile) -> Option<(usize, &'f str, Macros)> {
    let krate = file.krate?;
    let macros = std::panic::catch_unwind(|| macros_of(&file.text)).unwrap_or_default();
    let dir = &workspace.crates.get(krate)?.dir;
    let inside = file.path.strip_prefix(dir.as_str()).unwrap_or(&file.path).trim_start_matches('/');
    (macros != Macros::default()).then_some((krate, inside, macros))
}

/// Of several of one name the one that is for others; none where that is not clear. Only `cfg` lets several be exported,
/// one for each database as a rule: the first by the name of its file stands for them, whatever the name of the macro is, so
/// that all are of one kind.
fn the_one(mut all: Vec<Found>) -> Option<MacroDefinition> {
    if all.len() > 1 {
        all.retain(|(definition, root)| definition.exported || *root);
    }
    let several = all.len() > 1;
    let (definition, _) = all.into_iter().next()?;
    (!several || definition.exported).then_some(definition)
}

/// The name of the module that a file holds.
fn module(path: &str) -> Name {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    Name::new(path.rsplit('/').next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use crate::analyse::lowered;
    use crate::lower::tree::Lowered;
    use crate::source::{Workspace, memory};

    fn functions(files: &[(&str, &str)]) -> Vec<String> {
        let manifest = ("Cargo.toml", "[package]\nname = 'a'\nversion = '0.1.0'\nedition = '2024'");
        let files = files.iter().chain([&manifest]).map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
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
