//! Constraints of the schema: a unique key, a CHECK, a foreign key.

use crate::event::{Access, CondId, Event, EventId, EventKind};
use crate::flow::clock::is_of_clock;
use crate::flow::random::is_by_chance;
use crate::flow::term::{Origin, Params, Term, TermId};
use crate::lower::tree::Name;
use crate::protect::meant::{self, Compared};
use crate::protect::{Protection, WhyNot, bounds, digest, isolation, letters, next_key, uncovered};
use crate::race::index::Kind;
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, dependency, transaction, upsert};
use crate::sql::schema::{Check, TableDef};
use crate::sql::statement::{
    Access as TableAccess, Action, Assignment, Compare, ConflictAction, ConflictTarget, Operand, Predicate, Statement,
};

pub(super) fn protects(scene: &Scene<'_, '_>, sequence: &Sequence, tried: &mut Vec<WhyNot>) -> Option<Protection> {
    let access = scene.access(sequence.write)?;
    let target = access.statement.target()?;
    unique_key(scene, sequence, access, target, tried)
        .or_else(|| unique_in_transaction(scene, sequence))
        .or_else(|| check(scene, sequence, target))
        .or_else(|| foreign_key(scene, sequence, target))
}

/// The unique key that refuses a second row with the values that were asked for.
///
/// In: an insert and the read that asked for such a row. The key's columns must be among those that the read compared
/// with the inserted values.
pub fn covering_key(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> Option<Vec<Name>> {
    let table = scene.schema.table(&write.1.table.name)?;
    let only = |column: &Name| uncovered::is_of_the_only_row(scene, read.1, write, column);
    let asked = |column: &Name| asks_for(&read.0.statement, read.1, column) || only(column);
    // What an UPDATE leaves as it is, the row has already.
    let has_all = write.1.sets.is_empty() || write.1.action == Action::Update;
    let given = |column: &Name| has_all || write.1.sets.iter().any(|set| set.column == *column) || only(column);
    // A value that is drawn is there only where it was asked for; one way of several asks for nothing.
    let named = |column: &Name, predicate: &Predicate| {
        matches!(predicate.op, Compare::Eq | Compare::In)
            && predicate.columns.as_slice() == std::slice::from_ref(column)
    };
    let new = |column: &Name| {
        !read.1.filter.iter().any(|predicate| named(column, predicate))
            && is_drawn_anew(scene, write.0, write.1, std::slice::from_ref(column))
    };
    let fits = |key: &[Name]| {
        !key.is_empty()
            && key.iter().all(|column| asked(column) && given(column) && !new(column))
            && !uncovered::holds_nothing(scene, table, key, read, write)
            && !letters::open(scene, table, key, read, write)
    };
    let full = table.keys().find(|key| fits(key)).map(<[Name]>::to_vec);
    let partial = || {
        table
            .uniques
            .iter()
            .find(|unique| fits(&unique.columns) && !uncovered::lies_outside(scene, unique, read, write))
    };
    full.or_else(|| partial().map(|unique| unique.columns.clone()))
        .or_else(|| table.excludes.iter().find(|columns| columns.iter().any(&asked)).cloned())
        .or_else(|| next_key::computed(scene, read, write, table))
        .or_else(|| digest::key(scene, read, write, table))
}

/// The columns that a key holds beside what was asked for, where that is the only key over it: with other values there the
/// second row is not refused, with the same ones it is.
///
/// In: an insert of a row that was found missing, and no key refuses. Out: columns whose values a request brings.
pub fn differing(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Vec<Name>> {
    let (read, write) = (scene.access(sequence.read)?, scene.access(sequence.write)?);
    let (reads, target) = (read.statement.accesses.get(sequence.read_access)?, write.statement.target()?);
    let table = scene.schema.table(&target.table.name).filter(|_| target.conflict.is_none())?;
    let asked: Vec<&Name> = reads.filter.iter().flat_map(|predicate| &predicate.columns).collect();
    let brought = |column: &Name| {
        let given = target.sets.iter().find(|set| set.column == *column);
        let term = given.and_then(|set| write.bound(&set.value));
        term.is_some_and(|term| scene.ev.terms.params(term) != Params::default() && !is_of_clock(&scene.ev.terms, term))
    };
    let within = |key: &&[Name]| !asked.is_empty() && asked.iter().all(|column| key.contains(column));
    let beside = |key: &[Name]| -> Vec<Name> { key.iter().filter(|column| !asked.contains(column)).cloned().collect() };
    table.keys().filter(within).map(beside).find(|beside| !beside.is_empty() && beside.iter().all(brought))
}

/// Whether a read asks for rows with one value of a column.
pub(super) fn asks_for(statement: &Statement, read: &TableAccess, column: &Name) -> bool {
    read.filter.iter().any(|predicate| {
        predicate.columns.contains(column)
            && !matches!(predicate.op, Compare::Ne | Compare::NotIn | Compare::IsNotNull)
            && !is_coarser(predicate)
            && !is_of_any_row(statement, predicate)
    })
}

/// `ON seat.plane = plane.id`, `plane IN (SELECT id FROM plane)`: whether a condition holds a column only to what some row
/// of another table has, whichever that is.
fn is_of_any_row(statement: &Statement, predicate: &Predicate) -> bool {
    let is_value = |part: &Operand| match part {
        Operand::Literal(text) => !matches!(text.as_str(), "true" | "false"),
        other => matches!(other, Operand::Placeholder(_) | Operand::Named(_) | Operand::Unknown),
    };
    let brings = |operand: &Operand| {
        let mut found = false;
        operand.walk(&mut |part| found |= is_value(part));
        found
    };
    let pinned = |access: &TableAccess| access.filter.iter().any(|predicate| brings(&predicate.value));
    match &predicate.value {
        Operand::Column { table: Some(other), .. } => {
            let named =
                |access: &&TableAccess| [Some(&access.table.name), access.table.alias.as_ref()].contains(&Some(other));
            statement.accesses.iter().find(named).is_some_and(|access| !pinned(access))
        }
        Operand::Subquery(parts) => !parts.iter().any(brings),
        _ => false,
    }
}

/// The unique key that refuses a second row, where whoever comes there inserts the same into the columns that the read did
/// not ask for: a constant, what the read asked for elsewhere, what the program itself has looked for among the rows, or
/// nothing, since the way to the read leaves nothing for them.
fn alike_key(
    scene: &Scene<'_, '_>,
    (sequence, table): (&Sequence, &TableDef),
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> Option<Vec<Name>> {
    let event = scene.event(sequence.read)?;
    let nullable = |column: &Name| table.columns.iter().any(|def| def.name == *column && def.nullable);
    let sought = read.1.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
    let sought: Vec<TermId> = sought.filter_map(|predicate| read.0.bound(&predicate.value)).collect();
    let blank = |set: &Assignment| {
        // Of a column that may be NULL each row has a value of its own.
        !nullable(&set.column) && write.0.bound(&set.value).is_some_and(|term| scene.is_blank(term, event))
    };
    let constant = |set: &Assignment| {
        let text = write.0.constant(&scene.ev.terms, &set.value);
        // Nothing that stands in a column.
        text.is_some_and(|text| !matches!(text.as_str(), "NULL" | "none" | "()" | "never"))
    };
    let of_read = |set: &Assignment| {
        write.0.bound(&set.value).is_some_and(|term| sought.contains(&term) || follows(scene, sequence, term, &sought))
    };
    let alike = |column: &Name| {
        let mut given = write.1.sets.iter().filter(|set| set.column == *column);
        given.next().is_some_and(|set| blank(set) || constant(set) || of_read(set)) && given.next().is_none()
    };
    let given = |column: &Name| write.1.sets.iter().any(|set| set.column == *column);
    let asked = |column: &Name| asks_for(&read.0.statement, read.1, column);
    let compared = Compared::of(scene, sequence);
    let looked_for = |column: &Name| asked(column) || compared.with_given(column, write);
    let fits = |column: &Name| given(column) && (looked_for(column) || alike(column));
    let found = |key: &&[Name]| {
        key.iter().any(looked_for)
            && key.iter().all(fits)
            && !uncovered::holds_nothing(scene, table, key, read, write)
            && !letters::open(scene, table, key, read, write)
    };
    table.keys().find(found).map(<[Name]>::to_vec)
}

/// Whether a value is read elsewhere by nothing but constants and what was sought, out of rows that nobody gives other values:
/// whoever seeks the same reads the same there.
fn follows(scene: &Scene<'_, '_>, sequence: &Sequence, term: TermId, sought: &[TermId]) -> bool {
    let (terms, origins) = (&scene.ev.terms, scene.origins(term));
    let [origin] = &*origins else { return false };
    let Some(access) = scene.access(origin.event).filter(|_| origin.event != sequence.read && !origin.computed) else {
        return false;
    };
    let [read] = access.statement.accesses.as_slice() else { return false };
    let LooksAt::Column(column) = scene.looks_at(&access.statement, &origin.part, false) else { return false };
    // `format!("flag/{code}")` is another text for each code.
    let named_by = |whole: TermId, part: TermId| match terms.get(whole) {
        Term::Computed(by, parts) if by == "format" => {
            let mut varying = parts.iter().filter(|part| !terms.is_constant(**part));
            varying.next().is_some_and(|one| scene.plain(*one) == part) && varying.next().is_none()
        }
        _ => whole == part,
    };
    let known = |predicate: &Predicate| {
        let asked = access.bound(&predicate.value).map(|term| scene.plain(term));
        let fixed = scene.ev.is_fixed(access, &predicate.value);
        fixed || asked.is_some_and(|asked| sought.iter().any(|whole| named_by(scene.plain(*whole), asked)))
    };
    let stays = |column: &Name| !scene.rivals.changes(&read.table.name, column);
    let named =
        |predicate: &Predicate| predicate.op == Compare::Eq && predicate.columns.iter().all(stays) && known(predicate);
    read.action == Action::Read
        && read.aggregate.is_none()
        && (read.limit.is_none() && !read.filter.is_empty() || rows::asked_by_key(scene, read))
        && read.filter.iter().all(named)
        && stays(&column)
}

/// Whether more than one value of a column fits a condition, which a key over the column takes for different ones: a range,
/// a part of a time.
fn is_coarser(predicate: &Predicate) -> bool {
    const PARTS: [&str; 8] = ["date", "date_trunc", "date_part", "extract", "strftime", "year", "month", "day"];
    let Operand::Expr { text, parts } = &predicate.value else {
        return matches!(predicate.op, Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge);
    };
    let of_part =
        |part: &Operand| matches!(part, Operand::Expr { text, .. } if PARTS.contains(&text.trim_end_matches("()")));
    match predicate.op {
        Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge => true,
        Compare::Other => matches!(text.as_str(), "<" | "<=" | ">" | ">=") || parts.iter().any(of_part),
        _ => false,
    }
}

fn unique_key(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    access: &Access,
    target: &TableAccess,
    tried: &mut Vec<WhyNot>,
) -> Option<Protection> {
    let adds = matches!(target.action, Action::Insert | Action::Update);
    if !adds || sequence.relation != Relation::NewRowOfSet {
        return None;
    }
    if let Some(key) = next_key::after_the_last(scene, sequence, (access, target)) {
        return Some(Protection::UniqueKey(key));
    }
    if sequence.checks_aggregate() && sequence.values.is_empty() {
        // A key says "at most one", not "at most n".
        return None;
    }
    let read = scene.access(sequence.read)?;
    let table = read.statement.accesses.get(sequence.read_access)?;
    let key = covering_key(scene, (read, table), (access, target)).or_else(|| {
        let of = (sequence, scene.schema.table(&target.table.name)?);
        alike_key(scene, of, (read, table), (access, target))
    });
    if let Some(open) = uncovered::way(scene, (read, table), (access, target)) {
        tried.push(open);
        return None;
    }
    let Some(key) = key else {
        let asked = table.filter.iter().flat_map(|predicate| predicate.columns.iter().cloned());
        let meant = meant::beside(scene, sequence).map(|beside| asked.chain(beside).collect());
        let meets = || !meets_another(scene, sequence) && !meant::meets_no_rival(scene, sequence);
        tried.push(if overwrites(scene, access, target) && meets() {
            WhyNot::ConflictOverwrites
        } else if let Some(key) = letters::key_of_one_case(scene, (read, table), (access, target)) {
            WhyNot::OneCase(key)
        } else {
            WhyNot::NoUniqueKey(meant.unwrap_or_default())
        });
        return None;
    };
    if isolation::refuses_unseen(scene, sequence) {
        return Some(Protection::UniqueKey(key));
    }
    let answered = |same: bool, tried: &mut Vec<WhyNot>| {
        let looked_at = || scene.outcome_used(sequence.write) && !takes_id_for_granted(scene, sequence.write);
        if same || looked_at() || !matters_after(scene, sequence) {
            return Some(Protection::UniqueKey(key.clone()));
        }
        tried.push(WhyNot::OutcomeUnread);
        None
    };
    match target.conflict.as_ref().map(|conflict| (&conflict.target, &conflict.action)) {
        None => Some(Protection::UniqueKey(key)),
        Some((arbiter, ConflictAction::Nothing)) => {
            let arbitrates = match arbiter {
                ConflictTarget::Columns(columns) => {
                    columns.iter().all(|column| key.contains(column)) || !columns.is_empty()
                }
                _ => true,
            };
            if !arbitrates {
                return Some(Protection::UniqueKey(key));
            }
            let filled = scene.after_of(Kind::Write, sequence.write).any(|event| fills(scene, sequence, event));
            // Whoever made the same key has the row by it, whether it put it there or not.
            let made = || {
                scene
                    .schema
                    .table(&target.table.name)
                    .and_then(|of| digest::key(scene, (read, table), (access, target), of))
            };
            let same = filled
                || copies(scene, sequence, (read, table), (access, target), &key)
                || made().as_ref() == Some(&key);
            answered(same, tried)
        }
        // The clause is for another key: on this one the second request fails.
        Some((ConflictTarget::Columns(columns), ConflictAction::Update { .. }))
            if !columns.is_empty() && columns.iter().all(|column| !key.contains(column)) =>
        {
            Some(Protection::UniqueKey(key))
        }
        Some(_) if is_new(scene, access, target) => Some(Protection::UniqueKey(key)),
        Some((_, action)) if says_the_same(scene, target, action, &key) => answered(false, tried),
        Some((_, ConflictAction::Update { .. } | ConflictAction::Replace)) => {
            // What was found in a column is written over with it.
            let over_checked = sequence.checks.iter().any(|check| match &check.looks_at {
                LooksAt::Column(column) => dependency::written(target).any(|set| set.column == *column),
                _ => false,
            });
            if sequence.values.is_empty() && !over_checked && !refuses_existing(scene, sequence) {
                return Some(Protection::UniqueKey(key));
            }
            tried.push(WhyNot::ConflictOverwrites);
            None
        }
    }
}

/// Whether all rows of a table were read, and the inserted row has the key of one of them: it is put back.
fn copies(
    scene: &Scene<'_, '_>,
    sequence: &Sequence,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
    key: &[Name],
) -> bool {
    let from_read =
        |column: &Name| dependency::given(scene, write, column).iter().any(|origin| origin.event == sequence.read);
    let whole = read.1.filter.is_empty() && read.1.limit.is_none() && read.1.aggregate.is_none();
    whole && key.iter().all(from_read)
}

/// Whether an upsert meets a key of its table, and writes over what it finds there.
fn overwrites(scene: &Scene<'_, '_>, access: &Access, target: &TableAccess) -> bool {
    let given = |column: &Name| target.sets.iter().any(|set| set.column == *column);
    target.writes_over()
        && scene.schema.table(&target.table.name).is_some_and(|table| table.keys().any(|key| key.iter().all(given)))
        && !is_new(scene, access, target)
}

/// Whether an upsert meets no row, since its key is drawn here.
fn is_new(scene: &Scene<'_, '_>, access: &Access, target: &TableAccess) -> bool {
    upsert::makes_row(scene.schema, target, |value| upsert::is_drawn_here(&scene.ev.terms, access, value))
}

/// Whether the key that an upsert meets its row by has nothing to do with the row that was read: it was asked for by other
/// columns, and the key is neither one of its values nor a constant.
pub fn meets_another(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let (Some(read), Some(write)) = (scene.access(sequence.read), scene.access(sequence.write)) else { return false };
    let Some(reads) = read.statement.accesses.get(sequence.read_access) else { return false };
    let Some(target) = write.statement.target() else { return false };
    let Some(ConflictTarget::Columns(key)) = target.conflict.as_ref().map(|conflict| &conflict.target) else {
        return false;
    };
    let asked = |column: &Name| reads.filter.iter().any(|predicate| predicate.columns.contains(column));
    let own = |origin: &Origin| origin.event == sequence.read && !origin.computed;
    let handed_on = |column: &Name| dependency::given(scene, (write, target), column).iter().any(own);
    let constant = |term: &TermId| matches!(scene.ev.terms.get(*term), Term::Literal(_));
    let made_apart = |column: &Name| {
        let given = target.sets.iter().find(|set| set.column == *column);
        let terms = given.map(|set| scene.terms_in(write, &set.value)).unwrap_or_default();
        !terms.is_empty() && !terms.iter().any(constant) && !handed_on(column)
    };
    !reads.filter.is_empty() && !key.is_empty() && key.iter().all(|column| !asked(column) && made_apart(column))
}

/// Whether a row that is written over stays as it was, since all that is written is its key.
fn says_the_same(scene: &Scene<'_, '_>, target: &TableAccess, action: &ConflictAction, key: &[Name]) -> bool {
    match action {
        ConflictAction::Nothing => false,
        ConflictAction::Update { sets, .. } => !sets.is_empty() && sets.iter().all(|set| key.contains(&set.column)),
        ConflictAction::Replace => scene
            .schema
            .table(&target.table.name)
            .is_some_and(|table| table.columns.iter().all(|column| key.contains(&column.name))),
    }
}

/// Whether something that depends on the same check follows, so that a silent conflict lets it happen twice.
fn matters_after(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let conds: Vec<_> = sequence.checks.iter().filter_map(|check| check.cond).collect();
    let acts = scene.after(sequence.write).any(|event| {
        let acts = match &event.kind {
            crate::event::EventKind::Access(access) => access.statement.writes(),
            crate::event::EventKind::Effect(_) => true,
            _ => false,
        };
        acts && scene.conditions(&event.deps).iter().any(|cond| conds.contains(cond))
    });
    acts || answers_by(scene, sequence, &conds)
}

/// Whether all that is asked of an insert is the id of the row that it made, which is another one's where it made none.
fn takes_id_for_granted(scene: &Scene<'_, '_>, write: EventId) -> bool {
    let terms = &scene.ev.terms;
    let count = |term: TermId| *terms.get(term) == Term::Count(write);
    let id_of = |term: TermId| {
        let mut found = false;
        terms.walk(term, &mut |part| {
            found |= matches!(terms.get(part), Term::Computed(by, parts)
                if by.starts_with("last_insert") && parts.first().is_some_and(|of| count(*of)));
        });
        found
    };
    let asks = |cond: &CondId| {
        let cond = scene.ev.cond(*cond);
        let counted = scene.origins(cond.term).iter().any(|origin| origin.event == write);
        counted && !matches!(terms.asked_to_be_there(cond.term), Some(Term::Count(_)))
    };
    // An upsert that changes nothing gives the id of the row that it met, where it says so: `id = LAST_INSERT_ID(id)`.
    let target = scene.event(write).and_then(Event::target);
    let passes_over = target.and_then(|target| target.conflict.as_ref()).map(|conflict| &conflict.action);
    if passes_over != Some(&ConflictAction::Nothing) {
        return false;
    }
    let binds = scene.after_of(Kind::Write, write).filter_map(Event::access).flat_map(|access| access.binds.iter());
    let mut used = binds.copied().chain([scene.flow.returns.term]);
    used.any(id_of) && !scene.flow.conds.iter().any(asks)
}

/// Whether a statement gives the row that was inserted a moment ago what it should hold: whoever was refused the insert
/// gives it that all the same.
fn fills(scene: &Scene<'_, '_>, sequence: &Sequence, event: &Event) -> bool {
    let (Some(insert), Some(update)) = (scene.access(sequence.write), event.access()) else { return false };
    let (Some(inserted), Some(target)) = (insert.statement.target(), update.statement.target()) else { return false };
    if target.action != Action::Update || target.table.name != inserted.table.name {
        return false;
    }
    let same = |column: &Name| {
        let given = inserted.sets.iter().find(|set| set.column == *column);
        given
            .zip(target.equals(column))
            .is_some_and(|(set, asked)| scene.same_value((insert, &set.value), (update, asked)) == Some(true))
    };
    let by_key = scene
        .schema
        .table(&inserted.table.name)
        .is_some_and(|table| table.keys().any(|key| !key.is_empty() && key.iter().all(same)));
    // Or it asks for nothing that the row has not been given.
    let asks = |predicate: &Predicate| {
        predicate.op == Compare::Eq && matches!(predicate.columns.as_slice(), [column] if same(column))
    };
    let found = by_key || !target.filter.is_empty() && target.filter.iter().all(asks);
    found && target.sets.iter().all(|set| !set.value.is_relative())
}

/// Whether the function answers differently by what it checked, and does not look again before it answers.
fn answers_by(scene: &Scene<'_, '_>, sequence: &Sequence, conds: &[crate::event::CondId]) -> bool {
    let looks_again = scene
        .after(sequence.write)
        .any(|event| event.access().is_some_and(|access| access.statement.verb == crate::sql::statement::Verb::Select));
    !looks_again && scene.conditions(&scene.flow.returns.guards).iter().any(|cond| conds.contains(cond))
}

/// Whether the check keeps what exists from being written over: the way on is the one where there is no row. Where the
/// other way ends in the same statement, the check chose between two ways of writing over it.
fn refuses_existing(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    if sequence.checks.is_empty() || !dependency::only_existence(sequence) {
        return false;
    }
    let Some((write, access)) = scene.event(sequence.write).zip(scene.access(sequence.write)) else { return false };
    let conds: Vec<_> = sequence.checks.iter().filter_map(|check| check.cond).collect();
    let other_way = scene.flow.events.iter().any(|event| {
        !access.text.is_empty()
            && event.access().is_some_and(|other| other.text == access.text)
            && !event.path.meets(&write.path)
            && event.dialect == write.dialect
            && conds.iter().all(|cond| scene.conditions(&event.deps).contains(cond))
    });
    !other_way
}

/// Another insert of the same transaction meets a unique key on what was checked, and takes this write back with it.
fn unique_in_transaction(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Protection> {
    if sequence.checks_aggregate() {
        return None;
    }
    let write = scene.event(sequence.write)?;
    let tx = transaction::of(scene, write)?;
    let read = scene.access(sequence.read)?;
    let table = read.statement.accesses.get(sequence.read_access)?;
    let refuses = |event: &&Event| {
        let Some(access) = event.access() else { return false };
        let Some(target) = access.statement.target() else { return false };
        event.id != sequence.write
            && target.action == Action::Insert
            && target.table.name == table.table.name
            && (target.conflict.is_none() || scene.outcome_used(event.id))
            && transaction::of(scene, event).is_some_and(|other| other.is_same(&tx))
            && covering_key(scene, (read, table), (access, target)).is_some_and(|key| {
                !is_drawn_anew(scene, access, target, &key) && !is_another(scene, (read, table), (access, target), &key)
            })
            && is_on_every_way(scene, event, write, tx.handle)
    };
    let (before, after) = (scene.before_of(Kind::Write, sequence.write), scene.after_of(Kind::Write, sequence.write));
    let mut others = before.chain(after);
    others.find(refuses).map(|event| Protection::UniqueKeyInTransaction(event.id))
}

/// Whether a column of a key gets another value than the one that was asked for: a token in place of the old one.
pub(super) fn is_another(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
    key: &[Name],
) -> bool {
    let mut given = write.1.sets.iter().filter(|set| key.contains(&set.column));
    given.any(|set| rows::asks_otherwise(scene, read, (write.0, set)))
}

/// Whether a column of a key gets a value that each run draws for itself: it is never there already.
pub(super) fn is_drawn_anew(scene: &Scene<'_, '_>, access: &Access, target: &TableAccess, key: &[Name]) -> bool {
    let given = target.sets.iter().filter(|set| key.contains(&set.column));
    given.filter_map(|set| access.bound(&set.value)).any(|term| is_by_chance(&scene.ev.terms, term))
}

/// Whether nobody comes to a write, or none that does comes to the end of its transaction, without passing an event. A row
/// that is only made where there was none refuses nothing to those who found one.
fn is_on_every_way(scene: &Scene<'_, '_>, event: &Event, write: &Event, transaction: TermId) -> bool {
    let leads_to = |end: &Event| {
        let within = |(branch, arms): &(u32, u64)| end.path.arms_of(*branch).is_some_and(|taken| taken & !arms == 0);
        event.path.0.iter().all(within)
    };
    let commits = || {
        let ends = |end: &&Event| matches!(end.kind, EventKind::Commit) && end.on == Some(transaction);
        scene.after_of(Kind::Step, write.id).filter(ends).peekable()
    };
    leads_to(write) || commits().peek().is_some() && commits().all(leads_to)
}

/// A CHECK on a column that the database itself computes keeps its bounds.
fn check(scene: &Scene<'_, '_>, sequence: &Sequence, target: &TableAccess) -> Option<Protection> {
    if target.action != Action::Update || !sequence.values.iter().all(|value| relative(target, &value.column)) {
        return None;
    }
    let table = scene.schema.table(&target.table.name)?;
    let checked = sequence.checked_columns();
    if checked.is_empty() {
        return None;
    }
    let bounds = |check: &Check, column: &Name| bounds::meets(scene, sequence, (target, column), check);
    let covered = |column: &Name| {
        table
            .checks
            .iter()
            .find(|check| check.columns.contains(column) && relative(target, column) && bounds(check, column))
    };
    let mut text = None;
    for column in checked {
        text = Some(covered(column)?.text.clone());
    }
    text.map(Protection::Check)
}

fn relative(target: &TableAccess, column: &Name) -> bool {
    dependency::written(target).any(|set| set.column == *column && set.value.is_relative())
}

/// The parent's presence was checked, and a foreign key checks it again.
fn foreign_key(scene: &Scene<'_, '_>, sequence: &Sequence, target: &TableAccess) -> Option<Protection> {
    let only_presence = sequence.values.iter().all(|value| !value.computed)
        && sequence.checks.iter().all(|check| check.looks_at == LooksAt::Existence);
    // It holds a parent that was found; where none was, a rival adds one.
    if !only_presence || scene.event(sequence.write).is_some_and(|write| scene.found_nothing(sequence.read, write)) {
        return None;
    }
    let read = scene.access(sequence.read)?.statement.accesses.get(sequence.read_access)?;
    let table = scene.schema.table(&target.table.name)?;
    // A row that is written over is there, whatever row of its own table it refers to.
    let same_row = target.writes_over() || matches!(sequence.relation, Relation::SameRow | Relation::LikelySameRow);
    let refers = table.foreign_keys.iter().any(|key| {
        key.table == read.table.name
            && !(same_row && key.table == target.table.name)
            && key.columns.iter().any(|column| {
                target.sets.iter().any(|set| set.column == *column && !matches!(set.value, Operand::Null))
            })
    });
    refers.then_some(Protection::ForeignKey)
}
