//! The first waist: what a function does to rows, as events in program order. No syntax, no SQL parser, no rule.
//!
//! A [`Flow`] is one function as its caller sees it. Its events include those of the functions it calls, in place, with
//! the calls that lead to them; branches are not enumerated: two events are on one path unless their [`Path`]s say that
//! they stand in different arms of one branch.

use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

use crate::dialect::{Dialect, Isolation};
use crate::flow::clock::is_of_clock;
use crate::flow::distant::Distant;
use crate::flow::names::Owners;
use crate::flow::term::{Term, TermId, Terms};
use crate::flow::value::Value;
use crate::link::{FnId, TypeId};
use crate::lower::tree::Name;
use crate::span::Span;
use crate::sql::statement::{Access as TableAccess, Action, BeginMode, Compare, Operand, Statement};

/// Names an event; where a function is called several times, each time its events have other ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u32);

/// Names a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CondId(pub u32);

/// A list of conditions. Most are empty, and those take no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conds(Option<Arc<[CondId]>>);

impl Deref for Conds {
    type Target = [CondId];

    fn deref(&self) -> &[CondId] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl From<Vec<CondId>> for Conds {
    fn from(all: Vec<CondId>) -> Self {
        Self((!all.is_empty()).then(|| all.into()))
    }
}

impl FromIterator<CondId> for Conds {
    fn from_iter<I: IntoIterator<Item = CondId>>(all: I) -> Self {
        Self::from(Vec::from_iter(all))
    }
}

/// One function, evaluated.
#[derive(Clone, Debug)]
pub struct Flow {
    pub function: FnId,
    /// It can lead to a statement, however far below.
    pub reaches_rows: bool,
    pub events: Vec<Event>,
    /// The conditions on which events and the result depend, those of called functions included.
    pub conds: Vec<CondId>,
    /// Conditions far below that callers are told of in one of these.
    pub distant: Option<Distant>,
    /// The statements whose outcome some condition looks at, also one on which nothing depends.
    pub looked_at: Vec<EventId>,
    pub returns: Value,
    /// What it gives on each of its ways out, where it has several.
    pub answers: Vec<Answer>,
    /// What it leaves in the arguments that are lent to it to be changed.
    pub left: Vec<Left>,
    /// Pairs of a read and a write inside called functions whose verdict depends on the handle they are given.
    pub open: Vec<(EventId, EventId)>,
    /// Branches that a constant argument decides.
    pub switches: Vec<Switch>,
    /// Arms in which reads have found no row.
    pub absences: Vec<Absence>,
    /// Arms in which something that is inserted is none.
    pub blanks: Vec<Blank>,
    /// Arms to which only some ways lead.
    pub leads: Vec<Lead>,
    /// Whose names its events, branches and unknowns have.
    pub held: Owners,
}

/// What a function gives on one of its ways out.
#[derive(Clone, Debug)]
pub struct Answer {
    pub way: Path,
    pub term: TermId,
}

/// A value that is left in a part of an argument.
#[derive(Clone, Debug)]
pub struct Left {
    pub argument: u16,
    /// The fields that lead to the part; none for the argument as a whole.
    pub path: Vec<Name>,
    pub value: Value,
}

/// The arms of a branch that are taken where reads have found no row.
#[derive(Clone, Debug)]
pub struct Absence {
    pub branch: u32,
    pub arms: u64,
    pub reads: Arc<[EventId]>,
}

/// The arms of a branch that are taken where a value that comes from no statement is none.
#[derive(Clone, Copy, Debug)]
pub struct Blank {
    pub branch: u32,
    pub arms: u64,
    pub of: TermId,
}

/// Arms of a branch that are only taken by who came on one of some ways.
#[derive(Clone, Debug)]
pub struct Lead {
    pub branch: u32,
    pub arms: u64,
    pub ways: Arc<[Path]>,
}

/// A branch on the name of a value: a variant without fields, or a bool.
#[derive(Clone, Debug)]
pub struct Switch {
    pub branch: u32,
    /// What is tested.
    pub on: TermId,
    /// The names each arm is for; none for one that takes all others.
    pub arms: Arc<[Option<Vec<Name>>]>,
    /// The enum whose variants all of the names are: what has another name is one of the others.
    pub of: Option<TypeId>,
    /// An arm may be passed over though its name is the right one: by its guard, or by what else its pattern asks for.
    pub passed_over: bool,
    /// The call that it chooses the function of.
    pub call: Option<Span>,
}

impl Switch {
    /// A branch whose arms the names alone decide.
    pub fn on(branch: u32, on: TermId, arms: Vec<Option<Vec<Name>>>) -> Self {
        Self { branch, on, arms: arms.into(), of: None, passed_over: false, call: None }
    }

