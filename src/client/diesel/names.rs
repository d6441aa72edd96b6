//! Names and functions: tables, columns, `diesel::update(…)`, `dsl::exists(…)`, operators between expressions.

use std::sync::Arc;

use crate::client::diesel::expr::{Expr, sql_piece};
use crate::client::diesel::schema::{Generated, generated};
use crate::client::diesel::select::{Item, Select, Source};
use crate::client::diesel::write::{OnConflict, OnConflictDo, Write};
use crate::client::diesel::{Part, change, model, query};
use crate::flow::Evaluator;
use crate::flow::value::{Shape, Value};
use crate::link::{ConstId, Def, ScopeId};
use crate::lower::tree::{ExprKind, MacroBody, MacroCall, Name, Segment, Ty, TyPath};
use crate::sql::statement::{Action, ConflictTarget};

/// The crates whose functions are meant.
const KRATES: [&str; 2] = ["diesel", "diesel_async"];

/// A path that names a table, a column, or an expression of diesel's own.
pub(crate) fn name(ev: &mut Evaluator<'_>, path: &TyPath) -> Option<Value> {
    if ev.diesel.is_empty() || path.qself.is_some() {
        return None;
    }
    let found = ev.program.path(ev.scope(), Some(ev.function()), path).into_iter().find_map(|def| match def {
        Def::Const(id) => described(ev, id),
        Def::External(full) => constant(&full),
        // A module is no value: with `use schema::seats` and `use schema::seats::dsl::*` the name is the table's.
        Def::Module(scope) => table_in(ev, scope),
        _ => None,
    });
    Some(ev.part(found?))
}

fn table_in(ev: &Evaluator<'_>, module: ScopeId) -> Option<Part> {
    ev.program.resolve(module, &[Name::new("table")]).into_iter().find_map(|def| match def {
        Def::Const(id) => described(ev, id),
        _ => None,
    })
}

/// The table or column that a constant of a `table!` stands for.
fn described(ev: &Evaluator<'_>, id: ConstId) -> Option<Part> {
    part_of(generated(&ev.program.const_def(id).ty)?)
}

/// `alias!(users as boss)`: the table under another name, or a tuple of them.
pub(crate) fn alias(ev: &mut Evaluator<'_>, call: &MacroCall) -> Option<Value> {
    let MacroBody::Args(args) = &call.body else { return None };
    if ev.diesel.is_empty() || call.path.last().is_none_or(|name| name != "alias") {
        return None;
    }
    let mut aliases = Vec::new();
    for arg in args {
        let ExprKind::Cast(of, alias) = &*arg.value.kind else { return None };
        let Ty::Path(alias) = &**alias else { return None };
        let ExprKind::Path(path) = &*of.kind else { return None };
        let table = Segment { name: Name::new("table"), args: Vec::new(), bindings: Vec::new() };
        let path = TyPath { qself: None, segments: path.segments.iter().cloned().chain([table]).collect() };
        let found = name(ev, &path)?;
        let Some(Part::Table(source)) = Part::of(&found) else { return None };
        let source = Source { alias: alias.segments.last().map(|segment| segment.name.clone()), ..source.clone() };
        aliases.push(ev.part(Part::Table(source)));
    }
    match <[Value; 1]>::try_from(aliases) {
        Ok([one]) => Some(one),
        Err(several) => Some(ev.tuple_of(several)),
    }
}

fn part_of(generated: Generated) -> Option<Part> {
    Some(match generated {
        Generated::Table { schema, table } => Part::Table(Source::table(schema, table)),
        Generated::Column { table, column } => Part::Expr(Expr::Column { table, column }),
        Generated::AllColumns { table } => Part::Item(Item::All(table)),
    })
}

fn constant(full: &[Name]) -> Option<Part> {
    let (first, last) = (full.first()?, full.last()?);
    let clock = KRATES.contains(&first.as_str()) && matches!(last.as_str(), "now" | "today");
    clock.then(|| Part::Expr(Expr::Call(format!("{last}()"), Vec::new())))
}

/// A function of diesel's, or one of a model: `diesel::update(target)`, `Account::as_select()`.
pub(crate) fn call(ev: &mut Evaluator<'_>, path: &TyPath, args: &[Value]) -> Option<Value> {
    if ev.diesel.is_empty() || path.qself.is_some() {
        return None;
    }
    let (last, outer) = path.segments.split_last()?;
    if !outer.is_empty()
        && let Some(part) = of_type(ev, &last.name, outer, args)
    {
        return Some(ev.part(part));
    }
    let defs = ev.program.path(ev.scope(), Some(ev.function()), path);
    let held = args.iter().any(query::holds_part);
    let diesels = match defs.first() {
        Some(Def::External(full)) => full.first().is_some_and(|krate| KRATES.contains(&krate.as_str())),
        Some(_) => return None,
        None => from_glob(ev),
    };
    if !diesels && !held {
        return None;
    }
    let Some(part) = function(ev, &last.name, args, held) else {
        if !defs.is_empty() && matches!(last.name.as_str(), "update" | "delete") {
            ev.unknown_statement("a row is changed whose type is not known");
        }
        return None;
    };
    Some(ev.part(part))
}

fn from_glob(ev: &Evaluator<'_>) -> bool {
    let globs = ev.program.external_globs(ev.scope());
    globs.iter().any(|glob| glob.first().is_some_and(|krate| KRATES.contains(&krate.as_str())))
}

