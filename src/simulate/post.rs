//! What the simulated systems send and fetch: signed envelopes to `Gateway::receive`, as any peer's.

use std::sync::Arc;

use crate::domain::{FaultCode, ParticipantId, chain};
use crate::envelope::BodyDraft;
use crate::envelope::technical::{AckItem, MailboxAck, MailboxBatch, MailboxPull};
use crate::gateway::{Gateway, Peer};
use crate::store::Channel;
use crate::system::{Identity, technical};

use super::bodies;
use super::life::Letter;
use super::region::Region;

/// Messages asked for at once: as many as the gateway gives.
const MESSAGES_MAX: u32 = 100;

/// What became of a letter.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    pub(super) kind: &'static str,
    pub(super) case: Option<usize>,
    /// The fault, if it was refused; its code and detail.
    pub(super) refused: Option<(FaultCode, String)>,
}

/// Where everything comes from: a socket of nobody.
fn peer() -> Peer {
    Peer { channel: Channel::Http, address: None, queue: None, trace: None }
}

/// Sends letters one after the other: those of one case must not overtake each other.
pub(super) async fn send(
    gateway: Gateway,
    letters: Vec<(Letter, Arc<Identity>, ParticipantId)>,
) -> Result<Vec<Posted>, String> {
    let mut posted = Vec::with_capacity(letters.len());
    for (letter, system, to) in letters {
        posted.push(send_one(&gateway, letter, &system, &to).await?);
    }
    Ok(posted)
}

async fn send_one(gateway: &Gateway, letter: Letter, system: &Identity, to: &ParticipantId) -> Result<Posted, String> {
    let Letter { case, case_id, kind, id, conversation, in_reply_to, body, .. } = letter;
    let mut header = system.header(bodies::kind(kind), to);
    header.message_id = id;
    header.conversation_id = conversation;
    header.in_reply_to = in_reply_to;
    header.case_id = case_id;
    let body = body().map_err(|e| chain(&e))?;
    let signed = system.sign(header, BodyDraft::Xml(body)).map_err(|e| chain(&e))?;
    let reply = gateway.receive(signed.bytes.clone(), &peer()).await;
    let refused = match reply.code {
        Some(code) if reply.bytes.is_empty() => Some((code, String::new())),
        Some(code) => Some((code, fault_detail(system, &reply.bytes))),
        None => {
            let opened = system.open(&reply.bytes).map_err(|f| f.to_string())?;
            system.word_about(&signed, &opened).map_err(|f| f.to_string())?;
            None
        }
    };
    Ok(Posted { kind, case, refused })
}

fn fault_detail(system: &Identity, bytes: &[u8]) -> String {
    let opened = system.open(bytes).and_then(|opened| technical(&opened.body));
    opened.map_or_else(
        |fault| fault.to_string(),
        |report: crate::envelope::technical::FaultReport| report.detail.unwrap_or_default(),
    )
}

/// Fetches everything that lies in a mailbox, verifies it and receipts it.
pub(super) async fn fetch(gateway: Gateway, system: Arc<Identity>) -> Result<(), String> {
    while fetch_batch(&gateway, &system).await? >= usize::try_from(MESSAGES_MAX).unwrap_or(usize::MAX) {}
    Ok(())
}

/// One pull and its acknowledgement; how many messages came.
async fn fetch_batch(gateway: &Gateway, system: &Identity) -> Result<usize, String> {
    let pull = system.seal(&MailboxPull { messages_max: MESSAGES_MAX }, None).map_err(|e| chain(&e))?;
    let reply = gateway.receive(pull.bytes, &peer()).await;
    if let Some(code) = reply.code {
        return Err(format!("pull: {code}"));
    }
    let opened = system.open(&reply.bytes).map_err(|f| f.to_string())?;
    let batch: MailboxBatch = technical(&opened.body).map_err(|f| f.to_string())?;
    let mut items = Vec::with_capacity(batch.items.len());
    for item in batch.items {
        let opened = system.open(&item.envelope).map_err(|f| f.to_string())?;
        let receipt = system.receipt(&opened).map_err(|e| chain(&e))?;
        items.push(AckItem { delivery_id: item.delivery_id, answer: receipt.bytes });
    }
    let count = items.len();
    if count == 0 {
        return Ok(0);
    }
    let ack = system.seal(&MailboxAck { items }, None).map_err(|e| chain(&e))?;
    let reply = gateway.receive(ack.bytes.clone(), &peer()).await;
    let opened = system.open(&reply.bytes).map_err(|f| format!("ack: {f}"))?;
    match system.word_about(&ack, &opened).map_err(|f| f.to_string())? {
        None => Ok(count),
        Some(code) => Err(format!("ack: {code}")),
    }
}

/// Looks up who sends and who gets a letter.
pub(super) fn addressed(region: &Region, letter: Letter) -> Option<(Letter, Arc<Identity>, ParticipantId)> {
    let system = region.agency(letter.sender)?.system.clone();
    let to = region.agency(letter.recipient)?.id.clone();
    Some((letter, system, to))
}
