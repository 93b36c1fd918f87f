//! `mezhved queue`: what waits for each participant, whether its system is there, and a person's word about it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, runtime, table};
use crate::app::open_store;
use crate::domain::{BreakerState, DeliveryState, Line, ParticipantId, QueueState, Remark, Timestamp};
use crate::gateway::Clock;
use crate::gateway::queue_desk::{self, Shown};
use crate::settings::{Settings, participants};
use crate::store::{QueueOrder, RevisionKind, Store};

/// How much of what was said about a queue is shown.
const HISTORY_MAX: u32 = 50;

const HELP: &str = "\
pause: ничего не уходит, всё ждёт; срок доставки (Expires) идёт, принимать шлюз продолжает.
stop: ничего не уходит; что в очереди и что придёт, откладывается с причиной queue-stopped, отправителю — уведомление. Потом: resume и \
`mezhved dead replay`.
resume: очередь идёт сразу, не дожидаясь пауз между попытками; участник снова считается доступным.
Узлы слушаются в пределах двух секунд.

pause: nothing goes out, everything waits; Expires goes on, and so does accepting.
stop: nothing goes out; what waits and what comes is parked with the reason queue-stopped, and its sender is told. Afterwards: resume, then \
`mezhved dead replay`.
resume: the queue goes at once, without the pauses between attempts; the participant is held to be there again.
All nodes obey within two seconds.";

/// Очереди участников: глубина, доступность, остановка / participants' queues: depth, whether their system is there, stopping
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Перечислить / list: state, depth, age, attempts, breaker
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Показать одну и всё, что о ней решали / show one, and all that was said about it
    Show {
        #[command(flatten)]
        dir: ConfigDir,
        /// Участник / the participant
        id: ParticipantId,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Приостановить: всё ждёт / pause: everything waits
    Pause(Order),
    /// Пустить снова, сразу / let it go again, at once
    Resume(Order),
    /// Остановить совсем: всё откладывается, отправителям сообщается / stop for good: everything is parked and the senders told
    Stop(Order),
}

/// Что решено.
#[derive(Debug, clap::Args)]
struct Order {
    #[command(flatten)]
    dir: ConfigDir,
    /// Участник / the participant
    id: ParticipantId,
    /// Почему; хранится с решением, в журнале его нет / why; kept with the decision, not in the journal
    #[arg(long, value_name = "TEXT")]
    reason: Remark,
    /// Кто, для журнала; без него — пользователь системы / who, for the journal; the user of the system when left out
    #[arg(long, env = "USER", hide_env_values = true, default_value = "operator", value_name = "WHO")]
    author: Line,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async move {
        let (dir, asked) = match &args.command {
            Command::List { dir, .. } | Command::Show { dir, .. } => (dir, None),
            Command::Pause(order) => (&order.dir, Some((order, QueueState::Paused))),
            Command::Resume(order) => (&order.dir, Some((order, QueueState::Running))),
            Command::Stop(order) => (&order.dir, Some((order, QueueState::Stopped))),
        };
        let store = open_store(&Settings::load(&dir.config)?).await?;
        let done = match (&args.command, asked) {
            (_, Some((order, state))) => say_so(&store, order, state).await,
            (Command::Show { id, json, .. }, None) => show(&store, id, *json).await,
            (Command::List { json, .. }, None) => list(&store, *json).await,
            (Command::Pause(_) | Command::Resume(_) | Command::Stop(_), None) => Ok(ExitCode::FAILURE),
        };
        store.close().await;
        done
    })
}

fn shown_json(shown: &Shown, now: Timestamp) -> Value {
    let breaker = shown.breaker.as_ref();
    let (queued, leased) = (shown.depth(DeliveryState::Queued), shown.depth(DeliveryState::Leased));
    json!({
        "participant": shown.participant, "state": shown.state(),
        "author": shown.order.as_ref().map(|o| &o.author), "reason": shown.order.as_ref().map(|o| &o.reason),
        "changedAt": shown.order.as_ref().map(|o| o.at),
        "depth": queued.saturating_add(leased), "queued": queued, "leased": leased,
        "parked": shown.depth(DeliveryState::Parked), "inMailbox": shown.depth(DeliveryState::Sent),
        "oldestAcceptedAt": shown.oldest(), "oldestAgeSeconds": shown.oldest().map(|at| now.since(at) / 1_000_000),
        "attempts": shown.tries.as_ref().map_or(0, |t| t.attempts_max),
        "nextAt": shown.tries.as_ref().and_then(|t| t.next_at),
        "breaker": {
            "state": shown.breaker_state(now), "openedAt": breaker.map(|b| b.opened_at),
            "failures": breaker.map(|b| b.failures), "reason": breaker.map(|b| b.reason),
            "probeAt": breaker.map(|b| b.probe_at), "probes": breaker.map(|b| b.probes),
            "node": breaker.map(|b| &b.node),
        },
    })
}

