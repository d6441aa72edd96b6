//! The interleaving of two requests, drawn in two columns.

use unicode_width::UnicodeWidthStr;

use super::escape;
use super::paint::{Ink, Paint, role_ink};
use super::summary::clip;
use crate::finding::{Interleaving, StoryStep, Who};

/// A step's text is cut here, before it is wrapped.
const TEXT: usize = 200;
/// A step takes no more lines than this, its state not counted.
const LINES: usize = 5;
/// Below this width the columns would be too narrow to read.
const NARROW: usize = 50;
/// More steps than this are not drawn.
const STEPS: usize = 40;

/// The story as lines, none wider than `width` columns (colours not counted) unless a step's text has no place to
/// break. Empty for an interleaving without steps.
pub fn render(story: &Interleaving, width: usize, paint: Paint) -> String {
    if story.steps.is_empty() {
        return String::new();
    }
    let shown = &story.steps[..story.steps.len().min(STEPS)];
    let left_out = story.steps.len() - shown.len();
    if width < NARROW { stacked(story, shown, left_out, paint) } else { columns(story, shown, left_out, width, paint) }
}

fn columns(story: &Interleaving, shown: &[StoryStep], left_out: usize, width: usize, paint: Paint) -> String {
    let numbers = shown.len().to_string().len();
    // Each row is: margin, number, bar, A, bar, B, with one space round each bar.
    let frame = 2 + numbers + 3 + 3;
    let (a, b) = share(width.saturating_sub(frame), natural(shown, Who::A), natural(shown, Who::B));
    let margin = " ".repeat(2 + numbers + 1);
    let bar = paint.ink(Ink::Dim, paint.bar());
    let mut out = String::new();

    let head = |joint: &str, title: &str, width: usize| {
        let joint = paint.ink(Ink::Dim, &format!("{joint}{}", paint.rule()));
        let rule = paint.ink(Ink::Dim, &paint.rule().repeat(width.saturating_sub(title.width() + 1)));
        format!("{joint} {} {rule}", paint.ink(Ink::Bold, title))
    };
    let (left, right) = (head(paint.corner(), "request A", a), head(paint.tee(), "request B", b - 1));
    out.push_str(&format!("{margin}{left}{right}\n"));

    for (index, step) in shown.iter().enumerate() {
        let room = if step.who == Who::A { a } else { b };
        for (row, (ink, text)) in cell(step, room, paint).into_iter().enumerate() {
            let number = if row == 0 { format!("{:>numbers$}", index + 1) } else { " ".repeat(numbers) };
            let number = paint.ink(Ink::Dim, &number);
            let fill = " ".repeat(a.saturating_sub(text.width()));
            let text = paint.ink(ink, &text);
            let line = match step.who {
                Who::A => format!("  {number} {bar} {text}{fill} {bar}"),
                Who::B => format!("  {number} {bar} {} {bar} {text}", " ".repeat(a)),
            };
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    if left_out > 0 {
        out.push_str(&format!("{margin}{bar} {} {left_out} more steps\n", paint.cut()));
    }
    let (left, right) = (paint.rule().repeat(a + 2), paint.rule().repeat(b + 1));
    let foot = format!("{}{left}{}{right}", paint.foot(), paint.foot_tee());
    out.push_str(&format!("{margin}{}\n", paint.ink(Ink::Dim, &foot)));
    close(&mut out, story, &margin, width, paint);
    out
}

/// The outcome, below both columns.
fn close(out: &mut String, story: &Interleaving, margin: &str, width: usize, paint: Paint) {
    let outcome = clip(&escape::line(&story.outcome), TEXT, paint.cut());
    let lead = format!("{} ", paint.arrow());
    let room = width.saturating_sub(margin.width() + lead.width());
    for (row, line) in wrap(&outcome, room).iter().enumerate() {
        let lead = if row == 0 { paint.ink(Ink::Red, &lead) } else { " ".repeat(lead.width()) };
        out.push_str(&format!("{margin}{lead}{}\n", paint.ink(Ink::Bold, line)));
    }
}

/// One step below the other, for a terminal that is too narrow for columns.
fn stacked(story: &Interleaving, shown: &[StoryStep], left_out: usize, paint: Paint) -> String {
    let mut out = String::new();
    for (index, step) in shown.iter().enumerate() {
        let who = if step.who == Who::A { "A" } else { "B" };
        let text = clip(&escape::line(&step.text), TEXT, paint.cut());
        out.push_str(&format!("  {} {who}: {}\n", index + 1, paint.ink(role_ink(step.role), &text)));
        if let Some(state) = &step.state {
            out.push_str(&format!("       {} {}\n", paint.arrow(), escape::line(state)));
        }
    }
    if left_out > 0 {
        out.push_str(&format!("  {} {left_out} more steps\n", paint.cut()));
    }
    if !story.outcome.is_empty() {
        out.push_str(&format!("  {} {}\n", paint.arrow(), paint.ink(Ink::Bold, &escape::line(&story.outcome))));
    }
    out
}

/// The lines of one step, each no wider than `room`.
fn cell(step: &StoryStep, room: usize, paint: Paint) -> Vec<(Ink, String)> {
    let text = clip(&escape::line(&step.text), TEXT, paint.cut());
    let mut lines = clauses(&text, room);
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            while last.width() + paint.cut().width() > room && last.pop().is_some() {}
            last.push_str(paint.cut());
        }
    }
    let ink = role_ink(step.role);
    let mut cell: Vec<_> = lines.into_iter().map(|line| (ink, line)).collect();
    if let Some(state) = &step.state {
        let state = clip(&escape::line(state), TEXT, paint.cut());
        let lead = format!("  {} ", paint.arrow());
        for (row, line) in wrap(&state, room.saturating_sub(lead.width())).into_iter().enumerate() {
            let lead = if row == 0 { lead.clone() } else { " ".repeat(lead.width()) };
            cell.push((Ink::Dim, format!("{lead}{line}")));
        }
    }
    cell
}

