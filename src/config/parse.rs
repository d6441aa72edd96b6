//! TOML text to a [`Config`], by hand over spanned values, so that every error has its place.

use std::ops::Range;
use std::path::{Component, Path};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::overrides::OverrideBuilder;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key};
use super::near::nearest;
use super::{Allow, Call, CallKind, Client, Config, Error, Fault, Gives, Level};
use crate::dialect::{Dialect, Isolation};
use crate::finding::{Confidence, Severity};
use crate::source::lines::LineIndex;

/// Globs are compiled to automata, which cost memory.
const MAX_GLOBS: usize = 1_000;
const MAX_GLOB_LENGTH: usize = 1_000;

/// After this many faults the rest is left out.
const MAX_FAULTS: usize = 20;

type Value<'t> = Spanned<DeValue<'t>>;

/// Reads a racelint.toml. `path` is what errors show, `dir` what its globs are relative to, `rules` the ids that exist.
pub fn parse(text: &str, path: &str, dir: &Path, rules: &[&str]) -> Result<Config, Error> {
    let mut reader = Reader::new(text, dir, rules);
    let config = match DeTable::parse(without_mark(text)) {
        Ok(table) => reader.config(table.get_ref()),
        Err(error) => {
            reader.syntax(&error);
            Config::default()
        }
    };
    reader.finish(config, path)
}

/// Reads `[workspace.metadata.racelint]`, or `[package.metadata.racelint]`, of a Cargo.toml; `None` when it has neither.
///
/// A manifest that does not parse has none: `source::read` reports it.
pub(super) fn manifest(text: &str, path: &str, dir: &Path, rules: &[&str]) -> Result<Option<Config>, Error> {
    let Ok(table) = DeTable::parse(without_mark(text)) else { return Ok(None) };
    let found = ["workspace", "package"]
        .into_iter()
        .find_map(|owner| table.get_ref().get(owner)?.get_ref().get("metadata")?.get_ref().get("racelint"));
    let Some(found) = found else { return Ok(None) };
    let mut reader = Reader::new(text, dir, rules);
    let config = reader.table(found).map(|table| reader.config(table)).unwrap_or_default();
    reader.finish(config, path).map(Some)
}

/// TOML allows no byte order mark. Spans count from behind it, so lines and columns do as well.
fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

