//! A row is read, a condition on it is tested in Rust, the same row is updated or deleted.

use crate::event::{Comparison, CondKind, Event};
use crate::finding::Confidence;
use crate::flow::clock::is_of_clock;
use crate::flow::effect::computes_with_key;
use crate::flow::term::{Origin, Params, Part, Term, TermId, is_call};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::protect::idempotent::acts_besides;
use crate::protect::{Verdict, merges};
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::{Check, LooksAt, Written, dependency, passed, side};
use crate::rules::claim::Facts;
use crate::rules::loss::{Counterpart, Loss};
use crate::rules::{either_way, fenced, lost_update, on_the_way, one_time, same_twice, set_once, stale_guard};
use crate::sql::statement::{Action, Aggregate, Assignment, Compare, Operand, Output, Predicate};

pub const ID: &str = "check-then-update";

/// How many columns a statement sets that is there for one of them.
const SPEAKS_OF_IT: usize = 2;

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if !facts.same_row() || facts.inserts() {
        return None;
    }
    let consumed = || one_time::is_consumed(facts).then_some(Confidence::Medium);
    if !facts.sequence.checks_content() {
        return consumed();
    }
    if facts.target.action == Action::Delete {
        if either_way::is_done(facts) {
            return Some(Confidence::Low);
        }
        if stale_guard::takes_away_below_a_limit(facts) {
            return Some(Confidence::Low);
        }
        let exchanged = one_time::is_exchanged(facts).then_some(Confidence::Medium);
        return deleted(facts).or_else(consumed).max(exchanged).or(Some(Confidence::Low));
    }
    if either_way::is_done(facts) || is_summed_up_again(facts) {
        return Some(Confidence::Low);
    }
    if takes_away(facts) || set_once::is_one(facts) || on_the_way::is_deleted_after(facts) {
        return Some(Confidence::Low);
    }
    if same_twice::is_one(facts) {
        let rival = same_twice::rival(facts).or_else(|| spoiled_in_between(facts));
        return Some(rival.map_or(Confidence::Low, |rival| same_twice::confidence(facts, &rival)));
    }
    if fenced::is_one(facts) {
        return Some(spoiled_for_one(facts).map_or(Confidence::Low, |_| Confidence::Medium.min(facts.confidence())));
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

/// Whether all that is written is a total of other rows, which the database makes anew: nothing of what was read goes into it.
fn is_summed_up_again(facts: &Facts<'_, '_>) -> bool {
    let Some(access) = facts.write.access() else { return false };
    let mut sources = access.statement.accesses.iter().filter(|one| one.action == Action::Read).peekable();
    let total = |set: &Assignment| matches!(set.value, Operand::Subquery(_));
    dependency::written(facts.target).next().is_some()
        && dependency::written(facts.target).all(total)
        && sources.peek().is_some()
        && sources.all(|source| matches!(source.aggregate, Some(Aggregate::Sum | Aggregate::Count)))
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
    if facts.notes_time() {
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
                && !on_the_way::is_written_before(facts, column) =>
        {
            Some(column)
        }
        _ => None,
    });
    let others = spoiled.filter_map(|column| facts.spoiler(column, &own));
    let compared =
        facts.sequence.checked_columns().into_iter().filter(|column| left(column) && !facts.names_row(column));
    let others = others.chain(compared.filter_map(|column| facts.taker_back(column, &own)));
    others.filter(|other| other.writer.breadth.0 <= SPEAKS_OF_IT).min_by_key(|other| other.writer.breadth)
}

/// The other statement that takes the row from the one who has it, and whose new state the write goes over.
fn spoiled_for_one(facts: &Facts<'_, '_>) -> Option<Counterpart> {
    let own = facts.own_functions();
    let states = facts.sequence.checks.iter().filter_map(|check| match &check.looks_at {
        LooksAt::Column(column) if dependency::sets(facts.write, column) => Some(column),
        _ => None,
    });
    states.filter_map(|column| facts.taking_writer(column, &own)).min_by_key(|other| other.writer.breadth)
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
    if fenced::is_one(facts) {
        return spoiled_for_one(facts);
    }
    if same_twice::is_one(facts) {
        return same_twice::rival(facts).or_else(|| spoiled_in_between(facts));
    }
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
    moved.filter_map(|column| facts.undone_writer(column, &own)).min_by_key(|other| other.writer.breadth)
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
    let others =
        |column: &Name| match rivals.writers.say_nothing(table, column) || facts.spoiler(column, &own).is_some() {
            true if is_put_there_again(facts, column, &own) || is_away_by(facts, column) => Some(Confidence::Low),
            true => Some(facts.confidence()),
            false => facts.other_writer(column, &own).map(|_| Confidence::Low),
        };
    let spoiled = facts.sequence.checks.iter().filter_map(|check| match &check.looks_at {
        LooksAt::Column(column) => others(column).filter(|_| {
            rivals.changes(table, column)
                && !facts.permits(check)
                && !facts.only_leads_on(check)
                && !facts.names_row(column)
                && !on_the_way::is_written_before(facts, column)
                && !on_the_way::is_a_helpers_own(facts, check)
                && !only_opens(facts, check)
        }),
        LooksAt::Row | LooksAt::Aggregate => Some(facts.confidence()),
        LooksAt::Existence => None,
    });
    spoiled.max()
}

