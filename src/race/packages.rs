//! Which packages can reach a database at all: the others need not be evaluated, except where these call them.
//!
//! A package can when it depends on a client, or on a package that can, or when a package that can implements one of its
//! traits: a service that knows only `trait Repository` races through whoever implements it.

use rustc_hash::FxHashSet;

use crate::client::Client;
use crate::config::Config;
use crate::link::Program;
use crate::source::Workspace;

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
    let uses_client = |krate: &crate::source::Crate| {
        krate
            .dependencies
            .iter()
            .any(|dependency| clients.iter().any(|client| client.krates.contains(&dependency.package.as_str())))
    };
    let mut found: FxHashSet<usize> =
        (0..workspace.crates.len()).filter(|place| uses_client(&workspace.crates[*place])).collect();
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