struct Reader<'a> {
    lines: LineIndex<'a>,
    dir: &'a Path,
    rules: &'a [&'a str],
    globs: usize,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, dir: &'a Path, rules: &'a [&'a str]) -> Self {
        Self { lines: LineIndex::new(without_mark(text)), dir, rules, globs: 0, faults: Vec::new() }
    }

    fn finish(mut self, mut config: Config, path: &str) -> Result<Config, Error> {
        if self.faults.is_empty() {
            config.path = Some(path.to_owned());
            config.dir = self.dir.to_owned();
            return Ok(config);
        }
        self.faults.sort_by_key(|fault| fault.at);
        self.faults.truncate(MAX_FAULTS);
        Err(Error { path: path.to_owned(), faults: self.faults })
    }

    fn config(&mut self, table: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "dialect" => config.dialect = self.word(value, &keys::DIALECTS, &DIALECTS),
                "isolation" => config.isolation = self.word(value, &keys::ISOLATIONS, &ISOLATIONS),
                "schema" => config.schema = self.paths(value).iter().map(|path| self.dir.join(path)).collect(),
                "include" => config.include = self.globs(value),
                "exclude" => config.exclude = self.globs(value),
                "single_process" => config.single_process = self.flag(value),
                "entry_points" => config.entry_points = self.texts(value),
                "owner_columns" => config.owner_columns = self.texts(value),
                "min_confidence" => config.min_confidence = self.word(value, &keys::CONFIDENCES, &CONFIDENCES),
                "unlisted" => config.unlisted = self.word(value, &keys::LEVELS, &LEVELS),
                "rules" => self.levels(value, &mut config),
                "effects" => config.effects = self.effects(value),
                "client" => config.clients = self.tables(value, Self::client),
                "allow" => config.allows = self.tables(value, Self::allow),
                _ => self.unknown(key, &keys::KEYS),
            }
        }
        config
    }

    fn levels(&mut self, value: &Value<'_>, config: &mut Config) {
        let Some(table) = self.table(value) else { return };
        for (key, value) in table {
            let rule: &str = key.get_ref();
            self.rule(rule, key.span());
            if let Some(level) = self.word(value, &keys::LEVELS, &LEVELS) {
                config.rules.insert(rule.to_owned(), level);
            }
        }
    }

    fn effects(&mut self, value: &Value<'_>) -> Vec<String> {
        let mut functions = Vec::new();
        let Some(table) = self.table(value) else { return functions };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "functions" => functions = self.texts(value),
                _ => self.unknown(key, &keys::EFFECTS),
            }
        }
        functions
    }

    fn client(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Client {
        let mut client = Client::default();
        self.required(table, &keys::CLIENT, span);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "name" => client.name = self.text(value).unwrap_or_default(),
                "crate" => client.krate = self.text(value).map(|name| name.replace('-', "_")),
                "call" => client.calls = self.tables(value, Self::call),
                _ => self.unknown(key, &keys::CLIENT),
            }
        }
        client
    }

    fn call(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Call {
        let mut call = Call::default();
        self.required(table, &keys::CALL, span.clone());
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "method" => call.method = self.text(value).unwrap_or_default(),
                "on" => call.on = self.text(value),
                "sql" => call.sql = self.index(value),
                "kind" => call.kind = self.word(value, &keys::CALL_KINDS, &CALL_KINDS),
                "table" => call.table = self.text(value),
                "gives" => call.gives = self.word(value, &keys::GIVES, &GIVES),
                _ => self.unknown(key, &keys::CALL),
            }
        }
        if !table.contains_key("sql") && !table.contains_key("kind") {
            self.fault(span, "a call says with `sql` which argument is the statement, or with `kind` what it does");
        }
        call
    }

    fn allow(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Allow {
        let (line, _) = self.place(span.start);
        let mut allow = Allow { rule: None, path: None, reason: String::new(), line, files: Gitignore::empty() };
        self.required(table, &keys::ALLOW, span.clone());
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "rule" => {
                    allow.rule = self.text(value);
                    if let Some(rule) = &allow.rule {
                        self.rule(rule, value.span());
                    }
                }
                "path" => {
                    allow.path = self.text(value);
                    if let Some(glob) = &allow.path {
                        allow.files = self.files(glob, value.span());
                    }
                }
                "reason" => allow.reason = self.text(value).unwrap_or_default(),
                _ => self.unknown(key, &keys::ALLOW),
            }
        }
        if allow.rule.is_none() && allow.path.is_none() {
            self.fault(span, "an allow names a rule, a path or both");
        }
        allow
    }

    fn files(&mut self, glob: &str, span: Range<usize>) -> Gitignore {
        if !self.glob(glob, span.clone()) {
            return Gitignore::empty();
        }
        let mut builder = GitignoreBuilder::new(self.dir);
        let built = builder.add_line(None, glob).and_then(|builder| builder.build());
        built.unwrap_or_else(|error| {
            self.fault(span, &format!("not a glob: {error}"));
            Gitignore::empty()
        })
    }

    fn globs(&mut self, value: &Value<'_>) -> Vec<String> {
        let globs = self.spanned_texts(value);
        globs.into_iter().filter(|(glob, span)| self.glob(glob, span.clone())).map(|(glob, _)| glob).collect()
    }

    /// Whether a glob is one that can be afforded.
    fn glob(&mut self, glob: &str, span: Range<usize>) -> bool {
        self.globs += 1;
        if self.globs > MAX_GLOBS {
            if self.globs == MAX_GLOBS + 1 {
                self.fault(span, &format!("more than {MAX_GLOBS} globs"));
            }
            return false;
        }
        if glob.len() > MAX_GLOB_LENGTH {
            self.fault(span, &format!("a glob of more than {MAX_GLOB_LENGTH} bytes"));
            return false;
        }
        if glob.starts_with('!') {
            self.fault(span, "a glob does not start with `!`; use `include` and `exclude`");
            return false;
        }
        let mut builder = OverrideBuilder::new(self.dir);
        match builder.add(glob).and_then(|builder| builder.build()) {
            Ok(_) => true,
            Err(error) => {
                self.fault(span, &format!("not a glob: {error}"));
                false
            }
        }
    }

    fn paths(&mut self, value: &Value<'_>) -> Vec<String> {
        let mut paths = Vec::new();
        for (path, span) in self.spanned_texts(value) {
            let inside =
                Path::new(&path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if inside {
                paths.push(path);
            } else {
                self.fault(span, "a path is relative and has no `..`: only files of the project are read");
            }
        }
        paths
    }

    fn rule(&mut self, rule: &str, span: Range<usize>) {
        if self.rules.contains(&rule) {
            return;
        }
        let hint = hint(rule, self.rules.iter().copied());
        self.fault(span, &format!("there is no rule `{}`{hint}", rule.escape_debug()));
    }

    fn word<T: Copy>(&mut self, value: &Value<'_>, words: &[&str], meanings: &[T]) -> Option<T> {
        let text = self.text(value)?;
        if let Some(index) = words.iter().position(|word| *word == text) {
            return meanings.get(index).copied();
        }
        let hint = hint(&text, words.iter().copied());
        let list = words.join(", ");
        self.fault(value.span(), &format!("`{}` is none of {list}{hint}", text.escape_debug()));
        None
    }

    fn text(&mut self, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str() {
            Some("") => self.fault(value.span(), "this text is empty"),
            Some(text) => return Some(text.to_owned()),
            None => self.mistyped(value, "a string"),
        }
        None
    }

    fn texts(&mut self, value: &Value<'_>) -> Vec<String> {
        self.spanned_texts(value).into_iter().map(|(text, _)| text).collect()
    }

    fn spanned_texts(&mut self, value: &Value<'_>) -> Vec<(String, Range<usize>)> {
        let Some(values) = value.get_ref().as_array() else {
            self.mistyped(value, "a list of strings");
            return Vec::new();
        };
        values.iter().filter_map(|value| Some((self.text(value)?, value.span()))).collect()
    }

    fn flag(&mut self, value: &Value<'_>) -> bool {
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.mistyped(value, "true or false");
            false
        })
    }

    fn index(&mut self, value: &Value<'_>) -> Option<u8> {
        let number =
            value.get_ref().as_integer().and_then(|number| u8::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_none() {
            self.mistyped(value, "a number from 0 to 255");
        }
        number
    }

    fn table<'v, 't>(&mut self, value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.mistyped(value, "a table");
        }
        table
    }

    fn tables<T>(&mut self, value: &Value<'_>, read: impl Fn(&mut Self, &DeTable<'_>, Range<usize>) -> T) -> Vec<T> {
        let Some(values) = value.get_ref().as_array() else {
            self.mistyped(value, "a list of tables, written `[[…]]`");
            return Vec::new();
        };
        let mut found = Vec::new();
        for value in values {
            if let Some(table) = self.table(value) {
                found.push(read(self, table, value.span()));
            }
        }
        found
    }

    fn required(&mut self, table: &DeTable<'_>, keys: &[Key], span: Range<usize>) {
        for key in keys.iter().filter(|key| key.required && !table.contains_key(key.name)) {
            self.fault(span.clone(), &format!("`{}` is missing", key.name));
        }
    }

    fn unknown(&mut self, key: &Spanned<toml::de::DeString<'_>>, known: &[Key]) {
        let name: &str = key.get_ref();
        let hint = hint(name, known.iter().map(|key| key.name));
        self.fault(key.span(), &format!("there is no key `{}`{hint}", name.escape_debug()));
    }

    fn mistyped(&mut self, value: &Value<'_>, expected: &str) {
        let found = value.get_ref().type_str();
        self.fault(value.span(), &format!("expected {expected}, found {found}"));
    }

    fn syntax(&mut self, error: &toml::de::Error) {
        let text = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        self.fault(error.span().unwrap_or(0..0), &format!("not TOML: {text}"));
    }

    fn fault(&mut self, span: Range<usize>, text: &str) {
        let at = Some(self.place(span.start));
        self.faults.push(Fault { at, text: text.to_owned() });
    }

    fn place(&self, offset: usize) -> (u32, u32) {
        let position = self.lines.position(u32::try_from(offset).unwrap_or(u32::MAX));
        (position.line, position.chars)
    }
}