    /// The arms that a value may take of whose name is told whether it is one of an arm's.
    pub fn arms_for(&self, is: impl Fn(&Name) -> bool) -> u64 {
        let mask = |of: &dyn Fn(&Option<Vec<Name>>) -> bool| {
            let all = self.arms.iter().enumerate().filter(|(_, arm)| of(arm));
            all.fold(0, |mask, (place, _)| mask | 1u64 << place.min(63))
        };
        let named = mask(&|arm| arm.iter().flatten().any(&is));
        let others = || mask(&|arm| arm.is_none());
        if self.passed_over || named == 0 { named | others() } else { named }
    }
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: EventId,
    pub kind: EventKind,
    pub span: Span,
    /// The function whose text holds the event.
    pub function: FnId,
    /// The calls from the evaluated function to that one, outermost first.
    pub calls: Arc<[Call]>,
    /// The pool, connection or transaction it runs on.
    pub on: Option<TermId>,
    pub dialect: Dialect,
    pub path: Path,
    /// The conditions that decide whether it happens.
    pub deps: Conds,
    /// In-process lock guards alive at the event.
    pub guards: Arc<[Guard]>,
    /// It stands in a loop, or in a task of its own.
    pub repeated: bool,
    /// Every way on from it leaves its function with an error.
    pub refused: bool,
}

/// A call that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub function: FnId,
    pub span: Span,
    /// Several functions could be meant.
    pub guessed: bool,
}

/// A guard of a mutex, read-write lock or semaphore that is held in this process, or of a named lock of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The guard itself; each call of `lock()` gives another.
    pub guard: TermId,
    /// The lock; of one in the database what the statement that took it gave.
    pub lock: TermId,
    pub span: Span,
    /// Readers do not exclude each other.
    pub shared: bool,
    /// Nothing is inside: it can only be there to let one in after the other. What holds a value keeps that value.
    pub empty: bool,
}

impl Guard {
    /// The statement that took the lock, where it is one in the database.
    pub fn taken_by(&self, terms: &Terms) -> Option<EventId> {
        if let Term::Row(event) = terms.get(self.lock) { Some(*event) } else { None }
    }
}

#[derive(Clone, Debug)]
pub enum EventKind {
    /// A statement is sent.
    Access(Access),
    /// A transaction begins on the pool or connection `from`, or a savepoint inside the transaction `from`.
    Begin {
        from: Option<TermId>,
        isolation: Option<Isolation>,
        mode: BeginMode,
    },
    Commit,
    /// Also a transaction that is dropped.
    Rollback,
    /// A lock inside the process is taken; how long its guard lives is in [`Event::guards`].
    Locked(Guard),
    /// Something leaves the process: payment, mail, HTTP, message, file.
    Effect(Effect),
    /// A function value that was handed in is called; the caller knows which.
    CallParam {
        callee: TermId,
        args: Arc<[Value]>,
        result: TermId,
    },
}

#[derive(Clone, Debug)]
pub struct Access {
    pub statement: Arc<Statement>,
    /// The value of each placeholder.
    pub binds: Arc<[TermId]>,
    pub named: Arc<[(Name, TermId)]>,
    /// The conditions that chose among bound values, and decide nothing else.
    pub chosen_by: Conds,
    /// No row is an error here (`fetch_one`), so that a guarded RETURNING cannot pass unnoticed.
    pub row_required: bool,
    /// The statement's text as far as it is constant, for messages.
    pub text: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What is called, as written: `gateway.charge`.
    pub name: String,
    pub kind: EffectKind,
    /// Known by its crate or by the configuration, not by its name alone.
    pub certain: bool,
    /// What a file is named by, or the request that is sent, where that is known.
    pub named: Arc<[TermId]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EffectKind {
    Payment,
    Mail,
    Http,
    Message,
    File,
    Other,
}

/// A condition on which something depends.
#[derive(Clone, Debug)]
pub struct Cond {
    /// What is tested.
    pub term: TermId,
    /// Conditions that decided the tested value: the early returns of a function whose result is tested.
    pub inner: Conds,
    /// Comparisons found in it.
    pub compares: Arc<[Comparison]>,
    pub span: Span,
    pub function: FnId,
    pub kind: CondKind,
    /// The branch that it decides.
    pub decides: Option<Decided>,
}

/// A branch that one condition decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    pub branch: u32,
    /// It is an `if`: in its first arm the condition holds, in its second it does not.
    pub is_if: bool,
    /// The arms that are taken where an option is none, or a result an error; none of them where nothing is said of that.
    pub lacking: u64,
    /// The arms that leave the function.
    pub left: u64,
    /// The arms that give nothing but an error.
    pub refused: u64,
    /// The one kind of error that those arms give, by its name; none where they give several or nobody knows.
    pub error: Option<TermId>,
}

impl Decided {
    /// A `match`, by its branch and the arms that are taken where there is nothing.
    pub fn of(branch: u32, lacking: u64) -> Self {
        Self { branch, is_if: false, lacking, left: 0, refused: 0, error: None }
    }
}

/// `left op right` inside a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub left: TermId,
    pub op: Compare,
    pub right: TermId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CondKind {
    /// `if`, `while`, `match`.
    Test,
    /// `ensure!`, `assert_eq!`: the function is left when it does not hold.
    Must,
    /// `?`, `unwrap`, `let … else`: the way on needs a value to be there.
    Presence,
    /// The body of a loop over rows.
    Each,
}

/// Which arms of which branches an event stands in, outermost first: in the order of the branches' numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Arc<[(u32, u64)]>);

