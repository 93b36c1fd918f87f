<<<<<<< HEAD
//! Floor 8: the command line, one file a command.
//!
//! Exit status: 0 done, 1 refused or failed (the reason on standard error), 2 wrong usage. Every listing takes `--json`.

mod failure;
pub mod schema;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

/// Шлюз межведомственного обмена для социального сопровождения.
/// Interagency message-exchange gateway for social support.
#[derive(Debug, Parser)]
#[command(name = "mezhved", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {}

/// Parses the command line, runs it and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mezhved: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {}
}
=======
//! Under construction.
pub mod schema;
>>>>>>> messages
