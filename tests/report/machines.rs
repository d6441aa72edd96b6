//! What other programs read: JSON and SARIF against their schemas, and the positions in them.

use racelint::finding::{Finding, Label, Role, Severity};
use racelint::report::{Format, Options, Report, write};
use racelint::source::Workspace;
use racelint::span::{FileId, Range};
use serde_json::Value;

use crate::example::{counts, coupon, label, rendered, shop, withdrawal, workspace};

fn parsed(format: Format, workspace: &Workspace, findings: &[Finding]) -> Value {
    let options = Options { category: Some("backend".to_string()), ..Options::default() };
    serde_json::from_str(&rendered(format, workspace, findings, &options)).expect("JSON")
}

fn assert_valid(schema: &str, instance: &Value) {
    let mut schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    // The pattern as OASIS published it has a bracket too many, which makes it no ECMA 262 regular expression.
    for owner in ["run", "toolComponent"] {
        if let Some(language) = schema.pointer_mut(&format!("/definitions/{owner}/properties/language")) {
            language.as_object_mut().expect("an object").remove("pattern");
        }
    }
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let errors: Vec<_> =
        validator.iter_errors(instance).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

const SARIF: &str = include_str!("../data/sarif-2.1.0.json");
const OUTPUT: &str = include_str!("../../schemas/output.schema.json");

#[test]
fn json_is_what_its_schema_says() {
    let workspace = shop();
    let document = parsed(Format::Json, &workspace, &[coupon(&workspace), withdrawal(&workspace)]);
    assert_valid(OUTPUT, &document);
    let at = &document["findings"][0]["at"];
    assert_eq!(
        (at["path"].as_str(), at["line"].as_u64(), at["column"].as_u64()),
        (Some("src/coupons.rs"), Some(22), Some(5))
    );
    assert_eq!(document["counts"]["files"], 14);
}

#[test]
fn json_lines_are_the_same_findings() {
    let workspace = shop();
    let findings = [coupon(&workspace), withdrawal(&workspace)];
    let document = parsed(Format::Json, &workspace, &findings);
    let lines = rendered(Format::JsonLines, &workspace, &findings, &Options::default());
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap_or("?")).collect();
    assert_eq!(types, ["run", "finding", "finding", "notice", "counts"]);
    let mut first = lines[1].clone();
    first.as_object_mut().expect("an object").remove("type");
    assert_eq!(first, document["findings"][0]);
}

#[test]
fn sarif_is_what_its_schema_says() {
    let workspace = shop();
    let document = parsed(Format::Sarif, &workspace, &[coupon(&workspace), withdrawal(&workspace)]);
    assert_valid(SARIF, &document);
    // For `.ci/sarif-validate`, which holds it against GitHub's rules.
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/example.sarif");
    std::fs::write(path, serde_json::to_vec_pretty(&document).unwrap()).unwrap();
}

#[test]
fn a_sarif_result_has_what_github_reads() {
    let workspace = shop();
    let document = parsed(Format::Sarif, &workspace, &[coupon(&workspace), withdrawal(&workspace)]);
    let run = &document["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert_eq!(run["automationDetails"]["id"], "racelint/backend/");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region["startLine"], region["endLine"]);
        for related in result["relatedLocations"].as_array().unwrap() {
            let link = format!("]({})", related["id"]);
            assert!(result["message"]["text"].as_str().unwrap().contains(&link), "{result}");
        }
    }
    let rule = &rules[0];
    assert_eq!(rule["id"], "check-then-update");
    assert_eq!(rule["properties"]["precision"], "high");
    assert!(rule["properties"]["tags"].as_array().unwrap().contains(&"external/cwe/cwe-362".into()));
    assert!(rule["help"]["markdown"].as_str().unwrap().contains("## What goes wrong"));
}

