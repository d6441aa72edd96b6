//! What std and the common libraries around it do to values: which calls hand a value through, which compute a new one,
//! and which run the closure they are given.

use crate::event::Conds;
use crate::flow::absent::Absent;
use crate::flow::entries::part_of_entries;
use crate::flow::term::{ANSWER, Params, Term};
use crate::flow::text::Growing;
use crate::flow::value::{Shape, Value, Wrap};
use crate::flow::{Evaluator, branch, decode, guard, task};
use crate::link::Type;
use crate::lower::tree::{MethodCall, Name};
use crate::span::Range;

/// Calls that put what they are given to what something has taken up before.
///
/// Source: the traits `digest::Digest`, `std::io::Write` and `std::fmt::Write`.
const FEEDING: [&str; 3] = ["update", "write_all", "write_str"];

/// Calls that give a copy of what they are called on.
const COPYING: [&str; 6] = ["clone", "cloned", "copied", "to_owned", "to_string", "to_vec"];

/// Calls that give what they are called on, perhaps in another wrapper.
const SAME: &[&str] = &[
    "clone",
    "cloned",
    "copied",
    "to_owned",
    "to_string",
    "to_vec",
    "to_str",
    "as_ref",
    "as_mut",
    "as_str",
    "as_deref",
    "as_deref_mut",
    "as_slice",
    "as_bytes",
    "borrow",
    "borrow_mut",
    "deref",
    "deref_mut",
    "into",
    "into_inner",
    "expose_secret",
    "try_into",
    "iter",
    "iter_mut",
    "into_iter",
    "drain",
    "into_stream",
    "boxed",
    "boxed_local",
    "by_ref",
    "ok",
    "context",
    "with_context",
    "map_err",
    "ok_or",
    "ok_or_else",
    "or_else",
    "inspect_err",
    "wrap_err",
    "wrap_err_with",
    "change_context",
    "trim",
    "get_mut",
    "get_ref",
    "parse",
    "flatten",
    "transpose",
    "rev",
    "peekable",
    "fuse",
    "into_boxed_str",
    "into_string",
    "try_flatten",
    "collect",
    "try_collect",
    "collect_vec",
    "sorted",
    "sorted_by_key",
    "unique",
    "dedup",
    "first",
    "last",
    "next",
    "next_back",
    "peek",
    "pop",
    "pop_front",
    "nth",
    "take",
    "skip",
    "chain",
    "into_bytes",
    "as_i64",
    "as_u64",
    "as_f64",
    "as_uuid",
    "into_uuid",
    "as_any",
    "with_timeout",
    "timeout",
    "instrument",
    "in_current_span",
    "into_future",
    "as_array",
    "as_object",
    "unwrap_unchecked",
    "ok_or_eyre",
    "change_context_lazy",
    "attach_printable",
    "server_err",
    "or",
    "xor",
    "zip",
    "buffered",
    "buffer_unordered",
    "chunks",
    "try_next",
    "await_ready",
    "shared",
    "lock_owned",
];

/// Calls that give what they are called on and need it to be there.
const NEEDED: &[&str] = &["unwrap", "expect", "unwrap_err", "expect_err"];

const PRESENCE: &[&str] = &["is_some", "is_none", "is_ok", "is_err", "is_empty"];

/// Calls on an option, result or iterator that hand its inside to a closure.
const COMBINATORS: &[&str] = &[
    "map",
    "and_then",
    "map_or",
    "map_or_else",
    "is_some_and",
    "is_ok_and",
    "is_none_or",
    "filter",
    "any",
    "all",
    "find",
    "position",
    "filter_map",
    "flat_map",
    "for_each",
    "for_each_concurrent",
    "try_for_each",
    "try_for_each_concurrent",
    "then",
    "inspect",
    "fold",
    "try_fold",
    "find_map",
    "take_while",
    "skip_while",
    "partition",
    "retain",
    "map_while",
    "mapped",
    "map_ok",
    "and_then_ok",
    "try_filter",
    "try_filter_map",
    "sort_by_key",
    "max_by_key",
    "min_by_key",
    "scan",
    "reduce",
    "unwrap_or_else",
    "or_else",
    "then_some",
    "with",
];

