//! `mezhved queue`: what waits for each participant, whether its system is there, and a person's word about it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, runtime, table};
use crate::app::open_store;
use crate::domain::{BreakerState, DeliveryState, Line, ParticipantId, QueueState, Remark, Timestamp};
use crate::gateway::Clock;
use crate::settings::{Settings, participants};
use crate::store::{BreakerRow, QueueFigure, QueueOrder, QueueTry, RevisionKind, Store};

/// How many deliveries are made due in one transaction.
const FORWARD_AT_ONCE: u32 = 1_000;
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

/// All that is known of one queue.
struct Shown {
    participant: ParticipantId,
    order: Option<QueueOrder>,
    breaker: Option<BreakerRow>,
    figures: Vec<QueueFigure>,
    tries: Option<QueueTry>,
}

impl Shown {
    fn state(&self) -> QueueState {
        self.order.as_ref().map_or(QueueState::Running, |order| order.state)
    }

    fn breaker_state(&self, now: Timestamp) -> BreakerState {
        self.breaker.as_ref().map_or(BreakerState::Closed, |row| row.state(now))
    }

    fn depth(&self, state: DeliveryState) -> u64 {
        self.figures.iter().find(|figure| figure.state == state).map_or(0, |figure| figure.count)
    }

    /// When the message was accepted that waits longest to be handed over.
    fn oldest(&self) -> Option<Timestamp> {
        let waiting = self.figures.iter().filter(|f| matches!(f.state, DeliveryState::Queued | DeliveryState::Leased));
        let oldest = waiting.map(|figure| figure.oldest).min()?;
        let (whole, nanos) = oldest.uuid().get_timestamp()?.to_unix();
        let micros = i64::try_from(whole).ok()?.checked_mul(1_000_000)?;
        Some(Timestamp::from_micros(micros.checked_add(i64::from(nanos / 1_000))?))
    }

    fn json(&self, now: Timestamp) -> Value {
        let breaker = self.breaker.as_ref();
        let (queued, leased) = (self.depth(DeliveryState::Queued), self.depth(DeliveryState::Leased));
        json!({
            "participant": self.participant, "state": self.state(),
            "author": self.order.as_ref().map(|o| &o.author), "reason": self.order.as_ref().map(|o| &o.reason),
            "changedAt": self.order.as_ref().map(|o| o.at),
            "depth": queued.saturating_add(leased), "queued": queued, "leased": leased,
            "parked": self.depth(DeliveryState::Parked), "inMailbox": self.depth(DeliveryState::Sent),
            "oldestAcceptedAt": self.oldest(), "oldestAgeSeconds": self.oldest().map(|at| now.since(at) / 1_000_000),
            "attempts": self.tries.as_ref().map_or(0, |t| t.attempts_max),
            "nextAt": self.tries.as_ref().and_then(|t| t.next_at),
            "breaker": {
                "state": self.breaker_state(now), "openedAt": breaker.map(|b| b.opened_at),
                "failures": breaker.map(|b| b.failures), "reason": breaker.map(|b| b.reason),
                "probeAt": breaker.map(|b| b.probe_at), "probes": breaker.map(|b| b.probes),
                "node": breaker.map(|b| &b.node),
            },
        })
    }
}

/// Those of the configuration in force, and whoever else anything is known of.
async fn queues(store: &Store) -> Result<Vec<Shown>, Failure> {
    let mut ids: BTreeSet<ParticipantId> = configured(store).await?;
    let mut figures: BTreeMap<ParticipantId, Vec<QueueFigure>> = BTreeMap::new();
    for figure in store.queue_figures().await? {
        figures.entry(figure.recipient.clone()).or_default().push(figure);
    }
    let mut orders: BTreeMap<_, _> =
        store.queue_orders().await?.into_iter().map(|order| (order.participant.clone(), order)).collect();
    let mut breakers: BTreeMap<_, _> =
        store.breakers().await?.into_iter().map(|row| (row.participant.clone(), row)).collect();
    let mut tries: BTreeMap<_, _> =
        store.queue_tries().await?.into_iter().map(|row| (row.participant.clone(), row)).collect();
    ids.extend(figures.keys().chain(orders.keys()).chain(breakers.keys()).cloned());
    let shown = ids.into_iter().map(|participant| Shown {
        order: orders.remove(&participant).filter(|order| !order.author.is_empty()),
        breaker: breakers.remove(&participant),
        figures: figures.remove(&participant).unwrap_or_default(),
        tries: tries.remove(&participant),
        participant,
    });
    Ok(shown.collect())
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
        say!("{}", Value::from(rows.iter().map(|shown| shown.json(now)).collect::<Vec<_>>()))?;
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
        let mut whole = shown.json(now);
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
    let changed = store.order_queue(new).await?;
    // What waits for a later attempt is parked, or goes, at once.
    let mut brought = 0_u64;
    if state != QueueState::Paused {
        loop {
            let some = store.bring_forward(id, at, FORWARD_AT_ONCE).await?;
            brought = brought.saturating_add(some);
            if some == 0 {
                break;
            }
        }
    }
    if order.json {
        say!("{}", json!({ "participant": id, "state": state, "changed": changed, "broughtForward": brought }))?;
    } else {
        let already = if changed { "" } else { " (так и было / it was so already)" };
        say!("{id}: {} / {state}{already}", state.ru())?;
    }
    Ok(ExitCode::SUCCESS)
}
