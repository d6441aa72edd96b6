//! `racelint why FILE:LINE`: how the statements on a line were judged.

use std::fmt::Write;
use std::path::Path;

use super::commands::{around, print};
use super::{Failure, output};
use crate::report::position::Places;
use crate::report::safe::place;
use crate::report::{escape, summary};
use crate::why::{Judged, Told, why};

/// How many characters of a statement are shown.
const SHOWN: usize = 200;

pub fn run(asked: &str) -> Result<u8, Failure> {
    let (file, line) = split(asked)?;
    let (workspace, config, id) = around(Path::new(file))?;
    let answer = why(&workspace, &config, id, line);
    let places = Places::new(&workspace);
    let mut out = String::new();
    for told in &answer.statements {
        statement(&mut out, &places, told);
    }
    if let Some(nothing) = &answer.nothing {
        let _ = writeln!(out, "{}:{line}: {}", escape::line(places.path(id)), escape::line(nothing));
    }
    for notice in workspace.notices.iter().filter(|notice| notice.kind.is_skip()) {
        let (path, text) = (escape::line(&notice.path), escape::line(&notice.text));
        output::to_stderr(&escape::log(&format!("racelint: warning: {path}: {text}\n")));
    }
    print(escape::log(&out).as_bytes())
}

/// A column behind the line, as reports write it, is accepted.
fn split(asked: &str) -> Result<(&str, u32), Failure> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|line| *line > 0);
    let failure = || Failure(format!("`{asked}` is not a FILE:LINE, such as src/orders.rs:42"));
    let (rest, last) = asked.rsplit_once(':').ok_or_else(failure)?;
    let last = number(last).ok_or_else(failure)?;
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))) {
        Some(found) => Ok(found),
        None if rest.is_empty() => Err(failure()),
        None => Ok((rest, last)),
    }
}

fn statement(out: &mut String, places: &Places<'_>, told: &Told) {
    let text = summary::clip(&escape::line(&told.text), SHOWN, "…");
    let _ = writeln!(out, "{}  {text}", place(places, told.at));
    let _ = writeln!(out, "  in {}, judged for {}", escape::line(&told.function), escape::line(&told.judged_for));
    for judged in &told.sequences {
        sequence(out, places, told, judged);
    }
    if let Some(alone) = &told.alone {
        let _ = writeln!(out, "  no sequence: {alone}");
    }
}

fn sequence(out: &mut String, places: &Places<'_>, told: &Told, judged: &Judged) {
    let role = match (judged.read == told.at, judged.write == told.at) {
        (true, true) => "by itself".to_owned(),
        (true, false) => format!("read for the write at {}", place(places, judged.write)),
        _ => format!("write after the read at {}", place(places, judged.read)),
    };
    let within = if judged.function == told.function {
        String::new()
    } else {
        format!(", both in {}", escape::line(&judged.function))
    };
    let _ = writeln!(out, "  {role}{within}: {}", judged.verdict);
    for (reason, at) in &judged.reasons {
        let at = at.map_or_else(String::new, |at| format!(" ({})", place(places, at)));
        let _ = writeln!(out, "    {}{at}", escape::line(reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_and_a_line() {
        assert_eq!(split("src/a.rs:4"), Ok(("src/a.rs", 4)));
        assert_eq!(split("src/a.rs:4:12"), Ok(("src/a.rs", 4)));
        assert_eq!(split("a:b.rs:4"), Ok(("a:b.rs", 4)));
        for wrong in ["src/a.rs", "src/a.rs:", "src/a.rs:0", "src/a.rs:x", ":3", "", "a:99999999999"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }
}
