//! Absence is read, a row is inserted; also an UPDATE of zero rows that is followed by an INSERT.

use crate::event::{Comparison, CondId, CondKind, Event};
use crate::finding::Confidence;
use crate::flow::random::is_by_chance;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::protect::WhyNot;
use crate::protect::constraint::meets_another;
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, dependency, first, side, upsert};
use crate::rules::claim::{Claim, Facts};
use crate::rules::loss::Counterpart;
use crate::rules::{stale_guard, turned_away};
use crate::sql::statement::{Action, Assignment, Compare, ConflictTarget, Limit};

pub const ID: &str = "check-then-insert";

pub fn claims(facts: &Facts<'_, '_>) -> Option<Confidence> {
    if facts.sequence.relation != Relation::NewRowOfSet {
        return None;
    }
    // A row that is moved among those that were asked for is one more of them.
    let moves = facts.target.action == Action::Update && comes_after_absence(facts);
    if !facts.inserts() && !moves {
        return None;
    }
    let again = facts.saves_again();
    let asked = facts.sequence.checks.iter().filter(|check| !asks_for_another(facts, check));
    let mut checks = asked.filter(|check| !only_chooses(facts, check));
    let asks = checks.any(|check| match &check.looks_at {
        LooksAt::Aggregate => false,
        LooksAt::Existence => !again && !needs_row(facts, check),
        LooksAt::Column(column) => !(again && facts.keeps(column)),
        LooksAt::Row => true,
    });
    if !asks {
        return None;
    }
    if facts.tried.contains(&WhyNot::ConflictOverwrites) && facts.writes_constants() {
        // The second one puts there what the first one did.
        return Some(Confidence::Low);
    }
    if facts.tried.contains(&WhyNot::ConflictOverwrites)
        && (passes_on_answers(facts) || holds_answers(facts) && turned_away::is_nobody(facts))
    {
        // What the outside said last is as good as what it said first.
        return Some(Confidence::Low);
    }
    if facts.replaced_before(facts.write.id) || is_put_where_it_belongs(facts) || facts.asks_by_chance() {
        return Some(Confidence::Low);
    }
    if is_one_more(facts) || notes_a_change(facts) || puts_in_any_case(facts) {
        return Some(Confidence::Low);
    }
    let narrower = facts.write.access().is_some_and(|insert| stale_guard::narrower(facts, insert));
    if goes_on_with_a_row(facts) {
        return Some(Confidence::Low);
    }
    if not_understood(facts) && !is_compared_with_new(facts) || narrower && !facts.sequence.checks_aggregate() {
        return Some(Confidence::Low);
    }
    // Without its definition nobody knows whether a unique key refuses the second row.
    Some(match facts.scene.schema.table(&facts.target.table.name) {
        Some(table) if table.keys_unsaid => Confidence::Medium.min(facts.confidence()),
        // Only who spells it otherwise gets past the key.
        Some(_) if facts.tried.iter().any(|why| matches!(why, WhyNot::OneCase(_))) => {
            Confidence::Medium.min(facts.confidence())
        }
        Some(_) => facts.confidence(),
        None => Confidence::Low,
    })
}

/// Another statement that puts the row there which is written over, where no second run of the same code does.
pub fn counterpart(scene: &Scene<'_, '_>, claim: &Claim) -> Option<Counterpart> {
    let facts = Facts::of(scene, &claim.sequence, &claim.tried)?;
    let overwrites = claim.rule == ID && claim.tried.contains(&WhyNot::ConflictOverwrites);
    overwrites.then(|| facts.other_inserter()).flatten()
}

/// Whether whoever comes to the write has found no row.
fn comes_after_absence(facts: &Facts<'_, '_>) -> bool {
    side::finds_none(facts.scene, facts.sequence, facts.write)
}

/// Whether the newest of several rows was asked for, and another one is put beside it where it was found as well: a table
/// that grows by one from time to time.
fn is_one_more(facts: &Facts<'_, '_>) -> bool {
    let (scene, read) = (facts.scene, facts.read.id);
    let inserts = |event: &Event| {
        let target = event.target();
        target.is_some_and(|target| target.action == Action::Insert && target.table.name == facts.target.table.name)
    };
    let conds: Vec<_> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let where_found = |event: &Event| {
        !event.path.meets(&facts.write.path)
            && !scene.found_nothing(read, event)
            && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
    };
    is_of_newest(facts)
        && scene.found_nothing(read, facts.write)
        && scene.after_of(Kind::Write, read).any(|event| inserts(event) && where_found(event))
}

