//! Which reads a write depends on, by control and by data.

use rustc_hash::FxHashMap;

use crate::event::{Access, CondId, CondKind, EffectKind, Event, EventId, EventKind};
use crate::flow::clock::is_of_clock;
use crate::flow::encode::decoded;
use crate::flow::term::{Origin, Part, Term, TermId, is_call};
use crate::lower::tree::Name;
use crate::race::index::Kind;
use crate::race::scene::Scene;
use crate::race::{
    Check, LooksAt, Sequence, Written, alternatives, asked, beside, first, found_again, others, record, rows, sized,
    zero,
};
use crate::sql::statement::{
    Access as TableAccess, Action, Aggregate, Assignment, Compare, ConflictAction, Operand, Predicate, Statement,
};

/// All sequences that end in one write.
///
/// In: a function's events and one of its writes. Out: a sequence for each earlier statement whose result decides
/// whether the write happens, what it writes, or which row it writes; in the order of the reads.
pub fn sequences(scene: &Scene<'_, '_>, write: &Event) -> Vec<Sequence> {
    let Some(access) = write.access() else { return Vec::new() };
    let Some(target) = access.statement.target() else { return Vec::new() };
    let mut found = Found { scene, write, by_read: FxHashMap::default() };
    for cond in scene.conditions(&write.deps).iter().copied() {
        let term = scene.ev.cond(cond).term;
        if converts(scene, cond) {
            continue;
        }
        let only_needs = scene.ev.cond(cond).kind == CondKind::Presence && scene.is_required_row(term);
        let record = record::asked_for(scene, term);
        for origin in scene.origins(term).iter().filter(|origin| !origin.answered) {
            if scene.access(origin.event).is_none()
                || record.is_some_and(|of| of != origin.event)
                || spares_a_write(scene, cond, origin.event, (write, access, target))
                || asked::is_what_was_asked_for(scene, cond, origin.event)
                || only_needs && !ends_what_was_found(scene, origin.event, target)
            {
                continue;
            }
            let Some(statement) = found.statement(origin.event) else { continue };
            let zero = zero::compares_with_zero(scene, cond, origin.event);
            let looks_at = match record {
                Some(_) => LooksAt::Existence,
                None => scene.looks_at(statement, &origin.part, zero),
            };
            let only_size = || sized::only_sizes(scene, cond, statement, origin);
            if looks_at == LooksAt::Aggregate && (only_asks_for_a_count(scene, cond, statement) || only_size()) {
                continue;
            }
            found.check(origin.event, Check { cond: Some(cond), looks_at });
        }
    }
    for assignment in written(target) {
        // What the row's own key is set to is the key, not a value: an upsert names its row so.
        let key = is_key_of(scene, target, assignment);
        let mut direct = true;
        let operand = &assignment.value;
        if matches!(operand, Operand::Expr { .. }) {
            direct = false;
        }
        for term in scene.terms_in(access, operand) {
            for origin in scene.origins(term).iter() {
                let Some(statement) = found.statement(origin.event) else { continue };
                let of_object = || sized::is_taken_out(scene, term, statement, origin);
                if key && !origin.computed || made_where_missing(scene, term, origin, target) || of_object() {
                    continue;
                }
                let from = scene.looks_at(statement, &origin.part, false);
                let computed = origin.computed
                    || !direct
                    || matches!(scene.ev.terms.get(decoded(&scene.ev.terms, term)), Term::Computed(..));
                let (column, answered) = (assignment.column.clone(), origin.answered);
                found.value(origin.event, Written { column, from, computed, answered });
            }
        }
    }
    let mut named_by: Vec<EventId> = Vec::new();
    for predicate in &target.filter {
        if !matches!(predicate.op, Compare::Eq | Compare::In) || is_beside_key(scene, target, predicate) {
            continue;
        }
        for term in scene.terms_in(access, &predicate.value) {
            // A row that was found by a key of another one names that one as well.
            for term in [term, scene.plain(term)] {
                for origin in scene.origins(term).iter() {
                    if origin.part != Part::Existence
                        && !names_another(scene, term, origin, (target, predicate))
                        && let Some(sequence) = found.of(origin.event)
                    {
                        sequence.key_from_row = true;
                        named_by.push(origin.event);
                    }
                }
            }
        }
    }
    for sequence in found.by_read.values_mut().flatten() {
        sequence.key_from_row |= named_by.iter().any(|again| found_again::is_same_row(scene, sequence.read, *again));
    }
    needs_deleted(scene, (write, access, target), &mut found);
    let mut all = found.in_order();
    for sequence in &mut all {
        rows::relate(scene, sequence);
        beside::drop_checks(scene, sequence);
        first::is_check(scene, sequence);
        others::count(scene, sequence);
        drop_encodings(scene, sequence, write);
        nothing_in_it(scene, sequence, write);
        key_is_presence(scene, sequence);
        add_filtered(scene, sequence);
    }
    all
}

