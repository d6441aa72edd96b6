//! One row, a count or a sum is checked, and another row or table is written.

use crate::event::{Access, CondKind, Event, EventKind};
use crate::finding::Confidence;
use crate::flow::clock::is_of_clock;
use crate::flow::term::{Origin, Part, Term, TermId};
use crate::lower::tree::Name;
use crate::protect::{Protection, Verdict, guard, recheck};
use crate::race::amount::{self, Asked};
use crate::race::index::Kind;
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, alternatives, children, common, dependency, side};
use crate::rules::claim::Facts;
use crate::sql::schema::OnDelete;
use crate::sql::statement::{Action, Aggregate, Compare, ConflictAction, ConflictTarget, Predicate};

pub const ID: &str = "stale-guard";

/// How many calls below a function its own acts may stand: a repository's method, and what that calls.
pub(super) const NEAR: usize = 2;

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.sequence.checks.is_empty() {
        return None;
    }
    let settled = || deletes_what_was_counted(facts) || are_all_the_callers(facts) || only_become_more(facts);
    if facts.sequence.checks_aggregate() && settled()
        || takes_away_below_a_limit(facts)
        || adds_to_what_is_enough(facts)
    {
        return Some(Confidence::Low);
    }
    match facts.sequence.relation {
        // A position to go on from, and an insert that passes over what is there.
        Relation::NewRowOfSet if facts.reads.aggregate == Some(Aggregate::Extreme) && passes_over(facts) => {
            Some(Confidence::Low)
        }
        Relation::RowOfSet if facts.reads.aggregate == Some(Aggregate::Count) && facts.keeps_count() => {
            Some(Confidence::Low)
        }
        // Of the last number two can find the same.
        Relation::NewRowOfSet | Relation::RowOfSet
            if facts.reads.aggregate != Some(Aggregate::Extreme) && asks_for_all(facts) =>
        {
            Some(Confidence::Low)
        }
        Relation::NewRowOfSet | Relation::RowOfSet if facts.sequence.checks_aggregate() => Some(facts.confidence()),
        Relation::Linked | Relation::Other => other_row(facts),
        _ => None,
    }
}

/// Whether a DELETE names its rows only by values by which they were counted: whoever asks for the same deletes the same.
fn deletes_what_was_counted(facts: &Facts<'_, '_>) -> bool {
    let (Some(read), Some(write)) = (facts.read.access(), facts.write.access()) else { return false };
    let bound = |access: &Access, filter: &[Predicate]| -> Vec<_> {
        filter.iter().flat_map(|predicate| facts.scene.terms_in(access, &predicate.value)).collect()
    };
    let (asked, named) = (bound(read, &facts.reads.filter), bound(write, &facts.target.filter));
    facts.target.action == Action::Delete
        && facts.target.table.name == facts.reads.table.name
        && !named.is_empty()
        && named.iter().all(|term| asked.contains(term))
}

/// What a check asks of the number that was read, where it asks for nothing else.
fn asked(facts: &Facts<'_, '_>, check: &Check) -> Option<Asked> {
    amount::asked(facts.scene, facts.sequence, check.cond?, facts.write)
}

/// Whether all that is asked is that there are rows enough, and no statement of the program makes them fewer.
fn only_become_more(facts: &Facts<'_, '_>) -> bool {
    let (scene, table, rivals) = (facts.scene, &facts.reads.table.name, facts.scene.rivals);
    let deleted_along = || {
        let of_parent = scene.schema.table(table).into_iter().flat_map(|def| &def.foreign_keys);
        of_parent
            .filter(|key| matches!(key.on_delete, OnDelete::Deletes | OnDelete::Unsaid))
            .any(|key| rivals.deleted.contains(&key.table))
    };
    matches!(facts.reads.aggregate, None | Some(Aggregate::Count))
        && facts
            .reads
            .filter
            .iter()
            .all(|predicate| !predicate.columns.iter().any(|column| rivals.changes(table, column)))
        && !rivals.deleted.contains(table)
        && !rivals.updated_somehow.contains(table)
        && facts.sequence.checks.iter().all(|check| match check.looks_at {
            LooksAt::Aggregate => asked(facts, check) == Some(Asked::AtLeast),
            LooksAt::Existence => true,
            LooksAt::Column(_) | LooksAt::Row => false,
        })
        && !deleted_along()
}

