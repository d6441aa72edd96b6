//! A second run: the same bytes as without a cache, whatever happened in between to the project or to the cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use racelint::cache::entry;
use racelint::source::stamp::{Digest, Moment};

/// Two races, one of which a comment accepts, and a comment that hides nothing.
const CODE: &str = "use sqlx::PgPool;
pub async fn book(pool: &PgPool, seat: i64, who: i64) -> anyhow::Result<()> {
    let holder: Option<i64> = sqlx::query_scalar(\"SELECT holder FROM seats WHERE id = $1\").bind(seat).fetch_one(pool).await?;
    if holder.is_none() { sqlx::query(\"UPDATE seats SET holder = $2 WHERE id = $1\").bind(seat).bind(who).execute(pool).await?; }
    Ok(())
}
// racelint: allow(check-then-update) one clerk
pub async fn free(pool: &PgPool, seat: i64) -> anyhow::Result<()> {
    let holder: Option<i64> = sqlx::query_scalar(\"SELECT holder FROM seats WHERE id = $1\").bind(seat).fetch_one(pool).await?;
    if holder.is_some() { sqlx::query(\"UPDATE seats SET holder = NULL WHERE id = $1\").bind(seat).execute(pool).await?; }
    Ok(())
}
pub async fn locked(pool: &PgPool, seat: i64) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let left: i64 = sqlx::query_scalar(\"SELECT left_over FROM shows WHERE id = $1 FOR UPDATE\").bind(seat).fetch_one(&mut *tx).await?;
    if left > 0 { sqlx::query(\"UPDATE shows SET left_over = $2 WHERE id = $1\").bind(seat).bind(left - 1).execute(&mut *tx).await?; }
    tx.commit().await?;
    Ok(())
}
// racelint: allow(lost-update) nothing
";

const MANIFEST: &str =
    "[package]\nname = 'shop'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n";

/// A project and, beside it, a directory for the cache.
struct Tree {
    dir: tempfile::TempDir,
}

impl Tree {
    fn new() -> Self {
        let tree = Self { dir: tempfile::tempdir().unwrap() };
        for (path, text) in [
            ("Cargo.toml", MANIFEST),
            ("src/lib.rs", CODE),
            ("src/wrong.rs", "fn ("),
            ("src/gen/made.rs", CODE),
            ("migrations/1.sql", "CREATE TABLE seats (id bigint PRIMARY KEY, holder bigint);"),
        ] {
            tree.write(path, text);
        }
        tree
    }

    fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.project().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_racelint"));
        command.current_dir(self.project()).args(arguments).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn cached(&self, arguments: &[&str]) -> Output {
        self.command(arguments).env("RACELINT_CACHE_DIR", self.cache()).output().unwrap()
    }

    /// The entries, with when their outcomes were found out; `None` for those that are damaged.
    fn entries(&self) -> Vec<(PathBuf, Option<Moment>)> {
        entries(&self.cache())
    }

    /// Runs with the cache, and says whether the run remembered what an earlier one had found out.
    fn remembers(&self, arguments: &[&str]) -> bool {
        let before = self.entries();
        assert_same(&self.cached(arguments), &self.run(arguments), arguments);
        self.entries() == before
    }
}

fn entries(cache: &Path) -> Vec<(PathBuf, Option<Moment>)> {
    let Ok(dir) = fs::read_dir(cache) else { return Vec::new() };
    let paths = dir.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "run")).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), found_out(&fs::read(path).unwrap_or_default()))).collect()
}

fn found_out(bytes: &[u8]) -> Option<Moment> {
    // Mark, format, length and digest stand before the key.
    let key = bytes.get(52..84)?.try_into().unwrap();
    Some(entry::decode(bytes, Digest(key)).ok()?.0.found_out)
}

fn assert_same(one: &Output, other: &Output, what: &[&str]) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&one.stdout), text(&other.stdout), "{what:?}");
    assert_eq!(text(&one.stderr), text(&other.stderr), "{what:?}");
    assert_eq!(one.status.code(), other.status.code(), "{what:?}");
}

const CHECK: &[&str] = &["check", "--quiet"];

