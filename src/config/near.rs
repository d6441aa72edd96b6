//! "Did you mean": the known word that is nearest to one that is not.

/// No key or rule is longer (in characters); a longer word is near to none.
const LONGEST: usize = 64;

/// The nearest of `known`, when at most a third of `word` was mistyped.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let written: Vec<char> = word.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if written.len() > LONGEST {
        return None;
    }
    let written: Vec<char> = written.into_iter().map(same).collect();
    let reach = written.len().div_ceil(3).max(1);
    let distances = known.into_iter().map(|known| {
        let letters: Vec<char> = known.chars().map(same).collect();
        (distance(&written, &letters), known)
    });
    distances.filter(|(distance, _)| *distance <= reach).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// `-` for `_` is the most frequent slip of all, and no slip of a letter.
fn same(char: char) -> char {
    if char == '_' { '-' } else { char }
}

/// Insertions, deletions, replacements, and swaps of neighbours, each one step.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let mut steps = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && *x == b[j - 1] {
                steps = steps.min(before[j - 1] + 1);
            }
            row[j + 1] = steps;
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let known = ["dialect", "isolation", "single_process", "include"];
        for (word, expected) in [
            ("dialct", Some("dialect")),
            ("dailect", Some("dialect")),
            ("Dialect", Some("dialect")),
            ("single-process", Some("single_process")),
            ("exclude", Some("include")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"d".repeat(100_000), known), None);
    }
}
