//! One-time rows: a voucher, a code, a link. They are read, deleted, and what they said goes on to be used.

use crate::event::{Access, Cond, CondId, CondKind, Effect, EffectKind, Event, EventKind};
use crate::flow::clock::is_of_clock;
use crate::flow::random::is_by_chance;
use crate::flow::term::{Origin, Params, Part, Term, TermId};
use crate::lower::tree::Name;
use crate::race::index::Kind;
use crate::race::{Check, LooksAt, dependency, rows, side, twice};
use crate::rules::claim::Facts;
use crate::rules::turned_away;
use crate::sql::statement::{Access as TableAccess, Action, Assignment, Compare, Operand, Predicate};

/// A one-time row: it is read, deleted, and what it said goes on to be used, or a new one takes its place.
pub fn is_consumed(facts: &Facts<'_, '_>) -> bool {
    if facts.target.action != Action::Delete || facts.sequence.checks.is_empty() || has_run_out(facts) {
        return false;
    }
    let scene = facts.scene;
    let of_row = |origin: &&Origin| origin.event == facts.read.id && matches!(origin.part, Part::Column(_) | Part::Row);
    let returned = scene.origins(scene.flow.returns.term);
    let mut returned: Vec<&Part> = returned.iter().filter(of_row).map(|origin| &origin.part).collect();
    returned.sort_unstable();
    returned.dedup();
    let other_key = facts.sequence.key_from_row;
    let alone = !other_key && facts.read.access().is_some_and(|access| access.statement.output.len() == 1);
    // What it was asked for by was known before.
    let said = |column: &Name| !was_asked_by(facts, column) && !facts.names_row(column);
    let single = match returned.as_slice() {
        [Part::Column(column)] => alone || said(column),
        returned => alone && !returned.is_empty(),
    };
    let is_used = |origin: &Origin| match &origin.part {
        Part::Column(column) if other_key => said(column),
        _ => true,
    };
    let used = |term: &TermId| scene.origins(*term).iter().any(|origin| of_row(&origin) && is_used(origin));
    let written = scene.after(facts.write.id).any(|event| {
        let (Some(access), Some(target)) = (event.access(), event.target()) else { return false };
        // What the row said goes into a new row, or onto an amount.
        let adds = match target.action {
            Action::Insert => !other_key || !(Use { facts, access, target }).is_refused_twice(),
            _ => target.sets.iter().any(|set| set.value.is_relative()),
        };
        adds && goes_along(facts, event) && access.binds.iter().any(used)
    });
    let names_it = |event: &Event| match &event.kind {
        EventKind::Effect(effect) => effect.named.iter().any(used),
        _ => false,
    };
    let acts = |event: &Event| is_for_the_row(facts, event) && (!other_key || names_it(event));
    let acted = || scene.after_of(Kind::Effect, facts.write.id).any(acts);
    // It was asked for by a name of its own, even where it is deleted by another: then by all who found it in order.
    let chosen = |check: &Check| check.cond.is_some_and(|cond| turned_away::lets_on(facts, cond));
    let known = !other_key || facts.reads_by_key() && !facts.sequence.checks.iter().any(chosen);
    known && (single || written || acted()) || used_up(facts) || renewed(facts)
}

/// Whether something leaves the process for what a row said that is deleted with it, and would be done once more by whoever
/// holds the same row: money is moved, a mail is sent, something is asked for with what stood in the row.
pub fn is_for_the_row(facts: &Facts<'_, '_>, event: &Event) -> bool {
    let EventKind::Effect(effect) = &event.kind else { return false };
    let scene = facts.scene;
    let said = |origin: &Origin| match &origin.part {
        Part::Column(column) => !was_asked_by(facts, column) && !facts.names_row(column),
        _ => false,
    };
    let of_row = |term: &TermId| scene.origins(*term).iter().any(|origin| facts.is_read(origin.event) && said(origin));
    let acts = |effect: &Effect| match effect.kind {
        EffectKind::Payment | EffectKind::Mail => true,
        EffectKind::Http => {
            effect.certain
                && !twice::is_harmless(scene, facts.read, facts.write, event)
                && effect.named.iter().any(of_row)
        }
        EffectKind::Message | EffectKind::File | EffectKind::Other => false,
    };
    acts(effect) && !has_run_out(facts) && goes_along(facts, event)
}

