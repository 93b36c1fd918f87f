//! `GET /metrics` for Prometheus: what the node has counted since its start, and what the database holds now.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::Mutex;
use tracing::warn;

use super::{Face, health};
use crate::domain::{BreakerState, QueueState, RecordId, Timestamp};
use crate::store::StoreError;

/// What the database is asked again no sooner than.
const FRESH_MIN: Duration = Duration::from_secs(5);
/// Asking may take at most one part in so many of the time.
const SHARE: u32 = 20;

const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Number = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    participant: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    participant: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Owed {
    regulation: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    job: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
    node: String,
}

/// What the database held when it was asked last. `None`: it could not be counted, and what is not known is left out, for an old figure
/// would look like a quiet day.
struct Kept {
    ended: Instant,
    took: Duration,
    registry: Option<Registry>,
}

#[derive(Clone)]
struct Scraped {
    face: Face,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// The router of `/metrics`. Several scrapers share one look at the database.
pub fn metrics(face: Face) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(Scraped { face, kept: Arc::default() })
}

async fn scrape(State(scraped): State<Scraped>) -> Response {
    let mut out = String::new();
    let node = here(&scraped.face).await;
    let mut kept = scraped.kept.lock().await;
    let is_stale = |k: &Kept| k.ended.elapsed() > FRESH_MIN.max(k.took.saturating_mul(SHARE));
    if kept.as_ref().is_none_or(is_stale) {
        let asked = Instant::now();
        let counted = stored(&scraped.face).await;
        let registry = counted.inspect_err(|error| warn!(%error, "the database was not counted for /metrics")).ok();
        *kept = Some(Kept { ended: Instant::now(), took: asked.elapsed(), registry });
    }
    let written = text::encode_registry(&mut out, scraped.face.gateway.meters().registry())
        .and_then(|()| text::encode_registry(&mut out, &node))
        .and_then(|()| text::encode_registry(&mut out, &process()))
        .and_then(|()| {
            kept.as_ref().and_then(|k| k.registry.as_ref()).map_or(Ok(()), |r| text::encode_registry(&mut out, r))
        })
        .and_then(|()| text::encode_eof(&mut out));
    match written {
        Ok(()) => ([(header::CONTENT_TYPE, HeaderValue::from_static(KIND))], out).into_response(),
        Err(error) => {
            warn!(%error, "/metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What the node knows of itself without the database's counts.
async fn here(face: &Face) -> Registry {
    let gateway = &face.gateway;
    let mut registry = Registry::with_prefix("mezhved");
    let build = Family::<Build, Number>::default();
    let labels = Build { version: env!("CARGO_PKG_VERSION"), node: gateway.node().to_owned() };
    build.get_or_create(&labels).set(1.0);
    registry.register("build_info", "The node's name and the version of its program", build);
    let reasons = health::reasons(face).await;
    one(
        &mut registry,
        "ready",
        "Whether the node takes messages, as /readyz says",
        f64::from(u8::from(reasons.is_empty())),
    );
    if let Some(amqp) = &face.amqp {
        let connected = f64::from(u8::from(amqp.connected()));
        one(&mut registry, "broker_connected", "Whether the broker is connected", connected);
    }
    let (revisions, days) = (gateway.revisions(), certificates(face));
    one(&mut registry, "participants_revision", "The revision of the participants in force", revisions.participants);
    one(&mut registry, "bundle_revision", "The revision of the bundle in force", revisions.bundle);
    let help = "Days until the last of a participant's certificates ends; below 0 it has ended";
    registry.register("certificate_days_left", help, days);
    let (queues, breakers) = held(face);
    let help = "1 for what a person said last about the participant's queue, 0 for what else could be said";
    registry.register("queue_state", help, queues);
    let help = "1 for what the participant's breaker says: closed (it is there), open (it is away), half-open (a probe is due)";
    registry.register("breaker_state", help, breakers);
    let commits = Counter::<u64>::default();
    commits.inc_by(gateway.store().commits());
    registry.register("store_commits", "Transactions committed by this node; many messages may share one", commits);
    registry
}

fn one(registry: &mut Registry, name: &str, help: &str, value: impl IntoFigure) {
    let gauge = Number::default();
    gauge.set(value.figure());
    registry.register(name, help, gauge);
}

/// A number as Prometheus has them. Above 2^53 the last digits are lost.
trait IntoFigure {
    fn figure(self) -> f64;
}

impl IntoFigure for f64 {
    fn figure(self) -> f64 {
        self
    }
}

impl IntoFigure for i64 {
    #[allow(clippy::cast_precision_loss)]
    fn figure(self) -> f64 {
        self as f64
    }
}

impl IntoFigure for u64 {
    #[allow(clippy::cast_precision_loss)]
    fn figure(self) -> f64 {
        self as f64
    }
}

fn seconds(micros: i64) -> f64 {
    micros.figure() / 1_000_000.0
}

fn certificates(face: &Face) -> Family<Of, Number> {
    let (days, now) = (Family::<Of, Number>::default(), face.gateway.clock().now());
    let set = |participant: String, until: Timestamp| {
        days.get_or_create(&Of { participant }).set(seconds(until.since(now)) / 86_400.0);
    };
    set(face.gateway.id().to_string(), face.gateway.certificate().not_after());
    for known in face.gateway.snapshot().participants() {
        if let Some(until) = known.certificates.iter().map(crate::crypto::Certificate::not_after).max() {
            set(known.participant.id.to_string(), until);
        }
    }
    days
}

/// What holds queues back, as this node knows it: each state of each participant, 1 for the one that is.
fn held(face: &Face) -> (Family<Queue, Number>, Family<Queue, Number>) {
    let (queues, breakers) = (Family::<Queue, Number>::default(), Family::<Queue, Number>::default());
    for (participant, is) in face.gateway.queue_states() {
        for state in QueueState::ALL {
            let of = Queue { participant: participant.to_string(), state: state.as_str() };
            queues.get_or_create(&of).set(f64::from(u8::from(*state == is)));
        }
    }
    for (participant, is) in face.gateway.breaker_states() {
        for state in BreakerState::ALL {
            let of = Queue { participant: participant.to_string(), state: state.as_str() };
            breakers.get_or_create(&of).set(f64::from(u8::from(*state == is)));
        }
    }
    (queues, breakers)
}

/// What the database holds that is not done.
async fn stored(face: &Face) -> Result<Registry, StoreError> {
    let (store, clock) = (face.gateway.store(), face.gateway.clock());
    let mut registry = Registry::with_prefix("mezhved");
    let (depth, age) = (Family::<Queue, Number>::default(), Family::<Queue, Number>::default());
    for figure in store.queue_figures().await? {
        let of = Queue { participant: figure.recipient.to_string(), state: figure.state.as_str() };
        depth.get_or_create(&of).set(figure.count.figure());
        if let Some(accepted) = accepted_at(figure.oldest) {
            age.get_or_create(&of).set(seconds(clock.now().since(accepted)));
        }
    }
    registry.register(
        "queue_depth",
        "Deliveries that are not done, by recipient and state; `sent`: in the mailbox",
        depth,
    );
    let help = "Since the message that is not done longest was accepted";
    registry.register_with_unit("queue_oldest_age", help, Unit::Seconds, age);
    let owed = Family::<Owed, Number>::default();
    for figure in store.obligation_figures().await? {
        let of = Owed { regulation: figure.regulation, state: figure.state.as_str() };
        owed.get_or_create(&of).set(figure.count.figure());
    }
    registry.register("obligations", "Obligations that are not done, by regulation and state", owed);
    // A mark that is not made is a deadline that nobody is told of.
    let late = store.next_instant().await?.map_or(0, |next| clock.business_now().since(next).max(0));
    let gauge = Number::default();
    gauge.set(seconds(late));
    let help = "How long the deadline that should be marked next has waited for its mark; 0: none waits";
    registry.register_with_unit("watcher_lag", help, Unit::Seconds, gauge);
    let (jobs, now) = (Family::<Job, Number>::default(), clock.now());
    for lease in store.lease_figures().await? {
        let held = lease.owner == face.gateway.node() && lease.until > now;
        jobs.get_or_create(&Job { job: lease.name }).set(f64::from(u8::from(held)));
    }
    registry.register("job_held", "Whether this node does a job that one node at a time does", jobs);
    Ok(registry)
}

/// A record's id begins with the millisecond of its acceptance.
fn accepted_at(record: RecordId) -> Option<Timestamp> {
    let (whole, nanos) = record.uuid().get_timestamp()?.to_unix();
    let micros = i64::try_from(whole).ok()?.checked_mul(1_000_000)?.checked_add(i64::from(nanos / 1_000))?;
    Some(Timestamp::from_micros(micros))
}

/// The process as the system sees it, under the names that all Prometheus clients use. Empty where the system does not tell.
fn process() -> Registry {
    let mut registry = Registry::default();
    let Ok(own) = procfs::process::Process::myself() else { return registry };
    let Ok(stat) = own.stat() else { return registry };
    let cpu = Counter::<f64, AtomicU64>::default();
    cpu.inc_by(stat.utime.saturating_add(stat.stime).figure() / procfs::ticks_per_second().figure());
    registry.register_with_unit("process_cpu", "Processor time of the process", Unit::Seconds, cpu);
    let resident = stat.rss.saturating_mul(procfs::page_size());
    one(&mut registry, "process_resident_memory_bytes", "Memory that the process holds", resident);
    if let Ok(open) = own.fd_count() {
        let open = u64::try_from(open).unwrap_or(u64::MAX);
        one(&mut registry, "process_open_fds", "Open files and connections", open);
    }
    registry
}
