//! A later look that decides: what was read first only chose the message, and a locked read or a guarded write that
//! stands between has the last word.

use crate::event::{Access, Event, EventId, EventKind};
use crate::flow::clock::is_of_clock;
use crate::flow::term::{Origin, Part, Term, TermId, Terms};
use crate::lower::tree::Name;
use crate::protect::{Protection, Shape, Verdict, by_engine, guard};
use crate::race::index::Kind;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::race::side::{self, Held};
use crate::race::{LooksAt, Sequence, alternatives, counted, dependency};
use crate::sql::statement::{
    Access as TableAccess, Action, Assignment, Compare, ConflictAction, Operand, Predicate, Verb,
};

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    compared_again(scene, sequence).or_else(|| decided_later(scene, sequence))
}

/// The same row is read again under a lock, and compared with what was read first: who finds it changed is refused.
///
/// All that the write depends on must be compared, or a column that the write itself moves: a version, a turn.
fn compared_again(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    let write = scene.event(sequence.write)?;
    let target = write.target()?;
    let terms = &scene.ev.terms;
    let conds = scene.conditions(&write.deps);
    let compared = |other: &Sequence| -> Vec<&Name> {
        let pair = |one: TermId, two: TermId| {
            let (first, later) = (columns_of(terms, one), columns_of(terms, two));
            let first = first.into_iter().find(|(event, _)| *event == sequence.read)?;
            let [(event, column)] = later.as_slice() else { return None };
            (*event == other.read && first.1 == *column).then_some(first.1)
        };
        let conds = conds.iter().flat_map(|cond| scene.ev.cond(*cond).compares.iter());
        let same = conds.filter(|compare| matches!(compare.op, Compare::Eq | Compare::Ne));
        same.filter_map(|it| pair(it.left, it.right).or_else(|| pair(it.right, it.left))).collect()
    };
    let used =
        sequence.values.iter().map(|value| &value.from).chain(sequence.checks.iter().map(|check| &check.looks_at));
    let used: Vec<&Name> =
        used.filter_map(|part| if let LooksAt::Column(column) = part { Some(column) } else { None }).collect();
    let holds = |columns: &[&Name]| {
        let moved = |column: &&Name| dependency::written(target).any(|set| set.column == **column);
        !columns.is_empty() && (columns.iter().any(moved) || used.iter().all(|column| columns.contains(column)))
    };
    let others = scene.sequences(write);
    let later = others.iter().filter(|other| scene.place(other.read) > scene.place(sequence.read));
    later
        .filter(|other| other.relation == Relation::SameRow && holds(&compared(other)))
        .find(|other| matches!(scene.verdict(other), Verdict::Safe(Protection::RowLock(_))))
        .map(|other| Protection::Rechecked(other.read))
}

