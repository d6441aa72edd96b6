//! On which side of a condition an event stands, and which values of a column lead there.

use crate::event::{Access, Cond, CondId, CondKind, Event};
use crate::flow::Evaluator;
use crate::flow::encode::decoded;
use crate::flow::term::{Origin, Part, Term, TermId, is_record};
use crate::lower::tree::Name;
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, record};
use crate::sql::statement::{Aggregate, Compare, Operand, Predicate};

/// What a column is known to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// This constant.
    Constant(Name),
    Null,
    /// Something, nobody knows what.
    Something,
}

/// How deep a condition is taken apart.
const DEPTH: usize = 16;

/// How many conditions of called functions are looked at.
const ANSWERED: usize = 256;

/// Whether whoever reads this in a column does not come to the write, by the conditions of a sequence.
pub fn keeps_out(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name, held: &Held) -> bool {
    let Some(write) = scene.event(sequence.write) else { return false };
    let column = Column { scene, sequence, column, held };
    let mut conds = column.asked_by().map(|cond| scene.ev.cond(cond));
    conds.any(|cond| column.turns_away(cond, write, side(cond, write))) || column.no_arm_leads_to(write, &[])
}

/// The same as far as is known: a condition may have been asked on one of several ways, or by a function that was called.
pub fn turns_out(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name, held: &Held) -> bool {
    let Some(write) = scene.event(sequence.write) else { return false };
    let column = Column { scene, sequence, column, held };
    let answered = answered(scene.ev, write);
    let holds = |id: CondId| outcome_where(scene.ev, id, write, || answered.contains(&id));
    let by = |id: CondId| column.turns_away(scene.ev.cond(id), write, holds(id));
    column.asked_by().any(by) || column.no_arm_leads_to(write, &answered)
}

/// The constants with which a column leads away from the write, where its conditions ask for nothing else: whatever else
/// it holds leads there. None where they ask for more.
pub fn turned_away(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name) -> Option<Vec<Name>> {
    let write = scene.event(sequence.write)?;
    let on_it = sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Column(column.clone()));
    let mut found = Vec::new();
    for check in on_it {
        if is_of_filter(scene, sequence, check, column) {
            filtered_away(scene, sequence, column, &mut found)?;
            continue;
        }
        let id = check.cond?;
        let cond = scene.ev.cond(id);
        let of = Column { scene, sequence, column, held: &Held::Something };
        if of.is_needed(cond, write) {
            found.extend([Name::new("NULL"), Name::new("none")]);
            continue;
        }
        let holds = outcome(scene.ev, id, write)?;
        if !of.differs(cond.term, holds, &mut found, 0) {
            return None;
        }
    }
    Some(found)
}

/// Whether a check stands in the read's own WHERE: what Rust asks, if anything, is whether there was a row.
pub fn is_of_filter(scene: &Scene<'_, '_>, sequence: &Sequence, check: &Check, column: &Name) -> bool {
    let Some(read) = scene.access(sequence.read) else { return false };
    let of_column = |origin: &Origin| {
        origin.event == sequence.read
            && scene.looks_at(&read.statement, &origin.part, false) == LooksAt::Column(column.clone())
    };
    check.cond.map(|cond| scene.ev.cond(cond).term).is_none_or(|asked| {
        record::asked_for(scene, asked) == Some(sequence.read) || !scene.origins(asked).iter().any(of_column)
    })
}