/// Whether a row makes way for what it said, or for a new one, in each run that found it: whatever else was checked.
pub fn is_exchanged(facts: &Facts<'_, '_>) -> bool {
    !has_run_out(facts) && (used_up(facts) || renewed(facts))
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

/// Whether a row is deleted after it was used: what it said has gone into a new row, a token for a code; or, where it was asked
/// for by its key, onto an amount, or names the row that got what the caller brought.
fn used_up(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    let Some(read) = facts.read.access() else { return false };
    let by_key = facts.reads_by_key();
    let fixed = |predicate: &Predicate| scene.ev.is_fixed(read, &predicate.value);
    let named = |predicate: &Predicate| predicate.op == Compare::Eq && !predicate.is_of_state(fixed(predicate));
    if !by_key && !facts.reads.filter.iter().any(named) {
        return false;
    }
    scene.between_of(Kind::Write, facts.read.id, facts.write.id).any(|event| {
        let (Some(access), Some(target)) = (event.access(), event.target()) else { return false };
        goes_along(facts, event) && Use { facts, access, target }.spends(by_key)
    })
}

/// Another write, as far as it may use what a one-time row said.
struct Use<'f, 'a, 'p> {
    facts: &'f Facts<'a, 'p>,
    access: &'f Access,
    target: &'f TableAccess,
}

impl Use<'_, '_, '_> {
    fn spends(&self, by_key: bool) -> bool {
        let scene = self.facts.scene;
        if self.target.table.name == self.facts.target.table.name && self.target.action != Action::Insert {
            return false;
        }
        let adds = |set: &Assignment| set.value.is_relative() && self.is_from_row(&set.value);
        match self.target.action {
            Action::Insert => {
                let once = || self.is_refused_twice() || scene.outcome_used(self.facts.write.id);
                let new = self.target.conflict.is_none() && !scene.rivals.journals.contains(&self.target.table.name);
                new && self.is_more_than_a_note() && (by_key || !once())
                    || by_key && dependency::written(self.target).any(adds)
                    || by_key && self.target.conflict.is_none() && self.is_handed_out()
            }
            Action::Update => by_key && (self.target.sets.iter().any(adds) || self.names_who_gets()),
            Action::Delete | Action::Read => false,
        }
    }

    /// Whether something of the row that was read stands in a value, which was not known before.
    fn is_from_row(&self, value: &Operand) -> bool {
        let said = |origin: &Origin| match &origin.part {
            Part::Row => true,
            Part::Column(column) => !was_asked_by(self.facts, column),
            Part::Existence | Part::Count | Part::Length => false,
        };
        let (scene, read) = (self.facts.scene, self.facts.read.id);
        let from_row = |term: &TermId| scene.origins(*term).iter().any(|origin| origin.event == read && said(origin));
        scene.terms_in(self.access, value).iter().any(from_row)
    }

    /// Whether something stands in a value that another caller brings otherwise, and that is not the time.
    fn is_brought(&self, value: &Operand) -> bool {
        let terms = &self.facts.scene.ev.terms;
        let brings =
            |term: &TermId| terms.brings(*term, |event| event == self.facts.read.id) && !is_of_clock(terms, *term);
        self.facts.scene.terms_in(self.access, value).iter().any(brings)
    }

    /// Whether a unique key of the new row holds something of the row that was read: a second new row is refused.
    fn is_refused_twice(&self) -> bool {
        let given =
            |column: &Name| self.target.sets.iter().any(|set| set.column == *column && self.is_from_row(&set.value));
        let table = self.facts.scene.schema.table(&self.target.table.name);
        table.is_some_and(|table| table.keys().any(|key| key.iter().any(given)))
    }

    /// Whether a new row holds something of the row that was read, and more: another part of it, or what the caller brought.
    /// One part with the time is a note of what was there.
    fn is_more_than_a_note(&self) -> bool {
        let scene = self.facts.scene;
        let table = scene.schema.table(&self.target.table.name);
        let drawn =
            |set: &Assignment| self.access.bound(&set.value).is_some_and(|term| is_by_chance(&scene.ev.terms, term));
        let is_key =
            |set: &Assignment| table.is_some_and(|table| table.primary_key.contains(&set.column)) && drawn(set);
        let mut beside = self.target.sets.iter().filter(|set| !is_key(set)).map(|set| &set.value);
        let told = beside.clone().filter(|value| self.is_from_row(value) || self.is_brought(value)).count();
        told > 1 && beside.any(|value| self.is_from_row(value))
    }

    /// Whether a new row is one that each run makes of its own, and its caller is told the key under which it is looked for
    /// later: a pass, a token.
    fn is_handed_out(&self) -> bool {
        let (scene, table) = (self.facts.scene, &self.target.table.name);
        let (terms, returned) = (&scene.ev.terms, scene.flow.returns.term);
        let told = |term: TermId| is_by_chance(terms, term) && terms.mentions(returned, term);
        let def = scene.schema.table(table);
        let chosen = scene.rivals.chosen.get(table);
        let is_key = |column: &Name| {
            chosen.is_some_and(|columns| columns.contains(column))
                && def.is_some_and(|def| def.all_keys().any(|key| key == std::slice::from_ref(column)))
        };
        let mut keys = self.target.sets.iter().filter(|set| is_key(&set.column));
        keys.any(|set| self.access.bound(&set.value).is_some_and(told))
    }

    /// Whether an UPDATE finds its row by what was read, and gives it what the caller brought: a password, for a token.
    fn names_who_gets(&self) -> bool {
        self.target.filter.iter().any(|predicate| self.is_from_row(&predicate.value))
            && self.target.sets.iter().any(|set| self.is_brought(&set.value))
    }
}

