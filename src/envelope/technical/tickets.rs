//! Tickets: how an agency proves over HTTP who asks.

use crate::domain::{Digest, Fault, MessageId, Technical, Timestamp};
use crate::xml::{Fields, Writer, instant};

use super::{A_DIGEST, A_UUID, AN_INSTANT, TechnicalBody, digest, message_id};

/// The longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 512;

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The state of a message that the asker sent.
    Message(MessageId),
    /// An attachment.
    Attachment(Digest),
}

/// What a ticket allows to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketMethod {
    /// HTTP GET.
    Get,
    /// HTTP PUT.
    Put,
}

impl TicketMethod {
    /// The HTTP method.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
        }
    }

    /// Parses the HTTP method.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Get, Self::Put].into_iter().find(|method| method.as_str() == word)
    }
}

/// Asks for a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketRequest {
    /// To do what.
    pub method: TicketMethod,
    /// With what.
    pub resource: Resource,
}

impl TechnicalBody for TicketRequest {
    const KIND: Technical = Technical::TicketRequest;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("method", self.method.as_str());
        match self.resource {
            Resource::Message(id) => w.leaf("message", &id.to_string()),
            Resource::Attachment(digest) => w.leaf("attachment", &digest.to_base64()),
        }
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let method = f.parsed("method", "GET or PUT is needed", TicketMethod::parse)?;
        let resource = match f.optional_parsed("message", A_UUID, message_id)? {
            Some(id) => Resource::Message(id),
            None => Resource::Attachment(f.parsed("attachment", A_DIGEST, digest)?),
        };
        Ok(Self { method, resource })
    }
}

/// The gateway's ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Goes into `Authorization: Bearer`.
    pub token: String,
    /// After this instant it opens nothing.
    pub expires_at: Timestamp,
}

impl TechnicalBody for Ticket {
    const KIND: Technical = Technical::Ticket;

    fn write_fields(&self, w: &mut Writer) {
        w.leaf("token", &self.token);
        w.leaf("expiresAt", &self.expires_at.to_string());
    }

    fn read_fields(f: &mut Fields<'_>) -> Result<Self, Fault> {
        let allowed = "1 to 512 letters, digits and - . _ ~ + / = are needed";
        Ok(Self { token: f.parsed("token", allowed, token)?, expires_at: f.parsed("expiresAt", AN_INSTANT, instant)? })
    }
}

/// What may stand after `Bearer` (RFC 6750, 2.1).
fn token(text: &str) -> Option<String> {
    let right = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    ((1..=TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(right)).then(|| text.to_owned())
}
