//! What a write takes away that was made of an old read: from another run of the same code, or from another statement.

use crate::event::{Access, Event};
use crate::flow::clock::is_of_clock;
use crate::flow::random::is_by_chance;
use crate::flow::term::{Part, Term, TermId};
use crate::link::FnId;
use crate::lower::tree::Name;
use crate::protect::merges;
use crate::race::side::Held;
use crate::race::writers::{Told, is_kept, joins_something};
use crate::race::{LooksAt, Written, common, dependency, kind, met, rows, side, upsert};
use crate::rules::claim::Facts;
use crate::sql::statement::Assignment;

/// Another statement of the program that comes in between.
#[derive(Clone, Debug)]
pub struct Counterpart {
    /// The column that it gives a value of its own.
    pub column: Name,
    pub writer: Told,
}

/// Whom a write of old values does harm.
#[derive(Clone, Debug)]
pub enum Loss {
    /// A second run of the same code, whose own new value is gone.
    Itself,
    /// Another statement, whose value is undone.
    Other(Counterpart),
    /// Two runs write the same, and nobody else writes the columns.
    Nobody,
}

/// How a value is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// Something is put to what was there: two runs lose one of two additions.
    Joined,
    /// Nobody knows how, with something that differs from request to request.
    Mixed,
    /// Of what was there alone: two runs write the same.
    Kept,
}

impl Facts<'_, '_> {
    /// Whom the values that are as old as the read do harm.
    pub fn loss(&self) -> Loss {
        let fresh = |value: &&Written| {
            dependency::written(self.target).any(|set| set.column == value.column && set.value.is_relative())
                || self.issues(value)
                || self.is_for_life(value)
                || merges::only_moves_on(self.scene, self.sequence, &value.column)
        };
        let values: Vec<&Written> = self.sequence.values.iter().filter(|value| !fresh(value)).collect();
        let made: Vec<Made> = values.iter().map(|value| self.made(value)).collect();
        if made.contains(&Made::Joined) {
            return Loss::Itself;
        }
        if let Some(other) = self.revived() {
            return Loss::Other(other);
        }
        let own = self.own_functions();
        let others = values.iter().filter_map(|value| match &value.from {
            LooksAt::Column(column) => {
                self.other_writer(column, &own).map(|other| ((!value.is_own(), value.is_handed_back()), other))
            }
            _ => None,
        });
        let best = others.min_by_key(|(rank, other)| (*rank, other.writer.breadth));
        match best {
            Some((_, other)) => Loss::Other(other),
            None if made.contains(&Made::Mixed) => Loss::Itself,
            None => Loss::Nobody,
        }
    }

    /// Whether a value is made of a column of another name that no statement changes: it is as true as it was, such as the row's
    /// key in the name of a file.
    fn is_for_life(&self, value: &Written) -> bool {
        matches!(&value.from, LooksAt::Column(column)
            if *column != value.column && !self.scene.rivals.changes(&self.reads.table.name, column))
    }

    /// Whether a value is a new one in each run, whatever it says of other columns of the row: a token that is issued now.
    pub fn issues(&self, value: &Written) -> bool {
        let Some(access) = self.write.access() else { return false };
        let terms = &self.scene.ev.terms;
        let given = dependency::written(self.target).filter(|set| set.column == value.column);
        let mut given = given.flat_map(|set| self.scene.terms_in(access, &set.value)).peekable();
        !value.is_own()
            && given.peek().is_some()
            && given.all(|term| is_of_clock(terms, term) || is_by_chance(terms, term))
    }

    /// Another statement that changes a state which was asked for and is written back as it was read: what that did is undone,
    /// and the check with it.
    pub fn revived(&self) -> Option<Counterpart> {
        let own = self.own_functions();
        let states = self.sequence.checks.iter().filter_map(|check| match &check.looks_at {
            LooksAt::Column(column) if self.hands_back(column) && !self.permits(check) => Some(column),
            _ => None,
        });
        let spoilers = states.filter(|column| !self.names_row(column)).filter_map(|column| self.spoiler(column, &own));
        spoilers.min_by_key(|other| (other.writer.constants.is_none(), other.writer.breadth))
    }

