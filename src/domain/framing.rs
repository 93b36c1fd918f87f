//! How a participant's messages are framed: inside our signed envelope, or plainly over HTTP.

use std::collections::BTreeMap;

use super::{Digest, Header, MessageType};

/// How a participant's bodies are framed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Framing {
    /// Inside our signed envelope.
    #[default]
    Envelope,
    /// As bodies of HTTP requests and answers; the gateway signs on the participant's behalf.
    Plain(Box<Plain>),
}

impl Framing {
    /// The stable word: `envelope` or `plain`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Plain(_) => "plain",
        }
    }

    /// How the participant is spoken to without envelopes, if it is.
    pub fn plain(&self) -> Option<&Plain> {
        match self {
            Self::Envelope => None,
            Self::Plain(plain) => Some(plain),
        }
    }

    /// Whether messages of this type can be handed over at all. What the gateway itself writes goes to a participant without envelopes
    /// only where it has named a path for it.
    pub fn takes(&self, message_type: &MessageType) -> bool {
        let named = |plain: &Plain| plain.paths.contains_key(&message_type.name);
        message_type.technical().is_none() || self.plain().is_none_or(named)
    }
}

/// How a partner that has only a REST endpoint is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// The method of the requests.
    pub method: PlainMethod,
    /// How the gateway proves itself. The secret is the node's, never in the configuration that is shared.
    pub auth: PlainAuth,
    /// What follows the participant's address, with the names of [`Plain::NAMES`] in braces; may be empty.
    pub path: String,
    /// The same for messages of one type, by the type's name.
    pub paths: BTreeMap<String, String>,
    /// The type of the message that comes in the answer to a request, by the name of the request's type.
    pub responses: BTreeMap<String, MessageType>,
    /// SHA-256 of the tokens by which the participant posts, several while they rotate; empty: it does not post.
    pub tokens: Vec<Digest>,
}

impl Plain {
    /// What a path may name in braces.
    pub const NAMES: [&'static str; 4] = ["type", "version", "message-id", "sender"];

    /// The address for a message. The values are of a form that needs no escaping in an address.
    pub fn address(&self, base: &str, header: &Header) -> String {
        let path = self.paths.get(&header.message_type.name).unwrap_or(&self.path);
        let path = path
            .replace("{type}", &header.message_type.name)
            .replace("{version}", &header.message_type.version.to_string())
            .replace("{message-id}", &header.message_id.to_string())
            .replace("{sender}", header.sender.as_str());
        if path.is_empty() { base.to_owned() } else { format!("{}{path}", base.trim_end_matches('/')) }
    }
}

/// The method of a request to a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainMethod {
    /// `POST`.
    #[default]
    Post,
    /// `PUT`.
    Put,
}

/// How the gateway proves itself to a partner besides TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainAuth {
    /// Not at all, or by its client certificate.
    None,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
}

impl PlainAuth {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::None, Self::Bearer, Self::Basic];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|auth| auth.as_str() == word)
    }
}
