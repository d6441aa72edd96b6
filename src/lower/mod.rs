//! syn to [`tree`]: one file's Rust text to plain data.

pub mod tree;
