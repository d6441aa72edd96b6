//! `check --since`, on repositories that are made here.

use std::fs;
use std::path::Path;

use git2::{IndexAddOption, Oid, Repository, Signature};

use crate::{RACE, check, package, race, write};

/// Makes a repository of a directory, with all of it in a first commit on `main`.
fn repository(dir: &Path) -> Repository {
    let mut options = git2::RepositoryInitOptions::new();
    options.initial_head("main").external_template(false);
    let repository = Repository::init_opts(dir, &options).unwrap();
    commit(&repository, "first");
    repository
}

fn commit(repository: &Repository, message: &str) -> Oid {
    let mut index = repository.index().unwrap();
    index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
    index.update_all(["*"], None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = Signature::now("a", "a@example.org").unwrap();
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    repository.commit(Some("HEAD"), &who, &who, message, &tree, &parent.iter().collect::<Vec<_>>()).unwrap()
}

fn branch(repository: &Repository, name: &str) {
    let head = repository.head().unwrap().peel_to_commit().unwrap();
    repository.branch(name, &head, true).unwrap();
}

#[test]
fn only_what_changed_is_reported() {
    let dir = package();
    let repository = repository(dir.path());
    let (status, out, err) = check(dir.path(), &["--since", "main"]);
    assert!(status == 0 && out.contains("1 not touched by the changes"), "{out}{err}");

    // What is not committed counts as well.
    write(dir.path(), "src/more.rs", &race("more"));
    let (status, out, _) = check(dir.path(), &["--since", "HEAD"]);
    assert_eq!((status, out.matches("[check-then-update]").count()), (1, 1), "{out}");
    assert!(out.contains("src/more.rs:4:"), "{out}");

    // What main got meanwhile does not: the two are compared with where they parted.
    branch(&repository, "base");
    commit(&repository, "more");
    branch(&repository, "feature");
    fs::remove_file(dir.path().join("src/more.rs")).unwrap();
    write(dir.path(), "src/lib.rs", &format!("{RACE}// main went on\n"));
    commit(&repository, "main goes on");
    repository.set_head("refs/heads/feature").unwrap();
    repository.checkout_head(Some(git2::build::CheckoutBuilder::new().force())).unwrap();
    let (_, out, _) = check(dir.path(), &["--since", "main"]);
    assert!(out.contains("0 findings") && out.contains("2 not touched"), "{out}");
    let (_, out, _) = check(dir.path(), &["--since", "base"]);
    assert!(out.contains("src/more.rs:4:") && out.contains("1 not touched"), "{out}");
}

#[test]
fn paths_and_directories_do_not_matter() {
    let top = tempfile::tempdir().unwrap();
    write(top.path(), "crates/shop/Cargo.toml", crate::MANIFEST);
    write(top.path(), "crates/shop/src/lib.rs", RACE);
    repository(top.path());
    let shop = top.path().join("crates/shop");
    write(&shop, "src/lib.rs", &RACE.replace("holder.is_none()", "!holder.is_some()"));
    for (from, path) in [(&shop, "."), (&shop.join("src"), "lib.rs"), (&top.path().to_owned(), "crates/shop")] {
        let (status, out, err) = check(from, &["--since", "main", path]);
        assert_eq!(status, 1, "{out}{err}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let (status, out, err) = check(elsewhere.path(), &["--since", "main", shop.to_str().unwrap()]);
    assert_eq!(status, 1, "{out}{err}");
}

#[test]
fn a_file_that_was_moved_is_the_same() {
    let dir = package();
    write(dir.path(), "src/lib.rs", "pub mod seats;\n");
    write(dir.path(), "src/seats.rs", RACE);
    let repository = repository(dir.path());
    branch(&repository, "base");
    fs::create_dir(dir.path().join("src/desk")).unwrap();
    fs::rename(dir.path().join("src/seats.rs"), dir.path().join("src/desk/places.rs")).unwrap();
    write(dir.path(), "src/lib.rs", "pub mod desk { pub mod places; }\n");
    commit(&repository, "moved");
    let (status, out, _) = check(dir.path(), &["--since", "base"]);
    assert!(status == 0 && out.contains("1 not touched"), "{out}");
    write(dir.path(), "src/desk/places.rs", &RACE.replace("is_none()", "is_none() || who == 0"));
    assert_eq!(check(dir.path(), &["--since", "base"]).0, 1);
}

#[test]
fn a_key_that_a_migration_drops_is_told() {
    let dir = package();
    let add = "use sqlx::PgPool;
pub async fn add(pool: &PgPool, email: &str) -> anyhow::Result<()> {
    let there: Option<i64> = sqlx::query_scalar(\"SELECT id FROM users WHERE email = $1\").bind(email).fetch_optional(pool).await?;
    if there.is_none() { sqlx::query(\"INSERT INTO users (email) VALUES ($1)\").bind(email).execute(pool).await?; }
    Ok(())
}
";
    write(dir.path(), "src/lib.rs", add);
    write(dir.path(), "migrations/1.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE);\n");
    let repository = repository(dir.path());
    assert_eq!(check(dir.path(), &["--since", "main"]).0, 0);
    branch(&repository, "base");
    write(dir.path(), "migrations/2.sql", "ALTER TABLE users DROP CONSTRAINT users_email_key;\n");
    commit(&repository, "drop");
    let (status, out, _) = check(dir.path(), &["--since", "base"]);
    assert!(status == 1 && out.contains("[check-then-insert]"), "{out}");
    let (_, out, _) = crate::run(dir.path(), &["check", "--since", "base"]);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("its own lines are older than base"), "{out}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let dir = package();
    let said = |name: &str| {
        let (status, _, err) = check(dir.path(), &["--since", name]);
        assert_eq!(status, 2, "{err}");
        err
    };
    assert!(said("main").contains("is not in a git repository, which --since needs"));
    let bare = Repository::init(dir.path()).unwrap();
    assert!(said("main").contains("there is no commit, branch or tag `main`"), "{}", said("main"));
    drop(bare);
    fs::remove_dir_all(dir.path().join(".git")).unwrap();
    let repository = repository(dir.path());
    assert!(said("mian").contains("there is no commit, branch or tag `mian`"));
    assert!(said("main:src/lib.rs").contains("`main:src/lib.rs` is no commit"));
    let tree = repository.head().unwrap().peel_to_tree().unwrap();
    let who = Signature::now("a", "a@example.org").unwrap();
    repository.commit(Some("refs/heads/other"), &who, &who, "other", &tree, &[]).unwrap();
    assert!(said("other").contains("`other` and HEAD have no commit in common"));
    let head = repository.head().unwrap().target().unwrap();
    write(dir.path(), ".git/shallow", &format!("{head}\n"));
    assert!(said("mian").contains("this clone is shallow") && said("mian").contains("fetch-depth: 0"));
}

/// Filters, hooks, a file system monitor and an external diff that a repository brings along are never run.
#[cfg(unix)]
#[test]
fn nothing_of_the_repository_is_run() {
    use std::os::unix::fs::PermissionsExt;
    let dir = package();
    let repository = repository(dir.path());
    let evil = dir.path().join("evil.sh");
    fs::write(&evil, "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\ncat\n").unwrap();
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    let path = evil.to_str().unwrap();
    let mut config = repository.config().unwrap();
    for key in
        ["core.fsmonitor", "core.sshCommand", "core.pager", "diff.external", "filter.evil.clean", "filter.evil.smudge"]
    {
        config.set_str(key, path).unwrap();
    }
    config.set_bool("filter.evil.required", true).unwrap();
    config.set_str("core.hooksPath", dir.path().to_str().unwrap()).unwrap();
    write(dir.path(), ".gitattributes", "* filter=evil diff=evil\n");
    write(dir.path(), "src/lib.rs", &RACE.replace("is_none()", "is_none() || who == 0"));
    let before = fs::read(dir.path().join(".git/index")).unwrap();
    let (status, out, err) = check(dir.path(), &["--since", "main"]);
    assert_eq!(status, 1, "{out}{err}");
    assert!(!dir.path().join("ran").exists());
    assert!(fs::read(dir.path().join(".git/index")).unwrap() == before);
}
