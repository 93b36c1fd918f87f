//! Participants without envelopes: their bodies come and go over HTTP as they are, and the gateway signs on their behalf inside.
//!
//! | part | what it does |
//! |---|---|
//! | [`behalf`] | composes, signs, judges and records a message on behalf of its sender |
//! | [`door`] | what such a participant posts by itself |
//! | [`out`] | hands a message over, and takes the answer that comes with the response |
//! | [`check`] | what a configuration with such participants must have |
//!
//! Invariant: an answer is recorded before the delivery that brought it is settled. A node that dies in between leaves the delivery under
//! its lease; the same bytes go out again under the same `Idempotency-Key`, and the repeated answer has the same `MessageId`, so it is
//! recorded once whichever copy came first.
//!
//! Invariant: who signed on whose behalf stands in the envelope (`Via` names the gateway and the digest of the partner's own bytes, over
//! the gateway's signature), in the message's channel, and in the journal. From outside nothing with `Via` is taken, and such a
//! participant has no certificate by which anything else could be.

mod behalf;
pub(super) mod check;
mod door;
mod out;

use serde_json::{Value, json};

use crate::adapter::PartnerBody;
use crate::crypto::{is_same, sha256};
use crate::domain::{Digest, Fault, FaultCode, Participant, ParticipantId};
use crate::store::JournalEntry;
use crate::xml::{self, Limits};

use super::{Gateway, Snapshot};

pub use behalf::Taken;
pub use door::Posted;

/// The kind of journal entry for each thing that the gateway signed for somebody else.
const SIGNED_ON_BEHALF: &str = "signed-on-behalf";

/// The form of a participant's bodies.
pub(super) enum Form<'s> {
    Xml,
    /// With its media type.
    Json(&'s str),
}

impl<'s> Form<'s> {
    pub(super) fn of(participant: &Participant, snapshot: &'s Snapshot) -> Result<Self, Fault> {
        let Some(name) = &participant.adapter else { return Ok(Self::Xml) };
        let media_type = snapshot.adapter(name)?.media_type();
        Ok(if media_type.is_empty() { Self::Xml } else { Self::Json(media_type) })
    }

    /// What goes into `Accept` and `Content-Type`.
    fn media_type(&self) -> &'s str {
        match self {
            Self::Xml => "application/xml",
            Self::Json(media_type) => media_type,
        }
    }

    /// A body as it came, whose media type (without parameters) was named so, ready for an envelope.
    fn read(&self, named: &str, bytes: &[u8], limits: &Limits) -> Result<PartnerBody, Fault> {
        let wrong = || {
            let detail = format!("Content-Type: {} is needed", self.media_type());
            Fault::new(FaultCode::MediaTypeWrong, detail)
        };
        match self {
            Self::Xml => {
                let subtype = named.split_once('/').map_or("", |(_, subtype)| subtype);
                if subtype != "xml" && !subtype.ends_with("+xml") {
                    return Err(wrong());
                }
                // A document of its own, so that nothing of it can reach out of the envelope's Body.
                let document = xml::read(bytes, limits)?;
                let element = document.source().get(document.root().range()).unwrap_or_default();
                Ok(PartnerBody::Xml(element.as_bytes().to_vec()))
            }
            Self::Json(media_type) => {
                let own = media_type.split(';').next().unwrap_or_default().trim();
                if !own.eq_ignore_ascii_case(named) {
                    return Err(wrong());
                }
                Ok(PartnerBody::Payload { media_type: (*media_type).to_owned(), bytes: bytes.to_vec() })
            }
        }
    }
}

/// The entry that says what was signed for whom. `source` is the digest of the partner's own bytes.
fn signed_entry(gateway: &ParticipantId, participant: &ParticipantId, source: Digest, detail: Value) -> JournalEntry {
    let mut told = json!({ "source": source.to_string() });
    if let (Value::Object(told), Value::Object(detail)) = (&mut told, detail) {
        told.extend(detail);
    }
    JournalEntry {
        kind: SIGNED_ON_BEHALF.to_owned(),
        actor: gateway.to_string(),
        participant: Some(participant.clone()),
        detail: told,
        ..JournalEntry::default()
    }
}

/// Shorter ones can be guessed; `mezhved key token` makes 43 characters.
const TOKEN_CHARS_MIN: usize = 32;

impl Gateway {
    /// The participant whose token this is. Takes as long whoever it is.
    pub fn token_holder(&self, token: &str) -> Option<ParticipantId> {
        let hash = sha256(token.as_bytes());
        let snapshot = self.snapshot();
        let mut holder = None;
        for known in snapshot.participants() {
            let tokens = known.participant.framing.plain().map_or(&[][..], |plain| plain.tokens.as_slice());
            for own in tokens {
                if is_same(own, &hash) {
                    holder = Some(known.participant.id.clone());
                }
            }
        }
        holder.filter(|_| token.len() >= TOKEN_CHARS_MIN)
    }
}
