//! Source to measure with: [`generate`] makes it to order.

pub mod generate;