/// Whether rows are deleted, and all that is asked is that there are not too many: what others add or take away makes the
/// DELETE no worse.
pub(super) fn takes_away_below_a_limit(facts: &Facts<'_, '_>) -> bool {
    let at_most = |check: &Check| match check.looks_at {
        LooksAt::Existence => true,
        LooksAt::Aggregate | LooksAt::Row => asked(facts, check) == Some(Asked::AtMost),
        LooksAt::Column(_) => false,
    };
    facts.target.action == Action::Delete
        && facts.sequence.checks_content()
        && facts.sequence.checks.iter().all(at_most)
}

/// Whether a row is added, and all that is asked is that there are enough by now: with each that comes there are more.
fn adds_to_what_is_enough(facts: &Facts<'_, '_>) -> bool {
    let enough = |check: &Check| match check.looks_at {
        LooksAt::Existence => true,
        LooksAt::Aggregate => asked(facts, check) == Some(Asked::AtLeast),
        LooksAt::Column(_) | LooksAt::Row => false,
    };
    facts.inserts()
        && facts.target.table.name == facts.reads.table.name
        && facts.sequence.values.is_empty()
        && facts.sequence.checks_aggregate()
        && facts.sequence.checks.iter().all(enough)
}

/// Whether nobody goes on but who has counted just as many as there should be: one more row keeps the next one out.
fn asks_for_all(facts: &Facts<'_, '_>) -> bool {
    let mut counted = facts.sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Aggregate).peekable();
    facts.inserts()
        && counted.peek().is_some()
        && counted.all(|check| check.cond.is_some_and(|cond| side::needs_equal(facts.scene, facts.sequence, cond)))
}

/// Whether it was counted how many of the rows that are named have a value that is brought as well, an author or an owner,
/// and all that is asked is whether they all do: who may act is settled when it is asked.
fn are_all_the_callers(facts: &Facts<'_, '_>) -> bool {
    let Some(read) = facts.read.access() else { return false };
    let (scene, terms) = (facts.scene, &facts.scene.ev.terms);
    let listed = facts.reads.filter.iter().filter(|predicate| predicate.op == Compare::In);
    let listed: Vec<TermId> = listed.flat_map(|predicate| scene.terms_in(read, &predicate.value)).collect();
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    let length_of_list = |term: TermId| matches!(terms.get(term), Term::Computed(by, parts) if by == "len" && parts.iter().all(|part| listed.contains(part)));
    let compared = |check: &Check| {
        let (mut found, mut other) = (0, false);
        let cond = check.cond?;
        terms.walk(scene.ev.cond(cond).term, &mut |part| {
            if let Term::Computed(by, parts) = terms.get(part)
                && let [left, right] = **parts
                && (of_read(left) || of_read(right))
            {
                let all = matches!(by.as_str(), "==" | "!=") && (length_of_list(left) || length_of_list(right));
                found += usize::from(all);
                other |= !all && !matches!(by.as_str(), "&&" | "||");
            }
        });
        (!other).then_some(found)
    };
    let counted = facts.sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Aggregate);
    let all: Option<Vec<usize>> = counted.map(compared).collect();
    let moved = |column: &Name| dependency::written(facts.target).any(|set| set.column == *column);
    !listed.is_empty()
        && all.is_some_and(|all| all.iter().any(|found| *found > 0))
        && facts.reads.filter.iter().all(|predicate| {
            let fixed = scene.ev.is_fixed(read, &predicate.value);
            !predicate.is_of_state(fixed) && !predicate.columns.iter().any(moved)
        })
}

fn passes_over(facts: &Facts<'_, '_>) -> bool {
    facts.target.conflict.as_ref().is_some_and(|conflict| conflict.action == ConflictAction::Nothing)
}