/// Calls on a result that go on where there is none.
const MAY_BE_MISSING: [&str; 7] =
    ["ok", "is_ok", "is_err", "unwrap_or", "unwrap_or_default", "unwrap_or_else", "map_or"];

const OPERATORS: &[(&str, &str)] = &[
    ("checked_add", "+"),
    ("saturating_add", "+"),
    ("wrapping_add", "+"),
    ("add", "+"),
    ("checked_sub", "-"),
    ("saturating_sub", "-"),
    ("wrapping_sub", "-"),
    ("sub", "-"),
    ("checked_mul", "*"),
    ("mul", "*"),
    ("div", "/"),
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
    ("eq_ignore_ascii_case", "=="),
    ("min", "min"),
    ("max", "max"),
];

/// Calls on a row that give one of its columns, by name or position.
const COLUMN: &[&str] = &[
    "get",
    "try_get",
    "get_unchecked",
    "try_get_unchecked",
    "column",
    "get_ref",
    "get_ref_unwrap",
    "get_unwrap",
    "get_opt",
    "get_value",
    "take_opt",
];

/// Names that std's wrappers answer themselves.
pub(super) fn is_combinator(name: &str) -> bool {
    SAME.contains(&name) || NEEDED.contains(&name) || PRESENCE.contains(&name) || COMBINATORS.contains(&name)
}

impl<'p> Evaluator<'p> {
    /// What std and the common libraries say of a method.
    pub(super) fn method_of_std(&mut self, recv: Value, call: &MethodCall, args: Vec<Value>, at: Range) -> Value {
        let name = call.name.as_str();
        if guard::takes_lock(name)
            && let Some(value) = self.in_process_lock(&recv, name, at)
        {
            return value;
        }
        if NEEDED.contains(&name) {
            self.require(&recv, at);
            return self.unwrapped(Value { guards: Conds::default(), ..recv });
        }
        if name == "optional" {
            return recv.in_result();
        }
        if recv.wrap == Wrap::Found && MAY_BE_MISSING.contains(&name) {
            self.row_may_be_missing(&recv);
        }
        if matches!(name, "is_ok" | "is_err") && matches!(recv.wrap, Wrap::Answer | Wrap::Fallible) {
            return Value { shape: Shape::Plain, term: self.terms.fresh(), wrap: Wrap::Bare, ..recv };
        }
        if PRESENCE.contains(&name) {
            let term = self.presence(&recv, name);
            let absent = self.absent(&recv).asked(!matches!(name, "is_some" | "is_ok"));
            return Value { guards: recv.guards, absent, ..Value::new(term, Type::Unknown) };
        }
        if name == "map" && args.iter().all(|arg| matches!(self.terms.get(arg.term), Term::Literal(by) if by == "Some"))
        {
            return Value { absent: Absent::Never, ..recv };
        }
        if (matches!(name, "or_else" | "unwrap_or_else" | "ok_or_else" | "map_err" | "with_context" | "context")
            || COMBINATORS.contains(&name))
            && let Some(value) = self.combinator(&recv, name, &args, at)
        {
            return value;
        }
        if let [column] = args.as_slice()
            && (COLUMN.contains(&name) || name == "take" && column.text().is_some())
            && let Some(value) = self.column_of(&recv, column)
        {
            // `?` behind it asks whether the column can be read, not what is in it.
            return value.in_result();
        }
        if name.starts_with("ok_or") && matches!(recv.wrap, Wrap::Answer | Wrap::Fallible) {
            let bare = Value { wrap: Wrap::Bare, ..recv };
            self.run_closures(&args, at);
            return bare;
        }
        if let ("get_or_init" | "get_or_try_init", [init]) = (name, args.as_slice())
            && matches!(init.shape, Shape::Closure(_) | Shape::Function(_))
            && !matches!(self.terms.get(recv.term), Term::Literal(_))
        {
            // A cell of this request holds what is put into it the first time; what a static holds is as old as the process.
            return self.call_value(init, Vec::new(), at);
        }
        if let ("difference", [other]) = (name, args.as_slice())
            && let Some(left) = self.without(&recv, other, at)
        {
            return left;
        }
        if name == "enumerate" {
            return self.numbered(recv);
        }
        if let Some(place) = part_of_entries(name).filter(|_| args.is_empty())
            && self.is_of_entries(recv.term)
        {
            return self.field(&recv, place);
        }
        if fills_a_place(name) && !args.is_empty() {
            return self.filled_place(recv, call, &args, at);
        }
        if let Some(value) = self.drawn_from(&recv, name, &args) {
            return value;
        }
        // What is flattened is the row that may be missing, and in it the column that may be NULL.
        if name == "flatten" && self.single_column(recv.term) {
            return self.field(&recv, "0");
        }
        // A guard is no value that could be copied: what it guards is.
        if COPYING.contains(&name) && self.locks.contains_key(&recv.term) && self.handle(recv.term).is_none() {
            return Value { term: self.terms.field(recv.term, Name::new("guarded")), ..recv };
        }
        if SAME.contains(&name) || self.takes_one_of_a_list(name, &args) {
            self.run_closures(&args, at);
            let converted = decode::is_conversion(name) && recv.wrap == Wrap::Bare;
            let mut recv = if converted { recv.in_result() } else { recv };
            self.kept_absent(&mut recv, name);
            return recv;
        }
        if let ("unwrap_or", [other]) = (name, args.as_slice())
            && let (Shape::Record(_), Shape::Record(_)) = (&recv.shape, &other.shape)
        {
            let merged = self.merge(&[&recv, other], &[]);
            return Value { absent: Absent::Unknown, variants: None, shape: merged.shape, term: merged.term, ..recv };
        }
        if matches!(name, "unwrap_or" | "unwrap_or_default") {
            let mut terms = vec![recv.term];
            terms.extend(args.iter().map(|arg| arg.term));
            let term = self.terms.either(terms);
            return Value { term, shape: Shape::Plain, absent: Absent::Unknown, variants: None, ..recv };
        }
        if let Some((_, by)) = OPERATORS.iter().find(|(known, _)| *known == name)
            && args.len() == 1
        {
            let right = args.into_iter().next().unwrap_or_else(|| self.fresh());
            return self.operate(by, recv, right);
        }
        if let Some(value) = self.result_handed_on(&recv, call, &args, at) {
            return value;
        }
        self.other_method(recv, call, args, at)
    }

