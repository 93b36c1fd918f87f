//! «Проверить связь»: a signed ping goes the very way that deliveries go, and each step tells what it showed.
//!
//! The ping is a message of the gateway's own with a delivery, handed over by the dispatcher's own hands; but nobody else claims it (it is
//! due in an hour, and taken at once), it is tried once, and what did not arrive is discarded, so that it is no dead letter. Pauses, stops
//! and the breaker do not hold it back: a person wants to know now. A success tells the breaker that the partner is back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::info;

use super::{Dispatcher, Ways};
use crate::domain::{Framing, ParticipantId, Plain, RecordId, TransportKind};
use crate::gateway::{Gateway, ids};
use crate::store::{PingRow, StoreError};
use crate::transport::amqp::Queue;

/// A step of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PingStep {
    /// The address may be used and its name resolves.
    Name,
    /// A TCP connection.
    Tcp,
    /// The TLS handshake, and whether the partner's certificate is trusted.
    Tls,
    /// The connection to the broker.
    Broker,
    /// The partner's queue.
    Queue,
    /// The secret by which the gateway proves itself to a partner without envelopes.
    Secret,
    /// The gateway's signature.
    Sign,
    /// The handing over: HTTP, the broker's confirm, or the mailbox.
    Send,
    /// The partner's signed receipt.
    Receipt,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// As it should be.
    Done,
    /// Not so; nothing further is tried.
    Failed,
    /// Nothing is known: it is awaited, or cannot be tried with this partner.
    Open,
}

/// A step with what it showed. No body and no secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// Which step.
    pub step: PingStep,
    /// How it ended.
    pub state: StepState,
    /// How long it took.
    pub millis: u64,
    /// What was seen, by name: `addresses`, `version`, `subject`, `issuer`, `until`, `names`, `messageId`, `detail`, …
    pub facts: Vec<(String, String)>,
}

/// What a ping came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PingOutcome {
    /// The partner's signed receipt was verified.
    Reached,
    /// Everything that could be tried is as it should be, but no receipt came (yet).
    Silent,
    /// A step failed.
    Failed,
}

impl PingOutcome {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Silent => "silent",
            Self::Failed => "failed",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Reached, Self::Silent, Self::Failed].into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// A ping, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingReport {
    /// Who, when, on which node.
    pub row: PingRow,
    /// The steps.
    pub steps: Vec<StepReport>,
}

impl PingReport {
    /// The report of a stored row.
    ///
    /// # Errors
    /// When its steps cannot be read.
    pub fn of(row: PingRow) -> Result<Self, StoreError> {
        let steps = serde_json::from_str(&row.steps).map_err(|_| StoreError::Corrupt("column steps".to_owned()))?;
        Ok(Self { row, steps })
    }

    /// What it came to; `None`: it runs, or its node died.
    pub fn outcome(&self) -> Option<PingOutcome> {
        self.row.outcome.as_deref().and_then(PingOutcome::parse)
    }
}

