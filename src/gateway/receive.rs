//! A message's way in: one judgement, one transaction, one signed answer.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tracing::{Instrument as _, debug, info, warn};

use crate::crypto::{CryptoError, sha256};
use crate::deadline::obligations::{CaseUpsert, Effects, StartError};
use crate::domain::{Digest, Fault, FaultClass, FaultCode, Header, MessageId, ParticipantId, Timestamp};
use crate::envelope::SignError;
use crate::store::{
    Accept, Accepted, CaseWork, Channel, JournalEntry, NewDelivery, NewMessage, NewObligation, NewRefusal,
    NewSettlement, Revisions, StoreError,
};

use super::judge::{self, Bench, Judgement, Refusal};
use super::lookup::{Records, StoreLookup, Unasked, names_something_earlier};
use super::traces::log_span;
use super::{Gateway, Peer, Snapshot, effects, ids, work};

/// How often a message is judged again because its case changed meanwhile.
pub(super) const JUDGEMENTS_MAX: usize = 5;
/// What a peer is told to wait when the gateway cannot take its message.
const RETRY_AFTER_SECONDS: u32 = 5;

/// The answer to whatever came in.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The signed envelope; empty when the answer is unsigned.
    pub bytes: Vec<u8>,
    /// The fault, if it is one.
    pub code: Option<FaultCode>,
    /// Whom it is for, when a signature was verified.
    pub to: Option<ParticipantId>,
    /// The message that it answers, when a signature was verified.
    pub about: Option<MessageId>,
    /// When to come again.
    pub retry_after_seconds: Option<u32>,
}

impl Reply {
    pub(super) fn signed(bytes: Vec<u8>, to: &ParticipantId, about: MessageId) -> Self {
        Self { status: 200, bytes, code: None, to: Some(to.clone()), about: Some(about), retry_after_seconds: None }
    }

    /// An answer without a signature.
    pub fn unsigned(code: FaultCode) -> Self {
        let retry_after_seconds = (code.class() == FaultClass::Retry).then_some(RETRY_AFTER_SECONDS);
        Self {
            status: code.http_status(),
            bytes: Vec::new(),
            code: Some(code),
            to: None,
            about: None,
            retry_after_seconds,
        }
    }
}

/// A judgement made ready for the store.
pub(super) enum Prepared {
    Accept { accept: Box<Accept>, receipt: Vec<u8> },
    Technical(Box<judge::TechnicalMessage>),
    Refused(Box<Refusal>),
}

/// Why a judged message could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Lookup(#[from] Fault),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// What the effects of a message, and of its parts, write.
#[derive(Default)]
struct Follows {
    /// How long files may come after their message so that it settles as of its acceptance.
    grace_seconds: i64,
    obligations: Vec<NewObligation>,
    settlements: Vec<NewSettlement>,
    case_work: CaseWork,
    journal: Vec<JournalEntry>,
    /// As the last of them left it.
    case: Option<CaseUpsert>,
}

impl Follows {
    /// Adds the effects of one message. `handed_over`: it was handed over by being accepted, then.
    fn add(
        &mut self,
        effects: Effects,
        message: &NewMessage,
        handed_over: Option<Timestamp>,
        snapshot: &Snapshot,
    ) -> Result<(), StartError> {
        let (record, at, revision) = (message.record_id, message.business_at, message.revisions.bundle);
        let regulation = snapshot.participant(&message.header.sender).map_or("", |p| p.regulation.as_str());
        self.case_work.extend(effects::case_work(&effects, regulation));
        for new in effects.open {
            let new = effects::obligation(new, Some(record), at, revision, &snapshot.calendars, handed_over)?;
            self.obligations.push(new);
        }
        let grace_until = at.plus_seconds(self.grace_seconds);
        let settle = effects.settle.into_iter();
        self.settlements.extend(settle.map(|s| effects::settlement(s, regulation, record, grace_until)));
        self.journal.extend(effects.notes.iter().map(|note| effects::note(note, message)));
        self.journal.extend(effects.flags.iter().map(|flag| effects::flag(flag, message)));
        self.journal.extend(effects.access.map(|access| effects::access(access, message)));
        self.journal.extend(effects.said.iter().map(|said| effects::consent(said, message)));
        self.case = effects.case.or(self.case.take());
        Ok(())
    }
}

impl Gateway {
    /// Takes one document from a peer and answers it. Never fails: whatever goes wrong is a fault in the answer.
    pub async fn receive(&self, bytes: Vec<u8>, peer: &Peer) -> Reply {
        let began = Instant::now();
        let (step, traced) = self.begin_accept(peer).unzip();
        let peer = traced.as_ref().unwrap_or(peer);
        let reply = self.judge_and_answer(bytes, peer).instrument(log_span(peer.trace.as_ref())).await;
        self.meters().answered(peer.channel, reply.code, began.elapsed());
        if let Some(step) = step {
            self.end_accept(step, &reply);
        }
        reply
    }

