//! The rules: each has a page in `rules/`, which is its documentation, its help text and its tests in one, and a file here
//! of the same name that says when a sequence falls under it.
//!
//! One sequence is claimed once. The order in which rules are asked is the order of [`classify`]: a lock that does not
//! hold and an effect that fires twice say more than the shape they stand in.

pub mod alone;
pub mod check_then_insert;
pub mod check_then_update;
pub mod claim;
pub mod double_fire;
mod either_way;
mod fenced;
pub mod lock_lost;
pub mod loss;
pub mod lost_update;
mod on_the_way;
mod one_time;
pub mod own_number;
mod pages;
pub mod racy_statement;
pub mod reset;
mod same_twice;
mod set_once;
pub mod stale_guard;
pub mod table_lock;
mod turned_away;
pub mod unchecked_outcome;
pub mod unsafe_claim;

pub use pages::{Page, Precision, page, pages};

use rustc_hash::FxHashMap;

use crate::event::{CondId, CondKind, Event};
use crate::finding::Confidence;
use crate::flow::term::{Origin, Part};
use crate::lower::tree::Name;
use crate::protect::{self, Protection, Shape, Verdict, WhyNot};
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, Written, alternatives, children, common, counted, dependency, here, transaction};
use crate::rules::claim::{Claim, Facts};
use crate::rules::loss::Loss;
use crate::span::Span;
use crate::sql::statement::{Access as TableAccess, Action, Verb};

/// How often one function may be claimed before the rest is counted only.
const CLAIMS: usize = 1_000;

/// How many other checks of a write are told with the gravest one.
const TOLD_WITH: usize = 3;

/// How often one function is judged for the same two places below the same two calls, of its own or where they meet.
const SAME_PLACES: usize = 8;

/// What one function's events come to.
#[derive(Default)]
pub struct Judged {
    pub claims: Vec<Claim>,
    /// Sequences that are safe, with what protects them.
    pub safe: Vec<(Sequence, Protection)>,
}

/// Judges all sequences of a function that `wanted` lets through.
pub fn judge(scene: &Scene<'_, '_>, wanted: &dyn Fn(&Event, &Event) -> bool) -> Judged {
    let mut judged = Judged::default();
    let mut seen: FxHashMap<[Span; 4], usize> = FxHashMap::default();
    for (place, write) in scene.flow.events.iter().enumerate() {
        if let Some((confidence, note, meant_for)) = table_lock::claims(scene, write)
            && wanted(write, meant_for)
        {
            judged.claims.push(too_much_locked(write, meant_for, confidence, note));
        }
        let Some(access) = write.access() else { continue };
        if wanted(write, write) {
            judged.claims.extend(by_itself(scene, write));
        }
        if access.statement.target().is_none() {
            continue;
        }
        let (before, after) = scene.flow.events.split_at(place);
        let meets = |events: &[Event]| events.iter().any(|read| read.access().is_some() && wanted(read, write));
        let read_before = meets(before);
        if !read_before && !meets(after) {
            continue;
        }
        let counted = counted::afterwards(scene, write).map(|sequence| (stale_guard::ID, sequence, None));
        let copied = || reset::copied(scene, write).map(|(sequence, other)| (lost_update::ID, sequence, Some(other)));
        let carried = || reset::carried(scene, write).map(|sequence| (lost_update::ID, sequence, None));
        let emptied = || lost_update::emptied(scene, write).map(|sequence| (lost_update::ID, sequence, None));
        let spent = || unsafe_claim::spent(scene, write).map(|sequence| (unsafe_claim::ID, sequence, None));
        let beside = || children::beside(scene, write).map(|sequence| (stale_guard::ID, sequence, None));
        let reset = || reset::claims(scene, write).map(|(sequence, other)| (lost_update::ID, sequence, Some(other)));
        if let Some((rule, sequence, counterpart)) =
            counted.or_else(emptied).or_else(copied).or_else(spent).or_else(carried).or_else(beside).or_else(reset)
            && let Some(read) = scene.event(sequence.read)
            && wanted(read, write)
            && let shape = match (rule, &counterpart) {
                (unsafe_claim::ID, _) | (_, Some(_)) => Shape::SameRow,
                _ => Shape::Phantom,
            }
            && let Verdict::Racy { tried } = protect::by_engine(scene, &sequence, shape)
        {
            let confidence = Confidence::Medium;
            judged.claims.push(Claim {
                rule,
                confidence,
                shape,
                tried,
                effect: None,
                meant_for: None,
                note: None,
                counterpart,
                also: Vec::new(),
                sequence,
            });
        }
        if !read_before {
            continue;
        }
        for sequence in scene.sequences(write).iter() {
            let Some(read) = scene.event(sequence.read) else { continue };
            if !wanted(read, write) || !can_be_read(scene, sequence) || is_read_again(scene, sequence) {
                continue;
            }
            // Of what meets further below, one helper may read and write for many.
            let depth = common(read, write);
            let times = seen.entry([here(read, depth), read.span, here(write, depth), write.span]).or_default();
            *times += 1;
            if *times <= SAME_PLACES {
                judge_sequence(scene, sequence.clone(), &mut judged);
            }
        }
        if judged.claims.len() > CLAIMS {
            break;
        }
    }
    judged.claims = once(scene, judged.claims);
    judged
}