/// Why there was no ping.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    /// There is no such participant.
    #[error("участника `{0}` нет / there is no participant `{0}`; `mezhved partner list`")]
    NoSuch(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who is told of each step.
type Told = Box<dyn Fn(&StepReport) + Send + Sync>;

/// A ping that is about to go.
pub struct Pinger {
    pub(super) dispatcher: Dispatcher,
    pub(super) report: PingReport,
    told: Option<Told>,
    pub(super) wait: Duration,
}

/// The way is not good; the step is told.
pub(super) struct Broken;

/// Whether the way goes on after a step.
pub(super) type Going = Result<Result<(), Broken>, PingError>;

impl Pinger {
    /// Notes that somebody wants to know; then [`Pinger::run`] it. `wait` says how long a receipt is waited for that does not come in the
    /// answer itself.
    ///
    /// # Errors
    /// When there is no such participant or the database is away.
    pub async fn begin(
        gateway: &Gateway,
        ways: &Ways,
        participant: &ParticipantId,
        author: &str,
        wait: Duration,
    ) -> Result<Self, PingError> {
        if gateway.snapshot().participant(participant).is_none() {
            return Err(PingError::NoSuch(participant.to_string()));
        }
        let row = PingRow {
            id: ids::record(gateway.clock()),
            participant: participant.clone(),
            author: author.to_owned(),
            node: gateway.node().to_owned(),
            started_at: gateway.clock().now(),
            ended_at: None,
            outcome: None,
            steps: "[]".to_owned(),
        };
        gateway.store().note_ping(row.clone()).await?;
        let dispatcher = Dispatcher::new(gateway.clone(), ways.clone());
        Ok(Self { dispatcher, report: PingReport { row, steps: Vec::new() }, told: None, wait })
    }

    /// The ping's id.
    pub fn id(&self) -> RecordId {
        self.report.row.id
    }

    /// Tells each step as it ends.
    #[must_use]
    pub fn telling(mut self, told: impl Fn(&StepReport) + Send + Sync + 'static) -> Self {
        self.told = Some(Box::new(told));
        self
    }

    /// Goes the whole way, noting each step.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn run(mut self) -> Result<PingReport, PingError> {
        let went = self.go().await?;
        let ended = self.report.steps.last().map(|step| step.state);
        let outcome = match (went, ended) {
            (Ok(()), Some(StepState::Done)) => PingOutcome::Reached,
            (Ok(()), _) => PingOutcome::Silent,
            (Err(Broken), _) => PingOutcome::Failed,
        };
        self.report.row.outcome = Some(outcome.as_str().to_owned());
        self.report.row.ended_at = Some(self.dispatcher.gateway.clock().now());
        self.dispatcher.gateway.store().note_ping(self.report.row.clone()).await?;
        info!(participant = %self.report.row.participant, outcome = outcome.as_str(), "ping");
        Ok(self.report)
    }

    async fn go(&mut self) -> Going {
        let snapshot = self.dispatcher.gateway.snapshot();
        let id = self.report.row.participant.clone();
        let Some(known) = snapshot.known(&id) else { return Err(PingError::NoSuch(id.to_string())) };
        let looked = match (&known.participant.framing, &known.participant.transport) {
            (Framing::Plain(plain), TransportKind::Http { url }) => {
                return match self.look_at_address(url).await? {
                    Ok(()) => self.look_at_secret(plain).await,
                    Err(broken) => Ok(Err(broken)),
                };
            }
            (_, TransportKind::Http { url }) => self.look_at_address(url).await?,
            (_, TransportKind::Amqp) => self.look_at_queue(&id).await?,
            (_, TransportKind::Mailbox) => Ok(()),
        };
        match looked {
            Ok(()) => self.send(&known.participant.transport).await,
            Err(broken) => Ok(Err(broken)),
        }
    }

    pub(super) async fn note(
        &mut self,
        (step, state): (PingStep, StepState),
        began: tokio::time::Instant,
        facts: Vec<(&str, String)>,
    ) -> Going {
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let facts = facts.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_owned(), v)).collect();
        let report = StepReport { step, state, millis, facts };
        if let Some(told) = &self.told {
            told(&report);
        }
        self.report.steps.push(report);
        let steps = serde_json::to_string(&self.report.steps).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        self.report.row.steps = steps;
        self.dispatcher.gateway.store().note_ping(self.report.row.clone()).await?;
        Ok(if state == StepState::Failed { Err(Broken) } else { Ok(()) })
    }

    pub(super) async fn failed(&mut self, step: PingStep, began: tokio::time::Instant, detail: String) -> Going {
        self.note((step, StepState::Failed), began, vec![("detail", detail)]).await
    }

    /// The name, the connection, TLS.
    async fn look_at_address(&mut self, url: &str) -> Going {
        let ways = self.dispatcher.ways.push.clone();
        let Some(push) = ways.looker() else { return Ok(Ok(())) };
        let began = tokio::time::Instant::now();
        let target = match push.target(url) {
            Ok(target) => target,
            Err(detail) => return self.failed(PingStep::Name, began, detail).await,
        };
        let host = format!("{}:{}", target.host, target.port);
        let addresses = match push.resolve(&target).await {
            Ok(addresses) => addresses,
            Err(detail) => return self.failed(PingStep::Name, began, format!("{host}: {detail}")).await,
        };
        let shown = addresses.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>().join(", ");
        drop(self.note((PingStep::Name, StepState::Done), began, vec![("host", host), ("addresses", shown)]).await?);
        let began = tokio::time::Instant::now();
        let stream = match push.reach(&addresses).await {
            Ok(stream) => stream,
            Err(detail) => return self.failed(PingStep::Tcp, began, detail).await,
        };
        let peer = stream.peer_addr().map(|a| a.to_string()).unwrap_or_default();
        drop(self.note((PingStep::Tcp, StepState::Done), began, vec![("peer", peer)]).await?);
        let began = tokio::time::Instant::now();
        if !target.tls {
            let detail = "http, no TLS".to_owned();
            return self.note((PingStep::Tls, StepState::Open), began, vec![("detail", detail)]).await;
        }
        match push.shake_hands(&target, stream).await {
            Ok(seen) => {
                let state = if seen.problem.is_none() { StepState::Done } else { StepState::Failed };
                let facts = vec![
                    ("version", seen.version),
                    ("subject", seen.subject),
                    ("issuer", seen.issuer),
                    ("until", seen.until),
                    ("names", seen.names.join(", ")),
                    ("detail", seen.problem.unwrap_or_default()),
                ];
                self.note((PingStep::Tls, state), began, facts).await
            }
            Err(detail) => self.failed(PingStep::Tls, began, detail).await,
        }
    }

    /// What can be tried with a partner without envelopes: no message would mean nothing to it.
    async fn look_at_secret(&mut self, plain: &Plain) -> Going {
        let began = tokio::time::Instant::now();
        let (gateway, id, auth) = (self.dispatcher.gateway.clone(), self.report.row.participant.clone(), plain.auth);
        let read = tokio::task::spawn_blocking(move || gateway.settings().read_secret(&id, auth).map(|s| s.is_some()));
        let noted = match read.await {
            Ok(Ok(true)) => {
                self.note((PingStep::Secret, StepState::Done), began, vec![("auth", auth.as_str().to_owned())]).await?
            }
            Ok(Ok(false)) => {
                self.note((PingStep::Secret, StepState::Open), began, vec![("auth", auth.as_str().to_owned())]).await?
            }
            Ok(Err(problem)) => {
                return self.failed(PingStep::Secret, began, format!("{} / {}", problem.ru, problem.en)).await;
            }
            Err(error) => return self.failed(PingStep::Secret, began, error.to_string()).await,
        };
        drop(noted);
        let detail = "без конвертов: пробного сообщения, которое ничего не значит, у такого участника нет / without envelopes: such a \
                      participant knows no message that means nothing";
        self.note((PingStep::Send, StepState::Open), tokio::time::Instant::now(), vec![("detail", detail.to_owned())])
            .await
    }

    async fn look_at_queue(&mut self, id: &ParticipantId) -> Going {
        let began = tokio::time::Instant::now();
        let Some(way) = self.dispatcher.ways.amqp.clone() else {
            return self.failed(PingStep::Broker, began, "broker.url не задан / is not set".to_owned()).await;
        };
        let Some(amqp) = way.looker() else { return Ok(Ok(())) };
        if let Err(detail) = amqp.connection().await {
            return self.failed(PingStep::Broker, began, detail).await;
        }
        drop(self.note((PingStep::Broker, StepState::Done), began, Vec::new()).await?);
        let began = tokio::time::Instant::now();
        match amqp.look_at(&Queue::To(id.clone())).await {
            Ok(seen) => {
                let facts = vec![
                    ("queue", format!("mezhved.to.{id}")),
                    ("messages", seen.messages.to_string()),
                    ("consumers", seen.consumers.to_string()),
                ];
                self.note((PingStep::Queue, StepState::Done), began, facts).await
            }
            Err(detail) => self.failed(PingStep::Queue, began, detail).await,
        }
    }
}
