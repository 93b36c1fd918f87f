//! The one writer: drains what waits into one transaction, shares its commit, and keeps a bad row from harming others.

use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::AnyConnection;
use sqlx::Connection as _;
use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::{ObligationId, Timestamp};

use super::connect::Connector;
use super::error::Failure;
use super::faults::{Fate, Faults};
use super::rows::{Ids, Rows, Touched};
use super::sql::{Engine, Texts, Tx};
use super::{Accept, Accepted, Answered, AnsweredResult, Mark, NewObligation, Settle, StoreError, batch};

/// How often the same batch is tried after a deadlock or a busy file before it is halved.
const TRANSIENT_TRIES_MAX: u32 = 5;

/// One caller's wish.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<Answer, StoreError>>,
}

/// What is written. Kinds of which many wait at once have a variant and multi-row statements; the others are tasks.
#[derive(Debug)]
pub(super) enum Work {
    Accept(Box<Accept>),
    Settle(Box<Settle>),
    Answered(Box<Answered>),
    Outgoing(Box<super::delivery_rows::StoreOutgoing>),
    Mark(Vec<Mark>),
    Open(Vec<NewObligation>, Timestamp),
    Task(Box<dyn Task>),
}

impl Work {
    /// The bytes of envelopes in it: what makes a transaction large.
    fn bytes(&self) -> usize {
        match self {
            Self::Accept(accept) => std::iter::once(&accept.message)
                .chain(&accept.made)
                .flat_map(|m| {
                    let ahead = m.deliveries.iter().filter_map(|d| d.outgoing.as_ref());
                    std::iter::once(m.bytes.len()).chain(ahead.map(|o| o.signed.len()))
                })
                .fold(0, usize::saturating_add),
            Self::Outgoing(o) => o.outgoing.signed.len(),
            Self::Settle(_) | Self::Answered(_) | Self::Mark(_) | Self::Open(..) | Self::Task(_) => 0,
        }
    }
}

/// The answer after the commit.
#[derive(Debug)]
pub(super) enum Answer {
    Accepted(Accepted),
    Flag(bool),
    Answered(AnsweredResult),
    Obligations(Vec<ObligationId>),
    Other(Box<dyn Any + Send>),
}

/// A write that stands alone within the transaction. It may run again (after a deadlock), so it takes `&self`.
pub(super) trait Write: Debug + Send + Sync + 'static {
    /// What it answers.
    type Out: Send + 'static;

    fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> impl Future<Output = Result<Self::Out, Failure>> + Send;
}

/// [`Write`] without its type.
pub(super) trait Task: Debug + Send + Sync {
    /// The name of its type.
    fn name(&self) -> &'static str;

    fn run_boxed<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        rows: &'a mut Rows<'_>,
    ) -> BoxFuture<'a, Result<Box<dyn Any + Send>, Failure>>;
}

impl<W: Write> Task for W {
    fn name(&self) -> &'static str {
        let name = std::any::type_name::<W>();
        name.rsplit("::").next().unwrap_or(name)
    }

    fn run_boxed<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        rows: &'a mut Rows<'_>,
    ) -> BoxFuture<'a, Result<Box<dyn Any + Send>, Failure>> {
        async move { Ok(Box::new(self.run(tx, rows).await?) as Box<dyn Any + Send>) }.boxed()
    }
}

/// Wakes those who wait for changes.
#[derive(Debug)]
pub(super) struct Signals {
    pub(super) deliveries: watch::Sender<u64>,
    pub(super) obligations: watch::Sender<u64>,
    pub(super) journal: watch::Sender<u64>,
    pub(super) notifications: watch::Sender<u64>,
    /// Commits since the start; each is one flush to the disk.
    pub(super) commits: AtomicU64,
}

impl Signals {
    pub(super) fn new() -> Self {
        let signal = || watch::Sender::new(0);
        Self {
            deliveries: signal(),
            obligations: signal(),
            journal: signal(),
            notifications: signal(),
            commits: AtomicU64::new(0),
        }
    }

