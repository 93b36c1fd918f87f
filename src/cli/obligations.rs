//! `mezhved deadline`: counting, listing and explaining; each command has a file of its own.

use std::process::ExitCode;

use super::{Failure, deadline_compute, deadline_explain, deadline_list, runtime, said};

/// Сроки и обязательства / deadlines and obligations
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Compute(deadline_compute::Args),
    Explain(deadline_explain::Args),
    List(deadline_list::Args),
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Compute(args) => {
            let files = crate::bundle::embedded();
            said(deadline_compute::run(&args, &files, &mut std::io::stdout(), &mut std::io::stderr()))
        }
        Command::Explain(args) => runtime()?.block_on(deadline_explain::run(&args)),
        Command::List(args) => runtime()?.block_on(deadline_list::run(args)),
    }
}
