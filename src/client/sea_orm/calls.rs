//! Names and functions: `account::Entity::find()`, `Set(x)`, `Expr::col(…)`, `OnConflict::column(…)`.

use crate::client::Builder;
use crate::client::sea_orm::active::{Active, State};
use crate::client::sea_orm::chain::{Chain, Kind, Want};
use crate::client::sea_orm::entity::{Entity, snake};
use crate::client::sea_orm::expression::sea;
use crate::client::sea_orm::names::{Made, column_brought, exact, leading};
use crate::client::sea_orm::sql::{Conflict, Fragment};
use crate::client::sea_orm::{SeaOrm, attributes, table};
use crate::flow::Evaluator;
use crate::flow::generic::Named;
use crate::flow::value::{Shape, Value};
use crate::link::{Def, FnId, Type, TypeId};
use crate::lower::tree::{Name, Ty, TyPath, TypeKind};
use crate::span::Range;

impl Evaluator<'_> {
    /// A name of an entity, a column, or of sea-query.
    pub(crate) fn sea_name(&mut self, path: &TyPath) -> Option<Value> {
        let mut names = self.sea_path(path)?;
        if names.last()?.starts_with(|first: char| first.is_lowercase()) {
            return None;
        }
        let (scope, owner) = self.here();
        if let [bare] = names.as_slice() {
            names = column_brought(self.program, scope, bare).unwrap_or(names);
        }
        let last = names.last()?;
        if let Some((model, made, used)) = leading(self.program, scope, &names) {
            let entity = Entity::of(self.program, model)?;
            let found = match (made, &names[used..]) {
                (Made::Entity, []) => SeaOrm::Entity(model),
                (Made::Column | Made::PrimaryKey, [variant]) => {
                    SeaOrm::Column { table: entity.table.clone(), column: entity.variant(variant) }
                }
                (Made::Relation, [variant]) => SeaOrm::Relation { entity: model, variant: variant.clone() },
                _ => return None,
            };
            return Some(self.sea_named(&names, found));
        }
        let defs = self.program.path(scope, owner, path);
        if let Some(Def::Variant(id, variant)) = defs.first() {
            let found = self.sea_iden(*id, variant)?;
            return Some(self.sea_named(&names, found));
        }
        match last.as_str() {
            "NotSet" if self.is_sea(path) => Some(self.sea_named(&names, SeaOrm::State(State::NotSet))),
            "Asterisk" if self.is_sea(path) => {
                Some(self.sea_named(&names, SeaOrm::Iden { name: "*".into(), table: false }))
            }
            _ => None,
        }
    }

    /// A variant of an enum that derives `Iden` or `DeriveIden`.
    fn sea_iden(&self, id: TypeId, variant: &Name) -> Option<SeaOrm> {
        let (name, table) = iden(self.program, id, variant)?;
        Some(SeaOrm::Iden { name, table })
    }

    /// A function of an entity, of sea-orm, or of sea-query.
    pub(crate) fn sea_call(&mut self, path: &TyPath, args: &[Value], at: Range) -> Option<Value> {
        let names = self.sea_path(path)?;
        let (scope, _) = self.here();
        let (last, outer) = names.split_last()?;
        if let Some((model, made, used)) = leading(self.program, scope, &names)
            && let [function] = &names[used..]
        {
            let known = match made {
                Made::Entity => self.sea_entity_call(model, function, args),
                Made::ActiveModel => self.sea_active_call(model, function, args, at),
                Made::Model if function == "find_by_statement" => self.sea_raw(args, Type::Def(model, [].into())),
                _ => None,
            };
            return known.or_else(|| self.sea_own_function(model, made, function, args, at));
        }
        if last == "find_by_statement" && args.len() == 1 {
            let ty = self.sea_type(&Ty::Path(TyPath {
                qself: None,
                segments: path.segments[..path.segments.len().saturating_sub(1)].to_vec(),
            }));
            return self.sea_raw(args, ty);
        }
        // `QuerySelect::query(&mut select)`: sea-query's statement inside, changed in place.
        if last == "query"
            && let [inner] = args
            && let Some(chain) = self.sea_chain(inner)
        {
            let chain = Chain { in_place: true, ..chain.clone() };
            return Some(inner.clone().shaped(Shape::Builder(Builder::from(SeaOrm::Chain(chain)).into())));
        }
        let owner = outer.last().map(Name::as_str).unwrap_or_default();
        let known = matches!(
            (owner, last.as_str()),
            (_, "Set" | "Unchanged")
                | ("Condition" | "Cond" | "Expr" | "SimpleExpr" | "Func" | "OnConflict" | "Query" | "Alias", _)
                | ("ActiveValue", "set" | "unchanged" | "not_set")
        );
        if !known || !self.is_sea(path) {
            return None;
        }
        let refs: Vec<&Value> = args.iter().collect();
        if matches!(owner, "ActiveValue") || matches!(last.as_str(), "Set" | "Unchanged") {
            let state = match last.as_str() {
                "Set" | "set" => State::Set,
                "Unchanged" | "unchanged" => State::Unchanged,
                _ => return Some(self.sea_named(&names, SeaOrm::State(State::NotSet))),
            };
            let value = args.first()?.clone();
            return Some(value.shaped(Shape::Builder(Builder::from(SeaOrm::State(state)).into())));
        }
        let made = self.sea_function(owner, last, args)?;
        Some(self.built(last, &refs, Builder::from(made)))
    }

    fn sea_function(&self, owner: &str, name: &str, args: &[Value]) -> Option<SeaOrm> {
        let fragment = |n: usize| args.get(n).map(|arg| self.sea_fragment(arg));
        Some(match (owner, name) {
            ("Condition" | "Cond", "all") => SeaOrm::Condition { any: false, negated: false, parts: Vec::new() },
            ("Condition" | "Cond", "any") => SeaOrm::Condition { any: true, negated: false, parts: Vec::new() },
            ("Expr", "col" | "column" | "asterisk") => SeaOrm::Expr(fragment(0).unwrap_or_else(|| Fragment::text("*"))),
            ("Expr", "tbl") => {
                let (table, column) = (self.sea_table(args.first()?)?.1, self.sea_column(args.get(1)?)?);
                SeaOrm::Expr(Fragment::column(Some(&table), &column))
            }
            ("Expr" | "SimpleExpr", "cust") => SeaOrm::Expr(self.sea_custom(args, &[])),
            ("Expr" | "SimpleExpr", "cust_with_values" | "cust_with_exprs" | "cust_with_expr") => {
                SeaOrm::Expr(self.sea_custom(args, &self.sea_values(args.get(1)?)))
            }
            ("Expr", "exists" | "not_exists") => {
                let head = if name == "exists" { "(EXISTS " } else { "(NOT EXISTS " };
                SeaOrm::Expr(Fragment::text(head).with(fragment(0)?).then(")"))
            }
            ("Expr", "current_timestamp" | "current_date" | "current_time") => SeaOrm::Expr(Fragment::text(name)),
            ("Expr", "case") => {
                SeaOrm::Expr(Fragment::text("CASE WHEN ").with(fragment(0)?).then(" THEN ").with(fragment(1)?))
            }
            ("Expr" | "SimpleExpr", "val" | "value" | "expr" | "from" | "Value" | "new" | "not") => {
                SeaOrm::Expr(fragment(0)?)
            }
            ("Func", "cust") => SeaOrm::Expr(Fragment::text(format!("{}()", self.sea_column(args.first()?)?))),
            ("Func", "coalesce") => SeaOrm::Expr(Fragment::call("COALESCE", self.sea_values(args.first()?))),
            ("Func", _) => {
                let parts = args.iter().map(|arg| self.sea_fragment(arg));
                SeaOrm::Expr(Fragment::call(if name == "if_null" { "COALESCE" } else { name }, parts))
            }
            ("Alias", "new") => SeaOrm::Iden { name: args.first()?.text()?.whole()?.into(), table: false },
            ("OnConflict", "new") => SeaOrm::Conflict(Conflict::default()),
            ("OnConflict", "column" | "columns") => {
                SeaOrm::Conflict(Conflict { columns: self.sea_columns(args.first()?), ..Conflict::default() })
            }
            ("OnConflict", "constraint") => {
                let constraint = args.first()?.text()?.whole()?.into();
                SeaOrm::Conflict(Conflict { constraint: Some(constraint), ..Conflict::default() })
            }
            ("Query", "select" | "insert" | "update" | "delete") => {
                let kind = match name {
                    "select" => Kind::Select,
                    "insert" => Kind::Insert,
                    "update" => Kind::Update,
                    _ => Kind::Delete,
                };
                SeaOrm::Chain(Chain { in_place: true, ..Chain::new(kind) })
            }
            _ => return None,
        })
    }

    /// The values of a list, each as it stands in a statement.
    pub(super) fn sea_values(&self, list: &Value) -> Vec<Fragment> {
        match &list.shape {
            Shape::Record(parts) => parts.iter().map(|(_, part)| self.sea_fragment(part)).collect(),
            _ => vec![self.sea_fragment(list)],
        }
    }

    /// SQL that the program wrote itself, with values for its placeholders.
    fn sea_custom(&self, args: &[Value], values: &[Fragment]) -> Fragment {
        let Some(text) = args.first().and_then(|arg| arg.text()).and_then(|text| text.whole()) else {
            return args.first().map(|arg| Fragment::bind(arg.term)).unwrap_or_default();
        };
        let mut out = Fragment::text("(");
        let mut next = 0;
        let mut rest = text.as_str();
        while let Some(found) = rest.find(['?', '$']) {
            let digits =
                rest[found + 1..].len() - rest[found + 1..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number = rest[found + 1..found + 1 + digits].parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            let value = values.get(number.unwrap_or(next));
            let end = found + 1 + digits;
            out = match value {
                Some(value) => out.then(&rest[..found]).with(value.clone()),
                None => out.then(&rest[..end]),
            };
            next += 1;
            rest = &rest[end..];
        }
        out.then(rest).then(")")
    }

    fn sea_entity_call(&mut self, model: TypeId, function: &Name, args: &[Value]) -> Option<Value> {
        let entity = Entity::of(self.program, model)?;
        let begin = |kind: Kind| Chain {
            model: Some(model),
            row: Type::Def(model, [].into()),
            schema: entity.schema.clone(),
            table: entity.table.clone(),
            ..Chain::new(kind)
        };
        let star = || vec![Fragment::text("*")];
        let chain = match (function.as_str(), args) {
            ("find", []) => begin(Kind::Select),
            ("find_by_id", [key]) => self.sea_by_key(begin(Kind::Select), &entity, key),
            ("update_many", []) => begin(Kind::Update),
            ("delete_many", []) => begin(Kind::Delete),
            ("delete_by_id", [key]) => self.sea_by_key(begin(Kind::Delete), &entity, key),
            ("delete", [active]) => {
                let active = self.sea_active(active, model);
                self.sea_of_active(begin(Kind::Delete), &entity, &active)
            }
            ("update", [active]) => {
                let active = self.sea_active(active, model);
                let sets = active.updated(&entity);
                let chain = Chain { sets, returning: star(), single: true, ..begin(Kind::Update) };
                self.sea_of_active(chain, &entity, &active)
            }
            ("insert", [active]) => {
                let sets = self.sea_active(active, model).inserted();
                Chain { sets, single: true, ..begin(Kind::Insert) }
            }
            ("insert_many", [list]) => {
                let first = self.sea_first(list);
                let sets = self.sea_active(&first, model).inserted();
                Chain { sets, ..begin(Kind::Insert) }
            }
            (name, [value]) if name.starts_with("find_by_") => {
                let column = entity.field(name.trim_start_matches("find_by_"))?;
                let mut chain = begin(Kind::Select);
                let left = Fragment::column(Some(&entity.table), &column.name);
                chain.filters.push(left.binary("=", self.sea_fragment(value)));
                Chain { pinned: column.unique, ..chain }
            }
            _ => return None,
        };
        let named = self.terms.literal(&entity.table);
        let named = Value::new(named, Type::Unknown);
        let refs: Vec<&Value> = std::iter::once(&named).chain(args).collect();
        Some(self.built(function, &refs, Builder::from(SeaOrm::Chain(chain))))
    }

    /// A list's first element: all have one shape.
    pub(super) fn sea_first(&mut self, list: &Value) -> Value {
        match &list.shape {
            Shape::Record(parts) => parts.first().map_or_else(|| list.clone(), |(_, first)| first.clone()),
            _ => list.clone(),
        }
    }

    /// The chain with the primary key held to a value; a composite key takes a tuple.
    fn sea_by_key(&mut self, mut chain: Chain, entity: &Entity, key: &Value) -> Chain {
        let columns: Vec<Name> = entity.primary().map(|column| column.name.clone()).collect();
        for (n, column) in columns.iter().enumerate() {
            let value = match columns.len() {
                1 => key.clone(),
                _ => self.field(key, &n.to_string()),
            };
            let left = Fragment::column(Some(&entity.table), column);
            chain.filters.push(left.binary("=", self.sea_fragment(&value)));
        }
        chain.pinned = !columns.is_empty();
        chain
    }

    /// The chain with the primary key held to an active model's.
    pub(super) fn sea_of_active(&mut self, mut chain: Chain, entity: &Entity, active: &Active) -> Chain {
        for column in entity.primary() {
            let term = active.column(&column.name).map_or_else(|| self.terms.fresh(), |(_, term)| term);
            let left = Fragment::column(Some(&entity.table), &column.name);
            chain.filters.push(left.binary("=", Fragment::bind(term)));
        }
        chain.pinned = true;
        chain
    }

    fn sea_active_call(&mut self, model: TypeId, function: &Name, args: &[Value], at: Range) -> Option<Value> {
        let active = match (function.as_str(), args) {
            ("default" | "new", []) => Active::empty(model),
            ("from", [of]) if !self.sea_own_from(model, of).is_empty() => {
                let own = self.sea_own_from(model, of);
                return Some(self.call_functions(&own, args.to_vec(), at, &Named::default(), &[]));
            }
            ("from" | "from_json" | "from_model", [of]) => {
                let active = self.sea_active(of, model);
                return Some(self.sea_active_value(of, active));
            }
            _ => return None,
        };
        let fresh = self.fresh();
        Some(self.sea_active_value(&fresh, active))
    }

    /// The program's own `impl From<…> for ActiveModel` for the type of a value.
    fn sea_own_from(&self, model: TypeId, of: &Value) -> Vec<FnId> {
        let ty = self.program.peel(&of.ty);
        let own = self.sea_own(model, Made::ActiveModel, "from").into_iter();
        own.filter(|id| self.program.params(*id).first().is_some_and(|param| *param == ty)).collect()
    }

    /// Whether a macro is sea-query's `all!` or `any!`.
    pub(crate) fn sea_is_condition(&self, path: &[Name]) -> bool {
        if !path.last().is_some_and(|last| matches!(last.as_str(), "all" | "any")) {
            return false;
        }
        let segment =
            |name: &Name| crate::lower::tree::Segment { name: name.clone(), args: Vec::new(), bindings: Vec::new() };
        self.is_sea(&TyPath { qself: None, segments: path.iter().map(segment).collect() })
    }

    pub(crate) fn sea_condition_macro(&mut self, path: &[Name], args: &[Value]) -> Value {
        let name = path.last().map(Name::as_str).unwrap_or_default();
        let parts = args.iter().map(|arg| self.sea_fragment(arg)).collect();
        let refs: Vec<&Value> = args.iter().collect();
        let condition = SeaOrm::Condition { any: name == "any", negated: false, parts };
        self.built(name, &refs, Builder::from(condition))
    }

    /// A function that the program adds to a generated type: `impl Entity { fn find_open() -> Select<Entity> }`.
    pub(super) fn sea_own_function(
        &mut self,
        model: TypeId,
        made: Made,
        name: &str,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        let functions = self.sea_own(model, made, name);
        (!functions.is_empty()).then(|| self.call_functions(&functions, args.to_vec(), at, &Named::default(), &[]))
    }

    fn sea_own(&self, model: TypeId, made: Made, name: &str) -> Vec<FnId> {
        let program = self.program;
        let ours = |id: &FnId| {
            let Some(block) = program.impl_of(*id) else { return false };
            let Ty::Path(path) = &program.impl_def(block).self_ty else { return false };
            let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
            exact(program, program.scope_of(*id), &names) == Some((model, made))
        };
        program.named_methods(name).iter().copied().filter(ours).collect()
    }

    /// Raw SQL that is read into a type.
    fn sea_raw(&mut self, args: &[Value], ty: Type) -> Option<Value> {
        let [statement] = args else { return None };
        let mut query = (**statement.query()?).clone();
        query.ty = ty;
        Some(statement.clone().shaped(Shape::Query(query.into())))
    }

    /// A chain as a statement for calls that take one: `builder.build(&stmt)`.
    pub(super) fn sea_statement(&mut self, value: &Value, chain: &Chain) -> Option<Value> {
        let query = self.sql_query(&chain.sql(Want::Rows), chain.row.clone(), &value.guards)?;
        Some(value.clone().shaped(Shape::Query(query.into())))
    }

    /// The names of a path, `Self` and `<account::Entity as EntityTrait>` replaced by what they stand for.
    fn sea_path(&self, path: &TyPath) -> Option<Vec<Name>> {
        let mut names: Vec<Name> = Vec::new();
        if let Some(of) = &path.qself {
            let Ty::Path(of) = &**of else { return None };
            names.extend(of.segments.iter().map(|segment| segment.name.clone()));
            names.push(path.segments.last()?.name.clone());
        } else {
            names.extend(path.segments.iter().map(|segment| segment.name.clone()));
        }
        if names.first().is_some_and(|first| first == "Self") {
            let (_, owner) = self.here();
            let block = self.program.impl_of(owner?)?;
            let Ty::Path(of) = &self.program.impl_def(block).self_ty else { return None };
            names.splice(..1, of.segments.iter().map(|segment| segment.name.clone()));
        }
        Some(names)
    }

    /// Whether a path leads into sea-orm or sea-query, by a `use` line, or as a bare name by a glob.
    fn is_sea(&self, path: &TyPath) -> bool {
        let (scope, owner) = self.here();
        let ours = |path: &[Name]| path.first().is_some_and(|krate| table::KRATES.contains(&krate.as_str()));
        let defs = self.program.path(scope, owner, path);
        match defs.first() {
            Some(Def::External(path)) => ours(path),
            Some(_) => false,
            None => self.program.external_globs(scope).iter().any(|glob| ours(glob)),
        }
    }

    pub(super) fn sea_named(&mut self, names: &[Name], sea: SeaOrm) -> Value {
        let text: Vec<&str> = names.iter().map(Name::as_str).collect();
        let term = self.terms.literal(&text.join("::"));
        Value::new(term, Type::Unknown).shaped(Shape::Builder(Builder::from(sea).into()))
    }

    /// The chain of a value.
    pub(super) fn sea_chain<'v>(&self, value: &'v Value) -> Option<&'v Chain> {
        match sea(value) {
            Some(SeaOrm::Chain(chain)) => Some(chain),
            _ => None,
        }
    }
}

