//! Nodes: who is alive, what the database's clock says, and named leases for periodic jobs.

use crate::domain::Timestamp;

use super::{Revisions, Store, StoreError};

/// A node's last sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its name.
    pub node: String,
    /// When it was last seen (its machine time).
    pub seen_at: Timestamp,
    /// The configuration it works by.
    pub revisions: Revisions,
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// The database's own clock: a node that differs from it by more than a second is not ready.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn database_now(&self) -> Result<Timestamp, StoreError> {
        todo!()
    }

    /// Leaves a sign of life.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn heartbeat(&self, node: &str, now: Timestamp, revisions: Revisions) -> Result<(), StoreError> {
        todo!("{node} {now} {revisions:?}")
    }

    /// All nodes ever seen, latest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        todo!()
    }

    /// Takes or renews a named lease for a job that one node does (the watcher, a purge). The fencing number when it is ours,
    /// which rises whenever the holder changes; `None` when another node holds it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn take_lease(&self, name: &str, node: &str, now: Timestamp, lease_ms: u32) -> Result<Option<i64>, StoreError> {
        todo!("{name} {node} {now} {lease_ms}")
    }
}
