//! Every key of racelint.toml, once: its type, its documentation and an example.
//!
//! The reader's "did you mean", the JSON schema and the file that `racelint init` writes all come from these tables.

use serde_json::{Map, Value, json};

/// One key.
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// Sentences for the user, one a line.
    pub doc: &'static str,
    /// A value in TOML, as the commented file shows it.
    pub example: &'static str,
    pub required: bool,
}

pub enum Kind {
    Word(&'static [&'static str]),
    Flag,
    /// A number from 0.
    Index,
    Text,
    Texts,
    /// A table whose keys are the ids of rules.
    Levels,
    Table(&'static [Key]),
    /// `[[key]]`.
    Tables(&'static [Key]),
}

pub const DIALECTS: [&str; 5] = ["postgres", "mysql", "sqlite", "cockroach", "mssql"];
pub const ISOLATIONS: [&str; 5] = ["read-uncommitted", "read-committed", "repeatable-read", "snapshot", "serializable"];
pub const LEVELS: [&str; 4] = ["error", "warning", "note", "off"];
pub const CONFIDENCES: [&str; 3] = ["low", "medium", "high"];
pub const CALL_KINDS: [&str; 6] = ["read", "write", "begin", "commit", "rollback", "effect"];
pub const GIVES: [&str; 6] = ["row", "option", "rows", "value", "count", "nothing"];

pub const KEYS: [Key; 14] = [
    Key {
        name: "dialect",
        kind: Kind::Word(&DIALECTS),
        doc: "The database engine, when Cargo.toml, .env and the code do not tell.",
        example: "\"postgres\"",
        required: false,
    },
    Key {
        name: "isolation",
        kind: Kind::Word(&ISOLATIONS),
        doc: "The isolation level of transactions that set none, when the server's default was changed.",
        example: "\"read-committed\"",
        required: false,
    },
    Key {
        name: "schema",
        kind: Kind::Texts,
        doc: "SQL files with CREATE TABLE that are read besides the migrations found; inside the project.",
        example: "[\"db/schema.sql\"]",
        required: false,
    },
    Key {
        name: "include",
        kind: Kind::Texts,
        doc: "Only files that match one of these globs are read, migrations included.\nA glob without a slash matches at any depth, as in .gitignore.",
        example: "[\"crates/api/**\", \"migrations/**\"]",
        required: false,
    },
    Key {
        name: "exclude",
        kind: Kind::Texts,
        doc: "Files and directories that are not read.",
        example: "[\"tools/**\"]",
        required: false,
    },
    Key {
        name: "single_process",
        kind: Kind::Flag,
        doc: "Whether only one process at a time runs the program, so that a mutex in memory protects its rows.",
        example: "true",
        required: false,
    },
    Key {
        name: "entry_points",
        kind: Kind::Texts,
        doc: "Functions that requests or jobs start in, besides the handlers that are recognised.\n`*` stands for one name, `**` for any number.",
        example: "[\"crate::jobs::*::run\"]",
        required: false,
    },
    Key {
        name: "owner_columns",
        kind: Kind::Texts,
        doc: "Columns that name the one user who touches the row; a race with oneself is reported one severity lower.",
        example: "[\"user_id\", \"owner_id\"]",
        required: false,
    },
    Key {
        name: "min_confidence",
        kind: Kind::Word(&CONFIDENCES),
        doc: "Findings that are less sure are left out and counted.",
        example: "\"medium\"",
        required: false,
    },
    Key {
        name: "unlisted",
        kind: Kind::Word(&LEVELS),
        doc: "The severity of rules that [rules] does not list; without it, each rule's own.",
        example: "\"warning\"",
        required: false,
    },
    Key {
        name: "rules",
        kind: Kind::Levels,
        doc: "The severity of single rules: error, warning, note or off.",
        example: "lost-update = \"error\"",
        required: false,
    },
    Key {
        name: "effects",
        kind: Kind::Table(&EFFECTS),
        doc: "What cannot be undone by a rollback, besides HTTP, mail and payment clients that are recognised.",
        example: "",
        required: false,
    },
    Key {
        name: "client",
        kind: Kind::Tables(&CLIENT),
        doc: "A database wrapper of your own.",
        example: "",
        required: false,
    },
    Key {
        name: "allow",
        kind: Kind::Tables(&ALLOW),
        doc: "Findings that are accepted, for a rule or for the files that a glob matches.\nFor one place, write `// racelint: allow(rule) reason` above it instead.",
        example: "",
        required: false,
    },
];

pub const EFFECTS: [Key; 1] = [Key {
    name: "functions",
    kind: Kind::Texts,
    doc: "Functions that reach outside; `*` stands for one name, `**` for any number.",
    example: "[\"crate::payment::*\"]",
    required: false,
}];

pub const CLIENT: [Key; 3] = [
    Key {
        name: "name",
        kind: Kind::Text,
        doc: "What messages call it.",
        example: "\"our database layer\"",
        required: true,
    },
    Key {
        name: "crate",
        kind: Kind::Text,
        doc: "The crate that defines it; without one, any crate of the workspace may.",
        example: "\"shop_db\"",
        required: false,
    },
    Key { name: "call", kind: Kind::Tables(&CALL), doc: "One method or function of it.", example: "", required: true },
];

pub const CALL: [Key; 6] = [
    Key { name: "method", kind: Kind::Text, doc: "Its name.", example: "\"fetch\"", required: true },
    Key { name: "on", kind: Kind::Text, doc: "The type that it is called on.", example: "\"Db\"", required: false },
    Key {
        name: "sql",
        kind: Kind::Index,
        doc: "Which argument is the SQL text, counted from 0 without self.",
        example: "0",
        required: false,
    },
    Key {
        name: "kind",
        kind: Kind::Word(&CALL_KINDS),
        doc: "What it does, where no SQL text says so.",
        example: "\"read\"",
        required: false,
    },
    Key { name: "table", kind: Kind::Text, doc: "The table that it touches.", example: "\"coupons\"", required: false },
    Key { name: "gives", kind: Kind::Word(&GIVES), doc: "What it returns.", example: "\"row\"", required: false },
];

pub const ALLOW: [Key; 3] = [
    Key {
        name: "rule",
        kind: Kind::Text,
        doc: "The rule's id; without one, every rule.",
        example: "\"check-then-insert\"",
        required: false,
    },
    Key {
        name: "path",
        kind: Kind::Text,
        doc: "A glob of files; without one, every file.",
        example: "\"src/admin/**\"",
        required: false,
    },
    Key {
        name: "reason",
        kind: Kind::Text,
        doc: "Why it is accepted.",
        example: "\"one operator at a time\"",
        required: true,
    },
];

/// The JSON schema (draft 2020-12) of racelint.toml; `rules` are the ids that exist.
pub fn schema(rules: &[&str]) -> Value {
    let mut schema = object(&KEYS, rules);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("racelint.toml");
    schema
}

/// A file in which every key stands, commented out, under its documentation. `set` are keys whose value is known
/// already, in TOML; they are not commented out.
pub fn template(set: &[(&str, String)]) -> String {
    let mut text = String::from(
        "# racelint: https://docs.rs/racelint\n# Every key with its meaning; what is commented out is an example.\n",
    );
    section(&mut text, "", &KEYS, set);
    text
}

fn object(keys: &[Key], rules: &[&str]) -> Value {
    let properties: Map<_, _> = keys
        .iter()
        .map(|key| {
            let mut property = property(&key.kind, rules);
            property["description"] = json!(key.doc.replace('\n', " "));
            (key.name.to_owned(), property)
        })
        .collect();
    let required: Vec<_> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(kind: &Kind, rules: &[&str]) -> Value {
    match kind {
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Index => json!({ "type": "integer", "minimum": 0, "maximum": 255 }),
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string", "minLength": 1 } }),
        Kind::Levels => {
            let properties: Map<_, _> =
                rules.iter().map(|&rule| (rule.to_owned(), json!({ "enum": LEVELS }))).collect();
            json!({ "type": "object", "properties": properties, "additionalProperties": false })
        }
        Kind::Table(keys) => object(keys, rules),
        Kind::Tables(keys) => json!({ "type": "array", "items": object(keys, rules) }),
    }
}

fn section(text: &mut String, prefix: &str, keys: &[Key], set: &[(&str, String)]) {
    for key in keys {
        let name = format!("{prefix}{}", key.name);
        text.push('\n');
        key.doc.lines().for_each(|line| *text += &format!("# {line}\n"));
        match &key.kind {
            Kind::Table(keys) => {
                *text += &format!("# [{name}]\n");
                section(text, &format!("{name}."), keys, set);
            }
            Kind::Tables(keys) => {
                *text += &format!("# [[{name}]]\n");
                section(text, &format!("{name}."), keys, set);
            }
            Kind::Levels => *text += &format!("# [{name}]\n# {}\n", key.example),
            _ => match set.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => *text += &format!("{} = {value}\n", key.name),
                None => *text += &format!("# {} = {}\n", key.name, key.example),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_a_schema_and_names_every_key() {
        let schema = schema(&["lost-update"]);
        assert!(jsonschema::meta::is_valid(&schema));
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&json!({ "dialect": "mysql", "rules": { "lost-update": "off" } })));
        assert!(!validator.is_valid(&json!({ "dialct": "mysql" })));
        assert!(!validator.is_valid(&json!({ "allow": [{ "rule": "lost-update" }] })));
    }

    #[test]
    fn the_commented_file_is_valid_with_and_without_its_comments() {
        let set = [("dialect", "\"mysql\"".to_owned())];
        let text = template(&set);
        assert_eq!(text.parse::<toml::Table>().unwrap().len(), 1);
        // An example is a line that holds a table's name or a value; documentation is a sentence.
        let lines = text.lines().map(|line| {
            let example = line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = "));
            example.unwrap_or(line)
        });
        let whole = lines.collect::<Vec<_>>().join("\n");
        let config = crate::config::parse(
            &whole,
            "racelint.toml",
            std::path::Path::new("/x"),
            &["lost-update", "check-then-insert"],
        );
        let config = config.unwrap_or_else(|error| panic!("{error}\n{whole}"));
        assert_eq!((config.clients.len(), config.allows.len(), config.rules.len()), (1, 1, 1));
    }
}
