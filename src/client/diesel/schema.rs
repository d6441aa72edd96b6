//! `table!` and `joinable!`: the modules they generate, and the tables they describe.
//!
//! Source of the grammar: docs.rs/diesel, macros `table!` and `joinable!`.

use rustc_hash::FxHashMap;

use crate::link::Program;
use crate::lower::tree::{Const, FileTree, ModuleDecl, Name, Scope, Segment, Ty, TyPath, Use};
use crate::source::Workspace;
use crate::sql::schema::{ColumnDef, ForeignKey, OnDelete, TableDef};

/// The tables that a program's `table!` macros describe, and how they are joined.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    by_name: FxHashMap<Name, TableDef>,
    /// The tables by the names of their modules, for attributes whose path leads nowhere.
    modules: FxHashMap<Name, (Option<Name>, Name)>,
    /// `joinable!(child -> parent (column))`.
    joins: Vec<(Name, Name, Name)>,
}

/// One table as a `table!` macro describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableMacro {
    /// The name of the module that is generated.
    pub module: Name,
    pub schema: Option<Name>,
    /// The table's name in the database.
    pub table: Name,
    /// Each column by its name in Rust.
    pub columns: Vec<(Name, ColumnDef)>,
    /// The columns of the primary key, by their names in the database.
    pub primary_key: Vec<Name>,
}

/// What a constant of a generated module stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generated {
    Table { schema: Option<Name>, table: Name },
    Column { table: Name, column: Name },
    AllColumns { table: Name },
}

impl Tables {
    /// Reads all `table!` and `joinable!` macros of a program.
    pub fn read(program: &Program, workspace: &Workspace) -> Self {
        let mut tables = Self::default();
        let mut joins = Vec::new();
        for lowered in program.trees() {
            let Some(file) = workspace.files.get(lowered.file.0 as usize) else { continue };
            for call in &lowered.tree.macros {
                match call.path.last().map(Name::as_str) {
                    Some("table") => {
                        for found in table_macros(call.tokens.of(&file.text)) {
                            tables.add(found);
                        }
                    }
                    Some("joinable") => joins.extend(joinable(call.tokens.of(&file.text))),
                    _ => {}
                }
            }
        }
        for (child, parent, column) in joins {
            let named = |module: &Name| tables.modules.get(module).map(|(_, table)| table.clone());
            let (Some(child), Some(parent)) = (named(&child), named(&parent)) else { continue };
            tables.joins.push((child, parent, column));
        }
        tables
    }

    /// Whether the program has no table of diesel's.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub fn table(&self, name: &str) -> Option<&TableDef> {
        self.by_name.get(name)
    }

    /// The columns of a table's primary key; `id` when nothing is known of it.
    pub fn primary_key(&self, table: &str) -> Vec<Name> {
        match self.table(table) {
            Some(def) => def.primary_key.clone(),
            None => vec![Name::new("id")],
        }
    }

    /// The table of a module, by the module's last name.
    pub fn module(&self, name: &str) -> Option<(Option<Name>, Name)> {
        self.modules.get(name).cloned()
    }

    /// The column that joins two tables, and the table it is of; the other side is the other table's primary key.
    pub fn join(&self, a: &str, b: &str) -> Option<(Name, Name, Name)> {
        let found =
            self.joins.iter().find(|(child, parent, _)| (child == a && parent == b) || (child == b && parent == a));
        found.cloned()
    }

    fn add(&mut self, found: TableMacro) {
        self.modules.entry(found.module.clone()).or_insert_with(|| (found.schema.clone(), found.table.clone()));
        self.by_name.entry(found.table.clone()).or_insert_with(|| found.def());
    }
}

impl TableMacro {
    /// The table as the schema keeps it. Unique constraints are not known here.
    pub fn def(&self) -> TableDef {
        TableDef {
            columns: self.columns.iter().map(|(_, column)| column.clone()).collect(),
            primary_key: self.primary_key.clone(),
            ..TableDef::default()
        }
    }
}

/// All tables that a program's `table!` macros describe, with the references that `joinable!` tells, in source order.
pub fn tables(program: &Program, workspace: &Workspace) -> Vec<(Name, TableDef)> {
    let known = Tables::read(program, workspace);
    let mut found: Vec<(Name, TableDef)> = known.by_name.into_iter().collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (child, parent, column) in known.joins {
        if let Some((_, def)) = found.iter_mut().find(|(name, _)| *name == child) {
            let (columns, on_delete) = (vec![column], OnDelete::Unsaid);
            def.foreign_keys.push(ForeignKey { columns, table: parent, references: Vec::new(), on_delete });
        }
    }
    found
}

