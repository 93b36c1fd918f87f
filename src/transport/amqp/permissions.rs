//! What a broker account may do, as RabbitMQ's three patterns and as the commands that set them.
//!
//! RabbitMQ asks for `write` on the exchange that a message is published to (never on the queue that it reaches), for
//! `read` on the queue that is consumed, and for `configure` on what is declared or deleted. Patterns are not anchored by
//! the broker; these are. Publishing to the default exchange is checked as `amq.default`: no participant has it.
//!
//! What remains open: any account of a virtual host may ask for the number of messages in a queue whose name it knows
//! (a passive declaration is not checked in RabbitMQ 3.10), and may empty the queues that it reads, which is its own loss:
//! the gateway waits for receipts and sends again.

use crate::domain::ParticipantId;

use super::topology::{from_name, receipts_name, to_name};

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
pub fn permissions(participant: &ParticipantId) -> BrokerPermissions {
    let only = |name: String| name.replace('.', "\\.");
    BrokerPermissions {
        user: format!("mezhved-{participant}"),
        configure: "^$".into(),
        write: format!("^{}$", only(from_name(participant))),
        read: format!("^({}|{})$", only(to_name(participant)), only(receipts_name(participant))),
    }
}

/// The account of the gateway itself: everything named `mezhved.…`, and publishing to the default exchange.
pub fn gateway_permissions() -> BrokerPermissions {
    BrokerPermissions {
        user: "mezhved".into(),
        configure: "^mezhved\\.".into(),
        write: "^(mezhved\\..*|amq\\.default)$".into(),
        read: "^mezhved\\.".into(),
    }
}

impl BrokerPermissions {
    /// The commands for the broker's administrator, a line each; `add_user` asks for the password, which is never printed.
    pub fn rabbitmqctl(&self, vhost: &str) -> String {
        let Self { user, configure, write, read } = self;
        let vhost = quoted(vhost);
        format!(
            "rabbitmqctl add_user {user}\nrabbitmqctl set_permissions -p {vhost} {user} {} {} {}\n",
            quoted(configure),
            quoted(write),
            quoted(read)
        )
    }
}

/// For a shell: in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_a_participant() {
        let commands = permissions(&ParticipantId::parse("uszn-surgut").unwrap()).rabbitmqctl("/");
        assert_eq!(
            commands,
            "rabbitmqctl add_user mezhved-uszn-surgut\n\
             rabbitmqctl set_permissions -p '/' mezhved-uszn-surgut '^$' '^mezhved\\.from\\.uszn-surgut$' \
             '^(mezhved\\.to\\.uszn-surgut|mezhved\\.receipts\\.uszn-surgut)$'\n"
        );
        assert!(gateway_permissions().rabbitmqctl("it's").contains("-p 'it'\\''s' mezhved "));
    }
}
