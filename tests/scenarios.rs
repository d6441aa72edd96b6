//! One story, told with every client, gives one listing of events and one finding.
//!
//! A folder of `fixtures/scenarios` is a story: `story.md` tells it, `schema.sql` has its tables, and each client's file
//! has a function named like the folder. `expected.txt` holds the listing without its first line, which names the
//! engine, and after it the rules that report. A client that cannot tell a story is named in `story.md`, in a line
//! `- lacks CLIENT: REASON`. `RACELINT_BLESS=1` writes `expected.txt` anew from the first client.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use racelint::config::Config;
use racelint::dump::listing;
use racelint::source::Workspace;
use support::memory;

/// A client: the name of its files, and the packages they need.
struct Client {
    name: &'static str,
    packages: &'static [&'static str],
}

const CLIENTS: &[Client] = &[
    Client { name: "sqlx", packages: &["sqlx"] },
    Client { name: "diesel", packages: &["diesel"] },
    Client { name: "sea_orm", packages: &["sea_orm"] },
    Client { name: "tokio_postgres", packages: &["tokio_postgres", "deadpool_postgres"] },
    Client { name: "rusqlite", packages: &["rusqlite", "tokio_rusqlite", "r2d2_sqlite", "r2d2"] },
    Client { name: "mysql", packages: &["mysql", "mysql_async"] },
];

/// Clients whose stories are written, and whose code racelint does not read yet.
const UNREAD: &[&str] = &[];

#[test]
fn every_client_tells_the_same_story() {
    let mut faults = Vec::new();
    let stories = stories();
    assert!(stories.len() >= 12, "only {} stories", stories.len());
    for story in &stories {
        let name = story.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lacks = lacking(story);
        if std::env::var_os("RACELINT_BLESS").is_some() {
            fs::write(story.join("expected.txt"), told(story, &name, &CLIENTS[0])).unwrap();
        }
        let expected = fs::read_to_string(story.join("expected.txt")).unwrap();
        for client in CLIENTS {
            let written = story.join(format!("{}.rs", client.name)).exists();
            let lacked = lacks.iter().find(|(lacking, _)| lacking == client.name);
            match (written, lacked) {
                (true, None) if UNREAD.contains(&client.name) => eprintln!("{name}: {} is not read yet", client.name),
                (true, None) => {
                    let told = told(story, &name, client);
                    if told != expected {
                        faults.push(format!("{name}, {}:\n{told}instead of\n{expected}", client.name));
                    }
                }
                (false, Some((_, why))) => eprintln!("{name}: {} lacks it: {why}", client.name),
                (false, None) => {
                    faults.push(format!("{name}: {} does not tell it, and story.md does not say why", client.name))
                }
                (true, Some(_)) => {
                    faults.push(format!("{name}: {} tells it, and story.md says that it lacks it", client.name))
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_story_can_be_read() {
    for story in stories() {
        for client in CLIENTS {
            let Some(workspace) = workspace(&story, client) else { continue };
            let analysis = racelint::analyse(&workspace, &Config::default());
            assert!(analysis.notices.is_empty(), "{}, {}: {:?}", story.display(), client.name, analysis.notices);
        }
    }
}

fn stories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios");
    let mut stories: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    stories.retain(|path| path.is_dir());
    stories.sort();
    stories
}

/// The clients that cannot tell a story, with the reason.
fn lacking(story: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(story.join("story.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("- lacks "));
    lines.filter_map(|line| line.split_once(": ")).map(|(client, why)| (client.to_owned(), why.to_owned())).collect()
}

/// The listing of one client's story, and the rules that report in it.
fn told(story: &Path, name: &str, client: &Client) -> String {
    let workspace = workspace(story, client).unwrap();
    let config = Config::default();
    let listing = listing::of_function(&workspace, &config, &name.replace('-', "_")).unwrap_or_default();
    let mut told: String = listing.lines().skip(1).map(|line| format!("{line}\n")).collect();
    let mut rules: Vec<&str> = racelint::analyse(&workspace, &config).findings.iter().map(|f| f.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let rules = if rules.is_empty() { "nothing".to_owned() } else { rules.join(", ") };
    told.push_str(&format!("reported: {rules}\n"));
    told
}

/// A package in memory with the story of one client; none when there is no such file.
fn workspace(story: &Path, client: &Client) -> Option<Workspace> {
    let code = fs::read_to_string(story.join(format!("{}.rs", client.name))).ok()?;
    let schema = fs::read_to_string(story.join("schema.sql")).ok()?;
    let packages: Vec<&str> = client.packages.iter().copied().chain(["anyhow"]).collect();
    Some(memory::package(&[("migrations/1.sql", &schema), ("src/lib.rs", &code)], &packages))
}
