//! The command line as users and CI meet it: the binary on small trees, with a race in a good file beside each bad one.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// One race, whose write stands in line 4.
const RACE: &str = "use sqlx::PgPool;
pub async fn book(pool: &PgPool, seat: i64, who: i64) -> anyhow::Result<()> {
    let holder: Option<i64> = sqlx::query_scalar(\"SELECT holder FROM seats WHERE id = $1\").bind(seat).fetch_one(pool).await?;
    if holder.is_none() { sqlx::query(\"UPDATE seats SET holder = $2 WHERE id = $1\").bind(seat).bind(who).execute(pool).await?; }
    Ok(())
}
";

const MANIFEST: &str =
    "[package]\nname = 'shop'\n[dependencies]\nsqlx = { version = '0.8', features = ['postgres'] }\n";

/// A package with a race in `src/lib.rs`.
fn package() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(dir.path().join("src/lib.rs"), RACE).unwrap();
    dir
}

/// The same with one more file.
fn with(path: &str, bytes: impl AsRef<[u8]>) -> tempfile::TempDir {
    let dir = package();
    fs::write(dir.path().join(path), bytes).unwrap();
    dir
}

/// Without variables, and so without a cache: nothing says where the user's directories are.
fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_racelint"));
    command.current_dir(dir).args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    command(dir, arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs a check that must still find the race, and gives what it prints.
fn finds(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, &[&["check", "--format", "concise"], arguments].concat());
    let text = out(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", err(&output));
    assert!(text.contains("src/lib.rs:4:") && text.contains("[check-then-update]"), "{text}");
    text
}

#[test]
fn exit_statuses_are_those_of_the_help() {
    let dir = package();
    let status = |arguments: &[&str]| run(dir.path(), arguments).status.code();
    fs::write(dir.path().join("safe.rs"), "fn f() {}").unwrap();
    assert_eq!(status(&["check", "safe.rs"]), Some(0));
    assert_eq!(status(&["safe.rs"]), Some(0));
    assert_eq!(status(&[]), Some(1));
    assert_eq!(status(&["check", "--exit-zero"]), Some(0));
    assert_eq!(status(&["check", "--ignore", "check-then-update"]), Some(0));
    assert_eq!(status(&["--help"]), Some(0));
    for wrong in
        [&["check", "none"][..], &["check", "--no-such-flag"], &["explain", "none"], &["check", "--select", "x"]]
    {
        assert_eq!(status(wrong), Some(2), "{wrong:?}");
    }
    let said = err(&run(dir.path(), &["check", "none"]));
    assert_eq!(said, "racelint: error: none: no such file or directory\n");
    let said = err(&run(dir.path(), &["explain", "lost-updat"]));
    assert!(said.contains("did you mean `lost-update`?"), "{said}");
}

#[test]
fn a_bad_file_costs_itself_alone() {
    let nested = format!("fn f() {{ {}1{} }}", "(".repeat(100_000), ")".repeat(100_000));
    let long = format!("fn f() -> u64 {{ {}1 }}", "1 + ".repeat(50_000));
    for (name, bytes, told) in [
        ("not-utf8.rs", b"fn f() { \xff }".to_vec(), "notice[not-utf8]"),
        ("brace.rs", b"fn f() { if true {".to_vec(), "notice[syntax]"),
        ("nested.rs", nested.into_bytes(), "notice[limit]"),
        ("long.rs", long.into_bytes(), "notice[limit]"),
    ] {
        let dir = with(&format!("src/{name}"), bytes);
        let text = finds(dir.path(), &[]);
        assert!(text.contains(&format!("src/{name}")) && text.contains(told), "{text}");
        assert!(text.contains("1 skipped"), "{text}");
        assert_eq!(run(dir.path(), &["check", "--strict"]).status.code(), Some(2));
    }
    assert!(finds(with("src/empty.rs", "").path(), &[]).contains("0 skipped"));
}

#[test]
fn files_are_read_up_to_the_limit() {
    let dir = package();
    let sized = |bytes: usize| fs::write(dir.path().join("src/big.rs"), "/".repeat(bytes)).unwrap();
    sized(1023);
    assert!(finds(dir.path(), &["--max-file-size", "1K"]).contains("0 skipped"));
    sized(1025);
    let text = finds(dir.path(), &["--max-file-size", "1K"]);
    assert!(text.contains("notice[limit]") && text.contains("1025 bytes"), "{text}");
    sized(1_500_000);
    assert!(finds(dir.path(), &["--max-file-size", "2M"]).contains("0 skipped"));
    assert!(finds(dir.path(), &[]).contains("1 skipped"));
}

#[test]
fn overlapping_arguments_report_once() {
    let dir = package();
    let text = finds(dir.path(), &[".", "src", "src/lib.rs", "./src/../src"]);
    assert_eq!(text.matches("[check-then-update]").count(), 1, "{text}");
}

#[cfg(unix)]
#[test]
fn links_pipes_and_directories_are_not_read() {
    use std::os::unix::fs::symlink;
    let outside = with("outside.rs", RACE);
    let dir = package();
    fs::create_dir(dir.path().join("src/x.rs")).unwrap();
    symlink(".", dir.path().join("src/again")).unwrap();
    symlink(outside.path().join("outside.rs"), dir.path().join("src/out.rs")).unwrap();
    let pipe = Command::new("mkfifo").arg(dir.path().join("src/pipe.rs")).status();
    let text = finds(dir.path(), &[]);
    assert_eq!(text.matches("[check-then-update]").count(), 1, "{text}");
    assert!(text.contains("src/out.rs: notice[outside-root]"), "{text}");
    if pipe.is_ok_and(|status| status.success()) {
        assert!(text.contains("src/pipe.rs: notice[unreadable]"), "{text}");
        let given = run(dir.path(), &["check", "src/pipe.rs"]);
        assert_eq!(given.status.code(), Some(2), "{}", err(&given));
    } else {
        eprintln!("no mkfifo here: the pipe is not tried");
    }
}

#[cfg(unix)]
#[test]
fn unreadable_files_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = with("src/secret.rs", RACE);
    let secret = dir.path().join("src/secret.rs");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&secret).is_ok() {
        eprintln!("skipped: this user reads every file");
        return;
    }
    assert!(finds(dir.path(), &[]).contains("src/secret.rs: notice[unreadable]"));
}

#[test]
fn configuration_errors_name_the_place_and_the_likely_word() {
    for (config, told) in [
        ("dialct = 'postgres'", "did you mean `dialect`?"),
        ("dialect = 'postgre'", "did you mean `postgres`?"),
        ("dialect = ", "racelint.toml"),
    ] {
        let output = run(with("racelint.toml", config).path(), &["check"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains(told) && err(&output).contains("racelint.toml:1"), "{}", err(&output));
    }
}

#[test]
fn comments_hide_findings_and_idle_ones_are_told() {
    let allow = |comment: &str, line: usize| {
        let mut lines: Vec<&str> = RACE.lines().collect();
        lines.insert(line - 1, comment);
        with("src/lib.rs", lines.join("\n"))
    };
    // Above the function, the read, and the write.
    for line in [2, 3, 4] {
        let dir = allow("// racelint: allow(check-then-update) one clerk books", line);
        let output = run(dir.path(), &["check", "--format", "concise"]);
        assert_eq!(output.status.code(), Some(0), "line {line}: {}", out(&output));
        assert!(out(&output).contains("1 suppressed") && !out(&output).contains("notice"), "{}", out(&output));
    }
    for (comment, told) in [
        ("// racelint: allow(check-then-update)", "gives no reason"),
        ("// racelint: allow(lost-update) other", "this allow comment hides nothing"),
        ("// racelint: allow(check-then-updat) typo", "did you mean `check-then-update`?"),
    ] {
        let output = run(allow(comment, 4).path(), &["check", "--format", "concise"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(out(&output).contains("src/lib.rs:4:1: notice[suppression]"), "{}", out(&output));
        assert!(out(&output).contains(told), "{}", out(&output));
    }
}

#[cfg(unix)]
#[test]
fn what_the_project_says_never_reaches_the_output_raw() {
    let evil = "\\u{1b}[31m\\n::error::x##[group]\u{202e}\u{1b}[2J";
    let code = RACE.replace("SELECT holder FROM seats", &format!("SELECT holder /* {evil} */ FROM seats"));
    let dir = with("src/lib.rs", &code);
    fs::write(dir.path().join("src/\u{1b}[2J\n::error::x.rs"), &code).unwrap();
    fs::write(dir.path().join("src/\u{1b}\n::warning::.rs"), "fn (").unwrap();
    for format in ["text", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit", "markdown"] {
        let output = run(dir.path(), &["check", "--format", format]);
        for text in [out(&output), err(&output)] {
            let raw = text.chars().find(|c| (c.is_control() && !"\n\t".contains(*c)) || *c == '\u{202e}');
            assert_eq!(raw, None, "{format}: {text}");
            assert!(!text.contains("##["), "{format}: {text}");
            let commands = text.lines().filter(|line| line.trim_start().starts_with("::"));
            let foreign =
                commands.filter(|line| format != "github" || line.contains("x.rs::") || line.starts_with("::error::"));
            assert_eq!(foreign.count(), 0, "{format}: {text}");
        }
    }
}

#[test]
fn colours_follow_flag_and_variables() {
    let dir = package();
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = command(dir.path(), arguments).envs(variables.iter().copied()).output().unwrap();
        out(&output).contains('\u{1b}')
    };
    assert!(!coloured(&["check"], &[]));
    assert!(coloured(&["check", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&["check"], &[("FORCE_COLOR", "1")]));
    assert!(!coloured(&["check"], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["check", "--color", "never"], &[("FORCE_COLOR", "1")]));
}

#[test]
fn several_formats_go_to_their_places() {
    let dir = package();
    let text = finds(dir.path(), &["--format", "sarif=race.sarif"]);
    assert!(!text.contains("$schema"), "{text}");
    let sarif: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("race.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "check-then-update");
}

#[test]
fn the_same_bytes_come_out_for_any_threads_and_checkout() {
    let (one, two) = (package(), package());
    for number in 0..8 {
        for dir in [&one, &two] {
            fs::write(dir.path().join(format!("src/m{number}.rs")), RACE).unwrap();
        }
    }
    for format in ["text", "json", "sarif", "markdown"] {
        let runs = [(&one, "1"), (&one, "8"), (&two, "8")]
            .map(|(dir, threads)| run(dir.path(), &["check", "-j", threads, "--format", format]).stdout);
        assert!(!runs[0].is_empty());
        assert!(runs[0] == runs[1] && runs[1] == runs[2], "{format}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = package();
    let mut child = command(dir.path(), &["check", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(!err(&output).contains("panic") && !err(&output).contains("error"), "{}", err(&output));
}

#[test]
fn what_is_safe_names_its_protection() {
    let guarded = RACE.replace(
        "WHERE id = $1\").bind(seat).fetch_one(pool)",
        "WHERE id = $1 FOR UPDATE\").bind(seat).fetch_one(&mut *tx)",
    );
    let guarded = guarded.replace("execute(pool)", "execute(&mut *tx)").replace("Ok(())", "tx.commit().await?; Ok(())");
    let guarded = guarded.replace("    let holder", "    let mut tx = pool.begin().await?;\n    let holder");
    let dir = with("src/lib.rs", guarded);
    let output = run(dir.path(), &["check", "--explain-safe"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("safe: the read locks its rows with FOR UPDATE"), "{}", out(&output));
    let json = out(&run(dir.path(), &["check", "--explain-safe", "--format", "json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["safe"][0]["write"]["line"], 5);
    let why = out(&run(dir.path(), &["why", "src/lib.rs:5"]));
    assert!(why.contains("write after the read at src/lib.rs:4:") && why.contains(": safe\n"), "{why}");
}

#[test]
fn why_says_how_a_line_was_judged() {
    let dir = package();
    let why = |place: &str| out(&run(dir.path(), &["why", place]));
    assert!(why("src/lib.rs:4").contains("check-then-update"), "{}", why("src/lib.rs:4"));
    assert!(why("src/lib.rs:3").contains("read for the write at src/lib.rs:4:"), "{}", why("src/lib.rs:3"));
    let called =
        RACE.to_owned() + "pub async fn twice(pool: &PgPool) -> anyhow::Result<()> {\n    book(pool, 1, 2).await\n}\n";
    fs::write(dir.path().join("src/lib.rs"), called).unwrap();
    assert!(why("src/lib.rs:8").contains("src/lib.rs:4:"), "{}", why("src/lib.rs:8"));
    assert!(why("src/lib.rs:5").contains("no statement"), "{}", why("src/lib.rs:5"));
    assert!(why("src/lib.rs:1").contains("no function"), "{}", why("src/lib.rs:1"));
    assert!(why("src/lib.rs:99").contains("no such line"), "{}", why("src/lib.rs:99"));
    for wrong in ["src/lib.rs", "src/none.rs:1", "src/lib.rs:0"] {
        assert_eq!(run(dir.path(), &["why", wrong]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn dump_is_text_or_json() {
    let dir = package();
    let text = out(&run(dir.path(), &["dump", "src/lib.rs"]));
    assert!(text.starts_with("crate::book\n") || text.starts_with("shop::book\n"), "{text}");
    let json = out(&run(dir.path(), &["dump", "--format", "json", "src/lib.rs"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["path"], "src/lib.rs");
}

#[test]
fn cargo_finds_it_and_the_manual_is_made() {
    let dir = package();
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-racelint"));
        command.current_dir(dir.path()).args(arguments).env("RACELINT_NO_CACHE", "1").output().unwrap()
    };
    assert_eq!(cargo(&["racelint"]).status.code(), Some(1));
    assert_eq!(cargo(&["racelint", "rules"]).stdout, run(dir.path(), &["rules"]).stdout);
    assert!(out(&run(dir.path(), &["man"])).contains(".TH racelint 1"));
}

#[test]
fn statistics_count_the_calls_that_lead_to_a_statement() {
    let calls = "use crate::book;
pub trait Seats { async fn free(&self, seat: i64) -> bool; }
pub struct A(sqlx::PgPool);
pub struct B(sqlx::PgPool);
impl Seats for A {
    async fn free(&self, seat: i64) -> bool {
        sqlx::query(\"SELECT 1 FROM seats WHERE id = $1\").bind(seat).fetch_optional(&self.0).await.is_ok()
    }
}
impl Seats for B {
    async fn free(&self, seat: i64) -> bool {
        sqlx::query(\"SELECT 2 FROM seats WHERE id = $1\").bind(seat).fetch_optional(&self.0).await.is_ok()
    }
}
impl A {
    pub async fn freed_by_hand(&self, seat: i64) {
        sqlx::query(\"DELETE FROM seats WHERE id = $1\").bind(seat).execute(&self.0).await.ok();
    }
}
pub async fn named(pool: &sqlx::PgPool) { book(pool, 1, 2).await.ok(); }
pub async fn either(seats: &dyn Seats) -> bool { seats.free(1).await }
pub async fn nobody_knows() { elsewhere::seats().freed_by_hand(1).await }
pub async fn no_statement() -> usize { elsewhere::seats().len() + named as usize }
";
    let dir = with("src/calls.rs", calls);
    fs::write(dir.path().join("src/lib.rs"), format!("mod calls;\n{RACE}")).unwrap();
    let told = err(&run(dir.path(), &["check", "--statistics", "--format", "concise"]));
    let wanted = "calls that lead to a statement: 3, of which 1 resolved, 1 to one of several functions, 1 on a value of \
                  unknown type";
    assert!(told.contains(wanted), "{told}");
}