impl Path {
    /// The path with one more branch: `arms` is a bit set of the arms that lead on.
    pub fn enter(&self, branch: u32, arms: u64) -> Self {
        Self::of(self.0.iter().copied().chain([(branch, arms)]).collect())
    }

    /// A path through branches.
    pub fn of(mut branches: Vec<(u32, u64)>) -> Self {
        branches.sort_by_key(|(branch, _)| *branch);
        Self(branches.into())
    }

    /// The way on which both paths are gone; none where no run goes on both.
    pub fn within(&self, outer: &Self) -> Option<Self> {
        let mut all: Vec<(u32, u64)> = self.0.to_vec();
        for (branch, arms) in outer.0.iter() {
            match all.iter_mut().find(|(known, _)| known == branch) {
                Some((_, own)) if *own & arms == 0 => return None,
                Some((_, own)) => *own &= arms,
                None => all.push((*branch, *arms)),
            }
        }
        Some(Self::of(all))
    }

    /// The arms of a branch that lead on; none for a branch it does not stand in.
    pub fn arms_of(&self, branch: u32) -> Option<u64> {
        let place = self.0.binary_search_by_key(&branch, |(known, _)| *known).ok()?;
        Some(self.0[place].1)
    }

    /// Whether one run can pass both.
    pub fn meets(&self, other: &Self) -> bool {
        let (mut here, mut there) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((branch, arms)), Some((b, a))) = (here.peek(), there.peek()) {
            match branch.cmp(b) {
                Ordering::Less => drop(here.next()),
                Ordering::Greater => drop(there.next()),
                Ordering::Equal if arms & a == 0 => return false,
                Ordering::Equal => drop((here.next(), there.next())),
            }
        }
        true
    }
}

impl Access {
    /// The value that stands for a placeholder or a named value; values that are bound by name may be meant by position.
    pub fn bound(&self, operand: &Operand) -> Option<TermId> {
        let named = |name: &Name| self.named.iter().find(|(known, _)| known == name).map(|(_, term)| *term);
        match operand {
            Operand::Placeholder(n) => {
                let by_name = || self.named.get(*n).map(|(_, term)| *term);
                self.binds.get(*n).copied().or_else(by_name)
            }
            Operand::Named(name) => {
                named(name).or_else(|| (self.named.is_empty() && self.binds.len() == 1).then(|| self.binds[0]))
            }
            _ => None,
        }
    }

    /// A value that is the same in each request, also where it is bound; NULL by its name.
    pub fn constant(&self, terms: &Terms, operand: &Operand) -> Option<Name> {
        match operand {
            Operand::Literal(text) => Some(text.as_str().into()),
            Operand::Null => Some("NULL".into()),
            _ => match terms.get(self.bound(operand)?) {
                Term::Literal(text) => Some(text.clone()),
                _ => None,
            },
        }
    }

    /// The constants of a list that a condition asks for; none where something else is in it.
    pub fn constants(&self, terms: &Terms, list: &Operand) -> Option<Vec<Name>> {
        match list {
            Operand::Expr { text, parts } if text == "list" => {
                parts.iter().map(|part| self.constant(terms, part)).collect()
            }
            _ => match terms.get(self.bound(list)?) {
                Term::Computed(by, parts) if by == "tuple" => {
                    let constant = |part: &TermId| match terms.get(*part) {
                        Term::Literal(text) => Some(text.clone()),
                        _ => None,
                    };
                    parts.iter().map(constant).collect()
                }
                _ => None,
            },
        }
    }

    /// Whether a value is the time at which the statement is sent.
    pub fn is_now(&self, terms: &Terms, value: &Operand) -> bool {
        match value {
            Operand::Expr { text, parts } if parts.is_empty() => names_time(text),
            Operand::Expr { parts, .. } => {
                parts.iter().any(|part| self.is_now(terms, part))
                    && parts.iter().all(|part| matches!(part, Operand::Literal(_)) || self.is_now(terms, part))
            }
            _ => self.bound(value).is_some_and(|term| is_of_clock(terms, term) && !terms.matters(term)),
        }
    }
}

/// Whether an expression without parts is the time, and no number that is new each time.
pub fn names_time(text: &str) -> bool {
    let text = text.to_lowercase();
    ["now", "time", "date"].iter().any(|word| text.contains(word))
}

impl Event {
    /// Whether it leaves something done: rows are written, something leaves the process, or a function that was handed in
    /// is called, which may do either.
    pub fn acts(&self) -> bool {
        match &self.kind {
            EventKind::Access(access) => access.statement.writes(),
            EventKind::Effect(_) | EventKind::CallParam { .. } => true,
            _ => false,
        }
    }

    pub fn access(&self) -> Option<&Access> {
        match &self.kind {
            EventKind::Access(access) => Some(access),
            _ => None,
        }
    }

    /// What its statement writes, where it is one that writes.
    pub fn target(&self) -> Option<&TableAccess> {
        self.access()?.statement.target()
    }

    /// Whether its statement does this to the rows that it writes.
    pub fn does(&self, action: Action) -> bool {
        self.target().is_some_and(|target| target.action == action)
    }
}
