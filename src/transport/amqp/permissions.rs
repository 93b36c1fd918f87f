//! What a broker account may do, as RabbitMQ's three patterns and as the commands that set them.

use crate::domain::ParticipantId;

/// An account's permissions in the gateway's virtual host: regular expressions over names of queues and exchanges.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BrokerPermissions {
    /// The suggested name of the account.
    pub user: String,
    /// What it may declare and delete.
    pub configure: String,
    /// Exchanges that it may publish to.
    pub write: String,
    /// Queues that it may consume.
    pub read: String,
}

/// The account of a participant: writes to its own exchange, reads its own `to` and `receipts`, declares nothing.
pub fn permissions(_participant: &ParticipantId) -> BrokerPermissions {
    todo!()
}

/// The account of the gateway itself: everything named `mezhved.…`, and the default exchange.
pub fn gateway_permissions() -> BrokerPermissions {
    todo!()
}

impl BrokerPermissions {
    /// The commands for the broker's administrator, a line each; the password is asked for, never printed.
    pub fn rabbitmqctl(&self, _vhost: &str) -> String {
        todo!()
    }
}
