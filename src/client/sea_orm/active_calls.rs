//! Active models at work: how they come about, how their fields change, and what they send.

use crate::client::Builder;
use crate::client::sea_orm::SeaOrm;
use crate::client::sea_orm::active::{Active, State};
use crate::client::sea_orm::chain::{Chain, Kind};
use crate::client::sea_orm::entity::Entity;
use crate::client::sea_orm::expression::sea;
use crate::client::sea_orm::names::{Made, exact};
use crate::client::sea_orm::sql::Fragment;
use crate::event::CondId;
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId, is_call};
use crate::flow::value::{Shape, Value};
use crate::link::{Type, TypeId};
use crate::lower::tree::{Expr, ExprKind, MethodCall, Name, StructLit, Ty};
use crate::span::Range;

impl Evaluator<'_> {
    /// `account::ActiveModel { … }`; none when the literal is of another type.
    pub(crate) fn sea_struct(&mut self, lit: &StructLit, rest: Option<&Value>, value: &Value) -> Option<Value> {
        let (model, Made::ActiveModel) = self.sea_generated(&Ty::Path(lit.path.clone()))? else { return None };
        let entity = Entity::of(self.program, model)?;
        let mut active = match rest {
            Some(rest) if sea(rest).is_some() || self.sea_model(rest).is_some() => self.sea_active(rest, model),
            // Made of something else, by a conversion that nobody knows.
            Some(rest) if !lit.rest.as_ref().is_some_and(is_default) => {
                let mut unknown = Active::empty(model);
                for column in &entity.columns {
                    let term = self.field(rest, &column.field).term;
                    unknown.put(column.name.clone(), State::Maybe, term);
                }
                unknown
            }
            _ => Active::empty(model),
        };
        let mut chosen_by: Vec<CondId> = Vec::new();
        for (field, _) in &lit.fields {
            let Some(part) = value.part(field) else { continue };
            let Some(column) = entity.field(field) else { continue };
            let term = self.if_set(part);
            active.put(column.name.clone(), state(part), term);
            if is_sometimes_unset(part) {
                active.sometimes(column.name.clone());
                chosen_by.extend(part.guards.iter().copied());
            }
        }
        Some(self.sea_active_value(value, active).guarded(&chosen_by))
    }

    /// What a column gets where it gets something. A call that gives an `ActiveValue` by itself keeps what the row held as
    /// `Unchanged`: `patch.update(found.title)`.
    fn if_set(&mut self, value: &Value) -> TermId {
        if let Shape::OneOf(values) = &value.shape
            && is_sometimes_unset(value)
        {
            let set = values.iter().filter(|one| state(one) != State::NotSet).map(|one| one.term).collect::<Vec<_>>();
            return if set.is_empty() { value.term } else { self.terms.either(set) };
        }
        let terms = &self.terms;
        let Term::Computed(by, parts) = terms.get(value.term) else { return value.term };
        let held =
            |part: &TermId| matches!(terms.get(*part), Term::Field(of, _) if matches!(terms.get(*of), Term::Row(_)));
        let new: Vec<TermId> = parts.iter().copied().filter(|part| !held(part)).collect();
        if is_state(value) || !is_call(by) || new.is_empty() || new.len() == parts.len() {
            return value.term;
        }
        let by = by.clone();
        self.terms.computed(&by, new)
    }

    /// `active.balance = Set(…)`; none when `whole` is no active model.
    pub(crate) fn sea_stored(&mut self, whole: &Value, name: &str, value: &Value) -> Option<Value> {
        let model = match sea(whole) {
            Some(SeaOrm::Active(active)) => active.model,
            Some(_) => return None,
            None if is_state(value) => self.sea_model(whole)?,
            None => return None,
        };
        let mut active = self.sea_active(whole, model);
        let column = Entity::of(self.program, model)?.field(name)?.name.clone();
        active.put(column.clone(), state(value), value.term);
        if is_sometimes_unset(value) {
            active.sometimes(column);
        }
        let mut changed = self.sea_active_value(whole, active);
        changed.term = self.terms.computed("with", vec![whole.term, value.term]);
        Some(changed.guarded(&value.guards))
    }

    /// A field of an active model: an `ActiveValue`.
    pub(crate) fn sea_field(&mut self, of: &Value, name: &str) -> Option<Value> {
        let SeaOrm::Active(active) = sea(of)? else { return None };
        let entity = Entity::of(self.program, active.model)?;
        let found = active.column(&entity.field(name)?.name);
        let (state, term) = found.unwrap_or_else(|| (State::NotSet, self.terms.literal("NotSet")));
        let ty = self.program.field(&of.ty, name).unwrap_or_default();
        let value = Value::new(term, ty).shaped(Shape::Builder(Builder::from(SeaOrm::State(state)).into()));
        Some(value.guarded(&of.guards))
    }

    /// A value whose declared type says what it is: an active model, or a query of an entity.
    pub(crate) fn sea_declared(&mut self, ty: &Ty, value: &Value) -> Option<Value> {
        let (mut ty, mut depth) = (ty, 0);
        loop {
            depth += 1;
            match ty {
                Ty::Ref(inner) | Ty::Slice(inner) if depth < 6 => ty = inner,
                Ty::Path(path) if depth < 6 => {
                    let last = path.segments.last()?;
                    let wrapper = matches!(last.name.as_str(), "Option" | "Vec" | "Box" | "Select");
                    let Some(inner) = last.args.first().filter(|_| wrapper) else { break };
                    if last.name == "Select" {
                        return self.sea_declared_select(inner, value);
                    }
                    ty = inner;
                }
                _ => break,
            }
        }
        let (model, Made::ActiveModel) = self.sea_generated(ty)? else { return None };
        if !matches!(value.shape, Shape::Plain | Shape::Record(_)) {
            return None;
        }
        let mut active = self.sea_active(value, model);
        if matches!(self.terms.get(value.term), Term::Param(..)) && self.sea_model(value).is_none() {
            active.columns.iter_mut().for_each(|(_, state, _)| *state = State::Maybe);
        }
        Some(self.sea_active_value(value, active))
    }

    fn sea_declared_select(&mut self, of: &Ty, value: &Value) -> Option<Value> {
        let (model, Made::Entity) = self.sea_generated(of)? else { return None };
        if !matches!(value.shape, Shape::Plain) {
            return None;
        }
        let entity = Entity::of(self.program, model)?;
        let (row, filters) = (Type::Def(model, [].into()), vec![Fragment::bind(value.term)]);
        let (schema, table) = (entity.schema, entity.table);
        let chain = Chain { model: Some(model), row, schema, table, filters, ..Chain::new(Kind::Select) };
        Some(value.clone().shaped(Shape::Builder(Builder::from(SeaOrm::Chain(chain)).into())))
    }

    /// The entity's name that a type as written is.
    fn sea_generated(&self, ty: &Ty) -> Option<(TypeId, Made)> {
        let Ty::Path(path) = ty else { return None };
        let (scope, owner) = self.here();
        let mut names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        if names.first().is_some_and(|first| first == "Self") {
            let block = self.program.impl_of(owner?)?;
            let Ty::Path(of) = &self.program.impl_def(block).self_ty else { return None };
            names.splice(..1, of.segments.iter().map(|segment| segment.name.clone()));
        }
        exact(self.program, scope, &names)
    }

    /// The entity of a type that derives `DeriveIntoActiveModel`: the one of its module.
    pub(super) fn sea_intended(&self, value: &Value) -> Option<TypeId> {
        let Type::Def(id, _) = self.program.peel(&value.ty) else { return None };
        if !self.program.derives(id).contains(&"DeriveIntoActiveModel") {
            return None;
        }
        let (model, _) = exact(self.program, self.program.type_scope(id), &["ActiveModel".into()])?;
        Some(model)
    }

    /// What a value is as an active model. A model's columns are all unchanged, those of a type that was made to be
    /// inserted are set.
    pub(super) fn sea_active(&mut self, value: &Value, model: TypeId) -> Active {
        match (sea(value), &value.shape) {
            (Some(SeaOrm::Active(active)), _) => {
                if active.is_open() {
                    self.told_by_caller(value);
                }
                return active.clone();
            }
            (None, Shape::OneOf(values)) => {
                let found = values.iter().find_map(|value| match sea(value) {
                    Some(SeaOrm::Active(active)) => Some(active.clone()),
                    _ => None,
                });
                if let Some(active) = found {
                    return active;
                }
            }
            _ => {}
        }
        let Some(entity) = Entity::of(self.program, model) else { return Active::empty(model) };
        let mut active = Active::empty(model);
        let own = match self.program.peel(&value.ty) {
            Type::Def(id, _) if id != model => Some(self.program.fields(id)),
            _ => None,
        };
        for column in &entity.columns {
            let known = own.as_ref().is_none_or(|own| own.iter().any(|(field, _)| *field == column.field));
            if known {
                let term = self.field(value, &column.field).term;
                let state = if own.is_some() { State::Set } else { State::Unchanged };
                active.put(column.name.clone(), state, term);
            }
        }
        active
    }

    /// An active model as a value, made of another.
    pub(super) fn sea_active_value(&mut self, of: &Value, active: Active) -> Value {
        let ty = Type::Def(active.model, [].into());
        let mut value = of.clone().typed(ty);
        value.shape = Shape::Builder(Builder::from(SeaOrm::Active(active)).into());
        value
    }

    /// A method of an `ActiveValue`.
    pub(super) fn sea_state_method(&mut self, recv: &Value, name: &str) -> Option<Value> {
        match name {
            "clone" | "to_owned" | "reset" => Some(recv.clone()),
            "unwrap" | "take" | "as_ref" | "into_value" | "into_wrapped_value" | "try_as_ref" | "into" => {
                Some(recv.clone().shaped(Shape::Plain))
            }
            _ => None,
        }
    }

    pub(super) fn sea_active_method(
        &mut self,
        recv: &Value,
        active: &Active,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        let entity = Entity::of(self.program, active.model)?;
        let name = call.name.as_str();
        if let ("update" | "insert" | "save" | "delete", [on]) = (name, args) {
            return self.sea_active_sent(recv, active, &entity, name, on, at);
        }
        let mut changed = active.clone();
        match (name, args) {
            ("into_active_model" | "into" | "try_into_model" | "clone" | "to_owned", []) => return Some(recv.clone()),
            ("reset_all", []) => {
                changed.set_all();
                return Some(self.sea_changed(recv, changed, name, args));
            }
            ("reset", [column]) => {
                let column = self.sea_column(column)?;
                let (_, term) = active.column(&column)?;
                changed.put(column, State::Set, term);
            }
            ("set", [column, value]) => changed.put(self.sea_column(column)?, State::Set, value.term),
            ("not_set", [column]) => changed.put(self.sea_column(column)?, State::NotSet, recv.term),
            ("get" | "take", [column]) => {
                let column = self.sea_column(column)?;
                let field = entity.columns.iter().find(|known| known.name == column)?.field.clone();
                return self.sea_field(recv, &field);
            }
            _ => return self.sea_own_method(recv, active.model, name, args, at),
        }
        let value = self.sea_changed(recv, changed, name, args);
        self.store(&call.recv, value.clone());
        Some(value)
    }

    fn sea_changed(&mut self, recv: &Value, active: Active, name: &str, args: &[Value]) -> Value {
        let refs: Vec<&Value> = std::iter::once(recv).chain(args).collect();
        let ty = recv.ty.clone();
        let mut value = self.built(name, &refs, Builder::from(SeaOrm::Active(active))).typed(ty);
        let terms = refs.iter().map(|value| value.term).collect();
        value.term = self.terms.computed("with", terms);
        value
    }

    fn sea_own_method(&mut self, recv: &Value, model: TypeId, name: &str, args: &[Value], at: Range) -> Option<Value> {
        let all: Vec<Value> = std::iter::once(recv).chain(args).cloned().collect();
        self.sea_own_function(model, Made::ActiveModel, name, &all, at)
    }

    /// `save` of a model whose key is set on some ways only: there it updates, on the others it inserts.
    fn sea_saved_either_way(
        &mut self,
        recv: &Value,
        (known, new, held): (&Active, &Active, &[TermId]),
        entity: &Entity,
        on: &Value,
        at: Range,
    ) -> Option<Value> {
        // A key that comes of a row, and is missing for no other reason, is missing where there was no row.
        let of_row = |term: &TermId| match self.terms.get(*term) {
            Term::Field(of, _) => match self.terms.get(*of) {
                Term::Row(read) => Some((*read, *of)),
                _ => None,
            },
            _ => None,
        };
        let asks = |cond: &CondId, row: TermId| matches!(self.terms.get(self.cond(*cond).term), Term::Exists(of) if *of == row);
        let missing = match held {
            [key] => of_row(key).filter(|(_, row)| recv.guards.iter().all(|cond| asks(cond, *row))),
            _ => None,
        };
        let sent = |ev: &mut Self, active: &Active, name: &str| {
            ev.sea_active_sent(recv, active, entity, name, on, at).unwrap_or_else(|| recv.clone())
        };
        let missing = missing.map(|(read, _)| read);
        Some(self.either_way(missing, |ev| sent(ev, known, "update"), |ev| sent(ev, new, "insert")))
    }

    fn sea_active_sent(
        &mut self,
        recv: &Value,
        active: &Active,
        entity: &Entity,
        name: &str,
        on: &Value,
        at: Range,
    ) -> Option<Value> {
        if active.is_open() {
            self.told_by_caller(recv);
        }
        if let ("save", Some((new, held))) = (name, active.without_key(entity).filter(|_| active.has_key(entity))) {
            return self.sea_saved_either_way(recv, (active, &new, &held), entity, on, at);
        }
        let kind = match name {
            "delete" => Kind::Delete,
            "update" => Kind::Update,
            "save" if active.has_key(entity) => Kind::Update,
            _ => Kind::Insert,
        };
        let chain = Chain {
            model: Some(active.model),
            row: Type::Def(active.model, [].into()),
            schema: entity.schema.clone(),
            table: entity.table.clone(),
            single: true,
            ..Chain::new(kind)
        };
        let chain = match kind {
            Kind::Delete => self.sea_of_active(chain, entity, active),
            Kind::Update => {
                let chain = Chain { sets: active.updated(entity), ..chain };
                self.sea_of_active(chain, entity, active)
            }
            _ => Chain { sets: active.inserted(), ..chain },
        };
        let exec = if kind == Kind::Delete { "exec" } else { "exec_with_returning" };
        self.sea_exec(recv, &chain, exec, Some(on), at)
    }
}

/// The state that an assigned value gives its column.
fn state(value: &Value) -> State {
    match (sea(value), &value.shape) {
        (Some(SeaOrm::State(state)), _) => *state,
        (None, Shape::OneOf(values)) => values.iter().map(state).max().unwrap_or(State::Set),
        _ => State::Set,
    }
}

/// Whether an assigned value is `NotSet` on some ways, and something on others.
fn is_sometimes_unset(value: &Value) -> bool {
    match &value.shape {
        Shape::OneOf(values) => values.iter().any(|one| state(one) == State::NotSet || is_sometimes_unset(one)),
        _ => false,
    }
}

fn is_state(value: &Value) -> bool {
    match (sea(value), &value.shape) {
        (Some(SeaOrm::State(_)), _) => true,
        (None, Shape::OneOf(values)) => values.iter().any(is_state),
        _ => false,
    }
}

/// `Default::default()`.
fn is_default(rest: &Expr) -> bool {
    let ExprKind::Call(callee, args) = &*rest.kind else { return false };
    let ExprKind::Path(path) = &*callee.kind else { return false };
    args.is_empty() && path.segments.last().is_some_and(|last| last.name == "default")
}
