//! Flows as text: what racelint understood of a program, for `racelint dump`, for bug reports and for the scenarios.

pub mod listing;
mod terms;

use std::fmt::Write;

use crate::config::Config;
use crate::dump::terms::Shown;
use crate::event::{Access, CondKind, Event, EventKind, Flow};
use crate::flow::Evaluator;
use crate::link::{FnId, Program};
use crate::race::rivals::Rivals;
use crate::race::scene::Scene;
use crate::race::transaction;
use crate::source::Workspace;
use crate::span::FileId;
use crate::sql::schema::Schema;
use crate::sql::statement::{
    Access as TableAccess, Action, Aggregate, Assignment, Compare, Conflict, ConflictAction, Operand, Predicate,
    Strength, Verb, Wait,
};

/// How many bytes of a condition's or an argument's text are shown.
const SHOWN: usize = 80;

/// The flows of one file's functions as text, in the order of the file; the same for the same input.
///
/// Each function is a block: its events one a line and numbered from 1, those of called functions in place; then the
/// conditions with their text, and what it returns. Functions without events are left out.
pub fn dump(evaluator: &mut Evaluator<'_>, file: FileId) -> String {
    let program = evaluator.program;
    let mut functions: Vec<FnId> = program.functions().filter(|id| program.file_of(*id) == file).collect();
    functions.sort_by_key(|id| program.function(*id).at.start);
    let mut out = String::new();
    for id in functions {
        let Some(flow) = evaluator.flow(id) else { continue };
        if flow.events.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        function(evaluator, &flow, &mut out);
    }
    out
}

/// The same for a file of a workspace. Files that cannot be lowered are left out.
pub fn file(workspace: &Workspace, config: &Config, file: FileId) -> String {
    let (trees, _) = crate::analyse::lowered(workspace);
    let program = Program::build(workspace, trees);
    let mut evaluator = Evaluator::new(&program, workspace, config);
    dump(&mut evaluator, file)
}

