//! Nodes: who is alive, what the database's clock says, and named leases for periodic jobs.

use crate::domain::Timestamp;

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Columns, Select, Tx, text};
use super::writer::Write;
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
        Select::new("SELECT 1 AS one").fetch(self.readers()).await.map(drop)
    }

    /// The database's own clock: a node that differs from it by more than a second is not ready.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn database_now(&self) -> Result<Timestamp, StoreError> {
        let sql = self.inner.engine.pick(
            "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now",
            "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now",
        );
        let found = Select::new(sql).fetch(self.readers()).await?;
        found.first().map_or_else(|| Err(StoreError::Corrupt("column now".to_owned())), |row| row.at("now"))
    }

    /// Leaves a sign of life.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn heartbeat(&self, node: &str, now: Timestamp, revisions: Revisions) -> Result<(), StoreError> {
        self.task(HeartbeatTask(NodeRow { node: node.to_owned(), seen_at: now, revisions })).await
    }

    /// All nodes ever seen, latest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let found = Select::new("SELECT node, seen_at, participants_revision, bundle_revision FROM nodes")
            .push(" ORDER BY seen_at DESC, node", vec![])
            .fetch(self.readers())
            .await?;
        found
            .iter()
            .map(|row| {
                Ok(NodeRow {
                    node: row.text("node")?,
                    seen_at: row.at("seen_at")?,
                    revisions: Revisions {
                        participants: row.int("participants_revision")?,
                        bundle: row.int("bundle_revision")?,
                    },
                })
            })
            .collect()
    }

    /// Takes or renews a named lease for a job that one node does (the watcher, a purge). The fencing number when it is ours,
    /// which rises whenever the holder changes; `None` when another node holds it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn take_lease(
        &self,
        name: &str,
        node: &str,
        now: Timestamp,
        lease_ms: u32,
    ) -> Result<Option<i64>, StoreError> {
        self.task(LeaseTask { name: name.to_owned(), node: node.to_owned(), now, lease_ms }).await
    }
}

#[derive(Debug)]
struct HeartbeatTask(NodeRow);

impl Write for HeartbeatTask {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        let row = &self.0;
        let sql = "INSERT INTO nodes (node, seen_at, participants_revision, bundle_revision) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at, \
                   participants_revision = excluded.participants_revision, bundle_revision = excluded.bundle_revision";
        let vals =
            vec![text(&row.node), row.seen_at.into(), row.revisions.participants.into(), row.revisions.bundle.into()];
        tx.one(sql, vals).await?;
        Ok(())
    }
}

#[derive(Debug)]
struct LeaseTask {
    name: String,
    node: String,
    now: Timestamp,
    lease_ms: u32,
}

impl Write for LeaseTask {
    type Out = Option<i64>;

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<Option<i64>, Failure> {
        take_lease(tx, &self.name, &self.node, self.now, self.lease_ms).await
    }
}

/// Takes or renews a lease within a transaction. A row that another node is just taking counts as held (PostgreSQL would wait).
pub(super) async fn take_lease(
    tx: &mut Tx<'_>,
    name: &str,
    node: &str,
    now: Timestamp,
    lease_ms: u32,
) -> Result<Option<i64>, Failure> {
    let until = now.plus_millis(i64::from(lease_ms));
    let first = "INSERT INTO leases (name, owner, lease_until, epoch) SELECT $1, '', 0, 0 \
                 WHERE NOT EXISTS (SELECT 1 FROM leases WHERE name = $1) ON CONFLICT DO NOTHING";
    tx.one(first, vec![text(name)]).await?;
    let (sql, vals) = Select::new("UPDATE leases SET")
        .push(" epoch = epoch + CASE WHEN owner = ? THEN 0 ELSE 1 END, owner = ?", vec![text(node), text(node)])
        .push(", lease_until = ? WHERE name IN (SELECT name FROM leases", vec![until.into()])
        .push(" WHERE name = ? AND (owner = ? OR lease_until <= ?)", vec![text(name), text(node), now.into()])
        .push(tx.engine.for_update(), vec![])
        .push(") RETURNING epoch", vec![])
        .into_parts();
    let found = tx.built(sql, vals).await?;
    Ok(found.first().map(|row| row.int("epoch")).transpose()?)
}
