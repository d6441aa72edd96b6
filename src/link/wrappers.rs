//! What is inside: smart pointers, guards, futures, extractors, collections.

use super::program::{Program, TypeId, named};
use super::types::{Bound, Type};
use crate::lower::tree::{Name, TypeKind};

/// How many wrappers are looked through.
const LEVELS: usize = 16;

/// Wrappers that [`Program::peel`] removes, by their last name. Those whose content is not their only argument have it
/// first. Guards are known by the end of their names.
const WRAPPERS: [&str; 45] = [
    // std, futures, once_cell, tokio
    "Option",
    "Result",
    "Box",
    "Arc",
    "Rc",
    "Weak",
    "Pin",
    "Cow",
    "Ref",
    "RefMut",
    "Mutex",
    "RwLock",
    "RefCell",
    "Cell",
    "FairMutex",
    "ReentrantMutex",
    "OnceCell",
    "OnceLock",
    "Lazy",
    "LazyLock",
    "LazyCell",
    "ManuallyDrop",
    "BoxFuture",
    "LocalBoxFuture",
    "JoinHandle",
    "Ready",
    "Reverse",
    "Wrapping",
    "ArcSwap",
    "CachePadded",
    // extractors and responses of axum, actix-web, rocket, poem, tonic, tauri, leptos, warp
    "State",
    "Extension",
    "Data",
    "ThinData",
    "ReqData",
    "Path",
    "Query",
    "Json",
    "Form",
    "Request",
    "Response",
    "TypedHeader",
    "Valid",
    "Validated",
    "Html",
];

/// Types whose methods are never those of what they hold.
const COLLECTIONS: [&str; 30] = [
    "Vec",
    "VecDeque",
    "LinkedList",
    "HashSet",
    "BTreeSet",
    "BinaryHeap",
    "HashMap",
    "BTreeMap",
    "IndexMap",
    "IndexSet",
    "DashMap",
    "DashSet",
    "FxHashMap",
    "FxHashSet",
    "AHashMap",
    "AHashSet",
    "SmallVec",
    "ArrayVec",
    "TinyVec",
    "Iter",
    "IntoIter",
    "Sender",
    "Receiver",
    "UnboundedSender",
    "UnboundedReceiver",
    "PhantomData",
    "BoxStream",
    "LocalBoxStream",
    "Range",
    "LruCache",
];

/// Collections of keys and values.
const MAPS: [&str; 7] = ["HashMap", "BTreeMap", "IndexMap", "DashMap", "FxHashMap", "AHashMap", "LruCache"];

/// Methods that belong to the wrapper itself, so that they are not looked for inside of it.
const OWN: [(&[&str], &[&str]); 6] = [
    (&["Arc", "Rc", "Weak"], &["clone", "downgrade", "upgrade"]),
    (
        &["Option", "Result"],
        &[
            "and",
            "and_then",
            "as_deref",
            "as_deref_mut",
            "as_mut",
            "as_ref",
            "clone",
            "cloned",
            "context",
            "copied",
            "err",
            "expect",
            "filter",
            "flatten",
            "get_or_insert",
            "get_or_insert_with",
            "insert",
            "inspect",
            "inspect_err",
            "into_iter",
            "is_err",
            "is_none",
            "is_ok",
            "is_some",
            "is_some_and",
            "iter",
            "iter_mut",
            "map",
            "map_err",
            "map_or",
            "map_or_else",
            "ok",
            "ok_or",
            "ok_or_else",
            "optional",
            "or",
            "or_else",
            "replace",
            "take",
            "transpose",
            "unwrap",
            "unwrap_or",
            "unwrap_or_default",
            "unwrap_or_else",
            "with_context",
            "xor",
            "zip",
        ],
    ),
    (
        &["Mutex", "RwLock", "FairMutex", "ReentrantMutex"],
        &[
            "blocking_lock",
            "get_mut",
            "into_inner",
            "lock",
            "lock_owned",
            "read",
            "try_lock",
            "try_read",
            "try_write",
            "write",
        ],
    ),
    (
        &["RefCell", "Cell", "OnceCell", "OnceLock"],
        &[
            "borrow",
            "borrow_mut",
            "get",
            "get_mut",
            "get_or_init",
            "get_or_try_init",
            "into_inner",
            "replace",
            "set",
            "take",
            "update",
        ],
    ),
    (
        &["BoxFuture", "LocalBoxFuture", "JoinHandle", "Future"],
        &["abort", "boxed", "boxed_local", "catch_unwind", "fuse", "map", "map_err", "map_ok", "shared", "then"],
    ),
    (
        &["Data", "Request", "Response", "Json", "Form", "Query", "Path"],
        &["get_mut", "get_ref", "into_inner", "into_parts"],
    ),
];

impl Program {
    /// What is inside of `Option`, `Result` (its value), smart pointers, cells, locks, their guards, futures and
    /// extractors, however many there are around it. Types of the workspace stay as they are.
    pub fn peel(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        for _ in 0..LEVELS {
            let inside = match &ty {
                Type::External(_, args) => {
                    let name = ty.external_name().unwrap_or_default();
                    if name.ends_with("Guard") {
                        args.last().cloned()
                    } else if WRAPPERS.contains(&name) {
                        args.first().cloned()
                    } else {
                        None
                    }
                }
                Type::Trait(_) => self.future_output(&ty),
                _ => None,
            };
            let Some(inside) = inside else { break };
            ty = inside;
        }
        ty
    }