/// Adds to a file's tree the modules that its `table!` macros generate, so that paths, `use` lines and globs lead to
/// tables and columns as they do for the compiler. Each name is a constant whose type [`generated`] reads.
pub fn expand(tree: &mut FileTree, text: &str) {
    let calls: Vec<(Scope, TableMacro, crate::span::Range)> = tree
        .macros
        .iter()
        .filter(|call| call.path.last().is_some_and(|name| name == "table"))
        .flat_map(|call| {
            let found = table_macros(call.tokens.of(text));
            found.into_iter().map(|table| (call.scope.clone(), table, call.at))
        })
        .collect();
    for (scope, table, at) in calls {
        Expansion { tree, at }.table(&scope, &table);
    }
}

/// What a constant's type says of it; none for constants that no `table!` generated.
pub fn generated(ty: &Ty) -> Option<Generated> {
    let Ty::Path(path) = ty else { return None };
    let names: Vec<&Name> = path.segments.iter().map(|segment| &segment.name).collect();
    match names.as_slice() {
        [mark, kind, schema, table] if *mark == MARK && *kind == "table" => {
            Some(Generated::Table { schema: (!schema.is_empty()).then(|| (*schema).clone()), table: (*table).clone() })
        }
        [mark, kind, table] if *mark == MARK && *kind == "all" => {
            Some(Generated::AllColumns { table: (*table).clone() })
        }
        [mark, kind, table, column] if *mark == MARK && *kind == "column" => {
            Some(Generated::Column { table: (*table).clone(), column: (*column).clone() })
        }
        _ => None,
    }
}

/// No path in Rust text begins with this name.
const MARK: &str = "diesel!";

struct Expansion<'a> {
    tree: &'a mut FileTree,
    at: crate::span::Range,
}

impl Expansion<'_> {
    fn table(&mut self, scope: &Scope, table: &TableMacro) {
        let module = below(scope, &table.module);
        let columns = below(&module, "columns");
        let dsl = below(&module, "dsl");
        self.module(scope, &table.module);
        self.module(&module, "columns");
        self.module(&module, "dsl");
        let schema = table.schema.clone().unwrap_or_default();
        let whole = [Name::new("table"), schema, table.table.clone()];
        self.constant(&module, "table", &whole);
        self.constant(&dsl, &table.module, &whole);
        let all = [Name::new("all"), table.table.clone()];
        for place in [&module, &dsl, &columns] {
            self.constant(place, "all_columns", &all);
            self.constant(place, "star", &all);
        }
        for (name, column) in &table.columns {
            let names = [Name::new("column"), table.table.clone(), column.name.clone()];
            self.constant(&columns, name, &names);
        }
        self.glob(&module, &["self", "columns"]);
        self.glob(&dsl, &["super", "columns"]);
    }

    fn module(&mut self, scope: &Scope, name: &str) {
        let decl = ModuleDecl { scope: scope.clone(), name: Name::new(name), path: None, file: false, test: false };
        self.tree.modules.push(decl);
    }

    fn constant(&mut self, scope: &Scope, name: &str, names: &[Name]) {
        let names = std::iter::once(Name::new(MARK)).chain(names.iter().cloned());
        let segments = names.map(|name| Segment { name, args: Vec::new(), bindings: Vec::new() }).collect();
        self.tree.consts.push(Const {
            scope: scope.clone(),
            in_impl: None,
            name: Name::new(name),
            ty: Ty::Path(TyPath { qself: None, segments }),
            value: None,
            at: self.at,
        });
    }

    fn glob(&mut self, scope: &Scope, path: &[&str]) {
        self.tree.uses.push(Use {
            scope: scope.clone(),
            path: path.iter().map(Name::new).collect(),
            name: Name::default(),
            glob: true,
            public: true,
        });
    }
}

fn below(scope: &Scope, name: &str) -> Scope {
    let mut inner = scope.clone();
    inner.push(Name::new(name));
    inner
}

/// Reads the tokens of a `table!` macro. What is not of its grammar is left out.
pub fn table_macros(text: &str) -> Vec<TableMacro> {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let mut found = Vec::new();
    while reader.at < tokens.len() && found.len() < 1_000 {
        let before = reader.at;
        found.extend(reader.table());
        if reader.at == before {
            reader.at += 1;
        }
    }
    found
}