    /// `row.get("balance")`, `row.get(0)`: a column of a statement's result.
    fn column_of(&mut self, recv: &Value, column: &Value) -> Option<Value> {
        let from_row = self.terms.origins(recv.term).iter().any(|origin| !origin.computed);
        let name = match (column.text(), self.terms.get(column.term)) {
            (Some(text), _) => text.whole()?,
            (None, Term::Literal(text)) if text.bytes().all(|b| b.is_ascii_digit()) => text.to_string(),
            _ => return None,
        };
        if from_row || matches!(self.terms.get(recv.term), Term::Param(..)) {
            return Some(self.field(recv, &name));
        }
        None
    }

    /// Whether a value comes from nothing that the function was handed, but for what was fed into it since.
    fn is_made_here(&self, value: &Value) -> bool {
        let mut made = value.term;
        while let Term::Computed(by, parts) = self.terms.get(made)
            && FEEDING.contains(&by.as_str())
            && let Some(first) = parts.first()
        {
            made = *first;
        }
        self.terms.params(made) == Params::default() && self.handle(made).is_none()
    }

    /// A function or method of another crate.
    pub(super) fn external_call(&mut self, path: &[Name], mut args: Vec<Value>, at: Range) -> Value {
        let last = path.last().map(Name::as_str).unwrap_or_default();
        let owner = path.len().checked_sub(2).map(|i| path[i].as_str()).unwrap_or_default();
        match (owner, last) {
            (_, "drop") if args.len() == 1 => return self.drop_value(&args[0], at),
            (
                "Box" | "Arc" | "Rc" | "Cow" | "Some" | "Json" | "Cell" | "RefCell" | "Mutex" | "RwLock" | "Reverse"
                | "Wrapping" | "Pin" | "Data",
                "new" | "pin" | "from" | "clone",
            )
            | (
                _,
                "Ok" | "Some" | "Json" | "Path" | "Query" | "Form" | "from" | "identity" | "black_box" | "block_on"
                | "block_in_place" | "timeout",
            ) if args.len() == 1 => {
                let mut arg = args.remove(0);
                if matches!(owner, "Mutex" | "RwLock" | "Semaphore") {
                    arg.ty = Type::external(["std", "sync", owner], &[arg.ty]);
                }
                return match arg.shape {
                    Shape::Closure(_) => self.call_value(&arg, Vec::new(), at),
                    _ => arg,
                };
            }
            // A value as a client wraps it: `Value::BigInt(Some(x))`.
            ("Value", variant) if args.len() == 1 && variant.starts_with(char::is_uppercase) => return args.remove(0),
            (_, "timeout" | "timeout_at") if args.len() == 2 => return args.remove(1),
            ("mem", "take") if !args.is_empty() => return args.remove(0),
            ("process", "exit") | ("panic", "resume_unwind") => return self.diverge(),
            (_, "spawn" | "spawn_blocking" | "spawn_local" | "block" | "unblock") => {
                let mut result = None;
                for arg in &args {
                    result = Some(match arg.is_callable() {
                        true => {
                            let task = task::starts_task(last);
                            self.frame.repeated += 1;
                            self.frame.serving += usize::from(task);
                            let run = |ev: &mut Self| ev.call_value(arg, Vec::new(), at);
                            let value = if task { self.in_task(at, run) } else { run(self) };
                            self.frame.serving -= usize::from(task);
                            self.frame.repeated -= 1;
                            value
                        }
                        false => arg.clone(),
                    });
                }
                return result.unwrap_or_else(|| self.fresh());
            }
            _ => {}
        }
        self.external_effect(path, &args, at);
        self.run_closures(&args, at);
        if let Some(value) = self.drawn(owner, last) {
            return value;
        }
        // A list of futures gives the list of what they give.
        if matches!(last, "join_all" | "try_join_all") && args.len() == 1 {
            return args.remove(0);
        }
        if args.is_empty()
            && let Some(value) = self.clock(last)
        {
            return value;
        }
        if args.is_empty() && matches!(last, "new" | "default") && is_hasher(owner) {
            let begun = self.terms.computed(&format!("{owner}::{last}"), Vec::new());
            return Value::new(begun, Type::External(path[..path.len() - 1].into(), [].into()));
        }
        if args.is_empty() || last == "with_capacity" {
            // A call without arguments gives something new each time: the clock, a random id.
            let ty = if path.len() > 1 && matches!(last, "new" | "default" | "with_capacity") {
                Type::External(path[..path.len() - 1].into(), [].into())
            } else {
                Type::Unknown
            };
            let value = self.fresh();
            return value.typed(ty);
        }
        let name = path.iter().map(Name::as_str).collect::<Vec<_>>().join("::");
        let guards: Vec<_> = args.iter().flat_map(|arg| arg.guards.iter().copied()).collect();
        let term = self.terms.computed(&name, args.iter().map(|arg| arg.term).collect());
        let mut value = Value::new(term, Type::Unknown);
        value.guards = branch::union(&[], &guards);
        value
    }

