//! Which packages can reach a database at all: the others need not be evaluated, except where these call them.
//!
//! A package can when it depends on a client, or on a package that can, or when a package that can implements one of its
//! traits: a service that knows only `trait Repository` races through whoever implements it.

use rustc_hash::FxHashSet;

use crate::client::{self, Client};
use crate::config::Config;
use crate::link::Program;
use crate::source::{Crate, Workspace};

/// For each package whether a way of dependencies, in whichever direction, leads from it to one that names a database:
/// the others hold nothing that could matter, and need not even be parsed. `None` when that cannot be told.
///
/// In: the workspace's manifests and the text of its files. With wrappers in the configuration nothing is left out.
pub fn connected(workspace: &Workspace, clients: &[&'static Client], config: &Config) -> Option<Vec<bool>> {
    if !config.clients.is_empty() {
        return None;
    }
    let crates = &workspace.crates;
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); crates.len()];
    for (place, krate) in crates.iter().enumerate() {
        for (other, dependency) in crates.iter().enumerate() {
            if krate.depends_on(&dependency.name) || krate.dir == dependency.dir {
                neighbours[place].push(other);
                neighbours[other].push(place);
            }
        }
    }
    let mut found = vec![false; crates.len()];
    let reach = |from: usize, found: &mut Vec<bool>| {
        let mut todo = vec![from];
        while let Some(place) = todo.pop() {
            if !std::mem::replace(&mut found[place], true) {
                todo.extend(&neighbours[place]);
            }
        }
    };
    for place in (0..crates.len()).filter(|place| uses_client(&crates[*place], clients)) {
        reach(place, &mut found);
    }
    let search = client::search(clients)?;
    for file in &workspace.files {
        if let Some(place) = file.krate
            && !found[place]
            && search.is_match(&*file.text)
        {
            reach(place, &mut found);
        }
    }
    Some(found)
}

fn uses_client(krate: &Crate, clients: &[&'static Client]) -> bool {
    let of = |package: &str| clients.iter().any(|client| client.krates.contains(&package));
    krate.dependencies.iter().any(|dependency| of(&dependency.package))
}

/// For each package whether its functions can lead to a statement; `None` when that cannot be told.
///
/// In: the workspace's manifests and the program's impl blocks. With wrappers in the configuration nothing is left out.
pub fn reaching(
    workspace: &Workspace,
    program: &Program,
    clients: &[&'static Client],
    config: &Config,
) -> Option<FxHashSet<usize>> {
    if !config.clients.is_empty() {
        return None;
    }
    let mut found: FxHashSet<usize> =
        (0..workspace.crates.len()).filter(|place| uses_client(&workspace.crates[*place], clients)).collect();
    if found.is_empty() {
        return None;
    }
    let implements = program.implemented_across_packages();
    loop {
        let before = found.len();
        for (place, krate) in workspace.crates.iter().enumerate() {
            let depends = krate
                .dependencies
                .iter()
                .any(|dependency| found.iter().any(|other| workspace.crates[*other].name == dependency.package));
            if depends {
                found.insert(place);
            }
        }
        for (of_trait, by) in &implements {
            if found.contains(by) {
                found.insert(*of_trait);
            }
        }
        if found.len() == before {
            return Some(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(packages: &[(&str, &str, &str)]) -> Vec<String> {
        let mut files = std::collections::BTreeMap::new();
        for (name, dependencies, text) in packages {
            let manifest = format!("[package]\nname = '{name}'\nversion = '0.1.0'\n[dependencies]\n{dependencies}");
            files.insert(format!("{name}/Cargo.toml"), manifest);
            files.insert(format!("{name}/src/lib.rs"), (*text).to_owned());
        }
        let workspace = crate::source::memory(files.into_iter().collect());
        let found = connected(&workspace, &crate::client::clients(), &Config::default()).unwrap();
        let names = workspace.crates.iter().zip(found).filter(|(_, found)| *found);
        names.map(|(krate, _)| krate.name.to_string()).collect()
    }

    #[test]
    fn packages_matter_when_dependencies_lead_to_a_database() {
        let packages = [
            ("domain", "", "pub struct Seat;"),
            ("store", "domain = { path = '../domain' }\nsqlx = '0.8'", ""),
            ("service", "domain = { path = '../domain' }", "fn f() {}"),
            ("circuit", "", "pub const STEPS: &[u32] = &[1, 2];"),
            ("prover", "circuit = { path = '../circuit' }", ""),
        ];
        assert_eq!(told(&packages), ["domain", "service", "store"]);
    }

    #[test]
    fn what_a_file_says_counts_as_well() {
        let sent = "fn f(db: &Db) { db.run(\"UPDATE seats SET holder = 1\") }";
        let used = "use platform::sqlx; fn f() {}";
        assert_eq!(told(&[("a", "", sent), ("b", "", used), ("c", "", "fn f() {}")]), ["a", "b"]);
        assert!(told(&[("c", "", "fn f() {}")]).is_empty());
    }
}
