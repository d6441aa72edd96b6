//! What is known where a value turns out not to be there: which reads had found no row.
//!
//! `find(…)?` gives none on one way through `find`, and a row that is decoded, tested or refused on others. Whoever goes on
//! because there was none has not come by what the others look at.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::event::{Absence, Blank, CondKind, Event, EventId, Path};
use crate::flow::Evaluator;
use crate::flow::mapping::Mapping;
use crate::flow::term::{Term, TermId, Terms, is_record};
use crate::flow::value::{Value, Wrap};
use crate::lower::tree::{Arm, Expr, ExprKind, Lit, Pat, TyPath, UnOp};
use crate::sql::statement::Action;

/// What is known of a value where it is none.
#[derive(Clone, Debug, Default)]
pub enum Absent {
    #[default]
    Unknown,
    /// These reads had found no row.
    Without(Arc<[EventId]>),
    /// It is never none, or no statement was sent for it.
    Never,
    /// Of a truth: these reads had found no row where it is this.
    Where(bool, Arc<[EventId]>),
    /// It was put into `Some`.
    Given,
    /// It was put into `Some` on one of the first ways, and is `None` on one of the second, which no read decides.
    Chosen(Arc<[Path]>, Arc<[Path]>),
}

impl Absent {
    fn without(reads: Vec<EventId>) -> Self {
        if reads.is_empty() { Self::Unknown } else { Self::Without(reads.into()) }
    }

    /// The reads that had found no row where it is none.
    pub fn reads(&self) -> &[EventId] {
        match self {
            Self::Without(reads) | Self::Where(_, reads) => reads,
            Self::Unknown | Self::Never | Self::Given | Self::Chosen(..) => &[],
        }
    }

    /// What is known of the answer to whether something is none, or to whether it is there.
    pub(super) fn asked(self, none: bool) -> Self {
        match self {
            Self::Without(reads) => Self::Where(none, reads),
            _ => Self::Unknown,
        }
    }

