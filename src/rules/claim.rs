//! A claim: a sequence that is racy, the rule it falls under, and how sure that is.

use crate::dialect::Dialect;
use crate::event::{Access, Event, EventId, names_time};
use crate::finding::Confidence;
use crate::flow::random::is_by_chance;
use crate::flow::term::{Origin, Term, TermId, Terms, is_measure};
use crate::lower::tree::Name;
use crate::protect::{Protection, Shape, Verdict, WhyNot, merges, recheck};
use crate::race::index::Kind;
use crate::race::rows::{self, Relation};
use crate::race::scene::Scene;
use crate::race::{Check, LooksAt, Sequence, Written, alternatives, dependency, side};
use crate::rules::loss::Counterpart;
use crate::sql::statement::{
    Access as TableAccess, Action, Assignment, Compare, ConflictTarget, Operand, Predicate, Verb,
};

/// What a rule claims about one function.
#[derive(Clone, Debug)]
pub struct Claim {
    pub rule: &'static str,
    pub confidence: Confidence,
    /// The read and the write; for a statement that races by itself both are that statement.
    pub sequence: Sequence,
    pub shape: Shape,
    pub tried: Vec<WhyNot>,
    /// What left the process between check and write.
    pub effect: Option<EventId>,
    /// The write that a lock was taken for, when the claim is about the lock.
    pub meant_for: Option<EventId>,
    /// Why it races, when no protection was tried: for statements that race by themselves.
    pub note: Option<&'static str>,
    /// The other statement that comes in between, where two runs of the same code do each other no harm.
    pub counterpart: Option<Counterpart>,
    /// What else the same write goes by, and nothing holds either.
    pub also: Vec<Claim>,
}

/// What puts conditions together, and compares values as they are.
const COMPARING: [&str; 10] = ["&&", "||", "!", "==", "!=", "<", "<=", ">", ">=", "match"];

/// A sequence with what the rules ask of it.
pub struct Facts<'a, 'p> {
    pub scene: &'a Scene<'a, 'p>,
    pub sequence: &'a Sequence,
    pub read: &'a Event,
    pub write: &'a Event,
    /// What the read reads.
    pub reads: &'a TableAccess,
    /// What the write writes.
    pub target: &'a TableAccess,
    pub tried: &'a [WhyNot],
}

impl<'a, 'p> Facts<'a, 'p> {
    /// None when one of the two is no statement on rows.
    pub fn of(scene: &'a Scene<'a, 'p>, sequence: &'a Sequence, tried: &'a [WhyNot]) -> Option<Self> {
        let read = scene.event(sequence.read)?;
        let write = scene.event(sequence.write)?;
        let reads = read.access()?.statement.accesses.get(sequence.read_access)?;
        let target = write.target()?;
        Some(Self { scene, sequence, read, write, reads, target, tried })
    }

    pub fn same_row(&self) -> bool {
        matches!(self.sequence.relation, Relation::SameRow | Relation::LikelySameRow)
    }

    /// Whether all that is written beside a key is the same in every request: a marker, a row of defaults, the time.
    pub fn writes_constants(&self) -> bool {
        let Some(access) = self.write.access() else { return false };
        let arbiter = self.target.conflict.as_ref().map(|conflict| &conflict.target);
        let keys: Vec<&Name> = match (self.scene.schema.table(&self.target.table.name), arbiter) {
            (None, _) => return false,
            // What the clause is not for may be written over.
            (Some(_), Some(ConflictTarget::Columns(key))) => key.iter().collect(),
            (Some(table), _) => table.keys().flatten().collect(),
        };
        let fixed = |operand: &Operand| {
            let mut fixed = true;
            operand.walk(&mut |part| {
                fixed &= match part {
                    Operand::Placeholder(_) | Operand::Named(_) => {
                        access.bound(part).is_some_and(|term| matches!(self.scene.ev.terms.get(term), Term::Literal(_)))
                    }
                    Operand::Literal(_) | Operand::Null | Operand::Default => true,
                    Operand::Expr { text, parts } => !parts.is_empty() || names_time(text),
                    _ => false,
                };
            });
            fixed
        };
        dependency::written(self.target).all(|set| match &set.value {
            Operand::Excluded(_) => true,
            value => keys.contains(&&set.column) && self.target.sets.len() > 1 || fixed(value),
        })
    }

