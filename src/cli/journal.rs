//! `mezhved journal`.

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::{ConfigDir, Failure, runtime};
use crate::app::open_store;
use crate::settings::Settings;

/// Журнал: всё, что произошло, цепочкой / the journal: everything that happened, in a chain
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Проверить цепочку / check the chain; exit status 1 where it is broken
    Verify {
        #[command(flatten)]
        dir: ConfigDir,
        /// С какого номера / from this number on
        #[arg(long, default_value_t = 1)]
        from: i64,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Выгрузить, по одной записи JSON в строке / export, one JSON object a line
    Export {
        #[command(flatten)]
        dir: ConfigDir,
    },
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async move {
        match args.command {
            Command::Verify { dir, from, json } => verify(&dir, from, json).await,
            Command::Export { dir } => export(&dir).await,
        }
    })
}

async fn verify(dir: &ConfigDir, from: i64, as_json: bool) -> Result<ExitCode, Failure> {
    let store = open_store(&Settings::load(&dir.config)?).await?;
    let found = store.verify_journal(from).await?;
    store.close().await;
    let problem = found.problem.map(|p| p.to_string());
    if as_json {
        say!("{}", json!({ "rows": found.rows, "unsealed": found.unsealed, "head": found.head, "problem": problem }))?;
    } else {
        say!("проверено / checked: {}, ещё не в цепочке / not yet sealed: {}", found.rows, found.unsealed)?;
    }
    match problem {
        None => Ok(ExitCode::SUCCESS),
        Some(problem) => Err(Failure::new(format!("цепочка нарушена / the chain is broken: {problem}"))),
    }
}

async fn export(dir: &ConfigDir) -> Result<ExitCode, Failure> {
    let store = open_store(&Settings::load(&dir.config)?).await?;
    let mut out = std::io::stdout().lock();
    let mut after: Option<String> = None;
    loop {
        let rows = store.list_journal(after.as_deref(), 1_000).await?;
        for row in &rows {
            let entry = &row.entry;
            let line = json!({
                "number": row.sealed.map(|(n, _)| n), "hash": row.sealed.map(|(_, h)| h), "id": row.id, "at": row.at,
                "kind": entry.kind, "actor": entry.actor, "record": entry.record_id, "delivery": entry.delivery_id,
                "obligation": entry.obligation_id, "participant": entry.participant, "detail": entry.detail,
            });
            writeln!(out, "{line}")?;
        }
        match rows.last() {
            Some(last) => after = Some(last.id.clone()),
            None => break,
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
