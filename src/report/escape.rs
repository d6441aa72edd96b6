//! One escaping function for each sink. What comes from the analysed project is untrusted in all of them.
//!
//! Characters that a terminal or a viewer acts upon instead of showing them (controls, bidirectional overrides,
//! invisible format characters) never come out raw: they are shown as `\u{1b}`.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a URI's path may hold unescaped (RFC 3986, section 3.3), without `:`, so that no segment reads as a scheme.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'+')
    .remove(b'=')
    .remove(b'@');

/// Whether a character changes how others are shown, or is not shown at all.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// For a terminal or log, on one line: line ends and tabs become a space, everything else unsafe becomes visible.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(' '),
            '\r' => {}
            c => push_visible(&mut out, c),
        }
    }
    out
}

/// For a terminal or log, with lines and tabs kept: code that is shown as a block.
pub fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            '\r' => {}
            c => push_visible(&mut out, c),
        }
    }
    out
}

/// One character as a terminal may show it.
pub fn push_visible(out: &mut String, c: char) {
    if is_unsafe(c) {
        // Writing to a string does not fail.
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    } else {
        out.push(c);
    }
}

/// For whole output that may land in the log of a workflow: no line begins with `::`, and `##[` stands nowhere.
/// GitHub's runner takes such lines for commands.
pub fn log(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        if rest.starts_with("::") {
            out.push_str(&line[..line.len() - rest.len()]);
            out.push_str(": ");
            out.push_str(&rest[1..]);
        } else {
            out.push_str(line);
        }
    }
    while out.contains("##[") {
        out = out.replace("##[", "# #[");
    }
    out
}

/// For JSON that a serializer wrote: what it leaves raw and a viewer would act upon becomes `\uXXXX`, without a change
/// of meaning. `##[` is broken up in the same way.
pub fn json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    for (at, c) in document.char_indices() {
        let command = c == '#' && document[at..].starts_with("#[") && out.ends_with('#');
        if command || (c != '\n' && is_unsafe(c)) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A relative path as a relative URI. A `%` in the path is escaped like any other character.
pub fn uri(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// The text of a SARIF message: nothing in it reads as an embedded link (SARIF 2.1.0, section 3.11.6).
pub fn sarif(text: &str) -> String {
    line(text).replace("](", "] (")
}

/// The text behind `::` of a workflow command.
pub fn command_data(text: &str) -> String {
    line(text).replace('%', "%25").replace("##[", "# #[")
}

/// The value of a property of a workflow command.
pub fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text and attribute values of XML 1.0.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in block(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            // Not characters of XML 1.0 (section 2.2), though Unicode has them.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Running text and cells of GitHub's Markdown: one line, and no character in it has a meaning of its own
/// (CommonMark 0.31, section 2.4: every ASCII punctuation character may be escaped by a backslash).
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // At the start of a line these two would make a list or a heading.
            '-' | '=' if !out.is_empty() => out.push(c),
            ',' | ';' | '/' | '?' | '\'' | '"' | '%' => out.push(c),
            c if c.is_ascii_punctuation() => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// The text of an HTML element on one line; inside of a block of HTML, Markdown is not read.
pub fn html(text: &str) -> String {
    line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A fenced block of Markdown whose fence is longer than any run of backticks in the text.
pub fn markdown_block(language: &str, text: &str) -> String {
    let text = block(text);
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hostile() -> impl Strategy<Value = String> {
        let bits = prop::sample::select(vec![
            "::error::",
            "##[error]",
            "#",
            "##",
            "[",
            "](",
            "|",
            "`",
            "```",
            "\n",
            "\r\n",
            "\t",
            "\u{1b}[31m",
            "\u{7}",
            "\u{9b}",
            "\u{202e}",
            "\u{feff}",
            "\u{e0041}",
            "%0A",
            "&",
            "<b>",
            "]]>",
            "\"",
            "é",
            "漢",
            "😀",
            "a",
            " ",
            "\\",
            "%",
            ",",
            ":",
        ]);
        prop::collection::vec(prop_oneof![3 => bits.prop_map(String::from), 1 => any::<String>()], 0..12)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn nothing_unsafe_comes_out(text in hostile()) {
            for escape in [line, sarif, command_data, command_property, xml, html, markdown, uri] {
                let out = escape(&text);
                prop_assert!(!out.chars().any(is_unsafe), "{out:?}");
            }
            prop_assert!(!block(&text).chars().any(|c| c != '\n' && is_unsafe(c)));
        }

        #[test]
        fn harmless_text_stays(text in "[a-zA-Z0-9 é漢😀]{0,40}") {
            for escape in [line, block, log, sarif, command_data, command_property, xml, html, markdown] {
                prop_assert_eq!(escape(&text), text.clone());
            }
        }

        #[test]
        fn no_log_line_is_a_command(text in hostile()) {
            let out = log(&block(&text));
            prop_assert!(!out.contains("##["), "{out:?}");
            prop_assert!(!out.lines().any(|line| line.trim_start().starts_with("::")), "{out:?}");
        }

        #[test]
        fn json_keeps_its_meaning(text in hostile()) {
            let raw = serde_json::to_string_pretty(&[&text]).unwrap();
            let out = json(&raw);
            prop_assert!(!out.contains("##["), "{out:?}");
            prop_assert!(!out.chars().any(|c| c != '\n' && is_unsafe(c)), "{out:?}");
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&out).unwrap(), vec![text]);
        }

        #[test]
        fn a_uri_decodes_to_its_path(path in "[a-zA-Z0-9 /._%é漢#?:\\[\\]|]{0,40}") {
            let out = uri(&path);
            prop_assert!(out.bytes().all(|b| b.is_ascii_graphic() && !b"#?[]|:".contains(&b)), "{out}");
            prop_assert_eq!(percent_encoding::percent_decode_str(&out).decode_utf8().unwrap(), path);
        }

        #[test]
        fn a_property_ends_where_it_should(text in hostile()) {
            let out = command_property(&text);
            prop_assert!(!out.contains([':', ',', '\n', '\r']), "{out:?}");
        }

        #[test]
        fn a_cell_stays_a_cell(text in hostile()) {
            let out = markdown(&text);
            let mut escaped = false;
            for c in out.chars() {
                prop_assert!(escaped || !matches!(c, '|' | '`' | '[' | '*' | '_' | '<'), "{out:?}");
                escaped = c == '\\' && !escaped;
            }
        }

        #[test]
        fn a_fence_holds_its_text(text in hostile()) {
            let out = markdown_block("sql", &text);
            let fence: String = out.chars().take_while(|&c| c == '`').collect();
            prop_assert_eq!(out.matches(&fence).count(), 2);
        }
    }
}
