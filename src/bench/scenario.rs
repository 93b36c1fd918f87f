//! The scenarios: in which ways messages go, and what lies in the database before.

use super::BenchError;
use crate::crypto::KeyKind;

/// The store of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

/// How a participant exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Http,
    /// Over RabbitMQ, both ways.
    Amqp,
    /// It fetches for itself, and here nobody does.
    Mailbox,
}

/// One way in which messages go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) engine: Engine,
    /// Of the sender, of the partners and of the gateway.
    pub(super) key: KeyKind,
    pub(super) from: Way,
    pub(super) to: Way,
    /// Receiving systems, to which messages go in turn.
    pub(super) partners: usize,
    /// The first of them does not answer.
    pub(super) dead: bool,
    /// The sender is told of each delivery, by a signed notice.
    pub(super) notices: bool,
    /// The partners' adapter.
    pub(super) adapter: Option<&'static str>,
    /// Bytes of a file in each envelope.
    pub(super) file_bytes: usize,
    /// Messages that were delivered before, and lie in the database.
    pub(super) stored: u32,
    /// Messages that wait for the dead partner before the others are measured; then none of those goes to it.
    pub(super) queued: usize,
}

impl Scenario {
    const fn plain(name: &'static str, engine: Engine) -> Self {
        Self {
            name,
            engine,
            key: KeyKind::P256,
            from: Way::Http,
            to: Way::Http,
            partners: 1,
            dead: false,
            notices: false,
            adapter: None,
            file_bytes: 0,
            stored: 0,
            queued: 0,
        }
    }

    const fn one_dead(name: &'static str, engine: Engine) -> Self {
        Self { partners: 8, dead: true, ..Self::plain(name, engine) }
    }

    /// Whether anything is handed over.
    pub(super) fn reaches(&self) -> bool {
        self.to != Way::Mailbox
    }

    /// Whether the broker has a part in it.
    pub(super) fn needs_broker(&self) -> bool {
        self.from == Way::Amqp || self.to == Way::Amqp
    }

    /// The partners to which the measured messages go.
    pub(super) fn measured(&self) -> std::ops::Range<usize> {
        usize::from(self.queued > 0)..self.partners
    }

    /// How many of the measured messages go to a partner that answers: messages go to the partners in turn.
    pub(super) fn living(&self, sent: usize) -> usize {
        if !self.dead || self.queued > 0 {
            return sent;
        }
        sent.saturating_mul(self.partners.saturating_sub(1)) / self.partners.max(1)
    }
}

/// What is set beside each other after a run: the scenario, and the one that it is like but for one thing.
pub(super) const PAIRS: [(&str, &str, Beside); 4] = [
    (DEAD_SQLITE, EIGHT_SQLITE, Beside::Living),
    (DEAD_POSTGRES, EIGHT_POSTGRES, Beside::Living),
    (STORED_SQLITE, SQLITE, Beside::Cost),
    (STORED_POSTGRES, POSTGRES, Beside::Cost),
];

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// What the seven living partners get, with a dead one beside them and with a living one.
    Living,
    /// The processor time of a message.
    Cost,
}

const SQLITE: &str = "HTTP-HTTP, SQLite";
const POSTGRES: &str = "HTTP-HTTP, PostgreSQL";
const EIGHT_SQLITE: &str = "HTTP-HTTP, 8 partners, SQLite";
const EIGHT_POSTGRES: &str = "HTTP-HTTP, 8 partners, PostgreSQL";
const DEAD_SQLITE: &str = "HTTP-HTTP, 8 partners, 1 dead, SQLite";
const DEAD_POSTGRES: &str = "HTTP-HTTP, 8 partners, 1 dead, PostgreSQL";
const STORED_SQLITE: &str = "HTTP-HTTP, 1,000,000 stored, SQLite";
const STORED_POSTGRES: &str = "HTTP-HTTP, 1,000,000 stored, PostgreSQL";
/// Bytes of a file that makes an envelope of 256 KB.
const FILE: usize = 190_000;
const STORED: u32 = 1_000_000;
const QUEUED: usize = 100_000;