/// Whether the write only notes the time, in columns by which no statement of the program chooses rows.
fn notes_time(facts: &Facts<'_, '_>) -> bool {
    let chosen = facts.scene.rivals.chosen.get(&facts.target.table.name);
    let is_chosen = |column: &Name| chosen.is_some_and(|columns| columns.contains(column));
    facts.target.action == Action::Update
        && facts.notes_time()
        && !dependency::written(facts.target).any(|set| is_chosen(&set.column))
}

fn other_row(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if notes_time(facts) {
        return Some(Confidence::Low);
    }
    let linked = facts.sequence.relation == Relation::Linked;
    if children::added_meanwhile(facts.scene, facts.sequence).is_some() {
        return Some(Confidence::Medium);
    }
    if dependency::only_existence(facts.sequence) {
        // Absence is checked here, and made untrue further on: what stands between happens twice.
        let default = facts.inserts() && (facts.writes_constants() || facts.target.conflict.is_some());
        // The same as before: a time stamp, a mark.
        let again = facts.target.action == Action::Update && facts.writes_the_same();
        let doubled = !default
            && !again
            && !facts.asks_by_chance()
            && !needs_it(facts)
            && !lets_in_one(facts)
            && claimed_later(facts)
            && !makes_sure(facts);
        return (doubled || used_up_later(facts)).then_some(Confidence::Medium);
    }
    let rival = |part: &LooksAt| match part {
        LooksAt::Column(column) => {
            let (table, rivals) = (&facts.reads.table.name, facts.scene.rivals);
            // Who gives a row back what it was found by changes nothing.
            let given = rivals.writers.know(table, column) || rivals.writers.say_nothing(table, column);
            rivals.changes(table, column) && given && !facts.is_only_made_true(column)
        }
        LooksAt::Row | LooksAt::Aggregate => true,
        LooksAt::Existence => false,
    };
    // What no statement changes says which rows were counted.
    let counts = |part: &LooksAt| matches!(part, LooksAt::Aggregate | LooksAt::Existence) || !rival(part);
    if facts.sequence.checks.iter().all(|check| counts(&check.looks_at)) && makes_sure(facts) {
        return Some(Confidence::Low);
    }
    if !facts.sequence.checks_content() {
        return None;
    }
    let settled = |check: &Check| {
        facts.permits(check)
            || facts.only_leads_on(check)
            || runs_out(facts, check)
            || facts.is_of_who_asks(check)
            || only_asks_if_there(facts, check)
            || nobody_looks_back(facts, check)
    };
    let spoiled = |check: &Check| rival(&check.looks_at) && !settled(check);
    if is_made_good(facts) || is_noted_beside(facts) || !facts.sequence.checks.iter().any(spoiled) {
        return Some(Confidence::Low);
    }
    let said = facts.sequence.checks.iter().all(|check| check.looks_at != LooksAt::Row);
    let narrow = facts.sequence.checked_columns().len() <= 2;
    let sure = linked
        && facts.checks_what_changes()
        && said
        && narrow
        && (facts.sequence.checks_aggregate() || is_parent(facts) || is_weighed_with_own(facts));
    Some(if sure { Confidence::Medium.min(facts.confidence()) } else { Confidence::Low })
}

/// Whether the write itself lets in one of two that have found the same: it takes away what both asked by, and who comes second
/// is refused.
fn lets_in_one(facts: &Facts<'_, '_>) -> bool {
    facts.scene.outcome_used(facts.write.id)
        && guard::gives_up_what_was_asked_by(facts.scene, facts.sequence, facts.write.id)
}

/// Whether nobody who changes a checked column looks at what is written here: they all might as well have come later.
fn nobody_looks_back(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let LooksAt::Column(column) = &check.looks_at else { return false };
    *table != facts.target.table.name && !scene.rivals.cycles.meet(scene, (table, column), facts.write)
}

