//! Programs that would grow without end are given up aloud, at the same place every time, and the rest is still judged.

use std::fmt::Write;

use racelint::config::Config;
use racelint::source;
use racelint::{Analysis, analyse};

const MANIFEST: &str =
    "[package]\nname = 'shop'\n[dependencies]\nlettre = '0.11'\nsqlx = { version = '0.8', features = ['postgres'] }\n";

const HONEST: &str = r#"
    pub async fn pay(pool: &sqlx::PgPool, id: i64, price: i64) -> Result<(), sqlx::Error> {
        let balance: i64 = sqlx::query_scalar("SELECT balance FROM purses WHERE id = $1").bind(id).fetch_one(pool).await?;
        if balance >= price {
            let left = balance - price;
            sqlx::query("UPDATE purses SET balance = $1 WHERE id = $2").bind(left).bind(id).execute(pool).await?;
        }
        Ok(())
    }
"#;

const HEAD: &str = "(pool: &PgPool, id: i64, n: i32) -> Result<i32, sqlx::Error>";
const READ: &str =
    r#"sqlx::query_scalar::<_, i32>("SELECT used FROM t WHERE id = $1").bind(id).fetch_one(pool).await?"#;
const WRITE: &str = r#"sqlx::query("UPDATE t SET used = $1 WHERE id = $2").bind(n).bind(id).execute(pool).await?"#;

/// Analyses a hostile file beside an honest one, on the stack that the command line gives.
fn analysed(hostile: String) -> Analysis {
    let work = move || {
        let files = [
            ("Cargo.toml", MANIFEST.to_owned()),
            ("src/lib.rs", "pub mod honest; pub mod x;".to_owned()),
            ("src/honest.rs", HONEST.to_owned()),
            ("src/x.rs", format!("use sqlx::PgPool;\n{hostile}")),
        ];
        let workspace = source::memory(files.map(|(path, text)| (path.to_owned(), text)).to_vec());
        analyse(&workspace, &Config::default())
    };
    let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(work).expect("a thread");
    let analysis = worker.join().expect("no panic");
    assert!(analysis.findings.iter().any(|finding| finding.table == "purses"), "the honest race is not found");
    assert_eq!(analysis.notices, []);
    analysis
}

fn gives_up(analysis: &Analysis, why: &str) {
    let reasons: Vec<&String> = analysis.statistics.unknown.keys().collect();
    assert!(analysis.statistics.unknown.contains_key(why), "{reasons:?}");
}

fn body(text: &str) -> String {
    format!("pub async fn f{HEAD} {{ {text} Ok(n) }}")
}

#[test]
fn closures_that_call_closures_twice() {
    let mut steps = format!("let h0 = || async {{ let n = {READ}; if n > 0 {{ {WRITE}; }} Ok(n) }};");
    for n in 1..40 {
        let _ = write!(steps, "let h{n} = || async {{ h{}().await?; h{}().await }};", n - 1, n - 1);
    }
    let analysis = analysed(body(&(steps + "h39().await?;")));
    gives_up(&analysis, "a function whose closures are called too often");
}

#[test]
fn functions_that_all_call_each_other() {
    let calls: String = (0..14).map(|n| format!("f{n}(pool, id, n).await?;")).collect();
    let functions = (0..14).map(|n| format!("pub async fn f{n}{HEAD} {{ let n = {READ}; {calls} {WRITE}; Ok(n) }}\n"));
    let analysis = analysed(functions.collect());
    gives_up(&analysis, "a function with too many statements below it");
}

#[test]
fn values_that_double_at_each_call() {
    let mut text = format!("async fn v0(pool: &PgPool, id: i64) -> Result<i32, sqlx::Error> {{ Ok({READ}) }}\n");
    text += "fn g0(a: S) -> S { a }\n";
    for n in 1..20 {
        let _ = writeln!(text, "fn g{n}(a: i32) -> S {{ S {{ left: g{}(new()), right: g{}(new()) }} }}", n - 1, n - 1);
    }
    let analysis = analysed(text + &body(&format!("let s = g19(n); if s.left.right.n > {READ} {{ {WRITE}; }}")));
    gives_up(&analysis, "a function with too much below it");
}

#[test]
fn a_function_of_ten_thousand_statements() {
    let reads: String = (0..2_500).map(|n| format!("let a{n} = {READ};")).collect();
    let analysis = analysed(body(&reads));
    gives_up(&analysis, "a function with too many statements");
}

#[test]
fn variables_beyond_the_limit_hide_older_ones() {
    let many: String = (0..1_200).map(|n| format!("let a{n} = n;")).collect();
    let racy = format!("let used = {READ}; {many} let used = n; if used > 0 {{ {WRITE}; }}");
    let analysis = analysed(body(&racy));
    gives_up(&analysis, "a function with too many variables");
    assert!(analysis.findings.iter().all(|finding| finding.table != "t"), "{:?}", analysis.findings);
}

