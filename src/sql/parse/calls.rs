//! Functions with a meaning of their own: aggregates, and those that take or release a lock.

use crate::sql::statement::{Aggregate, LockAct, LockCall, LockScope, Operand};

/// What a function computes over many rows, if it does.
pub(crate) fn aggregate(function: &str) -> Option<Aggregate> {
    Some(match function {
        "count" => Aggregate::Count,
        "sum" | "total" => Aggregate::Sum,
        "max" | "min" => Aggregate::Extreme,
        "avg" | "array_agg" | "json_agg" | "jsonb_agg" | "json_object_agg" | "jsonb_object_agg" | "string_agg"
        | "group_concat" | "json_group_array" | "json_arrayagg" | "bool_and" | "bool_or" | "every" | "stddev"
        | "variance" | "bit_and" | "bit_or" | "any_value" => Aggregate::Other,
        _ => return None,
    })
}

/// The lock a function takes or releases, if it does.
///
/// PostgreSQL: manual section 9.28.10, advisory lock functions; MySQL: reference manual 14.14, locking functions.
pub(crate) fn lock(function: &str, arguments: &[Operand]) -> Option<LockCall> {
    let call = |scope, act, shared, key: &[Operand]| LockCall {
        scope,
        act,
        shared,
        key: key.iter().flat_map(inner).collect(),
    };
    match function {
        "get_lock" => return Some(call(LockScope::Session, LockAct::Try, false, arguments.get(..1)?)),
        "release_lock" => return Some(call(LockScope::Session, LockAct::Release, false, arguments.get(..1)?)),
        "release_all_locks" => return Some(call(LockScope::Session, LockAct::ReleaseAll, false, &[])),
        _ => {}
    }
    let name = function.strip_prefix("pg_")?;
    let (name, tries) = name.strip_prefix("try_").map_or((name, false), |rest| (rest, true));
    let name = name.strip_prefix("advisory_")?;
    let (name, shared) = name.strip_suffix("_shared").map_or((name, false), |rest| (rest, true));
    let (scope, act) = match name {
        "xact_lock" => (LockScope::Transaction, if tries { LockAct::Try } else { LockAct::Take }),
        "lock" => (LockScope::Session, if tries { LockAct::Try } else { LockAct::Take }),
        "unlock" => (LockScope::Session, LockAct::Release),
        "unlock_all" => (LockScope::Session, LockAct::ReleaseAll),
        _ => return None,
    };
    Some(call(scope, act, shared, arguments))
}

/// A lock's key without the hash around it: two requests hash alike what is alike.
fn inner(key: &Operand) -> Vec<Operand> {
    match key {
        Operand::Expr { text, parts } if matches!(text.as_str(), "hashtext()" | "hashtextextended()") => {
            parts.iter().flat_map(inner).collect()
        }
        _ => vec![key.clone()],
    }
}
