//! A message that the gateway signs on behalf of its sender.

use std::sync::Arc;

use serde_json::json;
use tokio::runtime::Handle;
use tracing::{info, warn};

use super::{Form, signed_entry};
use crate::domain::{ConversationId, Digest, Fault, FaultCode, Header, MessageId, Timestamp, TraceContext, Via};
use crate::envelope::{self, Draft, SignError};
use crate::gateway::Gateway;
use crate::gateway::judge::{self, Judgement};
use crate::gateway::lookup::StoreLookup;
use crate::gateway::receive::{JUDGEMENTS_MAX, Prepared};
use crate::gateway::technical::not_now;
use crate::store::{Accepted, Channel, MessageRow};
use crate::xml;

/// How a body without an envelope came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The participant posted it.
    Posted,
    /// It was the response to a delivery.
    InResponse,
}

impl How {
    fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::InResponse => "in-response",
        }
    }
}

/// A message to sign and to judge.
pub(super) struct OnBehalf {
    /// The header; `created` and `via` are written here.
    pub(super) header: Header,
    /// The media type of the body, without parameters and in lower case.
    pub(super) media_type: String,
    /// The body as it came, in the sender's form.
    pub(super) body: Vec<u8>,
    /// Its SHA-256.
    pub(super) source: Digest,
    /// How they came.
    pub(super) how: How,
    /// Where it stands in a trace.
    pub(super) trace: Option<TraceContext>,
}

/// What became of a body without an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub message_id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// When it was recorded.
    pub accepted_at: Timestamp,
    /// The content digest of the envelope that the gateway signed.
    pub digest: Digest,
    /// The signed receipt.
    pub receipt: Vec<u8>,
}

impl Gateway {
    /// Signs, judges and records a message on behalf of its sender. A repeat gets what the first got.
    pub(super) async fn accept_on_behalf(&self, message: OnBehalf) -> Result<Taken, Fault> {
        if let Some(taken) = self.taken_before(&message).await? {
            self.meters().repeated(Channel::Plain);
            return Ok(taken);
        }
        let _permit = self.inner.judging.acquire().await.map_err(not_now)?;
        let message = Arc::new(message);
        for _ in 0..JUDGEMENTS_MAX {
            let (gateway, own, runtime) = (self.clone(), message.clone(), Handle::current());
            let prepared = tokio::task::spawn_blocking(move || gateway.prepare_on_behalf(&own, &runtime)).await;
            let (accept, receipt) = match prepared.map_err(not_now)?? {
                Prepared::Accept { accept, receipt } => (accept, receipt),
                Prepared::Refused(refusal) => return Err(refusal.fault),
                Prepared::Technical(_) => {
                    let detail = "technical messages are not posted without an envelope";
                    return Err(Fault::new(FaultCode::RouteForbidden, detail));
                }
            };
            let new = &accept.message;
            let (header, record) = (&new.header, new.record_id);
            let taken = Taken {
                message_id: header.message_id,
                conversation_id: header.conversation_id,
                accepted_at: new.accepted_at,
                digest: new.digest,
                receipt,
            };
            let (sender, kind) = (header.sender.clone(), header.message_type.to_string());
            match self.store().accept(*accept).await.map_err(not_now)? {
                Accepted::Recorded => {
                    info!(%sender, message_id = %taken.message_id, %record, kind, channel = "plain", "accepted");
                    self.meters().accepted(Channel::Plain, &sender);
                    return Ok(taken);
                }
                // Another copy was faster.
                Accepted::Duplicate { .. } => {
                    let lost = || Fault::new(FaultCode::NotNow, "a copy was recorded and cannot be found");
                    self.meters().repeated(Channel::Plain);
                    return self.taken_before(&message).await?.ok_or_else(lost);
                }
                Accepted::CaseChanged => {}
            }
        }
        Err(Fault::new(FaultCode::NotNow, format!("a case changed under {JUDGEMENTS_MAX} judgements of one message")))
    }