/// A row that had to be there and is deleted: nothing in Rust asks for it, and nobody goes on without it all the same.
fn needs_deleted(
    scene: &Scene<'_, '_>,
    (write, access, target): (&Event, &Access, &TableAccess),
    found: &mut Found<'_, '_, '_>,
) {
    if target.action != Action::Delete {
        return;
    }
    let table = &target.table.name;
    // Whose it is, is known for as long as it is there.
    let decides = |check: &Check| match &check.looks_at {
        LooksAt::Column(column) => scene.rivals.changes(table, column),
        _ => true,
    };
    for event in scene.before(write.id) {
        let Some(read) = event.access().filter(|read| read.row_required) else { continue };
        let of_row =
            |own: &&TableAccess| own.table.name == *table && own.action == Action::Read && own.aggregate.is_none();
        let mut own = read.statement.accesses.iter().filter(of_row);
        let Some(only) = own.next().filter(|_| own.next().is_none()) else { continue };
        let known = found.by_read.get(&event.id).and_then(Option::as_ref);
        let asked = known.is_some_and(|sequence| sequence.checks.iter().any(decides));
        let by_key = known.is_some_and(|sequence| sequence.key_from_row)
            || rows::compare_keys(scene, (read, only), (access, target)) == (true, false);
        if by_key && !asked {
            found.check(event.id, Check { cond: None, looks_at: LooksAt::Existence });
        }
    }
}

/// Whether a row is named by a key, and this condition is of another column: whose it is, not which one.
fn is_beside_key(scene: &Scene<'_, '_>, target: &TableAccess, predicate: &Predicate) -> bool {
    let Some(table) = scene.schema.table(&target.table.name) else { return false };
    let mut named = table.keys().filter(|key| key.iter().all(|column| target.equals(column).is_some())).peekable();
    named.peek().is_some() && named.all(|key| predicate.columns.iter().all(|column| !key.contains(column)))
}

/// Whether a row is named by another column of the row that was read than the one it is asked for by: a parent, an answer.
fn names_another(
    scene: &Scene<'_, '_>,
    term: TermId,
    origin: &Origin,
    (target, predicate): (&TableAccess, &Predicate),
) -> bool {
    let Some(read) = scene.access(origin.event) else { return false };
    let ([only], [asked]) = (read.statement.accesses.as_slice(), predicate.columns.as_slice()) else { return false };
    let Some(table) = scene.schema.table(&only.table.name).filter(|_| only.table.name == target.table.name) else {
        return false;
    };
    let plain =
        matches!(scene.ev.terms.get(term), Term::Field(of, _) if *scene.ev.terms.get(*of) == Term::Row(origin.event));
    let known = |column: &Name| table.columns.iter().any(|def| def.name == *column);
    match scene.looks_at(&read.statement, &origin.part, false) {
        LooksAt::Column(given) => plain && given != *asked && known(&given) && known(asked),
        _ => false,
    }
}

/// The sequences of one write, as the reads are met that it depends on.
struct Found<'f, 'a, 'p> {
    scene: &'f Scene<'a, 'p>,
    write: &'f Event,
    /// None for what is no earlier statement on one path with the write.
    by_read: FxHashMap<EventId, Option<Sequence>>,
}

impl<'a> Found<'_, 'a, '_> {
    fn of(&mut self, read: EventId) -> Option<&mut Sequence> {
        let (scene, write) = (self.scene, self.write);
        let sequence = || {
            let event = scene.event(read).filter(|_| scene.place(read) < scene.place(write.id))?;
            let passed = event.access().is_some() && alternatives::one_run_passes(scene, event, write);
            passed.then(|| Sequence::of(read, write.id, 0, rows::Relation::Other))
        };
        self.by_read.entry(read).or_insert_with(sequence).as_mut()
    }