    /// `drop(x)`: a guard is released, a transaction rolled back.
    pub(super) fn drop_value(&mut self, value: &Value, at: Range) -> Value {
        let dropped = self.terms.mentioned(&[value.term], self.frame.guards.iter().map(|guard| guard.guard));
        self.frame.guards.retain(|guard| !dropped.contains(&guard.guard));
        if matches!(self.terms.get(value.term), Term::Transaction(_)) {
            self.emit(crate::event::EventKind::Rollback, Some(value.term), at);
        }
        Value::new(self.terms.literal("()"), Type::Unit)
    }

    /// A method nothing is known of: its result is computed from what it was given.
    fn other_method(&mut self, recv: Value, call: &MethodCall, args: Vec<Value>, at: Range) -> Value {
        let name = call.name.as_str();
        if let Some(value) = self.filled_in(&recv, name, &args) {
            return value;
        }
        let recv = match &recv.shape {
            // What can be done with one that asks for nothing is to run it: `attempt.retry(policy)`.
            Shape::Closure(closure) if closure.code.params.is_empty() => self.call_value(&recv, Vec::new(), at),
            _ => recv,
        };
        self.note_set_up(&args);
        self.unknown_method_effect(&recv, call, &args, at);
        for arg in &args {
            if matches!(arg.shape, Shape::Closure(_)) {
                let element = self.element(&recv);
                self.call_value(arg, vec![element], at);
            }
        }
        // What is fed into something that was made here stands in it from then on: `hasher.update(body)`.
        if FEEDING.contains(&name) && self.is_made_here(&recv) && args.iter().all(|arg| self.handle(arg.term).is_none())
        {
            let parts = std::iter::once(recv.term).chain(args.iter().map(|arg| arg.term)).collect();
            let fed = Value { term: self.terms.computed(name, parts), shape: Shape::Plain, ..recv.clone() };
            self.store(&call.recv, fed);
        }
        // `text.replace(from, to)` changes nothing.
        let gives_new = name == "replace" && args.len() > 1;
        if is_mutator(name) && !args.is_empty() && !gives_new {
            let mut parts = vec![recv.term];
            parts.extend(args.iter().map(|arg| arg.term));
            let mut changed = recv.clone();
            let text = Growing::of(&recv);
            let of_text = recv.ty.external_name() == Some("String");
            if name == "push_str" || name == "push" && (of_text || text.is_some()) {
                if text.is_none() {
                    changed.term = self.terms.computed(name, parts);
                }
                let mut text = text.unwrap_or_else(|| Growing::behind(recv.term));
                text.push(&args[0]);
                changed.shape = text.shape(changed.term);
            } else if let [only] = args.as_slice() {
                // A list of rows' ids stands for the ids.
                changed = self.with_element(changed, only);
            } else if let ("insert", [key, held]) = (name, args.as_slice())
                && !self.is_document(recv.term)
            {
                // A map stands for what it holds and under which key, a list for what was put into it.
                let list = matches!(recv.ty.external_name(), Some("Vec" | "VecDeque"));
                let entry = if list { held.clone() } else { self.tuple_of(vec![key.clone(), held.clone()]) };
                changed = self.with_element(changed, &entry);
            } else {
                changed.term = self.terms.computed(name, parts);
            }
            self.store(&call.recv, changed);
            return Value::new(self.terms.literal("()"), Type::Unit);
        }
        if let Some(value) = self.remade(&recv, call, &args, at) {
            return value;
        }
        if name == "len" || name == "count" {
            let term = self.terms.computed("len", vec![recv.term]);
            return Value { guards: recv.guards, ..Value::new(term, Type::Unknown) };
        }
        if args.is_empty() && !recv.ty.is_unknown() && matches!(recv.ty, Type::Def(..)) {
            return self.field(&recv, name);
        }
        let guards: Vec<_> = args.iter().flat_map(|arg| arg.guards.iter().copied()).collect();
        let mut parts = vec![recv.term];
        parts.extend(args.iter().map(|arg| arg.term));
        if matches!(name, "get" | "get_mut") && args.len() == 1 {
            // What a map holds under a key is not the key.
            parts[1] = self.terms.computed(ANSWER, vec![parts[1]]);
        }
        let term = self.terms.computed(name, parts);
        // What a client of the outside hands out still leads there.
        let leads_out = matches!(&recv.ty, Type::External(path, _) if path.first().is_some_and(|krate| crate::flow::effect::leads_out(krate)));
        let ty = if leads_out { recv.ty } else { self.asked_for(call) };
        let mut value = Value::new(term, ty);
        value.guards = branch::union(&recv.guards, &guards);
        self.learn_handle(&value);
        value
    }
}

/// Whether a method puts something where a map or an option holds nothing yet.
pub(super) fn fills_a_place(name: &str) -> bool {
    matches!(name, "or_insert" | "or_insert_with" | "get_or_insert" | "get_or_insert_with")
}

pub(crate) fn is_mutator(name: &str) -> bool {
    matches!(
        name,
        "push"
            | "push_back"
            | "push_str"
            | "insert"
            | "extend"
            | "append"
            | "push_front"
            | "extend_from_slice"
            | "replace"
            | "set"
    )
}

/// Whether a type by its name makes digests: each begins as the others of its kind do.
fn is_hasher(name: &str) -> bool {
    const KINDS: [&str; 8] = ["Sha", "Md5", "Blake", "Keccak", "Ripemd", "Crc", "Xxh", "Adler"];
    name.ends_with("Hasher") || KINDS.iter().any(|kind| name.starts_with(kind))
}