/// The scenarios; the first two are those of a run without options.
pub(super) fn all() -> Vec<Scenario> {
    use Engine::{Postgres, Sqlite};
    let (plain, dead) = (Scenario::plain, Scenario::one_dead);
    vec![
        plain(SQLITE, Sqlite),
        plain(POSTGRES, Postgres),
        Scenario { stored: STORED, ..plain(STORED_SQLITE, Sqlite) },
        Scenario { stored: STORED, ..plain(STORED_POSTGRES, Postgres) },
        Scenario { key: KeyKind::Rsa, ..plain("HTTP-HTTP, RSA-2048, SQLite", Sqlite) },
        Scenario { key: KeyKind::Rsa, ..plain("HTTP-HTTP, RSA-2048, PostgreSQL", Postgres) },
        Scenario { file_bytes: FILE, ..plain("HTTP-HTTP, 256 KB, SQLite", Sqlite) },
        Scenario { file_bytes: FILE, ..plain("HTTP-HTTP, 256 KB, PostgreSQL", Postgres) },
        Scenario { notices: true, ..plain("HTTP-HTTP, with notices, SQLite", Sqlite) },
        Scenario { notices: true, ..plain("HTTP-HTTP, with notices, PostgreSQL", Postgres) },
        Scenario { adapter: Some("health"), ..plain("HTTP-HTTP, translated, SQLite", Sqlite) },
        Scenario { to: Way::Mailbox, ..plain("HTTP-mailbox, SQLite", Sqlite) },
        Scenario { to: Way::Mailbox, ..plain("HTTP-mailbox, PostgreSQL", Postgres) },
        Scenario { to: Way::Amqp, ..plain("HTTP-AMQP, SQLite", Sqlite) },
        Scenario { to: Way::Amqp, ..plain("HTTP-AMQP, PostgreSQL", Postgres) },
        Scenario { from: Way::Amqp, ..plain("AMQP-HTTP, SQLite", Sqlite) },
        Scenario { from: Way::Amqp, ..plain("AMQP-HTTP, PostgreSQL", Postgres) },
        Scenario { partners: 8, ..plain(EIGHT_SQLITE, Sqlite) },
        dead(DEAD_SQLITE, Sqlite),
        Scenario { partners: 8, ..plain(EIGHT_POSTGRES, Postgres) },
        dead(DEAD_POSTGRES, Postgres),
        Scenario { partners: 2, queued: QUEUED, ..dead("HTTP-HTTP, 100,000 queued, SQLite", Sqlite) },
        Scenario { partners: 2, queued: QUEUED, ..dead("HTTP-HTTP, 100,000 queued, PostgreSQL", Postgres) },
    ]
}

/// Those that an operator wants.
///
/// # Errors
/// When no scenario has such a name.
pub(super) fn wanted(full: bool, only: Option<&str>) -> Result<Vec<Scenario>, BenchError> {
    let wanted: Vec<Scenario> = match only {
        Some(text) => all().into_iter().filter(|s| s.name.contains(text)).collect(),
        None if full => all(),
        None => all().into_iter().take(2).collect(),
    };
    if wanted.is_empty() { Err(BenchError::NoScenario(only.unwrap_or_default().to_owned())) } else { Ok(wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_there_and_of_one_engine() {
        let find = |name: &str| all().into_iter().find(|s| s.name == name).unwrap();
        for (one, other, _) in PAIRS {
            assert_eq!(find(one).engine, find(other).engine);
        }
    }

    #[test]
    fn of_a_dead_partner_among_eight_seven_parts_come() {
        let scenario = Scenario::one_dead("", Engine::Sqlite);
        assert_eq!((scenario.living(80), scenario.measured()), (70, 0..8));
        let scenario = Scenario { partners: 2, queued: 5, ..scenario };
        assert_eq!((scenario.living(80), scenario.measured()), (80, 1..2));
    }
}
