//! What a run was asked for: all that decides its outcome besides the answers of the disk and the program itself.

use crate::config::Config;
use crate::source::stamp::Digest;
use crate::source::{Options, Place, SourceFile, Workspace};

/// The digest of where a run looks and what it is told.
///
/// `config` is what the analysis is given. Its whole text stands in the key, by the derived `Debug`, so that a member
/// which is added to it later is not forgotten here. `name` is the program's, of which a package may have several.
pub fn key(name: &str, place: &Place, options: &Options, config: &Config) -> Digest {
    let Options { max_file_size, selection: _, schema } = options;
    let version = env!("CARGO_PKG_VERSION");
    let asked = format!("{name:?} {version}\n{place:?}\n{max_file_size}\n{schema:?}\n{config:?}");
    Digest::of(asked.as_bytes())
}

/// The digest of a workspace that does not come from the disk, below the key of the run that asks about it.
pub fn of_texts(key: Digest, workspace: &Workspace) -> Digest {
    let Workspace { root, asked, files, crates, notices } = workspace;
    let mut asked = format!("{key:?}\n{root:?}\n{asked:?}\n{crates:?}\n{notices:?}\n");
    for SourceFile { id: _, path, text, kind, krate } in files {
        asked += &format!("{path:?} {kind:?} {krate:?} {:?}\n", Digest::of(text.as_bytes()));
    }
    Digest::of(asked.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::source;

    #[test]
    fn what_is_asked_for_differs() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("src")).unwrap();
        let whole = source::place(&[dir.path().to_owned()]).unwrap();
        let part = source::place(&[dir.path().join("src")]).unwrap();
        let (options, config) = (Options::default(), Config::default());
        let small = Options { max_file_size: 10, ..Options::default() };
        let schema = Options { schema: vec!["x.sql".into()], ..Options::default() };
        let mysql = Config { dialect: Some(Dialect::MySql), ..Config::default() };
        let without = Config { exclude: vec!["gen/**".to_owned()], ..Config::default() };
        let keys = [
            key("a", &whole, &options, &config),
            key("a", &part, &options, &config),
            key("a", &whole, &small, &config),
            key("a", &whole, &schema, &config),
            key("a", &whole, &options, &mysql),
            key("a", &whole, &options, &without),
        ];
        let keys = [&keys[..], &[key("b", &whole, &options, &config)]].concat();
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(keys[0], key("a", &whole, &options, &config));
    }
    #[test]
    fn texts_packages_and_what_is_asked_for_tell_earlier_files_apart() {
        let of = |key: &[u8], files: &[(&str, &str)]| {
            let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
            of_texts(Digest::of(key), &source::memory(files))
        };
        let keys = [
            of(b"", &[]),
            of(b"x", &[]),
            of(b"", &[("a.rs", "")]),
            of(b"", &[("b.rs", "")]),
            of(b"", &[("a.rs", "x")]),
            of(b"", &[("a.rs", ""), ("Cargo.toml", "[package]\nname = 'a'")]),
            of(b"", &[("a.rs", ""), ("Cargo.toml", "[package]\nname = 'b'")]),
        ];
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }
}
