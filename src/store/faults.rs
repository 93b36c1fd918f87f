//! Where a test may stop a write, or have the database go at the worst moment. Production opens its stores without.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

use super::StoreError;
use super::writer::Work;

/// A step of a write, with what is written: `accept`, `claim`, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The caller has made up its mind, and the writer does not know yet.
    Asked(&'static str),
    /// The writer has answered, and the caller does not know yet.
    Answered(&'static str),
}

/// What becomes of a transaction whose statements have all run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is committed.
    Committed,
    /// The connection goes before the commit: nothing is written.
    Lost,
    /// The disk is full: nothing is written.
    NoRoom,
    /// It is committed and the connection goes before the answer comes.
    Unknown,
}

/// What goes wrong with a store, and when.
pub trait Faults: Debug + Send + Sync {
    /// Passes a step, now, later or never.
    ///
    /// # Errors
    /// What the caller is told in place of the answer.
    fn pass(&self, step: Step) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Decides on the transaction that is to be committed.
    fn fate(&self) -> Fate;
}

impl Work {
    /// For who reads what happened.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Accept(_) => "accept",
            Self::Settle(_) => "settle",
            Self::Answered(_) => "answer",
            Self::Outgoing(_) => "outgoing",
            Self::Mark(_) => "mark",
            Self::Open(..) => "open",
            Self::Task(task) => task.name(),
        }
    }
}
