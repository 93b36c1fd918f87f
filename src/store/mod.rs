//! Floor 4: what the gateway remembers, in SQL.
//!
//! Messages with their exact bytes, deliveries with their leases, obligations, cases, mailbox pulls, tickets, refusals, which attachments
//! are whole (their bytes lie in the vault), configuration revisions and the journal, on SQLite or PostgreSQL by one URL and (but for the claim statements) one SQL text.
//! All writing of a node goes through one writer task: it drains what waits into one transaction with multi-row statements,
//! so that a durable commit is shared by up to [`StoreOptions::batch_jobs_max`] callers. Reading goes through a pool.
//!
//! Not here: judging, signing, clocks. Every instant is an argument. No transaction is open across anything but SQL.

mod access_tokens;
mod accounts;
mod act_rows;
mod acts;
mod attachments;
mod batch;
mod case_work;
mod cases;
mod claims;
mod config;
mod connect;
mod consent;
mod dead;
mod deliveries;
mod delivery_rows;
mod desk;
mod empty;
mod error;
mod faults;
mod figures;
mod finding;
mod held;
mod journal;
mod journal_page;
mod late;
mod mailbox;
mod messages;
mod nodes;
mod notifications;
mod notifying;
mod obligations;
mod pending;
mod pings;
mod plans;
mod queues;
mod reminding;
mod reporting;
mod room;
mod rows;
mod sessions;
mod sign_ins;
mod sql;
mod stock;
#[cfg(test)]
mod tests;
mod tickets;
mod views;
mod voiding;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::AnyPool;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::search::SearchKey;
use connect::Connector;
use writer::{Answer, Job, Signals, Work, Write, Writer};

pub use access_tokens::{NewToken, TokenRow};
pub use accounts::{AccountChange, AccountRow, NewAccount};
pub use act_rows::{ActDocument, ActMessage, ActRow};
pub use acts::{Act, ActRefusal, Acted, NewAct};
pub use attachments::{Forgotten, ListedAttachment, ListedState, StoredFile, WholeAttachment};
pub use case_work::{Cancelling, CaseWork, MovedSchedule, Rebinding, ScheduledRow, Scheduling};
pub use cases::{CaseChange, CaseFilter, CaseRow};
pub use config::{Revision, RevisionChange, RevisionInfo, RevisionKind, Revisions};
pub use consent::Stopping;
pub use dead::{DeadDelivery, DeadFilter, Discard};
pub use deliveries::{
    Answered, AnsweredOutcome, AnsweredResult, AttemptRow, Claim, Claimed, DeliveryRow, Outcome, Outgoing, Replay,
    Settle, Slots,
};
pub use desk::{DeskFigures, Held, InTime, Pace};
pub use error::StoreError;
pub use faults::{Fate, Faults, Step};
pub use figures::{LeaseFigure, ObligationFigure, QueueFigure};
pub use finding::{Sought, Unfound};
pub use journal::{JournalEntry, JournalProblem, JournalRow, NOTHING_TO_OPEN, Sealed, Verified as JournalVerified};
pub use journal_page::JournalFilter;
pub use late::LateSettlement;
pub use mailbox::{MailboxItem, Pull, PullRequest};
pub use messages::{Accept, Accepted, Channel, Content, MessageFilter, MessageRow, NewDelivery, NewMessage};
pub use nodes::NodeRow;
pub use notifications::{DigestLine, MailingContent, NewNotification, NotificationRow};
pub use notifying::{ClaimedMailing, MailingOutcome, NotifyRound, RoundLimits, SettleMailing, Taken};
pub use obligations::{Mark, NewObligation, NewSettlement, ObligationRow, ObligationStart, Running, StartedObligation};
pub use pending::PendingObligation;
pub use pings::PingRow;
pub use plans::QueryPlan;
pub use queues::{BreakerRow, QueueOrder, QueueTry};
pub use reminding::{NotReminded, Reminder};
pub use reporting::{Instants, REGISTER_READ, RegisterRow, ReportFilter};
pub use sessions::{NewSession, SessionRow};
pub use sign_ins::{SignIn, login_subject};
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
    /// A transaction takes no further job once it holds so many bytes of envelopes.
    pub batch_bytes_max: usize,
    /// Connections for reading.
    pub readers_max: u32,
    /// How long one batch may take before its connection is given up, in milliseconds.
    pub batch_timeout_ms: u64,
    /// How long connecting may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How many refusals are kept; the oldest go first.
    pub refusals_max: u32,
    /// Whether a commit of SQLite is on the disk before it is answered. `false` is for a database that is thrown away: it survives the
    /// program, not the machine.
    pub durable: bool,
    /// What goes wrong on purpose; `None` outside of tests.
    pub faults: Option<Arc<dyn Faults>>,
    /// Bytes that an embedded database may grow to; 0: as many as its disk has.
    pub bytes_max: u64,
}

impl StoreOptions {
    /// The defaults with a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            queue_jobs_max: 1024,
            batch_jobs_max: 64,
            batch_bytes_max: 16 * 1024 * 1024,
            readers_max: 4,
            batch_timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            refusals_max: 10_000,
            durable: true,
            faults: None,
            bytes_max: 0,
        }
    }
}

