//! Chains of calls beside the SQL that means the same.

mod reads;
mod tables;
mod writes;

use std::sync::Arc;

use crate::config::Config;
use crate::dialect::Dialect;
use crate::event::{EventKind, Flow};
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId};
use crate::link::Program;
use crate::source::{Crate, Dependency, FileKind, SourceFile, Target, Workspace};
use crate::span::FileId;
use crate::sql::statement::Statement;

const ENTITIES: &str = r#"
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{all, any, Alias, Expr, Func, LockBehavior, LockType, OnConflict, PostgresQueryBuilder, Query};
use sea_orm::{ActiveValue, Condition, DbBackend, IsolationLevel, JoinType, NotSet, Set, Statement, Unchanged};
use prelude::*;

pub mod account {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub email: String,
        #[sea_orm(column_name = "amount")]
        pub balance: i64,
        pub opened_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::booking::Entity")]
        Booking,
    }
    impl ActiveModelBehavior for ActiveModel {}
    impl Entity {
        pub fn open() -> Select<Entity> {
            Self::find().filter(Column::OpenedAt.is_not_null())
        }
    }
}

pub mod booking {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "bookings", schema_name = "shop")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seat: i64,
        pub state: String,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::account::Entity",
            from = "Column::AccountId",
            to = "super::account::Column::Id",
            on_delete = "Cascade"
        )]
        Account,
    }
    impl ActiveModelBehavior for ActiveModel {}
}

pub mod prelude {
    pub use super::account::Entity as Accounts;
    pub use super::booking::Entity as Bookings;
}

#[derive(DeriveIden)]
enum Jobs {
    Table,
    Id,
    State,
    #[sea_orm(iden = "worker")]
    TakenBy,
}
"#;

/// What a function `case` does to rows: its statements, each as SQL would give it, and the values bound to them.
struct Case {
    statements: Vec<Statement>,
    binds: Vec<Vec<String>>,
    steering: Vec<String>,
}

/// Evaluates `async fn case(db: &DatabaseConnection, …) { body }` beside the entities.
fn case(params: &str, body: &str) -> Case {
    let text =
        format!("{ENTITIES}\npub async fn case(db: &DatabaseConnection, {params}) -> Result<(), DbErr> {{ {body} }}\n");
    let run = std::thread::Builder::new().stack_size(crate::lower::STACK).spawn(move || evaluated(&text));
    run.expect("a thread starts").join().expect("no panic")
}

fn workspace(text: &str) -> Workspace {
    let dependency =
        |name: &str| Dependency { name: name.into(), package: name.into(), features: Vec::new(), optional: false };
    let krate = Crate {
        name: "shop".into(),
        dependencies: vec![dependency("sea_orm"), dependency("sea_query")],
        has_lib: true,
        dialects: vec![Dialect::Postgres],
        ..Crate::default()
    };
    let file = SourceFile {
        id: FileId(0),
        path: "src/lib.rs".to_owned(),
        text: text.into(),
        kind: FileKind::Rust(Target::Main),
        krate: Some(0),
    };
    Workspace { files: vec![file], crates: vec![krate], ..Workspace::default() }
}

fn program(workspace: &Workspace) -> Program {
    let trees = workspace.files.iter().map(|file| crate::lower::lower(file.id, &file.text).expect("the source parses"));
    Program::build(workspace, trees.collect())
}

fn evaluated(text: &str) -> Case {
    let workspace = workspace(text);
    let program = program(&workspace);
    let config = Config::default();
    let mut evaluator = Evaluator::new(&program, &workspace, &config);
    let id = program.functions().find(|id| program.function(*id).name == "case").expect("a function `case`");
    let flow: Arc<Flow> = evaluator.flow(id).expect("a flow");
    let mut found = Case { statements: Vec::new(), binds: Vec::new(), steering: Vec::new() };
    for event in &flow.events {
        match &event.kind {
            EventKind::Access(access) => {
                found.statements.push((*access.statement).clone());
                found.binds.push(access.binds.iter().map(|term| shown(&evaluator, *term)).collect());
            }
            EventKind::Begin { isolation, .. } => found.steering.push(format!("begin {isolation:?}")),
            EventKind::Commit => found.steering.push("commit".to_owned()),
            EventKind::Rollback => found.steering.push("rollback".to_owned()),
            _ => {}
        }
    }
    found
}

/// A term in a few words: `id`, `row.amount`, `1`, `row.amount - n`.
fn shown(evaluator: &Evaluator<'_>, term: TermId) -> String {
    match evaluator.terms.get(term) {
        Term::Literal(text) => text.to_string(),
        Term::Param(function, index) => {
            let param = evaluator.program.function(*function).params.get(usize::from(*index));
            match param.map(|param| &param.pat) {
                Some(crate::lower::tree::Pat::Bind(name, ..)) => name.to_string(),
                _ => "?".to_owned(),
            }
        }
        Term::Row(_) => "row".to_owned(),
        Term::Count(_) => "count".to_owned(),
        Term::Field(of, name) => format!("{}.{name}", shown(evaluator, *of)),
        Term::Computed(by, parts) => {
            let parts: Vec<String> = parts.iter().map(|part| shown(evaluator, *part)).collect();
            parts.join(&format!(" {by} "))
        }
        Term::Either(parts) => parts.iter().map(|part| shown(evaluator, *part)).collect::<Vec<_>>().join("|"),
        _ => "?".to_owned(),
    }
}

/// Checks that a body's statements are those of `sql`, one for each text, and gives what is bound.
#[track_caller]
fn same(params: &str, body: &str, sql: &[&str]) -> Vec<Vec<String>> {
    let found = case(params, body);
    let wanted: Vec<Statement> =
        sql.iter().flat_map(|text| crate::sql::parse::parse(text, Dialect::Postgres).statements).map(bare).collect();
    let statements: Vec<Statement> = found.statements.into_iter().map(bare).collect();
    assert_eq!(statements, wanted, "{body}");
    found.binds
}

/// A statement without the names of its results, which a builder may choose otherwise.
fn bare(mut statement: Statement) -> Statement {
    statement.output.iter_mut().for_each(|output| output.name = "".into());
    statement
}
