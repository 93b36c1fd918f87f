//! Handing a message over without an envelope, and what comes back with the response.

use serde_json::json;
use tracing::warn;

use super::behalf::{How, OnBehalf};
use super::door::answer_id;
use super::{Form, signed_entry};
use crate::crypto::sha256;
use crate::domain::{
    Digest, Fault, FaultClass, Header, MessageType, ParkReason, Participant, Plain, Priority, Timestamp, TraceContext,
    Via,
};
use crate::envelope::technical::{FaultReport, Receipt, RefusedDigest, TechnicalBody};
use crate::envelope::{self, Body, BodyDraft, Draft, SignError};
use crate::gateway::dispatch::Dispatcher;
use crate::gateway::outgoing::Stuck;
use crate::gateway::{Gateway, ids};
use crate::store::{Claimed, JournalEntry, Outcome, Outgoing};
use crate::transport::http::{PlainAnswer, PlainCall};
use crate::xml::{self, Limits};

/// The status that says that the answer comes later.
const ACCEPTED: u16 = 202;
/// The pause before the same request when the partner has answered and the gateway cannot record it now.
const NOT_NOW_SECONDS: i64 = 5;

/// What the partner wrote back, and the gateway's word for it.
struct Word {
    status: u16,
    source: Digest,
    at: Timestamp,
}

impl Dispatcher {
    /// Hands a message over as the body of a request, and settles by the status of the response. What the partner would sign, the gateway
    /// signs on its behalf; `journal` gets an entry for it.
    pub(in crate::gateway) async fn hand_over_plain(
        &self,
        claimed: &Claimed,
        outgoing: &Outgoing,
        (participant, url, plain): (&Participant, &str, &Plain),
        journal: &mut Vec<JournalEntry>,
    ) -> Outcome {
        let (call, sent) = match self.plain_call(claimed, outgoing, (participant, url, plain)).await {
            Ok(call) => call,
            Err((reason, detail)) => return self.failed(claimed, reason, detail, None),
        };
        match self.ways.push.send_plain(call).await {
            PlainAnswer::Failed { reason, detail, retry_after } => self.failed(claimed, reason, detail, retry_after),
            PlainAnswer::Refused { status, bytes } => {
                let word = Word { status, source: sha256(&bytes), at: self.gateway.clock().now() };
                self.sign_word(claimed, outgoing, (sent, word), journal).await
            }
            PlainAnswer::Taken { status, media_type, bytes } => {
                if let Some(answer) = plain.responses.get(&claimed.message.message_type.name)
                    && status != ACCEPTED
                    && !bytes.is_empty()
                    && let Err(fault) = self.take_answer(claimed, participant, answer, (&media_type, &bytes)).await
                {
                    return self.answer_refused(claimed, (status, &bytes), &fault, journal);
                }
                let word = Word { status, source: sha256(&bytes), at: self.gateway.clock().now() };
                self.sign_word(claimed, outgoing, (sent, word), journal).await
            }
        }
    }

    /// The request, and the digest of its body, which comes out of the stored envelope, so that every attempt sends the same bytes.
    async fn plain_call(
        &self,
        claimed: &Claimed,
        outgoing: &Outgoing,
        (participant, url, plain): (&Participant, &str, &Plain),
    ) -> Result<(PlainCall, Digest), Stuck> {
        let message_type = &claimed.message.message_type;
        if !participant.framing.takes(message_type) {
            let detail = format!("[plain.paths] of `{}` names no path for `{}`", participant.id, message_type.name);
            return Err((ParkReason::RouteMissing, detail));
        }
        let (gateway, id, auth) = (self.gateway.clone(), participant.id.clone(), plain.auth);
        let signed = outgoing.signed.clone();
        let read = tokio::task::spawn_blocking(move || {
            let (header, content_type, body) = bare(&signed)?;
            let secret = gateway.settings().read_authorization(&id, auth);
            let secret = secret.map_err(|problem| (ParkReason::RouteMissing, problem.to_string()))?;
            let sent = sha256(&body);
            Ok::<_, Stuck>((header, content_type, body, secret, sent))
        });
        let read = read.await.map_err(|e| (ParkReason::TranslationFailed, e.to_string()))?;
        let (header, content_type, body, secret, sent) = read?;
        if !header.attachments.is_empty() {
            let detail = "a participant without envelopes cannot be sent files; send another message without them";
            return Err((ParkReason::RouteMissing, detail.to_owned()));
        }
        let authorization = secret.map(|secret| secret.reveal().to_owned());
        let snapshot = self.gateway.snapshot();
        let form = Form::of(participant, &snapshot).map_err(|f| (ParkReason::TranslationFailed, f.detail))?;
        let trace = claimed.message.trace.iter().flat_map(TraceContext::headers);
        let call = PlainCall {
            method: plain.method,
            url: plain.address(url, &header),
            content_type,
            authorization,
            headers: told(&header, &form).into_iter().chain(trace).collect(),
            body,
        };
        Ok((call, sent))
    }

