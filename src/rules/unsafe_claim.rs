//! A job or item is picked by a SELECT, then marked as taken.

use crate::event::{Access, CondId, EffectKind, Event, EventKind};
use crate::finding::Confidence;
use crate::flow::term::{Origin, Part};
use crate::lower::tree::Name;
use crate::protect::WhyNot;
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{Sequence, dependency, twice};
use crate::rules::claim::Facts;
use crate::rules::lost_update;
use crate::sql::statement::{
    Access as TableAccess, Action, Aggregate, Assignment, Compare, Limit, Output, Predicate, Verb,
};

pub const ID: &str = "unsafe-claim";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.inserts() || !facts.same_row() {
        return None;
    }
    if facts.tried.contains(&WhyNot::ClaimRunsOut) {
        return Some(Confidence::Medium.min(facts.confidence()));
    }
    if taken_before(facts) {
        return None;
    }
    if !facts.picks() {
        // A row that was asked for by its key is for `check-then-update` to judge.
        let listed = facts.sequence.key_from_row && !facts.reads_by_key();
        return (listed && is_paid_out(facts.scene, facts.read, facts.write)).then_some(Confidence::Medium);
    }
    if is_read_back(facts) {
        return None;
    }
    if facts.target.action == Action::Delete {
        let used = is_used(facts);
        return used.then_some(Confidence::Medium);
    }
    if puts_away(facts) {
        return None;
    }
    if only_names(facts) && facts.writes_the_same() && all_mark_alike(facts) && !is_used(facts) {
        return Some(Confidence::Low);
    }
    Some(facts.confidence())
}

/// Whether the newest row of a table is read by the function that has just inserted one there: it is meant to be that one.
fn is_read_back(facts: &Facts<'_, '_>) -> bool {
    let newest = facts.reads.filter.is_empty() && facts.reads.ordered && facts.reads.limit == Some(Limit::One);
    let read = &facts.read.calls;
    let own = |event: &Event| {
        let inserts =
            |target: &TableAccess| target.action == Action::Insert && target.table.name == facts.reads.table.name;
        let depth = event.calls.len();
        event.target().is_some_and(inserts) && read.len() <= depth + 1 && read.get(..depth) == Some(&*event.calls)
    };
    newest && facts.scene.before_of(Kind::Write, facts.read.id).any(own)
}

/// Whether the rows are all those that have not this mark yet, and each run gives them the same: they are put away, not taken.
fn puts_away(facts: &Facts<'_, '_>) -> bool {
    let (Some(read), Some(write)) = (facts.read.access(), facts.write.access()) else { return false };
    let terms = &facts.scene.ev.terms;
    let of_mark = |predicate: &Predicate| {
        let mut given = facts.target.sets.iter().filter(|set| predicate.columns.contains(&set.column)).peekable();
        let left_out = read.constant(terms, &predicate.value);
        given.peek().is_some().then(|| {
            predicate.op == Compare::Ne
                && left_out.is_some()
                && given.all(|set| write.constant(terms, &set.value) == left_out)
        })
    };
    let mut marks = facts.reads.filter.iter().filter_map(of_mark).peekable();
    facts.target.action == Action::Update && marks.peek().is_some() && marks.all(|mark| mark) && facts.writes_the_same()
}

/// All rows of a set are read, what they say is put to an amount elsewhere, and they are deleted: two runs that have read the
/// same rows put it there twice.
///
/// In: a DELETE. Out: the read before it, as one sequence.
pub fn spent(scene: &Scene<'_, '_>, write: &Event) -> Option<Sequence> {
    let summed = |access: &TableAccess| matches!(access.aggregate, None | Some(Aggregate::Sum));
    let (read, read_access) = lost_update::read_whole(scene, write, Action::Delete, summed)?;
    let known = || scene.sequences(write).iter().any(|own| own.read == read.id);
    (read.access()?.statement.verb == Verb::Select && is_paid_out(scene, read, write) && !known())
        .then(|| Sequence::of(read.id, write.id, read_access, Relation::SameRow))
}

/// Whether what rows say goes onto an amount of another table in each run that deletes them.
fn is_paid_out(scene: &Scene<'_, '_>, read: &Event, write: &Event) -> bool {
    let of_row = |origin: &Origin| origin.event == read.id && matches!(origin.part, Part::Column(_) | Part::Row);
    let pays = |event: &Event| {
        let (Some(access), Some(target)) = (event.access(), event.target()) else { return false };
        let Some(deleted) = write.target() else { return false };
        let adds = |set: &Assignment| {
            let given = scene.terms_in(access, &set.value);
            set.value.is_relative() && given.iter().any(|term| scene.origins(*term).iter().any(of_row))
        };
        target.action == Action::Update && target.table.name != deleted.table.name && target.sets.iter().any(adds)
    };
    write.does(Action::Delete)
        && !scene.outcome_used(write.id)
        && (scene.between_of(Kind::Write, read.id, write.id).any(pays)
            || scene.after_of(Kind::Write, write.id).any(pays))
}

