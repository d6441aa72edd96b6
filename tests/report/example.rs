//! Findings made by hand, as the analysis would give them.

use std::path::PathBuf;

use racelint::finding::{
    CallSite, Confidence, Finding, Interleaving, Label, Rewrite, RewriteKind, Role, Severity, StoryStep, Trace, Who,
};
use racelint::notice::{Notice, NoticeKind};
use racelint::report::{Counts, Format, Options, Report, write};
use racelint::source::{FileKind, SourceFile, Target, Workspace};
use racelint::span::{FileId, Range, Span};

pub const COUPONS: &str = r#"use sqlx::PgPool;

pub struct Coupon {
    pub id: i64,
    pub used: i32,
    pub max_uses: i32,
}

pub async fn redeem(pool: &PgPool, code: &str) -> Result<(), Error> {
    let coupon = sqlx::query_as!(
        Coupon,
        "SELECT id, used, max_uses FROM coupons WHERE code = $1",
        code
    )
    .fetch_one(pool)
    .await?;

    if coupon.used >= coupon.max_uses {
        return Err(Error::Exhausted);
    }

    sqlx::query!("UPDATE coupons SET used = used + 1 WHERE id = $1", coupon.id)
        .execute(pool)
        .await?;
    Ok(())
}
"#;

pub const HANDLER: &str = r#"use crate::store::Accounts;

impl Transfers {
    pub async fn withdraw(&self, account: AccountId, amount: Decimal) -> Result<Balance, WithdrawError> {
        let mut tx = self.pool.begin().await?;
        let balance = self.accounts.balance(&mut tx, account).await?;
        ensure!(balance >= amount, WithdrawError::InsufficientFunds { balance, amount });
        self.accounts.set_balance(&mut tx, account, balance - amount).await?;
        tx.commit().await?;
        Ok(balance - amount)
    }
}
"#;

pub const STORE: &str = r#"impl Accounts {
    pub async fn balance(&self, tx: &mut Tx<'_>, id: AccountId) -> sqlx::Result<Decimal> {
        sqlx::query_scalar("SELECT balance FROM accounts WHERE id = $1").bind(id).fetch_one(&mut **tx).await
    }

    pub async fn owner(&self, tx: &mut Tx<'_>, id: AccountId) -> sqlx::Result<UserId> {
        sqlx::query_scalar("SELECT owner_id FROM accounts WHERE id = $1").bind(id).fetch_one(&mut **tx).await
    }

    pub async fn set_balance(&self, tx: &mut Tx<'_>, id: AccountId, balance: Decimal) -> sqlx::Result<()> {
        sqlx::query("UPDATE accounts SET balance = $2 WHERE id = $1")
            .bind(id)
            .bind(balance)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}
"#;

/// Files in memory, in the given order.
pub fn workspace(files: &[(&str, &str)]) -> Workspace {
    let files = files.iter().enumerate().map(|(index, (path, text))| SourceFile {
        id: FileId(index as u32),
        path: (*path).to_string(),
        text: (*text).into(),
        kind: FileKind::Rust(Target::Main),
        krate: None,
    });
    Workspace { root: PathBuf::from("/srv/shop"), files: files.collect(), ..Workspace::default() }
}

pub fn shop() -> Workspace {
    workspace(&[("src/coupons.rs", COUPONS), ("src/handlers/withdraw.rs", HANDLER), ("src/store.rs", STORE)])
}

/// The place of the only occurrence of `needle` in a file.
pub fn span(workspace: &Workspace, file: u32, needle: &str) -> Span {
    let text = &workspace.files[file as usize].text;
    let start = text.find(needle).expect("the needle is in the file");
    assert_eq!(text.rfind(needle), Some(start), "{needle:?} is there twice");
    Range::new(start as u32, (start + needle.len()) as u32).in_file(FileId(file))
}

pub fn label(role: Role, span: Span, text: &str) -> Label {
    Label { role, span, text: text.to_string() }
}

pub fn step(who: Who, role: Role, span: Span, text: &str, state: Option<&str>) -> StoryStep {
    StoryStep { who, text: text.to_string(), state: state.map(String::from), span: Some(span), role }
}