    /// Records what came with the response as the partner's message.
    async fn take_answer(
        &self,
        claimed: &Claimed,
        participant: &Participant,
        answer: &MessageType,
        (media_type, bytes): (&str, &[u8]),
    ) -> Result<(), Fault> {
        let asked = &claimed.message;
        let header = Header {
            message_id: answer_id(claimed.delivery_id.uuid()),
            conversation_id: asked.conversation_id,
            in_reply_to: Some(asked.message_id),
            case_id: asked.case_id,
            message_type: answer.clone(),
            sender: participant.id.clone(),
            recipient: asked.sender.clone(),
            created: Timestamp::from_micros(0),
            expires: None,
            priority: asked.priority,
            test: asked.test,
            via: None,
            derived_from: None,
            attachments: Vec::new(),
        };
        let (media_type, body) = (media_type.to_owned(), bytes.to_vec());
        let trace = asked.trace.clone();
        let message = OnBehalf { header, media_type, body, source: sha256(bytes), how: How::InResponse, trace };
        self.gateway.accept_on_behalf(message).await.map(|_| ())
    }

    /// The partner has the message, but its answer cannot be taken: nothing of it is lost, for the same request asks for it again.
    fn answer_refused(
        &self,
        claimed: &Claimed,
        (status, bytes): (u16, &[u8]),
        fault: &Fault,
        journal: &mut Vec<JournalEntry>,
    ) -> Outcome {
        let reason = ParkReason::AnswerRefused;
        let detail = format!("HTTP {status}, and its answer: {fault}");
        warn!(delivery = %claimed.delivery_id, detail, "the answer in the response was not taken");
        if fault.code.class() == FaultClass::Retry {
            return self.handed_over(claimed);
        }
        journal.push(JournalEntry {
            kind: "answer-refused".to_owned(),
            actor: self.gateway.id().to_string(),
            delivery_id: Some(claimed.delivery_id),
            participant: Some(claimed.recipient.clone()),
            detail: json!({ "status": status, "code": fault.code.code(), "source": sha256(bytes).to_string() }),
            ..JournalEntry::default()
        });
        Outcome::Park { reason, detail }
    }

    /// The partner has the message, and what it said waits for us: the same request asks for it again, as for a receipt that is late.
    fn handed_over(&self, claimed: &Claimed) -> Outcome {
        let at = self.gateway.clock().now();
        let wait = NOT_NOW_SECONDS.saturating_mul(i64::from(claimed.attempt.max(1)));
        Outcome::Sent { at, receipt_deadline: Some(at.plus_seconds(wait)), mailbox: false }
    }

    /// The receipt or the fault that the partner cannot sign, by the status that it gave.
    async fn sign_word(
        &self,
        claimed: &Claimed,
        outgoing: &Outgoing,
        (sent, word): (Digest, Word),
        journal: &mut Vec<JournalEntry>,
    ) -> Outcome {
        let (gateway, own, digest) = (self.gateway.clone(), claimed.clone(), outgoing.digest);
        let (status, source, at) = (word.status, word.source, word.at);
        let made = tokio::task::spawn_blocking(move || gateway.word_on_behalf(&own, digest, &word)).await;
        let taken = is_taken(status);
        let bytes = match made.map_err(|e| e.to_string()).and_then(|made| made.map_err(|e| e.to_string())) {
            Ok(bytes) => bytes,
            Err(error) if taken => {
                warn!(delivery = %claimed.delivery_id, error, "the receipt on the partner's behalf could not be signed");
                return self.handed_over(claimed);
            }
            Err(error) => return self.failed(claimed, ParkReason::SigningFailed, error, None),
        };
        let what = if taken { "receipt" } else { "fault" };
        self.gateway.tell_receipt(&claimed.message, what, at);
        let detail = json!({ "what": what, "status": status, "sent": sent.to_string(), "digest": digest.to_string() });
        let mut entry = signed_entry(self.gateway.id(), &claimed.recipient, source, detail);
        (entry.record_id, entry.delivery_id) = (Some(claimed.message.record_id), Some(claimed.delivery_id));
        journal.push(entry);
        if taken {
            return Outcome::Delivered { at, receipt: bytes };
        }
        Outcome::Refused { at, code: status_code(status), detail: Some(format!("HTTP {status}")), answer: bytes }
    }
}

