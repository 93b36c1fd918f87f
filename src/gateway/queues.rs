//! What holds a participant's queue back: a person's word, which stands in the database, and its breaker, which all nodes share.
//!
//! Each node counts failures in a row for itself, in memory; whoever has counted enough writes the breaker into the database, and the others
//! see it within a second. Who may probe is decided there too, so that of several nodes one does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch as signal;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::domain::{BreakerState, DeliveryId, ParkReason, ParticipantId, QueueState, Remark, Timestamp};
use crate::envelope::SignError;
use crate::envelope::technical::NoticeState;
use crate::retry::breaker::{self, Rule, Streak};
use crate::store::{BreakerRow, Discard, QueueOrder, StoreError};

use super::{Clock, Gateway};

/// How often a node looks: all obey within 2 s.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);

/// What this node knows of the queues.
#[derive(Debug)]
pub(super) struct Queues {
    known: Mutex<Known>,
    changed: signal::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    loaded: bool,
    orders: HashMap<ParticipantId, QueueOrder>,
    away: HashMap<ParticipantId, BreakerRow>,
    streaks: HashMap<ParticipantId, Streak>,
}

/// What may go out to a participant now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// Whatever is due.
    Free,
    /// Nothing: what is due is parked.
    Stopped,
    /// Nothing: what is due waits.
    Paused,
    /// Nothing but a probe, from this instant on.
    Away(Timestamp),
}

impl Queues {
    pub(super) fn new() -> Self {
        Self { known: Mutex::default(), changed: signal::Sender::new(0) }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn passage(&self, participant: &ParticipantId) -> Passage {
        let known = self.known();
        match known.orders.get(participant).map(|order| order.state) {
            Some(QueueState::Paused) => Passage::Paused,
            Some(QueueState::Stopped) => Passage::Stopped,
            Some(QueueState::Running) | None => match known.away.get(participant) {
                Some(row) => Passage::Away(row.probe_at),
                None => Passage::Free,
            },
        }
    }

    /// Those to whom nothing goes out now, with what may.
    pub(super) fn held(&self) -> Vec<(ParticipantId, Passage)> {
        let ids: std::collections::BTreeSet<ParticipantId> = {
            let known = self.known();
            known.orders.keys().chain(known.away.keys()).cloned().collect()
        };
        let held = ids.into_iter().map(|id| (self.passage(&id), id));
        held.filter(|(passage, _)| matches!(passage, Passage::Paused | Passage::Away(_)))
            .map(|(p, id)| (id, p))
            .collect()
    }

    /// Moves this node's own view of the next probe on.
    pub(super) fn probed(&self, participant: &ParticipantId, next: Timestamp) {
        if let Some(row) = self.known().away.get_mut(participant) {
            row.probe_at = next;
        }
    }

    pub(super) fn changed(&self) -> signal::Receiver<u64> {
        self.changed.subscribe()
    }

    fn wake(&self) {
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }
}

/// Follows what is said and found on other nodes until cancelled, and looks for room where the disk was full.
pub async fn follow_queues(gateway: Gateway, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(problem) = gateway.look_at_queues().await {
            warn!(%problem, "it is not known which queues are held");
        }
        if gateway.store().is_full() {
            match gateway.store().look_for_room().await {
                Ok(()) => info!("the database has room again"),
                Err(problem) => debug!(%problem, "still no room"),
            }
        }
    }
}

impl Gateway {
    /// Whether each participant's system is held to be there, as this node knows it.
    pub fn breaker_states(&self) -> Vec<(ParticipantId, BreakerState)> {
        let (snapshot, now) = (self.snapshot(), self.clock().now());
        let known = self.inner.queues.known();
        let state = |id: &ParticipantId| breaker::state(known.away.get(id).map(|row| row.probe_at), now);
        snapshot.participants().map(|k| (k.participant.id.clone(), state(&k.participant.id))).collect()
    }

    /// What a person said last about each participant's queue, as this node knows it.
    pub fn queue_states(&self) -> Vec<(ParticipantId, QueueState)> {
        let snapshot = self.snapshot();
        let known = self.inner.queues.known();
        let state = |id: &ParticipantId| known.orders.get(id).map_or(QueueState::Running, |order| order.state);
        snapshot.participants().map(|k| (k.participant.id.clone(), state(&k.participant.id))).collect()
    }

    pub(super) fn queues(&self) -> &Queues {
        &self.inner.queues
    }

    /// Reads what holds queues back, unless it was read before: nothing is claimed without it.
    pub(super) async fn know_queues(&self) -> Result<(), StoreError> {
        let loaded = self.queues().known().loaded;
        if loaded { Ok(()) } else { self.look_at_queues().await }
    }