/// A read is a SELECT, an UPDATE that found no row and is followed by an INSERT, or an INSERT whose row is kept.
fn can_be_read(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(read), Some(write)) = (scene.access(sequence.read), scene.access(sequence.write)) else { return false };
    match read.statement.verb {
        // A common table expression that inserts gives its own rows.
        Verb::Select => {
            let table = write.statement.target().map(|target| &target.table.name);
            let own = |target: &TableAccess| target.action == Action::Insert && Some(&target.table.name) == table;
            !read.statement.target().is_some_and(own)
                && read.statement.accesses.iter().any(|access| access.action == Action::Read)
        }
        Verb::Update => {
            let inserts = write.statement.target().is_some_and(|target| target.action == Action::Insert);
            let counted =
                sequence.checks.iter().any(|check| check.cond.is_none_or(|cond| asks_how_many(scene, cond, sequence)));
            inserts && counted && sequence.relation == Relation::NewRowOfSet && dependency::only_existence(sequence)
        }
        Verb::Insert => is_kept_meanwhile(scene, sequence),
        _ => false,
    }
}

/// Whether a row that was inserted, and that others can find from then on, is saved as it was by then, after something
/// outside was asked.
fn is_kept_meanwhile(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(insert), Some(write)) = (scene.event(sequence.read), scene.event(sequence.write)) else { return false };
    write.does(Action::Update)
        && sequence.relation == Relation::SameRow
        && sequence.values.iter().any(Written::is_handed_back)
        && !transaction::is_one(scene, insert, write)
        && scene.between_of(Kind::Effect, insert.id, write.id).next().is_some()
}

/// Whether a condition looks at how many rows an UPDATE changed; `execute(…)?` only asks whether it failed.
fn asks_how_many(scene: &Scene<'_, '_>, cond: CondId, sequence: &Sequence) -> bool {
    let cond = scene.ev.cond(cond);
    let of_count = |origin: &Origin| origin.event != sequence.read || origin.part == Part::Count;
    cond.kind != CondKind::Presence || !scene.origins(cond.term).iter().all(of_count)
}

/// Whether a function that both reads and writes was called once before: its own read decides, and is judged with it, unless
/// a state that the write moves was only asked of the first one.
fn is_read_again(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(read), Some(write)) = (scene.event(sequence.read), scene.event(sequence.write)) else { return false };
    let depth = common(read, write);
    // What is written back as the later read gave it is not moved.
    let kept =
        |other: &Sequence, column: &Name| other.values.iter().any(|value| value.column == *column && value.is_own());
    let moves = |part: &LooksAt, other: &Sequence| match part {
        LooksAt::Column(column) => {
            sequence.relation == Relation::SameRow && dependency::sets(write, column) && !kept(other, column)
        }
        LooksAt::Existence | LooksAt::Aggregate | LooksAt::Row => false,
    };
    scene.sequences(write).iter().any(|other| {
        let Some(again) = scene.event(other.read) else { return false };
        again.id != read.id
            && again.span == read.span
            && other.relation == sequence.relation
            && !other.checks.is_empty()
            && !sequence.checks.iter().any(|check| moves(&check.looks_at, other) && !asks_for(other, &check.looks_at))
            && scene.place(again.id) > scene.place(read.id)
            && common(again, write) > depth
    })
}

/// Whether the checks of a sequence ask for something, or for nobody knows which part of the row.
fn asks_for(sequence: &Sequence, part: &LooksAt) -> bool {
    sequence.checks.iter().any(|check| check.looks_at == *part || check.looks_at == LooksAt::Row)
}

