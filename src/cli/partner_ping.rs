//! `mezhved partner ping`: try the way to a participant, and say what each step showed.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{ConfigDir, Failure};
use crate::app::{open_store, read_folder, signer, vault, ways};
use crate::domain::{Line, ParticipantId};
use crate::gateway::dispatch::ping::{PingOutcome, PingStep, Pinger, StepReport, StepState};
use crate::gateway::{Clock, Gateway, first_revisions};
use crate::settings::Settings;

/// What `partner ping` needs.
#[derive(Debug, clap::Args)]
pub(crate) struct PingArgs {
    #[command(flatten)]
    dir: ConfigDir,
    /// Участник / the participant
    participant: ParticipantId,
    /// Сколько секунд ждать квитанции, если она приходит не в ответе / seconds to wait for a receipt that does not come in the answer
    #[arg(long, default_value_t = 15, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=600))]
    wait: u64,
    /// Кто, для журнала; без него — пользователь системы / who, for the journal; the user of the system when left out
    #[arg(long, env = "USER", hide_env_values = true, default_value = "administrator", value_name = "WHO")]
    author: Line,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: PingArgs) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&args.dir.config)?;
    let (signer, own, clock) = (signer(&settings)?, read_folder(&settings.folder)?, Clock::default());
    let (store, vault, ways) = (open_store(&settings).await?, vault(&settings)?, ways(&settings)?);
    let snapshot = first_revisions(&store, &own.participants, &own.bundle, &settings.gateway.id, &clock).await?;
    let node = super::serve::node_name();
    let gateway = Gateway::new(settings, node, store.clone(), Arc::new(signer), Arc::new(clock), snapshot, vault);
    let wait = Duration::from_secs(args.wait);
    let pinger = Pinger::begin(&gateway, &ways, &args.participant, args.author.as_str(), wait).await?;
    let pinger = if args.json { pinger } else { pinger.telling(|step| drop(tell(step))) };
    let report = pinger.run().await?;
    let outcome = report.outcome().unwrap_or(PingOutcome::Failed);
    if args.json {
        let row = &report.row;
        say!(
            "{}",
            json!({
                "id": row.id, "participant": row.participant, "node": row.node, "startedAt": row.started_at, "endedAt": row.ended_at,
                "outcome": outcome, "steps": report.steps,
            })
        )?;
    } else {
        say!("{}", words(outcome))?;
    }
    store.close().await;
    Ok(if outcome == PingOutcome::Failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(report: &StepReport) -> std::io::Result<()> {
    let mark = match report.state {
        StepState::Done => "+",
        StepState::Failed => "!",
        StepState::Open => "?",
    };
    let facts: Vec<String> = report.facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    say!("{mark} {:<28} {:>6} ms  {}", step(report.step), report.millis, facts.join("  "))
}

fn step(step: PingStep) -> &'static str {
    match step {
        PingStep::Name => "имя / name",
        PingStep::Tcp => "соединение / TCP",
        PingStep::Tls => "TLS",
        PingStep::Broker => "брокер / broker",
        PingStep::Queue => "очередь / queue",
        PingStep::Secret => "секрет / secret",
        PingStep::Sign => "подпись шлюза / signed",
        PingStep::Send => "передача / handed over",
        PingStep::Receipt => "квитанция / receipt",
    }
}

fn words(outcome: PingOutcome) -> &'static str {
    match outcome {
        PingOutcome::Reached => "связь есть: участник подписал квитанцию / the partner is there: it signed a receipt",
        PingOutcome::Silent => {
            "всё, что можно проверить, в порядке, но квитанции нет / all that can be tried is as it should be, but there is no receipt"
        }
        PingOutcome::Failed => "связи нет: см. шаг с `!` / no way: see the step with `!`",
    }
}