/// The width that the steps of one request would take without wrapping.
fn natural(steps: &[StoryStep], who: Who) -> usize {
    let width = |step: &StoryStep| {
        let text = escape::line(&step.text).split_whitespace().collect::<Vec<_>>().join(" ").width();
        let state = step.state.as_ref().map_or(0, |state| escape::line(state).width() + 5);
        text.max(state)
    };
    steps.iter().filter(|step| step.who == who).map(width).max().unwrap_or(0).max(16)
}

/// Shares the room between both requests: each has what it needs if that is no more than half, and the other the rest.
fn share(room: usize, a: usize, b: usize) -> (usize, usize) {
    let half = room / 2;
    if a + b <= room {
        (a, b)
    } else if a <= half {
        (a, room - a)
    } else if b <= half {
        (room - b, b)
    } else {
        (half, room - half)
    }
}

/// Breaks a statement before the words that begin a clause where that helps, and other text evenly.
fn clauses(text: &str, room: usize) -> Vec<String> {
    const STARTS: [&str; 10] = ["FROM", "WHERE", "SET", "VALUES", "RETURNING", "ON", "FOR", "ORDER", "AND", "SELECT"];

    let mut parts: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match parts.last_mut() {
            Some(part) if !STARTS.contains(&word) => {
                part.push(' ');
                part.push_str(word);
            }
            _ => parts.push(word.to_string()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + part.width() <= room => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.extend(balanced(&part, room)),
        }
    }
    lines
}

/// Like [`wrap`], with the lines about equally long, so that no single word is left over.
pub fn balanced(text: &str, room: usize) -> Vec<String> {
    let mut lines = wrap(text, room);
    let mut narrower = room;
    while lines.len() > 1 && narrower > room / 2 {
        narrower -= 1;
        let tried = wrap(text, narrower);
        if tried.len() > lines.len() {
            break;
        }
        lines = tried;
    }
    lines
}

/// Breaks a text at its white space so that no line is wider than `room` columns; a word that is wider is cut into
/// pieces. Several spaces count as one.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(4);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if word.width() <= room {
            line.push_str(word);
            continue;
        }
        for c in word.chars() {
            let mut bytes = [0; 4];
            if line.width() + c.encode_utf8(&mut bytes).width() > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapped_lines_fit_and_lose_nothing(text in "[a-z漢é ]{0,120}", room in 4usize..40) {
            let lines = wrap(&text, room);
            prop_assert!(lines.iter().all(|line| line.width() <= room), "{lines:?}");
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }

        #[test]
        fn columns_fill_the_room(room in 40usize..200, a in 16usize..120, b in 16usize..120) {
            let (left, right) = share(room, a, b);
            prop_assert!(left + right <= room);
            prop_assert!(left >= 16 && right >= 16);
        }
    }
}
