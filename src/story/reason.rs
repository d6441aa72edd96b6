//! The sentences of a finding: what two requests can do, and why the present protection does not hold.

use crate::event::Event;
use crate::flow::term::{Part, Term, TermId};
use crate::lower::tree::Name;
use crate::protect::constraint::{self, meets_another};
use crate::protect::{Protection, Verdict, WhyNot};
use crate::race::children::{self, Added};
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{LooksAt, Sequence, Written, dependency, first, side, transaction};
use crate::rules::claim::{Claim, Facts};
use crate::rules::loss::Counterpart;
use crate::rules::{
    check_then_insert, check_then_update, double_fire, lock_lost, lost_update, own_number, racy_statement, stale_guard,
    table_lock, unchecked_outcome, unsafe_claim,
};
use crate::sql::statement::{Access as TableAccess, Action, Aggregate, Limit, Verb};
use crate::story::undone::undone;
use crate::story::{besides, words};

/// What two requests can do; one sentence, lower case, no full stop.
pub fn message(scene: &Scene<'_, '_>, claim: &Claim, read: &Event, write: &Event) -> String {
    let table = words::table_of(scene, claim, write);
    let source = source_table(read, &claim.sequence);
    let what = what_is_checked(scene, claim, write);
    match (claim.rule, &claim.counterpart) {
        (lost_update::ID, Some(other)) => return undone(scene, claim, other, table),
        (check_then_update::ID, Some(Counterpart { column, writer })) => {
            let who = words::function(scene, writer.function);
            let then = match action(write) {
                Some(Action::Delete) => "it is deleted all the same",
                _ if !dependency::sets(write, column) => "it is written all the same",
                _ => "what it wrote is written over",
            };
            return format!("{who} can change {column} of the {table} row after the check, and {then}");
        }
        (check_then_insert::ID, Some(other)) => {
            let who = words::function(scene, other.writer.function);
            return format!(
                "{who} can put the {table} row there after the check, and what it put there is written over"
            );
        }
        _ => {}
    }
    if claim.rule == lost_update::ID
        && let Some(column) = own_number::column(scene, &claim.sequence)
    {
        return format!(
            "two requests can both add to {source}.{column} before either reads it back, and both go on with the same number"
        );
    }
    if claim.rule == stale_guard::ID
        && let Some(added) = children::added_meanwhile(scene, &claim.sequence)
    {
        let then = match added {
            Added::Deleted => "is deleted with it",
            Added::Left => "is left behind",
        };
        return format!("a row of {source} that is added after none was found for the {table} row {then}");
    }
    match claim.rule {
        check_then_update::ID => match action(write) {
            Some(Action::Delete) if looks_at_what_changes(scene, &claim.sequence, source) => {
                format!("{what} of the {table} row can change after the check, and it is deleted all the same")
            }
            Some(Action::Delete) => {
                format!("two requests can both read the {table} row, both go on, and both use what it said")
            }
            _ => {
                let besides = besides::said(scene, claim, write);
                format!(
                    "two requests can both find {what} of the same {table} row acceptable, and both write it{besides}"
                )
            }
        },
        lost_update::ID if claim.sequence.relation == Relation::RowOfSet && action(write) == Some(Action::Delete) => {
            match source_access(read, &claim.sequence).is_some_and(|read| rows::asked_by_key(scene, read)) {
                true => {
                    format!("what is written to the {table} row after it was read is deleted with it, and not put back")
                }
                false if claim.sequence.values.is_empty() => {
                    format!("a row of {table} that is added after they were read is deleted unread")
                }
                false => format!("a row of {table} that is added after they were read is deleted, and not put back"),
            }
        }
        lost_update::ID => {
            // What the database computes from the newest row is not lost.
            let fresh = |value: &&Written| write.access().is_some_and(|w| dependency::is_relative(w, &value.column));
            let values: Vec<&Written> = claim.sequence.values.iter().filter(|value| !fresh(value)).collect();
            let told = values.iter().min_by_key(|value| match value.is_own() {
                true => 2 * u8::from(value.is_handed_back()),
                false => 1 + 2 * u8::from(claim.sequence.follows(value)),
            });
            let named = told.and_then(|value| words::named(&value.column));
            let written = named.map_or_else(String::new, |column| format!(".{column}"));
            match told {
                Some(value) if value.is_handed_back() && values.len() > 2 => format!(
                    "two requests can save the whole {table} row as they read it, and what one of the two wrote is lost"
                ),
                Some(value) if value.is_handed_back() && values.len() > 1 => {
                    let columns = enumerated(values.iter().map(|value| value.column.as_str()).collect());
                    format!(
                        "two requests can save {columns} of {table} as they read them, and what one of the two wrote is lost"
                    )
                }
                Some(value) if value.is_handed_back() => {
                    let own =
                        if has_another(scene, claim, write, value) { ", or give it a value of their own" } else { "" };
                    format!(
                        "two requests can save {table}{written} as they read it{own}, and what one of the two wrote is lost"
                    )
                }
                Some(value) if words::is_numbered(claim, write) => {
                    format!("two requests can give two new rows of {table} the same {}", value.column)
                }
                _ => format!(
                    "two requests can compute {table}{written} from the same old row, and one of the two updates is lost"
                ),
            }
        }
        check_then_insert::ID
            if claim.tried.contains(&WhyNot::ConflictOverwrites)
                && !told_columns(scene, claim, write).is_empty()
                && lacks_what_it_needs(scene, claim, write) =>
        {
            format!(
                "two requests can both find no {what} in {table} to use, and the second one writes over what the first one put there"
            )
        }
        check_then_insert::ID
            if claim.tried.contains(&WhyNot::ConflictOverwrites) && claim.sequence.checks_content() =>
        {
            format!(
                "two requests can both find {what} of the {table} row acceptable, and the second one writes over what the first one put there"
            )
        }
        check_then_insert::ID if claim.tried.contains(&WhyNot::ConflictOverwrites) => {
            let facts = Facts::of(scene, &claim.sequence, &claim.tried);
            let other = facts.and_then(|facts| facts.other_inserter());
            let or_other = other
                .map_or_else(String::new, |other| format!(", or {},", words::function(scene, other.writer.function)));
            format!(
                "two requests can both find no row in {table}, and the second one writes over what the first one{or_other} put there"
            )
        }
        check_then_insert::ID if action(write) == Some(Action::Update) => {
            let column = moved_into(scene, &claim.sequence);
            let of = column.map_or_else(|| "of the kind".to_owned(), |column| format!("with this {column}"));
            format!("two requests can both find no row of {table} {of}, and both make one")
        }
        check_then_insert::ID
            if claim.sequence.checks_content()
                && (meets_another(scene, &claim.sequence) || is_one_of_several(read, &claim.sequence)) =>
        {
            format!("two requests can both find {what} of the {table} row acceptable, and both insert one")
        }
        check_then_insert::ID if claim.sequence.checks_content() => {
            format!("two requests can both find no {table} row in the way, and both insert one")
        }
        check_then_insert::ID if first::is_mark(&claim.sequence) => {
            let marks = enumerated(first::marks(scene, &claim.sequence).iter().map(Name::as_str).collect());
            format!("two requests can both find no row in {table}, and both insert theirs as the first one, by {marks}")
        }
        check_then_insert::ID => {
            let told = format!("two requests can both find no row in {table}, and both insert one");
            match constraint::differing(scene, &claim.sequence).as_deref() {
                None => told,
                Some([only]) => format!("{told}, where {only} differs"),
                Some(columns) => format!("{told}, where {} differ", columns.join(" or ")),
            }
        }
        stale_guard::ID
            if source == table && claim.sequence.checks_aggregate() && is_bounded(scene, &claim.sequence, write) =>
        {
            format!("two requests can both find {what} of {source} within its limit, and together go past it")
        }
        stale_guard::ID
            if dependency::only_existence(&claim.sequence)
                && stale_guard::deletes_what_was_found(scene, &claim.sequence) =>
        {
            match stale_guard::deletes_before(scene, &claim.sequence) {
                false => format!(
                    "two requests can both find rows in {source}, and both write {table} before they delete them there"
                ),
                true => {
                    format!("two requests can both find rows in {source} and delete them there, and both write {table}")
                }
            }
        }
        stale_guard::ID if dependency::only_existence(&claim.sequence) => {
            let told = format!(
                "two requests can both find no row in {source}, and both write {table} before they insert one there"
            );
            let facts = Facts::of(scene, &claim.sequence, &claim.tried);
            match facts.and_then(|facts| stale_guard::refused_later(&facts)) {
                Some(key) => format!("{told}, where the unique key on ({}) lets in only one of them", key.join(", ")),
                None => told,
            }
        }
        stale_guard::ID => format!("{what} of {source} can change between the check and the write to {table}"),
        unsafe_claim::ID if claim.tried.contains(&WhyNot::ClaimRunsOut) => {
            format!("a worker's claim of a {table} row can run out, and it still writes the row when another has it")
        }
        unsafe_claim::ID => {
            let who = if unsafe_claim::is_asked_for(scene, &claim.sequence) { "runs" } else { "workers" };
            format!("two {who} can pick the same {table} row before either has marked it as taken")
        }
        double_fire::ID => {
            let name = claim.effect.and_then(|id| scene.event(id)).map(|event| words::effect(scene, event));
            let name = name.unwrap_or_else(|| "the effect".to_owned());
            let only_existence = dependency::only_existence(&claim.sequence);
            let found = match action(write) {
                Some(Action::Insert) if only_existence => format!("find no row in {source}"),
                Some(Action::Insert) if lacks_what_it_needs(scene, claim, write) => {
                    format!("find none in {source} to use")
                }
                _ if only_existence => format!("take up the same {source} row"),
                _ => format!("pass the check on {source}"),
            };
            let refused = match scene.verdict(&claim.sequence) {
                Verdict::Safe(Protection::UniqueKey(key)) => {
                    format!(", before the unique key on ({}) refuses one of them", key.join(", "))
                }
                _ => String::new(),
            };
            format!("two requests can both {found} and both call {name}{refused}")
        }
        lock_lost::ID => format!(
            "the lock does not hold from the read of {source} to the write of {table}: two requests can both go on"
        ),
        racy_statement::ID => {
            format!("two of these statements on {table} can run at once, each on what it saw before the other")
        }
        unchecked_outcome::ID => {
            let told = format!("a second request changes no row of {table}, and goes on as if it had");
            match unchecked_outcome::moved_guard(scene, write) {
                Some(column) => format!("once a request has changed {column}, {told}"),
                None => told,
            }
        }
        table_lock::ID => table_lock::message(table),
        other => format!("{other} on {table}"),
    }
}

