//! Methods, by what they are called on; and statements that are sent.

use std::sync::Arc;

use crate::client::Builder;
use crate::client::sea_orm::SeaOrm;
use crate::client::sea_orm::chain::{Chain, Kind, Want};
use crate::client::sea_orm::entity::{self, Entity};
use crate::client::sea_orm::expression::sea;
use crate::client::sea_orm::sql::{Conflict, Fragment};
use crate::client::table::Gives;
use crate::flow::Evaluator;
use crate::flow::value::{Shape, Value};
use crate::link::{Type, TypeId};
use crate::lower::tree::{MethodCall, Ty};
use crate::span::Range;

impl Evaluator<'_> {
    /// A method of a builder's value, or one that sea-orm gives to models and handles.
    pub(crate) fn sea_method(&mut self, recv: &Value, call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
        if let Shape::OneOf(values) = &recv.shape
            && values.iter().any(|value| sea(value).is_some_and(|sea| !matches!(sea, SeaOrm::State(_))))
        {
            let values: Arc<[Value]> = values.iter().map(|value| value.clone().guarded(&recv.guards)).collect();
            return Some(self.on_each(&values, call, args, at));
        }
        let name = call.name.as_str();
        let Some(sea) = sea(recv) else { return self.sea_plain_method(recv, call, args, at) };
        let made = match sea {
            SeaOrm::Active(active) => return self.sea_active_method(recv, active, call, args, at),
            SeaOrm::Chain(chain) => return self.sea_chain_method(recv, chain, call, args, at),
            SeaOrm::Pages { chain, on } => {
                let handle = Value::new(*on, Type::Unknown);
                return self.sea_page(recv, chain, &handle, name, at);
            }
            SeaOrm::State(_) => return self.sea_state_method(recv, name),
            SeaOrm::Relation { .. } => Some(sea.clone()),
            SeaOrm::Condition { .. } => self.sea_condition(sea, name, args).or_else(|| {
                let whole = recv.clone();
                matches!(name, "and" | "or").then(|| self.sea_expression(&whole, name, args)).flatten()
            }),
            SeaOrm::Conflict(conflict) => self.sea_conflict(conflict, name, args).map(SeaOrm::Conflict),
            SeaOrm::Column { .. } | SeaOrm::Iden { .. } | SeaOrm::Expr(_) => self.sea_expression(recv, name, args),
            SeaOrm::Entity(_) => None,
        }?;
        let refs: Vec<&Value> = std::iter::once(recv).chain(args).collect();
        Some(self.built(name, &refs, Builder::from(made)))
    }

    fn sea_plain_method(&mut self, recv: &Value, call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
        let name = call.name.as_str();
        match (name, args) {
            ("build" | "build_any", [statement, ..]) => {
                let chain = self.sea_chain(statement)?.clone();
                return self.sea_statement(statement, &chain);
            }
            ("execute" | "query_one" | "query_all", [statement]) => {
                let chain = self.sea_chain(statement)?.clone();
                let gives = match name {
                    "execute" => Gives::Count,
                    "query_one" => Gives::MaybeRow,
                    _ => Gives::Rows,
                };
                return self.sea_sent(statement, &chain, Want::Rows, Some(recv), gives, at);
            }
            ("try_get", [prefix, column]) if prefix.text().is_some() => {
                let column = column.text()?.whole()?;
                return Some(self.field(recv, &column));
            }
            ("into_model" | "into_tuple" | "into_values", []) => {
                let mut query = (**recv.query()?).clone();
                query.ty = self.sea_type(call.generics.first()?);
                return Some(recv.clone().shaped(Shape::Query(query.into())));
            }
            _ => {}
        }
        let model = self.sea_model(recv);
        if model.is_none() {
            self.waits_for_type_with(recv, &["ModelTrait", "ActiveModelTrait", "IntoActiveModel"]);
        }
        if name == "into_active_model" && args.is_empty() {
            let model = model.or_else(|| self.sea_intended(recv))?;
            let active = self.sea_active(recv, model);
            return Some(self.sea_active_value(recv, active));
        }
        let model = model?;
        match (name, args) {
            ("find_related", [other]) => self.sea_related(recv, model, other),
            ("find_linked", [link]) => {
                // The rows between the two are of other entities, so that what they hold is not known.
                let target = self.sea_linked(link)?;
                let entity = Entity::of(self.program, target)?;
                let (row, filters) = (Type::Def(target, [].into()), vec![Fragment::bind(recv.term)]);
                let (schema, table) = (entity.schema, entity.table);
                let chain = Chain { model: Some(target), row, schema, table, filters, ..Chain::new(Kind::Select) };
                Some(self.built(name, &[recv, link], Builder::from(SeaOrm::Chain(chain))))
            }
            ("load_one" | "load_many", [other, handle]) => {
                let chain = self.sea_related(recv, model, other)?;
                let inner = self.sea_chain(&chain)?.clone();
                self.sea_sent(&chain, &inner, Want::Rows, Some(handle), Gives::Rows, at)
            }
            ("update" | "insert" | "save" | "delete", [_]) => {
                let (scope, _) = self.here();
                if !self.program.methods(scope, &recv.ty, name).functions.is_empty() {
                    return None;
                }
                // A model itself cannot be updated, so that this is an active model whose states are not known.
                let mut active = self.sea_active(recv, model);
                active.columns.iter_mut().for_each(|(_, state, _)| *state = super::State::Maybe);
                self.sea_active_method(recv, &active, call, args, at)
            }
            _ => None,
        }
    }

    /// The entity whose model a value is.
    pub(super) fn sea_model(&self, value: &Value) -> Option<TypeId> {
        entity::model_of(self.program, &value.ty)
    }

    pub(super) fn sea_type(&self, ty: &Ty) -> Type {
        let (scope, owner) = self.here();
        self.program.ty(scope, owner, ty)
    }

    /// `model.find_related(booking::Entity)`: the other entity's rows that hang on this one's.
    fn sea_related(&mut self, recv: &Value, model: TypeId, other: &Value) -> Option<Value> {
        let (target, mut chain) = match sea(other)? {
            SeaOrm::Entity(target) => {
                let entity = Entity::of(self.program, *target)?;
                let row = Type::Def(*target, [].into());
                let (schema, table) = (entity.schema, entity.table);
                (*target, Chain { model: Some(*target), row, schema, table, ..Chain::new(Kind::Select) })
            }
            SeaOrm::Chain(chain) => (chain.model?, chain.clone()),
            _ => return None,
        };
        let own = Entity::of(self.program, model)?;
        for (from, to) in
            entity::joined(self.program, model, target).into_iter().flat_map(|(a, b)| a.into_iter().zip(b))
        {
            let field =
                own.columns.iter().find(|column| column.name == from).map_or(from, |column| column.field.clone());
            let value = self.field(recv, &field);
            chain.filters.push(Fragment::column(Some(&chain.table), &to).binary("=", Fragment::bind(value.term)));
        }
        Some(self.built("find_related", &[recv, other], Builder::from(SeaOrm::Chain(chain))))
    }

    fn sea_conflict(&mut self, conflict: &Conflict, name: &str, args: &[Value]) -> Option<Conflict> {
        let mut conflict = conflict.clone();
        let mut sets = conflict.sets.take().unwrap_or_default();
        match (name, args) {
            ("column" | "columns", [columns]) => conflict.columns.extend(self.sea_columns(columns)),
            ("do_nothing" | "do_nothing_on", _) => conflict.nothing = true,
            ("update_column" | "update_columns", [columns]) => {
                let excluded = |column| (column, Fragment::text("excluded."));
                for (column, head) in self.sea_columns(columns).into_iter().map(excluded) {
                    let value = head.with(Fragment::column(None, &column));
                    sets.push((column, value));
                }
            }
            ("value", [column, value]) => sets.push((self.sea_column(column)?, self.sea_fragment(value))),
            ("values", [list]) => {
                let Shape::Record(pairs) = &list.shape else { return None };
                for (_, pair) in pairs.iter() {
                    let (column, value) = (pair.part("0")?, pair.part("1")?);
                    sets.push((self.sea_column(column)?, self.sea_fragment(value)));
                }
            }
            ("action_and_where" | "action_cond_where", [condition]) => {
                conflict.filter.push(self.sea_fragment(condition));
            }
            ("to_owned" | "clone" | "take" | "target_and_where" | "target_cond_where", _) => {}
            _ => return None,
        }
        conflict.sets = (!sets.is_empty()).then_some(sets);
        Some(conflict)
    }

    /// A page of a paginator.
    fn sea_page(&mut self, recv: &Value, chain: &Chain, on: &Value, name: &str, at: Range) -> Option<Value> {
        match name {
            "num_items" | "num_pages" | "num_items_and_pages" => {
                self.sea_sent(recv, chain, Want::Count, Some(on), Gives::Row, at)
            }
            "fetch" | "fetch_page" | "fetch_and_next" | "into_stream" => {
                self.sea_sent(recv, chain, Want::Rows, Some(on), Gives::Rows, at)
            }
            _ => None,
        }
    }

    /// Sends a chain.
    pub(super) fn sea_sent(
        &mut self,
        value: &Value,
        chain: &Chain,
        want: Want,
        on: Option<&Value>,
        gives: Gives,
        at: Range,
    ) -> Option<Value> {
        let row = match want {
            Want::Count | Want::Exists => Type::Unknown,
            Want::One | Want::Rows => chain.row.clone(),
        };
        let query = self.sql_query(&chain.sql(want), row, &[])?;
        Some(self.send_built(&query, &value.guards, on, gives, at))
    }

    /// `exec` and its kin, of inserts, updates and deletes.
    pub(super) fn sea_exec(
        &mut self,
        recv: &Value,
        chain: &Chain,
        name: &str,
        on: Option<&Value>,
        at: Range,
    ) -> Option<Value> {
        let mut chain = chain.clone();
        if chain.kind == Kind::Update && chain.sets.is_empty() {
            if !chain.single {
                // Of many rows it reads none either.
                return Some(self.fresh());
            }
            // Nothing was set, so that sea-orm only reads the row.
            let read = Chain { kind: Kind::Select, returning: Vec::new(), ..chain };
            return self.sea_sent(recv, &read, Want::One, on, Gives::Row, at);
        }
        let star = || vec![Fragment::text("*")];
        let gives = match (name, chain.kind) {
            ("exec_without_returning", _) => {
                chain.returning.clear();
                Gives::Count
            }
            ("exec", Kind::Insert) => {
                let entity = chain.model.and_then(|model| Entity::of(self.program, model));
                let keys = entity.iter().flat_map(Entity::primary);
                chain.returning = keys.map(|key| Fragment::column(None, &key.name)).collect();
                // Of an insert that only tries it is an answer that there was a conflict, else `RecordNotInserted`.
                match &chain.conflict {
                    Some(conflict) if conflict.nothing && chain.tries => Gives::MaybeRow,
                    _ => Gives::Row,
                }
            }
            ("exec", _) if chain.single && chain.kind == Kind::Update => {
                chain.returning = star();
                Gives::Row
            }
            ("exec", _) => Gives::Count,
            _ => {
                chain.returning = star();
                if chain.single { Gives::Row } else { Gives::Rows }
            }
        };
        self.sea_sent(recv, &chain, Want::Rows, on, gives, at)
    }
}
