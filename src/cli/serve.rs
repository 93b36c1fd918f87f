//! `mezhved serve`.

use std::io::Write as _;
use std::sync::Arc;

use tracing::info;
use tracing_subscriber::EnvFilter;

use super::{ConfigDir, Failure, runtime};
use crate::app::Node;
use crate::gateway::Clock;
use crate::settings::{Log, LogFormat, Settings};
use crate::transport::LOG_DIRECTIVES;

/// Запустить узел шлюза / run a gateway node
///
/// Prints `ready agencies=… console=…` (and `metrics=…` where the settings name that address) once it takes messages. SIGTERM or Ctrl-C stops it cleanly.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    dir: ConfigDir,
    /// Имя узла / the node's name in leases and logs; by default made of the host's name and the process id
    #[arg(long)]
    node: Option<String>,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let settings = Settings::load(&args.dir.config)?;
    start_log(&settings.log)?;
    let node = args.node.unwrap_or_else(node_name);
    runtime()?.block_on(async move {
        // Listened for before the first word, so that whoever reads `ready` may stop us at once.
        let stopped = stopped()?;
        let node = Node::start(settings, node, Arc::new(Clock::default())).await?;
        let scheme = if node.has_tls() { "https" } else { "http" };
        let mut out = std::io::stdout();
        let metrics = node.metrics().map(|at| format!(" metrics=http://{at}")).unwrap_or_default();
        let pages =
            if node.gateway().settings().console.tls_certificate.as_os_str().is_empty() { "http" } else { "https" };
        writeln!(out, "ready agencies={scheme}://{} console={pages}://{}{metrics}", node.agencies(), node.console())?;
        out.flush()?;
        stopped.await;
        info!("stopping");
        node.stop().await;
        Ok(())
    })
}

/// A name that differs between the processes of one machine and between machines.
pub(crate) fn node_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), std::process::id())
}

/// Listens for SIGTERM and SIGINT from now on; the future ends with the first of them.
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Starts logging to standard error.
pub(crate) fn start_log(log: &Log) -> Result<(), Failure> {
    let mut filter = EnvFilter::try_new(&log.level)
        .map_err(|e| Failure::new(format!("log.level `{}`: {e}; an example: info,mezhved=debug", log.level)))?;
    for directive in LOG_DIRECTIVES {
        filter = filter.add_directive(directive.parse().map_err(|e| Failure::of("log", &e))?);
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Human => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