/// Those of the configuration in force, and whoever else anything is known of.
async fn queues(store: &Store) -> Result<Vec<Shown>, Failure> {
    Ok(queue_desk::queues(store, configured(store).await?).await?)
}

pub(super) async fn configured(store: &Store) -> Result<BTreeSet<ParticipantId>, Failure> {
    let latest = store.revisions().await?;
    let Some(revision) = store.revision(RevisionKind::Participants, latest.participants).await? else {
        return Ok(BTreeSet::new());
    };
    let people = participants::parse(&revision.files).map_err(super::partner::problems)?;
    Ok(people.into_iter().map(|participant| participant.id).collect())
}

fn age(seconds: i64) -> String {
    match seconds {
        s if s < 120 => format!("{s} с"),
        s if s < 7_200 => format!("{} мин", s / 60),
        s if s < 172_800 => format!("{} ч", s / 3_600),
        s => format!("{} дн", s / 86_400),
    }
}

fn print(rows: &[Shown], now: Timestamp) -> Result<(), Failure> {
    let cells = |shown: &Shown| {
        let waiting = shown.depth(DeliveryState::Queued).saturating_add(shown.depth(DeliveryState::Leased));
        let breaker = match &shown.breaker {
            Some(row) => format!("{} ({})", row.state(now).ru(), row.reason.ru()),
            None => BreakerState::Closed.ru().to_owned(),
        };
        vec![
            shown.participant.to_string(),
            shown.state().ru().to_owned(),
            waiting.to_string(),
            shown.oldest().map_or(String::new(), |at| age(now.since(at) / 1_000_000)),
            shown.tries.as_ref().map_or(String::new(), |t| t.attempts_max.to_string()),
            shown.depth(DeliveryState::Parked).to_string(),
            shown.depth(DeliveryState::Sent).to_string(),
            breaker,
        ]
    };
    let heads = [
        "участник / participant",
        "очередь / queue",
        "ждёт / waiting",
        "старшему / oldest",
        "попыток / attempts",
        "отложено / parked",
        "в ящике / in mailbox",
        "предохранитель / breaker",
    ];
    table::print(&heads, &rows.iter().map(cells).collect::<Vec<_>>())?;
    Ok(())
}

async fn list(store: &Store, as_json: bool) -> Result<ExitCode, Failure> {
    let (rows, now) = (queues(store).await?, Clock::default().now());
    if as_json {
        say!("{}", Value::from(rows.iter().map(|shown| shown_json(shown, now)).collect::<Vec<_>>()))?;
    } else {
        print(&rows, now)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(id: &ParticipantId) -> Failure {
    Failure::new(format!("участника {id} нет / there is no participant {id}; `mezhved queue list` lists them"))
}

async fn show(store: &Store, id: &ParticipantId, as_json: bool) -> Result<ExitCode, Failure> {
    let now = Clock::default().now();
    let found = queues(store).await?.into_iter().find(|shown| shown.participant == *id);
    let shown = found.ok_or_else(|| unknown(id))?;
    let history = store.queue_history(id, HISTORY_MAX).await?;
    if as_json {
        let mut whole = shown_json(&shown, now);
        let acts =
            history.iter().map(|o| json!({ "state": o.state, "author": o.author, "reason": o.reason, "at": o.at }));
        if let Value::Object(map) = &mut whole {
            map.insert("history".to_owned(), acts.collect());
        }
        say!("{whole}")?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(row) = &shown.breaker {
        say!(
            "недоступен с / away since {}: неудач подряд / failures in a row {}, проб / probes {}, следующая / next {}",
            row.opened_at,
            row.failures,
            row.probes,
            row.probe_at
        )?;
    }
    print(std::slice::from_ref(&shown), now)?;
    let rows: Vec<Vec<String>> = history
        .iter()
        .map(|o| vec![o.at.to_string(), o.state.ru().to_owned(), o.author.clone(), o.reason.clone()])
        .collect();
    if !rows.is_empty() {
        say!("")?;
        table::print(&["когда / when", "решено / decided", "кто / who", "почему / why"], &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn say_so(store: &Store, order: &Order, state: QueueState) -> Result<ExitCode, Failure> {
    let id = &order.id;
    if !queues(store).await?.iter().any(|shown| shown.participant == *id) {
        return Err(unknown(id));
    }
    let at = Clock::default().now();
    let new = QueueOrder {
        participant: id.clone(),
        state,
        author: order.author.to_string(),
        reason: order.reason.to_string(),
        at,
    };
    let (changed, brought) = queue_desk::order(store, new).await?;
    if order.json {
        say!("{}", json!({ "participant": id, "state": state, "changed": changed, "broughtForward": brought }))?;
    } else {
        let already = if changed { "" } else { " (так и было / it was so already)" };
        say!("{id}: {} / {state}{already}", state.ru())?;
    }
    Ok(ExitCode::SUCCESS)
}