    /// The type of a field: of a struct, of a tuple by its index, or of what a wrapper or `Deref` leads to. `0` of a
    /// wrapper of another crate is what it holds.
    pub fn field(&self, ty: &Type, name: &str) -> Option<Type> {
        let mut ty = ty.clone();
        for _ in 0..LEVELS {
            match &ty {
                Type::Def(id, args) => {
                    if let Some(found) = self.own_field(*id, args, name) {
                        return Some(found);
                    }
                }
                Type::Tuple(types) => return types.get(name.parse::<usize>().ok()?).cloned(),
                Type::External(_, args) if name == "0" && !self.is_pointer(&ty) => {
                    if let [inside] = &**args {
                        return Some(inside.clone());
                    }
                }
                _ => {}
            }
            ty = self.inside(&ty)?;
        }
        None
    }

    /// What a loop over the type hands out: `T` of collections, slices, options, iterators and streams, a pair for
    /// maps; [`Type::Unknown`] when it is none of these.
    pub fn element(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        for _ in 0..LEVELS {
            let name = ty.external_name().unwrap_or_default();
            match &ty {
                Type::Slice(element) => return (**element).clone(),
                Type::External(_, args) if MAPS.contains(&name) => {
                    return match &**args {
                        [key, value, ..] => Type::Tuple([key.clone(), value.clone()].into()),
                        _ => Type::Unknown,
                    };
                }
                Type::External(_, args) if name == "Option" || COLLECTIONS.contains(&name) => {
                    return args.first().cloned().unwrap_or_default();
                }
                Type::Trait(bounds) => {
                    if let Some(item) = bounds.iter().find_map(item) {
                        return item;
                    }
                }
                Type::Def(..) => {
                    let traits = ["Iterator", "IntoIterator", "Stream"].map(Name::new);
                    if let Some(item) = traits.iter().find_map(|of| self.associated_type(&ty, Some(of), "Item")) {
                        return item;
                    }
                }
                _ => {}
            }
            let Some(inside) = self.inside(&ty) else { break };
            ty = inside;
        }
        Type::Unknown
    }

    /// The output of `impl Future<Output = T>` and its like.
    pub fn future_output(&self, ty: &Type) -> Option<Type> {
        match ty {
            Type::Trait(bounds) => bounds.iter().find_map(|bound| {
                let future =
                    matches!(bound.external_name(), Some("Future" | "IntoFuture" | "TryFuture" | "FusedFuture"));
                future.then(|| bound.binding("Output").cloned()).flatten()
            }),
            Type::External(_, args) => match ty.external_name()? {
                "BoxFuture" | "LocalBoxFuture" | "Ready" => args.first().cloned(),
                "Pin" | "Box" => self.future_output(args.first()?),
                _ => None,
            },
            Type::Def(..) => self.associated_type(ty, Some(&Name::new("Future")), "Output"),
            _ => None,
        }
    }

    /// What a method that the type does not have is looked for on next; none where the method is the wrapper's own.
    pub(super) fn inside_for(&self, ty: &Type, method: &str) -> Option<Type> {
        let name = match ty {
            Type::External(..) => ty.external_name().unwrap_or_default(),
            Type::Trait(_) => "Future",
            _ => "",
        };
        let own = OWN.iter().any(|(wrappers, methods)| wrappers.contains(&name) && methods.contains(&method));
        if own { None } else { self.inside(ty) }
    }

    /// One wrapper less: the target of `Deref`, the output of a future, or the content of a wrapper of another crate,
    /// known or not, that has one argument and is no collection.
    fn inside(&self, ty: &Type) -> Option<Type> {
        match ty {
            Type::Def(id, args) => self.deref_target(ty, *id, args),
            Type::External(_, args) => {
                let name = ty.external_name()?;
                if COLLECTIONS.contains(&name) {
                    return None;
                }
                match &**args {
                    [only] => Some(only.clone()),
                    [.., last] if name.ends_with("Guard") => Some(last.clone()),
                    [first, ..] if WRAPPERS.contains(&name) => Some(first.clone()),
                    _ => None,
                }
            }
            Type::Trait(bounds) => self.future_output(ty).or_else(|| {
                bounds.iter().find_map(|bound| match bound.external_name()? {
                    "Deref" | "DerefMut" => bound.binding("Target").cloned(),
                    _ => None,
                })
            }),
            _ => None,
        }
    }

    fn deref_target(&self, ty: &Type, id: TypeId, args: &[Type]) -> Option<Type> {
        if let Some(target) = self.associated_type(ty, Some(&Name::new("Deref")), "Target") {
            return Some(target);
        }
        if !self.derives(id).contains(&"Deref") {
            return None;
        }
        let TypeKind::Struct(fields) = &self.type_def(id).kind else { return None };
        let marked = fields.iter().find(|field| named(&field.attrs, "deref").next().is_some());
        let field = match (marked, fields.as_slice()) {
            (Some(field), _) | (None, [field]) => field,
            _ => return None,
        };
        Some(self.convert(&self.type_env(id, args), &field.ty))
    }

    fn own_field(&self, id: TypeId, args: &[Type], name: &str) -> Option<Type> {
        let TypeKind::Struct(fields) = &self.type_def(id).kind else { return None };
        let place = fields.iter().position(|field| field.name == name)?;
        if args.is_empty() {
            return Some(self.fields(id)[place].1.clone());
        }
        Some(self.convert(&self.type_env(id, args), &fields[place].ty))
    }

    /// Pointers have no field of their own that code could name.
    fn is_pointer(&self, ty: &Type) -> bool {
        let name = ty.external_name().unwrap_or_default();
        matches!(name, "Box" | "Arc" | "Rc" | "Pin" | "Option" | "Result" | "Cow" | "Ref" | "RefMut")
            || name.ends_with("Guard")
    }
}

/// `Item` of an iterator or stream; `Ok` of one that may fail.
fn item(bound: &Bound) -> Option<Type> {
    bound.binding("Item").or_else(|| bound.binding("Ok")).cloned()
}
