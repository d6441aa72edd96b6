//! Files that have another path now.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

/// Above this many pairs only files whose bytes are equal are found.
const MAX_PAIRS: usize = 100_000;

/// For each of `new` that was one of `old` under another path, the index of that one. Each old file is taken once.
///
/// Equal texts first, then those that share at least half of their lines, the most alike first.
pub fn renamed(new: &[&str], old: &[&str]) -> BTreeMap<usize, usize> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    let all = new.len().saturating_mul(old.len()) <= MAX_PAIRS;
    let (new_lines, old_lines) = if all { (lines(new), lines(old)) } else { (Vec::new(), Vec::new()) };
    for (n, text) in new.iter().enumerate() {
        for (o, earlier) in old.iter().enumerate() {
            if text == earlier {
                pairs.push((1.0, n, o));
            } else if all {
                let alike = alike(&new_lines[n], &old_lines[o]);
                if alike >= 0.5 {
                    pairs.push((alike, n, o));
                }
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut found = BTreeMap::new();
    let mut taken = vec![false; old.len()];
    for (_, n, o) in pairs {
        if !taken[o] && !found.contains_key(&n) {
            taken[o] = true;
            found.insert(n, o);
        }
    }
    found
}

type Lines<'t> = (FxHashMap<&'t str, usize>, usize);

fn lines<'t>(texts: &[&'t str]) -> Vec<Lines<'t>> {
    texts.iter().map(|text| counted(text)).collect()
}

/// The lines that say something, and how many there are.
fn counted(text: &str) -> Lines<'_> {
    let mut lines: FxHashMap<&str, usize> = FxHashMap::default();
    let mut count = 0;
    for line in text.lines().map(str::trim).filter(|line| line.len() > 2) {
        *lines.entry(line).or_default() += 1;
        count += 1;
    }
    (lines, count)
}

/// The share of the longer one's lines that both have.
fn alike(a: &Lines<'_>, b: &Lines<'_>) -> f64 {
    let longer = a.1.max(b.1);
    if longer == 0 || a.1.min(b.1) * 2 < longer {
        return 0.0;
    }
    let shared: usize = a.0.iter().map(|(line, count)| (*count).min(b.0.get(line).copied().unwrap_or(0))).sum();
    #[expect(clippy::cast_precision_loss, reason = "lines of one file")]
    let share = shared as f64 / longer as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_and_alike_files_are_found_once() {
        let one = "line one\nline two\nline three\nline four\n";
        let other = "line one\nline two\nline three\nline 4\n";
        let none = "something\nquite\ndifferent\n";
        assert_eq!(renamed(&[one], &[none, one, other]), BTreeMap::from([(0, 1)]));
        assert_eq!(renamed(&[other, one], &[one]), BTreeMap::from([(1, 0)]));
        assert_eq!(renamed(&[other], &[none, one]), BTreeMap::from([(0, 1)]));
        assert!(!renamed(&[none, ""], &[one, ""]).contains_key(&0));
    }
}