#[test]
fn the_flow_goes_through_calls_and_both_requests() {
    let workspace = shop();
    let document = parsed(Format::Sarif, &workspace, &[withdrawal(&workspace)]);
    let flow = &document["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"];
    let texts: Vec<_> =
        flow.as_array().unwrap().iter().map(|stop| stop["location"]["message"]["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        [
            "request A calls shop::store::Accounts::balance",
            "request A, read: SELECT balance FROM accounts WHERE id = $1 → balance = 100",
            "request B calls shop::store::Accounts::balance",
            "request B, read: SELECT balance FROM accounts WHERE id = $1 → balance = 100",
            "request A, check: balance >= amount → 100 >= 80",
            "request A calls shop::store::Accounts::set_balance",
            "request A, write: UPDATE accounts SET balance = $2 WHERE id = $1 → balance = 20",
            "request B, check: balance >= amount → 100 >= 70",
            "request B calls shop::store::Accounts::set_balance",
            "request B, write: UPDATE accounts SET balance = $2 WHERE id = $1 → balance = 30",
        ]
    );
}

#[test]
fn notices_stand_in_the_invocation() {
    let workspace = shop();
    let document = parsed(Format::Sarif, &workspace, &[]);
    let notification = &document["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notification["descriptor"]["id"], "syntax");
    let location = &notification["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(location["uri"], "src/legacy.rs");
    let index = location["index"].as_u64().unwrap() as usize;
    assert_eq!(document["runs"][0]["artifacts"][index]["location"]["uri"], "src/legacy.rs");
}

#[test]
fn too_many_findings_are_cut_aloud_and_the_gravest_stay() {
    let workspace = shop();
    let mut note = coupon(&workspace);
    note.severity = Severity::Note;
    let mut findings = vec![note; 5_001];
    findings.push(withdrawal(&workspace));
    let report = Report { workspace: &workspace, findings: &findings, notices: &[], counts: counts() };
    let mut out = Vec::new();
    write(Format::Sarif, &report, &Options::default(), &mut out).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    let run = &document["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
    assert_eq!(run["results"][0]["ruleId"], "lost-update");
    let said = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(said, "2 findings left out of this file, the gravest are in it");
}

#[test]
fn other_places_of_one_finding_are_related_to_it() {
    let workspace = shop();
    let finding = withdrawal(&workspace);
    assert_eq!(finding.callers.len(), 1);
    let document = parsed(Format::Sarif, &workspace, &[finding]);
    assert_valid(SARIF, &document);
    let result = &document["runs"][0]["results"][0];
    let last = result["relatedLocations"].as_array().and_then(|all| all.last()).unwrap();
    assert_eq!(last["message"]["text"], "also reached from shop::api::post_withdrawal");
    let link = format!("Also reached from [post_withdrawal]({}).", last["id"]);
    assert!(result["message"]["text"].as_str().unwrap().contains(&link));
}

#[test]
fn too_many_places_are_cut_aloud() {
    let workspace = shop();
    let mut finding = coupon(&workspace);
    let read = finding.labels[0].clone();
    finding.labels = vec![read; 150];
    finding.story.steps = vec![finding.story.steps[0].clone(); 1_200];
    let document = parsed(Format::Sarif, &workspace, &[finding]);
    assert_valid(SARIF, &document);
    let result = &document["runs"][0]["results"][0];
    assert_eq!(result["relatedLocations"].as_array().unwrap().len(), 99);
    assert_eq!(result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap().len(), 1_000);
    let notifications = document["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(notifications[1]["descriptor"]["id"], "limit");
}

/// A byte order mark, a tab, CR LF, and characters of one, two, three and four bytes.
const ODD: &str = "\u{feff}// mark\r\n\tlet é = \"漢😀\"; read(é);\r\n\twrite(\r\n\t\té,\r\n\t);\r\n";

fn odd() -> (Workspace, Finding) {
    let workspace = workspace(&[("src/größe 1.rs", ODD)]);
    let at = |needle: &str, len: usize| {
        let start = ODD.find(needle).unwrap() as u32;
        Range::new(start, start + len as u32).in_file(FileId(0))
    };
    let shop = shop();
    let mut finding = coupon(&shop);
    finding.at = at("write(", ODD.len() - 2 - ODD.find("write(").unwrap());
    finding.labels = vec![
        label(Role::Transaction, at("// mark", 7), "the first line"),
        label(Role::Read, at("read(é)", "read(é)".len()), "reads"),
        label(Role::Write, finding.at, "writes"),
    ];
    finding.story.steps.clear();
    (workspace, finding)
}

#[test]
fn columns_count_characters_in_json_and_utf16_in_sarif() {
    let (workspace, finding) = odd();
    let document = parsed(Format::Json, &workspace, std::slice::from_ref(&finding));
    let place = |index: usize| {
        let place = &document["findings"][0]["labels"][index]["place"];
        ["line", "column", "endLine", "endColumn"].map(|key| place[key].as_u64().unwrap())
    };
    assert_eq!(place(0), [1, 1, 1, 8]);
    assert_eq!(place(1), [2, 16, 2, 23]);
    assert_eq!(place(2), [3, 2, 5, 4]);
    assert_eq!(document["findings"][0]["labels"][0]["place"]["offset"], 3);

    let document = parsed(Format::Sarif, &workspace, &[finding]);
    assert_valid(SARIF, &document);
    let result = &document["runs"][0]["results"][0];
    let place = |location: &Value| {
        let region = &location["physicalLocation"]["region"];
        ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].as_u64().unwrap())
    };
    assert_eq!(place(&result["relatedLocations"][1]), [2, 17, 2, 24]);
    // The primary place is one line, without the CR.
    assert_eq!(place(&result["locations"][0]), [3, 2, 3, 8]);
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "src/gr%C3%B6%C3%9Fe%201.rs");
}

#[test]
fn labels_stand_below_their_code_with_tabs_and_wide_characters() {
    let (workspace, finding) = odd();
    let out = rendered(Format::Text, &workspace, &[finding], &Options { quiet: true, ..Options::default() });
    let lines: Vec<_> = out.lines().collect();
    let read = lines.iter().position(|line| line.contains("read(é)")).expect("the read is shown");
    // Tab: 4, `let é = "`: 9, two wide characters: 4, `"; `: 3; the gutter is 5.
    let (shown, marks) = (lines[read], lines[read + 1]);
    assert_eq!(shown, " 2 |     let é = \"漢😀\"; read(é);");
    assert_eq!(marks.find('^'), Some(5 + 4 + 9 + 4 + 3));
    assert_eq!(marks.matches(['^', '|']).count(), 7, "{marks}");
    assert!(out.contains("src/größe 1.rs:3:2]"), "{out}");
}

#[test]
fn junit_counts_failures_and_skips() {
    let workspace = shop();
    let out = rendered(Format::Junit, &workspace, &[coupon(&workspace)], &Options::default());
    assert!(out.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{out}");
    assert!(out.contains("message=\"two requests can both find the coupon unused and both redeem it\""));
    assert!(out.contains("classname=\"shop::coupons::redeem\""));
}

#[test]
fn gitlab_gets_a_fingerprint_and_a_line() {
    let workspace = shop();
    let issues = parsed(Format::Gitlab, &workspace, &[withdrawal(&workspace)]);
    assert_eq!(issues[0]["fingerprint"], "a04be77d91c2f3e8");
    assert_eq!(issues[0]["severity"], "critical");
    assert_eq!(issues[0]["location"]["lines"]["begin"], 8);
}

#[test]
fn annotations_come_gravest_first_with_escaped_properties() {
    let workspace = workspace(&[("src/a,b:c%.rs", "write();\n")]);
    let shop = shop();
    let mut note = coupon(&shop);
    note.at = Range::new(0, 7).in_file(FileId(0));
    note.labels = vec![Label { role: Role::Write, span: note.at, text: "writes 100%\n::error::".to_string() }];
    let mut error = note.clone();
    note.severity = Severity::Note;
    error.rule = "lost-update";
    let out = rendered(Format::Github, &workspace, &[note, error], &Options::default());
    let lines: Vec<_> = out.lines().collect();
    let head = "::error title=racelint%3A lost-update,file=src/a%2Cb%3Ac%25.rs,line=1,endLine=1,col=1,endColumn=8::";
    assert!(lines[0].starts_with(head), "{}", lines[0]);
    assert!(lines[0].contains("%0Awrite at src/a,b:c%25.rs:1:1: writes 100%25 ::error::%0A"), "{}", lines[0]);
    assert!(lines[1].starts_with("::notice title=racelint%3A check-then-update,"), "{}", lines[1]);
    assert_eq!(lines.len(), 4);
}
