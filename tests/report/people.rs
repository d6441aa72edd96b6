//! What people read: the text report in full, and the shorter forms.

use racelint::report::{Counts, Format, Options, Report, write};

use crate::example::{COUPONS, coupon, rendered, shop, withdrawal, workspace};

/// Compares with `tests/snapshots/report/NAME`; with `RACELINT_BLESS` set, writes it instead.
fn assert_snapshot(name: &str, actual: &str) {
    let path = format!("{}/tests/snapshots/report/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("RACELINT_BLESS").is_some() {
        std::fs::write(&path, actual).expect("the snapshot is writable");
    }
    let expected = std::fs::read_to_string(&path).expect("the snapshot is there");
    assert!(expected == actual, "{name} differs; now it is:\n{actual}");
}

#[test]
fn one_function_at_a_wide_terminal() {
    let workspace = shop();
    let options = Options { unicode: true, ..Options::default() };
    assert_snapshot(
        "one-function-unicode-100.txt",
        &rendered(Format::Text, &workspace, &[coupon(&workspace)], &options),
    );
}

#[test]
fn several_files_in_a_narrow_log() {
    let workspace = shop();
    let options = Options { width: 80, ..Options::default() };
    assert_snapshot(
        "several-files-ascii-80.txt",
        &rendered(Format::Text, &workspace, &[withdrawal(&workspace)], &options),
    );
}

#[test]
fn a_summary_for_a_step() {
    let workspace = shop();
    let out = rendered(Format::Markdown, &workspace, &[coupon(&workspace)], &Options::default());
    assert_snapshot("step-summary.md", &out);
}

#[test]
fn no_line_of_our_own_is_wider_than_the_terminal() {
    use unicode_width::UnicodeWidthStr;

    let workspace = shop();
    for width in [40, 60, 72, 80, 100, 140] {
        let options = Options { unicode: true, width, quiet: true, ..Options::default() };
        let out = rendered(Format::Text, &workspace, &[coupon(&workspace), withdrawal(&workspace)], &options);
        for line in out.lines().filter(|line| line.contains("request A") || line.starts_with("  why:")) {
            assert!(line.width() <= width, "{} columns of {width}: {line}", line.width());
        }
    }
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let workspace = shop();
    let findings = [coupon(&workspace), withdrawal(&workspace)];
    let plain = Options { unicode: true, ..Options::default() };
    let coloured = rendered(Format::Text, &workspace, &findings, &Options { color: true, ..plain.clone() });
    assert!(coloured.contains('\u{1b}'));
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let plain = rendered(Format::Text, &workspace, &findings, &plain);
    assert_eq!(trimmed(&without_colours(&coloured)), trimmed(&plain));
    assert!(!plain.contains('\u{1b}'));
}

fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    out + rest
}

#[test]
fn links_lead_to_files() {
    let workspace = shop();
    let options = Options { links: true, ..Options::default() };
    let out = rendered(Format::Text, &workspace, &[coupon(&workspace)], &options);
    assert!(out.contains("\u{1b}]8;;file:///srv/shop/src/coupons.rs\u{1b}\\src/coupons.rs\u{1b}]8;;\u{1b}\\"), "{out}");
}

#[test]
fn concise_is_one_line_a_finding() {
    let workspace = shop();
    let options = Options { quiet: true, ..Options::default() };
    assert_eq!(
        rendered(Format::Concise, &workspace, &[coupon(&workspace)], &options),
        "src/coupons.rs:22:5: error[check-then-update] two requests can both find the coupon unused and both redeem it\n\
         src/legacy.rs: notice[syntax] line 31: expected `;`, so the file was not analysed\n"
    );
}

#[test]
fn nothing_found_names_what_was_skipped() {
    let workspace = workspace(&[("src/coupons.rs", COUPONS)]);
    let counts = Counts { files: 1, functions: 1, statements: 2, ..Counts::default() };
    let report = Report { workspace: &workspace, findings: &[], notices: &[], counts };
    for format in [Format::Text, Format::Concise, Format::Github] {
        let mut out = Vec::new();
        write(format, &report, &Options::default(), &mut out).unwrap();
        let line = "0 findings in 1 file (0 skipped), 1 function, 2 statements, 0 not understood\n";
        assert_eq!(String::from_utf8(out).unwrap(), line, "{format}");
    }
}

#[test]
fn formats_are_known_by_name() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("yaml".parse::<Format>().unwrap_err().contains("json-lines"));
}
