"""Programs whose calls, branches, values or summaries could grow without end."""

from case import GIVES, READ, USE, WRITE, Case, function, rust

HEAD = "(pool: &PgPool, id: i64, n: i32)"
CALL = "(pool, id, n).await?"


def chain(count, last, call, extra=""):
    """Functions f0 to fn, each of which does what `call` gives for its number."""
    out = [USE, extra]
    out += [f"pub async fn f{i}{HEAD} -> {GIVES} {{ {call(i)} }}\n" for i in range(count)]
    out.append(f"pub async fn f{count}{HEAD} -> {GIVES} {{ {last} }}\n")
    return "".join(out)


def act():
    return f"let m: i32 = {READ}; if m > n {{ {WRITE}; }} Ok(m)"


def deep_in_deep(count, shape):
    """Calls in a row, each of which stands deep inside of an expression."""
    opens, closes, times = shape
    call = lambda i: f"let x = {opens * times}f{i + 1}{CALL}{closes * times}; Ok(n)"
    return chain(count, act(), call)


def closures_in_deep(count, shape):
    opens, closes, times = shape
    steps = f"let h0 = || {{ {act()} }};\n"
    steps += "".join(f"let h{i} = || {opens * times}h{i - 1}(){closes * times};\n" for i in range(1, count))
    return function(steps + f"h{count - 1}();")


DEEP = {
    "parens": ("(", ")", 120),
    "blocks": ("{", "}", 120),
    "ifs": ("if n > 0 {", "} else { 1 }", 110),
    "matches": ("match n { 1 => ", ", _ => 2 }", 110),
    "not": ("!", "", 380),
    "calls": ("g(", ")", 120),
    "chain": ("", ".b()", 380),
    "fields": ("", ".b", 380),
    "plus": ("1 + ", "", 380),
    "closures": ("(|| ", ")()", 60),
    "macros": ("vec![", "]", 100),
    "format": ('format!("{}", ', ")", 100),
    "async": ("async {", "}.await", 100),
    "let": ("{ let y = ", "; y }", 100),
}


def handed_texts(count, width):
    """SQL that is handed on through calls, each of which is read again for it."""
    head = "(pool: &PgPool, sql: &str, id: i64)"
    out = USE
    for i in range(count):
        out += f"async fn f{i}{head} -> {GIVES} {{ " + f"f{i + 1}(pool, sql, id).await?;" * width + " Ok(1) }\n"
    out += f"async fn f{count}{head} -> {GIVES} {{ sqlx::query_scalar(sql).bind(id).fetch_one(pool).await }}\n"
    return out + function("let n = f0(pool, \"SELECT used FROM t WHERE id = $1\", id).await?; f0(pool, &format!(\"UPDATE t SET used = {n}\"), id).await?;").removeprefix(USE)


def cycle(count):
    return chain(count, f"let m = {READ}; f0{CALL}; {WRITE}; Ok(m)", lambda i: f"let m = f{i + 1}{CALL}; Ok(m)")


def clique(count):
    """Every function calls every other one."""
    calls = "".join(f"f{i}{CALL};" for i in range(count))
    return USE + "".join(f"pub async fn f{i}{HEAD} -> {GIVES} {{ {READ}; {calls} {WRITE}; Ok(n) }}\n" for i in range(count))


