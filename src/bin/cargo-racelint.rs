//! `cargo racelint`: the `racelint` command under the name that cargo looks for.

use std::process::ExitCode;

fn main() -> ExitCode {
    racelint::cli::cargo()
}
