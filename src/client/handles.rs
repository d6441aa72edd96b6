//! Which types are handles of which client.

use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;
use crate::link::{TraitRef, Type};
use crate::lower::tree::Name;

/// What a type says of the handle it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    pub kind: HandleKind,
    pub dialect: Option<Dialect>,
    /// The client whose table has the type.
    pub client: &'static str,
}

/// Finds the handle a type is or wraps; none when no client knows it.
///
/// In: a resolved type. `Arc<PgPool>`, `State<PgPool>`, `PoolConnection<Postgres>` and `impl Executor` are seen through.
pub fn handle_of(ty: &Type, clients: &[&Client]) -> Option<Handle> {
    look(ty, clients, 0)
}

fn look(ty: &Type, clients: &[&Client], depth: usize) -> Option<Handle> {
    if depth > 6 {
        return None;
    }
    match ty {
        Type::External(path, args) => {
            let found = row(path, clients);
            if let Some(handle) = found {
                let dialect = handle.dialect.or_else(|| args.iter().find_map(engine));
                return Some(Handle { dialect, ..handle });
            }
            let name = path.last().map(Name::as_str).unwrap_or_default();
            if COLLECTIONS.contains(&name) {
                return None;
            }
            let inner = args.iter().find_map(|arg| look(arg, clients, depth + 1))?;
            // `r2d2::PooledConnection<Manager>`: one connection of the pool that the manager stands for.
            let taken = POOLED.contains(&name) && inner.kind == HandleKind::Pool;
            Some(if taken { Handle { kind: HandleKind::Connection, ..inner } } else { inner })
        }
        Type::Trait(bounds) => bounds.iter().find_map(|bound| {
            let TraitRef::External(path) = &bound.of else { return None };
            let handle = row(path, clients)?;
            let named = || bound.args.iter().chain(bound.bindings.iter().map(|(_, ty)| ty)).find_map(engine);
            Some(Handle { dialect: handle.dialect.or_else(named), ..handle })
        }),
        _ => None,
    }
}

const COLLECTIONS: [&str; 8] = ["Vec", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "VecDeque", "Receiver", "Sender"];

const POOLED: [&str; 4] = ["PooledConnection", "PoolConnection", "Object", "Conn"];

fn row(path: &[Name], clients: &[&Client]) -> Option<Handle> {
    let krate = path.first()?;
    let name = path.last()?;
    clients.iter().filter(|client| client.krates.contains(&krate.as_str())).find_map(|client| {
        client.types.iter().find(|row| row.name == name).map(|row| Handle {
            kind: row.kind,
            dialect: row.dialect.or(client.dialect),
            client: client.name,
        })
    })
}

/// The engine a type argument names: `Postgres`, `PgConnection`, `ConnectionManager<PgConnection>`.
fn engine(ty: &Type) -> Option<Dialect> {
    let Type::External(path, args) = ty else { return None };
    let name = path.last()?.to_ascii_lowercase();
    if name.starts_with("postgres") || name.starts_with("pg") || name.contains("pgconnection") {
        return Some(Dialect::Postgres);
    }
    if name.starts_with("mysql") {
        return Some(Dialect::MySql);
    }
    if name.starts_with("sqlite") {
        return Some(Dialect::Sqlite);
    }
    if name.starts_with("mssql") {
        return Some(Dialect::MsSql);
    }
    args.iter().find_map(engine)
}