/// Whether a column is saved as it was read on some ways, and gets something else on others.
fn has_another(scene: &Scene<'_, '_>, claim: &Claim, write: &Event, value: &Written) -> bool {
    let Some((access, target)) = write.access().zip(write.target()) else { return false };
    let of_read = |part: &TermId| scene.origins(*part).iter().any(|origin| origin.event == claim.sequence.read);
    let terms = &scene.ev.terms;
    dependency::given_terms(scene, (access, target), &value.column).iter().any(|term| match terms.get(*term) {
        Term::Either(parts) => parts.iter().any(|part| !of_read(part) && terms.matters(*part)),
        _ => false,
    })
}

/// The column by which an UPDATE makes its row one of those that were asked for.
fn moved_into(scene: &Scene<'_, '_>, sequence: &Sequence) -> Option<Name> {
    let (read, write) = (scene.access(sequence.read)?, scene.access(sequence.write)?);
    let (reads, target) = (read.statement.accesses.get(sequence.read_access)?, write.statement.target()?);
    rows::moves_into(scene, (read, reads), (write, target))
}

/// Why what stands there does not protect; one sentence of the same form.
pub fn why(scene: &Scene<'_, '_>, claim: &Claim, write: &Event) -> String {
    if let Some(note) = claim.note {
        return note.to_owned();
    }
    if claim.rule == double_fire::ID {
        return "the row is claimed only after the call, so nothing keeps a second request from making it too"
            .to_owned();
    }
    let best = claim.tried.iter().max_by_key(|why| weight(why));
    match best {
        Some(why) => sentence(scene, why, write),
        None => match transaction::of(scene, write) {
            None => sentence(scene, &WhyNot::Autocommit, write),
            Some(_) => "the read runs outside of the transaction that writes".to_owned(),
        },
    }
}