    /// Whether a row only gets a mark, of which nothing was in it before, by a request that is refused then and there: a
    /// session that is found to have run out. A second one marks it in the same way, and is refused as well.
    pub fn marks_what_is_refused(&self) -> bool {
        let new = |operand: &Operand| {
            let mut new = true;
            operand.walk(&mut |part| new &= !matches!(part, Operand::Column { .. }));
            new
        };
        self.write.refused
            && !self.inserts()
            && self.sequence.values.is_empty()
            && dependency::written(self.target).all(|set| !set.value.is_relative() && new(&set.value))
    }

    /// Whether the row that the write goes by is one that this request inserted.
    pub fn keeps_what_it_inserted(&self) -> bool {
        self.read.access().is_some_and(|access| access.statement.verb == Verb::Insert)
    }

    pub fn inserts(&self) -> bool {
        self.target.action == Action::Insert
    }

    /// Values of the write that are as old as the read.
    pub fn stale_values(&self) -> bool {
        self.sequence.values.iter().any(|value| {
            !crate::race::dependency::written(self.target)
                .any(|set| set.column == value.column && set.value.is_relative())
        })
    }

    /// Whether a column only gets back what was read from it: the whole row is saved, and this part of it is as before.
    pub fn hands_back(&self, column: &str) -> bool {
        let mut values = self.sequence.values.iter().filter(|value| value.column == column).peekable();
        values.peek().is_some() && values.all(Written::is_handed_back)
    }

    /// Values of the write that are as old as the read, and new: not only handed back.
    pub fn computed_from_row(&self) -> bool {
        self.sequence.values.iter().any(|value| {
            !self.hands_back(&value.column)
                && !self.sequence.follows(value)
                && !merges::only_moves_on(self.scene, self.sequence, &value.column)
                && !dependency::written(self.target).any(|set| set.column == value.column && set.value.is_relative())
        })
    }

    /// Whether a condition looks at something that some statement of the program changes. An owner or a parent that a
    /// row keeps for life only tells who may go on.
    pub fn checks_what_changes(&self) -> bool {
        let rivals = self.scene.rivals;
        let table = &self.reads.table.name;
        self.sequence.checks.iter().any(|check| match &check.looks_at {
            LooksAt::Column(column) => {
                rivals.updated_somehow.contains(table)
                    || rivals.updated.get(table).is_some_and(|columns| columns.contains(column))
            }
            LooksAt::Aggregate | LooksAt::Row => true,
            LooksAt::Existence => false,
        })
    }

    /// Whether a check only asks if the caller may go on: it looks for something of the row among what the caller
    /// brought, or for equality with it. Who may act is settled when it is asked; a state or an amount must hold until
    /// the write.
    pub fn permits(&self, check: &Check) -> bool {
        let Some(cond) = check.cond else { return false };
        let asked = self.scene.ev.cond(cond).term;
        let mut permitted = false;
        self.asks_who(asked) || self.asks_in_parts(asked, &mut permitted) && permitted
    }

    fn asks_who(&self, asked: TermId) -> bool {
        let terms = &self.scene.ev.terms;
        terms.brings(asked, |event| self.is_read(event)) && !(terms.measures(asked) && self.measures_row(asked))
    }

    /// Whether an order is asked of what was read, or a sum or a difference of it.
    fn measures_row(&self, asked: TermId) -> bool {
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        let of_read = |part: &TermId| scene.origins(*part).iter().any(|origin| self.is_read(origin.event));
        terms.any(
            asked,
            |part| terms.measures(part),
            |part| match terms.get(part) {
                Term::Computed(by, parts) => is_measure(by) && parts.iter().any(of_read),
                _ => false,
            },
        )
    }