impl Gateway {
    /// Writes and signs, on the recipient's behalf, what its status says about a delivery. Blocks.
    fn word_on_behalf(&self, claimed: &Claimed, digest: Digest, word: &Word) -> Result<Vec<u8>, SignError> {
        let about = &claimed.message;
        if is_taken(word.status) {
            let receipt = Receipt {
                message_id: about.message_id,
                sender: about.sender.clone(),
                digest,
                accepted_at: word.at,
                revision: None,
            };
            return self.made_on_behalf(claimed, &receipt, word);
        }
        let report = FaultReport {
            message_id: Some(about.message_id),
            code: status_code(word.status),
            text: format!("HTTP {}", word.status),
            detail: None,
            digest: Some(RefusedDigest::Content(digest)),
        };
        self.made_on_behalf(claimed, &report, word)
    }

    fn made_on_behalf<B: TechnicalBody>(&self, claimed: &Claimed, body: &B, word: &Word) -> Result<Vec<u8>, SignError> {
        let header = Header {
            message_id: ids::message(self.clock()),
            conversation_id: claimed.message.conversation_id,
            in_reply_to: Some(claimed.message.message_id),
            case_id: None,
            message_type: B::KIND.message_type(),
            sender: claimed.recipient.clone(),
            recipient: self.id().clone(),
            created: word.at,
            expires: None,
            priority: Priority::Normal,
            test: false,
            via: Some(Via { gateway: self.id().clone(), accepted_at: word.at, digest: word.source }),
            derived_from: None,
            attachments: Vec::new(),
        };
        let draft = Draft { header, body: BodyDraft::Xml(body.to_xml()?) };
        envelope::sign(&draft, self.inner.signer.as_ref())
    }
}

fn is_taken(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The code of a refusal by a bare status.
fn status_code(status: u16) -> String {
    format!("http-{status}")
}

/// Header, media type and body of what goes out, out of its envelope: the body's bytes as the adapter wrote them.
fn bare(signed: &[u8]) -> Result<(Header, String, Vec<u8>), Stuck> {
    let unreadable = |f: Fault| (ParkReason::TranslationFailed, format!("the stored message: {f}"));
    let limits = Limits::stored();
    let document = xml::read(signed, &limits).map_err(unreadable)?;
    let stored = envelope::read(&document).map_err(unreadable)?;
    let header = stored.claimed_header().clone();
    let (media_type, bytes) = match stored.claimed_body() {
        Body::Xml(node) => {
            let text = document.source().get(node.range()).unwrap_or_default();
            ("application/xml; charset=utf-8".to_owned(), text.as_bytes().to_vec())
        }
        Body::Payload { media_type, bytes } => (media_type.clone(), bytes.clone()),
    };
    Ok((header, media_type, bytes))
}

/// What the partner is told beside the body, and by what it knows a repeat.
fn told(header: &Header, form: &Form<'_>) -> Vec<(&'static str, String)> {
    let mut told = vec![
        ("idempotency-key", header.message_id.to_string()),
        ("mezhved-message-id", header.message_id.to_string()),
        ("mezhved-conversation-id", header.conversation_id.to_string()),
        ("mezhved-type", header.message_type.to_string()),
        ("mezhved-sender", header.sender.to_string()),
        ("mezhved-created", header.created.to_string()),
        ("mezhved-priority", header.priority.as_str().to_owned()),
    ];
    told.extend(header.in_reply_to.map(|id| ("mezhved-in-reply-to", id.to_string())));
    told.extend(header.case_id.map(|id| ("mezhved-case-id", id.to_string())));
    told.extend(header.derived_from.map(|id| ("mezhved-derived-from", id.to_string())));
    told.extend(header.test.then(|| ("mezhved-test", "true".to_owned())));
    // The gateway's own documents are XML whatever the partner's form is.
    told.extend(header.message_type.technical().is_none().then(|| ("accept", form.media_type().to_owned())));
    told
}
