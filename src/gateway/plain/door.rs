//! What a participant without envelopes posts by itself.

use std::time::Instant;

use tracing::{Instrument as _, info, warn};
use uuid::Uuid;

use super::behalf::{How, OnBehalf, Taken};
use crate::crypto::sha256;
use crate::domain::{
    CaseId, ConversationId, Digest, Fault, FaultCode, Header, MessageId, MessageType, ParticipantId, Priority,
    Timestamp,
};
use crate::gateway::technical::not_now;
use crate::gateway::traces::log_span;
use crate::gateway::{Gateway, Peer, ids};

/// A body with what HTTP says of it.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Who posts, by its token.
    pub participant: ParticipantId,
    /// What it is.
    pub message_type: MessageType,
    /// By what a repeat is known: a UUID of version 7 is the message's id itself, from any other text one follows.
    pub key: String,
    /// For whom; `None`: for who sent the message that is answered.
    pub recipient: Option<ParticipantId>,
    /// The conversation; `None`: that of the message that is answered, or a new one.
    pub conversation: Option<ConversationId>,
    /// The message that is answered.
    pub in_reply_to: Option<MessageId>,
    /// The case; `None`: that of the message that is answered, or none.
    pub case: Option<CaseId>,
    /// Urgency.
    pub priority: Priority,
    /// Rehearsal.
    pub test: bool,
    /// The media type of the body, without parameters and in lower case.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Gateway {
    /// Takes a body without an envelope, signs and judges it on behalf of who posted it, and records it.
    ///
    /// # Errors
    /// The first rule that it breaks, to be told to who posted it; it is recorded among the refusals.
    pub async fn post_plain(&self, posted: Posted, peer: &Peer) -> Result<Taken, Fault> {
        let (step, traced) = self.begin_accept(peer).unzip();
        let peer = traced.as_ref().unwrap_or(peer);
        let sender = posted.participant.clone();
        let taken = self.take_post(posted, peer).instrument(log_span(peer.trace.as_ref())).await;
        if let Some(step) = step {
            let outcome = taken.as_ref().map(|taken| taken.message_id).map_err(|fault| fault.code.code());
            self.end_accept_plain(step, &sender, outcome);
        }
        taken
    }

    async fn take_post(&self, posted: Posted, peer: &Peer) -> Result<Taken, Fault> {
        let began = Instant::now();
        let hashed = tokio::task::spawn_blocking(move || (sha256(&posted.body), posted)).await;
        let (source, posted) = hashed.map_err(not_now)?;
        let (participant, id) = (posted.participant.clone(), message_id(&posted));
        let taken = match self.on_behalf(posted, id, source).await {
            Ok(message) => self.accept_on_behalf(OnBehalf { trace: peer.trace.clone(), ..message }).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = &taken {
            self.refused_post(fault, source, (&participant, id), peer).await;
        }
        self.meters().answered(peer.channel, taken.as_ref().err().map(|fault| fault.code), began.elapsed());
        taken
    }

    /// Records what was refused before its body was read.
    pub async fn refuse_unread(&self, participant: &ParticipantId, fault: &Fault, peer: &Peer) {
        info!(%participant, code = fault.code.code(), detail = fault.detail, "refused");
        self.meters().refused(peer.channel, fault.code);
        self.keep_refusal(fault.code, sha256(&[]), None, None, peer).await;
    }

    async fn on_behalf(&self, posted: Posted, message_id: MessageId, source: Digest) -> Result<OnBehalf, Fault> {
        let asked = self.asked(&posted).await?;
        let recipient = posted.recipient.clone().or_else(|| asked.as_ref().map(|a| a.sender.clone()));
        let recipient = recipient.ok_or_else(|| {
            let detail = "Mezhved-Recipient: for whom is it? Only an answer with Mezhved-In-Reply-To needs none";
            Fault::new(FaultCode::HeaderInvalid, detail)
        })?;
        let conversation = posted.conversation.or_else(|| asked.as_ref().map(|a| a.conversation_id));
        let new = || {
            let parts = [posted.participant.as_str(), &message_id.to_string()];
            ConversationId::from_uuid(ids::derived("conversation", &parts))
        };
        let header = Header {
            message_id,
            conversation_id: conversation.unwrap_or_else(new),
            in_reply_to: posted.in_reply_to,
            case_id: posted.case.or_else(|| asked.as_ref().and_then(|a| a.case_id)),
            message_type: posted.message_type,
            sender: posted.participant.clone(),
            recipient,
            created: Timestamp::from_micros(0),
            expires: None,
            priority: posted.priority,
            test: posted.test,
            via: None,
            derived_from: None,
            attachments: Vec::new(),
        };
        let (media_type, body) = (posted.media_type, posted.body);
        Ok(OnBehalf { header, media_type, body, source, how: How::Posted, trace: None })
    }

    /// The message that is answered, which must have been handed over to who answers.
    async fn asked(&self, posted: &Posted) -> Result<Option<crate::store::MessageRow>, Fault> {
        let Some(id) = posted.in_reply_to else { return Ok(None) };
        let found = self.store().deliveries_to(&posted.participant, id, posted.recipient.as_ref()).await;
        let mut found: Vec<_> = found.map_err(not_now)?.into_iter().filter(|(d, _)| d.out_digest.is_some()).collect();
        let several = found.iter().any(|(_, m)| found.first().is_some_and(|(_, first)| first.sender != m.sender));
        if several {
            let detail = "Mezhved-In-Reply-To: two senders used this id; name yours in Mezhved-Recipient";
            return Err(Fault::new(FaultCode::HeaderInvalid, detail));
        }
        if found.is_empty() {
            let detail = "Mezhved-In-Reply-To: no message with this id was handed over to you";
            return Err(Fault::new(FaultCode::ReferenceUnknown, detail));
        }
        Ok(Some(found.swap_remove(0).1))
    }

    async fn refused_post(&self, fault: &Fault, source: Digest, (who, id): (&ParticipantId, MessageId), peer: &Peer) {
        let (code, detail) = (fault.code, &fault.detail);
        if code == FaultCode::NotNow {
            warn!(participant = %who, message_id = %id, detail, "not now");
            return;
        }
        info!(participant = %who, message_id = %id, code = code.code(), detail, "refused");
        self.keep_refusal(code, source, Some((who, id)), None, peer).await;
    }

    /// What to answer to who shows no token of a participant: as to an unverified envelope, so many times a minute and address.
    pub async fn refuse_token(&self, peer: &Peer) -> FaultCode {
        if !self.inner.rate.allow(peer.address, self.clock().now()) {
            self.meters().refused(peer.channel, FaultCode::TooFast);
            return FaultCode::TooFast;
        }
        self.meters().refused(peer.channel, FaultCode::TokenInvalid);
        info!(peer = peer.name(), code = FaultCode::TokenInvalid.code(), "refused");
        self.keep_refusal(FaultCode::TokenInvalid, sha256(&[]), None, None, peer).await;
        FaultCode::TokenInvalid
    }
}

fn message_id(posted: &Posted) -> MessageId {
    let own = MessageId::parse(&posted.key).ok().filter(|id| id.is_time_ordered());
    let derived = || ids::derived("posted", &[posted.participant.as_str(), &posted.key]);
    own.unwrap_or_else(|| MessageId::from_uuid(derived()))
}

impl Posted {
    /// The longest `Idempotency-Key`, in characters.
    pub const KEY_CHARS_MAX: usize = 200;

    /// Whether a text can be an `Idempotency-Key`: visible ASCII.
    pub fn is_key(text: &str) -> bool {
        (1..=Self::KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| (0x21..=0x7e).contains(&b))
    }
}

/// The id of an answer that came with the response to a delivery.
pub(super) fn answer_id(delivery: Uuid) -> MessageId {
    MessageId::from_uuid(ids::derived("answer", &[&delivery.to_string()]))
}