    async fn judge_and_answer(&self, bytes: Vec<u8>, peer: &Peer) -> Reply {
        let Ok(_permit) = self.inner.judging.acquire().await else {
            return Reply::unsigned(FaultCode::NotNow);
        };
        let bytes: Arc<[u8]> = bytes.into();
        for _ in 0..JUDGEMENTS_MAX {
            match self.prepare(bytes.clone(), peer).await {
                Ok(Prepared::Accept { accept, receipt }) => {
                    if let Some(reply) = self.record(*accept, receipt, peer).await {
                        return reply;
                    }
                }
                Ok(Prepared::Technical(message)) => return self.technical(*message, &bytes, peer).await,
                Ok(Prepared::Refused(refusal)) => return self.refuse(*refusal, peer).await,
                Err(error) => {
                    warn!(error, "a message could not be prepared");
                    return Reply::unsigned(FaultCode::NotNow);
                }
            }
        }
        warn!("a case changed under {JUDGEMENTS_MAX} judgements of one message");
        Reply::unsigned(FaultCode::NotNow)
    }

    async fn prepare(&self, bytes: Arc<[u8]>, peer: &Peer) -> Result<Prepared, String> {
        let is_quick = self.inner.signer.is_quick();
        if is_quick && bytes.len() <= work::AT_ONCE_BYTES_MAX && !names_something_earlier(&bytes) {
            let lookup = Arc::new(Unasked::new(self.clone()));
            let (gateway, peer, bytes, asked) = (self.clone(), peer.clone(), bytes.clone(), lookup.clone());
            let judging = move || gateway.prepare_by(&bytes, &peer, lookup.as_ref());
            let done = work::done(0, true, judging).await;
            if !asked.was_asked() {
                return done.map_err(|e| e.to_string())?.map_err(|e| e.to_string());
            }
        }
        let (gateway, peer, runtime) = (self.clone(), peer.clone(), Handle::current());
        let done = work::done(bytes.len(), false, move || {
            let lookup = StoreLookup::new(&gateway, &runtime);
            gateway.prepare_by(&bytes, &peer, &lookup)
        });
        done.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    }

    fn prepare_by(&self, bytes: &[u8], peer: &Peer, lookup: &dyn Records) -> Result<Prepared, PrepareError> {
        let snapshot = self.snapshot();
        let (now, business_now) = (self.clock().now(), self.clock().business_now());
        let bench = self.bench(&snapshot, (now, business_now), peer.queue.as_ref());
        match judge::judge(bytes, &bench, lookup) {
            Ok(Judgement::Message(accepted)) => {
                let times = (now, business_now);
                let prepared = self.accept(*accepted, bytes, &snapshot, lookup, times, peer.channel)?;
                Ok(prepared.under(peer.trace.as_ref()))
            }
            Ok(Judgement::Technical(message)) => Ok(Prepared::Technical(message)),
            Err(refusal) => Ok(Prepared::Refused(refusal)),
        }
    }

