//! A row is read, a condition on it is tested in Rust, the same row is updated or deleted.

use crate::event::{Access, Comparison, CondId, CondKind, Event};
use crate::finding::Confidence;
use crate::flow::clock::is_of_clock;
use crate::flow::random::is_by_chance;
use crate::flow::term::{Origin, Params, Part, Term, TermId, is_call};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::protect::idempotent::acts_besides;
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::{Check, LooksAt, Written, common, dependency, side};
use crate::rules::claim::Facts;
use crate::rules::loss::{Counterpart, Loss};
use crate::rules::{lost_update, stale_guard};
use crate::sql::statement::{Access as TableAccess, Action, Assignment, Compare, Operand, Predicate};

pub const ID: &str = "check-then-update";

/// How many columns a statement sets that is there for one of them.
const SPEAKS_OF_IT: usize = 2;

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if !facts.same_row() || facts.inserts() {
        return None;
    }
    let consumed = || consumed(facts).then_some(Confidence::Medium);
    if !facts.sequence.checks_content() {
        return consumed();
    }
    if facts.target.action == Action::Delete {
        let exchanged = (handed_out(facts) || renewed(facts)).then_some(Confidence::Medium);
        return deleted(facts).or_else(consumed).max(exchanged).or(Some(Confidence::Low));
    }
    if takes_away(facts) {
        return Some(Confidence::Low);
    }
    if asks_for_what_it_computes_from(facts) {
        return None;
    }
    if undoes_more_than_it_checks(facts) || undoes_what_it_checks(facts) {
        return None;
    }
    let sure = checked_and_written(facts);
    // What is written back as it was is lost whatever was checked.
    let saved_whole = facts.stale_values() && (sure == Confidence::Low || checks_what_stays(facts));
    let by_another = || spoiled_in_between(facts).map(|_| Confidence::Medium.min(facts.confidence()));
    (!saved_whole).then(|| by_another().filter(|_| sure == Confidence::Low).unwrap_or(sure))
}

/// Whether all that is checked is what no statement gives a value of its own, while the write undoes what others do.
fn checks_what_stays(facts: &Facts<'_, '_>) -> bool {
    let (table, writers) = (&facts.reads.table.name, &facts.scene.rivals.writers);
    let written = |column: &Name| dependency::written(facts.target).any(|set| set.column == *column);
    let stays = |check: &Check| match &check.looks_at {
        LooksAt::Column(column) => !writers.know(table, column) && (facts.hands_back(column) || !written(column)),
        LooksAt::Existence => true,
        LooksAt::Row | LooksAt::Aggregate => false,
    };
    facts.sequence.checks.iter().all(stays) && lost_update::claims(facts).is_some_and(|sure| sure > Confidence::Low)
}

/// The other statement that makes a check fail which the write does not look at again: of a column that the write itself
/// leaves as it is. It is there for that column; who saves more than that hardly means it. That a row was seen is noted
/// whatever becomes of it.
fn spoiled_in_between(facts: &Facts<'_, '_>) -> Option<Counterpart> {
    let own = facts.own_functions();
    let scene = facts.scene;
    let notes_time = facts.write.access().is_some_and(|access| {
        let mut given = dependency::written(facts.target).peekable();
        given.peek().is_some() && given.all(|set| access.is_now(&scene.ev.terms, &set.value))
    });
    if notes_time {
        return None;
    }
    let left = |column: &Name| dependency::written(facts.target).all(|set| set.column != *column);
    let spoiled = facts.sequence.checks.iter().filter_map(|check| match &check.looks_at {
        LooksAt::Column(column)
            if left(column)
                && !facts.permits(check)
                && !facts.only_leads_on(check)
                && !facts.names_row(column)
                && !stale_guard::runs_out(facts, check)
                && !is_written_before(facts, column) =>
        {
            Some(column)
        }
        _ => None,
    });
    let others = spoiled.filter_map(|column| facts.spoiler(column, &own));
    others.filter(|other| other.writer.breadth.0 <= SPEAKS_OF_IT).min_by_key(|other| other.writer.breadth)
}