    /// What is known of the opposite of a truth.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Where(holds, reads) => Self::Where(!holds, reads),
            _ => Self::Unknown,
        }
    }

    /// The truth that says that there is none; none of what is no truth.
    fn holds(&self) -> Option<bool> {
        match self {
            Self::Where(holds, _) => Some(*holds),
            _ => None,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    pub(super) fn is_given(&self) -> bool {
        matches!(self, Self::Given)
    }

    /// The ways on which something was put into `Some`, and those on which it is `None`.
    pub(super) fn chosen(&self) -> Option<[&Arc<[Path]>; 2]> {
        match self {
            Self::Chosen(given, none) => Some([given, none]),
            _ => None,
        }
    }
}

/// Calls on an option or a result that leave it as absent as it was.
const KEEP: [&str; 21] = [
    "clone",
    "cloned",
    "copied",
    "as_ref",
    "as_mut",
    "as_deref",
    "as_deref_mut",
    "map_err",
    "context",
    "with_context",
    "inspect_err",
    "wrap_err",
    "wrap_err_with",
    "change_context",
    "instrument",
    "in_current_span",
    "boxed",
    "into_future",
    "timeout",
    "to_owned",
    "transpose",
];

impl<'p> Evaluator<'p> {
    /// What is known of a value where it is none. A row that was read and not sifted since is none when there was no row.
    pub(super) fn absent(&self, value: &Value) -> Absent {
        match self.terms.get(value.term) {
            Term::Row(event) if value.absent.is_unknown() && value.guards.is_empty() => {
                Absent::Without([*event].into())
            }
            _ => value.absent.clone(),
        }
    }

    /// The same for one of several values: what is known of each that can be none. A read that was only sent on the way to
    /// one of them, where that is known, has found what that one says.
    pub(super) fn merged_absent(&self, values: &[&Value], ways: &[Path]) -> Absent {
        let mut all: Vec<(Option<&Path>, Absent)> = Vec::new();
        for (place, value) in values.iter().enumerate().filter(|(_, value)| !self.is_error(value)) {
            match self.absent(value) {
                Absent::Never | Absent::Given => {}
                absent => all.push((ways.get(place), absent)),
            }
        }
        if all.is_empty() {
            let given = !values.is_empty() && values.iter().all(|value| value.absent.is_given());
            return if given { Absent::Given } else { Absent::Never };
        }
        let mut reads: Vec<EventId> = all.iter().flat_map(|(_, absent)| absent.reads()).copied().collect();
        reads.sort_unstable();
        reads.dedup();
        reads.retain(|read| {
            all.iter().all(|(way, absent)| {
                absent.reads().contains(read) || way.is_some_and(|way| self.is_sent_elsewhere(*read, way))
            })
        });
        let holds = all[0].1.holds();
        match (Absent::without(reads), holds) {
            (Absent::Unknown, None) => self.chosen_among(values, ways).unwrap_or_default(),
            _ if all.iter().any(|(_, absent)| absent.holds() != holds) => Absent::Unknown,
            (known, Some(holds)) => known.asked(holds),
            (known, None) => known,
        }
    }

    /// `if wanted { Some(x) } else { None }`: on which ways one of several values is something, and on which it is nothing.
    fn chosen_among(&self, values: &[&Value], ways: &[Path]) -> Option<Absent> {
        let none = |value: &Value| matches!(self.terms.get(value.term), Term::Literal(text) if text == "none");
        if values.len() != ways.len() || !values.iter().all(|value| value.absent.is_given() || none(value)) {
            return None;
        }
        let of = |given: bool| -> Arc<[Path]> {
            let own = values.iter().zip(ways).filter(|(value, _)| value.absent.is_given() == given);
            own.map(|(_, way)| way.clone()).collect()
        };
        let (given, none) = (of(true), of(false));
        (!given.is_empty() && !none.is_empty()).then_some(Absent::Chosen(given, none))
    }

    /// Whether a statement is only sent on other ways than this one.
    fn is_sent_elsewhere(&self, read: EventId, way: &Path) -> bool {
        self.emitted(read).is_some_and(|event| !event.path.meets(way))
    }

    /// A `None` that is given here knows which reads have found no row by now.
    pub(super) fn knowing(&self, mut value: Value) -> Value {
        let none = matches!(self.terms.get(value.term), Term::Literal(text) if text == "none");
        if none && value.absent.is_unknown() {
            let here = &self.frame.path;
            let reads = self.frame.absences.iter().filter(|absence| absence.holds_on(here));
            value.absent = Absent::without(reads.flat_map(|absence| absence.reads.iter().copied()).collect());
        }
        value
    }

    /// The read of whose row a value is a column, or a record of columns, and of nothing else.
    pub(super) fn row_of(&self, value: &Value) -> Option<EventId> {
        let column = |term: TermId| {
            let mut of = match self.terms.get(term) {
                Term::Field(of, _) => *of,
                _ => return None,
            };
            // The one column of a row is a field of the record that the program calls it by.
            while let Term::Field(outer, _) = self.terms.get(of) {
                of = *outer;
            }
            match self.terms.get(of) {
                Term::Row(read) => Some(*read),
                _ => None,
            }
        };
        match self.terms.get(value.term) {
            Term::Computed(by, parts) if is_record(by) => {
                let read = column(*parts.first()?)?;
                parts.iter().all(|part| column(*part) == Some(read)).then_some(read)
            }
            _ => column(value.term),
        }
    }

    /// Whether whoever comes here has found the row of a read, and leaves the function where there is none.
    pub(super) fn is_needed(&self, read: EventId) -> bool {
        self.frame.deps.iter().any(|(cond, _)| {
            let cond = self.cond(*cond);
            let row = |of: &TermId| matches!(self.terms.get(*of), Term::Row(event) if *event == read);
            cond.kind == CondKind::Presence && matches!(self.terms.get(cond.term), Term::Exists(of) if row(of))
        })
    }

    /// What asks whether a value is there: of a result whose error says that a row was not found, whether the row is, be the
    /// column null that was taken from it.
    pub(super) fn presence(&mut self, value: &Value, name: &str) -> TermId {
        if name == "is_empty" && self.is_list_of_rows(value.term) {
            let (length, none) = (self.terms.computed("len", vec![value.term]), self.terms.literal("0"));
            return self.terms.computed("==", vec![length, none]);
        }
        let of_row = value.wrap == Wrap::Found && matches!(self.terms.get(value.term), Term::Field(..));
        let asked = if of_row { self.terms.computed("tuple", vec![value.term]) } else { value.term };
        self.terms.exists(asked)
    }

    /// Whether a value is a column that holds the rows of a sub-query: `ARRAY(SELECT …)`.
    fn is_list_of_rows(&self, term: TermId) -> bool {
        let Term::Field(of, name) = self.terms.get(term) else { return false };
        let Term::Row(read) = self.terms.get(*of) else { return false };
        let access = self.emitted(*read).and_then(Event::access);
        let mut outputs = access.into_iter().flat_map(|access| &access.statement.output);
        outputs.any(|output| output.name == *name && output.rows_of.is_some() && output.aggregate.is_none())
    }

    /// After a call on it that gives the value itself.
    pub(super) fn kept_absent(&self, recv: &mut Value, name: &str) {
        if !KEEP.contains(&name) {
            recv.absent = Absent::Unknown;
        }
    }

    /// What `?` or `unwrap` takes out of a result may still be none; what they take out of an option is there.
    pub(super) fn taken_out(&self, value: &mut Value) {
        if value.wrap == Wrap::Bare && value.ty.external_name() != Some("Result") {
            value.absent = Absent::Unknown;
        }
    }

    /// Notes the arms of a branch in which a tested option is none, or in which a truth says that there is none.
    pub(super) fn note_absence(&mut self, branch: u32, arms: u64, tested: &Absent) {
        let reads = tested.reads();
        if arms != 0 && !reads.is_empty() {
            self.frame.absences.push(Absence { branch, arms, reads: reads.into() });
        }
    }

    /// One of two values, where only the program's run tells which; where `missing` is given, the second one where that read
    /// has found no row.
    pub(crate) fn either_way(
        &mut self,
        missing: Option<EventId>,
        first: impl FnOnce(&mut Self) -> Value,
        second: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let fork = self.fork();
        let absence = missing.map(|read| Absence { branch: fork.branch(), arms: 0b10, reads: [read].into() });
        self.frame.absences.extend(absence);
        let arms = vec![self.arm(&fork, 0, &[], first), self.arm(&fork, 1, &[], second)];
        self.join(fork, arms)
    }

    /// The same for a `match`.
    pub(super) fn note_absent_arms(&mut self, branch: u32, scrutinee: &Value, arms: &[Arm]) {
        let absent = self.absent(scrutinee);
        let (mut bits, mut taken) = (0, false);
        for (place, arm) in arms.iter().enumerate().take(63) {
            match (&arm.pat, absent.holds()) {
                (Pat::Lit(lit), Some(none)) => match &*lit.kind {
                    ExprKind::Lit(Lit::Bool(truth)) if *truth == none => bits |= 1 << place,
                    _ => taken |= arm.guard.is_none(),
                },
                (pat, Some(_)) if taken && takes_all(pat) => bits |= 1 << place,
                (_, Some(_)) => {}
                (pat, _) if is_none(pat) || taken && takes_all(pat) => bits |= 1 << place,
                (pat, _) => taken |= arm.guard.is_none() && is_some(pat),
            }
        }
        self.note_absence(branch, bits, &absent);
    }

    /// What a called function knows of its branches.
    pub(super) fn place_absences(&mut self, absences: &[Absence], map: &mut Mapping<'_>) {
        for absence in absences {
            let branch = self.map_branch(absence.branch, map);
            let reads = self.map_reads(&absence.reads, map);
            self.frame.absences.push(Absence { branch, arms: absence.arms, reads });
        }
    }

    /// Remembers where an option that has nothing to do with a statement is none.
    pub(super) fn note_blank(&mut self, branch: u32, arms: u64, tested: &Value) {
        let Term::Exists(of) = *self.terms.get(tested.term) else { return };
        if arms != 0 && self.terms.origins(of).is_empty() && !matches!(self.terms.get(of), Term::Literal(_)) {
            self.frame.blanks.push(Blank { branch, arms, of });
        }
    }

    /// Keeps those of the frame's blanks that are inserted somewhere.
    pub(super) fn told_blanks(&self, blanks: Vec<Blank>, events: &[Event]) -> Vec<Blank> {
        if blanks.is_empty() {
            return blanks;
        }
        let inserted = events.iter().filter(|event| event.does(Action::Insert)).filter_map(Event::access);
        let bound = inserted.flat_map(|access| access.binds.iter().chain(access.named.iter().map(|(_, term)| term)));
        let given: FxHashSet<TermId> =
            bound.flat_map(|term| [*term, one_that_may_be_none(&self.terms, *term)]).collect();
        blanks.into_iter().filter(|blank| given.contains(&blank.of)).collect()
    }

    pub(super) fn place_blanks(&mut self, blanks: &[Blank], map: &mut Mapping<'_>) {
        for blank in blanks {
            let (branch, of) = (self.map_branch(blank.branch, map), self.map_term(blank.of, map));
            self.frame.blanks.push(Blank { branch, of, ..*blank });
        }
    }

    pub(super) fn map_absent(&mut self, absent: &Absent, map: &mut Mapping<'_>) -> Absent {
        match absent {
            Absent::Chosen(given, none) => {
                let [given, none] = [given, none].map(|ways| ways.iter().map(|way| self.map_path(way, map)).collect());
                Absent::Chosen(given, none)
            }
            Absent::Without(reads) => Absent::Without(self.map_reads(reads, map)),
            Absent::Where(holds, reads) => Absent::Where(*holds, self.map_reads(reads, map)),
            other => other.clone(),
        }
    }

    fn map_reads(&self, reads: &[EventId], map: &Mapping<'_>) -> Arc<[EventId]> {
        reads.iter().map(|read| map.event(*read)).collect()
    }
}

impl Blank {
    /// Whether a value is the one that is none, also where it was said before that it may be.
    pub fn is_of(&self, terms: &Terms, term: TermId) -> bool {
        term == self.of || one_that_may_be_none(terms, term) == self.of
    }
}

/// The value of which is said beside it that it may be none; any other as it is.
fn one_that_may_be_none(terms: &Terms, term: TermId) -> TermId {
    let Term::Either(parts) = terms.get(term) else { return term };
    let mut there = parts.iter().filter(|part| !matches!(terms.get(**part), Term::Literal(text) if text == "none"));
    match (there.next(), there.next()) {
        (Some(only), None) => *only,
        _ => term,
    }
}

impl Absence {
    /// Whether who stands on a path has found no row.
    pub fn holds_on(&self, path: &Path) -> bool {
        path.arms_of(self.branch).is_some_and(|arms| arms & !self.arms == 0)
    }

    /// Whether who stands on a path has found something.
    pub fn is_refuted_on(&self, path: &Path) -> bool {
        path.arms_of(self.branch).is_some_and(|arms| arms & self.arms == 0)
    }
}

/// The arm of an `if` in which the tested option is none, or in which a truth says so that was asked for before.
pub(super) fn absent_arm(cond: &Expr, tested: &Absent) -> u64 {
    match tested.holds() {
        Some(true) => 0b01,
        Some(false) => 0b10,
        None => arm_where(cond, says_none),
    }
}

/// The same, or in which the tested result is an error; none where something else is tested as well.
pub(super) fn lacking_arm(cond: &Expr) -> u64 {
    arm_where(cond, |cond| match &*cond.kind {
        ExprKind::Let(pat, _) if is_answer(pat, "Ok") => Some(false),
        ExprKind::Let(pat, _) if is_answer(pat, "Err") => Some(true),
        ExprKind::Method(call) => match call.name.as_str() {
            "is_ok" => Some(false),
            "is_err" => Some(true),
            // What is empty is there.
            "is_empty" => None,
            _ => says_none(cond),
        },
        _ => says_none(cond),
    })
}

/// The arm of an `if` in which something holds, by what its condition says of it.
fn arm_where(cond: &Expr, says: impl Fn(&Expr) -> Option<bool> + Copy) -> u64 {
    if let ExprKind::Unary(UnOp::Not, of) = &*cond.kind {
        return match arm_where(of, says) {
            0 => 0,
            arm => 0b11 & !arm,
        };
    }
    match says(cond) {
        Some(true) => 0b01,
        Some(false) => 0b10,
        None => 0,
    }
}

/// Whether a condition says of an option that it is none, or that it is not.
pub(super) fn says_none(cond: &Expr) -> Option<bool> {
    match &*cond.kind {
        ExprKind::Let(pat, _) if is_some(pat) => Some(false),
        ExprKind::Let(pat, _) if is_none(pat) => Some(true),
        ExprKind::Method(call) => match call.name.as_str() {
            "is_some" => Some(false),
            "is_none" | "is_empty" => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// The same of a `match`.
pub(super) fn lacking_arms(arms: &[Arm]) -> u64 {
    let lacks = |arm: &Arm| is_none(&arm.pat) || is_answer(&arm.pat, "Err");
    arms.iter().take(63).enumerate().filter(|(_, arm)| lacks(arm)).fold(0, |bits, (place, _)| bits | 1 << place)
}

/// Whether a condition is a pattern, which says by itself what it asks for.
pub(super) fn is_let(cond: &Expr) -> bool {
    matches!(&*cond.kind, ExprKind::Let(..))
}

fn is_answer(pat: &Pat, name: &str) -> bool {
    matches!(pat, Pat::TupleStruct(path, inner) if last(path) == name && inner.iter().all(takes_all))
}

/// Whether a pattern asks of an option whether it is there, and of what is in it nothing.
pub(super) fn asks_presence(pat: &Pat) -> bool {
    is_some(pat) || is_none(pat)
}

fn is_some(pat: &Pat) -> bool {
    match pat {
        Pat::TupleStruct(path, inner) => last(path) == "Some" && inner.iter().all(takes_all),
        Pat::Ref(inner) => is_some(inner),
        _ => false,
    }
}

fn is_none(pat: &Pat) -> bool {
    match pat {
        Pat::Path(path) => last(path) == "None",
        Pat::Ref(inner) => is_none(inner),
        _ => false,
    }
}

pub(super) fn takes_all(pat: &Pat) -> bool {
    match pat {
        Pat::Wild | Pat::Rest | Pat::Bind(_, None, _) => true,
        Pat::Ref(inner) => takes_all(inner),
        Pat::Tuple(parts) => parts.iter().all(takes_all),
        _ => false,
    }
}

fn last(path: &TyPath) -> &str {
    path.segments.last().map(|segment| segment.name.as_str()).unwrap_or_default()
}
