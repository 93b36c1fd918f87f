//! A message's way out: claim under a lease, make what goes out, hand it over with no transaction open, settle.

pub(super) mod held;
pub mod ping;
mod ping_send;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::deadline::obligations::StartOn;
use crate::domain::{DeliveryState, Fault, FaultClass, Framing, ParkReason, ParticipantId, Timestamp, TransportKind};
use crate::envelope::technical::NoticeState;
use crate::retry::{self, Verdict};
use crate::store::{Claimed, JournalEntry, Outcome, Outgoing, Settle, Slots};
use crate::transport::amqp::Queue;
use crate::transport::{self, Answer, ToAddress, ToQueue};

use super::outgoing::{About, AnswerWord, answer_word, is_stale, outgoing};
use super::queues::Passage;
use super::{Gateway, work};

/// How long a delivery must be due before its recipient is held to have left the configuration.
const STRAY_SECONDS_MIN: i64 = 5;
/// How many deliveries to one who left are parked at once.
const STRAYS_AT_ONCE_MAX: u32 = 8;

/// The ways out of this node.
#[derive(Clone)]
pub struct Ways {
    /// HTTP.
    pub push: Arc<dyn ToAddress>,
    /// The broker, if one is configured.
    pub amqp: Option<Arc<dyn ToQueue>>,
}