fn weight(why: &WhyNot) -> u8 {
    match why {
        WhyNot::Autocommit | WhyNot::NoneInSight => 0,
        WhyNot::WeakIsolation(_) => 1,
        WhyNot::NoUniqueKey(_) | WhyNot::OneOrder(_) | WhyNot::OneCase(_) => 2,
        WhyNot::LockElsewhereRow(_) => 3,
        WhyNot::HalfGuard(_) | WhyNot::StillFits | WhyNot::GuardOnAbsoluteValue | WhyNot::ConflictOverwrites => 4,
        WhyNot::OneProcess | WhyNot::GuardDropped(_) | WhyNot::LockPerRequest(_) => 5,
        WhyNot::OutcomeUnread | WhyNot::ClaimRunsOut => 6,
        _ => 7,
    }
}

/// Why one protection that stands there, or might, does not hold; one sentence of the same form.
pub fn sentence(scene: &Scene<'_, '_>, why: &WhyNot, write: &Event) -> String {
    let level = |event| transaction::of(scene, event).map_or("READ COMMITTED", |tx| tx.level.name());
    match why {
        WhyNot::Autocommit => "each statement runs in autocommit, and nothing holds the row in between".to_owned(),
        WhyNot::NoneInSight => "no transaction is in sight that holds the row in between".to_owned(),
        WhyNot::WeakIsolation(isolation) => format!(
            "both run inside one transaction, but {} at {} lets the second request read before the first commits",
            write.dialect.name(),
            isolation.name()
        ),
        WhyNot::LockInAutocommit(_) => {
            "the lock is taken in autocommit, and is gone as soon as its statement ends".to_owned()
        }
        WhyNot::LockTooWeak(_, strength) => {
            format!("FOR {} lets the second request hold the same lock", words::strength(*strength))
        }
        WhyNot::LockAfterRead(_) => {
            "the lock is taken after the value was read, and the old value is still used".to_owned()
        }
        WhyNot::LockEnded(_) => "the transaction that holds the lock ends before the write".to_owned(),
        WhyNot::LockRolledBack(_) => {
            "the lock was taken inside a savepoint, and rolling that back releases it".to_owned()
        }
        WhyNot::LockElsewhere(_) => {
            "the locking read goes to another connection than the transaction, and its lock ends with the statement"
                .to_owned()
        }
        WhyNot::LockOnAbsentRow(_) => "FOR UPDATE locks rows that exist, and the new row is not there yet".to_owned(),
        WhyNot::LockKeepsSnapshot(_) => format!(
            "{} at {} reads from a snapshot that is older than the lock it waited for",
            write.dialect.name(),
            level(write)
        ),
        WhyNot::LockInCountingStatement(_) => {
            "lock and count stand in one statement, and the count is not taken again after the wait".to_owned()
        }
        WhyNot::LockElsewhereRow(_) => "the lock is on another row than the one that decides".to_owned(),
        WhyNot::TryLockIgnored(_) => "nobody looks at whether the lock was got".to_owned(),
        WhyNot::LockOfPool(_) => {
            "the lock is held by one connection of the pool, and the second request may be given the same one"
                .to_owned()
        }
        WhyNot::LockShared(_) => "the lock is taken shared, so that two requests hold it at once".to_owned(),
        WhyNot::LockReleasedEarly(_) => "the lock is released before the write is committed".to_owned(),
        WhyNot::TableLockTooWeak(_) => "this lock mode does not keep other writers out".to_owned(),
        WhyNot::ClaimRunsOut => {
            "the claim runs out, and the write does not say which claim it belongs to: a late worker still writes"
                .to_owned()
        }
        WhyNot::HalfGuard(columns) => {
            let half = "the write repeats only a part of the check";
            let named: Vec<&str> = columns.iter().filter_map(|column| words::named(column)).collect();
            if named.is_empty() { half.to_owned() } else { format!("{half}: {} is not in its WHERE", named.join(", ")) }
        }
        WhyNot::StillFits => {
            "the write repeats the check, but still finds the row when another request has taken it".to_owned()
        }
        WhyNot::OutcomeUnread => "the write is guarded, but nobody looks at how many rows it changed".to_owned(),
        WhyNot::GuardOnAbsoluteValue => {
            "the guard bounds the column, but the value written was computed from the old row".to_owned()
        }
        WhyNot::NoUniqueKey(columns)
            if columns.iter().any(|column| words::named(column).is_none()) || columns.is_empty() =>
        {
            "no unique key refuses the second row".to_owned()
        }
        WhyNot::NoUniqueKey(columns) => format!("no unique key on ({}) refuses the second row", columns.join(", ")),
        WhyNot::OneOrder(columns) => {
            format!("no unique key on ({}) refuses the same two the other way round", columns.join(", "))
        }
        WhyNot::OneCase(columns) => format!(
            "the unique key on ({}) takes what is spelt in other upper and lower case for another row",
            columns.join(", ")
        ),
        WhyNot::ConflictOverwrites => "on a conflict the row of the first request is written over".to_owned(),
        WhyNot::OneProcess => "the lock is held in this process only".to_owned(),
        WhyNot::LockPerRequest(_) => "each request makes the lock anew, so that nobody ever waits for it".to_owned(),
        WhyNot::ReadBeside(_) => {
            "the deciding read goes to another connection than the transaction that is open beside it".to_owned()
        }
        WhyNot::GuardDropped(_) => "the guard of the lock is dropped before the write".to_owned(),
    }
}