#[test]
fn constants_in_a_long_row() {
    let constants: String = (0..30_000).map(|n| format!("const C{n}: &str = C{};\n", n + 1)).collect();
    let analysis = analysed(constants + &body("sqlx::query(C0).execute(pool).await?;"));
    gives_up(&analysis, "constants nested too deeply");
}

#[test]
fn values_that_go_through_a_hundred_thousand_steps() {
    let deeper = "n = -n;".repeat(100_000);
    analysed(format!("fn g(mut n: i32) -> i32 {{ {deeper} n }}\n{}", body(&format!("let n = g({READ}); {WRITE};"))));
}

#[test]
fn tuples_that_wrap_what_they_are_given() {
    let wrap = "let n = g(n);".repeat(20_000);
    analysed(format!("fn g(n: A) -> A {{ (((((((n,),),),),),),) }}\n{}", body(&(wrap + "h(n);"))));
}

#[test]
fn more_parameters_than_sixteen_bits_count() {
    let parameters = "a: A, ".repeat(70_000);
    analysed(format!("fn g({parameters}) {{}}\n{}", body("")));
}

/// A function that reads, and then writes through so many calls.
fn read_and_write_through(calls: usize) -> String {
    let mut text = format!("async fn w0{HEAD} {{ {WRITE}; Ok(n) }}\n");
    for n in 1..calls {
        let _ = writeln!(text, "async fn w{n}{HEAD} {{ w{}(pool, id, n).await }}", n - 1);
    }
    let last = calls - 1;
    let _ = write!(
        text,
        "pub async fn f{HEAD} {{ let n = {READ}; if n > 0 {{ w{last}(pool, id, n - 1).await?; }} Ok(n) }}"
    );
    text
}

#[test]
fn a_write_is_followed_through_ten_calls() {
    let tables = |analysis: &Analysis| -> Vec<String> {
        analysis.findings.iter().map(|finding| finding.table.clone()).filter(|table| table == "t").collect()
    };
    assert_eq!(tables(&analysed(read_and_write_through(10))), ["t"]);
    let further = analysed(read_and_write_through(14));
    assert_eq!(tables(&further), [""; 0]);
    gives_up(&further, "a statement too many calls below");
}

#[test]
fn one_of_many_conditions_far_below_stands_for_those_that_look_at_the_same() {
    let mut text = String::new();
    for n in 0..10 {
        let _ = write!(text, "async fn g{n}{HEAD} {{ let used = {READ};");
        for limit in 0..60 {
            let _ = write!(text, " if used > {limit} + n {{ return Err(sqlx::Error::RowNotFound); }}");
        }
        text.push_str(" Ok(used) }\n");
    }
    let _ = write!(text, "async fn c0{HEAD} {{");
    for n in 0..10 {
        let _ = write!(text, " g{n}(pool, id, n).await?;");
    }
    text.push_str(" Ok(n) }\n");
    for n in 1..4 {
        let _ = writeln!(text, "async fn c{n}{HEAD} {{ c{}(pool, id, n).await }}", n - 1);
    }
    let _ = write!(text, "pub async fn f{HEAD} {{ c3(pool, id, n).await?; {WRITE}; Ok(n) }}");
    let analysis = analysed(text);
    assert!(analysis.findings.iter().any(|finding| finding.table == "t"), "{:?}", analysis.findings);
    gives_up(&analysis, "a function with too many conditions below it");
}

#[test]
fn a_helper_that_sends_a_hundred_mails_is_still_one_that_sends() {
    let mut text = "use lettre::{Message, SmtpTransport, Transport};
        async fn tell(mailer: &SmtpTransport, mail: &Message) {"
        .to_owned();
    for _ in 0..100 {
        text.push_str(" mailer.send(mail);");
    }
    let _ = write!(
        text,
        "}}\npub async fn f(pool: &PgPool, id: i64, mailer: &SmtpTransport, mail: &Message)
          -> Result<(), sqlx::Error> {{
            let told: bool = sqlx::query_scalar(\"SELECT told FROM t WHERE id = $1\").bind(id).fetch_one(pool).await?;
            if !told {{
                tell(mailer, mail).await;
                sqlx::query(\"UPDATE t SET told = true WHERE id = $1\").bind(id).execute(pool).await?;
            }}
            Ok(())
        }}"
    );
    let rules: Vec<&str> =
        analysed(text).findings.iter().filter(|finding| finding.table == "t").map(|finding| finding.rule).collect();
    assert_eq!(rules, ["double-fire"]);
}
