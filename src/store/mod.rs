//! Floor 4: what the gateway remembers, in SQL.
//!
//! Messages with their exact bytes, deliveries with their leases, obligations, cases, mailbox pulls, tickets, refusals,
//! configuration revisions and the journal, on SQLite or PostgreSQL by one URL and (but for the claim statements) one SQL text.
//! All writing of a node goes through one writer task: it drains what waits into one transaction with multi-row statements,
//! so that a durable commit is shared by up to [`StoreOptions::batch_jobs_max`] callers. Reading goes through a pool.
//!
//! Not here: judging, signing, clocks. Every instant is an argument. No transaction is open across anything but SQL.

mod cases;
mod config;
mod deliveries;
mod error;
mod journal;
mod mailbox;
mod messages;
mod nodes;
mod obligations;
mod tickets;
mod views;

use tokio::sync::watch;

pub use cases::{CaseChange, CaseRow};
pub use config::{Revision, RevisionInfo, RevisionKind, Revisions};
pub use deliveries::{
    Answered, AnsweredOutcome, AnsweredResult, AttemptRow, Claim, Claimed, DeliveryRow, Outcome, Outgoing, Replay, Settle, Slots,
};
pub use error::StoreError;
pub use journal::{JournalEntry, JournalProblem, JournalRow, Sealed, Verified as JournalVerified};
pub use mailbox::{MailboxItem, Pull, PullRequest};
pub use messages::{Accept, Accepted, Channel, Content, MessageFilter, MessageRow, NewDelivery, NewMessage};
pub use nodes::NodeRow;
pub use obligations::{Mark, NewObligation, NewSettlement, ObligationRow, ObligationStart, Running, StartedObligation};
pub use tickets::{NewRefusal, NewTicket, RefusalRow, TicketRow};
pub use views::{Counts, DueCursor, HandoverCursor, NotHandedOver, ObligationFilter, ObligationGroup};

/// How to open a store.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// `sqlite:///path/to/file` (made when missing) or `postgres://user:password@host:port/database`.
    pub url: String,
    /// How many writing callers may wait; beyond it [`StoreError::Full`] for accepts, and the others wait.
    pub queue_jobs_max: usize,
    /// How many jobs share one transaction.
    pub batch_jobs_max: usize,
    /// Connections for reading.
    pub readers_max: u32,
    /// How long one batch may take before its connection is given up, in milliseconds.
    pub batch_timeout_ms: u64,
    /// How long connecting may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How many refusals are kept; the oldest go first.
    pub refusals_max: u32,
}

impl StoreOptions {
    /// The defaults with a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            queue_jobs_max: 1024,
            batch_jobs_max: 64,
            readers_max: 4,
            batch_timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            refusals_max: 10_000,
        }
    }
}

/// The store. Cheap to clone; all clones share one writer.
#[derive(Debug, Clone)]
pub struct Store {
    _todo: (),
}

impl Store {
    /// Connects, brings the schema up to date (safe when two nodes start at once) and starts the writer task.
    ///
    /// # Errors
    /// [`StoreError::Url`] when the URL is of neither engine or names no file; [`StoreError::Away`] when the database cannot be
    /// reached; [`StoreError::Migration`] when the schema is newer than this build or a migration fails.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        todo!("{options:?}")
    }

    /// Stops taking jobs, finishes those that wait, and closes the connections. Later calls answer [`StoreError::Closed`].
    pub async fn close(&self) {
        todo!()
    }

    /// Bumped after every commit that queued or replayed a delivery: dispatch wakes on it (and on a slow poll).
    pub fn deliveries_changed(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// Bumped after every commit that opened, started or settled an obligation: the watcher looks at its next instant again.
    pub fn obligations_changed(&self) -> watch::Receiver<u64> {
        todo!()
    }

    /// Bumped after every commit that wrote journal entries: the sealer wakes on it.
    pub fn journal_changed(&self) -> watch::Receiver<u64> {
        todo!()
    }
}
