//! The progress bar: on standard error, on a terminal only, after a second, and gone when the run ends.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::{Counted, Progress};

const FIRST: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(100);

/// Draws until it is dropped.
pub struct Bar {
    /// Dropped first, which ends the drawing.
    going: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl Bar {
    /// Starts to watch when there is someone who looks.
    pub fn start(progress: Arc<Progress>, quiet: bool) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if quiet || is_dumb || is_set("CI") || !io::stderr().is_terminal() {
            return Self { going: None, drawing: None };
        }
        let (going, ended) = mpsc::channel();
        let drawing = thread::Builder::new().spawn(move || draw(&progress, &ended));
        Self { going: Some(going), drawing: drawing.ok() }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.going.take());
        if let Some(drawing) = self.drawing.take() {
            // A bar that failed is no reason to fail.
            let _ = drawing.join();
        }
    }
}

fn draw(progress: &Progress, ended: &Receiver<()>) {
    let goes_on = |time| ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    if !goes_on(FIRST) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    show(&bar, progress.counted());
    while goes_on(AGAIN) {
        show(&bar, progress.counted());
    }
    bar.finish_and_clear();
}

/// One line, shorter than most terminals are wide, and cut where one is not.
fn show(bar: &ProgressBar, counted: Counted) {
    let Counted { files, all_files, functions, all_functions } = counted;
    let (word, done, all) = match (all_files, all_functions) {
        (0, _) => ("", 0, 0),
        (_, 0) => ("files", files, all_files),
        _ => ("functions", functions, all_functions),
    };
    let template = if word.is_empty() { "reading" } else { "[{bar:24}] {pos}/{len} {msg}" };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("= "));
    }
    bar.set_length(all as u64);
    bar.set_position(done as u64);
    bar.set_message(word);
    bar.tick();
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::InMemoryTerm;

    #[test]
    fn the_line_says_how_far_it_is() {
        let line = |files, all_files, functions, all_functions| {
            let term = InMemoryTerm::new(2, 100);
            let target = ProgressDrawTarget::term_like_with_hz(Box::new(term.clone()), 100);
            let bar = ProgressBar::with_draw_target(None, target);
            show(&bar, Counted { files, all_files, functions, all_functions });
            term.contents()
        };
        assert_eq!(line(0, 0, 0, 0), "reading");
        assert_eq!(line(3, 6, 0, 0), format!("[{}{}] 3/6 files", "=".repeat(12), " ".repeat(12)));
        assert_eq!(line(6, 6, 10, 10), format!("[{}] 10/10 functions", "=".repeat(24)));
        assert!(line(usize::MAX / 100, 6, 10, 9).len() < 60);
    }

    #[test]
    fn nothing_is_drawn_where_nobody_looks() {
        assert!(Bar::start(Arc::default(), true).drawing.is_none());
    }
}