#[test]
fn every_format_is_the_same() {
    let tree = Tree::new();
    assert!(!tree.remembers(CHECK));
    for format in ["text", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit", "markdown"] {
        assert!(tree.remembers(&["check", "--quiet", "--format", format]), "{format}");
    }
}

#[test]
fn every_fixture_is_remembered_as_it_was_found() {
    let cache = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_racelint"));
        command.current_dir(root).args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
    };
    let apps = fs::read_dir(root.join("fixtures/apps")).unwrap().map(|app| app.unwrap().path());
    let trees: Vec<PathBuf> = apps.chain([root.join("fixtures/scenarios")]).filter(|path| path.is_dir()).collect();
    assert!(trees.len() > 2);
    for tree in trees {
        for format in ["text", "json", "sarif"] {
            let tree = tree.to_str().unwrap();
            let all = ["check", tree, "--quiet", "--explain-safe", "--min-confidence", "low", "--format", format];
            let expected = run(&[&all[..], &["--no-cache"]].concat());
            for _ in 0..2 {
                let cached = run(&[&all[..], &["--cache-dir", cache.path().to_str().unwrap()]].concat());
                assert_same(&cached, &expected, &all);
            }
        }
    }
}

#[test]
fn whatever_is_shown_comes_from_one_entry() {
    let tree = Tree::new();
    assert!(tree.run(&["baseline", "--select", "lost-update", "-o", "none.json"]).status.success());
    assert!(tree.run(&["baseline", "-o", "all.json"]).status.success());
    assert!(!tree.remembers(CHECK));
    for arguments in [
        &["check", "--format", "concise"][..],
        &["check", "--verbose"],
        &["check", "--explain-safe"],
        &["check", "--explain-safe", "--format", "json", "--quiet"],
        &["check", "--format", "concise", "--statistics"],
        &["check", "--format", "concise", "--min-confidence", "low"],
        &["check", "--format", "concise", "--min-confidence", "high"],
        &["check", "--format", "concise", "--select", "lost-update"],
        &["check", "--format", "concise", "--ignore", "check-then-update"],
        &["check", "--format", "concise", "--baseline", "all.json"],
        &["check", "--format", "concise", "--baseline", "none.json"],
        &["check", "--format", "concise", "--strict"],
        &["check", "--format", "concise", "-j", "1"],
    ] {
        assert!(tree.remembers(arguments), "{arguments:?}");
    }
    tree.write(
        "racelint.toml",
        "[rules]\ncheck-then-update = 'note'\n[[allow]]\npath = 'src/gen/**'\nreason = 'made'\n",
    );
    assert!(tree.remembers(&["check", "--format", "concise"]));
    assert_eq!(tree.entries().len(), 1);
    let output = tree.cached(&["baseline", "-o", "again.json"]);
    assert!(output.status.success() && tree.entries().len() == 1);
}

#[test]
fn what_is_asked_for_otherwise_has_an_entry_of_its_own() {
    let tree = Tree::new();
    for (index, arguments) in [
        &["check", "--quiet"][..],
        &["check", "--quiet", "src"],
        &["check", "--quiet", "src/lib.rs"],
        &["check", "--quiet", "--dialect", "mysql"],
        &["check", "--quiet", "--isolation", "serializable"],
        &["check", "--quiet", "--max-file-size", "200"],
    ]
    .iter()
    .enumerate()
    {
        assert!(!tree.remembers(arguments), "{arguments:?}");
        assert_eq!(tree.entries().len(), index + 1);
        assert!(tree.remembers(arguments), "{arguments:?}");
    }
    // The nearest boundary says how far up files are looked for.
    fs::create_dir(tree.dir.path().join(".git")).unwrap();
    assert!(!tree.remembers(CHECK));
}

/// What happens to a project, and whether its outcome is remembered all the same.
type Change<'a> = (&'a str, &'a dyn Fn(&Tree), bool);

