//! What is fuzzed: [`targets`] are plain functions from bytes, [`mutate`] makes new inputs of old ones token by token.
//!
//! `fuzz/run` builds them for libFuzzer with the stable toolchain; `cargo fuzz run NAME` does the same with its own
//! flags. The tests of racelint run the same functions on a few thousand inputs (`tests/fuzz.rs`).

pub mod harmless;
pub mod mutate;
pub mod targets;

/// Makes a libFuzzer binary of a target.
///
/// The target runs on threads with the stack that racelint gives its own. The first panic ends the process, also one that
/// racelint would have caught.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! engine {
    ($target:path) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::on_a_deep_stack($target, data));

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            // A third of the mutations are libFuzzer's own, of bytes.
            if seed % 3 == 0 {
                return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
            }
            let mutated = $crate::mutate::mutated(&data[..size], u64::from(seed), max_size);
            data[..mutated.len()].copy_from_slice(&mutated);
            mutated.len()
        });
    };
}

/// Runs a target on threads of their own, which are kept from one input to the next; what it does in parallel stays on them.
#[cfg(feature = "libfuzzer")]
pub fn on_a_deep_stack(target: fn(&[u8]), data: &[u8]) {
    use std::sync::LazyLock;
    static THREADS: LazyLock<rayon::ThreadPool> = LazyLock::new(|| {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(2).stack_size(targets::STACK);
        threads.build().expect("threads")
    });
    THREADS.install(|| target(data));
}
