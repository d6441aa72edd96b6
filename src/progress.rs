//! How far a run is. The analysis only counts; whoever watches decides what to show.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counters that one thread raises and another reads.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicUsize,
    all_files: AtomicUsize,
    functions: AtomicUsize,
    all_functions: AtomicUsize,
}

/// What was counted at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub files: usize,
    pub all_files: usize,
    pub functions: usize,
    pub all_functions: usize,
}

impl Progress {
    pub fn expect_files(&self, count: usize) {
        self.files.store(0, Ordering::Relaxed);
        self.functions.store(0, Ordering::Relaxed);
        self.all_functions.store(0, Ordering::Relaxed);
        self.all_files.store(count, Ordering::Relaxed);
    }

    pub fn file_done(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub fn expect_functions(&self, count: usize) {
        self.all_functions.store(count, Ordering::Relaxed);
    }

    pub fn function_done(&self) {
        self.functions.fetch_add(1, Ordering::Relaxed);
    }

    pub fn counted(&self) -> Counted {
        let read = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        Counted {
            files: read(&self.files),
            all_files: read(&self.all_files),
            functions: read(&self.functions),
            all_functions: read(&self.all_functions),
        }
    }
}
