//! A [`Workspace`] and a [`Config`] to findings: every arrow of the house in order.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::Config;
use crate::dialect::Dialect;
use crate::event::{Event, Flow};
use crate::finding::{Finding, Protected};
use crate::flow::Evaluator;
use crate::flow::graph::Calls;
use crate::link::{FnId, Program};
use crate::lower::{self, tree::Lowered};
use crate::macros::PackageMacros;
use crate::notice::{Notice, NoticeKind};
use crate::progress::Progress;
use crate::race::scene::{Rivals, Scene};
use crate::report::Counts;
use crate::rules::claim::Claim;
use crate::rules::table_lock;
use crate::source::{FileKind, SourceFile, Target, Workspace};
use crate::span::Span;
use crate::sql::schema::{Schema, TableDef};
use crate::sql::statement::{Action, ConflictAction, Verb};
use crate::story::{self, common};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    pub schema: &'e Schema,
    pub rivals: &'e Rivals,
    /// Callees come before their callers.
    pub flows: &'e [std::rc::Rc<Flow>],
    /// The functions that run in production.
    pub roots: &'e [FnId],
    /// Files that could not be lowered, and migrations that could not be read.
    pub notices: &'e [Notice],
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
    let mut schema = schema(workspace, config, &mut notices);
    let program = Program::build(workspace, trees);
    add_tables_of_code(&mut schema, &program, workspace);
    let mut evaluator = Evaluator::new(&program, workspace, config);
    let roots: Vec<FnId> = program.functions().filter(|id| runs_in_production(workspace, &program, *id)).collect();
    let reaching = crate::race::packages::reaching(workspace, &program, &evaluator.clients.clone(), config);
    progress.expect_functions(roots.len());
    for id in &roots {
        progress.function_done();
        let package = program.krate_of(*id);
        if reaching.as_ref().is_none_or(|reaching| package.is_none_or(|package| reaching.contains(&package))) {
            evaluator.flow(*id);
        }
    }
    let flows: Vec<std::rc::Rc<Flow>> = evaluator.finished().to_vec();
    let mut rivals = rivals(&flows, &roots);
    rivals.sessions = crate::race::session::sessions(&evaluator, &flows, &roots);
    notices.sort();
    then(&Evaluated {
        ev: &evaluator,
        schema: &schema,
        rivals: &rivals,
        flows: &flows,
        roots: &roots,
        notices: &notices,
    })
}