/// Whether a row is saved with what others have written since, after checks that only ask who may go on.
fn undoes_more_than_it_checks(facts: &Facts<'_, '_>) -> bool {
    let handed_back = facts.sequence.values.iter().filter(|value| value.is_handed_back()).count();
    let moved =
        |column: &Name| dependency::written(facts.target).any(|set| set.column == *column) && !facts.keeps(column);
    let permits = |check: &Check| match &check.looks_at {
        LooksAt::Existence => true,
        LooksAt::Column(column) => !moved(column) || facts.permits(check) && !facts.goes_on_from(column),
        LooksAt::Row | LooksAt::Aggregate => false,
    };
    handed_back > 1 && facts.sequence.checks.iter().all(permits) && matches!(facts.loss(), Loss::Other(_))
}

/// Whether nothing hangs on the check but a write that puts back the state that was asked for, whatever another statement has
/// made of it since.
fn undoes_what_it_checks(facts: &Facts<'_, '_>) -> bool {
    facts.target.action == Action::Update
        && !acts_besides(facts.scene, facts.sequence, true)
        && facts.revived().is_some()
}

/// The other statement that spoils a check, where two runs of the same code write the same and nothing else hangs on it.
pub fn counterpart(facts: &Facts<'_, '_>) -> Option<Counterpart> {
    if facts.target.action == Action::Delete {
        return spoils_before_delete(facts);
    }
    if facts.target.action != Action::Update {
        return None;
    }
    let own = facts.own_functions();
    if let Some(spoiled) = spoiled_by_others_only(facts) {
        return spoiled
            .into_iter()
            .filter_map(|column| facts.spoiler(column, &own))
            .min_by_key(|other| other.writer.breadth);
    }
    if checked_and_written(facts) == Confidence::Low
        && let Some(other) = spoiled_in_between(facts)
    {
        return Some(other);
    }
    if !facts.writes_the_same() || acts_besides(facts.scene, facts.sequence, true) {
        return None;
    }
    let checked = facts.sequence.checked_columns();
    let of_row = facts.sequence.checks.iter().any(|check| check.looks_at == LooksAt::Row);
    let written = dependency::written(facts.target).map(|set| &set.column);
    let moved = written.filter(|column| (of_row || checked.contains(column)) && !facts.keeps(column));
    moved.filter_map(|column| facts.other_writer(column, &own)).min_by_key(|other| other.writer.breadth)
}

/// The columns that were checked, where the write leaves them so that a second run goes on as well, whenever it comes: none
/// where it spoils a check for that.
fn spoiled_by_others_only<'a>(facts: &Facts<'a, '_>) -> Option<Vec<&'a Name>> {
    let mut checks = facts.sequence.checks.iter().filter(|check| check.looks_at != LooksAt::Existence).peekable();
    checks.peek()?;
    checks
        .map(|check| match &check.looks_at {
            LooksAt::Column(column) if facts.lets_through(column) => Some(column),
            _ => None,
        })
        .collect()
}

/// The other statement that changes what was checked before a DELETE.
fn spoils_before_delete(facts: &Facts<'_, '_>) -> Option<Counterpart> {
    let own = facts.own_functions();
    let spoiled = facts.sequence.checks.iter().filter_map(|check| match &check.looks_at {
        LooksAt::Column(column) if !facts.permits(check) && !facts.names_row(column) => Some(column),
        _ => None,
    });
    spoiled.filter_map(|column| facts.spoiler(column, &own)).min_by_key(|other| other.writer.breadth)
}