/// Claims and delivers until cancelled, then waits for what is in flight; what does not end in time is cut off and given back.
pub async fn run(gateway: Gateway, ways: Ways, stop: CancellationToken) {
    drop(gateway.inner.ways.set(ways.clone()));
    let dispatcher = Dispatcher::new(gateway, ways);
    dispatcher.begin(&stop).await;
    let mut changed = dispatcher.gateway.store().deliveries_changed();
    let mut queues = dispatcher.gateway.queues().changed();
    while !stop.is_cancelled() {
        let asked_at = dispatcher.gateway.clock().now();
        let taken = dispatcher.claim(asked_at, dispatcher.slots()).await;
        if dispatcher.claim_held(asked_at).await.saturating_add(taken) > 0 {
            continue;
        }
        let pause = dispatcher.pause(asked_at).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = dispatcher.freed.notified() => {}
            _ = changed.changed() => {}
            _ = queues.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    dispatcher.drain().await;
}

/// Claims and delivers what is due now, and what that makes due, until nothing is left; returns how many attempts were made. For who
/// steps time himself; what waits for another try or another day stays.
pub async fn drain(gateway: &Gateway, ways: &Ways) -> usize {
    let dispatcher = Dispatcher::new(gateway.clone(), ways.clone());
    dispatcher.begin(&CancellationToken::new()).await;
    let mut attempts = 0_usize;
    loop {
        let now = gateway.clock().now();
        let taken = dispatcher.claim(now, dispatcher.slots()).await;
        let taken = taken.saturating_add(dispatcher.claim_held(now).await);
        attempts = attempts.saturating_add(taken);
        if taken == 0 {
            if dispatcher.is_idle() {
                return attempts;
            }
            dispatcher.freed.notified().await;
        }
    }
}

#[derive(Clone)]
pub(super) struct Dispatcher {
    pub(super) gateway: Gateway,
    pub(super) ways: Ways,
    in_flight: Arc<Mutex<HashMap<ParticipantId, u32>>>,
    freed: Arc<Notify>,
    tasks: TaskTracker,
    held: held::Held,
}

impl Dispatcher {
    fn new(gateway: Gateway, ways: Ways) -> Self {
        Self {
            gateway,
            ways,
            in_flight: Arc::new(Mutex::new(HashMap::new())),
            freed: Arc::new(Notify::new()),
            tasks: TaskTracker::new(),
            held: held::Held::default(),
        }
    }

    /// Whether nothing is being worked on. A worker takes itself off before it wakes who waits.
    fn is_idle(&self) -> bool {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).values().all(|count| *count == 0)
    }

    /// Takes what is due and can be worked on, and starts working on it. Returns how many were taken.
    async fn claim(&self, now: Timestamp, slots: Vec<Slots>) -> usize {
        let Some(claim) = self.wish(now, slots) else { return 0 };
        match self.gateway.store().claim(claim).await {
            Ok(claimed) => self.start(claimed, held::Way::Due),
            Err(error) => {
                warn!(%error, "nothing can be claimed");
                0
            }
        }
    }

    fn slots(&self) -> Vec<Slots> {
        let in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.gateway.snapshot();
        let free = |id: &ParticipantId| matches!(self.gateway.queues().passage(id), Passage::Free | Passage::Stopped);
        let all = snapshot.participants().filter(|k| free(&k.participant.id)).map(|k| Slots {
            participant: k.participant.id.clone(),
            free: k.participant.in_flight_max.saturating_sub(in_flight.get(&k.participant.id).copied().unwrap_or(0)),
        });
        all.collect()
    }

    fn count(&self, participant: &ParticipantId, by: i32) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let count = in_flight.entry(participant.clone()).or_insert(0);
        *count = count.saturating_add_signed(by);
    }

    /// How long to sleep after nothing could be taken at `asked_at`.
    async fn pause(&self, asked_at: Timestamp) -> Duration {
        let poll = Duration::from_millis(self.gateway.settings().delivery.poll_ms);
        match self.next_at().await {
            // Due and not taken: it waits for a free slot or for what goes before it, and both wake us; or nobody will ever ask for it.
            Ok(Some(at)) if at <= asked_at => {
                let strays = self.strays(asked_at).await;
                if self.claim(asked_at, strays).await > 0 { Duration::ZERO } else { poll }
            }
            Ok(Some(at)) => {
                let wait = at.since(self.gateway.clock().now()).max(0);
                Duration::from_micros(wait.unsigned_abs()).min(poll)
            }
            Ok(None) | Err(_) => poll,
        }
    }

    /// Slots for those who left the configuration while something was on its way to them: it is parked, and its sender told.
    async fn strays(&self, now: Timestamp) -> Vec<Slots> {
        if self.gateway.behind().is_some() {
            return Vec::new();
        }
        // A participant that has just come may be known to another node and not yet here.
        let before = now.plus_seconds(-STRAY_SECONDS_MIN);
        let waiting = match self.gateway.store().recipients_due(before).await {
            Ok(waiting) => waiting,
            Err(error) => {
                warn!(%error, "it is not known to whom deliveries are due");
                return Vec::new();
            }
        };
        let snapshot = self.gateway.snapshot();
        let strays = waiting.into_iter().filter(|id| snapshot.participant(id).is_none());
        strays.map(|participant| Slots { participant, free: STRAYS_AT_ONCE_MAX }).collect()
    }

    /// One attempt and its settling; what it came to, if that is known.
    pub(super) async fn work(&self, claimed: Claimed, way: held::Way) -> Option<(DeliveryState, Option<String>)> {
        let mut journal = Vec::new();
        let outcome = match self.instead(&claimed, way) {
            Some(outcome) => outcome,
            None => self.attempt(&claimed, &mut journal).await,
        };
        let contact = held::Contact::of(&outcome, way);
        let (id, attempt) = (claimed.delivery_id, claimed.attempt);
        let (state, reason, detail) = describe(&outcome);
        // Whoever was waited for is told what for.
        let awaited = claimed.reason.filter(|r| *r == ParkReason::AttachmentAwaited && state == DeliveryState::Expired);
        let reason = reason.or_else(|| awaited.map(|r| r.to_string()));
        let started = match reached(&outcome) {
            Some(reached) => self.gateway.start_pending(&claimed.pending, reached),
            None => Ok(Vec::new()),
        };
        let started = match started {
            Ok(started) => started,
            Err(fault) => {
                // Settling without them would lose the obligations. The lease ends, the same bytes go out again, and by then the
                // store answers or the calendar has its year.
                warn!(delivery = %id, %fault, "handed over, but its obligations cannot be started yet");
                return None;
            }
        };
        let made = self.notice(&claimed, state, reason.clone()).await;
        let settle = Settle {
            delivery_id: id,
            epoch: claimed.epoch,
            now: self.gateway.clock().now(),
            outcome,
            started,
            made,
            journal,
        };
        let recipient = &claimed.recipient;
        match self.gateway.store().settle(settle).await {
            Ok(true) => {
                info!(delivery = %id, %recipient, %state, attempt, reason, detail, "delivery");
                self.gateway.meters().attempted(recipient, state);
                if state == DeliveryState::Delivered {
                    let now = self.gateway.clock().now();
                    self.gateway.meters().delivered(recipient, claimed.message.accepted_at, now);
                }
            }
            Ok(false) => warn!(delivery = %id, "a late result was dropped: the lease is another's"),
            Err(error) => warn!(delivery = %id, %error, "not settled; it comes back when its lease ends"),
        }
        self.told(recipient, id, contact).await;
        Some((state, reason))
    }

    async fn notice(
        &self,
        claimed: &Claimed,
        state: DeliveryState,
        reason: Option<String>,
    ) -> Vec<crate::store::NewMessage> {
        let Some(state) = NoticeState::of(state) else { return Vec::new() };
        let (gateway, about) = (self.gateway.clone(), claimed.message.clone());
        let is_quick = self.gateway.inner.signer.is_quick();
        match work::done(0, is_quick, move || gateway.notice(&about, Some(state), reason)).await {
            Ok(Ok(notice)) => notice.into_iter().collect(),
            Ok(Err(error)) => {
                warn!(delivery = %claimed.delivery_id, %error, "the notice to the sender could not be made");
                Vec::new()
            }
            Err(error) => {
                warn!(delivery = %claimed.delivery_id, %error, "the notice to the sender could not be made");
                Vec::new()
            }
        }
    }

    /// One attempt, up to its outcome. What else the journal is to tell goes to `journal`.
    async fn attempt(&self, claimed: &Claimed, journal: &mut Vec<JournalEntry>) -> Outcome {
        let now = self.gateway.clock().now();
        if claimed.stopped {
            return Outcome::Stopped;
        }
        if claimed.sent_at.is_none() && claimed.expires.is_some_and(|expires| expires <= now) {
            return Outcome::Expired;
        }
        match claimed.reason {
            // Its attachments are not here, and a claim takes it at `Expires` only.
            Some(ParkReason::AttachmentAwaited) => return Outcome::Expired,
            Some(reason @ ParkReason::AttachmentInvalid) => {
                let detail = "an attachment has another size than the message lists; a new message is needed";
                return Outcome::Park { reason, detail: detail.to_owned() };
            }
            Some(_) | None => {}
        }
        if claimed.from == DeliveryState::Sent && claimed.attempt > self.gateway.settings().delivery.attempts_max {
            let detail = "handed over, and no receipt came; ask the partner".to_owned();
            return Outcome::Park { reason: ParkReason::ReceiptMissing, detail };
        }
        let outgoing = match self.outgoing(claimed, now).await {
            Ok(Some(outgoing)) => outgoing,
            Ok(None) => {
                let detail = "the lease ended while signing".to_owned();
                return self.failed(claimed, ParkReason::SigningFailed, detail, None);
            }
            Err((reason, detail)) => return self.failed(claimed, reason, detail, None),
        };
        // A consent that ends later finds it handed over.
        if claimed.on_consent && claimed.sent_at.is_none() {
            match self.gateway.store().still_goes(claimed.delivery_id, claimed.epoch).await {
                Ok(true) => {}
                Ok(false) => return Outcome::Stopped,
                Err(error) => return self.failed(claimed, ParkReason::SigningFailed, error.to_string(), None),
            }
        }
        self.hand_over(claimed, outgoing, journal).await
    }

    async fn outgoing(&self, claimed: &Claimed, now: Timestamp) -> Result<Option<Outgoing>, (ParkReason, String)> {
        let own = self.gateway.inner.signer.certificate().thumbprint();
        if let Some(stored) = &claimed.outgoing
            && !is_stale(claimed, &self.gateway.snapshot())
            && stored.certificate == own
            && self.gateway.inner.signer.certificate().is_valid_at(now)
        {
            return Ok(Some(stored.clone()));
        }
        let (gateway, own_claimed) = (self.gateway.clone(), claimed.clone());
        let translates = self.gateway.snapshot().participant(&claimed.recipient).is_none_or(|p| p.adapter.is_some());
        let is_quick = !translates && self.gateway.inner.signer.is_quick();
        let made = work::done(claimed.bytes.len(), is_quick, move || {
            let snapshot = gateway.snapshot();
            outgoing(&own_claimed, &snapshot, gateway.id(), gateway.inner.signer.as_ref(), now)
        });
        let (made, journal) = made.await.map_err(|e| (ParkReason::SigningFailed, e.to_string()))??;
        let store = self.gateway.store();
        let stored = store.store_made(claimed.delivery_id, claimed.epoch, made.clone(), journal).await;
        match stored {
            Ok(true) => Ok(Some(made)),
            Ok(false) => Ok(None),
            Err(error) => Err((ParkReason::SigningFailed, error.to_string())),
        }
    }

    async fn hand_over(&self, claimed: &Claimed, outgoing: Outgoing, journal: &mut Vec<JournalEntry>) -> Outcome {
        let snapshot = self.gateway.snapshot();
        let Some(known) = snapshot.known(&claimed.recipient) else {
            let detail = format!("`{}` is not in the configuration (partner apply)", claimed.recipient);
            return self.failed(claimed, ParkReason::RouteMissing, detail, None);
        };
        let participant = &known.participant;
        if let (Framing::Plain(plain), TransportKind::Http { url }) = (&participant.framing, &participant.transport) {
            return self.hand_over_plain(claimed, &outgoing, (participant, url, plain), journal).await;
        }
        let id = claimed.message.message_id;
        let (technical, trace) = (is_answer(claimed), claimed.message.trace.as_ref());
        let handed = match (&known.participant.transport, &self.ways.amqp) {
            (TransportKind::Http { url }, _) => self.ways.push.push(url, outgoing.signed.clone(), id, trace).await,
            (TransportKind::Amqp, Some(amqp)) => {
                let queue = if technical { Queue::Receipts } else { Queue::To };
                amqp.publish(&queue(claimed.recipient.clone()), &outgoing.signed, id, trace).await
            }
            (TransportKind::Amqp, None) => {
                let detail = "no broker is configured: set broker.url".to_owned();
                return self.failed(claimed, ParkReason::RouteMissing, detail, None);
            }
            (TransportKind::Mailbox, _) => {
                let at = self.gateway.clock().now();
                return Outcome::Sent { at, receipt_deadline: None, mailbox: true };
            }
        };
        match handed {
            transport::Outcome::Failed { reason, detail, retry_after } => {
                self.failed(claimed, reason, detail, retry_after)
            }
            transport::Outcome::Sent { answer: Answer::Bytes(bytes) } => {
                self.answered(claimed, &outgoing, bytes, None).await
            }
            transport::Outcome::Sent { answer: Answer::Unread { detail } } => {
                warn!(delivery = %claimed.delivery_id, detail, "the partner's answer could not be read");
                self.sent(claimed, technical)
            }
            transport::Outcome::Sent { answer: Answer::Empty } => self.sent(claimed, technical),
            transport::Outcome::Answered { status, answer } => {
                self.answered(claimed, &outgoing, answer, Some(status)).await
            }
        }
    }

    /// Handed over, the receipt to come. Nobody waits for receipts of notices.
    fn sent(&self, claimed: &Claimed, technical: bool) -> Outcome {
        let at = self.gateway.clock().now();
        let wait = i64::try_from(self.gateway.settings().delivery.receipt_wait_seconds).unwrap_or(i64::MAX);
        let again = at.plus_seconds(wait.saturating_mul(i64::from(claimed.attempt.max(1))));
        Outcome::Sent { at, receipt_deadline: (!technical).then_some(again), mailbox: false }
    }

    /// The partner wrote something back: with 2xx the message is handed over whatever it is; with 4xx only a verified fault counts.
    async fn answered(&self, claimed: &Claimed, outgoing: &Outgoing, bytes: Vec<u8>, status: Option<u16>) -> Outcome {
        let technical = is_answer(claimed);
        let at = self.gateway.clock().now();
        let word = self.verify_answer(claimed, outgoing, &bytes, at).await;
        self.gateway.tell_receipt(&claimed.message, AnswerWord::name(word.as_ref().ok()), at);
        match (word, status) {
            (Ok(AnswerWord::Receipt), None) => Outcome::Delivered { at, receipt: bytes },
            (Ok(AnswerWord::Receipt), Some(status)) => {
                let detail = format!("HTTP {status} with a receipt inside");
                self.failed(claimed, ParkReason::PartnerError, detail, None)
            }
            (Ok(AnswerWord::Fault(report)), _) => match report.known().map(crate::domain::FaultCode::class) {
                Some(FaultClass::Retry) => {
                    let detail = format!("the partner's fault `{}`", report.code);
                    self.failed(claimed, ParkReason::PartnerError, detail, None)
                }
                Some(FaultClass::Reject) | None => {
                    Outcome::Refused { at, code: report.code, detail: None, answer: bytes }
                }
            },
            (Err(fault), None) => {
                warn!(delivery = %claimed.delivery_id, %fault, "the partner's answer is not its receipt");
                self.sent(claimed, technical)
            }
            (Err(fault), Some(status)) => {
                let detail = format!("HTTP {status}; the body is no signed fault of the partner: {fault}");
                self.failed(claimed, ParkReason::PartnerError, detail, None)
            }
        }
    }

    async fn verify_answer(
        &self,
        claimed: &Claimed,
        outgoing: &Outgoing,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<AnswerWord, Fault> {
        let (gateway, bytes) = (self.gateway.clone(), bytes.to_vec());
        let (recipient, sender) = (claimed.recipient.clone(), claimed.message.sender.clone());
        let (message_id, digest) = (claimed.message.message_id, outgoing.digest);
        let verified = work::done(bytes.len(), true, move || {
            let snapshot = gateway.snapshot();
            let certificates = snapshot.known(&recipient).map_or(&[][..], |k| k.certificates.as_slice());
            let about = About { recipient: &recipient, sender: &sender, message_id, digest };
            answer_word(&bytes, &about, certificates, &gateway.inner.limits, now)
        });
        verified.await.map_err(super::technical::not_now)?
    }

    pub(super) fn failed(
        &self,
        claimed: &Claimed,
        reason: ParkReason,
        detail: String,
        retry_after: Option<Duration>,
    ) -> Outcome {
        let now = self.gateway.clock().now();
        let (limits, tried) = (self.retry_limits(), self.tried(claimed, reason, now));
        match retry::next(&limits, reason, tried, retry::seed_of(claimed.delivery_id.uuid()), now) {
            Verdict::Again(at) => {
                let asked = retry_after.map(|d| now.plus_millis(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)));
                let at = at.max(asked.unwrap_or(at));
                // The sender is told at `Expires`, not at the attempt after it.
                let end = claimed.expires.filter(|_| claimed.sent_at.is_none());
                Outcome::Requeue { next_attempt_at: end.map_or(at, |end| at.min(end)), reason, detail }
            }
            Verdict::Park(park) => Outcome::Park { reason: park, detail: format!("{reason}: {detail}") },
        }
    }
}