    /// Another statement that gives a column a value, may find the row that was read, and is one of these.
    fn another(&self, column: &Name, own: &[FnId], is: impl Fn(&Told) -> bool) -> Option<Counterpart> {
        let (table, writers) = (&self.reads.table.name, &self.scene.rivals.writers);
        let mut others = writers.others((table, column), self.scene.flow.function, own);
        let writer = others.find(|writer| is(writer) && self.may_find(writer))?;
        Some(Counterpart { column: column.clone(), writer })
    }

    /// Another statement that gives a checked column a new value and takes back with it what this write puts into another
    /// column: an address is changed, and is not proved any more. However the check is meant, what is written belongs to the
    /// value that was found.
    pub fn taker_back(&self, column: &Name, own: &[FnId]) -> Option<Counterpart> {
        let takes_back = |set: &Assignment, writer: &Told| {
            let given = self.constants(&set.column).filter(|_| set.column != *column);
            let otherwise =
                |names: &Vec<Name>, given: &[Name]| !names.is_empty() && !names.iter().any(|name| is_any(name, given));
            given.is_some_and(|given| {
                writer.moves.iter().any(|(moved, names)| *moved == set.column && otherwise(names, &given))
            })
        };
        let written = || dependency::written(self.target);
        self.another(column, own, |writer| !writer.inserts && written().any(|set| takes_back(set, writer)))
    }

    /// Another statement that gives a column of the row that was read a value of its own: another one than this, where the
    /// write gives it the same in each run.
    pub fn other_writer(&self, column: &Name, own: &[FnId]) -> Option<Counterpart> {
        let given = self.constants(column);
        self.another(column, own, |writer| given.is_none() || writer.constants != given)
    }

    /// The same for a write that gives a column a value whatever stands in it by then: what the checks on it let on as well
    /// would have been written over by who came later, too. What a service outside answered is as good as what it said before, and
    /// one time as another.
    pub fn undone_writer(&self, column: &Name, own: &[FnId]) -> Option<Counterpart> {
        let (given, away) = (self.constants(column), side::turned_away(self.scene, self.sequence, column));
        let lets_on = |writer: &Told| match (&away, &writer.constants) {
            (Some(away), Some(given)) => !away.is_empty() && !away.iter().any(|name| is_any(name, given)),
            // The time is something.
            (Some(away), None) => {
                let nothing = |name: &Name| matches!(name.as_str(), "NULL" | "none");
                writer.now && !away.is_empty() && away.iter().all(nothing)
            }
            (None, _) => false,
        };
        let answered = self.gives_answer(column);
        let now = self.gives_time(column);
        let another = |writer: &Told| {
            (given.is_none() || writer.constants != given) && !(answered && writer.answered) && !(now && writer.now)
        };
        self.another(column, own, |writer| another(writer) && !lets_on(writer))
    }

    /// Another statement that gives a column of the row that was read a value by which it is not found again.
    pub fn taking_writer(&self, column: &Name, own: &[FnId]) -> Option<Counterpart> {
        let asked = kind::asked_for(&self.scene.ev.terms, self.read.access()?, self.reads);
        let stays = |given: &Vec<Name>| {
            let mut on_it = asked.iter().filter(|(name, _)| name == column);
            on_it.any(|(_, asked)| asked.iter().any(|name| is_any(name, given)))
        };
        self.another(column, own, |writer| !writer.constants.as_ref().is_some_and(stays))
    }

    /// Another statement that gives a column of the row that was read something new in each request.
    pub fn adding_writer(&self, column: &Name, own: &[FnId]) -> Option<Counterpart> {
        self.another(column, own, |writer| writer.constants.is_none() && !writer.now)
    }

