//! What a function leaves in what it was lent where it may refuse: whoever goes on after `?` sees what is there where it did
//! not.

use crate::event::{CondId, Conds};
use crate::flow::absent::takes_all;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::flow::{Evaluator, Exit};
use crate::link::Def;
use crate::lower::tree::{Arm, Expr, ExprKind, Function, MacroBody, Pat, Stmt, TyPath, UnOp};
use crate::span::Range;

impl Evaluator<'_> {
    /// An error that is the value of a function's branch leaves the function, as `return` does.
    pub(super) fn refused(&mut self, value: Value, at: Range) -> Value {
        if self.frame.left.is_none() && self.frame.refusals.contains(&at) && self.is_error(&value) {
            self.leave_with(value);
            self.frame.left = Some(Exit::Function);
            return self.fresh();
        }
        value
    }

    /// The variables as they are where a function that is lent something answers.
    pub(super) fn note_answer(&mut self, value: &Value) {
        if self.frame.lends && !self.is_error(value) {
            self.frame.answered = Some(self.frame.env.clone());
        }
    }

    /// The kind of an error that is put together where it is given: `Error::NotFound`, `Error::Refused(why)`.
    pub(super) fn kind_of_error(&mut self, error: &Expr) -> Option<TermId> {
        let mut named = error;
        while let ExprKind::Method(call) = &*named.kind
            && call.name == "into"
        {
            named = &call.recv;
        }
        match &*named.kind {
            ExprKind::Path(path) => self.named_error(path),
            ExprKind::Struct(lit) => self.named_error(&lit.path),
            ExprKind::Call(callee, _) => match &*callee.kind {
                ExprKind::Path(path) => self.named_error(path),
                _ => None,
            },
            _ => None,
        }
    }

    /// A variant of an enum, by the enum and its name.
    fn named_error(&mut self, path: &TyPath) -> Option<TermId> {
        let defs = self.program.path(self.frame.scope, Some(self.frame.function), path);
        let name = match defs.first()? {
            Def::Variant(of, name) => format!("{}::{name}", self.program.type_path(*of)),
            Def::External(full) => full.join("::"),
            _ => return None,
        };
        Some(self.terms.literal(&name))
    }

    /// The kinds of errors that an arm takes, whatever they hold, and whether it takes what is no error as well.
    fn errors_taken(&mut self, pat: &Pat, errors: &mut Vec<TermId>) -> bool {
        match pat {
            Pat::Or(several) => several.iter().fold(false, |answers, one| self.errors_taken(one, errors) | answers),
            Pat::Ref(inner) => self.errors_taken(inner, errors),
            Pat::TupleStruct(path, inner) => match (last(path), inner.as_slice()) {
                ("Ok", [inner]) => takes_all(inner),
                ("Err", [inner]) => {
                    self.kinds_taken(inner, errors);
                    false
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn kinds_taken(&mut self, pat: &Pat, errors: &mut Vec<TermId>) {
        match pat {
            Pat::Or(several) => several.iter().for_each(|one| self.kinds_taken(one, errors)),
            Pat::Ref(inner) | Pat::Bind(_, Some(inner), _) => self.kinds_taken(inner, errors),
            Pat::Path(path) => errors.extend(self.named_error(path)),
            Pat::TupleStruct(path, inner) if inner.iter().all(takes_all) => errors.extend(self.named_error(path)),
            Pat::Struct(path, fields) if fields.iter().all(|(_, pat)| takes_all(pat)) => {
                errors.extend(self.named_error(path));
            }
            _ => {}
        }
    }

    /// The errors that one arm takes together with what is none: `Ok(()) | Err(Error::NotFound) => {}`. What was refused
    /// with these decides nothing.
    pub(super) fn taken_alike(&mut self, arms: &[Arm]) -> Vec<TermId> {
        let mut alike = Vec::new();
        for arm in arms.iter().filter(|arm| arm.guard.is_none()) {
            let mut errors = Vec::new();
            if self.errors_taken(&arm.pat, &mut errors) {
                alike.extend(errors);
            }
        }
        alike
    }

    /// The errors after which a match of a result goes on as after what is none.
    ///
    /// In: the arms, and whether each of them ends the way.
    pub(super) fn passed_alike(&mut self, arms: &[Arm], ended: &[bool]) -> Vec<TermId> {
        let (mut passed, mut answers) = (Vec::new(), false);
        if !arms.iter().any(|arm| is_of_result(&arm.pat)) {
            // `match error { Error::NotFound => {}, other => return Err(other) }`
            let on = arms.iter().zip(ended).filter(|(arm, ended)| !**ended && arm.guard.is_none());
            on.for_each(|(arm, _)| self.kinds_taken(&arm.pat, &mut passed));
            return passed;
        }
        for (arm, ended) in arms.iter().zip(ended) {
            let of_error = matches!(&arm.pat, Pat::TupleStruct(path, _) if last(path) == "Err");
            match (ended, &arm.guard) {
                (true, _) if !of_error => return Vec::new(),
                (false, None) => answers |= self.errors_taken(&arm.pat, &mut passed),
                _ => {}
            }
        }
        if answers { passed } else { Vec::new() }
    }

    /// The kinds of an error that an `if` asks for, and in which of its arms it is one of these: `if !matches!(error,
    /// Error::NotFound)`.
    pub(super) fn kinds_asked(&mut self, cond: &Expr) -> Option<(usize, Vec<TermId>)> {
        match &*cond.kind {
            ExprKind::Unary(UnOp::Not, of) => self.kinds_asked(of).map(|(arm, kinds)| (1 - arm, kinds)),
            ExprKind::Macro(call) => match &call.body {
                MacroBody::Matches(_, pat, None) => self.kinds_asked_by(pat),
                _ => None,
            },
            ExprKind::Let(pat, _) => self.kinds_asked_by(pat),
            _ => None,
        }
    }

    fn kinds_asked_by(&mut self, pat: &Pat) -> Option<(usize, Vec<TermId>)> {
        let mut kinds = Vec::new();
        self.kinds_taken(pat, &mut kinds);
        (!kinds.is_empty()).then_some((0, kinds))
    }

    /// Whether an error of a client says that there is no row.
    fn says_no_row(&self, error: TermId) -> bool {
        let Term::Literal(name) = self.terms.get(error) else { return false };
        let (krate, variant) = (name.split("::").next(), name.rsplit("::").next());
        NO_ROW.iter().any(|(of, named)| krate == Some(of) && variant == Some(named))
    }

    /// Conditions without those by which nothing but such errors were given.
    pub(super) fn not_refused_with(&self, conds: &[CondId], errors: &[TermId]) -> Conds {
        let gives = |cond: &CondId| self.cond(*cond).decides.and_then(|decides| decides.error);
        conds.iter().copied().filter(|cond| gives(cond).is_none_or(|error| !errors.contains(&error))).collect()
    }

    /// Lets what comes after a match hang on those of a condition by which it was left.
    pub(super) fn hang_on_rest(&mut self, cond: CondId, errors: &[TermId]) {
        let whole = self.cond(cond).clone();
        let asks_for_row = matches!(self.terms.asked_to_be_there(whole.term), Some(Term::Row(_)));
        if asks_for_row && errors.iter().any(|error| self.says_no_row(*error)) {
            // With a row or without one, all goes on.
            self.frame.deps.retain(|dep| dep.0 != cond);
            return;
        }
        let inner = self.not_refused_with(&whole.inner, errors);
        if inner.len() == whole.inner.len() || self.terms.matters(whole.term) {
            return;
        }
        let rest = (!inner.is_empty()).then(|| self.new_cond(crate::event::Cond { inner, ..whole }));
        self.frame.conds.extend(rest);
        let of_match = |dep: &(CondId, Exit)| dep.0 == cond;
        match rest {
            Some(rest) => self.frame.deps.iter_mut().filter(|dep| of_match(dep)).for_each(|dep| dep.0 = rest),
            None => self.frame.deps.retain(|dep| !of_match(dep)),
        }
    }
}

/// What the clients call the error that there is no row: the crate and the variant.
///
/// Source: `sqlx::Error`, `rusqlite::Error`, `diesel::result::Error`, `sea_orm::DbErr`.
const NO_ROW: [(&str, &str); 4] = [
    ("sqlx", "RowNotFound"),
    ("rusqlite", "QueryReturnedNoRows"),
    ("diesel", "NotFound"),
    ("sea_orm", "RecordNotFound"),
];

/// The one error of several arms.
pub(super) fn one_error(mut of: impl Iterator<Item = Option<TermId>>) -> Option<TermId> {
    let first = of.next()??;
    of.all(|error| error == Some(first)).then_some(first)
}

/// Whether a pattern asks whether a result is an error, or an option none.
fn is_of_result(pat: &Pat) -> bool {
    match pat {
        Pat::TupleStruct(path, _) => matches!(last(path), "Ok" | "Err" | "Some" | "None"),
        Pat::Or(several) => several.iter().any(is_of_result),
        Pat::Ref(inner) => is_of_result(inner),
        _ => false,
    }
}

fn last(path: &TyPath) -> &str {
    path.segments.last().map(|segment| segment.name.as_str()).unwrap_or_default()
}

/// Whether a function may change what it is lent.
pub(super) fn lends(function: &Function) -> bool {
    function.changes_self || function.params.iter().any(|param| param.lent)
}

/// Where branches that end a function's body give an error.
pub(super) fn refusals(body: &Expr) -> Vec<Range> {
    let mut found = Vec::new();
    ends(body, false, &mut found);
    found
}

fn ends(expr: &Expr, branched: bool, found: &mut Vec<Range>) {
    match &*expr.kind {
        ExprKind::Block(block) if block.has_value => {
            if let Some(Stmt::Expr(last)) = block.stmts.last() {
                ends(last, branched, found);
            }
        }
        ExprKind::If(_, then, Some(otherwise)) => [then, otherwise].into_iter().for_each(|arm| ends(arm, true, found)),
        ExprKind::Match(_, arms) => arms.iter().for_each(|arm| ends(&arm.body, true, found)),
        ExprKind::Call(callee, _) if branched => {
            let named = |expr: &Expr| matches!(&*expr.kind, ExprKind::Path(path) if path.segments.last().is_some_and(|last| last.name == "Err"));
            found.extend(named(callee).then_some(expr.at));
        }
        _ => {}
    }
}