/// A check before a DELETE is spoiled only by a statement that changes what was checked: a second DELETE finds nothing. What
/// this request itself has written over since was checked for that write.
fn deleted(facts: &Facts<'_, '_>) -> Option<Confidence> {
    let (table, rivals) = (&facts.reads.table.name, facts.scene.rivals);
    let own = facts.own_functions();
    // Who writes what a request brings may write what the check turns away, but for all that is known does not.
    let others = |column: &Name| match !rivals.writers.know(table, column) || facts.spoiler(column, &own).is_some() {
        true if is_put_there_again(facts, column, &own) => Some(Confidence::Low),
        true => Some(facts.confidence()),
        false => facts.other_writer(column, &own).map(|_| Confidence::Low),
    };
    let spoiled = facts.sequence.checks.iter().filter_map(|check| match &check.looks_at {
        LooksAt::Column(column) => others(column).filter(|_| {
            rivals.changes(table, column)
                && !facts.permits(check)
                && !facts.only_leads_on(check)
                && !facts.names_row(column)
                && !is_written_before(facts, column)
        }),
        LooksAt::Row | LooksAt::Aggregate => Some(facts.confidence()),
        LooksAt::Existence => None,
    });
    spoiled.max()
}

/// Whether a row is kept for as long as it lasts, and nothing else is asked than whether its time is over: nothing edits it,
/// and who puts one there puts it anew. Where one too many is deleted, the next who looks for it does that again.
fn is_put_there_again(facts: &Facts<'_, '_>, column: &Name, own: &[FnId]) -> bool {
    let (scene, terms) = (facts.scene, &facts.scene.ev.terms);
    let table = &facts.reads.table.name;
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| facts.is_read(origin.event));
    // The time, as it is or as it was handed in.
    let time = |term: TermId| !of_read(term) && (is_of_clock(terms, term) || terms.params(term) != Params::default());
    let runs_out = |compare: &Comparison| {
        matches!(compare.op, Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge)
            && (of_read(compare.left) && time(compare.right) || of_read(compare.right) && time(compare.left))
    };
    let asked = facts.write.deps.iter().map(|cond| scene.ev.cond(*cond));
    let mut content =
        asked.filter(|cond| of_read(cond.term) && !matches!(terms.get(cond.term), Term::Exists(_))).peekable();
    let mut others = scene.rivals.writers.others((table, column), scene.flow.function, own).peekable();
    content.peek().is_some()
        && content.all(|cond| !cond.compares.is_empty() && cond.compares.iter().all(runs_out))
        && others.peek().is_some()
        && others.all(|writer| writer.inserts && !writer.now)
        && !scene.rivals.edited.contains(table)
}

/// Whether an UPDATE takes a row away by a mark that the reads of the program go by, and that is all that comes of it: a
/// second one finds it gone, or takes it away once more.
fn takes_away(facts: &Facts<'_, '_>) -> bool {
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let marks = |column: &Name| scene.rivals.tells_presence(table, column);
    let checked = facts.sequence.checked_columns();
    let used = |term: TermId| {
        let told = |origin: &Origin| match &origin.part {
            Part::Column(column) => !scene.schema.table(table).is_some_and(|def| def.primary_key.contains(column)),
            Part::Row => true,
            Part::Existence | Part::Count | Part::Length => false,
        };
        scene.origins(term).iter().any(|origin| origin.event == facts.read.id && told(origin))
    };
    let another = || {
        let mut after = scene.after_of(Kind::Write, facts.read.id);
        after.any(|event| event.id != facts.write.id)
    };
    facts.sequence.values.is_empty()
        && !checked.is_empty()
        && checked.iter().all(|column| marks(column))
        && dependency::written(facts.target).any(|set| marks(&set.column))
        && dependency::written(facts.target).all(|set| !set.value.is_relative())
        && !used(scene.flow.returns.term)
        && !another()
}

/// Whether a column of the row that was read is written on the way to the write, wherever that leads on from the read.
fn is_written_before(facts: &Facts<'_, '_>, column: &Name) -> bool {
    let scene = facts.scene;
    let passed = |branch: u32| [facts.read, facts.write].iter().any(|event| event.path.arms_of(branch).is_some());
    scene.between_of(Kind::Write, facts.read.id, facts.write.id).any(|event| {
        sets_of_read(facts, event, column)
            && event.path.0.iter().all(|(branch, _)| passed(*branch))
            && scene.sequences(event).iter().any(|own| own.read == facts.read.id && own.relation == Relation::SameRow)
    })
}