/// The columns that a value may be, each with the statement that gave the row.
fn columns_of(terms: &Terms, term: TermId) -> Vec<(EventId, &Name)> {
    let (mut fields, mut found) = (vec![term], Vec::new());
    while let Some(term) = fields.pop() {
        match terms.get(term) {
            Term::Either(parts) => fields.extend(parts.iter()),
            Term::Field(of, column) => {
                let mut rows = vec![*of];
                while let Some(row) = rows.pop() {
                    match terms.get(row) {
                        Term::Either(parts) => rows.extend(parts.iter()),
                        Term::Row(event) => found.push((*event, column)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn decided_later(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    // Of a join nobody knows which table a column is of.
    let tables = &scene.access(sequence.read)?.statement.accesses;
    let changes = |column: &Name| tables.iter().any(|read| scene.rivals.changes(&read.table.name, column));
    let stays = |from: &LooksAt| matches!(from, LooksAt::Column(column) if !changes(column));
    if sequence.values.iter().any(|value| (value.computed || value.is_own()) && !stays(&value.from)) {
        return None;
    }
    let write = scene.event(sequence.write)?;
    let by_write = || {
        let computes = sequence.values.iter().any(|value| value.computed);
        (!computes).then(|| earlier_write(scene, sequence, write)).flatten()
    };
    later_read(scene, sequence, write)
        .or_else(|| counted_again(scene, sequence, write))
        .or_else(by_write)
        .or_else(|| moved_on(scene, sequence, write))
}

/// The same row is read again, under a lock or otherwise safely, and its columns decide.
fn later_read(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> Option<Protection> {
    let first = scene.access(sequence.read)?.statement.accesses.get(sequence.read_access)?;
    let wanted = sequence.checked_columns();
    let only_presence = dependency::only_existence(sequence);
    let of_set = matches!(sequence.relation, Relation::NewRowOfSet | Relation::RowOfSet);
    for other in scene.sequences(write).iter() {
        if scene.place(other.read) <= scene.place(sequence.read) || other.checks.is_empty() {
            continue;
        }
        let Some(access) = scene.access(other.read).and_then(|access| access.statement.accesses.get(other.read_access))
        else {
            continue;
        };
        if access.table.name != first.table.name
            || sequence.checks_aggregate() && !other.checks_aggregate()
            || dependency::only_existence(other) && !only_presence
        {
            continue;
        }
        let same_set =
            !of_set || asks_for_all(scene, (scene.access(sequence.read)?, first), (scene.access(other.read)?, access));
        if same_set
            && covers(scene, other, (&first.table.name, &wanted))
            && matches!(scene.verdict(other), Verdict::Safe(_))
        {
            return Some(Protection::Rechecked(other.read));
        }
    }
    None
}

/// Whether the conditions on a later look ask for all these columns of a table. One that nobody changes needs no second
/// look, nor one that nobody changes without another of which the later look asks.
fn covers(scene: &Scene<'_, '_>, other: &Sequence, (table, wanted): (&Name, &[&Name])) -> bool {
    let asked = other.checked_columns();
    let asks = |column: &&Name| asked.contains(column) || scene.rivals.moves_with(table, column, &asked);
    wanted.is_empty() || other.checks.iter().any(|check| check.looks_at == LooksAt::Row) || wanted.iter().all(asks)
}

/// The rows are counted once more behind the new one, where no second one can be added beside it, and what is too much is
/// rolled back: no commit is come to but by that test.
fn counted_again(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> Option<Protection> {
    if sequence.relation != Relation::NewRowOfSet {
        return None;
    }
    let again = counted::afterwards(scene, write)?;
    let (read, later) = (scene.access(sequence.read)?, scene.access(again.read)?);
    let counts = (read.statement.accesses.get(sequence.read_access)?, later.statement.accesses.get(again.read_access)?);
    if counts.0.table.name != counts.1.table.name || !asks_for_all(scene, (read, counts.0), (later, counts.1)) {
        return None;
    }
    let cond = again.checks.iter().find_map(|check| check.cond)?;
    let refuses = scene.ev.cond(cond).decides.is_some_and(|decides| decides.left | decides.refused != 0);
    let mut ends =
        scene.after_of(Kind::Step, again.read).filter(|event| matches!(event.kind, EventKind::Commit)).peekable();
    let tested = ends.peek().is_some() && ends.all(|end| scene.conditions(&end.deps).contains(&cond));
    let held = matches!(by_engine(scene, &again, Shape::Phantom), Verdict::Safe(_));
    (refuses && tested && held).then_some(Protection::Rechecked(again.read))
}

/// Whether a later look looks at every row that the first one looked at: it asks for nothing that the first did not ask for.
fn asks_for_all(scene: &Scene<'_, '_>, first: (&Access, &TableAccess), later: (&Access, &TableAccess)) -> bool {
    // Who found the whole table empty went one of several ways; the look at the key decides on it.
    let whole = first.1.filter.is_empty();
    whole
        || later.1.filter.iter().all(|predicate| {
            first.1.filter.iter().any(|known| {
                known.columns == predicate.columns
                    && known.op == predicate.op
                    && scene.same_value((first.0, &known.value), (later.0, &predicate.value)) != Some(false)
            })
        })
}

/// An earlier write, itself protected against the same read, decides whether this one happens.
fn earlier_write(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> Option<Protection> {
    let deciding = scene.deciding(write);
    let after = deciding.partition_point(|id| scene.place(*id) <= scene.place(sequence.read));
    let by_error =
        scene.between_of(Kind::Write, sequence.read, sequence.write).filter(|event| event.does(Action::Insert));
    for id in deciding[after..].iter().copied().chain(by_error.map(|event| event.id)) {
        let Some(event) = scene.event(id) else { continue };
        let Some(access) = event.access() else { continue };
        if access.statement.verb == Verb::Select || access.statement.target().is_none() || id == sequence.write {
            continue;
        }
        if !is_never_missed(scene, sequence, event, write) {
            continue;
        }
        if decides_once(scene, sequence, event) || guard::gives_up_what_was_asked_by(scene, sequence, event.id) {
            return Some(Protection::Rechecked(id));
        }
        if let Some(
            Protection::Guard
            | Protection::CompareAndSet
            | Protection::UniqueKey(_)
            | Protection::UniqueKeyInTransaction(_),
        ) = protected_before(scene, sequence, event)
        {
            return Some(Protection::Rechecked(id));
        }
    }
    None
}

/// Whether nobody comes to the write without passing an earlier one, but who was led elsewhere by the very read. A row that is
/// made where there was none says nothing of what those found who went on with theirs.
pub(super) fn is_never_missed(scene: &Scene<'_, '_>, sequence: &Sequence, earlier: &Event, write: &Event) -> bool {
    let of_others = || !dependency::only_existence(sequence) && scene.found_nothing(sequence.read, earlier);
    // Or whoever takes the other arm leaves with it.
    let settled = |branch: u32, arms: u64| {
        scene.conditions(&earlier.deps).iter().map(|cond| scene.ev.cond(*cond)).any(|cond| {
            let of_read = || scene.origins(cond.term).iter().any(|origin| origin.event == sequence.read);
            let decides = cond.decides.filter(|by| by.branch == branch);
            decides.is_some_and(|by| by.is_if && (arms | by.left) & 0b11 == 0b11 || of_read() && !of_others())
        })
    };
    earlier.path.0.iter().all(|(branch, arms)| {
        write.path.arms_of(*branch).is_some_and(|taken| taken & !arms == 0) || settled(*branch, *arms)
    })
}

/// What protects an earlier write of the row that was read against the same read. A condition that looks at columns is only
/// covered by a write that was safe on them.
fn protected_before(scene: &Scene<'_, '_>, sequence: &Sequence, earlier: &Event) -> Option<Protection> {
    let earlier = scene.sequences(earlier).iter().find(|other| other.read == sequence.read).cloned()?;
    let rows = matches!(earlier.relation, Relation::SameRow | Relation::LikelySameRow | Relation::NewRowOfSet);
    if !rows || earlier.checks.is_empty() {
        return None;
    }
    match scene.verdict(&earlier) {
        Verdict::Safe(by) => Some(by),
        Verdict::Racy { .. } => None,
    }
}

/// An earlier write that every run comes past takes the row out of what is looked for, while nobody else can look, or so
/// that whoever looked at the same time is refused.
fn moved_on(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> Option<Protection> {
    let mut between = scene.between_of(Kind::Write, sequence.read, sequence.write);
    let moves = |event: &&Event| {
        event.access().is_some_and(|access| moves_on(scene, sequence, access))
            && always_before(scene, sequence, event, write)
            && protected_before(scene, sequence, event).is_some_and(|by| match by {
                Protection::Idempotent | Protection::NoRival => false,
                // Who came second knows it, and must not go on.
                Protection::Guard | Protection::CompareAndSet => {
                    event.access().is_some_and(|access| access.row_required)
                        || scene.deciding(write).contains(&event.id)
                }
                _ => true,
            })
    };
    between.find(moves).map(|event| Protection::MovedOn(event.id))
}

/// Whether every run that finds the row and comes to the write has come past an earlier one.
fn always_before(scene: &Scene<'_, '_>, sequence: &Sequence, earlier: &Event, write: &Event) -> bool {
    let known = scene.conditions(&write.deps);
    let found = |origin: &Origin| origin.event == sequence.read && origin.part == Part::Existence;
    // Whoever finds none passes nothing, and puts a row there all the same.
    let also_without = write.does(Action::Insert)
        && sequence.relation == Relation::NewRowOfSet
        && scene.found_something(sequence.read, earlier)
        && !scene.found_something(sequence.read, write)
        && !scene.access(sequence.read).is_some_and(|read| read.row_required);
    alternatives::one_run_passes(scene, earlier, write)
        && !scene.found_nothing(sequence.read, write)
        && !also_without
        && scene.conditions(&earlier.deps).iter().all(|cond| {
            let origins = scene.origins(scene.ev.cond(*cond).term);
            known.binary_search(cond).is_ok() || !origins.is_empty() && origins.iter().all(found)
        })
}

/// Whether a write takes the row out of what is looked for: it is deleted, or a column gets a value by which the read does
/// not find the row, or with which the conditions lead elsewhere.
fn moves_on(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Access) -> bool {
    let Some(read) = scene.access(sequence.read) else { return false };
    let Some(found) = read.statement.accesses.get(sequence.read_access) else { return false };
    let Some(target) = write.statement.target().filter(|target| target.table.name == found.table.name) else {
        return false;
    };
    let moves = |set: &Assignment| {
        let Some(held) = held(scene, write, &set.value) else { return false };
        let on_it = |predicate: &&Predicate| matches!(predicate.columns.as_slice(), [column] if *column == set.column);
        let mut asked = found.filter.iter().filter(on_it);
        let lost = asked.any(|predicate| side::finds(scene, read, predicate, &held) == Some(false));
        lost || side::keeps_out(scene, sequence, &set.column, &held)
    };
    target.action == Action::Delete || target.action == Action::Update && target.sets.iter().any(moves)
}

/// What a column holds after it was given a value.
pub fn held(scene: &Scene<'_, '_>, write: &Access, value: &Operand) -> Option<Held> {
    match value {
        Operand::Null => Some(Held::Null),
        // `now()`
        Operand::Expr { parts, .. } if parts.is_empty() => Some(Held::Something),
        _ if write.bound(value).is_some_and(|term| is_of_clock(&scene.ev.terms, term)) => Some(Held::Something),
        // An option that is none is written as the text `none` would be.
        _ => write.constant(&scene.ev.terms, value).filter(|value| value != "none").map(Held::Constant),
    }
}

/// An insert that can happen once for the row that was read: a unique key of its table is made of values of that row or that
/// it was asked for by, and of what is the same for all requests.
pub fn decides_once(scene: &Scene<'_, '_>, sequence: &Sequence, event: &Event) -> bool {
    let Some(access) = event.access() else { return false };
    let Some(target) = access.statement.target() else { return false };
    let refuses = match target.conflict.as_ref().map(|conflict| &conflict.action) {
        None => true,
        Some(ConflictAction::Nothing) => scene.outcome_used(event.id),
        Some(_) => false,
    };
    let Some(table) = scene.schema.table(&target.table.name) else { return false };
    if target.action != Action::Insert || !refuses {
        return false;
    }
    // Whatever is computed from the row alone is the same for all who read that row.
    let of_row = |column: &Name| {
        target.sets.iter().filter(|set| set.column == *column).any(|set| {
            scene.terms_in(access, &set.value).iter().any(|term| {
                scene.origins(*term).iter().any(|origin| origin.event == sequence.read)
                    && !is_made_up(scene, *term, &mut 200)
            })
        })
    };
    let handed_in = |column: &Name| {
        target
            .sets
            .iter()
            .filter(|set| set.column == *column)
            .any(|set| scene.terms_in(access, &set.value).iter().any(|term| asked_for(scene, sequence, *term)))
    };
    let constant = |column: &Name| {
        target.sets.iter().filter(|set| set.column == *column).any(|set| matches!(set.value, Operand::Literal(_)))
    };
    let told = |column: &Name| of_row(column) || handed_in(column);
    table.keys().any(|key| key.iter().any(told) && key.iter().all(|column| told(column) || constant(column)))
}

/// Whether the read was asked for by a value.
fn asked_for(scene: &Scene<'_, '_>, sequence: &Sequence, term: TermId) -> bool {
    let Some(read) = scene.access(sequence.read) else { return false };
    read.statement
        .accesses
        .iter()
        .flat_map(|access| &access.filter)
        .any(|predicate| scene.terms_in(read, &predicate.value).contains(&term))
}

/// Whether something that differs from request to request is in a value: a new id, the time. A list that was empty
/// before the row was put into it is none. `left` bounds how many parts are looked at.
fn is_made_up(scene: &Scene<'_, '_>, term: TermId, left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return true;
    }
    match scene.ev.terms.get(term) {
        Term::Fresh(_) => true,
        Term::Either(parts) => parts.iter().all(|part| is_made_up(scene, *part, left)),
        Term::Computed(_, parts) => parts.iter().any(|part| is_made_up(scene, *part, left)),
        Term::Field(of, _) | Term::Exists(of) => is_made_up(scene, *of, left),
        _ => false,
    }
}