    fn prepare_on_behalf(&self, message: &OnBehalf, runtime: &Handle) -> Result<Prepared, Fault> {
        let snapshot = self.snapshot();
        let (now, business_now) = (self.clock().now(), self.clock().business_now());
        let via = Via { gateway: self.id().clone(), accepted_at: now, digest: message.source };
        let header = Header { created: now, via: Some(via), ..message.header.clone() };
        let gone = || Fault::new(FaultCode::SenderUnknown, "the participant is not in the configuration any more");
        let form = Form::of(snapshot.participant(&header.sender).ok_or_else(gone)?, &snapshot)?;
        let body = form.read(&message.media_type, &message.body, &self.inner.limits)?.into();
        let sealed = envelope::compose(&Draft { header, body }).map_err(SignError::from);
        let signer = self.inner.signer.as_ref();
        let sealed = sealed.and_then(|unsigned| envelope::sign_composed(&unsigned, signer)).map_err(|e| match e {
            // Of the envelope only the body is not ours.
            SignError::Refused(f) if f.code == FaultCode::NotEnvelope => Fault::new(FaultCode::SchemaInvalid, f.detail),
            SignError::Refused(fault) => fault,
            SignError::Write(_) | SignError::Signer(_) => not_now(e),
        })?;
        let bench = self.bench(&snapshot, (now, business_now), None);
        let lookup = StoreLookup::new(self, runtime);
        let accepted = match judge::judge_on_behalf(&sealed.bytes, signer.certificate(), &bench, &lookup) {
            Ok(Judgement::Message(accepted)) => accepted,
            Ok(Judgement::Technical(message)) => return Ok(Prepared::Technical(message)),
            Err(refusal) => return Ok(Prepared::Refused(refusal)),
        };
        let times = (now, business_now);
        let prepared = self.accept(*accepted, &sealed.bytes, &snapshot, &lookup, times, Channel::Plain);
        let prepared = prepared.map_err(|error| {
            warn!(%error, "a message could not be prepared");
            not_now(error)
        })?;
        let mut prepared = prepared.under(message.trace.as_ref());
        if let Prepared::Accept { accept, .. } = &mut prepared {
            let detail = json!({ "what": "message", "how": message.how.as_str(), "digest": sealed.digest.to_string() });
            let mut entry = signed_entry(self.id(), &message.header.sender, message.source, detail);
            entry.record_id = Some(accept.message.record_id);
            accept.journal.push(entry);
        }
        Ok(prepared)
    }

    /// The same message, if it was recorded before. What was posted must be the same then; an answer in a response may be worded anew by
    /// who has forgotten that it gave it, and the first one stands.
    async fn taken_before(&self, message: &OnBehalf) -> Result<Option<Taken>, Fault> {
        let header = &message.header;
        let row = self.store().message_by_key(&header.sender, header.message_id).await.map_err(not_now)?;
        let Some(row) = row else { return Ok(None) };
        let content = self.store().content(row.record_id).await.map_err(not_now)?;
        let Some((bytes, receipt)) = content.and_then(|c| c.receipt.map(|receipt| (c.bytes, receipt))) else {
            return Err(Fault::new(FaultCode::NotNow, "the stored receipt cannot be found"));
        };
        let same = row.channel == Channel::Plain && is_same(header, &row);
        let source = match message.how {
            How::Posted => tokio::task::spawn_blocking(move || source_of(&bytes)).await.map_err(not_now)?,
            How::InResponse => Some(message.source),
        };
        if !same || source != Some(message.source) {
            let detail = "Idempotency-Key: it was used for other content; use a new one";
            return Err(Fault::new(FaultCode::IdReused, detail));
        }
        Ok(Some(Taken {
            message_id: row.message_id,
            conversation_id: row.conversation_id,
            accepted_at: row.accepted_at,
            digest: row.digest,
            receipt,
        }))
    }
}

fn is_same(header: &Header, row: &MessageRow) -> bool {
    row.message_type == header.message_type
        && row.recipient == header.recipient
        && row.conversation_id == header.conversation_id
        && row.in_reply_to == header.in_reply_to
        && row.case_id == header.case_id
        && row.priority == header.priority
        && row.test == header.test
}

/// The digest of the partner's own bytes, as the stored envelope names it.
fn source_of(bytes: &[u8]) -> Option<Digest> {
    let limits = xml::Limits::stored();
    let document = xml::read(bytes, &limits).ok()?;
    envelope::read(&document).ok()?.claimed_header().via.as_ref().map(|via| via.digest)
}

/// Whether the gateway signed this stored word of a partner on the partner's behalf: no word of a partner's own carries `Via`.
pub fn is_signed_on_behalf(word: &[u8]) -> bool {
    source_of(word).is_some()
}
