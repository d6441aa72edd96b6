//! What is fuzzed: [`targets`] are plain functions from bytes, [`mutate`] makes new inputs of old ones token by token.
//!
//! `fuzz/run` builds them for libFuzzer with the stable toolchain; `cargo fuzz run NAME` does the same with its own
//! flags. The tests of racelint run the same functions on a few thousand inputs (`tests/fuzz.rs`).

pub mod harmless;
pub mod mutate;
pub mod targets;

/// Makes a libFuzzer binary of a target.
///
/// The target runs on a thread with the stack that racelint gives its own threads. The first panic ends the process,
/// also one that racelint would have caught.
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

/// Runs a target on a thread of its own kind, which is kept from one input to the next.
#[cfg(feature = "libfuzzer")]
pub fn on_a_deep_stack(target: fn(&[u8]), data: &[u8]) {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Mutex, OnceLock};
    type Worker = Mutex<(Sender<Vec<u8>>, Receiver<()>)>;
    static WORKER: OnceLock<Worker> = OnceLock::new();
    let worker = WORKER.get_or_init(|| {
        let (to, inputs) = channel::<Vec<u8>>();
        let (done, from) = channel();
        let run = move || {
            for input in inputs {
                target(&input);
                if done.send(()).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().stack_size(targets::STACK).spawn(run).expect("a thread");
        Mutex::new((to, from))
    });
    let worker = worker.lock().expect("one caller");
    worker.0.send(data.to_vec()).expect("the thread runs");
    worker.1.recv().expect("the thread runs");
}
