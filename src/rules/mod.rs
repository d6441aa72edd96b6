//! The rules: each has a page in `rules/`, which is its documentation, its help text and its tests in one.

mod pages;

pub use pages::{Page, Precision, page, pages};