/// Whether the row is written over where it says something else, and put there where there is none: the write is only
/// spared where it would change nothing.
fn puts_in_any_case(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let spares = |cond: &CondId| {
        let compares = scene.ev.cond(*cond).compares.iter();
        let told = |asked: TermId, given: TermId| {
            columns_of(facts, asked).iter().any(|column| gives(facts, column).contains(&given))
        };
        let mut equal = compares.filter(|compare| matches!(compare.op, Compare::Eq | Compare::Ne));
        equal.any(|compare| told(compare.left, compare.right) || told(compare.right, compare.left))
    };
    facts.target.writes_over()
        && facts.sequence.checks.iter().all(|check| check.looks_at == LooksAt::Existence)
        && !comes_after_absence(facts)
        && scene.conditions(&facts.write.deps).iter().any(spares)
}

/// The columns of the row that was read that a value is.
fn columns_of(facts: &Facts<'_, '_>, term: TermId) -> Vec<Name> {
    let Some(read) = facts.read.access() else { return Vec::new() };
    let origins = facts.scene.origins(term);
    let own = origins.iter().filter(|origin| origin.event == facts.read.id && !origin.computed);
    own.filter_map(|origin| match facts.scene.looks_at(&read.statement, &origin.part, false) {
        LooksAt::Column(column) => Some(column),
        _ => None,
    })
    .collect()
}

/// What the new row gets in a column.
fn gives(facts: &Facts<'_, '_>, column: &Name) -> Vec<TermId> {
    let Some(access) = facts.write.access() else { return Vec::new() };
    dependency::given_terms(facts.scene, (access, facts.target), column)
}

/// Whether a new row is put beside the newest one where that says something else than what the new one says: the table tells
/// what was so from when on.
fn notes_a_change(facts: &Facts<'_, '_>) -> bool {
    let (Some(access), scene) = (facts.write.access(), facts.scene) else { return false };
    let changes = |check: &Check| {
        let (LooksAt::Column(column), Some(cond)) = (&check.looks_at, check.cond) else {
            return check.looks_at == LooksAt::Existence;
        };
        let compares = &scene.ev.cond(cond).compares;
        compares.iter().any(|compare| {
            matches!(compare.op, Compare::Eq | Compare::Ne)
                && gives(facts, column).iter().any(|term| *term == compare.left || *term == compare.right)
        })
    };
    let one = facts.reads.limit == Some(Limit::One) || facts.read.access().is_some_and(|read| read.row_required);
    facts.reads.ordered
        && one
        && facts.sequence.checks_content()
        && facts.target.sets.iter().any(|set| access.is_now(&scene.ev.terms, &set.value))
        && facts.sequence.checks.iter().all(changes)
}

/// Whether one of several rows was asked for, and nothing but whether there is one, and how old it is.
fn is_of_newest(facts: &Facts<'_, '_>) -> bool {
    let of_age = |check: &Check| match &check.looks_at {
        LooksAt::Existence => true,
        LooksAt::Column(column) => facts.reads.filter.iter().any(|predicate| predicate.columns.contains(column)),
        LooksAt::Aggregate | LooksAt::Row => false,
    };
    facts.reads.ordered && facts.reads.limit == Some(Limit::One) && facts.sequence.checks.iter().all(of_age)
}

/// Whether the row is inserted where one was found, and nothing else is asked of it: one more is not one too many.
fn goes_on_with_a_row(facts: &Facts<'_, '_>) -> bool {
    let ev = facts.scene.ev;
    let newest = is_of_newest(facts);
    let only_present = |check: &Check| {
        let term = check.cond.map(|cond| ev.terms.get(ev.cond(cond).term));
        newest || check.looks_at == LooksAt::Existence || matches!(term, Some(Term::Exists(_)))
    };
    facts.scene.found_something(facts.read.id, facts.write) && facts.sequence.checks.iter().all(only_present)
}

/// Whether the row is there to keep what a service outside answered, with the time or a number beside it: nothing in it is
/// drawn.
fn holds_answers(facts: &Facts<'_, '_>) -> bool {
    let Some(access) = facts.write.access() else { return false };
    let terms = &facts.scene.ev.terms;
    let given: Vec<TermId> = dependency::written(facts.target)
        .flat_map(|set| facts.scene.terms_in(access, &set.value))
        .chain(facts.target.sets.iter().flat_map(|set| facts.scene.terms_in(access, &set.value)))
        .collect();
    given.iter().any(|term| terms.any(*term, |_| true, |part| terms.is_answer(part)))
        && !given.iter().any(|term| is_by_chance(terms, *term))
}

/// Whether all that is written beside the key is what a service outside answered.
fn passes_on_answers(facts: &Facts<'_, '_>) -> bool {
    let Some(access) = facts.write.access() else { return false };
    let Some(ConflictTarget::Columns(key)) = facts.target.conflict.as_ref().map(|conflict| &conflict.target) else {
        return false;
    };
    let answered = |set: &Assignment| {
        let given = facts.scene.terms_in(access, &set.value);
        !given.is_empty() && given.iter().all(|term| facts.scene.ev.terms.is_answer(*term))
    };
    let mut beside = facts.target.sets.iter().filter(|set| !key.contains(&set.column)).peekable();
    beside.peek().is_some() && beside.all(answered)
}

