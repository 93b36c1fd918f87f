//! Messages for the gateway itself: partners' receipts and faults, tickets, and the mailbox.

use tracing::{info, warn};

use crate::crypto::{generate, sha256};
use crate::deadline::obligations::StartOn;
use crate::domain::{DeliveryId, Digest, Fault, FaultClass, FaultCode, ParticipantId};
use crate::envelope::technical::{
    FaultReport, NoticeState, Receipt, RefusedDigest, Resource, Ticket, TicketMethod, TicketRequest,
};
use crate::store::{
    Answered, AnsweredOutcome, AnsweredResult, DeliveryRow, MessageRow, NewMessage, NewTicket, PendingObligation,
    StartedObligation,
};

use super::answer::Addressee;
use super::judge::{Refusal, TechnicalContent, TechnicalMessage, VerifiedSender};
use super::{Gateway, Peer, Reply, effects};

/// What a ticket was shown for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketUse<'a> {
    /// The token of `Authorization: Bearer`.
    pub token: &'a str,
    /// `GET` or `PUT`.
    pub method: &'a str,
    /// Such as `message 01931f6e-…`.
    pub resource: &'a str,
}

/// What a partner says about a delivery.
pub(super) enum PartnerWord {
    Receipt(Receipt),
    Fault(FaultReport),
}

impl Gateway {
    pub(super) async fn technical(&self, message: TechnicalMessage, bytes: &[u8], peer: &Peer) -> Reply {
        let known = VerifiedSender { header: message.header.clone(), digest: message.digest };
        let answered = match message.body {
            TechnicalContent::Receipt(receipt) => {
                self.partner_word(&known, PartnerWord::Receipt(receipt), None, bytes).await
            }
            TechnicalContent::Fault(report) => self.partner_word(&known, PartnerWord::Fault(report), None, bytes).await,
            TechnicalContent::TicketRequest(request) => self.ticket(&known, &request).await,
            TechnicalContent::Pull(pull) => self.pull(&known, &pull).await,
            TechnicalContent::Ack(ack) => self.ack(&known, ack).await,
            TechnicalContent::OutsideAct(act) => self.outside_act(&known, act, bytes).await,
        };
        match answered {
            Ok(bytes) => Reply::signed(bytes, &known.header.sender, known.header.message_id),
            Err(fault) => {
                let refusal = Refusal { fault, bytes_digest: sha256(bytes), verified: Some(known) };
                self.refuse(refusal, peer).await
            }
        }
    }

    /// A verified receipt or fault of a partner about one of its deliveries. Answered with a receipt, however often it comes.
    pub(super) async fn partner_word(
        &self,
        known: &VerifiedSender,
        word: PartnerWord,
        delivery: Option<DeliveryId>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let meant = self.meant_by(known, &word, delivery).await?;
        self.take_word(known, word, meant, bytes).await?;
        self.receipt_for(known).await
    }

    /// Which delivery a partner's word is about.
    pub(super) async fn meant_by(
        &self,
        known: &VerifiedSender,
        word: &PartnerWord,
        delivery: Option<DeliveryId>,
    ) -> Result<(DeliveryRow, MessageRow), Fault> {
        let (about, sender, digest) = match word {
            PartnerWord::Receipt(r) => (Some(r.message_id), Some(&r.sender), Some(r.digest)),
            PartnerWord::Fault(f) => (f.message_id.or(known.header.in_reply_to), None, content_of(f.digest)),
        };
        let about = about.ok_or_else(|| Fault::new(FaultCode::ReferenceUnknown, "the fault names no message"))?;
        let found = self.store().deliveries_to(&known.header.sender, about, sender).await.map_err(not_now)?;
        meant(found, delivery, digest)
    }

