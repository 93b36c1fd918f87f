//! The command `mezhved`.

use std::process::ExitCode;

fn main() -> ExitCode {
    mezhved::cli::main()
}
