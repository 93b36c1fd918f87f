//! Peace: nothing goes wrong any more, and everything must come to rest.

use mezhved::domain::{DeliveryId, ParticipantId, Timestamp};
use mezhved::store::{JournalVerified, Replay};

use super::{Move, World};
use crate::check::column;
use crate::ground::begins;
use crate::net::known;

/// Rounds of healing; each passes an attempt's pause or the longest lease.
const ROUNDS_MAX: usize = 60;

impl World {
    /// Lets everything heal and come to rest. `false`: it does not.
    pub(crate) async fn heal(&mut self) -> bool {
        self.hub.note("peace");
        self.hub.state().calm = true;
        for node in 0..self.nodes.len() {
            if self.nodes[node].is_none() {
                self.start(node).await;
            }
        }
        while let Some(number) = self.hub.held().first().copied() {
            self.pass(1_000);
            self.hub.release(&[number]);
            self.settle(1).await;
        }
        for _ in 0..ROUNDS_MAX {
            if self.round().await {
                return true;
            }
        }
        false
    }

    /// What is left is sent, taken, delivered and fetched. Returns whether nothing was.
    async fn round(&mut self) -> bool {
        let mut quiet = true;
        loop {
            let busy = self.moves().into_iter().map(|(_, one)| one).find(|one| {
                matches!(
                    one,
                    Move::Send(_)
                        | Move::Late(_)
                        | Move::Read(_)
                        | Move::ReadAnswer(_)
                        | Move::Take(..)
                        | Move::Ack(..)
                )
            });
            let Some(busy) = busy else { break };
            self.pass(1_000);
            self.make(busy).await;
            quiet = false;
        }
        for node in 0..self.nodes.len() {
            self.pass(1_000);
            self.make(Move::Watch(node)).await;
            self.make(Move::Look(node)).await;
            self.drain(node).await;
        }
        let store = self.nodes[0].as_ref().unwrap().gateway.store().clone();
        let parked = store.replay(self.parked().await).await.unwrap();
        let waiting: Vec<ParticipantId> = store.waiting_mailboxes().await.unwrap();
        for to in waiting {
            self.pass(1_000);
            self.pull(known(&to)).await;
            quiet = false;
        }
        let next = store.next_delivery_at(&[]).await.unwrap();
        let now = self.hub.state().now;
        quiet &= parked.is_empty() && next.is_none() && self.net.outside().acks.is_empty();
        // The next attempt; or the end of any lease, for what is due already waits for what goes before it.
        let wait = next.map_or(0, |at| at.since(now));
        self.pass(if (1..61_000_000).contains(&wait) { wait + 1_000_000 } else { 61_000_000 });
        quiet
    }

    async fn parked(&self) -> Replay {
        let parked = column(&self.file, "SELECT id FROM deliveries WHERE state = 'parked'").await;
        let delivery_ids = parked.iter().map(|id| DeliveryId::parse(id).unwrap()).collect();
        let now = self.hub.state().now;
        Replay { delivery_ids, now, actor: "operator".to_owned(), why: None, retranslate: false }
    }

    /// So much later, to its rest again.
    pub(crate) async fn later(&mut self, days: i64) -> bool {
        self.pass(days * 86_400_000_000);
        for _ in 0..ROUNDS_MAX {
            if self.round().await {
                return true;
            }
        }
        false
    }

    /// Seals what is left and closes the nodes' stores.
    pub(crate) async fn end(&mut self) -> JournalVerified {
        self.pass(61_000_000);
        let store = self.nodes[0].as_ref().unwrap().gateway.store().clone();
        self.make(Move::Seal(0)).await;
        let checked = store.verify_journal(1).await.unwrap();
        for node in 0..self.nodes.len() {
            self.stop(node).await;
        }
        checked
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.hub.state().now
    }

    /// Since the beginning, in seconds.
    pub(crate) fn seconds(&self) -> i64 {
        self.now().since(begins()) / 1_000_000
    }
}