    /// The statement of a read that the write depends on.
    fn statement(&mut self, read: EventId) -> Option<&'a Statement> {
        self.of(read)?;
        self.scene.access(read).map(|access| &*access.statement)
    }

    fn check(&mut self, read: EventId, check: Check) {
        let Some(sequence) = self.of(read) else { return };
        if is_new(&sequence.checks, &check) {
            sequence.checks.push(check);
        }
    }

    fn value(&mut self, read: EventId, value: Written) {
        if let Some(sequence) = self.of(read)
            && !sequence.values.contains(&value)
        {
            sequence.values.push(value);
        }
    }

    /// By the order of the reads.
    fn in_order(self) -> Vec<Sequence> {
        let mut all: Vec<Sequence> = self.by_read.into_values().flatten().collect();
        all.sort_by_key(|sequence| self.scene.place(sequence.read));
        all
    }
}

/// Whether a value is a column of the row that was read or else the key of a row of another table that was made because there
/// was none: who finds the row leaves it as it is.
fn made_where_missing(scene: &Scene<'_, '_>, term: TermId, origin: &Origin, target: &TableAccess) -> bool {
    let Term::Either(parts) = scene.ev.terms.get(term) else { return false };
    let made = |part: &TermId| {
        let mut origins = scene.origins(*part).to_vec().into_iter();
        origins.any(|made| {
            let inserted = scene.event(made.event).filter(|event| event.does(Action::Insert)).and_then(Event::target);
            made.event != origin.event && inserted.is_some_and(|inserted| inserted.table.name != target.table.name)
        })
    };
    !origin.computed && parts.iter().any(made)
}

/// Whether a write ends the state that a row was looked for by, so that it is no longer found.
fn ends_what_was_found(scene: &Scene<'_, '_>, read: EventId, target: &TableAccess) -> bool {
    let Some(read) = scene.access(read) else { return false };
    let ends = |column: &Name| match target.action {
        Action::Update => target.sets.iter().any(|set| set.column == *column),
        Action::Delete => true,
        Action::Insert | Action::Read => false,
    };
    let found_by = read.statement.accesses.iter().filter(|access| access.table.name == target.table.name);
    let fixed = |predicate: &Predicate| scene.ev.is_fixed(read, &predicate.value);
    let mut states =
        found_by.flat_map(|access| &access.filter).filter(|predicate| predicate.is_of_state(fixed(predicate)));
    states.any(|predicate| predicate.columns.iter().any(ends))
}

/// Whether a condition only asks that a call succeeded of which nothing is known: a value is decoded, parsed or sealed.
fn converts(scene: &Scene<'_, '_>, cond: CondId) -> bool {
    let cond = scene.ev.cond(cond);
    let Term::Exists(made) = scene.ev.terms.get(cond.term) else { return false };
    let mut made = scene.ev.terms.get(*made);
    while let Term::Field(of, _) = made {
        made = scene.ev.terms.get(*of);
    }
    let Term::Computed(by, _) = made else { return false };
    cond.kind == CondKind::Presence && is_call(by)
}

/// Whether a condition only asks that a count is there, or fits another type: it always is.
fn only_asks_for_a_count(scene: &Scene<'_, '_>, cond: CondId, statement: &Statement) -> bool {
    let cond = scene.ev.cond(cond);
    let Term::Exists(of) = scene.ev.terms.get(cond.term) else { return false };
    cond.kind == CondKind::Presence
        && !matches!(scene.ev.terms.get(*of), Term::Computed(..))
        && statement.accesses.iter().all(|access| access.aggregate == Some(Aggregate::Count))
}

