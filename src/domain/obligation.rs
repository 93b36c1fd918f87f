//! Obligations: who owes whom which message by when.

use super::delivery::words;

words! {
    /// Where an obligation stands.
    ObligationState {
        /// Waits for its start: the message that opens it is accepted but not yet `sent`.
        Pending = "pending", "ждёт вручения";
        /// Runs.
        Open = "open", "открыто";
        /// Runs, and its warning instant has passed.
        Warned = "warned", "скоро срок";
        /// Its due instant has passed and it is not met.
        Overdue = "overdue", "просрочено";
        /// Met in time.
        Met = "met", "исполнено в срок";
        /// Met after its due instant.
        MetLate = "met-late", "исполнено с опозданием";
        /// Gone, for what it stood on has ended.
        Cancelled = "cancelled", "снято";
    }
}

impl ObligationState {
    /// Whether it still runs (or waits to).
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Open | Self::Warned | Self::Overdue)
    }
}

words! {
    /// What settled an obligation.
    SettleKind {
        /// A message that passed the gateway.
        Message = "message", "сообщением";
        /// What it stood on has ended.
        Cancellation = "cancellation", "снятием";
    }
}