/// Whether a check belongs to a helper that writes the column itself, before this write: it was asked for that one.
fn is_a_helpers_own(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let (LooksAt::Column(column), Some(cond)) = (&check.looks_at, check.cond) else { return false };
    let scene = facts.scene;
    let depth = common(facts.read, facts.write);
    let Some(helper) = facts.read.calls.get(..=depth) else { return false };
    let asked_in = scene.ev.cond(cond).function;
    facts.read.calls[depth..].iter().any(|call| call.function == asked_in)
        && scene
            .between_of(Kind::Write, facts.read.id, facts.write.id)
            .any(|event| event.calls.get(..=depth) == Some(helper) && sets_of_read(facts, event, column))
}

/// Whether a statement gives a column of the table that was read a value.
fn sets_of_read(facts: &Facts<'_, '_>, event: &Event, column: &Name) -> bool {
    event.target().is_some_and(|target| target.table.name == facts.reads.table.name) && dependency::sets(event, column)
}

/// A check of a column that the write itself moves is spoiled by the next request; of another column only by another
/// kind of request.
fn checked_and_written(facts: &Facts<'_, '_>) -> Confidence {
    let own = facts.confidence();
    let moved = |check: &Check| match &check.looks_at {
        LooksAt::Column(column) => {
            dependency::written(facts.target).any(|set| set.column == *column && !facts.hands_back(&set.column))
                && (asks_whether_there(facts, check) || !facts.names_row(column))
        }
        LooksAt::Row => !facts.permits(check),
        // Of a list it is how many there are.
        LooksAt::Aggregate => facts.reads.aggregate.is_some() || !facts.keeps_count(),
        LooksAt::Existence => false,
    };
    let functions = facts.own_functions();
    let stays = |check: &Check| {
        matches!(&check.looks_at, LooksAt::Column(column)
            if facts.lets_through(column) && facts.spoiler(column, &functions).is_none())
    };
    let settled = |check: &Check| {
        asks_for_what_is_edited(facts, check)
            || proves(facts, check)
            || stays(check)
            || renews(facts, check, &functions)
            || is_a_helpers_own(facts, check)
    };
    if facts.sequence.checks.iter().any(|check| moved(check) && !settled(check)) {
        return own;
    }
    // A new value of what was there is lost whatever else was checked.
    let counted = facts
        .sequence
        .values
        .iter()
        .any(|value| value.computed && matches!(&value.from, LooksAt::Column(from) if *from == value.column));
    if facts.computed_from_row() && !counted { own } else { Confidence::Low }
}

/// Whether a check asks whether a time is recent enough, and all that any statement puts there is the time by then: whoever
/// went on may do so all the more.
fn renews(facts: &Facts<'_, '_>, check: &Check, own: &[FnId]) -> bool {
    let (LooksAt::Column(column), Some(access)) = (&check.looks_at, facts.write.access()) else { return false };
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let mut given = dependency::written(facts.target).filter(|set| set.column == *column).peekable();
    given.peek().is_some()
        && given.all(|set| access.is_now(&scene.ev.terms, &set.value))
        && scene.rivals.writers.others((table, column), scene.flow.function, own).all(|writer| writer.now)
        && side::holds_from_then_on(scene, facts.sequence, column)
}

/// Whether the conditions only ask that the columns are there of which the new values of these same columns are made.
fn asks_for_what_it_computes_from(facts: &Facts<'_, '_>) -> bool {
    let mut checks = facts.sequence.checks.iter().filter(|check| check.looks_at != LooksAt::Existence);
    checks.all(|check| asks_for_what_is_edited(facts, check))
}

/// Whether a condition only asks if something is there.
fn asks_whether_there(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let ev = facts.scene.ev;
    check.cond.is_some_and(|cond| matches!(ev.terms.get(ev.cond(cond).term), Term::Exists(_)))
}