    /// Reads what other nodes found and people said: one round of [`follow_queues`].
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn look_at_queues(&self) -> Result<(), StoreError> {
        let orders = self.store().queue_orders().await?;
        let breakers = self.store().breakers().await?;
        let orders: HashMap<_, _> = orders.into_iter().map(|order| (order.participant.clone(), order)).collect();
        let away: HashMap<_, _> = breakers.into_iter().map(|row| (row.participant.clone(), row)).collect();
        let changed = {
            let mut known = self.queues().known();
            let changed = known.orders != orders || !known.away.keys().eq(away.keys());
            // Back, as another node or a person found: what was counted here is of the past.
            let back: Vec<_> = known.away.keys().filter(|id| !away.contains_key(*id)).cloned().collect();
            known.streaks.retain(|id, _| !back.contains(id));
            known.loaded = true;
            (known.orders, known.away) = (orders, away);
            changed
        };
        if changed {
            self.queues().wake();
        }
        Ok(())
    }

    fn breaker_rule(&self) -> Rule {
        let delivery = &self.settings().delivery;
        Rule { failures: delivery.breaker_failures, probe_ms: u64::from(delivery.breaker_probe_seconds) * 1_000 }
    }

    /// When the next probe may go out after one now.
    pub(super) fn next_probe(&self, now: Timestamp) -> Timestamp {
        self.breaker_rule().next_probe(now)
    }

    /// Whether the participant is held to be away, or this failure makes it so.
    pub(super) fn is_away_after(&self, participant: &ParticipantId, reason: ParkReason, delivery: DeliveryId) -> bool {
        let known = self.queues().known();
        let streak = known.streaks.get(participant).copied().unwrap_or_default();
        known.away.contains_key(participant) || streak.and(reason, delivery).opens(&self.breaker_rule())
    }

    /// An attempt reached the participant.
    pub(super) async fn reached(&self, participant: &ParticipantId) {
        let was_away = {
            let mut known = self.queues().known();
            known.streaks.remove(participant);
            known.away.remove(participant).is_some()
        };
        if !was_away {
            return;
        }
        match self.store().close_breaker(participant, self.node(), self.clock().now()).await {
            Ok(_) => info!(%participant, "the participant is back"),
            // It is noted with the next success.
            Err(error) => warn!(%participant, %error, "it could not be noted that the participant is back"),
        }
        self.queues().wake();
    }

    /// An attempt failed before it reached the participant.
    pub(super) async fn failed_to_reach(&self, participant: &ParticipantId, reason: ParkReason, delivery: DeliveryId) {
        let (now, rule) = (self.clock().now(), self.breaker_rule());
        let row = {
            let mut known = self.queues().known();
            let streak = known.streaks.get(participant).copied().unwrap_or_default().and(reason, delivery);
            known.streaks.insert(participant.clone(), streak);
            if known.away.contains_key(participant) || !streak.opens(&rule) {
                return;
            }
            let row = BreakerRow {
                participant: participant.clone(),
                opened_at: now,
                failures: streak.count(),
                reason,
                node: self.node().to_owned(),
                probe_at: rule.next_probe(now),
                probes: 0,
            };
            known.away.insert(participant.clone(), row.clone());
            row
        };
        match self.store().open_breaker(row).await {
            Ok(true) => warn!(%participant, %reason, "the participant is held to be away"),
            Ok(false) => {}
            Err(error) => warn!(%participant, %error, "it could not be noted that the participant is away"),
        }
        self.queues().wake();
    }

    /// Ends a dead letter for good by a person's decision, and tells its sender. `false`: it is none (any more).
    ///
    /// # Errors
    /// When the database is away or the notice cannot be signed.
    pub async fn discard_dead(&self, id: DeliveryId, author: &str, why: &Remark) -> Result<bool, DiscardError> {
        let Some((_, message)) = self.store().delivery(id).await? else { return Ok(false) };
        let gateway = self.clone();
        let reason = Some(ParkReason::Discarded.to_string());
        let made = tokio::task::spawn_blocking(move || gateway.notice(&message, Some(NoticeState::Parked), reason));
        let made = made.await.map_err(|_| DiscardError::Panic)??;
        let clock: &Clock = self.clock();
        let discard = Discard {
            delivery_id: id,
            now: clock.now(),
            business_now: clock.business_now(),
            author: author.to_owned(),
            why: why.clone(),
            made: made.into_iter().collect(),
        };
        Ok(self.store().discard(discard).await?)
    }
}

/// Why a dead letter could not be discarded.
#[derive(Debug, thiserror::Error)]
pub enum DiscardError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The notice to the sender.
    #[error("уведомление отправителю не подписано / the notice to the sender could not be signed")]
    Sign(#[from] SignError),
    /// Making it panicked.
    #[error("the notice to the sender could not be made")]
    Panic,
}