/// The store. Cheap to clone; all clones share one writer.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: sql::Engine,
    readers: AnyPool,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    signals: Arc<Signals>,
    faults: Option<Arc<dyn Faults>>,
    /// Whether the last that was written found no room.
    full: Arc<AtomicBool>,
    refusals_max: u32,
    refusals_kept: AtomicU32,
    search_key: SearchKey,
}

impl Store {
    /// Connects, brings the schema up to date (safe when two nodes start at once) and starts the writer task.
    ///
    /// # Errors
    /// [`StoreError::Url`] when the URL is of neither engine or names no file; [`StoreError::Away`] when the database cannot be
    /// reached; [`StoreError::Migration`] when the schema is newer than this build or a migration fails.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let connector = Connector::new(&options)?;
        let mut conn = connector.migrate().await?;
        let search_key = finding::key(&mut conn).await?;
        let engine = connector.engine;
        let readers = connector.readers(options.readers_max);
        let signals = Arc::new(Signals::new());
        let full = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel(options.queue_jobs_max.max(1));
        let writer = Writer {
            connector,
            conn: Some(conn),
            jobs: receiver,
            batch_jobs_max: options.batch_jobs_max.max(1),
            batch_bytes_max: options.batch_bytes_max.max(1),
            batch_timeout: Duration::from_millis(options.batch_timeout_ms),
            signals: Arc::clone(&signals),
            faults: options.faults.clone(),
            full: Arc::clone(&full),
            texts: sql::Texts::default(),
            ids: rows::Ids::default(),
            batches: 0,
            committing: false,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                readers,
                jobs: Mutex::new(Some(sender)),
                writer: Mutex::new(Some(tokio::spawn(writer.run()))),
                signals,
                faults: options.faults,
                full,
                refusals_max: options.refusals_max,
                refusals_kept: AtomicU32::new(0),
                search_key,
            }),
        })
    }

    /// Stops taking jobs, finishes those that wait, and closes the connections. Later calls answer [`StoreError::Closed`].
    pub async fn close(&self) {
        drop(self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the store's writer ended badly");
        }
        self.inner.readers.close().await;
    }

    /// Bumped after every commit that queued or replayed a delivery, or let the next of an ordered conversation go: dispatch wakes
    /// on it (and on a slow poll, for what other nodes commit).
    pub fn deliveries_changed(&self) -> watch::Receiver<u64> {
        self.inner.signals.deliveries.subscribe()
    }

    /// Bumped after every commit that opened, started or settled an obligation: the watcher looks at its next instant again.
    pub fn obligations_changed(&self) -> watch::Receiver<u64> {
        self.inner.signals.obligations.subscribe()
    }

    /// Bumped after every commit that wrote journal entries: the sealer wakes on it.
    pub fn journal_changed(&self) -> watch::Receiver<u64> {
        self.inner.signals.journal.subscribe()
    }

    /// Bumped after every commit that wrote somebody to be told.
    pub fn notifications_changed(&self) -> watch::Receiver<u64> {
        self.inner.signals.notifications.subscribe()
    }

    /// How many transactions this process has committed: each is one flush to the disk, whatever it holds.
    pub fn commits(&self) -> u64 {
        self.inner.signals.commits.load(Ordering::Relaxed)
    }

    fn readers(&self) -> &AnyPool {
        &self.inner.readers
    }

    fn sender(&self) -> Result<mpsc::Sender<Job>, StoreError> {
        self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Closed)
    }

    /// Hands work to the writer, waiting for room, and waits for its commit.
    async fn write(&self, work: Work) -> Result<Answer, StoreError> {
        let name = work.name();
        self.pass(Step::Asked(name)).await?;
        let (reply, answer) = oneshot::channel();
        self.sender()?.send(Job { work, reply }).await.map_err(|_| StoreError::Closed)?;
        let answered = answer.await.unwrap_or(Err(StoreError::Closed));
        self.pass(Step::Answered(name)).await?;
        answered
    }

    /// Hands work to the writer if there is room, and waits for its commit.
    async fn try_write(&self, work: Work) -> Result<Answer, StoreError> {
        let name = work.name();
        self.pass(Step::Asked(name)).await?;
        let (reply, answer) = oneshot::channel();
        self.sender()?.try_send(Job { work, reply }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Full,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        let answered = answer.await.unwrap_or(Err(StoreError::Closed));
        self.pass(Step::Answered(name)).await?;
        answered
    }

    async fn pass(&self, step: Step) -> Result<(), StoreError> {
        match &self.inner.faults {
            Some(faults) => faults.pass(step).await,
            None => Ok(()),
        }
    }

    /// Runs a write that stands alone.
    async fn task<W: Write>(&self, task: W) -> Result<W::Out, StoreError> {
        let Answer::Other(found) = self.write(Work::Task(Box::new(task))).await? else { return Err(crossed()) };
        found.downcast::<W::Out>().map(|out| *out).map_err(|_| crossed())
    }
}

/// The writer answered another kind of thing than was asked: a defect of this module.
fn crossed() -> StoreError {
    StoreError::Corrupt("the writer's answers were crossed".to_owned())
}
