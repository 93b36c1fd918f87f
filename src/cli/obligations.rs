//! `mezhved deadline`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, deadline_compute, runtime, said, table};
use crate::app::open_store;
use crate::deadline::show_due;
use crate::domain::{ParticipantId, Timestamp, Zone};
use crate::settings::Settings;
use crate::settings::participants;
use crate::store::{ObligationFilter, ObligationGroup, ObligationRow, RevisionKind};

/// Сроки и обязательства / deadlines and obligations
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Compute(deadline_compute::Args),
    /// Перечислить обязательства по сроку / list obligations by their due instant
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Только просроченные / only what is overdue
        #[arg(long)]
        overdue: bool,
        /// Только этого должника / only those owed by this participant
        #[arg(long, value_name = "ID")]
        debtor: Option<ParticipantId>,
        /// Не больше / at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Compute(args) => {
            let files = crate::bundle::embedded();
            said(deadline_compute::run(&args, &files, &mut std::io::stdout(), &mut std::io::stderr()))
        }
        Command::List { dir, overdue, debtor, limit, json } => {
            let group = overdue.then_some(ObligationGroup::Overdue);
            let filter = ObligationFilter { group, debtor, ..ObligationFilter::default() };
            runtime()?.block_on(list(&dir, &filter, limit, json))
        }
    }
}

async fn list(dir: &ConfigDir, filter: &ObligationFilter, limit: u32, as_json: bool) -> Result<ExitCode, Failure> {
    let store = open_store(&Settings::load(&dir.config)?).await?;
    let rows = store.list_obligations(filter, None, limit).await?;
    let latest = store.revisions().await?;
    let people = store.revision(RevisionKind::Participants, latest.participants).await?;
    let people = people.and_then(|r| participants::parse(&r.files).ok()).unwrap_or_default();
    let zone_of = |id: &ParticipantId| people.iter().find(|p| p.id == *id).map(|p| p.zone);
    let utc = Zone::parse("UTC").ok_or_else(|| Failure::new("no zone UTC"))?;
    let shown = |row: &ObligationRow| {
        let zone = zone_of(&row.debtor).unwrap_or(utc);
        row.due_at.map(|due: Timestamp| show_due(due, zone))
    };
    if as_json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|r| {
                json!({
                    "id": r.id, "regulation": r.regulation, "rule": r.rule, "subject": r.subject, "period": r.period,
                    "debtor": r.debtor, "creditor": r.creditor, "state": r.state, "due": shown(r), "term": r.term,
                    "caseId": r.case_id, "conversationId": r.conversation_id, "startedAt": r.started_at,
                    "settledAt": r.settled_at,
                })
            })
            .collect();
        say!("{}", Value::from(rows))?;
    } else {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|r| {
                let due = shown(r).unwrap_or_default();
                let what = format!("{} {}", r.rule, r.period);
                vec![r.state.ru().to_owned(), due, r.debtor.to_string(), what.trim_end().to_owned(), r.id.to_string()]
            })
            .collect();
        table::print(&["состояние / state", "срок / due", "кто / debtor", "правило / rule", "id"], &cells)?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
