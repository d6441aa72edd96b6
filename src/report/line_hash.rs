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

    /// Values that the action's own tests state for these texts.
    #[test]
    fn agrees_with_the_upload_action() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            line_hashes(" a\nb\n  \t\tc\n d"),
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]
        );
        let ends = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        assert_eq!(line_hashes(" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n"), ends);
        assert_eq!(line_hashes(" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r"), ends);
        assert_eq!(line_hashes(" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n"), ends);
        assert_eq!(line_hashes(" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n"), ends);
    }

    #[test]
    fn equal_lines_are_counted() {
        let hashes = line_hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(hashes[0], "a7f2ff13bc495cf2:1");
        assert_eq!(hashes[5], "a7f2ff13bc495cf2:6");
        assert_eq!(hashes[6], "a7f2ff1481e87703:1");
        assert_eq!(hashes[10], "c129715d7a2bc9a3:1");
    }
}
