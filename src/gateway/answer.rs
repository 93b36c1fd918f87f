//! Envelopes that the gateway makes itself: receipts, faults, notices, tickets, batches.

use crate::domain::{
    ConversationId, Digest, Fault, Header, MessageId, NoticesWanted, ParticipantId, Priority, RecordId, Technical,
    Timestamp,
};
use crate::envelope::technical::{FaultReport, Notice, NoticeState, Receipt, RefusedDigest, TechnicalBody};
use crate::envelope::{BodyDraft, Draft, Sealed, SignError, sign_canonical};
use crate::search::Marks;
use crate::store::{Channel, MessageRow, NewDelivery, NewMessage, Outgoing, Revisions};

use super::{Gateway, ids, judge};

/// Whom and what an envelope of the gateway answers.
pub(super) struct Addressee<'a> {
    pub(super) recipient: &'a ParticipantId,
    pub(super) conversation: Option<ConversationId>,
    pub(super) in_reply_to: Option<MessageId>,
}

/// A signed envelope of the gateway.
pub(super) struct Made {
    pub(super) header: Header,
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
}

impl Gateway {
    /// Writes and signs one envelope of the gateway. Blocks: call it outside of async threads.
    pub(super) fn make<B: TechnicalBody>(&self, to: &Addressee<'_>, body: &B) -> Result<Made, SignError> {
        let header = Header {
            message_id: ids::message(self.clock()),
            conversation_id: to.conversation.unwrap_or_else(|| ids::conversation(self.clock())),
            in_reply_to: to.in_reply_to,
            case_id: None,
            message_type: B::KIND.message_type(),
            sender: self.id().clone(),
            recipient: to.recipient.clone(),
            created: self.clock().now(),
            expires: None,
            priority: Priority::Normal,
            test: false,
            via: None,
            derived_from: None,
            attachments: Vec::new(),
        };
        let draft = Draft { header, body: BodyDraft::Xml(body.to_xml()?) };
        let Sealed { bytes, digest } = sign_canonical(&draft, self.inner.signer.as_ref())?;
        Ok(Made { header: draft.header, bytes, digest })
    }

    /// The signed receipt of an accepted message.
    pub(super) fn receipt(
        &self,
        header: &Header,
        digest: Digest,
        at: Timestamp,
        revision: i64,
    ) -> Result<Made, SignError> {
        let to = Addressee {
            recipient: &header.sender,
            conversation: Some(header.conversation_id),
            in_reply_to: Some(header.message_id),
        };
        let body = Receipt {
            message_id: header.message_id,
            sender: header.sender.clone(),
            digest,
            accepted_at: at,
            revision: u64::try_from(revision).ok().filter(|r| *r > 0),
        };
        self.make(&to, &body)
    }

    /// The signed fault of a refused message. An unverified peer gets a bland one, addressed to nobody it could name: the
    /// gateway's own id.
    pub(super) fn fault(&self, refusal: &judge::Refusal) -> Result<Made, SignError> {
        match &refusal.verified {
            Some(known) => {
                let to = Addressee {
                    recipient: &known.header.sender,
                    conversation: Some(known.header.conversation_id),
                    in_reply_to: Some(known.header.message_id),
                };
                let digest = Some(RefusedDigest::Content(known.digest));
                self.make(&to, &FaultReport::of(&refusal.fault, Some(known.header.message_id), digest, true))
            }
            None => {
                let to = Addressee { recipient: self.id(), conversation: None, in_reply_to: None };
                let digest = Some(RefusedDigest::Bytes(refusal.bytes_digest));
                self.make(&to, &FaultReport::of(&refusal.fault, None, digest, false))
            }
        }
    }

    /// The notice that tells a sender what became of its message, as a message of the gateway with its delivery. `None` when nobody
    /// is to be told: the gateway's own messages, and messages to oneself.
    pub(super) fn notice(
        &self,
        about: &MessageRow,
        state: Option<NoticeState>,
        reason: Option<String>,
    ) -> Result<Option<NewMessage>, SignError> {
        let Some(state) = state else { return Ok(None) };
        let snapshot = self.snapshot();
        let Some(sender) = snapshot.participant(&about.sender) else { return Ok(None) };
        if !sender.framing.takes(&Technical::Notice.message_type()) {
            return Ok(None);
        }
        if sender.notices == NoticesWanted::Failures && state == NoticeState::Delivered {
            return Ok(None);
        }
        let now = self.clock().now();
        // Of a part the sender knows the whole, and the recipient tells which.
        let message_id = about.derived_from.unwrap_or(about.message_id);
        let to = Addressee {
            recipient: &about.sender,
            conversation: Some(about.conversation_id),
            in_reply_to: Some(message_id),
        };
        let notice = Notice { message_id, recipient: about.recipient.clone(), state, reason, at: now };
        let made = self.make(&to, &notice)?;
        let delivery = NewDelivery {
            id: ids::delivery(self.clock()),
            recipient: sender.id.clone(),
            ordered: false,
            next_attempt_at: now,
            expires: None,
            on_consent: None,
            outgoing: None,
        };
        let revisions = Revisions { participants: snapshot.participants_revision, bundle: snapshot.bundle_revision };
        let notice = self.own_message(made, ids::record(self.clock()), revisions, vec![delivery]);
        Ok(Some(NewMessage { trace: about.trace.clone(), ..notice }))
    }

    pub(super) fn own_message(
        &self,
        made: Made,
        record_id: RecordId,
        revisions: Revisions,
        mut deliveries: Vec<NewDelivery>,
    ) -> NewMessage {
        let certificate = self.inner.signer.certificate().thumbprint();
        for delivery in &mut deliveries {
            // It goes out as it was made.
            delivery.outgoing = Some(Outgoing { signed: made.bytes.clone(), digest: made.digest, certificate });
        }
        NewMessage {
            record_id,
            accepted_at: made.header.created,
            business_at: self.clock().business_now(),
            header: made.header,
            digest: made.digest,
            bytes: made.bytes,
            canonical: None,
            receipt: None,
            certificate: Some(certificate),
            revisions,
            channel: Channel::Internal,
            deliveries,
            trace: None,
            marks: Marks::default(),
        }
    }
}

impl Gateway {
    /// The signed fault about a message known by its sender, id and content digest.
    pub(super) fn fault_about(
        &self,
        fault: &Fault,
        sender: &ParticipantId,
        id: MessageId,
        digest: Digest,
    ) -> Result<Made, SignError> {
        let to = Addressee { recipient: sender, conversation: None, in_reply_to: Some(id) };
        self.make(&to, &FaultReport::of(fault, Some(id), Some(RefusedDigest::Content(digest)), true))
    }
}
