//! Files that stand for each other under `#[cfg(feature = "…")]`: the driver of one database or of another.
//!
//! No build has both, so that only one of them is read: the one that is built where nobody asks for other features.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::lower::declared_in;
use crate::lower::features::holds;
use crate::lower::tree::Name;
use crate::source::{Crate, SourceFile, Workspace};
use crate::span::FileId;

/// What the manifests and the declarations of modules say of files.
pub struct Built<'w> {
    workspace: &'w Workspace,
    by_path: FxHashMap<&'w str, &'w SourceFile>,
    known: RefCell<FxHashMap<FileId, Option<bool>>>,
    /// The modules that each file declares under a condition.
    declared: RefCell<FxHashMap<FileId, FxHashMap<Name, String>>>,
}

impl<'w> Built<'w> {
    pub fn of(workspace: &'w Workspace) -> Self {
        let by_path = workspace.files.iter().map(|file| (file.path.as_str(), file)).collect();
        Self { workspace, by_path, known: RefCell::default(), declared: RefCell::default() }
    }

    /// Whether a file is built with the default features; none where no module it stands in is under a condition that
    /// they decide.
    pub fn file(&self, file: &SourceFile) -> Option<bool> {
        if let Some(known) = self.known.borrow().get(&file.id) {
            return *known;
        }
        let found = self.declared(file);
        self.known.borrow_mut().insert(file.id, found);
        found
    }

    /// The same of something in it that stands under a condition of its own.
    pub fn part(&self, file: &SourceFile, condition: Option<&str>) -> Option<bool> {
        let own = condition.and_then(|condition| holds(condition, &self.krate(file)?.features));
        both(own, self.file(file))
    }

    fn krate(&self, file: &SourceFile) -> Option<&'w Crate> {
        self.workspace.crates.get(file.krate?)
    }

    fn declared(&self, file: &SourceFile) -> Option<bool> {
        let krate = self.krate(file)?;
        let inside = file.path.strip_prefix(krate.dir.as_str())?.trim_start_matches('/');
        let mut path = inside.strip_suffix(".rs")?;
        let mut found = None;
        while let Some((dir, name)) = path.strip_suffix("/mod").unwrap_or(path).rsplit_once('/') {
            let at_top = dir == "src";
            let parents = match at_top {
                true => ["src/lib.rs".to_owned(), "src/main.rs".to_owned()],
                false => [format!("{dir}/mod.rs"), format!("{dir}.rs")],
            };
            let conditions = parents.iter().filter_map(|parent| self.condition(file, krate, (parent, name)));
            let own = conditions.map(|condition| holds(&condition, &krate.features)).find(Option::is_some).flatten();
            found = both(found, own);
            if at_top {
                break;
            }
            path = dir;
        }
        found
    }

    /// The condition under which a file declares a module.
    fn condition(&self, of: &SourceFile, krate: &Crate, (parent, module): (&str, &str)) -> Option<String> {
        let path = if krate.dir.is_empty() { parent.to_owned() } else { format!("{}/{parent}", krate.dir) };
        let file = self.by_path.get(path.as_str()).filter(|file| file.krate == of.krate)?;
        let mut known = self.declared.borrow_mut();
        let declared = known.entry(file.id).or_insert_with(|| {
            let found = std::panic::catch_unwind(|| declared_in(&file.text)).unwrap_or_default();
            let mut first = FxHashMap::default();
            for (name, condition) in found.conditional {
                first.entry(name).or_insert(condition);
            }
            first
        });
        declared.get(module).cloned()
    }
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (one, other) => one.or(other),
    }
}
