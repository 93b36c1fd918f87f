//! `mezhved dead`: deliveries that ended without having been delivered, and what becomes of them.

use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::message::{delivery_json, message_json};
use super::{ConfigDir, Failure, runtime, table};
use crate::access::Scope;
use crate::app::{open_store, read_folder, signer, vault};
use crate::domain::{DeliveryId, DeliveryState, Line, MessageId, ParkReason, ParticipantId, Remark, Timestamp};
use crate::gateway::{Clock, Gateway, first_revisions, queue_desk};
use crate::settings::Settings;
use crate::store::{DeadDelivery, DeadFilter, MessageFilter, Replay, Store};

const STATES: [DeliveryState; 3] = [DeliveryState::Parked, DeliveryState::Refused, DeliveryState::Expired];

const HELP: &str = "\
Примеры / examples:
  mezhved dead list --to health --reason translation-failed
  mezhved dead show ID
  mezhved dead replay --to health --reason translation-failed --retranslate --why 'Адаптер исправлен' --dry-run
  mezhved dead replay ID --why 'Участник снова на связи'
  mezhved dead discard ID --why 'Отправлено на бумаге'";

/// Невручённое, чего шлюз больше не пытается: отложенное, отвергнутое, просроченное / what the gateway tries no more: parked, refused,
/// expired
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Что выбрать.
#[derive(Debug, Clone, clap::Args)]
struct Which {
    /// Только этому участнику / only to this participant
    #[arg(long, value_name = "ID")]
    to: Option<ParticipantId>,
    /// Только от этого участника / only from this participant
    #[arg(long, value_name = "ID")]
    from: Option<ParticipantId>,
    /// Только в этих состояниях / only in these states
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = states())]
    state: Vec<DeliveryState>,
    /// Только отложенное по этой причине / only what was parked for this reason
    #[arg(long, value_name = "REASON", value_parser = reasons())]
    reason: Option<ParkReason>,
    /// Только отвергнутое с этим кодом / only what was refused with this code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Только этого типа / only of this type
    #[arg(long = "type", value_name = "TYPE")]
    message_type: Option<String>,
    /// Только с этого момента (RFC 3339) / only what ended at this instant or later
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    since: Option<Timestamp>,
    /// Только до этого момента / only what ended before this instant
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    until: Option<Timestamp>,
}