/// The same of one condition.
fn asks_for_what_is_edited(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let made = |column: &Name| {
        let of = |value: &Written| {
            value.column == *column && value.computed && value.from == LooksAt::Column(column.clone())
        };
        facts.sequence.values.iter().any(of)
    };
    asks_whether_there(facts, check) && matches!(&check.looks_at, LooksAt::Column(column) if made(column))
}

/// Whether a check only has something proved: a call is asked with the column and with what the caller brought, a password
/// and its hash, and the column gets a value that has nothing to do with either. Two who proved the same may both replace it.
fn proves(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let scene = facts.scene;
    let LooksAt::Column(column) = &check.looks_at else { return false };
    let (Some(cond), Some(write)) = (check.cond, facts.write.access()) else { return false };
    let mut brought = Vec::new();
    let only_asked = is_asked_with(facts, scene.ev.cond(cond).term, &mut brought);
    let mut given = dependency::written(facts.target)
        .filter(|set| set.column == *column)
        .flat_map(|set| scene.terms_in(write, &set.value))
        .peekable();
    let new = |term: TermId| {
        let terms = &scene.ev.terms;
        terms.brings(term, |event| event == facts.read.id)
            && !is_of_clock(terms, term)
            && brought.iter().all(|proof| !terms.mentions(term, *proof))
    };
    only_asked && !brought.is_empty() && given.peek().is_some() && given.all(new)
}

/// Whether all that a value uses of the read goes into calls together with something that was brought; what that is.
fn is_asked_with(facts: &Facts<'_, '_>, term: TermId, brought: &mut Vec<TermId>) -> bool {
    let terms = &facts.scene.ev.terms;
    let of_read = |term: TermId| facts.scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    if !of_read(term) {
        return true;
    }
    match terms.get(term) {
        Term::Computed(by, parts) => {
            let beside = |part: &&TermId| !of_read(**part) && terms.brings(**part, |event| event == facts.read.id);
            let beside: Vec<TermId> = parts.iter().filter(beside).copied().collect();
            if is_call(by) && !beside.is_empty() {
                brought.extend(beside);
                return true;
            }
            parts.iter().all(|part| is_asked_with(facts, *part, brought))
        }
        Term::Exists(of) => is_asked_with(facts, *of, brought),
        Term::Either(parts) => parts.iter().all(|part| is_asked_with(facts, *part, brought)),
        _ => false,
    }
}

/// A one-time row: it is read, deleted, and what it said goes on to be used, or a new one takes its place.
fn consumed(facts: &Facts<'_, '_>) -> bool {
    if facts.target.action != Action::Delete || facts.sequence.checks.is_empty() || has_run_out(facts) {
        return false;
    }
    let scene = facts.scene;
    let of_row = |origin: &&Origin| origin.event == facts.read.id && matches!(origin.part, Part::Column(_) | Part::Row);
    let column_used = |term| scene.origins(term).iter().any(|origin| of_row(&origin));
    let returned = scene.origins(scene.flow.returns.term);
    let mut returned: Vec<&Part> = returned.iter().filter(of_row).map(|origin| &origin.part).collect();
    returned.sort_unstable();
    returned.dedup();
    let alone = facts.read.access().is_some_and(|access| access.statement.output.len() == 1);
    // What it was asked for by was known before.
    let said = |column: &Name| !was_asked_by(facts, column) && !facts.names_row(column);
    let single = match returned.as_slice() {
        [Part::Column(column)] => alone || said(column),
        returned => alone && !returned.is_empty(),
    };
    let written = scene.after(facts.write.id).any(|event| {
        let Some(access) = event.access() else { return false };
        // What the row said goes into a new row, or onto an amount.
        let adds = access.statement.target().is_some_and(|target| {
            target.action == Action::Insert || target.sets.iter().any(|set| set.value.is_relative())
        });
        adds && goes_along(facts, event) && access.binds.iter().any(|term| column_used(*term))
    });
    !facts.sequence.key_from_row && (single || written) || handed_out(facts) || used_up(facts) || renewed(facts)
}