/// A race in one function.
pub fn coupon(workspace: &Workspace) -> Finding {
    let text = &workspace.files[0].text;
    let start = text.find("sqlx::query_as!").expect("the read");
    let end = text.find(".await?;\n\n    if").expect("the end of the read");
    let read = Range::new(start as u32, (end + 6) as u32).in_file(FileId(0));
    let check = span(workspace, 0, "coupon.used >= coupon.max_uses");
    let write = span(workspace, 0, "sqlx::query!(\"UPDATE coupons SET used = used + 1 WHERE id = $1\", coupon.id)");
    let select = "SELECT id, used, max_uses FROM coupons WHERE code = $1";
    let condition = "coupon.used >= coupon.max_uses is false: go on";
    let update = "UPDATE coupons SET used = used + 1 WHERE id = $1";
    Finding {
        rule: "check-then-update",
        severity: Severity::Error,
        confidence: Confidence::High,
        message: "two requests can both find the coupon unused and both redeem it".to_string(),
        why:
            "each statement is a transaction of its own, so nothing keeps a second request from reading the row before \
              the first has changed it"
                .to_string(),
        at: write,
        labels: vec![
            label(Role::Read, read, "reads `coupons.used` and `coupons.max_uses` without a lock"),
            label(Role::Check, check, "decides on what was read"),
            label(Role::Write, write, "changes the row, whatever it holds by now"),
        ],
        story: Interleaving {
            steps: vec![
                step(Who::A, Role::Read, read, select, Some("used = 0, max_uses = 1")),
                step(Who::B, Role::Read, read, select, Some("used = 0, max_uses = 1")),
                step(Who::A, Role::Check, check, condition, None),
                step(Who::B, Role::Check, check, condition, None),
                step(Who::A, Role::Write, write, update, Some("used = 1")),
                step(Who::B, Role::Write, write, update, Some("used = 2, max_uses = 1")),
            ],
            outcome: "both redeem the coupon: used = 2 of max_uses = 1".to_string(),
        },
        rewrites: vec![
            Rewrite {
                kind: RewriteKind::AtomicStatement,
                title: "let the UPDATE check the row it changes".to_string(),
                language: "sql",
                text: "UPDATE coupons SET used = used + 1\nWHERE code = $1 AND used < max_uses".to_string(),
                note: "if `rows_affected()` is 0, return `Error::Exhausted`".to_string(),
            },
            Rewrite {
                kind: RewriteKind::RowLock,
                title: "lock the row before it is read, in one transaction with the write".to_string(),
                language: "sql",
                text: "SELECT id, used, max_uses FROM coupons WHERE code = $1 FOR UPDATE".to_string(),
                note: "pass `&mut *tx` to both statements; the lock is held until the commit".to_string(),
            },
        ],
        function: "shop::coupons::redeem".to_string(),
        table: "coupons".to_string(),
        judged_for: "PostgreSQL, READ COMMITTED".to_string(),
        traces: Vec::new(),
        callers: Vec::new(),
        fingerprint: "3f9c2a7be1d05846".to_string(),
    }
}

/// A race over three functions in two files.
pub fn withdrawal(workspace: &Workspace) -> Finding {
    let read = span(workspace, 2, "sqlx::query_scalar(\"SELECT balance FROM accounts WHERE id = $1\")");
    let check = span(workspace, 1, "balance >= amount");
    let call = span(workspace, 1, "self.accounts.set_balance(&mut tx, account, balance - amount)");
    let write = span(workspace, 2, "sqlx::query(\"UPDATE accounts SET balance = $2 WHERE id = $1\")");
    let find = span(workspace, 1, "self.accounts.balance(&mut tx, account)");
    let select = "SELECT balance FROM accounts WHERE id = $1";
    let update = "UPDATE accounts SET balance = $2 WHERE id = $1";
    Finding {
        rule: "lost-update",
        severity: Severity::Error,
        confidence: Confidence::Medium,
        message: "two withdrawals can start from the same balance, and one of them is lost".to_string(),
        why: "there is a transaction, but READ COMMITTED lets the second request read the old balance until the first \
              commits, and the UPDATE sets a value computed before"
            .to_string(),
        at: call,
        labels: vec![
            label(Role::Read, read, "reads `accounts.balance` without a lock"),
            label(Role::Check, check, "decides on it"),
            label(Role::Write, call, "writes back a balance computed from the one read"),
            label(Role::Write, write, "the write: an absolute value"),
        ],
        story: Interleaving {
            steps: vec![
                step(Who::A, Role::Read, read, select, Some("balance = 100")),
                step(Who::B, Role::Read, read, select, Some("balance = 100")),
                step(Who::A, Role::Check, check, "balance >= amount", Some("100 >= 80")),
                step(Who::A, Role::Write, write, update, Some("balance = 20")),
                step(Who::B, Role::Check, check, "balance >= amount", Some("100 >= 70")),
                step(Who::B, Role::Write, write, update, Some("balance = 30")),
            ],
            outcome: "150 were paid out of 100, and the account holds 30".to_string(),
        },
        rewrites: vec![Rewrite {
            kind: RewriteKind::AtomicStatement,
            title: "subtract in the UPDATE, and only where the balance suffices".to_string(),
            language: "sql",
            text: "UPDATE accounts SET balance = balance - $2\nWHERE id = $1 AND balance >= $2\nRETURNING balance"
                .to_string(),
            note: "no row means insufficient funds: use `fetch_optional`".to_string(),
        }],
        function: "shop::handlers::withdraw::Transfers::withdraw".to_string(),
        table: "accounts".to_string(),
        judged_for: "PostgreSQL, READ COMMITTED".to_string(),
        traces: vec![
            Trace {
                label: 0,
                calls: vec![CallSite { function: "shop::store::Accounts::balance".to_string(), span: find }],
            },
            Trace {
                label: 3,
                calls: vec![CallSite { function: "shop::store::Accounts::set_balance".to_string(), span: call }],
            },
        ],
        callers: vec![CallSite { function: "shop::api::post_withdrawal".to_string(), span: find }],
        fingerprint: "a04be77d91c2f3e8".to_string(),
    }
}

pub fn notices() -> Vec<Notice> {
    vec![Notice {
        path: "src/legacy.rs".to_string(),
        span: None,
        kind: NoticeKind::Syntax,
        text: "line 31: expected `;`, so the file was not analysed".to_string(),
    }]
}

pub fn counts() -> Counts {
    Counts { files: 14, skipped: 1, functions: 31, statements: 57, unknown: 3, low: 1, ..Counts::default() }
}

/// One report as text.
pub fn rendered(format: Format, workspace: &Workspace, findings: &[Finding], options: &Options<'_>) -> String {
    let notices = notices();
    let report = Report { workspace, findings, notices: &notices, counts: counts() };
    let mut out = Vec::new();
    write(format, &report, options, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("reports are UTF-8")
}