    fn send(&self, touched: Touched) {
        for (signal, yes) in [
            (&self.deliveries, touched.deliveries),
            (&self.obligations, touched.obligations),
            (&self.journal, touched.journal),
            (&self.notifications, touched.notifications),
        ] {
            if yes {
                signal.send_modify(|n| *n = n.wrapping_add(1));
            }
        }
    }
}

/// The writer task's own things.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connector: Connector,
    pub(super) conn: Option<AnyConnection>,
    pub(super) jobs: mpsc::Receiver<Job>,
    pub(super) batch_jobs_max: usize,
    pub(super) batch_bytes_max: usize,
    pub(super) batch_timeout: Duration,
    pub(super) signals: Arc<Signals>,
    pub(super) faults: Option<Arc<dyn Faults>>,
    /// Set when something found no room; cleared by who finds some (see `room`).
    pub(super) full: Arc<AtomicBool>,
    pub(super) texts: Texts,
    pub(super) ids: Ids,
    /// Batches on this connection.
    pub(super) batches: u64,
    /// Set while a COMMIT is on its way: a time-out then leaves the outcome unknown.
    pub(super) committing: bool,
}

impl Writer {
    /// Works until all senders are gone and the queue is empty.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.jobs.recv().await {
            let mut bytes = first.work.bytes();
            let mut jobs = vec![first];
            while jobs.len() < self.batch_jobs_max
                && bytes < self.batch_bytes_max
                && let Ok(job) = self.jobs.try_recv()
            {
                bytes = bytes.saturating_add(job.work.bytes());
                jobs.push(job);
            }
            self.work_off(jobs).await;
        }
        if let Some(conn) = self.conn.take()
            && let Err(error) = conn.close().await
        {
            tracing::debug!(%error, "the writing connection did not close cleanly");
        }
    }

    /// Runs a batch, and by halves what the database refuses.
    async fn work_off(&mut self, jobs: Vec<Job>) {
        let mut parts = vec![jobs];
        while let Some(mut jobs) = parts.pop() {
            match self.persist(&jobs).await {
                Ok(answers) => {
                    for (job, answer) in jobs.into_iter().zip(answers) {
                        reply(job, Ok(answer));
                    }
                }
                Err(Failure::Rows(why)) if jobs.len() == 1 => {
                    tracing::warn!(%why, "the database refused a write");
                    jobs.into_iter().for_each(|job| reply(job, Err(StoreError::Refused(why.clone()))));
                }
                Err(Failure::Transient(why)) if jobs.len() == 1 => {
                    tracing::warn!(%why, "the database is too busy");
                    jobs.into_iter().for_each(|job| reply(job, Err(StoreError::Away(why.clone()))));
                }
                Err(Failure::Rows(_) | Failure::Transient(_)) => {
                    let second = jobs.split_off(jobs.len() / 2);
                    parts.push(second);
                    parts.push(jobs);
                }
                Err(Failure::Connection(why)) => {
                    tracing::warn!(%why, "the database is away");
                    jobs.into_iter().for_each(|job| reply(job, Err(StoreError::Away(why.clone()))));
                }
                Err(Failure::NoSpace(why)) => {
                    if !self.full.swap(true, Ordering::AcqRel) {
                        tracing::error!(%why, "the database has no room");
                    }
                    jobs.into_iter().for_each(|job| reply(job, Err(StoreError::NoSpace(why.clone()))));
                }
                Err(Failure::Unknown) => {
                    tracing::warn!("the connection was lost while committing");
                    jobs.into_iter().for_each(|job| reply(job, Err(StoreError::Unknown)));
                }
            }
        }
    }

    /// One batch, tried again after what may pass: a deadlock, a busy file, a connection that was found dead.
    async fn persist(&mut self, jobs: &[Job]) -> Result<Vec<Answer>, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let fresh = self.conn.is_none();
            self.committing = false;
            let done = match tokio::time::timeout(self.batch_timeout, self.transaction(jobs)).await {
                Ok(done) => done,
                Err(_) if self.committing => Err(Failure::Unknown),
                Err(_) => Err(Failure::Connection("the batch took too long".to_owned())),
            };
            match done {
                Err(Failure::Transient(why)) if tries < TRANSIENT_TRIES_MAX => {
                    tracing::debug!(%why, "trying the batch again")
                }
                Err(Failure::Connection(why)) if !fresh && tries == 1 => tracing::debug!(%why, "connecting anew"),
                done => return done,
            }
        }
    }

    async fn transaction(&mut self, jobs: &[Job]) -> Result<Vec<Answer>, Failure> {
        // Taken out: a future that is dropped midway takes the connection with it, and the database rolls back.
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => {
                self.batches = 0;
                self.connector.connect().await.map_err(Failure::from)?
            }
        };
        let engine = self.connector.engine;
        self.batches = self.batches.saturating_add(1);
        if engine == Engine::Postgres && self.batches.is_power_of_two() {
            // Kept plans were made for tables of another size; made anew while these double, they stay good.
            sqlx::raw_sql("DISCARD PLANS").execute(&mut conn).await?;
        }
        let done = begin_and_run(&mut conn, engine, &mut self.texts, &mut self.ids, jobs).await;
        let done = match done {
            Ok(done) => {
                self.committing = true;
                let committed = commit(&mut conn, fate(&self.faults)).await;
                if committed.is_ok() {
                    self.signals.commits.fetch_add(1, Ordering::Relaxed);
                }
                committed.map(|()| done)
            }
            Err(failure) => Err(failure),
        };
        match done {
            Ok((mut answers, touched)) => {
                self.signals.send(touched);
                // Committed: whatever fails from here on must not run the batch again.
                let filled = batch::fill_duplicates(&mut conn, jobs, &mut answers).await;
                filled.map_err(|_| Failure::Unknown)?;
                self.conn = Some(conn);
                Ok(answers)
            }
            Err(failure) => {
                self.keep_if_rolled_back(conn, &failure).await;
                Err(failure)
            }
        }
    }

    async fn keep_if_rolled_back(&mut self, mut conn: AnyConnection, failure: &Failure) {
        if matches!(failure, Failure::Connection(_) | Failure::Unknown) {
            return;
        }
        // SQLite rolls back by itself on some errors, and then has no transaction to end: the connection is good either way,
        // and if it is not, the next batch finds out.
        match sqlx::raw_sql("ROLLBACK").execute(&mut conn).await {
            Ok(_) => self.conn = Some(conn),
            Err(error) => tracing::debug!(%error, "no rollback; connecting anew"),
        }
    }
}