fn conclusions(of: &Evaluated<'_, '_>) -> Analysis {
    let Evaluated { ev: evaluator, schema, rivals, flows, roots, notices } = of;
    let (workspace, config) = (evaluator.workspace, evaluator.config);
    let mut judged = Judged {
        concurrent: crate::race::reach::concurrent(workspace, evaluator.program, &evaluator.calls, roots, config),
        ..Judged::default()
    };
    for flow in *flows {
        judge(evaluator, flow, schema, config, rivals, &mut judged);
    }
    let findings = judged.told(evaluator, schema, config, rivals, flows);
    let mut unknown = BTreeMap::new();
    for (why, count) in evaluator.unknown.statements.iter().chain(&evaluator.unknown.given_up) {
        *unknown.entry(why.clone()).or_default() += count;
    }
    let counts = Counts {
        files: workspace.files.len(),
        functions: roots.len(),
        statements: evaluator.unknown.statements_seen,
        unknown: evaluator.unknown.statements.values().sum(),
        ..Counts::default()
    };
    let calls = evaluator.calls.towards_rows(evaluator.program, flows);
    judged.safe.sort();
    judged.safe.dedup();
    let notices = notices.to_vec();
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
        .map(|file| {
            let caught = std::panic::catch_unwind(|| lower::lower_with(file.id, &file.text, macros.of(file)));
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

pub(crate) fn schema(workspace: &Workspace, config: &Config, notices: &mut Vec<Notice>) -> Schema {
    let dialect = config
        .dialect
        .or_else(|| workspace.crates.iter().find_map(|krate| krate.dialects.first().copied()))
        .unwrap_or(Dialect::Postgres);
    let files: Vec<&SourceFile> = workspace.files.iter().filter(|file| file.kind == FileKind::Sql).collect();
    let texts: Vec<(&str, &str)> = files.iter().map(|file| (file.path.as_str(), &*file.text)).collect();
    let (schema, faults) = crate::sql::migrations::schema(&texts, dialect);
    for (file, why) in faults {
        if let Some(file) = files.get(file) {
            let notice = Notice { path: file.path.clone(), span: None, kind: NoticeKind::Syntax, text: why };
            notices.push(notice);
        }
    }
    schema
}

/// What diesel's `table!` and sea-orm's entities and migrations say, beside the migrations in SQL.
pub(crate) fn add_tables_of_code(schema: &mut Schema, program: &Program, workspace: &Workspace) {
    for (name, def) in crate::client::diesel::schema::tables(program, workspace) {
        schema.add(name, TableDef { keys_unsaid: true, ..def });
    }
    for (name, def) in crate::client::sea_orm::tables(program) {
        schema.add(name, def);
    }
}

/// Tests, examples, benches and build scripts do not serve two requests at once.
fn runs_in_production(workspace: &Workspace, program: &Program, id: FnId) -> bool {
    let function = program.function(id);
    let main = matches!(workspace.file(program.file_of(id)).kind, FileKind::Rust(Target::Main));
    main && !function.test && function.body.is_some()
}

/// What the program does to its tables, from every statement that stands in a function of its own.
fn rivals(flows: &[std::rc::Rc<Flow>], roots: &[FnId]) -> Rivals {
    let production: FxHashSet<FnId> = roots.iter().copied().collect();
    let mut rivals = Rivals::default();
    let own = flows
        .iter()
        .flat_map(|flow| flow.events.iter())
        .filter(|event| event.calls.is_empty() && production.contains(&event.function));
    for event in own {
        let Some(access) = event.access() else { continue };
        for target in access.statement.accesses.iter().filter(|access| access.action != Action::Read) {
            let table = target.table.name.clone();
            match target.action {
                Action::Insert => {
                    rivals.inserted.insert(table.clone());
                    let conflict = target.conflict.as_ref().map(|conflict| &conflict.action);
                    if let Some(ConflictAction::Update { sets, .. }) = conflict {
                        // A row that is there keeps what the INSERT names and the conflict clause does not.
                        let columns = rivals.updated.entry(table).or_default();
                        columns.extend(sets.iter().map(|set| set.column.clone()));
                    } else if let Some(ConflictAction::Replace) = conflict {
                        rivals.updated_somehow.insert(table);
                    }
                }
                Action::Update => {
                    if target.sets.is_empty()
                        || target.sets.iter().any(|set| set.column == "?")
                        || access.statement.verb == Verb::Merge
                    {
                        rivals.updated_somehow.insert(table.clone());
                    }
                    let columns = rivals.updated.entry(table).or_default();
                    columns.extend(target.sets.iter().map(|set| set.column.clone()));
                }
                Action::Delete => {
                    rivals.deleted.insert(table);
                }
                Action::Read => {}
            }
        }
    }
    rivals
}

/// A pair of places, in the function where the two halves meet.
type Pair = (Span, Span, FnId);

#[derive(Default)]
struct Judged {
    /// Claims with the place of their flow.
    claims: Vec<(usize, Claim, Pair)>,
    /// Pairs whose verdict is left to the callers.
    deferred: FxHashSet<Pair>,
    /// Where the writes of those pairs stand.
    deferred_writes: FxHashSet<Span>,
    /// Functions that two requests can run at once.
    concurrent: FxHashSet<FnId>,
    safe: Vec<Protected>,
    seen: usize,
}

/// Judges one function. Callees come before their callers.
fn judge(ev: &Evaluator<'_>, flow: &Flow, schema: &Schema, config: &Config, rivals: &Rivals, judged: &mut Judged) {
    let place = judged.seen;
    judged.seen += 1;
    if flow.events.is_empty() || ev.program.function(flow.function).test {
        return;
    }
    let scene = Scene::new(ev, flow, schema, config, rivals);
    let (deferred, writes) = (&judged.deferred, &judged.deferred_writes);
    let wanted = |read: &Event, write: &Event| {
        common(read, write) == 0 || writes.contains(&write.span) && deferred.contains(&pair(flow, read, write))
    };
    let found = crate::rules::judge(&scene, &wanted);
    let called = ev.calls.callers.get(&flow.function).is_some_and(|callers| {
        callers.iter().any(|site| !ev.program.function(site.caller).test && site.caller != flow.function)
    });
    for claim in found.claims {
        let (Some(read), Some(write)) = (scene.event(claim.sequence.read), scene.event(claim.sequence.write)) else {
            continue;
        };
        let meant_for = claim.meant_for.and_then(|id| scene.event(id)).unwrap_or(write);
        let pair = pair(flow, read, meant_for);
        // On a handle that was handed in, the callers know whether a transaction is open.
        let open = called && (given(ev, flow, read) || given(ev, flow, write));
        if open {
            judged.deferred_writes.insert(pair.1);
            judged.deferred.insert(pair);
        } else if judged.concurrent.contains(&flow.function) {
            judged.claims.push((place, claim, pair));
        }
    }
    let safe = found.safe.iter();
    judged.safe.extend(safe.filter_map(|(sequence, by)| story::protection::protected(&scene, sequence, by)));
}

/// Whether a statement runs on a handle that the function was given.
pub(crate) fn given(ev: &Evaluator<'_>, flow: &Flow, event: &Event) -> bool {
    let Some(on) = event.on else { return false };
    if ev.handle(on).is_some_and(|handle| handle.kind == crate::client::HandleKind::Pool) {
        return false;
    }
    let mut found = false;
    ev.terms.walk(on, &mut |term| {
        found |= matches!(ev.terms.get(term), crate::flow::term::Term::Param(id, _) if *id == flow.function);
    });
    found
}

/// The engine that a claim's write is sent to.
fn dialect(flow: &Flow, claim: &Claim) -> Option<Dialect> {
    flow.events.iter().find(|event| event.id == claim.sequence.write).map(|event| event.dialect)
}

fn pair(flow: &Flow, read: &Event, write: &Event) -> Pair {
    let depth = common(read, write);
    let holder = if depth == 0 { flow.function } else { read.calls[depth - 1].function };
    (read.span, write.span, holder)
}

impl Judged {
    /// The claims as findings: one for each pair of places, sorted.
    fn told(
        &self,
        ev: &Evaluator<'_>,
        schema: &Schema,
        config: &Config,
        rivals: &Rivals,
        flows: &[std::rc::Rc<Flow>],
    ) -> Vec<Finding> {
        let mut by_pair: FxHashMap<(Pair, &'static str), usize> = FxHashMap::default();
        // One call may lead to several implementations of a trait, or to a statement for each engine: it is told once.
        let mut by_place: FxHashSet<(bool, Span, String)> = FxHashSet::default();
        let mut by_text: FxHashMap<String, Option<Dialect>> = FxHashMap::default();
        let mut findings: Vec<Finding> = Vec::new();
        for (place, claim, pair) in &self.claims {
            let flow = &flows[*place];
            if let Some(known) = by_pair.get(&(*pair, claim.rule)) {
                let caller = story::caller(ev, flow, claim);
                findings[*known].callers.extend(caller);
                continue;
            }
            let scene = Scene::new(ev, flow, schema, config, rivals);
            let Some(finding) = story::tell(&scene, claim) else { continue };
            // The same two statements, sent to one engine or to another.
            let engine = by_text.entry(finding.fingerprint.clone()).or_insert(dialect(flow, claim));
            if *engine != dialect(flow, claim) {
                continue;
            }
            let about_lock = claim.rule == table_lock::ID;
            if by_place.insert((about_lock, finding.at, finding.table.clone())) {
                by_pair.insert((*pair, claim.rule), findings.len());
                findings.push(finding);
            }
        }
        findings.sort_by(|a, b| (a.at, a.rule, &a.fingerprint).cmp(&(b.at, b.rule, &b.fingerprint)));
        story::number(&mut findings);
        findings
    }
}