    /// Whether each part of a condition that looks at the row asks who may go on, only asks if a column is there, or is of
    /// something that was looked up by it; `permitted` becomes true where a part asks more than if something is there.
    fn asks_in_parts(&self, asked: TermId, permitted: &mut bool) -> bool {
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        if !scene.origins(asked).iter().any(|origin| self.is_read(origin.event)) {
            return true;
        }
        match terms.get(asked) {
            Term::Computed(by, parts) if matches!(by.as_str(), "&&" | "||" | "!") => {
                parts.iter().all(|part| self.asks_in_parts(*part, permitted))
            }
            Term::Either(parts) => parts.iter().all(|part| self.asks_in_parts(*part, permitted)),
            Term::Exists(of) if matches!(terms.get(*of), Term::Field(..)) => true,
            // Where nothing was handed in, nothing of it is asked.
            _ if is_of_nothing(terms, asked) => true,
            _ => {
                *permitted = true;
                self.asks_who(asked) || self.only_looks_up(asked)
            }
        }
    }

    /// Whether nothing of the row that was read stands in a value but what something else was looked up by.
    fn only_looks_up(&self, term: TermId) -> bool {
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        let of_read = |term: &TermId| scene.origins(*term).iter().any(|origin| self.is_read(origin.event));
        match terms.get(term) {
            Term::Computed(by, parts) if is_lookup(by) && parts.len() > 1 => {
                parts.first().is_some_and(|map| !of_read(map))
            }
            Term::Computed(_, parts) | Term::Either(parts) => {
                parts.iter().filter(|part| of_read(part)).all(|part| self.only_looks_up(*part))
            }
            Term::Field(of, _) | Term::Exists(of) => self.only_looks_up(*of),
            _ => false,
        }
    }

    /// Whether a check only asks what the one who sends the request may do: it looks at a state, no amount, of the row that
    /// is looked for by who that is, and only others give it another value, who appoint somebody or dismiss him.
    pub fn is_of_who_asks(&self, check: &Check) -> bool {
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        let (LooksAt::Column(column), Some(cond)) = (&check.looks_at, check.cond) else { return false };
        let table = &self.reads.table.name;
        let by_asker = |predicate: &Predicate| {
            let asked = self.read.access().map(|read| scene.terms_in(read, &predicate.value)).unwrap_or_default();
            !asked.is_empty() && asked.iter().all(|term| scene.ev.says_who_asks(scene.plain(*term)))
        };
        let named = self.reads.filter.iter().filter(|predicate| predicate.op == Compare::Eq);
        let own = || self.reads_by_key() && named.clone().any(by_asker);
        let given = || {
            let row = |origin: &Origin| origin.event == self.read.id;
            scene.origins(scene.ev.cond(cond).term).iter().any(row) && scene.ev.gives_row_of_asker(self.read.id)
        };
        let sets = |event: &Event| dependency::sets_in(event, (table, column));
        let functions = self.own_functions();
        let mut others = scene.rivals.writers.others((table, column), scene.flow.function, &functions).peekable();
        !terms.measures(scene.ev.cond(cond).term)
            && (own() || given())
            && !scene.flow.events.iter().any(sets)
            && others.peek().is_some()
            && others.all(|writer| writer.appoints)
    }

    /// Whether a column is only asked for a value to go on with: where there is one, another read asks by it, or who may go on
    /// is compared with it, and those decide.
    pub fn only_leads_on(&self, check: &Check) -> bool {
        let LooksAt::Column(_) = &check.looks_at else { return false };
        let (scene, terms) = (self.scene, &self.scene.ev.terms);
        let there = |check: &Check| match terms.get(scene.ev.cond(check.cond?).term) {
            Term::Exists(of) if matches!(terms.get(*of), Term::Field(..)) => Some(*of),
            _ => None,
        };
        let looked_up = |check: &Check, value: TermId| {
            let asked = check.cond.map(|cond| terms.get(scene.ev.cond(cond).term));
            matches!(asked, Some(Term::Exists(of)) if matches!(terms.get(*of), Term::Computed(by, _) if is_lookup(by)) && terms.mentions(*of, value))
        };
        let Some(value) = there(check) else { return false };
        let mut of_column = self.sequence.checks.iter().filter(|other| other.looks_at == check.looks_at);
        let compared = of_column.clone().any(|other| there(other).is_none() && !looked_up(other, value));
        let asks_by = |event: &Event| {
            event.access().is_some_and(|access| {
                let asked = access.statement.accesses.iter().filter(|one| one.action == Action::Read);
                let mut filters = asked.flat_map(|one| &one.filter);
                filters.any(|predicate| scene.terms_in(access, &predicate.value).contains(&value))
            })
        };
        let decides = || {
            let (from, to) = (scene.place(self.read.id), scene.place(self.write.id));
            let between = scene.flow.events.iter().filter(|event| (from..to).contains(&scene.place(event.id)));
            between.filter(|event| event.id != self.read.id).any(asks_by)
        };
        let settled = |other: &Check| there(other) == Some(value) || looked_up(other, value) || self.permits(other);
        of_column.all(settled) && (compared || decides())
    }

