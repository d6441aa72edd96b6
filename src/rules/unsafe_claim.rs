//! A job or item is picked by a SELECT, then marked as taken.

use crate::event::Event;
use crate::finding::Confidence;
use crate::flow::term::{Origin, Part};
use crate::lower::tree::Name;
use crate::protect::WhyNot;
use crate::race::Sequence;
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::rules::claim::Facts;
use crate::rules::lost_update;
use crate::sql::statement::{Access as TableAccess, Action, Aggregate, Assignment, Compare, Predicate, Verb};

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
    if puts_away(facts) {
        return None;
    }
    if facts.target.action == Action::Delete {
        let used = used_beyond_key(facts);
        return used.then_some(Confidence::Medium);
    }
    Some(facts.confidence())
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
    facts.decided_before(facts.write.id).any(|(write, sequence, _)| {
        write.does(Action::Delete) && matches!(sequence.relation, Relation::SameRow | Relation::LikelySameRow)
    })
}

/// Whether a row that only one worker could take gets the time from it: it is still at work.
pub fn is_kept_alive(facts: &Facts<'_, '_>) -> bool {
    let chosen_by = |column: &Name| facts.reads.filter.iter().any(|predicate| predicate.columns.contains(column));
    let takes =
        |event: &Event| event.target().is_some_and(|target| target.sets.iter().any(|set| chosen_by(&set.column)));
    facts.target.action == Action::Update
        && facts.notes_time()
        && facts.decided_before(facts.write.id).any(|(write, ..)| write.does(Action::Update) && takes(write))
}

/// Whether anything is done with the picked row besides deleting it: deleting twice harms nobody.
fn used_beyond_key(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let from_read = |term| scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    from_read(scene.flow.returns.term)
        || scene.after(facts.read.id).any(|event| match &event.kind {
            crate::event::EventKind::Access(access) => {
                event.id != facts.write.id
                    && access.statement.writes()
                    && access.binds.iter().any(|term| from_read(*term))
            }
            crate::event::EventKind::Effect(_) => true,
            _ => false,
        })
}
