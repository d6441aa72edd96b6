//! The questions of an earlier run, put again: is every answer what it was?

use std::path::Path;

use rayon::prelude::*;

use crate::source::disk::{Answer, Heard};
use crate::source::stamp::{Moment, Stamp};

/// The same answers, as they were given now.
pub struct Asked {
    pub heard: Heard,
    /// Whether the next run can believe more stamps than this one could.
    pub is_worth_keeping: bool,
}

/// Puts all questions again; `None` when an answer is another one. `then` is before they were put first, `now` before
/// they are put here.
pub fn again(heard: &Heard, then: Moment, now: Moment) -> Option<Asked> {
    let put = |(path, answer): &(String, Answer)| Some((path.clone(), still(Path::new(path), *answer, then)?));
    let answers: Vec<(String, Answer)> = heard.answers.par_iter().map(put).collect::<Option<_>>()?;
    let mut growth: u64 = 0;
    let mut is_worth_keeping = false;
    for ((_, before), (_, after)) in heard.answers.iter().zip(&answers) {
        if let (Answer::Listing(_, _, before), Answer::Listing(_, _, after)) = (before, after) {
            growth += after.saturating_sub(*before);
        }
        is_worth_keeping |= after != before;
        is_worth_keeping |= after.stamp().is_some_and(|stamp| stamp.is_settled(now) && !stamp.is_settled(then));
    }
    // The walk itself would have stopped at its limit.
    let room = heard.room.checked_sub(growth.saturating_mul(heard.walks))?;
    Some(Asked { heard: Heard { answers, room, ..*heard }, is_worth_keeping })
}

/// The answer that is given now, when it says the same.
fn still(path: &Path, answer: Answer, then: Moment) -> Option<Answer> {
    let believed = |stamp: &Stamp| stamp.is_settled(then) && Stamp::at(path) == Some(*stamp);
    if answer.stamp().is_some_and(believed) {
        return Some(answer);
    }
    answer.again(path).filter(|now| now.says_the_same(answer))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::source::disk::Disk;
    use crate::source::{self, Options};

    const MANIFEST: &str = "[package]\nname = 'a'";

    /// A tree that was made an hour ago.
    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [("Cargo.toml", MANIFEST), ("src/lib.rs", "fn f() {}"), ("src/a/b.rs", "")] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        dir
    }

    fn heard(dir: &Path) -> Heard {
        let disk = Disk::attentive();
        let paths = [dir.to_owned()];
        source::attentively(&source::place(&paths).unwrap(), &paths, &Options::default(), &disk).unwrap();
        disk.heard().unwrap()
    }

    fn is_the_same(heard: &Heard) -> bool {
        again(heard, Moment::now(), Moment::now()).is_some()
    }

    #[test]
    fn what_changes_the_workspace_is_noticed() {
        let changes: [(&str, &dyn Fn(PathBuf)); 14] = [
            ("src/lib.rs", &|path| fs::write(path, "fn g() {}").unwrap()),
            ("src/lib.rs", &|path| fs::remove_file(path).unwrap()),
            ("src/c.rs", &|path| fs::write(path, "").unwrap()),
            ("src/a/c.sql", &|path| fs::write(path, "").unwrap()),
            ("src/new/c.rs", &|path| {
                fs::create_dir(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }),
            ("src/a", &|path| fs::rename(&path, path.with_file_name("z")).unwrap()),
            ("src/a/Cargo.toml", &|path| fs::write(path, MANIFEST).unwrap()),
            (".gitignore", &|path| fs::write(path, "a").unwrap()),
            ("src/.ignore", &|path| fs::write(path, "a").unwrap()),
            (".git/info/exclude", &|path| {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "a").unwrap();
            }),
            (".env", &|path| fs::write(path, "DATABASE_URL=mysql:").unwrap()),
            ("diesel.toml", &|path| fs::write(path, "").unwrap()),
            ("src/main.rs", &|path| fs::write(path, "").unwrap()),
            ("src/lib.rs", &|path| {
                fs::remove_file(&path).unwrap();
                fs::create_dir(path).unwrap();
            }),
        ];
        for (path, change) in changes {
            let dir = tree();
            let heard = heard(dir.path());
            assert!(!heard.unsure && is_the_same(&heard));
            change(dir.path().canonicalize().unwrap().join(path));
            assert!(!is_the_same(&heard), "{path}");
        }
    }

    #[test]
    fn what_does_not_change_the_workspace_is_none() {
        let dir = tree();
        let heard = heard(dir.path());
        let file = File::options().write(true).open(dir.path().join("src/lib.rs")).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
        fs::write(dir.path().join("notes.txt"), "").unwrap();
        fs::write(dir.path().join("src/.lib.rs.swp"), "").unwrap();
        fs::write(dir.path().join("src/a/b.rs"), "").unwrap();
        assert!(is_the_same(&heard));
    }

    #[test]
    fn a_stamp_is_believed_once_it_is_old_enough() {
        let dir = tree();
        let heard = heard(dir.path());
        let asked = again(&heard, Moment::now(), Moment::now()).unwrap();
        assert!(!asked.is_worth_keeping && asked.heard == heard);
        let later = Moment::of(SystemTime::now() + Duration::from_secs(60));
        assert!(again(&heard, Moment::now(), later).unwrap().is_worth_keeping);
        // From then on the content is not looked at, which shows when a stamp stays and the content does not.
        let changed: Vec<_> =
            heard.answers.iter().cloned().map(|(path, answer)| (path, answer.with_another_digest())).collect();
        let changed = Heard { answers: changed, ..heard };
        assert!(again(&changed, Moment::now(), later).is_none());
        assert!(again(&changed, later, later).is_some());
    }

    #[test]
    fn a_directory_that_grows_past_the_limit_of_the_walk_is_another() {
        let dir = tree();
        let mut heard = heard(dir.path());
        (heard.room, heard.walks) = (3, 2);
        fs::write(dir.path().join("notes.txt"), "").unwrap();
        assert_eq!(again(&heard, Moment::now(), Moment::now()).unwrap().heard.room, 1);
        fs::write(dir.path().join("more.txt"), "").unwrap();
        assert!(!is_the_same(&heard));
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn a_name_that_cannot_be_written_down_is_said_to_be_unsure() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tree();
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"a\xff.rs")), "").unwrap();
        assert!(heard(dir.path()).unsure);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_long_files_are_asked_for_again() {
        use std::os::unix::fs::symlink;
        let dir = tree();
        let outside = tempfile::tempdir().unwrap();
        symlink("gone", dir.path().join("src/gone.rs")).unwrap();
        symlink(outside.path(), dir.path().join("src/out")).unwrap();
        fs::write(dir.path().join("src/long.rs"), "x".repeat(2 << 20)).unwrap();
        let heard = heard(dir.path());
        assert!(!heard.unsure && is_the_same(&heard));
        fs::write(dir.path().join("src/long.rs"), "y".repeat(2 << 20)).unwrap();
        assert!(is_the_same(&heard));
        fs::write(dir.path().join("src/gone"), "").unwrap();
        assert!(!is_the_same(&heard));
        fs::remove_file(dir.path().join("src/gone")).unwrap();
        assert!(is_the_same(&heard));
        fs::write(dir.path().join("src/long.rs"), "y".repeat((2 << 20) + 1)).unwrap();
        assert!(!is_the_same(&heard));
    }
}