    /// Writes what a partner said about a delivery, with what follows from it.
    pub(super) async fn take_word(
        &self,
        known: &VerifiedSender,
        word: PartnerWord,
        (row, message): (DeliveryRow, MessageRow),
        bytes: &[u8],
    ) -> Result<(), Fault> {
        let (participant, about, began) = (&known.header.sender, message.message_id, self.clock().now());
        if let PartnerWord::Fault(f) = &word
            && f.known().is_some_and(|code| code.class() == FaultClass::Retry)
        {
            // Asked for patience, not refused: the delivery stays as it is, and the same bytes come again in their time.
            info!(%participant, message_id = %about, code = f.code, "the partner cannot take it now");
            return Ok(());
        }
        let (outcome, state, reached, reason) = match word {
            PartnerWord::Receipt(_) => (AnsweredOutcome::Delivered, NoticeState::Delivered, StartOn::Delivered, None),
            PartnerWord::Fault(f) => {
                let outcome = AnsweredOutcome::Refused { code: f.code.clone(), detail: None };
                (outcome, NoticeState::Refused, StartOn::Sent, Some(f.code))
            }
        };
        let started = self.start_pending_of(&message, reached).await?;
        let made = self.notice_of(&message, state, reason).await?;
        let answered = Answered {
            delivery_id: row.id,
            participant: participant.clone(),
            at: self.clock().now(),
            outcome,
            bytes: bytes.to_vec(),
            started,
            made,
            journal: Vec::new(),
        };
        match self.store().answer(answered).await.map_err(not_now)? {
            AnsweredResult::Settled => {
                info!(%participant, message_id = %about, state = ?state, "the partner answered");
                let delivered = state == NoticeState::Delivered;
                self.tell_receipt(&message, if delivered { "receipt" } else { "fault" }, began);
                if delivered {
                    self.meters().delivered(participant, message.accepted_at, self.clock().now());
                }
            }
            AnsweredResult::Already(_) => {}
            AnsweredResult::NotFound => return Err(unknown_delivery()),
        }
        Ok(())
    }

    /// The notice to the sender that is written when a delivery comes to its end by the partner's word.
    async fn notice_of(
        &self,
        message: &MessageRow,
        state: NoticeState,
        reason: Option<String>,
    ) -> Result<Vec<NewMessage>, Fault> {
        let (gateway, about) = (self.clone(), message.clone());
        let notice = tokio::task::spawn_blocking(move || gateway.notice(&about, Some(state), reason)).await;
        match notice {
            Ok(Ok(notice)) => Ok(notice.into_iter().collect()),
            Ok(Err(error)) => {
                warn!(message_id = %message.message_id, %error, "the notice to the sender could not be made");
                Ok(Vec::new())
            }
            Err(error) => Err(not_now(error)),
        }
    }

    /// Starts, as of now, what waited for this message to come as far as `reached`.
    pub(super) async fn start_pending_of(
        &self,
        message: &MessageRow,
        reached: StartOn,
    ) -> Result<Vec<StartedObligation>, Fault> {
        if message.sender == *self.id() {
            // The gateway's own notices and reminders open nothing.
            return Ok(Vec::new());
        }
        let pending = self.store().pending_obligations(message.record_id).await.map_err(not_now)?;
        self.start_pending(&pending, reached)
    }

    /// The same of what is known to wait.
    pub(super) fn start_pending(
        &self,
        pending: &[PendingObligation],
        reached: StartOn,
    ) -> Result<Vec<StartedObligation>, Fault> {
        let snapshot = self.snapshot();
        effects::start_all(pending, &snapshot.calendars, self.clock().business_now(), reached).map_err(not_now)
    }

    /// The signed receipt for a technical message.
    pub(super) async fn receipt_for(&self, known: &VerifiedSender) -> Result<Vec<u8>, Fault> {
        let (gateway, known) = (self.clone(), known.clone());
        let at = self.clock().now();
        let made = tokio::task::spawn_blocking(move || gateway.receipt(&known.header, known.digest, at, 0)).await;
        match made {
            Ok(Ok(made)) => Ok(made.bytes),
            Ok(Err(error)) => Err(not_now(error)),
            Err(error) => Err(not_now(error)),
        }
    }

