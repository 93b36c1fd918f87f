//! A person's reminder to who owes: the message, the act and the journal entry are one transaction.

use crate::domain::{ActKind, ObligationId, Timestamp};

use super::act_rows::{self as rows_of, ActRow};
use super::error::Failure;
use super::rows::Rows;
use super::sql::Tx;
use super::writer::Write;
use super::{NewMessage, Store, StoreError, acts};

/// Who was reminded is not reminded again by a person within so many seconds: of two who press at once, one does.
const AGAIN_SECONDS: i64 = 3_600;

/// A reminder to enter.
#[derive(Debug, Clone)]
pub struct Reminder {
    /// Of which obligation.
    pub obligation_id: ObligationId,
    /// What its debtor gets.
    pub message: NewMessage,
    /// Who reminds, for the journal.
    pub author: String,
    /// Business time.
    pub at: Timestamp,
    /// Machine time.
    pub now: Timestamp,
}

/// Why nobody was reminded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReminded {
    /// The obligation is not open (any more), or its term has not begun.
    NotOpen,
    /// A person reminded its debtor less than an hour ago.
    JustNow,
    /// Its debtor takes no reminders, or has left the configuration.
    Nobody,
}

impl NotReminded {
    /// Every value.
    pub const ALL: &'static [Self] = &[Self::NotOpen, Self::JustNow, Self::Nobody];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOpen => "not-open",
            Self::JustNow => "just-now",
            Self::Nobody => "nobody",
        }
    }
}

impl Store {
    /// Sends a person's reminder. `Err` inside: nobody was reminded, and nothing was written.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn enter_reminder(&self, reminder: Reminder) -> Result<Result<(), NotReminded>, StoreError> {
        self.task(reminder).await
    }
}

impl Write for Reminder {
    type Out = Result<(), NotReminded>;

    async fn run(&self, tx: &mut Tx<'_>, rows: &mut Rows<'_>) -> Result<Self::Out, Failure> {
        rows.at(self.now);
        let row = rows_of::taken(tx, self.obligation_id).await?;
        let Some(row) = row.filter(|row| row.state.is_open() && row.due_at.is_some()) else {
            return Ok(Err(NotReminded::NotOpen));
        };
        let since = self.now.plus_seconds(-AGAIN_SECONDS);
        let earlier = rows_of::of(tx, self.obligation_id).await?;
        if earlier.iter().any(|act| act.kind == ActKind::Remind && act.entered_at > since) {
            return Ok(Err(NotReminded::JustNow));
        }
        rows.made_apart(tx, std::slice::from_ref(&self.message)).await?;
        let (id, times) = (rows.next_id(self.now), (self.at, self.now));
        let act = ActRow::new(id, ActKind::Remind, (&row, &row), times, self.author.clone());
        let act = ActRow { record_id: Some(self.message.record_id), ..act };
        rows_of::insert(tx, std::slice::from_ref(&act)).await?;
        rows.entry(&acts::entry(&act), self.now);
        Ok(Ok(()))
    }
}
