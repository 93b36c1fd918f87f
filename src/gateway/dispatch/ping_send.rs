//! The second half of a ping: it is signed, recorded, handed over, and its receipt awaited.

use std::time::Duration;

use tracing::warn;

use super::ping::{Going, PingError, PingStep, Pinger, StepState};
use super::{describe, held};
use crate::domain::{DeliveryId, DeliveryState, MessageId, ParkReason, Remark, Timestamp, TransportKind};
use crate::envelope::technical::Ping;
use crate::gateway::answer::Addressee;
use crate::gateway::ids;
use crate::store::{Accept, CaseWork, Claim, Claimed, Discard, NewDelivery, Outcome, Revisions, Settle};
use crate::transport::Answer;
use crate::transport::amqp::Queue;

/// A ping is due so late that no dispatcher claims it before it is taken here.
const HELD_SECONDS: i64 = 3_600;
/// After this nobody hands it over any more, should its node die.
const LIFE_SECONDS: i64 = 600;
/// How often it is looked whether a receipt has come by another way.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Pinger {
    /// Signs, records, hands over and waits for the receipt.
    pub(super) async fn send(&mut self, transport: &TransportKind) -> Going {
        let began = tokio::time::Instant::now();
        let (claimed, message_id) = match self.signed(transport).await? {
            Ok(made) => made,
            Err(detail) => return self.failed(PingStep::Sign, began, detail).await,
        };
        let certificate = self.dispatcher.gateway.certificate();
        let facts = vec![
            ("messageId", message_id.to_string()),
            ("subject", certificate.subject().to_owned()),
            ("until", certificate.not_after().to_string()),
        ];
        drop(self.note((PingStep::Sign, StepState::Done), began, facts).await?);
        let began = tokio::time::Instant::now();
        let (outcome, why) = match &claimed {
            Some(claimed) => self.hand_over(claimed, transport).await,
            // It lies in the mailbox.
            None => (Outcome::Sent { at: self.now(), receipt_deadline: None, mailbox: true }, None),
        };
        let (state, reason, detail) = describe(&outcome);
        let is_handed = matches!(state, DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Refused);
        let facts = vec![
            ("state", state.to_string()),
            ("reason", reason.unwrap_or_default()),
            ("detail", detail.or(why.clone()).unwrap_or_default()),
        ];
        let id = claimed.as_ref().map(|claimed| claimed.delivery_id);
        if let Some(claimed) = &claimed {
            self.settle(claimed, outcome).await?;
        }
        if !is_handed {
            return self.note((PingStep::Send, StepState::Failed), began, facts).await;
        }
        let shown = if state == DeliveryState::Refused { Vec::new() } else { facts.clone() };
        drop(self.note((PingStep::Send, StepState::Done), began, shown).await?);
        let began = tokio::time::Instant::now();
        match state {
            DeliveryState::Delivered => self.note((PingStep::Receipt, StepState::Done), began, Vec::new()).await,
            DeliveryState::Refused => self.note((PingStep::Receipt, StepState::Failed), began, facts).await,
            DeliveryState::Queued
            | DeliveryState::Leased
            | DeliveryState::Sent
            | DeliveryState::Parked
            | DeliveryState::Expired
            | DeliveryState::Stopped
            | DeliveryState::Discarded => self.await_receipt(id, message_id, began, why).await,
        }
    }

    fn now(&self) -> Timestamp {
        self.dispatcher.gateway.clock().now()
    }

    /// Signs and records the ping and takes its delivery; no claim where it only lies in the mailbox. `Err` is for the operator.
    async fn signed(
        &mut self,
        transport: &TransportKind,
    ) -> Result<Result<(Option<Claimed>, MessageId), String>, PingError> {
        let gateway = self.dispatcher.gateway.clone();
        if !gateway.has_valid_certificate() {
            return Ok(Err("сертификат шлюза не действует / the gateway's certificate is not valid".to_owned()));
        }
        let in_mailbox = *transport == TransportKind::Mailbox;
        let (now, recipient, record) = (self.now(), self.report.row.participant.clone(), self.report.row.id);
        let later = now.plus_seconds(HELD_SECONDS);
        let maker = gateway.clone();
        let made = tokio::task::spawn_blocking(move || {
            let to = Addressee { recipient: &recipient, conversation: None, in_reply_to: None };
            let made = maker.make(&to, &Ping { at: now })?;
            let delivery = NewDelivery {
                id: ids::delivery(maker.clock()),
                recipient: recipient.clone(),
                ordered: false,
                next_attempt_at: if in_mailbox { now } else { later },
                expires: Some(now.plus_seconds(LIFE_SECONDS)),
                on_consent: None,
                outgoing: None,
            };
            let snapshot = maker.snapshot();
            let revisions =
                Revisions { participants: snapshot.participants_revision, bundle: snapshot.bundle_revision };
            Ok::<_, crate::envelope::SignError>(maker.own_message(made, record, revisions, vec![delivery]))
        });
        let message = match made.await {
            Ok(Ok(message)) => message,
            Ok(Err(error)) => return Ok(Err(error.to_string())),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let (id, message_id) = (message.deliveries.first().map(|d| d.id), message.header.message_id);
        let accept = Accept {
            message,
            made: Vec::new(),
            obligations: Vec::new(),
            settlements: Vec::new(),
            case: None,
            case_work: CaseWork::default(),
            journal: Vec::new(),
        };
        gateway.store().accept(accept).await?;
        if in_mailbox {
            return Ok(Ok((None, message_id)));
        }
        let lease_ms = u32::try_from(gateway.settings().delivery.lease_ms).unwrap_or(u32::MAX);
        let claim = Claim { node: gateway.node().to_owned(), now: later, lease_ms, limit: 1, slots: Vec::new() };
        let claimed = gateway.store().claim_these(claim, id.into_iter().collect()).await?;
        Ok(claimed
            .into_iter()
            .next()
            .map(|claimed| (Some(claimed), message_id))
            .ok_or_else(|| "the delivery was not taken".to_owned()))
    }

    /// One handing over, as dispatch does it, and why an answer was no receipt.
    async fn hand_over(&self, claimed: &Claimed, transport: &TransportKind) -> (Outcome, Option<String>) {
        let (dispatcher, at) = (&self.dispatcher, self.now());
        let park = |reason: ParkReason, detail: String| (Outcome::Park { reason, detail }, None);
        let outgoing = match dispatcher.outgoing(claimed, at).await {
            Ok(Some(outgoing)) => outgoing,
            Ok(None) => return park(ParkReason::SigningFailed, "the lease ended while signing".to_owned()),
            Err((reason, detail)) => return park(reason, detail),
        };
        let id = claimed.message.message_id;
        let handed = match (transport, &dispatcher.ways.amqp) {
            (TransportKind::Http { url }, _) => {
                let trace = claimed.message.trace.as_ref();
                dispatcher.ways.push.push(url, outgoing.signed.clone(), id, trace).await
            }
            (TransportKind::Amqp, Some(amqp)) => {
                let trace = claimed.message.trace.as_ref();
                amqp.publish(&Queue::To(claimed.recipient.clone()), &outgoing.signed, id, trace).await
            }
            (TransportKind::Amqp | TransportKind::Mailbox, _) => crate::transport::Outcome::SENT,
        };
        let sent = Outcome::Sent { at, receipt_deadline: None, mailbox: false };
        let (bytes, status) = match handed {
            crate::transport::Outcome::Failed { reason, detail, .. } => return park(reason, detail),
            crate::transport::Outcome::Sent { answer: Answer::Empty } => return (sent, None),
            crate::transport::Outcome::Sent { answer: Answer::Unread { detail } } => return (sent, Some(detail)),
            crate::transport::Outcome::Sent { answer: Answer::Bytes(bytes) } => (bytes, None),
            crate::transport::Outcome::Answered { status, answer } => (answer, Some(status)),
        };
        let why = match status {
            None => dispatcher.verify_answer(claimed, &outgoing, &bytes, at).await.err().map(|fault| fault.to_string()),
            Some(_) => None,
        };
        match dispatcher.answered(claimed, &outgoing, bytes, status).await {
            Outcome::Requeue { reason, detail, .. } => park(reason, detail),
            Outcome::Sent { .. } => (sent, why),
            other @ (Outcome::Delivered { .. }
            | Outcome::Refused { .. }
            | Outcome::Park { .. }
            | Outcome::Expired
            | Outcome::Stopped) => (other, None),
        }
    }

    /// Writes what came of it, and tells the breaker. What did not arrive is discarded.
    async fn settle(&self, claimed: &Claimed, outcome: Outcome) -> Result<(), PingError> {
        let dispatcher = &self.dispatcher;
        let contact = held::Contact::of(&outcome, held::Way::Due);
        let is_dead = matches!(outcome, Outcome::Park { .. } | Outcome::Refused { .. });
        let settle = Settle {
            delivery_id: claimed.delivery_id,
            epoch: claimed.epoch,
            now: self.now(),
            outcome,
            started: Vec::new(),
            made: Vec::new(),
            journal: Vec::new(),
        };
        let store = dispatcher.gateway.store();
        if !store.settle(settle).await? {
            warn!(delivery = %claimed.delivery_id, "a late result was dropped: the lease is another's");
        }
        if contact == held::Contact::Reached {
            dispatcher.gateway.reached(&claimed.recipient).await;
        }
        if let (true, Ok(why)) = (is_dead, Remark::parse("проверка связи / a ping")) {
            let discard = Discard {
                delivery_id: claimed.delivery_id,
                now: self.now(),
                business_now: dispatcher.gateway.clock().business_now(),
                author: self.report.row.author.clone(),
                why,
                made: Vec::new(),
            };
            store.discard(discard).await?;
        }
        Ok(())
    }

    /// Waits for a receipt that comes by itself: over a queue, from a mailbox, or by a request of the partner.
    async fn await_receipt(
        &mut self,
        id: Option<DeliveryId>,
        message_id: MessageId,
        began: tokio::time::Instant,
        why: Option<String>,
    ) -> Going {
        let store = self.dispatcher.gateway.store().clone();
        let id = match id {
            Some(id) => Some(id),
            None => store.deliveries_of(self.report.row.id).await?.first().map(|row| row.id),
        };
        let until = began + self.wait;
        while let Some(id) = id {
            let found = store.delivery(id).await?.map(|(row, _)| (row.state, row.fault_code));
            match found {
                Some((DeliveryState::Delivered, _)) => {
                    return self.note((PingStep::Receipt, StepState::Done), began, Vec::new()).await;
                }
                Some((DeliveryState::Refused, code)) => {
                    let facts = vec![("state", "refused".to_owned()), ("reason", code.unwrap_or_default())];
                    return self.note((PingStep::Receipt, StepState::Failed), began, facts).await;
                }
                Some(_) | None => {}
            }
            if tokio::time::Instant::now() >= until {
                break;
            }
            tokio::time::sleep(LOOK_EVERY.min(self.wait)).await;
        }
        let facts = vec![("messageId", message_id.to_string()), ("detail", why.clone().unwrap_or_default())];
        // An answer that is no receipt is the partner's mistake; none at all may still come.
        let state = if why.is_some() { StepState::Failed } else { StepState::Open };
        self.note((PingStep::Receipt, state), began, facts).await
    }
}
