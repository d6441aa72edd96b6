//! sea-query's schema statements, read from the bodies of migrations (sea-query docs, "Schema Query").

use crate::client::sea_orm::calls::iden;
use crate::client::sea_orm::entity::Entity;
use crate::client::sea_orm::names::{Made, leading};
use crate::client::sea_orm::schema::{Tables, unique};
use crate::client::sea_orm::visit::visit;
use crate::link::{Def, FnId, Program};
use crate::lower::tree::{Expr, ExprKind, Lit, MethodCall, Name, TyPath};
use crate::sql::schema::{ColumnDef, ForeignKey, OnDelete, TableDef, Unique};

/// Applies the schema statements of all functions but tests and `down`, in the order of the files.
pub fn apply(program: &Program, tables: &mut Tables) {
    for id in program.functions() {
        let function = program.function(id);
        let Some(body) = function.body.as_ref().filter(|_| !function.test && function.name != "down") else { continue };
        let reader = Reader { program, function: id };
        visit(body, &mut |expr| match Chain::of(expr) {
            Some(chain) => !reader.statement(&chain, tables),
            None => true,
        });
    }
}

/// `root(args).first(…).second(…)`.
struct Chain<'e> {
    root: Vec<&'e str>,
    args: &'e [Expr],
    calls: Vec<&'e MethodCall>,
}

impl<'e> Chain<'e> {
    fn of(expr: &'e Expr) -> Option<Self> {
        let (mut expr, mut calls) = (expr, Vec::new());
        loop {
            match &*expr.kind {
                ExprKind::Method(call) => {
                    calls.push(&**call);
                    expr = &call.recv;
                }
                ExprKind::Ref(inner) => expr = inner,
                ExprKind::Call(callee, args) => {
                    let ExprKind::Path(path) = &*callee.kind else { return None };
                    calls.reverse();
                    let root = path.segments.iter().map(|segment| segment.name.as_str()).collect();
                    return Some(Self { root, args, calls });
                }
                _ => return None,
            }
        }
    }

    /// `Table::create` as its last two names.
    fn begins(&self, of: &str, function: &str) -> bool {
        matches!(self.root.as_slice(), [.., a, b] if *a == of && *b == function)
    }

    fn has(&self, name: &str) -> bool {
        self.calls.iter().any(|call| call.name == name)
    }

    /// The arguments of each call of a name.
    fn all<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'e [Expr]> + 'c {
        self.calls.iter().filter(move |call| call.name == name).map(|call| call.args.as_slice())
    }
}

struct Reader<'p> {
    program: &'p Program,
    function: FnId,
}