fn judge_sequence(scene: &Scene<'_, '_>, sequence: Sequence, judged: &mut Judged) {
    let shape = protect::shape(scene, &sequence);
    // What has left the process is not taken back by a guard, a key or a level.
    if let Verdict::Racy { tried } = protect::excludes(scene, &sequence)
        && let Some(facts) = Facts::of(scene, &sequence, &tried)
        && let Some((effect, confidence)) = double_fire::effect(&facts)
    {
        let claim = Claim {
            rule: double_fire::ID,
            confidence,
            shape,
            tried,
            effect: Some(effect),
            meant_for: None,
            note: None,
            counterpart: None,
            also: Vec::new(),
            sequence,
        };
        judged.claims.push(claim);
        return;
    }
    match scene.verdict(&sequence) {
        Verdict::Safe(protection) => judged.safe.push((sequence, protection)),
        Verdict::Racy { tried } => {
            let Some(facts) = Facts::of(scene, &sequence, &tried) else { return };
            let Some((rule, confidence)) = classify(&facts) else { return };
            let counterpart = match (rule, facts.loss()) {
                (lost_update::ID, Loss::Other(other)) => Some(other),
                (check_then_update::ID, _) => check_then_update::counterpart(&facts),
                _ => None,
            };
            judged.claims.push(Claim {
                rule,
                confidence,
                shape,
                tried,
                effect: None,
                meant_for: None,
                note: None,
                counterpart,
                also: Vec::new(),
                sequence,
            });
        }
    }
}

/// The rule a racy sequence falls under.
fn classify(facts: &Facts<'_, '_>) -> Option<(&'static str, Confidence)> {
    if facts.keeps_what_it_inserted() {
        // The row is of this request; what may be undone is what others do to it.
        return lost_update::claims(facts).map(|confidence| (lost_update::ID, confidence));
    }
    let by_shape = unsafe_claim::claims(facts)
        .map(|confidence| (unsafe_claim::ID, confidence))
        .or_else(|| check_then_update::claims(facts).map(|confidence| (check_then_update::ID, confidence)))
        .or_else(|| stale_guard_of_set(facts))
        .or_else(|| lost_update::claims(facts).map(|confidence| (lost_update::ID, confidence)))
        .or_else(|| check_then_insert::claims(facts).map(|confidence| (check_then_insert::ID, confidence)))
        .or_else(|| stale_guard::claims(facts).map(|confidence| (stale_guard::ID, confidence)))
        .or_else(|| own_number::claims(facts).map(|confidence| (lost_update::ID, confidence)))?;
    if facts.marks_what_is_refused() || unsafe_claim::is_kept_alive(facts) {
        return Some((by_shape.0, Confidence::Low));
    }
    if lock_lost::claims(facts.tried) {
        return Some((lock_lost::ID, by_shape.1));
    }
    if unchecked_outcome::claims(facts.tried) {
        let harmless = unchecked_outcome::only_removes(facts)
            || unchecked_outcome::only_marks(facts)
            || unchecked_outcome::only_spares(facts);
        let confidence = if harmless { Confidence::Low } else { by_shape.1 };
        return Some((unchecked_outcome::ID, confidence));
    }
    Some(by_shape)
}

/// A limit on a count is a stale guard even where the new row is of the set that was counted.
fn stale_guard_of_set(facts: &Facts<'_, '_>) -> Option<(&'static str, Confidence)> {
    let counted = facts.sequence.checks_aggregate()
        && matches!(facts.sequence.relation, Relation::NewRowOfSet | Relation::RowOfSet);
    counted.then(|| stale_guard::claims(facts).map(|confidence| (stale_guard::ID, confidence))).flatten()
}

/// A lock that keeps more out than the write it is meant for needs.
fn too_much_locked(lock: &Event, meant_for: &Event, confidence: Confidence, note: &'static str) -> Claim {
    Claim {
        rule: table_lock::ID,
        confidence,
        shape: protect::Shape::SameRow,
        tried: Vec::new(),
        effect: None,
        meant_for: Some(meant_for.id),
        note: Some(note),
        counterpart: None,
        also: Vec::new(),
        sequence: alone(lock),
    }
}

/// One event as a sequence of its own.
fn alone(event: &Event) -> Sequence {
    Sequence::of(event.id, event.id, 0, Relation::SameRow)
}

/// Statements that race without any other.
fn by_itself(scene: &Scene<'_, '_>, event: &Event) -> Option<Claim> {
    let alone = alone(event);
    let claim = |rule, confidence, note, tried| Claim {
        rule,
        confidence,
        shape: protect::Shape::SameRow,
        tried,
        effect: None,
        meant_for: None,
        note,
        counterpart: None,
        also: Vec::new(),
        sequence: alone.clone(),
    };
    if let Some((confidence, note)) = racy_statement::claims(scene, event) {
        return Some(claim(racy_statement::ID, confidence, Some(note), Vec::new()));
    }
    let confidence = unchecked_outcome::alone(scene, event)?;
    Some(claim(unchecked_outcome::ID, confidence, None, vec![WhyNot::OutcomeUnread]))
}