/// The engine and level, as `PostgreSQL, READ COMMITTED`.
pub fn judged_for(scene: &Scene<'_, '_>, write: &Event) -> String {
    match transaction::of(scene, write) {
        Some(tx) => format!("{}, {}", write.dialect.name(), tx.level.name()),
        None if transaction::maybe(scene, write).is_some() => {
            format!("{}, no transaction in sight", write.dialect.name())
        }
        None => format!("{}, autocommit", write.dialect.name()),
    }
}

/// The label of the read.
pub fn reads(scene: &Scene<'_, '_>, read: &Event, sequence: &Sequence) -> String {
    let table = source_table(read, sequence);
    let columns = sequence.columns();
    let what = match columns.as_slice() {
        [] => table.to_owned(),
        [one] => words::named(one).map_or_else(|| table.to_owned(), |one| format!("{table}.{one}")),
        _ => table.to_owned(),
    };
    let locked = read
        .access()
        .and_then(|access| access.statement.accesses.get(sequence.read_access))
        .is_some_and(|a| a.lock.is_some());
    let how = match (locked, transaction::of(scene, read).is_some()) {
        (true, true) => "and locks it",
        (true, false) => "with a lock that ends here",
        (false, _) => "without a lock",
    };
    match read.access().map(|access| &access.statement.verb) {
        Some(Verb::Update) => format!("finds no row of {table} to change"),
        _ => format!("reads {what} {how}"),
    }
}