    /// Whether a statement is the read, or the same one as it is sent to another engine.
    pub fn is_read(&self, other: EventId) -> bool {
        let same = |event: &Event| {
            let (Some(one), Some(two)) = (event.access(), self.read.access()) else { return false };
            one.text == two.text && !one.text.is_empty() && !alternatives::one_run_passes(self.scene, event, self.read)
        };
        other == self.read.id || self.scene.event(other).is_some_and(same)
    }

    /// Those writes of some kind between the read and a later event that depend on the read as well and that only one
    /// request can get through, with what sees to it.
    pub fn decided_before(
        &self,
        until: EventId,
        of_kind: impl Fn(&Event) -> bool,
    ) -> impl Iterator<Item = (Sequence, Protection)> {
        let (scene, read) = (self.scene, self.read.id);
        let writes = scene.between_of(Kind::Write, read, until).filter(move |write| of_kind(write));
        writes.flat_map(move |write| {
            let sequences = scene.sequences(write);
            let own: Vec<Sequence> = sequences.iter().filter(|other| other.read == read).cloned().collect();
            own.into_iter().filter_map(move |sequence| match scene.verdict(&sequence) {
                Verdict::Racy { .. } | Verdict::Safe(Protection::Idempotent | Protection::NoRival) => None,
                Verdict::Safe(protection) => Some((sequence, protection)),
            })
        })
    }

    /// Whether the rows that were read are deleted before a new one is inserted: it goes in whether they were there or not.
    pub fn replaced_before(&self, insert: EventId) -> bool {
        let Some(read) = self.read.access() else { return false };
        self.scene.between_of(Kind::Write, self.read.id, insert).any(|event| {
            let Some(access) = event.access() else { return false };
            access.statement.target().is_some_and(|target| {
                target.action == Action::Delete
                    && target.table.name == self.reads.table.name
                    && rows::compare_keys(self.scene, (read, self.reads), (access, target)) == (true, false)
            })
        })
    }

    /// Whether a column says which row it is, not what state it is in: it is never null, no other row has the same, and
    /// the program finds rows by it.
    pub fn names_row(&self, column: &Name) -> bool {
        let Some(table) = self.scene.schema.table(&self.reads.table.name) else { return false };
        let asked = self.scene.rivals.asked.get(&self.reads.table.name);
        asked.is_some_and(|asked| asked.contains(column))
            && table.keys().any(|key| key == [column.clone()])
            && table.columns.iter().any(|def| def.name == *column && !def.nullable)
    }

    /// Whether the row is asked for by a value that this request drew: another one draws another, but for a rare chance.
    pub fn asks_by_chance(&self) -> bool {
        let Some(read) = self.read.access() else { return false };
        let drawn = |predicate: &Predicate| {
            let asked = self.scene.terms_in(read, &predicate.value);
            asked.iter().any(|term| is_by_chance(&self.scene.ev.terms, *term))
        };
        self.reads.filter.iter().any(|predicate| predicate.op == Compare::Eq && drawn(predicate))
    }

    /// Whether the read asks for one row by a key of its table.
    pub fn reads_by_key(&self) -> bool {
        rows::asked_by_key(self.scene, self.reads)
    }