#[test]
fn changes_are_noticed() {
    let racy = CODE.replace("fn book", "fn reserve");
    let old = SystemTime::now() - Duration::from_secs(3600);
    let changes: [Change<'_>; 12] = [
        ("a file is touched", &|tree| touch(&tree.project().join("src/lib.rs"), old), true),
        ("a file is written again", &|tree| tree.write("src/lib.rs", CODE), true),
        ("something else is added", &|tree| tree.write("notes.txt", "x"), true),
        ("a file changes", &|tree| tree.write("src/lib.rs", &racy), false),
        (
            "a file changes and keeps its time and length",
            &|tree| {
                let path = tree.project().join("src/lib.rs");
                let time = fs::metadata(&path).unwrap().modified().unwrap();
                tree.write("src/lib.rs", &CODE.replace("fn book", "fn bOOk"));
                touch(&path, time);
            },
            false,
        ),
        ("a file comes", &|tree| tree.write("src/more.rs", &racy), false),
        ("a file goes", &|tree| fs::remove_file(tree.project().join("src/gen/made.rs")).unwrap(), false),
        ("a migration changes", &|tree| tree.write("migrations/1.sql", "CREATE TABLE x (id int);"), false),
        ("the configuration changes", &|tree| tree.write("racelint.toml", "dialect = 'mysql'"), false),
        ("a file is ignored", &|tree| tree.write("src/.gitignore", "gen"), false),
        ("the engine changes", &|tree| tree.write(".env", "DATABASE_URL=mysql://localhost/x"), false),
        ("the manifest changes", &|tree| tree.write("Cargo.toml", &MANIFEST.replace("postgres", "mysql")), false),
    ];
    for (what, change, same) in changes {
        let tree = Tree::new();
        assert!(!tree.remembers(CHECK) && tree.remembers(CHECK));
        change(&tree);
        assert_eq!(tree.remembers(CHECK), same, "{what}");
        assert!(tree.remembers(CHECK), "{what}");
    }
}