/// Whether a condition only asks if the columns hold already what is written to them: a write that would change nothing is
/// left out.
fn spares_a_write(
    scene: &Scene<'_, '_>,
    id: CondId,
    read: EventId,
    (write, access, target): (&Event, &Access, &TableAccess),
) -> bool {
    if target.action == Action::Insert && target.conflict.is_none() {
        // One more row is never nothing.
        return false;
    }
    let cond = scene.ev.cond(id);
    let of_read = |term: TermId| scene.origins(term).iter().any(|origin| origin.event == read);
    // Who asks once more for what the row was found by, or for what nobody changes, learns nothing.
    let compares = cond.compares.iter().filter(|compare| of_read(compare.left) || of_read(compare.right));
    let mut compares = compares.filter(|compare| !asked::is_settled(scene, compare, read)).peekable();
    if compares.peek().is_none() || !only_compares(scene, cond.term, read) {
        return false;
    }
    compares.all(|compare| {
        let sides = [(compare.left, compare.right), (compare.right, compare.left)];
        let written_there = |(column, value): (TermId, TermId)| {
            let marks = || match scene.ev.terms.get(value) {
                Term::Literal(_) => lets_act(scene, id, write),
                _ => is_of_clock(&scene.ev.terms, value) && more_hangs_on(scene, id, write) || tells(scene, id, write),
            };
            let given = |term: &TermId| {
                *term == value || matches!(scene.ev.terms.get(*term), Term::Either(parts) if parts.contains(&value))
            };
            written(target).any(|set| {
                is_column(scene, column, &set.column) && scene.terms_in(access, &set.value).iter().any(given)
            }) && !marks()
        };
        matches!(compare.op, Compare::Eq | Compare::Ne) && sides.into_iter().any(written_there)
    })
}

/// Whether something else is done on a condition than a write: what was given today is not given again.
fn more_hangs_on(scene: &Scene<'_, '_>, cond: CondId, write: &Event) -> bool {
    scene.flow.events.iter().any(|event| {
        event.acts()
            && event.id != write.id
            && event.path.meets(&write.path)
            && scene.conditions(&event.deps).contains(&cond)
    })
}

/// Whether somebody is written to on a condition, once for each who finds it so.
fn tells(scene: &Scene<'_, '_>, cond: CondId, write: &Event) -> bool {
    let mut effects = scene.after_of(Kind::Effect, write.id);
    effects.any(|event| {
        matches!(&event.kind, EventKind::Effect(effect) if effect.kind == EffectKind::Mail)
            && scene.conditions(&event.deps).contains(&cond)
    })
}

/// Whether something leaves the process on a condition, before the write makes it fail for whoever comes next.
fn lets_act(scene: &Scene<'_, '_>, cond: CondId, write: &Event) -> bool {
    let mut effects = scene.before_of(Kind::Effect, write.id);
    effects.any(|event| scene.conditions(&event.deps).contains(&cond))
}

/// Whether all of a condition that looks at a read are comparisons.
pub(super) fn only_compares(scene: &Scene<'_, '_>, term: TermId, read: EventId) -> bool {
    if !scene.origins(term).iter().any(|origin| origin.event == read) {
        return true;
    }
    let Term::Computed(by, parts) = scene.ev.terms.get(term) else { return false };
    match by.as_str() {
        "==" | "!=" => true,
        "&&" | "||" | "!" => parts.iter().all(|part| only_compares(scene, *part, read)),
        _ => false,
    }
}

/// Where a whole row is saved, an enum is decoded when it is read and encoded when it is written. The matches that do so
/// stand in functions of their own and choose among constants what the column gets back; they decide nothing.
fn drop_encodings(scene: &Scene<'_, '_>, sequence: &mut Sequence, write: &Event) {
    if !sequence.values.iter().any(Written::is_handed_back) {
        return;
    }
    let Some(access) = write.access() else { return };
    let Some(target) = access.statement.target() else { return };
    let aside = |function| {
        function != write.function
            && function != scene.flow.function
            && write.calls.iter().all(|call| call.function != function)
    };
    let encoded = |column: &str| {
        written(target).filter(|set| set.column == column).any(|set| {
            scene.terms_in(access, &set.value).iter().any(|term| {
                let chosen = matches!(scene.ev.terms.get(*term), Term::Either(_));
                chosen && scene.origins(*term).iter().all(|origin| origin.event != sequence.read)
            })
        })
    };
    let deciding: Vec<CondId> = write.deps.iter().copied().filter(|cond| !access.chosen_by.contains(cond)).collect();
    let deciding = scene.conditions(&deciding);
    // `note.filter(|note| !note.is_empty())`: the column gets back what it held, or nothing.
    let kept_or_left_out = |column: &str| {
        written(target)
            .filter(|set| set.column == column)
            .any(|set| scene.terms_in(access, &set.value).iter().any(|term| is_column(scene, *term, column)))
    };
    sequence.checks.retain(|check| {
        let (Some(cond), LooksAt::Column(column)) = (check.cond, &check.looks_at) else { return true };
        if !deciding.contains(&cond) && kept_or_left_out(column) {
            return false;
        }
        let cond = scene.ev.cond(cond);
        !(cond.kind == CondKind::Test && aside(cond.function) && encoded(column))
    });
}

