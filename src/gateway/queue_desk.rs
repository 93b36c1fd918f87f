//! Queues and dead letters as people look at them and decide about them: what the command line and the console do alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{BreakerState, DeliveryId, DeliveryState, ParticipantId, QueueState, Timestamp};
use crate::store::{BreakerRow, DeadDelivery, QueueFigure, QueueOrder, QueueTry, Replay, Store, StoreError};

/// How many deliveries are made due in one transaction.
const FORWARD_AT_ONCE: u32 = 1_000;
/// How many deliveries are put back in one transaction.
const REPLAYED_AT_ONCE: usize = 500;

/// All that is known of one queue.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Whose.
    pub participant: ParticipantId,
    /// What a person said last about it.
    pub order: Option<QueueOrder>,
    /// Its open breaker.
    pub breaker: Option<BreakerRow>,
    /// What lies in it.
    pub figures: Vec<QueueFigure>,
    /// How often what waits was tried.
    pub tries: Option<QueueTry>,
}

impl Shown {
    /// What a person said last.
    pub fn state(&self) -> QueueState {
        self.order.as_ref().map_or(QueueState::Running, |order| order.state)
    }

    /// Whether its system is held to be there.
    pub fn breaker_state(&self, now: Timestamp) -> BreakerState {
        self.breaker.as_ref().map_or(BreakerState::Closed, |row| row.state(now))
    }

    /// How many deliveries it has in a state.
    pub fn depth(&self, state: DeliveryState) -> u64 {
        self.figures.iter().find(|figure| figure.state == state).map_or(0, |figure| figure.count)
    }

    /// When the message was accepted that waits longest to be handed over.
    pub fn oldest(&self) -> Option<Timestamp> {
        let waiting = self.figures.iter().filter(|f| matches!(f.state, DeliveryState::Queued | DeliveryState::Leased));
        let oldest = waiting.map(|figure| figure.oldest).min()?;
        let (whole, nanos) = oldest.uuid().get_timestamp()?.to_unix();
        let micros = i64::try_from(whole).ok()?.checked_mul(1_000_000)?;
        Some(Timestamp::from_micros(micros.checked_add(i64::from(nanos / 1_000))?))
    }
}

/// Those of the configuration in force, and whoever else anything is known of.
///
/// # Errors
/// When the database is away or a stored value cannot be read.
pub async fn queues(store: &Store, configured: BTreeSet<ParticipantId>) -> Result<Vec<Shown>, StoreError> {
    let mut ids = configured;
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

/// Enters a person's word about a queue: whether it changed anything, and how many deliveries were made due by it.
///
/// # Errors
/// When the database is away.
pub async fn order(store: &Store, order: QueueOrder) -> Result<(bool, u64), StoreError> {
    let (id, state, at) = (order.participant.clone(), order.state, order.at);
    let changed = store.order_queue(order).await?;
    // What waits for a later attempt is parked, or goes, at once.
    let mut brought = 0_u64;
    if state == QueueState::Paused {
        return Ok((changed, brought));
    }
    loop {
        let some = store.bring_forward(&id, at, FORWARD_AT_ONCE).await?;
        if some == 0 {
            return Ok((changed, brought));
        }
        brought = brought.saturating_add(some);
    }
}

/// The first of these dead letters' recipients whose queue was stopped: what is put back there would be parked at once.
///
/// # Errors
/// When the database is away or a stored value cannot be read.
pub async fn stopped(store: &Store, found: &[DeadDelivery]) -> Result<Option<ParticipantId>, StoreError> {
    let orders = store.queue_orders().await?;
    let stopped = orders.into_iter().filter(|order| order.state == QueueState::Stopped);
    Ok(stopped.map(|order| order.participant).find(|id| found.iter().any(|dead| dead.delivery.recipient == *id)))
}

/// Puts dead letters back; of `wish` the deliveries are all that may be. Which were.
///
/// # Errors
/// When the database is away.
pub async fn replay(store: &Store, wish: Replay) -> Result<Vec<DeliveryId>, StoreError> {
    let mut back = Vec::new();
    for some in wish.delivery_ids.chunks(REPLAYED_AT_ONCE) {
        back.extend(store.replay(Replay { delivery_ids: some.to_vec(), ..wish.clone() }).await?);
    }
    Ok(back)
}
