//! `mezhved deadline`: counting, listing, explaining and acting; each group of commands has a file of its own.

use std::process::ExitCode;

use super::{Failure, deadline_act, deadline_compute, deadline_explain, deadline_list, runtime, said};

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
    Extend(deadline_act::ExtendArgs),
    Fulfil(deadline_act::FulfilArgs),
    List(deadline_list::Args),
    Note(deadline_act::NoteArgs),
    Waive(deadline_act::WaiveArgs),
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Compute(args) => {
            let files = crate::bundle::embedded();
            said(deadline_compute::run(&args, &files, &mut std::io::stdout(), &mut std::io::stderr()))
        }
        Command::Explain(args) => runtime()?.block_on(deadline_explain::run(&args)),
        Command::Extend(args) => runtime()?.block_on(deadline_act::extend(args)),
        Command::Fulfil(args) => runtime()?.block_on(deadline_act::fulfil(args)),
        Command::List(args) => runtime()?.block_on(deadline_list::run(args)),
        Command::Note(args) => runtime()?.block_on(deadline_act::note(args)),
        Command::Waive(args) => runtime()?.block_on(deadline_act::waive(args)),
    }
}
