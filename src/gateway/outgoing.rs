//! What goes out: translate, validate, write, sign. Pure but for the signer; blocks.

use serde_json::json;

use crate::adapter::{Converted, HeaderView, PartnerBody};
use crate::crypto::{Certificate, Signer, sha256};
use crate::domain::{
    Digest, Fault, FaultCode, Header, MessageId, ParkReason, Participant, ParticipantId, Timestamp, Via, chain,
};
use crate::envelope::technical::{FaultReport, Receipt, TechnicalBody as _};
use crate::envelope::{self, Body, BodyDraft, Draft, Sealed, compose, sign_composed, without_signature};
use crate::store::{Claimed, JournalEntry, Outgoing, Revisions};
use crate::xml::{self, Limits};

use super::Snapshot;

/// Why nothing can go out: a reason of the closed list, and the place for the operator.
pub(super) type Stuck = (ParkReason, String);

/// Makes what goes out for a delivery, or signs it anew when the certificate that signed it has ended. With what the journal is to say of
/// how it was made.
pub(super) fn outgoing(
    claimed: &Claimed,
    snapshot: &Snapshot,
    gateway: &ParticipantId,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<(Outgoing, Vec<JournalEntry>), Stuck> {
    if !signer.certificate().is_valid_at(now) {
        let detail = "the gateway's own certificate is not valid now: make a new one with `mezhved key generate`";
        return Err((ParkReason::SigningFailed, detail.to_owned()));
    }
    let certificate = signer.certificate().thumbprint();
    if is_signed_already(claimed, gateway, certificate) {
        let (signed, digest) = (claimed.bytes.clone(), claimed.message.digest);
        return Ok((Outgoing { signed, digest, certificate }, Vec::new()));
    }
    let (unsigned, journal) = match claimed.outgoing.as_ref().filter(|_| !is_stale(claimed, snapshot)) {
        Some(stored) => {
            let unsigned = without_signature(&stored.signed);
            (unsigned.map_err(|f| (ParkReason::SigningFailed, format!("what was stored to send: {f}")))?, Vec::new())
        }
        None => {
            let (draft, converted) = draft(claimed, snapshot, gateway)?;
            let unsigned = compose(&draft).map_err(|e| (ParkReason::TranslationFailed, chain(&e)))?;
            (unsigned, converted.iter().map(|converted| conversion(converted, claimed, gateway, now)).collect())
        }
    };
    let Sealed { bytes: signed, digest } =
        sign_composed(&unsigned, signer).map_err(|e| (ParkReason::SigningFailed, chain(&e)))?;
    Ok((Outgoing { signed, digest, certificate }, journal))
}

/// Whether what was made when the message was accepted must be made anew: it was claimed for the first time, so nobody has seen it, and the
/// configuration is another one than it was made by.
pub(super) fn is_stale(claimed: &Claimed, snapshot: &Snapshot) -> bool {
    let now = Revisions { participants: snapshot.participants_revision, bundle: snapshot.bundle_revision };
    claimed.epoch == 1 && claimed.message.revisions != now
}

/// That a message goes to its recipient in another version than it was sent in, and which of its values do not.
fn conversion(converted: &Converted, claimed: &Claimed, gateway: &ParticipantId, now: Timestamp) -> JournalEntry {
    let (from, to) = (&claimed.message.message_type, &converted.message_type);
    JournalEntry {
        at: Some(now),
        kind: "message-converted".to_owned(),
        actor: gateway.to_string(),
        record_id: Some(claimed.message.record_id),
        delivery_id: Some(claimed.delivery_id),
        participant: Some(claimed.recipient.clone()),
        detail: json!({ "from": from.to_string(), "to": to.to_string(), "notCarried": converted.not_carried }),
        ..JournalEntry::default()
    }
}

/// The gateway's own message goes out as it was made, unless it was made with another certificate.
fn is_signed_already(claimed: &Claimed, gateway: &ParticipantId, certificate: Digest) -> bool {
    claimed.message.sender == *gateway && claimed.message.certificate == Some(certificate)
}

fn draft(claimed: &Claimed, snapshot: &Snapshot, gateway: &ParticipantId) -> Result<(Draft, Option<Converted>), Stuck> {
    let limits = Limits::stored();
    let unreadable = |f: Fault| (ParkReason::TranslationFailed, format!("the stored message: {f}"));
    let document = xml::read(&claimed.bytes, &limits).map_err(unreadable)?;
    let stored = envelope::read(&document).map_err(unreadable)?;
    let mut header = stored.claimed_header().clone();
    let own = header.sender == *gateway;
    let canonical = match (&claimed.canonical, stored.claimed_body()) {
        (Some(canonical), _) => canonical.clone(),
        (None, Body::Xml(node)) => xml::canonical_bytes(*node, None),
        (None, Body::Payload { .. }) => {
            return Err((
                ParkReason::TranslationFailed,
                "the stored message has a Payload and no canonical body".to_owned(),
            ));
        }
    };
    if own {
        return Ok((Draft { header, body: BodyDraft::Xml(canonical) }, None));
    }
    let canonical = own_part(claimed, snapshot, canonical)?;
    let Some(recipient) = snapshot.participant(&claimed.recipient) else {
        let detail = format!("`{}` is not in the configuration (partner apply)", claimed.recipient);
        return Err((ParkReason::RouteMissing, detail));
    };
    let converted =
        snapshot.converted(&|| canonical.clone(), &header, recipient).map_err(|not_converted| not_converted.stuck())?;
    let canonical = match &converted {
        Some(converted) => {
            header.message_type = converted.message_type.clone();
            converted.body.clone()
        }
        None => canonical,
    };
    let body = translated(recipient, snapshot, canonical, &header)?;
    // A part of a message that was parted names the sender's own bytes already.
    header.via.get_or_insert_with(|| Via {
        gateway: gateway.clone(),
        accepted_at: claimed.message.accepted_at,
        digest: sha256(&claimed.bytes),
    });
    Ok((Draft { header, body }, converted))
}

/// The body without what belongs to others, where the regulation says that the recipient gets only its own part.
fn own_part(claimed: &Claimed, snapshot: &Snapshot, canonical: Vec<u8>) -> Result<Vec<u8>, Stuck> {
    let message = &claimed.message;
    let parties = snapshot.participant(&message.sender).zip(snapshot.participant(&claimed.recipient));
    let Some((sender, recipient)) = parties else { return Ok(canonical) };
    let regulation = snapshot.regulation(&sender.regulation).map_err(|f| (ParkReason::RouteMissing, f.detail))?;
    let Some(own) = regulation.own_part(&message.message_type, sender, recipient) else { return Ok(canonical) };
    let stuck = |detail: String| (ParkReason::TranslationFailed, format!("the recipient's own part: {detail}"));
    let limits = Limits::stored();
    let left = own.cut(&canonical, &recipient.id, &limits).map_err(|f| stuck(f.to_string()))?;
    let left = left.ok_or_else(|| stuck("there is none".to_owned()))?;
    snapshot.catalogue.validate(&message.message_type, &left).map_err(|violations| {
        stuck(violations.first().map_or_else(|| "it is not valid".to_owned(), ToString::to_string))
    })?;
    Ok(left)
}

fn translated(
    recipient: &Participant,
    snapshot: &Snapshot,
    canonical: Vec<u8>,
    header: &Header,
) -> Result<BodyDraft, Stuck> {
    let Some(name) = &recipient.adapter else { return Ok(BodyDraft::Xml(canonical)) };
    let adapter = snapshot.adapter(name).map_err(|f| (ParkReason::TranslationFailed, f.detail))?;
    match adapter.to_partner(&header.message_type, &canonical, &HeaderView::from(header)) {
        Ok(PartnerBody::Xml(bytes)) => Ok(BodyDraft::Xml(bytes)),
        Ok(PartnerBody::Payload { media_type, bytes }) => Ok(BodyDraft::Payload { media_type, bytes }),
        Err(error) => Err((ParkReason::TranslationFailed, error.to_string())),
    }
}

/// A partner's verified word in the answer to a push.
pub(super) enum AnswerWord {
    Receipt,
    Fault(FaultReport),
}

impl AnswerWord {
    /// What it is called; `none` where there is none.
    pub(super) fn name(word: Option<&Self>) -> &'static str {
        match word {
            Some(Self::Receipt) => "receipt",
            Some(Self::Fault(_)) => "fault",
            None => "none",
        }
    }
}