fn joinable(text: &str) -> Option<(Name, Name, Name)> {
    let tokens = tokens(text);
    let words: Vec<&str> = tokens.iter().map(String::as_str).filter(|token| is_word(token)).collect();
    // Paths may qualify the tables: `schema::posts -> schema::users (user_id)`.
    let arrow = tokens.iter().position(|token| token == "->")?;
    let child = tokens.get(arrow.checked_sub(1)?)?;
    let open = tokens.iter().position(|token| token == "(")?;
    let parent = tokens.get(open.checked_sub(1)?)?;
    Some((Name::new(child), Name::new(parent), Name::new(words.last()?)))
}

struct Reader<'a> {
    tokens: &'a [String],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or_default()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn table(&mut self) -> Option<TableMacro> {
        while self.take("use") {
            while !matches!(self.peek(), ";" | "") {
                self.at += 1;
            }
            self.take(";");
        }
        let sql_name = self.attributes();
        let mut name = self.word()?;
        let mut schema = None;
        if self.take(".") {
            schema = Some(name);
            name = self.word()?;
        }
        let mut primary_key = Vec::new();
        if self.take("(") {
            while !matches!(self.peek(), ")" | "") {
                let key = self.next();
                if is_word(&key) {
                    primary_key.push(Name::new(key));
                }
            }
            self.take(")");
        }
        if primary_key.is_empty() {
            primary_key.push(Name::new("id"));
        }
        if !self.take("{") {
            return None;
        }
        let mut columns = Vec::new();
        while !matches!(self.peek(), "}" | "") {
            let Some(column) = self.column() else { break };
            columns.push(column);
        }
        while !matches!(self.peek(), "}" | "") {
            self.at += 1;
        }
        self.take("}");
        let in_database = |rust: &Name| {
            let found = columns.iter().find(|(name, _): &&(Name, ColumnDef)| name == rust);
            found.map_or_else(|| rust.clone(), |(_, column)| column.name.clone())
        };
        let primary_key = primary_key.iter().map(in_database).collect();
        let table = Name::new(sql_name.unwrap_or_else(|| name.clone()));
        Some(TableMacro { module: Name::new(name), schema: schema.map(Name::new), table, columns, primary_key })
    }

    fn column(&mut self) -> Option<(Name, ColumnDef)> {
        let sql_name = self.attributes();
        let rust = self.word()?;
        if !self.take("->") {
            return None;
        }
        let mut ty = String::new();
        let mut depth = 0usize;
        loop {
            match self.peek() {
                "" => break,
                "," | "}" if depth == 0 => break,
                "<" | "(" => depth += 1,
                ">" | ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            ty.push_str(&self.next());
        }
        self.take(",");
        let ty = ty.to_lowercase();
        let nullable = ty.split_once('<').is_some_and(|(outer, _)| outer.ends_with("nullable"));
        let inner = match ty.split_once('<') {
            Some((_, inner)) if nullable => inner.strip_suffix('>').unwrap_or(inner).to_owned(),
            _ => ty,
        };
        let name = Name::new(sql_name.unwrap_or_else(|| rust.clone()));
        Some((Name::new(rust), ColumnDef { name, ty: inner, nullable, generated: false }))
    }

    /// Skips attributes and gives the value of `#[sql_name = "…"]`.
    fn attributes(&mut self) -> Option<String> {
        let mut sql_name = None;
        while self.take("#") {
            if !self.take("[") {
                break;
            }
            let name = self.next();
            let mut depth = 1usize;
            while depth > 0 && !self.peek().is_empty() {
                let token = self.next();
                match token.as_str() {
                    "[" => depth += 1,
                    "]" => depth -= 1,
                    text if name == "sql_name" && text.starts_with('"') => {
                        sql_name = Some(text.trim_matches('"').to_owned());
                    }
                    _ => {}
                }
            }
        }
        sql_name
    }

    fn word(&mut self) -> Option<String> {
        if !is_word(self.peek()) {
            return None;
        }
        Some(self.next())
    }
}

fn is_word(token: &str) -> bool {
    token.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
}

/// Words without `r#`, strings with their quotes, `->`, and single signs. Comments are gone.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
        } else if let Some(string) = rest.strip_prefix('"') {
            let (inner, after) = string.split_once('"').unwrap_or((string, ""));
            tokens.push(format!("\"{inner}\""));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("->") {
            tokens.push("->".to_owned());
            rest = after;
        } else if first.is_alphanumeric() || first == '_' {
            let raw = rest.strip_prefix("r#").unwrap_or(rest);
            let end = raw.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(raw.len());
            let (word, after) = raw.split_at(end);
            tokens.push(word.to_owned());
            rest = after;
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    tokens
}