def in_files(count, body):
    """So many functions, two thousand a file."""
    names = range((count + 1_999) // 2_000)
    files = {"src/lib.rs": "pub mod honest;\n" + "".join(f"pub mod m{k};\npub use m{k}::*;\n" for k in names)}
    for k in names:
        numbers = range(k * 2_000, min(count, (k + 1) * 2_000))
        files[f"src/m{k}.rs"] = USE + "use crate::*;\n" + "".join(f"pub async fn f{i}{HEAD} -> {GIVES} {{ {body(i)} }}\n" for i in numbers)
    return files


def fan(width, depth, last=None):
    return chain(depth, last or act(), lambda i: f"f{i + 1}{CALL};" * width + "Ok(n)")


def fan_in_branches(depth):
    return chain(depth, act(), lambda i: f"if n > {i} {{ f{i + 1}{CALL} }} else {{ f{i + 1}(pool, id + 1, n - 1).await }}")


def every_level_acts(count):
    return chain(count, act(), lambda i: f"let m: i32 = {READ}; if m > n {{ {WRITE}; }} f{i + 1}(pool, id, m).await")


def branches(count):
    return function("".join(f"if n > {i} {{ let n: i32 = {READ}; {WRITE}; }}\n" for i in range(count)))


def nested_branches(depth):
    return function("".join(f"let n: i32 = {READ}; if n > {i} {{ {WRITE};\n" for i in range(depth)) + "}" * depth)


def early_returns(count):
    return function("".join(f"if n == {i} {{ return Ok(n); }}\n" for i in range(count)) + f"let n: i32 = {READ}; if n > 0 {{ {WRITE}; }}")


def pairs(count):
    reads = "".join(f"let a{i}: i32 = {READ};\n" for i in range(count))
    checks = "".join(f"if a{i} > 0 {{ {WRITE}; }}\n" for i in range(count))
    return function(reads + checks)


def one_check(count):
    reads = "".join(f"let a{i}: i32 = {READ};\n" for i in range(count))
    return function(reads + f"if {' && '.join(f'a{i} > 0' for i in range(min(count, 900)))} {{ {WRITE}; }}")


def loops(depth):
    return function("".join(f"for i{i} in 0..n {{ let n: i32 = {READ};\n" for i in range(depth)) + f"{WRITE};" + "}" * depth)


def pairing_tuples(depth):
    """f(x) = (f'(x), f'(x)): a value that is a tree of two to the power of its depth."""
    out = USE + f"async fn f0(pool: &PgPool, id: i64) -> Result<i32, sqlx::Error> {{ Ok({READ}) }}\n"
    for i in range(1, depth):
        out += f"async fn f{i}(pool: &PgPool, id: i64) -> Result<T{i}, sqlx::Error> {{ let a = f{i - 1}(pool, id).await?; Ok((a.clone(), a)) }}\n"
        out += f"type T{i} = ({f'T{i - 1}, T{i - 1}' if i > 1 else 'i32, i32'});\n"
    return out + function(f"let a = f{depth - 1}(pool, id).await?; let n = {'a' + '.0' * (depth - 1)}; if n > 0 {{ {WRITE}; }}").removeprefix(USE)


def structs_through_calls(count, fields):
    """Struct literals that hold the one before several times, handed through calls."""
    out = USE
    for i in range(1, count):
        names = ", ".join(f"a{k}: p.clone()" for k in range(fields))
        inner = f"S{i - 1}" if i > 1 else "i32"
        out += f"#[derive(Clone)] pub struct S{i} {{ {', '.join(f'a{k}: {inner}' for k in range(fields))}, pool: PgPool }}\n"
        out += f"fn f{i}(pool: &PgPool, p: {inner}) -> S{i} {{ S{i} {{ {names}, pool: pool.clone() }} }}\n"
    steps = "".join(f"let s = f{i}(pool, s);\n" for i in range(1, count))
    path = "s" + ".a0" * (count - 1)
    return out + function(f"let s: i32 = {READ};\n{steps}let n = {path}; if n > 0 {{ {WRITE}; }}").removeprefix(USE)


def nested_literals_returned(count):
    """Each function returns a struct that holds what the next two give."""
    out = USE + "#[derive(Clone)] pub struct S { a: Box<S>, b: Box<S>, n: i32 }\n"
    for i in range(count):
        out += f"fn f{i}(n: i32) -> S {{ S {{ a: Box::new(f{i + 1}(n)), b: Box::new(f{i + 2}(n)), n }} }}\n"
    out += f"fn f{count}(n: i32) -> S {{ todo(n) }}\nfn f{count + 1}(n: i32) -> S {{ todo(n) }}\n"
    return out + function(f"let n: i32 = {READ}; let s = f0(n); let n = s{'.a' * 30}.n; if n > 0 {{ {WRITE}; }}").removeprefix(USE)


def closures_in_structs(count):
    out = USE + "pub struct H<F> { call: F }\n"
    steps = f"let h0 = H {{ call: || async {{ {act()} }} }};\n"
    for i in range(1, count):
        steps += f"let h{i} = H {{ call: || async {{ (h{i - 1}.call)().await?; (h{i - 1}.call)().await }} }};\n"
    return out + function(steps + f"(h{count - 1}.call)().await?;").removeprefix(USE)


def callbacks(depth, width):
    """Functions that are handed a callback, and hand one on that calls it several times."""
    out = USE
    for i in range(depth):
        calls = "next().await?;" * width
        out += f"async fn f{i}<F, R>(next: F) -> {GIVES} where F: Fn() -> R, R: Future<Output = {GIVES}> {{\n"
        out += f"f{i + 1}(|| async {{ {calls} Ok(1) }}).await?; f{i + 1}(&next).await\n}}\n"
    out += f"async fn f{depth}<F, R>(next: F) -> {GIVES} where F: Fn() -> R, R: Future<Output = {GIVES}> {{ next().await }}\n"
    return out + function(f"f0(|| async {{ {act()} }}).await?;").removeprefix(USE)


def callbacks_of_arguments(depth, width):
    out = USE
    for i in range(depth):
        calls = "".join(f"f{i + 1}(pool, |n| call(n + {k})).await?;" for k in range(width))
        out += f"async fn f{i}(pool: &PgPool, call: impl Fn(i32) -> i32) -> {GIVES} {{ {calls} Ok(1) }}\n"
    out += f"async fn f{depth}(pool: &PgPool, call: impl Fn(i32) -> i32) -> {GIVES} {{ let n = call(1); let id = n; {act()} }}\n"
    return out + function("f0(pool, |n| n).await?;").removeprefix(USE)


def locks(count):
    statics = "".join(f"static L{i}: Mutex<()> = Mutex::const_new(());\n" for i in range(count))
    return chain(count, act(), lambda i: f"let _g = L{i}.lock().await; f{i + 1}{CALL}; Ok(n)", "use tokio::sync::Mutex;\n" + statics)


def advisory_locks(count):
    lock = lambda i: f'sqlx::query("SELECT pg_advisory_lock({i})").execute(pool).await?;'
    return chain(count, act(), lambda i: f"{lock(i)} f{i + 1}{CALL}; Ok(n)")


def transactions(count):
    begin = "let mut tx = pool.begin().await?;"
    return chain(count, act(), lambda i: f"{begin} {WRITE.replace('pool', '&mut *tx')}; f{i + 1}{CALL}; tx.commit().await?; Ok(n)")


def requests(count, width=1):
    send = 'reqwest::Client::new().post("https://example.org/pay").json(&n).send().await.unwrap();'
    return chain(count, act(), lambda i: f"{send} " + f"f{i + 1}{CALL};" * width + "Ok(n)")


def handles(count):
    """One connection handed through, which each level checks and uses."""
    out = USE
    head = "(conn: &mut sqlx::PgConnection, id: i64, n: i32)"
    read, write = READ.replace("pool", "&mut *conn"), WRITE.replace("pool", "&mut *conn")
    for i in range(count):
        out += f"pub async fn f{i}{head} -> {GIVES} {{ let m: i32 = {read}; if m > n {{ {write}; }} f{i + 1}(conn, id, m).await?; f{i + 1}(conn, id, n).await }}\n"
    return out + f"pub async fn f{count}{head} -> {GIVES} {{ {write}; Ok(1) }}\n" + function("let mut c = pool.acquire().await?; f0(&mut c, id, n).await?;").removeprefix(USE)


def trait_recursion(count):
    out = USE + f"pub trait T {{ async fn go(&self, pool: &PgPool, id: i64, n: i32) -> {GIVES}; }}\n"
    for i in range(count):
        out += f"pub struct S{i} {{ next: Box<dyn T>, also: S{(i + 1) % count} }}\n"
        out += f"impl T for S{i} {{ async fn go(&self, pool: &PgPool, id: i64, n: i32) -> {GIVES} {{ self.next.go{CALL}; self.also.go{CALL}; {act()} }} }}\n"
    return out + function("let s: Box<dyn T> = make(); s.go(pool, id, n).await?;").removeprefix(USE)


def generic_recursion():
    return USE + f"""pub trait T {{ async fn go(&self, pool: &PgPool, id: i64, n: i32) -> {GIVES}; }}
impl<A: T> T for Vec<A> {{ async fn go(&self, pool: &PgPool, id: i64, n: i32) -> {GIVES} {{ grow(vec![self], pool, id, n).await; for a in self {{ a.go{CALL}; }} {act()} }} }}
impl<A: T, B: T> T for (A, B) {{ async fn go(&self, pool: &PgPool, id: i64, n: i32) -> {GIVES} {{ (self.1, self.0).go{CALL}; vec![self].go{CALL}; {act()} }} }}
impl<A: T> T for &A {{ async fn go(&self, pool: &PgPool, id: i64, n: i32) -> {GIVES} {{ (*self).go{CALL}; (&self).go(pool, id, n).await }} }}
pub async fn grow<A: T>(a: A, pool: &PgPool, id: i64, n: i32) -> {GIVES} {{ grow((a, a), pool, id, n).await?; grow(vec![a], pool, id, n).await?; a.go{CALL}; {act()} }}
"""


def types_that_meet_themselves():
    return USE + "type A = B; type B = A; type C = Vec<C>; type D<T> = D<D<T>>;\n" + """
trait P: Q {} trait Q: P {}
impl Deref for X { type Target = Y; } impl Deref for Y { type Target = X; }
trait H { type O: H; } impl H for X { type O = <Y as H>::O; } impl H for Y { type O = <X as H>::O; }
const K: &str = L; const L: &str = K; static M: &str = concat!(M, M);
pub use self::a::*; mod a { pub use super::b::*; pub use super::a::*; } mod b { pub use super::a::*; pub use crate::x::*; }
use self::u as v; use self::v as u;
""" + function("let a: A = u(); let b: D<C> = v(); a.f(pool).await?; b.g(K).execute(pool).await?; X.h().await; sqlx::query(K).execute(pool).await?; sqlx::query(M).execute(pool).await?;").removeprefix(USE)


def closure_of_itself():
    return function("let f = |g| g(g); f(f); let y = |f| (|x| f(x(x)))(|x| f(x(x))); y(|s| s)(1); let a = &a; let b = [b; 2]; let c = S { c: c, d: d };")


def many_dyn(count):
    """Every call may be of any of many implementations, each of which makes such calls."""
    return trait_recursion(count).replace(f"also: S", "then: Box<dyn T>, also: S")


def modules(count):
    files = {"src/lib.rs": "pub mod honest;\n" + "".join(f"pub mod m{i};\n" for i in range(count))}
    for i in range(count):
        uses = "".join(f"pub use crate::m{(i * k + 1) % count}::*;\n" for k in range(1, 6))
        files[f"src/m{i}.rs"] = uses + USE + f"pub async fn f{i}{HEAD} -> {GIVES} {{ f{(i + 1) % count}{CALL}; {act()} }}\n"
    return files


def loop_growth(count):
    grow = "".join(f"a{i} = (a{(i + 1) % count}, a{(i + 2) % count}, a{i});\n" for i in range(count))
    return function("".join(f"let mut a{i} = {READ};\n" for i in range(count)) + f"loop {{ {grow} if a0 > 1 {{ {WRITE}; }} }}")


def swapped_arguments(count):
    """Each level calls the next with its arguments in every other order."""
    orders = ["a, b, c, d", "b, a, d, c", "c, d, a, b", "d, c, b, a"]
    head = "(pool: &PgPool, a: i64, b: i64, c: i64, d: i64)"
    out = USE
    for i in range(count):
        out += f"pub async fn f{i}{head} -> {GIVES} {{ " + "".join(f"f{i + 1}(pool, {order}).await?;" for order in orders) + "Ok(1) }\n"
    return out + f"pub async fn f{count}{head} -> {GIVES} {{ let (id, n) = (a, b); {act()} }}\n"


def boolean_helpers(depth):
    out = USE + f"async fn c0(pool: &PgPool, id: i64) -> Result<bool, sqlx::Error> {{ Ok({READ} > 0) }}\n"
    for i in range(1, depth):
        out += f"async fn c{i}(pool: &PgPool, id: i64) -> Result<bool, sqlx::Error> {{ Ok(c{i - 1}(pool, id).await? && !c{i - 1}(pool, id + 1).await? || c{i - 1}(pool, id).await?) }}\n"
    return out + function(f"if c{depth - 1}(pool, id).await? {{ {WRITE}; }}").removeprefix(USE)


def options(depth):
    return function(f"let a = {READ};\n" + "".join(f"let a = if a > {i} {{ Some(a) }} else {{ match a {{ Some(b) => b, None => a }} }};\n" for i in range(depth)) + f"if a > 1 {{ {WRITE}; }}")


def through_files(count, make):
    """Functions that call each other through files, each with a body of nearly a megabyte."""
    files = {"src/lib.rs": "pub mod honest;\n" + "".join(f"pub mod m{i};\n" for i in range(count + 1))}
    for i in range(count):
        files[f"src/m{i}.rs"] = make(i)
    files[f"src/m{count}.rs"] = function(act(), f"pub async fn f{count}{HEAD}")
    return files


def deep_values(step, times, call):
    def make(i):
        return USE + f"use crate::m{i + 1}::*;\npub async fn f{i}{HEAD} -> {GIVES} {{ let mut n = n; {step * times} {call(i)} }}\n"

    return make


def constants(count, files):
    out = {"src/lib.rs": "pub mod honest;\n" + "".join(f"pub mod m{i};\n" for i in range(files)) + "pub mod x;\n"}
    for k in range(files):
        numbers = range(k * count, (k + 1) * count)
        out[f"src/m{k}.rs"] = "use crate::*;\n" + "".join(f"pub const C{i}:&str=m{(i + 1) // count % files}::C{i + 1};\n" for i in numbers)
    out["src/x.rs"] = function("sqlx::query(crate::m0::C0).execute(pool).await?;")
    return out


GROWING = "((((((((((n,),),),),),),),),),)"
PASSED = lambda i: f"f{i + 1}{CALL}; Ok(n)"
RETURNED = lambda i: f"let m = f{i + 1}{CALL}; let mut n = m; {'n=-n;' * 60_000} Ok(n)"

CASES = [
    Case("values-deep-terms-1", lambda: through_files(1, deep_values("n=-n;", 190_000, PASSED))),
    Case("values-deep-terms-3", lambda: through_files(3, deep_values("n=-n;", 190_000, PASSED))),
    Case("values-deep-terms-returned-4", lambda: through_files(4, deep_values("", 1, RETURNED))),
    Case("values-deep-conditions-3", lambda: through_files(3, deep_values("n=if n>0{n}else{id};", 45_000, PASSED))),
    Case("values-deep-records-4", lambda: through_files(4, deep_values("n=(n,);", 130_000, PASSED))),
    Case("values-deep-variants-4", lambda: through_files(4, deep_values("n=S(n);", 130_000, PASSED))),
    rust("values-record-growth", lambda: f"fn g(n: A) -> A {{ {GROWING} }}\n" + function("let n = g(n);\n" * 60_000 + "h(n);")),
    rust("values-record-growth-in-fields", lambda: "struct S { a: A, b: A }\nfn g(n: A) -> S { S { a: S { a: n, b: n }, b: S { a: n, b: n } } }\n" + function("let n = g(n);\n" * 60_000 + "h(n.a.a.a);")),
    rust("values-lets-and-branches", lambda: function("let a=n;" * 45_000 + "if a>0{}" * 45_000)),
    rust("values-lets-and-closures", lambda: function("let a=n;" * 45_000 + "f(||1);" * 45_000)),
    rust("values-lets-in-branches", lambda: function("if n>0{let b=n;}let a=n;" * 30_000)),
    rust("values-asks-for-the-first", lambda: function("let first=n;" + "let a=n;" * 40_000 + "first+1;" * 40_000)),
    rust("values-fields", lambda: function("let mut s = S {" + ",".join(f"a{i}: n" for i in range(20_000)) + "};\n" + "".join(f"s.a{i} = s.a{i + 1};\n" for i in range(20_000)))),
    Case("values-constants-20000", lambda: constants(20_000, 1)),
    Case("values-constants-200000", lambda: constants(20_000, 10)),
    Case("calls-cycle-10000", lambda: in_files(10_000, lambda i: f"let m = f{(i + 1) % 10_000}{CALL}; {WRITE if i % 100 == 0 else ''}; Ok(m)")),
    rust("calls-cycle-100", lambda: cycle(100)),
    rust("calls-clique-30", lambda: clique(30)),
    rust("calls-clique-150", lambda: clique(150)),
    Case("calls-deep-20000", lambda: in_files(20_000, lambda i: f"f{i + 1}{CALL}; Ok(n)" if i < 19_999 else act())),
    rust("calls-deep-and-acting-300", lambda: every_level_acts(300)),
    rust("calls-deep-and-acting-2000", lambda: every_level_acts(2_000)),
    *[rust(f"calls-deep-in-{name}-130", lambda shape=shape: deep_in_deep(130, shape)) for name, shape in DEEP.items()],
    *[rust(f"closures-deep-in-{name}-130", lambda shape=shape: closures_in_deep(130, shape)) for name, shape in DEEP.items()],
    rust("calls-fan-2-20", lambda: fan(2, 20)),
    rust("calls-fan-2-200", lambda: fan(2, 200)),
    rust("calls-fan-4-20", lambda: fan(4, 20)),
    rust("calls-fan-30-30", lambda: fan(30, 30)),
    rust("calls-fan-in-branches-200", lambda: fan_in_branches(200)),
    rust("paths-branches-20", lambda: branches(20)),
    rust("paths-branches-1000", lambda: branches(1_000)),
    rust("paths-nested-40", lambda: nested_branches(40)),
    rust("paths-nested-120", lambda: nested_branches(120)),
    rust("paths-early-returns-10000", lambda: early_returns(10_000)),
    rust("paths-loops-60", lambda: loops(60)),
    rust("pairs-100", lambda: pairs(100)),
    rust("pairs-1500", lambda: pairs(1_500)),
    rust("pairs-one-check-800", lambda: one_check(800)),
    rust("values-tuples-100", lambda: pairing_tuples(100)),
    rust("values-structs-200-3", lambda: structs_through_calls(200, 3)),
    rust("values-structs-30-10", lambda: structs_through_calls(30, 10)),
    rust("values-literals-returned-200", lambda: nested_literals_returned(200)),
    rust("values-loop-growth-20", lambda: loop_growth(20)),
    rust("values-loop-growth-200", lambda: loop_growth(200)),
    rust("values-options-500", lambda: options(500)),
    rust("values-booleans-40", lambda: boolean_helpers(40)),
    rust("values-booleans-400", lambda: boolean_helpers(400)),
    rust("values-swapped-30", lambda: swapped_arguments(30)),
    rust("closures-in-structs-20", lambda: closures_in_structs(20)),
    rust("closures-in-structs-100", lambda: closures_in_structs(100)),
    rust("closures-callbacks-20-4", lambda: callbacks(20, 4)),
    rust("closures-callbacks-200-2", lambda: callbacks(200, 2)),
    rust("closures-of-arguments-20-4", lambda: callbacks_of_arguments(20, 4)),
    rust("calls-handed-texts-20-2", lambda: handed_texts(20, 2)),
    rust("calls-handed-texts-100-3", lambda: handed_texts(100, 3)),
    rust("closures-of-itself", closure_of_itself),
    rust("chain-locks-300", lambda: locks(300)),
    rust("chain-advisory-locks-300", lambda: advisory_locks(300)),
    rust("chain-transactions-300", lambda: transactions(300)),
    rust("chain-requests-300", lambda: requests(300)),
    rust("chain-requests-30-4", lambda: requests(30, 4)),
    rust("chain-handles-100", lambda: handles(100)),
    rust("traits-recursion-20", lambda: trait_recursion(20)),
    rust("traits-recursion-1500", lambda: trait_recursion(1_500)),
    rust("traits-many-dyn-100", lambda: many_dyn(100)),
    rust("traits-generic-recursion", generic_recursion),
    rust("types-that-meet-themselves", types_that_meet_themselves),
    Case("modules-glob-cycle-300", lambda: modules(300)),
    Case("modules-glob-cycle-3000", lambda: modules(3_000)),
]
