//! Dispatch to participants to whom nothing goes out now (probes, and what lapses meanwhile), and the end of dispatch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::super::queues::Passage;
use super::Dispatcher;
use crate::domain::{DeliveryId, ParkReason, ParticipantId, Timestamp};
use crate::retry::{Limits, Tried};
use crate::store::{Claim, Claimed, Outcome, Slots, StoreError};

/// How long to wait before the database is asked again what holds queues back.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How often what waits for a held participant is looked through for what lapses, at most; in microseconds.
const LOOK_EVERY: i64 = 2_000_000;
/// Looking may take one part in so many of the time.
const SHARE: i64 = 20;
/// How much of it is ended at once.
const LAPSED_AT_ONCE_MAX: u32 = 100;

const DAY_MS: u64 = 86_400_000;

/// By which way a delivery was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) enum Way {
    /// It was due.
    Due,
    /// As the one probe of a participant that is away.
    Probe,
    /// It is not to go out: its time is over.
    Lapsed,
}

/// What an attempt says about whether the partner is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contact {
    Reached,
    Failed(ParkReason),
    /// Nothing: it never came so far.
    None,
}

impl Contact {
    pub(super) fn of(outcome: &Outcome, way: Way) -> Self {
        match outcome {
            Outcome::Sent { mailbox: true, .. } | Outcome::Expired | Outcome::Stopped => Self::None,
            Outcome::Sent { .. } | Outcome::Delivered { .. } | Outcome::Refused { .. } => Self::Reached,
            Outcome::Requeue { reason, .. } => Self::Failed(*reason),
            // A probe that is given up has failed as those before it.
            Outcome::Park { reason: ParkReason::GivenUp, .. } if way != Way::Lapsed => {
                Self::Failed(ParkReason::Unreachable)
            }
            Outcome::Park { reason: ParkReason::AnswerRefused, .. } => Self::Reached,
            Outcome::Park { .. } => Self::None,
        }
    }
}

/// What a dispatcher holds.
#[derive(Clone, Default)]
pub(super) struct Held {
    leases: Arc<Mutex<HashMap<DeliveryId, i64>>>,
    cut: CancellationToken,
    looked: Arc<Mutex<HashMap<ParticipantId, (Timestamp, i64)>>>,
}

impl Held {
    fn leases(&self) -> std::sync::MutexGuard<'_, HashMap<DeliveryId, i64>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to look through a participant's queue again.
    fn may_look(&self, participant: &ParticipantId, now: Timestamp) -> bool {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = |took: i64| LOOK_EVERY.max(took.saturating_mul(SHARE));
        // A clock that was set back does not keep it from looking.
        looked.get(participant).is_none_or(|(at, took)| !(0..=pause(*took)).contains(&now.since(*at)))
    }

    fn looked(&self, participant: &ParticipantId, (began, now): (Timestamp, Timestamp), whole: bool) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if whole {
            looked.insert(participant.clone(), (began, now.since(began)));
        } else {
            looked.remove(participant);
        }
    }
}

impl Dispatcher {
    /// A wish for as much as this node has workers for; `None`: it has none.
    pub(super) fn wish(&self, now: Timestamp, slots: Vec<Slots>) -> Option<Claim> {
        let settings = &self.gateway.settings().delivery;
        let free = settings.workers.saturating_sub(self.tasks.len());
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        if limit == 0 || slots.is_empty() {
            return None;
        }
        let lease_ms = u32::try_from(settings.lease_ms).unwrap_or(u32::MAX);
        Some(Claim { node: self.gateway.node().to_owned(), now, lease_ms, limit, slots })
    }

