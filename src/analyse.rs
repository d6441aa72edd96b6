//! A [`Workspace`] and a [`Config`] to findings: every arrow of the house in order.

mod callers;
mod judged;
mod judging;
mod leader;
pub(crate) mod tables;
mod unseen;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use self::judged::Judged;
pub(crate) use self::judging::{given, left_out};
use self::tables::Schemas;
use crate::config::Config;
use crate::event::Flow;
use crate::finding::{Finding, Protected};
use crate::flow::Evaluator;
use crate::flow::graph::Calls;
use crate::flow::stand_in;
use crate::link::{FnId, Program};
use crate::lower::{self, tree::Lowered};
use crate::macros::PackageMacros;
use crate::notice::{Notice, NoticeKind};
use crate::progress::Progress;
use crate::race::cycle::Cycles;
use crate::race::reach::Reach;
use crate::race::rivals::Rivals;
use crate::race::scene::Scene;
use crate::race::uncalled;
use crate::race::writers::Writers;
use crate::report::Counts;
use crate::source::{FileKind, SourceFile, Target, Workspace};
use crate::sql::migrations;

/// All that one run found out.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Sorted by file, offset and rule.
    pub findings: Vec<Finding>,
    /// Without those of the workspace.
    pub notices: Vec<Notice>,
    pub counts: Counts,
    pub statistics: Statistics,
    /// Sequences that were judged safe, sorted by where the write stands.
    pub safe: Vec<Protected>,
}

/// What was not understood, for `--statistics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// How often, by reason.
    pub unknown: BTreeMap<String, usize>,
    /// Those that can lead to a statement.
    pub calls: Calls,
}

/// Analyses a workspace. Nothing fails: what is not understood is among the notices and statistics.
pub fn analyse(workspace: &Workspace, config: &Config) -> Analysis {
    watched(workspace, config, &Progress::default())
}

/// The same, counted while it goes on.
pub fn watched(workspace: &Workspace, config: &Config, progress: &Progress) -> Analysis {
    evaluated_and_counted(workspace, config, progress, &conclusions)
}

/// A program whose functions are all evaluated, and what is known of its tables.
pub(crate) struct Evaluated<'e, 'p> {
    pub ev: &'e Evaluator<'p>,
    pub schemas: &'e Schemas,
    pub rivals: &'e Rivals,
    /// Callees come before their callers.
    pub flows: &'e [Arc<Flow>],
    /// The functions that run in production.
    pub roots: &'e [FnId],
    /// The same as a set.
    pub production: &'e FxHashSet<FnId>,
    /// Files that could not be lowered, and migrations that could not be read.
    pub notices: &'e [Notice],
}

impl<'e, 'p> Evaluated<'e, 'p> {
    pub fn scene(&self, flow: &'e Flow) -> Scene<'e, 'p> {
        let schema = self.schemas.of(self.ev.program.krate_of(flow.function));
        Scene::new(self.ev, flow, schema, self.ev.config, self.rivals)
    }
}

/// Evaluates every function that runs in production, and hands the result on.
pub(crate) fn evaluated<R>(workspace: &Workspace, config: &Config, then: &dyn Fn(&Evaluated<'_, '_>) -> R) -> R {
    evaluated_and_counted(workspace, config, &Progress::default(), then)
}

fn evaluated_and_counted<R>(
    workspace: &Workspace,
    config: &Config,
    progress: &Progress,
    then: &dyn Fn(&Evaluated<'_, '_>) -> R,
) -> R {
    let connected = crate::race::packages::connected(workspace, &crate::client::clients(), config);
    let matters = |file: &SourceFile| match (&connected, file.krate) {
        (Some(connected), Some(krate)) => connected[krate],
        _ => true,
    };
    let (trees, mut notices) = lowered_of(workspace, progress, matters);
    let program = Program::build(workspace, trees);
    let schemas = tables::read(workspace, &program, config, &mut notices);
    let mut evaluator = Evaluator::new(&program, workspace, config);
    evaluator.schemas = Some(&schemas);
    let roots: Vec<FnId> = program.functions().filter(|id| runs_in_production(&evaluator, *id)).collect();
    let reaching = crate::race::packages::reaching(workspace, &program, &evaluator.clients.clone(), config);
    evaluator.runs(&roots);
    progress.expect_functions(roots.len());
    for id in &roots {
        progress.function_done();
        let package = program.krate_of(*id);
        if reaching.as_ref().is_none_or(|reaching| package.is_none_or(|package| reaching.contains(&package))) {
            evaluator.flow(*id);
        }
    }
    evaluator.count_foreign();
    let flows: Vec<Arc<Flow>> = evaluator.finished().to_vec();
    let production: FxHashSet<FnId> = roots.iter().copied().collect();
    let mut rivals = Rivals::of(&flows, &production);
    rivals.cycles = Cycles::of(&flows, &production);
    rivals.sessions = crate::race::session::sessions(&evaluator, &flows, &production);
    let uncalled = uncalled::functions(&evaluator, &production);
    let reach = Reach::of(&evaluator, &roots, &uncalled.for_tests);
    rivals.writers = Writers::of((&evaluator, &schemas), &flows, &production, (&uncalled.all, reach));
    rivals.journals = crate::race::journal::journals((&evaluator, &schemas.whole), &flows, &production, &rivals);
    notices.sort();
    let result = then(&Evaluated {
        ev: &evaluator,
        schemas: &schemas,
        rivals: &rivals,
        flows: &flows,
        roots: &roots,
        production: &production,
        notices: &notices,
    });
    // Taking millions of pieces apart takes as long as linking them: it is done beside what follows.
    let flows = (flows, rivals, evaluator.into_pieces());
    rayon::spawn(move || drop(flows));
    rayon::spawn(move || drop(program));
    result
}