/// Whether the row was asked for by a value of this column, so that what it holds there was known before. The column of another
/// table that it is joined with tells nothing.
fn was_asked_by(facts: &Facts<'_, '_>, column: &Name) -> bool {
    facts.reads.equals(column).is_some_and(|value| !matches!(value, Operand::Column { .. }))
}

/// Whether a row is deleted since its time is over: what it said goes to those who came in time.
fn has_run_out(facts: &Facts<'_, '_>) -> bool {
    let (scene, terms) = (facts.scene, &facts.scene.ev.terms);
    let timed = |check: &Check| check.cond.is_some_and(|cond| is_of_clock(terms, scene.ev.cond(cond).term));
    facts.sequence.checks.iter().filter(|check| timed(check)).any(|check| match &check.looks_at {
        LooksAt::Column(column) => !side::holds_from_then_on(scene, facts.sequence, column),
        _ => false,
    })
}

/// Whether what the row said goes into a new row before it is deleted, in each run that comes to delete it, and nothing
/// refuses a second one: a code is exchanged for a token.
fn handed_out(facts: &Facts<'_, '_>) -> bool {
    let (scene, read) = (facts.scene, facts.read.id);
    let Some(asked) = facts.read.access() else { return false };
    let fixed = |predicate: &Predicate| scene.ev.is_fixed(asked, &predicate.value);
    let named = |predicate: &Predicate| predicate.op == Compare::Eq && !predicate.is_of_state(fixed(predicate));
    if !facts.reads.filter.iter().any(named) {
        return false;
    }
    let of_row = |term: TermId| {
        let said = |origin: &Origin| origin.event == read && matches!(origin.part, Part::Column(_) | Part::Row);
        scene.origins(term).iter().any(said)
    };
    let refused = |target: &TableAccess, access: &Access| {
        let given = |column: &Name| {
            let mut sets = target.sets.iter().filter(|set| set.column == *column);
            sets.any(|set| scene.terms_in(access, &set.value).into_iter().any(of_row))
        };
        let table = scene.schema.table(&target.table.name);
        target.conflict.is_some() || table.is_some_and(|table| table.keys().any(|key| key.iter().any(given)))
    };
    scene.between_of(Kind::Write, read, facts.write.id).any(|event| {
        let (Some(access), Some(target)) = (event.access(), event.target()) else { return false };
        target.action == Action::Insert
            && !scene.rivals.journals.contains(&target.table.name)
            && goes_along(facts, event)
            && is_more_than_a_note(facts, access, target, &|term| of_row(*term))
            && !refused(target, access)
    }) && !scene.outcome_used(facts.write.id)
}

/// Whether a row that was asked for by its key is deleted after it was used: what it said has gone into a new row, onto an
/// amount, or names the row that got what the caller brought.
fn used_up(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let said = |origin: &Origin| match &origin.part {
        Part::Row => true,
        Part::Column(column) => !was_asked_by(facts, column),
        Part::Existence | Part::Count | Part::Length => false,
    };
    let from_row =
        |term: &TermId| scene.origins(*term).iter().any(|origin| origin.event == facts.read.id && said(origin));
    let uses = |event: &Event| {
        let (Some(access), Some(target)) = (event.access(), event.target()) else { return false };
        if target.table.name == facts.target.table.name && target.action != Action::Insert {
            return false;
        }
        let given = |set: &Assignment| scene.terms_in(access, &set.value).iter().any(from_row);
        let adds = |set: &Assignment| set.value.is_relative() && given(set);
        match target.action {
            Action::Insert => {
                let fresh = target.conflict.is_none() && !scene.rivals.journals.contains(&target.table.name);
                fresh && is_more_than_a_note(facts, access, target, &from_row) || dependency::written(target).any(adds)
            }
            Action::Update => target.sets.iter().any(adds) || names_who_gets(facts, access, target, &from_row),
            Action::Delete | Action::Read => false,
        }
    };
    let mut between = scene.between_of(Kind::Write, facts.read.id, facts.write.id);
    facts.reads_by_key() && between.any(|event| goes_along(facts, event) && uses(event))
}