/// The name of a variant of an enum that derives `Iden` or `DeriveIden`, and whether it is the table's
/// (sea-query docs, "Iden": `Table` stands for the enum's own name).
pub(super) fn iden(program: &crate::link::Program, id: TypeId, variant: &str) -> Option<(Name, bool)> {
    let derives = program.derives(id);
    if !derives.contains(&"Iden") && !derives.contains(&"DeriveIden") {
        return None;
    }
    let def = program.type_def(id);
    let TypeKind::Enum(variants) = &def.kind else { return None };
    let found = variants.iter().find(|known| known.name == variant)?;
    let renamed = |attrs: &[crate::lower::tree::Attr]| {
        let keys = attributes::keys(attrs);
        attributes::value(&keys, "iden").map(Name::new).or_else(|| plain_iden(attrs))
    };
    let table = variant == "Table";
    let own = renamed(&found.attrs).or_else(|| table.then(|| renamed(&def.attrs)).flatten());
    let name = own.unwrap_or_else(|| Name::new(snake(if table { &def.name } else { variant })));
    Some((name, table))
}

/// `#[iden = "name"]`, as sea-query's own derive has it.
fn plain_iden(attrs: &[crate::lower::tree::Attr]) -> Option<Name> {
    let attr = attrs.iter().find(|attr| attr.path.last().is_some_and(|name| name == "iden"))?;
    let text = attr.tokens.trim_start_matches('=').trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).map(Name::new)
}
