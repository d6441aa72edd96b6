"""Text that is odd, or wants to be taken for something else."""

from case import READ, USE, WRITE, Case, function, rust

RACE = function(f"let n: i32 = {READ}; if n > 0 {{ {WRITE}; }}")
COMMANDS = ["::error file=x::pwned", "##[error]pwned", "%0A::error::pwned", "\x1b[31mred\x1b]8;;http://x\x07", "\u202epwned", "\u2066x\u2069", "\x9b31m", "\u2028::error::x", "```</details>", "]]>", "<script>alert(1)</script>", "](http://x)", "\ufeff", "\u200e", "\U000e0041", "\x00", "\x7f", "\r::error::x", "\b\b\b"]


def everywhere(words):
    """The words in every place of a racy function that a report may quote."""
    sql = words.replace('"', "")
    return (
        f"// {words.replace(chr(13), '')}\n{USE}/// {words.replace(chr(13), '')}\n"
        f'pub async fn f(pool: &PgPool, id: i64) -> Result<(), sqlx::Error> {{\n'
        f'let n: i32 = sqlx::query_scalar(r#"SELECT "{sql}" FROM "t{sql}" WHERE id = $1 /* {sql} */"#).bind(id).fetch_one(pool).await?;\n'
        f'if n == 0 && id != "{sql}".len() {{ sqlx::query(r#"UPDATE "t{sql}" SET "{sql}" = 1 WHERE id = $1"#).bind(id).execute(pool).await?; }}\n'
        "Ok(())\n}\n"
    )


CASES = [rust(f"words-{i}", lambda words=words: everywhere(words)) for i, words in enumerate(COMMANDS)] + [
    rust("words-wide", lambda: everywhere("表ｅ\u0301\u0301\u0301👨‍👩‍👧‍👦" * 50)),
    rust("words-long", lambda: everywhere("x " * 30_000)),
    rust("words-lines", lambda: everywhere("x\n" * 30_000)),
    rust("words-combining", lambda: everywhere("e" + "\u0301" * 30_000)),
    rust("words-tabs", lambda: everywhere("\t" * 30_000)),
    rust("text-mark", lambda: "\ufeff" + RACE),
    rust("text-marks", lambda: "\ufeff" * 1_000 + RACE),
    rust("text-shebang", lambda: "#!/usr/bin/env x\n" + RACE),
    rust("text-mark-and-shebang", lambda: "\ufeff#!/x\n" + RACE),
    rust("text-crlf", lambda: RACE.replace("\n", "\r\n")),
    rust("text-cr", lambda: RACE.replace("\n", "\r")),
    rust("text-one-line", lambda: " " * 70_000 + RACE.replace("\n", " ")),
    rust("text-behind-70000-lines", lambda: "\n" * 70_000 + RACE),
    rust("text-nul", lambda: RACE.replace("\n", "\n\0"), left_out=True),
    rust("text-empty", lambda: ""),
    rust("text-mark-only", lambda: "\ufeff"),
    rust("text-not-rust", lambda: "}" * 1_000, left_out=True),
    rust("text-open", lambda: "fn f() { (" * 100, left_out=True),
    rust("text-escapes-in-sql", lambda: RACE.replace("SELECT used", "\\u{202e}\\x1b[31m\\nSELECT\\n\\\n   used")),
    rust("text-raw-identifiers", lambda: RACE.replace("n:", "r#fn:").replace("(n)", "(r#fn)").replace("n >", "r#fn >")),
    rust("text-unicode-identifiers", lambda: RACE.replace("fn f", "fn ｆ漢字_ß")),
    Case("text-utf-8-cut", lambda: {"src/x.rs": RACE.encode() + b"\xe2\x82"}, ["src/x.rs"]),
    Case("text-utf-16", lambda: {"src/x.rs": RACE.encode("utf-16")}, ["src/x.rs"]),
    Case("text-latin-1", lambda: {"src/x.rs": (RACE + "// é").encode("latin-1")}, ["src/x.rs"]),
    Case("text-binary", lambda: {"src/x.rs": bytes(range(256)) * 1_000}, ["src/x.rs"]),
    Case("text-surrogates", lambda: {"src/x.rs": RACE + "// \ud800"}, ["src/x.rs"]),
    Case("text-too-large", lambda: {"src/x.rs": RACE + "//" + "x" * (1 << 20)}, ["src/x.rs"]),
    Case("text-sql-binary", lambda: {"src/x.rs": RACE, "migrations/1.sql": bytes(range(256)) * 1_000}, ["migrations/1.sql"]),
    Case("text-sql-nul", lambda: {"src/x.rs": RACE, "migrations/1.sql": "CREATE TABLE t (a int);\0\n" * 1_000}),
    Case("text-sql-marks", lambda: {"src/x.rs": RACE, "migrations/1.sql": "\ufeffCREATE TABLE t (id int UNIQUE);\r" * 1_000}),
]