    /// Another statement that puts the row there, so that an upsert writes over it.
    pub fn other_inserter(&self) -> Option<Counterpart> {
        let (table, writers) = (&self.reads.table.name, &self.scene.rivals.writers);
        let own = self.own_functions();
        let of_column = |column: &Name| {
            let mut others = writers.others((table, column), self.scene.flow.function, &own);
            let writer = others.find(|writer| writer.inserts && self.may_name(writer))?;
            Some(Counterpart { column: column.clone(), writer })
        };
        dependency::written(self.target)
            .filter_map(|set| of_column(&set.column))
            .min_by_key(|other| other.writer.breadth)
    }

    /// Whether another upsert may be of the row that was asked for: one that has a fixed name is met by who names it so.
    fn may_name(&self, writer: &Told) -> bool {
        let Some(read) = self.read.access() else { return true };
        let keys = upsert::met_keys(self.scene.schema, self.target);
        let asked = kind::asked_for(&self.scene.ev.terms, read, self.reads);
        let mut of_key = asked.iter().filter(|(column, _)| keys.iter().any(|key| key.contains(column)));
        of_key.all(|(column, asked)| {
            let mut given = writer.kind.iter().filter(|(name, _)| name == column);
            given.any(|(_, given)| given.iter().any(|name| is_any(name, asked)))
        })
    }

    /// Another statement that can make the checks on a column fail. Where they only turn away some constants, who writes
    /// another one does nothing to them, nor does who writes what a request brings, unless that is one of two.
    pub fn spoiler(&self, column: &Name, own: &[FnId]) -> Option<Counterpart> {
        if !side::asks_by_itself(self.scene, self.sequence, column) {
            return None;
        }
        let away = side::turned_away(self.scene, self.sequence, column);
        let spoils = |writer: &Told| match (&away, &writer.constants) {
            (None, Some(given)) => !met::is_asked_for(self.scene, self.sequence, column, given),
            (None, None) => true,
            (Some(away), Some(given)) => away.iter().any(|name| is_any(name, given)),
            (Some(away), None) => away.iter().any(|name| matches!(name.as_str(), "true" | "false")),
        };
        // Who asks of the new value what is asked here lets no other one in.
        let lets_in = |writer: &Told| {
            writer.passed.as_ref().is_none_or(|passed| !passed.answers(self.scene, self.sequence, column))
        };
        self.another(column, own, |writer| spoils(writer) && lets_in(writer))
    }

    /// Whether all other statements that give a column a value give it what this write does, or what its checks let through.
    pub fn others_write_the_same(&self, set: &Assignment, own: &[FnId]) -> bool {
        let (table, writers) = (&self.reads.table.name, &self.scene.rivals.writers);
        let Some(write) = self.write.access() else { return false };
        let Some(same) = self.scene.ev.constants(write, &set.value) else { return false };
        let away = side::turned_away(self.scene, self.sequence, &set.column);
        let alike = |given: &[Name]| {
            same.iter().any(|name| is_any(name, given))
                || away.as_ref().is_some_and(|away| !away.iter().any(|name| is_any(name, given)))
        };
        let mut others = writers.others((table, &set.column), self.scene.flow.function, own);
        others.all(|writer| writer.constants.as_ref().is_some_and(|given| alike(given)) || !self.may_find(&writer))
    }

    /// Whether the only statements that give a column a value give it what the checks on it let through: a mark that is set,
    /// and never taken away.
    pub fn is_only_made_true(&self, column: &Name) -> bool {
        let (table, writers) = (&self.reads.table.name, &self.scene.rivals.writers);
        let own = self.own_functions();
        let mut others = writers.others((table, column), self.scene.flow.function, &own).peekable();
        let Some(away) = side::turned_away(self.scene, self.sequence, column).filter(|away| !away.is_empty()) else {
            return false;
        };
        let sets_it = |event: &Event| dependency::sets_in(event, (table, column));
        let passes = |writer: &Told| {
            let given = writer.constants.as_ref();
            given.is_some_and(|given| !away.iter().any(|name| is_any(name, given))) || !self.may_find(writer)
        };
        others.peek().is_some()
            && others.all(|writer| passes(&writer))
            && !self.scene.flow.events.iter().any(sets_it)
            && !self.scene.rivals.updated_somehow.contains(table)
    }

