//! Notifications: telling people of a deadline.

use super::delivery::words;

words! {
    /// At which step of a term somebody is told.
    NotificationStage {
        /// The term ends soon.
        Warning = "warning", "скоро срок";
        /// The due instant has passed.
        Overdue = "overdue", "просрочено";
        /// It is overdue for so long that more people are told.
        Escalation = "escalation", "просрочено давно";
    }
}

words! {
    /// How somebody is told.
    NotificationChannel {
        /// By e-mail.
        Mail = "mail", "почта";
        /// By a signed HTTP call to another system.
        Webhook = "webhook", "вебхук";
    }
}

words! {
    /// Where a notification stands.
    NotificationState {
        /// For its hour, or for room: only so many go to one address in a while.
        Waiting = "waiting", "ждёт своего часа";
        /// Being sent, or to be tried again.
        Queued = "queued", "отправляется";
        /// The mail server or the other system has taken it.
        Sent = "sent", "отправлено";
        /// Given up; the reason stands beside it.
        Parked = "parked", "не отправлено";
        /// Not sent, for it was settled or moved before its hour came.
        Dropped = "dropped", "отпало";
    }
}