/// The constants in a column that a read's WHERE leaves out; none where it asks for more than that.
fn filtered_away(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name, found: &mut Vec<Name>) -> Option<()> {
    let (read, write) = (scene.access(sequence.read)?, scene.event(sequence.write)?);
    let filter = &read.statement.accesses.get(sequence.read_access)?.filter;
    let on_it = filter.iter().filter(|predicate| predicate.columns.contains(column));
    if scene.found_nothing(sequence.read, write) {
        return None;
    }
    for predicate in on_it {
        let constant = || read.constant(&scene.ev.terms, &predicate.value);
        match (predicate.columns.as_slice(), predicate.op) {
            ([_], Compare::Ne) => found.push(constant()?),
            ([_], Compare::IsNotNull) => found.extend([Name::new("NULL"), Name::new("none")]),
            ([_], Compare::Eq) => match constant()?.as_str() {
                "true" => found.push(Name::new("false")),
                "false" => found.push(Name::new("true")),
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(())
}

/// Whether some condition asks for a column, and not only for a record that holds it among others: whoever tests a record
/// as a whole has not said what it is about.
pub fn asks_by_itself(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name) -> bool {
    let mut on_it = sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Column(column.clone()));
    on_it.any(|check| asks_itself(scene, sequence, check, column))
}

/// Whether a check asks for a column by itself, and not only for a record that holds it.
pub fn asks_itself(scene: &Scene<'_, '_>, sequence: &Sequence, check: &Check, column: &Name) -> bool {
    let of = Column { scene, sequence, column, held: &Held::Something };
    check.cond.is_none_or(|cond| of.is_asked(cond, 0))
}

/// Whether a value is a column of the row that a sequence reads.
pub fn is_column(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name, term: TermId) -> bool {
    Column { scene, sequence, column, held: &Held::Something }.is_it(term)
}

/// Whether the conditions on a column hold the more the later the time is that stands in it.
pub fn holds_from_then_on(scene: &Scene<'_, '_>, sequence: &Sequence, column: &Name) -> bool {
    let Some(write) = scene.event(sequence.write) else { return false };
    let of = Column { scene, sequence, column, held: &Held::Something };
    let mut on_it = sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Column(column.clone()));
    let mut timed = false;
    let lasts = |check: &Check| {
        let Some(cond) = check.cond.map(|cond| scene.ev.cond(cond)) else { return false };
        let there = matches!(scene.ev.terms.get(cond.term), Term::Exists(part) if of.is_it(*part));
        let Some(way) = of.slope(cond.term, 0) else { return false };
        timed |= way != 0;
        there || way == 0 || side(cond, write).is_some_and(|holds| holds == (way > 0))
    };
    let all = on_it.all(lasts);
    all && timed
}

/// Whether a condition holds where an event happens; none where that is not known.
fn side(cond: &Cond, event: &Event) -> Option<bool> {
    if cond.kind == CondKind::Must {
        return Some(true);
    }
    let decides = cond.decides.filter(|decides| decides.is_if)?;
    match event.path.arms_of(decides.branch)? {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    }
}

/// The same for who comes past a condition that has left the function on its other side: it may have been asked on one of
/// several ways.
fn gone_on(cond: &Cond, id: CondId, event: &Event) -> Option<bool> {
    let decides = cond.decides.filter(|decides| decides.is_if)?;
    let chosen = event.access().is_some_and(|access| access.chosen_by.contains(&id));
    match decides.left {
        1 if event.deps.contains(&id) && !chosen => Some(false),
        2 if event.deps.contains(&id) && !chosen => Some(true),
        _ => None,
    }
}

/// How a condition came out for whoever comes to an event; none where that is not known.
pub fn outcome(ev: &Evaluator<'_>, id: CondId, event: &Event) -> Option<bool> {
    outcome_where(ev, id, event, || answered(ev, event).contains(&id))
}

/// The same where it is known whether the condition is one of those of which `?` has said that they did not refuse.
pub fn outcome_where(
    ev: &Evaluator<'_>,
    id: CondId,
    event: &Event,
    is_answered: impl FnOnce() -> bool,
) -> Option<bool> {
    let cond = ev.cond(id);
    side(cond, event).or_else(|| gone_on(cond, id, event)).or_else(|| {
        let holds = match cond.decides.filter(|decides| decides.is_if)?.refused {
            1 => false,
            2 => true,
            _ => return None,
        };
        is_answered().then_some(holds)
    })
}

/// The branches that conditions decide of which `?` has said that they did not refuse, and the arms that were taken there.
pub fn not_refused(ev: &Evaluator<'_>, answered: &[CondId]) -> impl Iterator<Item = (u32, u64)> {
    let decided = answered.iter().filter_map(|cond| ev.cond(*cond).decides);
    decided.filter(|decides| decides.refused != 0).map(|decides| (decides.branch, !decides.refused))
}

/// The conditions by which called functions may have refused, of which `?` has said by an event that they did not.
pub fn answered(ev: &Evaluator<'_>, event: &Event) -> Vec<CondId> {
    let needs = |cond: &CondId| ev.cond(*cond).kind == CondKind::Presence;
    let mut found: Vec<CondId> = Vec::new();
    let mut todo: Vec<CondId> = event.deps.iter().copied().filter(needs).collect();
    while let Some(cond) = todo.pop() {
        for inner in ev.cond(cond).inner.iter().filter(|inner| ev.cond(**inner).kind != CondKind::Each) {
            if !found.contains(inner) && found.len() < ANSWERED {
                found.push(*inner);
                todo.extend(Some(*inner).filter(needs));
            }
        }
    }
    found
}

/// Whether a condition lets only those come to the write for whom something that was read equals something else.
pub fn needs_equal(scene: &Scene<'_, '_>, sequence: &Sequence, id: CondId) -> bool {
    let Some(write) = scene.event(sequence.write) else { return false };
    let cond = scene.ev.cond(id);
    let Term::Computed(by, parts) = scene.ev.terms.get(cond.term) else { return false };
    let of_read = |term: &TermId| scene.origins(*term).iter().any(|origin| origin.event == sequence.read);
    let holds = outcome(scene.ev, id, write);
    matches!((by.as_str(), holds), ("==", Some(true)) | ("!=", Some(false))) && parts.iter().any(of_read)
}

/// Whether what a condition asks for is missing where an event happens: an option is none, a result an error. None where
/// that is not known.
pub fn lacks(cond: &Cond, event: &Event) -> Option<bool> {
    let decides = cond.decides.filter(|decides| decides.lacking != 0)?;
    let taken = event.path.arms_of(decides.branch)?;
    if taken & !decides.lacking == 0 {
        Some(true)
    } else if taken & decides.lacking == 0 {
        Some(false)
    } else {
        None
    }
}

/// Whether whoever comes to a write has found no row by a read: by its absence, by a count of zero, by EXISTS.
pub fn finds_none(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> bool {
    let conds = sequence.checks.iter().filter_map(|check| check.cond).map(|cond| scene.ev.cond(cond));
    let none = |cond: &Cond| side(cond, write).is_some_and(|holds| says_none(scene, sequence, cond.term, holds, 0));
    scene.found_nothing(sequence.read, write)
        || conds.into_iter().any(none)
        || write.deps.iter().any(|cond| fails_without(scene, sequence, scene.ev.cond(*cond), write))
}

/// Whether a test of what a called function gave leads where it gave an error, and of the row it only asks if there is one.
fn fails_without(scene: &Scene<'_, '_>, sequence: &Sequence, cond: &Cond, write: &Event) -> bool {
    let of_read = |cond: &&Cond| scene.origins(cond.term).iter().any(|origin| origin.event == sequence.read);
    let asks = |cond: &Cond| scene.ev.terms.asked_to_be_there(cond.term) == Some(&Term::Row(sequence.read));
    let inner = cond.inner.iter().map(|inner| scene.ev.cond(*inner)).filter(of_read);
    let mut inner = inner.peekable();
    lacks(cond, write) == Some(true) && !of_read(&cond) && inner.peek().is_some() && inner.all(asks)
}

/// Whether a test that comes out so says that there is no row.
fn says_none(scene: &Scene<'_, '_>, sequence: &Sequence, term: TermId, holds: bool, depth: usize) -> bool {
    let read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == sequence.read);
    let number = |term: TermId| match scene.ev.terms.number(term)? {
        "0" => Some(0),
        "1" => Some(1),
        _ => None,
    };
    let Term::Computed(by, parts) = scene.ev.terms.get(term) else {
        // `SELECT EXISTS (…)`.
        let row = |access: &Access| {
            let of_read = access.statement.accesses.get(sequence.read_access);
            of_read.is_some_and(|of_read| of_read.aggregate == Some(Aggregate::Exists))
        };
        return !holds && read(term) && scene.access(sequence.read).is_some_and(row);
    };
    match (by.as_str(), &**parts) {
        _ if depth > DEPTH => false,
        ("!", [part]) => says_none(scene, sequence, *part, !holds, depth + 1),
        ("&&", parts) if holds => parts.iter().any(|part| says_none(scene, sequence, *part, true, depth + 1)),
        ("||", parts) if !holds => parts.iter().any(|part| says_none(scene, sequence, *part, false, depth + 1)),
        (by, [left, right]) if read(*left) => match (by, number(*right)) {
            ("==" | "<=", Some(0)) | ("<", Some(1)) => holds,
            ("!=" | ">", Some(0)) | (">=", Some(1)) => !holds,
            _ => false,
        },
        (by, [left, right]) if read(*right) => match (number(*left), by) {
            (Some(0), "==" | ">=") | (Some(1), ">") => holds,
            (Some(0), "!=" | "<") | (Some(1), "<=") => !holds,
            _ => false,
        },
        _ => false,
    }
}

/// A column of the row that a sequence read, and what stands in it.
struct Column<'c, 'a, 'p> {
    scene: &'c Scene<'a, 'p>,
    sequence: &'c Sequence,
    column: &'c Name,
    held: &'c Held,
}

