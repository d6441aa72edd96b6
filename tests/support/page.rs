//! A rule's page as cases: the fenced blocks with the schema, configuration and manifest that hold where they stand.

use super::manifest::{self, Client};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Racy, and reported at the marks.
    Race,
    /// Nothing is reported.
    Safe,
    /// Racy, reported; the next block is its rewrite.
    Before,
    /// The rewrite: nothing is reported.
    After,
    /// Racy at the marks, and not reported today.
    Missed,
    /// Safe, and reported today (at the marks, if it has any).
    Noisy,
}

/// One file of a case.
#[derive(Clone, Debug)]
pub struct Block {
    pub kind: Kind,
    pub path: String,
    /// The line of the page on which the block's text begins, from 1.
    pub line: usize,
    pub text: String,
}

/// What is analysed in one go.
#[derive(Clone, Debug)]
pub struct Case {
    pub page: String,
    pub heading: String,
    pub blocks: Vec<Block>,
    pub schema: String,
    pub config: String,
    pub manifest: String,
}

/// A page, read.
#[derive(Debug, Default)]
pub struct PageCases {
    /// The `##` headings in order.
    pub sections: Vec<String>,
    pub cases: Vec<Case>,
    /// Breaches of the page format, each with its line.
    pub faults: Vec<String>,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "race" => Self::Race,
            "safe" => Self::Safe,
            "before" => Self::Before,
            "after" => Self::After,
            "missed" => Self::Missed,
            "noisy" => Self::Noisy,
            _ => return None,
        })
    }

    pub fn is_reported(self) -> bool {
        matches!(self, Self::Race | Self::Before)
    }

    pub fn is_quiet(self) -> bool {
        matches!(self, Self::Safe | Self::After)
    }
}

impl Block {
    /// The line of the page on which line `line` of the block stands.
    pub fn line_of(&self, line: usize) -> usize {
        self.line + line - 1
    }
}

impl Case {
    /// The line of the page on which the case begins.
    pub fn line(&self) -> usize {
        self.blocks.first().map_or(0, |block| block.line)
    }

    /// The case as a workspace's files.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![("Cargo.toml".to_owned(), self.manifest.clone())];
        if !self.schema.is_empty() {
            files.push(("migrations/0001_init.sql".to_owned(), self.schema.clone()));
        }
        for block in &self.blocks {
            files.push((block.path.clone(), block.text.clone()));
        }
        let has_root = self.blocks.iter().any(|block| matches!(block.path.as_str(), "src/lib.rs" | "src/main.rs"));
        if !has_root {
            files.push(("src/lib.rs".to_owned(), crate_root(&self.blocks)));
        }
        files
    }
}

/// Declares the modules that lie directly below `src/`.
fn crate_root(blocks: &[Block]) -> String {
    let stems = blocks.iter().filter_map(|block| block.path.strip_prefix("src/")?.strip_suffix(".rs"));
    let modules = stems.map(|stem| stem.strip_suffix("/mod").unwrap_or(stem)).filter(|stem| !stem.contains('/'));
    modules.map(|module| format!("pub mod {module};\n")).collect()
}

/// Reads the text of a page, front matter included.
pub fn read(page: &str, text: &str) -> PageCases {
    let mut reader = Reader { page, ..Reader::default() };
    let mut fence: Option<Fence> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        match (&mut fence, line.strip_prefix("```")) {
            (None, Some(info)) => {
                fence = Some(Fence { info: info.trim().to_owned(), line: number + 1, text: String::new() })
            }
            (Some(_), Some(_)) => reader.block(fence.take().unwrap_or_default()),
            (Some(open), None) => {
                open.text.push_str(line);
                open.text.push('\n');
            }
            (None, None) => reader.prose(line),
        }
    }
    if let Some(open) = fence {
        reader.fault(open.line, "a fenced block is not closed");
    }
    reader.close_case();
    reader.out
}

#[derive(Default)]
struct Fence {
    info: String,
    line: usize,
    text: String,
}

#[derive(Default)]
struct Reader<'a> {
    page: &'a str,
    heading: String,
    schema: String,
    config: String,
    manifest: Option<String>,
    /// A case of several files that may go on.
    open: Option<Case>,
    out: PageCases,
}

impl Reader<'_> {
    fn fault(&mut self, line: usize, what: &str) {
        self.out.faults.push(format!("{}:{line}: {what}", self.page));
    }

    fn prose(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        self.close_case();
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut self.heading);
            self.out.sections.push(heading.to_owned());
        } else if let Some(heading) = line.strip_prefix("### ") {
            heading.clone_into(&mut self.heading);
        }
    }

    fn close_case(&mut self) {
        self.out.cases.extend(self.open.take());
    }

    fn block(&mut self, fence: Fence) {
        let mut words = fence.info.split_whitespace();
        let language = words.next().unwrap_or("");
        let words: Vec<&str> = words.collect();
        match (language, words.first().copied()) {
            ("sql", Some("schema")) => self.schema = fence.text,
            ("toml", Some("config")) => self.config = fence.text,
            ("toml", Some("manifest")) => self.manifest = Some(fence.text),
            ("rust", Some(kind)) => self.rust(&fence, kind, &words[1..]),
            ("rust", None) => {
                self.fault(fence.line, "a rust block needs a kind: race, safe, before, after, missed or noisy")
            }
            ("sql" | "toml" | "text" | "sh" | "json", None) => {}
            _ => self.fault(fence.line, &format!("unknown block `{}`", fence.info)),
        }
    }

    fn rust(&mut self, fence: &Fence, kind: &str, options: &[&str]) {
        let Some(kind) = Kind::of(kind) else {
            return self.fault(fence.line, &format!("unknown kind `{kind}`"));
        };
        let mut path = None;
        let mut client = Client::Sqlx;
        for option in options {
            match option.split_once('=') {
                Some(("path", value)) => path = Some(value.to_owned()),
                Some(("manifest", value)) => match Client::of(value) {
                    Some(named) => client = named,
                    None => self.fault(fence.line, &format!("unknown manifest `{value}`")),
                },
                _ => self.fault(fence.line, &format!("unknown option `{option}`")),
            }
        }
        let goes_on = path.is_some();
        let block = Block {
            kind,
            path: path.unwrap_or_else(|| "src/lib.rs".to_owned()),
            line: fence.line,
            text: fence.text.clone(),
        };
        let repeated = self.open.as_ref().is_some_and(|case| case.blocks.iter().any(|other| other.path == block.path));
        if !goes_on || repeated {
            self.close_case();
        }
        if let Some(case) = &mut self.open {
            case.blocks.push(block);
            return;
        }
        let case = Case {
            page: self.page.to_owned(),
            heading: self.heading.clone(),
            blocks: vec![block],
            schema: self.schema.clone(),
            config: self.config.clone(),
            manifest: self.manifest.clone().unwrap_or_else(|| manifest::text(client, &self.config)),
        };
        self.open = Some(case);
        if !goes_on {
            self.close_case();
        }
    }
}