/// The label of the write.
pub fn writes(scene: &Scene<'_, '_>, claim: &Claim, write: &Event) -> String {
    let table = words::table_of(scene, claim, write);
    match (claim.rule, action(write)) {
        (table_lock::ID, _) => format!("locks more of {table} than the rows it needs"),
        (racy_statement::ID, _) => format!("reads and writes {table} in one statement"),
        (unchecked_outcome::ID, _) => "how many rows this changed is not looked at".to_owned(),
        (lost_update::ID, Some(Action::Insert)) => format!("writes {table} from the old value"),
        (_, Some(Action::Insert)) => format!("inserts into {table} on the strength of it"),
        (_, Some(Action::Delete)) => format!("deletes from {table} on the strength of it"),
        _ if claim.sequence.values.is_empty() => format!("writes {table} on the strength of it"),
        _ => format!("writes {table} from the old value"),
    }
}

fn action(event: &Event) -> Option<Action> {
    event.target().map(|target| target.action)
}

/// Whether a request goes on where what it asked for is missing, or cannot be used.
fn lacks_what_it_needs(scene: &Scene<'_, '_>, claim: &Claim, write: &Event) -> bool {
    super::best_check(scene, claim, write).is_some_and(|(_, cond)| side::lacks(cond, write) == Some(true))
}

fn source_table<'e>(read: &'e Event, sequence: &Sequence) -> &'e str {
    source_access(read, sequence).map_or("", |access| access.table.name.as_str())
}

/// Whether one row was read of several that its condition fits: the newest.
fn is_one_of_several(read: &Event, sequence: &Sequence) -> bool {
    source_access(read, sequence).is_some_and(|access| access.ordered && access.limit == Some(Limit::One))
}

/// Whether what was checked over several rows is how many there are, or what they add up to.
pub fn counts(scene: &Scene<'_, '_>, sequence: &Sequence) -> bool {
    let adds_up = |access: &TableAccess| !matches!(access.aggregate, Some(Aggregate::Extreme | Aggregate::Other));
    if !beside_row(scene, sequence).is_empty() {
        return false;
    }
    scene.event(sequence.read).and_then(|read| source_access(read, sequence)).is_some_and(adds_up)
}

/// Whether a write adds to a number or a sum that was checked.
fn is_bounded(scene: &Scene<'_, '_>, sequence: &Sequence, write: &Event) -> bool {
    counts(scene, sequence) && action(write) != Some(Action::Delete)
}

fn source_access<'e>(read: &'e Event, sequence: &Sequence) -> Option<&'e TableAccess> {
    read.access()?.statement.accesses.get(sequence.read_access)
}