/// Whether the rows are asked for by a value that a request brings, and are not what a worker comes across.
pub fn is_asked_for(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let Some(read) = scene.access(sequence.read) else { return false };
    let Some(reads) = read.statement.accesses.get(sequence.read_access) else { return false };
    let brought = |predicate: &Predicate| {
        let asked = scene.terms_in(read, &predicate.value);
        asked.iter().any(|term| scene.ev.terms.matters(*term))
    };
    reads.filter.iter().any(|predicate| predicate.op == Compare::Eq && brought(predicate))
}

/// Whether the row was deleted before this write, and only one worker could do that: what comes after is the taker's own.
fn taken_before(facts: &Facts<'_, '_>) -> bool {
    let of_row = |sequence: &Sequence| matches!(sequence.relation, Relation::SameRow | Relation::LikelySameRow);
    let deletes = |write: &Event| write.does(Action::Delete);
    facts.decided_before(facts.write.id, deletes).any(|(sequence, _)| of_row(&sequence))
}

/// Whether a row that only one worker could take gets the time from it: it is still at work.
pub fn is_kept_alive(facts: &Facts<'_, '_>) -> bool {
    let chosen_by = |column: &Name| facts.reads.filter.iter().any(|predicate| predicate.columns.contains(column));
    let takes =
        |event: &Event| event.target().is_some_and(|target| target.sets.iter().any(|set| chosen_by(&set.column)));
    facts.target.action == Action::Update
        && facts.notes_time()
        && facts.decided_before(facts.write.id, |write| write.does(Action::Update) && takes(write)).next().is_some()
}

/// Whether whoever else gives a column by which rows were chosen a value marks the row in the same way.
fn all_mark_alike(facts: &Facts<'_, '_>) -> bool {
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let own = facts.own_functions();
    let Some(write) = facts.write.access() else { return false };
    let chosen = |set: &&Assignment| facts.reads.filter.iter().any(|asked| asked.columns.contains(&set.column));
    dependency::written(facts.target).filter(chosen).all(|set| {
        let mut others = scene.rivals.writers.others((table, &set.column), scene.flow.function, &own);
        write.is_now(&scene.ev.terms, &set.value) && others.all(|writer| writer.now)
            || facts.others_write_the_same(set, &own)
    })
}

/// Whether all that was read is which rows they are, or in which state: all that are in it, or the one that the request asked
/// for. Two that mark them in the same way leave what one leaves.
fn only_names(facts: &Facts<'_, '_>) -> bool {
    let Some(read) = facts.read.access() else { return false };
    let table = facts.scene.schema.table(&facts.reads.table.name);
    let named = |column: &Name| {
        table.is_some_and(|table| table.keys().any(|key| key.contains(column)))
            || facts.reads.filter.iter().any(|predicate| predicate.columns.contains(column))
    };
    let told = |output: &Output| output.name != "*" && !output.from.is_empty() && output.from.iter().all(named);
    let output = &read.statement.output;
    let picked = facts.reads.limit.is_none() || !facts.reads.ordered && is_asked_for(facts.scene, facts.sequence);
    !output.is_empty() && output.iter().all(told) && picked
}

/// Whether something is done with the picked row that adds up when it is done twice. Deleting twice harms nobody, nor does
/// what only takes away what belongs to it.
fn is_used(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let from_read = |term| scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    // Who asked for this row, to delete it, holds nothing that another one should not have as well.
    let asked_for =
        || facts.target.action == Action::Delete && !facts.reads.ordered && is_asked_for(scene, facts.sequence);
    let told = || from_read(scene.flow.returns.term) && !asked_for();
    let conds: Vec<CondId> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let hangs = |event: &Event| scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond));
    let counts =
        |event: &Event| event.target().is_some_and(|target| target.sets.iter().any(|set| set.value.is_relative()));
    let of_row = |access: &Access| access.binds.iter().any(|term| from_read(*term));
    let acts = |event: &Event| match &event.kind {
        EventKind::Access(access) => {
            event.id != facts.write.id && (of_row(access) && adds(facts, event) || hangs(event) && counts(event))
        }
        EventKind::Effect(effect) => {
            effect.kind != EffectKind::File && !twice::is_harmless(scene, facts.read, facts.write, event)
        }
        _ => false,
    };
    told() || scene.after(facts.read.id).any(acts)
}

/// Whether a write comes on top of what was there: a new row, something put to an amount, or what this request alone brings.
fn adds(facts: &Facts<'_, '_>, event: &Event) -> bool {
    let (Some(access), Some(target)) = (event.access(), event.target()) else { return false };
    let scene = facts.scene;
    let own = |set: &Assignment| {
        let given = scene.terms_in(access, &set.value);
        set.value.is_relative() || given.iter().any(|term| scene.ev.terms.brings(*term, |event| facts.is_read(event)))
    };
    match target.action {
        Action::Insert => target.conflict.is_none() && !scene.rivals.journals.contains(&target.table.name),
        Action::Update => target.sets.iter().any(own),
        Action::Delete | Action::Read => false,
    }
}