/// Кто и почему.
#[derive(Debug, Clone, clap::Args)]
struct Decision {
    /// Почему; хранится при доставке, в журнале его нет / why; kept with the delivery, not in the journal
    #[arg(long, value_name = "TEXT")]
    why: Remark,
    /// Кто, для журнала; без него — пользователь системы / who, for the journal; the user of the system when left out
    #[arg(long, env = "USER", hide_env_values = true, default_value = "operator", value_name = "WHO")]
    author: Line,
    /// Только показать, чего это коснётся / only show what it would touch
    #[arg(long)]
    dry_run: bool,
    /// Не больше / at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Перечислить, старые первыми / list, oldest first
    List {
        #[command(flatten)]
        dir: ConfigDir,
        #[command(flatten)]
        which: Which,
        /// Не больше / at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Показать одно со всеми попытками и решениями; тело не показывается / show one with every attempt and decision; never the body
    Show {
        #[command(flatten)]
        dir: ConfigDir,
        /// MessageId или DeliveryId / MessageId or DeliveryId
        id: String,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Отправить снова то же сообщение, с тем же номером; повторять безвредно / send the same message again, under the same id; harmless to
    /// repeat
    Replay {
        #[command(flatten)]
        dir: ConfigDir,
        /// MessageId или DeliveryId; без них — всё, что выбрано / MessageId or DeliveryId; without any, all that the options name
        ids: Vec<String>,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        decision: Decision,
        /// Перевести и подписать заново (после исправления адаптера) / translate and sign anew, after mending the adapter
        #[arg(long)]
        retranslate: bool,
    },
    /// Снять насовсем: отправителю уходит уведомление, сроки, ждавшие вручения, снимаются / end it for good: its sender is told, and the
    /// terms that waited for the handing over are cancelled
    Discard {
        #[command(flatten)]
        dir: ConfigDir,
        /// MessageId или DeliveryId; без них — всё, что выбрано / MessageId or DeliveryId; without any, all that the options name
        ids: Vec<String>,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        decision: Decision,
    },
}

fn states() -> impl TypedValueParser<Value = DeliveryState> {
    let words = STATES.iter().map(|s| PossibleValue::new(s.as_str()).help(s.ru()));
    PossibleValuesParser::new(words).try_map(|word| DeliveryState::parse(&word).ok_or("no such state"))
}

fn reasons() -> impl TypedValueParser<Value = ParkReason> {
    let words = ParkReason::ALL.iter().map(|r| PossibleValue::new(r.as_str()).help(r.ru()));
    PossibleValuesParser::new(words).try_map(|word| ParkReason::parse(&word).ok_or("no such reason"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text)
        .ok_or_else(|| "нужен момент RFC 3339 / an RFC 3339 instant is needed: 2026-05-12T00:00:00+05:00".to_owned())
}

impl Which {
    fn filter(&self) -> DeadFilter {
        DeadFilter {
            recipient: self.to.clone(),
            sender: self.from.clone(),
            states: self.state.clone(),
            reason: self.reason,
            fault_code: self.code.clone(),
            type_name: self.message_type.clone(),
            since: self.since,
            until: self.until,
            within: Scope::whole(),
        }
    }

    fn is_empty(&self) -> bool {
        let Self { to, from, state, reason, code, message_type, since, until } = self;
        let named = to.is_some() || from.is_some() || reason.is_some() || code.is_some() || message_type.is_some();
        !(named || !state.is_empty() || since.is_some() || until.is_some())
    }
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async move {
        let (Command::List { dir, .. }
        | Command::Show { dir, .. }
        | Command::Replay { dir, .. }
        | Command::Discard { dir, .. }) = &args.command;
        let settings = Settings::load(&dir.config)?;
        let store = open_store(&settings).await?;
        let done = match &args.command {
            Command::List { which, limit, json, .. } => {
                let found = store.dead_letters(&which.filter(), None, *limit).await;
                match found {
                    Ok(found) => print(&found, *json),
                    Err(error) => Err(error.into()),
                }
            }
            Command::Show { id, json, .. } => show(&store, id, *json).await,
            Command::Replay { ids, which, decision, retranslate, .. } => {
                replay(&store, (ids, which), decision, *retranslate).await
            }
            Command::Discard { ids, which, decision, .. } => discard(settings, &store, (ids, which), decision).await,
        };
        store.close().await;
        done
    })
}

fn dead_json(dead: &DeadDelivery) -> Value {
    json!({ "message": message_json(&dead.message), "delivery": delivery_json(&dead.delivery) })
}

fn print(found: &[DeadDelivery], as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        say!("{}", Value::from(found.iter().map(dead_json).collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let cells = |dead: &DeadDelivery| {
        let (delivery, message) = (&dead.delivery, &dead.message);
        let why = match (delivery.reason, &delivery.fault_code) {
            (Some(reason), _) => format!("{reason} ({})", reason.ru()),
            (None, Some(code)) => code.clone(),
            (None, None) => String::new(),
        };
        vec![
            message.message_id.to_string(),
            message.message_type.to_string(),
            format!("{} → {}", message.sender, delivery.recipient),
            delivery.state.ru().to_owned(),
            why,
            delivery.attempts.to_string(),
            delivery.settled_at.map_or(String::new(), |at| at.to_string()),
        ]
    };
    let heads = [
        "id",
        "тип / type",
        "путь / route",
        "состояние / state",
        "причина / reason",
        "попыток / attempts",
        "когда / when",
    ];
    table::print(&heads, &found.iter().map(cells).collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}

/// The deliveries that an id names: one of its own, or those of a message.
async fn named(store: &Store, id: &str) -> Result<Vec<DeadDelivery>, Failure> {
    if let Ok(delivery) = DeliveryId::parse(id)
        && let Some((delivery, message)) = store.delivery(delivery).await?
    {
        return Ok(vec![DeadDelivery { delivery, message }]);
    }
    let mut found = Vec::new();
    if let Ok(message) = MessageId::parse(id) {
        let filter = MessageFilter { message_id: Some(message), ..MessageFilter::default() };
        for row in store.list_messages(&filter, None, 100).await? {
            for own in store.deliveries_of(row.record_id).await? {
                // Of a message that was parted the parts' own rows.
                found.extend(
                    store.delivery(own.id).await?.map(|(delivery, message)| DeadDelivery { delivery, message }),
                );
            }
        }
    }
    if found.is_empty() {
        return Err(Failure::new(format!(
            "{id}: нет ни сообщения, ни доставки / no message and no delivery; `mezhved dead list`"
        )));
    }
    Ok(found)
}

async fn show(store: &Store, id: &str, as_json: bool) -> Result<ExitCode, Failure> {
    let mut shown = Vec::new();
    for dead in named(store, id).await? {
        let mut one = dead_json(&dead);
        let tries: Vec<Value> = store
            .attempts(dead.delivery.id)
            .await?
            .iter()
            .map(|a| {
                json!({
                    "at": a.at, "state": a.state, "reason": a.reason, "what": a.reason.map(ParkReason::ru), "detail": a.detail,
                    "node": a.node,
                })
            })
            .collect();
        if let Value::Object(map) = &mut one {
            map.insert("chain".to_owned(), Value::from(tries));
        }
        shown.push(one);
    }
    let shown = Value::from(shown);
    say!("{}", if as_json { shown.to_string() } else { serde_json::to_string_pretty(&shown)? })?;
    Ok(ExitCode::SUCCESS)
}

/// What a decision is about: those that are named, or those that the options choose; only dead ones, no more than the limit.
async fn chosen(store: &Store, (ids, which): (&[String], &Which), limit: u32) -> Result<Vec<DeadDelivery>, Failure> {
    if ids.is_empty() {
        if which.is_empty() {
            return Err(Failure::new(
                "назовите номера или условие, например --to УЧАСТНИК / name ids or a condition, such as --to PARTICIPANT",
            ));
        }
        return Ok(store.dead_letters(&which.filter(), None, limit).await?);
    }
    if !which.is_empty() {
        return Err(Failure::new("или номера, или условия / either ids or conditions, not both"));
    }
    let mut found = Vec::new();
    for id in ids {
        found.extend(named(store, id).await?.into_iter().filter(|dead| STATES.contains(&dead.delivery.state)));
    }
    let limit_of = usize::try_from(limit).unwrap_or(usize::MAX);
    if found.len() > limit_of {
        return Err(Failure::new(format!("{} > --limit {limit}", found.len())));
    }
    Ok(found)
}

async fn replay(
    store: &Store,
    what: (&[String], &Which),
    decision: &Decision,
    retranslate: bool,
) -> Result<ExitCode, Failure> {
    let found = chosen(store, what, decision.limit).await?;
    if let Some(stopped) = queue_desk::stopped(store, &found).await? {
        let id = &stopped;
        return Err(Failure::new(format!(
            "очередь {id} остановлена: сначала `mezhved queue resume {id}` / the queue of {id} is stopped: resume it first"
        )));
    }
    if decision.dry_run {
        return print(&found, decision.json);
    }
    let ids: Vec<DeliveryId> = found.iter().map(|dead| dead.delivery.id).collect();
    let wish = Replay {
        delivery_ids: ids,
        now: Clock::default().now(),
        actor: decision.author.to_string(),
        why: Some(decision.why.clone()),
        retranslate,
    };
    let back = queue_desk::replay(store, wish).await?;
    if decision.json {
        say!("{}", json!({ "replayed": back }))?;
    } else {
        say!("снова в очереди / queued again: {}", back.len())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn discard(
    settings: Settings,
    store: &Store,
    what: (&[String], &Which),
    decision: &Decision,
) -> Result<ExitCode, Failure> {
    let found = chosen(store, what, decision.limit).await?;
    if decision.dry_run {
        return print(&found, decision.json);
    }
    // Who is told is told in the gateway's own name: its key is needed.
    let (signer, own, clock) = (signer(&settings)?, read_folder(&settings.folder)?, Clock::default());
    let snapshot = first_revisions(store, &own.participants, &own.bundle, &settings.gateway.id, &clock).await?;
    let node = super::serve::node_name();
    let vault = vault(&settings)?;
    let gateway = Gateway::new(settings, node, store.clone(), Arc::new(signer), Arc::new(clock), snapshot, vault);
    let mut done = Vec::new();
    for dead in &found {
        if gateway.discard_dead(dead.delivery.id, decision.author.as_str(), &decision.why).await? {
            done.push(dead.delivery.id);
        }
    }
    if decision.json {
        say!("{}", json!({ "discarded": done }))?;
    } else {
        say!("снято / discarded: {}", done.len())?;
    }
    Ok(ExitCode::SUCCESS)
}
