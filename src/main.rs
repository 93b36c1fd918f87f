//! The command `mezhved`.

use std::process::ExitCode;

/// One allocator for all threads, Rust's and C's: messages are made in one thread and let go in another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mezhved::cli::main()
}