const DIALECTS: [Dialect; 5] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite, Dialect::Cockroach, Dialect::MsSql];

const ISOLATIONS: [Isolation; 5] = [
    Isolation::ReadUncommitted,
    Isolation::ReadCommitted,
    Isolation::RepeatableRead,
    Isolation::Snapshot,
    Isolation::Serializable,
];

const LEVELS: [Level; 4] =
    [Level::At(Severity::Error), Level::At(Severity::Warning), Level::At(Severity::Note), Level::Off];

const CONFIDENCES: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];

const CALL_KINDS: [CallKind; 6] =
    [CallKind::Read, CallKind::Write, CallKind::Begin, CallKind::Commit, CallKind::Rollback, CallKind::Effect];

const GIVES: [Gives; 6] = [Gives::Row, Gives::Option, Gives::Rows, Gives::Value, Gives::Count, Gives::Nothing];

fn hint<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [&str; 3] = ["lost-update", "check-then-insert", "stale-guard"];

    fn read(text: &str) -> Result<Config, Error> {
        parse(text, "racelint.toml", Path::new("/x"), &RULES)
    }

    fn faults(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn every_key_is_read() {
        let config = read(
            "dialect = 'mysql'\nisolation = 'serializable'\nschema = ['db/a.sql']\nexclude = ['tools/**']\n\
             single_process = true\nentry_points = ['crate::jobs::*']\nowner_columns = ['user_id']\n\
             min_confidence = 'high'\nunlisted = 'off'\n[rules]\nlost-update = 'note'\n[effects]\nfunctions = ['pay::*']\n\
             [[client]]\nname = 'db'\ncrate = 'shop-db'\n[[client.call]]\nmethod = 'get'\non = 'Db'\nsql = 0\ngives = 'row'\n\
             [[client.call]]\nmethod = 'save'\nkind = 'write'\ntable = 'coupons'\n[[allow]]\nrule = 'stale-guard'\n\
             path = 'src/admin/'\nreason = 'one operator'\n",
        )
        .unwrap();
        assert_eq!((config.dialect, config.isolation), (Some(Dialect::MySql), Some(Isolation::Serializable)));
        assert_eq!(config.schema, [Path::new("/x/db/a.sql")]);
        assert_eq!(config.level("lost-update", Severity::Error), Level::At(Severity::Note));
        assert_eq!(config.level("stale-guard", Severity::Error), Level::Off);
        assert_eq!(config.clients[0].krate.as_deref(), Some("shop_db"));
        assert_eq!(config.clients[0].calls[0].sql, Some(0));
        assert_eq!(config.clients[0].calls[1].kind, Some(CallKind::Write));
        let selection = config.selection().unwrap();
        assert!(selection.matched("/x/tools/a.rs", false).is_ignore());
        assert!(!selection.matched("/x/src/a.rs", false).is_ignore());
        let allowed = |rule, path| config.allowed(rule, Path::new("/x"), path);
        assert_eq!(allowed("stale-guard", "src/admin/a.rs"), Some(0));
        assert_eq!(allowed("stale-guard", "src/a.rs"), None);
        assert_eq!(allowed("lost-update", "src/admin/a.rs"), None);
    }

    #[test]
    fn errors_have_a_place_and_a_hint() {
        for (text, expected) in [
            ("\n  dialct = 'mysql'", "racelint.toml:2:3: there is no key `dialct`, did you mean `dialect`?"),
            (
                "dialect = 'postgre'",
                "racelint.toml:1:11: `postgre` is none of postgres, mysql, sqlite, cockroach, mssql, did you mean `postgres`?",
            ),
            ("dialect = 1", "racelint.toml:1:11: expected a string, found integer"),
            (
                "[rules]\nlost_update = 'off'",
                "racelint.toml:2:1: there is no rule `lost_update`, did you mean `lost-update`?",
            ),
            ("single_process = 'yes'", "racelint.toml:1:18: expected true or false, found string"),
            ("include = 'src'", "racelint.toml:1:11: expected a list of strings, found string"),
            ("include = ['{a']", "not a glob"),
            ("exclude = ['!a']", "racelint.toml:1:12: a glob does not start with `!`"),
            ("schema = ['../a.sql']", "racelint.toml:1:11: a path is relative and has no `..`"),
            ("schema = ['/etc/passwd']", "racelint.toml:1:11: a path is relative and has no `..`"),
            ("[[allow]]\nrule = 'lost-update'", "`reason` is missing"),
            ("[[allow]]\nreason = 'x'", "an allow names a rule, a path or both"),
            ("[[client]]\nname = 'a'\n[[client.call]]\nmethod = 'b'", "a call says with `sql`"),
            ("[[client]]\nname = 'a'\n[[client.call]]\nmethod = 'b'\nsql = 256", "expected a number from 0 to 255"),
            ("effects = []", "racelint.toml:1:11: expected a table, found array"),
            ("a = \n", "racelint.toml:1:"),
            ("\u{feff}\"a\\u001b\" = 1", "racelint.toml:1:1: there is no key `a\\u{1b}`"),
        ] {
            let faults = faults(text);
            assert!(faults.contains(expected), "{text}: {faults}");
        }
    }

    #[test]
    fn all_faults_are_told_in_order() {
        assert_eq!(faults("b = 1\n[rules]\nx = 'off'\nstale-guard = 'of'").lines().count(), 3);
        let many: String = (0..100).map(|number| format!("key{number} = 1\n")).collect();
        assert_eq!(faults(&many).lines().count(), MAX_FAULTS);
    }

    #[test]
    fn globs_are_counted() {
        let globs = |count: usize| format!("exclude = [{}]", "'a',".repeat(count));
        assert!(read(&globs(MAX_GLOBS)).is_ok());
        assert!(faults(&globs(MAX_GLOBS + 1)).contains("more than 1000 globs"));
    }

    #[test]
    fn a_manifest_may_hold_it() {
        let dir = Path::new("/x");
        let read = |text| manifest(text, "Cargo.toml", dir, &RULES);
        assert!(read("[package]\nname = 'a'").unwrap().is_none());
        assert!(read("[package").unwrap().is_none());
        let config = read("[workspace.metadata.racelint]\ndialect = 'sqlite'").unwrap().unwrap();
        assert_eq!(config.dialect, Some(Dialect::Sqlite));
        let error = read("[package.metadata.racelint]\ndialekt = 'sqlite'").unwrap_err().to_string();
        assert!(error.starts_with("Cargo.toml:2:1: there is no key `dialekt`"), "{error}");
    }
}