fn conclusions(of: &Evaluated<'_, '_>) -> Analysis {
    let ev = of.ev;
    let judged = Judged::of(of);
    let findings = judged.told(of);
    let mut unknown = BTreeMap::new();
    for (why, count) in ev.unknown.statements.iter().chain(&ev.unknown.given_up) {
        *unknown.entry(why.clone()).or_default() += count;
    }
    let counts = Counts {
        files: ev.workspace.files.len(),
        functions: of.roots.len(),
        statements: ev.unknown.statements_seen,
        unknown: ev.unknown.statements.values().sum(),
        ..Counts::default()
    };
    let calls = ev.calls.towards_rows(ev.program, of.flows);
    let mut notices = of.notices.to_vec();
    notices.extend(unseen::notice(ev.workspace, &ev.clients, counts.statements).filter(|_| counts.functions > 0));
    notices.extend(unseen::derived(ev));
    notices.extend(unseen::foreign(ev));
    notices.sort();
    Analysis { findings, notices, counts, statistics: Statistics { unknown, calls }, safe: judged.safe }
}

/// All Rust files as trees, in parallel; a file that cannot be lowered costs itself alone.
pub(crate) fn lowered(workspace: &Workspace) -> (Vec<Lowered>, Vec<Notice>) {
    lowered_of(workspace, &Progress::default(), |_| true)
}

/// Those Rust files that matter.
fn lowered_of(
    workspace: &Workspace,
    progress: &Progress,
    matters: impl Fn(&SourceFile) -> bool,
) -> (Vec<Lowered>, Vec<Notice>) {
    let of_rust = |file: &&SourceFile| matches!(file.kind, FileKind::Rust(_)) && matters(file);
    let rust: Vec<&SourceFile> = workspace.files.iter().filter(of_rust).collect();
    progress.expect_files(rust.len());
    let macros = PackageMacros::read(workspace, &rust);
    let results: Vec<Result<Lowered, Notice>> = rust
        .par_iter()
        .filter(|file| !macros.stands_back(file))
        .map(|file| {
            let caught = std::panic::catch_unwind(|| lower::lower_with(file.id, &file.text, &macros.of(file)));
            progress.file_done();
            let notice = |kind, span, text| Notice { path: file.path.clone(), span, kind, text };
            match caught {
                Ok(Ok(lowered)) => Ok(lowered),
                Ok(Err(refused)) => Err(notice(refused.kind, refused.at.map(|at| at.in_file(file.id)), refused.text)),
                Err(_) => {
                    Err(notice(NoticeKind::Internal, None, "racelint failed on this file, please report it".to_owned()))
                }
            }
        })
        .collect();
    let (mut trees, mut notices) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(tree) => trees.push(tree),
            Err(notice) => notices.push(notice),
        }
    }
    (trees, notices)
}

/// Tests, examples, benches and build scripts do not serve two requests at once, and a migration runs once, before any.
fn runs_in_production(ev: &Evaluator<'_>, id: FnId) -> bool {
    let function = ev.program.function(id);
    let file = ev.workspace.file(ev.program.file_of(id));
    let main = matches!(file.kind, FileKind::Rust(Target::Main))
        && !migrations::is_step(&file.path)
        && !stand_in::is_one(ev.program, &ev.test_support, id);
    main && !function.test && function.body.is_some()
}

#[cfg(test)]
mod tests;