/// What an answer to a push must be about.
pub(super) struct About<'a> {
    pub(super) recipient: &'a ParticipantId,
    pub(super) sender: &'a ParticipantId,
    pub(super) message_id: MessageId,
    pub(super) digest: Digest,
}

/// Verifies the partner's answer: its own signature, about this message, with the digest of what was sent.
pub(super) fn answer_word(
    bytes: &[u8],
    about: &About<'_>,
    certificates: &[Certificate],
    limits: &Limits,
    now: Timestamp,
) -> Result<AnswerWord, Fault> {
    let document = xml::read(bytes, limits)?;
    let unverified = envelope::read(&document)?;
    if unverified.claimed_header().via.is_some() || unverified.claimed_sender() != about.recipient {
        return Err(Fault::new(FaultCode::SenderUnknown, "the answer's Sender is not the recipient of the delivery"));
    }
    let verified = envelope::verify(unverified, certificates, now)?;
    let Body::Xml(node) = verified.body() else {
        return Err(Fault::new(FaultCode::SchemaInvalid, "a receipt or a fault is needed, not a Payload"));
    };
    let name = verified.header().message_type.name.as_str();
    match name {
        "receipt" => {
            let receipt = Receipt::from_node(*node)?;
            let same = receipt.message_id == about.message_id
                && receipt.sender == *about.sender
                && receipt.digest == about.digest;
            let other = || Fault::new(FaultCode::ReferenceUnknown, "the receipt is not about what was delivered");
            if same { Ok(AnswerWord::Receipt) } else { Err(other()) }
        }
        "fault" => {
            let report = FaultReport::from_node(*node)?;
            let named = report.message_id.or(verified.header().in_reply_to);
            let other = || Fault::new(FaultCode::ReferenceUnknown, "the fault is not about what was delivered");
            if named == Some(about.message_id) { Ok(AnswerWord::Fault(report)) } else { Err(other()) }
        }
        other => Err(Fault::new(FaultCode::TypeUnknown, format!("a receipt or a fault is needed, not `{other}`"))),
    }
}
