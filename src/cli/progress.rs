//! The progress bar: on standard error, on a terminal only, after a second, and gone when the run ends.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::output;
use crate::progress::{Counted, Progress};

const FIRST: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(100);
const CELLS: usize = 24;

/// Draws until it is dropped.
pub struct Bar {
    ended: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

impl Bar {
    /// Starts to watch when there is someone who looks.
    pub fn start(progress: Arc<Progress>, quiet: bool) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let ended = Arc::new(AtomicBool::new(false));
        if quiet || is_dumb || is_set("CI") || !io::stderr().is_terminal() {
            return Self { ended, drawing: None };
        }
        let end = ended.clone();
        let drawing = thread::Builder::new().spawn(move || draw(&progress, &end));
        Self { ended, drawing: drawing.ok() }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(drawing) = self.drawing.take() {
            drawing.thread().unpark();
            // A bar that failed is no reason to fail.
            let _ = drawing.join();
        }
    }
}

fn draw(progress: &Progress, ended: &AtomicBool) {
    let start = Instant::now();
    let mut drawn = false;
    while !ended.load(Ordering::Relaxed) {
        if start.elapsed() >= FIRST {
            output::to_stderr(&format!("\r\u{1b}[2K{}", line(progress.counted())));
            drawn = true;
        }
        thread::park_timeout(AGAIN);
    }
    if drawn {
        output::to_stderr("\r\u{1b}[2K");
    }
}

/// One line, shorter than any terminal is wide.
fn line(counted: Counted) -> String {
    let Counted { files, all_files, functions, all_functions } = counted;
    let (word, done, all) = match (all_files, all_functions) {
        (0, _) => return "reading".to_owned(),
        (_, 0) => ("files", files, all_files),
        _ => ("functions", functions, all_functions),
    };
    let filled = (done * CELLS / all).min(CELLS);
    format!("[{}{}] {done}/{all} {word}", "=".repeat(filled), " ".repeat(CELLS - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is() {
        let line =
            |files, all_files, functions, all_functions| line(Counted { files, all_files, functions, all_functions });
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
