//! Reports of findings made by hand: what each format says, where it points, and that nothing gets out of hand.

mod example;
#[path = "../../fuzz/src/harmless.rs"]
mod harmless;
mod hostile;
mod machines;
mod people;