    /// Whether the read picks its row by a state that the write moves it out of, instead of by a key.
    pub fn picks(&self) -> bool {
        if self.reads_by_key() || !self.sequence.key_from_row || self.reads.aggregate.is_some() {
            return false;
        }
        let state = |predicate: &Predicate| {
            matches!(
                predicate.value,
                Operand::Literal(_)
                    | Operand::Null
                    | Operand::Expr { .. }
                    | Operand::Placeholder(_)
                    | Operand::Named(_)
            ) || matches!(predicate.op, Compare::IsNull | Compare::IsNotNull | Compare::Other)
        };
        let moves = self.reads.filter.iter().filter(|predicate| state(predicate)).any(|predicate| {
            let given = |column: &Name| {
                dependency::written(self.target).any(|set| set.column == *column && !self.stays_found(predicate, set))
            };
            predicate.columns.iter().any(|column| !self.rewrites(column) && given(column))
        });
        let takes = self.target.action == Action::Delete && (self.reads.limit.is_some() || self.reads.ordered);
        moves || takes
    }

    /// Whether a column is only asked for by the read's own WHERE, and the row is found by that as before when it was given
    /// what the write gives it.
    pub fn is_found_again(&self, check: &Check, column: &Name) -> bool {
        let asked = self.reads.filter.iter().filter(|predicate| predicate.columns.contains(column));
        let stays = |predicate: &Predicate| {
            let mut given = dependency::written(self.target).filter(|set| set.column == *column);
            given.all(|set| self.stays_found(predicate, set))
        };
        side::is_of_filter(self.scene, self.sequence, check, column)
            && !self.scene.found_nothing(self.read.id, self.write)
            && asked.clone().next().is_some()
            && asked.into_iter().all(stays)
    }

    /// Whether a row that was found by a condition is found by it as before when the column was given this: the value that
    /// was asked for, another one that fits as well, or a new name in place of the one that a request brought.
    fn stays_found(&self, asked: &Predicate, set: &Assignment) -> bool {
        let (Some(read), Some(write)) = (self.read.access(), self.write.access()) else { return false };
        let scene = self.scene;
        // One of several that may be given is not the one that was asked for.
        let same = || {
            let Some(given) = write.bound(&set.value).map(|term| scene.plain(term)) else { return false };
            let mut known = scene.terms_in(read, &asked.value).into_iter().map(|term| scene.plain(term));
            !matches!(scene.ev.terms.get(given), Term::Either(_)) && known.any(|term| term == given)
        };
        let fits = || {
            let held = recheck::held(scene, write, &set.value);
            held.is_some_and(|held| side::finds(scene, read, asked, &held) == Some(true))
        };
        let renamed = || {
            let brought = scene.terms_in(read, &asked.value);
            !brought.is_empty() && brought.iter().all(|term| scene.ev.terms.matters(*term)) && !self.gives_fixed(set)
        };
        match asked.op {
            _ if is_kept_without(set) => true,
            Compare::Eq => same() || fits() || renamed(),
            Compare::Other => same(),
            Compare::In => same() || fits(),
            _ => fits(),
        }
    }

    /// Whether a test that is not understood may say of the new value what it said of the old one: what is written is neither
    /// a constant nor the time nor made of what stood there, and no check compares the column itself with something.
    pub fn may_pass_again(&self, column: &Name) -> bool {
        let (ev, terms) = (self.scene.ev, &self.scene.ev.terms);
        let mut given = dependency::written(self.target).filter(|set| set.column == *column);
        let known = given.any(|set| set.value.is_relative() || self.gives_fixed(set));
        let made_of_row = self.sequence.values.iter().any(|value| value.column == *column);
        let of_column = |check: &&Check| matches!(&check.looks_at, LooksAt::Column(name) if name == column);
        let compared = |check: &Check| {
            let Some(cond) = check.cond else { return true };
            let mut open = vec![ev.cond(cond).term];
            while let Some(term) = open.pop() {
                match terms.get(term) {
                    Term::Computed(by, parts) if COMPARING.contains(&by.as_str()) => open.extend(parts.iter().copied()),
                    Term::Either(parts) => open.extend(parts.iter().copied()),
                    Term::Exists(of) => open.push(*of),
                    Term::Field(_, name) if name == column => return true,
                    _ => {}
                }
            }
            false
        };
        !known && !made_of_row && !self.sequence.checks.iter().filter(of_column).any(compared)
    }

