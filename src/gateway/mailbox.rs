//! The mailbox: signed pulls and acknowledgements.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::domain::{Fault, FaultCode};
use crate::envelope::technical::{BatchItem, MailboxAck, MailboxBatch, MailboxPull};
use crate::store::{Pull, PullRequest};

use super::Gateway;
use super::answer::Addressee;
use super::judge::{Bench, Judgement, Lookup, TechnicalContent, VerifiedSender, judge};
use super::technical::{PartnerWord, not_now};

/// How many items of one acknowledgement are worked on at once.
const ACKS_AT_ONCE_MAX: usize = 64;

/// A receipt or a fault asks nothing of the store while it is judged.
struct NoLookup;

impl Lookup for NoLookup {
    fn case(
        &self,
        _: crate::domain::CaseId,
    ) -> Result<Option<(crate::deadline::obligations::CaseView, String)>, Fault> {
        Ok(None)
    }
    fn curator_load(&self, _: &str, _: crate::domain::CaseId) -> Result<Vec<(String, u32)>, Fault> {
        Ok(Vec::new())
    }
    fn was_sent(
        &self,
        _: &crate::domain::ParticipantId,
        _: crate::domain::MessageId,
        _: &crate::domain::ParticipantId,
    ) -> Result<bool, Fault> {
        Ok(false)
    }
    fn has_latest(&self, _: crate::domain::CaseId, _: &str, _: &crate::domain::ParticipantId) -> Result<bool, Fault> {
        Ok(false)
    }

    fn uploaded(&self, _: &crate::domain::ParticipantId, _: crate::domain::Digest) -> Result<Option<u64>, Fault> {
        Ok(None)
    }
}

impl Gateway {
    pub(super) async fn pull(&self, known: &VerifiedSender, pull: &MailboxPull) -> Result<Vec<u8>, Fault> {
        let settings = &self.settings().mailbox;
        let pull_id = known.header.message_id.to_string();
        let request = PullRequest {
            participant: known.header.sender.clone(),
            pull_id: pull_id.clone(),
            items_max: pull.messages_max.min(settings.batch_max),
            bytes_max: u64::try_from(settings.batch_bytes_max).unwrap_or(u64::MAX),
            now: self.clock().now(),
            lease_ms: settings.lease_seconds.saturating_mul(1000),
        };
        let (items, lease_until) = match self.store().pull(request).await.map_err(not_now)? {
            Pull::Repeated { answer } => return Ok(answer),
            Pull::Reused => {
                let detail = "Header/MessageId: this pull was answered and its lease has ended; pull with a new id";
                return Err(Fault::new(FaultCode::PullReused, detail));
            }
            Pull::Items { items, lease_until } => (items, lease_until),
        };
        let items = items.into_iter().map(|i| BatchItem { delivery_id: i.delivery_id, envelope: i.bytes }).collect();
        let (gateway, header) = (self.clone(), known.header.clone());
        let made = tokio::task::spawn_blocking(move || {
            let to = Addressee {
                recipient: &header.sender,
                conversation: Some(header.conversation_id),
                in_reply_to: Some(header.message_id),
            };
            gateway.make(&to, &MailboxBatch { lease_until, items })
        });
        let bytes = made.await.map_err(not_now)?.map_err(not_now)?.bytes;
        self.store().store_pull_answer(&known.header.sender, &pull_id, bytes).await.map_err(not_now)
    }

    /// Takes the receipts and faults of an acknowledgement, each signed by the participant itself. All are judged before any is
    /// written, so a bad one is told before anything changed; the ones before it stay valid when the ack is repeated.
    pub(super) async fn ack(&self, known: &VerifiedSender, ack: MailboxAck) -> Result<Vec<u8>, Fault> {
        let judged = ack.items.into_iter().enumerate().map(|(index, item)| async move {
            let (gateway, bytes, sender) = (self.clone(), item.answer, known.header.sender.clone());
            let judged = tokio::task::spawn_blocking(move || {
                let word = gateway.ack_word(&bytes, &sender);
                word.map(|(signer, word)| (signer, word, bytes))
            });
            let named = |fault: Fault| Fault::new(fault.code, format!("item {}: {}", index + 1, fault.detail));
            let (signer, word, bytes) = judged.await.map_err(not_now)?.map_err(named)?;
            let meant = self.meant_by(&signer, &word, Some(item.delivery_id)).await.map_err(named)?;
            Ok((signer, word, meant, bytes))
        });
        // Several at once, for they do not depend on each other; the first item that is wrong is the one that is told.
        let words: Vec<_> = stream::iter(judged).buffered(ACKS_AT_ONCE_MAX).try_collect().await?;
        // Written several at once too, so that one commit serves many.
        let taken = words
            .into_iter()
            .map(|(signer, word, meant, bytes)| async move { self.take_word(&signer, word, meant, &bytes).await });
        stream::iter(taken).buffered(ACKS_AT_ONCE_MAX).try_collect::<()>().await?;
        self.receipt_for(known).await
    }

    fn ack_word(
        &self,
        bytes: &[u8],
        sender: &crate::domain::ParticipantId,
    ) -> Result<(VerifiedSender, PartnerWord), Fault> {
        let snapshot = self.snapshot();
        let bench = Bench {
            snapshot: &snapshot,
            gateway: self.id(),
            limits: &self.inner.limits,
            attachments: &self.settings().attachments,
            created_future_seconds_max: self.settings().policy.created_future_seconds_max,
            created_age_days_max: self.settings().policy.created_age_days_max,
            now: self.clock().now(),
            business_now: self.clock().business_now(),
            queue: Some(sender),
        };
        let judged = judge(bytes, &bench, &NoLookup).map_err(|refusal| refusal.fault)?;
        let wrong = || Fault::new(FaultCode::SchemaInvalid, "a receipt or a fault is needed");
        let Judgement::Technical(message) = judged else { return Err(wrong()) };
        let known = VerifiedSender { header: message.header, digest: message.digest };
        match message.body {
            TechnicalContent::Receipt(receipt) => Ok((known, PartnerWord::Receipt(receipt))),
            TechnicalContent::Fault(report) => Ok((known, PartnerWord::Fault(report))),
            TechnicalContent::TicketRequest(_)
            | TechnicalContent::Pull(_)
            | TechnicalContent::Ack(_)
            | TechnicalContent::OutsideAct(_) => Err(wrong()),
        }
    }
}