fn what_is_checked(scene: &Scene<'_, '_>, claim: &Claim, write: &Event) -> String {
    let aggregate = || {
        let read = scene.event(claim.sequence.read)?;
        source_access(read, &claim.sequence)?.aggregate
    };
    if claim.sequence.checks_aggregate() {
        let beside = beside_row(scene, &claim.sequence);
        if !beside.is_empty() {
            return enumerated(beside);
        }
        let one_row = matches!(claim.sequence.relation, Relation::SameRow | Relation::LikelySameRow);
        let what = match aggregate() {
            None if one_row => "what they read",
            Some(Aggregate::Sum) => "the sum over the rows",
            Some(Aggregate::Extreme) => "the first or the last of the rows",
            Some(Aggregate::Other) => "what the rows come to",
            Some(Aggregate::Count | Aggregate::Exists) | None => "the number of rows",
        };
        return what.to_owned();
    }
    enumerated(told_columns(scene, claim, write))
}

/// What was checked of that which a row was read with, by its name: `has_key` of `SELECT name, (SELECT count(*) > 0 …) AS
/// has_key`. The rows themselves are not counted there.
fn beside_row<'s>(scene: &'s Scene<'_, '_>, sequence: &Sequence) -> Vec<&'s str> {
    let Some(read) = scene.event(sequence.read).filter(|read| is_read_as_it_is(read, sequence)) else {
        return Vec::new();
    };
    let counted = sequence.checks.iter().filter(|check| check.looks_at == LooksAt::Aggregate);
    let terms = counted.filter_map(|check| Some(scene.ev.cond(check.cond?).term));
    let Some(statement) = read.access().map(|access| &access.statement) else { return Vec::new() };
    let origins: Vec<_> = terms.flat_map(|term| scene.origins(term).to_vec()).collect();
    let asked = |name: &str| {
        origins.iter().any(|origin| {
            origin.event == read.id
                && matches!(&origin.part, Part::Column(part) if *part == *name)
                && scene.looks_at(statement, &origin.part, false) == LooksAt::Aggregate
        })
    };
    let names = statement.output.iter().map(|output| output.name.as_str());
    names.filter(|name| words::named(name).is_some() && asked(name)).collect()
}

/// Whether the rows of a read are told one by one, not what they come to.
fn is_read_as_it_is(read: &Event, sequence: &Sequence) -> bool {
    source_access(read, sequence).is_some_and(|access| access.aggregate.is_none())
}

/// The checked columns that a finding speaks of. Those that the write moves say more than what was looked at besides, and
/// what no statement changes, or what names the row, says nothing.
pub fn told_columns<'c>(scene: &Scene<'_, '_>, claim: &'c Claim, write: &Event) -> Vec<&'c str> {
    let sequence = &claim.sequence;
    let named: Vec<&str> =
        sequence.checked_columns().into_iter().filter_map(|column| words::named(column.as_str())).collect();
    let moved = |column: &str| {
        dependency::sets(write, column)
            && !sequence.values.iter().any(|value| value.column == column && value.is_handed_back())
    };
    let read = scene.access(sequence.read).and_then(|read| read.statement.accesses.get(sequence.read_access));
    let table = read.and_then(|read| scene.schema.table(&read.table.name));
    let names_row = |column: &str| table.is_some_and(|table| table.primary_key.iter().any(|key| *key == column));
    let changed =
        |column: &str| !names_row(column) && read.is_some_and(|read| scene.rivals.changes(&read.table.name, column));
    let some = |wanted: &dyn Fn(&str) -> bool| -> Option<Vec<&str>> {
        let some: Vec<&str> = named.iter().copied().filter(|column| wanted(column)).collect();
        (!some.is_empty()).then_some(some)
    };
    let by_write = (claim.rule == check_then_update::ID).then(|| some(&moved)).flatten();
    by_write.or_else(|| some(&changed)).unwrap_or_else(|| named.clone())
}

/// Whether a condition looks at something of a row that some statement changes.
fn looks_at_what_changes(scene: &Scene<'_, '_>, sequence: &Sequence, table: &str) -> bool {
    let columns = sequence.checked_columns();
    sequence.checks_content()
        && (columns.is_empty() || columns.iter().any(|column| scene.rivals.changes(table, column)))
}

pub(super) fn enumerated(mut named: Vec<&str>) -> String {
    named.sort_unstable();
    named.dedup();
    match named.as_slice() {
        [] => "what they read".to_owned(),
        [one] => (*one).to_owned(),
        [first, second] => format!("{first} and {second}"),
        [first, ..] => format!("{first} and more"),
    }
}