/// Whether a check asks for no more than a row which nobody has marked as gone, before another row is changed or deleted: had
/// the write come first, nothing would be otherwise. What is inserted stays behind.
fn only_asks_if_there(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let (LooksAt::Column(column), Some(cond)) = (&check.looks_at, check.cond) else { return false };
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let cond = scene.ev.cond(cond);
    let left_out = |predicate: &Predicate| {
        predicate.columns.contains(column)
            && (predicate.op == Compare::IsNull || scene.rivals.tells_presence(table, column))
    };
    let looked_at = |origin: &Origin| origin.event == facts.read.id && origin.part == Part::Column(column.clone());
    let own = |event: &Event| dependency::sets_in(event, (table, column));
    let adds = || dependency::written(facts.target).any(|set| set.value.is_relative());
    !facts.inserts()
        && facts.sequence.values.is_empty()
        && !adds()
        && facts.reads.filter.iter().any(left_out)
        && !scene.origins(cond.term).iter().any(looked_at)
        && !scene.flow.events.iter().any(own)
}

/// Whether all that was asked for is a row that must be there: nobody goes on without it.
fn needs_it(facts: &Facts<'_, '_>) -> bool {
    let needs = |check: &Check| {
        let cond = check.cond.map(|cond| facts.scene.ev.cond(cond));
        cond.is_some_and(|cond| cond.kind == CondKind::Presence && side::lacks(cond, facts.write) != Some(true))
    };
    !facts.scene.found_nothing(facts.read.id, facts.write) && facts.sequence.checks.iter().all(needs)
}

/// Whether a request for which the check failed puts the row right, or puts one there, and comes to the write as well.
fn is_made_good(facts: &Facts<'_, '_>) -> bool {
    let (scene, sequence) = (facts.scene, facts.sequence);
    let Some(read) = facts.read.access() else { return false };
    let conds: Vec<_> = sequence.checks.iter().filter(|check| check.looks_at != LooksAt::Existence).collect();
    let puts_right = |event: &Event| {
        let Some(access) = event.access() else { return false };
        access.statement.target().is_some_and(|target| {
            target.table.name == facts.reads.table.name
                && (rows::adds_to(scene, (read, facts.reads), (access, target))
                    || target.action == Action::Update
                        && rows::compare_keys(scene, (read, facts.reads), (access, target)) == (true, false))
        })
    };
    scene.between_of(Kind::Write, facts.read.id, facts.write.id).any(|event| {
        let needed = scene.conditions(&event.deps);
        puts_right(event) && conds.iter().all(|check| check.cond.is_some_and(|cond| needed.contains(&cond)))
    })
}

/// Whether the write only notes down what is done on the same check: what was done stands whatever becomes of the check.
fn is_noted_beside(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let journals = &scene.rivals.journals;
    if !facts.inserts() || !journals.contains(&facts.target.table.name) {
        return false;
    }
    let content = facts.sequence.checks.iter().filter(|check| check.looks_at != LooksAt::Existence);
    let conds: Vec<_> = content.filter_map(|check| check.cond).collect();
    let notes = |event: &Event| {
        let target = event.target();
        target.is_some_and(|target| target.action == Action::Insert && journals.contains(&target.table.name))
    };
    scene.flow.events.iter().any(|event| {
        event.acts()
            && !notes(event)
            && alternatives::one_run_passes(scene, event, facts.write)
            && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
    })
}

/// Whether all that is asked of a column is whether its time has come: it passes between check and write, whoever writes.
pub(super) fn runs_out(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let ev = facts.scene.ev;
    let mut timed = false;
    let mut of_column = facts.sequence.checks.iter().filter(|other| other.looks_at == check.looks_at);
    let only_time = of_column.all(|other| {
        let Some(cond) = other.cond.map(|cond| ev.cond(cond)) else { return false };
        let by_clock = is_of_clock(&ev.terms, cond.term);
        timed |= by_clock;
        by_clock || matches!(ev.terms.get(cond.term), Term::Exists(_))
    });
    only_time && timed
}

