//! Which types are handles of which client.

use crate::client::{Client, HandleKind};
use crate::dialect::Dialect;
use crate::link::{Program, TraitRef, Type, TypeId};
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

/// The type that a client's own functions give a handle of this kind: `pool.begin()` a `Transaction`.
pub fn type_of(handle: &Handle, clients: &[&Client]) -> Option<Type> {
    let client = clients.iter().find(|client| client.name == handle.client)?;
    let (krate, row) = (client.krates.first()?, client.types.iter().find(|row| row.kind == handle.kind)?);
    Some(Type::external([*krate, row.name], &[]))
}

/// Finds the handle that a type of the workspace is by what it implements: `impl ConnectionTrait for Db`. What it holds
/// says of which kind it is.
pub fn handle_by_impl(program: &Program, id: TypeId, clients: &[&Client]) -> Option<Handle> {
    let found = program.impls_of(id).iter().find_map(|block| match program.impl_subject(*block).0 {
        Some(TraitRef::External(path)) => row(path, clients),
        _ => None,
    })?;
    let inner = program.fields(id).iter().find_map(|(_, ty)| handle_of(ty, clients));
    Some(inner.unwrap_or(found))
}

/// Whether a type is a connection that was taken out of a pool, or may be one: each request takes its own.
pub fn is_of_pool(ty: &Type) -> bool {
    let Type::External(path, args) = ty else { return false };
    match path.last().map(Name::as_str) {
        Some("PooledConnection" | "PoolConnection") => true,
        Some("Option" | "Box") => args.iter().any(is_of_pool),
        _ => false,
    }
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
    if path.len() == 1 {
        return bare(name, clients);
    }
    clients.iter().filter(|client| client.krates.contains(&krate.as_str())).find_map(|client| {
        client.types.iter().find(|row| row.name == name).map(|row| Handle {
            kind: row.kind,
            dialect: row.dialect.or(client.dialect),
            client: client.name,
        })
    })
}

/// A name that came by a glob of another crate: of a client only when it is no common word.
fn bare(name: &Name, clients: &[&Client]) -> Option<Handle> {
    let (of, _) = GLOBBED.iter().find(|(_, names)| names.contains(&name.as_str()))?;
    clients.iter().filter(|client| client.name == *of).find_map(|client| {
        let row = client.types.iter().find(|row| row.name == name)?;
        Some(Handle { kind: row.kind, dialect: row.dialect.or(client.dialect), client: client.name })
    })
}

/// Handles that the prelude of a client hands out, and that are called nothing else.
///
/// Source: documentation of diesel 2.2, `diesel::prelude`; of sea-orm 1.1, `sea_orm::entity::prelude`.
const GLOBBED: [(&str, &[&str]); 2] = [
    ("sea-orm", &["DatabaseConnection", "DatabaseTransaction", "DbConn", "ConnectionTrait", "TransactionTrait"]),
    ("diesel", &["PgConnection", "MysqlConnection", "SqliteConnection"]),
];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{diesel, sqlx};

    #[test]
    fn a_connection_out_of_a_prelude_names_its_engine() {
        let ty = Type::external(["SqliteConnection"], &[]);
        let clients = [&sqlx::CLIENT, &diesel::table::CLIENT];
        let found = handle_of(&ty, &clients).map(|handle| (handle.client, handle.dialect));
        assert_eq!(found, Some(("diesel", Some(Dialect::Sqlite))));
        assert_eq!(handle_of(&ty, &[&sqlx::CLIENT]), None, "sqlx's prelude does not hand it out");
    }
}