/// What the value comes from that a write gives a column.
pub fn given(scene: &Scene<'_, '_>, write: (&Access, &TableAccess), column: &str) -> Vec<Origin> {
    given_terms(scene, write, column).into_iter().flat_map(|term| scene.origins(term).to_vec()).collect()
}

/// What a write gives a column.
pub fn given_terms(scene: &Scene<'_, '_>, write: (&Access, &TableAccess), column: &str) -> Vec<TermId> {
    let sets = write.1.sets.iter().filter(|set| set.column == column);
    sets.flat_map(|set| scene.terms_in(write.0, &set.value)).collect()
}

/// Where no row was found, nothing that stands in a row decides: what decodes, tests or refuses it lies on other ways.
fn nothing_in_it(scene: &Scene<'_, '_>, sequence: &mut Sequence, write: &Event) {
    if !scene.found_nothing(sequence.read, write) {
        return;
    }
    // What asked for it last asked whether there is one.
    let last = sequence.checks.iter().max_by_key(|check| check.cond).cloned();
    sequence.checks.retain(|check| check.looks_at == LooksAt::Existence);
    if let Some(last) = last.filter(|last| last.looks_at != LooksAt::Existence) {
        let check = Check { looks_at: LooksAt::Existence, ..last };
        if is_new(&sequence.checks, &check) {
            sequence.checks.push(check);
        }
    }
}

/// Whether a value is a field of this name and nothing else, of whatever it was read by, or a column that has no name in the
/// program.
fn is_column(scene: &Scene<'_, '_>, term: TermId, column: &str) -> bool {
    let meant = |read: EventId, part: &Part| {
        let statement = scene.access(read).map(|access| &*access.statement);
        let meant = statement.map(|statement| scene.looks_at(statement, part, false));
        matches!(meant, Some(LooksAt::Column(name)) if name == column)
    };
    let unnamed = |of: TermId, place: &Name| match scene.ev.terms.get(of) {
        Term::Row(read) => meant(*read, &Part::Column(place.clone())),
        _ => false,
    };
    match scene.ev.terms.get(decoded(&scene.ev.terms, term)) {
        Term::Field(of, name) => name == column || unnamed(*of, name),
        // A row of one column is that column.
        Term::Row(read) => meant(*read, &Part::Row),
        Term::Either(parts) => parts.iter().all(|part| is_column(scene, *part, column)),
        _ => false,
    }
}

/// A primary key that no statement changes tells nothing but which row it is, and that it was there. Nor does one that the
/// write names its row by, all of it: with another key it is another row, which the write does not meet.
fn key_is_presence(scene: &Scene<'_, '_>, sequence: &mut Sequence) {
    let Some(access) = scene.access(sequence.read).and_then(|read| read.statement.accesses.get(sequence.read_access))
    else {
        return;
    };
    let Some(table) = scene.schema.table(&access.table.name) else { return };
    let target = scene.access(sequence.write).and_then(|write| write.statement.target());
    let changes = target.filter(|target| target.table.name == access.table.name && target.action != Action::Insert);
    let named = changes.is_some_and(|target| table.primary_key.iter().all(|column| target.equals(column).is_some()));
    let mut changed = false;
    for check in &mut sequence.checks {
        let LooksAt::Column(column) = &check.looks_at else { continue };
        if table.primary_key.contains(column) && (named || !scene.rivals.changes(&access.table.name, column)) {
            check.looks_at = LooksAt::Existence;
            changed = true;
        }
    }
    if changed {
        let mut told: Vec<Check> = Vec::with_capacity(sequence.checks.len());
        for check in sequence.checks.drain(..) {
            if is_new(&told, &check) {
                told.push(check);
            }
        }
        sequence.checks = told;
    }
}

