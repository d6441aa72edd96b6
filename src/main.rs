//! The `racelint` command; all of it is in the library.

use std::process::ExitCode;

/// Trees are millions of small pieces made on all threads: the system's allocator spends more time on them than the
/// analysis does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    racelint::cli::main()
}