/// Whether a row is taken for one that is there as long as it has not a mark in this column, which most reads go by: who puts
/// the mark there loses nothing when the row is deleted.
fn is_away_by(facts: &Facts<'_, '_>, column: &Name) -> bool {
    let mark = |predicate: &Predicate| {
        predicate.columns == [column.clone()] && matches!(predicate.op, Compare::IsNull | Compare::Ne)
    };
    facts.scene.rivals.tells_presence(&facts.reads.table.name, column) && facts.reads.filter.iter().any(mark)
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
        && (others.peek().is_some() || scene.rivals.inserted.contains(table))
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
        let noted = |event: &Event| {
            event.does(Action::Insert)
                && event.target().is_some_and(|target| scene.rivals.journals.contains(&target.table.name))
        };
        after.any(|event| event.id != facts.write.id && !noted(event))
    };
    facts.sequence.values.is_empty()
        && !checked.is_empty()
        && checked.iter().all(|column| marks(column))
        && dependency::written(facts.target).any(|set| marks(&set.column))
        && dependency::written(facts.target).all(|set| !set.value.is_relative())
        && !used(scene.flow.returns.term)
        && !another()
}

/// A check of a column that the write itself moves is spoiled by the next request; of another column only by another
/// kind of request.
fn checked_and_written(facts: &Facts<'_, '_>) -> Confidence {
    let own = facts.confidence();
    let moved = |check: &Check| match &check.looks_at {
        LooksAt::Column(column) => {
            // A column that nobody knows may be this one.
            let named = |set: &Assignment| set.column == *column || set.column == "?";
            dependency::written(facts.target).any(|set| named(set) && !facts.hands_back(&set.column))
                && (asks_whether_there(facts, check) || !facts.names_row(column))
                && !facts.is_found_again(check, column)
        }
        LooksAt::Row => !facts.permits(check) && !asks_whether_there(facts, check) && may_be_moved(facts),
        // Of a list it is how many there are.
        LooksAt::Aggregate => facts.reads.aggregate.is_some() || !facts.keeps_count(),
        LooksAt::Existence => false,
    };
    let functions = facts.own_functions();
    let stays = |check: &Check| {
        matches!(&check.looks_at, LooksAt::Column(column)
            if only_moves_on(facts, column)
                || (facts.lets_through(column) || passed::by_itself(facts.scene, facts.sequence, column))
                    && facts.spoiler(column, &functions).is_none())
    };
    let settled = |check: &Check| {
        asks_for_what_is_edited(facts, check)
            || proves(facts, check)
            || leads_to_proof(facts, check)
            || only_renews(facts, check, &functions)
            || stays(check)
            || renews(facts, check, &functions)
            || on_the_way::is_a_helpers_own(facts, check)
            || is_asked_again(facts, check)
            || chooses_a_value(facts, check)
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
    let issued = facts
        .sequence
        .values
        .iter()
        .all(|value| facts.hands_back(&value.column) || facts.sequence.follows(value) || facts.issues(value));
    if facts.computed_from_row() && !counted && !issued { own } else { Confidence::Low }
}

/// Whether a column is a mark that only goes one way, and nothing else hangs on whether it was still to be moved: whoever
/// comes second moves it no further back.
fn only_moves_on(facts: &Facts<'_, '_>, column: &Name) -> bool {
    merges::only_moves_on(facts.scene, facts.sequence, column) && !acts_besides(facts.scene, facts.sequence, true)
}

/// Whether a condition decides nothing but which value is bound, of a row that is saved with what others write to it: what is
/// lost is what they wrote, whatever was chosen.
fn chooses_a_value(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let Some((id, write)) = check.cond.zip(facts.write.access()) else { return false };
    // A helper that gives the value may end early, and refuses nobody.
    let gives = || {
        let cond = facts.scene.ev.cond(id);
        !facts.write.deps.contains(&id)
            && (asks_whether_there(facts, check) || cond.kind == CondKind::Test)
            && cond.decides.is_none_or(|decides| decides.refused == 0)
    };
    (write.chosen_by.contains(&id) || gives())
        && facts.sequence.values.iter().any(Written::is_handed_back)
        && lost_update::claims(facts).is_some_and(|sure| sure > Confidence::Low)
}

/// Whether the write gives a value to a column that was read, where nobody knows which of them decides.
fn may_be_moved(facts: &Facts<'_, '_>) -> bool {
    let output = facts.read.access().map_or(&[][..], |read| read.statement.output.as_slice());
    let unknown = |of: &Output| of.name == "*" || of.name == "?" || of.from.iter().any(|from| from == "*");
    let gives = |of: &Output| {
        dependency::written(facts.target).any(|set| set.column == of.name || of.from.contains(&set.column))
    };
    output.is_empty() || output.iter().any(|of| unknown(of) || gives(of))
}

/// Whether all that is asked of a column is that something is there for another call to prove.
fn leads_to_proof(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let of_column = |other: &&Check| other.looks_at == check.looks_at && other.cond != check.cond;
    asks_whether_there(facts, check) && facts.sequence.checks.iter().filter(of_column).any(|other| proves(facts, other))
}

/// Whether all that hangs on a time is that it is put forward to the time by now, as every other statement does that gives
/// the column one: whoever comes last says when it was.
fn only_renews(facts: &Facts<'_, '_>, check: &Check, own: &[FnId]) -> bool {
    let (LooksAt::Column(column), Some(access)) = (&check.looks_at, facts.write.access()) else { return false };
    let (scene, table) = (facts.scene, &facts.reads.table.name);
    let conds: Vec<_> = facts.sequence.checks.iter().filter(|other| other.looks_at == check.looks_at).collect();
    let hangs = |event: &Event| {
        let needed = scene.conditions(&event.deps);
        conds.iter().any(|own| own.cond.is_none_or(|cond| needed.contains(&cond)))
    };
    let mut given = dependency::written(facts.target).filter(|set| set.column == *column).peekable();
    let mut others = scene.rivals.writers.others((table, column), scene.flow.function, own);
    given.peek().is_some()
        && given.all(|set| access.is_now(&scene.ev.terms, &set.value))
        && dependency::written(facts.target)
            .all(|set| access.is_now(&scene.ev.terms, &set.value) || facts.hands_back(&set.column))
        && others.all(|writer| writer.now)
        && check.cond.map(|cond| scene.ev.cond(cond)).is_some_and(|cond| {
            let refuses = cond.kind != CondKind::Test || cond.decides.is_none_or(|decides| decides.left != 0);
            is_of_clock(&scene.ev.terms, cond.term) && !refuses
        })
        && !scene.flow.events.iter().any(|event| event.acts() && event.id != facts.write.id && hangs(event))
}

/// Whether a later look at the same row asks for the same column, and nobody changes it from then on.
fn is_asked_again(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let scene = facts.scene;
    matches!(check.looks_at, LooksAt::Column(_))
        && scene.sequences(facts.write).iter().any(|other| {
            scene.place(other.read) > scene.place(facts.read.id)
                && other.relation == Relation::SameRow
                && other.checks.iter().any(|own| own.looks_at == check.looks_at)
                && scene.table_of(other) == Some(&facts.reads.table.name)
                && matches!(scene.verdict(other), Verdict::Safe(_))
        })
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
    // `codes.iter().position(|code| …)?`: it is looked for something in it, and what is found is used up.
    let terms = &facts.scene.ev.terms;
    let sought = || {
        let asked = check.cond.and_then(|cond| terms.asked_to_be_there(facts.scene.ev.cond(cond).term));
        matches!(asked, Some(Term::Computed(by, _)) if by == "any")
    };
    asks_whether_there(facts, check) && !sought() && matches!(&check.looks_at, LooksAt::Column(column) if made(column))
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

/// Whether a column is only what something that was brought was opened or proved with, such as the key of a message: what is
/// asked is what that says.
fn only_opens(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let mut opened = false;
    check.cond.is_some_and(|cond| is_opened(facts, facts.scene.ev.cond(cond).term, &mut opened)) && opened
}

/// Whether all that a value uses of the read went into calls that compute with a key, and what they were given besides.
fn is_opened(facts: &Facts<'_, '_>, term: TermId, opened: &mut bool) -> bool {
    let terms = &facts.scene.ev.terms;
    let of_read = |term: TermId| facts.scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    if !of_read(term) {
        return true;
    }
    let brought = |part: &TermId| !of_read(*part) && terms.params(*part) != Params::default();
    match terms.get(term) {
        Term::Computed(by, parts) if computes_with_key(by) && parts.iter().any(brought) => {
            *opened = true;
            true
        }
        Term::Computed(_, parts) | Term::Either(parts) => parts.iter().all(|part| is_opened(facts, *part, opened)),
        Term::Exists(of) | Term::Field(of, _) => is_opened(facts, *of, opened),
        _ => false,
    }
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
