//! Structs that stand for rows: their table, their columns, their key.
//!
//! Source: docs.rs/diesel, derive macros `Identifiable`, `AsChangeset`, `Insertable`, `Selectable`, `Associations`,
//! `HasQuery`.

use crate::client::diesel::expr::Expr;
use crate::client::diesel::schema::{Generated, generated};
use crate::client::diesel::select::{Item, Select, Source};
use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Shape, Value};
use crate::link::{Def, Type, TypeId};
use crate::lower::tree::{Attr, Field, Name, TypeKind};
use crate::sql::statement::Compare;

/// A struct and the table it is for.
#[derive(Clone, Debug)]
pub(super) struct Model {
    id: TypeId,
    pub ty: Type,
    pub table: Source,
    pub primary_key: Vec<Name>,
}

/// What a struct's values are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    Insert,
    Update,
}

/// The setting of `HasQuery` with the tables that the model is read from.
const BASE: &str = "base_query";

/// How many levels of embedded structs are followed.
const EMBEDDED: usize = 4;

/// The model that a type is, or that is inside of its references, options and lists.
pub(super) fn of(ev: &Evaluator<'_>, ty: &Type) -> Option<Model> {
    let mut ty = ev.program.peel(ty);
    for _ in 0..3 {
        if let Type::Def(id, _) = ty {
            return of_struct(ev, id);
        }
        let inner = ev.program.element(&ty);
        if inner.is_unknown() {
            return None;
        }
        ty = ev.program.peel(&inner);
    }
    None
}

fn of_struct(ev: &Evaluator<'_>, id: TypeId) -> Option<Model> {
    let program = ev.program;
    let def = program.type_def(id);
    if !matches!(def.kind, TypeKind::Struct(_)) {
        return None;
    }
    let written = setting(&def.attrs, "table_name");
    let derives = program.derives(id);
    let known = ["Identifiable", "Insertable", "AsChangeset", "Selectable", "Associations", "Queryable", "HasQuery"];
    if written.is_none() && !derives.iter().any(|derive| known.contains(derive)) {
        return None;
    }
    let base = || setting(&def.attrs, BASE).and_then(|query| tables_of(&query).next().map(str::to_owned));
    let path = written.or_else(base).unwrap_or_else(|| plural(&def.name));
    let table = table_at(ev, id, &path)?;
    let primary_key = match setting(&def.attrs, "primary_key") {
        Some(keys) => keys.split(',').map(|key| Name::new(key.trim())).filter(|key| !key.is_empty()).collect(),
        None => vec![Name::new("id")],
    };
    Some(Model { id, ty: Type::Def(id, [].into()), table, primary_key })
}

fn table_at(ev: &Evaluator<'_>, id: TypeId, path: &str) -> Option<Source> {
    let names: Vec<Name> = path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(Name::new).collect();
    let mut full = names.clone();
    full.push(Name::new("table"));
    let found = ev.program.resolve(ev.program.type_scope(id), &full).into_iter().find_map(|def| match def {
        Def::Const(id) => generated(&ev.program.const_def(id).ty),
        _ => None,
    });
    if let Some(Generated::Table { schema, table }) = found {
        return Some(Source::table(schema, table));
    }
    let (schema, table) = ev.diesel.module(names.last()?)?;
    Some(Source::table(schema, table))
}

impl Model {
    /// The columns of the struct, for a select list.
    pub fn item(&self, ev: &Evaluator<'_>) -> Item {
        let fields = fields(ev, self.id, 0).into_iter().map(|(field, column, _)| (field, column)).collect();
        Item::Model { table: self.table.key().clone(), fields, ty: self.ty.clone() }
    }

    /// What `HasQuery` derives: the model's columns, from its table and those that its base query joins.
    pub fn query(&self, ev: &Evaluator<'_>) -> Option<Select> {
        if !ev.program.derives(self.id).contains(&"HasQuery") {
            return None;
        }
        let mut select = Select { output: Some(vec![self.item(ev)]), ..Select::of(self.table.clone()) };
        let base = setting(&ev.program.type_def(self.id).attrs, BASE).unwrap_or_default();
        for table in tables_of(&base).filter_map(|path| table_at(ev, self.id, path)) {
            if !select.from.contains(&table) {
                select.from.push(table);
            }
        }
        Some(select)
    }

    /// The condition that the row is the one a value stands for.
    pub fn same_row(&self, ev: &mut Evaluator<'_>, value: &Value) -> Vec<Expr> {
        let own = fields(ev, self.id, 0);
        let mut parts = Vec::new();
        for key in &self.primary_key {
            let field = own.iter().find(|(_, column, _)| column == key).map_or(key, |(field, _, _)| field).clone();
            let key_value = ev.field(value, &field);
            let bound = Expr::of(ev, &key_value);
            parts.push(Expr::column(self.table.key(), key).compare(Compare::Eq, bound));
        }
        parts
    }

    /// The columns that a value of the struct writes, with what it writes to them.
    pub fn assignments(&self, ev: &mut Evaluator<'_>, value: &Value, purpose: For) -> Vec<(Name, Expr)> {
        let keeps_null = purpose == For::Update
            && setting(&ev.program.type_def(self.id).attrs, "treat_none_as_null").is_some_and(|on| on == "true");
        ev.told_by_caller(value);
        let own = fields(ev, self.id, 0);
        let mut sets = Vec::new();
        for (field, column, attrs) in own {
            let skip = match purpose {
                For::Insert => "skip_insertion",
                For::Update => "skip_update",
            };
            if mentions(&attrs, skip) || (purpose == For::Update && self.primary_key.contains(&column)) {
                continue;
            }
            let part = ev.field(value, &field);
            if !keeps_null && left_out(ev, &part) {
                continue;
            }
            let written = Expr::of(ev, &part);
            sets.push((column, written));
        }
        sets
    }