fn touch(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn damaged_and_foreign_entries_are_as_good_as_none() {
    let tree = Tree::new();
    tree.cached(&["check", "--quiet", "src"]);
    let other = fs::read(&tree.entries()[0].0).unwrap();
    fs::remove_dir_all(tree.cache()).unwrap();
    tree.cached(CHECK);
    let path = &tree.entries()[0].0;
    let good = fs::read(path).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    for bytes in [
        Vec::new(),
        b"racelint".to_vec(),
        vec![0; 100_000],
        good[..good.len() / 2].to_vec(),
        [&good[..], b"more"].concat(),
        flipped(9),
        flipped(15),
        flipped(60),
        flipped(good.len() - 1),
        other.clone(),
        "not ours\n".repeat(1000).into_bytes(),
    ] {
        fs::write(path, &bytes).unwrap();
        assert!(!tree.remembers(CHECK));
        assert!(tree.remembers(CHECK));
    }
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
    assert_same(&tree.cached(CHECK), &tree.run(CHECK), &["a directory"]);
    fs::remove_dir_all(tree.cache()).unwrap();
    assert!(!tree.remembers(CHECK) && tree.remembers(CHECK));
}

#[test]
fn runs_at_once_leave_a_whole_entry() {
    let tree = Tree::new();
    let expected = tree.run(CHECK);
    for _ in 0..3 {
        let start = |_| {
            let mut command = tree.command(CHECK);
            command.env("RACELINT_CACHE_DIR", tree.cache()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let running: Vec<_> = (0..6).map(start).collect();
        for child in running {
            assert_same(&child.wait_with_output().unwrap(), &expected, &["at once"]);
        }
        assert!(tree.remembers(CHECK));
        let names = fs::read_dir(tree.cache()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.count(), 2, "the entry and the tag");
        tree.write("src/lib.rs", &CODE.replace("seat", "chair"));
        fs::remove_dir_all(tree.cache()).unwrap();
        tree.write("src/lib.rs", CODE);
    }
}

#[test]
fn a_cache_that_cannot_be_is_no_error() {
    let tree = Tree::new();
    let file = tree.dir.path().join("file");
    fs::write(&file, "").unwrap();
    for dir in [file.clone(), file.join("below"), PathBuf::from("/dev/null/x"), PathBuf::new()] {
        let output = tree.command(CHECK).arg("--cache-dir").arg(&dir).output().unwrap();
        if output.status.code() == Some(2) {
            assert!(dir.as_os_str().is_empty(), "{output:?}");
            continue;
        }
        assert_same(&output, &tree.run(CHECK), &["no cache"]);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let dir = tree.dir.path().join("read-only");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o500)).unwrap();
        let output = tree.command(CHECK).arg("--cache-dir").arg(&dir).output().unwrap();
        assert_same(&output, &tree.run(CHECK), &["read only"]);
    }
}

#[cfg(unix)]
#[test]
fn the_checkout_is_written_to_only_when_that_is_asked() {
    let tree = Tree::new();
    let inside = tree.project().join(".cache");
    let all = || {
        let mut names: Vec<_> = fs::read_dir(tree.project()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = all();
    for (name, value) in [("XDG_CACHE_HOME", inside.clone()), ("HOME", tree.project())] {
        let output = tree.command(CHECK).env(name, value).output().unwrap();
        assert_same(&output, &tree.run(CHECK), &[name]);
        assert_eq!(all(), before);
    }
    // Neither can the project ask for it.
    tree.write("racelint.toml", "cache_dir = '.cache'");
    assert_eq!(tree.run(CHECK).status.code(), Some(2));
    fs::remove_file(tree.project().join("racelint.toml")).unwrap();
    for name in [".cache", "cache"] {
        let arguments = ["check", "--quiet", "--cache-dir", name];
        let dir = tree.project().join(name);
        let first = tree.run(&arguments);
        assert_same(&first, &tree.run(CHECK), &arguments);
        let entry = entries(&dir);
        assert_eq!(entry.len(), 1);
        assert_same(&tree.run(&arguments), &first, &arguments);
        assert_eq!(entries(&dir), entry);
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn the_users_cache_directory_is_the_default() {
    let tree = Tree::new();
    let entries = || fs::read_dir(tree.cache().join("racelint")).map_or(0, Iterator::count);
    for arguments in [&["check", "--quiet", "--no-cache"][..], &["why", "src/lib.rs:4"], &["rules"]] {
        tree.command(arguments).env("XDG_CACHE_HOME", tree.cache()).output().unwrap();
        assert_eq!(entries(), 0);
    }
    let no = [("XDG_CACHE_HOME", tree.cache()), ("RACELINT_NO_CACHE", PathBuf::from("1"))];
    tree.command(CHECK).envs(no).output().unwrap();
    assert_eq!(entries(), 0);
    let output = tree.command(CHECK).env("XDG_CACHE_HOME", tree.cache()).output().unwrap();
    assert_same(&output, &tree.run(CHECK), CHECK);
    assert_eq!(entries(), 2);
}

#[test]
fn a_text_from_an_editor_is_not_remembered() {
    use std::io::Write;
    let tree = Tree::new();
    let arguments = ["check", "--quiet", "--stdin-filename", "src/lib.rs"];
    let mut child = tree
        .command(&arguments)
        .env("RACELINT_CACHE_DIR", tree.cache())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(CODE.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    assert_eq!(tree.entries(), []);
}

#[test]
fn what_changed_since_a_commit_is_told_from_memory_as_well() {
    let tree = Tree::new();
    let repository = git2::Repository::init(tree.project()).unwrap();
    let mut index = repository.index().unwrap();
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
    let files = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = git2::Signature::new("a", "a@example.org", &git2::Time::new(0, 0)).unwrap();
    repository.commit(Some("HEAD"), &who, &who, "first", &files, &[]).unwrap();
    tree.write("src/lib.rs", &CODE.replace("holder.is_none()", "holder == None"));
    let since = ["check", "--format", "concise", "--since", "HEAD"];
    assert!(!tree.remembers(&since));
    assert_eq!(tree.entries().len(), 2, "the files, and those of the commit");
    assert!(tree.remembers(&since));
    assert!(tree.remembers(CHECK));
    assert!(String::from_utf8(tree.cached(&since).stdout).unwrap().contains("src/lib.rs:4:"));
    // What changes now leaves the commit as it is.
    tree.write("src/lib.rs", &CODE.replace("holder.is_none()", "None == holder"));
    let before = tree.entries();
    assert!(!tree.remembers(&since));
    let after = tree.entries();
    assert_eq!((after.len(), after.iter().filter(|entry| before.contains(entry)).count()), (2, 1));
}