    /// Whether another statement may find the row that was read.
    fn may_find(&self, writer: &Told) -> bool {
        let Some(read) = self.read.access() else { return true };
        // Who has found one of these in a column does not come to the write.
        let kept_out = |(column, held): &(Name, Vec<Name>)| {
            let out = |held: &Name| side::turns_out(self.scene, self.sequence, column, &Held::Constant(held.clone()));
            !held.is_empty() && held.iter().all(out)
        };
        !kind::differ(&kind::asked_for(&self.scene.ev.terms, read, self.reads), &writer.kind)
            && !writer.kind.iter().any(kept_out)
            && !self.is_lost_through(writer)
    }

    /// Whether the write finds the row no more once another statement has been there: that has given a column by which the
    /// write asks for its row another value, together with what was checked.
    fn is_lost_through(&self, writer: &Told) -> bool {
        let Some(write) = self.write.access() else { return false };
        let asks_otherwise = |column: &Name, given: &[Name]| {
            self.target.equals(column).is_some_and(|asked| match write.constant(&self.scene.ev.terms, asked) {
                Some(asked) => !is_any(&asked, given),
                None => {
                    let bound = write.bound(asked);
                    given.is_empty() && bound.is_some_and(|term| !is_by_chance(&self.scene.ev.terms, term))
                }
            })
        };
        !self.inserts() && writer.moves.iter().any(|(column, given)| asks_otherwise(column, given))
    }

    /// Whether what the write gives a column is none of what its conditions turn away: whoever comes next goes on as well,
    /// at the same time or later.
    pub fn lets_through(&self, column: &Name) -> bool {
        let passes = |given: Vec<Name>| {
            let away = side::turned_away(self.scene, self.sequence, column);
            away.is_some_and(|away| !away.is_empty() && !away.iter().any(|name| is_any(name, &given)))
        };
        self.constants(column).is_some_and(passes)
    }

    /// Whether what the write gives a column is what its conditions turn away: whoever comes next is told that it is done.
    pub fn shuts_out(&self, column: &Name) -> bool {
        let stops = |given: Vec<Name>| {
            let away = side::turned_away(self.scene, self.sequence, column);
            away.is_some_and(|away| away.iter().any(|name| is_any(name, &given)))
        };
        self.constants(column).is_some_and(stops)
    }

    /// What the write gives a column, where that is the same in each run, under all its names.
    fn constants(&self, column: &Name) -> Option<Vec<Name>> {
        let access = self.write.access()?;
        let mut sets = dependency::written(self.target).filter(|set| set.column == *column);
        let set = sets.next().filter(|_| sets.next().is_none())?;
        self.scene.ev.constants(access, &set.value)
    }

    /// Whether a column is given the time.
    fn gives_time(&self, column: &Name) -> bool {
        let mut given = dependency::written(self.target).filter(|set| set.column == *column).peekable();
        let now = |set: &Assignment| {
            self.write.access().is_some_and(|access| access.is_now(&self.scene.ev.terms, &set.value))
        };
        given.peek().is_some() && given.all(now)
    }

    /// Whether all that is written is the time.
    pub fn notes_time(&self) -> bool {
        let now = |access: &Access, set: &Assignment| access.is_now(&self.scene.ev.terms, &set.value);
        let mut given = dependency::written(self.target).peekable();
        given.peek().is_some() && self.write.access().is_some_and(|access| given.all(|set| now(access, set)))
    }

