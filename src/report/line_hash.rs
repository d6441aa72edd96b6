//! The fingerprint by which GitHub code scanning knows an alert again: `primaryLocationLineHash`.
//!
//! `github/codeql-action/upload-sarif` computes it when a result has none, and warns when it computes another, so it
//! has to be the same to the last bit: a hash of the hundred UTF-16 units from the line's start on, spaces and tabs not
//! counted, as a polynomial in 37 modulo 2^64, and behind it how often the file has had the same hash so far. CR and
//! CR LF count as LF; behind the file's end stand 0xFFFF and zeros.

use std::collections::HashMap;

const UNITS: usize = 100;
const END: u16 = 0xffff;

/// The fingerprints of all lines of a file, in order; the first line's is the first.
pub fn line_hashes(text: &str) -> Vec<String> {
    let (units, starts) = significant(text);
    let mut seen: HashMap<u64, usize> = HashMap::new();
    starts
        .into_iter()
        .map(|start| {
            let hash = (start..start + UNITS).fold(0u64, |hash, at| {
                let unit = units.get(at).copied().unwrap_or(0);
                hash.wrapping_mul(37).wrapping_add(u64::from(unit))
            });
            let times = seen.entry(hash).or_default();
            *times += 1;
            format!("{hash:x}:{times}")
        })
        .collect()
}

/// The units that count, and where each line begins among them.
fn significant(text: &str) -> (Vec<u16>, Vec<usize>) {
    const LF: u16 = b'\n' as u16;
    const CR: u16 = b'\r' as u16;
    const BLANKS: [u16; 2] = [b' ' as u16, b'\t' as u16];

    let mut units = Vec::with_capacity(text.len() + 1);
    let mut starts = Vec::new();
    let mut at_start = true;
    let mut after_cr = false;
    for unit in text.encode_utf16().chain([END]) {
        let skipped = BLANKS.contains(&unit) || (after_cr && unit == LF);
        after_cr = unit == CR;
        if skipped {
            continue;
        }
        if std::mem::take(&mut at_start) {
            starts.push(units.len());
        }
        let unit = if unit == CR { LF } else { unit };
        at_start = unit == LF;
        units.push(unit);
    }
    (units, starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that the action's algorithm gave for these texts when it was run on them.
    #[test]
    fn agrees_with_the_upload_action() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        let function = ["e289587e9bd64aa7:1", "12b22450c233f4fc:1", "32dce9ccfdbc9d3e:1", "c129715d7a2bc9a3:1"];
        assert_eq!(line_hashes("fn main() {\n    let n = 1;\n}\n"), function);
        assert_eq!(line_hashes("fn main() {\r\n\tlet n = 1;\r}\r\n"), function);
        assert_eq!(
            line_hashes(&format!("\u{feff}漢😀\n\n \n{}\nend", "y".repeat(250))),
            [
                "33dd9ada68379821:1",
                "7d07f911cfa88fb2:1",
                "1a06d98d043c32c9:1",
                "cadd4b5b9d92c51c:1",
                "43b6461eda086fe2:1"
            ]
        );
    }

    #[test]
    fn equal_lines_are_counted() {
        let hashes = line_hashes(&"x += 1;\n".repeat(20));
        assert_eq!(hashes[0], "a6ebbbea966ae06d:1");
        assert_eq!(hashes[3], "a6ebbbea966ae06d:4");
        assert_eq!(hashes[4], "a6ebbbeb5be96c03:1");
        assert_eq!(hashes[20], "c129715d7a2bc9a3:1");
    }
}
