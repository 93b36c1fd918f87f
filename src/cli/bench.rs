//! `mezhved bench`: how fast the gateway is on this machine.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Failure, runtime};
use crate::bench::{self, Options};

/// Измерить скорость на этой машине / measure the speed on this machine
///
/// Starts a gateway, a load generator and receiving systems as processes of their own on loopback, and a private PostgreSQL where it is
/// installed. Prints messages a second, times, the gateway's processor time a message, and the floors of the same minute. Without
/// options it takes less than 45 seconds. Figures of a debug build say nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Все сценарии / all scenarios
    #[arg(long)]
    full: bool,
    /// Только сценарии с этим текстом в названии / only scenarios whose name holds this text
    #[arg(long, value_name = "TEXT", conflicts_with = "full")]
    only: Option<String>,
    /// Секунд на каждую из двух частей сценария / seconds for each of the two parts of a scenario
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// База PostgreSQL, пустая / an empty database of PostgreSQL instead of a private server
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// RabbitMQ для сценариев с брокером, с правами администратора / a RabbitMQ for the scenarios with a broker, by an administrator's
    /// account, such as amqp://guest:guest@127.0.0.1:5672/%2f
    #[arg(long, value_name = "URL")]
    amqp: Option<String>,
    /// Записать цифры в файл / write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Сравнить два отчёта и ничего не измерять / compare two reports and measure nothing
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], conflicts_with_all = ["full", "only", "postgres", "amqp", "json"])]
    compare: Option<Vec<PathBuf>>,
}

/// A helper of `bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct PartArgs {
    /// `load` or `sink`
    name: String,
    /// Its folder
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    if let Some([before, after]) = args.compare.as_deref() {
        let text = bench::compare(before, after).map_err(|e| Failure::new(e.to_string()))?;
        write!(out, "{text}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let Args { full, only, seconds, postgres, amqp, json, compare: _ } = args;
    let options = Options { full, only, seconds: f64::from(seconds), postgres, amqp, json };
    let said = |text: &str| {
        let mut out = std::io::stdout();
        // Whoever stopped reading gets the figures in the file.
        drop(write!(out, "{text}").and_then(|()| out.flush()));
    };
    let done = runtime()?.block_on(bench::run(&options, said));
    done.map(|()| ExitCode::SUCCESS).map_err(|e| Failure::new(e.to_string()))
}

pub(crate) fn run_part(args: &PartArgs) -> Result<ExitCode, Failure> {
    let done = runtime()?.block_on(bench::part(&args.name, &args.home));
    done.map(|()| ExitCode::SUCCESS).map_err(|e| Failure::new(e.to_string()))
}
