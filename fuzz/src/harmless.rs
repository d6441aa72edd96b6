//! What every report keeps to, whatever it is about.

use racelint::report::Format;
use racelint::report::escape::is_unsafe;

/// That a report can be shown: no raw control character besides line ends, no command but our own annotations.
pub fn assert_harmless(format: Format, out: &str) {
    assert!(!out.chars().any(|c| c != '\n' && is_unsafe(c)), "{format}: {out:?}");
    assert!(!out.contains("##["), "{format}: {out:?}");
    for line in out.lines().filter(|line| line.trim_start().starts_with("::")) {
        let ours = ["::error title=", "::warning title=", "::notice title="];
        assert!(format == Format::Github && ours.iter().any(|start| line.starts_with(start)), "{format}: {line:?}");
    }
}
