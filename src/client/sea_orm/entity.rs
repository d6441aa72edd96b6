//! What a `Model` says of its table (sea-orm docs, "Entity Format" and "Expanded Entity Format").

use super::attributes::{keys, value};
use super::names::{Made, exact};
use crate::link::{FnId, Program, ScopeId, Type, TypeId};
use crate::lower::tree::{Expr, ExprKind, Field, Lit, Name, Stmt, Ty, TypeKind, Variant};

/// One entity.
#[derive(Clone, Debug)]
pub struct Entity {
    pub table: Name,
    pub schema: Option<Name>,
    pub columns: Vec<Column>,
}

/// A field of the model and its column.
#[derive(Clone, Debug)]
pub struct Column {
    pub field: Name,
    pub name: Name,
    pub primary: bool,
    /// The database fills it in.
    pub generated: bool,
    pub unique: bool,
    pub nullable: bool,
    pub ty: Ty,
}

/// How two entities hang together: `from` columns of one are the `to` columns of the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub variant: Name,
    pub target: TypeId,
    pub from: Vec<Name>,
    pub to: Vec<Name>,
}

impl Entity {
    /// Reads a `Model`; none when the type is no entity.
    pub fn of(program: &Program, model: TypeId) -> Option<Self> {
        if !is_model(program, model) {
            return None;
        }
        let TypeKind::Struct(fields) = &program.type_def(model).kind else { return None };
        let expanded = !derives(program, model, "DeriveEntityModel");
        let attrs = keys(&program.type_def(model).attrs);
        let scope = program.type_scope(model);
        let table = value(&attrs, "table_name").map(Name::new);
        let table = table.or_else(|| expanded.then(|| named_by_function(program, scope, "table_name")).flatten());
        let rename = value(&attrs, "rename_all").unwrap_or_default();
        let mut columns: Vec<Column> = fields.iter().filter_map(|field| column(field, rename)).collect();
        if expanded {
            mark_expanded(program, scope, &mut columns);
        }
        let schema = value(&attrs, "schema_name").map(Name::new);
        Some(Self { table: table.unwrap_or_else(|| "?".into()), schema, columns })
    }

    pub fn primary(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.primary)
    }

    /// The column of a field.
    pub fn field(&self, field: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field)
    }

    /// Whether the generated `Column` enum has a variant of this name.
    pub fn has_variant(&self, variant: &str) -> bool {
        self.columns.iter().any(|column| pascal(&column.field) == variant)
    }

    /// The column of a variant of the generated `Column` enum.
    pub fn variant(&self, variant: &str) -> Name {
        let found = self.columns.iter().find(|column| pascal(&column.field) == variant);
        found.map_or_else(|| Name::new(snake(variant)), |column| column.name.clone())
    }
}

/// Whether a type is the model of an entity.
pub fn is_model(program: &Program, id: TypeId) -> bool {
    derives(program, id, "DeriveEntityModel") || derives(program, id, "DeriveModel")
}

/// The entity whose model a value's type is, wrappers aside.
pub fn model_of(program: &Program, ty: &Type) -> Option<TypeId> {
    match program.peel(ty) {
        Type::Def(id, _) if is_model(program, id) => Some(id),
        _ => None,
    }
}

/// The relations an entity declares by `belongs_to`, `has_many` and `has_one`; the latter without their columns.
pub fn links(program: &Program, model: TypeId) -> Vec<Link> {
    let scope = program.type_scope(model);
    let relations = program.types_in(scope, "Relation").filter_map(|id| match &program.type_def(id).kind {
        TypeKind::Enum(variants) => Some(variants),
        _ => None,
    });
    relations.flatten().filter_map(|variant| link(program, scope, variant)).collect()
}

/// The columns that join two entities: of the first, and of the second.
pub fn joined(program: &Program, one: TypeId, other: TypeId) -> Option<(Vec<Name>, Vec<Name>)> {
    let forth = links(program, one).into_iter().find(|link| link.target == other && !link.from.is_empty());
    if let Some(link) = forth {
        return Some((link.from, link.to));
    }
    let back = links(program, other).into_iter().find(|link| link.target == one && !link.from.is_empty())?;
    Some((back.to, back.from))
}

