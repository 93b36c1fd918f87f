//! One message for several: a document that belongs in parts to those who are responsible, sent once to the gateway itself, goes to
//! each of them with its own part only.

use std::collections::BTreeSet;

use crate::crypto::sha256;
use crate::deadline::OwnPart;
use crate::deadline::obligations::Effects;
use crate::domain::{DataClass, Fault, FaultCode, Header, MessageType, Participant, ParticipantId, RecordId, Via};
use crate::envelope::{self, BodyDraft, Draft, SignError};
use crate::search::{Finds, Marks};
use crate::store::{Channel, NewDelivery, NewMessage};
use crate::xml::{Node, WriteError, Writer};

use super::judge::Bench;
use super::{Gateway, ids};

/// A part of a message for one recipient.
#[derive(Debug)]
pub struct Part {
    /// Who gets it.
    pub recipient: ParticipantId,
    /// Its type: that of the whole, or a note about it.
    pub message_type: MessageType,
    /// The recipient's own part of the canonical body.
    pub body: Vec<u8>,
    /// What it opens and settles.
    pub effects: Effects,
    /// What it is found by.
    pub finds: Finds,
}

/// Whom an amendment was sent to, by participants' ids.
#[derive(Debug, Default)]
pub struct Amended {
    /// The version of the amended document.
    pub version: u32,
    /// Those who got their part.
    pub parts: Vec<String>,
    /// Those whose part is as it was: nothing went to them.
    pub untouched: Vec<String>,
    /// Those who have no part any more, and got a note.
    pub told: Vec<String>,
    /// Those who have no part any more, and could not be told by the gateway.
    pub untold: Vec<String>,
}

/// The note to one who has no measures any more. It goes in the sender's name like any part, and says no more than what the sender signed.
pub(super) fn no_measures_left(note: &MessageType, version: u32) -> Result<Vec<u8>, WriteError> {
    let mut w = Writer::new();
    w.start(&note.root(), &[("xmlns", &note.namespace())]);
    w.leaf("subject", "Изменение программы сопровождения");
    let text = format!(
        "Программа сопровождения изменена, действует версия {version}. В ней больше нет мероприятий, за которые отвечает ваша \
         организация; прежние мероприятия выполнять не нужно. Записка составлена шлюзом по программе отправителя."
    );
    w.leaf("text", &text);
    w.end();
    w.finish()
}

/// Who gets a part: every participant that an element of the body names, once, in the order of their ids. The sender keeps its own.
///
/// # Errors
/// When an element names nobody of the configuration.
pub(super) fn recipients<'s>(
    own: &OwnPart,
    body: Node<'_>,
    sender: &ParticipantId,
    bench: &Bench<'s>,
) -> Result<Vec<&'s Participant>, Fault> {
    let others = own.named(body).into_iter().filter(|name| *name != sender.as_str());
    let known = others.map(|name| {
        let participant = ParticipantId::parse(name).ok().and_then(|id| bench.snapshot.participant(&id));
        participant.ok_or_else(|| unknown(own, "no participant has the id"))
    });
    known.collect()
}

/// Nobody gets anything.
pub(super) fn nobody_named(own: &OwnPart) -> Fault {
    unknown(own, "nobody but you is named")
}

fn unknown(own: &OwnPart, what: &str) -> Fault {
    Fault::new(FaultCode::RecipientUnknown, format!("Body/{}: {what} in `{}`", own.each, own.by))
}

impl Gateway {
    /// A part as a message of its own with its delivery: the sender's, passed on by the gateway, and signed by it.
    pub(super) fn part(
        &self,
        whole: &NewMessage,
        (recipient, message_type, body): (ParticipantId, MessageType, Vec<u8>),
        record_id: RecordId,
        ordered: bool,
        on_consent: Option<BTreeSet<DataClass>>,
    ) -> Result<NewMessage, SignError> {
        let accepted_at = whole.accepted_at;
        let header = Header {
            message_id: ids::message(self.clock()),
            recipient: recipient.clone(),
            message_type,
            derived_from: Some(whole.header.message_id),
            via: Some(Via { gateway: self.id().clone(), accepted_at, digest: sha256(&whole.bytes) }),
            ..whole.header.clone()
        };
        let delivery = NewDelivery {
            id: ids::delivery(self.clock()),
            recipient,
            ordered,
            next_attempt_at: accepted_at,
            expires: header.expires,
            on_consent,
            outgoing: None,
        };
        let draft = Draft { header, body: BodyDraft::Xml(body) };
        let sealed = envelope::sign_composed(&envelope::compose(&draft)?, self.inner.signer.as_ref())?;
        Ok(NewMessage {
            record_id,
            accepted_at,
            business_at: whole.business_at,
            header: draft.header,
            digest: sealed.digest,
            bytes: sealed.bytes,
            canonical: None,
            receipt: None,
            certificate: Some(self.inner.signer.certificate().thumbprint()),
            revisions: whole.revisions,
            channel: Channel::Internal,
            deliveries: vec![delivery],
            trace: None,
            marks: Marks::default(),
        })
    }
}