async fn begin_and_run(
    conn: &mut AnyConnection,
    engine: Engine,
    texts: &mut Texts,
    ids: &mut Ids,
    jobs: &[Job],
) -> Result<(Vec<Answer>, Touched), Failure> {
    sqlx::raw_sql(engine.pick("BEGIN IMMEDIATE", "BEGIN")).execute(&mut *conn).await?;
    let mut tx = Tx { conn, engine, texts };
    let mut rows = Rows::new(ids);
    let answers = batch::run(&mut tx, &mut rows, jobs).await?;
    Ok((answers, rows.touched))
}

fn fate(faults: &Option<Arc<dyn Faults>>) -> Fate {
    faults.as_ref().map_or(Fate::Committed, |faults| faults.fate())
}

/// Commits, unless a test has it otherwise. An answer of the database is certain; anything else is not.
async fn commit(conn: &mut AnyConnection, fate: Fate) -> Result<(), Failure> {
    match fate {
        Fate::Committed | Fate::Unknown => {}
        Fate::Lost => return Err(Failure::Connection("lost on purpose".to_owned())),
        Fate::NoRoom => return Err(Failure::NoSpace("full on purpose".to_owned())),
    }
    match sqlx::raw_sql("COMMIT").execute(conn).await {
        Ok(_) if fate == Fate::Unknown => Err(Failure::Unknown),
        Ok(_) => Ok(()),
        Err(error) => Err(match Failure::from(error) {
            Failure::Connection(_) | Failure::Unknown => Failure::Unknown,
            known @ (Failure::Transient(_) | Failure::NoSpace(_) | Failure::Rows(_)) => known,
        }),
    }
}

fn reply(job: Job, answer: Result<Answer, StoreError>) {
    // Who does not wait any more has dropped the receiver; the work is done all the same.
    if job.reply.send(answer).is_err() {
        tracing::trace!("a caller left before its answer");
    }
}