fn function(ev: &Evaluator<'_>, flow: &Flow, out: &mut String) {
    let (schema, rivals) = (Schema::default(), Rivals::default());
    let scene = Scene::new(ev, flow, &schema, ev.config, &rivals);
    let shown = Shown::new(ev, flow);
    let _ = writeln!(out, "{}", ev.program.path_of(flow.function));
    for (place, event) in flow.events.iter().enumerate() {
        let _ = write!(out, "  {:>2} {}", place + 1, said(&shown, event));
        if let Some(tx) = transaction::of(&scene, event)
            && event.access().is_some()
        {
            let level = if tx.level_set { tx.level.name() } else { "default level" };
            let _ = write!(out, "  in {}({level})", shown.term(tx.handle));
        }
        if event.repeated {
            out.push_str("  in a loop");
        }
        for guard in event.guards.iter() {
            let _ = write!(out, "  holding {}", shown.term(guard.lock));
        }
        if !event.deps.is_empty() {
            let conds: Vec<String> = event.deps.iter().filter_map(|cond| shown.cond(*cond)).collect();
            let _ = write!(out, "  if {}", conds.join(", "));
        }
        for call in event.calls.iter() {
            let several = if call.guessed { " (one of several)" } else { "" };
            let _ = write!(out, "  by {}{several}", ev.program.function(call.function).name);
        }
        out.push('\n');
    }
    for cond in &flow.conds {
        let Some(name) = shown.cond(*cond) else { continue };
        let cond = ev.cond(*cond);
        let kind = match cond.kind {
            CondKind::Test | CondKind::Must => "test",
            CondKind::Presence => "needs",
            CondKind::Each => "for each",
        };
        let _ = write!(out, "  {name}  {kind} {}  `{}`", shown.term(cond.term), short(ev.text_of(cond.span)));
        let by: Vec<String> = cond.inner.iter().filter_map(|inner| shown.cond(*inner)).collect();
        if !by.is_empty() {
            let _ = write!(out, "  by {}", by.join(", "));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "  returns {}", shown.term(flow.returns.term));
}

fn said(shown: &Shown<'_, '_>, event: &Event) -> String {
    let on = event.on.map(|on| format!(" on {}", shown.handle(on))).unwrap_or_default();
    match &event.kind {
        EventKind::Access(access) => format!("{}{on}", statement(shown, access)),
        EventKind::Begin { from, isolation, mode } => {
            let from = from.map(|from| format!(" on {}", shown.handle(from))).unwrap_or_default();
            let level = isolation.map(|level| format!(" {}", level.name())).unwrap_or_default();
            let mode = match format!("{mode:?}").to_lowercase() {
                plain if plain == "plain" => String::new(),
                mode => format!(" {mode}"),
            };
            format!("begin{level}{mode}{from}")
        }
        EventKind::Commit => format!("commit{on}"),
        EventKind::Rollback => format!("rollback{on}"),
        EventKind::Effect(effect) => format!("effect {}", effect.name),
        EventKind::Locked(guard) => format!("lock {}", shown.term(guard.lock)),
        EventKind::CallParam { callee, .. } => format!("calls {}", shown.term(*callee)),
    }
}

fn statement(shown: &Shown<'_, '_>, access: &Access) -> String {
    let statement = &access.statement;
    if statement.accesses.is_empty() {
        let locks: Vec<String> = statement
            .lock_calls()
            .map(|call| {
                let key: Vec<String> = call.key.iter().map(|key| operand(shown, access, key)).collect();
                format!("{:?} lock({})", call.act, key.join(", ")).to_lowercase()
            })
            .collect();
        return match (&statement.verb, locks.as_slice()) {
            (Verb::Select, []) => "select".to_owned(),
            (_, []) => format!("{:?}", statement.verb),
            _ => locks.join(" and "),
        };
    }
    let all: Vec<String> = statement.accesses.iter().map(|table| table_access(shown, access, table)).collect();
    all.join(" with ")
}

fn table_access(shown: &Shown<'_, '_>, access: &Access, table: &TableAccess) -> String {
    let mut out = format!("{} {}", action(table.action), table.table.name);
    let filters: Vec<String> = table.filter.iter().map(|filter| predicate(shown, access, filter)).collect();
    if !filters.is_empty() {
        let _ = write!(out, "[{}]", filters.join(" and "));
    }
    let columns: Vec<&str> = table.columns.iter().map(|column| column.as_str()).collect();
    if !columns.is_empty() {
        let _ = write!(out, " {{{}}}", columns.join(", "));
    }
    if !table.sets.is_empty() {
        let _ = write!(out, " set {}", assignments(shown, access, &table.sets));
    }
    if let Some(aggregate) = table.aggregate {
        let _ = write!(out, " {}", aggregate_name(aggregate));
    }
    if let Some(lock) = &table.lock {
        let _ = write!(out, " {}", strength(lock.strength));
        out.push_str(match lock.wait {
            Wait::Block => "",
            Wait::NoWait => " nowait",
            Wait::SkipLocked => " skip locked",
        });
    }
    if table.ordered {
        out.push_str(" ordered");
    }
    if table.limit.is_some() {
        out.push_str(" limited");
    }
    if let Some(conflict) = &table.conflict {
        let _ = write!(out, " {}", on_conflict(shown, access, conflict));
    }
    out
}

fn on_conflict(shown: &Shown<'_, '_>, access: &Access, conflict: &Conflict) -> String {
    match &conflict.action {
        ConflictAction::Nothing => "on conflict nothing".to_owned(),
        ConflictAction::Replace => "on conflict replace".to_owned(),
        ConflictAction::Update { sets, .. } => format!("on conflict set {}", assignments(shown, access, sets)),
    }
}

fn assignments(shown: &Shown<'_, '_>, access: &Access, sets: &[Assignment]) -> String {
    let all: Vec<String> =
        sets.iter().map(|set| format!("{} = {}", set.column, operand(shown, access, &set.value))).collect();
    all.join(", ")
}

fn predicate(shown: &Shown<'_, '_>, access: &Access, predicate: &Predicate) -> String {
    let columns: Vec<&str> = predicate.columns.iter().map(|column| column.as_str()).collect();
    let columns = columns.join(", ");
    match predicate.op {
        Compare::IsNull | Compare::IsNotNull => format!("{columns} {}", compare(predicate.op)),
        op => format!("{columns} {} {}", compare(op), operand(shown, access, &predicate.value)),
    }
}

fn operand(shown: &Shown<'_, '_>, access: &Access, operand_: &Operand) -> String {
    match operand_ {
        Operand::Placeholder(n) => match access.binds.get(*n).or(access.named.get(*n).map(|(_, term)| term)) {
            Some(term) => shown.term(*term),
            None => format!("${}", n + 1),
        },
        Operand::Named(name) => match access.named.iter().find(|(n, _)| n == name) {
            Some((_, term)) => shown.term(*term),
            None => format!(":{name}"),
        },
        Operand::Literal(text) => format!("'{}'", short(text)),
        Operand::Null => "null".to_owned(),
        Operand::Default => "default".to_owned(),
        Operand::Column { table: Some(table), column } => format!("{table}.{column}"),
        Operand::Column { table: None, column } => column.to_string(),
        Operand::Excluded(column) => format!("excluded.{column}"),
        Operand::Expr { text, parts } => {
            let parts: Vec<String> = parts.iter().map(|part| operand(shown, access, part)).collect();
            format!("{}({})", short(text), parts.join(", "))
        }
        Operand::Subquery(_) => "(sub-query)".to_owned(),
        Operand::Unknown => "?".to_owned(),
    }
}

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Read => "read",
        Action::Insert => "insert",
        Action::Update => "update",
        Action::Delete => "delete",
    }
}

pub(super) fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::KeyShare => "for key share",
        Strength::Share => "for share",
        Strength::NoKeyUpdate => "for no key update",
        Strength::Update => "for update",
    }
}

pub(super) fn aggregate_name(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Count => "count",
        Aggregate::Sum => "sum",
        Aggregate::Extreme => "extreme",
        Aggregate::Exists => "existence",
        Aggregate::Other => "aggregate",
    }
}

pub(super) fn compare(op: Compare) -> &'static str {
    match op {
        Compare::Eq => "=",
        Compare::Ne => "<>",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
        Compare::In => "in",
        Compare::NotIn => "not in",
        Compare::IsNull => "is null",
        Compare::IsNotNull => "is not null",
        Compare::Like => "like",
        Compare::Other => "with",
    }
}

/// One line, cut after [`SHOWN`] bytes at most.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= SHOWN {
        return line;
    }
    let cut = line.char_indices().map(|(at, _)| at).take_while(|at| *at <= SHOWN).last().unwrap_or(0);
    format!("{}…", &line[..cut])
}