/// Whether a check is none of those already told. Those of one condition follow each other.
fn is_new(told: &[Check], check: &Check) -> bool {
    told.iter().rev().take_while(|known| known.cond == check.cond).all(|known| known != check)
}

/// A condition in the SELECT's WHERE is a check like one in Rust: the row was found because it held.
fn add_filtered(scene: &Scene<'_, '_>, sequence: &mut Sequence) {
    if matches!(sequence.relation, rows::Relation::NewRowOfSet | rows::Relation::RowOfSet) {
        return;
    }
    let found = sequence.checks.iter().find(|check| check.looks_at == LooksAt::Existence).map(|check| check.cond);
    if found.is_none() && !sequence.key_from_row {
        return;
    }
    let cond = found.flatten();
    let Some(read) = scene.access(sequence.read) else { return };
    let Some(access) = read.statement.accesses.get(sequence.read_access) else { return };
    let whole = |aggregate| !matches!(aggregate, Aggregate::Exists | Aggregate::Count);
    if access.aggregate.is_some_and(whole) || access.action != Action::Read {
        return;
    }
    let table = scene.schema.table(&access.table.name);
    let is_key = |column: &Name| table.is_some_and(|table| table.keys().any(|key| key == [column.clone()]));
    for predicate in &access.filter {
        let by_value = !scene.ev.is_fixed(read, &predicate.value);
        let names_row = predicate.op == Compare::Eq
            && matches!(predicate.columns.as_slice(), [column] if by_value || is_key(column))
            || rows::names_by_either(scene, access, predicate)
            || rows::is_asked_by_value(predicate);
        if names_row || predicate.value.is_of_another_table() || matches!(predicate.op, Compare::In | Compare::Like) {
            continue;
        }
        for column in &predicate.columns {
            let check = Check { cond, looks_at: LooksAt::Column(column.clone()) };
            if !sequence.checks.contains(&check) {
                sequence.checks.push(check);
            }
        }
    }
}

/// Whether a statement gives a column of the rows that it writes a value.
pub fn sets(write: &Event, column: &str) -> bool {
    write.target().is_some_and(|target| written(target).any(|set| set.column == column))
}

/// The same of a column of one table.
pub fn sets_in(write: &Event, (table, column): (&Name, &str)) -> bool {
    write.target().is_some_and(|target| target.table.name == *table) && sets(write, column)
}

/// What a write gives a column, by a trigger too, where that is not the value by which it finds its rows: they stay where they
/// are.
pub fn moved<'t>(
    scene: &Scene<'t, '_>,
    (access, target): (&Access, &'t TableAccess),
    column: &str,
) -> Option<&'t Assignment> {
    let stays = |set: &Assignment| {
        let held = target.equals(column);
        held.is_some_and(|held| scene.same_value((access, held), (access, &set.value)) == Some(true))
    };
    let mut given = written(target).filter(|set| set.column == column).peekable();
    if given.peek().is_none() && (target.action == Action::Update || target.writes_over()) {
        return scene.schema.table(&target.table.name)?.raised(column, || written(target));
    }
    given.find(|set| !stays(set))
}

/// What a write gives its columns, what its conflict clause gives included.
pub fn written(target: &crate::sql::statement::Access) -> impl Iterator<Item = &Assignment> {
    let conflict = target.conflict.as_ref().and_then(|conflict| match &conflict.action {
        ConflictAction::Update { sets, .. } => Some(sets.as_slice()),
        _ => None,
    });
    target.sets.iter().chain(conflict.unwrap_or_default())
}

fn is_key_of(scene: &Scene<'_, '_>, target: &crate::sql::statement::Access, assignment: &Assignment) -> bool {
    target.action == Action::Insert
        && scene.schema.table(&target.table.name).is_some_and(|table| table.primary_key.contains(&assignment.column))
}

/// Whether a statement's value for a column is computed by the database from the row's newest version.
pub fn is_relative(access: &Access, column: &str) -> bool {
    access
        .statement
        .target()
        .is_some_and(|target| written(target).any(|set| set.column == column && set.value.is_relative()))
}

/// Whether a sequence uses nothing but the presence of a row.
pub fn only_existence(sequence: &Sequence) -> bool {
    sequence.values.is_empty() && sequence.checks.iter().all(|check| check.looks_at == LooksAt::Existence)
}
