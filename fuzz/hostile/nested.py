"""Rust that is deep, long, or grows when it is expanded."""

from case import READ, USE, WRITE, function, rust

AROUND = f"let mut n: i32 = {READ}; if n > 0 {{ {WRITE}; }}\n"


def body(text):
    return function(AROUND + text)


# What opens, what stands in the middle, what closes.
EXPRESSIONS = {
    "parens": ("(", "1", ")"),
    "brackets": ("[", "1", "]"),
    "braces": ("{", "1", "}"),
    "unsafe": ("unsafe {", "1", "}"),
    "async": ("async {", "1", "}"),
    "async-move": ("async move {", "1", "}.await"),
    "if": ("if n > 0 {", "1", "} else { 2 }"),
    "if-condition": ("if ", "true", " { true } else { false }"),
    "else-if": ("if n > 1 { 1 } else ", "{ 2 }", ""),
    "match": ("match n { 1 => ", "1", ", _ => 2 }"),
    "match-subject": ("match ", "n", " { x => x }"),
    "loop": ("loop {", "break", "}"),
    "while": ("while true {", "", "}"),
    "for": ("for x in y {", "", "}"),
    "closure": ("|| ", "1", ""),
    "closure-block": ("move |x| {", "1", "}"),
    "call": ("f(", "1", ")"),
    "method-argument": ("a.b(", "1", ")"),
    "method-chain": ("", "a", ".b()"),
    "field-chain": ("", "a", ".b"),
    "try-chain": ("", "a", "?"),
    "await-chain": ("", "a", ".await"),
    "index-chain": ("", "a", "[0]"),
    "call-chain": ("", "a", "()"),
    "cast-chain": ("", "1", " as u8"),
    "plus": ("1 + ", "1", ""),
    "and": ("true && ", "true", ""),
    "assign": ("n = ", "1", ""),
    "not": ("!", "true", ""),
    "minus": ("-", "1", ""),
    "reference": ("&", "1", ""),
    "deref": ("*", "a", ""),
    "return": ("return ", "1", ""),
    "range": ("", "1", "..1"),
    "struct": ("S { a: ", "1", " }"),
    "tuple": ("(1, ", "1", ")"),
    "some": ("Some(", "1", ")"),
    "macro": ("m!(", "1", ")"),
    "format": ('format!("{}", ', "1", ")"),
    "json": ('json!({"a": ', "1", "})"),
    "turbofish": ("f::<", "u8", ">()"),
    "let-block": ("{ let x = ", "1", "; x }"),
    "fn": ("fn f() {", "", "}"),
    "select": ("tokio::select! { x = a => {", "", "} }"),
}
TYPES = {
    "generic": ("Vec<", "u8", ">"),
    "reference": ("&", "u8", ""),
    "tuple": ("(", "u8", ",)"),
    "array": ("[", "u8", "; 1]"),
    "fn": ("fn(", "u8", ")"),
    "fn-result": ("fn() -> ", "u8", ""),
    "impl": ("impl Fn() -> ", "u8", ""),
    "dyn": ("Box<dyn Fn(", "u8", ")>"),
    "path": ("", "a", "::a"),
    "associated": ("<", "A", " as B>::C"),
}
PATTERNS = {
    "tuple": ("(", "x", ",)"),
    "reference": ("&", "x", ""),
    "struct": ("S { a: ", "x", " }"),
    "some": ("Some(", "x", ")"),
    "or": ("1 | ", "1", ""),
    "slice": ("[", "x", "]"),
    "at": ("a @ ", "x", ""),
}
ITEMS = {
    "mod": ("mod m {", "", "}"),
    "use": ("use a::{", "b", "};"),
    "impl-fn": ("impl S { fn f() {", "", "} }"),
    "trait-fn": ("trait T { fn f() {", "", "} }"),
    "const": ("const C: u8 = {", "1", "};"),
    "attribute": ("#[a(", "b", ")]"),
    "macro-rules": ("macro_rules! m { () => {", "", "} }"),
    "where": ("fn f<T>() where T: Fn(", "u8", ") {}"),
}
DEPTHS = [127, 1_000, 60_000]


def nest(shape, depth):
    opens, middle, closes = shape
    return opens * depth + middle + closes * depth


def cases():
    for depth in DEPTHS:
        for name, shape in EXPRESSIONS.items():
            yield rust(f"expr-{name}-{depth}", lambda s=shape, d=depth: body(f"let x = {nest(s, d)};"))
        for name, shape in TYPES.items():
            yield rust(f"type-{name}-{depth}", lambda s=shape, d=depth: body(f"let x: {nest(s, d)} = y;"))
        for name, shape in PATTERNS.items():
            yield rust(f"pattern-{name}-{depth}", lambda s=shape, d=depth: body(f"match n {{ {nest(s, d)} => 1, _ => 2 }};"))
        for name, shape in ITEMS.items():
            yield rust(f"item-{name}-{depth}", lambda s=shape, d=depth: USE + nest(s, d) + body("").removeprefix(USE))