impl Reader<'_> {
    /// Applies a statement; false when it is none of the schema.
    fn statement(&self, chain: &Chain<'_>, tables: &mut Tables) -> bool {
        if chain.begins("Table", "create") {
            let Some(table) = self.table(chain) else { return true };
            tables.add(&table, self.created(chain));
        } else if chain.begins("Table", "alter") {
            let Some(table) = self.table(chain) else { return true };
            self.altered(chain, tables.entry(&table));
        } else if chain.begins("Table", "drop") {
            chain.all("table").filter_map(|args| self.name(args.first()?)).for_each(|table| tables.remove(&table));
        } else if chain.begins("Table", "rename") {
            let renamed = chain.all("table").next().and_then(|args| match args {
                [from, to] => Some((self.name(from)?, self.name(to)?)),
                _ => None,
            });
            if let Some((from, to)) = renamed {
                tables.rename(&from, &to);
            }
        } else if chain.begins("Index", "create") {
            let (Some(table), Some(index)) = (self.table(chain), self.index(chain)) else { return true };
            let def = tables.entry(&table);
            if def.uniques.iter().all(|known| known.columns != index.columns) {
                def.uniques.push(index);
            }
        } else if chain.begins("Index", "drop") {
            chain.all("name").filter_map(|args| self.name(args.first()?)).for_each(|index| tables.drop_index(&index));
        } else if chain.begins("ForeignKey", "create") {
            if let Some((table, key)) = self.foreign_key(chain)
                && let Some(def) = tables.get(&table)
            {
                def.foreign_keys.push(key);
            }
        } else {
            return false;
        }
        true
    }

    fn table(&self, chain: &Chain<'_>) -> Option<Name> {
        chain.all("table").find_map(|args| self.name(args.first()?))
    }

    fn created(&self, chain: &Chain<'_>) -> TableDef {
        let mut def = TableDef::default();
        for args in chain.all("col") {
            if let [column] = args {
                self.column(column, &mut def);
            }
        }
        for args in chain.all("primary_key") {
            if let Some(index) = args.first().and_then(Chain::of) {
                def.primary_key = self.columns(&index);
            }
        }
        for args in chain.all("index") {
            let Some(index) = args.first().and_then(Chain::of) else { continue };
            if index.has("primary") {
                def.primary_key = self.columns(&index);
            }
            def.uniques.extend(self.index(&index));
        }
        self.foreign_keys(chain, "foreign_key", &mut def);
        def
    }

    fn altered(&self, chain: &Chain<'_>, def: &mut TableDef) {
        for call in ["add_column", "add_column_if_not_exists"] {
            chain.all(call).filter_map(|args| args.first()).for_each(|column| self.column(column, def));
        }
        for gone in chain.all("drop_column").filter_map(|args| self.name(args.first()?)) {
            def.columns.retain(|column| column.name != gone);
            def.uniques.retain(|unique| !unique.columns.contains(&gone));
        }
        for args in chain.all("rename_column") {
            let [from, to] = args else { continue };
            let (Some(from), Some(to)) = (self.name(from), self.name(to)) else { continue };
            let columns = def.columns.iter_mut().map(|column| &mut column.name);
            let keys = def.uniques.iter_mut().flat_map(|unique| &mut unique.columns).chain(&mut def.primary_key);
            columns.chain(keys).filter(|name| **name == from).for_each(|name| *name = to.clone());
        }
        for column in chain.all("modify_column").filter_map(|args| Chain::of(args.first()?)) {
            let Some(name) = column.args.first().and_then(|name| self.name(name)) else { continue };
            if column.has("unique_key") {
                def.uniques.push(unique(vec![name]));
            }
        }
        self.foreign_keys(chain, "add_foreign_key", def);
    }

    /// `ColumnDef::new(Accounts::Email).string().not_null().unique_key()`, and `string_uniq(Accounts::Email)`, the
    /// short form of sea-orm-migration's `schema` module.
    fn column(&self, expr: &Expr, def: &mut TableDef) {
        let Some(chain) = Chain::of(expr) else { return };
        let Some(name) = chain.args.first().and_then(|name| self.name(name)) else { return };
        let short = match chain.root.as_slice() {
            [.., "ColumnDef", _] => "",
            [.., function] => function,
            [] => return,
        };
        let types = chain.calls.iter().map(|call| call.name.as_str()).find(|name| !MARKS.contains(name));
        let primary = chain.has("primary_key") || short.starts_with("pk_");
        if primary && def.primary_key.is_empty() {
            def.primary_key = vec![name.clone()];
        }
        if chain.has("unique_key") || short.ends_with("_uniq") {
            def.uniques.push(unique(vec![name.clone()]));
        }
        let nullable =
            if short.is_empty() { !chain.has("not_null") } else { short.ends_with("_null") || chain.has("null") };
        let ty = if short.is_empty() { types.unwrap_or_default() } else { short };
        let generated = chain.has("auto_increment") || short == "pk_auto";
        if def.columns.iter().all(|known| known.name != name) {
            def.columns.push(ColumnDef { name, ty: ty.to_owned(), nullable: nullable && !primary, generated });
        }
    }

    /// A unique index; none for another, which allows a value more than once.
    fn index(&self, chain: &Chain<'_>) -> Option<Unique> {
        let columns = self.columns(chain);
        if !chain.has("unique") || columns.is_empty() {
            return None;
        }
        let name = chain.all("name").find_map(|args| self.name(args.first()?));
        let partial = (chain.has("and_where") || chain.has("cond_where")).then(|| "?".to_owned());
        Some(Unique { name, columns, expression: false, partial })
    }

    fn columns(&self, index: &Chain<'_>) -> Vec<Name> {
        index.all("col").filter_map(|args| self.name(args.first()?)).collect()
    }

    fn foreign_keys(&self, chain: &Chain<'_>, call: &str, def: &mut TableDef) {
        let keys = chain.all(call).filter_map(|args| Chain::of(args.first()?));
        def.foreign_keys.extend(keys.filter_map(|key| self.foreign_key(&key)).map(|(_, key)| key));
    }

    /// A foreign key, and the table it is of.
    fn foreign_key(&self, chain: &Chain<'_>) -> Option<(Name, ForeignKey)> {
        let side = |both: &str, table: &str, column: &str| -> (Option<Name>, Vec<Name>) {
            if let Some([of, columns]) = chain.all(both).next() {
                let columns = match &*columns.kind {
                    ExprKind::Tuple(parts) => parts.iter().filter_map(|part| self.name(part)).collect(),
                    _ => self.name(columns).into_iter().collect(),
                };
                return (self.name(of), columns);
            }
            let of = chain.all(table).find_map(|args| self.name(args.first()?));
            (of, chain.all(column).filter_map(|args| self.name(args.first()?)).collect())
        };
        let (from, columns) = side("from", "from_tbl", "from_col");
        let (to, references) = side("to", "to_tbl", "to_col");
        let on_delete = match chain.all("on_delete").find_map(|args| last_name(args.first()?)) {
            None => OnDelete::Refuses,
            Some("Cascade") => OnDelete::Deletes,
            Some("SetNull" | "SetDefault") => OnDelete::Releases,
            Some("Restrict" | "NoAction") => OnDelete::Refuses,
            Some(_) => OnDelete::Unsaid,
        };
        Some((from.unwrap_or_default(), ForeignKey { columns, table: to?, references, on_delete }))
    }

    /// The name that an argument is: a variant, an entity or its column, `Alias::new("…")`, a literal, or the last of a
    /// pair.
    fn name(&self, expr: &Expr) -> Option<Name> {
        match &*expr.kind {
            ExprKind::Lit(Lit::Str(text)) => Some(Name::new(text)),
            ExprKind::Path(path) => self.path(path),
            ExprKind::Call(_, args) => match args.as_slice() {
                [only] => self.name(only),
                _ => None,
            },
            ExprKind::Tuple(parts) => self.name(parts.last()?),
            ExprKind::Ref(inner) => self.name(inner),
            ExprKind::Method(call) => self.name(&call.recv),
            _ => None,
        }
    }

    fn path(&self, path: &TyPath) -> Option<Name> {
        let scope = self.program.scope_of(self.function);
        if let Some(Def::Variant(id, variant)) = self.program.path(scope, Some(self.function), path).first() {
            return iden(self.program, *id, variant).map(|(name, _)| name);
        }
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        let (model, made, used) = leading(self.program, scope, &names)?;
        let entity = Entity::of(self.program, model)?;
        match (made, &names[used..]) {
            (Made::Entity, []) => Some(entity.table),
            (Made::Column, [variant]) => Some(entity.variant(variant)),
            _ => None,
        }
    }
}

/// The last name of a path.
fn last_name(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Path(path) => path.segments.last().map(|segment| segment.name.as_str()),
        _ => None,
    }
}

/// Calls on a column definition that do not name its type.
const MARKS: [&str; 12] = [
    "not_null",
    "null",
    "primary_key",
    "auto_increment",
    "unique_key",
    "default",
    "check",
    "extra",
    "comment",
    "to_owned",
    "take",
    "using",
];
