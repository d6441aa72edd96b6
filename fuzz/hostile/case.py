"""What a case is."""

from collections.abc import Callable
from dataclasses import dataclass, field

USE = "use sqlx::PgPool;\n"
READ = 'sqlx::query_scalar::<_, i32>("SELECT used FROM t WHERE id = $1").bind(id).fetch_one(pool).await?'
WRITE = 'sqlx::query("UPDATE t SET used = $1 WHERE id = $2").bind(n).bind(id).execute(pool).await?'
GIVES = "Result<i32, sqlx::Error>"


@dataclass
class Case:
    name: str
    # Paths and what they hold.
    files: Callable[[], dict]
    # Files that must be named, since they cannot be read in full.
    left_out: list = field(default_factory=list)
    # What is no regular file is made by this, below the root.
    disk: Callable[[str], None] | None = None


def rust(name, make, left_out=False):
    """A case of one Rust file."""
    return Case(name, lambda: {"src/x.rs": make()}, ["src/x.rs"] if left_out else [])


def function(body, head="pub async fn f(pool: &PgPool, id: i64, n: i32)"):
    return f"{USE}{head} -> {GIVES} {{\n{body}\nOk(n)\n}}\n"