def bomb(width, depth):
    """Macros that call the next one several times each."""
    rules = "".join(f"macro_rules! m{i} {{ () => {{ {f'm{i + 1}!();' * width} }} }}\n" for i in range(depth))
    return f"{rules}macro_rules! m{depth} {{ () => {{ {WRITE}; }} }}\n" + body("m0!();")


def growing():
    return (
        "macro_rules! m { ($($x:tt)*) => { m!($($x)* $($x)*); $($x)* } }\n"
        "macro_rules! a { ($x:expr) => { b!(($x, $x)) } }\nmacro_rules! b { ($x:expr) => { a!(($x, $x)) } }\n"
        + body(f"m!({WRITE};); a!({WRITE});")
    )


def makers():
    """Macros that make macros that make macros."""
    return "macro_rules! m { ($a:ident $b:ident) => { macro_rules! $a { () => { m!($b $a); $b!() } } } }\n" + body(
        "m!(x y); m!(y x); x!(); y!();"
    )


BIG = 900_000
FLAT = {
    "array": lambda: f"const A: &[u8] = &[{'0,' * (BIG // 2)}];\n" + body(""),
    "string": lambda: f'const A: &str = "{"x" * BIG}";\n' + body(""),
    "number": lambda: f"const A: u8 = {'9' * BIG};\n" + body(""),
    "identifier": lambda: f"const {'A' * BIG}: u8 = 1;\n" + body(""),
    "comment": lambda: f"/*{'/*' * 100_000}{'*/' * 100_000}*/\n" + body(""),
    "doc-comments": lambda: "/// x\n" * 100_000 + "pub fn g() {}\n" + body(""),
    "attributes": lambda: "#[a]\n" * 100_000 + "pub fn g() {}\n" + body(""),
    "one-line": lambda: body("let a = 1;" * 80_000).replace("\n", " "),
    "semicolons": lambda: body(";" * BIG),
    "functions": lambda: body("") + "".join(f"fn f{i}() {{}}\n" for i in range(50_000)),
    "statements": lambda: body("n += 1;\n" * 100_000),
    "uses": lambda: body("") + "use a::b;\n" * 80_000,
    "globs": lambda: body("") + "".join(f"pub mod m{i} {{ pub use super::m{(i * 7 + 1) % 3000}::*; pub use super::*; }}\n" for i in range(3_000)),
    "enum": lambda: body("") + "enum E {" + "".join(f"V{i}," for i in range(100_000)) + "}",
    "match": lambda: body("match n {" + "".join(f"{i} => {i},\n" for i in range(60_000)) + "_ => 0 };"),
    "match-queries": lambda: body("match n {" + "".join(f"{i} => {{ {WRITE}; }}\n" for i in range(6_000)) + "_ => {} };"),
    "struct": lambda: body("") + "struct S {" + "".join(f"a{i}: u8," for i in range(60_000)) + "}",
    "arguments": lambda: body(f"f({'n,' * 200_000});"),
    "parameters": lambda: body("") + f"fn g({''.join(f'a{i}: u8,' for i in range(50_000))}) {{}}",
    "many-parameters": lambda: body("") + f"fn g({'a:A,' * 200_000}b: B) {{ b.c(); }}",
    "generics": lambda: body("") + f"fn g<{''.join(f'T{i}: A<B>,' for i in range(40_000))}>() {{}}",
    "path": lambda: body(f"{'a::' * 250_000}a();"),
    "impls": lambda: body("") + "pub trait T { fn g(&self); }\n" + "".join(f"impl T for S{i} {{ fn g(&self) {{}} }}\n" for i in range(15_000)),
    "allows": lambda: body("// racelint: allow(lost-update) x\n" * 20_000),
    "allow-rules": lambda: body("// racelint: allow(" + "lost-update," * 50_000 + ") x"),
    "raw-string": lambda: f"const A: &str = r{'#' * 255}\"{'#' * BIG}\"{'#' * 255};\n" + body(""),
    "blank-lines": lambda: body("\n" * BIG),
    "labels": lambda: body("'a: loop { break 'a; }\n" * 30_000),
    "lets": lambda: body("".join(f"let a{i} = a{i - 1} + n;\n" for i in range(1, 30_000))),
    "shadows": lambda: body("let n = n + n;\n" * 40_000),
    "tuples-double": lambda: body("let n = (n, n);\n" * 40_000 + "f(n);"),
    "closures": lambda: body("let g = |x| g(x);\n" * 30_000),
    "formats": lambda: body('let s = format!("{s}{s}");\n' * 20_000 + "sqlx::query(&s).execute(pool).await?;"),
    "pushes": lambda: body('s.push_str("x AND y");\n' * 20_000 + "sqlx::query(&s).execute(pool).await?;"),
}

CASES = (
    list(cases())
    + [rust(f"flat-{name}", make) for name, make in FLAT.items()]
    + [rust(f"macro-bomb-{width}-{depth}", lambda w=width, d=depth: bomb(w, d)) for width, depth in [(2, 40), (10, 10), (200, 4)]]
    + [rust("macro-growing", growing), rust("macro-makers", makers)]
)
