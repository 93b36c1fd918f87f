//! A system that can host nothing: it asks the gateway for its messages.

use std::sync::Arc;
use std::time::Duration;

use crate::envelope::technical::{AckItem, MailboxAck, MailboxBatch, MailboxPull};

use super::System;
use super::identity::technical;
use super::link::Poster;

/// The pause while the mailbox is empty.
const PAUSE: Duration = Duration::from_millis(150);
/// Messages asked for at once.
const MESSAGES_MAX: u32 = 20;

/// Pulls, takes and acknowledges for ever.
pub(super) async fn run(system: Arc<System>, poster: Poster) {
    loop {
        match round(&system, &poster).await {
            Ok(0) => tokio::time::sleep(PAUSE).await,
            Ok(_) => {}
            Err(text) => {
                system.trouble(format!("mailbox: {text}"));
                tokio::time::sleep(PAUSE * 4).await;
            }
        }
    }
}

/// One pull and, when it brought something, its acknowledgement. Returns how many messages came.
async fn round(system: &Arc<System>, poster: &Poster) -> Result<usize, String> {
    let pull = MailboxPull { messages_max: MESSAGES_MAX };
    let pull = system.identity.seal(&pull, None).map_err(|e| e.to_string())?;
    let (status, answer) = poster.post("/v1/mailbox/pull", &pull.bytes).await?;
    if status != 200 {
        return Err(format!("pull: HTTP {status}"));
    }
    let opened = system.identity.open(&answer).map_err(|f| f.to_string())?;
    if opened.header.in_reply_to != Some(pull.header.message_id) {
        return Err("the batch answers another pull".to_owned());
    }
    let batch: MailboxBatch = technical(&opened.body).map_err(|f| f.to_string())?;
    system.ready();
    let mut items = Vec::new();
    for item in batch.items {
        let answer = system.take(item.envelope).await?.bytes;
        items.push(AckItem { delivery_id: item.delivery_id, answer });
    }
    let count = items.len();
    if count == 0 {
        return Ok(0);
    }
    let ack = system.identity.seal(&MailboxAck { items }, None).map_err(|e| e.to_string())?;
    let (status, answer) = poster.post("/v1/mailbox/ack", &ack.bytes).await?;
    let opened = system.identity.open(&answer).map_err(|f| format!("ack: HTTP {status}: {f}"))?;
    match system.identity.word_about(&ack, &opened).map_err(|f| f.to_string())? {
        None => Ok(count),
        Some(code) => Err(format!("ack: {code}")),
    }
}
