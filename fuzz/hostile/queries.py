"""SQL that is deep, long, or assembled without end."""

from case import Case, function, rust

SHAPES = {
    "parens": ("SELECT used FROM t WHERE ", "(", "id = $1", ")"),
    "not": ("SELECT used FROM t WHERE ", "NOT ", "id = $1", ""),
    "minus": ("SELECT used FROM t WHERE id = ", "- ", "1", ""),
    "subquery": ("SELECT used FROM t WHERE id IN ", "(SELECT id FROM t WHERE id IN ", "(1)", ")"),
    "scalar": ("SELECT ", "(SELECT ", "1", ")"),
    "exists": ("SELECT 1 WHERE ", "EXISTS (SELECT 1 FROM t WHERE ", "true", ")"),
    "derived": ("SELECT * FROM ", "(SELECT * FROM ", "t", ") x"),
    "cte": ("", "WITH x AS (", "SELECT 1", ") SELECT * FROM x"),
    "case": ("SELECT ", "CASE WHEN true THEN ", "1", " END"),
    "call": ("SELECT ", "coalesce(", "1", ")"),
    "array": ("SELECT ", "ARRAY[", "1", "]"),
    "join": ("SELECT * FROM ", "(t JOIN ", "t", " ON true)"),
    "cast": ("SELECT 1", "", "", "::int"),
    "and": ("SELECT used FROM t WHERE true", "", "", " AND id = $1"),
    "or": ("SELECT used FROM t WHERE true", "", "", " OR id = $1"),
    "concat": ("SELECT 'a'", "", "", " || 'a'"),
    "plus": ("UPDATE t SET used = used", "", "", " + 1"),
    "union": ("SELECT 1", "", "", " UNION SELECT 1"),
    "joins": ("SELECT * FROM t", "", "", " JOIN t USING (id)"),
    "in-list": ("SELECT used FROM t WHERE id IN (1", "", "", ", 1"),
    "values": ("INSERT INTO t VALUES (1)", "", "", ", (1)"),
    "columns": ("SELECT a", "", " FROM t", ", a"),
    "sets": ("UPDATE t SET a = 1", "", "", ", a = 1"),
    "statements": ("", "", "", "UPDATE t SET a = 1;"),
    "begins": ("", "BEGIN;", "", "COMMIT;"),
    "json": ("SELECT a", "", "", "->'a'"),
    "is": ("SELECT a", "", "", " IS NULL"),
    "comment": ("SELECT 1 ", "/*", "", "*/"),
    "dollar": ("SELECT ", "$a$", "", ""),
    "if": ("DO ", "BEGIN IF true THEN ", "", " END IF; END;"),
    "explain": ("", "EXPLAIN ", "SELECT 1", ""),
    "placeholders": ("SELECT ", "", "1", ", $1"),
    "brackets-open": ("SELECT ", "(", "", ""),
    "brackets-close": ("SELECT ", "", "", ")"),
    "quotes": ("SELECT ", "''", "", ""),
    "merge": ("MERGE INTO t USING s ON true", "", "", " WHEN MATCHED THEN UPDATE SET a = 1"),
}
DEPTHS = [19, 39, 400, 1_900, 60_000]


def text(shape, depth):
    start, opens, middle, closes = shape
    # What repeats at the end only stands before the middle's remainder.
    if not opens and middle.startswith(" "):
        return start + closes * depth + middle
    return start + opens * depth + middle + closes * depth


def in_rust(sql):
    return function(f'let n: i32 = sqlx::query_scalar(r##"{sql}"##).fetch_one(pool).await?;')


def cases():
    for depth in DEPTHS:
        for name, shape in SHAPES.items():
            sql = lambda s=shape, d=depth: text(s, d)
            yield rust(f"sql-{name}-{depth}", lambda sql=sql: in_rust(sql())[:1_000_000])
            if depth in (39, 60_000):
                yield Case(
                    f"migration-{name}-{depth}",
                    lambda sql=sql: {
                        "src/x.rs": "",
                        "migrations/1.sql": "CREATE TABLE coupons (id bigint PRIMARY KEY, used int);\n",
                        "migrations/2.sql": sql()[:1_000_000] + ";\nCREATE TABLE t (id int);\n",
                    },
                )