    /// Whether a column is given a constant, or the time.
    pub fn gives_fixed(&self, set: &Assignment) -> bool {
        let ev = self.scene.ev;
        self.write
            .access()
            .is_some_and(|access| access.is_now(&ev.terms, &set.value) || ev.constants(access, &set.value).is_some())
    }

    /// Whether a column gets back what was read from it, if in another form: it is decoded, encoded, sealed again.
    pub fn keeps(&self, column: &Name) -> bool {
        let mut values = self.sequence.values.iter().filter(|value| value.column == *column).peekable();
        match values.peek() {
            Some(_) => values.all(|value| value.is_own() && self.made(value) == Made::Kept),
            None => self.puts_back(column),
        }
    }

    /// Whether a column gets back what another statement had read from it before.
    fn puts_back(&self, column: &Name) -> bool {
        self.are_found(dependency::written(self.target), column)
    }

    /// Whether all that is given to a column was read from it.
    fn are_found<'s>(&self, sets: impl Iterator<Item = &'s Assignment>, column: &Name) -> bool {
        let Some(access) = self.write.access() else { return false };
        let sets = sets.filter(|set| set.column == *column);
        let mut given = sets.flat_map(|set| self.scene.terms_in(access, &set.value)).peekable();
        given.peek().is_some() && given.all(|term| rows::is_found(self.scene, term, (&self.target.table.name, column)))
    }

    /// Whether an upsert names its row by the key of one that was found: that one is saved again, and none is new.
    pub fn saves_again(&self) -> bool {
        let found = |column: &Name| self.are_found(self.target.sets.iter(), column);
        let keys = upsert::met_keys(self.scene.schema, self.target);
        keys.iter().any(|key| !key.is_empty() && key.iter().all(found))
    }

    /// Whether the write makes the new value of a column from the old one.
    pub fn goes_on_from(&self, column: &Name) -> bool {
        self.sequence.values.iter().any(|value| value.column == *column && value.is_own() && value.computed)
    }

    /// The functions that the write stands in: first the one that holds the sequence.
    pub fn own_functions(&self) -> Vec<FnId> {
        let depth = common(self.read, self.write);
        let holder = crate::story::holder(self.scene.flow, self.read, depth);
        let calls = self.write.calls.iter().skip(depth).map(|call| call.function);
        [holder].into_iter().chain(calls).collect()
    }

    fn made(&self, value: &Written) -> Made {
        let LooksAt::Column(from) = &value.from else { return Made::Joined };
        if self.sequence.follows(value) {
            return Made::Kept;
        }
        let Some(access) = self.write.access() else { return Made::Mixed };
        let sets = dependency::written(self.target).filter(|set| set.column == value.column);
        let terms: Vec<TermId> = sets.flat_map(|set| self.scene.terms_in(access, &set.value)).collect();
        if value.is_own() && terms.iter().any(|term| self.is_joined(*term)) {
            return Made::Joined;
        }
        let one = || {
            let read = self.read.access().map(|read| self.scene.looks_at(&read.statement, &Part::Row, false));
            read.is_some_and(|read| read == value.from)
        };
        let row = one().then_some(self.read.id);
        let kept = terms.iter().all(|term| {
            is_kept(&self.scene.ev.terms, *term, from, row) || value.is_handed_back() && !self.is_choice(*term)
        });
        if kept { Made::Kept } else { Made::Mixed }
    }

    fn is_choice(&self, term: TermId) -> bool {
        matches!(self.scene.ev.terms.get(term), Term::Either(_))
    }

    /// Whether a part of what was read has something put to it.
    pub fn is_joined(&self, term: TermId) -> bool {
        let terms = &self.scene.ev.terms;
        let read = |part: TermId| terms.origins(part).iter().any(|origin| origin.event == self.read.id);
        joins_something(terms, term, read)
    }
}

/// Whether one name is any of those of a constant.
fn is_any(name: &Name, of: &[Name]) -> bool {
    of.iter().any(|other| side::same(name, other))
}
