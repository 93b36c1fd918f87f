//! Floor 8: the command line, one file a command.
//!
//! Exit status: 0 done, 1 refused or failed (the reason on standard error), 2 wrong usage. Every listing takes `--json`.

#[macro_use]
mod table;

mod adapter;
mod config;
mod deadline_compute;
mod demo;
mod envelope;
mod failure;
mod journal;
mod key;
mod message;
mod obligations;
mod partner;
mod schema;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

/// Шлюз межведомственного обмена для социального сопровождения.
///
/// Interagency message-exchange gateway for social support: signed XML envelopes over HTTP, RabbitMQ and a mailbox, and the deadlines of
/// the law. Begin with `mezhved demo`.
#[derive(Debug, Parser)]
#[command(name = "mezhved", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Config(config::Args),
    Partner(partner::Args),
    Message(message::Args),
    Deadline(obligations::Args),
    Journal(journal::Args),
    Envelope(envelope::Args),
    Key(key::Args),
    Schema(schema::Args),
    Adapter(adapter::Args),
    #[command(hide = true)]
    SimulatedSystem(demo::SystemArgs),
}

/// Where the configuration lies.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigDir {
    /// Папка настроек / the configuration folder: settings.toml, participants/, regulations/, calendars/, adapters/
    #[arg(long, value_name = "DIR", default_value = "config", env = "MEZHVED_CONFIG")]
    pub(crate) config: PathBuf,
}

/// Parses the command line, runs it and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        // Whoever read us has seen enough.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mezhved: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::SimulatedSystem(args) => demo::run_system(&args),
        Command::Serve(args) => serve::run(args).map(|()| ExitCode::SUCCESS),
        Command::Config(args) => config::run(args),
        Command::Partner(args) => partner::run(args),
        Command::Message(args) => message::run(args),
        Command::Deadline(args) => obligations::run(args),
        Command::Journal(args) => journal::run(args),
        Command::Envelope(args) => envelope::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Adapter(args) => {
            let files = crate::bundle::embedded();
            said(adapter::run(&args, &files, &mut std::io::stdout(), &mut std::io::stderr()))
        }
        Command::Schema(args) => {
            let files = crate::bundle::embedded();
            said(schema::run(&args, &files, &mut std::io::stdout(), &mut std::io::stderr()))
        }
    }
}

/// The exit status of a command that wrote its own answer: whether what it was asked holds.
pub(crate) fn said(answer: std::io::Result<bool>) -> Result<ExitCode, Failure> {
    Ok(if answer? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The runtime of commands that talk to the store or the network.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