/// Whether a new row holds something of the row that was read, and more: another part of it, or what the caller brought. One
/// part with the time is a note of what was there.
fn is_more_than_a_note(
    facts: &Facts<'_, '_>,
    access: &Access,
    target: &TableAccess,
    from_row: &dyn Fn(&TermId) -> bool,
) -> bool {
    let scene = facts.scene;
    let table = scene.schema.table(&target.table.name);
    let drawn = |set: &Assignment| access.bound(&set.value).is_some_and(|term| is_by_chance(&scene.ev.terms, term));
    let is_key = |set: &Assignment| table.is_some_and(|table| table.primary_key.contains(&set.column)) && drawn(set);
    let brings = |term: &TermId| {
        let terms = &scene.ev.terms;
        terms.brings(*term, |event| event == facts.read.id) && !is_of_clock(terms, *term)
    };
    let beside = || target.sets.iter().filter(|set| !is_key(set)).map(|set| scene.terms_in(access, &set.value));
    let told = beside().filter(|given| given.iter().any(|term| from_row(term) || brings(term))).count();
    told > 1 && beside().any(|given| given.iter().any(from_row))
}

/// Whether an UPDATE finds its row by what was read, and gives it what the caller brought: a password, for a token.
fn names_who_gets(
    facts: &Facts<'_, '_>,
    access: &Access,
    target: &TableAccess,
    from_row: &dyn Fn(&TermId) -> bool,
) -> bool {
    let scene = facts.scene;
    let named = target.filter.iter().any(|predicate| scene.terms_in(access, &predicate.value).iter().any(from_row));
    let brought = |set: &Assignment| {
        let given = scene.terms_in(access, &set.value);
        given.iter().any(|term| scene.ev.terms.brings(*term, |event| event == facts.read.id))
            && !access.is_now(&scene.ev.terms, &set.value)
    };
    named && target.sets.iter().any(brought)
}

/// Whether a row that was asked for by its key is deleted, and another one that is drawn here takes its place, in each run
/// that found the old one.
fn renewed(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let found: Vec<CondId> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let takes_its_place = |event: &Event| {
        let Some(access) = event.access() else { return false };
        let bound = access.binds.iter().chain(access.named.iter().map(|(_, term)| term));
        access.statement.target().is_some_and(|target| {
            target.action == Action::Insert && target.table.name == facts.target.table.name && target.conflict.is_none()
        }) && goes_along(facts, event)
            && scene.conditions(&event.deps).iter().any(|cond| found.contains(cond))
            && (facts.reads_by_key() && bound.into_iter().any(|term| is_by_chance(&scene.ev.terms, *term))
                || has_another_name(facts, access))
    };
    scene.after_of(Kind::Write, facts.write.id).any(takes_its_place)
}

/// Whether a new row gets another value in a column by which the old one was asked for: a token in place of another.
fn has_another_name(facts: &Facts<'_, '_>, insert: &Access) -> bool {
    let (scene, terms) = (facts.scene, &facts.scene.ev.terms);
    let (Some(read), Some(target)) = (facts.read.access(), insert.statement.target()) else { return false };
    let varies = |access: &Access, value: &Operand| access.bound(value).is_some_and(|term| !terms.is_constant(term));
    target.sets.iter().any(|set| {
        facts.reads.equals(&set.column).is_some_and(|asked| {
            varies(read, asked)
                && varies(insert, &set.value)
                && scene.same_value((read, asked), (insert, &set.value)) == Some(false)
        })
    })
}

/// Whether an event happens wherever the write went well: no test of its own, such as a failed call, leads to it.
fn goes_along(facts: &Facts<'_, '_>, event: &Event) -> bool {
    let scene = facts.scene;
    let known = scene.conditions(&facts.write.deps);
    let own_test = |cond: &CondId| !known.contains(cond) && scene.ev.cond(*cond).kind != CondKind::Presence;
    !event.deps.iter().any(own_test)
}