    /// What a judgement stands on.
    pub(super) fn bench<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        (now, business_now): (Timestamp, Timestamp),
        queue: Option<&'a ParticipantId>,
    ) -> Bench<'a> {
        Bench {
            snapshot,
            gateway: self.id(),
            limits: &self.inner.limits,
            attachments: &self.settings().attachments,
            created_future_seconds_max: self.settings().policy.created_future_seconds_max,
            created_age_days_max: self.settings().policy.created_age_days_max,
            now,
            business_now,
            queue,
        }
    }

    pub(super) fn accept(
        &self,
        accepted: judge::Accepted,
        bytes: &[u8],
        snapshot: &Snapshot,
        lookup: &dyn Records,
        (now, business_now): (Timestamp, Timestamp),
        channel: Channel,
    ) -> Result<Prepared, PrepareError> {
        let (header, case) = (accepted.header, lookup.found());
        let is_ordered = |id: &ParticipantId| snapshot.participant(id).is_some_and(|p| p.ordered);
        let record_id = lookup.record_id(is_ordered(&header.recipient), &header.recipient, header.conversation_id)?;
        let revision = snapshot.bundle_revision;
        let receipt = self.receipt(&header, accepted.digest, now, revision)?.bytes;
        let to_self = header.sender == header.recipient;
        let parted = header.recipient == *self.id();
        let outgoing = accepted.forwarded.and_then(|body| self.ahead(&header, body, bytes, now));
        let deliveries = if to_self || parted {
            Vec::new()
        } else {
            vec![NewDelivery { outgoing, ..self.delivery(&header, snapshot, now, &accepted.effects) }]
        };
        let message = NewMessage {
            record_id,
            accepted_at: now,
            business_at: business_now,
            header,
            digest: accepted.digest,
            bytes: bytes.to_vec(),
            canonical: accepted.canonical,
            receipt: Some(receipt.clone()),
            certificate: Some(accepted.signed_by),
            revisions: Revisions { participants: snapshot.participants_revision, bundle: revision },
            channel,
            deliveries,
            trace: None,
            marks: self.store().search_key().marks(accepted.finds)?,
        };
        let mut is_on_consent = accepted.effects.on_consent.is_some();
        let grace_seconds = i64::from(self.settings().attachments.grace_hours) * 3_600;
        let mut follows = Follows { grace_seconds, ..Follows::default() };
        follows.add(accepted.effects, &message, to_self.then_some(business_now), snapshot)?;
        let mut made = Vec::new();
        for part in accepted.parts {
            let ordered = is_ordered(&part.recipient);
            let record_id = lookup.record_id(ordered, &part.recipient, message.header.conversation_id)?;
            let on_consent = part.effects.on_consent.clone();
            is_on_consent |= on_consent.is_some();
            let own = (part.recipient, part.message_type, part.body);
            let mut part_message = self.part(&message, own, record_id, ordered, on_consent)?;
            part_message.marks = self.store().search_key().marks(part.finds)?;
            follows.add(part.effects, &part_message, None, snapshot)?;
            made.push(part_message);
        }
        follows.journal.extend(accepted.amended.iter().map(|amended| effects::amended(amended, &message)));
        let Follows { obligations, settlements, case_work, journal, case: upsert, grace_seconds: _ } = follows;
        let must_hold = is_on_consent || !obligations.is_empty();
        let case = effects::case_change(upsert, case, business_now, must_hold);
        let accept = Accept { message, made, obligations, settlements, case, case_work, journal };
        Ok(Prepared::Accept { accept: Box::new(accept), receipt })
    }

    fn delivery(&self, header: &Header, snapshot: &Snapshot, now: Timestamp, effects: &Effects) -> NewDelivery {
        NewDelivery {
            id: ids::delivery(self.clock()),
            recipient: header.recipient.clone(),
            ordered: snapshot.participant(&header.recipient).is_some_and(|p| p.ordered),
            next_attempt_at: now,
            expires: header.expires,
            on_consent: effects.on_consent.clone(),
            outgoing: None,
        }
    }

    /// Writes an accepted message. `None`: its case changed meanwhile, judge again.
    async fn record(&self, accept: Accept, receipt: Vec<u8>, peer: &Peer) -> Option<Reply> {
        let (sender, id, digest) = {
            let m = &accept.message;
            (m.header.sender.clone(), m.header.message_id, m.digest)
        };
        let (record, kind) = (accept.message.record_id, accept.message.header.message_type.to_string());
        match self.store().accept(accept).await {
            Ok(Accepted::Recorded) => {
                let channel = Self::channel_word(peer.channel);
                info!(%sender, message_id = %id, %record, kind, channel, "accepted");
                self.meters().accepted(peer.channel, &sender);
                Some(Reply::signed(receipt, &sender, id))
            }
            Ok(Accepted::Duplicate { digest: first, receipt: stored, record_id }) => {
                debug!(%sender, message_id = %id, record = %record_id, "a copy");
                self.meters().repeated(peer.channel);
                Some(self.duplicate(&sender, id, digest, first, stored, peer).await)
            }
            Ok(Accepted::CaseChanged) => None,
            Err(error) => {
                warn!(%sender, message_id = %id, %error, "not accepted");
                Some(Reply::unsigned(FaultCode::NotNow))
            }
        }
    }

    async fn duplicate(
        &self,
        sender: &ParticipantId,
        id: MessageId,
        digest: Digest,
        first: Digest,
        receipt: Option<Vec<u8>>,
        peer: &Peer,
    ) -> Reply {
        match receipt {
            Some(receipt) if first == digest => Reply::signed(receipt, sender, id),
            Some(_) | None => {
                let fault = Fault::new(FaultCode::IdReused, "Header/MessageId: use a new id for new content");
                // The header that conflicts is not recorded anywhere, so the fault names the conflict by the id alone.
                self.refuse_known(fault, sender, id, digest, peer).await
            }
        }
    }

    async fn refuse_known(
        &self,
        fault: Fault,
        sender: &ParticipantId,
        id: MessageId,
        digest: Digest,
        peer: &Peer,
    ) -> Reply {
        let gateway = self.clone();
        let (to, code) = (sender.clone(), fault.code);
        let made = tokio::task::spawn_blocking(move || gateway.fault_about(&fault, &to, id, digest)).await;
        let bytes = match made {
            Ok(Ok(made)) => made.bytes,
            Ok(Err(_)) | Err(_) => return Reply::unsigned(FaultCode::NotNow),
        };
        self.keep_refusal(code, digest, Some((sender, id)), Some(bytes.clone()), peer).await;
        Reply { status: code.http_status(), code: Some(code), ..Reply::signed(bytes, sender, id) }
    }

    /// Answers a refusal. A message that its true sender had accepted before is answered from the stored row even if it would be refused
    /// today (its `Expires` has passed, the route was closed): the receipt is a fact.
    pub(super) async fn refuse(&self, refusal: Refusal, peer: &Peer) -> Reply {
        let code = refusal.fault.code;
        if code == FaultCode::NotNow {
            warn!(detail = refusal.fault.detail, "not now");
            return Reply::unsigned(code);
        }
        if let Some(known) = &refusal.verified
            && code != FaultCode::QueueMismatch
        {
            match self.earlier(&known.header.sender, known.header.message_id, known.digest).await {
                Ok(Some(receipt)) => return Reply::signed(receipt, &known.header.sender, known.header.message_id),
                Ok(None) => {}
                Err(_) => return Reply::unsigned(FaultCode::NotNow),
            }
        }
        let unverified = refusal.verified.is_none();
        if unverified && peer.queue.is_some() {
            return self.refuse_on_queue(&refusal, peer).await;
        }
        if unverified && !self.inner.rate.allow(peer.address, self.clock().now()) {
            return Reply::unsigned(FaultCode::TooFast);
        }
        info!(peer = peer.name(), code = code.code(), detail = refusal.fault.detail, "refused");
        let known = refusal.verified.clone();
        let digest = known.as_ref().map_or(refusal.bytes_digest, |k| k.digest);
        let gateway = self.clone();
        let made = tokio::task::spawn_blocking(move || gateway.fault(&refusal)).await;
        let Ok(Ok(made)) = made else { return Reply::unsigned(FaultCode::NotNow) };
        let sender = known.as_ref().map(|k| (&k.header.sender, k.header.message_id));
        let answer = sender.is_some().then(|| made.bytes.clone());
        self.keep_refusal(code, digest, sender, answer, peer).await;
        Reply {
            status: code.http_status(),
            bytes: made.bytes,
            code: Some(code),
            to: sender.map(|(s, _)| s.clone()),
            about: sender.map(|(_, id)| id),
            retry_after_seconds: None,
        }
    }

    /// What cannot be verified on a queue is recorded, whatever the rate (the broker knows whose queue it is, and it goes no faster than it
    /// is taken), and unanswered. It must not leave the queue without its record.
    async fn refuse_on_queue(&self, refusal: &Refusal, peer: &Peer) -> Reply {
        let code = refusal.fault.code;
        info!(peer = peer.name(), code = code.code(), detail = refusal.fault.detail, "refused");
        let kept = self.keep_refusal(code, refusal.bytes_digest, None, None, peer).await;
        Reply::unsigned(if kept { code } else { FaultCode::NotNow })
    }

    async fn earlier(
        &self,
        sender: &ParticipantId,
        id: MessageId,
        digest: Digest,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match self.store().message_by_key(sender, id).await? {
            Some(row) if row.digest == digest => {
                Ok(self.store().content(row.record_id).await?.and_then(|content| content.receipt))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Whether it was recorded.
    pub(super) async fn keep_refusal(
        &self,
        code: FaultCode,
        digest: Digest,
        sender: Option<(&ParticipantId, MessageId)>,
        answer: Option<Vec<u8>>,
        peer: &Peer,
    ) -> bool {
        let refusal = NewRefusal {
            at: self.clock().now(),
            peer: peer.name(),
            code,
            digest,
            sender: sender.map(|(s, _)| s.clone()),
            message_id: sender.map(|(_, id)| id),
            answer,
        };
        let kept = self.store().insert_refusal(refusal).await;
        if let Err(error) = &kept {
            warn!(%error, "a refusal was not recorded");
        }
        kept.is_ok()
    }

    /// Records and answers a document that was too large to be read at all.
    pub async fn refuse_too_large(&self, peer: &Peer) -> Reply {
        let limit = self.settings().limits.envelope_bytes_max;
        let fault = Fault::new(FaultCode::TooLarge, format!("at most {limit} bytes"));
        self.refuse(Refusal { fault, bytes_digest: sha256(&[]), verified: None }, peer).await
    }
}
