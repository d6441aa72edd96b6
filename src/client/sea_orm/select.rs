//! The methods of statements under construction.

use crate::client::Builder;
use crate::client::sea_orm::chain::{Chain, Kind, Want};
use crate::client::sea_orm::entity::{self, Entity};
use crate::client::sea_orm::expression::sea;
use crate::client::sea_orm::names::{Made, exact};
use crate::client::sea_orm::sql::{Conflict, Fragment, quoted};
use crate::client::sea_orm::{SeaOrm, State};
use crate::client::table::Gives;
use crate::flow::Evaluator;
use crate::flow::term::Term;
use crate::flow::value::{Shape, Value};
use crate::link::{Type, TypeId};
use crate::lower::tree::{Expr, ExprKind, MethodCall, Name, Ty};
use crate::span::Range;

impl Evaluator<'_> {
    pub(super) fn sea_chain_method(
        &mut self,
        recv: &Value,
        chain: &Chain,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        let name = call.name.as_str();
        if let Some(value) = self.sea_sending(recv, chain, name, args, at) {
            return Some(value);
        }
        let mut changed = chain.clone();
        match (name, args) {
            (
                "to_owned" | "clone" | "take" | "as_query" | "into_query" | "into_json" | "boxed" | "into_statement"
                | "distinct" | "reverse_order" | "cache",
                [],
            ) => return Some(recv.clone()),
            ("query", []) => {
                let chain = Chain { in_place: true, ..changed };
                return Some(recv.clone().shaped(Shape::Builder(Builder::from(SeaOrm::Chain(chain)).into())));
            }
            ("apply_if", [option, closure]) => {
                let (option, closure) = (option.clone(), closure.clone());
                let whole = recv.clone();
                return Some(self.perhaps(recv, |ev| ev.call_value(&closure, vec![whole, option], at)));
            }
            ("from_raw_sql", [statement]) => {
                let mut query = (**statement.query()?).clone();
                query.ty = chain.row.clone();
                return Some(statement.clone().shaped(Shape::Query(query.into())));
            }
            ("paginate", [on, size]) => {
                changed.limit = Some(self.sea_number(size));
                let pages = SeaOrm::Pages { chain: changed, on: on.term };
                self.learn_handle(on);
                return Some(self.built(name, &[recv, on], Builder::from(pages)));
            }
            ("build" | "to_string", [_]) => return self.sea_statement(recv, chain),
            ("build_sqlx" | "build_postgres" | "build_rusqlite" | "build_any", [_]) => {
                let statement = self.sea_statement(recv, chain)?;
                let bound = self.fresh();
                return Some(self.tuple_of(vec![statement, bound]));
            }
            ("conditional" | "conditions", [_, yes, no]) => {
                let (yes, no, whole, other) = (yes.clone(), no.clone(), recv.clone(), recv.clone());
                let value = self.perhaps(recv, |ev| ev.call_value(&yes, vec![whole], at));
                return Some(self.perhaps(&value, |ev| ev.call_value(&no, vec![other], at)));
            }
            _ => {
                let known = self.sea_filtered(&mut changed, name, args)
                    || match chain.kind {
                        Kind::Select => self.sea_select(&mut changed, call, args),
                        Kind::Insert => self.sea_insert(&mut changed, name, args),
                        Kind::Update => self.sea_update(&mut changed, name, args),
                        Kind::Delete => false,
                    };
                if !known {
                    return None;
                }
            }
        }
        let refs: Vec<&Value> = std::iter::once(recv).chain(args).collect();
        let value = self.built(name, &refs, Builder::from(SeaOrm::Chain(changed)));
        if chain.in_place {
            self.sea_store_root(&call.recv, &value);
        }
        Some(value)
    }

    fn sea_sending(&mut self, recv: &Value, chain: &Chain, name: &str, args: &[Value], at: Range) -> Option<Value> {
        let select = chain.kind == Kind::Select;
        match (name, args) {
            ("one", [on]) if select => self.sea_sent(recv, chain, Want::One, Some(on), Gives::MaybeRow, at),
            ("all" | "stream" | "stream_partial_model", [on]) if select => {
                self.sea_sent(recv, chain, Want::Rows, Some(on), Gives::Rows, at)
            }
            ("count", [on]) if select => self.sea_sent(recv, chain, Want::Count, Some(on), Gives::Row, at),
            ("exists", [on]) if select => self.sea_sent(recv, chain, Want::Exists, Some(on), Gives::Row, at),
            (
                "exec"
                | "exec_with_returning"
                | "exec_without_returning"
                | "exec_with_returning_many"
                | "exec_with_returning_keys",
                [on],
            ) if !select => self.sea_exec(recv, chain, name, Some(on), at),
            _ => None,
        }
    }

    /// What all statements have: a table, conditions, RETURNING.
    fn sea_filtered(&mut self, chain: &mut Chain, name: &str, args: &[Value]) -> bool {
        match (name, args) {
            ("filter" | "and_where" | "cond_where" | "belongs_to", [condition]) => {
                if let Some(model) = self.sea_model(condition) {
                    return self.sea_belongs(chain, condition, model);
                }
                chain.pinned |= self.sea_pins(chain, condition);
                let part = self.sea_fragment(condition);
                chain.filters.push(part);
            }
            ("and_where_option", [condition]) => {
                if !self.sea_absent(condition) {
                    chain.filters.push(self.sea_fragment(condition));
                }
            }
            ("table" | "into_table" | "from_table" | "from", [table]) => {
                let Some((schema, name)) = self.sea_table(table) else { return false };
                (chain.schema, chain.table) = (schema, name);
            }
            ("from_as", [table, _]) => {
                let Some((schema, name)) = self.sea_table(table) else { return false };
                (chain.schema, chain.table) = (schema, name);
            }
            ("returning_all", []) => chain.returning = vec![Fragment::text("*")],
            ("returning" | "returning_col", [column]) => {
                let columns = self.sea_columns(column);
                chain.returning = match columns.as_slice() {
                    [] => vec![Fragment::text("*")],
                    columns => columns.iter().map(|column| Fragment::column(None, column)).collect(),
                };
            }
            ("limit", [count]) if self.sea_absent(count) => chain.limit = None,
            ("limit", [count]) => chain.limit = Some(self.sea_number(count)),
            ("offset", [_]) => {}
            ("order_by_asc" | "order_by_desc", [column]) => {
                let order = if name.ends_with("desc") { " DESC" } else { " ASC" };
                chain.orders.push(self.sea_fragment(column).then(order));
            }
            ("order_by_columns", [list]) => {
                let Shape::Record(pairs) = &list.shape else { return false };
                let columns =
                    pairs.iter().filter_map(|(_, pair)| pair.part("0")).map(|column| self.sea_fragment(column));
                chain.orders.extend(columns);
            }
            ("order_by" | "order_by_expr" | "order_by_with_nulls", [column, order, ..]) => {
                let order = if self.sea_last_name(order).as_deref() == Some("Desc") { " DESC" } else { " ASC" };
                chain.orders.push(self.sea_fragment(column).then(order));
            }
            _ => return false,
        }
        true
    }

    /// A condition on a unique column or a single primary key leaves one row.
    fn sea_pins(&self, chain: &Chain, condition: &Value) -> bool {
        let Some(entity) = chain.model.and_then(|model| Entity::of(self.program, model)) else { return false };
        let (text, _) = self.sea_fragment(condition).numbered(|_| None);
        let single = entity.primary().count() == 1;
        let keys = entity.columns.iter().filter(|column| column.unique || (column.primary && single));
        keys.into_iter().any(|column| {
            let name = format!("{}.{} = $", quoted(&entity.table), quoted(&column.name));
            !text.contains(" OR ") && text.contains(&name)
        })
    }

    /// `.belongs_to(&model)`.
    fn sea_belongs(&mut self, chain: &mut Chain, value: &Value, model: TypeId) -> bool {
        let Some(target) = chain.model else { return false };
        let Some((from, to)) = entity::joined(self.program, model, target) else { return false };
        let Some(own) = Entity::of(self.program, model) else { return false };
        for (from, to) in from.into_iter().zip(to) {
            let field =
                own.columns.iter().find(|column| column.name == from).map_or(from, |column| column.field.clone());
            let held = self.field(value, &field);
            chain.filters.push(Fragment::column(Some(&chain.table), &to).binary("=", Fragment::bind(held.term)));
        }
        true
    }

    fn sea_select(&mut self, chain: &mut Chain, call: &MethodCall, args: &[Value]) -> bool {
        let name = call.name.as_str();
        match (name, args) {
            ("select_only", []) => chain.columns = Some(Vec::new()),
            ("column" | "columns" | "expr" | "exprs" | "select_column" | "tbl_col", [column]) => {
                let list = chain.columns.get_or_insert_with(|| vec![Fragment::text("*")]);
                if chain.in_place && list.len() == 1 && list[0].constant() == Some("*") {
                    list.clear();
                }
                let more = match &column.shape {
                    Shape::Record(parts) if name.ends_with('s') => {
                        parts.iter().map(|(_, part)| self.sea_fragment(part)).collect()
                    }
                    _ => vec![self.sea_fragment(column)],
                };
                list.extend(more);
            }
            ("column_as" | "expr_as" | "expr_as_", [expr, alias]) => {
                let alias = self.sea_column(alias).unwrap_or_else(|| "?".into());
                let part = self.sea_fragment(expr).then(&format!(" AS {}", quoted(&alias)));
                let list = chain.columns.get_or_insert_with(|| vec![Fragment::text("*")]);
                if chain.in_place && list.len() == 1 && list[0].constant() == Some("*") {
                    list.clear();
                }
                list.push(part);
            }
            ("group_by" | "group_by_col" | "add_group_by" | "group_by_columns", [column]) => {
                chain.groups.push(self.sea_fragment(column));
            }
            ("having" | "and_having" | "cond_having", [condition]) => chain.having.push(self.sea_fragment(condition)),
            ("distinct_on", [_]) => {}
            ("lock_exclusive", []) => chain.lock = Some("UPDATE".to_owned()),
            ("lock_shared", []) => chain.lock = Some("SHARE".to_owned()),
            ("lock" | "lock_with_behavior" | "lock_with_tables" | "lock_with_tables_behavior", [kind, ..]) => {
                chain.lock = Some(self.sea_lock(kind, args.last()));
            }
            ("into_model" | "into_tuple" | "into_values" | "into_partial_model", []) => {
                chain.row = call.generics.first().map(|ty| self.sea_type(ty)).unwrap_or_default();
            }
            ("inner_join" | "left_join" | "right_join" | "full_outer_join", [other]) => {
                return self.sea_join_entity(chain, join_word(name), other).is_some();
            }
            ("inner_join" | "left_join" | "right_join" | "full_outer_join", [table, on]) => {
                let Some((_, table)) = self.sea_table(table) else { return false };
                let head = Fragment::text(format!("{} {} ON ", join_word(name), quoted(&table)));
                chain.joins.push(head.with(self.sea_fragment(on)));
            }
            ("join" | "join_rev" | "join_as" | "join_as_rev", [kind, relation, ..]) => {
                let word = self.sea_last_name(kind).map_or("INNER JOIN", |kind| join_word(&kind));
                return self.sea_join_relation(chain, word, relation, name.ends_with("rev")).is_some();
            }
            (
                "find_also_related" | "find_with_related" | "select_also" | "select_with" | "find_both_related",
                [other],
            ) => {
                let Some(target) = self.sea_join_entity(chain, "LEFT JOIN", other) else { return false };
                let second = [Type::Def(target, [].into())];
                let wrapper = if name.contains("with") { ["std", "vec", "Vec"] } else { ["std", "option", "Option"] };
                chain.row = Type::tuple(vec![chain.row.clone(), Type::external(wrapper, &second)]);
            }
            ("find_also_linked" | "find_with_linked", [link]) => {
                let Some(target) = self.sea_linked(link) else { return false };
                let Some(entity) = Entity::of(self.program, target) else { return false };
                chain.joins.push(joined_on("LEFT JOIN", &chain.table, &entity.table, None));
                let second = [Type::Def(target, [].into())];
                let wrapper = if name.contains("with") { ["std", "vec", "Vec"] } else { ["std", "option", "Option"] };
                chain.row = Type::tuple(vec![chain.row.clone(), Type::external(wrapper, &second)]);
            }
            ("cursor_by" | "before" | "after" | "first" | "last" | "asc" | "desc", _) => {
                if let ("first" | "last", [count]) = (name, args) {
                    chain.limit = Some(self.sea_number(count));
                }
                if let ("cursor_by", [column]) = (name, args) {
                    chain.orders.push(self.sea_fragment(column));
                }
            }
            _ => return false,
        }
        true
    }

    fn sea_insert(&mut self, chain: &mut Chain, name: &str, args: &[Value]) -> bool {
        match (name, args) {
            ("on_conflict", [conflict]) => {
                if let Some(SeaOrm::Conflict(conflict)) = sea(conflict) {
                    chain.conflict = Some(conflict.clone());
                }
            }
            ("on_conflict_do_nothing" | "do_nothing" | "on_empty_do_nothing", _) => {
                chain.tries = true;
                if name != "on_empty_do_nothing" {
                    let known = chain.conflict.take().unwrap_or_default();
                    chain.conflict = Some(Conflict { nothing: true, ..known });
                }
            }
            ("add" | "add_many", [active]) => {
                let Some(model) = chain.model else { return false };
                let first = self.sea_first(active);
                chain.sets = self.sea_active(&first, model).inserted();
            }
            ("columns", [columns]) => {
                let columns = self.sea_columns(columns);
                chain.sets = columns.into_iter().map(|column| (column, Fragment::text("DEFAULT"))).collect();
            }
            ("values" | "values_panic", [values]) => {
                let values = self.sea_values(values);
                chain.sets.iter_mut().zip(values).for_each(|((_, old), value)| *old = value);
            }
            _ => return false,
        }
        true
    }

    fn sea_update(&mut self, chain: &mut Chain, name: &str, args: &[Value]) -> bool {
        match (name, args) {
            ("col_expr" | "value" | "value_expr", [column, value]) => {
                let columns = self.sea_each_column(column);
                let value = self.sea_fragment(value);
                chain.sets.extend(columns.into_iter().map(|column| (column, value.clone())));
            }
            ("values", [list]) => {
                let Shape::Record(pairs) = &list.shape else {
                    chain.sets.push(("?".into(), self.sea_fragment(list)));
                    return true;
                };
                for (_, pair) in pairs.iter() {
                    let (Some(column), Some(value)) = (pair.part("0"), pair.part("1")) else { continue };
                    if let Some(column) = self.sea_column(column) {
                        chain.sets.push((column, self.sea_fragment(value)));
                    }
                }
            }
            ("set", [active]) => {
                let Some(model) = chain.model else { return false };
                let active = self.sea_active(active, model);
                let set = active.columns.iter().filter(|(_, state, _)| *state >= State::Maybe);
                chain.sets.extend(set.map(|(column, _, term)| (column.clone(), Fragment::bind(*term))));
            }
            _ => return false,
        }
        true
    }

    /// The column that a value is, or each of those that it may be; any where it is not known.
    fn sea_each_column(&mut self, value: &Value) -> Vec<Name> {
        match (self.sea_column(value), &value.shape) {
            (Some(column), _) => vec![column],
            (None, Shape::OneOf(values)) => values.iter().flat_map(|one| self.sea_each_column(one)).collect(),
            (None, _) => {
                self.told_by_caller(value);
                vec!["?".into()]
            }
        }
    }

    fn sea_join_entity(&mut self, chain: &mut Chain, word: &str, other: &Value) -> Option<TypeId> {
        let SeaOrm::Entity(target) = sea(other)? else { return None };
        let table = Entity::of(self.program, *target)?.table;
        let on = chain.model.and_then(|model| entity::joined(self.program, model, *target));
        chain.joins.push(joined_on(word, &chain.table, &table, on));
        Some(*target)
    }

    /// The entity that an `impl Linked` leads to.
    pub(super) fn sea_linked(&self, link: &Value) -> Option<TypeId> {
        let Type::Def(id, _) = link.ty else { return None };
        self.program.impls_of(id).iter().find_map(|block| {
            let block = self.program.impl_def(*block);
            let (_, Ty::Path(target)) = block.types.iter().find(|(name, _)| name == "ToEntity")? else { return None };
            let names: Vec<Name> = target.segments.iter().map(|segment| segment.name.clone()).collect();
            match exact(self.program, self.program.type_scope(id), &names)? {
                (model, Made::Entity) => Some(model),
                _ => None,
            }
        })
    }

    fn sea_join_relation(&mut self, chain: &mut Chain, word: &str, relation: &Value, turned: bool) -> Option<()> {
        let SeaOrm::Relation { entity: model, variant } = sea(relation)? else { return None };
        let link = entity::links(self.program, *model).into_iter().find(|link| link.variant == *variant)?;
        let on = entity::joined(self.program, *model, link.target);
        let own = Entity::of(self.program, *model)?.table;
        let other = Entity::of(self.program, link.target)?.table;
        let turned = turned || chain.model == Some(link.target) && *model != link.target;
        chain.joins.push(if turned {
            joined_on(word, &other, &own, on.map(|(from, to)| (to, from)))
        } else {
            joined_on(word, &own, &other, on)
        });
        Some(())
    }

    /// `UPDATE SKIP LOCKED` from `LockType::Update` and `LockBehavior::SkipLocked`.
    fn sea_lock(&self, kind: &Value, behavior: Option<&Value>) -> String {
        let kind = self.sea_last_name(kind).unwrap_or_default();
        let strength = match kind.as_str() {
            "NoKeyUpdate" => "NO KEY UPDATE",
            "Share" => "SHARE",
            "KeyShare" => "KEY SHARE",
            _ => "UPDATE",
        };
        let wait = match behavior.and_then(|behavior| self.sea_last_name(behavior)).as_deref() {
            Some("SkipLocked") => " SKIP LOCKED",
            Some("Nowait") => " NOWAIT",
            _ => "",
        };
        format!("{strength}{wait}")
    }

    fn sea_last_name(&self, value: &Value) -> Option<String> {
        let Term::Literal(text) = self.terms.get(value.term) else { return None };
        text.rsplit("::").next().map(str::to_owned)
    }

    /// A count as it stands in LIMIT: the number itself where it is one.
    fn sea_number(&self, value: &Value) -> Fragment {
        match self.terms.get(value.term) {
            Term::Literal(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                Fragment::text(text.as_str())
            }
            _ => Fragment::bind(value.term),
        }
    }

    /// sea-query's statements are changed in place: the variable at the head of the calls holds the changed one.
    fn sea_store_root(&mut self, recv: &Expr, value: &Value) {
        let mut root = recv;
        loop {
            root = match &*root.kind {
                ExprKind::Method(call) => &call.recv,
                ExprKind::Call(_, args) if args.len() == 1 => &args[0],
                ExprKind::Ref(inner) => inner,
                _ => break,
            };
        }
        if matches!(&*root.kind, ExprKind::Path(path) if path.segments.len() == 1) {
            self.store(root, value.clone());
        }
    }
}

fn join_word(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        name if name.starts_with("left") => "LEFT JOIN",
        name if name.starts_with("right") => "RIGHT JOIN",
        name if name.starts_with("full") => "FULL JOIN",
        name if name.starts_with("cross") => "CROSS JOIN",
        _ => "INNER JOIN",
    }
}

/// `LEFT JOIN "bookings" ON …`; without known columns every pair of rows meets.
fn joined_on(word: &str, own: &str, other: &str, on: Option<(Vec<Name>, Vec<Name>)>) -> Fragment {
    let pairs = on.into_iter().flat_map(|(from, to)| from.into_iter().zip(to));
    let conditions: Vec<Fragment> = pairs
        .map(|(from, to)| Fragment::column(Some(own), &from).binary("=", Fragment::column(Some(other), &to)))
        .collect();
    let head = Fragment::text(format!("{word} {} ON ", quoted(other)));
    if conditions.is_empty() { head.then("TRUE") } else { head.with(Fragment::list(conditions, " AND ")) }
}