fn link(program: &Program, scope: ScopeId, variant: &Variant) -> Option<Link> {
    let attrs = keys(&variant.attrs);
    let target = ["belongs_to", "has_many", "has_one"].into_iter().find_map(|key| value(&attrs, key))?;
    let (target, Made::Entity) = exact(program, scope, &path(target))? else { return None };
    let columns = |key: &str| -> Vec<Name> {
        let Some(written) = value(&attrs, key) else { return Vec::new() };
        let list = written.trim_matches(['(', ')', ' ']).split(',');
        list.filter_map(|one| column_at(program, scope, &path(one))).collect()
    };
    Some(Link { variant: variant.name.clone(), target, from: columns("from"), to: columns("to") })
}

/// `Column::AccountId`, `super::account::Column::Id`.
fn column_at(program: &Program, scope: ScopeId, path: &[Name]) -> Option<Name> {
    let (variant, columns) = path.split_last()?;
    let (model, Made::Column) = exact(program, scope, columns)? else { return None };
    Some(Entity::of(program, model)?.variant(variant))
}

fn path(text: &str) -> Vec<Name> {
    text.split("::").map(|name| Name::new(name.trim())).filter(|name| !name.is_empty()).collect()
}

fn column(field: &Field, rename: &str) -> Option<Column> {
    let attrs = keys(&field.attrs);
    let has = |key: &str| value(&attrs, key).is_some();
    if has("ignore") || has("belongs_to") || has("has_many") || has("has_one") {
        return None;
    }
    let name = match value(&attrs, "column_name") {
        Some(name) => Name::new(name),
        None if rename == "camelCase" => Name::new(camel(&field.name)),
        None if rename == "PascalCase" => Name::new(pascal(&field.name)),
        None => field.name.clone(),
    };
    let primary = has("primary_key");
    Some(Column {
        field: field.name.clone(),
        name,
        primary,
        generated: primary && value(&attrs, "auto_increment") != Some("false"),
        unique: has("unique"),
        nullable: has("nullable") || optional(&field.ty),
        ty: field.ty.clone(),
    })
}

/// The expanded format: keys are in `enum PrimaryKey`, names in `enum Column`.
fn mark_expanded(program: &Program, scope: ScopeId, columns: &mut [Column]) {
    let variants = |name: &str| -> Vec<&Variant> {
        let enums = program.types_in(scope, name).filter_map(|id| match &program.type_def(id).kind {
            TypeKind::Enum(variants) => Some(variants.iter().collect::<Vec<_>>()),
            _ => None,
        });
        enums.flatten().collect()
    };
    let keys_of = variants("PrimaryKey");
    let names = variants("Column");
    for column in columns {
        let variant = pascal(&column.field);
        column.primary |= keys_of.iter().any(|key| key.name == variant);
        column.generated |= column.primary && keys_of.len() == 1;
        let renamed = names.iter().find(|known| known.name == variant);
        if let Some(name) = renamed.and_then(|known| value(&keys(&known.attrs), "column_name").map(Name::new)) {
            column.name = name;
        }
    }
}

/// The literal that `fn table_name(&self) -> &str { "accounts" }` gives.
fn named_by_function(program: &Program, scope: ScopeId, name: &str) -> Option<Name> {
    let functions = program.impls_in(scope).flat_map(|block| program.impl_functions(block).iter().copied());
    let found: FnId = functions.into_iter().find(|id| program.function(*id).name == name)?;
    last_literal(program.function(found).body.as_ref()?, 0)
}

fn last_literal(expr: &Expr, depth: usize) -> Option<Name> {
    match &*expr.kind {
        ExprKind::Lit(Lit::Str(text)) => Some(Name::new(text)),
        ExprKind::Block(block) if depth < 4 => match block.stmts.last()? {
            Stmt::Expr(expr) => last_literal(expr, depth + 1),
            Stmt::Let { .. } => None,
        },
        ExprKind::Return(Some(expr)) if depth < 4 => last_literal(expr, depth + 1),
        _ => None,
    }
}

fn derives(program: &Program, id: TypeId, name: &str) -> bool {
    program.derives(id).contains(&name)
}

fn optional(ty: &Ty) -> bool {
    matches!(ty, Ty::Path(path) if path.segments.last().is_some_and(|segment| segment.name == "Option"))
}

/// `owner_id` to `OwnerId`.
pub fn pascal(name: &str) -> String {
    let mut out = String::new();
    for word in name.split('_') {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
    }
    out
}

fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut chars = pascal.chars();
    chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect()
}

/// `OwnerId` to `owner_id`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (n, c) in chars.iter().enumerate() {
        let before = n.checked_sub(1).and_then(|n| chars.get(n));
        let ends_word = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
            || before.is_some_and(|b| b.is_uppercase()) && chars.get(n + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && ends_word {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
