//! Participants: agencies and the register.

use std::collections::{BTreeMap, BTreeSet};

use super::{DataClass, Framing, Oktmo, ParticipantId, RoleCode, Zone};

/// How the gateway hands messages to a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportKind {
    /// POST to the participant's own HTTPS address; its signed receipt is the answer's body.
    Http {
        /// The absolute address, `https://…` (or `http://` on loopback or with `insecure = true`).
        url: String,
    },
    /// The queue `mezhved.to.<participant>` of RabbitMQ.
    Amqp,
    /// Waits until the participant pulls.
    Mailbox,
}

impl TransportKind {
    /// The stable word: `http`, `amqp` or `mailbox`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Http { .. } => "http",
            Self::Amqp => "amqp",
            Self::Mailbox => "mailbox",
        }
    }
}

/// A role that a participant holds, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleHolding {
    /// The role in the participant's regulation.
    pub role: RoleCode,
    /// Territories by ОКТМО (prefixes cover all below them); empty: everywhere.
    pub territories: Vec<Oktmo>,
}

/// Which notices about its own messages a participant wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoticesWanted {
    /// Of each message that came to its end.
    #[default]
    All,
    /// Only of those that were not delivered: its system asks for the state of the others.
    Failures,
}

/// Whom people ring or write to about a participant's system.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Contact {
    /// The name.
    pub name: String,
    /// The office held, or what they answer for; may be empty.
    pub post: String,
    /// The telephone as people write it; may be empty.
    pub phone: String,
    /// The e-mail address; may be empty.
    pub mail: String,
    /// When they can be reached, in words; may be empty.
    pub hours: String,
}

/// An agency's system or the register, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// Its name for people, in Russian.
    pub name: String,
    /// The id of the regulation it takes part in, such as `yugra`.
    pub regulation: String,
    /// The roles it holds there.
    pub roles: Vec<RoleHolding>,
    /// The zone in which its working days are counted.
    pub zone: Zone,
    /// How messages reach it.
    pub transport: TransportKind,
    /// The adapter folder that translates for it; `None`: it speaks the canonical form.
    pub adapter: Option<String>,
    /// The versions of message types that it takes, by the type's name. What it gets of a type that is not named says `gateway::versions`.
    pub versions: BTreeMap<String, BTreeSet<u32>>,
    /// The framing of its messages.
    pub framing: Framing,
    /// Its certificates, DER, several while keys rotate. Each is trusted only for this participant. None when it is spoken to without
    /// envelopes.
    pub certificates: Vec<Vec<u8>>,
    /// How many deliveries to it may be in flight at once.
    pub in_flight_max: u32,
    /// Which notices it is sent about its own messages.
    pub notices: NoticesWanted,
    /// The classes of personal data that may go to it; `None`: all.
    pub data_classes: Option<BTreeSet<DataClass>>,
    /// The media types of files that it may send and be sent, without parameters; `None`: those of the settings.
    pub media_types: Option<Vec<String>>,
    /// Whether deliveries within one conversation keep their order.
    pub ordered: bool,
    /// Whom to ask about its system.
    pub contacts: Vec<Contact>,
}

impl Participant {
    /// Whether it holds the role for the territory (`None`: a message without a case; any holding counts).
    pub fn holds(&self, role: &RoleCode, territory: Option<&Oktmo>) -> bool {
        self.roles.iter().any(|holding| {
            holding.role == *role
                && (holding.territories.is_empty()
                    || territory.is_none_or(|t| holding.territories.iter().any(|own| own.covers(t))))
        })
    }
}
