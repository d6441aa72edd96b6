//! A client is a dependency, and no statement of the program was seen: more likely it is called in a way that is not known
//! than not at all.

use crate::client::Client;
use crate::flow::Evaluator;
use crate::flow::foreign::Foreign;
use crate::lower::tree::Name;
use crate::notice::{Notice, NoticeKind};
use crate::source::Workspace;
use crate::span::FileId;

/// A notice for the first package that depends on a client, where all its functions sent nothing.
pub(super) fn notice(workspace: &Workspace, clients: &[&'static Client], statements: usize) -> Option<Notice> {
    if statements > 0 {
        return None;
    }
    let named = |package: &str| clients.iter().any(|client| client.krates.contains(&package));
    let (krate, client) = workspace
        .crates
        .iter()
        .find_map(|krate| Some((krate, krate.dependencies.iter().find(|dependency| named(&dependency.package))?)))?;
    let path = if krate.dir.is_empty() { "Cargo.toml".to_owned() } else { format!("{}/Cargo.toml", krate.dir) };
    let text = format!(
        "{} is a dependency, and no statement was found in the program: it may be called in a way that racelint does not know",
        client.package
    );
    Some(Notice { path, span: None, kind: NoticeKind::Unseen, text })
}

/// A notice for each derive macro of the workspace that writes statements which nobody reads, at the file that defines it.
pub(super) fn derived(ev: &Evaluator<'_>) -> Vec<Notice> {
    let notice = |(name, (file, calls)): (&Name, &(FileId, usize))| {
        let file = ev.workspace.file(*file);
        let times = times(*calls);
        let text = format!(
            "the derive macro {name} writes statements, which are not read; what it gives is called with a connection {times}"
        );
        Notice { path: file.path.clone(), span: None, kind: NoticeKind::Unseen, text }
    };
    ev.unknown.derived.iter().filter(|(_, (_, calls))| *calls > 0).map(notice).collect()
}

/// A notice for each type of another crate that rows are read into and whose methods are handed a connection, at the first
/// file that does.
pub(super) fn foreign(ev: &Evaluator<'_>) -> Vec<Notice> {
    let notice = |(name, of): (&Name, &Foreign)| {
        let first = of.calls().next()?;
        let times = times(of.calls().count());
        let text = format!(
            "rows are read into {name}, which another crate declares; it is called with a connection {times}, and what that sends is not read"
        );
        let path = ev.workspace.file(first.file).path.clone();
        Some(Notice { path, span: None, kind: NoticeKind::Unseen, text })
    };
    ev.unknown.foreign.iter().filter_map(notice).collect()
}

/// How often, in words.
fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
