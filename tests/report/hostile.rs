//! Sources that want to break the report: no panic, no raw control character, no workflow command, no flood.

use proptest::prelude::*;
use racelint::finding::{Finding, Role};
use racelint::report::{Format, Options};
use racelint::source::Workspace;
use racelint::span::{FileId, Range, Span};

use crate::example::{coupon, label, rendered, shop, workspace};
use crate::harmless::assert_harmless;

/// The example finding with all its places and words replaced.
fn hostile(spans: &[Span], words: &str) -> Finding {
    let shop = shop();
    let mut finding = coupon(&shop);
    finding.at = spans[0];
    finding.message = words.to_string();
    finding.why = words.to_string();
    finding.function = words.to_string();
    finding.table = words.to_string();
    finding.judged_for = words.to_string();
    let roles = [Role::Read, Role::Check, Role::Write, Role::Lock];
    finding.labels = spans.iter().zip(roles.iter().cycle()).map(|(&span, &role)| label(role, span, words)).collect();
    for (step, span) in finding.story.steps.iter_mut().zip(spans.iter().cycle()) {
        step.text = words.to_string();
        step.state = Some(words.to_string());
        step.span = Some(*span);
    }
    finding.story.outcome = words.to_string();
    for rewrite in &mut finding.rewrites {
        rewrite.title = words.to_string();
        rewrite.text = words.to_string();
        rewrite.note = words.to_string();
    }
    finding
}

fn assert_all_formats(workspace: &Workspace, finding: &Finding) {
    for format in Format::ALL {
        for (unicode, width) in [(true, 100), (false, 30)] {
            let options = Options { unicode, width, verbose: true, ..Options::default() };
            let out = rendered(format, workspace, std::slice::from_ref(finding), &options);
            assert_harmless(format, &out);
            if matches!(format, Format::Json | Format::Sarif | Format::Gitlab) {
                assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{format}: {out}");
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "::error::x",
        "##[error]",
        "\u{1b}[31m",
        "\u{1b}]8;;http://x\u{7}",
        "\u{9b}",
        "\u{202e}",
        "\u{feff}",
        "\u{0}",
        "\r",
        "\r\n",
        "\n",
        "\n\n\n\n",
        "\t",
        "|",
        "](1)",
        "```",
        "]]>",
        "</details>",
        "漢",
        "😀",
        "é",
        "let x",
        " ",
        "%0A",
        "'",
        "\"",
    ]);
    prop::collection::vec(bits, 0..60).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_gets_out_raw(
        source in text(),
        path in text(),
        words in text(),
        offsets in prop::collection::vec((0u32..200, 0u32..60, 0u32..3), 1..14),
    ) {
        let workspace = workspace(&[(&path, &source), ("src/b.rs", &words)]);
        let spans: Vec<_> =
            offsets.iter().map(|&(start, len, file)| Range::new(start, start + len).in_file(FileId(file))).collect();
        assert_all_formats(&workspace, &hostile(&spans, &words));
    }
}

#[test]
fn spans_outside_of_everything_are_moved_inside() {
    let workspace = workspace(&[("src/a.rs", "é")]);
    let spans = [(0, 1), (1, 1), (1, 9), (7, u32::MAX), (u32::MAX, u32::MAX)]
        .map(|(start, end)| Range::new(start, end).in_file(FileId(0)));
    let nowhere = Range::new(3, 4).in_file(FileId(9));
    for span in spans.into_iter().chain([nowhere]) {
        assert_all_formats(&workspace, &hostile(&[span], "words"));
    }
}

#[test]
fn a_file_of_one_long_line_is_clipped_round_its_labels() {
    let line = format!("{}needle{}", "x".repeat(100_000), "y".repeat(100_000));
    let workspace = workspace(&[("src/generated.rs", &line)]);
    let needle = Range::new(100_000, 100_006).in_file(FileId(0));
    let finding = hostile(&[needle], "words");
    let out = rendered(Format::Text, &workspace, &[finding], &Options::default());
    assert!(out.contains("needle"), "{out}");
    assert!(out.contains("src/generated.rs:1:100001]"), "{out}");
    assert!(out.len() < 20_000, "{} bytes", out.len());
}

#[test]
fn labels_of_any_number_and_length_are_no_flood() {
    let source = "write(1);\n".repeat(100_000);
    let workspace = workspace(&[("src/a.rs", &source)]);
    let whole = Range::new(0, source.len() as u32).in_file(FileId(0));
    let many: Vec<_> = (0..5_000).map(|at| Range::new(at, at + 1).in_file(FileId(0))).chain([whole]).collect();
    let finding = hostile(&many, &"long words ".repeat(10_000));
    for width in [80, 100] {
        let options = Options { width, ..Options::default() };
        let out = rendered(Format::Text, &workspace, std::slice::from_ref(&finding), &options);
        // The sentences of the finding itself are not cut; there are nine of them.
        assert!(out.len() < 9 * 140_000, "{} bytes", out.len());
    }
}
