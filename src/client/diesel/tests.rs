//! Functions over a small schema, and the SQL text that says the same.

mod reads;
mod transactions;
mod writes;

use crate::config::Config;
use crate::dialect::Dialect;
use crate::event::{Event, EventKind};
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId, Terms};
use crate::link::Program;
use crate::lower::{STACK, lower};
use crate::source::memory;
use crate::sql::statement::{Output, Statement};

const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n\
     diesel = { version = \"2\", features = [\"postgres\", \"r2d2\"] }\ndiesel-async = \"0.5\"\n";

const SCHEMA: &str = "
diesel::table! {
    accounts (id) { id -> BigInt, owner_id -> BigInt, balance -> BigInt, note -> Nullable<Text>, version -> BigInt, }
}
diesel::table! { counters (name) { name -> Text, n -> BigInt, } }
diesel::table! { use diesel::sql_types::*; /// Whose.
    pg.owners (id) { id -> BigInt, #[sql_name = \"type\"] type_ -> Text, } }
diesel::table! { seats (show_id, number) { show_id -> Int4, number -> Int4, taken_by -> Nullable<BigInt>, } }
diesel::joinable!(accounts -> owners (owner_id));
diesel::allow_tables_to_appear_in_same_query!(accounts, owners);
";

const MODELS: &str = "
use crate::schema::{accounts, seats};
use diesel::prelude::*;

#[derive(Queryable, Selectable, Identifiable, AsChangeset, Clone)]
#[diesel(table_name = accounts)]
pub struct Account { pub id: i64, pub owner_id: i64, pub balance: i64, pub note: Option<String>, pub version: i64 }

#[derive(Insertable)]
#[diesel(table_name = crate::schema::accounts)]
pub struct NewAccount<'a> { pub owner_id: i64, #[diesel(column_name = note)] pub remark: &'a str }

#[derive(AsChangeset, Default)]
#[diesel(table_name = accounts)]
pub struct AccountForm { pub balance: Option<i64>, pub version: Option<i64> }

#[derive(Queryable, Identifiable)]
#[diesel(table_name = seats, primary_key(show_id, number))]
pub struct Seat { pub show_id: i32, pub number: i32, pub taken_by: Option<i64> }

#[derive(Queryable, Identifiable)]
#[diesel(table_name = crate::schema::owners)]
pub struct Owner { pub id: i64, pub kind: String }

#[derive(Queryable, Identifiable, Associations)]
#[diesel(belongs_to(Owner), table_name = accounts)]
pub struct OwnedAccount { pub id: i64, pub owner_id: i64 }

#[derive(Debug)]
#[cfg_attr(feature = \"rows\", derive(HasQuery, Identifiable), diesel(table_name = accounts))]
pub struct Purse { pub id: i64, pub balance: i64 }
";

/// A function's events: of statements what they do, of the rest their kind.
struct Told {
    statements: Vec<Statement>,
    /// The binds of each statement, as text.
    binds: Vec<String>,
    listing: Vec<String>,
}

/// Evaluates the last function of a body of code that stands beside the schema and the models.
fn told(code: &str) -> Told {
    let code = format!("use crate::models::*;\nuse crate::schema;\nuse diesel::prelude::*;\n{code}");
    let on_stack = move || {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let workspace = memory(vec![
            file("Cargo.toml", MANIFEST),
            file("src/lib.rs", "pub mod schema; pub mod models; pub mod code;"),
            file("src/schema.rs", SCHEMA),
            file("src/models.rs", MODELS),
            file("src/code.rs", &code),
        ]);
        let trees = workspace
            .files
            .iter()
            .filter(|file| file.path.ends_with(".rs"))
            .map(|file| lower(file.id, &file.text).unwrap_or_else(|refused| panic!("{refused:?}")))
            .collect();
        let program = Program::build(&workspace, trees);
        let config = Config::default();
        let mut evaluator = Evaluator::new(&program, &workspace, &config);
        let last = program.functions().filter(|id| program.path_of(*id).contains("code::")).last();
        let flow = evaluator.flow(last.expect("a function")).expect("a flow");
        let statements = flow.events.iter().filter_map(|event| event.access());
        Told {
            statements: statements.clone().map(|access| (*access.statement).clone()).collect(),
            binds: statements
                .map(|access| {
                    access.binds.iter().map(|term| shown(&evaluator.terms, *term)).collect::<Vec<_>>().join(", ")
                })
                .collect(),
            listing: flow.events.iter().map(kind).collect(),
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(on_stack).expect("a thread");
    thread.join().expect("no panic")
}

fn kind(event: &Event) -> String {
    match &event.kind {
        EventKind::Access(access) => {
            let tables: Vec<&str> = access.statement.accesses.iter().map(|access| access.table.name.as_str()).collect();
            let required = if access.row_required { "!" } else { "" };
            format!("{:?} {}{required}", access.statement.verb, tables.join(", "))
        }
        EventKind::Begin { isolation, mode, .. } => format!("Begin {isolation:?} {mode:?}"),
        other => format!("{other:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned(),
    }
}

fn shown(terms: &Terms, term: TermId) -> String {
    match terms.get(term) {
        Term::Param(_, at) => format!("p{at}"),
        Term::Literal(text) => text.to_string(),
        Term::Field(of, name) => format!("{}.{name}", shown(terms, *of)),
        Term::Row(_) => "row".to_owned(),
        Term::Count(_) => "count".to_owned(),
        Term::Computed(by, parts) => {
            let parts: Vec<String> = parts.iter().map(|part| shown(terms, *part)).collect();
            format!("{by}({})", parts.join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// Asserts that a body sends exactly the statements that SQL text gives, apart from the names of their results and which of
/// several tables they are of.
fn says(code: &str, sql: &str) {
    let told = told(code);
    let parsed = crate::sql::parse::parse(sql, Dialect::Postgres);
    assert_eq!(parsed.unknown, [], "{sql}");
    let bare = |statement: &Statement| -> Statement {
        let unnamed = |output: &Output| Output { name: "".into(), of: None, ..output.clone() };
        let output = statement.output.iter().map(unnamed).collect();
        Statement { output, ..statement.clone() }
    };
    let ours: Vec<Statement> = told.statements.iter().map(bare).collect();
    let theirs: Vec<Statement> = parsed.statements.iter().map(bare).collect();
    assert_eq!(ours, theirs, "\n{code}\n{sql}\n{:?}", told.listing);
}

/// The values that the statements of a body are sent with.
fn binds(code: &str) -> String {
    told(code).binds.join("; ")
}

fn listing(code: &str) -> String {
    told(code).listing.join("; ")
}