impl Column<'_, '_, '_> {
    /// Whether all that a condition asks is that something is in the column where the write happens.
    fn is_needed(&self, cond: &Cond, write: &Event) -> bool {
        let Term::Exists(of) = self.scene.ev.terms.get(without_not(self.scene, cond.term)) else { return false };
        self.is_it(*of) && lacks(cond, write) == Some(false)
    }

    /// The conditions on it.
    fn asked_by(&self) -> impl Iterator<Item = CondId> {
        let on_it = |check: &&Check| matches!(&check.looks_at, LooksAt::Column(column) if column == self.column);
        self.sequence.checks.iter().filter(on_it).filter_map(|check| check.cond)
    }

    /// In: how the condition came out, where that is known.
    fn turns_away(&self, cond: &Cond, write: &Event, holds: Option<bool>) -> bool {
        let asked = without_not(self.scene, cond.term);
        if let Term::Exists(of) = self.scene.ev.terms.get(asked)
            && self.is_it(*of)
        {
            return lacks(cond, write).is_some_and(|lacks| lacks != (*self.held == Held::Null));
        }
        holds.is_some_and(|holds| self.contradicts(cond.term, holds, 0))
    }

    /// Whether a test cannot come out so.
    fn contradicts(&self, term: TermId, holds: bool, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        if self.is_it(term) {
            return matches!(self.held, Held::Constant(value) if value == if holds { "false" } else { "true" });
        }
        match self.scene.ev.terms.get(term) {
            Term::Computed(by, parts) => match (by.as_str(), &**parts) {
                ("!", [part]) => self.contradicts(*part, !holds, depth + 1),
                ("&&", parts) if holds => parts.iter().any(|part| self.contradicts(*part, true, depth + 1)),
                ("||", parts) if !holds => parts.iter().any(|part| self.contradicts(*part, false, depth + 1)),
                ("==", [left, right]) => self.compared(*left, *right) == Some(!holds),
                ("!=", [left, right]) => self.compared(*left, *right) == Some(holds),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a test that comes out so says of the column that it is none of some constants, and no more.
    fn differs(&self, term: TermId, holds: bool, found: &mut Vec<Name>, depth: usize) -> bool {
        if self.is_it(term) {
            found.push(Name::new(if holds { "false" } else { "true" }));
            return true;
        }
        // By itself it does not say which of the two was asked; as a part of a condition it does.
        if let Term::Exists(of) = self.scene.ev.terms.get(term)
            && self.is_it(*of)
            && holds
            && depth > 0
            && self.may_be_null()
        {
            found.extend([Name::new("NULL"), Name::new("none")]);
            return true;
        }
        // What is asked beside it, of something else, comes out as it does whatever the column holds.
        let all = |parts: &[TermId], holds: bool, found: &mut Vec<Name>| {
            let mut own = parts.iter().filter(|part| self.stands_in(**part, 0)).peekable();
            own.peek().is_some() && own.all(|part| self.differs(*part, holds, found, depth + 1))
        };
        let Term::Computed(by, parts) = self.scene.ev.terms.get(term) else { return false };
        match (by.as_str(), &**parts) {
            _ if depth > DEPTH => false,
            ("!", [part]) if depth > 0 || !matches!(self.scene.ev.terms.get(*part), Term::Exists(_)) => {
                self.differs(*part, !holds, found, depth + 1)
            }
            ("&&", parts) if holds => all(parts, true, found),
            ("||", parts) if !holds => all(parts, false, found),
            ("==" | "!=", [left, right]) if holds == (by == "!=") => {
                let with = if self.is_it(*left) { right } else { left };
                let Term::Literal(with) = self.scene.ev.terms.get(*with) else { return false };
                found.push(with.clone());
                self.is_it(*left) || self.is_it(*right)
            }
            _ => false,
        }
    }

    /// Whether the schema says that the column may hold nothing.
    fn may_be_null(&self) -> bool {
        let table = self.scene.table_of(self.sequence).and_then(|table| self.scene.schema.table(table));
        let mut columns = table.into_iter().flat_map(|table| &table.columns);
        columns.any(|def| def.name == *self.column && def.nullable)
    }

    fn is_asked(&self, cond: CondId, depth: usize) -> bool {
        let cond = self.scene.ev.cond(cond);
        self.stands_in(cond.term, 0) || depth < DEPTH && cond.inner.iter().any(|inner| self.is_asked(*inner, depth + 1))
    }

    /// Whether the column is a part of a value, outside of records.
    fn stands_in(&self, term: TermId, depth: usize) -> bool {
        let any = |parts: &[TermId]| parts.iter().any(|part| self.stands_in(*part, depth + 1));
        if depth > DEPTH || self.is_it(term) {
            return true;
        }
        match self.scene.ev.terms.get(term) {
            Term::Computed(by, _) if is_record(by) => false,
            Term::Computed(_, parts) | Term::Either(parts) => any(parts),
            Term::Exists(of) => self.stands_in(*of, depth + 1),
            // The row as a whole.
            Term::Row(read) => *read == self.sequence.read,
            _ => false,
        }
    }

    /// Whether a value grows with the column, 1, falls, -1, or stays, 0; none where it is not known.
    fn slope(&self, term: TermId, depth: usize) -> Option<i8> {
        let of_read = |term: TermId| self.scene.origins(term).iter().any(|origin| origin.event == self.sequence.read);
        if depth > DEPTH {
            return None;
        }
        if !of_read(term) {
            return Some(0);
        }
        if self.is_it(term) {
            return Some(1);
        }
        let all = |parts: &[TermId]| self.slopes(parts, depth);
        let difference = |parts: &[TermId]| match parts {
            [left, right] => one_way([self.slope(*left, depth + 1)?, -self.slope(*right, depth + 1)?]),
            _ => None,
        };
        match self.scene.ev.terms.get(term) {
            Term::Either(parts) => all(parts),
            Term::Exists(part) if self.is_it(*part) => Some(0),
            Term::Field(of, _) if !matches!(self.scene.ev.terms.get(*of), Term::Row(_)) => None,
            // Another column of the row.
            Term::Field(..) => Some(0),
            Term::Computed(by, parts) => match by.rsplit("::").next().unwrap_or(by) {
                "&&" | "||" | "+" | "max" | "min" | "add" | "checked_add" | "saturating_add" => all(parts),
                "!" | "elapsed" => Some(-all(parts)?),
                ">" | ">=" | "-" | "sub" | "checked_sub" | "saturating_sub" => difference(parts),
                "duration_since" | "signed_duration_since" | "since" => difference(parts),
                "<" | "<=" => Some(-difference(parts)?),
                by if is_another_form(by) => all(parts),
                _ => None,
            },
            _ => None,
        }
    }

    fn slopes(&self, parts: &[TermId], depth: usize) -> Option<i8> {
        let each: Option<Vec<i8>> = parts.iter().map(|part| self.slope(*part, depth + 1)).collect();
        one_way(each?)
    }

    /// Whether the column is what it is compared with.
    fn compared(&self, left: TermId, right: TermId) -> Option<bool> {
        let with = if self.is_it(left) {
            right
        } else if self.is_it(right) {
            left
        } else {
            return None;
        };
        match (self.scene.ev.terms.get(with), self.held) {
            (Term::Literal(with), Held::Constant(held)) => Some(same(with, held)),
            (Term::Literal(_), Held::Null) => Some(false),
            _ => None,
        }
    }

    /// Whether the event stands in arms of a match on the column, none of which is for what it holds.
    ///
    /// In: the conditions by which called functions have not refused.
    fn no_arm_leads_to(&self, event: &Event, answered: &[CondId]) -> bool {
        let Held::Constant(held) = self.held else { return false };
        event.path.0.iter().copied().chain(not_refused(self.scene.ev, answered)).any(|(branch, taken)| {
            let mut switches = self.scene.switches(branch).iter().filter(|switch| self.is_it(switch.on));
            switches.any(|switch| {
                let takes = switch.arms_for(|name| same(name, held));
                takes != 0 && taken & takes == 0
            })
        })
    }

    /// Whether a term is the column, as this read or its like for another engine gave it.
    fn is_it(&self, term: TermId) -> bool {
        let scene = self.scene;
        let term = decoded(&scene.ev.terms, term);
        if !matches!(scene.ev.terms.get(term), Term::Field(..) | Term::Either(_)) {
            return false;
        }
        let origins = scene.origins(term);
        let own = origins.iter().find(|origin| origin.event == self.sequence.read).filter(|origin| {
            let read = scene.access(origin.event).map(|read| &read.statement);
            let column = LooksAt::Column(self.column.clone());
            matches!(origin.part, Part::Column(_))
                && read.is_some_and(|read| scene.looks_at(read, &origin.part, false) == column)
        });
        own.is_some_and(|own| origins.iter().all(|origin| !origin.computed && origin.part == own.part))
    }
}

/// What is tested, whichever way it is to come out.
fn without_not(scene: &Scene<'_, '_>, term: TermId) -> TermId {
    let mut asked = term;
    while let Term::Computed(by, parts) = scene.ev.terms.get(asked)
        && let ("!", [part]) = (by.as_str(), &**parts)
    {
        asked = *part;
    }
    asked
}

/// The way in which all go that go any.
fn one_way(each: impl IntoIterator<Item = i8>) -> Option<i8> {
    let mut way = 0;
    for one in each.into_iter().filter(|one| *one != 0) {
        if way != 0 && way != one {
            return None;
        }
        way = one;
    }
    Some(way)
}

/// Whether a call gives a time or a span of time in another form or unit.
fn is_another_form(by: &str) -> bool {
    by.starts_with("num_")
        || by.starts_with("whole_")
        || by.starts_with("as_")
        || by.starts_with("timestamp")
        || by.starts_with("unwrap_or")
        || matches!(by, "and_utc" | "with_timezone" | "unix_timestamp" | "naive_utc" | "into" | "from" | "clone")
}

/// Whether two names are of one constant; a variant may be written with its enum or without, a truth as a number.
pub fn same(one: &str, other: &str) -> bool {
    let last = |name: &str| match name.rsplit("::").next().unwrap_or_default() {
        "1" => "true".to_owned(),
        "0" => "false".to_owned(),
        name => name.to_owned(),
    };
    last(one) == last(other)
}

/// Whether a condition of a statement on one column finds a row that holds this in it; none where that is not known.
pub fn finds(scene: &Scene<'_, '_>, access: &Access, predicate: &Predicate, held: &Held) -> Option<bool> {
    let terms = &scene.ev.terms;
    let constant = |value: &Operand| access.constant(terms, value);
    let is_held = |value: &Operand| is_found_by(Compare::Eq, constant(value).as_ref(), held);
    match (predicate.op, &predicate.value) {
        (Compare::In, Operand::Expr { parts, .. }) if parts.iter().any(|part| is_held(part) == Some(true)) => {
            Some(true)
        }
        (Compare::In, value) => {
            let all = access.constants(terms, value)?;
            let found = all.iter().map(|asked| is_found_by(Compare::Eq, Some(asked), held));
            found.collect::<Option<Vec<_>>>().map(|found| found.contains(&true))
        }
        (Compare::Other, Operand::Expr { text, parts }) if text == "or" => {
            let way = |part: &Operand| match part {
                Operand::Expr { text, parts } if text == "=" => parts.iter().any(|part| is_held(part) == Some(true)),
                _ => false,
            };
            parts.iter().any(way).then_some(true)
        }
        (op, value) => is_found_by(op, constant(value).as_ref(), held),
    }
}

/// What a comparison of a statement's filter leaves of a column that holds this: none where it is not known.
fn is_found_by(op: Compare, asked: Option<&Name>, held: &Held) -> Option<bool> {
    match (op, held) {
        (Compare::IsNull, held) => Some(*held == Held::Null),
        (Compare::IsNotNull, held) => Some(*held != Held::Null),
        (Compare::Eq, Held::Constant(held)) => asked.map(|asked| asked == held),
        (Compare::Ne, Held::Constant(held)) => asked.map(|asked| asked != held),
        (Compare::Eq | Compare::Ne, Held::Null) => Some(false),
        _ => None,
    }
}