/// Whether it is a message of the exchange itself for whose receipt nobody waits.
fn is_answer(claimed: &Claimed) -> bool {
    claimed.message.message_type.technical().is_some_and(|technical| !technical.wants_receipt())
}

/// How far an outcome brings a message, for the terms that wait for it: a partner that refuses has been handed it.
fn reached(outcome: &Outcome) -> Option<StartOn> {
    match outcome {
        Outcome::Sent { .. } | Outcome::Refused { .. } | Outcome::Park { reason: ParkReason::AnswerRefused, .. } => {
            Some(StartOn::Sent)
        }
        Outcome::Delivered { .. } => Some(StartOn::Delivered),
        Outcome::Requeue { .. } | Outcome::Park { .. } | Outcome::Expired | Outcome::Stopped => None,
    }
}

/// The state, the reason's code and the detail that an outcome leads to.
fn describe(outcome: &Outcome) -> (DeliveryState, Option<String>, Option<String>) {
    match outcome {
        Outcome::Sent { .. } => (DeliveryState::Sent, None, None),
        Outcome::Delivered { .. } => (DeliveryState::Delivered, None, None),
        Outcome::Refused { code, detail, .. } => (DeliveryState::Refused, Some(code.clone()), detail.clone()),
        Outcome::Requeue { reason, detail, .. } => {
            (DeliveryState::Queued, Some(reason.to_string()), Some(detail.clone()))
        }
        Outcome::Park { reason, detail } => (DeliveryState::Parked, Some(reason.to_string()), Some(detail.clone())),
        Outcome::Expired => (DeliveryState::Expired, None, None),
        Outcome::Stopped => (DeliveryState::Stopped, Some(ParkReason::ConsentEnded.to_string()), None),
    }
}