/// `Account::as_select()`, `Account::belonging_to(&user)`, `Account::table()`, `Account::query()`.
fn of_type(ev: &mut Evaluator<'_>, last: &str, outer: &[crate::lower::tree::Segment], args: &[Value]) -> Option<Part> {
    if !matches!(last, "as_select" | "as_returning" | "belonging_to" | "table" | "query") {
        return None;
    }
    let written = Ty::Path(TyPath { qself: None, segments: outer.to_vec() });
    let ty = ev.program.ty(ev.scope(), Some(ev.function()), &written);
    let model = model::of(ev, &ty)?;
    match (last, args) {
        ("as_select" | "as_returning", []) => Some(Part::Item(model.item(ev))),
        ("query", []) => Some(Part::Select(Arc::new(model.query(ev)?))),
        ("table", []) => Some(Part::Table(model.table.clone())),
        ("belonging_to", [parent]) => {
            let condition = model.belonging_to(ev, parent)?;
            Some(Part::Select(Arc::new(Select::of(model.table.clone()).narrowed(condition))))
        }
        _ => None,
    }
}

fn function(ev: &mut Evaluator<'_>, name: &str, args: &[Value], held: bool) -> Option<Part> {
    let arg = |at: usize| args.get(at).map(|value| Expr::of(ev, value));
    let all = || -> Vec<Expr> { args.iter().map(|value| Expr::of(ev, value)).collect() };
    Some(match (name, args) {
        ("update", [target]) => Part::Write(Arc::new(change::target(ev, target, Action::Update)?)),
        ("delete", [target]) => Part::Write(Arc::new(change::target(ev, target, Action::Delete)?)),
        ("insert_into", [target]) => Part::Write(Arc::new(insertion(target)?)),
        ("replace_into", [target]) => Part::Write(Arc::new(insertion(target)?.on_any(OnConflictDo::Replace))),
        ("insert_or_ignore_into", [target]) => Part::Write(Arc::new(insertion(target)?.on_any(OnConflictDo::Nothing))),
        ("select", [output]) => {
            Part::Select(Arc::new(Select { output: Some(query::items(ev, output)), ..Select::default() }))
        }
        ("exists", [of]) => Part::Expr(Expr::Exists(query::select_of(of)?)),
        ("not", [_]) => Part::Expr(Expr::Not(Arc::new(arg(0)?))),
        ("excluded", [_]) => match arg(0)? {
            Expr::Column { column, .. } => Part::Expr(Expr::Excluded(column)),
            _ => Part::Expr(Expr::Unknown),
        },
        ("on_constraint", [text]) => {
            let name = text.text().and_then(|text| text.whole())?;
            Part::Expr(Expr::Call("on_constraint()".to_owned(), vec![Expr::Literal(name)]))
        }
        ("count_star", []) => Part::Expr(Expr::Call("count()".to_owned(), Vec::new())),
        ("count_distinct", [_]) => Part::Expr(Expr::Call("count()".to_owned(), all())),
        ("case_when", _) if args.len() > 1 => Part::Expr(Expr::Call("case".to_owned(), all())),
        ("sql", [text]) => Part::Expr(match text.text().and_then(|text| text.whole()) {
            Some(text) => sql_piece(&text),
            None => Expr::Unknown,
        }),
        ("now" | "today", []) => Part::Expr(Expr::Call(format!("{name}()"), Vec::new())),
        // The other functions of SQL, those that `define_sql_function!` declares among them.
        _ if held && !matches!(name, "Some" | "Ok" | "Err" | "Box" | "new" | "pin" | "from" | "drop" | "into") => {
            Part::Expr(Expr::Call(format!("{}()", name.to_lowercase()), all()))
        }
        _ if is_lock(name) => Part::Expr(Expr::Call(format!("{name}()"), all())),
        _ => return None,
    })
}

/// Lock functions are declared by the program itself and take values only.
fn is_lock(name: &str) -> bool {
    crate::sql::parse::lock_call(name, &[]).is_some() || name.contains("advisory") || name == "get_lock"
}

fn insertion(target: &Value) -> Option<Write> {
    match Part::of(target)? {
        Part::Table(source) => Some(Write::of(Action::Insert, source.clone())),
        _ => None,
    }
}

impl Write {
    fn on_any(mut self, action: OnConflictDo) -> Self {
        self.conflict = Some(OnConflict { target: ConflictTarget::Any, action });
        self
    }
}

/// `balance - amount`, where one side is an expression.
pub(crate) fn operator(ev: &mut Evaluator<'_>, by: &str, left: &Value, right: &Value) -> Option<Value> {
    let is_expr = |value: &Value| matches!(Part::of(value), Some(Part::Expr(_)));
    if !is_expr(left) && !is_expr(right) {
        return None;
    }
    let parts = vec![Expr::of(ev, left), Expr::of(ev, right)];
    // A chain of one operator is one call over all its operands, as SQL text gives it.
    let parts = match parts.as_slice() {
        [Expr::Call(inner, first), last] if inner == by => first.iter().chain([last]).cloned().collect(),
        _ => parts,
    };
    Some(ev.part(Part::Expr(Expr::Call(by.to_owned(), parts))))
}

impl Evaluator<'_> {
    /// A value that holds a part of a statement.
    pub(crate) fn part(&mut self, part: Part) -> Value {
        let term = self.terms.fresh();
        Value::new(term, crate::link::Type::Unknown).shaped(part.shape())
    }

    /// A value that holds one of several.
    pub(crate) fn one_of(&mut self, values: Vec<Value>) -> Value {
        let term = self.terms.fresh();
        Value::new(term, crate::link::Type::Unknown).shaped(Shape::OneOf(values.into()))
    }
}