def migration(name, make):
    return Case(f"migration-{name}", lambda: {"src/x.rs": "", "migrations/1.sql": make()[:1_000_000]})


def doubled(width, depth):
    """Constants of which each holds the one before several times."""
    parts = "".join(f"const C{i}: &str = concat!({', '.join([f'C{i - 1}'] * width)});\n" for i in range(1, depth))
    return 'const C0: &str = "SELECT used FROM t WHERE id = 1 AND ";\n' + parts + in_rust("SELECT 1").replace('r##"SELECT 1"##', f"C{depth - 1}")


def doubled_in_functions(depth):
    parts = "".join(f'fn s{i}() -> String {{ let a = s{i - 1}(); format!("{{a}}{{a}} {{}}", s{i - 1}()) }}\n' for i in range(1, depth))
    return 'fn s0() -> String { "SELECT used FROM t ".to_owned() }\n' + parts + in_rust("x").replace('r##"x"##', f"&s{depth - 1}()")


def branching(count):
    """A text with that many optional pieces, which has two to the power of them forms."""
    pieces = "".join(f'if n > {i} {{ s.push_str(" AND a{i} = 1"); }}\n' for i in range(count))
    return function(f'let mut s = String::from("SELECT used FROM t WHERE true");\n{pieces}let n: i32 = sqlx::query_scalar(&s).fetch_one(pool).await?;')


TABLE = "CREATE TABLE t{i} (id bigint PRIMARY KEY, a int REFERENCES t{j} (id), UNIQUE (a), CHECK (a > 0));\n"
CASES = list(cases()) + [
    migration("tables", lambda: "".join(TABLE.format(i=i, j=i // 2) for i in range(9_000))),
    migration("alters", lambda: "CREATE TABLE t (a int);\n" + "".join(f"ALTER TABLE t ADD COLUMN a{i} int;\n" for i in range(28_000))),
    migration("indexes", lambda: "CREATE TABLE t (a int);\n" + "".join(f"CREATE UNIQUE INDEX i{i} ON t (a, b{i});\n" for i in range(24_000))),
    migration("renames", lambda: "CREATE TABLE t0 (a int);\n" + "".join(f"ALTER TABLE t{i} RENAME TO t{i + 1};\n" for i in range(28_000))),
    migration("columns", lambda: "CREATE TABLE t (" + "".join(f"a{i} int UNIQUE,\n" for i in range(60_000)) + "b int);"),
    migration("drops", lambda: "CREATE TABLE t (a int); DROP TABLE t;\n" * 25_000),
    migration("one-string", lambda: "SELECT '" + "x" * 990_000 + "';"),
    migration("unterminated", lambda: "CREATE TABLE t (a int);\nSELECT '" + "x'' " * 240_000),
    migration("dollar-tags", lambda: "".join(f"$a{i}$" for i in range(100_000))),
    migration("create-words", lambda: "create " * 140_000),
    migration("long-name", lambda: f"CREATE TABLE {'t' * 990_000} (a int);"),
    migration("key-columns", lambda: f"CREATE TABLE t (a int, UNIQUE ({', '.join(f'a{i}' for i in range(2_000))}));\n" * 40),
    rust("text-concat-2-60", lambda: doubled(2, 60)),
    rust("text-concat-100-4", lambda: doubled(100, 4)),
    rust("text-functions-60", lambda: doubled_in_functions(60)),
    rust("text-functions-400", lambda: doubled_in_functions(400)),
    rust("text-branches-20", lambda: branching(20)),
    rust("text-branches-5000", lambda: branching(5_000)),
    rust("text-queries-2000", lambda: function("".join(f'sqlx::query("UPDATE t SET used = {i} WHERE id = {i}").execute(pool).await?;\n' for i in range(2_000)))),
]
