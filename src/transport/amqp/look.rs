//! Looking at the broker without leaving anything there.

use lapin::{options::QueueDeclareOptions, types::FieldTable};
use tokio::time::timeout;

use super::{Amqp, Queue};

/// A queue as the broker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSeen {
    /// Messages that wait in it.
    pub messages: u32,
    /// Who reads it now.
    pub consumers: u32,
}

impl Amqp {
    /// Waits until there is a connection, at most as long as connecting may take.
    ///
    /// # Errors
    /// Why there is none, for the operator.
    pub async fn connection(&self) -> Result<(), String> {
        let limit = self.shared.options.connect_timeout;
        let mut sessions = self.shared.session.subscribe();
        let connected = timeout(limit, sessions.wait_for(Option::is_some)).await.is_ok_and(|found| found.is_ok());
        if connected && self.connected() {
            return Ok(());
        }
        let trouble = self.shared.status.borrow().trouble.clone();
        Err(trouble.unwrap_or_else(|| format!("no connection within {limit:?}")))
    }

    /// Looks at a queue.
    ///
    /// # Errors
    /// What the broker said, for the operator: above all that there is no such queue.
    pub async fn look_at(&self, queue: &Queue) -> Result<QueueSeen, String> {
        let limit = self.shared.options.confirm_timeout;
        let session = self.shared.session.borrow().clone().ok_or("no connection to the broker")?;
        let look = async {
            // Of its own: the broker closes the channel when there is no such queue.
            let channel = session.connection.create_channel().await?;
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let found = channel.queue_declare(queue.name().into(), passive, FieldTable::default()).await?;
            let seen = QueueSeen { messages: found.message_count(), consumers: found.consumer_count() };
            channel.close(200, "done".into()).await?;
            Ok::<_, lapin::Error>(seen)
        };
        match timeout(limit, look).await {
            Ok(seen) => seen.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the broker did not answer within {limit:?}")),
        }
    }
}