/// Whether a row that was asked for by its key is deleted, and another one that is drawn here takes its place, in each run
/// that found the old one.
fn renewed(facts: &Facts<'_, '_>) -> bool {
    let scene = facts.scene;
    // None where the row had to be there: nobody goes on without it.
    let found: Vec<CondId> = facts.sequence.checks.iter().filter_map(|check| check.cond).collect();
    let takes_its_place = |event: &Event| {
        let Some(access) = event.access() else { return false };
        let bound = access.binds.iter().chain(access.named.iter().map(|(_, term)| term));
        access.statement.target().is_some_and(|target| {
            target.action == Action::Insert && target.table.name == facts.target.table.name && target.conflict.is_none()
        }) && goes_along(facts, event)
            && (found.is_empty() || scene.conditions(&event.deps).iter().any(|cond| found.contains(cond)))
            && (facts.reads_by_key() && bound.into_iter().any(|term| is_by_chance(&scene.ev.terms, *term))
                || gets_another_name(facts, access))
    };
    scene.after_of(Kind::Write, facts.write.id).any(takes_its_place)
}

/// Whether a new row gets another value in a column by which the old one was asked for: a token in place of another.
fn gets_another_name(facts: &Facts<'_, '_>, insert: &Access) -> bool {
    let (Some(read), Some(target)) = (facts.read.access(), insert.statement.target()) else { return false };
    target.sets.iter().any(|set| rows::asks_otherwise(facts.scene, (read, facts.reads), (insert, set)))
}

/// Whether an event happens wherever the write went well: no test of its own, such as a failed call, leads to it, but those of
/// the row that was read and of what the caller wants.
fn goes_along(facts: &Facts<'_, '_>, event: &Event) -> bool {
    let scene = facts.scene;
    let known = scene.conditions(&facts.write.deps);
    // Who holds the same row finds the same in it, or what was made of it.
    let looks_at_row = |cond: &Cond| {
        let origins = scene.origins(cond.term);
        !origins.is_empty()
            && origins.iter().all(|origin| facts.is_read(origin.event) && origin.part != Part::Existence)
    };
    let of_row = |cond: &Cond| {
        let chosen = || !cond.inner.is_empty() && cond.inner.iter().all(|inner| looks_at_row(scene.ev.cond(*inner)));
        let failed = side::lacks(cond, event) == Some(true);
        looks_at_row(cond) || scene.origins(cond.term).is_empty() && !failed && chosen()
    };
    let terms = &scene.ev.terms;
    // So does who asks for the same.
    let of_caller = |cond: &Cond| {
        let answered = terms.any(cond.term, |_| true, |part| terms.is_answer(part));
        scene.origins(cond.term).is_empty() && terms.params(cond.term) != Params::default() && !answered
    };
    let went_well = |cond: &Cond| {
        matches!(scene.ev.terms.asked_to_be_there(cond.term), Some(Term::Count(_)))
            && side::lacks(cond, event) == Some(false)
    };
    let own_test = |id: &CondId| {
        let cond = scene.ev.cond(*id);
        !known.contains(id) && cond.kind != CondKind::Presence && !of_row(cond) && !of_caller(cond) && !went_well(cond)
    };
    !event.deps.iter().any(own_test)
}