    async fn ticket(&self, known: &VerifiedSender, request: &TicketRequest) -> Result<Vec<u8>, Fault> {
        let token = generate::token().map_err(not_now)?;
        let seconds = i64::from(self.settings().policy.ticket_seconds_max);
        let expires_at = self.clock().now().plus_seconds(seconds);
        let ticket = NewTicket {
            token_hash: sha256(token.as_bytes()),
            participant: known.header.sender.clone(),
            method: method_word(request.method).to_owned(),
            resource: resource_text(&request.resource),
            expires: expires_at,
        };
        self.store().insert_ticket(ticket).await.map_err(not_now)?;
        let (gateway, header) = (self.clone(), known.header.clone());
        let made = tokio::task::spawn_blocking(move || {
            let to = Addressee {
                recipient: &header.sender,
                conversation: Some(header.conversation_id),
                in_reply_to: Some(header.message_id),
            };
            gateway.make(&to, &Ticket { token, expires_at })
        });
        match made.await {
            Ok(Ok(made)) => Ok(made.bytes),
            Ok(Err(error)) => Err(not_now(error)),
            Err(error) => Err(not_now(error)),
        }
    }

    /// Who may do what a ticket was shown for.
    ///
    /// # Errors
    /// `ticket-invalid` when there is no such ticket, it has ended, or it is for something else; `not-now` when the store is away.
    pub async fn ticket_holder(&self, ticket: &TicketUse<'_>) -> Result<ParticipantId, Fault> {
        let hash = sha256(ticket.token.as_bytes());
        let row = self.store().ticket(hash, self.clock().now()).await.map_err(not_now)?;
        match row {
            Some(row) if row.method == ticket.method && row.resource == ticket.resource => Ok(row.participant),
            Some(_) | None => Err(Fault::new(FaultCode::TicketInvalid, "no such ticket, or it is for something else")),
        }
    }
}

/// The text under which a ticket's resource is stored and shown again.
pub(super) fn resource_text(resource: &Resource) -> String {
    match resource {
        Resource::Message(id) => format!("message {id}"),
        Resource::Attachment(digest) => format!("attachment {digest}"),
    }
}

fn method_word(method: TicketMethod) -> &'static str {
    match method {
        TicketMethod::Get => "GET",
        TicketMethod::Put => "PUT",
    }
}

fn content_of(digest: Option<RefusedDigest>) -> Option<Digest> {
    match digest {
        Some(RefusedDigest::Content(digest)) => Some(digest),
        Some(RefusedDigest::Bytes(_)) | None => None,
    }
}

/// Which of some deliveries a partner's word is about. What never went out cannot be answered; and where two senders used one id, the
/// digest says which of their messages is meant.
fn meant(
    found: Vec<(DeliveryRow, MessageRow)>,
    delivery: Option<DeliveryId>,
    digest: Option<Digest>,
) -> Result<(DeliveryRow, MessageRow), Fault> {
    let mut handed: Vec<_> = found
        .into_iter()
        .filter(|(row, _)| row.out_digest.is_some() && delivery.is_none_or(|id| row.id == id))
        .collect();
    if handed.is_empty() {
        return Err(unknown_delivery());
    }
    let same = handed.iter().position(|(row, _)| digest.is_none() || row.out_digest == digest);
    let other = || {
        let detail = "the digest is not that of what was delivered; digest what you received";
        Fault::new(FaultCode::ReferenceUnknown, detail)
    };
    same.map(|at| handed.swap_remove(at)).ok_or_else(other)
}

fn unknown_delivery() -> Fault {
    Fault::new(FaultCode::ReferenceUnknown, "nothing with this id was delivered to you")
}

pub(super) fn not_now(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultCode::NotNow, error.to_string())
}
