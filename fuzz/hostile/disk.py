"""Trees whose names, links or files are not what they seem, and settings that ask for too much."""

import os
import socket

from case import Case
from text import COMMANDS, RACE

OUTSIDE = "SECRET-OUTSIDE"


def under(path):
    """Something hostile at one path below the root."""

    def wrap(make):
        def on_disk(root):
            place = os.path.join(root, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            make(place)

        return on_disk

    return wrap


def fifo(path):
    return under(path)(lambda place: (os.path.exists(place) and os.unlink(place), os.mkfifo(place)))


def link(path, target):
    return under(path)(lambda place: (os.path.lexists(place) and os.unlink(place), os.symlink(target, place)))


def directory(path):
    return under(path)(lambda place: os.makedirs(place, exist_ok=True))


def listening(path):
    def make(place):
        here = os.getcwd()
        os.chdir(os.path.dirname(place))
        socket.socket(socket.AF_UNIX).bind(os.path.basename(place))
        os.chdir(here)

    return under(path)(make)


def deep(root):
    place = os.path.join(root, "src")
    for _ in range(400):
        place = os.path.join(place, "deeper")
    here = os.getcwd()
    os.chdir(os.path.join(root, "src"))
    for _ in range(400):
        os.makedirs("deeper", exist_ok=True)
        os.chdir("deeper")
    with open("x.rs", "w") as file:
        file.write(RACE)
    os.chdir(here)


def loops(root):
    for i in range(200):
        os.makedirs(os.path.join(root, f"src/d{i}"))
        os.symlink("..", os.path.join(root, f"src/d{i}/up"))
        os.symlink(f"../d{(i + 1) % 200}", os.path.join(root, f"src/d{i}/next"))
        os.symlink(f"l{(i + 1) % 200}.rs", os.path.join(root, f"src/l{i}.rs"))


def with_files(name, files, left_out=(), disk=None):
    return Case(f"disk-{name}", lambda: {"src/x.rs": RACE, **files()}, list(left_out), disk)


NAMES = ["a\nb.rs", "::error::x.rs", "%0A::error::x.rs", "a%20b.rs", "\x1b[31m.rs", "\u202ers.x.rs", "'\"`.rs", "a b.rs", "#.rs", "?.rs", "a:1:2.rs", "-rf.rs", "|x|.rs", "<b>.rs", "]]>.rs", "\\.rs", "漢字.rs", "e\u0301.rs", "##[error].rs", "$(x).rs", "*.rs", "..rs", "{a,b}.rs", "\udcff\udcfe.rs", "\udce9.rs", "x" * 252 + ".rs", " .rs", "CON.rs", "\u2028.rs", "\x7f.rs"]


def names():
    return {f"src/{name}": RACE for name in NAMES} | {f"src/d{name}/x.rs": RACE for name in NAMES if len(name) < 250}


def unreadable_names():
    return {f"src/{name}": b"\xff" for name in NAMES}


def config(name, make):
    return with_files(f"config-{name}", lambda: {"racelint.toml": make()})


STARS = "::".join(["*"] * 60)
SETTINGS = {
    "stars": lambda: f'entry_points = ["{"**::" * 200}x", "{STARS}", "{"*a" * 300}"]\n',
    "effects": lambda: f'[effects]\nfunctions = ["{"**::" * 200}x", "{"*a*" * 200}b"]\n',
    "globs": lambda: 'exclude = ["' + "{a,b}" * 100 + 'never"]\n',
    "globs-stars": lambda: 'exclude = ["' + "**/*" * 200 + 'never"]\n',
    "glob-classes": lambda: 'exclude = ["' + "[a-z]" * 200 + '"]\n',
}
BAD_SETTINGS = {
    "deep": lambda: "a = " + "[" * 100_000,
    "deep-tables": lambda: "[" + "a." * 100_000 + "a]",
    "deep-inline": lambda: "a = " + "{a=" * 50_000,
    "keys": lambda: "".join(f"k{i} = 1\n" for i in range(50_000)),
    "words": lambda: "".join(f'"{word.encode().hex()}" = 1\n' for word in COMMANDS) + "\x1b[31m::error::",
    "binary": lambda: bytes(range(256)) * 100,
    "large": lambda: "#" * (2 << 20),
}


def bad_config(name, make):
    """A configuration that cannot be read ends the run with 2, and that is right; it must do no more."""
    return Case(f"refused-config-{name}", lambda: {"src/x.rs": RACE, "racelint.toml": make()})


def manifest(name, text, left_out=()):
    return with_files(f"manifest-{name}", lambda: {"a/Cargo.toml": text() if callable(text) else text, "a/src/lib.rs": ""}, left_out)


CASES = [
    with_files("names", names),
    with_files("names-unreadable", unreadable_names),
    with_files("loops", dict, disk=loops),
    with_files("deep", dict, disk=deep),
    with_files("many", lambda: {f"src/m{i % 50}/f{i}.rs": "pub fn f() {}\n" for i in range(5_000)}),
    with_files("fifo", dict, ["src/pipe.rs"], fifo("src/pipe.rs")),
    with_files("fifo-sql", dict, ["migrations/1.sql"], fifo("migrations/1.sql")),
    with_files("fifo-manifest", dict, ["a/Cargo.toml"], fifo("a/Cargo.toml")),
    with_files("fifo-gitignore", dict, [], fifo(".gitignore")),
    with_files("fifo-env", dict, [], fifo(".env")),
    with_files("fifo-diesel", dict, [], fifo("diesel.toml")),
    with_files("fifo-sqlx", dict, [], fifo("sqlx.toml")),
    with_files("fifo-git", dict, [], fifo(".git/info/exclude")),
    with_files("socket", dict, ["src/socket.rs"], listening("src/socket.rs")),
    with_files("directory-named-file", dict, [], directory("src/dir.rs/inner.rs")),
    with_files("directory-manifest", dict, [], directory("a/Cargo.toml")),
    with_files("directory-gitignore", dict, [], directory(".gitignore")),
    with_files("directory-env", dict, [], directory(".env")),
    with_files("link-out", dict, ["src/out.rs"], link("src/out.rs", "/etc/passwd")),
    with_files("link-out-dir", dict, ["src/etc"], link("src/etc", "/etc")),
    with_files("link-zero", dict, ["src/zero.rs"], link("src/zero.rs", "/dev/zero")),
    with_files("link-proc", dict, ["src/proc"], link("src/proc", "/proc")),
    with_files("link-self", dict, ["src/self.rs"], link("src/self.rs", "self.rs")),
    with_files("link-manifest", dict, ["a/Cargo.toml"], link("a/Cargo.toml", "/dev/zero")),
    with_files("link-env", dict, [], link(".env", "/dev/zero")),
    with_files("link-gitignore", dict, [], link(".gitignore", "/dev/zero")),
    with_files("large-gitignore", lambda: {".gitignore": "".join(f"/never{i}/**/*.x{i}\n" for i in range(40_000))}),
    with_files("gitignore-globs", lambda: {".gitignore": ("**/" * 400 + "never\n") * 200 + "[" * 900 + "\n" + "{a,b}" * 90 + "\n"}),
    with_files("large-env", lambda: {".env": "A=B\n" * 500_000}),
    with_files("env-secret", lambda: {".env": "DATABASE_URL=postgres://user:SECRET-OUTSIDE@db/x?password=SECRET-OUTSIDE\n"}),
    with_files("path-out", lambda: {"src/lib.rs": 'pub mod honest; #[path = "../../../../../../etc/passwd"] mod x; #[path = "/dev/zero"] mod z;\n'}),
    with_files("path-cycle", lambda: {"src/lib.rs": 'pub mod honest; #[path = "lib.rs"] mod a; #[path = "b.rs"] mod b;\n', "src/b.rs": '#[path = "lib.rs"] mod a; #[path = "b.rs"] mod b; mod c;'}),
    with_files("include-out", lambda: {"src/y.rs": RACE.replace('("SELECT used FROM t WHERE id = $1")', '(include_str!("/dev/zero"))').replace('("UPDATE t SET used = $1 WHERE id = $2")', '(include_str!("../../../../../../etc/passwd"))')}),
    with_files("query-file-out", lambda: {"src/y.rs": RACE.replace('sqlx::query("UPDATE t SET used = $1 WHERE id = $2")', 'sqlx::query_file!("/dev/zero")')}),
    Case("refused-config-schema-out", lambda: {"src/x.rs": RACE, "racelint.toml": 'schema = ["/dev/zero", "../../../etc/passwd", "src/x.rs"]\n'}),
    with_files("schema-link", lambda: {"racelint.toml": 'schema = ["db/schema.sql"]\n'}, disk=link("db/schema.sql", "/dev/zero")),
    manifest("deep", lambda: "[package]\nname = 'a'\n[package.metadata]\na = " + "[" * 100_000, ["a/Cargo.toml"]),
    manifest("large", lambda: "#" * (5 << 20), ["a/Cargo.toml"]),
    manifest("members", "[workspace]\nmembers = ['../../../../**', '/dev/*', '**/**/**/**']\n[package]\nname = 'a'\n"),
    manifest("paths", "[package]\nname = 'a'\n[lib]\npath = '/dev/zero'\n[[bin]]\nname = 'b'\npath = '../../../../etc/passwd'\n[dependencies]\nc = { path = '../../../..' }\n"),
    manifest("name", "[package]\nname = '::error::\\u001b[31m'\n"),
    manifest("itself", "[package]\nname = 'a'\nversion.workspace = true\n[workspace.dependencies]\nsqlx.workspace = true\n[dependencies]\nsqlx.workspace = true\na = { path = '.' }\n"),
    manifest("dependencies", lambda: "[package]\nname = 'a'\n[dependencies]\n" + "".join(f"d{i} = '1'\n" for i in range(50_000))),
    *[config(name, make) for name, make in SETTINGS.items()],
    *[bad_config(name, make) for name, make in BAD_SETTINGS.items()],
    Case("refused-config-fifo", lambda: {"src/x.rs": RACE}, disk=fifo("racelint.toml")),
    Case("refused-config-link", lambda: {"src/x.rs": RACE}, disk=link("racelint.toml", "/dev/zero")),
    Case("refused-config-directory", lambda: {"src/x.rs": RACE}, disk=directory("racelint.toml")),
]