    /// Whether a column gets a value made of what it held: an edit, not a state that the row is moved to.
    fn rewrites(&self, column: &str) -> bool {
        self.sequence
            .values
            .iter()
            .any(|value| value.column == column && matches!(&value.from, LooksAt::Column(from) if from == column))
    }

    /// Whether an UPDATE leaves the rows that were read as many as they are: it moves no column that chose them, or only asks
    /// for rows that are among them and leaves them there.
    pub fn keeps_count(&self) -> bool {
        let mut written = dependency::written(self.target);
        let chosen_by = |set: &Assignment| {
            let mut by = self.reads.filter.iter().filter(|predicate| predicate.columns.contains(&set.column));
            by.all(|predicate| self.leaves_among(predicate, set))
        };
        self.target.action == Action::Update && written.all(|set| set.column != "?" && chosen_by(set))
    }

    /// Whether a write repeats a condition by which rows were chosen, and what it gives the column fits it as well.
    fn leaves_among(&self, chosen: &Predicate, set: &Assignment) -> bool {
        let (Some(read), Some(write)) = (self.read.access(), self.write.access()) else { return false };
        let same = |access: &Access, own: &Predicate| {
            own.columns == chosen.columns
                && own.op == chosen.op
                && self.scene.same_value((read, &chosen.value), (access, &own.value)) == Some(true)
        };
        // Or the row was found so before.
        let found = |other: &Sequence| {
            let Some(access) = self.scene.access(other.read) else { return false };
            let Some(own) = access.statement.accesses.get(other.read_access) else { return false };
            other.relation == Relation::SameRow
                && own.table.name == self.target.table.name
                && own.filter.iter().any(|own| same(access, own))
        };
        let again =
            self.target.filter.iter().any(|own| same(write, own)) || self.scene.sequences(self.write).iter().any(found);
        again
            && chosen.columns.len() == 1
            && recheck::held(self.scene, write, &set.value)
                .is_some_and(|held| side::finds(self.scene, read, chosen, &held) == Some(true))
    }

    /// High, lowered by what was guessed on the way.
    pub fn confidence(&self) -> Confidence {
        let guessed = self.read.calls.iter().chain(self.write.calls.iter()).any(|call| call.guessed);
        let likely = self.sequence.relation == Relation::LikelySameRow;
        let one_process = self.tried.contains(&WhyNot::OneProcess);
        // Nobody knows which table it is.
        let unknown = |access: Option<&TableAccess>| access.is_some_and(|access| access.table.name == "?");
        let read = self.read.access().and_then(|read| read.statement.accesses.get(self.sequence.read_access));
        if unknown(read) || unknown(Some(self.target)) {
            return Confidence::Low;
        }
        // A file that one process guards with a lock in its memory is hardly ever opened by a second one.
        if one_process && self.write.dialect == Dialect::Sqlite {
            return Confidence::Low;
        }
        let not_in_sight = self.tried.contains(&WhyNot::NoneInSight);
        if guessed || likely || one_process || not_in_sight { Confidence::Medium } else { Confidence::High }
    }
}

/// Whether a column keeps what it holds where the request brings nothing for it: `coalesce($2, state)`. That is an edit, and no
/// mark.
fn is_kept_without(set: &Assignment) -> bool {
    let Operand::Expr { text, parts } = &set.value else { return false };
    let brought = |part: &Operand| matches!(part, Operand::Placeholder(_) | Operand::Named(_));
    let own = |part: &Operand| matches!(part, Operand::Column { column, .. } if *column == set.column);
    text.trim_end_matches("()") == "coalesce" && matches!(parts.as_slice(), [new, old] if brought(new) && own(old))
}

/// Whether a part of a value that is none stands in a value.
fn is_of_nothing(terms: &Terms, term: TermId) -> bool {
    let is_none = |of: TermId| matches!(terms.get(of), Term::Literal(text) if text == "none");
    terms.any(term, |_| true, |part| matches!(terms.get(part), Term::Field(of, _) if is_none(*of)))
}

/// Whether a call looks something up by a value: in a map, a cache.
fn is_lookup(by: &str) -> bool {
    by == "get" || by == "get_mut" || by == "remove"
}