/// Whether the write only makes sure that a row is there: its absence was asked for on the way, and a key refuses a second
/// one. However often that happens, there is one row.
fn makes_sure(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let refuses = |own: &Sequence| match own.relation {
        Relation::NewRowOfSet => matches!(scene.verdict(own), Verdict::Safe(Protection::UniqueKey(_))),
        Relation::Other | Relation::Linked => is_kept_under_another_key(facts, own),
        _ => false,
    };
    facts.inserts()
        && scene.sequences(facts.write).iter().any(|own| {
            own.read != facts.sequence.read
                && own.checks.iter().any(|check| check.looks_at == LooksAt::Existence)
                && !own.checks_aggregate()
                && own.values.is_empty()
                && refuses(own)
        })
}

/// Whether a row was asked for by a key of its table, was not there, and is inserted under the key that holds by now: that
/// of the current version, season or epoch.
fn is_kept_under_another_key(facts: &Facts<'_, '_>, own: &Sequence) -> bool {
    let scene = facts.scene;
    let asked = scene.access(own.read).and_then(|read| read.statement.accesses.get(own.read_access));
    let Some(asked) = asked.filter(|asked| asked.table.name == facts.target.table.name) else { return false };
    let given = |column: &Name| facts.target.sets.iter().any(|set| set.column == *column);
    let keyed = |key: &[Name]| key.iter().all(|column| asked.equals(column).is_some() && given(column));
    scene.found_nothing(own.read, facts.write)
        && scene.schema.table(&facts.target.table.name).is_some_and(|table| table.keys().any(keyed))
}

/// Whether one condition weighs the row that was read against the one that is written, and the write moves what of its own
/// row was looked at: two amounts that together have to cover something (write skew).
fn is_weighed_with_own(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let conds: Vec<_> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let moved = |column: &Name| dependency::written(facts.target).any(|set| set.column == *column);
    scene.sequences(facts.write).iter().any(|own| {
        own.read != facts.sequence.read
            && own.relation == Relation::SameRow
            && own.checks.iter().any(|check| {
                let both = check.cond.is_some_and(|cond| conds.contains(&cond));
                both && matches!(&check.looks_at, LooksAt::Column(column) if moved(column))
            })
    })
}

/// Whether the written row belongs to the row that was checked: by a foreign key, or by a column that is named after it.
fn is_parent(facts: &Facts<'_, '_>) -> bool {
    let table = &facts.reads.table.name;
    let target = &facts.target.table.name;
    let by_key =
        facts.scene.schema.table(target).is_some_and(|def| def.foreign_keys.iter().any(|key| key.table == *table));
    let singular = table
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .unwrap_or_else(|| table.strip_suffix('s').unwrap_or(table).to_owned());
    by_key
        || facts
            .target
            .sets
            .iter()
            .any(|set| set.column.strip_prefix(singular.as_str()).is_some_and(|rest| rest.starts_with('_')))
}

/// Whether further on, on the same condition, the row is inserted whose absence was checked, and the row that is written
/// belongs to it: by a value of both, because it holds what the write gave, or because one function does all three.
fn claimed_later(facts: &Facts<'_, '_>) -> bool {
    claimed_by(facts).is_some()
}

/// The insert that does so.
fn claimed_by<'a>(facts: &Facts<'a, '_>) -> Option<&'a Event> {
    let conds: Vec<_> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let scene = facts.scene;
    let read = facts.read.access()?;
    let linked = facts.sequence.relation == Relation::Linked;
    let depth = common(facts.read, facts.write);
    let near = |event: &Event| event.calls.len() <= depth + NEAR;
    let together = near(facts.read) && near(facts.write);
    scene.after_of(Kind::Write, facts.write.id).find(|event| {
        let EventKind::Access(access) = &event.kind else { return false };
        let inserts =
            access.statement.target().is_some_and(|target| rows::adds_to(scene, (read, facts.reads), (access, target)));
        let given = || {
            let bound = access.binds.iter().chain(access.named.iter().map(|(_, term)| term));
            bound.into_iter().any(|term| scene.origins(*term).iter().any(|origin| origin.event == facts.write.id))
        };
        inserts
            && !narrower(facts, access)
            && !facts.replaced_before(event.id)
            && (linked || together && near(event) || given())
            && (given() || scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond)))
    })
}

