//! Floor 8: the command line, one file a command.
//!
//! Exit status: 0 done, 1 refused or failed (the reason on standard error), 2 wrong usage. Every listing takes `--json`.

#[macro_use]
mod table;

mod account;
mod account_input;
mod adapter;
mod adapter_new;
mod adapter_preview;
mod bench;
mod calendar;
mod calendar_show;
mod case;
mod case_show;
mod config;
mod dead;
mod deadline_act;
mod deadline_acts_text;
mod deadline_compute;
mod deadline_explain;
mod deadline_explain_text;
mod deadline_list;
mod deadline_zone;
mod demo;
mod envelope;
mod failure;
mod findings;
mod health;
mod journal;
mod key;
mod message;
mod notify;
mod obligations;
mod openapi;
mod partner;
mod partner_edit;
mod partner_ping;
mod partner_simulate;
mod queue;
mod regulation;
mod regulation_case;
mod regulation_json;
mod regulation_order;
mod regulation_show;
mod regulation_words;
mod report;
mod schema;
mod serve;
mod simulate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

use crate::bundle::Files;
use crate::settings::folder;

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
    Health(health::Args),
    Simulate(simulate::Args),
    Config(config::Args),
    Partner(partner::Args),
    Message(message::Args),
    Dead(dead::Args),
    Queue(queue::Args),
    Case(case::Args),
    Deadline(obligations::Args),
    Notify(notify::Args),
    Report(report::Args),
    Regulation(regulation::Args),
    Calendar(calendar::Args),
    Journal(journal::Args),
    Account(account::Args),
    Openapi(openapi::Args),
    Envelope(envelope::Args),
    Key(key::Args),
    Schema(schema::Args),
    Adapter(adapter::Args),
    Bench(bench::Args),
    #[command(hide = true)]
    BenchPart(bench::PartArgs),
}

/// The configuration folder when none is named.
const DEFAULT_CONFIG: &str = "config";

/// Where the configuration lies.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConfigDir {
    /// Папка настроек / the configuration folder: settings.toml, participants/, regulations/, calendars/, adapters/
    #[arg(long, value_name = "DIR", default_value = DEFAULT_CONFIG, env = "MEZHVED_CONFIG")]
    pub(crate) config: PathBuf,
}

impl ConfigDir {
    /// The files that a folder stands for: its own, and the program's in place of what it has not. A folder that is named and is not
    /// there is a mistake; without the default one the program's own files are meant.
    pub(crate) fn bundle(&self) -> Result<Files, Failure> {
        if !self.config.is_dir() && self.config.as_os_str() != DEFAULT_CONFIG {
            let shown = self.config.display();
            return Err(Failure::new(format!(
                "--config: папки {shown} нет / there is no folder {shown}; without --config the program's own files are taken"
            )));
        }
        Ok(folder::bundle(&self.config)?)
    }

    /// Where the files of this part (`calendars`, `regulations`) come from, for people.
    pub(crate) fn origin(&self, part: &str) -> &'static str {
        if self.config.join(part).is_dir() {
            "из папки / from the folder"
        } else {
            "встроено / built in"
        }
    }
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
        Command::Bench(args) => bench::run(args),
        Command::BenchPart(args) => bench::run_part(&args),
        Command::Serve(args) => serve::run(args).map(|()| ExitCode::SUCCESS),
        Command::Health(args) => health::run(&args),
        Command::Simulate(args) => simulate::run(args),
        Command::Config(args) => config::run(args),
        Command::Partner(args) => partner::run(args),
        Command::Message(args) => message::run(args),
        Command::Dead(args) => dead::run(args),
        Command::Queue(args) => queue::run(args),
        Command::Case(args) => case::run(args),
        Command::Deadline(args) => obligations::run(args),
        Command::Notify(args) => notify::run(args),
        Command::Report(args) => report::run(args),
        Command::Regulation(args) => regulation::run(&args),
        Command::Calendar(args) => calendar::run(&args),
        Command::Journal(args) => journal::run(args),
        Command::Account(args) => account::run(args),
        Command::Openapi(args) => openapi::run(&args),
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