    /// `Post::belonging_to(&user)`: the foreign key holds the parent's primary key.
    pub fn belonging_to(&self, ev: &mut Evaluator<'_>, parent: &Value) -> Option<Expr> {
        let target = of(ev, &parent.ty);
        let name = target.as_ref().map(|model| ev.program.type_def(model.id).name.clone());
        let attrs = ev.program.type_def(self.id).attrs.clone();
        let belongs: Vec<String> = attrs
            .iter()
            .filter(|attr| attr.path.last().is_some_and(|last| last == "diesel" || last == "belongs_to"))
            .flat_map(|attr| match attr.path.last().map(Name::as_str) {
                Some("belongs_to") => vec![attr.tokens.clone()],
                _ => settings(&attr.tokens, "belongs_to"),
            })
            .collect();
        let first_name = |text: &str| -> String {
            let head = text.split([',', '<']).next().unwrap_or_default();
            let head = head.trim().trim_start_matches("parent").trim_start_matches([' ', '=', '"']);
            head.rsplit("::").next().unwrap_or_default().trim_matches([' ', '"']).to_owned()
        };
        let chosen = belongs.iter().find(|text| name.as_deref().is_some_and(|name| first_name(text) == name));
        let chosen = chosen.or(if belongs.len() == 1 { belongs.first() } else { None });
        let column = match chosen.and_then(|text| value_of(text, "foreign_key")) {
            Some(column) => column,
            None => format!("{}_id", snake(name.as_deref().or(chosen.map(|text| first_name(text)).as_deref())?)),
        };
        let list = !matches!(ev.program.peel(&parent.ty), Type::Def(..)) && !parent.ty.is_unknown();
        let key = target.and_then(|model| model.primary_key.first().cloned()).unwrap_or_else(|| Name::new("id"));
        let bound = ev.field(parent, &key);
        let bound = Expr::of(ev, &bound);
        let op = if list { Compare::In } else { Compare::Eq };
        Some(Expr::column(self.table.key(), &column).compare(op, bound))
    }
}

/// Field, column and attributes, embedded structs included.
fn fields(ev: &Evaluator<'_>, id: TypeId, depth: usize) -> Vec<(Name, Name, Vec<Attr>)> {
    let TypeKind::Struct(own) = &ev.program.type_def(id).kind else { return Vec::new() };
    let types = ev.program.fields(id);
    let mut found = Vec::new();
    for (Field { name, attrs, .. }, (_, ty)) in own.iter().zip(types.iter()) {
        if mentions(attrs, "embed") && depth < EMBEDDED {
            if let Type::Def(inner, _) = ev.program.peel(ty) {
                found.extend(fields(ev, inner, depth + 1));
            }
            continue;
        }
        let column = setting(attrs, "column_name").map_or_else(|| name.clone(), Name::new);
        found.push((name.clone(), column, attrs.clone()));
    }
    found
}

/// A `None`, and a field that came with `..Default::default()` and is optional: neither is written.
fn left_out(ev: &Evaluator<'_>, value: &Value) -> bool {
    if matches!(value.shape, Shape::Text(_)) {
        return false;
    }
    match ev.terms.get(value.term) {
        Term::Literal(text) => text == "none",
        Term::Field(of, _) => matches!(ev.terms.get(*of), Term::Fresh(_)) && value.ty.external_name() == Some("Option"),
        _ => false,
    }
}

/// The value of `name = …` or `name(…)` in `#[diesel(…)]`, or of the attribute `#[name = "…"]` of diesel 1.x.
fn setting(attrs: &[Attr], name: &str) -> Option<String> {
    attrs.iter().find_map(|attr| match attr.path.last()?.as_str() {
        "diesel" => settings(&attr.tokens, name).into_iter().next(),
        "changeset_options" if name == "treat_none_as_null" => value_of(&attr.tokens, name),
        last if last == name => {
            let text = attr.tokens.trim().trim_start_matches('=').trim();
            Some(cleaned(text.trim_start_matches('(').trim_end_matches(')')))
        }
        _ => None,
    })
}

/// All `name = value` and `name(value)` among comma-separated settings.
fn settings(tokens: &str, name: &str) -> Vec<String> {
    let mut depth = 0usize;
    let parts = tokens.split(|c: char| {
        match c {
            '(' | '<' => depth += 1,
            ')' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts
        .filter_map(|part| {
            let rest = part.trim().strip_prefix(name)?.trim_start();
            if let Some(value) = rest.strip_prefix('=') {
                return Some(cleaned(value));
            }
            rest.strip_prefix('(').map(|inner| inner.trim_end().trim_end_matches(')').trim().to_owned())
        })
        .collect()
}

/// The paths of the tables that a query's text names, in its order.
fn tables_of(query: &str) -> impl Iterator<Item = &str> {
    query.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').filter_map(|path| path.strip_suffix("::table"))
}

fn value_of(text: &str, name: &str) -> Option<String> {
    settings(text, name).into_iter().next().map(|value| value.trim_matches('"').to_owned())
}

fn cleaned(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace() && *c != '"').collect::<String>().replace("r#", "")
}

fn mentions(attrs: &[Attr], word: &str) -> bool {
    attrs
        .iter()
        .filter(|attr| attr.path.last().is_some_and(|last| last == "diesel"))
        .any(|attr| attr.tokens.split(|c: char| !c.is_alphanumeric() && c != '_').any(|token| token == word))
}

/// The table that a struct without `table_name` is for: `NewPost` is for `new_posts`.
fn plural(name: &str) -> String {
    format!("{}s", snake(name))
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