/// The unique key that refuses the second row, where absence was checked for one that is inserted further on.
pub fn refused_later(facts: &Facts<'_, '_>) -> Option<Vec<Name>> {
    let insert = claimed_by(facts)?;
    let sequences = facts.scene.sequences(insert);
    let own = sequences.iter().find(|own| own.read == facts.sequence.read)?;
    match facts.scene.verdict(own) {
        Verdict::Safe(Protection::UniqueKey(key)) => Some(key),
        _ => None,
    }
}

/// Whether rows were found, a row is inserted for them, and further on, on the same condition, they are deleted: who deletes
/// none of them goes on all the same.
fn used_up_later(facts: &Facts<'_, '_>) -> bool {
    let (scene, sequence) = (facts.scene, facts.sequence);
    let linked = sequence.relation == Relation::Linked;
    let adds_to_amount = || facts.target.sets.iter().any(|set| set.value.is_relative());
    let doubles = match facts.target.action {
        Action::Insert => facts.target.conflict.is_none() && !facts.writes_constants(),
        Action::Update => facts.target.table.name != facts.reads.table.name && adds_to_amount(),
        Action::Delete | Action::Read => false,
    };
    linked && doubles && !recheck::decides_once(scene, sequence, facts.write) && deletes_what_was_found(scene, sequence)
}

/// Whether the rows whose presence a sequence asked for are deleted before or after its write, and nobody looks at how many
/// they were.
pub fn deletes_what_was_found(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let Some(write) = scene.event(sequence.write) else { return false };
    deletes_before(scene, sequence)
        || !scene.found_nothing(sequence.read, write)
            && scene.after_of(Kind::Write, write.id).any(|event| deletes(scene, sequence, event))
}

/// The same where they are deleted before it.
pub fn deletes_before(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let Some(write) = scene.event(sequence.write) else { return false };
    let mut before = scene.between_of(Kind::Write, sequence.read, write.id);
    write.does(Action::Update)
        && !scene.found_nothing(sequence.read, write)
        && before.any(|event| deletes(scene, sequence, event))
}

/// Whether a statement deletes the rows that a sequence reads, on its condition or whatever that says, and nobody looks at how
/// many they were.
fn deletes(scene: &Scene<'_, '_>, sequence: &Sequence, event: &Event) -> bool {
    let Some(read) = scene.access(sequence.read) else { return false };
    let Some(reads) = read.statement.accesses.get(sequence.read_access) else { return false };
    let conds: Vec<_> = sequence.checks.iter().filter_map(|check| check.cond).collect();
    let Some(access) = event.access() else { return false };
    let same_rows = access.statement.target().is_some_and(|target| {
        target.action == Action::Delete
            && target.table.name == reads.table.name
            && rows::compare_keys(scene, (read, reads), (access, target)) == (true, false)
    });
    let in_any_case = || {
        let write = scene.event(sequence.write);
        write.is_some_and(|write| event.deps.iter().all(|cond| write.deps.contains(cond)))
    };
    same_rows
        && !scene.outcome_used(event.id)
        && (scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond)) || in_any_case())
}

/// Whether an insert passes over a row with the same key, where the key is narrower than what was read: the program
/// looked among the rows for one of its key, and nobody knows for which.
pub(super) fn narrower(facts: &Facts<'_, '_>, insert: &Access) -> bool {
    let Some(conflict) = insert.statement.target().and_then(|target| target.conflict.as_ref()) else { return false };
    let ConflictTarget::Columns(columns) = &conflict.target else { return false };
    let asked: Vec<_> = facts.reads.filter.iter().flat_map(|predicate| &predicate.columns).collect();
    conflict.action == ConflictAction::Nothing
        && !asked.is_empty()
        && asked.len() < columns.len()
        && asked.iter().all(|column| columns.contains(column))
        && facts.reads.limit.is_none()
}
