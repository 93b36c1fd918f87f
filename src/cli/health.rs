//! `mezhved health`: asks a running node how it is, for a container's health check and for people.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::{Failure, runtime};
use crate::client;
use crate::domain::chain;

/// The largest answer that is shown.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Спросить работающий узел: готов ли он принимать / ask a running node: does it take messages
///
/// Exit status 0: yes. 1: no, or nobody answers; the reasons are on standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Пример / Example:\n  mezhved health --url http://127.0.0.1:8080\n  mezhved health --alive")]
pub(crate) struct Args {
    /// Адрес узла для ведомств / the node's address for agencies
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", env = "MEZHVED_HEALTH_URL")]
    url: String,
    /// Спросить только, жив ли процесс (/healthz), а не готов ли узел (/readyz) / only whether the process lives, not whether it is ready
    #[arg(long)]
    alive: bool,
    /// Сертификаты, которым верить сверх системных, PEM / certificates trusted beside the system's, PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Сколько ждать ответа, секунды / how long to wait for the answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    wait: u64,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let path = if args.alive { "/healthz" } else { "/readyz" };
    let url = format!("{}{path}", args.url.trim_end_matches('/'));
    let roots = args.ca_file.as_deref().map(read).transpose()?;
    let builder = client::builder(roots.as_slice()).map_err(|e| Failure::of("--ca-file", &e))?;
    let client = builder.timeout(Duration::from_secs(args.wait)).build();
    let client = client.map_err(|e| Failure::of("--ca-file", &e))?;
    runtime()?.block_on(async move {
        let asked = client.get(&url).send().await;
        let mut answer = asked.map_err(|e| Failure::new(format!("{url}: {}", chain(&e.without_url()))))?;
        let status = answer.status();
        let mut said = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            said.extend_from_slice(&chunk);
            if said.len() > ANSWER_BYTES_MAX {
                said.truncate(ANSWER_BYTES_MAX);
                break;
            }
        }
        let said = String::from_utf8_lossy(&said);
        if status.is_success() {
            say!("{}", said.trim_end())?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::new(format!("{url}: HTTP {}: {}", status.as_u16(), said.trim_end())))
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::of(&path.display().to_string(), &e))
}