    /// Waits until it is known what holds queues back: nothing is claimed before.
    pub(super) async fn begin(&self, stop: &CancellationToken) {
        while let Err(error) = self.gateway.know_queues().await {
            warn!(%error, "it is not known which queues are held");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ASK_AGAIN) => {}
            }
        }
    }

    /// Starts working on what was claimed; returns how many.
    pub(super) fn start(&self, claimed: Vec<Claimed>, way: Way) -> usize {
        let count = claimed.len();
        for delivery in claimed {
            self.count(&delivery.recipient, 1);
            self.held.leases().insert(delivery.delivery_id, delivery.epoch);
            let worker = self.clone();
            self.tasks.spawn(async move {
                let (recipient, id, epoch) = (delivery.recipient.clone(), delivery.delivery_id, delivery.epoch);
                let cut = worker.held.cut.clone();
                // A panic over one message must not take the node's slot with it; the lease gives the delivery back.
                let work = std::panic::AssertUnwindSafe(worker.traced(delivery, way)).catch_unwind();
                tokio::select! {
                    done = work => {
                        if done.is_err() {
                            warn!(%recipient, "a delivery panicked; it comes back when its lease ends");
                        }
                        let mut leases = worker.held.leases();
                        if leases.get(&id) == Some(&epoch) {
                            leases.remove(&id);
                        }
                    }
                    () = cut.cancelled() => {}
                }
                worker.count(&recipient, -1);
                worker.freed.notify_one();
            });
        }
        count
    }

    /// Of participants that are held: a probe where one may go out, and what lapses while it waits. Returns how many were taken.
    pub(super) async fn claim_held(&self, now: Timestamp) -> usize {
        let mut taken = 0_usize;
        for (participant, passage) in self.gateway.queues().held() {
            if self.gateway.snapshot().participant(&participant).is_none() {
                continue;
            }
            if let Passage::Away(probe_at) = passage
                && probe_at <= now
            {
                taken = taken.saturating_add(self.probe(now, &participant).await);
            }
            if self.held.may_look(&participant, now) {
                let away = matches!(passage, Passage::Away(_));
                taken = taken.saturating_add(self.end_lapsed(now, &participant, away).await);
            }
        }
        taken
    }

    async fn probe(&self, now: Timestamp, participant: &ParticipantId) -> usize {
        let slots = vec![Slots { participant: participant.clone(), free: 1 }];
        let Some(claim) = self.wish(now, slots) else { return 0 };
        let next = self.gateway.next_probe(now);
        match self.gateway.store().claim_probe(claim, participant, next).await {
            Ok(claimed) if claimed.is_empty() => 0,
            Ok(claimed) => {
                self.gateway.queues().probed(participant, next);
                self.start(claimed, Way::Probe)
            }
            Err(error) => {
                warn!(%error, "no probe can be claimed");
                0
            }
        }
    }

    async fn end_lapsed(&self, now: Timestamp, participant: &ParticipantId, away: bool) -> usize {
        let (clock, began) = (self.gateway.clock(), self.gateway.clock().now());
        let give_up = i64::try_from(self.give_up_ms()).unwrap_or(i64::MAX);
        let before = away.then(|| now.plus_millis(give_up.saturating_neg()));
        let found = self.gateway.store().lapsed(participant, now, before, LAPSED_AT_ONCE_MAX).await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                warn!(%error, "it is not known what lapses");
                Vec::new()
            }
        };
        if found.is_empty() {
            self.held.looked(participant, (began, clock.now()), true);
            return 0;
        }
        let slots = vec![Slots { participant: participant.clone(), free: 1 }];
        let Some(claim) = self.wish(now, slots) else { return 0 };
        let ids = found.into_iter().take(usize::try_from(claim.limit).unwrap_or(usize::MAX)).collect();
        match self.gateway.store().claim_these(claim, ids).await {
            Ok(claimed) => {
                self.held.looked(participant, (began, clock.now()), claimed.is_empty());
                self.start(claimed, Way::Lapsed)
            }
            Err(error) => {
                warn!(%error, "what lapses cannot be claimed");
                self.held.looked(participant, (began, clock.now()), true);
                0
            }
        }
    }

    /// What becomes of a delivery without an attempt.
    pub(super) fn instead(&self, claimed: &Claimed, way: Way) -> Option<Outcome> {
        if claimed.stopped {
            return None;
        }
        let now = self.gateway.clock().now();
        let expired = claimed.sent_at.is_none() && claimed.expires.is_some_and(|expires| expires <= now);
        match (way, self.gateway.queues().passage(&claimed.recipient)) {
            (Way::Lapsed, _) if expired => Some(Outcome::Expired),
            (Way::Lapsed, _) => {
                let detail = "the partner was away all the time; it was not tried again".to_owned();
                Some(Outcome::Park { reason: ParkReason::GivenUp, detail })
            }
            (Way::Due | Way::Probe, Passage::Stopped) if !expired => {
                let detail = "`mezhved queue resume`, then replay".to_owned();
                Some(Outcome::Park { reason: ParkReason::QueueStopped, detail })
            }
            (Way::Due | Way::Probe, _) => None,
        }
    }

    /// Tells the breaker what an attempt came to.
    pub(super) async fn told(&self, recipient: &ParticipantId, delivery: DeliveryId, contact: Contact) {
        match contact {
            Contact::Reached => self.gateway.reached(recipient).await,
            Contact::Failed(reason) => self.gateway.failed_to_reach(recipient, reason, delivery).await,
            Contact::None => {}
        }
    }

    fn give_up_ms(&self) -> u64 {
        u64::from(self.gateway.settings().delivery.give_up_days) * DAY_MS
    }

    pub(super) fn retry_limits(&self) -> Limits {
        let settings = &self.gateway.settings().delivery;
        Limits {
            base_ms: settings.retry_base_ms,
            ceiling_ms: settings.retry_ceiling_ms,
            attempts_max: settings.attempts_max,
            give_up_ms: Some(self.give_up_ms()),
        }
    }

    pub(super) fn tried(&self, claimed: &Claimed, reason: ParkReason, now: Timestamp) -> Tried {
        let since = claimed.waiting_since.unwrap_or(claimed.message.accepted_at);
        Tried {
            attempt: claimed.attempt,
            waited_ms: u64::try_from(now.since(since) / 1_000).unwrap_or_default(),
            partner_away: self.gateway.is_away_after(&claimed.recipient, reason, claimed.delivery_id),
        }
    }

    /// When anything of a participant that is not held is due.
    pub(super) async fn next_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut held = self.gateway.queues().held();
        // Who left the configuration is looked for apart.
        let snapshot = self.gateway.snapshot();
        held.retain(|(id, _)| snapshot.participant(id).is_some());
        let now = self.gateway.clock().now();
        let probes = held.iter().filter_map(|(_, passage)| match passage {
            Passage::Away(at) if *at > now => Some(*at),
            Passage::Away(_) | Passage::Paused | Passage::Free | Passage::Stopped => None,
        });
        let probe = probes.min();
        let ids: Vec<ParticipantId> = held.iter().map(|(id, _)| id.clone()).collect();
        Ok(self.gateway.store().next_delivery_at(&ids).await?.into_iter().chain(probe).min())
    }

    /// Waits for what is in flight, as long as the settings say; the rest is cut off and given back, so that another node takes it at once.
    pub(super) async fn drain(&self) {
        self.tasks.close();
        let time = Duration::from_secs(u64::from(self.gateway.settings().delivery.stop_seconds));
        if tokio::time::timeout(time, self.tasks.wait()).await.is_ok() {
            return;
        }
        // First cut off: after it is given back nothing more goes out from here.
        self.held.cut.cancel();
        self.tasks.wait().await;
        let held: Vec<(DeliveryId, i64)> = self.held.leases().drain().collect();
        let count = held.len();
        match self.gateway.store().release(held, self.gateway.clock().now()).await {
            Ok(released) => info!(count, released, "what was on its way is given back"),
            Err(error) => warn!(count, %error, "what was on its way comes back when its leases end"),
        }
    }
}