/// Whether a row is written under a key of its own, there or not, and nothing says that another one was missing.
fn is_put_where_it_belongs(facts: &Facts<'_, '_>) -> bool {
    facts.target.writes_over()
        && meets_another(facts.scene, facts.sequence)
        && !facts.scene.found_nothing(facts.read.id, facts.write)
        // That there is none may be written into the row.
        && !first::is_mark(facts.sequence)
}

/// Whether a condition only looks at a column in which the new row gets a value that is drawn: whoever asks there for a
/// value is answered as before.
fn asks_for_another(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let scene = facts.scene;
    let (Some(access), Some(read), Some(cond)) = (facts.write.access(), facts.read.access(), check.cond) else {
        return false;
    };
    let drawn = |column: &Name| {
        let mut given = facts.target.sets.iter().filter(|set| set.column == *column).peekable();
        given.peek().is_some() && given.all(|set| upsert::is_drawn_here(&scene.ev.terms, access, &set.value))
    };
    let asked = scene.ev.cond(cond).term;
    let is_of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    let mut asks_if_there = false;
    scene.ev.terms.walk(asked, &mut |part| {
        asks_if_there |= matches!(scene.ev.terms.get(part), Term::Exists(of) if is_of_read(*of));
    });
    let origins = scene.origins(asked);
    let mut own = origins.iter().filter(|origin| origin.event == facts.read.id).peekable();
    !asks_if_there
        && own.peek().is_some()
        && own.all(|origin| match scene.looks_at(&read.statement, &origin.part, false) {
            LooksAt::Column(column) => drawn(&column),
            _ => false,
        })
}

/// Whether a check only chooses what the new row holds: what was found goes into it on one way, something else on another.
fn only_chooses(facts: &Facts<'_, '_>, check: &Check) -> bool {
    let (scene, Some(access), Some(cond)) = (facts.scene, facts.write.access(), check.cond) else { return false };
    if access.chosen_by.is_empty()
        || !facts.inserts()
        || facts.target.writes_over()
        || check.looks_at == LooksAt::Aggregate
    {
        return false;
    }
    let deciding: Vec<CondId> =
        facts.write.deps.iter().copied().filter(|dep| !access.chosen_by.contains(dep)).collect();
    let terms = &scene.ev.terms;
    let found = |part: &TermId| scene.origins(*part).iter().any(|origin| origin.event == facts.read.id);
    let one_of_two = |term: TermId| match terms.get(term) {
        Term::Either(parts) => parts.iter().any(found) && !parts.iter().all(found),
        _ => false,
    };
    scene.conditions(&access.chosen_by).contains(&cond)
        && !scene.conditions(&deciding).contains(&cond)
        && facts.target.sets.iter().flat_map(|set| scene.terms_in(access, &set.value)).any(one_of_two)
}

/// Whether a condition goes on only with a row that is there.
fn needs_row(facts: &Facts<'_, '_>, check: &Check) -> bool {
    check.cond.is_some_and(|cond| matches!(facts.scene.ev.cond(cond).kind, CondKind::Presence | CondKind::Each))
}

/// Whether rows are looked through for what stands in the new one.
fn is_compared_with_new(facts: &Facts<'_, '_>) -> bool {
    let (Some(access), scene) = (facts.write.access(), facts.scene) else { return false };
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == facts.read.id);
    let given = facts.target.sets.iter().flat_map(|set| scene.terms_in(access, &set.value));
    let brought: Vec<TermId> = given.filter(|term| !scene.ev.terms.is_constant(*term) && !of_read(*term)).collect();
    let column = |term: TermId| !columns_of(facts, term).is_empty();
    let asks = |compare: &Comparison| {
        let beside = match (of_read(compare.left), of_read(compare.right)) {
            (true, false) if column(compare.left) => compare.right,
            (false, true) if column(compare.right) => compare.left,
            _ => return false,
        };
        brought.iter().any(|term| scene.ev.terms.mentions(beside, *term) || scene.ev.terms.mentions(*term, beside))
    };
    let content = facts.sequence.checks.iter().filter(|check| check.looks_at != LooksAt::Existence);
    // A row that is written over is no second one.
    facts.target.conflict.is_none()
        && content.filter_map(|check| check.cond).any(|cond| scene.ev.cond(cond).compares.iter().any(asks))
}

/// Whether nobody knows which rows were asked for.
fn not_understood(facts: &Facts<'_, '_>) -> bool {
    facts.reads.filter.iter().any(|predicate| predicate.columns.iter().any(|column| column == "?"))
}
