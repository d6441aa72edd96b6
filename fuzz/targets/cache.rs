#![no_main]

racelint_fuzz::engine!(racelint_fuzz::targets::cache);