/// Keeps one claim for each read and each write: the gravest, nearest one.
fn once(scene: &Scene<'_, '_>, claims: Vec<Claim>) -> Vec<Claim> {
    let mut order: Vec<Claim> = claims;
    order.sort_by_key(|claim| {
        (
            std::cmp::Reverse(claim.confidence),
            weight(claim),
            harm(scene, claim),
            scene.place(claim.sequence.write),
            std::cmp::Reverse(scene.place(claim.sequence.read)),
        )
    });
    let mut kept: Vec<Claim> = Vec::new();
    for claim in order {
        let (read, write) = (claim.sequence.read, claim.sequence.write);
        let taken = kept.iter_mut().filter(|known| known.rule != table_lock::ID).find(|known| {
            known.sequence.write == write
                || read != write && known.sequence.read == read && !stands_apart(scene, &claim, known)
        });
        match taken {
            Some(known) if claim.rule != table_lock::ID => {
                if is_told_with(scene, &claim, known) {
                    known.also.push(claim);
                }
            }
            _ => kept.push(claim),
        }
    }
    kept
}

/// Whether a claim is about the same write as another one, goes by something else, and would stay true once that is mended.
fn is_told_with(scene: &Scene<'_, '_>, claim: &Claim, known: &Claim) -> bool {
    let span = |claim: &Claim| scene.event(claim.sequence.read).map(|read| read.span);
    let new = span(claim) != span(known) && known.also.iter().all(|also| span(also) != span(claim));
    claim.sequence.write == known.sequence.write
        && claim.sequence.read != claim.sequence.write
        && claim.confidence >= Confidence::Medium
        && claim.sequence.checks.iter().any(|check| check.cond.is_some())
        && matches!(claim.rule, check_then_update::ID | check_then_insert::ID | stale_guard::ID)
        && known.sequence.read != known.sequence.write
        && known.also.len() < TOLD_WITH
        && new
}

/// Whether a claim says something of its own beside one with the same read: no request comes through both writes, and it
/// breaks another rule or decides by a condition that the other has not. A row too many is another harm than one that is
/// taken away, whoever comes through both.
fn stands_apart(scene: &Scene<'_, '_>, claim: &Claim, known: &Claim) -> bool {
    let (Some(own), Some(other)) = (scene.event(claim.sequence.write), scene.event(known.sequence.write)) else {
        return false;
    };
    let decides = |claim: &Claim, cond: Option<CondId>| claim.sequence.checks.iter().any(|check| check.cond == cond);
    let adds =
        claim.sequence.checks.iter().any(|check| check.looks_at != LooksAt::Existence && !decides(known, check.cond));
    let removes = own.does(Action::Delete);
    let one_too_many = claim.rule == check_then_insert::ID
        && claim.confidence > Confidence::Low
        && claim.sequence.relation == Relation::NewRowOfSet
        && !claim.tried.contains(&WhyNot::ConflictOverwrites)
        && own.does(Action::Insert)
        && other.does(Action::Delete)
        && other.target().is_some_and(|target| own.target().is_some_and(|own| own.table.name == target.table.name));
    one_too_many
        || matches!(claim.rule, check_then_update::ID | lost_update::ID | check_then_insert::ID | unsafe_claim::ID)
            && !removes
            && (adds || claim.rule != known.rule)
            && !alternatives::one_run_passes(scene, own, other)
}

/// How little is lost by a claim, where one read decides several writes: a value of a request's own says more than what
/// every request would write, and that more than a row that can be deleted once only. What fires twice is told with the
/// row that it was for.
fn harm(scene: &Scene<'_, '_>, claim: &Claim) -> u8 {
    if claim.rule == double_fire::ID {
        return u8::from(claim.sequence.relation != Relation::SameRow);
    }
    let Some(facts) = Facts::of(scene, &claim.sequence, &claim.tried) else { return 0 };
    match facts.target.action {
        Action::Delete => 2,
        _ => u8::from(facts.sequence.values.is_empty() && facts.writes_the_same()),
    }
}

fn weight(claim: &Claim) -> u8 {
    if claim.sequence.read == claim.sequence.write {
        return 5;
    }
    match (claim.rule, claim.sequence.relation) {
        (double_fire::ID, _) => 0,
        (_, Relation::SameRow) => 1,
        (_, Relation::NewRowOfSet) => 2,
        (_, Relation::RowOfSet | Relation::LikelySameRow) => 3,
        _ => 4,
    }
}
