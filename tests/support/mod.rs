//! What the page tests and the app tests share: cases, marks, and how an answer is held against them.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod engine;
pub mod judge;
pub mod manifest;
pub mod memory;
pub mod page;
